"""The case workflow on a real development server: one queue, one act at a time, and nothing that comes in can stop it."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import select
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

import activities.case
import domain.decide
import starter.cases
import workflows.acts
import workflows.case
from activities.outcome import Letter, Outcome
from activities.sending import Sending
from domain.commands import COMMANDS
from policies import load
from records.database import reading
from records.log import first_broken_line
from records.tables import LetterRow
from starter.cases import Unavailable
from tests.engine import (
    CUSTOMER,
    MANAGER,
    MMO,
    OFFICER,
    PERSONAL,
    WARNING,
    Office,
    act,
    ago,
    assess,
    closed_office,
    office,
    opening,
    raw,
    report,
    server,
    unsealed,
    until,
)
from workflows.carry import Carry
from workflows.case import CaseWorkflow

__all__ = ["closed_office", "office", "server"]


# What comes in and is answered


async def test_an_update_is_answered_accepted(office: Office):
    await office.open("accepted/1")

    outcome = await office.cases.submit_message("accepted/1", report())

    assert (outcome.result, outcome.command, outcome.stage, outcome.body) == ("accepted", "report-1", "opened", "mmo")
    assert outcome.seq == office.seq("accepted/1")


async def test_a_refused_update_fails_with_the_clause_in_its_details(office: Office):
    """MMO-26: a decision follows a warning. The refusal is an ApplicationError whose details hold the whole outcome."""
    await office.open("refused/1")
    message = office.signed("refused/1", act("warn", "warn-1", by=OFFICER, with_=WARNING))

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await office.handle("refused/1").execute_update("warn", message, id="update-1")

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "refused"
    outcome = Outcome.model_validate(failed.value.cause.details[0], extra="allow")
    assert outcome.cites == ("MMO-24",)
    assert outcome.remains == "Record it with report_behaviour."
    line = await office.logged("refused/1", "warn-1")
    assert (line.result, line.actor, line.cites) == ("refused", OFFICER, ["MMO-24"])


async def test_a_signal_named_after_its_command_takes_plain_json(office: Office):
    await office.open("signal/1")
    body = {
        "id": "s-1",
        "do": "report_behaviour",
        "by": OFFICER,
        "with": {"code": "excessive-contact", "medium": "email", "summary": "Forty emails."},
    }

    await office.handle("signal/1").signal("report_behaviour", office.signed("signal/1", body))

    line = await office.logged("signal/1", "s-1")
    assert (line.command, line.result, line.actor) == ("report_behaviour", "accepted", OFFICER)


async def test_the_signal_named_act_carries_its_command_inside(office: Office):
    await office.open("signal/2")

    await office.handle("signal/2").signal("act", office.signed("signal/2", report("s-2")))

    assert (await office.logged("signal/2", "s-2")).result == "accepted"


# What comes in and is nothing


TOO_LONG = json.dumps({"id": "long", "with": {"summary": "x" * 300_000}}).encode()
GOOD = {"code": "excessive-contact", "medium": "email", "summary": "Forty emails."}
TOMORROW = ago(-1)

JUNK: dict[str, tuple[str, list[object]]] = {
    "no argument": ("report_behaviour", []),
    "null": ("report_behaviour", [raw(b"null")]),
    "no JSON": ("report_behaviour", [raw(b"{not json")]),
    "JSON with bytes that are no UTF-8": ("report_behaviour", [raw(b'{"id": "\xff\xfe"}')]),
    "a number longer than Python reads": ("report_behaviour", [raw(b'{"id": "n", "with": ' + b"9" * 5000 + b"}")]),
    "binary": ("report_behaviour", [raw(b"\x00\x01\x02", "binary/plain")]),
    "binary null": ("report_behaviour", [raw(b"", "binary/null")]),
    "an unknown encoding": ("report_behaviour", [raw(b"whatever", "binary/encrypted-elsewhere")]),
    "no encoding": ("report_behaviour", [raw(b"whatever", None)]),
    "an encoding that is no text": (
        "report_behaviour",
        [RawValue(raw(b"{}").payload.__class__(metadata={"encoding": b"\xff"}, data=b"{}"))],
    ),
    "a list": ("report_behaviour", [["report", "behaviour"]]),
    "a string": ("report_behaviour", ["report"]),
    "300 KB": ("report_behaviour", [raw(TOO_LONG)]),
    "an unknown command": ("escalate_to_ombudsman", [{"id": "u", "by": OFFICER}]),
    "act without a command": ("act", [{"id": "a", "by": OFFICER}]),
    "act with a number for a command": ("act", [{"id": "b", "do": 5, "by": OFFICER}]),
    "fields missing": ("report_behaviour", [{"id": "f", "by": OFFICER, "with": {"medium": "email"}}]),
    "a field too many": ("report_behaviour", [{"id": "g", "by": OFFICER, "with": {**GOOD, "colour": "red"}}]),
    "with is a list": ("report_behaviour", [{"id": "h", "by": OFFICER, "with": [GOOD]}]),
    "no id and no fields": ("report_behaviour", [{"by": OFFICER}]),
    "an id that is a number": ("report_behaviour", [{"id": 7, "by": OFFICER}]),
    "an id that is an object": ("report_behaviour", [{"id": {"a": 1}, "by": OFFICER}]),
    "an id of 5,000 letters": ("report_behaviour", [{"id": "i" * 5000, "by": OFFICER, "with": GOOD}]),
    "a future day": ("report_behaviour", [{"id": "j", "by": OFFICER, "on": TOMORROW, "with": GOOD}]),
    "a day that is none": ("report_behaviour", [{"id": "k", "by": OFFICER, "on": "2026-02-30", "with": GOOD}]),
    "by nobody": ("report_behaviour", [{"id": "l", "with": GOOD}]),
    "by somebody not on the list": ("report_behaviour", [{"id": "m", "by": "mallory", "with": GOOD}]),
    "by a number": ("report_behaviour", [{"id": "n", "by": 3, "with": GOOD}]),
    "a newer envelope": ("report_behaviour", [{"v": 99, "id": "o", "by": OFFICER, "with": GOOD}]),
    "a deadline sent by an outsider": ("deadline_passed", [{"id": "p", "by": OFFICER, "with": {"key": "review-due:s1:2027-01-01"}}]),
    "a deadline sent as the calendar": ("deadline_passed", [{"id": "q", "by": "calendar", "source": "calendar", "with": {"key": "x"}}]),
    "a letter's sending told by an outsider": ("notice_sent", [{"id": "r", "by": OFFICER, "saw": "n1", "with": {"method": "email"}}]),
    "a letter's sending told as the post": (
        "notice_sent",
        [{"id": "s", "by": "post", "source": "post", "saw": "n1", "with": {"method": "email"}}],
    ),
    "infinity": ("report_behaviour", [raw(b'{"id": "t", "by": "pat-officer", "with": {"summary": NaN, "code": 1e999}}')]),
    "a NUL in the text": ("escalate\u0000", [{"id": "v\u0000", "by": "\u0000"}]),
    "JSON nested 200 deep": ("report_behaviour", [raw(b'{"id": "w", "with": {"summary": ' + b"[" * 200 + b"]" * 200 + b"}}")]),
    "JSON nested 400 deep": ("report_behaviour", [raw(b'{"id": "x", "with": {"summary": ' + b"[" * 400 + b"]" * 400 + b"}}")]),
    "JSON nested 20,000 deep": ("report_behaviour", [raw(b"[" * 20_000 + b"]" * 20_000)]),
    "half a character, as JSON may write it": ("report_behaviour", [raw(b'{"id": "y", "with": {"summary": "\\ud800"}}')]),
    "half a character in the id": ("report_behaviour", [raw(b'{"id": "\\ud800"}')]),
}


def signed_where_it_can_be(office: Office, case: str, name: str, args: list[object]) -> list[object]:
    """Returns what is sent, signed: what is no JSON object nobody can sign, and it is refused as such."""
    return [office.signed(case, {"do": name, **one}) if isinstance(one, dict) else one for one in args]


@pytest.mark.parametrize("what", JUNK)
async def test_a_junk_signal_changes_nothing_is_logged_and_stalls_nothing(office: Office, what: str, monkeypatch):
    """DESIGN 2: unreadable, unknown or refused, it changes nothing, is logged with the reason, and never stalls or fails the case."""
    case = f"junk/{list(JUNK).index(what)}"
    await office.open(case)
    monkeypatch.setattr(activities.case, "TRIES_BEFORE_SETTING_ASIDE", 1)
    before = office.row(case)
    assert before is not None
    lines = len(office.lines(case))
    name, args = JUNK[what]

    await office.handle(case).signal(name, args=signed_where_it_can_be(office, case, name, args))

    while len(office.lines(case)) <= lines:
        await office.not_stuck(case, tries=1)
        await asyncio.sleep(0.05)
    await office.not_stuck(case, tries=1)
    after = office.row(case)
    assert after is not None
    assert (after.seq, after.state) == (before.seq, before.state)
    line = office.lines(case)[lines]
    assert line.result in ("malformed", "unknown", "refused", "stale", "unsigned")
    reason = office.text(case, line.detail) if line.detail else line.what
    assert len(reason) > 10
    assert (await office.do(case, report("good"))).accepted
    with reading(office.records) as session:
        assert first_broken_line(session, case) is None


def test_the_junk_above_is_not_empty():
    assert len(JUNK) > 30


async def test_a_junk_update_is_answered_and_stalls_nothing(office: Office):
    await office.open("junk-update/1")
    handle = office.handle("junk-update/1")

    for name, args in (("report_behaviour", []), ("nonsense", [raw(b"\x00", "binary/plain")]), ("act", [raw(b"[1")]), ("warn", ["x"])):
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(name, args=args)
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "unsigned"

    assert await office.failed_tasks("junk-update/1") == 0
    assert (await office.do("junk-update/1", report("good"))).accepted


# How a case may begin


STARTS: dict[str, list[object]] = {
    "no argument": [],
    "two arguments": [opening("x"), opening("y")],
    "null": [raw(b"null")],
    "no JSON": [raw(b"{{")],
    "binary": [raw(b"\x00\x01", "binary/plain")],
    "an unknown encoding": [raw(b"\x00\x01", "binary/snappy")],
    "300 KB": [raw(TOO_LONG)],
    "a string": ["open it"],
    "a list": [[1, 2]],
    "nothing in it": [{}],
    "an unknown body": [{**opening("x"), "with": {"body": "atlantis", "customer": CUSTOMER}}],
    "no customer": [{**opening("x"), "with": {"body": "mmo"}}],
    "an id that is a number": [{**opening("x"), "id": 7, "with": {}}],
    "no id": [{"id": None, "do": "open_case", "by": OFFICER}],
    "another command": [report()],
    "by nobody": [{"do": "open_case", "with": {"body": "mmo", "customer": CUSTOMER}}],
    "a carry of the wrong shape": [{"carry": "x", "queue": "junk"}],
    "a carry whose queue is no queue": [{"carry": 1, "queue": [{"source": "nobody"}]}],
    "a carry with nothing in it": [{"carry": 1}],
    "half a character, as JSON may write it": [raw(b'{"by": "\\ud800"}')],
    "nested 20,000 deep": [raw(b"[" * 20_000 + b"]" * 20_000)],
}


@pytest.mark.parametrize("what", STARTS)
async def test_a_junk_start_ends_with_a_readable_result(office: Office, what: str):
    """DESIGN 2: no message may stall a workflow; one that never opened a case ends and says why."""
    case = f"start/{list(STARTS).index(what)}"
    args = signed_where_it_can_be(office, case, "open_case", STARTS[what])
    handle = await office.client.start_workflow("Case", args=args, id=case, task_queue=office.queue)

    if what == "two arguments":  # the first of them opens a case like any other; the rest is no concern of ours
        while office.row(case) is None:
            await office.not_stuck(case, tries=1)
            await asyncio.sleep(0.05)
        return
    outcome = await office.result_or_stuck(handle)

    assert outcome.result in ("malformed", "unknown", "refused", "unsigned")
    assert outcome.stage == ""
    assert len(outcome.answer) > 10
    assert office.row(case) is None


async def test_a_case_id_of_a_wrong_shape_never_opens(office: Office):
    handle = await office.client.start_workflow(
        "Case", office.signed("bad id; drop table", opening("x")), id="bad id; drop table", task_queue=office.queue
    )

    outcome = await office.result_or_stuck(handle)

    assert outcome.result == "malformed"
    assert "case id" in outcome.answer


async def test_a_case_opened_twice_is_one_case(office: Office):
    await office.open("twice/1")

    again = await office.cases.submit_message("twice/1", opening("twice/1"))

    assert again.result == "accepted"
    assert len(office.lines("twice/1")) == 1


async def test_the_opening_comes_with_the_start_and_is_asked_for_and_costs_one_act(office: Office):
    await office.open("costs/1")

    assert (await office.summaries("costs/1")).count("open_case") == 1


# Once, and only once


async def test_the_same_update_twice_is_one_act_and_one_answer(office: Office):
    await office.open("once/1")

    first = await office.cases.submit_message("once/1", report())
    again = await office.cases.submit_message("once/1", report())

    assert (first.result, first.answer, first.cites, first.remains) == (again.result, again.answer, again.cites, again.remains)
    assert first.seq == again.seq
    assert len(office.lines("once/1", "report-1")) == 1


async def test_the_same_refusal_twice_is_answered_the_same(office: Office):
    await office.open("once/2")
    message = act("warn", "warn-1", by=OFFICER, with_=WARNING)

    first = await office.cases.submit_message("once/2", message)
    again = await office.cases.submit_message("once/2", message)

    assert first.result == again.result == "refused"
    assert (first.answer, first.cites, first.remains) == (again.answer, again.cites, again.remains)
    assert len(office.lines("once/2", "warn-1")) == 1


async def test_eight_at_once_under_one_id_by_both_doors_are_one_act(office: Office):
    await office.open("once/3")
    handle = office.handle("once/3")

    answers = await asyncio.gather(
        *(office.cases.submit_message("once/3", report()) for _ in range(4)),
        *(handle.signal("report_behaviour", office.signed("once/3", report())) for _ in range(4)),
    )
    await office.do("once/3", assess("after"))

    assert {one.result for one in answers if one is not None} == {"accepted"}
    assert len({one.seq for one in answers if one is not None}) == 1
    assert len(office.lines("once/3", "report-1")) == 1


async def test_other_content_under_a_used_id_is_refused_loudly(office: Office):
    await office.open("once/4")
    await office.do("once/4", report())
    seq = office.seq("once/4")

    other = await office.cases.submit_message("once/4", report(summary="Something else."))

    assert other.result == "repeated"
    assert office.seq("once/4") == seq
    assert [line.result for line in office.lines("once/4", "report-1")] == ["accepted", "repeated"]


# No worker, no outbox, no way on


async def test_signals_sent_while_no_worker_runs_are_acted_on_in_order(closed_office: Office):
    """A signal is durable at once even while no worker runs; DESIGN 2."""
    office = closed_office
    await office.cases.start("asleep/1", opening("asleep/1"))
    for n in range(12):
        await office.cases.signal_message("asleep/1", assess(f"n-{n}"))

    async with office.worker():
        await office.logged("asleep/1", "n-11")

    assert [line.command_id for line in office.lines("asleep/1")] == ["open:asleep/1", *(f"n-{n}" for n in range(12))]
    assert {line.result for line in office.lines("asleep/1")} == {"accepted"}


async def test_a_letter_that_cannot_be_written_is_tried_again_while_the_case_goes_on(closed_office: Office):
    """Record first, letter second: staff see the act even while the post is down."""
    office = closed_office
    office.outbox.write_text("a file, where the folder of letters should be")
    async with office.worker():
        await office.open("post/1")
        answer = await office.do("post/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
        assert answer.stage == "warned"
        assert (await office.do("post/1", assess("meanwhile"))).accepted
        assert [one.status for one in office.notices("post/1")] == ["to-send"]
        assert await office.handle("post/1").query("unsent", result_type=list[str]) == ["n1"]

        office.outbox.unlink()
        await office.settled("post/1")

        assert [one.status for one in office.notices("post/1")] == ["sent"]
        assert len(list(office.outbox.glob("*/n1.html"))) == 1
        assert (await office.do("post/1", assess("after"))).accepted
        with reading(office.records) as session:
            assert len(session.exec(select(LetterRow).where(LetterRow.case_id == "post/1")).all()) == 1


async def test_a_letter_goes_on_being_sent_where_its_first_failure_is_heard_of_after_a_later_act(closed_office: Office, monkeypatch):
    """Record first, letter second: what the case hears last of is not what happened last."""
    office, heard, sends = closed_office, threading.Event(), Sending.send

    def slow(self: Sending, letter: Letter, *, now: datetime) -> Outcome:
        outcome = sends(self, letter, now=now)
        if outcome.command.startswith("notice_delayed"):
            office.outbox.unlink()
            heard.wait(30)
        return outcome

    monkeypatch.setattr(Sending, "send", slow)
    office.outbox.write_text("a file, where the folder of letters should be")
    async with office.worker():
        await office.open("late/1")
        await office.do("late/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
        await office.logged("late/1", "notice_delayed:n1")
        assert (await office.do("late/1", assess("meanwhile"))).accepted
        heard.set()
        await office.settled("late/1")

    assert [one.status for one in office.notices("late/1")] == ["sent"]


async def test_a_letter_with_a_missing_part_is_a_fact_on_the_case_and_stalls_nothing(office: Office, tmp_path):
    """DEF-14: a letter without a part that a clause demands does not go; a person looks, and the case goes on."""
    text = load.policy_text("mmo").replace("- {part: concerns, cites: [MMO-24]}", "- {part: way-forward, cites: [MMO-24]}")
    file = tmp_path / "mmo-with-a-part-nobody-gives.yaml"
    file.write_text(text)
    office.set_up(MMO.model_copy(update={"body": "mmo-missing", "policy": str(file)}))
    await office.open("missing/1", body="mmo-missing")

    await office.do("missing/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
    await office.settled("missing/1")

    [notice] = office.notices("missing/1")
    assert notice.status == "blocked"
    problem = office.text("missing/1", notice.problem or "")
    assert "way-forward" in problem and "MMO-24" in problem
    assert [task for task in office.tasks("missing/1") if task.ref == "n1"], "nobody is asked to look at the blocked letter"
    assert (await office.do("missing/1", assess("after"))).accepted
    assert not list(office.outbox.glob("missing*/*"))


async def test_a_rule_that_breaks_is_tried_again_then_set_aside_and_the_queue_goes_on(office: Office, monkeypatch):
    """DESIGN 2: a command that fails by a bug is retried visibly, then set aside for a person, and the queue goes on."""
    tries = []

    def broken(*_: object, **__: object) -> None:
        tries.append(1)
        raise RuntimeError("a bug that names Quentin Testcase")

    monkeypatch.setitem(domain.decide.HANDLERS, "consult", broken)
    monkeypatch.setattr(activities.case, "TRIES_BEFORE_SETTING_ASIDE", 3)
    await office.open("broken/1")
    seq = office.seq("broken/1")
    consult = act("consult", "c-1", by=OFFICER, with_={"person": MANAGER, "about": "decision", "view": "Fair."})

    asked = asyncio.ensure_future(office.cases.submit_message("broken/1", consult))
    await until(lambda: tries, "the first try")
    await office.cases.signal_message("broken/1", assess("behind"))
    outcome = await asked

    assert (outcome.result, len(tries)) == ("set-aside", 3)
    assert (await office.logged("broken/1", "behind")).result == "accepted"
    [line] = office.lines("broken/1", "c-1")
    assert line.result == "set-aside"
    assert "Quentin" not in line.what
    assert office.seq("broken/1") == seq + 2, "the message behind it, and the task that somebody looks into the one set aside"
    assert office.row("broken/1").state["set_aside"] == ["c-1"]


async def test_the_text_of_a_fault_never_reaches_the_engine(office: Office, monkeypatch):
    """DESIGN 5: error types and messages in the engine hold no personal data; an exception's text may quote any."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("cannot place Quentin Testcase of example.org")

    monkeypatch.setitem(domain.decide.HANDLERS, "consult", broken)
    monkeypatch.setattr(activities.case, "TRIES_BEFORE_SETTING_ASIDE", 2)
    await office.open("broken/2")
    consult = act("consult", "c-1", by=OFFICER, with_={"person": MANAGER, "about": "decision", "view": "Fair."})
    await office.cases.submit_message("broken/2", consult)

    failures = [
        event.activity_task_started_event_attributes.last_failure
        for event in await office.events("broken/2")
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]
    texts = [f"{one.message} {one.stack_trace}" for one in failures if one.message]
    assert texts, "the failed try is not to be seen in the history"
    assert not [text for text in texts if any(word in text for word in PERSONAL)]


async def test_an_answer_that_takes_too_long_is_pending_and_the_same_id_asks_again(closed_office: Office, monkeypatch):
    """DESIGN 2: beyond a bounded wait, 'pending, ask again with this id'."""
    office, gate = closed_office, threading.Event()
    real = domain.decide.HANDLERS["assess"]

    def slow(*args: object, **kwargs: object) -> object:
        assert gate.wait(15)
        return real(*args, **kwargs)

    monkeypatch.setitem(domain.decide.HANDLERS, "assess", slow)
    monkeypatch.setattr(workflows.acts, "PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(workflows.acts, "ANSWER_WITHIN", timedelta(seconds=0.3))
    async with unsealed(), office.worker():
        await office.open("slow/1")
        answer: Outcome = await office.handle("slow/1").execute_update(
            "assess", office.signed("slow/1", assess("a-1")), result_type=Outcome
        )
        assert (answer.result, answer.command) == ("pending", "a-1")

        gate.set()
        again = await office.cases.submit_message("slow/1", assess("a-1"))

    assert again.result == "accepted"
    assert [line.result for line in office.lines("slow/1", "a-1")] == ["accepted"]


async def test_whoever_asks_again_after_pending_is_told_pending_again_and_not_left_waiting(closed_office: Office, monkeypatch):
    """DESIGN 2: the wait is bounded each time, while the records are away; then the one act is answered to whoever asks."""
    office, gate = closed_office, threading.Event()
    real = domain.decide.HANDLERS["assess"]

    def slow(*args: object, **kwargs: object) -> object:
        assert gate.wait(40)
        return real(*args, **kwargs)

    monkeypatch.setitem(domain.decide.HANDLERS, "assess", slow)
    monkeypatch.setattr(workflows.acts, "ACT_WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(workflows.acts, "PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(workflows.acts, "ANSWER_WITHIN", timedelta(seconds=0.3))
    async with unsealed(), office.worker():
        await office.open("slow/3")
        for n in range(3):
            asked = office.handle("slow/3").execute_update(
                "assess", office.signed("slow/3", assess("a-1")), id=f"asked-{n}", result_type=Outcome
            )
            answer: Outcome = await asyncio.wait_for(asked, 15)
            assert (answer.result, answer.command) == ("pending", "a-1")
        gate.set()
        assert (await office.cases.submit_message("slow/3", assess("a-1"))).result == "accepted"
        history = await office.handle("slow/3").fetch_history()
    assert len(office.lines("slow/3", "a-1")) == 1
    await Replayer(workflows=[CaseWorkflow], data_converter=office.client.data_converter).replay_workflow(history)


async def test_a_client_that_is_told_pending_asks_until_it_is_answered_or_says_so(closed_office: Office, monkeypatch):
    office, gate = closed_office, threading.Event()
    real = domain.decide.HANDLERS["assess"]

    def slow(*args: object, **kwargs: object) -> object:
        assert gate.wait(15)
        return real(*args, **kwargs)

    monkeypatch.setitem(domain.decide.HANDLERS, "assess", slow)
    monkeypatch.setattr(workflows.acts, "PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(starter.cases, "PENDING_TRIES", 2)
    monkeypatch.setattr(starter.cases, "ANSWERED_WITHIN", 3.0)
    async with unsealed(), office.worker():
        await office.open("slow/2")
        monkeypatch.setattr(workflows.acts, "ANSWER_WITHIN", timedelta(seconds=0.02))
        with pytest.raises(Unavailable, match="ask again with the id a-1"):
            await office.cases.submit_message("slow/2", assess("a-1"))
        gate.set()
        await office.logged("slow/2", "a-1")
    assert len(office.lines("slow/2", "a-1")) == 1


# What the Temporal UI shows


async def test_search_attributes_find_the_case(office: Office):
    await office.restricted("found/1")

    query = "EvenhandStage = 'restricted' AND EvenhandBody = 'mmo' AND EvenhandDueKind = 'appeal-closes' AND EvenhandOverdue = false"
    for _ in range(300):
        found = [one.id async for one in office.client.list_workflows(f"{query} AND WorkflowId = 'found/1'")]
        if found:
            break
        await asyncio.sleep(0.05)

    assert found == ["found/1"]
    due = [one async for one in office.client.list_workflows("WorkflowId = 'found/1' AND EvenhandDue > '2020-01-01T00:00:00Z'")]
    assert len(due) == 1


async def test_summaries_say_which_command_which_letter_and_which_deadline_and_nothing_personal(office: Office):
    """DESIGN 5: summaries hold references and dates, never personal data."""
    await office.restricted("summary/1")

    found = await office.summaries("summary/1")

    assert {"open_case", "report_behaviour", "warn", "impose_sanction", "n1", "n2"} <= set(found)
    assert any(one.startswith("Appeal closes ") and "MMO-42" in one for one in found), found
    assert not [one for one in found if any(word in one for word in PERSONAL)]


async def test_a_summary_names_a_command_or_says_that_it_is_none(office: Office):
    """A sender can put anything where the command's name stands; a summary is read by whoever runs the engine."""
    await office.open("summary/2")
    await office.handle("summary/2").signal("act", {"id": "x", "by": OFFICER, "do": "Quentin Testcase, 1 Example Street"})
    await office.logged("summary/2", "x")

    assert not [one for one in await office.summaries("summary/2") if "Quentin" in one]


async def test_current_details_show_stage_deadline_and_what_can_be_sent(office: Office):
    """DESIGN 2: a dynamic handler lists no names in the UI, so the details show what is possible now, each with JSON to paste."""
    await office.open("details/1")
    await office.do("details/1", report())

    details = await office.details("details/1")

    assert "**Stage:** opened" in details
    assert "**Next deadline:** none" in details
    pasted = [json.loads(line.strip("`")) for line in details.splitlines() if line.startswith("`{")]
    named = [line.split("**")[1] for line in details.splitlines() if line.startswith("Signal **")]
    assert named and set(named) <= set(COMMANDS)
    assert len(pasted) == len(named)
    assert all({"v", "id", "by", "with"} <= set(one) for one in pasted)
    assert not [word for word in PERSONAL if word in details]


async def test_what_the_details_offer_can_be_pasted_and_filled_in(office: Office):
    await office.open("details/2")
    await office.do("details/2", report())
    details = await office.details("details/2")
    assert "Signal **warn**" in details
    offered = next(line for line in details.split("Signal **warn**")[1].splitlines() if line.startswith("`{"))

    message = {**json.loads(offered.strip("`")), "id": "pasted", "by": OFFICER, "with": WARNING}
    await office.handle("details/2").signal("warn", office.signed("details/2", {"do": "warn", **message}))

    assert (await office.logged("details/2", "pasted")).result == "accepted"


async def test_current_details_of_a_restricted_case_show_the_deadline_with_its_clause(office: Office):
    await office.restricted("details/3")

    details = await office.details("details/3")

    assert "**Stage:** restricted" in details
    assert "Appeal closes" in details and "MMO-42" in details
    assert not [word for word in PERSONAL if word in details]


async def test_a_message_in_the_wrong_field_shows_nothing_personal_in_the_details(office: Office):
    """workflows/monitor.py: codes and dates only; a fault quotes what was found, which may be anything."""
    await office.open("details/4")
    message = {"id": "x", "by": OFFICER, "with": {"code": "Quentin Testcase", "medium": "email", "summary": "Forty emails."}}
    await office.handle("details/4").signal("report_behaviour", office.signed("details/4", {"do": "report_behaviour", **message}))
    await office.logged("details/4", "x")
    await asyncio.sleep(0.2)

    details = await office.details("details/4")

    assert not [word for word in PERSONAL if word in details]


async def test_the_state_query_answers_what_the_last_act_answered(office: Office):
    await office.open("query/1")
    last = await office.do("query/1", report())

    state = await office.cases.look_up("query/1")

    assert state == last


# Runs end, the case goes on


async def test_a_case_renews_itself_and_loses_and_doubles_nothing(closed_office: Office, monkeypatch):
    """Every act starts a new run here; forty updates and signals come while runs end under them."""
    office = closed_office
    monkeypatch.setattr(workflows.case, "RUN_AT_MOST", timedelta(0))
    async with unsealed(), office.worker():
        await office.open("renew/1")
        handle = office.handle("renew/1")
        first = (await handle.describe()).run_id
        for block in range(5):
            answers = await asyncio.gather(*(office.cases.submit_message("renew/1", assess(f"u-{block}-{n}")) for n in range(6)))
            assert [one.result for one in answers] == ["accepted"] * 6
            await asyncio.gather(*(office.cases.signal_message("renew/1", assess(f"s-{block}-{n}")) for n in range(2)))
        await office.logged("renew/1", "s-4-0")
        await office.logged("renew/1", "s-4-1")
        assert (await handle.describe()).run_id != first
        assert (await office.cases.submit_message("renew/1", assess("u-0-0"))).accepted

    ids = [line.command_id for line in office.lines("renew/1")]
    assert sorted(ids) == sorted(
        ["open:renew/1", *(f"u-{b}-{n}" for b in range(5) for n in range(6)), *(f"s-{b}-{n}" for b in range(5) for n in range(2))]
    )
    assert office.seq("renew/1") == len(ids)


async def test_a_renewed_case_keeps_its_deadline_its_details_and_its_attributes(closed_office: Office, monkeypatch):
    office = closed_office
    monkeypatch.setattr(workflows.case, "RUN_AT_MOST", timedelta(0))
    async with unsealed(), office.worker():
        before = await office.restricted("renew/2")
        await office.do("renew/2", act("consult", "c-1", by=OFFICER, with_={"person": SENIOR_VIEW, "about": "review", "view": "Fair."}))
        await until_new_run(office, "renew/2")
        after = await office.cases.look_up("renew/2")
        details = await office.details("renew/2")
        summaries = await office.summaries("renew/2")
        attributes = (await office.handle("renew/2").describe()).typed_search_attributes

    assert after is not None
    assert (after.due_key, after.wake_at, after.stage) == (before.due_key, before.wake_at, "restricted")
    assert "**Stage:** restricted" in details
    assert any(one.startswith("Appeal closes") for one in summaries), "the new run set no timer"
    assert "restricted" in [pair.value for pair in attributes]


SENIOR_VIEW = "sal-senior"


async def until_new_run(office: Office, case: str) -> None:
    """Wait until the run that answers was started by an earlier one."""
    for _ in range(200):
        events = await office.events(case)
        if events[0].workflow_execution_started_event_attributes.continued_execution_run_id:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{case} never started a new run")


async def test_what_a_newer_release_put_into_the_carry_survives_this_one(closed_office: Office, monkeypatch):
    """Carry preserves unknown fields: a roll-back must lose nothing that a newer release carried."""
    office, begin = closed_office, Carry.begin

    def as_a_newer_release(given: object, case: str, *, continued: bool, unsealed: bool = False) -> Carry:
        carry = begin(given, case, continued=continued, unsealed=unsealed)
        return carry if continued else carry.model_copy(update={"postbox": {"newer": [1, 2, 3]}})

    monkeypatch.setattr(workflows.case, "RUN_AT_MOST", timedelta(0))
    monkeypatch.setattr(Carry, "begin", as_a_newer_release)
    async with unsealed(), office.worker():
        await office.open("carry/1")
        await until_new_run(office, "carry/1")
        started = (await office.events("carry/1"))[0].workflow_execution_started_event_attributes
        [carried] = await office.client.data_converter.decode(list(started.input.payloads))

    assert carried["postbox"] == {"newer": [1, 2, 3]}
    assert carried["last"]["result"] == "accepted"


async def test_nobody_else_can_hand_a_case_its_state(office: Office):
    """A start argument that looks like carried state is a request to resume from the records, and nothing more."""
    forged = {"carry": 1, "queue": [{"message": {"id": "x", "do": "deadline_passed", "with": {"key": "k"}}, "source": "calendar"}]}

    handle = await office.client.start_workflow("Case", forged, id="forged/1", task_queue=office.queue)

    assert (await handle.result())["result"] == "unknown"


async def test_a_case_ends_when_its_papers_are_destroyed_and_not_before(office: Office):
    await office.open("end/1")
    await office.do("end/1", act("withdraw", "w-1", by=OFFICER, with_={"reasons": "Opened too soon."}))

    early = await office.cases.submit_message("end/1", act("destroy_papers", "d-1", by="ray-records"))

    assert early.result == "refused"
    assert (await office.handle("end/1").describe()).status == WorkflowExecutionStatus.RUNNING
