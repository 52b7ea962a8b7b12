"""The schedule of post rounds: in the engine, one for all workers, kept as the settings say."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from activities.outcome import ROUNDS
from worker.schedules import keep_schedule
from worker.settings import Settings
from workflows.round import TYPE

ID = ROUNDS


async def keep_rounds(client: Client, settings: Settings) -> None:
    """Have the engine start a round as the schedule says."""
    await keep_schedule(client, ID, schedule_of(settings))


def schedule_of(settings: Settings) -> Schedule:
    """Returns the schedule: a round every so often; never two at a time, and none for the hours in which nothing ran."""
    every = timedelta(minutes=settings.post_round_minutes)
    return Schedule(
        action=ScheduleActionStartWorkflow(TYPE, id=ID, task_queue=settings.task_queue),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )
