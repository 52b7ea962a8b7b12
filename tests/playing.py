"""Rehearsals played for a test: two at a time, each once, on a server of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starter.rehearse import Performance, rehearse
from starter.script import read_script

AT_A_TIME = 2
Played = dict[Path, Performance | BaseException]


async def all_played(files: list[Path]) -> Played:
    """Returns what became of each rehearsal: its performance, or the fault that ended it."""
    gate = asyncio.Semaphore(AT_A_TIME)

    async def play(path: Path) -> Performance:
        async with gate:
            return await rehearse(read_script(path))

    found = await asyncio.gather(*(play(path) for path in files), return_exceptions=True)
    return dict(zip(files, found, strict=True))
