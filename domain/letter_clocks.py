"""The clock of a letter that its customer was not told by: five working days, and it is somebody else's concern too (EH-34, DEF-12)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.case import Case, Notice
from domain.days import Calendar, Reckoned, add_working_days
from domain.deadlines import Deadline, deadline

TELL_WITHIN = 5
"""Working days from the decision, or from the day the letter came back."""
UNTOLD = ("to-issue", "to-send", "handed-over", "uncertain", "blocked", "returned")
STUCK = ("uncertain", "blocked", "returned")
"""A person has something to do about it at once."""


def letter_clocks(case: Case, calendar: Calendar) -> Iterator[Deadline]:
    """Yields when each letter whose customer is not told becomes overdue. One that is about to go counts once it was hindered: a timer
    for each that goes within the second would be most of what its case costs."""
    for notice in case.notices:
        to_be_read = notice.status == "sent" and notice.read_out == "owed"
        if to_be_read or (notice.status in UNTOLD and (notice.status != "to-send" or notice.delayed_on)):
            yield deadline("letter-overdue", notice.id, told_within(notice, calendar), at_end=True)


def told_within(notice: Notice, calendar: Calendar) -> Reckoned:
    """Returns the last day on which a letter may still be on its way without being overdue."""
    start, event = (notice.returned_on, "return") if notice.returned_on else (notice.created_on, "decision")
    day, skipped = add_working_days(start, TELL_WITHIN, calendar)
    return Reckoned(
        date=day, start=start, start_event=event, rule=f"{TELL_WITHIN} working days", skipped=skipped, defaults=("EH-34",),
        calendar=calendar.edition, provisional=day > calendar.known_until,
    )  # fmt: skip
