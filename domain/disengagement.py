"""After disengagement, and when something new comes: what a contact leads to, and whether restrictions still fit."""

from __future__ import annotations

from datetime import date

from domain.case import Case, ClientInformed, Contact, NewIssue, next_id, with_item
from domain.commands import AnswerContact, ClassifyContact, DecideNewIssue, InformClient, RaiseNewIssue, ReiterateNotice
from domain.contacts import settled
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, require_consulted, signed_by, the_day
from domain.incidents import with_incident
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy
from domain.questions import said_of, sources_of
from domain.requests import running_on
from domain.rules import Who


def inform_client(case: Case, command: InformClient, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that an agent's client was told: the behaviour, that it must change, and what may follow."""
    on, rule = the_day(command.on, today=today), policy.agents
    signed_by(actor, on)
    if rule is None or case.customer.kind != "agent":
        raise Refusal("Clients are told only where the customer acts as an agent.", cites=rule.client_told_first.sources if rule else ())
    if not (command.told_behaviour and command.told_need_to_modify and command.told_possible_effect):
        raise Refusal(
            "The client is told three things: the behaviour, that it must change, and its possible effect.",
            cites=rule.client_told_first.sources,
        )
    told = ClientInformed(id=next_id("k", case.clients_informed), on=on, client=command.client)
    return decided(
        case.model_copy(update={"clients_informed": (*case.clients_informed, told)}),
        "A client was told.",
        cites=rule.client_told_first.sources,
    )


def classify_contact(case: Case, command: ClassifyContact, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Classify a contact after disengagement: only one wholly on another topic is answered (NE-33)."""
    on, rule = the_day(command.on, today=today), policy.contact.reply_if
    signed_by(actor, on)
    if rule is None or not any(one.disengages and running_on(case, one, on) for one in case.sanctions):
        raise Refusal("No disengagement is in force.", remains="Deal with the contact in the usual way, or record an incident.")
    contact = Contact(id=next_id("t", case.contacts), on=on, topic=command.topic, recurrence=command.recurrence, summary=command.summary)
    case = settled(case.model_copy(update={"contacts": (*case.contacts, contact)}), command.saw, "classified", on=on, actor=actor)
    said, sources = "", tuple[str, ...]()
    if command.recurrence:
        case = with_incident(case, command, code=command.code, on=on, actor=actor, policy=policy)
        said, sources = said_of(case.incidents[-1], case, policy), sources_of(case.incidents[-1], case, policy)
    elif command.findings or command.time:
        raise Refusal("findings and time belong to a recurrence.", kind="malformed", remains="Set recurrence, or leave them out.")
    answer = (
        "Reply to it, and record that with answer_contact." if command.topic == rule.value else "No reply; the notice may be reiterated."
    )
    return decided(case, f"Contact {contact.id} is {command.topic.replace('-', ' ')}. {answer}{said}", cites=(*rule.sources, *sources))


def answer_contact(case: Case, command: AnswerContact, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a contact which is to be answered was answered (NE-33)."""
    on, rule = the_day(command.on, today=today), policy.contact.reply_if
    signed_by(actor, on)
    contact = next((one for one in contacts_to_answer(case, policy) if one.id == command.saw), None)
    if contact is None:
        raise Refusal("saw must name a contact that waits for a reply.", kind="stale", cites=rule.sources if rule else ())
    if on < contact.on:
        raise Refusal(f"The contact came on {contact.on.isoformat()}, after the day of the reply.", cites=rule.sources if rule else ())
    done = contact.model_copy(update={"answered_on": on})
    case = case.model_copy(update={"contacts": with_item(case.contacts, done)})
    return decided(case, f"Contact {contact.id} was answered.", cites=rule.sources if rule else ())


def contacts_to_answer(case: Case, policy: Policy) -> tuple[Contact, ...]:
    """Returns the contacts that the policy wants answered and nobody has."""
    rule = policy.contact.reply_if
    return tuple(one for one in case.contacts if rule and one.topic == rule.value and one.answered_on is None)


def reiterate_notice(case: Case, command: ReiterateNotice, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Send the disengagement notice again; it moves no clock (NE-32)."""
    on, rule = the_day(command.on, today=today), policy.contact.reiterate
    by = signed_by(actor, on)
    found = next((one for one in case.in_force if one.disengages and one.id == command.saw), None)
    if rule is None or found is None:
        raise Refusal("saw must name a disengagement in force.", kind="stale", cites=rule.sources if rule else ())
    case, _ = owe(case, "reiteration", about=found.id, on=on, policy=policy, by=by)
    return decided(case, "The notice is reiterated.", cites=rule.sources)


def raise_new_issue(case: Case, command: RaiseNewIssue, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record something new: it is dealt with meanwhile, and whether the restrictions still fit is decided (MBC-53)."""
    on = the_day(command.on, today=today)
    who = _decides(policy)
    if not any(running_on(case, one, on) for one in case.sanctions):
        raise Refusal(f"No restrictions ran on {on.isoformat()}.", cites=who.sources, remains="Deal with it in the usual way.")
    issue = NewIssue(id=next_id("x", case.new_issues), on=on, summary=command.summary)
    case = case.model_copy(update={"new_issues": (*case.new_issues, issue)})
    said = f"New issue {issue.id}: it is dealt with, and whether the restrictions still fit is decided."
    return decided(case, said, cites=(*who.sources, "DEF-18"))


def _decides(policy: Policy) -> Who:
    if policy.contact.new_issue_decided_by is None:
        raise Refusal("This policy has no decision on a new issue.", cites=["DEF-18"], remains="Judge the new issue on its merits.")
    return policy.contact.new_issue_decided_by


def decide_new_issue(case: Case, command: DecideNewIssue, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide whether the restrictions still fit, given something new."""
    on, who = the_day(command.on, today=today), _decides(policy)
    issue = next((one for one in case.new_issues if one.id == command.saw and one.outcome is None), None)
    if issue is None:
        raise Refusal("saw must name a new issue that waits for a decision.", kind="stale")
    by = authorise(who, actor=actor, case=case, policy=policy, on=on, act="decide on a new issue")
    require_consulted(policy.contact.new_issue_consult, case=case, about="new-issue", decider=by, since=issue.on, policy=policy)
    done = issue.model_copy(update={"outcome": command.outcome, "decided_on": on, "by": by, "reasons": command.reasons})
    case = case.model_copy(update={"new_issues": with_item(case.new_issues, done)})
    if command.outcome == "lift":
        ended = tuple(one.model_copy(update={"ended_on": on, "ended_how": "lifted"}) if one.in_force else one for one in case.sanctions)
        case = case.model_copy(update={"sanctions": ended})
    case, _ = owe(case, "new-issue", about=issue.id, on=on, policy=policy, by=by)
    return decided(case, f"New issue {issue.id}: {command.outcome}.", cites=who.sources)
