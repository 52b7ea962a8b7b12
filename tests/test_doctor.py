"""evenhand doctor: finds each thing that can be wrong, says what to do, and is stopped by nothing that is down."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import text
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleRange,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

import activities.case as acting
import starter.doctor as doctor
import starter.doctor_engine as on_engine
import starter.doctor_installation as on_installation
import starter.doctor_records as on_records
import worker.run as wiring
from activities.bodies import Body
from records.database import open_database, transaction
from records.keys import KeyStore
from records.tables import CaseRow
from starter.doctor import Finding, Ill, examine
from tests.engine import CUSTOMER, evenhand, free_port, new_office, server
from tests.tables import with_tables
from tests.test_metrics import TODAY, a_notice, a_staff_notice, a_task
from tests.test_tracing import WARNING, report
from worker import reconciliation
from worker.reconciliation import keep_reconciliations
from worker.round import ID, keep_rounds
from worker.schedules import same
from worker.settings import Settings
from workflows.codec import ENCODING, KEY

__all__ = ["server"]
PASSWORD = "not-for-any-screen"


class Clinic:
    """An installation of its own on the shared server: records that the migrations made, a queue, a folder for letters."""

    def __init__(self, client: Client, folder: Path) -> None:
        with_tables(folder / "evenhand.db").dispose()
        self.office = new_office(client, folder)
        self.settings = Settings(
            var=folder, database_url=SecretStr(f"sqlite:///{folder / 'evenhand.db'}"),
            temporal_address=client.service_client.config.target_host, task_queue=self.office.queue, outbox=folder / "outbox",
        )  # fmt: skip

    async def examine(self, **settings: object) -> dict[str, Finding]:
        return {one.check: one for one in await examine(self.settings.model_copy(update=settings))}

    async def found(self, check: str, **settings: object) -> Finding:
        return (await self.examine(**settings))[check]


@pytest.fixture
def clinic(server: WorkflowEnvironment, tmp_path: Path) -> Clinic:
    return Clinic(server.client, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def at_work(clinic: Clinic, server: WorkflowEnvironment) -> AsyncIterator[Clinic]:
    await _without_schedule(server.client)
    async with clinic.office.worker():
        await keep_rounds(server.client, clinic.settings)
        await keep_reconciliations(server.client, clinic.settings)
        yield clinic


async def _without_schedule(client: Client) -> None:
    try:
        await client.get_schedule_handle(ID).delete()
    except Exception:  # there was none
        return


async def test_where_all_is_well_every_check_says_so(at_work: Clinic):
    await at_work.office.restricted("well/1")

    found = await at_work.examine()

    assert {name for name, one in found.items() if one.state != "ok"} <= {"policies"}, found
    assert len(found) > 18
    assert "1 worker" in found["workers"].found
    assert "looked at" in found["stuck"].found


@pytest.mark.parametrize("down", ["engine", "records", "both"])
async def test_a_part_that_is_down_hides_no_other(down: str, clinic: Clinic):
    gone: dict[str, object] = {}
    if down != "records":
        gone["temporal_address"] = f"127.0.0.1:{free_port()}"
    if down != "engine":
        gone["database_url"] = SecretStr(f"postgresql+psycopg://evenhand:{PASSWORD}@127.0.0.1:{free_port()}/evenhand")

    found = await clinic.examine(**gone)

    failing = {name for name, one in found.items() if one.state == "fail"}
    assert failing >= ({"engine", "records"} if down == "both" else {down})
    assert all(found[name].todo for name in failing)
    assert found["disk"].state in ("ok", "warn") and found["carriers"].state == "ok"
    assert found["migrations"].state == ("ok" if down == "engine" else "warn")
    assert ("not looked at" in found["versions"].found) == (down != "records")
    said = json.dumps([one.model_dump() for one in found.values()])
    assert PASSWORD not in said and "Traceback" not in said


async def test_a_server_that_takes_the_call_and_says_nothing_is_not_waited_for(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "WITHIN", 1.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found = await clinic.found("engine", temporal_address=f"127.0.0.1:{silent.getsockname()[1]}")

    assert found.state == "fail" and ("no answer" in found.found or "not reached" in found.found)


async def test_a_namespace_that_is_not_there_is_told(clinic: Clinic):
    found = await clinic.found("engine", temporal_namespace="nowhere")

    assert (found.state, found.found) == ("fail", "has no namespace nowhere")


async def test_tables_of_another_release_are_told(clinic: Clinic):
    with clinic.office.records.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))

    found = await clinic.found("migrations")

    assert found.state == "fail" and "at 0003" in found.found and "worker.migrate" in found.todo


async def test_no_worker_is_told(clinic: Clinic):
    found = await clinic.examine()

    assert found["workers"].state == "fail" and "nobody asks" in found["workers"].found
    assert "release" not in found


async def test_a_worker_of_another_release_is_told(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """What stands in place of a current deployment version: every worker's polls carry its release."""
    monkeypatch.setattr(wiring, "release", lambda: "evenhand-of-before")
    async with clinic.office.worker():
        found = await _until_polled(clinic)

    assert found["release"].state == "warn" and "evenhand-of-before" in found["release"].found
    assert found["workers"].state == "ok"


async def _until_polled(clinic: Clinic) -> dict[str, Finding]:
    for _ in range(50):
        found = await clinic.examine()
        if found["workers"].state == "ok":
            return found
        await asyncio.sleep(0.2)
    raise AssertionError("in vain: the worker asks for work")


async def test_a_search_attribute_that_is_missing_is_told(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(on_engine, "KEYS", (*on_engine.KEYS, SearchAttributeKey.for_keyword("EvenhandNew")))

    found = await clinic.found("search attributes")

    assert found.state == "fail" and "EvenhandNew" in found.found


async def test_a_letter_that_is_tried_again_and_again_is_told_with_its_case(at_work: Clinic, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object, **__: object) -> object:
        raise ApplicationError(f"no way to {CUSTOMER['address']}")

    monkeypatch.setattr(on_engine, "TRIES", 1)
    monkeypatch.setattr(acting.Sending, "send", fails)
    case, office = "stuck/1", at_work.office
    await office.open(case)
    await office.do(case, report(), WARNING)

    async def attempts() -> int:
        pending = (await office.handle(case).describe()).raw_description.pending_activities
        return max((one.attempt for one in pending), default=0)

    for _ in range(300):
        if await attempts() > 1:
            break
        await asyncio.sleep(0.05)
    found = await at_work.found("stuck")
    await office.handle(case).terminate("test over")

    assert found.state == "fail" and "stuck/1: send, attempt" in found.found
    assert CUSTOMER["address"] not in found.found


async def test_a_case_whose_workflow_fails_is_told_before_ten_tries(at_work: Clinic, monkeypatch: pytest.MonkeyPatch):
    """The engine waits ever longer between tries of a workflow task: ten of them are half an hour in which a case stands still."""
    monkeypatch.setattr(on_engine, "FAILS_FOR", timedelta(0))
    case, office = "failing/1", at_work.office
    await office.open(case)
    assert (await at_work.found("stuck")).state == "ok"

    def fails(_: object, key_id: str) -> None:
        raise ValueError(key_id)

    monkeypatch.setattr(KeyStore, "by_id", fails)
    claims = {"encoding": ENCODING, KEY: b"k-" + b"f" * 20}
    await office.outsider.get_workflow_handle(case).signal("act", RawValue(Payload(metadata=claims, data=b"x")))
    for _ in range(300):
        if (await office.handle(case).describe()).raw_description.pending_workflow_task.attempt > 1:
            break
        await asyncio.sleep(0.05)
    found = await at_work.found("stuck")
    await office.handle(case).terminate("test over")

    assert found.state == "fail" and "failing/1: the workflow itself, attempt" in found.found


def _every_year(there: ScheduleUpdateInput) -> ScheduleUpdate:
    schedule = there.description.schedule
    schedule.spec.intervals = [ScheduleIntervalSpec(every=timedelta(days=365))]
    return ScheduleUpdate(schedule=schedule)


@pytest.mark.parametrize("what", ["workflow", "queue", "night"])
def test_a_schedule_that_begins_something_else_or_on_another_day_is_not_the_same(what: str):
    wanted, there = reconciliation.schedule_of(Settings()), reconciliation.schedule_of(Settings())
    assert same(there, wanted) and isinstance(there.action, ScheduleActionStartWorkflow)
    if what == "night":
        there.spec.calendars = [replace(there.spec.calendars[0], day_of_week=[ScheduleRange(0)])]
    else:
        there.action = replace(there.action, **{"workflow": {"workflow": "Nothing"}, "queue": {"task_queue": "elsewhere"}}[what])

    assert not same(there, wanted)


async def test_a_schedule_that_is_missing_paused_changed_or_late_is_told(at_work: Clinic):
    handle = at_work.office.client.get_schedule_handle(ID)
    description = await handle.describe()
    with pytest.raises(Ill, match="last began"):
        on_engine._schedule(ID, description, on_engine.now() + timedelta(hours=3))
    await handle.update(_every_year)
    changed = await at_work.found("schedules")
    assert changed.state == "warn" and changed.found == "post-round is not as the settings say"
    await keep_rounds(at_work.office.client, at_work.settings)
    assert (await at_work.found("schedules")).state == "ok", "a worker's start sets it right"
    await handle.pause()
    assert (await at_work.found("schedules")).found == "post-round is paused"
    await handle.delete()
    missing = await at_work.found("schedules")
    assert missing.state == "fail" and "no schedule" in missing.found


@pytest.mark.parametrize(("seconds", "state"), [(6, "warn"), (-6, "warn"), (40, "fail"), (-40, "fail")])
def test_clocks_apart_are_told(seconds: int, state: str):
    with pytest.raises(Ill, match=r"is (6|40) seconds") as ill:
        on_engine.agreed(timedelta(seconds=seconds), "the engine")
    assert ill.value.state == state
    assert ("ahead of" in ill.value.found) == (seconds > 0)


async def test_the_engines_own_time_is_asked(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """This machine's clock goes wrong by a minute; the engine's does not."""
    true = on_engine.now
    monkeypatch.setattr(on_engine, "now", lambda: true() - timedelta(seconds=60))

    found = await clinic.found("engine's clock")

    assert found.state == "fail" and "ahead of this machine" in found.found


async def test_the_database_is_asked_its_time_too(fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    records = open_database(fresh_postgres_url)
    assert "agree" in await on_records._clock(records)
    true = on_records.now
    monkeypatch.setattr(on_records, "now", lambda: true() - timedelta(seconds=60))
    with pytest.raises(Ill, match="the database is 60 seconds ahead"):
        await on_records._clock(records)
    records.dispose()


async def test_what_waits_in_the_records_is_told_with_the_command_that_names_it(clinic: Clinic):
    row = CaseRow(id="a/1", body="mmo", policy="mmo", edition="none", stage="warned", seq=1, state={}, opened_on=TODAY, changed_at=_noon())
    with transaction(clinic.office.records) as session:
        long_ago = {"created_on": TODAY.replace(year=2020)}
        session.add_all([row, a_task("a/1", 1, "fault", None), a_task("a/1", 2, "review", TODAY.replace(year=2020))])
        session.add_all([a_notice("a/1", "n1", "uncertain", 0).sqlmodel_update(long_ago), a_staff_notice("a/1", "p", "declined")])

    found = await clinic.examine()

    assert (found["acts set aside"].state, found["acts set aside"].found) == ("warn", "1 act (mmo 1)")
    assert (found["letters"].state, found["letters"].todo) == ("warn", "evenhand undelivered says which, and why.")
    assert "1 letter (uncertain 1)" in found["letters"].found
    assert (found["staff emails"].state, found["staff emails"].found) == ("warn", "1 email (declined 1)")
    assert (found["overdue"].state, found["overdue"].found) == ("warn", "1 task (mmo review 1)")
    assert found["policies"].state == "fail" and "edition none" in found["policies"].found


def _noon() -> datetime:
    return datetime(2027, 3, 10, 12, tzinfo=timezone.utc)


async def test_what_a_body_has_not_set_is_told_and_a_policy_that_cannot_be_read(clinic: Clinic, tmp_path: Path):
    clinic.office.set_up(Body(body="bare", name="", policy="natural-england"))
    found = await clinic.found("policies")
    assert found.state == "warn" and "bare has not set" in found.found
    assert "keep-years" in found.found and "information-officer" in found.found

    clinic.office.set_up(Body(body="broken", name="", policy=str(tmp_path / "gone.yaml")))
    found = await clinic.found("policies")
    assert found.state == "fail" and "broken: its policy" in found.found


@pytest.mark.parametrize(("days", "state"), [(-1, "fail"), (100, "warn"), (500, "ok")])
async def test_bank_holidays_that_end_are_told(days: int, state: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(on_records, "calendar_days", lambda *_: {("scotland",): days})

    assert (await clinic.found("bank holidays")).state == state


@pytest.mark.parametrize(("days", "state"), [(-1, "fail"), (10, "warn"), (90, "ok")])
async def test_a_key_that_ends_is_told_by_whoever_adds_it_to_what_runs_out(
    days: int, state: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(on_records.EXPIRES, "evenhand_some_key_days", ("", ("key",), lambda *_: {("k1",): days}))

    found = await clinic.found("keys")

    assert (found.state, "k1" in found.found) == (state, True)


async def test_settings_of_letters_that_cannot_work_are_told(clinic: Clinic):
    found = await clinic.found("carriers", email_carrier="pigeon")

    assert found.state == "fail" and "EVENHAND_EMAIL_CARRIER is pigeon" in found.found


async def test_an_outbox_that_cannot_be_written_is_told(clinic: Clinic, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")

    found = await clinic.found("outbox", outbox=tmp_path / "file")

    assert found.state == "fail" and "cannot be written" in found.found


@pytest.mark.parametrize(("free", "state"), [(100_000_000, "fail"), (1_000_000_000, "warn"), (9_000_000_000, "ok")])
async def test_a_disk_that_fills_is_told(free: int, state: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(on_installation.shutil, "disk_usage", lambda _: usage)

    assert (await clinic.found("disk")).state == state


async def test_a_check_that_fails_by_itself_says_so_without_its_text(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Quentin Testcase")

    monkeypatch.setattr(on_records, "counted", broken)

    found = await clinic.found("letters")

    assert (found.state, found.found) == ("fail", "the check itself failed with ValueError")


def test_the_command_exits_with_1_and_no_traceback_where_something_fails(tmp_path: Path):
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}

    plain, listed = evenhand("doctor", env=env), evenhand("doctor", "--json", env=env)

    assert plain.returncode == listed.returncode == 1
    assert "FAIL  engine" in plain.stdout and "Traceback" not in plain.stdout + plain.stderr
    assert {one["check"]: one["state"] for one in json.loads(listed.stdout)}["records"] == "fail"
