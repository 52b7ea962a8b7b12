"""A file that could not be opened or written: why, and what would be right, on one line and without a traceback."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path


def not_opened(path: Path, error: OSError) -> str:
    """Returns why a file could not be opened, and what would be right."""
    match error:
        case FileNotFoundError():
            return _missing(path)
        case IsADirectoryError():
            return "a folder; name a file in it"
        case PermissionError():
            return "it may not be read; let whoever runs this command read it"
        case _:
            return f"{error.strerror or error}; give the path of a file"


def _missing(path: Path) -> str:
    try:
        beside = sorted(one.name for one in path.parent.iterdir())
    except OSError:
        return f"there is no such file, and no folder {path.parent}; give the path of a file that is there"
    near = get_close_matches(path.name, beside, n=1)
    return f"there is no such file; {f'did you mean {path.parent / near[0]}?' if near else 'give the path of one that is there'}"


def not_written(path: Path, error: OSError) -> str:
    """Returns why a file could not be written, and what would be right."""
    match error:
        case FileNotFoundError() if not path.parent.is_dir():
            return f"there is no folder {path.parent}; make it first"
        case IsADirectoryError():
            return "it is a folder; name a file in it"
        case PermissionError():
            return "this may not be written there; choose another folder"
        case _:
            return f"{error.strerror or error}"
