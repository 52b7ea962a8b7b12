"""One timer for the earliest deadline, set anew only when that deadline changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

AGAIN = timedelta(hours=1)
"""How long a deadline that was acted on and still stands waits before it is tried again."""


class Alarm:
    """Rings once for the deadline it is set to."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self.ring = ring
        self.task: asyncio.Task[None] | None = None
        self.wanted: tuple[datetime, str] | None = None

    def set(self, at: datetime | None, key: str | None, summary: str, *, rung: str | None) -> None:
        """Wait for a deadline, or for none. `rung` is the deadline acted on last."""
        wanted = (at, key) if at and key else None
        if wanted == self.wanted and self.task and not self.task.done():
            return
        if self.task:
            self.task.cancel()
        self.wanted = wanted
        self.task = asyncio.create_task(self._wait(*wanted, summary, again=wanted[1] == rung)) if wanted else None

    async def _wait(self, at: datetime, key: str, summary: str, *, again: bool) -> None:
        await workflow.sleep(max(at - workflow.now(), AGAIN if again else timedelta(0)), summary=summary)
        self.wanted = None
        self.ring(key)
