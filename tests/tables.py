"""Records in a file of a test's own: the migrations run once a process, and each test has a copy of what they made."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from records.database import migrate, open_database


def with_tables(file: Path) -> Engine:
    """Returns new records in a SQLite file, with the tables that the migrations made and nothing in them."""
    file.write_bytes(_migrated())
    return open_database(f"sqlite:///{file}")


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="evenhand-tables-") as folder:
        file = Path(folder) / "records.db"
        engine = open_database(f"sqlite:///{file}")
        migrate(engine)
        engine.dispose()
        return file.read_bytes()
