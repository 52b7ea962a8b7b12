"""Which new tasks staff are told of by email, and who: a notice says that something waits, the task list says what it is.

It holds the case's reference, what is asked, by when and under which clause. A name, a reason or a letter's text in here would travel
where nobody can destroy it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from domain.model import State
from domain.people import Person, Staff
from domain.task import Task

TOLD: dict[str, str] = {
    "sign-off": "sign-off",
    "review": "review",
    "recommend": "review",
    "measure-review": "review",
    "escalated": "overdue",
    "inform": "inform",
    "letter": "post",
}
"""Kinds of task that staff are told of, and the wording for each."""


class StaffNotice(State):
    """One thing that one reader is told of once. `reader` is a person's id, or mailbox:NAME; an address is looked up when it goes."""

    task: str
    """Kind, thing and, where there are several alike, which."""
    reader: str
    reminder: str
    """Which time it is: the day it is due, and that it has passed."""
    wording: str
    what: str
    due: date | None
    cites: tuple[str, ...]


MAILBOX = "mailbox:"


def new_notices(
    before: Iterable[Task], after: Iterable[Task], *, staff: Staff, mailboxes: frozenset[str], last: date, today: date
) -> tuple[StaffNotice, ...]:
    """Returns what readers are to be told of: tasks, or their passing their day, that were not there before. `last` is the day before's."""
    known = {(_name(one), _reminder(one, last)) for one in before}
    fresh = [one for one in after if one.kind in TOLD and (_name(one), _reminder(one, today)) not in known]
    found = [_notice(one, reader, today) for one in fresh for reader in readers(one, staff=staff, mailboxes=mailboxes, on=today)]
    return tuple({(one.task, one.reader, one.reminder): one for one in found}.values())


def _name(task: Task) -> str:
    return "/".join(filter(None, (task.kind, task.ref, task.of)))


def _reminder(task: Task, on: date) -> str:
    """Returns which time a task is told of: once by its day, once more when that has passed; an escalation with every further miss."""
    day = task.due.isoformat() if task.due else "at-once"
    if task.kind == "escalated":
        return f"{day} {task.what.partition(', ')[2].partition(':')[0]}".strip()
    return f"{day} overdue" if task.overdue(on) else day


def _notice(task: Task, reader: str, today: date) -> StaffNotice:
    late = task.overdue(today) or task.kind == "escalated"
    return StaffNotice(
        task=_name(task),
        reader=reader,
        reminder=_reminder(task, today),
        wording="overdue" if late else TOLD[task.kind],
        what=task.what,
        due=task.due,
        cites=task.cites,
    )


def readers(task: Task, *, staff: Staff, mailboxes: frozenset[str], on: date) -> tuple[str, ...]:
    """Returns who is told: an office's mailbox in place of its holders, else those whose task it is and who are there that day."""
    found: list[str] = []
    for office in task.offices:
        found += [f"{MAILBOX}{office}"] if office in mailboxes else [one.id for one in _holders(office, staff, on)]
    for one in task.people:
        found += [person.id for person in _people(one, staff)]
    team = (task.of or "").partition("/")[2]
    found += [f"{MAILBOX}{team}"] if team in mailboxes else []
    return tuple(dict.fromkeys(found))


def _holders(office: str, staff: Staff, on: date) -> tuple[Person, ...]:
    """Returns those who hold an office and are there; where none is, those who deputise and are; else the holders all the same."""
    holders = [one for one in staff.people if office in one.offices]
    deputies = [one for one in staff.people if office in one.deputises]
    there = [one for one in holders if not one.away_on(on)] or [one for one in deputies if not one.away_on(on)]
    return tuple(there or holders)


def _people(named: str, staff: Staff) -> Iterator[Person]:
    """Yields whom a task names: a person, somebody's line manager, or everybody from a grade on."""
    if named.startswith("grade-from:"):
        grade = int(named.removeprefix("grade-from:"))
        yield from (one for one in staff.people if one.grade is not None and one.grade >= grade)
        return
    of = staff.by_id.get(named.removeprefix("line-manager-of:"))
    id = of.line_manager if of and named.startswith("line-manager-of:") else named
    person = staff.by_id.get(id or "")
    if person:
        yield person
