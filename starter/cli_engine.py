"""evenhand engine ...: whether engine and records agree, and each rebuilt from the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.administrators import administrator
from starter.cli import MISUNDERSTOOD, OK, REFUSED, UNKNOWN, Json, run
from starter.cli_case import _engine
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the engine is imported only by the commands that use it
    from activities.in_step import Compared
    from activities.reconciliation import Report
    from activities.repair import Repaired

ROUND_TAKES = 600.0
"""Seconds after which a round asked for by hand is left to end by itself."""
engine_app = typer.Typer(no_args_is_help=True, help="Engine and records: check that they agree, rebuild either from the other.")


@engine_app.command()
def check(json: Json = False) -> None:
    """Compare every open case in the engine with the records; exit 1 where they differ."""

    async def work() -> list[Compared]:
        from activities.in_step import compare
        from worker.run import connect
        from worker.settings import Settings

        return await compare(await connect(Settings.local()), _engine())

    found = run(work())
    if json:
        as_json(found)
    else:
        table(("case", "state", "seq in records", "seq in engine"), [(o.case, o.state, o.seq_in_records, o.seq_in_engine) for o in found])
    raise typer.Exit(REFUSED if any(one.state != "in step" for one in found) else 0)


@engine_app.command()
def rebuild(json: Json = False) -> None:
    """Start again the workflow of every open case that has none: where it stood, deadlines and unsent letters included."""

    async def work() -> list[str]:
        from activities.in_step import rebuild as start_again
        from worker.run import connect
        from worker.settings import Settings

        settings = Settings.local()
        return await start_again(await connect(settings), _engine(), task_queue=settings.task_queue)

    started = run(work())
    if json:
        as_json({"started": started})
    else:
        out.print(f"{several(len(started), 'workflow')} started from the records.")
        for case in started:
            out.print(f"  {case}", markup=False)


@engine_app.command()
def repair(
    calendar: Annotated[list[Path], typer.Option(help="A table of holidays that the older copy lacks; may be given again.")] = [],  # noqa: B006  # typer copies it
    policy: Annotated[list[Path], typer.Option(help="A policy file that the older copy lacks; may be given again.")] = [],  # noqa: B006  # typer copies it
    json: Json = False,
) -> None:
    """Bring records that were restored from an older copy up to date from the workflows' histories, start again the workflow of each open
    case that has none, and say what is left to do; exit 1 where something is."""
    from policies.load import Unreadable
    from starter.repair import keep_files

    by = administrator("engine repair") if calendar or policy else None
    try:
        keep_files(_engine(), calendars=tuple(calendar), policies=tuple(policy), by=by)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None

    async def work() -> list[Repaired]:
        from activities.repair import repair as apply_again
        from worker.run import connect
        from worker.settings import Settings

        settings = Settings.local()
        return await apply_again(await connect(settings), _engine(), outbox=settings.letters, task_queue=settings.task_queue)

    done = run(work())
    if json:
        as_json(done)
    else:
        columns = ("case", "acts applied again", "seq", "workflow")
        table(columns, [(one.case, one.applied, one.seq, "started again" if one.started else "") for one in done])
        for one in done:
            for line in one.left:
                out.print(f"{one.case}: {line}", markup=False)
    raise typer.Exit(REFUSED if any(one.left for one in done) else OK)


@engine_app.command()
def reconcile(
    last: Annotated[bool, typer.Option("--last", help="Only show the report of the last round.")] = False, json: Json = False
) -> None:
    """Hold every case against its records, its lists and its chains now, mend what can be derived, and name the rest; exit 1 where
    something is left. The same runs every night (EVENHAND_RECONCILE_AT)."""
    report = _last() if last else run(_reconcile())
    if report is None:
        complain("No reconciliation has come to its end yet.")
        raise typer.Exit(UNKNOWN)
    if json:
        as_json(report)
    else:
        said = f"{report.began:%Y-%m-%d %H:%M} UTC: {several(report.cases, 'case')}, {report.mended} mended, {report.left} left."
        out.print(said, markup=False)
        rows = [("left" if one.left else "mended", one.kind.replace("-", " "), one.case, one.where) for one in report.named]
        if rows:
            table(("", "what", "case", "where"), rows)
    raise typer.Exit(REFUSED if report.left else OK)


def _last() -> Report | None:
    from activities.reconciliation import last_report
    from records.database import reading

    with reading(_engine()) as session:
        return last_report(session)


async def _reconcile() -> Report:
    from activities.reconciliation import Report
    from starter.by_hand import held_now
    from worker.reconciliation import ID
    from workflows.reconciliation import TYPE

    return await held_now(TYPE, id=ID, result=Report, within=ROUND_TAKES, meanwhile="Where one is, it goes on; see --last later.")
