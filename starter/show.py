"""Facts as people and scripts read them: tables and plain lines, or JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

WIDE = 200
"""Columns where nobody watches and none are asked for, so that a script or a log gets whole lines."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""Signs by which a text could move the cursor, colour or reorder what a terminal shows; line ends and tabs are none."""

IN_JSON = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
"""The same in JSON, which spells out the rest by itself; a lone surrogate cannot be printed at all."""


def harmless(text: str) -> str:
    """Returns a text as a terminal may show it: a sign that a terminal would obey is spelt out."""
    return CONTROL.sub(lambda sign: f"\\x{ord(sign.group()):02x}", text)


class Screen(Console):
    """A console that obeys nothing that stands in a text: cases, files and tables hold what anybody wrote."""

    def print(self, *objects: object, **how: Any) -> None:  # as rich has it
        super().print(*(harmless(one) if isinstance(one, str) else one for one in objects), **how)


WORD = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}|\S+")
"""What stays on one line: a word, or a day."""
LONG, FOLDED, SHORT, GAP = 32, 16, 8, 2
"""Signs from which a word is a hash or a path and may be folded, and to how many; up to which a cell stays whole; between two columns."""

out = Screen(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)
err = Screen(stderr=True, highlight=False, soft_wrap=True)


def several(number: int, one: str, many: str | None = None) -> str:
    """Returns a number with its noun: 1 entry, 2 entries."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def as_json(value: object) -> None:
    """Print facts as JSON, whatever a terminal would obey in them spelt as JSON spells it."""
    shown = json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(IN_JSON.sub(lambda sign: f"\\u{ord(sign.group()):04x}", shown) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def table(columns: Iterable[str], rows: Iterable[Iterable[object]], *, title: str | None = None) -> None:
    """Print a table; an empty one says so, by its title where it has one. On a screen too narrow for it each row is a paragraph."""
    columns, shown = tuple(columns), [[harmless(_cell(cell)) for cell in row] for row in rows]
    least = [_least(column, [row[n] for row in shown], whole=n == 0) for n, column in enumerate(columns)]
    if not shown:
        out.print(f"{title}: none." if title else "Nothing to show.", markup=False)
    elif sum(least) + GAP * (len(least) - 1) > out.width:
        _in_paragraphs(columns, shown, title)
    else:
        made = Table(title=escape(title) if title else None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        wanted = [max(cell_len(cell) for cell in (column, *(row[n] for row in shown))) for n, column in enumerate(columns)]
        for column, width in zip(columns, _widths(least, wanted, room=out.width - GAP * (len(columns) - 1)), strict=True):
            made.add_column(column, overflow="fold", width=width)
        for row in shown:
            made.add_row(*[escape(cell) for cell in row])
        out.print(made)


def _in_paragraphs(columns: tuple[str, ...], rows: list[list[str]], title: str | None) -> None:
    if title:
        out.print(title, markup=False, style="italic")
    for first, *others in rows:
        named = [f"{column}: {cell}" if column else cell for column, cell in zip(columns[1:], others, strict=False) if cell]
        out.print(first, markup=False, style="bold")
        out.print(Padding(Text("; ".join(named)), (0, 0, 0, 2)))


def _least(column: str, cells: list[str], *, whole: bool) -> int:
    """Returns the columns of the screen that a table's column must have: for its cells where they stay whole, else for its longest word."""
    whole = whole or max(map(cell_len, (column, *cells))) <= SHORT
    parts = [column, *cells] if whole else [word for cell in (column, *cells) for word in WORD.findall(cell)]
    lengths = [cell_len(one) for one in parts]
    return max((length if whole or length < LONG else FOLDED for length in lengths), default=0)


def _widths(least: list[int], wanted: list[int], *, room: int) -> list[int]:
    """Returns how wide each column is: what it must have, and of what is left a sign at a time for whichever wants most."""
    widths = list(least)
    for _ in range(room - sum(least)):
        n = max(range(len(widths)), key=lambda n: wanted[n] - widths[n])
        widths[n] += widths[n] < wanted[n]
    return widths


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return day_in_words(value)
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def day_in_words(day: date) -> str:
    """Returns a day as a table has it: 3 Mar 2027."""
    return f"{day.day} {day:%b %Y}"


def in_words(value: object) -> str:
    """Returns plain data as a person reads it: max contacts: 1, per: week."""
    match value:
        case dict():
            return ", ".join(f"{str(key).replace('_', ' ')}: {in_words(item)}" for key, item in value.items() if item not in (None, [], ()))
        case list() | tuple():
            return " and ".join(in_words(item) for item in value)
        case bool():
            return "yes" if value else "no"
        case str() if re.fullmatch(r"\d\d:\d\d:00", value):
            return value[:5]
        case _:
            return str(value)


def deadline_in_words(key: str | None) -> str:
    """Returns a deadline's kind and day, from the key under which the records hold it: kind:ref:day."""
    if key is None:
        return "none"
    kind, day = key.split(":", 1)[0], key.rsplit(":", 1)[1]
    return f"{kind.replace('-', ' ')} {day_in_words(date.fromisoformat(day))}"


def complain(text: str) -> None:
    """Print an error for a person."""
    shown = harmless(text)
    err.print(f"[bold red]evenhand:[/] {escape(shown)}")


@contextmanager
def progress(title: str) -> Iterator[Progress | None]:
    """Yields a progress bar where a person watches, and nothing otherwise."""
    if not err.is_terminal:
        yield None
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as bar:
        bar.add_task(title, total=None)
        yield bar


@contextmanager
def counted(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Yields what says that one more of so many is done; where a person watches, a bar shows it."""
    if not err.is_terminal:
        yield lambda: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


def said(bar: Progress | None, text: str) -> None:
    """Show what is being done now."""
    if bar is None:
        err.print(f"{escape(text)} ...")
    else:
        bar.update(bar.task_ids[0], description=escape(text))
