"""Every case held against its records, the lists made from it, and its chains: what can be derived is mended, the rest is told.

If this is wrong, a case without a workflow misses its deadlines unseen, or a register says what was never decided. A report holds ids of
cases, kinds and numbers; no words. A case that fails stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities.carriers.outbox import Outbox
from activities.clock import ENGINE_TIME, Clock
from activities.finishing import Destroying, NotEnded
from activities.given_texts import UNUSED_FOR, clear_unused_texts
from activities.in_step import AT_ONCE, Compared, compared, open_cases, running
from activities.lists_again import NotReadable, mend_lists
from activities.repair import mended
from domain.case_id import fit_case_id
from domain.model import State
from records.audit import Broken, broken_certificates, broken_in_case, broken_reads, broken_refusals, chained_cases
from records.database import reading, transaction
from records.destroying import unfinished
from records.keys import KeyStore, keys_of_engine
from records.tables import InstallationRow
from records.unnamed import unnamed_texts

LAST = "reconciliation"
"""Under which the installation keeps the report of the last round."""
NAMED_AT_MOST = 200
"""Findings that a report names; it counts them all."""
BEAT_EVERY = 20.0
"""Seconds between two signs that a round lives."""
log = logging.getLogger("evenhand.reconciliation")

Mended = Literal["list", "workflow", "acts", "destruction", "unused-texts"]
Left = Literal[
    "broken-chain", "no-answer", "workflow-behind", "records-behind", "no-workflow", "unreadable", "unnamed-texts",
    "destruction-half-done", "came-back", "unfit-id", "fault",
]  # fmt: skip
MENDED: tuple[Mended, ...] = ("list", "workflow", "acts", "destruction", "unused-texts")
LEFT: tuple[Left, ...] = (
    "broken-chain", "no-answer", "workflow-behind", "records-behind", "no-workflow", "unreadable", "unnamed-texts",
    "destruction-half-done", "came-back", "unfit-id", "fault",
)  # fmt: skip


AS_THEY_ARE: dict[str, Left] = {"no answer": "no-answer", "workflow behind": "workflow-behind", "unfit id": "unfit-id", "fault": "fault"}
"""How a case stands that is only told, and with what kind of finding."""


class Finding(State):
    """One thing that was not as it should be: which case, of what kind, where."""

    case: str = ""
    kind: Mended | Left
    where: str = ""
    """Tables, a chain and its line, or how many: never words."""

    @property
    def left(self) -> bool:
        return self.kind in LEFT


class Report(State):
    """One round in numbers, with the cases that something was found about."""

    began: datetime
    cases: int = 0
    counts: dict[str, int] = {}
    """How many findings of each kind, mended and left."""
    named: tuple[Finding, ...] = ()
    up_to: str = ""
    """The last case looked at: where a round that was cut off goes on."""

    @property
    def left(self) -> int:
        return sum(n for kind, n in self.counts.items() if kind in LEFT)

    @property
    def mended(self) -> int:
        return sum(n for kind, n in self.counts.items() if kind in MENDED)

    def with_(self, found: list[Finding], *, cases: int = 0, up_to: str | None = None) -> Report:
        """Returns the report with more in it; of many findings the first are named, those that are left before any others."""
        counts = dict(self.counts)
        for one in found:
            counts[one.kind] = counts.get(one.kind, 0) + 1
        named = sorted((*self.named, *found), key=lambda one: not one.left)[:NAMED_AT_MOST]
        more = {"counts": counts, "named": tuple(named), "cases": self.cases + cases, "up_to": self.up_to if up_to is None else up_to}
        return self.model_copy(update=more)


def last_report(session: Session) -> Report | None:
    """Returns the report of the last round that came to its end, or None where there was none."""
    row = session.get(InstallationRow, LAST)
    return Report.model_validate_json(row.value) if row else None


@dataclass(frozen=True)
class Reconciling:
    """Looks at every case, a few at a time, and mends what needs nobody."""

    engine: Engine
    client: Client
    outbox: Outbox
    task_queue: str
    clock: Clock = ENGINE_TIME
    batch: int = AT_ONCE

    async def round(self, now: datetime, *, so_far: Report | None = None, beat: Callable[[Report], None] = lambda _: None) -> Report:
        """Look at every case after those a round that was cut off has looked at, then at what belongs to none. Returns the report, which
        is kept as the last."""
        report = so_far or Report(began=now)
        listed, unfit = parted(await running(self.client))
        recorded = await asyncio.to_thread(self._recorded)
        cases = sorted(case for case in {*listed, *recorded} if case > report.up_to)
        for first in range(0, len(cases), self.batch):
            some = cases[first : first + self.batch]
            report = report.with_(await self._some(some, now, listed), cases=len(some), up_to=some[-1])
            beat(report)
        report = report.with_([*await self._of_no_case(now), *await self._unfit(unfit)])
        report = report.model_copy(update={"up_to": ""})
        await asyncio.to_thread(self._keep, report)
        return report

    def _recorded(self) -> tuple[str, ...]:
        with reading(self.engine) as session:
            return chained_cases(session)

    async def _some(self, cases: list[str], now: datetime, listed: frozenset[str]) -> list[Finding]:
        """Returns what was found of some cases: first in the records, whose stage says which are open, then beside the engine."""
        found: list[Finding] = []
        gone = await asyncio.to_thread(self._key_destroyed, cases)
        for case in cases:
            found += [Finding(case=case, kind="came-back")] if case in gone else await asyncio.to_thread(self._records_of, case, now)
        still_open = await asyncio.to_thread(open_cases, self.engine, cases)
        asked = [case for case in cases if case not in gone and (case in still_open or case in listed)]
        for one in await compared_each(self.client, self.engine, asked):
            found += [one] if isinstance(one, Finding) else await self._in_engine(one)
        return found

    def _key_destroyed(self, cases: list[str]) -> frozenset[str]:
        """Returns those of some cases that are open and whose key is destroyed: they came back with an older copy of the records."""
        keys = keys_of_engine(self.engine)
        if not isinstance(keys, KeyStore):
            return frozenset()
        return frozenset(case for case in open_cases(self.engine, cases) if keys.destroyed_on(case) is not None)

    def _records_of(self, case: str, now: datetime) -> list[Finding]:
        try:
            with reading(self.engine) as session:
                broken = [_broken(one) for one in broken_in_case(session, case)]
                unnamed = unnamed_texts(session, case, before=self.clock.case_time(now) - UNUSED_FOR)
            found = [*broken, *([Finding(case=case, kind="unnamed-texts", where=str(unnamed))] if unnamed else [])]
            wrong = () if broken else mend_lists(self.engine, case)
            return [*found, *(Finding(case=case, kind="list", where=name) for name in wrong)]
        except NotReadable:
            return [Finding(case=case, kind="unreadable")]
        except Exception as fault:
            return [_fault(case, fault)]

    async def _in_engine(self, one: Compared) -> list[Finding]:
        """Returns what was done about a case that was not in step."""
        if one.state == "in step":
            return []
        if one.state in AS_THEY_ARE:
            return [Finding(case=one.case, kind=AS_THEY_ARE[one.state])]
        try:
            done = await mended(self.client, self.engine, one, self.outbox.folder, self.task_queue)
        except Exception as fault:
            return [_fault(one.case, fault)]
        found = [Finding(case=one.case, kind="acts", where=str(len(done.applied)))] if done.applied else []
        found += [Finding(case=one.case, kind="workflow")] if done.started else []
        stands = "records-behind" if one.state == "records behind" else "no-workflow"
        return [*found, *([Finding(case=one.case, kind=stands)] if done.left else [])]

    async def _unfit(self, ids: frozenset[str]) -> list[Finding]:
        """Returns how many workflows run as cases under ids that no case can have. The ids are somebody's words, and stand in no report."""
        states = [one.state for one in await compared_each(self.client, self.engine, sorted(ids)) if isinstance(one, Compared)]
        there = states.count("unfit id")
        return [Finding(kind="unfit-id", where=str(there))] if there else []

    async def _of_no_case(self, now: datetime) -> list[Finding]:
        """Returns what was found of certificates, destructions that were cut off, and texts put for cases that never came to be."""
        found = await asyncio.to_thread(self._certificates)
        for case in await asyncio.to_thread(self._half_done):
            found.append(await self._finished(case, now))
        gone = await asyncio.to_thread(self._unused, now)
        return [*found, *([Finding(kind="unused-texts", where=str(gone))] if gone else [])]

    def _certificates(self) -> list[Finding]:
        with reading(self.engine) as session:
            return [_broken(one) for one in (*broken_certificates(session), *broken_reads(session), *broken_refusals(session))]

    def _half_done(self) -> tuple[str, ...]:
        with reading(self.engine) as session:
            return unfinished(session)

    async def _finished(self, case: str, now: datetime) -> Finding:
        """Finish a destruction that two people signed and that has emptied the records: nobody is needed for the rest."""
        try:
            keys = keys_of_engine(self.engine)
            await Destroying(self.engine, self.client, self.outbox, keys=keys).finish(case, at=self.clock.case_time(now))
        except (NotEnded, RPCError, OSError):
            return Finding(case=case, kind="destruction-half-done")
        except Exception as fault:
            return _fault(case, fault)
        return Finding(case=case, kind="destruction")

    def _unused(self, now: datetime) -> int:
        with transaction(self.engine) as session:
            return clear_unused_texts(session, at=self.clock.case_time(now))

    def _keep(self, report: Report) -> None:
        with transaction(self.engine) as session:
            session.merge(InstallationRow(name=LAST, value=report.model_dump_json()))


def parted(ids: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the ids that a case may have, and the others: of those no table and no key is asked."""
    fit = frozenset(id for id in ids if fit_case_id(id))
    return fit, ids - fit


async def compared_each(client: Client, engine: Engine, cases: list[str]) -> list[Compared | Finding]:
    """Returns some cases compared; one that cannot be asked about is a finding, and stops no other."""

    async def one(case: str) -> Compared | Finding:
        try:
            [found] = await compared(client, engine, [case])
        except RPCError:
            return Finding(case=case, kind="no-answer")
        except Exception as fault:
            return _fault(case, fault)
        return found

    return list(await asyncio.gather(*(one(case) for case in cases)))


def _broken(one: Broken) -> Finding:
    return Finding(case=one.case, kind="broken-chain", where=f"{one.chain} {one.line}" if one.line else one.chain)


def _fault(case: str, fault: Exception) -> Finding:
    """Returns a fault by its kind alone; its text may quote a person."""
    log.error("A case could not be looked at.", extra={"case": case, "fault": type(fault).__name__})
    return Finding(case=case, kind="fault", where=type(fault).__name__)


@dataclass(frozen=True)
class ReconciliationActivities:
    """The one activity of a reconciliation."""

    reconciling: Reconciling
    beat_every: float = BEAT_EVERY

    @activity.defn(name="reconcile")
    async def reconcile(self) -> Report:
        """Hold every case against its records, going on where an attempt before this one was cut off."""
        details = activity.info().heartbeat_details
        reached = [Report.model_validate(details[0])] if details else []
        now = activity.info().current_attempt_scheduled_time

        def beat(report: Report) -> None:
            reached[:] = [report]
            activity.heartbeat(report)

        work = asyncio.ensure_future(self.reconciling.round(now, so_far=reached[0] if reached else None, beat=beat))
        try:
            while not work.done():
                activity.heartbeat(*reached)
                await asyncio.wait({work}, timeout=self.beat_every)
            return work.result()
        finally:
            work.cancel()
