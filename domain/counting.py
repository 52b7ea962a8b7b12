"""Which holiday tables a case counts with, and every date that moved, or stayed as told, when another came.

A case counts with what it took over when it was opened; a newer table changes it by an act of its own and in no other way."""

from __future__ import annotations

from datetime import date
from typing import Literal

from domain.days import Calendar, Holiday
from domain.model import State, Text


class Counting(State):
    """The tables a case counts with: an edition for each nation, and the body's closed days as they stood.

    A nation that is not named counts with the first table that was ever shipped: cases of earlier releases name none."""

    editions: dict[str, str] = {}
    closures: tuple[Holiday, ...] = ()
    meetings: tuple[date, ...] | None = None
    """The meetings its reviews are held at, as the body listed them; None on cases of releases that did not keep them."""

    @staticmethod
    def of(calendar: Calendar) -> Counting:
        """Returns what a case keeps of a calendar."""
        tables = (calendar, *calendar.others)
        return Counting(editions={one.nation: one.edition for one in tables}, closures=calendar.closures, meetings=calendar.meetings)


Stands = Literal["moved", "kept", "past"]


class MovedDate(State):
    """One date that another table would move: it moved, or stays as the customer was told, or had passed already."""

    id: str
    kind: str
    ref: str
    was: date
    becomes: date
    stands: Stands
    told: bool = False
    because: tuple[Holiday, ...] = ()
    """The days that now rest, or rest no longer, on the way to the date."""
    meetings: tuple[date, ...] = ()
    """The meetings that are listed now, or listed no longer, between the two dates of a review held at one."""
    cites: tuple[str, ...] = ()
    notice: str | None = None
    decision: Literal["keep", "move"] | None = None
    """What a person decided on a date that stayed as told."""
    decided_on: date | None = None
    decided_by: str | None = None
    reasons: Text | None = None

    @property
    def waits(self) -> bool:
        return self.stands == "kept" and self.decision is None


class DateChange(State):
    """What one new table, or one proof of receipt, did to a case's dates; somebody acknowledges it."""

    id: str
    on: date
    why: Literal["calendar", "receipt"]
    edition: str | None = None
    moved: tuple[MovedDate, ...] = ()
    acknowledged_on: date | None = None
    acknowledged_by: str | None = None

    @property
    def listed(self) -> tuple[MovedDate, ...]:
        """Returns what a person should look at: everything but the dates that had passed."""
        return tuple(one for one in self.moved if one.stands != "past")
