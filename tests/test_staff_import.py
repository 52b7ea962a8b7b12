"""A staff list from a spreadsheet or a provider's groups: checked like a body's file, all of it or nothing, its changes shown first."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from activities.bodies import Body, body_of, save_body
from activities.staff_lists import ListRefused, Loaded, lists_of, staff_at
from domain.directory import Directory
from domain.people import Person, Staff
from policies.load import Unreadable
from records.database import open_database, reading, transaction
from records.tables import TaskRow
from starter.bodies import read_body
from starter.clock import now
from starter.spreadsheet import UnreadableTable
from starter.staff_claims import read_claims
from starter.staff_links import links
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


# Two accounts of one human being (EH-181, DEF-20)


PAT, SECOND, OLD = "pat-adviser", "pat-second", "pat-before"
TWO = (
    Person(id=PAT, name="Pat Adviser", grade=5),
    Person(id=SECOND, name="Pat Adviser", natural=PAT, offices=("reviewer",), grade=10),
    Person(id="dana-decider", name="Dana Decider", offices=("decision-maker",), grade=8),
)
LINKED = "id,name,natural,offices,grade\npat-adviser,Pat Adviser,,,5\npat-second,Pat Adviser,pat-adviser,reviewer,10\n"
LINKED += "dana-decider,Dana Decider,,decision-maker,8\n"
CUT = "pat-second and pat-adviser are one human being on the list that stands and would be two"


@pytest.fixture
def linked(env: dict[str, str]) -> dict[str, str]:
    """A list on which Pat has two accounts, and a third that was closed."""
    with transaction(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        body = body_of(session, "example-body")
        before = (*TWO, Person(id=OLD, name="Pat Adviser", natural=PAT))
        save_body(session, body.model_copy(update={"people": before}), Loaded(at=now()))
        save_body(session, body.model_copy(update={"people": TWO}), Loaded(at=now()))
    return env


def stands(env: dict[str, str]) -> Staff:
    with reading(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        return staff_at(session, "example-body", now())


def imported(env: dict[str, str], tmp_path: Path, content: str, *words: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "staff.csv"
    file.write_text(content, encoding="utf-8")
    return run("staff", "import", str(file), "--body", "example-body", *words, env=env)


WITHOUT = "id,name,offices,grade\npat-adviser,Pat Adviser,,6\npat-second,Pat Adviser,reviewer,10\npat-before,Pat Adviser,,\n"
WITHOUT += "dana-decider,Dana Decider,decision-maker,8\n"


def test_a_csv_without_the_column_keeps_the_links_that_stand(linked: dict[str, str], tmp_path: Path):
    """Also of somebody who comes back: the account that was closed is still Pat's."""
    done = imported(linked, tmp_path, WITHOUT)

    assert done.returncode == 0 and "natural" not in done.stdout.replace("natural: pat-adviser", ""), done
    staff = stands(linked)
    assert [staff.human_of(one) for one in (PAT, SECOND, OLD)] == [PAT] * 3 and staff.by_id[PAT].grade == 6


@pytest.mark.parametrize(
    "content",
    [
        LINKED.replace("Pat Adviser,pat-adviser,", "Pat Adviser,,"),
        LINKED.replace("Pat Adviser,pat-adviser,", "Pat Adviser,dana-decider,"),
    ],
    ids=["cut", "changed"],
)
def test_a_link_is_cut_by_an_explicit_word_alone(content: str, linked: dict[str, str], tmp_path: Path):
    dry = imported(linked, tmp_path, content, "--dry-run")
    refused = imported(linked, tmp_path, content)
    as_json = imported(linked, tmp_path, content, "--json")

    assert dry.returncode == 0 and CUT in dry.stderr and "Take care" in dry.stderr
    assert refused.returncode == 1 and CUT in refused.stderr and "--unlink pat-second" in refused.stderr
    assert "Nothing was loaded." in refused.stdout
    assert as_json.returncode == 1 and not json.loads(as_json.stdout)["loaded"] and CUT in json.loads(as_json.stdout)["warnings"][0]
    assert stands(linked).human_of(SECOND) == PAT
    done = imported(linked, tmp_path, content, "--unlink", SECOND)
    assert done.returncode == 0 and CUT in done.stderr, "said once more"
    assert stands(linked).human_of(SECOND) != PAT and stands(linked).human_of(OLD) == PAT


def test_an_account_renamed_under_those_that_left_is_seen(linked: dict[str, str], tmp_path: Path):
    """The closed account stands for pat-adviser, who now would stand for somebody else."""
    content = LINKED.replace("pat-adviser,Pat Adviser,,", "pat-adviser,Pat Adviser,dana-decider,").replace(
        "Pat Adviser,pat-adviser,", "Pat Adviser,dana-decider,"
    )

    done = imported(linked, tmp_path, content)

    assert done.returncode == 1 and "pat-before and pat-adviser are one human being" in done.stderr, done.stderr


@pytest.mark.parametrize("named", [PAT, "nobody-at-all"])
def test_a_word_that_cuts_nothing_is_refused(named: str, linked: dict[str, str], tmp_path: Path):
    before = stands(linked)

    done = imported(linked, tmp_path, LINKED.replace("Pat Adviser,,,5", "Pat Adviser,,,6"), "--unlink", named)

    assert done.returncode == 2 and f"--unlink {named}: this list cuts no link of it" in done.stderr and stands(linked) == before


def test_a_first_link_and_the_same_again_need_no_word(env: dict[str, str], tmp_path: Path):
    assert imported(env, tmp_path, LINKED).returncode == 0
    assert "Nothing changes" in imported(env, tmp_path, LINKED).stdout


WRONG = {
    "a typo": ("Pat Adviser,pat-adviser,", "Pat Adviser,pat-advisor,", 3, "'pat-advisor'", "is pat-adviser meant?"),
    "itself": ("Pat Adviser,pat-adviser,", "Pat Adviser,pat-second,", 3, "'pat-second'", "another account's id, or nothing"),
    "a chain": ("Dana Decider,,", "Dana Decider,pat-second,", 4, "'pat-second'", "pat-adviser, for whom pat-second stands"),
    "a chain through one who left": ("Dana Decider,,", "Dana Decider,pat-before,", 4, "'pat-before'", "pat-adviser, for whom pat-before"),
    "a circle": (
        "pat-adviser,Pat Adviser,,",
        "pat-adviser,Pat Adviser,pat-second,",
        2,
        "'pat-second'",
        "pat-adviser and pat-second stand for each other",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_link_to_nobody_or_in_a_chain_is_refused_by_line_and_column(what: str, linked: dict[str, str], tmp_path: Path):
    old, new, line, found, right = WRONG[what]
    before = stands(linked)
    assert LINKED.count(old) == 1

    done = imported(linked, tmp_path, LINKED.replace(old, new), "--dry-run")

    assert done.returncode == 2 and f"line {line}, natural: found {found}" in done.stderr and right in done.stderr, done.stderr
    assert stands(linked) == before


def test_a_link_to_somebody_who_left_is_right(linked: dict[str, str], tmp_path: Path):
    """pat-adviser's account is closed; the second one stays his."""
    content = LINKED.replace("pat-adviser,Pat Adviser,,,5\n", "")

    assert imported(linked, tmp_path, content).returncode == 0
    assert stands(linked).human_of(SECOND) == PAT == stands(linked).human_of(PAT)
    assert imported(linked, tmp_path, content.replace("decision-maker,8", "decision-maker,9")).returncode == 0, "and stays right"


def test_a_word_for_two_accounts_that_an_earlier_release_took_stays_good_and_can_be_mended():
    old = Staff(people=(Person(id="a", name="A", natural="ann"), Person(id="b", name="A", natural="ann")))
    body = MMO.model_copy(update={"people": old.people})

    assert not staff_of(b"id,name,natural\na,A,ann\nb,A,ann\nc,C,\n", body).faults
    assert [one.column for one in staff_of(b"id,name,natural\na,A,ann\nb,A,anne\n", body).faults] == ["natural"]
    mended = staff_of(b"id,name,natural\na,A,\nb,A,a\n", body)
    assert not mended.faults and links(old, mended.people, unlink=()) == ((), (), ())


def test_a_body_file_cuts_a_link_by_an_explicit_word_alone(linked: dict[str, str], tmp_path: Path):
    file = tmp_path / "two.yaml"
    people = "".join(f"  - {{id: {one}, name: Pat, grade: {n}}}\n" for n, one in enumerate((PAT, SECOND), start=4))
    file.write_text(FILE[: FILE.index("people:")].replace("keep_years: 6", "keep_years: 9") + "people:\n" + people, encoding="utf-8")

    refused = run("body", "set", str(file), env=linked)

    assert refused.returncode == 1 and CUT in refused.stderr and "--unlink pat-second" in refused.stderr
    with reading(open_database(linked["EVENHAND_DATABASE_URL"])) as session:
        assert body_of(session, "example-body").keep_years == 6, "nothing of the file was taken"
    assert run("body", "set", str(file), "--unlink", SECOND, env=linked).returncode == 0
    assert stands(linked).human_of(SECOND) == SECOND


@pytest.mark.parametrize(
    ("natural", "right"),
    [
        ("pat-advisor", "found 'pat-advisor'; right would be: the id of an account that is or was on this list; is pat-adviser meant?"),
        (SECOND, "another account's id"),
        (OLD, "pat-adviser, for whom pat-before"),
    ],
)
def test_a_body_file_with_a_wrong_link_names_its_place(natural: str, right: str, linked: dict[str, str], tmp_path: Path):
    file = tmp_path / "two.yaml"
    people = f"  - {{id: {PAT}, name: Pat}}\n  - {{id: {SECOND}, name: Pat, natural: {natural}}}\n"
    file.write_text(FILE[: FILE.index("people:")] + "people:\n" + people, encoding="utf-8")

    done = run("body", "set", str(file), env=linked)

    assert done.returncode == 2 and "two.yaml:9:33: people.1.natural:" in done.stderr and right in done.stderr, done.stderr


def test_a_user_who_comes_back_by_groups_is_still_the_same_human_being(linked: dict[str, str], tmp_path: Path):
    file = tmp_path / "users.json"
    back = [{"preferred_username": one, "name": "Pat", "groups": ["Deciders"]} for one in (PAT, OLD)]
    file.write_text(json.dumps(back), encoding="utf-8")

    done = run("staff", "import", str(file), "--from-claims", "--body", "example-body", env=linked)

    assert done.returncode == 0, done.stderr
    assert [stands(linked).human_of(one) for one in (PAT, SECOND, OLD)] == [PAT] * 3


# In force from when


@pytest.mark.parametrize("words", [("staff", "import", "staff.csv", "--body", "example-body"), ("body", "set", "body.yaml")])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_list_from_an_instant_still_to_come_is_refused(words: tuple[str, ...], dry: tuple[str, ...], env: dict[str, str], tmp_path: Path):
    if dry and words[0] == "body":
        return
    (tmp_path / "staff.csv").write_text(HEADER + ROWS, encoding="utf-8")
    (tmp_path / "body.yaml").write_text(FILE.replace("grade: 5", "grade: 6").replace("keep_years: 6", "keep_years: 9"), encoding="utf-8")
    given = [str(tmp_path / one) if "." in one else one for one in words]

    done = run(*given, *dry, "--since", "2099-01-01T00:00:00", env=env)

    assert done.returncode == 2 and "2099-01-01T00:00:00 (UTC) is still to come" in done.stderr and "valid_from" in done.stderr
    with reading(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        assert len(lists_of(session, "example-body")) == 1 and body_of(session, "example-body").keep_years == 6


def test_the_records_take_no_list_from_an_instant_still_to_come(env: dict[str, str]):
    at = now()
    with pytest.raises(ListRefused, match="still to come"), transaction(open_database(env["EVENHAND_DATABASE_URL"])) as session:
        body = body_of(session, "example-body").model_copy(update={"people": TWO})
        save_body(session, body, Loaded(at=at, since=at + timedelta(seconds=1)))


def test_a_list_for_an_earlier_time_says_so(env: dict[str, str], tmp_path: Path):
    done = imported(env, tmp_path, HEADER + ROWS, "--since", "2026-01-05T09:00:00")

    assert done.returncode == 0 and "in force from 2026-01-05 09:00:00 UTC on" in done.stdout, done
