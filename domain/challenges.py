"""The appeals of a case: the one an act names, whether it waits, and the case with it changed."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Challenge, with_item
from domain.decision import Refusal
from domain.policy import Policy


def not_before(earlier: date, on: date, what: str) -> None:
    """Refuses an act dated before what it answers."""
    if on < earlier:
        raise Refusal(f"on is {on.isoformat()}, before {what} of {earlier.isoformat()}.", remains="Enter the day it really happened.")


def no_appeal(policy: Policy) -> Refusal:
    """Returns the refusal where the body itself hears no appeal: it names who does (DEF-16)."""
    outside = policy.appeal_outside
    if outside is None:
        return Refusal("This policy gives no appeal.", cites=policy.ombudsman.sources, remains="The body's complaints procedure.")
    return Refusal(f"This body hears no appeal; {outside.to} does.", cites=outside.sources, remains=outside.how)


def heard_here(policy: Policy) -> None:
    """Refuses an act on an appeal where the body hears none."""
    if policy.appeal is None and policy.warning.appeal is None:
        raise no_appeal(policy)


def seen(case: Case, saw: str | None) -> Challenge:
    """Returns the appeal that an act names; refuses one that is not there."""
    found = next((one for one in case.challenges if one.id == saw), None)
    if found is None:
        waiting = ", ".join(one.id for one in case.challenges if one.pending)
        raise Refusal(
            "saw must name the appeal you read.", kind="stale", remains=f"Pending: {waiting}." if waiting else "No appeal is pending."
        )
    return found


def pending(case: Case, saw: str | None) -> Challenge:
    """Returns the appeal that an act names, let in and not yet answered."""
    challenge = seen(case, saw)
    if challenge.awaiting_lateness:
        raise Refusal(f"{challenge.id} is late: it must first be let in or declined.", kind="stale")
    if not challenge.pending:
        raise Refusal(f"{challenge.id} is already {challenge.outcome or challenge.late_decision}.", kind="stale")
    return challenge


def with_challenge(case: Case, challenge: Challenge) -> Case:
    """Returns the case with one appeal changed."""
    return case.model_copy(update={"challenges": with_item(case.challenges, challenge)})
