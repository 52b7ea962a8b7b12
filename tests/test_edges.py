"""Edges that a first user, an ombudsman and a clumsy hand found: each would have hurt somebody."""

from __future__ import annotations

from datetime import date

import pytest

from domain.commands import (
    Appeal,
    Correct,
    DeadlinePassed,
    DecideAppeal,
    Hold,
    ImposeSanction,
    ReportBehaviour,
    ReviewSanction,
    SetRetention,
)
from domain.decide import decide
from domain.decision import Refusal
from domain.message import read_command, read_message
from domain.people import CALENDAR, CUSTOMER
from domain.restrictions import ContactVolumeLimit, RefuseAllContact
from domain.tasks import tasks
from starter.cases import unfit_to_send
from tests.stories import (
    ENGLAND,
    MMO,
    MMO_GROUNDS,
    ONE_EMAIL_A_WEEK,
    REASONS,
    a_continued_mmo_case,
    a_restricted_mmo_case,
    after,
    mmo,
)


def refused(case, command, by, on: date) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decide(case, command, actor=by, policy=MMO, calendar=ENGLAND, today=on)
    return caught.value


def test_a_decision_entered_late_whose_end_has_passed_is_refused():
    """MMO-29, DEF-05: nothing is enforced before notification, so such a restriction would never have bound anybody."""
    late = ImposeSanction(
        on=date(2027, 3, 10), restrictions=(ONE_EMAIL_A_WEEK,), reasons=REASONS, findings=MMO_GROUNDS, until=date(2027, 4, 10)
    )

    said = refused(a_continued_mmo_case(), late, mmo("manager"), date(2027, 5, 1))

    assert "before the customer could be told" in said.reason
    assert "MMO-29" in said.cites


def test_an_appeal_never_leaves_the_customer_worse_off():
    """DEF-11: the outcome of an appeal opens no fresh right, so it may not impose what nobody could then challenge."""
    case = after(a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, date(2027, 3, 20)))
    worse = DecideAppeal(saw="a1", outcome="vary", reasons="So be it.", restrictions=(RefuseAllContact(type="refuse-all-contact"),))
    milder = ContactVolumeLimit(type="contact-volume-limit", max_contacts=3, per="week", channel="email")
    better = DecideAppeal(saw="a1", outcome="vary", reasons="Three are enough.", restrictions=(milder,))

    said = refused(case, worse, mmo("reviewer"), date(2027, 3, 25))
    case = after(case, (better, mmo("reviewer"), date(2027, 3, 25)))

    assert "DEF-11" in said.cites
    assert case.sanctions[0].terms.restrictions == (milder,)


def test_the_review_of_a_hold_becomes_somebodys_task():
    """DEF-19: a hold that nobody looks at again keeps papers for ever by omission."""
    lift = ReviewSanction(why="own-motion", outcome="lift")
    hold = Hold(reasons="A claim was made.", review_on=date(2027, 9, 1))
    came = DeadlinePassed(key="hold-review:h1:2027-09-01")
    case = after(
        a_restricted_mmo_case(),
        (lift, mmo("reviewer"), date(2027, 4, 1)),
        (hold, mmo("officer"), date(2027, 4, 2)),
        (DeadlinePassed(key="appeal-closes:s1:2027-03-24"), CALENDAR, date(2027, 4, 2)),
        (came, CALENDAR, date(2027, 9, 1)),
    )

    [task] = [one for one in tasks(case, MMO, ENGLAND, today=date(2027, 9, 2)) if one.kind == "hold"]

    assert task.people == ("officer",)
    past = refused(case, Hold(reasons="x", review_on=date(2020, 1, 1)), mmo("officer"), date(2027, 9, 2))
    assert "not after" in past.reason


def test_a_case_undone_as_a_mistake_takes_no_incident():
    """A customer who was told of the mistake is blamed for nothing more under that case."""
    case = after(a_restricted_mmo_case(), (Correct(reasons="The wrong person."), mmo("officer"), date(2027, 4, 1)))
    incident = ReportBehaviour(on=date(2027, 3, 30), code="other", medium="email", summary="An email.")

    assert "ended" in refused(case, incident, mmo("officer"), date(2027, 4, 2)).reason


def test_how_long_papers_are_kept_is_not_any_officers_to_say():
    """DEF-19: the body's schedule is set by the post that keeps the papers."""
    assert refused(a_restricted_mmo_case(), SetRetention(years=1), mmo("officer"), date(2027, 4, 1)).cites
    assert after(a_restricted_mmo_case(), (SetRetention(years=7), mmo("records"), date(2027, 4, 1))).keep_years == 7


def test_a_year_that_cannot_be_meant_is_refused():
    incident = ReportBehaviour(on=date(1066, 1, 1), code="other", medium="email", summary="An email.")

    assert refused(a_continued_mmo_case(), incident, mmo("officer"), date(2027, 4, 1)).kind == "malformed"


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x07"])
def test_a_sign_that_no_letter_can_print_is_refused(sign: str):
    message = {"id": "m", "do": "report_behaviour", "with": {"code": "other", "medium": "email", "summary": f"An{sign} email."}}

    with pytest.raises(Refusal, match="control character"):
        read_command(read_message(message))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"with": {"summary": "x" * 3_000_000}}, "at most"),
        ({"with": {"summary": "\ud800"}}, "UTF-8"),
        ({"with": {"n": float("nan")}}, "NaN"),
    ],
)
def test_what_would_choke_the_engine_is_not_sent(message: dict[str, object], why: str):
    """An update of megabytes is refused by the engine again and again, and everybody behind it waits."""
    assert why in (unfit_to_send(message) or "")
    assert unfit_to_send({"with": {"summary": "An email."}}) is None
