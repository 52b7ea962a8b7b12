"""Bad files at the register's and the post's door: map files, lists of redactions, a body's spreadsheet, a carrier's list.

Whatever stands in one, its reader takes it or says where it is wrong; the examples are always the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from activities.bodies import Body
from policies.load import Unreadable
from starter import redaction
from starter.cli_calendar import check
from starter.cli_post import returned
from starter.import_cells import Words
from starter.redaction import ReviewList
from starter.register_import import COLUMNS, check_file, read_words
from starter.returned import BadList, read_list
from starter.spreadsheet import UnreadableTable
from tests import stories, test_fuzz
from tests.test_fuzz import FAULT, FEW, RAW, TREES, mutant, written
from tests.test_register_import import MAP

TODAY = date(2027, 3, 10)
BODY = Body(body="mmo", name="Marine Management Organisation (test)", policy="mmo", keep_years=6, people=stories.MMO_STAFF.people)
LIST = """\
v: 1
case: mmo/sample-1
log_line: 7
log_hash: abc
people: [{id: sam-officer, names: [Sam Officer], becomes: the officer}]
letters: [{letter: n1, give: true, why: ""}]
texts: [{id: 0123456789ab, where: [the log], text: A word., cuts: [{what: word, why: another person}]}]
"""
READERS: dict[str, Callable[[Path], object]] = {"map": read_words, "redactions": redaction.read_list}
MODELS = {"map": Words, "redactions": ReviewList}
KINDS = pytest.mark.parametrize("kind", READERS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module", autouse=True)
def seeds() -> None:
    """The copies that test_fuzz breaks may be of these files too."""
    for kind, text in (("map", MAP), ("redactions", LIST)):
        test_fuzz.PLAIN[kind] = [YAML(typ="safe", pure=True).load(text)]


def taken_or_told(kind: str, text: bytes, folder: Path) -> bool:
    """Returns whether a file was taken; where it was not, every line of the error says where."""
    file = folder / "any.yaml"
    file.write_bytes(text)
    try:
        READERS[kind](file)
    except Unreadable as error:
        lines = str(error).split("\n")
        assert lines and all(FAULT.fullmatch(line) for line in lines), lines
        assert str(error).encode("utf-8")
        return False
    return True


@KINDS
def test_the_whole_file_is_taken(kind: str, folder: Path):
    assert taken_or_told(kind, written(test_fuzz.PLAIN[kind][0]), folder)


@KINDS
def test_what_readers_stumble_on_is_told(kind: str, folder: Path):
    told = [text for text in RAW if text.strip() and not taken_or_told(kind, text.encode(), folder)]

    assert len(told) > 20


@KINDS
@given(tree=TREES)
@FEW
def test_random_trees_are_taken_or_told(kind: str, tree: object, folder: Path):
    taken_or_told(kind, written(tree), folder)


@KINDS
@given(seed=st.integers(0, 10**9))
@FEW
def test_broken_copies_are_taken_or_told(kind: str, seed: int, folder: Path):
    taken_or_told(kind, mutant(kind, seed), folder)


@KINDS
def test_the_broken_copies_are_of_both_kinds(kind: str, folder: Path):
    taken = [taken_or_told(kind, mutant(kind, seed), folder) for seed in range(40)]
    print(f"{sum(taken)} taken, {len(taken) - sum(taken)} told")

    assert 0 < sum(taken) < len(taken)


# Tables

WHERE = re.compile(r"line [1-9]\d*: .+|the file has \d+ bytes; .+")
CELLS = (
    st.sampled_from(
        [
            "",
            "x",
            "Casey Sample",
            "2027-03-10",
            "31/02/2020",
            "43831",
            "=1+1",
            "'=1+1",
            '"',
            '""',
            "a\nb",
            "a;b",
            "\x07",
            "\ud7ff",
            "{",
            "[]",
        ]
    )
    | st.sampled_from(
        ["decided on 2027-01-01: uphold", "pending since never", "contact-volume-limit max_contacts=1", '{"type": "no-such"}', "x" * 500]
    )
    | st.text(max_size=8)
)
NAMES = st.sampled_from([*COLUMNS, "Reference", "colour", "", "reference"])
TABLES = st.lists(NAMES, min_size=1, max_size=8).flatmap(
    lambda names: st.tuples(st.just(["reference", "customer", *names]), st.lists(st.lists(CELLS, min_size=2, max_size=10), max_size=3))
)
BYTES = st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))


def line_of(cells: list[str]) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def checked(content: bytes, folder: Path) -> bool:
    """Returns whether a spreadsheet was read; every fault of one names its line and column, what was found, what would be right."""
    file = folder / "any.csv"
    file.write_bytes(content)
    try:
        found = check_file(file, Words(), body=BODY, by="officer", today=TODAY)
    except UnreadableTable as error:
        assert WHERE.fullmatch(str(error)), str(error)
        return False
    for fault in found.faults:
        assert fault.line > 0 and fault.column and fault.found and fault.right, fault
        assert "\n" not in str(fault) and str(fault).isprintable(), str(fault)
    return True


@given(content=BYTES)
@FEW
def test_random_bytes_are_no_spreadsheet_and_it_is_told(content: bytes, folder: Path):
    checked(content, folder)


@given(table=TABLES)
@test_fuzz.MANY
def test_random_tables_are_checked_or_told(table: tuple[list[str], list[list[str]]], folder: Path):
    header, rows = table
    checked("\n".join([line_of(header), *map(line_of, rows)]).encode("utf-8", "replace"), folder)


STUMBLES = (
    b"",
    b"\n\n",
    b'"',
    b'a"b',
    b'"a"b',
    b"reference\n\0",
    b"\xff\xfer\0",
    b"PK\x03\x04",
    b"reference\n\x80",
    b'reference\n"x' + b"y" * 300_000,
)


@pytest.mark.parametrize("content", STUMBLES, ids=range(len(STUMBLES)))
def test_a_carriers_list_that_is_none_is_told_with_its_file(content: bytes, folder: Path, capfd: pytest.CaptureFixture[str]):
    """No traceback reaches a person, and nothing is recorded: the list is read before the records are."""
    file = folder / "list.csv"
    file.write_bytes(content)
    with pytest.raises(BadList) as told:
        read_list(file)
    assert str(told.value).startswith(str(file)) and "\n" not in str(told.value)
    with pytest.raises(typer.Exit) as left:
        returned(file)
    assert left.value.exit_code == 2
    assert capfd.readouterr().err.startswith("evenhand: ")


@given(content=BYTES)
@FEW
def test_random_bytes_are_no_carriers_list_and_it_is_told(content: bytes, folder: Path):
    file = folder / "list.csv"
    file.write_bytes(content)
    with pytest.raises(BadList):
        read_list(file)


def test_a_reference_is_found_on_the_line_where_it_stands(folder: Path):
    """A cell of several lines and an empty line do not move the numbers."""
    file = folder / "list.csv"
    file.write_text('reference,address\nR1,"1 Sample Street\nSampleton"\n\nR2,x\n', encoding="utf-8")

    assert read_list(file) == [(2, "R1"), (5, "R2")]


# A table of bank holidays, on the command line and without records


def test_a_calendar_that_is_none_is_told_though_there_are_no_records(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """`calendar check` reads its file before it looks for records; until now it said only that there were none."""
    monkeypatch.setenv("EVENHAND_VAR", str(folder / "none"))
    monkeypatch.delenv("EVENHAND_DATABASE_URL", raising=False)
    tried = 0
    for text in (*(raw.encode() for raw in RAW), *(mutant("calendar", seed) for seed in range(4)), b"\xff\xfe\x00"):
        file = folder / "any.yaml"
        if test_fuzz.taken_or_told("calendar", text, folder):
            continue
        tried += 1
        with pytest.raises(typer.Exit) as left:
            check(file)
        assert left.value.exit_code == 2
        assert capfd.readouterr().err.startswith(f"evenhand: {file}:")
    assert tried > 20
    assert not (folder / "none").exists()
