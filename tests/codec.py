"""A codec server as tests run it: on this machine, on a free port, until the test is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from sqlalchemy import Engine

from records.keys import keys_of_engine
from starter.clock import now
from starter.codec_server import Codec, app_of
from starter.codec_sign_in import Local, SignIn

ORIGIN = "http://127.0.0.1:8233"


def codec(engine: Engine, *, sign_in: SignIn | None = None, clock: Callable[[], datetime] = now, origin: str = ORIGIN) -> Codec:
    return Codec(keys=keys_of_engine(engine), engine=engine, sign_in=sign_in or Local(), clock=clock, origin=origin)


@contextmanager
def serving(one: Codec) -> Iterator[str]:
    """Gives the server's address."""
    server = uvicorn.Server(uvicorn.Config(app_of(one), host="127.0.0.1", port=0, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < end, "in vain: the codec server starts"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
