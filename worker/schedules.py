"""Schedules in the engine: one for all workers, kept as the settings say."""

from __future__ import annotations

from temporalio.client import Client, Schedule, ScheduleAlreadyRunningError, ScheduleUpdate, ScheduleUpdateInput


async def keep_schedule(client: Client, id: str, schedule: Schedule) -> None:
    """Have the engine hold a schedule as it is given; one that is there is changed, and stays paused where somebody paused it."""

    def as_given(there: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = there.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(id).update(as_given)
