"""Whether a set of restrictions may stand: options, parameters, steps behind it, findings, length, adjustments."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Terms
from domain.days import Calendar, after
from domain.decision import Refusal
from domain.guards import require_findings
from domain.policy import Option, Policy
from domain.restrictions import NOT_LIMITS, Restriction, channels_left
from domain.steps import require_warning, step_one_done


def check_terms(case: Case, terms: Terms, *, policy: Policy, calendar: Calendar, on: date) -> None:
    """Refuses terms that the policy does not allow on this case, on this day."""
    if not case.incidents:
        raise Refusal(
            "No behaviour is recorded on this case.", cites=policy.decision.reasons.sources, remains="Record it with report_behaviour."
        )
    check_restrictions(case, terms.restrictions, terms=terms, policy=policy)
    _steps_behind(case, terms, policy, on)
    require_findings(policy.decision.requires, {**case.assessment, **terms.findings}, act="decide")
    check_length(terms.restrictions, terms.until, policy=policy, calendar=calendar, on=on)


def check_restrictions(case: Case, restrictions: tuple[Restriction, ...], *, terms: Terms, policy: Policy) -> None:
    """Refuses a restriction that is no option of the policy, lacks a parameter, or would defeat an adjustment."""
    for restriction in restrictions:
        option = _option(restriction, policy)
        _only_if(option, terms)
        _parameters(restriction, option)
        _leaves_adjustments(case, restriction)


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
        raise Refusal(
            f"{restriction.type} is not among this policy's options.",
            cites=policy.decision.closed_list.sources,
            remains=f"It offers: {offered}.",
        )
    return option


def _only_if(option: Option, terms: Terms) -> None:
    if option.only_if is None:
        return
    threat = terms.extreme is not None and terms.extreme.immediate_threat is not None
    if option.only_if == "extreme" and terms.extreme is None:
        raise Refusal(
            f"{option.label} is for extreme cases only.",
            cites=option.sources,
            remains="Record with.extreme with its reasons, or choose another option.",
        )
    if option.only_if == "immediate-threat" and not threat:
        raise Refusal(
            f"{option.label} needs a recorded immediate threat to health, safety and wellbeing.",
            cites=option.sources,
            remains="Record with.extreme.immediate_threat, or choose another option.",
        )


def _parameters(restriction: Restriction, option: Option) -> None:
    for name in option.requires:
        if getattr(restriction, name) in (None, (), ""):
            raise Refusal(f"{option.label} needs {name}.", cites=option.sources)
    for name in option.exactly_one:
        if len(getattr(restriction, name)) != 1:
            raise Refusal(
                f"{option.label} takes exactly one of {name}; {len(getattr(restriction, name))} were given.", cites=option.sources
            )
    for name, value in option.fixed.items():
        given = restriction.model_dump(mode="json")[name]
        if given != value:
            raise Refusal(f"{option.label}: {name} must be {value}; found {given}.", cites=option.sources)


def _leaves_adjustments(case: Case, restriction: Restriction) -> None:
    left = channels_left(restriction)
    for adjustment in case.customer.adjustments:
        if left is not None and adjustment.channels and not left & set(adjustment.channels):
            raise Refusal(
                f"{restriction.type} would leave none of the channels agreed as a reasonable adjustment: {', '.join(adjustment.channels)}.",
                cites=["DEF-15"],
                remains="Choose another restriction, or settle the adjustment first.",
            )


def _steps_behind(case: Case, terms: Terms, policy: Policy, on: date) -> None:
    if policy.warning.needed.value == "unless-immediate-threat" and terms.extreme and terms.extreme.immediate_threat:
        return
    for step in policy.decision.after:
        match step.value:
            case "warning":
                _warned(case, terms, policy, on)
            case "step-one":
                step_one_done(case, policy, on=on)
            case "referral":
                if not case.referrals:
                    raise Refusal("The matter has not been referred for a decision.", cites=step.sources, remains="Refer it with refer.")


def _warned(case: Case, terms: Terms, policy: Policy, on: date) -> None:
    allowed = policy.warning.departures
    if terms.warning_departure and allowed:
        codes = {incident.code for incident in case.incidents}
        if not codes & set(allowed.value):
            raise Refusal(
                "A warning may be left out only for violence or threats.", cites=allowed.sources, remains="Give a warning with warn."
            )
        return
    require_warning(case, policy, on=on)


def check_length(restrictions: tuple[Restriction, ...], until: date | None, *, policy: Policy, calendar: Calendar, on: date) -> None:
    """Refuses a period that the policy does not allow, or none where an end must be told."""
    rule = policy.decision.length
    limits = [option for one in restrictions if one.type not in NOT_LIMITS and (option := policy.decision.option(one.type))]
    if not limits:
        return
    _open_end(restrictions, limits, until, rule.kind.sources, needs=rule.kind.value == "chosen")
    if until is not None and until <= on:
        raise Refusal(f"until is {until.isoformat()}, not after the decision of {on.isoformat()}.", cites=rule.kind.sources)
    if until is not None and rule.at_most:
        latest, _ = after(on, rule.at_most.count, rule.at_most.unit, calendar)
        if until > latest:
            raise Refusal(
                f"Restrictions may run at most {rule.at_most.words}, until {latest.isoformat()}; found {until.isoformat()}.",
                cites=rule.at_most.sources,
            )


def _open_end(
    restrictions: tuple[Restriction, ...], limits: list[Option], until: date | None, cites: tuple[str, ...], *, needs: bool
) -> None:
    open_ended = [option for option in limits if option.end_may_be_open and option.end_may_be_open.value]
    permanent = any(getattr(one, "duration", None) == "permanent" for one in restrictions)
    if permanent and until is not None:
        raise Refusal("A permanent refusal has no end date; until must be left out.", cites=[s for o in open_ended for s in o.sources])
    if needs and until is None and not (open_ended and permanent and len(open_ended) == len(limits)):
        raise Refusal("The customer must be told how long the restrictions last: until is missing.", cites=cites)
