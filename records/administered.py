"""Who changed who may act and under which rules, in the security log beside what came unsigned: codes only, append-only and chained."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from records import security
from records.tables import SecurityRow

DOOR = "administration"
NOBODY = "nobody"
"""Where no name was given: whoever used the machine."""


def note(session: Session, command: str, *, at: datetime, by: str | None, about: str = "", kid: str = "", what: str = "") -> None:
    """Note a command that changed something: `about` is a body's code, an edition or the like, `kid` a key, `what` how it changed."""
    security.write(session, at=at, case_id="", door=DOOR, claimed_by=by or NOBODY, do=command, command_id=about, kid=kid, why=what)


def noted(session: Session) -> tuple[SecurityRow, ...]:
    """Returns every such line, the oldest first."""
    return tuple(session.exec(select(SecurityRow).where(col(SecurityRow.door) == DOOR).order_by(col(SecurityRow.n))).all())
