"""The worker, the relay, the engine and the database are killed while cases go on: nothing is lost, doubled or moved.

A short run; make soak leads a hundred cases for as long as one likes and prints the figures."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from records.append_only import unguard
from records.database import transaction
from records.tables import CaseRow, LogRow
from tests.killing import PARTS, REFERENCE, Site, looked, run


async def test_cases_come_through_kills_of_everything_with_each_act_once_and_every_date_as_told():
    seed = random.SystemRandom().randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="evenhand-soak-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as a user of its own
        found = await run(Path(folder), cases=4, seconds=12, at_once=4, seed=seed, afterwards=each_fault_is_seen)

    print(found)
    assert found.well, found
    assert set(found.kills) == set(PARTS) and min(found.kills.values()) >= 1, f"{found}\na part was not struck, so it was not tried"
    assert found.acts >= 4 * 14, f"the undisturbed case {REFERENCE} has too few acts to compare with"


def each_fault_is_seen(site: Site, names: list[str]) -> None:
    """The look itself is tried: a line lost, a line doubled, a date moved and a letter gone are each found."""
    with transaction(site.records) as session:
        lost, doubled, moved, gone = names
        unguard(session.connection(), "log")
        line = session.get(LogRow, (lost, 3))
        session.delete(line)
        again = session.get(LogRow, (doubled, 3))
        assert line is not None and again is not None
        session.add(LogRow(**{**again.model_dump(), "n": 900}))
        row = session.get(CaseRow, moved)
        assert row is not None and row.next_fires is not None
        row.next_fires += timedelta(days=1)
        session.add(row)
    (site.folder / "outbox" / gone.replace("/", "%2F") / "n1.pdf").unlink()

    found = looked(site, names, Counter(), [])
    assert [one.partition(": ")[0] for one in found.lost] == [lost]
    assert [one.partition(": ")[0] for one in found.doubled] == [doubled, gone]
    assert [one.partition(": ")[0] for one in found.moved] == [moved]
