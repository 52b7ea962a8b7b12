"""What keeps a case from being taken over from a body's own records: days that cannot be, names nobody knows, halves of facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.adjustments import check_formats
from domain.commands import ImportCase
from domain.decision import Refusal
from domain.guards import EARLIEST
from domain.identifiers import name_in
from domain.people import Staff
from domain.policy import Policy

PAST_DAYS = ("last_incident", "warned_on", "decided_on", "told_on", "last_review", "ended_on")
OF_A_DECISION = ("told_on", "restrictions", "decided_by", "office", "reasons", "until", "last_review", "next_review", "appeal")
LETTERS = re.compile(r"[^\W\d_]+")
TELLING = 4
"""Letters of a word that tells who somebody is."""
ENDING = ("withdraw", "remove")
"""Outcomes of an appeal that end the restrictions."""


class Fault(NamedTuple):
    """Why a case cannot be taken over: the field, what was found, what would be right, under which clauses."""

    field: str
    found: str
    right: str
    cites: tuple[str, ...] = ()


def wrong_facts(command: ImportCase, *, staff: Staff, policy: Policy, today: date) -> tuple[Fault, ...]:
    """Returns what cannot be, or is known to nobody, in the facts as they are given."""
    return (
        *_reference(command),
        *_days(command, today),
        *_order(command),
        *_names(command, staff, policy),
        *_appeal_faults(command, policy),
        *_forms(command),
    )


def _days(command: ImportCase, today: date) -> Iterator[Fault]:
    days = {name: getattr(command, name) for name in PAST_DAYS}
    if command.appeal:
        days |= {"appeal": command.appeal.received_on, "appeal.decided_on": command.appeal.decided_on}
    for name, day in days.items():
        if day and (day.year < EARLIEST or day > today):
            yield Fault(name, day.isoformat(), f"a day from {EARLIEST} up to today, {today.isoformat()}")
    for name in ("until", "next_review"):
        day = getattr(command, name)
        if day and not EARLIEST <= day.year <= today.year + 100:
            yield Fault(name, day.isoformat(), f"a day from {EARLIEST} to {today.year + 100}")


def _order(command: ImportCase) -> Iterator[Fault]:
    if command.decided_on is None:
        if command.warned_on is None:
            yield Fault("decided_on", "empty, and warned on too", "the day of a warning or of a decision: a case in mid-life has one")
        for name in OF_A_DECISION:
            if getattr(command, name):
                yield Fault(name, "given without the day of the decision", "decided on as well, or nothing here")
        if command.ended_on and command.warned_on and command.ended_on < command.warned_on:
            yield Fault("ended_on", command.ended_on.isoformat(), f"a day from the warning, {command.warned_on.isoformat()}, on")
        return
    if not command.restrictions:
        yield Fault("restrictions", "empty", "what was decided: at least one restriction")
    yield from _after_decision(command, command.decided_on)


def _after_decision(command: ImportCase, decided_on: date) -> Iterator[Fault]:
    if command.warned_on and command.warned_on > decided_on:
        yield Fault("warned_on", command.warned_on.isoformat(), f"a day up to the decision, {decided_on.isoformat()}")
    appeal = command.appeal
    pairs = [(name, getattr(command, name)) for name in ("told_on", "last_review", "ended_on")]
    for name, day in [*pairs, ("appeal", appeal.received_on if appeal else None)]:
        if day and day < decided_on:
            yield Fault(name, day.isoformat(), f"a day from the decision, {decided_on.isoformat()}, on")
    for name in ("until", "next_review"):
        day = getattr(command, name)
        if day and day <= decided_on:
            yield Fault(name, day.isoformat(), f"a day after the decision, {decided_on.isoformat()}")
    until = command.until
    if until and command.last_review and command.last_review > until:
        yield Fault("until", until.isoformat(), f"the end as it stood after the review of {command.last_review.isoformat()}, or ended on")
    if until and command.ended_on and command.ended_on > until:
        yield Fault("ended_on", command.ended_on.isoformat(), f"a day up to the end, {until.isoformat()}, or the later end in ends on")
    if command.ended_on and command.last_review and command.last_review > command.ended_on:
        yield Fault("last_review", command.last_review.isoformat(), f"a day up to the end, {command.ended_on.isoformat()}")


def _reference(command: ImportCase) -> Iterator[Fault]:
    """A case's id stands in logs and in the engine, where nothing is destroyed with the papers: no word of a name in it."""
    held, name = (set(LETTERS.findall(name_in(text) or "")) for text in (command.reference, command.customer.name))
    if name and (held >= name or any(len(word) >= TELLING for word in held & name)):
        right = "a reference without it: case ids stand in logs and in the engine"
        yield Fault("reference", "a word of the customer's name", right, ("EH-60",))


def _names(command: ImportCase, staff: Staff, policy: Policy) -> Iterator[Fault]:
    for name in ("warned_by", "decided_by", "contact_officer"):
        person = getattr(command, name)
        if person is not None and person not in staff.by_id:
            yield Fault(name, person, "an id of the body's staff list, or nothing")
    if command.office is not None and command.office not in policy.offices:
        yield Fault("office", command.office, f"one of: {', '.join(sorted(policy.offices))}")
    if command.behaviour not in (None, "other", *policy.behaviours):
        yield Fault("behaviour", str(command.behaviour), f"one of: {', '.join(policy.behaviours)}, other")


def _forms(command: ImportCase) -> Iterator[Fault]:
    """An agreed form that the customer's own channel would defeat helps nobody (DEF-15)."""
    for adjustment in command.customer.adjustments:
        try:
            check_formats(command.customer, adjustment)
        except Refusal as refused:
            yield Fault("customer.adjustments", str(refused), refused.remains or "another form", refused.cites)


def _appeal_faults(command: ImportCase, policy: Policy) -> Iterator[Fault]:
    appeal, rule = command.appeal, policy.appeal
    if appeal is None:
        return
    if rule is None:
        yield Fault("appeal", "an appeal", "none: this policy gives no appeal", policy.ombudsman.sources)
        return
    if (appeal.decided_on is None) != (appeal.outcome is None):
        yield Fault("appeal", "half of a decision", "the day and the outcome, or pending since")
    if appeal.decided_on and appeal.decided_on < appeal.received_on:
        yield Fault("appeal", appeal.decided_on.isoformat(), f"a decision from {appeal.received_on.isoformat()} on")
    if appeal.outcome and appeal.outcome not in rule.outcomes.value:
        yield Fault("appeal", appeal.outcome, f"one of: {', '.join(rule.outcomes.value)}", rule.outcomes.sources)
    elif appeal.outcome in ENDING and command.ended_on is None:
        yield Fault("ended_on", "empty, although the appeal ended the restrictions", "the day they ended", rule.outcomes.sources)
