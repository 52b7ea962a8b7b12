"""Independence and sign-off hold for human beings (DEF-20), whatever accounts, deputies and days of office say: refused with the clause."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import pytest

from domain.case import Case
from domain.commands import (
    AnyCommand,
    Appeal,
    Approve,
    Consult,
    DecideAppeal,
    Discuss,
    ImposeSanction,
    PassAppeal,
    ProposeSanction,
    ReportBehaviour,
)
from domain.decide import decide
from domain.decision import Refusal
from domain.people import CUSTOMER, Absence, Actor, Person, Staff
from tests import stories as s

DAY = date(2027, 3, 12)
UPHOLD = DecideAppeal(saw="a1", outcome="uphold", reasons="It was right.")
CONFIRM = DecideAppeal(saw="a1", outcome="confirm", reasons="It was right.")


def with_people(staff: Staff, *people: Person) -> Staff:
    """Returns a staff list with more people, or others in the place of those with their ids."""
    new = {one.id for one in people}
    return Staff(people=(*(one for one in staff.people if one.id not in new), *people))


def by(person: str, staff: Staff, day: date = DAY) -> Actor:
    """Returns who acts, as the list stands on a day."""
    return s.actor(person, staff.on(day))


def said(case: Case, command: AnyCommand, who: Actor, day: date = DAY) -> Refusal | None:
    """Returns the refusal, or None where the act is accepted."""
    try:
        decide(case, command, actor=who, policy=s.policy_named(case.policy), calendar=s.ENGLAND, today=day)
    except Refusal as refusal:
        return refusal
    return None


def appealed(case: Case, day: date = DAY) -> Case:
    case = s.after(case, (Appeal(medium="email", grounds="I had a real question."), CUSTOMER, day))
    if case.policy != "portsmouth":
        return case
    papers = PassAppeal(saw="a1", decision_papers=("s1",), appeal_papers=("a1",))
    return s.after(case, (papers, s.portsmouth("helpdesk"), day))


def proposed(who: str = "officer") -> Case:
    """Returns a Natural England case in which somebody proposed a sanction (p1) on 10 March 2027."""
    day = date(2027, 3, 10)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Sixty more.", consulted=("colleague",))
    propose = ProposeSanction(
        restrictions=(s.ONE_NAMED_PERSON,), reasons=s.REASONS, review_on=date(2027, 9, 10), findings=s.NATURAL_ENGLAND_GROUNDS
    )
    warned = s.a_warned_natural_england_case()
    return s.after(warned, (again, s.natural_england("officer"), date(2027, 2, 19)), (propose, s.natural_england(who), day))


class Conflict(NamedTuple):
    """One human being who signed already, and the account under which he or she now signs again."""

    case: Case
    command: AnyCommand
    staff: Staff
    account: Person
    clauses: frozenset[str]


def council_discussed() -> Case:
    """Returns a council case in which the Executive Officer's other account held the senior discussion (C24-49, A-85)."""
    day = date(2027, 2, 8)
    other = Person(id="executive-2", name="Evi Executive", natural="executive", offices=("service-manager",), grade=12)
    staff = with_people(s.COUNCIL_STAFF, other)
    return s.after(
        s.an_opened_council_case(),
        (Discuss(step="informal-discussion", person="manager", note="Spoke."), by("officer", staff), day),
        (Discuss(step="line-manager-discussion", person="manager", note="It goes on."), by("officer", staff), day),
        (Discuss(step="senior-discussion", person="executive-2", note="Apply it."), by("officer", staff), day),
        (s.Refer(findings={"informal-steps": "Two talks did not help."}), by("officer", staff), date(2027, 3, 1)),
    )


OFFICER = s.NATURAL_ENGLAND_STAFF.by_id["officer"]
SPOC = s.SinglePointOfContact(type="single-point-of-contact", officer="Uma Officer")
CONFLICTS = {
    "mmo: whoever decided has the reviewer's office under another account": lambda: Conflict(
        appealed(s.a_restricted_mmo_case()), UPHOLD, s.MMO_STAFF,
        Person(id="second", name="Morgan Manager", natural="manager", offices=("reviewer",), grade=10), frozenset({"DEF-09", "DEF-20"}),
    ),
    "portsmouth: whoever decided deputises for the director under another account": lambda: Conflict(
        appealed(s.a_restricted_portsmouth_case(), date(2027, 3, 20)), CONFIRM, s.PORTSMOUTH_STAFF,
        Person(id="second", name="Ash Helpdesk", natural="helpdesk", deputises=("director-of-corporate-services",), grade=9),
        frozenset({"PCC-84"}),
    ),
    "maidstone: the Head holds the director's office under another account": lambda: Conflict(
        appealed(s.a_restricted_maidstone_case()), UPHOLD, s.MAIDSTONE_STAFF,
        Person(id="second", name="Hari Head", natural="head", offices=("director-of-finance",), grade=14), frozenset({"MBC-63"}),
    ),
    "natural england: whoever approved answers the complaint under another account": lambda: Conflict(
        appealed(s.a_sanctioned_natural_england_case()), UPHOLD, s.NATURAL_ENGLAND_STAFF,
        Person(id="second", name="Mel Manager", natural="manager", offices=("stage-3-complaints",), grade=12), frozenset({"DEF-20"}),
    ),
    "natural england: whoever proposed approves under another account, said to be his own line manager": lambda: Conflict(
        proposed(), Approve(saw="p1"), with_people(s.NATURAL_ENGLAND_STAFF, OFFICER.model_copy(update={"line_manager": "second"})),
        Person(id="second", name="Oli Officer", natural="officer", grade=7, area="peatland"), frozenset({"NE-14", "DEF-20"}),
    ),
    "natural england: whoever proposed approves as the deputy of his own line manager": lambda: Conflict(
        proposed(), Approve(saw="p1"), s.NATURAL_ENGLAND_STAFF,
        Person(id="second", name="Oli Officer", natural="officer", grade=7, deputises_for=("manager",)), frozenset({"NE-14", "DEF-20"}),
    ),
    "council: whoever held the senior discussion decides under another account": lambda: Conflict(
        council_discussed(),
        ImposeSanction(restrictions=(SPOC,), reasons=s.REASONS, findings=s.COUNCIL_GROUNDS),
        with_people(s.COUNCIL_STAFF, Person(id="executive-2", name="Evi Executive", natural="executive", grade=12)),
        Person(id="executive", name="Evi Executive", offices=("executive-officer-customer-services",), grade=12), frozenset({"DEF-20"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFLICTS)
def test_one_human_being_does_not_sign_as_two(name: str):
    one = CONFLICTS[name]()
    refusal = said(one.case, one.command, by(one.account.id, with_people(one.staff, one.account), date(2027, 3, 20)), date(2027, 3, 20))

    assert refusal is not None and one.clauses <= set(refusal.cites), refusal
    stranger = one.account.model_copy(update={"natural": "somebody-else"})
    if one.account.natural:
        accepted = said(one.case, one.command, by(stranger.id, with_people(one.staff, stranger), date(2027, 3, 20)), date(2027, 3, 20))
        assert accepted is None or not {"DEF-20"} & set(accepted.cites), "it is the human being that stops it, nothing else"


def test_the_same_account_does_not_approve_what_it_proposed():
    """NE-14: at least two people."""
    refusal = said(proposed("manager"), Approve(saw="p1"), s.natural_england("manager"))

    assert refusal is not None and {"NE-14", "DEF-20"} <= set(refusal.cites)


def test_whoever_reported_under_an_account_that_was_closed_since_is_still_involved():
    """A-90, DEF-20: which human being an account was of stays known after the account is taken off the list."""
    from domain.involvement import involved

    case = s.an_opened_mmo_case()
    earlier = with_people(s.MMO_STAFF, Person(id="officer", name="Sam Officer", natural="sam"))
    old = case.model_copy(update={"incidents": tuple(one.model_copy(update={"involved": ()}) for one in case.incidents)})
    left = with_people(earlier, Person(id="officer", name="Sam Officer", natural="sam", valid_to=DAY - timedelta(days=1)))

    assert involved(old, left.on(DAY)) == involved(old, Staff(gone=earlier.people)) == {"sam"}


HELD = {
    "mmo": (appealed, s.a_restricted_mmo_case, s.MMO_STAFF, "reviewer", "reviewer", UPHOLD, "A-20"),
    "portsmouth": (
        lambda case: appealed(case, date(2027, 3, 20)), s.a_restricted_portsmouth_case, s.PORTSMOUTH_STAFF, "director",
        "director-of-corporate-services", CONFIRM, "PCC-85",
    ),
    "maidstone": (appealed, s.a_restricted_maidstone_case, s.MAIDSTONE_STAFF, "director", "director-of-finance", UPHOLD, "MBC-63"),
    "natural-england": (
        appealed, s.a_sanctioned_natural_england_case, s.NATURAL_ENGLAND_STAFF, "complaints", "stage-3-complaints", UPHOLD, "NE-47",
    ),
    "council": (
        lambda case: case, s.a_referred_council_case, s.COUNCIL_STAFF, "executive", "executive-officer-customer-services",
        ImposeSanction(restrictions=(SPOC,), reasons=s.REASONS, findings=s.COUNCIL_GROUNDS), "C24-50",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_an_office_that_ended_yesterday_signs_nothing_today_and_did_on_its_last_day(name: str):
    then, start, staff, person, office, command, clause = HELD[name]
    day, case = date(2027, 3, 22), then(start())
    own = staff.by_id[person]

    def held(until: date) -> Actor:
        entry = Person.model_validate(
            {"id": own.id, "name": own.name, "grade": own.grade, "offices": [{"office": office, "from": "2020-01-01", "to": until}]}
        )
        return by(person, with_people(staff, entry), day)

    assert said(case, command, held(day), day) is None
    refusal = said(case, command, held(day - timedelta(days=1)), day)
    assert refusal is not None and clause in refusal.cites, refusal


@pytest.mark.parametrize("name", HELD)
def test_absence_cover_signs_on_its_days_and_not_before_or_after(name: str):
    """DEF-20, A-10: a delegation for some days. Whoever is away is covered by the one who deputises for those days."""
    then, start, staff, person, office, command, clause = HELD[name]
    case, away = then(start()), Absence.model_validate({"from": "2027-03-22", "to": "2027-03-26"})
    absent = staff.by_id[person].model_copy(update={"absences": (away,)})
    cover = Person.model_validate(
        {"id": "cover", "name": "Cas Cover", "grade": 13, "deputises": [{"office": office, "from": away.start, "to": away.end}]}
    )
    both = with_people(staff, absent, cover)

    found = {day: said(case, command, by("cover", both, day), day) for day in (date(2027, 3, 21), away.start, away.end, date(2027, 3, 27))}

    outside = [found[date(2027, 3, 21)], found[date(2027, 3, 27)]]
    assert all(one is not None and clause in one.cites for one in outside), outside
    if name == "maidstone":  # MBC-63 names one post, and no deputy for it
        assert all(one is not None and clause in one.cites for one in found.values())
    else:
        assert [found[away.start], found[away.end]] == [None, None]


def test_somebody_who_holds_the_office_does_not_count_as_his_own_deputy_beside_himself():
    """PCC-43, DEF-20: the decider consults two others; the decider's own deputising account is none."""
    helpdesk_too = Person(id="second", name="Ash Helpdesk", natural="helpdesk", deputises=("assistant-director-of-corporate-services",))
    staff = with_people(s.PORTSMOUTH_STAFF, helpdesk_too)
    case = s.a_referred_portsmouth_case()
    case = case.model_copy(update={"consultations": case.consultations[1:]})

    consulted = said(case, Consult(person="second", about="decision", view="A weekly limit is fair."), by("helpdesk", staff), DAY)
    impose = ImposeSanction(restrictions=(s.ONE_CALL_A_WEEK,), reasons=s.REASONS, until=date(2027, 9, 10), findings=s.PORTSMOUTH_GROUNDS)
    decided = said(case, impose, by("helpdesk", staff), DAY)

    assert decided is not None and "PCC-43" in decided.cites
    assert consulted is None or {"PCC-43", "DEF-20"} & set(consulted.cites)
