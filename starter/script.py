"""A rehearsal file: a whole case written down, and what its author expects. Faults name file, line, column and what would be right."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from domain.case import Customer
from domain.contact_words import ContactKind, Verdict
from domain.days import LONDON, UTC
from domain.model import Data
from domain.people import Absence, Person
from domain.restrictions import Channel
from policies import load
from policies.load import Unreadable, build, parse, position, text_of


def _moment(value: object) -> object:
    """Returns a UTC instant: London time unless it ends in Z. A local time that does not exist, or happens twice, is refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        raise ValueError("a moment has a time too: YYYY-MM-DD HH:MM")
    if isinstance(value, str):
        text = value.strip()
        value = datetime.fromisoformat(text)
    if not isinstance(value, datetime):
        raise ValueError("a moment is YYYY-MM-DD HH:MM, in London time, or with Z in UTC")
    return value if value.tzinfo else _london(value)


def _london(value: datetime) -> datetime:
    early, late = (value.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(LONDON).replace(tzinfo=None) != value:
        raise ValueError("the clocks go forward: this local time does not exist; write it in UTC, ending in Z")
    if early != late:
        raise ValueError("the clocks go back: this local time happens twice; write it in UTC, ending in Z")
    return early


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Expectation(Data):
    """What the author expects after a step. cites, flags, tasks and parts must be among those there; the rest must be equal."""

    outcome: Literal["accepted", "refused", "malformed", "unknown", "stale", "repeated"] | None = None
    cites: tuple[str, ...] = ()
    reason: str | None = None
    """Words that the answer contains."""
    stage: str | None = None
    flags: tuple[str, ...] = ()
    flags_absent: tuple[str, ...] = ()
    dates: dict[str, date | None] = {}
    notices: tuple[str, ...] | None = None
    parts: dict[str, tuple[str, ...]] = {}
    parts_absent: dict[str, tuple[str, ...]] = {}
    prints: tuple[str, ...] = ()
    """Words that the letters sent in this step contain."""
    guidance: tuple[str, ...] = ()
    """Clauses of what the policy says to its staff for what waits now."""
    register_: dict[str, str] = Field(default={}, alias="register")
    """Columns of the policy's register, each with words it must hold."""
    tasks: tuple[str, ...] = ()
    tasks_absent: tuple[str, ...] = ()
    fired: tuple[str, ...] | None = None
    missed_reviews: int | None = None
    verdict: Verdict | None = None
    """What the desk may do with the contact; its clauses are among cites, its words among reason."""


class AtTheDesk(Data):
    """A contact at the desk: looked up in the records, and recorded on the case unless `record` says no."""

    customer: str | None = None
    """A name, an address, a number or a case; the rehearsal's customer by name if left out."""
    channel: Channel
    topic: str
    kind: ContactKind = "ordinary"
    minutes: int | None = None
    record: bool = True


class Step(Data):
    """One act, a contact at the desk, or one moment at which to look."""

    at: Moment
    by: str | None = None
    do: str | None = None
    via: Literal["update", "signal"] = "update"
    id: str | None = None
    on: date | None = None
    saw: str | None = None
    with_: dict[str, object] = Field(default={}, alias="with")
    raw: object = None
    """A message sent exactly as it stands, envelope and all, to see a bad one refused."""
    contact: AtTheDesk | None = None
    expect: Expectation = Expectation()


class Member(Data):
    """One person of a rehearsal's staff list, under a key of its own."""

    name: str
    natural: str | None = None
    offices: tuple[str, ...] = ()
    grade: int | None = None
    line_manager: str | None = None
    deputises: tuple[str, ...] = ()
    area: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    deputises_for: tuple[str, ...] = ()
    absences: tuple[Absence, ...] = ()


class Opening(Data):
    """How the case is opened, where that matters."""

    by: str | None = None
    area: str | None = None
    contact_officer: str | None = None
    concerns_corporate_complaint: bool = False
    area_has_own_policy: bool = False


class Script(Data):
    """A rehearsal."""

    title: str
    policy: str
    cites: tuple[str, ...] = ()
    people: dict[str, Member]
    customer: Customer
    opening: Opening = Opening()
    retention_years: int | None = None
    """The body's own schedule, where its policy is silent."""
    meetings: tuple[date, ...] = ()
    """The body's own list of meetings, where its policy holds reviews at them."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @property
    def staff(self) -> tuple[Person, ...]:
        return tuple(Person(id=key, **dict(member)) for key, member in self.people.items())


class Read:
    """A script with the file it came from, so that a difference can be shown at its line."""

    def __init__(self, script: Script, data: object, path: Path) -> None:
        self.script, self.data, self.path = script, data, path

    def line(self, step: int, field: str | None = None) -> int:
        path: list[str | int] = ["steps", step, *(["expect", field] if field else [])]
        return position(self.data, path)[0]


def read_script(path: Path) -> Read:
    """Returns a rehearsal; a policy's path counts from the file's own folder. Raises Unreadable with a line for every fault."""
    data = parse(text_of(path), str(path))
    script = build(Script, data, str(path))
    script = script.model_copy(update={"policy": load.named_in(path, script.policy)})
    _know_policy(script, data, path)
    for number, (one, following) in enumerate(zip(script.steps, script.steps[1:], strict=False), start=1):
        if following.at < one.at:
            line, column = position(data, ["steps", number, "at"])
            before = f"{one.at.astimezone(LONDON):%Y-%m-%d %H:%M}"
            raise Unreadable(f"{path}:{line}:{column}: steps.{number}.at: time only goes forward; the step before is at {before}")
    return Read(script, data, path)


def _know_policy(script: Script, data: object, path: Path) -> None:
    try:
        load.policy(script.policy)
    except Unreadable as error:
        line, column = position(data, ["policy"])
        raise Unreadable(f"{path}:{line}:{column}: policy: {error}") from None
