"""The appeals of a case: the one an act names, whether it waits, and the case with it changed."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Challenge, with_item
from domain.decision import Refusal


def not_before(earlier: date, on: date, what: str) -> None:
    """Refuses an act dated before what it answers."""
    if on < earlier:
        raise Refusal(f"on is {on.isoformat()}, before {what} of {earlier.isoformat()}.", remains="Enter the day it really happened.")


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
