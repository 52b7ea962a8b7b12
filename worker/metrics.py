"""What the records hold, for Prometheus: looked up when it asks, at most once in a quarter of a minute. No case, no person, no words.

Every worker tells the same of the same records: alerts take the highest (deploy/alerts.yml)."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, datetime
from threading import Lock
from time import monotonic

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from activities.calendars import in_force
from activities.reconciliation import LEFT, last_report
from domain.days import london_date
from policies import load
from records.counts import PASSED_ON, Counted, Counts, counted
from records.database import reading
from worker.clock import now
from worker.reconciliation import ID as RECONCILIATION
from worker.release import release
from worker.round import ID as POST_ROUND
from worker.settings import Settings
from worker.telemetry import host_and_port, taken

log = logging.getLogger("evenhand.metrics")
KEPT_FOR = 15.0
"""Seconds for which one look at the records answers every question."""
ASKED_EVERY = 30.0
"""Seconds between two looks at the engine."""
SCHEDULES = (POST_ROUND, RECONCILIATION)


def calendar_days(session: Session, today: date) -> dict[tuple[str, ...], int]:
    """Returns how many days the bank holidays of each nation are still known for."""
    known = sorted({one.nation for one in load.shipped_calendars()})
    return {(nation,): (in_force(session, nation).known_until - today).days for nation in known}


def signing_key_days(session: Session, today: date) -> dict[tuple[str, ...], int]:
    """Returns how many days each holder's last signing key is still good for, by the key's mark; one that ended a month ago is forgotten.

    The table is asked for by its name: an installation that signs nothing has none."""
    keys = SQLModel.metadata.tables.get("signing_key")
    if keys is None:
        return {}
    columns = (keys.c.kid, keys.c.holder, keys.c.valid_to)
    last: dict[str, tuple[str, datetime | None]] = {}
    for kid, holder, ends in session.execute(select(*columns).where(keys.c.revoked_at.is_(None)).order_by(keys.c.valid_from)):
        last[holder] = (kid, ends)
    days = {(kid[:8],): (london_date(ends) - today).days for kid, ends in last.values() if ends is not None}
    return {key: left for key, left in days.items() if left > -30}


EXPIRES: dict[str, tuple[str, tuple[str, ...], Callable[[Session, date], Mapping[tuple[str, ...], float]]]] = {
    "evenhand_bank_holidays_known_days": ("Days until the known bank holidays end.", ("nation",), calendar_days),
    "evenhand_signing_key_days": ("Days until the last signing key of its holder ends.", ("key",), signing_key_days),
}
"""What runs out, by the name of its metric: what it says, its labels, and who counts the days. Other keys that end are added here."""


@contextmanager
def _unless_missing() -> Iterator[None]:
    """Let pass that the engine knows no such schedule: it did answer."""
    try:
        yield
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise


class Schedules:
    """What the engine says of the schedules; asked now and then, so that a scrape waits for nothing."""

    def __init__(self) -> None:
        self.answers = False
        self.last: dict[str, float] = {}
        self.paused: dict[str, bool] = {}

    async def ask(self, client: Client) -> None:
        """Ask the engine once. What it cannot say now stays as it was said last, and that it does not answer is said too."""
        try:
            for id in SCHEDULES:
                with _unless_missing():
                    self._heard(id, await asyncio.wait_for(client.get_schedule_handle(id).describe(), 10))
            self.answers = True
        except (RPCError, TimeoutError):
            self.answers = False

    def _heard(self, id: str, found: ScheduleDescription) -> None:
        begun = [one.started_at for one in found.info.recent_actions]
        self.last[id] = max([*begun, found.info.created_at]).timestamp()
        self.paused[id] = found.schedule.state.paused

    async def keep_asking(self, client: Client) -> None:
        while True:
            await self.ask(client)
            await asyncio.sleep(ASKED_EVERY)


class Records(Collector):
    """The metrics of one installation. Where the records do not answer it says so, and nothing else of them."""

    def __init__(self, engine: Engine, settings: Settings, schedules: Schedules, clock: Callable[[], datetime] = now) -> None:
        self.engine, self.settings, self.schedules, self.clock = engine, settings, schedules, clock
        self.kept: tuple[float, tuple[Metric, ...]] | None = None
        self.turn = Lock()

    def describe(self) -> Iterator[Metric]:
        """Says nothing beforehand: to be registered must not wait for the records."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        with self.turn:
            if self.kept is None or monotonic() - self.kept[0] > KEPT_FOR:
                self.kept = (monotonic(), tuple(self._of_records()))
            found = self.kept[1]
        yield from found
        yield from self._of_engine()
        yield from self._of_machine()

    def _of_records(self) -> list[Metric]:
        today = london_date(self.clock())
        try:
            with reading(self.engine) as session:
                found = [*_families(counted(session, today=today)), *_expiring(session, today), *_reconciled(session)]
        except SQLAlchemyError as fault:
            log.warning("The records do not answer.", extra={"fault": type(fault).__name__})
            return [_one("evenhand_records_answer", "Whether the records answered when asked: 1 or 0.", 0)]
        return [_one("evenhand_records_answer", "Whether the records answered when asked: 1 or 0.", 1), *found]

    def _of_engine(self) -> Iterator[Metric]:
        yield _one("evenhand_engine_answers", "Whether the engine answered when asked: 1 or 0.", self.schedules.answers)
        said = "When a schedule last began its work, or was made, in seconds since 1970."
        yield _many("evenhand_schedule_last_start_seconds", said, ("schedule",), {(id,): at for id, at in self.schedules.last.items()})
        paused: dict[tuple[str, ...], float] = {(id,): float(is_so) for id, is_so in self.schedules.paused.items()}
        yield _many("evenhand_schedule_paused", "Whether somebody paused a schedule: 1 or 0.", ("schedule",), paused)

    def _of_machine(self) -> Iterator[Metric]:
        yield _many("evenhand_release", "Which release this worker runs; always 1.", ("release",), {(release(),): 1})
        with suppress(OSError):
            free = shutil.disk_usage(self.settings.letters).free
            yield _one("evenhand_outbox_free_bytes", "Bytes free where letters are kept.", free)


def _families(found: Counted) -> Iterator[Metric]:
    yield _one("evenhand_bodies", "Bodies that are set up.", len(found.bodies))
    yield _many("evenhand_open_cases", "Cases that are open, by stage.", ("body", "stage"), found.open_cases)
    yield _many("evenhand_overdue_tasks", "What waits for a person past its day, by kind.", ("body", "kind"), found.overdue)
    set_aside: Counts = {**{(body,): 0 for body in found.bodies}, **found.set_aside}
    yield _many("evenhand_set_aside_acts", "Acts set aside after a fault, waiting for an operator.", ("body",), set_aside)
    said = "Letters not on their way to the customer, by status and by days since the decision."
    yield _many("evenhand_unsent_letters", said, ("body", "status", "age"), found.unsent)
    yield _many("evenhand_hand_overs", "Letters offered to a carrier and not taken yet.", ("carrier", "state"), found.hand_overs)
    yield _many("evenhand_staff_notices", "Emails to staff that have not reached their reader.", ("body", "state"), found.staff_notices)
    said = "Messages that reached the body and have no answer of their case yet, by how often they were passed on."
    yield _many("evenhand_inbox_messages", said, ("passed_on",), {**dict.fromkeys(PASSED_ON, 0), **found.inbox})


def _expiring(session: Session, today: date) -> Iterator[Metric]:
    for name, (said, labels, days) in EXPIRES.items():
        yield _many(name, said, labels, days(session, today))


def _reconciled(session: Session) -> Iterator[Metric]:
    report = last_report(session)
    if report is None:
        return
    yield _one(
        "evenhand_reconciliation_last_seconds",
        "When the last reconciliation that ended began, in seconds since 1970.",
        report.began.timestamp(),
    )
    yield _one("evenhand_reconciliation_cases", "Cases that it looked at.", report.cases)
    counts: dict[tuple[str, ...], float] = {(kind, "left" if kind in LEFT else "mended"): n for kind, n in report.counts.items()}
    said = "What the last reconciliation found, by kind, and whether it is mended or left for a person."
    yield _many("evenhand_reconciliation_findings", said, ("kind", "state"), counts)


def _one(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=float(value))


def _many(name: str, said: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for of, value in sorted(values.items()):
        family.add_metric(of, float(value))
    return family


@asynccontextmanager
async def serving_metrics(settings: Settings, engine: Engine, client: Client) -> AsyncIterator[None]:
    """Answer Prometheus while a worker runs, where the settings say at which address; else do nothing. Raises NoMetrics."""
    if not settings.metrics_address:
        yield
        return
    host, port = host_and_port("EVENHAND_METRICS_ADDRESS", settings.metrics_address)
    schedules, registry = Schedules(), CollectorRegistry()
    registry.register(Records(engine, settings, schedules))
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError:
        raise taken("EVENHAND_METRICS_ADDRESS", settings.metrics_address) from None
    asking = asyncio.create_task(schedules.keep_asking(client))
    try:
        yield
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        server.shutdown()
        server.server_close()
        thread.join(5)
