"""What waits for whom, by when, under which clause; and the flags that must never stay unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Notice
from domain.clocks import all_deadlines, end_of_case, retention_ends, review_due
from domain.days import Calendar
from domain.model import State
from domain.policy import Policy, Who
from domain.steps import continued_since, living_warning


class Task(State):
    """One thing a person has to do. `offices` and `people` say whose it is; no date means at once."""

    kind: str
    what: str
    ref: str
    offices: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    due: date | None = None
    cites: tuple[str, ...] = ()
    command: str | None = None

    def overdue(self, today: date) -> bool:
        return self.due is not None and self.due < today


def tasks(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> tuple[Task, ...]:
    """Returns what the case waits for, the earliest first."""
    if case.destroyed_on:
        return ()
    found = [
        *_before_decision(case, policy, today),
        *_sign_off(case, policy),
        *_letters(case, policy),
        *_challenges(case, policy, calendar),
        *_reviews(case, policy, calendar),
        *_end(case, policy, calendar, today),
    ]
    return tuple(sorted(found, key=lambda task: (task.due or date.min, task.kind, task.ref)))


def _for(who: Who | None, case: Case) -> dict[str, tuple[str, ...]]:
    if who is not None and who.offices:
        return {"offices": who.offices}
    if who is not None and who.relation == "gave-the-warning" and case.warnings:
        return {"people": (case.warnings[-1].by.person,)}
    if who is not None and who.relation == "applied-the-sanction" and case.sanctions:
        return {"people": (case.sanctions[-1].signatures[0].person,)}
    return {"people": (case.contact_officer,) if case.contact_officer else ()}


def _before_decision(case: Case, policy: Policy, today: date) -> Iterator[Task]:
    if case.sanctions or case.ending or case.open_proposal:
        return
    decider = policy.decision.sign_offs["ordinary"].decided_by
    if case.referrals:
        yield Task(
            kind="decide",
            what="Assess the referral and decide",
            ref="case",
            cites=decider.sources,
            command="impose_sanction",
            **_for(decider, case),
        )
    elif policy.step_one and case.warnings:
        yield from _step_one(case, policy, today)
    elif (found := living_warning(case, policy, on=today)) and continued_since(case, found[1], until=today):
        after = policy.warning.behaviour_after
        yield Task(
            kind="decide",
            what="The behaviour continued after the warning: decide",
            ref="case",
            cites=after.sources if after else decider.sources,
            command="impose_sanction",
            **_for(decider, case),
        )
    elif not case.warnings and case.incidents:
        needed = policy.warning.needed
        yield Task(
            kind="warn",
            what="Give a warning, or withdraw the case",
            ref="case",
            cites=needed.sources,
            command="warn",
            **_for(policy.warning.given_by, case),
        )


def _step_one(case: Case, policy: Policy, today: date) -> Iterator[Task]:
    assert policy.step_one is not None
    cites, whose = policy.step_one.replies.sources, {"people": (case.warnings[-1].by.person,)}
    if not case.replies:
        yield Task(
            kind="record-reply",
            what="Seek agreement and record how step one ended",
            ref=case.warnings[-1].id,
            cites=cites,
            command="record_reply",
            **whose,
        )
    elif case.replies[-1].reply != "agreed" or continued_since(case, case.replies[-1].on, until=today):
        yield Task(kind="refer", what="Refer the matter: step one failed", ref="case", cites=cites, command="refer", **whose)
    elif any(key.startswith("monitoring-review:") for key in case.passed):
        yield Task(
            kind="monitoring",
            what="Look whether the arrangement works, or withdraw the case",
            ref="case",
            cites=policy.step_one.monitoring.sources,
            **whose,
        )


def _sign_off(case: Case, policy: Policy) -> Iterator[Task]:
    proposal = case.open_proposal
    if proposal:
        who = policy.decision.sign_offs[proposal.sign_off].decided_by
        yield Task(
            kind="sign-off",
            what=f"Approve or reject {proposal.id}",
            ref=proposal.id,
            cites=who.sources,
            command="approve",
            **_for(who, case),
        )


def _letters(case: Case, policy: Policy) -> Iterator[Task]:
    for notice in case.notices:
        match notice.status:
            case "to-issue":
                yield _issue(notice, case, policy)
            case "blocked" | "returned":
                yield Task(
                    kind="letter",
                    what=f"The letter {notice.id} ({notice.kind}) is {notice.status}: tell the customer another way",
                    ref=notice.id,
                    cites=("DEF-14",),
                    command="record_notification",
                    **_for(None, case),
                )


def _issue(notice: Notice, case: Case, policy: Policy) -> Task:
    rule = policy.notices[notice.kind]  # type: ignore[index]  # kinds in state are those of the policy file
    who = rule.issued_by
    return Task(
        kind="issue",
        what=f"Issue the {rule.label} {notice.id}",
        ref=notice.id,
        cites=who.sources if who else (),
        command="issue_notice",
        **_for(who, case),
    )


def _challenges(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    rule = policy.appeal
    if rule is None:
        return
    due = {one.ref: one.reckoned.date for one in all_deadlines(case, policy, calendar) if one.kind in ("answer-due", "answer-target")}
    for one in case.challenges:
        if not one.pending:
            continue
        answer = due.get(one.id)
        if one.awaiting_lateness:
            who, what, command = rule.late_decided_by or rule.decided_by, "is late: let it in or decline it", "accept_late_appeal"
        elif rule.gathered_by and one.passed_on is None:
            who, what, command = rule.gathered_by, "is to be passed to its decider with the papers", "pass_appeal"
        else:
            who, what, command = rule.decided_by, "is to be decided and answered", "decide_appeal"
        cites = (rule.answer or rule.answer_target).sources if (rule.answer or rule.answer_target) else who.sources  # type: ignore[union-attr]
        yield Task(
            kind="appeal",
            what=f"{rule.label.capitalize()} {one.id} {what}",
            ref=one.id,
            due=answer,
            cites=(*cites, *who.sources),
            command=command,
            **_for(who, case),
        )


def _reviews(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    rule = policy.review
    opened = {key.rsplit(":", 1)[0] for key in case.passed}
    for sanction in case.in_force:
        due = review_due(sanction, policy, calendar)
        if due and f"review-opens:{sanction.id}" in opened and _opened(case, sanction.id, due.date):
            yield Task(
                kind="review",
                what=f"Review {sanction.id}",
                ref=sanction.id,
                due=due.date,
                cites=due.cites,
                command="review",
                **_for(rule.by, case),
            )
        elif f"end-approaches:{sanction.id}" in opened:
            yield Task(
                kind="review",
                what=f"Review {sanction.id}, or let it end",
                ref=sanction.id,
                due=sanction.terms.until,
                cites=rule.by.sources,
                command="review",
                **_for(rule.by, case),
            )
    for request in case.requests:
        if request.done is None:
            yield Task(
                kind="review",
                what=f"Hold the review the customer asked for ({request.id})",
                ref=request.id,
                cites=rule.by.sources,
                command="review",
                **_for(rule.by, case),
            )
    for review in case.reviews:
        notice = case.notice(review.notice or "")
        looked = any(key.startswith(f"untold-recheck:{review.id}:") for key in case.passed)
        if looked and notice and notice.status == "withheld":
            what = f"Look again whether the customer may be told of {review.id}"
            yield Task(kind="untold", what=what, ref=notice.id, command="issue_notice", **_for(rule.by, case))


def _opened(case: Case, sanction: str, due: date) -> bool:
    """Returns whether the 28 days before this due date have begun: its own opening, or a later deadline, has passed."""
    dates = [key.rsplit(":", 1)[1] for key in case.passed if key.startswith(f"review-opens:{sanction}:")]
    return any((due - date.fromisoformat(day)).days <= 28 for day in dates)


def _end(case: Case, policy: Policy, calendar: Calendar, today: date) -> Iterator[Task]:
    rule = policy.retention
    if end_of_case(case) is None:
        return
    ends = retention_ends(case, policy, calendar)
    if ends is None:
        yield Task(
            kind="retention",
            what="Set the body's retention schedule: its policy gives none",
            ref="case",
            cites=("DEF-19",),
            command="set_retention",
            **_for(rule.destroyed_by, case),
        )
    elif ends.date < today and not case.held:
        yield Task(
            kind="destroy",
            what="Destroy the papers: their time has ended",
            ref="case",
            due=ends.date,
            cites=(*ends.cites, *ends.defaults),
            command="destroy_papers",
            **_for(rule.destroyed_by, case),
        )


def flags(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> tuple[str, ...]:
    """Returns what must be seen at once, in alphabetical order."""
    found = {
        "not_yet_notified": any(not (n := case.notice(one.notice)) or not n.notified_on for one in case.in_force),
        "appeal_window_closed": _latest_window_closed(case, policy, calendar, today),
        "late_appeal_undecided": any(one.awaiting_lateness for one in case.challenges),
        "appeal_pending": any(one.pending for one in case.challenges),
        "answer_overdue": any(_overdue(case, policy, calendar, today, "answer-due")),
        "review_overdue": any(_overdue(case, policy, calendar, today, "review-overdue")),
        "review_missed": any(key.startswith("review-overdue:") for key in case.passed),
        "letter_blocked": any(one.status in ("blocked", "returned") for one in case.notices),
        "letter_withheld": any(one.status == "withheld" for one in case.notices),
        "on_hold": case.held,
        "destruction_due": any(task.kind == "destroy" for task in _end(case, policy, calendar, today)),
        "retention_not_set": any(task.kind == "retention" for task in _end(case, policy, calendar, today)),
        "opened_by_mistake": case.ending == "mistake",
    }
    return tuple(sorted(name for name, raised in found.items() if raised))


def _overdue(case: Case, policy: Policy, calendar: Calendar, today: date, kind: str) -> Iterator[bool]:
    return (one.fires <= today for one in all_deadlines(case, policy, calendar) if one.kind == kind)


def _latest_window_closed(case: Case, policy: Policy, calendar: Calendar, today: date) -> bool:
    closes = [one.fires for one in all_deadlines(case, policy, calendar) if one.kind == "appeal-closes"]
    return bool(closes) and max(closes) <= today


def missed_reviews(case: Case) -> int:
    """Returns how many scheduled reviews were not held in time; a late one does not erase them."""
    return sum(key.startswith("review-overdue:") for key in case.passed)
