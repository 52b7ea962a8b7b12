"""A case goes over to another edition of its policy: who may do it, what stops it, and what the customer is told (DEF-21, EH-20).

Wrong here, and a customer loses a date or a right that a letter promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.appeal_rules import AppealRule
from domain.case import Case, Changed, Moved, Signature, next_id
from domain.clocks import appeal_window
from domain.commands import MoveEdition
from domain.counting import Counting
from domain.days import Calendar, in_words
from domain.decision import Decision, Entry, Refusal, decided
from domain.guards import authorise, the_day
from domain.moving_periods import recounted
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy
from domain.promised import promised
from domain.rights import Target as Challenged
from domain.rights import appealable, first_rule, has_stage, right_to, rule_for, target_of

SOURCES = ("EH-20", "DEF-21")
UNSENT = ("to-issue", "to-send", "handed-over", "uncertain", "blocked")
OPEN_LETTERS = ("returned", "withheld")


class Target(NamedTuple):
    """The edition a case goes over to, as the records hold it, and the calendar of its nation."""

    edition: str
    policy: Policy
    calendar: Calendar


def move_edition(
    case: Case, command: MoveEdition, *, actor: Actor, policy: Policy, calendar: Calendar, today: date, target: Target | None = None
) -> Decision:
    """Move the case to another edition; each running period goes by its declared rule, and no rule means that it is kept."""
    the_day(command.on, today=today)
    if target is None:
        raise Refusal(
            "The records hold no such edition.", cites=SOURCES, remains="evenhand policy move keeps it there, then moves the case."
        )
    by = _authorised(case, actor, policy, today)
    refuse_blocked(case, policy, target, calendar=calendar, on=today)
    case, changes = moved(case, command, policy=policy, calendar=calendar, target=target, on=today)
    id, notice = next_id("m", case.moves), None
    told = bool(changes) and any(one.sent_on for one in case.notices if one.recipient is None)
    case = case.model_copy(update={"moves": (*case.moves, _record(id, command, case, target, by, changes if told else (), today))})
    if told:
        case, notice = owe(case, "edition-changed", about=id, on=today, policy=target.policy, by=by)
    last = case.moves[-1].model_copy(update={"notice": notice})
    facts = {"edition": target.edition, "moves": (*case.moves[:-1], last), "counting": Counting.of(target.calendar)}
    case = case.model_copy(update=facts)
    before, after = _named(policy, case.moves[-1].before), _named(target.policy, target.edition)
    said = f"Moved from {before} to {after}; {_letter(notice)}."
    return decided(case, said, cites=SOURCES, also=[_entry(one) for one in changes])


def _record(id: str, command: MoveEdition, case: Case, target: Target, by: Signature, changes: tuple[Changed, ...], on: date) -> Moved:
    return Moved(id=id, on=on, by=by, before=case.edition, after=target.edition, rules=dict(command.rules), changes=changes)


def _named(policy: Policy, edition: str) -> str:
    return f"{policy.edition.label} ({edition[:12]})"


def _letter(notice: str | None) -> str:
    return f"the customer is told ({notice})" if notice else "nothing that the customer was told changes"


def _entry(one: Changed) -> Entry:
    return Entry(what=f"{one.what}: {one.old} becomes {one.new}.", cites=one.cites)


def _authorised(case: Case, actor: Actor, policy: Policy, on: date) -> Signature:
    """Returns the signature of one who decides, or is told of what is overdue, under the edition the case has now (EH-20)."""
    deciders = [rule.decided_by for rule in policy.decision.sign_offs.values()]
    refused: Refusal | None = None
    for who in (policy.escalation, *deciders):
        try:
            return authorise(who, actor=actor, case=case, policy=policy, on=on, act="move a case to another edition")
        except Refusal as refusal:
            refused = refused or refusal
    assert refused is not None
    refused.cites = tuple(dict.fromkeys((*refused.cites, *SOURCES)))
    raise refused


def refuse_blocked(case: Case, policy: Policy, target: Target, *, calendar: Calendar, on: date) -> None:
    """Refuses a move that would leave something hanging between two editions."""
    if target.edition == case.edition:
        raise Refusal("The case stands under that edition already.", cites=SOURCES)
    if target.policy.policy != case.policy:
        remains = f"An edition of {case.policy}; a body that takes another policy opens new cases under it."
        raise Refusal(f"That is an edition of {target.policy.policy}, not of {case.policy}.", cites=SOURCES, remains=remains)
    for what, remains in _blocks(case, policy, target, calendar, on):
        raise Refusal(what, cites=SOURCES, remains=remains)


def _blocks(case: Case, policy: Policy, target: Target, calendar: Calendar, on: date) -> Iterator[tuple[str, str]]:
    waiting = case.open_proposal or case.open_review
    if waiting:
        yield f"{waiting.id} waits for sign-off under the present edition.", "Approve or reject it first."
    for notice in case.notices:
        if notice.status in UNSENT:
            yield f"The letter {notice.id} has not gone yet, and speaks of the present edition.", "Send it first."
        if notice.status in OPEN_LETTERS and target.policy.letter(notice.kind) is None:
            yield f"{notice.id} is open, and the new edition has no such letter ({notice.kind}).", "Settle that letter first."
    yield from _open_rights(case, policy, target.policy, calendar, on)
    for taken in case.standing_measures:
        if not any(one.measure == taken.measure and one.recheck for one in target.policy.measures):
            yield f"{taken.measure} ({taken.id}) stands, and the new edition never looks at it again.", "Remove it with review_measure."


def _open_rights(case: Case, policy: Policy, target: Policy, calendar: Calendar, on: date) -> Iterator[tuple[str, str]]:
    """Yields what a customer may still use, or has used, and the new edition does not give: of a decision, a warning, a later stage."""
    for challenge in case.challenges:
        lacks = _lacks(target, target_of(case, challenge), challenge.stage, rule_for(case, challenge, policy))
        if challenge.pending and lacks:
            yield f"{challenge.id} is not answered, and the new edition {lacks}.", "Answer it first."
    for one in appealable(case, policy):
        right = right_to(case, one, policy)
        lacks = _lacks(target, one, right.stage, right.rule) if right else None
        if right is None or lacks is None:
            continue
        closes = appeal_window(case, one, policy, calendar)
        open_ended = closes is None and bool(case.in_force)
        if open_ended or (closes and closes.date >= on):
            until = f"until {in_words(closes.date)}" if closes else "while restrictions run"
            yield f"The customer may appeal against {one.id} {until}, and the new edition {lacks}.", "Wait until that has passed."


def _lacks(policy: Policy, target: Challenged, stage: int, rule: AppealRule | None) -> str | None:
    """Returns what an edition lacks for a stage of the right against such a decision to go on, or None. A later stage that it does not
    have itself goes on under the rule it had, where the edition knows the posts that hear it."""
    if first_rule(target, policy) is None or rule is None:
        return "gives no appeal"
    if has_stage(policy, target, stage):
        return None
    unknown = sorted(_hearing(rule) - set(policy.offices))
    return f"knows no {' and no '.join(unknown)}, who hears it" if unknown else None


def _hearing(rule: AppealRule) -> set[str]:
    """Returns the posts that a stage needs: who receives it, decides, decides on lateness, gathers, records."""
    whom = (rule.decided_by, rule.late_decided_by, rule.gathered_by, rule.never_by, rule.committee and rule.committee.recorded_by)
    return {rule.to.value, *(office for who in whom if who for office in who.offices)}


def moved(
    case: Case, command: MoveEdition, *, policy: Policy, calendar: Calendar, target: Target, on: date
) -> tuple[Case, tuple[Changed, ...]]:
    """Returns the case with every running period counted by its rule, and what that changes for the customer."""
    before = promised(case, policy, calendar, on=on)
    counted = recounted(case, command.rules, policy=policy, calendar=calendar, target=target.policy, then=target.calendar,
                        edition=target.edition, on=on)  # fmt: skip
    after = promised(counted, target.policy, target.calendar, on=on)
    changes = tuple(
        Changed(what=what, old=_said(before.get(what)), new=_said(after.get(what)), cites=_cites(before.get(what), after.get(what)))
        for what in dict.fromkeys((*before, *after))
        if _said(before.get(what)) != _said(after.get(what))
    )
    return counted, changes


def _said(one: tuple[str, tuple[str, ...]] | None) -> str:
    return one[0] if one else "none"


def _cites(*sides: tuple[str, tuple[str, ...]] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clause for one in sides if one for clause in one[1]))
