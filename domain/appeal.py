"""The customer's challenge to a decision or a warning: received in its window, at its stage, or late."""

from __future__ import annotations

from datetime import date

from domain.appeal_rules import AppealRule
from domain.case import Case, Challenge, next_id
from domain.challenges import heard_here, no_appeal, not_before, seen, with_challenge
from domain.clocks import answer_due, window_closes, window_of
from domain.commands import AcceptLateAppeal, Appeal, DeclineLateAppeal
from domain.committee import deciders, deciding_day, sitting
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import in_writing, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy
from domain.requests import request_from_appeal, running_on
from domain.review_clocks import review_due
from domain.rights import (
    Right,
    Target,
    appeal_rule_of,
    appealable,
    day_of,
    right_to,
    sanction_under,
    used_by,
)
from domain.rules import Period


def appeal(case: Case, command: Appeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Lodge an appeal; it counts from the day it reached the body, whenever it is entered."""
    on = the_day(command.on, today=today)
    target, right = _target(case, command.against, policy, on)
    rule = right.rule
    not_before((right.before.decided_on if right.before else None) or day_of(target), on, f"the decision {target.id}")
    _only_once(case, target, right, policy, on)
    _only_what_was_imposed(case, command, target)
    _known_grounds(command, rule)
    _still_running(case, target, rule, on)
    if rule.in_writing and rule.in_writing.value and not in_writing(case, command.medium):
        kept, _ = owe(case, "how-to-write", about=target.id, on=on, policy=policy)
        raise Refusal(
            f"{rule.label.capitalize()} must be made in writing.",
            cites=rule.in_writing.sources,
            remains="The customer is told how to put it in writing; the time goes on running.",
            kept=kept,
        )
    window, closes = window_of(case, target, right), window_closes(case, target, right, calendar)
    late = closes is not None and on > closes.date
    challenge = Challenge(
        id=next_id("a", case.challenges),
        against=target.id,
        on=on,
        medium=command.medium,
        grounds=command.grounds,
        late=late,
        only=command.only,
        stage=right.stage,
        on_grounds=command.on_grounds,
    )
    lodged = case.model_copy(update={"challenges": (*case.challenges, challenge)})
    if late and closes and window:
        return _late(lodged, challenge, rule, closes.date, window, policy, calendar)
    return _acknowledged(lodged, challenge, rule, policy, calendar)


def _none(case: Case, policy: Policy, on: date) -> Refusal:
    """Returns the refusal where the body itself hears no appeal: who does, and the letter that says so (DEF-16)."""
    outside = policy.appeal_outside
    if outside is None:
        return no_appeal(policy)
    about = case.sanctions[-1].id if case.sanctions else "case"
    kept, notice = owe(case, "appeal-elsewhere", about=about, on=on, policy=policy)
    refusal = no_appeal(policy)
    return Refusal(refusal.reason, cites=refusal.cites, remains=refusal.remains, kept=kept if notice else None)


def _target(case: Case, against: str | None, policy: Policy, on: date) -> tuple[Target, Right]:
    """Returns what an appeal is against, and the right that is open: the next stage after an answer, named or not."""
    rule = policy.appeal or (policy.warning.appeal if case.warnings else None)
    if rule is None:
        raise _none(case, policy, on)
    answered = next((one.against for one in case.challenges if one.id == against), against)
    targets = [one for one in appealable(case, policy) if right_to(case, one, policy)]
    if not targets:
        remains = "An appeal follows a decision."
        raise Refusal("There is no decision to appeal against yet.", cites=rule.number.sources, remains=remains)
    found = next((one for one in reversed(targets) if answered in (None, one.id)), None)
    if found is None and policy.appeal is None and case.sanction(answered or ""):
        raise _none(case, policy, on)
    if found is None:
        raise Refusal(
            f"{against} is no decision of this case that can be appealed.",
            cites=rule.number.sources,
            remains=f"One of: {', '.join(one.id for one in targets)}.",
        )
    right = right_to(case, found, policy)
    assert right is not None
    return found, right


def _only_once(case: Case, target: Target, right: Right, policy: Policy, on: date) -> None:
    earlier = used_by(case, target, right)
    if earlier and right.rule.then and earlier.pending:
        raise Refusal(
            f"{earlier.id} has not been answered yet; {right.rule.then.label} follows the answer.",
            cites=(*right.rule.number.sources, *right.rule.then.decided_by.sources),
            remains="Wait for the answer.",
        )
    if earlier:
        kept, notice = owe(case, "challenge-refused", about=target.id, on=on, policy=policy)
        raise Refusal(
            f"This right has already been used, by {earlier.id} of {earlier.on.isoformat()}.",
            cites=right.rule.number.sources,
            kept=kept if notice else None,
            remains=_after_that(right, policy),
        )


def _after_that(right: Right, policy: Policy) -> str | None:
    if policy.appeal_outside:
        return f"{policy.appeal_outside.to}: {policy.appeal_outside.how}"
    return "A fresh decision opens a fresh right." if right.rule.number.value == "one-per-decision" else None


def _known_grounds(command: Appeal, rule: AppealRule) -> None:
    """Refuses codes that are a slip of the pen. A ground outside the list is `other`, and is received like any appeal."""
    known = {one.ground for one in rule.only_on}
    wrong = sorted(set(command.on_grounds) - known - {"other"})
    if wrong and not known:
        raise Refusal(
            "This policy lists no grounds; on_grounds must be left out.", cites=rule.grounds.sources, remains="Say it in grounds."
        )
    if wrong:
        cites = [source for one in rule.only_on for source in one.sources]
        remains = f"One of: {', '.join(sorted(known))}; or other, for a ground outside the list."
        raise Refusal(f"{', '.join(wrong)} is no ground of this policy.", cites=cites, remains=remains)


def _only_what_was_imposed(case: Case, command: Appeal, target: Target) -> None:
    sanction = sanction_under(case, target)
    imposed = {one.type for one in sanction.terms.restrictions} if sanction else set()
    wrong = sorted(set(command.only) - imposed)
    if wrong:
        raise Refusal(f"{', '.join(wrong)} is no restriction of {target.id}.", remains=f"It imposes: {', '.join(sorted(imposed))}.")


def _still_running(case: Case, target: Target, rule: AppealRule, on: date) -> None:
    sanction = sanction_under(case, target)
    if rule.while_running and rule.while_running.value and sanction and not running_on(case, sanction, on):
        raise Refusal(f"The restrictions no longer ran on {on.isoformat()}.", cites=rule.while_running.sources)


def _late(case: Case, challenge: Challenge, rule: AppealRule, closed: date, window: Period, policy: Policy, calendar: Calendar) -> Decision:
    late = rule.if_late.sources if rule.if_late else ("DEF-10",)
    said = f"{rule.label.capitalize()} must reach us within {window.words} of the notice; that ended on {in_words(closed)}."
    if rule.if_late and rule.if_late.value == "office-may-decline":
        return decided(case, f"{said} It waits for a decision whether to consider it.", cites=late)
    in_force = [review_due(case, sanction, policy, calendar) for sanction in case.in_force]
    reviews = [f"the review on {in_words(due.date)}" for due in in_force if due]
    raise Refusal(
        said,
        cites=(*window.sources, *late),
        kept=case,
        remains=" or ".join([*reviews, "late acceptance for a recorded reason (accept_late_appeal, or decline_late_appeal to reply)"])
        + ".",
    )


def _acknowledged(case: Case, challenge: Challenge, rule: AppealRule, policy: Policy, calendar: Calendar) -> Decision:
    case, _ = owe(case, "appeal-acknowledged", about=challenge.id, on=challenge.on, policy=policy)
    due = answer_due(case, challenge, policy, calendar)
    by = f" Answer due by {in_words(due.date)}." if due else ""
    cites = [*(rule.window.sources if rule.window else rule.decided_by.sources), *(rule.answer.sources if rule.answer else ())]
    in_time = " in time" if rule.window else ""
    return decided(case, f"{rule.label[0].upper()}{rule.label[1:]} {challenge.id} received{in_time}.{by}", cites=cites)


def accept_late_appeal(case: Case, command: AcceptLateAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Let a late appeal in, for a recorded reason."""
    on, rule, challenge = _lateness(case, command, actor, policy, today)
    case = with_challenge(case, challenge.model_copy(update={"late_decision": "accepted", "late_reasons": command.reasons}))
    case, _ = owe(case, "appeal-late-accepted", about=challenge.id, on=on, policy=policy)
    return decided(
        case, f"{challenge.id} is considered although late, for a recorded reason.", cites=rule.if_late.sources if rule.if_late else ()
    )


def decline_late_appeal(
    case: Case, command: DeclineLateAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Decline a late appeal; where the policy says so it becomes the review the customer may ask for."""
    on, rule, challenge = _lateness(case, command, actor, policy, today)
    case = with_challenge(case, challenge.model_copy(update={"late_decision": "declined", "late_reasons": command.reasons}))
    if command.customer_agrees_to_review and rule.late_becomes_review and rule.late_becomes_review.value:
        case = request_from_appeal(case, challenge, policy=policy, on=on)
    case, _ = owe(case, "appeal-late-declined", about=challenge.id, on=on, policy=policy)
    return decided(case, f"{challenge.id} was declined as late.", cites=rule.if_late.sources if rule.if_late else ())


def _lateness(
    case: Case, command: AcceptLateAppeal | DeclineLateAppeal, actor: Actor, policy: Policy, today: date
) -> tuple[date, AppealRule, Challenge]:
    """Returns the day of a decision on lateness, with the appeal and its rule: by the office named for it, else by whoever hears the
    appeal, a committee at its meeting included. The appeal keeps that meeting."""
    heard_here(policy)
    challenge = seen(case, command.saw)
    rule = appeal_rule_of(case, challenge, policy)
    if not challenge.awaiting_lateness:
        raise Refusal(f"{challenge.id} does not wait for a decision on lateness.", kind="stale")
    who, committee = rule.late_decided_by or rule.decided_by, None if rule.late_decided_by else rule.committee
    on = deciding_day(command, committee, today=today)
    not_before(challenge.on, on, f"the {rule.label} {challenge.id}")
    deciders(who, committee, command, actor=actor, case=case, policy=policy, on=on, act="decide on a late appeal")
    return on, rule, challenge.model_copy(update={"late_sitting": sitting(committee, command)})
