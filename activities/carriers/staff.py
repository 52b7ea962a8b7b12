"""What carries an email to staff: apart from the customers' carriers, because nothing of it is a letter and nothing waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from domain.model import Data


class StaffEmail(Data):
    """One email to one reader. `key` is the same when it is tried again, and holds no personal data beyond the reader's staff id."""

    key: str
    to: str
    subject: str
    text: str
    sender: str
    """The body's name."""


class StaffMail(Protocol):
    """Takes emails to staff. Every call ends within `GIVE_UP_AFTER` seconds (carrier.py)."""

    name: str
    twice_is_once: bool
    """Sending the same key again leaves one: after a crash it is simply sent again."""

    def send(self, email: StaffEmail) -> None:
        """Send one email. Raises Declined (never to this address), NotNow (nothing left; later) or Unclear (nobody knows)."""


class StaffOutbox:
    """The default: emails as files, a folder a body, under the folder of the letters."""

    name = "outbox"
    twice_is_once = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "staff"

    def send(self, email: StaffEmail) -> None:
        body, _, rest = email.key.partition("/")
        file = self.folder / quote(body, safe="") / f"{quote(rest, safe='')}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"To: {email.to}\nFrom: {email.sender}\nSubject: {email.subject}\n\n{email.text}", encoding="utf-8")
