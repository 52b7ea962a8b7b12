"""Every staff list a body ever had. An act is judged by the list in force at the instant it reached the case (DEF-20): one applied again
years later is judged as it was then. A list is added, never altered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from sqlmodel import Session, col, select

from domain.people import Person, Staff
from records.tables import StaffListRow

EMPTY = Staff()
EVER = datetime.min.replace(tzinfo=timezone.utc)


class ListRefused(Exception):
    """A staff list that cannot be added: the instant from which it would be in force is missing."""


class ListAltered(Exception):
    """A list that is not what was loaded: somebody wrote to the table."""


class Loaded(NamedTuple):
    """How a list came in."""

    at: datetime | None = None
    """The instant of loading, from which it is in force. Only a body's first list needs none: it is in force from ever."""
    by: str | None = None
    source: str = "body file"
    since: datetime | None = None
    """An earlier instant from which it was in force: for records restored from an older copy, which lack a list they had."""


def entries_of(people: Iterable[Person]) -> list[dict[str, object]]:
    """Returns a list as it is kept, in the order of ids."""
    return [one.model_dump(mode="json", by_alias=True) for one in sorted(people, key=lambda one: one.id)]


def list_hash(entries: list[dict[str, object]]) -> str:
    """Returns the SHA-256 by which a list is known again, as hex."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def keep_list(session: Session, body: str, people: Iterable[Person], loaded: Loaded) -> StaffListRow | None:
    """Keep a list as the body's next version and return it; None where the list then in force says the same. Raises ListRefused."""
    entries, before = entries_of(people), lists_of(session, body)
    start = loaded.since or loaded.at
    then = _in_order((one.n, one.sha256, one.in_force_from) for one in before if _begun(one.in_force_from, start))
    if then and entries_of(_people(session, body, then[-1][0])) == entries:
        return None
    if before and start is None:
        raise ListRefused(f"{body} has a staff list; one that differs needs the instant from which it is in force.")
    if loaded.since and loaded.at and loaded.since > loaded.at:
        raise ListRefused(f"{loaded.since:%Y-%m-%dT%H:%M:%S} (UTC) is still to come; a list is in force from its loading at the latest.")
    row = StaffListRow(
        body=body, n=len(before) + 1, loaded_at=loaded.at, in_force_from=start if before else loaded.since, loaded_by=loaded.by,
        source=loaded.source, sha256=list_hash(entries), entries=entries,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


Version = tuple[int, str]
"""A list's number and hash."""


def _begun(start: datetime | None, at: datetime | None) -> bool:
    return start is None or at is None or start <= at


def _in_order(found: Iterable[tuple[int, str, datetime | None]]) -> tuple[Version, ...]:
    """Returns lists in the order in which they came into force; the last one is in force."""
    return tuple((n, sha256) for n, sha256, start in sorted(found, key=lambda one: (one[2] or EVER, one[0])))


def lists_of(session: Session, body: str) -> tuple[StaffListRow, ...]:
    """Returns every list a body had, the first one first."""
    return tuple(session.exec(select(StaffListRow).where(StaffListRow.body == body).order_by(col(StaffListRow.n))).all())


def present_people(session: Session, body: str) -> tuple[Person, ...]:
    """Returns the list that is in force once every list has begun."""
    last = _in_order((one.n, one.sha256, one.in_force_from) for one in lists_of(session, body))
    return _people(session, body, last[-1][0]) if last else ()


def staff_at(session: Session, body: str, at: datetime) -> Staff:
    """Returns the list in force at an instant; `gone` holds whoever an earlier one had. Days of service are for Staff.on to judge.

    Raises ListAltered."""
    known = select(StaffListRow.n, StaffListRow.sha256, StaffListRow.in_force_from).where(StaffListRow.body == body)
    then = _in_order(one for one in session.exec(known).all() if _begun(one[2], at))
    if not then:
        return EMPTY
    if then not in KNOWN:
        if len(KNOWN) >= KEPT:
            KNOWN.clear()
        KNOWN[then] = _read(session, body, then)
    return KNOWN[then]


KNOWN: dict[tuple[Version, ...], Staff] = {}
"""Lists read before, by the hashes of their versions: what a hash names never changes."""
KEPT = 200


def _read(session: Session, body: str, then: tuple[Version, ...]) -> Staff:
    ever: dict[str, Person] = {}
    for n, _ in then:
        people = _people(session, body, n)
        ever |= {one.id: one for one in people}
    listed = {one.id for one in people}
    return Staff(people=people, gone=tuple(one for id, one in ever.items() if id not in listed))


def _people(session: Session, body: str, n: int) -> tuple[Person, ...]:
    row = session.get(StaffListRow, (body, n))
    assert row is not None  # its hash was read in this transaction
    if list_hash(row.entries) != row.sha256:
        raise ListAltered(f"Staff list {n} of {body} is not what was loaded: its SHA-256 is another. Restore it from a backup.")
    return tuple(Person.model_validate(one, extra="ignore") for one in row.entries)  # a newer release may have put more there
