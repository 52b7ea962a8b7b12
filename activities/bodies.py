"""A body as it stands in the records: its staff list, its policy, and what it configured where the policy is silent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from pydantic import Field
from sqlmodel import Session, select

from activities.staff_lists import Loaded, keep_list, present_people, staff_at
from domain.days import Holiday
from domain.directory import Directory
from domain.links import with_addresses
from domain.model import Code, Data, Sentence, WebAddress
from domain.people import Email, Person, Staff
from domain.policy import Policy
from policies import load
from records.tables import BodyRow, EditionRow, StaffListRow, StaffRow


class Body(Data):
    """One public body that uses Evenhand."""

    body: Code
    name: str
    policy: str
    """A shipped policy's name, or the path of a policy file."""
    ombudsman: Sentence | None = None
    """Who can look into it afterwards, as a sentence for letters, where its policy's text names nobody (EH-71)."""
    keep_years: int | None = None
    """The body's own retention schedule, where its policy is silent (DEF-19)."""
    meetings: tuple[date, ...] = ()
    """Days of the meetings at which this body holds its reviews, where its policy says they are held at one."""
    people: tuple[Person, ...] = ()
    letterhead: tuple[str, ...] = ()
    """Where letters say the body can be reached, line by line: postal address, telephone, email."""
    links: dict[Code, WebAddress] = {}
    """Where the texts are that its policy speaks of and does not hold: a charter, a promise (MMO-49, NE-66, C24-04)."""
    closures: tuple[Holiday, ...] = ()
    """Days on which its offices are closed besides bank holidays (EH-30). Open cases take them over by apply_calendar."""
    house_letters: tuple[Literal["review-coming"], ...] = ()
    """Letters that no policy asks for and this body sends all the same (EH-120)."""
    destroyed_a_day: int | None = None
    """How many of its cases may be destroyed a day; fifty where it says nothing (EH-151)."""
    mailboxes: dict[Code, Email] = {}
    """Shared mailboxes, by the office or the informed team that reads them (EH-123)."""
    information_officer: Code | None = None
    """The office on its staff list that answers for information: its holders read everything for a reason, and who read what (EH-170)."""

    directory: Directory | None = None
    """What the groups of its identity provider mean on its staff list."""
    gone: tuple[Person, ...] = Field(default=(), exclude=True)
    """Whoever an earlier staff list had; never written in a file."""

    @property
    def staff(self) -> Staff:
        return Staff(people=self.people, gone=self.gone)


NOT_DATED = Loaded()
FIRST_MEETINGS = "first_meetings"


class Unknown(Exception):
    """A body or edition the records do not hold."""

    def __init__(self, what: str, remains: str) -> None:
        super().__init__(what)
        self.remains = remains


def save_body(session: Session, body: Body, loaded: Loaded = NOT_DATED) -> None:
    """Save a body, replacing what stood there; its staff list becomes the next version, and one it does not name stays.
    Raises ListRefused where a list that differs from the last has no instant."""
    settings: dict[str, object] = {"keep_years": body.keep_years} if body.keep_years is not None else {}
    if body.ombudsman is not None:
        settings["ombudsman"] = body.ombudsman
    if body.closures:
        settings["closures"] = [one.model_dump(mode="json") for one in body.closures]
    if body.letterhead:
        settings["letterhead"] = list(body.letterhead)
    if body.links:
        settings["links"] = body.links
    if body.meetings:
        settings["meetings"] = [day.isoformat() for day in body.meetings]
    settings |= _first_meetings(session, body)
    if body.house_letters:
        settings["house_letters"] = list(body.house_letters)
    if body.destroyed_a_day is not None:
        settings["destroyed_a_day"] = body.destroyed_a_day
    if body.mailboxes:
        settings["mailboxes"] = dict(body.mailboxes)
    if body.directory:
        settings["directory"] = body.directory.model_dump(mode="json", exclude_none=True)
    if body.information_officer is not None:
        settings["information_officer"] = body.information_officer
    session.merge(BodyRow(body=body.body, name=body.name, policy=body.policy, settings=settings))
    session.flush()
    if "people" in body.model_fields_set:
        save_staff(session, body.body, body.people, loaded)


def save_staff(session: Session, body: str, people: Iterable[Person], loaded: Loaded) -> StaffListRow | None:
    """Save a body's staff list as its next version and return that; None where nothing changed. Raises ListRefused."""
    kept = keep_list(session, body, people, loaded)
    for row in session.exec(select(StaffRow).where(StaffRow.body == body)).all():
        session.delete(row)
    session.flush()
    for person in present_people(session, body):
        session.add(StaffRow(body=body, person=person.id, entry=person.model_dump(mode="json", by_alias=True)))
    return kept


def _first_meetings(session: Session, body: Body) -> dict[str, object]:
    """Returns the list of meetings as it stood before it was first changed: what cases that keep no list of their own count with."""
    row = session.get(BodyRow, body.body)
    if row is None or FIRST_MEETINGS in row.settings:
        return {FIRST_MEETINGS: row.settings[FIRST_MEETINGS]} if row else {}
    had = row.settings.get("meetings", [])
    return {FIRST_MEETINGS: had} if had != [day.isoformat() for day in body.meetings] else {}


def first_meetings(session: Session, code: str) -> tuple[date, ...]:
    """Returns the meetings that a case counts with which keeps no list of its own: one of an earlier release."""
    row = session.get(BodyRow, code)
    listed = row.settings.get(FIRST_MEETINGS, row.settings.get("meetings", [])) if row else []
    assert isinstance(listed, list)
    return tuple(date.fromisoformat(str(day)) for day in listed)


def body_of(session: Session, code: str, *, at: datetime | None = None) -> Body:
    """Returns a body with its staff list as it stands, or as it stood at an instant. Raises Unknown, naming those there are."""
    row = session.get(BodyRow, code)
    if row is None:
        known = session.exec(select(BodyRow.body)).all()
        raise Unknown(f"There is no body {code}.", f"One of: {', '.join(sorted(known)) or 'none is set up yet'}.")
    held = {"body": row.body, "name": row.name, "policy": row.policy, **row.settings}
    if at is not None:
        staff = staff_at(session, code, at)
        return Body.model_validate(held, extra="ignore").model_copy(update={"people": staff.people, "gone": staff.gone})
    people = session.exec(select(StaffRow).where(StaffRow.body == code)).all()
    return Body.model_validate({**held, "people": [one.entry for one in people]}, extra="ignore")  # a newer release may have put more there


def keep_edition(session: Session, body: Body, *, at: datetime) -> tuple[Policy, str]:
    """Returns the body's policy as its file stands now, and the hash under which it is kept for ever."""
    return keep_text(session, load.policy_text(body.policy), name=body.policy, at=at)


def keep_text(session: Session, text: str, *, name: str, at: datetime) -> tuple[Policy, str]:
    """Returns the policy a text holds, and the hash under which that text is kept for ever. Raises Unreadable, or Contradiction."""
    policy, edition = load.sound_policy_of(text, name), load.edition_of(text)
    if session.get(EditionRow, edition) is None:
        session.add(EditionRow(hash=edition, policy=policy.policy, label=policy.edition.label, text=text, kept_at=at))
        session.flush()
    return policy, edition


EDITIONS: dict[str, Policy] = {}
"""Editions read before, by their hash: what a hash names never changes."""


def policy_of_edition(session: Session, edition: str) -> Policy:
    """Returns the policy a case runs under, whatever its file says today."""
    if edition not in EDITIONS:
        EDITIONS[edition] = _read_edition(session, edition)
    return EDITIONS[edition]


def policy_at_body(session: Session, edition: str, code: str) -> Policy:
    """Returns the policy a case runs under, with the addresses that its body has set for the texts the policy speaks of."""
    policy = policy_of_edition(session, edition)
    row = session.get(BodyRow, code) if policy.links else None
    links = row.settings.get("links") if row else None
    return with_addresses(policy, links) if isinstance(links, dict) else policy


def _read_edition(session: Session, edition: str) -> Policy:
    row = session.get(EditionRow, edition)
    if row is None:
        raise Unknown(f"The edition {edition[:12]} is not in the records.", "Restore the records whole.")
    return load.policy_of(row.text, row.policy)
