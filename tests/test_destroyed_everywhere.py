"""A whole life, copies made of it, and its papers destroyed: then nothing of it can be read anywhere, the copies included."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.client import Client, WorkflowExecutionStatus

from activities.carriers.outbox import Outbox
from activities.clock import Clock
from activities.finishing import Destroying
from records.audit import verify
from records.case_key import Unsealable
from records.database import open_database, reading
from records.keys import KeyStore, file_keys
from records.tables import LetterFileRow, TextRow
from records.vault import DESTROYED, CaseVault, opened_file
from starter.came_back import came_back, empty_again
from starter.clock import now, today
from starter.destroying import scrub
from tests.engine import CUSTOMER, MANAGER, RECORDS, Office, act, assess, engine_on, new_office, report
from tests.traces import slices, traces
from workflows.codec import UNREADABLE
from workflows.converter import with_keys

CASE = "everywhere/1"
EIGHT_YEARS = Clock(timedelta(days=8 * 366))
WORDS = (
    CUSTOMER["name"], CUSTOMER["address"], "Forty emails in one week", "Thirty more emails", "take up the time of the whole team",
    "All is calm again.",
)  # fmt: skip
"""Of the customer, what was reported, why it was decided, and what ended it."""


def copied(source: Path, target: Path) -> None:
    """Copy a database as a backup does, whoever writes to it meanwhile."""
    target.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


async def test_no_readable_byte_is_left_in_records_engine_outbox_logs_or_copies_and_the_workflow_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    live, copies, log = tmp_path / "live", tmp_path / "copies", tmp_path / "log" / "worker.log"
    with caplog.at_level(logging.DEBUG):
        async with engine_on(live / "temporal.db") as server:
            before = new_office(server.client, live)
            async with before.worker():
                await before.restricted(CASE)
                lifted = {"why": "own-motion", "outcome": "lift", "reasons": "All is calm again."}
                await before.lead(CASE, act("review", "r-1", by="sal-senior", saw="s1", with_=lifted))
            for name in ("evenhand.db", "temporal.db"):
                copied(live / name, copies / name)
            pieces = [piece for file in live.rglob("*.pdf") for piece in slices(file.read_bytes())]
            assert len(pieces) > 20 and traces([live / "outbox"], pieces), "the search finds a letter that is there"
            assert readable(copies / "evenhand.db", file_keys(live)) >= set(WORDS[:2]), "a copy is read with the keys that are not in it"
            await destroyed(server.client, before)
    log.parent.mkdir()
    log.write_text(caplog.text, encoding="utf-8")

    assert log.stat().st_size > 1000
    assert not list(live.rglob("*.pdf"))
    assert traces([live, copies, log.parent], [*(word.encode() for word in WORDS), *pieces]) == []
    assert readable(copies / "evenhand.db", file_keys(live)) == set(), "with the very keys, there is none for it"
    assert await opened_by_the_engine(copies / "temporal.db", file_keys(live)) == {UNREADABLE}


async def destroyed(client: Client, before: Office) -> None:
    """Eight years later: two sign, the papers are destroyed, the workflow ends by itself, and the key goes last."""
    after = Office(client, before.folder, before.queue, clock=EIGHT_YEARS)
    keys = file_keys(before.folder)
    async with after.worker():
        for by in (RECORDS, MANAGER):
            await after.do(CASE, act("sign_destruction", f"sign-{by}", by=by))
        await after.do(CASE, act("destroy_papers", "d-1", by=RECORDS))
        row = await Destroying(after.records, client, Outbox(after.outbox), keys=keys).finish(CASE, at=now())
        assert (row.facts["then"]["workflow"], row.facts["then"]["key"]) == ("completed", "destroyed")  # type: ignore[index]  # plain JSON
    scrub(after.records)
    assert not any(word in str(row.facts) for word in WORDS)


def readable(database: Path, keys: KeyStore) -> set[str]:
    """Returns the texts of the case that a copy of the records gives with these keys; its letters are given by none or by all."""
    engine = open_database(f"sqlite:///{database}", keys=lambda: keys)
    with reading(engine) as session:
        texts = set(CaseVault(session, CASE).texts.values())
        letters = session.exec(select(LetterFileRow).where(LetterFileRow.case_id == CASE)).all()
        assert len(letters) > 4 and session.exec(select(TextRow)).first() is not None, "the copy holds the rows, sealed"
        for letter in letters if texts == {DESTROYED} else ():
            with pytest.raises(Unsealable):
                opened_file(keys, letter)
    engine.dispose()
    return texts - {DESTROYED}


async def opened_by_the_engine(database: Path, keys: KeyStore) -> set[object]:
    """Returns what an engine on a copy of its database opens of the messages that the case was sent."""
    async with engine_on(database) as server:
        client = with_keys(server.client, keys)
        handle = client.get_workflow_handle(CASE)
        status = (await handle.describe()).status
        assert status == WorkflowExecutionStatus.RUNNING, "in the copy it still runs"
        events = [event async for event in handle.fetch_history_events()]
        sent = [event.activity_task_scheduled_event_attributes.input.payloads for event in events]
        return {str(one) for payloads in sent if payloads for one in await client.data_converter.decode(list(payloads))}


async def test_a_destroyed_case_that_came_back_with_an_older_copy_is_found_by_its_key_and_destroyed_again(tmp_path: Path):
    """The copy is from before: its case runs again, and can read nothing. Its neighbour goes on."""
    async with engine_on(tmp_path / "temporal.db") as server:
        office = new_office(server.client, tmp_path)
        keys = file_keys(tmp_path)
        async with office.worker():
            for case in (CASE, "neighbour/1"):
                await office.open(case)
                await office.do(case, report())
            assert came_back(office.records, keys) == {}
        keys.destroy(CASE)  # and the records are those of a copy from before that

        [(case, on)] = came_back(office.records, keys).items()
        assert (case, on) == (CASE, today())
        async with office.worker(cached=0):
            await empty_again(office.client, office.records, case, on=on)
            row = await Destroying(office.records, office.client, Outbox(office.outbox), keys=keys).finish(case, at=now())
            assert (await office.do("neighbour/1", assess("goes-on"))).accepted

    assert row.facts["then"]["workflow"] == "terminated" and "older than their destruction" in str(row.facts["destroyed_by"])  # type: ignore[index]  # plain JSON
    assert came_back(office.records, keys) == {}
    with reading(office.records) as session:
        assert session.exec(select(TextRow).where(TextRow.case_id == CASE)).all() == []
        assert verify(session) == ()
    assert office.lines(CASE)[-1].command == "destroy_again"
