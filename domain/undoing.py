"""Who may take back what a case came to: withdraw it, undo it as a mistake, let go of a hold on its papers (EH-190).

No text gives these acts to anybody. Get it wrong and whoever is on the staff list ends a decision that others had to sign."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Challenge, Signature
from domain.days import Calendar
from domain.decision import Refusal
from domain.guards import authorise, signed_by
from domain.people import Actor, same_human
from domain.policy import Policy
from domain.reading import officers, view_of
from domain.rights import UNDONE
from domain.tasks import tasks

UNDO = "EH-190"


def may_undo(case: Case, *, actor: Actor, policy: Policy, calendar: Calendar, on: date) -> Signature:
    """Returns the signature of whoever may undo a case: while a decision stands one who may make one, before and after whoever has a
    part in it. Raises Refusal."""
    act = "undo this case"
    if not case.in_force:
        return has_a_part(case, actor=actor, policy=policy, calendar=calendar, on=on, act=act)
    found = _deciding(case, actor=actor, policy=policy, on=on, act=f"{act} while a decision stands")
    if isinstance(found, Refusal):
        raise Refusal(found.reason, cites=(*found.cites, UNDO), remains=found.remains)
    return found


def has_a_part(
    case: Case, *, actor: Actor, policy: Policy, calendar: Calendar, on: date, act: str, besides: frozenset[str] = frozenset()
) -> Signature:  # fmt: skip
    """Returns the signature of one of a case's officers (EH-171), of who keeps its record, may decide on it or destroys its papers, or of
    one of `besides`. Raises Refusal for anybody else."""
    by = signed_by(actor, on)
    assert actor.person is not None
    person, waiting = actor.person, tasks(case, policy, calendar, today=on)
    view = view_of(case, person.id, staff=actor.staff, policy=policy, tasks=waiting, opened_by=case.opened_by, information=None)
    destroys = {*person.offices, *person.deputises} & set(policy.retention.destroyed_by.offices)
    nobodys = case.opened_by is None and not officers(case, opened_by=None)  # of an earlier release, which noted no opener
    if view.part in ("officer", "keeper") or destroys or nobodys or any(same_human(person, one, actor.staff) for one in besides):
        return by
    if isinstance(_deciding(case, actor=actor, policy=policy, on=on, act=act), Refusal):
        others = "One of its officers, or somebody who decides."
        raise Refusal(f"{person.id} has no part in this case and may not {act}.", cites=(UNDO,), remains=others)
    return by


def _deciding(case: Case, *, actor: Actor, policy: Policy, on: date, act: str) -> Signature | Refusal:
    """Returns the signature of somebody whom one of the policy's sign-offs lets decide, or the first refusal."""
    refused: list[Refusal] = []
    for rule in policy.decision.sign_offs.values():
        try:
            return authorise(rule.decided_by, actor=actor, case=case, policy=policy, on=on, act=act)
        except Refusal as refusal:
            refused.append(refusal)
    return refused[0]


def answered_by_undoing(challenge: Challenge, *, on: date) -> Challenge:
    """Returns an appeal as it stands once what it was against is undone."""
    return challenge.model_copy(update={"decided_on": on, "outcome": UNDONE}) if challenge.pending else challenge
