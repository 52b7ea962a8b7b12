"""Entries of the register without a date of their next review come up again until they have one."""

from __future__ import annotations

from datetime import date, timedelta

from domain.case import Case
from domain.clocks import next_deadline
from domain.commands import CompleteRecord, DeadlinePassed
from domain.deadlines import Deadline
from domain.decide import decide
from domain.people import CALENDAR
from domain.restrictions import PartialDisengagement
from domain.tasks import tasks
from tests import stories
from tests.stories import ENGLAND, natural_england
from tests.test_importing import imported

NE = stories.policy_named("natural-england")
TAKEN_OVER = date(2027, 3, 10)


def dateless() -> Case:
    limits = (PartialDisengagement(type="partial-disengagement", topics=("the consent of 2020",)),)
    staff = natural_england("officer").staff
    return imported(NE, staff, on=TAKEN_OVER, decided_on=date(2024, 5, 1), restrictions=limits).case


def coming(case: Case) -> Deadline:
    found = next_deadline(case, NE, ENGLAND)
    assert found is not None
    return found


def rung(case: Case, today: date) -> Case:
    command = DeadlinePassed(key=coming(case).key)
    return decide(case, command, actor=CALENDAR, policy=NE, calendar=ENGLAND, today=today).case


def due(case: Case, today: date) -> list[date | None]:
    return [one.due for one in tasks(case, NE, ENGLAND, today=today) if one.kind == "no-review-date"]


def test_an_entry_without_a_review_date_comes_up_every_day_until_it_has_one():
    """NE-34, EH-90: from the day after it was taken over, not from the years before; the task stands under that day's date."""
    case = dateless()
    for n in range(1, 15):
        day = TAKEN_OVER + timedelta(days=n)
        assert (coming(case).kind, coming(case).reckoned.date) == ("no-review-date", day)
        case = rung(case, day)
        assert due(case, day) == [day]
    assert len([key for key in case.passed if key.startswith("no-review-date:")]) == 1

    told = CompleteRecord(reasons="Two hundred emails.", told_on=date(2026, 4, 1))
    case = decide(case, told, actor=natural_england("officer"), policy=NE, calendar=ENGLAND, today=TAKEN_OVER + timedelta(days=15)).case
    assert coming(case).kind != "no-review-date" and due(case, TAKEN_OVER + timedelta(days=15)) == []


def test_days_on_which_nobody_was_there_to_hear_are_not_made_up_for_one_by_one():
    """A worker that was away for a month reports once, under today's date."""
    back = TAKEN_OVER + timedelta(days=30)

    case = rung(dateless(), back)

    assert coming(case).reckoned.date == back + timedelta(days=1)
    assert due(case, back) == [back]
