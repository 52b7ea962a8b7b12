"""Where one case stands, read from the records: stage, flags, dates with their reasons, letters, tasks, log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from activities.bodies import policy_at_body
from activities.calendars import calendar_of
from activities.sending import issued
from domain.agreements import Agreement, agreements
from domain.case import Case, Counted, Imported, Notice
from domain.clocks import all_deadlines
from domain.counting import DateChange
from domain.days import Calendar, Day, Holiday, Reckoned, first_instant
from domain.deadlines import Deadline
from domain.effects import COUNTED_AS
from domain.flags import flags, missed_reviews
from domain.guidance import MOMENT_OF_TASK, guidance_at, moments
from domain.notices import reached_on
from domain.papers import Papers, papers_of
from domain.policy import Guidance, Policy
from domain.receipt import FourDates, four_dates
from domain.register import entry, stands_in_register
from domain.restrictions import NOT_LIMITS
from domain.task import Task
from domain.tasks import tasks
from records.database import reading
from records.lists import letter_files
from records.store import read_case
from records.tables import CaseRow, TaskRow


class Explained(BaseModel):
    """One date of a case with its whole reason."""

    name: str
    ref: str
    date: Day
    from_event: str
    from_date: Day
    rule: str
    cites: tuple[str, ...]
    defaults: tuple[str, ...]
    skipped: tuple[Day, ...]
    rests: tuple[Holiday, ...]
    """The days skipped that are no weekend, with their names."""
    calendar: str | None
    provisional: bool
    fires_at: datetime
    passed: bool
    counted: Counted | None = None
    """The edition and the rule by which it counts since the case moved, where it does not simply follow the case's edition."""


class Limit(BaseModel):
    """One restriction in force. It binds the customer from the day of notification; None is not yet."""

    sanction: str
    type: str
    parameters: dict[str, object]
    enforced_from: date | None
    until: date | None


class Standing(BaseModel):
    """A case as it stands on a day."""

    case: str
    body: str
    policy: str
    edition: str = ""
    stage: str
    seq: int
    flags: tuple[str, ...]
    missed_reviews: int
    incidents: int
    restrictions: tuple[Limit, ...]
    """Those in force."""
    dates: dict[str, date]
    explained: tuple[Explained, ...]
    tasks: tuple[Task, ...]
    guidance: tuple[Guidance, ...]
    """What the policy says to its staff for what waits now."""
    register_entry: dict[str, str]
    """The columns of the policy's register; empty while the case does not stand in it."""
    notices: tuple[Notice, ...]
    imported: Imported | None = None
    """Where the case comes from, if it began in the body's own records."""
    letters: tuple[FourDates, ...]
    """Decided, sent, deemed notified and received, each with its evidence."""
    changes: tuple[DateChange, ...]
    """What newer calendars and proofs of receipt did to the dates."""
    papers: Papers = Papers()
    """The retention record: who keeps the papers, where they are, and until when."""
    agreements: tuple[Agreement, ...] = ()
    """Written agreements that the customer was asked for, each with its answer."""


class NoCase(Exception):
    """The records hold no case of that id."""


def standing(engine: Engine, case_id: str, *, today: date) -> Standing:
    """Returns where a case stands. Raises NoCase."""
    with reading(engine) as session:
        case = read_case(session, case_id)
        if case is None:
            raise NoCase(f"The records hold no case {case_id}.")
        return standing_in(session, case, today=today)


def standing_in(session: Session, case: Case, *, today: date) -> Standing:
    """Returns where a case stands, in a session in which it is read."""
    policy = policy_at_body(session, case.edition, case.body)
    return standing_of(case, policy, calendar_of(session, case, policy), today=today, files=letter_files(session, case.id))


def guidance_for(session: Session, task: TaskRow) -> tuple[Guidance, ...]:
    """Returns what the policy of a task's case says to whoever has it to do."""
    case, moment = session.get(CaseRow, task.case_id), MOMENT_OF_TASK.get(task.kind)
    if case is None or moment is None:
        return ()
    return guidance_at(policy_at_body(session, case.edition, case.body), frozenset({moment}))


def standing_of(case: Case, policy: Policy, calendar: Calendar, *, today: date, files: Mapping[str, str] = {}) -> Standing:
    """Returns where a case stands under its policy."""
    deadlines = all_deadlines(case, policy, calendar)
    waiting = tasks(case, policy, calendar, today=today)
    return Standing(
        case=case.id,
        body=case.body,
        policy=case.policy,
        edition=case.edition,
        stage=case.stage,
        seq=case.seq,
        flags=flags(case, policy, calendar, today=today),
        missed_reviews=missed_reviews(case),
        incidents=len(case.incidents),
        restrictions=_limits(case),
        dates=_by_name(deadlines, case),
        explained=tuple(_explained(one, case, calendar) for one in deadlines),
        tasks=waiting,
        guidance=guidance_at(policy, moments(case, waiting)),
        register_entry=dict(entry(case, policy, calendar)) if stands_in_register(case, policy) else {},
        notices=case.notices,
        imported=case.imported,
        letters=tuple(four_dates(case, one, file=files.get(issued(one.id, one.issue))) for one in case.notices),
        changes=case.changes,
        papers=papers_of(case, policy, calendar, today=today),
        agreements=agreements(case, policy),
    )


def _limits(case: Case) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            sanction=sanction.id,
            type=one.type,
            parameters=one.model_dump(mode="json", by_alias=True, exclude={"type"}, exclude_none=True),
            enforced_from=reached_on(case, sanction.notice),
            until=sanction.terms.until,
        )
        for sanction in case.in_force
        for one in sanction.terms.restrictions
        if one.type not in NOT_LIMITS
    )


def _by_name(deadlines: tuple[Deadline, ...], case: Case) -> dict[str, date]:
    """Returns one date a name: the next that has not passed, or else the last that did."""
    found: dict[str, Deadline] = {}
    for one in deadlines:
        name = one.kind.replace("-", "_")
        if name not in found or found[name].key in case.passed:
            found[name] = one
    return {name: one.reckoned.date for name, one in sorted(found.items())}


def _explained(one: Deadline, case: Case, calendar: Calendar) -> Explained:
    reckoned = one.reckoned
    return Explained(
        name=one.kind.replace("-", "_"),
        ref=one.ref,
        date=reckoned.date,
        from_event=reckoned.start_event,
        from_date=reckoned.start,
        rule=reckoned.rule,
        cites=tuple(dict.fromkeys(reckoned.cites)),
        defaults=reckoned.defaults,
        skipped=reckoned.skipped,
        rests=_rests(reckoned, calendar),
        calendar=reckoned.calendar,
        provisional=reckoned.provisional,
        fires_at=first_instant(one.fires),
        passed=one.key in case.passed,
        counted=case.counted_under(COUNTED_AS[one.kind], one.ref) if one.kind in COUNTED_AS else None,
    )


def _rests(reckoned: Reckoned, calendar: Calendar) -> tuple[Holiday, ...]:
    """Returns the weekdays on the way that did not count, each with its name, from the table that says so."""
    tables = (calendar, *(one for one in calendar.others if one.edition == reckoned.calendar))
    named = {day: next((name for table in tables if (name := table.why(day))), None) for day in reckoned.skipped}
    return tuple(Holiday(on=day, name=name or "no working day") for day, name in named.items() if day.weekday() < 5)
