"""The id under which an act is kept. A sender chooses it: it is a key of a table, and stands in logs, so not everything may be one.

If this is wrong, a database refuses the id with an error of its own, the act is tried again for ever, and its case stands still."""

from __future__ import annotations

import hashlib

from domain.message import fit_id


def kept_id(given: object) -> str:
    """Returns an id as it was given, or where no act may have it the mark of it: the same id twice has the same."""
    text = str(given)
    return text if fit_id(text) else f"unfit-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:32]}"
