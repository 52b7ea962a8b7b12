"""Which carrier takes which letter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from activities.carriers.carrier import Carrier, Method
from activities.carriers.outbox import Outbox
from activities.carriers.staff import StaffMail, StaffOutbox


@dataclass(frozen=True)
class Post:
    """A body's post room: one carrier for email, one for paper. The outbox is where a person looks in any case."""

    email: Carrier
    paper: Carrier
    outbox: Outbox
    staff: StaffMail | None = None
    """What carries emails to staff; without one they go into the outbox."""

    class_of_post: Method = "first-class-post"
    """By which class the paper carrier posts: the day on which a letter counts as notified follows it (DEF-06)."""

    @property
    def staff_mail(self) -> StaffMail:
        return self.staff or StaffOutbox(self.outbox.folder)

    @classmethod
    def into(cls, folder: Path) -> Post:
        """Returns the default: everything goes into a folder."""
        outbox = Outbox(folder)
        return cls(email=outbox, paper=outbox, outbox=outbox)

    def method(self, asked: str) -> Method:
        """Returns how a letter goes here that is to go by email or by post."""
        return "email" if asked == "email" else self.class_of_post

    def carrier(self, method: Method) -> Carrier:
        return self.email if method == "email" else self.paper

    def named(self, name: str) -> Carrier | None:
        """Returns the carrier that took a letter earlier, or None where it is not in use any more."""
        return next((one for one in (self.email, self.paper, self.outbox) if one.name == name), None)
