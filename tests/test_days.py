"""Days, months, working days and the hour at which a day begins (DEF-01 to DEF-06)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case import Case
from domain.clocks import Deadline, all_deadlines, reckon
from domain.commands import Appeal, DeadlinePassed, NoticeBlocked, NoticeReturned, NoticeSent, RecordNotification
from domain.days import (
    Calendar,
    Holiday,
    Unit,
    add_months,
    add_working_days,
    after,
    deemed_notified,
    first_instant,
    in_words,
    london_date,
    subtract_working_days,
)
from domain.decide import decide
from domain.decision import Refusal
from domain.flags import flags
from domain.people import CALENDAR, CUSTOMER, POST
from domain.rules import Period
from tests import stories
from tests.stories import ALEX, ENGLAND, MMO

UTC = timezone.utc
ONE_DAY = timedelta(days=1)
UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years", "working_days")


def window(**parts: object) -> Period:
    return Period.model_validate({name: {"value": value, "default": "DEF-02"} for name, value in parts.items()})


def deadline(case: Case, kind: str) -> Deadline:
    found = [one for one in all_deadlines(case, stories.policy_named(case.policy), ENGLAND) if one.kind == kind]
    assert len(found) == 1, f"{len(found)} deadlines of kind {kind}"
    return found[0]


# DEF-01: civil time


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        (date(2027, 3, 27), datetime(2027, 3, 27, 0, tzinfo=UTC)),
        (date(2027, 3, 28), datetime(2027, 3, 28, 0, tzinfo=UTC)),
        (date(2027, 3, 29), datetime(2027, 3, 28, 23, tzinfo=UTC)),
        (date(2027, 10, 31), datetime(2027, 10, 30, 23, tzinfo=UTC)),
        (date(2027, 11, 1), datetime(2027, 11, 1, 0, tzinfo=UTC)),
    ],
)
def test_a_london_day_begins_at_its_own_instant_around_the_clock_changes(day: date, begins: datetime):
    """DEF-01: the UTC instant is derived from the local date; 28 March 2027 has 23 hours and 31 October 2027 has 25."""
    assert first_instant(day) == begins


def test_the_days_of_the_clock_changes_are_23_and_25_hours_long():
    """DEF-01: clocks change on the last Sundays of March and October."""
    assert first_instant(date(2027, 3, 29)) - first_instant(date(2027, 3, 28)) == timedelta(hours=23)
    assert first_instant(date(2027, 11, 1)) - first_instant(date(2027, 10, 31)) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("start", "last_day", "closes"),
    [
        (date(2027, 3, 20), date(2027, 4, 3), datetime(2027, 4, 3, 23, tzinfo=UTC)),
        (date(2027, 3, 14), date(2027, 3, 28), datetime(2027, 3, 28, 23, tzinfo=UTC)),
        (date(2027, 10, 20), date(2027, 11, 3), datetime(2027, 11, 4, 0, tzinfo=UTC)),
        (date(2027, 10, 17), date(2027, 10, 31), datetime(2027, 11, 1, 0, tzinfo=UTC)),
    ],
)
def test_a_window_over_a_clock_change_ends_with_its_local_day(start: date, last_day: date, closes: datetime):
    """DEF-01, MMO-42: two weeks are fourteen civil days, an hour more or less than 14 x 24 hours."""
    assert MMO.appeal and MMO.appeal.window

    ends = reckon(MMO.appeal.window, start, event="notification", calendar=ENGLAND)

    assert ends.date == last_day
    assert first_instant(ends.date + ONE_DAY) == closes
    assert closes - first_instant(start) != timedelta(days=15)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2027, 1, 10, 23, 59, tzinfo=UTC), date(2027, 1, 10)),
        (datetime(2027, 6, 10, 22, 59, tzinfo=UTC), date(2027, 6, 10)),
        (datetime(2027, 6, 10, 23, 0, tzinfo=UTC), date(2027, 6, 11)),
        (datetime(2027, 3, 28, 22, 59, tzinfo=UTC), date(2027, 3, 28)),
        (datetime(2027, 3, 28, 23, 0, tzinfo=UTC), date(2027, 3, 29)),
        (datetime(2027, 10, 31, 23, 59, tzinfo=UTC), date(2027, 10, 31)),
    ],
)
def test_an_instant_belongs_to_the_london_day_in_which_it_falls(instant: datetime, day: date):
    """DEF-01, DEF-07: half past eleven at night in summer is still that day in London, midnight is the next."""
    assert london_date(instant) == day


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_day_begins_where_the_day_before_ends(day: date):
    """DEF-01: no instant belongs to two days or to none."""
    begins = first_instant(day)

    assert london_date(begins) == day
    assert london_date(begins - timedelta(microseconds=1)) == day - ONE_DAY


# DEF-02: windows in days or weeks


def test_the_day_of_the_notice_is_day_0_and_day_14_counts_in_full():
    """DEF-02, MMO-42: notified on 10 March 2027, so 24 March is the last day and the window closes as the 25th begins."""
    closes = deadline(stories.a_restricted_mmo_case(), "appeal-closes")

    assert closes.reckoned.date == date(2027, 3, 24)
    assert closes.fires == date(2027, 3, 25)


def test_an_appeal_on_the_last_day_is_in_time_and_on_the_next_is_late():
    """DEF-02, MMO-42: the last day counts to local midnight."""
    case = stories.a_restricted_mmo_case()

    in_time = stories.after(case, (Appeal(medium="email"), CUSTOMER, date(2027, 3, 24)))

    assert not in_time.challenges[0].late
    with pytest.raises(Refusal, match="2 weeks"):
        stories.after(case, (Appeal(medium="email"), CUSTOMER, date(2027, 3, 25)))


@pytest.mark.parametrize(
    ("told", "last_day"),
    [
        (date(2027, 3, 15), date(2027, 3, 29)),  # Easter Monday
        (date(2027, 3, 14), date(2027, 3, 28)),  # Easter Sunday, and the clocks change
        (date(2027, 12, 13), date(2027, 12, 27)),  # the substitute day for Christmas
    ],
)
def test_a_window_is_not_moved_because_its_last_day_is_no_working_day(told: date, last_day: date):
    """DEF-02: the window is not moved because its last day is a weekend or bank holiday."""
    assert MMO.appeal and MMO.appeal.window
    assert ENGLAND.rests(last_day)

    assert reckon(MMO.appeal.window, told, event="notification", calendar=ENGLAND).date == last_day


# DEF-03: months and years


@pytest.mark.parametrize(
    ("anchor", "months", "day"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 11, 30), 6, date(2027, 5, 30)),
        (date(2026, 11, 30), 9, date(2027, 8, 30)),
        (date(2026, 11, 30), 12, date(2027, 11, 30)),
        (date(2026, 11, 30), 15, date(2028, 2, 29)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 1, 31), 2, date(2027, 3, 31)),
        (date(2027, 1, 31), 3, date(2027, 4, 30)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 24, date(2030, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2027, 12, 15), 1, date(2028, 1, 15)),
    ],
)
def test_months_go_to_the_corresponding_date_or_the_last_day_of_a_shorter_month(anchor: date, months: int, day: date):
    """DEF-03: 30 November and three months is 28 or 29 February, and three more from the anchor is 30 May again."""
    assert add_months(anchor, months) == day


def test_yearly_reviews_of_a_decision_on_29_february_return_to_the_29th():
    """DEF-03, MMO-44: each due date is anchor + n x 12 months, never a step from an already shortened date."""
    case, due = stories.a_restricted_mmo_case(on=date(2028, 2, 1), told=date(2028, 2, 1)), []
    anchored = case.sanctions[0].model_copy(update={"decided_on": date(2028, 2, 29)})
    case = case.model_copy(update={"sanctions": (anchored,)})

    while len(due) < 4:
        overdue = [one for one in all_deadlines(case, MMO, ENGLAND) if one.kind == "review-overdue" and one.key not in case.passed]
        due.append(overdue[0].reckoned.date)
        earlier = [one.key for one in all_deadlines(case, MMO, ENGLAND) if one.fires <= overdue[0].fires]
        case = case.model_copy(update={"passed": (*case.passed, *(key for key in earlier if key not in case.passed))})

    assert due == [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]


def test_a_review_that_falls_on_a_sunday_is_due_on_that_sunday():
    """DEF-03, DEF-13: a due date on a non-working day is not moved; it fires as the day begins."""
    case = stories.a_restricted_mmo_case(on=date(2027, 3, 12), told=date(2027, 3, 12))

    due = deadline(case, "review-due")

    assert due.fires == due.reckoned.date == date(2028, 3, 12)
    assert due.reckoned.date.weekday() == 6


# DEF-04: working days


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2027, 3, 25), 1, date(2027, 3, 30)),  # over Good Friday 26 March and Easter Monday 29 March
        (date(2027, 3, 24), 20, date(2027, 4, 23)),
        (date(2027, 12, 23), 1, date(2027, 12, 24)),
        (date(2027, 12, 24), 1, date(2027, 12, 29)),  # 25 and 26 December are a weekend; 27 and 28 their substitutes
        (date(2027, 12, 23), 5, date(2028, 1, 4)),  # 1 January 2028 is a Saturday; Monday the 3rd its substitute
        (date(2027, 12, 17), 20, date(2028, 1, 19)),
    ],
)
def test_working_days_leave_out_weekends_and_bank_holidays_with_their_substitutes(start: date, days: int, end: date):
    """DEF-04: Monday to Friday except bank and public holidays in England and Wales, substitutes included."""
    assert add_working_days(start, days, ENGLAND)[0] == end


def test_a_request_received_on_a_saturday_counts_from_the_next_working_day():
    """DEF-04, MMO-43: day 1 is the first working day after the date of receipt, whether or not that was a working day."""
    friday, saturday, sunday = date(2027, 12, 17), date(2027, 12, 18), date(2027, 12, 19)
    assert MMO.appeal and MMO.appeal.answer

    ends = {reckon(MMO.appeal.answer, day, event="receipt", calendar=ENGLAND).date for day in (friday, saturday, sunday)}

    assert ends == {date(2028, 1, 19)}


def test_the_days_that_did_not_count_are_named_with_the_calendar_that_says_so():
    """DEF-04, design 4: every computed date explains itself."""
    assert MMO.appeal and MMO.appeal.answer

    due = reckon(MMO.appeal.answer, date(2027, 12, 23), event="receipt", calendar=ENGLAND)

    christmas = (*(date(2027, 12, day) for day in (25, 26, 27, 28)), *(date(2028, 1, day) for day in (1, 2, 3)))
    assert due.skipped[:7] == christmas
    assert (due.start, due.start_event, due.rule) == (date(2027, 12, 23), "receipt", "20 working days")
    assert due.calendar == ENGLAND.edition
    assert due.cites == ("MMO-43",)
    assert due.defaults == ("DEF-04",)
    assert not due.provisional


def test_a_date_past_the_known_holidays_is_provisional():
    """Design 4: a date past known_until says so, because a bank holiday may yet be proclaimed."""
    assert MMO.appeal and MMO.appeal.answer and MMO.appeal.window
    received = ENGLAND.known_until - timedelta(days=10)

    assert reckon(MMO.appeal.answer, received, event="receipt", calendar=ENGLAND).provisional
    assert not reckon(MMO.appeal.window, received, event="notification", calendar=ENGLAND).provisional


def test_a_closure_of_the_office_is_no_working_day():
    """DEF-04: the holiday table is versioned data; a body may add its own closed days."""
    closed = Calendar(**ENGLAND.model_dump(exclude={"closures"}), closures=(Holiday(on=date(2027, 6, 10), name="move of offices"),))

    assert add_working_days(date(2027, 6, 9), 1, closed) == (date(2027, 6, 11), (date(2027, 6, 10),))


def test_a_reminder_five_working_days_before_christmas_skips_the_same_days():
    """DEF-12: reminders count back over the days that do not count."""
    assert subtract_working_days(date(2028, 1, 4), 5, ENGLAND) == date(2027, 12, 23)
    assert subtract_working_days(date(2027, 3, 30), 1, ENGLAND) == date(2027, 3, 25)


# DEF-05: which date starts a clock


def test_reviews_run_from_the_decision_and_appeals_from_the_notification():
    """DEF-05, MMO-42, MMO-44: decided on 10 March 2027, posted on the 11th, told on Monday the 15th."""
    case = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))

    assert case.notices[1].notified_on == date(2027, 3, 15)
    assert deadline(case, "appeal-closes").reckoned.date == date(2027, 3, 29)
    assert deadline(case, "review-due").reckoned.date == date(2028, 3, 10)


def test_no_appeal_window_runs_before_the_customer_is_told():
    """DEF-05: nothing is enforced and no window starts before notification; a letter that came back opens the question again."""
    told = stories.a_restricted_mmo_case()
    returned = stories.after(told, (NoticeReturned(saw="n2", problem="bounced"), stories.mmo("officer"), date(2027, 3, 11)))

    assert not [one for one in all_deadlines(returned, MMO, ENGLAND) if one.kind == "appeal-closes"]
    assert "not_yet_notified" in flags(returned, MMO, ENGLAND, today=date(2027, 3, 11))
    assert "not_yet_notified" not in flags(told, MMO, ENGLAND, today=date(2027, 3, 11))


def test_restrictions_end_with_the_last_day_the_customer_was_told():
    """DEF-02, DEF-12: until 10 September 2027 means to its midnight; the lapse fires as the 11th begins."""
    case = stories.a_restricted_portsmouth_case(until=date(2027, 9, 10))

    end = deadline(case, "restrictions-end")

    assert end.fires == date(2027, 9, 11)
    with pytest.raises(Refusal, match="no longer stands"):
        stories.after(case, (DeadlinePassed(key=end.key), CALENDAR, date(2027, 9, 10)))


# DEF-06: the date of notification


@pytest.mark.parametrize(
    ("sent_on", "method", "told"),
    [
        (date(2027, 3, 27), "email", date(2027, 3, 27)),  # a Saturday
        (date(2027, 3, 29), "online-form", date(2027, 3, 29)),
        (date(2027, 3, 26), "by-hand", date(2027, 3, 26)),
        (date(2027, 3, 28), "telephone", date(2027, 3, 28)),
        (date(2027, 3, 9), "first-class-post", date(2027, 3, 11)),
        (date(2027, 3, 9), "second-class-post", date(2027, 3, 15)),
        (date(2027, 3, 25), "first-class-post", date(2027, 3, 31)),  # over Good Friday and Easter Monday
        (date(2027, 3, 25), "second-class-post", date(2027, 4, 2)),
        (date(2027, 12, 23), "first-class-post", date(2027, 12, 29)),  # over the substitute days
        (date(2027, 12, 24), "second-class-post", date(2028, 1, 4)),
        (date(2027, 3, 13), "first-class-post", date(2027, 3, 16)),  # posted on a Saturday
    ],
)
def test_a_letter_counts_as_notified_by_the_way_it_went(sent_on: date, method: str, told: date):
    """DEF-06: the same day, or the second (second-class: fourth) working day after posting."""
    assert deemed_notified(sent_on, method, ENGLAND) == told


def test_a_letter_that_came_back_must_be_named_and_those_sent_are_listed():
    case = stories.after(stories.a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, date(2027, 3, 12)))

    with pytest.raises(Refusal, match="saw must name the letter that came back") as refused:
        stories.after(case, (NoticeReturned(problem="bounced"), stories.mmo("officer"), date(2027, 3, 12)))

    assert [one.status for one in case.notices] == ["sent", "sent", "to-send"]
    assert refused.value.remains == "Sent: n1, n2."


@pytest.mark.parametrize(
    ("handed_over", "stands"),
    [
        (date(2027, 3, 10), (date(2027, 3, 10), date(2027, 3, 10), "by-hand")),
        (date(2027, 3, 15), (date(2027, 3, 11), date(2027, 3, 15), "first-class-post")),
        (date(2027, 3, 16), (date(2027, 3, 11), date(2027, 3, 15), "first-class-post")),
    ],
)
def test_of_two_notifications_of_one_letter_the_earlier_stands(handed_over: date, stands: tuple[date, date, str]):
    """DEF-06: posted on Thursday 11 March 2027 and told on the 15th; handed over too. The log keeps both."""
    posted = stories.a_restricted_mmo_case(customer=ALEX, told=date(2027, 3, 11))
    handed = RecordNotification(saw="n2", on=handed_over, method="by-hand")

    decision = decide(posted, handed, actor=stories.mmo("officer"), policy=MMO, calendar=ENGLAND, today=date(2027, 3, 16))

    notice = decision.case.notices[1]
    assert (notice.sent_on, notice.notified_on, notice.method) == stands
    assert "by hand" in decision.entries[0].what and stands[1].isoformat() in decision.entries[0].what


def test_the_later_post_does_not_overwrite_what_a_person_handed_over():
    """DEF-06: whatever the post makes of a letter that was told already, it stays told."""
    posted = stories.a_restricted_mmo_case()
    for later in (NoticeSent(saw="n2", method="first-class-post"), NoticeBlocked(saw="n2", problem="no address")):
        with pytest.raises(Refusal, match="n2 is already sent"):
            stories.after(posted, (later, POST, date(2027, 3, 12)))


# What holds for every date


days = st.dates(date(2012, 1, 1), date(2028, 6, 30))


@given(st.tuples(days, days), st.integers(0, 120), st.sampled_from(UNITS))
def test_a_later_start_never_ends_earlier(starts: tuple[date, date], count: int, unit: Unit):
    """DEF-02 to DEF-04: later facts never shorten a right."""
    earlier, later = sorted(starts)

    assert after(earlier, count, unit, ENGLAND)[0] <= after(later, count, unit, ENGLAND)[0]


@given(days, st.integers(0, 60), st.sampled_from(UNITS))
def test_a_longer_period_ends_later(start: date, count: int, unit: Unit):
    """DEF-02 to DEF-04: each unit more moves the end."""
    assert after(start, count, unit, ENGLAND)[0] < after(start, count + 1, unit, ENGLAND)[0]


@given(days, st.integers(-600, 600))
def test_months_from_the_anchor_never_drift(anchor: date, months: int):
    """DEF-03: the day of the month is the anchor's, or the last of its month; the month is exactly n later."""
    day = add_months(anchor, months)

    assert (day.year * 12 + day.month) - (anchor.year * 12 + anchor.month) == months
    assert day.day == anchor.day or (day.day < anchor.day and (day + ONE_DAY).day == 1)


@given(days, st.integers(1, 60))
def test_a_working_day_result_is_a_working_day_with_exactly_n_between(start: date, count: int):
    """DEF-04: the result counts itself; every other day on the way was skipped by name."""
    end, skipped = add_working_days(start, count, ENGLAND)

    way = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert not ENGLAND.rests(end)
    assert len([day for day in way if not ENGLAND.rests(day)]) == count
    assert skipped == tuple(day for day in way if ENGLAND.rests(day))


@given(days, st.integers(1, 60))
def test_counting_back_undoes_counting_on(start: date, count: int):
    """DEF-04: from a working day, n working days on and n back is the same day."""
    working = add_working_days(start, 1, ENGLAND)[0]

    assert subtract_working_days(add_working_days(working, count, ENGLAND)[0], count, ENGLAND) == working


@given(days, st.sampled_from(["email", "first-class-post", "second-class-post", "by-hand"]))
def test_nobody_is_notified_before_the_letter_is_sent(sent_on: date, method: str):
    """DEF-06: decided, sent and notified come in that order."""
    assert deemed_notified(sent_on, method, ENGLAND) >= sent_on


def test_a_period_names_its_one_unit():
    """Design 3: a period is a number of one unit."""
    assert window(weeks=2).words == "2 weeks"
    assert window(working_days=1).words == "1 working day"
    with pytest.raises(ValueError, match="exactly one"):
        window(weeks=2, days=14)


@pytest.mark.parametrize(("day", "words"), [(date(2027, 3, 29), "Monday 29 March 2027"), (date(2028, 2, 29), "Tuesday 29 February 2028")])
def test_a_date_is_written_with_its_weekday(day: date, words: str):
    """Design 4: a letter prints weekday, day, month and year."""
    assert in_words(day) == words
