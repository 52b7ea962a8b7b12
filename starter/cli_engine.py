"""evenhand engine ...: whether engine and records agree, and each rebuilt from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from starter.cli import REFUSED, Json, run
from starter.cli_case import _engine
from starter.show import as_json, out, several, table

if TYPE_CHECKING:  # the engine is imported only by the commands that use it
    from starter.engine import Compared, Repaired

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
def repair(json: Json = False) -> None:
    """Bring records that were restored from an older copy up to date from the workflows' histories."""

    async def work() -> list[Repaired]:
        from starter.engine import repair as apply_again
        from worker.run import connect
        from worker.settings import Settings

        settings = Settings.local()
        return await apply_again(await connect(settings), _engine(), outbox=settings.letters)

    done = run(work())
    if json:
        as_json(done)
    else:
        table(("case", "acts applied again", "seq"), [(one.case, one.applied, one.seq) for one in done])
