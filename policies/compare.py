"""Two policies, or two editions of one, held beside each other value by value, each with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from domain.model import Data
from domain.policy import Policy
from domain.rules import Rule
from policies.survey import SOURCE

How = Literal["added", "removed", "changed"]
LABELS = ("finding", "part", "type", "question", "what", "measure", "step", "when", "value", "text")
"""Fields by which one of a list is known again in the other policy, wherever it stands there."""


class Leaf(Data):
    """One value with what it rests on."""

    value: str
    cites: tuple[str, ...] = ()
    default: str | None = None
    modality: str = "must"
    unconfirmed: bool = False

    @property
    def source(self) -> str:
        """Returns the source as a table shows it: clauses, default, and how strongly the text puts it."""
        marks = [
            f"default {self.default}" if self.default else "",
            self.modality if self.modality != "must" else "",
            "unconfirmed" if self.unconfirmed else "",
        ]
        return ", ".join([*self.cites, *(mark for mark in marks if mark)])


class Difference(Data):
    """One value that stands in one policy alone, or differs; `section` groups them."""

    section: str
    where: str
    how: How
    old: Leaf | None = None
    new: Leaf | None = None


def differences(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """Returns what differs from one policy to another, in the order of their files."""
    before, after = leaves(old), leaves(new)
    found = [_difference(where, before.get(where), after.get(where)) for where in dict.fromkeys((*before, *after))]
    order = {field.alias or name: n for n, (name, field) in enumerate(Policy.model_fields.items())}
    return tuple(sorted((one for one in found if one), key=lambda one: order[one.section]))


def _difference(where: str, old: Leaf | None, new: Leaf | None) -> Difference | None:
    if old == new:
        return None
    how: How = "added" if old is None else "removed" if new is None else "changed"
    return Difference(section=where.split(".")[0].split("[")[0], where=where, how=how, old=old, new=new)


def leaves(policy: Policy) -> dict[str, Leaf]:
    """Returns every single value of a policy by its place."""
    found: dict[str, Leaf] = {}
    for where, leaf in _leaves(policy, "", Leaf(value="")):
        found[where] = leaf
    return found


def _leaves(item: object, where: str, source: Leaf) -> Iterator[tuple[str, Leaf]]:
    match item:
        case BaseModel():
            yield from _model(item, where, source)
        case dict():
            for key, one in item.items():
                yield from _leaves(one, f"{where}.{key}".strip("."), source)
        case tuple() if any(isinstance(one, BaseModel) for one in item):
            yield from _list(item, where, source)
        case None:
            return
        case _:
            yield where, source.model_copy(update={"value": _said(item)})


def _model(item: BaseModel, where: str, source: Leaf) -> Iterator[tuple[str, Leaf]]:
    own = _source_of(item) if isinstance(item, Rule) else source
    kind = type(item).model_fields
    if isinstance(item, Rule) and "value" in kind:
        yield where, own.model_copy(update={"value": _said(getattr(item, "value", None))})
        return
    inside = [
        one
        for name, field in kind.items()
        if name not in SOURCE
        for one in _leaves(getattr(item, name), f"{where}.{field.alias or name}".strip("."), own)
        if getattr(item, name) != field.default
    ]
    if isinstance(item, Rule) and not inside:
        yield where, own.model_copy(update={"value": "yes"})
    yield from inside


def _source_of(item: Rule) -> Leaf:
    return Leaf(value="", cites=item.cites, default=item.default, modality=item.modality, unconfirmed=item.unconfirmed)


def _list(items: tuple[object, ...], where: str, source: Leaf) -> Iterator[tuple[str, Leaf]]:
    seen: dict[str, int] = {}
    for n, one in enumerate(items):
        label = next((str(found) for name in LABELS if isinstance(found := getattr(one, name, None), str)), str(n + 1))
        label = label if len(label) <= 40 else f"{label[:37]}..."
        seen[label] = seen.get(label, 0) + 1
        again = f" {seen[label]}" if seen[label] > 1 else ""
        yield from _leaves(one, f"{where}[{label}{again}]", source)


def _said(value: object) -> str:
    match value:
        case None:
            return "not stated"
        case bool():
            return "yes" if value else "no"
        case tuple() | list():
            return ", ".join(_said(one) for one in value) or "none"
        case dict():
            return ", ".join(f"{key}: {_said(one)}" for key, one in value.items())
        case _:
            return str(value)
