"""From the inbox to the cases: every message that has no answer yet is passed on as a signal, under its own id, until it has one.

It carries the signature it was kept with; one whose signature counts no more is not passed on, for its case would only refuse it.
The same message twice is one act, so a relay that dies anywhere, or two of them, do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.signatures import verified
from domain.decision import Refusal
from domain.model import State
from records.database import reading, transaction
from records.inbox import answered, due, passed_on, settle
from records.tables import CaseRow

T = TypeVar("T")
AWAY = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.RESOURCE_EXHAUSTED})
"""What the engine says, or is said for it, while it cannot be asked anything."""


NOT_THERE = "no workflow"


def counts(session: Session, case: str, message: dict[str, object], *, at: datetime) -> bool:
    """Returns whether a message's signature counts if its case gets to it now: its key may have been revoked, or a month gone by."""
    row = session.get(CaseRow, case)
    try:
        verified(session, case, message, body=row.body if row else None, arrived=at)
    except Refusal:
        return False
    return True


class Relayed(State):
    """One round in numbers."""

    answered: int = 0
    """Messages whose case had answered already."""
    passed: int = 0
    refused: int = 0
    """Messages that the engine did not take (no workflow runs for the case, or it found fault with them), or that would be refused
    as unsigned. They are tried again."""
    away: bool = False
    """Whether the engine could not be asked, so that the rest waits."""


@dataclass(frozen=True)
class Relay:
    """Passes on what waits in the inbox."""

    engine: Engine
    client: Client
    patience: timedelta = timedelta(seconds=10)
    """How long the engine is waited for, once a round."""

    async def round(self, now: datetime) -> Relayed:
        """Pass on every message that is due, each case's in the order of arrival."""
        done = Relayed(answered=await self._settled(now))
        for case, command, message, signed in await asyncio.to_thread(self._due, now):
            done = await self._one(case, command, message, now, done) if signed else await self._unsigned(case, command, now, done)
            if done.away:
                break
        return done

    async def _unsigned(self, case: str, command: str, now: datetime, done: Relayed) -> Relayed:
        await self._write(partial(passed_on, case_id=case, command_id=command, at=now, fault="unsigned"))
        return done.model_copy(update={"refused": done.refused + 1})

    async def _one(self, case: str, command: str, message: dict[str, object], now: datetime, done: Relayed) -> Relayed:
        try:
            await self.client.get_workflow_handle(case).signal(str(message["do"]), message, rpc_timeout=self.patience)
        except RPCError as error:
            if error.status in AWAY:
                return done.model_copy(update={"away": True})
            fault = NOT_THERE if error.status == RPCStatusCode.NOT_FOUND else "not taken"
            await self._write(partial(passed_on, case_id=case, command_id=command, at=now, fault=fault))
            return done.model_copy(update={"refused": done.refused + 1})
        await self._write(partial(passed_on, case_id=case, command_id=command, at=now))
        return done.model_copy(update={"passed": done.passed + 1})

    async def _settled(self, now: datetime) -> int:
        """Let go of the words that their cases have; returns how many."""
        found = await asyncio.to_thread(self._answered)
        for case, command in found:
            await self._write(partial(settle, case_id=case, command_id=command, at=now))
        return len(found)

    def _answered(self) -> tuple[tuple[str, str], ...]:
        with reading(self.engine) as session:
            return answered(session)

    def _due(self, now: datetime) -> tuple[tuple[str, str, dict[str, object], bool], ...]:
        with reading(self.engine) as session:
            return tuple((case, id, message, counts(session, case, message, at=now)) for case, id, message in due(session, at=now))

    async def _write(self, work: Callable[[Session], T]) -> T:
        def whole() -> T:
            with transaction(self.engine) as session:
                return work(session)

        return await asyncio.to_thread(whole)
