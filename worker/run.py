"""A worker: the case workflow and its activities on one task queue."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.carriers.post import Post
from activities.case import CaseActivities
from activities.clock import ENGINE_TIME, Clock
from activities.following import Following, RoundActivities
from activities.reconciliation import ReconciliationActivities, Reconciling
from worker.keys import checked_for_work, keys_for, records_of
from worker.metrics import serving_metrics
from worker.post import post_of
from worker.profile import connection
from worker.reconciliation import keep_reconciliations
from worker.relay import relaying
from worker.release import release
from worker.round import keep_rounds
from worker.settings import Settings
from worker.signers import need_signers
from worker.telemetry import runtime_of
from worker.tracing import tracing
from workflows.case import CaseWorkflow
from workflows.converter import sealing
from workflows.reconciliation import Reconciliation
from workflows.round import PostRound

THREADS = 10
FINISH_WITHIN = timedelta(seconds=30)
"""How long a worker that is stopped lets its acts come to an end."""


async def connect(settings: Settings, *, runtime: Runtime | None = None) -> Client:
    """Returns a client of the engine named in the settings, with the keys named there; a worker gives the runtime that counts what it does.

    Raises NoKeys or NoMaster, or NoProfile where they name a profile that cannot be used."""
    sealed = sealing(keys_for(settings))
    return await Client.connect(**connection(settings), data_converter=sealed, runtime=runtime, interceptors=tracing(settings))


def worker_for(client: Client, *, engine: Engine, post: Post, task_queue: str, clock: Clock = ENGINE_TIME, cached: int = 1000) -> Worker:
    """Returns a worker, not yet running. Only a rehearsal gives it a clock that is shifted."""
    _no_payloads_in_logs()
    activities = CaseActivities(engine=engine, post=post, clock=clock)
    rounds = RoundActivities(following=Following(engine, post, clock), client=client)
    reconciling = ReconciliationActivities(Reconciling(engine, client, post.outbox, task_queue, clock))
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[CaseWorkflow, PostRound, Reconciliation],
        activities=[activities.act, activities.send, rounds.follow, reconciling.reconcile],
        activity_executor=ThreadPoolExecutor(THREADS),
        graceful_shutdown_timeout=FINISH_WITHIN,
        max_concurrent_activities=THREADS,
        max_cached_workflows=cached,
        build_id=release(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


def _no_payloads_in_logs() -> None:
    """Keep the SDK from logging activations and completions, which it does opened at its finest level."""
    for name in ("temporalio.worker", "temporalio.service"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger(name).level))


async def run_worker(settings: Settings) -> None:
    """Run a worker until it is cancelled. Raises NoPost, NoMetrics, NoKeys or NoMaster where the settings name what cannot work, NoSigners
    where nobody may sign, or a key for trying out may."""
    post = post_of(settings)
    checked_for_work(settings)
    client = await connect(settings, runtime=runtime_of(settings))
    engine = records_of(settings)
    if settings.database_url:  # not the default run, which has a key of its own
        need_signers(engine, at=datetime.now(timezone.utc))  # noqa: TID251  # a worker's start
    working = worker_for(client, engine=engine, post=post, task_queue=settings.task_queue)
    async with working, serving_metrics(settings, engine, client), relaying(client, engine):
        await keep_rounds(client, settings)
        await keep_reconciliations(client, settings)
        while True:
            if settings.health_file:
                settings.health_file.touch()
            await asyncio.sleep(5)
