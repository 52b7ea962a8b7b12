"""By which class a letter is posted: a setting, kept with the hand-over; the day on which it counts as notified follows it (DEF-06)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from activities.carriers.carrier import Method
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.following import Following, Message
from domain.days import deemed_notified, in_words
from tests.notify import KEY, FakeNotify
from tests.posting import EMAIL, Posting
from tests.stories import ENGLAND
from worker.post import NoPost, class_of_post, post_of
from worker.settings import Settings

POSTED = date(2027, 3, 2)
CLASSES: list[tuple[Method, str, date]] = [
    ("first-class-post", "first", date(2027, 3, 4)),
    ("second-class-post", "second", date(2027, 3, 8)),
    ("economy-post", "economy", date(2027, 3, 12)),
]


@pytest.fixture
def posting(database: Engine, notify: FakeNotify, tmp_path_factory: pytest.TempPathFactory) -> Posting:
    carrier = notify.carrier()
    made = Posting(database, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path_factory.mktemp("outbox"))))
    made.set_up()
    return made


def by(posting: Posting, method: Method) -> None:
    posting.post = Post(email=posting.post.email, paper=posting.post.paper, outbox=posting.post.outbox, class_of_post=method)


@pytest.mark.parametrize(("method", "postage", "told"), CLASSES)
async def test_a_letter_goes_by_the_class_that_is_set_and_counts_by_it(
    posting: Posting, notify: FakeNotify, method: Method, postage: str, told: date
):
    """DEF-06: first class the second working day, second class the fourth; EH-160: economy the eighth. Its own dates say so too."""
    by(posting, method)
    notice = posting.decided("mmo/1")
    posting.sent("mmo/1", notice)
    [taken] = notify.sent.values()
    row = posting.row("mmo/1", notice)
    assert row and (taken.postage, row.method, row.day) == (postage, method, POSTED)
    text = posting.text("mmo/1", notice)
    assert f"The last day is {in_words(told + timedelta(weeks=2))}" in text, "two weeks from the day it counts as notified (MMO-42)"

    posting.now += timedelta(days=1)
    notify.clock = posting.now
    notify.becomes("received")

    async def tell(case: str, message: Message) -> None:
        assert posting.do(case, message).accepted

    await Following(posting.engine, posting.post).round(posting.now, tell=tell)
    sent = posting.notice("mmo/1", notice)
    assert (sent.status, sent.method, sent.sent_on, sent.notified_on) == ("sent", method, POSTED, told)


def test_a_letter_that_was_offered_keeps_its_class_when_the_setting_changes(posting: Posting, notify: FakeNotify):
    """Its answer was lost; asked for, it is found, and noted as it went."""
    by(posting, "second-class-post")
    notice = posting.decided("mmo/1")
    notify.fail("lost")
    posting.send("mmo/1", notice)
    by(posting, "first-class-post")

    posting.sent("mmo/1", notice)

    assert posting.notice("mmo/1", notice).method == "second-class-post" and len(notify.sent) == 1


def test_an_email_has_no_class_of_post(posting: Posting, notify: FakeNotify):
    by(posting, "economy-post")
    notice = posting.decided("mmo/1", customer=EMAIL)

    posting.sent("mmo/1", notice)

    assert posting.notice("mmo/1", notice).method == "email"


def test_economy_post_counts_over_a_bank_holiday():
    assert deemed_notified(date(2027, 3, 22), "economy-post", ENGLAND) == date(2027, 4, 5)


def test_the_setting_is_checked_at_the_start_and_is_of_notify_alone():
    given = Settings(paper_carrier="notify", notify_api_key=KEY, notify_postage="second")
    assert (class_of_post(given), post_of(given).class_of_post) == ("second-class-post", "second-class-post")
    assert class_of_post(Settings()) == "first-class-post", "as it was"
    assert class_of_post(Settings(notify_postage="economy")) == "first-class-post", "a person posts from the outbox"
    with pytest.raises(NoPost, match="EVENHAND_NOTIFY_POSTAGE is third; it must be one of first, second, economy"):
        post_of(Settings(paper_carrier="notify", notify_api_key=KEY, notify_postage="third"))
