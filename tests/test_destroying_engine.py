"""The end on a real engine: the workflow ends by itself, its runs are deleted, and the command line does all of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.carriers.outbox import Outbox
from activities.clock import Clock
from activities.finishing import ENGINE_KEEPS, Destroying, delete_runs
from activities.outcome import Outcome
from records.audit import verify
from records.database import reading
from starter.clock import now
from tests.engine import CUSTOMER, LIMIT, MANAGER, OFFICER, RECORDS, Office, act, evenhand, new_office, office, server
from tests.golden.record import skipping_server
from tests.signing import key_file_in

__all__ = ["office", "server"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
EIGHT_YEARS = Clock(timedelta(days=8 * 366))
OLD = {
    "body": "mmo", "customer": CUSTOMER, "reference": "old/1", "file_sha256": "0" * 64, "line": 2, "contact_officer": OFFICER,
    "decided_on": "2012-03-03", "told_on": "2012-03-03", "restrictions": [LIMIT], "until": "2013-01-01", "reasons": "Too many emails.",
}  # fmt: skip


async def gone(office: Office, case: str) -> None:
    """Wait until the engine holds nothing of a case: it deletes in its own time."""
    for _ in range(300):
        try:
            await office.handle(case).describe()
        except RPCError as error:
            assert error.status == RPCStatusCode.NOT_FOUND
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"in vain: {case} deleted in the engine")


async def test_the_workflow_ends_properly_and_its_runs_are_deleted(server: WorkflowEnvironment, tmp_path: Path):
    """The last outcome says closed; no task failed; then the engine holds nothing of the case."""
    case, before = "destroyed/1", new_office(server.client, tmp_path)
    async with before.worker():
        await before.restricted(case)
        lifted = {"why": "own-motion", "outcome": "lift", "reasons": "All is calm."}
        await before.lead(case, act("review", "r-1", by="sal-senior", saw="s1", with_=lifted))
    after = Office(server.client, tmp_path, before.queue, clock=EIGHT_YEARS)
    async with after.worker():
        for by in (RECORDS, MANAGER):
            await after.do(case, act("sign_destruction", f"sign-{by}", by=by))
        told = await after.do(case, act("destroy_papers", "d-1", by=RECORDS))
        result = Outcome.model_validate(await after.handle(case).result(), extra="allow")
        assert told.closed and result.closed and result.stage == "closed"
        assert (await after.handle(case).describe()).status == WorkflowExecutionStatus.COMPLETED
        assert await after.failed_tasks(case) == 0

    row = await Destroying(after.records, server.client, Outbox(after.outbox)).finish(case, at=now())

    assert row.facts["then"] == {"workflow": "completed", "letters": "no file left", "runs": 1, "key": "there was none"}
    await gone(after, case)
    assert not any(after.outbox.rglob("*.pdf"))
    with reading(after.records) as session:
        assert verify(session) == ()


async def test_every_run_of_a_case_is_deleted_the_earlier_ones_too(office: Office):
    """A case of many years is many runs, one continuing the other."""
    case = "many-runs/1"
    for n in range(3):
        message = act("open_case", f"open:{n}", by="nobody", with_={"body": "mmo", "customer": CUSTOMER})
        await (await office.cases.start(case, message)).result()

    runs = 0
    while runs < 3:
        found = await delete_runs(office.client, case)
        assert isinstance(found, int)
        runs += found
        await asyncio.sleep(0.1)

    await gone(office, case)


async def test_an_engine_that_cannot_delete_runs_is_told_of_on_the_certificate():
    async with await skipping_server() as server:
        case = "kept/1"
        handle = await server.client.start_workflow("Case", {}, id=case, task_queue="nobody")
        await handle.terminate("over")

        assert await delete_runs(server.client, case) == ENGINE_KEEPS


async def asked(office: Office, *words: str) -> subprocess.CompletedProcess[str]:
    env = {
        "EVENHAND_VAR": str(office.folder),
        "EVENHAND_TEMPORAL_ADDRESS": str(office.client.service_client.config.target_host),
        "EVENHAND_TASK_QUEUE": office.queue,
        "EVENHAND_SIGNING_KEY_FILE": key_file_in(office.folder),
    }
    return await asyncio.to_thread(evenhand, *words, env=env)


async def test_the_command_line_lists_signs_destroys_and_certifies(office: Office):
    """due, sign by two, a dry run that destroys nothing, run, certificate, audit verify."""
    case = "mmo/old-1"
    assert (await office.cases.open_message(case, act("import_case", f"open:{case}", by=OFFICER, with_=OLD))).accepted

    due = json.loads((await asked(office, "destroy", "due", "--json")).stdout)
    assert [(one["case"], one["since"], one["signed"]) for one in due] == [(case, "2019-01-01", [])]
    unsigned = await asked(office, "destroy", "run", case, "--by", RECORDS)
    assert unsigned.returncode == 1 and "Two people of different offices sign" in unsigned.stdout
    for by in (RECORDS, MANAGER):
        done = await asked(office, "destroy", "sign", "--all-due", "--by", by)
        assert done.returncode == 0, done.stdout + done.stderr
    dry = await asked(office, "destroy", "run", "--all-due", "--dry-run")
    assert dry.returncode == 0 and "Nothing was destroyed" in dry.stdout
    row = office.row(case)
    assert row is not None and row.stage == "archived"

    done = await asked(office, "destroy", "run", "--all-due", "--by", RECORDS)

    assert done.returncode == 0 and "destroyed; certificate 1" in done.stdout, done.stdout + done.stderr
    shown = await asked(office, "destroy", "certificate", case)
    assert shown.returncode == 0 and "person max-manager" in shown.stdout and "case sha256" in shown.stdout
    verified = await asked(office, "audit", "verify")
    assert verified.returncode == 0 and "every chain holds" in verified.stdout
    assert (await asked(office, "destroy", "certificate", "mmo/none")).returncode == 4
    assert (await asked(office, "destroy", "run")).returncode == 2
    assert "0 due" in (await asked(office, "destroy", "due")).stdout
