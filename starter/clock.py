"""The shell's own clock. A day that a door leaves out is today in London; read it anywhere else and two doors may disagree."""

from __future__ import annotations

from datetime import date, datetime

from domain.days import UTC, london_date


def now() -> datetime:
    """Returns this instant: the one place outside the engine where a clock is read."""
    return datetime.now(UTC)  # noqa: TID251  # the shell's own clock


def today() -> date:
    """Returns today in London."""
    return london_date(now())
