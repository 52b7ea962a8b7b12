"""evenhand post ...: the post room by hand: what waits for staff, sent; what did not reach them, listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import REFUSED, UNKNOWN, Json
from starter.cli_case import _engine
from starter.cli_reading import ReadBy, bodies_listed, bodies_listed_if_anybody
from starter.show import as_json, complain, out, table

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from records.tables import StaffNoticeRow


def staff(
    body: Annotated[str | None, typer.Option(help="List what did not arrive of this body alone.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Send nothing; only list what did not arrive.")] = False,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """Send staff what waits for them, one email a person and day and a second for what is urgent; list what did not arrive.

    Exit 1 where something did not."""
    from activities.clock import ENGINE_TIME
    from activities.staff_mail import StaffCounts, send_staff_notices, unsettled
    from records.database import reading
    from records.tables import BodyRow
    from starter.clock import now
    from worker.post import post_of
    from worker.settings import Settings

    engine = _engine()
    with reading(engine) as session:
        if body and session.get(BodyRow, body) is None:
            complain(f"There is no body {body}; evenhand body list shows those there are.")
            raise typer.Exit(UNKNOWN)
    asked = bodies_listed if list_only else bodies_listed_if_anybody
    takes = asked(by, how="post staff --list" if list_only else "post staff", body=body)
    counts = StaffCounts() if list_only else send_staff_notices(engine, post_of(Settings.local()), ENGINE_TIME, now())
    with reading(engine) as session:
        rows = unsettled(session, body=body)
    seen = tuple(row for row in rows if takes(row.body))
    rows = seen if list_only else rows
    if json:
        facts = {"counts": counts.model_dump(), **({"not_shown": len(rows) - len(seen)} if len(rows) > len(seen) else {})}
        as_json({**facts, "unsettled": [row.model_dump(mode="json") for row in seen]})
    else:
        _tell(seen, "" if list_only else f"Emails sent: {counts.emails}, with things in them: {counts.sent}.")
        if len(rows) > len(seen):
            out.print(f"{len(rows)} did not reach staff; evenhand post staff --list --by PERSON says which.", markup=False)
    raise typer.Exit(REFUSED if rows else 0)


def _tell(rows: tuple[StaffNoticeRow, ...], said: str) -> None:
    if said:
        out.print(said, markup=False)
    if rows:
        table(
            ("case", "what", "reader", "state", "why", "next try"),
            [(row.case_id, row.what, row.reader, row.state, row.problem or "", row.next_at or "") for row in rows],
            title="Did not reach staff",
        )
