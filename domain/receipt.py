"""Proof that a letter reached its customer, and the four dates of a letter with the evidence for each (DEF-06).

The day a letter counts as notified follows from how it went. A proof confirms it, or gives the customer more time; never less."""

from __future__ import annotations

from datetime import date

from domain.calendar_change import moved_date, tell
from domain.case import Case, Notice, Review, Sanction, next_id
from domain.clocks import all_deadlines
from domain.commands import RecordReceipt
from domain.counting import DateChange, MovedDate
from domain.days import Calendar, Day, in_words
from domain.deadlines import Deadline
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.model import State
from domain.notices import marked
from domain.people import Actor
from domain.policy import Policy
from domain.told import told_in


def record_receipt(case: Case, command: RecordReceipt, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record when a letter is proven to have come. One that came later than it counts gives the customer the time it took."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    notice = _gone(case, command.saw, on)
    assert notice.notified_on is not None
    before = all_deadlines(case, policy, calendar)
    proven = marked(case, notice, "sent", received_on=on, received_evidence=command.evidence)
    case = more_time(proven, before, policy=policy, calendar=calendar, today=today, on=on)
    late = on > notice.notified_on
    said = f"; it counts as notified on {notice.notified_on.isoformat()}, and the time to appeal runs from the receipt" if late else ""
    proof = f"; proven, so the notification of {notice.notified_on.isoformat()} stands" if not late else said
    return decided(case, f"{notice.id} reached the customer on {on.isoformat()}{proof}.", cites=["DEF-06"])


def _gone(case: Case, saw: str | None, on: date) -> Notice:
    notice = case.notice(saw or "")
    if notice is None or notice.status != "sent" or notice.sent_on is None:
        sent = ", ".join(one.id for one in case.notices if one.status == "sent")
        raise Refusal("saw must name a letter that was sent.", kind="stale", remains=f"Sent: {sent}." if sent else "No letter was sent.")
    if on < notice.sent_on:
        raise Refusal(f"{notice.id} was sent on {notice.sent_on.isoformat()}, after {on.isoformat()}.", cites=["DEF-06"])
    if notice.received_on is not None and on < notice.received_on:
        raise Refusal(
            f"{notice.id} is recorded as received on {notice.received_on.isoformat()}; an earlier day would take back the customer's time.",
            cites=["DEF-06"],
            remains="What is recorded stands.",
        )
    return notice


def more_time(case: Case, before: tuple[Deadline, ...], *, policy: Policy, calendar: Calendar, today: date, on: date) -> Case:
    """Returns the case with a letter owed about each told date that the proof moved; only a window still open is worth telling of."""
    after = {(one.kind, one.ref): one for one in all_deadlines(case, policy, calendar)}
    number = sum(len(one.moved) for one in case.changes)
    moved: list[MovedDate] = []
    for was in before:
        now = after.get((was.kind, was.ref))
        told = told_in(case, policy, was.kind, was.ref) is not None
        if now and told and now.reckoned.date > was.reckoned.date and now.fires > today:
            one = moved_date(was.kind, was.ref, was.reckoned.date, now.reckoned, stands="moved", told=True)
            moved.append(one.model_copy(update={"id": f"m{number + len(moved) + 1}"}))
    if not moved:
        return case
    change = DateChange(id=next_id("k", case.changes), on=today, why="receipt", moved=tuple(moved))
    case = case.model_copy(update={"changes": (*case.changes, change)})
    for one in moved:
        case = tell(case, one, policy=policy, on=on)
    return case


class Evidenced(State):
    """One of the four dates of a letter, with what it rests on."""

    on: Day | None
    evidence: str


class FourDates(State):
    """Decided, sent, deemed notified, received: four different dates of one letter. What its carrier reports stands beside them."""

    notice: str
    kind: str
    status: str
    decided: Evidenced
    sent: Evidenced
    notified: Evidenced
    received: Evidenced
    delivered: Evidenced
    returned: Evidenced


POSTED = {
    "first-class-post": "the second working day after posting",
    "second-class-post": "the fourth working day after posting",
    "economy-post": "the eighth working day after posting",
}


def four_dates(case: Case, notice: Notice, *, file: str | None) -> FourDates:
    """Returns the four dates of a letter. `file` names what was sent, with its hash, where a file was."""
    return FourDates(
        notice=notice.id,
        kind=notice.kind,
        status=notice.status,
        decided=Evidenced(on=notice.created_on, evidence=_decided(case, notice)),
        sent=Evidenced(on=notice.sent_on, evidence=_sent(notice, file)),
        notified=Evidenced(on=notice.notified_on, evidence=_notified(notice)),
        received=Evidenced(on=notice.received_on, evidence=notice.received_evidence or "not proven"),
        delivered=Evidenced(on=notice.delivered_on, evidence=_delivered(notice)),
        returned=Evidenced(on=notice.returned_on, evidence=_returned(notice)),
    )


def _decided(case: Case, notice: Notice) -> str:
    decisions: tuple[Sanction | Review, ...] = (*case.sanctions, *case.reviews)
    found = next((one for one in decisions if one.notice == notice.id), None)
    signed = found.signatures if found else ()
    who = ", ".join(f"{one.person} ({one.office})" if one.office else one.person for one in signed)
    return f"{notice.about}, signed by {who}" if who else f"about {notice.about}; the case's log"


def _sent(notice: Notice, file: str | None) -> str:
    if notice.sent_on is None and notice.status == "handed-over" and notice.handed_on and notice.expected_on:
        return f"with {notice.carrier} since {in_words(notice.handed_on)}, which is to post it on {in_words(notice.expected_on)}"
    if notice.sent_on is None:
        return notice.problem or f"not sent: {notice.status}"
    if notice.told_by:
        office = f" ({notice.told_by.office})" if notice.told_by.office else ""
        return f"{(notice.method or 'told').replace('-', ' ')}, by {notice.told_by.person}{office}"
    posted = f"posted, says {notice.carrier}; " if notice.carrier else ""
    return posted + (file or "the post's note in the case's log")


def _delivered(notice: Notice) -> str:
    return f"reported by {notice.carrier or 'its carrier'}; no proof that it was read" if notice.delivered_on else "not reported"


def _returned(notice: Notice) -> str:
    if notice.returned_on is None:
        return "did not come back"
    if notice.status == "returned":
        return notice.problem or "it came back"
    return f"the copy in the post: {notice.problem}" if notice.told_by and notice.problem else "an issue before this one came back"


def _notified(notice: Notice) -> str:
    if notice.notified_on is None or notice.method is None:
        return "not notified"
    rule = POSTED.get(notice.method, "the day it was sent or given")
    source = "EH-160" if notice.method == "economy-post" else "DEF-06"
    if notice.received_on is None:
        return f"deemed: {rule} [{source}]"
    if notice.received_on <= notice.notified_on:
        return f"{rule} [{source}]; proven by the receipt"
    return f"deemed: {rule} [{source}]; it came later, and the time to appeal runs from {in_words(notice.received_on)}"
