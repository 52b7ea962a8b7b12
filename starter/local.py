"""The default run: an embedded Temporal server with its database in a file, migrations, a worker, sample cases."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import select
from temporalio.client import Client

from domain.days import UTC, london_date
from records.database import migrate, open_database, reading
from records.tables import BodyRow, LetterRow, SanctionRow
from starter.cases import Cases
from starter.samples import Sample, play, samples, set_up_bodies
from worker.run import connect, worker_for
from worker.server import binary
from worker.settings import Settings
from workflows.monitor import KEYS

KINDS = {1: "Text", 2: "Keyword", 3: "Int", 4: "Double", 5: "Bool", 6: "Datetime", 7: "KeywordList"}


class CannotStart(Exception):
    """The default run could not start; says why and what to do."""


def today() -> date:
    """Returns today in London: the one place outside the engine where a clock is read."""
    return london_date(datetime.now(UTC))  # noqa: TID251  # the shell's own clock


class Server:
    """The embedded server as a process of its own; one still running from before is used again."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.noted = settings, settings.var / "server.json"
        self.process: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None

    async def start(self) -> Settings:
        """Start the server, or find it running. Returns the settings with its address."""
        self.settings.var.mkdir(parents=True, exist_ok=True)
        before = self._before()
        if before and await _answers(before):
            return before
        port, ui_port = _free(self.settings.temporal_address), _free(f"127.0.0.1:{self.settings.ui_port}")
        chosen = self.settings.model_copy(update={"temporal_address": f"127.0.0.1:{port}", "ui_port": ui_port})
        self._launch(chosen)
        await self._ready(chosen)
        self.noted.write_text(json.dumps({"address": chosen.temporal_address, "ui_port": ui_port, "pid": self.pid}))
        return chosen

    def _before(self) -> Settings | None:
        if not self.noted.exists():
            return None
        noted = json.loads(self.noted.read_text())
        if not _is_temporal(noted["pid"]):
            return None
        self.pid = noted["pid"]
        return self.settings.model_copy(update={"temporal_address": noted["address"], "ui_port": noted["ui_port"]})

    def _launch(self, chosen: Settings) -> None:
        host, port = chosen.temporal_address.rsplit(":", 1)
        attributes = [word for key in KEYS for word in ("--search-attribute", f"{key.name}={KINDS[key.indexed_value_type.value]}")]
        command = [
            binary("temporal"), "server", "start-dev", "--ip", host, "--port", port, "--ui-port", str(chosen.ui_port),
            "--db-filename", str(chosen.var / "temporal.db"), "--log-level", "error", *attributes,
        ]  # fmt: skip
        log = (chosen.var / "temporal.log").open("ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603  # our own pinned binary
        self.pid = self.process.pid

    async def _ready(self, chosen: Settings) -> None:
        for _ in range(300):
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
            if self.pid is not None and not _is_temporal(self.pid):
                self._launch(chosen)
                await self._ready(chosen)
                self.noted.write_text(json.dumps({"address": chosen.temporal_address, "ui_port": chosen.ui_port, "pid": self.pid}))

    def stop(self) -> None:
        """End the server this run started or found."""
        if self.pid is not None and _is_temporal(self.pid):
            os.kill(self.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                if self.process:
                    self.process.wait(10)
        self.noted.unlink(missing_ok=True)


def _is_temporal(pid: int) -> bool:
    """Returns whether a process is a running Temporal server: ids are used again by others."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return b"start-dev" in Path(f"/proc/{pid}/cmdline").read_bytes() and state != "Z"
    except (OSError, IndexError):
        return _alive(pid) if sys.platform != "linux" else False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


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


async def first_cases(client: Client, engine: Engine, settings: Settings, progress: Callable[[str], None]) -> tuple[Sample, ...]:
    """Set up the sample bodies and cases that are not there yet, and return all of them."""
    found = samples()
    with reading(engine) as session:
        bodies, done = set(session.exec(select(BodyRow.body)).all()), set(session.exec(select(SanctionRow.case_id)).all())
    set_up_bodies(engine, tuple(one for one in found if one.body.body not in bodies))
    cases = Cases(client=client, task_queue=settings.task_queue)
    for sample in found:
        if sample.case not in done:
            await play(sample, cases, engine, today=today(), progress=progress)
    return found


def checked(engine: Engine, found: tuple[Sample, ...]) -> tuple[Path, ...]:
    """Returns the first restriction letter of every sample case. Raises CannotStart where one is missing."""
    letters = []
    with reading(engine) as session:
        for sample in found:
            rows = session.exec(select(LetterRow).where(LetterRow.case_id == sample.case)).all()
            decisions = [row for row in rows if "restrictions" in row.parts and Path(row.file).exists()]
            if not decisions:
                raise CannotStart(f"{sample.case} has no decision letter in the outbox.")
            letters.append(Path(decisions[0].file))
    if not letters:
        raise CannotStart("There is no sample case.")
    return tuple(letters)


async def run_local(
    settings: Settings, *, once: bool, progress: Callable[[str], None], ready: Callable[[Settings, Engine, tuple[Path, ...]], None]
) -> None:
    """Run everything until it is cancelled; with `once`, until the sample cases have their letters."""
    server = Server(settings)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        progress("starting the Temporal server")
        chosen = await server.start()
        progress("applying migrations")
        engine = open_database(chosen.database)
        migrate(engine)
        client = await connect(chosen)
        async with worker_for(client, engine=engine, outbox=chosen.letters, task_queue=chosen.task_queue):
            found = await first_cases(client, engine, chosen, progress)
            ready(chosen, engine, checked(engine, found))
            if not once:
                await server.watch(chosen)
    finally:
        server.stop()
