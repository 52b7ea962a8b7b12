"""One changed byte in a log, a sign-off or a certificate is found and its place named; so is a line taken away. On both databases."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from records.append_only import APPEND_ONLY, unguard
from records.audit import heads, read_heads, verify
from records.certificates import issue
from records.chain import FIRST
from records.database import MIGRATIONS, migrate, reading, transaction
from records.log import line_hash, log_of
from records.reads import Read, note
from records.sign_offs import sign_offs_of
from records.tables import CaseRow, SignOffLineRow
from starter.clock import now
from tests.handed_over import CASE, MANAGER, REVIEWER, Records, message
from tests.test_records import to_revision

FLIPPED = {
    "log": ("what", "'The end.'"),
    "sign_off_line": ("office", "'reviewer'"),
    "certificate": ("issued_at", "'2020-01-01 00:00:00'"),
    "read_log": ("shows", "'nothing'"),
}


@pytest.fixture
def lived(database: Engine, tmp_path: Path) -> Engine:
    """Gives records of one case with three sign-offs, and three certificates of others."""
    records = Records(tmp_path, url=database.url.render_as_string(hide_password=False), ready=True).restricted()
    upheld = message("a", "decide_appeal", by=REVIEWER, saw="a1", outcome="uphold", reasons="It was right.")
    records.tell(upheld, date(2027, 4, 1))
    lifted = message("r", "review", by=REVIEWER, saw="s1", why="own-motion", outcome="lift", reasons="All is calm.")
    records.tell(lifted, date(2027, 6, 1))
    with transaction(database) as session:
        for n in range(3):
            issue(session, f"mmo/{n}", {"body": "mmo", "destroyed": {"texts": n}}, at=now())
            note(session.connection(), [Read(who=REVIEWER, how="case show", what="case show", case=CASE, shows="all")], at=now())
    records.engine.dispose()
    return database


def broken(engine: Engine) -> list[tuple[str, int | None]]:
    with reading(engine) as session:
        return [(one.chain, one.line) for one in verify(session)]


def as_administrator(engine: Engine, statement: str) -> None:
    """Do what the database refuses to everybody who does not first take its guards away."""
    with engine.begin() as connection:
        for table in APPEND_ONLY:
            unguard(connection, table)
        connection.execute(text(statement))


CHAINS = {"log": "log", "sign_off_line": "sign-offs", "certificate": "certificates", "read_log": "reads"}


def lines(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_what_nobody_touched_holds(lived: Engine):
    assert broken(lived) == []
    assert [lines(lived, table) > 1 for table in CHAINS] == [True] * 4, "chains of one line prove little"


@pytest.mark.parametrize("table", CHAINS)
def test_one_changed_value_is_found_at_its_line(lived: Engine, table: str):
    column, value = FLIPPED[table]

    as_administrator(lived, f'UPDATE {table} SET "{column}" = {value} WHERE n = 2')

    assert broken(lived)[0] == (CHAINS[table], 2)


@pytest.mark.parametrize("table", CHAINS)
@pytest.mark.parametrize("which", ["first", "last"])
def test_a_line_taken_away_is_found_the_last_too(lived: Engine, table: str, which: str):
    n = 1 if which == "first" else lines(lived, table)

    as_administrator(lived, f"DELETE FROM {table} WHERE n = {n}")

    assert broken(lived)[0] == (CHAINS[table], n)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("act", ["UPDATE {} SET n = n + 100", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_or_take_away_a_line(lived: Engine, table: str, act: str):
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), lived.begin() as connection:
        connection.execute(text(act.format(table)))

    assert broken(lived) == []


def test_postgresql_refuses_to_empty_such_a_table(lived: Engine):
    if lived.dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE: it would be a DELETE")
    for table in APPEND_ONLY:
        with pytest.raises(DatabaseError, match="append-only"), lived.begin() as connection:
            connection.execute(text(f"TRUNCATE {table}"))


def test_a_signature_as_it_stands_that_was_never_given_is_found(lived: Engine):
    """The list that staff look up is written anew with each act; the chain beside it is not."""
    with lived.begin() as connection:
        connection.execute(text(f"UPDATE sign_off SET person = '{REVIEWER}', human = '{REVIEWER}' WHERE person = '{MANAGER}'"))

    with reading(lived) as session:
        [found] = verify(session)
    assert found.chain == "sign-offs" and f"of n2 of {CASE}" in found.what and "never given" in found.what


def test_a_chain_written_anew_from_end_to_end_differs_from_the_heads_noted_elsewhere(lived: Engine):
    """Whoever may change the whole database can make every hash fit; not the note of it that lies elsewhere."""
    with reading(lived) as session:
        noted = read_heads(_json(heads(session)))
    as_administrator(lived, "UPDATE log SET what = 'The end.' WHERE n = 2")
    with transaction(lived) as session:
        _chained_anew(session)
    assert broken(lived) == [], "the forger is thorough"

    with reading(lived) as session:
        found = [(one.chain, one.case) for one in verify(session, noted=noted)]

    assert found == [("heads", CASE)]


def _json(value: object) -> str:
    return json.dumps(value)


def _chained_anew(session: Session) -> None:
    before = FIRST
    for row in log_of(session, CASE):
        before = row.hash = line_hash(before, row)
    case = session.get(CaseRow, CASE)
    assert case
    case.log_hash = before


def test_what_was_signed_under_a_release_without_the_chain_is_chained_by_the_migration(lived: Engine):
    with reading(lived) as session:
        before = {(row.about, row.person) for row in sign_offs_of(session, CASE)}
    assert len(before) > 2
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    to_revision(lived, str(ScriptDirectory.from_config(config).get_revision("0011").down_revision))
    migrate(lived)

    with reading(lived) as session:
        assert {(row.about, row.person) for row in sign_offs_of(session, CASE)} == before
        assert session.get(SignOffLineRow, (CASE, 1))
        assert [one for one in verify(session) if one.chain != "certificates"] == []
