"""The signatures of a case's acts, each verified again from the records alone: its token, its key as it stood then, all that it binds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import NamedTuple

from sqlmodel import Session, col, select

from activities.act_id import kept_by
from activities.signatures import kept
from activities.signed_contents import NotChecked, holds_all, misfit_of_kept
from domain.decision import Refusal
from domain.model import REFERENCE, Data
from domain.signing import Claims, SigningKey
from records.chain import cannot_be_read
from records.log import log_of
from records.signing_keys import contents_kept_since, signed_since
from records.tables import CaseRow, CommandRow, LogRow
from records.vault import CaseVault

UNSIGNED_BY_NATURE = ("calendar", "post")
"""Authors whose acts the case's own workflow makes: nobody signs them."""
NO_ACT = ("unsigned", "repeated")
"""Results of lines about a message that is not the act kept under its id."""
WITH_THE_PAPERS = "its texts were destroyed with the case's papers"


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
    """True: the whole act as it is kept is what was signed. None: nothing says so, and nothing speaks against it (`problem` says what could
    not be checked), or it needs none: it is from before acts were signed, or from the calendar or the post, which sign nothing."""
    problem: str | None = None


NOT_READ = "its log or its acts were changed, and cannot be read"


class Kept(NamedTuple):
    """What the acts of one case are judged with."""

    case: CaseRow | None
    vault: CaseVault
    log: dict[str, LogRow]
    """The first line of each act."""
    signed_since: datetime | None
    contents_since: datetime | None

    @property
    def destroyed(self) -> bool:
        return self.case is not None and self.case.state.get("destroyed_on") is not None


def signatures_of(session: Session, case: str) -> tuple[Signature, ...]:
    """Returns every act of a case in the order it was recorded, with its signature."""
    asked = select(CommandRow).where(CommandRow.case_id == case).order_by(col(CommandRow.decided_at), col(CommandRow.seq))
    lines = {row.command_id: row for row in reversed(log_of(session, case)) if row.result not in NO_ACT}
    there = Kept(session.get(CaseRow, case), CaseVault(session, case), lines, signed_since(session), contents_kept_since(session))
    return tuple(_signature(session, row, there) for row in session.exec(asked).all())


def broken_signatures(session: Session, cases: tuple[str, ...]) -> Iterator[tuple[str, Signature]]:
    """Yields every act of some cases whose signature does not hold, or that should have one and has none; a case whose rows were changed so
    that they cannot be read is one such, and hides no other."""
    for case in cases:
        try:
            found = [one for one in signatures_of(session, case) if one.verifies is False]
        except Exception as fault:
            if not cannot_be_read(fault):
                raise
            found = [
                Signature(
                    act="every act",
                    do="unreadable",
                    by=None,
                    recorded_at=datetime.fromtimestamp(0, timezone.utc),
                    result="unreadable",
                    problem=NOT_READ,
                )
            ]
        yield from ((case, one) for one in found)


def _signature(session: Session, row: CommandRow, there: Kept) -> Signature:
    plain = Signature(
        act=row.command_id, do=str(row.message.get("do", "unreadable")), by=kept_by(row.message.get("by")),
        recorded_at=row.decided_at, result=str(row.outcome.get("result")),
    )  # fmt: skip
    if there.destroyed and not holds_all(row, there.vault):
        return plain.model_copy(update={"problem": f"contents not checked: {WITH_THE_PAPERS}"})
    token = _token(row, there.vault)
    if token is None:
        return plain.model_copy(update=_without_a_token(row, there))
    try:
        claims, key = kept(session, token)
    except Refusal as refusal:
        return plain.model_copy(update={"verifies": False, "problem": refusal.reason})
    facts = {"key": key.kid, "holder": key.holder, "signed_at": claims.signed_at, "signed_by": claims.iss}
    return plain.model_copy(update={**facts, **_judged(row, claims, key, there)})


def _token(row: CommandRow, vault: CaseVault) -> object:
    """Returns the token of an act: beside it, a text where `by` was somebody's own words, or in a message that could not be read."""
    token = row.message.get("token")
    if isinstance(token, str) and token.startswith(REFERENCE):
        return vault.get(token)
    return token if "raw" not in row.message else _token_in(vault.get(str(row.message["raw"])))


def _token_in(text: str) -> object:
    try:
        message = json.loads(text)
    except ValueError:
        return text  # destroyed, or not as it was: no token either way
    return message.get("token") if isinstance(message, dict) else None


def _judged(row: CommandRow, claims: Claims, key: SigningKey, there: Kept) -> dict[str, object]:
    """Returns whether what is kept of an act is what its signature was made for, by a key that might do so."""
    since = there.contents_since
    by_now = since is None or max(row.decided_at, claims.signed_at) >= since
    try:
        problem = misfit_of_kept(row, claims, there.vault, contents_kept=by_now)
    except NotChecked as why:
        problem = key.unusable_at(claims.signed_at)
        return {"verifies": False if problem else None, "problem": problem or f"contents not checked: {why}"}
    problem = problem or key.unusable_at(claims.signed_at) or _not_for(key, claims, there.case)
    return {"verifies": problem is None, "problem": problem}


def _not_for(key: SigningKey, claims: Claims, case: CaseRow | None) -> str | None:
    fits = key.signs_for(claims.sub, case.body if case else None)
    return None if fits else "its key may not sign for this person on this body's cases"


def _without_a_token(row: CommandRow, there: Kept) -> dict[str, object]:
    """Returns whether an act may be without a signature: the calendar's, the post's, one from before; or one of which nothing is kept."""
    line, by = there.log.get(row.command_id), row.message.get("by")
    at, author = (line.at, line.actor) if line else (row.decided_at, by)
    if there.signed_since is not None and at < there.signed_since:
        return {}
    if author in UNSIGNED_BY_NATURE and by in (None, author):
        return {}
    if row.message.keys() == {"do", "by"} and there.case is not None and (there.case.stage, there.case.seq) == ("closed", row.seq):
        return {"problem": "contents not checked: the case was closed, and nothing of them is kept"}
    return {"verifies": False, "problem": "it has no signature"}
