"""One incident put on the record: of a known behaviour, classified with others where the policy asks, and no mere use of a right."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Incident, next_id
from domain.commands import ClassifyContact, ReportBehaviour
from domain.decision import Refusal
from domain.people import Actor
from domain.policy import Policy
from domain.questions import answered


def with_incident(case: Case, command: ReportBehaviour | ClassifyContact, *, code: str, on: date, actor: Actor, policy: Policy) -> Case:
    """Returns the case with one more incident. Refuses a behaviour the policy does not know, or has not been classified as it asks."""
    if code != "other" and code not in policy.behaviours:
        known = ", ".join(sorted(policy.behaviours))
        cites = policy.other_behaviour.sources
        raise Refusal(f"{code} is no behaviour of this policy.", cites=cites, remains=f"Use other, or one of: {known}.")
    at = _directed_at(command, actor)
    incident = Incident(
        id=next_id("i", case.incidents),
        on=on,
        code=code,
        medium=command.medium,
        summary=command.summary,
        by=actor.id,
        physical=isinstance(command, ReportBehaviour) and command.physical,
        consulted=_consulted(command.consulted, actor, policy),
        time=command.time if isinstance(command, ReportBehaviour) else None,
        directed_at=at,
        involved=tuple(dict.fromkeys((actor.human, *(actor.staff.by_id[one].human for one in at)))),
    )
    incident = answered(incident, command.findings if isinstance(command, ReportBehaviour) else {}, policy)
    return case.model_copy(update={"incidents": (*case.incidents, incident)})


def _directed_at(command: ReportBehaviour | ClassifyContact, actor: Actor) -> tuple[str, ...]:
    named = command.directed_at if isinstance(command, ReportBehaviour) else ()
    unknown = [one for one in named if one not in actor.staff.by_id]
    if unknown:
        remains = "The ids the staff list gives; who is not on it can be named in the summary."
        raise Refusal(f"directed_at names {', '.join(unknown)}, not on the staff list.", kind="unknown", remains=remains)
    return named


def _consulted(named: tuple[str, ...], actor: Actor, policy: Policy) -> tuple[str, ...]:
    """Returns the other people asked whether the behaviour fits its term, where the policy wants that."""
    rule = policy.classification
    others = {one: person.human for one in named if (person := actor.staff.by_id.get(one)) and person.human != actor.human}
    if rule and len(set(others.values())) < rule.value:
        raise Refusal(
            "Whether behaviour fits a term is decided with line managers and colleagues; consulted names nobody else on the staff list.",
            cites=rule.sources,
            remains="Name them under with.consulted.",
        )
    return tuple(others)
