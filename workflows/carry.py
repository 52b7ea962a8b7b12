"""What a case takes from one run to the next: small, and kind to fields it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from activities.outcome import Outcome, Source


class Queued(BaseModel):
    """A message waiting for its turn."""

    model_config = ConfigDict(extra="allow")

    message: dict[str, object]
    source: Source = "outside"
    ticket: int = 0
    """Under which an update in this run waits for its answer."""

    @property
    def id(self) -> str:
        return str(self.message["id"])

    @property
    def name(self) -> str:
        return str(self.message["do"])[:60]


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
    def begin(cls, given: object, case: str) -> Carry:
        """Returns the state to start from: what an earlier run handed over, or a queue with the opening message."""
        if isinstance(given, dict) and "carry" in given and "do" not in given:
            return cls.model_validate(given)
        message: dict[str, object] = {"id": f"open:{case}", "do": "open_case"}
        message.update(given if isinstance(given, dict) else {"with": {"unreadable": repr(given)[:200]}})
        return cls(queue=[Queued(message=message)])

    @property
    def finished(self) -> bool:
        """Returns whether nothing more can come: closed, or never opened."""
        return self.last is not None and (self.last.closed or not self.last.stage)
