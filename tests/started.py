"""The command line as a process of its own, forked from one that has imported what commands need: a start from nothing takes seconds.

Nothing else is shared: environment, folder, words, input and output are the call's. What reads its environment when it is imported
(`starter.show`) is imported by each anew. That the installed program starts from nothing is held where nobody calls this:
test_docs_replayed, test_files_not_there, test_keys, test_signed_doors, test_local_run."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache, partial
from multiprocessing import forkserver
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from threading import Lock

PROGRAM = str(Path(sys.executable).with_name("evenhand"))
IMPORTED = ("typer", "rich.table", "alembic.command", "starter.cases", "starter.local", "worker.run")
AS_BEGUN = dict(os.environ)
"""What the session was started with, before a test changed it."""
STARTING = Lock()

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(list(IMPORTED))


def started(words: Sequence[str], *, env: Mapping[str, str], cwd: Path, given: str, wait: float) -> CompletedProcess[str]:
    """Run a command to its end. Raises TimeoutExpired after so many seconds, the command killed by its own id."""
    with tempfile.TemporaryDirectory(prefix="evenhand-started-") as place:
        folder = Path(place)
        (folder / "given").write_text(given, encoding="utf-8")
        command = context.Process(target=_become, args=(tuple(words), dict(env), str(cwd), place))
        with STARTING:
            _have_imported()
            command.start()
        command.join(wait)
        if command.exitcode is None:
            command.kill()
            command.join()
            raise TimeoutExpired([PROGRAM, *words], wait)
        said, complained = ((folder / name).read_text(encoding="utf-8") for name in ("said", "complained"))
        return CompletedProcess([PROGRAM, *words], command.exitcode, said, complained)


@cache
def _have_imported() -> None:
    """Begin the process that others are forked from, in the session's environment and not in that of the test that needs it first."""
    now = dict(os.environ)
    os.environ.clear()
    os.environ.update(AS_BEGUN)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(now)


def _become(words: tuple[str, ...], env: dict[str, str], cwd: str, place: str) -> None:
    """Go on as the installed program would; what it leaves uncaught is told as Python tells it."""
    for number, name, how in (
        (0, "given", os.O_RDONLY),
        (1, "said", os.O_WRONLY | os.O_CREAT),
        (2, "complained", os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(Path(place) / name, how), number)
    sys.stdin, sys.stdout = _stream(0, "r"), _stream(1, "w")
    sys.stderr = _stream(2, "w", errors="backslashreplace", buffering=1)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = [PROGRAM, *words]
    try:
        from starter.cli import main

        main()
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # something was raised
        sys.stdout.flush()
        os._exit(1)


_stream = partial(open, encoding="utf-8", closefd=False)
