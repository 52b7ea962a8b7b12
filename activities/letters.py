"""Letters in words: Markdown with Jinja2 that a policy officer can edit, made into HTML and plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.environment import TemplateModule
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt

from domain.letters import Letter, MissingPart, Section
from domain.model import Data

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "notices"
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|&~=])")
KEPT = str.maketrans({"#": "\ue000", "*": "\ue001"})
GIVEN_BACK = str.maketrans({"\ue000": "#", "\ue001": "*"})
"""Signs of a person's own words, set aside while the wording's own marks are taken out of the plain text."""
Escape = Callable[[str], str]
SHAPING = ("\t", "\u200c", "\u200d")
"""Signs of those kinds that stay: some scripts join and part their letters by them."""
DAYS = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
MONTHS = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = re.compile(rf"\b{DAYS} \d{{1,2}} {MONTHS} \d{{4}}\b")


CHANNELS = {
    "in-person": "visiting us",
    "online-form": "our online form",
    "social-media": "social media",
    "other-electronic": "other electronic means",
    "home-visit": "home visit",
    "third-party": "a third party",
}
"""Channels as a letter says them; the others are said as they stand."""


RECIPIENTS = {"legal-team": "our lawyers", "police": "the police", "both": "our lawyers and the police"}


class Rendered(Data):
    """One letter in its forms: a page, plain text, and its body as Markdown for a layout on paper, its closing lines apart."""

    html: str
    text: str
    markdown: str
    closing: tuple[str, ...]
    parts: tuple[str, ...]


class Unprintable(Exception):
    """The wording could not be made: a template is wrong. Says which and why."""


@cache
def wording(policy: str, own: Path | None = None) -> Environment:
    """Returns the templates, a body's own before the common ones; `own` is a folder of wording that is not in use yet."""
    folders = [own / policy, own] if own else []
    loader = ChoiceLoader([FileSystemLoader(folder) for folder in (*folders, TEMPLATES / policy, TEMPLATES)])
    return ImmutableSandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )  # text is escaped for Markdown below; a wording can call nothing of the program


class Wording(Data):
    """Which wording makes a letter: the policy's, or that of a folder not in use yet; `sender` says where the body is reached."""

    policy: str
    own: Path | None = None
    sender: tuple[str, ...] = ()

    @property
    def templates(self) -> Environment:
        return wording(self.policy, self.own)


def render(letter: Letter, *, policy: str, sender: tuple[str, ...] = (), own: Path | None = None) -> Rendered:
    """Returns the letter in words. Raises MissingPart where a part prints nothing, Unprintable on a bad template."""
    words = Wording(policy=policy, own=own, sender=sender)
    try:
        html = page(body_in(letter, words, escaped, "letter.md"), letter)
        text = plain(body_in(letter, words, set_aside, "letter.md"))
        body = body_in(letter, words, escaped, "body.md")
        closing = plain(body_in(letter, words, set_aside, "closing.md"))
    except TemplateError as error:
        raise Unprintable(f"{letter.kind}: {error}") from None
    parts = tuple(section.part for section in letter.sections)
    return Rendered(html=html, text=text, markdown=body, closing=tuple(line for line in closing.splitlines() if line), parts=parts)


def facts_of(letter: Letter, words: Wording, escape: Escape) -> dict[str, object]:
    """Returns what every wording file may use: the letter's own facts, each text escaped."""
    return each_text({**letter.model_dump(exclude={"sections"}), "sender": list(words.sender), "sections": []}, escape)


def body_in(letter: Letter, words: Wording, escape: Escape, whole: str) -> str:
    """Returns a letter as Markdown by the wording file that holds the whole of it."""
    environment, facts = words.templates, facts_of(letter, words, escape)
    sections = [_section(section, environment, escape) for section in letter.sections]
    opening = environment.get_template(f"{letter.kind}.md").make_module(facts)
    marks = {
        "practice": [one["heading"] for one in sections if one["practice"] and not one["says_so"]],
        "partly": [one["heading"] for one in sections if one["partly"] and not one["practice"]],
    }
    return environment.get_template(whole).render(
        {**facts, **marks, "sections": sections, "subject": _variable(opening, "subject"), "opening": str(opening).strip()}
    )


def _section(section: Section, environment: Environment, escape: Escape) -> dict[str, object]:
    facts = {**each_text(section.facts, escape), "practice": section.practice, "information": section.information}
    module = environment.get_template(f"parts/{section.part}.md").make_module(facts)
    text = str(module).strip()
    if not text:
        raise MissingPart(section.part, section.cites)
    said = bool(getattr(module, "says_so", False))
    marks = {"practice": section.practice, "partly": section.partly, "says_so": said}
    return {"heading": _variable(module, "heading"), "text": text, **marks}


def _variable(module: TemplateModule, name: str) -> str:
    value = getattr(module, name, None)
    if not value:
        raise TemplateError(f"the template sets no {name}")
    return str(value)


def each_text(facts: object, escape: Escape) -> dict[str, object]:
    done = _walk(facts, escape)
    assert isinstance(done, dict)
    return done


def _walk(value: object, escape: Escape) -> object:
    match value:
        case str():
            return escape(seen(value))
        case dict():
            return {
                key: item if key in ("type", "outcome", "of", "what", "decision", "kind") else _walk(_said(key, item), escape)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_walk(item, escape) for item in value]
        case _:
            return value


def _said(key: str, value: object) -> object:
    """Returns channels and recipients in words, anything else as it is."""
    if key == "to" and isinstance(value, str):
        return RECIPIENTS.get(value, value)
    if key == "channel" and isinstance(value, str):
        return CHANNELS.get(value, value)
    if key == "channels" and isinstance(value, list):
        return [CHANNELS.get(one, one) for one in value]
    return value


def escaped(text: str) -> str:
    """Returns text that Markdown prints as it stands: a person's words can never become markup."""
    return "  \n".join(MARKUP.sub(r"\\\1", line.strip()) for line in text.splitlines())


def set_aside(text: str) -> str:
    return text.translate(KEPT)


def seen(text: str) -> str:
    """Returns a text without signs that nobody sees: those that turn the direction of words, or hide between letters."""
    lines = text.replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(sign for sign in lines if sign in SHAPING or sign == "\n" or unicodedata.category(sign) not in ("Cf", "Cc", "Co"))


def page(markdown: str, letter: Letter, *, lang: str = "en-GB", size: str = "1.05rem", before: str = "", before_lang: str = "") -> str:
    """Returns a whole page in HTML, its dates never broken over two lines; `before` is the same letter in another language."""
    facts = {"title": f"{letter.label}, {letter.reference}", "lang": lang, "size": size, "before_lang": before_lang}
    return wording("").get_template("page.html").render(body=_html(markdown), before=_html(before), **facts)


def _html(markdown: str) -> str:
    made = MarkdownIt("commonmark", {"html": False}).render(markdown)
    return DATE.sub(lambda found: found[0].replace(" ", "\u00a0"), made)


def plain(markdown: str) -> str:
    """Returns a wording's plain text: its marks taken out, a person's own signs given back."""
    lines = [re.sub(r"^#+ ", "", line).replace("**", "").strip("*").rstrip() for line in markdown.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().translate(GIVEN_BACK) + "\n"
