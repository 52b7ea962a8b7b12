"""The start of a case: opening it, incidents, consultations, referral and assessment."""

from __future__ import annotations

from datetime import date

from domain.adjustments import check_formats
from domain.answers import require_kind
from domain.case import Case, Consulted, Referred, next_id
from domain.commands import (
    AcknowledgeFault,
    AppointRepresentative,
    Assess,
    Consult,
    NoteNewInformation,
    OpenCase,
    Refer,
    ReportBehaviour,
)
from domain.contacts import settled
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.end_clocks import end_of_case
from domain.guards import applying, authorise, relates, require_findings, signed_by, the_day
from domain.incidents import with_incident
from domain.people import Actor
from domain.policy import Policy, Referral
from domain.postable import BY_POST, posting_problem
from domain.questions import intake_open, intake_questions, require_intake, said_by_the_text, said_of, sources_of
from domain.rules import Finding, Relation
from domain.steps import require_discussion, step_one_done


def open_case(command: OpenCase, *, id: str, edition: str, keep_years: int | None, actor: Actor, policy: Policy, today: date) -> Decision:
    """Open a case, unless the matter belongs under another policy (intake)."""
    _belongs_here(command, policy)
    require_intake(command.findings, policy)
    _in_force(policy, the_day(command.on, today=today))
    for adjustment in command.customer.adjustments:
        check_formats(command.customer, adjustment)
    case = Case(
        id=id,
        body=command.body,
        policy=policy.policy,
        edition=edition,
        opened_on=the_day(command.on, today=today),
        customer=command.customer,
        contact_officer=command.contact_officer or actor.id,
        opened_by=actor.id,
        area=command.area,
        group=command.group,
        keep_years=keep_years,
        earlier_decisions=tuple(dict.fromkeys(command.earlier_decisions)),
        intake=command.findings,
        seq=1,
    )
    asked = intake_open(case, policy)
    answered = [source for rule in intake_questions(policy) if rule.finding in case.intake for source in rule.sources]
    cites = (*policy.edition.sources, *answered, *(source for rule in asked for source in rule.sources))
    said = f"Case opened under {policy.title}, {policy.edition.label}.{_asked_of_intake(asked)}"
    if problem := posting_problem(case.customer):
        said, cites = f"{said} {BY_POST}: {problem}; a task says so.", (*cites, "EH-111")
    return decided(case, said, cites=cites)


def _asked_of_intake(asked: tuple[Finding, ...]) -> str:
    said = "; ".join(f"{rule.finding}: {rule.asks}" for rule in asked)
    return f" Asked at the opening, or with the first incident: {said}." if asked else ""


def _in_force(policy: Policy, on: date) -> None:
    begins, ends = policy.edition.valid_from, policy.edition.valid_to
    if begins.value is not None and on < begins.value:
        raise Refusal(f"The edition {policy.edition.label} begins on {begins.value.isoformat()}.", cites=begins.sources)
    if ends.value is not None and on > ends.value:
        raise Refusal(
            f"The edition {policy.edition.label} ended on {ends.value.isoformat()}.",
            cites=ends.sources,
            remains="Load its successor for this body.",
        )


def _belongs_here(command: OpenCase, policy: Policy) -> None:
    elsewhere = {
        "corporate-complaint": command.concerns_corporate_complaint,
        "area-with-own-policy": command.area_has_own_policy,
        "member-of-staff": command.customer.kind == "member-of-staff",
    }
    for rule in policy.intake:
        if elsewhere[rule.question]:
            raise Refusal("No case is opened under this policy.", cites=rule.sources, remains=rule.instead)


def report_behaviour(case: Case, command: ReportBehaviour, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record one incident; a person decides what follows, never a count."""
    on = the_day(command.on, today=today)
    _no_mere_use_of_a_right(command, policy)
    end = end_of_case(case) if case.stage == "archived" else None
    undone = case.ending in ("mistake", "withdrawn")
    if end is not None and (on > end or undone):
        raise Refusal("This case has ended; its papers are only being kept.", remains="Open a new case for new behaviour.")
    case = with_incident(case, command, code=command.code, on=on, actor=actor, policy=policy)
    case = settled(case, command.saw, "continued", on=on, actor=actor)
    incident = case.incidents[-1]
    behaviour, hour = policy.behaviours.get(command.code), policy.incidents.time
    label = behaviour.label if behaviour else "other behaviour"
    own = behaviour.sources if behaviour else policy.other_behaviour.sources
    text, by_text = said_by_the_text(incident, policy)
    return decided(
        case,
        f"Incident {incident.id} of {on.isoformat()} recorded: {label}.{text}{said_of(incident, case, policy)}",
        cites=(*own, *(hour.sources if hour and incident.time else ()), *by_text, *sources_of(incident, case, policy)),
    )


def _no_mere_use_of_a_right(command: ReportBehaviour, policy: Policy) -> None:
    for rule in policy.intake:
        if rule.question == "corporate-complaint" and command.concerns_corporate_complaint:
            raise Refusal("An incident about a corporate complaint does not count here.", cites=rule.sources, remains=rule.instead)
    for right in policy.no_incident:
        if right.what == command.only_for:
            raise Refusal(
                f"A customer's {right.what.replace('-', ' ')} is no incident merely for having been made.",
                cites=right.sources,
                remains="Record the manner of it, if that was unreasonable.",
            )


def refer(case: Case, command: Refer, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Refer the matter to whoever decides, with what the policy wants to travel with it."""
    rule, on = _referral_rule(policy), the_day(command.on, today=today)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="refer the matter")
    _ready_to_refer(case, command, rule, policy, on)
    referred = Referred(on=on, by=by, to=rule.to.value if rule.to else None, findings=command.findings, attachments=command.attachments)
    to = f" to the {policy.office(rule.to.value)}" if rule.to else ""
    return decided(
        case.model_copy(update={"referrals": (*case.referrals, referred)}),
        f"Referred{to}.",
        cites=rule.to.sources if rule.to else rule.by.sources,
    )


def _referral_rule(policy: Policy) -> Referral:
    if policy.referral is None:
        raise Refusal("This policy has no formal referral.", remains="Decide, or propose a decision.")
    return policy.referral


def _ready_to_refer(case: Case, command: Refer, rule: Referral, policy: Policy, on: date) -> None:
    if not case.incidents:
        raise Refusal(
            "A referral gives details of the behaviour: no incident is recorded.",
            cites=rule.by.sources,
            remains="Record it with report_behaviour.",
        )
    if policy.step_one:
        step_one_done(case, policy, on=on)
    if rule.after_discussion:
        require_discussion(case, policy, rule.after_discussion.value, on=on)
    require_findings(applying(rule.requires, case, policy), command.findings, act="refer")
    if case.replies and case.replies[-1].reply == "agreed":
        require_findings(rule.if_arranged, command.findings, act="refer after an agreement")
    if rule.attachments and rule.attachments.value and not command.attachments:
        raise Refusal("A referral carries copies of the correspondence: attachments is empty.", cites=rule.attachments.sources)


def consult(case: Case, command: Consult, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a consultation; it guards a decision and is no approval."""
    on = the_day(command.on, today=today)
    person = actor.staff.by_id.get(command.person)
    if person is None:
        raise Refusal(f"{command.person} is not on the staff list.", remains="Name a person by the id the staff list gives.")
    kinds: tuple[Relation, ...] = ("senior-manager-of-area", "manager-in-area", "line-manager-of-contact", "sanctioning-team")
    consulted = Consulted(
        id=next_id("c", case.consultations),
        on=on,
        person=person.id,
        human=person.human,
        offices=(*person.offices, *person.deputises),
        about=command.about,
        view=command.view,
        relations=tuple(kind for kind in kinds if relates(person, kind, case=case, actor=actor)),
    )
    return decided(
        case.model_copy(update={"consultations": (*case.consultations, consulted)}), f"{person.id} was consulted about the {command.about}."
    )


def assess(case: Case, command: Assess, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record findings towards the decision; a later finding of the same name replaces an earlier one."""
    the_day(command.on, today=today)
    asked = _asked(policy)
    known = {rule.finding for rule in asked}
    unknown = sorted(set(command.findings) - known)
    if unknown:
        raise Refusal(f"This policy asks for no finding named {', '.join(unknown)}.", remains=f"It asks for: {', '.join(sorted(known))}.")
    for rule in asked:
        if rule.finding in command.findings:
            require_kind(rule, command.findings[rule.finding])
    case = case.model_copy(update={"assessment": {**case.assessment, **command.findings}})
    rules = [rule for rule in asked if rule.finding in command.findings]
    return decided(case, f"Recorded: {', '.join(sorted(command.findings))}.", cites=[source for rule in rules for source in rule.sources])


def note_new_information(
    case: Case, command: NoteNewInformation, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record new information; findings that it puts in question must be made again (MBC-36)."""
    the_day(command.on, today=today)
    undone = {rule.finding for rule in _asked(policy) if rule.undone_by_new_information}
    kept = {name: answer for name, answer in case.assessment.items() if name not in undone}
    proposals = tuple(one.model_copy(update={"closed": "replaced"}) if one.closed is None and undone else one for one in case.proposals)
    cites = [source for rule in _asked(policy) if rule.undone_by_new_information for source in rule.sources]
    return decided(case.model_copy(update={"assessment": kept, "proposals": proposals}), "New information recorded.", cites=cites)


def acknowledge_fault(case: Case, command: AcknowledgeFault, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a message set aside has been looked into."""
    signed_by(actor, the_day(command.on, today=today))
    if command.saw not in case.set_aside:
        waiting = ", ".join(case.set_aside) or "none"
        raise Refusal("saw must name a message that was set aside.", kind="stale", remains=f"Set aside: {waiting}.")
    left = tuple(id for id in case.set_aside if id != command.saw)
    return decided(case.model_copy(update={"set_aside": left}), "A message that was set aside has been looked into.")


def _asked(policy: Policy) -> tuple[Finding, ...]:
    return (*policy.decision.requires, *(rule for sign_off in policy.decision.sign_offs.values() for rule in sign_off.requires))


def appoint_representative(
    case: Case, command: AppointRepresentative, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record the representative the customer chose."""
    the_day(command.on, today=today)
    customer = case.customer.model_copy(update={"representative": command.representative})
    return decided(case.model_copy(update={"customer": customer}), "The customer appointed a representative.")
