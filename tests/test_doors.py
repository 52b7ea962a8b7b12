"""The doors when something is missing or there twice: no worker, a run beside a run, a case opened again."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import date
from pathlib import Path

import pytest

import starter.cases
from domain.commands import Appeal, Assess, OpenCase
from policies import load
from policies.load import Unreadable
from starter.cases import Unavailable, envelope
from starter.clock import today
from starter.rehearse import rehearse
from starter.script import read_script
from starter.server import CannotStart, Server
from tests.engine import CUSTOMER, OFFICER, Office, closed_office, evenhand, free_port, opening, server
from tests.signing import key_file_in
from tests.tables import with_tables
from worker.profile import NotRunning, connection
from worker.settings import NOT_RUNNING, ServerNote, Settings

__all__ = ["closed_office", "server"]

REHEARSAL = """\
title: A case is opened once
policy: mmo
people:
  officer: {name: Test Officer}
  records: {name: Test Records, offices: [records-officer]}
customer: {name: Test Customer, channel: email}
steps:
  - at: 2027-03-01 10:00
    by: officer
    do: open_case
    on: 2027-02-26
    with: {area: licensing}
    expect: {outcome: accepted, stage: opened}
  - at: 2027-03-02 10:00
    by: officer
    do: open_case
    expect: {outcome: repeated, stage: opened, reason: exists already}
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "rehearsal.yaml"
    file.write_text(text, encoding="utf-8")
    return file


# No worker


async def test_without_a_worker_an_act_is_answered_with_how_to_ask_again(closed_office: Office, monkeypatch):
    monkeypatch.setattr(starter.cases, "TAKEN_WITHIN", 0.5)
    await closed_office.cases.start("no-worker/1", opening("no-worker/1"))
    try:
        with pytest.raises(Unavailable, match=r"No worker answered; ask again with the id a-1 and the same day, \d{4}-"):
            await closed_office.cases.submit("no-worker/1", Assess(findings={}), by=OFFICER, id="a-1")
    finally:
        await closed_office.handle("no-worker/1").terminate("test over")


async def test_without_a_worker_a_case_cannot_be_looked_up(closed_office: Office, monkeypatch):
    monkeypatch.setattr(starter.cases, "SHOWN_WITHIN", 0.5)
    await closed_office.cases.start("no-worker/2", opening("no-worker/2"))
    try:
        with pytest.raises(Unavailable, match="No worker"):
            await closed_office.cases.look_up("no-worker/2")
    finally:
        await closed_office.handle("no-worker/2").terminate("test over")


# The day of an act


def test_an_act_without_a_day_carries_the_day_it_was_sent():
    """DESIGN 4: a legal clock runs from the day a thing happened or arrived, never from the moment a worker got to it."""
    for command in (Appeal(medium="email"), OpenCase.model_validate({"body": "mmo", "customer": CUSTOMER})):
        assert envelope(command, by=OFFICER)["on"] == today().isoformat()


def test_an_act_with_a_day_keeps_it():
    assert envelope(Appeal(medium="email", on=date(2027, 3, 1)), by="customer")["on"] == "2027-03-01"


# A run beside a run


def settings(tmp_path: Path) -> Settings:
    return Settings(var=tmp_path, temporal_address=f"127.0.0.1:{free_port()}", ui_port=free_port())


async def test_a_second_run_uses_the_server_of_the_first_and_leaves_it_running(tmp_path: Path):
    first, second = Server(settings(tmp_path)), Server(settings(tmp_path))
    try:
        chosen = await first.start()
        found = await second.start()
        assert found.temporal_address == chosen.temporal_address

        second.stop()

        third = Server(settings(tmp_path))
        assert (await third.start()).temporal_address == chosen.temporal_address
        third.stop()
    finally:
        first.stop()
    assert ServerNote.read(tmp_path) is None


async def test_two_runs_that_begin_together_share_one_server(tmp_path: Path):
    both = Server(settings(tmp_path)), Server(settings(tmp_path))
    try:
        one, other = await asyncio.gather(*(each.start() for each in both))
        assert one.temporal_address == other.temporal_address
        assert sum(each.process is not None for each in both) == 1
    finally:
        for each in both:
            each.stop()


async def test_a_run_whose_keeper_ended_takes_over(tmp_path: Path):
    first, second = Server(settings(tmp_path)), Server(settings(tmp_path))
    await first.start()
    chosen = await second.start()
    watching = asyncio.create_task(second.watch(chosen))
    try:
        first.stop()
        for _ in range(300):
            if ServerNote.read(tmp_path) is not None:
                break
            await asyncio.sleep(0.1)
        note = ServerNote.read(tmp_path)
        assert note is not None and note.address == chosen.temporal_address
    finally:
        watching.cancel()
        second.stop()
    assert ServerNote.read(tmp_path) is None


async def test_a_keeper_whose_server_never_answers_stops_nobody_for_ever(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("starter.server.TRIES", 3)
    first, second = Server(settings(tmp_path)), Server(settings(tmp_path))
    assert first._keeps()
    try:
        with pytest.raises(CannotStart, match="does not answer"):
            await second.start()
    finally:
        first.stop()


@pytest.mark.parametrize("torn", ["", "{", "{}", "[]", '{"address": 1}', "\x00"])
def test_a_torn_note_is_no_note(tmp_path: Path, torn: str):
    ServerNote.file(tmp_path).write_text(torn)

    assert ServerNote.read(tmp_path) is None


def test_a_note_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path):
    note = ServerNote(address="127.0.0.1:1", ui_port=2, pid=3)

    note.write(tmp_path)

    assert ServerNote.read(tmp_path) == note
    assert json.loads(ServerNote.file(tmp_path).read_text()) == {"address": "127.0.0.1:1", "ui_port": 2, "pid": 3}
    assert [one.name for one in tmp_path.iterdir()] == ["server.json"]


# Rehearsals


async def test_a_case_opened_again_in_a_rehearsal_is_refused_as_repeated(tmp_path: Path):
    played = await rehearse(read_script(written(tmp_path, REHEARSAL)))

    assert played.differences == ()
    assert [step.outcome for step in played.steps] == ["accepted", "repeated"]


async def test_an_opening_step_says_what_it_is_given(tmp_path: Path):
    """Its day and its fields are the opening command's: what is no field there is refused."""
    text = REHEARSAL.replace("with: {area: licensing}", "with: {areas: licensing}").replace(
        "outcome: accepted, stage: opened", "outcome: malformed"
    )
    text = text[: text.index("  - at: 2027-03-02")]

    played = await rehearse(read_script(written(tmp_path, text)))

    assert played.differences == ()
    assert "areas" in (played.steps[0].reason or "")


def test_a_policy_of_ones_own_is_found_beside_the_rehearsal_that_names_it(tmp_path: Path):
    (tmp_path / "ours.yaml").write_text(load.policy_text("mmo"), encoding="utf-8")

    assert read_script(written(tmp_path, REHEARSAL.replace("policy: mmo", "policy: ours.yaml"))).script.policy == str(
        tmp_path / "ours.yaml"
    )
    assert read_script(written(tmp_path, REHEARSAL)).script.policy == "mmo"


def test_a_rehearsal_of_no_known_policy_names_its_line(tmp_path: Path):
    file = written(tmp_path, REHEARSAL.replace("policy: mmo", "policy: atlantis"))

    with pytest.raises(Unreadable, match="no such policy") as refused:
        read_script(file)

    assert str(refused.value).startswith(f"{file}:2:1: policy: ")


STOPPED = {"none": None, "of a process that ended": 2**22 + 1, "of another program": os.getpid()}


@pytest.mark.parametrize("pid", STOPPED.values(), ids=STOPPED)
def test_a_stopped_default_run_is_not_looked_for_where_others_listen(tmp_path: Path, pid: int | None, monkeypatch: pytest.MonkeyPatch):
    """A stranger's engine at the usual port, or where ours was, is not ours: signed acts would go there."""
    monkeypatch.setenv("EVENHAND_VAR", str(tmp_path))
    monkeypatch.delenv("EVENHAND_TEMPORAL_ADDRESS", raising=False)
    if pid is not None:
        ServerNote(address="127.0.0.1:7233", ui_port=8233, pid=pid).write(tmp_path)
    with pytest.raises(NotRunning, match=r"is not running\. Start it with evenhand up; for another engine set EVENHAND_TEMPORAL_ADDRESS"):
        connection(Settings.local())

    monkeypatch.setenv("EVENHAND_TEMPORAL_ADDRESS", "127.0.0.1:7233")
    assert connection(Settings.local())["target_host"] == "127.0.0.1:7233", "named, it is asked"


async def test_while_it_runs_the_note_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVENHAND_VAR", str(tmp_path))
    monkeypatch.delenv("EVENHAND_TEMPORAL_ADDRESS", raising=False)
    one = Server(settings(tmp_path))
    try:
        chosen = await one.start()
        assert Settings.local().temporal_address == chosen.temporal_address
    finally:
        one.stop()
    assert Settings.local().temporal_address == NOT_RUNNING


def test_the_command_line_says_that_the_default_run_is_not_running(tmp_path: Path):
    with_tables(tmp_path / "evenhand.db").dispose()
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_SIGNING_KEY_FILE": key_file_in(tmp_path)}
    acted = evenhand("case", "act", "mmo/1", "warn", "--by", "officer", env=env, wait=60)
    looked = evenhand("doctor", env=env, wait=60)

    assert acted.returncode == 3 and "is not running" in acted.stderr and "Traceback" not in acted.stderr
    assert looked.returncode == 1 and "the default run is not running" in looked.stdout
