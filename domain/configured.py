"""What the text leaves to the body must be there before a customer is told of it: a right that nobody can serve is none (A-20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.appeal_rules import AppealRule
from domain.case import Signature
from domain.decision import Refusal
from domain.people import Actor
from domain.policy import Policy
from domain.rules import Who

CONFIGURED_FIRST = frozenset({"A-20", "A-34"})
"""Defaults that say the body configures somebody, where the text names nobody."""


def require_configured(policy: Policy, actor: Actor, signatures: tuple[Signature, ...]) -> None:
    """Refuses a decision while nobody holds the post, left open by the text, that would decide its appeal or review (A-20, A-34)."""
    _require(_left_open(policy), policy, actor, signatures)


def require_configured_for_warning(policy: Policy, actor: Actor, by: Signature) -> None:
    """Refuses a warning while nobody holds the post, left open by the text, that would hear an appeal against it (A-34)."""
    _require(_hearing(policy.warning.appeal, policy), policy, actor, (by,))


def _require(posts: Iterable[tuple[Who, str]], policy: Policy, actor: Actor, signatures: tuple[Signature, ...]) -> None:
    for who, act in posts:
        if who.offices and not _somebody_else(who, actor, signatures):
            offices = " or ".join(policy.office(office) for office in who.offices)
            raise Refusal(
                f"The text does not say who may {act}, and the body has not said so either: nobody else is {offices} today.",
                cites=who.sources,
                remains="The body puts somebody in that place on its staff list; evenhand policy check --body shows what is missing.",
            )


def _left_open(policy: Policy) -> Iterator[tuple[Who, str]]:
    yield from _hearing(policy.appeal, policy)
    for review in (policy.review, policy.disengagement_review):
        if review and _empty(review.by, policy):
            yield review.by, "hold the review"


def _hearing(appeal: AppealRule | None, policy: Policy) -> Iterator[tuple[Who, str]]:
    for rule in appeal.stages if appeal else ():
        if _empty(rule.decided_by, policy):
            yield rule.decided_by, f"decide the {rule.label}"


def _empty(who: Who, policy: Policy) -> bool:
    """Returns whether the text leaves the post to the body: by one of these defaults, or because no clause knows the office at all."""
    unknown = [office for office in who.offices if office in policy.offices and not policy.offices[office].cites]
    return who.default in CONFIGURED_FIRST or bool(unknown and len(unknown) == len(who.offices))


def _somebody_else(who: Who, actor: Actor, signatures: tuple[Signature, ...]) -> bool:
    signed = {one.human for one in signatures}
    holders = {one.human for one in actor.staff.people if set(who.offices) & {*one.offices, *one.deputises}}
    return bool(holders - signed)
