"""A rehearsal file: a whole case written down, and what its author expects. Faults name file, line, column and what would be right."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from domain.case import Customer
from domain.contact_words import ContactKind, Verdict
from domain.days import LONDON, UTC, Holiday, Nation
from domain.held import Held
from domain.model import Code, Data, Reference, Sentence, WebAddress
from domain.people import Absence, Person
from domain.restrictions import Channel
from policies import load
from policies.impossible import misread
from policies.load import Unreadable, build, parse, position, text_of
from starter.script_names import wrong_names


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
    prints_absent: tuple[str, ...] = ()
    guidance: tuple[str, ...] = ()
    """Clauses of what the policy says to its staff for what waits now."""
    guidance_absent: tuple[str, ...] = ()
    guidance_says: tuple[str, ...] = ()
    """Words that the guidance shown contains."""
    register_: dict[str, str] = Field(default={}, alias="register")
    """Columns of the policy's register, each with words it must hold; no words: it is empty."""
    registered: bool | None = None
    """Whether the case stands in the register."""
    tasks: tuple[str, ...] = ()
    tasks_absent: tuple[str, ...] = ()
    whose: dict[str, str] = {}
    """Kinds of task, each with an office or a person that it is for."""
    fired: tuple[str, ...] | None = None
    missed_reviews: int | None = None
    papers: dict[str, str] = {}
    """Fields of the retention record (kept_by, state, archived_on, until), each with what it holds; no words: nothing."""
    agreements: dict[str, dict[str, str]] = {}
    """Written agreements by restriction (s1.1), each with fields (offered_on, answer, answered_on) and what they hold."""
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


class NewTable(Data):
    """A new table of bank holidays comes: what it adds to the one in force and takes from it; and the body's closed days and meetings."""

    add: tuple[Holiday, ...] = ()
    remove: tuple[date, ...] = ()
    known_until: date | None = None
    closures: tuple[Holiday, ...] | None = None
    meetings: tuple[date, ...] | None = None
    nation: Nation = "england-and-wales"
    taken_over: bool = True
    """Whether the case takes it over at once; otherwise it only lies in the records."""


class Step(Data):
    """One act, a contact at the desk, or one moment at which to look."""

    at: Moment
    by: str | None = None
    do: str | None = None
    via: Literal["update", "signal"] = "update"
    id: str | None = None
    on: date | None = None
    saw: str | None = None
    policy: str | None = None
    """The policy file of the edition that move_edition moves the case to; a path counts from this file's own folder."""
    with_: dict[str, object] = Field(default={}, alias="with")
    raw: object = None
    """A message sent exactly as it stands, envelope and all, to see a bad one refused."""
    contact: AtTheDesk | None = None
    calendar: NewTable | None = None
    """A new table of bank holidays, loaded and taken over by the case; a step of its own, with no act beside it."""
    expect: Expectation = Expectation()

    @model_validator(mode="after")
    def _either(self) -> Step:
        if self.calendar is not None and (self.do is not None or self.raw is not None):
            raise ValueError("a step has calendar, or do, or raw; a new table is a step of its own")
        return self


class Member(Data):
    """One person of a rehearsal's staff list, under a key of its own."""

    name: str
    natural: str | None = None
    offices: tuple[str | Held, ...] = ()
    grade: int | None = None
    line_manager: str | None = None
    deputises: tuple[str | Held, ...] = ()
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
    earlier_decisions: tuple[Reference, ...] = ()


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
    ombudsman: Sentence | None = None
    """The body's own sentence, where its policy names no ombudsman."""
    closures: tuple[Holiday, ...] = ()
    """Days on which the body's offices are closed besides bank holidays."""
    meetings: tuple[date, ...] = ()
    """The body's own list of meetings, where its policy holds reviews at them."""
    links: dict[Code, WebAddress] = {}
    """Where the body's own texts are that its policy speaks of."""
    house_letters: tuple[Literal["review-coming"], ...] = ()
    """Letters that the body sends although no policy asks for them."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @property
    def staff(self) -> tuple[Person, ...]:
        return tuple(Person.model_validate({"id": key, **member.model_dump(by_alias=True)}) for key, member in self.people.items())


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
    _know_policy(script.policy, ["policy"], data, path)
    script = _with_editions(script, data, path)
    _know_names(script, data, path)
    for number, (one, following) in enumerate(zip(script.steps, script.steps[1:], strict=False), start=1):
        if following.at < one.at:
            line, column = position(data, ["steps", number, "at"])
            before = f"{one.at.astimezone(LONDON):%Y-%m-%d %H:%M}"
            raise Unreadable(f"{path}:{line}:{column}: steps.{number}.at: time only goes forward; the step before is at {before}")
    return Read(script, data, path)


def _know_names(script: Script, data: object, path: Path) -> None:
    faults = [(position(data, place), place, what) for place, what in (*misread(script, data), *wrong_names(script))]
    if faults:
        raise Unreadable("\n".join(f"{path}:{line}:{column}: {'.'.join(map(str, at))}: {what}" for (line, column), at, what in faults))


def _know_policy(policy: str, place: list[str | int], data: object, path: Path) -> None:
    try:
        load.policy(policy)
    except Unreadable as error:
        line, column = position(data, place)
        raise Unreadable(f"{path}:{line}:{column}: {'.'.join(map(str, place))}: {error}") from None


def _with_editions(script: Script, data: object, path: Path) -> Script:
    """Returns the script with the policy files of its moves found. Raises Unreadable where there is none, or no move to use it."""
    steps: list[Step] = []
    for number, step in enumerate(script.steps):
        place: list[str | int] = ["steps", number, "policy"]
        if step.policy is not None and step.do != "move_edition":
            line, column = position(data, place)
            what = "a step names a policy only where it moves the case there: do: move_edition"
            raise Unreadable(f"{path}:{line}:{column}: {'.'.join(map(str, place))}: {what}")
        if step.policy is not None:
            named = load.named_in(path, step.policy)
            _know_policy(named, place, data, path)
            step = step.model_copy(update={"policy": named})
        steps.append(step)
    return script.model_copy(update={"steps": tuple(steps)})
