# ruff: noqa: E501  # lists of hostile texts
"""Hostile input, the same for the same number: strings, values and messages as somebody would send who means harm.

EVENHAND_HOSTILE_TIMES multiplies how many of everything the tests try: 1 in `make test`, more for a soak."""

from __future__ import annotations

import os
import random
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from domain.commands import COMMANDS

TIMES = int(os.environ.get("EVENHAND_HOSTILE_TIMES", "1"))
CORE, SQLITE, POSTGRES, DOORS, PAYLOADS, STARTS = (n * TIMES for n in (8000, 1500, 600, 400, 160, 40))
"""Messages through the pure core, into the records of either database, and through a real engine: signed, raw, and as starts."""
MARK = "Xyzzyx"
"""Stands in every text a generator makes, so that it is known again wherever it comes out."""
TEXTS: tuple[str, ...] = (
    # terminals
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x9b31mred", "\x9d0;title\x9c",
    "one\rtwo", "\x08\x08\x08gone", "\x7f\x7f", "\x00", "a\x00b", "\x0b\x0c", "\x85next", "\u2028line\u2029paragraph",
    # direction and width
    "\u202egnp.exe", "\u2066a\u2069b", "\u200f\u200e", "\ufeff", "\u200b" * 40, "Z\u0351\u0349a\u0321lgo" * 20, "\U0001f9d1\u200d\u2696\ufe0f",
    "\ud800", "\udfff\ud800", "\uffff", "\U0010ffff", "\ufdd0",
    # spreadsheets
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "=HYPERLINK(\"https://evil.example\",\"x\")", "\uff1d1+1",
    'a","b', "a;b;c", '"', '""', "'=1", "|x|",
    # markup
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</svg><script>x</script>", "<![CDATA[x]]>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "&lt;b&gt;&#x1b;", "<a href=javascript:alert(1)>x</a>", "{{ 7*7 }}", "{% include '/etc/passwd' %}", "{{ ''.__class__.__mro__ }}", "${7*7}", "#{7*7}",
    "%s%s%n", "%(name)s", "{0.__class__}", "#import \"@preview/x:1.0.0\": *", "#read(\"/etc/passwd\")", "#panic()", "$ sum x $", "\\input{/etc/passwd}",
    "[x](javascript:alert(1))", "![x](https://evil.example/p.png)", "# heading", "---\n- a", "> quote", "`id`", "$(id)", "[bold red]x[/]", "[/]", "[link=x]",
    # calendars, mails, logs
    "a\r\nEND:VEVENT\r\nBEGIN:VEVENT", "a\nX-EVIL:1", "a\r\nBcc: evil@example.org", "a\r\n\r\n<html>", '{"level":"error"}', "level=error msg=forged",
    # paths and names
    "../../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\x", "file:///etc/passwd", "CON", "a/b", "a\\b", ".", "..", "~root", "x" * 300,
    # databases
    "'; DROP TABLE \"case\"; --", "\" OR 1=1", "text:" + "0" * 32, "text:x", "[destroyed]", "text:",
    # sizes
    "", " ", "\n", "\t", "x" * 20_000, "x" * 20_001, "é" * 20_000, "word " * 4_000, "\n" * 19_999 + "x",
)  # fmt: skip
NUMBERS: tuple[object, ...] = (0, -1, 1, 10**18, 10**400, -(2**63), 2**64, 0.1, 1e308, float("nan"), float("inf"), -0.0, True, False, None)
DAYS = (
    "2027-02-30",
    "0001-01-01",
    "9999-12-31",
    "2027-03-10T25:00",
    "2027-03-10T10:00:00+99:00",
    "today",
    "20270310",
    "2027-W10-3",
    "1e9",
    "2026-11-25",
)
PLACES = ("do", "id", "by", "on", "saw", "v", "with", "token")


class Hostile:
    """One source of hostile input. The same seed gives the same input."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self) -> str:
        """Returns one of the texts, two of them together, or signs from anywhere in Unicode."""
        one = self.chance.choice(TEXTS)
        match self.chance.randrange(6):
            case 0:
                return f"{MARK}{one}{self.chance.choice(TEXTS)[:300]}"
            case 1:
                return MARK + "".join(chr(self.chance.randrange(0x110000)) for _ in range(self.chance.randrange(1, 30)))
            case 2 | 3:
                return f"{MARK} {one} {MARK}"
            case _:
                return one

    def sayable(self) -> str:
        """Returns a text that a case takes: no control signs below the space, no lone surrogates, not too long, not empty."""
        found = "".join(sign for sign in self.text() if (ord(sign) >= 32 or sign in "\n\t") and not 0xD800 <= ord(sign) < 0xE000)
        return f"{found[:2000]} {MARK}"

    def value(self, depth: int = 0) -> object:
        """Returns anything JSON could hold, and some that it could not."""
        match self.chance.randrange(9 if depth < 3 else 5):
            case 0:
                return self.chance.choice(NUMBERS)
            case 1:
                return self.chance.choice(DAYS)
            case 2 | 3 | 4:
                return self.text()
            case 5:
                return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
            case 6 | 7:
                return {self.text()[:60]: self.value(depth + 1) for _ in range(self.chance.randrange(4))}
            case _:
                return self.deep()

    def deep(self) -> object:
        """Returns lists and objects far within one another."""
        found: object = self.text()
        for _ in range(self.chance.choice((5, 60, 200))):
            found = [found] if self.chance.random() < 0.5 else {"a": found}
        return found

    def fields(self, do: str) -> dict[str, object]:
        """Returns a command's own fields: most of the right shape, their texts hostile."""
        kind = COMMANDS[do]
        found: dict[str, object] = {}
        for name, field in kind.model_fields.items():
            if name in ("id", "on", "saw") or (not field.is_required() and self.chance.random() < 0.6):
                continue
            found[field.alias or name] = self.value() if self.chance.random() < 0.1 else self.fitting(field)
        if self.chance.random() < 0.05:
            found[self.text()[:60]] = self.value()
        return found

    def fitting(self, field: FieldInfo) -> object:
        return self._of(field.annotation, 0)

    def _of(self, kind: Any, depth: int) -> object:
        """Returns a value of about the kind a field has: enough of them are taken for the rules to be reached."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal:
            return self.chance.choice(inner)
        if origin is Annotated:
            return self._of(inner[0], depth)
        if origin in (tuple, list):
            return [self._of(inner[0], depth + 1) for _ in range(self.chance.randrange(1, 3))]
        if origin is dict:
            return {self.chance.choice(("own-merits", "concerns", self.text()[:40])): self.sayable() for _ in range(2)}
        if inner:  # one kind or another
            return self._of(self.chance.choice([one for one in inner if one is not type(None)]), depth)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and depth < 4:
            chosen = [(f.alias or n, f) for n, f in kind.model_fields.items() if f.is_required() or self.chance.random() < 0.3]
            return {n: self._of(f.annotation, depth + 1) for n, f in chosen}
        name = getattr(kind, "__name__", "")
        match name:
            case "bool":
                return self.chance.random() < 0.5
            case "int":
                return self.chance.choice((1, 2, 3, 10**12, -1))
            case "date" | "datetime":
                return self.chance.choice(("2027-03-09", "2027-09-10", *DAYS))
        return self.sayable() if self.chance.random() < 0.8 else self.text()

    def message(self, n: int, *, by: tuple[str, ...], saw: tuple[str, ...] = ("s1", "n1", "a1", "p1")) -> dict[str, object]:
        """Returns one message: of any command, or of none; hostile in its fields, and now and then in its envelope."""
        do = self.chance.choice(sorted(COMMANDS))
        found: dict[str, object] = {"v": 1, "id": f"h{n}", "do": do, "by": self.chance.choice(by), "with": self.fields(do)}
        if self.chance.random() < 0.6:
            found["saw"] = self.chance.choice(saw)
        if self.chance.random() < 0.25:
            found[self.chance.choice(PLACES)] = self.value()
        if self.chance.random() < 0.05:
            found[self.text()[:80]] = self.value()
        return found
