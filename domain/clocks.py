"""Every clock of a case: each date with its reason, each deadline with the day it fires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.appeal_rules import AppealRule
from domain.case import Case, Challenge, ExternalReported, PeriodKind
from domain.dateless import dateless_clocks
from domain.days import POST_DAYS, Calendar, Reckoned, after, subtract_working_days
from domain.deadlines import Deadline, deadline, reckon, shifted
from domain.end_clocks import end_clocks
from domain.letter_clocks import letter_clocks
from domain.notices import counted_from, notified_on, proven_on
from domain.policy import Policy
from domain.review_clocks import measure_clocks, sanction_clocks
from domain.rights import Right, Target, appeal_rule_of, appealable, day_of, each_stage, right_to, rule_for
from domain.rules import Period
from domain.steps import life_ends, life_of, warned_on
from domain.told import as_it_stands, deadline_as_it_stands

NOTIFICATION = "notification"


def all_deadlines(case: Case, policy: Policy, calendar: Calendar) -> tuple[Deadline, ...]:
    """Returns every deadline the case has now, passed or not, in the order they fire."""
    if case.destroyed_on:
        return ()
    found = [
        *_warning_clocks(case, policy, calendar),
        *_step_one_clocks(case, policy, calendar),
        *_appeal_clocks(case, policy, calendar),
        *sanction_clocks(case, policy, calendar),
        *measure_clocks(case, policy, calendar),
        *dateless_clocks(case, policy, calendar),
        *_other_clocks(case, policy, calendar),
        *letter_clocks(case, calendar),
        *end_clocks(case, policy, calendar),
    ]
    standing = [deadline_as_it_stands(case, one) for one in found]
    return tuple(sorted(standing, key=lambda deadline: (deadline.fires, deadline.key)))


def open_deadlines(case: Case, policy: Policy, calendar: Calendar) -> tuple[Deadline, ...]:
    """Returns the deadlines that have not been dealt with."""
    passed = frozenset(case.passed)
    return tuple(deadline for deadline in all_deadlines(case, policy, calendar) if deadline.key not in passed)


def next_deadline(case: Case, policy: Policy, calendar: Calendar) -> Deadline | None:
    """Returns the earliest deadline still to come or still to be dealt with."""
    return next(iter(open_deadlines(case, policy, calendar)), None)


def _warning_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    if not case.standing_warnings or case.sanctions:
        return
    warning = case.standing_warnings[-1]
    life, given = life_of(case, warning, policy), warned_on(case, warning, policy)
    if life and given:
        ends = life_ends(case, warning, given, policy)
        reckoned = reckon(life, given, event="warning", calendar=calendar).model_copy(update={"date": ends})
        yield deadline("warning-ends", warning.id, reckoned, at_end=True)


def _step_one_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    rule = policy.step_one
    if not rule or not case.warnings or case.referrals or case.sanctions:
        return
    last = case.warnings[-1]
    confirmed = notified_on(case, last.notice)
    if case.replies:
        if case.replies[-1].reply == "agreed":
            yield deadline("monitoring-review", last.id, reckon(rule.monitoring, case.replies[-1].on, event="agreement", calendar=calendar))
    elif confirmed:
        yield deadline("silence-counts", last.id, reckon(rule.silence, confirmed, event="written-confirmation", calendar=calendar))
        yield deadline("step-one-reminder", last.id, reckon(rule.reminder, confirmed, event="written-confirmation", calendar=calendar))


def appeal_window(case: Case, target: Target, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the last day to use the right that is open against a decision, or None: no right, no window, or not yet begun."""
    right = right_to(case, target, policy)
    return window_closes(case, target, right, calendar) if right else None


def window_closes(case: Case, target: Target, right: Right, calendar: Calendar) -> Reckoned | None:
    """Returns the last day to use a right, or None: no window, or the event it runs from has not happened or is not proved."""
    window = window_of(case, target, right)
    start = window_starts(case, target, right, window) if window else None
    if window is None or start is None:
        return None
    notice, runs_from, ref = case.notice(_told_by(target, right) or ""), event_of(window), right.ref(target)
    late = runs_from == NOTIFICATION and notice is not None and start not in (notice.notified_on, notice.counts_from)
    closes = anew(case, "appeal", ref, window, start, event="receipt of the notice" if late else runs_from, calendar=calendar)
    posted = runs_from == NOTIFICATION and notice is not None and notice.method in POST_DAYS and start > calendar.known_until
    return as_it_stands(case, "appeal-closes", ref, closes.model_copy(update={"provisional": closes.provisional or posted}))


def event_of(window: Period) -> str:
    """Returns the event a time to appeal runs from: the notification, proof of receipt, or the decision itself."""
    return window.start.value if window.start else NOTIFICATION


def _told_by(target: Target, right: Right) -> str | None:
    return right.before.notice if right.before else target.notice


def window_starts(case: Case, target: Target, right: Right, window: Period) -> date | None:
    """Returns the day from which a time to appeal runs, or None where its event has not happened or is not proved."""
    match event_of(window):
        case "decision":
            return right.before.decided_on if right.before else day_of(target)
        case "receipt":
            return proven_on(case, _told_by(target, right))
        case _:
            return counted_from(case, _told_by(target, right))


def window_of(case: Case, target: Target, right: Right) -> Period | None:
    """Returns the time to use a right, by the edition it counts under, or None where there is none."""
    counted = case.counted_under("appeal", right.ref(target))
    return counted.period if counted else right.rule.window


def windows(case: Case, policy: Policy, calendar: Calendar) -> tuple[tuple[str, Reckoned], ...]:
    """Returns every window of the case that has begun, with what it is against: a decision, a warning, an earlier answer."""
    return tuple(
        (right.ref(target), closes)
        for target in appealable(case, policy)
        for right in each_stage(case, target, policy)
        if (closes := window_closes(case, target, right, calendar))
    )


def answer_due(case: Case, challenge: Challenge, policy: Policy, calendar: Calendar) -> Reckoned | None:
    """Returns the day by which an appeal must be answered, by the edition it counts under, or None where none is promised."""
    period = answer_period(case, challenge, policy)
    if period is None:
        return None
    due = anew(case, "answer", challenge.id, period, challenge.on, event="receipt", calendar=calendar)
    return as_it_stands(case, "answer-due", challenge.id, due)


def answer_period(case: Case, challenge: Challenge, policy: Policy) -> Period | None:
    """Returns the time to answer an appeal at its stage, by the edition it counts under."""
    counted = case.counted_under("answer", challenge.id)
    if counted:
        return counted.period
    rule = rule_for(case, challenge, policy)
    return rule.answer if rule else None


def anew(case: Case, of: PeriodKind, ref: str, period: Period, start: date, *, event: str, calendar: Calendar) -> Reckoned:
    """Returns the date a period ends, counted from its event, or from a move that began it again."""
    counted = case.counted_under(of, ref)
    if counted and counted.start and counted.start > start:
        return reckon(period, counted.start, event="move", calendar=calendar)
    return reckon(period, start, event=event, calendar=calendar)


def _appeal_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    for ref, closes in windows(case, policy, calendar):
        yield deadline("appeal-closes", ref, closes, at_end=True)
    for challenge in case.challenges:
        if challenge.pending:
            rule = appeal_rule_of(case, challenge, policy)
            yield from _answer_clocks(case, challenge, rule, policy, calendar)


def _answer_clocks(case: Case, challenge: Challenge, rule: AppealRule, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    target = rule.answer_target
    own = reckon(target, challenge.on, event="receipt", calendar=calendar) if target else None
    own = as_it_stands(case, "answer-target", challenge.id, own) if own else None
    for kind, due in (("answer-due", answer_due(case, challenge, policy, calendar)), ("answer-target", own)):
        if due is None:
            continue
        if rule.remind_before:
            before = subtract_working_days(due.date, rule.remind_before.count, calendar.named(rule.remind_before.table))
            words = f"{rule.remind_before.words} before the answer"
            yield deadline("answer-reminder", challenge.id, shifted(due, before, words, rule.remind_before.sources))
        yield deadline(kind, challenge.id, due, at_end=True)
    if rule.gather_target and challenge.passed_on is None:
        yield deadline(
            "gather-target", challenge.id, reckon(rule.gather_target, challenge.on, event="receipt", calendar=calendar), at_end=True
        )


def _other_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    target = policy.contact.new_issue_target
    for issue in case.new_issues:
        if target and issue.outcome is None:
            yield deadline("new-issue-target", issue.id, reckon(target, issue.on, event="receipt", calendar=calendar), at_end=True)
    rule = policy.external_report
    for report in case.external_reports:
        if rule and report.to != "neither" and report.informed_on is None:
            yield _tell_reminder(case, report, rule.remind, calendar)


def _tell_reminder(case: Case, report: ExternalReported, every: Period, calendar: Calendar) -> Deadline:
    """Returns the next reminder to tell the customer: one every period until it is done, or a reason begins the count anew."""
    since = report.not_yet_on or report.on
    days = [key.rsplit(":", 1)[1] for key in case.passed if key.startswith(f"tell-reminder:{report.id}:")]
    n = 1 + sum(date.fromisoformat(day) > since for day in days)
    first = reckon(every, since, event="decision", calendar=calendar)
    day, skipped = after(since, n * every.count, every.unit, calendar.named(every.table))
    update = {"date": day, "skipped": skipped, "rule": f"every {every.words}, number {n}"}
    return deadline("tell-reminder", report.id, first.model_copy(update=update))
