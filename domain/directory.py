"""What the groups of an identity provider mean on a staff list: which office, which grade. The mapping is a body's own, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, model_validator

from domain.model import Code, Data
from domain.people import Person


class Grants(Data):
    """What membership of one group gives."""

    office: Code | None = None
    deputises: Code | None = None
    grade: int | None = Field(default=None, ge=0, le=99)

    @model_validator(mode="after")
    def _something(self) -> Grants:
        if self.office is None and self.deputises is None and self.grade is None:
            raise ValueError("a group gives an office, an office deputised for, a grade, or several of them; found none")
        return self


class Directory(Data):
    """A body's mapping of groups, and whether they or the staff list say at sign-in who holds which office."""

    claim: str = "groups"
    groups: dict[str, Grants]
    offices_from: Literal["staff-list", "claims"] = "staff-list"

    def of(self, claims: Mapping[str, object]) -> tuple[Grants, ...]:
        """Returns what the groups of a person's claims give; a group that is not mapped gives nothing."""
        return tuple(self.groups[name] for name in _names(claims.get(self.claim)) if name in self.groups)

    def applied(self, person: Person, claims: Mapping[str, object]) -> Person:
        """Returns the person with what their groups give. Offices that no group is mapped to stay as they are, and so does the rest.

        Raises ValueError where groups give two grades."""
        given = self.of(claims)
        grades = {one.grade for one in given if one.grade is not None}
        if len(grades) > 1:
            raise ValueError(f"one grade, found {' and '.join(map(str, sorted(grades)))} by groups")
        if grades and any(one.grade is not None for one in person.held):
            raise ValueError("a grade by groups or with days of its own on the staff list, found both")
        changed = {
            "offices": _replaced(person.offices, {one.office for one in self.groups.values()}, [one.office for one in given]),
            "deputises": _replaced(person.deputises, {one.deputises for one in self.groups.values()}, [one.deputises for one in given]),
            "grade": next(iter(grades), person.grade),
        }
        return person.model_copy(update=changed)


def _replaced(plain: tuple[str, ...], mapped: set[str | None], given: list[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(one for one in plain if one not in mapped), *(one for one in given if one is not None))))


def _names(value: object) -> Iterator[str]:
    """Yields the groups a claim names, whether it is a list or a text with commas or spaces."""
    if isinstance(value, str):
        yield from (one for one in value.replace(",", " ").split() if one)
    elif isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, str))
