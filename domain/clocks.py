"""Every clock of a case: each date with its reason, each deadline with the day it fires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.appeal_rules import AppealRule
from domain.case import Case, Challenge, ExternalReported
from domain.days import Calendar, after, subtract_working_days
from domain.deadlines import Deadline, deadline, reckon, shifted
from domain.end_clocks import end_clocks
from domain.notices import notified_on
from domain.policy import Policy
from domain.review_clocks import measure_clocks, sanction_clocks
from domain.rights import appeal_rule_of, windows
from domain.rules import Period
from domain.steps import life_ends, warned_on


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
        *_other_clocks(case, policy, calendar),
        *end_clocks(case, policy, calendar),
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
    if not case.standing_warnings or case.sanctions or not life:
        return
    last = case.standing_warnings[-1]
    given = warned_on(case, last, policy)
    if given and life_ends(given, policy) != date.max:
        yield deadline("warning-ends", last.id, reckon(life, given, event="warning", calendar=calendar), at_end=True)


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


def _appeal_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    for ref, closes in windows(case, policy, calendar):
        yield deadline("appeal-closes", ref, closes, at_end=True)
    for challenge in case.challenges:
        if challenge.pending:
            yield from _answer_clocks(challenge, appeal_rule_of(case, challenge, policy), calendar)


def _answer_clocks(challenge: Challenge, rule: AppealRule, calendar: Calendar) -> Iterator[Deadline]:
    for kind, period in (("answer-due", rule.answer), ("answer-target", rule.answer_target)):
        if period is None:
            continue
        due = reckon(period, challenge.on, event="receipt", calendar=calendar)
        if rule.remind_before:
            before = subtract_working_days(due.date, rule.remind_before.count, calendar)
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
    day, skipped = after(since, n * every.count, every.unit, calendar)
    update = {"date": day, "skipped": skipped, "rule": f"every {every.words}, number {n}"}
    return deadline("tell-reminder", report.id, first.model_copy(update=update))
