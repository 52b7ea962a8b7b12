"""The command line as people and scripts meet it: a process of its own, its exit code and what it says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from starter import cli
from starter.samples import samples
from tests.engine import ROOT, evenhand, free_port
from tests.engine import evenhand as run

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
REHEARSAL = ROOT / "rehearsals" / "mmo-review-request-window.yaml"


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a default run that came and went: its records are there, its engine is not."""
    folder = tmp_path_factory.mktemp("var")
    env = {
        "EVENHAND_VAR": str(folder),
        "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "EVENHAND_UI_PORT": str(free_port()),
    }
    done = evenhand("up", "--once", env=env)
    assert done.returncode == DONE, done.stderr
    return env


def every_command() -> Iterator[tuple[str, ...]]:
    """Yields every command and group of commands, as the program itself lists them."""
    if not any(group.name == "case" for group in cli.app.registered_groups):
        cli._add_groups()
    yield ()
    yield from _below(typer.main.get_command(cli.app), ())


def _below(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, below in getattr(command, "commands", {}).items():
        yield (*path, name)
        yield from _below(below, (*path, name))


def no_traceback(done: subprocess.CompletedProcess[str]) -> None:
    assert "Traceback" not in done.stderr + done.stdout, done.stderr


def test_every_command_explains_itself():
    words = list(every_command())
    assert len(words) > 20
    for asked in words:
        done = CliRunner().invoke(cli.app, [*asked, "--help"])
        assert done.exit_code == DONE, (asked, done.output)
        assert "Usage: " in done.stdout, asked
        explained = [line for line in done.stdout.splitlines() if line.strip() and "Usage" not in line]
        assert explained and len(explained[0].strip()) > 10, asked


def test_no_command_at_all_shows_the_help():
    done = run(env={})

    assert "Usage: " in done.stdout + done.stderr
    no_traceback(done)


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("case", "nonsense"),
        ("case", "act"),
        ("case", "act", ""),
        ("case", "act", "", "warn", "--by", "sam-officer"),
        ("case", "act", "mmo/sample-1", "", "--by", "sam-officer"),
        ("case", "show", ""),
        ("case", "list", "--no-such-option"),
        ("case", "show"),
    ],
)
def test_what_is_not_understood_exits_2(words: tuple[str, ...]):
    done = run(*words, env={})

    assert done.returncode == MISUNDERSTOOD
    assert done.stderr.strip()
    no_traceback(done)


JSON = [
    ("case", "list"),
    ("case", "show", "mmo/sample-1"),
    ("case", "dates", "mmo/sample-1"),
    ("case", "log", "mmo/sample-1"),
    ("case", "commands"),
    ("tasks", "--for", "robin-reviewer"),
    ("register", "--body", "mmo"),
    ("policy", "list"),
    ("policy", "show", "mmo"),
    ("policy", "check", "mmo"),
    ("policy", "behaviours", "mmo"),
    ("clauses", "--policy", "mmo"),
    ("clauses", "--policy", "mmo", "--missing"),
]


@pytest.mark.parametrize("words", JSON, ids=" ".join)
def test_json_is_json_and_nothing_else(words: tuple[str, ...], var: dict[str, str]):
    done = run(*words, "--json", env=var)

    assert done.returncode == DONE, done.stderr
    assert json.loads(done.stdout) is not None
    assert done.stderr == ""


@pytest.mark.parametrize("words", JSON, ids=" ".join)
def test_without_json_people_read_it(words: tuple[str, ...], var: dict[str, str]):
    done = run(*words, env=var)

    assert done.returncode == DONE, done.stderr
    assert done.stdout.strip() and not done.stdout.startswith(("{", "["))


def test_the_schema_is_json(var: dict[str, str]):
    done = run("policy", "schema", env=var)

    assert done.returncode == DONE
    assert json.loads(done.stdout)["title"] == "Policy"


def test_the_list_holds_every_sample_case(var: dict[str, str]):
    listed = json.loads(run("case", "list", "--json", env=var).stdout)

    wanted = {one.case for one in samples()}
    assert len(wanted) >= 2
    assert {one["id"] for one in listed} == wanted


def test_a_restriction_that_the_customer_is_not_yet_told_of_is_decided_and_not_in_force(var: dict[str, str]):
    """DEF-05, DEF-06: the decision of Portsmouth's sample went by first-class post today, the MMO's by email."""
    posted, told = (run("case", "show", f"{body}/sample-1", env=var).stdout for body in ("portsmouth", "mmo"))

    assert "decided, not yet in force: binds from" in posted
    assert "not yet in force" not in told
    assert "in force" not in posted.replace("not yet in force", "")


def test_a_date_explains_itself(var: dict[str, str]):
    """DESIGN 4: start event, rule, clause, days skipped, calendar edition."""
    found = json.loads(run("case", "dates", "mmo/sample-1", "--json", env=var).stdout)

    [closes] = [one for one in found if one["name"] == "appeal_closes"]
    assert closes["cites"] == ["MMO-42"]
    assert closes["from_event"] == "notification"
    assert closes["rule"]


def test_the_log_says_whether_its_chain_holds(var: dict[str, str]):
    found = json.loads(run("case", "log", "portsmouth/sample-1", "--json", env=var).stdout)

    assert (found["chain_holds"], found["first_broken_line"]) == (True, None)
    assert len(found["lines"]) > 8


@pytest.mark.parametrize(
    "words",
    [
        ("case", "show", "no/such-case"),
        ("case", "dates", "no/such-case"),
        ("case", "log", "no/such-case"),
        ("tasks", "--for", "nobody-at-all"),
    ],
    ids=" ".join,
)
def test_no_such_thing_exits_4(words: tuple[str, ...], var: dict[str, str]):
    done = run(*words, env=var)

    assert done.returncode == UNKNOWN
    assert words[-1] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    no_traceback(done)


def test_no_records_exits_4_and_says_how_to_begin(tmp_path: Path):
    done = run("case", "list", env={"EVENHAND_VAR": str(tmp_path / "none")})

    assert done.returncode == UNKNOWN
    assert "evenhand up" in done.stderr
    assert not (tmp_path / "none").exists(), "looking must not create records"


@pytest.mark.parametrize(
    "words",
    [
        ("case", "act", "mmo/sample-1", "assess", "--by", "sam-officer"),
        ("case", "act", "mmo/sample-1", "assess", "--by", "sam-officer", "--signal"),
        ("case", "open", "mmo/new", "--by", "sam-officer", "--body", "mmo", "--name", "Casey Sample"),
        ("case", "withdraw", "mmo/sample-1", "--by", "sam-officer", "--reasons", "None."),
        ("worker",),
    ],
    ids=" ".join,
)
def test_an_engine_that_cannot_be_reached_exits_3_with_one_helpful_line(words: tuple[str, ...], var: dict[str, str]):
    done = run(*words, env=var)

    assert done.returncode == UNREACHED, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "evenhand up" in done.stderr and "EVENHAND_TEMPORAL_ADDRESS" in done.stderr
    no_traceback(done)


@pytest.mark.parametrize("given", ["{not json", "[1]", "@no-such-file.json", "7"])
def test_fields_that_are_no_json_object_exit_2(given: str, var: dict[str, str]):
    done = run("case", "act", "mmo/sample-1", "assess", "--by", "sam-officer", "--with", given, env=var)

    assert done.returncode == MISUNDERSTOOD
    assert "--with" in done.stderr
    no_traceback(done)


@pytest.mark.parametrize("bytes_", [b"\xff\xfe\x00", b'{"reasons": "\xff"}'])
def test_a_file_of_fields_that_is_no_text_exits_2(bytes_: bytes, var: dict[str, str], tmp_path: Path):
    file = tmp_path / "fields.json"
    file.write_bytes(bytes_)

    done = run("case", "act", "mmo/sample-1", "assess", "--by", "sam-officer", "--with", f"@{file}", env=var)

    assert done.returncode == MISUNDERSTOOD
    no_traceback(done)


def test_a_day_that_is_none_exits_2(var: dict[str, str]):
    done = run("case", "act", "mmo/sample-1", "assess", "--by", "sam-officer", "--on", "2027-02-30", env=var)

    assert done.returncode == MISUNDERSTOOD
    no_traceback(done)


# Policy files


def spoilt(tmp_path: Path, old: str, new: str) -> tuple[Path, int]:
    """Returns a copy of a policy with one line changed, and that line's number."""
    text = (ROOT / "policies" / "mmo.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    file = tmp_path / "spoilt.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file, text[: text.index(old)].count("\n") + 1


def test_policy_check_passes_every_policy_that_comes_with_it():
    names = [one["policy"] for one in json.loads(run("policy", "list", "--json", env={}).stdout)]
    assert len(names) >= 2

    for name in names:
        done = run("policy", "check", name, env={})
        assert done.returncode == DONE, done.stderr + done.stdout


def test_policy_check_names_file_line_column_field_and_what_was_found(tmp_path: Path):
    """DESIGN 3: load errors name file, line, column, the field and what would be right."""
    file, line = spoilt(tmp_path, "window: {weeks: {value: 2, cites: [MMO-42]}", "window: {weeks: {value: two, cites: [MMO-42]}")

    done = run("policy", "check", str(file), env={})

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:{line}:" in done.stderr
    place = done.stderr.split(f"{file}:{line}:")[1]
    assert place.split(":")[0].isdigit()
    assert "appeal.window" in place and "'two'" in place and "integer" in place
    no_traceback(done)


def test_policy_check_names_a_field_that_is_none(tmp_path: Path):
    file, line = spoilt(tmp_path, "title: Unreasonable customer behaviour policy", "titel: Unreasonable customer behaviour policy")

    done = run("policy", "check", str(file), env={})

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:{line}:1: titel" in done.stderr
    assert "title" in done.stderr


def test_policy_check_names_the_line_of_what_is_no_yaml(tmp_path: Path):
    file = tmp_path / "torn.yaml"
    file.write_text("format: 1\npolicy: torn\noffices: {a: [\n", encoding="utf-8")

    done = run("policy", "check", str(file), env={})

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:" in done.stderr
    assert done.stderr.split(f"{file}:")[1].split(":")[0].isdigit()
    no_traceback(done)


def test_policy_check_finds_a_clause_that_is_not_there(tmp_path: Path):
    file, _ = spoilt(tmp_path, "cites: [MMO-43], default: DEF-04", "cites: [MMO-4300], default: DEF-04")

    done = run("policy", "check", str(file), env={})

    assert done.returncode in (REFUSED, MISUNDERSTOOD)
    assert "MMO-4300" in done.stderr
    no_traceback(done)


@pytest.mark.parametrize("content", [b"", b"7", b"- a\n- b\n", b"\xff\xfe\x00\x01", b"a: &a [*a]\n", b"? [1]\n: 2\n"])
def test_policy_check_of_something_else_altogether_exits_2(content: bytes, tmp_path: Path):
    file = tmp_path / "else.yaml"
    file.write_bytes(content)

    done = run("policy", "check", str(file), env={})

    assert done.returncode == MISUNDERSTOOD, done.stderr
    assert str(file) in done.stderr
    no_traceback(done)


def test_policy_check_of_no_file_says_what_there_is():
    done = run("policy", "check", "atlantis", env={})

    assert done.returncode == MISUNDERSTOOD
    assert "atlantis" in done.stderr and "mmo" in done.stderr


# Rehearsals


def test_a_rehearsal_that_goes_as_expected_exits_0():
    done = run("rehearse", str(REHEARSAL), "--json", env={})

    assert done.returncode == DONE, done.stdout + done.stderr
    [played] = json.loads(done.stdout)
    assert len(played["steps"]) > 3


def test_a_rehearsal_that_differs_exits_1_and_shows_the_line(tmp_path: Path):
    text = REHEARSAL.read_text(encoding="utf-8")
    old = "expect: {outcome: accepted, stage: opened, tasks: [warn]}"
    assert text.count(old) == 1
    file = tmp_path / "differs.yaml"
    file.write_text(text.replace(old, "expect: {outcome: refused, stage: opened, tasks: [warn]}"), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1

    done = run("rehearse", str(file), env={})

    assert done.returncode == REFUSED, done.stderr
    assert "DIFFERS" in done.stdout
    assert f"{file}:{line}: step 1, outcome: expected refused, found accepted" in done.stdout
    no_traceback(done)


def test_a_rehearsal_that_cannot_be_read_exits_2_with_line_and_column(tmp_path: Path):
    text = REHEARSAL.read_text(encoding="utf-8")
    old = "via: signal\n    with: {medium: email"
    assert text.count(old) == 1
    file = tmp_path / "unreadable.yaml"
    file.write_text(text.replace(old, "via: pigeon\n    with: {medium: email"), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1

    done = run("rehearse", str(file), env={})

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:{line}:5: steps.1.via" in done.stderr
    assert "pigeon" in done.stderr
    no_traceback(done)


def test_a_folder_without_rehearsals_exits_2(tmp_path: Path):
    done = run("rehearse", str(tmp_path), env={})

    assert done.returncode == MISUNDERSTOOD
    no_traceback(done)


def test_a_rehearsal_of_a_policy_that_is_not_there_exits_2(tmp_path: Path):
    file = tmp_path / "atlantis.yaml"
    file.write_text(REHEARSAL.read_text(encoding="utf-8").replace("policy: mmo", "policy: atlantis"), encoding="utf-8")

    done = run("rehearse", str(file), env={})

    assert done.returncode == MISUNDERSTOOD, done.stderr
    assert "atlantis" in done.stderr
    no_traceback(done)


def cells(text: str, column: str) -> list[str]:
    """Returns what stands below a heading of a table, line by line."""
    lines = text.splitlines()
    top = next(n for n, line in enumerate(lines) if re.search(rf"\b{column}", line))
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", lines[top])]
    begin = next(start for start in starts if lines[top][start:].startswith(column))
    end = next((start for start in starts if start > begin), None)
    return [line[begin:end].strip() for line in lines[top + 1 :]]


DEFAULTS_TOLD = [
    # a listing that has both, what stands among its clauses, and what is marked as a default
    (("case", "show", "maidstone/sample-1"), "MBC-64", "MBC-64"),
    (("tasks", "--for", "max-manager", "--body", "maidstone"), "MBC-64", "MBC-64"),
    (("policy", "show", "portsmouth"), "PCC-82", "A-61"),
    (("clauses", "--policy", "portsmouth"), None, "A-60"),
]


@pytest.mark.parametrize(("words", "clause", "default"), DEFAULTS_TOLD, ids=lambda one: " ".join(one) if isinstance(one, tuple) else "")
def test_a_listing_holds_clauses_and_defaults_apart(words: tuple[str, ...], clause: str | None, default: str, var: dict[str, str]):
    """Design 3: nobody takes a default for the policy's own words."""
    said = run(*words, env={**var, "COLUMNS": "400"}).stdout
    said = said.split("\nTasks")[-1].split("\nLetters")[0]

    marked = cells(said, "default")
    assert any(default in one for one in marked)
    if clause:
        told = cells(said, "clauses")
        assert any(clause in one for one in told)
        assert not any(re.search(r"\b(DEF|A|EH)-\d\d", one) for one in told)


def test_the_dates_of_a_case_hold_clauses_and_defaults_apart(var: dict[str, str]):
    """Portsmouth's 28 days are the policy's (PCC-81); from which day they run is not (A-60)."""
    closes = run("case", "dates", "portsmouth/sample-1", env=var).stdout.split("appeal closes of s1")[1].splitlines()[2]

    assert closes.strip() == "clauses: PCC-81; defaults, not the policy's words: A-60"
    shown = run("case", "show", "portsmouth/sample-1", env={**var, "COLUMNS": "400"}).stdout.split("\nDates")[1]
    assert "A-60" in cells(shown, "defaults")
    assert "A-60" not in "".join(cells(shown, "clauses"))
