"""Who else is made aware: teams and lists that learn of a decision, a change, an end; each acknowledged by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Informed
from domain.commands import RecordInformed
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.model import State
from domain.people import Actor
from domain.policy import InformRule, Policy


class Event(State):
    """Something others learn of: what happened, to which sanction, review or appeal, on which day."""

    at: str
    about: str
    on: date


CHANGES = ("continue", "amend", "extend", "tighten", "vary")
"""Outcomes of reviews and appeals that leave restrictions standing, as they were or otherwise."""


def events(case: Case) -> Iterator[Event]:
    """Yields what others learn of, in the order of the lists it stands in."""
    for sanction in case.sanctions:
        if sanction.limits:
            yield Event(at="decision", about=sanction.id, on=sanction.decided_on)
        if sanction.limits and sanction.ended_on:
            yield Event(at="end", about=sanction.id, on=sanction.ended_on)
    for review in case.reviews:
        if review.outcome in CHANGES:
            yield Event(at="change", about=review.id, on=review.on)
    for challenge in case.challenges:
        if challenge.decided_on and challenge.outcome in CHANGES:
            yield Event(at="change", about=challenge.id, on=challenge.decided_on)


def to_inform(case: Case, policy: Policy) -> Iterator[tuple[InformRule, Event]]:
    """Yields each team that has not been made aware of something yet."""
    told = {(one.team, one.at, one.about) for one in case.informed}
    past = case.imported.past if case.imported else ()
    for event in events(case):
        if f"{event.at}:{event.about}" in past:
            continue
        for rule in policy.informs:
            if case.ending == "mistake" and not _to_be_unsaid(event, rule, case):
                continue
            if event.at in rule.at and (rule.team, event.at, event.about) not in told:
                yield rule, event


def _to_be_unsaid(event: Event, rule: InformRule, case: Case) -> bool:
    """Returns whether a team learns of the end of what was a mistake: where it had learnt of anything; nobody learns of the rest now."""
    aware = any(one.team == rule.team for one in case.informed) or bool(case.imported and case.imported.past)
    return event.at == "end" and aware


def record_informed(case: Case, command: RecordInformed, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that one team is aware; where the policy wants it, with the reference of the other system's entry."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    open_ = tuple(to_inform(case, policy))
    found = next(
        ((rule, event) for rule, event in open_ if (rule.team, event.at, event.about) == (command.team, command.at, command.saw)), None
    )
    if found is None:
        waiting = ", ".join(f"{rule.team} ({event.at} of {event.about})" for rule, event in open_) or "nobody"
        raise Refusal(
            "team, at and saw must name somebody who has not been made aware yet.", kind="stale", remains=f"Not yet aware: {waiting}."
        )
    rule, event = found
    if on < event.on:
        raise Refusal(f"{event.about} is of {event.on.isoformat()}, after that day.", cites=rule.sources)
    if rule.reference and rule.reference.value and not command.reference:
        raise Refusal(
            f"The {rule.label} gives its entry a reference: reference is empty.",
            cites=rule.reference.sources,
            remains="Send it again with the reference.",
        )
    told = Informed(team=rule.team, about=event.about, at=command.at, on=on, by=by.person, reference=command.reference)
    return decided(
        case.model_copy(update={"informed": (*case.informed, told)}), f"{rule.label} made aware of {event.about}.", cites=rule.sources
    )
