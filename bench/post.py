"""make bench: a thousand letters through a loopback GOV.UK Notify that fails one request in twenty: how fast, and is any lost or doubled.

Without the engine, for its cost is measured elsewhere: the sending activity as a worker runs it, ten at a time. What an attempt is told to
wait passes on the clock alone."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, col, select
from temporalio.exceptions import ApplicationError

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME
from activities.made import make
from activities.outcome import Letter
from activities.sending import Sending
from domain.letters import compose
from records.database import migrate, open_database, reading, transaction
from records.keys import keys_of
from records.store import read_case
from records.tables import CaseRow, NoticeRow, TextRow
from records.vault import CaseVault, text_place
from tests.notify import FakeNotify
from tests.posting import PAPER, Posting

LETTERS, AT_ONCE, SHARE = 1000, 10, 0.05
ALONE = 100
"""Letters sent one after the other without a failure, for what one costs."""


@dataclass(frozen=True)
class PostFigures:
    """What a thousand letters cost, and what became of them."""

    seconds: float
    letters: int
    rendering: float
    """Milliseconds to make one letter."""
    sending: float
    """Milliseconds to send one: made, kept, handed over, noted."""
    working: float
    """Of these, milliseconds of processor time, the loopback Notify's own included; the rest is waiting, for the disk above all."""
    attempts: int
    lost: int
    doubled: int
    declined: int


def measure(folder: Path) -> PostFigures:
    """Returns the figures, from records of its own in a folder."""
    engine = open_database(f"sqlite:///{folder / 'post.db'}")
    migrate(engine)
    with FakeNotify() as notify:
        carrier = notify.carrier()
        posting = Posting(engine, Post(email=carrier, paper=carrier, outbox=Outbox(folder / "none")))
        posting.set_up()
        notify.clock = posting.now
        letter = posting.decided("bench/0", customer=PAPER)
        copied(engine, "bench/0", [f"bench/{n}" for n in range(1, LETTERS + ALONE)])
        rendering = rendered(posting, letter)
        began, worked = time.perf_counter(), time.process_time()
        for n in range(LETTERS, LETTERS + ALONE):
            posting.send(f"bench/{n}", letter)
        sending, working = (time.perf_counter() - began) / ALONE * 1000, (time.process_time() - worked) / ALONE * 1000
        notify.fail_often(SHARE, seed=1)
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            attempts = sum(pool.map(lambda n: drained(posting, f"bench/{n}", letter), range(LETTERS)))
        seconds = time.perf_counter() - began
        return judged(posting, notify, letter, seconds=seconds, rendering=rendering, sending=sending, working=working, attempts=attempts)


def judged(
    posting: Posting, notify: FakeNotify, letter: str, *, seconds: float, rendering: float, sending: float, working: float, attempts: int
) -> PostFigures:
    taken = Counter(one.reference for one in notify.sent.values())
    with reading(posting.engine) as session:
        ends = {row.case_id: row.status for row in session.exec(select(NoticeRow).where(NoticeRow.notice == letter)).all()}
    declined = sum(status == "blocked" for status in ends.values())
    assert declined <= LETTERS * SHARE, f"{declined} letters were never offered, so nothing was measured"
    lost = sum(not taken[f"{case}/{letter}"] and status != "blocked" for case, status in ends.items())
    assert len(ends) == LETTERS + ALONE and set(ends.values()) <= {"handed-over", "blocked"}, Counter(ends.values())
    doubled = sum(count > 1 for count in taken.values())
    return PostFigures(seconds, LETTERS, rendering, sending, working, attempts, lost, doubled, declined)


def drained(posting: Posting, case: str, letter: str) -> int:
    """Send one letter, however often it takes; returns how often."""
    now: datetime = posting.now
    for attempt in range(1, 100):
        try:
            found = Sending(posting.engine, posting.post, ENGINE_TIME).send(Letter(case=case, notice=letter, now=now), now=now)
            if letter not in found.to_send:  # else its first failure was written down, and it is tried again
                return attempt
        except ApplicationError as problem:
            now += problem.next_retry_delay or timedelta(seconds=2)
    raise AssertionError(f"{case}: not sent in a hundred attempts")


def rendered(posting: Posting, letter: str) -> float:
    """Returns milliseconds to compose and make one letter."""
    with reading(posting.engine) as session:
        case = read_case(session, "bench/0")
        assert case is not None
        policy = policy_of_edition(session, case.edition)
        calendar = calendar_of(session, case, policy)
    notice = case.notice(letter)
    assert notice is not None
    began = time.perf_counter()
    for _ in range(ALONE):
        make(compose(case, notice, policy=policy, calendar=calendar, sent_on=posting.now.date()), policy=case.policy)
    return (time.perf_counter() - began) / ALONE * 1000


def copied(engine: Engine, case: str, names: list[str]) -> None:
    """Copy one case's rows under other names: a thousand cases led there one by one would take minutes."""
    with transaction(engine) as session:
        tables = [one for one in SQLModel.__subclasses__() if "case_id" in one.model_fields and hasattr(one, "__tablename__")]
        for table in (CaseRow, *tables):
            rows = _rows(session, table, case)
            for name in names:
                session.add_all(table(**_renamed(row, case, name)) for row in rows if not isinstance(row, TextRow))
            session.flush()
        texts = CaseVault(session, case).texts
        for name in names:
            key = keys_of(session).of(name)
            session.add_all(TextRow(case_id=name, ref=ref, text=key.sealed_text(text, text_place(ref))) for ref, text in texts.items())


def _rows(session: Session, table: type[SQLModel], case: str) -> list[SQLModel]:
    key = "id" if table is CaseRow else "case_id"
    return list(session.exec(select(table).where(col(getattr(table, key)) == case)).all())


def _renamed(row: SQLModel, case: str, name: str) -> dict[str, object]:
    found = row.model_dump()
    if isinstance(row, CaseRow):
        return {**found, "id": name, "state": {**row.state, "id": name}}
    return {**found, "case_id": name}


def rows_of(found: PostFigures) -> tuple[tuple[str, str, str], ...]:
    """Returns the rows that make bench prints."""
    beyond = found.sending - found.rendering
    drained = f"{found.seconds:.1f} s, {found.letters / found.seconds:.0f} letters a second, {found.attempts} attempts"
    return (
        (f"{found.letters:,} letters through Notify, {SHARE:.0%} of requests failing", drained, ""),
        ("of these lost, doubled, declined", f"{found.lost}, {found.doubled}, {found.declined}", "0, 0, as failed"),
        (
            "a letter sent, beyond making it",
            f"{beyond:.1f} ms, and {found.rendering:.1f} ms to make; {found.working:.1f} ms of processor time in all",
            "",
        ),
    )


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="evenhand-post-") as made:
        for row in rows_of(measure(Path(made))):
            print(*row, sep=" | ")
