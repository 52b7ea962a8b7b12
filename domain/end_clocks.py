"""The clocks of an ended case: how long its papers are kept, when its record is looked at, when a hold is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count

from domain.case import Case
from domain.days import Calendar, Reckoned, add_months, after
from domain.deadlines import Deadline, deadline, reckon
from domain.policy import Policy, Retention


def end_of_case(case: Case) -> date | None:
    """Returns the day from which the papers are only kept: the real end of the last restriction, or of a case without one."""
    if case.in_force or case.open_proposal:
        return None
    ends = [sanction.ended_on for sanction in case.sanctions if sanction.ended_on]
    end = max(ends) if ends else case.ended_without_restriction
    return max([end, *(one.removed_on for one in case.measures if one.removed_on)]) if end else None


def retention_ends(case: Case, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the last day the papers are kept, or None while the case runs, a marker stands, or no schedule is set (DEF-19)."""
    end, rule = end_of_case(case), policy.retention
    if end is None or case.standing_measures:
        return None
    if case.record_not_needed_on:
        return _no_longer_needed(case.record_not_needed_on, policy)
    start, event = _kept_from(case, rule, end)
    if rule.keep:
        kept = reckon(rule.keep, start, event=event, calendar=calendar)
    elif case.keep_years is not None:
        kept = _own_schedule(start, event, case.keep_years)
    else:
        return None
    return kept if kept.date >= end else kept.model_copy(update={"date": end})


def _kept_from(case: Case, rule: Retention, end: date) -> tuple[date, str]:
    """Returns the day from which papers are kept, and what happened on it; a case without a decision starts with its end."""
    if not case.sanctions:
        return end, "end-of-case"
    if rule.start.value == "decision":
        return case.sanctions[-1].decided_on, "decision"
    return (_closure(case, end), "closure") if rule.start.value == "closure" else (end, "end-of-restrictions")


def _closure(case: Case, end: date) -> date:
    """Returns the day from which nothing is open: the end, the last answer to an appeal, the last review that was asked for."""
    asked = {one.done for one in case.requests if one.done}
    answered = [one.decided_on for one in case.challenges if one.decided_on]
    return max([end, *answered, *(one.on for one in case.reviews if one.id in asked)])


def _own_schedule(start: date, event: str, years: int) -> Reckoned:
    return Reckoned(
        date=add_months(start, 12 * years),
        start=start,
        start_event=event,
        rule=f"{years} {'year' if years == 1 else 'years'}, the body's own schedule",
        defaults=("DEF-19",),
    )


def _no_longer_needed(day: date, policy: Policy) -> Reckoned:
    rule = policy.retention.shortened_by_review
    return Reckoned(
        date=day,
        start=day,
        start_event="review of the record",
        rule="the record was found to be no longer needed",
        cites=rule.cites if rule else (),
        defaults=tuple(filter(None, [rule.default if rule else None])),
    )


def _record_reviews(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    """Yields the looks at a record that is only kept, up to the first that has not passed."""
    passed = frozenset(case.passed)
    for look in _record_looks(case, policy, calendar):
        yield look
        if look.key not in passed:
            return


def past_looks(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> Iterator[str]:
    """Yields the key of every look at a kept record that has come by a day."""
    for look in _record_looks(case, policy, calendar):
        if look.fires > today:
            return
        yield look.key


def _record_looks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    """Yields the looks at a record that is only kept, without end: the reviews go on from the same anchor (MBC-49, MBC-52)."""
    rule, end = policy.review, end_of_case(case)
    if not (rule.while_held and rule.while_held.value and rule.cycle and case.sanctions and end) or case.record_not_needed_on:
        return
    cycle, looked = rule.cycle, case.record_reviewed_through
    reached = after(looked, rule.opens_before.count, rule.opens_before.unit, calendar)[0] if looked else end
    anchor, since = case.sanctions[-1].decided_on, max(end, reached)
    first = reckon(cycle, anchor, event="decision", calendar=calendar)
    for n in count(1):
        day, _ = after(anchor, n * cycle.count, cycle.unit, calendar)
        if day > since:
            due = first.model_copy(update={"date": day, "rule": f"every {cycle.words}, number {n}"})
            yield deadline("record-review-due", "case", due)


def end_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    ends = retention_ends(case, policy, calendar)
    if ends:
        yield deadline("retention-ends", "case", ends, at_end=True)
    yield from _record_reviews(case, policy, calendar)
    for number, hold in enumerate(case.holds, start=1):
        if hold.released_on is None:
            review = Reckoned(
                date=hold.review_on, start=hold.on, start_event="hold", rule="the date set for the hold", defaults=("DEF-19",)
            )
            yield deadline("hold-review", f"h{number}", review)
