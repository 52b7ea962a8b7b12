"""Copies of the default run: made while it goes on, checked before they are brought back.

The records are copied before the engine, so that an engine brought back is never behind its records: what it knows more,
evenhand engine repair applies again. No key is in a copy, and no letter of the outbox: what lies there is readable, and a copy of it would
outlive the destruction of its case. The records keep each letter sealed."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

DATABASES = ("evenhand.db", "temporal.db")
"""In the order in which they are copied."""
MANIFEST = "backup.json"


class CannotCopy(Exception):
    """A copy that cannot be made or brought back; says why and what to do."""


class Copied(BaseModel):
    """What a copy holds: each file with its sha256."""

    model_config = ConfigDict(extra="allow")

    v: int = 1
    made_at: datetime
    files: dict[str, str]


def back_up(var: Path, folder: Path, *, at: datetime) -> Copied:
    """Copy the databases of a default run into a new folder, whether it runs or not. Raises CannotCopy."""
    missing = [name for name in DATABASES if not (var / name).is_file()]
    if missing:
        raise CannotCopy(f"{var} holds no {missing[0]}: there is nothing to copy. Set EVENHAND_VAR, or use your database's own tools.")
    if folder.exists() and any(folder.iterdir()):
        raise CannotCopy(f"{folder} is not empty; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in DATABASES:
        _copy_database(var / name, folder / name)
    copied = Copied(made_at=at, files={name: _sha256(folder / name) for name in DATABASES})
    (folder / MANIFEST).write_text(copied.model_dump_json(indent=2), encoding="utf-8")
    return copied


def _copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as it stands at one instant, whoever writes to it meanwhile."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bring_back(folder: Path, var: Path, *, at: datetime) -> Path | None:
    """Put a copy in the place of the databases in `var`, where nothing runs. Returns where those were moved to, or None.

    The outbox stays, so that no letter there is written over. Raises CannotCopy where the copy is not whole, or a run is up; nothing is
    changed then."""
    copied = _checked(folder)
    var.mkdir(parents=True, exist_ok=True)
    with (var / "server.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotCopy(f"evenhand up runs in {var}; stop it first.") from None
        aside = _moved_aside(var, at)
        for name in copied.files:
            shutil.copy2(folder / name, var / name)
    return aside


def _checked(folder: Path) -> Copied:
    try:
        copied = Copied.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        raise CannotCopy(f"{folder} holds no copy: {MANIFEST} is missing or damaged.") from None
    if set(copied.files) != set(DATABASES):
        raise CannotCopy(f"{folder}: {MANIFEST} names {', '.join(copied.files) or 'nothing'}; a copy holds {' and '.join(DATABASES)}.")
    changed = [name for name, sha256 in copied.files.items() if not _holds(folder / name, sha256)]
    if changed:
        raise CannotCopy(f"{folder}: {', '.join(changed[:5])} is missing or was changed since the copy was made; nothing was brought back.")
    return copied


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and _sha256(path) == sha256


def _moved_aside(var: Path, at: datetime) -> Path | None:
    names = [f"{name}{ending}" for name in DATABASES for ending in ("", "-wal", "-shm")]
    there = [name for name in names if (var / name).exists()]
    if not there:
        return None
    aside = var / f"before-{at:%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for name in there:
        (var / name).rename(aside / name)
    return aside
