"""Letters to somebody else: what must stand first, what they hold, and that they notify the customer of nothing."""

from __future__ import annotations

from datetime import date

import pytest

from activities.letters import render
from domain.case import Case, Customer
from domain.clocks import all_deadlines
from domain.commands import (
    Appeal,
    Approve,
    Correct,
    DecideAppeal,
    InformClient,
    IssueNotice,
    NoticeReturned,
    ProposeSanction,
    RecordMistakeTold,
    RecordNotification,
    ReportBehaviour,
    WriteToThirdParty,
)
from domain.decision import Refusal
from domain.people import CUSTOMER, POST
from domain.restrictions import PartialDisengagement
from domain.tasks import tasks
from domain.third_party import clients_told
from tests.stories import (
    AGENT,
    ENGLAND,
    NATURAL_ENGLAND,
    NATURAL_ENGLAND_GROUNDS,
    REASONS,
    a_complained_of_agent,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_warned_natural_england_case,
    after,
    maidstone,
    mmo,
    natural_england,
    sent,
)
from tests.test_letters import TO_CLIENT, TO_EMPLOYER, composed

OFFICER, MANAGER = natural_england("officer"), natural_england("manager")
DAY = date(2027, 4, 1)
TO_BODY = TO_EMPLOYER.model_copy(update={"to": "professional-body", "name": "Sample Institute of Agents"})


def refused(case: Case, command: WriteToThirdParty, *, on: date = DAY) -> Refusal:
    with pytest.raises(Refusal) as found:
        after(case, (command, OFFICER, on))
    return found.value


def proposed_to_disengage() -> Case:
    """Returns the agent's case with a disengagement (p2) proposed on 1 April 2027; its client has not been told."""
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Two hundred.", consulted=("colleague",))
    topics = PartialDisengagement(type="partial-disengagement", topics=("the Sample Hill application",))
    findings = {**NATURAL_ENGLAND_GROUNDS, "specific-issue": "The Sample Hill application."}
    propose = ProposeSanction(restrictions=(topics,), reasons=REASONS, findings=findings)
    return after(a_complained_of_agent(), (again, OFFICER, date(2027, 3, 20)), (propose, OFFICER, DAY))


def test_a_client_s_letter_that_has_gone_opens_the_disengagement_after_its_time():
    """NE-43, DEF-06: posted on Thursday 1 April 2027, notified on Monday the 5th; fourteen days to act, until the 19th."""
    owed = after(proposed_to_disengage(), (TO_CLIENT, OFFICER, DAY))
    with pytest.raises(Refusal, match="not every client is recorded as told"):
        after(owed, (Approve(saw="p2"), MANAGER, date(2027, 4, 30)))

    gone = sent(owed, "n3", on=DAY)

    assert clients_told(gone) == {"Sample Client": date(2027, 4, 5)}
    with pytest.raises(Refusal, match="until 2027-04-19"):
        after(gone, (Approve(saw="p2"), MANAGER, date(2027, 4, 18)))
    assert after(gone, (Approve(saw="p2"), MANAGER, date(2027, 4, 19))).stage == "disengaged"


def test_a_client_s_letter_that_comes_back_told_nobody_until_it_goes_again():
    """NE-43, DEF-06: whether and when a client was told follows from the letter."""
    gone = sent(after(proposed_to_disengage(), (TO_CLIENT, OFFICER, DAY)), "n3", on=DAY)

    back = after(gone, (NoticeReturned(saw="n3", problem="Unknown."), POST, date(2027, 4, 12)))
    assert clients_told(back) == {}
    with pytest.raises(Refusal, match="not every client"):
        after(back, (Approve(saw="p2"), MANAGER, date(2027, 5, 30)))

    again = sent(after(back, (IssueNotice(saw="n3"), OFFICER, date(2027, 4, 13))), "n3", on=date(2027, 4, 13))
    assert clients_told(again) == {"Sample Client": date(2027, 4, 15)}


def test_a_person_s_own_telling_counts_as_before_and_the_earlier_of_two_stands():
    """NE-43: the letter does not put off what a talk has done already."""
    talk = InformClient(client="Sample Client", told_behaviour=True, told_need_to_modify=True, told_possible_effect=True)

    case = sent(after(proposed_to_disengage(), (talk, OFFICER, DAY), (TO_CLIENT, OFFICER, DAY)), "n3", on=DAY)

    assert clients_told(case) == {"Sample Client": DAY}


def test_a_letter_put_into_a_client_s_hands_counts_and_a_call_is_no_letter():
    """NE-43: told by hand on the day; a call is recorded with inform_client."""
    owed = after(proposed_to_disengage(), (TO_CLIENT, OFFICER, DAY))

    with pytest.raises(Refusal, match="not recorded on it") as found:
        after(owed, (RecordNotification(saw="n3", method="telephone"), OFFICER, DAY))
    assert found.value.cites == ("NE-43",)
    assert "inform_client" in str(found.value.remains)
    assert clients_told(after(owed, (RecordNotification(saw="n3", method="by-hand"), OFFICER, DAY))) == {"Sample Client": DAY}


@pytest.mark.parametrize(
    ("customer", "changes", "said"),
    [
        (Customer(name="Casey Sample"), {}, "only where the customer acts as an agent"),
        (AGENT, {"effect": None}, "effect is empty"),
        (AGENT, {"name": "Somebody Else"}, "none of the clients"),
    ],
    ids=["no agent", "no effect", "another client"],
)
def test_a_client_is_told_only_where_the_clause_says_so_and_all_of_it(customer: Customer, changes: dict[str, object], said: str):
    """NE-43: an agent's client, of the behaviour, that it must change, and what may follow."""
    case = a_warned_natural_england_case(customer=customer)

    refusal = refused(case, TO_CLIENT.model_copy(update=changes))

    assert said in refusal.reason
    assert refusal.cites == ("NE-43",)
    assert "Somebody Else" not in f"{refusal.reason} {refusal.remains}"


def test_a_complaint_is_made_as_two_people_decided_it():
    """NE-13, NE-14, NE-44: to the employer and to the body that the decision names, once each."""
    case = after(a_complained_of_agent(), (TO_EMPLOYER, OFFICER, DAY), (TO_BODY, OFFICER, DAY))

    assert [(one.kind, one.about, one.status) for one in case.notices[-2:]] == [("formal-complaint", "s1", "to-send")] * 2
    assert "already" not in refused(case, TO_EMPLOYER).reason
    assert refused(case, TO_EMPLOYER).kind == "repeated"
    assert [one.recipient.name for one in case.notices[-2:] if one.recipient] == ["Sample Land Agents", "Sample Institute of Agents"]


@pytest.mark.parametrize(
    ("changes", "said", "cites"),
    [
        ({"saw": None}, "saw must name the sanction", ("NE-44",)),
        ({"saw": "s9"}, "saw must name the sanction", ("NE-44",)),
        ({"name": "Another Firm"}, "names no employer of this name", ("NE-44",)),
        ({"effect": "You may lose work."}, "effect is for a client", ("NE-44",)),
    ],
    ids=["nothing seen", "no such sanction", "another employer", "an effect"],
)
def test_a_complaint_that_nobody_decided_is_refused(changes: dict[str, object], said: str, cites: tuple[str, ...]):
    """NE-44: as part of the sanctions process, to whom the decision names."""
    refusal = refused(a_complained_of_agent(), TO_EMPLOYER.model_copy(update=changes))

    assert said in refusal.reason
    assert refusal.cites == cites
    assert "Another Firm" not in f"{refusal.reason} {refusal.remains}"


def test_a_self_employed_agent_has_no_employer_to_complain_to():
    """NE-44: a professional body may still be written to."""
    case = a_complained_of_agent(customer=AGENT.model_copy(update={"self_employed": True}))

    refusal = refused(case, TO_EMPLOYER)

    assert refusal.reason == "A self-employed customer has no employer to complain to."
    assert refusal.cites == ("NE-44",)
    assert after(case, (TO_BODY, OFFICER, DAY)).notices[-1].kind == "formal-complaint"


def test_a_decision_that_shows_one_signature_carries_no_complaint():
    """NE-13: an imported decision may not say who signed it; nobody complains on one person's word."""
    case = a_complained_of_agent()
    alone = case.sanctions[0].model_copy(update={"signatures": case.sanctions[0].signatures[:1]})

    refusal = refused(case.model_copy(update={"sanctions": (alone,)}), TO_EMPLOYER)

    assert refusal.cites == ("NE-13", "NE-14")
    assert "1 of the 2 people" in refusal.reason


def test_no_complaint_is_made_on_a_decision_that_was_withdrawn():
    """NE-44, NE-47: an appeal that succeeded ends it."""
    withdraw = DecideAppeal(saw="a1", outcome="withdraw", reasons="It was not right.")
    case = after(a_complained_of_agent(), (Appeal(medium="email"), CUSTOMER, DAY), (withdraw, natural_england("complaints"), DAY))

    assert refused(case, TO_EMPLOYER).reason == "This case has ended; its papers are only being kept."
    assert "s1 has ended" in refused(case.model_copy(update={"stage": "disengaged"}), TO_EMPLOYER).reason


@pytest.mark.parametrize(
    ("case", "by"), [(a_restricted_mmo_case, mmo("manager")), (a_restricted_maidstone_case, maidstone("head"))], ids=["mmo", "maidstone"]
)
def test_a_policy_that_says_nothing_of_others_writes_to_nobody_else(case: object, by: object):
    """Traps 39 and 45: only Natural England's text speaks of clients, employers and professional bodies."""
    for command in (TO_CLIENT, TO_EMPLOYER):
        with pytest.raises(Refusal):
            after(case(), (command, by, DAY))  # type: ignore[operator,arg-type]  # a story and its actor


@pytest.mark.parametrize("kind", ["client-told", "formal-complaint"])
def test_a_letter_to_somebody_else_holds_nothing_else_of_the_case(kind: str):
    """NE-43, NE-44, EH-122: what the clause gives; no address, no sanction, no reason, no incident, no word to the customer."""
    case = after(proposed_to_disengage(), (TO_CLIENT, OFFICER, DAY), (TO_EMPLOYER, OFFICER, DAY))

    letter = composed(case, kind)
    text = render(letter, policy=case.policy).text

    mandatory = {"client-told": ["agent-behaviour", "must-change", "possible-effect"], "formal-complaint": ["complaint"]}[kind]
    assert [one.part for one in letter.sections] == [*mandatory, "edition", "enquiries"]
    assert "Ash Agent" in text
    assert letter.name in ("Sample Client", "Sample Land Agents")
    for other in (
        "ash.agent@example.org",
        "Ninety emails",
        "Sixty",
        REASONS,
        "one named",
        "sanction",
        "disengag",
        "Stage 3",
        "If you disagree",
    ):
        assert other not in text
    if kind == "client-told":
        assert "Sample Land Agents" not in text
    else:
        assert "Sample Client" not in text


def test_a_letter_to_somebody_else_notifies_the_customer_of_nothing():
    """NE-29, DEF-05: no clock of the customer's starts or moves, and it is not the customer who was told of a mistake."""
    before = proposed_to_disengage()

    gone = sent(after(before, (TO_CLIENT, OFFICER, DAY)), "n3", on=DAY)

    assert all_deadlines(gone, NATURAL_ENGLAND, ENGLAND) == all_deadlines(before, NATURAL_ENGLAND, ENGLAND)
    untold = gone.model_copy(update={"notices": tuple(one for one in gone.notices if one.recipient)})
    undone = after(untold, (Correct(reasons="Another agent."), MANAGER, DAY))
    assert [one.kind for one in undone.notices if one.kind == "removed"] == []


def test_a_letter_goes_by_the_way_its_reader_is_reached():
    """DEF-06: the customer is written to by email, the client by post."""
    posted = composed(after(proposed_to_disengage(), (TO_CLIENT, OFFICER, DAY)), "client-told")
    mailed = TO_CLIENT.model_copy(update={"channel": "email", "address": "client@example.org"})

    assert (posted.method, posted.address) == ("first-class-post", "1 Sample Lane\nExampleton\nZZ99 9ZZ")
    assert composed(after(proposed_to_disengage(), (mailed, OFFICER, DAY)), "client-told").method == "email"


# A case that turns out to be a mistake


def undone(case: Case, *, on: date = date(2027, 4, 20)) -> Case:
    return after(case, (Correct(reasons="The wrong person."), MANAGER, on))


def mistakes_of(case: Case) -> list[tuple[str, str, tuple[str, ...]]]:
    found = tasks(case, NATURAL_ENGLAND, ENGLAND, today=date(2027, 4, 21))
    return [(one.ref, one.what, one.cites) for one in found if one.kind == "tell-of-mistake"]


def test_everybody_outside_who_was_told_is_to_be_told_of_a_mistake_each_by_itself():
    """EH-131: an employer who had a complaint, a client told in person, the police; the customer's own letter tells none of them."""
    case = sent(after(a_complained_of_agent(), (TO_EMPLOYER, OFFICER, DAY)), "n3", on=DAY)
    talk = InformClient(client="Sample Client", told_behaviour=True, told_need_to_modify=True, told_possible_effect=True)
    case = after(case, (talk, OFFICER, DAY))
    assert mistakes_of(case) == []

    case = undone(case)

    assert [(ref, cites) for ref, _, cites in mistakes_of(case)] == [("k1", ("EH-131",)), ("n3", ("EH-131",))]
    assert mistakes_of(case)[1][1] == "Tell the employer whom the letter n3 went to that the case was a mistake, or record why not"
    assert not any("Sample" in what for _, what, _ in mistakes_of(case)), "a name on a task list travels"
    case = after(case, (RecordMistakeTold(saw="n3"), OFFICER, date(2027, 4, 21)))
    assert [ref for ref, _, _ in mistakes_of(case)] == ["k1"]
    case = after(case, (RecordMistakeTold(saw="k1", not_told="Nobody is reached there."), OFFICER, date(2027, 4, 21)))
    assert mistakes_of(case) == []


def test_who_never_heard_of_it_is_not_told_of_the_mistake():
    """EH-131: a letter that was withheld, or came back, reached nobody."""
    owed = after(a_complained_of_agent(), (TO_EMPLOYER, OFFICER, DAY))
    back = after(sent(owed, "n3", on=DAY), (NoticeReturned(saw="n3", problem="Unknown."), POST, date(2027, 4, 12)))

    assert mistakes_of(undone(owed)) == mistakes_of(undone(back)) == []


@pytest.mark.parametrize(
    ("case", "saw", "on", "said"),
    [
        ("mistaken", None, 21, "saw must name"),
        ("mistaken", "n2", 21, "Still to be told: n3"),
        ("mistaken", "n3", 19, "recorded on 2027-04-20"),
        ("running", "n3", 21, "not ended as a mistake"),
    ],
)
def test_telling_of_a_mistake_names_what_they_were_told_by(case: str, saw: str | None, on: int, said: str):
    """EH-131: a letter to the customer is none of theirs, and a case that runs has no mistake to tell."""
    running = sent(after(a_complained_of_agent(), (TO_EMPLOYER, OFFICER, DAY)), "n3", on=DAY)
    found = undone(running) if case == "mistaken" else running

    with pytest.raises(Refusal) as refusal:
        after(found, (RecordMistakeTold(saw=saw), OFFICER, date(2027, 4, on)))
    assert said in f"{refusal.value} {refusal.value.remains}" and refusal.value.cites == ("EH-131",)


def test_a_letter_that_is_under_way_when_the_mistake_is_found_is_followed_by_the_one_that_takes_it_back():
    """DEF-14: the warning may arrive tomorrow; without the second letter its reader would believe it."""
    day = date(2027, 2, 2)
    case = after(a_warned_natural_england_case(), (Correct(reasons="The wrong person."), MANAGER, day))
    assert [one.kind for one in case.notices if one.status == "to-send"] == ["removed"], "the warning was told"

    again = after(
        a_warned_natural_england_case(),
        (NoticeReturned(saw="n1", problem="Unknown."), POST, day),
        (IssueNotice(saw="n1"), OFFICER, day),
        (Correct(reasons="The wrong person."), MANAGER, day),
    )
    assert [(one.kind, one.status) for one in again.notices] == [("warning", "to-send"), ("removed", "to-send")]


def test_a_letter_that_only_a_person_would_send_is_not_sent_of_a_mistaken_case():
    """EH-131: one that came back asks nobody to find another way, and is on no list of what is not delivered."""
    back = after(a_warned_natural_england_case(), (NoticeReturned(saw="n1", problem="Unknown."), POST, date(2027, 2, 9)))

    case = undone(back, on=date(2027, 2, 10))

    assert [(one.kind, one.status, one.withheld_reasons) for one in case.notices][:1] == [("warning", "withheld", "The wrong person.")]
    assert not [one for one in tasks(case, NATURAL_ENGLAND, ENGLAND, today=date(2027, 2, 11)) if one.kind in ("letter", "issue")]
    with pytest.raises(Refusal, match="undone as a mistake"):
        after(case, (IssueNotice(saw="n1"), OFFICER, date(2027, 2, 11)))
