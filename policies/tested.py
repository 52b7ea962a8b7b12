"""Which tests name a clause: a test's docstring says what it holds the program to (CONTRIBUTING, Tests)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
TEST = re.compile(r'(?:async )?def (test_\w+)\(.*?\)(?: -> None)?:\n    """(.*?)"""', re.DOTALL)
CLAUSE = re.compile(r"\b([A-Z][A-Z0-9]*)-(\d\d\d?)\b(?: to (?:\1-)?(\d\d\d?)\b)?")


@cache
def named_by_tests() -> dict[str, tuple[str, ...]]:
    """Returns the tests that name each clause or default, as pytest names them; empty where only the program is installed."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for name, said in _tests(path.read_text(encoding="utf-8")):
            for clause in dict.fromkeys(clauses_in(said)):
                found.setdefault(clause, []).append(f"{path.name}::{name}")
    return {clause: tuple(names) for clause, names in found.items()}


def _tests(text: str) -> Iterator[tuple[str, str]]:
    """Yields each test of a file that has a docstring, with it."""
    for part in re.split(r"^(?=(?:async )?def |class |@)", text, flags=re.MULTILINE):
        named = TEST.match(part)
        if named:
            yield named[1], named[2]


def clauses_in(text: str) -> Iterator[str]:
    """Yields each clause that a text names; of `MBC-57 to MBC-61` all five."""
    for series, first, last in CLAUSE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{series}-{number:0{len(first)}d}"
