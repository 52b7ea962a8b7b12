"""A scheduled round, begun now by a person instead of the clock."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from temporalio.common import WorkflowIDConflictPolicy

from starter.cases import Unavailable
from worker.run import connect
from worker.settings import Settings

T = TypeVar("T")


async def held_now(workflow: str, *, id: str, result: type[T], within: float, meanwhile: str) -> T:
    """Returns what a round of a workflow type found; one that is under way already is waited for, not begun again.

    Raises Unavailable where it takes longer than `within` seconds, saying `meanwhile`."""
    settings = Settings.local()
    client = await connect(settings)
    asked = client.execute_workflow(
        workflow, id=f"{id}-by-hand", task_queue=settings.task_queue, result_type=result,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )  # fmt: skip
    try:
        held: T = await asyncio.wait_for(asked, within)
    except TimeoutError:
        raise Unavailable(f"The round has not ended. Is a worker running? {meanwhile}") from None
    return held
