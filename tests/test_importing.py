"""Cases taken over in mid-life: what they become, what stays unknown, and that they live on like any other."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.bodies import Body
from domain.attention import attention
from domain.case import Case, Customer
from domain.commands import (
    Appeal,
    CompleteRecord,
    DecideAppeal,
    ImportCase,
    ImposeSanction,
    IssueNotice,
    NoticeBlocked,
    ReviewSanction,
)
from domain.decide import decide
from domain.decision import Decision, Refusal
from domain.flags import flags, missed_reviews
from domain.importing import import_case
from domain.informing import to_inform
from domain.letters import MissingPart, compose
from domain.notices import notified_on
from domain.people import CUSTOMER, POST, Actor, Staff
from domain.policy import Policy
from domain.questions import questions_of, shortfalls
from domain.register_writers import writers
from domain.review_clocks import review_due
from domain.tasks import tasks
from starter.import_cells import Words
from starter.register_import import COLUMNS, check_table
from starter.spreadsheet import Line, Table
from tests import stories
from tests.stories import CASEY, ENGLAND, MMO_GROUNDS, ONE_CALL_A_WEEK, ONE_EMAIL_A_WEEK, ONE_NAMED_PERSON, after, mmo, portsmouth
from tests.test_properties import attempt, check, moves, settle

TODAY = date(2027, 3, 10)
GOOD = {"good-grounds": "Forty emails in February."}


def keeper(policy: Policy, staff: Staff) -> Actor:
    """Returns somebody who may take cases over: of the posts that the policy gives its register to, else the officer."""
    posts = {office for who in writers(policy) for office in who.offices}
    may = [one.id for one in staff.people if posts & set(one.offices)] or ["officer"]
    return stories.actor(may[0] if may[0] in staff.by_id else staff.people[0].id, staff)


def imported(policy: Policy, staff: Staff, *, on: date = TODAY, customer: Customer = CASEY, **facts: object) -> Decision:
    """Returns the decision on a case of a body's old record."""
    command = ImportCase.model_validate(
        {"body": policy.policy, "reference": "UC 12", "file_sha256": "ab" * 32, "line": 7, "customer": customer, **facts}
    )
    return import_case(
        command,
        id=f"{policy.policy}/UC-12",
        edition="0" * 64,
        keep_years=6,
        actor=keeper(policy, staff),
        staff=staff,
        policy=policy,
        calendar=ENGLAND,
        today=on,
    )


def an_old_mmo_case(**facts: object) -> Case:
    """Returns an MMO case decided on 3 March 2019, told on the 5th, imported on 10 March 2027."""
    given = {"decided_on": date(2019, 3, 3), "told_on": date(2019, 3, 5), "restrictions": (ONE_EMAIL_A_WEEK,), **facts}
    return imported(stories.MMO, stories.MMO_STAFF, **given).case


def kinds(case: Case, policy: Policy) -> set[str]:
    return {one.kind for one in tasks(case, policy, ENGLAND, today=TODAY)}


def test_every_review_since_the_last_one_counts_as_missed():
    """MMO-44, DEF-12: decided on 3 March 2019, the reviews of 2020 to 2027 were not held."""
    case = an_old_mmo_case()

    assert (case.stage, missed_reviews(case)) == ("restricted", 8)
    assert {"imported", "review_overdue", "review_missed"} <= set(flags(case, stories.MMO, ENGLAND, today=TODAY))
    assert {"review", "escalated", "complete-record"} <= kinds(case, stories.MMO)
    [first, *_] = attention(case, stories.MMO, ENGLAND, today=TODAY)
    assert first.what == "review of 3 Mar 2020 overdue; 8 reviews missed"


def test_a_review_that_was_held_settles_every_date_up_to_it():
    """DEF-13: which of the earlier reviews were held nobody knows, so none of them counts as missed."""
    case = an_old_mmo_case(last_review=date(2025, 2, 20))

    assert missed_reviews(case) == 2
    due = review_due(case, case.sanctions[0], stories.MMO, ENGLAND)
    assert due is not None and due.date == date(2026, 3, 3)


def test_a_late_review_after_the_import_does_not_erase_the_count():
    """MMO-45, DEF-12."""
    review = ReviewSanction(saw="s1", why="scheduled", outcome="continue", reasons="They go on.", findings=GOOD)

    case = after(an_old_mmo_case(), (review, mmo("reviewer"), TODAY))

    assert missed_reviews(case) == 8
    due = review_due(case, case.sanctions[0], stories.MMO, ENGLAND)
    assert due is not None and due.date == date(2028, 3, 3)
    found = {one.kind: one.what for one in attention(case, stories.MMO, ENGLAND, today=TODAY)}
    assert found["review-missed"] == "8 reviews missed, held since"


def test_no_letter_goes_out_about_the_past():
    """Told, warned, reviewed and appealed before the import: nothing of it is sent again."""
    case = an_old_mmo_case(
        warned_on=date(2019, 2, 1),
        last_review=date(2025, 2, 20),
        appeal={"received_on": "2019-03-10", "decided_on": "2019-04-01", "outcome": "uphold"},
    )

    assert [one.kind for one in case.notices] == ["warning", "decision"]
    assert {one.status for one in case.notices} == {"sent"}
    assert {one.method for one in case.notices} == {"imported"}


def test_a_restriction_that_ended_by_its_own_date_is_imported_as_ended():
    """DEF-12: an end date that the customer was told ends the restrictions."""
    decision = imported(
        stories.MMO,
        stories.MMO_STAFF,
        decided_on=date(2019, 3, 3),
        told_on=date(2019, 3, 3),
        restrictions=(ONE_EMAIL_A_WEEK,),
        until=date(2020, 1, 1),
    )

    case = decision.case
    assert (case.stage, case.sanctions[0].ended_on, case.sanctions[0].ended_how) == ("archived", date(2020, 1, 1), "lapsed")
    assert all(one.status == "sent" for one in case.notices)
    assert any("Wednesday 1 January 2020: imported as ended" in one.what for one in decision.entries)
    assert kinds(case, stories.MMO) == {"destroy"}


@pytest.mark.parametrize(("until", "in_force"), [(date(2027, 3, 9), False), (TODAY, True)])
def test_the_last_day_still_counts(until: date, in_force: bool):
    """DEF-02: restrictions that end today run to midnight."""
    case = an_old_mmo_case(until=until)

    assert bool(case.in_force) is in_force


def test_a_customer_who_was_never_told_is_decided_and_not_yet_notified():
    """DEF-05: nothing is enforced before notification; a person issues the letter, nothing sends it."""
    case = an_old_mmo_case(told_on=None)

    assert {"not_yet_notified"} <= set(flags(case, stories.MMO, ENGLAND, today=TODAY))
    assert [one.status for one in case.notices] == ["to-issue"]
    assert "issue" in kinds(case, stories.MMO)
    assert "decided, not yet notified" in {one.what for one in attention(case, stories.MMO, ENGLAND, today=TODAY)}


def test_a_letter_never_prints_reasons_that_nobody_knows():
    """MMO-30: the letter is stopped instead, and a person looks."""
    case = after(an_old_mmo_case(told_on=None), (IssueNotice(saw="n1"), mmo("manager"), TODAY))

    with pytest.raises(MissingPart, match="reasons"):
        compose(case, case.notices[0], policy=stories.MMO, calendar=ENGLAND, sent_on=TODAY)

    blocked = after(case, (NoticeBlocked(saw="n1", problem="No reasons."), POST, TODAY))
    known = after(
        blocked, (CompleteRecord(reasons="Forty emails a week."), mmo("officer"), TODAY), (IssueNotice(saw="n1"), mmo("manager"), TODAY)
    )
    assert compose(known, known.notices[0], policy=stories.MMO, calendar=ENGLAND, sent_on=TODAY).sections


def test_what_is_completed_fills_gaps_and_overwrites_nothing():
    case = after(an_old_mmo_case(), (CompleteRecord(reasons="Forty emails.", decided_by="manager"), mmo("officer"), TODAY))

    assert case.sanctions[0].terms.reasons == "Forty emails."
    assert case.sanctions[0].signatures[0].person == "manager"
    with pytest.raises(Refusal, match="recorded already"):
        after(case, (CompleteRecord(reasons="Others."), mmo("officer"), TODAY))
    with pytest.raises(Refusal, match="not on the staff list"):
        after(case, (CompleteRecord(contact_officer="nobody-here"), mmo("officer"), TODAY))
    with pytest.raises(Refusal, match="not imported"):
        after(stories.a_restricted_mmo_case(), (CompleteRecord(reasons="Others."), mmo("officer"), TODAY))


def test_who_decided_may_not_review_once_it_is_known():
    """DEF-09: independence holds for an imported decision as for any other, and says when it could not be checked."""
    review = ReviewSanction(saw="s1", why="scheduled", outcome="lift")
    known = an_old_mmo_case(decided_by="reviewer")

    with pytest.raises(Refusal, match="does not review it"):
        after(known, (review, mmo("reviewer"), TODAY))

    from domain.decide import decide

    decision = decide(an_old_mmo_case(), review, actor=mmo("reviewer"), policy=stories.MMO, calendar=ENGLAND, today=TODAY)
    assert any("nobody could check" in one.what for one in decision.entries)


def test_a_pending_appeal_is_owed_its_answer():
    """MMO-43: 20 working days from receipt, wherever the case began."""
    case = an_old_mmo_case(decided_on=date(2027, 2, 1), told_on=date(2027, 2, 1), appeal={"received_on": "2027-02-10"})

    decide_it = DecideAppeal(saw="a1", outcome="uphold", reasons="It is fair.")
    answered = after(case, (decide_it, mmo("reviewer"), TODAY))
    assert [one.kind for one in answered.notices if one.status == "to-send"] == ["appeal-outcome"]
    with pytest.raises(Refusal, match="already been used"):
        after(case, (Appeal(medium="email"), CUSTOMER, date(2027, 2, 12)))


def test_an_appeal_that_came_late_waits_for_a_decision_on_that():
    """PCC-82: nobody knows whether it was let in; it is visible, and neither declined nor accepted."""
    case = imported(
        stories.PORTSMOUTH, stories.PORTSMOUTH_STAFF, decided_on=date(2026, 9, 10), told_on=date(2026, 9, 15), until=date(2027, 9, 10),
        restrictions=(ONE_CALL_A_WEEK,), appeal={"received_on": "2026-11-20"},
    ).case  # fmt: skip

    assert "late_appeal_undecided" in flags(case, stories.PORTSMOUTH, ENGLAND, today=TODAY)


def test_a_disengagement_nobody_was_told_of_has_no_review_date_and_is_listed():
    """NE-34, NE-35: the twelve months run from the notice; without one the entry is listed until it has a date."""
    policy, staff = stories.NATURAL_ENGLAND, stories.NATURAL_ENGLAND_STAFF
    case = imported(policy, staff, decided_on=date(2024, 5, 1), restrictions=({"type": "partial-disengagement", "topics": ["x"]},)).case

    assert "no_review_date" in flags(case, policy, ENGLAND, today=TODAY)
    [task] = [one for one in tasks(case, policy, ENGLAND, today=TODAY) if one.kind == "no-review-date"]
    assert (task.offices, task.cites) == (("customer-focus-team",), ("NE-34",))
    [listed] = [one for one in attention(case, policy, ENGLAND, today=TODAY) if one.kind == "no-review-date"]
    assert (listed.since, listed.cites) == (date(2024, 5, 1), ("NE-34",))


def test_a_sanction_whose_review_date_is_not_recorded_takes_the_latest_the_policy_allows():
    """NE-22, A-30: at most 12 months; no sanction stays without one."""
    policy = stories.NATURAL_ENGLAND
    decision = imported(
        policy, stories.NATURAL_ENGLAND_STAFF, decided_on=date(2024, 5, 1), told_on=date(2024, 5, 1), restrictions=(ONE_NAMED_PERSON,)
    )

    due = review_due(decision.case, decision.case.sanctions[0], policy, ENGLAND)
    assert due is not None and due.date == date(2025, 5, 1)
    assert missed_reviews(decision.case) == 1
    assert any("latest that the policy allows" in one.what and "NE-22" in one.cites for one in decision.entries)


def test_teams_are_told_of_what_happens_now_and_not_of_the_past():
    """NE-21, DEF-14: nobody is asked to publish a decision of 2024 again; the lift of today is another matter."""
    policy, staff = stories.NATURAL_ENGLAND, stories.NATURAL_ENGLAND_STAFF
    facts = {"decided_on": date(2024, 5, 1), "told_on": date(2024, 5, 1), "restrictions": (ONE_NAMED_PERSON,), "decided_by": "officer"}
    case = imported(policy, staff, contact_officer="colleague", **facts).case
    assert list(to_inform(case, policy)) == []

    lifted = case.model_copy(update={"sanctions": (case.sanctions[0].model_copy(update={"ended_on": TODAY, "ended_how": "lifted"}),)})
    assert {event.at for _, event in to_inform(lifted, policy)} == {"end"}


def test_the_first_line_of_the_log_names_file_and_line_and_the_rest_says_what_is_not_known():
    decision = imported(
        stories.MMO, stories.MMO_STAFF, decided_on=date(2019, 3, 3), told_on=date(2019, 3, 5), restrictions=(ONE_EMAIL_A_WEEK,)
    )

    first, *rest = [one.what for one in decision.entries]
    assert first == f"Imported as UC 12, from line 7 of a file with the sha256 {'ab' * 32}."
    assert {"Who decided is not recorded.", "No reasons are recorded.", "No warning is recorded before the decision."} <= set(rest)
    assert "No review since Sunday 3 March 2019: 8 reviews missed, owed since Tuesday 3 March 2020." in rest


def test_what_the_policy_does_not_allow_is_said_and_stands():
    """PCC-54, MMO-31: a case is in force as the customer was told, whatever the policy would allow today."""
    long = imported(
        stories.PORTSMOUTH, stories.PORTSMOUTH_STAFF, decided_on=date(2026, 9, 3), told_on=date(2026, 9, 3), until=date(2028, 9, 3),
        restrictions=(ONE_CALL_A_WEEK,),
    )  # fmt: skip
    other = imported(
        stories.MMO, stories.MMO_STAFF, decided_on=date(2026, 9, 3), told_on=date(2026, 9, 3), restrictions=(ONE_NAMED_PERSON,)
    )

    assert any("at most 12 months" in one.what for one in long.entries) and long.case.in_force
    assert any("not among this policy's options" in one.what and "MMO-31" in one.cites for one in other.entries) and other.case.in_force


IMPOSSIBLE: list[tuple[dict[str, object], str]] = [
    ({}, "decided_on"),
    ({"decided_on": date(2026, 1, 1)}, "restrictions"),
    ({"warned_on": date(2026, 1, 1), "told_on": date(2026, 1, 2)}, "told_on"),
    ({"decided_on": date(2026, 1, 2), "told_on": date(2026, 1, 1), "restrictions": (ONE_EMAIL_A_WEEK,)}, "told_on"),
    ({"decided_on": date(2027, 3, 11), "restrictions": (ONE_EMAIL_A_WEEK,)}, "decided_on"),
    ({"decided_on": date(1026, 1, 2), "restrictions": (ONE_EMAIL_A_WEEK,)}, "decided_on"),
    ({"decided_on": date(2026, 1, 2), "until": date(2026, 1, 2), "restrictions": (ONE_EMAIL_A_WEEK,)}, "until"),
    ({"decided_on": date(2026, 1, 2), "until": date(9999, 1, 2), "restrictions": (ONE_EMAIL_A_WEEK,)}, "until"),
    (
        {"decided_on": date(2020, 1, 2), "until": date(2021, 1, 2), "last_review": date(2022, 1, 2), "restrictions": (ONE_EMAIL_A_WEEK,)},
        "until",
    ),
    ({"decided_on": date(2026, 1, 2), "decided_by": "stranger", "restrictions": (ONE_EMAIL_A_WEEK,)}, "decided_by"),
    ({"decided_on": date(2026, 1, 2), "office": "mayor", "restrictions": (ONE_EMAIL_A_WEEK,)}, "office"),
    ({"decided_on": date(2026, 1, 2), "behaviour": "snoring", "restrictions": (ONE_EMAIL_A_WEEK,)}, "behaviour"),
    ({"decided_on": date(2026, 1, 2), "appeal": {"received_on": "2026-01-01"}, "restrictions": (ONE_EMAIL_A_WEEK,)}, "appeal"),
    (
        {
            "decided_on": date(2026, 1, 2),
            "appeal": {"received_on": "2026-01-03", "decided_on": "2026-01-04", "outcome": "withdraw"},
            "restrictions": (ONE_EMAIL_A_WEEK,),
        },
        "ended_on",
    ),
    (
        {
            "decided_on": date(2026, 1, 2),
            "appeal": {"received_on": "2026-01-03", "decided_on": "2026-01-04", "outcome": "confirm"},
            "restrictions": (ONE_EMAIL_A_WEEK,),
        },
        "appeal",
    ),
]


@pytest.mark.parametrize(("facts", "field"), IMPOSSIBLE, ids=[f"{n}-{field}" for n, (_, field) in enumerate(IMPOSSIBLE)])
def test_what_cannot_be_is_refused_with_the_field_and_what_would_be_right(facts: dict[str, object], field: str):
    with pytest.raises(Refusal, match=rf"{field}: .*right would be") as refused:
        imported(stories.MMO, stories.MMO_STAFF, **facts)
    assert refused.value.kind == "malformed"


def test_an_agreed_form_that_the_customer_s_channel_defeats_is_not_taken_over():
    """DEF-15: plain text is a form of email; the same rule as where a case is opened."""
    plain = {"need": "Reads plain text.", "formats": ["plain-text"]}
    by_post = Customer.model_validate({"name": "Casey Sample", "channel": "letter", "adjustments": [plain]})

    with pytest.raises(Refusal, match=r"customer\.adjustments: .*form of email"):
        imported(stories.MMO, stories.MMO_STAFF, customer=by_post, decided_on=date(2026, 1, 2), restrictions=(ONE_EMAIL_A_WEEK,))


def test_a_policy_without_an_appeal_takes_over_none():
    """C24-67."""
    with pytest.raises(Refusal, match="gives no appeal"):
        imported(
            stories.COUNCIL, stories.COUNCIL_STAFF, decided_on=date(2026, 1, 2), told_on=date(2026, 1, 2), restrictions=(ONE_NAMED_PERSON,),
            appeal={"received_on": "2026-01-03"},
        )  # fmt: skip


def test_a_warned_case_goes_on_to_a_decision_under_the_policy():
    """MMO-24, MMO-26: the old warning supports a decision once behaviour goes on, and not without."""
    case = imported(
        stories.MMO, stories.MMO_STAFF, warned_on=date(2027, 2, 1), last_incident=date(2027, 2, 20), behaviour="excessive-contact"
    ).case
    assert case.stage == "continued"

    impose = ImposeSanction(restrictions=(ONE_EMAIL_A_WEEK,), reasons="They go on.", findings=MMO_GROUNDS)
    decided = after(case, (impose, mmo("manager"), TODAY))
    assert decided.stage == "restricted"
    calm = imported(stories.MMO, stories.MMO_STAFF, warned_on=date(2027, 2, 1)).case
    with pytest.raises(Refusal):
        after(calm, (impose, mmo("manager"), TODAY))


def test_tasks_for_people_the_record_does_not_name_reach_whoever_imported():
    """A task for nobody is a task nobody does."""
    cases = [
        (imported(stories.PORTSMOUTH, stories.PORTSMOUTH_STAFF, warned_on=date(2027, 2, 1)).case, stories.PORTSMOUTH),
        (an_old_mmo_case(told_on=None), stories.MMO),
        (
            imported(
                stories.NATURAL_ENGLAND, stories.NATURAL_ENGLAND_STAFF, decided_on=date(2024, 5, 1), told_on=date(2024, 5, 1),
                restrictions=({"type": "partial-disengagement", "topics": ["x"]},),
            ).case,
            stories.NATURAL_ENGLAND,
        ),
    ]  # fmt: skip
    found = [task for case, policy in cases for task in tasks(case, policy, ENGLAND, today=TODAY)]

    assert len(found) > 6
    assert [one for one in found if not one.people and not one.offices] == []
    assert [one for one in found if "not-recorded" in " ".join(one.people) or "None" in " ".join(one.people)] == []


def test_nobody_of_portsmouth_refers_before_it_is_known_who_held_step_one():
    """PCC-38: the manager who spoke to the customer refers; once named, that manager can."""
    from domain.commands import RecordReply, Refer

    case = imported(
        stories.PORTSMOUTH, stories.PORTSMOUTH_STAFF, warned_on=date(2027, 2, 1), last_incident=date(2027, 1, 20), area="housing"
    ).case
    refer = Refer(findings={"behaviour-details": "Calls.", "efforts": "A meeting."}, attachments=("old/file",))
    failed = (RecordReply(reply="not-agreed"), portsmouth("manager"), TODAY)
    with pytest.raises(Refusal):
        after(case, failed, (refer, portsmouth("manager"), TODAY))

    assert after(
        case, (CompleteRecord(warned_by="manager"), portsmouth("helpdesk"), TODAY), failed, (refer, portsmouth("manager"), TODAY)
    ).referrals


# Any table that is accepted gives cases for which everything holds that holds for any other case

LIMITS = {
    "mmo": [
        "contact-volume-limit max_contacts=1 per=week channel=email",
        "refuse-all-contact",
        "legal-action; no-reply-on-topic topic=fence|gate",
    ],
    "natural-england": ["single-point-of-contact officer='A Person'", "partial-disengagement topics=fence", "full-disengagement"],
    "maidstone": ["contact-duration-limit channel=telephone max_duration=10", "read-and-file reader='A Person'"],
    "portsmouth": [
        "serious-queries-only prescribed=None",
        "refuse-all-contact duration=permanent",
        "premises-restriction premises='Civic Offices'",
    ],
    "council-2024-2028": ["single-point-of-contact officer='A Person'", "other-action description='As told'", "police-report"],
}
PEOPLE = {
    "mmo": (stories.MMO, stories.MMO_STAFF),
    "natural-england": (stories.NATURAL_ENGLAND, stories.NATURAL_ENGLAND_STAFF),
    "maidstone": (stories.MAIDSTONE, stories.MAIDSTONE_STAFF),
    "portsmouth": (stories.PORTSMOUTH, stories.PORTSMOUTH_STAFF),
    "council-2024-2028": (stories.COUNCIL, stories.COUNCIL_STAFF),
}


def written(days: st.SearchStrategy[date]) -> st.SearchStrategy[str]:
    """Returns days as people write them."""
    return st.tuples(days, st.booleans()).map(lambda one: one[0].isoformat() if one[1] else f"{one[0]:%d/%m/%Y}")


@st.composite
def rows(draw: st.DrawFn, name: str) -> dict[str, str]:
    """Draws a line of a spreadsheet that may be true: some days follow the decision, some facts are missing."""
    review = PEOPLE[name][0].review
    ends_must_be_set = review.cycle is None and review.chosen is None
    decided = draw(st.dates(date(2012, 1, 1), TODAY))
    later = written(st.dates(decided, TODAY))
    ahead = written(st.dates(decided + timedelta(days=1), date(2030, 1, 1)))
    blank = st.just("")
    outcomes = PEOPLE[name][0].appeal.outcomes.value if PEOPLE[name][0].appeal else ("uphold",)
    appeals = [blank, later.map(lambda day: f"pending since {day}"), later.map(lambda day: f"decided {day}: {outcomes[0]}")]
    return {
        "customer": "Casey Sample",
        "address": draw(st.sampled_from(["casey.sample@example.org", "1 Example Street", ""])),
        "behaviour": draw(st.sampled_from(["other", "Far too many emails", *PEOPLE[name][0].behaviours])),
        "last incident": draw(blank | written(st.dates(date(2012, 1, 1), TODAY))),
        "warned on": draw(blank | written(st.dates(date(2011, 1, 1), decided))),
        "decided on": draw(written(st.just(decided))),
        "told on": draw(blank | later),
        "decided by": draw(st.sampled_from(["", "not recorded", PEOPLE[name][1].people[1].id, next(iter(PEOPLE[name][0].offices))])),
        "restrictions": draw(st.sampled_from(LIMITS[name])).replace("'", '"'),
        "reasons": draw(st.sampled_from(["", "They went on."])),
        "ends on": draw(ahead | ahead.map(str) | blank if ends_must_be_set else st.just("open") | blank | ahead),
        "last review": draw(blank | later),
        "next review": draw(blank | ahead),
        "appeal": draw(st.one_of(appeals if PEOPLE[name][0].appeal else [blank])),
        "ended on": draw(st.sampled_from([blank, blank, later]).flatmap(lambda one: one)),
        "notes": draw(st.sampled_from(["", "Kept by the old team."])),
        "contact officer": draw(st.sampled_from(["", PEOPLE[name][1].people[0].id])),
    }


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_any_line_that_is_accepted_gives_a_case_in_which_everything_holds(name: str):
    """DEF-12, NE-34: an end or a review in sight, nothing in force after its end, no letter about the past; and so for years."""
    policy, staff = PEOPLE[name]
    body = Body(body=name, name=policy.body, policy=name, keep_years=6, people=staff.people)
    seen = {"taken": 0, "faulty": 0, "ended": 0, "missed": 0, "letters": 0, "acts": 0}

    @settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def play(data: st.DataObject) -> None:
        row = {"reference": "UC 1", **data.draw(rows(name))}
        table = Table(header=Line(1, tuple(row)), rows=(Line(2, tuple(row.values())),), delimiter=",")
        checked = check_table(table, Words(), sha256="ab" * 32, body=body, by=keeper(policy, staff).id, today=TODAY)
        if checked.faults:
            seen["faulty"] += 1
            assert all(one.column in (*COLUMNS, "the line") and one.right for one in checked.faults), checked.faults
            return
        [prepared] = checked.prepared
        case = import_case(
            prepared.command, id=prepared.report.case, edition="0" * 64, keep_years=6, actor=keeper(policy, staff),
            staff=staff, policy=policy, calendar=ENGLAND, today=TODAY,
        ).case  # fmt: skip
        seen["taken"] += 1
        seen["ended"] += not case.in_force
        seen["missed"] += missed_reviews(case) > 0
        assert not any(one.status == "to-send" for one in case.notices), "a letter about the past"
        assert settle(case, policy, TODAY) == case, "a deadline of the past was left to fire"
        _lives_on(data, case, policy, staff, seen)

    play()
    print(name, seen)
    assert seen["taken"] > 20 and seen["ended"] > 5 and seen["acts"] > 5
    assert seen["missed"] > 3 or name == "portsmouth"


def _lives_on(data: st.DataObject, case: Case, policy: Policy, staff: Staff, seen: dict[str, int]) -> None:
    today = TODAY
    check(case, policy, today)
    for days in (1, 29, 92, 366, 1100):
        today += timedelta(days=days)
        told = len([one for one in case.notices if one.status == "sent"])
        case = settle(case, policy, today)
        seen["letters"] += len([one for one in case.notices if one.status == "sent"]) - told
        for _ in range(3):
            move = data.draw(moves(policy, staff, today))
            if move is None:
                continue
            before = case
            try:
                case = attempt(case, *move, policy=policy, today=today)
                case = _settled_or_blocked(case, policy, today)
            except MissingPart:
                case = before
            seen["acts"] += case is not before
        if case.destroyed_on:
            return
        check(case, policy, today)
        attention(case, policy, ENGLAND, today=today)
        assert all(notified_on(case, one.notice) is None or one.decided_on <= notified_on(case, one.notice) for one in case.sanctions)


def _settled_or_blocked(case: Case, policy: Policy, today: date) -> Case:
    """Returns the case after what happens by itself; a letter that lacks what nobody knows is blocked, as the post does it."""
    for _ in range(20):
        try:
            return settle(case, policy, today)
        except MissingPart as missing:
            waiting = next(one for one in case.notices if one.status == "to-send")
            blocked = NoticeBlocked(saw=waiting.id, problem=str(missing))
            case = after_(case, blocked, policy, today)
    raise AssertionError("letters without end")


def after_(case: Case, command: NoticeBlocked, policy: Policy, today: date) -> Case:
    from domain.decide import decide

    return decide(case, command, actor=POST, policy=policy, calendar=ENGLAND, today=today).case


def test_the_record_of_an_ended_case_that_nobody_looks_at_is_listed():
    """MBC-49, MBC-52: every three months while it is kept, wherever the case began."""
    policy, staff = stories.MAIDSTONE, stories.MAIDSTONE_STAFF
    facts = {"decided_on": date(2026, 6, 1), "told_on": date(2026, 6, 1), "until": date(2026, 9, 1), "restrictions": (ONE_CALL_A_WEEK,)}

    found = attention(imported(policy, staff, **facts).case, policy, ENGLAND, today=TODAY)

    assert [(one.kind, one.what, one.since) for one in found] == [
        ("look-overdue", "look at the record of 1 Dec 2026 overdue", date(2026, 12, 1))
    ]


def test_what_an_imported_incident_was_asked_is_a_gap_of_the_record_and_no_open_question():
    """MMO-05 to MMO-23: nobody here can be asked about an incident of years ago; what is found is added, the rest stays not recorded."""
    policy = stories.policy_named("mmo")
    staff, officer = mmo("officer").staff, mmo("officer")
    case = imported(policy, staff, warned_on=date(2027, 1, 4), last_incident=date(2027, 2, 1), behaviour="out-of-remit-persistence").case
    asked = [rule.finding for rule in questions_of("out-of-remit-persistence", policy) if not rule.optional]
    waiting = {one.kind: one.what for one in tasks(case, policy, ENGLAND, today=TODAY)}

    assert asked and "incident-questions" not in waiting
    assert f"of the incident i1: {', '.join(asked)}" in waiting["complete-record"]
    assert {one.says for one in shortfalls(case.incidents[0], case, policy)} >= {"is not recorded"}
    found = CompleteRecord(findings={asked[0]: "2026-11-02"})
    after = decide(case, found, actor=officer, policy=policy, calendar=ENGLAND, today=TODAY).case
    assert asked[0] in after.incidents[0].findings
    assert asked[0] not in "".join(one.what for one in tasks(after, policy, ENGLAND, today=TODAY) if one.kind == "complete-record")


def test_answers_about_an_incident_that_was_not_imported_are_refused():
    policy = stories.policy_named("mmo")
    case = imported(policy, mmo("officer").staff, warned_on=date(2027, 1, 4)).case

    with pytest.raises(Refusal, match="No incident was imported"):
        decide(case, CompleteRecord(findings={"x": True}), actor=mmo("officer"), policy=policy, calendar=ENGLAND, today=TODAY)
