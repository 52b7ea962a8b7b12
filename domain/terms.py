"""Whether a set of restrictions may stand: options, parameters, steps behind it, findings, length, adjustments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from domain.adjustments import leaves_adjustment
from domain.case import Case, ReviewEvery, Sanction, Terms
from domain.days import Calendar, after
from domain.deadlines import reckon
from domain.decision import Refusal
from domain.guards import Findings, applying, require_findings
from domain.lengths import period_for, said_of_earlier
from domain.policy import Length, Option, Policy, Step, Waiver
from domain.restrictions import NOT_LIMITS, WRITTEN, Restriction, channels_left
from domain.rules import Cited, Finding, Period
from domain.steps import require_step


def check_terms(case: Case, terms: Terms, *, policy: Policy, calendar: Calendar, on: date) -> None:
    """Refuses terms that the policy does not allow on this case, on this day."""
    _behaviour_shown(case, policy, calendar, on)
    check_restrictions(case, terms.restrictions, terms=terms, policy=policy)
    for step in _steps_wanted(terms, policy):
        require_step(step, case, terms, policy, on=on)
    require_findings(_asked(case, terms, policy), {**_referred(case), **case.assessment, **terms.findings}, act="decide")
    check_length(case, terms.restrictions, terms.until, policy=policy, calendar=calendar, on=on)
    _review_date(case, terms, policy=policy, calendar=calendar, on=on)


def _referred(case: Case) -> Findings:
    """Returns what the last referral recorded: it need not be recorded again."""
    return case.referrals[-1].findings if case.referrals else {}


def filled(case: Case, terms: Terms, *, policy: Policy, calendar: Calendar, on: date) -> Terms:
    """Returns terms with the end date where the policy fixes the length."""
    if policy.decision.length.kind.value != "fixed" or terms.until is not None:
        return terms
    period = period_for(case, terms.restrictions, of=None, policy=policy, calendar=calendar, on=on)
    if period is None:
        return terms
    return terms.model_copy(update={"until": reckon(period, on, event="decision", calendar=calendar).date})


def _behaviour_shown(case: Case, policy: Policy, calendar: Calendar, on: date) -> None:
    rule = policy.decision
    if not case.incidents:
        raise Refusal("No behaviour is recorded on this case.", cites=rule.reasons.sources, remains="Record it with report_behaviour.")
    if rule.coded_incident and all(incident.code == "other" for incident in case.incidents):
        raise Refusal(
            "No incident carries a behaviour of the policy.", cites=rule.coded_incident.sources, remains="Record one with its code."
        )
    current = rule.current_within
    if current and all(reckon(current, incident.on, event="incident", calendar=calendar).date < on for incident in case.incidents):
        raise Refusal(
            f"No incident lies within {current.words} of the decision.", cites=current.sources, remains="Only current behaviour counts."
        )


def _asked(case: Case, terms: Terms, policy: Policy) -> tuple[Finding, ...]:
    own = [finding for one in terms.restrictions if (option := policy.decision.option(one.type)) for finding in option.findings]
    waiver = waiver_of(terms, policy)
    return applying((*policy.decision.requires, *own, *(waiver.requires if waiver else ())), case, policy)


def waiver_of(terms: Terms, policy: Policy) -> Waiver | None:
    """Returns the route past the first steps that these terms open, or None."""
    if terms.extreme is None:
        return None
    threat = terms.extreme.immediate_threat is not None
    types = {one.type for one in terms.restrictions}
    for waiver in policy.decision.waivers:
        fits = not waiver.only_options or types <= set(waiver.only_options)
        if fits and (waiver.when == "extreme" or threat):
            return waiver
    return None


def _steps_wanted(terms: Terms, policy: Policy) -> Iterator[Cited[Step]]:
    waiver = waiver_of(terms, policy)
    waived: tuple[Step, ...] = waiver.waives if waiver else ()
    options = [option for one in terms.restrictions if (option := policy.decision.option(one.type))]
    own = [step for option in options for step in option.after]
    for step in (*policy.decision.after, *own):
        if step.value not in waived:
            yield step


def check_restrictions(case: Case, restrictions: tuple[Restriction, ...], *, terms: Terms, policy: Policy) -> None:
    """Refuses a restriction that is no option of the policy, lacks a parameter, or would defeat an adjustment."""
    for restriction in restrictions:
        option = _option(restriction, policy)
        _only_if(option, terms)
        _only_for(restriction, option, case)
        _parameters(restriction, option)
        _leaves_more_than_writing(restriction, option, terms)
        for adjustment in case.customer.adjustments:
            leaves_adjustment(restriction, adjustment)


def sign_off_for(restrictions: tuple[Restriction, ...], policy: Policy) -> str:
    """Returns the sign-off that governs: the one all options share, or the last listed of several (the highest)."""
    names = {_option(restriction, policy).sign_off for restriction in restrictions}
    order = [name for name in policy.decision.sign_offs if name in names]
    separately = policy.decision.one_sign_off
    if len(order) > 1 and separately and separately.value:
        raise Refusal(
            "These restrictions are decided by different people; they cannot stand in one decision.",
            cites=separately.sources,
            remains="Decide them one after the other.",
        )
    return order[-1]


def _option(restriction: Restriction, policy: Policy) -> Option:
    option = policy.decision.option(restriction.type)
    if option is None:
        offered = ", ".join(one.type for one in policy.decision.options)
        rule = policy.decision.closed_list
        reading = "The list is closed" if rule.value else "The list is open, and anything else is an other-action described in words"
        remains = f"It offers: {offered}. {reading}."
        raise Refusal(f"{restriction.type} is not among this policy's options.", cites=rule.sources, remains=remains)
    return option


def _only_if(option: Option, terms: Terms) -> None:
    if option.only_if is None:
        return
    threat = terms.extreme is not None and terms.extreme.immediate_threat is not None
    if option.only_if == "extreme" and terms.extreme is None:
        remains = "Record with.extreme with its reasons, or choose another option."
        raise Refusal(f"{option.label} is for extreme cases only.", cites=option.sources, remains=remains)
    if option.only_if == "immediate-threat" and not threat:
        raise Refusal(
            f"{option.label} needs a recorded immediate threat to health, safety and wellbeing.",
            cites=option.sources,
            remains="Record with.extreme.immediate_threat, or choose another option.",
        )


def _only_for(restriction: Restriction, option: Option, case: Case) -> None:
    if option.only_for and case.customer.kind != option.only_for:
        raise Refusal(
            f"{option.label} is only for {option.only_for}s; this customer is of kind {case.customer.kind}.", cites=option.sources
        )
    if getattr(restriction, "employer", None) and case.customer.self_employed:
        raise Refusal("A self-employed customer has no employer to complain to.", cites=option.sources, remains="A professional body.")


def _parameters(restriction: Restriction, option: Option) -> None:
    for name in option.requires:
        if getattr(restriction, name) in (None, (), ""):
            raise Refusal(f"{option.label} needs {name}.", cites=option.sources)
    for name in option.exactly_one:
        count = len(getattr(restriction, name))
        if count != 1:
            raise Refusal(f"{option.label} takes exactly one of {name}; {count} were given.", cites=option.sources)
    for name, offered in option.one_of.items():
        if getattr(restriction, name) not in offered:
            found = getattr(restriction, name)
            raise Refusal(f"{option.label}: {name} is one of {', '.join(offered)}; found {found}.", cites=option.sources)
    for name, value in option.fixed.items():
        given = restriction.model_dump(mode="json")[name]
        if given != value:
            raise Refusal(f"{option.label}: {name} must be {value}; found {given}.", cites=option.sources)


def _leaves_more_than_writing(restriction: Restriction, option: Option, terms: Terms) -> None:
    rule, left = option.not_written_only, channels_left(restriction)
    if rule and left is not None and (left <= WRITTEN or left <= {"third-party"}) and terms.extreme is None:
        raise Refusal(
            "Leaving nothing but writing, or nothing but a third party, needs an extreme situation.",
            cites=rule.sources,
            remains="written-or-third-party-only, with extreme.",
        )


def check_length(
    case: Case,
    restrictions: tuple[Restriction, ...],
    until: date | None,
    *,
    of: Sanction | None = None,
    policy: Policy,
    calendar: Calendar,
    on: date,
) -> None:
    """Refuses a period that the policy does not allow, or none where an end must be told."""
    rule = policy.decision.length
    limits = [option for one in restrictions if one.type not in NOT_LIMITS and (option := policy.decision.option(one.type))]
    if not limits:
        return
    _open_end(restrictions, limits, until, rule)
    if until is None:
        return
    if until <= on:
        raise Refusal(f"until is {until.isoformat()}, not after the decision of {on.isoformat()}.", cites=rule.kind.sources)
    period = period_for(case, restrictions, of=of, policy=policy, calendar=calendar, on=on)
    if rule.kind.value != "fixed" and period:
        _not_later(until, period, on, calendar, what="Restrictions may run at most", remains=said_of_earlier(case, of, policy))
    if rule.kind.value == "fixed" and rule.at_most:
        _not_later(until, rule.at_most, on, calendar, what="Restrictions may run at most")
    if rule.kind.value == "fixed" and period:
        fixed = reckon(period, on, event="decision", calendar=calendar)
        if until != fixed.date:
            said = f"The period is {period.words}, until {fixed.date.isoformat()}; found {until.isoformat()}."
            raise Refusal(said, cites=period.sources, remains=said_of_earlier(case, of, policy))


def _not_later(day: date, limit: Period, on: date, calendar: Calendar, *, what: str, remains: str | None = None) -> None:
    latest = reckon(limit, on, event="decision", calendar=calendar).date
    if day > latest:
        raise Refusal(f"{what} {limit.words}, until {latest.isoformat()}; found {day.isoformat()}.", cites=limit.sources, remains=remains)


def _open_end(restrictions: tuple[Restriction, ...], limits: list[Option], until: date | None, rule: Length) -> None:
    open_ended = [option for option in limits if option.end_may_be_open and option.end_may_be_open.value]
    permanent = any(getattr(one, "duration", None) == "permanent" for one in restrictions)
    if permanent and rule.permanent:
        raise Refusal("A permanent restriction is not possible.", cites=rule.permanent.sources)
    if permanent and until is not None:
        sources = [source for option in open_ended for source in option.sources]
        raise Refusal("A permanent refusal has no end date; until must be left out.", cites=sources)
    all_open = bool(open_ended) and permanent and len(open_ended) == len(limits)
    if rule.kind.value == "chosen" and until is None and not all_open:
        raise Refusal("The customer must be told how long the restrictions last: until is missing.", cites=rule.kind.sources)


def _review_date(case: Case, terms: Terms, *, policy: Policy, calendar: Calendar, on: date) -> None:
    disengages = any(one.type.endswith("-disengagement") for one in terms.restrictions)
    check_review_date(terms.review_on, terms.review_every, disengages=disengages, policy=policy, calendar=calendar, on=on)


def check_review_date(
    review_on: date | None, every: ReviewEvery | None, *, disengages: bool, policy: Policy, calendar: Calendar, on: date
) -> None:
    """Refuses a decision that must set the date of its review and does not, or sets one the policy does not allow."""
    rule = policy.review_of(disengages=disengages)
    if rule.each_decision:
        _states_its_review(review_on, every, rule.each_decision, rule.chosen, calendar, on)
        return
    chosen = rule.chosen
    if every is not None:
        raise Refusal("The policy itself says how often this is reviewed; review_every must be left out.", cites=rule.by.sources)
    if chosen is None:
        if review_on is not None:
            raise Refusal("The policy itself says when this is reviewed; review_on must be left out.", cites=policy.review.by.sources)
        return
    if review_on is None:
        raise Refusal("No sanction without the date of its review: review_on is missing.", cites=chosen.sources)
    if review_on <= on:
        raise Refusal(f"review_on is {review_on.isoformat()}, not after {on.isoformat()}.", cites=chosen.sources)
    _not_later(review_on, chosen, on, calendar, what="The review may be set at most")


def _states_its_review(
    review_on: date | None,
    every: ReviewEvery | None,
    rule: Cited[Literal["states-its-review"]],
    latest: Period | None,
    calendar: Calendar,
    on: date,
) -> None:
    if (review_on is None) == (every is None):
        found = "neither is given" if review_on is None else "both are given"
        raise Refusal(
            f"Each decision states its review, as review_on (a day) or review_every (an interval); {found}.",
            cites=rule.sources,
            remains="Something like review_every: {count: 3, unit: months}.",
        )
    first = review_on or after(on, every.count if every else 0, every.unit if every else "days", calendar)[0]
    if first <= on:
        raise Refusal(f"review_on is {first.isoformat()}, not after {on.isoformat()}.", cites=rule.sources)
    if latest:
        _not_later(first, latest, on, calendar, what="The first review may be set at most")
