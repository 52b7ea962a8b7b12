"""The key store: one key a case, wrapped, in a database of its own, so that no backup of records or engine holds a key.

Destroying a case's key makes unreadable whatever it sealed, wherever copies of that lie."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Protocol

from cachetools import TTLCache
from sqlalchemy import Column, Connection, DateTime, Engine, LargeBinary, MetaData, String, Table, create_engine, event, func
from sqlalchemy import delete as deleting
from sqlalchemy import select as selecting
from sqlalchemy import update as updating
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from domain.case_id import fit_case_id
from records.away import KEYS, waits, watched
from records.case_key import CaseKey, new_id, new_secret, of_our_making
from records.masters import FileMasters, Masters, make_file
from records.no_keys import NoKeys as NoKeys

METADATA = MetaData()
CASE_KEY = Table(
    "case_key",
    METADATA,
    Column("case_id", String, primary_key=True),
    Column("key_id", String, nullable=False, unique=True),
    Column("wrapped", LargeBinary, nullable=True),
    Column("master_id", String, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("destroyed_at", DateTime(timezone=True), nullable=True),
)
INSTALLATION = ""
"""Whose key seals what belongs to no case; no case has an empty id."""
REMEMBERED = 5000
REMEMBERED_FOR = 30.0
"""Seconds for which a process remembers a key: a key destroyed by another process is gone from this one within them."""


class Keys(Protocol):
    """The keys of the cases. `of` makes one at first use; `by_id` returns None of one that is destroyed or was never here."""

    def of(self, case: str) -> CaseKey: ...

    def by_id(self, key_id: str) -> CaseKey | None: ...

    def remembered(self, case: str) -> CaseKey | None: ...

    def remembered_id(self, key_id: str) -> CaseKey | None: ...

    def destroy(self, case: str) -> None: ...


class KeyStore:
    """Keys in a database of their own, wrapped by master keys."""

    def __init__(self, url: str, masters: Masters, *, remembered_for: float = REMEMBERED_FOR) -> None:
        self.engine, self.masters = _opened(url), masters
        self._lock = Lock()
        self._by_case: TTLCache[str, CaseKey] = TTLCache(REMEMBERED, remembered_for)
        self._by_id: TTLCache[str, CaseKey] = TTLCache(REMEMBERED, remembered_for)
        self._destroyed = set[str]()
        """Destroyed by this process: one that another thread was just reading is not remembered."""

    def create(self) -> None:
        """Make the key store's one table where it is not there."""
        METADATA.create_all(self.engine)

    def remembered(self, case: str) -> CaseKey | None:
        """Returns a case's key where this process has it at hand; nothing is read."""
        with self._lock:
            return self._by_case.get(case)

    def remembered_id(self, key_id: str) -> CaseKey | None:
        with self._lock:
            return self._by_id.get(key_id)

    def of(self, case: str) -> CaseKey:
        """Returns a case's key, made now where it has none. Of a destroyed one: a key that nobody keeps, so that what is sealed is lost.

        Raises NoMaster, or ValueError for an id that no case can have."""
        known = self.remembered(case)
        if known is not None:
            return known
        if case != INSTALLATION and not fit_case_id(case):
            raise ValueError("no case can have this id, and no key is made for it")
        with self.engine.begin() as connection:
            row = self._row(connection, CASE_KEY.c.case_id == case) or self._made(connection, case)
        if row.wrapped is None:
            return CaseKey(case, new_id(), new_secret())
        return self._remember(CaseKey(case, row.key_id, self.masters.unwrap(row.master_id, row.wrapped)))

    def by_id(self, key_id: str) -> CaseKey | None:
        """Returns the key of an id, or None where it is destroyed, was never here, or is no id that we make. Raises NoMaster."""
        known = self.remembered_id(key_id)
        if known is not None or not of_our_making(key_id):
            return known
        with self.engine.connect() as connection:
            row = self._row(connection, CASE_KEY.c.key_id == key_id)
        if row is None or row.wrapped is None:
            return None
        return self._remember(CaseKey(row.case_id, row.key_id, self.masters.unwrap(row.master_id, row.wrapped)))

    def destroy(self, case: str) -> None:
        """Destroy a case's key for ever: at once here, within REMEMBERED_FOR seconds in every other process."""
        with self._lock:
            self._destroyed.add(case)
        with self.engine.begin() as connection:
            values = {"wrapped": None, "destroyed_at": func.now()}
            connection.execute(updating(CASE_KEY).where(CASE_KEY.c.case_id == case, CASE_KEY.c.destroyed_at.is_(None)).values(values))
        self._gone(case)

    def forget(self, case: str) -> None:
        """Destroy the key of a case that never came to be: its id may still be opened, under a new key."""
        with self.engine.begin() as connection:
            connection.execute(deleting(CASE_KEY).where(CASE_KEY.c.case_id == case))
        self._gone(case)

    def rewrap(self) -> int:
        """Wrap every key by the current master key that another one wraps. Returns how many. No payload is touched, nobody waits."""
        current, done = self.masters.current(), 0
        with self.engine.connect() as connection:
            rows = connection.execute(selecting(CASE_KEY).where(CASE_KEY.c.master_id != current, CASE_KEY.c.destroyed_at.is_(None))).all()
        for row in rows:
            master_id, wrapped = self.masters.wrap(self.masters.unwrap(row.master_id, row.wrapped))
            same = (CASE_KEY.c.key_id == row.key_id) & (CASE_KEY.c.master_id == row.master_id) & CASE_KEY.c.destroyed_at.is_(None)
            with self.engine.begin() as connection:
                done += connection.execute(updating(CASE_KEY).where(same).values(master_id=master_id, wrapped=wrapped)).rowcount
        _scrub(self.engine)
        return done

    def wrapped_by(self) -> dict[str, int]:
        """Returns how many keys each master key wraps."""
        query = selecting(CASE_KEY.c.master_id, func.count()).where(CASE_KEY.c.destroyed_at.is_(None)).group_by(CASE_KEY.c.master_id)
        with self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query).all()}

    def try_masters(self) -> None:
        """Open one key of each master key. Raises NoMaster where one is not here, or is another than wrapped it."""
        for master_id in self.wrapped_by():
            with self.engine.connect() as connection:
                row = self._row(connection, (CASE_KEY.c.master_id == master_id) & CASE_KEY.c.destroyed_at.is_(None))
            if row is not None:
                self.masters.unwrap(row.master_id, row.wrapped)

    def destroyed_on(self, case: str) -> datetime | None:
        """Returns when a case's key was destroyed, in the store's own clock."""
        with self.engine.connect() as connection:
            row = self._row(connection, CASE_KEY.c.case_id == case)
        at: datetime | None = row.destroyed_at if row is not None else None
        return at

    def _made(self, connection: Connection, case: str):  # type: ignore[no-untyped-def]  # a SQLAlchemy row
        """Insert a new key where nobody else has meanwhile; returns the row that stands: of two makers one wins, and both use its key."""
        master_id, wrapped = self.masters.wrap(new_secret())
        values = {"case_id": case, "key_id": new_id(), "wrapped": wrapped, "master_id": master_id}
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(make(CASE_KEY).values(values).on_conflict_do_nothing(index_elements=["case_id"]))
        return self._row(connection, CASE_KEY.c.case_id == case)

    @staticmethod
    def _row(connection: Connection, where):  # type: ignore[no-untyped-def]  # a SQLAlchemy expression, a SQLAlchemy row
        return connection.execute(selecting(CASE_KEY).where(where)).first()

    def _remember(self, key: CaseKey) -> CaseKey:
        with self._lock:
            if key.case not in self._destroyed:
                self._by_case[key.case] = self._by_id[key.id] = key
        return key

    def _gone(self, case: str) -> None:
        with self._lock:
            key = self._by_case.pop(case, None)
            for id in [id for id, one in self._by_id.items() if one.case == case] if key is None else [key.id]:
                self._by_id.pop(id, None)
        _scrub(self.engine)


def _opened(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return watched(create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=waits(url)), KEYS)
    engine = watched(create_engine(url, connect_args={"check_same_thread": False, "timeout": 5}, hide_parameters=True), KEYS)
    event.listen(engine, "connect", _sqlite_opened)
    return engine


def _sqlite_opened(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _scrub(engine: Engine) -> None:
    """Let no old copy of a wrapped key lie in the store's own files: SQLite's log is written back, PostgreSQL's dead rows go.

    PostgreSQL's write-ahead log keeps them for as long as it is archived: docs/production.md says what to do."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM case_key" if engine.dialect.name == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


OPTION = "evenhand_keys"


@cache
def file_keys(folder: Path) -> KeyStore:
    """Returns the key store of a folder, one for the whole process: keys.db under master.key, both made where they are not there."""
    if make_file(folder / "master.key"):
        logging.getLogger("evenhand.keys").info("Made the master key %s, for trying out.", folder / "master.key")
    store = KeyStore(f"sqlite:///{folder / 'keys.db'}", FileMasters(folder / "master.key"))
    store.create()
    return store


def keys_beside(url: str) -> Callable[[], Keys] | None:
    """Returns how to get the keys of records in a SQLite file: beside it, when first needed. Others must be named."""
    file = url.removeprefix("sqlite:///")
    if file == url:
        return None
    return lambda: file_keys(Path(file).resolve().parent)


def keys_of(session: Session) -> Keys:
    """Returns the keys that a session's records were opened with. Raises NoKeys."""
    return keys_of_engine(session.get_bind())


def keys_of_engine(engine: Engine | Connection) -> Keys:
    """Returns the keys that records were opened with. Raises NoKeys, or NoMaster."""
    found: Callable[[], Keys] | None = engine.get_execution_options().get(OPTION)
    if found is None:
        raise NoKeys("These records were opened without their keys: personal text can be neither read nor written.")
    return found()
