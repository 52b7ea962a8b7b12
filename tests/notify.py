"""A loopback GOV.UK Notify: its HTTP interface, its checks, its errors word for word, and its failures on demand. It remembers.

with FakeNotify() as notify:
    notify.fail("lost")              # the next letter is taken, and the answer cut off
    carrier = notify.carrier()
    notify.days(4); notify.printed() # four days pass, then the printer runs"""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import struct
import threading
import time
import uuid
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

import jwt
from pydantic import SecretStr

from activities.carriers.notify import Notify

SERVICE, SECRET = "11111111-2222-4333-8444-555555555555", "99999999-8888-4777-8666-555555555555"
TEMPLATE = "12121212-3434-4565-8787-909090909090"
KEY = SecretStr(f"loopback-{SERVICE}-{SECRET}")
UTC = timezone.utc
OPEN = "https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
BEFORE = ("400", "403", "rate", "limit", "500", "503", "refused")
"""Faults after which nothing is there."""
AFTER = ("lost", "500-after")
"""Faults after which the letter is there, and nobody was told."""
PAGE = 250
"""Letters a list holds; the rest is on its next page."""
FIELDS = {
    "letter": {"reference", "content", "postage"},
    "email": {
        "email_address",
        "template_id",
        "personalisation",
        "reference",
        "email_reply_to_id",
        "one_click_unsubscribe_url",
        "sanitise_content_for",
    },
}
"""What a request may hold."""
NO_CONTACT = "Send files by email has not been set up"
ENDS = frozenset(("virus-scan-failed", "validation-failed", "received", "permanent-failure", "technical-failure", "delivered", "cancelled"))


@dataclass
class Sent:
    """One letter or email that Notify took."""

    id: str
    type: str
    reference: str | None
    status: str
    created_at: datetime
    content: bytes = b""
    postage: str | None = None
    email_address: str | None = None
    personalisation: dict[str, object] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    """What can be fetched by a link, by its file name."""
    kept_for: str | None = None
    """How long it can be fetched."""
    confirms: bool | None = None
    """Whether whoever fetches it must give the address."""
    completed_at: datetime | None = None


class Wrong(Exception):
    """An answer that is an error: its status and its body as Notify writes them."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"status_code": status, "errors": [{"error": kind, "message": message}]}


class FakeNotify:
    """The server, and every handle that a test may turn."""

    def __init__(self) -> None:
        self.sent: dict[str, Sent] = {}
        self.contact, self.fields = True, ["subject", "body"]
        self.faults: deque[str | Wrong] = deque()
        self.deaf: Wrong | None = None
        self.share, self.dice, self.kinds = 0.0, random.Random(0), (*BEFORE, *AFTER)
        self.asked: list[str] = []
        self.clock: datetime | None = None
        self.lock = threading.Lock()
        self.hold: threading.Event | None = None
        self.holding = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> FakeNotify:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.hold:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def carrier(self, *, key: SecretStr = KEY, quiet: timedelta = timedelta(0), file_weeks: int | None = None) -> Notify:
        return Notify(key, template=TEMPLATE, host=self.url, quiet=quiet, file_weeks=file_weeks)

    def now(self) -> datetime:
        return self.clock or datetime.now(UTC)  # noqa: TID251  # a server has a clock of its own

    def fail(self, *faults: str | Wrong) -> None:
        """Let the next posts fail, one after the other: by a name, or with an answer word for word."""
        assert {one for one in faults if isinstance(one, str)} <= {*BEFORE, *AFTER}
        self.faults.extend(faults)

    def fail_often(self, share: float, *, seed: int, kinds: tuple[str, ...] = (*BEFORE, *AFTER)) -> None:
        """Let a share of all posts fail, by dice that fall the same each time."""
        self.share, self.dice, self.kinds = share, random.Random(seed), kinds

    def named(self, reference: str) -> list[Sent]:
        return [one for one in self.sent.values() if one.reference == reference]

    def becomes(self, status: str, *references: str) -> None:
        """Let letters take a status; without references all that have not ended."""
        for one in self.sent.values():
            if one.reference in references or (not references and one.status not in ENDS):
                one.status, one.completed_at = status, self.now() if status in ENDS else None

    def accepts(self) -> None:
        """Scan and lay out what waits: all of it is good."""
        for one in self.sent.values():
            if one.status == "pending-virus-check":
                one.status = "accepted"

    def prints(self) -> None:
        """Let the printer run: what is accepted is dispatched."""
        for one in self.sent.values():
            if one.status == "accepted":
                one.status, one.completed_at = "received", self.now()

    def forgets(self) -> None:
        """Let seven days pass in which Notify forgets everything."""
        self.sent.clear()

    def fault(self) -> str | Wrong | None:
        with self.lock:
            if self.faults:
                return self.faults.popleft()
            return self.dice.choice(self.kinds) if self.dice.random() < self.share else None

    # what the interface does

    def check(self, header: str | None) -> None:
        """Check who asks, as Notify does: signature, algorithm, issuer, and an age within thirty seconds."""
        if not header:
            raise Wrong(401, "AuthError", "Unauthorized: authentication token must be provided")
        if not header.startswith("Bearer "):
            raise Wrong(401, "AuthError", "Unauthorized: authentication bearer scheme must be used")
        token = header.removeprefix("Bearer ")
        try:
            if jwt.get_unverified_header(token).get("alg") != "HS256":
                raise Wrong(
                    403, "AuthError", f"Invalid token: algorithm used is not HS256. See our requirements for JSON Web Tokens at {OPEN}"
                )
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise Wrong(403, "AuthError", f"Invalid token: signature. See our requirements for JSON Web Tokens at {OPEN}") from None
        if "iss" not in claims:
            raise Wrong(403, "AuthError", f"Invalid token: iss field not provided. See our requirements for JSON Web Tokens at {OPEN}")
        if claims["iss"] != SERVICE:
            raise Wrong(403, "AuthError", "Invalid token: service not found")
        try:
            jwt.decode(token, key=SECRET, algorithms=["HS256"], options={"verify_iat": False})
        except jwt.InvalidTokenError:
            raise Wrong(403, "AuthError", "Invalid token: API key not found") from None
        if not isinstance(claims.get("iat"), int | float):
            raise Wrong(403, "AuthError", f"Invalid token: iat field not provided. See our requirements for JSON Web Tokens at {OPEN}")
        if abs(time.time() - claims["iat"]) > 30:  # noqa: TID251  # as above
            raise Wrong(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")

    def take(self, type: str, given: dict[str, object]) -> dict[str, object]:
        """Take a letter or an email. `reference` is no key: the same again is another one."""
        if strange := set(given) - FIELDS[type] - {"template_id", "personalisation"}:
            raise Wrong(400, "ValidationError", f"Additional properties are not allowed ({min(strange)} was unexpected)")
        made = self._letter(given) if type == "letter" else self._email(given)
        with self.lock:
            self.sent[made.id] = made
        if type == "letter":
            return {"id": made.id, "reference": made.reference, "postage": made.postage}
        content = {**made.personalisation, "from_email": "body@notifications.example", "one_click_unsubscribe_url": None}
        template = {"id": TEMPLATE, "version": 1, "uri": f"{self.url}/v2/template/{TEMPLATE}"}
        uri = f"{self.url}/v2/notifications/{made.id}"
        return {"id": made.id, "reference": made.reference, "content": content, "uri": uri, "template": template, "scheduled_for": None}

    def _letter(self, given: dict[str, object]) -> Sent:
        _needs(given, "reference")
        if "content" not in given:
            raise Wrong(400, "ValidationError", "template_id is a required property")
        postage = given.get("postage", "second")
        if postage not in ("first", "second", "economy"):
            raise Wrong(400, "ValidationError", "postage invalid. It must be first, second or economy.")
        try:
            content = base64.b64decode(str(given["content"]), validate=True)
        except ValueError:
            raise Wrong(400, "BadRequestError", "Cannot decode letter content (invalid base64 encoding)") from None
        if not content.startswith(b"%PDF-"):
            raise Wrong(400, "BadRequestError", "Letter content is not a valid PDF")
        made = Sent(str(uuid.uuid4()), "letter", str(given["reference"]), "pending-virus-check", self.now(), content=content)
        made.postage = str(postage)
        return made

    def _email(self, given: dict[str, object]) -> Sent:
        _needs(given, "email_address", "template_id")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+[.][^@\s]+", str(given["email_address"])):
            raise Wrong(400, "ValidationError", "email_address Not a valid email address")
        if given["template_id"] != TEMPLATE:
            raise Wrong(400, "BadRequestError", "Template not found")
        words = given.get("personalisation")
        missing = [name for name in self.fields if not isinstance(words, dict) or name not in words]
        if missing:
            raise Wrong(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
        assert isinstance(words, dict)
        reference = given.get("reference")
        made = Sent(str(uuid.uuid4()), "email", str(reference) if reference else None, "created", self.now())
        made.email_address, made.personalisation = str(given["email_address"]), words
        for name, value in words.items():
            if isinstance(value, dict):
                words[name] = self._uploaded(made, value)
        return made

    def _uploaded(self, made: Sent, given: dict[str, object]) -> str:
        """Take a file, as its download service does, and return the link that stands in the email."""
        if not self.contact:
            where = "at https://notify.example/services/sample/service-settings/send-files-by-email"
            raise Wrong(400, "BadRequestError", f"{NO_CONTACT} - add contact details for your service {where}")
        if strange := set(given) - {"file", "filename", "confirm_email_before_download", "retention_period"}:
            raise Wrong(400, "ValidationError", f"Additional properties are not allowed ({min(strange)} was unexpected)")
        name, kept = str(given.get("filename") or ""), str(given.get("retention_period") or "26 weeks")
        if len(name) > 100 or "." not in name:
            wrong = (
                "cannot be longer than 100 characters" if len(name) > 100 else "must end with a file extension. For example, filename.csv"
            )
            raise Wrong(400, "BadRequestError", f"`filename` {wrong}")
        if not re.fullmatch(r"([1-9]|[1-6][0-9]|7[0-8]) weeks?", kept):
            said = f"Unsupported value for retention_period '{kept}'. Supported periods are from 1 to 78 weeks."
            raise Wrong(400, "BadRequestError", said)
        content = base64.b64decode(str(given["file"]), validate=True)
        if len(content) > 2 * 1024 * 1024:
            raise Wrong(413, "BadRequestError", "Uploaded file exceeds file size limit")  # not among the documented ones
        if not content.startswith(b"%PDF-"):
            raise Wrong(400, "BadRequestError", "Unsupported file type 'application/octet-stream'. Supported types are: '.pdf'")
        confirms = given.get("confirm_email_before_download")
        made.files[name], made.kept_for, made.confirms = content, kept, confirms is not False
        return f"{self.url}/d/{uuid.uuid4()}"

    def show(self, id: str) -> dict[str, object]:
        try:
            uuid.UUID(id)
        except ValueError:
            raise Wrong(400, "ValidationError", "id is not a valid UUID") from None
        if id not in self.sent:
            raise Wrong(404, "NoResultFound", "No result found")
        return _shown(self.sent[id], self.url)

    def list(self, asked: dict[str, list[str]]) -> dict[str, object]:
        strange = set(asked) - {"reference", "template_type", "status", "older_than", "include_jobs"}
        if strange:
            raise Wrong(400, "ValidationError", f"Additional properties are not allowed ({min(strange)} was unexpected)")
        reference, before = asked.get("reference", [None])[0], asked.get("older_than", [None])[0]
        found = [one for one in self.sent.values() if reference in (None, one.reference)]
        found.sort(key=lambda one: one.created_at, reverse=True)
        if before:
            found = found[next((n + 1 for n, one in enumerate(found) if one.id == before), len(found)) :]
        page, links = found[:PAGE], {"current": f"{self.url}/v2/notifications"}
        if page:
            links["next"] = f"{self.url}/v2/notifications?older_than={page[-1].id}"
        return {"notifications": [_shown(one, self.url) for one in page], "links": links}


def _needs(given: dict[str, object], *names: str) -> None:
    for name in names:
        if not given.get(name):
            raise Wrong(400, "ValidationError", f"{name} is a required property")


def _shown(one: Sent, url: str) -> dict[str, object]:
    sent = one.created_at if one.status not in ("created", "pending-virus-check") else None
    return {
        "id": one.id, "reference": one.reference, "type": one.type, "status": one.status, "email_address": one.email_address,
        "phone_number": None, "line_1": "Provided as PDF" if one.type == "letter" else None, "line_2": None, "line_3": None, "line_4": None,
        "line_5": None, "line_6": None, "line_7": None, "postcode": None, "postage": one.postage, "subject": None, "body": "",
        "template": {"id": TEMPLATE, "version": 1, "uri": f"{url}/v2/template/{TEMPLATE}"}, "created_by_name": None, "scheduled_for": None,
        "created_at": _instant(one.created_at), "sent_at": _instant(sent), "completed_at": _instant(one.completed_at),
    }  # fmt: skip


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


FAULTS = {
    "400": Wrong(400, "ValidationError", "email_address someone@example.org is not what it should be"),
    "403": Wrong(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds"),
    "rate": Wrong(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    "limit": Wrong(429, "TooManyRequestsError", "Exceeded send limits (20000) for today"),
    "500": Wrong(500, "Exception", "Internal server error"),
    "503": Wrong(503, "Exception", "Service unavailable"),
}


def _handler(notify: FakeNotify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 64 * 1024  # otherwise each line of a header is a packet of its own, and forty milliseconds go by

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._do(None)

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _do(self, body: bytes | None) -> None:
            notify.asked.append(f"{self.command} {urlsplit(self.path).path}")
            try:
                notify.check(self.headers.get("Authorization"))
                status, said = (200, self._told()) if body is None else self._taken(body)
            except Wrong as wrong:
                status, said = wrong.status, wrong.body
            if said is not None:
                self._answer(status, said)

        def _told(self) -> dict[str, object]:
            if notify.deaf:
                raise notify.deaf
            parts = urlsplit(self.path)
            if parts.path == "/v2/notifications":
                return notify.list(parse_qs(parts.query))
            if parts.path.startswith("/v2/notifications/"):
                return notify.show(parts.path.rsplit("/", 1)[1])
            raise Wrong(404, "NoResultFound", "The requested URL was not found on the server.")

        def _taken(self, body: bytes) -> tuple[int, dict[str, object] | None]:
            type = self.path.rsplit("/", 1)[1]
            if self.path not in ("/v2/notifications/letter", "/v2/notifications/email"):
                raise Wrong(404, "NoResultFound", "The requested URL was not found on the server.")
            fault = notify.fault()
            if fault == "refused":
                return self._cut()
            if isinstance(fault, Wrong):
                raise fault
            if fault in FAULTS:
                raise FAULTS[fault]
            try:
                if not (self.headers.get("Content-Type") or "").startswith("application/json"):
                    raise ValueError
                given = json.loads(body)
            except ValueError:
                raise Wrong(400, "BadRequestError", "Invalid JSON supplied in POST data") from None
            took = notify.take(type, given)
            if notify.hold:
                notify.holding.set()
                notify.hold.wait(120)
            if fault == "lost":
                return self._cut()
            if fault == "500-after":
                raise FAULTS["500"]
            return 201, took

        def _answer(self, status: int, said: dict[str, object]) -> None:
            content = json.dumps(said).encode()
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

        def _cut(self) -> tuple[int, None]:
            """Break the line off at once, without an answer."""
            self.close_connection = True
            with suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.shutdown(socket.SHUT_RDWR)
            return 0, None

    return Handler
