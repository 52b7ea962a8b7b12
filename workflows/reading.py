"""Messages taken raw: whatever arrives becomes plain JSON with an id and a name, and never an exception."""

from __future__ import annotations

import json
from collections.abc import Sequence

from temporalio.common import RawValue

LIMIT = 200_000
"""Bytes of one message; a longer one is noted, not kept."""


def plain(value: RawValue) -> object:
    """Returns the JSON of a payload, or a string that shows what came instead."""
    payload = value.payload
    encoding = payload.metadata.get("encoding", b"").decode(errors="replace")
    if len(payload.data) > LIMIT:
        return f"unreadable: {len(payload.data)} bytes, more than {LIMIT}"
    if not encoding.startswith("json/"):
        return f"unreadable: encoding {encoding[:40]}"
    try:
        return json.loads(payload.data)
    except ValueError:
        return f"unreadable: {payload.data[:120]!r}"


def named(name: str, args: Sequence[RawValue], *, id: str) -> dict[str, object]:
    """Returns the message of a signal or update. `act` carries the command's name inside; any other name is the command."""
    given = plain(args[0]) if args else {}
    message: dict[str, object] = {"id": id}
    message.update(given if isinstance(given, dict) else {"with": {"unreadable": given}})
    if not isinstance(message["id"], str) or not message["id"]:
        message["id"] = id
    if name != "act":
        message["do"] = name
    elif not isinstance(message.get("do"), str):
        message["do"] = "act"
    return message
