"""Engine and records, each rebuilt from the other: an engine lost, and records restored from an older copy."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from activities.calendars import in_force
from activities.in_step import compare, rebuild
from activities.repair import Repaired, repair
from domain.days import Holiday
from domain.people import Person
from records.database import reading
from records.log import first_broken_line
from records.tables import CommandRow
from starter.calendars import apply_to, lagging_cases, next_table
from starter.cases import NoSuchCase
from starter.clock import now
from starter.local import today
from starter.repair import keep_files
from starter.signed import signatures_of
from tests.engine import MMO, OFFICER, Office, act, assess, closed_office, report, server, until  # noqa: F401  # fixtures


async def states(one: Office) -> dict[str, str]:
    return {found.case: found.state for found in await compare(one.client, one.records)}


async def test_an_engine_that_was_lost_is_rebuilt_and_every_case_stands_where_it_stood(closed_office: Office):
    """DESIGN 2: deadlines and letters on their way included; cases that ended stay ended."""
    lost = closed_office
    async with lost.worker():
        await lost.restricted("lost/1")
        await lost.open("lost/2")
        before = {case: await lost.cases.look_up(case) for case in ("lost/1", "lost/2")}
        seqs = {case: lost.seq(case) for case in before}
        assert await states(lost) == {"lost/1": "in step", "lost/2": "in step"}
    for case in before:
        await lost.handle(case).terminate("the engine's database was deleted")

    assert await states(lost) == {"lost/1": "no workflow", "lost/2": "no workflow"}
    started = await rebuild(lost.client, lost.records, task_queue=lost.queue)
    async with lost.worker():
        for case in before:
            await lost.logged(case, f"resume:{case}")
        after = {case: await resumed(lost, case) for case in before}

        assert started == ["lost/1", "lost/2"]
        for case, was in before.items():
            assert was is not None and after[case] is not None
            assert (after[case].stage, after[case].wake_at, after[case].due_key) == (was.stage, was.wake_at, was.due_key)
            assert lost.seq(case) == seqs[case], "starting again changes nothing"
        assert await rebuild(lost.client, lost.records, task_queue=lost.queue) == [], "nothing is started twice"
        assert (await lost.do("lost/1", act("appeal", "a-1", by="customer", with_={"medium": "email"}))).result == "accepted"
    await over(lost, *before)


async def over(one: Office, *cases: str) -> None:
    """End cases, so that the next test on this server sees none but its own."""
    for case in cases:
        await one.handle(case).terminate("the test is over")


async def resumed(lost: Office, case: str):
    for _ in range(200):
        found = await lost.cases.look_up(case)
        if found is not None:
            return found
    raise AssertionError(f"{case} did not come back")


async def test_a_letter_that_was_on_its_way_is_sent_after_a_rebuild(closed_office: Office):
    """A letter decided and not yet sent is owed, whatever became of the engine."""
    lost = closed_office
    lost.outbox.parent.mkdir(parents=True, exist_ok=True)
    lost.outbox.write_text("a file where the letters should lie")
    async with lost.worker():
        await lost.open("owed/1")
        await lost.do("owed/1", report())
        await lost.cases.submit_message(
            "owed/1",
            act(
                "warn",
                "w-1",
                by=OFFICER,
                with_={"medium": "email", "findings": {"concerns": "Forty emails.", "policy-copy-directed": True}},
            ),
        )
    await lost.handle("owed/1").terminate("the engine's database was deleted")
    assert [one.status for one in lost.notices("owed/1")] == ["to-send"]
    lost.outbox.unlink()

    await rebuild(lost.client, lost.records, task_queue=lost.queue)
    async with lost.worker():
        await lost.settled("owed/1")

    assert [one.status for one in lost.notices("owed/1")] == ["sent"]
    assert lost.letter("owed/1", "n1").exists()
    await over(lost, "owed/1")


async def test_a_letter_that_is_only_delayed_is_not_noted_as_sent_when_its_workflow_is_lost(closed_office: Office):
    """Its history says that it did not go. It stays owed, and goes when it can."""
    lost = closed_office
    lost.outbox.parent.mkdir(parents=True, exist_ok=True)
    lost.outbox.write_text("a file where the letters should lie")
    warning = {"medium": "email", "findings": {"concerns": "Forty emails.", "policy-copy-directed": True}}
    async with lost.worker():
        await lost.open("delayed/1")
        await lost.do("delayed/1", report())
        await lost.cases.submit_message("delayed/1", act("warn", "w-1", by=OFFICER, with_=warning))
        await lost.logged("delayed/1", "notice_delayed:n1")
        await lost.handle("delayed/1").terminate("the engine's database was deleted")

        [done] = await repaired(lost)
        assert (done.applied, done.started) == ([], True)
        assert [one.status for one in lost.notices("delayed/1")] == ["to-send"]
        lost.outbox.unlink()
        await lost.settled("delayed/1")

    assert [one.status for one in lost.notices("delayed/1")] == ["sent"]
    assert lost.letter("delayed/1", "n1").exists()
    await over(lost, "delayed/1")


async def repaired(one: Office) -> list[Repaired]:
    return await repair(one.client, one.records, outbox=one.outbox, task_queue=one.queue)


def copied(database: Path, to: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part = Path(f"{database}{suffix}")
        Path(f"{to}{suffix}").unlink(missing_ok=True)
        if part.exists():
            shutil.copy(part, f"{to}{suffix}")


async def test_records_restored_from_an_older_copy_are_found_out_named_and_brought_up_to_date(closed_office: Office, tmp_path: Path):
    """DESIGN 2: found out by seq, nothing decided on the old state, the missing acts applied again under their own ids."""
    behind = closed_office
    database = Path(str(behind.records.url.database))
    async with behind.worker():
        await behind.open("behind/1")
        await behind.do("behind/1", report())
        behind.records.dispose()
        copied(database, tmp_path / "older.db")
        warning = {"medium": "email", "findings": {"concerns": "Forty emails.", "policy-copy-directed": True}}
        await behind.lead("behind/1", act("warn", "w-1", by=OFFICER, with_=warning), assess("later"))
        await behind.settled("behind/1")
        newest = behind.row("behind/1")
    behind.records.dispose()
    copied(tmp_path / "older.db", database)

    async with behind.worker():
        [found] = await compare(behind.client, behind.records)
        assert (found.case, found.state) == ("behind/1", "records behind")
        await behind.cases.signal_message("behind/1", assess("meanwhile"))
        [done] = await repaired(behind)
        await behind.logged("behind/1", "meanwhile")
        restored = behind.row("behind/1")
        assert await states(behind) == {"behind/1": "in step"}

    await over(behind, "behind/1")
    assert newest is not None and restored is not None
    assert done.applied == ["w-1", "notice_sent:n1", "later"]
    assert done.seq == newest.seq
    assert restored.seq == newest.seq + 1, "the act that came meanwhile waited, and was decided on the state it belongs to"
    for field in ("warnings", "notices", "incidents"):
        assert restored.state[field] == newest.state[field]
    with reading(behind.records) as session:
        assert first_broken_line(session, "behind/1") is None
        found = {one.act: (one.verifies, one.problem) for one in signatures_of(session, "behind/1")}
    assert {found[one] for one in ("w-1", "later", "meanwhile")} == {(True, None)}, "what was applied again is signed as it was"


async def test_a_rebuild_brings_back_no_case_that_the_records_do_not_hold(closed_office: Office):
    with pytest.raises(NoSuchCase):
        await closed_office.cases.submit_message("never/1", assess("x"))
    assert await rebuild(closed_office.client, closed_office.records, task_queue=closed_office.queue) == []


async def test_a_repair_waits_for_a_table_that_the_older_copy_lacks_and_refuses_nothing_in_its_stead(closed_office: Office, tmp_path: Path):
    """Decision 0011: an act that took a table over is applied again once the table is there, and what came after it too."""
    behind = closed_office
    database, table = Path(str(behind.records.url.database)), tmp_path / "new.yaml"
    async with behind.worker():
        await behind.open("table/1")
        await behind.do("table/1", report())
        behind.records.dispose()
        copied(database, tmp_path / "older.db")
        with reading(behind.records) as session:
            now = in_force(session, "england-and-wales")
        mourning = Holiday(on=date(2027, 3, 31), name="Day of mourning")
        table.write_text(next_table(now, add=[mourning], remove=(), known_until=None, name="new", on=now.checked_on), encoding="utf-8")
        keep_files(behind.records, calendars=(table,))
        with reading(behind.records) as session:
            waiting = list(lagging_cases(session))
        [applied] = await apply_to(behind.cases, waiting, on=today())
        assert applied.result == "accepted"
        await behind.do("table/1", assess("later"))
        newest = behind.row("table/1")
    behind.records.dispose()
    copied(tmp_path / "older.db", database)

    async with behind.worker():
        [stopped] = await repaired(behind)
        assert (stopped.applied, stopped.seq) == ([], 2)
        assert "the table england-and-wales-new is not in the records: evenhand engine repair --calendar FILE" in stopped.left[0]
        with reading(behind.records) as session:
            assert session.get(CommandRow, ("table/1", "calendar:england-and-wales-new:0")) is None

        keep_files(behind.records, calendars=(table,))
        [done] = await repaired(behind)
        assert await states(behind) == {"table/1": "in step"}
    await over(behind, "table/1")
    assert newest is not None and done.seq == newest.seq
    assert done.applied == ["calendar:england-and-wales-new:0", "later"]
    assert behind.row("table/1").state["counting"] == newest.state["counting"]


async def test_a_repair_stops_at_an_act_of_somebody_the_older_copy_does_not_know(closed_office: Office, tmp_path: Path):
    """An act that was accepted is never recorded as refused because the staff list is old."""
    behind = closed_office
    database = Path(str(behind.records.url.database))
    async with behind.worker():
        await behind.open("staff/1")
        behind.records.dispose()
        copied(database, tmp_path / "older.db")
        newer = MMO.model_copy(update={"people": (*MMO.people, Person(id="nell-new", name="Nell New", grade=5))})
        loaded = now()
        behind.set_up(newer)
        await behind.do("staff/1", {**assess("by-nell"), "by": "nell-new"})
    behind.records.dispose()
    copied(tmp_path / "older.db", database)

    async with behind.worker():
        [stopped] = await repaired(behind)
        behind.set_up(newer)
        [stopped_again] = await repaired(behind)
        behind.set_up(newer, since=loaded)
        [done] = await repaired(behind)
    await over(behind, "staff/1")
    assert stopped.applied == [] and "evenhand body set FILE --since" in stopped.left[0]
    assert stopped_again.applied == [], "a list loaded now judges no act of then"
    assert (done.applied, done.left) == (["by-nell"], [])


async def test_a_repair_starts_a_case_without_a_workflow_after_what_its_last_workflow_knew(closed_office: Office, tmp_path: Path):
    """The records are old and the workflow is gone: its history is read first, then the case goes on from there."""
    behind = closed_office
    database = Path(str(behind.records.url.database))
    async with behind.worker():
        await behind.open("gone/1")
        behind.records.dispose()
        copied(database, tmp_path / "older.db")
        await behind.do("gone/1", report())
    await behind.handle("gone/1").terminate("its engine was moved")
    behind.records.dispose()
    copied(tmp_path / "older.db", database)

    [done] = await repaired(behind)
    async with behind.worker():
        await behind.logged("gone/1", "resume:gone/1")
        assert (await resumed(behind, "gone/1")).seq == 2
    await over(behind, "gone/1")
    assert (done.applied, done.started, done.left) == (["report-1"], True, [])
