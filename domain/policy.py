"""The shape of a policy file: numbers, words, offices, periods and lists, every one with the clause it comes from.

A policy file holds no condition and no function: bodies that differ give a differently named value."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from domain.appeal_rules import AppealRule, Elsewhere
from domain.contact_words import ContactKind
from domain.model import Code, Data, WebAddress, models_in
from domain.restrictions import Channel, RestrictionType, Weekday
from domain.rules import Cited, Committee, Consultation, Finding, NoticeKind, Period, Rule, Who


class SignOff(Data):
    """Who decides, how many natural people it takes, and whom they must have consulted."""

    decided_by: Who
    people: Cited[PositiveInt] | None = None
    signers: Cited[Literal["each-named"]] | None = None
    """Everybody who counts is one of `decided_by`: any two of a list. A draft by anybody else does not count."""
    committee: Committee | None = None
    """Decided at a meeting: `decided_by` are its members."""
    different_grades: Cited[bool] | None = None
    never_by: Who | None = None
    among: Cited[bool] | None = None
    """The person named is one of those who sign, whichever of them signs second."""
    consult: tuple[Consultation, ...] = ()
    requires: tuple[Finding, ...] = ()
    notice: NoticeKind = "decision"


Step = Literal["warning", "step-one", "referral", "discussions", "earlier-sanction"]


class Waiver(Rule):
    """A route past the usual first steps, and what opens it."""

    when: Literal["immediate-threat", "extreme"]
    waives: tuple[Step, ...]
    only_options: tuple[RestrictionType, ...] = ()
    requires: tuple[Finding, ...] = ()


class AgreementRule(Data):
    """An option that only asks the customer to agree: which answers there are, and what a refusal leads to."""

    answers: Cited[tuple[Literal["accepted", "refused"], ...]]
    if_refused: Cited[Literal["another-sanction-may-be-proposed"]] | None = None


class Option(Rule):
    """A restriction the body may choose, with what this policy adds to its type."""

    type: RestrictionType
    label: str
    only_if: Literal["extreme", "immediate-threat"] | None = None
    only_for: Literal["agent"] | None = None
    after: tuple[Cited[Step], ...] = ()
    """Steps this option needs in place of those of every decision."""
    findings: tuple[Finding, ...] = ()
    not_written_only: Rule | None = None
    """Says that this option may not be used to leave nothing but writing."""
    requires: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    one_of: dict[str, tuple[str, ...]] = {}
    fixed: dict[str, object] = {}
    sign_off: Code = "ordinary"
    end_may_be_open: Cited[bool] | None = None
    told: Literal["always", "decide-whether"] = "always"
    recheck: Period | None = None
    """Where a restriction may run without an end: how often it is looked at all the same."""
    agreement: AgreementRule | None = None
    """Of a written agreement, which only asks: the answers that are kept."""


class Length(Data):
    """How long restrictions run and what happens at the end."""

    kind: Cited[Literal["chosen", "fixed", "open"]]
    period: Period | None = None
    at_most: Period | None = None
    by_heading: dict[Code, Period] = {}
    """By the heading of the behaviour on the case: the period where the length is fixed, the most where it is chosen."""
    by_restriction: dict[RestrictionType, Period] = {}
    """By the restriction imposed."""
    by_earlier: tuple[Period, ...] = ()
    """By how many sanctions stood before: for the first, the second, and so on; the last goes on."""
    earlier_of: Cited[tuple[RestrictionType, ...]] | None = None
    """The restrictions that `by_earlier` is a scale of; without it every one counts, and under every one."""
    if_several: Cited[Literal["longest", "shortest"]] | None = None
    """Which counts where several of these apply."""
    at_end: Cited[Literal["lapse"]] | None = None
    permanent: Cited[Literal["refused"]] | None = None

    @model_validator(mode="after")
    def _says_which_counts(self) -> Length:
        scales = (self.by_heading, self.by_restriction, self.by_earlier)
        if any(scales) and self.kind.value == "open":
            raise ValueError("an open length has no scale; kind is fixed or chosen where by_heading, by_restriction or by_earlier stands")
        if (self.by_heading or self.by_restriction or sum(map(bool, scales)) > 1) and self.if_several is None:
            raise ValueError("more than one period may apply to a decision: say if_several: longest or shortest")
        if self.earlier_of and not self.by_earlier:
            raise ValueError("earlier_of says what by_earlier is a scale of; add by_earlier, or take it out")
        return self


class Behaviour(Rule):
    """An example the text gives of unreasonable behaviour, with what an incident must say before the example is made out."""

    label: str
    heading: Code | None = None
    violent: bool = False
    asks: tuple[Finding, ...] = ()
    needs_more_than_one: Cited[bool] | None = None
    """One entry under this behaviour does not make the example out."""
    accompanied: Cited[bool] | None = None
    """It stands only beside an incident under another behaviour of the policy."""
    channels: Cited[tuple[Channel, ...]] | None = None
    """The channels the text names; another is recorded all the same, and the answer says so."""
    guidance: str | None = None
    """What the text gives as examples, shown to whoever fills the form and never counted."""
    answers: dict[Code, Cited[bool]] = {}
    """Questions of an incident that the text itself answers for this behaviour; nobody answers them otherwise."""


class OtherBehaviour(Rule):
    """Behaviour that is none of the examples: recorded as other, in words, unless the list is closed."""

    allowed: bool = True


class IncidentRule(Data):
    """What every incident under this policy is asked, whatever its behaviour; `if_heading` looks at the incident's own."""

    asks: tuple[Finding, ...] = ()
    time: Cited[Literal["recorded", "asked"]] | None = None
    """The hour of the contact belongs to its record; where it is asked for, the answer to a report without it says so."""
    channels: Cited[tuple[Channel, ...]] | None = None
    """The channels the text names, where the behaviour's own example names none."""


class WarningRule(Data):
    """Whether a warning comes first, what it holds, how long it lives and what must follow it."""

    needed: Cited[Literal["always", "unless-waived", "should", "no"]]
    label: str = "warning"
    given_by: Who | None = None
    requires: tuple[Finding, ...] = ()
    confirmed_in_writing: Cited[bool] | None = None
    life: Period | None = None
    behaviour_after: Cited[Literal["must-continue", "shown"]] | None = None
    departures: Cited[tuple[Code, ...]] | None = None
    appeal: AppealRule | None = None
    """A warning may itself be appealed against."""
    while_appealed: Cited[Literal["decision-may-go-on", "decision-waits"]] | None = None

    @model_validator(mode="after")
    def _says_what_waits(self) -> WarningRule:
        if self.appeal and self.while_appealed is None:
            raise ValueError("a warning that may be appealed against needs while_appealed: decision-may-go-on or decision-waits")
        return self


class StepOne(Data):
    """An attempt to agree a way forward that must fail before anything formal starts."""

    replies: Cited[tuple[Literal["agreed", "not-agreed", "no-answer"], ...]]
    arrangement: Option
    silence: Period
    reminder: Period
    monitoring: Period


class Referral(Data):
    by: Who
    to: Cited[Code] | None = None
    requires: tuple[Finding, ...] = ()
    attachments: Cited[bool] | None = None
    after_discussion: Cited[Code] | None = None
    if_arranged: tuple[Finding, ...] = ()


class DiscussionRule(Rule):
    """One conversation that must come before the next, in the order listed."""

    step: Code
    with_: Who = Field(alias="with")
    documented: Cited[bool] | None = None
    """Held only once an incident is on record."""
    other_than_decider: Cited[bool] | None = None


class Measure(Rule):
    """An act apart from any sanction: a report to the police, a marker. `always_if` makes it compulsory."""

    measure: Literal["police-report", "potentially-aggressive-marker"]
    label: str
    by: Who
    always_if: Cited[Literal["physical-violence"]] | None = None
    told: NoticeKind | None = None
    recheck: Period | None = None
    """A measure that lasts is looked at again this often, counted from the last look."""


class Decision(Data):
    """What a decision to restrict must rest on and record."""

    sign_offs: dict[Code, SignOff]
    after: tuple[Cited[Step], ...] = ()
    waivers: tuple[Waiver, ...] = ()
    requires: tuple[Finding, ...] = ()
    no_action_requires: tuple[Finding, ...] = ()
    """What a decision not to act must record."""
    current_within: Period | None = None
    """How recent at least one incident must be."""
    coded_incident: Rule | None = None
    """Says that at least one incident must carry a behaviour of the policy, not other."""
    reasons: Rule
    options: tuple[Option, ...]
    closed_list: Cited[bool]
    one_sign_off: Cited[bool] | None = None
    """True: options that need different sign-offs are decided separately."""
    length: Length
    enforced_from: Cited[Literal["notification"]]

    def option(self, type: str) -> Option | None:
        return next((option for option in self.options if option.type == type), None)


Part = Literal[
    "behaviour",
    "reasons",
    "restrictions",
    "until",
    "review-date",
    "right-of-review",
    "appeal",
    "policy-copy",
    "edition",
    "consequence",
    "concerns",
    "way-forward",
    "representative",
    "outcome",
    "next-steps",
    "ombudsman",
    "record-kept",
    "requested-review",
    "request-to-change",
    "enquiries",
    "challenge",
    "clear-time",
    "topics",
    "new-issue",
    "arrangement",
    "answer-due",
    "late-appeal",
    "contact",
    "what-ended",
    "moved-date",
    "known-so-far",
    "changes",
    "from-when",
    "next-stage",
    "appeal-outside",
    "meeting",
    "links",
    "what-is-reviewed",
    "send-in",
    "agent-behaviour",
    "must-change",
    "possible-effect",
    "complaint",
]


class NoticePart(Rule):
    part: Part


class NoticeRule(Data):
    """One kind of letter: what it must hold, what it may never hold, and who issues it."""

    label: str
    issued_by: Who | None = None
    may_be_withheld: Who | None = None
    withholding_requires: tuple[Finding, ...] = ()
    letter_only: Cited[bool] | None = None
    """Told by letter: a call or a talk will not do, save an adjustment."""
    parts: tuple[NoticePart, ...]


HOUSE_LETTERS: dict[str, NoticeRule] = {
    "date-moved": NoticeRule(label="letter that a date has moved", parts=(NoticePart(part="moved-date", default="EH-32"),)),
    "edition-changed": NoticeRule(
        label="letter about a new edition of our policy",
        parts=(
            NoticePart(part="changes", default="EH-20"),
            NoticePart(part="from-when", default="EH-20"),
            NoticePart(part="edition", default="DEF-21"),
        ),
    ),
}
"""Letters that no policy speaks of and every case may owe; a policy file may give its own rule for one."""


CHOSEN_LETTERS: dict[str, NoticeRule] = {
    "review-coming": NoticeRule(
        label="letter that a review is coming",
        parts=(
            NoticePart(part="what-is-reviewed", default="EH-120"),
            NoticePart(part="review-date", default="EH-120"),
            NoticePart(part="send-in", default="EH-121"),
            NoticePart(part="edition", default="DEF-21"),
        ),
    ),
}
"""Letters that no policy speaks of and no case owes, unless the body chooses them: under notices, or as house_letters of its own file."""


class OutcomeRule(Rule):
    """One way a review may end, with what it needs."""

    requires: tuple[Finding, ...] = ()
    reasons_needed: bool = True
    incident_in_period: Cited[bool] | None = None
    fresh_appeal: Cited[bool] | None = None
    free: Cited[bool] | None = None
    """The sanction may become another one, of other types."""
    until: Cited[Literal["next-review"]] | None = None
    """How long a continuation runs where it may not be open-ended."""
    review_date: Cited[Literal["chosen"]] | None = None
    """The outcome must set the date of the next review."""
    clear_time: Period | None = None
    """How long without an incident before this outcome is possible."""


class Requested(Data):
    """A review the customer may ask for, apart from any appeal."""

    per_period: Cited[PositiveInt]
    to: Cited[Code]
    in_writing: Cited[bool]
    grounds: Cited[Literal["prompt"]]
    must_be_held: Cited[bool]


ReviewOutcome = Literal["lift", "continue", "amend", "extend", "tighten"]


class ReviewRule(Data):
    """Scheduled reviews, reviews of the body's own motion, and what they may decide."""

    cycle: Period | None = None
    chosen: Period | None = None
    """The latest date that may be set where each decision sets its own."""
    each_decision: Cited[Literal["states-its-review"]] | None = None
    """Each decision states how it is reviewed: on a date, or at an interval."""
    at_meeting: Cited[Literal["first-on-or-after", "next-quarter"]] | None = None
    """A review is due at a meeting: the first on or after its date, or the first of the quarter after it."""
    while_held: Cited[bool] | None = None
    """Reviews go on, of the record, after restrictions have ended."""
    prepared_by: Who | None = None
    """Who looks first and recommends."""
    people: Cited[PositiveInt] | None = None
    opens_before: Period
    by: Who
    committee: Committee | None = None
    """Decided at a meeting: `by` are its members."""
    independent: Cited[bool] | None = None
    consult: tuple[Consultation, ...] = ()
    requires: tuple[Finding, ...] = ()
    outcomes: dict[ReviewOutcome, OutcomeRule]
    presumption: Cited[ReviewOutcome] | None = None
    own_motion: Cited[bool] | None = None
    requested: Requested | None = None
    if_missed: Cited[Literal["stays-and-is-overdue"]] | None = None
    untold_recheck: Period | None = None


class LetThrough(Rule):
    """A kind of contact that no restriction stops."""

    kind: ContactKind


class ContactRule(Data):
    """What a contact after disengagement, or about something new, leads to; what no restriction stops; how contacts are counted."""

    let_through: tuple[LetThrough, ...] = ()
    week_starts: Cited[Weekday] | None = None
    """The first day of a week in which contacts are counted; Monday where nothing is said (EH-21)."""

    reply_if: Cited[Literal["wholly-different"]] | None = None
    reiterate: Cited[bool] | None = None
    new_issue_decided_by: Who | None = None
    new_issue_consult: tuple[Consultation, ...] = ()
    new_issue_target: Period | None = None


class ExternalReport(Data):
    """A report to lawyers or the police in an emergency: who considers it, and that the customer is told when it can be."""

    by: Who
    without_warning: Cited[bool]
    tell: Cited[bool]
    remind: Period


class AgentRule(Data):
    """Before disengaging from an agent: the clients are told."""

    client_told_first: Cited[bool]
    client_has: Period | None = None
    """How long a client has to act before the customer is disengaged from."""
    specific_issue: Cited[bool] | None = None
    legal_advice: Cited[bool] | None = None


Moment = Literal["opening", "behaviour", "warning", "referral", "decision", "letter", "contact", "appeal", "review", "record"]


class Guidance(Rule):
    """What a policy says to its own staff; shown at its moments to those who act then, never enforced."""

    text: str
    at: tuple[Moment, ...] = Field(min_length=1)
    link: Code | None = None
    """What the text speaks of and the body may link to, under `links`; shown with it once its address is set."""


class Link(Rule):
    """A text of the body's own that the policy speaks of: a charter, a promise. The body's file sets its address."""

    label: str
    address: WebAddress | None = None


class InformRule(Rule):
    """A team, or a list of another system, that learns of what was decided; each is acknowledged by itself."""

    team: Code
    label: str
    at: tuple[Literal["decision", "change", "end"], ...] = Field(min_length=1)
    reference: Cited[bool] | None = None
    """The acknowledgement carries the reference that the other system gave."""


class Reader(Rule):
    """Who else may read of every case, and how much: holders of offices, or everybody on the staff list where it names none."""

    offices: tuple[Code, ...] = ()
    sees: Literal["all", "handling"]


Column = Literal[
    "name-and-contact-details",
    "warning",
    "application",
    "last-reviewed",
    "case-notes",
    "sanctions",
    "disengaged",
    "next-review",
    "timeline",
    "referral",
    "decision-reasons",
    "references",
]


class RegisterColumn(Rule):
    column: Column
    label: str


class RegisterRule(Rule):
    """The register that a body keeps: who keeps it, from when a case stands in it, and its columns."""

    label: str
    kept_by: Who | None = None
    maintained_by: Who | None = None
    starts: Cited[Literal["decision", "referral"]]
    columns: tuple[RegisterColumn, ...] = Field(min_length=1)
    without_review_date: Period | None = None
    """How often an entry without a date of its next review comes up again, until it has one."""


class Retention(Data):
    """How long papers are kept and from when, who keeps them meanwhile, and who destroys them."""

    start: Cited[Literal["end-of-restrictions", "decision", "closure"]]
    """The end of the last restriction, the last decision, or the day from which nothing is open any more, appeals included."""
    keep: Period | None = None
    shortened_by_review: Cited[bool] | None = None
    suggested: Period | None = None
    kept_by: Cited[Code] | None = None
    archive: Cited[bool] | None = None
    destroyed_by: Who

    @model_validator(mode="after")
    def _starts_once(self) -> Retention:
        if self.keep and self.keep.start and self.keep.start.value != self.start.value:
            raise ValueError(f"papers are kept from one day: start is {self.start.value}, and keep runs from {self.keep.start.value}")
        return self


class Intake(Rule):
    """A kind of matter that does not come under this policy, and where it goes instead."""

    question: Literal["corporate-complaint", "area-with-own-policy", "member-of-staff"]
    instead: str


class NoIncident(Rule):
    """Something a customer may do that is never an incident merely for having been done; its manner may be."""

    what: Literal["complaint", "appeal", "review-request", "adjustment-request", "challenge"]


class Edition(Rule):
    """Which text this file was read from."""

    label: str
    text_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    valid_from: Cited[date | None]
    valid_to: Cited[date | None]


class Office(Rule):
    label: str


class Policy(Data):
    """One body's policy, as data."""

    format: Literal[1]
    policy: Code
    title: str
    body: str
    edition: Edition
    nation: Cited[Literal["england-and-wales", "scotland", "northern-ireland"] | None]
    enquiries: Cited[str] | None = None
    owner: Who | None = None
    administered_by: Who | None = None
    escalation: Who
    """Who is told of a review or an answer that was not given in time (DEF-12)."""
    guidance: tuple[Guidance, ...] = ()
    links: dict[Code, Link] = {}
    informs: tuple[InformRule, ...] = ()
    readers: tuple[Reader, ...] = ()
    register_: RegisterRule | None = Field(default=None, alias="register")
    ombudsman: Cited[str]
    offices: dict[Code, Office]
    intake: tuple[Intake, ...] = ()
    behaviours: dict[Code, Behaviour]
    other_behaviour: OtherBehaviour
    incidents: IncidentRule = IncidentRule()
    no_incident: tuple[NoIncident, ...]
    classification: Cited[PositiveInt] | None = None
    """How many others must be consulted before behaviour is put under a term."""
    initial_measures: Cited[Literal["optional"]] | None = None
    ended_conversation: Rule | None = None
    """Says that an employee may tell the customer and end the conversation at once."""
    discussions: tuple[DiscussionRule, ...] = ()
    measures: tuple[Measure, ...] = ()
    warning: WarningRule
    step_one: StepOne | None = None
    referral: Referral | None = None
    decision: Decision
    notices: dict[NoticeKind, NoticeRule]
    review: ReviewRule
    disengagement_review: ReviewRule | None = None
    contact: ContactRule = ContactRule()
    external_report: ExternalReport | None = None
    agents: AgentRule | None = None
    appeal: AppealRule | None = None
    appeal_outside: Elsewhere | None = None
    """Who outside the body hears an appeal: alone, or after the body's own stages."""
    meetings: Cited[tuple[date, ...]] | None = None
    """Days of meetings at which reviews are held; a body's own file may list more."""
    retention: Retention

    @model_validator(mode="after")
    def _can_always_be_lifted(self) -> Policy:
        for name, rule in (("review", self.review), ("disengagement_review", self.disengagement_review)):
            if rule is not None and "lift" not in rule.outcomes:
                raise ValueError(f"{name}.outcomes has no lift: every review must be able to end the restrictions")
        return self

    @cached_property
    def nations_named(self) -> tuple[str, ...]:
        """Returns the nations that periods of this policy name for themselves: asked for with every act, worked out once."""
        named = (one.calendar for one in models_in(self) if isinstance(one, Period))
        return tuple(dict.fromkeys(calendar.value for calendar in named if calendar and calendar.value != "body"))

    @property
    def gives_appeal(self) -> bool:
        """Returns whether it gives any appeal: against a decision or a warning, to the body or to somebody outside it."""
        return bool(self.appeal or self.warning.appeal or self.appeal_outside)

    @property
    def meets(self) -> bool:
        """Returns whether any review is held at a meeting."""
        return any(rule and rule.at_meeting for rule in (self.review, self.disengagement_review))

    def review_of(self, *, disengages: bool) -> ReviewRule:
        """Returns the review rules for a sanction; a disengagement may have its own."""
        return self.disengagement_review if disengages and self.disengagement_review else self.review

    def notice(self, kind: str) -> NoticeRule:
        """Returns the rule of a kind of letter that a case under this policy owes."""
        return self.letter(kind) or CHOSEN_LETTERS.get(kind) or NoticeRule(label=kind.replace("-", " "), parts=())

    def letter(self, kind: str) -> NoticeRule | None:
        """Returns the rule of a kind of letter, or None where this policy has none of that kind."""
        return next((rule for name, rule in self.notices.items() if name == kind), HOUSE_LETTERS.get(kind))

    def office(self, code: str) -> str:
        return self.offices[code].label if code in self.offices else code
