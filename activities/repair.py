"""Records that were restored from an older copy, brought up to date from what the workflows' histories hold.

What a history does not hold (a table of holidays, a policy file, a staff list) is asked for by the command that brings it: an act that
was accepted then and would be refused now is never recorded as refused."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timezone
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.bodies import Unknown
from activities.calendars import edition
from activities.carriers.outbox import file_of
from activities.clock import ENGINE_TIME
from activities.in_step import Compared, compare, start_again
from activities.outcome import RESUME, Act, Letter, Outcome
from activities.recording import QUOTING, Recording
from activities.sending import issued
from domain.case import Case, Notice
from domain.commands import (
    COMMANDS,
    ApplyCalendar,
    MoveEdition,
    NoticeBlocked,
    NoticeDelayed,
    NoticeHandedOver,
    NoticeSent,
    NoticeUncertain,
)
from domain.letters import method_of
from domain.model import State
from records.database import reading, transaction
from records.signing_keys import signed_since
from records.store import read_case
from records.tables import BodyRow, CaseRow, CommandRow, EditionRow, LetterRow

Read = TypeVar("Read", bound=State)
AGAIN = "evenhand engine repair"
TAKEN_OVER = "apply_calendar took over the closed days and meetings that the records hold now"


class Repaired(BaseModel):
    """What a repair did for one case, and what is left to do, with the command that does it."""

    case: str
    applied: list[str] = []
    seq: int = 0
    started: bool = False
    """Whether its workflow was started again."""
    left: list[str] = []


class Done(NamedTuple):
    """What one activity of a case was given, and what it answered."""

    given: Act | Letter
    answered: Outcome | None


class Stopped(Exception):
    """An act that cannot be applied again yet, and the command that helps."""


async def repair(client: Client, engine: Engine, *, outbox: Path, task_queue: str) -> list[Repaired]:
    """Apply again, under their own ids and times, the acts that the records lack and the workflows' histories hold; start again the
    workflow of each open case that has none; say of the rest what to do. Cases in step are left out."""
    found = [one for one in await compare(client, engine) if one.state != "in step"]
    return [await mended(client, engine, one, outbox, task_queue) for one in found]


async def mended(client: Client, engine: Engine, one: Compared, outbox: Path, task_queue: str) -> Repaired:
    """Bring one case that is not in step into step as far as nobody need be asked. Returns what was done, and what is left."""
    match one.state:
        case "records behind":
            return await _repaired(client, engine, one.case, outbox)
        case "no workflow":
            done = await _repaired(client, engine, one.case, outbox)
            if done.left or not _open(engine, one.case):
                return done
            return done.model_copy(update={"started": await start_again(client, one.case, task_queue)})
        case "no answer":
            left = f"No worker answers for it. Run evenhand worker, then {AGAIN}."
        case "unfit id":
            left = "No case can have this id: somebody else's workflow, which ends by itself when a worker takes it. Else terminate it."
        case "fault":
            left = (
                "It could not be looked at; the log says what kind of fault it was. evenhand doctor and evenhand audit verify look further."
            )
        case _:
            ending = f"temporal workflow terminate --workflow-id {one.case}"
            left = f"The engine is behind the records. If evenhand engine check still says so: {ending}, then evenhand engine rebuild."
    return Repaired(case=one.case, seq=one.seq_in_records or 0, left=[left])


def _open(engine: Engine, case: str) -> bool:
    with reading(engine) as session:
        row = session.get(CaseRow, case)
        return row is not None and row.stage != "closed"


async def _repaired(client: Client, engine: Engine, case: str, outbox: Path) -> Repaired:
    applied: list[str] = []
    left: list[str] = []
    try:
        async for done in _acts(client, case):
            with transaction(engine) as session:
                act = _applied(session, done, outbox)
            if act is not None:
                applied.append(str(act.message["id"]))
                left += _to_check(act)
    except Stopped as stopped:
        left.append(str(stopped))
    with reading(engine) as session:
        row = session.get(CaseRow, case)
        return Repaired(case=case, applied=applied, seq=row.seq if row else 0, left=left)


def _applied(session: Session, done: Done, outbox: Path) -> Act | None:
    """Apply one act again, where the records lack it. Raises Stopped where it would end otherwise than it did."""
    act = _by_the_post(done.given, done.answered) if isinstance(done.given, Act) else _noted(session, done.given, done.answered, outbox)
    if act is None or act.message.get("do") == RESUME:
        return None  # a workflow that was started again decided nothing
    if session.get(CommandRow, (act.case, str(act.message["id"]))) is not None:
        return None
    if done.answered is not None and done.answered.result == "unsigned":
        return None  # nobody's: it changed nothing then, and is no act
    missing = _missing(session, act)
    if missing:
        raise Stopped(f"{act.message['id']}: {missing}, then {AGAIN}.")
    outcome = _again(session, act, done.answered).record()
    if done.answered and done.answered.accepted and not outcome.accepted:
        said = f"{QUOTING.get(outcome.result, outcome.answer)} {outcome.remains or ''}".strip()
        since = f"{BODY} --since {act.now.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}"
        raise Stopped(f"{act.message['id']} was accepted then and would be {outcome.result} now ({said}): {since}, then {AGAIN}.")
    return act


def _again(session: Session, act: Act, answered: Outcome | None) -> Recording:
    """Returns the recording of an act, its signature verified again by the key as it stood then.

    An act may be without a signature only where it is from before signatures: taken in by a release that noted no door, answered then, and
    older than the moment from which these records ask for signatures."""
    since = signed_since(session)
    before = act.door is None and "token" not in act.message and answered is not None and since is not None and act.now < since
    return Recording(session, act.model_copy(update={"seq": 0}), ENGINE_TIME, from_before_signatures=before)


def _by_the_post(act: Act, answered: Outcome | None) -> Act:
    """Returns an act as it was made: news of a letter that was accepted was the post's own, and reached the case as a signal."""
    command, accepted = COMMANDS.get(str(act.message.get("do"))), answered is not None and answered.accepted
    return act.model_copy(update={"source": "post"}) if command and accepted and command.origins == {"post"} else act


BODY = "bring the body's file up to date with evenhand body set FILE"


def _missing(session: Session, act: Act) -> str | None:
    """Returns what the records lack for an act, with the command that brings it; None where nothing is missing."""
    given = act.message.get("with")
    facts: dict[str, object] = given if isinstance(given, dict) else {}
    name = str(facts.get("edition"))
    match act.message.get("do"):
        case ApplyCalendar.do:
            try:
                edition(session, name)
            except Unknown:
                return f"the table {name} is not in the records: evenhand engine repair --calendar FILE"
        case MoveEdition.do if session.get(EditionRow, name) is None:
            return f"the policy edition {name[:12]} is not in the records: evenhand engine repair --policy FILE"
        case "open_case" | "import_case" if session.get(BodyRow, str(facts.get("body"))) is None:
            return f"the body {facts.get('body')} is not in the records: evenhand body set FILE"
    return None


def _to_check(act: Act) -> list[str]:
    if act.message["do"] != ApplyCalendar.do:
        return []
    return [f"Check {act.message['id']}: {TAKEN_OVER}; evenhand calendar apply --dry-run."]


def _noted(session: Session, letter: Letter, answered: Outcome | None, outbox: Path) -> Act | None:
    """Returns what was noted of a letter: that it went, could not go, or waits; keeps its own row where its file is still there."""
    case = read_case(session, letter.case)
    notice = case.notice(letter.notice) if case else None
    if case is None or notice is None:
        return None
    name = issued(notice.id, notice.issue)
    if answered is not None and session.get(CommandRow, (letter.case, answered.command)) is not None:
        return None  # the records have it
    did, id = _became(notice, name, answered)
    if did is None or session.get(CommandRow, (letter.case, id)) is not None:
        return None
    if did == NoticeSent.do:
        _keep_letter(session, letter, name, file_of(outbox, letter.case, name), case.edition)
    message = {"v": 1, "id": id, "saw": notice.id, "do": did, "with": _with(did, case, notice, answered)}
    return Act(case=letter.case, message=message, source="post", now=letter.now)


def _became(notice: Notice, name: str, answered: Outcome | None) -> tuple[str | None, str]:
    """Returns what is to be noted of a letter, None for nothing, and under which id: what its sending answered, and no more than that.

    Where it was with a carrier, or an answer was lost, the history does not say what became of it: a person finds out."""
    sent = f"{NoticeSent.do}:{name}"
    if answered is None:  # an earlier release answered nothing
        return NoticeSent.do, sent
    did, _, of = answered.command.partition(":")
    match did:
        case NoticeSent.do | NoticeBlocked.do | NoticeDelayed.do if of == name:
            return did, answered.command
        case NoticeHandedOver.do | NoticeUncertain.do if of == name:
            return NoticeUncertain.do, f"{NoticeUncertain.do}:{name}"
        case "look" if notice.status == "to-send":
            return NoticeUncertain.do, f"{NoticeUncertain.do}:{name}"
    return None, ""


def _with(did: str, case: Case, notice: Notice, answered: Outcome | None) -> dict[str, object]:
    match did:
        case NoticeBlocked.do:
            problem = "Why it could not go is not in the engine's history."
            return {"problem": problem, "clauses": list(answered.cites) if answered else []}
        case NoticeDelayed.do:
            return {"problem": "Why it did not go at once is not in the engine's history."}
        case NoticeUncertain.do:
            return {"problem": "It was with a carrier; what became of it is not in the engine's history."}
    return {"method": method_of(case, notice)}


def _keep_letter(session: Session, letter: Letter, name: str, file: Path, edition: str) -> None:
    kept = session.get(LetterRow, (letter.case, name))
    if kept is not None or not file.exists():
        return
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    row = LetterRow(
        case_id=letter.case, notice=name, file=str(file), sha256=sha256, template="1", parts=[], edition=edition, sent_at=letter.now
    )
    session.add(row)


async def _acts(client: Client, case: str) -> AsyncIterator[Done]:
    """Yields what a case's activities were given and completed, oldest run first."""
    for run_id in await _runs_of(client, case):
        scheduled: dict[int, HistoryEvent] = {}
        async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = event
            elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed = event.activity_task_completed_event_attributes
                given = scheduled.get(completed.scheduled_event_id)
                if given is not None:
                    yield Done(await _given(client, given), await _answered(client, completed.result))


async def _given(client: Client, event: HistoryEvent) -> Act | Letter:
    attributes = event.activity_task_scheduled_event_attributes
    kind: type[Act] | type[Letter] = Act if attributes.activity_type.name == "act" else Letter
    given: Act | Letter = await _opened(client, attributes.input, kind)
    return given


async def _answered(client: Client, result: Payloads) -> Outcome | None:
    return await _opened(client, result, Outcome) if result.payloads else None


async def _opened(client: Client, payloads: Payloads, kind: type[Read]) -> Read:
    """Returns what a payload of a history holds. Raises Stopped where its key is not here."""
    try:
        [value] = await client.data_converter.decode(list(payloads.payloads)[:1], [kind])
    except ValidationError:
        raise Stopped(
            f"Its history is sealed with a key that is destroyed, or not in this key store: restore that first, then {AGAIN}."
        ) from None
    read: Read = value
    return read


async def _runs_of(client: Client, case: str) -> list[str]:
    """Returns a case's runs, the oldest first, as far back as the engine keeps them; those of a workflow that was rebuilt included."""
    chain = [one async for one in _chain_of(client, case)]
    quoted = case.replace("'", "''")
    listed = [one async for one in client.list_workflows(f"WorkflowId = '{quoted}'")]
    before = [one.run_id for one in sorted(listed, key=lambda one: one.start_time) if one.run_id not in chain]
    return [*before, *reversed(chain)]


async def _chain_of(client: Client, case: str) -> AsyncIterator[str]:
    """Yields the runs that go on one from the other, the newest first; none where the engine knows no such case."""
    run_id: str | None = await _last_run(client, case)
    while run_id:
        yield run_id
        run_id = await _run_before(client, case, run_id)


async def _last_run(client: Client, case: str) -> str | None:
    try:
        return (await client.get_workflow_handle(case).describe()).run_id
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    return None


async def _run_before(client: Client, case: str, run_id: str) -> str | None:
    try:
        async for event in client.get_workflow_handle(case, run_id=run_id).fetch_history_events(page_size=1):
            return event.workflow_execution_started_event_attributes.continued_execution_run_id or None
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    return None
