"""Checks of the records: reached, of the present tables, and what in them waits for somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlmodel import Session, col, select

from activities.bodies import body_of, policy_of_edition
from activities.reconciliation import last_report
from policies import load
from policies.needs import configured, needs
from records.counts import Counts, counted
from records.database import MIGRATIONS, open_database, reading
from records.tables import BodyRow, CaseRow
from starter.clock import now, today
from starter.doctor import Check, Ill, Patient
from starter.doctor_engine import RUNNING, agreed
from starter.show import several
from worker.metrics import EXPIRES, calendar_days
from worker.settings import Settings

T = TypeVar("T")
CALENDAR_WARNS = 183
"""Days: half a year, in which a government publishes the next table."""
RECONCILED_WITHIN = timedelta(days=2, hours=2)
LATE = ("2-to-5-days", "5-to-14-days", "over-14-days")


async def opened(settings: Settings) -> tuple[str, Engine]:
    """Returns the records, which answered one question."""
    try:
        url = make_url(settings.database)
    except ArgumentError:
        raise Ill(
            "EVENHAND_DATABASE_URL is no database's address", "Such as postgresql+psycopg://USER:PASSWORD@HOST:5432/evenhand."
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and not settings.database_url and not (settings.var / "evenhand.db").exists():
        raise Ill(f"there are none in {settings.var}", "evenhand up makes some, or set EVENHAND_DATABASE_URL or EVENHAND_VAR.")
    try:
        engine = open_database(settings.database)
        await _asked(engine, lambda session: session.execute(text("SELECT 1")).scalar_one())
    except (SQLAlchemyError, ImportError, OSError) as error:
        shown = url.render_as_string(hide_password=True)
        raise Ill(f"{shown} does not answer ({type(error).__name__})", "Start the database, or set EVENHAND_DATABASE_URL.") from None
    return url.render_as_string(hide_password=True), engine


async def _asked(engine: Engine, question: Callable[[Session], T]) -> T:
    def ask() -> T:
        with reading(engine) as session:
            return question(session)

    return await asyncio.to_thread(ask)


def of_records(patient: Patient) -> dict[str, Check]:
    """Returns the checks of the records by name."""
    return {
        "migrations": lambda: _migrations(patient.records),
        "records' clock": lambda: _clock(patient.records),
        "engine and records": lambda: _in_step(patient),
        "reconciliation": lambda: _reconciled(patient.records),
        "acts set aside": lambda: _set_aside(patient.records),
        "letters": lambda: _letters(patient.records),
        "staff emails": lambda: _staff(patient.records),
        "overdue": lambda: _overdue(patient.records),
        "policies": lambda: _policies(patient.records),
        "bank holidays": lambda: _holidays(patient.records),
        "keys": lambda: _keys(patient.records),
    }


async def _migrations(engine: Engine) -> str:
    def look() -> tuple[str | None, str | None]:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.connect() as connection:
            return _present(connection), ScriptDirectory.from_config(config).get_current_head()

    present, head = await asyncio.to_thread(look)
    if present != head:
        raise Ill(f"the tables stand at {present or 'nothing'}, this release needs {head}", "Back up, then python -m worker.migrate.")
    return f"at {head}, the last"


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _clock(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return "a file on this machine, by its clock"
    before = now()
    theirs: datetime = await _asked(engine, lambda session: session.execute(text("SELECT clock_timestamp()")).scalar_one())
    return agreed(theirs.astimezone(timezone.utc) - before, "the database")


async def _in_step(patient: Patient) -> str:
    open_cases = select(func.count()).select_from(CaseRow).where(col(CaseRow.stage) != "closed")
    in_records = await _asked(patient.records, lambda session: session.exec(open_cases).one())
    in_engine = (await patient.client.count_workflows(RUNNING, rpc_timeout=timedelta(seconds=5))).count
    if in_records > in_engine:
        missing = f"{several(in_records, 'open case')} in the records, {several(in_engine, 'workflow')} running"
        raise Ill(missing, "evenhand engine check names them; evenhand engine rebuild starts what is missing.")
    return f"{several(in_records, 'open case')}, {several(in_engine, 'workflow')} running"


async def _counts(engine: Engine) -> dict[str, Counts]:
    found = await _asked(engine, lambda session: counted(session, today=today()))
    return {name: value for name, value in found._asdict().items() if isinstance(value, dict)}


async def _reconciled(engine: Engine) -> str:
    report = await _asked(engine, last_report)
    if report is None:
        return "none has come to its end yet; one begins every night"
    said = f"of {report.began:%Y-%m-%d %H:%M} UTC: {several(report.cases, 'case')}, {report.mended} mended, {report.left} left"
    if report.left:
        raise Ill(said, "evenhand engine reconcile --last names them (docs/operations.md).", state="warn")
    if now() - report.began > RECONCILED_WITHIN:
        raise Ill(said, "Two nights are missing. Is the schedule paused, and is a worker running?", state="warn")
    return said


async def _set_aside(engine: Engine) -> str:
    found = (await _counts(engine))["set_aside"]
    if found:
        raise Ill(_by(found, "act"), "evenhand tasks shows them; mend the fault, then send each again under a new id.", state="warn")
    return "none"


async def _letters(engine: Engine) -> str:
    found = (await _counts(engine))["unsent"]
    late = {key: number for key, number in found.items() if key[2] in LATE}
    if late:
        by_status: Counts = {}
        for (_, status, _), number in late.items():
            by_status[(status,)] = by_status.get((status,), 0) + number
        raise Ill(
            f"two days or more not on their way: {_by(by_status, 'letter')}", "evenhand undelivered says which, and why.", state="warn"
        )
    return f"{several(sum(found.values()), 'letter')} not on the way, none for two days"


async def _staff(engine: Engine) -> str:
    found = (await _counts(engine))["staff_notices"]
    stuck: Counts = {(state,): number for (_, state), number in found.items() if state in ("declined", "uncertain")}
    if stuck:
        raise Ill(_by(stuck, "email"), "evenhand post staff says what did not reach whom.", state="warn")
    return f"{several(sum(found.values()), 'email')} waiting"


async def _overdue(engine: Engine) -> str:
    found = (await _counts(engine))["overdue"]
    if found:
        raise Ill(_by(found, "task"), "evenhand register attention --body BODY names them.", state="warn")
    return "nothing"


def _by(found: Counts, what: str) -> str:
    """Returns numbers in words, by what they are counted by."""
    shown = ", ".join(f"{' '.join(key)} {number}" for key, number in sorted(found.items()))
    return f"{several(sum(found.values()), what)} ({shown})"


async def _policies(engine: Engine) -> str:
    """Every body's policy is one that loads, and has what it leaves to the body."""
    faults, open_ = await _asked(engine, _of_bodies)
    todo = "evenhand policy check POLICY --body BODY says what and where."
    if faults:
        raise Ill("; ".join(faults), todo)
    if open_:
        raise Ill("; ".join(open_), todo, state="warn")
    return "every body has what its policy leaves to it"


def _of_bodies(session: Session) -> tuple[list[str], list[str]]:
    faults, open_ = [], []
    codes = sorted(session.exec(select(BodyRow.body)).all())
    if not codes:
        open_.append("no body is set up")
    for code in codes:
        body = body_of(session, code)
        try:
            policy = load.policy(body.policy)
        except (load.Unreadable, OSError):
            faults.append(f"{code}: its policy {body.policy} cannot be read")
            continue
        settled = {"ombudsman": body.ombudsman, "links": body.links, "today": today(), "information_officer": body.information_officer}
        missing = [one for one in needs(policy) if not configured(one, body.staff, body.keep_years, **settled)]  # type: ignore[arg-type]  # as configured() names them
        if missing:
            open_.append(f"{code} has not set {', '.join(sorted({' '.join(filter(None, (one.kind, one.about))) for one in missing}))}")
    faults += [f"edition {row[:12]} of open cases cannot be read" for row in _unreadable_editions(session)]
    return faults, open_


def _unreadable_editions(session: Session) -> list[str]:
    unreadable = []
    for edition in session.exec(select(CaseRow.edition).where(col(CaseRow.stage) != "closed").distinct()).all():
        try:
            policy_of_edition(session, edition)
        except Exception:  # whatever it is, no open case under it can go on
            unreadable.append(edition)
    return unreadable


async def _holidays(engine: Engine) -> str:
    days = {nation: left for (nation,), left in (await _asked(engine, lambda session: calendar_days(session, today()))).items()}
    shown = ", ".join(f"{nation} {left} days" for nation, left in sorted(days.items()))
    todo = "evenhand calendar load FILE, when the next are published (docs/dates.md)."
    if min(days.values(), default=0) < 0:
        raise Ill(f"known no more: {shown}", todo)
    if min(days.values(), default=0) < CALENDAR_WARNS:
        raise Ill(f"known for: {shown}", todo, state="warn")
    return f"known for: {shown}"


async def _keys(engine: Engine) -> str | None:
    """Whatever runs out besides bank holidays: each kind of key adds itself to worker.metrics.EXPIRES."""
    others = {name: one for name, one in EXPIRES.items() if one[2] is not calendar_days}
    found = {name: dict(await _asked(engine, lambda session, one=one: one[2](session, today()))) for name, one in others.items()}  # type: ignore[misc]  # bound at once
    days = {f"{' '.join(key)}": left for by_label in found.values() for key, left in by_label.items()}
    if not days:
        return None
    shown = ", ".join(f"{key} {left:.0f} days" for key, left in sorted(days.items()))
    if min(days.values()) < 30:
        raise Ill(
            f"good for: {shown}",
            "Make the next key before the last day (docs/operations.md).",
            state="fail" if min(days.values()) < 0 else "warn",
        )
    return f"good for: {shown}"
