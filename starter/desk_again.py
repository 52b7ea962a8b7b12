"""A contact asked about again under its own id: one contact, answered as it was when it came in.

Without this a retry would be counted as one more, and the person at the desk told to limit what they were told to deal with."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import Engine
from sqlmodel import Session

from activities.bodies import body_of, policy_of_edition
from domain.case import Case, LoggedContact
from domain.contact_tally import as_counted
from domain.contact_words import ContactKind
from domain.desk import Advice, advise
from domain.desk_entry import Entry, entry_of
from domain.desk_question import Asked
from domain.model import Data, mark_of
from domain.restrictions import Channel
from records.contacts import contact_under, contacts_before
from records.store import read_case


class Incoming(Data):
    """One contact at the desk. `on` and `at` are London's, now if left out; minutes are what a call or visit took."""

    body: str
    customer: str
    """A name, an email address, a telephone number or a case's reference."""
    channel: Channel
    topic: str
    kind: ContactKind = "ordinary"
    by: str | None = None
    minutes: int | None = None
    on: date | None = None
    at: time | None = None


def recorded_under(engine: Engine, cases: tuple[str, ...], id: str | None) -> dict[str, LoggedContact]:
    """Returns the contacts that stand on record under one id, by case."""
    if id is None:
        return {}
    with Session(engine) as session:
        found = {name: _under(session, read_case(session, name), id) for name in cases}
    return {name: contact for name, contact in found.items() if contact}


def _under(session: Session, case: Case | None, id: str) -> LoggedContact | None:
    return contact_under(session, case, mark_of(id)) if case else None


def is_same(contact: LoggedContact, incoming: Incoming) -> bool:
    """Returns whether what is asked about is the contact on record; a day or time that is left out differs from none."""
    held = (contact.channel, _words(contact.topic), contact.kind, contact.by, contact.minutes)
    asked = (incoming.channel, _words(incoming.topic), incoming.kind, incoming.by, incoming.minutes)
    return held == asked and incoming.on in (None, contact.on) and incoming.at in (None, contact.at)


def _words(topic: str) -> list[str]:
    return topic.casefold().split()


def as_it_came(engine: Engine, advice: Advice, incoming: Incoming, asked: Asked, id: str) -> Advice:
    """Returns the answer to a contact on record under `id`, given what was counted before it; any other advice as it is."""
    with Session(engine) as session:
        cases = [one for name in advice.cases if (one := read_case(session, name))]
        found = {case.id: contact for case in cases if (contact := _under(session, case, id)) and is_same(contact, incoming)}
        if not found:
            return advice
        first = next(iter(found.values()))
        then = asked.model_copy(update={"on": first.on, "at": first.at})
        entries = tuple(entry for case in cases if (entry := _entry_before(session, case, found.get(case.id))))
        staff = body_of(session, incoming.body).staff
    return advise(entries, then, staff=staff).model_copy(update={"cautions": advice.cautions})


def _entry_before(session: Session, case: Case, contact: LoggedContact | None) -> Entry | None:
    then = as_counted(case, contacts_before(session, case, contact)) if contact else case
    return entry_of(then, policy_of_edition(session, case.edition))
