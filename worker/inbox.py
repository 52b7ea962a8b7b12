"""python -m worker.inbox: passes on what waits in the inbox, and does nothing else; a worker does it too."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from worker.keys import NoKeys, NoMaster, checked_for_work, records_of
from worker.logs import NoLogs, keep_logs
from worker.profile import NoProfile
from worker.relay import relaying
from worker.run import connect
from worker.settings import Settings

log = logging.getLogger("evenhand.relay")


async def relay_alone(settings: Settings) -> None:
    """Pass on until it is cancelled."""
    checked_for_work(settings)
    async with relaying(await connect(settings), records_of(settings)):
        log.info("Passing on what waits in the inbox.")
        await asyncio.Event().wait()


def main() -> int:
    """Returns the exit code: 1 where it could not start or go on."""
    settings = Settings()
    try:
        keep_logs(settings)
    except NoLogs as error:
        print(error, file=sys.stderr)
        return 1
    try:
        asyncio.run(relay_alone(settings))
    except (NoKeys, NoMaster, NoProfile) as error:
        log.error("The settings cannot be used.", extra={"setting": str(error).splitlines()})
    except KeyboardInterrupt:
        return 0
    except Exception:
        log.exception("The relay could not go on.")
    return 1


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK can crash while the interpreter takes itself down
