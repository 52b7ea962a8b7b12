"""Who writes in the register by hand: the post that keeps it and the post that maintains it, where the policy names them (MBC-55).

What a case's own acts put there comes by itself, whoever acts; a hand adds beside it and takes nothing away."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Signature
from domain.decision import Refusal
from domain.guards import authorise, named, signed_by
from domain.people import Actor
from domain.policy import Policy
from domain.rules import Who


def writers(policy: Policy) -> tuple[Who, ...]:
    """Returns those who may write in the register by hand; none where the policy names nobody, and then any member of staff may."""
    rule = policy.register_
    return tuple(who for who in (rule.maintained_by, rule.kept_by) if who) if rule else ()


def require_writer(case: Case, *, actor: Actor, policy: Policy, on: date, act: str = "write in the register by hand") -> Signature:
    """Returns the signature of somebody who may write in the register; refuses anybody else with the clause."""
    may = writers(policy)
    for who in may:
        try:
            return authorise(who, actor=actor, case=case, policy=policy, on=on, act=act)
        except Refusal:
            continue
    if not may:
        return signed_by(actor, on)
    everybody = " or ".join(named(who, policy) for who in may)
    sources = dict.fromkeys(source for who in may for source in who.sources)
    raise Refusal(f"Only {everybody} may {act}; {actor.id} does not.", cites=sources, remains=f"Ask {everybody}.")
