"""What of a letter is the body's practice: a part that only a default puts there, or one that a default fills beside its clause."""

from __future__ import annotations

from domain.appeal_rules import AppealRule
from domain.policy import NoticePart, Part, Policy
from domain.rules import Period

TELLING = frozenset({"DEF-14", "DEF-21"})
"""Defaults that put what a clause says into a letter, and change nothing of it."""


def is_practice(part: NoticePart) -> bool:
    """Returns whether no clause puts this part into the letter."""
    return not part.cites


def is_partly_practice(part: NoticePart, policy: Policy, *, disengages: bool, appeal: AppealRule | None = None) -> bool:
    """Returns whether a clause puts it there and a default says how it is read, or from which day its time is counted.

    `appeal` is the rule of the appeal that the letter is about, where it is not the first one of the policy."""
    counted = _counted(part.part, policy, appeal or policy.appeal, disengages=disengages)
    filled = {part.default, *(default for period in counted if period for default in period.defaults)}
    if part.part == "review-date":
        review = policy.review_of(disengages=disengages)
        filled |= {rule.default for rule in (review.each_decision, review.at_meeting) if rule}
    if part.part == "ombudsman" and not policy.ombudsman.cites:
        filled |= {policy.ombudsman.default}
    return bool(part.cites and filled - TELLING - {None})


def _counted(part: Part, policy: Policy, appeal: AppealRule | None, *, disengages: bool) -> tuple[Period | None, ...]:
    """Returns the periods from which a part takes its day."""
    review, length = policy.review_of(disengages=disengages), policy.decision.length
    match part:
        case "appeal":
            return (appeal.window if appeal else None,)
        case "next-stage":
            return (appeal.then.window if appeal and appeal.then else None,)
        case "appeal-outside":
            return (policy.appeal_outside.window if policy.appeal_outside else None,)
        case "answer-due":
            return (appeal.answer if appeal else None,)
        case "until":
            return (length.period, *length.by_heading.values(), *length.by_restriction.values(), *length.by_earlier)
        case "review-date":
            return (review.chosen or review.cycle,)
        case "clear-time":
            return (review.outcomes["lift"].clear_time,)
        case _:
            return ()
