"""What earlier steps a case has behind it: a living warning, continued behaviour, a failed step one, a referral."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Incident, Terms, Warning
from domain.days import after_calendar
from domain.decision import Refusal
from domain.notices import notified_on
from domain.policy import Policy, Step
from domain.restrictions import WRITTEN
from domain.rules import Cited, Period


def warned_on(case: Case, warning: Warning, policy: Policy) -> date | None:
    """Returns the day a warning counts from: when spoken, or when its letter was notified; None until it is confirmed."""
    confirmed = notified_on(case, warning.notice)
    must_confirm = policy.warning.confirmed_in_writing
    if must_confirm and must_confirm.value and confirmed is None:
        return None
    return confirmed if warning.medium in WRITTEN else warning.on


def require_step(step: Cited[Step], case: Case, terms: Terms, policy: Policy, *, on: date) -> None:
    """Refuses while a step that must come before the decision is not behind the case."""
    match step.value:
        case "warning":
            _warned(case, terms, policy, on)
        case "step-one":
            step_one_done(case, policy, on=on)
        case "referral":
            if not any(referral.on <= on for referral in case.referrals):
                raise Refusal("The matter has not been referred for a decision.", cites=step.sources, remains="Refer it with refer.")
        case "discussions":
            require_discussions(case, policy, on=on)
        case "earlier-sanction":
            _sanction_failed(case, step, on)


def require_discussions(case: Case, policy: Policy, *, on: date, before: str | None = None) -> None:
    """Refuses while one of the conversations the policy lists has not been held, in its order; `before` stops at one."""
    for rule in policy.discussions:
        if rule.step == before:
            return
        require_discussion(case, policy, rule.step, on=on)


def require_discussion(case: Case, policy: Policy, step: str, *, on: date) -> None:
    """Refuses while one conversation of the policy has not been held."""
    rule = next(one for one in policy.discussions if one.step == step)
    if not any(one.step == step and one.on <= on for one in case.discussions):
        raise Refusal(f"{step} has not been held.", cites=rule.sources, remains="Record it with discuss, in the order of the policy.")


def _sanction_failed(case: Case, step: Cited[Step], on: date) -> None:
    earlier = [sanction for sanction in case.sanctions if sanction.limits and not sanction.disengages and sanction.decided_on <= on]
    if not earlier:
        raise Refusal(
            "No earlier sanction has been tried.", cites=step.sources, remains="Sanctions first, or the extreme route with its reasons."
        )
    if not any(continued_since(case, sanction.decided_on, until=on) for sanction in earlier):
        raise Refusal(
            "No behaviour is recorded after the earlier sanction.", cites=step.sources, remains="Record it with report_behaviour."
        )


def _warned(case: Case, terms: Terms, policy: Policy, on: date) -> None:
    allowed = policy.warning.departures
    if not (terms.warning_departure and allowed):
        require_warning(case, policy, on=on)
        return
    codes = {incident.code for incident in case.incidents}
    if not codes & set(allowed.value):
        raise Refusal("A warning may be left out only for violence or threats.", cites=allowed.sources, remains="Give a warning with warn.")


def life_of(case: Case, warning: Warning, policy: Policy) -> Period | None:
    """Returns how long a warning supports a decision: by the edition it counts under."""
    counted = case.counted_under("warning", warning.id)
    return counted.period if counted else policy.warning.life


def life_ends(case: Case, warning: Warning, given: date, policy: Policy) -> date:
    """Returns the last day on which a warning still supports a decision (DEF-17)."""
    life, counted = life_of(case, warning, policy), case.counted_under("warning", warning.id)
    start = max(given, counted.start) if counted and counted.start else given
    return after_calendar(start, life.count, life.unit) if life else date.max


def living_warning(case: Case, policy: Policy, *, on: date) -> tuple[Warning, date] | None:
    """Returns the latest warning that supports a decision on a day, and the day it was given."""
    for warning in reversed(case.standing_warnings):
        given = warned_on(case, warning, policy)
        if given and given <= on <= life_ends(case, warning, given, policy):
            return warning, given
    return None


def continued_since(case: Case, day: date, *, until: date) -> tuple[Incident, ...]:
    """Returns the incidents dated after a day: behaviour on the day itself had no time to change (MMO-26)."""
    return tuple(incident for incident in case.incidents if day < incident.on <= until)


def require_warning(case: Case, policy: Policy, *, on: date) -> None:
    """Refuses a decision without a living warning and, where the policy says so, behaviour after one of them."""
    rule = policy.warning
    standing = case.standing_warnings
    given = [day for one in standing if (day := warned_on(case, one, policy)) and day <= on <= life_ends(case, one, day, policy)]
    if not given:
        remains = "Give a warning with warn; it must reach the customer first."
        raise Refusal(_no_warning(case, policy, on=on), cites=rule.needed.sources, remains=remains)
    after = rule.behaviour_after
    if after and after.value == "must-continue" and not any(continued_since(case, day, until=on) for day in given):
        raise Refusal(
            f"No behaviour is recorded after the warning of {given[-1].isoformat()}: the customer must have the opportunity to change.",
            cites=after.sources,
            remains="Record continued behaviour with report_behaviour, dated after the warning.",
        )


def _no_warning(case: Case, policy: Policy, *, on: date) -> str:
    if not case.warnings:
        return "No warning was given before this decision."
    if not case.standing_warnings:
        return "The warning was withdrawn on appeal."
    given = warned_on(case, case.standing_warnings[-1], policy)
    if given is None:
        return "The warning has not yet been confirmed to the customer in writing."
    if given > on:
        return f"The warning counts from {given.isoformat()}, after this decision."
    ended = life_ends(case, case.warnings[-1], given, policy)
    return f"The warning of {given.isoformat()} no longer supports a decision: it lived until {ended.isoformat()}."


def step_one_done(case: Case, policy: Policy, *, on: date) -> None:
    """Refuses unless step one was held, confirmed to the customer, and failed (PCC-26, PCC-29, PCC-35, PCC-37)."""
    require_confirmed_first_step(case, policy, on=on)
    replies = policy.step_one.replies.sources if policy.step_one else ()
    if not case.replies:
        raise Refusal(
            "Step one has not ended: no reply is recorded.",
            cites=replies,
            remains="Record agreed, not-agreed or no-answer with record_reply.",
        )
    last = case.replies[-1]
    if last.reply == "agreed" and not continued_since(case, last.on, until=on):
        raise Refusal(
            f"An arrangement was agreed on {last.on.isoformat()} and no behaviour is recorded after it.",
            cites=replies,
            remains="Monitor the arrangement; refer when the behaviour continues.",
        )


def require_confirmed_first_step(case: Case, policy: Policy, *, on: date) -> None:
    """Refuses until the first communication has reached the customer in writing, or as an adjustment asks."""
    if not case.standing_warnings:
        raise Refusal(
            "Step one has not been held.",
            cites=policy.warning.needed.sources,
            remains="The appropriate manager speaks to the customer: warn.",
        )
    confirmed = policy.warning.confirmed_in_writing
    told = notified_on(case, case.standing_warnings[-1].notice)
    if warned_on(case, case.standing_warnings[-1], policy) is None or (confirmed and confirmed.value and (told is None or told > on)):
        raise Refusal(
            "What was said in step one has not yet been confirmed to the customer.",
            cites=confirmed.sources if confirmed else (),
            remains="Wait until the letter is sent, or record how the customer was told.",
        )
