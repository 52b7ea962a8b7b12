"""A customer is told of a review that is coming; no policy asks for it, so a body chooses it (EH-120)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from domain.case import Case
from domain.days import Calendar
from domain.notices import owe
from domain.policy import CHOSEN_LETTERS, Policy
from domain.review_clocks import review_due


def with_house_letters(policy: Policy, chosen: Iterable[str]) -> Policy:
    """Returns a policy with the house letters that a body has chosen; one that the policy file words itself stays as it is."""
    added = {kind: rule for kind, rule in CHOSEN_LETTERS.items() if kind in tuple(chosen) and policy.letter(kind) is None}
    return policy.model_copy(update={"notices": {**policy.notices, **added}}) if added else policy


def tell_of_review(case: Case, sanction: str, *, policy: Policy, calendar: Calendar, today: date) -> Case:
    """Returns the case owing the letter, where it is chosen and the review still lies ahead: nobody is asked for what comes too late."""
    found = case.sanction(sanction)
    due = review_due(case, found, policy, calendar) if found else None
    if due is None or due.date <= today:
        return case
    case, _ = owe(case, "review-coming", about=sanction, on=today, policy=policy)
    return case
