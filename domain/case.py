"""A case: everything that has happened to one customer under one policy, from referral to destruction."""

from __future__ import annotations

from datetime import date, time
from typing import Literal, Protocol, TypeVar

from pydantic import Field

from domain.appeal_rules import AppealRule
from domain.contact_words import ContactKind, Verdict
from domain.counting import Counting, DateChange
from domain.days import Reckoned
from domain.formats import Format, Language
from domain.model import Answer, Code, Hour, Mark, Reference, State, Text, WebAddress
from domain.restrictions import DISENGAGING, NOT_LIMITS, Channel, Restriction
from domain.rules import Period

NOT_RECORDED = "not-recorded"
"""Stands where a case that began elsewhere does not say who, how or why: visibly unknown, never invented."""
Medium = Channel | Literal["not-recorded"]

Stage = Literal["opened", "warned", "arranged", "continued", "referred", "proposed", "restricted", "disengaged", "archived", "closed"]


class Adjustment(State):
    """A reasonable adjustment agreed under the Equality Act 2010 (DEF-15)."""

    need: Text
    channels: tuple[Channel, ...] = ()
    """Channels the customer must be left with."""
    instead_of_writing: bool = False
    """Requests that a policy wants in writing may be made another way."""
    formats: tuple[Format, ...] = ()
    """The forms in which the customer gets letters; the standard letter is made and kept besides (EH-110)."""
    language: Language | None = None
    """Of the translation, where one is agreed."""
    translation_alone: bool = False
    """The translation goes by itself; otherwise the standard letter follows it."""


class Customer(State):
    """The person the case is about. Name, address and needs are personal text."""

    name: Text
    channel: Channel = "email"
    address: Text | None = None
    kind: Literal["individual", "representative", "agent", "site-owner", "member-of-staff"] = "individual"
    self_employed: bool = False
    adjustments: tuple[Adjustment, ...] = ()
    representative: Text | None = None
    clients: tuple[Text, ...] = ()
    """Whom an agent acts for."""
    also_reached_at: tuple[Text, ...] = ()
    """Other email addresses and telephone numbers that the customer uses, so that the desk knows them."""


class Signature(State):
    """One natural person's part in a decision, with office and grade as they stood that day."""

    person: str
    human: str
    on: date
    office: str | None = None
    grade: int | None = None
    as_deputy: bool = False
    counts: bool = True
    """False: a draft by somebody whose signature the policy does not count."""


class Sitting(State):
    """The meeting at which a committee decided, with the staff-list ids of those present."""

    committee: str
    on: date
    present: tuple[str, ...]
    minute: Reference | None = None


class ReviewEvery(State):
    """An interval of reviews that one decision sets for itself."""

    count: int = Field(ge=1, le=120)
    unit: Literal["weeks", "months"]

    @property
    def words(self) -> str:
        return f"{self.count} {self.unit if self.count > 1 else self.unit[:-1]}"


class Incident(State):
    id: str
    on: date
    code: Code
    medium: Medium
    summary: Text
    by: str
    physical: bool = False
    """Physical violence against a person, used or threatened."""
    consulted: tuple[str, ...] = ()
    time: Hour | None = None
    """The hour of the contact."""
    findings: dict[str, Answer] = {}
    """Answers to the questions that the policy asks of its behaviour, by name."""
    directed_at: tuple[str, ...] = ()
    """Members of staff at whom it was directed."""
    involved: tuple[str, ...] = ()
    """The human beings who reported it or at whom it was directed, as they stood that day."""


class Quoted(State):
    """A text of the body that a letter points to, as its address stood that day."""

    link: Code
    label: str
    address: WebAddress


class Warning(State):
    """A warning given, or step one's first communication; in writing it counts from its notification."""

    id: str
    on: date
    medium: Medium
    by: Signature
    findings: dict[str, Answer]
    notice: str | None
    withdrawn_on: date | None = None
    """The day an appeal took it back; from then on it supports nothing."""
    links: tuple[Quoted, ...] = ()
    """Texts of the body that its letter points to."""


class Arrangement(State):
    """What was agreed in step one: it binds by agreement and is no restriction (PCC-31)."""

    spoc: str | None = None
    channel: Channel | None = None
    frequency: Literal["week", "fortnight", "other"] | None = None
    adjustments: tuple[Text, ...] = ()
    terms: Text | None = None


class Discussion(State):
    """One of the conversations a policy wants before it is applied."""

    id: str
    step: Code
    on: date
    by: str
    person: str
    human: str
    note: Text


class MeasureTaken(State):
    """A report to the police, or a marker on the record."""

    id: str
    measure: str
    on: date
    by: Signature
    reasons: Text
    stands: bool = False
    """It lasts until it is removed, and is looked at again."""
    reviewed_on: date | None = None
    removed_on: date | None = None
    review_reasons: Text | None = None


class ExternalReported(State):
    """What was decided about a report to lawyers or the police, and whether the customer has been told."""

    id: str
    on: date
    by: Signature
    to: Literal["legal-team", "police", "both", "neither"]
    reasons: Text
    informed_on: date | None = None
    not_yet: Text | None = None
    not_yet_on: date | None = None


class ClientInformed(State):
    id: str
    on: date
    client: Text
    notice: str | None = None
    """The letter that told them, where one did: whether and when it did follows from that letter."""


class Contact(State):
    """A contact after disengagement, classified by a person."""

    id: str
    on: date
    topic: Literal["wholly-different", "same-or-similar", "mixed"]
    recurrence: bool
    summary: Text
    answered_on: date | None = None


class LoggedContact(State):
    """A contact at the desk: what it was, what was done with it, and whether it departs from a restriction."""

    id: str
    on: date
    at: time | None = None
    channel: Channel
    topic: Text
    kind: ContactKind = "ordinary"
    handled: Verdict
    minutes: int | None = None
    by: str
    departs: tuple[str, ...] = ()
    """The restrictions it departs from (s1.1); a person decides whether that is continued behaviour."""
    classify: bool = False
    """It came after a disengagement and is to be classified."""
    settled: Literal["continued", "dismissed", "classified"] | None = None
    settled_on: date | None = None
    settled_by: str | None = None
    reasons: Text | None = None
    act: Mark | None = None
    """The mark of the id under which it was recorded: asked about again under that id, it is this contact and no second one."""
    put_with: Code | None = None
    """The contact like it that waits already, and is decided for both: of a flood not each waits by itself."""
    more: int = 0
    """How many were put with this one."""
    more_until: date | None = None
    """The day of the last of them."""

    @property
    def waits(self) -> bool:
        return self.settled is None and self.put_with is None and (bool(self.departs) or self.classify)


class DayTally(State):
    """Ordinary contacts of one day by one way, and the minutes recorded with them: what limits on volume are counted from."""

    on: date
    channel: Channel
    contacts: int = 0
    minutes: int = 0


class NewIssue(State):
    """Something new, raised while restrictions run; it is dealt with meanwhile (DEF-18)."""

    id: str
    on: date
    summary: Text
    outcome: Literal["keep", "vary", "lift"] | None = None
    decided_on: date | None = None
    by: Signature | None = None
    reasons: Text | None = None


class Reply(State):
    """How step one ended, on the day it did."""

    on: date
    reply: Literal["agreed", "not-agreed", "no-answer"]
    arrangement: Arrangement | None = None


class Referred(State):
    on: date
    by: Signature
    to: str | None
    findings: dict[str, Answer]
    attachments: tuple[Reference, ...]


About = Literal["decision", "review", "appeal", "new-issue"]


class Consulted(State):
    """Somebody was asked; dissent is kept, and is no veto."""

    id: str
    on: date
    person: str
    human: str
    offices: tuple[str, ...]
    about: About
    view: Text
    relations: tuple[str, ...] = ()


class Extreme(State):
    """Why this case is extreme, and the threat without which the usual first steps are not skipped."""

    reasons: Text
    immediate_threat: Text | None = None


class Terms(State):
    """What a decision would do: proposed by one person, decided by those the policy names."""

    restrictions: tuple[Restriction, ...]
    reasons: Text
    until: date | None = None
    review_on: date | None = None
    review_every: ReviewEvery | None = None
    findings: dict[str, Answer] = {}
    extreme: Extreme | None = None
    warning_departure: Text | None = None


class Proposal(State):
    id: str
    on: date
    sign_off: str
    terms: Terms
    signatures: tuple[Signature, ...]
    by_the_named: bool = False
    """The person whose signature the policy wants has proposed it; anybody else of another grade may sign second."""
    closed: Literal["decided", "rejected", "replaced"] | None = None


Ending = Literal["lapsed", "lifted", "appeal", "mistake", "withdrawn", "not-recorded"]


class Sanction(State):
    """A decision imposing restrictions, as it stands after reviews and appeals."""

    id: str
    decided_on: date
    signatures: tuple[Signature, ...]
    terms: Terms
    notice: str
    sitting: Sitting | None = None
    consulted: tuple[str, ...] = ()
    """Ids of the consultations it rested on."""
    period_start: date
    settled_through: date | None = None
    requests_used: int = 0
    ended_on: date | None = None
    """The last day, or the day of the decision that ended it."""
    ended_how: Ending | None = None

    @property
    def in_force(self) -> bool:
        return self.ended_on is None and self.limits

    @property
    def disengages(self) -> bool:
        return any(restriction.type in DISENGAGING for restriction in self.terms.restrictions)

    @property
    def limits(self) -> bool:
        """Returns whether anything here limits contact; a legal referral alone does not."""
        return any(restriction.type not in NOT_LIMITS for restriction in self.terms.restrictions)


class Challenge(State):
    """An appeal (MMO: request for a review; Natural England: Stage 3 complaint) against one decision."""

    id: str
    against: str
    on: date
    medium: Medium
    grounds: Text | None
    late: bool
    only: tuple[str, ...] = ()
    """The restrictions it is about, where not the whole decision."""
    late_decision: Literal["accepted", "declined"] | None = None
    passed_on: date | None = None
    decided_on: date | None = None
    outcome: str | None = None
    reasons: Text | None = None
    late_reasons: Text | None = None
    late_sitting: Sitting | None = None
    """The meeting at which a committee decided on its lateness."""
    notice: str | None = None
    stage: int = 1
    """Which stage of the policy's appeal; 2 is against the answer of 1."""
    on_grounds: tuple[Code, ...] = ()
    """The grounds it names, where the policy has a closed list; "other" is outside it."""
    signatures: tuple[Signature, ...] = ()
    """Those who decided it."""
    sitting: Sitting | None = None

    @property
    def awaiting_lateness(self) -> bool:
        return self.late and self.late_decision is None

    @property
    def pending(self) -> bool:
        return self.decided_on is None and self.late_decision != "declined"


class Recommendation(State):
    """What those who look first make of a review; somebody else decides on it."""

    id: str
    sanction: str
    on: date
    by: Signature
    outcome: str
    reasons: Text


class AgreementAnswer(State):
    """What the customer said to a written agreement (a restriction: s1.1)."""

    id: str
    restriction: Reference
    answer: Literal["accepted", "refused"]
    on: date
    by: str
    medium: Channel
    document: Reference | None = None


class RegisterNote(State):
    """A line written into the register by hand, beside what the case's own acts put there."""

    id: str
    column: Code
    text: Text
    on: date
    by: Signature


class ReviewTerms(State):
    """What a review decides."""

    why: Literal["scheduled", "requested", "own-motion"]
    outcome: Literal["lift", "continue", "amend", "extend", "tighten"]
    reasons: Text | None = None
    restrictions: tuple[Restriction, ...] = ()
    until: date | None = None
    review_on: date | None = None
    review_every: ReviewEvery | None = None
    findings: dict[str, Answer] = {}


class ProposedReview(State):
    """A review's outcome that waits for a second person."""

    id: str
    sanction: str
    on: date
    by: Signature
    terms: ReviewTerms
    closed: Literal["decided", "rejected", "replaced"] | None = None


class ReviewRequest(State):
    """A review the customer asked for; where the policy gives one apart from the appeal."""

    id: str
    sanction: str
    on: date
    medium: Medium
    grounds: Text | None
    from_appeal: str | None = None
    done: str | None = None
    """The review that answered it."""


class Review(State):
    id: str
    sanction: str
    on: date
    why: Literal["scheduled", "requested", "own-motion", "not-recorded"]
    outcome: str
    signatures: tuple[Signature, ...]
    reasons: Text | None
    findings: dict[str, Answer]
    notice: str | None
    fresh_appeal: bool
    consulted: tuple[str, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    until: date | None = None
    next_due: date | None = None
    sitting: Sitting | None = None


NoticeStatus = Literal["to-issue", "to-send", "handed-over", "sent", "uncertain", "withheld", "blocked", "returned"]
"""Handed over: with a carrier that has yet to print and post it. Uncertain: nobody knows whether it went."""


class Recipient(State):
    """Somebody else than the customer to whom a letter goes, and all that they are told of the case."""

    kind: Literal["client", "employer", "professional-body"]
    name: Text
    address: Text
    channel: Literal["email", "letter"] = "letter"
    behaviour: Text
    effect: Text | None = None
    """What may follow for a client."""


class Notice(State):
    """One letter owed to the customer: decided, sent, deemed notified and received are four dates, each with its evidence (DEF-06)."""

    id: str
    kind: str
    about: str
    created_on: date
    status: NoticeStatus
    issue: int = 1
    """How often it was issued: a letter that came back may go again."""
    issued_by: Signature | None = None
    method: str | None = None
    sent_on: date | None = None
    notified_on: date | None = None
    problem: Text | None = None
    withheld_reasons: Text | None = None
    told_by: Signature | None = None
    """Who posted it, handed it over or read it out, where a person did."""
    received_on: date | None = None
    """The day it is proven to have reached the customer; the day it counts as notified stands beside it."""
    received_evidence: Text | None = None
    carrier: Code | None = None
    """Who took it, where it is printed and posted by somebody else."""
    delayed_on: date | None = None
    """The day on which it first did not go; it is tried again, and from then on its days are counted."""
    handed_on: date | None = None
    expected_on: date | None = None
    """The day on which that carrier was expected to post it: the day the letter prints."""
    delivered_on: date | None = None
    """The day on which the carrier says that it arrived; a report, no proof that it was read."""
    counts_from: date | None = None
    """The day from which the letter counts the time it prints, where the customer was told sooner in another way."""
    posted_on: date | None = None
    posted_how: Code | None = None
    """When and how that letter went, beside what a person did sooner."""
    read_out: Literal["owed", "done"] | None = None
    """Whether it is to be read out to the customer, where a script for a call is an agreed form of letters."""
    recipient: Recipient | None = None
    """Set where it goes to somebody else than the customer; such a letter notifies the customer of nothing."""
    returned_on: date | None = None
    """The day it came back, this time or an issue before; the count until somebody else is told begins with it."""


class Informed(State):
    """A team that was made aware of a decision, a change or an end (DEF-14)."""

    team: Code
    about: Code
    """The sanction, review or appeal."""
    at: Literal["decision", "change", "end"]
    on: date
    by: str
    reference: Code | None = None


HoldKind = Literal["litigation", "ombudsman", "information-request", "other"]


class Hold(State):
    """A stop on destruction: litigation, an ombudsman's inquiry, an open information request."""

    on: date
    by: str
    reason: Text
    review_on: date
    released_on: date | None = None
    kind: HoldKind = "other"
    released_because: Text | None = None
    """None where an earlier release let it end without a reason."""


class DestructionSigned(State):
    """One of the two signatures without which no papers are destroyed (EH-150)."""

    by: Signature
    keeper: bool = False
    """The policy gives the destruction to this person's office."""


class Disclosure(State):
    """A bundle of the case's papers made for somebody outside, by its hash."""

    id: str
    on: date
    by: Signature
    audience: Literal["ombudsman", "subject-access"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    to: Text | None = None
    reviewed_by: Code | None = None
    reviewed_on: date | None = None


class MistakeTold(State):
    """Somebody outside who was told that the case was a mistake, or why they were not (EH-131)."""

    about: Code
    """What they had been told by: a letter, a talk, a report."""
    on: date
    by: str
    not_told: Text | None = None


class Imported(State):
    """Where a case comes from that began in a body's own records, and what stood there besides."""

    on: date
    by: str
    reference: Reference
    """The body's own name of the case."""
    file_sha256: str
    line: int
    behaviour: Code | None = None
    behaviour_words: Text | None = None
    notes: Text | None = None
    next_review: date | None = None
    """As the old record had it, whatever the policy says."""
    past: tuple[str, ...] = ()
    """Events from before the import, as decision:s1: nobody is asked to make others aware of them again."""
    cannot_be_found: Text | None = None
    """Why the rest of the record stays unknown."""


PeriodKind = Literal["appeal", "answer", "end", "review", "clear-time", "warning"]
"""Kinds of period that a customer is told of, or that binds a decision: what a move to another edition needs a rule for."""
MovingRule = Literal["keep", "restart", "favour-customer"]


class Counted(State):
    """One running period after a move: which edition it counts under, and by which rule."""

    of: PeriodKind
    ref: str
    on: date
    """The day of the move."""
    edition: str
    rule: MovingRule
    period: Period | None = None
    """How long it is, from whatever event begins it; none, where that edition gives none."""
    start: date | None = None
    """The day from which it counts anew."""
    reckoned: Reckoned | None = None
    """The date itself, of a review or an end."""
    heard: AppealRule | None = None
    """The rule of a later stage of appeal that was open at the move and that the new edition does not have."""


class Changed(State):
    """One thing a customer was told that a move changed."""

    what: str
    old: str
    new: str
    cites: tuple[str, ...] = ()


class Moved(State):
    """The case went over to another edition of its policy."""

    id: str
    on: date
    by: Signature
    before: str
    after: str
    """Hashes of the two editions, in the records for ever."""
    rules: dict[str, MovingRule] = {}
    changes: tuple[Changed, ...] = ()
    notice: str | None = None


class Case(State):
    """The whole case at one moment; `seq` counts the acts that changed it."""

    v: int = 1
    id: str
    body: str
    policy: str
    edition: str
    seq: int = 0
    stage: Stage = "opened"
    opened_on: date
    customer: Customer
    contact_officer: str | None = None
    opened_by: str | None = None
    """Who opened or imported it; None where an earlier release did not note it here."""
    area: str | None = None
    group: str | None = None
    intake: dict[str, Answer] = {}
    """Answers given when the case was opened, to what is asked once a case."""
    incidents: tuple[Incident, ...] = ()
    warnings: tuple[Warning, ...] = ()
    replies: tuple[Reply, ...] = ()
    referrals: tuple[Referred, ...] = ()
    consultations: tuple[Consulted, ...] = ()
    assessment: dict[str, Answer] = {}
    proposals: tuple[Proposal, ...] = ()
    sanctions: tuple[Sanction, ...] = ()
    challenges: tuple[Challenge, ...] = ()
    requests: tuple[ReviewRequest, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    proposed_reviews: tuple[ProposedReview, ...] = ()
    discussions: tuple[Discussion, ...] = ()
    measures: tuple[MeasureTaken, ...] = ()
    initial_measures: tuple[Text, ...] = ()
    external_reports: tuple[ExternalReported, ...] = ()
    clients_informed: tuple[ClientInformed, ...] = ()
    contacts: tuple[Contact, ...] = ()
    logged_contacts: tuple[LoggedContact, ...] = ()
    """What a person has yet to decide about is carried; the rest stands in the records, a row each (records/contacts.py)."""
    contacts_logged: int = 0
    """How many contacts the desk recorded; 0 on cases of releases that carried every one of them."""
    tally: tuple[DayTally, ...] = ()
    new_issues: tuple[NewIssue, ...] = ()
    record_reviewed_through: date | None = None
    record_not_needed_on: date | None = None
    reviews: tuple[Review, ...] = ()
    notices: tuple[Notice, ...] = ()
    holds: tuple[Hold, ...] = ()
    informed: tuple[Informed, ...] = ()
    passed: tuple[str, ...] = ()
    """Keys of the deadlines that have passed and been dealt with."""
    ended_without_restriction: date | None = None
    ending: Literal["no-action", "withdrawn", "mistake"] | None = None
    keep_years: int | None = None
    """The body's own retention schedule where the policy is silent (DEF-19)."""
    ending_reasons: Text | None = None
    destruction_signed: tuple[DestructionSigned, ...] = ()
    """Gone as soon as something stops the destruction: it is then signed anew."""
    destroyed_on: date | None = None
    imported: Imported | None = None
    """Set where the case began elsewhere and was taken over in mid-life."""
    moves: tuple[Moved, ...] = ()
    counted: tuple[Counted, ...] = ()
    """Periods that were running at the last move; any later one counts under the case's own edition."""
    set_aside: tuple[str, ...] = ()
    """Ids of messages that a fault in the program kept from being acted on, until somebody has looked."""
    counting: Counting = Counting()
    """The holiday tables its dates are counted with."""
    earlier_decisions: tuple[str, ...] = ()
    """Decisions of cases that have ended, named by whoever opened this one (EH-70)."""
    changes: tuple[DateChange, ...] = ()
    """What newer tables and proofs of receipt did to its dates."""
    agreements: tuple[AgreementAnswer, ...] = ()
    """Answers to written agreements; of several to one the last counts."""
    register_notes: tuple[RegisterNote, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    mistakes_told: tuple[MistakeTold, ...] = ()

    def notice(self, id: str) -> Notice | None:
        return next((notice for notice in self.notices if notice.id == id), None)

    def sanction(self, id: str) -> Sanction | None:
        return next((sanction for sanction in self.sanctions if sanction.id == id), None)

    def counted_under(self, of: PeriodKind, ref: str) -> Counted | None:
        """Returns how a period that ran at the last move counts, or None where it follows the case's edition."""
        return next((one for one in self.counted if one.of == of and one.ref == ref), None)

    @property
    def open_proposal(self) -> Proposal | None:
        return next((proposal for proposal in reversed(self.proposals) if proposal.closed is None), None)

    @property
    def open_review(self) -> ProposedReview | None:
        return next((proposed for proposed in reversed(self.proposed_reviews) if proposed.closed is None), None)

    @property
    def standing_warnings(self) -> tuple[Warning, ...]:
        return tuple(warning for warning in self.warnings if warning.withdrawn_on is None)

    @property
    def in_force(self) -> tuple[Sanction, ...]:
        return tuple(sanction for sanction in self.sanctions if sanction.in_force)

    @property
    def standing_measures(self) -> tuple[MeasureTaken, ...]:
        return tuple(measure for measure in self.measures if measure.stands and measure.removed_on is None)

    @property
    def held(self) -> bool:
        return any(hold.released_on is None for hold in self.holds)


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Identified)


def with_item(items: tuple[Item, ...], item: Item) -> tuple[Item, ...]:
    """Returns the tuple with the item of the same id replaced, or the item added at the end."""
    if any(one.id == item.id for one in items):
        return tuple(item if one.id == item.id else one for one in items)
    return (*items, item)


def next_id(prefix: str, items: tuple[object, ...]) -> str:
    """Returns the next id of its kind in this case: s1, s2 ..."""
    return f"{prefix}{len(items) + 1}"
