"""Reads every byte of files and looks for words: as they stand, in UTF-16, in base64 and in hexadecimal."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

SHORTEST = 8
"""Bytes: a shorter word is found by chance."""


def forms(word: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields how a word may stand in a file. Base64 has three, by where it begins; its ends depend on its neighbours and are left out."""
    assert len(word) >= SHORTEST, f"{word!r} is too short to look for"
    yield "as it stands", word
    yield "hexadecimal", word.hex().encode()
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + word)
        yield "base64", whole[4 if offset else 0 : len(whole) // 4 * 4 - 4]
    try:
        text = word.decode()
    except UnicodeDecodeError:
        return
    for encoding in ("utf-16-le", "utf-16-be"):
        yield encoding, text.encode(encoding)
    escaped = text.encode("ascii", "backslashreplace")
    if escaped != word:
        yield "escaped", escaped


def files_in(places: Iterable[Path]) -> list[Path]:
    """Returns every file of some places: a folder's, or a file itself."""
    return sorted(file for place in places for file in (place.rglob("*") if place.is_dir() else (place,)) if file.is_file())


def traces(places: Iterable[Path], words: Iterable[bytes]) -> list[str]:
    """Returns where any word is still readable: the file, the form and the word. File names are read too."""
    wanted = [(form, found, word) for word in dict.fromkeys(words) for form, found in forms(word)]
    files = files_in(places)
    assert files and wanted, "nothing to read, or nothing to look for"
    held = []
    for file in files:
        content = file.read_bytes() + b"\n" + str(file).encode()
        held += [f"{file.name}: {form}: {word[:40]!r}" for form, found, word in wanted if found in content]
    return held


def slices(content: bytes, *, size: int = 48, at_most: int = 20) -> list[bytes]:
    """Returns pieces from all over a file: a letter is compressed, so its words are not in it, but its bytes are its own."""
    step = max(len(content) // at_most, size)
    return [piece for start in range(0, len(content), step) if len(piece := content[start : start + size]) == size and len(set(piece)) > 8]
