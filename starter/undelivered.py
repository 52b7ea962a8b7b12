"""Decided, not yet notified: what nobody may forget, because nothing binds the customer and no time to appeal runs until it is told."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel
from sqlmodel import Session

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.days import add_working_days
from records.lists import undelivered
from records.store import case_of
from records.vault import CaseVault

OVERDUE_AFTER = 5
"""Working days from the decision (EH-34)."""


class WaitingLetter(BaseModel):
    """One letter that is decided and not on its way."""

    case: str
    body: str
    notice: str
    kind: str
    why: str
    """to-issue, to-send, blocked or returned."""
    decided_on: date
    days: int
    overdue: bool
    default: str = "EH-34"


def waiting_letters(session: Session, *, body: str | None, today: date) -> tuple[WaitingLetter, ...]:
    """Returns the letters that wait, the oldest decision first, counted in days and marked overdue after five working days."""
    found = []
    for notice, row in undelivered(session, body=body):
        case = case_of(row, CaseVault(session, row.id))
        calendar = calendar_of(session, case, policy_of_edition(session, case.edition))
        last, _ = add_working_days(notice.created_on, OVERDUE_AFTER, calendar)
        found.append(
            WaitingLetter(
                case=row.id, body=row.body, notice=notice.notice, kind=notice.kind, why=notice.status,
                decided_on=notice.created_on, days=(today - notice.created_on).days, overdue=today > last,
            )
        )  # fmt: skip
    return tuple(found)
