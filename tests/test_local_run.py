"""The default run: one command, everything starts; killed at any moment, started again, the cases go on where they stood."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from activities.carriers.outbox import file_of
from records.database import create_all, migrate, open_database, reading, transaction
from records.keys import file_keys
from records.tables import CaseRow, LetterRow
from starter.clock import today
from starter.local import checked
from starter.samples import play, samples, set_up_bodies
from tests.engine import PATIENCE, Process, evenhand, free_port, new_office, server
from tests.signing import know

__all__ = ["server"]

HOME = Path(__file__).resolve().parent.parent
EVENHAND = str(Path(sys.executable).with_name("evenhand"))


def settings(var: Path) -> dict[str, str]:
    return {
        "EVENHAND_VAR": str(var),
        "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "EVENHAND_UI_PORT": str(free_port()),
    }


def found(env: dict[str, str]) -> dict[str, str]:
    """Returns the settings of somebody who only knows the folder: the address is read from the note in it."""
    return {key: value for key, value in env.items() if key == "EVENHAND_VAR"}


def waited(true: object, process: Process, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]  # a function
        assert process.child.poll() is None, f"it ended while waiting for {what}: {process.said}"
        assert time.monotonic() < end, f"in vain: {what}: {process.said}"
        time.sleep(0.1)


def server_pid(var: Path) -> int | None:
    noted = var / "server.json"
    try:
        return int(json.loads(noted.read_text())["pid"]) if noted.exists() else None
    except ValueError:
        return None


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Returns whether a process that was told to end does so."""
    end = time.monotonic() + 15
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    return not alive(pid)


@contextmanager
def up(env: dict[str, str], var: Path, log: Path) -> Iterator[Process]:
    """Yields a running `evenhand up` that has said it runs; whatever it started is ended by its own id."""
    log.unlink(missing_ok=True)
    with Process([EVENHAND, "up"], env=env, log=log) as process:
        try:
            waited(lambda: "Ctrl-C stops it" in process.said, process, "the running line")
            yield process
        finally:
            pid = server_pid(var)
            process.kill()
            if pid is not None and alive(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def standing(env: dict[str, str]) -> dict[str, tuple[str, int, str | None]]:
    listed = evenhand("case", "list", "--json", env=found(env))
    assert listed.returncode == 0, listed.stderr
    return {one["id"]: (one["stage"], one["seq"], one["next_deadline"]) for one in json.loads(listed.stdout)}


def without_days(text: str) -> str:
    """Returns a text with its days taken out: the sample cases begin on the day of their first run."""
    return re.sub(r"[A-Z][a-z]+day \d{1,2} [A-Z][a-z]+ \d{4}", "DAY", text)


def test_once_leaves_with_0_and_the_letters_are_there(tmp_path: Path):
    """README: one command that ends in a letter."""
    env = settings(tmp_path)

    done = evenhand("up", "--once", env=env)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    wanted = {one.case for one in samples()}
    assert len(wanted) >= 2
    assert set(standing(env)) == wanted
    letters = [Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".pdf")]
    assert len(letters) == len(wanted)
    for letter in letters:
        assert letter.is_relative_to(tmp_path)
        assert letter.read_bytes().startswith(b"%PDF-") and len(letter.read_bytes()) > 5000
        assert "Dear" in letter.with_suffix(".txt").read_text(encoding="utf-8")
    letter = next(one for one in letters if "portsmouth" in one.parent.name).with_suffix(".txt").read_text(encoding="utf-8")
    excerpt = re.search(r"named as such:\n\n```\n(.*?)```", (HOME / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert excerpt
    shown = [" ".join(one.removesuffix(" ...\n").split()) for one in without_days(excerpt[1]).split("\n\n")]
    printed = " ".join(without_days(letter).split())
    assert len(shown) >= 4 and [one for one in shown if one.removesuffix(" ...") not in printed] == [], "README prints another letter"
    assert not (tmp_path / "server.json").exists(), "the server of a run that is over is still noted"


def test_the_newest_letter_of_each_case_is_shown(tmp_path: Path):
    """A second run is of the same cases: what was sent since is what a person looks for."""
    records, (first, second) = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}"), samples()[:2]
    create_all(records)
    sent = [(second.case, "n1", 1), (first.case, "n1", 1), (first.case, "n2", 2), (first.case, "n10", 3), ("mmo/2027-1", "n1", 4)]
    with transaction(records) as session:
        for case, notice, day in sent:
            file = file_of(tmp_path, case, notice)
            file.parent.mkdir(exist_ok=True)
            file.touch()
            facts = {"file": str(file), "sha256": "", "template": "1", "parts": ["restrictions"], "edition": ""}
            session.add(LetterRow(case_id=case, notice=notice, sent_at=datetime(2027, 3, day, tzinfo=timezone.utc), **facts))

    shown = checked(records, (first, second))

    newest = {(first.case, "n10"), (second.case, "n1"), ("mmo/2027-1", "n1")}
    assert set(shown) == {file_of(tmp_path, case, notice) for case, notice in newest}
    assert len(shown) == 3


def test_killed_with_its_server_and_started_again_the_cases_go_on(tmp_path: Path):
    """kill -9 of both; the records and the engine's file are all that is left."""
    env = settings(tmp_path / "var")
    with up(env, tmp_path / "var", tmp_path / "first.log") as first:
        before = standing(env)
        pid = server_pid(tmp_path / "var")
        assert pid is not None and alive(pid)
        first.kill()
        os.kill(pid, signal.SIGKILL)
    assert len(before) >= 2

    with up(env, tmp_path / "var", tmp_path / "second.log"):
        assert standing(env) == before
        case = "mmo/sample-1"
        done = evenhand(
            "case", "act", case, "report_behaviour", "--by", "sam-officer", "--id", "after-the-kill", "--json",
            "--with", '{"code": "excessive-contact", "medium": "email", "summary": "Three more emails."}',
            env=found(env),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        assert json.loads(done.stdout)["seq"] == before[case][1] + 1
        assert standing(env)[case][1] == before[case][1] + 1


def test_killed_without_its_server_the_next_run_uses_that_server_again(tmp_path: Path):
    env = settings(tmp_path / "var")
    with up(env, tmp_path / "var", tmp_path / "first.log") as first:
        pid = server_pid(tmp_path / "var")
        assert pid is not None
        before = standing(env)
        first.kill()
        assert alive(pid)

        with up(env, tmp_path / "var", tmp_path / "second.log") as second:
            assert server_pid(tmp_path / "var") == pid
            assert standing(env) == before
            second.child.send_signal(signal.SIGINT)
            assert second.child.wait(30) == 0, second.said
            assert "Stopped" in second.said and "Traceback" not in second.said
    assert gone(pid), "the server outlives a run that was stopped in order"


def test_a_server_that_is_killed_under_a_run_is_started_again_and_ends_with_it(tmp_path: Path):
    env = settings(tmp_path / "var")
    with up(env, tmp_path / "var", tmp_path / "run.log") as process:
        pid = server_pid(tmp_path / "var")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        waited(lambda: server_pid(tmp_path / "var") not in (None, pid), process, "another server")
        before = standing(env)["mmo/sample-1"][1]
        message = '{"code": "excessive-contact", "medium": "email", "summary": "Three more emails."}'
        words = ("case", "act", "mmo/sample-1", "report_behaviour", "--by", "sam-officer", "--with", message, "--json")
        done = evenhand(*words, env=found(env))

        assert done.returncode == 0, done.stderr + done.stdout
        assert standing(env)["mmo/sample-1"][1] == before + 1

        pid = server_pid(tmp_path / "var")
        assert pid is not None
        process.child.send_signal(signal.SIGTERM)  # as a supervisor or a closing session does
        process.child.wait(30)
        assert gone(pid), "the Temporal server was left running"


def test_busy_ports_and_the_note_of_a_server_that_is_gone_are_no_obstacle(tmp_path: Path):
    """Where somebody has the usual ports, others are taken; a noted id that is another process's by now is neither used nor ended."""
    env = settings(tmp_path)
    tmp_path.joinpath("server.json").write_text(json.dumps({"address": "127.0.0.1:1", "ui_port": 2, "pid": os.getpid()}))
    with socket.socket() as engine, socket.socket() as ui:
        for taken, port in ((engine, env["EVENHAND_TEMPORAL_ADDRESS"].split(":")[1]), (ui, env["EVENHAND_UI_PORT"])):
            taken.bind(("127.0.0.1", int(port)))
            taken.listen()

        done = evenhand("up", "--once", env=env)

    assert done.returncode == 0, done.stderr
    assert f"127.0.0.1:{env['EVENHAND_UI_PORT']}" not in done.stdout
    assert "Temporal UI: http://127.0.0.1:" in done.stdout
    assert len(standing(env)) >= 2


@pytest.mark.parametrize("torn", ["", "{", "{}", "[]"])
def test_a_torn_note_of_the_server_stops_nobody_from_looking(tmp_path: Path, torn: str):
    """A machine that lost its power may leave half a file."""
    tmp_path.joinpath("server.json").write_text(torn)

    listed = evenhand("case", "list", env={"EVENHAND_VAR": str(tmp_path)})

    assert listed.returncode == 4, listed.stderr[-300:]
    assert "Traceback" not in listed.stderr, listed.stderr[-300:]


def test_a_torn_note_of_the_server_stops_no_run(tmp_path: Path):
    tmp_path.joinpath("server.json").write_text("{")

    done = evenhand("up", "--once", env=settings(tmp_path))

    assert done.returncode == 0, done.stderr[-300:]


async def test_the_samples_reach_their_letters_with_the_records_on_postgresql(
    server: WorkflowEnvironment, tmp_path: Path, fresh_postgres_url: str
):
    """The default run refuses PostgreSQL; a case under each policy goes its way there all the same, worker and engine and all."""
    one = new_office(server.client, tmp_path)
    one.records = open_database(fresh_postgres_url, keys=lambda: file_keys(tmp_path))
    migrate(one.records)
    know(one.records)
    one.use(server.client)
    set_up_bodies(one.records, samples())

    async with one.worker():
        for sample in samples():
            await play(sample, one.cases, one.records, today=today(), progress=lambda _: None)

    with reading(one.records) as session:
        cases = session.exec(select(CaseRow.id, CaseRow.stage)).all()
    one.records.dispose()
    assert dict(cases) == {sample.case: "restricted" for sample in samples()}


def test_on_postgresql_whoever_reads_says_who_they_are(tmp_path: Path, fresh_postgres_url: str):
    engine = open_database(fresh_postgres_url)
    migrate(engine)
    engine.dispose()

    listed = evenhand("case", "list", "--json", env={**settings(tmp_path), "EVENHAND_DATABASE_URL": fresh_postgres_url})

    assert listed.returncode != 0 and "--by" in listed.stderr
