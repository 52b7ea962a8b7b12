"""The review a customer may ask for: one counter a period, however the request arrives (PCC-57, PCC-66, PCC-82)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Challenge, Medium, ReviewRequest, Sanction, next_id, with_item
from domain.decision import Refusal
from domain.policy import Policy, Requested
from domain.rights import sanction_under, target_of


def running_on(case: Case, sanction: Sanction, on: date) -> bool:
    """Returns whether a sanction's restrictions ran on a day, so that late entry of a timely act counts."""
    last = sanction.ended_on or sanction.terms.until or date.max
    return sanction.limits and sanction.decided_on <= on <= last


def count_request(
    case: Case, sanction: Sanction, *, rule: Requested, on: date, medium: Medium, grounds: str | None, from_appeal: str | None = None
) -> Case:
    """Returns the case with a request counted against the sanction's period."""
    request = ReviewRequest(
        id=next_id("q", case.requests), sanction=sanction.id, on=on, medium=medium, grounds=grounds, from_appeal=from_appeal
    )
    used = sanction.model_copy(update={"requests_used": sanction.requests_used + 1})
    return case.model_copy(update={"requests": (*case.requests, request), "sanctions": with_item(case.sanctions, used)})


def used_up(sanction: Sanction, rule: Requested) -> bool:
    return sanction.requests_used >= rule.per_period.value


def request_from_appeal(case: Case, challenge: Challenge, *, policy: Policy, on: date) -> Case:
    """Returns the case where a declined late appeal became the requested review; refused if that was already used."""
    rule = policy.review.requested
    sanction = sanction_under(case, target_of(case, challenge))
    if rule is None or sanction is None or not running_on(case, sanction, on):
        raise Refusal("There is no requested review for this appeal to become.", remains="Decline it without customer_agrees_to_review.")
    if used_up(sanction, rule):
        raise Refusal(
            "The one review of this period has already been asked for.",
            cites=rule.per_period.sources,
            remains="Decline it without customer_agrees_to_review; the body may review of its own motion.",
        )
    return count_request(case, sanction, rule=rule, on=on, medium=challenge.medium, grounds=challenge.grounds, from_appeal=challenge.id)
