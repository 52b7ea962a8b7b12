"""Which release a worker runs: told to the engine with every poll, so that evenhand doctor finds one left behind by an upgrade."""

from __future__ import annotations

import hashlib
from functools import cache

from worker.settings import HOME

PACKAGES = ("domain", "policies", "records", "activities", "workflows", "worker", "starter", "templates")
PARTS = (".py", ".md", ".j2", ".typ", ".html", ".txt")


@cache
def release() -> str:
    """Returns a mark of the program and its wording as they lie here; two installations of one release say the same."""
    mark = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((HOME / package).rglob("*.*")):
            if file.suffix in PARTS and file.is_file():
                mark.update(f"{file.relative_to(HOME).as_posix()}\0".encode() + file.read_bytes())
    return f"evenhand-{mark.hexdigest()[:10]}"
