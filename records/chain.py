"""What every chain of lines shares: each line's hash holds the one before, and the head stands apart, so that a lost end shows too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

FIRST = "0" * 64
"""What the first line of a chain holds in place of a line before."""


class Line(Protocol):
    """A numbered line with its hash."""

    @property
    def n(self) -> int | None: ...

    @property
    def hash(self) -> str: ...


L = TypeVar("L", bound=Line)


def digest(facts: list[object], *, sort_keys: bool = False) -> str:
    """Returns the SHA-256 of facts as compact JSON. What a chain held once it must hold for ever: nothing here may change."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":")).encode()).hexdigest()


def head_in(kept: str | None) -> tuple[int, str]:
    """Returns what an installation keeps of a chain of its own: how many lines there are, and the hash of the last."""
    n, _, last = (kept or f"0 {FIRST}").partition(" ")
    return int(n), last


def first_broken(lines: Iterable[L], hash_of: Callable[[str, L], str], *, head: Callable[[], tuple[int, str] | None]) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds.

    `head` gives how many lines there are and the hash of the last, as it stands apart, or None; it is asked after the lines."""
    before, number = FIRST, 0
    for number, row in enumerate(lines, start=1):
        if row.n != number or row.hash != hash_of(before, row):
            return number
        before = row.hash
    return number + 1 if head() not in (None, (number, before)) else None
