"""For services: open a case, act on it, look it up. Every call is async and typed.

cases = await Cases.connect()
await cases.open("portsmouth/2027-0001", OpenCase(body="portsmouth", customer=...), by="help-desk")
answer = await cases.submit("portsmouth/2027-0001", ReportBehaviour(...), by="help-desk")
desk = Desk(records_of(Settings()))
said = await cases.check_contact(desk, Incoming(body="portsmouth", customer="Casey Sample", channel="email", topic="bins", by="help-desk"))
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.outcome import Outcome
from activities.signatures import CannotSign
from domain.commands import AnyCommand, OpenCase
from starter.clock import today
from starter.signer import Signer, key_file, signer_of
from worker.run import connect
from worker.settings import Settings
from workflows.codec import UNREADABLE
from workflows.reading import LIMIT

if TYPE_CHECKING:  # the records' look-up is read in only by those who use it
    from records.desk import Desk
    from starter.desk import ContactAnswer, Incoming

T = TypeVar("T")

PENDING_TRIES = 4
"""How often an act that is not yet answered is asked for again; each asking waits half a minute."""
TAKEN_WITHIN = 20.0
"""Seconds in which a worker takes an update, or none is there."""
ANSWERED_WITHIN = 60.0
"""Seconds in which an update that was taken is answered: the case itself says pending after half of that."""
SHOWN_WITHIN = 10.0


class Unfit(Exception):
    """A message that no case could keep (too long, or no text in UTF-8), or an id that the engine does not take."""


def unfit_to_send(message: dict[str, object]) -> str | None:
    """Returns why a message must not be sent, or None: the engine would choke on what a case cannot keep."""
    try:
        size = len(json.dumps(message, ensure_ascii=False, allow_nan=False, default=str).encode())
    except (ValueError, RecursionError):
        return "The message is no JSON in UTF-8 (a lone surrogate, NaN, or nested too deep)."
    return (
        f"The message has {size} bytes; a case takes at most {LIMIT}. Keep long papers elsewhere and name them." if size > LIMIT else None
    )


class NoKey(Unfit):
    """There is no key to sign with: an unsigned act would be refused."""


class NoSuchCase(Exception):
    """The engine runs no case of that id."""


class AlreadyOpen(Exception):
    """A case of that id runs already."""


class Unavailable(Exception):
    """The engine or its workers did not answer; the act may or may not have happened: ask again with the same id."""


def envelope(command: AnyCommand, *, by: str | None, id: str | None = None) -> dict[str, object]:
    """Returns the message that carries a command, as every door takes it. Without a day of its own it counts from today:
    a worker may get to it much later."""
    with_ = command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True)
    facts = {"by": by, "on": (command.on or today()).isoformat(), "saw": command.saw}
    return {
        "v": 1,
        "id": id or command.id or str(uuid.uuid4()),
        "do": command.do,
        "with": with_,
        **{name: value for name, value in facts.items() if value is not None},
    }


def ready(case: str, message: dict[str, object], signer: Signer | None) -> dict[str, object]:
    """Returns the message as it is sent: plain JSON, signed. Raises Unfit, NoKey."""
    unfit = unfit_to_send(message)
    if unfit:
        raise Unfit(unfit)
    if "token" in message:
        return message
    if signer is None:
        raise NoKey(f"There is no key to sign with: set EVENHAND_SIGNING_KEY_FILE ({key_file(Settings.local())} is not there).")
    try:
        return signer.sign(case, message)
    except CannotSign as error:
        raise Unfit(f"The message cannot be signed. {error}") from None


@dataclass(frozen=True)
class Cases:
    """The cases of every body, through one engine."""

    client: Client
    task_queue: str = "evenhand"
    signer: Signer | None = None
    """Who signs what is sent; only a message that brings its own token needs none."""

    @classmethod
    async def connect(cls, settings: Settings | None = None) -> Cases:
        """Returns a client of the engine the settings name, signing with the key they name. Raises BadKey."""
        settings = settings or Settings()
        signer = signer_of(settings)
        return cls(client=await connect(settings), task_queue=settings.task_queue, signer=signer)

    async def open(self, case: str, command: OpenCase, *, by: str, on: date | None = None, id: str | None = None) -> Outcome:
        """Open a case and return what the record answered. Raises AlreadyOpen where the id is taken."""
        message = envelope(command.model_copy(update={"on": on or command.on}), by=by, id=id or f"open:{case}")
        return await self.open_message(case, message)

    async def open_message(self, case: str, message: dict[str, object]) -> Outcome:
        """Open a case with a message of one's own. Raises AlreadyOpen where the id is taken."""
        message = ready(case, message, self.signer)  # signed once: what comes with the start is what is asked for
        started = await self.start(case, message)
        try:
            return await self.submit_message(case, message)
        except NoSuchCase:  # refused at once: the case never came to be, and its workflow says why
            return Outcome.model_validate(await _within(ANSWERED_WITHIN, started.result(), _no_answer(case, message)), extra="allow")

    async def start(self, case: str, message: dict[str, object]) -> WorkflowHandle[object, object]:
        """Start a case's workflow with its opening message. Raises AlreadyOpen, Unavailable or Unfit."""
        message = ready(case, message, self.signer)
        try:
            return await self.client.start_workflow(
                "Case", message, id=case, task_queue=self.task_queue, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
            )
        except WorkflowAlreadyStartedError:
            raise AlreadyOpen(f"A case {case} is already there.") from None
        except RPCError as error:
            raise _unanswered(error) from None

    async def submit(self, case: str, command: AnyCommand, *, by: str, id: str | None = None) -> Outcome:
        """Act on a case and wait for the answer: accepted, or refused with the clause. Sent again under its id it is one act."""
        return await self.submit_message(case, envelope(command, by=by, id=id))

    async def submit_message(self, case: str, message: dict[str, object]) -> Outcome:
        """Send a message as an update. Raises NoSuchCase, Unavailable or Unfit; a refusal is an Outcome, never an exception."""
        try:
            message = ready(case, message, self.signer)
        except NoKey:
            raise
        except Unfit as unfit:
            return Outcome(command=str(message.get("id")), result="malformed", answer=str(unfit))
        for _ in range(PENDING_TRIES):
            outcome = await self._ask(case, message)
            if outcome.result != "pending":
                return outcome
        raise Unavailable(_no_answer(case, message))

    async def _ask(self, case: str, message: dict[str, object]) -> Outcome:
        asking = self.client.get_workflow_handle(case).start_update(
            str(message["do"]),
            message,
            id=f"{message['id']}/{uuid.uuid4().hex[:8]}",
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            result_type=Outcome,
        )
        try:
            taken = await _within(TAKEN_WITHIN, asking, f"No worker answered; {_again(message)}.")
            return await _within(ANSWERED_WITHIN, taken.result(), _no_answer(case, message))
        except WorkflowUpdateFailedError as failed:
            return _refusal_of(failed)
        except RPCError as error:
            raise _failed(error, case) from None

    async def signal(self, case: str, command: AnyCommand, *, by: str, id: str | None = None) -> str:
        """Send a command as a signal: durable at once, answered in the case's log. Returns its id."""
        return await self.signal_message(case, envelope(command, by=by, id=id))

    async def signal_message(self, case: str, message: dict[str, object]) -> str:
        """Send a message as a signal named after its command. Raises NoSuchCase, Unavailable or Unfit."""
        message = ready(case, message, self.signer)
        try:
            await self.client.get_workflow_handle(case).signal(str(message["do"]), message)
        except RPCError as error:
            raise _failed(error, case) from None
        return str(message["id"])

    async def check_contact(self, desk: Desk, incoming: Incoming, *, record: bool = True, id: str | None = None) -> ContactAnswer:
        """Answer the person at a body's desk: what may be done with this contact now, under which restriction and clause; and record it.

        `desk` is one Desk(records_of(settings)) for as long as a program asks. The answer comes from the records, whatever the engine does;
        `not_recorded` says why a contact is not on record. Raises ValueError where `customer` is nothing to look for, NoSuchBody."""
        from starter.desk import check_contact

        return await check_contact(desk, incoming, cases=self, record=record, id=id)

    async def look_up(self, case: str) -> Outcome | None:
        """Returns where a case stands: stage, next deadline, what waits for whom. Raises NoSuchCase or Unavailable."""
        asked: Awaitable[Outcome | None] = self.client.get_workflow_handle(case).query("state", result_type=Outcome)
        try:
            return await _within(SHOWN_WITHIN, asked, f"No worker said where {case} stands; is one running?")
        except RPCError as error:
            raise _failed(error, case) from None


async def _within(seconds: float, work: Awaitable[T], otherwise: str) -> T:
    """Returns what the work returns. Raises Unavailable where it takes longer: without a worker the engine waits for ever."""
    try:
        return await asyncio.wait_for(work, seconds)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise Unavailable(otherwise) from None
    except ValidationError:
        raise Unavailable(OTHER_KEYS) from None


OTHER_KEYS = "The answer is sealed with keys that are not here: EVENHAND_KEYS_URL and the master key must be those of the workers."


def _no_answer(case: str, message: dict[str, object]) -> str:
    return f"{case} has not answered; {_again(message)}."


def _again(message: dict[str, object]) -> str:
    """Returns how to ask again. The day belongs to the act: on another day the same words would be another act."""
    return f"ask again with the id {message['id']}" + (f" and the same day, {message['on']}" if "on" in message else "")


def _failed(error: RPCError, case: str) -> NoSuchCase | Unfit | Unavailable:
    if error.status == RPCStatusCode.NOT_FOUND:
        return NoSuchCase(f"There is no running case {case}.")
    return _unanswered(error)


def _unanswered(error: RPCError) -> Unfit | Unavailable:
    if error.status == RPCStatusCode.INVALID_ARGUMENT:
        return Unfit(f"The engine takes no such case id or command: {error}.")
    return Unavailable(f"The engine did not answer: {error}.")


def _refusal_of(failed: WorkflowUpdateFailedError) -> Outcome:
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.details == (UNREADABLE,):
        raise Unavailable(OTHER_KEYS) from None
    if isinstance(cause, ApplicationError) and cause.details:
        return Outcome.model_validate(cause.details[0], extra="allow")
    raise Unavailable(f"The case did not answer: {cause}") from None
