"""Who read what: one line for each person, door and case in each minute, written before anything is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from records.tables import ReadRow

TOGETHER = timedelta(minutes=1)
"""Reads of one person, of one case, by one door, so close together are one line: a page of the Temporal UI asks a hundred times."""


def note_reads(session: Session, counts: Mapping[str, int], *, who: str, how: str, what: str, at: datetime, why: str | None = None) -> None:
    """Note how many things were read of each case."""
    for case, count in sorted(counts.items()):
        row = _just_now(session, who=who, how=how, case=case, what=what, at=at)
        if row is None:
            session.add(ReadRow(at=at, who=who, how=how, case_id=case, what=f"{count} {what}", why=why))
        else:
            row.what = f"{int(row.what.partition(' ')[0]) + count} {what}"
            session.add(row)


def _just_now(session: Session, *, who: str, how: str, case: str, what: str, at: datetime) -> ReadRow | None:
    query = select(ReadRow).where(ReadRow.case_id == case, ReadRow.who == who, ReadRow.how == how, col(ReadRow.at) > at - TOGETHER)
    row = session.exec(query.order_by(col(ReadRow.n).desc()).limit(1)).first()
    return row if row is not None and row.at <= at and row.what.endswith(f" {what}") else None


def reads_of(session: Session, case: str) -> tuple[ReadRow, ...]:
    """Returns who read what of a case, the oldest first."""
    return tuple(session.exec(select(ReadRow).where(ReadRow.case_id == case).order_by(col(ReadRow.n))).all())
