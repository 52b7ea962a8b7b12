"""The answer to a customer's challenge: papers passed on, decided by somebody else or at a meeting, at each stage, and what it changes."""

from __future__ import annotations

from datetime import date

from domain.appeal_rules import AppealRule
from domain.case import Case, Challenge, Sanction, Signature, Terms, Warning, with_item
from domain.challenges import heard_here, not_before, pending, with_challenge
from domain.clocks import answer_due
from domain.commands import DecideAppeal, PassAppeal
from domain.committee import deciders, deciding_day, sitting
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, named, require_findings, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy
from domain.restrictions import tightens
from domain.rights import (
    NOT_ADMISSIBLE,
    appeal_rule_of,
    sanction_under,
    signed,
    target_of,
)
from domain.terms import check_length, check_restrictions


def pass_appeal(case: Case, command: PassAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Pass the papers on the decision and the appeal to whoever decides it."""
    on = the_day(command.on, today=today)
    heard_here(policy)
    challenge = pending(case, command.saw)
    rule = appeal_rule_of(case, challenge, policy)
    not_before(challenge.on, on, f"the {rule.label} {challenge.id}")
    if rule.gathered_by is None:
        raise Refusal("Under this policy nobody has to gather papers first.", remains="Decide it with decide_appeal.")
    authorise(rule.gathered_by, actor=actor, case=case, policy=policy, on=on, act="pass the papers on")
    to = named(rule.decided_by, policy)
    return decided(
        with_challenge(case, challenge.model_copy(update={"passed_on": on})),
        f"Papers of {challenge.id} passed to {to}.",
        cites=rule.gathered_by.sources,
    )


def decide_appeal(case: Case, command: DecideAppeal, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide an appeal: somebody other than those who took the decision, with reasons."""
    heard_here(policy)
    challenge = pending(case, command.saw)
    rule = appeal_rule_of(case, challenge, policy)
    on = deciding_day(command, rule.committee, today=today)
    not_before(challenge.on, on, f"the {rule.label} {challenge.id}")
    signatures = _deciders(case, challenge, rule, command, actor, policy, on)
    if rule.gathered_by and challenge.passed_on is None:
        raise Refusal(
            f"The papers of {challenge.id} have not been passed on.", cites=rule.gathered_by.sources, remains="Pass them with pass_appeal."
        )
    _possible_outcome(command, rule)
    if command.outcome != NOT_ADMISSIBLE:
        require_findings(rule.requires, command.findings, act="decide the appeal")
    case = _apply(case, challenge, command, policy=policy, calendar=calendar, on=on)
    case, notice = owe(case, "appeal-outcome", about=challenge.id, on=on, policy=policy, by=signatures[0])
    facts = {"signatures": signatures, "sitting": sitting(rule.committee, command)}
    done = challenge.model_copy(
        update={"decided_on": on, "outcome": command.outcome, "notice": notice, "reasons": command.reasons, **facts}
    )
    due = answer_due(case, challenge, policy, calendar)
    late = f" The answer was due on {in_words(due.date)}." if due and on > due.date else ""
    return decided(
        with_challenge(case, done),
        f"{rule.label.capitalize()} {challenge.id} decided: {command.outcome}.{late}",
        cites=(*rule.decided_by.sources, *rule.outcomes.sources),
    )


def _possible_outcome(command: DecideAppeal, rule: AppealRule) -> None:
    if command.outcome == NOT_ADMISSIBLE and not rule.only_on:
        raise Refusal("This policy does not limit the grounds; every appeal is answered.", cites=rule.grounds.sources)
    if command.outcome != NOT_ADMISSIBLE and command.outcome not in rule.outcomes.value:
        raise Refusal(
            f"{command.outcome} is no outcome here.", cites=rule.outcomes.sources, remains=f"One of: {', '.join(rule.outcomes.value)}."
        )


def _deciders(
    case: Case, challenge: Challenge, rule: AppealRule, command: DecideAppeal, actor: Actor, policy: Policy, on: date
) -> tuple[Signature, ...]:
    signatures = deciders(
        rule.decided_by,
        rule.committee,
        command,
        never=rule.never_by,
        actor=actor,
        case=case,
        policy=policy,
        on=on,
        act="decide an appeal",
    )
    before = [one for one in case.challenges if one.against == challenge.against and one.stage < challenge.stage]
    taken = {one.human for one in signed(target_of(case, challenge))}
    answered = {one.human for earlier in before for one in earlier.signatures}
    for by in signatures:
        if rule.independent.value and by.human in taken:
            raise Refusal(
                "Nobody decides an appeal against a decision that he or she took, approved or proposed.",
                cites=(*rule.independent.sources, "DEF-20"),
                remains="A deputy, or somebody at the same or a higher level, decides it.",
            )
        if rule.independent.value and by.human in answered:
            raise Refusal(
                "Nobody decides an appeal who decided it at an earlier stage.",
                cites=(*rule.independent.sources, "DEF-20"),
                remains="Somebody who decided none of the stages before.",
            )
    return signatures


def _apply(case: Case, challenge: Challenge, command: DecideAppeal, *, policy: Policy, calendar: Calendar, on: date) -> Case:
    target = target_of(case, challenge)
    if isinstance(target, Warning):
        return _warning_answered(case, target, command, on)
    sanction = sanction_under(case, target)
    if sanction is None or not sanction.in_force or command.outcome in ("uphold", "confirm", NOT_ADMISSIBLE):
        return case
    left = tuple(one for one in sanction.terms.restrictions if challenge.only and one.type not in challenge.only)
    if command.outcome in ("withdraw", "remove") and not left:
        ended = sanction.model_copy(update={"ended_on": on, "ended_how": "appeal"})
        return case.model_copy(update={"sanctions": with_item(case.sanctions, ended)})
    if command.outcome in ("withdraw", "remove"):
        command = command.model_copy(update={"restrictions": left})
    terms = _amended(case, sanction, command, appeal_rule_of(case, challenge, policy), policy=policy, calendar=calendar, on=on)
    return case.model_copy(update={"sanctions": with_item(case.sanctions, sanction.model_copy(update={"terms": terms}))})


def _warning_answered(case: Case, warning: Warning, command: DecideAppeal, on: date) -> Case:
    """Returns the case after an appeal against a warning: it stands, or from now on supports nothing."""
    if command.outcome in ("vary", "amend"):
        raise Refusal("A warning stands or is withdrawn; there is nothing in it to change.", remains="uphold or withdraw.")
    if command.outcome in ("uphold", "confirm", NOT_ADMISSIBLE):
        return case
    return case.model_copy(update={"warnings": with_item(case.warnings, warning.model_copy(update={"withdrawn_on": on}))})


def _amended(
    case: Case, sanction: Sanction, command: DecideAppeal, rule: AppealRule, *, policy: Policy, calendar: Calendar, on: date
) -> Terms:
    if not command.restrictions and command.until is None:
        raise Refusal("An outcome that changes the conditions says how: restrictions or until is missing.", cites=rule.outcomes.sources)
    _no_worse(sanction, command, rule)
    update: dict[str, object] = {
        "restrictions": command.restrictions or sanction.terms.restrictions,
        "until": command.until or sanction.terms.until,
    }
    terms = sanction.terms.model_copy(update=update)
    check_restrictions(case, terms.restrictions, terms=terms, policy=policy)
    if command.until and not (sanction.terms.until and on < command.until <= sanction.terms.until):
        check_length(case, terms.restrictions, terms.until, of=sanction, policy=policy, calendar=calendar, on=on)
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
