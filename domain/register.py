"""A body's register as its policy describes it: from when a case stands in it, and what each column holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from domain.case import NOT_RECORDED, Case, Sanction, Warning
from domain.days import Calendar, in_words
from domain.flags import missed_reviews
from domain.notices import notified_on
from domain.policy import Column, Policy
from domain.review_clocks import review_due
from domain.steps import warned_on

Facts = tuple[Case, Policy, Calendar]


def stands_in_register(case: Case, policy: Policy) -> bool:
    """Returns whether a case belongs in the register: from its decision, or where the policy says so from its referral (MBC-56)."""
    if case.ending == "mistake" or case.destroyed_on:
        return False
    rule = policy.register_
    from_referral = rule is not None and rule.starts.value == "referral" and bool(case.referrals)
    return bool(case.sanctions) or case.ending == "no-action" or from_referral


def entry(case: Case, policy: Policy, calendar: Calendar) -> dict[Column, str]:
    """Returns the columns of the policy's register with what they hold of this case; personal text is in them."""
    rule = policy.register_
    return {one.column: _whole(one.column, (case, policy, calendar)) for one in (rule.columns if rule else ())}


def _whole(column: Column, facts: Facts) -> str:
    """Returns what the case's acts put into a column, then what was written there by hand."""
    made = COLUMNS[column](facts)
    return _lines(iter([*([made] if made else []), *_by_hand(facts[0], column)]))


def _by_hand(case: Case, column: Column) -> Iterator[str]:
    notes = (one for one in case.register_notes if one.column == column)
    return (f"By hand, {in_words(one.on)}, {one.by.person}: {one.text}" for one in notes)


def _lines(found: Iterator[str]) -> str:
    return "\n".join(found)


def _contact_details(facts: Facts) -> str:
    customer = facts[0].customer
    return _lines(text for text in (customer.name, customer.address, customer.channel) if text)


def _warning(facts: Facts) -> str:
    return _lines(_warnings(*facts))


def _remark(warning: Warning, counts: date | None) -> str:
    if warning.withdrawn_on:
        return f" (withdrawn on appeal, {in_words(warning.withdrawn_on)})"
    return "" if counts else " (not yet confirmed)"


def _warnings(case: Case, policy: Policy, calendar: Calendar) -> Iterator[str]:
    for one in case.warnings:
        counts = warned_on(case, one, policy)
        yield f"{in_words(counts or one.on)}, {one.medium.replace('-', ' ')}{_remark(one, counts)}"
    for measures in case.initial_measures:
        yield f"Initial measures: {measures}"


def _application(facts: Facts) -> str:
    return _lines(_applications(facts[0]))


def _applications(case: Case) -> Iterator[str]:
    if not case.sanctions and case.ending == "no-action":
        yield "Not applied"
    for one in case.sanctions:
        told = notified_on(case, one.notice)
        yield f"Decided {in_words(one.decided_on)}; customer told {in_words(told) if told else 'not yet'}"
        spoc = next(
            (str(restriction.officer) for restriction in one.terms.restrictions if restriction.type == "single-point-of-contact"), None
        )
        if spoc:
            yield f"Single point of contact: {spoc}"
        if one.ended_on:
            yield f"Ended {in_words(one.ended_on)}, {one.ended_how}"


def _last_reviewed(facts: Facts) -> str:
    last = max((one.on for one in facts[0].reviews), default=None)
    return in_words(last) if last else ""


def _case_notes(facts: Facts) -> str:
    case = facts[0]
    cycles = [str(one.findings["behavioural-cycles"]) for one in case.reviews if "behavioural-cycles" in one.findings]
    dated = [(one.on, one.code.replace("-", " "), one.summary) for one in case.incidents]
    return _lines(
        iter(
            [
                *(f"{in_words(on)}: {code}: {summary}" for on, code, summary in sorted(dated)),
                *(f"Cycles: {one}" for one in cycles),
                *_old_record(case),
            ]
        )
    )


def _sanctions(facts: Facts) -> str:
    return _lines(_in_force(one) for one in facts[0].sanctions if one.limits)


def _in_force(sanction: Sanction) -> str:
    types = ", ".join(one.type.replace("-", " ") for one in sanction.terms.restrictions)
    until = f" until {in_words(sanction.terms.until)}" if sanction.terms.until else ""
    ended = f"; ended {in_words(sanction.ended_on)}" if sanction.ended_on else ""
    return f"{types}, from {in_words(sanction.decided_on)}{until}{ended}"


def _disengaged(facts: Facts) -> str:
    return _lines(f"since {in_words(one.decided_on)}" for one in facts[0].in_force if one.disengages)


def _next_review(facts: Facts) -> str:
    case, policy, calendar = facts
    missed = missed_reviews(case)
    dues = [due.date for one in case.in_force if (due := review_due(case, one, policy, calendar))]
    none = "no date set" if case.in_force else ""
    return _lines(iter([in_words(min(dues)) if dues else none, *([f"{missed} missed"] if missed else [])]))


def _old_record(case: Case) -> tuple[str, ...]:
    """Returns what an imported case brought with it besides its dates."""
    if case.imported is None:
        return ()
    old = case.imported
    behaviour = ": ".join(text for text in (old.behaviour and old.behaviour.replace("-", " "), old.behaviour_words) if text)
    return tuple(f"Old record: {text}" for text in (behaviour, old.notes) if text)


def _timeline(facts: Facts) -> str:
    case = facts[0]
    happened: list[tuple[date, str]] = [
        (one.on, f"{one.time + ', ' if one.time else ''}{one.medium}, {one.by}: {one.code.replace('-', ' ')}: {one.summary}")
        for one in case.incidents
    ]
    happened += [(one.on, f"warning, {one.medium}, {one.by.person}") for one in case.warnings]
    happened += [(one.on, f"contact: {one.topic.replace('-', ' ')}: {one.summary}") for one in case.contacts]
    happened += [(one.decided_on, f"decision {one.id}, {', '.join(signed.person for signed in one.signatures)}") for one in case.sanctions]
    happened += [(one.on, f"review {one.id}: {one.outcome}") for one in case.reviews]
    dated = (f"{in_words(on)}: {what}" for on, what in sorted(happened, key=lambda one: one[0]))
    return _lines(iter([*dated, *_old_record(case)]))


def _referral(facts: Facts) -> str:
    return _lines(iter([*_referrals(facts[0]), *_old_record(facts[0])]))


def _referrals(case: Case) -> Iterator[str]:
    return (
        f"{in_words(one.on)}, {one.by.person}: {'; '.join(str(text) for text in one.findings.values())}"
        + (f" (attached: {', '.join(one.attachments)})" if one.attachments else "")
        for one in case.referrals
    )


def _said(text: str) -> str:
    return "not recorded" if text == NOT_RECORDED else text


def _decision_reasons(facts: Facts) -> str:
    case = facts[0]
    reasons: list[tuple[date, str]] = [(one.decided_on, f"{one.id}: {_said(one.terms.reasons)}") for one in case.sanctions]
    reasons += [(one.on, f"{one.id} ({one.outcome}): {one.reasons}") for one in case.reviews if one.reasons]
    reasons += [(one.decided_on, f"{one.id} ({one.outcome}): {one.reasons}") for one in case.challenges if one.decided_on and one.reasons]
    reasons += [(one.created_on, f"{one.id} not sent: {one.withheld_reasons}") for one in case.notices if one.withheld_reasons]
    if case.ending_reasons and case.ended_without_restriction:
        reasons.append((case.ended_without_restriction, f"{case.ending}: {case.ending_reasons}"))
    return _lines(f"{in_words(on)}: {what}" for on, what in sorted(reasons, key=lambda one: one[0]))


def _references(facts: Facts) -> str:
    return _lines(f"{one.team} {one.at} of {one.about}: {one.reference or 'made aware'}, {in_words(one.on)}" for one in facts[0].informed)


COLUMNS: dict[Column, Callable[[Facts], str]] = {
    "name-and-contact-details": _contact_details,
    "warning": _warning,
    "application": _application,
    "last-reviewed": _last_reviewed,
    "case-notes": _case_notes,
    "sanctions": _sanctions,
    "disengaged": _disengaged,
    "next-review": _next_review,
    "timeline": _timeline,
    "referral": _referral,
    "decision-reasons": _decision_reasons,
    "references": _references,
}
