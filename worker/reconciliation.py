"""The schedule of reconciliations: one a night, at an hour of London; a night that was missed is made up once."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from activities.outcome import RECONCILIATION
from worker.schedules import keep_schedule
from worker.settings import Settings
from workflows.reconciliation import TYPE

ID = RECONCILIATION
MADE_UP_WITHIN = timedelta(hours=24)
"""An engine that was down at the hour starts the last round it missed, and no more. Without a worker a round waits for one."""


async def keep_reconciliations(client: Client, settings: Settings) -> None:
    """Have the engine start a round as the schedule says."""
    await keep_schedule(client, ID, schedule_of(settings))


def schedule_of(settings: Settings) -> Schedule:
    """Returns the schedule: a round every night at the hour of the settings; never two at a time."""
    at = settings.reconcile_at
    night = ScheduleCalendarSpec(hour=[ScheduleRange(at.hour)], minute=[ScheduleRange(at.minute)])
    return Schedule(
        action=ScheduleActionStartWorkflow(TYPE, id=ID, task_queue=settings.task_queue),
        spec=ScheduleSpec(calendars=[night], time_zone_name="Europe/London"),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=MADE_UP_WITHIN),
    )
