"""Messages that reached the body: kept at once, whatever the engine and its workers do, until their case has answered.

A row that is lost here is an appeal that was in time and is never heard of."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from records.keys import keys_of
from records.tables import CaseRow, CommandRow, InboxRow
from records.vault import DESTROYED, opened_at

Json = dict[str, object]
DIRECT = timedelta(seconds=30)
"""How long whoever brought a message has to pass it on and hear the answer, before somebody else does."""
FIRST_AGAIN, AT_MOST_AGAIN = timedelta(minutes=1), timedelta(hours=1)
"""When a message that was passed on and not answered is passed on again: after one minute, two, four, up to an hour."""
AT_ONCE = 200
"""Messages passed on in one round."""


class NotKept(Exception):
    """A message that was not kept."""


class NoRunningCase(NotKept):
    """There is no such case, or it has ended: nobody could answer."""


class IdTaken(NotKept):
    """The id is another message's."""


def keep(session: Session, case_id: str, message: Json, *, hashed: str, at: datetime) -> Json:
    """Keep a message that has just arrived, and return it as it was kept: one that came before keeps its own day. Raises NotKept."""
    case, command_id = session.get(CaseRow, case_id), str(message["id"])
    if case is None or case.stage == "closed":
        raise NoRunningCase(f"There is no running case {case_id}.")
    row = session.get(InboxRow, (case_id, command_id))
    if row is not None and row.content_hash != hashed:
        raise IdTaken(f"The id {command_id} was used for another message; send this one under an id of its own.")
    if row is not None:
        return message_of(session, row) or message
    row = InboxRow(case_id=case_id, command_id=command_id, content_hash=hashed, message="", arrived_at=at, next_at=at + DIRECT)
    write_message(session, row, message)
    session.add(row)
    return message


def write_message(session: Session, row: InboxRow, message: Json) -> None:
    """Put a message, its token with it, into its row, sealed with the case's key: the one place where its words are written."""
    text = json.dumps(message, ensure_ascii=False, sort_keys=True)
    row.message = keys_of(session).of(row.case_id).sealed_text(text, _place(row))


def message_of(session: Session, row: InboxRow) -> Json | None:
    """Returns the message of a row, None where its words were let go or its key is destroyed: the one place where they are read."""
    text = opened_at(keys_of(session), row.case_id, _place(row), row.message) if row.message else DESTROYED
    return json.loads(text) if text != DESTROYED else None


def _place(row: InboxRow) -> str:
    return f"inbox/{row.command_id}"


def settle(session: Session, case_id: str, command_id: str, *, at: datetime) -> bool:
    """Note the answer of a message's case, where it has answered, and let go of the words. Returns whether it has."""
    row, answered = session.get(InboxRow, (case_id, command_id)), session.get(CommandRow, (case_id, command_id))
    if row is None or row.state == "answered":
        return row is not None
    if answered is None:
        return False
    row.state, row.result, row.settled_at, row.message = "answered", str(answered.outcome.get("result")), at, ""
    session.add(row)
    return True


def answered(session: Session) -> tuple[tuple[str, str], ...]:
    """Returns the messages that still stand as waiting and whose case has answered: case, command id."""
    same = (col(CommandRow.case_id) == col(InboxRow.case_id)) & (col(CommandRow.command_id) == col(InboxRow.command_id))
    return tuple(
        session.exec(select(InboxRow.case_id, InboxRow.command_id).join(CommandRow, same).where(InboxRow.state == "waiting")).all()
    )


def due(session: Session, *, at: datetime) -> tuple[tuple[str, str, Json], ...]:
    """Returns the messages to pass on now, in the order in which they arrived: case, command id, message."""
    query = select(InboxRow).where(InboxRow.state == "waiting", col(InboxRow.next_at) <= at)
    rows = session.exec(query.order_by(col(InboxRow.arrived_at), col(InboxRow.command_id)).limit(AT_ONCE)).all()
    return tuple((row.case_id, row.command_id, message_of(session, row) or {}) for row in rows)


def passed_on(session: Session, case_id: str, command_id: str, *, at: datetime, fault: str | None = None) -> None:
    """Note that a message was passed on, or could not be and for what fault; it is tried again later, ever more seldom."""
    row = session.get(InboxRow, (case_id, command_id))
    if row is not None:
        row.tries, row.result = row.tries + 1, fault
        row.next_at = at + min(FIRST_AGAIN * 2 ** min(row.tries - 1, 10), AT_MOST_AGAIN)
        session.add(row)


def in_inbox(session: Session, *, answered: bool = False) -> tuple[InboxRow, ...]:
    """Returns what waits for its case's answer, the oldest first; with `answered`, what has it too."""
    query = select(InboxRow).order_by(col(InboxRow.arrived_at), col(InboxRow.command_id))
    return tuple(session.exec(query if answered else query.where(InboxRow.state == "waiting")).all())
