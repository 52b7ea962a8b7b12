"""The default carrier: a folder a case, from which a person prints and posts. Putting a letter there twice leaves one, the first."""

from __future__ import annotations

import errno
import os
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from activities.carriers.carrier import CannotTell, Handed, Method, News, NotNow, Parcel
from domain.days import Calendar, london_date

ANOTHER = "Another letter lies in the outbox under this name ({name}): somebody may have posted it. It was left as it is."


class Outbox:
    """Letters as files under one folder. What lies there is never written over: somebody may have posted it."""

    name = "outbox"
    twice_is_once = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        return london_date(at)

    def hand_over(self, parcel: Parcel) -> Handed:
        """Put a letter there, once. Raises NotNow; or CannotTell where another lies there under its name: a person finds out which went."""
        files = {
            file_of(self.folder, parcel.case, parcel.name, ending): content
            for ending, content in {**parcel.files, **parcel.for_staff}.items()
        }
        try:
            written_once(files)
        except FileExistsError as there:  # the name of a file names the case: it is left out
            raise CannotTell(ANOTHER.format(name=Path(str(there.filename)).name)) from None
        except OSError as problem:  # its text names the file, and so the case; its number says what is wrong
            raise NotNow(f"The outbox cannot be written ({os.strerror(problem.errno or 0)}).") from None
        return Handed(status="in the outbox", file=str(file_of(self.folder, parcel.case, parcel.name)))

    def find(self, parcel: Parcel) -> Handed | None:
        """Returns None always: handing over again leaves what is there, and completes what is not."""
        return None

    def news(self, id: str, method: Method, at: datetime) -> News:
        raise CannotTell("A folder says nothing of the letters in it.")

    def folder_of(self, case: str) -> Path:
        return self.folder / quote(case, safe="")

    def destroy(self, case: str) -> None:
        """Destroy every letter of a case."""
        folder = self.folder_of(case)
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            if file.is_file():  # emails to staff have folders of their own, of bodies, where a case is called staff
                file.unlink()
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def file_of(outbox: Path, case: str, name: str, ending: str = "pdf") -> Path:
    """Returns where a letter lies in the outbox: a folder a case, a file an issue and form."""
    return outbox / quote(case, safe="") / f"{name}.{ending}"


def written_once(files: dict[Path, bytes]) -> None:
    """Write files, each whole or not at all; one that is there with the same bytes stays.

    Raises FileExistsError where one is there with other bytes, or OSError: then nothing that was there has changed."""
    waiting = {file: content for file, content in files.items() if not _there(file, content)}
    drafts: dict[Path, Path] = {}
    try:
        for file, content in waiting.items():
            drafts[file] = _draft(file, content)
        for file, draft in drafts.items():
            _put(draft, file, waiting[file])
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _there(file: Path, content: bytes) -> bool:
    """Returns whether a file is there with these bytes. Raises FileExistsError where it has others."""
    try:
        found = file.read_bytes()
    except FileNotFoundError:
        return False
    if found != content:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
    return True


def _draft(file: Path, content: bytes) -> Path:
    """Returns a new file beside the one to be, whole and on the disk. Raises OSError, and leaves nothing then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{uuid4().hex}.part")
    try:
        with draft.open("xb") as to:
            to.write(content)
            to.flush()
            os.fsync(to.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _put(draft: Path, file: Path, content: bytes) -> None:
    """Give a draft its name. A link is made at once or not at all, and never over a file that another attempt put there meanwhile."""
    try:
        os.link(draft, file)
    except FileExistsError:
        _there(file, content)
