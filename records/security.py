"""What came to cases and nobody had signed who may: a line each, codes only, append-only and chained by hash over the whole installation.

The head of the chain is locked while a line is written: refusals of several cases wait for one another, acts that are recorded do not."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlmodel import Session, col, select

from records.chain import digest, first_broken, head_in, in_order
from records.tables import InstallationRow, SecurityRow

HEAD = "security"
"""Under which the installation keeps how many lines there are, and the hash of the last."""
FIELDS = ("n", "case_id", "door", "claimed_by", "do", "command_id", "kid", "why")
AT_ONCE = 1000


def line_hash(before: str, facts: dict[str, object]) -> str:
    """Returns the hash of a line, holding the hash of the line before."""
    at = facts["at"]
    assert isinstance(at, datetime)
    held: list[object] = [before, at.isoformat(), *(facts[name] for name in FIELDS)]
    return digest(held)


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


def head_of_security(session: Session) -> tuple[int, str]:
    """Returns how many lines there are, and the hash of the last."""
    row = session.get(InstallationRow, HEAD)
    return head_in(row.value if row else None)


def first_broken_refusal(session: Session) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds."""
    lines = in_order(session, select(SecurityRow).order_by(col(SecurityRow.n)).execution_options(yield_per=AT_ONCE), "the security log")
    return first_broken(lines, lambda before, row: line_hash(before, row.model_dump()), head=lambda: head_of_security(session))
