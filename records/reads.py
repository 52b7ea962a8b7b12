"""Who read what, why: one line before anything is shown, append-only, chained by hash over the whole installation.

A line holds ids, codes and references; the reason somebody gave is a text of its case and goes with the case's texts. Lines are written one
at a time: the head of the chain is locked for as long as the rest of its transaction takes, which is a read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from records.certificates import case_hash
from records.chain import dated_hash, first_broken, head_in, head_kept, lines_of
from records.database import WRITING
from records.tables import ReadRow

HEAD = "reads"
"""Under which the installation keeps how many lines there are, and the hash of the last."""
TOGETHER = timedelta(minutes=1)
"""Payloads opened for one person, of one case, so close together are one line: a page of the Temporal UI asks a hundred times."""
LINES, HEADS = SQLModel.metadata.tables["read_log"], SQLModel.metadata.tables["installation"]


class Read(NamedTuple):
    """One look at something, as it goes into the log."""

    who: str
    how: str
    what: str
    case: str = ""
    body: str = ""
    shows: str = "nothing"
    part: str = "nobody"
    stage: str = ""
    why: str | None = None
    person: str = ""


@contextmanager
def noted(engine: Engine) -> Iterator[Session]:
    """Yields a session in which something is read and noted. It commits when left, whatever was found: then things may be shown."""
    turn = WRITING[str(engine.url)] if engine.dialect.name == "sqlite" else nullcontext()
    with turn, Session(engine, autoflush=False, expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.commit()


def note(connection: Connection, reads: Iterable[Read], *, at: datetime) -> int:
    """Write lines at the end of the log, within the caller's transaction. Returns how many."""
    at = at.astimezone(timezone.utc)
    kept = connection.execute(select(HEADS.c.value).where(HEADS.c.name == HEAD).with_for_update()).scalar()
    n, before = head_in(kept)
    rows = []
    for one in reads:
        n += 1
        facts = {**one._asdict(), "n": n, "at": at}
        facts["case_id"] = facts.pop("case")
        before = facts["hash"] = line_hash(before, facts)
        rows.append(facts)
    if rows:
        connection.execute(insert(LINES), rows)
        change = insert(HEADS).values(name=HEAD) if kept is None else update(HEADS).where(HEADS.c.name == HEAD)
        connection.execute(change.values(value=f"{n} {before}"))
    return len(rows)


FIELDS = ("n", "who", "how", "case_id", "what", "why", "body", "shows", "part", "stage", "person")


def line_hash(before: str, facts: dict[str, object]) -> str:
    """Returns the hash of a line, holding the hash of the line before."""
    return dated_hash(before, facts, FIELDS)


def note_reads(session: Session, found: Iterable[Read], *, at: datetime) -> None:
    """Note that payloads were opened, or not: once in a minute for one person, case, door and what was shown, however often they ask."""
    note(session.connection(), [one for one in found if not _just_now(session, one, at)], at=at)


def _just_now(session: Session, one: Read, at: datetime) -> bool:
    same = (ReadRow.case_id == one.case, ReadRow.who == one.who, ReadRow.how == one.how, ReadRow.shows == one.shows)
    query = select_rows(ReadRow.at).where(*same, col(ReadRow.at) > at - TOGETHER)
    return any(then <= at for then in session.exec(query).all())


def reads_of(session: Session, case: str) -> tuple[ReadRow, ...]:
    """Returns who read what of a case, the oldest first."""
    return tuple(session.exec(select_rows(ReadRow).where(ReadRow.case_id == case).order_by(col(ReadRow.n))).all())


def reads(
    session: Session, *, body: str | None = None, case: str | None = None, persons: Iterable[str] = (), cases: Iterable[str] = (),
    by: str | None = None, since: datetime | None = None,
) -> tuple[ReadRow, ...]:  # fmt: skip
    """Returns lines of the log, the oldest first. `case` is a reference, or the SHA-256 by which a certificate names it; `persons` are
    keyed hashes and `cases` those they are found in: a line of either counts."""
    query = select_rows(ReadRow).order_by(col(ReadRow.n))
    if body is not None:
        query = query.where(ReadRow.body == body)
    if by is not None:
        query = query.where(ReadRow.who == by)
    if since is not None:
        query = query.where(col(ReadRow.at) >= since)
    found = session.exec(query).all()
    persons, cases = frozenset(persons), frozenset(cases)
    if persons or cases:
        found = [row for row in found if row.person in persons or row.case_id in cases]
    return tuple(row for row in found if case is None or case in (row.case_id, case_hash(row.case_id)))


def first_broken_read(session: Session) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds."""
    rows = lines_of(session, ReadRow, "the read log")
    return first_broken(rows, lambda before, row: line_hash(before, row.model_dump()), head=lambda: head_kept(session, HEAD))
