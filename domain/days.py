"""Civil dates: windows, months, working days (DEF-01 to DEF-06). A day counted wrongly here is a right lost."""

from __future__ import annotations

import calendar as month_lengths
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from domain.model import Data, State

LONDON = ZoneInfo("Europe/London")
UTC = timezone.utc
ONE_DAY = timedelta(days=1)
Day = date


class Holiday(Data):
    """One day on which the body's post and offices rest."""

    on: date
    name: str


Nation = Literal["england-and-wales", "scotland", "northern-ireland"]
CalendarName = Literal["england-and-wales", "scotland", "northern-ireland", "body"]
"""What a period may count with: the bank holidays of a nation alone, or the body's own (its policy's nation and its closed days)."""


class Calendar(Data):
    """Bank holidays of one nation, as one edition of a pinned file; dates past `known_until` are provisional."""

    edition: str
    nation: str
    checked_on: date
    source: str
    known_until: date
    holidays: tuple[Holiday, ...]
    closures: tuple[Holiday, ...] = ()
    """Days on which the body's offices are closed besides."""
    others: tuple[Calendar, ...] = ()
    """Tables without closed days, for periods that name a calendar of their own."""
    newer: Calendar | None = None
    """The table an act offers in place of this one."""

    def named(self, name: CalendarName | None) -> Calendar:
        """Returns the table a period counts with: this one, or the one it names. Raises LookupError where that is not at hand."""
        if name is None or name == "body":
            return self
        found = next((one for one in (*self.others, self) if one.nation == name and not one.closures), None)
        if found is None:
            raise LookupError(f"no table of {name} beside {self.edition}")
        return found

    def why(self, day: date) -> str | None:
        """Returns the name of the holiday or closed day that a day is, or None."""
        return next((one.name for one in (*self.holidays, *self.closures) if one.on == day), None)

    meetings: tuple[date, ...] = ()
    """Days of the body's own meetings, from its file; none in a nation's file."""

    def rests(self, day: date) -> bool:
        """Returns whether the day is no working day: a weekend, bank holiday or office closure (DEF-04)."""
        return day.weekday() >= 5 or day in self._resting

    @cached_property
    def _resting(self) -> frozenset[date]:
        return frozenset(h.on for h in (*self.holidays, *self.closures))


class Reckoned(State):
    """A date with its whole reason, so that it can be explained to the person it binds."""

    date: Day
    start: Day
    start_event: str
    rule: str
    cites: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    skipped: tuple[Day, ...] = ()
    calendar: str | None = None
    provisional: bool = False


Unit = Literal["days", "weeks", "months", "years", "working_days"]


def add_months(anchor: date, months: int) -> date:
    """Returns the corresponding date, or the last day of a shorter month (DEF-03); count from the anchor each time."""
    years, month0 = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    return date(year, month0 + 1, min(anchor.day, month_lengths.monthrange(year, month0 + 1)[1]))


def add_working_days(start: date, days: int, calendar: Calendar) -> tuple[date, tuple[date, ...]]:
    """Returns the nth working day after `start` (DEF-04: day 1 is the first one after it) and the days skipped."""
    day, left, skipped = start, days, []
    while left:
        day += ONE_DAY
        if calendar.rests(day):
            skipped.append(day)
        else:
            left -= 1
    return day, tuple(skipped)


def subtract_working_days(day: date, days: int, calendar: Calendar) -> date:
    """Returns the nth working day before `day`, for reminders."""
    while days:
        day -= ONE_DAY
        days -= not calendar.rests(day)
    return day


def after(start: date, count: int, unit: Unit, calendar: Calendar) -> tuple[date, tuple[date, ...]]:
    """Returns the date `count` units after `start` (day 0), and the days that did not count."""
    match unit:
        case "days":
            return start + timedelta(days=count), ()
        case "weeks":
            return start + timedelta(weeks=count), ()
        case "months":
            return add_months(start, count), ()
        case "years":
            return add_months(start, 12 * count), ()
        case "working_days":
            return add_working_days(start, count, calendar)


def after_calendar(start: date, count: int, unit: Unit) -> date:
    """Returns the date a period of days, weeks, months or years ends: none of them needs a calendar of holidays."""
    match unit:
        case "months" | "years":
            return add_months(start, count * (12 if unit == "years" else 1))
        case _:
            return start + timedelta(days=count * (7 if unit == "weeks" else 1))


def london_date(instant: datetime) -> date:
    """Returns the civil date in London at an instant (DEF-01)."""
    return instant.astimezone(LONDON).date()


def first_instant(day: date) -> datetime:
    """Returns the UTC instant at which the London day begins; never N x 24 hours from another day."""
    return datetime.combine(day, time(0), LONDON).astimezone(UTC)


POST_DAYS = {"first-class-post": 2, "second-class-post": 4, "economy-post": 8}


def deemed_notified(sent: date, method: str, calendar: Calendar) -> date:
    """Returns the date of notification by method (DEF-06; EH-160 for economy post): post takes working days, anything else the same day."""
    return add_working_days(sent, POST_DAYS[method], calendar)[0] if method in POST_DAYS else sent


def in_words(day: date) -> str:
    """Returns the date as a letter prints it, with its weekday: Monday 29 March 2027."""
    return f"{day:%A} {day.day} {day:%B %Y}"
