"""The worker, the relay, the engine and the database are killed while cases go on: nothing is lost, doubled or moved.

A short run; make soak leads a hundred cases for as long as one likes and prints the figures."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from tests.killing import PARTS, REFERENCE, run


async def test_cases_come_through_kills_of_everything_with_each_act_once_and_every_date_as_told():
    seed = random.SystemRandom().randrange(10**6)
    with tempfile.TemporaryDirectory(prefix="evenhand-soak-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103  # PostgreSQL runs as a user of its own
        found = await run(Path(folder), cases=4, seconds=12, at_once=4, seed=seed)

    assert found.well, f"seed {seed}: {found}"
    assert sum(found.kills.values()) >= 3 and set(found.kills) <= set(PARTS), f"seed {seed}: nothing was killed, so nothing was tried"
    assert found.acts >= 4 * 14, f"the undisturbed case {REFERENCE} has too few acts to compare with"
