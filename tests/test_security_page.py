"""SECURITY.md names a test for each promise: each of them is there, and so is each page it points to."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there():
    named = set(re.findall(r"`(test_[a-z_]+)`", PAGE))

    assert len(named) > 15, "the page names hardly any test"
    assert sorted(name for name in named if not (ROOT / "tests" / f"{name}.py").is_file()) == []


def test_every_promise_has_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| Promise")]

    assert len(rows) > 12, "the page promises hardly anything"
    assert [row for row in rows if "`test_" not in row.rsplit("|", 2)[1] and "rehearsals" not in row.rsplit("|", 2)[1]] == []


def test_every_page_it_points_to_is_there():
    paths = re.findall(r"\]\(([^)#]+)", PAGE)

    assert len(paths) > 3
    assert [path for path in paths if not (ROOT / path).is_file()] == []
