"""How long this decision may run: by what was done, what is imposed, and how often it was done before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Sanction
from domain.days import Calendar, after
from domain.policy import Length, Policy
from domain.restrictions import Restriction
from domain.rules import Period

OVERTURNED = ("appeal", "mistake", "withdrawn")
"""How a sanction ended that is not held against the customer afterwards."""


def period_for(
    case: Case, restrictions: tuple[Restriction, ...], *, of: Sanction | None, policy: Policy, calendar: Calendar, on: date
) -> Period | None:
    """Returns the period of a decision: fixed where the length is fixed, the most where it is chosen; None where none is set.

    `of` is the sanction that the decision changes; it does not stand before itself."""
    rule = policy.decision.length
    found = list(_scales(case, restrictions, rule, of, policy))
    if not found:
        return rule.period if rule.kind.value == "fixed" else rule.at_most
    ends = [(after(on, one.count, one.unit, calendar)[0], n) for n, one in enumerate(found)]
    shortest = rule.if_several is not None and rule.if_several.value == "shortest"
    return found[(min(ends) if shortest else max(ends))[1]]


def latest_length(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Period | None:
    """Returns how long a policy lets a sanction that stands run, from its own start: fixed, or the most; None where it sets no end."""
    if policy.decision.length.kind.value == "open":
        return None
    limits = sanction.terms.restrictions
    return period_for(case, limits, of=sanction, policy=policy, calendar=calendar, on=sanction.period_start)


def _scales(case: Case, restrictions: tuple[Restriction, ...], rule: Length, of: Sanction | None, policy: Policy) -> Iterator[Period]:
    headings = {policy.behaviours[one.code].heading for one in case.incidents if one.code in policy.behaviours}
    yield from (period for heading, period in rule.by_heading.items() if heading in headings)
    types = {one.type for one in restrictions}
    yield from (period for type, period in rule.by_restriction.items() if type in types)
    if rule.by_earlier and (not rule.earlier_of or types & set(rule.earlier_of.value)):
        yield rule.by_earlier[min(earlier_sanctions(case, of, rule), len(rule.by_earlier) - 1)]


def earlier_sanctions(case: Case, of: Sanction | None, rule: Length) -> int:
    """Returns how many sanctions stood before, in this case and in those named when it was opened (EH-70); none that was overturned."""
    ids = [one.id for one in case.sanctions]
    before = case.sanctions[: ids.index(of.id)] if of else case.sanctions
    counted = [one for one in before if one.limits and one.ended_how not in OVERTURNED and _of_the_scale(one, rule)]
    return len(counted) + len(case.earlier_decisions)


def _of_the_scale(sanction: Sanction, rule: Length) -> bool:
    return rule.earlier_of is None or bool({one.type for one in sanction.terms.restrictions} & set(rule.earlier_of.value))


def said_of_earlier(case: Case, of: Sanction | None, policy: Policy) -> str | None:
    """Returns what a refused length should say of the decisions that were counted, where the length grows with them."""
    rule = policy.decision.length
    if not rule.by_earlier:
        return None
    return f"Decisions counted as earlier: {earlier_sanctions(case, of, rule)}; open_case names those of ended cases (earlier_decisions)."
