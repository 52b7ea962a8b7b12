"""Whose payloads somebody may see in the Temporal UI: those of a case all of which they may see, and no others (EH-171, EH-200, EH-201).

The UI can give no reason: who needs one sees them without, and stands in `audit attention` for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import NamedTuple, TypeVar, cast

from cachetools import LRUCache
from pydantic import ValidationError
from sqlmodel import Session

from activities.bodies import Unknown, policy_at_body
from domain.days import london_date
from domain.reading import Part, Sees
from records.keys import INSTALLATION
from records.reads import TOGETHER, Read
from records.store import case_of
from records.tables import CaseRow
from records.vault import CaseVault
from starter.on_the_lists import ids_named
from starter.reading import HERE, Reader, bodies_of, own_body, view_for

HOW = "codec"
NOT_SHOWN = "[sealed: shown to the officers of its case, and to the offices that keep its record or answer for information]"
"""Stands in place of what somebody may not see; the same whether there is such a case or not."""
NOBODY = Reader("")
"""Somebody signed in who is on no staff list: `no-id` in the log."""
T = TypeVar("T")


class Glance(NamedTuple):
    """What of a case's payloads a reader may see, and what the log says of them and it."""

    sees: Sees
    part: Part
    body: str = ""
    stage: str = ""
    what: str = "payloads"

    @property
    def opens(self) -> bool:
        return self.sees == "all"


@dataclass
class Glances:
    """Who is who, and who may see what: worked out once a minute, as the log has one line a minute. Threads share it."""

    claim: str
    """By which a person is found on the staff lists."""
    _kept: LRUCache[Hashable, tuple[datetime, object]] = field(default_factory=lambda: LRUCache(10_000), repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def reader(self, session: Session, who: str, *, at: datetime) -> Reader:
        """Returns who somebody signed in is: the one id on the staff lists, or nobody."""
        return self._once(("who", who), at, lambda: self._reader(session, who, at))

    def _reader(self, session: Session, who: str, at: datetime) -> Reader:
        found = ids_named(session, self.claim, who, today=london_date(at))
        return Reader(found[0]) if len(found) == 1 else NOBODY

    def of(self, session: Session, case: str, reader: Reader, *, at: datetime) -> Glance:
        """Returns what a reader may see of a case's payloads."""
        return self._once(("of", reader, case), at, lambda: glance(session, case, reader, at=at))

    def _once(self, key: Hashable, at: datetime, make: Callable[[], T]) -> T:
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and at - TOGETHER < kept[0] <= at:
            return cast("T", kept[1])
        made = make()
        with self._lock:
            self._kept[key] = at, made
        return made


def this_machine() -> Reader:
    """Returns the user of the machine on which everything lies (EH-174)."""
    return Reader(HERE, local=True)


def glance(session: Session, case: str, reader: Reader, *, at: datetime) -> Glance:
    """Returns what a reader may see of a case's payloads; of what the installation's key sealed, all that is on a staff list (EH-201)."""
    today = london_date(at)
    row = session.get(CaseRow, case) if case != INSTALLATION else None
    if reader.local:
        return Glance("all", "local", row.body if row else "", row.stage if row else "")
    if row is None:
        return _of_no_case(session, case, reader, at)
    try:
        found = case_of(row, CaseVault(session, case))
        view = view_for(session, found, policy_at_body(session, row.edition, row.body), reader, today=today)
    except (Unknown, ValidationError):  # a record that cannot be read opens nothing, and stops nothing else
        return Glance("nothing", "staff", row.body, row.stage)
    return Glance(view.sees if view.sees == "all" else "nothing", view.part, row.body, row.stage)


def _of_no_case(session: Session, case: str, reader: Reader, at: datetime) -> Glance:
    today = london_date(at)
    if not bodies_of(session, reader, today):
        return Glance("nothing", "nobody")
    own = own_body(session, reader, today)
    return Glance("all", "staff", own) if case == INSTALLATION else Glance("nothing", "staff", own, what="no such case")


def read_of(case: str, reader: Reader, seen: Glance) -> Read:
    """Returns the line that says so."""
    shows = ("payloads" if case != INSTALLATION else "references") if seen.opens else "nothing"
    return Read(who=reader.id, how=HOW, what=seen.what, case=case, body=seen.body, shows=shows, part=seen.part, stage=seen.stage)


def knows(session: Session, case: str, reader: Reader, *, at: datetime) -> bool | None:
    """Returns whether the records know a case, for somebody to seal a message for it; None of somebody who is told nothing (EH-173)."""
    if not reader.local and not bodies_of(session, reader, london_date(at)):
        return None
    return session.get(CaseRow, case) is not None


def lines_of(glances: Iterable[tuple[str, Glance]], reader: Reader) -> list[Read]:
    """Returns the lines of a request, by case."""
    return [read_of(case, reader, seen) for case, seen in sorted(glances)]
