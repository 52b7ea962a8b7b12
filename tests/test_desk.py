"""The contact desk's rules, purely: every type of restriction against every channel and kind, and what passes whatever was decided."""

from __future__ import annotations

from datetime import date, time
from typing import get_args

import pytest
from pydantic import TypeAdapter

from domain.commands import ClassifyContact, DismissBreach, LogContact, RaiseNewIssue, ReportBehaviour
from domain.contact_words import ContactKind, Verdict
from domain.decision import Refusal
from domain.desk import advise
from domain.desk_entry import Entry, Limit, Used, entry_of, passing, period_of
from domain.desk_question import Asked
from domain.identifiers import address_identifiers, email_in, identifiers, name_in, phone_in
from domain.people import Absence, Person, Staff
from domain.restrictions import Channel, ContactVolumeLimit, Restriction, RestrictionType
from domain.tasks import tasks
from domain.topics import alike
from policies import load
from tests.stories import (
    ENGLAND,
    a_disengaged_natural_england_case,
    a_restricted_council_case,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    after,
    mmo,
    natural_england,
)

TOLD = date(2027, 3, 10)
"""A Wednesday."""
READ: TypeAdapter[Restriction] = TypeAdapter(Restriction)

EXAMPLES: dict[RestrictionType, dict[str, object]] = {
    "contact-volume-limit": {"max_contacts": 1, "per": "week"},
    "contact-duration-limit": {"channel": "telephone", "max_duration": 10},
    "channel-restriction": {"channels": ["email"], "address": "info@example.org"},
    "contact-times": {"days": ["tuesday"], "times": [{"from": "10:00", "to": "12:00"}]},
    "contact-dates": {"dates": ["2027-04-01"]},
    "single-point-of-contact": {"officer": "spoc", "deputy": "deputy"},
    "visit-by-appointment-only": {"how_to_book": "Ring 01632 960000."},
    "no-reply-on-topic": {"topic": ["the jetty licence"]},
    "service-legal-minimum": {"service": "licensing", "legal_basis": "the Act"},
    "refuse-all-contact": {},
    "legal-action": {},
    "police-report": {},
    "legal-or-police-referral": {"to": "both"},
    "serious-queries-only": {"prescribed": "Danger to health."},
    "new-issues-only": {"settled_issues": ["the jetty licence"]},
    "block-telephone-and-electronic": {"channels": ["telephone", "email"]},
    "premises-restriction": {"premises": ["Civic Offices"]},
    "not-registering-same-issue": {"issue": "the jetty licence"},
    "read-and-file": {"reader": "spoc"},
    "written-agreement": {"terms": "One letter a month."},
    "third-party-contact": {},
    "written-or-third-party-only": {"mode": "written"},
    "potentially-aggressive-marker": {"reason": "A threat."},
    "formal-complaint-employer-or-body": {"employer": "Sample and Co"},
    "full-disengagement": {},
    "partial-disengagement": {"topics": ["the jetty licence"]},
    "other-action": {"description": "Two officers at every visit."},
}

# What an ordinary contact about the jetty licence gets by email, by telephone and in person on a Wednesday.
EXPECTED: dict[RestrictionType, tuple[Verdict, Verdict, Verdict]] = {
    "contact-volume-limit": ("limit-it", "limit-it", "limit-it"),
    "contact-duration-limit": ("deal-with-it", "limit-it", "deal-with-it"),
    "channel-restriction": ("deal-with-it", "refuse", "refuse"),
    "contact-times": ("limit-it", "refuse", "refuse"),
    "contact-dates": ("limit-it", "refuse", "refuse"),
    "single-point-of-contact": ("pass-to-named-officer", "pass-to-named-officer", "pass-to-named-officer"),
    "visit-by-appointment-only": ("deal-with-it", "deal-with-it", "limit-it"),
    "no-reply-on-topic": ("read-and-file", "read-and-file", "read-and-file"),
    "service-legal-minimum": ("limit-it", "limit-it", "limit-it"),
    "refuse-all-contact": ("refuse", "refuse", "refuse"),
    "legal-action": ("deal-with-it", "deal-with-it", "deal-with-it"),
    "police-report": ("deal-with-it", "deal-with-it", "deal-with-it"),
    "legal-or-police-referral": ("deal-with-it", "deal-with-it", "deal-with-it"),
    "serious-queries-only": ("read-and-file", "read-and-file", "read-and-file"),
    "new-issues-only": ("read-and-file", "read-and-file", "read-and-file"),
    "block-telephone-and-electronic": ("read-and-file", "refuse", "deal-with-it"),
    "premises-restriction": ("deal-with-it", "deal-with-it", "refuse"),
    "not-registering-same-issue": ("read-and-file", "read-and-file", "read-and-file"),
    "read-and-file": ("read-and-file", "deal-with-it", "deal-with-it"),
    "written-agreement": ("limit-it", "limit-it", "limit-it"),
    "third-party-contact": ("limit-it", "limit-it", "limit-it"),
    "written-or-third-party-only": ("deal-with-it", "refuse", "refuse"),
    "potentially-aggressive-marker": ("deal-with-it", "deal-with-it", "deal-with-it"),
    "formal-complaint-employer-or-body": ("deal-with-it", "deal-with-it", "deal-with-it"),
    "full-disengagement": ("read-and-file", "read-and-file", "read-and-file"),
    "partial-disengagement": ("read-and-file", "read-and-file", "read-and-file"),
    "other-action": ("limit-it", "limit-it", "limit-it"),
}
LIVE = ("telephone", "in-person", "home-visit")


def restriction(type: RestrictionType, **other: object) -> Restriction:
    return READ.validate_python({"type": type, **EXAMPLES[type], **other})


def limit(one: Restriction, *, told_on: date | None = TOLD, until: date | None = None, used: dict[date, Used] | None = None) -> Limit:
    return Limit(id="s1.1", label=one.type, restriction=one, cites=("MMO-32",), told_on=told_on, until=until, used=used or {})


def entry(*limits: Limit, **other: object) -> Entry:
    return Entry.model_validate({"case": "mmo/1", "body": "mmo", "limits": limits, **other})


def asked(channel: Channel = "email", *, kind: ContactKind = "ordinary", topic: str = "the jetty licence", **other: object) -> Asked:
    return Asked.model_validate({"channel": channel, "kind": kind, "topic": topic, "on": date(2027, 3, 17), "at": time(11, 0), **other})


FULL = {date(2027, 3, 15): Used(contacts=1)}


def test_every_type_of_restriction_has_an_example_and_an_answer():
    """A new type cannot be forgotten: it must be written down here, and the rules must answer for it."""
    types = set(get_args(RestrictionType))

    assert len(types) >= 27
    assert set(EXAMPLES) == types
    assert set(EXPECTED) == types


@pytest.mark.parametrize("type", get_args(RestrictionType))
def test_each_type_answers_an_ordinary_contact_by_each_way(type: RestrictionType):
    mine = entry(limit(restriction(type), used=FULL))

    for channel, expected in zip(("email", "telephone", "in-person"), EXPECTED[type], strict=True):
        advice = advise((mine,), asked(channel))
        assert advice.verdict == expected, (channel, advice.says)
        assert advice.says.endswith((".", ")")), advice.says


@pytest.mark.parametrize("type", get_args(RestrictionType))
def test_nothing_that_must_pass_is_stopped_by_any_type_or_way(type: RestrictionType):
    """DEF-15, DEF-18, EH-22, MMO-39: whatever was decided, these are dealt with, and none departs from anything."""
    tried = 0
    for kind in ("review-request", "appeal", "new-issue", "adjustment", "safeguarding", "emergency"):
        for channel in get_args(Channel):
            advice = advise((entry(limit(restriction(type), used=FULL)),), asked(channel, kind=kind))
            assert (advice.verdict, advice.let_through, advice.departs) == ("deal-with-it", True, ()), (kind, channel)
            assert advice.cites
            tried += 1
    assert tried == 54


@pytest.mark.parametrize("type", get_args(RestrictionType))
def test_what_comes_in_writing_is_never_sent_back_unread(type: RestrictionType):
    """EH-23: only a call or a visit is refused, save under a refusal of all contact, which says that it is read."""
    for channel in get_args(Channel):
        advice = advise((entry(limit(restriction(type), used=FULL)),), asked(channel))
        if advice.verdict == "refuse" and channel not in LIVE:
            assert "read all the same" in advice.says, channel
        if advice.verdict == "read-and-file":
            assert "ead" in advice.says or "judges" in advice.says, channel


@pytest.mark.parametrize(
    ("told_on", "until", "said"),
    [(None, None, "not yet told"), (date(2027, 3, 18), None, "not enforced before"), (TOLD, date(2027, 3, 16), "ended on")],
)
def test_what_the_customer_was_not_told_or_has_ended_is_not_enforced(told_on: date | None, until: date | None, said: str):
    """DEF-05, DEF-12."""
    advice = advise((entry(limit(restriction("refuse-all-contact"), told_on=told_on, until=until)),), asked())

    assert advice.verdict == "deal-with-it"
    assert said in advice.not_enforced[0]


def test_a_restriction_binds_on_the_day_of_telling_and_on_its_last_day():
    whole = limit(restriction("refuse-all-contact"), until=date(2027, 4, 10))

    verdicts = [advise((entry(whole),), asked(on=day)).verdict for day in (date(2027, 3, 9), TOLD, date(2027, 4, 10), date(2027, 4, 11))]

    assert verdicts == ["deal-with-it", "refuse", "refuse", "deal-with-it"]


def test_a_customer_nobody_knows_is_dealt_with():
    assert advise((), asked()).verdict == "deal-with-it"


# Counting (EH-21)


@pytest.mark.parametrize(
    ("per", "day", "first", "last"),
    [
        ("week", date(2027, 3, 14), date(2027, 3, 8), date(2027, 3, 14)),
        ("week", date(2027, 3, 15), date(2027, 3, 15), date(2027, 3, 21)),
        ("week", date(2027, 3, 28), date(2027, 3, 22), date(2027, 3, 28)),  # the clocks go forward on the 28th
        ("fortnight", date(2027, 3, 21), date(2027, 3, 8), date(2027, 3, 21)),
        ("fortnight", date(2027, 3, 22), date(2027, 3, 22), date(2027, 4, 4)),
        ("month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        ("month", date(2027, 12, 31), date(2027, 12, 1), date(2027, 12, 31)),
    ],
)
def test_weeks_run_from_monday_and_months_with_the_calendar(per: str, day: date, first: date, last: date):
    one = ContactVolumeLimit.model_validate({"type": "contact-volume-limit", "max_contacts": 1, "per": per})

    assert period_of(day, one, told=TOLD, starts="monday") == (first, last)


def test_a_policy_may_start_its_week_on_another_day():
    one = ContactVolumeLimit(type="contact-volume-limit", max_contacts=1, per="week")

    assert period_of(date(2027, 3, 14), one, told=TOLD, starts="sunday") == (date(2027, 3, 14), date(2027, 3, 20))


def test_minutes_count_as_contacts_do():
    """MMO-32: a number, a length, or both."""
    one = restriction("contact-volume-limit", max_contacts=None, max_duration=30, channel="telephone")

    some = advise((entry(limit(one, used={date(2027, 3, 15): Used(contacts=2, minutes=25)})),), asked("telephone"))
    none = advise((entry(limit(one, used={date(2027, 3, 15): Used(contacts=3, minutes=30)})),), asked("telephone"))

    assert (some.verdict, some.departs) == ("limit-it", ())
    assert "5 of 30 minutes are left" in some.says
    assert (none.verdict, none.departs) == ("limit-it", ("s1.1",))


def log(day: date, *, channel: Channel = "email", kind: ContactKind = "ordinary", topic: str = "The licence.") -> tuple:
    return LogContact(channel=channel, topic=topic, kind=kind, handled="deal-with-it", on=day), mmo("officer"), day


def test_the_case_counts_by_week_and_offers_the_second_email_to_a_person():
    """MMO-32: an excess is flagged, never rejected, and nothing counts by itself (A-36)."""
    case = after(a_restricted_mmo_case(), log(date(2027, 3, 10)), log(date(2027, 3, 14)), log(date(2027, 3, 15)))

    assert [one.departs for one in case.logged_contacts] == [(), ("s1.1",), ()]
    assert len(case.incidents) == len(a_restricted_mmo_case().incidents)
    waiting = [one for one in tasks(case, load.policy("mmo"), ENGLAND, today=date(2027, 3, 15)) if one.kind == "contact"]
    assert [(one.ref, one.what) for one in waiting] == [("k2", "Decide whether the contact k2 is continued behaviour")]


def test_appeals_and_the_like_use_nothing_up_and_are_no_departure():
    """MMO-39, PCC-23: a legitimate challenge, complaint or request is no incident."""
    kinds: tuple[ContactKind, ...] = ("appeal", "review-request", "complaint", "adjustment", "new-issue", "emergency", "safeguarding")
    first, last = log(date(2027, 3, 10)), log(date(2027, 3, 13))
    before = after(a_restricted_mmo_case(), *(log(date(2027, 3, 11), kind=kind) for kind in kinds), first)
    behind = after(a_restricted_mmo_case(), first, *(log(date(2027, 3, 11), kind=kind) for kind in kinds), last)

    assert [one.departs for one in before.logged_contacts] == [()] * 8
    assert [one.departs for one in behind.logged_contacts] == [*[()] * 8, ("s1.1",)]


def test_contacts_before_the_customer_was_told_are_not_counted():
    late = LogContact(channel="email", topic="Late.", handled="deal-with-it", on=date(2027, 3, 9))
    case = after(a_restricted_mmo_case(), log(date(2027, 3, 12)), (late, mmo("officer"), date(2027, 3, 12)))

    found = entry_of(case, load.policy("mmo"))
    assert found and found.limits[0].used == {date(2027, 3, 8): Used(contacts=1)}


def a_departure() -> tuple:
    return after(a_restricted_mmo_case(), log(date(2027, 3, 11)), log(date(2027, 3, 12)))


def test_a_person_decides_that_it_is_continued_behaviour():
    report = ReportBehaviour(code="excessive-contact", medium="email", summary="A second email.", saw="k2")
    case = after(a_departure(), (report, mmo("officer"), date(2027, 3, 13)))

    assert case.logged_contacts[1].settled == "continued"
    assert len(case.incidents) == 3
    assert not [one for one in tasks(case, load.policy("mmo"), ENGLAND, today=date(2027, 3, 13)) if one.kind == "contact"]


def test_or_that_it_is_none_with_reasons():
    case = after(a_departure(), (DismissBreach(reasons="It crossed with our letter.", saw="k2"), mmo("officer"), date(2027, 3, 13)))

    assert (case.logged_contacts[1].settled, case.logged_contacts[1].reasons) == ("dismissed", "It crossed with our letter.")


@pytest.mark.parametrize("saw", ["k1", "k9", None, "s1"])
def test_only_a_contact_that_waits_is_dismissed(saw: str | None):
    with pytest.raises(Refusal, match="waits for this decision"):
        after(a_departure(), (DismissBreach(reasons="No.", saw=saw), mmo("officer"), date(2027, 3, 13)))


def test_a_contact_is_settled_once():
    case = after(a_departure(), (DismissBreach(reasons="No.", saw="k2"), mmo("officer"), date(2027, 3, 13)))

    with pytest.raises(Refusal, match="waits for this decision"):
        after(
            case, (ReportBehaviour(code="excessive-contact", medium="email", summary="Again.", saw="k2"), mmo("officer"), date(2027, 3, 13))
        )


def test_after_a_disengagement_the_contact_is_classified_not_counted():
    """NE-31, NE-33: classify_contact closes the task of the contact that it saw."""
    day = date(2027, 6, 10)
    case = a_disengaged_natural_england_case()
    topic = case.sanctions[-1].terms.restrictions[0].topics[0]
    case = after(case, (LogContact(channel="email", topic=topic, handled="read-and-file", on=day), natural_england("officer"), day))
    policy = load.policy("natural-england")
    waiting = [one for one in tasks(case, policy, ENGLAND, today=day) if one.kind == "contact"]
    assert [(one.ref, one.command) for one in waiting] == [("k1", "classify_contact")]

    case = after(case, (ClassifyContact(topic="same-or-similar", summary="The same.", saw="k1"), natural_england("officer"), day))

    assert case.logged_contacts[0].settled == "classified"
    assert not [one for one in tasks(case, policy, ENGLAND, today=day) if one.kind == "contact"]


def test_an_ended_case_is_nobodys_business_at_the_desk():
    case = a_restricted_mmo_case()
    ended = case.sanctions[0].model_copy(update={"ended_on": date(2027, 5, 1), "ended_how": "lifted"})

    assert entry_of(case, load.policy("mmo")) is not None
    assert entry_of(case.model_copy(update={"sanctions": (ended,)}), load.policy("mmo")) is None


# What passes, in the five policies


CASES = {
    "mmo": a_restricted_mmo_case,
    "portsmouth": a_restricted_portsmouth_case,
    "maidstone": a_restricted_maidstone_case,
    "natural-england": a_disengaged_natural_england_case,
    "council-2024-2028": a_restricted_council_case,
}


@pytest.mark.parametrize("name", load.names())
def test_every_policy_says_what_passes_and_cites_what_exists(name: str):
    known = set(load.clauses(name)) | set(load.defaults())
    found = passing(load.policy(name))

    assert set(found) >= {"review-request", "appeal", "new-issue", "adjustment", "safeguarding", "emergency"}
    assert all(clauses and set(clauses) <= known for clauses in found.values()), found


@pytest.mark.parametrize("name", CASES)
def test_an_edition_of_an_earlier_release_lets_the_same_through(name: str):
    """Cases opened before keep their edition; the defaults stand in its place."""
    policy = load.policy(name)
    older = policy.model_copy(update={"contact": policy.contact.model_copy(update={"let_through": ()})})
    mine = entry_of(CASES[name](), older)
    assert mine is not None

    for kind in ("review-request", "appeal", "new-issue", "adjustment", "safeguarding", "emergency"):
        assert advise((mine,), asked(kind=kind, on=date(2027, 6, 2))).let_through, kind


def test_complaints_are_refused_only_where_the_refusal_takes_them_in():
    """MMO-37."""
    whole = entry(limit(restriction("refuse-all-contact")))
    without = entry(limit(restriction("refuse-all-contact", includes_complaints=False)))

    assert advise((whole,), asked(kind="complaint")).verdict == "refuse"
    assert advise((whole,), asked(kind="complaint")).says
    assert advise((without,), asked(kind="complaint")).verdict == "deal-with-it"


def test_an_agreed_adjustment_keeps_its_channel_open():
    """DEF-15."""
    mine = entry(limit(restriction("written-or-third-party-only")), adjusted=["telephone"], needs=["Cannot read."])

    assert advise((mine,), asked("telephone")).verdict == "deal-with-it"
    assert advise((mine,), asked("in-person")).verdict == "refuse"
    assert any("DEF-15" in line for line in advise((mine,), asked("telephone")).cautions)


def test_a_new_issue_that_the_limits_were_varied_for_is_dealt_with():
    """MBC-53."""
    mine = entry(limit(restriction("refuse-all-contact")), exempt=["A leak in a council flat."])

    assert advise((mine,), asked(topic="The leak is worse")).verdict == "deal-with-it"
    assert advise((mine,), asked(topic="The planning decision")).verdict == "refuse"


def test_a_request_that_should_be_in_writing_still_passes_by_telephone_with_a_word_on_how():
    """MMO-41."""
    mine = entry_of(a_restricted_mmo_case(), load.policy("mmo"))
    assert mine

    advice = advise((mine,), asked("telephone", kind="review-request"))

    assert advice.verdict == "deal-with-it"
    assert any("MMO-41" in line for line in advice.cautions)


def test_a_new_issue_is_recorded_with_the_command_of_its_policy():
    mine = entry_of(a_restricted_maidstone_case(), load.policy("maidstone"))
    assert mine

    assert advise((mine,), asked(kind="new-issue")).record_with == RaiseNewIssue.do


# Times, dates, topics


@pytest.mark.parametrize(
    ("day", "at", "verdict"),
    [
        (date(2027, 3, 16), time(10, 0), "deal-with-it"),
        (date(2027, 3, 16), time(11, 59), "deal-with-it"),
        (date(2027, 3, 16), time(12, 0), "refuse"),
        (date(2027, 3, 17), time(11, 0), "refuse"),
        (date(2027, 3, 16), None, "limit-it"),
    ],
)
def test_set_times_hold_to_the_minute(day: date, at: time | None, verdict: Verdict):
    """NE-60, PCC-47."""
    assert advise((entry(limit(restriction("contact-times"))),), asked("telephone", on=day, at=at)).verdict == verdict


def test_dates_hold_and_the_next_is_named():
    """NE-64."""
    mine = (entry(limit(restriction("contact-dates"))),)

    assert advise(mine, asked("telephone", on=date(2027, 4, 1))).verdict == "deal-with-it"
    assert "Thursday 1 April 2027" in advise(mine, asked("telephone")).says
    assert advise(mine, asked("letter", on=date(2027, 4, 2))).verdict == "read-and-file"


@pytest.mark.parametrize(
    ("topic", "named", "same"),
    [
        ("the fence", "the fencing grant", True),
        ("The JETTY licence!", "jetty licences", True),
        ("a leak in the roof", "the jetty licence", False),
        ("a question about the council", "the council tax", False),
        ("'; DROP TABLE desk_entry; --", "the jetty licence", False),
        ("???", "the jetty licence", False),
        ("x" * 10_000, "the jetty licence", False),
    ],
)
def test_shared_words_are_a_sign_that_a_topic_is_the_same(topic: str, named: str, same: bool):
    assert alike(topic, named) is same


def test_another_topic_is_dealt_with_and_the_restricted_one_is_named():
    advice = advise((entry(limit(restriction("no-reply-on-topic"))),), asked(topic="a leak"))

    assert advice.verdict == "deal-with-it"
    assert "the jetty licence" in advice.says


def test_the_heaviest_answer_leads_and_the_others_follow():
    mine = entry(
        limit(restriction("single-point-of-contact")), limit(restriction("channel-restriction")), limit(restriction("other-action"))
    )

    assert [one.verdict for one in advise((mine,), asked("telephone")).found] == ["refuse", "pass-to-named-officer", "limit-it"]


# The named officer (PCC-49)


def staff(**absent: object) -> Staff:
    people = (
        Person(id="spoc", name="Jo Spoc", offices=("service-manager",), line_manager="boss", **absent),
        Person(id="deputy", name="Di Deputy"),
        Person(id="delegate", name="Al Delegate", deputises_for=("spoc",)),
    )
    return Staff(people=people)


AWAY = {"absences": [{"from": "2027-03-15", "to": "2027-03-17"}]}


@pytest.mark.parametrize(
    ("named", "absent", "to"),
    [
        ({}, {}, "spoc"),
        ({}, AWAY, "deputy"),
        ({"deputy": None}, AWAY, "delegate"),
        ({"officer": "Jo  SPOC"}, {}, "spoc"),
        ({"officer": "Somebody Else"}, AWAY, "Somebody Else"),
        ({}, {"valid_to": "2027-03-16"}, "deputy"),
    ],
)
def test_a_contact_is_passed_to_the_officer_or_to_a_deputy_who_is_there(named: dict, absent: dict, to: str):
    mine = entry(limit(restriction("single-point-of-contact", **named)))

    assert advise((mine,), asked(), staff=staff(**absent)).pass_to == to


def test_the_officer_is_back_the_day_after_the_absence():
    mine = entry(limit(restriction("single-point-of-contact")))

    assert advise((mine,), asked(on=date(2027, 3, 18)), staff=staff(**AWAY)).pass_to == "spoc"


def test_where_nobody_stands_in_it_is_kept_and_said():
    alone = Staff(people=(Person(id="spoc", name="Jo Spoc", absences=(Absence(start=TOLD),)),))
    mine = entry(limit(restriction("single-point-of-contact", deputy=None)))

    advice = advise((mine,), asked(), staff=alone)

    assert advice.pass_to == "spoc"
    assert "nobody who stands in is there" in advice.says


def test_the_named_officer_deals_with_it():
    advice = advise((entry(limit(restriction("single-point-of-contact"))),), asked(by="spoc"), staff=staff())

    assert (advice.verdict, advice.departs) == ("deal-with-it", ())


def test_an_absence_does_not_end_before_it_starts():
    with pytest.raises(ValueError, match="ends on its first day or later"):
        Absence.model_validate({"from": "2027-03-10", "to": "2027-03-09"})


# Identifiers


@pytest.mark.parametrize(
    "written",
    [
        "José O'Brien-Sample",
        "  jose   o’brien  SAMPLE ",
        "JOSÉ O`BRIEN SAMPLE",
        "Jose\u0301 O'Brien\u200b Sample",
        "ＪＯＳÉ Ｏ'ＢＲＩＥＮ　Sample",
    ],
)
def test_a_name_has_one_spelling(written: str):
    assert ("name", "jose obrien sample") in identifiers(written)


@pytest.mark.parametrize(
    "written",
    ["01632 960123", "+44 1632 960123", "+44 (0)1632 960-123", "0044 1632 960123", "(01632) 960123", "01632.960.123", "+441632960123"],
)
def test_a_telephone_number_has_one_spelling(written: str):
    assert phone_in(written) == "01632960123"


@pytest.mark.parametrize("written", ["123", "mmo/2027-0001", "casey sample 7", "", "+44", "a01632960123"])
def test_what_is_no_number_is_none(written: str):
    assert phone_in(written) is None


@pytest.mark.parametrize("written", ["Casey.Sample@Example.ORG", " casey.sample@example.org ", "mailto:casey.sample@example.org"])
def test_an_email_address_counts_without_capitals(written: str):
    assert email_in(written.strip()) == "casey.sample@example.org"


def test_an_address_is_found_by_what_it_holds():
    assert address_identifiers("Casey <Casey@Example.org>, or casey2@example.org") == (
        ("email", "casey@example.org"),
        ("email", "casey2@example.org"),
    )
    assert address_identifiers("1 Example Street,\nSampletown") == (("post", "1 example street sampletown"),)


@pytest.mark.parametrize("nothing", ["", "   ", "!!!", "\u200b", "---"])
def test_nothing_to_look_for_is_nothing(nothing: str):
    assert identifiers(nothing) == ()


def test_names_without_latin_letters_have_a_spelling():
    assert name_in("山田 太郎") == "山田 太郎"
