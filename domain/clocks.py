"""Every clock of a case: each date with its reason, each deadline with the day it fires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from domain.case import Case, Challenge, Review, Sanction
from domain.days import ONE_DAY, Calendar, Reckoned, add_months, after, subtract_working_days
from domain.model import State
from domain.notices import notified_on
from domain.policy import Period, Policy
from domain.steps import life_ends, warned_on


class Deadline(State):
    """A date that binds somebody. It fires at the first London instant of `fires`; `key` marks it as dealt with."""

    key: str
    kind: str
    ref: str
    fires: date
    reckoned: Reckoned


def reckon(period: Period, start: date, *, event: str, calendar: Calendar) -> Reckoned:
    """Returns the date a period ends, with its reason; provisional past the calendar's known holidays."""
    ends, skipped = after(start, period.count, period.unit, calendar)
    working = period.unit == "working_days"
    sources = (period.number, *((period.start,) if period.start else ()))
    return Reckoned(
        date=ends,
        start=start,
        start_event=event,
        rule=period.words,
        skipped=skipped,
        cites=tuple(dict.fromkeys(clause for rule in sources for clause in rule.cites)),
        defaults=tuple(dict.fromkeys(rule.default for rule in sources if rule.default)),
        calendar=calendar.edition if working else None,
        provisional=working and ends > calendar.known_until,
    )


def _deadline(kind: str, ref: str, reckoned: Reckoned, *, at_end: bool = False) -> Deadline:
    fires = reckoned.date + ONE_DAY if at_end else reckoned.date
    return Deadline(key=f"{kind}:{ref}:{reckoned.date.isoformat()}", kind=kind, ref=ref, fires=fires, reckoned=reckoned)


def _shifted(reckoned: Reckoned, day: date, rule: str, defaults: tuple[str, ...] = ()) -> Reckoned:
    return reckoned.model_copy(update={"date": day, "rule": rule, "defaults": (*reckoned.defaults, *defaults)})


def all_deadlines(case: Case, policy: Policy, calendar: Calendar) -> tuple[Deadline, ...]:
    """Returns every deadline the case has now, passed or not, in the order they fire."""
    if case.destroyed_on:
        return ()
    found = [
        *_warning_clocks(case, policy, calendar),
        *_step_one_clocks(case, policy, calendar),
        *_appeal_clocks(case, policy, calendar),
        *_sanction_clocks(case, policy, calendar),
        *_retention_clocks(case, policy, calendar),
    ]
    return tuple(sorted(found, key=lambda deadline: (deadline.fires, deadline.key)))


def open_deadlines(case: Case, policy: Policy, calendar: Calendar) -> tuple[Deadline, ...]:
    """Returns the deadlines that have not been dealt with."""
    passed = frozenset(case.passed)
    return tuple(deadline for deadline in all_deadlines(case, policy, calendar) if deadline.key not in passed)


def next_deadline(case: Case, policy: Policy, calendar: Calendar) -> Deadline | None:
    """Returns the earliest deadline still to come or still to be dealt with."""
    return next(iter(open_deadlines(case, policy, calendar)), None)


def _warning_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    life = policy.warning.life
    if not case.warnings or case.sanctions or not life:
        return
    given = warned_on(case, case.warnings[-1], policy)
    if given and life_ends(given, policy) != date.max:
        yield _deadline("warning-ends", case.warnings[-1].id, reckon(life, given, event="warning", calendar=calendar), at_end=True)


def _step_one_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    rule = policy.step_one
    if not rule or not case.warnings or case.referrals or case.sanctions:
        return
    last = case.warnings[-1]
    confirmed = notified_on(case, last.notice)
    if case.replies:
        if case.replies[-1].reply == "agreed":
            yield _deadline(
                "monitoring-review", last.id, reckon(rule.monitoring, case.replies[-1].on, event="agreement", calendar=calendar)
            )
    elif confirmed:
        yield _deadline("silence-counts", last.id, reckon(rule.silence, confirmed, event="written-confirmation", calendar=calendar))
        yield _deadline("step-one-reminder", last.id, reckon(rule.reminder, confirmed, event="written-confirmation", calendar=calendar))


def appealable(case: Case) -> tuple[Sanction | Review, ...]:
    """Returns the decisions a customer may challenge: each sanction, and each review that opened a fresh right."""
    found: tuple[Sanction | Review, ...] = (*case.sanctions, *(review for review in case.reviews if review.fresh_appeal))
    return tuple(sorted(found, key=lambda one: one.decided_on if isinstance(one, Sanction) else one.on))


def appeal_window(case: Case, target: Sanction | Review, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the last day to appeal against a decision, or None: no window, or not yet notified (so not started)."""
    window = policy.appeal.window if policy.appeal else None
    start = notified_on(case, target.notice)
    return reckon(window, start, event="notification", calendar=calendar) if window and start else None


def _appeal_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    if policy.appeal is None:
        return
    for target in appealable(case):
        closes = appeal_window(case, target, policy, calendar)
        if closes:
            yield _deadline("appeal-closes", target.id, closes, at_end=True)
    for challenge in case.challenges:
        if challenge.pending:
            yield from _answer_clocks(challenge, policy, calendar)


def _answer_clocks(challenge: Challenge, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    rule = policy.appeal
    assert rule is not None
    for kind, period in (("answer-due", rule.answer), ("answer-target", rule.answer_target)):
        if period is None:
            continue
        due = reckon(period, challenge.on, event="receipt", calendar=calendar)
        before = subtract_working_days(due.date, rule.remind_before.count, calendar)
        yield _deadline(
            "answer-reminder",
            challenge.id,
            _shifted(due, before, f"{rule.remind_before.words} before the answer", rule.remind_before.sources),
        )
        yield _deadline(kind, challenge.id, due, at_end=True)
    if rule.gather_target and challenge.passed_on is None:
        yield _deadline(
            "gather-target", challenge.id, reckon(rule.gather_target, challenge.on, event="receipt", calendar=calendar), at_end=True
        )


def _sanction_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    for sanction in case.in_force:
        if sanction.terms.until:
            yield from _end_clocks(sanction, sanction.terms.until, policy)
        yield from _review_clocks(case, sanction, policy, calendar)
        yield from _untold_clocks(case, sanction, policy, calendar)


def _end_clocks(sanction: Sanction, until: date, policy: Policy) -> Iterator[Deadline]:
    length, opens = policy.decision.length, policy.review.opens_before
    at_end = length.at_end
    reckoned = Reckoned(
        date=until,
        start=sanction.period_start,
        start_event="decision",
        rule="the end date the customer was told",
        cites=(*length.kind.cites, *(at_end.cites if at_end else ())),
        defaults=tuple(d for d in (at_end.default if at_end else None,) if d),
    )
    before = until - timedelta(days=opens.count)
    if before > sanction.period_start:
        yield _deadline("end-approaches", sanction.id, _shifted(reckoned, before, f"{opens.words} before the end", opens.sources))
    yield _deadline("restrictions-end", sanction.id, reckoned, at_end=True)


def review_dates(sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Reckoned]:
    """Yields the scheduled review dates after the last one settled: anchor + n x interval, without end (DEF-03)."""
    cycle = _cycle(sanction, policy)
    if cycle is None:
        return
    months = cycle.count * (12 if cycle.unit == "years" else 1)
    n, first = 1, reckon(cycle, sanction.decided_on, event="decision", calendar=calendar)
    while True:
        day = add_months(sanction.decided_on, n * months)
        if sanction.settled_through is None or day > sanction.settled_through:
            yield first.model_copy(update={"date": day, "rule": f"every {cycle.words}, number {n}"})
        n += 1


def _cycle(sanction: Sanction, policy: Policy) -> Period | None:
    permanent = any(getattr(one, "duration", None) == "permanent" for one in sanction.terms.restrictions)
    if permanent and sanction.terms.until is None:
        rechecks = [option.recheck for one in sanction.terms.restrictions if (option := policy.decision.option(one.type))]
        return next((recheck for recheck in rechecks if recheck), policy.review.cycle)
    return policy.review.cycle


def review_due(sanction: Sanction, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the scheduled review that is owed next (or still), or None where the policy schedules none."""
    return next(review_dates(sanction, policy, calendar), None)


def _review_clocks(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    passed = frozenset(case.passed)
    for due in review_dates(sanction, policy, calendar):
        overdue = _deadline("review-overdue", sanction.id, due, at_end=True)
        opens = policy.review.opens_before
        yield _deadline(
            "review-opens",
            sanction.id,
            _shifted(due, due.date - timedelta(days=opens.count), f"{opens.words} before the review", opens.sources),
        )
        yield _deadline("review-due", sanction.id, due)
        yield overdue
        if overdue.key not in passed:
            return


def _untold_clocks(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    recheck = policy.review.untold_recheck
    for review in case.reviews:
        notice = case.notice(review.notice or "")
        if recheck and review.sanction == sanction.id and notice and notice.status == "withheld":
            n = 1 + sum(key.startswith(f"untold-recheck:{review.id}:") for key in case.passed)
            base = reckon(recheck, review.on, event="decision", calendar=calendar)
            yield _deadline(
                "untold-recheck", review.id, _shifted(base, add_months(review.on, n * recheck.count), f"every {recheck.words}, number {n}")
            )


def end_of_case(case: Case) -> date | None:
    """Returns the day from which the papers are only kept: the real end of the last restriction, or of a case without one."""
    if case.in_force or case.open_proposal:
        return None
    ends = [sanction.ended_on or sanction.decided_on for sanction in case.sanctions]
    return max(ends) if ends else case.ended_without_restriction


def retention_ends(case: Case, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the last day the papers are kept, or None while the case runs or no schedule is set (DEF-19)."""
    end, rule = end_of_case(case), policy.retention
    if end is None:
        return None
    event = rule.start.value if case.sanctions else "end-of-case"
    if rule.keep:
        return reckon(rule.keep, end, event=event, calendar=calendar)
    if case.keep_years is None:
        return None
    return Reckoned(
        date=add_months(end, 12 * case.keep_years),
        start=end,
        start_event=event,
        rule=f"{case.keep_years} years, the body's own schedule",
        defaults=("DEF-19",),
    )


def _retention_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    ends = retention_ends(case, policy, calendar)
    if ends:
        yield _deadline("retention-ends", "case", ends, at_end=True)
    for number, hold in enumerate(case.holds, start=1):
        if hold.released_on is None:
            review = Reckoned(
                date=hold.review_on, start=hold.on, start_event="hold", rule="the date set for the hold", defaults=("DEF-19",)
            )
            yield _deadline("hold-review", f"h{number}", review)
