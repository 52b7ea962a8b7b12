"""What must not be lost: a customer's appeal or request is signed and kept in the records first, and only then is its case asked.

With the engine, its workers or this program gone a moment later, a worker passes it on under the same id and signature: see its relay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from activities.outcome import Act, Outcome
from activities.recording import content_hash
from activities.refused_unsigned import note, refuse_again
from activities.signatures import verified
from domain.commands import COMMANDS
from domain.days import london_date
from domain.decision import Refusal
from domain.message import fit_id, read_command, read_message
from records.database import transaction
from records.inbox import NotKept, keep, settle
from records.tables import CaseRow
from starter.cases import Cases, NoSuchCase, Unavailable, Unfit, ready
from starter.clock import now
from starter.signer import Signer

INTAKE = frozenset(name for name, command in COMMANDS.items() if "customer" in command.origins)
"""The commands by which customers act: each has, or may have, a last day."""
Message = dict[str, object]


class Malformed(NotKept):
    """No case could read it: told at once, and not kept to be refused later."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class NotSigned(NotKept):
    """Its signature does not count: its case would refuse it whenever it came there. `remains` says what helps."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.remains = refusal.remains


def received(engine: Engine, case: str, message: Message, *, signer: Signer | None = None) -> Message:
    """Sign and keep a message that has just arrived; it counts from today where it names no day. Returns it as it was kept.

    One that brings its token is kept as it came; `signer` signs any other. Raises Unfit (no case could keep it, or nobody can sign it), or
    records.inbox.NotKept: NoRunningCase, IdTaken, Malformed or NotSigned. Whether the policy allows it is for its case to say."""
    at = now()
    if not fit_id(str(message.get("id"))):
        raise Unfit("An id is 1 to 120 signs that can be seen; a message under another is kept nowhere.")
    dated = _dated(message, at)
    _readable(dated)
    sent = ready(case, dated, signer)
    with transaction(engine) as session:
        fault = _unsigned(session, case, sent, at)
        if fault is None:
            return keep(session, case, sent, hashed=content_hash(sent), at=at)
    raise NotSigned(fault)


def _readable(message: Message) -> None:
    """Raises Malformed for what is no command, by its fields. Texts that it names by reference are looked up by its case."""
    try:
        read_command(read_message(message))
    except Refusal as refusal:
        raise Malformed(refusal) from None


def _dated(message: Message, at: datetime) -> Message:
    """Returns the message with the day it counts from: it may lie here a while. Raises Unfit."""
    if message.get("on"):
        return message
    if "token" in message:
        raise Unfit("A message that is signed and names no day (on) cannot be kept: its case would count from the day it gets there.")
    return {**message, "on": london_date(at).isoformat()}


def _unsigned(session: Session, case: str, sent: Message, at: datetime) -> Refusal | None:
    """Returns why a signature does not count, noted as for any other door, or None."""
    row = session.get(CaseRow, case)
    if row is None:
        return None  # nobody's message: that is said instead
    act = Act(case=case, message=sent, door="update", now=at)
    try:
        refuse_again(session, act)
        verified(session, case, sent, body=row.body, arrived=at)
    except Refusal as refusal:
        note(session, act, refusal.reason, there=True, at=at, on_the_case=lambda _: None)
        return refusal
    return None


async def receive(
    connect: Callable[[], Awaitable[Cases]], engine: Engine, case: str, message: Message, *, signer: Signer | None = None
) -> Outcome:
    """Keep a message, then ask its case; `pending` where that cannot answer now, and nothing is lost. Raises as `received`, but that
    a malformed or unsigned one is an outcome, as from every door."""
    try:
        kept = received(engine, case, message, signer=signer)
    except Malformed as fault:
        return await _said(connect, case, message, fault.refusal)
    except NotSigned as fault:
        return Outcome(command=str(message.get("id")), result="unsigned", answer=str(fault), remains=fault.remains)
    try:
        outcome = await (await connect()).submit_message(case, kept)
    except (NoSuchCase, Unavailable, RuntimeError):  # the last: no engine there to connect to
        return Outcome(command=str(kept["id"]), result="pending", answer=_kept_until(kept), remains="evenhand inbox shows what waits.")
    with transaction(engine) as session:
        settle(session, case, str(kept["id"]), at=now())
    return outcome


async def _said(connect: Callable[[], Awaitable[Cases]], case: str, message: Message, fault: Refusal) -> Outcome:
    """Returns what is wrong with a message: the case's own answer, which notes it, or the same said here where nobody can be asked."""
    try:
        return await (await connect()).submit_message(case, message)
    except (NoSuchCase, Unavailable, RuntimeError):
        id, remains = str(message.get("id")), f"Nothing was kept. {fault.remains or 'Mend it and send it again.'}"
        return Outcome(command=id, result=fault.kind, answer=fault.reason, cites=tuple(fault.cites), remains=remains)


def _kept_until(kept: Message) -> str:
    return f"Kept in the records as {kept['id']}, and counts from {kept['on']}. Its case is asked as soon as it can answer."
