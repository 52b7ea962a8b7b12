"""A policy file surveyed: every value with its source, which clauses it uses, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator

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
            return ", ".join(map(str, said)) if isinstance(said, tuple) else str(said)
    return "yes"


def unused(policy: Policy, own: dict[str, load.Clause]) -> tuple[load.Clause, ...]:
    """Returns the clauses of a list that no value of the policy cites: each a rule left out, or one for people alone."""
    cited = load.cited(policy)
    return tuple(clause for id, clause in own.items() if id not in cited)


def is_shared(default: str) -> bool:
    """Returns whether a default's name is one of the shared lists', and not a clause's."""
    return default.startswith(("DEF-", "A-", "EH-"))


def findings(policy: Policy, own: dict[str, load.Clause] | None = None) -> tuple[str, ...]:
    """Returns what is wrong with a policy beyond its shape: clauses and defaults that do not exist; `own` is a list beside its file."""
    return tuple(what for _, what in leading_nowhere(policy, own))


def leading_nowhere(policy: Policy, own: dict[str, load.Clause] | None = None) -> tuple[tuple[Path, str], ...]:
    """Returns each source that does not exist and each right that no letter tells of, with its place and what would be right."""
    listed = own is not None or policy.policy in load.clause_lists()
    clauses, defaults = own if own is not None else load.clauses(policy.policy) if listed else {}, load.defaults()
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
    return (*wrong, *_untold(policy))


def _untold(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields each way to challenge a decision that no letter of the policy tells the customer of."""
    told = {kind: {one.part for one in rule.parts} for kind, rule in policy.notices.items()}
    anywhere = set[str]().union(*told.values())
    owed = (
        ("appeal", policy.appeal is not None, "appeal" in anywhere, "no letter holds the part appeal"),
        (
            "appeal.then",
            bool(policy.appeal and policy.appeal.then),
            "next-stage" in told.get("appeal-outcome", ()),
            "the letter appeal-outcome does not hold the part next-stage",
        ),
        ("appeal_outside", policy.appeal_outside is not None, "appeal-outside" in anywhere, "no letter holds the part appeal-outside"),
        (
            "warning.appeal",
            policy.warning.appeal is not None,
            "appeal" in told.get("warning", ()),
            "the letter warning does not hold the part appeal",
        ),
    )
    for where, given, printed, what in owed:
        if given and not printed:
            yield tuple(where.split(".")), f"{where}: {what}, so the customer would not learn of it"
