"""evenhand post ...: what became of letters that a carrier took, asked now; and the carrier's list of those that came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, OK, REFUSED, Json, run
from starter.cli_case import _engine
from starter.cli_reading import bodies_listed
from starter.clock import now, today
from starter.show import as_json, complain, out, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from activities.following import Round
    from activities.sending import Message
    from starter.returned import Line

post_app = typer.Typer(no_args_is_help=True, help="The post room: what became of letters, those that came back, emails to staff.")
ROUND_TAKES = 120.0
"""Seconds after which a round asked for by hand is left to end by itself."""


@post_app.command("round")
def round_(json: Json = False) -> None:
    """Ask every carrier now what became of the letters it took, and tell their cases. A worker asks; it has the keys."""
    found = run(_round())
    if json:
        as_json(found)
    else:
        words = f"Asked about {found.asked} letters: news of {found.news}, no answer about {found.troubled}"
        words += f", {found.left} left for the next round" if found.left else ""
        out.print(f"{words}. Emails to staff: {found.staff.emails}.", markup=False)
    raise typer.Exit(REFUSED if found.troubled or found.left else OK)


async def _round() -> Round:
    from activities.following import Round
    from starter.by_hand import held_now
    from worker.round import ID
    from workflows.round import TYPE

    return await held_now(TYPE, id=ID, result=Round, within=ROUND_TAKES, meanwhile="Where one is, the round goes on by itself.")


@post_app.command()
def returned(
    file: Annotated[Path, typer.Argument(help="CSV with a column reference or notification id, as the carrier gives it.")],
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day they came back; today if left out.")] = None,
    skip_unknown: Annotated[bool, typer.Option("--skip-unknown", help="Leave out letters that are not ours.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what each line means; nothing is recorded.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who looks, for a dry run: an id of the body's staff list.")] = None,
    json: Json = False,
) -> None:
    """Note the letters that came back: whether their customers were told is open again. All lines are noted, or none."""
    from sqlmodel import select

    from activities.carriers.post import Post
    from activities.following import Following
    from records.database import reading, transaction
    from records.tables import CaseRow
    from starter.returned import BadList, judged, note, read_list
    from worker.settings import Settings

    day = on.date() if on else today()
    try:
        listed = read_list(file)
    except BadList as problem:
        complain(str(problem))
        raise typer.Exit(MISUNDERSTOOD) from None
    if day > today():
        complain(f"--on {day} is in the future; letters cannot have come back yet.")
        raise typer.Exit(MISUNDERSTOOD)
    engine, takes = _engine(), bodies_listed(by, how="post returned --dry-run") if dry_run else None
    told: list[tuple[str, Message]] = []
    with (reading if dry_run else transaction)(engine) as session:
        lines = judged(session, listed)
        whose = dict(session.exec(select(CaseRow.id, CaseRow.body)).all()) if takes else {}
        faults = [one for one, _ in lines if one.fault and not (skip_unknown and one.result == "unknown")]
        if not faults and not dry_run:
            told = note(session, Following(engine, Post.into(Settings.local().letters)), lines, on=day, now=now())
    _tell([_seen(one, whose, takes) if takes else one for one, _ in lines], faults, json=json, dry_run=dry_run)
    if told:
        run(_signal(told))
    raise typer.Exit(REFUSED if faults else OK)


def _seen(line: Line, whose: Mapping[str, str], takes: Callable[[str], bool]) -> Line:
    """Returns a line as whoever looks may see it: of another body's letter no more than that there is one."""
    from starter.reading import NOT_YOURS

    if line.case is None or takes(whose.get(line.case, "")):
        return line
    return line.model_copy(update={"case": NOT_YOURS, "letter": NOT_YOURS})


def _tell(lines: list[Line], faults: list[Line], *, json: bool, dry_run: bool) -> None:
    if json:
        as_json({"lines": lines, "recorded": not faults and not dry_run})
        return
    table(("line", "reference", "case", "letter", ""), [(one.line, one.given, one.case, one.letter, one.result) for one in lines])
    if faults:
        complain(f"{len(faults)} lines cannot be noted, so none was. Mend them; --skip-unknown leaves out letters that are not ours.")
    elif not dry_run:
        out.print(f"{sum(one.result == 'noted' for one in lines)} letters noted as returned.", markup=False)


async def _signal(told: list[tuple[str, Message]]) -> None:
    from activities.following import tell
    from worker.run import connect
    from worker.settings import Settings

    client = await connect(Settings.local())
    for case, message in told:
        await tell(client, case, message)
