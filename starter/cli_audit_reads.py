"""evenhand audit reads and attention: who read what and why, for the office that answers for information; each look is a line itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, Json
from starter.cli_reading import ReadBy, or_leave, reader_of
from starter.clock import now, today
from starter.show import as_json, complain, out, table

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from starter.read_audit import Office, Thresholds


def add_reads(audit_app: typer.Typer) -> None:
    """Add the commands to evenhand audit."""
    audit_app.command()(reads)
    audit_app.command()(attention)


def reads(
    case: Annotated[str | None, typer.Option("--case", help="A case's id, or the SHA-256 by which its certificate names it.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Somebody looked up: a name, an email address, a number.")] = None,
    reader: Annotated[str | None, typer.Option("--reader", help="What this member of staff read.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="From this day on.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write it to this file as CSV instead.")] = None,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """List who read what, when, through which door, what was shown, and why; for the office that answers for information."""
    from domain.days import first_instant
    from starter.cli_letter_kept import write
    from starter.read_audit import COLUMNS, lines_of
    from starter.spreadsheet import csv_bytes

    try:
        with _office(by, "audit reads", case=case, person=person) as office:
            found = lines_of(office, case=case, person=person, by=reader, since=first_instant(since.date()) if since else None)
    except ValueError as error:
        complain(f"--person: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
    if csv is not None:
        write(csv, csv_bytes(COLUMNS, [one.cells for one in found], bom=False))
    if json:
        as_json(found)
    elif csv is None:
        table(COLUMNS, [one.cells for one in found])
    else:
        out.print(f"{len(found)} lines written to {csv}.", markup=False)


def attention(by: ReadBy = None, json: Json = False) -> None:
    """List whose reading is worth a question: many cases, not their own, refused, outside a case's life, without a reason; counts only."""
    from starter.read_audit import attention as worth_a_question
    from starter.read_audit import days_back
    from worker.settings import Settings

    settings = Settings()
    with _office(by, "audit attention") as office:
        found = worth_a_question(office, _thresholds(settings), since=days_back(now(), settings.reads_days))
    if json:
        as_json({"days": settings.reads_days, "thresholds": _thresholds(settings)._asdict(), "people": found})
        return
    columns = ("who", "reads", "cases", "not their own", "refused", "outside its life", "without a reason", "looked up alone", "reaches")
    counts = ("who", "reads", *_thresholds(settings)._fields)
    rows = [(*(getattr(one, name) for name in counts), [name.replace("_", " ") for name in one.over]) for one in found]
    table(columns, rows, title=f"In {settings.reads_days} days")
    out.print("Counts, and no judgement: much reading may be somebody's work.", markup=False)


def _thresholds(settings: object) -> Thresholds:
    from starter.read_audit import Thresholds

    return Thresholds(*(getattr(settings, f"reads_{name}") for name in Thresholds._fields))


@contextmanager
def _office(by: str | None, how: str, *, case: str | None = None, person: str | None = None) -> Iterator[Office]:
    from starter.cli_case import _engine
    from starter.read_audit import audited
    from starter.reading import A_CASE

    reader, asked = reader_of(by, None), case if case and A_CASE.fullmatch(case) else ""
    with or_leave(), audited(_engine(), reader, how=how, at=now(), today=today(), case=asked, person=person) as office:
        yield office
