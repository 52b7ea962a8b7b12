"""Where the browser comes back after signing in: a server on this machine's loopback address for one sign-in (RFC 8252, 7.3)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from starter.identity import SignInFailed

PATH = "/signed-in"
PATIENCE = 300.0
"""Seconds in which somebody signs in."""


class Callback:
    """One waiting for one answer. `with Callback(port) as callback` listens from its first line on."""

    def __init__(self, port: int) -> None:
        self.answer: dict[str, str] | None = None
        try:
            self.server = HTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            raise SignInFailed(f"Port {port} of this machine cannot be used ({error.strerror}); set EVENHAND_OIDC_REDIRECT_PORT.") from None
        self.uri = f"http://127.0.0.1:{self.server.server_port}{PATH}"

    def __enter__(self) -> Callback:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.server_close()

    def code(self, state: str, *, clock: Callable[[], float]) -> str:
        """Returns the code that the browser brings, once. Raises SignInFailed where it brings another state, no code, or comes late."""
        ends = clock() + PATIENCE
        while self.answer is None and (left := ends - clock()) > 0:
            self.server.timeout = left
            self.server.handle_request()
        if self.answer is None:
            raise SignInFailed("Nobody signed in within five minutes. Run evenhand sign-in again.")
        if not hmac.compare_digest(self.answer.get("state", "").encode(), state.encode()):
            raise SignInFailed("What the browser brought belongs to another sign-in (its state is not ours). Run evenhand sign-in again.")
        if "code" not in self.answer:
            why = self.answer.get("error", "no code")
            raise SignInFailed("The provider was told no: sign-in was refused." if why == "access_denied" else "The provider gave no code.")
        return self.answer["code"]

    def _handler(callback: Callback) -> type[BaseHTTPRequestHandler]:  # the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path != PATH or callback.answer is not None:
                    self._say(404, "There is nothing here.")
                    return
                callback.answer = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
                self._say(200, "Go back to the terminal; it says whether you are signed in. You can close this page.")

            def _say(self, status: int, text: str) -> None:
                page = f"<!doctype html><html lang=en><title>Evenhand</title><p>{escape(text)}</p></html>".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: a request's line holds the code."""

        return Handler
