"""What every value of a policy file is made of: its source, periods, people, findings, consultations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Literal, TypeVar

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from domain.days import CalendarName, Unit
from domain.model import Code, Data
from domain.restrictions import Channel

T = TypeVar("T")

Modality = Literal["must", "should", "may"]


class Rule(Data):
    """Anything a policy says: the clauses it rests on, or the default that stands where the text is silent."""

    cites: tuple[str, ...] = ()
    default: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9]*-\d\d\d?$")
    """DEF-nn, A-nn, EH-nn, or the clause whose silence this fills; each stands in policies/defaults.yaml or the clause list."""
    unconfirmed: bool = False
    modality: Modality = "must"
    note: str | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Rule:
        if not self.cites and self.default is None:
            raise ValueError(
                "a value needs cites: [a clause], or default: DEF-05 (or A-nn, EH-nn, the silent clause) where the text gives none"
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Returns what an answer cites for this value: its clauses, then its default, marked where it has a clause's name."""
        if self.default is None:
            return self.cites
        shared = self.default.startswith(("DEF-", "A-", "EH-"))
        return (*self.cites, self.default if shared else f"{self.default} (default)")


class Cited(Rule, Generic[T]):
    value: T


StartEvent = Literal[
    "decision",
    "notification",
    "receipt",
    "notice",
    "written-confirmation",
    "warning",
    "agreement",
    "end-of-restrictions",
    "end-of-case",
    "closure",
    "due-date",
]


UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years", "working_days")


class Period(Data):
    """A length of civil time and the event it runs from; exactly one unit."""

    days: Cited[PositiveInt] | None = None
    weeks: Cited[PositiveInt] | None = None
    months: Cited[PositiveInt] | None = None
    years: Cited[PositiveInt] | None = None
    working_days: Cited[PositiveInt] | None = None
    start: Cited[StartEvent] | None = Field(default=None, alias="from")
    calendar: Cited[CalendarName] | None = None
    """Whose working days count. Without it: those of the policy's nation, less the body's closed days (DEF-04)."""

    @model_validator(mode="after")
    def _counts_working_days(self) -> Period:
        if self.calendar is not None and self.working_days is None:
            raise ValueError("calendar says whose working days count; it belongs to a period in working_days")
        return self

    @model_validator(mode="after")
    def _has_one_unit(self) -> Period:
        if len(tuple(self._units())) != 1:
            raise ValueError("a period needs exactly one of days, weeks, months, years, working_days")
        return self

    def _units(self) -> Iterator[tuple[Unit, Cited[PositiveInt]]]:
        return ((name, value) for name in UNITS if (value := getattr(self, name)) is not None)

    @property
    def unit(self) -> Unit:
        return next(self._units())[0]

    @property
    def count(self) -> int:
        return self.number.value

    @property
    def number(self) -> Cited[PositiveInt]:
        return next(self._units())[1]

    @property
    def table(self) -> CalendarName | None:
        return self.calendar.value if self.calendar else None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(source for rule in (self.number, self.start, self.calendar) if rule for source in rule.sources)

    @property
    def defaults(self) -> tuple[str, ...]:
        """Returns what fills the text's silence on the number or the start."""
        return tuple(one.default for one in (self.number, self.start) if one and one.default)

    @property
    def words(self) -> str:
        """Returns the period as people say it: 28 days, two weeks, 20 working days."""
        unit, count = self.unit.replace("_", " "), self.count
        return f"{count} {unit if count > 1 else unit[:-1]}"


Relation = Literal[
    "any-staff",
    "senior-manager-of-area",
    "line-manager-of-contact",
    "applied-the-sanction",
    "manager-in-area",
    "gave-the-warning",
    "sanctioning-team",
    "line-manager-of-actor",
]


class Who(Rule):
    """The people an act belongs to: holders of an office, or people who stand in a relation to the case."""

    offices: tuple[Code, ...] = ()
    relation: Relation | None = None
    at_or_above: Cited[NonNegativeInt] | None = None
    """Only people of this grade or a higher one; the larger number on the staff list is the more senior."""
    uninvolved: Cited[bool] | None = None
    """Nobody who reported an incident of the case, or at whom one was directed, under whichever account (DEF-20)."""
    deputies: Cited[bool] | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Who:
        if not self.offices and self.relation is None and self.at_or_above is None:
            raise ValueError("name offices: [..], a relation, or at_or_above: a grade")
        return self


class Committee(Data):
    """A decision taken at a meeting: its day is the meeting's, and those present are its deciders."""

    label: str
    quorum: Cited[PositiveInt] | None = None
    recorded_by: Who
    """Who enters what the meeting decided; not one of its deciders by that."""


AnswerKind = Literal["text", "yes", "yes-or-no", "date", "count", "papers", "choice", "choices"]
"""A text, a yes, an answer either way, a day, a number from 1, references to papers, one of the choices, one or more of them."""


class Finding(Rule):
    """Something an act must record before it stands: a text, a yes, an answer either way, a day, a number, papers, a choice."""

    finding: Code
    asks: str
    answer: AnswerKind = "text"
    choices: tuple[Code, ...] = ()
    """What a choice is made from: exactly one for `choice`, one or more for `choices`."""
    optional: bool = False
    """Offered and shown, but no guard."""
    if_answer: dict[Code, Code] = {}
    """Of an incident: asked only where another question was answered by this choice."""
    not_before: Code | None = None
    """Of an incident: names the question whose day this day may not precede."""
    once_a_case: bool = False
    """Of an incident: the answer given with any incident of the case serves for all."""
    marks: Literal["physical"] | None = None
    """Of an incident: a yes says that physical violence against a person was used or threatened."""
    in_person: bool = False
    """The decider records it, in the act itself; nobody else's finding will do."""
    undone_by_new_information: bool = False
    """New information from the customer puts it in question again."""
    if_heading: Code | None = None
    """Asked only where some behaviour on the case stands under this heading."""
    if_customer: Literal["agent", "site-owner"] | None = None
    """Asked only of such a customer."""
    if_medium: tuple[Channel, ...] = ()
    """Of an incident: asked only where it came by one of these."""

    @model_validator(mode="after")
    def _offers_its_choices(self) -> Finding:
        if bool(self.choices) != (self.answer in ("choice", "choices")):
            raise ValueError("choices: [...] belongs to answer: choice or answer: choices, and to no other")
        return self


class Consultation(Rule):
    """A person of one of these offices must have been consulted; a recorded guard, never an approval."""

    offices: tuple[Code, ...] = ()
    relation: Relation | None = None
    if_decider: Relation | None = None
    """Who is consulted instead where the decider is the person named."""


NoticeKind = Literal[
    "warning",
    "agreement",
    "decision",
    "disengagement",
    "reiteration",
    "marker",
    "new-issue",
    "external-report",
    "challenge-refused",
    "extreme-decision",
    "no-action",
    "appeal-acknowledged",
    "appeal-late-accepted",
    "appeal-late-declined",
    "appeal-outcome",
    "appeal-elsewhere",
    "review-outcome",
    "review-request-acknowledged",
    "review-request-refused",
    "how-to-write",
    "lapse",
    "removed",
    "date-moved",
    "edition-changed",
    "review-coming",
    "client-told",
    "formal-complaint",
]
