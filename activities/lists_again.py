"""What staff look up of a case, derived again from the case itself and held against what stands: a difference is a fault, and is mended.

Derived as of the case's last act, for what waits depends on the day. Nothing is derived from texts that cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from activities.given_texts import NAMED
from domain.case import Case
from domain.clocks import next_deadline
from domain.days import Calendar, london_date
from domain.policy import Policy
from domain.task import Task
from domain.tasks import tasks
from records.database import reading, transaction
from records.store import case_of, derived, save_lists
from records.tables import CaseRow, ContactRow
from records.vault import DESTROYED, CaseVault

OF_THE_ROW = ("body", "policy", "edition", "stage", "opened_on", "next_deadline", "next_fires")
"""Columns of a case's row that are written from its state, for lists and monitoring."""


class NotReadable(Exception):
    """A text of the case cannot be read: its key is destroyed, or not here. Nothing may be derived from what is left."""


class Watchful(CaseVault):
    """A case's texts; one that cannot be read is noted."""

    unread = False

    def get(self, reference: str) -> str:
        found = super().get(reference)
        self.unread = self.unread or found == DESTROYED
        return found


class Derived(NamedTuple):
    """A case with everything its lists are made from."""

    row: CaseRow
    case: Case
    vault: CaseVault
    policy: Policy
    calendar: Calendar
    tasks: tuple[Task, ...]


def differing(session: Session, case_id: str) -> tuple[str, ...]:
    """Returns the names of the tables in which a case's lists are not what the case says; none where there is no case with papers.

    Raises NotReadable."""
    found = _derived(session, case_id)
    return _differing(session, found) if found else ()


def mend_lists(engine: Engine, case_id: str) -> tuple[str, ...]:
    """Write anew the lists of a case that are not what the case says. Returns the names of their tables. Raises NotReadable."""
    with reading(engine) as session:
        if not differing(session, case_id):
            return ()
    with transaction(engine) as session:
        session.get(CaseRow, case_id, with_for_update=True)
        found = _derived(session, case_id)
        wrong = _differing(session, found) if found else ()
        if found and wrong:
            _write(session, found)
    return wrong


def _derived(session: Session, case_id: str) -> Derived | None:
    row = session.get(CaseRow, case_id)
    if row is None:
        return None
    vault = Watchful(session, case_id)
    case = case_of(row, vault)
    if case.destroyed_on:
        return None
    if vault.unread:
        raise NotReadable(case_id)
    policy = policy_of_edition(session, case.edition)
    calendar = calendar_of(session, case, policy)
    return Derived(row, case, vault, policy, calendar, tasks(case, policy, calendar, today=london_date(row.changed_at)))


def _differing(session: Session, found: Derived) -> tuple[str, ...]:
    lists = derived(session, found.case, found.tasks, vault=found.vault, policy=found.policy, calendar=found.calendar)
    wrong = [_name(kind) for kind, rows in lists.items() if _stands(session, kind, found, rows) != _facts(rows, found.vault)]
    return (*(["case"] if _columns(found) else []), *wrong)


def _columns(found: Derived) -> dict[str, str | date | None]:
    """Returns the columns of the case's row that are not what its state says, with what they should be."""
    deadline = next_deadline(found.case, found.policy, found.calendar)
    right = {**{name: getattr(found.case, name) for name in OF_THE_ROW[:5]}, "next_deadline": None, "next_fires": None}
    if deadline:
        right |= {"next_deadline": deadline.key, "next_fires": deadline.fires}
    return {name: right[name] for name in OF_THE_ROW if getattr(found.row, name) != right[name]}


def _stands(session: Session, kind: type[SQLModel], found: Derived, rows: Sequence[SQLModel]) -> list[str]:
    """Returns what stands in a table of a case. Contacts that have left the case's state stand in their table alone."""
    query = select(kind).where(kind.case_id == found.case.id)  # type: ignore[attr-defined]  # every list table has case_id
    with session.no_autoflush:
        standing = session.exec(query).all()
    if kind is ContactRow:
        carried = {row.contact for row in rows if isinstance(row, ContactRow)}
        standing = [row for row in standing if isinstance(row, ContactRow) and row.contact in carried]
    return _facts(standing, found.vault)


def _facts(rows: Sequence[SQLModel], vault: CaseVault) -> list[str]:
    """Returns rows in one spelling, references replaced by their texts: an earlier release made them otherwise."""

    def text(found: re.Match[str]) -> str:
        return vault.texts.get(found[0], found[0])

    return sorted(NAMED.sub(text, json.dumps(row.model_dump(mode="json"), sort_keys=True)) for row in rows)


def _name(kind: type[SQLModel]) -> str:
    return str(kind.__tablename__)


def _write(session: Session, found: Derived) -> None:
    found.row.sqlmodel_update(_columns(found))
    session.add(found.row)
    session.flush()
    save_lists(session, found.case, found.tasks, before=None, vault=found.vault, policy=found.policy, calendar=found.calendar)
