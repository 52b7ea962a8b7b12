"""Engine and records beside each other, and cases without a workflow started again. Records that fell behind: starter/repair.py."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from records.database import reading
from records.tables import CaseRow
from starter.cases import Cases, NoSuchCase, Unavailable

State = Literal["in step", "no workflow", "records behind", "workflow behind", "no answer"]


class Compared(BaseModel):
    """One case in the engine and in the records."""

    case: str
    state: State
    seq_in_records: int | None
    seq_in_engine: int | None


async def compare(client: Client, engine: Engine) -> list[Compared]:
    """Returns every open case with whether engine and records agree."""
    with reading(engine) as session:
        rows = {row.id: row.seq for row in session.exec(select(CaseRow).where(col(CaseRow.stage) != "closed")).all()}
    cases = Cases(client=client)
    running = {one.id async for one in client.list_workflows("WorkflowType = 'Case' AND ExecutionStatus = 'Running'")}
    asked = (_compared(cases, case, rows.get(case), case in running) for case in sorted({*rows, *running}))
    return list(await asyncio.gather(*asked))


async def _compared(cases: Cases, case: str, in_records: int | None, running: bool) -> Compared:
    in_engine: int | None = None
    if running or await _runs(cases.client, case):
        try:
            last = await cases.look_up(case)
            in_engine = last.seq if last else 0
        except NoSuchCase:
            in_engine = None
        except Unavailable:  # its worker is away: nothing can be said, and nothing is done to it
            return Compared(case=case, state="no answer", seq_in_records=in_records, seq_in_engine=None)
    state: State = "in step"
    if in_engine is None:
        state = "no workflow"
    elif in_engine > (in_records or 0):
        state = "records behind"
    elif in_engine < (in_records or 0):
        state = "workflow behind"
    return Compared(case=case, state=state, seq_in_records=in_records, seq_in_engine=in_engine)


async def _runs(client: Client, case: str) -> bool:
    """Returns whether a case's workflow runs, asked of the engine itself: its lists may lag."""
    try:
        return (await client.get_workflow_handle(case).describe()).status == WorkflowExecutionStatus.RUNNING
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise


async def rebuild(client: Client, engine: Engine, *, task_queue: str) -> list[str]:
    """Start the workflow of every open case that has none, where the records say it stands. Returns the cases started."""
    started = []
    for one in await compare(client, engine):
        if one.state == "no workflow" and await start_again(client, one.case, task_queue):
            started.append(one.case)
    return started


async def start_again(client: Client, case: str, task_queue: str) -> bool:
    """Start a case's workflow where the records say it stands. Returns whether there was none before."""
    try:
        await client.start_workflow("Case", {"carry": 1}, id=case, task_queue=task_queue)
    except WorkflowAlreadyStartedError:
        return False
    return True
