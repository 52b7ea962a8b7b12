"""What the rules answer: a decision, or a refusal with its clause. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from domain.case import Case
from domain.model import State


class Refusal(Exception):
    """An act the policy does not allow: why not, under which clauses, and what remains possible.

    Raised in domain/, caught in one place (the recording of acts), logged and returned to the person."""

    def __init__(
        self, reason: str, *, cites: Iterable[str] = (), remains: str | None = None, kind: RefusalKind = "refused", kept: Case | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cites = tuple(dict.fromkeys(cites))
        self.remains = remains
        self.kind = kind
        self.kept = kept
        """What is recorded all the same: a late appeal has still arrived and is owed a reply (MMO-43)."""


RefusalKind = Literal["refused", "malformed", "unknown", "stale", "repeated", "set-aside", "unsigned"]


class Entry(State):
    """One line of the case's log: what happened and which clauses it rests on."""

    what: str
    cites: tuple[str, ...] = ()


class Decision(State):
    """The case as it now is, and what there is to say about it."""

    case: Case
    entries: tuple[Entry, ...]
    answer: str
    cites: tuple[str, ...] = ()


def decided(case: Case, answer: str, *, cites: Iterable[str] = (), also: Iterable[Entry] = ()) -> Decision:
    """Returns a decision whose first log entry is its answer."""
    sources = tuple(dict.fromkeys(cites))
    return Decision(case=case, entries=(Entry(what=answer, cites=sources), *also), answer=answer, cites=sources)
