"""A carrier's list of letters that came back: read whole, checked whole, recorded whole or not at all."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel
from sqlmodel import Session, col, or_, select

from activities.following import Following, current
from activities.sending import Message
from domain.letter_clocks import UNTOLD
from policies.not_opened import not_opened
from records.tables import CommandRow, HandOverRow
from starter.spreadsheet import Table, UnreadableTable, read_csv

COLUMNS = ("reference", "notification id")
"""Names of the columns by which a letter is known; either will do. All others are left unread: they hold names and addresses."""
NO_USE = ("to-issue", "to-send", "withheld")
PROBLEM = "The letter came back."


class BadList(Exception):
    """A list that cannot be read; says where, what was found, and what would be right."""


class Line(BaseModel):
    """One line of the list, and what comes of it."""

    line: int
    given: str
    case: str | None = None
    letter: str | None = None
    result: str
    """noted, already, issued again, unknown, or not sent."""

    @property
    def fault(self) -> bool:
        return self.result in ("unknown", "not sent")


def read_list(file: Path) -> list[tuple[int, str]]:
    """Returns the references of a CSV file with their line numbers. Raises BadList."""
    table = _table(file)
    head = [name.strip().lower().replace("_", " ") for name in table.header.cells]
    places = [head.index(name) for name in COLUMNS if name in head]
    if not places:
        raise BadList(f"{file}, line {table.header.line}: there is no column reference or notification id; found {len(head)} columns.")
    found = []
    for line, row in table.rows:
        given = next((row[at].strip() for at in places if at < len(row) and row[at].strip()), "")
        if not given:
            raise BadList(f"{file}, line {line}: it names no letter in the column {head[places[0]]}.")
        found.append((line, given))
    if not found:
        raise BadList(f"{file}: it names no letter.")
    return found


def _table(file: Path) -> Table:
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise BadList(f"{file}: {not_opened(file, problem)}.") from None
    if not content.strip():
        raise BadList(f"{file}, line 1: there is no column reference or notification id; the file is empty.")
    try:
        return read_csv(content, known=frozenset(COLUMNS))
    except UnreadableTable as problem:
        raise BadList(f"{file}: {problem}.") from None


def judged(session: Session, listed: list[tuple[int, str]]) -> list[tuple[Line, HandOverRow | None]]:
    """Returns what each line means for the records, before anything is recorded."""
    seen: set[tuple[str, str]] = set()
    return [_judged(session, line, given, seen) for line, given in listed]


def _judged(session: Session, line: int, given: str, seen: set[tuple[str, str]]) -> tuple[Line, HandOverRow | None]:
    query = select(HandOverRow).where(or_(col(HandOverRow.reference) == given, col(HandOverRow.carrier_id) == given))
    row = session.exec(query).first()
    if row is None:
        return Line(line=line, given=given, result="unknown"), None
    known = Line(line=line, given=given, case=row.case_id, letter=row.notice, result="noted")
    notice, key = current(session, row), (row.case_id, row.notice)
    if notice is None:
        return known.model_copy(update={"result": "issued again"}), None
    if notice.status == "returned" or key in seen:
        return known.model_copy(update={"result": "already"}), row if notice.status == "returned" else None
    seen.add(key)
    if notice.status in NO_USE or (notice.status in UNTOLD and row.state != "handed"):
        return known.model_copy(update={"result": "not sent"}), None
    return known, row


def _by_a_person(session: Session, row: HandOverRow) -> bool:
    return session.get(CommandRow, (row.case_id, f"notice_returned:{row.notice}")) is None


def note(
    session: Session, following: Following, lines: list[tuple[Line, HandOverRow | None]], *, on: date, now: datetime
) -> list[tuple[str, Message]]:
    """Record every letter that came back, in the caller's transaction. Returns what the cases are to be told, those of before too."""
    told = []
    for line, row in lines:
        if row is None or (line.result == "already" and _by_a_person(session, row)):
            continue
        message: Message = {"do": "notice_returned", "on": on.isoformat(), "with": {"problem": PROBLEM}}
        envelope = following.record(session, row, message, now)
        row.sqlmodel_update({"status": "returned", "settled": True})
        session.add(row)
        if envelope is not None:
            told.append((row.case_id, envelope))
    return told
