"""Cases under a new edition: what would change, what a declared rule makes of each running period, who may move a case, who is told."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from activities.bodies import Body, keep_edition, keep_text, policy_of_edition, save_body
from domain.case import Case, MovingRule, PeriodKind
from domain.clocks import all_deadlines, answer_due, appeal_window
from domain.commands import Appeal, MoveEdition, NoticeSent, ReviewSanction
from domain.decide import decide
from domain.decision import Decision, Refusal
from domain.effects import Under, effects, under
from domain.letters import compose
from domain.move_edition import Target
from domain.people import CUSTOMER, POST, Actor
from domain.policy import Policy
from domain.review_clocks import review_due
from policies import load
from records.database import create_all, open_database, reading, transaction
from records.desk import save_desk
from records.store import read_case, save_case
from records.tables import DeskEntryRow
from records.vault import CaseVault
from starter.editions import edition_named, try_move, what_if
from tests import stories
from tests.stories import ENGLAND, MMO, mmo, portsmouth

EDITION = "e" * 64
DECIDED = date(2027, 3, 10)
MOVED = date(2027, 3, 17)
"""A week into the two weeks in which the decision of 10 March can be appealed against (MMO-42)."""
WINDOW = "window: {weeks: {value: 2, cites: [MMO-42]}"
CYCLE = "cycle: {months: {value: 12, cites: [MMO-44]}"
ANSWER = "answer: {working_days: {value: 20, cites: [MMO-43], default: DEF-04}"


def edition(*changes: tuple[str, str], policy: str = "mmo") -> Policy:
    """Returns an invented edition of a policy: the shipped one with some of its values changed."""
    text = load.policy_text(policy)
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return load.sound_policy_of(text, "invented")


def window(days: int) -> tuple[str, str]:
    return WINDOW, f"window: {{days: {{value: {days}, cites: [MMO-42]}}"


def cycle(months: int) -> tuple[str, str]:
    return CYCLE, f"cycle: {{months: {{value: {months}, cites: [MMO-44]}}"


def answer(days: int) -> tuple[str, str]:
    return ANSWER, f"answer: {{working_days: {{value: {days}, cites: [MMO-43], default: DEF-04}}"


def move(case: Case, new: Policy, *, by: Actor | None = None, on: date = MOVED, old: Policy = MMO, **rules: MovingRule) -> Decision:
    named = {name.replace("_", "-"): rule for name, rule in rules.items()}
    command = MoveEdition(edition=EDITION, rules=named)
    target = Target(EDITION, new, ENGLAND)
    return decide(case, command, actor=by or mmo("manager"), policy=old, calendar=ENGLAND, today=on, target=target)


def closes(case: Case, policy: Policy) -> date | None:
    found = appeal_window(case, case.sanctions[-1], policy, ENGLAND)
    return found.date if found else None


def reviewed_next(case: Case, policy: Policy) -> date | None:
    due = review_due(case, case.sanctions[-1], policy, ENGLAND)
    return due.date if due else None


# Dates that were told


def test_without_a_rule_every_running_period_stays_as_it_was_told():
    """EH-20: keep is what no rule means; the old clauses go on being cited."""
    new = edition(window(7), cycle(3))
    case = move(stories.a_restricted_mmo_case(), new).case

    assert case.edition == EDITION
    assert closes(case, new) == date(2027, 3, 24) and reviewed_next(case, new) == date(2028, 3, 10)
    counted = case.counted_under("appeal", "s1")
    assert counted and counted.rule == "keep" and counted.edition == load.edition_of(load.policy_text("mmo"))
    assert not any(one.kind == "edition-changed" for one in case.notices)


@pytest.mark.parametrize(
    ("rule", "days", "last"),
    [
        ("favour-customer", 28, date(2027, 4, 7)),
        ("favour-customer", 7, date(2027, 3, 24)),
        ("restart", 28, date(2027, 4, 14)),
        ("restart", 5, date(2027, 3, 24)),
        ("keep", 28, date(2027, 3, 24)),
    ],
)
def test_a_time_to_appeal_gets_longer_or_stays(rule: MovingRule, days: int, last: date):
    """EH-20, MMO-42: told until 24 March; begun anew it counts from 17 March, and never ends sooner than was told."""
    new = edition(window(days))
    case = move(stories.a_restricted_mmo_case(), new, appeal=rule).case

    assert closes(case, new) == last


def test_a_time_to_appeal_that_has_passed_is_not_opened_again():
    new = edition(window(28))
    case = move(stories.a_restricted_mmo_case(), new, on=date(2027, 3, 25), appeal="favour-customer").case

    assert closes(case, new) == date(2027, 3, 24)


@pytest.mark.parametrize(
    ("rule", "months", "due", "then"),
    [
        ("keep", 6, date(2028, 3, 10), date(2028, 9, 10)),
        ("favour-customer", 6, date(2027, 9, 10), date(2028, 3, 10)),
        ("favour-customer", 18, date(2028, 3, 10), date(2028, 9, 10)),
        ("restart", 18, date(2028, 9, 17), date(2030, 3, 17)),
    ],
)
def test_a_review_keeps_its_date_or_goes_by_its_rule_and_the_new_cycle_follows(rule: MovingRule, months: int, due: date, then: date):
    """EH-20, DEF-03: months count from the decision, or from the move where the review is begun anew."""
    new = edition(cycle(months))
    case = move(stories.a_restricted_mmo_case(), new, review=rule).case
    assert reviewed_next(case, new) == due

    held = ReviewSanction(why="scheduled", outcome="continue", reasons="It goes on.", findings={"good-grounds": "It goes on."}, saw="s1")
    case = decide(case, held, actor=mmo("reviewer"), policy=new, calendar=ENGLAND, today=due).case

    assert reviewed_next(case, new) == then


def test_a_review_that_is_overdue_stays_owed():
    """DEF-12: nothing passes silently, not even by a move that counts anew."""
    new, on = edition(cycle(6)), date(2028, 4, 1)
    case = move(stories.a_restricted_mmo_case(), new, on=on, review="restart").case

    assert reviewed_next(case, new) == date(2028, 3, 10)


@pytest.mark.parametrize(
    ("rule", "days", "due"),
    [("keep", 30, date(2027, 4, 15)), ("favour-customer", 30, date(2027, 4, 15)), ("favour-customer", 10, date(2027, 4, 1)),
     ("keep", 10, date(2027, 4, 15)),
     ("restart", 30, date(2027, 4, 30))],
)  # fmt: skip
def test_an_answer_is_due_when_it_was_told_or_by_its_rule(rule: MovingRule, days: int, due: date):
    """EH-20, MMO-43: 20 working days from receipt on 16 March; a later day only where the rule says restart."""
    received = stories.after(stories.a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, date(2027, 3, 16)))
    case = stories.sent(received, received.notices[-1].id, on=date(2027, 3, 16))
    new = edition(answer(days))
    moved = move(case, new, answer=rule).case
    found = answer_due(moved, moved.challenges[0], new, ENGLAND)

    assert found and found.date == due


def test_an_answer_that_is_overdue_stays_owed():
    received = stories.after(stories.a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, date(2027, 3, 16)))
    case, new = stories.sent(received, received.notices[-1].id, on=date(2027, 3, 16)), edition(answer(30))
    found = answer_due(move(case, new, on=date(2027, 4, 16), answer="restart").case, case.challenges[0], new, ENGLAND)

    assert found and found.date == date(2027, 4, 15)


@pytest.mark.parametrize(
    ("rule", "months", "ends"),
    [("keep", 6, date(2028, 2, 1)), ("favour-customer", 6, date(2027, 8, 1)), ("favour-customer", 24, date(2028, 2, 1)),
     ("restart", 24, date(2029, 3, 17))],
)  # fmt: skip
def test_a_warning_supports_a_decision_no_longer_than_was_told_unless_the_rule_says_so(rule: MovingRule, months: int, ends: date):
    """DEF-17, EH-20: the warning of 1 February 2027, a year long."""
    new = edition(("life: {months: {value: 12,", f"life: {{months: {{value: {months},"))
    case = move(stories.a_warned_mmo_case(), new, warning=rule).case
    (deadline,) = [one for one in all_deadlines(case, new, ENGLAND) if one.kind == "warning-ends"]

    assert deadline.reckoned.date == ends


def test_an_end_that_was_told_moves_only_by_its_rule():
    """MBC-45, EH-20: three months told; an edition of one month ends it sooner where that favours the customer, later never unsaid."""
    case = stories.a_restricted_maidstone_case()
    told, start = case.sanctions[0].terms.until, case.sanctions[0].period_start
    assert told
    period, cycle_ = "period: {months: {value: 3, cites: [MBC-45]}", "cycle: {months: {value: 3, cites: [MBC-49]"
    shorter = edition((period, period.replace("3", "2", 1)), (cycle_, cycle_.replace("3", "2", 1)), policy="maidstone")
    longer = edition((period, period.replace("3", "6", 1)), policy="maidstone")
    old, on = load.policy("maidstone"), start + timedelta(days=10)
    by = stories.actor("director", stories.MAIDSTONE_STAFF)

    def end(new: Policy, rule: MovingRule) -> date | None:
        return move(case, new, by=by, on=on, old=old, end=rule).case.sanctions[0].terms.until

    assert end(shorter, "keep") == told and end(longer, "favour-customer") == told
    assert end(shorter, "favour-customer") is not None and end(shorter, "favour-customer") < told  # type: ignore[operator]  # not None
    assert end(longer, "restart") is not None and end(longer, "restart") > told  # type: ignore[operator]  # not None


def test_a_second_move_keeps_the_edition_a_period_counts_under():
    """The case keeps which edition each running period counts under, through any number of moves."""
    first, second = edition(window(28)), edition(window(21))
    case = move(stories.a_restricted_mmo_case(), first, appeal="favour-customer").case
    case = stories_sent(case, first, MOVED)
    command, target = MoveEdition(edition="f" * 64), Target("f" * 64, second, ENGLAND)
    case = decide(case, command, actor=mmo("manager"), policy=first, calendar=ENGLAND, today=MOVED, target=target).case
    counted = case.counted_under("appeal", "s1")

    assert counted and counted.edition == EDITION and closes(case, second) == date(2027, 4, 7)


def stories_sent(case: Case, policy: Policy, on: date) -> Case:
    for notice in case.notices:
        if notice.status == "to-send":
            sent = NoticeSent(saw=notice.id, on=on, method="email")
            case = decide(case, sent, actor=POST, policy=policy, calendar=ENGLAND, today=on).case
    return case


RULES = st.fixed_dictionaries({kind: st.sampled_from(get_args(MovingRule)) for kind in get_args(PeriodKind)})


@given(
    rules=RULES,
    days=st.integers(1, 60),
    months=st.integers(1, 30),
    answered=st.integers(1, 60),
    later=st.sampled_from([0, 3, 7, 10, 13, 14, 15, 40, 364, 365, 366, 400]),
    appealed=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_no_move_shortens_a_time_to_appeal_and_nothing_told_gets_worse_unsaid(
    rules: dict[PeriodKind, MovingRule], days: int, months: int, answered: int, later: int, appealed: bool
):
    """EH-20, whatever the new edition says and whenever the move comes."""
    case = stories.a_restricted_mmo_case()
    if appealed:
        case = stories.after(case, (Appeal(medium="email"), CUSTOMER, DECIDED))
        case = stories.sent(case, case.notices[-1].id, on=DECIDED)
    new, on = EDITIONS[(days % 3, months % 3, answered % 3)], DECIDED + timedelta(days=later)
    before = {(one.kind, one.ref): one.reckoned.date for one in all_deadlines(case, MMO, ENGLAND)}
    moved = move(case, new, on=on, **{kind.replace("-", "_"): rule for kind, rule in rules.items()}).case
    after = {(one.kind, one.ref): one.reckoned.date for one in all_deadlines(moved, new, ENGLAND)}

    assert after["appeal-closes", "s1"] >= before["appeal-closes", "s1"]
    for name, kind in (("review-due", "review"), ("answer-due", "answer")):
        ref = "s1" if kind == "review" else "a1"
        if (name, ref) in before and rules[kind] != "restart":  # type: ignore[index]  # one of the kinds
            assert after[name, ref] <= before[name, ref]
    assert len(moved.notices) == len(case.notices) + bool(moved.moves[-1].changes)


EDITIONS = {
    key: edition(window((7, 14, 40)[key[0]]), cycle((3, 12, 24)[key[1]]), answer((5, 20, 45)[key[2]]))
    for key in product(range(3), repeat=3)
}


# Who, and what stops it


def test_only_those_who_decide_or_are_told_of_what_is_overdue_move_a_case():
    """EH-20: the policy's escalation or decider; a house default, marked as one."""
    with pytest.raises(Refusal, match="move a case to another edition") as refused:
        move(stories.a_restricted_mmo_case(), edition(cycle(6)), by=mmo("officer"))

    assert "EH-20" in refused.value.cites
    for person in ("assistant", "helpdesk"):
        case = stories.a_restricted_portsmouth_case()
        new = edition(("days: {value: 28, cites: [PCC-81]}", "days: {value: 35, cites: [PCC-81]}"), policy="portsmouth")
        assert move(case, new, by=portsmouth(person), old=stories.PORTSMOUTH, on=case.sanctions[0].decided_on).case.edition == EDITION


def test_a_case_does_not_go_over_to_another_body_s_policy():
    with pytest.raises(Refusal, match="not of mmo"):
        move(stories.a_restricted_mmo_case(), stories.PORTSMOUTH)


def test_a_move_waits_for_letters_and_for_what_is_proposed():
    """A letter that speaks of the old edition goes first, or it would tell of a date that is no more."""
    unsent = stories.after(stories.a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, MOVED))

    with pytest.raises(Refusal, match="has not gone yet"):
        move(unsent, edition(cycle(6)))


def test_no_right_to_appeal_that_was_told_is_lost():
    """EH-20: an edition without an appeal takes no case whose window is open, or whose appeal is not answered."""
    text = load.policy_text("mmo")
    start, end = text.index("appeal:\n  label"), text.index("retention:\n")
    bare = load.policy_of(text[:start] + text[end:], "invented")
    case = stories.a_restricted_mmo_case()

    with pytest.raises(Refusal, match="may appeal against s1 until Wednesday 24 March 2027"):
        move(case, bare)
    assert move(case, bare, on=date(2027, 3, 25)).case.edition == EDITION


def test_an_edition_the_records_do_not_hold_is_refused():
    command = MoveEdition(edition=EDITION)

    with pytest.raises(Refusal, match="hold no such edition"):
        decide(stories.a_restricted_mmo_case(), command, actor=mmo("manager"), policy=MMO, calendar=ENGLAND, today=MOVED)


# Who is told


def test_the_customer_is_told_what_changes_from_when_and_by_which_edition():
    """EH-20, DEF-21: each change with its old and its new value."""
    new = edition(window(28), cycle(6))
    case = move(stories.a_restricted_mmo_case(), new, appeal="favour-customer", review="favour-customer").case
    letter = compose(case, case.notices[-1], policy=new, calendar=ENGLAND, sent_on=MOVED)
    facts = {section.part: section.facts for section in letter.sections}

    assert letter.kind == "edition-changed" and set(facts) == {"changes", "from-when", "edition"}
    assert [(one["old"], one["new"]) for one in facts["changes"]["changes"]] == [  # type: ignore[attr-defined]  # a list of facts
        ("Wednesday 24 March 2027", "Wednesday 7 April 2027"),
        ("Friday 10 March 2028", "Friday 10 September 2027"),
    ]


def test_nobody_is_told_of_what_does_not_touch_them():
    """EH-20: an opened or warned case has promised no date; a kept date is no change."""
    new = edition(cycle(6))

    for case in (stories.an_opened_mmo_case(), stories.a_warned_mmo_case(), stories.a_restricted_mmo_case()):
        moved = move(case, new).case
        assert moved.notices == case.notices and moved.edition == EDITION and moved.moves[-1].notice is None


def test_a_case_of_an_earlier_release_reads_as_one_that_never_moved():
    """State that a case carries gets new fields with defaults only."""
    state = stories.a_restricted_mmo_case().model_dump(mode="json", by_alias=True)
    del state["moves"], state["counted"]

    assert Case.model_validate(state).counted == ()


# What would be, without writing anything


def test_what_if_names_dates_deciders_letters_and_options_with_both_clauses():
    new = edition(
        cycle(6),
        (
            "  by: {offices: [reviewer], deputies: {value: true, default: A-10}, cites: [MMO-44]",
            "  by: {offices: [records-officer], cites: [MMO-44]",
        ),
        ("      - {part: policy-copy, cites: [MMO-25]}\n", ""),
        ("      - {part: review-date, cites: [MMO-44], default: DEF-14}\n      - {part: edition, cites: [MMO-48], default: DEF-21}\n", ""),
        ("    - {type: visit-by-appointment-only, label: visits to our offices by appointment only, cites: [MMO-34]}\n", ""),
    )
    case = stories.a_restricted_mmo_case()
    found = effects(Under(case=case, policy=MMO, calendar=ENGLAND), under(case, new, ENGLAND), today=MOVED)
    by_what = {one.what: one for one in found}

    assert {one.about for one in found} == {"date", "who", "letter", "option"}
    review = by_what["review due of s1"]
    assert (review.old.said, review.new.said) == ("Friday 10 March 2028", "Friday 10 September 2027")
    assert "MMO-44" in review.old.cites and "MMO-44" in review.new.cites
    assert by_what["reviews s1"].new.said == "the records officer"
    assert "review-date" not in by_what["parts of decision"].new.said and "parts of warning" not in by_what
    assert by_what["visit-by-appointment-only"].new.said == "none"


def a_body_in_the_records(folder: Path, case: Case):  # type: ignore[no-untyped-def]  # an Engine
    engine = open_database(f"sqlite:///{folder / 'records.db'}")
    create_all(engine)
    at = stories_instant()
    with transaction(engine) as session:
        body = Body(body="mmo", name="MMO", policy="mmo", people=stories.MMO_STAFF.people)
        save_body(session, body)
        keep_edition(session, body, at=at)
        save_case(session, case, vault=CaseVault(session, case.id), deadline=None, at=at)
    return engine


def stories_instant():  # type: ignore[no-untyped-def]  # a datetime
    from domain.days import first_instant

    return first_instant(MOVED)


def test_trying_a_move_shows_the_rule_by_which_each_period_goes_and_writes_nothing(tmp_path: Path):
    """policy what-if, and policy move --dry-run: read only."""
    case = stories.a_restricted_mmo_case()
    engine = a_body_in_the_records(tmp_path, case)
    file = tmp_path / "new.yaml"
    file.write_text(load.policy_text("mmo").replace(CYCLE, CYCLE.replace("12", "6")), encoding="utf-8")
    new = edition_named(str(file), engine)

    (if_,) = what_if(engine, new, body="mmo", today=MOVED)
    (tried,) = try_move(engine, new, {"review": "favour-customer"}, body="mmo", only=(), today=MOVED)

    assert [one.what for one in if_.effects if one.about == "date"] == ["review due of s1"]
    assert {one.what: one.rule for one in tried.effects if one.about == "date"} == {
        "appeal closes of s1": "keep", "review due of s1": "favour-customer",
    }  # fmt: skip
    with reading(engine) as session:
        assert read_case(session, case.id) == case


def test_the_desk_reads_the_labels_of_the_edition_a_case_went_over_to(tmp_path: Path):
    """What the desk is told of a case is made from its edition, though nothing else about the case changed."""
    case = stories.a_restricted_mmo_case()
    engine = a_body_in_the_records(tmp_path, case)
    label = "label: a limit on how many contacts there may be or how long they last"
    new = edition((label, "label: a limit by the new edition"))

    with transaction(engine) as session:
        save_desk(session, case, before=None, policy=MMO, vault=CaseVault(session, case.id))
    moved = move(case, new).case
    with transaction(engine) as session:
        save_desk(session, moved, before=case, policy=new, vault=CaseVault(session, case.id))
    with reading(engine) as session:
        (row,) = session.exec(select(DeskEntryRow)).all()

    assert "a limit by the new edition" in str(row.entry)


def test_an_edition_is_found_by_the_first_digits_of_its_hash(tmp_path: Path):
    engine = a_body_in_the_records(tmp_path, stories.a_restricted_mmo_case())
    hash = load.edition_of(load.policy_text("mmo"))

    assert edition_named(hash[:10], engine).edition == hash
    with pytest.raises(load.Unreadable, match="no edition of the records begins so"):
        edition_named("0" * 12, engine)


def test_an_edition_that_contradicts_itself_is_not_kept(tmp_path: Path):
    engine = a_body_in_the_records(tmp_path, stories.a_restricted_mmo_case())
    bad = load.policy_text("mmo").replace("presumption: {value: lift,", "presumption: {value: extend,")

    with pytest.raises(load.Contradiction), transaction(engine) as session:
        keep_text(session, bad, name="bad.yaml", at=stories_instant())
    with reading(engine) as session:
        assert policy_of_edition(session, load.edition_of(load.policy_text("mmo")))
