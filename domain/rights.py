"""What a customer may still challenge, at which stage, and whether that right has been used. Until when: domain/clocks.py."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from domain.appeal_rules import AppealRule
from domain.case import Case, Challenge, Review, Sanction, Signature, Warning
from domain.policy import Policy

Target = Sanction | Review | Warning
"""What may be appealed against: a sanction, a review that opened a fresh right, a warning where the policy says so."""
NOT_ADMISSIBLE = "not-admissible"
UNDONE = "undone"
"""What became of an appeal against a decision that was a mistake: nobody decided it, and there is nothing left to decide."""


class Right(NamedTuple):
    """The right that is open, or was used last, against one decision: the stage, its rule, and the answer it is against."""

    rule: AppealRule
    stage: int = 1
    before: Challenge | None = None

    def ref(self, target: Target) -> str:
        """Returns the id of what it is against: the decision, or the answer of the stage before."""
        return self.before.id if self.before else target.id


def appealable(case: Case, policy: Policy) -> tuple[Target, ...]:
    """Returns the decisions a customer may challenge, the earliest first."""
    warnings = case.warnings if policy.warning.appeal else ()
    found: tuple[Target, ...] = (*warnings, *case.sanctions, *(review for review in case.reviews if review.fresh_appeal))
    return tuple(sorted(found, key=day_of))


def day_of(target: Target) -> date:
    return target.decided_on if isinstance(target, Sanction) else target.on


def signed(target: Target) -> tuple[Signature, ...]:
    """Returns those who took, approved or proposed what is challenged."""
    return (target.by,) if isinstance(target, Warning) else target.signatures


def target_of(case: Case, challenge: Challenge) -> Target:
    """Returns what a challenge is against, whatever the present edition lets be challenged."""
    targets: tuple[Target, ...] = (*case.warnings, *case.sanctions, *case.reviews)
    return next(one for one in targets if one.id == challenge.against)


def sanction_under(case: Case, target: Target) -> Sanction | None:
    """Returns the sanction that a challenge to this would change; none for a warning."""
    if isinstance(target, Warning):
        return None
    return case.sanction(target.id if isinstance(target, Sanction) else target.sanction)


def first_rule(target: Target, policy: Policy) -> AppealRule | None:
    return policy.warning.appeal if isinstance(target, Warning) else policy.appeal


def has_stage(policy: Policy, target: Target, number: int) -> bool:
    """Returns whether an edition itself gives a stage of the right against such a decision."""
    rule = first_rule(target, policy)
    return rule is not None and len(rule.stages) >= number


def rule_for(case: Case, challenge: Challenge, policy: Policy) -> AppealRule | None:
    """Returns the rule under which a challenge is heard: its target's, at its stage; None where the edition gives no such right."""
    target = target_of(case, challenge)
    heard = next((one.rule for one in each_stage(case, target, policy) if one.stage == challenge.stage), None)
    rule = first_rule(target, policy)
    return heard or (rule.stage(challenge.stage) if rule else None)


def appeal_rule_of(case: Case, challenge: Challenge, policy: Policy) -> AppealRule:
    """Returns the rule under which a pending challenge is heard: no move to another edition leaves one without."""
    rule = rule_for(case, challenge, policy)
    assert rule is not None
    return rule


def right_to(case: Case, target: Target, policy: Policy) -> Right | None:
    """Returns the right against a decision as it stands now: each answered stage opens the next, where there is one."""
    return next(reversed(each_stage(case, target, policy)), None)


def _opens_next(answered: Challenge) -> bool:
    gone = answered.outcome in ("withdraw", "remove", UNDONE) and not answered.only
    return answered.decided_on is not None and answered.outcome != NOT_ADMISSIBLE and not gone


def used_by(case: Case, target: Target, right: Right) -> Challenge | None:
    """Returns the challenge that used up this right: one a decision, or one a stage of the policy (NE-48).

    One that a person answered as not admissible used up nothing."""
    counted = [one for one in case.challenges if one.stage == right.stage and one.outcome != NOT_ADMISSIBLE]
    return next((one for one in counted if _same_right(case, one, target, right.rule)), None)


def _same_right(case: Case, earlier: Challenge, target: Target, rule: AppealRule) -> bool:
    if rule.number.value == "one-per-decision":
        return earlier.against == target.id
    before = case.sanction(earlier.against)
    return isinstance(target, Sanction) and before is not None and before.disengages == target.disengages


def each_stage(case: Case, target: Target, policy: Policy) -> tuple[Right, ...]:
    """Returns the right of every stage that has been opened against a decision, the first one first.

    A stage that was open when the case moved to an edition without it goes on under the rule it had."""
    first = first_rule(target, policy)
    rights = [Right(first)] if first else []
    for one in case.challenges if first else ():
        last = rights[-1]
        then = last.rule.then or _kept_stage(case, one)
        if then and one.against == target.id and one.stage == last.stage and _opens_next(one):
            rights.append(Right(then, last.stage + 1, one))
    return tuple(rights)


def _kept_stage(case: Case, answered: Challenge) -> AppealRule | None:
    counted = case.counted_under("appeal", answered.id)
    return counted.heard if counted else None


def warning_appeal_pending(case: Case, policy: Policy) -> Challenge | None:
    """Returns an appeal against a warning that has not been answered."""
    warnings = {one.id for one in case.warnings} if policy.warning.appeal else set()
    return next((one for one in case.challenges if one.pending and one.against in warnings), None)
