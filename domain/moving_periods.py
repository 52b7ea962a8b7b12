"""How each running period counts after a move to another edition: kept as told, begun anew, or whichever favours the customer (EH-20).

A period that has passed stays as it was. What has not begun yet follows the new edition. A time to appeal never gets shorter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from domain.case import Case, Challenge, Counted, MovingRule, PeriodKind, Sanction, Warning, with_item
from domain.clocks import answer_due, answer_period, window_closes, window_of, window_starts
from domain.days import Calendar, Reckoned, after
from domain.deadlines import reckon
from domain.lengths import latest_length
from domain.meetings import at_meeting
from domain.policy import Policy
from domain.review_clocks import clear_period, clear_time, cycle_of, review_dates, review_due, sanction_clocks
from domain.rights import Right, Target, appealable, each_stage, has_stage, rule_for, target_of
from domain.rules import Period
from domain.steps import life_ends, life_of, warned_on

Rules = Mapping[PeriodKind, MovingRule]


@dataclass(frozen=True)
class _Move:
    """Both editions with their calendars, the rules and the day."""

    case: Case
    rules: Rules
    policy: Policy
    calendar: Calendar
    target: Policy
    then: Calendar
    edition: str
    on: date

    def rule(self, of: PeriodKind) -> MovingRule:
        return self.rules.get(of, "keep")

    def kept(self, of: PeriodKind, ref: str, period: Period | None, *, rule: MovingRule | None = None) -> Counted:
        """Returns a period that goes on as it did, under the edition it counted under before."""
        had = self.case.counted_under(of, ref)
        edition = had.edition if had else self.case.edition
        start = had.start if had else None
        return Counted(of=of, ref=ref, on=self.on, edition=edition, rule=rule or self.rule(of), period=period, start=start)

    def new(self, of: PeriodKind, ref: str, period: Period | None) -> Counted:
        """Returns a period of the new edition, from its own event or, where it is begun anew, from the move."""
        start = self.on if self.rule(of) == "restart" else None
        return Counted(of=of, ref=ref, on=self.on, edition=self.edition, rule=self.rule(of), period=period, start=start)

    def ends(self, period: Period | None, start: date, counted: Counted) -> date:
        """Returns the day a period would end, and the last day there is where it has no end."""
        if period is None:
            return date.max
        begun = max(start, counted.start) if counted.start else start
        return after(begun, period.count, period.unit, self.then)[0]


def recounted(
    case: Case, rules: Rules, *, policy: Policy, calendar: Calendar, target: Policy, then: Calendar, edition: str, on: date
) -> Case:
    """Returns the case with each of its running periods counted by its rule; a kind without a rule is kept."""
    move = _Move(case=case, rules=rules, policy=policy, calendar=calendar, target=target, then=then, edition=edition, on=on)
    found = (*_appeals(move), *_answers(move), *_warnings(move), *_clear_times(move), *_reviews(move))
    ends = tuple(_ends(move))
    for one in ends:
        sanction = case.sanction(one.ref)
        assert sanction is not None and one.reckoned is not None
        ended = sanction.model_copy(update={"terms": sanction.terms.model_copy(update={"until": one.reckoned.date})})
        case = case.model_copy(update={"sanctions": with_item(case.sanctions, ended)})
    return case.model_copy(update={"counted": (*found, *ends)})


def _appeals(move: _Move) -> Iterator[Counted]:
    bare = move.case.model_copy(update={"counted": ()})
    for target in appealable(move.case, move.target):
        given = each_stage(bare, target, move.target)
        for right in given:
            if right.rule.window:  # an edition without a window takes an appeal at any time
                yield _appeal(move, target, right, right.rule.window)
        for right in each_stage(move.case, target, move.policy)[len(given) :] if given else ():
            kept = move.kept("appeal", right.ref(target), window_of(move.case, target, right), rule="keep")
            yield kept.model_copy(update={"heard": right.rule})


def _appeal(move: _Move, target: Target, right: Right, window: Period) -> Counted:
    ref = right.ref(target)
    before = next((one for one in each_stage(move.case, target, move.policy) if one.stage == right.stage), None)
    if before is None:  # a right that was not there begins with the move
        return Counted(of="appeal", ref=ref, on=move.on, edition=move.edition, rule=move.rule("appeal"), period=window, start=move.on)
    had, last = window_of(move.case, target, before), window_closes(move.case, target, before, move.calendar)
    kept = move.kept("appeal", ref, had)
    if had is None or (last and last.date < move.on) or move.rule("appeal") == "keep":
        return kept
    new = move.new("appeal", ref, window)
    begun = window_starts(move.case, target, before, had) or move.on
    starts = window_starts(move.case, target, right, window) or move.on
    return new if move.ends(window, starts, new) > move.ends(had, begun, kept) else kept


def _answers(move: _Move) -> Iterator[Counted]:
    for one in move.case.challenges:
        if one.pending and has_stage(move.target, target_of(move.case, one), one.stage):
            rule = rule_for(move.case, one, move.target)
            yield _answer(move, one, rule.answer if rule else None)
        elif one.pending:
            yield move.kept("answer", one.id, answer_period(move.case, one, move.policy), rule="keep")


def _answer(move: _Move, one: Challenge, period: Period | None) -> Counted:
    due = answer_due(move.case, one, move.policy, move.calendar)
    kept, new = move.kept("answer", one.id, answer_period(move.case, one, move.policy)), move.new("answer", one.id, period)
    return _earlier(move, kept, new, due.date if due else None, move.ends(period, one.on, new))


def _earlier(move: _Move, kept: Counted, new: Counted, had: date | None, then: date) -> Counted:
    """Returns which of two counts: the one the rule names; of two dates that bind the body the earlier favours the customer."""
    passed, nothing = had is not None and had < move.on, had is None and kept.period is None
    if nothing and new.period is not None and move.rule(kept.of) != "keep":
        return new
    if passed or move.rule(kept.of) == "keep" or new.period is None:
        return kept
    if move.rule(kept.of) == "restart":
        return new
    return new if then < (had or date.max) else kept


def _warnings(move: _Move) -> Iterator[Counted]:
    for one in move.case.standing_warnings if not move.case.sanctions else ():
        yield _warning(move, one)


def _warning(move: _Move, one: Warning) -> Counted:
    given, had = warned_on(move.case, one, move.policy), life_of(move.case, one, move.policy)
    kept, new = move.kept("warning", one.id, had), move.new("warning", one.id, move.target.warning.life)
    until = life_ends(move.case, one, given, move.policy) if given else None
    return _earlier(move, kept, new, until, move.ends(new.period, given or move.on, new))


def _clear_times(move: _Move) -> Iterator[Counted]:
    for one in move.case.in_force:
        period = move.target.review_of(disengages=one.disengages).outcomes["lift"].clear_time
        had = clear_period(move.case, one, move.policy.review_of(disengages=one.disengages).outcomes["lift"])
        if period is None:
            continue  # an edition that asks for no clear time takes nothing away
        due = clear_time(move.case, one, move.policy, move.calendar)
        kept, new = move.kept("clear-time", one.id, had), move.new("clear-time", one.id, period)
        if had is None and move.rule("clear-time") == "favour-customer":
            yield kept
        else:
            yield _earlier(move, kept, new, due.date if due else None, move.ends(period, due.start if due else move.on, new))


def _reviews(move: _Move) -> Iterator[Counted]:
    for one in move.case.in_force:
        due = _review(move, one, review_due(move.case, one, move.policy, move.calendar))
        if due:
            yield due


def _review(move: _Move, one: Sanction, told: Reckoned | None) -> Counted | None:
    kept = move.kept("review", one.id, None).model_copy(update={"reckoned": told})
    then = _next_review(move, one)
    new = move.new("review", one.id, None).model_copy(update={"reckoned": then})
    if then is None:
        return kept if told else None
    if told is None:
        return new
    if told.date < move.on or move.rule("review") == "keep":
        return kept
    return new if move.rule("review") == "restart" or then.date < told.date else kept


def _next_review(move: _Move, one: Sanction) -> Reckoned | None:
    """Returns the next review by the new edition: the first of its dates that is not past, or one counted from the move."""
    rule, cycle = move.target.review_of(disengages=one.disengages), cycle_of(one, move.target)
    latest = rule.chosen or (cycle if move.rule("review") == "restart" else None)
    if latest:
        anew = at_meeting(reckon(latest, move.on, event="move", calendar=move.then), rule, move.target, move.then)
        chosen = one.terms.review_on
        early = rule.chosen and chosen and move.on <= chosen < anew.date and move.rule("review") != "restart"
        return anew.model_copy(update={"date": chosen, "rule": "the date set in the decision"}) if early else anew
    bare = move.case.model_copy(update={"counted": ()})
    scheduled = cycle is not None or rule.each_decision is not None
    return next((due for due in review_dates(bare, one, move.target, move.then) if due.date >= move.on), None) if scheduled else None


def _ends(move: _Move) -> Iterator[Counted]:
    for one in move.case.in_force:
        had, then, rule = one.terms.until, _end_under(one, move), move.rule("end")
        running = had is None or had >= move.on
        earlier = then is not None and (had is None or then.date < had)
        if then and running and (rule == "restart" or (rule == "favour-customer" and earlier)):
            yield Counted(of="end", ref=one.id, on=move.on, edition=move.edition, rule=rule, reckoned=then)
        elif had:
            yield move.kept("end", one.id, None).model_copy(update={"reckoned": _told_end(one, move)})


def _told_end(one: Sanction, move: _Move) -> Reckoned:
    clocks = sanction_clocks(move.case, move.policy, move.calendar)
    return next(clock.reckoned for clock in clocks if clock.kind == "restrictions-end" and clock.ref == one.id)


def _end_under(one: Sanction, move: _Move) -> Reckoned | None:
    """Returns the end the new edition would give, never before the move; None where it leaves the end as it is."""
    length = move.target.decision.length
    period = latest_length(move.case, one, move.target, move.then)
    if period is None:
        return None
    anew = move.rule("end") == "restart"
    found = reckon(period, move.on if anew else one.period_start, event="move" if anew else "decision", calendar=move.then)
    day = max(found.date, move.on)
    if length.kind.value == "chosen" and one.terms.until and one.terms.until <= day:
        return None  # within what may be chosen, the end that was told stands
    permanent = any(getattr(limit, "duration", None) == "permanent" for limit in one.terms.restrictions)
    return None if permanent and one.terms.until is None else found.model_copy(update={"date": day})
