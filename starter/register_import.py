"""A body's own spreadsheet becomes cases in mid-life: every line is checked before any case is made, and reported with what it becomes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from activities.bodies import Body
from domain.case import Case
from domain.case_id import fit_case_id
from domain.clocks import next_deadline
from domain.commands import ImportCase
from domain.days import Calendar
from domain.decision import Entry, Refusal
from domain.import_faults import Fault
from domain.importing import faults, import_case
from domain.message import said
from domain.people import Actor, Person
from domain.policy import Policy
from domain.register_writers import writers
from policies import load
from policies.load import Unreadable, build, parse, position, text_of
from policies.not_opened import not_opened
from starter import import_cells as cells
from starter.import_cells import Words, Wrong, folded, meant, shown
from starter.show import deadline_in_words
from starter.spreadsheet import Line, Table, UnreadableTable, read_csv

T = TypeVar("T")

COLUMNS = {
    "reference": "reference",
    "customer": "customer",
    "channel": "customer",
    "address": "customer",
    "area": "area",
    "contact officer": "contact_officer",
    "behaviour": "behaviour",
    "last incident": "last_incident",
    "warned on": "warned_on",
    "warned by": "warned_by",
    "decided on": "decided_on",
    "decided by": "decided_by",
    "told on": "told_on",
    "restrictions": "restrictions",
    "reasons": "reasons",
    "ends on": "until",
    "last review": "last_review",
    "next review": "next_review",
    "appeal": "appeal",
    "ended on": "ended_on",
    "notes": "notes",
}
"""Every column with the field of import_case it fills."""
ALSO = {"customer name": "customer", "appeal state": "appeal", "behaviour code": "behaviour", "office": "decided by"}
NEEDED = ("reference", "customer")
DAYS = ("last incident", "warned on", "decided on", "told on", "ends on", "last review", "next review", "ended on")
COLUMN_OF = {field: column for column, field in reversed(COLUMNS.items())}
COLUMN_OF |= {"office": "decided by", "appeal.decided_on": "appeal", "customer": "customer"}
IGNORED = ""
State = Literal["new", "already imported", "already imported, changed since"]


class LineFault(BaseModel):
    """Why a line, or the whole file, cannot be imported."""

    line: int
    column: str
    found: str
    right: str
    cites: tuple[str, ...] = ()

    def __str__(self) -> str:
        clauses = f" [{', '.join(self.cites)}]" if self.cites else ""
        return f"line {self.line}, {self.column}: found {self.found}; right would be: {self.right}{clauses}"


class LineReport(BaseModel):
    """What a line becomes."""

    line: int
    reference: str
    case: str
    state: State = "new"
    stage: str
    next_deadline: str
    findings: tuple[str, ...]


class Prepared(NamedTuple):
    """A line that can be imported: the command, and what it becomes."""

    command: ImportCase
    report: LineReport


class Checked(NamedTuple):
    """A whole file, checked."""

    sha256: str
    prepared: tuple[Prepared, ...]
    faults: tuple[LineFault, ...]


def read_words(path: Path | None) -> Words:
    """Returns a map file's words; none without one. Raises Unreadable with a line for every fault."""
    if path is None:
        return Words()
    data = parse(text_of(path), str(path))
    words = build(Words, data or {}, str(path))
    wrong = [_no_column(path, data, name, to) for name, to in words.columns.items() if not _ours(to)]
    if wrong:
        raise Unreadable("\n".join(wrong))
    return words


def _no_column(path: Path, data: object, name: str, to: str) -> str:
    line, column = position(data, ["columns", name])
    near = get_close_matches(folded(to), COLUMNS, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"{path}:{line}:{column}: columns.{' '.join(name.split())}: {shown(to)} is no column; {guess}columns are: {', '.join(COLUMNS)}"


def _ours(name: str) -> str | None:
    word = folded(name)
    return word if word in COLUMNS else ALSO.get(word)


def check_file(path: Path, words: Words, *, body: Body, by: str | None, today: date, calendar: Calendar | None = None) -> Checked:
    """Returns a file checked line by line, nothing done. Raises UnreadableTable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableTable(not_opened(path, error)) from None
    known = frozenset({*COLUMNS, *ALSO, *(folded(name) for name in (*words.columns, *words.ignore))})
    sha256, table = hashlib.sha256(content).hexdigest(), read_csv(content, known=known)
    return check_table(table, words, sha256=sha256, body=body, by=by, today=today, calendar=calendar)


def check_table(
    table: Table, words: Words, *, sha256: str, body: Body, by: str | None, today: date, calendar: Calendar | None = None
) -> Checked:
    """Returns a table checked line by line."""
    columns, wrong = _columns(table.header, words)
    if wrong or not table.rows:
        empty = LineFault(line=table.header.line, column="the file", found="no line under the header", right="a line for each case")
        return Checked(sha256, (), tuple(wrong or [empty]))
    reader = _Reader(columns, words, sha256=sha256, body=body, by=by, today=today, calendar=calendar)
    prepared = [one for row in table.rows if (one := reader.read(row))]
    return Checked(sha256, tuple(prepared), tuple(reader.faults))


def _columns(header: Line, words: Words) -> tuple[list[str], list[LineFault]]:
    """Returns the column each cell of a row belongs to, and what is wrong with the header."""
    found: list[str] = []
    wrong: list[LineFault] = []
    ignored = {folded(name) for name in words.ignore}
    for name in header.cells:
        column = _ours(meant(name, words.columns) or name)
        if column is None and folded(name) not in ignored:
            right = f"one of: {', '.join(COLUMNS)}; or named under columns or ignore in a map file"
            wrong.append(LineFault(line=header.line, column="header", found=f"the column {shown(name)}", right=right))
        elif column in found:
            wrong.append(LineFault(line=header.line, column="header", found=f"{column} twice", right="each column once"))
        found.append(column or IGNORED)
    for name in NEEDED:
        if name not in found:
            wrong.append(LineFault(line=header.line, column="header", found=f"no column {name}", right=f"a column {name}"))
    return found, wrong


class _Reader:
    """Reads the rows of one file, remembering references and faults."""

    def __init__(
        self, columns: list[str], words: Words, *, sha256: str, body: Body, by: str | None, today: date, calendar: Calendar | None
    ) -> None:
        self.columns, self.words, self.sha256, self.body, self.today = columns, words, sha256, body, today
        self.policy = load.policy(body.policy)
        self.edition = load.edition_of(load.policy_text(body.policy))
        self.calendar = calendar or load.calendar(self.policy.nation.value)
        self.actor = _actor(body, by, today, self.policy)
        self.faults: list[LineFault] = []
        self.seen: dict[str, int] = {}

    def read(self, row: Line) -> Prepared | None:
        """Returns what a row becomes, or None where it has faults, which are kept."""
        before = len(self.faults)
        if len(row.cells) != len(self.columns):
            cells_ = f"{len(row.cells)} cells"
            self._fault(row.line, "the line", cells_, f"{len(self.columns)} cells, as many as the header has names")
            return None
        texts = {column: cell.strip() for column, cell in zip(self.columns, row.cells, strict=True) if column != IGNORED}
        case = self._case_id(row.line, texts["reference"])
        facts = self._facts(row.line, texts)
        if len(self.faults) > before:
            return None
        return self._prepared(row.line, case, facts)

    def _fault(self, line: int, column: str, found: str, right: str, cites: tuple[str, ...] = ()) -> None:
        self.faults.append(LineFault(line=line, column=column, found=found, right=right, cites=cites))

    def _case_id(self, line: int, reference: str) -> str:
        case = case_id(self.body.body, reference)
        before = self.seen.setdefault(case.casefold(), line)
        if not reference:
            self._fault(line, "reference", "empty", "the body's own name of the case")
        elif any(ord(sign) < 32 for sign in reference):
            self._fault(line, "reference", shown(reference), "a reference without control characters")
        elif not fit_case_id(case) or case == f"{self.body.body}/":
            self._fault(line, "reference", shown(reference), "letters and figures, at most 90 of them")
        elif before != line:
            self._fault(line, "reference", f"{shown(reference)}, as on line {before}", "a reference that stands once")
        return case

    def _facts(self, line: int, texts: dict[str, str]) -> dict[str, object]:
        facts: dict[str, object] = {"body": self.body.body, "reference": texts["reference"], "file_sha256": self.sha256, "line": line}
        address = texts.get("address") or None
        channel = self._cell(line, "channel", lambda: cells.channel(texts.get("channel", ""), address, self.words))
        facts["customer"] = {"name": texts["customer"], "address": address, "channel": channel}
        if not texts["customer"]:
            self._fault(line, "customer", "empty", "the customer's name")
        facts |= {COLUMNS[column]: self._day(line, column, texts.get(column, "")) for column in DAYS}
        facts["restrictions"] = self._cell(line, "restrictions", lambda: cells.restrictions(texts.get("restrictions", ""), self.words))
        facts["appeal"] = self._cell(line, "appeal", lambda: cells.appeal(texts.get("appeal", ""), self.words))
        facts |= {name: texts.get(name) or None for name in ("reasons", "notes")} | self._names(texts)
        return {name: value for name, value in facts.items() if value not in (None, ())}

    def _day(self, line: int, column: str, text: str) -> date | None:
        without_end = column == "ends on" and folded(text) == "open"
        return None if without_end else self._cell(line, column, lambda: cells.day(text))

    def _cell(self, line: int, column: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Wrong as wrong:
            self._fault(line, column, wrong.found, wrong.right)
            return None

    def _names(self, texts: dict[str, str]) -> dict[str, object]:
        """Returns the people, offices, area and behaviour a row names; words that are no behaviour of the policy stay words."""
        people = {column: self._named(texts.get(column, "")) for column in ("contact officer", "warned by", "decided by")}
        offices = {folded(code): code for code in self.policy.offices} | {folded(o.label): c for c, o in self.policy.offices.items()}
        office = offices.get(folded(people["decided by"] or ""))
        labels = {folded(code): code for code in self.policy.behaviours} | {folded(b.label): c for c, b in self.policy.behaviours.items()}
        said = texts.get("behaviour", "")
        code = meant(said, self.words.behaviours) or labels.get(folded(said)) or ("other" if folded(said) == "other" else None)
        return {
            "contact_officer": people["contact officer"],
            "warned_by": people["warned by"],
            "decided_by": None if office else people["decided by"],
            "office": office,
            "area": texts.get("area") or None,
            "behaviour": code,
            "behaviour_words": said if said and code is None and folded(said) not in cells.NONE else None,
        }

    def _named(self, text: str) -> str | None:
        return None if folded(text) in cells.NONE else (meant(text, self.words.people) or text)

    def _prepared(self, line: int, case: str, facts: dict[str, object]) -> Prepared | None:
        try:
            command = ImportCase.model_validate(facts, extra="forbid")
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                self._fault(line, _column(fault["loc"]), "what cannot be kept there", said(str(fault["msg"])))
            return None
        wrong = faults(command, staff=self.body.staff, policy=self.policy, today=self.today)
        for one in wrong:
            self._found(line, one)
        if wrong:
            return None
        try:
            return Prepared(command, self._report(line, case, command))
        except Refusal as refusal:  # what the line says can be taken over, but not by this person
            self._fault(line, "the line", refusal.reason, refusal.remains or "somebody else", refusal.cites)
            return None

    def _found(self, line: int, one: Fault) -> None:
        self._fault(line, COLUMN_OF.get(one.field, one.field), one.found, one.right, one.cites)

    def _report(self, line: int, case: str, command: ImportCase) -> LineReport:
        decision = import_case(
            command,
            id=case,
            edition=self.edition,
            keep_years=self.body.keep_years,
            actor=self.actor,
            staff=self.body.staff,
            policy=self.policy,
            calendar=self.calendar,
            today=self.today,
        )
        return LineReport(
            line=line,
            reference=command.reference,
            case=case,
            stage=decision.case.stage,
            next_deadline=_next(decision.case, self.policy, self.calendar),
            findings=tuple(_said(one) for one in decision.entries[1:]),
        )


def _actor(body: Body, by: str | None, today: date, policy: Policy) -> Actor:
    """Returns who imports; in a trial of the file that may be nobody in particular, who may write in the register."""
    staff = body.staff.on(today)
    nobody = Person(id="nobody", name="nobody", offices=tuple(office for who in writers(policy) for office in who.offices))
    return Actor(origin="staff", person=staff.by_id.get(by or "", nobody), staff=staff)


def case_id(body: str, reference: str) -> str:
    """Returns the case's id: the body and its own reference, other signs than letters, figures and . _ : / as hyphens."""
    plain = re.sub(r"[^A-Za-z0-9._:/]+", "-", reference).strip("-./:")
    return f"{body}/{re.sub(r'[.]{2,}', '.', plain)}"


def _column(place: tuple[int | str, ...]) -> str:
    field = str(place[0]) if place else "the line"
    if field == "customer" and len(place) > 1 and place[1] in ("address", "channel"):
        return str(place[1])
    return COLUMN_OF.get(field, field.replace("_", " "))


def _said(entry: Entry) -> str:
    return f"{entry.what} [{', '.join(entry.cites)}]" if entry.cites else entry.what


def _next(case: Case, policy: Policy, calendar: Calendar) -> str:
    due = next_deadline(case, policy, calendar)
    if due is None:
        return "none"
    clauses = ", ".join(dict.fromkeys((*due.reckoned.cites, *due.reckoned.defaults)))
    return f"{deadline_in_words(due.key)} [{clauses}]"
