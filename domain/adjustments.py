"""Reasonable adjustments: recorded, and kept safe from restrictions and from channels that would defeat them (DEF-15)."""

from __future__ import annotations

from datetime import date

from domain.addresses import RIGHT, address_problem
from domain.case import Adjustment, Case, Customer, Sanction
from domain.commands import AddAdjustment, CorrectAddress
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.formats import Forms, ways_for
from domain.guards import signed_by, the_day
from domain.people import Actor
from domain.policy import Policy
from domain.restrictions import Restriction, channels_left


def add_adjustment(case: Case, command: AddAdjustment, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a reasonable adjustment; restrictions and forms give way to it (DEF-15)."""
    the_day(command.on, today=today)
    customer = case.customer.model_copy(update={"adjustments": (*case.customer.adjustments, command.adjustment)})
    check_formats(customer, command.adjustment)
    said = "A reasonable adjustment was recorded."
    against = ", ".join(one.id for one in case.in_force if not _stands_beside(one, command.adjustment))
    if against:
        said += f" {against} leaves no way for it and has to give way: look at it again."
    return decided(case.model_copy(update={"customer": customer}), said, cites=["DEF-15"])


def _stands_beside(sanction: Sanction, adjustment: Adjustment) -> bool:
    """Returns whether a sanction that was decided earlier leaves what a new adjustment needs."""
    try:
        for restriction in sanction.terms.restrictions:
            leaves_adjustment(restriction, adjustment)
    except Refusal:
        return False
    return True


def correct_address(case: Case, command: CorrectAddress, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record where the customer is really reached; a letter that was stopped for its address goes once it is issued again (EH-111)."""
    signed_by(actor, the_day(command.on, today=today))
    channel = command.channel or case.customer.channel
    problem = address_problem(case.customer.name, command.address) if channel != "email" else None
    if problem:
        raise Refusal(f"No letter can be posted to this address: {problem}.", cites=["EH-111"], remains=RIGHT)
    customer = case.customer.model_copy(update={"address": command.address, "channel": channel})
    for adjustment in customer.adjustments:
        check_formats(customer, adjustment)
    waiting = ", ".join(one.id for one in case.notices if one.status in ("blocked", "returned"))
    said = f"The address was corrected. Letters to be issued again: {waiting}." if waiting else "The address was corrected."
    return decided(case.model_copy(update={"customer": customer}), said, cites=["EH-111"])


def check_formats(customer: Customer, adjustment: Adjustment) -> None:
    """Refuses an adjustment whose forms the customer's own channel would defeat, or that leaves out what a form needs."""
    if "plain-text" in adjustment.formats and customer.channel != "email":
        raise Refusal(
            f"plain-text is a form of email, and this customer is written to by {customer.channel}.",
            cites=["DEF-15", "EH-110"],
            remains="Record their email address first (correct_address with channel email), or agree another form.",
        )
    if ("translation" in adjustment.formats) != (adjustment.language is not None):
        raise Refusal(
            "A translation names its language, and a language is only named for one.",
            cites=["EH-110"],
            remains="Something like formats: [translation], language: cy.",
        )


def leaves_adjustment(restriction: Restriction, adjustment: Adjustment) -> None:
    """Refuses a restriction that would leave none of the channels an adjustment needs."""
    left = channels_left(restriction)
    if left is not None and adjustment.channels and not left & set(adjustment.channels):
        agreed = ", ".join(adjustment.channels)
        raise Refusal(
            f"{restriction.type} would leave none of the channels agreed as a reasonable adjustment: {agreed}.",
            cites=["DEF-15"],
            remains="Choose another restriction, or settle the adjustment first.",
        )
    leaves_formats(restriction, adjustment)


def leaves_formats(restriction: Restriction, adjustment: Adjustment) -> None:
    """Refuses a restriction that shuts the way by which an agreed form reaches the customer."""
    left = channels_left(restriction)
    for format in adjustment.formats:
        if left is not None and (ways := ways_for(format)) and not left & ways:
            raise Refusal(
                f"{restriction.type} would leave no way for the form agreed as a reasonable adjustment: {format} needs {_either(ways)}.",
                cites=["DEF-15", "EH-110"],
                remains="Choose another restriction, or settle the adjustment first.",
            )


def _either(ways: frozenset[str]) -> str:
    return " or ".join(sorted(ways))


def forms_of(customer: Customer) -> Forms:
    """Returns the forms agreed with a customer, each once; of two translations the one agreed last."""
    found = [one for one in customer.adjustments if one.formats]
    translated = next((one for one in reversed(found) if one.language), None)
    return Forms(
        formats=tuple(dict.fromkeys(format for one in found for format in one.formats)),
        language=translated.language if translated else None,
        translation_alone=bool(translated and translated.translation_alone),
    )
