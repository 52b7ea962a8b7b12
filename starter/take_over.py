"""Checked lines become cases: which of them are there already, and one workflow started for each of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from pydantic import BaseModel
from sqlmodel import Session, col, select

from activities.outcome import Outcome
from domain.commands import ImportCase
from domain.model import REFERENCE, text_reference
from records.case_key import CaseKey
from records.keys import keys_of
from records.tables import CaseRow, CommandRow
from starter.cases import AlreadyOpen, Cases, Unavailable, envelope
from starter.register_import import LineFault, Prepared, State

AT_ONCE = 8
"""Cases that are started side by side: enough to keep a worker busy, few enough for one with a SQLite file."""
SOURCE = ("file_sha256", "line")
"""Where a line stood: the same case may stand elsewhere in the file of another day."""


class Answer(BaseModel):
    """What became of one line."""

    line: int
    case: str
    result: str
    answer: str


class _References:
    """Stands in for a case's texts: the same text has the same reference under the case's key, so that texts are compared unread."""

    def __init__(self, key: CaseKey, *, earlier: bool = False) -> None:
        self.key, self.earlier = key, earlier

    def put(self, text: str) -> str:
        return text_reference(text) if self.earlier else REFERENCE + self.key.mark(text)

    def get(self, reference: str) -> str:
        return reference


def against_records(session: Session, prepared: Iterable[Prepared]) -> tuple[list[Prepared], list[LineFault]]:
    """Returns the lines with those marked that are cases already, and a fault for each whose case was never imported."""
    marked: list[Prepared] = []
    wrong: list[LineFault] = []
    there = _there(session, prepared := tuple(prepared))
    for one in prepared:
        case = one.report.case
        if case not in there:
            marked.append(one)
            continue
        held = session.get(CommandRow, (case, import_id(case)))
        if held is None:
            right = "another reference: that case was opened here and not imported"
            wrong.append(LineFault(line=one.report.line, column="reference", found=f"the case {case}, which exists", right=right))
        else:
            marked.append(one._replace(report=one.report.model_copy(update={"state": _state(session, held, one.command)})))
    return marked, wrong


def _there(session: Session, prepared: tuple[Prepared, ...]) -> set[str]:
    bodies = {one.command.body for one in prepared}
    return set(session.exec(select(CaseRow.id).where(col(CaseRow.body).in_(bodies))).all()) if bodies else set()


def import_id(case: str) -> str:
    return f"import:{case}"


def _state(session: Session, held: CommandRow, command: ImportCase) -> State:
    key = keys_of(session).of(held.case_id)
    before = held.message.get("with", {})
    assert isinstance(before, dict)
    stands = {name: value for name, value in before.items() if name not in SOURCE}
    same = any(stands == _facts(command, _References(key, earlier=earlier)) for earlier in (False, True))
    return "already imported" if same else "already imported, changed since"


def _facts(command: ImportCase, texts: _References) -> dict[str, object]:
    return command.model_dump(
        mode="json", by_alias=True, exclude={"id", "on", "saw", *SOURCE}, exclude_unset=True, context={"vault": texts}
    )


def message_of(one: Prepared, by: str) -> dict[str, object]:
    """Returns the message that imports a case; the same line again is the same act."""
    return envelope(one.command, by=by, id=import_id(one.report.case))


async def take_over(cases: Cases, prepared: Iterable[Prepared], *, by: str, done: Callable[[Answer], None]) -> list[Answer]:
    """Start a case for each line, a few at a time. Raises Unavailable once the engine answers no more; what was taken over stays,
    and the same file again goes on from there."""
    gate = asyncio.Semaphore(AT_ONCE)
    gone = asyncio.Event()

    async def one(line: Prepared) -> Answer:
        async with gate:
            if gone.is_set():
                raise Unavailable("not tried")
            try:
                answer = await _one(cases, line, by)
            except Unavailable:
                gone.set()
                raise
            done(answer)
            return answer

    found = await asyncio.gather(*(one(line) for line in prepared), return_exceptions=True)
    faults = [one for one in found if isinstance(one, BaseException)]
    if faults:
        raise next((one for one in faults if not isinstance(one, Unavailable) or str(one) != "not tried"), faults[0])
    return [one for one in found if isinstance(one, Answer)]


async def _one(cases: Cases, line: Prepared, by: str) -> Answer:
    case, message = line.report.case, message_of(line, by)
    try:
        outcome = await cases.open_message(case, message)
    except AlreadyOpen:  # an earlier import was stopped between the start and the answer
        outcome = await cases.submit_message(case, message)
    return Answer(line=line.report.line, case=case, result=outcome.result, answer=_answer(outcome))


def _answer(outcome: Outcome) -> str:
    remains = f" {outcome.remains}" if outcome.remains else ""
    return f"{outcome.answer}{remains}"
