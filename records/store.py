"""Cases in and out of the tables: the state itself, and what staff look up written from it each time."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import delete
from sqlmodel import Session, SQLModel

from domain.case import Case, Sanction, Signature
from domain.contact_tally import carried
from domain.days import Calendar
from domain.deadlines import Deadline
from domain.end_clocks import end_of_case
from domain.flags import missed_reviews
from domain.notices import notified_on, reached_on, told_on
from domain.policy import Policy
from domain.register import stands_in_register
from domain.review_clocks import review_due
from domain.steps import warned_on
from domain.task import Task
from records.contacts import contact_row, save_contacts
from records.desk import desk_rows, save_desk
from records.sign_offs import chain_sign_offs
from records.tables import (
    CaseRow,
    ContactRow,
    DeskEntryRow,
    DeskKeyRow,
    NoticeRow,
    RegisterRow,
    RestrictionRow,
    SanctionRow,
    SignOffRow,
    TaskRow,
)
from records.vault import CaseVault

Json = dict[str, object]


def read_case(session: Session, case_id: str, *, vault: CaseVault | None = None, for_update: bool = False) -> Case | None:
    """Returns a case with its texts, or None. `for_update` keeps others out until the transaction ends."""
    row = session.get(CaseRow, case_id, with_for_update=for_update or None)
    return case_of(row, vault or CaseVault(session, case_id)) if row else None


def case_of(row: CaseRow, vault: CaseVault) -> Case:
    """Returns the case a row holds. Fields of a newer release are kept (extra is allowed all the way down)."""
    return Case.model_validate(row.state, context={"vault": vault}, extra="allow")


def save_case(session: Session, case: Case, *, vault: CaseVault, deadline: Deadline | None, at: datetime) -> None:
    """Save a case and its next deadline. A lower or equal seq is a bug and is refused."""
    row = session.get(CaseRow, case.id)
    if row is not None and row.seq >= case.seq:
        raise ValueError(f"{case.id}: seq {case.seq} does not come after {row.seq}")
    session.merge(
        CaseRow(
            id=case.id,
            body=case.body,
            policy=case.policy,
            edition=case.edition,
            stage=case.stage,
            seq=case.seq,
            state=cast(Json, carried(case).model_dump(mode="json", by_alias=True, context={"vault": vault})),
            opened_on=case.opened_on,
            next_deadline=deadline.key if deadline else None,
            next_fires=deadline.fires if deadline else None,
            changed_at=at,
            log_lines=row.log_lines if row else 0,
            log_hash=row.log_hash if row else "",
            signed_lines=row.signed_lines if row else 0,
            signed_hash=row.signed_hash if row else "",
        )
    )


def save_lists(
    session: Session, case: Case, tasks: tuple[Task, ...], *, before: Case | None, vault: CaseVault, policy: Policy, calendar: Calendar
) -> None:
    """Write what staff look up, each list only where what it is made from has changed since `before`."""
    _replace(session, TaskRow, case.id, [_task_row(case, n, task) for n, task in enumerate(tasks, start=1)])
    notices = before is None or before.notices != case.notices
    sanctions = before is None or before.sanctions != case.sanctions
    reviews = before is None or before.reviews != case.reviews
    if notices:
        _replace(session, NoticeRow, case.id, _notice_rows(case, vault))
    if notices or sanctions or before is None or before.passed != case.passed:
        _replace(session, SanctionRow, case.id, [_sanction_row(case, one) for one in case.sanctions])
    if notices or sanctions:
        _replace(session, RestrictionRow, case.id, [row for one in case.sanctions for row in _restriction_rows(case, one, vault)])
    if notices or sanctions or reviews or (before and before.destruction_signed != case.destruction_signed):
        signed = _sign_off_rows(case)
        _replace(session, SignOffRow, case.id, list(signed))
        chain_sign_offs(session, case.id, signed)
    if case.sanctions or case.referrals or case.ending or case.destroyed_on:
        _replace(session, RegisterRow, case.id, _register_rows(case, vault, policy, calendar))
    save_desk(session, case, before=before, policy=policy, vault=vault)
    save_contacts(session, case, before=before, vault=vault)


def derived(
    session: Session, case: Case, tasks: tuple[Task, ...], *, vault: CaseVault, policy: Policy, calendar: Calendar
) -> dict[type[SQLModel], list[SQLModel]]:
    """Returns every list of a case as save_lists would write it from nothing, to be held against what stands."""
    desk = desk_rows(session, case, policy=policy, vault=vault)
    return {
        TaskRow: [_task_row(case, n, task) for n, task in enumerate(tasks, start=1)],
        NoticeRow: _notice_rows(case, vault),
        SanctionRow: [_sanction_row(case, one) for one in case.sanctions],
        RestrictionRow: [row for one in case.sanctions for row in _restriction_rows(case, one, vault)],
        SignOffRow: list(_sign_off_rows(case)),
        RegisterRow: _register_rows(case, vault, policy, calendar),
        DeskEntryRow: [row for row in desk if isinstance(row, DeskEntryRow)],
        DeskKeyRow: [row for row in desk if isinstance(row, DeskKeyRow)],
        ContactRow: [contact_row(case, one, vault) for one in case.logged_contacts],
    }


def _replace(session: Session, kind: type[SQLModel], case_id: str, rows: list[SQLModel]) -> None:
    session.execute(delete(kind).where(kind.case_id == case_id))  # type: ignore[attr-defined]  # every list table has case_id
    session.add_all(rows)


def _task_row(case: Case, n: int, task: Task) -> SQLModel:
    return TaskRow(
        case_id=case.id,
        n=n,
        body=case.body,
        kind=task.kind,
        what=task.what,
        ref=task.ref,
        offices=list(task.offices),
        people=list(task.people),
        due=task.due,
        cites=list(task.cites),
        command=task.command,
        provisional=task.provisional,
    )


def _notice_rows(case: Case, vault: CaseVault) -> list[SQLModel]:
    return [
        NoticeRow(
            case_id=case.id,
            notice=one.id,
            kind=one.kind,
            about=one.about,
            status=one.status,
            created_on=one.created_on,
            sent_on=one.sent_on,
            notified_on=told_on(one),
            method=one.method,
            received_on=one.received_on,
            problem=vault.put(one.problem) if one.problem else None,
        )
        for one in case.notices
    ]


def _sanction_row(case: Case, one: Sanction) -> SQLModel:
    return SanctionRow(
        case_id=case.id,
        sanction=one.id,
        body=case.body,
        decided_on=one.decided_on,
        notified_on=notified_on(case, one.notice),
        until=one.terms.until,
        ended_on=one.ended_on,
        ended_how=one.ended_how,
        missed_reviews=missed_reviews(case, one.id),
    )


def _restriction_rows(case: Case, one: Sanction, vault: CaseVault) -> list[SQLModel]:
    return [
        RestrictionRow(
            case_id=case.id,
            sanction=one.id,
            n=n,
            body=case.body,
            type=restriction.type,
            parameters=restriction.model_dump(mode="json", by_alias=True, exclude={"type"}, context={"vault": vault}),
            decided_on=one.decided_on,
            enforced_from=reached_on(case, one.notice),
            until=one.terms.until,
            ended_on=one.ended_on,
        )
        for n, restriction in enumerate(one.terms.restrictions, start=1)
    ]


def _sign_off_rows(case: Case) -> list[SignOffRow]:
    signed: list[tuple[str, tuple[Signature, ...]]] = [(one.id, one.signatures) for one in case.sanctions]
    signed += [(one.id, one.signatures) for one in case.reviews]
    signed += [(one.id, (one.issued_by,)) for one in case.notices if one.issued_by]
    signed += [("destruction", tuple(one.by for one in case.destruction_signed))]
    return [
        SignOffRow(
            case_id=case.id,
            about=about,
            n=n,
            person=one.person,
            human=one.human,
            office=one.office,
            grade=one.grade,
            as_deputy=one.as_deputy,
            on=one.on,
        )
        for about, signatures in signed
        for n, one in enumerate(signatures, start=1)
    ]


def _register_rows(case: Case, vault: CaseVault, policy: Policy, calendar: Calendar) -> list[SQLModel]:
    if not stands_in_register(case, policy):
        return []
    last = case.sanctions[-1] if case.sanctions else None
    dues = [due.date for one in case.in_force if (due := review_due(case, one, policy, calendar))]
    return [
        RegisterRow(
            case_id=case.id,
            body=case.body,
            customer=vault.put(case.customer.name),
            stage=case.stage,
            warned_on=warned_on(case, case.standing_warnings[-1], policy) if case.standing_warnings else None,
            decided_on=last.decided_on if last else None,
            notified_on=notified_on(case, last.notice) if last else None,
            last_reviewed_on=max((one.on for one in case.reviews), default=None),
            review_due=min(dues, default=None),
            ends=last.terms.until if last else None,
            ended_on=end_of_case(case),
            missed_reviews=missed_reviews(case),
        )
    ]
