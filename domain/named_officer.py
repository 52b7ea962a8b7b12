"""Who takes what is passed to a named officer: the officer, or in their absence a deputy who is there (PCC-49)."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from domain.days import in_words
from domain.identifiers import name_in
from domain.people import Person, Staff


class Taker(NamedTuple):
    """Who takes what is passed on, and why."""

    id: str
    human: str
    says: str


def who_takes(officer: str, deputy: str | None, staff: Staff, on: date) -> Taker:
    """Returns the named officer, or in their absence the deputy who is there: the one named, or one the staff list gives."""
    known = _person(officer, staff)
    if known is None:
        stand_in = f" (in absence: {deputy})" if deputy else ""
        return Taker(officer, officer, f"Only {officer}{stand_in} takes it.")
    if _there(known, on):
        return Taker(known.id, known.human, f"Only {_called(known)} takes it.")
    named = _person(deputy, staff) if deputy else None
    away = f"{_called(known)} is away{_back(known, on)}"
    for one in (*((named,) if named else ()), *_deputies(known, staff)):
        if _there(one, on):
            return Taker(one.id, one.human, f"{away}; {one.name} ({one.id}) stands in.")
    if deputy and named is None:
        return Taker(deputy, deputy, f"{away}; {deputy} stands in.")
    return Taker(known.id, known.human, f"{away} and nobody who stands in is there: keep it for {known.name}, and tell the line manager.")


def _person(reference: str, staff: Staff) -> Person | None:
    """Returns who is meant by an id or by a name that only one on the list has."""
    wanted = name_in(reference)
    called = {one.id: one for one in staff.people if name_in(one.name) == wanted}
    return staff.by_id.get(reference) or (next(iter(called.values())) if len(called) == 1 else None)


def _deputies(person: Person, staff: Staff) -> tuple[Person, ...]:
    by_name = [one for one in staff.people if person.id in one.deputises_for]
    by_office = [one for one in staff.people if set(one.deputises) & set(person.offices) and one not in by_name]
    return (*by_name, *by_office)


def _there(person: Person, on: date) -> bool:
    return person.serves_on(on) and not person.away_on(on)


def _back(person: Person, on: date) -> str:
    ends = [one.end for one in person.absences if one.covers(on) and one.end]
    return f" until {in_words(max(ends))}" if ends else ""


def _called(person: Person) -> str:
    return f"{person.name} ({person.id})"
