"""What staff are to be told of after an act, written in the act's own transaction: both are recorded, or neither."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from activities.bodies import Body, body_of
from domain.case import Case
from domain.days import Calendar, london_date
from domain.policy import Policy
from domain.staff_notices import MAILBOX, TOLD, StaffNotice, new_notices
from domain.task import Task
from domain.tasks import tasks as tasks_of
from records.tables import StaffNoticeRow


def owe_staff_notices(
    session: Session,
    case: Case,
    tasks: tuple[Task, ...],
    *,
    before: Case | None,
    policy: Policy,
    calendar: Calendar,
    last: date,
    at: datetime,
) -> None:
    """Owe an email for everything new that waits for somebody with an address; once a case, task, reader and reminder."""
    if case.destroyed_on or not any(one.kind in TOLD for one in tasks):
        return
    body, today = body_of(session, case.body), london_date(at)
    if not body.mailboxes and not any(one.email for one in body.people):
        return
    held = tasks_of(before, policy, calendar, today=last) if before else ()
    staff = body.staff.on(today)
    found = new_notices(held, tasks, staff=staff, mailboxes=frozenset(body.mailboxes), last=last, today=today)
    for one in found:
        known = session.get(StaffNoticeRow, (case.id, one.task, one.reader, one.reminder))
        if known is None and address_of(one.reader, body):
            session.add(_row(case, one, at))


def address_of(reader: str, body: Body) -> str | None:
    """Returns a reader's address as the body's list has it now, or None."""
    if reader.startswith(MAILBOX):
        return body.mailboxes.get(reader.removeprefix(MAILBOX))
    person = body.staff.by_id.get(reader)
    return person.email if person else None


def _row(case: Case, one: StaffNotice, at: datetime) -> StaffNoticeRow:
    return StaffNoticeRow(
        case_id=case.id, task=one.task, reader=one.reader, reminder=one.reminder, body=case.body, wording=one.wording, what=one.what,
        due=one.due, cites=list(one.cites), created_at=at, changed_at=at,
    )  # fmt: skip
