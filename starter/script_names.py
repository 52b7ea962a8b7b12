"""The names a rehearsal may use. One that nothing has would be found missing for ever: `flags_absent: [apeal_pending]` always holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from domain.case import Stage
from domain.due import WORDS
from domain.flags import FLAGS
from domain.people import RESERVED
from domain.policy import Column, Part
from domain.rules import NoticeKind
from domain.task import TASKS
from policies import load

if TYPE_CHECKING:  # the script itself asks for this check
    from starter.script import Expectation, Script

Where = tuple[str | int, ...]
Fault = tuple[Where, str]
LONGEST_SCHEDULE = 99
LETTERS, PARTS = frozenset(get_args(NoticeKind)), frozenset(get_args(Part))
DEADLINES = frozenset(WORDS)
DATES = frozenset(name.replace("-", "_") for name in DEADLINES)
LISTS: dict[str, tuple[str, frozenset[str]]] = {
    "flags": ("flag", FLAGS),
    "flags_absent": ("flag", FLAGS),
    "tasks": ("kind of task", TASKS),
    "tasks_absent": ("kind of task", TASKS),
    "notices": ("kind of letter", LETTERS),
    "fired": ("deadline", DEADLINES),
}
NAMED: dict[str, tuple[str, frozenset[str]]] = {
    "dates": ("date", DATES),
    "parts": ("kind of letter", LETTERS),
    "parts_absent": ("kind of letter", LETTERS),
    "register": ("column", frozenset(get_args(Column))),
    "whose": ("kind of task", TASKS),
}


def wrong_names(script: Script) -> Iterator[Fault]:
    """Yields each name of a rehearsal that nothing has, with its place and what would be right."""
    if script.retention_years is not None and not 0 <= script.retention_years <= LONGEST_SCHEDULE:
        yield ("retention_years",), f"a number of years from 0 to {LONGEST_SCHEDULE}, found {script.retention_years}"
    yield from _people(script)
    for n, step in enumerate(script.steps):
        if step.expect:
            yield from _expected(step.expect, ("steps", n, "expect"))


def _people(script: Script) -> Iterator[Fault]:
    editions = [script.policy, *(step.policy for step in script.steps if step.policy)]
    offices = frozenset(office for one in editions for office in load.policy(one).offices)
    for key, member in script.people.items():
        if key in RESERVED:
            yield ("people", key), f"another id: {key} is no member of staff; steps write {key} for somebody else"
        for field in ("offices", "deputises"):
            yield from _unknown(getattr(member, field), "office of this policy", offices, ("people", key, field))


def _expected(expect: Expectation, at: Where) -> Iterator[Fault]:
    if expect.stage is not None:
        for (*_, _n), what in _unknown((expect.stage,), "stage", frozenset(get_args(Stage)), at):
            yield (*at, "stage"), what
    for field, (name, known) in LISTS.items():
        yield from _unknown(getattr(expect, field) or (), name, known, (*at, field))
    for field, (name, known) in NAMED.items():
        found: Mapping[str, object] = getattr(expect, "register_" if field == "register" else field)
        for (*_, n), what in _unknown(found, name, known, (*at, field)):
            yield (*at, field, list(found)[int(n)]), what
    for field in ("parts", "parts_absent"):
        for letter, parts in getattr(expect, field).items():
            yield from _unknown(parts, "part of a letter", PARTS, (*at, field, letter))


def _unknown(found: Iterable[str], name: str, known: frozenset[str], at: Where) -> Iterator[Fault]:
    for n, one in enumerate(found):
        if one not in known:
            near = get_close_matches(one, known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            yield (*at, n), f"{one!r} is no {name}; {guess}there are: {', '.join(sorted(known))}"
