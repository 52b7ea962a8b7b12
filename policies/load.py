"""Reading policy files, clause lists and calendars: every error names file, line, field, what was found and what would be right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from domain.days import Calendar
from domain.model import Data, models_in
from domain.policy import Policy
from policies.contradictions import contradictions
from policies.holidays import Table, wrong_days
from policies.impossible import misread
from policies.names import wrong_names
from policies.not_opened import not_opened
from policies.remedies import remedy

HOME = Path(__file__).resolve().parent
NO_NATION = "england-and-wales"
"""Whose bank holidays count where a policy names no nation (A-82)."""
M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
LARGEST = 50_000
"""Values in one file; the largest policy that comes with the project has some two thousand."""
MOST_BYTES = 2_000_000
"""Of one file: the largest that comes with the project has some 30,000. More would be read for minutes before anything is said."""
DEEPEST = 40
"""Things inside each other in one file; the deepest that comes with the project has some ten."""
NESTED = "it is nested too deep; write it flatter"


class Unreadable(Exception):
    """A file that cannot be used. Its text has one line a fault: file:line:column: field: what, found, right."""

    error = "unreadable"


class Contradiction(Unreadable):
    """A policy file that can be read and contradicts itself: no case can run under it as it says."""

    error = "contradiction"


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
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Unreadable(f"{name}:1:1: the file: it has more than {MOST_BYTES} bytes, the most a file here may have; split it")
        return data.decode("utf-8")
    except OSError as error:
        raise Unreadable(f"{_one_line(name)}: {not_opened(path, error)}") from None
    except UnicodeDecodeError as error:
        raise _no_text(name, data, error) from None
    except ValueError:  # a name with signs that no file has
        raise Unreadable(f"{_one_line(name)}: no file can have that name; give the path of a file") from None


def _no_text(name: str, data: bytes, error: UnicodeDecodeError) -> Unreadable:
    line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
    return Unreadable(f"{name}:{line}:{column}: the byte {data[error.start]:#04x} is no UTF-8; save the file as UTF-8 text")


def parse(text: str, name: str) -> object:
    """Returns the YAML 1.2 data of a text. Raises Unreadable where it is no YAML, or repeats a key."""
    reader = YAML(typ="rt")
    reader.max_depth = DEEPEST
    try:
        return reader.load(text)
    except MaxDepthExceededError as error:
        raise Unreadable(f"{name}:{_marked(error)}: the file: {NESTED}, at most {DEEPEST} deep") from None
    except MarkedYAMLError as error:
        raise Unreadable(f"{name}:{_marked(error)}: {error.problem or error}") from None
    except RecursionError:
        raise Unreadable(f"{name}:1:1: the file: {NESTED}") from None
    except (YAMLError, ValueError) as error:  # a character YAML forbids, a day that is none
        raise Unreadable(f"{name}:1:1: {' '.join(str(error).split())}") from None


def _marked(error: MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"


def build(kind: type[M], data: object, name: str) -> M:
    """Returns the data as a checked model. Raises Unreadable with a line for every fault."""
    try:
        return kind.model_validate(_Plain(data).value, extra="forbid")
    except ValidationError as error:
        faults = [_fault(fault, data, name, kind) for fault in error.errors(include_url=False)]
        raise Unreadable("\n".join(faults)) from None
    except _Unfit as error:
        line, column = position(data, error.path)
        raise Unreadable(f"{name}:{line}:{column}: {_field(error.path)}: {error}") from None
    except RecursionError:
        raise Unreadable(f"{name}:1:1: the file: {NESTED}") from None


class _Unfit(Exception):
    """Data that YAML allows and no file here needs. Its text says what, and what would be right."""

    def __init__(self, path: Place, what: str) -> None:
        super().__init__(what)
        self.path = path


class _Plain:
    """YAML data as plain lists, names and values, whatever its aliases would make of it."""

    def __init__(self, data: object) -> None:
        self.count = 0
        self.value = self._of(data, (), ())

    def _of(self, value: object, path: Place, inside: tuple[int, ...]) -> object:
        self.count += 1
        if self.count > LARGEST:
            raise _Unfit(path, f"it holds more than {LARGEST} values, aliases written out; split it, or write fewer aliases")
        if id(value) in inside:
            raise _Unfit(path, "an alias (*name) stands inside what it names; write the value out")
        match value:
            case dict():
                return self._names(value, path, (*inside, id(value)))
            case list():
                return [self._of(item, (*path, n), (*inside, id(value))) for n, item in enumerate(value)]
            case str():
                return _printable(value, path)
            case _:
                return value

    def _names(self, value: dict[object, object], path: Place, inside: tuple[int, ...]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, item in value.items():
            name = _printable(str(key), path)
            if name in found:
                raise _Unfit(path, f"the name {_shown(name)} stands twice, once in quotes; keep one")
            found[name] = self._of(item, (*path, name), inside)
        return found


def _printable(text: str, path: Place) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Unfit(path, f"half a character, found {_shown(text)}; write the whole one") from None
    if "\x00" in text:
        raise _Unfit(path, f"a character that no letter can print, found {_shown(text)}; take it out")
    return text


def _field(path: Iterable[str | int]) -> str:
    """Returns a field as an error names it, on one line whatever it is called."""
    return ".".join(_one_line(str(part)) for part in path) or "the file"


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _fault(fault: object, data: object, name: str, kind: type[BaseModel]) -> str:
    assert isinstance(fault, dict)
    line, column = position(data, fault["loc"])
    field = _field(fault["loc"])
    found = "" if fault["type"] == "missing" or isinstance(fault["input"], dict | BaseModel) else f", found {_shown(fault['input'])}"
    right = remedy(kind, fault)
    return f"{name}:{line}:{column}: {field}: {_one_line(fault['msg']).removeprefix('Value error, ')}{f'; {right}' if right else ''}{found}"


def _shown(value: object) -> str:
    text = _one_line(repr(value))
    return text if len(text) <= 200 else f"{text[:197]}..."


def position(data: object, path: Iterable[str | int]) -> tuple[int, int]:
    """Returns the line and column (from 1) of a field, or of the nearest thing that holds it."""
    line, column = 1, 1
    for part in path:
        marks = getattr(data, "lc", None)
        if isinstance(data, dict) and part in data:
            line, column = _mark(marks, "key", part) or (line, column)
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            line, column = _mark(marks, "item", part) or (line, column)
            data = data[part]
    return line, column


def _mark(marks: object, of: str, part: str | int) -> tuple[int, int] | None:
    """Returns where a name or an item of a list stands, from 1; None where YAML keeps no place, as of the items of an !!omap."""
    try:
        line, column = getattr(marks, of)(part)
    except (AttributeError, LookupError, TypeError):
        return None
    return int(line) + 1, int(column) + 1


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
    if _is_folder(path):
        raise Unreadable(f"{_one_line(policy)}: a folder; name the policy's file in it")
    if not _is_file(path):
        raise Unreadable(f"{_one_line(policy)}: no such policy; known: {', '.join(names())}, or the path of a file")
    return text_of(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with signs that no file has
        return False


@cache
def edition_of(text: str) -> str:
    """Returns the hash that names an edition for ever."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def policy_of(text: str, name: str = "policy") -> Policy:
    """Returns the policy a text holds, its names checked. Raises Unreadable, or Contradiction where a name fits nothing.

    An edition in the records is read by this alone: a check that comes later may not stop a case that runs."""
    return _policy(text, name)[0]


def _policy(text: str, name: str) -> tuple[Policy, object]:
    data = parse(text, name)
    found = build(Policy, data, name)
    _refuse(wrong_names(found), data, name)
    return found, data


def _refuse(faults: Iterable[tuple[tuple[str | int, ...], str]], data: object, name: str) -> None:
    wrong = [(position(data, path), path, what) for path, what in faults]
    if wrong:
        lines = [f"{name}:{line}:{column}: {_field(path)}: {_one_line(what)}" for (line, column), path, what in wrong]
        raise Contradiction("\n".join(lines))


@cache
def sound_policy_of(text: str, name: str = "policy") -> Policy:
    """Returns the policy a text holds, to open cases under. Raises Unreadable, or Contradiction where it contradicts itself."""
    found, data = _policy(text, name)
    _refuse(misread(found, data), data, name)
    _refuse(((path, f"contradiction: {what}") for path, what in contradictions(found)), data, name)
    return found


def shown_name(name: str) -> str:
    """Returns the file of a policy as an error names it."""
    return name if name not in names() else f"policies/{name}.yaml"


def policy(name: str) -> Policy:
    """Returns a policy by name or path. Raises Unreadable, or Contradiction."""
    return sound_policy_of(policy_text(name), shown_name(name))


def table_of(text: str, name: str) -> Calendar:
    """Returns the bank holidays a file holds, checked whole. Raises Unreadable with a line for every fault."""
    data = parse(text, name)
    found = build(Table, data, name)
    wrong = [(position(data, path), path, what) for path, what in wrong_days(found)]
    if wrong:
        raise Unreadable("\n".join(f"{name}:{line}:{column}: {'.'.join(map(str, path))}: {what}" for (line, column), path, what in wrong))
    return Calendar(**dict(found))


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


def own_clauses(name: str, policy: str) -> dict[str, Clause] | None:
    """Returns the clauses listed beside a policy's file; None for a shipped policy, or where there is no list. Raises Unreadable."""
    return None if name in names() else clauses_beside(name, policy)


@cache
def calendar(nation: str | None = None) -> Calendar:
    """Returns the first table of a nation that was ever shipped; where a policy names none, England and Wales (A-82). Raises Unreadable.

    Cases of earlier releases count with it. A shipped file is never edited: a later table is another file, `NATION-...yaml`."""
    nation = nation or NO_NATION
    if not (HOME / "calendars" / f"{nation}.yaml").is_file():
        raise Unreadable(f"policies/calendars/{nation}.yaml: no such calendar")
    return _table(f"{nation}.yaml")


@cache
def shipped_calendars() -> tuple[Calendar, ...]:
    """Returns every table that comes with the project, the newest of each nation last. Raises Unreadable."""
    found = [_table(path.name) for path in (HOME / "calendars").glob("*.yaml")]
    return tuple(sorted(found, key=lambda one: (one.nation, one.checked_on, one.edition)))


@cache
def _table(file: str) -> Calendar:
    return table_of(text_of(HOME / "calendars" / file), f"policies/calendars/{file}")


def cited(value: object) -> set[str]:
    """Returns every clause that a policy's values cite."""
    return {clause for one in models_in(value) for clause in getattr(one, "cites", ())}
