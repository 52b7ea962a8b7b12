"""One changed byte in a log, a sign-off or a certificate is found and its place named; so is a line taken away. On both databases."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.command import downgrade
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Engine, Integer, TypeDecorator, text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, SQLModel

from records.append_only import APPEND_ONLY, unguard
from records.audit import heads, read_heads, verify
from records.certificates import issue
from records.chain import FIRST
from records.database import MIGRATIONS, migrate, reading, transaction
from records.fixed_keys import ENDS, FIXED
from records.log import line_hash, log_of
from records.reads import Read, note
from records.security import first_broken_refusal, security_log, write
from records.sign_offs import sign_offs_of
from records.tables import CaseRow, SigningKeyRow, SignOffLineRow
from starter.clock import now
from tests.engine import evenhand
from tests.handed_over import CASE, MANAGER, REVIEWER, Records, message

CHAINED = {name: table for name, table in SQLModel.metadata.tables.items() if "hash" in table.c and name in APPEND_ONLY}
"""Every table whose lines hold the hash of the line before; a new one comes in by itself."""

REFUSED = {"case_id": CASE, "door": "update", "claimed_by": MANAGER, "do": "warn", "command_id": "x", "kid": "", "why": "It is not signed."}


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
            write(session, at=now(), **{**REFUSED, "command_id": f"x{n}"})
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


CHAINS = {"log": "log", "sign_off_line": "sign-offs", "certificate": "certificates", "read_log": "reads", "security_log": "security"}


def lines(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_what_nobody_touched_holds(lived: Engine):
    assert broken(lived) == []
    assert [lines(lived, table) > 1 for table in CHAINS] == [True] * 5, "chains of one line prove little"


def test_every_chained_table_has_its_chain():
    assert set(CHAINED) == set(CHAINS)


@pytest.mark.parametrize("table", CHAINS)
def test_one_changed_byte_in_any_column_is_found_at_its_line_and_hides_no_other_chain(lived: Engine, table: str):
    """Also where the line cannot even be read any more: no day, no JSON, no text. Another chain is broken too, and is named as well."""
    other = next(name for name in reversed(CHAINS) if name != table)
    as_administrator(lived, f"UPDATE {other} SET hash = 'another' WHERE n = 1")
    as_administrator(lived, f"CREATE TABLE kept AS SELECT * FROM {table} WHERE n = 2")
    tried = 0
    for column in CHAINED[table].c:
        for value in changed(lived, column):
            as_administrator(lived, f'UPDATE {table} SET "{column.name}" = {value} WHERE n = 2')
            assert {(CHAINS[table], 2), (CHAINS[other], 1)} <= set(broken(lived)), f"{column} = {value}"
            as_administrator(lived, f"DELETE FROM {table} WHERE n = 2 OR n = 902 OR n IS NULL")
            as_administrator(lived, f"INSERT INTO {table} SELECT * FROM kept")
            tried += 1
    assert (CHAINS[table], 2) not in broken(lived), "what is put back holds"
    assert tried >= len(CHAINED[table].c)


def changed(engine: Engine, column: Column[Any]) -> list[str]:
    """Returns SQL for values that a column may hold after a byte of it was changed."""
    of = f'"{column.name}"'
    if engine.dialect.name == "sqlite":  # which keeps whatever it is given
        number = isinstance(column.type, Integer | Boolean)
        return ["902"] if number else [f"coalesce('X' || substr({of}, 2), 'X')", f"coalesce(substr({of}, 1, length({of}) - 1) || '~', '~')",
                                       f"CAST(x'ff' || coalesce({of}, '') AS TEXT)"]  # fmt: skip
    match column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type:
        case Integer():
            return ["902"]
        case Boolean():
            return [f"NOT {of}"]
        case DateTime():
            return [f"{of} + interval '1 second'", "'infinity'"]
        case Date():
            return [f"{of} + 1", "'infinity'"]
        case JSON():
            return ["'[\"other\"]'"]
    return [f"coalesce('X' || substr({of}, 2), 'X')"]


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_line_is_not_replaced_either(lived: Engine, table: str):
    """SQLite's INSERT OR REPLACE takes a line away without a word, where triggers are not told of it."""
    if lived.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's ON CONFLICT DO UPDATE is an UPDATE")
    if not lines(lived, table):
        pytest.skip("nothing there to replace")
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), lived.begin() as connection:
        connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"))


def test_a_log_that_cannot_be_read_is_said_in_a_sentence(lived: Engine, tmp_path: Path):
    """Not by a traceback of a date that is none; what the line held is not said."""
    if lived.dialect.name != "sqlite":
        pytest.skip("PostgreSQL holds no day that is none")
    as_administrator(lived, "UPDATE log SET at = 'Xnot-a-day' WHERE n = 2")
    env = {"EVENHAND_DATABASE_URL": lived.url.render_as_string(hide_password=False), "EVENHAND_VAR": str(tmp_path)}

    said = evenhand("case", "log", CASE, env=env)

    assert (said.returncode, said.stdout) == (1, "") and "Xnot" not in said.stderr
    assert said.stderr.startswith(f"evenhand: Line 2 of the log of {CASE} cannot be read") and said.stderr.count("\n") < 4
    verified = evenhand("audit", "verify", env=env)
    assert verified.returncode == 1 and f"BROKEN: line 2 of the log of {CASE}" in verified.stdout


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


def test_heads_are_noted_whatever_else_of_a_case_cannot_be_read(lived: Engine):
    """The note is what finds it later; a case that came apart is no reason to note nothing."""
    with reading(lived) as session:
        before = heads(session)
    if lived.dialect.name == "sqlite":  # which keeps whatever it is given
        as_administrator(lived, "UPDATE \"case\" SET state = '{', changed_at = 'no day'")
    with reading(lived) as session:
        assert heads(session) == before and len(before) >= 5


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


def to_the_release_before(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    before = str(ScriptDirectory.from_config(config).get_revision(revision).down_revision)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        downgrade(config, before)


def test_what_was_signed_under_a_release_without_the_chain_is_chained_by_the_migration(lived: Engine):
    with reading(lived) as session:
        before = {(row.about, row.person) for row in sign_offs_of(session, CASE)}
    assert len(before) > 2
    to_the_release_before(lived, "0011")
    migrate(lived)

    with reading(lived) as session:
        assert {(row.about, row.person) for row in sign_offs_of(session, CASE)} == before
        assert session.get(SignOffLineRow, (CASE, 1))
        assert [one for one in verify(session) if one.chain == "sign-offs"] == [], "the log lost its grades on the way back"


def test_lines_of_a_release_without_the_chain_are_chained_by_the_migration_with_numbers_in_a_row(lived: Engine):
    """A sequence leaves numbers out, where a transaction did not end well."""
    to_the_release_before(lived, "0015")
    with lived.begin() as connection:
        connection.execute(text("UPDATE security_log SET n = n + 40 WHERE n > 1"))
    migrate(lived)

    with reading(lived) as session:
        assert [(row.n, row.command_id) for row in security_log(session)] == [(1, "x0"), (2, "x1"), (3, "x2")]
        assert first_broken_refusal(session) is None
    with transaction(lived) as session:
        write(session, at=now(), **REFUSED)
    assert [one for one in broken(lived) if one[0] == "security"] == []
    as_administrator(lived, "UPDATE security_log SET why = 'Nothing.' WHERE n = 2")
    assert ("security", 2) in broken(lived)


def test_a_worker_of_the_release_before_cannot_write_a_line_outside_the_chain(lived: Engine):
    """Its act is tried again until a worker of this release has it."""
    columns = "(n, at, case_id, door, claimed_by, do, command_id, kid, why)"
    with pytest.raises(DatabaseError), lived.begin() as connection:
        connection.execute(text(f"INSERT INTO security_log {columns} VALUES (9, '2027-01-01', 'a', 'b', 'c', 'd', 'e', 'f', 'g')"))


EARLY = "'1999-01-01 00:00:00'"
CHANGES = {
    "kid": "'k'",
    "public_key": "'00'",
    "holder": "'others'",
    "person": "'mallory'",
    "staff": "NOT staff",
    "bodies": "'[\"mmo\"]'",
    "customer": "NOT customer",
    "calendar": "NOT calendar",
    "local": "NOT local",
    "valid_from": EARLY,
    "loaded_at": EARLY,
    "loaded_by": "'nobody'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_the_database_refuses_to_change_what_a_key_may_do(lived: Engine, column: str):
    with pytest.raises(DatabaseError, match="what a key may do is never changed"), lived.begin() as connection:
        connection.execute(text(f"UPDATE signing_key SET {column} = {CHANGES[column]}"))


def test_every_column_of_a_key_is_fixed_or_its_end():
    ends = {*ENDS, "revoked_why"}
    columns = {column.name for column in SigningKeyRow.__table__.columns}  # type: ignore[attr-defined]  # a table
    assert set(CHANGES) == set(FIXED) and {*FIXED, *ends} <= columns


def test_a_key_is_ended_and_revoked_and_earlier_but_never_later_nor_taken_away(lived: Engine):
    def set_to(column: str, value: str) -> None:
        with lived.begin() as connection:
            connection.execute(text(f"UPDATE signing_key SET {column} = {value}"))

    for column in ENDS:
        set_to(column, "'2030-01-01 00:00:00'")
        set_to(column, "'2029-01-01 00:00:00'")
        for worse in ("'2029-01-02 00:00:00'", "NULL"):
            with pytest.raises(DatabaseError, match="never moved later"):
                set_to(column, worse)
    with pytest.raises(DatabaseError, match="never"):
        set_to("revoked_why", "'never mind'")
    with pytest.raises(DatabaseError, match="never taken away"), lived.begin() as connection:
        connection.execute(text("DELETE FROM signing_key"))
    with pytest.raises(DatabaseError), lived.begin() as connection:
        replaced = "TRUNCATE signing_key" if lived.dialect.name != "sqlite" else REPLACED
        connection.execute(text(replaced))
    assert lines(lived, "signing_key") == 1


SAME = "kid, public_key, holder, bodies, customer, calendar, local, valid_from, loaded_at, loaded_by"
REPLACED = f"INSERT OR REPLACE INTO signing_key ({SAME}, staff) SELECT {SAME}, 0 FROM signing_key"
"""Which on SQLite deletes the row that was there without asking any trigger of deletions."""
