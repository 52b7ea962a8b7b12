"""One letter, made: every file of it, and what it was made from. Kept as it is; never made again for show."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from activities.letters import TEMPLATES, Rendered, Wording, render, seen
from activities.not_given import check_given
from activities.other_forms import page_in, script_of, translated
from activities.pdf import Paper, Text, Unmade, pdf_of
from domain.addresses import address_lines, address_problem
from domain.formats import Forms
from domain.letters import Letter
from domain.model import Data

NOT_OF_LETTERS = ("dossier.typ",)
TYPES = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "txt": "text/plain; charset=utf-8"}
"""The files of a letter: by the last part of their endings, what each is."""
STANDARD = ("pdf", "html", "txt")
"""The files of the standard letter: what is on record as told. The others are forms of it, such as large.pdf or script.txt."""


NO_OTHER = Forms()


class Made(Data):
    """A letter as it goes: its files by their endings, the parts it holds, which templates made it."""

    files: dict[str, bytes]
    going: dict[str, str]
    """What the customer gets: for each kind of file (pdf, html, txt) the ending of the one that goes."""
    parts: tuple[str, ...]
    template: str
    sender: tuple[str, ...] = ()
    forms: Forms = Forms()

    @property
    def parcel(self) -> dict[str, bytes]:
        """Returns the files that go, under the endings by which a carrier knows them."""
        return {kind: self.files[ending] for kind, ending in self.going.items()}

    @property
    def for_staff(self) -> dict[str, bytes]:
        """Returns what a member of staff needs to tell the customer, and nobody sends."""
        return {ending: content for ending, content in self.files.items() if ending == "script.txt"}


def make(letter: Letter, *, policy: str, sender: tuple[str, ...] = (), forms: Forms = NO_OTHER, own: Path | None = None) -> Made:
    """Returns a letter's files: the standard letter, and the forms agreed with its customer.

    Raises MissingPart, Unprintable (its wording, which may say what nobody gave) or Unmade (its PDF, or an address to which nothing
    can be posted)."""
    words = Wording(policy=policy, own=own, sender=sender)
    rendered = render(letter, policy=policy, sender=sender, own=own)
    check_given(letter, words)
    standard = Text(markdown=rendered.markdown, closing=rendered.closing)
    files = {"pdf": pdf_of(paper(letter, sender=sender), standard), "html": rendered.html.encode(), "txt": rendered.text.encode()}
    going = dict(zip(STANDARD, STANDARD, strict=True))
    for kind, ending, content in _others(letter, words, rendered, standard, forms):
        files[ending] = content
        if kind:
            going[kind] = ending
    if "plain-text" in forms.formats and letter.method == "email":
        going = {"txt": going["txt"]}
    return Made(files=files, going=going, parts=rendered.parts, template=template_version(), sender=sender, forms=forms)


Kind = Literal["pdf", "html", "txt"]
Other = tuple[Kind | None, str, bytes]


def _others(letter: Letter, words: Wording, rendered: Rendered, standard: Text, forms: Forms) -> list[Other]:
    """Returns the other forms: the kind of file each goes in place of (none: it does not go), its ending, its bytes.

    Of several the last goes: a translation holds the others' print, an easy-read letter the large print's size."""
    found: list[Other] = []
    large, easy = "large-print" in forms.formats, "easy-read" in forms.formats
    sheet = paper(letter, sender=words.sender, large=large)
    if large:
        found += [("pdf", "large.pdf", pdf_of(sheet, standard)), ("html", "large.html", page_in(letter, words, large=True))]
    if easy:
        sheet = paper(letter, sender=words.sender, large=large, easy=True)
        found.append(("pdf", "easy.pdf", pdf_of(sheet, standard)))
    if forms.language and "translation" in forms.formats:
        lang, theirs = forms.language, translated(letter, words, forms.language)
        texts = (theirs.text,) if forms.translation_alone else (theirs.text, standard)
        after = b"" if forms.translation_alone else b"\n\n" + rendered.text.encode()
        found += [
            ("pdf", f"{lang}.pdf", pdf_of(sheet, *texts)),
            ("html", f"{lang}.html", page_in(letter, words, large=large, before=theirs, alone=forms.translation_alone)),
            ("txt", f"{lang}.txt", theirs.plain.encode() + after),
        ]
    if "spoken" in forms.formats:
        found.append((None, "script.txt", script_of(letter, words).encode()))
    return found


def paper(letter: Letter, *, sender: tuple[str, ...] = (), large: bool = False, easy: bool = False) -> Paper:
    """Returns what stands around a letter's text on paper. Raises Unmade where it is posted and no envelope could show its address."""
    posted = letter.method.endswith("post")
    if posted and (problem := address_problem(letter.name, letter.address)):
        raise Unmade(f"It cannot be posted: {problem}. Mend the address with correct_address, then issue the letter again.")
    name, address = seen(letter.name), seen(letter.address or "")
    by_email = (name, *([f"By email: {address}"] if address else []))
    return Paper(
        title=f"{letter.label}, {letter.reference}",
        size=18 if large else 16 if easy else 11,
        easy=easy,
        posted=posted,
        body=letter.body,
        sender=sender,
        address=address_lines(name, address) if posted else by_email,
        dated=letter.dated,
        reference=letter.reference,
    )


@cache
def template_version() -> str:
    """Returns a short hash of all wording and layouts, so that a letter says which of them made it."""
    folder = TEMPLATES.parent
    whole = hashlib.sha256()
    for file in sorted(one for one in folder.rglob("*") if one.suffix in (".md", ".html", ".typ", ".txt") and "fonts" not in one.parts):
        if file.name in NOT_OF_LETTERS or "bundle" in file.parts:
            continue
        whole.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()[:16]
