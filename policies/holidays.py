"""A table of bank holidays as a file: its shape, and what is wrong with one. A day left out is a right miscounted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from domain.days import Holiday, Nation
from domain.model import Code, Data

Path = tuple[str | int, ...]
FEWEST = {"england-and-wales": 8, "scotland": 9, "northern-ireland": 10}
"""How many bank holidays a year has at the least; fewer is a table that was cut short."""


class Table(Data):
    """One edition of a nation's bank holidays, substitute days included."""

    edition: Code
    nation: Nation
    checked_on: date
    source: Annotated[str, Field(min_length=1)]
    known_until: date
    holidays: Annotated[tuple[Holiday, ...], Field(min_length=1)]


def wrong_days(table: Table) -> Iterator[tuple[Path, str]]:
    """Yields where a table says what cannot be, what was found and what would be right."""
    if not table.edition.startswith(f"{table.nation}-"):
        yield ("edition",), f"an edition is named after its nation, like {table.nation}-{table.checked_on}; found {table.edition!r}"
    seen: dict[date, int] = {}
    for n, holiday in enumerate(table.holidays):
        yield from _wrong_day(n, holiday, table, seen)
        seen.setdefault(holiday.on, n)
    yield from _short_years(table)


def _wrong_day(n: int, holiday: Holiday, table: Table, seen: dict[date, int]) -> Iterator[tuple[Path, str]]:
    where: Path = ("holidays", n, "on")
    if holiday.on in seen:
        yield where, f"{holiday.on} is listed already, as number {seen[holiday.on] + 1}; one line a day"
    if holiday.on.weekday() >= 5:
        yield where, f"{holiday.on} is a {holiday.on:%A}, no working day in any case; list the weekday given in its place"
    if holiday.on > table.known_until:
        yield where, f"{holiday.on} lies after known_until, {table.known_until}; a table is known as far as it lists"


def _short_years(table: Table) -> Iterator[tuple[Path, str]]:
    counted = Counter(holiday.on.year for holiday in table.holidays)
    last = table.known_until.year if (table.known_until.month, table.known_until.day) == (12, 31) else table.known_until.year - 1
    short = [year for year in range(min(counted), last + 1) if counted[year] < FEWEST[table.nation]]
    if short:
        year, others = short[0], f", and {len(short) - 1} more years are short" if short[1:] else ""
        said = f"{year} has {counted[year]} days and a year has at least {FEWEST[table.nation]}{others}"
        yield ("known_until",), f"{said}; add them, or set known_until to {year - 1}-12-31"
    elif last < table.known_until.year and table.known_until.month > 1 and not counted[table.known_until.year]:
        year = table.known_until.year
        yield ("known_until",), f"{year} has no day before {table.known_until}, not even New Year's; add them, or set it to {last}-12-31"
