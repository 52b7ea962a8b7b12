"""A case destroyed in the records: how many a day, what its certificate will say, and the rows themselves (EH-150, EH-151)."""

from __future__ import annotations

from datetime import date, datetime
from typing import cast

from sqlmodel import Session

from activities.bodies import Body, policy_of_edition
from activities.calendars import calendar_of
from domain.case import Case
from domain.days import Calendar, Reckoned, in_words, london_date
from domain.decision import Refusal
from domain.destruction_due import emptied
from domain.end_clocks import end_of_case, retention_ends
from domain.policy import Policy
from records.destroying import destroy_rows, destroyed_on, rows_to_destroy
from records.log import Log
from records.store import read_case, save_case
from records.tables import BodyRow, CaseRow, DestructionRow, Json
from records.vault import CaseVault

A_DAY = 50
LIMIT = "EH-151"
BACK = "The papers came back with a copy of the records older than their destruction."


def require_room(session: Session, body: Body, today: date) -> None:
    """Refuses when as many cases of the body were destroyed today as may be; signatures stay."""
    session.get(BodyRow, body.body, with_for_update=True)
    limit = A_DAY if body.destroyed_a_day is None else body.destroyed_a_day
    if destroyed_on(session, body.body, today) >= limit:
        reason = f"{limit} cases of {body.body} were destroyed today; no more may be."
        raise Refusal(reason, cites=[LIMIT], remains="Destroy it tomorrow; what was signed stands.")


def destroy_case(
    session: Session, before: Case, case: Case, *, held: dict[str, int], policy: Policy, calendar: Calendar, by: Json
) -> None:  # fmt: skip
    """Destroy a case's rows, and note beside them what its certificate will say. Everything of this transaction is written by now.

    `held` is what the records held before the emptied case was saved, which by itself takes much of it away."""
    session.flush()
    assert case.destroyed_on is not None
    row = session.get(CaseRow, case.id)
    assert row is not None
    destroy_rows(session, case.id)
    facts: Json = {
        "body": case.body,
        "policy": case.policy,
        "edition": case.edition,
        "opened_on": case.opened_on.isoformat(),
        "ended_on": _day(end_of_case(before)),
        "destroyed_on": case.destroyed_on.isoformat(),
        "kept": _kept(retention_ends(before, policy, calendar)),
        "signed": [one.by.model_dump(mode="json", include={"person", "office", "as_deputy", "on"}) for one in before.destruction_signed],
        "destroyed_by": by,
        "destroyed": cast(object, held),
        "log": {"lines": row.log_lines, "hash": row.log_hash},
        "sign_offs": {"lines": row.signed_lines, "hash": row.signed_hash},
    }
    session.add(DestructionRow(case_id=case.id, body=case.body, on=case.destroyed_on, facts=facts))


def destroy_again(session: Session, case_id: str, *, on: date, at: datetime) -> None:
    """Empty a case whose papers were destroyed on a day, and which came back with an older copy of the records.

    Nobody signs again: its key is gone, and with it whatever the copy holds of it. What is left is done as after any destruction."""
    case, vault = read_case(session, case_id), CaseVault(session, case_id)
    assert case is not None, f"{case_id}: no such case"
    policy, held = policy_of_edition(session, case.edition), rows_to_destroy(session, case_id)
    closed = emptied(case, on).model_copy(update={"seq": case.seq + 1, "stage": "closed"})
    save_case(session, closed, vault=vault, deadline=None, at=at)
    Log(session, case_id).write(
        at=at, on=london_date(at), actor="records", office=None, command="destroy_again", command_id=f"destroy_again:{at.isoformat()}",
        result="accepted", what=f"{BACK} They were destroyed on {in_words(on)}, and are destroyed again.", cites=(),
    )  # fmt: skip
    calendar = calendar_of(session, case, policy)
    destroy_case(session, case, closed, held=held, policy=policy, calendar=calendar, by={"again": BACK})


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _kept(ends: Reckoned | None) -> Json | None:
    """Returns how long the papers were kept and why: from when, by which rule, under which clauses."""
    if ends is None:
        return None
    return ends.model_dump(mode="json", include={"start", "start_event", "rule", "date", "cites", "defaults"})
