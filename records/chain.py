"""What every chain of lines shares: each line's hash holds the one before, and the head stands apart, so that a lost end shows too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.exc import DataError, OperationalError
from sqlmodel import Session, SQLModel, select
from sqlmodel.sql.expression import SelectOfScalar

from records.tables import InstallationRow

FIRST = "0" * 64
"""What the first line of a chain holds in place of a line before."""


AT_ONCE = 1000
"""Lines of one of the installation's chains that are read together."""


class Line(Protocol):
    """A numbered line with its hash."""

    @property
    def n(self) -> int | None: ...

    @property
    def hash(self) -> str: ...


L = TypeVar("L", bound=Line)
R = TypeVar("R", bound=SQLModel)
CHANGED = (ValueError, TypeError, LookupError, AttributeError, OverflowError, DataError)
"""What a column raises whose bytes were changed to something it cannot hold: no day, no JSON, no number."""
NO_TEXT = "Could not decode to UTF-8"
"""How SQLite's driver says that a text is none; it calls that an operational error, and quotes the text."""


class Unreadable(Exception):
    """A line that was changed so that it cannot even be read: which one, counted from 1, of which log."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"Line {number} of {what} cannot be read: it was changed in the database. evenhand audit verify looks at all.")
        self.number = number


def cannot_be_read(fault: Exception) -> bool:
    """Returns whether a fault is of changed bytes in the records, and not of records that do not answer."""
    return isinstance(fault, (*CHANGED, Unreadable)) or (isinstance(fault, OperationalError) and NO_TEXT in str(fault.orig))


def digest(facts: list[object], *, sort_keys: bool = False) -> str:
    """Returns the SHA-256 of facts as compact JSON. What a chain held once it must hold for ever: nothing here may change."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":")).encode()).hexdigest()


def head_in(kept: str | None) -> tuple[int, str]:
    """Returns what an installation keeps of a chain of its own: how many lines there are, and the hash of the last."""
    n, _, last = (kept or f"0 {FIRST}").partition(" ")
    return int(n), last


def dated_hash(before: str, facts: dict[str, object], fields: Iterable[str]) -> str:
    """Returns the hash of a line with an instant, `at`, and these fields, holding the hash of the line before."""
    at = facts["at"]
    assert isinstance(at, datetime)
    return digest([before, at.isoformat(), *(facts[name] for name in fields)])


def head_kept(session: Session, name: str) -> tuple[int, str]:
    """Returns how many lines a chain of the installation has, and the hash of the last, as kept under its name."""
    row = session.get(InstallationRow, name)
    return head_in(row.value if row else None)


def lines_of(session: Session, kind: type[R], what: str) -> Iterator[R]:
    """Yields the lines of a chain of the installation, the first first. Raises Unreadable, with `what` for the chain."""
    return in_order(session, select(kind).order_by("n").execution_options(yield_per=AT_ONCE), what)


def in_order(session: Session, query: SelectOfScalar[R], what: str) -> Iterator[R]:
    """Yields the rows of a query, read at once or as it says itself (yield_per). Raises Unreadable at the first that cannot be read, once
    those before it are out."""
    done = 0
    try:
        for row in session.exec(query):
            yield row
            done += 1
    except Exception as fault:
        if not cannot_be_read(fault):
            raise
    else:
        return
    yield from _one_by_one(session, query, done, what)


def _one_by_one(session: Session, query: SelectOfScalar[R], done: int, what: str) -> Iterator[R]:
    """Yields the rows after those that were read, one at a time, up to the one that raises."""
    try:
        for row in session.exec(query.offset(done).execution_options(yield_per=1)):
            yield row
            done += 1
    except Exception as fault:
        if not cannot_be_read(fault):
            raise
        raise Unreadable(done + 1, what) from None


def first_broken(lines: Iterable[L], hash_of: Callable[[str, L], str], *, head: Callable[[], tuple[int, str] | None]) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds. A line, or a head, that cannot be
    read was changed.

    `head` gives how many lines there are and the hash of the last, as it stands apart, or None; it is asked after the lines."""
    before, number = FIRST, 0
    try:
        for row in lines:
            number += 1
            if row.n != number or row.hash != hash_of(before, row):
                return number
            before = row.hash
        return number + 1 if head() not in (None, (number, before)) else None
    except Exception as fault:
        if not cannot_be_read(fault):
            raise
        return fault.number if isinstance(fault, Unreadable) else max(number, 1)
