"""Looks for words in bytes: as they are, in UTF-16, and in base64 at three offsets; a search that finds nothing must show that it could."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path


def spellings(word: str) -> Iterator[bytes]:
    """Yields how a word may stand in a file: UTF-8, UTF-16 both ways, JSON's escapes, and each of them in base64 at three offsets."""
    for plain in {word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"), word.encode("unicode_escape")}:
        yield plain
        yield from in_base64(plain)


def in_base64(plain: bytes) -> Iterator[bytes]:
    """Yields what surely stands in base64 text of anything that holds these bytes: the digits that no neighbour changes."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + plain)
        first = -(-offset * 8 // 6)
        last = (offset + len(plain)) * 8 // 6
        core = whole[first:last]
        if len(core) >= 8:
            yield core
            yield core.replace(b"+", b"-").replace(b"/", b"_")


def found_in(content: bytes, words: Iterable[str]) -> set[str]:
    """Returns the words that can be read in bytes."""
    return {word for word in words if any(one in content for one in spellings(word))}


def found_in_files(files: Iterable[Path], words: Iterable[str]) -> dict[str, set[str]]:
    """Returns the words that can be read in files or in their names, by file."""
    listed = tuple(words)
    found = {str(file): found_in(file.read_bytes(), listed) | found_in(str(file).encode(), listed) for file in files if file.is_file()}
    return {name: read for name, read in found.items() if read}
