"""What the records hold, in numbers: for monitoring. Bodies, stages, kinds and carriers; no case and no person."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from records.lists import not_on_its_way
from records.tables import BodyRow, CaseRow, HandOverRow, InboxRow, NoticeRow, StaffNoticeRow, TaskRow

AGES = ((2, "under-2-days"), (5, "2-to-5-days"), (14, "5-to-14-days"))
"""How long a letter has not been on its way, in days since it was decided: below so many, and what that is called."""
OLDEST = "over-14-days"
STAFF_OPEN = ("waiting", "handing", "declined", "uncertain")
"""Emails to staff that have not reached their reader."""
FAULT = "fault"
"""The kind of task that an act set aside leaves."""

Counts = dict[tuple[str, ...], int]


class Counted(NamedTuple):
    """One look at the records."""

    bodies: tuple[str, ...]
    open_cases: Counts
    """By body and stage."""
    overdue: Counts
    """What waits past its day, by body and kind of task."""
    set_aside: Counts
    """Acts that met a fault in the program and wait for an operator, by body."""
    unsent: Counts
    """Letters not on their way, by body, status and age."""
    hand_overs: Counts
    """Letters offered to a carrier that has not taken them, or whose answer is not known yet, by carrier and state."""
    staff_notices: Counts
    """Emails to staff not with their reader, by body and state."""
    inbox: Counts
    """Messages that reached the body and have no answer of their case, by how often they were passed on."""


TRIED = ((1, "never"), (6, "1-to-5-times"))
"""How often a message of the inbox was passed on, below so many, and what that is called; six times is an hour."""
OFTEN = "6-times-or-more"
PASSED_ON = (*((name,) for _, name in TRIED), (OFTEN,))


def counted(session: Session, *, today: date) -> Counted:
    """Returns what the records hold today. Seven questions, each answered by the database in rows of a few labels."""
    return Counted(
        bodies=tuple(sorted(session.exec(select(BodyRow.body)).all())),
        open_cases=_open_cases(session),
        overdue=_overdue(session, today),
        set_aside=_set_aside(session),
        unsent=_unsent(session, today),
        hand_overs=_hand_overs(session),
        staff_notices=_staff_notices(session),
        inbox=_inbox(session),
    )


def _open_cases(session: Session) -> Counts:
    query = select(CaseRow.body, CaseRow.stage, func.count()).where(col(CaseRow.stage) != "closed")
    return {(body, stage): number for body, stage, number in session.exec(query.group_by(col(CaseRow.body), col(CaseRow.stage)))}


def _overdue(session: Session, today: date) -> Counts:
    query = select(TaskRow.body, TaskRow.kind, func.count()).where(col(TaskRow.due) < today)
    return {(body, kind): number for body, kind, number in session.exec(query.group_by(col(TaskRow.body), col(TaskRow.kind)))}


def _set_aside(session: Session) -> Counts:
    query = select(TaskRow.body, func.count()).where(TaskRow.kind == FAULT).group_by(col(TaskRow.body))
    return {(body,): number for body, number in session.exec(query)}


def _unsent(session: Session, today: date) -> Counts:
    query = select(col(CaseRow.body), col(NoticeRow.status), col(NoticeRow.created_on)).where(*not_on_its_way())
    found = ((body, status, age((today - decided_on).days)) for body, status, decided_on in session.exec(query))
    return dict(Counter(found))


def age(days: int) -> str:
    """Returns how an age in days is called."""
    return next((name for below, name in AGES if days < below), OLDEST)


def _hand_overs(session: Session) -> Counts:
    query = select(HandOverRow.carrier, HandOverRow.state, func.count()).where(
        col(HandOverRow.settled).is_(False), col(HandOverRow.state).in_(("handing", "waiting"))
    )
    grouped = session.exec(query.group_by(col(HandOverRow.carrier), col(HandOverRow.state)))
    return {(carrier, state): number for carrier, state, number in grouped}


def _staff_notices(session: Session) -> Counts:
    query = select(StaffNoticeRow.body, StaffNoticeRow.state, func.count()).where(col(StaffNoticeRow.state).in_(STAFF_OPEN))
    grouped = session.exec(query.group_by(col(StaffNoticeRow.body), col(StaffNoticeRow.state)))
    return {(body, state): number for body, state, number in grouped}


def _inbox(session: Session) -> Counts:
    tries = session.exec(select(InboxRow.tries).where(InboxRow.state == "waiting"))
    return dict(Counter((next((name for below, name in TRIED if n < below), OFTEN),) for n in tries))
