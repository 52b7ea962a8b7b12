"""evenhand inbox: what reached the body and has no answer of its case yet."""

from __future__ import annotations

from typing import Annotated

import typer

from starter.cli import Json
from starter.cli_reading import ReadBy, listed
from starter.show import as_json, out, several, table

FACTS = ("case_id", "command_id", "arrived_at", "state", "tries", "next_at", "result", "settled_at")


def inbox(
    all_: Annotated[bool, typer.Option("--all", help="Those with an answer too.")] = False,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """What reached the body and waits for its case's answer, the oldest first: it is passed on until there is one."""
    from sqlmodel import select

    from records.inbox import in_inbox
    from records.tables import CaseRow

    with listed(by, how="inbox") as lists:
        rows = in_inbox(lists.session, answered=all_)
        bodies = dict(lists.session.exec(select(CaseRow.id, CaseRow.body)).all()) if not lists.everybodys else {}
        rows = tuple(row for row in rows if lists.takes(bodies.get(row.case_id, "")))
    if json:
        as_json([row.model_dump(mode="json", include=set(FACTS)) for row in rows])
        return
    columns = ("case", "id", "arrived", "passed on", "answer")
    times = "{0:%Y-%m-%d %H:%M} UTC"
    lines = [(r.case_id, r.command_id, times.format(r.arrived_at), several(r.tries, "time"), r.result or "none yet") for r in rows]
    table(columns, lines) if lines else out.print("Nothing waits.")
