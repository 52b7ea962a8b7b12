"""Moves to another edition where a later stage of appeal runs, the number before sets the length, or a meeting holds the review."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import NamedTuple

import pytest

from activities.calendars import made_of
from domain.case import Case, MovingRule
from domain.clocks import answer_due, appeal_window
from domain.commands import AcceptLateAppeal, Appeal, DecideAppeal, DeclineLateAppeal, Meeting, MoveEdition, NoticeSent
from domain.days import LONDON, Calendar
from domain.decide import decide
from domain.decision import Refusal
from domain.letters import compose
from domain.move_edition import Target
from domain.people import CUSTOMER, POST, Actor, Staff
from domain.policy import Policy
from domain.review_clocks import review_due
from domain.tasks import tasks
from policies import load
from starter.script import Script, read_script
from tests.own_policies import FOLDER, acted, opened, own
from tests.stories import ENGLAND

EDITION = "e" * 64
ANSWERED = date(2027, 4, 20)
"""The Registrar's answer; the Council may be asked within ten working days, until Wednesday 5 May 2027 (FU-25)."""
CLOSES = date(2027, 5, 5)
STAGE_2 = "    answer: {working_days: {value: 30, cites: [FU-24]}, from: {value: receipt, default: DEF-07}}\n    number"


class Play(NamedTuple):
    """A rehearsal of an invented body by the rules alone, up to a day."""

    case: Case
    policy: Policy
    calendar: Calendar
    staff: Staff

    def by(self, person: str) -> Actor:
        return Actor(origin="staff", person=self.staff.by_id[person], staff=self.staff)

    def move(self, new: Policy, by: str, on: date, *, then: Calendar | None = None, **rules: MovingRule) -> Play:
        command = MoveEdition(edition=EDITION, rules={name.replace("_", "-"): rule for name, rule in rules.items()})
        target = Target(EDITION, new, then or self.calendar)
        moved = decide(self.case, command, actor=self.by(by), policy=self.policy, calendar=self.calendar, today=on, target=target)
        return self._replace(case=_posted(moved.case, new, self.calendar, on), policy=new)

    def window(self, target: str = "s1") -> date | None:
        sanction = self.case.sanction(target)
        assert sanction is not None
        found = appeal_window(self.case, sanction, self.policy, self.calendar)
        return found.date if found else None

    def review(self) -> date | None:
        due = review_due(self.case, self.case.in_force[0], self.policy, self.calendar)
        return due.date if due else None


def play(name: str, until: date, policy: Policy | None = None) -> Play:
    script: Script = read_script(FOLDER / "rehearsals" / f"{name}.yaml").script
    used, staff = policy or load.policy(script.policy), Staff(people=script.staff)
    calendar = made_of(ENGLAND, meetings=script.meetings)
    case = opened(script, used, script.steps[0].at.astimezone(LONDON).date())
    for step in script.steps:
        if step.do and step.at < datetime.combine(until, time(23, 59), LONDON):
            case = _posted(acted(case, step, used, calendar, staff), used, calendar, step.at.astimezone(LONDON).date())
    return Play(case, used, calendar, staff)


def _posted(case: Case, policy: Policy, calendar: Calendar, on: date) -> Case:
    for one in case.notices:
        if one.status == "to-send":
            sent = NoticeSent(saw=one.id, method="email")
            case = decide(case, sent, actor=POST, policy=policy, calendar=calendar, today=on).case
    return case


def edition(name: str, *changes: tuple[str, str]) -> Policy:
    """Returns an invented body's file with some of its words changed."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return load.sound_policy_of(text, name)


def one_stage() -> Policy:
    """Returns the university's policy without an appeal to the Council."""
    text = (FOLDER / "fenmoor-university.yaml").read_text(encoding="utf-8")
    cut = re.sub(r"(?m)^  then:\n(    .*\n)+", "", text).replace("      - {part: next-stage, cites: [FU-24]}\n", "")
    assert cut.count("\n") < text.count("\n") - 10
    return load.sound_policy_of(cut, "fenmoor-university")


def appealed(case: Play, on: date) -> Play:
    command = Appeal(medium="email", against="a1", grounds="I was not answered.")
    found = decide(case.case, command, actor=CUSTOMER, policy=case.policy, calendar=case.calendar, today=on)
    return case._replace(case=_posted(found.case, case.policy, case.calendar, on))


# A later stage of appeal


def test_a_second_stage_that_is_open_stays_open_under_an_edition_without_it():
    """EH-20, FU-25: the answer told the customer of the Council; whoever appeals on the last day is in time, the day after is late."""
    moved = play("fenmoor-two-stages", ANSWERED).move(one_stage(), "registrar", date(2027, 4, 22))

    assert moved.window() == CLOSES
    taken = appealed(moved, CLOSES).case.challenges[-1]
    assert (taken.stage, taken.late) == (2, False)
    with pytest.raises(Refusal, match="ended on Wednesday 5 May 2027"):
        appealed(moved, date(2027, 5, 6))


def test_a_second_stage_that_waits_for_its_answer_is_heard_by_the_rule_it_had():
    """EH-20, FU-24: the Council's committee decides, two of its members, none of them from before."""
    old = edition(
        "fenmoor-university",
        ("    number: {value: one-per-decision, cites: [FU-25]}", STAGE_2 + ": {value: one-per-decision, cites: [FU-25]}"),
    )
    before = play("fenmoor-two-stages", CLOSES, old)
    pending = before.case.challenges[-1]
    due = answer_due(before.case, pending, old, before.calendar)
    moved = before.move(one_stage(), "registrar", date(2027, 5, 10), answer="restart")

    after = answer_due(moved.case, pending, moved.policy, moved.calendar)
    assert due and after and after.date == due.date == date(2027, 6, 17)
    command = DecideAppeal(saw="a2", outcome="uphold", reasons="It goes no further than it needs to.")
    with pytest.raises(Refusal, match="secretary to the University Council"):
        _decide(moved, command, "registrar")
    with_meeting = command.model_copy(update={"meeting": Meeting(on=date(2027, 5, 19), present=("dot", "eve"))})
    decided = _decide(moved, with_meeting, "clerk")
    assert decided.challenges[-1].sitting is not None and decided.challenges[-1].outcome == "uphold"
    letter = compose(decided, decided.notices[-1], policy=moved.policy, calendar=moved.calendar, sent_on=date(2027, 5, 20))
    assert "next-stage" not in [one.part for one in letter.sections]


def _decide(moved: Play, command: DecideAppeal, by: str) -> Case:
    return decide(moved.case, command, actor=moved.by(by), policy=moved.policy, calendar=moved.calendar, today=date(2027, 5, 20)).case


def test_a_move_waits_where_the_new_edition_knows_nobody_who_hears_the_second_stage():
    """EH-20: a right that nobody could answer is no right."""
    new = one_stage()
    offices = {code: one for code, one in new.offices.items() if code not in ("council-member", "council-secretary")}

    with pytest.raises(Refusal, match="knows no council-member and no council-secretary, who hears it"):
        play("fenmoor-two-stages", ANSWERED).move(new.model_copy(update={"offices": offices}), "registrar", date(2027, 4, 22))


@pytest.mark.parametrize(
    ("rule", "days", "last"),
    [
        ("favour-customer", 20, date(2027, 5, 19)),
        ("favour-customer", 5, CLOSES),
        ("restart", 10, date(2027, 5, 7)),
        ("restart", 2, CLOSES),
        ("keep", 20, CLOSES),
    ],
)
def test_the_window_of_a_second_stage_is_counted_by_its_rule_and_never_gets_shorter(rule: MovingRule, days: int, last: date):
    """EH-20, FU-25: a period like that of the first stage; the first stage's own, used up, is touched by none of it."""
    old = "window: {working_days: {value: 10, cites: [FU-25]}"
    new = edition("fenmoor-university", (old, old.replace("10", str(days))))

    moved = play("fenmoor-two-stages", ANSWERED).move(new, "registrar", date(2027, 4, 22), appeal=rule)

    assert moved.window() == last
    counted = moved.case.counted_under("appeal", "a1")
    assert counted and counted.heard is None


@pytest.mark.parametrize(
    ("rule", "due"), [("favour-customer", date(2027, 5, 25)), ("restart", date(2027, 5, 28)), ("keep", date(2027, 6, 17))]
)
def test_the_answer_of_a_second_stage_is_counted_by_its_rule(rule: MovingRule, due: date):
    """EH-20: of two dates that bind the body the earlier favours the customer; begun anew it counts from the move."""
    number = "    number: {value: one-per-decision, cites: [FU-25]}"
    rest = ": {value: one-per-decision, cites: [FU-25]}"
    old = edition("fenmoor-university", (number, STAGE_2 + rest))
    new = edition("fenmoor-university", (number, STAGE_2.replace("30", "14") + rest))
    moved = play("fenmoor-two-stages", CLOSES, old).move(new, "registrar", date(2027, 5, 10), answer=rule)

    found = answer_due(moved.case, moved.case.challenges[-1], moved.policy, moved.calendar)
    assert found and found.date == due


def test_a_kept_second_stage_goes_on_over_a_second_move_and_is_the_editions_own_again_where_it_has_one():
    """EH-20: kept as told as often as the case moves."""
    first = play("fenmoor-two-stages", ANSWERED).move(one_stage(), "registrar", date(2027, 4, 22))
    first = first._replace(case=first.case.model_copy(update={"edition": "d" * 64}))

    again = first.move(one_stage(), "registrar", date(2027, 4, 23))
    back = first.move(own("fenmoor-university"), "registrar", date(2027, 4, 23))

    assert again.window() == back.window() == CLOSES
    kept, given = again.case.counted_under("appeal", "a1"), back.case.counted_under("appeal", "a1")
    assert kept and kept.heard and given and given.heard is None


# A late appeal to a committee


LATE = "    late_decided_by: {offices: [council-secretary], default: DEF-10}\n"


def late_to_the_council() -> Play:
    """Returns a case whose second appeal came a day late to a committee, under a policy that names nobody else for lateness."""
    played = play("fenmoor-two-stages", ANSWERED, edition("fenmoor-university", (LATE, "")))
    command = Appeal(medium="email", against="a1", grounds="I was not answered.")
    with pytest.raises(Refusal) as refused:
        decide(played.case, command, actor=CUSTOMER, policy=played.policy, calendar=played.calendar, today=date(2027, 5, 6))
    assert refused.value.kept is not None
    return played._replace(case=refused.value.kept)


@pytest.mark.parametrize("command", [AcceptLateAppeal(saw="a2", reasons="Ill."), DeclineLateAppeal(saw="a2", reasons="No reason.")])
def test_a_late_appeal_to_a_committee_is_let_in_or_declined_at_its_meeting(command: AcceptLateAppeal | DeclineLateAppeal):
    """FU-24, DEF-10: where the policy names nobody for lateness the appeal is the committee's, and so is this."""
    late = late_to_the_council()
    [task] = [one for one in tasks(late.case, late.policy, late.calendar, today=date(2027, 5, 10)) if one.ref == "a2"]
    assert task.offices == ("council-secretary",)
    for by, meeting, wrong in (
        ("dot", None, "secretary to the University Council"),
        ("clerk", None, "with.meeting is missing"),
        ("clerk", Meeting(on=date(2027, 5, 19), present=("dot",)), "needs 2 members"),
        ("clerk", Meeting(on=date(2027, 5, 5), present=("dot", "eve")), "before the appeal to the Council"),
    ):
        with pytest.raises(Refusal, match=wrong):
            _lateness(late, command.model_copy(update={"meeting": meeting}), by)

    met = Meeting(on=date(2027, 5, 19), present=("dot", "eve"))
    [answered] = _lateness(late, command.model_copy(update={"meeting": met}), "clerk").challenges[1:]

    assert answered.late_decision == ("accepted" if isinstance(command, AcceptLateAppeal) else "declined")
    assert answered.late_sitting is not None and answered.late_sitting.present == ("dot", "eve")


def _lateness(late: Play, command: AcceptLateAppeal | DeclineLateAppeal, by: str) -> Case:
    return decide(late.case, command, actor=late.by(by), policy=late.policy, calendar=late.calendar, today=date(2027, 5, 20)).case


def test_an_office_named_for_lateness_decides_alone_as_before():
    """FU-25: the secretary; no meeting is asked for, and none may be given."""
    named = late_to_the_council()._replace(policy=own("fenmoor-university"))
    met = Meeting(on=date(2027, 5, 19), present=("dot", "eve"))

    with pytest.raises(Refusal, match="No committee decides this"):
        _lateness(named, AcceptLateAppeal(saw="a2", reasons="Ill.", meeting=met), "clerk")
    assert _lateness(named, AcceptLateAppeal(saw="a2", reasons="Ill."), "clerk").challenges[1].late_decision == "accepted"


# A length by how often it was done before


@pytest.mark.parametrize(
    ("rule", "ends"), [("keep", date(2028, 3, 9)), ("favour-customer", date(2027, 12, 9)), ("restart", date(2027, 12, 15))]
)
def test_the_end_of_a_second_decision_moves_by_the_scale_of_the_new_edition(rule: MovingRule, ends: date):
    """LS-06, EH-20: the second may run twelve months; under an edition that gives nine the earlier end favours the customer."""
    new = edition("little-sampling", ("      - {months: {value: 12, cites: [LS-06]}}", "      - {months: {value: 9, cites: [LS-06]}}"))
    before = play("little-sampling-second-time", date(2027, 3, 9))
    before = before._replace(case=_issued(before))

    moved = before.move(new, "one", date(2027, 3, 15), end=rule)

    assert [one.terms.until for one in moved.case.sanctions] == [date(2027, 8, 9), ends]  # six months in both editions


def _issued(before: Play) -> Case:
    notices = tuple(one.model_copy(update={"status": "sent", "sent_on": one.created_on}) for one in before.case.notices)
    return before.case.model_copy(update={"notices": notices})


# A review at a meeting


def test_a_told_review_at_a_meeting_stays_or_is_held_sooner_at_the_new_editions_meeting():
    """FU-17, EH-20: every three months, at the first meeting on or after it; every two it would be 9 June."""
    new = edition("fenmoor-university", ("cycle: {months: {value: 3, cites: [FU-17]}", "cycle: {months: {value: 2, cites: [FU-17]}"))
    before = play("fenmoor-two-stages", date(2027, 3, 19))
    assert before.review() == date(2027, 7, 14)

    kept, sooner = (before.move(new, "registrar", date(2027, 3, 22), review=rule) for rule in ("keep", "favour-customer"))

    assert (kept.review(), sooner.review()) == (date(2027, 7, 14), date(2027, 6, 9))


def test_a_told_review_stays_where_the_new_edition_holds_none_at_meetings():
    """EH-20: the next after it follows the new edition, on the plain day."""
    new = edition("fenmoor-university", ("  at_meeting: {value: first-on-or-after, cites: [FU-17]}\n", ""), (MEETINGS, ""))
    moved = play("fenmoor-two-stages", date(2027, 3, 19)).move(new, "registrar", date(2027, 3, 22), then=ENGLAND)

    assert moved.review() == date(2027, 7, 14)
    settled = tuple(one.model_copy(update={"settled_through": date(2027, 7, 14)}) for one in moved.case.sanctions)
    assert moved._replace(case=moved.case.model_copy(update={"sanctions": settled})).review() == date(2027, 9, 17)


MEETINGS = "meetings: {value: [2027-01-20, 2027-03-17, 2027-04-21, 2027-06-09, 2027-07-14, 2027-10-06, 2027-12-01], cites: [FU-17]}\n"
