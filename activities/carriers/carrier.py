"""What carries a letter out of the house, behind one small interface; and the ways in which that can end.

Whoever adds a carrier says which of its errors mean "nothing left" and which "nobody knows". Get one wrong and a letter goes twice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, Protocol

from domain.days import Calendar
from domain.model import Data

Method = Literal["email", "first-class-post", "second-class-post", "economy-post"]


class Parcel(Data):
    """One issue of one letter, ready to go. `reference` is the carrier's key for it and holds no personal data."""

    case: str
    name: str
    """The letter's issue: n1, or n1-2 when it goes again."""
    at: datetime
    """When it is offered, or asked about."""
    since: datetime | None = None
    """When it was first offered, where it was before."""
    offered_at: datetime | None = None
    """When it was last offered."""
    reference: str
    method: Method
    to: str
    """The customer's name."""
    address: str | None
    subject: str
    sender: str
    """The body's name."""
    files: dict[str, bytes]
    """What goes to the customer, by kind: pdf, html, txt; an email in plain text has txt alone."""
    for_staff: dict[str, bytes] = {}
    """What a member of staff needs to tell the customer: the script for a call. Nobody sends it."""


class Handed(Data):
    """What a carrier says of a letter that it has. `posted` is false while it is still to be printed and posted."""

    id: str | None = None
    status: str
    posted: bool = True
    file: str | None = None
    """Where it lies, where the carrier is a folder."""


class News(Data):
    """A carrier's last word about a letter that it took. `status` is its own word; nothing more is asked once it no longer waits."""

    status: str
    what: Literal["waits", "posted", "delivered", "returned", "blocked", "uncertain"]
    on: date | None = None
    """The day it was posted, delivered or came back, where the carrier says."""
    problem: str | None = None


class Carrier(Protocol):
    """Takes letters. Every call ends within `GIVE_UP_AFTER` seconds."""

    name: str
    twice_is_once: bool
    """Handing the same letter over again leaves one: nothing need be asked after a crash."""

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        """Returns the day on which a letter taken now goes out: the day it prints, and counts its windows from."""

    def hand_over(self, parcel: Parcel) -> Handed:
        """Take one letter. Raises Declined, NotNow or Unclear; or CannotTell, where another letter under its name may have gone before."""

    def find(self, parcel: Parcel) -> Handed | None:
        """Returns what became of a letter that may have been handed over, or None where it never came. Raises NotNow or CannotTell."""

    def news(self, id: str, method: Method, at: datetime) -> News:
        """Returns what has become of a letter that it took under an id of its own. Raises NotNow or CannotTell."""


GIVE_UP_AFTER = 20.0
"""Seconds a call may take. A sending attempt makes two at most and has longer (workflows/case.py), so that none runs into the next."""


class Declined(Exception):
    """The carrier will never take this letter as it stands: a person must look. Says what is wrong, without a name or an address."""


class NotNow(Exception):
    """Nothing was handed over; the same letter may be offered again, not before `after` where that is said."""

    def __init__(self, problem: str, after: datetime | None = None) -> None:
        super().__init__(problem)
        self.after = after


class Unclear(Exception):
    """Nobody knows whether the carrier has it: its answer was lost."""


class CannotTell(Exception):
    """Whether the letter went, a person must find out: this carrier keeps no list to ask, or has another letter under its name."""
