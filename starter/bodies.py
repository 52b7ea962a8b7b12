"""A body's file: its name, its policy and its staff list. Whoever is missing or misplaced here cannot sign, so a list that does
not fit its policy is refused whole, with a line for every fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from activities.bodies import Body
from domain.case import NOT_RECORDED
from domain.people import Person
from domain.policy import Policy
from policies import load
from policies.load import Unreadable, build, parse, position, text_of

Where = tuple[str | int, ...]
Fault = tuple[Where, str]


def read_body(path: Path) -> Body:
    """Returns the body a file holds, checked against its policy; a policy's path counts from the file's own folder. Raises Unreadable."""
    data = parse(text_of(path), str(path))
    body = build(Body, data, str(path))
    if body.policy not in load.names():  # kept whole: the records are read from any folder
        body = body.model_copy(update={"policy": str(Path(load.named_in(path, body.policy)).resolve())})
    faults = list(_faults(body))
    if faults:
        raise Unreadable("\n".join(_line(path, data, where, what) for where, what in faults))
    return body


def _line(path: Path, data: object, where: Where, what: str) -> str:
    line, column = position(data, where)
    return f"{path}:{line}:{column}: {'.'.join(map(str, where))}: {what}"


def _faults(body: Body) -> Iterator[Fault]:
    if body.keep_years is not None and body.keep_years < 0:
        yield ("keep_years",), f"a number of years from 0, found {body.keep_years}"
    yield from _closed_days(body)
    yield from _twice(body.people)
    for n, person in enumerate(body.people):
        yield from _misplaced(n, person, body)
    try:
        policy = load.policy(body.policy)
    except Unreadable as error:
        yield ("policy",), str(error)
        return
    yield from _no_offices(body.people, policy)
    yield from _no_readers(body, policy)


def _closed_days(body: Body) -> Iterator[Fault]:
    seen = set()
    for n, closed in enumerate(body.closures):
        if closed.on in seen:
            yield ("closures", n, "on"), f"{closed.on} is listed already; one line a day"
        if closed.on.weekday() >= 5:
            yield ("closures", n, "on"), f"{closed.on} is a {closed.on:%A}, no working day in any case; list days from Monday to Friday"
        seen.add(closed.on)


def _twice(people: tuple[Person, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, person in enumerate(people):
        if person.id in seen:
            yield ("people", n, "id"), f"{person.id!r} is on the list twice; one line a person"
        seen.add(person.id)


def _misplaced(n: int, person: Person, body: Body) -> Iterator[Fault]:
    if person.id == NOT_RECORDED:
        yield ("people", n, "id"), f"another id: {NOT_RECORDED} stands for nobody known, in cases that were imported"
    manager = person.line_manager
    if manager is not None and (manager == person.id or manager not in body.staff.by_id):
        yield ("people", n, "line_manager"), f"{manager!r} is nobody else on this list; it has: {', '.join(sorted(body.staff.by_id))}"
    if person.valid_from and person.valid_to and person.valid_to < person.valid_from:
        yield ("people", n, "valid_to"), f"a day from {person.valid_from} on, found {person.valid_to}"


def _no_offices(people: tuple[Person, ...], policy: Policy) -> Iterator[Fault]:
    known = ", ".join(sorted(policy.offices))
    for n, person in enumerate(people):
        for field, offices in (("offices", person.offices), ("deputises", person.deputises)):
            for m, office in enumerate(offices):
                if office not in policy.offices:
                    yield ("people", n, field, m), f"{office!r} is no office of {policy.policy}; it has: {known}"


def _no_readers(body: Body, policy: Policy) -> Iterator[Fault]:
    teams = {one.team for one in policy.informs}
    for reader in body.mailboxes:
        if reader not in policy.offices and reader not in teams:
            known = ", ".join(sorted({*policy.offices, *teams}))
            yield ("mailboxes", reader), f"{reader!r} is no office or informed team of {policy.policy}; it has: {known}"
