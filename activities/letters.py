"""Letters in words: Markdown with Jinja2 that a policy officer can edit, made into HTML and plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.environment import TemplateModule
from markdown_it import MarkdownIt

from domain.letters import Letter, MissingPart, Section
from domain.model import Data

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "notices"
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|&~=])")
KEPT = str.maketrans({"#": "\ue000", "*": "\ue001"})
GIVEN_BACK = str.maketrans({"\ue000": "#", "\ue001": "*"})
"""Signs of a person's own words, set aside while the wording's own marks are taken out of the plain text."""


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
    """One letter in its forms: a page, plain text, and its body as Markdown for a layout on paper."""

    html: str
    text: str
    markdown: str
    parts: tuple[str, ...]


class Unprintable(Exception):
    """The wording could not be made: a template is wrong. Says which and why."""


@cache
def wording(policy: str) -> Environment:
    """Returns the templates, a body's own before the common ones."""
    loader = ChoiceLoader([FileSystemLoader(TEMPLATES / policy), FileSystemLoader(TEMPLATES)])
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, auto_reload=False)  # noqa: S701  # text is escaped for Markdown below


def render(letter: Letter, *, policy: str) -> Rendered:
    """Returns the letter in words. Raises MissingPart where a part prints nothing, Unprintable on a bad template."""
    try:
        html = _html(_markdown(letter, policy, _escaped), letter)
        text = _plain(_markdown(letter, policy, _set_aside))
        body = _markdown(letter, policy, _escaped, "body.md")
    except TemplateError as error:
        raise Unprintable(f"{letter.kind}: {error}") from None
    return Rendered(html=html, text=text, markdown=body, parts=tuple(section.part for section in letter.sections))


def _markdown(letter: Letter, policy: str, escape: Callable[[str], str], whole: str = "letter.md") -> str:
    environment = wording(policy)
    facts = _each_text({**letter.model_dump(exclude={"sections"}), "sections": []}, escape)
    sections = [_section(section, environment, escape) for section in letter.sections]
    opening = environment.get_template(f"{letter.kind}.md").make_module(facts)
    return environment.get_template(whole).render(
        {**facts, "sections": sections, "subject": _variable(opening, "subject"), "opening": str(opening).strip()}
    )


def _section(section: Section, environment: Environment, escape: Callable[[str], str]) -> dict[str, object]:
    module = environment.get_template(f"parts/{section.part}.md").make_module(_each_text(section.facts, escape))
    text = str(module).strip()
    if not text:
        raise MissingPart(section.part, section.cites)
    return {
        "heading": _variable(module, "heading"),
        "text": text,
        "practice": section.practice,
        "partly": section.partly,
        "information": section.information,
    }


def _variable(module: TemplateModule, name: str) -> str:
    value = getattr(module, name, None)
    if not value:
        raise TemplateError(f"the template sets no {name}")
    return str(value)


def _each_text(facts: object, escape: Callable[[str], str]) -> dict[str, object]:
    done = _walk(facts, escape)
    assert isinstance(done, dict)
    return done


def _walk(value: object, escape: Callable[[str], str]) -> object:
    match value:
        case str():
            return escape(value)
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


def _escaped(text: str) -> str:
    """Returns text that Markdown prints as it stands: a person's words can never become markup."""
    return "  \n".join(MARKUP.sub(r"\\\1", line.strip()) for line in text.splitlines())


def _set_aside(text: str) -> str:
    return text.translate(KEPT)


def _html(markdown: str, letter: Letter) -> str:
    body = MarkdownIt("commonmark", {"html": False}).render(markdown)
    page = wording("").get_template("page.html")
    return page.render(body=body, title=f"{letter.label}, {letter.reference}")


def _plain(markdown: str) -> str:
    lines = [re.sub(r"^#+ ", "", line).replace("**", "").strip("*").rstrip() for line in markdown.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip().translate(GIVEN_BACK) + "\n"
