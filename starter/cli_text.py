"""evenhand text put: a text into a case's own, before a message in plain JSON names it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from starter.cli import MISUNDERSTOOD, REFUSED, Json
from starter.cli_case import Case, _engine
from starter.clock import now
from starter.show import as_json, complain, out

text_app = typer.Typer(no_args_is_help=True, help="Texts put first, for messages that only name them.")


@text_app.callback()
def _texts() -> None:
    """Texts put first, for messages that only name them."""


@text_app.command()
def put(
    case: Case,
    file: Annotated[Path | None, typer.Option(help="A file of text in UTF-8; standard input where none is named.")] = None,
    json: Json = False,
) -> None:
    """Keep a text in a case's sealed texts and print its reference, which a message may hold in the text's place.

    The case may be opened later: a text whose case was never opened is destroyed after a week. No text is taken from the command line
    itself, where other users of the machine could read it."""
    from pydantic import ValidationError

    from activities.given_texts import put_text
    from domain.case_id import fit_case_id
    from records.database import transaction
    from records.tables import CaseRow

    if not fit_case_id(case):
        complain("A case id is letters, digits and . _ : / - only, at most 100 of them.")
        raise typer.Exit(MISUNDERSTOOD)
    text = _read(file)
    try:
        with transaction(_engine()) as session:
            row = session.get(CaseRow, case)
            if row is not None and row.stage == "closed":
                complain(f"The papers of {case} are destroyed; no text is kept for it.")
                raise typer.Exit(REFUSED)
            reference = put_text(session, case, text, at=now())
    except ValidationError as error:
        complain(f"The text cannot be kept: {'; '.join(one['msg'] for one in error.errors(include_input=False, include_url=False))}")
        raise typer.Exit(MISUNDERSTOOD) from None
    if json:
        as_json({"case": case, "reference": reference})
    else:
        out.print(reference, markup=False)


def _read(file: Path | None) -> str:
    try:
        return (file.read_bytes() if file else sys.stdin.buffer.read()).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        complain(f"{file or 'standard input'} cannot be read: {reason}.")
        raise typer.Exit(MISUNDERSTOOD) from None
