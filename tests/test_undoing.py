"""Nobody on the staff list undoes alone what others had to decide (EH-190): not a case, not a hold on its papers."""

from __future__ import annotations

from datetime import date

import pytest

from domain.case import Case
from domain.clocks import all_deadlines
from domain.commands import Appeal, Correct, Hold, ReleaseHold, Withdraw
from domain.decide import decide
from domain.decision import Refusal
from domain.people import CUSTOMER, Actor, Person, Staff
from domain.policy import Policy
from domain.tasks import tasks
from policies import load
from tests.stories import (
    ENGLAND,
    MMO_STAFF,
    PORTSMOUTH_STAFF,
    a_restricted_council_case,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    a_sanctioned_natural_england_case,
    a_warned_mmo_case,
    actor,
    after,
    council,
    maidstone,
    natural_england,
)

ON = date(2027, 4, 20)
DESK = Person(id="desk", name="Dee Desk")
SECOND = Person(id="second", name="Sam Officer again", natural="officer")
WRONG = Correct(reasons="Another Casey wrote the emails.")
RELEASE = ReleaseHold(reasons="The claim was settled.")


def done(case: Case, command: object, by: Actor, *, policy: Policy | None = None) -> Case:
    policy = policy or load.policy(case.policy)
    return decide(case, command, actor=by, policy=policy, calendar=ENGLAND, today=ON).case  # type: ignore[arg-type]  # any command


def refused(case: Case, command: object, by: Actor) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        done(case, command, by)
    return refusal.value


def mmo(id: str) -> Actor:
    return actor(id, Staff(people=(*MMO_STAFF.people, DESK, SECOND)))


def held(case: Case, *, by: str = "officer") -> Case:
    return done(case, Hold(reasons="A claim.", review_on=date(2027, 9, 1), kind="litigation"), mmo(by))


@pytest.mark.parametrize("command", [WRONG, Withdraw(reasons="No longer needed.")], ids=["correct", "withdraw"])
@pytest.mark.parametrize(("by", "may"), [("officer", True), ("second", True), ("manager", True), ("records", True), ("desk", False)])
def test_before_a_decision_a_case_is_taken_back_by_whoever_has_a_part_in_it(by: str, may: bool, command: object):
    """One human being under two accounts has one part."""
    case = a_warned_mmo_case()
    if may:
        assert done(case, command, mmo(by)).ended_without_restriction == ON
    else:
        assert "EH-190" in refused(case, command, mmo(by)).cites


@pytest.mark.parametrize(
    ("by", "may"), [("manager", True), ("other-manager", True), ("officer", False), ("records", False), ("desk", False)]
)
def test_while_a_decision_stands_it_is_undone_by_somebody_who_may_decide(by: str, may: bool):
    case = a_restricted_mmo_case()
    if may:
        assert not done(case, WRONG, mmo(by)).in_force
    else:
        assert {"EH-190"} < set(refused(case, WRONG, mmo(by)).cites), "and the clause that gives the decision"


CASES = {
    "maidstone": (a_restricted_maidstone_case, maidstone),
    "portsmouth": (a_restricted_portsmouth_case, lambda id: actor(id, PORTSMOUTH_STAFF)),
    "natural-england": (a_sanctioned_natural_england_case, natural_england),
    "council-2024-2028": (a_restricted_council_case, council),
}


@pytest.mark.parametrize("policy", CASES)
def test_under_every_policy_whoever_signed_the_decision_may_undo_it_and_the_desk_may_not(policy: str):
    build, who = CASES[policy]
    case, signed = build(), [one for sanction in build().sanctions for one in sanction.signatures if one.counts]
    assert signed
    undone = []
    for one in signed:
        try:
            undone.append(not done(case, WRONG, who(one.person)).in_force)
        except Refusal:
            undone.append(False)
    assert any(undone), "nobody who decided could set it right"
    stranger = Actor(origin="staff", person=DESK, staff=Staff(people=(*who(signed[0].person).staff.people, DESK)))
    assert "EH-190" in refused(case, WRONG, stranger).cites


def test_a_hold_is_released_with_a_reason_by_whoever_has_a_part_or_placed_it():
    case = held(a_restricted_mmo_case(), by="desk")

    assert "EH-190" in refused(case, ReleaseHold(), mmo("records")).cites
    released = done(case, RELEASE, mmo("desk"))
    assert released.holds[0].released_because == RELEASE.reasons
    assert done(held(a_restricted_mmo_case()), RELEASE, mmo("records")).holds[0].released_on == ON
    assert "EH-190" in refused(held(a_restricted_mmo_case()), RELEASE, mmo("desk")).cites


def test_a_case_of_an_earlier_release_whose_opener_is_not_noted_is_not_stuck():
    """Where nobody is known to have a part, nobody is shut out."""
    case = a_warned_mmo_case().model_copy(update={"opened_by": None, "contact_officer": None, "warnings": ()})

    assert done(case, WRONG, mmo("desk")).ending == "mistake"


def test_once_a_case_is_undone_nothing_is_left_to_decide_of_an_appeal():
    """It was against a decision that was a mistake; the letter that takes the case back answers it."""
    case = after(a_restricted_mmo_case(), (Appeal(medium="email", grounds="It was not me."), CUSTOMER, date(2027, 3, 20)))
    policy = load.policy("mmo")
    assert any(one.kind == "appeal" for one in tasks(case, policy, ENGLAND, today=ON))

    undone = done(case, WRONG, mmo("manager"))

    assert [(one.outcome, one.decided_on, one.signatures) for one in undone.challenges] == [("undone", ON, ())]
    assert {one.kind for one in tasks(undone, policy, ENGLAND, today=ON)} <= {"mistake", "staff", "send"}
    left = {one.key.split(":")[0] for one in all_deadlines(undone, policy, ENGLAND)}
    assert not left & {"answer-due", "answer-reminder", "review-due"}, left
