"""evenhand calendar ...: the tables of bank holidays, a new one loaded, and what it moves. And the list of what nobody was told yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.days import london_date
from starter.administrators import administrator
from starter.cli import MISUNDERSTOOD, OK, UNKNOWN, UNREACHED, Json, run
from starter.cli_case import _cases, _engine, has_records
from starter.cli_reading import ReadBy, Why, bodies_listed, bodies_listed_if_anybody, listed, reader_of
from starter.clock import now, today
from starter.show import as_json, complain, day_in_words, out, several, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from sqlmodel import Session

    from domain.days import Calendar
    from starter.calendars import Applied, Lagging

calendar_app = typer.Typer(no_args_is_help=True, help="Tables of bank holidays: list, show, check, load; what a new one moves.")
File = Annotated[Path, typer.Argument(help="A table (YAML): edition, nation, checked_on, source, known_until, holidays.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list what would move; nothing is kept or changed.")]
NATIONS = ("england-and-wales", "northern-ireland", "scotland")


@calendar_app.command("list")
def list_(json: Json = False) -> None:
    """List the tables in the records and those that come with Evenhand; the one in force is what new cases count with."""
    from records.database import reading

    with reading(_engine()) as session:
        rows = _editions(session)
    if json:
        as_json(rows)
    else:
        columns = ("edition", "nation", "checked", "known until", "days", "where from", "")
        keys = ("edition", "nation", "checked_on", "known_until", "days")
        table(columns, [(*(row[key] for key in keys), _origin(row), "in force" if row["in_force"] else "") for row in rows])


def _origin(row: dict[str, object]) -> str:
    """Returns where a table came from: with Evenhand, or from somebody on some day."""
    at = row["loaded_at"]
    if not isinstance(at, datetime):
        return "shipped"
    return f"loaded by {row['loaded_by'] or 'somebody not recorded'} on {day_in_words(london_date(at))}"


def _editions(session: Session) -> list[dict[str, object]]:
    from sqlmodel import select

    from activities.calendars import edition, in_force
    from policies import load
    from records.tables import CalendarEditionRow

    shipped = {one.edition: one for one in load.shipped_calendars()}
    rows = {row.edition: row for row in session.exec(select(CalendarEditionRow)).all()}
    loaded = {name: edition(session, name) for name in rows}
    now_in_force = {in_force(session, nation).edition for nation in NATIONS}
    found = sorted((shipped | loaded).values(), key=lambda one: (one.nation, one.checked_on, one.edition))
    return [
        {
            **one.model_dump(include={"edition", "nation", "checked_on", "known_until", "source"}),
            "days": len(one.holidays),
            "origin": "shipped" if one.edition in shipped else "loaded",
            "in_force": one.edition in now_in_force,
            "loaded_by": rows[one.edition].loaded_by if one.edition in rows else None,
            "loaded_at": rows[one.edition].loaded_at if one.edition in rows else None,
        }
        for one in found
    ]


@calendar_app.command()
def show(
    name: Annotated[str, typer.Argument(help="A nation (its table in force), or an edition.")],
    year: Annotated[int | None, typer.Option(help="Only this year.")] = None,
    json: Json = False,
) -> None:
    """Show the days of one table."""
    from activities.bodies import Unknown
    from activities.calendars import edition, in_force
    from records.database import reading

    try:
        with reading(_engine()) as session:
            found = in_force(session, name) if name in NATIONS else edition(session, name)
    except Unknown as error:
        complain(f"{error} {error.remains}")
        raise typer.Exit(UNKNOWN) from None
    days = [one for one in found.holidays if year in (None, one.on.year)]
    if json:
        as_json({**found.model_dump(include={"edition", "nation", "checked_on", "known_until", "source"}), "holidays": days})
        return
    checked, until = day_in_words(found.checked_on), day_in_words(found.known_until)
    out.print(f"{found.edition}: checked on {checked}, known until {until}. {found.source}", markup=False)
    table(("day", "", "name"), [(one.on, f"{one.on:%A}", one.name) for one in days], title="Bank holidays")


@calendar_app.command()
def check(file: File, json: Json = False) -> None:
    """Check a table: its shape, its days, and whether it is newer than the one in force. Nothing is kept.

    Where there are no records it is held against the tables that come with Evenhand."""
    from records.database import reading

    new, text = _read(file)
    records = has_records()
    if records:
        with reading(_engine()) as session:
            _newer(session, file, new, text)
    else:
        _newer(None, file, new, text)
    if json:
        facts = {"edition": new.edition, "nation": new.nation, "days": len(new.holidays), "wrong": []}
        as_json({**facts, "held_against": "records" if records else "shipped"})
    else:
        beside = "" if records else " There are no records here: it was held against the tables that come with Evenhand."
        until = day_in_words(new.known_until)
        out.print(f"{new.edition}: {several(len(new.holidays), 'day')}, known until {until}; nothing wrong.{beside}", markup=False)


def _read(file: Path) -> tuple[Calendar, str]:
    from policies.load import Unreadable
    from starter.calendars import read_calendar

    try:
        return read_calendar(file)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


def _newer(session: Session | None, file: Path, new: Calendar, text: str) -> None:
    from policies.load import Unreadable
    from starter.calendars import require_newer

    try:
        require_newer(session, file, new, text, today=today())
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


@calendar_app.command("load")
def load_(
    file: File,
    by: Annotated[str | None, typer.Option("--by", help="Who loads it, or looks for a dry run: an id of a body's staff list.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Check a new table, keep it for ever, and let every open case take it over in an act of its own; lists what moved.

    A date that a customer was told moves to their disadvantage only by a person's decision: until then it stays as told."""
    from activities.calendars import keep_calendar
    from records import administered
    from records.database import reading, transaction
    from starter.calendars import lagging_cases, on_some_staff_list

    new, text = _read(file)
    engine = _engine()
    with reading(engine) as session:
        _newer(session, file, new, text)
        by = by if dry_run else administrator("calendar load", by)
        if not dry_run and (by is None or not on_some_staff_list(session, by, on=today())):
            complain(f"--by is {by or 'missing'}; it takes an id of a body's staff list as it stands today, and is kept with the table.")
            raise typer.Exit(MISUNDERSTOOD)
        waiting = list(lagging_cases(session, offered=new, today=today()))
    takes = bodies_listed(by, how="calendar load --dry-run" if dry_run else "calendar load")
    if not dry_run:
        with transaction(engine) as session:
            _newer(session, file, new, text)  # once more where it counts: nobody else's table came in between
            keep_calendar(session, text, name=str(file), at=now(), by=by)
            administered.note(session, "calendar load", at=now(), by=by, about=new.edition)
        with reading(engine) as session:  # once more: a case may have been opened meanwhile
            waiting = list(lagging_cases(session, today=today()))
    _take_over(waiting, new.edition, takes, dry_run=dry_run, json=json)


@calendar_app.command()
def apply(dry_run: DryRun = False, by: ReadBy = None, json: Json = False) -> None:
    """Let every open case that lags behind take over the tables in force and its body's closed days and meetings: after these were set
    for a body, or where a load was interrupted. Which dates moved is shown to who looks."""
    from records.database import reading
    from starter.calendars import lagging_cases

    if dry_run:
        takes = bodies_listed(by, how="calendar apply --dry-run")
    else:
        takes = bodies_listed_if_anybody(administrator("calendar apply", by), how="calendar apply")
    with reading(_engine()) as session:
        waiting = list(lagging_cases(session, today=today()))
    _take_over(waiting, None, takes, dry_run=dry_run, json=json)


def _take_over(waiting: list[Lagging], edition: str | None, takes: Callable[[str], bool], *, dry_run: bool, json: bool) -> None:
    from starter.calendars import apply_to
    from starter.reading import NOT_YOURS

    async def work() -> list[Applied]:
        return await apply_to(await _cases(), waiting, on=today())

    done = run(work()) if waiting and not dry_run else []
    missed = [one for one in done if one.result not in ("accepted", "repeated")]
    seen = [one for one in waiting if takes(one.body.body)]
    if json:
        own = {one.case for one in seen}
        moves, cases = [move for one in seen for move in one.moves], [one.case for one in (seen if dry_run else waiting)]
        applied = [one if one.case in own else one.model_copy(update={"answer": NOT_YOURS}) for one in done]
        as_json({"edition": edition, "dry_run": dry_run, "cases": cases, "moves": moves, "applied": applied})
    else:
        _tell(seen, edition, dry_run=dry_run, took=len(waiting) - len({one.case for one in missed}))
        for one in missed:
            complain(f"{one.case}: {one.result}: {one.answer} Then: evenhand calendar apply.")
    raise typer.Exit(UNREACHED if missed else OK)


def _tell(seen: Sequence[Lagging], edition: str | None, *, dry_run: bool, took: int) -> None:
    rows = [
        (one.case, f"{one.date} of {one.ref}", one.was, one.becomes, _stands(one.stands, told=one.told), one.cites)
        for lagging in seen
        for one in lagging.moves
    ]
    table(("case", "date", "from", "to", "", "clauses"), rows, title="Dates that would move" if dry_run else "Dates that moved")
    verb = "would take over" if dry_run else "took over"
    out.print(f"{several(took, 'open case')} {verb} {edition or 'what they lagged behind'}.", markup=False)


def _stands(stands: str, *, told: bool) -> str:
    if stands == "kept":
        return "stays as told until an officer decides"
    return "moves; the customer is told" if told else "moves"


def undelivered(
    body: Annotated[str | None, typer.Option(help="Only this body's cases.")] = None,
    by: ReadBy = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """What is decided and not yet notified: each letter that is not on its way, why, for how many days, and its carrier's last word."""
    from records.tables import BodyRow
    from starter.undelivered import waiting_letters

    reader = reader_of(by, why)
    with listed(by, why, how="undelivered", body=body) as lists:
        session = lists.session
        if body and session.get(BodyRow, body) is None:
            complain(f"There is no body {body}; evenhand body list shows those there are.")
            raise typer.Exit(UNKNOWN)
        rows = waiting_letters(session, body=body, today=today(), reader=reader)
        rows = tuple(row for row in rows if lists.takes(row.body))
    overdue = sum(one.overdue for one in rows)
    if json:
        as_json({"count": len(rows), "overdue": overdue, "letters": rows})
        return
    columns = ("", "case", "letter", "kind", "why", "decided", "days", "with", "last word")
    table(
        columns,
        [
            ("OVERDUE" if r.overdue else "", r.case, r.notice, r.kind, r.why, r.decided_on, r.days, r.carrier, r.problem or r.status)
            for r in rows
        ],
        title="Decided, not yet notified",
    )
    out.print(f"{several(len(rows), 'letter')}, {overdue} overdue.", markup=False)
