"""A worker: the case workflow and its activities on one task queue."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.carriers.post import Post
from activities.case import CaseActivities
from activities.clock import ENGINE_TIME, Clock
from activities.following import Following, RoundActivities
from records.database import open_database
from worker.post import post_of
from worker.relay import relaying
from worker.round import keep_rounds
from worker.settings import Settings
from workflows.case import CaseWorkflow
from workflows.converter import DATA_CONVERTER
from workflows.round import PostRound

THREADS = 10
FINISH_WITHIN = timedelta(seconds=30)
"""How long a worker that is stopped lets its acts come to an end."""


async def connect(settings: Settings) -> Client:
    """Returns a client of the engine named in the settings."""
    return await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace, data_converter=DATA_CONVERTER)


def worker_for(client: Client, *, engine: Engine, post: Post, task_queue: str, clock: Clock = ENGINE_TIME, cached: int = 1000) -> Worker:
    """Returns a worker, not yet running. Only a rehearsal gives it a clock that is shifted."""
    activities = CaseActivities(engine=engine, post=post, clock=clock)
    rounds = RoundActivities(following=Following(engine, post, clock), client=client)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[CaseWorkflow, PostRound],
        activities=[activities.act, activities.send, rounds.follow],
        activity_executor=ThreadPoolExecutor(THREADS),
        graceful_shutdown_timeout=FINISH_WITHIN,
        max_concurrent_activities=THREADS,
        max_cached_workflows=cached,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )


async def run_worker(settings: Settings) -> None:
    """Run a worker until it is cancelled. Raises NoPost where the settings name a carrier that cannot work."""
    post = post_of(settings)
    client = await connect(settings)
    engine = open_database(settings.database)
    async with worker_for(client, engine=engine, post=post, task_queue=settings.task_queue), relaying(client, engine):
        await keep_rounds(client, settings)
        while True:
            if settings.health_file:
                settings.health_file.touch()
            await asyncio.sleep(5)
