"""The log keeps the office under which somebody acted, not the first that their line in the staff list happens to name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.bodies import save_body
from activities.carriers.post import Post
from activities.outcome import Outcome
from domain.acted_as import acted_as
from domain.case import Case, Signature
from domain.people import Person
from records.database import create_all, open_database, reading, transaction
from records.log import log_of
from records.tables import LogRow
from tests.engine import LIMIT, MMO, OFFICER, WARNING, act, report
from tests.posting import FINDINGS, PAPER, Posting

TWO = Person(id="two-offices", name="Toby Twopost", offices=("reviewer", "decision-maker"), grade=10, area="licensing")
DEPUTY = Person(id="deputy", name="Dana Deputy", offices=("reviewer",), deputises=("decision-maker",), grade=8, area="licensing")
DECISION = {"restrictions": [LIMIT], "reasons": "The emails take up the time of the whole team.", "findings": FINDINGS}


@pytest.fixture
def posting(tmp_path: Path) -> Iterator[Posting]:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    made = Posting(engine, Post.into(tmp_path / "outbox"))
    with transaction(engine) as session:
        save_body(session, MMO.model_copy(update={"people": (*MMO.people, TWO, DEPUTY)}))
    yield made
    engine.dispose()


def ready(posting: Posting) -> None:
    """Lead a case to where a restriction may be decided."""
    day = posting.now.date()
    opened = act("open_case", "open:1", by=OFFICER, with_={"body": "mmo", "customer": PAPER, "area": "licensing"})
    for message in (
        opened,
        report("report-1", on=f"{day:%Y}-01-20"),
        act("warn", "warn-1", by=OFFICER, with_=WARNING, on=f"{day:%Y}-01-25"),
    ):
        outcome = posting.do("mmo/1", message)
        assert outcome.accepted, outcome
    for notice in outcome.to_send:
        told = {"v": 1, "id": f"told:{notice}", "do": "record_notification", "saw": notice, "by": OFFICER, "on": f"{day:%Y}-02-01"}
        assert posting.do("mmo/1", {**told, "with": {"method": "by-hand"}}).accepted
    assert posting.do("mmo/1", report("report-2", summary="Thirty more emails.", on=f"{day:%Y}-02-20")).accepted


def impose(posting: Posting, by: str) -> Outcome:
    return posting.do("mmo/1", act("impose_sanction", "impose-1", by=by, with_=DECISION))


def lines(posting: Posting, id: str) -> list[LogRow]:
    with reading(posting.engine) as session:
        return [one for one in log_of(session, "mmo/1") if one.command_id == id]


@pytest.mark.parametrize("by", [TWO.id, DEPUTY.id])
def test_who_decides_is_kept_under_the_office_that_decides(posting: Posting, by: str):
    """Also where somebody decides for the holder of an office: their own office is not the one that they acted under."""
    ready(posting)
    outcome = impose(posting, by)

    assert outcome.accepted, outcome
    found = lines(posting, "impose-1")
    assert found and {(one.actor, one.office) for one in found} == {(by, "decision-maker")}


def test_of_an_act_that_no_office_was_needed_for_all_offices_are_kept(posting: Posting):
    ready(posting)
    assert posting.do("mmo/1", report("report-3", summary="Ten more emails.", on="2027-02-22") | {"by": TWO.id}).accepted
    refused = posting.do("mmo/1", act("impose_sanction", "early-1", by=TWO.id, with_={**DECISION, "findings": {}}))

    assert {one.office for one in lines(posting, "report-3")} == {"reviewer, decision-maker"}
    assert not refused.accepted and {one.office for one in lines(posting, "early-1")} == {"reviewer, decision-maker"}


def test_only_a_signature_that_the_act_added_counts(posting: Posting):
    ready(posting)
    assert impose(posting, TWO.id).accepted
    case = posting.case("mmo/1")
    sanction = case.sanctions[0]
    later = sanction.signatures[0].model_copy(update={"office": "reviewer", "on": posting.now.date().replace(day=2)})

    assert acted_as(TWO, before=case, after=case) == "reviewer, decision-maker", "nothing was added"
    assert acted_as(TWO, before=case, after=_signed(case, later)) == "reviewer"
    assert acted_as(TWO, before=_signed(case, later), after=case) == "reviewer, decision-maker", "one that is gone is none"
    assert acted_as(Person(id="plain", name=""), before=None, after=case) is None


def _signed(case: Case, more: Signature) -> Case:
    first = case.sanctions[0]
    return case.model_copy(update={"sanctions": (first.model_copy(update={"signatures": (more, *first.signatures)}), *case.sanctions[1:])})
