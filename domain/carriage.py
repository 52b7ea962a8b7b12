"""What a carrier says of a letter: it has it, it posted it, it arrived, or nobody knows. Posted and delivered are two facts (DEF-06)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Notice
from domain.clocks import all_deadlines
from domain.commands import NoticeDelayed, NoticeDelivered, NoticeHandedOver, NoticeSent, NoticeUncertain
from domain.days import Calendar, deemed_notified
from domain.decision import Decision, Refusal, decided
from domain.delivery import NO_MORE
from domain.guards import the_day
from domain.notices import marked
from domain.people import Actor
from domain.policy import Policy
from domain.receipt import more_time
from domain.third_party import with_client_told


def notice_handed_over(case: Case, command: NoticeHandedOver, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a carrier has the letter. It is not posted yet, so the customer is not notified and no clock starts."""
    on, notice = the_day(command.on, today=today), _on_its_way(case, command.saw)
    facts: dict[str, object] = {"method": command.method, "carrier": command.carrier, "handed_on": on, "expected_on": command.expected}
    said = f"{notice.id} ({notice.kind}) is with {command.carrier}, which is to post it on {command.expected.isoformat()}."
    return decided(marked(case, notice, "handed-over", **facts, problem=None), said, cites=["DEF-06"])


def notice_sent(case: Case, command: NoticeSent, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a letter went out, and the day it counts as notified: never earlier than the day its own dates were counted from."""
    on, notice = the_day(command.on, today=today), _on_its_way(case, command.saw)
    printed = notice.expected_on or on
    gone = _gone(case, notice, command.method, on, counted_from=max(on, printed), calendar=calendar)
    if on > printed:
        as_printed = _gone(case, notice, command.method, printed, counted_from=printed, calendar=calendar)
        before = all_deadlines(as_printed, policy, calendar)
        gone = more_time(gone, before, policy=policy, calendar=calendar, today=today, on=on)
    gone = with_client_told(gone, notice.id)
    told = deemed_notified(max(on, printed), command.method, calendar).isoformat()
    said = f"{notice.id} ({notice.kind}) sent by {command.method.replace('-', ' ')}; it counts as notified on {told}."
    return decided(gone, said, cites=["DEF-06", *(["EH-160"] if command.method == "economy-post" else [])])


def _gone(case: Case, notice: Notice, method: str, on: date, *, counted_from: date, calendar: Calendar) -> Case:
    told = deemed_notified(counted_from, method, calendar)
    return marked(case, notice, "sent", method=method, sent_on=on, notified_on=told, problem=None)


def notice_uncertain(case: Case, command: NoticeUncertain, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that nobody knows whether a letter went: a person finds out, for a second letter would be one too many."""
    notice = _on_its_way(case, command.saw)
    return decided(
        marked(case, notice, "uncertain", problem=command.problem),
        f"Whether {notice.id} went is not known; a person finds out.",
        cites=["DEF-14"],
    )


def notice_delayed(case: Case, command: NoticeDelayed, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a letter did not go at the first attempt. It goes on being tried; its five working days are counted now (EH-34)."""
    on, notice = the_day(command.on, today=today), _on_its_way(case, command.saw)
    if notice.status != "to-send" or notice.delayed_on is not None:
        raise Refusal(f"{notice.id} is {notice.status}; that it is late is known.", kind="stale")
    delayed = marked(case, notice, "to-send", delayed_on=on, problem=command.problem)
    return decided(delayed, f"{notice.id} did not go yet; it is tried again.", cites=["EH-34"])


def notice_delivered(case: Case, command: NoticeDelivered, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record the carrier's word that a letter arrived. It moves no date: it is no proof that the customer had it in hand."""
    on = the_day(command.on, today=today)
    notice = case.notice(command.saw or "")
    if notice is None or notice.status != "sent":
        raise Refusal("saw must name a letter that was sent.", kind="stale")
    return decided(marked(case, notice, "sent", delivered_on=on), f"{notice.id} was delivered on {on.isoformat()}.", cites=["DEF-06"])


def _on_its_way(case: Case, saw: str | None) -> Notice:
    notice = case.notice(saw or "")
    if notice is None:
        waiting = ", ".join(one.id for one in case.notices if one.status not in NO_MORE)
        raise Refusal("saw must name the letter.", kind="stale", remains=f"Waiting: {waiting}." if waiting else "No letter waits.")
    if notice.status in NO_MORE:
        raise Refusal(f"{notice.id} is already {notice.status}.", kind="stale")
    return notice
