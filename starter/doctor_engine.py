"""Checks of the engine: reached, of a version that was tried, with its attributes, worked on by this release, nothing stuck in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    PollActivityTaskQueueRequest,
)
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from starter.clock import now
from starter.doctor import Check, Ill, Patient, cut_short
from starter.show import several
from worker import reconciliation
from worker import round as post_round
from worker.metrics import SCHEDULES
from worker.profile import START, NotRunning
from worker.release import release
from worker.run import connect
from worker.schedules import same
from worker.settings import Settings
from workflows.monitor import KEYS

TRIED_SERVER, TRIED_SDK = "1.32", "1.35"
"""Versions of server and SDK that the tests of this release ran on."""
KINDS = {"workflows": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, "activities": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY}
POLLED_WITHIN = timedelta(seconds=90)
"""A worker's question for work waits a minute at most; one not heard of for longer has gone, though the engine lists it for five."""
TRIES = 10
"""Attempts after which an activity or a workflow task counts as stuck: an act is set aside after five; ten of a letter take 17 minutes."""
FAILS_FOR = timedelta(minutes=1)
"""How long a workflow task may be tried again before it counts as stuck: the engine waits ever longer between tries, so that ten take
half an hour. A worker that was killed costs one try and ten seconds."""
FAILING = "TemporalReportedProblems IS NOT NULL AND ExecutionStatus = 'Running'"
"""What the engine itself lists as failing, after some tries: they are looked at first, however many cases there are."""
LOOKED_AT = 200
"""Open cases that are looked at one by one."""
AT_ONCE = 20
SKEW = timedelta(seconds=5)
SKEW_FAILS = timedelta(seconds=30)
"""GOV.UK Notify refuses everything from a clock that is further off."""
CLOCK_QUEUE = "evenhand-doctor"
RUNNING = "WorkflowType = 'Case' AND ExecutionStatus = 'Running'"
UP = "Start a worker: evenhand worker, docker compose up, or evenhand up for a first try."


async def reached(settings: Settings) -> tuple[str, Client]:
    """Returns a client of the engine, its namespace known."""
    where = f"{settings.temporal_namespace} at {settings.temporal_address}"
    try:
        client = await connect(settings)
        found = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.temporal_namespace), retry=False, timeout=timedelta(seconds=5)
        )
    except RPCError as error:
        raise _unreached(settings, error) from None
    except NotRunning:
        raise Ill("the default run is not running", START) from None
    except (RuntimeError, OSError, ValueError):
        raise Ill(f"not reached at {settings.temporal_address}", "Start it, or set EVENHAND_TEMPORAL_ADDRESS.") from None
    days = found.config.workflow_execution_retention_ttl.ToTimedelta().days
    return f"{where}; what ended is kept {several(days, 'day')}", client


def _unreached(settings: Settings, error: RPCError) -> Ill:
    if error.status == RPCStatusCode.NOT_FOUND:
        name = settings.temporal_namespace
        return Ill(f"has no namespace {name}", "Run deploy/namespace.sh, or set EVENHAND_TEMPORAL_NAMESPACE.")
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return Ill("does not let this command in", "Give it credentials that may read the namespace.")
    return Ill(f"answered {error.status.name}", "Look at the server's own log.")


def of_engine(patient: Patient) -> dict[str, Check]:
    """Returns the checks of the engine by name."""
    return {
        "versions": lambda: _versions(patient.client),
        "search attributes": lambda: _attributes(patient.client),
        "workers": lambda: _workers(patient),
        "release": lambda: _release(patient),
        "stuck": lambda: _stuck(patient.client),
        "schedules": lambda: _schedules(patient.client, patient.settings),
        "engine's clock": lambda: _clock(patient.client),
    }


async def _versions(client: Client) -> str:
    server = (await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=timedelta(seconds=5))).server_version
    sdk = version("temporalio")
    said = f"server {server}, SDK {sdk}"
    if _minor(server) != TRIED_SERVER or _minor(sdk) != TRIED_SDK:
        tried = f"Tried were {TRIED_SERVER} and {TRIED_SDK}: run the tests on these before real cases meet them."
        raise Ill(f"{said}: not the pair that this release was tried with", tried, state="warn")
    return said


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


async def _attributes(client: Client) -> str:
    found = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    wanted = {key.name: key.indexed_value_type.value for key in KEYS}
    wrong = sorted(name for name, kind in wanted.items() if found.custom_attributes.get(name) != kind)
    if wrong:
        raise Ill(f"missing or of another type: {', '.join(wrong)}; every case stands still", "Run deploy/namespace.sh.")
    return f"all {len(wanted)} registered"


async def _pollers(client: Client, queue: str, kind: str) -> list[PollerInfo]:
    asked = DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=KINDS[kind])
    found = await client.workflow_service.describe_task_queue(asked, timeout=timedelta(seconds=5))
    return [one for one in found.pollers if now() - _at(one) < POLLED_WITHIN]


def _at(poller: PollerInfo) -> datetime:
    return poller.last_access_time.ToDatetime(timezone.utc)


async def _workers(patient: Patient) -> str:
    queue = patient.settings.task_queue
    found = {kind: await _pollers(patient.client, queue, kind) for kind in KINDS}
    idle = [kind for kind, pollers in found.items() if not pollers]
    if idle:
        raise Ill(f"nobody asks queue {queue} for {' or '.join(idle)}", UP)
    return f"{several(len({one.identity for one in found['workflows']}), 'worker')} on queue {queue}"


async def _release(patient: Patient) -> str | None:
    found = [one for kind in KINDS for one in await _pollers(patient.client, patient.settings.task_queue, kind)]
    builds = {one.identity: one.worker_version_capabilities.build_id for one in found}
    others = {who: build for who, build in builds.items() if build != release()}
    if not builds:
        return None
    if others:
        named = ", ".join(f"{who} runs {build or 'one without a mark'}" for who, build in sorted(others.items()))
        raise Ill(f"this is {release()}, but {named}", "Replace the workers of the other release (docs/production.md).", state="warn")
    return f"{release()}, as every worker"


async def _stuck(client: Client) -> str:
    open_cases = (await client.count_workflows(RUNNING)).count
    gate, stuck, looked = asyncio.Semaphore(AT_ONCE), [], 0

    async def look(case: str) -> None:
        nonlocal looked
        async with gate:
            with suppress(RPCError):
                stuck.extend(await _stuck_in(client, case))
                looked += 1

    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            cases = list(
                dict.fromkeys([*await _failing(client), *[one.id async for one in client.list_workflows(RUNNING, limit=LOOKED_AT)]])
            )
            await asyncio.gather(*(look(case) for case in cases))
    of = f"{looked} of {several(open_cases, 'open case')} looked at"
    if stuck:
        shown = "; ".join(sorted(stuck)[:5]) + (f"; and {len(stuck) - 5} more" if len(stuck) > 5 else "")
        raise Ill(f"{shown} ({of})", "The worker's log says where each fails; docs/operations.md says what to do.")
    return f"nothing; {of}"


async def _failing(client: Client) -> list[str]:
    """Returns what the engine lists as failing; a server that keeps no such list is not asked further."""
    with suppress(RPCError):
        return [one.id async for one in client.list_workflows(FAILING, limit=LOOKED_AT)]
    return []


async def _stuck_in(client: Client, case: str) -> list[str]:
    """Returns what of one case is tried again and again."""
    described = (await client.get_workflow_handle(case).describe(rpc_timeout=timedelta(seconds=4))).raw_description
    tried = [(one.activity_type.name, one.attempt) for one in described.pending_activities if one.attempt > TRIES]
    task = described.pending_workflow_task
    since = now() - task.original_scheduled_time.ToDatetime(timezone.utc)
    if task.attempt > TRIES or (task.attempt > 1 and since > FAILS_FOR):
        tried.append(("the workflow itself", task.attempt))
    return [f"{case}: {what}, attempt {attempt}" for what, attempt in tried]


CHANGED = """Another time, workflow or queue than the settings here: somebody changed it, or these are not the workers' settings. A worker
that starts sets it right.""".replace("\n", " ")


async def _schedules(client: Client, settings: Settings) -> str:
    said, kept = [], {post_round.ID: post_round.schedule_of(settings), reconciliation.ID: reconciliation.schedule_of(settings)}
    for id in SCHEDULES:
        try:
            found = await client.get_schedule_handle(id).describe(rpc_timeout=timedelta(seconds=5))
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise Ill(f"there is no schedule {id}", "A worker makes it when it starts: start one.") from None
            raise
        said.append(_schedule(id, found, now()))
        if not same(found.schedule, kept[id]):
            raise Ill(f"{id} is not as the settings say", CHANGED, state="warn")
    return "; ".join(said)


def _schedule(id: str, found: ScheduleDescription, at: datetime) -> str:
    """Returns when a schedule last began. Raises Ill where it is paused, or twice as late as it may be."""
    if found.schedule.state.paused:
        raise Ill(
            f"{id} is paused", f"temporal schedule toggle --unpause --schedule-id {id}, when nothing speaks against it.", state="warn"
        )
    every = max((one.every for one in found.schedule.spec.intervals), default=timedelta(days=1))
    last = max([one.started_at for one in found.info.recent_actions] + [found.info.created_at])
    if at - last > 2 * every + timedelta(minutes=5):
        raise Ill(f"{id} last began at {last:%Y-%m-%d %H:%M} UTC", "Is a worker running, and was one all the time?", state="warn")
    return f"{id} began or was made at {last:%Y-%m-%d %H:%M} UTC, {_often(every)}"


async def _clock(client: Client) -> str:
    """Compare clocks by asking the engine for work that nobody gives: it notes when it was asked."""
    async with _asking(client):
        before = now()
        for _ in range(30):
            await asyncio.sleep(0.1)
            asked = DescribeTaskQueueRequest(
                namespace=client.namespace, task_queue=TaskQueue(name=CLOCK_QUEUE), task_queue_type=KINDS["activities"]
            )
            pollers = (await client.workflow_service.describe_task_queue(asked)).pollers
            seen = [_at(one) for one in pollers if one.identity == _asker(client)]
            if seen:
                return agreed(max(seen) - before, "the engine")
    raise Ill("the engine did not say what time it has", "Compare its machine's clock by hand.", state="warn")


def agreed(off: timedelta, whose: str) -> str:
    """Returns that two clocks agree. Raises Ill where they differ by more than SKEW."""
    seconds = abs(off).total_seconds()
    if abs(off) > SKEW:
        grave = "fail" if abs(off) > SKEW_FAILS else "warn"
        way = "ahead of" if off > timedelta(0) else "behind"
        raise Ill(f"{whose} is {seconds:.0f} seconds {way} this machine", "Have both keep time by NTP.", state=grave)  # type: ignore[arg-type]  # one of the three
    return f"{whose} and this machine agree within {max(1, round(seconds))} s"


def _asker(client: Client) -> str:
    return f"doctor-{client.identity}"


@asynccontextmanager
async def _asking(client: Client) -> AsyncIterator[None]:
    """Ask for work on a queue of the doctor's own meanwhile."""
    asked = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=CLOCK_QUEUE), identity=_asker(client))
    work: asyncio.Task[object] = asyncio.create_task(
        client.workflow_service.poll_activity_task_queue(asked, retry=False, timeout=timedelta(seconds=20))
    )
    try:
        yield
    finally:
        await cut_short(work)


def _often(every: timedelta) -> str:
    minutes = int(every.total_seconds() // 60)
    return "every day" if minutes == 1440 else "every hour" if minutes == 60 else f"every {minutes} minutes"
