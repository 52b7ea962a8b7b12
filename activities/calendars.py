"""The holiday tables in the records: which is in force, which a case counts with, and one that newly comes.

A case counts with what it took over (domain/counting.py), whatever is loaded or shipped later."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from sqlmodel import Session, col, select

from activities.bodies import Body, Unknown, first_meetings
from domain.case import Case
from domain.days import Calendar, Holiday
from domain.policy import Policy
from policies import load
from records.tables import CalendarEditionRow

TABLES: dict[tuple[str, str], Calendar] = {}
"""Tables read before, by edition and hash: what both name never changes."""


def in_force(session: Session, nation: str) -> Calendar:
    """Returns the newest table of a nation, loaded or shipped: the one new cases count with."""
    loaded = _newest_loaded(session, nation)
    shipped = [one for one in load.shipped_calendars() if one.nation == nation]
    if loaded is None or (shipped and shipped[-1].checked_on > loaded.checked_on):
        return shipped[-1]
    return loaded


def _newest_loaded(session: Session, nation: str) -> Calendar | None:
    newest = (col(CalendarEditionRow.checked_on).desc(), col(CalendarEditionRow.loaded_at).desc())
    rows = select(CalendarEditionRow).where(CalendarEditionRow.nation == nation).order_by(*newest).limit(1)
    row = session.exec(rows).first()
    return _read(row) if row else None


def edition(session: Session, name: str) -> Calendar:
    """Returns one edition, loaded or shipped. Raises Unknown."""
    shipped = next((one for one in load.shipped_calendars() if one.edition == name), None)
    if shipped is not None:
        return shipped
    row = session.get(CalendarEditionRow, name)
    if row is None:
        raise Unknown(f"There is no calendar {name}.", "evenhand calendar list shows those there are.")
    return _read(row)


def _read(row: CalendarEditionRow) -> Calendar:
    key = (row.edition, row.sha256)
    if key not in TABLES:
        TABLES[key] = load.table_of(row.text, row.edition)
    return TABLES[key]


def keep_calendar(session: Session, text: str, *, name: str, at: datetime, by: str | None = None) -> Calendar:
    """Keep a table in the records for ever, with who loaded it. Raises Unreadable; the same text again changes nothing."""
    table = load.table_of(text, name)
    if session.get(CalendarEditionRow, table.edition) is None:
        row = CalendarEditionRow(
            edition=table.edition, nation=table.nation, checked_on=table.checked_on, known_until=table.known_until,
            sha256=hashlib.sha256(text.encode()).hexdigest(), text=text, loaded_at=at, loaded_by=by,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return table


def counting_of(case: Case, policy: Policy) -> dict[str, str]:
    """Returns the edition a case counts with for each nation its policy needs, the policy's own first."""
    return {nation: case.counting.editions.get(nation) or load.calendar(nation).edition for nation in nations_of(policy)}


def calendar_of(session: Session, case: Case, policy: Policy) -> Calendar:
    """Returns what a case counts with: its tables, and the closed days and meetings it took over."""
    return assembled(session, counting_of(case, policy), case.counting.closures, _meetings(session, case, policy))


def calendar_after(session: Session, case: Case, policy: Policy, target: Policy, body: Body) -> Calendar:
    """Returns what a case counts with once it has moved to another edition: what it took over, and of what it had no need of before
    (another nation, meetings) what is in force now."""
    held = counting_of(case, policy)
    editions = {nation: held.get(nation) or in_force(session, nation).edition for nation in nations_of(target)}
    meetings = _meetings(session, case, target) if policy.meets else _listed(body, target)
    return assembled(session, editions, case.counting.closures, meetings)


def calendar_now(session: Session, policy: Policy, body: Body) -> Calendar:
    """Returns what a new case of a body counts with: the tables in force, the days the body has named as closed, its meetings."""
    return assembled(
        session, {nation: in_force(session, nation).edition for nation in nations_of(policy)}, body.closures, _listed(body, policy)
    )


def with_edition(session: Session, case: Case, policy: Policy, body: Body, name: str) -> Calendar | None:
    """Returns what a case would count with if it took over one edition and the body's closed days and meetings as they stand; None:
    nobody knows the edition, no period of the policy needs its nation, or it is older than what the case counts with."""
    try:
        new = edition(session, name)
    except Unknown:
        return None
    present = counting_of(case, policy)
    if new.nation not in present or new.checked_on < edition(session, present[new.nation]).checked_on:
        return None
    return assembled(session, {**present, new.nation: name}, body.closures, _listed(body, policy))


def lagging(session: Session, case: Case, policy: Policy, body: Body) -> tuple[str, ...]:
    """Returns the editions a case has yet to take over; its present one where only the body's closed days or meetings differ."""
    present = counting_of(case, policy)
    behind = tuple(now.edition for nation, held in present.items() if (now := in_force(session, nation)).edition != held)
    differs = case.counting.closures != body.closures or _meetings(session, case, policy) != _listed(body, policy)
    return behind or (tuple(present.values())[:1] if differs else ())


def _meetings(session: Session, case: Case, policy: Policy) -> tuple[date, ...]:
    """Returns the meetings a case counts with: those it took over, where the policy holds reviews at them."""
    if not policy.meets:
        return ()
    return first_meetings(session, case.body) if case.counting.meetings is None else case.counting.meetings


def _listed(body: Body, policy: Policy) -> tuple[date, ...]:
    return body.meetings if policy.meets else ()


ASSEMBLED: dict[tuple[tuple[Calendar, ...], tuple[Holiday, ...], tuple[date, ...]], Calendar] = {}


def assembled(session: Session, editions: dict[str, str], closures: tuple[Holiday, ...], meetings: tuple[date, ...] = ()) -> Calendar:
    """Returns the first of some editions with closed days and meetings, the tables beside it for periods that name their own."""
    tables = tuple(edition(session, name) for name in editions.values())
    if not closures and not meetings and len(tables) == 1:
        return tables[0]
    key = (tables, closures, meetings)
    if key not in ASSEMBLED:
        others = tables if closures else tables[1:]
        ASSEMBLED[key] = made_of(tables[0], closures=closures, others=others, meetings=meetings)
    return ASSEMBLED[key]


def made_of(table: Calendar, **update: object) -> Calendar:
    """Returns a table with some fields changed; a copy would keep what the old one had worked out."""
    fields = {name: getattr(table, name) for name in Calendar.model_fields}
    return Calendar.model_construct(**{**fields, **update})


def nations_of(policy: Policy) -> tuple[str, ...]:
    """Returns the nations whose holidays a policy counts with: its own first, then those its periods name."""
    return tuple(dict.fromkeys((policy.nation.value or load.NO_NATION, *policy.nations_named)))
