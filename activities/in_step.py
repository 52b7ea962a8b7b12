"""Engine and records beside each other, and cases without a workflow started again. Records that fell behind: activities/repair.py."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.outcome import Outcome
from domain.case_id import fit_case_id
from records.database import reading
from records.tables import CaseRow

State = Literal["in step", "no workflow", "records behind", "workflow behind", "no answer", "unfit id", "fault"]
"""`unfit id`: a workflow of a case's type that somebody started under an id that no case can have; of it the records are not asked.
`fault`: this case could not be looked at, and stops no other."""
log = logging.getLogger("evenhand.in_step")
RUNNING = "WorkflowType = 'Case' AND ExecutionStatus = 'Running'"
ANSWERS_WITHIN = 10.0
"""Seconds in which a case says where it stands, or does not answer."""
AT_ONCE = 20
"""Cases that are asked at the same time."""
OF_ONE_CASE = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.INTERNAL, RPCStatusCode.UNKNOWN)
"""What the engine says of one case and not of all: with anything else it is away, or lets nobody in."""
LOOKS, BETWEEN = 3, 1.0
"""How often a workflow behind its records is looked at, seconds between: an act is in the records a moment before its case hears of it."""


class Compared(BaseModel):
    """One case in the engine and in the records."""

    case: str
    state: State
    seq_in_records: int | None
    seq_in_engine: int | None


class NotAnswered(Exception):
    """A workflow runs and did not say where its case stands."""


async def compare(client: Client, engine: Engine) -> list[Compared]:
    """Returns every open case with whether engine and records agree."""
    cases = await asyncio.to_thread(open_cases, engine)
    return await compared(client, engine, sorted({*cases, *(await running(client))}))


async def running(client: Client) -> frozenset[str]:
    """Returns the cases whose workflows run, as the engine lists them: its lists may lag."""
    return frozenset([one.id async for one in client.list_workflows(RUNNING)])


def open_cases(engine: Engine, among: list[str] | None = None) -> frozenset[str]:
    """Returns the cases that the records hold as not closed; of some, where they are named."""
    query = select(CaseRow.id).where(col(CaseRow.stage) != "closed")
    with reading(engine) as session:
        return frozenset(session.exec(query if among is None else query.where(col(CaseRow.id).in_(among))).all())


async def compared(client: Client, engine: Engine, cases: list[str]) -> list[Compared]:
    """Returns each of some cases with whether engine and records agree on it, in their order; so many are asked at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: str) -> Compared:
        async with gate:
            return await _looked_at(client, engine, case)

    return list(await asyncio.gather(*(one(case) for case in cases)))


async def _looked_at(client: Client, engine: Engine, case: str) -> Compared:
    """Returns one case compared, whatever it does: only records or an engine that do not answer at all end the look at all of them."""
    unfit = not fit_case_id(case)
    try:
        if unfit and await runs(client, case):
            return Compared(case=case, state="unfit id", seq_in_records=None, seq_in_engine=None)
        if unfit:  # it has ended meanwhile, as it must
            return Compared(case=case, state="in step", seq_in_records=None, seq_in_engine=None)
        return await _compared(client, engine, case)
    except (OperationalError, InterfaceError):
        raise
    except RPCError as error:
        if error.status not in OF_ONE_CASE:
            raise
        return Compared(case=case, state="no answer", seq_in_records=None, seq_in_engine=None)
    except Exception as fault:
        log.error("A case could not be looked at.", extra={"case": case if not unfit else "", "fault": type(fault).__name__})
        return Compared(case=case, state="fault", seq_in_records=None, seq_in_engine=None)


async def _compared(client: Client, engine: Engine, case: str) -> Compared:
    """Compare one case. The records are read after the engine has answered: what it has seen they hold by then, or they are behind."""
    for look in range(LOOKS):
        try:
            in_engine = await _in_engine(client, case)
        except NotAnswered:  # its worker is away: nothing can be said, and nothing is done to it
            return Compared(case=case, state="no answer", seq_in_records=await _in_records(engine, case), seq_in_engine=None)
        in_records = await _in_records(engine, case)
        found = Compared(case=case, state=_state(in_records, in_engine), seq_in_records=in_records, seq_in_engine=in_engine)
        if found.state != "workflow behind" or look == LOOKS - 1:
            break
        await asyncio.sleep(BETWEEN)
    return found


def _state(in_records: int | None, in_engine: int | None) -> State:
    if in_engine is None:
        return "no workflow"
    if in_engine == (in_records or 0):
        return "in step"
    return "records behind" if in_engine > (in_records or 0) else "workflow behind"


async def _in_records(engine: Engine, case: str) -> int | None:
    def look() -> int | None:
        with reading(engine) as session:
            row = session.get(CaseRow, case)
            return row.seq if row else None

    return await asyncio.to_thread(look)


async def _in_engine(client: Client, case: str) -> int | None:
    """Returns the seq that a case's workflow has seen, 0 for none yet; None where none runs. Raises NotAnswered."""
    if not await runs(client, case):
        return None
    asked = client.get_workflow_handle(case).query("state", result_type=Outcome)
    try:
        last: Outcome | None = await asyncio.wait_for(asked, ANSWERS_WITHIN)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise NotAnswered(case) from None
    except (TimeoutError, ValidationError, WorkflowQueryFailedError):  # the second: sealed with keys that are not here
        raise NotAnswered(case) from None
    return last.seq if last else 0


async def runs(client: Client, case: str) -> bool:
    """Returns whether a case's workflow runs, asked of the engine itself."""
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
