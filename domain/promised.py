"""What a customer was told, or may count on, of a case that has restrictions: dates, and how and to whom to appeal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Sanction
from domain.clocks import answer_due, appeal_window, appealable
from domain.days import Calendar, Reckoned, in_words
from domain.policy import AppealRule, Policy
from domain.review_clocks import clear_period, review_due
from domain.rights import used_by
from domain.rules import Rule

Said = tuple[str, tuple[str, ...]]
"""A fact in words, and what it rests on."""


def promised(case: Case, policy: Policy, calendar: Calendar, *, on: date) -> dict[str, Said]:
    """Returns each thing a customer may count on by its name in words; nothing where nothing runs."""
    return dict(_promised(case, policy, calendar, on))


def _promised(case: Case, policy: Policy, calendar: Calendar, on: date) -> Iterator[tuple[str, Said]]:
    open_to_appeal = False
    for one in appealable(case):
        closes = appeal_window(case, one, policy, calendar)
        sanction = one if isinstance(one, Sanction) else case.sanction(one.sanction)
        runs = bool(sanction and sanction.in_force)
        if policy.appeal and not used_by(case, one, policy.appeal) and (closes.date >= on if closes else runs):
            open_to_appeal = True
            last = _day(closes) if closes else ("at any time while the limits run", policy.appeal.decided_by.sources)
            yield f"The last day to appeal against {_name(case, one.id)}", last
    if open_to_appeal and policy.appeal:
        yield from _appeal(policy, policy.appeal)
    for challenge in case.challenges:
        due = answer_due(case, challenge, policy, calendar) if challenge.pending else None
        if due:
            yield f"The day by which we answer what you sent us on {in_words(challenge.on)}", _day(due)
    for sanction in case.in_force:
        yield from _of_sanction(case, sanction, policy, calendar)


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
    """Returns a decision as a letter names it: by its day."""
    sanction = case.sanction(id)
    if sanction:
        return f"our decision of {in_words(sanction.decided_on)}"
    review = next(one for one in case.reviews if one.id == id)
    return f"our review of {in_words(review.on)}"
