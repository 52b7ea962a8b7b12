"""Logs: one line an event, as JSON, or for a person at a terminal. What a line may say is in worker/scrub.py.

Every logger of the process goes through here, the engine's SDK and the libraries too."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from types import TracebackType
from typing import Any  # what the standard library leaves open

import structlog
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from temporalio import activity, workflow

from worker.scrub import allowed, fault_of, keep_secret, kind_of, said_by, scrubbed
from worker.settings import Settings

OWN = "evenhand"
"""Of whose name our own loggers are."""
SDK = "temporalio.worker"
"""The engine's SDK says at each shutdown that it begins one: no news to an operator, shown from DEBUG on."""
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
FORMATS = ("auto", "json", "plain")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class NoLogs(Exception):
    """The settings ask for logs that there are not; says what was found and what would be right."""


def keep_logs(settings: Settings, *, least: str = "DEBUG") -> None:
    """Have this process log as its settings say, on standard error, and nothing less than `least`. Raises NoLogs."""
    level = settings.log_level.upper()
    if level not in LEVELS:
        raise NoLogs(f"EVENHAND_LOG_LEVEL is {settings.log_level}; it must be one of {', '.join(LEVELS)}.")
    if settings.log_format not in FORMATS:
        raise NoLogs(f"EVENHAND_LOG_FORMAT is {settings.log_format}; it must be one of {', '.join(FORMATS)}.")
    keep_secret(*secrets_of(settings))
    plain = settings.log_format == "plain" or (settings.log_format == "auto" and sys.stderr.isatty())
    handler = Whole(sys.stderr)
    handler.setFormatter(Lines(plain=plain))
    logging.root.handlers = [handler]
    logging.root.setLevel(max(logging.getLevelName(level), logging.getLevelName(least)))
    logging.getLogger(SDK).setLevel(logging.WARNING if logging.root.level >= logging.INFO else logging.NOTSET)
    logging.captureWarnings(True)
    activity.logger.activity_info_on_message = workflow.logger.workflow_info_on_message = False
    sys.excepthook = _ended_by
    threading.excepthook = _thread_ended_by


class Lines(logging.Formatter):
    """Makes one line of a record. The standard library's own would add a fault's text and stack after it."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if plain else structlog.processors.JSONRenderer()

    def format(self, record: logging.LogRecord) -> str:
        return str(self.render(None, record.levelname.lower(), line_of(record)))


class Whole(logging.StreamHandler[Any]):
    """Writes whole lines. A record that cannot be made into one is counted, never printed: its text may be anybody's."""

    def handleError(self, record: logging.LogRecord) -> None:
        with suppress(ValueError, OSError):  # the stream is closed: there is nowhere to say it
            self.stream.write(f'{{"level": "error", "event": "A line could not be written", "logger": "{scrubbed(record.name)}"}}\n')


def line_of(record: logging.LogRecord) -> dict[str, object]:
    """Returns the facts of one line: when, how grave, who says it, what, what it is about, and what went wrong."""
    line: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": scrubbed(record.name),
        "event": said_by(record),
        "place": f"{record.module}:{record.lineno}",
    }
    line |= allowed(_extra(record))
    return {**line, **_fault(record.exc_info)}


def _extra(record: logging.LogRecord) -> Mapping[str, object]:
    return {key: value for key, value in vars(record).items() if key not in STANDARD and not key.startswith("_") and key != "temporal_log"}


def _fault(given: Any) -> dict[str, object]:
    error = given[1] if isinstance(given, tuple) else None
    return fault_of(error) if isinstance(error, BaseException) else {}


def secrets_of(settings: Settings) -> list[str]:
    """Returns every password and key that the settings hold: of an address the password alone, for the rest of it is no secret."""
    held = [value.get_secret_value() for value in dict(settings).values() if isinstance(value, SecretStr)]
    return [secret for value in held if value for secret in _passwords(value)]


def _passwords(value: str) -> list[str]:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        return [value]
    found = (url.password, url.query.get("password"))
    return [one for given in found if given for one in ([given] if isinstance(given, str) else given)]


def _ended_by(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    logging.getLogger(OWN).critical("Ended by a fault.", extra=fault_of(error))


def _thread_ended_by(given: threading.ExceptHookArgs) -> None:
    about = fault_of(given.exc_value) if given.exc_value else {"fault": kind_of(given.exc_type)}
    logging.getLogger(OWN).critical("A thread was ended by a fault.", extra=about)
