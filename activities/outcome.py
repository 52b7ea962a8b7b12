"""What crosses between the record and the case workflow: references, dates and codes. No rule, no personal text."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from domain.model import State

Result = Literal["accepted", "refused", "malformed", "unknown", "stale", "repeated", "set-aside", "pending", "unsigned"]
Source = Literal["outside", "calendar", "post"]
Door = Literal["start", "update", "signal"]

ROUNDS, RECONCILIATION = "post-round", "reconciliation"
OF_NO_CASE = (ROUNDS, RECONCILIATION)
"""How the ids of workflows that belong to no case begin; no case's may."""

RESUME = "resume"
"""What a workflow says when it is started again for a case that the records hold."""


class Act(State):
    """One message to be acted on. `message` is the envelope as it came; `source` is set by the workflow, never by a sender."""

    v: int = 1
    case: str
    message: dict[str, object]
    source: Source = "outside"
    door: Door | None = None
    """How it came in from outside; None where an earlier release took it in."""
    now: datetime
    seq: int = 0
    """The seq of the last outcome the workflow saw: records that lie behind it were restored from an older copy."""
    unsealed: bool = False
    """Whether the message came as plain JSON, readable in the engine: then it names texts by their references."""


class Letter(State):
    """One letter to be sent."""

    v: int = 1
    case: str
    notice: str
    now: datetime
    seq: int = 0


class Waiting(State):
    """One task as the Temporal UI shows it."""

    what: str
    whom: tuple[str, ...] = ()
    due: str | None = None
    command: str | None = None
    saw: str | None = None


class Outcome(State):
    """What became of a message, and what the case needs next. Instants are the engine's."""

    v: int = 1
    command: str
    result: Result
    answer: str
    cites: tuple[str, ...] = ()
    remains: str | None = None
    seq: int = 0
    stage: str = ""
    body: str = ""
    wake_at: datetime | None = None
    due: str | None = None
    """The next deadline in words, with its clause."""
    due_key: str | None = None
    to_send: tuple[str, ...] = ()
    waits: tuple[Waiting, ...] = ()
    overdue: bool = False
    closed: bool = False

    @property
    def accepted(self) -> bool:
        return self.result == "accepted"
