"""python -m worker: runs a worker until it is told to stop, as a container's only process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress

from pydantic import ValidationError

from worker.keys import NoKeys, NoMaster
from worker.logs import NoLogs, keep_logs
from worker.post import NoPost
from worker.profile import NoProfile
from worker.release import release
from worker.run import run_worker
from worker.settings import Settings, wrong_settings
from worker.signers import NoSigners
from worker.telemetry import NoMetrics

log = logging.getLogger("evenhand.worker")


async def work_until_told(settings: Settings) -> None:
    """Run a worker; on SIGTERM or SIGINT it takes no new work, ends what it holds, and this returns."""
    work = asyncio.ensure_future(run_worker(settings))
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, work.cancel)
    with suppress(asyncio.CancelledError):
        await work


def main() -> int:
    """Returns the exit code: 0 when told to stop, 1 when the worker could not start or go on."""
    try:
        settings = Settings()
    except ValidationError as error:
        print(wrong_settings(error), file=sys.stderr)
        return 1
    try:
        keep_logs(settings)
    except NoLogs as error:
        print(error, file=sys.stderr)
        return 1
    about = {"namespace": settings.temporal_namespace, "server": settings.temporal_address, "queue": settings.task_queue}
    log.info("Working.", extra={**about, "build": release()})
    try:
        asyncio.run(work_until_told(settings))
    except (NoPost, NoMetrics, NoSigners, NoKeys, NoMaster, NoProfile) as error:
        log.error("The settings cannot be used.", extra={"setting": str(error).splitlines()})
        return 1
    except RuntimeError as error:  # the SDK's word for an engine that is not reached, among others
        away = "connect" in str(error).lower()
        log.error(
            "The worker could not go on: the engine is not reached." if away else "The worker could not go on.", extra=about, exc_info=error
        )
        return 1
    except Exception:
        log.exception("The worker could not go on.")
        return 1
    log.info("Told to stop, and stopped.")
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK can crash while the interpreter takes itself down
