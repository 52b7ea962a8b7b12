"""A file that is not there, a folder in its place, a nest without end: said on one line, in an instant, with what would be right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from policies import load
from policies.load import DEEPEST, Unreadable, parse
from policies.not_opened import not_written
from starter.bodies import read_body
from starter.calendars import read_calendar
from starter.cli_letter_kept import write
from starter.register_import import read_words
from starter.script import read_script

EVENHAND = str(Path(sys.executable).with_name("evenhand"))


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "1000", "EVENHAND_VAR": str(folder / "none")}
    environment.pop("EVENHAND_DATABASE_URL", None)
    return subprocess.run([EVENHAND, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


READERS = {
    "policy": lambda path: load.policy(str(path)),
    "rehearsal": read_script,
    "body": read_body,
    "calendar": read_calendar,
    "map": read_words,
}


@pytest.mark.parametrize("kind", [kind for kind in READERS if kind != "policy"])
def test_a_file_that_is_not_there_is_told_with_the_nearest(kind: str, tmp_path: Path):
    (tmp_path / "body.yaml").write_text("a: 1\n", encoding="utf-8")

    for name, right in (
        ("boddy.yaml", f"did you mean {tmp_path / 'body.yaml'}?"),
        ("nothing-like-it.yaml", "give the path of one that is there"),
        ("none/body.yaml", f"no folder {tmp_path / 'none'}"),
        (".", "a folder; name a file in it"),
        ("x" * 300, "give the path of a file"),
        ("a\0b", "no file can have that name"),
    ):
        with pytest.raises(Unreadable) as told:
            READERS[kind](tmp_path / name)
        assert right in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    "words",
    [
        ("calendar", "check", "none.yaml"),
        ("calendar", "load", "none.yaml", "--by", "somebody"),
        ("body", "set", "none.yaml"),
        ("rehearse", "none.yaml"),
        ("rehearse", "none/"),
        ("policy", "check", "none.yaml"),
        ("policy", "check", "mmo", "--body", "none.yaml"),
        ("policy", "diff", "none.yaml", "mmo"),
        ("policy", "what-if", "none.yaml"),
        ("policy", "move", "none.yaml", "--body", "mmo"),
        ("post", "returned", "none.csv"),
    ],
    ids=" ".join,
)
def test_a_command_says_which_file_is_not_there_before_it_looks_for_records(words: tuple[str, ...], tmp_path: Path):
    done = run(tmp_path, *words)

    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"evenhand: {next(word for word in words if word.startswith('none')).rstrip('/')}: ")
    assert len(done.stderr.splitlines()) == 1 and "records" not in done.stderr


def test_a_calendar_is_held_against_the_tables_that_come_with_it_where_there_are_no_records(tmp_path: Path):
    text = (load.HOME / "calendars" / "scotland.yaml").read_text(encoding="utf-8")
    (tmp_path / "good.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "old.yaml").write_text(
        text.replace("checked_on: 20", "checked_on: 19").replace("edition: scotland-2", "edition: scotland-1")
    )

    good, old = run(tmp_path, "calendar", "check", "good.yaml"), run(tmp_path, "calendar", "check", "old.yaml")

    assert (good.returncode, "held against the tables that come with Evenhand" in good.stdout) == (0, True), good.stderr
    assert (old.returncode, "is in force, checked on" in old.stderr) == (2, True), old.stderr
    assert run(tmp_path, "calendar", "load", "good.yaml", "--by", "somebody").returncode == 4, "only loading needs records"
    assert not (tmp_path / "none").exists()


# Nests


def nest(depth: int) -> str:
    return "a: " + "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "text", [nest(100_000), "- " * 50_000 + "a", "{a: " * 20_000, "? " * 20_000], ids=["flow", "block", "open", "keys"]
)
def test_a_nest_is_told_where_it_gets_too_deep_whatever_follows(text: str):
    """Twelve seconds went by over such a file: now nothing is read beyond the depth that is allowed."""
    with pytest.raises(Unreadable) as told:
        parse(text, "deep.yaml")

    assert "nested too deep; write it flatter" in str(told.value)
    line, column = (int(part) for part in str(told.value).split(":")[1:3])
    assert line == 1 and column <= 5 * DEEPEST, told.value


def test_what_is_as_deep_as_allowed_is_read():
    assert parse(nest(DEEPEST - 1), "deep.yaml")
    with pytest.raises(Unreadable, match=f"at most {DEEPEST} deep"):
        parse(nest(DEEPEST), "deep.yaml")


def test_no_file_that_comes_with_the_project_is_half_as_deep():
    def depth(data: object) -> int:
        inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        return 1 + max((depth(one) for one in inner), default=0)

    root = load.HOME.parent
    files = [*root.glob("policies/**/*.yaml"), *root.glob("rehearsals/**/*.yaml"), *root.glob("tests/policies/**/*.yaml")]
    deepest = max(depth(parse(file.read_text(encoding="utf-8"), file.name)) for file in files)
    print(f"{len(files)} files, at most {deepest} deep")

    assert len(files) > 100 and 5 < deepest < DEEPEST / 2


# Files to write


def test_a_file_that_cannot_be_written_is_told_with_what_would_be_right(tmp_path: Path):
    for path, error, right in (
        (
            tmp_path / "none" / "x.csv",
            FileNotFoundError(2, "No such file or directory"),
            f"there is no folder {tmp_path / 'none'}; make it first",
        ),
        (tmp_path, IsADirectoryError(21, "Is a directory"), "it is a folder; name a file in it"),
        (tmp_path / "x.csv", PermissionError(13, "Permission denied"), "this may not be written there; choose another folder"),
        (tmp_path / "x.csv", OSError(28, "No space left on device"), "No space left on device"),
    ):
        assert not_written(path, error) == right


def test_nothing_is_written_to_no_folder_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(typer.Exit) as left:
        write(Path("none") / "x.svg", b"x")

    assert left.value.exit_code == 2
    assert "there is no folder none; make it first" in " ".join(capfd.readouterr().err.split())
    assert not (tmp_path / "none").exists()
