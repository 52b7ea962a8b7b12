"""Meetings that hold reviews, as a case took them over: a changed list moves a told review as a changed calendar moves a told date."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from activities.bodies import Body, first_meetings, save_body
from activities.calendars import calendar_after, calendar_now, calendar_of, lagging, made_of, with_edition
from domain.calendar_change import decide_moved_date
from domain.case import Case
from domain.clocks import all_deadlines
from domain.commands import AnyCommand, ApplyCalendar, DeadlinePassed, DecideMovedDate, MoveEdition, NoticeSent
from domain.counting import Counting
from domain.days import Calendar
from domain.decide import decide
from domain.letters import compose
from domain.move_edition import Target
from domain.people import CALENDAR, POST, Actor, Staff
from domain.policy import Policy
from domain.review_clocks import review_due
from domain.tasks import tasks
from policies import load
from records.database import transaction
from records.tables import BodyRow
from tests.own_policies import FOLDER, acted, fullest, opened, own

FIRTH = own("firth-harbours")
SCOTLAND = load.calendar("scotland")
SCRIPT = fullest("firth-harbours")
STAFF = Staff(people=SCRIPT.staff)
APRIL, JULY, OCTOBER = date(2027, 4, 14), date(2027, 7, 14), date(2027, 10, 13)
BOARD = made_of(SCOTLAND, meetings=(APRIL, JULY, OCTOBER))
EDITION = "b" * 64


def told(calendar: Calendar = BOARD) -> Case:
    """Returns a case of the harbours with restrictions of 20 January 2027, whose letters went: its review is told for 14 April."""
    case = opened(SCRIPT, FIRTH, date(2027, 1, 11)).model_copy(update={"counting": Counting.of(calendar)})
    for step in SCRIPT.steps[:5]:
        case = acted(case, step, FIRTH, calendar, STAFF)
        for letter in case.notices:
            if letter.status == "to-send":
                sent = NoticeSent(saw=letter.id, method="email")
                case = act(case, sent, POST, letter.created_on, calendar)
    assert case.in_force
    return case


def act(case: Case, command: AnyCommand, who: Actor, on: date, calendar: Calendar = BOARD, target: Target | None = None) -> Case:
    return decide(case, command, actor=who, policy=FIRTH, calendar=calendar, today=on, target=target).case


def anew(case: Case, on: date, *meetings: date, old: Calendar = BOARD) -> tuple[Case, Calendar]:
    """Returns the case after it took over another list of meetings, with what it counts with now."""
    new = made_of(SCOTLAND, meetings=tuple(sorted(meetings)))
    return act(case, ApplyCalendar(edition=SCOTLAND.edition), CALENDAR, on, made_of(old, newer=new)), new


def review_of(case: Case, calendar: Calendar, policy: Policy = FIRTH) -> date:
    due = review_due(case, case.in_force[0], policy, calendar)
    assert due is not None
    return due.date


def waiting(case: Case, calendar: Calendar, on: date) -> dict[str, str]:
    return {task.kind: task.ref for task in tasks(case, FIRTH, calendar, today=on)}


def test_an_earlier_meeting_moves_a_told_review_and_the_customer_is_told():
    """FH-11, EH-32: an earlier review favours the customer."""
    earlier = date(2027, 4, 7)

    case, new = anew(told(), date(2027, 2, 1), earlier, APRIL, JULY, OCTOBER)

    assert review_of(case, new) == earlier
    [notice] = [one for one in case.notices if one.kind == "date-moved"]
    letter = compose(case, notice, policy=FIRTH, calendar=new, sent_on=date(2027, 2, 1))
    facts = letter.sections[0].facts
    assert (facts["was"], facts["becomes"]) == ("Wednesday 14 April 2027", "Wednesday 7 April 2027")
    assert (facts["meetings"], facts["days"]) == (["Wednesday 7 April 2027"], [])
    assert waiting(case, new, date(2027, 2, 1))["calendar"] == case.changes[0].id


def test_a_meeting_that_falls_away_leaves_a_told_review_where_it_is_until_a_person_decides():
    """FH-11, EH-31: a later review is to the customer's disadvantage."""
    on, later = date(2027, 2, 1), date(2027, 4, 21)

    case, new = anew(told(), on, later, JULY, OCTOBER)

    assert review_of(case, new) == APRIL
    assert not [one for one in case.notices if one.kind == "date-moved"]
    [kept] = [one for one in case.changes[0].moved if one.stands == "kept"]
    assert (kept.kind, kept.was, kept.becomes, kept.meetings) == ("review-due", APRIL, later, (APRIL, later))
    assert waiting(case, new, on)["moved-date"] == kept.id
    member = Actor(origin="staff", person=STAFF.by_id["mia"], staff=STAFF)
    moved = decide_moved_date(
        case, DecideMovedDate(saw=kept.id, decision="move", reasons="No quorum."), actor=member, policy=FIRTH, calendar=new, today=on
    ).case
    assert review_of(moved, new) == later
    assert [one.kind for one in moved.notices][-1] == "date-moved"


def test_the_review_after_one_that_stands_as_told_is_not_lost():
    """FH-11: without the April meeting both the first review and the one of June would fall on 14 July; the first stands in April."""
    case, new = anew(told(), date(2027, 2, 1), JULY, OCTOBER)
    assert review_of(case, new) == APRIL

    held = case.model_copy(update={"sanctions": tuple(one.model_copy(update={"settled_through": APRIL}) for one in case.sanctions)})

    assert review_of(held, new) == JULY


def test_a_review_that_was_missed_is_not_moved_by_a_list_that_comes_later():
    """What has passed never moves, and the reviews after it go on."""
    case = told()
    for key, on in (("review-opens:s1:2027-03-24", date(2027, 3, 24)), ("review-due:s1:2027-04-14", APRIL)):
        case = act(case, DeadlinePassed(key=key), CALENDAR, on)
    case = act(case, DeadlinePassed(key="review-overdue:s1:2027-04-14"), CALENDAR, date(2027, 4, 15))

    case, new = anew(case, date(2027, 4, 20), date(2027, 4, 7), JULY, OCTOBER)

    assert review_of(case, new) == APRIL
    assert not [one for one in case.notices if one.kind == "date-moved"]
    assert [one.key for one in all_deadlines(case, FIRTH, new) if one.kind == "review-due"] == [
        "review-due:s1:2027-04-14",
        "review-due:s1:2027-07-14",
    ]


def body_with(*meetings: date) -> Body:
    return Body(body="firth", name="Firth", policy=str(FOLDER / "firth-harbours.yaml"), meetings=meetings)


def test_a_case_keeps_its_meetings_until_it_takes_the_new_list_over(database: Engine):
    """FH-11: a list changed in the body's file moves nothing by itself; the case lags behind and says so."""
    with transaction(database) as session:
        save_body(session, body_with(APRIL, JULY))
        case = told().model_copy(update={"body": "firth", "counting": Counting.of(calendar_now(session, FIRTH, body_with(APRIL, JULY)))})
        assert lagging(session, case, FIRTH, body_with(APRIL, JULY)) == ()
        new = body_with(date(2027, 4, 7), APRIL, JULY)
        save_body(session, new)

        assert calendar_of(session, case, FIRTH).meetings == (APRIL, JULY)
        assert lagging(session, case, FIRTH, new) == (SCOTLAND.edition,)
        offered = with_edition(session, case, FIRTH, new, SCOTLAND.edition)
        assert offered is not None and offered.meetings == new.meetings


def test_a_case_of_an_earlier_release_counts_with_the_list_as_it_first_stood(database: Engine):
    """Cases that keep no list were told what the body's file said: later lists reach them by the same act."""
    with transaction(database) as session:
        session.add(BodyRow(body="firth", name="Firth", policy="x", settings={"meetings": ["2027-04-14"]}))
        session.flush()
        case = told().model_copy(update={"body": "firth", "counting": Counting()})
        for meetings in ((date(2027, 4, 7), APRIL), (date(2027, 4, 5),)):
            save_body(session, body_with(*meetings))

            assert first_meetings(session, "firth") == (APRIL,)
            assert calendar_of(session, case, FIRTH).meetings == (APRIL,)
            assert lagging(session, case, FIRTH, body_with(*meetings)) == (SCOTLAND.edition,)


def test_a_case_that_moves_to_an_edition_with_meetings_takes_the_list_of_the_day(database: Engine):
    """EH-20: what it had no need of before it counts with as it is now, and keeps."""
    without = FIRTH.model_copy(update={"review": FIRTH.review.model_copy(update={"at_meeting": None}), "meetings": None})
    assert not without.meets
    with transaction(database) as session:
        save_body(session, body_with(APRIL, JULY))
        case = told().model_copy(update={"body": "firth", "counting": Counting.of(SCOTLAND)})
        then = calendar_after(session, case, without, FIRTH, body_with(APRIL, JULY))
        assert then.meetings == (APRIL, JULY)
        director = Actor(origin="staff", person=STAFF.by_id["director"], staff=STAFF)
        target = Target(EDITION, FIRTH, then)
        command = MoveEdition(edition=EDITION)
        moved = decide(case, command, actor=director, policy=without, calendar=SCOTLAND, today=date(2027, 2, 1), target=target).case

        save_body(session, body_with(date(2027, 4, 7), JULY))
        assert moved.counting.meetings == (APRIL, JULY)
        assert calendar_of(session, moved, FIRTH).meetings == (APRIL, JULY)
