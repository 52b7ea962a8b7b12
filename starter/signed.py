"""The signatures of a case's acts, each verified again from the records alone: its token, its key as it stood then, its act."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from activities.signatures import kept
from domain.decision import Refusal
from domain.model import REFERENCE, Data
from records.signing_keys import signed_since
from records.tables import CommandRow
from records.vault import CaseVault

OUTSIDE_TAKEN_AS_READ = ("calendar", "post", "unknown")


class Signature(Data):
    """One act with what its signature says, and whether it verifies now."""

    act: str
    do: str
    by: str | None
    recorded_at: datetime
    result: str
    key: str | None = None
    holder: str | None = None
    signed_at: datetime | None = None
    signed_by: str | None = None
    """The service that signed (iss)."""
    verifies: bool | None = None
    """None: it is from before acts were signed, or from the calendar or the post, which sign nothing."""
    problem: str | None = None


def signatures_of(session: Session, case: str) -> tuple[Signature, ...]:
    """Returns every act of a case in the order it was recorded, with its signature."""
    asked = select(CommandRow).where(CommandRow.case_id == case).order_by(col(CommandRow.decided_at), col(CommandRow.seq))
    since = signed_since(session)
    return tuple(_signature(session, row, since) for row in session.exec(asked).all())


def _signature(session: Session, row: CommandRow, since: datetime | None) -> Signature:
    message = row.message
    by = message.get("by")
    plain = Signature(
        act=row.command_id, do=str(message.get("do", "unreadable")), by=by if isinstance(by, str) else None,
        recorded_at=row.decided_at, result=str(row.outcome.get("result")),
    )  # fmt: skip
    token = message.get("token")
    if token is None:
        return plain if _needs_none(row, since) else plain.model_copy(update={"verifies": False, "problem": "it has no signature"})
    if isinstance(token, str) and token.startswith(REFERENCE):  # `by` was somebody's own words
        token = CaseVault(session, row.case_id).get(token)
    try:
        claims, key = kept(session, token)
    except Refusal as refusal:
        return plain.model_copy(update={"verifies": False, "problem": refusal.reason})
    signed_at = claims.signed_at
    by_another = message.get("by") != "unknown" and claims.sub != _said(message)
    other = by_another or (claims.case, claims.id, claims.do) != (row.case_id, row.command_id, plain.do)
    problem = "it was signed for another act" if other else key.unusable_at(signed_at)
    facts = {"key": key.kid, "holder": key.holder, "signed_at": signed_at, "signed_by": claims.iss, "verifies": problem is None}
    return plain.model_copy(update={**facts, "problem": problem})


def _said(message: dict[str, object]) -> str | None:
    by = message.get("by")
    return by if isinstance(by, str) and by != "unknown" else None


def _needs_none(row: CommandRow, since: datetime | None) -> bool:
    """Returns whether an act may be without a signature: the calendar's, the post's, one that could not be read, one from before."""
    by, raw = row.message.get("by"), "raw" in row.message
    return by in OUTSIDE_TAKEN_AS_READ or raw or (since is not None and row.decided_at < since)
