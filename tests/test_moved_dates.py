"""A newer holiday table and what it does to dates, told or not, past or open; and proofs of receipt (EH-30 to EH-34)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.calendars import made_of
from domain.calendar_change import counted_anew
from domain.case import Case
from domain.clocks import all_deadlines
from domain.commands import (
    AcknowledgeCalendar,
    AnyCommand,
    Appeal,
    ApplyCalendar,
    CorrectNotification,
    DeadlinePassed,
    DecideAppeal,
    DecideMovedDate,
    NoticeReturned,
    RecordNotification,
    RecordReceipt,
)
from domain.days import Calendar, Holiday
from domain.deadlines import reckon
from domain.decide import decide
from domain.decision import Refusal
from domain.letters import compose
from domain.people import CALENDAR, CUSTOMER, Actor
from domain.receipt import four_dates
from domain.rules import Period
from domain.tasks import tasks
from domain.told import TOLD, favours_customer
from policies import load
from tests import stories
from tests.stories import ALEX, ENGLAND, MMO, mmo

APPEALED = date(2027, 3, 12)
ANSWER = date(2027, 4, 13)
"""Twenty working days from Friday 12 March 2027, over Good Friday and Easter Monday."""
MOURNING = Holiday(on=date(2027, 3, 31), name="Day of mourning")


def newer(
    *add: Holiday, remove: tuple[date, ...] = (), closures: tuple[Holiday, ...] = (), edition: str = "england-and-wales-newer"
) -> Calendar:
    """Returns the table of England and Wales with days added and taken away, as a later edition."""
    days = (*(one for one in ENGLAND.holidays if one.on not in remove), *add)
    return made_of(ENGLAND, edition=edition, holidays=tuple(sorted(days, key=lambda one: one.on)), closures=closures)


def a_pending_answer(*, told: bool = True) -> Case:
    """Returns an MMO case with a request for a review received on 12 March 2027, acknowledged on the same day where `told`."""
    case = stories.after(stories.a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, APPEALED))
    return stories.sent(case, "n3", APPEALED) if told else case


def act(case: Case, command: AnyCommand, who: Actor, on: date, calendar: Calendar = ENGLAND) -> Case:
    return decide(case, command, actor=who, policy=stories.policy_named(case.policy), calendar=calendar, today=on).case


def taken_over(case: Case, new: Calendar, on: date, old: Calendar = ENGLAND) -> Case:
    return act(case, ApplyCalendar(edition=new.edition), CALENDAR, on, made_of(old, newer=new))


def day_of(case: Case, kind: str, calendar: Calendar) -> date:
    [found] = [one for one in all_deadlines(case, stories.policy_named(case.policy), calendar) if one.kind == kind]
    return found.reckoned.date


def waiting(case: Case, calendar: Calendar, on: date) -> dict[str, str]:
    return {task.kind: task.ref for task in tasks(case, stories.policy_named(case.policy), calendar, today=on)}


# A new bank holiday


def test_an_answer_that_was_told_stays_as_told_when_a_new_holiday_would_make_it_later():
    """EH-31, MMO-43: a later answer is to the customer's disadvantage; the old day stands until an officer decides."""
    new = newer(MOURNING)
    case = taken_over(a_pending_answer(), new, date(2027, 3, 16))

    assert day_of(case, "answer-due", new) == ANSWER
    assert not [one for one in case.notices if one.kind == "date-moved"]
    [change] = case.changes
    [kept] = [one for one in change.moved if one.stands == "kept"]
    assert (kept.was, kept.becomes, kept.because, kept.told) == (ANSWER, ANSWER + timedelta(days=1), (MOURNING,), True)
    assert waiting(case, new, date(2027, 3, 16))["moved-date"] == kept.id
    assert waiting(case, new, date(2027, 3, 16))["calendar"] == change.id


def test_an_answer_that_nobody_was_told_of_moves_with_the_table():
    """MMO-43: the acknowledgement has not gone yet; it will print the new day."""
    new = newer(MOURNING)
    case = taken_over(a_pending_answer(told=False), new, APPEALED)

    assert day_of(case, "answer-due", new) == ANSWER + timedelta(days=1)
    assert "moved-date" not in waiting(case, new, APPEALED)
    assert {one.stands for one in case.changes[0].moved} == {"moved"}
    letter = compose(case, case.notices[2], policy=MMO, calendar=new, sent_on=APPEALED)
    assert letter.sections[0].facts["due"] == "Wednesday 14 April 2027"


def test_an_earlier_answer_moves_by_itself_and_the_customer_is_told():
    """EH-32: a holiday that is withdrawn brings the answer forward, which favours the customer."""
    new = newer(remove=(date(2027, 3, 29),))
    case = taken_over(a_pending_answer(), new, date(2027, 3, 16))

    assert day_of(case, "answer-due", new) == date(2027, 4, 12)
    [notice] = [one for one in case.notices if one.kind == "date-moved"]
    letter = compose(case, notice, policy=MMO, calendar=new, sent_on=date(2027, 3, 16))
    [section] = letter.sections
    assert section.practice
    assert (section.facts["was"], section.facts["becomes"]) == ("Tuesday 13 April 2027", "Monday 12 April 2027")
    assert section.facts["days"] == [{"on": "Monday 29 March 2027", "name": "Easter Monday"}]


def test_a_letter_on_its_way_counts_as_notified_later_and_gives_more_time_to_appeal():
    """DEF-06, MMO-42: posted on Thursday 11 March; the 15th becomes a holiday: it counts from the 16th, the window ends a day later."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    new = newer(Holiday(on=date(2027, 3, 15), name="Day of mourning"))

    case = taken_over(posted, new, date(2027, 3, 12))

    assert case.notices[1].notified_on == date(2027, 3, 16)
    assert day_of(case, "appeal-closes", new) == date(2027, 3, 30)
    assert [one.kind for one in case.notices] == ["warning", "decision", "date-moved"]
    assert [(one.kind, one.stands) for one in case.changes[0].moved] == [("notification", "moved"), ("appeal-closes", "moved")]


def test_a_letter_that_counts_as_notified_already_stays_where_it_counts():
    """Decided dates of the past never move: the same holiday, proclaimed a day too late."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    new = newer(Holiday(on=date(2027, 3, 15), name="Day of mourning"))

    case = taken_over(posted, new, date(2027, 3, 15))

    assert case.notices[1].notified_on == date(2027, 3, 15)
    assert not case.changes[0].moved


def test_no_letter_counts_as_notified_earlier_because_a_holiday_goes():
    """EH-31: an earlier day would shorten the time to appeal that the letter printed."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 25))
    assert posted.notices[1].notified_on == date(2027, 3, 31)

    case = taken_over(posted, newer(remove=(date(2027, 3, 29),)), date(2027, 3, 26))

    assert case.notices[1].notified_on == date(2027, 3, 31)
    assert not case.changes[0].moved


def test_a_window_in_working_days_that_would_end_earlier_stays_as_told():
    """EH-31: the appeal's last day is the customer's own; a holiday that goes would take a day away."""
    appeal = MMO.appeal
    assert appeal
    window = Period.model_validate(
        {"working_days": {"value": 10, "cites": ["MMO-42"]}, "from": {"value": "notification", "cites": ["MMO-42"]}}
    )
    policy = MMO.model_copy(update={"appeal": appeal.model_copy(update={"window": window})})
    case, new = stories.a_restricted_mmo_case(on=date(2027, 3, 22), told=date(2027, 3, 22)), newer(remove=(date(2027, 3, 29),))

    after, change = counted_anew(case, policy, ENGLAND, new, today=date(2027, 3, 23))

    assert [(one.kind, one.stands, one.was, one.becomes) for one in change.moved] == [
        ("appeal-closes", "kept", date(2027, 4, 7), date(2027, 4, 6))
    ]
    closes = [one for one in all_deadlines(after, policy, new) if one.kind == "appeal-closes"]
    assert [one.reckoned.date for one in closes] == [date(2027, 4, 7)]


def test_a_deadline_that_has_passed_stays_passed():
    """An answer that was overdue is not made timely by a holiday proclaimed afterwards, and does not fall due twice."""
    case = a_pending_answer()
    for one in all_deadlines(case, MMO, ENGLAND):
        if one.kind in ("answer-reminder", "appeal-closes", "answer-due"):
            case = act(case, DeadlinePassed(key=one.key), CALENDAR, date(2027, 4, 14))
    new = newer(MOURNING)

    after = taken_over(case, new, date(2027, 4, 15))

    assert day_of(after, "answer-due", new) == ANSWER
    assert {one.stands for one in after.changes[0].moved} == {"past"}
    assert "calendar" not in waiting(after, new, date(2027, 4, 15))
    assert "escalated" in waiting(after, new, date(2027, 4, 15))
    open_now = [one.kind for one in all_deadlines(after, MMO, new) if one.key not in after.passed and one.fires <= date(2027, 4, 15)]
    assert open_now == []


def test_a_table_that_the_case_has_or_that_is_not_offered_is_refused():
    case, new = a_pending_answer(), newer(MOURNING)
    with pytest.raises(Refusal, match="no table that this case can take over"):
        act(case, ApplyCalendar(edition="england-and-wales-unknown"), CALENDAR, APPEALED)
    with pytest.raises(Refusal, match="counts with") as refused:
        taken_over(taken_over(case, new, APPEALED), new, APPEALED, old=new)
    assert refused.value.kind == "repeated"


# A person decides


def a_kept_answer() -> tuple[Case, Calendar]:
    new = newer(MOURNING)
    return taken_over(a_pending_answer(), new, date(2027, 3, 16)), new


def test_a_date_that_an_officer_moves_moves_and_the_customer_is_told_why():
    case, new = a_kept_answer()
    move = DecideMovedDate(saw=kept_id(case), decision="move", reasons="Nobody works on the day of mourning.")

    case = act(case, move, mmo("reviewer"), date(2027, 3, 17), new)

    assert day_of(case, "answer-due", new) == ANSWER + timedelta(days=1)
    letter = compose(case, case.notices[-1], policy=MMO, calendar=new, sent_on=date(2027, 3, 17))
    assert letter.kind == "date-moved"
    assert letter.sections[0].facts["text"] == "Nobody works on the day of mourning."
    assert "moved-date" not in waiting(case, new, date(2027, 3, 17))


def kept_id(case: Case) -> str:
    [one] = [one for change in case.changes for one in change.moved if one.waits]
    return one.id


def test_a_date_that_an_officer_keeps_stays_and_nobody_is_asked_again_about_the_same_move():
    case, new = a_kept_answer()
    keep = DecideMovedDate(saw=kept_id(case), decision="keep", reasons="The customer counts on it.")
    case = act(case, keep, mmo("reviewer"), date(2027, 3, 17), new)
    later = newer(MOURNING, Holiday(on=date(2027, 8, 2), name="A day in August"), edition="england-and-wales-newest")

    again = taken_over(case, later, date(2027, 3, 18), old=new)

    assert day_of(again, "answer-due", later) == ANSWER
    assert "moved-date" not in waiting(again, later, date(2027, 3, 18))
    assert [one.decision for one in again.changes[-1].moved] == ["keep"]


def test_a_table_that_brings_the_told_date_back_settles_what_waited():
    """The holiday is withdrawn again: what was kept as told is what the table gives."""
    case, new = a_kept_answer()

    case = taken_over(case, newer(edition="england-and-wales-newest"), date(2027, 3, 18), old=new)

    assert day_of(case, "answer-due", ENGLAND) == ANSWER
    assert "moved-date" not in waiting(case, ENGLAND, date(2027, 3, 18))


@pytest.mark.parametrize("who", ["officer", "manager", "records"])
def test_only_whoever_decides_the_appeal_decides_on_its_answer(who: str):
    case, new = a_kept_answer()
    with pytest.raises(Refusal, match="more senior reviewer"):
        act(case, DecideMovedDate(saw=kept_id(case), decision="move", reasons="Later."), mmo(who), date(2027, 3, 17), new)


def test_a_told_date_that_has_come_is_decided_on_no_more():
    case, new = a_kept_answer()
    with pytest.raises(Refusal, match="has passed"):
        act(case, DecideMovedDate(saw=kept_id(case), decision="move", reasons="Later."), mmo("reviewer"), date(2027, 4, 14), new)
    answered = act(case, DecideAppeal(saw="a1", outcome="uphold", reasons="It was right."), mmo("reviewer"), date(2027, 3, 18), new)
    assert "moved-date" not in waiting(answered, new, date(2027, 3, 18))
    with pytest.raises(Refusal, match="waits for a decision"):
        act(case, DecideMovedDate(saw="m99", decision="keep", reasons="No."), mmo("reviewer"), date(2027, 3, 17), new)


def test_the_case_officer_sees_what_moved_and_says_so():
    case, new = a_kept_answer()

    seen = act(case, AcknowledgeCalendar(saw="k1"), mmo("officer"), date(2027, 3, 17), new)

    assert "calendar" not in waiting(seen, new, date(2027, 3, 17))
    assert (seen.changes[0].acknowledged_by, seen.changes[0].acknowledged_on) == ("officer", date(2027, 3, 17))
    with pytest.raises(Refusal, match="waits to be seen"):
        act(seen, AcknowledgeCalendar(saw="k1"), mmo("officer"), date(2027, 3, 18), new)


# What holds always


@pytest.mark.parametrize(
    ("kind", "earlier_favours"),
    [("appeal-closes", False), ("answer-due", True), ("review-due", True), ("restrictions-end", True)],
)
def test_each_told_date_has_a_side(kind: str, earlier_favours: bool):
    day = date(2027, 3, 10)
    assert favours_customer(kind, day, day - timedelta(days=1)) is earlier_favours
    assert favours_customer(kind, day, day + timedelta(days=1)) is not earlier_favours
    assert len(TOLD) == 4


SPRING = st.dates(date(2027, 3, 1), date(2027, 4, 30)).filter(lambda day: day.weekday() < 5)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(SPRING, max_size=3), st.lists(st.sampled_from([date(2027, 3, 26), date(2027, 3, 29)]), max_size=2), st.integers(0, 20)
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_no_table_ever_moves_a_told_date_to_the_customers_disadvantage(tables: list[tuple[list[date], list[date], int]], by_post: bool):
    """EH-31: whatever days come and go, in whatever order, a told answer is never later and a told window never shorter."""
    case = stories.a_restricted_mmo_case(customer=ALEX if by_post else stories.CASEY, told=date(2027, 3, 11))
    case = stories.sent(stories.after(case, (Appeal(medium="email"), CUSTOMER, APPEALED)), "n3", APPEALED)
    old, on = ENGLAND, APPEALED
    for n, (add, remove, days) in enumerate(tables):
        on += timedelta(days=days)
        known = {one.on for one in ENGLAND.holidays}
        new = newer(
            *(Holiday(on=day, name="New") for day in sorted(set(add) - known)), remove=tuple(remove), edition=f"england-and-wales-{n}"
        )
        answer, closes = day_of(case, "answer-due", old), day_of(case, "appeal-closes", old)
        case = taken_over(case, new, on, old=old)
        assert day_of(case, "answer-due", new) <= answer
        assert day_of(case, "appeal-closes", new) >= closes
        if answer < on:
            assert day_of(case, "answer-due", new) == answer
        if closes < on:
            assert day_of(case, "appeal-closes", new) == closes
        old = new


def test_reviews_and_ends_do_not_depend_on_any_table():
    """DEF-03: they are counted in months or set as days, so no table moves them; the side they have is there all the same."""
    full = newer(*(Holiday(on=date(2027, 3, 1) + timedelta(days=n), name="Every day") for n in range(300)))
    compared = 0
    for case in (
        stories.a_restricted_mmo_case(),
        stories.a_restricted_portsmouth_case(until=date(2027, 9, 10)),
        stories.a_restricted_maidstone_case(),
        stories.a_sanctioned_natural_england_case(),
        stories.a_restricted_council_case(),
    ):
        policy = stories.policy_named(case.policy)
        for kind in ("review-due", "restrictions-end"):
            before, after = (
                [one.reckoned.date for one in all_deadlines(case, policy, each) if one.kind == kind] for each in (ENGLAND, full)
            )
            assert before == after
            compared += len(before)
    assert compared >= 5


def test_only_the_answer_and_the_appeal_of_the_texts_move_and_no_other_clause_names_a_calendar():
    """MMO-43 is the one clause of the five texts that counts working days; none says whose, so none of the files does."""
    named = [name for name in load.names() if "calendar:" in load.policy_text(name)]
    counted = {name: load.policy_text(name).count("working_days") for name in load.names()}
    assert named == []
    assert sum(counted.values()) >= 8
    cited = [
        line
        for name in load.names()
        for line in load.policy_text(name).splitlines()
        if "working_days" in line and "cites" in line.split("from:")[0]
    ]
    assert len(cited) == 1 and "MMO-43" in cited[0]


# Whose working days


def test_a_period_may_name_its_own_nation():
    """DEF-04: Easter Monday is no bank holiday in Scotland; 30 November is one there alone."""
    scotland = load.calendar("scotland")
    both = made_of(ENGLAND, others=(scotland,))
    days = {"working_days": {"value": 1, "default": "DEF-04"}}
    scottish = Period.model_validate({**days, "calendar": {"value": "scotland", "cites": ["SVC-01"]}})

    easter = reckon(scottish, date(2027, 3, 26), event="receipt", calendar=both)

    assert (easter.date, easter.calendar) == (date(2027, 3, 29), scotland.edition)
    assert easter.cites == ("SVC-01",)
    assert reckon(Period.model_validate(days), date(2027, 3, 26), event="receipt", calendar=both).date == date(2027, 3, 30)
    assert reckon(scottish, date(2027, 11, 29), event="receipt", calendar=both).date == date(2027, 12, 1)
    with pytest.raises(LookupError, match="no table of scotland"):
        reckon(scottish, date(2027, 3, 26), event="receipt", calendar=ENGLAND)
    with pytest.raises(ValueError, match="working_days"):
        Period.model_validate({"weeks": {"value": 1, "default": "DEF-02"}, "calendar": {"value": "scotland", "cites": ["SVC-01"]}})


def test_a_nation_named_alone_leaves_out_the_bodys_closed_days():
    """EH-30: a period counts with the closed days unless its clause names a nation's bank holidays alone."""
    closed = Holiday(on=date(2027, 6, 10), name="office closed")
    own = made_of(ENGLAND, closures=(closed,), others=(ENGLAND,))
    days = {"working_days": {"value": 1, "default": "DEF-04"}}

    due = {
        name: reckon(
            Period.model_validate({**days, **({"calendar": {"value": name, "cites": ["SVC-01"]}} if name else {})}),
            date(2027, 6, 9), event="receipt", calendar=own,
        )
        for name in (None, "body", "england-and-wales")
    }  # fmt: skip

    assert [due[name].date for name in (None, "body", "england-and-wales")] == [date(2027, 6, 11), date(2027, 6, 11), date(2027, 6, 10)]
    assert "EH-30" in due[None].defaults and "EH-30" not in due["england-and-wales"].defaults


def test_closed_days_count_when_a_letter_counts_as_notified():
    """DEF-06, EH-30: posted on 22 December 2026; the office is closed on the 29th."""
    own = made_of(ENGLAND, closures=(Holiday(on=date(2026, 12, 29), name="office closed"),))
    from domain.days import deemed_notified

    assert deemed_notified(date(2026, 12, 24), "first-class-post", ENGLAND) == date(2026, 12, 30)
    assert deemed_notified(date(2026, 12, 24), "first-class-post", own) == date(2026, 12, 31)


# Known so far


def test_a_letter_says_that_a_date_past_the_known_holidays_is_known_so_far():
    """EH-33: the answer falls past known_until; the letter prints the day and what it is worth, marked as practice."""
    short = made_of(ENGLAND, known_until=date(2027, 3, 31))
    case = a_pending_answer(told=False)

    letter = compose(case, case.notices[2], policy=MMO, calendar=short, sent_on=APPEALED)

    assert [one.part for one in letter.sections] == ["answer-due", "known-so-far"]
    assert letter.sections[1].practice and letter.sections[1].facts["days"] == ["Tuesday 13 April 2027"]
    assert [one.part for one in compose(case, case.notices[2], policy=MMO, calendar=ENGLAND, sent_on=APPEALED).sections] == ["answer-due"]


def test_a_task_says_that_its_day_is_known_so_far():
    short = made_of(ENGLAND, known_until=date(2027, 3, 31))
    case = a_pending_answer()

    assert {one.kind: one.provisional for one in tasks(case, MMO, short, today=APPEALED)}["appeal"]
    assert not any(one.provisional for one in tasks(case, MMO, ENGLAND, today=APPEALED))


def test_a_posted_notice_past_the_known_holidays_leaves_the_window_known_so_far():
    """DEF-06: the day of notification itself is counted in working days."""
    short = made_of(ENGLAND, known_until=date(2027, 3, 12))
    case = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    [closes] = [one for one in all_deadlines(case, MMO, short) if one.kind == "appeal-closes"]
    assert closes.reckoned.provisional


# Four dates


def a_posted_decision() -> Case:
    """Returns an MMO case whose decision of 10 March 2027 was posted on the 11th and counts as notified on Monday the 15th."""
    return stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))


def received(case: Case, on: date, *, today: date | None = None) -> Case:
    return act(case, RecordReceipt(saw="n2", on=on, evidence="Signed for, number SAMPLE-1."), mmo("officer"), today or on)


@pytest.mark.parametrize("on", [date(2027, 3, 12), date(2027, 3, 15)])
def test_a_receipt_that_is_not_later_proves_the_notification_and_moves_nothing(on: date):
    """DEF-06: an earlier receipt does not shorten the window; the day by which the letter counts stands, proven."""
    case = received(a_posted_decision(), on)

    assert (case.notices[1].notified_on, case.notices[1].received_on) == (date(2027, 3, 15), on)
    assert day_of(case, "appeal-closes", ENGLAND) == date(2027, 3, 29)
    assert not case.changes
    assert "proven" in four_dates(case, case.notices[1], file=None).notified.evidence


def test_a_receipt_that_is_later_gives_the_customer_the_time_it_took():
    """DEF-06, unless the contrary is shown: it came on the 18th, so the two weeks end on 1 April; the customer is told the new last day."""
    case = received(a_posted_decision(), date(2027, 3, 18))

    assert case.notices[1].notified_on == date(2027, 3, 15)
    assert day_of(case, "appeal-closes", ENGLAND) == date(2027, 4, 1)
    assert [one.kind for one in case.notices] == ["warning", "decision", "date-moved"]
    late = act(case, Appeal(medium="letter"), CUSTOMER, date(2027, 4, 1))
    assert not late.challenges[0].late
    facts = compose(case, case.notices[2], policy=MMO, calendar=ENGLAND, sent_on=date(2027, 3, 18)).sections[0].facts
    assert (facts["was"], facts["becomes"], facts["of"]) == ("Monday 29 March 2027", "Thursday 1 April 2027", "receipt")


def test_a_receipt_is_never_taken_back_to_an_earlier_day_nor_before_the_sending():
    case = received(a_posted_decision(), date(2027, 3, 18))
    with pytest.raises(Refusal, match="take back"):
        received(case, date(2027, 3, 16), today=date(2027, 3, 18))
    with pytest.raises(Refusal, match="was sent on"):
        received(a_posted_decision(), date(2027, 3, 10), today=date(2027, 3, 18))
    with pytest.raises(Refusal, match="must name a letter that was sent"):
        act(a_posted_decision(), RecordReceipt(saw="n9", evidence="A reply."), mmo("officer"), date(2027, 3, 18))


def test_a_letter_that_came_back_after_all_was_not_received():
    case = received(a_posted_decision(), date(2027, 3, 15))
    back = act(case, NoticeReturned(saw="n2", problem="not at this address"), mmo("officer"), date(2027, 3, 17))
    assert (back.notices[1].notified_on, back.notices[1].received_on, back.notices[1].received_evidence) == (None, None, None)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30))
def test_no_receipt_ever_shortens_the_time_to_appeal(days: int):
    on = date(2027, 3, 11) + timedelta(days=days)
    assert day_of(received(a_posted_decision(), on), "appeal-closes", ENGLAND) >= date(2027, 3, 29)


def test_the_four_dates_of_a_letter_each_have_their_evidence():
    case = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    dates = four_dates(case, case.notices[1], file="n2.html, sha256 0f0f")

    assert (dates.decided.on, dates.sent.on, dates.notified.on, dates.received.on) == (
        date(2027, 3, 10), date(2027, 3, 11), date(2027, 3, 15), None,
    )  # fmt: skip
    assert "manager (decision-maker)" in dates.decided.evidence
    assert dates.sent.evidence == "n2.html, sha256 0f0f"
    assert "second working day" in dates.notified.evidence and "DEF-06" in dates.notified.evidence
    assert dates.received.evidence == "not proven"


def test_who_posted_a_letter_by_hand_is_the_evidence_that_it_went():
    case = stories.a_restricted_mmo_case()
    back = act(case, NoticeReturned(saw="n2", problem="bounced"), mmo("officer"), date(2027, 3, 11))
    posted = act(back, RecordNotification(saw="n2", method="first-class-post", on=date(2027, 3, 12)), mmo("manager"), date(2027, 3, 12))

    assert four_dates(posted, posted.notices[1], file=None).sent.evidence == "first class post, by manager"


# A hand-over beside the post, and a record that was wrong


def handed_over(case: Case, on: date, *, today: date | None = None) -> Case:
    return act(case, RecordNotification(saw="n2", method="by-hand", on=on), mmo("officer"), today or on)


def test_a_posted_letter_handed_over_early_keeps_the_last_day_that_it_prints():
    """DEF-06, MMO-42: posted on 11 March it counts from the 15th; handed over on the 11th the window still ends on the 29th."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    printed = day_of(posted, "appeal-closes", ENGLAND)

    case = handed_over(posted, date(2027, 3, 11))

    assert day_of(case, "appeal-closes", ENGLAND) == printed == date(2027, 3, 29)
    assert (case.notices[1].notified_on, case.notices[1].counts_from) == (date(2027, 3, 11), date(2027, 3, 15))
    letter = compose(case, case.notices[1], policy=MMO, calendar=ENGLAND, sent_on=date(2027, 3, 11))
    assert "Monday 29 March 2027" in str(letter.sections)


@pytest.mark.parametrize("told_on", [None, date(2027, 3, 15), date(2027, 3, 16)])
def test_a_hand_over_that_was_a_mistake_leaves_the_letter_that_went(told_on: date | None):
    """EH-91: the post took it, so it is neither sent again nor open whether the customer was told."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    wrong = handed_over(posted, date(2027, 3, 11))

    case = act(wrong, CorrectNotification(saw="n2", told_on=told_on, reasons="Another letter."), mmo("officer"), date(2027, 3, 16))

    assert case.notices[1] == posted.notices[1]


def test_a_letter_with_a_carrier_that_is_handed_over_keeps_the_day_it_will_print():
    """DEF-06: to be posted on Friday 12 March, it prints its dates from the 16th."""
    case = stories.a_restricted_mmo_case(customer=ALEX)
    waiting = {
        "status": "handed-over",
        "method": "first-class-post",
        "expected_on": date(2027, 3, 12),
        "sent_on": None,
        "notified_on": None,
    }
    case = case.model_copy(update={"notices": (case.notices[0], case.notices[1].model_copy(update=waiting))})

    case = handed_over(case, date(2027, 3, 11))

    assert (case.notices[1].notified_on, case.notices[1].counts_from) == (date(2027, 3, 11), date(2027, 3, 16))
    assert day_of(case, "appeal-closes", ENGLAND) == date(2027, 3, 30)


def told_by_hand() -> Case:
    """Returns a case whose decision came back and was then recorded as handed over on 12 March: the window ends on the 26th."""
    back = act(stories.a_restricted_mmo_case(), NoticeReturned(saw="n2", problem="no such address"), mmo("officer"), date(2027, 3, 11))
    return handed_over(back, date(2027, 3, 12))


def test_a_wrong_day_of_telling_is_set_right_by_a_later_one_with_a_letter():
    """EH-91, MMO-42: two weeks from the 15th."""
    case = told_by_hand()
    assert day_of(case, "appeal-closes", ENGLAND) == date(2027, 3, 26)

    right = CorrectNotification(saw="n2", told_on=date(2027, 3, 15), reasons="The note had the wrong day.")
    case = act(case, right, mmo("officer"), date(2027, 3, 16))

    assert day_of(case, "appeal-closes", ENGLAND) == date(2027, 3, 29)
    assert case.notices[-1].kind == "date-moved"
    assert case.notices[1].notified_on == date(2027, 3, 15)


def test_telling_that_never_happened_makes_the_letter_go_again():
    """EH-91: no window has begun, and a person issues the letter anew."""
    case = act(told_by_hand(), CorrectNotification(saw="n2", reasons="It was another customer."), mmo("officer"), date(2027, 3, 16))

    assert (case.notices[1].status, case.notices[1].notified_on) == ("returned", None)
    assert not [one for one in all_deadlines(case, MMO, ENGLAND) if one.kind == "appeal-closes"]
    assert "letter" in waiting(case, ENGLAND, date(2027, 3, 16))


@pytest.mark.parametrize("day", [date(2027, 3, 11), date(2027, 3, 12), date(2027, 3, 17)])
def test_no_record_of_telling_is_set_right_to_an_earlier_day_or_one_to_come(day: date):
    with pytest.raises(Refusal, match="told_on is"):
        act(told_by_hand(), CorrectNotification(saw="n2", told_on=day, reasons="x"), mmo("officer"), date(2027, 3, 16))


def test_what_the_post_took_is_not_corrected_by_hand():
    with pytest.raises(Refusal, match="a person recorded as told") as refused:
        act(stories.a_restricted_mmo_case(), CorrectNotification(saw="n2", reasons="x"), mmo("officer"), date(2027, 3, 16))
    assert "record_receipt" in (refused.value.remains or "")
