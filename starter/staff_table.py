"""A staff list as CSV: one line a person, checked like a body's file. All lines are taken or none; a fault names line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from activities.bodies import Body
from domain.model import Data
from domain.people import Person
from policies import load
from policies.load import Unreadable
from policies.not_opened import not_opened
from starter.bodies import staff_faults
from starter.import_cells import NONE, Wrong, day, folded, shown
from starter.spreadsheet import Line, read_csv
from starter.staff_links import links_kept, wrong_links

COLUMNS = (
    "id", "name", "natural", "offices", "grade", "line_manager", "deputises", "deputises_for", "area", "valid_from", "valid_to",
    "absences", "email",
)  # fmt: skip
NEEDED = ("id", "name")
DATED = {"offices": "office", "deputises": "deputises", "grade": "grade", "line_manager": "line_manager"}
"""Columns in which a thing may have days of its own, and how it is called in an entry."""
PERIOD = "FROM..TO, each a day as 2027-03-10 or left out"


class TableFault(Data):
    """Why a line, or the whole file, cannot be taken."""

    line: int
    column: str
    found: str
    right: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: found {self.found}; right would be: {self.right}"


class StaffTable(NamedTuple):
    """Everybody a file lists, and every fault in it."""

    people: tuple[Person, ...]
    faults: tuple[TableFault, ...]


def read_staff(path: Path, body: Body) -> StaffTable:
    """Returns the staff list a CSV file holds, checked against the body's policy. Raises UnreadableTable or Unreadable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {not_opened(path, error)}") from None
    return staff_of(content, body)


def staff_of(content: bytes, body: Body) -> StaffTable:
    """Returns the staff list that the bytes of a CSV file hold, checked against the body's policy. Raises UnreadableTable.

    `body` has the list in force and everybody who left it: without a column `natural` the links between accounts stay (EH-181)."""
    table = read_csv(content, known=frozenset(one.replace("_", " ") for one in COLUMNS) | frozenset(COLUMNS))
    names, wrong = _header(table.header)
    if wrong:
        return StaffTable((), tuple(wrong))
    if not table.rows:
        return StaffTable((), (TableFault(line=table.header.line, column="the file", found="no person", right="a line for each person"),))
    people: list[Person] = []
    lines: list[int] = []
    for row in table.rows:
        found = _person(row, names)
        if isinstance(found, Person):
            people.append(found)
            lines.append(row.line)
        else:
            wrong += found
    if "natural" in names:
        misplaced = wrong_links(people, body.staff)
        wrong += (TableFault(line=lines[one.n], column="natural", found=shown(one.found), right=one.right) for one in misplaced)
    else:
        people = list(links_kept(people, body.staff))
    wrong += _misfits(body, tuple(people), lines)
    return StaffTable(tuple(people), tuple(sorted(wrong, key=lambda one: one.line)))


def _header(header: Line) -> tuple[list[str], list[TableFault]]:
    """Returns the column each cell of a line stands in, with what is wrong with the header; a column without a name is passed over."""
    names = [folded(cell).replace(" ", "_") for cell in header.cells]
    missing = [one for one in NEEDED if one not in names]
    wrong = [TableFault(line=header.line, column=one, found="no such column", right=f"a column {one}") for one in missing]
    for n, name in enumerate(names):
        if name and name not in COLUMNS:
            wrong.append(TableFault(line=header.line, column=f"column {n + 1}", found=shown(header.cells[n]), right=_meant(name)))
        elif name and name in names[:n]:
            wrong.append(TableFault(line=header.line, column=name, found="the column twice", right="each column once"))
    return names, wrong


def _meant(name: str) -> str:
    near = get_close_matches(name, COLUMNS, n=1)
    return f"{near[0]}; is that meant?" if near else f"one of: {', '.join(COLUMNS)}"


def _person(row: Line, names: list[str]) -> Person | list[TableFault]:
    if any(cell.strip() for cell in row.cells[len(names) :]):
        right = f"{len(names)}, one for each column; is a quotation mark missing?"
        return [TableFault(line=row.line, column="the line", found=f"{len(row.cells)} cells", right=right)]
    entry: dict[str, object] = {}
    wrong: list[TableFault] = []
    for name, cell in zip(names, row.cells, strict=False):
        try:
            if name and folded(cell) not in NONE:
                entry[name] = _value(name, cell.strip())
        except Wrong as fault:
            wrong.append(TableFault(line=row.line, column=name, found=fault.found, right=fault.right))
    wrong += [
        TableFault(line=row.line, column=one, found="nothing", right="an id" if one == "id" else "the person's name, as letters say it")
        for one in NEEDED
        if one not in entry and not any(fault.column == one for fault in wrong)
    ]
    return wrong or _built(entry, row.line)


def _built(entry: Mapping[str, object], line: int) -> Person | list[TableFault]:
    try:
        return Person.model_validate(entry)
    except ValidationError as error:
        return [_of(fault["loc"], fault["msg"], fault["input"], line) for fault in error.errors(include_url=False)]


def _of(where: tuple[int | str, ...], message: str, given: object, line: int) -> TableFault:
    column = str(where[0]) if where and where[0] in COLUMNS else "the line"
    said = message.removeprefix("Value error, ")
    found = shown(str(given)) if isinstance(given, str | int) else "what does not fit together"
    return TableFault(line=line, column=column, found=found, right=said)


def _value(name: str, cell: str) -> object:
    match name:
        case "offices" | "deputises":
            return [_dated(name, one) for one in _items(cell)]
        case "grade" | "line_manager":
            found = [_dated(name, one) for one in _items(cell)]
            return found[0] if len(found) == 1 else found
        case "deputises_for":
            return _items(cell)
        case "valid_from" | "valid_to":
            return day(cell)
        case "absences":
            return [_period(one) for one in _items(cell)]
    return cell


def _items(cell: str) -> list[str]:
    return [one.strip() for one in re.split(r"[;|\n]", cell) if one.strip()]


def _dated(name: str, item: str) -> object:
    """Returns an item, with its days where it has some: reviewer@2027-01-01..2027-03-31."""
    what, at, days = item.partition("@")
    value: object = what.strip()
    if name == "grade":
        if not what.strip().isdecimal():
            raise Wrong(shown(what), "a whole number")
        value = int(what)
    return {DATED[name]: value, **_period(days)} if at else value


def _period(text: str) -> dict[str, object]:
    start, dots, end = text.partition("..")
    if not dots:
        raise Wrong(shown(text), PERIOD)
    return {name: found for name, one in (("from", start), ("to", end)) if (found := day(one))}


def _misfits(body: Body, people: tuple[Person, ...], lines: list[int]) -> Iterator[TableFault]:
    """Yields what is wrong with a list as a whole: the checks of a body's file."""
    policy = load.policy(body.policy)
    for where, what in staff_faults(body.model_copy(update={"people": people}), policy):
        n, column = where[1], where[2]
        assert isinstance(n, int)
        yield TableFault(line=lines[n], column=str(column), found="what does not fit", right=what)
