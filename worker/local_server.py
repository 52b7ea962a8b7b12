"""Whether the default run's server is there: its note may outlive it, and another engine may stand where it stood."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def is_temporal(pid: int) -> bool:
    """Returns whether a process is a running Temporal server: ids are used again by others."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return b"start-dev" in Path(f"/proc/{pid}/cmdline").read_bytes() and state != "Z"
    except (OSError, IndexError):
        return _alive(pid) if sys.platform != "linux" else False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
