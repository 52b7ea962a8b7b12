"""A letter on paper: A4, tagged (PDF/UA-1, the compiler checks), its address behind an envelope's window, the same bytes each time."""

from __future__ import annotations

import json
import threading
from functools import cache
from pathlib import Path
from typing import Literal

import typst

from activities.blocks import Block, Span, blocks
from activities.glyphs import FONTS, in_print
from domain.model import Data

LAYOUT = Path(__file__).resolve().parent.parent / "templates" / "layout"
ADDRESS_LINES = 7
"""As many as the window holds."""
ONE_AT_A_TIME = threading.Lock()
"""A compiler keeps its inputs between two calls."""


class Paper(Data):
    """One letter as its layout takes it. `size` in points; `sender` and `address` line by line."""

    title: str
    lang: str = "en"
    size: Literal[11, 18] = 11
    body: str
    sender: tuple[str, ...] = ()
    address: tuple[str, ...]
    dated: str
    reference: str
    blocks: tuple[Block, ...] = ()


class Unmade(Exception):
    """The letter cannot be made into a PDF; says what the compiler said, never whose letter it was."""


@cache
def _compiler(layout: str) -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(LAYOUT / f"{layout}.typ", root=LAYOUT, font_paths=fonts)


def pdf_of(paper: Paper, markdown: str, *, layout: str = "letter") -> bytes:
    """Returns the PDF of a letter whose body is Markdown. Raises Unmade where the layout or the fonts cannot print it."""
    return printed(paper.model_copy(update={"blocks": _from_one(blocks(markdown))}), layout=layout, name="letter")


def printed(facts: object, *, layout: str, name: str) -> bytes:
    """Returns the PDF of a layout, the facts given to it as data under a name. Raises Unmade."""
    with ONE_AT_A_TIME:
        try:
            made = _compiler(layout).compile(format="pdf", pdf_standards=["ua-1"], sys_inputs={name: json.dumps(_in_print(facts))})
        except typst.TypstError as error:
            raise Unmade(error.message.splitlines()[0]) from None
    assert isinstance(made, bytes)
    return made


def _from_one(all: tuple[Block, ...]) -> tuple[Block, ...]:
    """Returns the blocks with their headings counted from one, none skipped: a reader by ear goes by them."""
    levels = sorted({one.level for one in all if one.k == "h"})
    return tuple(one.model_copy(update={"level": levels.index(one.level) + 1}) if one.k == "h" else one for one in all)


def _in_print(value: object) -> object:
    match value:
        case Span() | Block() | Paper():
            return _in_print(value.model_dump())
        case str():
            return in_print(value)
        case dict():
            return {key: _in_print(one) for key, one in value.items()}
        case tuple() | list():
            return [_in_print(one) for one in value]
        case _:
            return value


def address_lines(name: str, address: str | None) -> tuple[str, ...]:
    """Returns a postal address as an envelope shows it: the name and at most six lines, none empty."""
    lines = [line.strip(" ,") for line in (address or "").replace(", ", "\n").splitlines()]
    return (name, *[line for line in lines if line][: ADDRESS_LINES - 1])
