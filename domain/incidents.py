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
    _known(code, policy)
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
        time=command.time or _hour_at_the_desk(case, command.saw),
        directed_at=at,
        involved=tuple(dict.fromkeys((actor.human, *(actor.staff.by_id[one].human for one in at)))),
    )
    incident = answered(incident, command.findings, case, policy)
    return case.model_copy(update={"incidents": (*case.incidents, incident)})


def _known(code: str, policy: Policy) -> None:
    """Refuses a behaviour that the policy does not know, and other behaviour where its list is closed."""
    rule = policy.other_behaviour
    if code in policy.behaviours or (code == "other" and rule.allowed):
        return
    known = ", ".join(sorted(policy.behaviours))
    other = "Use other, or one of" if rule.allowed else "The list is closed. One of"
    raise Refusal(f"{code} is no behaviour of this policy.", cites=rule.sources, remains=f"{other}: {known}.")


def _hour_at_the_desk(case: Case, saw: str | None) -> str | None:
    """Returns the hour of the contact that an act saw (k3), where the desk recorded one."""
    seen = next((one for one in case.logged_contacts if one.id == saw), None)
    return f"{seen.at:%H:%M}" if seen and seen.at else None


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
