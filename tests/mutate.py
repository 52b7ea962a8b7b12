"""make mutate: a clause is covered only where a rehearsal that claims it would differ without it.

For each clause taken, every value of the policy file that cites it is switched off (left out, or changed to another value of its kind),
and the rehearsals that claim the clause are played under that file. One that differs proves the claim; a clause that none misses has
survived. A rehearsal in which the program fails proves nothing: that file should not have been loaded.

--places switches off one value at a time, so that a clause cited in two places is missed in each."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

from policies import load
from policies.load import Unreadable
from starter.rehearse import CannotPlay, rehearse
from starter.script import Read, read_script

ROOT = Path(__file__).resolve().parent.parent
REHEARSALS = ROOT / "rehearsals"
NOBODY = "nobody-at-all"
AT_ONCE = 2
UNPROVED = ("survived", "unclaimed", "faulted")
"""What says that a clause is not covered."""
Path_ = tuple[str | int, ...]


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


def places(data: object, clause: str, at: Path_ = ()) -> Iterator[Path_]:
    """Yields where a value of a policy file cites a clause, the deepest first."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from places(item, clause, (*at, key))
        if clause in data.get("cites", ()):
            yield at
    elif isinstance(data, list):
        for n, item in reversed(list(enumerate(data))):  # the last first, so that leaving one out moves none before it
            yield from places(item, clause, (*at, n))


def without(policy: str, clause: str, only: Path_ | None = None, *, left: bool = True) -> str | None:
    """Returns the text of a policy file in which each value that cites the clause (or one of them) is switched off, or None where
    none loads. `left`: it is left out where a file loads without it; else it is always changed."""
    data = plain(policy)
    changed = False
    for at in (only,) if only else places(plain(policy), clause):
        following = next((one for one in switched_off(data, at, CHANGES[0 if left else 1 :]) if loads(one)), None)
        if following is not None:
            data, changed = following, True
    return dumped(data) if changed else None


def switched_off(data: dict[str, object], at: Path_, changes: tuple[Change, ...]) -> Iterator[dict[str, object]]:
    """Yields the file with one value left out, then with it changed, the strongest change first."""
    for change in changes:
        copy = YAML(typ="safe").load(dumped(data))
        try:
            if change(copy, at):
                yield copy
        except (KeyError, IndexError, TypeError):
            continue


def _parent(data: object, at: Path_) -> tuple[dict[object, object], object]:
    for part in at[:-1]:
        data = data[part]  # type: ignore[index]
    return data, at[-1]  # type: ignore[return-value]


def _node(data: object, at: Path_) -> dict[str, object]:
    parent, key = _parent(data, at)
    return parent[key]  # type: ignore[return-value]


def _left_out(data: object, at: Path_) -> bool:
    parent, key = _parent(data, at)
    del parent[key]
    return True


def _inverted(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if not isinstance(node.get("value"), bool):
        return False
    node["value"] = not node["value"]
    return True


def _next_number(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if type(node.get("value")) is not int:
        return False
    node["value"] = int(str(node["value"])) + 1
    return True


def _other(n: int) -> Change:
    def change(data: object, at: Path_) -> bool:
        node = _node(data, at)
        if not isinstance(node.get("value"), str):
            return False
        own = node["value"]
        node["value"] = "-"
        try:
            load.policy_of(dumped(data), "mutant")
        except Unreadable as fault:
            known = [one for one in re.findall(r"'([a-z0-9-]+)'", str(fault)) if one != own]
            node["value"] = known[n]
            return True
        node["value"] = "Something else altogether."
        return n == 0

    return change


def _fewer(n: int) -> Change:
    """Takes one of the things listed off the end of a list that must be there."""

    def change(data: object, at: Path_) -> bool:
        listed = _node(data, at).get("value")
        if not isinstance(listed, list) or len(listed) < 2:
            return False
        del listed[-1 - n]
        return True

    return change


def _nobodys(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if "offices" not in node and "relation" not in node:
        return False
    assert isinstance(data, dict)
    data["offices"][NOBODY] = {"label": "nobody at all", "default": "EH-02"}
    node.pop("relation", None)
    node["offices"] = [NOBODY]
    return True


def _next_day(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if node.get("value") is not None:
        return False
    node["value"] = "2001-01-01"
    return True


def _emptied(data: object, at: Path_) -> bool:
    """Takes what a value holds besides its source out of it, one whole value that must be there."""
    node = _node(data, at)
    kept = {"cites", "default", "unconfirmed", "modality", "note"}
    optional = [key for key in node if key not in kept]
    if "label" in optional:
        node["label"] = "something else altogether"
        return True
    return False


Change = Callable[[object, Path_], bool]
"""Makes one change in a file at a place; False, or an error of access, where it is none for the value there."""
CHANGES: tuple[Change, ...] = (
    _left_out,
    _inverted,
    _next_number,
    *(_other(n) for n in range(6)),
    *(_fewer(n) for n in range(4)),
    _nobodys,
    _next_day,
    _emptied,
)


def plain(policy: str) -> dict[str, object]:
    return YAML(typ="safe").load(load.policy_text(policy))  # type: ignore[no-any-return]


def dumped(data: object) -> str:
    out = StringIO()
    YAML(typ="safe").dump(data, out)
    return out.getvalue()


def loads(data: object) -> bool:
    try:
        load.policy_of(dumped(data), "mutant")
    except Unreadable:
        return False
    return True


async def played_under(read: Read, policy: Path) -> str:
    """Returns what becomes of a rehearsal under another policy file: missed, survived or faulted."""
    played = Read(read.script.model_copy(update={"policy": str(policy)}), read.data, read.path)
    try:
        performance = await rehearse(played)
    except CannotPlay:
        return "missed"
    except Exception as fault:
        print(f"{policy.stem}, {read.path.stem}: {type(fault).__name__}: {fault}", flush=True)
        return "faulted"
    if any("message_set_aside" in step.flags for step in performance.steps):
        return "faulted"
    return "missed" if performance.differences else "survived"


async def verdict(policy: str, clause: str, claimed: list[Path], folder: Path, only: Path_ | None = None) -> Verdict:
    """Returns what became of a clause: missed where one claim holds, and faulted before that where the program failed."""
    if not claimed:
        return Verdict(clause, "unclaimed")
    name = ".".join(map(str, (clause, *(only or ()))))
    mutants = dict.fromkeys(without(policy, clause, only, left=left) for left in (True, False))
    texts = [text for text in mutants if text is not None]
    if not texts:
        return Verdict(name, "refused", "no policy file loads without it")
    for n, text in enumerate(texts):  # what the program does without a value may be what the value says: then another value tells
        file = folder / f"{name}-{n}.yaml"
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


async def tried(chosen: list[tuple[str, str, Path_ | None]], *, tell: bool = True) -> list[Verdict]:
    """Switch each clause off, whole or in one place, and return what became of it, in order."""
    known, gate = claims(), asyncio.Semaphore(AT_ONCE)
    with tempfile.TemporaryDirectory(prefix="evenhand-mutants-") as folder:

        async def one(policy: str, clause: str, only: Path_ | None) -> Verdict:
            async with gate:
                found = await verdict(policy, clause, known.get(clause, []), Path(folder), only)
            if tell and found.result in UNPROVED:
                print(f"{found.clause}: {found.result} {found.by}", flush=True)
            return found

        return list(await asyncio.gather(*(one(*each) for each in chosen)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every clause, not a random fifth")
    parser.add_argument("--seed", type=int, default=None, help="which fifth; told, so that it can be taken again")
    parser.add_argument("--places", action="store_true", help="one value at a time")
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
    wanted = each_place(chosen) if given.places else [(*one, None) for one in chosen]
    found = asyncio.run(tried(wanted))
    counts = {result: sum(one.result == result for one in found) for result in ("missed", "refused", *UNPROVED)}
    taken = f"{len(chosen)} of {len(everything)} clauses switched off (seed {seed})" + (f", in {len(found)} places" if given.places else "")
    print(f"{taken}, {time.monotonic() - began:.0f} s: {counts}")
    return 1 if any(counts[result] for result in UNPROVED) else 0


if __name__ == "__main__":
    sys.exit(main())
