"""A policy file surveyed: every value with its source, which clauses it uses, and what does not fit."""

from __future__ import annotations

from pydantic import BaseModel

from domain.model import Data
from domain.policy import Policy
from domain.rules import Rule
from policies import load

Path = tuple[str | int, ...]
SOURCE = ("cites", "default", "value", "note", "unconfirmed", "modality")
"""What a value says of itself and of where it comes from."""


class Value(Data):
    """One value of a policy file, where it stands and what it rests on."""

    where: str
    value: str
    cites: tuple[str, ...]
    default: str | None
    unconfirmed: bool
    note: str | None
    optional: bool = False
    """Offered to be recorded, and no guard."""
    path: tuple[str | int, ...] = ()
    """Its place in the file, by which its line is found."""


def values(policy: Policy) -> tuple[Value, ...]:
    """Returns every value of a policy, in the order of its file."""
    return tuple(_values(policy, "", ()))


def _values(item: object, where: str, path: Path) -> list[Value]:
    match item:
        case Rule():
            own = Value(
                where=where or "policy",
                value=_said(item),
                cites=item.cites,
                default=item.default,
                unconfirmed=item.unconfirmed,
                note=item.note,
                optional=getattr(item, "optional", False),
                path=path,
            )
            return [own, *_inside(item, where, path)]
        case BaseModel():
            return _inside(item, where, path)
        case dict():
            return [value for key, one in item.items() for value in _values(one, f"{where}.{key}".strip("."), (*path, key))]
        case tuple():
            return [value for n, one in enumerate(item) for value in _values(one, f"{where}[{_label(one, n)}]", (*path, n))]
        case _:
            return []


def _inside(item: BaseModel, where: str, path: Path) -> list[Value]:
    fields = {name: field for name, field in type(item).model_fields.items() if name not in SOURCE}
    return [
        value
        for name, field in fields.items()
        for value in _values(getattr(item, name), f"{where}.{name.strip('_')}".strip("."), (*path, field.alias or name))
    ]


def _label(item: object, n: int) -> str:
    for name in ("finding", "part", "type", "question", "what", "team", "column", "step", "measure", "value"):
        if isinstance(label := getattr(item, name, None), str):
            return label
    return str(n)


def _said(item: Rule) -> str:
    if "value" in type(item).model_fields and getattr(item, "value", None) is None:
        return "not stated"
    for name in ("value", "label", "offices", "relation", "asks", "part", "instead", "what", "text"):
        said = getattr(item, name, None)
        if said not in (None, (), ""):
            return ", ".join(said) if isinstance(said, tuple) else str(said)
    return "yes"


def is_shared(default: str) -> bool:
    """Returns whether a default's name is one of the shared lists', and not a clause's."""
    return default.startswith(("DEF-", "A-", "EH-"))


def findings(policy: Policy) -> tuple[str, ...]:
    """Returns what is wrong with a policy beyond its shape: clauses and defaults that do not exist."""
    return tuple(what for _, what in leading_nowhere(policy))


def leading_nowhere(policy: Policy) -> tuple[tuple[Path, str], ...]:
    """Returns each source that does not exist, with its place and what would be right."""
    listed = policy.policy in load.clause_lists()
    clauses, defaults = load.clauses(policy.policy) if listed else {}, load.defaults()
    found = values(policy)
    known = f"they run from {next(iter(clauses))} to {next(reversed(clauses))}" if clauses else ""
    wrong = [
        (one.path, f"{one.where}: cites {clause}, which is no clause of {policy.policy}; {known}")
        for one in found
        for clause in one.cites
        if listed and clause not in clauses
    ]
    wrong += [
        (one.path, f"{one.where}: rests on {one.default}, which is no default and no clause; policies/shared/defaults.yaml lists them")
        for one in found
        if one.default and one.default not in defaults and (listed or is_shared(one.default)) and one.default not in clauses
    ]
    return tuple(wrong)
