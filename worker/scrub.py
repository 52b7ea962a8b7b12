"""What a log may say: known keys, codes and numbers. A person's words become their kind and length; a secret never appears.

If this is wrong, somebody's name stands in a log that is copied to systems which no retention rule of Evenhand reaches."""

from __future__ import annotations

import linecache
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType

HOME = Path(__file__).resolve().parent.parent
LONGEST = 300
"""Signs of one value that a line shows."""
FRAMES = 12
"""Places of a fault that a line shows, the innermost last."""
LEAST_OPENING = 10
"""Signs that a library's message must share with its program before they are shown."""

ALLOWED = frozenset({
    "activity", "activity_type", "attempt", "body", "build", "carrier", "case", "causes", "command", "count", "days", "edition",
    "fault", "kind", "namespace", "nation", "office", "place", "policy", "port", "queue", "result", "run", "schedule", "seconds", "seq",
    "server", "setting", "stage", "state", "status", "task_queue", "where", "workflow_id", "workflow_run_id", "workflow_type",
})  # fmt: skip
"""Keys whose values are codes, numbers or places in the program. Every other key shows what kind of value it had."""
INSIDE = ("temporal_activity", "temporal_workflow", "temporal_nexus_operation")
"""Keys under which the SDK puts what it was about: of these, the allowed ones."""

EMAIL = re.compile(r"[^\s@<>\"'=,;()]+@[^\s@<>\"'=,;()]+")
POSTCODE = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{1,2}[0-9][0-9A-Za-z]?\s?[0-9][A-Za-z]{2}(?![0-9A-Za-z])")
TELEPHONE = re.compile(r"(?<![0-9A-Za-z.:/-])(?:\+?44|0)(?:[\s().-]*[0-9]){9,10}(?![0-9A-Za-z])")
PASSWORD = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

SECRETS: set[str] = set()
"""Passwords and keys of this process's settings: never shown, wherever they turn up."""


def keep_secret(*values: str) -> None:
    """Note secrets that no line may show; one shorter than six signs would blot out ordinary words."""
    SECRETS.update(value for value in values if len(value) >= 6)


def scrubbed(text: str) -> str:
    """Returns a text on one line without what looks like an address, a number or a secret."""
    for secret in SECRETS:
        text = text.replace(secret, "<secret>")
    text = PASSWORD.sub("<secret>", text)
    text = EMAIL.sub("<email>", text)
    text = TELEPHONE.sub("<telephone>", POSTCODE.sub("<postcode>", text))
    text = CONTROL.sub(lambda sign: f"\\x{ord(sign.group()):02x}", text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def kind_of(value: object) -> str:
    """Returns what kind of value it is and how long, and nothing of it."""
    size = f", {len(value)} characters" if isinstance(value, str | bytes) else ""
    return f"<{type(value).__name__}{size}>"


def shown(value: object) -> object:
    """Returns the value of an allowed key as a line shows it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, list | tuple):
        return [shown(one) for one in value]
    return kind_of(value)


def allowed(facts: Mapping[str, object]) -> dict[str, object]:
    """Returns facts with the values of unknown keys replaced by their kind; a key that is no plain word is not shown either."""
    told: dict[str, object] = {}
    for key, value in facts.items():
        if key in INSIDE and isinstance(value, Mapping):
            told |= {name: shown(one) for name, one in value.items() if name in ALLOWED}
        elif key in ALLOWED:
            told[key] = shown(value)
        elif re.fullmatch(r"[a-z_]{1,40}", str(key)):
            told[key] = kind_of(value)
    return told


def said_by(record: logging.LogRecord) -> str:
    """Returns what a message may show: what stands word for word in the program that says it, and numbers.

    Everything else of it was put in from outside, and may be anybody's words. That holds for libraries and for our own program alike."""
    if record.args:
        return scrubbed(_filled(record))
    message = str(record.msg).split("\n", 1)[0]
    if record.pathname == "(sdk-core)":
        head = re.split(r"[:{}\[\]\"'(=]", message, maxsplit=1)[0]
    else:
        head = _opening(message, _program(record.pathname))
    withheld = len(str(record.msg)) - len(head)
    return scrubbed(head) if withheld <= 0 else scrubbed(f"{head.rstrip()} <{withheld} more characters>".strip())


def _filled(record: logging.LogRecord) -> str:
    """Returns a template with its numbers filled in, and of all else the kind."""
    given = record.args if isinstance(record.args, tuple) else (record.args,)
    parts = [str(one) if isinstance(one, bool | int | float) else kind_of(one) for one in given]
    pieces = re.split(r"%[-#0-9. +]*[sdrfixa]", str(record.msg))
    if len(pieces) != len(parts) + 1:
        return str(record.msg)
    return "".join(piece + part for piece, part in zip(pieces, [*parts, ""], strict=True))


def _opening(message: str, program: str) -> str:
    """Returns the longest opening of a message that stands in the program which said it."""
    low, high = 0, len(message)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if message[:middle] in program else (low, middle - 1)
    return message[:low] if low >= LEAST_OPENING or low == len(message) else ""


@lru_cache(maxsize=256)
def _program(path: str) -> str:
    return "".join(linecache.getlines(path))


def fault_of(error: BaseException) -> dict[str, object]:
    """Returns a fault as a line shows it: its kind, the kinds behind it, and where in the program; its text never."""
    causes = [type(one).__name__ for one in _behind(error)]
    return {"fault": type(error).__name__, **({"causes": causes} if causes else {}), "where": places(error.__traceback__)}


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    while (behind := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) and id(behind) not in seen:
        seen.add(id(behind))
        yield behind
        error = behind


def places(trace: TracebackType | None) -> list[str]:
    """Returns where a fault passed, each as file:line function; no line of a program and no value."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{_short(one.filename)}:{one.lineno} {one.name}" for one in frames]


def _short(file: str) -> str:
    path = Path(file)
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return path.relative_to(HOME).as_posix() if path.is_relative_to(HOME) else path.name
