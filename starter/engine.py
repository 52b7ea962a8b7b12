"""Engine and records, each rebuilt from the other: cases without a workflow started again, records that fell behind repaired."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.carriers.outbox import file_of
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Letter, Outcome
from activities.recording import Recording
from activities.sending import issued
from domain.commands import COMMANDS
from domain.letters import method_of
from records.database import reading, transaction
from records.store import read_case
from records.tables import CaseRow, CommandRow, LetterRow
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
        if one.state == "no workflow" and await _started(client, one.case, task_queue):
            started.append(one.case)
    return started


async def _started(client: Client, case: str, task_queue: str) -> bool:
    try:
        await client.start_workflow("Case", {"carry": 1}, id=case, task_queue=task_queue)
    except WorkflowAlreadyStartedError:
        return False
    return True


class Repaired(BaseModel):
    """What a repair did for one case."""

    case: str
    applied: list[str]
    seq: int


async def repair(client: Client, engine: Engine, *, outbox: Path) -> list[Repaired]:
    """Apply again, under their own ids and times, the acts that the records lack and the workflows' histories hold."""
    return [await _repaired(client, engine, one.case, outbox) for one in await compare(client, engine) if one.state == "records behind"]


async def _repaired(client: Client, engine: Engine, case: str, outbox: Path) -> Repaired:
    applied = []
    async for given, answer in _acts(client, case):
        with transaction(engine) as session:
            act = _by_the_post(given, answer) if isinstance(given, Act) else _sent(session, given, answer, outbox)
            if act is not None and session.get(CommandRow, (case, str(act.message["id"]))) is None:
                Recording(session, act.model_copy(update={"seq": 0}), ENGINE_TIME).record()
                applied.append(str(act.message["id"]))
    with reading(engine) as session:
        row = session.get(CaseRow, case)
        return Repaired(case=case, applied=applied, seq=row.seq if row else 0)


def _by_the_post(act: Act, answer: Outcome) -> Act:
    """Returns an act as it was made: news of a letter that was accepted was the post's own, and reached the case as a signal."""
    command = COMMANDS.get(str(act.message.get("do")))
    return act.model_copy(update={"source": "post"}) if command and answer.accepted and command.origins == {"post"} else act


def _sent(session: Session, letter: Letter, answer: Outcome, outbox: Path) -> Act | None:
    """Returns the note that a letter went, and keeps the letter's own row where its file is still there.

    What else became of one (blocked, with a printer) is in the history as words alone: a person finds out."""
    case = read_case(session, letter.case)
    notice = case.notice(letter.notice) if case else None
    if case is None or notice is None:
        return None
    name = issued(notice.id, notice.issue)
    if not answer.command.startswith("notice_sent:"):
        problem = "The records were restored from an older copy; what became of this letter is not in it."
        lost: dict[str, object] = {"v": 1, "id": f"notice_uncertain:{name}", "saw": notice.id, "do": "notice_uncertain"}
        return Act(case=letter.case, message={**lost, "with": {"problem": problem}}, source="post", now=letter.now)
    _keep_letter(session, letter, name, file_of(outbox, letter.case, name), case.edition)
    message: dict[str, object] = {
        "v": 1, "id": f"notice_sent:{name}", "saw": notice.id, "do": "notice_sent", "with": {"method": method_of(case)},
    }  # fmt: skip
    return Act(case=letter.case, message=message, source="post", now=letter.now)


def _keep_letter(session: Session, letter: Letter, name: str, file: Path, edition: str) -> None:
    kept = session.get(LetterRow, (letter.case, name))
    if kept is not None or not file.exists():
        return
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    row = LetterRow(
        case_id=letter.case, notice=name, file=str(file), sha256=sha256, template="1", parts=[], edition=edition, sent_at=letter.now
    )
    session.add(row)


async def _acts(client: Client, case: str) -> AsyncIterator[tuple[Act | Letter, Outcome]]:
    """Yields what a case's activities were given and what they answered, oldest run first."""
    for run_id in reversed([one async for one in _runs_of(client, case)]):
        scheduled: dict[int, HistoryEvent] = {}
        async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = event
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                given = scheduled.get(completed.scheduled_event_id)
                if given is not None:
                    [answer] = await client.data_converter.decode(list(completed.result.payloads), [Outcome])
                    yield await _given(client, given), answer


async def _given(client: Client, event: HistoryEvent) -> Act | Letter:
    attributes = event.activity_task_scheduled_event_attributes
    kind: type[Act] | type[Letter] = Act if attributes.activity_type.name == "act" else Letter
    values = await client.data_converter.decode(list(attributes.input.payloads), [kind])
    given: Act | Letter = values[0]
    return given


async def _runs_of(client: Client, case: str) -> AsyncIterator[str]:
    """Yields a case's runs, the newest first, as far back as the engine keeps them."""
    run_id: str | None = (await client.get_workflow_handle(case).describe()).run_id
    while run_id:
        yield run_id
        run_id = await _run_before(client, case, run_id)


async def _run_before(client: Client, case: str, run_id: str) -> str | None:
    try:
        async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events(page_size=1):
            return event.workflow_execution_started_event_attributes.continued_execution_run_id or None
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    return None
