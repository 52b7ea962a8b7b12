"""Letters in plain English: every letter of every policy, in its own words; a customer's and an officer's words stay as they are."""

from __future__ import annotations

import re

import pytest

from activities.letters import render
from activities.plain_english import unplain
from tests.stories import policy_named
from tests.test_letters import STORIES, composed, plain


def words_of(name: str, kind: str) -> str:
    """Returns what a letter says between its greeting and its close."""
    text = render(composed(STORIES[name, kind](), kind), policy=name).text
    return text.split("\n\nDear ", 1)[1].split("\n", 1)[1].split("Yours sincerely")[0]


def own_words(name: str) -> frozenset[str]:
    """Returns the words of a policy that no wording can change: its title and its offices."""
    policy = policy_named(name)
    return frozenset({policy.title, *(office.label for office in policy.offices.values()), policy.ombudsman.value.split("ask ")[-1]})


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_a_letter_is_plain(name: str, kind: str):
    """No sentence over 25 words, half of them under 15, nobody hidden, no words of offices."""
    assert unplain(words_of(name, kind), but=own_words(name)) == []


def test_the_check_finds_what_is_not_plain():
    """A check that finds nothing in anything would say nothing."""
    officialese = "It is considered that, pursuant to the policy, contact will cease. " + "Word " * 25 + "end."

    found = " ".join(unplain(officialese))

    assert [one for one in ("it is considered", "pursuant to", "cease", "26 words") if one not in found] == []
    assert "half of its sentences" in " ".join(
        unplain("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")
    )


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_a_letter_speaks_to_somebody(name: str, kind: str):
    """It says you and we, never the customer or the council; and it says whom to ask."""
    words = plain(words_of(name, kind))

    assert re.search(r"\byou\b|\byour\b", words, re.IGNORECASE)
    assert re.search(r"\bwe\b|\bus\b|\bour\b", words, re.IGNORECASE)
    assert "If anything is unclear Please ask us." in words
    assert "help to take part because of a disability" in words


DECIDING = ("decision", "extreme-decision", "disengagement", "review-outcome", "appeal-outcome")
NEXT = {"review-date", "until", "next-steps", "clear-time", "answer-due", "next-stage"}
CHALLENGE = {"appeal", "next-stage", "ombudsman", "appeal-outside", "right-of-review"}


def test_every_letter_that_decides_says_what_happens_next_and_how_to_challenge_it():
    """What now, what if I disagree, whom do I ask: in each letter about a decision or an outcome, under each policy."""
    checked = [(name, kind) for name, kind in STORIES if kind in DECIDING]

    for name, kind in checked:
        parts = {section.part for section in composed(STORIES[name, kind](), kind).sections}
        assert parts & NEXT, f"{name} {kind} says nothing of what happens next"
        assert parts & CHALLENGE, f"{name} {kind} says nothing of how to challenge it"
    assert len(checked) >= 14


AFTER_THAT = "If you are still unhappy after that,"
OFFERS = {"appeal", "next-stage", "right-of-review", "requested-review"}


def test_the_ombudsman_is_always_information_and_never_the_policy_s_words():
    """DEF-16: who else can help is named as information, in every letter that names them."""
    checked = 0
    for name, kind in STORIES:
        words, named = plain(words_of(name, kind)), policy_named(name).ombudsman.value.removeprefix(AFTER_THAT)
        if named in words:
            checked += 1
            assert f"{named} This is information for you. It is not part of our policy." in words, f"{name} {kind}"
    assert checked >= 12


def test_who_else_can_help_comes_after_our_answer_only_where_the_letter_offers_one():
    """DEF-16: a letter that ends the road says nothing of something that was to come before."""
    ends, offers = 0, 0
    for name, kind in STORIES:
        parts = {section.part for section in composed(STORIES[name, kind](), kind).sections}
        if "ombudsman" not in parts or not policy_named(name).ombudsman.value.startswith(AFTER_THAT):
            continue
        words = plain(words_of(name, kind))
        assert AFTER_THAT not in words, f"{name} {kind}: after what?"
        assert ("If you are still unhappy after our answer, you can ask" in words) == bool(parts & OFFERS), f"{name} {kind}"
        assert ("If you are still unhappy, you can ask" in words) == (not parts & OFFERS), f"{name} {kind}"
        offers, ends = offers + bool(parts & OFFERS), ends + (not parts & OFFERS)
    assert ends >= 5 and offers >= 5
