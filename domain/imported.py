"""What an imported case does not say, and how it is added; whatever stays unknown stays visibly so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import NOT_RECORDED, Case, Sanction, Signature, with_item
from domain.commands import CompleteRecord
from domain.days import Calendar
from domain.decision import Decision, Entry, Refusal, decided
from domain.guards import the_day
from domain.notices import marked, notified_on
from domain.people import Actor
from domain.policy import Policy
from domain.questions import answered, from_before, unanswered
from domain.register_writers import require_writer, writers

IMPORTED = "imported"
"""How a customer was told, where only the old record says when."""


def unknown(case: Case, policy: Policy) -> tuple[str, ...]:
    """Returns what an imported case does not say, in words; empty for any other."""
    return tuple(_unknown(case, policy)) if case.imported else ()


def _unknown(case: Case, policy: Policy) -> Iterator[str]:
    if case.warnings and not case.sanctions and case.warnings[0].by.person == NOT_RECORDED:
        yield "who warned"
    sanction = _first(case)
    if sanction and sanction.signatures[0].person == NOT_RECORDED:
        yield "who decided"
    if sanction and sanction.terms.reasons == NOT_RECORDED:
        yield "the reasons"
    if case.contact_officer is None:
        yield "who deals with the customer"
    for incident in case.incidents:
        if from_before(incident) and (rules := unanswered(incident, case, policy)):
            yield f"of the incident {incident.id}: {', '.join(rule.finding for rule in rules)}"


def _first(case: Case) -> Sanction | None:
    """Returns the sanction that was imported."""
    return case.sanctions[0] if case.imported and case.sanctions and "decision:s1" in case.imported.past else None


def to_complete(case: Case, policy: Policy) -> tuple[str, ...]:
    """Returns what somebody should still find out: nothing once the case has ended, or the search is over."""
    over = case.imported is None or case.imported.cannot_be_found is not None or case.ending is not None
    alive = bool(case.in_force) or not case.sanctions or any(one.pending for one in case.challenges)
    return () if over or not alive else unknown(case, policy)


def complete_record(case: Case, command: CompleteRecord, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Add what was found about the time before the import; what is recorded already is never overwritten."""
    require_writer(case, actor=actor, policy=policy, on=the_day(command.on, today=today), act="add to an imported record")
    if case.imported is None:
        raise Refusal("This case was not imported; what it holds was recorded as it happened.", remains="The case's own commands.")
    found = [name for name in type(command).model_fields if name not in ("id", "on", "saw") and getattr(command, name) is not None]
    if not found:
        raise Refusal(
            "Nothing is given to be added.", kind="malformed", remains=f"Unknown: {', '.join(unknown(case, policy)) or 'nothing'}."
        )
    _known(command, actor, policy)
    before = case
    case = _with_people(case, command, actor)
    case = _with_decision(case, command, today)
    case = _with_answers(case, command, policy)
    if command.cannot_be_found and case.imported:
        case = case.model_copy(update={"imported": case.imported.model_copy(update={"cannot_be_found": command.cannot_be_found})})
    if case == before:
        raise Refusal("That is recorded already.", kind="stale", remains=f"Unknown: {', '.join(unknown(case, policy)) or 'nothing'}.")
    left = ", ".join(to_complete(case, policy)) or "nothing"
    said = f"The imported record was completed: {', '.join(name.replace('_', ' ') for name in found)}. Still open: {left}."
    return decided(case, said, cites=[source for who in writers(policy) for source in who.sources])


def _known(command: CompleteRecord, actor: Actor, policy: Policy) -> None:
    for name in ("warned_by", "decided_by", "contact_officer"):
        person = getattr(command, name)
        if person is not None and person not in actor.staff.by_id:
            raise Refusal(f"{name} is {person}, who is not on the staff list.", remains="An id of the staff list, or the office.")
    if command.office is not None and command.office not in policy.offices:
        raise Refusal(f"{command.office} is no office of this policy.", remains=f"One of: {', '.join(sorted(policy.offices))}.")


def signature(person: str | None, office: str | None, on: date, humans: dict[str, str]) -> Signature:
    """Returns what is known of who acted before the import; the grade of that day is not."""
    who = person or NOT_RECORDED
    return Signature(person=who, human=humans.get(who, who), on=on, office=office)


def _with_people(case: Case, command: CompleteRecord, actor: Actor) -> Case:
    humans = {one.id: one.human for one in actor.staff.people}
    if command.warned_by and case.warnings and case.warnings[0].by.person == NOT_RECORDED:
        warning = case.warnings[0].model_copy(update={"by": signature(command.warned_by, None, case.warnings[0].on, humans)})
        case = case.model_copy(update={"warnings": with_item(case.warnings, warning)})
    sanction = _first(case)
    if sanction and (command.decided_by or command.office) and sanction.signatures[0].person == NOT_RECORDED:
        office = command.office or sanction.signatures[0].office
        signed = signature(command.decided_by, office, sanction.decided_on, humans)
        case = case.model_copy(update={"sanctions": with_item(case.sanctions, sanction.model_copy(update={"signatures": (signed,)}))})
    filled = {name: value for name in ("contact_officer", "area") if (value := getattr(command, name)) and getattr(case, name) is None}
    return case.model_copy(update=filled)


def _with_answers(case: Case, command: CompleteRecord, policy: Policy) -> Case:
    """Returns the case with what was found about its imported incident; an answer that stands is left as it is."""
    incident = next((one for one in case.incidents if from_before(one)), None)
    if not command.findings:
        return case
    if incident is None:
        raise Refusal("No incident was imported, so nothing is asked of one.", remains="complete_incident answers for one reported since.")
    new = {name: answer for name, answer in command.findings.items() if name not in incident.findings}
    return case.model_copy(update={"incidents": with_item(case.incidents, answered(incident, new, case, policy))})


def _with_decision(case: Case, command: CompleteRecord, today: date) -> Case:
    sanction = _first(case)
    if sanction and command.reasons and sanction.terms.reasons == NOT_RECORDED:
        terms = sanction.terms.model_copy(update={"reasons": command.reasons})
        case = case.model_copy(update={"sanctions": with_item(case.sanctions, sanction.model_copy(update={"terms": terms}))})
    notice = case.notice(sanction.notice) if sanction else None
    if sanction and notice and command.told_on and notified_on(case, notice.id) is None:
        if not sanction.decided_on <= command.told_on <= today:
            right = f"from {sanction.decided_on.isoformat()} to today"
            raise Refusal(f"told_on is {command.told_on.isoformat()}.", kind="malformed", remains=f"A day {right}.")
        case = marked(case, notice, "sent", method=IMPORTED, sent_on=command.told_on, notified_on=command.told_on, problem=None)
    return case


def unchecked(case: Case, do: str, policy: Policy) -> tuple[Entry, ...]:
    """Returns the line that says a guard could not be checked: nobody knows whether the decider now judges their own decision."""
    sanction = _first(case)
    independent = policy.appeal.independent if policy.appeal and do == "decide_appeal" else policy.review.independent
    if sanction is None or do not in ("review", "decide_appeal") or sanction.signatures[0].person != NOT_RECORDED:
        return ()
    if independent is None or not independent.value:
        return ()
    said = "Who took the imported decision is not recorded, so nobody could check that this is somebody else."
    return (Entry(what=said, cites=(*independent.sources, "DEF-20")),)
