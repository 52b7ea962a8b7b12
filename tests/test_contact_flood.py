"""Thousands of contacts in a week: what a case carries stays small, the desk and the register stay right, every contact is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest_asyncio
from sqlalchemy import Engine
from sqlmodel import col, func, select
from temporalio.testing import WorkflowEnvironment

from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome
from activities.recording import Recording
from domain.case import Case
from domain.commands import DismissBreach
from domain.contact_tally import carried, logged, tally_of
from domain.contacts import WAITING_APART
from domain.decide import decide
from domain.desk_entry import Used, entry_of
from domain.desk_question import Asked
from domain.model import REFERENCE
from domain.people import Actor
from records.contacts import contacts_of
from records.database import reading, transaction
from records.desk import Desk
from records.tables import ContactRow, RegisterRow, TaskRow
from tests import stories
from tests.engine import OFFICER, Office, act, new_office
from tests.signing import signed_act
from tests.stories import ENGLAND, MMO, mmo
from tests.test_desk import log
from tests.test_records import CASE, accepted, at, message, opened, records, restricted, the_case  # noqa: F401  # fixtures
from worker.server import binary
from workflows.converter import DATA_CONVERTER
from workflows.monitor import KEYS

MONDAY = date(2027, 3, 15)
FLOOD = 2000
STATE_AT_MOST = 40_000
"""Bytes of a case's state, and of what the workflow is told of it, however many contacts came."""
TOLD_AT_MOST = 12_000


def contact(n: int, day: date) -> dict[str, object]:
    return message(f"c{n}", "log_contact", channel="email", topic=f"SECRET topic {n}", kind="ordinary", handled="limit-it", on=day)


def flooded(engine: Engine, number: int, *, start: int = 0) -> Outcome:
    """Record contacts as the act activity does, in one transaction: waiting for a disk two thousand times tests no rule."""
    with transaction(engine) as session:
        for n in range(start, number):
            sent = contact(n, MONDAY + timedelta(days=n % 5))
            act = Act(case=CASE, message=sent, now=at(MONDAY + timedelta(days=4)))
            outcome = Recording(session, signed_act(session, act), ENGINE_TIME).record()
            assert outcome.accepted, outcome.answer
            session.flush()
    return outcome


def state_size(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(str(connection.exec_driver_sql(f"SELECT state FROM \"case\" WHERE id = '{CASE}'").scalar()))  # the test's own id


def test_two_thousand_contacts_in_a_week_leave_the_case_small_and_the_desk_right(restricted: Engine):
    """MMO-32, A-36: each is a row, each is counted, and a person decides on what departs; the case carries none that waits for nobody."""
    if restricted.dialect.name != "sqlite":
        return  # the same code, ten times as slow
    flooded(restricted, 100)
    early = state_size(restricted)
    outcome = flooded(restricted, FLOOD, start=100)

    assert state_size(restricted) < STATE_AT_MOST and state_size(restricted) - early < 1000
    assert len(outcome.model_dump_json()) < TOLD_AT_MOST
    case = the_case(restricted)
    assert logged(case) == FLOOD and len(case.logged_contacts) == WAITING_APART
    last = case.logged_contacts[-1]
    assert last.more == FLOOD - WAITING_APART and last.more_until == MONDAY + timedelta(days=4)
    with reading(restricted) as session:
        assert session.exec(select(func.count()).select_from(ContactRow)).one() == FLOOD
        [newest] = contacts_of(session, CASE, last=1)
        assert (newest.id, newest.topic, newest.put_with) == (f"k{FLOOD}", f"SECRET topic {FLOOD - 1}", last.id)
        register = session.get(RegisterRow, CASE)
        assert register is not None and register.stage == "restricted"
        waiting = session.exec(select(TaskRow).where(col(TaskRow.kind) == "contact")).all()
    assert len(waiting) == WAITING_APART
    assert f"and {last.more} more like it up to Friday 19 March 2027" in {one.ref: one.what for one in waiting}[last.id]
    asked = Asked(channel="email", topic="Again.", on=MONDAY + timedelta(days=5))
    advice = Desk(restricted).look_up("mmo", CASE, asked)
    volume = next(one for one in advice.found if one.used)
    assert volume.used == Used(contacts=FLOOD) and volume.departs


def test_destroying_the_papers_takes_the_contacts_with_them(restricted: Engine):
    """What was written of a contact is about a person."""
    flooded(restricted, 3)
    accepted(
        restricted, message("lift", "review", by="reviewer", saw="s1", why="own-motion", outcome="lift", reasons="Over."), date(2027, 6, 1)
    )
    accepted(restricted, message("gone:n3", "notice_sent", by=None, saw="n3", method="email"), date(2027, 6, 1), source="post")
    for by in ("records", "reviewer"):
        accepted(restricted, message(f"sign:{by}", "sign_destruction", by=by), date(2033, 6, 2))
    accepted(restricted, message("gone", "destroy_papers", by="records"), date(2033, 6, 2))

    with reading(restricted) as session:
        assert session.exec(select(ContactRow)).all() == []


def test_a_contact_keeps_its_words_in_the_vault_alone(restricted: Engine):
    flooded(restricted, 2)
    with reading(restricted) as session:
        kept = [row.entry for row in session.exec(select(ContactRow)).all()]

    assert len(kept) == 2 and all(str(one["topic"]).startswith(REFERENCE) for one in kept)


def dismissed(case: Case, saw: str, on: date, by: Actor) -> Case:
    return decide(
        case, DismissBreach(reasons="It crossed with our letter.", saw=saw), actor=by, policy=MMO, calendar=ENGLAND, today=on
    ).case


def test_a_case_that_carried_every_contact_counts_on_from_them():
    """Cases of earlier releases hold their contacts in their state: the desk counts them, and the next is numbered after them."""
    days = (MONDAY, MONDAY, MONDAY + timedelta(days=1))
    now = stories.after(stories.a_restricted_mmo_case(), *(log(day) for day in days))
    before = now.model_copy(update={"contacts_logged": 0, "tally": ()})
    assert entry_of(before, MMO) == entry_of(now, MMO)

    after = carried(stories.after(before, log(MONDAY + timedelta(days=2))))

    assert [one.id for one in after.logged_contacts] == ["k2", "k3", "k4"], "the first departed from nothing"
    assert (logged(after), sum(one.contacts for one in tally_of(after))) == (4, 4)


def test_what_was_decided_leaves_the_case_and_its_number_is_not_given_again():
    """A-36: the one who decides names the contact; a later contact has a number of its own."""
    case = carried(stories.after(stories.a_restricted_mmo_case(), log(MONDAY), log(MONDAY)))
    case = carried(dismissed(case, "k2", MONDAY, mmo("officer")))
    assert case.logged_contacts == ()

    [following] = carried(stories.after(case, log(MONDAY))).logged_contacts
    assert following.id == "k3"


def test_a_days_count_is_kept_as_long_as_any_limit_counts_and_no_longer():
    """EH-21: six months at most."""
    case = stories.after(stories.a_restricted_mmo_case(), *(log(MONDAY + timedelta(days=7 * n)) for n in range(60)))

    tally = tally_of(carried(case))

    assert 29 < len(tally) < 35 and tally[-1].on == MONDAY + timedelta(days=7 * 59)


@pytest_asyncio.fixture(loop_scope="session")
async def brief_runs(tmp_path: Path) -> AsyncIterator[Office]:
    """Gives records and a worker on a server that asks for a fresh run after 120 events."""
    limits = ("history.workflowIdReuseMinimalInterval=0", "limit.historyCount.suggestContinueAsNew=120")
    env = await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=[part for limit in limits for part in ("--dynamic-config-value", limit)],
        search_attributes=KEYS,
        data_converter=DATA_CONVERTER,
    )
    async with env:
        yield new_office(env.client, tmp_path)


async def test_a_flood_of_signals_goes_on_from_run_to_run_and_loses_none(brief_runs: Office):
    """A run that has grown long starts afresh with a carry that no contact makes longer."""
    one, flood = brief_runs, 60
    async with one.worker():
        await one.restricted("flood/1")
        first = (await one.handle("flood/1").describe()).run_id
        for n in range(flood):
            with_ = {"channel": "email", "topic": f"Again {n}.", "handled": "limit-it"}
            await one.do("flood/1", act("log_contact", f"c{n}", by=OFFICER, with_=with_))
        described = await one.handle("flood/1").describe()
        last = await one.cases.look_up("flood/1")
    assert described.run_id != first and described.history_length < 400
    assert last is not None and len(json.dumps(last.model_dump(mode="json"))) < TOLD_AT_MOST
    with reading(one.records) as session:
        assert session.exec(select(func.count()).select_from(ContactRow)).one() == flood
    await one.handle("flood/1").terminate("the test is over")
