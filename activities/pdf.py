"""A letter on paper: A4, tagged (PDF/UA-1, the compiler checks), its address behind an envelope's window, the same bytes each time."""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from pathlib import Path
from typing import Literal

import typst

from activities.blocks import Block, blocks
from activities.glyphs import FONTS, in_print
from activities.sentences import one_a_line
from domain.model import Data

LAYOUT = Path(__file__).resolve().parent.parent / "templates" / "layout"
MOST_PAGES, MOST_BYTES = 10, 2_000_000
"""What can be posted (GOV.UK Notify's letters, 2.4; EH-111)."""
ONE_AT_A_TIME = threading.Lock()
"""A compiler keeps its inputs between two calls."""
LONG = 25
"""Letters of a word that fit on a line in any size; a longer one may be broken."""


class Text(Data):
    """What stands below the address, in one language."""

    lang: str = "en"
    markdown: str
    closing: tuple[str, ...] = ()


class Paper(Data):
    """One letter as its layout takes it. `size` in points; `sender` and `address` line by line; `easy` is one idea a line."""

    title: str
    size: Literal[11, 16, 18] = 11
    easy: bool = False
    posted: bool = False
    """It must lie behind an envelope's window, on no more pages than a machine takes."""
    body: str
    sender: tuple[str, ...] = ()
    address: tuple[str, ...]
    dated: str
    reference: str


class Unmade(Exception):
    """The letter cannot be made into a PDF; says what the compiler said, never whose letter it was."""

    cites = ("EH-111",)


@cache
def _compiler(layout: str) -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(LAYOUT / f"{layout}.typ", root=LAYOUT, font_paths=fonts)


def pdf_of(paper: Paper, *texts: Text, layout: str = "letter") -> bytes:
    """Returns the PDF of a letter with one text, or with several after each other. Raises Unmade where it cannot be printed or posted."""
    facts = {**paper.model_dump(), "most": MOST_PAGES, "texts": [_laid(one, paper) for one in texts]}
    made = printed(facts, layout=layout, name="letter")
    if paper.posted and len(made) > MOST_BYTES:
        raise Unmade(f"It takes {len(made)} bytes; a letter that is posted may take {MOST_BYTES}.")
    return made


NONE: dict[str, str] = {}


def printed(facts: dict[str, object], *, layout: str, name: str, drawings: dict[str, str] = NONE) -> bytes:
    """Returns the PDF of a layout, the facts given to it as data under a name; drawings (SVG) are given as they are. Raises Unmade."""
    whole = json.dumps({key: _in_print(one) for key, one in facts.items()} | drawings)
    with ONE_AT_A_TIME:
        try:
            made = _compiler(layout).compile(format="pdf", pdf_standards=["ua-1"], sys_inputs={name: whole})
        except typst.TypstError as error:
            raise Unmade(_said(error.message)) from None
    assert isinstance(made, bytes)
    return made


def _said(message: str) -> str:
    """Returns what the layout or the compiler found, in one line."""
    first = message.splitlines()[0]
    found = re.fullmatch(r'panicked with: "(.*)"', first)
    return found[1] if found else first


def _laid(text: Text, paper: Paper) -> dict[str, object]:
    found = _from_one(blocks(text.markdown))
    found = one_a_line(found) if paper.easy else found
    return {"lang": text.lang, "blocks": [one.model_dump() for one in found], "closing": text.closing}


def _from_one(all: tuple[Block, ...]) -> tuple[Block, ...]:
    """Returns the blocks with their headings counted from one, none skipped: a reader by ear goes by them."""
    levels = sorted({one.level for one in all if one.k == "h"})
    return tuple(one.model_copy(update={"level": levels.index(one.level) + 1}) if one.k == "h" else one for one in all)


def _in_print(value: object) -> object:
    match value:
        case Data():
            return _in_print(value.model_dump())
        case str():
            return _breakable(in_print(value))
        case dict():
            return {key: _in_print(one) for key, one in value.items()}
        case tuple() | list():
            return [_in_print(one) for one in value]
        case _:
            return value


def _breakable(text: str) -> str:
    """Returns a text whose words always fit on a line: a long one may be broken, after a sign in it if it has one."""
    return re.sub(rf"\S{{{LONG + 1},}}", lambda found: _broken(found[0]), text)


def _broken(word: str) -> str:
    pieces = re.sub(r"(?<=[^\w\s])(?=\w)", "\u200b", word).split("\u200b")
    return "\u200b".join("\u200b".join(piece) if len(piece) > LONG else piece for piece in pieces)
