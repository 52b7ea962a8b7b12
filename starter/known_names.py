"""Names that a key's scope holds, against the records: a body that is there, a person on its staff list, and whoever lets it sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches

from sqlmodel import Session, col, select

from domain.people import RESERVED, Person
from records.tables import BodyRow, StaffRow


def bodies_there(session: Session) -> tuple[str, ...]:
    """Returns the codes of the bodies in the records."""
    return tuple(session.exec(select(BodyRow.body).order_by(col(BodyRow.body))).all())


def wrong_scope(session: Session, *, person: str | None, bodies: Iterable[str]) -> Iterator[str]:
    """Yields what is wrong with whom a key is to sign for. A holder is no person, and is not judged."""
    there, wanted = bodies_there(session), tuple(bodies)
    for one in wanted:
        if one not in there:
            known = ", ".join(there) or "none yet"
            yield f"--body {one}: there is no such body in the records; it would be one of: {known}. evenhand body set FILE sets one up."
    if person is not None and not any(one not in there for one in wanted):
        yield from _wrong_person(session, person, wanted)


def _wrong_person(session: Session, person: str, bodies: tuple[str, ...]) -> Iterator[str]:
    asked = select(StaffRow.person) if not bodies else select(StaffRow.person).where(col(StaffRow.body).in_(bodies))
    listed = sorted(set(session.exec(asked).all()))
    if person in listed:
        return
    if person in RESERVED:
        yield f"--person {person}: nobody on a staff list may be called so. For what customers send: --customer."
        return
    where = f"the staff list of {' or '.join(bodies)}" if bodies else "any staff list"
    near = get_close_matches(person, listed, n=1)
    meant = f"is {near[0]} meant? " if near else ""
    yield f"--person {person} is not on {where}: {meant}evenhand staff list --body BODY shows who is. A service is named by --holder."


def wrong_author(session: Session, by: str, *, administrators: Iterable[str], today: date) -> str | None:
    """Returns what is wrong with who does it: an id of a staff list today, or a listed administrator; anybody before there is a list."""
    entries = [Person.model_validate(row.entry, extra="ignore") for row in session.exec(select(StaffRow)).all()]
    if not entries or by in administrators or any(one.id == by and one.serves_on(today) for one in entries):
        return None
    near = get_close_matches(by, sorted({one.id for one in entries}), n=1)
    meant = f" Is {near[0]} meant?" if near else ""
    return f"--by {by} is on no staff list today, nor in EVENHAND_ADMINISTRATORS; right would be the id of whoever does this.{meant}"
