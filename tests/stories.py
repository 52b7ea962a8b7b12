"""Stories for tests: policies, people, and cases that reached their starting point by the real rules.

    from domain.people import CUSTOMER

    case = a_restricted_mmo_case()                                        # decided and notified on 10 March 2027
    case = after(case, (Appeal(medium="email"), CUSTOMER, date(2027, 3, 24)))
    case = sent(case, "n3", on=date(2027, 3, 24))

`after` folds `decide`, so a starting point that the rules no longer allow fails as a Refusal where it is built.
Every date is passed in; `DAY` of a story is in its docstring. All people and matters are fictional."""

from __future__ import annotations

from datetime import date
from functools import cache

from domain.case import Case, Customer
from domain.commands import (
    AnyCommand,
    Approve,
    Consult,
    Discuss,
    ImposeSanction,
    IssueNotice,
    NoticeSent,
    OpenCase,
    ProposeSanction,
    RecordReply,
    Refer,
    ReportBehaviour,
    Warn,
)
from domain.days import Calendar
from domain.decide import decide
from domain.decision import Refusal
from domain.letters import method_of
from domain.people import POST, Actor, Person, Staff
from domain.policy import Policy
from domain.referral import open_case
from domain.restrictions import ContactVolumeLimit, FormalComplaintEmployerOrBody, PartialDisengagement, Restriction, SinglePointOfContact
from policies import load

MMO: Policy = load.policy("mmo")
PORTSMOUTH: Policy = load.policy("portsmouth")
ENGLAND: Calendar = load.calendar()

MMO_STAFF = Staff(
    people=(
        Person(id="officer", name="Sam Officer", grade=5, line_manager="manager", area="licensing"),
        Person(id="manager", name="Morgan Manager", offices=("decision-maker",), grade=8, area="licensing"),
        Person(id="other-manager", name="Ola Manager", offices=("decision-maker",), grade=8),
        Person(id="reviewer", name="Robin Reviewer", offices=("reviewer",), grade=10),
        Person(id="records", name="Rae Records", offices=("records-officer",), grade=4),
    )
)
PORTSMOUTH_STAFF = Staff(
    people=(
        Person(id="officer", name="Nic Officer", grade=4, line_manager="manager", area="housing"),
        Person(id="manager", name="Jo Manager", offices=("senior-manager", "service-manager"), grade=8, area="housing"),
        Person(id="helpdesk", name="Ash Helpdesk", offices=("city-helpdesk-manager",), grade=9),
        Person(id="assistant", name="Lee Assistant", offices=("assistant-director-of-corporate-services",), grade=12),
        Person(id="solicitor", name="Kit Solicitor", offices=("city-solicitor",), grade=13),
        Person(id="director", name="Dana Director", offices=("director-of-corporate-services",), grade=14),
        Person(id="deputy", name="Del Deputy", deputises=("director-of-corporate-services",), grade=13),
    )
)

CASEY = Customer(name="Casey Sample", channel="email", address="casey.sample@example.org")
"""A customer reached by email, so notified on the day a letter is sent (DEF-06)."""
ALEX = Customer(name="Alex Sample", channel="letter", address="1 Example Street, Sampletown, ZZ99 9ZZ")
"""A customer reached by first-class post, so notified on the second working day after it is sent (DEF-06)."""

ONE_EMAIL_A_WEEK = ContactVolumeLimit(type="contact-volume-limit", max_contacts=1, per="week", channel="email")
ONE_CALL_A_WEEK = ContactVolumeLimit(type="contact-volume-limit", max_contacts=1, per="week", channel="telephone")

MMO_GROUNDS = {
    "own-merits": "The licence question has been answered in full.",
    "proportionality-nature": "All contact is by email, so a limit on emails is enough.",
    "proportionality-frequency": "Seventy-one emails in five weeks; one a week leaves room for a real question.",
}
PORTSMOUTH_GROUNDS = {
    "individual-circumstances": "The customer lives with the fault until it is repaired.",
    "genuine-problems-considered": "There is one repair, and it is booked.",
    "hindrance": "Nobody else gets through to the repairs line.",
    "diversion-of-resources": "One officer does nothing but answer these calls.",
    "unreasonable": True,
    "restrictions-needed": True,
    "proportionality": "One call a week still lets the customer report anything new.",
}
REASONS = "You went on in the same way after we warned you. Answering kept the team from other customers."

Act = tuple[AnyCommand, Actor, date]


@cache
def policy_named(name: str) -> Policy:
    """Returns a shipped policy, read once."""
    return load.policy(name)


def actor(person_id: str, staff: Staff) -> Actor:
    """Returns the member of staff of that id as the author of an act."""
    return Actor(origin="staff", person=staff.by_id[person_id], staff=staff)


def mmo(person_id: str) -> Actor:
    """Returns one of the MMO's sample staff: officer, manager, other-manager, reviewer, records."""
    return actor(person_id, MMO_STAFF)


def portsmouth(person_id: str) -> Actor:
    """Returns one of Portsmouth's sample staff: officer, manager, helpdesk, assistant, solicitor, director, deputy."""
    return actor(person_id, PORTSMOUTH_STAFF)


def after(case: Case, *acts: Act) -> Case:
    """Returns the case after each (command, actor, day) in turn, decided by the real rules of its own policy."""
    policy = policy_named(case.policy)
    for command, by, day in acts:
        case = decide(case, command, actor=by, policy=policy, calendar=ENGLAND, today=day).case
    return case


def kept_after_refusal(case: Case, command: AnyCommand, by: Actor, on: date) -> Case:
    """Returns what is recorded although the act is refused: a late request has still arrived and is owed a reply."""
    try:
        decide(case, command, actor=by, policy=policy_named(case.policy), calendar=ENGLAND, today=on)
    except Refusal as refusal:
        assert refusal.kept is not None, "this refusal keeps nothing"
        return refusal.kept
    raise AssertionError(f"{command.do} was not refused")


def sent(case: Case, notice: str, on: date) -> Case:
    """Returns the case after its letter of that id went out, the way letters go to this customer."""
    return after(case, (NoticeSent(saw=notice, on=on, method=method_of(case, case.notice(notice))), POST, on))


def opened(policy: Policy, staff: Staff, *, customer: Customer, area: str, on: date, by: str = "officer") -> Case:
    """Returns a new case under a policy, opened by a member of staff."""
    command = OpenCase(body=policy.policy, customer=customer, area=area)
    id, edition = f"{policy.policy}/2027-0001", load.edition_of(load.policy_text(policy.policy))
    who = actor(by, staff)
    return open_case(command, id=id, edition=edition, keep_years=6, actor=who, policy=policy, today=on).case


def an_opened_mmo_case(*, customer: Customer = CASEY) -> Case:
    """Returns an MMO case with one incident: opened on 1 February 2027."""
    day = date(2027, 2, 1)
    report = ReportBehaviour(code="excessive-contact", medium="email", summary="Forty emails in one week.")
    return after(opened(MMO, MMO_STAFF, customer=customer, area="licensing", on=day), (report, mmo("officer"), day))


def a_warned_mmo_case(*, customer: Customer = CASEY, concerns: str = "Forty emails in one week about one licence.") -> Case:
    """Returns an MMO case warned by email, the letter (n1) sent on the same day: 1 February 2027."""
    day = date(2027, 2, 1)
    warn = Warn(medium="email", findings={"concerns": concerns, "policy-copy-directed": True})
    return sent(after(an_opened_mmo_case(customer=customer), (warn, mmo("officer"), day)), "n1", on=day)


def a_continued_mmo_case(*, customer: Customer = CASEY) -> Case:
    """Returns a warned MMO case whose behaviour went on: on 19 February 2027."""
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Thirty-one more emails in three days.")
    return after(a_warned_mmo_case(customer=customer), (again, mmo("officer"), date(2027, 2, 19)))


def a_restricted_mmo_case(
    *,
    customer: Customer = CASEY,
    restrictions: tuple[Restriction, ...] = (ONE_EMAIL_A_WEEK,),
    reasons: str = REASONS,
    until: date | None = None,
    on: date = date(2027, 3, 10),
    told: date | None = None,
) -> Case:
    """Returns an MMO case restricted by `s1`, its decision letter (n2) sent: on 10 March 2027 unless other days are given."""
    impose = ImposeSanction(restrictions=restrictions, reasons=reasons, until=until, findings=MMO_GROUNDS)
    return sent(after(a_continued_mmo_case(customer=customer), (impose, mmo("manager"), on)), "n2", on=told or on)


def a_warned_portsmouth_case(*, customer: Customer = ALEX) -> Case:
    """Returns a Portsmouth case with step one held on 8 February 2027 and its confirmation (n1) posted on the 9th."""
    start, day = date(2027, 2, 1), date(2027, 2, 8)
    findings = {
        "concerns": "You have called us about one repair up to eleven times a day.",
        "way-forward": "We suggest one call a week, with one person who knows the repair.",
        "consequence-explained": True,
        "representative-offered": True,
    }
    case = after(
        opened(PORTSMOUTH, PORTSMOUTH_STAFF, customer=customer, area="housing", on=start),
        (ReportBehaviour(code="excessive-contact", medium="telephone", summary="Eleven calls a day."), portsmouth("officer"), start),
        (Warn(medium="in-person", findings=findings), portsmouth("manager"), day),
    )
    return sent(case, "n1", on=date(2027, 2, 9))


def a_referred_portsmouth_case(*, customer: Customer = ALEX) -> Case:
    """Returns a Portsmouth case referred to the city helpdesk manager on 1 March 2027, and everybody consulted by the 8th."""
    refer = Refer(
        findings={"behaviour-details": "Eleven calls a day.", "efforts": "A meeting and a suggested weekly call."},
        attachments=("letters/step-one",),
    )
    return after(
        a_warned_portsmouth_case(customer=customer),
        (RecordReply(reply="not-agreed"), portsmouth("manager"), date(2027, 2, 22)),
        (refer, portsmouth("manager"), date(2027, 3, 1)),
        (Consult(person="assistant", about="decision", view="A weekly limit is fair."), portsmouth("helpdesk"), date(2027, 3, 8)),
        (Consult(person="manager", about="decision", view="The calls go on."), portsmouth("helpdesk"), date(2027, 3, 8)),
    )


def a_restricted_portsmouth_case(
    *,
    customer: Customer = ALEX,
    restrictions: tuple[Restriction, ...] = (ONE_CALL_A_WEEK,),
    reasons: str = REASONS,
    until: date = date(2027, 9, 10),
) -> Case:
    """Returns a Portsmouth case restricted by `s1` on 10 March 2027 until 10 September; its letter (n2) told on the 15th."""
    impose = ImposeSanction(restrictions=restrictions, reasons=reasons, until=until, findings=PORTSMOUTH_GROUNDS)
    case = after(
        a_referred_portsmouth_case(customer=customer),
        (impose, portsmouth("helpdesk"), date(2027, 3, 10)),
        (IssueNotice(saw="n2"), portsmouth("assistant"), date(2027, 3, 11)),
    )
    return sent(case, "n2", on=date(2027, 3, 11))


# The three policies that decide by other ways: designation for three months, sanctions by two people, conversations first

MAIDSTONE: Policy = load.policy("maidstone")
NATURAL_ENGLAND: Policy = load.policy("natural-england")
COUNCIL: Policy = load.policy("council-2024-2028")

MAIDSTONE_STAFF = Staff(
    people=(
        Person(id="officer", name="Pat Officer", grade=4, line_manager="manager", area="benefits"),
        Person(id="manager", name="Max Manager", offices=("manager",), grade=7, area="benefits"),
        Person(id="head", name="Hari Head", offices=("head-of-policy",), grade=11),
        Person(id="team", name="Toni Team", offices=("policy-and-information-team",), grade=6),
        Person(id="director", name="Devi Director", offices=("director-of-finance",), grade=14),
    )
)
NATURAL_ENGLAND_STAFF = Staff(
    people=(
        Person(id="officer", name="Oli Officer", grade=4, line_manager="manager", area="peatland"),
        Person(id="colleague", name="Cam Colleague", grade=4, line_manager="manager", area="peatland"),
        Person(id="manager", name="Mel Manager", grade=7, area="peatland"),
        Person(id="director", name="Dee Director", offices=("director",), grade=13),
        Person(id="complaints", name="Cory Complaints", offices=("stage-3-complaints",), grade=12),
        Person(id="records", name="Ros Records", offices=("records-officer",), grade=4),
    )
)
COUNCIL_STAFF = Staff(
    people=(
        Person(id="officer", name="Uma Officer", grade=4, line_manager="manager", area="parks"),
        Person(id="manager", name="Moe Manager", offices=("service-manager",), grade=7, area="parks"),
        Person(id="executive", name="Evi Executive", offices=("executive-officer-customer-services",), grade=12),
        Person(id="records", name="Roy Records", offices=("records-officer",), grade=4),
    )
)
MAIDSTONE_GROUNDS = {
    "investigated-properly": True,
    "communication-adequate": True,
    "no-new-information": True,
    "evidence-clear": True,
    "proportionality": "The calls are many and about one matter.",
    "individual-circumstances": "The claim has been paid.",
    "since-the-warning": "The calls went on as before.",
}
NATURAL_ENGLAND_GROUNDS = {
    "why-exceptional": "Two hundred emails about one consent.",
    "alternatives-tried": "A meeting and a named contact.",
    "leaves-usable-channel": "Email remains; no accessibility needs are known.",
}
COUNCIL_GROUNDS = {
    "nature": "Shouting at the counter.",
    "extent": "Every week since January.",
    "needs-and-circumstances": "None were named.",
}
ONE_NAMED_PERSON = SinglePointOfContact(type="single-point-of-contact", officer="Oli Officer")


def maidstone(person_id: str) -> Actor:
    """Returns one of Maidstone's sample staff: officer, manager, head, team, director."""
    return actor(person_id, MAIDSTONE_STAFF)


def natural_england(person_id: str) -> Actor:
    """Returns one of Natural England's sample staff: officer, colleague, manager, director, complaints, records."""
    return actor(person_id, NATURAL_ENGLAND_STAFF)


def council(person_id: str) -> Actor:
    """Returns one of the sample staff of council-2024-2028: officer, manager, executive, records."""
    return actor(person_id, COUNCIL_STAFF)


def a_warned_maidstone_case(*, customer: Customer = CASEY) -> Case:
    """Returns a Maidstone case warned on 1 February 2027, the letter (n1) sent on the same day."""
    day = date(2027, 2, 1)
    warn = Warn(medium="email", findings={"concerns": "Eleven calls a day about one claim.", "consequence-explained": True})
    case = after(
        opened(MAIDSTONE, MAIDSTONE_STAFF, customer=customer, area="benefits", on=day),
        (ReportBehaviour(code="excessive-contact", medium="telephone", summary="Eleven calls a day."), maidstone("officer"), day),
        (warn, maidstone("manager"), day),
    )
    return sent(case, "n1", on=day)


def a_referred_maidstone_case(*, customer: Customer = CASEY) -> Case:
    """Returns a Maidstone case whose calls went on, referred to the Head of Policy on 1 March 2027."""
    again = ReportBehaviour(code="excessive-contact", medium="telephone", summary="Nine more calls.")
    return after(
        a_warned_maidstone_case(customer=customer),
        (again, maidstone("officer"), date(2027, 2, 19)),
        (Refer(findings={"request": "A limit on calls, because they go on."}), maidstone("manager"), date(2027, 3, 1)),
    )


def a_restricted_maidstone_case(*, customer: Customer = CASEY, reasons: str = REASONS) -> Case:
    """Returns a Maidstone case restricted by `s1` on 10 March 2027 for the three months the policy fixes, told (n2) on the same day."""
    day = date(2027, 3, 10)
    impose = ImposeSanction(restrictions=(ONE_CALL_A_WEEK,), reasons=reasons, until=date(2027, 6, 10), findings=MAIDSTONE_GROUNDS)
    return sent(after(a_referred_maidstone_case(customer=customer), (impose, maidstone("head"), day)), "n2", on=day)


def a_warned_natural_england_case(*, customer: Customer = CASEY) -> Case:
    """Returns a Natural England case after its step 1 request (n1), sent on 1 February 2027."""
    day = date(2027, 2, 1)
    report = ReportBehaviour(code="excessive-contact", medium="email", summary="Ninety emails.", consulted=("colleague",))
    findings = {"concerns": "Ninety emails about one consent.", "asked-to-modify": True, "consequence-explained": True}
    case = after(
        opened(NATURAL_ENGLAND, NATURAL_ENGLAND_STAFF, customer=customer, area="peatland", on=day),
        (report, natural_england("officer"), day),
        (Warn(medium="email", findings=findings), natural_england("officer"), day),
    )
    return sent(case, "n1", on=day)


def a_sanctioned_natural_england_case(*, customer: Customer = CASEY, until: date | None = None) -> Case:
    """Returns a Natural England case sanctioned by `s1`: proposed and approved by two people on 10 March 2027, told (n2) that day."""
    day = date(2027, 3, 10)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Sixty more.", consulted=("colleague",))
    propose = ProposeSanction(
        restrictions=(ONE_NAMED_PERSON,), reasons=REASONS, until=until, review_on=date(2027, 9, 10), findings=NATURAL_ENGLAND_GROUNDS
    )
    case = after(
        a_warned_natural_england_case(customer=customer),
        (again, natural_england("officer"), date(2027, 2, 19)),
        (propose, natural_england("officer"), day),
        (Approve(saw="p1"), natural_england("manager"), day),
    )
    return sent(case, "n2", on=day)


AGENT = Customer(name="Ash Agent", address="ash.agent@example.org", kind="agent", clients=("Sample Client",))


def a_complained_of_agent(*, customer: Customer = AGENT) -> Case:
    """Returns a Natural England case about an agent, of whom `s1` decided to complain to both: two people, 10 March 2027, told (n2)."""
    day = date(2027, 3, 10)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Sixty more.", consulted=("colleague",))
    complain = FormalComplaintEmployerOrBody(
        type="formal-complaint-employer-or-body",
        employer=None if customer.self_employed else "Sample Land Agents",
        professional_body="Sample Institute of Agents",
    )
    propose = ProposeSanction(
        restrictions=(ONE_NAMED_PERSON, complain), reasons=REASONS, review_on=date(2027, 9, 10), findings=NATURAL_ENGLAND_GROUNDS
    )
    case = after(
        a_warned_natural_england_case(customer=customer),
        (again, natural_england("officer"), date(2027, 2, 19)),
        (propose, natural_england("officer"), day),
        (Approve(saw="p1"), natural_england("manager"), day),
    )
    return sent(case, "n2", on=day)


def a_disengaged_natural_england_case(*, customer: Customer = CASEY) -> Case:
    """Returns a Natural England case partly disengaged by `s2`, after the sanction `s1`, on 1 June 2027; the notice (n3) told that day."""
    day = date(2027, 6, 1)
    again = ReportBehaviour(code="excessive-contact", medium="email", summary="Two hundred.", consulted=("colleague",))
    topics = PartialDisengagement(type="partial-disengagement", topics=("the consent of 2024", "the fence"))
    propose = ProposeSanction(restrictions=(topics,), reasons=REASONS, findings=NATURAL_ENGLAND_GROUNDS)
    case = after(
        a_sanctioned_natural_england_case(customer=customer),
        (again, natural_england("officer"), date(2027, 5, 20)),
        (propose, natural_england("officer"), day),
        (Approve(saw="p2"), natural_england("manager"), day),
    )
    return sent(case, "n3", on=day)


def an_opened_council_case(*, customer: Customer = CASEY) -> Case:
    """Returns a case of council-2024-2028 with one incident: opened on 1 February 2027."""
    day = date(2027, 2, 1)
    report = ReportBehaviour(code="verbal-abuse", medium="in-person", summary="Shouting at the counter.")
    return after(opened(COUNCIL, COUNCIL_STAFF, customer=customer, area="parks", on=day), (report, council("officer"), day))


def a_referred_council_case(*, customer: Customer = CASEY) -> Case:
    """Returns a case of council-2024-2028 after its three conversations, referred on 1 March 2027."""
    day = date(2027, 2, 8)
    return after(
        an_opened_council_case(customer=customer),
        (Discuss(step="informal-discussion", person="manager", note="Spoke about the shouting."), council("officer"), day),
        (Discuss(step="line-manager-discussion", person="manager", note="It goes on."), council("officer"), day),
        (Discuss(step="senior-discussion", person="manager", note="The policy should be applied."), council("officer"), day),
        (Refer(findings={"informal-steps": "Two talks did not help."}), council("officer"), date(2027, 3, 1)),
    )


def a_restricted_council_case(*, customer: Customer = CASEY, until: date | None = None) -> Case:
    """Returns a case of council-2024-2028 restricted by `s1` on 10 March 2027, told (n1) on the same day."""
    day = date(2027, 3, 10)
    spoc = SinglePointOfContact(type="single-point-of-contact", officer="Uma Officer")
    impose = ImposeSanction(restrictions=(spoc,), reasons=REASONS, until=until, findings=COUNCIL_GROUNDS)
    return sent(after(a_referred_council_case(customer=customer), (impose, council("executive"), day)), "n1", on=day)
