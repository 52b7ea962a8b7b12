"""Before papers are destroyed: their time, the holds, the two who sign (EH-150). All by the rules alone."""

from __future__ import annotations

from datetime import date

import pytest

from domain.case import Case, Informed
from domain.commands import (
    Appeal,
    DecideAppeal,
    DestroyPapers,
    Hold,
    ReleaseHold,
    ReviewSanction,
    SetRetention,
    SignDestruction,
)
from domain.decide import decide
from domain.decision import Refusal
from domain.end_clocks import end_of_case, retention_ends
from domain.informing import to_inform
from domain.mistake import to_be_told
from domain.people import CUSTOMER, Actor, Person, Staff
from domain.policy import Policy
from domain.tasks import tasks
from policies import load
from policies.load import Unreadable
from policies.needs import configured, needs
from tests.stories import ENGLAND, MMO, MMO_STAFF, a_restricted_mmo_case, actor, after, kept_after_refusal, mmo, sent

LAST, DUE = date(2033, 6, 1), date(2033, 6, 2)
STAFF = Staff(
    people=(
        *MMO_STAFF.people,
        Person(id="records-2", name="Rey Records", offices=("records-officer",)),
        Person(id="records-again", name="Rae Records", natural="records", offices=("other-office",)),
        Person(id="stand-in", name="Stef Standin", deputises=("records-officer",)),
        Person(id="other-stand-in", name="Sol Standin", deputises=("reviewer",)),
        Person(id="two-hats", name="Toni Twohats", offices=("records-officer", "reviewer")),
    )
)


def by(person: str) -> Actor:
    return actor(person, STAFF)


def ended() -> Case:
    """Returns an MMO case whose restrictions were lifted on 1 June 2027: its papers are kept until 1 June 2033."""
    lifted = ReviewSanction(saw="s1", why="own-motion", outcome="lift", reasons="All is calm.")
    return sent(after(a_restricted_mmo_case(), (lifted, mmo("reviewer"), date(2027, 6, 1))), "n3", on=date(2027, 6, 1))


def refused(case: Case, command: object, who: Actor, on: date = DUE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decide(case, command, actor=who, policy=MMO, calendar=ENGLAND, today=on)  # type: ignore[arg-type]  # a command
    return caught.value


def signed(*people: str, case: Case | None = None, on: date = DUE) -> Case:
    return after(case or ended(), *((SignDestruction(), by(one), on) for one in people))


def waiting(case: Case, on: date = DUE) -> list[tuple[str | None, tuple[str, ...], str | None]]:
    return [(one.command, one.offices, one.of) for one in tasks(case, MMO, ENGLAND, today=on) if one.kind == "destroy"]


# Who signs


def test_two_people_of_different_offices_sign_and_only_then_papers_are_destroyed():
    """EH-150: a house default, cited; the policy's own office (DEF-19) is one of the two, in either order."""
    case = ended()
    assert "nobody has signed" in refused(case, DestroyPapers(), by("records")).reason
    assert waiting(case) == [
        ("sign_destruction", ("records-officer",), "keeper"), ("sign_destruction", ("decision-maker",), "second"),
    ]  # fmt: skip

    once = signed("records")
    one = refused(once, DestroyPapers(), by("records"))
    assert one.cites == ("EH-150",) and "only records has signed" in one.reason
    assert waiting(once) == [("sign_destruction", ("decision-maker",), "second")]

    for pair in (("records", "reviewer"), ("manager", "records")):
        twice = signed(*pair)
        assert waiting(twice) == [("destroy_papers", ("records-officer",), None)]
        assert after(twice, (DestroyPapers(), by("records"), DUE)).stage == "closed"


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("records", "records", "has signed already"),
        ("records", "records-again", "has signed already"),
        ("records", "records-2", "are those of whoever signed first"),
        ("records", "stand-in", "holds no office of their own"),
        ("records", "officer", "holds no office of their own"),
        ("two-hats", "reviewer", "are those of whoever signed first"),
        ("two-hats", "other-stand-in", "holds no office of their own"),
        ("manager", "reviewer", "the other signature is that of the records officer"),
    ],
)
def test_who_cannot_be_the_second_to_sign(first: str, second: str, why: str):
    """EH-150, DEF-20: not the same human being under another account, nor one of the same office, nor a deputy."""
    case = signed(first)

    told = refused(case, SignDestruction(), by(second))

    assert why in told.reason and "EH-150" in told.cites


def test_a_deputy_and_the_one_they_deputise_for_are_one_office():
    """EH-150: Portsmouth lets a deputy stand in for the helpdesk manager (A-10), and then neither signs beside the other."""
    deputies = MMO.retention.destroyed_by.model_copy(update={"deputies": MMO.decision.enforced_from.model_copy(update={"value": True})})
    policy = MMO.model_copy(update={"retention": MMO.retention.model_copy(update={"destroyed_by": deputies})})

    def told(first: str, second: str) -> str:
        facts = {"policy": policy, "calendar": ENGLAND, "today": DUE}
        case = decide(ended(), SignDestruction(), actor=by(first), **facts).case  # type: ignore[arg-type]  # as decide takes them
        with pytest.raises(Refusal) as caught:
            decide(case, SignDestruction(), actor=by(second), **facts)  # type: ignore[arg-type]  # as above
        return caught.value.reason

    assert "are those of whoever signed first" in told("stand-in", "records")
    assert "are those of whoever signed first" in told("records", "stand-in")


def test_somebody_without_an_office_cannot_sign_first_either():
    assert "holds no office" in refused(ended(), SignDestruction(), by("officer")).reason
    assert "Only staff" in refused(ended(), SignDestruction(), Actor(origin="staff")).reason


def test_a_third_signature_is_refused_and_says_what_remains():
    told = refused(signed("records", "reviewer"), SignDestruction(), by("manager"))

    assert "Both have signed" in told.reason and "destroy_papers" in str(told.remains)


def test_nobody_signs_before_the_time_has_ended():
    """DEF-19: to the end of the last day."""
    assert "until the end of Wednesday 1 June 2033" in refused(ended(), SignDestruction(), by("records"), LAST).reason


def test_a_destruction_entered_late_does_not_come_before_its_signatures():
    case = signed("records", "reviewer", on=date(2033, 7, 1))

    assert refused(case, DestroyPapers(on=date(2033, 6, 15)), by("records"), date(2033, 7, 2)).cites == ("EH-150",)


# What makes a signature void


def test_a_hold_stops_it_and_it_is_signed_anew():
    """DEF-19: what is signed before a claim comes in is not signed with the claim in mind."""
    case = signed("records", "reviewer")

    held = after(case, (Hold(reasons="A claim.", review_on=date(2034, 1, 1), kind="litigation"), by("officer"), DUE))

    assert held.destruction_signed == () and waiting(held) == []
    assert "on hold: h1 (litigation" in refused(held, DestroyPapers(), by("records")).reason
    released = after(held, (ReleaseHold(reasons="It is over."), by("officer"), date(2033, 6, 3)))
    assert "nobody has signed" in refused(released, DestroyPapers(), by("records"), date(2033, 6, 3)).reason


def test_a_late_appeal_and_another_schedule_have_it_signed_anew():
    """DEF-08: what came in is first decided; who signs then knows of it."""
    case = signed("records", "reviewer")

    late = kept_after_refusal(case, Appeal(medium="email", grounds="Late."), CUSTOMER, DUE)

    assert late.destruction_signed == ()
    assert "Still to be decided: a1" in refused(late, SignDestruction(), by("records")).reason
    assert after(signed("records", "reviewer"), (SetRetention(years=6), by("records"), DUE)).destruction_signed == ()


def test_a_letter_about_to_go_stops_it():
    """EH-152."""
    lifted = ReviewSanction(saw="s1", why="own-motion", outcome="lift", reasons="All is calm.")
    case = after(a_restricted_mmo_case(), (lifted, mmo("reviewer"), date(2027, 6, 1)))

    assert refused(case, SignDestruction(), by("records")).cites == ("EH-152",)


def test_a_body_is_told_that_one_human_being_cannot_be_both_who_sign():
    """EH-150: policy check --body says so before papers wait for somebody who is not there."""
    [need] = [one for one in needs(MMO) if one.kind == "somebody-else" and one.places == (("escalation",),)]
    alone = Staff(people=(Person(id="all", name="Al Alone", offices=("decision-maker", "records-officer")),))

    assert configured(need, MMO_STAFF, 6, today=DUE)
    assert not configured(need, alone, 6, today=DUE)
    assert "who does not destroy the papers" in need.what


# Holds


def test_holds_of_several_kinds_end_one_by_one_and_each_is_looked_at():
    """DEF-19: litigation, an ombudsman, an information request; each has its reason and its day."""
    claim = Hold(reasons="A claim.", review_on=date(2028, 1, 1), kind="litigation")
    inquiry = Hold(reasons="An inquiry.", review_on=date(2029, 1, 1), kind="ombudsman")
    case = after(ended(), (claim, by("officer"), date(2027, 7, 1)), (inquiry, by("manager"), date(2027, 7, 2)))

    which = refused(case, ReleaseHold(reasons="It is over."), by("officer"), date(2027, 8, 1))
    assert which.kind == "stale" and "h1 (litigation" in str(which.remains) and "h2 (the ombudsman's inquiry" in str(which.remains)
    assert refused(case, ReleaseHold(saw="h3", reasons="It is over."), by("officer"), date(2027, 8, 1)).kind == "stale"

    one = after(case, (ReleaseHold(saw="h1", reasons="It is over."), by("officer"), date(2027, 8, 1)))
    assert one.held and [hold.released_on for hold in one.holds] == [date(2027, 8, 1), None]
    assert not after(one, (ReleaseHold(reasons="It is over."), by("officer"), date(2027, 8, 2))).held

    looked = case.model_copy(update={"passed": ("hold-review:h1:2028-01-01", "hold-review:h2:2029-01-01")})
    found = [(one.ref, one.people, one.due) for one in tasks(looked, MMO, ENGLAND, today=date(2029, 1, 1)) if one.kind == "hold"]
    assert found == [("h1", ("officer",), date(2028, 1, 1)), ("h2", ("manager",), date(2029, 1, 1))]


# From when papers are kept


def starting(start: str) -> Policy:
    """Returns the MMO's policy with another start of retention."""
    value = MMO.retention.start.model_copy(update={"value": start})
    return MMO.model_copy(update={"retention": MMO.retention.model_copy(update={"start": value})})


@pytest.mark.parametrize(
    ("start", "from_", "until"),
    [
        ("end-of-restrictions", date(2027, 6, 1), date(2033, 6, 1)),
        ("decision", date(2027, 3, 10), date(2033, 3, 10)),
        ("closure", date(2027, 7, 9), date(2033, 7, 9)),
    ],
)
def test_papers_are_kept_from_the_day_the_policy_names(start: str, from_: date, until: date):
    """Retention is data: the end of the last restriction, the decision, or the day from which nothing is open."""
    answered = (Appeal(medium="email", grounds="No.", on=date(2027, 3, 20)), CUSTOMER, date(2027, 3, 20))
    case = after(a_restricted_mmo_case(), answered)
    lifted = ReviewSanction(saw="s1", why="own-motion", outcome="lift", reasons="All is calm.")
    decided = DecideAppeal(saw="a1", outcome="uphold", reasons="It was right.")
    case = after(case, (lifted, mmo("reviewer"), date(2027, 6, 1)), (decided, mmo("reviewer"), date(2027, 7, 9)))

    ends = retention_ends(case, starting(start), ENGLAND)

    assert ends and (ends.start, ends.date, ends.start_event) == (from_, until, start)


@pytest.mark.parametrize(("years", "said"), [(1, "1 year,"), (6, "6 years,")])
def test_a_schedule_is_said_as_people_say_it(years: int, said: str):
    """DEF-19: a certificate prints the rule's words."""
    ends = retention_ends(ended().model_copy(update={"keep_years": years}), MMO, ENGLAND)

    assert ends and ends.rule == f"{said} the body's own schedule"


def test_papers_are_kept_to_the_real_end_at_least():
    """Restrictions that outlast the years counted from the decision: never destroyed before they end."""
    case = ended().model_copy(update={"keep_years": 0})

    ends = retention_ends(case, starting("decision"), ENGLAND)

    assert ends and ends.date == end_of_case(case) == date(2027, 6, 1)


def test_a_policy_that_names_two_starts_is_refused():
    text = load.policy_text("portsmouth").replace(
        "start: {value: end-of-restrictions, cites: [PCC-90]}", "start: {value: decision, cites: [PCC-90]}"
    )

    with pytest.raises(Unreadable, match="papers are kept from one day"):
        load.policy_of(text, "portsmouth")


# A mistake


def test_every_team_that_was_made_aware_of_a_mistaken_decision_is_told():
    """EH-131: C24-53 makes three teams aware of a decision and of no end; they too must learn that it was never so."""
    policy = load.policy("natural-england")
    case = ended().model_copy(update={"ending": "mistake", "policy": "natural-england"})
    nobody = (list(to_inform(case, policy)), list(to_be_told(case, policy)))
    informed = tuple(
        Informed(team=team, about="s1", at="decision", on=date(2027, 3, 11), by="officer")
        for team in ("customer-sanctions-log", "customer-focus-team")
    )
    aware = case.model_copy(update={"informed": informed})

    assert nobody == ([], [])
    assert [(rule.team, event.at) for rule, event in to_inform(aware, policy)] == [("customer-sanctions-log", "end")]
    assert [ref for ref, _ in to_be_told(aware, policy)] == ["customer-focus-team"]
