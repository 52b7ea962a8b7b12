"""evenhand doctor: everything that Evenhand stands on, one line a check."""

from __future__ import annotations

import asyncio

import typer

from starter.cli import OK, REFUSED, Json
from starter.show import as_json, out, several

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
        for one in found:
            out.print(f"{MARK[one.state]}  {one.check:{width}}  {one.found}", markup=False)
            if one.todo:
                out.print(f"{'':6}{'':{width}}  -> {one.todo}", markup=False)
        counts = {state: sum(one.state == state for one in found) for state in ("ok", "warn", "fail")}
        out.print(f"{several(len(found), 'check')}: {counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} failing.")
    raise typer.Exit(REFUSED if gravest(found) == "fail" else OK)
