"""Reviews held at a body's meetings: the date that a rule gives, moved to the day of the meeting that holds it."""

from __future__ import annotations

from datetime import date

from domain.days import Calendar, Reckoned, add_months
from domain.policy import Policy, ReviewRule


def meetings_of(policy: Policy, calendar: Calendar) -> tuple[date, ...]:
    """Returns the meetings that the policy file and the body's own file list, in order."""
    return tuple(sorted({*(policy.meetings.value if policy.meetings else ()), *calendar.meetings}))


def at_meeting(due: Reckoned, rule: ReviewRule, policy: Policy, calendar: Calendar) -> Reckoned:
    """Returns the date of the meeting that holds a review; where none is listed, the first day it could be, provisional."""
    if rule.at_meeting is None:
        return due
    quarters = rule.at_meeting.value == "next-quarter"
    earliest = _next_quarter(due.date) if quarters else due.date
    found = next((day for day in meetings_of(policy, calendar) if day >= earliest), None)
    sources = {
        "cites": tuple(dict.fromkeys((*due.cites, *rule.at_meeting.cites))),
        "defaults": tuple(dict.fromkeys((*due.defaults, *filter(None, [rule.at_meeting.default])))),
    }
    if found is None:
        said = f"{due.rule}; no meeting is listed from {earliest.isoformat()} on"
        return due.model_copy(update={**sources, "date": earliest, "rule": said, "provisional": True})
    which = "the first meeting of the next quarter" if quarters else "the first meeting on or after it"
    return due.model_copy(update={**sources, "date": found, "rule": f"{due.rule}, {due.date.isoformat()}: {which}"})


def _next_quarter(day: date) -> date:
    return add_months(date(day.year, 3 * ((day.month - 1) // 3) + 1, 1), 3)
