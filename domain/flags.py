"""The flags of a case: what must never stay unseen."""

from __future__ import annotations

from datetime import date

from domain.case import Case
from domain.clocks import all_deadlines
from domain.days import Calendar
from domain.deadlines import Deadline
from domain.measures import measures_owed
from domain.notices import notified_on
from domain.policy import Policy
from domain.review_clocks import without_review_date
from domain.tasks import tasks

FLAGS = frozenset({
    "not_yet_notified", "appeal_window_closed", "late_appeal_undecided", "appeal_pending", "answer_overdue", "review_overdue",
    "review_missed", "letter_blocked", "letter_withheld", "measure_owed", "on_hold", "edition_ended", "message_set_aside",
    "destruction_due", "retention_not_set", "not_everybody_informed", "opened_by_mistake", "imported", "no_review_date",
})  # fmt: skip
"""Every flag there is."""


def flags(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> tuple[str, ...]:
    """Returns what must be seen at once, in alphabetical order."""
    waiting = {task.kind for task in tasks(case, policy, calendar, today=today)}
    deadlines = all_deadlines(case, policy, calendar)
    found = {
        "not_yet_notified": any((notified_on(case, one.notice) or date.max) > today for one in case.in_force),
        "appeal_window_closed": _latest_window_closed(deadlines, today),
        "late_appeal_undecided": any(one.awaiting_lateness for one in case.challenges),
        "appeal_pending": any(one.pending for one in case.challenges),
        "answer_overdue": _overdue(deadlines, today, "answer-due"),
        "review_overdue": _overdue(deadlines, today, "review-overdue"),
        "review_missed": any(key.startswith("review-overdue:") for key in case.passed),
        "letter_blocked": any(one.status in ("blocked", "returned", "uncertain") for one in case.notices),
        "letter_withheld": any(one.status == "withheld" for one in case.notices),
        "measure_owed": bool(measures_owed(case, policy)),
        "on_hold": case.held,
        "edition_ended": policy.edition.valid_to.value is not None and policy.edition.valid_to.value < today,
        "message_set_aside": bool(case.set_aside),
        "destruction_due": "destroy" in waiting,
        "retention_not_set": "retention" in waiting,
        "not_everybody_informed": "inform" in waiting,
        "opened_by_mistake": case.ending == "mistake",
        "imported": case.imported is not None,
        "no_review_date": any(without_review_date(case, policy, calendar)),
    }
    return tuple(sorted(name for name, raised in found.items() if raised))


def _overdue(deadlines: tuple[Deadline, ...], today: date, kind: str) -> bool:
    return any(one.fires <= today for one in deadlines if one.kind == kind)


def _latest_window_closed(deadlines: tuple[Deadline, ...], today: date) -> bool:
    closes = [one.fires for one in deadlines if one.kind == "appeal-closes"]
    return bool(closes) and max(closes) <= today


def missed_reviews(case: Case, sanction: str | None = None) -> int:
    """Returns how many scheduled reviews were not held in time, of one sanction or of all; a late one does not erase them."""
    return sum(key.startswith(f"review-overdue:{sanction}:" if sanction else "review-overdue:") for key in case.passed)
