"""Records or keys that do not answer: every command says so in a line or two, by which place and with what to do, and no password."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from records.away import waits
from records.masters import make_file
from tests.engine import evenhand, free_port
from tests.handed_over import CASE, Records
from tests.signing import key_file_in, know

PASSWORD = "not-for-any-screen"
BY = ("--by", "sam-officer")
APPEAL = ("case", "act", CASE, "appeal", "--by", "customer", "--with", '{"medium": "email", "grounds": "I had a real question."}')
CHECK = ("contact", "check", "--body", "mmo", "--customer", "Casey Sample", "--channel", "email", "--topic", "the licence", *BY)
RECORDS_AWAY = (
    ("case", "show", CASE, *BY), ("case", "log", CASE, *BY), ("case", "dates", CASE, *BY), ("case", "list", *BY), APPEAL, CHECK,
    ("case", "signatures", CASE), ("tasks", "--for", "sam-officer", *BY), ("register", "--body", "mmo", *BY), ("undelivered", *BY),
    ("letter", "list", CASE, *BY), ("inbox", *BY), ("text", "put", CASE), ("bundle", CASE, "--for", "ombudsman", "--out", "x.zip", *BY),
    ("audit", "verify"), ("audit", "heads"), ("audit", "reads", *BY), ("destroy", "due", *BY), ("destroy", "run", CASE, "--dry-run", *BY),
    ("destroy", "certificate", CASE, *BY), ("keys", "list"), ("keys", "refused"), ("keys", "seal-records"), ("body", "list"),
    ("staff", "list", "--body", "mmo"), ("calendar", "list"), ("calendar", "feed", "--body", "mmo", *BY), ("post", "staff"),
    ("engine", "reconcile", "--last"),
)  # fmt: skip
"""Commands of every kind: they read, act, take in, audit, destroy, look after keys."""
KEYS_AWAY = (
    ("case", "show", CASE), APPEAL, ("case", "act", CASE, "assess", "--by", "officer", "--with", "{}"), ("text", "put", CASE),
    ("keys", "masters"), ("keys", "rotate-master"), ("codec", "serve"), ("engine", "check"), ("worker",),
)  # fmt: skip


def env_of(folder: Path, records: str, keys: str) -> dict[str, str]:
    make_file(folder / "master.key")
    return {
        "EVENHAND_VAR": str(folder), "EVENHAND_MASTER_KEY_FILE": str(folder / "master.key"), "EVENHAND_DATABASE_URL": records,
        "EVENHAND_KEYS_URL": keys, "EVENHAND_SIGNING_KEY_FILE": key_file_in(folder),
        "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def nobody() -> str:
    """Gives the URL of a PostgreSQL that is not there."""
    return f"postgresql+psycopg://evenhand:{PASSWORD}@127.0.0.1:{free_port()}/evenhand"


def told_of(what: str, nobody: str, said: subprocess.CompletedProcess[str]) -> None:
    place = nobody.partition("@")[2]
    assert said.returncode == 3, said
    assert f"evenhand: {what} at {place} do not answer. Nothing was kept" in said.stderr and "evenhand doctor" in said.stderr, said
    assert len(said.stderr.splitlines()) < 4 and "Traceback" not in said.stderr and PASSWORD not in f"{said.stdout}{said.stderr}", said


@pytest.mark.parametrize("words", RECORDS_AWAY, ids=" ".join)
def test_records_that_are_away_are_told_by_any_command(words: tuple[str, ...], tmp_path: Path, nobody: str):
    env = env_of(tmp_path, nobody, f"sqlite:///{tmp_path / 'keys.db'}")

    told_of("The records", nobody, evenhand(*words, env=env, given="a text"))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives the folder of a case that is restricted, its keys beside it."""
    folder = tmp_path_factory.mktemp("lived")
    lived = Records(folder).restricted()
    know(lived.engine)
    lived.engine.dispose()
    return folder


@pytest.mark.parametrize("words", KEYS_AWAY, ids=" ".join)
def test_keys_that_are_away_are_told_by_any_command_that_needs_them(words: tuple[str, ...], lived: Path, nobody: str):
    env = env_of(lived, f"sqlite:///{lived / 'evenhand.db'}", nobody)

    told_of("The keys", nobody, evenhand(*words, env=env, given="a text"))


def test_the_doctor_looks_further_whatever_is_away(lived: Path, nobody: str):
    for env in (env_of(lived, nobody, f"sqlite:///{lived / 'keys.db'}"), env_of(lived, f"sqlite:///{lived / 'evenhand.db'}", nobody)):
        said = evenhand("doctor", env=env)
        assert said.returncode == 1 and "Traceback" not in said.stderr and PASSWORD not in f"{said.stdout}{said.stderr}"
        assert "do not answer" in said.stdout.replace("does", "do"), said.stdout


def test_tables_of_an_earlier_release_are_not_called_away(tmp_path: Path):
    """Nor the other way round: who reads that the records are old runs the migrations."""
    env = env_of(tmp_path, f"sqlite:///{tmp_path / 'empty.db'}", f"sqlite:///{tmp_path / 'keys.db'}")

    said = evenhand(*CHECK, env=env)

    assert said.returncode == 3 and "of an earlier release" in said.stderr and len(said.stderr.splitlines()) < 4, said


def test_a_connection_is_waited_for_ten_seconds_unless_the_address_says_otherwise():
    """A host that nobody has answers nothing at all: without a limit a command would hang for minutes."""
    assert waits("postgresql+psycopg://evenhand@192.0.2.1/evenhand") == {"connect_timeout": 10}
    assert waits("postgresql+psycopg://evenhand@192.0.2.1/evenhand?connect_timeout=3") == {}
