"""Signed acts on a real server: the SDK, the binary, a stolen token, a reset, an activity that nobody's case asked for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update
from sqlmodel import select
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import ActivityFailureError, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.outcome import Act, Letter, Outcome
from records.database import reading, transaction
from records.fixed_keys import guard_keys, unguard_keys
from records.log import first_broken_line
from records.security import first_broken_refusal
from records.signing_keys import revoke
from records.tables import CommandRow, RefusedCountRow, SecurityRow, SigningKeyRow
from starter.by_binary import options
from starter.cases import Cases, NoKey
from starter.clock import now
from starter.signer import Signer
from tests.engine import OFFICER, WARNING, Office, ago, assess, office, report, server, until
from tests.signing import SIGNER, key_file_in, know
from worker.server import binary
from worker.settings import Settings

__all__ = ["office", "server"]

STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), iss="mallory")


def security(office: Office, case: str) -> list[SecurityRow]:
    with reading(office.records) as session:
        return list(session.exec(select(SecurityRow).where(SecurityRow.case_id == case)).all())


async def answer(office: Office, case: str, message: dict[str, object]) -> str | None:
    """Returns the kind of refusal that an update gets from the plain SDK."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await office.handle(case).execute_update(str(message["do"]), message, result_type=Outcome)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type


async def test_an_unsigned_update_from_an_sdk_is_refused_and_stands_in_the_security_log(office: Office):
    await office.open("sdk/1")

    assert await answer(office, "sdk/1", report()) == "unsigned"
    assert await answer(office, "sdk/1", STRANGER.sign("sdk/1", report())) == "unsigned"

    assert [(row.door, row.claimed_by, row.do, row.kid) for row in security(office, "sdk/1")] == [
        ("update", OFFICER, "report_behaviour", ""),
        ("update", OFFICER, "report_behaviour", STRANGER.kid),
    ]
    assert (await office.do("sdk/1", report())).accepted
    assert [line.result for line in office.lines("sdk/1")] == ["accepted", "accepted"]


async def test_an_unsigned_signal_is_refused_and_stands_in_the_case_s_log(office: Office):
    await office.open("sdk/2")

    await office.handle("sdk/2").signal("report_behaviour", report())

    line = await office.logged("sdk/2", "report-1")
    assert (line.result, line.actor) == ("unsigned", "unknown")
    assert OFFICER in line.what and not security(office, "sdk/2")


async def test_a_token_taken_from_one_act_serves_no_other(office: Office):
    """Seen in the engine's history by whoever may read it: it is worth nothing anywhere else."""
    await office.open("stolen/1")
    await office.open("stolen/2")
    token = office.signed("stolen/1", report())["token"]

    assert await answer(office, "stolen/2", {**report(), "token": token}) == "unsigned"
    assert await answer(office, "stolen/1", {**report("report-2"), "token": token}) == "unsigned"
    assert await answer(office, "stolen/1", {**assess("report-1"), "token": token}) == "unsigned"
    replayed = [await office.handle("stolen/1").execute_update("act", {**report(), "token": token}, result_type=Outcome) for _ in range(2)]

    assert [one.result for one in replayed] == ["accepted", "accepted"]
    assert len(office.lines("stolen/1", "report-1")) == 1


async def test_a_client_without_a_key_says_so_before_anything_is_sent(office: Office):
    await office.open("keyless/1")

    with pytest.raises(NoKey, match="EVENHAND_SIGNING_KEY_FILE"):
        await Cases(office.client, task_queue=office.queue).submit_message("keyless/1", report())


async def reset(office: Office, case: str) -> None:
    """Have everything that came to a case come again, from its first task on."""
    first = next(e for e in await office.events(case) if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    run = WorkflowExecution(workflow_id=case, run_id=(await office.handle(case).describe()).run_id)
    await office.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default", workflow_execution=run, reason="test", request_id=f"reset-{run.run_id}",
            workflow_task_finish_event_id=first.event_id,
        )
    )  # fmt: skip


def noted(office: Office, case: str) -> tuple[object, ...]:
    """Returns all that stands of refused messages: rows, lines, counts."""
    with reading(office.records) as session:
        counted = session.exec(select(RefusedCountRow.n).where(RefusedCountRow.case_id == case)).all()
        assert first_broken_line(session, case) is None and first_broken_refusal(session) is None
    lines = [(line.n, line.command_id, line.result) for line in office.lines(case)]
    return [row.command_id for row in security(office, case)], lines, sum(counted)


async def test_what_was_refused_as_unsigned_stays_refused_when_a_reset_has_it_come_again_though_its_key_is_known_by_now(office: Office):
    """Its sender was told no. Nothing is noted or counted twice; signed anew, it counts."""
    case, late = "reset/2", Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))), iss="late")
    await office.open(case)
    await office.do(case, report("good"))
    act = late.sign(case, report("early"))
    assert await answer(office, case, act) == "unsigned"
    await office.handle(case).signal("report_behaviour", late.sign(case, report("early-signal")))
    await office.handle(case).signal("report_behaviour", {"by": OFFICER, "with": {"words": "without an id"}})
    await office.logged(case, "early-signal")
    await until(lambda: len(office.lines(case)) == 4, "both signals stand in the log")
    know(office.records, late, staff=True)
    before = noted(office, case)
    assert before[0] == ["early"] and before[2] == 3

    for _ in range(2):
        await reset(office, case)
        assert (await office.heard(case)).seq == 2
        assert noted(office, case) == before

    assert await answer(office, case, act) == "unsigned", "the very message, sent again by hand, stays refused too"
    assert noted(office, case) == before
    anew = replace(late, now=lambda: now() + timedelta(seconds=5)).sign(case, report("early"))
    assert (await office.handle(case).execute_update("report_behaviour", anew, result_type=Outcome)).accepted


async def test_a_reset_does_everything_again_to_the_same_end_though_the_key_was_revoked_since(office: Office):
    """temporal.md 4: a reset runs what came again, at its own time. What is recorded answers as it did; nothing is refused or doubled."""
    case = "reset/1"
    await office.restricted(case)
    before = [(line.command_id, line.result) for line in office.lines(case)]
    with transaction(office.records) as session:
        revoke(session, SIGNER.kid, at=now() - timedelta(days=4000), why="stolen")
    try:
        await reset(office, case)
        state = await office.heard(case)
        assert (await office.cases.submit_message(case, report("new"))).result == "unsigned"
    finally:
        with office.records.begin() as connection:  # as nobody could who does not take the guards away first
            unguard_keys(connection)
            connection.execute(update(SigningKeyRow).values(revoked_at=None, revoked_why=None))
            guard_keys(connection)

    assert state.stage == "restricted"
    assert [row.command_id for row in security(office, case)] == ["new"]
    assert [(line.command_id, line.result) for line in office.lines(case)] == before
    assert (await office.do(case, assess("after"))).accepted


# What only the case's own workflow may have done


POSTED = {"v": 1, "id": "notice_sent:n1", "do": "notice_sent", "saw": "n1", "with": {"method": "email"}}


@workflow.defn(name="Somebody else's")
class Elsewhere:
    @workflow.run
    async def run(self, queue: str) -> None:
        act = {"case": "alone/1", "message": POSTED, "source": "post", "now": "2027-01-01T12:00:00Z"}
        await workflow.execute_activity("act", act, task_queue=queue, start_to_close_timeout=timedelta(seconds=10))


async def test_an_activity_started_alone_or_by_another_workflow_does_nothing(office: Office):
    """What the post and the calendar say is believed because the case's own workflow says it; anybody could start these."""
    case = "alone/1"
    await office.open(case)
    await office.do(case, report(on=ago(40)))
    forged = Act(case=case, message=POSTED, source="post", now=now())
    letter = Letter(case=case, notice="n1", now=now())
    lines = len(office.lines(case))

    for name, given in (("act", forged), ("send", letter)):
        with pytest.raises(ActivityFailureError) as alone:
            await office.client.execute_activity(
                name, given, id=f"alone-{name}", task_queue=office.queue, start_to_close_timeout=timedelta(seconds=10)
            )
        assert isinstance(alone.value.cause, ApplicationError) and alone.value.cause.type == "NotTheCase"

    async with Worker(office.client, task_queue=f"{office.queue}-else", workflows=[Elsewhere], workflow_runner=UnsandboxedWorkflowRunner()):
        with pytest.raises(WorkflowFailureError) as other:
            await office.client.execute_workflow("Somebody else's", office.queue, id="alone/else", task_queue=f"{office.queue}-else")
    refused = other.value.cause
    assert isinstance(refused, ActivityError) and isinstance(refused.cause, ApplicationError) and refused.cause.type == "NotTheCase"
    assert len(office.lines(case)) == lines


# The binary, and what a manager pastes


async def temporal(server: WorkflowEnvironment, *words: str) -> tuple[int, str]:
    address = server.client.service_client.config.target_host
    child = await asyncio.create_subprocess_exec(
        binary("temporal"), *words, "--address", address, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await child.communicate()
    return child.returncode or 0, said.decode()


async def test_the_binary_alone_cannot_act(server: WorkflowEnvironment, office: Office):
    await office.open("binary/1")
    text = json.dumps(report())

    code, said = await temporal(
        server, "workflow", "update", "execute", "--workflow-id", "binary/1", "--name", "report_behaviour", "--input", text
    )
    assert code != 0 and "type: unsigned" in said
    await temporal(server, "workflow", "signal", "--workflow-id", "binary/1", "--name", "report_behaviour", "--input", text)
    assert (await office.logged("binary/1", "report-1")).result == "unsigned"


def evenhand(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {
        "EVENHAND_VAR": str(folder),
        "EVENHAND_SIGNING_KEY_FILE": key_file_in(folder),
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        **more,
    }
    return subprocess.run([str(Path(sys.executable).with_name("evenhand")), *words], env=env, capture_output=True, text=True, check=False)


async def test_what_the_command_line_prints_is_pasted_and_counts(server: WorkflowEnvironment, office: Office):
    """Its texts go into the records first, and references are printed: the engine keeps what is pasted readable."""
    await office.open("pasted/1")
    await office.do("pasted/1", report(on=ago(40)))

    words = ("case", "act", "pasted/1", "warn", "--by", OFFICER, "--id", "w-1", "--with", json.dumps(WARNING))
    printed = evenhand(*words, "--print", "--json", folder=office.folder)
    assert printed.returncode == 0, printed.stderr
    made = json.loads(printed.stdout)
    assert "Forty emails" in json.dumps(WARNING) and "Forty emails" not in printed.stdout
    code, said = await temporal(
        server, "workflow", "signal", "--workflow-id", "pasted/1", "--name", made["signal"], "--input", json.dumps(made["input"])
    )

    assert code == 0, said
    line = await office.logged("pasted/1", "w-1")
    assert (line.result, line.actor) == ("accepted", OFFICER)
    address = server.client.service_client.config.target_host
    again = (*words[:-3], "w-2", *words[-2:], "--print")
    shown = evenhand(*again, folder=office.folder, EVENHAND_TEMPORAL_ADDRESS=address)
    assert run_as_printed(shown.stdout).returncode == 0
    assert (await office.logged("pasted/1", "w-2")).result == "accepted"
    elsewhere = evenhand(*again, folder=office.folder, EVENHAND_TEMPORAL_ADDRESS=address, EVENHAND_TEMPORAL_NAMESPACE="nowhere")
    assert "Namespace nowhere is not found" in run_as_printed(elsewhere.stdout).stderr


def run_as_printed(shown: str) -> subprocess.CompletedProcess[str]:
    """Runs the last line that a command printed, as somebody would who pastes it."""
    command = shown.strip().splitlines()[-1].replace("temporal ", f"{binary('temporal')} ", 1)
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)


ELSEWHERE = ("--address", "engine.example.org:7233", "--namespace", "evenhand")
LEADS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "the default run": ({}, ()),
    "compose": ({"temporal_address": "engine.example.org:7233", "temporal_namespace": "evenhand"}, ELSEWHERE),
    "a profile": (
        {"temporal_profile": "operators", "temporal_config": "FILE", "temporal_namespace": "evenhand"},
        ("--profile", "operators", "--config-file", "FILE", *ELSEWHERE),
    ),
}


@pytest.mark.parametrize("what", LEADS)
def test_the_printed_command_goes_to_the_engine_that_the_settings_name(tmp_path: Path, what: str):
    given, wanted = LEADS[what]
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.operators]\naddress = "engine.example.org:7233"\napi_key = "not-for-any-screen"\n')
    settings = Settings(**{name: value.replace("FILE", str(file)) for name, value in given.items()})  # type: ignore[arg-type]  # texts alone

    assert options(settings) == tuple(word.replace("FILE", str(file)) for word in wanted)


def test_without_records_a_text_is_not_printed_but_said_to_be_put_first(tmp_path: Path):
    words = ("case", "act", "pasted/2", "warn", "--by", OFFICER, "--with", json.dumps(WARNING), "--print")
    said = evenhand(*words, folder=tmp_path)

    assert said.returncode == 2 and "with.findings.concerns" in said.stderr and "evenhand text put" in said.stderr
    assert "Forty emails" not in said.stderr + said.stdout
    named = {**WARNING, "findings": {"concerns": f"text:{'0' * 32}", "policy-copy-directed": True}}
    assert evenhand(*words[:7], json.dumps(named), "--print", folder=tmp_path).returncode == 0


async def test_the_details_say_that_what_is_pasted_must_be_signed(office: Office):
    await office.open("details-signed/1")
    await office.do("details-signed/1", report())

    assert "must be signed" in await office.details("details-signed/1")


async def test_the_signatures_of_a_case_are_verified_again_from_the_command_line(office: Office):
    await office.restricted("listed/1")
    await office.handle("listed/1").signal("warn", assess("forged"))
    await office.logged("listed/1", "forged")

    listed = evenhand("case", "signatures", "listed/1", folder=office.folder)
    shown = evenhand("case", "show", "listed/1", folder=office.folder)

    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "5 signatures verified; 0 acts without one that holds." in listed.stdout
    assert "forged" not in listed.stdout
    assert "Signatures: 5 acts signed, every signature verifies." in shown.stdout
    with transaction(office.records) as session:
        row = session.exec(select(CommandRow).where(CommandRow.case_id == "listed/1", CommandRow.command_id == "report-1")).one()
        row.message = {**row.message, "on": "2020-01-01"}
        session.add(row)
    listed = evenhand("case", "signatures", "listed/1", folder=office.folder)
    shown = evenhand("case", "show", "listed/1", folder=office.folder)
    audited = evenhand("audit", "verify", "--json", folder=office.folder)
    assert listed.returncode == 1 and "another day (on)" in " ".join(listed.stdout.split())
    assert "5 acts signed, NOT of report-1" in shown.stdout
    broken = [one["what"] for one in json.loads(audited.stdout)["broken"]]
    assert audited.returncode == 1 and len(broken) == 1 and "report-1 of listed/1" in broken[0]
