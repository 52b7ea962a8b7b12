"""The envelope every message wears, and how it becomes a command or a refusal that teaches."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from domain.commands import COMMANDS, AnyCommand
from domain.days import london_date
from domain.decision import Refusal
from domain.model import Vault

VERSION = 1
ID_LIMIT = 120
"""Characters of a sender's id."""


def fit_id(text: str) -> bool:
    """Returns whether an act may have an id: short, and of signs that can be seen (and spaces)."""
    return 0 < len(text) <= ID_LIMIT and text.isprintable()


def _seen(value: str) -> str:
    if not value.isprintable():
        raise ValueError("an id is of signs that can be seen: no line end, no control character, none that turns the direction")
    return value


def _as_text(value: object) -> object:
    """Refuses a day that is no text: a number would be read as seconds since 1970."""
    if value is not None and not isinstance(value, str | date):
        raise ValueError("a day is text: YYYY-MM-DD, or an instant with its zone")
    return value


class Message(BaseModel):
    """What is sent to a case: {v, id, do, by, on, saw, with, token}. Unknown fields are kept, never refused."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    v: int = Field(default=VERSION, description="the version of this envelope")
    id: Annotated[str, AfterValidator(_seen)] = Field(
        min_length=1, max_length=ID_LIMIT, description="the sender's own id: the same id twice is one act"
    )
    do: str = Field(min_length=1, max_length=60, description="the command's name")
    by: str | None = Field(default=None, description="who acts: an id of the staff list, or customer")
    on: Annotated[date | datetime | None, BeforeValidator(_as_text)] = Field(
        default=None, description="the day it happened or reached the body; never in the future"
    )
    saw: str | None = Field(default=None, description="the proposal, letter, appeal or sanction acted on")
    with_: dict[str, object] = Field(default={}, alias="with", description="the command's own fields")
    token: str | None = Field(default=None, description="the signature of the act: a compact JWS")


def read_message(raw: object) -> Message:
    """Returns the envelope. Raises Refusal (malformed) naming each field, what was found and what would be right."""
    if not isinstance(raw, dict):
        raise Refusal(f"A message is a JSON object; found {_shown(raw)}.", kind="malformed", remains=f"Send {_shape()}.")
    try:
        message = Message.model_validate(raw)
    except ValidationError as error:
        raise Refusal(explained(error), kind="malformed", remains=f"Send {_shape()}.") from None
    if message.v > VERSION:
        raise Refusal(
            f"v is {message.v}; this release reads up to {VERSION}.", kind="malformed", remains="Update the worker, then send it again."
        )
    return message


def _shape() -> str:
    return '{"v": 1, "id": "...", "do": "...", "by": "...", "on": "YYYY-MM-DD", "saw": "...", "with": {...}}'


def read_command(message: Message, *, texts: Vault | None = None) -> AnyCommand:
    """Returns the command a message carries. Raises Refusal (unknown or malformed) that says what would be right.

    `texts` gives the texts that the message names by reference; it raises ValueError for a reference that stands for none."""
    kind = COMMANDS.get(message.do)
    if kind is None:
        people = ", ".join(sorted(name for name, one in COMMANDS.items() if "staff" in one.origins or "customer" in one.origins))
        raise Refusal(f"{_shown(message.do)} is no command.", kind="unknown", remains=f"One of: {people}.")
    on = _civil(message.on)
    envelope = {"id": message.id, "on": on, "saw": message.saw}
    clash = sorted(set(message.with_) & set(envelope))
    if clash:
        raise Refusal(f"{', '.join(clash)} belongs beside with, not inside it.", kind="malformed")
    try:
        return kind.model_validate({**message.with_, **envelope}, extra="forbid", context={"vault": texts} if texts else None)
    except ValidationError as error:
        raise Refusal(explained(error, prefix="with."), kind="malformed", remains=f"{message.do} takes: {fields_of(kind)}.") from None


def _civil(on: date | datetime | None) -> date | None:
    """Returns the civil date in London of a day or an instant (DEF-01); an instant without a zone is London time."""
    if isinstance(on, datetime):
        return london_date(on) if on.tzinfo else on.date()
    return on


def fields_of(kind: type[AnyCommand]) -> str:
    """Returns the fields of a command's with, the required ones marked by a star."""
    own = {name: field for name, field in kind.model_fields.items() if name not in ("id", "on", "saw")}
    return ", ".join(f"{name}*" if field.is_required() else name for name, field in own.items()) or "nothing"


def explained(error: ValidationError, *, prefix: str = "") -> str:
    """Returns where, what was found and what would be right, for every fault."""
    faults = error.errors(include_url=False)
    places = [fault["loc"] for fault in faults]
    own = [fault for fault in faults if not _follows(fault["type"], fault["loc"], places)]
    return "; ".join(_fault(fault, prefix) for fault in own[:10])


def _follows(kind: str, place: tuple[str | int, ...], places: list[tuple[str | int, ...]]) -> bool:
    """Returns whether a list is called too short only because one of its items is wrong and was left out."""
    return kind == "too_short" and any(len(one) > len(place) and one[: len(place)] == place for one in places)


def _fault(fault: object, prefix: str) -> str:
    assert isinstance(fault, dict)
    where = prefix + ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"{where} is missing"
    if fault["type"] == "extra_forbidden":
        return f"{where} is no field here"
    return f"{where}: {said(fault['msg'])}, found {_shown(fault['input'])}"


def said(message: str) -> str:
    """Returns what a fault says, in our own words where they are ours."""
    return message.removeprefix("Value error, ")


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
