"""Two bare workflows that take the reference case's messages and timers: one writes as samples do, one does nothing at all."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from bench.reference import LETTERS_AT


@dataclass
class Kept:
    """The records of the bare workflow that writes as samples do: case, log and register, an activity each, and a notice file."""

    path: Path
    outbox: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.base = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.base.execute(f"PRAGMA {pragma}")
        for table in ("the_case", "log", "register"):
            self.base.execute(f"CREATE TABLE {table} (id TEXT, n INTEGER, body TEXT, PRIMARY KEY (id, n))")

    def _write(self, table: str, case: str, n: int) -> None:
        with self.lock:
            self.base.execute("BEGIN IMMEDIATE")
            self.base.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", (case, n, json.dumps({"n": n, "stage": "restricted"})))
            self.base.execute("COMMIT")

    @activity.defn
    def save_case(self, case: str, n: int) -> None:
        self._write("the_case", case, n)

    @activity.defn
    def save_log(self, case: str, n: int) -> None:
        self._write("log", case, n)

    @activity.defn
    def save_register(self, case: str, n: int) -> None:
        self._write("register", case, n)

    @activity.defn
    def send_notice(self, case: str, n: int) -> None:
        folder = self.outbox / case.replace("/", "_")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}.html").write_text("<p>A letter.</p>")


@activity.defn
def nothing(case: str, n: int) -> None:
    """Do nothing: the floor."""


class _Bare:
    def __init__(self) -> None:
        self.done, self.asked, self.closed = 0, 0, False

    async def live(self, act: Callable[[int], object]) -> None:
        while not self.closed:
            await workflow.wait_condition(lambda: self.asked > self.done or self.closed, timeout=timedelta(days=365))
            while self.done < self.asked:
                await act(self.done + 1)  # type: ignore[misc]  # execute_activity gives an awaitable, which object does not say
                self.done += 1

    async def told(self) -> int:
        self.asked += 1
        mine = self.asked
        await workflow.wait_condition(lambda: self.done >= mine)
        return mine


WITHIN = timedelta(seconds=20)


@workflow.defn(name="BareLikeSamples")
class BareLikeSamples(_Bare):
    """Case, log and register by an activity each for every message, and one activity a notice."""

    @workflow.run
    async def run(self) -> None:
        await self.live(self._act)

    async def _act(self, n: int) -> None:
        case = workflow.info().workflow_id
        for name in ("save_case", "save_log", "save_register"):
            await workflow.execute_activity(name, args=[case, n], start_to_close_timeout=WITHIN)
        if n in LETTERS_AT:
            asyncio.create_task(workflow.execute_activity("send_notice", args=[case, n], start_to_close_timeout=WITHIN))  # noqa: RUF006

    @workflow.update
    async def tell(self) -> int:
        return await self.told()

    @workflow.signal
    def close(self) -> None:
        self.closed = True


@workflow.defn(name="BareFloor")
class BareFloor(_Bare):
    """One activity that does nothing for every message: what the engine alone costs."""

    @workflow.run
    async def run(self) -> None:
        await self.live(self._act)

    async def _act(self, n: int) -> None:
        await workflow.execute_activity("nothing", args=[workflow.info().workflow_id, n], start_to_close_timeout=WITHIN)

    @workflow.update
    async def tell(self) -> int:
        return await self.told()

    @workflow.signal
    def close(self) -> None:
        self.closed = True
