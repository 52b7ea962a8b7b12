"""Who may sign an act for whom, and whether a signature fits its message. A mistake here lets one person act as another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from domain.days import UTC
from domain.model import Data

CUSTOMER_ID, CALENDAR_ID = "customer", "calendar"
AHEAD = timedelta(minutes=10)
"""How far a signer's clock may run ahead of the engine's."""
LIES_AT_MOST = timedelta(days=31)
"""How long a signed message may lie before its case gets to it, unless the records say otherwise: a signal waits while no worker runs."""
LEAST = timedelta(hours=1)
"""No installation may set a limit shorter than this."""

Hash = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""SHA-256 in base64url without padding."""
Issuer = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,63}$")]


class Claims(Data):
    """What a signature says of an act. Every field of the message is bound; no others may stand here."""

    model_config = ConfigDict(strict=True)

    v: Literal[1]
    sub: str | None
    do: str | None
    id: str | None
    case: str
    saw: str | None
    on: str | None
    with_: Hash = Field(alias="with")
    more: Hash | None = None
    """The hash of whatever else stands in the message, where something does."""
    iat: int = Field(ge=0, lt=2**37)
    iss: Issuer

    @property
    def signed_at(self) -> datetime:
        return datetime.fromtimestamp(self.iat, UTC)


class SigningKey(Data):
    """A public key as the records know it: whose, for whom it may sign, and from when to when."""

    kid: str
    holder: str
    person: str | None = None
    """The one person it signs for."""
    staff: bool = False
    """Whether it signs for any member of staff."""
    bodies: tuple[str, ...] = ()
    """The bodies whose cases it signs for; every body where there is none."""
    customer: bool = False
    calendar: bool = False
    valid_from: datetime
    valid_to: datetime | None = None
    revoked_at: datetime | None = None
    revoked_why: str | None = None

    def signs_for(self, by: str | None, body: str | None) -> bool:
        """Returns whether it may sign for somebody on a case of a body (None: of a body that nobody named)."""
        if self.bodies and body not in self.bodies:
            return False
        if by == CUSTOMER_ID:
            return self.customer
        if by == CALENDAR_ID:
            return self.calendar
        return self.staff or (by is not None and by == self.person)

    def unusable_at(self, at: datetime) -> str | None:
        """Returns why a signature made at an instant does not count, or None."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return f"the key was revoked from {_said(self.revoked_at)}"
        if at < self.valid_from:
            return f"the key is valid from {_said(self.valid_from)} only"
        if self.valid_to is not None and at >= self.valid_to:
            return f"the key was valid until {_said(self.valid_to)}"
        return None


def misfit(signed: Claims, sent: Claims) -> str | None:
    """Returns what a signature was made for and the message is not, or None where they agree."""
    names = ("case", "do", "id", "sub", "saw", "on", "with_", "more")
    differing = next((name for name in names if getattr(signed, name) != getattr(sent, name)), None)
    return f"it was signed for {OTHERWISE[differing]}" if differing else None


OTHERWISE = {
    "case": "another case",
    "do": "another command",
    "id": "another id",
    "sub": "another person",
    "saw": "another proposal, letter or decision (saw)",
    "on": "another day (on)",
    "with_": "other contents (with)",
    "more": "other fields beside the known ones",
}


def out_of_time(signed_at: datetime, *, arrived: datetime, lies_at_most: timedelta) -> str | None:
    """Returns why a signature is too new or too old for a message that reached its case at an instant, or None."""
    if signed_at > arrived + AHEAD:
        return "it was signed in the future: the signer's clock is wrong"
    if signed_at < arrived - lies_at_most:
        return f"it was signed more than {lies_at_most.days} days before it reached the case"
    return None


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
