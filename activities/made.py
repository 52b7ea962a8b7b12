"""One letter, made: every file of it, and what it was made from. Kept as it is; never made again for show."""

from __future__ import annotations

import hashlib
from functools import cache

from activities.letters import TEMPLATES, render
from activities.pdf import Paper, address_lines, pdf_of
from domain.letters import Letter
from domain.model import Data

NOT_OF_LETTERS = ("dossier.typ",)
TYPES = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "txt": "text/plain; charset=utf-8"}
"""The files of a letter: by their endings, what each is."""


class Made(Data):
    """A letter as it goes: its files by their endings, the parts it holds, which templates made it."""

    files: dict[str, bytes]
    parts: tuple[str, ...]
    template: str


def make(letter: Letter, *, policy: str, sender: tuple[str, ...] = ()) -> Made:
    """Returns a letter's files. Raises MissingPart, Unprintable (its wording) or Unmade (its PDF)."""
    rendered = render(letter, policy=policy)
    pdf = pdf_of(paper(letter, sender=sender), rendered.markdown)
    files = {"pdf": pdf, "html": rendered.html.encode(), "txt": rendered.text.encode()}
    return Made(files=files, parts=rendered.parts, template=template_version())


def paper(letter: Letter, *, sender: tuple[str, ...] = ()) -> Paper:
    """Returns what stands around a letter's body on paper."""
    posted = letter.method.endswith("post")
    address = (
        address_lines(letter.name, letter.address)
        if posted
        else (letter.name, *([f"By email: {letter.address}"] if letter.address else []))
    )
    return Paper(
        title=f"{letter.label}, {letter.reference}",
        body=letter.body,
        sender=sender,
        address=address,
        dated=letter.dated,
        reference=letter.reference,
    )


@cache
def template_version() -> str:
    """Returns a short hash of all wording and layouts, so that a letter says which of them made it."""
    folder = TEMPLATES.parent
    whole = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.suffix in (".md", ".html", ".typ")):
        if file.name in NOT_OF_LETTERS:
            continue
        whole.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()[:16]
