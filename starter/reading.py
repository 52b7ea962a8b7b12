"""Reading a case: who reads, what they may see of it, and the line in the read log without which nothing is shown (EH-171 to EH-175)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.act_id import kept_by
from activities.bodies import body_of, policy_at_body
from activities.calendars import calendar_of
from activities.recording import OPENING
from domain.case import Case
from domain.desk_entry import Guidance, Limit, entry_of
from domain.model import Text
from domain.people import Staff
from domain.policy import Policy
from domain.reading import LOCAL, NO_REASON_NEEDED, Part, Sees, View, view_of
from domain.tasks import tasks
from records.reads import Read, note, noted
from records.store import case_of
from records.tables import BodyRow, CaseRow, LogRow
from records.vault import CaseVault
from starter.standing import NoCase

HERE = "local"
"""Who reads where nobody signs in and nobody is named: the user of this machine, who holds its records and keys (EH-174)."""
A_CASE = re.compile(r"[A-Za-z0-9._:/-]{1,100}")
UNFIT = "no-id"
NOT_YOURS = "not shown"
"""Stands in lists where a reader may see the reference and not what is under it."""
LONGEST_REASON = 500


class NotShown(Exception):
    """Somebody may not see what they asked for: says that there is something, who may, and no more."""

    def __init__(self, why: str, remains: str) -> None:
        super().__init__(why)
        self.remains = remains


class BadReason(ValueError):
    """A reason that cannot be kept."""


class Reader(NamedTuple):
    """Who reads, and why; both as they were given."""

    who: str
    why: str | None = None
    local: bool = False

    @property
    def id(self) -> str:
        """Returns the id as the log has it: something else than an id is not written down."""
        return kept_by(self.who) or UNFIT


class Look(NamedTuple):
    """A case while it is looked at: what of it may be shown, in the session in which that is noted."""

    session: Session
    case: Case
    policy: Policy
    view: View


class Lists(NamedTuple):
    """A list across cases while it is made: the session in which that is noted, and whose cases may stand in it."""

    session: Session
    bodies: frozenset[str]
    everybodys: bool
    went: list[str]
    """What goes out, where a file does: written down with the line."""

    def takes(self, body: str) -> bool:
        return self.everybodys or body in self.bodies


class Handling(BaseModel):
    """All that somebody at a desk needs of a case, and nothing of why."""

    case: str
    body: str
    sees: Sees = "handling"
    limits: tuple[Limit, ...] = ()
    contact_officer: str | None = None
    arranged_with: str | None = None
    """The single point of contact agreed in step one."""
    marked: bool = False
    """A marker as potentially aggressive stands."""
    needs: tuple[str, ...] = ()
    """Reasonable adjustments: how contact is to be had all the same (DEF-15)."""
    guidance: tuple[Guidance, ...] = ()
    sources: tuple[str, ...] = ()


def reason(given: str | None) -> str | None:
    """Returns a reason as it can be kept; None for none. Raises BadReason."""
    if given is None or not given.strip():
        return None
    try:
        text = TypeAdapter(Text).validate_python(given)
        text.encode()
    except (ValidationError, UnicodeEncodeError):
        raise BadReason("--why holds signs that cannot be kept; only line ends and tabs may stand in it.") from None
    if len(text) > LONGEST_REASON:
        raise BadReason(f"--why is at most {LONGEST_REASON} characters, found {len(text)}.")
    return text


@contextmanager
def looking(
    engine: Engine, case: str, reader: Reader, *, how: str, at: datetime, today: date, needs: Sees = "all"
) -> Iterator[Look]:  # fmt: skip
    """Yields a case that the reader may see, at least so much of it as `needs`; one line is in the log when this is left, and what was read
    may be shown then. Raises NoCase, NotShown or BadReason; what was refused is noted too."""
    why = reason(reader.why)
    with noted(engine) as session:
        row, known = session.get(CaseRow, case), case if A_CASE.fullmatch(case) else ""
        if not reader.local and not bodies_of(session, reader, today):  # not even whether there is such a case
            body, stage = (row.body, row.stage) if row else ("", "")
            note(session.connection(), [Read(who=reader.id, how=how, what=how, case=known, body=body, stage=stage)], at=at)
            raise NotShown(f"{reader.id} is not on any staff list: nothing is shown. [EH-173]", "evenhand body show lists who is.")
        if row is None:
            line = Read(who=reader.id, how=how, what="no such case", case=known, body=own_body(session, reader, today))
            note(session.connection(), [line], at=at)
            raise NoCase(f"The records hold no case {case}.")
        vault = CaseVault(session, case)
        found, policy = case_of(row, vault), policy_at_body(session, row.edition, row.body)
        view = view_for(session, found, policy, reader, today=today)
        refused = _refused(case, view, reader, why, needs)
        kept = vault.put(why) if why and row.stage != "closed" and view.part != "nobody" else None
        session.flush()
        line = Read(
            who=reader.id, how=how, what=how, case=case, body=row.body, shows="nothing" if refused else view.sees, part=view.part,
            stage=row.stage, why=kept,
        )  # fmt: skip
        note(session.connection(), [line], at=at)
        if refused:
            raise refused
        yield Look(session, found, policy, view)


def _refused(case: str, view: View, reader: Reader, why: str | None, needs: Sees) -> NotShown | None:
    cites = f" [{', '.join(view.sources)}]"
    if view.sees == "nothing":
        who = "its officers and the offices that keep the record or answer for information"
        return NotShown(
            f"There is a case {case}; {reader.id} may not see it.{cites}", f"Ask {who}; for a contact that has come: contact check."
        )
    if view.needs_a_reason and why is None:
        return NotShown(f"{reader.id} is no officer of {case} and sees it for a reason only.{cites}", "Say why: --why.")
    if needs == "all" and view.sees == "handling":
        said = f"{reader.id} may see how contact on {case} is handled, and nothing else of it.{cites}"
        return NotShown(said, "evenhand case show says how it is handled.")
    return None


def view_for(session: Session, case: Case, policy: Policy, reader: Reader, *, today: date) -> View:
    """Returns what a reader may see of a case today."""
    if reader.local:
        return LOCAL
    opened = select(LogRow.actor).where(LogRow.case_id == case.id, LogRow.result == "accepted", col(LogRow.command).in_(OPENING))
    opened_by = case.opened_by or session.exec(opened.order_by(col(LogRow.n))).first()
    waiting = tasks(case, policy, calendar_of(session, case, policy), today=today)
    return view_of(
        case, reader.who, staff=staff_of(session, case.body, today), policy=policy, tasks=waiting, opened_by=opened_by,
        information=information_office(session, case.body),
    )  # fmt: skip


def staff_of(session: Session, body: str, today: date) -> Staff:
    """Returns a body's staff list as it stands today."""
    return body_of(session, body).staff.on(today)


def information_office(session: Session, body: str) -> str | None:
    """Returns the office that a body gave the reading of everything and of who read what; None where it named none (EH-170)."""
    row = session.get(BodyRow, body)
    found = row.settings.get("information_officer") if row else None
    return found if isinstance(found, str) else None


def bodies_of(session: Session, reader: Reader, today: date) -> tuple[str, ...]:
    """Returns the bodies whose references a reader may see: those on whose staff list they stand."""
    bodies = session.exec(select(BodyRow.body).order_by(BodyRow.body)).all()
    return tuple(one for one in bodies if reader.local or reader.who in staff_of(session, one, today).by_id)


def own_body(session: Session, reader: Reader, today: date) -> str:
    """Returns the one body on whose list a reader stands; nothing where that is none, or several."""
    mine = bodies_of(session, reader, today)
    return mine[0] if len(mine) == 1 else ""


@contextmanager
def listing(
    engine: Engine, reader: Reader, *, how: str, at: datetime, today: date, body: str | None = None, case: str = ""
) -> Iterator[Lists]:  # fmt: skip
    """Yields the session in which a list across cases is read, and the bodies whose references may stand in it; noted as one line.

    Raises NotShown where the reader stands on no staff list that it would take."""
    why = reason(reader.why)
    with noted(engine) as session:
        mine = [one for one in bodies_of(session, reader, today) if body in (None, one)]
        known = body is None or session.get(BodyRow, body) is not None
        refused = not mine and not reader.local and known
        part: Part = "local" if reader.local else "staff" if mine else "nobody"
        only = body if body and known else mine[0] if len(mine) == 1 else ""
        lists = Lists(session, frozenset(mine), reader.local, [])
        try:
            if refused:
                whose = f"the staff list of {body}" if body else "any staff list"
                raise NotShown(f"{reader.id} is not on {whose}. [EH-173]", "evenhand body show lists who is.")
            yield lists
        finally:
            line = Read(
                who=reader.id, how=how, what=" ".join((how, *lists.went)), case=case, body=only, part=part,
                shows="nothing" if refused else "references", why="given" if why else None,
            )  # fmt: skip
            note(session.connection(), [line], at=at)


def seen_of(session: Session, case: Case, policy: Policy, reader: Reader, *, today: date) -> Sees:
    """Returns how much of a case a list may show to a reader: names where they may see them without a reason of their own."""
    view = view_for(session, case, policy, reader, today=today)
    return view.sees if view.part in NO_REASON_NEEDED or reader.why else "handling" if view.part == "informed" else "nothing"


def handling_of(look: Look) -> Handling:
    """Returns how contact on a case is handled: no incident, reason, accusation, finding, evidence or letter."""
    entry = entry_of(look.case, look.policy)
    facts: dict[str, object] = {"case": look.case.id, "body": look.case.body, "sources": look.view.sources}
    if entry is not None:
        arranged = entry.arrangement.spoc if entry.arrangement else None
        facts |= {"limits": entry.limits, "contact_officer": entry.officer, "arranged_with": arranged, "marked": entry.marked}
        facts |= {"needs": entry.needs, "guidance": entry.guidance}
    return Handling.model_validate(facts)
