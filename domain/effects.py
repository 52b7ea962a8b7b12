"""What would differ in one case under another edition: dates, who decides, what letters hold, which restrictions are offered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from domain.case import Case, PeriodKind, Sanction
from domain.clocks import all_deadlines
from domain.days import Calendar, in_words
from domain.deadlines import Deadline, reckon
from domain.guards import named
from domain.lengths import latest_length
from domain.model import State
from domain.policy import Policy
from domain.rules import Who
from domain.tasks import Task, tasks

About = Literal["date", "who", "letter", "option"]
SHADOWS = frozenset({"review-opens", "review-overdue", "measure-review-opens", "answer-reminder", "end-approaches"})
"""Deadlines that follow from another one and move with it."""
COUNTED_AS: dict[str, PeriodKind] = {
    "appeal-closes": "appeal",
    "answer-due": "answer",
    "restrictions-end": "end",
    "review-due": "review",
    "clear-time": "clear-time",
    "warning-ends": "warning",
}
"""The kind of period behind each deadline for which a move has a rule."""
NONE = "none"


class Side(State):
    """One side of a difference: what it is there, and the clauses it rests on."""

    said: str = NONE
    cites: tuple[str, ...] = ()


class Effect(State):
    """One thing that differs in a case. `rule` is that of the move by which a period goes, where it goes by one."""

    about: About
    what: str
    old: Side
    new: Side
    rule: str | None = None


class Under(State):
    """A case as it stands under one edition."""

    case: Case
    policy: Policy
    calendar: Calendar


def under(case: Case, policy: Policy, calendar: Calendar) -> Under:
    """Returns the case as if it had stood under an edition from its start: nothing kept from a move, its fixed end that edition's."""
    ended = tuple(_ended(case, one, policy, calendar) for one in case.sanctions)
    return Under(case=case.model_copy(update={"counted": (), "sanctions": ended}), policy=policy, calendar=calendar)


def _ended(case: Case, one: Sanction, policy: Policy, calendar: Calendar) -> Sanction:
    length = policy.decision.length
    if not one.in_force:
        return one
    period = latest_length(case, one, policy, calendar)
    latest = reckon(period, one.period_start, event="decision", calendar=calendar).date if period else None
    if latest is None or (length.kind.value == "chosen" and (one.terms.until is None or one.terms.until <= latest)):
        return one
    return one.model_copy(update={"terms": one.terms.model_copy(update={"until": latest})})


def effects(old: Under, new: Under, *, today: date) -> tuple[Effect, ...]:
    """Returns everything that differs for this case from one edition to the other."""
    return (*_dates(old, new), *_who(old, new, today), *_letters(old, new), *_options(old, new))


def _compared(about: About, old: dict[str, Side], new: dict[str, Side]) -> Iterator[Effect]:
    for what in dict.fromkeys((*old, *new)):
        before, after = old.get(what, Side()), new.get(what, Side())
        if before.said != after.said:
            yield Effect(about=about, what=what, old=before, new=after)


def _dates(old: Under, new: Under) -> Iterator[Effect]:
    before, after = _next(old), _next(new)
    for kind, ref in dict.fromkeys((*before, *after)):
        one, other = before.get((kind, ref)), after.get((kind, ref))
        counted = new.case.counted_under(COUNTED_AS[kind], ref) if kind in COUNTED_AS else None
        if counted is None and one and other and one.reckoned.date == other.reckoned.date:
            continue
        what = f"{kind.replace('-', ' ')} of {ref}"
        yield Effect(about="date", what=what, old=_day(one), new=_day(other), rule=counted.rule if counted else None)


def _next(side: Under) -> dict[tuple[str, str], Deadline]:
    """Returns one deadline a kind and thing: the next that has not passed, else the last that did."""
    found: dict[tuple[str, str], Deadline] = {}
    for one in all_deadlines(side.case, side.policy, side.calendar):
        name = (one.kind, one.ref)
        if one.kind not in SHADOWS and (name not in found or found[name].key in side.case.passed):
            found[name] = one
    return found


def _day(one: Deadline | None) -> Side:
    return Side(said=in_words(one.reckoned.date), cites=(*one.reckoned.cites, *one.reckoned.defaults)) if one else Side()


def _who(old: Under, new: Under, today: date) -> Iterator[Effect]:
    yield from _compared("who", {**_waiting(old, today), **_deciding(old)}, {**_waiting(new, today), **_deciding(new)})


def _waiting(side: Under, today: date) -> dict[str, Side]:
    found = tasks(side.case, side.policy, side.calendar, today=today)
    return {f"waits now: {one.kind} {one.ref}": Side(said=_whom(one, side.policy), cites=one.cites) for one in found}


def _whom(task: Task, policy: Policy) -> str:
    people = (one.replace("line-manager-of:", "the line manager of ").replace("grade-from:", "anybody from grade ") for one in task.people)
    return ", ".join((*(policy.office(office) for office in task.offices), *people)) or "anybody"


def _deciding(side: Under) -> dict[str, Side]:
    """Returns who decides what this case may still come to."""
    case, policy = side.case, side.policy
    found: dict[str, Who] = {}
    if not case.sanctions:
        found |= {f"decides ({name})": rule.decided_by for name, rule in policy.decision.sign_offs.items()}
    for one in case.in_force:
        rule = policy.review_of(disengages=one.disengages)
        found |= {f"reviews {one.id}": rule.by, **({f"looks first at {one.id}": rule.prepared_by} if rule.prepared_by else {})}
    if policy.appeal and (not case.sanctions or case.in_force or any(one.pending for one in case.challenges)):
        found |= {f"decides an appeal{f', stage {n}' if n > 1 else ''}": one.decided_by for n, one in enumerate(policy.appeal.stages, 1)}
    return {what: Side(said=named(who, policy), cites=who.sources) for what, who in found.items()}


def _letters(old: Under, new: Under) -> Iterator[Effect]:
    yield from _compared("letter", _parts(old), _parts(new))


def _parts(side: Under) -> dict[str, Side]:
    """Returns the parts of each letter this case may still be sent."""
    past = {"warning", "agreement", "no-action"} if side.case.sanctions else set()
    found: dict[str, Side] = {}
    for kind, rule in side.policy.notices.items():
        if kind not in past:
            cites = tuple(dict.fromkeys(clause for part in rule.parts for clause in part.sources))
            found[f"parts of {kind}"] = Side(said=", ".join(part.part for part in rule.parts), cites=cites)
    return found


def _options(old: Under, new: Under) -> Iterator[Effect]:
    yield from _compared("option", _offered(old), _offered(new))


def _offered(side: Under) -> dict[str, Side]:
    """Returns each restriction offered for this customer, and says of those imposed that they are."""
    imposed = {one.type for sanction in side.case.in_force for one in sanction.terms.restrictions}
    offered = [one for one in side.policy.decision.options if one.only_for in (None, side.case.customer.kind)]
    found = {_option(one.type, one.type in imposed): Side(said=one.label, cites=one.sources) for one in offered}
    missing = {_option(type, True): Side(said="no longer offered; it stands as it was decided") for type in imposed}
    return {**missing, **found}


def _option(type: str, imposed: bool) -> str:
    return f"{type} (imposed)" if imposed else type
