"""What is destroyed of a case in the records, table by table, and what stays and why; how far each destruction has come."""

from __future__ import annotations

from datetime import date
from typing import cast

from sqlalchemy import ColumnElement, Engine, delete, func
from sqlmodel import Session, SQLModel, col, select

from records.tables import (
    CaseRow,
    CommandRow,
    ContactRow,
    DeskEntryRow,
    DeskKeyRow,
    DestructionRow,
    HandOverRow,
    InboxRow,
    LetterFileRow,
    LetterRow,
    LogRow,
    NoticeRow,
    ReadRow,
    RefusedCountRow,
    RefusedMarkRow,
    RegisterRow,
    RestrictionRow,
    SanctionRow,
    SecurityRow,
    SignOffLineRow,
    SignOffRow,
    StaffNoticeRow,
    TaskRow,
    TextRow,
)

DESTROYED: dict[type[SQLModel], str] = {
    TextRow: "texts",
    InboxRow: "messages kept in the inbox",
    LetterFileRow: "letter files",
    LetterRow: "letters",
    NoticeRow: "notices",
    HandOverRow: "hand-overs",
    ContactRow: "contacts",
    RestrictionRow: "restrictions",
    SanctionRow: "decisions",
    SignOffRow: "sign-offs as they stood",
    StaffNoticeRow: "staff notices",
    RegisterRow: "register entries",
    TaskRow: "tasks",
    DeskKeyRow: "desk keys",
    DeskEntryRow: "desk entries",
    CommandRow: "messages",
    RefusedMarkRow: "marks of refused messages",
}
"""Tables whose rows of a case are destroyed with its papers, and what a certificate calls them."""
OF_THE_DESTRUCTION = ("sign_destruction", "destroy_papers")
"""Messages that stay: the signatures and the destruction itself, evidence of what was done, with nobody's words in them."""
STAYS: dict[type[SQLModel], str] = {
    CaseRow: "emptied: its id, body, policy and days, and the heads of its chains",
    LogRow: "who did what when, under which clause, without anybody's words; staff by their ids",
    SignOffLineRow: "who signed, by staff id and office: what the body answers for",
    SecurityRow: "who was claimed to act without a signature that holds, as codes: what the body answers for",
    ReadRow: "who read what of it when, as codes and numbers",
    RefusedCountRow: "how many more of them there were in an hour",
    DestructionRow: "how far the destruction came, and its certificate's number",
}
"""Tables whose rows of a case stay, and why."""


def destroy_rows(session: Session, case_id: str) -> None:
    """Destroy everything of a case that a table of DESTROYED holds."""
    for kind in DESTROYED:
        session.execute(delete(kind).where(*_goes(session, kind, case_id)))


def rows_to_destroy(session: Session, case_id: str) -> dict[str, int]:
    """Returns how many rows of each table would be destroyed, by what a certificate calls them."""
    found = {
        name: session.exec(select(func.count()).select_from(kind).where(*_goes(session, kind, case_id))).one()
        for kind, name in DESTROYED.items()
    }
    return {name: n for name, n in found.items() if n}


def _goes(session: Session, kind: type[SQLModel], case_id: str) -> list[ColumnElement[bool]]:
    """Returns which rows of a table go: all of the case, but for the messages that stay."""
    mine: ColumnElement[bool] = kind.case_id == case_id  # type: ignore[attr-defined]  # every one of them has case_id
    return [mine, col(CommandRow.command_id).not_in(_of_the_destruction(session, case_id))] if kind is CommandRow else [mine]


def _of_the_destruction(session: Session, case_id: str) -> list[str]:
    """Returns the ids of the messages that stay; one with anything in it that no command knows goes."""
    rows = session.exec(select(CommandRow).where(CommandRow.case_id == case_id)).all()
    return [row.command_id for row in rows if row.message.get("do") in OF_THE_DESTRUCTION and "unknown" not in row.message]


def destroyed_on(session: Session, body: str, day: date) -> int:
    """Returns how many cases of a body were destroyed on a day."""
    return session.exec(select(func.count()).select_from(DestructionRow).where(DestructionRow.body == body, DestructionRow.on == day)).one()


def unfinished(session: Session) -> tuple[str, ...]:
    """Returns the cases whose destruction has begun and has no certificate yet."""
    return tuple(session.exec(select(DestructionRow.case_id).where(col(DestructionRow.certificate).is_(None)).order_by("case_id")).all())


def note_step(session: Session, case_id: str, step: str, found: object) -> None:
    """Note that a step of a destruction is done, with what it found; a step that is noted already stays as it is."""
    row = session.get(DestructionRow, case_id, with_for_update=True)
    assert row is not None, f"{case_id}: no destruction has begun"
    if step not in row.done:
        row.done = {**row.done, step: found}


def leave_no_trace(engine: Engine) -> str | None:
    """Write the database's file anew, so that no freed page and no write-ahead log holds what was deleted. Returns why it could not.

    SQLite alone: on PostgreSQL the tables are to be rewritten by whoever runs it (docs/retention.md)."""
    if engine.dialect.name != "sqlite":
        return "PostgreSQL: run VACUUM FULL in a quiet hour; old row versions and its write-ahead log go in their own time"
    engine.dispose()
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        for statement in ("PRAGMA temp_store=MEMORY", "VACUUM"):
            cursor.execute(statement)
        busy, *_ = cast(tuple[int, ...], cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        return "the file is in use; it is written anew by the next run" if busy else None
    except Exception as fault:  # sqlite3.OperationalError, by whichever driver: somebody is writing now
        return f"the file is in use ({type(fault).__name__}); it is written anew by the next run"
    finally:
        connection.close()
