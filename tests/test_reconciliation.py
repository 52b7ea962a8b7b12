"""The nightly reconciliation on a real engine: what is derivable is mended, what is not is told, and one bad case stops no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import text
from sqlmodel import select
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

import activities.in_step as in_step
from activities.carriers.outbox import Outbox
from activities.given_texts import put_text
from activities.lists_again import NotReadable, differing, mend_lists
from activities.reconciliation import NAMED_AT_MOST, Finding, Reconciling, Report, last_report
from records.append_only import unguard
from records.database import create_all, open_database, reading, transaction
from records.keys import file_keys, keys_of_engine
from records.tables import CaseRow, RegisterRow, RestrictionRow, TaskRow
from starter.clock import now
from tests.engine import CUSTOMER, MANAGER, MMO, Office, act, closed_office, evenhand, new_office, report, server  # noqa: F401  # fixtures
from tests.handed_over import CASE, Records
from tests.signing import know
from tests.test_rebuild import copied
from worker.reconciliation import ID, keep_reconciliations
from worker.settings import Settings
from workflows.reconciliation import TYPE

EARLIEST = datetime(2027, 1, 1, tzinfo=timezone.utc)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nobody_elses(server: WorkflowEnvironment) -> AsyncIterator[None]:
    """End what a test left running, so that the next one on this server sees none but its own."""
    yield
    for _ in range(200):
        listed = [one_.id async for one_ in server.client.list_workflows("ExecutionStatus = 'Running'")]
        for id in listed:
            with suppress(RPCError):
                await server.client.get_workflow_handle(id).terminate("the test is over")
        if not listed:
            return
        await asyncio.sleep(0.1)


async def reconciled(one: Office, id: str = "reconciliation-test") -> Report:
    """Run a round as the schedule does."""
    found: Report = await one.client.execute_workflow(TYPE, id=f"{id}-{one.queue}", task_queue=one.queue, result_type=Report)
    return found


def found(round_: Report) -> set[tuple[str, str, str]]:
    return {(one.case, one.kind, one.where) for one in round_.named}


def spoil(one: Office, statement: str, **values: object) -> None:
    """Change a table by hand, past every rule, as whoever holds the database can."""
    with one.records.begin() as connection:
        assert connection.execute(text(statement), values).rowcount, "nothing was changed: the test would say nothing"


async def test_what_is_well_is_left_as_it_is_and_one_report_is_kept(closed_office: Office):
    async with closed_office.worker():
        await closed_office.restricted("well/1")
        await closed_office.open("well/2")
        seqs = {case: closed_office.seq(case) for case in ("well/1", "well/2")}
        lines = {case: len(closed_office.lines(case)) for case in seqs}
        first = await reconciled(closed_office)
        again = await reconciled(closed_office)

        assert (first.cases, first.counts, again.counts) == (2, {}, {})
        assert {case: closed_office.seq(case) for case in seqs} == seqs
        assert {case: len(closed_office.lines(case)) for case in seqs} == lines
    with reading(closed_office.records) as session:
        kept = last_report(session)
    assert kept == again and kept.began > first.began


async def test_lists_changed_by_hand_are_found_named_and_mended(closed_office: Office):
    """The register, the tasks and the restrictions are what the desk and the public answer by: a difference is a fault."""
    one = closed_office
    async with one.worker():
        await one.restricted("lists/1")
        with reading(one.records) as session:
            before = [row.model_dump() for kind in (RegisterRow, RestrictionRow, TaskRow) for row in session.exec(select(kind)).all()]
            due = session.get(CaseRow, "lists/1").next_fires
        spoil(one, "UPDATE register SET stage = 'lifted', missed_reviews = 7")
        spoil(one, "DELETE FROM restriction")
        spoil(one, "UPDATE notice SET status = 'to-send'")
        spoil(one, "DELETE FROM desk_entry")
        spoil(one, "UPDATE \"case\" SET next_fires = '2099-01-01', stage = 'closed'")
        round_ = await reconciled(one)

        lists = ("case", "desk_entry", "notice", "register", "restriction")
        assert found(round_) == {("lists/1", "list", name) for name in lists}
        assert (round_.mended, round_.left) == (5, 0)
        with reading(one.records) as session:
            after = [row.model_dump() for kind in (RegisterRow, RestrictionRow, TaskRow) for row in session.exec(select(kind)).all()]
            row = session.get(CaseRow, "lists/1")
            assert (row.next_fires, row.stage) == (due, "restricted")
        assert after == before
        assert (await reconciled(one)).counts == {}, "mended is mended"
        assert CUSTOMER["name"] not in round_.model_dump_json()


async def test_a_missing_workflow_is_started_where_the_records_say_it_stood(closed_office: Office):
    async with closed_office.worker():
        await closed_office.open("missing/1")
        await closed_office.open("missing/2")
        await closed_office.handle("missing/1").terminate("the engine lost it")
        round_ = await reconciled(closed_office)

        assert found(round_) == {("missing/1", "workflow", "")}
        await closed_office.logged("missing/1", "resume:missing/1")
        assert (await closed_office.do("missing/1", report())).accepted


async def test_a_workflow_that_is_lost_a_second_time_is_no_act_that_the_records_lack(closed_office: Office):
    """Its history holds that it was started again; that changed nothing, so there is nothing to apply."""
    one = closed_office
    async with one.worker():
        await one.open("twice/1")
        for _ in range(2):
            await one.handle("twice/1").terminate("the engine lost it")
            assert found(await reconciled(one)) == {("twice/1", "workflow", "")}
            assert (await one.do("twice/1", report())).accepted
        assert len(one.lines("twice/1", "resume:twice/1")) == 2, "one line each time that it was started, no more"


async def test_records_that_fell_behind_get_their_acts_again(closed_office: Office, tmp_path: Path):
    one = closed_office
    database = Path(str(one.records.url.database))
    async with one.worker():
        await one.open("older/1")
        one.records.dispose()
        copied(database, tmp_path / "older.db")
        await one.do("older/1", report())
        newest = one.seq("older/1")
    one.records.dispose()
    copied(tmp_path / "older.db", database)

    async with one.worker():
        round_ = await reconciled(one)
        assert found(round_) == {("older/1", "acts", "1")}
        assert one.seq("older/1") == newest


async def test_a_broken_chain_is_told_and_nothing_of_its_case_is_mended(closed_office: Office):
    """What was changed by hand is evidence: the line stands as it was found, and so do lists beside it."""
    one = closed_office
    async with one.worker():
        await one.restricted("chain/1")
        with one.records.begin() as connection:
            unguard(connection, "log")
        spoil(one, "UPDATE log SET what = 'Nothing happened.' WHERE n = 2")
        spoil(one, "UPDATE register SET missed_reviews = 7")
        lines = len(one.lines("chain/1"))
        round_ = await reconciled(one)

        assert found(round_) == {("chain/1", "broken-chain", "log 2")}
        assert round_.left == 1
        with reading(one.records) as session:
            assert session.get(RegisterRow, "chain/1").missed_reviews == 7
        assert len(one.lines("chain/1")) == lines and one.lines("chain/1")[1].what == "Nothing happened."


async def test_a_case_whose_key_is_destroyed_is_named_and_not_started(closed_office: Office):
    """It came back with an older copy of the records: nobody is to go on with it."""
    one = closed_office
    async with one.worker():
        await one.open("back/1")
        await one.open("back/2")
        await one.handle("back/1").terminate("destroyed since")
        keys_of_engine(one.records).destroy("back/1")
        spoil(one, "DELETE FROM desk_entry")
        round_ = await reconciled(one)

        assert {(case, kind) for case, kind, _ in found(round_)} == {("back/1", "came-back"), ("back/2", "list")}
        assert not await in_step.runs(one.client, "back/1")


async def test_postgresql_is_held_against_the_engine_as_a_file_is(server: WorkflowEnvironment, fresh_postgres_url: str, tmp_path: Path):
    """Rows lock and JSON compares otherwise there: the same faults, the same findings."""
    one = new_office(server.client, tmp_path / "var")
    one.records = open_database(fresh_postgres_url, keys=lambda: file_keys(one.folder))
    create_all(one.records)
    know(one.records)
    one.set_up(MMO)
    one.use(server.client)
    async with one.worker():
        for case in ("pg/well", "pg/lists", "pg/chain"):
            await one.restricted(case)
        await one.open("pg/lost")
        await one.handle("pg/lost").terminate("the engine lost it")
        spoil(one, "DELETE FROM task WHERE case_id = 'pg/lists'")
        spoil(one, "UPDATE register SET missed_reviews = 7 WHERE case_id = 'pg/lists'")
        with one.records.begin() as connection:
            unguard(connection, "log")
        spoil(one, "UPDATE log SET what = 'Nothing happened.' WHERE case_id = 'pg/chain' AND n = 2")
        rounds = await asyncio.gather(*(reconciled(one, f"reconciliation-{n}") for n in range(2)))

        assert {*found(rounds[0]), *found(rounds[1])} == {
            ("pg/lists", "list", "task"),
            ("pg/lists", "list", "register"),
            ("pg/lost", "workflow", ""),
            ("pg/chain", "broken-chain", "log 2"),
        }
        await one.logged("pg/lost", "resume:pg/lost")
        assert found(await reconciled(one)) == {("pg/chain", "broken-chain", "log 2")}
    one.records.dispose()


async def test_two_rounds_at_once_do_no_harm(closed_office: Office):
    one = closed_office
    cases = [f"both/{n}" for n in range(4)]
    async with one.worker():
        for case in cases:
            await one.open(case)
            await one.do(case, report())
            await one.handle(case).terminate("the engine lost it")
        spoil(one, "DELETE FROM task")
        rounds = await asyncio.gather(*(reconciled(one, f"reconciliation-{n}") for n in range(2)))

        kinds = Counter(kind for round_ in rounds for _, kind, _ in found(round_))
        assert kinds["workflow"] == 4 and 4 <= kinds["list"] <= 8 and set(kinds) == {"workflow", "list"}
        for case in cases:
            await one.logged(case, f"resume:{case}")
            assert len(one.lines(case, f"resume:{case}")) == 1, "started once"
        assert (await reconciled(one)).counts == {}


async def test_a_case_that_does_not_answer_or_fails_stops_no_other(closed_office: Office, monkeypatch: pytest.MonkeyPatch):
    """Its worker is away, its state cannot be read: both are told, and the case after them is mended."""
    one = closed_office
    monkeypatch.setattr(in_step, "ANSWERS_WITHIN", 5.0)
    async with one.worker():
        for case in ("odd/1", "odd/3"):
            await one.open(case)
        await one.do("odd/3", report())
        await one.client.start_workflow("Case", {}, id="odd/0", task_queue=f"{one.queue}-nobody")
        while not (await one.client.count_workflows("WorkflowId = 'odd/0'")).count:
            await asyncio.sleep(0.05)  # the engine lists what it runs a moment after it runs
        spoil(one, "UPDATE \"case\" SET state = '{}' WHERE id = 'odd/1'")
        spoil(one, "DELETE FROM task WHERE case_id = 'odd/3'")
        round_ = await reconciled(one)

    assert {(case, kind) for case, kind, _ in found(round_)} == {("odd/0", "no-answer"), ("odd/1", "fault"), ("odd/3", "list")}
    assert round_.cases == 3


async def test_a_round_that_was_cut_off_goes_on_where_it_was(closed_office: Office):
    one = closed_office
    async with one.worker():
        for case in ("cut/1", "cut/2", "cut/3"):
            await one.open(case)
            await one.handle(case).terminate("the engine lost it")
        beats: list[Report] = []
        work = Reconciling(one.records, one.client, Outbox(one.outbox), one.queue, batch=1)

        def die(report_: Report) -> None:
            beats.append(report_)
            if len(beats) == 2:
                raise RuntimeError("killed")

        with pytest.raises(RuntimeError, match="killed"):
            await work.round(now(), beat=die)
        with reading(one.records) as session:
            assert last_report(session) is None, "half a round is no report"
        whole = await work.round(now(), so_far=beats[-1], beat=beats.append)

        assert [one_.up_to for one_ in beats] == ["cut/1", "cut/2", "cut/3"]
        assert (whole.cases, whole.counts, whole.began) == (3, {"workflow": 3}, beats[0].began)


async def test_texts_that_nobody_named_are_told_after_a_week(closed_office: Office):
    one = closed_office
    async with one.worker():
        await one.open("texts/1")
        old = now() - timedelta(days=8)
        for case, words, at in (("texts/1", "Words unnamed.", old), ("texts/1", "Words of today.", now()), ("texts/never", "Words.", old)):
            with transaction(one.records) as session:
                put_text(session, case, words, at=at)
        round_ = await reconciled(one)

        assert found(round_) == {("texts/1", "unnamed-texts", "1"), ("", "unused-texts", "1")}
        assert "Words" not in round_.model_dump_json()


async def test_the_schedule_is_kept_as_the_settings_say_and_makes_a_missed_night_up_once(closed_office: Office):
    one = closed_office
    settings = Settings(task_queue=one.queue)
    await keep_reconciliations(one.client, settings)
    await one.client.get_schedule_handle(ID).pause()
    await keep_reconciliations(one.client, settings.model_copy(update={"reconcile_at": time(4, 15)}))
    kept = await one.client.get_schedule_handle(ID).describe()

    assert kept.schedule.state.paused, "whoever paused it is not overruled by a worker's start"
    assert (kept.schedule.policy.overlap, kept.schedule.policy.catchup_window) == (ScheduleOverlapPolicy.SKIP, timedelta(hours=24))
    local = [one_.astimezone().strftime("%M") for one_ in kept.info.next_action_times]
    assert kept.schedule.spec.time_zone_name == "Europe/London" and local and set(local) == {"15"}
    await one.client.get_schedule_handle(ID).delete()


@pytest.mark.parametrize("at", ["01:30", "25:00", "soon"])
def test_an_hour_that_does_not_come_every_night_once_is_told(at: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVENHAND_RECONCILE_AT", at)
    with pytest.raises(ValidationError, match="reconcile_at"):
        Settings()


async def test_the_command_line_runs_a_round_and_shows_the_last(closed_office: Office):
    """Exit 1 where something is left, 4 where there was no round."""
    one = closed_office
    env = {
        "EVENHAND_DATABASE_URL": str(one.records.url), "EVENHAND_TEMPORAL_ADDRESS": one.client.service_client.config.target_host,
        "EVENHAND_TASK_QUEUE": one.queue,
    }  # fmt: skip
    none = await asyncio.to_thread(evenhand, "engine", "reconcile", "--last", env=env)
    async with one.worker():
        await one.open("line/1")
        spoil(one, "DELETE FROM desk_entry")
        with transaction(one.records) as session:
            put_text(session, "line/1", "Words.", at=now() - timedelta(days=8))
        done = await asyncio.to_thread(evenhand, "engine", "reconcile", env=env)
    last = await asyncio.to_thread(evenhand, "engine", "reconcile", "--last", env=env)

    assert none.returncode == 4 and "No reconciliation" in none.stderr
    assert done.returncode == last.returncode == 1, done.stderr
    assert "1 case, 1 mended, 1 left." in done.stdout and "unnamed texts" in done.stdout and "desk_entry" in done.stdout
    assert last.stdout == done.stdout


# Without an engine


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path).restricted()


def test_lists_are_derived_from_the_case_as_acts_write_them(records: Records):
    """After a whole case the lists derived from nothing are those that stand: else every night would find what is none."""
    with reading(records.engine) as session:
        assert session.get(CaseRow, CASE) is not None and differing(session, CASE) == ()
    assert mend_lists(records.engine, CASE) == ()


def test_nothing_is_derived_from_texts_that_cannot_be_read(records: Records):
    """A register full of [destroyed] would be worse than one that is wrong."""
    with records.engine.begin() as connection:
        connection.execute(text("DELETE FROM register"))
        assert connection.execute(text("UPDATE case_text SET text = 'sealed:1:none:AAAA'")).rowcount
    with pytest.raises(NotReadable):
        mend_lists(records.engine, CASE)


def test_a_report_names_so_many_and_counts_all():
    many = [Finding(case=f"a/{n}", kind="list") for n in range(NAMED_AT_MOST)]
    whole = Report(began=EARLIEST).with_(many).with_([Finding(case="z/1", kind="broken-chain", where="log 3")])

    assert len(whole.named) == NAMED_AT_MOST and whole.named[0].case == "z/1"
    assert (whole.counts, whole.left, whole.mended) == ({"list": NAMED_AT_MOST, "broken-chain": 1}, 1, NAMED_AT_MOST)
