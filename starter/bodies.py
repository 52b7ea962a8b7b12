"""A body's file: its name, its policy and its staff list. Whoever is missing or misplaced here cannot sign, so a list that does
not fit its policy is refused whole, with a line for every fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from activities.bodies import Body
from activities.glyphs import printable
from domain.case import NOT_RECORDED
from domain.directory import Directory
from domain.people import RESERVED, Person, Staff
from domain.policy import Policy
from policies import load
from policies.impossible import misread
from policies.load import Unreadable, build, parse, position, text_of
from starter.staff_links import wrong_links

Where = tuple[str | int, ...]
Fault = tuple[Where, str]
LONGEST_SCHEDULE = 99
"""Years; as set_retention has it."""
MOST_A_DAY = 1000


def read_body(path: Path, *, known: Callable[[str], Staff] | None = None) -> Body:
    """Returns the body a file holds, checked against its policy; a policy's path counts from the file's own folder. Raises Unreadable.

    `known` gives a body's list in force with everybody who left it; without it an account that the file does not name may have left."""
    data = parse(text_of(path), str(path))
    body = build(Body, data, str(path))
    if body.policy not in load.names():  # kept whole: the records are read from any folder
        body = body.model_copy(update={"policy": str(Path(load.named_in(path, body.policy)).resolve())})
    faults = [*misread(body, data), *_faults(body), *_no_links(body, known(body.body) if known else None)]
    if faults:
        raise Unreadable("\n".join(_line(path, data, where, what) for where, what in faults))
    return body


def _line(path: Path, data: object, where: Where, what: str) -> str:
    line, column = position(data, where)
    return f"{path}:{line}:{column}: {'.'.join(map(str, where))}: {what}"


def _faults(body: Body) -> Iterator[Fault]:
    if body.keep_years is not None and not 0 <= body.keep_years <= LONGEST_SCHEDULE:
        yield ("keep_years",), f"a number of years from 0 to {LONGEST_SCHEDULE}, found {body.keep_years}"
    if body.destroyed_a_day is not None and not 1 <= body.destroyed_a_day <= MOST_A_DAY:
        yield ("destroyed_a_day",), f"how many cases may be destroyed a day, from 1 to {MOST_A_DAY}, found {body.destroyed_a_day}"
    if not body.name.strip():
        yield ("name",), "the body's name, as letters and lists say it; found nothing"
    for n, day in enumerate(body.meetings):
        if day in body.meetings[:n]:
            yield ("meetings", n), f"{day} is listed already; one line a day"
    yield from _closed_days(body)
    yield from _letterhead(body.letterhead)
    yield from _people(body)
    try:
        policy = load.policy(body.policy)
    except Unreadable as error:
        yield ("policy",), str(error)
        return
    yield from _no_offices(body, policy)
    yield from _nobody_answers(body)
    yield from _no_groups(body.directory, policy)
    if body.ombudsman and policy.ombudsman.cites:
        cites = ", ".join(policy.ombudsman.cites)
        yield ("ombudsman",), f"nothing: the policy's own text names one ({cites}), and letters print that; take the line out"
    for name in body.links:
        if name not in policy.links:
            yield ("links", name), f"{name!r} is nothing that {policy.policy} speaks of; it has: {', '.join(policy.links) or 'none'}"
    yield from _no_readers(body, policy)


def _no_links(body: Body, known: Staff | None) -> Iterator[Fault]:
    for one in wrong_links(body.people, known):
        yield ("people", one.n, "natural"), f"found {one.found!r}; right would be: {one.right}"


def _closed_days(body: Body) -> Iterator[Fault]:
    seen = set()
    for n, closed in enumerate(body.closures):
        if closed.on in seen:
            yield ("closures", n, "on"), f"{closed.on} is listed already; one line a day"
        if closed.on.weekday() >= 5:
            yield ("closures", n, "on"), f"{closed.on} is a {closed.on:%A}, no working day in any case; list days from Monday to Friday"
        seen.add(closed.on)


LETTERHEAD_LINES, LETTERHEAD_SIGNS = 9, 40
"""What stands beside the address without touching it, and on one line of it."""


def _letterhead(lines: tuple[str, ...]) -> Iterator[Fault]:
    """Yields what would not print well at the top of every letter."""
    if len(lines) > LETTERHEAD_LINES:
        yield ("letterhead",), f"at most {LETTERHEAD_LINES} lines, found {len(lines)}"
    for n, line in enumerate(lines):
        if not line.strip():
            yield ("letterhead", n), "a line that says something, found an empty one; leave it out"
        elif len(line) > LETTERHEAD_SIGNS:
            yield ("letterhead", n), f"at most {LETTERHEAD_SIGNS} signs a line, found {len(line)}; make it two lines"
        elif not all(ord(sign) in printable() for sign in line):
            yield ("letterhead", n), "signs that letters can print; take out emoji, tabs and line ends"


UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that would begin another line of an email or a letter, or turn its direction."""


def staff_faults(body: Body, policy: Policy) -> Iterator[Fault]:
    """Yields what is wrong with a body's staff list, whichever way it came in: a place (people, number, field), and what would be right."""
    yield from _people(body)
    yield from _no_offices(body, policy)


def _people(body: Body) -> Iterator[Fault]:
    yield from _twice(body.people)
    for n, person in enumerate(body.people):
        yield from _misplaced(n, person, body)


def _twice(people: tuple[Person, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, person in enumerate(people):
        if person.id in seen:
            yield ("people", n, "id"), f"{person.id!r} is on the list twice; one line a person"
        seen.add(person.id)


def _misplaced(n: int, person: Person, body: Body) -> Iterator[Fault]:
    if person.id in RESERVED:
        yield ("people", n, "id"), f"another id: messages write {person.id} for somebody who is no member of staff"
    if not person.name.strip():
        yield ("people", n, "name"), "the person's name, as letters say it; found nothing"
    elif UNSEEN.search(person.name):
        yield ("people", n, "name"), "the person's name on one line, without control characters or signs that turn the direction"
    for m, other in enumerate(person.deputises_for):
        if other == person.id or other not in body.staff.by_id:
            known = ", ".join(sorted(body.staff.by_id))
            yield ("people", n, "deputises_for", m), f"{other!r} is nobody else on this list; it has: {known}"
    if person.id == NOT_RECORDED:
        yield ("people", n, "id"), f"another id: {NOT_RECORDED} stands for nobody known, in cases that were imported"
    for manager in person.ever("line_manager"):
        if manager == person.id or manager not in body.staff.by_id:
            yield ("people", n, "line_manager"), f"{manager!r} is nobody else on this list; it has: {', '.join(sorted(body.staff.by_id))}"
    if person.valid_from and person.valid_to and person.valid_to < person.valid_from:
        yield ("people", n, "valid_to"), f"a day from {person.valid_from} on, found {person.valid_to}"


def _no_offices(body: Body, policy: Policy) -> Iterator[Fault]:
    own = {body.information_officer} if body.information_officer else set()
    known = ", ".join(sorted({*policy.offices, *own}))
    for n, person in enumerate(body.people):
        for field, offices in (("offices", person.ever("office")), ("deputises", person.ever("deputises"))):
            for m, office in enumerate(offices):
                if office not in policy.offices and office not in own:
                    yield ("people", n, field, m), f"{office!r} is no office of {policy.policy}; it has: {known}"


def _nobody_answers(body: Body) -> Iterator[Fault]:
    """Yields that nobody holds the office that answers for information, where a staff list stands in the file (EH-170)."""
    office = body.information_officer
    if office and body.people and not any(office in (*one.ever("office"), *one.ever("deputises")) for one in body.people):
        yield ("information_officer",), f"an office that somebody of the list holds; nobody holds {office!r}"


def _no_groups(directory: Directory | None, policy: Policy) -> Iterator[Fault]:
    for name, grants in directory.groups.items() if directory else ():
        for field, office in (("office", grants.office), ("deputises", grants.deputises)):
            if office is not None and office not in policy.offices:
                known = ", ".join(sorted(policy.offices))
                yield ("directory", "groups", name, field), f"{office!r} is no office of {policy.policy}; it has: {known}"


def _no_readers(body: Body, policy: Policy) -> Iterator[Fault]:
    teams = {one.team for one in policy.informs}
    for reader in body.mailboxes:
        if reader not in policy.offices and reader not in teams:
            known = ", ".join(sorted({*policy.offices, *teams}))
            yield ("mailboxes", reader), f"{reader!r} is no office or informed team of {policy.policy}; it has: {known}"
