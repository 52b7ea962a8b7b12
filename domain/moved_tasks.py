"""What a moved date asks of people: to look at it, and to decide where it would harm the customer (EH-31)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.calendar_change import still_open
from domain.case import Case
from domain.clocks import all_deadlines
from domain.days import Calendar, in_words
from domain.policy import Policy
from domain.task import Task
from domain.told import AS_TOLD, decider, present_table


def moved_tasks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    """Yields what waits because dates moved: a look for the case's officer, and each date that stays as told until somebody decides."""
    for change in case.changes:
        if change.why == "calendar" and change.listed and change.acknowledged_on is None:
            what = f"See which dates moved with the calendar {change.edition} ({change.id})"
            people = (case.contact_officer,) if case.contact_officer else ()
            yield Task(kind="calendar", what=what, ref=change.id, cites=("DEF-04",), command="acknowledge_calendar", people=people)
    for one in present_table(case):
        if one.waits and still_open(case, one, policy, calendar):
            who = decider(case, one.kind, one.ref, policy)
            name = f"{one.kind.replace('-', ' ')} of {one.ref}"
            what = f"Decide whether the {name} stays {in_words(one.was)} as told, or moves to {in_words(one.becomes)} ({one.id})"
            people = () if who.offices else ((case.contact_officer,) if case.contact_officer else ())
            cites = (*who.sources, AS_TOLD)
            yield Task(
                kind="moved-date", what=what, ref=one.id, due=one.was, cites=cites, command="decide_moved_date", offices=who.offices,
                people=people,
            )  # fmt: skip


def so_far(found: Iterable[Task], case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    """Yields the tasks, those marked whose day is only known so far."""
    deadlines = all_deadlines(case, policy, calendar)
    open_days = {(one.ref, one.reckoned.date) for one in deadlines if one.reckoned.provisional}
    return (task.model_copy(update={"provisional": True}) if (task.ref, task.due) in open_days else task for task in found)
