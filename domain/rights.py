"""Whether the customer's right to challenge a decision has been used."""

from __future__ import annotations

from domain.case import Case, Challenge, Review, Sanction
from domain.policy import AppealRule


def used_by(case: Case, target: Sanction | Review, rule: AppealRule) -> Challenge | None:
    """Returns the challenge that used up this right: one a decision, or one a stage of the policy (NE-48)."""
    return next((one for one in case.challenges if _same_right(case, one, target, rule)), None)


def _same_right(case: Case, earlier: Challenge, target: Sanction | Review, rule: AppealRule) -> bool:
    if rule.number.value == "one-per-decision":
        return earlier.against == target.id
    before = case.sanction(earlier.against)
    return isinstance(target, Sanction) and before is not None and before.disengages == target.disengages
