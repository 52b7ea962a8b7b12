"""A case's life as marks on a line of time: what happened, what was in force, until when. References and dates only, nobody's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from domain.case import Case, Challenge, Review, Sanction
from domain.clocks import open_deadlines, windows
from domain.days import Calendar
from domain.model import State
from domain.notices import reached_on
from domain.policy import Policy

Lane = Literal["happened", "restrictions", "windows", "appeals", "reviews", "letters"]
LANES: dict[Lane, str] = {
    "happened": "What happened",
    "restrictions": "Restrictions",
    "windows": "Time to appeal",
    "appeals": "Appeals",
    "reviews": "Reviews",
    "letters": "Letters",
}
OPENED = "open"
Form = Literal["done", "waits", "missed", "untold"]
"""Done or in force; still to come or not sent; missed; decided while the customer is not told."""


class Mark(State):
    """One thing on the line: a day, or a stretch of days (`until`, or open-ended where it still runs)."""

    lane: Lane
    ref: str
    on: date
    until: date | None = None
    runs: bool = False
    """It goes on past the last day that is known."""
    form: Form = "done"
    what: str


def life(case: Case, policy: Policy, calendar: Calendar) -> tuple[Mark, ...]:
    """Returns every mark of a case as it stands, lane by lane, each by its day."""
    found = [
        *_happened(case),
        *(mark for one in case.sanctions for mark in _in_force(case, one)),
        *_windows(case, policy, calendar),
        *_appeals(case),
        *_reviews(case, policy, calendar),
        *_letters(case),
    ]
    order = list(LANES)
    return tuple(sorted(found, key=lambda one: (order.index(one.lane), one.on, one.ref != OPENED, len(one.ref), one.ref)))


def _happened(case: Case) -> Iterator[Mark]:
    yield Mark(
        lane="happened", ref=OPENED, on=case.opened_on, what="The case was opened" if not case.imported else "The case was taken over"
    )
    for incident in case.incidents:
        yield Mark(lane="happened", ref=incident.id, on=incident.on, what=f"Incident {incident.id}: {incident.code.replace('-', ' ')}")
    for warning in case.warnings:
        taken = f", taken back on {warning.withdrawn_on.isoformat()}" if warning.withdrawn_on else ""
        yield Mark(lane="happened", ref=warning.id, on=warning.on, what=f"Warning {warning.id}, {warning.medium.replace('-', ' ')}{taken}")
    for referral in case.referrals:
        yield Mark(lane="happened", ref="referred", on=referral.on, what="Referred for a decision")
    for taken_measure in case.measures:
        yield Mark(lane="happened", ref=taken_measure.id, on=taken_measure.on, what=f"Measure: {taken_measure.measure.replace('-', ' ')}")
    for contact in case.logged_contacts:
        if contact.departs:
            yield Mark(lane="happened", ref=contact.id, on=contact.on, what=f"A contact that departs from {', '.join(contact.departs)}")
    for moved in case.moves:
        yield Mark(lane="happened", ref=moved.id, on=moved.on, what="The case moved to another edition of the policy")
    if case.ended_without_restriction:
        ending = (case.ending or "ended").replace("-", " ")
        yield Mark(lane="happened", ref="end", on=case.ended_without_restriction, what=f"The case ended: {ending}")


def _in_force(case: Case, sanction: Sanction) -> Iterator[Mark]:
    """Yields a decision until the customer was told, and its restrictions from then on."""
    if not sanction.limits:
        yield Mark(lane="restrictions", ref=sanction.id, on=sanction.decided_on, what=f"Decision {sanction.id}, without a limit on contact")
        return
    types = ", ".join(one.type.replace("-", " ") for one in sanction.terms.restrictions)
    told, end = reached_on(case, sanction.notice), sanction.ended_on or sanction.terms.until
    never = told is None or (sanction.ended_on is not None and told > sanction.ended_on)
    if never or (told and told > sanction.decided_on):
        last = sanction.ended_on if never else told
        said = f"Decision {sanction.id}: {types}; the customer not yet told"
        yield Mark(lane="restrictions", ref=sanction.id, on=sanction.decided_on, until=last, runs=last is None, form="untold", what=said)
    if told and not never:
        how = f"; ended: {(sanction.ended_how or '').replace('-', ' ')}" if sanction.ended_on else "" if end else "; no end set"
        yield Mark(lane="restrictions", ref=sanction.id, on=told, until=end, runs=end is None, what=f"{sanction.id} in force: {types}{how}")


def _windows(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Mark]:
    for ref, closes in windows(case, policy, calendar):
        said = f"Time to appeal against {ref}: {closes.rule}" + ("; known so far" if closes.provisional else "")
        yield Mark(lane="windows", ref=ref, on=closes.start, until=closes.date, what=said)


def _appeals(case: Case) -> Iterator[Mark]:
    for one in case.challenges:
        ends = one.decided_on or (one.on if one.late_decision == "declined" else None)
        said = f"Challenge {one.id} against {one.against}: {_outcome(one)}"
        yield Mark(lane="appeals", ref=one.id, on=one.on, until=ends, runs=ends is None, form="done" if ends else "waits", what=said)
    for request in case.requests:
        done = next((review.on for review in case.reviews if review.id == request.done), None)
        said = f"Request {request.id} for a review of {request.sanction}"
        yield Mark(
            lane="appeals", ref=request.id, on=request.on, until=done, runs=done is None, form="done" if done else "waits", what=said
        )


def _outcome(one: Challenge) -> str:
    if one.late_decision == "declined":
        return "late, declined"
    return (one.outcome or "decided").replace("-", " ") if one.decided_on else "not yet decided"


def _reviews(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Mark]:
    for one in case.reviews:
        yield Mark(lane="reviews", ref=one.id, on=one.on, what=_held(one))
    for key in case.passed:
        if key.startswith("review-overdue:"):
            _, ref, day = key.split(":")
            yield Mark(lane="reviews", ref=ref, on=date.fromisoformat(day), form="missed", what=f"The review of {ref} was not held in time")
    if not any(one.in_force for one in case.sanctions):
        return
    for due in open_deadlines(case, policy, calendar):
        if due.kind in ("review-overdue", "restrictions-end"):
            said = "The restrictions end" if due.kind == "restrictions-end" else "The next review is due"
            so_far = "; known so far" if due.reckoned.provisional else ""
            yield Mark(lane="reviews", ref=due.ref, on=due.reckoned.date, form="waits", what=f"{said}: {due.ref}{so_far}")


def _held(review: Review) -> str:
    return f"Review {review.id} of {review.sanction}: {review.outcome.replace('-', ' ')}"


def _letters(case: Case) -> Iterator[Mark]:
    for one in case.notices:
        said = f"Letter {one.id}: {one.kind.replace('-', ' ')}"
        if one.sent_on:
            told = f", counts as notified on {one.notified_on.isoformat()}" if one.notified_on else ""
            yield Mark(lane="letters", ref=one.id, on=one.sent_on, what=f"{said}, sent{told}")
        else:
            yield Mark(lane="letters", ref=one.id, on=one.created_on, form="waits", what=f"{said}, {one.status.replace('-', ' ')}")
