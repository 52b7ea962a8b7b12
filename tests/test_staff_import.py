"""A staff list from a spreadsheet or a provider's groups: checked like a body's file, all of it or nothing, its changes shown first."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from activities.bodies import Body, body_of
from domain.directory import Directory
from policies.load import Unreadable
from records.database import open_database, reading, transaction
from records.tables import TaskRow
from starter.bodies import read_body
from starter.spreadsheet import UnreadableTable
from starter.staff_claims import read_claims
from starter.staff_table import staff_of
from tests.engine import evenhand
from tests.tables import with_tables

HEADER = "id,name,offices,grade,line_manager,deputises,valid_to,absences\n"
ROWS = (
    "olive-officer,Olive Officer,,5,dana-decider,,,2027-08-01..2027-08-14; 2027-12-24..\n"
    "dana-decider,Dana Decider,decision-maker@2026-01-01..2027-03-31,7@..2026-12-31;8@2027-01-01..,,,31/12/2028,\n"
    "rhys-reviewer,Rhys Reviewer,reviewer,10,,decision-maker,,\n"
)
MMO = Body(body="example-body", name="Example Body (test)", policy="mmo", keep_years=6)
FILE = """\
body: example-body
name: Example Body (test)
policy: mmo
keep_years: 6
directory:
  groups: {UCB Reviewers: {office: reviewer, grade: 10}, Deciders: {office: decision-maker}, Cover: {deputises: decision-maker}}
people:
  - {id: olive-officer, name: Olive Officer, grade: 5, line_manager: dana-decider, area: licensing}
  - {id: dana-decider, name: Dana Decider, offices: [decision-maker], grade: 8}
  - {id: rhys-reviewer, name: Rhys Reviewer, offices: [reviewer], grade: 10}
"""
DIRECTORY = Directory.model_validate(
    {"groups": {"UCB Reviewers": {"office": "reviewer", "grade": 10}, "Deciders": {"office": "decision-maker"}}}
)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    with_tables(tmp_path / "evenhand.db")
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url}
    (tmp_path / "body.yaml").write_text(FILE, encoding="utf-8")
    assert run("body", "set", str(tmp_path / "body.yaml"), env=env).returncode == 0
    return env


def run(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = evenhand(*words, env=env)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + ROWS).encode(),
        (HEADER + ROWS).encode("utf-8-sig"),
        (HEADER + ROWS).replace("\n", "\r\n").encode(),
        (HEADER + ROWS).replace("line_manager", "Line Manager").encode(),
        (HEADER + ROWS).replace(";", "|").replace(",", ";").encode(),
    ],
)
def test_a_spreadsheets_csv_is_read_whatever_separates_its_cells(content: bytes):
    table = staff_of(content, MMO)

    assert not table.faults
    olive, dana, rhys = table.people
    assert (olive.grade, olive.line_manager, [(str(one.start), str(one.end)) for one in olive.absences]) == (
        5,
        "dana-decider",
        [("2027-08-01", "2027-08-14"), ("2027-12-24", "None")],
    )
    assert dana.ever("office") == ("decision-maker",) and [one.grade for one in dana.held if one.grade] == [7, 8]
    assert str(dana.valid_to) == "2028-12-31" and rhys.deputises == ("decision-maker",)


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "right"),
    [
        ("offices,", "ofices,", 1, "column 3", "offices; is that meant?"),
        ("offices,", "name,", 1, "name", "each column once"),
        ("id,", "key,", 1, "id", "a column id"),
        ("Olive Officer", "", 2, "name", "the person's name"),
        ("Officer,,5", "Officer,,five", 2, "grade", "a whole number"),
        ("Officer,,5", "Officer,,100", 2, "grade", "less than or equal to 99"),
        ("2027-08-14;", "2027-07-14;", 2, "absences", "ends on its first day or later"),
        ("2027-08-01..", "2027-08-01-", 2, "absences", "FROM..TO"),
        ("5,dana-decider", "5,nobody-here", 2, "line_manager", "'nobody-here' is nobody else"),
        (",reviewer,", ",revewer,", 4, "offices", "'revewer' is no office of mmo; it has: decision-maker"),
        ("7@..2026-12-31", "7@..2027-01-01", 3, "the line", "found 7 and 8 on the same day"),
        ("31/12/2028", "12/31/2028", 3, "valid_to", "American order"),
        ("rhys-reviewer,Rhys", "olive-officer,Rhys", 4, "id", "twice"),
        ("rhys-reviewer,Rhys", "customer,Rhys", 4, "id", "another id"),
        ("reviewer,10,,decision-maker,,", "reviewer,10,,decision-maker,,,more", 4, "the line", "8, one for each column"),
    ],
)
def test_every_fault_names_line_and_column_and_what_would_be_right(old: str, new: str, line: int, column: str, right: str):
    assert old in HEADER + ROWS
    table = staff_of((HEADER + ROWS).replace(old, new, 1).encode(), MMO)

    assert [(one.line, one.column) for one in table.faults if right in one.right] == [(line, column)], table.faults


@pytest.mark.parametrize("content", [b"", b"\xff\xfei\0d\0", b"PK\x03\x04", b"id,name\n\xff,x\n", b'id,name\n"x\n'])
def test_what_is_no_csv_is_refused_with_what_to_do(content: bytes):
    with pytest.raises(UnreadableTable):
        staff_of(content, MMO)


def test_a_file_without_people_would_empty_the_list_and_is_refused():
    assert [one.found for one in staff_of(HEADER.encode(), MMO).faults] == ["no person"]


def test_what_a_spreadsheet_would_run_is_text():
    [person] = staff_of(b'id,name\nolive,\'=HYPERLINK("x")\n', MMO).people

    assert person.name == '=HYPERLINK("x")'


def test_an_import_shows_what_changes_warns_of_open_tasks_and_keeps_a_history(env: dict[str, str], tmp_path: Path):
    with transaction(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        session.add(TaskRow(case_id="x/1", n=1, body="example-body", kind="appeal", what="w", ref="a1", offices=["reviewer"], people=[],
                            due=None, cites=[], command=None))  # fmt: skip
    file = tmp_path / "staff.csv"
    file.write_text(HEADER + ROWS.replace("rhys-reviewer,Rhys Reviewer,reviewer,10", "nell-new,Nell New,,4"), encoding="utf-8")

    dry = run("staff", "import", str(file), "--body", "example-body", "--dry-run", env=env)
    assert len(json.loads(run("staff", "history", "--body", "example-body", "--json", env=env).stdout)) == 1
    done = json.loads(run("staff", "import", str(file), "--body", "example-body", "--by", "dana-decider", "--json", env=env).stdout)

    assert "nell-new" in dry.stdout and "joins" in dry.stdout and "rhys-reviewer" in dry.stdout and "leaves" in dry.stdout
    assert "rhys-reviewer no longer is reviewer, for whom 1 open task waits" in dry.stderr
    assert "nobody would be reviewer" in dry.stderr
    assert {(one["person"], one["what"]) for one in done["changes"]} == {
        ("nell-new", "joins"),
        ("rhys-reviewer", "leaves"),
        ("olive-officer", "changes"),
        ("dana-decider", "changes"),
    }
    first, second = json.loads(run("staff", "history", "--body", "example-body", "--json", env=env).stdout)
    assert (first["in_force_from"], second["loaded_by"], second["source"]) == (None, "dana-decider", "csv staff.csv")
    assert "Nothing changes" in run("staff", "import", str(file), "--body", "example-body", env=env).stdout
    listed = json.loads(run("staff", "list", "--body", "example-body", "--on", "2026-01-01", "--json", env=env).stdout)
    assert "rhys-reviewer" in {one["id"] for one in listed}, "as it stood before"
    shown = json.loads(run("staff", "show", "dana-decider", "--body", "example-body", "--on", "2028-01-01", "--json", env=env).stdout)
    assert (shown["serves"], shown["holds"]["offices"], shown["holds"]["grade"], shown["deputies"]) == (True, [], 8, [])


def test_a_fault_leaves_everything_as_it_was(env: dict[str, str], tmp_path: Path):
    file = tmp_path / "staff.csv"
    file.write_text(HEADER + ROWS.replace(",reviewer,", ",revewer,"), encoding="utf-8")

    done = run("staff", "import", str(file), "--body", "example-body", env=env)

    assert done.returncode == 2 and "line 4, offices" in done.stderr and "Nothing was loaded" in done.stderr
    with reading(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        assert {one.id for one in body_of(session, "example-body").people} == {"olive-officer", "dana-decider", "rhys-reviewer"}


def test_a_body_file_without_people_leaves_the_list_that_was_imported(env: dict[str, str], tmp_path: Path):
    file = tmp_path / "other.yaml"
    file.write_text(FILE[: FILE.index("people:")], encoding="utf-8")

    assert run("body", "set", str(file), env=env).returncode == 0
    with reading(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        assert len(body_of(session, "example-body").people) == 3


USERS = [
    {"preferred_username": "Rhys-Reviewer", "name": "Rhys R", "groups": ["Deciders", "Somebody Else"]},
    {"preferred_username": "nell-new", "name": "Nell New", "groups": ["UCB Reviewers", "Cover"]},
    {"preferred_username": "someone", "name": "Some One", "groups": ["Somebody Else"]},
]


@pytest.mark.parametrize("lines", [True, False])
def test_groups_of_a_provider_become_offices(env: dict[str, str], tmp_path: Path, lines: bool):
    """What a group gives replaces what a group gave; what no group gives stays; whoever has no mapped group is not listed."""
    file = tmp_path / "users.json"
    file.write_text("\n".join(map(json.dumps, USERS)) if lines else json.dumps(USERS), encoding="utf-8")

    done = run("staff", "import", str(file), "--from-claims", "--body", "example-body", "--json", env=env)

    assert done.returncode == 0, done.stderr
    with reading(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        rhys, nell = sorted(body_of(session, "example-body").people, key=lambda one: one.id, reverse=True)
    assert (rhys.name, rhys.offices, rhys.grade) == ("Rhys Reviewer", ("decision-maker",), 10)
    assert (nell.offices, nell.grade, nell.deputises) == (("reviewer",), 10, ("decision-maker",))


@pytest.mark.parametrize(
    ("content", "says"),
    [("[1]", "user 1 is no JSON object"), ("{}\n{", ":2:1: no JSON"), ("", "nobody with a mapped group")],
)
def test_an_export_that_is_none_is_refused(tmp_path: Path, content: str, says: str):
    file = tmp_path / "users.json"
    file.write_text(content, encoding="utf-8")

    try:
        found = str([str(one) for one in read_claims(file, MMO, DIRECTORY, claim="preferred_username").faults])
    except Unreadable as error:
        found = str(error)
    assert says in found


def test_a_group_for_an_office_that_the_policy_does_not_know_is_refused(tmp_path: Path):
    file = tmp_path / "body.yaml"
    file.write_text(FILE.replace("{office: decision-maker}", "{office: king}"), encoding="utf-8")

    with pytest.raises(Unreadable, match=r"directory\.groups\.Deciders\.office: 'king' is no office of mmo"):
        read_body(file)
