"""Dates in a letter of another language: as numerals, which need no translation, and none that neither the policy nor the case gives.

A translation is a person's text. One that keeps a day from the letter it was written for would tell the customer a wrong last day."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from activities.letters import DATE

NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
NUMERALS = re.compile(r"\b(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b")
ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
NAMED = re.compile(r"\b(\d{1,2})\.?(?:[ \u00a0](?:de|o))?[ \u00a0]([^\W\d_]{3,})(?:[ \u00a0]de)?[ \u00a0](\d{4})\b")
"""A day, a month by its name in whichever language, a year: a day and its year are held against what is given."""

MONTHS = {name: n for n, name in enumerate(NAMES, start=1)}


def numerals(text: str) -> str:
    """Returns a text with each date in it as numerals: Friday 9 April 2027 as 09/04/2027."""
    return DATE.sub(lambda found: "{:02}/{:02}/{}".format(*_day(found[0])), text)


def strange_dates(text: str, given: Iterable[object]) -> Iterator[str]:
    """Yields the dates that a text prints and that stand in nothing it was given."""
    whole = " ".join(" ".join(str(one) for one in given).split())
    days = {_day(found) for found in DATE.findall(whole)}
    own = DATE.sub(lambda found: " " if _day(found[0]) in days else found[0], " ".join(text.split()))
    for pattern, order in ((NUMERALS, (1, 2, 3)), (ISO, (3, 2, 1))):
        for found in pattern.finditer(own):
            if tuple(int(found[n]) for n in order) not in days and found[0] not in whole:
                yield found[0]
    for found in NAMED.finditer(own):
        if (int(found[1]), int(found[3])) not in {(day, year) for day, _, year in days} and found[0] not in whole:
            yield found[0]


def _day(words: str) -> tuple[int, ...]:
    """Returns day, month and year of a date in English, with its weekday."""
    _, day, month, year = words.split()
    return int(day), MONTHS[month], int(year)
