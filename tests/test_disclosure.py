"""What was handed over is on the case: for whom, by whom, under which hash; the customer's copy only where somebody reviewed it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.case import Case
from domain.commands import RecordDisclosure
from domain.decide import decide
from domain.decision import Decision, Refusal
from domain.people import CUSTOMER
from tests.stories import ENGLAND, MMO, a_restricted_mmo_case, after, mmo

DAY = date(2027, 3, 20)
SHA = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"


def told(case: Case, **with_: Any) -> Decision:
    command = RecordDisclosure(sha256=SHA, **with_)
    return decide(case, command, actor=mmo("officer"), policy=MMO, calendar=ENGLAND, today=DAY)


def test_a_bundle_for_an_ombudsman_is_on_the_case():
    """EH-101."""
    decision = told(a_restricted_mmo_case(), audience="ombudsman", to="The ombudsman's office")

    [made] = decision.case.disclosures
    assert (made.id, made.audience, made.by.person, made.sha256, made.on) == ("d1", "ombudsman", "officer", SHA, DAY)
    assert SHA in decision.entries[0].what and "office" not in decision.entries[0].what.split("sha256")[0].replace("ombudsman", "")
    assert decision.cites == ("EH-101",)


def test_the_customer_s_copy_names_who_reviewed_it_and_when():
    """EH-100."""
    decision = told(a_restricted_mmo_case(), audience="subject-access", reviewed_by="manager", reviewed_on=date(2027, 3, 19))

    assert decision.case.disclosures[0].reviewed_by == "manager"
    assert "reviewed by manager on Friday 19 March 2027" in decision.entries[0].what
    assert decision.cites == ("EH-100", "EH-101")


@pytest.mark.parametrize(
    ("with_", "said"),
    [
        ({}, "Nobody has reviewed"),
        ({"reviewed_by": "manager"}, "Nobody has reviewed"),
        ({"reviewed_on": DAY}, "Nobody has reviewed"),
        ({"reviewed_by": "stranger", "reviewed_on": DAY}, "not on the staff list"),
        ({"reviewed_by": "manager", "reviewed_on": date(2027, 3, 21)}, "after 2027-03-20"),
    ],
)
def test_the_customer_s_copy_is_refused_without_a_review(with_: dict[str, Any], said: str):
    """EH-100."""
    with pytest.raises(Refusal, match=said) as refused:
        told(a_restricted_mmo_case(), audience="subject-access", **with_)
    assert "EH-100" in refused.value.cites


def test_a_customer_records_no_bundle():
    with pytest.raises(Refusal, match="cannot come from the customer"):
        decide(
            a_restricted_mmo_case(),
            RecordDisclosure(audience="ombudsman", sha256=SHA),
            actor=CUSTOMER,
            policy=MMO,
            calendar=ENGLAND,
            today=DAY,
        )


def test_several_bundles_stand_in_their_order_and_change_nothing_else():
    case = a_restricted_mmo_case()
    twice = after(case, *((RecordDisclosure(audience="ombudsman", sha256=SHA), mmo("officer"), DAY) for _ in range(2)))

    assert [one.id for one in twice.disclosures] == ["d1", "d2"]
    assert twice.model_copy(update={"disclosures": (), "seq": case.seq}) == case
