"""The ids under which an act and its author are kept. A sender chooses them; they are keys of tables and stand in logs.

If this is wrong, a database refuses the id with an error of its own, the act is tried again for ever, and its case stands still."""

from __future__ import annotations

import hashlib
import re

from domain.message import fit_id

STAFF_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def kept_id(given: object) -> str:
    """Returns an id as it was given, or where no act may have it the mark of it: the same id twice has the same."""
    text = str(given)
    return text if fit_id(text) else f"unfit-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:32]}"


def kept_by(value: object) -> str | None:
    """Returns an actor's id where it could be one; anything else is somebody's words and stays out of the log."""
    return value if isinstance(value, str) and STAFF_ID.fullmatch(value) else None
