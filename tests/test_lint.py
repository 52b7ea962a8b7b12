"""A policy file looked through: gaps in the text and good practice, never mixed; contradictions, each refused where it stands."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import typer

from domain.commands import ImposeSanction
from domain.decision import Refusal
from domain.people import Person, Staff
from policies import gaps, load, practice
from policies.answers import answers
from policies.compare import differences, leaves
from policies.contradictions import CHECKS
from policies.lint import lint
from policies.load import Contradiction, Unreadable
from policies.needs import configured, needs
from tests import stories

EXPECTED = {
    "council-2024-2028": (
        "GAP-01 GAP-03 GAP-07 GAP-08 GAP-12 GAP-13 GAP-20 GAP-21*3 GAP-30*9",
        "GP-01 GP-04 GP-05 GP-06 GP-07 GP-10 GP-11",
    ),
    "maidstone": ("GAP-04 GAP-05 GAP-07 GAP-08 GAP-09 GAP-11 GAP-12 GAP-20 GAP-21*3 GAP-30*10", "GP-01 GP-10"),
    "mmo": ("GAP-01 GAP-06 GAP-07 GAP-08 GAP-09 GAP-10 GAP-12 GAP-20 GAP-21*9 GAP-30*8", "GP-08 GP-09 GP-10 GP-11"),
    "natural-england": (
        "GAP-01 GAP-02 GAP-04 GAP-05 GAP-07 GAP-08 GAP-09 GAP-10 GAP-11 GAP-12 GAP-20 GAP-21*7 GAP-30*13",
        "GP-06 GP-10",
    ),
    "portsmouth": ("GAP-02 GAP-05 GAP-07 GAP-11 GAP-12 GAP-20 GAP-21*2 GAP-30*10", "GP-10 GP-11"),
}
"""What is found in each shipped policy, settled by reading its text: code, and how often where more than once. How many defaults
stand in (GAP-20) is not counted: that changes with every value."""


def codes(findings: object) -> str:
    counted = Counter(one.code for one in findings)  # type: ignore[attr-defined]  # findings
    return " ".join(f"{code}*{n}" if n > 1 and code != "GAP-20" else code for code, n in sorted(counted.items()))


@pytest.mark.parametrize("name", load.names())
def test_what_is_found_in_each_shipped_policy(name: str):
    """Design 3: a person sees the difference between text and default everywhere; a change of a policy file shows here."""
    found = lint(name)

    assert (codes(found.gaps), codes(found.good_practice)) == EXPECTED[name]
    assert found.wrong == ()


@pytest.mark.parametrize("name", load.names())
def test_every_finding_says_where_what_and_what_could_be_done(name: str):
    """Errors teach; and a finding of one class is never listed in the other."""
    found = lint(name)
    lines = load.policy_text(name).count("\n") + 1

    assert {one.kind for one in found.gaps} == {"gaps in the text"}
    assert {one.kind for one in found.good_practice} == {"good practice"}
    for one in (*found.gaps, *found.good_practice):
        assert one.places and one.what and one.could
        assert all(1 <= place.line <= lines and place.column >= 1 for place in one.places)


def test_every_check_has_a_code_of_its_own():
    assert not set(gaps.CHECKS) & set(practice.CHECKS)
    assert all(code.startswith("GAP-") for code in gaps.CHECKS) and all(code.startswith("GP-") for code in practice.CHECKS)


def test_a_torn_page_stays_visibly_torn():
    """NE-64, MMO-02: unconfirmed in check and in the list of clauses."""
    places = {place.where for one in lint("natural-england").gaps if one.code == "GAP-21" for place in one.places}
    (dash,) = [one for one in answers("natural-england") if one.clause == "NE-64"]

    assert "decision.sign_offs.sanction-6.decided_by" in places
    assert dash.unconfirmed_at == ("decision.sign_offs.sanction-6.decided_by",)
    assert [one for one in lint("mmo").gaps if one.code == "GAP-21" and "the body must say who" in one.what]


PERIOD = "    period: {months: {value: 3, cites: [MBC-45]}, from: {value: decision, default: A-51}}\n"
ONE_EACH = "  number: {value: one-per-decision, default: DEF-11}\n"
FIXED = "kind: {value: fixed, cites: [MBC-43, MBC-45]}"
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "length_without_a_period": ("maidstone", PERIOD, "",
                                "add period"),
    "cap_below_the_fixed_length": ("maidstone", f"    {FIXED}", f"    {FIXED}\n    at_most: {{months: {{value: 2, default: MBC-45}}}}",
                                   "at most 2 months, but the fixed length is 3 months"),
    "open_end_that_is_refused": ("natural-england", "label: contact in a specified form only,",
                                 "label: contact in a specified form only, end_may_be_open: {value: true, cites: [NE-22]},", "permanent"),
    "review_after_the_end": ("maidstone", "cycle: {months: {value: 3,", "cycle: {months: {value: 4,", "restrictions end after 3 months"),
    "nobody_left_to_decide": ("maidstone", "never_by: {offices: [head-of-policy]", "never_by: {offices: [director-of-finance]",
                              "an appeal that nobody decides"),
    "appeal_to_whoever_decided": ("mmo", "  decided_by: {offices: [reviewer], deputies: {value: true, default: A-10}, cites: [MMO-39]",
                                  "  decided_by: {offices: [decision-maker], cites: [MMO-39]", "somebody else: name another office"),
    "letters_of_an_appeal_there_is_not": ("council-2024-2028", "      - {part: behaviour, cites: [C24-51, C24-59]}\n",
                                          "      - {part: behaviour, cites: [C24-51, C24-59]}\n      - {part: appeal, cites: [C24-59]}\n",
                                          "there is no appeal: add appeal, or take the part out"),
    "parts_without_their_rule": ("maidstone", "      - {part: policy-copy, cites: [MBC-40]}\n",
                                 "      - {part: requested-review, cites: [MBC-40]}\n", "add review.requested"),
    "decision_without_a_letter": ("portsmouth", "      notice: extreme-decision\n", "      notice: disengagement\n", "add that letter"),
    "life_in_working_days": ("mmo", "life: {months: {value: 12,", "life: {working_days: {value: 12,", "days, weeks, months or years"),
    "steps_without_means": ("council-2024-2028", "    - {value: referral, cites: [C24-44, C24-46]}\n",
                            "    - {value: warning, cites: [C24-44, C24-46]}\n", "warning.needed says no"),
    "discussion_that_is_not_listed": ("council-2024-2028", "after_discussion: {value: informal-discussion,",
                                      "after_discussion: {value: formal-discussion,", "is not under discussions"),
    "behaviour_that_is_not_listed": ("maidstone", "[physical-assault, threats, intimidation]", "[physical-assault, threats, spying]",
                                     "spying is not under behaviours"),
    "waiver_of_what_is_not_offered": ("natural-england", "only_options: [full-disengagement, partial-disengagement]",
                                      "only_options: [full-disengagement, premises-restriction]", "offer it, or take it out"),
    "outcomes_that_cannot_be": ("mmo", "presumption: {value: lift,", "presumption: {value: extend,", "there are: lift, continue"),
    "late_appeal_into_no_review": ("maidstone", ONE_EACH, f"{ONE_EACH}  late_becomes_review: {{value: true, default: A-55}}\n",
                                   "no review to become"),
    "ends_before_it_begins": ("council-2024-2028", "valid_to: {value: 2028-12-31,", "valid_to: {value: 2023-12-31,", "before valid_from"),
    "fixed_to_what_cannot_be": ("maidstone", "fixed: {channel: telephone}, cites: [MBC-25]", "fixed: {channel: telefone}, cites: [MBC-25]",
                                "no value that channel"),
    "wrong_units": ("maidstone", "opens_before: {days:", "opens_before: {weeks:", "counted in days, found weeks"),
    "never_without_offices": ("maidstone", "never_by: {offices: [head-of-policy]", "never_by: {relation: line-manager-of-contact",
                              "keeps posts out"),
}  # fmt: skip
"""One change to a shipped policy that each check alone finds."""


def broken(check: str) -> str:
    policy, old, new, _ = BROKEN[check]
    text = load.policy_text(policy)
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def test_every_contradiction_has_its_example():
    assert set(BROKEN) == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize("check", BROKEN)
def test_a_policy_that_contradicts_itself_is_refused_where_it_does(check: str):
    """Design 3: errors name file, line, column, field and what would be right."""
    with pytest.raises(Contradiction) as refused:
        load.sound_policy_of(broken(check), "bad.yaml")
    print(refused.value)

    (line,) = str(refused.value).splitlines()
    assert line.startswith("bad.yaml:") and ": contradiction: " in line and BROKEN[check][3] in line
    assert not line.startswith("bad.yaml:1:1:")


@pytest.mark.parametrize("check", BROKEN)
def test_an_edition_in_the_records_is_read_all_the_same(check: str):
    """A check that comes later may not stop a case that runs under an edition kept before it."""
    assert load.policy_of(broken(check), "kept")


def test_policy_check_exits_2_on_a_contradiction_and_says_its_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from starter.cli_policy import check

    file = tmp_path / "bad.yaml"
    file.write_text(broken("review_after_the_end"), encoding="utf-8")
    with pytest.raises(typer.Exit) as left:
        check(str(file), json=True)

    said = json.loads(capsys.readouterr().out)
    assert left.value.exit_code == 2
    assert said["error"] == "contradiction" and len(said["faults"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("title: Unreasonable customer behaviour policy", "titel: Unreasonable customer behaviour policy", "did you mean title?"),
        ("window: {weeks: {value: 2, cites: [MMO-42]}", "window: {weeks: {value: two, cites: [MMO-42]}", "a whole number, like 28"),
        ("in_writing: {value: true, cites: [MMO-41]}", "in_writing: {value: maybe, cites: [MMO-41]}", "true or false"),
        ("closed_list: {value: true, cites: [MMO-31], default: A-25}", "closed_list: true", "write {value: ..., cites: [a clause]}"),
        ("valid_from: {value: 2022-03-01,", "valid_from: {value: March 2022,", "a day as YYYY-MM-DD"),
        ("destroyed_by: {offices: [records-officer]", "destroyed_by: {offices: [Records officer]", "lower case, digits and hyphens"),
        ("  start: {value: end-of-restrictions, default: DEF-19}\n", "", "add start: {value: ..., cites: [a clause]}"),
    ],
)
def test_every_message_says_what_would_be_right(old: str, new: str, right: str):
    """Errors teach: where, what was found, what would be right."""
    text = load.policy_text("mmo")
    assert text.count(old) == 1

    with pytest.raises(Unreadable) as refused:
        load.sound_policy_of(text.replace(old, new), "bad.yaml")
    print(refused.value)

    assert right in str(refused.value)


# What the body must have


def test_a_body_is_told_what_its_policy_leaves_to_it():
    """MMO-02, A-20, DEF-19: an office nobody holds, a reviewer who also decides, no retention schedule."""
    alone = Staff(people=(Person(id="one", name="Sam Sample", offices=("decision-maker", "reviewer")),))
    day = date(2027, 3, 1)
    missing = [one.kind for one in needs(stories.MMO) if not configured(one, alone, None, today=day)]
    complete = [one.kind for one in needs(stories.MMO) if not configured(one, stories.MMO_STAFF, 6, today=day)]

    office = {"information_officer": "records-officer"}
    informed = [one.kind for one in needs(stories.MMO) if not configured(one, stories.MMO_STAFF, 6, today=day, **office)]
    unheld = [one.kind for one in needs(stories.MMO) if not configured(one, alone, 6, today=day, **office)]
    links = {"customer-charter": "https://www.example.org/charter"}
    linked = [one.kind for one in needs(stories.MMO) if not configured(one, stories.MMO_STAFF, 6, today=day, links=links)]

    assert missing == ["office", "somebody-else", "keep-years", "information-officer", "link", "ombudsman"]
    assert complete == ["information-officer", "link", "ombudsman"]
    assert informed == ["link", "ombudsman"] and "information-officer" in unheld, "EH-170: an office that somebody holds"
    assert linked == ["information-officer", "ombudsman"], "the sentence itself must be confirmed in the policy file"


def test_nobody_is_restricted_under_the_mmo_before_somebody_else_could_review_it():
    """A-20: the body configures a decision maker and a different, more senior reviewer; a right nobody can serve is none."""
    alone = Staff(people=tuple(one for one in stories.MMO_STAFF.people if "reviewer" not in one.offices))
    case = stories.a_continued_mmo_case()
    impose = ImposeSanction(restrictions=(stories.ONE_EMAIL_A_WEEK,), reasons=stories.REASONS, findings=stories.MMO_GROUNDS)

    with pytest.raises(Refusal, match="nobody else is more senior reviewer") as refused:
        stories.after(case, (impose, stories.actor("manager", alone), date(2027, 3, 10)))

    assert "A-20" in refused.value.cites and "policy check --body" in str(refused.value.remains)
    assert stories.after(case, (impose, stories.mmo("manager"), date(2027, 3, 10))).in_force


# Two policies beside each other


def test_a_policy_does_not_differ_from_itself():
    for name in load.names():
        assert len(leaves(load.policy(name))) > 100
        assert differences(load.policy(name), load.policy(name)) == ()


def test_a_difference_names_both_values_with_their_clauses():
    """Value by value: changed, added, removed, and a source that alone is another."""
    text = load.policy_text("portsmouth")
    for old, new in (
        ("window: {days: {value: 28, cites: [PCC-81]}", "window: {days: {value: 21, cites: [PCC-80]}"),
        ("  archive: {value: true, cites: [PCC-89]}\n", ""),
        ("other_behaviour: {cites: [PCC-11]}", "other_behaviour: {cites: [PCC-12]}"),
        ("label: contact by one method only", "label: one method only"),
    ):
        assert text.count(old) <= 1
        text = text.replace(old, new)
    found = {one.where: one for one in differences(load.policy("portsmouth"), load.policy_of(text, "new"))}

    assert set(found) == {
        "appeal.window.days", "retention.archive", "other_behaviour", "decision.options[channel-restriction].label",
    }  # fmt: skip
    window = found["appeal.window.days"]
    assert (window.how, window.section) == ("changed", "appeal")
    assert window.old and window.new
    assert (window.old.value, window.old.cites, window.new.value, window.new.cites) == ("28", ("PCC-81",), "21", ("PCC-80",))
    assert found["retention.archive"].how == "removed" and found["retention.archive"].new is None


def test_two_bodies_can_be_held_beside_each_other():
    found = differences(load.policy("mmo"), load.policy("natural-england"))

    assert {one.how for one in found} == {"added", "removed", "changed"}
    assert len({one.section for one in found}) > 10
