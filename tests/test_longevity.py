"""What may change or break under open cases in ten years: rules, policy files, holidays, libraries, time zones, a killed server, a worker
away for a week."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import json
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from sqlmodel import JSON, SQLModel, select
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.testing import ActivityEnvironment

import activities.case
import activities.letters
import domain.days
import domain.decide
from activities.calendars import made_of
from activities.carriers.post import Post
from activities.clock import Clock
from activities.outcome import Act, Letter, Outcome
from domain.case import Case
from domain.commands import Appeal
from domain.days import Holiday, add_working_days
from domain.decision import Decision, decided
from policies import load
from records.append_only import APPEND_ONLY
from records.database import reading
from records.keys import keys_of_engine
from records.log import first_broken_line
from records.tables import CommandRow, LetterRow, LogRow
from starter.cases import Cases
from starter.local import KINDS, today
from starter.standing import standing
from tests.engine import (
    MMO,
    OFFICER,
    SENIOR,
    WARNING,
    Office,
    Process,
    act,
    assess,
    closed_office,
    free_port,
    new_office,
    office,
    opening,
    report,
    road_to_restriction,
    server,
    until,
)
from tests.golden.record import HISTORIES, dates_of, read
from tests.signing import SIGNER
from worker.server import binary, skipping_server
from workflows.codec import CaseCodec
from workflows.converter import DATA_CONVERTER, with_keys
from workflows.monitor import KEYS

__all__ = ["closed_office", "office", "server"]


def decided_facts(office: Office, case: str) -> dict[str, object]:
    """Returns what was decided and told: no later rule, policy or calendar may move it."""
    row = office.row(case)
    assert row is not None
    told = [(one.notice, one.kind, one.status, one.sent_on, one.notified_on) for one in office.notices(case)]
    return {"told": told, **{name: row.state[name] for name in ("sanctions", "warnings", "incidents")}, "edition": row.edition}


# Rules change


async def test_rules_changed_under_thirty_open_cases_stall_none_and_move_nothing_decided(closed_office: Office, monkeypatch):
    """DESIGN 2: a rule fix can never break or silently change the replay of an open case."""
    office = closed_office
    stages = {f"rules/{n}": n % 3 for n in range(30)}

    async def begin(case: str, stage: int) -> None:
        await office.open(case)
        if stage:
            await office.lead(case, *road_to_restriction()[: 2 if stage == 1 else 4])

    async with office.worker():
        for block in range(0, 30, 6):
            await asyncio.gather(*(begin(case, stage) for case, stage in list(stages.items())[block : block + 6]))
    before = {case: decided_facts(office, case) for case in stages}
    assert len(before) == 30

    def other_letters(case: Case, command: object, **_: object) -> Decision:
        return decided(case, "A rule of a later release: it owes no letter and says something else.", cites=["DEF-01"])

    for name in ("warn", "impose_sanction", "report_behaviour", "appeal", "deadline_passed", "notice_sent"):
        monkeypatch.setitem(domain.decide.HANDLERS, name, other_letters)
    async with office.worker():  # a worker that remembers nothing: every case is replayed
        for case in stages:
            assert (await office.do(case, assess("after"))).accepted
            assert await office.failed_tasks(case) == 0
        answers = [(await office.do(case, report("new-rule"))).answer for case in stages]

    assert {case: decided_facts(office, case) for case in stages} == before
    assert set(answers) == {"A rule of a later release: it owes no letter and says something else."}


async def test_an_act_that_was_decided_answers_its_old_outcome_under_new_rules(closed_office: Office, monkeypatch):
    """The same id with the same content answers the stored outcome, whatever the rules say today."""
    office = closed_office
    async with office.worker():
        await office.open("rules/31")
        first = await office.do("rules/31", report())

    def never(*_: object, **__: object) -> Decision:
        raise AssertionError("decided again")

    monkeypatch.setitem(domain.decide.HANDLERS, "report_behaviour", never)
    async with office.worker():
        again = await office.cases.submit_message("rules/31", report())

    assert (again.result, again.answer, again.seq) == (first.result, first.answer, first.seq)


async def test_a_worker_that_dies_after_the_commit_acts_once(closed_office: Office, monkeypatch):
    """Exactly once: the outcome's row is inserted once, and the next attempt answers it."""
    office = closed_office
    tries: dict[str, int] = {}

    def die_once(key: str) -> None:
        tries[key] = tries.get(key, 0) + 1
        if tries[key] == 1:
            raise RuntimeError("died after the commit, before anybody heard of it")

    real_act, real_send = activities.case.CaseActivities.act, activities.case.CaseActivities.send

    def act_and_die(self: object, message: Act) -> Outcome:
        outcome = real_act(self, message)
        die_once(str(message.message["id"]))
        return outcome

    def send_and_die(self: object, letter: object) -> Outcome:
        outcome = real_send(self, letter)
        die_once("letter")
        return outcome

    for dying, real in ((act_and_die, real_act), (send_and_die, real_send)):
        dying.__dict__.update(real.__dict__)
    monkeypatch.setattr(activities.case.CaseActivities, "act", act_and_die)
    monkeypatch.setattr(activities.case.CaseActivities, "send", send_and_die)
    async with office.worker():
        await office.open("dies/1")
        await office.do("dies/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
        await until(lambda: tries.get("letter", 0) > 1, "the letter's second try")
        await office.settled("dies/1")

    assert set(tries) == {"open:dies/1", "report-1", "warn-1", "letter"}
    assert min(tries.values()) == 2
    ids = [line.command_id for line in office.lines("dies/1")]
    assert ids == ["open:dies/1", "report-1", "warn-1", "notice_sent:n1"]
    assert len(list(office.outbox.glob("*/*.html"))) == 1


# Policies and calendars change


async def test_an_open_case_keeps_its_edition_when_the_policy_file_is_edited(office: Office, tmp_path: Path):
    """DESIGN 3: editing a file never alters an open case; a case opened afterwards has the new edition."""
    file = tmp_path / "mmo.yaml"
    file.write_text(load.policy_text("mmo"), encoding="utf-8")
    office.set_up(MMO.model_copy(update={"body": "mmo-edited", "policy": str(file)}))
    await office.open("edition/old", body="mmo-edited")
    await office.lead("edition/old", *road_to_restriction())
    before = standing(office.records, "edition/old", today=today())

    text = load.policy_text("mmo").replace("window: {weeks: {value: 2, cites: [MMO-42]}", "window: {weeks: {value: 6, cites: [MMO-42]}")
    assert text != load.policy_text("mmo")
    file.write_text(text, encoding="utf-8")
    await office.do("edition/old", assess("after"))
    await office.open("edition/new", body="mmo-edited")
    await office.lead("edition/new", *road_to_restriction())

    after, new = (standing(office.records, case, today=today()) for case in ("edition/old", "edition/new"))
    assert after.dates == before.dates
    assert after.dates["appeal_closes"] == today() + timedelta(weeks=2)
    assert new.dates["appeal_closes"] == today() + timedelta(weeks=6)
    old_row, new_row = office.row("edition/old"), office.row("edition/new")
    assert old_row is not None and new_row is not None and old_row.edition != new_row.edition


async def test_a_policy_file_that_is_gone_or_torn_stops_no_open_case(office: Office, tmp_path: Path):
    file = tmp_path / "mmo.yaml"
    file.write_text(load.policy_text("mmo"), encoding="utf-8")
    office.set_up(MMO.model_copy(update={"body": "mmo-torn", "policy": str(file)}))
    await office.open("torn/1", body="mmo-torn")

    file.write_text("policy: [torn", encoding="utf-8")

    assert (await office.lead("torn/1", *road_to_restriction())).stage == "restricted"
    file.unlink()
    assert (await office.do("torn/1", assess("after"))).accepted


async def test_a_policy_file_that_is_torn_is_told_to_whoever_opens_a_case(office: Office, tmp_path: Path, monkeypatch):
    """A file at fault is no fault of the program: opening is answered at once, never tried again as a bug."""
    monkeypatch.setattr(activities.case, "TRIES_BEFORE_SETTING_ASIDE", 1)
    file = tmp_path / "mmo.yaml"
    file.write_text("policy: [torn", encoding="utf-8")
    office.set_up(MMO.model_copy(update={"body": "mmo-torn-first", "policy": str(file)}))

    outcome = await office.open("torn/2", body="mmo-torn-first")

    assert not outcome.accepted
    assert office.row("torn/2") is None
    assert "policy" in f"{outcome.answer} {outcome.remains}"
    assert "fault in the program" not in outcome.answer


async def test_a_new_calendar_comes_to_an_open_case_by_an_act_of_its_own_and_moves_no_date_that_was_told(office: Office, monkeypatch):
    """DESIGN 4: a release ships a newer table. An open case keeps its dates until it takes the table over; what was decided, sent and
    notified stays, and a told date that would move to the customer's disadvantage waits for a person (DEF-06, EH-31)."""
    await office.restricted("calendar/1")
    await office.do("calendar/1", act("appeal", "appeal-1", by="customer", with_={"medium": "email"}, on=today().isoformat()))
    await office.settled("calendar/1")
    before, due = decided_facts(office, "calendar/1"), derived_dates(office, "calendar/1")["answer_due"]

    old = load.calendar()
    mourning = Holiday(on=add_working_days(today(), 3, old)[0], name="A day of mourning")
    new = made_of(old, edition="england-and-wales-later", holidays=(*old.holidays, mourning))
    monkeypatch.setattr(load, "shipped_calendars", lambda: (old, new))

    assert (await office.do("calendar/1", assess("after"))).accepted
    assert derived_dates(office, "calendar/1")["answer_due"] == due
    await office.open("calendar/2")
    assert counted_with(office, "calendar/2") == new.edition

    taken = act("apply_calendar", "table-1", by="calendar", with_={"edition": new.edition})
    assert (await office.do("calendar/1", taken)).accepted
    await office.settled("calendar/1")
    assert await office.failed_tasks("calendar/1") == 0
    assert decided_facts(office, "calendar/1") == before
    assert derived_dates(office, "calendar/1")["answer_due"] == due
    assert counted_with(office, "calendar/1") == new.edition
    [waits] = [one for one in office.tasks("calendar/1") if one.kind == "moved-date"]

    moves = act("decide_moved_date", "move-1", by=SENIOR, with_={"decision": "move", "reasons": "Nobody works that day."}, saw=waits.ref)
    assert (await office.do("calendar/1", moves)).accepted
    await office.settled("calendar/1")
    assert derived_dates(office, "calendar/1")["answer_due"] == add_working_days(due, 1, new)[0]
    assert [one.kind for one in office.notices("calendar/1")][-1] == "date-moved"


def derived_dates(office: Office, case: str) -> dict[str, date]:
    return standing(office.records, case, today=today()).dates


def counted_with(office: Office, case: str) -> str:
    row = office.row(case)
    assert row is not None
    return Case.model_validate(row.state, extra="allow").counting.editions["england-and-wales"]


# Libraries and time zones change

ANOTHERS = "of_another_version"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
GOLDEN = sorted(HISTORIES.glob("*.json"))


def printed_otherwise(value: object) -> object:
    """Returns plain JSON as another version might print it: in another order, +00:00 for Z, no defaults, a field nobody knows."""
    match value:
        case {"do": _}:  # a message is its sender's own, whatever prints it
            return dict(reversed(value.items()))
        case dict():
            kept = {key: printed_otherwise(item) for key, item in reversed(value.items()) if item not in (None, [], {}, False)}
            return {ANOTHERS: {"n": 1}, **kept} if value.keys() & {"v", "id", "carry"} else kept
        case list():
            return [printed_otherwise(item) for item in value]
        case str() if INSTANT.fullmatch(value):
            return datetime.fromisoformat(value).isoformat(timespec="microseconds")
        case _:
            return value


def otherwise(data: bytes) -> bytes:
    return json.dumps(printed_otherwise(json.loads(data)), indent=1).encode()


class AnotherPrinter(PydanticPayloadConverter):
    """Another version of what writes payloads into the engine."""

    def to_payloads(self, values: object) -> list[Payload]:
        payloads = super().to_payloads(values)  # type: ignore[arg-type]  # a sequence
        return [Payload(metadata=one.metadata, data=otherwise(one.data) if one.data else b"") for one in payloads]


def print_records_otherwise(office: Office) -> int:
    """Write all JSON that the records keep of cases again, as another version might have. Returns how many values."""
    cases = [table for table in SQLModel.metadata.sorted_tables if {"case_id", "seq"} & set(table.columns.keys())]
    columns = [(table.name, column.name) for table in cases for column in table.columns if isinstance(column.type, JSON)]
    with closing(sqlite3.connect(office.folder / "evenhand.db")) as records, records:
        for table, act in product(APPEND_ONLY, ("update", "delete")):
            records.execute(f"DROP TRIGGER {table}_no_{act}")
        records.create_function("otherwise", 1, lambda text: otherwise(text.encode()).decode())
        return sum(records.execute(f'UPDATE "{table}" SET "{column}" = otherwise("{column}")').rowcount for table, column in columns)


async def test_a_case_that_other_versions_of_the_libraries_wrote_goes_on_and_back_again(closed_office: Office):
    """DESIGN 2: a newer pydantic can never break or silently change an open case; nor can going back to the one before."""
    office, case = closed_office, "printed/1"
    ours, config = office.client, office.client.config()
    another = dataclasses.replace(ours.data_converter, payload_converter_class=AnotherPrinter)
    theirs = Client(**{**config, "data_converter": another})
    office.client = theirs
    async with office.worker():
        await office.restricted(case)
        stands = await office.cases.look_up(case)
        inputs = [event.activity_task_scheduled_event_attributes.input.payloads for event in await office.events(case)]
        given = [payload for payloads in inputs for payload in payloads]
        assert ANOTHERS in str(await CaseCodec(keys_of_engine(office.records)).decode(given)), "the engine holds what another version wrote"
    before = standing(office.records, case, today=today())
    decision = road_to_restriction()[-1]
    with reading(office.records) as session:
        first = Outcome.model_validate(session.get_one(CommandRow, (case, str(decision["id"]))).outcome)
    assert print_records_otherwise(office) > 20

    found = standing(office.records, case, today=today())
    told = ("stage", "seq", "flags", "dates", "explained", "restrictions", "tasks")
    assert {name: getattr(found, name) for name in told} == {name: getattr(before, name) for name in told}
    for client, next_id in ((ours, "ours"), (theirs, "theirs"), (ours, "ours-again")):
        office.client = client
        async with office.worker():  # it remembers nothing: it replays what either version wrote
            again = await office.cases.submit_message(case, decision)
            assert (again.result, again.answer, again.cites) == (first.result, first.answer, first.cites)
            assert (await office.do(case, assess(next_id))).accepted
            now = await office.cases.look_up(case)
            assert now is not None and stands is not None and (now.wake_at, now.due_key) == (stands.wake_at, stands.due_key)
            assert await office.failed_tasks(case) == 0

    with reading(office.records) as session:
        assert first_broken_line(session, case) is None
    row = office.row(case)
    assert row is not None and row.state[ANOTHERS] == row.state["sanctions"][0][ANOTHERS] == {"n": 1}  # type: ignore[index]  # plain JSON
    assert standing(office.records, case, today=today()).dates == before.dates


def reprinted(value: object) -> object:
    """Returns a history with every JSON payload in it as another version might have written it."""
    match value:
        case {"markerRecordedEventAttributes": _}:  # the engine's own words, in its own print
            return value
        case {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": str(data)}:  # json/plain
            return {**value, "data": base64.b64encode(otherwise(base64.b64decode(data))).decode()}
        case dict():
            return {key: reprinted(item) for key, item in value.items()}
        case list():
            return [reprinted(item) for item in value]
        case _:
            return value


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
async def test_a_golden_history_in_another_print_fires_every_timer_on_its_golden_date(file: Path):
    """What crosses continue-as-new, the outcomes of acts, updates and signals, each as another version might have written it."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    runs = [WorkflowHistory.from_json(kept["case"], reprinted(run)) for run in kept["runs"]]  # type: ignore[arg-type]  # a history's JSON
    assert sum(str(event).count(ANOTHERS) for run in runs for event in run.events) > 50

    golden = json.loads(file.with_suffix(".dates").read_text(encoding="utf-8"))
    assert await dates_of(runs) == golden


SUMMER_ALWAYS, SUMMER_NEVER = timezone(timedelta(hours=1)), timezone.utc


@pytest.mark.parametrize(
    ("old", "new"), [(SUMMER_ALWAYS, SUMMER_NEVER), (SUMMER_NEVER, SUMMER_ALWAYS)], ids=["summer time ends for good", "and stays for good"]
)
async def test_new_time_zone_data_move_no_date_and_the_open_deadline_still_fires(tmp_path: Path, monkeypatch, old: tzinfo, new: tzinfo):
    """DEF-01: dates are civil dates in London, whatever its clocks do; a timer set by the old clocks rings an hour early or late."""
    monkeypatch.setattr(domain.days, "LONDON", old)
    async with await skipping_server() as env:
        office = new_office(env.client, tmp_path)
        async with office.worker(cached=0):  # the server would keep the next message for the worker that remembers the case
            await office.restricted("zone/1")
            stands = await office.cases.look_up("zone/1")
            began = domain.days.london_date(await env.get_current_time())
        before, dates = decided_facts(office, "zone/1"), standing(office.records, "zone/1", today=began).dates
        assert stands is not None and stands.wake_at == domain.days.first_instant(dates["appeal_closes"] + domain.days.ONE_DAY)

        monkeypatch.setattr(domain.days, "LONDON", new)
        assert stands.wake_at != domain.days.first_instant(dates["appeal_closes"] + domain.days.ONE_DAY)
        async with office.worker(cached=0):
            assert standing(office.records, "zone/1", today=began).dates == dates
            last = act("appeal", "appeal-1", by="customer", with_={"medium": "email"}, on=dates["appeal_closes"].isoformat())
            await env.sleep(timedelta(days=15, hours=2))
            await until(lambda: any(fell(line) for line in office.lines("zone/1")), "the deadline")
            await office.settled("zone/1")
            assert decided_facts(office, "zone/1") == before
            assert (await office.do("zone/1", last)).accepted, "it reached the office on the last day of the window"
            assert await office.failed_tasks("zone/1") == 0

    [passed] = [line for line in office.lines("zone/1") if fell(line)]
    assert passed.on == dates["appeal_closes"] + domain.days.ONE_DAY


def fell(line: LogRow) -> bool:
    """Returns whether a line of the log says that the time to appeal ended."""
    return (line.command, line.result) == ("deadline_passed", "accepted") and "appeal" in line.command_id


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
async def test_a_golden_history_replays_on_its_golden_dates_whatever_the_clocks_do_since(file: Path, monkeypatch):
    """Instants are in the history, reckoned by the clocks of their day; replay reckons none again."""
    golden = json.loads(file.with_suffix(".dates").read_text(encoding="utf-8"))

    for zone in (SUMMER_ALWAYS, SUMMER_NEVER):
        monkeypatch.setattr(domain.days, "LONDON", zone)
        assert await dates_of(read(file)) == golden


async def test_letters_that_were_sent_stay_as_they_were_when_what_renders_them_prints_otherwise(closed_office: Office, monkeypatch):
    """DESIGN 2: what was told is evidence, file and hash; a newer Jinja or Markdown prints the next letter, never one again."""
    office, case = closed_office, "rendered/1"
    async with office.worker():
        await office.open(case)
        await office.lead(case, *road_to_restriction()[:2])
    sent, hashed = letters(office, case), {row.notice: row.sha256 for row in letter_rows(office, case)}
    assert list(hashed) == ["n1"] and len(sent) == 3

    class AnotherMarkdown(MarkdownIt):
        def render(self, src: str, env: object = None) -> str:
            return super().render(src).replace("<p>", '<p dir="auto">').replace("\n", "\n\n")

    monkeypatch.setattr(activities.letters, "MarkdownIt", AnotherMarkdown)
    another = partial(ImmutableSandboxedEnvironment, finalize=lambda text: f"{text} ")
    monkeypatch.setattr(activities.letters, "ImmutableSandboxedEnvironment", another)
    activities.letters.wording.cache_clear()
    try:
        async with office.worker():
            repeated = Letter(case=case, notice="n1", now=office.lines(case)[-1].at, seq=office.seq(case))
            ours = activities.case.CaseActivities(engine=office.records, post=Post.into(office.outbox))
            environment = ActivityEnvironment()
            environment.info = replace(environment.info, workflow_id=case, workflow_type="Case")
            environment.run(ours.send, repeated)  # as after a worker that died before anybody heard that the letter went
            await office.lead(case, *road_to_restriction()[2:])
    finally:
        activities.letters.wording.cache_clear()

    now = letters(office, case)
    assert {file: now[file] for file in sent} == sent
    for row in letter_rows(office, case):
        assert row.sha256 == hashlib.sha256(Path(row.file).read_bytes()).hexdigest() == hashed.get(row.notice, row.sha256)
    folder = office.letter(case, "n1").parent
    for kind, trace in ((".html", b'dir="auto"'), (".txt", b" .")):
        assert [trace in now[folder / f"{notice}{kind}"] for notice in ("n1", "n2")] == [False, True]
    assert len(now) == 6 and len(office.lines(case, "notice_sent:n1")) == 1


def letters(office: Office, case: str) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in office.letter(case, "n1").parent.glob("*")}


def letter_rows(office: Office, case: str) -> list[LetterRow]:
    with reading(office.records) as session:
        return list(session.exec(select(LetterRow).where(LetterRow.case_id == case)).all())


# Time passes while nobody works


async def test_an_appeal_that_reached_the_office_on_the_last_day_is_in_time_a_week_later(tmp_path: Path):
    """MMO-42, DESIGN 4: a clock runs from the day a thing arrived, never from the moment a worker got to it."""
    async with await skipping_server() as env:
        office = new_office(env.client, tmp_path)
        async with office.worker(cached=0):  # the server would keep the next message for the worker that remembers the case
            now = await env.get_current_time()
            await office.restricted("late/1")
        closes = now.date() + timedelta(weeks=2)
        assert standing(office.records, "late/1", today=now.date()).dates["appeal_closes"] == closes
        await env.sleep(timedelta(days=14))
        arrived = act("appeal", "appeal-1", by="customer", with_={"medium": "email"}, on=closes.isoformat())
        await office.cases.signal_message("late/1", arrived)

        office.clock = Clock(shift=timedelta(days=7))  # the server cannot skip time while a message waits for a worker
        async with office.worker(cached=0):
            line = await office.logged("late/1", "appeal-1")
            assert (line.result, line.on) == ("accepted", closes), line.what
            assert line.at.date() >= closes + timedelta(days=7)
            await office.settled("late/1")
            assert (
                await office.do("late/1", act("decide_appeal", "d-1", by=SENIOR, saw="a1", with_={"outcome": "uphold", "reasons": "Fair."}))
            ).accepted


async def test_an_appeal_that_arrived_a_day_late_is_late_whenever_it_is_looked_at(tmp_path: Path):
    """MMO-42, MMO-43: late, and still on the record and owed a reply."""
    async with await skipping_server() as env:
        office = new_office(env.client, tmp_path)
        async with office.worker():
            now = await env.get_current_time()
            await office.restricted("late/2")
            await env.sleep(timedelta(days=22))
            arrived = act("appeal", "appeal-1", by="customer", with_={"medium": "email"}, on=(now.date() + timedelta(days=15)).isoformat())
            outcome = await office.cases.submit_message("late/2", arrived)

    assert (outcome.result, "MMO-42" in outcome.cites) == ("refused", True)
    row = office.row("late/2")
    assert row is not None and len(row.state["challenges"]) == 1  # type: ignore[arg-type]  # plain JSON


async def test_what_the_client_sends_without_a_day_counts_from_the_day_it_was_sent(closed_office: Office):
    """DESIGN 4: `on` is when it reached the body. A signal may wait for a worker; so the door that takes it writes the day down."""
    office = closed_office
    await office.cases.start("day/1", opening("day/1"))

    await office.cases.signal("day/1", Appeal(medium="email"), by="customer", id="appeal-1")

    signals = [event.workflow_execution_signaled_event_attributes for event in await office.events("day/1")]
    [given] = [list(one.input.payloads) for one in signals if one.signal_name == "appeal"]
    [sent] = await office.client.data_converter.decode(given)
    await office.handle("day/1").terminate("test over")
    assert sent["on"] == today().isoformat()


# Processes die


class Machines:
    """A server with its database in a file and a worker, as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.env = {
            "EVENHAND_VAR": str(folder),
            "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{self.port}",
            "EVENHAND_DATABASE_URL": f"sqlite:///{folder / 'evenhand.db'}",
            "EVENHAND_TASK_QUEUE": "killed",
        }

    def server(self) -> Process:
        attributes = [word for key in KEYS for word in ("--search-attribute", f"{key.name}={KINDS[key.indexed_value_type.value]}")]
        command = [
            binary("temporal"), "server", "start-dev", "--headless", "--port", str(self.port),
            "--db-filename", str(self.folder / "temporal.db"), "--log-level", "error", *attributes,
        ]  # fmt: skip
        return Process(command, env={}, log=self.folder / "server.log")

    def worker(self) -> Process:
        return Process([sys.executable, "-m", "worker"], env=self.env, log=self.folder / "worker.log")

    async def client(self) -> Client:
        for _ in range(200):
            try:
                return await Client.connect(f"127.0.0.1:{self.port}", data_converter=DATA_CONVERTER)
            except RuntimeError:
                await asyncio.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text())


async def test_server_and_worker_killed_in_the_middle_of_an_act_lose_and_double_nothing(tmp_path: Path):
    """kill -9 of both while an act waits for the records, with eight signals behind it; then both start again."""
    machines = Machines(tmp_path)
    with machines.server() as first_server:
        office = new_office(await machines.client(), tmp_path)
        office.queue = "killed"
        with machines.worker() as first_worker:
            for case in ("killed/1", "killed/2"):
                await office.open(case)
            await office.lead("killed/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
            lock = sqlite3.connect(tmp_path / "evenhand.db", isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            for n in range(8):
                await office.cases.signal_message("killed/1", assess(f"n-{n}"))
            await until_started(office, "killed/1")
            first_worker.kill()
            first_server.kill()
            lock.execute("ROLLBACK")
            lock.close()
    with machines.server(), machines.worker() as second_worker:
        office.client = with_keys(await machines.client(), keys_of_engine(office.records))
        await office.logged("killed/1", "n-7")
        answer = await Cases(office.client, task_queue="killed", signer=SIGNER).submit_message("killed/1", assess("after"))
        assert answer.accepted, second_worker.said
        assert (await office.do("killed/2", report())).accepted
        await office.settled("killed/1")
        assert await office.failed_tasks("killed/1") == 0

    acts = [line.command_id for line in office.lines("killed/1") if not line.command_id.startswith("notice_sent")]
    assert acts == ["open:killed/1", "report-1", "warn-1", *(f"n-{n}" for n in range(8)), "after"]
    assert [one.status for one in office.notices("killed/1")] == ["sent"]
    assert office.seq("killed/1") == len(office.lines("killed/1"))


async def until_started(office: Office, case: str) -> None:
    """Wait until a worker has an act of the case in its hands."""
    for _ in range(300):
        described = await office.handle(case).describe()
        if any(one.state == 2 for one in described.raw_description.pending_activities):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no act was started")
