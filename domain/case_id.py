"""What a case may be called. Whoever reaches the engine chooses the id that a workflow starts under.

If this is wrong, a database refuses an id with an error of its own, and one start by an outsider stands in the way of every round."""

from __future__ import annotations

import re

CASE_ID = re.compile(r"(?!.*[.][.])[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
"""What the engine's rounds are called fits too: activities.outcome.OF_NO_CASE."""


def fit_case_id(text: str) -> bool:
    """Returns whether a case may have an id. Of an unfit one no key and no table is asked."""
    return CASE_ID.fullmatch(text) is not None
