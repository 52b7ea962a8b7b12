"""evenhand contact check: what the person at the desk may do with this contact now, and the contact recorded.

Exit codes: 0 answered, 1 more than one customer fits, 2 not understood, 3 not recorded, or the records are away, 4 no such body."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from starter.acting import acting_if_named
from starter.cli import MISUNDERSTOOD, OK, REFUSED, UNKNOWN, UNREACHED, Json, run
from starter.cli_case import On, _engine
from starter.cli_reading import ReadBy, Why, reader_of, shown
from starter.show import as_json, complain, harmless, out, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from domain.desk import Advice
    from records.desk import Desk
    from starter.cases import Cases
    from starter.desk import ContactAnswer, Incoming

contact_app = typer.Typer(no_args_is_help=True, help="The contact desk: what may be done with a contact now.")


@contact_app.command()
def check(
    body: Annotated[str, typer.Option(help="The body whose desk it is.")],
    customer: Annotated[str, typer.Option(help="A name, an email address, a telephone number or a case's reference.")],
    channel: Annotated[str, typer.Option(help="email, telephone, letter, in-person, online-form, social-media ...")],
    topic: Annotated[str, typer.Option(help="What it is about, in a few words.")],
    kind: Annotated[
        str, typer.Option(help="ordinary, review-request, appeal, new-issue, adjustment, safeguarding, emergency or complaint.")
    ] = "ordinary",
    by: Annotated[str | None, typer.Option("--by", help="Who asks, an id of the staff list. Without it nothing is recorded.")] = None,
    minutes: Annotated[int | None, typer.Option(help="How long a call or a visit took.", min=0, max=1440)] = None,
    on: On = None,
    at: Annotated[datetime | None, typer.Option(formats=["%H:%M"], help="London time of the contact; now if it is today.")] = None,
    id: Annotated[str | None, typer.Option(help="Your own id for this contact: the same id twice is recorded once.")] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Look up alone; record nothing.")] = False,
    json: Json = False,
) -> None:
    """Say what may be done with a contact now, under which restriction and clause, and record it on the customer's case."""
    from records.desk import Desk

    by = by if no_record else acting_if_named(by)
    facts = {"channel": channel, "topic": topic, "kind": kind, "by": by, "minutes": minutes}
    incoming = _incoming({**facts, "body": body, "customer": customer, "on": on.date() if on else None, "at": at.time() if at else None})
    desk = Desk(_engine())
    advice = _looked_up(desk, incoming, id, record=not no_record)
    if not json:
        _tell(advice)
    answer = _with_record(desk, incoming, advice, record=not no_record, id=id)
    if json:
        as_json(answer)
    else:
        _tell_record(answer)
    if answer.advice.verdict is None:
        raise typer.Exit(REFUSED)
    raise typer.Exit(UNREACHED if answer.not_recorded else OK)


@contact_app.command("list")
def list_(
    case: Annotated[str, typer.Argument(help="The case.")],
    last: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 50,
    by: ReadBy = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """List the contacts that the desk recorded on a case, and what became of each."""
    from records.contacts import contacts_of

    with shown(case, by, why, how="contact list") as look:
        found = contacts_of(look.session, case, last=last)
    if json:
        as_json(found)
        return
    columns = ("", "on", "by way of", "about", "kind", "handled", "departs from", "")
    states = [one.settled or (f"with {one.put_with}" if one.put_with else "waits" if one.waits else "") for one in found]
    rows = [(one.id, one.on, one.channel, one.topic, one.kind, one.handled, one.departs) for one in found]
    table(columns, [(*row, state) for row, state in zip(rows, states, strict=True)])


def _incoming(facts: dict[str, object]) -> Incoming:
    from pydantic import ValidationError

    from domain.desk_question import Asked
    from domain.message import explained
    from starter.clock import today
    from starter.desk import Incoming

    try:
        incoming = Incoming.model_validate(facts)
        asked = {name: value for name, value in facts.items() if name in ("channel", "topic", "kind", "by") and value is not None}
        Asked.model_validate({**asked, "on": today()})
    except ValidationError as error:
        complain(explained(error, prefix="--"))
        raise typer.Exit(MISUNDERSTOOD) from None
    if incoming.on and incoming.on > today():
        complain(f"--on {incoming.on} is after today; enter a contact when it has happened")
        raise typer.Exit(MISUNDERSTOOD)
    return incoming


def _looked_up(desk: Desk, incoming: Incoming, id: str | None, *, record: bool) -> Advice:
    from starter.desk import NoSuchBody, fit_id, look_up
    from starter.desk_reads import CONTACT, LOOK
    from starter.reading import NotShown

    try:
        fit_id(id)
    except ValueError as error:
        complain(f"--id: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
    try:
        reader = reader_of(incoming.by, None)
        return look_up(desk, incoming, id=id, reader=reader.id, why=CONTACT if record else LOOK)
    except NotShown as refused:
        complain(str(refused))
        raise typer.Exit(REFUSED) from None
    except ValueError as error:
        complain(f"--customer: {error}")
        raise typer.Exit(MISUNDERSTOOD) from None
    except NoSuchBody as error:
        complain(str(error))
        raise typer.Exit(UNKNOWN) from None


def _with_record(desk: Desk, incoming: Incoming, advice: Advice, *, record: bool, id: str | None) -> ContactAnswer:
    from starter.desk import ContactAnswer, check_contact, to_record

    if not record or not to_record(advice):
        return ContactAnswer(advice=advice)

    async def work() -> ContactAnswer:
        return await check_contact(desk, incoming, cases=await _cases(), id=id, advice=advice)

    return run(work())


async def _cases() -> Cases | None:
    """Returns the engine's client, or None where it cannot be reached: the desk is answered all the same."""
    from starter.cases import Cases
    from worker.settings import Settings

    try:
        return await Cases.connect(Settings.local())
    except RuntimeError:
        return None


WORDS = {
    "deal-with-it": "Deal with it",
    "limit-it": "Limit it",
    "pass-to-named-officer": "Pass it to the named officer",
    "read-and-file": "Read and file it",
    "refuse": "Refuse it",
}
COLOURS = {"deal-with-it": "green", "limit-it": "yellow", "pass-to-named-officer": "yellow", "read-and-file": "yellow", "refuse": "red"}


def _tell(advice: Advice) -> None:
    verdict = advice.verdict
    colour, words = (COLOURS[verdict], WORDS[verdict]) if verdict else ("yellow", "Ask who it is")
    _print_headed(f"{words}.", f"{advice.says}{_cited(advice.cites)}", colour)
    for one in advice.found[1:]:
        which = f"{one.restriction} of {one.case}" if len(advice.cases) > 1 else one.restriction
        out.print(f"  also {which}, {WORDS[one.verdict].lower()}: {one.says}{_cited(one.cites)}", markup=False)
    for title, lines in (("not enforced", advice.not_enforced), ("take care", advice.cautions)):
        for line in lines:
            out.print(f"  {title}: {line}", markup=False)
    for guidance in advice.guidance:
        out.print(f"  the policy to its staff: {guidance.text}{_cited(guidance.cites)}", markup=False)
    if advice.cases:
        title = "cases to choose from" if verdict is None else "case" if len(advice.cases) == 1 else "cases"
        out.print(f"  {title}: {', '.join(advice.cases)}", markup=False)


def _print_headed(head: str, text: str, colour: str) -> None:
    """Print a line that begins with a word in colour; in one piece, so that it is broken between words."""
    out.print(Text.assemble((head, f"bold {colour}"), f" {harmless(text)}"))


def _cited(cites: tuple[str, ...]) -> str:
    return f" [{', '.join(cites)}]" if cites else ""


def _tell_record(answer: ContactAnswer) -> None:
    for one in answer.recorded:
        if one.recorded in ("yes", "sent"):
            out.print(f"{one.case}: {one.answer}", markup=False)
    if answer.not_recorded:
        _print_headed("Not recorded.", answer.not_recorded, "red")
