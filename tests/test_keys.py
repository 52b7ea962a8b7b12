"""evenhand keys: a pair made, let sign, listed, revoked; and where the default run keeps its own."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Engine

from activities.bodies import Body, save_body
from activities.outcome import Act, Outcome
from activities.repair import _again
from domain.people import Person
from records.database import create_all, open_database, reading, transaction
from records.signing_keys import SINCE as BEGAN
from records.signing_keys import all_keys, signed_since
from records.tables import InstallationRow
from starter.cases import NoKey, ready
from starter.signer import BadKey, Signer, key_file, local_signer, make_pair, read_private, read_public, signer_of
from starter.vectors import SEED
from tests.signing import SIGNER
from worker.settings import Settings

SINCE = datetime(2026, 11, 26, 9, tzinfo=timezone.utc)


@pytest.fixture
def records(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    return engine


def evenhand(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"EVENHAND_VAR": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "250"}
    return subprocess.run([str(Path(sys.executable).with_name("evenhand")), *words], env=env, capture_output=True, text=True, check=False)


def test_a_pair_is_made_let_sign_listed_and_revoked(records: Engine, tmp_path: Path):
    with transaction(records) as session:
        for body in ("mmo", "maidstone"):
            save_body(session, Body(body=body, name=body, policy=body, people=(Person(id="ola-operator", name="Ola Operator"),)))
    private = tmp_path / "crm.pem"
    made = evenhand(tmp_path, "keys", "new", str(private))
    kid = Signer(read_private(private)).kid
    assert made.returncode == 0 and kid in made.stdout and "PRIVATE" not in made.stdout
    assert stat.S_IMODE(private.stat().st_mode) == 0o600

    scope = ("--staff", "--customer", "--body", "mmo", "--body", "maidstone", "--from", "2026-11-01", "--to", "2027-10-31")
    added = evenhand(tmp_path, "keys", "add-signer", f"{private}.pub", "--holder", "crm", "--by", "ola-operator", *scope)
    again = evenhand(tmp_path, "keys", "add-signer", f"{private}.pub", "--holder", "crm", "--by", "ola-operator", "--staff")
    assert added.returncode == 0 and "any member of staff, customers on cases of mmo, maidstone" in added.stdout, added.stderr
    assert again.returncode == 1 and "holds" not in again.stderr and "already" in again.stderr

    listed = evenhand(tmp_path, "keys", "list")
    assert all(word in listed.stdout for word in (kid, "crm", "2026-11-01 00:00 UTC", "2027-11-01 00:00 UTC", "ola-operator"))
    revoke = ("keys", "revoke", "--by", "ola-operator", "--reason", "stolen")
    gone = evenhand(tmp_path, *revoke, kid[:8], "--from", "2026-11-20T10:15")
    assert gone.returncode == 0 and "revoked from 2026-11-20 10:15 UTC: stolen" in gone.stdout, gone.stderr
    assert evenhand(tmp_path, *revoke, "zzzzzzzz").returncode == 4
    [row] = json.loads(evenhand(tmp_path, "keys", "list", "--json").stdout)
    assert (row["revoked_why"], row["local"], row["bodies"]) == ("stolen", False, ["mmo", "maidstone"])
    assert evenhand(tmp_path, "keys", "refused").returncode == 0


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "for nobody": ((), "sign for nobody"),
    "for one and for all": (("--person", "pat", "--staff"), "one person alone"),
    "an end before its beginning": (("--staff", "--from", "2027-01-02", "--to", "2027-01-01"), "before its first day"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_key_with_a_scope_that_cannot_be_is_refused_whole(records: Engine, tmp_path: Path, what: str):
    words, why = WRONG[what]
    make_pair(tmp_path / "k.pem")

    done = evenhand(tmp_path, "keys", "add-signer", str(tmp_path / "k.pem.pub"), "--holder", "crm", "--by", "ola", *words)

    assert done.returncode == 2 and why in done.stderr
    with reading(records) as session:
        assert all_keys(session) == ()


def test_the_key_that_everybody_has_is_refused(records: Engine, tmp_path: Path):
    public = SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert SIGNER.key.private_bytes_raw() == SEED
    (tmp_path / "k.pub").write_bytes(public)

    done = evenhand(tmp_path, "keys", "add-signer", str(tmp_path / "k.pub"), "--holder", "crm", "--by", "ola", "--staff")

    assert done.returncode == 1 and "everybody has its private half" in done.stderr


def test_a_file_that_is_no_such_key_is_named_and_never_quoted(tmp_path: Path):
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, content, why in (("not.pem", b"SECRET words", "no private key"), ("ec.pem", other, "of another kind")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadKey, match=why) as bad:
            read_private(tmp_path / name)
        assert "SECRET" not in str(bad.value) and name in str(bad.value)
    with pytest.raises(BadKey, match="evenhand keys new"):
        read_private(tmp_path / "not-there.pem")
    make_pair(tmp_path / "good.pem")
    with pytest.raises(BadKey, match="stays with its holder"):
        read_public(tmp_path / "good.pem")
    with pytest.raises(BadKey, match="never written over"):
        make_pair(tmp_path / "good.pem")


def test_the_default_run_makes_a_key_once_and_its_records_know_it_as_local(records: Engine, tmp_path: Path):
    settings = Settings(var=tmp_path)
    assert signer_of(settings) is None

    first, again = local_signer(settings, records), local_signer(settings, records)

    assert first.kid == again.kid and stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    with reading(records) as session:
        assert [(row.kid, row.local, row.staff, row.customer, row.calendar) for row in all_keys(session)] == [
            (first.kid, True, True, True, True)
        ]


def test_a_private_key_stands_in_no_text_of_its_signer(tmp_path: Path):
    signer = Signer(make_pair(tmp_path / "k.pem"))

    assert signer.key.private_bytes_raw().hex() not in repr(signer) and "key=" not in repr(signer)


def test_without_a_key_nothing_is_sent_and_a_message_that_brings_its_token_needs_none():
    message: dict[str, object] = {"id": "x", "do": "assess"}
    with pytest.raises(NoKey):
        ready("mmo/1", message, None)
    assert ready("mmo/1", {**message, "token": "t"}, None)["token"] == "t"


# Repair


BEFORE = Act(case="mmo/1", message={"id": "x", "do": "assess", "by": "pat"}, now=SINCE - timedelta(days=1))
ANSWERED = Outcome(command="x", result="accepted", answer="Done.")
HISTORIES: dict[str, tuple[Act, Outcome | None, bool]] = {
    "from before, and answered": (BEFORE, ANSWERED, False),
    "from before, and never answered": (BEFORE, None, True),
    "younger than signatures": (BEFORE.model_copy(update={"now": SINCE}), ANSWERED, True),
    "taken in by a release that signs": (BEFORE.model_copy(update={"door": "signal"}), ANSWERED, True),
    "with a token": (BEFORE.model_copy(update={"message": {**BEFORE.message, "token": "t"}}), ANSWERED, True),
}


@pytest.mark.parametrize("what", HISTORIES)
def test_repair_takes_an_act_without_a_signature_from_before_signatures_alone(records: Engine, what: str):
    act, answered, needs = HISTORIES[what]
    with transaction(records) as session:
        session.add(InstallationRow(name=BEGAN, value=SINCE.isoformat()))
        session.flush()
        assert _again(session, act, answered).needs_signature is needs


def test_the_migration_notes_when_signatures_began(database: Engine):
    with reading(database) as session:
        since = signed_since(session)
    assert since is not None and since.tzinfo is not None


def test_where_nobody_noted_when_signatures_began_every_act_needs_one(records: Engine):
    with transaction(records) as session:
        assert signed_since(session) is None
        assert _again(session, BEFORE, ANSWERED).needs_signature
