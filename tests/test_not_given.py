"""A letter whose wording prints what neither its policy nor its case gives is stopped when it is made, not only where it is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.letters import Unprintable, wording
from activities.made import make
from activities.not_given import strays
from domain.case import Case
from domain.letters import Letter
from records.database import create_all, open_database
from tests.posting import Posting
from tests.stories import a_restricted_council_case, a_restricted_maidstone_case, a_restricted_mmo_case
from tests.test_letters import STORIES, composed


def by_email(letter: Letter) -> Letter:
    return letter.model_copy(update={"method": "email"})


def test_every_letter_of_every_policy_prints_only_what_it_was_given():
    """The guard stops none of our own letters, and says how many it saw."""
    for name, kind in STORIES:
        make(by_email(composed(STORIES[name, kind](), kind)), policy=name)
    assert len(STORIES) >= 55


NO_APPEAL = "speaks of an appeal, and this policy gives none"
HEADING = "{% set heading = 'If you disagree' %}\n"
STRAY: dict[str, tuple[Case, str, str, str]] = {
    "a last day where the policy gives none": (
        a_restricted_maidstone_case(), "parts/appeal.md", HEADING + "Appeal within 28 days.", '"within 28 days"',
    ),
    "a last day in the opening": (
        a_restricted_maidstone_case(), "decision.md", "{% set subject = 'x' %}\nYou can appeal within two weeks.", '"within two weeks"',
    ),
    "another time than the policy's": (
        a_restricted_mmo_case(), "parts/appeal.md", HEADING + "Ask within 3 weeks, by {{ closes }}.", '"within 3 weeks"',
    ),
    "part of a number": (a_restricted_mmo_case(), "parts/reasons.md", HEADING + "{{ text }} In 2 days.", '"In 2 days"'),
    "a date": (a_restricted_mmo_case(), "help.md", "Ask before Friday 2 April 2027.", "a date of its own: Friday 2 April 2027"),
    "an appeal where there is none": (
        a_restricted_council_case(), "parts/reasons.md", HEADING + "{{ text }} You may appeal.", NO_APPEAL,
    ),
    "an appeal in what every letter has": (
        a_restricted_council_case(), "help.md", "Please ask us. You can appeal.", NO_APPEAL,
    ),
    "the word none": (
        a_restricted_maidstone_case(), "parts/appeal.md", HEADING + "Tell us by {{ closes }}, in {{ window }}.", "the word none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", STRAY)
def test_a_letter_that_prints_what_nobody_gave_is_not_made(own_wording: Path, what: str):
    """MBC-62, C24-67, traps 29 and 30: the file and the words are named, so that whoever mends it finds them."""
    case, file, content, said = STRAY[what]
    (own_wording / file).write_text(content, encoding="utf-8")

    with pytest.raises(Unprintable) as stopped:
        make(by_email(composed(case, "decision")), policy=case.policy)

    assert said in str(stopped.value)
    assert (file in str(stopped.value)) or file == "help.md"


def test_a_letter_is_stopped_where_it_is_sent_and_a_person_is_asked(own_wording: Path, tmp_path: Path):
    """Whoever changes a wording without checking it sends nothing by it: the letter is blocked, and the case goes on."""
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    posting = Posting(engine, Post.into(tmp_path / "outbox"))
    posting.set_up()
    letter = posting.decided("mmo/1")
    reasons = own_wording / "parts" / "reasons.md"
    right = reasons.read_text(encoding="utf-8")
    reasons.write_text(right + "\nYou have to answer within 28 days.", encoding="utf-8")
    wording.cache_clear()

    posting.sent("mmo/1", letter)

    notice = posting.notice("mmo/1", letter)
    assert notice.status == "blocked" and notice.problem and "parts/reasons.md" in notice.problem and '"within 28 days"' in notice.problem
    assert [one.kind for one in posting.tasks("mmo/1") if one.ref == letter] == ["letter"]
    assert not list((tmp_path / "outbox").rglob("*.pdf"))
    assert isinstance(posting.post.paper, Outbox)
    reasons.write_text(right, encoding="utf-8")
    wording.cache_clear()
    again = {"v": 1, "id": "again", "do": "issue_notice", "by": "max-manager", "saw": letter, "with": {}}
    assert posting.do("mmo/1", again).accepted
    posting.sent("mmo/1", letter)
    assert posting.notice("mmo/1", letter).status == "sent"


SAID = (
    "You wrote that you would appeal within 28 days.\nThe visit was on Friday 5 March 2027, and none of us was told.",
    "*In three weeks* you rang in a day as often as others do in 2 years.\u200b We count within  14 days.",
    "# Within 5 working days of Monday 1 March 2027",
)


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("case", [a_restricted_council_case, a_restricted_mmo_case], ids=["no appeal", "an appeal"])
def test_a_persons_own_words_stop_no_letter(case, said: str):  # type: ignore[no-untyped-def]  # a story
    """Reasons may name any day, time or appeal: a person wrote them, and no wording did."""
    letter = by_email(composed(case(), "decision"))
    sections = [one.model_copy(update={"facts": {**one.facts, "text": said}}) if "text" in one.facts else one for one in letter.sections]
    with_words: Letter = letter.model_copy(update={"sections": tuple(sections)})

    assert any(one.facts.get("text") == said for one in sections)
    make(with_words, policy=letter.reference.split("/")[0])


def test_a_time_is_given_by_the_whole_of_its_words_alone():
    """ "28 days" gives no "8 days"."""
    assert [one.words for one in strays("Within 8 days.", {"window": "28 days"})] == ["8 days"]
    assert not list(strays("Within 28 days.", {"window": "28 days"}))
