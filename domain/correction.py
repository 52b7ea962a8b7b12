"""A record of telling the customer that was wrong, set right: a later day gives the time it took, none makes the letter go again.

Nothing here takes a day from anybody: an earlier day is refused (DEF-06, EH-91)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Notice
from domain.clocks import all_deadlines
from domain.commands import CorrectNotification
from domain.days import Calendar, deemed_notified
from domain.decision import Decision, Refusal, decided
from domain.delivery import RETURNED
from domain.guards import signed_by, the_day
from domain.notices import marked
from domain.people import Actor
from domain.policy import Policy
from domain.receipt import more_time

SOURCES = ("DEF-06", "EH-91")


def correct_notification(
    case: Case, command: CorrectNotification, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Set right when, or whether, a person told the customer. What the log says of the wrong record stays there."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    notice = _told_by_a_person(case, command.saw)
    if notice.counts_from and notice.posted_on and (command.told_on is None or command.told_on >= notice.counts_from):
        posted = {"sent_on": notice.posted_on, "method": notice.posted_how, "notified_on": notice.counts_from, "told_by": None}
        nothing = dict.fromkeys(("counts_from", "posted_on", "posted_how"))
        said = f"{notice.id} counts as notified on {notice.counts_from.isoformat()}, by the letter that went."
        return decided(marked(case, notice, "sent", **posted, **nothing), said, cites=SOURCES)
    if command.told_on is None:
        never = marked(case, notice, "returned", **RETURNED, problem=command.reasons)
        return decided(never, f"{notice.id} was not told after all; it is to be issued again.", cites=SOURCES)
    assert notice.sent_on is not None and notice.method is not None
    if not notice.sent_on < command.told_on <= on:
        right = f"A day after {notice.sent_on.isoformat()} and not after {on.isoformat()}; or leave told_on out, where nobody was told."
        raise Refusal(f"told_on is {command.told_on.isoformat()}.", kind="malformed", cites=SOURCES, remains=right)
    before = all_deadlines(case, policy, calendar)
    told = deemed_notified(command.told_on, notice.method, calendar)
    facts: dict[str, object] = {"sent_on": command.told_on, "notified_on": told}
    if notice.received_on:
        facts |= {"received_on": max(notice.received_on, command.told_on)}
    case = more_time(marked(case, notice, "sent", **facts), before, policy=policy, calendar=calendar, today=today, on=on)
    return decided(
        case, f"{notice.id} was told on {command.told_on.isoformat()}; it counts as notified on {told.isoformat()}.", cites=SOURCES
    )


def _told_by_a_person(case: Case, saw: str | None) -> Notice:
    notice = case.notice(saw or "")
    told = [one.id for one in case.notices if one.status == "sent" and one.told_by]
    if notice is None or notice.id not in told:
        there = f"Told by a person: {', '.join(told)}." if told else "No letter was told by a person."
        remains = f"{there} What the post took is set right by notice_returned or record_receipt."
        raise Refusal("saw must name a letter that a person recorded as told.", kind="stale", cites=SOURCES, remains=remains)
    return notice
