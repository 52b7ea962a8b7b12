"""Texts that were put for a running case and that no message of it ever named: nobody knows what they are for."""

from __future__ import annotations

import json
from datetime import datetime

from sqlmodel import Session, col, select

from records.tables import CaseRow, CommandRow, ContactRow, LogRow, TextRow


def unnamed_texts(session: Session, case_id: str, *, before: datetime) -> int:
    """Returns how many texts put for a case before an instant stand nowhere in its state, its messages, its log or its contacts."""
    query = select(TextRow.ref).where(TextRow.case_id == case_id, col(TextRow.put_at) < before)
    put = set(session.exec(query).all())
    row = session.get(CaseRow, case_id) if put else None
    if row is None:
        return 0
    named = json.dumps(row.state)
    named += json.dumps(session.exec(select(CommandRow.message).where(CommandRow.case_id == case_id)).all())
    named += json.dumps(session.exec(select(LogRow.detail).where(LogRow.case_id == case_id)).all())
    named += json.dumps(session.exec(select(ContactRow.entry).where(ContactRow.case_id == case_id)).all())
    return sum(ref not in named for ref in put)
