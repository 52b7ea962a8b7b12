"""Dates for officers' own calendars, as iCalendar: case reference, what, clause; nobody's name in it, and no alarm (EH-103).

The same records give the same bytes: an event keeps its name (UID) when its date moves, and is stamped with its case's last change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event, vText
from pydantic import BaseModel, Field
from sqlmodel import Session, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.case import Case
from domain.clocks import open_deadlines
from records.lists import tasks_for
from records.store import case_of
from records.tables import CaseRow
from records.vault import CaseVault

PRODUCT = "-//Evenhand//Dates of cases//EN"
SO_FAR = "known so far"


class Dated(BaseModel):
    """One date of one case, as a calendar shows it."""

    case: str
    kind: str
    ref: str
    nth: int
    """Which of several of the same kind: 1 is the first, dealt with ones counted."""
    on: date
    cites: tuple[str, ...]
    provisional: bool
    changed_at: datetime
    seq: int
    task: bool = False
    body: str = Field(default="", exclude=True)

    @property
    def uid(self) -> str:
        """A name for ever: it holds no date, and nothing of the case but its hash."""
        key = f"{self.case}|{'task' if self.task else 'date'}|{self.kind}|{self.ref}|{self.nth}"
        return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}@evenhand"

    @property
    def says(self) -> str:
        about = f" ({self.ref})" if self.ref and self.ref != "case" else ""
        what = f"{'To do: ' if self.task else ''}{self.kind.replace('-', ' ')}{about}"
        return f"{self.case}: {what}" + (f" [{SO_FAR}]" if self.provisional else "")


def dates_of_body(session: Session, body: str) -> Iterator[Dated]:
    """Yields every date still to come, or still to be dealt with, of a body's cases."""
    for row in session.exec(select(CaseRow).where(CaseRow.body == body, CaseRow.stage != "closed").order_by(CaseRow.id)).all():
        yield from _dates(session, row)


def dates_for(session: Session, person: str, *, body: str | None, today: date) -> Iterator[Dated] | None:
    """Returns what waits for a person with a day, and the dates of cases whose contact that person is; None for nobody known."""
    tasks = tasks_for(session, person, body=body, today=today)
    return None if tasks is None else _theirs(session, person, [task for task, _ in tasks], body)


def _theirs(session: Session, person: str, tasks: Iterable[object], body: str | None) -> Iterator[Dated]:
    from records.tables import TaskRow

    counted: Counter[tuple[str, str, str]] = Counter()
    for task in tasks:
        assert isinstance(task, TaskRow)
        row = session.get(CaseRow, task.case_id)
        if task.due and row:
            counted[task.case_id, task.kind, task.ref] += 1
            yield Dated(
                case=task.case_id, kind=task.kind, ref=task.ref, nth=counted[task.case_id, task.kind, task.ref], on=task.due,
                cites=tuple(task.cites), provisional=task.provisional, changed_at=row.changed_at, seq=row.seq, task=True, body=row.body,
            )  # fmt: skip
    for row in session.exec(select(CaseRow).where(CaseRow.stage != "closed").order_by(CaseRow.id)).all():
        if row.state.get("contact_officer") == person and body in (None, row.body):
            yield from _dates(session, row)


def _dates(session: Session, row: CaseRow) -> Iterator[Dated]:
    policy = policy_of_edition(session, row.edition)
    case = case_of(row, CaseVault(session, row.id))
    counted = _dealt_with(case)
    waiting = open_deadlines(case, policy, calendar_of(session, case, policy))
    days_of_reviews = {(one.ref, one.reckoned.date) for one in waiting if one.kind == "review-due"}
    for one in waiting:
        counted[one.kind, one.ref] += 1
        reckoned = one.reckoned
        if one.kind == "review-overdue" and (one.ref, reckoned.date) in days_of_reviews:
            continue  # that the day passed unheeded is no second date of it
        yield Dated(
            case=row.id, kind=one.kind, ref=one.ref, nth=counted[one.kind, one.ref], on=reckoned.date,
            cites=tuple(dict.fromkeys((*reckoned.cites, *reckoned.defaults))), provisional=reckoned.provisional, changed_at=row.changed_at,
            seq=row.seq, body=row.body,
        )  # fmt: skip


def _dealt_with(case: Case) -> Counter[tuple[str, str]]:
    """Returns how many dates of each kind have passed, so that the next keeps its number when one more does."""
    return Counter((key.split(":")[0], ":".join(key.split(":")[1:-1])) for key in case.passed)


def calendar_text(dates: Iterable[Dated], *, name: str) -> bytes:
    """Returns the dates as one iCalendar (RFC 5545), in their order; folded and escaped by the library."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", vText(name))
    for one in sorted(dates, key=lambda one: (one.on, one.case, one.uid)):
        calendar.add_component(_event(one))
    return bytes(calendar.to_ical())


def _event(one: Dated) -> Event:
    event = Event()
    event.add("uid", one.uid)
    event.add("dtstamp", one.changed_at)
    event.add("sequence", one.seq)
    event.add("dtstart", one.on)
    event.add("dtend", one.on + timedelta(days=1))
    event.add("summary", one.says)
    rests = f"Rests on: {', '.join(one.cites) or 'no clause'}."
    so_far = " This date lies past the known bank holidays and may move (EH-33)." if one.provisional else ""
    event.add("description", rests + so_far)
    event.add("transp", "TRANSPARENT")
    event.add("status", "TENTATIVE" if one.provisional else "CONFIRMED")
    return event
