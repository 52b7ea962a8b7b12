"""A case that turned out to be a mistake: whoever else was told of it is to be told so, by a person, each recorded by itself (EH-131).

The customer gets a letter of the case's own; nothing else would reach an employer, a client, the police, an ombudsman, or a team that was
made aware of the decision alone, who all go on believing it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, MistakeTold
from domain.commands import RecordMistakeTold
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.people import Actor
from domain.policy import Policy

TELL = "EH-131"
MAY_HAVE_ARRIVED = ("sent", "handed-over", "uncertain")
REPORTED_TO = {"legal-team": "the lawyers", "police": "the police", "both": "the lawyers and the police"}


def to_be_told(case: Case, policy: Policy) -> Iterator[tuple[str, str]]:
    """Yields what somebody was told by, and who that is without a name, while the mistake has not been told there."""
    if case.ending != "mistake":
        return
    told = {one.about for one in case.mistakes_told}
    for ref, who in (*_outside(case), *_teams(case, policy)):
        if ref not in told:
            yield ref, who


def _outside(case: Case) -> Iterator[tuple[str, str]]:
    for notice in case.notices:
        if notice.recipient and notice.status in MAY_HAVE_ARRIVED:
            yield notice.id, f"the {notice.recipient.kind.replace('-', ' ')} whom the letter {notice.id} went to"
    for talk in case.clients_informed:
        if talk.notice is None:
            yield talk.id, f"the client who was told in person ({talk.id})"
    for report in case.external_reports:
        if report.to in REPORTED_TO:
            yield report.id, f"{REPORTED_TO[report.to]}, who had the report {report.id}"
    for taken in case.measures:
        if taken.measure == "police-report":
            yield taken.id, f"the police, who had the report {taken.id}"
    for bundle in case.disclosures:
        if bundle.audience == "ombudsman":
            yield bundle.id, f"the ombudsman, who had the papers of the case ({bundle.id})"


def _teams(case: Case, policy: Policy) -> Iterator[tuple[str, str]]:
    """Yields the teams that were made aware and that the policy would not have made aware of an end."""
    aware = {one.team for one in case.informed}
    for rule in policy.informs:
        if rule.team in aware and "end" not in rule.at:
            yield rule.team, f"the {rule.label}, made aware of the decision"


def record_mistake_told(
    case: Case, command: RecordMistakeTold, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record that somebody outside knows that the case was a mistake, or why they are not told."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    waiting = dict(to_be_told(case, policy))
    if command.saw is None or command.saw not in waiting:
        there = ", ".join(waiting) or "nobody" if case.ending == "mistake" else "nobody: this case was not ended as a mistake"
        raise Refusal("saw must name what somebody outside was told by.", kind="stale", cites=[TELL], remains=f"Still to be told: {there}.")
    if case.ended_without_restriction and on < case.ended_without_restriction:
        raise Refusal(f"The mistake was recorded on {case.ended_without_restriction.isoformat()}, after that day.", cites=[TELL])
    told = MistakeTold(about=command.saw, on=on, by=by.person, not_told=command.not_told)
    said = "It was recorded why they are not told of the mistake" if command.not_told else "They were told of the mistake"
    return decided(case.model_copy(update={"mistakes_told": (*case.mistakes_told, told)}), f"{said}: {command.saw}.", cites=[TELL])
