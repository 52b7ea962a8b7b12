"""Clauses that were carried and now have an effect: who writes in a register, agreements, links, intake, what the text answers, papers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from activities.bodies import Body, body_of, keep_edition, policy_at_body, save_body
from domain.agreements import agreements
from domain.case import Case, Customer
from domain.commands import (
    AnnotateRegister,
    Approve,
    ClassifyContact,
    CompleteIncident,
    DestroyPapers,
    LogContact,
    ProposeSanction,
    RecordAgreement,
    ReportBehaviour,
    Warn,
)
from domain.decide import decide
from domain.decision import Decision, Refusal
from domain.desk import advise
from domain.desk_entry import entry_of
from domain.desk_question import Asked
from domain.guidance import guidance_at
from domain.links import with_addresses
from domain.papers import papers_of
from domain.policy import Policy
from domain.questions import open_questions
from domain.register import entry
from domain.rules import Finding
from policies import load
from policies.form import form_of
from policies.load import Contradiction, Unreadable
from records.database import reading, transaction
from starter.bodies import read_body
from starter.import_cells import Words
from starter.register_import import check_table
from starter.spreadsheet import Line, Table
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
    NATURAL_ENGLAND_GROUNDS,
    NATURAL_ENGLAND_STAFF,
    REASONS,
    a_disengaged_natural_england_case,
    a_referred_maidstone_case,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    a_warned_natural_england_case,
    after,
    an_opened_mmo_case,
    council,
    maidstone,
    mmo,
    natural_england,
    opened,
    policy_named,
    portsmouth,
    sent,
)
from tests.tables import with_tables
from tests.test_policies import changed, refused

DAY = date(2027, 5, 4)
CHARTER = {"customer-charter": "https://www.example.org/charter"}


def done(case: Case, command: object, who: object, on: date, policy: Policy) -> Decision:
    return decide(case, command, actor=who, policy=policy, calendar=ENGLAND, today=on)  # type: ignore[arg-type]  # any command


# Who writes in the register by hand


def test_a_line_by_hand_says_who_wrote_it_and_takes_nothing_away():
    """MBC-55: the Head keeps the record, the team maintains it."""
    case = a_referred_maidstone_case()
    before = entry(case, MAIDSTONE, ENGLAND)["case-notes"]
    note = AnnotateRegister(column="case-notes", text="Moved within the borough.")

    with pytest.raises(Refusal) as no:
        done(case, note, maidstone("officer"), DAY, MAIDSTONE)
    answer = done(case, note, maidstone("team"), DAY, MAIDSTONE)

    assert "MBC-55" in no.value.cites and "MBC-55" in answer.cites
    assert [(one.by.person, one.by.office) for one in answer.case.register_notes] == [("team", "policy-and-information-team")]
    assert entry(answer.case, MAIDSTONE, ENGLAND)["case-notes"] == f"{before}\nBy hand, Tuesday 4 May 2027, team: Moved within the borough."
    assert "Moved" not in answer.answer, "personal text in the log"


def test_where_the_policy_names_nobody_any_member_of_staff_may_write():
    """The MMO's text names no register (EH-03); what is not in it has no entry to write in."""
    note = AnnotateRegister(column="warning", text="Given by telephone.")

    with pytest.raises(Refusal, match="does not stand in the register"):
        done(an_opened_mmo_case(), note, mmo("officer"), DAY, MMO)
    assert done(a_restricted_mmo_case(), note, mmo("officer"), DAY, MMO).case.register_notes[0].by.person == "officer"


def test_a_file_is_not_taken_over_by_somebody_who_may_not_write_in_the_register():
    """MBC-55: found before anything is made; a trial by nobody in particular still shows what each line becomes."""
    body = Body(body="maidstone", name="Maidstone", policy="maidstone", keep_years=6, people=MAIDSTONE_STAFF.people)
    row = {"reference": "UC 1", "customer": "Casey Sample", "address": "casey.sample@example.org", "warned on": "2027-03-03"}
    table = Table(header=Line(1, tuple(row)), rows=(Line(2, tuple(row.values())),), delimiter=",")

    found = {by: check_table(table, Words(), sha256="ab" * 32, body=body, by=by, today=DAY) for by in ("officer", "team", "head", None)}

    assert [(one.line, one.cites[0]) for one in found["officer"].faults] == [(2, "MBC-55")] and found["officer"].prepared == ()
    assert [len(found[by].prepared) for by in ("team", "head", None)] == [1, 1, 1]


# Written agreements


def an_offered_agreement() -> Case:
    """Returns a Natural England case asked for a written agreement (s1.1) on 10 March 2027, told (n2) that day."""
    day = date(2027, 3, 10)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Sixty more.", consulted=("colleague",))
    propose = {"restrictions": ({"type": "written-agreement", "terms": "One letter a month."},), "reasons": REASONS}
    case = after(a_warned_natural_england_case(), (again, natural_england("officer"), date(2027, 2, 19)))
    case = after(
        case,
        (
            ProposeSanction.model_validate({**propose, "review_on": date(2027, 9, 10), "findings": NATURAL_ENGLAND_GROUNDS}),
            natural_england("officer"),
            day,
        ),
        (Approve(saw="p1"), natural_england("manager"), day),
    )
    assert agreements(case, NATURAL_ENGLAND)[0].offered_on is None, "offered before its letter went"
    return sent(case, "n2", on=day)


def test_an_agreement_has_the_days_on_which_it_was_offered_and_answered():
    """NE-62: a later answer counts, and every one is kept."""
    case = an_offered_agreement()
    for on, answer in ((date(2027, 3, 12), "refused"), (date(2027, 4, 1), "accepted")):
        case = done(case, RecordAgreement(saw="s1", answer=answer, medium="letter"), natural_england("officer"), on, NATURAL_ENGLAND).case  # type: ignore[arg-type]

    [one] = agreements(case, NATURAL_ENGLAND)
    assert (one.offered_on, one.answer, one.answered_on) == (date(2027, 3, 10), "accepted", date(2027, 4, 1))
    assert [one.answer for one in case.agreements] == ["refused", "accepted"] and case.in_force


def test_the_desk_holds_nobody_to_what_was_refused():
    """NE-62: the sanction is the request."""
    case, said = an_offered_agreement(), {}
    asked = Asked(channel="email", topic="the fence", on=date(2027, 3, 20))
    for answer in (None, "accepted", "refused"):
        if answer:
            reply = RecordAgreement(saw="s1.1", answer=answer, medium="email")  # type: ignore[arg-type]
            case = done(case, reply, natural_england("officer"), date(2027, 3, 12), NATURAL_ENGLAND).case
        found = entry_of(case, NATURAL_ENGLAND)
        assert found is not None
        said[answer] = advise((found,), asked, staff=NATURAL_ENGLAND_STAFF)

    assert {answer: one.verdict for answer, one in said.items()} == {None: "limit-it", "accepted": "limit-it", "refused": "deal-with-it"}
    assert "asked of" in said[None].says and "agreed with" in said["accepted"].says


# Links


def test_a_warning_points_to_nothing_before_the_body_has_set_it():
    """MMO-49: the text gives no address, so none is invented."""
    warn = Warn(medium="email", links=("customer-charter",), findings={"concerns": "x", "policy-copy-directed": True})

    with pytest.raises(Refusal, match="is not set for this body") as no:
        done(an_opened_mmo_case(), warn, mmo("officer"), DAY, MMO)
    answer = done(an_opened_mmo_case(), warn, mmo("officer"), DAY, with_addresses(MMO, CHARTER))

    assert no.value.cites == ("MMO-49",) and "links:" in str(no.value.remains)
    assert [one.address for one in answer.case.warnings[0].links] == list(CHARTER.values())


@pytest.mark.parametrize(("name", "moment"), [("mmo", "warning"), ("natural-england", "warning"), ("council-2024-2028", "opening")])
def test_guidance_shows_an_address_only_once_it_is_set(name: str, moment: str):
    """MMO-49, NE-66, C24-04."""
    policy = policy_named(name)
    [link] = policy.links
    at = frozenset({moment})

    plain, linked = guidance_at(policy, at), guidance_at(with_addresses(policy, {link: "https://www.example.org/x"}), at)  # type: ignore[arg-type]

    assert plain and not any("https://" in one.text for one in plain)
    assert [one.link for one in linked if "https://www.example.org/x" in one.text] == [link]


FILE = """\
body: example-body
name: Example Body (test)
policy: mmo
links: {customer-charter: "https://www.example.org/charter"}
people: []
"""


def test_a_body_sets_the_address_and_every_open_case_has_it_at_once(tmp_path: Path):
    file = tmp_path / "body.yaml"
    file.write_text(FILE, encoding="utf-8")
    body, engine = read_body(file), with_tables(tmp_path / "evenhand.db")
    with transaction(engine) as session:
        save_body(session, body)
        _, edition = keep_edition(session, body, at=datetime(2027, 3, 1, 9, 0, tzinfo=UTC))

    with reading(engine) as session:
        assert body_of(session, "example-body").links == CHARTER
        assert policy_at_body(session, edition, "example-body").links["customer-charter"].address == CHARTER["customer-charter"]
        assert policy_at_body(session, edition, "another").links["customer-charter"].address is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("customer-charter:", "charter:", "it has: customer-charter"),
        ("https://www.example.org/charter", "javascript:alert(1)", "links.customer-charter"),
        ("https://www.example.org/charter", "https://www.example.org/a b", "links.customer-charter"),
    ],
)
def test_an_address_that_is_none_or_of_nothing_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str):
    file = tmp_path / "body.yaml"
    file.write_text(FILE.replace(old, new), encoding="utf-8")

    with pytest.raises(Unreadable) as error:
        read_body(file)

    assert "body.yaml:4:" in str(error.value) and says in str(error.value)


# Questions of an incident


def with_question(policy: Policy, **fields: object) -> Policy:
    rule = Finding.model_validate({"finding": "extra", "asks": "something", "default": "EH-80", **fields})
    incidents = policy.incidents.model_copy(update={"asks": (*policy.incidents.asks, rule)})
    return policy.model_copy(update={"incidents": incidents})


@pytest.mark.parametrize(
    ("kind", "medium", "asked"), [("agent", "telephone", True), ("agent", "email", False), ("individual", "telephone", False)]
)
def test_a_question_may_depend_on_the_customer_and_on_how_the_contact_came(kind: str, medium: str, asked: bool):
    policy = with_question(MMO, if_customer="agent", if_medium=["telephone"])
    customer = Customer.model_validate({**CASEY.model_dump(), "kind": kind})
    report = ReportBehaviour.model_validate({"code": "threats", "medium": medium, "summary": "A threat."})

    case = done(opened(MMO, MMO_STAFF, customer=customer, area="licensing", on=DAY), report, mmo("officer"), DAY, policy).case

    assert ("extra" in [rule.finding for rule in open_questions(case.incidents[0], case, policy)]) is asked
    reply = CompleteIncident(saw="i1", findings={"extra": "An answer."})
    if asked:
        assert done(case, reply, mmo("officer"), DAY, policy).case.incidents[0].findings["extra"] == "An answer."
    else:
        with pytest.raises(Refusal, match="is not asked extra"):
            done(case, reply, mmo("officer"), DAY, policy)


def test_a_recurrence_after_disengagement_answers_the_questions_of_its_behaviour():
    """NE-31, NE-54: what a report takes, a classified contact takes as well; the hour the desk wrote down goes with it (NE-15)."""
    case, on = a_disengaged_natural_england_case(), date(2027, 6, 10)
    logged = LogContact(channel="telephone", topic="the fence", handled="read-and-file", at=time(8, 15))
    case = done(case, logged, natural_england("officer"), on, NATURAL_ENGLAND).case
    facts = {"saw": "k1", "topic": "same-or-similar", "summary": "The fence.", "code": "excessive-contact", "medium": "telephone"}
    findings = {"count": 9, "period": "One morning.", "hindrance": "Nobody else got through."}
    once = ClassifyContact.model_validate({**facts, "findings": findings})
    again = ClassifyContact.model_validate({**facts, "recurrence": True, "consulted": ["colleague"], "findings": findings})

    with pytest.raises(Refusal, match="belong to a recurrence"):
        done(case, once, natural_england("officer"), on, NATURAL_ENGLAND)
    incident = done(case, again, natural_england("officer"), on, NATURAL_ENGLAND).case.incidents[-1]

    assert incident.findings == findings and incident.time == "08:15"
    wrong = again.model_copy(update={"findings": {"count": "many"}})
    with pytest.raises(Refusal, match="a whole number"):
        done(case, wrong, natural_england("officer"), on, NATURAL_ENGLAND)


def test_the_form_says_what_the_text_has_answered():
    """C24-10: violence, threats, abuse and offensive language; no other behaviour of the list."""
    by_text = {one.code for one in form_of(COUNCIL) for question in one.questions if question.by_the_text is True}

    assert by_text == {"threats", "violence-or-intimidation", "verbal-abuse", "offensive-language"}


def test_what_the_text_answers_stands_on_the_incident():
    """C24-10, C24-08: of any other behaviour nothing is answered for anybody."""
    case = opened(COUNCIL, COUNCIL_STAFF, customer=CASEY, area="parks", on=DAY)
    for code in ("verbal-abuse", "derogatory-remarks"):
        report = ReportBehaviour(code=code, medium="telephone", summary="Shouting.")
        case = done(case, report, council("officer"), DAY, COUNCIL).case

    assert [one.findings for one in case.incidents] == [{"unacceptable": True}, {}]


def test_a_list_of_behaviours_may_be_closed():
    """C24-07, MBC-06 and PCC-11 say that theirs are not; a policy whose list is closed takes no other."""
    policy = load.policy_of(changed("other_behaviour: {cites: [MMO-03]}", "other_behaviour: {allowed: false, cites: [MMO-03]}"), "closed")
    report = ReportBehaviour(code="other", medium="email", summary="Something else.")

    with pytest.raises(Refusal, match="other is no behaviour") as no:
        done(an_opened_mmo_case(), report, mmo("officer"), DAY, policy)

    assert no.value.cites == ("MMO-03",) and "The list is closed" in str(no.value.remains)
    assert "other" not in [one.code for one in form_of(policy)] and "other" in [one.code for one in form_of(MMO)]


OFFENSIVE = "cites: [C24-16], answers: {unacceptable: {value: true, cites: [C24-10]}}}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (OFFENSIVE, OFFENSIVE.replace("unacceptable", "place"), "takes a yes"),
        ("at: [opening], link: customer-charter, cites", "at: [opening], link: charter, cites", "is not under links: customer-charter"),
    ],
)
def test_a_name_that_fits_nothing_is_refused(old: str, new: str, says: str):
    with pytest.raises(Contradiction, match=says):
        load.policy_of(changed(old, new, policy="council-2024-2028"), "bad.yaml")


def test_what_closes_a_list_is_a_yes_or_a_no():
    found = refused(changed("other_behaviour: {cites: [MMO-03]}", "other_behaviour: {allowed: sometimes, cites: [MMO-03]}"))
    assert found[0].startswith("bad.yaml:") and "other_behaviour.allowed" in found[0]


# Papers


def test_papers_are_with_their_keeper_then_in_the_archive_then_destroyed():
    """PCC-88, PCC-89, PCC-90: kept while restrictions last, archived from the day after, six years."""
    policy, running = policy_named("portsmouth"), a_restricted_portsmouth_case()
    ended = running.model_copy(
        update={
            "sanctions": tuple(one.model_copy(update={"ended_on": date(2027, 9, 10), "ended_how": "lapsed"}) for one in running.sanctions)
        }
    )
    with pytest.raises(Refusal) as no:
        done(running, DestroyPapers(), portsmouth("helpdesk"), date(2027, 6, 1), policy)

    kept = papers_of(running, policy, ENGLAND, today=date(2027, 6, 1))
    last_day, archived = (papers_of(ended, policy, ENGLAND, today=day) for day in (date(2027, 9, 10), date(2027, 9, 11)))
    gone = papers_of(ended.model_copy(update={"destroyed_on": date(2033, 9, 11)}), policy, ENGLAND, today=date(2034, 1, 1))

    assert "PCC-88" in no.value.cites
    assert (kept.keeper, kept.state, kept.archived_on, kept.until) == ("city helpdesk manager", "kept", None, None)
    assert (last_day.state, archived.state, gone.state) == ("kept", "archived", "destroyed")
    assert (archived.archived_on, archived.until) == (date(2027, 9, 11), date(2033, 9, 10))
    assert archived.cites == ("PCC-88", "PCC-89")


def test_a_policy_that_names_no_keeper_and_no_archive_says_so():
    """MBC-54 names the keeper and no archive; the MMO's text names neither."""
    ends = date(2028, 1, 1)
    head = papers_of(a_restricted_maidstone_case(), MAIDSTONE, ENGLAND, today=ends)
    nobody = papers_of(an_opened_mmo_case(), MMO, ENGLAND, today=ends)

    assert (head.kept_by, head.state, head.archived_on) == ("head-of-policy", "kept", None)
    assert (nobody.kept_by, nobody.keeper, nobody.cites) == (None, None, ())
