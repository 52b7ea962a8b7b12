"""The schedule of post rounds: in the engine, one for all workers, kept as the settings say."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.outcome import ROUNDS
from worker.settings import Settings
from workflows.round import TYPE

ID = ROUNDS


async def keep_rounds(client: Client, settings: Settings) -> None:
    """Have the engine start a round every so often; never two at a time, and none for the hours in which nothing ran."""
    every = timedelta(minutes=settings.post_round_minutes)
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(TYPE, id=ID, task_queue=settings.task_queue),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )
    try:
        await client.create_schedule(ID, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(ID).update(lambda given: _with(schedule, given))


def _with(schedule: Schedule, given: ScheduleUpdateInput) -> ScheduleUpdate:
    """Returns the schedule as the settings say, paused where somebody paused it."""
    schedule.state = given.description.schedule.state
    return ScheduleUpdate(schedule=schedule)
