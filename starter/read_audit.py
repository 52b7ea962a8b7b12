"""The read log as the information officer sees it: who read what and why, and whose reading is worth a question (EH-170, EH-176)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from domain.identifiers import identifiers
from domain.model import REFERENCE
from domain.reading import Part
from records.desk import key_of, secret_of
from records.keys import keys_of
from records.reads import Read, note, noted, reads
from records.tables import BodyRow, DeskKeyRow, ReadRow, TextRow
from records.vault import DESTROYED, opened_text
from starter.reading import NotShown, Reader, information_office, own_body, staff_of
from starter.spreadsheet import Cell

COLUMNS = ("line", "at", "who", "door", "what", "case", "shown", "as", "case was", "why")
OF_THE_LOG = ("destroy certificate", "audit reads")
"""Looks at who did and who read, which are for after a case's life too."""
OVER = ("archived", "closed", "")


class ReadLine(BaseModel):
    """One line of the read log, with the reason as it was given."""

    line: int
    at: datetime
    who: str
    how: str
    what: str
    case: str
    body: str
    shows: str
    part: str
    stage: str
    why: str | None

    @property
    def cells(self) -> list[Cell]:
        at = f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
        return [self.line, at, self.who, self.how, self.what, self.case, self.shows, self.part, self.stage, self.why]


class Thresholds(NamedTuple):
    """From how many of each somebody is listed."""

    many_cases: int
    not_own: int
    refused: int
    outside: int
    without_why: int
    look_ups: int


class Reading(BaseModel):
    """How much somebody read in some days: counts, and no judgement. A high one may be somebody's work."""

    who: str
    reads: int = 0
    many_cases: int = 0
    """Different cases looked at."""
    not_own: int = 0
    """Cases whose officer they were not, seen for a reason."""
    refused: int = 0
    outside: int = 0
    """Reads of cases that were archived, closed, or never there."""
    without_why: int = 0
    """Reads of what needs a reason, without one."""
    look_ups: int = 0
    """Look-ups at the desk with no contact recorded."""
    over: tuple[str, ...] = ()
    """Which of these reach their threshold."""


class Office(NamedTuple):
    """The office that a reader holds: whose lines they may see, in the session in which that is noted."""

    session: Session
    bodies: frozenset[str]
    everybodys: bool

    def takes(self, row: ReadRow) -> bool:
        return self.everybodys or row.body in self.bodies


@contextmanager
def audited(
    engine: Engine, reader: Reader, *, how: str, at: datetime, today: date, case: str = "", person: str | None = None
) -> Iterator[Office]:  # fmt: skip
    """Yields the read log to an information officer, for the bodies whose they are. Looking is a line of the log itself, and so is being
    refused. Raises NotShown."""
    with noted(engine) as session:
        every = session.exec(select(BodyRow.body).order_by(BodyRow.body)).all()
        mine = frozenset(one for one in every if _is_information_officer(session, one, reader, today))
        may = bool(mine) or reader.local
        try:
            if not may:
                said = f"Only the office that answers for information sees who read what; {reader.id} does not hold it. [EH-170]"
                raise NotShown(said, REMAINS)
            yield Office(session, mine, reader.local or set(every) == mine)
        finally:
            part: Part = "local" if reader.local else "information-officer" if mine else "nobody"
            body = next(iter(mine)) if len(mine) == 1 else every[0] if len(every) == 1 else own_body(session, reader, today)
            key = key_of(secret_of(session), body, *identifiers(person)[-1]) if person and identifiers(person) else ""
            line = Read(
                who=reader.id, how=how, what=how, case=case, body=body, shows="references" if may else "nothing", part=part, person=key
            )
            note(session.connection(), [line], at=at)


REMAINS = "information_officer in a body's file names the office; whoever holds it on the staff list may."


def _is_information_officer(session: Session, body: str, reader: Reader, today: date) -> bool:
    office = information_office(session, body)
    person = staff_of(session, body, today).by_id.get(reader.who) if office and not reader.local else None
    return person is not None and office in (*person.offices, *person.deputises)


def lines_of(
    office: Office, *, case: str | None = None, person: str | None = None, by: str | None = None, since: datetime | None = None
) -> tuple[ReadLine, ...]:
    """Returns lines of the read log, the oldest first. `person` is somebody looked up at a desk: a name, an address, a number. Raises
    ValueError where it is none of these."""
    keys = _keys(office, person) if person is not None else frozenset()
    query = select(DeskKeyRow.case_id).where(col(DeskKeyRow.key).in_(keys)).distinct()
    cases = frozenset(office.session.exec(query).all()) if keys else frozenset()
    found = reads(office.session, case=case, persons=keys, cases=cases, by=by, since=since)
    return tuple(_line(office.session, row) for row in found if office.takes(row))


def _keys(office: Office, person: str) -> frozenset[str]:
    named = identifiers(person)
    if not named:
        raise ValueError("a person is a name, an email address or a telephone number")
    secret = secret_of(office.session)
    bodies = office.session.exec(select(BodyRow.body)).all() if office.everybodys else office.bodies
    return frozenset(key_of(secret, body, kind, value) for body in bodies for kind, value in named)


def _line(session: Session, row: ReadRow) -> ReadLine:
    facts = row.model_dump(include={"at", "who", "how", "what", "body", "shows", "part", "stage"})
    return ReadLine(line=row.n or 0, case=row.case_id, why=_why(session, row), **facts)


def _why(session: Session, row: ReadRow) -> str | None:
    if row.why is None or not row.why.startswith(REFERENCE):
        return row.why
    text = session.get(TextRow, (row.case_id, row.why))
    return opened_text(keys_of(session), row.case_id, row.why, text.text) if text else DESTROYED


def attention(office: Office, limits: Thresholds, *, since: datetime) -> tuple[Reading, ...]:
    """Returns whose reading reaches a threshold, the most reads first."""
    by_person: dict[str, list[ReadRow]] = {}
    for row in reads(office.session, since=since):
        if office.takes(row):
            by_person.setdefault(row.who, []).append(row)
    found = [_over(_counted(who, rows), limits) for who, rows in by_person.items()]
    return tuple(sorted((one for one in found if one.over), key=lambda one: (-one.reads, one.who)))


def _counted(who: str, rows: list[ReadRow]) -> Reading:
    of_cases = [row for row in rows if row.case_id]
    shown = [row for row in of_cases if row.shows not in ("nothing", "references")]
    others = [row for row in shown if row.part in ("keeper", "informed", "information-officer")]
    return Reading(
        who=who,
        reads=len(rows),
        many_cases=len({row.case_id for row in shown}),
        not_own=len({row.case_id for row in others}),
        refused=sum(row.shows == "nothing" and row.what != "no such case" for row in rows),
        outside=sum(row.stage in OVER for row in of_cases if row.how not in OF_THE_LOG),
        without_why=sum(row.why is None for row in (*others, *(row for row in shown if row.part == ""))),
        look_ups=sum(row.part == "desk" and row.why == "look-up-alone" for row in rows),
    )


def _over(one: Reading, limits: Thresholds) -> Reading:
    over = tuple(name for name in Thresholds._fields if getattr(one, name) >= getattr(limits, name))
    return one.model_copy(update={"over": over})


def days_back(today: datetime, days: int) -> datetime:
    """Returns the instant so many days ago, from which is counted."""
    return today - timedelta(days=days)
