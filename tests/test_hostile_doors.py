# ruff: noqa: E501  # lists of hostile values
"""Hostile messages, payloads and starts through a real engine: every case answers afterwards, and no workflow task has failed.

With records in a file, and with records and keys in PostgreSQL, which takes less: no NUL, no lone surrogate."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import select
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.carriers.outbox import Outbox
from activities.in_step import compare
from activities.outcome import Outcome
from activities.reconciliation import Reconciling
from records.audit import verify
from records.database import reading
from records.tables import SecurityRow
from starter.clock import now
from tests.engine import (
    MANAGER,
    OFFICER,
    PATIENCE,
    RECORDS,
    SENIOR,
    Office,
    assess,
    evenhand,
    new_office,
    on_postgres,
    opening,
    raw,
    server,
)
from tests.hostile import DOORS, MARK, PAYLOADS, STARTS, Hostile
from tests.test_hostile_records import NOT_FOR_A_SCREEN
from worker.logs import Lines
from workflows.codec import ENCODING, KEY
from workflows.reading import LIMIT

__all__ = ["server"]
PEOPLE = (OFFICER, MANAGER, SENIOR, RECORDS, "customer", "nobody")
Send = Callable[[str, dict[str, object]], Awaitable[object]]


KEY_IDS = (
    b"", b"\xff", b"no-such-key", b"k-\x00", b"k-0123456789abcdef\x00123", b"k-" + b"0" * 20, b"k-" + b"a" * 5000, b"k-\xed\xa0\x80",
    b"k-" + b"0" * 20 + b"\n", b"'; DROP TABLE case_key; --",
)  # fmt: skip
"""What may stand where a sealed payload names its key: the last byte of some is what PostgreSQL takes in no text."""
ANSWERED = "answered, and sealed for others than this client"
SIGNALS = ("act", "assess", "report_behaviour", "x" * 500, "x" * 5000, "\u202e", "a\nb", "a\x00b", "\ud800", "[red]", "__proto__", "é")
UNFIT = ("nul/a\x00b", "\x00", "a b", "e\u0301\u202e", "..", "a/../b", "x" * 101, "line\nend", "<b>", "%s", "'; --")
"""Ids that no case can have, and that an engine takes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["sqlite", "postgres"])
async def office(request: pytest.FixtureRequest, server: WorkflowEnvironment) -> AsyncIterator[Office]:
    """Records with a worker running, on either database: shared by this file's tests, each with cases of its own."""
    with tempfile.TemporaryDirectory(prefix="evenhand-test-") as folder:
        if request.param == "postgres":
            office = on_postgres(server.client, Path(folder), *request.getfixturevalue("two_postgres_urls"))
        else:
            office = new_office(server.client, Path(folder))
        async with office.worker():
            yield office
        async for one in server.client.list_workflows("ExecutionStatus = 'Running'"):  # the next database's cases have the same names
            with suppress(RPCError):
                await server.client.get_workflow_handle(one.id).terminate("the tests are over")
        office.records.dispose()


def of_json(message: dict[str, object]) -> dict[str, object] | None:
    """Returns a message that JSON can carry; others go as raw payloads."""
    try:
        return message if len(json.dumps(message, ensure_ascii=False, allow_nan=False).encode()) < LIMIT else None
    except (ValueError, RecursionError):
        return None


def signed(office: Office, case: str, message: dict[str, object]) -> dict[str, object]:
    try:
        return office.signed(case, message)
    except Exception:  # what cannot be signed is sent without
        return message


async def let_be(sent: Awaitable[object]) -> str:
    """Returns how the engine took something: it may refuse, and the case may; nothing else may happen, and silence neither."""
    try:
        await asyncio.wait_for(sent, PATIENCE)
    except WorkflowUpdateFailedError as failed:
        return str(getattr(failed.cause, "type", "refused"))
    except RPCError as error:
        return f"engine: {error.status.name}"
    except KeyError:
        return ANSWERED
    except (ValueError, TypeError, RecursionError, UnicodeEncodeError):
        return "not sent: this client could not write it"
    return "taken"


def payload(hostile: Hostile) -> RawValue:
    """Returns a payload that claims to be something: broken JSON, another encoding, sealed bytes that are none, forged marks."""
    chance = hostile.chance
    data = chance.choice((b"", b"{", b'"\\ud800"', b"NaN", b"[" * 5000, b'{"a":' * 400 + b"1" + b"}" * 400, b"1e999", b"\xff\xfe", b"\0" * 50,
                          b'{"id":"\\u0000","do":"assess"}', b'{"do":null,"id":[]}', b'{"id":"' + b"y" * 9000 + b'"}', b"9" * 5000,
                          json.dumps(hostile.text()).encode("utf-8", "surrogatepass"), chance.randbytes(60)))  # fmt: skip
    encoding = chance.choice((b"json/plain", b"json/protobuf", b"binary/plain", b"binary/null", ENCODING, ENCODING, b"\xff", b"", b"x" * 300,
                              b"json/plain\x00", b"json/\xed\xa0\x80"))  # fmt: skip
    marks = {"evenhand-sealed": b"1", KEY: chance.choice(KEY_IDS)} if chance.random() < 0.6 else {}
    marks |= {chance.choice(("\x00", "x" * 5000, "é")): chance.randbytes(20)} if chance.random() < 0.1 else {}
    return RawValue(Payload(metadata={"encoding": encoding, **marks}, data=data))


def naming(key_id: bytes) -> RawValue:
    """Returns a payload that claims to be sealed with a key."""
    return RawValue(Payload(metadata={"encoding": ENCODING, KEY: key_id}, data=b"x" * 40))


async def answers(office: Office, case: str) -> None:
    """Fail unless a case acts on what comes next, and no task of its workflow ever failed."""
    said = await office.cases.submit_message(case, assess(f"after-{case}"))
    assert said.result in ("accepted", "refused"), said
    await office.not_stuck(case, tries=1)
    line = office.lines(case, f"after-{case}")
    assert line and line[0].result == said.result


async def test_signals_and_updates_of_every_kind_leave_each_case_answering(office: Office, caplog: pytest.LogCaptureFixture):
    cases = [f"storm/{n}" for n in range(4)]
    for n, case in enumerate(cases):
        await (office.restricted(case) if n == 0 else office.open(case))
    hostile, results = Hostile(1), dict[str, int]()
    caplog.set_level(logging.DEBUG)

    async def one(n: int) -> str:
        case = cases[n % len(cases)]
        message = hostile.message(n, by=PEOPLE)
        message["id"] = f"{case}-{n}" if n % 5 else message["id"]
        if of_json(message) is None:
            return await let_be(office.handle(case).signal("act", raw(json.dumps(message).encode() if n % 2 else b"{" * 100)))
        sent, name = signed(office, case, message), str(message.get("do"))[:60]
        if n % 3:
            return await let_be(office.handle(case).signal(name if n % 2 else "act", sent))
        return await let_be(office.handle(case).execute_update("act", sent, result_type=Outcome))

    for first in range(0, DOORS, 40):
        for said in await asyncio.gather(*(one(n) for n in range(first, first + 40))):
            results[said] = results.get(said, 0) + 1
    print(f"{DOORS} messages: {results}")
    for case in cases:
        await answers(office, case)

    assert sum(results.values()) == DOORS and results["taken"] > DOORS // 3 and len(results) > 3
    lines = [Lines(plain=plain).format(record) for record in caplog.records for plain in (False, True)]
    assert lines and not [line for line in lines if MARK in line or NOT_FOR_A_SCREEN.search(line)]


async def test_payloads_that_are_none_leave_the_case_answering(office: Office):
    await office.open("payloads/1")
    hostile, results = Hostile(2), dict[str, int]()
    for first in range(0, PAYLOADS, 20):
        sends: list[Awaitable[object]] = []
        for n in range(first, first + 20):
            client = office.client if n % 4 == 0 else office.outsider  # whose payloads are sealed once more, or go as they are
            handle = client.get_workflow_handle("payloads/1")
            name, update = hostile.chance.choice(SIGNALS), hostile.chance.choice(("u", "u\x00", "u" * 900, "\u202e"))
            args = [payload(hostile) for _ in range(hostile.chance.choice((1, 1, 0, 3)))]
            if n % 3:
                sends.append(handle.signal(name, args=args))
            else:
                sends.append(handle.execute_update(name, args=args, id=f"{update}-{n}", result_type=Outcome))
        for said in await asyncio.gather(*(let_be(one) for one in sends)):
            results[said] = results.get(said, 0) + 1
    print(f"{PAYLOADS} payloads: {results}")

    await answers(office, "payloads/1")
    assert sum(results.values()) == PAYLOADS and len(results) > 1
    assert not [line for line in office.lines("payloads/1") if NOT_FOR_A_SCREEN.search(f"{line.what}{line.command_id}{line.command}")]


async def test_a_payload_that_names_any_key_is_a_placeholder_and_its_case_goes_on(office: Office):
    """A key's id stands in clear beside a payload: one of an outsider's making reaches no key store."""
    await office.open("keys/1")
    handle = office.outsider.get_workflow_handle("keys/1")
    for n, key_id in enumerate(KEY_IDS):
        await handle.signal("act", naming(key_id))
        said = await let_be(handle.execute_update("assess", naming(key_id), id=f"key-{n}", result_type=Outcome))
        assert said == ANSWERED, (key_id, said)
        await office.not_stuck("keys/1", tries=1)

    await answers(office, "keys/1")


async def test_a_start_under_an_id_that_no_case_can_have_ends_and_is_noted_and_stands_in_nobodys_way(office: Office):
    """While no worker has taken it the nightly round counts it, by no name, and looks at every case; then it ends by itself."""
    await office.open("way/1")
    ends = [await office.outsider.start_workflow("Case", opening(id), id=id, task_queue=office.queue) for id in UNFIT]
    for handle in ends:
        answer = await office.result_or_stuck(office.handle(handle.id))
        assert (answer.result, answer.stage) == ("malformed", ""), (handle.id, answer)
    waits = [await office.outsider.start_workflow("Case", opening(id), id=f"{id}?", task_queue="nobodys") for id in UNFIT]
    await seen(office, len(UNFIT))
    compared = {one.case: one.state for one in await compare(office.client, office.records)}
    report = await Reconciling(office.records, office.client, Outbox(office.outbox), office.queue).round(now())

    assert {handle.id: "unfit id" for handle in waits}.items() <= compared.items() and compared["way/1"] == "in step"
    assert ("", "unfit-id", str(len(UNFIT))) in {(one.case, one.kind, one.where) for one in report.named}
    assert not [one for one in report.named if one.kind == "fault"] and "nul/" not in report.model_dump_json()
    for handle in waits:
        await handle.terminate("test over")
    await answers(office, "way/1")
    with reading(office.records) as session:
        noted = session.exec(select(SecurityRow).where(SecurityRow.door == "start", SecurityRow.case_id == "unreadable")).all()
    assert len(noted) >= 5, "whoever tried is noted, by no name of their making"


async def seen(office: Office, n: int) -> None:
    """Wait until the engine lists what was started: its lists lag."""
    for _ in range(100):
        if (await office.client.count_workflows("TaskQueue = 'nobodys' AND ExecutionStatus = 'Running'")).count >= n:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("in vain: the engine lists what was started")


async def test_search_keys_memos_and_heads_of_a_start_reach_no_table(office: Office):
    """All that an outsider may give with a start besides its message."""
    keys = TypedSearchAttributes(
        [
            SearchAttributePair(SearchAttributeKey.for_keyword("EvenhandBody"), "a\x00b"),
            SearchAttributePair(SearchAttributeKey.for_keyword_list("EvenhandAwaiting"), ["\u202e", "x" * 500]),
        ]
    )
    taken = 0
    for n, facts in enumerate(
        (
            {"search_attributes": keys},
            {"memo": {"a\x00b": naming(b"k-\x00")}},
            {"execution_timeout": timedelta(minutes=5)},
        )
    ):
        try:
            handle = await office.outsider.start_workflow("Case", naming(b"k-\x00"), id=f"given/{n}", task_queue=office.queue, **facts)
        except RPCError:
            continue
        taken += 1
        assert not (await office.result_or_stuck(office.handle(handle.id))).accepted, facts
    assert taken > 1


async def test_starts_of_every_kind_end_with_an_answer_and_leave_nothing_running(office: Office):
    hostile, ended = Hostile(3), 0
    for n in range(STARTS):
        id = hostile.chance.choice(
            (
                f"start/{n}",
                f"../{n}",
                f"{MARK}/{n}",
                f"a b{n}",
                f"x'{n}",
                f"é/{n}",
                f"%s{n}",
                f"..{n}",
                f"<b>{n}",
                f"{n}\u202e",
                f"mmo/nul\x00{n}",
                f"\x00{n}",
                "y" * 900 + f"{n}",
                "y" * 5000,
                f"\ud800{n}",
                f"{n}\n",
            )
        )
        args = [
            hostile.chance.choice((payload(hostile), {"id": "x", "do": "open_case", "by": OFFICER, "with": {"body": hostile.text()[:50]}}))
        ]
        try:
            client = office.client if n % 4 == 0 else office.outsider
            handle = await client.start_workflow("Case", args=args, id=id, task_queue=office.queue)
        except (RPCError, ValueError, UnicodeEncodeError):
            continue
        answer = await office.result_or_stuck(office.handle(handle.id))
        assert not answer.accepted, (id, answer)
        ended += 1
    print(f"{ended} of {STARTS} starts were taken")
    assert ended > STARTS // 2
    with reading(office.records) as session:
        assert verify(session) == ()


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
async def test_no_command_prints_a_sign_that_a_terminal_obeys(office: Office):
    """Whatever stands in a case: as a table, as JSON, and in an error."""
    case, hostile = "screen/1", Hostile(4)
    await office.open(case)
    env = {"EVENHAND_DATABASE_URL": str(office.records.url), "EVENHAND_TEMPORAL_ADDRESS": office.client.service_client.config.target_host,
           "EVENHAND_TASK_QUEUE": office.queue}  # fmt: skip
    words = "\x7f\x85\x9b31m\x9d0;t\x9c \u202e\u2066 [red]x[/] " + hostile.sayable()
    message = {"code": "excessive-contact", "medium": "email", "summary": words}
    said = await office.cases.submit_message(case, {**assess("r-1"), "do": "report_behaviour", "with": message})
    assert said.accepted, said
    await office.cases.submit_message(case, {**assess("r-2"), "do": "report_behaviour", "with": {**message, "code": words}})
    shown = 0
    for given in (("case", "log", case), ("case", "log", case, "--json"), ("case", "show", case), ("case", "show", case, "--json"),
                  ("case", "show", f"no{words}"), ("tasks", "--for", words), ("policy", "check", words), ("letter", "show", case, words)):  # fmt: skip
        done = await asyncio.to_thread(evenhand, *given, env=env)
        assert not NOT_FOR_A_SCREEN.search(f"{done.stdout}{done.stderr}"), given
        assert not {"\u202e", "\u2066"} & set(f"{done.stdout}{done.stderr}"), given
        assert "Traceback" not in done.stderr and done.returncode < 5, (given, done.stderr[-500:])
        shown += MARK in done.stdout + done.stderr
    assert shown > 2, "a guard over commands that show nothing of it would say nothing"
