"""A printer, as GOV.UK Notify has one: it takes letters, posts each on the next working day, and says so when it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from activities.carriers.carrier import Handed, Method, News, Parcel
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from domain.days import Calendar, add_working_days, london_date
from policies import load


@dataclass
class Printer:
    """A carrier of letters on paper that remembers when it is to post each."""

    name: str = "printer"
    twice_is_once: bool = False
    posts: dict[str, date] = field(default_factory=dict)

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        return add_working_days(london_date(at), 1, calendar)[0]

    def hand_over(self, parcel: Parcel) -> Handed:
        self.posts[parcel.reference] = self.posts_on(parcel.at, parcel.method, load.calendar())
        return Handed(id=parcel.reference, status="accepted", posted=False)

    def find(self, parcel: Parcel) -> Handed | None:
        return None

    def news(self, id: str, method: Method, at: datetime) -> News:
        day = self.posts[id]
        return News(status="received", what="posted", on=day) if day <= london_date(at) else News(status="accepted", what="waits")


def post_by(printer: Printer, outbox: Path) -> Post:
    return Post(email=printer, paper=printer, outbox=Outbox(outbox))
