"""The command line. Exit codes: 0 done, 1 refused or different, 2 not understood, 3 engine, records or keys away, 4 no such thing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from records.no_keys import NoKeys, NoMaster
from starter.show import as_json, complain, out, progress, said, table

OK, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4

if TYPE_CHECKING:  # the engine is imported only by the commands that use it
    from starter.rehearse import Performance
    from starter.script import Read

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Unreasonable-customer-behaviour cases, each under its body's own policy."
)


def main() -> None:
    """Run the command line and end the process: what used the engine may crash at interpreter exit, so nothing runs after this."""
    code = _run()
    _flush_traces()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _flush_traces() -> None:
    if "worker.tracing" in sys.modules:  # only commands that speak to the engine trace anything
        sys.modules["worker.tracing"].flush_traces()


def _run() -> int:
    _add_groups()
    try:
        result = app(standalone_mode=False)
    except typer.Exit as exit:
        return exit.exit_code
    except TyperException as error:  # typer's own; click's, of the same names, are others
        _show(error)
        return MISUNDERSTOOD
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except (NoKeys, NoMaster) as error:
        complain(str(error))
        return REFUSED
    except ValidationError as error:
        from worker.settings import wrong_settings

        if (told := wrong_settings(error)) is None:
            raise
        complain(told)
        return MISUNDERSTOOD
    except Exception as error:
        from starter.faults import told_of

        if (fault := told_of(error)) is None:
            raise
        complain(fault.text)
        return fault.code
    return result if isinstance(result, int) else OK


def _show(error: TyperException) -> None:
    """Print what was not understood, on one line with where the help is; a call without a command gets the help itself."""
    context = getattr(error, "ctx", None)
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        out.print(text, markup=False, end="")
    else:
        complain(f"{text.rstrip('.')}. Try: {context.command_path if context else 'evenhand'} --help")


def _add_groups() -> None:
    from starter.cli_audit import audit_app
    from starter.cli_audit_reads import add_reads
    from starter.cli_backup import backup, restore
    from starter.cli_body import body_app
    from starter.cli_bundle import bundle
    from starter.cli_calendar import calendar_app, undelivered
    from starter.cli_case import case_app, tasks
    from starter.cli_codec import codec_app
    from starter.cli_contact import contact_app
    from starter.cli_destroy import destroy_app
    from starter.cli_doctor import doctor
    from starter.cli_edition import diff, move, what_if
    from starter.cli_engine import engine_app
    from starter.cli_feed import feed
    from starter.cli_inbox import inbox
    from starter.cli_keys import keys_app
    from starter.cli_letter import letter_app
    from starter.cli_letter_kept import list_letters, show
    from starter.cli_master_keys import add_commands
    from starter.cli_policy import clauses, policy_app
    from starter.cli_post import post_app
    from starter.cli_post_staff import staff
    from starter.cli_register import register_app
    from starter.cli_sign_in import sign_in, sign_out, who
    from starter.cli_signed import signatures
    from starter.cli_staff import staff_app
    from starter.cli_text import text_app

    case_app.command()(signatures)
    app.add_typer(case_app, name="case")
    app.add_typer(contact_app, name="contact")
    app.command()(bundle)
    calendar_app.command()(feed)
    letter_app.command("list")(list_letters)
    letter_app.command()(show)
    post_app.command()(staff)
    app.add_typer(destroy_app, name="destroy")
    add_reads(audit_app)
    app.add_typer(audit_app, name="audit")
    app.add_typer(body_app, name="body")
    policy_app.command()(diff)
    policy_app.command("what-if")(what_if)
    policy_app.command()(move)
    app.add_typer(policy_app, name="policy")
    app.add_typer(calendar_app, name="calendar")
    app.add_typer(engine_app, name="engine")
    add_commands(keys_app)
    app.add_typer(keys_app, name="keys")
    app.add_typer(register_app, name="register")
    app.add_typer(letter_app, name="letter")
    app.add_typer(post_app, name="post")
    app.command()(doctor)
    app.add_typer(staff_app, name="staff")
    app.command("sign-in")(sign_in)
    app.command("sign-out")(sign_out)
    app.command()(who)
    app.add_typer(text_app, name="text")
    app.add_typer(codec_app, name="codec")
    app.command()(tasks)
    app.command()(undelivered)
    app.command()(inbox)
    app.command()(backup)
    app.command()(restore)
    app.command()(clauses)


def run(work: Coroutine[object, object, T], *, logged_from: str = "WARNING") -> T:
    """Run one piece of work against the engine, its absence told in one line; what is logged meanwhile is logged as by a worker."""
    from records.inbox import IdTaken, NoRunningCase
    from starter.cases import AlreadyOpen, NoSuchCase, Unavailable, Unfit
    from starter.signer import BadKey
    from starter.standing import NoCase
    from worker.logs import NoLogs, keep_logs
    from worker.profile import NoProfile, NotRunning
    from worker.server import NoServer
    from worker.settings import Settings

    try:
        keep_logs(Settings(), least=logged_from)
    except NoLogs as error:
        work.close()
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    except ValidationError:
        work.close()
        raise
    try:
        return asyncio.run(work)
    except (NoSuchCase, NoCase, NoRunningCase) as error:
        complain(str(error))
        raise typer.Exit(UNKNOWN) from None
    except (BadKey, Unfit) as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    except (AlreadyOpen, IdTaken) as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    except (Unavailable, NoServer, NotRunning) as error:
        complain(str(error))
        raise typer.Exit(UNREACHED) from None
    except NoProfile as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    except RuntimeError as error:
        if "connect" not in str(error).lower():
            raise
        complain("The Temporal server cannot be reached. Start it with evenhand up, or set EVENHAND_TEMPORAL_ADDRESS.")
        raise typer.Exit(UNREACHED) from None


@app.command()
def up(once: Annotated[bool, typer.Option("--once", help="Leave when the sample cases have their letters.")] = False) -> None:
    """Start an embedded Temporal server and a worker, with sample cases on a first start; stays up until Ctrl-C."""
    from policies.load import Unreadable
    from starter.local import run_local
    from starter.overview import print_overview
    from starter.samples import SampleFailed
    from starter.server import CannotStart
    from starter.signer import BadKey
    from worker.keys import MASTER
    from worker.post import NoPost
    from worker.settings import Settings
    from worker.telemetry import NoMetrics

    master = Settings().folder.resolve() / MASTER
    made_now = not master.exists()
    with progress("starting") as bar:

        def ready(settings: object, engine: object, letters: object) -> None:
            if bar is not None:
                bar.stop()
            print_overview(settings, engine, letters, stays=not once)  # type: ignore[arg-type]  # as run_local gives them
            if made_now and master.exists():
                out.print(f"Made the master key {master}, which every case's key is wrapped by: a key for trying out.", markup=False)

        try:
            run(run_local(Settings(), once=once, progress=lambda text: said(bar, text), ready=ready))
        except (BadKey, CannotStart, NoMetrics, NoPost, SampleFailed, Unreadable) as error:
            complain(str(error))
            raise typer.Exit(REFUSED) from None
        except (KeyboardInterrupt, asyncio.CancelledError):
            out.print("Stopped. The cases wait; start again and they go on.")


@app.command()
def worker() -> None:
    """Run a worker against the engine and records that the settings (EVENHAND_...) name, until it is stopped."""
    from worker.post import NoPost
    from worker.run import run_worker
    from worker.settings import Settings
    from worker.signers import NoSigners
    from worker.telemetry import NoMetrics

    try:
        run(run_worker(Settings.local()), logged_from="DEBUG")
    except (NoPost, NoMetrics, NoSigners) as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None


@app.command()
def rehearse(
    files: Annotated[list[Path], typer.Argument(help="Rehearsal files, or folders of them.")],
    json: Json = False,
    jobs: Annotated[int, typer.Option(help="How many to play at a time.", min=1, max=16)] = 2,
) -> None:
    """Play whole cases on a real engine with time skipped, and say where they differ from what was expected."""
    from policies.load import Unreadable
    from starter.rehearse import CannotPlay
    from starter.script import read_script

    paths = [path for given in files for path in (sorted(given.glob("*.yaml")) if given.is_dir() else [given])]
    if not paths:
        complain("no rehearsal files there")
        raise typer.Exit(MISUNDERSTOOD)
    try:
        scripts = [read_script(path) for path in paths]
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    try:
        performances = run(_play(scripts, jobs))
    except CannotPlay as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    if json:
        as_json(performances)
    else:
        _tell(performances)
    raise typer.Exit(REFUSED if any(one.differences for one in performances) else OK)


async def _play(scripts: Sequence[Read], jobs: int) -> list[Performance]:
    from starter.rehearse import rehearse as play

    gate = asyncio.Semaphore(jobs)
    with progress(f"{len(scripts)} rehearsals") as bar:
        done = 0

        async def one(script: Read) -> Performance:
            nonlocal done
            async with gate:
                performance = await play(script)
            done += 1
            if bar is not None:
                said(bar, f"{done} of {len(scripts)}: {script.script.title}")
            return performance

        return list(await asyncio.gather(*(one(script) for script in scripts)))


def _tell(performances: Sequence[Performance]) -> None:
    rows = [("as expected" if not one.differences else "DIFFERS", one.policy, one.title, f"{one.seconds:.1f} s") for one in performances]
    table(("", "policy", "rehearsal", ""), rows)
    for one in performances:
        for line in one.differences:
            out.print(line, markup=False)
