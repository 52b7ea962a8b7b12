"""Two attempts at one letter at once: a worker that was paused longer than its heartbeat wakes up beside the one that took over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.carriers.carrier import CannotTell, Handed, Method, News, Parcel
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME
from activities.outcome import Letter
from activities.sending import Sending
from domain.days import Calendar, london_date
from records.database import reading
from records.store import read_case
from starter.letters_kept import file_as_sent
from tests.handed_over import CASE, MANAGER, Records, _at, message

DAY = date(2027, 3, 22)


@dataclass
class Once:
    """A carrier that would take a letter twice, and remembers each."""

    name: str = "once"
    twice_is_once: bool = False
    got: list[str] = field(default_factory=list)

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        return london_date(at)

    def hand_over(self, parcel: Parcel) -> Handed:
        self.got.append(parcel.reference)
        return Handed(status="taken")

    def find(self, parcel: Parcel) -> Handed | None:
        raise CannotTell("It keeps no list.")

    def news(self, id: str, method: Method, at: datetime) -> News:
        raise CannotTell("It keeps no list.")


class Paused(Sending):
    """A worker that stands still once, where it has made the letter and not offered it yet."""

    meanwhile: Callable[[], object]

    def _made(self, *given: object) -> object:  # type: ignore[override]  # passed on as it is
        made = super()._made(*given)  # type: ignore[arg-type]  # as above
        self.meanwhile()
        return made


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Records in which n2 came back and was issued again; nobody has sent it yet."""
    found = Records(tmp_path).restricted()
    found.post = lambda day, *, case=CASE: None  # type: ignore[method-assign]  # each test sends by itself
    found.tell(message("r", "notice_returned", saw="n2", problem="No such mailbox."), date(2027, 3, 21))
    found.tell(message("s", "issue_notice", by=MANAGER, saw="n2"), date(2027, 3, 21))
    return found


def send(sending: Sending) -> object:
    return sending.send(Letter(case=CASE, notice="n2", now=_at(DAY)), now=_at(DAY))


def paused(records: Records, post: Post, meanwhile: Callable[[], object]) -> Sending:
    sending = Paused(records.engine, post, ENGINE_TIME)
    object.__setattr__(sending, "meanwhile", meanwhile)
    return sending


def test_a_letter_goes_once_where_two_attempts_have_made_it(records: Records):
    """Decision 20: a carrier that takes a letter twice is never offered it by both."""
    carrier = Once()
    post = replace(Post.into(records.outbox), email=carrier)
    other = Sending(records.engine, post, ENGINE_TIME)

    with pytest.raises(ApplicationError, match="Another attempt"):
        send(paused(records, post, lambda: send(other)))

    assert carrier.got == [f"{CASE}/n2-2"]


def test_a_letter_that_a_person_withheld_meanwhile_is_not_offered(records: Records):
    """DEF-14: somebody told the customer another way while the worker stood still."""
    carrier = Once()
    post = replace(Post.into(records.outbox), email=carrier)
    told = message("t", "record_notification", by=MANAGER, saw="n2", method="by-hand")

    with pytest.raises(ApplicationError, match="somebody settled it"):
        send(paused(records, post, lambda: records.tell(told, DAY)))

    assert carrier.got == []


def test_what_is_kept_is_what_was_written_down_where_an_attempt_comes_late(records: Records):
    """The late one made it for the old address: what is kept stays the letter whose hash was written down."""
    post = Post.into(records.outbox)
    assert isinstance(post.email, Outbox)

    def mended_and_sent() -> None:
        records.tell(message("c", "correct_address", address="new@example.org"), DAY)
        send(Sending(records.engine, post, ENGINE_TIME))

    send(paused(records, post, mended_and_sent))

    with reading(records.engine) as session:
        case = read_case(session, CASE)
        assert case
        found = file_as_sent(session, case, "n2-2", "txt", outbox=records.outbox)
        assert file_as_sent(session, case, "n2-2", "pdf", outbox=records.outbox).recorded
    assert b"new@example.org" in found.content
