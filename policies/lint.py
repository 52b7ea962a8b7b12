"""A policy file looked through: what is wrong, where its text is silent, and - apart, as information - what good practice would add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from domain.model import Data
from domain.policy import Policy
from policies import gaps, load, practice
from policies.names import Path
from policies.survey import leading_nowhere

Class = Literal["gaps in the text", "good practice"]


class Place(Data):
    """Where something stands in a file: its field, line and column."""

    where: str
    line: int
    column: int


class Finding(Data):
    """One thing found: its code, where, what, and what could be done. A code keeps its meaning for ever."""

    code: str
    kind: Class
    places: tuple[Place, ...]
    what: str
    could: str


class Lint(Data):
    """What was found in one policy file. The two classes are never mixed."""

    policy: str
    file: str
    wrong: tuple[str, ...]
    gaps: tuple[Finding, ...]
    good_practice: tuple[Finding, ...]


def lint(name: str) -> Lint:
    """Returns what is found in a policy, by name or path. Raises Unreadable, or Contradiction where it contradicts itself."""
    policy, file = load.policy(name), load.shown_name(name)
    data = load.parse(load.policy_text(name), file)
    wrong = [(load.position(data, path), what) for path, what in leading_nowhere(policy, load.own_clauses(name, policy.policy))]
    return Lint(
        policy=policy.policy,
        file=file,
        wrong=tuple(f"{file}:{line}:{column}: {what}" for (line, column), what in wrong),
        gaps=_found(gaps.CHECKS, "gaps in the text", policy, data),
        good_practice=_found(practice.CHECKS, "good practice", policy, data),
    )


def _found(checks: Mapping[str, Callable[[Policy], gaps.Found]], kind: Class, policy: Policy, data: object) -> tuple[Finding, ...]:
    return tuple(
        Finding(code=code, kind=kind, places=tuple(place(path, data) for path in paths), what=what, could=could)
        for code, check in checks.items()
        for paths, what, could in check(policy)
    )


def place(path: Path, data: object) -> Place:
    """Returns where a path stands in a file's data."""
    line, column = load.position(data, path)
    return Place(where=".".join(map(str, path)) or "the file", line=line, column=column)
