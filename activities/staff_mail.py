"""Emails to staff on their way out: what waits for one reader goes in one email a day, what is urgent in a second, nothing twice.

Whatever a mail server says ends here: a case neither waits for it nor hears of it. The rows of an email are marked before it is offered,
so that a crash leaves a question that is listed, and no second email."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy import ColumnElement, Engine, or_
from sqlmodel import Session, col, select

from activities.bodies import Body, Unknown, body_of, policy_of_edition
from activities.calendars import calendar_of
from activities.carriers.carrier import Declined, NotNow, Unclear
from activities.carriers.post import Post
from activities.carriers.staff import StaffEmail, StaffMail
from activities.clock import Clock
from activities.staff_owed import address_of
from activities.staff_wording import worded
from domain.days import add_working_days, london_date
from domain.model import State
from records.database import reading, transaction
from records.store import read_case
from records.tables import StaffNoticeRow, TaskRow

CUT_SHORT_AFTER = timedelta(minutes=5)
"""How long an email may be on offer before its sender counts as gone: a mail server has twenty seconds."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
SOON = 2
"""Working days within which something is due that may go in a second email of a day (EH-130)."""
UNSETTLED = ("declined", "uncertain")


class StaffCounts(State):
    """What one round did: emails that went and the things in them; things put off, done meanwhile, refused, or not known to have gone."""

    emails: int = 0
    sent: int = 0
    later: int = 0
    over: int = 0
    declined: int = 0
    uncertain: int = 0


@dataclass(frozen=True)
class Claimed:
    """One email, its rows marked as on offer."""

    email: StaffEmail
    keys: tuple[tuple[str, str, str, str], ...]


def send_staff_notices(engine: Engine, post: Post, clock: Clock, at: datetime) -> StaffCounts:
    """Send everything that waits for staff, one email an address and day and a second for what is urgent; `at` is the engine's time.

    Never raises for a mail server."""
    now, mail = clock.case_time(at), post.staff_mail
    counts = _cut_short(engine, mail, now)
    for body, address in _waiting(engine, now):
        counts = _added(counts, _one(engine, mail, body, address, now))
    return counts


def _added(one: StaffCounts, other: StaffCounts) -> StaffCounts:
    return StaffCounts(**{name: getattr(one, name) + getattr(other, name) for name in StaffCounts.model_fields})


def _cut_short(engine: Engine, mail: StaffMail, now: datetime) -> StaffCounts:
    """Settle what a sender left that was killed: sent again where that leaves one email, else marked as not known."""
    with transaction(engine) as session:
        query = select(StaffNoticeRow).where(StaffNoticeRow.state == "handing", StaffNoticeRow.changed_at < now - CUT_SHORT_AFTER)
        rows = session.exec(query.with_for_update()).all()
        for row in rows:
            facts = {"state": "waiting"} if mail.twice_is_once else {"state": "uncertain", "problem": "It was cut short while it was sent."}
            _set(row, now, **facts)
        return StaffCounts(uncertain=0 if mail.twice_is_once else len(rows))


def _waiting(engine: Engine, now: datetime) -> list[tuple[str, str | None]]:
    """Returns every body and address for which something waits, None for things whose reader has no address any more."""
    with reading(engine) as session:
        query = select(StaffNoticeRow.body, StaffNoticeRow.reader).where(StaffNoticeRow.state == "waiting", _due(now)).distinct()
        pairs = session.exec(query).all()
        bodies = {body: _body(session, body) for body, _ in pairs}
        found = [(body, address_of(reader, known) if (known := bodies[body]) else None) for body, reader in pairs]
    return sorted(set(found), key=lambda one: (one[0], one[1] or ""))


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(col(StaffNoticeRow.next_at).is_(None), col(StaffNoticeRow.next_at) <= now)


def _body(session: Session, code: str) -> Body | None:
    try:
        return body_of(session, code)
    except Unknown:
        return None


def _one(engine: Engine, mail: StaffMail, body: str, address: str | None, now: datetime) -> StaffCounts:
    with transaction(engine) as session:
        claimed, over = _claimed(session, body, address, now)
    if claimed is None:
        return StaffCounts(over=over)
    try:
        mail.send(claimed.email)
    except NotNow as problem:
        done = _settled(engine, claimed, now, state="waiting", problem=str(problem), after=problem.after)
        return StaffCounts(later=done, over=over)
    except Declined as problem:
        return StaffCounts(declined=_settled(engine, claimed, now, state="declined", problem=str(problem)), over=over)
    except Unclear as problem:
        return StaffCounts(uncertain=_settled(engine, claimed, now, state="uncertain", problem=str(problem)), over=over)
    except Exception as fault:  # a carrier's own bug: nobody knows whether it went, and the next address is not to wait for it
        said = f"A fault of kind {type(fault).__name__}."
        return StaffCounts(uncertain=_settled(engine, claimed, now, state="uncertain", problem=said), over=over)
    return StaffCounts(emails=1, sent=_settled(engine, claimed, now, state="sent", problem=None), over=over)


def _claimed(session: Session, body: str, address: str | None, now: datetime) -> tuple[Claimed | None, int]:
    """Returns the email to one address, its rows marked as on offer, and how many things were done before they went."""
    known, today = _body(session, body), london_date(now)
    readers = _readers(session, body, address, known)
    rows = _rows(session, body, readers, now)
    current, gone = _current(session, rows) if address else ([], rows)
    for row in gone:
        _set(row, now, state="over", problem=None if address else "The reader has no address any more.")
    had = _had_today(session, body, readers, today)
    current = [row for row in current if _may_go(session, row, today, had=len(had))] if had else current
    if not current or known is None or address is None:
        return None, len(gone)
    key = _key(session, current, f"{body}/{today.isoformat()}/{_short(min(readers))}" + ("/2" if had else ""))
    try:
        subject, text = worded(_once_each(current), body=known.name)
    except TemplateError as fault:
        _put_off(current, now, f"The wording is wrong: {fault}")
        return None, len(gone)
    for row in current:
        _set(row, now, state="handing", mail=key, mail_on=today)
    email = StaffEmail(key=key, to=address, subject=subject, text=text, sender=known.name)
    return Claimed(email, tuple((row.case_id, row.task, row.reader, row.reminder) for row in current)), len(gone)


def _short(reader: str) -> str:
    return reader.replace(":", "-") if len(reader) <= 64 else hashlib.sha256(reader.encode()).hexdigest()[:16]


def _readers(session: Session, body: str, address: str | None, known: Body | None) -> frozenset[str]:
    """Returns everybody who reads one address: a person's two accounts are one reader."""
    owed = session.exec(select(StaffNoticeRow.reader).where(StaffNoticeRow.body == body).distinct()).all()
    return frozenset(one for one in owed if (address_of(one, known) if known else None) == address)


def _rows(session: Session, body: str, readers: frozenset[str], now: datetime) -> list[StaffNoticeRow]:
    mine = (StaffNoticeRow.body == body, StaffNoticeRow.state == "waiting", col(StaffNoticeRow.reader).in_(readers), _due(now))
    rows = session.exec(select(StaffNoticeRow).where(*mine).with_for_update()).all()
    return sorted(rows, key=lambda row: (row.due or date.min, row.case_id, row.task, row.created_at))


def _current(session: Session, rows: Iterable[StaffNoticeRow]) -> tuple[list[StaffNoticeRow], list[StaffNoticeRow]]:
    """Returns the rows whose task still waits, the latest reminder of each alone, and the rest."""
    last = {(row.case_id, row.task, row.reader): row for row in sorted(rows, key=lambda row: row.created_at)}
    keep = [row for row in rows if last[row.case_id, row.task, row.reader] is row and _still_waits(session, row)]
    return keep, [row for row in rows if row not in keep]


def _still_waits(session: Session, row: StaffNoticeRow) -> bool:
    kind, ref = row.task.split("/")[:2]
    found = session.exec(select(TaskRow).where(TaskRow.case_id == row.case_id, TaskRow.kind == kind, TaskRow.ref == ref)).all()
    return any(one.due == row.due and (kind != "inform" or one.what == row.what) for one in found)


def _had_today(session: Session, body: str, readers: frozenset[str], today: date) -> frozenset[str]:
    """Returns the emails that one of the readers had today, or may have had."""
    gone = (StaffNoticeRow.body == body, StaffNoticeRow.mail_on == today, col(StaffNoticeRow.reader).in_(readers))
    rows = session.exec(select(StaffNoticeRow.mail).where(*gone, col(StaffNoticeRow.state).in_(("sent", "handing", "uncertain")))).all()
    return frozenset(one or "" for one in rows)


def _may_go(session: Session, row: StaffNoticeRow, today: date, *, had: int) -> bool:
    """Returns whether a thing may go in a second email of a day: a signature that is waited for, or what is due within two working days.

    There is no third: what comes after it waits for the next day's (EH-130)."""
    if had > 1:
        return False
    return row.wording == "sign-off" if row.due is None else row.due <= _soon(session, row, today)


def _soon(session: Session, row: StaffNoticeRow, today: date) -> date:
    """Returns the second working day from today, as the row's case counts."""
    case = read_case(session, row.case_id)
    if case is None:
        return today
    return add_working_days(today, SOON, calendar_of(session, case, policy_of_edition(session, case.edition)))[0]


def _key(session: Session, rows: Sequence[StaffNoticeRow], fresh: str) -> str:
    """Returns the key of an email: the one it had where it is tried again, unless another email went under that meanwhile."""
    again = next((row.mail for row in rows if row.mail), None)
    under_it = select(StaffNoticeRow.case_id).where(StaffNoticeRow.mail == again, StaffNoticeRow.state != "waiting")
    return fresh if again is None or session.exec(under_it).first() else again


def _once_each(rows: Sequence[StaffNoticeRow]) -> list[StaffNoticeRow]:
    """Returns one row a thing, where two accounts of one person are told of it."""
    return list({(row.case_id, row.task): row for row in rows}.values())


def _settled(engine: Engine, claimed: Claimed, now: datetime, *, state: str, problem: str | None, after: datetime | None = None) -> int:
    with transaction(engine) as session:
        rows = [row for key in claimed.keys if (row := session.get(StaffNoticeRow, key)) and row.state == "handing"]
        if state == "waiting":
            _put_off(rows, now, problem, after=after)
        for row in rows if state != "waiting" else ():
            _set(row, now, state=state, problem=problem)
        return len(rows)


def _put_off(rows: Iterable[StaffNoticeRow], now: datetime, problem: str | None, after: datetime | None = None) -> None:
    for row in rows:
        wait = min(FIRST_WAIT * 2**row.tries, LONGEST_WAIT) if row.tries < 10 else LONGEST_WAIT
        later = max(now + wait, after) if after else now + wait
        _set(row, now, state="waiting", problem=problem, tries=row.tries + 1, next_at=later, mail_on=None)


def _set(row: StaffNoticeRow, now: datetime, **facts: object) -> None:
    row.sqlmodel_update({**facts, "changed_at": now})


def unsettled(session: Session, *, body: str | None = None) -> tuple[StaffNoticeRow, ...]:
    """Returns what did not reach its reader: put off, refused, or not known to have gone; the oldest first."""
    put_off = (col(StaffNoticeRow.state) == "waiting") & (col(StaffNoticeRow.tries) > 0)
    query = select(StaffNoticeRow).where(or_(col(StaffNoticeRow.state).in_(UNSETTLED), put_off))
    rows = session.exec(query.where(StaffNoticeRow.body == body) if body else query).all()
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.case_id, row.task, row.reader)))
