"""Who may change who acts, and under which rules: where people sign in, whom the installation names, and nobody else (EH-180)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlmodel import SQLModel
from typer.testing import CliRunner

import starter.acting
from activities.bodies import Body, save_body
from domain.people import Person
from policies import load
from records import administered
from records.database import migrate, open_database, reading, transaction
from records.keys import file_keys
from records.security import first_broken_refusal
from records.signing_keys import all_keys
from starter import cli
from starter.administrators import COMMANDS
from starter.clock import today
from starter.signer import Signer, make_pair, public_file
from tests.signing import SIGNER, keep
from tests.test_cli import every_command
from tests.test_reading import READS
from worker.settings import Settings, wrong_settings

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
OLIVE, DANA = "olive-officer", "dana-decider"
PEOPLE = (Person(id=OLIVE, name="Olive Officer", grade=5), Person(id=DANA, name="Dana Decider", offices=("decision-maker",), grade=8))
BODY = f"""\
body: mmo
name: MMO (test)
policy: mmo
keep_years: 6
people:
  - {{id: {OLIVE}, name: Olive Officer, offices: [decision-maker, reviewer], grade: 12}}
"""
CSV = f"id,name,offices,grade\n{OLIVE},Olive Officer,decision-maker;reviewer,12\n"
ELSEWHERE: dict[str, str] = {
    "an act, judged on its case by the staff list and the signature": (
        "case open/case act/case correct/case withdraw/case close/text put/destroy sign/destroy run/register import"
    ),
    "finishes what two people signed before": "destroy again",
    "says what the post did, which gives nobody a right": "post round/post returned/post staff",
    "keeps engine and records in step, and lets nobody act": "engine check/engine rebuild/engine reconcile",
    "wraps or seals what is there already, for nobody new": "keys seal-records",
    "makes files that nothing believes before they are loaded": "keys new/keys new-master",
    "looks, plays or checks, and changes nothing": (
        "case commands/policy list/policy show/policy check/policy schema/policy behaviours/policy diff/policy what-if/clauses/"
        "calendar list/calendar show/calendar check/letter check/rehearse/doctor/audit verify/audit heads/audit changes/body list/"
        "body show/keys list/keys refused/keys masters/staff list/staff show/staff history/who/codec serve"
    ),
    "says who is here: offices by groups as an administrator mapped them": "sign-in/sign-out",
    "is the machine's own: whoever has its files and settings has all of it": "up/worker/backup/restore",
}
"""Commands that need no administrator, and why. A new command stands here, among the reads, or among starter.administrators.COMMANDS."""


def leaves() -> set[str]:
    every = set(every_command())
    return {" ".join(one) for one in every if one and not any(other[: len(one)] == one and other != one for other in every)}


def test_every_command_needs_an_administrator_or_says_why_not():
    named = [one for some in ELSEWHERE.values() for one in some.split("/")]
    stands, reads = [*named, *COMMANDS], {" ".join(one) for one in READS}  # of one that changes things the dry run is a look

    assert len(leaves()) > 50 and len(COMMANDS) > 8
    assert leaves() - set(stands) - reads == set(), "say in starter/administrators.py that it needs one, or here why it does not"
    assert set(named) | set(COMMANDS) <= leaves(), "there is no such command"
    assert sorted(one for one in set(stands) if stands.count(one) > 1) == []


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    engine = open_database(url, keys=lambda: file_keys(tmp_path))
    migrate(engine)
    with transaction(engine) as session:
        save_body(session, Body(body="mmo", name="MMO", policy="mmo", keep_years=6, people=PEOPLE))
        keep(session)
    engine.dispose()
    return {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url, "EVENHAND_TEMPORAL_ADDRESS": "127.0.0.1:1", "COLUMNS": "250"}


@pytest.fixture
def engine(env: dict[str, str]) -> Iterator[Engine]:
    found = open_database(env["EVENHAND_DATABASE_URL"])
    yield found
    found.dispose()


@pytest.fixture
def signed_in(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Olive is signed in. Who the provider says it is: tests/test_sign_in.py."""
    monkeypatch.setattr(starter.acting, "signed_in_as", lambda settings: OLIVE)
    return {**env, "EVENHAND_OIDC_ISSUER": "https://login.example.org"}


def calendar_file(folder: Path) -> Path:
    """Writes a table newer than the one in force."""
    text = (load.HOME / "calendars" / "england-and-wales.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^edition: .*$", "edition: england-and-wales-test", text, flags=re.MULTILINE)
    file = folder / "table.yaml"
    file.write_text(re.sub(r"^checked_on: .*$", f"checked_on: {today()}", text, flags=re.MULTILINE), encoding="utf-8")
    return file


def words(command: str, folder: Path) -> list[str]:
    """Returns a command as somebody types it who would gain by it, with its files written."""
    (folder / "body.yaml").write_text(BODY, encoding="utf-8")
    (folder / "staff.csv").write_text(CSV, encoding="utf-8")
    (folder / "own.yaml").write_text(f"{load.policy_text('mmo')}\n# another text\n", encoding="utf-8")
    key = folder / "new.pem"
    if not key.exists():
        make_pair(key)
    rest = {
        "body set": (str(folder / "body.yaml"),),
        "staff import": (str(folder / "staff.csv"), "--body", "mmo"),
        "keys add-signer": (str(public_file(key)), "--holder", "me", "--staff", "--customer"),
        "keys revoke": (SIGNER.kid, "--reason", "mine", "--from", "2020-01-01"),
        "keys limit": ("--days", "3650"),
        "keys rotate-master": (),
        "keys drop-master": ("any",),
        "calendar load": (str(calendar_file(folder)),),
        "calendar apply": (),
        "policy move": (str(folder / "own.yaml"), "--body", "mmo"),
        "engine repair": ("--calendar", str(calendar_file(folder))),
    }
    return [*command.split(), *rest[command]]


def invoke(env: dict[str, str], *given: str) -> tuple[int, str]:
    list(every_command())  # adds the groups once
    done = CliRunner().invoke(cli.app, list(given), env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {one.name: sorted(map(repr, connection.execute(one.select()).all())) for one in SQLModel.metadata.sorted_tables}


@pytest.mark.parametrize("listed", ["", DANA, f"{DANA}, somebody-else"])
@pytest.mark.parametrize("command", COMMANDS)
def test_whoever_is_signed_in_and_not_named_changes_nothing(
    command: str, listed: str, signed_in: dict[str, str], engine: Engine, tmp_path: Path
):
    given, before = words(command, tmp_path), everything(engine)
    files = {one.name: one.read_bytes() for one in tmp_path.iterdir() if "master" in one.name}

    code, said = invoke({**signed_in, "EVENHAND_ADMINISTRATORS": listed}, *given)

    assert code == REFUSED and "olive-officer is no administrator" in said, said
    assert (f"Ask {DANA}" if listed else "EVENHAND_ADMINISTRATORS to ids of the staff lists") in said
    assert everything(engine) == before and len(before) > 20
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir() if "master" in one.name} == files


@pytest.mark.parametrize(
    ("command", "code", "about"),
    [
        ("body set", DONE, "mmo"),
        ("staff import", DONE, "mmo"),
        ("keys add-signer", DONE, ""),
        ("keys revoke", DONE, ""),
        ("keys limit", DONE, ""),
        ("keys rotate-master", DONE, None),
        ("calendar load", DONE, "england-and-wales-test"),
        ("policy move", DONE, None),
        ("engine repair", UNREACHED, "england-and-wales-test"),
    ],
)
def test_whoever_is_named_may_and_is_noted(
    command: str, code: int, about: str | None, signed_in: dict[str, str], engine: Engine, tmp_path: Path
):
    """And each such line stands in evenhand audit changes, and not among what came unsigned."""
    env = {**signed_in, "EVENHAND_ADMINISTRATORS": f"{DANA},{OLIVE}"}

    done, said = invoke(env, *words(command, tmp_path))

    assert done == code, said
    with reading(engine) as session:
        assert [(one.claimed_by, one.do) for one in administered.noted(session)] == [(OLIVE, command)]
    [line] = json.loads(invoke(env, "audit", "changes", "--json")[1])
    assert (line["by"], line["command"]) == (OLIVE, command) and about in (None, line["about"])
    assert json.loads(invoke(env, "keys", "refused", "--json")[1])["refused"] == []


@pytest.mark.parametrize("by", [DANA, "customer"])
def test_an_administrator_names_nobody_else(by: str, signed_in: dict[str, str], engine: Engine, tmp_path: Path):
    """`customer` is whose letter an officer enters; nobody changes a key as that."""
    env = {**signed_in, "EVENHAND_ADMINISTRATORS": f"{DANA},{OLIVE}"}

    code, said = invoke(env, *words("keys limit", tmp_path), "--by", by)

    assert code == REFUSED and f"--by is {by}, and olive-officer is signed in" in said


def test_nobody_signed_in_revokes_no_key(env: dict[str, str], engine: Engine, tmp_path: Path):
    none = {**env, "EVENHAND_OIDC_ISSUER": "http://127.0.0.1:1", "EVENHAND_SESSION_FILE": str(tmp_path / "none.json")}

    code, said = invoke({**none, "EVENHAND_ADMINISTRATORS": OLIVE}, *words("keys revoke", tmp_path))

    assert code == REFUSED and "evenhand sign-in" in said
    with reading(engine) as session:
        assert all(row.revoked_at is None for row in all_keys(session))


@pytest.mark.parametrize("command", ["staff import", "calendar load", "calendar apply", "policy move"])
def test_a_dry_run_needs_nobody(command: str, signed_in: dict[str, str], engine: Engine, tmp_path: Path):
    before = everything(engine)

    code, said = invoke(signed_in, *words(command, tmp_path), "--dry-run")

    after = everything(engine)
    for one in (before, after):  # that somebody looked is noted
        del one["read_log"]
        one["installation"] = [row for row in one["installation"] if not row.startswith("('reads'")]
    assert code == DONE and after == before, said


def test_rules_that_came_with_the_release_need_no_administrator(signed_in: dict[str, str]):
    """An edition that the records hold, the body's own, and those of the release: moving a case there is an act."""
    code, said = invoke(signed_in, "policy", "move", "natural-england", "--body", "mmo")

    assert code == DONE and "no administrator" not in said and "nothing was moved" in said


# Where nobody signs in


def test_without_a_provider_by_is_taken_at_its_word_and_that_is_said(env: dict[str, str], engine: Engine, tmp_path: Path):
    code, said = invoke(env, *words("staff import", tmp_path), "--by", DANA)

    assert code == DONE and f"Nobody signs in here (EVENHAND_OIDC_ISSUER is not set): {DANA} is taken at its word" in said
    with reading(engine) as session:
        assert [(one.claimed_by, one.do, one.why) for one in administered.noted(session)] == [(DANA, "staff import", "list 2")]
    assert "no name is kept" in invoke(env, *words("body set", tmp_path))[1]


@pytest.mark.parametrize("command", ["keys add-signer", "keys revoke", "keys limit"])
def test_keys_are_not_changed_without_a_name(command: str, env: dict[str, str], engine: Engine, tmp_path: Path):
    given, before = words(command, tmp_path), everything(engine)

    code, said = invoke(env, *given)

    assert code == MISUNDERSTOOD and "Missing option '--by'" in said and everything(engine) == before


def test_who_revoked_a_key_and_moved_the_limit_is_kept(env: dict[str, str], engine: Engine, tmp_path: Path):
    assert invoke(env, *words("keys revoke", tmp_path), "--by", DANA)[0] == DONE
    assert invoke(env, *words("keys limit", tmp_path), "--by", OLIVE)[0] == DONE

    with reading(engine) as session:
        revoked, limited = administered.noted(session)
        assert first_broken_refusal(session) is None
    assert (revoked.claimed_by, revoked.do, revoked.kid) == (DANA, "keys revoke", SIGNER.kid) and "2020-01-01" in revoked.why
    assert (limited.claimed_by, limited.do, limited.why) == (OLIVE, "keys limit", "3650 days")


def test_a_key_whose_id_begins_with_a_hyphen_is_revoked_like_any_other(env: dict[str, str], engine: Engine):
    made = (Signer(Ed25519PrivateKey.from_private_bytes(n.to_bytes(32, "big"))) for n in range(1, 5000))
    signer = next(one for one in made if one.kid.startswith("-"))
    with transaction(engine) as session:
        keep(session, signer)

    done, said = invoke(env, "keys", "revoke", signer.kid, "--reason", "lost", "--by", DANA)

    assert done == DONE and signer.kid in said, said


@pytest.mark.parametrize("command", ["keys add-signer", "keys revoke", "keys limit"])
def test_keys_are_not_changed_by_somebody_nobody_knows(command: str, env: dict[str, str], engine: Engine, tmp_path: Path):
    given, before = words(command, tmp_path), everything(engine)

    code, said = invoke(env, *given, "--by", "dana-decidr")

    assert code == MISUNDERSTOOD and "--by dana-decidr is on no staff list today" in said and f"Is {DANA} meant?" in said, said
    assert everything(engine) == before
    assert invoke({**env, "EVENHAND_ADMINISTRATORS": "dana-decidr"}, *given, "--by", "dana-decidr")[0] == DONE, "an operator on no list"


def test_the_first_key_comes_before_any_staff_list(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    migrate(open_database(url))
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url}

    assert invoke(env, *words("keys add-signer", tmp_path), "--by", "ola-operator")[0] == DONE


SCOPES: dict[str, tuple[tuple[str, ...], str]] = {
    "a person nobody knows": (("--person", "olive-oficer"), "is not on any staff list: is olive-officer meant?"),
    "a person of another body": (("--person", OLIVE, "--body", "other"), "is not on the staff list of other"),
    "the customer as a person": (("--person", "customer"), "For what customers send: --customer"),
    "a body that is not there": (("--staff", "--body", "mm0"), "--body mm0: there is no such body in the records; it would be one of: mmo"),
    "one of two": (("--staff", "--body", "mmo", "--body", "nowhere"), "--body nowhere"),
}


@pytest.mark.parametrize("what", SCOPES)
def test_a_key_for_nobody_or_no_body_is_refused(what: str, env: dict[str, str], engine: Engine, tmp_path: Path):
    with transaction(engine) as session:
        save_body(session, Body(body="other", name="Other", policy="mmo", people=(Person(id="eve", name="Eve Elsewhere"),)))
    given, before = words("keys add-signer", tmp_path), everything(engine)
    scope, says = SCOPES[what]

    code, said = invoke(env, *given[:5], *scope, "--by", DANA)

    assert code == MISUNDERSTOOD and says in said, said
    assert everything(engine) == before


def test_a_key_for_one_person_and_for_a_service_that_is_none(env: dict[str, str], engine: Engine, tmp_path: Path):
    given = words("keys add-signer", tmp_path)
    other = tmp_path / "crm.pem"
    make_pair(other)

    assert invoke(env, *given[:5], "--person", OLIVE, "--body", "mmo", "--by", DANA)[0] == DONE
    added = invoke(env, "keys", "add-signer", str(public_file(other)), "--holder", "no person at all", "--staff", "--by", DANA)
    assert added[0] == DONE, added[1]


# The setting


@pytest.mark.parametrize(
    ("given", "found"),
    [("", frozenset()), (" , ", frozenset()), (OLIVE, frozenset({OLIVE})), (f" {OLIVE} ,{DANA},", frozenset({OLIVE, DANA}))],
)
def test_administrators_are_ids_apart_by_commas(given: str, found: frozenset[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVENHAND_ADMINISTRATORS", given)

    assert Settings().administrators == found


@pytest.mark.parametrize("given", ['["olive-officer"]', "Olive Officer", "olive-officer;dana-decider", "*"])
def test_administrators_that_are_no_ids_are_told(given: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EVENHAND_ADMINISTRATORS", given)

    with pytest.raises(ValueError) as error:
        Settings()
    told = wrong_settings(error.value)  # type: ignore[arg-type]  # a pydantic ValidationError
    assert told is not None and "EVENHAND_ADMINISTRATORS: ids of the staff lists, apart by commas" in told
