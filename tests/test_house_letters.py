"""The letters that no policy asks for (date-moved, edition-changed, review-coming) keep the rules of all the others: on paper, in words."""

from __future__ import annotations

import io

import pypdfium2
import pytest
from pdfua import validate
from pdfua.model import Severity

from activities.made import make
from activities.plain_english import unplain
from domain.coming_review import with_house_letters
from domain.letters import Letter
from domain.policy import CHOSEN_LETTERS, HOUSE_LETTERS, Policy
from starter.sample_letters import sample_letter
from tests.pictures import LETTERHEAD
from tests.stories import policy_named
from tests.test_letter_paper import ALLOWED, FOLLOWING, LONG_NAME, SEVEN_LINES, SIZES, ink_outside
from tests.test_letter_words import own_words
from tests.test_letters import POLICIES

KINDS = (*HOUSE_LETTERS, *CHOSEN_LETTERS)
EACH = [(name, kind) for name in POLICIES for kind in KINDS]


def choosing(name: str) -> Policy:
    return with_house_letters(policy_named(name), tuple(CHOSEN_LETTERS))


def posted(name: str, kind: str) -> Letter:
    changed = {"name": LONG_NAME, "address": SEVEN_LINES, "method": "first-class-post"}
    return sample_letter(choosing(name), kind).model_copy(update=changed)


def test_each_house_letter_is_looked_at_under_each_policy():
    assert set(KINDS) == {"date-moved", "edition-changed", "review-coming"} and len(EACH) == 15


@pytest.mark.parametrize(("name", "kind"), EACH, ids=lambda one: one)
def test_a_house_letter_is_plain_and_speaks_to_somebody(name: str, kind: str):
    text = make(posted(name, kind), policy=name, sender=LETTERHEAD).files["txt"].decode()
    words = text.split("\n\nDear ", 1)[1].split("\n", 1)[1].split("Yours sincerely")[0]

    assert unplain(words, but=own_words(name)) == []
    assert " you" in words and " us" in words and "If anything is unclear" in words


@pytest.mark.parametrize("size", SIZES)
def test_a_house_letter_fits_the_window_and_is_accessible_in_every_size(size: str):
    ending, forms = SIZES[size]
    for name, kind in EACH:
        pdf = make(posted(name, kind), policy=name, sender=LETTERHEAD, forms=forms).files[ending]
        for n, page in enumerate(pypdfium2.PdfDocument(pdf)):
            assert ink_outside(page, FOLLOWING if n else ALLOWED) is None, f"{name} {kind}, page {n + 1}"
        assert [one for one in validate(io.BytesIO(pdf)).findings if one.severity >= Severity.ERROR] == [], f"{name} {kind}"
