"""The set of letters: every policy has each letter it needs, whole, and none says what its policy does not give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import get_args

import pytest

from activities.letters import render
from domain import letters
from domain.case import Case
from domain.clocks import all_deadlines
from domain.coming_review import with_house_letters
from domain.commands import DeadlinePassed, IssueNotice, NoticeReturned
from domain.decide import decide
from domain.letters import MissingPart, compose
from domain.people import CALENDAR
from domain.policy import CHOSEN_LETTERS, HOUSE_LETTERS, Policy
from domain.review_clocks import review_due
from domain.rules import NoticeKind
from policies import load
from policies.contradictions import contradictions
from policies.letter_set import LETTERS, missing, needed
from tests.stories import (
    ENGLAND,
    a_disengaged_natural_england_case,
    a_restricted_council_case,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    a_sanctioned_natural_england_case,
    after,
    mmo,
    policy_named,
    sent,
)
from tests.test_letters import STORIES, composed

POLICIES = tuple(load.policy(name) for name in load.names() if name in load.clause_lists())
UNTOLD = {"council-2024-2028: no letter external-report, when a report to the police or lawyers is told"}
"""What a policy may lack: this one reads C24-63 as giving the customer no word of a report to the police (A-91)."""


# The list, against the policies


def test_the_set_lists_every_kind_of_letter_there_is():
    """Design 3: a kind that is on no list is held against no policy."""
    assert {one.kind for one in LETTERS} == set(get_args(NoticeKind))


def test_every_policy_has_the_letters_it_needs_with_the_parts_they_need():
    """MMO-29, NE-29, MBC-41, PCC-53, C24-59, DEF-14: a letter that a file lacks is never owed, and nobody would notice."""
    checked = [(policy.policy, one.kind, part) for policy in POLICIES for one in needed(policy) for part in one.holds(policy)]
    print(f"{len(checked)} parts of {len({one[:2] for one in checked})} letters of {len(POLICIES)} policies")

    assert len(checked) >= 140
    assert len(POLICIES) == 5
    assert {line for policy in POLICIES for line in missing(policy)} == UNTOLD


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one.policy)
def test_a_letter_that_a_policy_does_not_need_is_not_in_its_file(policy: Policy):
    """Design 3: a letter for an occasion that never comes is a mistake in the file."""
    wanted = {one.kind for one in needed(policy)}

    assert set(policy.notices) - wanted == set()


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: one.policy)
@pytest.mark.parametrize("kind", ["decision", "lapse", "review-outcome"])
def test_a_policy_that_loses_a_letter_is_found_out(policy: Policy, kind: str):
    """The check itself: a letter taken out of a file is missed."""
    less = policy.model_copy(update={"notices": {name: rule for name, rule in policy.notices.items() if name != kind}})

    assert any(f"no letter {kind}" in line for line in missing(less))


# Parts: all of them, or no letter; nothing that the policy does not give

EVERY_PART = [(name, kind, part.part) for name, kind in STORIES for part in policy_named(name).notices[kind].parts]  # type: ignore[index]  # a kind of the policy


def test_there_are_parts_to_take_away():
    """The test below says how much it checks."""
    print(f"{len(EVERY_PART)} parts of {len(STORIES)} letters")
    assert len(EVERY_PART) >= 170


@pytest.mark.parametrize(("name", "kind", "part"), EVERY_PART, ids=lambda one: one)
def test_a_letter_without_one_of_its_parts_is_refused_with_its_clauses(name: str, kind: str, part: str, monkeypatch: pytest.MonkeyPatch):
    """Design 3: no notice without its mandatory parts; the error names the part and what demands it."""
    monkeypatch.setitem(letters.PARTS, part, lambda subject: {"text": None})  # type: ignore[arg-type]  # a part

    with pytest.raises(MissingPart) as found:
        composed(STORIES[name, kind](), kind)

    rule = next(one for one in policy_named(name).notices[kind].parts if one.part == part)  # type: ignore[index]  # a kind of the policy
    assert (found.value.part, found.value.cites) == (part, rule.sources)
    assert rule.sources


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_no_letter_prints_a_time_to_appeal_that_its_policy_does_not_give(name: str, kind: str):
    """MBC-62, NE-47, C24-67, traps 29 and 30: where a text gives no window, or no appeal, none may stand in a letter."""
    policy, text = policy_named(name), render(composed(STORIES[name, kind](), kind), policy=name).text

    if policy.appeal is None:
        assert "If you disagree" not in text
        assert "right of review" not in text
    if policy.appeal is None or policy.appeal.window is None:
        assert "The last day is" not in text
        assert "must reach us within" not in text
    if policy.appeal is None or policy.appeal.answer is None:
        assert "We will answer within" not in text


def test_a_time_to_appeal_is_printed_where_it_is_given():
    """MMO-42, PCC-81: the words looked for above are the words of a letter that has them."""
    for name in ("mmo", "portsmouth"):
        assert "The last day is" in render(composed(STORIES[name, "decision"](), "decision"), policy=name).text


# Issued again


def test_a_letter_issued_again_is_the_next_issue_with_its_dates_counted_anew():
    """DEF-06, MMO-42: it came back, so nobody was told; the second issue gives the two weeks from its own day."""
    case = after(a_restricted_mmo_case(), (NoticeReturned(saw="n2", problem="Unknown address."), mmo("manager"), date(2027, 3, 15)))
    case = after(case, (IssueNotice(saw="n2"), mmo("manager"), date(2027, 3, 22)))
    notice = case.notice("n2")
    assert notice

    letter = compose(case, notice, policy=policy_named("mmo"), calendar=ENGLAND, sent_on=date(2027, 3, 22))
    first = composed(a_restricted_mmo_case(), "decision", day=date(2027, 3, 10))

    assert (notice.issue, notice.status, notice.sent_on, notice.notified_on) == (2, "to-send", None, None)
    assert [one.part for one in letter.sections] == [one.part for one in first.sections]
    closes = [next(one.facts["closes"] for one in each.sections if one.part == "appeal") for each in (first, letter)]
    assert closes == ["Wednesday 24 March 2027", "Monday 5 April 2027"]


# The coming review

SCHEDULED: dict[str, Callable[[], Case]] = {
    "mmo": a_restricted_mmo_case,
    "maidstone": a_restricted_maidstone_case,
    "natural-england": a_sanctioned_natural_england_case,
    "natural-england, disengaged": a_disengaged_natural_england_case,
    "council-2024-2028": a_restricted_council_case,
}


def opened(case: Case, policy: Policy, *, late: timedelta = timedelta(0)) -> Case:
    """Returns the case after its next review has opened, so many days late."""
    while True:
        due = next(one for one in all_deadlines(case, policy, ENGLAND) if one.key not in case.passed)
        passed = DeadlinePassed(key=due.key)
        case = decide(case, passed, actor=CALENDAR, policy=policy, calendar=ENGLAND, today=due.fires + late).case
        if due.kind == "review-opens":
            return case


def chosen(name: str) -> Policy:
    return with_house_letters(policy_named(name.partition(",")[0]), ("review-coming",))


@pytest.mark.parametrize("name", SCHEDULED)
def test_nobody_is_told_of_a_coming_review_unless_the_body_chooses_it(name: str):
    """EH-120: no clause of the five policies asks for it."""
    case = opened(SCHEDULED[name](), policy_named(name.partition(",")[0]))

    assert [one.kind for one in case.notices if one.kind == "review-coming"] == []


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_body_that_chooses_it_tells_what_is_looked_at_and_by_when(name: str):
    """EH-120, EH-121: what, by when, what may be sent in; each marked as practice, under policy and edition."""
    policy = chosen(name)
    case = opened(SCHEDULED[name](), policy)
    [notice] = [one for one in case.notices if one.kind == "review-coming"]
    sanction = case.sanction(notice.about)
    due = review_due(case, sanction, policy, ENGLAND) if sanction else None
    assert due

    letter = compose(case, notice, policy=policy, calendar=ENGLAND, sent_on=notice.created_on)
    rendered = render(letter, policy=policy.policy)

    assert [one.part for one in letter.sections] == ["what-is-reviewed", "review-date", "send-in", "edition"]
    assert all(one.practice for one in letter.sections)
    assert policy.title in rendered.text
    assert next(one.facts["day"] for one in letter.sections if one.part == "review-date") == next(
        one.facts["by"] for one in letter.sections if one.part == "send-in"
    )
    assert f"{due.date:%B %Y}" in rendered.text
    assert "whether or not you write" in rendered.text
    assert "None" not in rendered.text


def test_a_policy_file_may_word_it_itself():
    """EH-120: a body that writes it into its file gives it its own parts."""
    policy = policy_named("mmo")
    own = policy.model_copy(
        update={"notices": {**policy.notices, "review-coming": CHOSEN_LETTERS["review-coming"].model_copy(update={"label": "ours"})}}
    )

    assert [one.kind for one in opened(a_restricted_mmo_case(), own).notices][-1] == "review-coming"
    assert with_house_letters(own, ("review-coming",)) is own


def test_a_review_that_is_due_already_is_not_announced():
    """EH-120: nobody is asked to send something in for a day that has passed."""
    policy = chosen("mmo")

    case = opened(a_restricted_mmo_case(), policy, late=timedelta(days=28))

    assert "review-coming" not in [one.kind for one in case.notices]


def test_a_review_at_the_end_alone_is_not_announced():
    """PCC-65, A-63: Portsmouth schedules none; the end may come without one."""
    policy, case = chosen("portsmouth"), a_restricted_portsmouth_case()
    while case.in_force:
        due = next(one for one in all_deadlines(case, policy, ENGLAND) if one.key not in case.passed)
        case = decide(case, DeadlinePassed(key=due.key), actor=CALENDAR, policy=policy, calendar=ENGLAND, today=due.fires).case

    assert "review-coming" not in [one.kind for one in case.notices]


def test_a_coming_review_s_letter_that_went_moves_no_clock():
    """DEF-12, DEF-13: it is a courtesy; review and window stay where they are."""
    policy = chosen("mmo")
    case = opened(a_restricted_mmo_case(), policy)
    notice = case.notices[-1]

    gone = sent(case, notice.id, on=notice.created_on)

    clocks = [one for one in all_deadlines(case, policy, ENGLAND) if (one.kind, one.ref) != ("letter-overdue", notice.id)]
    assert list(all_deadlines(gone, policy, ENGLAND)) == clocks


def test_the_house_letters_are_marked_as_practice_throughout():
    """Design 3: what no clause asks for is marked as a default, part by part."""
    rules = {**HOUSE_LETTERS, **CHOSEN_LETTERS}
    assert len(rules) == 3
    assert all(part.default and not part.cites for rule in rules.values() for part in rule.parts)


def test_a_file_that_words_a_letter_for_what_never_comes_contradicts_itself():
    """Design 3: a coming review where none is scheduled, a client where none is told, a complaint that nobody can decide."""
    policy, england = policy_named("portsmouth"), policy_named("natural-england")
    options = tuple(one.model_copy(update={"recheck": None}) for one in policy.decision.options)
    decision = policy.decision.model_copy(update={"options": options})
    letters = {
        "review-coming": CHOSEN_LETTERS["review-coming"],
        **{kind: england.notices[kind] for kind in ("client-told", "formal-complaint")},
    }  # type: ignore[index]  # kinds of letter

    found = [said for _, said in contradictions(policy.model_copy(update={"decision": decision, "notices": {**policy.notices, **letters}}))]

    for what in (
        "send-in is demanded, but no review",
        "agent-behaviour is demanded, but no client",
        "complaint is demanded, but no complaint",
    ):
        assert any(what in said for said in found), found
