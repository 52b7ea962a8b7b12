"""How a policy lets a customer challenge what was decided: inside the body, stage by stage, or only outside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import model_validator

from domain.model import Code, Data
from domain.rules import Cited, Committee, Finding, Period, Rule, Who

LATE_BY_DEFAULT = {"value": "refused-unless-good-reason", "default": "DEF-10"}
"""What becomes of a late appeal where a text does not say it."""


class Ground(Rule):
    """One of a closed list of grounds."""

    ground: Code
    label: str


class Elsewhere(Rule):
    """Another body that hears what this one does not: named in letters, and to whoever sends the appeal here."""

    to: str
    """Its name, as a letter says it."""
    how: str
    """How to reach it: a sentence."""
    window: Period | None = None


class AppealRule(Data):
    """The customer's challenge to a decision or a warning, at one stage: window, lateness, grounds, decider, answer."""

    label: str
    to: Cited[str]
    window: Period | None = None
    in_writing: Cited[bool] | None = None
    grounds: Cited[Literal["optional", "prompt"]]
    if_late: Cited[Literal["office-may-decline", "refused-unless-good-reason"]] | None = None
    """What becomes of one after the window; left out beside a window, DEF-10 stands here as a default."""
    late_decided_by: Who | None = None
    gathered_by: Who | None = None
    gather_target: Period | None = None
    decided_by: Who
    committee: Committee | None = None
    """Decided at a meeting: `decided_by` are its members."""
    requires: tuple[Finding, ...] = ()
    never_by: Who | None = None
    independent: Cited[bool]
    outcomes: Cited[tuple[Literal["uphold", "vary", "withdraw", "confirm", "amend", "remove"], ...]]
    answer: Period | None = None
    answer_target: Period | None = None
    remind_before: Period | None = None
    number: Cited[Literal["one-per-decision", "one-per-stage"]]
    while_running: Cited[bool] | None = None
    """Without a window: taken while the restrictions run."""
    late_becomes_review: Cited[bool] | None = None
    only_on: tuple[Ground, ...] = ()
    """The only grounds there are. One outside them is received all the same; a person answers that it is not admissible."""
    then: AppealRule | None = None
    """The next stage: against the answer of this one, in its own window, by somebody who decided none of those before."""

    @model_validator(mode="before")
    @classmethod
    def _late_by_default(cls, data: object) -> object:
        """Where a text sets a window and is silent on lateness DEF-10 stands, marked as what it is (GAP-06)."""
        if isinstance(data, Mapping) and data.get("window") is not None and data.get("if_late") is None:
            return {**data, "if_late": LATE_BY_DEFAULT}
        return data

    @property
    def stages(self) -> tuple[AppealRule, ...]:
        """Returns the rule of each stage, the first one first."""
        return (self, *(self.then.stages if self.then else ()))

    def stage(self, number: int) -> AppealRule:
        """Returns the rule of a stage, the first being 1; of the last where there are fewer."""
        return self.then.stage(number - 1) if self.then and number > 1 else self
