"""The customer's challenge to a decision: in its window, late, gathered, decided by somebody else, answered."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Challenge, Review, Sanction, Signature, Terms, next_id, with_item
from domain.clocks import answer_due, appeal_window, appealable, window_of
from domain.commands import AcceptLateAppeal, Appeal, DecideAppeal, DeclineLateAppeal, PassAppeal
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, forbid, in_writing, require_findings, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import AppealRule, Policy
from domain.requests import request_from_appeal, running_on
from domain.restrictions import tightens
from domain.review_clocks import review_due
from domain.rights import used_by
from domain.terms import check_length, check_restrictions


def appeal(case: Case, command: Appeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Lodge an appeal; it counts from the day it reached the body, whenever it is entered."""
    rule, on = _rule(policy), the_day(command.on, today=today)
    target = _target(case, command.against, rule)
    _after(target.decided_on if isinstance(target, Sanction) else target.on, on, f"the decision {target.id}")
    _only_once(case, target, rule, policy, on)
    _only_what_was_imposed(case, command, target)
    _still_running(case, target, rule, on)
    if rule.in_writing and rule.in_writing.value and not in_writing(case, command.medium):
        kept, _ = owe(case, "how-to-write", about=target.id, on=on, policy=policy)
        raise Refusal(
            f"{rule.label.capitalize()} must be made in writing.",
            cites=rule.in_writing.sources,
            remains="The customer is told how to put it in writing; the time goes on running.",
            kept=kept,
        )
    closes = appeal_window(case, target, policy, calendar)
    late = closes is not None and on > closes.date
    challenge = Challenge(
        id=next_id("a", case.challenges),
        against=target.id,
        on=on,
        medium=command.medium,
        grounds=command.grounds,
        late=late,
        only=command.only,
    )
    lodged = case.model_copy(update={"challenges": (*case.challenges, challenge)})
    if late and closes:
        return _late(lodged, challenge, closes.date, policy, calendar)
    return _acknowledged(lodged, challenge, rule, policy, calendar)


def _after(earlier: date, on: date, what: str) -> None:
    if on < earlier:
        raise Refusal(f"on is {on.isoformat()}, before {what} of {earlier.isoformat()}.", remains="Enter the day it really happened.")


def _rule(policy: Policy) -> AppealRule:
    if policy.appeal is None:
        raise Refusal("This policy gives no appeal.", cites=policy.ombudsman.sources, remains="The body's complaints procedure.")
    return policy.appeal


def _target(case: Case, against: str | None, rule: AppealRule) -> Sanction | Review:
    targets = appealable(case)
    if not targets:
        raise Refusal("There is no decision to appeal against yet.", cites=rule.number.sources, remains="An appeal follows a decision.")
    found = next((one for one in reversed(targets) if against in (None, one.id)), None)
    if found is None:
        raise Refusal(
            f"{against} is no decision of this case that can be appealed.",
            cites=rule.number.sources,
            remains=f"One of: {', '.join(one.id for one in targets)}.",
        )
    return found


def _only_once(case: Case, target: Sanction | Review, rule: AppealRule, policy: Policy, on: date) -> None:
    earlier = used_by(case, target, rule)
    if earlier:
        kept, notice = owe(case, "challenge-refused", about=target.id, on=on, policy=policy)
        raise Refusal(
            f"This right has already been used, by {earlier.id} of {earlier.on.isoformat()}.",
            cites=rule.number.sources,
            kept=kept if notice else None,
            remains="A fresh decision opens a fresh right." if rule.number.value == "one-per-decision" else None,
        )


def _only_what_was_imposed(case: Case, command: Appeal, target: Sanction | Review) -> None:
    sanction = target if isinstance(target, Sanction) else case.sanction(target.sanction)
    imposed = {one.type for one in sanction.terms.restrictions} if sanction else set()
    wrong = sorted(set(command.only) - imposed)
    if wrong:
        raise Refusal(f"{', '.join(wrong)} is no restriction of {target.id}.", remains=f"It imposes: {', '.join(sorted(imposed))}.")


def _still_running(case: Case, target: Sanction | Review, rule: AppealRule, on: date) -> None:
    sanction = target if isinstance(target, Sanction) else case.sanction(target.sanction)
    if rule.while_running and rule.while_running.value and sanction and not running_on(case, sanction, on):
        raise Refusal(f"The restrictions no longer ran on {on.isoformat()}.", cites=rule.while_running.sources)


def _late(case: Case, challenge: Challenge, closed: date, policy: Policy, calendar: Calendar) -> Decision:
    rule = _rule(policy)
    window = window_of(case, challenge.against, policy)
    assert window
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
    rule, challenge, _ = _lateness(case, command.saw, actor, policy, the_day(command.on, today=today))
    case = _with(case, challenge.model_copy(update={"late_decision": "accepted", "late_reasons": command.reasons}))
    case, _ = owe(case, "appeal-late-accepted", about=challenge.id, on=today, policy=policy)
    return decided(
        case, f"{challenge.id} is considered although late, for a recorded reason.", cites=rule.if_late.sources if rule.if_late else ()
    )


def decline_late_appeal(
    case: Case, command: DeclineLateAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Decline a late appeal; where the policy says so it becomes the review the customer may ask for."""
    on = the_day(command.on, today=today)
    rule, challenge, _ = _lateness(case, command.saw, actor, policy, on)
    case = _with(case, challenge.model_copy(update={"late_decision": "declined", "late_reasons": command.reasons}))
    if command.customer_agrees_to_review and rule.late_becomes_review and rule.late_becomes_review.value:
        case = request_from_appeal(case, challenge, policy=policy, on=on)
    case, _ = owe(case, "appeal-late-declined", about=challenge.id, on=on, policy=policy)
    return decided(case, f"{challenge.id} was declined as late.", cites=rule.if_late.sources if rule.if_late else ())


def _lateness(case: Case, saw: str | None, actor: Actor, policy: Policy, on: date) -> tuple[AppealRule, Challenge, Signature]:
    rule = _rule(policy)
    challenge = _seen(case, saw)
    if not challenge.awaiting_lateness:
        raise Refusal(f"{challenge.id} does not wait for a decision on lateness.", kind="stale")
    who = rule.late_decided_by or rule.decided_by
    return rule, challenge, authorise(who, actor=actor, case=case, policy=policy, on=on, act="decide on a late appeal")


def pass_appeal(case: Case, command: PassAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Pass the papers on the decision and the appeal to whoever decides it."""
    rule, on = _rule(policy), the_day(command.on, today=today)
    challenge = _pending(case, command.saw)
    _after(challenge.on, on, f"the {rule.label} {challenge.id}")
    if rule.gathered_by is None:
        raise Refusal("Under this policy nobody has to gather papers first.", remains="Decide it with decide_appeal.")
    authorise(rule.gathered_by, actor=actor, case=case, policy=policy, on=on, act="pass the papers on")
    to = policy.office(rule.decided_by.offices[0])
    return decided(
        _with(case, challenge.model_copy(update={"passed_on": on})),
        f"Papers of {challenge.id} passed to the {to}.",
        cites=rule.gathered_by.sources,
    )


def decide_appeal(case: Case, command: DecideAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide an appeal: somebody other than those who took the decision, with reasons."""
    rule, on = _rule(policy), the_day(command.on, today=today)
    challenge = _pending(case, command.saw)
    _after(challenge.on, on, f"the {rule.label} {challenge.id}")
    by = _decider(case, challenge, rule, actor, policy, on)
    if rule.gathered_by and challenge.passed_on is None:
        raise Refusal(
            f"The papers of {challenge.id} have not been passed on.", cites=rule.gathered_by.sources, remains="Pass them with pass_appeal."
        )
    if command.outcome not in rule.outcomes.value:
        raise Refusal(
            f"{command.outcome} is no outcome here.", cites=rule.outcomes.sources, remains=f"One of: {', '.join(rule.outcomes.value)}."
        )
    require_findings(rule.requires, command.findings, act="decide the appeal")
    case = _apply(case, challenge, command, policy=policy, calendar=calendar, on=on)
    case, notice = owe(case, "appeal-outcome", about=challenge.id, on=on, policy=policy, by=by)
    done = challenge.model_copy(update={"decided_on": on, "outcome": command.outcome, "notice": notice, "reasons": command.reasons})
    due = answer_due(case, challenge, policy, calendar)
    late = f" The answer was due on {in_words(due.date)}." if due and on > due.date else ""
    return decided(
        _with(case, done),
        f"{rule.label.capitalize()} {challenge.id} decided: {command.outcome}.{late}",
        cites=(*rule.decided_by.sources, *rule.outcomes.sources),
    )


def _decider(case: Case, challenge: Challenge, rule: AppealRule, actor: Actor, policy: Policy, on: date) -> Signature:
    forbid(rule.never_by, actor=actor, policy=policy, act="decide an appeal")
    by = authorise(rule.decided_by, actor=actor, case=case, policy=policy, on=on, act="decide an appeal")
    target = next(one for one in appealable(case) if one.id == challenge.against)
    if rule.independent.value and any(one.human == by.human for one in target.signatures):
        raise Refusal(
            "Nobody decides an appeal against a decision that he or she took, approved or proposed.",
            cites=(*rule.independent.sources, "DEF-20"),
            remains="A deputy, or somebody at the same or a higher level, decides it.",
        )
    return by


def _apply(case: Case, challenge: Challenge, command: DecideAppeal, *, policy: Policy, calendar: Calendar, on: date) -> Case:
    target = next(one for one in appealable(case) if one.id == challenge.against)
    sanction = case.sanction(target.id if isinstance(target, Sanction) else target.sanction)
    if sanction is None or not sanction.in_force or command.outcome in ("uphold", "confirm"):
        return case
    left = tuple(one for one in sanction.terms.restrictions if challenge.only and one.type not in challenge.only)
    if command.outcome in ("withdraw", "remove") and not left:
        ended = sanction.model_copy(update={"ended_on": on, "ended_how": "appeal"})
        return case.model_copy(update={"sanctions": with_item(case.sanctions, ended)})
    if command.outcome in ("withdraw", "remove"):
        command = command.model_copy(update={"restrictions": left})
    terms = _amended(case, sanction, command, policy=policy, calendar=calendar, on=on)
    return case.model_copy(update={"sanctions": with_item(case.sanctions, sanction.model_copy(update={"terms": terms}))})


def _amended(case: Case, sanction: Sanction, command: DecideAppeal, *, policy: Policy, calendar: Calendar, on: date) -> Terms:
    if not command.restrictions and command.until is None:
        raise Refusal(
            "An outcome that changes the conditions says how: restrictions or until is missing.", cites=_rule(policy).outcomes.sources
        )
    _no_worse(sanction, command, _rule(policy))
    update: dict[str, object] = {
        "restrictions": command.restrictions or sanction.terms.restrictions,
        "until": command.until or sanction.terms.until,
    }
    terms = sanction.terms.model_copy(update=update)
    check_restrictions(case, terms.restrictions, terms=terms, policy=policy)
    if command.until and not (sanction.terms.until and on < command.until <= sanction.terms.until):
        check_length(terms.restrictions, terms.until, policy=policy, calendar=calendar, on=on)
    return terms


def _no_worse(sanction: Sanction, command: DecideAppeal, rule: AppealRule) -> None:
    """Refuses an outcome that leaves the customer worse off than the decision appealed against: no further appeal would follow (DEF-11)."""
    had = {one.type: one for one in sanction.terms.restrictions}
    worse = [one.type for one in command.restrictions if one.type not in had or tightens(had[one.type], one)]
    longer = command.until is not None and sanction.terms.until is not None and command.until > sanction.terms.until
    if (worse and len(command.restrictions) >= len(had)) or longer:
        said = f"limits more: {', '.join(worse)}" if worse else "runs longer"
        raise Refusal(
            f"The outcome {said}; an appeal opens no further right against that.",
            cites=(*rule.outcomes.sources, "DEF-11"),
            remains="A fresh decision by those who take it.",
        )


def _seen(case: Case, saw: str | None) -> Challenge:
    found = next((one for one in case.challenges if one.id == saw), None)
    if found is None:
        pending = ", ".join(one.id for one in case.challenges if one.pending)
        raise Refusal(
            "saw must name the appeal you read.", kind="stale", remains=f"Pending: {pending}." if pending else "No appeal is pending."
        )
    return found


def _pending(case: Case, saw: str | None) -> Challenge:
    challenge = _seen(case, saw)
    if challenge.awaiting_lateness:
        raise Refusal(f"{challenge.id} is late: it must first be let in or declined.", kind="stale")
    if not challenge.pending:
        raise Refusal(f"{challenge.id} is already {challenge.outcome or challenge.late_decision}.", kind="stale")
    return challenge


def _with(case: Case, challenge: Challenge) -> Case:
    return case.model_copy(update={"challenges": with_item(case.challenges, challenge)})
