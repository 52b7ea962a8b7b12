"""evenhand keys masters, new-master, rotate-master, drop-master, seal-records: the keys that the cases' keys are wrapped by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from starter.administrators import administrator
from starter.cli import REFUSED, Json
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # keys are read only by the commands that use them
    from records.keys import KeyStore


def new_master() -> None:
    """Print a new master key as a line of a master key file; it is kept nowhere else."""
    from records.masters import new_line

    out.print(new_line(), markup=False, soft_wrap=True)


def masters(json: Json = False) -> None:
    """List the master keys by their ids, and how many keys each wraps. No key is shown."""
    store = _store()
    current, counts = store.masters.current(), store.wrapped_by()
    held: tuple[str, ...] = getattr(store.masters, "ids", tuple)()  # a key service keeps its own list
    rows = [(id, counts.get(id, 0), id == current) for id in sorted({current, *counts, *held})]
    if json:
        as_json([{"master": id, "wraps": count, "wraps_new_keys": is_current} for id, count, is_current in rows])
    else:
        table(("master key", "wraps", ""), [(id, several(count, "key"), "wraps new keys" if now else "") for id, count, now in rows])


def rotate_master(json: Json = False) -> None:
    """Add a master key to the file and wrap every case's key by it, while cases and workers run; the old one stays until it is dropped.

    Where the master keys come from the environment or a key service, set the new one there first: then this only wraps anew."""
    from records.masters import FileMasters

    by, store = administrator("keys rotate-master"), _store()
    added = store.masters.add() if isinstance(store.masters, FileMasters) else None
    done = store.rewrap()
    _note("keys rotate-master", by, store.masters.current())
    if json:
        as_json({"added": added, "current": store.masters.current(), "wrapped_anew": done})
        return
    said = f"Added {added} to {_where(store)}. " if added else ""
    out.print(f"{said}{several(done, 'key')} wrapped anew by {store.masters.current()}. Nothing else was touched.", markup=False)
    out.print("Once every worker has the new key (a file is read again by itself): evenhand keys drop-master OLD.", markup=False)


def drop_master(id: str) -> None:
    """Take a master key out of the file. Refused while it wraps a key that is in use."""
    from records.masters import FileMasters

    by, store = administrator("keys drop-master"), _store()
    if not isinstance(store.masters, FileMasters):
        complain(f"The master keys come from {_where(store)}: take it out there, once evenhand keys masters shows that it wraps none.")
        raise typer.Exit(REFUSED)
    if wraps := store.wrapped_by().get(id, 0):
        complain(f"{id} still wraps {several(wraps, 'key')}; run evenhand keys rotate-master first.")
        raise typer.Exit(REFUSED)
    store.masters.drop(id)
    _note("keys drop-master", by, id)
    out.print(f"{id} is out of {_where(store)}. Destroy its copies too.", markup=False)


def seal_records(json: Json = False) -> None:
    """Seal the texts and letters that an earlier release left readable in the records; may be stopped and run again."""
    from records.seal_records import seal_records as seal
    from starter.cli_case import _engine

    done = seal(_engine())
    if json:
        as_json(done)
    else:
        found = f"{several(done.texts, 'text')}, {several(done.letters, 'letter file')} and {several(done.problems, 'carrier word')}"
        out.print(f"Sealed {found} in {several(done.cases, 'case')}.", markup=False)


def _note(command: str, by: str | None, master: str) -> None:
    """Note in the records who did it, where this machine reaches records."""
    from records import administered
    from records.database import transaction
    from starter.cli_case import _engine, has_records
    from starter.clock import now

    if has_records():
        with transaction(_engine()) as session:
            administered.note(session, command, at=now(), by=by, about=master)


def _store() -> KeyStore:
    from worker.keys import keys_for
    from worker.settings import Settings

    return keys_for(Settings.local())


def _where(store: KeyStore) -> str:
    return str(getattr(store.masters, "where", "a key service"))


def add_commands(app: typer.Typer) -> None:
    """Add these commands to a group."""
    for name, command in (
        ("masters", masters), ("new-master", new_master), ("rotate-master", rotate_master), ("drop-master", drop_master),
        ("seal-records", seal_records),
    ):  # fmt: skip
        app.command(name)(command)
