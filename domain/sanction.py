"""Restrictions: what may be imposed, on what grounds, for how long, and whose sign-off it takes."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Proposal, Sanction, Signature, Sitting, Terms, next_id, with_item
from domain.commands import Approve, ImposeSanction, ProposeSanction, Reject, TakeNoAction
from domain.committee import Decides, deciders, deciding_day, sitting
from domain.configured import require_configured
from domain.days import Calendar
from domain.deadlines import reckon
from domain.decision import Decision, Entry, Refusal, decided
from domain.guards import Findings, authorise, consulted_about, forbid, require_consulted, require_findings, signed_by, the_day
from domain.measures import require_measures_taken
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy, SignOff
from domain.restrictions import DISENGAGING
from domain.rights import warning_appeal_pending
from domain.terms import check_terms, filled, sign_off_for
from domain.third_party import clients_told


def propose_sanction(case: Case, command: ProposeSanction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Propose restrictions; they bind nobody until those the policy names have signed."""
    on = the_day(command.on, today=today)
    sign_off = sign_off_for(command.restrictions, policy)
    terms = filled(case, _terms(command), policy=policy, calendar=calendar, on=on)
    check_terms(case, terms, policy=policy, calendar=calendar, on=on)
    _still_to_run(terms, policy, today)
    rule = policy.decision.sign_offs[sign_off]
    by_the_named = bool(rule.among and rule.among.value and _is_named(case, rule, actor, policy, on))
    by = _drafted(case, rule, actor=actor, policy=policy, on=on)
    proposal = _proposal(case, terms, sign_off, (by,), on).model_copy(update={"by_the_named": by_the_named})
    case = _replace_open(case)
    return decided(
        case.model_copy(update={"proposals": (*case.proposals, proposal)}),
        f"Proposed as {proposal.id}; it waits for sign-off.",
        cites=rule.decided_by.sources,
    )


def impose_sanction(case: Case, command: ImposeSanction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide restrictions alone, where one person may."""
    sign_off = sign_off_for(command.restrictions, policy)
    rule = policy.decision.sign_offs[sign_off]
    on = deciding_day(command, rule.committee, today=today)
    _one_is_enough(rule)
    signatures = _may_decide(case, rule, command, actor=actor, policy=policy, on=on)
    terms = filled(case, _terms(command), policy=policy, calendar=calendar, on=on)
    check_terms(case, terms, policy=policy, calendar=calendar, on=on)
    _still_to_run(terms, policy, today)
    _clients_told(case, terms, policy, calendar, on)
    _no_appeal_waits(case, policy)
    _grounds_complete(case, terms, terms.findings, rule, signatures, policy)
    require_configured(policy, actor, signatures)
    proposal = _proposal(case, terms, sign_off, signatures, on).model_copy(update={"closed": "decided"})
    case = _replace_open(case)
    return _decide(case, proposal, rule, signatures[0], policy, sitting(rule.committee, command))


def approve(case: Case, command: Approve, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Sign a proposal; it becomes a decision when enough different people have signed."""
    proposal = _seen(case, command.saw, policy)
    rule = policy.decision.sign_offs[proposal.sign_off]
    on = deciding_day(command, rule.committee, today=today)
    new = (signed_by(actor, on),) if proposal.by_the_named else _may_decide(case, rule, command, actor=actor, policy=policy, on=on)
    if on < proposal.on:
        raise Refusal(f"{proposal.id} was made on {proposal.on.isoformat()}, after this sign-off.", cites=rule.decided_by.sources)
    _nobody_twice(proposal, rule, new)
    terms = proposal.terms.model_copy(update={"findings": {**proposal.terms.findings, **command.findings}})
    check_terms(case, terms, policy=policy, calendar=calendar, on=on)
    _still_to_run(terms, policy, today)
    _clients_told(case, terms, policy, calendar, on)
    signed = proposal.model_copy(update={"terms": terms, "signatures": (*proposal.signatures, *new)})
    still = _still_wanted(signed, rule)
    if still:
        case = case.model_copy(update={"proposals": with_item(case.proposals, signed)})
        return decided(case, f"{signed.id} signed; {still} more {'people' if still > 1 else 'person'} must sign.", cites=_people(rule))
    _different_grades(signed, rule)
    _no_appeal_waits(case, policy)
    _grounds_complete(case, terms, command.findings, rule, new, policy)
    require_configured(policy, actor, signed.signatures)
    return _decide(case, signed.model_copy(update={"closed": "decided"}), rule, new[0], policy, sitting(rule.committee, command))


def reject(case: Case, command: Reject, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Refuse a proposal, with reasons; the case goes on without it."""
    on = the_day(command.on, today=today)
    proposal = _seen(case, command.saw, policy)
    rule = policy.decision.sign_offs[proposal.sign_off]
    if rule.committee:
        authorise(rule.committee.recorded_by, actor=actor, case=case, policy=policy, on=on, act="record that this was not approved")
    else:
        _named_one(case, rule, actor=actor, policy=policy, on=on)
    closed = proposal.model_copy(update={"closed": "rejected"})
    return decided(
        case.model_copy(update={"proposals": with_item(case.proposals, closed)}),
        f"{proposal.id} was not approved.",
        cites=rule.decided_by.sources,
    )


def take_no_action(case: Case, command: TakeNoAction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide not to restrict, with reasons; the papers are kept from today."""
    rule = next(iter(policy.decision.sign_offs.values()))
    on = deciding_day(command, rule.committee, today=today)
    signatures = _may_decide(case, rule, command, actor=actor, policy=policy, on=on)
    if case.in_force:
        raise Refusal("Restrictions are in force.", remains="Lift them by a review.")
    _ready_not_to_act(case, command, rule, signatures, policy)
    require_measures_taken(case, policy)
    update = {"ended_without_restriction": on, "ending": "no-action", "ending_reasons": command.reasons}
    case = _replace_open(case).model_copy(update=update)
    case, _ = owe(case, "no-action", about="case", on=on, policy=policy)
    return decided(case, "Decided to take no action.", cites=rule.decided_by.sources)


def _ready_not_to_act(case: Case, command: TakeNoAction, rule: SignOff, signatures: tuple[Signature, ...], policy: Policy) -> None:
    referral = next((step for step in policy.decision.after if step.value == "referral"), None)
    if referral and not case.referrals:
        raise Refusal("The matter has not been referred for a decision.", cites=referral.sources, remains="Refer it, or withdraw the case.")
    require_findings(policy.decision.no_action_requires, {**case.assessment, **command.findings}, act="decide not to act")
    _consulted(case, rule, signatures, policy)


def _consulted(case: Case, rule: SignOff, signatures: tuple[Signature, ...], policy: Policy) -> None:
    since = case.referrals[-1].on if case.referrals else None
    for by in signatures:
        require_consulted(rule.consult, case=case, about="decision", decider=by, since=since, policy=policy)


def _no_appeal_waits(case: Case, policy: Policy) -> None:
    """Refuses a decision while an appeal against the warning is pending, where the policy lets it wait."""
    rule, pending = policy.warning.while_appealed, warning_appeal_pending(case, policy)
    if rule and rule.value == "decision-waits" and pending:
        raise Refusal(
            f"The appeal {pending.id} against the warning has not been answered; a decision waits for it.",
            cites=rule.sources,
            remains="Answer it with decide_appeal.",
        )


def _still_to_run(terms: Terms, policy: Policy, today: date) -> None:
    """Refuses a decision, entered late, whose restrictions would have ended before anybody could be told of them."""
    if terms.until is not None and terms.until <= today:
        length = policy.decision.length
        raise Refusal(
            f"The restrictions would end on {terms.until.isoformat()}, before the customer could be told of them.",
            cites=(*length.kind.sources, *policy.decision.enforced_from.sources),
            remains="A decision that has still some time to run.",
        )


def _terms(command: ProposeSanction) -> Terms:
    return Terms(
        restrictions=command.restrictions,
        reasons=command.reasons,
        until=command.until,
        review_on=command.review_on,
        review_every=command.review_every,
        findings=command.findings,
        extreme=command.extreme,
        warning_departure=command.warning_departure,
    )


def _proposal(case: Case, terms: Terms, sign_off: str, signatures: tuple[Signature, ...], on: date) -> Proposal:
    return Proposal(id=next_id("p", case.proposals), on=on, sign_off=sign_off, terms=terms, signatures=signatures)


def _drafted(case: Case, rule: SignOff, *, actor: Actor, policy: Policy, on: date) -> Signature:
    """Returns the signature of whoever proposes; where only those named count, anybody else's is a draft and does not."""
    if rule.signers is None and rule.committee is None:
        return signed_by(actor, on)
    if rule.committee is None and _is_named(case, rule, actor, policy, on):
        return _named_one(case, rule, actor=actor, policy=policy, on=on)
    return signed_by(actor, on).model_copy(update={"counts": False})


def _replace_open(case: Case) -> Case:
    if case.open_proposal is None:
        return case
    replaced = case.open_proposal.model_copy(update={"closed": "replaced"})
    return case.model_copy(update={"proposals": with_item(case.proposals, replaced)})


def _seen(case: Case, saw: str | None, policy: Policy) -> Proposal:
    current = case.open_proposal
    if current is not None and saw == current.id:
        return current
    found = next((proposal for proposal in case.proposals if proposal.id == saw), None)
    remains = f"{current.id} waits for sign-off." if current else "Nothing waits for sign-off."
    if found is None:
        raise Refusal("saw must name the proposal you read.", kind="stale", remains=remains)
    raise Refusal(f"{found.id} was {found.closed} and can no longer be signed.", kind="stale", remains=remains)


def _one_is_enough(rule: SignOff) -> None:
    if rule.people and rule.people.value > 1 and rule.committee is None:
        raise Refusal(
            f"This takes {rule.people.value} different people; nobody decides it alone.",
            cites=rule.people.sources,
            remains="Propose it with propose_sanction; somebody else approves.",
        )


def _may_decide(case: Case, rule: SignOff, command: Decides, *, actor: Actor, policy: Policy, on: date) -> tuple[Signature, ...]:
    return deciders(
        rule.decided_by,
        rule.committee,
        command,
        never=rule.never_by,
        actor=actor,
        case=case,
        policy=policy,
        on=on,
        act="decide this",
    )


def _named_one(case: Case, rule: SignOff, *, actor: Actor, policy: Policy, on: date) -> Signature:
    forbid(rule.never_by, actor=actor, policy=policy, act="decide this")
    return authorise(rule.decided_by, actor=actor, case=case, policy=policy, on=on, act="decide this")


def _is_named(case: Case, rule: SignOff, actor: Actor, policy: Policy, on: date) -> bool:
    try:
        authorise(rule.decided_by, actor=actor, case=case, policy=policy, on=on, act="sign this")
    except Refusal:
        return False
    return True


def _people(rule: SignOff) -> tuple[str, ...]:
    return rule.people.sources if rule.people else rule.decided_by.sources


def _nobody_twice(proposal: Proposal, rule: SignOff, new: tuple[Signature, ...]) -> None:
    counted = {one.human for one in proposal.signatures if one.counts}
    if rule.people and rule.people.value > 1 and any(one.human in counted for one in new):
        own = proposal.signatures[0].human in {one.human for one in new}
        said = "Whoever proposed this may not also approve it." if own else "Nobody signs twice."
        raise Refusal(said, cites=(*rule.people.sources, "DEF-20"), remains="Somebody else approves.")


def _still_wanted(proposal: Proposal, rule: SignOff) -> int:
    """Returns how many more people must sign; a committee's meeting is enough, its quorum being met."""
    signed = len({one.human for one in proposal.signatures if one.counts})
    return 0 if rule.committee else max(0, (rule.people.value if rule.people else 1) - signed)


def _different_grades(proposal: Proposal, rule: SignOff) -> None:
    grades = {one.grade for one in proposal.signatures if one.counts}
    if (
        rule.people
        and rule.people.value > 1
        and rule.different_grades
        and rule.different_grades.value
        and (len(grades) < 2 or None in grades)
    ):
        raise Refusal(
            "The people who decide this must be at different grades, and their grades on record.", cites=rule.different_grades.sources
        )


def _grounds_complete(case: Case, terms: Terms, own: Findings, rule: SignOff, signatures: tuple[Signature, ...], policy: Policy) -> None:
    require_findings(rule.requires, {**case.assessment, **terms.findings}, act="decide")
    in_person = [finding for finding in policy.decision.requires if finding.in_person]
    require_findings(in_person, own, act="decide, in person")
    _consulted(case, rule, signatures, policy)
    humans = {by.human for by in signatures}
    for held in policy.discussions:
        other = held.other_than_decider
        if other and other.value and any(one.step == held.step and one.human in humans for one in case.discussions):
            raise Refusal(f"Whoever held the {held.step} does not also decide.", cites=(*other.sources, "DEF-20"))


def _clients_told(case: Case, terms: Terms, policy: Policy, calendar: Calendar, on: date) -> None:
    """Refuses to disengage from an agent before each client was told, and had the time to act (NE-43)."""
    rule = policy.agents
    disengages = any(one.type in DISENGAGING for one in terms.restrictions)
    if case.customer.kind != "agent" or not disengages or rule is None or not rule.client_told_first.value:
        return
    cites = rule.client_told_first.sources
    told = {client: day for client, day in clients_told(case).items() if day <= on}
    if not told or any(client not in told for client in case.customer.clients):
        raise Refusal(
            "Each client of an agent is told first, and not every client is recorded as told.", cites=cites, remains="inform_client."
        )
    if rule.client_has:
        ready = max(reckon(rule.client_has, day, event="notice", calendar=calendar).date for day in told.values())
        if on < ready:
            raise Refusal(f"The client has {rule.client_has.words} to act, until {ready.isoformat()}.", cites=rule.client_has.sources)


def _decide(case: Case, proposal: Proposal, rule: SignOff, by: Signature, policy: Policy, met: Sitting | None) -> Decision:
    id, on = next_id("s", case.sanctions), by.on
    case = case.model_copy(update={"proposals": with_item(case.proposals, proposal)})
    case, notice = _owe_notice(case, id, proposal, rule, by, policy)
    sanction = Sanction(
        id=id,
        decided_on=on,
        signatures=proposal.signatures,
        terms=proposal.terms,
        notice=notice or "",
        period_start=on,
        sitting=met,
        consulted=consulted_about(case, "decision", on),
    )
    case = case.model_copy(update={"sanctions": (*case.sanctions, sanction)})
    options = [option for one in proposal.terms.restrictions if (option := policy.decision.option(one.type))]
    types = ", ".join(option.label for option in options)
    return decided(
        case,
        f"Decided as {id}: {types}.",
        cites=[*rule.decided_by.sources, *(source for option in options for source in option.sources)],
        also=[Entry(what=f"{_part(met, one)} {one.person}.") for one in proposal.signatures],
    )


def _part(met: Sitting | None, one: Signature) -> str:
    if not one.counts:
        return "Drafted by"
    return f"Present at the {met.committee} of {met.on.isoformat()}:" if met else "Signed by"


def _owe_notice(case: Case, id: str, proposal: Proposal, rule: SignOff, by: Signature, policy: Policy) -> tuple[Case, str | None]:
    """Returns the case owing its letter; where only reports are made, somebody first decides whether the customer is told."""
    options = [policy.decision.option(one.type) for one in proposal.terms.restrictions]
    if all(option and option.told == "decide-whether" for option in options):
        return owe(case, "external-report", about=id, on=by.on, policy=policy)
    return owe(case, rule.notice, about=id, on=by.on, policy=policy, by=by)
