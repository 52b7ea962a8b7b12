"""Cases whose papers were destroyed and that came back with an older copy of the records: found by their keys, destroyed again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Engine
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.destruction import destroy_again
from domain.days import london_date
from records.database import reading, transaction
from records.keys import KeyStore
from records.tables import CaseRow
from starter.clock import now

WHY = "destroyed before; came back with an older copy"


def came_back(engine: Engine, keys: KeyStore) -> dict[str, date]:
    """Returns the cases that the records hold and whose key is destroyed, with the day on which it was."""
    with reading(engine) as session:
        held = session.exec(select(CaseRow.id).where(col(CaseRow.stage) != "closed").order_by(col(CaseRow.id))).all()
    return {case: london_date(at) for case in held if (at := keys.destroyed_on(case)) is not None}


def bodies_of_cases(engine: Engine, cases: Iterable[str]) -> dict[str, str]:
    """Returns whose each of some cases is."""
    with reading(engine) as session:
        return dict(session.exec(select(CaseRow.id, CaseRow.body).where(col(CaseRow.id).in_(tuple(cases)))).all())


async def empty_again(client: Client, engine: Engine, case: str, *, on: date) -> None:
    """Empty such a case in the records and end its workflow, which cannot read its own messages any more."""
    with transaction(engine) as session:
        destroy_again(session, case, on=on, at=now())
    try:
        await client.get_workflow_handle(case).terminate(WHY)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
