"""The default carrier: a folder a case, from which a person prints and posts. Putting a letter there twice leaves one."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

from activities.carriers.carrier import CannotTell, Handed, Method, News, NotNow, Parcel
from domain.days import Calendar, london_date


class Outbox:
    """Letters as files under one folder."""

    name = "outbox"
    twice_is_once = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        return london_date(at)

    def hand_over(self, parcel: Parcel) -> Handed:
        try:
            for ending, content in {**parcel.files, **parcel.for_staff}.items():
                file = file_of(self.folder, parcel.case, parcel.name, ending)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        except OSError as problem:  # its text names the file, and so the case; its number says what is wrong
            raise NotNow(f"The outbox cannot be written ({os.strerror(problem.errno or 0)}).") from None
        return Handed(status="in the outbox", file=str(file_of(self.folder, parcel.case, parcel.name)))

    def find(self, parcel: Parcel) -> Handed | None:
        """Returns None always: handing over again replaces a file by itself, and half a letter by a whole one."""
        return None

    def news(self, id: str, method: Method, at: datetime) -> News:
        raise CannotTell("A folder says nothing of the letters in it.")

    def destroy(self, case: str) -> None:
        """Destroy every letter of a case."""
        folder = self.folder / quote(case, safe="")
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            if file.is_file():  # emails to staff have folders of their own, of bodies, where a case is called staff
                file.unlink()
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def file_of(outbox: Path, case: str, name: str, ending: str = "pdf") -> Path:
    """Returns where a letter lies in the outbox: a folder a case, a file an issue and form."""
    return outbox / quote(case, safe="") / f"{name}.{ending}"
