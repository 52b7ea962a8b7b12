"""The policies' own tests: every rehearsal plays as its author expects, and between them they cover every trap."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio

from policies import load
from policies.answers import exercised
from starter.script import Script, read_script
from tests.playing import Played, all_played

FOLDER = Path(__file__).resolve().parent.parent / "rehearsals"
FILES = sorted(FOLDER.glob("*.yaml"))


@cache
def script_of(path: Path) -> Script:
    return read_script(path).script


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def performances() -> Played:
    """Plays every rehearsal once, two at a time, each on a server of its own."""
    return await all_played(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_rehearsal_goes_as_its_author_expects(path: Path, performances: Played):
    played = performances[path]

    if isinstance(played, BaseException):
        raise played
    assert played.steps
    assert not played.differences, "\n".join(played.differences)


def test_there_are_at_least_six_rehearsals_of_every_policy():
    """A guard over nothing would pass: how many there are is counted, for every policy that comes with the project."""
    counted = Counter(policy for path in FILES if (policy := script_of(path).policy) in load.names())
    print(dict(counted))

    assert set(counted) == set(load.names())
    assert min(counted.values()) >= 6
    assert sum(counted.values()) >= 30


ALL_TRAPS = frozenset(range(1, 48))


def traps_of(path: Path) -> set[int]:
    """Returns the traps a rehearsal says it covers, in its comment: # Traps 16, 31."""
    found = re.search(r"^# Traps? ([\d, and]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {int(number) for number in re.findall(r"\d+", found.group(1))} if found else set()


def untrapped(files: list[Path]) -> set[int]:
    """Returns the traps that no rehearsal says it covers."""
    return set(ALL_TRAPS).difference(*map(traps_of, files))


def test_the_guard_of_the_traps_counts_47_and_fails_over_nothing():
    assert len(ALL_TRAPS) == 47
    assert untrapped([]) == ALL_TRAPS
    assert untrapped(FILES[:1]) == ALL_TRAPS - traps_of(FILES[0]) != ALL_TRAPS


def test_every_trap_is_covered_by_a_rehearsal():
    """The places where a naive reading of the texts goes wrong; each has at least one whole case that would show it."""
    covered = {path.stem: traps_of(path) for path in FILES}
    silent = [path.stem for path in FILES if not covered[path.stem] and not path.read_text(encoding="utf-8").startswith("# No trap: ")]

    assert silent == []
    assert untrapped(FILES) == set()
    assert set().union(*covered.values()) == ALL_TRAPS


def test_every_clause_a_rehearsal_cites_exists():
    """A rehearsal that cites a clause nobody wrote would prove nothing of the text."""
    cited = [(path.stem, clause) for path in FILES for clause in script_of(path).cites]
    known = {clause for name in load.clause_lists() for clause in load.clauses(name)} | set(load.defaults())
    print(f"{len(cited)} citations in {len(FILES)} rehearsals")

    assert len(cited) > 200
    assert [one for one in cited if one[1] not in known] == []
    assert sorted(cited) == sorted((name, clause) for clause, names in exercised().items() for name in names)
