"""evenhand audit ...: whether logs, sign-offs, certificates and signed acts are as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from starter.cli import MISUNDERSTOOD, OK, REFUSED, Json
from starter.cli_case import _engine
from starter.show import as_json, complain, out, table

audit_app = typer.Typer(no_args_is_help=True, help="Whether what was recorded is as it was written.")


@audit_app.command()
def verify(
    against: Annotated[Path | None, typer.Option("--against", help="Heads noted on an earlier day by evenhand audit heads.")] = None,
    json: Json = False,
) -> None:
    """Check the chain of every log, of every case's sign-offs, of the certificates, of reads and of refused messages, and the signature of
    every act; say the first broken place of each chain, and every act whose signature does not hold."""
    from records import audit
    from records.database import reading
    from starter.signed import broken_signatures

    noted = _noted(against) if against else None
    with reading(_engine()) as session:
        cases, issued = audit.chained_cases(session), audit.issued(session)
        unsigned = [
            audit.Broken("signatures", case, None, f"the signature of {one.act} of {case} does not hold: {one.problem}")
            for case, one in broken_signatures(session, cases)
        ]
        broken = (*audit.verify(session, noted=noted), *unsigned)
    if json:
        as_json({"holds": not broken, "cases": len(cases), "certificates": issued, "broken": [one._asdict() for one in broken]})
    else:
        for one in broken:
            out.print(f"BROKEN: {one.what}", markup=False)
        said = f"{len(cases)} cases, {issued} certificates{f', {len(noted)} heads noted earlier' if noted else ''}"
        out.print(f"{said}: {'every chain holds, and every signature' if not broken else f'{len(broken)} broken'}.", markup=False)
    raise typer.Exit(REFUSED if broken else OK)


@audit_app.command()
def heads() -> None:
    """Print the head of every chain as JSON, to be kept where nobody who runs the database can write."""
    from records import audit
    from records.database import reading

    with reading(_engine()) as session:
        found = audit.heads(session)
    as_json(found)


@audit_app.command()
def changes(json: Json = False) -> None:
    """List who changed who may act and under which rules: bodies, staff lists, keys, calendars, editions. Codes only."""
    from records import administered
    from records.database import reading

    with reading(_engine()) as session:
        rows = administered.noted(session)
    if json:
        facts = (("at", "at"), ("by", "claimed_by"), ("command", "do"), ("about", "command_id"), ("key", "kid"), ("what", "why"))
        as_json([{name: getattr(row, field) for name, field in facts} for row in rows])
        return
    lines = [(f"{row.at:%Y-%m-%d %H:%M} UTC", row.claimed_by, row.do, row.command_id[:12], row.kid[:12], row.why) for row in rows]
    table(("at", "by", "command", "about", "key", "what"), lines)


def _noted(file: Path) -> dict[str, tuple[int, str]]:
    from policies.load import Unreadable, text_of
    from records.audit import read_heads

    try:
        return read_heads(text_of(file))
    except (Unreadable, ValueError, TypeError) as error:
        complain(f"{file}: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
