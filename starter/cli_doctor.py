"""evenhand doctor: everything that Evenhand stands on, one line a check."""

from __future__ import annotations

import asyncio

import typer
from rich.table import Table
from rich.text import Text

from starter.cli import OK, REFUSED, Json
from starter.show import as_json, harmless, out, several

MARK = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}


def doctor(json: Json = False) -> None:
    """Look whether engine, records, workers, letters, policies, clocks and disk are well; exit 1 where something fails."""
    from starter.doctor import examine, gravest
    from worker.settings import Settings

    found = asyncio.run(examine(Settings.local()))
    if json:
        as_json(found)
    else:
        width = max(len(one.check) for one in found)
        lines = Table.grid(padding=(0, 2, 0, 0))
        for title in (4, width, None):
            lines.add_column(width=title, overflow="fold")
        for one in found:
            said = f"{one.found}\n-> {one.todo}" if one.todo else one.found
            lines.add_row(MARK[one.state], one.check, Text(harmless(said)))
        out.print(lines)
        counts = {state: sum(one.state == state for one in found) for state in ("ok", "warn", "fail")}
        out.print(f"{several(len(found), 'check')}: {counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} failing.")
    raise typer.Exit(REFUSED if gravest(found) == "fail" else OK)
