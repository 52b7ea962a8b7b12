"""The relay beside a worker: what came in while the engine or every worker was away is passed on as soon as one is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from sqlalchemy import Engine
from temporalio.client import Client

from activities.relay import Relay
from domain.days import UTC

log = logging.getLogger("evenhand.relay")
EVERY = 5.0
"""Seconds between two looks into the inbox."""


@asynccontextmanager
async def relaying(client: Client, engine: Engine) -> AsyncIterator[None]:
    """Pass on what waits in the inbox, every few seconds, for as long as the block lasts."""
    work = asyncio.create_task(_relay(Relay(engine, client)))
    try:
        yield
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _relay(relay: Relay) -> None:
    while True:
        try:
            await relay.round(datetime.now(UTC))  # noqa: TID251  # the worker's own clock
        except Exception:  # a database that is away for a while ends no worker
            log.exception("The inbox could not be looked into.")
        await asyncio.sleep(EVERY)
