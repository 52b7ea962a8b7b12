"""What somebody holds from one day to another: an office, a deputy's part, a grade, a line manager."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from domain.model import Code, Data

HeldFor = Literal["office", "deputises", "grade", "line_manager"]
WHERE: dict[str, HeldFor] = {"offices": "office", "deputises": "deputises", "grade": "grade", "line_manager": "line_manager"}
"""The fields of an entry in which a dated one may stand, and what it is then."""


class Held(Data):
    """One of the four with its days, the first and the last included; without `from` since ever, without `to` until further notice."""

    office: Code | None = None
    deputises: Code | None = None
    grade: int | None = Field(default=None, ge=0, le=99)
    line_manager: Code | None = None
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _one_thing_for_some_days(self) -> Held:
        named = [what for what in WHERE.values() if getattr(self, what) is not None]
        if len(named) != 1:
            raise ValueError(f"one of office, grade and line_manager, with from and to; found {' and '.join(named) or 'none of them'}")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"it is held until its first day or later; found from {self.start}, to {self.end}")
        return self

    def covers(self, day: date) -> bool:
        return (self.start or day) <= day <= (self.end or day)

    def meets(self, other: Held) -> bool:
        """Returns whether there is a day on which both are held."""
        return (self.start or date.min) <= (other.end or date.max) and (other.start or date.min) <= (self.end or date.max)


def apart(given: object) -> object:
    """Returns an entry with what has days of its own moved to `held`; anything else is left as it is, for the model to judge."""
    if not isinstance(given, Mapping):
        return given
    entry, held = dict(given), list(given.get("held") or ())
    for field, what in WHERE.items():
        listed = _listed(entry.get(field))
        dated = [one for one in listed if isinstance(one, Mapping)]
        if not dated:
            continue
        held += [_of(what, one) for one in dated]
        plain = [one for one in listed if not isinstance(one, Mapping)]
        entry[field] = plain if field in ("offices", "deputises") else next(iter(plain), None)
    return {**entry, "held": held} if held else given


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _of(what: HeldFor, one: Mapping[object, object]) -> object:
    """Returns a dated one as it is kept: in a deputy's list the office is the one deputised for."""
    if what == "deputises" and "office" in one:
        return {**{key: value for key, value in one.items() if key != "office"}, "deputises": one["office"]}
    return dict(one)


def standing(held: tuple[Held, ...], what: str, plain: object) -> None:
    """Raises ValueError where somebody would have two grades, or two line managers, on one day."""
    dated = [one for one in held if getattr(one, what) is not None]
    if dated and plain is not None:
        raise ValueError(f"{what}: either one without days, or all with days; found {plain} beside {getattr(dated[0], what)} with days")
    for n, one in enumerate(dated):
        other = next((earlier for earlier in dated[:n] if earlier.meets(one)), None)
        if other:
            found = f"{getattr(other, what)} and {getattr(one, what)}"
            raise ValueError(f"{what}: one at a time; found {found} on the same day")
