"""A letter that came back: nobody was notified, so nothing binds and no time runs until the customer is told again (DEF-05, DEF-06)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from activities.bodies import Body, save_body
from domain.case import Case, Notice
from domain.clocks import all_deadlines
from domain.commands import CorrectNotification, NoticeReturned, RecordNotification
from domain.decision import Refusal
from domain.flags import flags
from domain.notices import counted_from
from domain.receipt import four_dates
from policies import load
from records.database import create_all, open_database, transaction
from tests.stories import ALEX, ENGLAND, MMO_STAFF, a_continued_mmo_case, a_restricted_mmo_case, after, mmo
from tests.test_desk_records import NAME, ask, restricted, tell, told

MMO = load.policy("mmo")
BACK, TOLD = date(2027, 3, 25), date(2027, 3, 11)


def back(case: Case, on: date = BACK) -> Case:
    return after(case, (NoticeReturned(saw="n2", problem="Gone away."), mmo("officer"), on))


def handed_over(case: Case, on: date = TOLD, *, today: date = TOLD) -> Case:
    return after(case, (RecordNotification(saw="n2", method="by-hand", on=on), mmo("officer"), today))


def letter(case: Case) -> Notice:
    found = case.notice("n2")
    assert found is not None
    return found


def closes(case: Case) -> list[date]:
    return [one.reckoned.date for one in all_deadlines(case, MMO, ENGLAND) if one.kind == "appeal-closes"]


@pytest.fixture
def records(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    with transaction(engine) as session:
        save_body(session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=MMO_STAFF.people))
    return engine


def test_the_desk_enforces_nothing_after_a_letter_came_back_until_the_customer_is_told_again(records: Engine):
    """DEF-05: the desk would otherwise file unread what somebody sent who was never told."""
    restricted(records, "mmo/1")
    told(records, "mmo/1")
    assert ask(records, NAME, day=date(2027, 3, 17)).verdict == "read-and-file"

    tell(records, "mmo/1", "notice_returned", date(2027, 3, 18), saw="n2", problem="SECRET bounced")

    open_again = ask(records, NAME, day=date(2027, 3, 18))
    assert open_again.verdict == "deal-with-it" and "not yet told" in open_again.not_enforced[0]
    tell(records, "mmo/1", "record_notification", date(2027, 3, 22), saw="n2", method="by-hand")
    assert ask(records, NAME, day=date(2027, 3, 22)).verdict == "read-and-file"


def test_no_time_to_appeal_runs_from_a_letter_that_came_back_and_a_whole_one_from_the_next_telling():
    """MMO-42: two weeks from 29 March, although the first letter's two weeks were over."""
    case = back(a_restricted_mmo_case(customer=ALEX, told=TOLD), date(2027, 4, 1))
    assert closes(case) == [] and "not_yet_notified" in flags(case, MMO, ENGLAND, today=date(2027, 4, 1))

    again = handed_over(case, date(2027, 4, 1), today=date(2027, 4, 1))

    assert closes(again) == [date(2027, 4, 15)]


def test_a_copy_that_comes_back_takes_nothing_from_what_a_person_handed_over():
    """DEF-06: of two notifications the earlier stands, and the printed last day with it; the return is a fact beside them."""
    beside = handed_over(a_restricted_mmo_case(customer=ALEX, told=TOLD))
    was = closes(beside)

    case = back(beside)

    notice = letter(case)
    assert (notice.status, notice.notified_on, notice.method, notice.returned_on) == ("sent", TOLD, "by-hand", BACK)
    assert closes(case) == was == [date(2027, 3, 29)] and counted_from(case, "n2") == date(2027, 3, 15)
    dates = four_dates(case, notice, file=None)
    assert (dates.returned.on, dates.returned.evidence) == (BACK, "the copy in the post: Gone away.")


def test_what_was_handed_over_to_somebody_else_after_all_leaves_no_notification_where_the_post_came_back():
    """EH-91: set right, it falls back on no letter that came back."""
    case = back(handed_over(a_restricted_mmo_case(customer=ALEX, told=TOLD)))

    wrong = CorrectNotification(saw="n2", reasons="It was a neighbour.")
    notice = letter(after(case, (wrong, mmo("officer"), date(2027, 3, 26))))

    assert (notice.status, notice.notified_on, notice.counts_from) == ("returned", None, None)


def test_a_letter_posted_by_a_persons_own_hand_comes_back_like_any_other():
    posted = RecordNotification(saw="n2", method="first-class-post", on=TOLD)
    case = after(back(a_restricted_mmo_case(), TOLD), (posted, mmo("officer"), TOLD))
    assert letter(case).told_by is not None and letter(case).notified_on == date(2027, 3, 15)

    assert (letter(back(case)).status, letter(back(case)).notified_on) == ("returned", None)


@pytest.mark.parametrize("status", ["to-issue", "to-send", "withheld", "blocked"])
def test_what_never_left_cannot_come_back(status: str):
    """Else a letter that somebody withheld could be issued by a slip of the number."""
    case = a_restricted_mmo_case()
    held = letter(case).model_copy(update={"status": status, "sent_on": None, "notified_on": None})
    case = case.model_copy(update={"notices": (case.notices[0], held)})

    with pytest.raises(Refusal, match=f"n2 is {status}: it has not gone"):
        back(case)


@pytest.mark.parametrize("status", ["sent", "handed-over", "uncertain"])
def test_what_may_have_left_can_come_back(status: str):
    case = a_restricted_mmo_case()
    case = case.model_copy(update={"notices": (case.notices[0], letter(case).model_copy(update={"status": status}))})

    assert letter(back(case)).status == "returned"


def test_there_is_nothing_to_come_back_before_a_letter_is_owed():
    with pytest.raises(Refusal, match="saw must name"):
        back(a_continued_mmo_case())
