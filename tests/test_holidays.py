"""The pinned bank holidays of the three nations, each day held against two libraries; every difference is named with its reason.

A difference that nobody has named fails, and so does a named one that is gone."""

from __future__ import annotations

import hashlib
from datetime import date

import holidays
import pytest
from govuk_bank_holidays.bank_holidays import BankHolidays

from policies import load
from policies.load import Unreadable

NATIONS = ("england-and-wales", "scotland", "northern-ireland")
SUBDIVISIONS = [("england-and-wales", "ENG"), ("england-and-wales", "WLS"), ("scotland", "SCT"), ("northern-ireland", "NIR")]

ONLY_PINNED_NOT_GOVUK = {
    "england-and-wales": {},
    "scotland": {date(2026, 6, 15): "World Cup, by Royal Proclamation of 3 February 2026; the library's carried file is older"},
    "northern-ireland": {},
}
"""Days that the pinned table has and `govuk-bank-holidays` has not, each with the reason. There is none the other way."""

WEEKEND_ORIGINALS = {
    "england-and-wales": {
        date(2012, 1, 1): date(2012, 1, 2),  # New Year’s Day
        date(2015, 12, 26): date(2015, 12, 28),  # Boxing Day
        date(2016, 12, 25): date(2016, 12, 27),  # Christmas Day
        date(2017, 1, 1): date(2017, 1, 2),  # New Year’s Day
        date(2020, 12, 26): date(2020, 12, 28),  # Boxing Day
        date(2021, 12, 25): date(2021, 12, 27),  # Christmas Day
        date(2021, 12, 26): date(2021, 12, 28),  # Boxing Day
        date(2022, 1, 1): date(2022, 1, 3),  # New Year’s Day
        date(2022, 12, 25): date(2022, 12, 27),  # Christmas Day
        date(2023, 1, 1): date(2023, 1, 2),  # New Year’s Day
        date(2026, 12, 26): date(2026, 12, 28),  # Boxing Day
        date(2027, 12, 25): date(2027, 12, 27),  # Christmas Day
        date(2027, 12, 26): date(2027, 12, 28),  # Boxing Day
        date(2028, 1, 1): date(2028, 1, 3),  # New Year’s Day
    },
    "scotland": {
        date(2012, 1, 1): date(2012, 1, 3),  # New Year’s Day
        date(2013, 11, 30): date(2013, 12, 2),  # St Andrew’s Day
        date(2014, 11, 30): date(2014, 12, 1),  # St Andrew’s Day
        date(2015, 12, 26): date(2015, 12, 28),  # Boxing Day
        date(2016, 1, 2): date(2016, 1, 4),  # 2nd January
        date(2016, 12, 25): date(2016, 12, 27),  # Christmas Day
        date(2017, 1, 1): date(2017, 1, 3),  # New Year’s Day
        date(2019, 11, 30): date(2019, 12, 2),  # St Andrew’s Day
        date(2020, 12, 26): date(2020, 12, 28),  # Boxing Day
        date(2021, 1, 2): date(2021, 1, 4),  # 2nd January
        date(2021, 12, 25): date(2021, 12, 27),  # Christmas Day
        date(2021, 12, 26): date(2021, 12, 28),  # Boxing Day
        date(2022, 1, 1): date(2022, 1, 3),  # New Year’s Day
        date(2022, 1, 2): date(2022, 1, 4),  # 2nd January
        date(2022, 12, 25): date(2022, 12, 27),  # Christmas Day
        date(2023, 1, 1): date(2023, 1, 2),  # New Year’s Day
        date(2024, 11, 30): date(2024, 12, 2),  # St Andrew’s Day
        date(2025, 11, 30): date(2025, 12, 1),  # St Andrew’s Day
        date(2026, 12, 26): date(2026, 12, 28),  # Boxing Day
        date(2027, 1, 2): date(2027, 1, 4),  # 2nd January
        date(2027, 12, 25): date(2027, 12, 27),  # Christmas Day
        date(2027, 12, 26): date(2027, 12, 28),  # Boxing Day
        date(2028, 1, 1): date(2028, 1, 3),  # New Year’s Day
        date(2028, 1, 2): date(2028, 1, 4),  # 2nd January
    },
    "northern-ireland": {
        date(2012, 1, 1): date(2012, 1, 2),  # New Year’s Day
        date(2012, 3, 17): date(2012, 3, 19),  # St Patrick’s Day
        date(2013, 3, 17): date(2013, 3, 18),  # St Patrick’s Day
        date(2014, 7, 12): date(2014, 7, 14),  # Battle of the Boyne (Orangemen’s Day)
        date(2015, 7, 12): date(2015, 7, 13),  # Battle of the Boyne (Orangemen’s Day)
        date(2015, 12, 26): date(2015, 12, 28),  # Boxing Day
        date(2016, 12, 25): date(2016, 12, 27),  # Christmas Day
        date(2017, 1, 1): date(2017, 1, 2),  # New Year’s Day
        date(2018, 3, 17): date(2018, 3, 19),  # St Patrick’s Day
        date(2019, 3, 17): date(2019, 3, 18),  # St Patrick’s Day
        date(2020, 7, 12): date(2020, 7, 13),  # Battle of the Boyne (Orangemen’s Day)
        date(2020, 12, 26): date(2020, 12, 28),  # Boxing Day
        date(2021, 12, 25): date(2021, 12, 27),  # Christmas Day
        date(2021, 12, 26): date(2021, 12, 28),  # Boxing Day
        date(2022, 1, 1): date(2022, 1, 3),  # New Year’s Day
        date(2022, 12, 25): date(2022, 12, 27),  # Christmas Day
        date(2023, 1, 1): date(2023, 1, 2),  # New Year’s Day
        date(2024, 3, 17): date(2024, 3, 18),  # St Patrick’s Day
        date(2025, 7, 12): date(2025, 7, 14),  # Battle of the Boyne (Orangemen’s Day)
        date(2026, 7, 12): date(2026, 7, 13),  # Battle of the Boyne (Orangemen’s Day)
        date(2026, 12, 26): date(2026, 12, 28),  # Boxing Day
        date(2027, 12, 25): date(2027, 12, 27),  # Christmas Day
        date(2027, 12, 26): date(2027, 12, 28),  # Boxing Day
        date(2028, 1, 1): date(2028, 1, 3),  # New Year’s Day
    },
}
"""Days that `holidays` lists and the pinned table does not: holidays that fell on a weekend, each with the weekday given instead.
They are no difference for counting: a weekend day is no working day in any case, and the substitute is in all three."""

FIRST_TABLES = {
    "england-and-wales": "bd524604eac51d8fe603a31b4ff1bd03b7eeed2f873c20d7f00c2006488bb42e",
    "scotland": "f02a94e6f48abe74c640e38d2c70b6e29b89ab4f4cb79f42ad449fabdbe17e69",
    "northern-ireland": "33166c890887183fa5feea18b8899f81991da5b4c65cb762bf32387dba4cfe5c",
}
"""sha256 of the tables that the first release shipped: open cases count with them."""


def pinned(nation: str) -> dict[date, str]:
    return {holiday.on: holiday.name for holiday in load.calendar(nation).holidays}


def by_govuk(nation: str) -> set[date]:
    return {holiday["date"] for holiday in BankHolidays(use_cached_holidays=True).get_holidays(division=nation)}


def by_holidays(nation: str, subdivision: str) -> set[date]:
    known = pinned(nation)
    years = range(min(known).year, load.calendar(nation).known_until.year + 1)
    assert len(years) >= 17, f"only {len(years)} years to compare"
    return set(holidays.country_holidays("GB", subdiv=subdivision, years=years))


def unnamed(found: set[date], named: set[date]) -> tuple[list[date], list[date]]:
    """Returns the differences nobody has named, and the named ones that are gone."""
    return sorted(found - named), sorted(named - found)


@pytest.mark.parametrize("nation", NATIONS)
def test_the_pinned_holidays_are_those_of_govuk_but_for_the_named(nation: str):
    """DEF-04: the files name GOV.UK as their source."""
    ours, theirs = set(pinned(nation)), by_govuk(nation)
    print(f"{nation}: {len(ours)} days compared")

    assert len(ours) >= 140
    assert unnamed(theirs - ours, set()) == ([], [])
    assert unnamed(ours - theirs, set(ONLY_PINNED_NOT_GOVUK[nation])) == ([], [])


@pytest.mark.parametrize(("nation", "subdivision"), SUBDIVISIONS)
def test_the_pinned_holidays_are_those_of_the_holidays_library_but_for_weekend_originals(nation: str, subdivision: str):
    """DEF-04: England and Wales share one table."""
    ours, theirs = set(pinned(nation)), by_holidays(nation, subdivision)

    assert unnamed(ours - theirs, set()) == ([], [])
    assert unnamed(theirs - ours, set(WEEKEND_ORIGINALS[nation])) == ([], [])


@pytest.mark.parametrize(("nation", "differences"), [("england-and-wales", 14), ("scotland", 24), ("northern-ireland", 24)])
def test_every_named_difference_is_a_weekend_day_whose_substitute_is_pinned(nation: str, differences: int):
    """DEF-04: substitutes included; none of the differences moves a working day."""
    named = WEEKEND_ORIGINALS[nation]
    assert len(named) == differences
    assert all(day.weekday() >= 5 for day in named)
    assert all(substitute in pinned(nation) and 0 < (substitute - day).days <= 3 for day, substitute in named.items())
    assert len(set(named.values())) == len(named), "two days with one substitute"


def test_a_difference_that_nobody_named_and_a_named_one_that_is_gone_are_both_found():
    """The guard itself: it would see a day left out of the pinned table, and a library that has caught up."""
    ours, theirs = set(pinned("scotland")), by_govuk("scotland")
    named = set(ONLY_PINNED_NOT_GOVUK["scotland"])
    boxing = date(2028, 12, 26)

    assert unnamed(theirs - (ours - {boxing}), set()) == ([boxing], [])
    assert unnamed(ours - (theirs | named), named) == ([], sorted(named))


@pytest.mark.parametrize("nation", NATIONS)
def test_a_table_says_until_when_it_is_known_and_reaches_no_further(nation: str):
    """Design 4: the pinned file carries nation, source, date checked and known_until."""
    table = load.calendar(nation)
    assert table.nation == nation
    assert table.edition == f"{nation}-{table.checked_on}"
    assert table.source
    assert max(pinned(nation)).year == table.known_until.year
    assert table.checked_on < table.known_until
    assert all(day.weekday() < 5 for day in pinned(nation))


@pytest.mark.parametrize("nation", NATIONS)
def test_a_table_once_shipped_is_never_edited(nation: str):
    """Open cases count with it by its name: a later table is a file of its own, or their dates would move in silence."""
    file = load.HOME / "calendars" / f"{nation}.yaml"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == FIRST_TABLES[nation]


TABLE = """\
edition: scotland-2027-01-05
nation: scotland
checked_on: 2027-01-05
source: an example
known_until: 2027-12-31
holidays:
  - {on: 2027-01-01, name: New Year}
  - {on: 2027-01-04, name: 2nd January}
  - {on: 2027-03-26, name: Good Friday}
  - {on: 2027-05-03, name: Early May}
  - {on: 2027-05-31, name: Spring}
  - {on: 2027-08-02, name: Summer}
  - {on: 2027-11-30, name: St Andrew}
  - {on: 2027-12-27, name: Christmas}
  - {on: 2027-12-28, name: Boxing Day}
"""


def test_a_whole_table_is_read():
    assert len(load.table_of(TABLE, "new.yaml").holidays) == 9


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2027-12-28, name", "2027-12-27, name", "new.yaml:15:6: holidays.8.on: 2027-12-27 is listed already, as number 8; one line a day"),
        ("on: 2027-08-02", "on: 2027-08-01", "new.yaml:12:6: holidays.5.on: 2027-08-01 is a Sunday, no working day in any case"),
        ("on: 2027-12-28", "on: 2028-01-03", "holidays.8.on: 2028-01-03 lies after known_until, 2027-12-31"),
        ("  - {on: 2027-08-02, name: Summer}\n", "", "new.yaml:5:1: known_until: 2027 has 8 days and a year has at least 9"),
        ("edition: scotland", "edition: england", "new.yaml:1:1: edition: an edition is named after its nation, like scotland-2027-01-05"),
        ("nation: scotland", "nation: cornwall", "new.yaml:2:1: nation: Input should be 'england-and-wales', 'scotland' or"),
        ("2027-01-01", "2027-02-30", "day is out of range"),
        ("source: an example\n", "", "new.yaml:1:1: source: Field required"),
        ("holidays:", "closures: []\nholidays:", "new.yaml:6:1: closures: Extra inputs are not permitted"),
    ],
)
def test_a_table_at_fault_is_refused_with_line_and_column(old: str, new: str, said: str):
    assert old in TABLE
    with pytest.raises(Unreadable) as fault:
        load.table_of(TABLE.replace(old, new, 1), "new.yaml")
    assert said in str(fault.value)
