"""What must hold always, whatever happens in whatever order: thousands of years of cases, without engine or database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.case import Case, Sanction
from domain.clocks import next_deadline, open_deadlines
from domain.commands import COMMANDS, AnyCommand, DeadlinePassed, NoticeSent
from domain.days import london_date
from domain.decide import decide
from domain.decision import Refusal
from domain.end_clocks import retention_ends
from domain.flags import flags
from domain.letters import MissingPart, compose, method_of
from domain.message import read_command, read_message
from domain.people import CALENDAR, CUSTOMER, POST, Actor, Staff
from domain.policy import Policy
from domain.review_clocks import review_due
from domain.tasks import tasks
from starter.script import Script
from tests import own_policies, stories
from tests.stories import ENGLAND

STARTS: dict[str, tuple[Policy, Staff, tuple[Callable[[], Case], ...]]] = {
    "mmo": (stories.MMO, stories.MMO_STAFF, (stories.an_opened_mmo_case, stories.a_warned_mmo_case, stories.a_restricted_mmo_case)),
    "portsmouth": (
        stories.PORTSMOUTH,
        stories.PORTSMOUTH_STAFF,
        (stories.a_warned_portsmouth_case, stories.a_referred_portsmouth_case, stories.a_restricted_portsmouth_case),
    ),
    "natural-england": (
        stories.NATURAL_ENGLAND,
        stories.NATURAL_ENGLAND_STAFF,
        (
            stories.a_warned_natural_england_case,
            stories.a_sanctioned_natural_england_case,
            stories.a_disengaged_natural_england_case,
            stories.a_complained_of_agent,
        ),
    ),
    "maidstone": (
        stories.MAIDSTONE,
        stories.MAIDSTONE_STAFF,
        (stories.a_warned_maidstone_case, stories.a_referred_maidstone_case, stories.a_restricted_maidstone_case),
    ),
    "council-2024-2028": (
        stories.COUNCIL,
        stories.COUNCIL_STAFF,
        (stories.an_opened_council_case, stories.a_referred_council_case, stories.a_restricted_council_case),
    ),
}


def own_starts(name: str) -> tuple[Policy, Staff, tuple[Callable[[], Case], ...]]:
    """Returns an invented policy, its people, and every case that its fullest rehearsal passes through, by the rules alone."""
    policy, script = own_policies.own(name), own_policies.fullest(name)
    staff = Staff(people=script.staff)
    return policy, staff, tuple(lambda case=case: case for case in passed_through(script, policy, staff))  # type: ignore[misc]


def passed_through(script: Script, policy: Policy, staff: Staff) -> list[Case]:
    case = own_policies.opened(script, policy, london_date(script.steps[0].at))
    found = []
    for step in script.steps:
        case = settle(case, policy, london_date(step.at))
        if step.do and case.stage != "closed":
            case = settle(own_policies.acted(case, step, policy, ENGLAND, staff), policy, london_date(step.at))
        if case.seq != (found[-1].seq if found else 0) and case.stage != "closed":
            found.append(case)
    return found


OUTCOMES = ["lift", "continue", "amend", "extend", "tighten", "uphold", "withdraw", "vary", "confirm", "remove", "keep", "not-admissible"]
WORDS = st.sampled_from(["As recorded.", "The behaviour went on.", "It is no longer needed."])
SAW = st.sampled_from([None, *(f"{prefix}{n}" for prefix in "psanvxek" for n in (1, 2, 3))])
RESTRICTIONS = st.sampled_from(
    [
        [{"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "telephone"}],
        [{"type": "single-point-of-contact", "officer": "Sam Officer", "deputy": "Lee Deputy"}],
        [{"type": "partial-disengagement", "topics": ["the licence"]}],
        [{"type": "refuse-all-contact"}],
        [{"type": "legal-action"}],
        [{"type": "written-agreement", "terms": "One letter a month."}],
        [{"type": "visit-by-appointment-only", "how_to_book": "Call first."}],
        [{"type": "channel-restriction", "channels": ["email"]}],
        [{"type": "no-reply-on-topic", "topic": ["the fence"]}],
    ]
)


TO_OTHERS = st.fixed_dictionaries(
    {
        "to": st.sampled_from(["client", "employer", "professional-body"]),
        "name": st.sampled_from(["Sample Client", "Sample Land Agents", "Sample Institute of Agents"]),
        "address": st.just("1 Sample Lane\nExampleton\nSW1A 1AA"),
        "behaviour": WORDS,
        "effect": st.none() | WORDS,
    }
)


FINDINGS: dict[int, tuple[Policy, dict[str, object]]] = {}
"""By the identity of a policy, which is kept: the way through one takes longer than an act under it."""


def every_finding(policy: Policy) -> dict[str, object]:
    """Returns an answer to everything a policy may ask, so that random acts get past the forms to the rules."""
    if id(policy) not in FINDINGS:
        FINDINGS[id(policy)] = (policy, _every_finding(policy))
    return dict(FINDINGS[id(policy)][1])


def _every_finding(policy: Policy) -> dict[str, object]:
    found: dict[str, object] = {}

    def walk(item: object) -> None:
        if hasattr(item, "finding"):
            found[item.finding] = "As recorded." if item.answer == "text" else True
        elif hasattr(type(item), "model_fields"):
            for name in type(item).model_fields:
                walk(getattr(item, name))
        elif isinstance(item, dict):
            for one in item.values():
                walk(one)
        elif isinstance(item, tuple):
            for one in item:
                walk(one)

    walk(policy)
    return found


def arguments(policy: Policy, staff: Staff, today: date) -> dict[str, st.SearchStrategy[object]]:
    """Returns strategies for every field a command may take."""
    ahead = st.integers(1, 500).map(lambda days: (today + timedelta(days=days)).isoformat())
    findings = st.just(every_finding(policy)) | st.just({})
    codes = sorted(policy.behaviours)
    members = st.lists(st.sampled_from([person.id for person in staff.people]), min_size=1, max_size=4, unique=True)
    grounds = [one.ground for one in policy.appeal.only_on] if policy.appeal else []
    return {
        "code": st.sampled_from([*codes[:4], "other"]),
        "medium": st.sampled_from(["email", "telephone", "letter"]),
        "summary": WORDS, "reasons": WORDS, "grounds": WORDS | st.none(), "view": WORDS, "note": WORDS, "question": WORDS, "client": WORDS,
        "measures": WORDS, "representative": WORDS, "problem": WORDS,
        "findings": findings,
        "restrictions": RESTRICTIONS,
        "until": ahead | st.none(),
        "review_on": ahead | st.none(),
        "extreme": st.none() | st.just({"reasons": "A threat.", "immediate_threat": "A threat to life."}),
        "reply": st.sampled_from(["agreed", "not-agreed", "no-answer"]),
        "arrangement": st.just({"spoc": "Sam Officer"}),
        "person": st.sampled_from(["officer", "manager", "helpdesk", "assistant"]),
        "about": st.sampled_from(["decision", "review", "new-issue"]),
        "method": st.sampled_from(["email", "first-class-post", "by-hand"]),
        "outcome": st.sampled_from(OUTCOMES),
        "why": st.sampled_from(["scheduled", "requested", "own-motion"]),
        "attachments": st.just(["file/1"]), "decision_papers": st.just(["file/1"]), "appeal_papers": st.just(["file/2"]),
        "consulted": st.just(["manager"]),
        "still_needed": st.booleans(),
        "customer_agrees_to_review": st.booleans(),
        "topic": st.sampled_from(["wholly-different", "mixed"]), "recurrence": st.booleans(),
        "years": st.integers(1, 7),
        "channel": st.sampled_from(["email", "telephone", "letter", "in-person"]),
        "kind": st.sampled_from(["ordinary", "ordinary", "appeal", "new-issue", "complaint"]),
        "handled": st.sampled_from(["deal-with-it", "limit-it", "read-and-file"]),
        "meeting": st.none() | members.map(lambda present: {"on": today.isoformat(), "present": present}),
        "review_every": st.none() | st.just({"count": 3, "unit": "months"}),
        "on_grounds": st.just([]) | st.just(["other"]) | st.sampled_from(grounds or [None]).map(lambda one: [one] if one else []),
        "directed_at": st.just([]) | members,
        "against": st.none() | st.sampled_from(["w1", "s1", "s2", "r1", "a1", "a2"]),
        "evidence": st.just("post/1"),
        "text": WORDS,
        "column": st.sampled_from([one.column for one in policy.register_.columns] if policy.register_ else ["case-notes"]),
        "answer": st.sampled_from(["accepted", "refused"]),
        "address": st.just("7 Example Street, Sampletown, ZZ99 9ZZ"),
        "adjustment": st.sampled_from([{"need": "A call.", "formats": ["spoken"]}, {"need": "Large print.", "formats": ["large-print"]}]),
    }  # fmt: skip


@st.composite
def moves(draw: st.DrawFn, policy: Policy, staff: Staff, today: date, *, imported: bool = True) -> tuple[AnyCommand, Actor] | None:
    """Draws one act by somebody, most often complete enough to reach the rules; completing an imported record only for an imported case."""
    never = {"open_case", "import_case", "correct", *([] if imported else ["complete_record"])}
    never |= set() if policy.agents else {"write_to_third_party"}
    do = draw(st.sampled_from([name for name, kind in COMMANDS.items() if "staff" in kind.origins and name not in never]))
    offered = arguments(policy, staff, today)
    fields = [name for name in COMMANDS[do].model_fields if name in offered]
    with_ = {name: value for name in fields if (value := draw(offered[name])) is not None}
    with_ = draw(TO_OTHERS) if do == "write_to_third_party" else with_
    message = {"id": "m", "do": do, "saw": draw(SAW), "with": with_}
    actor = draw(st.sampled_from([*(Actor(origin="staff", person=one, staff=staff) for one in staff.people), CUSTOMER]))
    try:
        return read_command(read_message(message)), actor
    except Refusal:
        return None


def settle(case: Case, policy: Policy, today: date) -> Case:
    """Returns the case after everything that happens by itself up to a day: letters sent, deadlines come."""
    for _ in range(400):
        waiting = next((one for one in case.notices if one.status == "to-send"), None)
        if waiting:
            compose(case, waiting, policy=policy, calendar=ENGLAND, sent_on=today)
            command: AnyCommand = NoticeSent(saw=waiting.id, method=method_of(case, waiting))
            case = decide(case, command, actor=POST, policy=policy, calendar=ENGLAND, today=today).case
            continue
        due = next_deadline(case, policy, ENGLAND)
        if due is None or due.fires > today:
            return case
        case = decide(case, DeadlinePassed(key=due.key), actor=CALENDAR, policy=policy, calendar=ENGLAND, today=today).case
    raise AssertionError(f"deadlines without end: {[one.key for one in open_deadlines(case, policy, ENGLAND)][:5]}")


def check(case: Case, policy: Policy, today: date) -> None:
    """Asserts what must hold of any case on any day."""
    for sanction in case.sanctions:
        if not (case.imported and sanction.id == "s1"):  # who took a decision before the import, the old record may not say
            check_signed(case, sanction, policy)
        if sanction.in_force:
            untold = case.notice(sanction.notice).notified_on is None
            assert sanction.terms.until or review_due(case, sanction, policy, ENGLAND) or untold, "no end and no next review"
            assert sanction.terms.until is None or sanction.terms.until >= today, "in force after its end"
    for challenge in case.challenges:
        assert challenge.decided_on is None or challenge.late_decision != "declined"
        before = [one for one in case.challenges if one.against == challenge.against and one.stage < challenge.stage]
        assert challenge.stage == 1 or any(one.decided_on and one.decided_on <= challenge.on for one in before), "a stage left out"
        if policy.appeal and policy.appeal.independent.value:
            humans = {by.human for by in challenge.signatures}
            assert not humans & {by.human for one in before for by in one.signatures}, "decided twice by one human being"
    assert len({one.done for one in case.requests if one.done}) == len([one for one in case.requests if one.done])
    assert Case.model_validate_json(case.model_dump_json(by_alias=True)) == case, "a case does not come back as it was saved"
    tasks(case, policy, ENGLAND, today=today)
    flags(case, policy, ENGLAND, today=today)


def check_signed(case: Case, sanction: Sanction, policy: Policy) -> None:
    sign_off = policy.decision.sign_offs[_sign_off_of(case, sanction.id, policy)]
    humans = {one.human for one in sanction.signatures}
    assert len(humans) >= (sign_off.people.value if sign_off.people else 1), "a decision without the people its clause demands"
    if sign_off.decided_by.offices:
        assert any(one.office in sign_off.decided_by.offices for one in sanction.signatures), "signed by no office the policy names"
    if sign_off.signers and sign_off.people:
        assert len({one.human for one in sanction.signatures if one.counts}) >= sign_off.people.value, "two of a list"
    if sign_off.committee and sign_off.committee.quorum:
        assert sanction.sitting and len({one.human for one in sanction.signatures if one.counts}) >= sign_off.committee.quorum.value
        assert sanction.decided_on == sanction.sitting.on
    if sign_off.different_grades:
        assert len({one.grade for one in sanction.signatures}) > 1


def _sign_off_of(case: Case, sanction: str, policy: Policy) -> str:
    number = int(sanction[1:]) - (2 if case.imported and "decision:s1" in case.imported.past else 1)
    return [one for one in case.proposals if one.closed == "decided"][number].sign_off


OWN = [file.stem for file in own_policies.FILES]


@pytest.mark.parametrize("name", OWN)
def test_whatever_happens_under_an_invented_policy_no_right_is_lost(name: str):
    """What a policy file can say besides the five shipped ones holds in any order of acts too."""
    policy, staff, starts = own_starts(name)
    print(f"{len(starts)} starting points")

    assert len(OWN) >= 5
    assert len(starts) >= 4
    holds_always(name, policy, staff, starts, examples=40)


@pytest.mark.parametrize("name", sorted(STARTS))
def test_whatever_happens_no_right_is_lost_and_no_limit_is_for_ever(name: str):
    """DEF-12, NE-13, NE-22, MMO-44, PCC-54: sign-offs, ends, reviews and letters hold under any order of acts."""
    holds_always(name, *STARTS[name], examples=100)


def holds_always(name: str, policy: Policy, staff: Staff, starts: tuple[Callable[[], Case], ...], *, examples: int) -> None:
    played = {"years": 0.0, "steps": 0, "accepted": 0}

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def play(data: st.DataObject) -> None:
        case = data.draw(st.sampled_from(starts))()
        happened = [*(one.on for one in case.incidents), *(one.on for one in case.challenges), *(one.on for one in case.reviews)]
        today = max([notice.sent_on or notice.created_on for notice in case.notices] + [case.opened_on, *happened])
        begun = today
        for _ in range(data.draw(st.integers(14, 30))):
            today += timedelta(days=data.draw(st.sampled_from([0, 1, 3, 14, 15, 29, 60, 92, 184, 366, 731, 1100])))
            case = settle(case, policy, today)
            move = data.draw(moves(policy, staff, today, imported=case.imported is not None))
            played["steps"] += 1
            before = case
            if move is not None:
                case = attempt(case, *move, policy=policy, today=today)
            played["accepted"] += case is not before
            if case.destroyed_on:
                break
            case = settle(case, policy, today)
            check(case, policy, today)
        played["years"] += (today - begun).days / 365.25

    play()

    # A property test over nothing would prove nothing: how much was played is counted, and must not be little.
    print(name, played)
    assert played["years"] > 10 * examples
    assert played["accepted"] > played["steps"] / 20


def attempt(case: Case, command: AnyCommand, actor: Actor, *, policy: Policy, today: date) -> Case:
    """Returns the case after an act, or as it was (with what is kept) where it was refused; nothing else may be raised."""
    try:
        decision = decide(case, command, actor=actor, policy=policy, calendar=ENGLAND, today=today)
    except Refusal as refusal:
        assert refusal.reason.endswith((".", ".'")), refusal.reason
        return refusal.kept or case
    except MissingPart as missing:  # a letter is composed when it is sent, never when it is decided
        raise AssertionError(missing) from missing
    assert decision.case.seq == case.seq + 1
    assert decision.entries
    ends = retention_ends(case, policy, ENGLAND)
    if decision.case.destroyed_on:
        assert ends is not None and today > ends.date and not case.held, "papers destroyed before their time"
        one, two = (signed.by for signed in case.destruction_signed)
        assert one.human != two.human and one.office != two.office, "papers destroyed by fewer than two"
    return decision.case
