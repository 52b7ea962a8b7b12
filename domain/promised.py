"""What a customer was told, or may count on, of a case that has restrictions: dates, and how and to whom to appeal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.appeal_rules import AppealRule
from domain.case import Case, Sanction
from domain.clocks import answer_due, appeal_window
from domain.days import Calendar, Reckoned, in_words
from domain.policy import Policy
from domain.review_clocks import clear_period, review_due
from domain.rights import Target, appealable, right_to, sanction_under, used_by
from domain.rules import Rule

Said = tuple[str, tuple[str, ...]]
"""A fact in words, and what it rests on."""


def promised(case: Case, policy: Policy, calendar: Calendar, *, on: date) -> dict[str, Said]:
    """Returns each thing a customer may count on by its name in words; nothing where nothing runs."""
    return dict(_promised(case, policy, calendar, on))


def _promised(case: Case, policy: Policy, calendar: Calendar, on: date) -> Iterator[tuple[str, Said]]:
    asked: list[AppealRule] = []
    for one in appealable(case, policy):
        right = right_to(case, one, policy)
        closes = appeal_window(case, one, policy, calendar)
        if right and not used_by(case, one, right) and (closes.date >= on if closes else _runs(case, one)):
            asked += [right.rule] if right.rule not in asked else []
            last = _day(closes) if closes else ("at any time while the limits run", right.rule.decided_by.sources)
            yield f"The last day to appeal against {_name(case, right.ref(one))}", last
    for rule in asked:
        yield from _appeal(policy, rule)
    for challenge in case.challenges:
        due = answer_due(case, challenge, policy, calendar) if challenge.pending else None
        if due:
            yield f"The day by which we answer what you sent us on {in_words(challenge.on)}", _day(due)
    for sanction in case.in_force:
        yield from _of_sanction(case, sanction, policy, calendar)


def _runs(case: Case, target: Target) -> bool:
    """Returns whether what a decision limits still runs; a warning while it may still lead to one."""
    sanction = sanction_under(case, target)
    return sanction.in_force if sanction else not case.sanctions


def _of_sanction(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[tuple[str, Said]]:
    name = _name(case, sanction.id)
    if sanction.terms.until:
        yield f"The last day of the limits of {name}", (in_words(sanction.terms.until), policy.decision.length.kind.sources)
    due = review_due(case, sanction, policy, calendar)
    if due:
        yield f"The next review of {name}", _day(due)
    rules = policy.review_of(disengages=sanction.disengages)
    clear = clear_period(case, sanction, rules.outcomes["lift"])
    if clear:
        yield f"The time without an incident after which {name} can be ended", (clear.words, clear.sources)
    if rules.requested:
        each = rules.requested.per_period
        yield f"Reviews of {name} that you may ask for", (str(each.value), each.sources)


def _appeal(policy: Policy, rule: AppealRule) -> Iterator[tuple[str, Said]]:
    yield "Where to send an appeal", (policy.office(rule.to.value), rule.to.sources)
    yield "How to make an appeal", ("in writing" if rule.in_writing and rule.in_writing.value else "in any form", _sources(rule.in_writing))
    if rule.decided_by.offices:
        yield "Who decides an appeal", (" or ".join(map(policy.office, rule.decided_by.offices)), rule.decided_by.sources)


def _sources(rule: Rule | None) -> tuple[str, ...]:
    return rule.sources if rule else ()


def _day(reckoned: Reckoned) -> Said:
    return in_words(reckoned.date), (*reckoned.cites, *reckoned.defaults)


def _name(case: Case, id: str) -> str:
    """Returns a decision, a warning or an answer as a letter names it: by its day."""
    sanction = case.sanction(id)
    if sanction:
        return f"our decision of {in_words(sanction.decided_on)}"
    warning = next((one for one in case.warnings if one.id == id), None)
    if warning:
        return f"our warning of {in_words(warning.on)}"
    answer = next((one for one in case.challenges if one.id == id), None)
    if answer and answer.decided_on:
        return f"our answer of {in_words(answer.decided_on)}"
    review = next(one for one in case.reviews if one.id == id)
    return f"our review of {in_words(review.on)}"
