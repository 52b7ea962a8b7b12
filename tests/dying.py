"""python -m tests.dying POINT: one sending attempt, as a worker makes it, that ends by kill -9 of its own process at a given point.

made     the letter is made, nothing is written down
offered  the hand-over is written down, the carrier not yet called
taken    the carrier has the letter, nothing is noted
noted    everything is noted, the answer not yet given"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from activities.carriers.carrier import Carrier, Handed, Parcel
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.carriers.smtp import Smtp
from activities.clock import ENGINE_TIME
from activities.outcome import Letter
from activities.sending import Sending
from records.database import open_database

POINTS = ("made", "offered", "taken", "noted")
T = TypeVar("T")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def carrier_named(name: str, *, where: str) -> Carrier:
    """Returns a carrier: an outbox in a folder, a mail server at a port, a loopback Notify at an address."""
    if name == "outbox":
        return Outbox(Path(where))
    if name == "smtp":
        return Smtp("127.0.0.1", port=int(where), sender="decisions@body.example", security="none")
    from datetime import timedelta

    from activities.carriers.notify import Notify
    from tests.notify import KEY, TEMPLATE

    return Notify(KEY, template=TEMPLATE, host=where, quiet=timedelta(0))


class Dying:
    """A carrier that kills its own process before or after it takes a letter."""

    def __init__(self, carrier: Carrier, point: str) -> None:
        self.carrier, self.point = carrier, point
        self.name, self.twice_is_once = carrier.name, carrier.twice_is_once
        self.posts_on, self.find, self.news = carrier.posts_on, carrier.find, carrier.news

    def hand_over(self, parcel: Parcel) -> Handed:
        if self.point == "offered":
            die()
        handed = self.carrier.hand_over(parcel)
        if self.point == "taken":
            die()
        return handed


def before(call: Callable[..., T]) -> Callable[..., T]:
    def dies(*args: object, **kwargs: object) -> T:
        die()
        return call(*args, **kwargs)

    return dies


def main(point: str, database: str, carrier: str, where: str, case: str, notice: str, now: str) -> None:
    dying = Dying(carrier_named(carrier, where=where), point)
    if point == "made":
        Sending._offered = before(Sending._offered)  # type: ignore[method-assign]
    at = datetime.fromisoformat(now)
    post = Post(email=dying, paper=dying, outbox=Outbox(Path(database).parent / "none"))
    Sending(open_database(f"sqlite:///{database}"), post, ENGINE_TIME).send(Letter(case=case, notice=notice, now=at), now=at)
    assert point == "noted", "it should have died before"
    die()


if __name__ == "__main__":
    main(*sys.argv[1:])
