"""What of a destroyed case lies outside the records: its letters' files, its runs in the engine, its key; then the certificate.

Each step is noted when it is done and may be done again. So a run that died anywhere is finished by the next: the records were emptied in
one transaction, the key goes last of all that is destroyed, and the certificate is written when everything it says is true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, cast

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import col, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from activities.carriers.outbox import Outbox
from domain.destruction_due import signed_in_words, stops, to_sign
from domain.end_clocks import end_of_case, retention_ends
from domain.guards import named
from records.case_keys import CaseKeys
from records.certificates import certificate_of, issue
from records.database import reading, transaction
from records.destroying import leave_no_trace, note_step, rows_to_destroy, unfinished
from records.store import read_case
from records.tables import CaseRow, CertificateRow, DestructionRow, Json
from starter.clock import now

ENDS_WITHIN = 30.0
"""Seconds in which a case's workflow ends by itself once its papers are destroyed."""
ENGINE_KEEPS = "the engine cannot delete closed runs; it drops them when its own retention ends"


class Due(BaseModel):
    """One case whose papers' time has ended, or whose destruction is half done."""

    case: str
    body: str
    since: date | None
    """The last day the papers were to be kept."""
    stopped_by: list[str] = []
    signed: list[str] = []
    to_sign: list[str] = []
    half_done: bool = False
    """The records are emptied, and a later step is left."""
    rows: dict[str, int] = {}
    """What would be destroyed in the records."""

    @property
    def ready(self) -> bool:
        return not self.stopped_by and not self.to_sign and not self.half_done


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

    async def finish(self, case: str) -> CertificateRow:
        """Do what is left of a case's destruction, and return its certificate. Raises NotEnded; it is then finished another time."""
        for step in self.steps(case):
            if step.name not in self._done(case):
                found = await step.do()
                with transaction(self.engine) as session:
                    note_step(session, case, step.name, found)
        return self._certified(case)

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

    def _certified(self, case: str) -> CertificateRow:
        """Write the certificate, once."""
        with transaction(self.engine) as session:
            row = session.get(DestructionRow, case, with_for_update=True)
            assert row is not None
            found = certificate_of(session, case)
            if found is None:
                found = issue(session, case, {**row.facts, "then": row.done}, at=now())
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


def due(engine: Engine, *, today: date, body: str | None = None) -> tuple[Due, ...]:
    """Returns every case whose papers' time has ended, what stops each, and who has signed and must; half-done ones first."""
    with reading(engine) as session:
        half = unfinished(session)
        query = select(CaseRow).where(CaseRow.stage == "archived").order_by(col(CaseRow.id))
        archived = [row.id for row in session.exec(query.where(CaseRow.body == body) if body else query).all()]
    halves = [_half(engine, case) for case in half]
    found = [one for case in archived if (one := due_of(engine, case, today=today)) and one.since and one.since < today]
    return (*(one for one in halves if body in (None, one.body)), *sorted(found, key=lambda one: (one.since or today, one.case)))


def _half(engine: Engine, case: str) -> Due:
    with reading(engine) as session:
        row = session.get(DestructionRow, case)
        assert row is not None
        return Due(case=case, body=row.body, since=None, half_done=True)


def due_of(engine: Engine, case_id: str, *, today: date) -> Due | None:
    """Returns where one case stands with its destruction, or None where there is no such case or its papers are destroyed."""
    with reading(engine) as session:
        case = read_case(session, case_id)
        if case is None or case.destroyed_on:
            return None
        policy = policy_of_edition(session, case.edition)
        calendar = calendar_of(session, case, policy)
        ends = retention_ends(case, policy, calendar) if end_of_case(case) else None
        return Due(
            case=case.id,
            body=case.body,
            since=ends.date if ends else None,
            stopped_by=[one.what for one in stops(case, policy, on=today, ends=ends)],
            signed=[signed_in_words(one, policy) for one in case.destruction_signed],
            to_sign=[
                f"{named(who, policy)}{' (or of any other office)' if which == 'second' else ''}" for which, who in to_sign(case, policy)
            ],
            rows=rows_to_destroy(session, case.id),
        )


def scrub(engine: Engine) -> str | None:
    """Write the records' file anew after a round of destructions. Returns why it could not, for whoever ran it."""
    return leave_no_trace(engine)


def facts_of(row: CertificateRow) -> Json:
    """Returns a certificate as it is printed: its number, its day, what it says, its hash."""
    said = cast(Json, dict(row.facts))
    return {"certificate": row.n, "issued_at": row.issued_at.isoformat(), "case_sha256": row.case_hash, **said, "hash": row.hash}
