"""Bad files: whatever stands in a policy, a rehearsal, a body's file or a calendar, its reader takes it or says where it is wrong.

Random bytes, random trees, and copies of the shipped files with nodes taken out, replaced or doubled. The examples are always the same."""

from __future__ import annotations

import copy
import io
import random
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from activities.bodies import Body
from domain.days import Calendar
from domain.policy import Policy
from policies import gaps, load, practice
from policies.compare import differences
from policies.contradictions import contradictions
from policies.load import Unreadable
from policies.names import wrong_names
from policies.survey import leading_nowhere
from starter.bodies import read_body
from starter.cli import rehearse
from starter.cli_body import set_
from starter.cli_policy import check
from starter.script import Script, read_script

ROOT = Path(__file__).resolve().parent.parent
FAULT = re.compile(r".+:[1-9]\d*:[1-9]\d*: .+")
"""Every line of an error: file, line, column, and what is wrong there."""
BODY = """\
body: sample-valley
name: Sample Valley Council
policy: mmo
keep_years: 6
people:
  - {id: manager, name: Sample Manager, offices: [decision-maker], grade: 8, line_manager: senior, area: licensing, valid_from: 2027-01-01}
  - {id: senior, name: Sample Senior, offices: [reviewer], deputises: [records-officer], grade: 10}
  - {id: senior-2, name: Sample Senior, natural: senior}
"""
SEEDS = {
    "policy": [load.policy_text(name) for name in load.names()],
    "rehearsal": [(ROOT / "rehearsals" / name).read_text(encoding="utf-8") for name in ("mmo-messages.yaml", "portsmouth-options.yaml")],
    "body": [BODY],
    "calendar": [(ROOT / "policies" / "calendars" / "scotland.yaml").read_text(encoding="utf-8")],
}
ODD: tuple[object, ...] = (
    None, True, -1, 0, 10**30, 1.5, float("inf"), float("nan"), "", " ", "\n", "a\nb", "no", "[", "x" * 300, "\x07", "2027-02-30",
    [], {}, [[]], {"a": {"a": 1}}, {"value": 1}, {1: 2}, date(1, 1, 1), date(9999, 12, 31), b"bytes", "mmo", "../../etc/passwd", "\ud800",
    "a\x00b",
)  # fmt: skip
DOUBLING = "\n".join(["b0: &b0 [x, x]", *(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 8)}]" for n in range(1, 9))])
"""Eight lines of aliases that stand for a hundred million values."""
RAW = (
    "", "a", "- a", "a: *a", "&a [*a]", "&a {b: *a}", "{? [a]: b}", "!!python/object:os.system x", "!foo bar", "? !!set {a}\n: b",
    "a: b: c", "\t- a", "%YAML 9.9\n---\na: 1", "a: 1\n---\nb: 2", "a: !!binary x", "a: 2027-02-30", "a: " + "9" * 5000, "a: '\\ud800'",
    'a: "\\ud800"', 'a: "\\0"', "[" * 300, "{a: " * 100, "a: !!timestamp x", "a: !!int x", "a: !!float x", "<<: 1", "<<: [1, 2]",
    "1: a\n'1': b", "a: 0o99", "a: 1e999", "null: 1", DOUBLING,
)  # fmt: skip
"""Texts on which readers of YAML are known to stumble."""
FEW = settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=60)


def read_policy(text: bytes, folder: Path) -> None:
    """Read a policy; one that can be read must also be looked through and compared without a fault."""
    file = folder / "any.yaml"
    file.write_bytes(text)
    policy = load.policy(str(file))
    assert isinstance(policy, Policy)
    look_through(policy)


def look_through(policy: Policy) -> None:
    for found in (*gaps.CHECKS.values(), *practice.CHECKS.values()):
        list(found(policy))
    list(wrong_names(policy))
    list(contradictions(policy))
    leading_nowhere(policy)
    differences(load.policy("mmo"), policy)


def read_rehearsal(text: bytes, folder: Path) -> None:
    file = folder / "any.yaml"
    file.write_bytes(text)
    read_script(file)


def read_body_file(text: bytes, folder: Path) -> None:
    file = folder / "any.yaml"
    file.write_bytes(text)
    read_body(file)


def read_calendar(text: bytes, folder: Path) -> None:
    file = folder / "any.yaml"
    file.write_bytes(text)
    load.table_of(load.text_of(file), str(file))


READERS: dict[str, Callable[[bytes, Path], None]] = {
    "policy": read_policy,
    "rehearsal": read_rehearsal,
    "body": read_body_file,
    "calendar": read_calendar,
}
KINDS = pytest.mark.parametrize("kind", READERS)


def taken_or_told(kind: str, text: bytes, folder: Path) -> bool:
    """Returns whether a file was taken; where it was not, the error is the reader's own, and every line of it says where."""
    try:
        READERS[kind](text, folder)
    except Unreadable as error:
        lines = str(error).split("\n")
        assert lines and all(FAULT.fullmatch(line) for line in lines), lines
        assert str(error).encode("utf-8")
        return False
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def places(data: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, one in items:
        yield from places(one, (*path, key))


def holder(data: object, path: tuple[object, ...]) -> object:
    for part in path[:-1]:
        data = data[part]  # type: ignore[index]  # a path taken from this very tree
    return data


PLAIN = {kind: [YAML(typ="safe", pure=True).load(text) for text in texts] for kind, texts in SEEDS.items()}


def broken(kind: str, seed: int) -> object:
    """Returns the data of a shipped file with one to three of its nodes taken out, replaced, doubled or put elsewhere."""
    chance = random.Random(seed)
    data = copy.deepcopy(chance.choice(PLAIN[kind]))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(list(places(data)))
        there, key = holder(data, path), path[-1]
        match chance.choice(("out", "odd", "double", "swap", "rename")):
            case "out":
                del there[key]  # type: ignore[attr-defined]
            case "double" if isinstance(there, list):
                there.append(copy.deepcopy(there[key]))  # type: ignore[call-overload]
            case "swap":
                other = chance.choice(list(places(data)))
                there[key] = copy.deepcopy(holder(data, other)[other[-1]])  # type: ignore[index]
            case "rename" if isinstance(there, dict):
                there[chance.choice(("colour", "a\nb", 7, None, ""))] = there.pop(key)
            case _:
                there[key] = copy.deepcopy(chance.choice(ODD))  # type: ignore[index]
        if not data:
            break
    return data


def mutant(kind: str, seed: int) -> bytes:
    """Returns a broken copy of a shipped file."""
    return written(broken(kind, seed))


def written(data: object) -> bytes:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(data, stream)
    return stream.getvalue().encode("utf-8", "surrogatepass")


@KINDS
def test_the_shipped_file_is_taken(kind: str, folder: Path):
    """What is broken below is whole before: a guard over files that fail anyway would say nothing."""
    taken = [taken_or_told(kind, written(data), folder) for data in PLAIN[kind]]

    assert taken and all(taken)


@KINDS
@given(text=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
@FEW
def test_random_bytes_are_told(kind: str, text: bytes, folder: Path):
    """No traceback reaches a person, whatever the file is."""
    assert not taken_or_told(kind, text, folder)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.sampled_from(ODD[:12])
NAMES = st.sampled_from(["format", "policy", "offices", "steps", "people", "body", "holidays", "cites", "value", "days"]) | st.text(
    max_size=5
)
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


@KINDS
@given(tree=TREES)
@FEW
def test_random_trees_are_told(kind: str, tree: object, folder: Path):
    assert not taken_or_told(kind, written(tree), folder)


@KINDS
@pytest.mark.parametrize("text", RAW, ids=range(len(RAW)))
def test_what_readers_stumble_on_is_told(kind: str, text: str, folder: Path):
    assert not taken_or_told(kind, text.encode(), folder)


@KINDS
@given(seed=st.integers(0, 10**9))
@FEW
def test_broken_copies_are_taken_or_told(kind: str, seed: int, folder: Path):
    """Most are refused, some are still whole; both ways are the reader's own."""
    taken_or_told(kind, mutant(kind, seed), folder)


@pytest.mark.parametrize("kind", ["rehearsal", "body"])
@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000, "a\nb", "."])
def test_a_policy_that_no_file_can_be_is_told(kind: str, name: str, folder: Path):
    data = copy.deepcopy(PLAIN[kind][0])
    data["policy"] = name

    assert not taken_or_told(kind, written(data), folder)


MODELS = {"policy": Policy, "rehearsal": Script, "body": Body, "calendar": Calendar}


def built(kind: str, seed: int) -> bool:
    """Returns whether a broken copy still fits its model; the text is skipped, so that many can be tried."""
    try:
        made = load.build(MODELS[kind], broken(kind, seed), "any.yaml")
    except Unreadable as error:
        assert all(FAULT.fullmatch(line) for line in str(error).split("\n"))
        return False
    if isinstance(made, Policy):
        look_through(made)
    return True


@KINDS
@given(seed=st.integers(0, 10**9))
@MANY
def test_broken_data_is_taken_or_told(kind: str, seed: int):
    built(kind, seed)


def test_the_broken_copies_are_of_both_kinds():
    """A fuzz whose copies were all refused for one reason, or all taken, would test little."""
    told = [built("policy", seed) for seed in range(30)]
    print(f"{sum(told)} taken, {len(told) - sum(told)} told")

    assert 0 < sum(told) < len(told)


COMMANDS: dict[str, Callable[[Path], None]] = {
    "policy": lambda file: check(str(file)),
    "rehearsal": lambda file: rehearse([file]),
    "body": lambda file: set_(file),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_no_traceback_reaches_a_person(kind: str, folder: Path, capfd: pytest.CaptureFixture[str]):
    """A command ends with 2 and says where; files that the reader takes are left out, for they would be acted on."""
    tried = 0
    for text in (*(raw.encode() for raw in RAW), *(mutant(kind, seed) for seed in range(2)), b"\xff\xfe\x00", b"\x80"):
        if taken_or_told(kind, text, folder):
            continue
        tried += 1
        with pytest.raises(typer.Exit) as left:
            COMMANDS[kind](folder / "any.yaml")
        assert left.value.exit_code == 2
        assert capfd.readouterr().err.startswith("evenhand: ")
    print(f"{tried} files")

    assert tried > 20
