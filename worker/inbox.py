"""python -m worker.inbox: passes on what waits in the inbox, and does nothing else; a worker does it too."""

from __future__ import annotations

import asyncio
import logging

from records.database import open_database
from worker.relay import relaying
from worker.run import connect
from worker.settings import Settings


async def relay_alone(settings: Settings) -> None:
    """Pass on until it is cancelled."""
    async with relaying(await connect(settings), open_database(settings.database)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(relay_alone(Settings()))
