"""Bodies whose policies are nothing like the five shipped ones: each writes a file, and no code (CONTRIBUTING, docs/write-a-policy.md)."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Engine

from activities.bodies import Body, body_of, save_body
from activities.calendars import calendar_now, calendar_of
from domain.case import Case, Incident, Sanction, Terms
from domain.days import Reckoned
from domain.lengths import period_for
from domain.meetings import at_meeting
from domain.policy import Policy
from domain.restrictions import ContactVolumeLimit, NoReplyOnTopic, RefuseAllContact, Restriction
from policies import load
from policies.load import Unreadable
from policies.survey import findings, unused
from records.database import transaction
from records.lists import tasks_for
from records.tables import TaskRow
from starter.rehearse import Performance
from starter.script import read_script
from tests.own_policies import FILES, FOLDER, REHEARSALS, own
from tests.playing import Played, all_played
from tests.stories import CASEY, ENGLAND

NAMES = [file.stem for file in FILES]


def listed(name: str) -> dict[str, load.Clause]:
    found = load.clauses_beside(str(FOLDER / f"{name}.yaml"), name)
    assert found, f"{name} has no list of clauses beside it"
    return found


def test_there_are_six_invented_bodies_with_three_rehearsals_each():
    """A guard over an empty set would pass: both are counted."""
    counted = Counter(Path(read_script(path).script.policy).stem for path in REHEARSALS)
    print(dict(counted))

    assert len(NAMES) >= 6
    assert set(counted) == set(NAMES)
    assert min(counted.values()) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_an_invented_policy_cites_its_own_text_and_every_clause_is_used(name: str):
    """Design 3: an invented text is held to what the published ones are."""
    clauses, policy = listed(name), own(name)
    print(f"{name}: {len(clauses)} clauses")

    assert len(clauses) >= 15
    assert findings(policy, clauses) == ()
    assert [one.id for one in unused(policy, clauses)] == []
    assert name not in load.names()


def test_every_clause_an_invented_rehearsal_cites_exists():
    known = {clause for name in NAMES for clause in listed(name)} | set(load.defaults())
    cited = [(path.stem, clause) for path in REHEARSALS for clause in read_script(path).script.cites]

    assert len(cited) > 60
    assert [one for one in cited if one[1] not in known] == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def played() -> Played:
    """Plays every rehearsal of an invented body once, two at a time."""
    return await all_played(REHEARSALS)


@pytest.mark.parametrize("path", REHEARSALS, ids=lambda path: path.stem)
async def test_a_rehearsal_of_an_invented_body_goes_as_expected(path: Path, played: Played):
    performance = played[path]

    if isinstance(performance, BaseException):
        raise performance
    assert performance.steps
    assert not performance.differences, "\n".join(performance.differences)


def test_no_letter_of_an_invented_body_was_blocked(played: Played):
    """A letter that lacks a part its policy demands is blocked, never sent: none of these lacks one."""
    flags = [flag for one in played.values() if isinstance(one, Performance) for step in one.steps for flag in step.flags]
    letters = sum(len(step.notices) for one in played.values() if isinstance(one, Performance) for step in one.steps)
    print(f"{letters} letters")

    assert letters > 40
    assert "letter_blocked" not in flags


FORMAT = {
    "at_or_above", "uninvolved", "signers", "committee", "quorum", "by_heading", "by_restriction", "by_earlier", "if_several", "at_meeting",
    "meetings", "each_decision", "only_on", "then", "appeal_outside", "while_appealed",
}  # fmt: skip


def test_every_new_value_of_the_format_is_used_by_some_invented_policy():
    """What no policy uses is not proved to work."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in FILES)

    assert {name for name in FORMAT if not re.search(rf"\b{name}:", text)} == set()


# Faults of a file, each with what would be right


def changed(name: str, old: str, new: str) -> str:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


FAULTS = {
    "nobody is named": (
        "marrow-valley-nhs",
        "by: {at_or_above: {value: 8, cites: [MV-13]}, cites",
        "by: {cites",
        "or at_or_above: a grade",
    ),
    "two periods, none counts": ("fenmoor-university", "    if_several: {value: longest, cites: [FU-15]}\n", "", "say if_several"),
    "a heading of no behaviour": (
        "fenmoor-university",
        "      abusive: {months",
        "      abusiv: {months",
        "'abusiv' is no heading of a behaviour",
    ),
    "a restriction that is no option": (
        "firth-harbours",
        "      refuse-all-contact: {weeks",
        "      legal-action: {weeks",
        "is not among decision.options",
    ),
    "a scale of an open length": ("fenmoor-university", "kind: {value: chosen", "kind: {value: open", "an open length has no scale"),
    "what waits is not said": (
        "fenmoor-university",
        "  while_appealed: {value: decision-waits, cites: [FU-08]}\n",
        "",
        "needs while_appealed",
    ),
    "a window from no event of its stage": (
        "alderbrook-homes",
        "{value: decision, cites: [AH-13]}",
        "{value: agreement, cites: [AH-13]}",
        "runs from notification, receipt, decision",
    ),
    "a lead not in days": ("alderbrook-homes", "opens_before: {days", "opens_before: {weeks", "counted in days, found weeks"),
    "a member of no office": (
        "little-sampling",
        "recorded_by: {offices: [clerk]",
        "recorded_by: {offices: [clark]",
        "'clark' is no office",
    ),
    "an unknown value": ("firth-harbours", "value: next-quarter", "value: next-month", "'first-on-or-after' or 'next-quarter'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_file_says_where_and_what_would_be_right(fault: str):
    """Design 3: errors name file, line, column, the field and what would be right."""
    name, old, new, right = FAULTS[fault]

    with pytest.raises(Unreadable) as error:
        load.sound_policy_of(changed(name, old, new), "bad.yaml")

    print(error.value)
    assert right in str(error.value)
    assert re.match(r"bad\.yaml:\d+:\d+: ", str(error.value))


# Lengths, meetings, grades


def a_case(*codes: str, sanctions: tuple[Sanction, ...] = ()) -> Case:
    incidents = tuple(
        Incident(id=f"i{n}", on=date(2027, 1, 1), code=code, medium="email", summary="It.", by="officer") for n, code in enumerate(codes, 1)
    )
    day = date(2027, 1, 1)
    return Case(id="own/1", body="own", policy="own", edition="x", opened_on=day, customer=CASEY, incidents=incidents, sanctions=sanctions)


LIMIT = ContactVolumeLimit(type="contact-volume-limit", max_contacts=1, per="month", channel="email")
SILENCE = NoReplyOnTopic(type="no-reply-on-topic", topic=("the buoy",))
NOTHING = RefuseAllContact(type="refuse-all-contact")


def period(policy: Policy, case: Case, *restrictions: Restriction, of: Sanction | None = None) -> str | None:
    found = period_for(case, restrictions, of=of, policy=policy, calendar=ENGLAND, on=date(2027, 3, 1))
    return found.words if found else None


def test_the_length_follows_what_was_done():
    """FU-15: six months for persistent contact, twelve for abuse, the longer for both."""
    policy = own("fenmoor-university")

    assert period(policy, a_case("flooding"), LIMIT) == "6 months"
    assert period(policy, a_case("threats"), LIMIT) == "12 months"
    assert period(policy, a_case("flooding", "threats"), LIMIT) == "12 months"
    assert period(policy, a_case("other"), LIMIT) == "3 months", "FU-29: a cap on what no heading covers"


def test_the_length_follows_what_is_imposed():
    """FH-10: the shortest of several; twelve weeks are shorter than six months by their days, not by their number."""
    policy = own("firth-harbours")

    assert period(policy, a_case(), LIMIT) == "6 months"
    assert period(policy, a_case(), LIMIT, SILENCE) == "6 months"
    assert period(policy, a_case(), LIMIT, SILENCE, NOTHING) == "12 weeks"


def a_sanction(n: int, *, how: str | None = None) -> Sanction:
    day = date(2027, 1, n)
    ended = {"ended_on": day, "ended_how": how} if how else {}
    return Sanction(
        id=f"s{n}", decided_on=day, signatures=(), terms=Terms(restrictions=(LIMIT,), reasons="It."), notice="", period_start=day, **ended
    )


def test_the_length_follows_how_often_it_was_done_before():
    """AH-10: three, six, twelve months; one overturned does not count, one under review does not precede itself."""
    policy = own("alderbrook-homes")
    many = tuple(a_sanction(n) for n in range(1, 6))

    assert period(policy, a_case(), LIMIT) == "3 months"
    assert period(policy, a_case(sanctions=many[:1]), LIMIT) == "6 months"
    assert period(policy, a_case(sanctions=many), LIMIT) == "12 months"
    assert period(policy, a_case(sanctions=(a_sanction(1, how="appeal"), a_sanction(2, how="lapsed"))), LIMIT) == "6 months"
    assert period(policy, a_case(sanctions=many), LIMIT, of=many[1]) == "6 months"


def due(day: date) -> Reckoned:
    return Reckoned(date=day, start=date(2027, 1, 1), start_event="decision", rule="every 10 weeks, number 1", cites=("FH-11",))


@pytest.mark.parametrize(
    ("day", "held"),
    [
        (date(2027, 3, 31), date(2027, 4, 14)),
        (date(2027, 4, 1), date(2027, 7, 14)),
        (date(2027, 6, 30), date(2027, 7, 14)),
        (date(2027, 12, 31), date(2028, 1, 12)),
    ],
)
def test_a_review_is_held_at_the_first_meeting_of_the_next_quarter(day: date, held: date):
    """FH-11: quarters end on 31 March, 30 June, 30 September and 31 December."""
    meetings = (date(2027, 4, 14), date(2027, 7, 14), date(2028, 1, 12))
    calendar = ENGLAND.model_copy(update={"meetings": meetings})

    found = at_meeting(due(day), own("firth-harbours").review, own("firth-harbours"), calendar)

    assert (found.date, found.provisional) == (held, False)
    assert "FH-11" in found.cites


def test_a_review_is_never_lost_for_want_of_a_meeting():
    """FH-11: with no meeting listed the first day it could be held stands, and says that it is provisional."""
    found = at_meeting(due(date(2027, 3, 31)), own("firth-harbours").review, own("firth-harbours"), ENGLAND)

    assert (found.date, found.provisional) == (date(2027, 4, 1), True)
    assert "no meeting is listed" in found.rule


def test_a_meeting_on_the_very_day_holds_the_review():
    """LS-08: on or after."""
    calendar = ENGLAND.model_copy(update={"meetings": (date(2027, 4, 11), date(2027, 4, 12), date(2027, 4, 13))})

    assert at_meeting(due(date(2027, 4, 12)), own("little-sampling").review, own("little-sampling"), calendar).date == date(2027, 4, 12)


def test_a_bodys_own_meetings_reach_the_calendar_its_cases_are_reckoned_by(database: Engine):
    """FH-11: the list may stand in the body's file; a body whose policy holds no review at a meeting has an ordinary calendar."""
    board = (date(2027, 4, 14), date(2027, 7, 14))
    body = Body(body="firth", name="Firth", policy=str(FOLDER / "firth-harbours.yaml"), meetings=board)

    with transaction(database) as session:
        save_body(session, body)
        assert body_of(session, "firth").meetings == board
        case = a_case().model_copy(update={"body": "firth"})
        for policy, meetings in ((own("firth-harbours"), board), (own("alderbrook-homes"), ())):
            assert calendar_of(session, case, policy).meetings == meetings
            assert calendar_now(session, policy, body).meetings == meetings


def test_a_task_for_a_grade_is_on_the_list_of_everybody_at_it_or_above(database: Engine):
    """MV-13: a manager at band 8 or above."""
    people = [{"id": name, "name": name.title(), "grade": grade} for name, grade in (("seven", 7), ("eight", 8), ("nine", 9))]
    body = Body.model_validate({"body": "trust", "name": "Trust", "policy": "mmo", "people": people})
    with transaction(database) as session:
        save_body(session, body)
        session.add(
            TaskRow(
                case_id="trust/1",
                n=1,
                body="trust",
                kind="review",
                what="Review s1",
                ref="s1",
                offices=[],
                people=["grade-from:8"],
                cites=[],
            )
        )
    with transaction(database) as session:
        found = {name: len(tasks_for(session, name, body="trust", today=date(2027, 3, 1)) or ()) for name in ("seven", "eight", "nine")}

    assert found == {"seven": 0, "eight": 1, "nine": 1}


UNTOLD = {
    "appeal.then": ("fenmoor-university", "      - {part: next-stage, cites: [FU-24]}\n"),
    "appeal_outside": ("firth-harbours", "part: appeal-outside", "part: policy-copy"),
    "appeal": ("marrow-valley-nhs", "      - {part: appeal, cites: [MV-14]}\n"),
    "warning.appeal": ("fenmoor-university", "      - {part: appeal, cites: [FU-07]}\n"),
}


@pytest.mark.parametrize("where", UNTOLD)
def test_a_way_to_appeal_that_no_letter_tells_of_is_found(where: str):
    """A right that the customer never hears of is none: policy check names it."""
    name, *change = UNTOLD[where]
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").replace(*(change if len(change) == 2 else (change[0], "")))

    found = findings(load.policy_of(text), listed(name))

    assert [one for one in found if one.startswith(f"{where}: ") and "would not learn of it" in one], found
