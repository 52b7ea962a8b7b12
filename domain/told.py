"""Dates that customers were told: which letters print them, whom a move of each favours, who decides on one that would harm.

A date never moves to the customer's disadvantage without a person's decision; get the sides wrong and it does."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from domain.appeal_rules import AppealRule
from domain.case import Case, Notice, Review, Sanction, Warning
from domain.counting import MovedDate
from domain.days import Reckoned
from domain.deadlines import Deadline, deadline
from domain.policy import Part, Policy
from domain.rights import each_stage, rule_for, target_of
from domain.rules import Who

AS_TOLD = "EH-31"
"""A date a customer was told moves to the customer's disadvantage only by a person's decision."""


class Told(NamedTuple):
    """One kind of date as letters print it, and the direction that favours the customer."""

    part: Part
    words: str
    better: Literal["earlier", "later"]


TOLD: dict[str, Told] = {
    "appeal-closes": Told("appeal", "the last day on which you can ask us to look at our decision again", "later"),
    "answer-due": Told("answer-due", "the day by which we answer you", "earlier"),
    "review-due": Told("review-date", "the day on which we review the restrictions", "earlier"),
    "restrictions-end": Told("until", "the day on which the restrictions end", "earlier"),
}
"""More time to appeal favours the customer; so does an earlier answer, an earlier review, an earlier end. Every other deadline is
the body's own and stands in no letter."""


def favours_customer(kind: str, was: date, becomes: date) -> bool:
    """Returns whether a move of a told date is to the customer's advantage."""
    return becomes > was if TOLD[kind].better == "later" else becomes < was


def told_in(case: Case, policy: Policy, kind: str, ref: str) -> Notice | None:
    """Returns the last letter that went to the customer and prints this date, or None."""
    if kind not in TOLD:
        return None
    decisions: tuple[Sanction | Review | Warning, ...] = (*case.sanctions, *case.reviews, *case.warnings)
    target = next((one for one in decisions if one.id == ref), None)
    about = {ref, *([target.notice] if target else ())}
    reviews = {one.id for one in case.reviews if one.sanction == ref} if kind != "appeal-closes" else set()
    letters = [one for one in case.notices if one.status == "sent" and (one.about in about | reviews or one.id in about)]
    printed = {TOLD[kind].part, *(["next-stage"] if kind == "appeal-closes" else [])}
    prints = [one for one in letters if any(part.part in printed for part in policy.notice(one.kind).parts)]
    return prints[-1] if prints else None


def decider(case: Case, kind: str, ref: str, policy: Policy) -> Who:
    """Returns who decides whether a told date of this kind may move: those whose own time or decision it is."""
    rule = _rule_behind(case, ref, policy) if kind in ("appeal-closes", "answer-due") else None
    if rule:
        late = rule.late_decided_by if kind == "appeal-closes" else None
        return late or rule.decided_by
    if kind == "restrictions-end":
        return next(iter(policy.decision.sign_offs.values())).decided_by
    return policy.review.by


def _rule_behind(case: Case, ref: str, policy: Policy) -> AppealRule | None:
    """Returns the rule of the appeal behind a date: of the challenge that is pending, of the stage its answer opens, of the first stage."""
    challenge = next((one for one in case.challenges if one.id == ref), None)
    if challenge is None:
        return policy.warning.appeal if any(one.id == ref for one in case.warnings) else policy.appeal
    rule = rule_for(case, challenge, policy)
    following = (one.rule for one in each_stage(case, target_of(case, challenge), policy) if one.before and one.before.id == ref)
    return next(following, None) if rule and challenge.decided_on else rule


Key = tuple[str, str, date]


def standing_dates(case: Case) -> dict[Key, date]:
    """Returns the dates that stand although the present table says otherwise: (kind, ref, what it says) to what stands."""
    return {(one.kind, one.ref, one.becomes): one.was for one in present_table(case) if one.stands != "moved"}


def present_table(case: Case) -> tuple[MovedDate, ...]:
    """Returns what the table that the case counts with now did to its dates: it settles what earlier tables left open."""
    return next((one.moved for one in reversed(case.changes) if one.why == "calendar"), ())


def as_it_stands(case: Case, kind: str, ref: str, reckoned: Reckoned) -> Reckoned:
    """Returns a date as it stands: what was told, or had passed, when the table changed is not moved by it."""
    was = standing_dates(case).get((kind, ref, reckoned.date)) if case.changes else None
    if was is None:
        return reckoned
    rule = f"{reckoned.rule}; stays as it stood, although the present calendar gives {reckoned.date.isoformat()}"
    return reckoned.model_copy(update={"date": was, "rule": rule, "defaults": (*reckoned.defaults, AS_TOLD)})


REVIEWS = ("review-due", "review-overdue")


def deadline_as_it_stands(case: Case, one: Deadline) -> Deadline:
    """Returns a deadline at the date that stands; a review's stands already (domain/review_clocks.py)."""
    if one.kind in REVIEWS:
        return one
    reckoned = as_it_stands(case, one.kind, one.ref, one.reckoned)
    return one if reckoned is one.reckoned else deadline(one.kind, one.ref, reckoned, at_end=one.fires != one.reckoned.date)
