"""Who decided: one person in office, or a committee at its meeting, with those present; none of them twice (DEF-20)."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from domain.case import Case, Signature, Sitting
from domain.commands import Meeting
from domain.decision import Refusal
from domain.guards import authorise, forbid, named, the_day
from domain.people import Actor
from domain.policy import Policy
from domain.rules import Committee, Who


class Decides(Protocol):
    """An act that one person does, or that a committee's meeting did."""

    @property
    def on(self) -> date | None: ...

    @property
    def meeting(self) -> Meeting | None: ...


def deciding_day(command: Decides, committee: Committee | None, *, today: date) -> date:
    """Returns the day a decision counts from: the meeting's where a committee decides, else as of any act."""
    if committee is None or command.meeting is None:
        return the_day(command.on, today=today)
    day = the_day(command.meeting.on, today=today)
    if command.on is not None and command.on != day:
        said = f"on is {command.on.isoformat()}, and the meeting was on {day.isoformat()}"
        raise Refusal(f"{said}: what a meeting decided counts from its day.", remains="Leave on out, or give the meeting's day.")
    return day


def deciders(
    who: Who,
    committee: Committee | None,
    command: Decides,
    *,
    never: Who | None = None,
    actor: Actor,
    case: Case,
    policy: Policy,
    on: date,
    act: str,
) -> tuple[Signature, ...]:
    """Returns the signatures of those who decide: the actor's own, or one of each member present."""
    if committee is None:
        if command.meeting is not None:
            raise Refusal("No committee decides this; meeting must be left out.", cites=who.sources, remains=f"{named(who, policy)}.")
        forbid(never, actor=actor, policy=policy, act=act)
        return (authorise(who, actor=actor, case=case, policy=policy, on=on, act=act),)
    authorise(committee.recorded_by, actor=actor, case=case, policy=policy, on=on, act=f"record what the {committee.label} decided")
    if command.meeting is None:
        raise Refusal(
            f"The {committee.label} decides this at a meeting: with.meeting is missing.",
            cites=who.sources,
            remains="Give meeting: {on: its day, present: [staff-list ids]}.",
        )
    seats = [_seated(id, actor=actor) for id in command.meeting.present]
    for seat in seats:
        forbid(never, actor=seat, policy=policy, act=act)
    signatures = tuple(authorise(who, actor=seat, case=case, policy=policy, on=on, act=act) for seat in seats)
    _quorate(signatures, committee, who)
    return signatures


def _seated(id: str, *, actor: Actor) -> Actor:
    person = actor.staff.by_id.get(id)
    if person is None:
        raise Refusal(f"present names {id}, who is not on the staff list.", kind="unknown", remains="Members stand on the staff list too.")
    return Actor(origin="staff", person=person, staff=actor.staff)


def _quorate(signatures: tuple[Signature, ...], committee: Committee, who: Who) -> None:
    humans = {one.human for one in signatures}
    if len(humans) < len(signatures):
        raise Refusal("present names one human being twice.", cites=(*who.sources, "DEF-20"), remains="Each member once.")
    if committee.quorum and len(humans) < committee.quorum.value:
        need = committee.quorum.value
        raise Refusal(
            f"The {committee.label} needs {need} members; {len(humans)} {'is' if len(humans) == 1 else 'are'} named as present.",
            cites=committee.quorum.sources,
            remains="A meeting with enough members.",
        )


def sitting(committee: Committee | None, command: Decides) -> Sitting | None:
    """Returns the meeting as the record keeps it, or None where one person decided."""
    if committee is None or command.meeting is None:
        return None
    meeting = command.meeting
    return Sitting(committee=committee.label, on=meeting.on, present=meeting.present, minute=meeting.minute)
