"""Acts apart from any sanction: a conversation ended, a report to the police, a marker; some of them compulsory."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Discussion, MeasureTaken, next_id, with_item
from domain.commands import Discuss, EndConversation, RecordInitialMeasures, ReviewMeasure, TakeMeasure
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, named, require_relation_or_office, signed_by, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import Measure, Policy
from domain.steps import require_discussions


def discuss(case: Case, command: Discuss, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record one of the conversations the policy wants, in its order."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    rule = next((one for one in policy.discussions if one.step == command.step), None)
    if rule is None:
        listed = ", ".join(one.step for one in policy.discussions) or "none"
        raise Refusal(f"{command.step} is no conversation of this policy.", remains=f"It lists: {listed}.")
    require_discussions(case, policy, on=on, before=command.step)
    if rule.documented and rule.documented.value and not case.incidents:
        raise Refusal("The behaviour has not been documented.", cites=rule.documented.sources, remains="Record it with report_behaviour.")
    person = actor.staff.by_id.get(command.person)
    if person is None:
        raise Refusal(f"{command.person} is not on the staff list.", remains="Name a person by the id the staff list gives.")
    require_relation_or_office(rule.with_, person, actor=actor, case=case, policy=policy)
    held = Discussion(
        id=next_id("d", case.discussions), step=rule.step, on=on, by=actor.id, person=person.id, human=person.human, note=command.note
    )
    case = case.model_copy(update={"discussions": (*case.discussions, held)})
    return decided(case, f"{rule.step} held with {person.id}.", cites=rule.sources)


def record_initial_measures(
    case: Case, command: RecordInitialMeasures, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record what was tried before any decision; it is not yet the policy."""
    signed_by(actor, the_day(command.on, today=today))
    cites = policy.initial_measures.sources if policy.initial_measures else ()
    case = case.model_copy(update={"initial_measures": (*case.initial_measures, command.measures)})
    return decided(case, "Initial measures recorded.", cites=cites)


def end_conversation(case: Case, command: EndConversation, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that an employee ended a conversation: no sanction, no warning, no clock."""
    signed_by(actor, the_day(command.on, today=today))
    if policy.ended_conversation is None:
        raise Refusal("This policy does not speak of ending a conversation.", remains="Record what happened with report_behaviour.")
    return decided(
        case, f"The customer was told and the conversation by {command.medium} was ended.", cites=policy.ended_conversation.sources
    )


def take_measure(case: Case, command: TakeMeasure, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a report to the police or a marker."""
    on = the_day(command.on, today=today)
    rule = _measure(command.measure, policy)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="decide this measure")
    taken = MeasureTaken(
        id=next_id("m", case.measures), measure=rule.measure, on=on, by=by, reasons=command.reasons, stands=rule.recheck is not None
    )
    case = case.model_copy(update={"measures": (*case.measures, taken)})
    if rule.told:
        case, _ = owe(case, rule.told, about=taken.id, on=on, policy=policy, by=by)
    return decided(case, f"{rule.label.capitalize()} recorded.", cites=rule.sources)


def review_measure(case: Case, command: ReviewMeasure, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Keep or remove a measure that lasts; each look begins the time to the next anew (A-88)."""
    on = the_day(command.on, today=today)
    taken = next((one for one in case.standing_measures if one.id == command.saw), None)
    if taken is None:
        standing = ", ".join(one.id for one in case.standing_measures) or "none"
        raise Refusal("saw must name a measure that stands.", kind="stale", remains=f"Standing: {standing}.")
    if on < taken.on:
        raise Refusal(f"{taken.id} was taken on {taken.on.isoformat()}, after the day of this look.")
    rule = _measure(taken.measure, policy)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="look at this measure")
    removed = {"removed_on": on} if command.outcome == "remove" else {}
    done = taken.model_copy(update={"reviewed_on": on, "review_reasons": command.reasons, **removed})
    case = case.model_copy(update={"measures": with_item(case.measures, done)})
    if removed and rule.told:
        case, _ = owe(case, rule.told, about=taken.id, on=on, policy=policy, by=by)
    said = "removed" if removed else "kept"
    return decided(case, f"{rule.label.capitalize()} was {said}.", cites=(*rule.sources, *(rule.recheck.sources if rule.recheck else ())))


def rule_of(taken: MeasureTaken, policy: Policy) -> Measure | None:
    """Returns what the policy says of a measure that was taken."""
    return next((one for one in policy.measures if one.measure == taken.measure), None)


def _measure(name: str, policy: Policy) -> Measure:
    found = next((one for one in policy.measures if one.measure == name), None)
    if found is None:
        listed = ", ".join(one.measure for one in policy.measures) or "none"
        raise Refusal(f"{name} is no measure of this policy.", remains=f"It has: {listed}.")
    return found


def measures_owed(case: Case, policy: Policy) -> tuple[Measure, ...]:
    """Returns the compulsory measures that have not been taken: physical violence leaves no choice (C24-43)."""
    if not any(incident.physical for incident in case.incidents):
        return ()
    taken = {one.measure for one in case.measures} | {r.type for sanction in case.sanctions for r in sanction.terms.restrictions}
    return tuple(one for one in policy.measures if one.always_if and one.measure not in taken)


def require_measures_taken(case: Case, policy: Policy) -> None:
    """Refuses to end a case while a compulsory measure is open."""
    owed = measures_owed(case, policy)
    if owed:
        raise Refusal(
            f"Still compulsory: {', '.join(one.label for one in owed)}.",
            cites=[source for one in owed if one.always_if for source in one.always_if.sources],
            remains=f"Record each with take_measure; {named(owed[0].by, policy)} decides it.",
        )
