"""Whether a letter's words are plain: short sentences, spoken to you by us, nothing passive or official where a plain word would do."""

from __future__ import annotations

import re
from statistics import median

from activities.sentences import sentences

MOST_WORDS, USUAL_WORDS = 25, 15
"""The longest sentence, and what half of a letter's sentences stay under, in words."""

PASSIVE = (
    "it is considered", "it was considered", "it has been decided", "it was decided", "it is felt", "it is noted", "it should be noted",
    "you are advised", "you are reminded", "you are requested", "you are required", "is deemed", "are deemed", "has been determined",
    "will be taken", "will be notified", "will be informed", "have been placed", "has been placed", "has been received", "were reported",
)  # fmt: skip
"""Phrases that hide who does a thing."""

JARGON = {
    "pursuant to": "under",
    "in accordance with": "under",
    "with regard to": "about",
    "in respect of": "about",
    "regarding": "about",
    "prior to": "before",
    "subsequent to": "after",
    "in the event that": "if",
    "in the event of": "if",
    "should you": "if you",
    "commence": "begin",
    "terminate": "end",
    "cease": "stop",
    "utilise": "use",
    "endeavour": "try",
    "ascertain": "find out",
    "aforementioned": "this",
    "aforesaid": "this",
    "hereby": "(leave out)",
    "herein": "here",
    "herewith": "with this",
    "therein": "in it",
    "whilst": "while",
    "notwithstanding": "even if",
    "forthwith": "at once",
    "henceforth": "from now on",
    "deem": "think",
    "furnish": "give",
    "facilitate": "help",
    "implement": "carry out",
    "correspondence": "letters and emails",
    "stakeholder": "people",
    "vexatious": "(leave out)",
    "further to": "after",
    "please be advised": "(leave out)",
    "at this moment in time": "now",
    "in due course": "(say when)",
    "sanctioned": "limited",
    "service user": "you",
    "the customer": "you",
    "the complainant": "you",
    "per annum": "a year",
    "inter alia": "among",
}
"""Words of offices, each with what says it plainly."""


def unplain(text: str, *, but: frozenset[str] = frozenset()) -> list[str]:
    """Returns what makes a text hard to read, a line each; `but` holds a body's own words (titles, offices) that stay as they are."""
    own = text
    for words in sorted(but, key=len, reverse=True):
        own = own.replace(words, "Own")
    found = [f'{len(one.split())} words: "{_start(one)}"' for one in _all(own) if len(one.split()) > MOST_WORDS]
    lengths = [len(one.split()) for one in _all(own)]
    if lengths and median(lengths) >= USUAL_WORDS:
        found.append(f"half of its sentences have {median(lengths):.0f} words or more; {USUAL_WORDS} is much")
    lower = re.sub(r"\s+", " ", own.casefold())
    found += [f'"{one}" hides who does it: say "we"' for one in PASSIVE if re.search(rf"\b{one}\b", lower)]
    found += [f'"{one}": say "{plain}"' for one, plain in JARGON.items() if re.search(rf"\b{one}\b", lower)]
    return found


def _all(text: str) -> list[str]:
    return [one for line in text.splitlines() for one in sentences(line.removeprefix("- "))]


def _start(sentence: str) -> str:
    words = sentence.split()
    return " ".join(words[:8]) + " ..."
