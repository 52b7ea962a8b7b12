"""Whose papers' time has ended, what stops each, and who has signed and must. What comes after the records: activities/finishing.py."""

from __future__ import annotations

from datetime import date
from typing import cast

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import col, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.destruction_due import signed_in_words, stops, to_sign
from domain.end_clocks import end_of_case, retention_ends
from domain.guards import named
from records.database import reading
from records.destroying import leave_no_trace, rows_to_destroy, unfinished
from records.store import read_case
from records.tables import CaseRow, CertificateRow, DestructionRow, Json


class Due(BaseModel):
    """One case whose papers' time has ended, or whose destruction is half done."""

    case: str
    body: str
    since: date | None
    """The last day the papers were to be kept."""
    stopped_by: list[str] = []
    signed: list[str] = []
    to_sign: list[str] = []
    half_done: bool = False
    """The records are emptied, and a later step is left."""
    rows: dict[str, int] = {}
    """What would be destroyed in the records."""

    @property
    def ready(self) -> bool:
        return not self.stopped_by and not self.to_sign and not self.half_done


def due(engine: Engine, *, today: date, body: str | None = None) -> tuple[Due, ...]:
    """Returns every case whose papers' time has ended, what stops each, and who has signed and must; half-done ones first."""
    with reading(engine) as session:
        half = unfinished(session)
        query = select(CaseRow).where(CaseRow.stage == "archived").order_by(col(CaseRow.id))
        archived = [row.id for row in session.exec(query.where(CaseRow.body == body) if body else query).all()]
    halves = [_half(engine, case) for case in half]
    found = [one for case in archived if (one := due_of(engine, case, today=today)) and one.since and one.since < today]
    return (*(one for one in halves if body in (None, one.body)), *sorted(found, key=lambda one: (one.since or today, one.case)))


def _half(engine: Engine, case: str) -> Due:
    with reading(engine) as session:
        row = session.get(DestructionRow, case)
        assert row is not None
        return Due(case=case, body=row.body, since=None, half_done=True)


def due_of(engine: Engine, case_id: str, *, today: date) -> Due | None:
    """Returns where one case stands with its destruction, or None where there is no such case or its papers are destroyed."""
    with reading(engine) as session:
        case = read_case(session, case_id)
        if case is None or case.destroyed_on:
            return None
        policy = policy_of_edition(session, case.edition)
        calendar = calendar_of(session, case, policy)
        ends = retention_ends(case, policy, calendar) if end_of_case(case) else None
        return Due(
            case=case.id,
            body=case.body,
            since=ends.date if ends else None,
            stopped_by=[one.what for one in stops(case, policy, on=today, ends=ends)],
            signed=[signed_in_words(one, policy) for one in case.destruction_signed],
            to_sign=[
                f"{named(who, policy)}{' (or of any other office)' if which == 'second' else ''}" for which, who in to_sign(case, policy)
            ],
            rows=rows_to_destroy(session, case.id),
        )


def scrub(engine: Engine) -> str | None:
    """Write the records' file anew after a round of destructions. Returns why it could not, for whoever ran it."""
    return leave_no_trace(engine)


def facts_of(row: CertificateRow) -> Json:
    """Returns a certificate as it is printed: its number, its day, what it says, its hash."""
    said = cast(Json, dict(row.facts))
    return {"certificate": row.n, "issued_at": row.issued_at.isoformat(), "case_sha256": row.case_hash, **said, "hash": row.hash}
