"""A provider's export of its users with their groups, as a staff list: one JSON object a user, in a list or a line each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from activities.bodies import Body
from domain.directory import Directory
from domain.people import Person, Staff
from policies import load
from policies.load import Unreadable, text_of
from starter.bodies import staff_faults
from starter.staff_table import StaffTable, TableFault

Claims = Mapping[str, object]


def read_claims(path: Path, body: Body, directory: Directory, *, claim: str) -> StaffTable:
    """Returns the staff list that an export makes of the present one. `claim` holds who somebody is. Raises Unreadable.

    Whoever is in the export has the offices and grade of their groups, and keeps what no group gives (line manager, area, absences);
    whoever is not, is on the list no more. A user without any mapped group is no member of this list."""
    people: list[Person] = []
    places: list[int] = []
    wrong: list[TableFault] = []
    for n, claims in _users(path):
        try:
            person = _person(claims, body.staff, directory, claim)
        except (ValueError, ValidationError) as error:
            wrong.append(TableFault(line=n, column=claim, found="a user who cannot be taken", right=_said(error)))
            continue
        if person is not None:
            people.append(person)
            places.append(n)
    policy = load.policy(body.policy)
    for where, what in staff_faults(body.model_copy(update={"people": tuple(people)}), policy):
        at = where[1]
        assert isinstance(at, int)
        wrong.append(TableFault(line=places[at], column=str(where[2]), found="what does not fit", right=what))
    if not people and not wrong:
        wrong.append(TableFault(line=1, column=directory.claim, found="nobody with a mapped group", right=", ".join(directory.groups)))
    return StaffTable(tuple(people), tuple(wrong))


def person_of(claims: Claims, staff: Staff, claim: str) -> Person | None:
    """Returns who on a list the claims are of: by id, or by the list's email address where the claim is a verified `email`."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        return None
    if claim == "email":
        mine = [one for one in staff.people if one.email and one.email.casefold() == value.casefold()]
        return mine[0] if len(mine) == 1 and claims.get("email_verified") is True else None
    return staff.by_id.get(value.casefold())


def _person(claims: Claims, staff: Staff, directory: Directory, claim: str) -> Person | None:
    known = person_of(claims, staff, claim)
    if not directory.of(claims):
        return None
    if known is None:
        id, name = str(claims.get(claim) or "").casefold(), claims.get("name")
        if not id or not isinstance(name, str):
            raise ValueError(f"{claim} and name, as texts")
        left = staff.ever(id)
        known = Person.model_validate({"id": id, "name": name, "natural": left.natural if left else None})
    return directory.applied(known, claims)


def _said(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False, include_input=False))
    return str(error)


def _users(path: Path) -> Iterator[tuple[int, Claims]]:
    """Yields every user with the line (of a JSONL) or the number (in a list) at which they stand."""
    text = text_of(path)
    try:
        whole = json.loads(text)
        found = list(enumerate(whole if isinstance(whole, list) else [whole], start=1))
    except (ValueError, RecursionError):
        found = [(n, _one(line, n, path)) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for n, one in found:
        if not isinstance(one, dict):
            raise Unreadable(f"{path}: user {n} is no JSON object; right would be one with the user's claims")
        yield n, one


def _one(line: str, n: int, path: Path) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise Unreadable(f"{path}:{n}:1: no JSON; right would be a list of users, or one JSON object a line") from None
