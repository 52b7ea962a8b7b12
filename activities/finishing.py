"""What of a destroyed case lies outside the records: its letters' files, its runs in the engine, its key; then the certificate.

Each step is noted when it is done and may be done again. So a run that died anywhere is finished by the next: the records were emptied in
one transaction, the key goes last of all that is destroyed, and the certificate is written when everything it says is true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.carriers.outbox import Outbox
from records.case_keys import CaseKeys
from records.certificates import certificate_of, issue
from records.database import reading, transaction
from records.destroying import note_step
from records.tables import CertificateRow, DestructionRow, Json

ENDS_WITHIN = 30.0
"""Seconds in which a case's workflow ends by itself once its papers are destroyed."""
ENGINE_KEEPS = "the engine cannot delete closed runs; it drops them when its own retention ends"


class NotEnded(Exception):
    """The case's workflow has not ended; nothing of it can be deleted yet."""


@dataclass(frozen=True)
class Destroying:
    """Finishes destructions that the records have begun."""

    engine: Engine
    client: Client
    outbox: Outbox
    keys: CaseKeys | None = None
    """None: texts are not sealed, and there is no key."""

    async def finish(self, case: str, *, at: datetime) -> CertificateRow:
        """Do what is left of a case's destruction, and return its certificate. Raises NotEnded; it is then finished another time."""
        for step in self.steps(case):
            if step.name not in self._done(case):
                found = await step.do()
                with transaction(self.engine) as session:
                    note_step(session, case, step.name, found)
        return self._certified(case, at)

    def steps(self, case: str) -> tuple[Step, ...]:
        """Returns what comes after the records, in its order: the key last."""
        return (
            Step("workflow", lambda: ended(self.client, case)),
            Step("letters", lambda: _at_once(lambda: self._letters(case))),
            Step("runs", lambda: delete_runs(self.client, case)),
            Step("key", lambda: _at_once(lambda: self._key(case))),
        )

    def _done(self, case: str) -> Json:
        with reading(self.engine) as session:
            row = session.get(DestructionRow, case)
            assert row is not None, f"{case}: no destruction has begun"
            return row.done

    def _letters(self, case: str) -> str:
        """Destroy the files of the outbox: the worker did, unless it died just then."""
        self.outbox.destroy(case)
        return "no file left"

    def _key(self, case: str) -> str:
        if self.keys is None:
            return "there was none"
        self.keys.destroy(case)
        return "destroyed"

    def _certified(self, case: str, at: datetime) -> CertificateRow:
        """Write the certificate, once."""
        with transaction(self.engine) as session:
            row = session.get(DestructionRow, case, with_for_update=True)
            assert row is not None
            found = certificate_of(session, case)
            if found is None:
                found = issue(session, case, {**row.facts, "then": row.done}, at=at)
                session.flush()
            row.certificate = found.n
            session.flush()
            session.refresh(found)
            session.expunge(found)
        return found


class Step(NamedTuple):
    """One thing that is destroyed, or waited for."""

    name: str
    do: Callable[[], Awaitable[object]]


async def _at_once(work: Callable[[], object]) -> object:
    return work()


async def ended(client: Client, case: str) -> str:
    """Returns how a case's workflow ended, once it has. Raises NotEnded where it goes on running."""
    handle = client.get_workflow_handle(case)
    for _ in range(int(ENDS_WITHIN / 0.2)):
        try:
            status = (await handle.describe()).status
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return "gone"
            raise
        if status != WorkflowExecutionStatus.RUNNING:
            return status.name.lower() if status else "unknown"
        await asyncio.sleep(0.2)
    raise NotEnded(f"The workflow of {case} has not ended. Is a worker running?")


async def delete_runs(client: Client, case: str) -> object:
    """Have the engine delete every closed run of a case. Returns how many, or that it cannot."""
    deleted = 0
    for run in await _runs(client, case):
        execution = WorkflowExecution(workflow_id=case, run_id=run)
        try:
            await client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
            )
        except RPCError as error:
            if error.status == RPCStatusCode.UNIMPLEMENTED:
                return ENGINE_KEEPS
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
        else:
            deleted += 1
    return deleted


async def _runs(client: Client, case: str) -> list[str]:
    """Returns the runs of a case that the engine still holds: those it lists, and those that its last run came from."""
    found: list[str] = []
    try:
        quoted = case.replace("'", "''")
        found = [one.run_id async for one in client.list_workflows(f"WorkflowId = '{quoted}'") if one.run_id]
    except RPCError as error:
        if error.status != RPCStatusCode.UNIMPLEMENTED:
            raise
    run = await _last_run(client, case)
    while run:
        found.append(run)
        run = await _continues(client, case, run)
    return list(dict.fromkeys(found))


async def _last_run(client: Client, case: str) -> str | None:
    """Returns the last run of a case, where the engine still holds one."""
    try:
        return (await client.get_workflow_handle(case).describe()).run_id
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _continues(client: Client, case: str, run: str) -> str | None:
    """Returns the run that a run continues, or None where it is the first or not held any more."""
    try:
        async for event in client.get_workflow_handle(case, run_id=run).fetch_history_events(page_size=1):
            return event.workflow_execution_started_event_attributes.continued_execution_run_id or None
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    return None
