"""The embedded Temporal server of the default run: started once for a folder, shared by the runs in it, ended by the one that keeps it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
from contextlib import suppress
from time import sleep
from typing import IO

from worker.local_server import is_temporal
from worker.run import connect
from worker.server import LIMITS, binary
from worker.settings import ServerNote, Settings
from workflows.monitor import KEYS

KINDS = {1: "Text", 2: "Keyword", 3: "Int", 4: "Double", 5: "Bool", 6: "Datetime", 7: "KeywordList"}
LAUNCHES = 3
TRIES = 300
"""Tenths of a second in which a server comes up."""


class CannotStart(Exception):
    """The default run could not start; says why and what to do."""


class Server:
    """The embedded server as a process of its own. One run of a folder keeps it, by a lock that ends with the run however it ends;
    a run beside it uses the server and leaves it alone; one that comes after a killed run keeps what that left behind."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        self.lock: IO[bytes] | None = None

    async def start(self) -> Settings:
        """Start the server, or find it running. Returns the settings with its address."""
        self.settings.var.mkdir(parents=True, exist_ok=True)
        for _ in range(TRIES):
            keeps, found = self._keeps(), await self._found()
            if found:
                return found
            if keeps:
                return await self._begun()
            await asyncio.sleep(0.1)  # another run keeps the server and is starting it
        raise CannotStart(f"Another evenhand up in {self.settings.var} is there, and its server does not answer.")

    def _keeps(self) -> bool:
        """Returns whether this run keeps the server, which it does from now on where nobody else does."""
        if self.lock is None:
            lock = (self.settings.var / "server.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self.lock = lock
        return True

    async def _found(self) -> Settings | None:
        note = ServerNote.read(self.settings.var)
        if note is None or not is_temporal(note.pid) or not await _answers(self.settings.at(note)):
            return None
        self.pid = note.pid
        return self.settings.at(note)

    async def _begun(self) -> Settings:
        for left in range(LAUNCHES, 0, -1):
            port, ui_port = _free(self.settings.temporal_address), _free(f"127.0.0.1:{self.settings.ui_port}")
            chosen = self.settings.model_copy(update={"temporal_address": f"127.0.0.1:{port}", "ui_port": ui_port})
            try:
                await self._launched(chosen)
            except CannotStart:
                if left == 1:
                    raise
                await asyncio.sleep(0.2)  # somebody took a port between the look and the launch: look again
            else:
                break
        return chosen

    async def _launched(self, chosen: Settings) -> None:
        self._launch(chosen)
        await self._ready(chosen)
        assert self.pid is not None
        ServerNote(address=chosen.temporal_address, ui_port=chosen.ui_port, pid=self.pid).write(chosen.var)

    def _launch(self, chosen: Settings) -> None:
        host, port = chosen.temporal_address.rsplit(":", 1)
        attributes = [word for key in KEYS for word in ("--search-attribute", f"{key.name}={KINDS[key.indexed_value_type.value]}")]
        limits = [word for name, value in LIMITS.items() for word in ("--dynamic-config-value", f"{name}={value}")]
        command = [
            binary("temporal"), "server", "start-dev", "--ip", host, "--port", port, "--ui-port", str(chosen.ui_port),
            "--db-filename", str(chosen.var / "temporal.db"), "--log-level", "error", *attributes, *limits,
        ]  # fmt: skip
        log = (chosen.var / "temporal.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603  # our own pinned binary
        self.pid = self.process.pid

    async def _ready(self, chosen: Settings) -> None:
        for _ in range(TRIES):
            if self.process is not None and self.process.poll() is not None:
                raise CannotStart(f"The Temporal server ended at once; see {chosen.var / 'temporal.log'}.")
            if await _answers(chosen):
                return
            await asyncio.sleep(0.1)
        raise CannotStart(f"The Temporal server did not answer; see {chosen.var / 'temporal.log'}.")

    async def watch(self, chosen: Settings) -> None:
        """Start the server again whenever it ends by itself."""
        while True:
            await asyncio.sleep(1)
            if self.pid is not None and not is_temporal(self.pid) and self._keeps():
                await self._launched(chosen)
            elif self.lock is None:
                await self._found()  # its keeper may have started it again

    def stop(self) -> None:
        """End the server, where this run keeps it; one that another run keeps stays."""
        if self.lock is None:
            return
        ServerNote.file(self.settings.var).unlink(missing_ok=True)
        if self.pid is not None and is_temporal(self.pid):
            os.kill(self.pid, signal.SIGTERM)
            self._wait_for_end(self.pid)
        self.lock.close()

    def _wait_for_end(self, pid: int) -> None:
        """Wait until a server that was told to end has let go of its database, at most ten seconds; a found one is no child of ours."""
        for _ in range(100):
            if self.process is not None:
                self.process.poll()
            if not is_temporal(pid):
                return
            sleep(0.1)


async def _answers(settings: Settings) -> bool:
    try:
        client = await asyncio.wait_for(connect(settings), 2)
        return await client.service_client.check_health()
    except (RuntimeError, TimeoutError, OSError):
        return False


def _free(address: str) -> int:
    """Returns the port of an address, or another free one where somebody has it."""
    host, port = address.rsplit(":", 1)
    for wanted in (int(port), 0):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, wanted))
            return int(probe.getsockname()[1])
    raise CannotStart(f"No port is free on {host}.")
