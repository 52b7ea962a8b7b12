"""Keys that sign acts: what one may do is fixed when it is loaded, by the database itself. It may be ended or revoked, never more.

If this is wrong, whoever writes to the database widens a key in silence, and what it signs counts for people who never had it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table, event
from sqlmodel import SQLModel

from records import tables  # noqa: F401  # importing the tables fills SQLModel.metadata

TABLE = "signing_key"
FIXED = (
    "kid", "public_key", "holder", "person", "staff", "bodies", "customer", "calendar", "local", "valid_from", "loaded_at", "loaded_by",
)  # fmt: skip
ENDS = ("valid_to", "revoked_at")
"""Set once, and moved earlier."""
SAYS = "signing_key: what a key may do is never changed, and its end never moved later or taken away; load another key"
STAYS = "signing_key: a key is never taken away; revoke it"

POSTGRES_REFUSES = f"""
CREATE OR REPLACE FUNCTION evenhand_fixed_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION '{SAYS}'; ELSE RAISE EXCEPTION '{STAYS}'; END IF; END $$
"""


def guard_keys(connection: Connection) -> None:
    """Have the database refuse to change what a key may do, and to take one away."""
    for statement in (_sqlite if connection.dialect.name == "sqlite" else _postgres)():
        connection.exec_driver_sql(statement)


def unguard_keys(connection: Connection) -> None:
    """Let keys be changed again, as an administrator could: for a step back in the migrations, and for tests."""
    on = "" if connection.dialect.name == "sqlite" else f" ON {TABLE}"
    for name in ("change", "delete", "replace", "truncate"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {TABLE}_no_{name}{on}")


def _changed(differ: str, *, as_text: str) -> str:
    """Returns the condition under which an update changes what is fixed. `differ` is how the database compares what may be null."""
    fixed = [f"NEW.{one}{as_text if one == 'bodies' else ''} {differ} OLD.{one}{as_text if one == 'bodies' else ''}" for one in FIXED]
    later = [f"(OLD.{one} IS NOT NULL AND (NEW.{one} IS NULL OR NEW.{one} > OLD.{one}))" for one in ENDS]
    why = f"(OLD.revoked_at IS NOT NULL AND NEW.revoked_at = OLD.revoked_at AND NEW.revoked_why {differ} OLD.revoked_why)"
    return " OR ".join((*fixed, *later, why))


def _sqlite() -> Iterator[str]:
    refuses = f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
    yield f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE ON {TABLE} WHEN {_changed('IS NOT', as_text='')} {refuses}"
    there = f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE kid = NEW.kid)"  # noqa: S608  # no value; INSERT OR REPLACE asks no other trigger
    yield f"CREATE TRIGGER {TABLE}_no_replace BEFORE INSERT ON {TABLE} {there} {refuses}"
    yield f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{STAYS}'); END"


def _postgres() -> Iterator[str]:
    does = "EXECUTE FUNCTION evenhand_fixed_keys()"
    changed = _changed("IS DISTINCT FROM", as_text="::text")
    yield POSTGRES_REFUSES
    yield f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE ON {TABLE} FOR EACH ROW WHEN ({changed}) {does}"
    yield f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} FOR EACH ROW {does}"
    yield f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT {does}"


def _made(_table: Table, connection: Connection, **_: object) -> None:
    guard_keys(connection)


event.listen(SQLModel.metadata.tables[TABLE], "after_create", _made)
