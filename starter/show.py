"""Facts as people and scripts read them: tables and plain lines, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

WIDE = 200
"""Columns where nobody watches, so that a script or a log gets whole lines."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def as_json(value: object) -> None:
    """Print facts as JSON."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def table(columns: Iterable[str], rows: Iterable[Iterable[object]], *, title: str | None = None) -> None:
    """Print a table; an empty one says so."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for n, column in enumerate(columns):
        made.add_column(column, no_wrap=n == 0)
    count = 0
    for row in rows:
        made.add_row(*[escape(_cell(cell)) for cell in row])
        count += 1
    if count:
        out.print(made)
    else:
        out.print("Nothing to show.")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def complain(text: str) -> None:
    """Print an error for a person."""
    err.print(f"[bold red]evenhand:[/] {escape(text)}")


@contextmanager
def progress(title: str) -> Iterator[Progress | None]:
    """Yields a progress bar where a person watches, and nothing otherwise."""
    if not err.is_terminal:
        yield None
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True) as bar:
        bar.add_task(title, total=None)
        yield bar


def said(bar: Progress | None, text: str) -> None:
    """Show what is being done now."""
    if bar is None:
        err.print(f"{escape(text)} ...")
    else:
        bar.update(bar.task_ids[0], description=escape(text))
