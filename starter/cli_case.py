"""evenhand case ...: open, act, and look at cases; and the lists across cases."""

from __future__ import annotations

import json as jsonlib
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from starter.acting import acting
from starter.cli import MISUNDERSTOOD, OK, REFUSED, UNKNOWN, Json, run
from starter.cli_handling import from_, tell_handling
from starter.cli_reading import ReadBy, Why, listed, shown, shown_lines
from starter.clock import today
from starter.show import as_json, complain, day_in_words, deadline_in_words, in_words, out, several, table
from starter.sources import apart

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from sqlalchemy import Engine

    from activities.outcome import Outcome
    from domain.receipt import Evidenced, FourDates
    from domain.task import Task
    from records.tables import TaskRow
    from starter.cases import Cases
    from starter.standing import Standing

case_app = typer.Typer(no_args_is_help=True, help="Open cases, act on them, and look at them.")


def _something(given: str) -> str:
    if not given.strip():
        raise typer.BadParameter("it is empty")
    return given


Case = Annotated[str, typer.Argument(help="The case's id, like portsmouth/2027-0001.", callback=_something)]
By = Annotated[
    str | None,
    typer.Option("--by", help="Who acts: an id of the body's staff list, or customer. Where people sign in it is who signed in."),
]
On = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day it happened or reached the body; today if left out.")
]
Reason = Annotated[str, typer.Option("--reasons", help="Why.")]
With = Annotated[str, typer.Option("--with", help="The command's own fields: JSON, @FILE, or @- for standard input.")]


@case_app.command("open")
def open_(
    case: Case,
    body: Annotated[str, typer.Option(help="The body whose policy applies.")],
    name: Annotated[str, typer.Option(help="The customer's name.")],
    by: By = None,
    channel: Annotated[str, typer.Option(help="How the customer is written to: email, letter, telephone ...")] = "email",
    address: Annotated[str | None, typer.Option(help="The customer's postal or email address.")] = None,
    area: Annotated[str | None, typer.Option(help="The service concerned.")] = None,
    contact_officer: Annotated[str | None, typer.Option(help="The member of staff who deals with the customer.")] = None,
    with_: With = "{}",
    on: On = None,
    json: Json = False,
) -> None:
    """Open a case about one customer's behaviour."""
    from starter.cases import AlreadyOpen

    given = _fields(with_)
    customer = {"name": name, "channel": channel, **({"address": address} if address else {})}
    extra = {key: value for key, value in (("area", area), ("contact_officer", contact_officer)) if value}
    message = _message(
        "open_case", by=acting(by), on=on, saw=None, id=f"open:{case}", with_={"body": body, "customer": customer, **extra, **given}
    )

    async def work() -> Outcome:
        cases = await _cases()
        try:
            return await cases.open_message(case, message)
        except AlreadyOpen:
            return await cases.submit_message(case, message)

    _answered(run(work()), json)


@case_app.command()
def act(
    case: Case,
    command: Annotated[
        str, typer.Argument(help="The command, like warn or report_behaviour; evenhand case commands lists them.", callback=_something)
    ],
    by: By = None,
    on: On = None,
    saw: Annotated[str | None, typer.Option(help="The proposal, letter, appeal or sanction acted on.")] = None,
    with_: With = "{}",
    id: Annotated[str | None, typer.Option(help="Your own id for this act: the same id twice is one act.")] = None,
    signal: Annotated[bool, typer.Option("--signal", help="Send it as a signal: durable at once, answered in the case's log.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Send nothing: print the signed text for the Temporal UI or binary.")] = False,
    json: Json = False,
) -> None:
    """Send one command to a case and print the answer, with its clauses."""
    message = _message(command, by=acting(by), on=on, saw=saw, id=id, with_=_fields(with_))

    if print_:
        _printed(case, command, message, json=json)
        return

    async def ask() -> Outcome:
        from starter.intake import INTAKE, receive
        from starter.signer import signer_of
        from worker.settings import Settings

        if command in INTAKE and has_records():
            return await receive(_cases, _engine(), case, message, signer=signer_of(Settings.local()))
        return await (await _cases()).submit_message(case, message)

    async def send() -> str:
        return await (await _cases()).signal_message(case, message)

    if not signal:
        _answered(run(ask()), json)
    sent = run(send())
    if json:
        as_json({"case": case, "id": sent, "sent": "signal"})
    else:
        out.print(f"Sent as signal {sent}. What became of it: evenhand case log {case}", markup=False)


def _printed(case: str, command: str, message: dict[str, object], *, json: bool) -> None:
    """Print an act signed, without asking the engine. Its texts go into the records, where they are at hand, and references are printed."""
    from starter.by_binary import options
    from starter.cases import NoKey, Unfit, ready
    from starter.cli_signed import print_signed
    from starter.signer import BadKey, signer_of
    from worker.profile import NoProfile
    from worker.settings import Settings

    settings = Settings.local()
    try:
        where = options(settings)
        signed = ready(case, _with_texts_put(case, message), signer_of(settings))
    except (BadKey, NoKey, NoProfile, Unfit) as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    print_signed(case, signed, signal=command, where=where, json=json)


def _with_texts_put(case: str, message: dict[str, object]) -> dict[str, object]:
    """Returns a message as plain JSON may carry it: references for texts. What is no command is printed as it is, and refused later."""
    from activities.given_texts import check_nothing_inline, with_references
    from domain.decision import Refusal
    from domain.message import read_command, read_message
    from records.database import transaction
    from starter.clock import now

    try:
        command = read_command(read_message(message))
    except Refusal:
        return message
    if has_records():
        with transaction(_engine()) as session:
            return {**message, "with": with_references(session, case, command, at=now())}
    try:
        check_nothing_inline(command)
    except Refusal as refusal:
        complain(f"{refusal.reason} There are no records here to put it into. {refusal.remains}")
        raise typer.Exit(MISUNDERSTOOD) from None
    return message


@case_app.command()
def commands(json: Json = False) -> None:
    """List every command with its fields; a star marks those that must be there."""
    from domain.commands import COMMANDS
    from domain.message import fields_of

    rows = [(name, " ".join((kind.__doc__ or "").split()), fields_of(kind)) for name, kind in COMMANDS.items() if "staff" in kind.origins]
    if json:
        as_json([{"command": name, "does": does, "fields": fields} for name, does, fields in rows])
    else:
        table(("command", "does", "fields"), rows)


@case_app.command()
def correct(case: Case, reasons: Reason, by: By = None, json: Json = False) -> None:
    """Undo a case opened against the wrong person: restrictions end and whoever was told is told of the mistake."""
    act(case, "correct", by=by, with_=jsonlib.dumps({"reasons": reasons}), json=json)


@case_app.command()
def withdraw(case: Case, reasons: Reason, by: By = None, json: Json = False) -> None:
    """End a case in which nothing was decided."""
    act(case, "withdraw", by=by, with_=jsonlib.dumps({"reasons": reasons}), json=json)


@case_app.command()
def close(case: Case, by: By = None, json: Json = False) -> None:
    """Destroy the papers of a case after their time, signed for by two people, and close it; evenhand destroy run does the rest."""
    act(case, "destroy_papers", by=by, json=json)


@case_app.command("list")
def list_(
    body: Annotated[str | None, typer.Option(help="Only this body's cases.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only cases in this stage.")] = None,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """List cases: stage, next deadline, changes."""
    from records.lists import cases_of

    with listed(by, how="case list", body=body) as lists:
        session = lists.session
        rows = tuple(row for row in cases_of(session, body=body, stage=stage) if lists.takes(row.body))
    if json:
        as_json([row.model_dump(mode="json", exclude={"state"}) for row in rows])
    else:
        table(
            ("case", "body", "stage", "next deadline", "opened"),
            [(r.id, r.body, r.stage, deadline_in_words(r.next_deadline), r.opened_on) for r in rows],
        )


@case_app.command()
def show(
    case: Case,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write the picture of the case's life to this file instead.")] = None,
    by: ReadBy = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """Show where a case stands: stage, flags, restrictions in force, what waits for whom, letters, dates. Whoever may see no more of it is
    shown how contact is handled, and nothing else."""
    if svg is not None:
        _picture(case, svg, by, why, json)
        return
    from starter.reading import handling_of
    from starter.standing import standing_in

    with shown(case, by, why, how="case show", needs="handling") as look:
        whole = look.view.sees == "all"
        found = standing_in(look.session, look.case, today=today()) if whole else None
        handling = None if whole else handling_of(look)
    if found is None:
        assert handling is not None
        tell_handling(handling, json)
        return
    if json:
        as_json(found)
        return
    _print_head(found)
    table(
        ("restriction", "how", "from", "until"),
        [(one.type, in_words(one.parameters), from_(one.enforced_from), one.until or "no end set") for one in found.restrictions],
        title="Restrictions",
    )
    table(
        ("waits for", "what", "by", "clauses", "defaults"),
        [((*t.offices, *t.people), t.what, _by(t), *apart(t.cites)) for t in found.tasks],
        title="Tasks",
    )
    if found.guidance:
        table(("bear in mind", "defaults", "says"), [(*apart(one.sources), one.text) for one in found.guidance])
    table(
        ("letter", "kind", "status", "decided", "sent", "deemed notified", "delivered", "received", "returned", "how"),
        [
            (one.notice, one.kind, one.status, *(dated.on for _, dated in _dated(one)), n.method)
            for one, n in zip(found.letters, found.notices, strict=True)
        ],
        title="Letters",
    )
    table(("letter", "date", "on", "evidence"), _evidence(found), title="Evidence")
    if found.agreements:
        table(
            ("agreement", "terms", "offered", "answer", "on", "clauses"),
            [(a.restriction, a.terms, a.offered_on or "not yet", a.answer or "none yet", a.answered_on, a.cites) for a in found.agreements],
            title="Agreements",
        )
    table(
        ("date", "name", "about", "clauses", "defaults", ""),
        [(d.date, d.name.replace("_", " "), d.ref, d.cites, d.defaults, SO_FAR if d.provisional else "") for d in found.explained],
        title="Dates",
    )
    _print_changes(found)
    _print_papers(found)
    _print_signatures(case)


def _picture(case: str, file: Path, by: str | None, why: str | None, json: bool) -> None:
    """Write the picture of a case's life, and print its marks as a table."""
    from domain.life import LANES
    from starter.cli_letter_kept import write
    from starter.timeline import picture_in, spell

    with shown(case, by, why, how="case show --svg") as look:
        marks, svg = picture_in(look.session, look.case, today=today())
    write(file, svg.encode())
    if json:
        as_json({"case": case, "file": str(file), "marks": marks})
    else:
        table(("line", "mark", "when", "what"), [(LANES[one.lane], one.ref, spell(one), one.what) for one in marks])


SO_FAR = "known so far"


def _evidence(found: Standing) -> Iterator[tuple[object, ...]]:
    for one in found.letters:
        for n, (name, dated) in enumerate(_dated(one)):
            if dated.on or name not in ("delivered", "returned"):
                yield one.notice if n == 0 else "", name, dated.on or "not yet", dated.evidence


def _dated(one: FourDates) -> tuple[tuple[str, Evidenced], ...]:
    """Returns every date of a letter by its name: six different facts."""
    return (
        ("decided", one.decided), ("sent", one.sent), ("deemed notified", one.notified), ("delivered", one.delivered),
        ("received", one.received), ("returned", one.returned),
    )  # fmt: skip


def _print_papers(found: Standing) -> None:
    papers = found.papers
    keeper = f"kept by the {papers.keeper}" if papers.keeper else "kept by nobody that the policy names"
    archived = f"archived on {day_in_words(papers.archived_on)}" if papers.archived_on else ""
    until = f"until {day_in_words(papers.until)}" if papers.until else "until a day that is not yet known"
    cites = f" [{', '.join(papers.cites)}]" if papers.cites else ""
    said = "destroyed" if papers.state == "destroyed" else ", ".join(filter(None, (papers.state, keeper, archived, until)))
    out.print(f"Papers: {said}{cites}", markup=False)


def _print_changes(found: Standing) -> None:
    moved = [(change, one) for change in found.changes for one in change.listed]
    if moved:
        rows = [
            (c.id, one.id, f"{one.kind.replace('-', ' ')} of {one.ref}", one.was, one.becomes, one.decision or one.stands, one.notice)
            for c, one in moved
        ]
        table(("change", "", "date", "was", "calendar gives", "stands", "letter"), rows, title="Dates that moved")


def _print_signatures(case: str) -> None:
    from starter.cli_signed import signatures_in_a_line

    out.print(signatures_in_a_line(_engine(), case), markup=False)


def _print_head(found: Standing) -> None:
    out.print(f"[bold]{found.case}[/]  {found.policy}  stage: [bold]{found.stage}[/]  incidents: {found.incidents}")
    if found.flags:
        out.print(f"Flags: {', '.join(found.flags)}", markup=False)
    if found.imported:
        old = found.imported
        out.print(f"Imported on {day_in_words(old.on)} as {old.reference}, line {old.line} of its file.", markup=False)
        for text in (old.behaviour_words, old.notes):
            if text:
                out.print(f"Old record: {text}", markup=False)
    if found.missed_reviews:
        out.print(f"Reviews missed: {found.missed_reviews}")


@case_app.command()
def dates(case: Case, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """Print every date of a case with its reason: start event, rule, clause, days skipped, calendar edition."""
    from starter.standing import standing_in

    with shown(case, by, why, how="case dates") as look:
        found = standing_in(look.session, look.case, today=today()).explained
    if json:
        as_json(found)
        return
    for one in found:
        passed = " (passed)" if one.passed else ""
        provisional = " PROVISIONAL: known so far, past the known bank holidays [EH-33]" if one.provisional else ""
        out.print(f"[bold]{one.date:%a %d %b %Y}[/]  {one.name.replace('_', ' ')} of {one.ref}{passed}{escape(provisional)}")
        out.print(f"    {one.rule}, from the {one.from_event} of {one.from_date:%a %d %b %Y}", markup=False)
        out.print(
            f"    clauses: {', '.join(one.cites) or 'none'}; defaults, not the policy's words: {', '.join(one.defaults) or 'none'}",
            markup=False,
        )
        if one.counted:
            out.print(f"    counts under edition {one.counted.edition[:12]}, by the rule {one.counted.rule}", markup=False)
        if one.calendar:
            days = ", ".join(f"{day.on} {day.name}" for day in one.rests) or "none"
            out.print(
                f"    calendar {one.calendar}; skipped {several(len(one.skipped), 'day')}, of these not weekends: {days}", markup=False
            )


@case_app.command()
def log(case: Case, by: ReadBy = None, why: Why = None, json: Json = False) -> None:
    """Print a case's log: every act, refusal and deadline, and whether its chain holds."""
    from records.log import first_broken_line, log_of

    with shown_lines(case, by, why, how="case log") as session:
        rows, broken = log_of(session, case), first_broken_line(session, case)
    if not rows:
        complain(f"The records hold no log of {case}.")
        raise typer.Exit(UNKNOWN)
    if json:
        as_json(
            {
                "case": case,
                "chain_holds": broken is None,
                "first_broken_line": broken,
                "lines": [row.model_dump(mode="json") for row in rows],
            }
        )
        return
    table(
        ("n", "on", "who", "command", "result", "what", "clauses"),
        [(r.n, r.on, r.actor, r.command, r.result, r.what, r.cites) for r in rows],
    )
    out.print("The chain holds." if broken is None else f"[bold red]The chain is broken at line {broken}.[/]")


def tasks(
    person: Annotated[str, typer.Option("--for", help="An id of the body's staff list.")],
    body: Annotated[str | None, typer.Option(help="The body, where the id is on several staff lists.")] = None,
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """What waits for a person, by when, under which clause; overdue first."""
    from records.lists import tasks_for
    from starter.standing import guidance_for

    with listed(by, how="tasks", body=body) as lists:
        session = lists.session
        rows = tasks_for(session, person, body=body, today=today())
        rows = rows and tuple(one for one in rows if lists.takes(one[0].body))
        guidance = {(row.case_id, row.n): guidance_for(session, row) for row, _ in rows or ()}
    if rows is None:
        complain(f"{person} is on no staff list.")
        raise typer.Exit(UNKNOWN)
    if json:
        as_json([{**row.model_dump(mode="json"), "overdue": late, "guidance": guidance[row.case_id, row.n]} for row, late in rows])
        return
    table(
        ("", "case", "what", "by", "clauses", "defaults"),
        [("OVERDUE" if late else "", r.case_id, r.what, _by(r), *apart(r.cites)) for r, late in rows],
    )
    bear = dict.fromkeys((*apart(one.sources), one.text) for found in guidance.values() for one in found)
    if bear:
        table(("bear in mind", "defaults", "says"), bear)


def _by(task: TaskRow | Task) -> str:
    """Returns the day by which a task is due, known so far where more bank holidays could move it (EH-33)."""
    day = day_in_words(task.due) if task.due else ""
    return f"{day} ({SO_FAR})" if task.provisional else day


def _fields(given: str) -> dict[str, object]:
    text = _given(given)
    try:
        text.encode()
        fields = jsonlib.loads(text)
    except (ValueError, RecursionError) as error:
        complain(f"--with is no JSON: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
    if not isinstance(fields, dict):
        complain('--with must be a JSON object, like \'{"medium": "email"}\'')
        raise typer.Exit(MISUNDERSTOOD)
    return fields


def _given(given: str) -> str:
    """Returns the text of --with, wherever it stands."""
    from policies.load import Unreadable, text_of

    try:
        if given == "@-":
            return sys.stdin.buffer.read().decode("utf-8")
        return text_of(Path(given[1:])) if given.startswith("@") else given
    except (Unreadable, UnicodeDecodeError) as error:
        complain(f"--with: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None


def _message(command: str, *, by: str, on: datetime | None, saw: str | None, id: str | None, with_: dict[str, object]) -> dict[str, object]:
    facts = {"on": (on.date() if on else today()).isoformat(), "saw": saw}
    return {
        "v": 1,
        "id": id or str(uuid.uuid4()),
        "do": command,
        "by": by,
        "with": with_,
        **{k: v for k, v in facts.items() if v is not None},
    }


def _answered(outcome: Outcome, json: bool) -> None:
    if json:
        as_json(outcome)
    elif outcome.result == "pending":
        out.print(f"[bold]received[/]: {escape(outcome.answer)}")
    elif outcome.accepted:
        out.print(f"[bold green]{outcome.result}[/]: {_cited(outcome)}")
        out.print(f"stage: {outcome.stage}; next deadline: {outcome.due or 'none'}", markup=False)
    else:
        out.print(f"[bold red]{outcome.result}[/]: {_cited(outcome)}")
        if outcome.remains:
            out.print(f"what remains: {outcome.remains}", markup=False)
    if outcome.result not in ("accepted", "pending"):
        raise typer.Exit(MISUNDERSTOOD if outcome.result in ("malformed", "unknown") else REFUSED)
    raise typer.Exit(OK)


def _cited(outcome: Outcome) -> str:
    return escape(f"{outcome.answer} [{', '.join(outcome.cites)}]" if outcome.cites else outcome.answer)


async def _cases() -> Cases:
    from starter.cases import Cases
    from worker.settings import Settings

    return await Cases.connect(Settings.local())


def has_records() -> bool:
    """Returns whether there are records to look into: a database that the settings name, or the file of a first start."""
    from worker.settings import Settings

    settings = Settings.local()
    return bool(settings.database_url) or (settings.var / "evenhand.db").exists()


def _engine() -> Engine:
    from worker.keys import records_of
    from worker.settings import Settings

    settings = Settings.local()
    if not has_records():
        complain(f"There are no records at {settings.database}. Start with evenhand up, or set EVENHAND_DATABASE_URL.")
        raise typer.Exit(UNKNOWN)
    return records_of(settings)
