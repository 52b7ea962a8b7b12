"""evenhand body ...: the bodies in the records, each with its policy and its staff list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.administrators import administrator
from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json
from starter.cli_case import _engine
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from activities.bodies import Body
    from activities.staff_lists import Loaded
    from domain.people import Person, Staff
    from starter.staff_links import Links

INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]

body_app = typer.Typer(no_args_is_help=True, help="Public bodies: set up from a file, listed, shown.")


LoadedBy = Annotated[str | None, typer.Option("--by", help="Who loads it: an id of a staff list, kept with the list.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=INSTANTS, help="In force since then (UTC), not now: for records restored from an older copy, before a repair."),
]


Unlink = Annotated[
    list[str], typer.Option("--unlink", help="An account that is another human being after all than the list says; may be given again.")
]


def begun(since: datetime | None) -> datetime | None:
    """Returns the instant from which a list is in force, where it is not from now; leaves where it is still to come."""
    from starter.clock import now

    at = since.replace(tzinfo=timezone.utc) if since else None
    if at is not None and at > now():
        complain(f"--since {at:%Y-%m-%dT%H:%M:%S} (UTC) is still to come, and a list is in force from its loading at the latest.")
        complain("Load it that day, or give people and offices days of their own (valid_from, or from and to: docs/staff.md).")
        raise typer.Exit(MISUNDERSTOOD)
    return at


def loading(by: str | None, since: datetime | None, source: str) -> Loaded:
    """Returns how a staff list comes in now."""
    from activities.staff_lists import Loaded
    from starter.clock import now

    return Loaded(at=now(), by=by, source=source, since=since)


def known_staff(code: str, since: datetime | None = None) -> Staff:
    """Returns a body's list in force now, or at an earlier instant, and everybody who left it."""
    from activities.staff_lists import staff_at
    from records.database import reading
    from starter.clock import now

    with reading(_engine()) as session:
        return staff_at(session, code, since or now())


def cut_links(known: Staff, people: Iterable[Person], unlink: Sequence[str]) -> Links:
    """Returns what a list would cut of the links between accounts; leaves where --unlink names one that would stay."""
    from starter.staff_links import links

    found = links(known, people, unlink=unlink)
    if found.idle:
        complain(f"--unlink {', '.join(found.idle)}: this list cuts no link of it. Nothing was loaded.")
        raise typer.Exit(MISUNDERSTOOD)
    return found


def refuse_unsaid(unsaid: Sequence[str]) -> None:
    """Leave where links would be cut although nobody said so (EH-181)."""
    if unsaid:
        said = " ".join(f"--unlink {one}" for one in unsaid)
        complain(f"Nothing was loaded. If they are two human beings after all: {said}. If not, say in natural whose other account it is.")
        raise typer.Exit(REFUSED)


@body_app.command("set")
def set_(
    file: Annotated[
        Path, typer.Argument(help="The body's YAML file: body, name, policy, keep_years, ombudsman, meetings, links, people, closures.")
    ],
    by: LoadedBy = None,
    since: Since = None,
    unlink: Unlink = [],  # noqa: B006  # typer copies it
    json: Json = False,
) -> None:
    """Check a body's file against its policy and load it into the records, in place of what stood there; from then on it is who may act.

    Its staff list becomes the body's next; earlier acts stay judged by the list of their time."""
    from activities.bodies import save_body
    from activities.staff_lists import ListRefused
    from records import administered
    from records.database import transaction
    from starter.clock import now

    start, body = begun(since), _read(file)
    by = administrator("body set", by)
    _settle_links(body, start, unlink)
    try:
        with transaction(_engine()) as session:
            save_body(session, body, loading(by, start, f"body file {file.name}"))
            administered.note(session, "body set", at=now(), by=by, about=body.body)
    except ListRefused as error:
        complain(f"Nothing was loaded. {error}")
        raise typer.Exit(REFUSED) from None
    if json:
        as_json(_line(body))
    else:
        closed = f", {several(len(body.closures), 'closed day')}" if body.closures else ""
        closed += f", {several(len(body.meetings), 'meeting')}" if body.meetings else ""
        out.print(f"{body.body}: {body.name}, policy {body.policy}, {several(len(body.people), 'person', 'people')}{closed}.", markup=False)
        _say_who_lags(body.body)


def _settle_links(body: Body, since: datetime | None, unlink: Sequence[str]) -> None:
    """Warn of the links between accounts that a file with people would cut; leave where nobody said so."""
    if "people" not in body.model_fields_set:
        found = cut_links(body.staff, body.people, unlink)
    else:
        found = cut_links(known_staff(body.body, since), body.people, unlink)
    for warning in found.warnings:
        complain(f"Take care: {warning} (DEF-20).")
    refuse_unsaid(found.unsaid)


def _say_who_lags(body: str) -> None:
    """Say which open cases lag behind the closed days and meetings as they now stand: a case's dates move by an act of its own only."""
    from records.database import reading
    from starter.calendars import lagging_cases

    with reading(_engine()) as session:
        behind = [one for one in lagging_cases(session) if one.body.body == body]
    if behind:
        keep = "keeps its present dates" if len(behind) == 1 else "keep their present dates"
        out.print(f"{several(len(behind), 'open case')} {keep} until evenhand calendar apply.", markup=False)


def _read(file: Path) -> Body:
    from policies.load import Unreadable
    from starter.bodies import read_body

    try:
        return read_body(file, known=known_staff)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


OPTIONAL = (
    "meetings",
    "closures",
    "ombudsman",
    "letterhead",
    "links",
    "house_letters",
    "mailboxes",
    "destroyed_a_day",
    "directory",
    "information_officer",
)
"""What a body need not set: left out of a listing where it has not."""


def _line(body: Body) -> dict[str, object]:
    empty = {name for name in OPTIONAL if not getattr(body, name)}
    facts = body.model_dump(mode="json", exclude={"people", *empty})
    return {**facts, "people": len(body.people)}


@body_app.command("list")
def list_(json: Json = False) -> None:
    """List the bodies in the records."""
    from sqlmodel import col, select

    from activities.bodies import body_of
    from records.database import reading
    from records.tables import BodyRow

    with reading(_engine()) as session:
        found = [body_of(session, code) for code in session.exec(select(BodyRow.body).order_by(col(BodyRow.body))).all()]
    if json:
        as_json([_line(one) for one in found])
    else:
        rows = [(one.body, one.name, one.policy, len(one.people), one.keep_years) for one in found]
        table(("body", "name", "policy", "people", "keep years"), rows)


@body_app.command()
def show(body: Annotated[str, typer.Argument(help="The body's code, like mmo.")], json: Json = False) -> None:
    """Show a body with its staff list: who holds which office, and whose line manager is who."""
    from activities.bodies import Unknown, body_of
    from records.database import reading

    try:
        with reading(_engine()) as session:
            found = body_of(session, body)
    except Unknown as error:
        complain(f"{error} {error.remains}")
        raise typer.Exit(UNKNOWN) from None
    if json:
        as_json(found)
        return
    kept = f"keeps papers {several(found.keep_years, 'year')}" if found.keep_years is not None else "keeps papers as its policy says"
    out.print(f"{found.body}: {found.name}, policy {found.policy}, {kept}", markup=False)
    if found.ombudsman:
        out.print(f"letters say of others who can help, as information: {found.ombudsman}", markup=False)
    _print_staff(found)
    if found.links:
        table(("link", "address"), found.links.items(), title="Texts of its own")
    if found.closures:
        table(("closed on", "why"), [(one.on, one.name) for one in found.closures], title="Closed days")
    if found.meetings:
        table(("meeting on",), [(day,) for day in found.meetings], title="Meetings")


def _print_staff(body: Body) -> None:
    rows = [
        (one.id, one.name, (*one.offices, *(f"deputy: {office}" for office in one.deputises)), one.grade, one.line_manager, one.area)
        for one in body.people
    ]
    table(("id", "name", "offices", "grade", "line manager", "area"), rows, title="Staff")
