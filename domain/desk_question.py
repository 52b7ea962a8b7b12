"""The question at the desk, and what one restriction says to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import NamedTuple

from domain.contact_words import ContactKind, Verdict
from domain.desk_entry import Entry, Limit, Used
from domain.model import Data, Reference, State, Text
from domain.people import Staff
from domain.restrictions import Channel


class Asked(Data):
    """One contact, as the person at the desk describes it."""

    channel: Channel
    topic: Text
    kind: ContactKind = "ordinary"
    on: date
    at: time | None = None
    """London time; without it nothing is said about set hours."""
    minutes: int | None = None
    by: Reference | None = None
    """The member of staff who asks."""


class Found(State):
    """What one restriction says to one contact."""

    case: str = ""
    """Whose case it runs in, where a customer has several."""
    restriction: str
    type: str
    verdict: Verdict
    says: str
    cites: tuple[str, ...]
    departs: bool = False
    """An ordinary contact of this kind departs from the restriction; a person decides what that means."""
    used: Used | None = None
    period: tuple[date, date] | None = None
    pass_to: str | None = None


class Question(NamedTuple):
    """A contact against one restriction of one entry, with the body's staff list."""

    asked: Asked
    limit: Limit
    entry: Entry
    staff: Staff

    def found(
        self,
        verdict: Verdict,
        says: str,
        *,
        departs: bool = False,
        also: Iterable[str] = (),
        pass_to: str | None = None,
        used: Used | None = None,
        period: tuple[date, date] | None = None,
    ) -> Found:
        cites = tuple(dict.fromkeys((*self.limit.cites, *also)))
        return Found(
            case=self.entry.case,
            restriction=self.limit.id,
            type=self.limit.restriction.type,
            verdict=verdict,
            says=says,
            cites=cites,
            departs=departs,
            pass_to=pass_to,
            used=used,
            period=period,
        )
