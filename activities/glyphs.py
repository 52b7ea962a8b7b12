"""Which signs the letters' own fonts can print, and what stands in for one they cannot: its name, so that no letter stops at an emoji."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent.parent / "templates" / "fonts"
UNSEEN = ("Cf", "Mn", "Me", "Cc")
"""Kinds of signs that only shape others: left out where no font has them."""


@cache
def printable() -> frozenset[int]:
    """Returns the code points that every style of some family here can print."""
    found: set[int] = set()
    for file in sorted(FONTS.glob("*-Regular.ttf")):
        with TTFont(file, lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(found)


def in_print(text: str) -> str:
    """Returns a text as it can be printed: a sign without a glyph is named in brackets."""
    composed = unicodedata.normalize("NFC", text)
    if all(ord(sign) in printable() or sign == "\n" for sign in composed):
        return composed
    return re.sub("(?<=\\])\u200d|\u200d(?=\\[)", "", "".join(_printed(sign) for sign in composed))


def _printed(sign: str) -> str:
    if ord(sign) in printable() or sign == "\n":
        return sign
    if unicodedata.category(sign) in UNSEEN:
        return ""
    if unicodedata.category(sign) == "Zs":
        return " "
    return f"[{unicodedata.name(sign, f'character {ord(sign):X}').lower()}]"
