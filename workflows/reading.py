"""Messages taken raw: whatever arrives becomes plain JSON with an id and a name, and never an exception."""

from __future__ import annotations

import json
from collections.abc import Sequence

from temporalio.common import RawValue

DEEPEST = 50
"""Lists and objects in one another; a message needs no more than eight."""
SEALED = "evenhand-sealed"
"""Metadata of a payload that came sealed, set when it is opened (workflows/codec.py) and taken off whatever came otherwise."""
LIMIT = 200_000
"""Bytes of one message; a longer one is noted, not kept."""


def plain(given: RawValue) -> object:
    """Returns the JSON of a payload, or a string that shows what came instead."""
    payload = given.payload
    encoding = payload.metadata.get("encoding", b"").decode(errors="replace")
    if len(payload.data) > LIMIT:
        return f"unreadable: {len(payload.data)} bytes, more than {LIMIT}"
    if not encoding.startswith("json/"):
        return f"unreadable: encoding {encoding[:40]}"
    try:
        value = json.loads(payload.data)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return f"unreadable: {len(payload.data)} bytes that are no JSON this case can keep"
    return "unreadable: nested too deep" if _depth(value) > DEEPEST else value


def came_plain(args: Sequence[RawValue]) -> bool:
    """Returns whether a message came as plain JSON, readable by whoever reads the engine's database."""
    return bool(args) and SEALED not in args[0].payload.metadata


def _depth(value: object) -> int:
    """Returns how deep lists and objects stand in one another, counted without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [item for one in level for item in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())]
    return depth


def _clean(name: str) -> str:
    """Returns a signal's name as text that can be kept."""
    return name.encode(errors="replace").decode()[:60] or "unnamed"


def named(name: str, args: Sequence[RawValue], *, id: str) -> dict[str, object]:
    """Returns the message of a signal or update. `act` carries the command's name inside; any other name is the command."""
    given = plain(args[0]) if args else {}
    message: dict[str, object] = {"id": id}
    message.update(given if isinstance(given, dict) else {"with": {"unreadable": given}})
    if not isinstance(message["id"], str) or not message["id"]:
        message["id"] = id
    if name != "act":
        message["do"] = _clean(name)
    elif not isinstance(message.get("do"), str):
        message["do"] = "act"
    return message
