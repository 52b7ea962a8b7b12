"""The contact desk from outside: look up, answer, and record the contact on the customer's cases.

The answer comes from the records alone, so it comes whatever the engine does; recording needs the engine. An update that no worker takes
soon goes as a signal under the same id: durable at once, and one act however often it comes."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from domain.commands import LogContact
from domain.days import LONDON, UTC
from domain.desk import Advice
from domain.desk_question import Asked
from records.desk import Desk
from records.tables import BodyRow
from starter.desk_again import Incoming as Incoming
from starter.desk_again import as_it_came, is_same, recorded_under
from starter.desk_reads import CONTACT, LOOK, note_look

if TYPE_CHECKING:  # the engine is imported only by what uses it
    from starter.cases import Cases

FIT_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,120}")
ANSWERED_WITHIN = 10.0
"""Seconds in which the desk waits for a case to say that it recorded the contact; after that it goes as a signal."""


class Recorded(BaseModel):
    """What became of recording the contact on one case."""

    case: str
    recorded: Literal["yes", "sent", "refused", "no"]
    """sent: durable in the engine, recorded once a worker runs."""
    id: str
    """The id of the act: recording again under it is one act."""
    answer: str


class ContactAnswer(BaseModel):
    """What the desk is told, and whether the contact is on record."""

    advice: Advice
    recorded: tuple[Recorded, ...] = ()
    not_recorded: str | None = None
    """Why the contact is not on record, where it should be."""


class NoSuchBody(Exception):
    """The records hold no body of that name."""


def look_up(desk: Desk, incoming: Incoming, *, id: str | None = None, reader: str | None = None, why: str = CONTACT) -> Advice:
    """Returns what may be done with a contact now, from the records alone, once it is written down who asked (EH-175). `reader` is who
    asks, where that is not `incoming.by`. Raises ValueError, NoSuchBody, or NotShown for somebody who is not on the body's staff list.

    A contact on record under `id` is answered as it was when it came in, not as one more."""
    fit_id(id)
    if any(ord(sign) < 32 for sign in incoming.customer.strip()):
        raise ValueError("a control character stands in it; type the name, address, number or reference anew")
    asked = _asked(incoming)
    advice = desk.look_up(incoming.body, incoming.customer, asked)
    if advice.customer == "unknown":  # a body misspelt would find nobody, and everybody would be let in
        _know_body(desk.reads, incoming.body)
    answer = advice if id is None else as_it_came(desk.reads, advice, incoming, asked, id)
    note_look(desk, answer, body=incoming.body, customer=incoming.customer, who=reader or incoming.by, why=why)
    return answer


def fit_id(id: str | None) -> None:
    """Raises ValueError where an id cannot be one."""
    if id is not None and not FIT_ID.fullmatch(id):
        raise ValueError("an id is 1 to 120 characters that can be printed, your own for this contact")


def _know_body(engine: Engine, body: str) -> None:
    with Session(engine) as session:
        if session.get(BodyRow, body) is None:
            raise NoSuchBody(f"There is no body {body}; evenhand body list shows those there are.")


def _asked(incoming: Incoming) -> Asked:
    now = datetime.now(UTC).astimezone(LONDON)  # noqa: TID251  # the shell's own clock
    on = incoming.on or now.date()
    at = incoming.at or (now.time().replace(microsecond=0) if on == now.date() else None)
    facts = {name: getattr(incoming, name) for name in ("channel", "topic", "kind", "minutes", "by")}
    return Asked.model_validate({**facts, "on": on, "at": at})


async def check_contact(
    desk: Desk,
    incoming: Incoming,
    *,
    cases: Cases | None,
    record: bool = True,
    id: str | None = None,
    advice: Advice | None = None,
) -> ContactAnswer:
    """Look a contact up and record it. Without an engine (`cases` None) it answers all the same and says that nothing was recorded.

    Recorded on every running case of the customer that has restrictions, or else on the last of them. `advice` is
    what was looked up already. Raises ValueError, NoSuchBody or NotShown."""
    if advice is None:
        advice = await asyncio.to_thread(look_up, desk, incoming, id=id, why=CONTACT if record else LOOK)
    if not record or not to_record(advice):
        return ContactAnswer(advice=advice)
    if incoming.by is None:
        return ContactAnswer(advice=advice, not_recorded="Say who asks (by), and the contact is recorded.")
    before = await asyncio.to_thread(_before, desk.reads, to_record(advice), incoming, id)
    waiting = [case for case in to_record(advice) if case not in before]
    if waiting and cases is None:
        said = "The engine was not reached; record it later with log_contact."
        return ContactAnswer(advice=advice, recorded=tuple(before.values()), not_recorded=said)
    command = log_command(_asked(incoming), advice)
    now = [await _recorded(cases, case, command, by=incoming.by, id=id) for case in waiting if cases is not None]
    done = [*before.values(), *now]
    missing = [one.answer for one in done if one.recorded in ("no", "refused")]
    return ContactAnswer(advice=advice, recorded=tuple(done), not_recorded=" ".join(missing) or None)


def _before(engine: Engine, cases: tuple[str, ...], incoming: Incoming, id: str | None) -> dict[str, Recorded]:
    """Returns what is known, case by case, of a contact that was recorded under this id before, or of another one that was."""
    found: dict[str, Recorded] = {}
    for case, contact in recorded_under(engine, cases, id).items():
        how: Literal["yes", "refused"] = "yes" if is_same(contact, incoming) else "refused"
        done = contact.handled.replace("-", " ")
        answer = f"On record under this id already, as {contact.id}: {done}; nothing was added."
        other = f"The id {id} stands for another contact of {case}, {contact.id}: give this one an id of its own."
        found[case] = Recorded(case=case, recorded=how, id=id or "", answer=answer if how == "yes" else other)
    return found


def to_record(advice: Advice) -> tuple[str, ...]:
    """Returns the cases a contact is recorded on: none of somebody unknown or ambiguous."""
    if advice.customer != "known":
        return ()
    return advice.restricted_cases or advice.cases[-1:]


def log_command(asked: Asked, advice: Advice) -> LogContact:
    """Returns the command that records a contact as the desk was told to handle it."""
    return LogContact(
        channel=asked.channel,
        topic=asked.topic,
        kind=asked.kind,
        handled=advice.verdict or "deal-with-it",
        minutes=asked.minutes,
        at=asked.at,
        on=asked.on,
    )


async def _recorded(cases: Cases, case: str, command: LogContact, *, by: str, id: str | None) -> Recorded:
    from starter.cases import NoSuchCase, Unavailable, Unfit, envelope

    message = envelope(command, by=by, id=id)
    act = str(message["id"])
    try:
        outcome = await asyncio.wait_for(cases.submit_message(case, message), ANSWERED_WITHIN)
    except NoSuchCase:
        return Recorded(case=case, recorded="no", id=act, answer=f"{case} does not run in the engine; see evenhand engine check.")
    except Unfit as error:
        return Recorded(case=case, recorded="no", id=act, answer=str(error))
    except (Unavailable, TimeoutError):
        try:
            await cases.signal_message(case, message)
        except (NoSuchCase, Unavailable, Unfit) as error:
            return Recorded(case=case, recorded="no", id=act, answer=str(error))
        return Recorded(case=case, recorded="sent", id=act, answer="Sent as a signal; it is recorded once a worker runs.")
    if outcome.result == "repeated":
        return Recorded(case=case, recorded="refused", id=act, answer=f"The id {act} stands for another act of {case}: use another.")
    answer = f"{outcome.answer} {outcome.remains or ''}".strip()
    return Recorded(case=case, recorded="yes" if outcome.accepted else "refused", id=act, answer=answer)
