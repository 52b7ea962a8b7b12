"""The forms of a letter besides the standard one: a page in large print, a script for a call, a body's own translation (EH-110)."""

from __future__ import annotations

import re

from jinja2 import TemplateError, TemplateNotFound

from activities.letters import Unprintable, Wording, body_in, each_text, escaped, facts_of, page, plain, set_aside
from activities.not_given import values
from activities.pdf import Text
from activities.sentences import sentences
from activities.translated_dates import numerals, strange_dates
from domain.letters import Letter
from domain.model import Data

STANDARD_SIZE, LARGE_SIZE = "1.05rem", "18pt"


class Translated(Data):
    """A letter in another language: for paper, and as plain text."""

    text: Text
    plain: str


def page_in(letter: Letter, words: Wording, *, large: bool = False, before: Translated | None = None, alone: bool = False) -> bytes:
    """Returns a letter as a page, in large print or with its translation before it; alone, the translation takes its place."""
    markdown = "" if alone else body_in(letter, words, escaped, "letter.md")
    lang = before.text.lang if before and alone else "en-GB"
    return page(
        markdown, letter, lang=lang, size=LARGE_SIZE if large else STANDARD_SIZE,
        before=before.text.markdown if before else "", before_lang=before.text.lang if before else "",
    ).encode()  # fmt: skip


def script_of(letter: Letter, words: Wording) -> str:
    """Returns a letter as lines to be read out, one idea each, with what to do before and after the call."""
    lines = [line.removeprefix("- ") for line in plain(body_in(letter, words, set_aside, "spoken.md")).splitlines()]
    read = "\n".join("\n".join(sentences(line)) for line in lines)
    facts = facts_of(letter, words, str)
    try:
        made = words.templates.get_template("script.txt").render({**facts, "lines": re.sub(r"\n{3,}", "\n\n", read).strip()})
    except TemplateError as error:
        raise Unprintable(f"{letter.kind}: script.txt: {error}") from None
    return made.strip() + "\n"


def translated(letter: Letter, words: Wording, language: str) -> Translated:
    """Returns the body's own text of a letter in another language. Raises Unprintable where it supplies none, with where to put it, and
    where it prints a date that nobody gave."""
    markdown = _translation(letter, words, language, escaped=True)
    text, words_of_it = Text(lang=language, markdown=markdown), plain(_translation(letter, words, language, escaped=False))
    for one in strange_dates(words_of_it, values((letter.model_dump(), words.sender))):
        raise Unprintable(f"{letter.kind}: languages/{language}/{letter.kind}.md prints a date of its own: {one}.")
    return Translated(text=text, plain=words_of_it)


def _translation(letter: Letter, words: Wording, language: str, *, escaped: bool) -> str:
    escape = _ESCAPES[escaped]
    name = f"languages/{language}/{letter.kind}.md"
    parts = {one.part.replace("-", "_"): each_text(one.facts, escape) for one in letter.sections}
    try:
        template = words.templates.overlay()
        template.filters = {**template.filters, "numerals": numerals}
        return template.get_template(name).render({**facts_of(letter, words, escape), "parts": parts})
    except TemplateNotFound:
        raise Unprintable(
            f"{letter.kind}: a translation into {language} is agreed and there is none: put it at templates/notices/{words.policy}/{name}."
        ) from None
    except TemplateError as error:
        raise Unprintable(f"{letter.kind}: {name}: {error}") from None


_ESCAPES = {True: escaped, False: set_aside}
