"""evenhand engine ...: whether engine and records agree, and each rebuilt from the other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, OK, REFUSED, Json, run
from starter.cli_case import _engine
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the engine is imported only by the commands that use it
    from starter.engine import Compared
    from starter.repair import Repaired

engine_app = typer.Typer(no_args_is_help=True, help="Engine and records: check that they agree, rebuild either from the other.")


@engine_app.command()
def check(json: Json = False) -> None:
    """Compare every open case in the engine with the records; exit 1 where they differ."""

    async def work() -> list[Compared]:
        from starter.engine import compare
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
        from starter.engine import rebuild as start_again
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

    try:
        keep_files(_engine(), calendars=tuple(calendar), policies=tuple(policy))
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None

    async def work() -> list[Repaired]:
        from starter.repair import repair as apply_again
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
