"""The codec server: the Temporal UI and binary send it sealed payloads and show what it answers, to people who are signed in.

Opened are payloads of the cases of which they may see all (starter/payload_reading.py); who read payloads of which case, or was shown none,
is in the records before anything is answered. Without this server they see that something is sealed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cachetools import TTLCache
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from sqlalchemy import Engine
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from records.case_key import CaseKey
from records.database import reading, transaction
from records.keys import Keys
from records.reads import note_reads
from starter.codec_sign_in import NoProvider, NotSignedIn, SignIn
from starter.payload_reading import NOT_SHOWN, Glances, knows, lines_of, this_machine
from starter.reading import A_CASE, Reader
from workflows.codec import ENCODING, KEY, opened, placeholder, sealed
from workflows.reading import SEALED

log = logging.getLogger("evenhand.codec")
LONGEST = 4 * 2**20
"""Bytes of one request; the engine itself takes no payload of 2 MiB."""
MOST = 1000
"""Payloads in one request."""
A_MINUTE = 3000
"""Requests of one person: a page of the UI asks some hundred times."""
FAILURES_A_MINUTE = 30
COOKIE = "evenhand-codec"
CASE = "x-evenhand-case"


@dataclass
class Codec:
    """What the server needs: the keys, the records for the read log, who may ask, and what time it is."""

    keys: Keys
    engine: Engine
    sign_in: SignIn
    clock: Callable[[], datetime]
    origin: str
    counts: TTLCache[str, int] = field(default_factory=lambda: TTLCache(10_000, 60))
    glances: Glances = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.glances = Glances(self.sign_in.claim)

    async def decode(self, request: Request) -> Response:
        """Answer what is sealed; what is plain as it came, and a placeholder where the key is gone, or they may not see it."""
        who, payloads = await self._who(request), await _payloads(request)
        return _answer(await run_in_threadpool(self._opened, payloads, who))

    async def encode(self, request: Request) -> Response:
        """Seal for the case that the header X-Evenhand-Case names. Without it nobody can tell which key, and payloads stay as they came."""
        who = await self._who(request)
        payloads, case = await _payloads(request), request.headers.get(CASE, "")
        if not case:
            return _answer(payloads)
        key = await run_in_threadpool(self._key_of, case, who)
        return _answer([one if one.metadata.get("encoding") == ENCODING else sealed(one, key) for one in payloads])

    async def enter(self, request: Request) -> Response:
        """Let a browser in that brings the token shown at start: a cookie for this server alone, until the browser is closed."""
        token = request.query_params.get("token", "")
        await self._checked(request, token)
        answer = PlainTextResponse("Signed in. In the Temporal UI, set this server as codec endpoint, with cross-origin credentials.")
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
        return answer

    async def _who(self, request: Request) -> str:
        if request.headers.get("origin", self.origin) != self.origin:
            raise HTTPException(403, "Another page than the Temporal UI asked.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        return await self._checked(request, bearer or request.cookies.get(COOKIE, ""))

    async def _checked(self, request: Request, token: str) -> str:
        place = f"from {request.client.host if request.client else 'nowhere'}"
        if self.counts.get(place, 0) >= FAILURES_A_MINUTE:
            raise HTTPException(429, "Too many tokens that are not good; wait a minute.")
        try:
            who = await run_in_threadpool(self.sign_in.who, token)
        except NotSignedIn as problem:
            self._count(place)
            raise HTTPException(401, f"Sign in: {problem}.", {"WWW-Authenticate": "Bearer"}) from None
        except NoProvider as problem:
            raise HTTPException(503, f"Nobody can be let in: {problem}.") from None
        if self._count(f"by {who}") > A_MINUTE:
            raise HTTPException(429, "Too many requests; wait a minute.")
        return who

    def _count(self, what: str) -> int:
        self.counts[what] = self.counts.get(what, 0) + 1
        return self.counts[what]

    def _key_of(self, case: str, who: str) -> CaseKey:
        """Returns the key of a case that the records know; no other is made. Raises HTTPException."""
        with reading(self.engine) as session:
            at = self.clock()
            known = knows(session, case, self._reader(session, who, at), at=at) if A_CASE.fullmatch(case) else False
        if known is None:
            raise HTTPException(403, "Nothing is sealed for people who are on no staff list.")
        if not known:
            raise HTTPException(404, "The records hold no case that X-Evenhand-Case names; open it first.")
        return self.keys.of(case)

    def _reader(self, session: Session, who: str, at: datetime) -> Reader:
        return this_machine() if self.sign_in.local else self.glances.reader(session, who, at=at)

    def _opened(self, payloads: list[Payload], who: str) -> list[Payload]:
        """Returns the payloads opened that they may see, once it is written down who asked for them."""
        found = [(one, self.keys.by_id(one.metadata[KEY].decode(errors="replace")) if _is_sealed(one) else None) for one in payloads]
        cases = {key.case for _, key in found if key is not None}
        may = self._noted(cases, who) if cases else frozenset()
        return [_shown(_for(one, key, may)) if _is_sealed(one) else one for one, key in found]

    def _noted(self, cases: set[str], who: str) -> frozenset[str]:
        """Returns the cases whose payloads somebody may see, now that it is written down what they were shown of each."""
        at = self.clock()
        with transaction(self.engine) as session:
            reader = self._reader(session, who, at)
            seen = {case: self.glances.of(session, case, reader, at=at) for case in cases}
            note_reads(session, lines_of(seen.items(), reader), at=at)
        return frozenset(case for case, one in seen.items() if one.opens)


def app_of(codec: Codec) -> Starlette:
    """Returns the server as an ASGI application."""
    routes = [
        Route("/decode", codec.decode, methods=["POST"]),
        Route("/encode", codec.encode, methods=["POST"]),
        Route("/sign-in", codec.enter, methods=["GET"]),
    ]
    headers = ["authorization", "content-type", "x-namespace", CASE]
    cors = Middleware(CORSMiddleware, allow_origins=[codec.origin], allow_methods=["POST"], allow_headers=headers, allow_credentials=True)
    return Starlette(routes=routes, middleware=[cors], exception_handlers={HTTPException: _refused, Exception: _failed})


def _is_sealed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING and KEY in payload.metadata


def _for(payload: Payload, key: CaseKey | None, may: frozenset[str]) -> Payload:
    return opened(payload, key) if key is None or key.case in may else placeholder(NOT_SHOWN)


def _shown(payload: Payload) -> Payload:
    """Returns an opened payload as its sender made it."""
    payload.metadata.pop(SEALED, None)
    return payload


async def _payloads(request: Request) -> list[Payload]:
    """Returns the payloads of a request. Raises HTTPException that says what was wrong, and quotes nothing."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            raise HTTPException(413, f"More than {LONGEST} bytes.")
    try:
        given = ParseDict(json.loads(bytes(body)), Payloads())
    except (ParseError, ValueError, RecursionError, TypeError, AttributeError):
        raise HTTPException(400, 'No payloads: send {"payloads": [{"metadata": {"encoding": "..."}, "data": "..."}]}.') from None
    if len(given.payloads) > MOST:
        raise HTTPException(413, f"More than {MOST} payloads.")
    return list(given.payloads)


def _answer(payloads: list[Payload]) -> Response:
    return JSONResponse({"payloads": [MessageToDict(one) for one in payloads]}, headers={"Cache-Control": "no-store"})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    """Answer a fault in the program, or a database that is away: its kind goes into the log, its text nowhere."""
    log.error("The codec server could not answer: %s", type(error).__name__)
    return JSONResponse({"error": "The codec server could not answer."}, status_code=500)
