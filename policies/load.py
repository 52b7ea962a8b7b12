"""Reading policy files, clause lists and calendars: every error names file, line, field, what was found and what would be right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from domain.days import Calendar
from domain.model import Data
from domain.policy import Policy
from policies.names import wrong_names

HOME = Path(__file__).resolve().parent
M = TypeVar("M", bound=BaseModel)


class Unreadable(Exception):
    """A file that cannot be used. Its text has one line a fault: file:line:column: field: what, found, right."""


class Clause(Data):
    """One clause of a published text, in the project's own words."""

    id: str
    where: str
    says: str
    kind: str
    behaviour: str | None = None


class Defaults(Data):
    """What stands where the texts are silent; nobody's policy."""

    format: int
    defaults: dict[str, str]


class Clauses(Data):
    format: int
    policy: str
    clauses: tuple[Clause, ...]


def text_of(path: Path, name: str | None = None) -> str:
    """Returns the text of a file. Raises Unreadable where there is none, or where its bytes are no UTF-8."""
    name = name or str(path)
    try:
        data = path.read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        raise Unreadable(f"{name}:{line}:{column}: the byte {data[error.start]:#04x} is no UTF-8; save the file as UTF-8 text") from None


def parse(text: str, name: str) -> object:
    """Returns the YAML 1.2 data of a text. Raises Unreadable where it is no YAML, or repeats a key."""
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(f"{name}:{line}:{column}: {error.problem or error}") from None
    except (YAMLError, ValueError, RecursionError) as error:  # a character YAML forbids, a day that is none, a nest without an end
        raise Unreadable(f"{name}:1:1: {' '.join(str(error).split())}") from None


def build(kind: type[M], data: object, name: str) -> M:
    """Returns the data as a checked model. Raises Unreadable with a line for every fault."""
    try:
        return kind.model_validate(_plain(data), extra="forbid")
    except ValidationError as error:
        faults = [_fault(fault, data, name) for fault in error.errors(include_url=False)]
        raise Unreadable("\n".join(faults)) from None


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _fault(fault: object, data: object, name: str) -> str:
    assert isinstance(fault, dict)
    line, column = position(data, fault["loc"])
    field = ".".join(str(part) for part in fault["loc"]) or "the file"
    found = "" if fault["type"] == "missing" or isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    return f"{name}:{line}:{column}: {field}: {fault['msg']}{found}"


def position(data: object, path: Iterable[str | int]) -> tuple[int, int]:
    """Returns the line and column (from 1) of a field, or of the nearest thing that holds it."""
    line, column = 1, 1
    for part in path:
        marks = getattr(data, "lc", None)
        if isinstance(data, dict) and part in data:
            line, column = (marks.key(part)[0] + 1, marks.key(part)[1] + 1) if marks else (line, column)
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            line, column = (marks.item(part)[0] + 1, marks.item(part)[1] + 1) if marks else (line, column)
            data = data[part]
    return line, column


def names() -> tuple[str, ...]:
    """Returns the policies shipped with the project."""
    return tuple(sorted(path.stem for path in HOME.glob("*.yaml")))


@cache
def defaults() -> dict[str, str]:
    """Returns the shared defaults by code. Raises Unreadable."""
    name = "policies/shared/defaults.yaml"
    return build(Defaults, parse((HOME / "shared" / "defaults.yaml").read_text(encoding="utf-8"), name), name).defaults


def clause_lists() -> tuple[str, ...]:
    """Returns the policies whose clauses are listed."""
    return tuple(sorted(path.stem for path in (HOME / "clauses").glob("*.yaml")))


def named_in(file: Path, policy: str) -> str:
    """Returns a policy as a file names it: a shipped one by its name, any other by its path from that file's own folder."""
    return policy if policy in names() else str(file.parent / policy)


def policy_text(policy: str) -> str:
    """Returns the text of a policy file, by name or path. Raises Unreadable where there is none."""
    path = HOME / f"{policy}.yaml" if policy in names() else Path(policy)
    if not path.is_file():
        raise Unreadable(f"{policy}: no such policy; known: {', '.join(names())}, or the path of a file")
    return text_of(path)


@cache
def edition_of(text: str) -> str:
    """Returns the hash that names an edition for ever."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def policy_of(text: str, name: str = "policy") -> Policy:
    """Returns the policy a text holds, checked whole. Raises Unreadable."""
    data = parse(text, name)
    found = build(Policy, data, name)
    wrong = [(position(data, path), path, what) for path, what in wrong_names(found)]
    if wrong:
        lines = [f"{name}:{line}:{column}: {'.'.join(map(str, path))}: {what}" for (line, column), path, what in wrong]
        raise Unreadable("\n".join(lines))
    return found


def policy(name: str) -> Policy:
    """Returns a policy by name or path. Raises Unreadable."""
    return policy_of(policy_text(name), name if name not in names() else f"policies/{name}.yaml")


@cache
def clauses(policy: str) -> dict[str, Clause]:
    """Returns the clauses of a shipped policy by id. Raises Unreadable."""
    return _clauses_in(HOME / "clauses" / f"{policy}.yaml", f"policies/clauses/{policy}.yaml")


def _clauses_in(path: Path, name: str) -> dict[str, Clause]:
    listed = build(Clauses, parse(text_of(path, name), name), name)
    return {clause.id: clause for clause in listed.clauses}


def clauses_beside(file: str, policy: str) -> dict[str, Clause] | None:
    """Returns the clauses that a policy file of your own lists, in clauses/ beside it; None where it has no list. Raises Unreadable."""
    path = Path(file).parent / "clauses" / f"{policy}.yaml"
    return _clauses_in(path, str(path)) if path.is_file() else None


@cache
def calendar(nation: str | None = None) -> Calendar:
    """Returns the pinned bank holidays of a nation; where a policy names none, those of England and Wales (A-82). Raises Unreadable."""
    nation = nation or "england-and-wales"
    if not (HOME / "calendars" / f"{nation}.yaml").is_file():
        raise Unreadable(f"policies/calendars/{nation}.yaml: no such calendar")
    name = f"policies/calendars/{nation}.yaml"
    return build(Calendar, parse((HOME / "calendars" / f"{nation}.yaml").read_text(encoding="utf-8"), name), name)


def cited(value: object) -> set[str]:
    """Returns every clause that a policy's values cite."""
    match value:
        case BaseModel():
            own = set(getattr(value, "cites", ()))
            return own.union(*(cited(getattr(value, name)) for name in type(value).model_fields if name != "cites"))
        case dict():
            return set().union(*(cited(item) for item in value.values())) if value else set()
        case tuple():
            return set().union(*(cited(item) for item in value)) if value else set()
        case _:
            return set()
