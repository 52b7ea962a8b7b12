"""evenhand doctor: whether everything that Evenhand stands on is well, one line a check. A part that is down hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy import Engine
from temporalio.client import Client

from worker.scrub import keep_secret, scrubbed
from worker.settings import Settings

T = TypeVar("T")
State = Literal["ok", "warn", "fail"]
WITHIN = 8.0
"""Seconds for one check; all run at the same time, when the engine and the records have answered or not."""


class Finding(BaseModel):
    """What one check found. `todo` is empty where nothing is to be done."""

    check: str
    state: State
    found: str
    todo: str = ""


class Ill(Exception):
    """What a check found wrong; raised anywhere within it."""

    def __init__(self, found: str, todo: str, *, state: State = "fail") -> None:
        super().__init__(found)
        self.found, self.todo, self.state = found, todo, state


Check = Callable[[], Awaitable["str | None"]]
"""Returns what is well, or None where there is nothing to look at. Raises Ill."""


class Patient:
    """What is looked at: the engine and the records as far as they answer."""

    def __init__(self, settings: Settings, client: Client | None, records: Engine | None) -> None:
        self.settings, self._client, self._records = settings, client, records

    @property
    def client(self) -> Client:
        if self._client is None:
            raise Ill("not looked at: the engine is not reached", "", state="warn")
        return self._client

    @property
    def records(self) -> Engine:
        if self._records is None:
            raise Ill("not looked at: the records do not answer", "", state="warn")
        return self._records


async def examine(settings: Settings) -> list[Finding]:
    """Returns what every check found, in their order; takes at most some twenty seconds, whatever is down."""
    from starter.doctor_engine import of_engine, reached
    from starter.doctor_installation import of_installation
    from starter.doctor_keys import of_keys
    from starter.doctor_records import of_records, opened
    from starter.doctor_signers import of_signers
    from worker.logs import secrets_of

    keep_secret(*secrets_of(settings))
    (engine, client), (records, database) = await asyncio.gather(
        _first("engine", lambda: reached(settings)), _first("records", lambda: opened(settings))
    )
    patient = Patient(settings, client, database)
    checks = {**of_engine(patient), **of_records(patient), **of_keys(patient), **of_signers(patient), **of_installation(patient)}
    rest = await asyncio.gather(*(_made(name, check) for name, check in checks.items()))
    return [engine, records, *(one for one in rest if one is not None)]


async def _first(name: str, look: Callable[[], Awaitable[tuple[str, T]]]) -> tuple[Finding, T | None]:
    reached: list[T] = []

    async def check() -> str:
        said, there = await look()
        reached.append(there)
        return said

    finding = await _made(name, check)
    assert finding is not None
    return finding, next(iter(reached), None)


async def _made(name: str, check: Check) -> Finding | None:
    """Returns what one check found. What it did not foresee is told by its kind: its text could be anything."""
    try:
        async with asyncio.timeout(WITHIN):
            found = await check()
    except Ill as ill:
        return Finding(check=name, state=ill.state, found=scrubbed(ill.found), todo=scrubbed(ill.todo))
    except TimeoutError:
        return Finding(check=name, state="fail", found=f"no answer within {WITHIN:.0f} seconds", todo="Is it overloaded, or cut off?")
    except Exception as error:
        said = f"the check itself failed with {type(error).__name__}"
        return Finding(check=name, state="fail", found=said, todo="Mend what the lines above name, and look again.")
    return None if found is None else Finding(check=name, state="ok", found=scrubbed(found))


def gravest(findings: list[Finding]) -> State:
    """Returns the worst that was found."""
    states = {one.state for one in findings}
    return "fail" if "fail" in states else "warn" if "warn" in states else "ok"


async def cut_short(work: asyncio.Task[object]) -> None:
    """End a piece of work that is not needed any more."""
    work.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await work
