"""Histories of invented cases that ran to their end, replayed by every test run: an open case must never meet code it cannot follow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.worker import Replayer

from domain.commands import COMMANDS
from domain.message import read_command, read_message
from tests.golden.record import HISTORIES, dates_of, read
from workflows.case import CaseWorkflow
from workflows.converter import DATA_CONVERTER

MESSAGES = HISTORIES.parent / "messages"
KEPT = sorted(HISTORIES.glob("*.json"))
SENT = sorted(MESSAGES.glob("*.json"))


def test_there_are_histories_and_messages_to_hold_the_code_to():
    """A guard that could pass on an empty set counts what it checks."""
    assert len(KEPT) >= 2
    assert {file.stem.split("-")[0] for file in KEPT} >= {"mmo", "portsmouth", "posted"}
    assert len(SENT) >= len(COMMANDS) > 30


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
async def test_the_case_workflow_still_follows_every_golden_history(file: Path):
    runs = read(file)
    assert runs and sum(len(run.events) for run in runs) > 50
    replayer = Replayer(workflows=[CaseWorkflow], data_converter=DATA_CONVERTER)

    for run in runs:
        await replayer.replay_workflow(run)


def test_a_golden_case_has_letters_handed_over_and_hears_by_signal_when_they_were_posted():
    """Between the two its case waits with a letter that is with a printer: a state of its own, with timers of its own (DEF-06, EH-34)."""
    events = [event for file in KEPT if file.stem.startswith("posted") for run in read(file) for event in run.events]
    answers = [part.data for one in events for part in one.activity_task_completed_event_attributes.result.payloads]
    signals = [one.workflow_execution_signaled_event_attributes.signal_name for one in events]
    handed = sum(b'"command":"notice_handed_over:' in one for one in answers)

    assert handed == signals.count("notice_sent") > 2
    assert any(b"letter-overdue" in one for one in answers)


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
async def test_every_timer_still_fires_on_its_golden_date(file: Path):
    """Replay passes although a timer's length changed; so its date is held beside it."""
    golden = json.loads(file.with_suffix(".dates").read_text(encoding="utf-8"))
    assert len(golden) > 3

    assert await dates_of(read(file)) == golden


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_a_golden_date_is_the_date_its_summary_names(file: Path):
    """The instant a timer fires is the start of a London day: midnight in winter, eleven at night UTC in summer (DEF-01)."""
    golden = json.loads(file.with_suffix(".dates").read_text(encoding="utf-8"))

    assert {moment[11:19] for moment, _ in golden} <= {"00:00:00", "23:00:00"}


@pytest.mark.parametrize("file", SENT, ids=lambda file: file.stem)
def test_every_golden_message_still_reads_into_its_command_and_nothing_of_it_is_lost(file: Path):
    sent = json.loads(file.read_text(encoding="utf-8"))

    message = read_message(sent)
    command = read_command(message)

    assert command.do == sent["do"]
    assert command.id == sent["id"]
    assert command.saw == sent.get("saw")
    assert (command.on.isoformat() if command.on else None) == sent.get("on")
    kept = command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True)
    assert kept == sent.get("with", {})


def test_every_command_has_a_golden_message():
    assert {json.loads(file.read_text(encoding="utf-8"))["do"] for file in SENT} == set(COMMANDS)


def test_a_golden_message_keeps_the_fields_this_release_does_not_know():
    """Every message is {v, id, do, by, on, saw, with, token}; unknown fields are kept."""
    sent = json.loads((MESSAGES / "warn-1.json").read_text(encoding="utf-8"))

    message = read_message({**sent, "token": "signed", "colour": "red"})

    assert message.token == "signed"
    assert message.model_dump(mode="json", by_alias=True, exclude_unset=True) == {**sent, "token": "signed", "colour": "red"}
