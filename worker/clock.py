"""This machine's own clock, for what watches a worker. What a case counts with comes from the engine."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> datetime:
    """Returns this instant."""
    return datetime.now(timezone.utc)  # noqa: TID251  # a worker's own clock: metrics and log lines, never a case
