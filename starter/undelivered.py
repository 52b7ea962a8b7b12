"""Decided, not yet notified: what nobody may forget, because nothing binds the customer and no time to appeal runs until it is told."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel
from sqlmodel import Session

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from activities.sending import issued
from domain.days import london_date
from domain.letter_clocks import told_within
from domain.model import REFERENCE
from records.lists import undelivered
from records.store import case_of
from records.tables import HandOverRow
from records.vault import CaseVault
from starter.reading import NOT_YOURS, Reader, seen_of


class WaitingLetter(BaseModel):
    """One letter that is decided and not on its way."""

    case: str
    body: str
    notice: str
    kind: str
    why: str
    """to-issue, to-send, handed-over, uncertain, blocked or returned."""
    decided_on: date
    days: int
    """Since the decision: how long the customer has not been told, whatever was tried."""
    overdue: bool
    """Five working days have passed since the decision, or since the letter came back."""
    carrier: str | None = None
    status: str | None = None
    """The carrier's last word, where one has it."""
    problem: str | None = None
    """What hinders it, as the carrier or its absence said last."""
    tried_on: date | None = None
    """When it was last offered, or when the carrier took it."""
    default: str = "EH-34"


def waiting_letters(session: Session, *, body: str | None, today: date, reader: Reader | None = None) -> tuple[WaitingLetter, ...]:
    """Returns the letters that wait, the oldest decision first, counted in days and marked overdue after five working days.

    A carrier's words may hold an address: `reader` sees them of cases that they see whole."""
    found = []
    for notice, row in undelivered(session, body=body):
        vault = CaseVault(session, row.id)
        case = case_of(row, vault)
        policy = policy_of_edition(session, case.edition)
        calendar = calendar_of(session, case, policy)
        letter = case.notice(notice.notice)
        assert letter is not None
        within = told_within(letter, calendar)
        held = session.get(HandOverRow, (row.id, issued(letter.id, letter.issue)))
        way = held.model_dump(include={"carrier", "status", "problem"}) if held else {}
        if str(way.get("problem")).startswith(REFERENCE):
            whole = reader is None or seen_of(session, case, policy, reader, today=today) == "all"
            way["problem"] = vault.get(str(way["problem"])) if whole else NOT_YOURS
        found.append(
            WaitingLetter(
                case=row.id, body=row.body, notice=notice.notice, kind=notice.kind, why=notice.status,
                decided_on=notice.created_on, days=(today - notice.created_on).days, overdue=today > within.date,
                tried_on=london_date(held.changed_at) if held else None, **way,
            )
        )  # fmt: skip
    return tuple(found)
