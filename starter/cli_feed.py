"""evenhand calendar feed: the cases' dates as an iCalendar file for officers' own calendars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from starter.cli import MISUNDERSTOOD, UNKNOWN, Json
from starter.cli_letter_kept import write
from starter.cli_reading import ReadBy, listed
from starter.clock import today
from starter.show import as_json, complain
from starter.show import out as shown


def feed(
    person: Annotated[
        str | None, typer.Option("--for", help="What waits for this person, and the dates of cases whose contact it is.")
    ] = None,
    body: Annotated[str | None, typer.Option("--body", help="Every date of this body's cases; with --for, of this body alone.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write (.ics); standard output if left out.")] = None,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """Write the cases' dates as iCalendar: case reference, what and clause, nobody's name."""
    from records.tables import BodyRow
    from starter.feed import calendar_text, dates_for, dates_of_body

    if person is None and body is None:
        complain("Whose dates? --for PERSON, or --body BODY.")
        raise typer.Exit(MISUNDERSTOOD)
    with listed(by, how="calendar feed", body=body) as lists:
        session = lists.session
        if body is not None and session.get(BodyRow, body) is None:
            complain(f"There is no body {body}; evenhand body list shows those there are.")
            raise typer.Exit(UNKNOWN)
        found = dates_for(session, person, body=body, today=today()) if person else dates_of_body(session, body or "")
        dates = None if found is None else tuple(one for one in found if lists.takes(one.body))
    if dates is None:
        complain(f"{person} is on no staff list.")
        raise typer.Exit(UNKNOWN)
    if json:
        as_json([{**one.model_dump(mode="json"), "uid": one.uid, "says": one.says} for one in dates])
        return
    text = calendar_text(dates, name="Evenhand: what waits for you" if person else f"Evenhand: dates of {body}")
    if out is None:
        sys.stdout.buffer.write(text)
        return
    write(out, text)
    shown.print(f"{len(dates)} dates written to {out}.", markup=False)
