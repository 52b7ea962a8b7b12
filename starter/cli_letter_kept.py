"""evenhand letter list and show: letters as they were sent, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json
from starter.cli_case import Case
from starter.cli_reading import ReadBy, Why, shown
from starter.show import as_json, complain, err, table

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from domain.case import Case as TheCase

OLD = "a file of an earlier release in the outbox; not kept in the records"
KEPT = {"records": "", "outbox": OLD, "nowhere": "its file is gone"}


def list_letters(case: Case, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """List a case's letters: kind, when sent, sha256, template version, edition, and where the bytes are."""
    from starter.letters_kept import kept_letters
    from worker.settings import Settings

    with shown(case, by, why, how="letter list") as look:
        rows = kept_letters(look.session, _with_papers(look.case), outbox=Settings.local().letters)
    if json:
        as_json(rows)
        return
    columns = ("letter", "kind", "sent", "sha256", "template", "edition", "forms", "")
    told = [(f"{one.sent_at:%Y-%m-%d %H:%M} UTC" if one.sent_at else "not known to have gone", KEPT[one.kept]) for one in rows]
    table(
        columns,
        [
            (o.notice, o.kind, sent, o.sha256, o.template, (o.edition or "")[:12], o.forms, note)
            for o, (sent, note) in zip(rows, told, strict=True)
        ],
    )


def show(
    case: Case,
    notice: Annotated[str, typer.Argument(help="The letter: n1, or n1-2 when it went again.")],
    format: Annotated[
        str,
        typer.Option(help="pdf, html, txt, any other form that letter list shows (large.pdf, script.txt, cy.html), or json: its facts."),
    ] = "pdf",
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; standard output if left out.")] = None,
    by: ReadBy = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """Give a letter as it was sent: the very bytes, held against the hash written down when it went."""
    from starter.letters_kept import Changed, NoLetter, file_as_sent
    from worker.settings import Settings

    if json and out is None:
        complain("--json tells of the file; where the file goes is --out FILE.")
        raise typer.Exit(MISUNDERSTOOD)
    if out is None and format.endswith("pdf") and sys.stdout.isatty():
        complain("A PDF does not go to a terminal: --out FILE.")
        raise typer.Exit(MISUNDERSTOOD)
    try:
        with shown(case, by, why, how="letter show") as look:
            found = file_as_sent(look.session, _with_papers(look.case), notice, format, outbox=Settings.local().letters)
    except NoLetter as error:
        complain(str(error))
        raise typer.Exit(UNKNOWN) from None
    except Changed as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    if out is None:
        sys.stdout.buffer.write(found.content)
    else:
        write(out, found.content)
    checked = "the same as written down when it went" if found.recorded else "no hash of this form was written down by the earlier release"
    if json:
        as_json({"case": case, **found.model_dump(exclude={"content"}), "bytes": len(found.content), "file": str(out)})
    else:
        err.print(f"{notice}.{format}: sha256 {found.sha256}, {checked}.", markup=False)


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; say so where it cannot be."""
    from policies.not_opened import not_written
    from starter.spreadsheet import write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        complain(f"{path} could not be written, nothing was changed there: {not_written(path, error)}.")
        raise typer.Exit(MISUNDERSTOOD) from None


def _with_papers(case: TheCase) -> TheCase:
    """Returns a case whose papers there still are, or leaves."""
    if case.destroyed_on:
        complain(f"The papers of {case.id} were destroyed on {case.destroyed_on.isoformat()}; no letter is kept.")
        raise typer.Exit(UNKNOWN)
    return case
