"""What a wording prints of itself and nobody gave: a date, a time, the word none, an appeal where the policy has none.

A policy officer may change any wording. One that promises a time to appeal which the policy does not give would bind the body, so the
letter is stopped when it is made, not only where somebody thinks of `evenhand letter check`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from activities.letters import DATE, Unprintable, Wording, body_in, each_text, facts_of, plain, seen, set_aside
from domain.letters import Letter
from domain.model import Data

NUMBER = r"(?:\d+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|twenty|twenty-one|twenty-eight|thirty)"
PERIOD = re.compile(rf"\b(?:with)?in ({NUMBER} (?:working |calendar )?(?:day|week|fortnight|month|year)s?)\b", re.IGNORECASE)
APPEAL = re.compile(r"\bappeal", re.IGNORECASE)


class Stray(Data):
    """One thing that a text prints and nobody gave: the words as they stand, and what is wrong with them."""

    words: str
    what: str


def strays(text: str, facts: object, *, appeals: bool = True) -> Iterator[Stray]:
    """Yields what a wording's text prints that is not among its facts; `appeals` says whether the policy gives any appeal."""
    text = _one_line(text)
    given = tuple(_one_line(line) for one in values(facts) for line in str(one).splitlines() if line.strip())
    whole = "\n".join(given).casefold()
    for found in DATE.findall(text):
        if found.casefold() not in whole:
            yield Stray(words=found, what=f"prints a date of its own: {found}")
    for match in PERIOD.finditer(text):
        if not re.search(rf"(?<!\w){re.escape(match[1].casefold())}(?!\w)", whole):
            yield Stray(words=match[1], what=f'prints a time that neither the policy nor the case gives: "{match[0]}"')
    own = _without(text, given)
    if "none" in given and (found_none := re.search(r"\bnone\b", own)):
        yield Stray(words=found_none[0], what="prints the word none where there is nothing to say")
    if not appeals and (speaks := APPEAL.search(own)):
        yield Stray(words=speaks[0], what="speaks of an appeal, and this policy gives none")


def check_given(letter: Letter, words: Wording) -> None:
    """Refuses a letter whose wording prints what neither its policy nor its case gives. Raises Unprintable, which names file and words."""
    for name, text, facts in _texts(letter, words):
        for one in strays(text, facts, appeals=letter.appeals):
            raise Unprintable(f"{letter.kind}: {name} {one.what}.")


def _texts(letter: Letter, words: Wording) -> Iterator[tuple[str, str, object]]:
    """Yields each part with its own facts, then the opening, then the whole with all of them: a file, what it prints, what it was given."""
    of_all = facts_of(letter, words, set_aside)
    for section in letter.sections:
        file = f"parts/{section.part}.md"
        facts = {**each_text(section.facts, set_aside), "practice": section.practice, "information": section.information}
        yield file, plain(str(words.templates.get_template(file).make_module(facts))), section.facts
    opening = words.templates.get_template(f"{letter.kind}.md").make_module(of_all)
    everything = (letter.model_dump(), words.sender)
    yield f"{letter.kind}.md", plain(str(opening)), (letter.model_dump(exclude={"sections"}), words.sender)
    yield "body.md", plain(body_in(letter, words, set_aside, "body.md")), everything


def values(value: object) -> Iterator[object]:
    """Yields each single value of facts, however deep it lies."""
    match value:
        case dict():
            for one in value.values():
                yield from values(one)
        case list() | tuple():
            for one in value:
                yield from values(one)
        case _:
            yield value


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", seen(text)).strip()


def _without(text: str, given: Iterable[str]) -> str:
    """Returns a text without the words that were given to it: what is left is the wording's own."""
    for one in sorted(given, key=len, reverse=True):
        if one != "none":
            text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", " ", text)
    return text
