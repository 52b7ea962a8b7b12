"""What the cells of a body's own spreadsheet mean: days, people, behaviours, restrictions, the state of an appeal. Nothing is guessed:
a cell that can mean two things, or nothing, is a fault that says what would be right."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping as Map
from datetime import date
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from domain.message import explained
from domain.model import Data
from domain.restrictions import Channel, Restriction, RestrictionType

NONE = ("", "none", "not recorded", "not known", "unknown", "n/a", "-")
"""Words for nothing, in any case."""
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
BRITISH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?: 00:00(?::00)?)?")
SHORT = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
SERIAL = re.compile(r"\d{4,6}([.,]\d+)?")
DAY = "a day as 2027-03-10 or 10/03/2027 (day first)"
PENDING = re.compile(r"(?:pending )?(?:since|received(?: on)?) (?P<received>\S+)")
DECIDED = re.compile(
    r"(?:received(?: on)? (?P<received>\S+?),? )?decided(?: on)? (?P<decided>[^\s:,]+)[:,]? (?:outcome:? )?(?P<outcome>.+)"
)
APPEAL = "none, window open, pending since DAY, or received DAY, decided DAY: OUTCOME"
LISTS = frozenset({"channels", "days", "dates", "topic", "topics", "settled_issues", "premises", "sites"})
"""Parameters of restrictions that are lists: their items stand apart by |."""
HELD: TypeAdapter[Restriction] = TypeAdapter(Restriction)


class Wrong(Exception):
    """A cell that cannot be used: what was found, what would be right. What was found never quotes a free text."""

    def __init__(self, found: str, right: str) -> None:
        super().__init__(f"{found}: {right}")
        self.found, self.right = found, right


def _several(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class Words(Data):
    """A map file: how a body's own spreadsheet names columns and things. Words are matched in any case."""

    columns: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    """Columns that are left out knowingly."""
    channels: dict[str, Channel] = {}
    people: dict[str, str] = {}
    """Staff ids or offices."""
    behaviours: dict[str, str] = {}
    restrictions: dict[str, Annotated[tuple[Restriction, ...], BeforeValidator(_several), Field(min_length=1)]] = {}
    outcomes: dict[str, str] = {}


def shown(text: str) -> str:
    """Returns a cell as a fault quotes it: in short."""
    one_line = " ".join(text.split())
    return repr(one_line if len(one_line) <= 40 else f"{one_line[:37]}...")


def folded(word: str) -> str:
    """Returns a word as it is compared: case, spaces, hyphens and underlines make no difference."""
    return re.sub(r"[\s_-]+", " ", word).strip().casefold()


def meant(cell: str, words: Map[str, str]) -> str | None:
    """Returns what a map file says a cell means, or None."""
    return next((value for word, value in words.items() if folded(word) == folded(cell)), None)


def day(cell: str) -> date | None:
    """Returns the day a cell holds, or None where it is empty. Raises Wrong: it never guesses which number is the month."""
    text = cell.strip()
    if folded(text) in NONE:
        return None
    if found := ISO.fullmatch(text):
        year, month, of_month = (int(part) for part in found.groups())
    elif found := BRITISH.fullmatch(text):
        of_month, month, year = (int(part) for part in found.groups())
    else:
        raise _no_day(text)
    try:
        return date(year, month, of_month)
    except ValueError:
        swapped = " (is the file in American order? then every day of it must be looked at)" if month > 12 >= of_month else ""
        raise Wrong(shown(text), f"{DAY}; there is no such day{swapped}") from None


def _no_day(text: str) -> Wrong:
    if SERIAL.fullmatch(text):
        return Wrong(f"the number {shown(text)}", f"{DAY}; a spreadsheet's own number of a day is not read: format the column as a date")
    if SHORT.fullmatch(text):
        return Wrong(shown(text), f"{DAY}; with two figures the year is not certain")
    return Wrong(shown(text), DAY)


def channel(cell: str, address: str | None, words: Words) -> Channel:
    """Returns how the customer is written to: as the cell says, or by email where the address is one, else by letter. Raises Wrong."""
    if folded(cell) in NONE:
        return "email" if address and "@" in address else "letter"
    known: dict[str, Channel] = {folded(one): one for one in get_args(Channel)}
    known |= {folded(word): one for word, one in words.channels.items()}
    if folded(cell) not in known:
        raise Wrong(shown(cell), f"one of: {', '.join(get_args(Channel))}; or a word of the map file's channels")
    return known[folded(cell)]


def appeal(cell: str, words: Words) -> dict[str, object] | None:
    """Returns the appeal a cell speaks of: received, and how it was decided. Raises Wrong."""
    text = " ".join(cell.split())
    if folded(text) in (*NONE, "window open", "open"):
        return None
    lower = text.casefold()
    if found := PENDING.fullmatch(lower):
        return {"received_on": _needed(found["received"])}
    if found := DECIDED.fullmatch(lower):
        outcome = meant(found["outcome"], words.outcomes) or found["outcome"].replace(" ", "-")
        decided = _needed(found["decided"])
        return {"received_on": _needed(found["received"]) if found["received"] else decided, "decided_on": decided, "outcome": outcome}
    raise Wrong(shown(text), APPEAL)


def _needed(text: str) -> date:
    found = day(text)
    if found is None:
        raise Wrong("no day", APPEAL)
    return found


def restrictions(cell: str, words: Words) -> tuple[Restriction, ...]:
    """Returns the restrictions a cell names: words of the map file, our type names with parameters, or JSON. Raises Wrong."""
    if folded(cell) in NONE:
        return ()
    known = {folded(word): held for word, held in words.restrictions.items()}
    if folded(cell) in known:
        return known[folded(cell)]
    if cell.strip().startswith(("[", "{")):
        return tuple(_held(one) for one in _from_json(cell))
    found: list[Restriction] = []
    for piece in _pieces(cell):
        found += known.get(folded(piece)) or (_held(_spoken(piece)),)
    return tuple(found)


def _pieces(cell: str) -> list[str]:
    """Returns what stands apart by ; or a line end, outside quotation marks."""
    if cell.count('"') % 2:
        raise Wrong(shown(cell), "each quotation mark with its other half")
    return [piece.strip() for piece in re.findall(r'(?:[^;\n"]|"[^"]*")+', cell) if piece.strip()]


def _from_json(cell: str) -> list[object]:
    try:
        given = json.loads(cell)
    except (ValueError, RecursionError):
        raise Wrong("what begins like JSON and is none", "a JSON object, or a list of them") from None
    return given if isinstance(given, list) else [given]


def _spoken(piece: str) -> dict[str, object]:
    words = shlex.shlex(piece, posix=True)
    words.whitespace_split, words.quotes, words.escape, words.commenters = True, '"', "", ""
    first, *given = list(words)
    pairs = [one.split("=", 1) for one in given]
    if first not in get_args(RestrictionType) or any(len(pair) != 2 for pair in pairs):
        offered = ", ".join(get_args(RestrictionType))
        raise Wrong(shown(piece), f"a word of the map file's restrictions, or a type with its parameters as name=value; types: {offered}")
    return {"type": first} | {name: value.split("|") if name in LISTS else value for name, value in pairs}


def _held(given: object) -> Restriction:
    try:
        return HELD.validate_python(given, extra="forbid")
    except ValidationError as error:
        kind = given.get("type") if isinstance(given, dict) else None
        raise Wrong(shown(str(kind or "no type")), explained(error)) from None
