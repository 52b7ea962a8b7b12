"""The contact desk's look-up beside a raw read by primary key, in one run, with 100,000 people on the register."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, insert, text
from sqlmodel import Session

from domain.case import Case, Customer
from domain.desk_entry import Entry, Limit, entry_of
from domain.desk_question import Asked
from domain.restrictions import ContactVolumeLimit, NoReplyOnTopic, Restriction
from policies import load
from records.case_key import CaseKey, new_id, new_secret
from records.database import create_all, open_database, transaction
from records.desk import Desk, key_of, secret_of
from records.keys import CASE_KEY, KeyStore, keys_of
from records.tables import DeskEntryRow, DeskKeyRow, TextRow
from records.vault import text_place
from starter.desk_reads import CONTACT, note_look

PEOPLE = 100_000
READS = 10_000
TOPIC = "text:" + "0" * 32
RAW = text("SELECT entry FROM desk_entry WHERE case_id = :case")
KEEP, KEPT = text("CREATE TABLE bare_line (n INTEGER PRIMARY KEY, said TEXT)"), text("INSERT INTO bare_line (said) VALUES (:said)")
LINE = "x" * 300
"""As long as a line of the read log, about."""


class Cost(NamedTuple):
    """Microseconds at the median and at the 99th percentile."""

    p50: float
    p99: float


class DeskFigures(NamedTuple):
    raw: Cost
    look_up: Cost
    with_words: Cost
    """Where the answer holds a topic, which is one small read more."""
    noted: Cost
    """As the desk is answered: looked up, and written down who asked, before it is shown (every tenth time)."""
    raw_and_line: Cost
    """A raw read, and one durable line of the same length: what writing down costs at least (as often)."""


def measure(folder: Path, *, people: int = PEOPLE, reads: int = READS) -> DeskFigures:
    """Returns what a raw read and the look-up cost, taken in turn over the same random people."""
    engine = open_database(f"sqlite:///{folder / 'desk.db'}")
    create_all(engine)
    fill(engine, people)
    with engine.begin() as connection:
        connection.execute(KEEP)
    desk, chosen = Desk(engine), random.Random(7)
    asked = Asked(channel="email", topic="the licence", on=date(2027, 3, 10))
    spent: dict[str, list[float]] = {"raw": [], "plain": [], "words": [], "noted": [], "line": []}
    gc.collect()
    for n in range(-200, reads):
        one = chosen.randrange(people // 2) * 2
        taken = (
            ("raw", _timed(lambda one=one: raw(desk, f"bench/{one}"))),
            ("plain", _timed(lambda one=one: desk.look_up("bench", f"person{one}@example.org", asked))),
            ("words", _timed(lambda one=one: desk.look_up("bench", f"person{one + 1}@example.org", asked))),
        )
        if n % 10 == 0:
            taken += (
                ("noted", _timed(lambda one=one: _noted(desk, f"person{one}@example.org", asked))),
                ("line", _timed(lambda one=one: raw_and_line(desk, f"bench/{one}"))),
            )
        if n >= 0:
            for name, seconds in taken:
                spent[name].append(seconds)
    assert desk.look_up("bench", "person0@example.org", asked).verdict == "deal-with-it"
    assert desk.look_up("bench", "person1@example.org", asked).verdict == "read-and-file"
    engine.dispose()
    return DeskFigures(*(_cost(spent[name]) for name in ("raw", "plain", "words", "noted", "line")))


def _noted(desk: Desk, customer: str, asked: Asked) -> None:
    note_look(desk, desk.look_up("bench", customer, asked), body="bench", customer=customer, who=None, why=CONTACT)


def raw(desk: Desk, case: str) -> object:
    """Reads one row by its primary key, through the same engine and the same library."""
    with desk.reads.connect() as connection:
        return connection.execute(RAW, {"case": case}).scalar_one()


def raw_and_line(desk: Desk, case: str) -> None:
    """Reads one row, then commits one line."""
    raw(desk, case)
    with desk.writes.begin() as connection:
        connection.execute(KEPT, {"said": LINE})


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _cost(seconds: list[float]) -> Cost:
    cuts = statistics.quantiles(seconds, n=100)
    return Cost(statistics.median(seconds) * 1e6, cuts[98] * 1e6)


def fill(engine: Engine, people: int) -> None:
    """Write the entries of made-up people, every other one with a topic: as save_desk writes them, many at a time."""
    with transaction(engine) as session:
        secret = secret_of(session)
        for first in range(0, people, 5000):
            batch = range(first, min(first + 5000, people))
            _write(session, secret, batch)
            session.flush()
            session.expunge_all()


def _write(session: Session, secret: bytes, batch: range) -> None:
    mine, made = _entries(), _case_keys(session, [f"bench/{n}" for n in batch])
    entries, keys, texts = [], [], []
    for n in batch:
        case, name = f"bench/{n}", f"person{n} sample"
        address = f"person{n}@example.org"
        entry = mine[n % 2].replace("bench/0", case)
        person = key_of(secret, "bench", "person", f"{name}\x1f{address}")
        entries.append({"case_id": case, "body": "bench", "person": person, "entry": entry})
        for kind, value in (("case", case), ("name", name), ("email", address)):
            keys.append({"key": key_of(secret, "bench", kind, value), "case_id": case})
        if n % 2:
            texts.append({"case_id": case, "ref": TOPIC, "text": made[case].sealed_text("the licence for the jetty", text_place(TOPIC))})
    session.bulk_insert_mappings(DeskEntryRow, entries)
    session.bulk_insert_mappings(DeskKeyRow, keys)
    session.bulk_insert_mappings(TextRow, texts)


def _case_keys(session: Session, cases: list[str]) -> dict[str, CaseKey]:
    """Make many cases' keys in one transaction."""
    store = keys_of(session)
    assert isinstance(store, KeyStore)
    made = {case: CaseKey(case, new_id(), new_secret()) for case in cases}
    rows = []
    for case, key in made.items():
        master_id, wrapped = store.masters.wrap(key.secret)
        rows.append({"case_id": case, "key_id": key.id, "wrapped": wrapped, "master_id": master_id})
    with store.engine.begin() as connection:
        connection.execute(insert(CASE_KEY), rows)
    return made


def _entries() -> tuple[str, str]:
    """Returns two entries as the records hold them: a weekly limit, and a topic that is not answered."""
    case = Case(id="bench/0", body="bench", policy="mmo", edition="e", opened_on=date(2027, 1, 1), customer=Customer(name="Person Sample"))
    entry, policy = entry_of(case, load.policy("mmo")), load.policy("mmo")
    assert entry is not None
    limits: tuple[Restriction, Restriction] = (
        ContactVolumeLimit(type="contact-volume-limit", max_contacts=3, per="week"),
        NoReplyOnTopic(type="no-reply-on-topic", topic=(TOPIC,)),
    )
    made = []
    for one in limits:
        option = policy.decision.option(one.type)
        assert option is not None
        limit = Limit(
            id="s1.1", label=option.label, restriction=one, cites=option.sources, told_on=date(2027, 3, 1), until=date(2028, 3, 1)
        )
        made.append(Entry.model_validate({**entry.model_dump(by_alias=True), "limits": [limit.model_dump(by_alias=True)]}))
    return made[0].model_dump_json(by_alias=True, exclude_defaults=True), made[1].model_dump_json(by_alias=True, exclude_defaults=True)


def rows_of(found: DeskFigures) -> tuple[tuple[str, str, str], ...]:
    """Returns the rows that make bench prints."""
    return (
        (f"raw read by primary key, {PEOPLE:,} people", _words(found.raw), ""),
        ("the desk's look-up", f"{_words(found.look_up)}; {_ratios(found.look_up, found.raw)}", "p99 within 2.00"),
        ("the desk's look-up with words", f"{_words(found.with_words)}; {_ratios(found.with_words, found.raw)}", ""),
        ("a raw read and one bare durable line", f"{_words(found.raw_and_line)}; {_ratios(found.raw_and_line, found.raw)}", ""),
        ("the desk's look-up, written down", f"{_words(found.noted)}; to that {_ratios(found.noted, found.raw_and_line)}", ""),
    )


def _words(cost: Cost) -> str:
    return f"p50 {cost.p50:.0f}, p99 {cost.p99:.0f} microseconds"


def _ratios(one: Cost, other: Cost) -> str:
    return f"ratio p50 {one.p50 / other.p50:.2f}, p99 {one.p99 / other.p99:.2f}"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="evenhand-desk-") as made:
        for row in rows_of(measure(Path(made))):
            print(*row, sep=" | ")
