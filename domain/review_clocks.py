"""The clocks of restrictions: their end, their reviews, the time without an incident, a review nobody was told of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

from domain.case import Case, MeasureTaken, ReviewEvery, Sanction
from domain.days import Calendar, Reckoned, after
from domain.deadlines import Deadline, deadline, reckon, shifted
from domain.meetings import at_meeting
from domain.policy import OutcomeRule, Policy, ReviewRule
from domain.rules import Period, Rule
from domain.told import as_it_stands


def sanction_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    for sanction in case.in_force:
        if sanction.terms.until:
            yield from _end_clocks(case, sanction, sanction.terms.until, policy)
        yield from _review_clocks(case, sanction, policy, calendar)
        yield from _clear_clocks(case, sanction, policy, calendar)
        yield from _untold_clocks(case, sanction, policy, calendar)


def _end_clocks(case: Case, sanction: Sanction, until: date, policy: Policy) -> Iterator[Deadline]:
    length, opens = policy.decision.length, policy.review.opens_before
    at_end, counted = length.at_end, case.counted_under("end", sanction.id)
    moved = counted.reckoned if counted and counted.reckoned and counted.reckoned.date == until else None
    reckoned = moved or Reckoned(
        date=until,
        start=sanction.period_start,
        start_event="decision",
        rule="the end date the customer was told",
        cites=(*length.kind.cites, *(at_end.cites if at_end else ())),
        defaults=tuple(d for d in (at_end.default if at_end else None,) if d),
    )
    before = until - timedelta(days=opens.count)
    if before > sanction.period_start:
        yield deadline("end-approaches", sanction.id, shifted(reckoned, before, f"{opens.words} before the end", opens.sources))
    yield deadline("restrictions-end", sanction.id, reckoned, at_end=True)


def review_dates(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Reckoned]:
    """Yields the review dates after the last one settled: the date chosen, or anchor + n x interval without end (DEF-03)."""
    rule, told = policy.review_of(disengages=sanction.disengages), told_review(case, sanction, policy)
    settled = max(filter(None, (sanction.settled_through, told.date if told else None)), default=date.min)
    if told:
        yield told
    for due in _plain_dates(case, sanction, policy, calendar):
        held = at_meeting(due, rule, policy, calendar)
        stands = as_it_stands(case, "review-due", sanction.id, held)
        held = stands if stands.date > settled else held
        if due.date > settled and held.date > settled:
            settled = held.date
            yield held


def _plain_dates(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Reckoned]:
    """Yields the dates as policy or decision sets them, before any meeting."""
    rule, counted = policy.review_of(disengages=sanction.disengages), case.counted_under("review", sanction.id)
    anew = counted.start if counted else None
    if sanction.terms.review_every and rule.each_decision:
        yield from _stated_interval(sanction, sanction.terms.review_every, rule.each_decision, calendar, anew)
        return
    if rule.chosen or rule.each_decision:
        yield from _chosen_date(sanction, rule)
        return
    cycle = cycle_of(sanction, policy)
    anchor = _anchor(case, sanction, cycle) if cycle else None
    if cycle is None or anchor is None:
        return
    event = "move" if anew else cycle.start.value if cycle.start else "decision"
    first = reckon(cycle, anew or anchor, event=event, calendar=calendar)
    for n in count(1):
        day, _ = after(anew or anchor, n * cycle.count, cycle.unit, calendar)
        yield first.model_copy(update={"date": day, "rule": f"every {cycle.words}, number {n}"})


def _stated_interval(sanction: Sanction, every: ReviewEvery, rule: Rule, calendar: Calendar, anew: date | None) -> Iterator[Reckoned]:
    for n in count(1):
        yield Reckoned(
            date=after(anew or sanction.decided_on, n * every.count, every.unit, calendar)[0],
            start=anew or sanction.decided_on,
            start_event="move" if anew else "decision",
            rule=f"every {every.words}, as the decision states, number {n}",
            cites=rule.cites,
            defaults=tuple(filter(None, [rule.default])),
        )


def told_review(case: Case, sanction: Sanction, policy: Policy) -> Reckoned | None:
    """Returns the review that a move left standing at its date, until it is settled, or a later review set another."""
    counted = case.counted_under("review", sanction.id)
    if counted is None or counted.reckoned is None:
        return None
    rule = policy.review_of(disengages=sanction.disengages)
    if (rule.chosen or rule.each_decision) and any(one.sanction == sanction.id and one.on >= counted.on for one in case.reviews):
        return None
    settled = sanction.settled_through
    return counted.reckoned if settled is None or counted.reckoned.date > settled else None


def _anchor(case: Case, sanction: Sanction, cycle: Period) -> date | None:
    if cycle.start and cycle.start.value == "notice":
        return notice_date(case, sanction)
    return sanction.decided_on


def measure_reviews(case: Case, policy: Policy, calendar: Calendar) -> Iterator[tuple[MeasureTaken, Reckoned]]:
    """Yields each standing measure with the day its next look is due: restrictions reviewed since count as a look (A-88)."""
    for taken in case.standing_measures:
        rule = next((one.recheck for one in policy.measures if one.measure == taken.measure), None)
        if rule:
            last = max(taken.reviewed_on or taken.on, *(review.on for review in case.reviews), taken.on)
            yield taken, reckon(rule, last, event="decision" if last == taken.on else "review", calendar=calendar)


def measure_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    opens = policy.review.opens_before
    for taken, due in measure_reviews(case, policy, calendar):
        opening = shifted(due, due.date - timedelta(days=opens.count), f"{opens.words} before the review", opens.sources)
        yield deadline("measure-review-opens", taken.id, opening)
        yield deadline("measure-review-due", taken.id, due, at_end=True)


def notice_date(case: Case, sanction: Sanction) -> date | None:
    """Returns the date of a sanction's notice, once it was sent (NE-29, NE-35)."""
    notice = case.notice(sanction.notice)
    return notice.sent_on if notice else None


def _chosen_date(sanction: Sanction, rule: ReviewRule) -> Iterator[Reckoned]:
    day, latest = sanction.terms.review_on, rule.chosen
    source = latest.number if latest else rule.each_decision
    if day and source:
        yield Reckoned(
            date=day,
            start=sanction.decided_on,
            start_event="decision",
            rule=f"the date set in the decision, at most {latest.words} on" if latest else "the date set in the decision",
            cites=source.cites,
            defaults=tuple(filter(None, [source.default])),
        )


def cycle_of(sanction: Sanction, policy: Policy) -> Period | None:
    """Returns how often a sanction is reviewed, or None where the policy sets no cycle."""
    cycle = policy.review_of(disengages=sanction.disengages).cycle
    permanent = any(getattr(one, "duration", None) == "permanent" for one in sanction.terms.restrictions)
    if permanent and sanction.terms.until is None:
        rechecks = [option.recheck for one in sanction.terms.restrictions if (option := policy.decision.option(one.type))]
        return next((recheck for recheck in rechecks if recheck), cycle)
    return cycle


def is_scheduled(sanction: Sanction, policy: Policy) -> bool:
    """Returns whether the policy has this sanction reviewed at set dates at all."""
    rule = policy.review_of(disengages=sanction.disengages)
    return bool(rule.chosen or rule.each_decision) or cycle_of(sanction, policy) is not None


def review_due(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the scheduled review that is owed next (or still), or None where the policy schedules none."""
    return next(review_dates(case, sanction, policy, calendar), None)


def without_review_date(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Sanction]:
    """Yields what runs with neither an end nor a next review in sight: nobody stays so unseen (NE-34). A letter on its way is no gap."""
    for sanction in case.in_force:
        notice = case.notice(sanction.notice)
        going = notice is not None and notice.status in ("to-send", "handed-over")
        if not going and sanction.terms.until is None and review_due(case, sanction, policy, calendar) is None:
            yield sanction


def _review_clocks(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    passed = frozenset(case.passed)
    for due in review_dates(case, sanction, policy, calendar):
        opening, owed, overdue = _of_one_review(sanction, due, policy)
        yield from (opening, owed, overdue)
        if overdue.key not in passed:
            return


def _of_one_review(sanction: Sanction, due: Reckoned, policy: Policy) -> tuple[Deadline, Deadline, Deadline]:
    opens = policy.review_of(disengages=sanction.disengages).opens_before
    opening = shifted(due, due.date - timedelta(days=opens.count), f"{opens.words} before the review", opens.sources)
    return (
        deadline("review-opens", sanction.id, opening),
        deadline("review-due", sanction.id, due),
        deadline("review-overdue", sanction.id, due, at_end=True),
    )


def missed_keys(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar, *, before: date) -> Iterator[str]:
    """Yields the keys of every review that fell due before a day and was not held."""
    for due in review_dates(case, sanction, policy, calendar):
        if due.date >= before:
            return
        yield from (one.key for one in _of_one_review(sanction, due, policy))


def clear_time(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns when the time without an incident is met: each incident after the notice starts it again (NE-36)."""
    rule = clear_period(case, sanction, policy.review_of(disengages=sanction.disengages).outcomes["lift"])
    noticed = notice_date(case, sanction)
    if rule is None or noticed is None:
        return None
    last = max((incident.on for incident in case.incidents if incident.on > noticed), default=noticed)
    event = "notice" if last == noticed else "last incident"
    counted = case.counted_under("clear-time", sanction.id)
    if counted and counted.start and counted.start > last:
        return reckon(rule, counted.start, event="move", calendar=calendar)
    return reckon(rule, last, event=event, calendar=calendar)


def clear_period(case: Case, sanction: Sanction, outcome: OutcomeRule) -> Period | None:
    """Returns how long without an incident an outcome needs, by the edition it counts under, or None where it needs none."""
    counted = case.counted_under("clear-time", sanction.id)
    return counted.period if counted and outcome.clear_time else outcome.clear_time


def _clear_clocks(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    clear = clear_time(case, sanction, policy, calendar)
    if clear:
        yield deadline("clear-time", sanction.id, clear)


def _untold_clocks(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    recheck = policy.review.untold_recheck
    for review in case.reviews:
        notice = case.notice(review.notice or "")
        if recheck and review.sanction == sanction.id and notice and notice.status == "withheld":
            n = 1 + sum(key.startswith(f"untold-recheck:{review.id}:") for key in case.passed)
            base = reckon(recheck, review.on, event="decision", calendar=calendar)
            day, _ = after(review.on, n * recheck.count, recheck.unit, calendar.named(recheck.table))
            yield deadline("untold-recheck", review.id, shifted(base, day, f"every {recheck.words}, number {n}"))
