"""What a text leaves open and the body fills: who hears a challenge, who can help afterwards, what becomes of a late appeal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from activities.bodies import Body, body_of, save_body
from activities.letters import render
from domain.case import Case
from domain.commands import Approve, ProposeSanction, ReportBehaviour, Warn
from domain.decide import decide
from domain.decision import Refusal
from domain.letters import Letter, compose
from domain.people import Actor, Person, Staff
from domain.policy import Policy
from policies import load
from policies.lint import lint
from policies.load import Unreadable
from policies.needs import configured, needs
from policies.survey import values
from records.database import transaction
from starter.bodies import read_body
from starter.script import read_script
from tests import stories
from tests.own_policies import acted, opened
from tests.stories import ENGLAND

OURS = "You can ask the Sample Ombudsman to look into it."
NOT_OURS = "This is information for you. It is not part of our policy."
FOLDER = Path(__file__).parent / "policies"


# Who hears a challenge


def test_nobody_is_sanctioned_under_natural_england_before_a_challenge_could_be_decided():
    """NE-47, A-34: a challenge is a Stage 3 complaint; until the body says whose that is, nobody may come to depend on it."""
    nobody = Staff(people=tuple(one for one in stories.NATURAL_ENGLAND_STAFF.people if "stage-3-complaints" not in one.offices))
    limits = (stories.ONE_NAMED_PERSON,)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Sixty more.", consulted=("colleague",))
    propose = ProposeSanction(
        restrictions=limits, reasons=stories.REASONS, findings=stories.NATURAL_ENGLAND_GROUNDS, review_on=date(2027, 9, 10)
    )
    case = stories.after(
        stories.a_warned_natural_england_case(),
        (again, stories.natural_england("officer"), date(2027, 2, 19)),
        (propose, stories.natural_england("officer"), date(2027, 3, 10)),
    )
    approve = Approve(saw="p1")

    with pytest.raises(Refusal, match="nobody else is officer who decides Stage 3 complaints") as refused:
        stories.after(case, (approve, stories.actor("manager", nobody), date(2027, 3, 10)))

    assert {"NE-47", "A-34"} <= set(refused.value.cites)
    assert "staff list" in str(refused.value.remains) and "policy check --body" in str(refused.value.remains)
    assert stories.after(case, (approve, stories.natural_england("manager"), date(2027, 3, 10))).in_force


HEARS = "decided_by: {offices: [registrar], cites: [FU-07]}"


def a_case_to_warn_in(hears: str = HEARS) -> tuple[Case, Policy, Staff]:
    """Returns an invented body's case on the day of its warning, its policy with one line changed, and its staff."""
    script = read_script(FOLDER / "rehearsals" / "fenmoor-warning-withdrawn.yaml").script
    text = (FOLDER / "fenmoor-university.yaml").read_text(encoding="utf-8")
    assert text.count(HEARS) == 1
    policy, staff = load.sound_policy_of(text.replace(HEARS, hears), "own"), Staff(people=script.staff)
    report, _ = script.steps[:2]
    return acted(opened(script, policy, date(2027, 2, 1)), report, policy, ENGLAND, staff), policy, staff


def warned(case: Case, policy: Policy, staff: Staff, by: str) -> Case:
    command, who = Warn(medium="email", findings={"concerns": "Ninety emails."}), Actor(origin="staff", person=staff.by_id[by], staff=staff)
    return decide(case, command, actor=who, policy=policy, calendar=ENGLAND, today=date(2027, 2, 1)).case


def test_nobody_is_warned_before_an_appeal_against_the_warning_could_be_heard():
    """A-34 of a warning's appeal: the text names nobody who hears it, so the body must have done so, and it must be somebody else."""
    case, policy, staff = a_case_to_warn_in(HEARS.replace("}", ", default: A-34}"))
    nobody = Staff(people=tuple(one for one in staff.people if one.id != "registrar"))

    for people, by in ((nobody, "adviser"), (staff, "registrar")):
        with pytest.raises(Refusal, match="who may decide the request to withdraw the warning") as refused:
            warned(case, policy, people, by)
        assert {"FU-07", "A-34"} <= set(refused.value.cites) and "policy check --body" in str(refused.value.remains)
    assert warned(case, policy, staff, "adviser").warnings


def test_a_warning_waits_for_nobody_where_the_text_says_who_hears_the_appeal():
    """FU-07: the Registrar, whoever that is when an appeal comes (DEF-09)."""
    case, policy, staff = a_case_to_warn_in()

    assert warned(case, policy, staff, "registrar").warnings


def test_policy_check_says_that_the_warnings_appeal_needs_somebody_else():
    """DEF-09: the Registrar hears it, and here is one of those who warn."""
    _, policy, staff = a_case_to_warn_in()
    [need] = [one for one in needs(policy) if one.kind == "somebody-else" and one.places == (("warning", "appeal", "decided_by"),)]
    alone = Staff(people=(Person(id="one", name="Sample One", offices=("adviser", "registrar")),))

    assert "somebody who does not give warnings" in need.what
    assert configured(need, staff, 6, today=date(2027, 2, 1))
    assert not configured(need, alone, 6, today=date(2027, 2, 1))


# Who can help afterwards


def the_outcome_letter(ombudsman: str | None, policy: Policy = stories.MMO) -> Letter:
    case = stories.a_restricted_mmo_case()
    return compose(case, case.notices[-1], policy=policy, calendar=ENGLAND, sent_on=date(2027, 3, 10), ombudsman=ombudsman)


def test_a_body_names_its_own_ombudsman_and_letters_say_that_it_is_information():
    """EH-71, DEF-16: where the text names none; never among the policy's words, and not as its practice either."""
    [section] = [one for one in the_outcome_letter(OURS).sections if one.part == "ombudsman"]
    text = render(the_outcome_letter(OURS), policy="mmo").text

    assert (section.facts, section.information, section.practice) == ({"text": OURS, "first": True}, True, False)
    assert section.cites == ("DEF-16", "EH-71")
    assert f"{OURS}\n\n{NOT_OURS}" in text and "Parliamentary" not in text
    assert OURS not in render(the_outcome_letter(None), policy="mmo").text


def test_the_policys_own_ombudsman_stands_whatever_the_body_says():
    """Design 3: a clause is the policy's; a setting never takes its place."""
    named = stories.MMO.ombudsman.model_copy(update={"cites": ("MMO-43",), "default": None})
    letter = the_outcome_letter(OURS, stories.MMO.model_copy(update={"ombudsman": named}))

    assert OURS not in render(letter, policy="mmo").text


def test_the_setting_is_kept_with_the_body(database: Engine):
    with transaction(database) as session:
        save_body(session, Body(body="mmo", name="MMO (test)", policy="mmo", ombudsman=OURS))
    with transaction(database) as session:
        assert body_of(session, "mmo").ombudsman == OURS


def test_policy_check_sees_that_the_body_names_one():
    """GAP-12, GAP-30."""
    [need] = [one for one in needs(stories.MMO) if one.kind == "ombudsman"]

    assert not configured(need, stories.MMO_STAFF, 6, today=date(2027, 3, 1))
    assert configured(need, stories.MMO_STAFF, 6, today=date(2027, 3, 1), ombudsman=OURS)
    assert any("ombudsman in the body's file" in one.could for one in lint("mmo").gaps if one.code == "GAP-12")


def a_body(folder: Path, policy: str, line: str) -> Path:
    file = folder / "body.yaml"
    file.write_text(f"body: ours\nname: Ours (test)\npolicy: {policy}\n{line}\n", encoding="utf-8")
    return file


def test_a_body_file_names_an_ombudsman_only_where_its_policy_is_silent(tmp_path: Path):
    assert read_body(a_body(tmp_path, "mmo", f"ombudsman: {OURS}")).ombudsman == OURS
    for policy, line, says in (
        (FOLDER / "firth-harbours.yaml", f"ombudsman: {OURS}", "FH-14"),
        ("mmo", "ombudsman: [a, b]", "write text"),
        ("mmo", 'ombudsman: ""', "at least one character"),
    ):
        with pytest.raises(Unreadable, match=says) as refused:
            read_body(a_body(tmp_path, str(policy), line))
        assert f"{tmp_path}/body.yaml:4:1: ombudsman: " in str(refused.value)


# What becomes of a late appeal

LATE = "  if_late: {value: refused-unless-good-reason, cites: [MMO-42], default: DEF-10}\n"


def test_a_window_whose_text_is_silent_on_lateness_has_the_default_and_it_shows():
    """DEF-10, GAP-06: it loads, says of itself that no clause gives it, and a case decides by it."""
    text = load.policy_text("mmo")
    assert text.count(LATE) == 1
    silent = load.sound_policy_of(text.replace(LATE, ""), "silent.yaml")

    assert silent.appeal and silent.appeal.if_late
    assert (silent.appeal.if_late.value, silent.appeal.if_late.sources) == ("refused-unless-good-reason", ("DEF-10",))
    assert [one.default for one in values(silent) if one.where == "appeal.if_late"] == ["DEF-10"]


def test_no_window_no_lateness():
    for name in ("maidstone", "natural-england"):
        rule = load.policy(name).appeal
        assert rule and rule.window is None and rule.if_late is None


def test_the_check_says_where_a_text_is_silent_on_lateness():
    """GAP-06: at each stage; a policy that says it has no such gap."""
    found = {name: [one.places[0].where for one in lint(name).gaps if one.code == "GAP-06"] for name in ("mmo", "portsmouth")}

    assert found == {"mmo": ["appeal.if_late"], "portsmouth": []}
    own = [one.places[0].where for one in lint(str(FOLDER / "alderbrook-homes.yaml")).gaps if one.code == "GAP-06"]
    assert own == ["appeal.then.if_late"]
