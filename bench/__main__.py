"""make bench: one run, side by side, on one embedded server; a table of ratios."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine
from sqlmodel import select
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.bodies import save_body
from activities.carriers.post import Post
from bench import desk, post, sealing, signing
from bench.bare import BareFloor, BareLikeSamples, Kept, nothing
from bench.reference import BODY, LETTERS_AT, messages, opening
from domain.decide import decide
from domain.message import read_command, read_message
from domain.people import CUSTOMER, POST, Actor
from policies import load
from records.database import migrate, open_database, reading, transaction
from records.keys import keys_of_engine
from records.tables import NoticeRow
from starter.cases import Cases
from starter.rehearse import rehearse
from starter.script import read_script
from starter.signer import Signer, know_locally
from worker.run import worker_for
from worker.server import binary, quiet
from workflows.converter import DATA_CONVERTER, with_keys
from workflows.monitor import KEYS

WARM = 20
"""Cases before any is measured."""
AT_ONCE = 20


class Figures:
    """What one kind of case cost."""

    def __init__(self, seconds: float, cases: int, trips: list[float], events: int, size: int) -> None:
        self.rate = cases / seconds
        self.trip = statistics.median(trips) * 1000
        self.events, self.size = events, size


async def driven(cases: int, drive: Callable[[int, list[float]], Awaitable[None]]) -> tuple[float, list[float]]:
    """Returns seconds for all cases, and the round trip of every update."""
    gate, trips = asyncio.Semaphore(AT_ONCE), list[float]()

    async def one(n: int) -> None:
        async with gate:
            await drive(n, trips)

    began = time.perf_counter()
    await asyncio.gather(*(one(n) for n in range(cases)))
    return time.perf_counter() - began, trips


async def timed(call: Awaitable[object], trips: list[float]) -> object:
    began = time.perf_counter()
    answer = await call
    trips.append(time.perf_counter() - began)
    return answer


async def size_of(client: Client, id: str) -> tuple[int, int]:
    found = await client.get_workflow_handle(id).describe()
    return found.history_length, found.raw_description.workflow_execution_info.history_size_bytes


async def bare(client: Client, workflow: type, activities: list[Callable[..., object]], name: str, cases: int) -> Figures:
    """Times a bare workflow over the same eight messages."""
    with ThreadPoolExecutor(10) as pool:
        worker = Worker(
            client, task_queue=name, workflows=[workflow], activities=activities, activity_executor=pool, max_concurrent_activities=10
        )

        async def drive(n: int, trips: list[float]) -> None:
            handle = await client.start_workflow(workflow.run, id=f"{name}/{n}", task_queue=name)
            for _ in range(8):
                await timed(handle.execute_update(workflow.tell), trips)

        async with worker:
            seconds, trips = await driven(cases, drive)
            await asyncio.sleep(0.5)
            return Figures(seconds, cases, trips, *await size_of(client, f"{name}/0"))


async def evenhand(client: Client, folder: Path, cases: int) -> Figures:
    """Times the reference case as a service would drive it, sealed as in production."""
    engine = open_database(f"sqlite:///{folder / 'evenhand.db'}")
    return await reference(with_keys(client, keys_of_engine(engine)), engine, folder, cases, name="bench")


async def guarded_rate(client: Client, folder: Path, cases: int) -> float:
    engine = open_database(f"sqlite:///{folder / 'evenhand.db'}")
    return (await reference(with_keys(client, keys_of_engine(engine)), engine, folder, cases, name=folder.name)).rate


async def bare_rate(client: Client, folder: Path, cases: int) -> float:
    """Returns cases a second where nothing is sealed, neither payloads nor texts, and nothing signed or verified."""
    engine, config = open_database(f"sqlite:///{folder / 'evenhand.db'}", keys=sealing.ClearKeys), client.config()
    config["data_converter"] = dataclasses.replace(DATA_CONVERTER, payload_codec=sealing.ClearCodec())
    with sealing.nobody_verifies():
        signer = sealing.SignsNothing(Ed25519PrivateKey.generate(), iss="bench")
        return (await reference(Client(**config), engine, folder, cases, name=folder.name, signer=signer)).rate


async def reference(client: Client, engine: Engine, folder: Path, cases: int, *, name: str, signer: Signer | None = None) -> Figures:
    """Times the reference case against records of its own."""
    migrate(engine)
    with transaction(engine) as session:
        save_body(session, BODY)
    signer = signer or Signer(Ed25519PrivateKey.generate(), iss="bench")
    know_locally(engine, signer)
    doors = Cases(client, task_queue=f"evenhand-{name}", signer=signer)

    async def drive(n: int, trips: list[float]) -> None:
        case = f"{name}/{n}"
        await timed(doors.open_message(case, opening()), trips)
        for message in messages():
            outcome = await timed(doors.submit_message(case, message), trips)
            if message["do"] == "warn":
                await sent(engine, case)
            assert outcome.accepted, outcome  # type: ignore[attr-defined]  # an Outcome

    async with worker_for(client, engine=engine, post=Post.into(folder / "outbox"), task_queue=f"evenhand-{name}"):
        seconds, trips = await driven(cases, drive)
        await asyncio.sleep(0.5)
        with reading(engine) as session:
            letters = session.exec(select(NoticeRow).where(NoticeRow.case_id == f"{name}/0")).all()
        assert len(letters) == len(LETTERS_AT), f"the bare workflow sends {len(LETTERS_AT)} letters, the reference case {len(letters)}"
        return Figures(seconds, cases, trips, *await size_of(client, f"{name}/0"))


async def sent(engine: Engine, case: str) -> None:
    """Wait for the warning's letter, as the policy does: no decision before the customer was told."""
    while await asyncio.to_thread(_on_its_way, engine, case):
        await asyncio.sleep(0.02)


def _on_its_way(engine: Engine, case: str) -> bool:
    with reading(engine) as session:
        row = session.get(NoticeRow, (case, "n1"))
        return row is None or row.status != "sent"


def decide_cost() -> float:
    """Returns microseconds a command, deciding alone: the median over the reference case's eight messages, many times."""
    from domain.referral import open_case

    policy, calendar = load.policy("mmo"), load.calendar()
    staff = BODY.staff
    spent: list[float] = []
    for _ in range(200):
        actor = Actor(origin="staff", person=staff.people[0], staff=staff)
        command, opened = read_command(read_message(opening())), date.fromisoformat(str(opening()["on"]))
        case = open_case(command, id="bench/0", edition="e", keep_years=6, actor=actor, policy=policy, today=opened).case  # type: ignore[arg-type]  # the opening among all commands
        for message in messages():
            today = date.fromisoformat(str(message["on"]))
            while waiting := next((one for one in case.notices if one.status == "to-send"), None):
                told = read_command(read_message({"id": "n", "do": "notice_sent", "saw": waiting.id, "with": {"method": "email"}}))
                case = decide(case, told, actor=POST, policy=policy, calendar=calendar, today=waiting.created_on).case
            command = read_command(read_message(message))
            who = CUSTOMER if message["by"] == "customer" else actor.model_copy(update={"person": staff.by_id[str(message["by"])]})
            began = time.perf_counter()
            case = decide(case, command, actor=who, policy=policy, calendar=calendar, today=today).case
            spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6


async def eight_years() -> float:
    """Returns seconds for a rehearsal of eight years of yearly reviews, the start of its server left out."""
    script = read_script(Path(__file__).parent / "eight-years.yaml")
    served = await WorkflowEnvironment.start_time_skipping(test_server_existing_path=binary("temporal-test-server"), runtime=quiet())
    began = time.perf_counter()
    await served.shutdown()
    server_down = time.perf_counter() - began
    began = time.perf_counter()
    async with await WorkflowEnvironment.start_time_skipping(test_server_existing_path=binary("temporal-test-server"), runtime=quiet()):
        server_up = time.perf_counter() - began
    played = await rehearse(script)
    assert not played.differences, played.differences
    return played.seconds - server_up - server_down


def cold_start() -> float:
    """Returns seconds of make run ONCE=1 on a machine where everything is installed, with an empty var folder."""
    with tempfile.TemporaryDirectory() as var:
        began = time.perf_counter()
        subprocess.run(
            [str(Path(sys.executable).with_name("evenhand")), "up", "--once"],
            env={**os.environ, "EVENHAND_VAR": var},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - began


def apart(folder: Path, part: str) -> Path:
    """Returns a folder of a part's own: the keys of its cases lie beside its records, and its cases have the names of others."""
    own = folder / f"part-{part}"
    own.mkdir()
    return own


async def main(cases: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="evenhand-bench-"))
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), dev_server_log_level="error", data_converter=DATA_CONVERTER,
        search_attributes=list(KEYS), runtime=quiet(), dev_server_database_filename=str(folder / "temporal.db"),
    ) as server:  # fmt: skip
        client, kept = server.client, Kept(folder / "bare.db", folder / "bare-outbox")
        floor = await bare(client, BareFloor, [nothing], "floor", cases)
        await guarded_rate(client, apart(folder, "warm"), WARM)  # what a worker loads once is no case's
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ours = await evenhand(client, folder, cases)
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / cases
        like = await bare(
            client, BareLikeSamples, [kept.save_case, kept.save_log, kept.save_register, kept.send_notice], "like-samples", cases
        )
        part = await sealing.measure(guarded_rate, bare_rate, client, folder, cases)
    show(
        ours,
        like,
        floor,
        memory,
        decide_cost(),
        await eight_years(),
        cold_start(),
        desk.measure(apart(folder, "desk")),
        post.measure(apart(folder, "post")),
        signing.measure(apart(folder, "signing")),
        part,
        cases,
    )
    shutil.rmtree(folder, ignore_errors=True)


def show(
    ours: Figures,
    like: Figures,
    floor: Figures,
    memory: float,
    decide_us: float,
    years: float,
    cold: float,
    at_the_desk: desk.DeskFigures,
    by_post: post.PostFigures,
    by_key: signing.SigningFigures,
    guarded: tuple[float, float],
    cases: int,
) -> None:
    table = Table(title=f"The reference case, {cases} of it, {AT_ONCE} at a time, on one server", title_justify="left")
    for column in ("", "Evenhand", "bare, as samples write", "bare, nothing written", "ratio to samples", "ratio to nothing", "aim"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row(
        "cases a second",
        *(f"{one.rate:.1f}" for one in (ours, like, floor)),
        f"{ours.rate / like.rate:.2f}",
        f"{ours.rate / floor.rate:.2f}",
        "1.3 and 0.6",
    )
    table.add_row(
        "events a case",
        *(f"{one.events}" for one in (ours, like, floor)),
        f"{ours.events / like.events:.2f}",
        f"{ours.events / floor.events:.2f}",
        "",
    )
    table.add_row(
        "bytes a case", *(f"{one.size}" for one in (ours, like, floor)), f"{ours.size / like.size:.2f}", f"{ours.size / floor.size:.2f}", ""
    )
    table.add_row(
        "update round trip, ms",
        *(f"{one.trip:.0f}" for one in (ours, like, floor)),
        f"{ours.trip / like.trip:.2f}",
        f"{ours.trip / floor.trip:.2f}",
        "",
    )
    console = Console(width=140)
    console.print(table)
    rest = Table(title="Alone", title_justify="left")
    for column in ("", "found", "aim"):
        rest.add_column(column)
    rest.add_row("decide, a command", f"{decide_us:.0f} microseconds", "under 100")
    rest.add_row("a rehearsal of eight years, its server's start left out", f"{years:.2f} s", "under 2")
    rest.add_row("memory a case in flight or cached, growth of the whole process", f"{memory:.0f} KiB", "")
    rest.add_row("make run ONCE=1 once installed, five cases to their letters", f"{cold:.1f} s", "")
    sealed, bare = guarded
    said = f"{sealed:.1f} of {bare:.1f}: {sealed / bare:.2f}"
    rest.add_row("cases a second sealed and signed, of those neither", said, sealing.AIM)
    for row in (*desk.rows_of(at_the_desk), *post.rows_of(by_post), *signing.rows_of(by_key)):
        rest.add_row(*row)
    console.print(rest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    asyncio.run(main(parser.parse_args().cases))
    sys.stdout.flush()
    os._exit(0)
