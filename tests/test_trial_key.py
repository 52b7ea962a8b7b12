"""The default run's own key signs for anybody, so it counts on a file for trying out and nowhere else."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, inspect, text
from sqlmodel import select

from activities.bodies import Body, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome
from activities.recording import Recording
from records.database import open_database, reading, transaction
from records.fixed_keys import unguard_keys
from records.signing_keys import revoke
from records.tables import CommandRow, SecurityRow
from starter.doctor import Ill, Patient
from starter.doctor_signers import of_signers
from starter.signed import signatures_of
from starter.signer import Signer, know_locally
from tests.engine import evenhand
from tests.signing import SIGNER, know
from tests.stories import MMO_STAFF
from worker.settings import Settings
from worker.signers import NoSigners, need_signers

NOON = datetime(2027, 2, 1, 12, 30, tzinfo=timezone.utc)
TRIAL = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(3, 35))), iss="evenhand")


@pytest.fixture
def records(database: Engine) -> Engine:
    """Gives records on SQLite and on PostgreSQL that know a key for trying out and one of production's."""
    with transaction(database) as session:
        save_body(session, Body(body="mmo", name="Marine Management Organisation", policy="mmo", keep_years=6, people=MMO_STAFF.people))
    know_locally(database, TRIAL)
    know(database)
    return database


def opened(engine: Engine, case: str, signer: Signer) -> Outcome:
    """Returns what an opening that one key signed is answered."""
    with_ = {"body": "mmo", "customer": {"name": "Casey Sample", "channel": "email", "address": "casey@example.org"}, "area": "licensing"}
    message = signer.at(NOON).sign(case, {"v": 1, "id": f"open:{case}", "do": "open_case", "by": "officer", "with": with_})
    with transaction(engine) as session:
        return Recording(session, Act(case=case, message=message, now=NOON, door="start"), ENGINE_TIME).record()


def on_postgresql(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def test_an_act_that_the_trial_key_signed_counts_on_a_file_alone(records: Engine):
    outcome = opened(records, "mmo/1", TRIAL)

    if not on_postgresql(records):
        assert outcome.accepted, outcome
        return
    assert outcome.result == "unsigned" and "made for trying out" in outcome.answer
    assert outcome.remains and "evenhand keys add-signer" in outcome.remains
    with reading(records) as session:
        assert session.exec(select(CommandRow)).all() == []
        assert [(row.kid, row.claimed_by) for row in session.exec(select(SecurityRow)).all()] == [(TRIAL.kid, "officer")]
    assert opened(records, "mmo/1", SIGNER).accepted, "the id was not taken"


def test_what_the_trial_key_signed_before_it_was_revoked_goes_on_verifying(records: Engine):
    """An earlier release took it: the act is recorded, and its signature is evidence."""
    assert opened(records, "mmo/1", SIGNER).accepted
    with records.begin() as connection:
        unguard_keys(connection)
        connection.execute(text("UPDATE signing_key SET local = :yes WHERE kid = :kid"), {"yes": True, "kid": SIGNER.kid})
    with transaction(records) as session:
        for kid in (SIGNER.kid, TRIAL.kid):
            revoke(session, kid, at=NOON + timedelta(hours=1), why="made for trying out")

    with reading(records) as session:
        [found] = signatures_of(session, "mmo/1")

    assert (found.verifies, found.problem) == (True, None)


def test_a_worker_in_production_starts_beside_no_usable_trial_key(records: Engine):
    at = NOON
    with pytest.raises(NoSigners, match=f"evenhand keys revoke {TRIAL.kid}") as refused:
        need_signers(records, at=at)
    assert "add-signer" not in refused.value.todo, "another key is there"

    with transaction(records) as session:
        revoke(session, TRIAL.kid, at=at, why="made for trying out")
    assert need_signers(records, at=at) == 1


async def test_the_doctor_fails_on_it_in_production_and_not_in_the_default_run(records: Engine, tmp_path: Path):
    production, default = Settings(database_url=str(records.url), var=tmp_path), Settings(var=tmp_path)
    looked = of_signers(Patient(production, None, records))["signers"]

    with pytest.raises(Ill) as ill:
        await looked()
    with transaction(records) as session:
        revoke(session, TRIAL.kid, at=NOON - timedelta(days=4000), why="made for trying out")
    said = await looked()

    assert ill.value.state == "fail" and f"evenhand keys revoke {TRIAL.kid}" in ill.value.todo
    assert said == "1 key may sign, none for trying out"
    assert of_signers(Patient(default, None, records)) == {}


def test_the_default_run_refuses_postgresql_and_makes_nothing(tmp_path: Path, fresh_postgres_url: str):
    """No key, no sample case, no table, no server: it is said what to run instead."""
    var = tmp_path / "var"
    done = evenhand("up", "--once", env={"EVENHAND_VAR": str(var), "EVENHAND_DATABASE_URL": fresh_postgres_url})
    engine = open_database(fresh_postgres_url)
    tables = inspect(engine).get_table_names()
    engine.dispose()

    assert done.returncode == 1 and "Traceback" not in done.stderr
    for word in ("EVENHAND_DATABASE_URL", "worker.migrate", "keys add-signer", "evenhand worker"):
        assert word in done.stderr
    assert fresh_postgres_url not in done.stderr + done.stdout, "an address may hold a password"
    assert tables == [] and not var.exists()
