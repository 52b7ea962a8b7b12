"""A body's file: what fits its policy is loaded whole, what does not is refused with file, line and column."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from activities.bodies import body_of, save_body
from policies.load import Unreadable
from records.database import open_database, reading, transaction
from records.tables import StaffRow
from starter.bodies import read_body
from starter.samples import samples
from tests.engine import evenhand
from tests.tables import with_tables

DONE, MISUNDERSTOOD, UNKNOWN = 0, 2, 4
BODY = """\
body: example-body
name: Example Body (test)
policy: mmo
keep_years: 6
people:
  - {id: olive-officer, name: Olive Officer, grade: 5, line_manager: dana-decider, area: licensing}
  - {id: dana-decider, name: Dana Decider, offices: [decision-maker], grade: 8}
  - {id: rhys-reviewer, name: Rhys Reviewer, offices: [reviewer], deputises: [decision-maker], grade: 10, valid_from: 2026-01-01}
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Records of their own with the present tables and nothing in them."""
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    with_tables(tmp_path / "evenhand.db")
    return {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url}


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in BODY
    file = tmp_path / "body.yaml"
    file.write_text(BODY.replace(old, new, 1) if old else BODY, encoding="utf-8")
    return file


def body(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = evenhand("body", *words, env=env)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_body_that_is_set_is_listed_and_shown(env: dict[str, str], tmp_path: Path):
    done = body("set", str(written(tmp_path)), env=env)

    assert done.returncode == DONE, done.stderr
    assert "example-body" in done.stdout
    [listed] = json.loads(body("list", "--json", env=env).stdout)
    assert listed == {"body": "example-body", "name": "Example Body (test)", "policy": "mmo", "keep_years": 6, "people": 3}
    shown = json.loads(body("show", "example-body", "--json", env=env).stdout)
    assert {one["id"]: one["line_manager"] for one in shown["people"]} == {
        "olive-officer": "dana-decider",
        "dana-decider": None,
        "rhys-reviewer": None,
    }
    assert "deputy: decision-maker" in body("show", "example-body", env=env).stdout


def test_set_again_it_replaces_the_staff_list(env: dict[str, str], tmp_path: Path):
    body("set", str(written(tmp_path)), env=env)

    body("set", str(written(tmp_path, "rhys-reviewer, name: Rhys Reviewer", "rae-reviewer, name: Rae Reviewer")), env=env)

    shown = json.loads(body("show", "example-body", "--json", env=env).stdout)
    assert sorted(one["id"] for one in shown["people"]) == ["dana-decider", "olive-officer", "rae-reviewer"]


def test_a_file_that_does_not_fit_exits_2_with_its_line_and_changes_nothing(env: dict[str, str], tmp_path: Path):
    file = written(tmp_path, "[reviewer]", "[revewer]")

    done = body("set", str(file), env=env)

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:8:" in done.stderr
    assert "people.2.offices.0" in done.stderr and "'revewer'" in done.stderr and "reviewer" in done.stderr
    assert json.loads(body("list", "--json", env=env).stdout) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("deputises: [decision-maker]", "deputises: [king]", 8, "people.2.deputises.0", "'king'"),
        ("line_manager: dana-decider", "line_manager: nobody", 6, "people.0.line_manager", "'nobody'"),
        ("line_manager: dana-decider", "line_manager: olive-officer", 6, "people.0.line_manager", "nobody else"),
        ("{id: dana-decider", "{id: olive-officer", 7, "people.1.id", "twice"),
        ("{id: rhys-reviewer", "{id: not-recorded", 8, "people.2.id", "nobody known"),
        ("policy: mmo", "policy: atlantis", 3, "policy", "no such policy"),
        ("keep_years: 6", "keep_years: -1", 4, "keep_years", "-1"),
        ("keep_years: 6", "keep_years: six", 4, "keep_years", "'six'"),
        ("keep_years: 6", "letterhead: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", 4, "letterhead.0", "string"),
        ("keep_years: 6", "letterhead: [a, b, c, d, e, f, g, h, i, j]", 4, "letterhead", "at most 9 lines, found 10"),
        ("keep_years: 6", f"letterhead: [Sample Offices, {'x' * 41}]", 4, "letterhead.1", "at most 40 signs a line, found 41"),
        ("keep_years: 6", "letterhead: [Sample Offices, ' ']", 4, "letterhead.1", "found an empty one"),
        ("keep_years: 6", "letterhead: [Sample 😀 Offices]", 4, "letterhead.0", "take out emoji"),
        ("grade: 5", "rank: 5", 6, "people.0.rank", "5"),
        ("name: Example Body (test)\n", "", 1, "name", "required"),
        ("grade: 10, valid_from: 2026-01-01", "valid_from: 2026-01-01, valid_to: 2025-01-01", 8, "people.2.valid_to", "2026-01-01"),
    ],
)
def test_every_fault_names_file_line_column_and_field(tmp_path: Path, old: str, new: str, line: int, field: str, says: str):
    file = written(tmp_path, old, new)

    with pytest.raises(Unreadable) as refused:
        read_body(file)

    [fault] = [one for one in str(refused.value).splitlines() if f": {field}: " in one]
    assert fault.startswith(f"{file}:{line}:")
    assert fault.removeprefix(f"{file}:{line}:").split(":")[0].isdigit()
    assert says in fault


@pytest.mark.parametrize("content", [b"", b"7", b"- a\n", b"\xff\xfe", b"body: [\n", b"people: {a: 1}\n"])
def test_something_else_altogether_exits_2(env: dict[str, str], tmp_path: Path, content: bytes):
    file = tmp_path / "else.yaml"
    file.write_bytes(content)

    done = body("set", str(file), env=env)

    assert done.returncode == MISUNDERSTOOD, done.stderr
    assert str(file) in done.stderr


def test_a_policy_of_ones_own_is_found_beside_the_body_file(tmp_path: Path):
    own = (Path(__file__).parent.parent / "policies" / "mmo.yaml").read_text(encoding="utf-8")
    (tmp_path / "our-policy.yaml").write_text(own, encoding="utf-8")

    assert read_body(written(tmp_path, "policy: mmo", "policy: our-policy.yaml")).policy == str(tmp_path / "our-policy.yaml")


def test_the_sample_bodies_fit_their_policies(tmp_path: Path):
    found = samples()
    assert len(found) >= 5
    for sample in found:
        file = tmp_path / f"{sample.body.body}.yaml"
        file.write_text(sample.body.model_dump_json(exclude_none=True), encoding="utf-8")  # JSON is YAML too
        assert read_body(file).people == sample.body.people


def test_no_such_body_exits_4_and_no_file_exits_2(env: dict[str, str], tmp_path: Path):
    assert body("show", "atlantis", env=env).returncode == UNKNOWN
    assert body("set", str(tmp_path / "none.yaml"), env=env).returncode == MISUNDERSTOOD


def test_what_a_newer_release_kept_of_a_person_does_not_hinder_this_one(env: dict[str, str], tmp_path: Path):
    engine = open_database(env["EVENHAND_DATABASE_URL"])
    with transaction(engine) as session:
        save_body(session, read_body(written(tmp_path)))
    with transaction(engine) as session:
        row = session.get(StaffRow, ("example-body", "dana-decider"))
        assert row is not None
        row.entry = {**row.entry, "pronouns": "of a later release"}

    with reading(engine) as session:
        found = body_of(session, "example-body")

    assert found.staff.by_id["dana-decider"].offices == ("decision-maker",)


def test_a_body_gives_staff_emails_offices_mailboxes_and_chooses_a_house_letter(env: dict[str, str], tmp_path: Path):
    """EH-120, EH-123: optional all three, kept as they are given."""
    extra = "house_letters: [review-coming]\nmailboxes: {reviewer: reviews@example.org}\n"
    file = written(tmp_path, "{id: dana-decider,", "{id: dana-decider, email: dana@example.org,")
    file.write_text(file.read_text(encoding="utf-8") + extra, encoding="utf-8")

    done = body("set", str(file), env=env)

    assert done.returncode == DONE, done.stderr
    [listed] = json.loads(body("list", "--json", env=env).stdout)
    assert (listed["house_letters"], listed["mailboxes"]) == (["review-coming"], {"reviewer": "reviews@example.org"})
    shown = json.loads(body("show", "example-body", "--json", env=env).stdout)
    assert {one["id"]: one["email"] for one in shown["people"]}["dana-decider"] == "dana@example.org"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("mailboxes: {reviewers: reviews@example.org}", "'reviewers' is no office or informed team of mmo; it has: "),
        ("mailboxes: {reviewer: not an address}", "mailboxes"),
        ("house_letters: [birthday]", "review-coming"),
    ],
    ids=["no such office", "no address", "no such letter"],
)
def test_a_mailbox_or_house_letter_that_is_none_is_refused(env: dict[str, str], tmp_path: Path, extra: str, said: str):
    """Conventions: where, what was found, what would be right."""
    file = written(tmp_path)
    file.write_text(f"{BODY}{extra}\n", encoding="utf-8")

    done = body("set", str(file), env=env)

    assert done.returncode == MISUNDERSTOOD
    assert said in done.stderr
    assert "body.yaml:9" in done.stderr
    assert body("list", "--json", env=env).stdout.strip() == "[]"
