"""What a policy asks of an incident before the example it stands under is made out.

A missing answer never keeps an incident off the record: it is shown as not made out until somebody answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.answers import day_of, require_kind
from domain.case import NOT_RECORDED, Case, Incident, with_item
from domain.commands import CompleteIncident
from domain.commands import Findings as Answers
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.model import Answer
from domain.people import Actor
from domain.policy import Behaviour, Policy
from domain.restrictions import Channel
from domain.rules import Cited, Finding


class Shortfall(NamedTuple):
    """One thing that keeps an example from being made out, and the clauses it rests on."""

    name: str
    says: str
    sources: tuple[str, ...]


def questions_of(code: str, policy: Policy) -> tuple[Finding, ...]:
    """Returns what incidents under this behaviour may be asked: the behaviour's own questions, then those of every incident."""
    behaviour = policy.behaviours.get(code)
    own, heading = (behaviour.asks, behaviour.heading) if behaviour else ((), None)
    return (*own, *(rule for rule in policy.incidents.asks if rule.if_heading in (None, heading)))


def questions_for(incident: Incident, case: Case, policy: Policy) -> tuple[Finding, ...]:
    """Returns what this incident is asked: of such a customer, and of the way it came."""
    return tuple(
        rule
        for rule in questions_of(incident.code, policy)
        if rule.if_customer in (None, case.customer.kind) and (not rule.if_medium or incident.medium in rule.if_medium)
    )


def open_questions(incident: Incident, case: Case, policy: Policy) -> tuple[Finding, ...]:
    """Returns the questions of an incident that somebody is to answer: none of one from before an import, whom nobody there can ask."""
    return () if from_before(incident) else unanswered(incident, case, policy)


def from_before(incident: Incident) -> bool:
    """Returns whether an incident stood in a body's old record: what it does not say is a gap of that record (complete_record)."""
    return incident.by == NOT_RECORDED


def unanswered(incident: Incident, case: Case, policy: Policy) -> tuple[Finding, ...]:
    """Returns the questions of an incident that have no answer."""
    return tuple(
        rule
        for rule in questions_for(incident, case, policy)
        if not rule.optional
        and _arises(rule, incident)
        and not any(rule.finding in answers for answers in _answering(rule, incident, case))
    )


def _arises(rule: Finding, incident: Incident) -> bool:
    return all(incident.findings.get(name) == choice for name, choice in rule.if_answer.items())


def _answering(rule: Finding, incident: Incident, case: Case) -> tuple[dict[str, Answer], ...]:
    """Returns the answers that serve for an incident: its own; once a case also those of the intake and of any other incident."""
    others = (case.intake, *(one.findings for one in case.incidents)) if rule.once_a_case else ()
    return (incident.findings, *others)


def shortfalls(incident: Incident, case: Case, policy: Policy) -> tuple[Shortfall, ...]:
    """Returns what keeps an incident's example from being made out; nothing here ever keeps the incident off the record."""
    return tuple(_shortfalls(incident, case, policy))


def _shortfalls(incident: Incident, case: Case, policy: Policy) -> Iterator[Shortfall]:
    for rule in unanswered(incident, case, policy):
        yield Shortfall(rule.finding, "is not recorded" if from_before(incident) else "is not answered", rule.sources)
    for rule in questions_for(incident, case, policy):
        if rule.answer == "yes" and incident.findings.get(rule.finding) is False:
            yield Shortfall(rule.finding, "is answered no", rule.sources)
    behaviour = policy.behaviours.get(incident.code)
    if behaviour:
        yield from _company(incident, behaviour, case, policy)


def _company(incident: Incident, behaviour: Behaviour, case: Case, policy: Policy) -> Iterator[Shortfall]:
    """Yields what other entries of the case an example needs beside it."""
    others = [one for one in case.incidents if one.id != incident.id]
    more, beside = behaviour.needs_more_than_one, behaviour.accompanied
    if more and more.value and all(one.code != incident.code for one in others):
        yield Shortfall("more-than-one", "takes more than one entry under this behaviour", more.sources)
    if beside and beside.value and not any(_specific(one, policy) for one in others):
        yield Shortfall("accompanied", "takes an incident under a specific behaviour beside it", beside.sources)


def _specific(incident: Incident, policy: Policy) -> bool:
    behaviour = policy.behaviours.get(incident.code)
    return behaviour is not None and not (behaviour.accompanied and behaviour.accompanied.value)


def said_of(incident: Incident, case: Case, policy: Policy) -> str:
    """Returns what is to be told about an incident that is not made out, and which questions are open; else nothing."""
    waiting = open_questions(incident, case, policy)
    asked = "; ".join(f"{rule.finding}: {rule.asks}" for rule in waiting)
    names = ", ".join(rule.finding for rule in waiting)
    opened = f" The example is not made out until complete_incident (saw: {incident.id}) answers {names} ({asked})." if waiting else ""
    own = {rule.finding for rule in waiting}
    rest = "".join(f" Not made out: {one.name} {one.says}." for one in shortfalls(incident, case, policy) if one.name not in own)
    named = _unnamed(incident, policy)
    also = f" The text names {', '.join(named.value)}; {incident.medium} is recorded all the same." if named else ""
    return f"{opened}{rest}{also}{_hour_asked(incident, policy)}"


def _hour_asked(incident: Incident, policy: Policy) -> str:
    """Returns the question for the hour where the policy asks for it; nothing rests on an answer (NE-15)."""
    if not _hour_missing(incident, policy):
        return ""
    return f" Its hour is not recorded; complete_incident (saw: {incident.id}) adds it as time, if it is known."


def _hour_missing(incident: Incident, policy: Policy) -> bool:
    hour = policy.incidents.time
    return hour is not None and hour.value == "asked" and incident.time is None and incident.medium != "letter"


def _unnamed(incident: Incident, policy: Policy) -> Cited[tuple[Channel, ...]] | None:
    """Returns the channels the text names, where the incident came by another."""
    behaviour = policy.behaviours.get(incident.code)
    named = (behaviour.channels if behaviour else None) or policy.incidents.channels
    return named if named and incident.medium not in named.value else None


def sources_of(incident: Incident, case: Case, policy: Policy) -> tuple[str, ...]:
    """Returns the clauses behind what `said_of` tells."""
    named, hour = _unnamed(incident, policy), policy.incidents.time if _hour_missing(incident, policy) else None
    short = (source for one in shortfalls(incident, case, policy) for source in one.sources)
    return (*short, *(source for rule in (named, hour) if rule for source in rule.sources))


def not_made_out(case: Case, policy: Policy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the incidents whose examples are not made out, each with why, and the clauses: for whoever decides."""
    short = [(one, shortfalls(one, case, policy)) for one in case.incidents]
    said = tuple(f"{one.id} ({', '.join(why.name for why in all_)})" for one, all_ in short if all_)
    return said, tuple(source for _, all_ in short for why in all_ for source in why.sources)


def answered(incident: Incident, answers: Answers, case: Case, policy: Policy) -> Incident:
    """Returns the incident with more answers. Refuses a name that is no question of it, and an answer of the wrong kind."""
    asked = {rule.finding: rule for rule in questions_for(incident, case, policy)}
    unknown = sorted(set(answers) - set(asked))
    if unknown:
        remains = f"It is asked: {', '.join(asked) or 'nothing'}."
        raise Refusal(f"{incident.code} is not asked {', '.join(unknown)}.", cites=_of_code(incident.code, policy), remains=remains)
    done = incident.model_copy(update={"findings": {**incident.findings, **answers, **_pre_answered(incident, answers, policy)}})
    for name, answer in answers.items():
        require_kind(asked[name], answer)
    for rule in asked.values():
        _fits_the_rest(rule, done)
    return _marked(done, tuple(asked.values()))


def _pre_answered(incident: Incident, answers: Answers, policy: Policy) -> Answers:
    """Returns what the text itself answers for this behaviour (C24-10); refuses another answer to it."""
    behaviour = policy.behaviours.get(incident.code)
    given = behaviour.answers if behaviour else {}
    for name, rule in given.items():
        if answers.get(name, rule.value) != rule.value:
            said = "yes" if rule.value else "no"
            remains = "Record it under another behaviour, if it was not this one."
            raise Refusal(f"{name} is answered {said} by the text for {incident.code}.", cites=rule.sources, remains=remains)
    return {name: rule.value for name, rule in given.items()}


def said_by_the_text(incident: Incident, policy: Policy) -> tuple[str, tuple[str, ...]]:
    """Returns what the text answered of itself, in words, and its clauses."""
    behaviour = policy.behaviours.get(incident.code)
    given = behaviour.answers if behaviour else {}
    said = "".join(f" Answered by the text: {name}, {'yes' if rule.value else 'no'}." for name, rule in given.items())
    return said, tuple(source for rule in given.values() for source in rule.sources)


def intake_questions(policy: Policy) -> tuple[Finding, ...]:
    """Returns what is asked once a case, at its opening or with its first incident (MBC-02)."""
    return tuple(rule for rule in policy.incidents.asks if rule.once_a_case)


def require_intake(answers: Answers, policy: Policy) -> None:
    """Refuses answers of an opening to what is not asked there, or of the wrong kind."""
    asked = {rule.finding: rule for rule in intake_questions(policy)}
    unknown = sorted(set(answers) - set(asked))
    if unknown:
        remains = f"It is asked: {', '.join(asked) or 'nothing'}."
        raise Refusal(f"An opening is not asked {', '.join(unknown)}.", kind="malformed", remains=remains)
    for name, answer in answers.items():
        require_kind(asked[name], answer)


def intake_open(case: Case, policy: Policy) -> tuple[Finding, ...]:
    """Returns what is asked once a case and was not answered at its opening."""
    return tuple(rule for rule in intake_questions(policy) if not rule.optional and rule.finding not in case.intake)


def _of_code(code: str, policy: Policy) -> tuple[str, ...]:
    return policy.behaviours[code].sources if code in policy.behaviours else policy.other_behaviour.sources


def _fits_the_rest(rule: Finding, incident: Incident) -> None:
    """Refuses a day that contradicts the incident's own, or another answer of it."""
    day = day_of(incident.findings.get(rule.finding)) if rule.answer == "date" else None
    if day is None:
        return
    if day > incident.on:
        said = f"{rule.finding} is {day.isoformat()}, after the incident of {incident.on.isoformat()}."
        raise Refusal(said, cites=rule.sources, remains="A day on or before it; what happened later is another incident.")
    first = day_of(incident.findings.get(rule.not_before)) if rule.not_before else None
    if first and day < first:
        raise Refusal(f"{rule.finding} is {day.isoformat()}, before {rule.not_before}, {first.isoformat()}.", cites=rule.sources)


def _marked(incident: Incident, asked: tuple[Finding, ...]) -> Incident:
    """Returns the incident marked as physical where its answers say so; what was marked so is never unmarked by an answer."""
    for rule in asked:
        if rule.marks is None:
            continue
        answer = incident.findings.get(rule.finding)
        if answer is False and incident.physical:
            remains = "Answer true, or correct the case if it was opened by mistake."
            raise Refusal(f"Physical violence is on record; {rule.finding} cannot be no.", cites=rule.sources, remains=remains)
        if answer is True or incident.physical:
            findings = {**incident.findings, rule.finding: True}
            incident = incident.model_copy(update={"physical": True, "findings": findings})
    return incident


def complete_incident(case: Case, command: CompleteIncident, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Answer open questions of one incident; nothing else about it changes."""
    signed_by(actor, the_day(command.on, today=today))
    incident = next((one for one in case.incidents if one.id == command.saw), None)
    if incident is None:
        there = ", ".join(one.id for one in case.incidents) or "none"
        raise Refusal("saw must name an incident of this case.", kind="stale", remains=f"There are: {there}.")
    done = answered(incident, command.findings, case, policy)
    if command.time:
        done = done.model_copy(update={"time": command.time})
    case = case.model_copy(update={"incidents": with_item(case.incidents, done)})
    cites = [source for rule in questions_of(done.code, policy) if rule.finding in command.findings for source in rule.sources]
    hour = policy.incidents.time if command.time else None
    cites += hour.sources if hour else ()
    names = (*sorted(command.findings), *(("time",) if command.time else ()))
    said = f"Answered for {done.id}: {', '.join(names)}.{said_of(done, case, policy)}"
    return decided(case, said, cites=(*cites, *sources_of(done, case, policy)))
