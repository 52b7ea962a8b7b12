"""What a case carries of its contacts, however many there are: those that wait for a person, and a count for each day and way.

A customer may write thousands of times in a week; a case that carried each of them would choke on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from domain.case import Case, DayTally, LoggedContact
from domain.days import add_months

MONTHS_COUNTED = 7
"""How far back of the last contact a day's count is kept: further than any limit at the desk counts (six months, EH-21)."""


def logged(case: Case) -> int:
    """Returns how many contacts the desk recorded on a case."""
    return case.contacts_logged or len(case.logged_contacts)


def tally_of(case: Case) -> tuple[DayTally, ...]:
    """Returns the counts of a case, those of an earlier release taken from the contacts it carried."""
    return case.tally if case.contacts_logged else _counted((), case.logged_contacts)


def tallied(case: Case, contact: LoggedContact) -> tuple[DayTally, ...]:
    """Returns the counts with one contact more; only what is ordinary is counted."""
    return _counted(tally_of(case), (contact,))


def as_counted(case: Case, contacts: tuple[LoggedContact, ...]) -> Case:
    """Returns the case as it stood when these were all its contacts."""
    return case.model_copy(update={"logged_contacts": contacts, "contacts_logged": len(contacts), "tally": _counted((), contacts)})


def _counted(days: Iterable[DayTally], contacts: Iterable[LoggedContact]) -> tuple[DayTally, ...]:
    found = {(one.on, one.channel): one for one in days}
    for one in contacts:
        if one.kind == "ordinary":
            key = (one.on, one.channel)
            had = found.get(key, DayTally(on=one.on, channel=one.channel))
            found[key] = had.model_copy(update={"contacts": had.contacts + 1, "minutes": had.minutes + (one.minutes or 0)})
    first = add_months(max((day for day, _ in found), default=date.min), -MONTHS_COUNTED) if found else date.min
    return tuple(found[key] for key in sorted(found) if key[0] >= first)


def carried(case: Case) -> Case:
    """Returns the case as it is kept from act to act: contacts that wait for nobody stand in the records alone."""
    if all(one.waits for one in case.logged_contacts):
        return case
    waiting = tuple(one for one in case.logged_contacts if one.waits)
    return case.model_copy(update={"logged_contacts": waiting, "contacts_logged": logged(case), "tally": tally_of(case)})
