"""A newer holiday table comes to a case: its open dates are counted again, what the customer was told is kept or told anew.

What has passed never moves; what was told moves to the customer's disadvantage only by a person's decision (EH-31)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from domain.case import Case, Notice, next_id, with_item
from domain.clocks import all_deadlines
from domain.commands import AcknowledgeCalendar, ApplyCalendar, DecideMovedDate
from domain.counting import Counting, DateChange, MovedDate, Stands
from domain.days import POST_DAYS, Calendar, Holiday, Reckoned, deemed_notified, in_words
from domain.deadlines import Deadline
from domain.decision import Decision, Entry, Refusal, decided
from domain.guards import authorise, signed_by, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy
from domain.told import AS_TOLD, TOLD, decider, favours_customer, present_table, told_in

Pair = tuple[Deadline, Deadline]
AT_MEETINGS = ("review-due", "review-opens", "review-overdue")
LOOK_BACK = timedelta(days=14)
"""How far before a date's own start a new holiday may lie and still move it: the days a letter takes to count as notified."""


def apply_calendar(case: Case, command: ApplyCalendar, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Take over a newer table. A letter follows for each told date that moves; one that would harm the customer waits for a person."""
    new = calendar.newer
    if new is None or command.edition not in Counting.of(new).editions.values():
        raise Refusal(f"{command.edition} is no table that this case can take over.", kind="stale", remains="evenhand calendar apply.")
    if Counting.of(new) == Counting.of(calendar):
        raise Refusal(f"The case counts with {command.edition} already.", kind="repeated")
    case, change = counted_anew(case, policy, calendar, new, today=today)
    case = _told_anew(case, change, policy=policy, on=today)
    entries = [Entry(what=in_a_line(one), cites=one.cites) for one in change.listed]
    moved = f"{len(change.listed)} {'date is' if len(change.listed) == 1 else 'dates are'} concerned" if change.listed else "no date moves"
    return decided(case, f"From now on dates are counted with {new.edition}; {moved}.", cites=["DEF-04"], also=entries)


def in_a_line(one: MovedDate) -> str:
    """Returns one moved date in words for the log and for lists."""
    name = f"{one.kind.replace('-', ' ').capitalize()} of {one.ref}"
    if one.stands == "moved":
        return f"{name}: {one.was.isoformat()} becomes {one.becomes.isoformat()}."
    return f"{name}: stays {one.was.isoformat()} as the customer was told; the new table gives {one.becomes.isoformat()}."


def counted_anew(case: Case, policy: Policy, old: Calendar, new: Calendar, *, today: date) -> tuple[Case, DateChange]:
    """Returns the case counting with the new table, and what became of each date. Nothing is told to anybody yet."""
    before = all_deadlines(case, policy, old)
    number = sum(len(one.moved) for one in case.changes)
    shifted, later = _notified_later(case, old, new, today)
    change = DateChange(id=next_id("k", case.changes), on=today, why="calendar", edition=new.edition)
    facts = {"counting": Counting.of(new), "changes": (*case.changes, change), "notices": shifted}
    case = case.model_copy(update=facts)
    moved: list[MovedDate] = [*later]
    for judge in (_told_and_harmful, _reviews_passed, _passed, _simply_moved):
        pairs = _pairs(before, all_deadlines(case, policy, new))
        moved += judge(case, pairs, policy, today)
        case = case.model_copy(update={"changes": with_item(case.changes, change.model_copy(update={"moved": tuple(moved)}))})
    moved = [one.model_copy(update={"id": f"m{number + n}", **_reasons(one, old, new, before)}) for n, one in enumerate(moved, start=1)]
    change = change.model_copy(update={"moved": tuple(_decided_before(case, one) for one in moved)})
    return case.model_copy(update={"changes": with_item(case.changes, change)}), change


def _pairs(before: Iterable[Deadline], after: Iterable[Deadline]) -> list[Pair]:
    """Returns each deadline with what it has become, those of one kind and thing in their order."""
    following: defaultdict[tuple[str, str], list[Deadline]] = defaultdict(list)
    for one in after:
        following[one.kind, one.ref].append(one)
    return [(one, following[one.kind, one.ref].pop(0)) for one in before if following[one.kind, one.ref]]


def _told_and_harmful(case: Case, pairs: list[Pair], policy: Policy, today: date) -> Iterator[MovedDate]:
    for was, now in _differing(pairs):
        if was.kind not in TOLD:
            continue
        if _has_passed(case, was, today):
            yield _moved(was, now, "past")
        elif told_in(case, policy, was.kind, was.ref):
            good = favours_customer(was.kind, was.reckoned.date, now.reckoned.date) and now.fires > today
            if not good:
                yield _moved(was, now, "kept", told=True)


def _reviews_passed(case: Case, pairs: list[Pair], policy: Policy, today: date) -> Iterator[MovedDate]:
    """Yields the reviews that have passed, before what hangs on their dates is looked at: once they stand, so does that."""
    return (one for one in _passed(case, pairs, policy, today) if one.kind == "review-due")


def _passed(case: Case, pairs: list[Pair], policy: Policy, today: date) -> Iterator[MovedDate]:
    return (_moved(was, now, "past") for was, now in _differing(pairs) if _has_passed(case, was, today))


def _simply_moved(case: Case, pairs: list[Pair], policy: Policy, today: date) -> Iterator[MovedDate]:
    for was, now in _differing(pairs):
        yield _moved(was, now, "moved", told=told_in(case, policy, was.kind, was.ref) is not None)


def _differing(pairs: list[Pair]) -> Iterator[Pair]:
    return ((was, now) for was, now in pairs if was.reckoned.date != now.reckoned.date)


def _has_passed(case: Case, one: Deadline, today: date) -> bool:
    return one.key in case.passed or one.fires <= today


def _moved(was: Deadline, now: Deadline, stands: Stands, *, told: bool = False) -> MovedDate:
    return moved_date(was.kind, was.ref, was.reckoned.date, now.reckoned, stands=stands, told=told)


def moved_date(kind: str, ref: str, was: date, now: Reckoned, *, stands: Stands, told: bool) -> MovedDate:
    """Returns one moved date; its id and its reason follow."""
    cites = tuple(dict.fromkeys((*now.cites, *now.defaults)))
    return MovedDate(id="", kind=kind, ref=ref, was=was, becomes=now.date, stands=stands, told=told, cites=cites)


def _notified_later(case: Case, old: Calendar, new: Calendar, today: date) -> tuple[tuple[Notice, ...], list[MovedDate]]:
    """Returns the letters, those still to count as notified moved to the later day that the new table gives; never to an earlier one."""
    letters, moved = [], []
    for one in case.notices:
        told = _deemed_again(one, old, new, today)
        if told:
            assert one.notified_on is not None
            moved.append(
                MovedDate(
                    id="", kind="notification", ref=one.id, was=one.notified_on, becomes=told, stands="moved", cites=("DEF-04", "DEF-06")
                )
            )
        letters.append(one.model_copy(update={"notified_on": told}) if told else one)
    return tuple(letters), moved


def _deemed_again(one: Notice, old: Calendar, new: Calendar, today: date) -> date | None:
    """Returns the later day on which a letter on its way now counts as notified, or None where nothing changes."""
    if one.status != "sent" or one.method not in POST_DAYS or one.sent_on is None or one.notified_on is None or one.notified_on <= today:
        return None
    again = deemed_notified(one.sent_on, one.method, new)
    return again if one.notified_on == deemed_notified(one.sent_on, one.method, old) and again > one.notified_on else None


def _reasons(one: MovedDate, old: Calendar, new: Calendar, before: Iterable[Deadline]) -> dict[str, object]:
    """Returns why a date moved: the meetings that differ between its two days, or the days that rest in one table alone."""
    first, last = sorted((one.was, one.becomes))
    differing = set(old.meetings) ^ set(new.meetings) if one.kind in AT_MEETINGS else set()
    meetings = tuple(day for day in sorted(differing) if first <= day <= last)
    return {"meetings": meetings} if meetings else {"because": _because(one, old, new, before)}


def _because(one: MovedDate, old: Calendar, new: Calendar, before: Iterable[Deadline]) -> tuple[Holiday, ...]:
    """Returns the days on which the two tables differ, on the way to the date."""
    starts = [each.reckoned.start for each in before if (each.kind, each.ref) == (one.kind, one.ref)]
    first, last = min([*starts, one.was]) - LOOK_BACK, max(one.was, one.becomes)
    mine, theirs = ({day.on: day for table in (each, *each.others) for day in (*table.holidays, *table.closures)} for each in (old, new))
    differing = {**mine, **theirs}
    return tuple(differing[day] for day in sorted(mine.keys() ^ theirs.keys()) if first < day <= last)


def _decided_before(case: Case, one: MovedDate) -> MovedDate:
    """Returns a kept date with the decision that a person took on the very same move before: nobody is asked twice."""
    if one.stands != "kept":
        return one
    same = [each for change in case.changes for each in change.moved if each.decision == "keep" and _same_move(each, one)]
    fields = ("decision", "decided_on", "decided_by", "reasons")
    return one.model_copy(update={name: getattr(same[-1], name) for name in fields}) if same else one


def _same_move(one: MovedDate, other: MovedDate) -> bool:
    return (one.kind, one.ref, one.was, one.becomes) == (other.kind, other.ref, other.was, other.becomes)


def _told_anew(case: Case, change: DateChange, *, policy: Policy, on: date) -> Case:
    for one in change.moved:
        if one.told and one.stands == "moved":
            case = tell(case, one, policy=policy, on=on)
    return case


def tell(case: Case, one: MovedDate, *, policy: Policy, on: date) -> Case:
    """Returns the case owing the customer a letter about one date that moved."""
    case, notice = owe(case, "date-moved", about=one.id, on=on, policy=policy)
    return with_moved(case, one.model_copy(update={"notice": notice}))


def with_moved(case: Case, one: MovedDate) -> Case:
    """Returns the case with one moved date replaced."""
    changes = tuple(
        change.model_copy(update={"moved": with_item(change.moved, one)}) if any(each.id == one.id for each in change.moved) else change
        for change in case.changes
    )
    return case.model_copy(update={"changes": changes})


def acknowledge_calendar(
    case: Case, command: AcknowledgeCalendar, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record that somebody has seen what a change did to the dates."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    change = next((one for one in case.changes if one.id == command.saw), None)
    if change is None or change.acknowledged_on or not change.listed:
        raise Refusal("saw must name a change of dates that waits to be seen.", kind="stale", remains=_waiting(case))
    seen = change.model_copy(update={"acknowledged_on": on, "acknowledged_by": by.person})
    return decided(case.model_copy(update={"changes": with_item(case.changes, seen)}), f"The dates that moved ({change.id}) were seen.")


def _waiting(case: Case) -> str:
    waiting = [one.id for one in case.changes if one.listed and one.acknowledged_on is None]
    return f"Waiting: {', '.join(waiting)}." if waiting else "None waits."


def still_open(case: Case, one: MovedDate, policy: Policy, calendar: Calendar) -> bool:
    """Returns whether a date that stayed as told is still to come, so that a decision on it means something."""
    found = (each for each in all_deadlines(case, policy, calendar) if (each.kind, each.ref) == (one.kind, one.ref))
    return any(each.reckoned.date == one.was and each.key not in case.passed for each in found)


def decide_moved_date(case: Case, command: DecideMovedDate, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide on a date that stays as told: keep it, or move it to the customer's disadvantage and tell them why."""
    on = the_day(command.on, today=today)
    one = _undecided(case, command.saw)
    if not still_open(case, one, policy, calendar) or one.was < today:
        raise Refusal(f"The {one.kind.replace('-', ' ')} of {in_words(one.was)} has passed; a date of the past never moves.", kind="stale")
    if command.decision == "move" and one.becomes < today:
        raise Refusal(f"{in_words(one.becomes)} lies in the past.", cites=[AS_TOLD], remains="Keep the date as told.")
    who = decider(case, one.kind, one.ref, policy)
    by = authorise(who, actor=actor, case=case, policy=policy, on=on, act="decide whether a date that was told moves")
    facts: dict[str, object] = {"decision": command.decision, "decided_on": on, "decided_by": by.person, "reasons": command.reasons}
    one = one.model_copy(update={**facts, "stands": "moved" if command.decision == "move" else "kept"})
    case = with_moved(case, one)
    if command.decision == "move":
        case = tell(case, one, policy=policy, on=on)
    return decided(case, in_a_line(one), cites=(*who.sources, AS_TOLD))


def _undecided(case: Case, saw: str | None) -> MovedDate:
    waiting = [one for one in present_table(case) if one.waits]
    found = next((one for one in waiting if one.id == saw), None)
    if found is None:
        remains = f"Waiting: {', '.join(one.id for one in waiting)}." if waiting else "None waits."
        raise Refusal("saw must name a date that stays as told and waits for a decision.", kind="stale", remains=remains)
    return found
