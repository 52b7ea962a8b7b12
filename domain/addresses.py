"""Whether a letter can be posted to an address: 3 to 7 lines, the last a postcode or a country (GOV.UK Notify's letters, 2.4; EH-111)."""

from __future__ import annotations

import re

from domain.countries import COUNTRIES, HOME

FEWEST, MOST = 3, 7
"""Lines, the name among them."""
RIGHT = "Give the address line by line, or with commas: 2 to 6 lines below the name, the last a UK postcode or a country."
POSTCODE = re.compile(r"(GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2})", re.IGNORECASE)
BEFORE_IT = re.compile(rf"^(?P<before>.+?),?\s+(?P<code>{POSTCODE.pattern})$", re.IGNORECASE)
NOT_AT_A_START = '@()=[]"\\/,<>'


def address_lines(name: str, address: str | None) -> tuple[str, ...]:
    """Returns a postal address line by line with the name first, none empty, a UK postcode on a line of its own at the end."""
    given = [line.strip(" ,\t\r") for line in re.split(r", |\n", address or "")]
    lines = [line for line in given if line]
    if len(lines) > 1 and lines[-1].casefold() in HOME:
        lines.pop()
    if lines and (found := BEFORE_IT.match(lines[-1])):
        lines[-1:] = [found["before"], found["code"]]
    if lines and POSTCODE.fullmatch(lines[-1]):
        bare = lines[-1].replace(" ", "").upper()
        lines[-1] = f"{bare[:-3]} {bare[-3:]}"
    return (one_line(name), *lines)


def one_line(name: str) -> str:
    """Returns a name on one line: whatever parts its words, an envelope's line and a greeting hold it whole."""
    return " ".join(name.split())


def address_problem(name: str, address: str | None) -> str | None:
    """Returns why no letter can be posted to an address, without quoting it; or None where one can."""
    if not address or not address.strip():
        return "there is no postal address"
    lines = address_lines(name, address)
    if not FEWEST <= len(lines) <= MOST:
        return f"with the name it has {len(lines)} lines, and an envelope shows {FEWEST} to {MOST}"
    for n, line in enumerate(lines, start=1):
        if line[0] in NOT_AT_A_START:
            return f"line {n} begins with {line[0]}, which sorting machines refuse"
    if not POSTCODE.fullmatch(lines[-1]) and lines[-1].casefold() not in COUNTRIES:
        return "its last line is neither a UK postcode nor a country"
    if any("no fixed abode" in line.casefold() for line in lines):
        return "it says that there is no fixed abode"
    return None
