"""One thing that waits for somebody."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator

from domain.model import State

TASKS = frozenset({
    "address", "agreement", "appeal", "calendar", "complete-record", "contact", "decide", "destroy", "discuss", "escalated", "fault",
    "hold", "incident-questions", "inform", "issue", "letter", "measure", "measure-review", "monitoring", "moved-date", "new-issue",
    "no-review-date", "recommend", "record-reply", "record-review", "refer", "reply", "retention", "review", "sign-off",
    "tell-of-mistake", "tell-of-report", "untold", "warn",
})  # fmt: skip
"""Every kind there is."""


class Task(State):
    """One thing a person has to do. `offices` and `people` say whose it is; no date means at once."""

    kind: str
    what: str
    ref: str
    offices: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    due: date | None = None
    cites: Annotated[tuple[str, ...], AfterValidator(lambda cites: tuple(dict.fromkeys(cites)))] = ()
    command: str | None = None
    provisional: bool = False
    """The day is known so far: it lies past the known bank holidays."""

    of: str | None = None
    """Which of several alike about the same thing: the team that is to be made aware, and of what."""

    def overdue(self, today: date) -> bool:
        return self.due is not None and self.due < today
