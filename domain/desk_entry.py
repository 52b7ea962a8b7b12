"""What the desk needs to know of one case: its restrictions with their clauses, what was used of them, and what passes all the same.

An entry holds everything an answer needs, so that the desk reads one row. Get it wrong and somebody is turned away who was not to be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from domain.agreements import answer_to
from domain.case import Arrangement, Case, DayTally, Sanction
from domain.contact_tally import tally_of
from domain.contact_words import ALWAYS, ContactKind
from domain.days import add_months
from domain.end_clocks import end_of_case
from domain.model import State, Text
from domain.notices import reached_on
from domain.policy import Policy
from domain.restrictions import NOT_LIMITS, Channel, ContactVolumeLimit, Restriction, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PERIODS_KEPT = 6
"""How many weeks or months of counting an entry holds; the records keep every contact."""


class Used(State):
    """What was used of a limit in one period: contacts, and the minutes recorded with them."""

    contacts: int = 0
    minutes: int = 0


class Limit(State):
    """One restriction as the desk sees it."""

    id: str
    """Sanction and place in it: s1.2."""
    label: str
    restriction: Restriction
    cites: tuple[str, ...]
    told_on: date | None
    """The day it binds from (DEF-05); None while the customer is not told."""
    until: date | None
    used: dict[date, Used] = {}
    """By the first day of the week, fortnight or month."""
    agreed: Literal["accepted", "refused"] | None = None
    """Of a written agreement: what the customer said to it."""


class Guidance(State):
    """What the policy says to its own staff about such a contact; printed with the answer, decides nothing."""

    text: str
    cites: tuple[str, ...] = ()


class Entry(State):
    """One case at the desk."""

    case: str
    body: str
    officer: str | None = None
    limits: tuple[Limit, ...] = ()
    let_through: dict[ContactKind, tuple[str, ...]] = {}
    record_with: dict[ContactKind, str] = {}
    """The command that takes up a contact of this kind."""
    in_writing: dict[ContactKind, tuple[str, ...]] = {}
    """Kinds that the policy wants in writing, with the clauses; empty where an adjustment says otherwise."""
    week_starts: Weekday = "monday"
    counted_by: tuple[str, ...] = ("EH-21",)
    classified_by: tuple[str, ...] = ()
    """Clauses of the classification of contacts after a disengagement."""
    adjusted: tuple[Channel, ...] = ()
    """Channels agreed as a reasonable adjustment: no restriction closes them (DEF-15)."""
    needs: tuple[Text, ...] = ()
    exempt: tuple[Text, ...] = ()
    """New issues that the restrictions were varied for."""
    permitted: tuple[Text, ...] = ()
    """Contact that stays permitted whatever was decided."""
    permitted_by: tuple[str, ...] = ()
    marked: bool = False
    """A marker as potentially aggressive stands."""
    arrangement: Arrangement | None = None
    guidance: tuple[Guidance, ...] = ()
    """The policy's own words to whoever takes a contact."""


def entry_of(case: Case, policy: Policy) -> Entry | None:
    """Returns what the desk knows of a case, or None once it has ended: what is over is nobody's business at a desk."""
    if case.destroyed_on or case.ending or case.stage in ("archived", "closed") or end_of_case(case):
        return None
    first = policy.contact.week_starts
    starts: Weekday = first.value if first else "monday"
    return Entry(
        case=case.id,
        body=case.body,
        officer=case.contact_officer,
        limits=tuple(one for sanction in case.in_force for one in _limits(case, sanction, policy, starts)),
        let_through=passing(policy),
        record_with=_record_with(policy),
        in_writing=_in_writing(case, policy),
        week_starts=starts,
        counted_by=first.sources if first else ("EH-21",),
        classified_by=policy.contact.reply_if.sources if policy.contact.reply_if else (),
        adjusted=tuple(channel for one in case.customer.adjustments for channel in one.channels),
        needs=tuple(one.need for one in case.customer.adjustments),
        exempt=tuple(one.summary for one in case.new_issues if one.outcome == "vary"),
        permitted=tuple(text for one in case.in_force if isinstance(text := one.terms.findings.get(PERMITTED), str)),
        permitted_by=_permitted_by(policy),
        marked=any(one.measure == MARKER for one in case.standing_measures),
        arrangement=case.replies[-1].arrangement if case.replies and case.stage in ("arranged", "continued") else None,
        guidance=tuple(Guidance(text=one.text, cites=one.sources) for one in policy.guidance if "contact" in one.at),
    )


PERMITTED = "essential-site-contact"
MARKER = "potentially-aggressive-marker"


def passing(policy: Policy) -> dict[ContactKind, tuple[str, ...]]:
    """Returns the kinds of contact that no restriction stops, each with the clause or the default that says so."""
    return {**ALWAYS, **{rule.kind: rule.sources for rule in policy.contact.let_through}}


def _record_with(policy: Policy) -> dict[ContactKind, str]:
    found: dict[ContactKind, str] = {"adjustment": "add_adjustment"}
    if policy.appeal:
        found |= {"appeal": "appeal", "review-request": "request_review" if policy.review.requested else "appeal"}
    if policy.contact.new_issue_decided_by:
        found["new-issue"] = "raise_new_issue"
    if policy.contact.reply_if:
        found["new-issue"] = "classify_contact"
    return found


def _in_writing(case: Case, policy: Policy) -> dict[ContactKind, tuple[str, ...]]:
    if any(one.instead_of_writing for one in case.customer.adjustments):
        return {}
    asked, appeal = policy.review.requested, policy.appeal.in_writing if policy.appeal else None
    found: dict[ContactKind, tuple[str, ...]] = {}
    if appeal and appeal.value:
        found |= {"appeal": appeal.sources, "review-request": appeal.sources}
    if asked and asked.in_writing.value:
        found["review-request"] = asked.in_writing.sources
    return found


def _permitted_by(policy: Policy) -> tuple[str, ...]:
    rules = [rule for option in policy.decision.options for rule in option.findings if rule.finding == PERMITTED]
    return rules[0].sources if rules else ()


def _limits(case: Case, sanction: Sanction, policy: Policy, starts: Weekday) -> tuple[Limit, ...]:
    told = reached_on(case, sanction.notice)
    return tuple(
        _limit(case, f"{sanction.id}.{n}", one, policy, told=told, until=sanction.terms.until, starts=starts)
        for n, one in enumerate(sanction.terms.restrictions, start=1)
        if one.type not in NOT_LIMITS
    )


def _limit(
    case: Case, id: str, restriction: Restriction, policy: Policy, *, told: date | None, until: date | None, starts: Weekday
) -> Limit:
    option, said = policy.decision.option(restriction.type), answer_to(case, id)
    return Limit(
        id=id,
        label=option.label if option else restriction.type.replace("-", " "),
        restriction=restriction,
        cites=option.sources if option else (),
        told_on=told,
        until=until,
        agreed=said.answer if said else None,
        used=_used(tally_of(case), restriction, told, starts) if isinstance(restriction, ContactVolumeLimit) else {},
    )


def _used(days: tuple[DayTally, ...], limit: ContactVolumeLimit, told: date | None, starts: Weekday) -> dict[date, Used]:
    """Returns what was used of a volume limit by period: ordinary contacts alone, from the day the customer was told."""
    found: dict[date, Used] = {}
    for one in days:
        if told is not None and one.on >= told and limit.channel in (None, one.channel):
            first, _ = period_of(one.on, limit, told=told, starts=starts)
            before = found.get(first, Used())
            found[first] = Used(contacts=before.contacts + one.contacts, minutes=before.minutes + one.minutes)
    return {first: found[first] for first in sorted(found)[-PERIODS_KEPT:]}


def period_of(day: date, limit: ContactVolumeLimit, *, told: date, starts: Weekday) -> tuple[date, date]:
    """Returns the first and the last day of the London calendar week, fortnight or month a day lies in (EH-21)."""
    if limit.per == "month":
        first = day.replace(day=1)
        return first, add_months(first, 1) - timedelta(days=1)
    length = 14 if limit.per == "fortnight" else 7
    anchor = told - timedelta(days=(told.weekday() - WEEKDAYS.index(starts)) % 7)
    first = day - timedelta(days=(day - anchor).days % length)
    return first, first + timedelta(days=length - 1)
