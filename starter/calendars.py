"""Tables of bank holidays from outside: checked whole, kept for ever, then taken over by each open case in an act of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from pydantic import BaseModel
from sqlmodel import Session, col, select

from activities.bodies import Body, Unknown, body_of, policy_of_edition
from activities.calendars import calendar_of, edition, in_force, lagging, made_of, with_edition
from domain.calendar_change import counted_anew
from domain.case import Case
from domain.counting import MovedDate
from domain.days import Calendar, Day, Holiday
from domain.policy import Policy
from policies import load
from policies.load import Unreadable, parse, position, text_of
from records.store import case_of
from records.tables import BodyRow, CaseRow
from records.vault import CaseVault
from starter.cases import Cases, NoSuchCase, Unavailable


class Moves(BaseModel):
    """One date of one case that a table moves, or would."""

    case: str
    date: str
    ref: str
    was: Day
    becomes: Day
    stands: str
    """moved; or kept, as the customer was told, until a person decides."""
    told: bool
    cites: tuple[str, ...]


class Lagging(BaseModel):
    """An open case that counts with less than the tables in force, or its body's closed days or meetings, and what taking over would do."""

    case: str
    body: Body
    editions: tuple[str, ...]
    number: int
    """How many changes of its dates it has had: the name of the next act rests on it."""
    moves: tuple[Moves, ...] = ()


class Applied(BaseModel):
    """What became of one case's act."""

    case: str
    result: str
    answer: str


def read_calendar(path: Path) -> tuple[Calendar, str]:
    """Returns the table a file holds, with its text. Raises Unreadable with a line for every fault."""
    text = text_of(path)
    return load.table_of(text, str(path)), text


def on_some_staff_list(session: Session, person: str, *, on: date) -> bool:
    """Returns whether a person is on the staff list of a body on a day: a table is every body's, so anybody's staff may load one."""
    return any(person in body_of(session, code).staff.on(on).by_id for code in session.exec(select(BodyRow.body)).all())


def require_newer(session: Session | None, path: Path, new: Calendar, text: str, *, today: date) -> None:
    """Refuses a table older than the one in force, checked in the future, without years that one has, or under another table's name.

    Without records the newest table that comes with Evenhand is the one in force. Raises Unreadable with line and column."""
    data = parse(text, str(path))
    faults = [(position(data, [field]), field, what) for field, what in _not_newer(session, new, today)]
    if faults:
        raise Unreadable("\n".join(f"{path}:{line}:{column}: {field}: {what}" for (line, column), field, what in faults))


def _held(session: Session | None, new: Calendar) -> tuple[Calendar, Calendar | None]:
    """Returns the table in force for a new one's nation, and the one that has its name already."""
    if session is None:
        shipped = [one for one in load.shipped_calendars() if one.nation == new.nation]
        return shipped[-1], next((one for one in shipped if one.edition == new.edition), None)
    try:
        return in_force(session, new.nation), edition(session, new.edition)
    except Unknown:
        return in_force(session, new.nation), None


def _not_newer(session: Session | None, new: Calendar, today: date) -> Iterator[tuple[str, str]]:
    now, same = _held(session, new)
    if same is not None and same != new:
        yield "edition", f"{new.edition} is the name of another table already; a changed table has a name of its own"
    if new.checked_on < now.checked_on:
        yield "checked_on", f"{now.edition} is in force, checked on {now.checked_on}; a later day, found {new.checked_on}"
    elif new.checked_on > max(today, now.checked_on):
        yield (
            "checked_on",
            f"the day somebody checked it, up to today, {today}; found {new.checked_on}, and until then no other could follow",
        )
    first, begins = new.holidays[0].on.year, now.holidays[0].on.year
    if first > begins:
        yield "holidays", f"{now.edition} is in force and begins in {begins}; the years from then on too, found none before {first}"
    if new.known_until < now.known_until:
        yield "known_until", f"{now.edition} is known until {now.known_until}; that day or a later one, found {new.known_until}"


def lagging_cases(session: Session, *, offered: Calendar | None = None, today: date | None = None) -> Iterator[Lagging]:
    """Yields the open cases that have a table, closed days or meetings to take over; with `today`, what that does to their dates.

    `offered` is a table that is not kept yet, as if it were in force."""
    rows = session.exec(select(CaseRow).where(col(CaseRow.stage) != "closed").order_by(col(CaseRow.id))).all()
    for row in rows:
        case, policy, body = _whole(session, row)
        editions = _editions(session, case, policy, body, offered)
        if editions:
            moves = tuple(_moves(session, case, policy, body, editions, offered, today)) if today else ()
            yield Lagging(case=row.id, body=body, editions=editions, number=len(case.changes), moves=moves)


def _whole(session: Session, row: CaseRow) -> tuple[Case, Policy, Body]:
    case = case_of(row, CaseVault(session, row.id))
    return case, policy_of_edition(session, case.edition), body_of(session, case.body)


def _editions(session: Session, case: Case, policy: Policy, body: Body, offered: Calendar | None) -> tuple[str, ...]:
    waiting = lagging(session, case, policy, body)
    present = calendar_of(session, case, policy)
    held = {one.nation: one.edition for one in (present, *present.others)}
    if offered is None or offered.nation not in held or held[offered.nation] == offered.edition:
        return waiting
    return (*(one for one in waiting if edition(session, one).nation != offered.nation), offered.edition)


def _moves(
    session: Session, case: Case, policy: Policy, body: Body, editions: tuple[str, ...], offered: Calendar | None, today: date
) -> Iterator[Moves]:
    old = calendar_of(session, case, policy)
    for name in editions:
        if offered is not None and name == offered.edition:
            new: Calendar | None = _as_if(old, offered, body, policy)
        else:
            new = with_edition(session, case, policy, body, name)
        if new is None:
            continue
        case, change = counted_anew(case, policy, old, new, today=today)
        old = new
        yield from (_line(case.id, one) for one in change.listed)


def _as_if(old: Calendar, offered: Calendar, body: Body, policy: Policy) -> Calendar:
    held = (made_of(old, closures=(), others=(), meetings=()), *old.others)
    tables = tuple(offered if one.nation == offered.nation else one for one in held)
    unique = tuple({one.nation: one for one in reversed(tables)}.values())[::-1]
    meetings = body.meetings if policy.meets else ()
    return made_of(unique[0], closures=body.closures, others=unique if body.closures else unique[1:], meetings=meetings)


def _line(case: str, one: MovedDate) -> Moves:
    facts = {"date": one.kind.replace("-", " "), "ref": one.ref, "was": one.was, "becomes": one.becomes}
    return Moves.model_validate({"case": case, **facts, "stands": one.stands, "told": one.told, "cites": one.cites})


def message_for(lagging: Lagging, edition: str, number: int, *, on: date) -> dict[str, object]:
    """Returns the act by which one case takes over one table; sent again it is one act."""
    id = f"calendar:{edition}:{number}"
    return {"v": 1, "id": id, "do": "apply_calendar", "by": "calendar", "on": on.isoformat(), "with": {"edition": edition}}


async def apply_to(cases: Cases, waiting: list[Lagging], *, on: date) -> list[Applied]:
    """Let each case take over what it lags behind, one act after the other. A case that does not answer is named and left as it was."""
    done = []
    for one in waiting:
        for n, name in enumerate(one.editions):
            try:
                outcome = await cases.submit_message(one.case, message_for(one, name, one.number + n, on=on))
                done.append(Applied(case=one.case, result=outcome.result, answer=outcome.answer))
            except (NoSuchCase, Unavailable) as error:
                done.append(Applied(case=one.case, result="not reached", answer=str(error)))
    return done


def next_table(now: Calendar, *, add: Iterable[Holiday], remove: Iterable[date], known_until: date | None, name: str, on: date) -> str:
    """Returns the text of a table made from the one in force: for rehearsals."""
    days = sorted((*(one for one in now.holidays if one.on not in set(remove)), *add), key=lambda one: one.on)
    facts = {
        "edition": f"{now.nation}-{name}",
        "nation": now.nation,
        "checked_on": max(on, now.checked_on).isoformat(),
        "source": "made for a rehearsal",
        "known_until": (known_until or now.known_until).isoformat(),
        "holidays": [one.model_dump(mode="json") for one in days],
    }
    return json.dumps(facts)
