"""evenhand backup and restore: copies of the default run. In production the database's own tools make them (docs/production.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from starter.cli import REFUSED
from starter.show import complain, out, several

Folder = Annotated[Path, typer.Argument(help="The folder of the copy.")]


def backup(folder: Folder) -> None:
    """Copy the records and the engine's database of a default run into a new folder, while it goes on; no key and no outbox."""
    from starter.backup import CannotCopy, back_up
    from starter.clock import now
    from worker.settings import Settings

    settings = Settings.local()
    if settings.database_url:
        complain("EVENHAND_DATABASE_URL is set: copy that database with its own tools; docs/production.md says how.")
        raise typer.Exit(REFUSED)
    try:
        copied = back_up(settings.var, folder, at=now())
    except CannotCopy as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    out.print(f"{several(len(copied.files), 'file')} copied to {folder}. Keep it as safe as the cases.", markup=False)


def restore(folder: Folder) -> None:
    """Bring a copy back where nothing runs; what stood there is moved aside. Then start it, and run evenhand engine repair."""
    from starter.backup import CannotCopy, bring_back
    from starter.clock import now
    from worker.settings import Settings

    try:
        aside = bring_back(folder, Settings().var, at=now())
    except CannotCopy as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    if aside:
        out.print(f"What stood there is in {aside}: destroy it when you no longer need it.", markup=False)
    out.print("Brought back. Start it (evenhand up), then: evenhand destroy again; evenhand engine repair; evenhand engine check.")
