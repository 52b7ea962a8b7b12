"""A whole life on a real server with its database in a file; then every byte of it is searched, and everything else that was written."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import pytest
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment

import activities.case
import domain.decide
from tests.engine import MANAGER, OFFICER, SENIOR, Office, act, ago, assess, free_port, new_office, raw
from tests.readable import found_in, found_in_files
from worker.server import binary
from workflows.converter import DATA_CONVERTER
from workflows.monitor import KEYS

NAME, STREET, MAIL = "Zebedee Quillfeather", "Marrowfat Lane", "zebedee.quillfeather@example.org"
SUMMARY, CONCERNS, REASONS = "Vociferous telegrams nightly", "Importunate ultimatums", "Inordinate gallimaufry throughout"
GROUNDS, ANSWER, NEED, LOST = "Perfidious verisimilitude", "Sagacious reconsideration", "Kaleidoscope spectacles", "Hobbledehoy unreadable"
CALM, HELD = "Mellifluous tranquillity", "Pettifogging litigants"
WORDS = (NAME, "Quillfeather", STREET, MAIL, SUMMARY, CONCERNS, REASONS, GROUNDS, ANSWER, NEED, LOST, CALM, HELD)
"""Of the customer, and of nobody and nothing else: name, addresses, reasons, what letters say, and a message that could not be read."""
CASE = "walk/1"
LIMIT = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "email"}


def opening(case: str) -> dict[str, object]:
    customer = {"name": NAME, "channel": "email", "address": MAIL, "also_reached_at": [f"1 {STREET}\nExampleton\nAB1 2CD"]}
    return act("open_case", f"open:{case}", by=OFFICER, with_={"body": "mmo", "customer": customer}, on=ago(63))


def road() -> tuple[dict[str, object], ...]:
    behaviour = {"code": "excessive-contact", "medium": "email", "summary": SUMMARY}
    findings = {"own-merits": REASONS, "proportionality-nature": REASONS, "proportionality-frequency": SUMMARY}
    decision = {"restrictions": [LIMIT], "reasons": REASONS, "findings": findings}
    warning = {"medium": "telephone", "findings": {"concerns": CONCERNS, "policy-copy-directed": True}}
    return (
        act("report_behaviour", "2", by=OFFICER, with_=behaviour, on=ago(63)),
        act("warn", "3", by=OFFICER, with_=warning, on=ago(56)),
        act("report_behaviour", "4", by=OFFICER, with_=behaviour, on=ago(35)),
        act("impose_sanction", "5", by=MANAGER, with_=decision, on=ago(28)),
        act("appeal", "6", by="customer", with_={"medium": "email", "grounds": GROUNDS}, on=ago(17)),
        act("decide_appeal", "7", by=SENIOR, with_={"outcome": "uphold", "reasons": ANSWER}, saw="a1", on=ago(7)),
    )


async def live(office: Office) -> None:
    """A life to the end of its restrictions and a hold on its papers, with what goes wrong on the way: refused, malformed, unknown, junk,
    and a fault in the program."""
    await office.cases.open_message(CASE, opening(CASE))
    await office.lead(CASE, *road())
    refused = await office.cases.submit_message(CASE, act("warn", "8", by=OFFICER, with_={"medium": "telephone", "findings": {"x": NAME}}))
    malformed = await office.cases.submit_message(CASE, act("assess", "9", by=OFFICER, with_={LOST: LOST}))
    unknown = await office.cases.submit_message(CASE, act("assess", "10", by=NAME, with_={"findings": {"own-merits": REASONS}}))
    assert {refused.result, malformed.result, unknown.result} <= {"refused", "malformed", "unknown"}
    await office.handle(CASE).signal("nonsense", args=[{"with": {"summary": LOST}}])
    await office.handle(CASE).signal("report_behaviour", args=[raw(b"\x00\x01", "binary/elsewhere")])
    await office.cases.signal_message(CASE, assess("11", NAME))
    await office.logged(CASE, "11")
    aside = await office.cases.submit_message(CASE, assess("12", NEED))
    assert aside.result == "set-aside"
    lifted = {"why": "own-motion", "outcome": "lift", "reasons": CALM}
    hold = {"kind": "litigation", "reasons": HELD, "review_on": ago(-90)}
    await office.lead(
        CASE, act("review", "13", by=SENIOR, with_=lifted, saw="s1", on=ago(1)), act("hold", "14", by=OFFICER, with_=hold, on=ago(0))
    )
    await office.settled(CASE)
    assert office.row(CASE).stage == "archived"


def tables_of(file: Path) -> Iterable[bytes]:
    """Yields every value of every table of a SQLite file: a long one may be cut in two where its page ends.

    A copy is read, with its write-ahead log: what a killed server left is brought in order first, which a reader alone may not do."""
    with TemporaryDirectory(prefix="evenhand-copy-") as folder:
        for part in file.parent.glob(f"{file.name}*"):
            if not part.name.endswith("-shm"):
                shutil.copy(part, folder)
        yield from _values(Path(folder) / file.name)


def _values(file: Path) -> Iterable[bytes]:
    with closing(sqlite3.connect(file)) as base:
        base.text_factory = bytes
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in base.execute(f'SELECT * FROM "{name.decode()}"'):
                yield from (value for value in row if isinstance(value, bytes))


def in_databases(files: Iterable[Path]) -> set[str]:
    return {word for file in files for value in tables_of(file) for word in found_in(value, WORDS)}


def a_fault(*_: object, **facts: object) -> object:
    raise Faulty(f"{NAME} of {STREET}: {facts!r}")


class Faulty(Exception):
    """A fault in the program that quotes whatever it has."""


async def test_after_a_whole_life_no_byte_on_the_server_or_in_the_records_reads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """No name, address, reason or letter's text: in the engine's database, the records, the keys, logs, metrics, attributes, file names."""
    port, engine = free_port(), tmp_path / "engine" / "temporal.db"
    engine.parent.mkdir()
    (tmp_path / "records").mkdir()
    monkeypatch.setattr(activities.case, "TRIES_BEFORE_SETTING_ASIDE", 2)
    real = domain.decide.HANDLERS["assess"]

    def once_faulty(case: object, command: object, **facts: object) -> object:
        return a_fault(**facts) if NEED in str(command) else real(case, command, **facts)  # type: ignore[arg-type]  # passed on

    monkeypatch.setitem(domain.decide.HANDLERS, "assess", once_faulty)
    metrics = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=f"127.0.0.1:{port}")))
    with caplog.at_level(logging.DEBUG):
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=binary("temporal"), dev_server_database_filename=str(engine), search_attributes=KEYS,
            data_converter=DATA_CONVERTER, runtime=metrics,
        ) as server:  # fmt: skip
            office = new_office(server.client, tmp_path / "records")
            async with office.worker():
                await live(office)
                scraped = urlopen(f"http://127.0.0.1:{port}/metrics").read()
                attributes = str((await office.handle(CASE).describe()).typed_search_attributes)
                history = (await office.handle(CASE).fetch_history()).to_json()
                failure = str((await office.handle(CASE).describe()).raw_description)

    files = [one for one in tmp_path.rglob("*") if one.is_file() and "outbox" not in one.parts]
    bases = [one for one in files if one.suffix == ".db"]
    printed = "".join(capfd.readouterr())
    assert {one.name for one in bases} == {"temporal.db", "evenhand.db", "keys.db"}
    assert engine.stat().st_size > 100_000 and len(scraped) > 1000 and "archived" in attributes and len(caplog.text) > 1000
    assert found_in_files(files, WORDS) == {}
    assert in_databases(bases) == set()
    elsewhere = {"log": caplog.text, "printed": printed, "attributes": attributes, "history": history, "description": failure}
    assert {name: found_in(text.encode(), WORDS) for name, text in elsewhere.items()} == {name: set() for name in elsewhere}
    assert found_in(scraped, WORDS) == set()
    names = " ".join(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*"))
    assert "outbox" in names and found_in(names.encode(), WORDS) == set()
    letters = [one for one in tmp_path.rglob("*.txt") if "outbox" in one.parts]
    read = {word for one in letters for word in found_in(one.read_bytes(), WORDS)}
    assert read >= {NAME, REASONS, CALM}, "the search finds what is there to be read"


async def test_the_same_search_finds_a_life_that_was_not_sealed(tmp_path: Path):
    """A client and a worker without keys, as an earlier release: its words are in the engine's file, and are found."""
    engine = tmp_path / "temporal.db"
    (tmp_path / "records").mkdir()
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), dev_server_database_filename=str(engine), search_attributes=KEYS,
        data_converter=DATA_CONVERTER, dev_server_log_level="error",
    ) as server:  # fmt: skip
        config = server.client.config()
        office = new_office(server.client, tmp_path / "records")
        office.client = Client(**config)
        async with office.worker():
            await office.cases.start(CASE, opening(CASE))
            assert (await office.logged(CASE, f"open:{CASE}")).result == "refused"  # plain JSON with text in it

    found = found_in_files(list(tmp_path.glob("temporal.db*")), WORDS)
    assert found and set().union(*found.values()) >= {NAME, MAIL, STREET}
    assert in_databases([engine]) >= {NAME, MAIL, STREET}
    assert in_databases([tmp_path / "records" / "evenhand.db"]) == set()


@pytest.mark.parametrize("word", [NAME, MAIL])
def test_the_search_finds_a_word_however_it_is_written(word: str):
    import base64
    import json

    for said in (word.encode(), word.encode("utf-16"), json.dumps({"a": word}).encode(), f"x{word}y".encode("utf-16-be")):
        for before in (b"", b"1", b"12", b"123"):
            assert found_in(b"\x00\xff" + before + said, [word]) == {word}
            assert found_in(base64.b64encode(before + said + b"tail"), [word]) == {word}
            assert found_in(base64.urlsafe_b64encode(before + said + b"t"), [word]) == {word}
    assert found_in(b"nothing of the kind", [word]) == set()
