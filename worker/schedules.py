"""Schedules in the engine: one for all workers, kept as the settings say."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)


async def keep_schedule(client: Client, id: str, schedule: Schedule) -> None:
    """Have the engine hold a schedule as it is given; one that is there is changed, and stays paused where somebody paused it."""

    def as_given(there: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule.state = there.description.schedule.state
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(id).update(as_given)


def same(there: Schedule, wanted: Schedule) -> bool:
    """Returns whether a schedule in the engine starts what it should, where and when it should; paused or not."""
    return _begins(there) == _begins(wanted) and _rhythm(there.spec) == _rhythm(wanted.spec)


def _begins(schedule: Schedule) -> tuple[object, ...]:
    action = schedule.action
    return (action.workflow, action.id, action.task_queue) if isinstance(action, ScheduleActionStartWorkflow) else (type(action),)


def _rhythm(spec: ScheduleSpec) -> tuple[object, ...]:
    intervals = tuple(one.every for one in spec.intervals)
    calendars = tuple(_calendar(one) for one in spec.calendars)
    return (intervals, calendars, tuple(spec.cron_expressions), tuple(spec.skip), spec.start_at, spec.end_at, spec.time_zone_name)


def _calendar(one: ScheduleCalendarSpec) -> tuple[object, ...]:
    return tuple(_ranges(found) for found in (one.second, one.minute, one.hour, one.day_of_month, one.month, one.year, one.day_of_week))


def _ranges(found: Sequence[ScheduleRange]) -> tuple[tuple[int, int, int], ...]:
    """Returns ranges as the engine writes them: an end and a step that were left out are said."""
    return tuple((one.start, max(one.start, one.end), one.step or 1) for one in found)
