"""A letter with one idea a line: each paragraph becomes its sentences, for an easy-read layout and for a script read out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from activities.blocks import Block, Span

END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z0-9“\"'(])")
"""Where one sentence ends and the next begins; an initial or an abbreviation ends none."""


def sentences(text: str) -> list[str]:
    """Returns the sentences of a text, in their order, nothing left out."""
    return [one for one in END.split(text) if one.strip()]


def one_a_line(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Returns the same words with every sentence a paragraph of its own; headings and lists stay what they are."""
    return tuple(_lines(blocks))


def _lines(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for one in blocks:
        if one.k == "p":
            for spans in _split(one.t):
                yield one.model_copy(update={"t": tuple(spans)})
        else:
            yield one.model_copy(update={"items": tuple(one_a_line(item) for item in one.items)})


def _split(spans: tuple[Span, ...]) -> Iterator[list[Span]]:
    """Yields the runs of words of each sentence; a sentence may hold several styles, a line's end ends one."""
    line: list[Span] = []
    for span in spans:
        if span.s == "br":
            yield from _whole(line)
            line = []
            continue
        first, *more = END.split(span.v) if span.v.strip() else [span.v]
        before = line[-1].v if line else ""
        if line and END.search(f"{before[-4:]}{first[:2]}") and first[:1].isspace():
            yield from _whole(line)
            line = []
        line.append(span.model_copy(update={"v": first}))
        for next_ in more:
            yield from _whole(line)
            line = [span.model_copy(update={"v": next_})]
    yield from _whole(line)


def _whole(line: list[Span]) -> Iterator[list[Span]]:
    if any(one.v.strip() for one in line):
        yield line
