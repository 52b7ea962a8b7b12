"""What a review may do to restrictions, and the sanction as it stands afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from domain.case import Case, ReviewTerms, Sanction, Terms
from domain.days import Calendar, in_words
from domain.decision import Refusal
from domain.policy import OutcomeRule, Policy, ReviewOutcome
from domain.restrictions import DISENGAGING, tightens
from domain.review_clocks import clear_period, clear_time, review_dates, review_due
from domain.terms import check_length, check_restrictions, check_review_date


def require_outcome(case: Case, sanction: Sanction, terms: ReviewTerms, *, policy: Policy, calendar: Calendar, on: date) -> OutcomeRule:
    """Returns the rule of an outcome that may stand; refuses one the policy does not allow here."""
    rules = policy.review_of(disengages=sanction.disengages).outcomes
    rule = rules.get(terms.outcome)
    if rule is None:
        cites = [source for one in rules.values() for source in one.sources]
        raise Refusal(f"{terms.outcome} is no outcome of a review here.", cites=cites, remains=f"One of: {', '.join(rules)}.")
    if rule.reasons_needed and terms.reasons is None:
        raise Refusal(f"The outcome {terms.outcome} needs its reasons.", cites=rule.sources)
    _behaviour_in_period(case, sanction, terms, rule, on)
    _clear_long_enough(case, sanction, rule, policy, calendar, on)
    _says_what_changes(sanction, terms, rule)
    if sanction.disengages and terms.restrictions and not any(one.type in DISENGAGING for one in terms.restrictions):
        _clear_long_enough(case, sanction, rules["lift"], policy, calendar, on)
    if terms.outcome == "amend" and not (rule.free and rule.free.value):
        _no_tighter(sanction, terms, rule, rules)
    _next_review_stated(sanction, terms, rule, policy=policy, calendar=calendar, on=on)
    return rule


def _next_review_stated(sanction: Sanction, terms: ReviewTerms, rule: OutcomeRule, *, policy: Policy, calendar: Calendar, on: date) -> None:
    """Refuses an outcome that leaves restrictions without their next review, where decisions set it."""
    stated = terms.review_on is not None or terms.review_every is not None
    each = policy.review_of(disengages=sanction.disengages).each_decision
    runs_on = terms.outcome != "lift" and sanction.terms.review_every is None and sanction.terms.until is None
    if rule.review_date or stated or (each and runs_on):
        check_review_date(terms.review_on, terms.review_every, disengages=sanction.disengages, policy=policy, calendar=calendar, on=on)


def _behaviour_in_period(case: Case, sanction: Sanction, terms: ReviewTerms, rule: OutcomeRule, on: date) -> None:
    needs = rule.incident_in_period
    if not needs or not needs.value or any(sanction.period_start < incident.on <= on for incident in case.incidents):
        return
    since = in_words(sanction.period_start)
    raise Refusal(
        f"The outcome {terms.outcome} needs further unreasonable behaviour in the period; none is recorded since {since}.",
        cites=needs.sources,
        remains="Lift, amend or leave the restrictions until their end.",
    )


def _clear_long_enough(case: Case, sanction: Sanction, rule: OutcomeRule, policy: Policy, calendar: Calendar, on: date) -> None:
    wanted = clear_period(case, sanction, rule)
    if wanted is None:
        return
    clear = clear_time(case, sanction, policy, calendar)
    if clear is None or on < clear.date:
        when = f"met on {in_words(clear.date)}, counted from the {clear.start_event} of {in_words(clear.start)}" if clear else "not begun"
        raise Refusal(
            f"There must have been no incident for {wanted.words}; that is {when}.",
            cites=wanted.sources,
            remains="Continue, or change the sanction.",
        )


def _says_what_changes(sanction: Sanction, terms: ReviewTerms, rule: OutcomeRule) -> None:
    if terms.outcome in ("amend", "tighten") and not terms.restrictions:
        raise Refusal(f"The outcome {terms.outcome} says what the restrictions become: restrictions is missing.", cites=rule.sources)
    if terms.outcome == "extend" and (terms.until is None or (sanction.terms.until and terms.until <= sanction.terms.until)):
        raise Refusal("An extension needs an until later than the present end.", cites=rule.sources)
    fixes_end = terms.outcome == "continue" and rule.until is not None
    if terms.outcome in ("lift", "continue") and (terms.restrictions or (terms.until and not fixes_end)):
        remains = "Amend, extend or tighten."
        raise Refusal(f"The outcome {terms.outcome} changes no restriction and no date.", cites=rule.sources, remains=remains)
    if rule.free and rule.free.value:
        return
    had = {one.type for one in sanction.terms.restrictions}
    new = sorted({one.type for one in terms.restrictions} - had)
    if terms.outcome == "amend" and new:
        remains = "Tighten, where behaviour in the period allows it."
        raise Refusal(f"A new restriction ({', '.join(new)}) is no mere amendment.", cites=rule.sources, remains=remains)


def _no_tighter(sanction: Sanction, terms: ReviewTerms, rule: OutcomeRule, rules: Mapping[ReviewOutcome, OutcomeRule]) -> None:
    """Refuses an amendment that runs longer or limits more: that is an extension or a tightening, with their own conditions."""
    if terms.until and sanction.terms.until and terms.until > sanction.terms.until:
        cites = rules.get("extend", rule).sources
        raise Refusal("A later end is an extension, no amendment.", cites=cites, remains="Extend, where the policy allows it.")
    had = {one.type: one for one in sanction.terms.restrictions}
    for one in terms.restrictions:
        if one.type in had and tightens(had[one.type], one):
            cites = rules.get("tighten", rule).sources
            raise Refusal(f"The new {one.type} limits more than the old one.", cites=cites, remains="Tighten, where the policy allows it.")


def applied(
    case: Case, sanction: Sanction, terms: ReviewTerms, rule: OutcomeRule, *, policy: Policy, calendar: Calendar, on: date
) -> Sanction:
    """Returns the sanction after a review. One that lapsed meanwhile stands again only if it was continued in time."""
    settled = sanction.model_copy(
        update={"settled_through": settled_through(case, sanction, policy, calendar, on), "ended_on": None, "ended_how": None}
    )
    match terms.outcome:
        case "lift":
            return settled.model_copy(update={"ended_on": on, "ended_how": "lifted"})
        case "continue":
            return _continued(case, sanction, settled, terms, rule, policy=policy, calendar=calendar)
        case "extend":
            new = _new_terms(case, sanction, terms, policy=policy, calendar=calendar, on=on)
            return settled.model_copy(update={"terms": new, "period_start": on, "requests_used": 0})
        case _:
            new = _new_terms(case, sanction, terms, policy=policy, calendar=calendar, on=on)
            return settled.model_copy(update={"terms": new})


def _continued(
    case: Case, sanction: Sanction, settled: Sanction, terms: ReviewTerms, rule: OutcomeRule, *, policy: Policy, calendar: Calendar
) -> Sanction:
    if rule.until:
        latest = review_due(case, settled, policy, calendar)
        if latest is None or (terms.until and terms.until > latest.date):
            raise Refusal("A continuation runs at most to the next review.", cites=rule.until.sources)
        return _with_terms(settled, until=terms.until or latest.date)
    if terms.review_on or terms.review_every:
        return _with_terms(settled, review_on=terms.review_on, review_every=terms.review_every)
    return settled if sanction.ended_how is None else sanction


def _with_terms(sanction: Sanction, **update: object) -> Sanction:
    return sanction.model_copy(update={"terms": sanction.terms.model_copy(update=update)})


def settled_through(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar, on: date) -> date | None:
    """Returns the last due date this review answers: those past, and one that falls within the 28 days (DEF-13)."""
    rule = policy.review_of(disengages=sanction.disengages)
    if (rule.chosen or rule.each_decision) and sanction.terms.review_every is None:
        return on
    reach = on + timedelta(days=policy.review_of(disengages=sanction.disengages).opens_before.count)
    settled = sanction.settled_through
    for due in review_dates(case, sanction, policy, calendar):
        if due.date > reach:
            return settled
        settled = due.date
    return settled


def _new_terms(case: Case, sanction: Sanction, terms: ReviewTerms, *, policy: Policy, calendar: Calendar, on: date) -> Terms:
    restrictions = terms.restrictions or sanction.terms.restrictions
    until = terms.until or sanction.terms.until
    stated = terms if terms.review_on or terms.review_every else sanction.terms
    update = {"restrictions": restrictions, "until": until, "review_on": stated.review_on, "review_every": stated.review_every}
    new = sanction.terms.model_copy(update=update)
    check_restrictions(case, restrictions, terms=new, policy=policy)
    check_length(case, restrictions, until, of=sanction, policy=policy, calendar=calendar, on=on)
    return new
