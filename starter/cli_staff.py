"""evenhand staff ...: a body's staff list imported, and shown as it stands or stood."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.administrators import administrator
from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json
from starter.cli_body import INSTANTS, LoadedBy, Since, Unlink, begun, cut_links, loading, refuse_unsaid
from starter.cli_case import _engine
from starter.clock import now, today
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from sqlmodel import Session

    from activities.bodies import Body
    from activities.staff_lists import Loaded
    from domain.people import Person, Staff
    from records.tables import StaffListRow
    from starter.staff_changes import Change
    from starter.staff_table import StaffTable

staff_app = typer.Typer(no_args_is_help=True, help="Staff lists: import one, show it as it stands or as it stood, and its history.")
OfBody = Annotated[str, typer.Option("--body", help="The body.")]
At = Annotated[
    datetime | None, typer.Option("--on", formats=INSTANTS, help="As it stood on that day (at its end), or at that instant (UTC).")
]


@staff_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV, one line a person; with --from-claims a provider's export, JSON or JSON lines.")],
    body: OfBody,
    by: LoadedBy = None,
    since: Since = None,
    from_claims: Annotated[bool, typer.Option("--from-claims", help="The file holds users with their groups; see docs/staff.md.")] = False,
    unlink: Unlink = [],  # noqa: B006  # typer copies it
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show what would change; load nothing.")] = False,
    json: Json = False,
) -> None:
    """Check a staff list against the body's policy, show who joins, leaves and changes, and load it: all of it or nothing."""
    from activities.staff_lists import staff_at
    from records.database import reading
    from starter.staff_changes import changes, left_open

    start = begun(since)
    by = None if dry_run else administrator("staff import", by)
    with reading(_engine()) as session:
        stood = staff_at(session, body, start or now())
        known = _body(session, body).model_copy(update={"people": stood.people, "gone": stood.gone})
        read = _claims(file, known) if from_claims else _csv(file, known)
        _refuse(read, file, json)
        after = known.model_copy(update={"people": read.people}).staff
        differs, open_ = changes(known.people, read.people), left_open(session, body, known.staff, after, today=today())
    cut = cut_links(stood, read.people, unlink)
    loaded = False
    if not (dry_run or cut.unsaid):
        loaded = _load(body, read.people, loading(by, start, f"{'claims' if from_claims else 'csv'} {file.name}"))
    warnings = (*(f"{one} (DEF-20)" for one in cut.warnings), *open_)
    said = _said(loaded=loaded, differs=bool(differs), dry_run=dry_run, since=start)
    _tell(body, read.people, differs, warnings, loaded=loaded, said=said, json=json)
    if not dry_run:
        refuse_unsaid(cut.unsaid)


def _load(body: str, people: tuple[Person, ...], how: Loaded) -> bool:
    """Keep a list as the body's next, with who did; returns False where the list in force then says the same."""
    from activities.bodies import save_staff
    from records import administered
    from records.database import transaction

    with transaction(_engine()) as session:
        kept = save_staff(session, body, people, how)
        if kept is not None:
            administered.note(session, "staff import", at=now(), by=how.by, about=body, what=f"list {kept.n}")
    return kept is not None


def _body(session: Session, code: str) -> Body:
    from activities.bodies import Unknown, body_of

    try:
        return body_of(session, code)
    except Unknown as error:
        complain(f"{error} {error.remains}")
        raise typer.Exit(UNKNOWN) from None


def _csv(file: Path, body: Body) -> StaffTable:
    from policies.load import Unreadable
    from starter.spreadsheet import UnreadableTable
    from starter.staff_table import read_staff

    try:
        return read_staff(file, body)
    except UnreadableTable as error:
        complain(f"{file}: {error}")
    except Unreadable as error:
        complain(str(error))
    raise typer.Exit(MISUNDERSTOOD)


def _claims(file: Path, body: Body) -> StaffTable:
    from policies.load import Unreadable
    from starter.staff_claims import read_claims
    from worker.settings import Settings

    if body.directory is None:
        complain(f"{body.body} has no directory: write in its file which group gives which office, then evenhand body set FILE.")
        raise typer.Exit(REFUSED)
    try:
        return read_claims(file, body, body.directory, claim=Settings.local().oidc_person_claim)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


def _refuse(read: StaffTable, file: Path, json: bool) -> None:
    """Leave where anything is wrong, nothing loaded."""
    if not read.faults:
        return
    if json:
        as_json({"loaded": False, "faults": read.faults})
    else:
        for one in read.faults:
            complain(f"{file}: {one}")
        complain(f"Nothing was loaded: {several(len(read.faults), 'fault')}.")
    raise typer.Exit(MISUNDERSTOOD)


def _tell(
    body: str, people: tuple[Person, ...], differs: tuple[Change, ...], warnings: tuple[str, ...], *, loaded: bool, said: str, json: bool
) -> None:
    if json:
        as_json({"body": body, "loaded": loaded, "people": len(people), "changes": differs, "warnings": warnings})
        return
    if differs:
        table(("who", "", "what"), [(one.person, one.what, "\n".join(one.says)) for one in differs])
    for warning in warnings:
        complain(f"Take care: {warning}.")
    out.print(f"{body}: {several(len(people), 'person', 'people')}. {said}", markup=False)


def _said(*, loaded: bool, differs: bool, dry_run: bool, since: datetime | None) -> str:
    if loaded:
        return "Loaded; it is who may act from now on." if since is None else f"Loaded; in force from {since:%Y-%m-%d %H:%M:%S} UTC on."
    if differs:
        return "A dry run: nothing was loaded." if dry_run else "Nothing was loaded."
    return "Nothing changes."


@staff_app.command("list")
def list_(body: OfBody, on: At = None, json: Json = False) -> None:
    """List who is on a body's staff list, with what each holds on that day."""
    staff, _ = _stood(body, on)
    if json:
        as_json(staff.people)
        return
    rows = [
        (
            one.id,
            one.name,
            (*one.offices, *(f"deputy: {office}" for office in one.deputises), *(f"for: {id}" for id in one.deputises_for)),
            one.grade,
            one.line_manager,
            one.area,
        )
        for one in staff.people
    ]
    table(("id", "name", "offices", "grade", "line manager", "area"), rows)


def _stood(body: str, on: datetime | None) -> tuple[Staff, datetime]:
    """Returns the list in force at an instant as it stood on its day, and the instant."""
    from activities.staff_lists import staff_at
    from domain.days import london_date
    from records.database import reading

    at = _instant(on)
    with reading(_engine()) as session:
        _body(session, body)
        return staff_at(session, body, at).on(london_date(at)), at


def _instant(on: datetime | None) -> datetime:
    from datetime import timedelta

    from domain.days import LONDON, UTC

    if on is None:
        return now()
    if (on.hour, on.minute, on.second, on.microsecond) == (0, 0, 0, 0):
        return datetime(on.year, on.month, on.day, 23, 59, 59, tzinfo=LONDON).astimezone(UTC) + timedelta(microseconds=999_999)
    return on.replace(tzinfo=UTC)


@staff_app.command()
def history(body: OfBody, json: Json = False) -> None:
    """List every staff list a body had: from when, who loaded it from what, and what it changed."""
    from activities.staff_lists import lists_of
    from records.database import reading

    with reading(_engine()) as session:
        _body(session, body)
        rows = _told(lists_of(session, body))
    if json:
        as_json(rows)
        return
    columns = ("n", "in_force_from", "loaded_at", "loaded_by", "source", "people", "sha256")
    lines = [(*(_brief(row[one]) for one in columns), _short(row["changes"])) for row in rows]
    table((*(one.replace("_", " ") for one in columns), "changes"), lines)


def _brief(value: object) -> object:
    """Returns an instant to the minute (UTC), and the first signs of a hash."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value[:12] if isinstance(value, str) and len(value) == 64 else value


def _told(lists: tuple[StaffListRow, ...]) -> list[dict[str, object]]:
    from domain.people import Person
    from starter.staff_changes import changes

    found: list[dict[str, object]] = []
    before: list[Person] = []
    for row in lists:
        people = [Person.model_validate(one, extra="ignore") for one in row.entries]
        differs = changes(before, people) if row.n > 1 else ()
        found.append({**row.model_dump(exclude={"entries", "body"}), "people": len(people), "changes": differs})
        before = people
    return found


def _short(differs: object) -> str:
    assert isinstance(differs, tuple)
    return "; ".join(f"{one.person} {one.what}" for one in differs)


@staff_app.command()
def show(
    person: Annotated[str, typer.Argument(help="An id of the staff list.")],
    body: OfBody,
    on: At = None,
    json: Json = False,
) -> None:
    """Show one person of a staff list: what they hold, since and until when, and who stands in for them."""
    staff, at = _stood(body, on)
    entry = _entry(body, person, at)
    if entry is None:
        complain(f"{person} is not on the staff list of {body}; evenhand staff list --body {body} shows who is.")
        raise typer.Exit(UNKNOWN)
    held = staff.by_id.get(person)
    deputies = [one.id for one in staff.people if held and (person in one.deputises_for or set(one.deputises) & set(held.offices))]
    if json:
        as_json({"entry": entry, "serves": held is not None, "holds": held, "deputies": deputies})
        return
    rows = [(name.replace("_", " "), value) for name, value in entry.model_dump(mode="json", by_alias=True, exclude_defaults=True).items()]
    table(("", ""), [(name, _cell(value)) for name, value in rows])
    out.print(f"Serves that day: {'yes' if held else 'no'}. Stand in: {', '.join(deputies) or 'nobody'}.", markup=False)


def _cell(value: object) -> str:
    from starter.staff_changes import said

    return said(value)


def _entry(body: str, person: str, at: datetime) -> Person | None:
    from activities.staff_lists import staff_at
    from records.database import reading

    with reading(_engine()) as session:
        return staff_at(session, body, at).by_id.get(person)
