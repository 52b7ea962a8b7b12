"""What a case takes from one run to the next: small, and kind to fields it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from activities.outcome import RESUME, Door, Outcome, Source
from domain.commands import COMMANDS


class Queued(BaseModel):
    """A message waiting for its turn."""

    model_config = ConfigDict(extra="allow")

    message: dict[str, object]
    source: Source = "outside"
    door: Door | None = None
    """How it came in from outside."""
    ticket: int = 0
    """Under which an update in this run waits for its answer."""
    unsealed: bool = False
    """Whether it came as plain JSON."""

    @property
    def id(self) -> str:
        return str(self.message["id"])

    @property
    def name(self) -> str:
        """Returns the command's name, where it is one: anything else is a sender's own words."""
        name = str(self.message["do"])
        return name if name in COMMANDS or name == RESUME else "message"


class Carry(BaseModel):
    """The state that crosses continue-as-new. Anything a newer release put here is kept."""

    model_config = ConfigDict(extra="allow")

    carry: int = 1
    """The version of this shape; also what tells it from a first message."""
    queue: list[Queued] = []
    last: Outcome | None = None
    rung: str | None = None
    rings: int = 0
    tickets: int = 0

    @classmethod
    def begin(cls, given: object, case: str, *, continued: bool, unsealed: bool = False) -> Carry:
        """Returns the state to start from: an earlier run's, or a queue with the message that opens or resumes the case.

        Only the engine's own continuation is trusted as state: from anybody else it is a request to resume from the records."""
        if continued:
            return cls.model_validate(given)
        if isinstance(given, dict) and "carry" in given and "do" not in given:
            return cls(queue=[Queued(message={"id": f"resume:{case}", "do": RESUME}, source="calendar")])
        message: dict[str, object] = {"id": f"open:{case}", "do": "open_case"}
        message.update(given if isinstance(given, dict) else {"with": {"unreadable": repr(given)[:200]}})
        return cls(queue=[Queued(message=_named(message, case), door="start", unsealed=unsealed)])

    @property
    def finished(self) -> bool:
        """Returns whether nothing more can come: closed, or never opened."""
        return self.last is not None and (self.last.closed or not self.last.stage)


def _named(message: dict[str, object], case: str) -> dict[str, object]:
    """Returns the message with an id and a name that are text, whatever was given."""
    id, do = message["id"], message["do"]
    return {**message, "id": id if isinstance(id, str) and id else f"open:{case}", "do": do if isinstance(do, str) else "open_case"}
