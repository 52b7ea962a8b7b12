"""Lists across cases: cases, tasks for a person, the register."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from domain.people import Person
from records.keys import keys_of
from records.tables import CaseRow, LetterRow, NoticeRow, RegisterRow, StaffRow, TaskRow, TextRow
from records.vault import DESTROYED, opened_text


def cases_of(session: Session, *, body: str | None = None, stage: str | None = None) -> tuple[CaseRow, ...]:
    """Returns cases, by id."""
    query = select(CaseRow).order_by(col(CaseRow.id))
    if body:
        query = query.where(CaseRow.body == body)
    if stage:
        query = query.where(CaseRow.stage == stage)
    return tuple(session.exec(query).all())


def tasks_for(session: Session, person: str, *, body: str | None, today: date) -> tuple[tuple[TaskRow, bool], ...] | None:
    """Returns what waits for a person with whether it is overdue, overdue first; None where nobody has that id."""
    query = select(StaffRow).where(StaffRow.person == person)
    entries = [row for row in session.exec(query).all() if body in (None, row.body)]
    if not entries:
        return None
    found = [
        task
        for entry in entries
        for task in session.exec(select(TaskRow).where(TaskRow.body == entry.body)).all()
        if _is_for(task, entry, today) or _manages(session, entry, task, today)
    ]
    judged = [(task, task.due is not None and task.due < today) for task in found]
    return tuple(sorted(judged, key=lambda one: (not one[1], one[0].due or date.max, one[0].case_id, one[0].n)))


def _is_for(task: TaskRow, entry: StaffRow, today: date) -> bool:
    person = _person(entry, today)
    held = {*person.offices, *person.deputises}
    return entry.person in task.people or bool(held & set(task.offices)) or _senior_enough(person, task)


def _person(entry: StaffRow, today: date) -> Person:
    return Person.model_validate(entry.entry, extra="ignore").on(today)


def _senior_enough(person: Person, task: TaskRow) -> bool:
    """Returns whether a task for anybody from a grade on is this person's."""
    from_ = [int(one.removeprefix("grade-from:")) for one in task.people if one.startswith("grade-from:")]
    return person.grade is not None and any(person.grade >= one for one in from_)


def _manages(session: Session, entry: StaffRow, task: TaskRow, today: date) -> bool:
    """Returns whether a task for the line manager of somebody is this person's."""
    for one in task.people:
        of = session.get(StaffRow, (entry.body, one.removeprefix("line-manager-of:"))) if one.startswith("line-manager-of:") else None
        if of is not None and _person(of, today).line_manager == entry.person:
            return True
    return False


def register_of(session: Session, body: str) -> tuple[tuple[RegisterRow, str], ...]:
    """Returns a body's register with the customers' names."""
    rows = session.exec(select(RegisterRow).where(RegisterRow.body == body).order_by(col(RegisterRow.case_id))).all()
    return tuple((row, _text(session, row.case_id, row.customer)) for row in rows)


def _text(session: Session, case_id: str, ref: str) -> str:
    found = session.get(TextRow, (case_id, ref))
    return opened_text(keys_of(session), case_id, ref, found.text) if found else DESTROYED


NOT_ON_ITS_WAY = ("to-issue", "to-send", "handed-over", "uncertain", "blocked", "returned")
"""Why a decision has not been notified: nobody issued its letter, it is about to go, a carrier has
it, nobody knows, it cannot go, it came back."""


def not_on_its_way() -> tuple[ColumnElement[bool], ...]:
    """Returns what makes a letter one whose customer is not told, of cases not yet closed: for a query of both tables."""
    to_be_read_out = and_(col(NoticeRow.status) == "sent", col(NoticeRow.notified_on).is_(None))
    of_open_cases = (col(NoticeRow.case_id) == col(CaseRow.id), col(CaseRow.stage) != "closed")
    return (*of_open_cases, or_(col(NoticeRow.status).in_(NOT_ON_ITS_WAY), to_be_read_out))


def undelivered(session: Session, *, body: str | None = None) -> tuple[tuple[NoticeRow, CaseRow], ...]:
    """Returns the letters whose customer is not told, the oldest decision first, of cases not yet closed."""
    query = select(NoticeRow, CaseRow).where(*not_on_its_way())
    if body:
        query = query.where(CaseRow.body == body)
    return tuple(sorted(session.exec(query).all(), key=lambda one: (one[0].created_on, one[0].case_id, one[0].notice)))


def letter_files(session: Session, case_id: str) -> dict[str, str]:
    """Returns the evidence that each letter of a case was sent: its file and its hash."""
    rows = session.exec(select(LetterRow).where(LetterRow.case_id == case_id)).all()
    return {row.notice: f"{row.file}, sha256 {row.sha256}" for row in rows}
