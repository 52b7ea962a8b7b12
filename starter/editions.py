"""Editions beside open cases: found by name, path or hash; what a case would be under another; moving cases there, or trying it dry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.bodies import keep_text, policy_of_edition
from activities.calendars import calendar_of
from domain.case import Case, MovingRule, PeriodKind
from domain.commands import MoveEdition
from domain.decision import Refusal
from domain.effects import Effect, Under, effects, under
from domain.model import Data
from domain.move_edition import Target, moved, refuse_blocked
from domain.policy import Policy
from policies import load
from records.database import reading
from records.lists import cases_of
from records.store import read_case
from records.tables import BodyRow, EditionRow

HASH = re.compile(r"[0-9a-f]{8,64}")
AT_REST = ("archived", "closed")
"""Stages of a case that has ended: its papers are only kept, and it stays under its edition."""


class Found(Data):
    """A policy as it was asked for: its text, and the hash that names it for ever."""

    asked: str
    policy: Policy
    text: str
    edition: str


class OneCase(Data):
    """What would differ in one case; `stops` says why it cannot be moved."""

    case: str
    body: str
    stage: str
    edition: str
    effects: tuple[Effect, ...] = ()
    stops: str | None = None


def edition_named(name: str, engine: Engine | None = None) -> Found:
    """Returns a policy by name, path, or the first digits of an edition's hash in the records. Raises Unreadable."""
    if name in load.names() or Path(name).is_file() or engine is None or not HASH.fullmatch(name):
        text = load.policy_text(name)
        return Found(asked=name, policy=load.sound_policy_of(text, load.shown_name(name)), text=text, edition=load.edition_of(text))
    with reading(engine) as session:
        rows = session.exec(select(EditionRow).where(col(EditionRow.hash).startswith(name))).all()
    if len(rows) != 1:
        found = f"{len(rows)} editions of the records begin so; give more of its digits" if rows else "no edition of the records begins so"
        raise load.Unreadable(f"{name}: {found}; or give a policy's name, or the path of a file")
    return Found(asked=name, policy=load.policy_of(rows[0].text, rows[0].policy), text=rows[0].text, edition=rows[0].hash)


def open_cases(session: Session, body: str | None, only: Iterable[str] = ()) -> tuple[Case, ...]:
    """Returns the cases of a body, or of all, that have not ended, by id."""
    wanted = frozenset(only)
    rows = [one for one in cases_of(session, body=body) if one.stage not in AT_REST and (not wanted or one.id in wanted)]
    return tuple(case for row in rows if (case := read_case(session, row.id)))


def what_if(engine: Engine, new: Found, *, body: str | None, today: date) -> tuple[OneCase, ...]:
    """Returns, case by case, what would differ if each open case stood under an edition. Nothing is written."""
    with reading(engine) as session:
        return tuple(_if(session, case, new, today) for case in open_cases(session, body))


def _if(session: Session, case: Case, new: Found, today: date) -> OneCase:
    there = under(case, new.policy, calendar_of(session, case, new.policy))
    return OneCase(
        case=case.id, body=case.body, stage=case.stage, edition=case.edition, effects=effects(_now(session, case), there, today=today)
    )


def _now(session: Session, case: Case) -> Under:
    policy = policy_of_edition(session, case.edition)
    return Under(case=case, policy=policy, calendar=calendar_of(session, case, policy))


def try_move(
    engine: Engine, new: Found, rules: Mapping[PeriodKind, MovingRule], *, body: str | None, only: Iterable[str], today: date
) -> tuple[OneCase, ...]:
    """Returns, case by case, what a move by these rules would change, and what stops it. Nothing is written."""
    command = MoveEdition(edition=new.edition, rules=dict(rules))
    with reading(engine) as session:
        return tuple(_tried(session, case, command, new, today) for case in open_cases(session, body, only))


def _tried(session: Session, case: Case, command: MoveEdition, new: Found, today: date) -> OneCase:
    now, target = _now(session, case), Target(new.edition, new.policy, calendar_of(session, case, new.policy))
    base = OneCase(case=case.id, body=case.body, stage=case.stage, edition=case.edition)
    try:
        refuse_blocked(case, now.policy, target, calendar=now.calendar, on=today)
    except Refusal as refusal:
        return base.model_copy(update={"stops": f"{refusal.reason} {refusal.remains or ''}".strip()})
    there, _ = moved(case, command, policy=now.policy, calendar=now.calendar, target=target, on=today)
    then = Under(case=there, policy=new.policy, calendar=target.calendar)
    return base.model_copy(update={"effects": effects(now, then, today=today)})


def is_new(engine: Engine, new: Found, body: str) -> bool:
    """Returns whether an edition is neither in the records nor the body's present policy, and came with no release."""
    with reading(engine) as session:
        row = session.get(BodyRow, body)
        if session.get(EditionRow, new.edition) is not None:
            return False
    return not any(new.edition == _edition_of(name) for name in (*load.names(), *([row.policy] if row else [])))


def _edition_of(name: str) -> str | None:
    try:
        return load.edition_of(load.policy_text(name))
    except load.Unreadable:
        return None


def keep_found(session: Session, new: Found) -> None:
    """Keep an edition in the records, so that cases can be moved to it."""
    from starter.clock import now

    keep_text(session, new.text, name=new.asked, at=now())
