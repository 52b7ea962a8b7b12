"""The default run: an embedded Temporal server with its database in a file, migrations, a worker, sample cases."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import col, select
from temporalio.client import Client

from records.database import migrate, reading
from records.tables import BodyRow, LetterRow, SanctionRow
from starter.cases import Cases
from starter.clock import today
from starter.samples import Sample, play, samples, set_up_bodies
from starter.server import KINDS as KINDS
from starter.server import CannotStart, Server
from starter.signer import local_signer
from worker.keys import make_local_master, records_of
from worker.metrics import serving_metrics
from worker.post import only_outbox, post_of
from worker.reconciliation import keep_reconciliations
from worker.relay import relaying
from worker.round import keep_rounds
from worker.run import connect, worker_for
from worker.settings import Settings
from worker.telemetry import runtime_of

ELSEWHERE = """evenhand up is for trying out: it makes a key that signs for anybody, and sample cases. The records
that EVENHAND_DATABASE_URL names are no SQLite file, and get neither. To try it out, unset it. In production (docs/production.md):
  python -m worker.migrate
  evenhand keys add-signer FILE.pub --holder NAME --staff --by YOUR-ID
  evenhand worker"""


async def first_cases(client: Client, engine: Engine, settings: Settings, progress: Callable[[str], None]) -> tuple[Sample, ...]:
    """Set up the sample bodies and cases that are not there yet, and return all of them."""
    found = samples()
    with reading(engine) as session:
        bodies, done = set(session.exec(select(BodyRow.body)).all()), set(session.exec(select(SanctionRow.case_id)).all())
    set_up_bodies(engine, tuple(one for one in found if one.body.body not in bodies))
    cases = Cases(client=client, task_queue=settings.task_queue, signer=local_signer(settings, engine))
    for sample in found:
        if sample.case not in done:
            await play(sample, cases, engine, today=today(), progress=progress)
    return found


def checked(engine: Engine, found: tuple[Sample, ...]) -> tuple[Path, ...]:
    """Returns the newest letter of every case. Raises CannotStart where a sample case has no restriction letter."""
    with reading(engine) as session:
        rows = session.exec(select(LetterRow).order_by(col(LetterRow.sent_at), col(LetterRow.notice))).all()
    there = [row for row in rows if Path(row.file).exists()]
    decided = {row.case_id for row in there if "restrictions" in row.parts}
    for sample in found:
        if sample.case not in decided:
            raise CannotStart(f"{sample.case} has no decision letter in the outbox.")
    if not found:
        raise CannotStart("There is no sample case.")
    newest = {row.case_id: Path(row.file) for row in there}
    return tuple(newest[case] for case in sorted(newest))


async def run_local(
    settings: Settings, *, once: bool, progress: Callable[[str], None], ready: Callable[[Settings, Engine, tuple[Path, ...]], None]
) -> None:
    """Run everything until it is cancelled; with `once`, until the sample cases have their letters.

    Where letters really go out there are no sample cases: the people in them live nowhere. Raises CannotStart, before anything is made,
    where the records are production's."""
    if settings.production:
        raise CannotStart(ELSEWHERE)
    post, server = post_of(settings), Server(settings)
    make_local_master(settings)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        progress("starting the Temporal server")
        chosen = await server.start()
        progress("applying migrations")
        engine = records_of(chosen)
        migrate(engine)
        local_signer(settings, engine)
        client = await connect(chosen, runtime=runtime_of(chosen))
        working = worker_for(client, engine=engine, post=post, task_queue=chosen.task_queue)
        async with working, serving_metrics(chosen, engine, client), relaying(client, engine):
            await keep_rounds(client, chosen)
            await keep_reconciliations(client, chosen)
            letters: tuple[Path, ...] = ()
            if only_outbox(chosen):
                letters = checked(engine, await first_cases(client, engine, chosen, progress))
            ready(chosen, engine, letters)
            if not once:
                await server.watch(chosen)
    finally:
        server.stop()
