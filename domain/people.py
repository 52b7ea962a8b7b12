"""Who acts: natural persons, the offices they hold and their grades, as the staff list stood on a day (DEF-20)."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.held import Held, HeldFor, apart, standing
from domain.model import Code, Data

PersonId = str
RESERVED = frozenset({"customer", "calendar", "post"})
"""What a message writes in `by` for whoever is no member of staff: nobody on a staff list may be called so."""

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s<>,;:\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]
"""One email address of a member of staff or of an office, without a name beside it."""


class Absence(Data):
    """Days on which somebody is not there, the first and the last included; without `to` it has no known end."""

    start: date = Field(alias="from")
    end: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Absence:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"an absence ends on its first day or later; found from {self.start}, to {self.end}")
        return self

    def covers(self, day: date) -> bool:
        return self.start <= day <= (self.end or day)


class Person(Data):
    """One account on a body's staff list. `natural` names the human being where one person has two accounts."""

    id: Code
    name: str
    natural: Code | None = None
    offices: tuple[Code, ...] = ()
    grade: int | None = Field(default=None, ge=0, le=99)
    line_manager: Code | None = None
    deputises: tuple[Code, ...] = ()
    """Offices for which this person is the appropriate deputy, or holds a recorded delegation."""
    deputises_for: tuple[Code, ...] = ()
    """People whose own part (a line manager's, say) this person takes by a recorded delegation."""
    area: Code | None = None
    """The service this person works in."""
    valid_from: date | None = None
    valid_to: date | None = None
    absences: tuple[Absence, ...] = ()
    """When this person is away; whoever deputises takes what is passed to them meanwhile."""
    email: Email | None = None
    """Where staff notices go; without one the task list alone says what waits."""
    held: tuple[Held, ...] = ()
    """Offices, deputies' parts, grades and line managers with days of their own: written beside the plain ones, as {office, from, to}."""

    @model_validator(mode="before")
    @classmethod
    def _dated_apart(cls, given: object) -> object:
        return apart(given)

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Person:
        for what in ("grade", "line_manager"):
            standing(self.held, what, getattr(self, what))
        return self

    def on(self, day: date) -> Person:
        """Returns the person with what they hold on a day in the plain fields, so that no rule looks at days of holding."""
        if not self.held:
            return self
        now = [one for one in self.held if one.covers(day)]
        return self.model_copy(
            update={
                "offices": (*self.offices, *_new(now, "office", self.offices)),
                "deputises": (*self.deputises, *_new(now, "deputises", self.deputises)),
                "grade": next((one.grade for one in now if one.grade is not None), self.grade),
                "line_manager": next((one.line_manager for one in now if one.line_manager), self.line_manager),
                "held": (),
            }
        )

    def ever(self, what: HeldFor) -> tuple[str, ...]:
        """Returns every office (or deputy's part, or line manager) on this entry, whatever its days."""
        plain = {"office": self.offices, "deputises": self.deputises}.get(what) or ((self.line_manager,) if what == "line_manager" else ())
        return tuple(str(one) for one in (*plain, *(getattr(one, what) for one in self.held)) if one is not None)

    @property
    def human(self) -> str:
        return self.natural or self.id

    def serves_on(self, day: date) -> bool:
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    def away_on(self, day: date) -> bool:
        return any(absence.covers(day) for absence in self.absences)


def _new(now: list[Held], what: HeldFor, plain: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for one in now if (value := getattr(one, what)) and value not in plain))


class Staff(Data):
    """A body's staff list."""

    people: tuple[Person, ...] = ()
    gone: tuple[Person, ...] = ()
    """Accounts that count no more: no act is theirs, and whose human being they were is still known."""

    @cached_property
    def by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    def on(self, day: date) -> Staff:
        """Returns the list as it stood on a day: whoever left counts no more, and offices are those held that day."""
        return Staff(
            people=tuple(person.on(day) for person in self.people if person.serves_on(day)),
            gone=(*self.gone, *(person for person in self.people if not person.serves_on(day))),
        )

    def was(self, account: str | None) -> bool:
        """Returns whether an account is known that counts no more, or not yet."""
        return account not in self.by_id and account in self._humans

    def ever(self, account: str) -> Person | None:
        """Returns an account whether it counts or not: a team does not end because somebody left it."""
        return self.by_id.get(account) or next((one for one in self.gone if one.id == account), None)

    def human_of(self, account: str) -> str:
        """Returns whose account this is or was (DEF-20); the account itself where the list never had it."""
        return self._humans.get(account, account)

    @cached_property
    def _humans(self) -> dict[str, str]:
        return {one.id: one.human for one in (*self.gone, *self.people)}


Origin = Literal["staff", "customer", "calendar", "post"]


class Actor(Data):
    """The author of an act: a member of staff, the customer (or a representative), the calendar or the post."""

    origin: Origin
    person: Person | None = None
    staff: Staff = Staff()

    @property
    def id(self) -> str:
        return self.person.id if self.person else self.origin

    @property
    def human(self) -> str:
        return self.person.human if self.person else self.origin


CALENDAR = Actor(origin="calendar")
POST = Actor(origin="post")
CUSTOMER = Actor(origin="customer")


def same_human(one: Person, other: str, staff: Staff) -> bool:
    """Returns whether the account `other` belongs to the natural person `one` (DEF-20)."""
    return one.human == staff.human_of(other)
