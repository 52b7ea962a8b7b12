"""evenhand register ...: a body's register shown, exported, its entries that need attention, and a body's own spreadsheet imported."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.acting import acting_if_named
from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, UNREACHED, Json, run
from starter.cli_case import _engine
from starter.cli_reading import ReadBy, Why, bodies_listed, listed, reader_of
from starter.clock import today
from starter.show import as_json, complain, counted, out, several, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from activities.bodies import Body
    from starter.import_cells import Words
    from starter.register_import import Checked, LineFault, Prepared
    from starter.take_over import Answer

register_app = typer.Typer(invoke_without_command=True, help="Print a body's register: everybody a decision was made about.")
OfBody = Annotated[str | None, typer.Option("--body", help="The body.")]


@register_app.callback()
def register(context: typer.Context, body: OfBody = None, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """Print a body's register: everybody a decision was made about. Also: export it, list what needs attention, import into it."""
    context.obj = (body, by, why)
    if context.invoked_subcommand is None:
        show(context, body, by, why, json)


def _body(context: typer.Context, body: str | None) -> str:
    """Returns the body asked for, whether it is named before the command or after it."""
    given = body or context.obj[0]
    if given is None:
        complain(f"Missing option '--body'. Try: {context.command_path} --help")
        raise typer.Exit(MISUNDERSTOOD)
    return str(given)


def _reader(context: typer.Context, by: str | None, why: str | None) -> tuple[str | None, str | None]:
    """Returns who reads and why, whether they are named before the command or after it."""
    return by or context.obj[1], why or context.obj[2]


@register_app.command()
def show(context: typer.Context, body: OfBody = None, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """Print the quick list of a body's register: one line a case, with its dates; names where the reader may see them."""
    from records.lists import register_of
    from starter.register import named_to

    code, (by, why) = _body(context, body), _reader(context, by, why)
    reader = reader_of(by, why)
    with listed(by, why, how="register show", body=code) as lists:
        _known(lists.session, code)
        rows = named_to(lists.session, register_of(lists.session, code), reader, today=today())
    if json:
        as_json([{**row.model_dump(mode="json"), "customer": name} for row, name in rows])
        return
    columns = (
        "case",
        "customer",
        "stage",
        "warned",
        "decided",
        "notified",
        "last reviewed",
        "review due",
        "ends",
        "ended",
        "reviews missed",
    )
    names = ("warned_on", "decided_on", "notified_on", "last_reviewed_on", "review_due", "ends", "ended_on", "missed_reviews")
    table(columns, [(row.case_id, name, row.stage, *(getattr(row, field) for field in names)) for row, name in rows])


def _known(session: object, body: str) -> None:
    """Leave where the records hold no such body."""
    from sqlmodel import Session

    from records.tables import BodyRow

    assert isinstance(session, Session)
    if session.get(BodyRow, body) is None:
        complain(f"There is no body {body}; evenhand body list shows those there are.")
        raise typer.Exit(UNKNOWN)


@register_app.command()
def attention(context: typer.Context, body: OfBody = None, by: ReadBy = None, json: Json = False) -> None:
    """List every entry that needs attention, with the reason and for how many days, the oldest first: once a day is a good habit."""
    from starter.register import noted

    code, (by, _) = _body(context, body), _reader(context, by, None)
    with listed(by, how="register attention", body=code) as lists:
        _known(lists.session, code)
        found = noted(lists.session, code, today=today())
    if json:
        as_json(found)
    else:
        rows = [(o.case, o.what, o.since, o.age_days, o.cites) for o in found]
        table(("case", "needs attention", "since", "days", "clauses"), rows, title=None if rows else "Needs attention")


@register_app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write: .csv or .xlsx. One that is there is replaced whole.")],
    body: OfBody = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin a CSV with a byte order mark, by which Excel knows UTF-8.")] = False,
    by: ReadBy = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """Write a body's register to a file: the columns its policy names, the dates, reviews missed, and what needs attention."""
    from policies.not_opened import not_written
    from starter.register import exported
    from starter.spreadsheet import csv_bytes, workbook_bytes, write_whole

    code, kind = _body(context, body), file.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        complain(f"{file}: the name ends in {file.suffix or 'nothing'}; right would be .csv or .xlsx.")
        raise typer.Exit(MISUNDERSTOOD)
    by, why = _reader(context, by, why)
    reader = reader_of(by, why)
    with listed(by, why, how="register export", body=code) as lists:
        _known(lists.session, code)
        header, rows = exported(lists.session, code, today=today(), reader=reader)
        content, cut = (csv_bytes(header, rows, bom=bom), 0) if kind == ".csv" else workbook_bytes(f"Register {code}", header, rows)
        lists.went.append(f"{several(len(rows), 'entry', 'entries')} sha256 {sha256(content).hexdigest()}")
    try:
        write_whole(file, content)
    except OSError as error:
        complain(f"{file} could not be written, nothing was changed: {not_written(file, error)}.")
        raise typer.Exit(MISUNDERSTOOD) from None
    if json:
        as_json({"file": str(file), "entries": len(rows), "columns": header, "cut": cut})
        return
    out.print(f"{several(len(rows), 'entry', 'entries')} written to {file}.", markup=False)
    if cut:
        texts = "1 text is" if cut == 1 else f"{cut} texts are"
        complain(f"{texts} longer than a cell of a workbook holds, and cut with a word that says so. A CSV has all whole.")


@register_app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The body's own spreadsheet as CSV in UTF-8.")],
    body: OfBody = None,
    by: Annotated[str | None, typer.Option("--by", help="Who imports, or looks for a dry run: an id of the body's staff list.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and report only; nothing is made.")] = False,
    only_good: Annotated[bool, typer.Option("--only-good", help="Import the lines without a fault although others have one.")] = False,
    map_: Annotated[Path | None, typer.Option("--map", help="A map file (YAML): the body's own names of columns and things.")] = None,
    json: Json = False,
) -> None:
    """Make live cases of a body's own spreadsheet. Everything is checked first; with one fault nothing is imported."""
    found = _body_in_records(_body(context, body))
    if dry_run:
        bodies_listed(by, how="register import --dry-run", body=found.body)
    by = by if dry_run else acting_if_named(by)
    if not dry_run and (by is None or by not in found.staff.on(today()).by_id):
        complain(f"--by is {by or 'missing'}; it takes an id of {found.body}'s staff list as it stands today.")
        raise typer.Exit(MISUNDERSTOOD)
    checked = _checked(file, _words(map_), found, by)
    new = [one for one in checked.prepared if one.report.state == "new"]
    ready = not dry_run and by is not None and (only_good or not checked.faults)
    answers, lost = _taken_over(new, by or "") if ready and new else ([], None)
    if json:
        facts = {"file": str(file), "sha256": checked.sha256, "body": found.body, "dry_run": dry_run, "faults": checked.faults}
        as_json({**facts, "lines": [one.report for one in checked.prepared], "answers": answers})
    else:
        _tell(checked, answers, file, dry_run=dry_run, ready=ready)
    if lost:
        complain(f"{lost} {len(answers)} of {len(new)} are imported. The same command again goes on from there.")
        raise typer.Exit(UNREACHED)
    if checked.faults and not ready:
        raise typer.Exit(MISUNDERSTOOD)
    raise typer.Exit(REFUSED if any(one.result != "accepted" for one in answers) else 0)


def _body_in_records(code: str) -> Body:
    from activities.bodies import body_of
    from records.database import reading

    with reading(_engine()) as session:
        _known(session, code)
        return body_of(session, code)


def _words(path: Path | None) -> Words:
    from policies.load import Unreadable
    from starter.register_import import read_words

    try:
        return read_words(path)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


def _checked(file: Path, words: Words, body: Body, by: str | None) -> Checked:
    from activities.calendars import calendar_now
    from policies.load import Unreadable, policy
    from records.database import reading
    from starter.register_import import check_file
    from starter.spreadsheet import UnreadableTable
    from starter.take_over import against_records

    try:
        with reading(_engine()) as session:
            calendar = calendar_now(session, policy(body.policy), body)
        checked = check_file(file, words, body=body, by=by, today=today(), calendar=calendar)
    except UnreadableTable as error:
        complain(f"{file}: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    with reading(_engine()) as session:
        marked, wrong = against_records(session, checked.prepared)
    faults = tuple(sorted((*checked.faults, *wrong), key=lambda one: one.line))
    return checked._replace(prepared=tuple(marked), faults=faults)


def _taken_over(new: list[Prepared], by: str) -> tuple[list[Answer], str | None]:
    """Returns the answers, and what was said where the engine stopped answering."""
    from starter.cases import Cases, Unavailable
    from starter.take_over import take_over
    from worker.settings import Settings

    answers: list[Answer] = []

    async def work() -> str | None:
        cases = await Cases.connect(Settings.local())
        with counted("importing", len(new)) as one_more:

            def done(answer: Answer) -> None:
                answers.append(answer)
                one_more()

            try:
                await take_over(cases, new, by=by, done=done)
            except Unavailable as gone:
                return str(gone)
        return None

    lost = run(work())
    return sorted(answers, key=lambda one: one.line), lost


def _tell(checked: Checked, answers: list[Answer], file: Path, *, dry_run: bool, ready: bool) -> None:
    rows = [
        (str(r.line), r.reference, r.case, *((r.stage, r.next_deadline, "\n".join(r.findings)) if r.state == "new" else (r.state, "", "")))
        for r in (one.report for one in checked.prepared)
    ]
    if rows:
        table(("line", "reference", "case", "becomes", "next deadline", "findings"), rows)
    _tell_faults(checked.faults, file)
    for one in answers:
        if one.result != "accepted":
            complain(f"line {one.line}, {one.case}: {one.result}: {one.answer}")
    there = [one.report.state for one in checked.prepared if one.report.state != "new"]
    imported = sum(one.result == "accepted" for one in answers)
    made = f"{len(checked.prepared) - len(there)} could be imported" if dry_run else f"{imported} imported"
    counts = f"{made}, {len(there)} imported before, {several(len(checked.faults), 'fault')}."
    changed = sum(state.endswith("changed since") for state in there)
    lines = "1 line says something else than when it was" if changed == 1 else f"{changed} lines say something else than when they were"
    also = f" {lines} imported: nothing there was changed." if changed else ""
    verdict = "A dry run: nothing was made. " if dry_run else "" if ready else "Nothing was imported. "
    out.print(f"{verdict}{counts}{also}", markup=False)


def _tell_faults(faults: tuple[LineFault, ...], file: Path) -> None:
    for one in faults:
        complain(f"{file}: {one}")
