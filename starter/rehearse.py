"""Playing rehearsals: a real engine with time skipped, a real worker, real records, one throw-away set for each."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from activities.bodies import Body, body_of, keep_text, save_body
from activities.calendars import in_force, keep_calendar
from activities.carriers.post import Post
from activities.clock import Clock
from activities.outcome import Outcome
from activities.recording import OPENING
from domain.commands import DeadlinePassed, OpenCase
from domain.days import LONDON, first_instant, london_date
from domain.desk import Advice
from domain.desk_question import Asked
from domain.tasks import Task
from policies import load
from records.database import create_all, open_database, reading, transaction
from records.desk import Desk
from records.keys import keys_of_engine
from records.log import log_of
from records.tables import CaseRow, CommandRow, LetterRow
from starter.calendars import next_table
from starter.cases import AlreadyOpen, Cases, NoSuchCase
from starter.desk import log_command
from starter.script import Expectation, NewTable, Read, Script, Step
from starter.signed import signatures_of
from starter.signer import Signer, know_locally
from starter.standing import Explained, NoCase, standing
from worker.run import worker_for
from worker.server import skipping_server
from workflows.converter import with_keys

CASE = "rehearsal/1"
PATIENCE = 60.0


class CannotPlay(Exception):
    """A rehearsal that could not be played to its end; says which and why."""


class Sent(BaseModel):
    """A letter sent in a step, with the parts it holds."""

    notice: str
    kind: str
    parts: tuple[str, ...]
    sent_on: date | None
    notified_on: date | None
    text: str = ""


class StepResult(BaseModel):
    """What was true after one step."""

    step: int
    line: int
    at: datetime
    do: str | None
    outcome: str | None = None
    cites: tuple[str, ...] = ()
    reason: str | None = None
    remains: str | None = None
    stage: str = ""
    flags: tuple[str, ...] = ()
    dates: dict[str, date] = {}
    explained: tuple[Explained, ...] = ()
    notices: tuple[Sent, ...] = ()
    tasks: tuple[str, ...] = ()
    whose: dict[str, tuple[str, ...]] = {}
    """Kinds of task with every office and person they are for."""
    guidance: tuple[str, ...] = ()
    guidance_texts: tuple[str, ...] = ()
    register_entry: dict[str, str] = {}
    registered: bool = False
    fired: tuple[str, ...] = ()
    missed_reviews: int = 0
    papers: dict[str, str] = {}
    agreements: dict[str, dict[str, str]] = {}
    verdict: str | None = None
    differences: tuple[str, ...] = ()


class Performance(BaseModel):
    """A rehearsal played to its end."""

    file: str
    title: str
    policy: str
    seconds: float = 0.0
    steps: tuple[StepResult, ...] = ()
    unproved: tuple[str, ...] = ()
    """Acts that were recorded and whose signature does not hold of what is kept of them: a fault of ours."""

    @property
    def differences(self) -> tuple[str, ...]:
        return (*(line for step in self.steps for line in step.differences), *self.unproved)


class Stage:
    """One rehearsal's server, worker and records."""

    def __init__(self, read: Read, server: WorkflowEnvironment, folder: Path) -> None:
        self.read, self.server, self.folder = read, server, folder
        self.engine = _records(read.script, folder)
        self.desk = Desk(self.engine)
        self.clock = Clock()
        self.client = with_keys(server.client, keys_of_engine(self.engine))
        self.signer = Signer(Ed25519PrivateKey.generate(), iss="rehearsal")
        know_locally(self.engine, self.signer)
        self.cases = Cases(self.client, task_queue="rehearsal", signer=self.signer)
        self.seen_letters: set[str] = set()
        self.seen_lines = 0

    async def now(self) -> datetime:
        return self.clock.case_time(await self.server.get_current_time())

    async def play(self) -> AsyncGenerator[StepResult, None]:
        """Play step by step, in order. The case's clock is set to the first step's moment; then only the engine moves it."""
        steps = self.read.script.steps
        self.clock = Clock(shift=steps[0].at - await self.server.get_current_time())
        worker = worker_for(self.client, engine=self.engine, post=Post.into(self.folder), task_queue="rehearsal", clock=self.clock)
        async with worker:
            await self._sign_by_the_case_s_clock()
            await self._open(steps[0])
            for number, step in enumerate(steps):
                yield await self._step(number, step)

    async def _sign_by_the_case_s_clock(self) -> None:
        """Sign with the moment that the case lives in: the engine's time was moved."""
        self.cases = replace(self.cases, signer=self.signer.at(await self.now()))

    async def _open(self, first: Step) -> None:
        script = self.read.script
        opening = script.opening
        if first.do in OPENING:
            return
        by = opening.by or (first.by if first.by in script.people else None) or next(iter(script.people))
        outcome = await self.cases.open_message(CASE, _opening_message(script, by=by))
        if not outcome.accepted:
            raise CannotPlay(f"{self.read.path}: the case could not be opened: {outcome.answer} ({', '.join(outcome.cites)})")
        self._new_lines()

    async def _step(self, number: int, step: Step) -> StepResult:
        ahead = step.at - await self.now()
        if ahead > timedelta(0):
            await self.server.sleep(ahead)
        await self._settled()
        fired = self._new_lines()
        advice = self._at_the_desk(step)
        await self._sign_by_the_case_s_clock()
        outcome = await self._done(step, number, advice)
        await self._settled()
        result = _advised(self._result(number, step, outcome, (*fired, *self._new_lines())), advice)
        return result.model_copy(update={"differences": tuple(_differences(self.read, number, step.expect, result))})

    def _at_the_desk(self, step: Step) -> Advice | None:
        """Returns what the desk is told of this step's contact, from the records as they stand."""
        if step.contact is None:
            return None
        customer = step.contact.customer or self.read.script.customer.name
        return self.desk.look_up("rehearsal", customer, _asked(step))

    async def _done(self, step: Step, number: int, advice: Advice | None) -> Outcome | None:
        if step.calendar is not None:
            return await self._table_comes(step.calendar, step, number)
        acts = step.do or step.raw is not None or (step.contact and step.contact.record)
        return await self._do(step, number, advice) if acts else None

    async def _table_comes(self, new: NewTable, step: Step, number: int) -> Outcome | None:
        """Load a table, set the body's closed days, and let the case take both over."""
        edition = load_table(self.engine, new, name=f"step-{number + 1}", at=step.at)
        if not new.taken_over:
            return None
        message: dict[str, object] = {"v": 1, "id": step.id or f"step-{number + 1}", "do": "apply_calendar", "by": step.by or "calendar"}
        return await self.cases.submit_message(CASE, {**message, "with": {"edition": edition}})

    async def _do(self, step: Step, number: int, advice: Advice | None) -> Outcome:
        message = _message(step, number)
        if advice is not None:
            message |= {"do": "log_contact", "with": _logged(step, advice)}
        if step.policy:
            message = self._with_edition(step.policy, message)
        try:
            if step.do == "open_case":
                return await self._opened(step, message)
            if step.do == "import_case":
                return await self._imported(message)
            if step.via == "update":
                return await self.cases.submit_message(CASE, message)
            return await self._signalled(message, number)
        except NoSuchCase as gone:
            return Outcome(command=str(message["id"]), result="refused", answer=str(gone))

    def _with_edition(self, policy: str, message: dict[str, object]) -> dict[str, object]:
        """Keep the edition of a policy file in the records, as evenhand policy move does, and name it in the message."""
        with transaction(self.engine) as session:
            _, edition = keep_text(session, load.policy_text(policy), name=policy, at=self.read.script.steps[0].at)
        given = message.get("with")
        return {**message, "with": {**(given if isinstance(given, dict) else {}), "edition": edition}}

    async def _opened(self, step: Step, message: dict[str, object]) -> Outcome:
        """Open the case, as a door does; where it is open already, the record refuses to open it again."""
        opening = _opening_message(self.read.script, by=step.by, on=step.on, with_=step.with_)
        try:
            return await self.cases.open_message(CASE, {**opening, "id": step.id or opening["id"]})
        except AlreadyOpen:
            return await self.cases.submit_message(CASE, {**opening, "id": message["id"]})

    async def _imported(self, message: dict[str, object]) -> Outcome:
        """Take over a case in mid-life: the rehearsal's body and customer, with what the step says."""
        with_ = message["with"]
        assert isinstance(with_, dict)
        customer = self.read.script.customer.model_dump(mode="json", exclude_unset=True)
        given = {"body": "rehearsal", "reference": "old/1", "file_sha256": "0" * 64, "line": 2, "customer": customer, **with_}
        whole = {**message, "with": given}
        try:
            return await self.cases.open_message(CASE, whole)
        except AlreadyOpen:
            return await self.cases.submit_message(CASE, whole)

    async def _signalled(self, message: dict[str, object], number: int) -> Outcome:
        await self.cases.signal_message(CASE, message)
        id = str(message["id"])
        await _until(lambda: self._outcome_of(id) is not None, f"{self.read.path}: step {number + 1}: the signal was not acted on")
        found = self._outcome_of(id)
        assert found is not None
        return found

    def _outcome_of(self, id: str) -> Outcome | None:
        with reading(self.engine) as session:
            row = session.get(CommandRow, (CASE, id))
            return Outcome.model_validate(row.outcome, extra="allow") if row else None

    def unproved(self) -> Iterator[str]:
        """Yields every act of the case that cannot be shown to be, whole, what was signed."""
        with reading(self.engine) as session:
            for one in signatures_of(session, CASE):
                if one.problem:
                    yield f"{self.read.path}: the signature of {one.act} ({one.do}) {one.problem}"

    async def _settled(self) -> None:
        now = await self.now()
        await _until(lambda: self._quiet(now), f"{self.read.path}: the case did not settle")

    def _quiet(self, now: datetime) -> bool:
        with reading(self.engine) as session:
            row = session.get(CaseRow, CASE)
            if row is None:
                return True
            due = row.next_fires is not None and first_instant(row.next_fires) <= now
            notices = row.state.get("notices", [])
            assert isinstance(notices, list)
            return not due and all(one["status"] != "to-send" for one in notices)

    def _new_lines(self) -> tuple[str, ...]:
        """Returns the kinds of deadline that fired on their own since last asked."""
        with reading(self.engine) as session:
            lines = log_of(session, CASE)
        new, self.seen_lines = lines[self.seen_lines :], len(lines)
        return tuple(
            line.command_id.removeprefix("due:").split(":", 1)[0]
            for line in new
            if line.command == DeadlinePassed.do and line.actor == "calendar" and line.result == "accepted"
        )

    def _result(self, number: int, step: Step, outcome: Outcome | None, fired: tuple[str, ...]) -> StepResult:
        base = StepResult(
            step=number + 1,
            line=self.read.line(number),
            at=step.at,
            do=step.do,
            outcome=outcome.result if outcome else None,
            cites=outcome.cites if outcome else (),
            reason=outcome.answer if outcome else None,
            remains=outcome.remains if outcome else None,
            fired=fired,
        )
        try:
            stands = standing(self.engine, CASE, today=london_date(step.at))
        except NoCase:
            return base
        return base.model_copy(
            update={
                "stage": stands.stage,
                "flags": stands.flags,
                "dates": stands.dates,
                "explained": stands.explained,
                "tasks": tuple(task.kind for task in stands.tasks),
                "whose": _whose(stands.tasks),
                "guidance": tuple(source for one in stands.guidance for source in one.sources),
                "guidance_texts": tuple(one.text for one in stands.guidance),
                "register_entry": stands.register_entry,
                "registered": bool(stands.register_entry),
                "notices": self._letters(),
                "missed_reviews": stands.missed_reviews,
                "papers": _fields(stands.papers),
                "agreements": {one.restriction: _fields(one) for one in stands.agreements},
            }
        )

    def _letters(self) -> tuple[Sent, ...]:
        with reading(self.engine) as session:
            rows = session.exec(select(LetterRow).where(LetterRow.case_id == CASE)).all()
            case = session.get(CaseRow, CASE)
            notices = {one["id"]: one for one in case.state["notices"]} if case else {}  # type: ignore[attr-defined]  # plain JSON
        new = [row for row in sorted(rows, key=lambda row: _order(row.notice)) if row.notice not in self.seen_letters]
        self.seen_letters |= {row.notice for row in new}
        return tuple(
            Sent(
                notice=row.notice,
                kind=notices[row.notice.partition("-")[0]]["kind"],
                parts=tuple(row.parts),
                sent_on=notices[row.notice.partition("-")[0]]["sent_on"],
                notified_on=notices[row.notice.partition("-")[0]]["notified_on"],
                text=_text_of(Path(row.file)),
            )
            for row in new
        )


def _asked(step: Step) -> Asked:
    assert step.contact is not None
    moment = step.at.astimezone(LONDON)
    facts = step.contact.model_dump(include={"channel", "topic", "kind", "minutes"})
    return Asked(**facts, on=step.on or moment.date(), at=None if step.on else moment.time(), by=step.by)


def _logged(step: Step, advice: Advice) -> dict[str, object]:
    asked = _asked(step)
    return log_command(asked, advice).model_dump(mode="json", exclude={"id", "on", "saw"}, exclude_none=True)


def _advised(result: StepResult, advice: Advice | None) -> StepResult:
    """Returns the step's result with what the desk was told: its verdict, its clauses, its words."""
    if advice is None:
        return result
    words = (advice.says, *advice.cautions, *advice.not_enforced, *(one.says for one in advice.found), result.reason or "")
    cites = (*advice.cites, *(clause for one in advice.found for clause in one.cites), *result.cites)
    guidance = (*result.guidance, *(source for one in advice.guidance for source in one.cites))
    told = {"verdict": advice.verdict, "cites": tuple(dict.fromkeys(cites)), "reason": " ".join(words), "guidance": guidance}
    return result.model_copy(update=told)


def _whose(waiting: tuple[Task, ...]) -> dict[str, tuple[str, ...]]:
    kinds = dict.fromkeys(task.kind for task in waiting)
    return {kind: tuple(who for task in waiting if task.kind == kind for who in (*task.offices, *task.people)) for kind in kinds}


def _fields(one: BaseModel) -> dict[str, str]:
    """Returns a model's fields in words; one that holds nothing is empty."""
    return {name: "" if value is None else str(value) for name, value in one.model_dump(mode="json").items()}


def _order(notice: str) -> tuple[int, int]:
    number, _, issue = notice[1:].partition("-")
    return int(number), int(issue or 1)


def _text_of(file: Path) -> str:
    text = file.with_suffix(".txt")
    return text.read_text(encoding="utf-8") if text.exists() else ""


def _records(script: Script, folder: Path) -> Engine:
    engine = open_database(f"sqlite:///{folder / 'rehearsal.db'}")
    create_all(engine)
    policy = load.policy(script.policy)
    body = Body(
        body="rehearsal",
        name=policy.body,
        policy=script.policy,
        keep_years=script.retention_years,
        ombudsman=script.ombudsman,
        meetings=script.meetings,
        people=script.staff,
        closures=script.closures,
        links=script.links,
        house_letters=script.house_letters,
    )
    with transaction(engine) as session:
        save_body(session, body)
    return engine


def load_table(engine: Engine, new: NewTable, *, name: str, at: datetime) -> str:
    """Load the table in force with what a step adds and takes away. Returns its edition; raises Unreadable where it cannot be one."""
    with transaction(engine) as session:
        listed = {name: days for name, days in (("closures", new.closures), ("meetings", new.meetings)) if days is not None}
        if listed:
            save_body(session, body_of(session, "rehearsal").model_copy(update=listed))
        if not (new.add or new.remove or new.known_until):
            return in_force(session, new.nation).edition
        text = next_table(
            in_force(session, new.nation), add=new.add, remove=new.remove, known_until=new.known_until, name=name, on=london_date(at)
        )
        return keep_calendar(session, text, name=name, at=at).edition


def _opening(script: Script) -> OpenCase:
    return OpenCase(body="rehearsal", customer=script.customer, **script.opening.model_dump(exclude={"by"}))


def _opening_message(
    script: Script, *, by: str | None, on: date | None = None, with_: dict[str, object] | None = None
) -> dict[str, object]:
    """Returns the message that opens the case. Its day is the rehearsal's, so the client's own, which knows today only, is not used."""
    command = _opening(script).model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True)
    facts = {"by": by, "on": on.isoformat() if on else None}
    return {
        "v": 1,
        "id": f"open:{CASE}",
        "do": "open_case",
        "with": {**command, **(with_ or {})},
        **{name: value for name, value in facts.items() if value is not None},
    }


def _message(step: Step, number: int) -> dict[str, object]:
    if isinstance(step.raw, dict):
        return {"id": f"step-{number + 1}", "do": "act", **step.raw}
    facts = {"by": step.by, "on": step.on.isoformat() if step.on else None, "saw": step.saw}
    return {
        "v": 1,
        "id": step.id or f"step-{number + 1}",
        "do": step.do,
        "with": step.with_,
        **{name: value for name, value in facts.items() if value is not None},
    }


async def _until(true: Callable[[], bool], complaint: str) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not true():
        if loop.time() > end:
            raise CannotPlay(complaint)
        await asyncio.sleep(0.01)


def _differences(read: Read, number: int, expect: Expectation, result: StepResult) -> list[str]:
    found: list[str] = []

    def differs(field: str, wanted: object, was: object) -> None:
        found.append(f"{read.path}:{read.line(number, field)}: step {number + 1}, {field}: expected {_shown(wanted)}, found {_shown(was)}")

    for field in ("outcome", "stage", "missed_reviews", "registered", "verdict"):
        wanted = getattr(expect, field)
        if wanted is not None and wanted != getattr(result, field):
            differs(field, wanted, _with_reason(field, result))
    named = set(result.cites)
    shown = set(result.guidance)
    for field, known in (("cites", named), ("flags", set(result.flags)), ("tasks", set(result.tasks)), ("guidance", shown)):
        missing = [one for one in getattr(expect, field) if one not in known]
        if missing:
            differs(field, missing, getattr(result, field))
    for field, there in (("flags_absent", result.flags), ("tasks_absent", result.tasks), ("guidance_absent", result.guidance)):
        present = [one for one in getattr(expect, field) if one in there]
        if present:
            differs(field, f"no {', '.join(present)}", there)
    for kind, who in expect.whose.items():
        if who not in result.whose.get(kind, ()):
            differs("whose", f"{kind}: {who}", result.whose.get(kind))
    for name, day in expect.dates.items():
        if result.dates.get(name) != day:
            differs("dates", f"{name} {day}", result.dates.get(name))
    for words in expect.guidance_says:
        if not any(words in text for text in result.guidance_texts):
            differs("guidance_says", words, result.guidance_texts)
    for column, words in expect.register_.items():
        held = result.register_entry.get(column)
        if held is None or (words not in held if words else held):
            differs("register", f"{column}: {words}", result.register_entry.get(column))
    for ref, wanted, held_ in (("papers", expect.papers, result.papers), *_agreements_expected(expect, result)):
        for name, words in wanted.items():
            if held_.get(name) != words:
                differs(ref.partition(".")[0], f"{ref.partition('.')[2]} {name} {words}".strip(), held_.get(name))
    _letters_differ(expect, result, differs)
    return found


def _agreements_expected(expect: Expectation, result: StepResult) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    for restriction, wanted in expect.agreements.items():
        yield f"agreements.{restriction}", wanted, result.agreements.get(restriction, {})


def _letters_differ(expect: Expectation, result: StepResult, differs: Callable[[str, object, object], None]) -> None:
    kinds = [one.kind for one in result.notices]
    for field, was in (("notices", kinds), ("fired", list(result.fired))):
        wanted = getattr(expect, field)
        if wanted is not None and Counter(wanted) != Counter(was):
            differs(field, list(wanted), was)
    if expect.reason and expect.reason not in f"{result.reason} {result.remains}":
        differs("reason", expect.reason, result.reason)
    held = {one.kind: one.parts for one in result.notices}
    for kind, parts in expect.parts.items():
        if not set(parts) <= set(held.get(kind, ())):
            differs("parts", f"{kind} {list(parts)}", held.get(kind))
    for kind, parts in expect.parts_absent.items():
        if set(parts) & set(held.get(kind, ())):
            differs("parts_absent", f"{kind} without {list(parts)}", held.get(kind))
    for words in expect.prints:
        if not any(words in one.text for one in result.notices):
            differs("prints", words, "not printed")
    for words in expect.prints_absent:
        if any(words in one.text for one in result.notices):
            differs("prints_absent", f"no {words}", "printed")


def _with_reason(field: str, result: StepResult) -> object:
    if field != "outcome" or not result.reason:
        return getattr(result, field)
    return f"{result.outcome}: {result.reason} [{', '.join(result.cites)}] {result.remains or ''}".strip()


def _shown(value: object) -> str:
    return "nothing" if value is None or value == [] or value == () else str(value)


async def rehearse(read: Read) -> Performance:
    """Play one rehearsal on a server of its own."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with tempfile.TemporaryDirectory(prefix="evenhand-") as folder:
        async with await skipping_server() as server:
            stage = Stage(read, server, Path(folder))
            steps = tuple([step async for step in stage.play()])
            unproved = tuple(stage.unproved())
    facts = {"file": str(read.path), "title": read.script.title, "policy": read.script.policy, "unproved": unproved}
    return Performance.model_validate({**facts, "seconds": loop.time() - began, "steps": steps})


async def first_difference(read: Read) -> tuple[StepResult, ...]:
    """Play one rehearsal up to the first step that differs, and return the steps played."""
    played: list[StepResult] = []
    with tempfile.TemporaryDirectory(prefix="evenhand-") as folder:
        async with await skipping_server() as server, aclosing(Stage(read, server, Path(folder)).play()) as steps:
            async for step in steps:
                played.append(step)
                if step.differences:
                    break
    return tuple(played)
