"""Checks of this installation: where letters go, whether they can, and room on the disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from starter.doctor import Check, Ill, Patient
from worker.post import NoPost, only_outbox, post_of
from worker.settings import Settings

LOW, FULL = 2_000_000_000, 200_000_000
"""Bytes free on a disk below which it warns, and fails."""


def of_installation(patient: Patient) -> dict[str, Check]:
    """Returns the checks of this installation by name."""
    settings = patient.settings
    return {"carriers": lambda: _carriers(settings), "outbox": lambda: _outbox(settings), "disk": lambda: _disk(settings)}


async def _carriers(settings: Settings) -> str:
    try:
        post_of(settings)
    except NoPost as error:
        raise Ill(" ".join(line.strip() for line in str(error).splitlines()[1:]), "Set what the line names (docs/production.md).") from None
    if only_outbox(settings):
        return "letters stay in the outbox, for a person to post"
    return f"email by {settings.email_carrier}, paper by {settings.paper_carrier}"


async def _outbox(settings: Settings) -> str:
    folder = settings.letters
    try:
        await asyncio.to_thread(_written, _there(folder))
    except OSError as error:
        said = f"{folder} cannot be written ({os.strerror(error.errno or 0)})"
        raise Ill(said, "Set EVENHAND_OUTBOX, or give the worker's user the right to write.") from None
    return f"{folder} can be written" if folder.is_dir() else f"{folder} can be made"


def _there(folder: Path) -> Path:
    """Returns the folder, or the nearest above it that is there."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


def _written(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"evenhand doctor")


async def _disk(settings: Settings) -> str:
    folders = {settings.letters} if settings.database_url else {settings.letters, settings.var}
    free = min(shutil.disk_usage(_there(one)).free for one in folders)
    shown = f"{free / 1e9:.1f} GB free where letters are kept"
    if free < LOW:
        raise Ill(shown, "Make room: a full disk stops letters and the records.", state="fail" if free < FULL else "warn")
    return shown
