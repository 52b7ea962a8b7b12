"""Files that an older copy of the records lacks, kept before its acts are applied again (activities/repair.py)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from activities.bodies import keep_text
from activities.calendars import keep_calendar
from policies.load import text_of
from records import administered
from records.database import transaction
from starter.clock import now


def keep_files(engine: Engine, *, calendars: tuple[Path, ...] = (), policies: tuple[Path, ...] = (), by: str | None = None) -> None:
    """Keep tables and policy files that an older copy of the records lacks. No case takes anything over by it. Raises Unreadable."""
    with transaction(engine) as session:
        for path in calendars:
            table = keep_calendar(session, text_of(path), name=str(path), at=now(), by=by)
            administered.note(session, "engine repair", at=now(), by=by, about=table.edition)
        for path in policies:
            _, edition = keep_text(session, text_of(path), name=str(path), at=now())
            administered.note(session, "engine repair", at=now(), by=by, about=edition)
