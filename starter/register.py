"""A body's register as staff see it: the entries with the columns of the policy each case runs under, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from pydantic import BaseModel
from sqlmodel import Session, col, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.attention import Attention, attention
from domain.case import Case
from domain.days import Calendar
from domain.policy import Column, Policy
from domain.reading import Sees
from domain.register import entry
from records.store import case_of
from records.tables import CaseRow, RegisterRow
from records.vault import CaseVault
from starter.dossier import shown
from starter.reading import NOT_YOURS, Reader, seen_of
from starter.spreadsheet import Cell

TO_HANDLE: frozenset[Column] = frozenset({"name-and-contact-details", "sanctions", "disengaged", "next-review", "last-reviewed"})
"""Columns without a narrative: what colleagues need to keep to a sanction (NE-21)."""
QUICK = ("warned_on", "decided_on", "notified_on", "last_reviewed_on", "review_due", "ends", "ended_on")
QUICK_HEADERS = ("Date warned", "Date decided", "Date told", "Date last reviewed", "Date review due", "Date ends", "Date ended")


class Entry(NamedTuple):
    """One entry of a register: the quick list's row, and the whole case under its own policy."""

    row: RegisterRow
    case: Case
    policy: Policy
    calendar: Calendar


class Noted(BaseModel):
    """One reason to look at an entry, as it is listed."""

    case: str
    stage: str
    kind: str
    what: str
    since: date
    age_days: int
    cites: tuple[str, ...]


def entries(session: Session, body: str) -> Iterator[Entry]:
    """Yields the entries of one body's register, by case; nobody else's."""
    query = select(RegisterRow, CaseRow).where(RegisterRow.body == body, CaseRow.id == RegisterRow.case_id, CaseRow.body == body)
    for row, stands in session.exec(query.order_by(col(RegisterRow.case_id))):
        policy = policy_of_edition(session, stands.edition)
        case = case_of(stands, CaseVault(session, stands.id))
        yield Entry(row, case, policy, calendar_of(session, case, policy))


def reasons(one: Entry, today: date) -> tuple[Attention, ...]:
    return attention(one.case, one.policy, one.calendar, today=today)


def noted(session: Session, body: str, *, today: date) -> tuple[Noted, ...]:
    """Returns every reason to look at an entry of the register, the oldest first."""
    found = [
        Noted(case=one.case.id, stage=one.case.stage, age_days=why.age(today), **why.model_dump(include=set(Attention.model_fields)))
        for one in entries(session, body)
        for why in reasons(one, today)
    ]
    return tuple(sorted(found, key=lambda one: (one.since, one.case, one.kind)))


def exported(session: Session, body: str, *, today: date, reader: Reader | None = None) -> tuple[list[str], list[list[Cell]]]:
    """Returns header and rows of a register: the case, its policy's columns by their labels, the quick dates, reviews missed, attention.

    Cases under another edition, or another policy, keep their own columns: each label stands once, empty where it is not theirs. What a
    `reader` may not see of a case is not in it."""
    labels: dict[str, None] = {}
    lines: list[tuple[Entry, dict[str, str], str]] = []
    for one in entries(session, body):
        held = _by_label(one, _sees(session, one, reader, today))
        labels |= dict.fromkeys(held)
        lines.append((one, held, "; ".join(why.what for why in reasons(one, today))))
    header = ["Case", "Attention", "Stage", *labels, *QUICK_HEADERS, "Reviews missed"]
    rows: list[list[Cell]] = []
    for one, held, why in lines:
        dates = [getattr(one.row, name) for name in QUICK]
        rows.append([one.case.id, why, one.case.stage, *(held.get(label, "") for label in labels), *dates, one.row.missed_reviews])
    return header, rows


def _sees(session: Session, one: Entry, reader: Reader | None, today: date) -> Sees:
    return "all" if reader is None else seen_of(session, one.case, one.policy, reader, today=today)


def _by_label(one: Entry, sees: Sees) -> dict[str, str]:
    held, rule = entry(one.case, one.policy, one.calendar), one.policy.register_
    return {column.label: _shown(column.column, shown(held[column.column]), sees) for column in (rule.columns if rule else ())}


def _shown(column: Column, text: str, sees: Sees) -> str:
    return text if not text or sees == "all" or (sees == "handling" and column in TO_HANDLE) else NOT_YOURS


def named_to(
    session: Session, rows: Iterable[tuple[RegisterRow, str]], reader: Reader, *, today: date
) -> tuple[tuple[RegisterRow, str], ...]:
    """Returns lines of a register with the customers' names where a reader may see them."""
    if reader.local:
        return tuple(rows)
    found = []
    for row, name in rows:
        stands = session.get(CaseRow, row.case_id)
        assert stands is not None
        case, policy = case_of(stands, CaseVault(session, stands.id)), policy_of_edition(session, stands.edition)
        found.append((row, NOT_YOURS if seen_of(session, case, policy, reader, today=today) == "nothing" else name))
    return tuple(found)
