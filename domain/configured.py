"""What the text leaves to the body must be there before a customer is told of it: a right that nobody can serve is none (A-20)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.case import Signature
from domain.decision import Refusal
from domain.people import Actor
from domain.policy import Policy
from domain.rules import Who

CONFIGURED_FIRST = frozenset({"A-20"})
"""Defaults that say the body configures somebody, where the text names nobody."""


def require_configured(policy: Policy, actor: Actor, signatures: tuple[Signature, ...]) -> None:
    """Refuses a decision while nobody holds the office, left open by the text, that would decide its appeal or review."""
    for who, act in _left_open(policy):
        if who.offices and not _somebody_else(who, actor, signatures):
            offices = " or ".join(policy.office(office) for office in who.offices)
            raise Refusal(
                f"The text does not say who may {act}, and the body has not said so either: nobody else is {offices} today.",
                cites=who.sources,
                remains="The body puts somebody in that place on its staff list; evenhand policy check --body shows what is missing.",
            )


def _left_open(policy: Policy) -> Iterator[tuple[Who, str]]:
    for rule in policy.appeal.stages if policy.appeal else ():
        if rule.decided_by.default in CONFIGURED_FIRST:
            yield rule.decided_by, f"decide the {rule.label}"
    if policy.review.by.default in CONFIGURED_FIRST:
        yield policy.review.by, "hold the review"


def _somebody_else(who: Who, actor: Actor, signatures: tuple[Signature, ...]) -> bool:
    signed = {one.human for one in signatures}
    holders = {one.human for one in actor.staff.people if set(who.offices) & {*one.offices, *one.deputises}}
    return bool(holders - signed)
