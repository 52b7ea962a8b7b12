"""Whether two topics may be the same. Only a sign: a person judges what a contact is about (EH-24)."""

from __future__ import annotations

import re

from domain.identifiers import name_in

SHORTEST = 4
"""Letters of a word that says something of a topic, its ending cut off."""
ENDING = re.compile(r"(ing|ings|es|ed|e|s|y|ies)$")


def alike(topic: str, named: str) -> bool:
    """Returns whether two topics share a telling word, whatever its ending, or one stands whole in the other."""
    one, other = name_in(topic) or "", name_in(named) or ""
    if not one or not other:
        return False
    return bool(_telling(one) & _telling(other)) or f" {other} " in f" {one} " or f" {one} " in f" {other} "


def _telling(words: str) -> frozenset[str]:
    stems = (ENDING.sub("", word) for word in words.split() if word not in COMMON)
    return frozenset(stem for stem in stems if len(stem) >= SHORTEST)


COMMON = frozenset(
    {
        *("about", "again", "also", "been", "case", "complaint", "complaints", "contact", "council", "email", "enquiry", "from", "have"),
        *(
            "letter",
            "matter",
            "matters",
            "please",
            "question",
            "questions",
            "reply",
            "request",
            "service",
            "that",
            "their",
            "them",
            "there",
        ),
        *("there", "these", "they", "this", "those", "what", "when", "where", "which", "with", "your"),
    }
)
"""Words that say nothing of a topic."""
