"""Tables to which lines are only ever added: the database itself refuses to change or take one away.

An administrator can drop the triggers; `evenhand audit verify` then finds what was changed, by its hash."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table, event
from sqlmodel import SQLModel

from records import tables  # noqa: F401  # importing the tables fills SQLModel.metadata

APPEND_ONLY = ("log", "sign_off_line", "certificate", "staff_list", "read_log", "security_log")

POSTGRES_REFUSES = """
CREATE OR REPLACE FUNCTION evenhand_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: no % of it', TG_TABLE_NAME, TG_OP; END $$
"""


def guard(connection: Connection, table: str) -> None:
    """Have the database refuse every change of a table's lines."""
    for statement in (_sqlite if connection.dialect.name == "sqlite" else _postgres)(table):
        connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name != "sqlite" else statement)


def unguard(connection: Connection, table: str) -> None:
    """Let a table's lines be changed again, as an administrator could: for a step back in the migrations, and for tests."""
    on = "" if connection.dialect.name == "sqlite" else f" ON {table}"
    for name in _names(table):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")


def _names(table: str) -> tuple[str, str]:
    return f"{table}_no_update", f"{table}_no_delete"


def _sqlite(table: str) -> Iterator[str]:
    for name, act in zip(_names(table), ("UPDATE", "DELETE"), strict=True):
        yield f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only: no {act} of it'); END"


def _postgres(table: str) -> Iterator[str]:
    changed, taken = _names(table)
    yield POSTGRES_REFUSES
    yield f"CREATE TRIGGER {changed} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION evenhand_append_only()"
    yield f"CREATE TRIGGER {taken} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION evenhand_append_only()"


def _made(table: Table, connection: Connection, **_: object) -> None:
    guard(connection, table.name)


for _name in APPEND_ONLY:
    event.listen(SQLModel.metadata.tables[_name], "after_create", _made)
