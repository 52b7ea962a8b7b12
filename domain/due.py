"""What a deadline does when it comes: lapse, or stay and be overdue; never silent (DEF-12)."""

from __future__ import annotations

from datetime import date

from domain.case import Case, with_item
from domain.clocks import all_deadlines, open_deadlines
from domain.coming_review import tell_of_review
from domain.commands import DeadlinePassed
from domain.dateless import KIND, reported
from domain.days import Calendar, in_words
from domain.deadlines import Deadline
from domain.decision import Decision, Refusal, decided
from domain.notices import owe
from domain.people import Actor
from domain.policy import Policy

WORDS = {
    "warning-ends": "The warning no longer supports a decision after {day}.",
    "monitoring-review": "The arrangement has been monitored since it was agreed; look whether the behaviour stopped.",
    "silence-counts": "The customer has not answered; a manager may now record that.",
    "step-one-reminder": "Step one is still open.",
    "appeal-closes": "The time to appeal ended with {day}.",
    "answer-reminder": "An answer to the customer's challenge falls due soon.",
    "answer-due": "The answer to the customer's challenge was due on {day} and is overdue.",
    "answer-target": "The body's own target for answering passed on {day}.",
    "gather-target": "The body's own target for passing the papers on passed on {day}.",
    "end-approaches": "The restrictions end soon: review them, or let them end.",
    "restrictions-end": "The restrictions ended with {day}; nobody had decided to continue them.",
    "review-opens": "A review falls due soon; from now on one counts for its date.",
    "review-due": "The review of {day} is due.",
    "review-overdue": "The review of {day} was not held and is overdue; the restrictions stay.",
    "measure-review-opens": "A standing measure is to be looked at again soon.",
    "measure-review-due": "The look at a standing measure, due on {day}, was not held and is overdue; the measure stays.",
    "untold-recheck": "The customer has not been told of a review; look again whether that must stay so.",
    KIND: "There is still no date of the next review: see that it gets one.",
    "clear-time": "The time without an incident was met on {day}: re-engagement is now possible.",
    "record-review-due": "Look whether the record is still needed: due {day}.",
    "letter-overdue": "A letter was to be on its way by {day}, and its customer is not told.",
    "new-issue-target": "The body's own target for deciding on the new issue passed on {day}.",
    "tell-reminder": "The customer has not been told of the report; tell them, or record why not yet.",
    "retention-ends": "The papers need not be kept after {day}; their destruction is due.",
    "hold-review": "The hold on destruction is to be looked at again.",
}


def deadline_passed(case: Case, command: DeadlinePassed, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Let a deadline do what the policy says. One that has moved since it was set does nothing."""
    deadline = next((one for one in open_deadlines(case, policy, calendar) if one.key == command.key), None)
    if deadline is None or deadline.fires > today:
        raise Refusal(f"The deadline {command.key} no longer stands.", kind="stale")
    case = case.model_copy(update={"passed": _remembered(case, deadline, policy, calendar, today)})
    if deadline.kind == "restrictions-end":
        case = _lapse(case, deadline, policy)
    if deadline.kind == "review-opens":
        case = tell_of_review(case, deadline.ref, policy=policy, calendar=calendar, today=today)
    reckoned = deadline.reckoned
    said = WORDS[deadline.kind].format(day=in_words(reckoned.date)) + _how_late(deadline.fires, today)
    return decided(case, said, cites=(*reckoned.cites, *reckoned.defaults))


def _how_late(fires: date, today: date) -> str:
    """Returns what the log says of a deadline that nothing could heed on its day: the engine was away, or a backup was restored."""
    days = (today - fires).days
    return f" Noticed {days} day{'s' if days > 1 else ''} late, on {in_words(today)}." if days > 0 else ""


def _remembered(case: Case, deadline: Deadline, policy: Policy, calendar: Calendar, today: date) -> tuple[str, ...]:
    """Returns the keys to remember: those that still stand or count something; the rest could never fire again."""
    standing = {one.key for one in all_deadlines(case, policy, calendar)}
    counted = ("review-overdue:", "measure-review-due:", "answer-due:", "untold-recheck:", "tell-reminder:", f"{KIND}:")
    kept = tuple(key for key in case.passed if key in standing or key.startswith(counted))
    return reported(kept, deadline, today) if deadline.kind == KIND else (*kept, deadline.key)


def _lapse(case: Case, deadline: Deadline, policy: Policy) -> Case:
    sanction = case.sanction(deadline.ref)
    assert sanction is not None
    ended = sanction.model_copy(update={"ended_on": deadline.reckoned.date, "ended_how": "lapsed"})
    case = case.model_copy(update={"sanctions": with_item(case.sanctions, ended)})
    case, _ = owe(case, "lapse", about=sanction.id, on=deadline.fires, policy=policy)
    return case
