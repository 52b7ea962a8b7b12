"""How the engine's time and a case's time relate. On live cases they are the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Clock:
    """A shift between the two, fixed where a worker is wired. Only a rehearsal's wiring gives one; no message or setting can."""

    shift: timedelta = timedelta(0)

    def case_time(self, engine: datetime) -> datetime:
        return engine + self.shift

    def engine_time(self, case: datetime) -> datetime:
        return case - self.shift


ENGINE_TIME = Clock()
"""The clock of every live worker."""
