"""What reaches the body is kept before anything is asked of the engine: with everything down, an appeal on its last day is not lost."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select
from temporalio.testing import WorkflowEnvironment

from activities.clock import Clock
from activities.relay import Relay, Relayed
from activities.signatures import claims_in
from records.case_key import SEALED_TEXT
from records.database import reading, transaction
from records.inbox import IdTaken, NoRunningCase, due, in_inbox, message_of
from records.signing_keys import revoke
from records.tables import CommandRow, InboxRow, SecurityRow
from starter.cases import Cases, Unfit
from starter.clock import now
from starter.intake import INTAKE, Malformed, receive, received
from starter.signer import Signer
from tests.engine import Office, act, ago, assess, engine_on, evenhand, new_office, until
from tests.engine import closed_office as closed_office
from tests.engine import office as office
from tests.engine import server as server
from tests.signing import SIGNER, key_file_in, know

LATER = timedelta(minutes=5)


def appeal(id: str = "appeal-1", grounds: str = "I had a real question.", **facts: str) -> dict[str, object]:
    return act("appeal", id, by="customer", with_={"medium": "email", "grounds": grounds}, **facts)


def take(office: Office, case: str, message: dict[str, object]) -> dict[str, object]:
    """Takes a message in as a portal does: signed, kept, and nobody asked."""
    return received(office.records, case, message, signer=SIGNER)


async def nobody_there() -> Cases:
    raise RuntimeError("Failed client connect: nothing listens there")


def waiting(office: Office) -> list[tuple[str, str]]:
    with reading(office.records) as session:
        return [(row.case_id, row.command_id) for row in in_inbox(session)]


def row(office: Office, case: str, id: str) -> InboxRow:
    with reading(office.records) as session:
        found = session.get(InboxRow, (case, id))
        assert found is not None
        return found


def answered(office: Office, case: str, id: str) -> CommandRow | None:
    with reading(office.records) as session:
        return session.get(CommandRow, (case, id))


def test_the_commands_kept_first_are_those_by_which_customers_act():
    assert {"appeal", "request_review"} <= INTAKE and "impose_sanction" not in INTAKE


def days_on(days: int) -> str:
    return ago(-days)


async def test_an_appeal_on_its_last_day_with_the_engine_down_counts_from_the_day_it_came(server: WorkflowEnvironment, tmp_path: Path):
    """MMO-42: two weeks. Everything is away for a week from the last day on; the window closes first, and the appeal was in time."""
    office, case = new_office(server.client, tmp_path), "inbox/1"
    async with office.worker():
        await office.restricted(case)
    outcome = await receive(nobody_there, office.records, case, appeal(on=days_on(14)), signer=SIGNER)

    assert outcome.result == "pending" and days_on(14) in outcome.answer
    assert waiting(office) == [(case, "appeal-1")]

    office.clock = Clock(shift=timedelta(days=21))
    async with office.worker():
        await office.do(case, assess("wakes-the-case"))
        await until(lambda: closed(office, case), "the window closes")
        done = await Relay(office.records, office.client).round(now() + LATER)
        assert done == Relayed(passed=1)
        await until(lambda: answered(office, case, "appeal-1"), "the case answers")
    assert "received in time" in said(office, case, "appeal-1")


async def test_an_appeal_a_day_later_is_late_all_the_same(server: WorkflowEnvironment, tmp_path: Path):
    """The outage moves no deadline, to nobody's favour."""
    office, case = new_office(server.client, tmp_path), "inbox/late"
    async with office.worker():
        await office.restricted(case)
    await receive(nobody_there, office.records, case, appeal(on=days_on(15)), signer=SIGNER)
    office.clock = Clock(shift=timedelta(days=21))
    async with office.worker():
        await Relay(office.records, office.client).round(now() + LATER)
        await until(lambda: answered(office, case, "appeal-1"), "the case answers")
    assert "must reach us within 2 weeks" in said(office, case, "appeal-1")


async def test_a_malformed_appeal_is_told_at_once_with_the_engine_away_and_is_not_kept(office: Office):
    """Nobody is told that something is received which no case could read: it would be refused when its last day is past."""
    case = "inbox/malformed"
    await office.restricted(case)
    odd = {**appeal("odd"), "with": {"medium": "pigeon", "ground": "SECRET"}}

    outcome = await receive(nobody_there, office.records, case, odd, signer=SIGNER)

    assert outcome.result == "malformed" and waiting(office) == []
    assert "with.medium" in outcome.answer and "with.ground is no field here" in outcome.answer
    assert "Nothing was kept. appeal takes: " in str(outcome.remains)
    with pytest.raises(Malformed):
        take(office, case, odd)


async def test_a_malformed_appeal_is_noted_by_its_case_where_that_can_be_asked(office: Office):
    case = "inbox/noted"
    await office.restricted(case)

    outcome = await receive(lambda: found(office), office.records, case, {**appeal("odd"), "with": {"medium": "pigeon"}}, signer=SIGNER)

    assert outcome.result == "malformed" and waiting(office) == []
    assert answered(office, case, "odd") is not None, "the case's log has it"


async def test_with_the_engine_there_the_answer_comes_at_once_and_the_words_are_let_go(office: Office):
    case = "inbox/2"
    await office.restricted(case)

    outcome = await receive(lambda: found(office), office.records, case, appeal(), signer=SIGNER)

    assert outcome.accepted, outcome.answer
    kept = row(office, case, "appeal-1")
    assert (kept.state, kept.result, kept.message) == ("answered", "accepted", ""), "the case has the words; the inbox keeps none"
    assert await Relay(office.records, office.client).round(now() + LATER) == Relayed()


async def test_a_relay_that_dies_between_passing_on_and_noting_it_makes_one_act(office: Office):
    case = "inbox/3"
    await office.restricted(case)
    take(office, case, appeal())
    relay = Relay(office.records, office.client)
    with reading(office.records) as session:
        ((_, _, message),) = due(session, at=now() + LATER)
    await office.handle(case).signal("appeal", message)  # passed on, and dead before it could note that
    for _ in range(3):
        await relay.round(now() + LATER * 20)

    await until(lambda: answered(office, case, "appeal-1"), "the case answers")
    await relay.round(now())  # an answer is noted in the next round, whenever the message was due again
    assert row(office, case, "appeal-1").result == "accepted"
    assert len([line for line in office.lines(case, "appeal-1") if line.result == "accepted"]) == 1


async def test_a_refusal_is_an_answer_too(office: Office):
    case = "inbox/4"
    await office.open(case)

    outcome = await receive(lambda: found(office), office.records, case, appeal(), signer=SIGNER)

    assert not outcome.accepted and row(office, case, "appeal-1").result == outcome.result
    assert waiting(office) == []


async def test_the_same_message_again_keeps_its_first_day_and_another_under_its_id_is_refused(office: Office):
    case = "inbox/5"
    await office.open(case)
    take(office, case, appeal(on=ago(3)))

    assert take(office, case, appeal(on=ago(1)))["on"] == ago(3)
    with pytest.raises(IdTaken, match="appeal-1 was used for another message"):
        take(office, case, appeal(grounds="Other words."))
    assert waiting(office).count((case, "appeal-1")) == 1


async def test_a_case_that_nobody_has_is_said_at_once(office: Office):
    with pytest.raises(NoRunningCase, match="no running case nobody/1"):
        take(office, "nobody/1", appeal())


async def test_a_case_without_a_workflow_holds_up_no_other_and_is_tried_ever_more_seldom(server: WorkflowEnvironment, tmp_path: Path):
    office = new_office(server.client, tmp_path)
    async with office.worker():
        await office.restricted("inbox/gone")
        await office.restricted("inbox/there")
        await office.handle("inbox/gone").terminate("lost")
        take(office, "inbox/gone", appeal())
        take(office, "inbox/there", appeal())
        relay = Relay(office.records, office.client)

        assert await relay.round(now() + LATER) == Relayed(passed=1, refused=1)
        await until(lambda: answered(office, "inbox/there", "appeal-1"), "the other case answers")
        first = row(office, "inbox/gone", "appeal-1").next_at
        assert (await relay.round(first)).refused == 1
        assert row(office, "inbox/gone", "appeal-1").next_at - first == timedelta(minutes=2)
        assert waiting(office)[0] == ("inbox/gone", "appeal-1")


async def test_with_the_engine_away_a_round_ends_at_once_and_nothing_is_tried(tmp_path: Path):
    """A server of its own, ended under the relay's feet and started again with the same cases."""
    database = tmp_path / "engine.db"
    async with engine_on(database) as env:
        office = new_office(env.client, tmp_path)
        async with office.worker():
            for case in ("inbox/6", "inbox/7"):
                await office.restricted(case)
                take(office, case, appeal())
    assert await Relay(office.records, office.client, patience=timedelta(seconds=2)).round(now() + LATER) == Relayed(away=True)
    assert [row(office, case, "appeal-1").tries for case in ("inbox/6", "inbox/7")] == [0, 0]

    async with engine_on(database) as env:
        office.use(env.client)
        async with office.worker():
            assert await Relay(office.records, office.client).round(now() + LATER) == Relayed(passed=2)
            await until(lambda: all(answered(office, case, "appeal-1") for case in ("inbox/6", "inbox/7")), "both cases answer")


async def found(office: Office) -> Cases:
    return office.cases


def closed(office: Office, case: str) -> bool:
    return any(line.what.startswith("The time to appeal ended") for line in office.lines(case))


def said(office: Office, case: str, id: str) -> str:
    command = answered(office, case, id)
    assert command is not None
    return str(command.outcome["answer"])


async def test_a_message_is_signed_when_it_is_kept_and_keeps_that_signature_all_the_way(office: Office):
    """Asked for at once and passed on besides, it is one act with one token."""
    case = "inbox/8"
    await office.restricted(case)
    kept = take(office, case, appeal())
    signed = claims_in(kept["token"])
    assert signed and (signed.sub, signed.case, signed.id) == ("customer", case, "appeal-1")
    with reading(office.records) as session:
        there = row(office, case, "appeal-1")
        assert message_of(session, there) == kept and there.message.startswith(SEALED_TEXT)

    await receive(lambda: found(office), office.records, case, appeal(), signer=another_signer(kept))

    command = answered(office, case, "appeal-1")
    assert command is not None and command.message["token"] == kept["token"]


def another_signer(kept: dict[str, object]) -> Signer:
    """Returns a signer whose signature would be another: of a minute later."""
    claims = claims_in(kept["token"])
    assert claims is not None
    return SIGNER.at(claims.signed_at + timedelta(minutes=1))


async def test_what_no_known_key_signed_is_not_kept_and_noted_as_at_any_door(office: Office):
    case, stranger = "inbox/9", Signer(Ed25519PrivateKey.generate(), iss="stranger")
    await office.open(case)

    outcome = await receive(nobody_there, office.records, case, appeal(), signer=stranger)

    assert outcome.result == "unsigned" and "hold no key" in outcome.answer
    with reading(office.records) as session:
        assert session.get(InboxRow, (case, "appeal-1")) is None
        assert [(one.claimed_by, one.do) for one in session.exec(select(SecurityRow).where(SecurityRow.case_id == case)).all()] == [
            ("customer", "appeal")
        ]
    assert take(office, case, appeal())["token"], "the true one still comes in under its id"


async def test_one_whose_key_was_revoked_meanwhile_is_shown_and_not_passed_on_again_and_again(office: Office):
    """Its case would refuse it each time, with a line in its log each time."""
    case, portal = "inbox/10", Signer(Ed25519PrivateKey.generate(), iss="portal")
    await office.restricted(case)
    know(office.records, portal, customer=True)
    received(office.records, case, appeal(), signer=portal)
    with transaction(office.records) as session:
        revoke(session, portal.kid, at=now() - timedelta(hours=1), why="stolen")
    before = len(office.lines(case))

    assert (await Relay(office.records, office.client).round(now() + LATER)).refused == 1

    there = row(office, case, "appeal-1")
    assert (there.state, there.result, there.tries, len(office.lines(case))) == ("waiting", "unsigned", 1, before)


async def test_a_message_that_brings_its_signature_names_its_day(office: Office):
    case = "inbox/11"
    await office.open(case)
    with pytest.raises(Unfit, match="names no day"):
        take(office, case, SIGNER.sign(case, appeal()))
    own = SIGNER.sign(case, appeal(on=ago(0)))
    assert take(office, case, own) == own


async def test_the_command_line_keeps_an_appeal_while_no_engine_is_there(office: Office):
    """Signed by this machine's key, kept, and said to be received; the list shows no words."""
    case, words = "inbox/12", "A real question of mine."
    await office.restricted(case)
    env = {
        "EVENHAND_VAR": str(office.folder), "EVENHAND_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "EVENHAND_SIGNING_KEY_FILE": key_file_in(office.folder),
    }  # fmt: skip
    fields = json.dumps({"medium": "email", "grounds": words})

    done = await asyncio.to_thread(
        evenhand, "case", "act", case, "appeal", "--by", "customer", "--id", "appeal-1", "--with", fields, env=env
    )
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "received"), done.stdout + done.stderr
    listed = await asyncio.to_thread(evenhand, "inbox", env=env)
    assert f"{case}  appeal-1" in listed.stdout and words not in listed.stdout + done.stdout
    unsigned = {**env, "EVENHAND_SIGNING_KEY_FILE": str(office.folder / "none.pem")}
    refused = await asyncio.to_thread(evenhand, "case", "act", case, "appeal", "--by", "customer", "--with", fields, env=unsigned)
    assert refused.returncode == 2 and "none.pem" in refused.stderr and waiting(office).count((case, "appeal-1")) == 1

    await Relay(office.records, office.client).round(now() + LATER)
    await until(lambda: answered(office, case, "appeal-1"), "the case answers")
    assert "received in time" in said(office, case, "appeal-1")
