"""The database: opening it, and one transaction at a time for a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, create_engine, event
from sqlmodel import Session, SQLModel

from records import append_only, fixed_keys, tables  # noqa: F401  # importing the tables fills SQLModel.metadata, with what guards them
from records.away import RECORDS, waits, watched
from records.keys import OPTION, Keys, keys_beside

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def open_database(url: str, *, keys: Callable[[], Keys] | None = None) -> Engine:
    """Returns an engine for SQLite or PostgreSQL. SQLite waits for a writer and locks when a transaction begins.

    `keys` gives the keys of the cases when they are first needed; those of a SQLite file lie beside it where no others are named."""
    options = {OPTION: found} if (found := keys or keys_beside(url)) else {}
    if not url.startswith("sqlite"):
        made = create_engine(url, pool_pre_ping=True, execution_options=options, hide_parameters=True, connect_args=waits(url))
        return watched(made, RECORDS)
    file = {"check_same_thread": False, "timeout": 5}
    engine = watched(create_engine(url, connect_args=file, execution_options=options, hide_parameters=True), RECORDS)
    event.listen(engine, "connect", _sqlite_opened)
    event.listen(engine, "begin", _sqlite_begins)
    return engine


def _sqlite_opened(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined]  # the driver must not begin by itself
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "recursive_triggers=ON",
    ):  # the last: REPLACE is a DELETE to them
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begins(connection: Connection) -> None:
    begin = "BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE"
    connection.exec_driver_sql(begin)


WRITING: defaultdict[str, Lock] = defaultdict(Lock)
"""One writer at a time in this process for each SQLite file: its own waiting sleeps, up to a tenth of a second a try."""


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Yields a session that commits whole or not at all."""
    turn = WRITING[str(engine.url)] if engine.dialect.name == "sqlite" else nullcontext()
    with turn, Session(engine, autoflush=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yields a session that only reads and never waits for a writer."""
    with Session(engine.execution_options(reads=True)) as session:
        yield session


def migrate(engine: Engine) -> None:
    """Bring the database up to the present tables."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    _fill(engine)


def create_all(engine: Engine) -> None:
    """Create the present tables at once: for throw-away databases; a test holds the migrations to the same result."""
    SQLModel.metadata.create_all(engine)
    _fill(engine)


def _fill(engine: Engine) -> None:
    """Make this installation's secret, and write what the desk looks up, and the chains of sign-offs, of cases an earlier release left."""
    from records.desk import fill_desk
    from records.sign_offs import chain_earlier_sign_offs

    with transaction(engine) as session:
        fill_desk(session)
        chain_earlier_sign_offs(session)
