"""What came to cases and nobody had signed who may: a line each, codes only, append-only and chained by hash over the whole installation.

The head of the chain is locked while a line is written: refusals of several cases wait for one another, acts that are recorded do not."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlmodel import Session, col, select

from records.chain import dated_hash, first_broken, head_in, head_kept, lines_of
from records.tables import InstallationRow, SecurityRow

HEAD = "security"
"""Under which the installation keeps how many lines there are, and the hash of the last."""
FIELDS = ("n", "case_id", "door", "claimed_by", "do", "command_id", "kid", "why")


def line_hash(before: str, facts: dict[str, object]) -> str:
    """Returns the hash of a line, holding the hash of the line before."""
    return dated_hash(before, facts, FIELDS)


def write(session: Session, *, at: datetime, **facts: str) -> None:
    """Write a line at the end of the log, within the caller's transaction."""
    head = session.get(InstallationRow, HEAD, with_for_update=True, populate_existing=True)
    n, before = head_in(head.value if head else None)
    line: dict[str, object] = {**facts, "n": n + 1, "at": at.astimezone(timezone.utc)}
    line["hash"] = line_hash(before, line)
    session.add(SecurityRow.model_validate(line))
    session.merge(InstallationRow(name=HEAD, value=f"{n + 1} {line['hash']}"))
    session.flush()


def security_log(session: Session) -> tuple[SecurityRow, ...]:
    """Returns every line, the oldest first."""
    return tuple(session.exec(select(SecurityRow).order_by(col(SecurityRow.n))).all())


def first_broken_refusal(session: Session) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds."""
    rows = lines_of(session, SecurityRow, "the security log")
    return first_broken(rows, lambda before, row: line_hash(before, row.model_dump()), head=lambda: head_kept(session, HEAD))
