"""A letter's Markdown as plain data: headings, paragraphs, lists. A layout prints it; nothing in it can be an instruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from domain.model import Data


class Span(Data):
    """A run of words in one style, or a line's end (`s` is "br")."""

    s: Literal["text", "br"] = "text"
    v: str = ""
    b: bool = False
    i: bool = False


class Block(Data):
    """A heading (`h`, with its level), a paragraph (`p`), or a list (`ul`, `ol`) of items that are blocks themselves."""

    k: Literal["h", "p", "ul", "ol"]
    level: int = 0
    t: tuple[Span, ...] = ()
    items: tuple[tuple[Block, ...], ...] = ()


LISTS: dict[str, Literal["ul", "ol"]] = {"bullet_list_open": "ul", "ordered_list_open": "ol"}
CLOSING = ("bullet_list_close", "ordered_list_close", "list_item_close")


def blocks(markdown: str) -> tuple[Block, ...]:
    """Returns what a Markdown text says, block by block. Anything but headings, paragraphs and lists is its words alone."""
    return tuple(_blocks(iter(MarkdownIt("commonmark", {"html": False}).parse(markdown))))


def _blocks(tokens: Iterator[Token]) -> Iterator[Block]:
    level = 0
    for token in tokens:
        if token.type in CLOSING:
            return
        if token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type == "heading_close":
            level = 0
        elif token.type == "inline":
            yield Block(k="h" if level else "p", level=level, t=tuple(_spans(token.children or ())))
        elif token.type in ("code_block", "fence"):
            yield Block(k="p", t=(Span(v=token.content.rstrip()),))
        elif token.type in LISTS:
            yield Block(k=LISTS[token.type], items=tuple(_items(tokens)))


def _items(tokens: Iterator[Token]) -> Iterator[tuple[Block, ...]]:
    for token in tokens:
        if token.type in CLOSING:
            return
        yield tuple(_blocks(tokens))


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    bold = italic = 0
    for token in tokens:
        match token.type:
            case "strong_open":
                bold += 1
            case "strong_close":
                bold -= 1
            case "em_open":
                italic += 1
            case "em_close":
                italic -= 1
            case "hardbreak":
                yield Span(s="br")
            case "softbreak":
                yield Span(v=" ", b=bool(bold), i=bool(italic))
            case _:
                if token.content:
                    yield Span(v=token.content, b=bool(bold), i=bool(italic))
