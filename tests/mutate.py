"""make mutate: a clause is covered only where a rehearsal that claims it would differ without it.

For each clause taken, every value of the policy file that cites it is switched off (left out, or changed to another value of its kind),
and the rehearsals that claim the clause are played under that file. One that differs proves the claim; a clause that none misses has
survived. A rehearsal in which the program fails proves nothing: that file should not have been loaded.

--places switches off one value at a time, so that a clause cited in two places is missed in each.

--cites takes one citation away where a default of the clause's own name stays beside it: what is done stays, what it rests on is less."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from policies import load
from starter.rehearse import CannotPlay, first_difference
from starter.script import Read, read_script
from tests.switched_off import Path_, cited_beside_its_name, places, plain, uncited, without

ROOT = Path(__file__).resolve().parent.parent
REHEARSALS = ROOT / "rehearsals"
AT_ONCE = 2
UNPROVED = ("survived", "unclaimed", "faulted")
"""What says that a clause is not covered."""


@dataclass(frozen=True)
class Verdict:
    """What became of a clause when it was switched off."""

    clause: str
    result: str
    """missed (a rehearsal differs), refused (no policy loads without it), survived, unclaimed, faulted (the program failed)."""
    by: str = ""


def claims() -> dict[str, list[Path]]:
    """Returns the rehearsals that claim each clause: it stands in their `cites`."""
    found: dict[str, list[Path]] = {}
    for path in sorted(REHEARSALS.glob("*.yaml")):
        for clause in read_script(path).script.cites:
            found.setdefault(clause, []).append(path)
    return found


async def played_under(read: Read, policy: Path) -> str:
    """Returns what becomes of a rehearsal under another policy file: missed, survived or faulted."""
    played = Read(read.script.model_copy(update={"policy": str(policy)}), read.data, read.path)
    try:
        steps = await first_difference(played)
    except CannotPlay as fault:  # a case that the changed policy does not let open differs; an engine that stands still does not tell
        return "missed" if "could not be opened" in str(fault) else "faulted"
    except Exception as fault:
        print(f"{policy.stem}, {read.path.stem}: {type(fault).__name__}: {fault}", flush=True)
        return "faulted"
    if any("message_set_aside" in step.flags for step in steps):
        return "faulted"
    return "missed" if steps[-1].differences else "survived"


def mutants(policy: str, clause: str, only: Path_ | None, *, cites: bool) -> Iterator[str]:
    """Yields the policy files to play under: what the program does without a value may be what it says, so another value may tell."""
    texts = (uncited(policy, clause, only),) if cites and only else (without(policy, clause, only, left=left) for left in (True, False))
    return (text for text in texts if text is not None)


async def verdict(
    policy: str, clause: str, claimed: list[Path], folder: Path, only: Path_ | None = None, *, cites: bool = False
) -> Verdict:
    """Returns what became of a clause: missed where one claim holds, and faulted before that where the program failed."""
    if not claimed:
        return Verdict(clause, "unclaimed")
    name = ".".join(map(str, (clause, *(only or ()))))
    found = Verdict(name, "refused", "no policy file loads without it")
    for n, text in enumerate(mutants(policy, clause, only, cites=cites)):
        found = await _played(claimed, text, folder / f"{name}-{n}.yaml", name)
        if found.result != "survived":
            return found
    return found


async def _played(claimed: list[Path], text: str, file: Path, name: str) -> Verdict:
    file.write_text(text, encoding="utf-8")
    for path in claimed:
        found = await played_under(read_script(path), file)
        if found != "survived":
            return Verdict(name, found, path.stem)
    return Verdict(name, "survived", ", ".join(path.stem for path in claimed))


def all_clauses() -> list[tuple[str, str]]:
    """Returns every listed clause with its policy."""
    return [(policy, clause) for policy in load.clause_lists() for clause in load.clauses(policy)]


def each_place(chosen: list[tuple[str, str]]) -> list[tuple[str, str, Path_ | None]]:
    """Returns the clauses with each place that cites them, one by one."""
    return [(policy, clause, at) for policy, clause in chosen for at in places(plain(policy), clause)]


def each_citation(chosen: list[tuple[str, str]]) -> list[tuple[str, str, Path_ | None]]:
    """Returns each place where a clause is cited beside the default of its name."""
    return [(policy, clause, at) for policy, clause in chosen for at in cited_beside_its_name(policy, clause)]


async def tried(
    chosen: list[tuple[str, str, Path_ | None]], *, tell: bool = True, at_once: int = AT_ONCE, cites: bool = False
) -> list[Verdict]:
    """Switch each clause off, whole or in one place, and return what became of it, in order."""
    known, gate = claims(), asyncio.Semaphore(at_once)
    with tempfile.TemporaryDirectory(prefix="evenhand-mutants-") as folder:

        async def one(policy: str, clause: str, only: Path_ | None) -> Verdict:
            async with gate:
                found = await verdict(policy, clause, known.get(clause, []), Path(folder), only, cites=cites)
            if tell and found.result in (*UNPROVED, "refused"):
                print(f"{found.clause}: {found.result} {found.by}", flush=True)
            return found

        return list(await asyncio.gather(*(one(*each) for each in chosen)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every clause, not a random fifth")
    parser.add_argument("--seed", type=int, default=None, help="which fifth; told, so that it can be taken again")
    parser.add_argument("--places", action="store_true", help="one value at a time")
    parser.add_argument("--cites", action="store_true", help="citations alone, where a default of the clause's name stays")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many rehearsals play at a time")
    parser.add_argument("--clause", action="append", default=[], help="these clauses only")
    given = parser.parse_args()
    everything = all_clauses()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10_000)
    chosen = everything if given.all else random.Random(seed).sample(everything, len(everything) // 5)
    chosen = [one for one in everything if one[1] in given.clause] if given.clause else chosen
    if not chosen:
        print("no clause to switch off")
        return 1
    began = time.monotonic()
    one_by_one = each_citation if given.cites else each_place
    wanted = one_by_one(chosen) if given.places or given.cites else [(*one, None) for one in chosen]
    if not wanted:
        print("nothing to take away")
        return 1
    found = asyncio.run(tried(wanted, at_once=given.at_once, cites=given.cites))
    counts = {result: sum(one.result == result for one in found) for result in ("missed", "refused", *UNPROVED)}
    taken = f"{len(chosen)} of {len(everything)} clauses switched off (seed {seed})" + (
        f", in {len(found)} places" if given.places or given.cites else ""
    )
    print(f"{taken}, {time.monotonic() - began:.0f} s: {counts}")
    return 1 if any(counts[result] for result in UNPROVED) else 0


if __name__ == "__main__":
    sys.exit(main())
