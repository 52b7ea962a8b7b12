"""Real servers, workers and records for tests of the workflow. Nothing here is a mock; every process started is ended by its id."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest_asyncio
from sqlalchemy import Engine
from sqlmodel import col, select
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import worker.run as wiring
from activities.bodies import Body, save_body
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME, Clock
from activities.outcome import Outcome
from activities.staff_lists import Loaded
from domain.people import Person
from records.database import create_all, open_database, reading, transaction
from records.keys import Keys, KeyStore, keys_of_engine
from records.log import log_of
from records.masters import FileMasters, make_file
from records.tables import CaseRow, LetterRow, LogRow, NoticeRow, TaskRow
from records.vault import CaseVault
from starter.cases import Cases
from starter.clock import now, today
from tests.signing import SIGNER, know
from tests.started import started
from worker.server import binary
from workflows.converter import DATA_CONVERTER, with_keys
from workflows.monitor import KEYS

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60.0
"""Seconds before a test says that what it waits for did not come: never a measure of speed."""
QUICK_RENEWAL = ("--dynamic-config-value", "history.workflowIdReuseMinimalInterval=0")

OFFICER, MANAGER, SENIOR, RECORDS = "pat-officer", "max-manager", "sal-senior", "ray-records"
MMO_STAFF = (
    Person(id=OFFICER, name="Pat Officer", grade=5, line_manager=MANAGER, area="licensing"),
    Person(id=MANAGER, name="Max Manager", offices=("decision-maker",), grade=8, area="licensing"),
    Person(id=SENIOR, name="Sal Senior", offices=("reviewer",), grade=10),
    Person(id=RECORDS, name="Ray Records", offices=("records-officer",), grade=4),
)
MMO = Body(body="mmo", name="Marine Management Organisation (test)", policy="mmo", keep_years=6, people=MMO_STAFF)
CUSTOMER = {"name": "Quentin Testcase", "channel": "email", "address": "quentin.testcase@example.org"}
PERSONAL = ("Quentin", "Testcase", "example.org", "Forty emails", "Thirty more")
"""Words of the case's personal text: nowhere but in payloads and in the records' texts."""
FINDINGS = {"own-merits": "One licence.", "proportionality-nature": "All by email.", "proportionality-frequency": "Seventy emails."}
LIMIT = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "email"}


def ago(days: int) -> str:
    """Returns the day so many days before today, as a message carries it."""
    return (today() - timedelta(days=days)).isoformat()


def act(do: str, id: str, *, by: str | None, with_: dict[str, object] | None = None, **facts: str) -> dict[str, object]:
    """Returns a message as every door takes it."""
    return {"v": 1, "id": id, "do": do, "with": with_ or {}, **({"by": by} if by else {}), **facts}


def opening(case: str, *, body: str = "mmo") -> dict[str, object]:
    return act("open_case", f"open:{case}", by=OFFICER, with_={"body": body, "customer": CUSTOMER, "area": "licensing"})


def report(id: str = "report-1", *, summary: str = "Forty emails in one week.", on: str | None = None) -> dict[str, object]:
    with_ = {"code": "excessive-contact", "medium": "email", "summary": summary}
    return act("report_behaviour", id, by=OFFICER, with_=with_, on=on or ago(40))


def assess(id: str, finding: str = "noted") -> dict[str, object]:
    """An act that changes nothing but the seq and the log: for tests of order and of answering once."""
    return act("assess", id, by=OFFICER, with_={"findings": {"own-merits": finding}})


WARNING = {"medium": "telephone", "findings": {"concerns": "Forty emails in one week.", "policy-copy-directed": True}}


def road_to_restriction() -> tuple[dict[str, object], ...]:
    """The acts that lead an open MMO case to its decision (MMO-24 to MMO-30)."""
    decision = {"restrictions": [LIMIT], "reasons": "The emails take up the time of the whole team.", "findings": FINDINGS}
    return (
        report("report-1", on=ago(40)),
        act("warn", "warn-1", by=OFFICER, with_=WARNING, on=ago(30)),
        report("report-2", summary="Thirty more emails.", on=ago(12)),
        act("impose_sanction", "impose-1", by=MANAGER, with_=decision),
    )


def raw(data: bytes, encoding: str | None = "json/plain") -> RawValue:
    """Returns a payload exactly as given, whatever it claims to be."""
    return RawValue(Payload(metadata={"encoding": encoding.encode()} if encoding else {}, data=data))


async def until(true: Callable[[], object], what: str) -> None:
    """Wait for something to become true; a test that waits in vain says for what."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not true():
        assert asyncio.get_running_loop().time() < end, f"in vain: {what}"
        await asyncio.sleep(0.02)


@dataclass
class Office:
    """Records, an outbox and a task queue: what one worker serves."""

    client: Client
    folder: Path
    queue: str
    clock: Clock = ENGINE_TIME
    post: Post | None = None
    """Carriers, where the outbox is not enough."""
    url: str = ""
    """Of the records; a file in the folder where empty."""
    keys: Callable[[], Keys] | None = None
    """Of the cases; beside a file of records where none are given."""
    records: Engine = field(init=False)
    outsider: Client = field(init=False)
    """Who merely reaches the engine: a client without keys, whose payloads go as they are."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.records = open_database(self.url or f"sqlite:///{self.folder / 'evenhand.db'}", keys=self.keys)
        create_all(self.records)
        know(self.records)
        if self.client:  # none yet where each engine of a test brings one
            self.use(self.client)
        self.set_up(MMO)

    def use(self, client: Client) -> None:
        """Go on with an engine's client, and the keys of this office's records."""
        self.outsider = client
        self.client = with_keys(client, keys_of_engine(self.records))

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def cases(self) -> Cases:
        return Cases(self.client, task_queue=self.queue, signer=replace(SIGNER, now=lambda: self.clock.case_time(now())))

    def signed(self, case: str, message: dict[str, object]) -> dict[str, object]:
        """Returns a message as a door sends it, for a test that uses the engine's own client."""
        return SIGNER.at(self.clock.case_time(now())).sign(case, message)

    def set_up(self, body: Body, *, since: datetime | None = None) -> None:
        with transaction(self.records) as session:
            save_body(session, body, Loaded(at=now(), since=since))

    def worker(self, *, cached: int = 1000) -> Worker:
        return wiring.worker_for(
            self.client,
            engine=self.records,
            post=self.post or Post.into(self.outbox),
            task_queue=self.queue,
            clock=self.clock,
            cached=cached,
        )

    def handle(self, case: str) -> WorkflowHandle[object, object]:
        return self.client.get_workflow_handle(case)

    async def open(self, case: str, *, body: str = "mmo") -> Outcome:
        return await self.cases.open_message(case, opening(case, body=body))

    async def do(self, case: str, *messages: dict[str, object]) -> Outcome:
        """Send updates one after the other, all of them accepted; returns the last answer."""
        for message in messages:
            outcome = await self.cases.submit_message(case, message)
            assert outcome.accepted, f"{message['do']}: {outcome.answer} {outcome.cites} {outcome.remains}"
        return outcome

    async def lead(self, case: str, *messages: dict[str, object]) -> Outcome:
        """Send updates one after the other, each when the letters of the one before are sent; all of them accepted."""
        for message in messages:
            await self.settled(case)
            outcome = await self.do(case, message)
        await self.settled(case)
        return outcome

    async def restricted(self, case: str) -> Outcome:
        """Open an MMO case and lead it to its decision, its letters sent."""
        await self.open(case)
        await self.lead(case, *road_to_restriction())
        return await self.heard(case)

    async def heard(self, case: str) -> Outcome:
        """Returns what the workflow knows, once it knows of everything in the records: a letter is in them a moment before."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while (found := await self.cases.look_up(case)) is None or found.seq < self.seq(case):
            assert asyncio.get_running_loop().time() < end, f"in vain: {case} hears of its last act"
            await asyncio.sleep(0.02)
        return found

    async def settled(self, case: str) -> None:
        await until(lambda: all(one.status != "to-send" for one in self.notices(case)), f"{case}: letters sent")

    async def logged(self, case: str, id: str) -> LogRow:
        """Returns the first line of the log under a command's id, once it is there."""
        await until(lambda: self.lines(case, id), f"{case}: a line under {id}")
        return self.lines(case, id)[0]

    def lines(self, case: str, id: str | None = None) -> list[LogRow]:
        with reading(self.records) as session:
            return [row for row in log_of(session, case) if id in (None, row.command_id)]

    def notices(self, case: str) -> list[NoticeRow]:
        with reading(self.records) as session:
            return list(session.exec(select(NoticeRow).where(NoticeRow.case_id == case).order_by(col(NoticeRow.notice))).all())

    def tasks(self, case: str) -> list[TaskRow]:
        with reading(self.records) as session:
            return list(session.exec(select(TaskRow).where(TaskRow.case_id == case)).all())

    def letter(self, case: str, notice: str) -> Path:
        """Returns the file of a letter that was sent."""
        with reading(self.records) as session:
            row = session.get(LetterRow, (case, notice))
            assert row is not None, f"{case}: no letter {notice}"
            return Path(row.file)

    def row(self, case: str) -> CaseRow | None:
        with reading(self.records) as session:
            return session.get(CaseRow, case)

    def seq(self, case: str) -> int:
        row = self.row(case)
        assert row is not None
        return row.seq

    def text(self, case: str, ref: str) -> str:
        with reading(self.records) as session:
            found = CaseVault(session, case).texts
            return found.get(ref, "")

    async def events(self, case: str, *, run: str | None = None) -> list[HistoryEvent]:
        return list((await self.client.get_workflow_handle(case, run_id=run).fetch_history()).events)

    async def failed_tasks(self, case: str) -> int:
        """Returns how often a workflow task failed: more than none, and the case stands still."""
        return sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in await self.events(case))

    async def not_stuck(self, case: str, *, tries: int) -> None:
        """Fail as soon as a workflow task has failed, or an activity was tried more often than it sets a message aside."""
        described = await self.handle(case).describe()
        again = [one for one in described.raw_description.pending_activities if one.attempt > tries]
        assert not again, f"the activity is tried again for ever: {again[0].last_failure.message[:300]}"
        task = described.raw_description.pending_workflow_task
        assert task.attempt <= 1 and await self.failed_tasks(case) == 0, "the workflow task fails, and is tried again for ever"

    async def result_or_stuck(self, handle: WorkflowHandle[object, object]) -> Outcome:
        """Returns the workflow's result; fails as soon as a workflow task has failed, for then there never will be one."""
        result = asyncio.ensure_future(handle.result())
        try:
            for _ in range(40):
                await asyncio.wait({result}, timeout=0.2)
                if result.done():
                    return Outcome.model_validate(result.result(), extra="allow")
                await self.not_stuck(handle.id, tries=1)
            raise AssertionError("the workflow neither ends nor fails: it runs on without a case")
        finally:
            result.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await result
            with suppress(Exception):
                await handle.terminate("test over")

    async def details(self, case: str) -> str:
        """Returns the current details that the Temporal UI shows."""
        found: WorkflowMetadata = await self.handle(case).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return found.current_details

    async def summaries(self, case: str) -> list[str]:
        """Returns the summary of every timer and activity in the history."""
        found = [event.user_metadata.summary for event in await self.events(case) if event.HasField("user_metadata")]
        return list(await self.client.data_converter.decode([one for one in found if one.data]))


@asynccontextmanager
async def engine_on(database: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A development server whose database is a file, as the default run has it: its cases outlive it."""
    database.parent.mkdir(parents=True, exist_ok=True)
    env = await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), dev_server_log_level="error", dev_server_database_filename=str(database),
        search_attributes=KEYS, data_converter=DATA_CONVERTER,
    )  # fmt: skip
    async with env:
        yield env


@asynccontextmanager
async def unsealed() -> AsyncIterator[None]:
    """Let workflow files through the sandbox as they are, so that a test's patch of a constant in them is seen."""
    runner = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows", "activities", "domain"))
    made = wiring.Worker

    def with_runner(*args: object, **kwargs: object) -> Worker:
        return made(*args, workflow_runner=runner, **kwargs)  # type: ignore[arg-type]

    wiring.Worker = with_runner  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        wiring.Worker = made  # type: ignore[misc]


numbers = count(1)


def new_office(client: Client, folder: Path, *, clock: Clock = ENGINE_TIME) -> Office:
    return Office(client=client, folder=folder, queue=f"test-{os.getpid()}-{next(numbers)}", clock=clock)


def on_postgres(client: Client, folder: Path, records: str, keys: str) -> Office:
    """Returns an office whose records and whose key store lie in two PostgreSQL databases, as in production."""
    make_file(folder / "master.key")
    store = KeyStore(keys, FileMasters(folder / "master.key"))
    store.create()
    return Office(client=client, folder=folder, queue=f"test-{os.getpid()}-{next(numbers)}", url=records, keys=lambda: store)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """A development server in memory, with the case's search attributes: one a test file."""
    env = await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=QUICK_RENEWAL,
        search_attributes=KEYS,
        data_converter=DATA_CONVERTER,
    )
    async with env:
        yield env


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(server: WorkflowEnvironment) -> AsyncIterator[Office]:
    """Records with a worker running: shared by a file's tests, each with cases of its own."""
    with tempfile.TemporaryDirectory(prefix="evenhand-test-") as folder:
        office = new_office(server.client, Path(folder))
        async with office.worker():
            yield office


@pytest_asyncio.fixture(loop_scope="session")
async def closed_office(server: WorkflowEnvironment, tmp_path: Path) -> Office:
    """Records of its own whose worker a test starts itself, or not."""
    return new_office(server.client, tmp_path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process of a test, with what it wrote; ended by its own id when the test ends."""

    def __init__(self, command: Sequence[str], *, env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self.child = subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """kill -9, by its own id."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(30)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def evenhand(*words: str, env: dict[str, str], given: str = "", wait: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, and return its exit code and what it said."""
    return started(words, env={**os.environ, "COLUMNS": "200", **env}, cwd=ROOT, given=given, wait=wait)


def day(text: str) -> date:
    return date.fromisoformat(text)
