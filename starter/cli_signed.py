"""evenhand case signatures, and the signed text of an act for another door: the Temporal UI's signal box, or the temporal binary."""

from __future__ import annotations

import json as jsonlib
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import OK, REFUSED, UNKNOWN, Json
from starter.cli_reading import ReadBy, Why, shown_lines
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the database is imported only by the command that uses it
    from sqlalchemy import Engine

    from starter.signed import Signature

Case = Annotated[str, typer.Argument(help="The case's id, like portsmouth/2027-0001.")]


def signatures(case: Case, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """Verify the signature of every act of a case again, from the records alone: of person, command, id, case, saw, on and all contents.
    Exit 1 where one does not hold."""
    from starter.signed import signatures_of

    with shown_lines(case, by, why, how="case signatures") as session:
        found = signatures_of(session, case)
    if not found:
        complain(f"The records hold no act of {case}.")
        raise typer.Exit(UNKNOWN)
    bad = [one for one in found if one.verifies is False]
    if json:
        as_json(found)
        raise typer.Exit(REFUSED if bad else OK)
    said = {True: "verifies", False: "DOES NOT", None: "none needed"}
    table(
        ("act", "command", "by", "result", "key", "holder", "signed", "service", ""),
        [(o.act, o.do, o.by, o.result, (o.key or "")[:12], o.holder, _at(o), o.signed_by, o.problem or said[o.verifies]) for o in found],
    )
    good = sum(one.verifies is True for one in found)
    out.print(f"{several(good, 'signature')} verified; {several(len(bad), 'act')} without one that holds{_unchecked(found)}.")
    raise typer.Exit(REFUSED if bad else OK)


def _unchecked(found: tuple[Signature, ...]) -> str:
    n = sum(one.verifies is None and one.problem is not None for one in found)
    return f"; of {several(n, 'act')} the contents could not be checked" if n else ""


def _at(one: Signature) -> str:
    return f"{one.signed_at:%Y-%m-%d %H:%M} UTC" if one.signed_at else ""


def signatures_in_a_line(engine: Engine, case: str) -> str:
    """Returns how many acts of a case are signed, and whether every signature still verifies."""
    from records.database import reading
    from starter.signed import signatures_of

    with reading(engine) as session:
        found = signatures_of(session, case)
    signed, bad = [one for one in found if one.key], [one.act for one in found if one.verifies is False]
    whole = "every signature verifies" if all(one.verifies for one in signed) else "every other signature verifies"
    held = f"{whole}{_unchecked(found)}" if not bad else f"NOT of {', '.join(bad)}: evenhand case signatures {case}"
    return f"Signatures: {several(len(signed), 'act')} signed, {held}."


def print_signed(case: str, message: dict[str, object], *, signal: str, where: tuple[str, ...], json: bool) -> None:
    """Print a signed message as plain JSON, and the command line that sends it to the engine that `where` leads to. Nothing is sent."""
    text = jsonlib.dumps(message, ensure_ascii=False)
    line = shlex.join(["temporal", "workflow", "signal", *where, "--workflow-id", case, "--name", signal, "--input", text])
    if json:
        as_json({"case": case, "signal": signal, "input": message, "command": line})
        return
    out.print(f"Signal {signal} to {case}; it counts under its id {message['id']} once, and for no other case or contents:", markup=False)
    typer.echo(text)
    typer.echo("")
    typer.echo(line)
