"""What a command says of a fault that is nobody's mistake: a database that is away, a log that was changed. Read in only then."""

from __future__ import annotations

from typing import NamedTuple

from records.away import said_of
from records.chain import Unreadable
from starter.cli import REFUSED, UNREACHED


class Told(NamedTuple):
    """A fault in a sentence or two, and the exit code."""

    text: str
    code: int


def told_of(error: BaseException) -> Told | None:
    """Returns what to tell of a fault, or None where it is one of the program."""
    if isinstance(error, Unreadable):
        return Told(str(error), REFUSED)
    said = said_of(error)
    return Told(said, UNREACHED) if said else None
