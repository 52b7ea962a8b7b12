"""What another staff list would change: who joins, leaves, changes, and whose open tasks are then nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from sqlmodel import Session, select

from domain.model import Data
from domain.people import Person, Staff
from records.tables import TaskRow


class Change(Data):
    """One person on the one list or the other, and how they differ."""

    person: str
    what: str
    """joins, leaves or changes."""
    says: tuple[str, ...] = ()


def changes(before: Iterable[Person], after: Iterable[Person]) -> tuple[Change, ...]:
    """Returns how two lists differ, by id."""
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    found = [Change(person=id, what="joins", says=tuple(_facts(one))) for id, one in new.items() if id not in old]
    found += [Change(person=id, what="leaves") for id in old if id not in new]
    both = {id: tuple(_differs(old[id], one)) for id, one in new.items() if id in old}
    found += [Change(person=id, what="changes", says=differs) for id, differs in both.items() if differs]
    return tuple(sorted(found, key=lambda one: (one.person, one.what)))


def _plain(person: Person) -> Mapping[str, object]:
    return {key: value for key, value in person.model_dump(mode="json", by_alias=True, exclude_defaults=True).items() if key != "id"}


def _facts(person: Person) -> Iterator[str]:
    for field, value in _plain(person).items():
        yield f"{field.replace('_', ' ')}: {said(value)}"


def _differs(old: Person, new: Person) -> Iterator[str]:
    one, other = _plain(old), _plain(new)
    for field in dict.fromkeys((*one, *other)):
        if one.get(field) != other.get(field):
            yield f"{field.replace('_', ' ')}: {said(one.get(field))} -> {said(other.get(field))}"


def said(value: object) -> str:
    """Returns a field of an entry in words: lists with semicolons, days of holding in brackets."""
    match value:
        case None | [] | "":
            return "none"
        case list():
            return "; ".join(said(one) for one in value)
        case dict():
            days = f"{value.get('from', '')}..{value.get('to', '')}" if {"from", "to"} & set(value) else ""
            what = (f"{key.replace('_', ' ')} {one}" for key, one in value.items() if key not in ("from", "to") and one is not None)
            return " ".join((*what, days)).strip()
    return str(value)


def left_open(session: Session, body: str, before: Staff, after: Staff, *, today: date) -> tuple[str, ...]:
    """Returns a warning for everybody who would no longer be who an open task waits for, and for every office left without a holder."""
    tasks = session.exec(select(TaskRow).where(TaskRow.body == body)).all()
    old, new = before.on(today), after.on(today)
    return (*_losing(tasks, old, new), *_nobodys(tasks, old, new))


def _losing(tasks: Iterable[TaskRow], old: Staff, new: Staff) -> Iterator[str]:
    for person in old.people:
        now = new.by_id.get(person.id)
        for office in person.offices:
            count = sum(office in one.offices for one in tasks)
            if count and (now is None or office not in now.offices):
                yield f"{person.id} no longer is {office}, for whom {_several(count)}"
        count = sum(person.id in one.people for one in tasks)
        if count and now is None:
            yield f"{person.id} leaves, for whom {_several(count)}"


def _nobodys(tasks: Iterable[TaskRow], old: Staff, new: Staff) -> Iterator[str]:
    wanted = sorted({office for one in tasks for office in one.offices})
    for office in wanted:
        if not _holders(office, new) and _holders(office, old):
            yield f"nobody would be {office}, and nobody would deputise: {_several(sum(office in one.offices for one in tasks))}"


def _holders(office: str, staff: Staff) -> bool:
    return any(office in (*one.offices, *one.deputises) for one in staff.people)


def _several(count: int) -> str:
    return "1 open task waits" if count == 1 else f"{count} open tasks wait"
