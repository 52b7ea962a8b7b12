"""Two signatures before papers are destroyed: different people, different offices, neither standing in for the other (EH-150, DEF-20)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, DestructionSigned, Signature
from domain.commands import SignDestruction
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.destruction_due import TWO, require_due, signed_in_words, sources_of, to_sign
from domain.guards import authorise, named, sign, the_day
from domain.people import Actor, Staff
from domain.policy import Policy

SOURCES = (TWO, "DEF-20")


def sign_destruction(case: Case, command: SignDestruction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Sign that the papers may be destroyed; the first signature proposes it, the second lets it be done."""
    on = the_day(command.on, today=today)
    if actor.person is None:
        raise Refusal("Only staff sign a destruction.", cites=SOURCES)
    require_due(case, policy, calendar, on=on)
    _not_twice(case, actor, policy)
    signed = _signature(case, actor, policy, on)
    case = case.model_copy(update={"destruction_signed": (*case.destruction_signed, signed)})
    missing = [who for _, who in to_sign(case, policy)]
    then = "The papers may be destroyed now." if not missing else "Somebody else, of another office, has yet to sign."
    return decided(case, f"Destruction signed by {signed_in_words(signed, policy)}. {then}", cites=(*sources_of(policy), *SOURCES))


def _not_twice(case: Case, actor: Actor, policy: Policy) -> None:
    signed = case.destruction_signed
    if any(one.by.human == actor.human for one in signed):
        raise Refusal(f"{actor.id} has signed already.", cites=SOURCES, remains="Somebody else, of another office, signs.")
    if len(signed) > 1:
        both = " and ".join(signed_in_words(one, policy) for one in signed)
        raise Refusal(f"Both have signed: {both}.", cites=SOURCES, remains="Destroy the papers with destroy_papers.")


def _signature(case: Case, actor: Actor, policy: Policy, on: date) -> DestructionSigned:
    """Returns the signature under an office that nobody who signed before holds, or signed for."""
    taken, who = _taken(case, actor.staff), policy.retention.destroyed_by
    try:
        by = authorise(who, actor=actor, case=case, policy=policy, on=on, act="sign the destruction")
    except Refusal:
        by = None
    if by is not None and by.office and by.office not in taken:
        return DestructionSigned(by=by, keeper=True)
    if case.destruction_signed and not case.destruction_signed[0].keeper:
        first = signed_in_words(case.destruction_signed[0], policy)
        remains = f"{named(who, policy)} signs."
        raise Refusal(
            f"{first} signed; the other signature is that of {named(who, policy)}.", cites=(*who.sources, *SOURCES), remains=remains
        )
    other = _other_office(actor, taken, on)
    if other is None:
        same = bool(actor.person and actor.person.offices) or by is not None
        holds = f"the offices of {actor.id} are those of whoever signed first" if same else f"{actor.id} holds no office of their own"
        raise Refusal(f"The two who sign are of different offices; {holds}.", cites=SOURCES, remains="Somebody of another office signs.")
    return DestructionSigned(by=other)


def _taken(case: Case, staff: Staff) -> set[str]:
    """Returns the offices of those who signed: the one they signed for, and every other they hold under any account."""
    offices = {one.by.office for one in case.destruction_signed if one.by.office}
    humans = {one.by.human for one in case.destruction_signed}
    return offices.union(*(person.offices for person in staff.people if person.human in humans))


def _other_office(actor: Actor, taken: set[str], on: date) -> Signature | None:
    """Returns the signature under an office of the person's own: nobody stands in for the second."""
    assert actor.person is not None
    office = next((office for office in actor.person.offices if office not in taken), None)
    return sign(actor.person, on, office=office) if office else None
