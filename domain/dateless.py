"""Entries of the register without a date of their next review: they come up again, as often as the policy says (NE-34).

Without this nobody hears twice of a customer who stays disengaged for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Sanction
from domain.days import Calendar
from domain.deadlines import Deadline, deadline, reckon
from domain.policy import Policy
from domain.review_clocks import without_review_date

KIND = "no-review-date"


def dateless_clocks(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Deadline]:
    """Yields when each entry without a review date comes up next."""
    every = policy.register_.without_review_date if policy.register_ else None
    for sanction in without_review_date(case, policy, calendar) if every else ():
        assert every is not None
        yield deadline(KIND, sanction.id, reckon(every, _since(case, sanction), event="report", calendar=calendar))


def _since(case: Case, sanction: Sanction) -> date:
    """Returns the day it came up last, or the day from which it could."""
    imported = [case.imported.on] if case.imported else []
    reviewed = [one.on for one in case.reviews if one.sanction == sanction.id]
    return last_report(case, sanction) or max([sanction.decided_on, *imported, *reviewed])


def last_report(case: Case, sanction: Sanction) -> date | None:
    days = [date.fromisoformat(key.rsplit(":", 1)[1]) for key in case.passed if key.startswith(f"{KIND}:{sanction.id}:")]
    return max(days, default=None)


def reported(passed: tuple[str, ...], one: Deadline, today: date) -> tuple[str, ...]:
    """Returns the keys to remember after a report: the last of an entry alone, of the day it really was; a day missed is not made up."""
    others = tuple(key for key in passed if not key.startswith(f"{KIND}:{one.ref}:"))
    return (*others, f"{KIND}:{one.ref}:{today.isoformat()}")
