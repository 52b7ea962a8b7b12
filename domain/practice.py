"""What of a letter is the body's practice: a part that only a default puts there, or one that a default fills beside its clause."""

from __future__ import annotations

from domain.policy import NoticePart, Part, Policy
from domain.rules import Period

TELLING = frozenset({"DEF-14", "DEF-21"})
"""Defaults that put what a clause says into a letter, and change nothing of it."""


def is_practice(part: NoticePart) -> bool:
    """Returns whether no clause puts this part into the letter."""
    return not part.cites


def is_partly_practice(part: NoticePart, policy: Policy, *, disengages: bool) -> bool:
    """Returns whether a clause puts it there and a default says how it is read, or from which day its time is counted."""
    period = _counted(part.part, policy, disengages=disengages)
    filled = {part.default, *(period.defaults if period else ())} - TELLING - {None}
    return bool(part.cites and filled)


def _counted(part: Part, policy: Policy, *, disengages: bool) -> Period | None:
    """Returns the period from which a part takes its day."""
    review = policy.review_of(disengages=disengages)
    match part:
        case "appeal":
            return policy.appeal.window if policy.appeal else None
        case "answer-due":
            return policy.appeal.answer if policy.appeal else None
        case "until":
            return policy.decision.length.period
        case "review-date":
            return review.chosen or review.cycle
        case "clear-time":
            return review.outcomes["lift"].clear_time
        case _:
            return None
