"""Who acts: natural persons, the offices they hold and their grades, as the staff list stood on a day (DEF-20)."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

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

    @property
    def human(self) -> str:
        return self.natural or self.id

    def serves_on(self, day: date) -> bool:
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    def away_on(self, day: date) -> bool:
        return any(absence.covers(day) for absence in self.absences)


class Staff(Data):
    """A body's staff list."""

    people: tuple[Person, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    def on(self, day: date) -> Staff:
        """Returns the list as it stood on a day, so that somebody who left counts no more."""
        return Staff(people=tuple(person for person in self.people if person.serves_on(day)))


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
    account = staff.by_id.get(other)
    return one.human == (account.human if account else other)
