"""Contacts recorded at the desk. A departure from a restriction is put before a person, who decides whether it is continued behaviour;
nothing counts by itself (A-36)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, LoggedContact, with_item
from domain.commands import DismissBreach, LogContact
from domain.contact_tally import logged, tallied
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.desk import advise
from domain.desk_entry import entry_of
from domain.desk_question import Asked
from domain.guards import signed_by, the_day
from domain.model import mark_of
from domain.people import Actor
from domain.policy import Policy
from domain.restrictions import DISENGAGING

WAITING_APART = 25
"""How many contacts wait for a person each by itself."""


def log_contact(case: Case, command: LogContact, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a contact and what was done with it; whatever must pass departs from nothing."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    entry = entry_of(case, policy)
    asked = Asked(channel=command.channel, topic=command.topic, kind=command.kind, on=on, at=command.at, by=by.person)
    advice = advise((entry,) if entry else (), asked, staff=actor.staff)
    ordinary = command.kind == "ordinary"
    contact = LoggedContact(
        id=f"k{logged(case) + 1}",
        on=on,
        at=command.at,
        channel=command.channel,
        topic=command.topic,
        kind=command.kind,
        handled=command.handled,
        minutes=command.minutes,
        by=by.person,
        departs=advice.departs if ordinary else (),
        classify=ordinary and any(one.type in DISENGAGING and one.verdict == "read-and-file" for one in advice.found),
        act=mark_of(command.id),
    )
    case, contact = _with(case, contact)
    said = f"Contact {contact.id} recorded: {command.handled.replace('-', ' ')}."
    if contact.departs:
        said += f" It departs from {', '.join(contact.departs)}: a person decides whether it is continued behaviour."
    if contact.put_with:
        said += f" It is decided together with {contact.put_with}."
    return decided(case, said, cites=advice.cites)


def _with(case: Case, contact: LoggedContact) -> tuple[Case, LoggedContact]:
    """Returns the case with one contact more. Where many wait already, one like another is put with it: one person's decision for both."""
    waiting = tuple(waiting_contacts(case)) if contact.waits else ()
    like = [one for one in waiting if (one.departs, one.classify) == (contact.departs, contact.classify)]
    held = case.logged_contacts
    if like and len(waiting) >= WAITING_APART:
        contact, first = contact.model_copy(update={"put_with": like[-1].id}), like[-1]
        until = max(contact.on, first.more_until or first.on)
        held = with_item(held, first.model_copy(update={"more": first.more + 1, "more_until": until}))
    facts = {"logged_contacts": (*held, contact), "contacts_logged": logged(case) + 1, "tally": tallied(case, contact)}
    return case.model_copy(update=facts), contact


def dismiss_breach(case: Case, command: DismissBreach, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide that a contact which departs from a restriction is no continued behaviour."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    waiting = waiting_contact(case, command.saw)
    done = {"settled": "dismissed", "settled_on": on, "settled_by": by.person, "reasons": command.reasons}
    case = case.model_copy(update={"logged_contacts": with_item(case.logged_contacts, waiting.model_copy(update=done))})
    return decided(case, f"Contact {waiting.id} is no continued behaviour.", cites=["A-36"])


def settled(case: Case, saw: str | None, how: str, *, on: date, actor: Actor) -> Case:
    """Returns the case with the contact that an act saw settled; acts that saw none leave it as it is. Raises Refusal."""
    if saw is None or not saw.startswith("k"):
        return case
    waiting = waiting_contact(case, saw)
    if on < waiting.on:
        raise Refusal(f"The contact {waiting.id} came on {waiting.on.isoformat()}, after the day of this act.", cites=["A-36"])
    done = waiting.model_copy(update={"settled": how, "settled_on": on, "settled_by": actor.id})
    return case.model_copy(update={"logged_contacts": with_item(case.logged_contacts, done)})


def waiting_contact(case: Case, saw: str | None) -> LoggedContact:
    """Returns the contact named, where a person has yet to decide about it. Raises Refusal."""
    found = next((one for one in waiting_contacts(case) if one.id == saw), None)
    if found is None:
        waiting = ", ".join(one.id for one in waiting_contacts(case)) or "none"
        raise Refusal(
            "saw must name a contact that waits for this decision; what must pass, or is settled, does not.",
            kind="stale",
            cites=["A-36"],
            remains=f"Waiting: {waiting}.",
        )
    return found


def waiting_contacts(case: Case) -> Iterator[LoggedContact]:
    return (one for one in case.logged_contacts if one.waits)
