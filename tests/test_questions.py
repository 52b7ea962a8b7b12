"""The questions a behaviour asks: an incident without an answer is on the record, and whoever decides sees that it is not made out."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import pytest

from domain.answers import fits
from domain.case import Case, Incident
from domain.commands import CompleteIncident, ReportBehaviour
from domain.decide import decide
from domain.decision import Decision, Refusal
from domain.measures import measures_owed
from domain.model import Answer
from domain.people import Actor
from domain.policy import Policy
from domain.questions import open_questions, questions_of, shortfalls
from domain.rules import AnswerKind, Finding
from domain.tasks import Task, tasks
from policies import load
from policies.form import form_of
from starter.script import read_script
from tests.stories import (
    CASEY,
    COUNCIL,
    COUNCIL_STAFF,
    ENGLAND,
    MAIDSTONE,
    MAIDSTONE_STAFF,
    MMO,
    MMO_STAFF,
    NATURAL_ENGLAND,
    NATURAL_ENGLAND_STAFF,
    PORTSMOUTH,
    PORTSMOUTH_STAFF,
    a_continued_mmo_case,
    a_referred_portsmouth_case,
    actor,
    mmo,
    opened,
)
from tests.test_policies import changed, refused

DAY = date(2027, 5, 4)
BODIES = (
    (MMO, MMO_STAFF, "licensing"),
    (NATURAL_ENGLAND, NATURAL_ENGLAND_STAFF, "peatland"),
    (MAIDSTONE, MAIDSTONE_STAFF, "benefits"),
    (PORTSMOUTH, PORTSMOUTH_STAFF, "housing"),
    (COUNCIL, COUNCIL_STAFF, "parks"),
)
STAFF = {policy.policy: staff for policy, staff, _ in BODIES}
EVERY = [pytest.param(policy, code, id=f"{policy.policy}-{code}") for policy, _, _ in BODIES for code in (*policy.behaviours, "other")]
GOOD: dict[str, Answer] = {
    "text": "As the papers say.",
    "yes": True,
    "yes-or-no": False,
    "date": "2027-04-20",
    "count": 12,
    "papers": ("letters/1",),
}
REHEARSALS = Path(__file__).resolve().parent.parent / "rehearsals"


def answers(rules: tuple[Finding, ...]) -> dict[str, Answer]:
    """Returns an answer of the right kind to each question."""
    chosen: dict[str, Answer] = {rule.finding: rule.choices[-1] for rule in rules if rule.answer == "choice"}
    chosen |= {rule.finding: rule.choices for rule in rules if rule.answer == "choices"}
    return {rule.finding: chosen[rule.finding] if rule.finding in chosen else GOOD[rule.answer] for rule in rules}


def a_new_case(policy: Policy) -> Case:
    staff, area = next((staff, area) for one, staff, area in BODIES if one is policy)
    return opened(policy, staff, customer=CASEY, area=area, on=DAY)


def officer(policy: Policy) -> Actor:
    return actor("officer", STAFF[policy.policy])


def done(case: Case, command: ReportBehaviour | CompleteIncident, policy: Policy) -> Decision:
    return decide(case, command, actor=officer(policy), policy=policy, calendar=ENGLAND, today=DAY)


def report(code: str, findings: dict[str, Answer] | None = None, **facts: object) -> ReportBehaviour:
    fields = {"code": code, "medium": "email", "summary": "What happened.", "consulted": ("manager",), "findings": findings or {}, **facts}
    return ReportBehaviour.model_validate(fields)


def waiting(case: Case, policy: Policy, kind: str) -> list[Task]:
    return [task for task in tasks(case, policy, ENGLAND, today=DAY) if task.kind == kind]


# What is asked, and what becomes of an answer that is missing


@pytest.mark.parametrize(("policy", "code"), EVERY)
def test_an_incident_without_answers_is_recorded_and_a_task_stays_until_they_are_given(policy: Policy, code: str):
    """All 75 behaviours: what the clause demands is asked, and evidence is never turned away for want of it."""
    wanted = tuple(rule for rule in questions_of(code, policy) if not rule.optional)
    first = tuple(rule for rule in wanted if not rule.if_answer)

    case = done(a_new_case(policy), report(code), policy).case

    assert [one.code for one in case.incidents] == [code]
    assert [task.ref for task in waiting(case, policy, "incident-questions")] == (["i1"] if first else [])
    assert open_questions(case.incidents[0], case, policy) == first
    if wanted:
        case = done(case, CompleteIncident(saw="i1", findings=answers(wanted)), policy).case
    assert waiting(case, policy, "incident-questions") == []


@pytest.mark.parametrize(("policy", "code"), [one for one in EVERY if one.values[1] != "other"])  # type: ignore[index]  # a parameter set
def test_a_missing_answer_is_told_with_the_clause_that_asks(policy: Policy, code: str):
    asked = [rule for rule in questions_of(code, policy) if not rule.optional and not rule.if_answer]

    decision = done(a_new_case(policy), report(code), policy)

    assert {source for rule in asked for source in rule.sources} <= set(decision.cites)
    assert all(f"{rule.finding}: {rule.asks}" in decision.answer for rule in asked)
    assert ("not made out until complete_incident (saw: i1) answers" in decision.answer) == bool(asked)


def test_every_behaviour_of_every_policy_is_rehearsed_with_its_questions():
    """A behaviour that no rehearsal reports could lose its clause or its questions unseen."""
    seen = {}
    for policy, _, _ in BODIES:
        name = policy.policy.removesuffix("-2024-2028")
        steps = read_script(REHEARSALS / f"{name}-every-behaviour.yaml").script.steps
        seen[policy.policy] = {str(step.with_["code"]) for step in steps if step.do == "report_behaviour"}
    print({name: len(codes) for name, codes in seen.items()})

    assert sum(len(policy.behaviours) for policy, _, _ in BODIES) == 75
    assert {policy.policy: set(policy.behaviours) - seen[policy.policy] for policy, _, _ in BODIES} == {one: set() for one in seen}


def test_whoever_decides_sees_which_incidents_are_not_made_out_and_is_not_held_back():
    """MMO-07: without the earlier explanation the officer is shown that the example is not made out."""
    case = done(a_continued_mmo_case(), report("out-of-remit-persistence", on=date(2027, 2, 20)), MMO).case

    [task] = [one for one in tasks(case, MMO, ENGLAND, today=date(2027, 3, 1)) if one.kind == "decide"]

    assert "Not made out: i1 (count, period), i2 (count, period), i3 (explained-on)" in task.what
    assert {"MMO-07", "MMO-14"} <= set(task.cites)


def test_a_decision_over_incidents_that_are_made_out_says_nothing_of_them():
    """A decider whose incidents all say what they must sees the task as it always was."""
    case = a_referred_portsmouth_case()
    said = answers(questions_of("excessive-contact", PORTSMOUTH))
    case = done(case, CompleteIncident(saw="i1", findings=said), PORTSMOUTH).case

    [task] = waiting(case, PORTSMOUTH, "decide")

    assert task.what == "Assess the referral and decide"


def test_no_question_waits_once_the_case_has_ended():
    """The papers of an ended case are only kept; nobody is asked to fill in what nothing will rest on."""
    case = done(a_new_case(MMO), report("threats"), MMO).case
    case = done(case, report("trivial-focus"), MMO).case
    assert waiting(case, MMO, "incident-questions")

    ended = case.model_copy(update={"ending": "withdrawn", "ended_without_restriction": DAY})

    assert waiting(ended, MMO, "incident-questions") == []


# Answers


@pytest.mark.parametrize("kind", get_args(AnswerKind))
def test_an_answer_of_another_kind_is_refused_and_nothing_is_kept_of_it(kind: AnswerKind):
    """A wrong answer is a slip that its sender can mend; what would be right is said, what was found is never quoted."""
    choices = ("one", "two") if kind in ("choice", "choices") else ()
    rule = Finding(finding="question", asks="what it asks", answer=kind, choices=choices, cites=("MMO-05",))
    behaviour = MMO.behaviours["covert-recording"].model_copy(update={"asks": (rule,)})
    policy = MMO.model_copy(update={"behaviours": {**MMO.behaviours, "covert-recording": behaviour}})
    case = opened(MMO, MMO_STAFF, customer=CASEY, area="licensing", on=DAY)
    secret = "Jo Bloggs of Example Street"
    candidates: tuple[Answer, ...] = (secret, True, 7, -1, "2027-04-20", "2027-02-30", ("one",), (), (secret * 9,), "one")
    wrong = [one for one in candidates if not fits(rule, one)]

    assert 0 < len(wrong) < len(candidates)
    for one in wrong:
        command = report("covert-recording", {"question": one})
        with pytest.raises(Refusal, match=r"with\.findings\.question takes") as refusal:
            decide(case, command, actor=mmo("officer"), policy=policy, calendar=ENGLAND, today=DAY)
        assert refusal.value.cites == ("MMO-05",)
        assert "Bloggs" not in f"{refusal.value.reason} {refusal.value.remains}"


def test_a_question_that_is_not_asked_is_refused_with_those_that_are():
    with pytest.raises(Refusal, match="out-of-remit-persistence is not asked route") as refusal:
        done(a_new_case(MMO), report("out-of-remit-persistence", {"route": "The tribunal."}), MMO)

    assert refusal.value.remains == "It is asked: explained-on."


def test_an_explanation_after_the_incident_is_no_earlier_one():
    """MMO-07: the same day may do, the day after may not."""
    same, later = {"explained-on": "2027-05-04"}, {"explained-on": "2027-05-05"}

    assert done(a_new_case(MMO), report("out-of-remit-persistence", {**same}), MMO).case.incidents
    with pytest.raises(Refusal, match="after the incident of 2027-05-04"):
        done(a_new_case(MMO), report("out-of-remit-persistence", {**later}), MMO)


def test_a_later_answer_replaces_an_earlier_and_leaves_the_rest():
    case = done(a_new_case(MMO), report("excessive-contact", {"count": 40, "period": "One week."}), MMO).case

    case = done(case, CompleteIncident(saw="i1", findings={"count": 41}), MMO).case

    assert case.incidents[0].findings == {"count": 41, "period": "One week."}


def test_a_no_where_a_yes_is_wanted_leaves_nothing_open_and_the_example_not_made_out():
    """MMO-19, read narrowly: a customer who names his own disability."""
    case = done(a_new_case(MMO), report("protected-characteristic-remarks"), MMO).case
    said: dict[str, Answer] = {"words": "I cannot see well.", "why-unreasonable": "It was not.", "could-offend": False}

    case = done(case, CompleteIncident(saw="i1", findings=said), MMO).case

    assert waiting(case, MMO, "incident-questions") == []
    assert [one.name for one in shortfalls(case.incidents[0], case, MMO)] == ["could-offend"]


def test_an_answer_about_the_service_policy_serves_the_whole_case():
    """MBC-02: which service policy applies is asked once; whether the investigation is open, of each incident (MBC-03)."""
    case = done(a_new_case(MAIDSTONE), report("threats", answers(questions_of("threats", MAIDSTONE))), MAIDSTONE).case

    case = done(case, report("intimidation"), MAIDSTONE).case

    asked = [rule.finding for rule in open_questions(case.incidents[1], case, MAIDSTONE)]
    assert asked == ["investigation", "term", "hindrance", "hindered"]


def test_the_investigation_is_named_only_where_material_came_late_in_it():
    """MBC-09: the reference belongs to the second limb."""
    rules = questions_of("repeat-or-late-trivial-material", MAIDSTONE)
    rest = {name: one for name, one in answers(rules).items() if name not in ("limb", "investigation-reference")}

    def left(limb: str) -> list[str]:
        case = done(a_new_case(MAIDSTONE), report("repeat-or-late-trivial-material", {**rest, "limb": limb}), MAIDSTONE).case
        return [rule.finding for rule in open_questions(case.incidents[0], case, MAIDSTONE)]

    assert left("repeat-enquiries") == []
    assert left("late-trivial-material") == ["investigation-reference"]


@pytest.mark.parametrize(("policy", "code"), [(NATURAL_ENGLAND, "bullying"), (PORTSMOUTH, "frequent-offensive-remarks")])
def test_a_second_entry_makes_out_what_one_alone_does_not(policy: Policy, code: str):
    """NE-51, PCC-14: persistent, frequent. It follows from the case; nothing else happens when the second comes."""
    one = done(a_new_case(policy), report(code), policy)
    assert "Not made out: more-than-one" in one.answer
    assert waiting(one.case, policy, "incident-questions") == []

    two = done(one.case, report(code), policy).case

    assert [shortfalls(incident, two, policy) for incident in two.incidents] == [(), ()]
    assert two.stage == one.case.stage
    assert tasks(two, policy, ENGLAND, today=DAY) == tasks(one.case, policy, ENGLAND, today=DAY)


def test_the_umbrella_stands_only_beside_a_specific_behaviour():
    """NE-57: the same umbrella twice, or other behaviour, is no specific code."""
    said: dict[str, Answer] = {"hindrance": "Nobody else was answered."}
    case = done(a_new_case(NATURAL_ENGLAND), report("nature", said), NATURAL_ENGLAND).case
    for code in ("nature", "other"):
        case = done(case, report(code, said if code == "nature" else {}), NATURAL_ENGLAND).case
    assert [one.name for one in shortfalls(case.incidents[0], case, NATURAL_ENGLAND)] == ["accompanied"]

    case = done(case, report("abusive"), NATURAL_ENGLAND).case

    assert shortfalls(case.incidents[0], case, NATURAL_ENGLAND) == ()


@pytest.mark.parametrize("code", ["threats", "violence-or-intimidation", "property-damage"])
def test_a_yes_to_the_physical_question_makes_report_and_marker_compulsory(code: str):
    """C24-11, C24-43: only physical violence, used or threatened, does; once on record no answer takes it away."""
    [rule] = [one for one in questions_of(code, COUNCIL) if one.marks == "physical"]
    case = done(a_new_case(COUNCIL), report(code), COUNCIL).case
    assert measures_owed(case, COUNCIL) == ()

    case = done(case, CompleteIncident(saw="i1", findings={rule.finding: True}), COUNCIL).case

    assert case.incidents[0].physical and len(measures_owed(case, COUNCIL)) == 2
    with pytest.raises(Refusal, match="Physical violence is on record"):
        done(case, CompleteIncident(saw="i1", findings={rule.finding: False}), COUNCIL)
    with pytest.raises(Refusal, match="Physical violence is on record"):
        done(a_new_case(COUNCIL), report(code, {rule.finding: False}, physical=True), COUNCIL)


def test_physical_violence_reported_as_such_answers_its_question():
    """C24-14: nobody is asked twice."""
    case = done(a_new_case(COUNCIL), report("violence-or-intimidation", physical=True), COUNCIL).case

    assert [rule.finding for rule in open_questions(case.incidents[0], case, COUNCIL)] == ["beyond-annoyance"]


@pytest.mark.parametrize("time", ["24:00", "9:30", "14.30", "noon", ""])
def test_an_hour_that_is_none_is_refused(time: str):
    """NE-15: date, time, channel, staff member, summary."""
    with pytest.raises(ValueError, match="time"):
        report("abusive", time=time)


def test_the_hour_stands_on_the_incident():
    """NE-15."""
    decision = done(a_new_case(NATURAL_ENGLAND), report("abusive", time="14:30"), NATURAL_ENGLAND)

    assert decision.case.incidents[0].time == "14:30"
    assert "NE-15" in decision.cites


# No use of a right


Right = Literal["complaint", "appeal", "review-request", "adjustment-request", "challenge"]


@pytest.mark.parametrize("right", get_args(Right))
@pytest.mark.parametrize("policy", [policy for policy, _, _ in BODIES], ids=lambda policy: policy.policy)
def test_making_use_of_a_right_is_no_incident_and_its_manner_may_be(policy: Policy, right: Right):
    """DEF-15, MMO-39, MMO-50, NE-47, MBC-62, PCC-23, PCC-25, A-81."""
    case, [rule] = a_new_case(policy), [one for one in policy.no_incident if one.what == right]

    with pytest.raises(Refusal, match="no incident merely for having been made") as refusal:
        done(case, report("other", only_for=right), policy)

    assert refusal.value.cites == rule.sources
    assert done(case, report("other"), policy).case.incidents


# What is kept


class Kept:
    """A vault that remembers what was put into it."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def put(self, text: str) -> str:
        self.texts[f"text:{len(self.texts)}"] = text
        return f"text:{len(self.texts) - 1}"

    def get(self, reference: str) -> str:
        return self.texts[reference]


def test_answers_are_kept_with_the_texts_and_come_back_as_they_were():
    """What somebody writes under a question, in a list too, may name a person: it is destroyed with the texts of the case."""
    said: dict[str, Answer] = {"a": "Jo Sample.", "b": ("Jo Sample", "letters/1"), "c": True, "d": 12}
    incident = Incident(id="i1", on=DAY, code="other", medium="email", summary="S", by="officer", time="14:30", findings=said)
    vault = Kept()

    kept = incident.model_dump(mode="json", context={"vault": vault})

    assert not re.search("Jo|Sample|letters", str(kept))
    assert (kept["findings"]["c"], kept["findings"]["d"], kept["time"]) == (True, 12, "14:30")
    assert Incident.model_validate(kept, context={"vault": vault}) == incident


def test_an_incident_of_an_earlier_release_is_asked_nothing_by_its_own_edition():
    """A case keeps the edition it was opened with: one whose behaviours ask nothing waits for nothing."""
    quiet = {code: one.model_copy(update={"asks": ()}) for code, one in MMO.behaviours.items()}
    policy = MMO.model_copy(update={"behaviours": quiet})
    case = a_continued_mmo_case()
    old = [{key: value for key, value in one.model_dump(mode="json").items() if key not in ("time", "findings")} for one in case.incidents]
    case = case.model_copy(update={"incidents": tuple(Incident.model_validate(one) for one in old)})

    assert [task.kind for task in tasks(case, policy, ENGLAND, today=date(2027, 3, 1))] == ["decide"]


# The file and the form


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("choices: [allegation, language], cites", "cites", "belongs to answer: choice"),
        ("answer: choices, choices: [allegation, language], cites", "choices: [allegation, language], cites", "belongs to answer: choice"),
        ("finding: exhausted-on, asks", "finding: route, asks", "two questions of one incident have the same name"),
        (
            "answer: date, cites: [MMO-07]",
            "answer: date, not_before: route, cites: [MMO-07]",
            "'route' is no question here that asks for a day",
        ),
        ("finding: why-trivial, asks", "finding: why-trivial, if_answer: {limb: late}, asks", "limb: late is no choice of a question"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told_with_its_line(old: str, new: str, said: str):
    [fault] = refused(changed(old, new))

    assert said in fault
    assert re.match(r"bad\.yaml:\d+:\d+: behaviours\.", fault)


def test_the_form_lists_every_behaviour_with_every_question():
    for policy, _, _ in BODIES:
        forms = form_of(policy)

        assert [one.code for one in forms] == [*policy.behaviours, "other"]
        for one in forms:
            assert [question.finding for question in one.questions] == [rule.finding for rule in questions_of(one.code, policy)]
            assert all(question.cites for question in one.questions)


def test_what_every_question_rests_on_is_a_clause_of_its_own_text():
    """A question with no clause of its policy behind it would be a rule of ours."""
    asked = [(policy, rule) for policy, _, _ in BODIES for code in policy.behaviours for rule in questions_of(code, policy)]
    print(f"{len(asked)} questions")

    assert len(asked) > 100
    assert [rule.finding for policy, rule in asked if not set(rule.cites) & set(load.clauses(policy.policy))] == []
