"""Every act that can be asked of a case. Imperatives are people's; past tense is what the calendar and the post bring."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from domain.case import About, Adjustment, Arrangement, Customer, Extreme, HoldKind, MovingRule, PeriodKind, ReviewEvery
from domain.contact_words import ContactKind, Verdict
from domain.model import Answer, Code, Data, Hour, Reference, State, Text
from domain.people import Origin
from domain.restrictions import Channel, Restriction, RestrictionType

Findings = dict[Code, Answer]
Restrictions = Annotated[tuple[Restriction, ...], Field(min_length=1)]


class Command(Data):
    """What all acts share. `on` is the day it happened or reached the body; `saw` names the thing acted on."""

    do: ClassVar[str]
    origins: ClassVar[frozenset[Origin]] = frozenset({"staff"})
    id: str = ""
    on: date | None = None
    saw: str | None = None


class Meeting(State):
    """A committee's meeting: its day, and the staff-list ids of its members present. Only where the policy names a committee."""

    on: date
    present: Annotated[tuple[Code, ...], Field(min_length=1)]
    minute: Reference | None = None


class OpenCase(Command):
    """Open a case about one customer's behaviour."""

    do = "open_case"
    body: Code
    customer: Customer
    contact_officer: Code | None = None
    area: Code | None = None
    group: Reference | None = None
    concerns_corporate_complaint: bool = False
    area_has_own_policy: bool = False
    earlier_decisions: tuple[Reference, ...] = ()
    """Decisions of cases that have ended, each by a reference; they count where a length grows with the number before (EH-70)."""
    findings: Findings = {}
    """Answers to what the policy asks once a case; what is left open is asked with the first incident."""


class ImportedAppeal(Data):
    """A challenge that was pending, or decided, when its case was imported."""

    received_on: date
    decided_on: date | None = None
    outcome: Literal["uphold", "vary", "withdraw", "confirm", "amend", "remove"] | None = None


class ImportCase(Command):
    """Take over a case that began in the body's own records, in mid-life; only as the first act of a case."""

    do = "import_case"
    body: Code
    reference: Reference
    """The body's own name of the case."""
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    line: int = Field(ge=1)
    customer: Customer
    area: Code | None = None
    contact_officer: Code | None = None
    behaviour: Code | None = None
    behaviour_words: Text | None = None
    last_incident: date | None = None
    warned_on: date | None = None
    warned_by: Code | None = None
    decided_on: date | None = None
    decided_by: Code | None = None
    office: Code | None = None
    """The office that decided."""
    told_on: date | None = None
    restrictions: tuple[Restriction, ...] = ()
    reasons: Text | None = None
    until: date | None = None
    last_review: date | None = None
    next_review: date | None = None
    appeal: ImportedAppeal | None = None
    ended_on: date | None = None
    notes: Text | None = None


class CompleteRecord(Command):
    """Add to an imported case what its old record did not say, or say why it cannot be found."""

    do = "complete_record"
    warned_by: Code | None = None
    decided_by: Code | None = None
    office: Code | None = None
    told_on: date | None = None
    reasons: Text | None = None
    contact_officer: Code | None = None
    area: Code | None = None
    findings: Findings | None = None
    """Answers to the questions that the policy asks of the imported incident."""
    cannot_be_found: Text | None = None


class ReportBehaviour(Command):
    """Record one incident; after a warning it is continued behaviour. `saw` may name a contact that waits for that decision (k3)."""

    do = "report_behaviour"
    code: Code
    medium: Channel
    summary: Text
    physical: bool = False
    """Physical violence against a person, used or threatened."""
    consulted: tuple[Code, ...] = ()
    """Colleagues asked whether the behaviour fits the term."""
    directed_at: tuple[Code, ...] = ()
    """Members of staff at whom it was directed."""
    concerns_corporate_complaint: bool = False
    only_for: Literal["complaint", "appeal", "review-request", "adjustment-request", "challenge"] | None = None
    """Set when the customer is blamed for nothing but making use of this."""
    time: Hour | None = None
    """The hour of the contact in London, 14:30."""
    findings: Findings = {}
    """Answers to the questions that the policy asks of this behaviour; what is left open may be answered later."""


class CompleteIncident(Command):
    """Answer questions that an incident (in `saw`) left open, or add its hour; a later answer replaces an earlier."""

    do = "complete_incident"
    findings: Findings = {}
    time: Hour | None = None
    """The hour of the contact in London, 14:30."""

    @model_validator(mode="after")
    def _says_something(self) -> CompleteIncident:
        if not self.findings and self.time is None:
            raise ValueError("give findings with at least one answer, or time")
        return self


class Warn(Command):
    """Give the warning, or open step one; the written notice follows by itself."""

    do = "warn"
    medium: Channel
    findings: Findings = {}
    links: tuple[Code, ...] = ()
    """Texts of the body that the letter is to point to, by their names in the policy: a charter, a promise."""


class RecordInitialMeasures(Command):
    """Record what was tried before any decision."""

    do = "record_initial_measures"
    measures: Text


class EndConversation(Command):
    """Record that an employee told the customer the behaviour was inappropriate and ended the conversation."""

    do = "end_conversation"
    medium: Channel
    summary: Text


class Discuss(Command):
    """Record one of the conversations that must come before the policy is applied."""

    do = "discuss"
    step: Code
    person: Code
    note: Text


class TakeMeasure(Command):
    """Report to the police, or mark the record, apart from any sanction."""

    do = "take_measure"
    measure: Literal["police-report", "potentially-aggressive-marker"]
    reasons: Text


class ReviewMeasure(Command):
    """Look at a standing measure, a marker (in `saw`), again: keep it, or remove it."""

    do = "review_measure"
    outcome: Literal["keep", "remove"]
    reasons: Text


class ReportExternally(Command):
    """Decide whether an emergency is reported to lawyers or the police."""

    do = "report_externally"
    to: Literal["legal-team", "police", "both", "neither"]
    reasons: Text


class TellOfReport(Command):
    """Record that the customer was told of the report (in `saw`), or why not yet."""

    do = "tell_of_report"
    not_yet: Text | None = None


class InformClient(Command):
    """Record that an agent's client was told of the behaviour and what it may lead to."""

    do = "inform_client"
    client: Text
    told_behaviour: bool
    told_need_to_modify: bool
    told_possible_effect: bool


class WriteToThirdParty(Command):
    """Write to an agent's client, or make a decided complaint to the employer or professional body (the sanction in `saw`)."""

    do = "write_to_third_party"
    to: Literal["client", "employer", "professional-body"]
    name: Text
    address: Text
    channel: Literal["email", "letter"] = "letter"
    behaviour: Text
    """The behaviour in words that are fit for this reader: nothing else of the case goes into the letter."""
    effect: Text | None = None
    """What may follow for the client's own matter; for a client alone."""


class SeekLegalAdvice(Command):
    """Record that the colleague in contact asked for legal advice."""

    do = "seek_legal_advice"
    question: Text


class ClassifyContact(Command):
    """Classify a contact after disengagement (in `saw`, where the desk recorded it): only one on a wholly different topic is answered."""

    do = "classify_contact"
    topic: Literal["wholly-different", "same-or-similar", "mixed"]
    summary: Text
    recurrence: bool = False
    code: Code = "other"
    medium: Channel = "email"
    consulted: tuple[Code, ...] = ()
    findings: Findings = {}
    """Of a recurrence: answers to the questions that the policy asks of this behaviour."""
    time: Hour | None = None
    """Of a recurrence: the hour of the contact in London, 14:30."""


class LogContact(Command):
    """Record a contact at the desk and what was done with it; one that departs from a restriction is put before a person."""

    do = "log_contact"
    channel: Channel
    topic: Text
    kind: ContactKind = "ordinary"
    handled: Verdict
    minutes: int | None = Field(default=None, ge=0, le=1440)
    at: time | None = None
    """London time."""


class DismissBreach(Command):
    """Decide that a contact which departs from a restriction (in `saw`) is no continued behaviour."""

    do = "dismiss_breach"
    reasons: Text


class AnswerContact(Command):
    """Record that a contact on a wholly different topic (in `saw`) was answered."""

    do = "answer_contact"


class ReiterateNotice(Command):
    """Send the disengagement notice again (the sanction in `saw`); nothing is lifted, restarted or extended."""

    do = "reiterate_notice"


class RaiseNewIssue(Command):
    """Record that the customer raised something new while restrictions run."""

    do = "raise_new_issue"
    summary: Text


class DecideNewIssue(Command):
    """Decide whether the restrictions still fit, given something new (the issue in `saw`)."""

    do = "decide_new_issue"
    outcome: Literal["keep", "vary", "lift"]
    reasons: Text


class RecordInformed(Command):
    """Record that a team was made aware of a decision, a change or an end (the sanction, review or appeal in `saw`)."""

    do = "record_informed"
    team: Code
    at: Literal["decision", "change", "end"]
    reference: Code | None = None
    """What the other system calls its entry, where the policy wants it kept."""


class Recommend(Command):
    """Recommend the outcome of a review to whoever decides it (the sanction in `saw`)."""

    do = "recommend"
    outcome: Literal["lift", "continue"]
    reasons: Text


class ReviewRecord(Command):
    """Look whether the record of an ended case is still needed."""

    do = "review_record"
    still_needed: bool
    reasons: Text


class RecordReply(Command):
    """Record how step one ended: agreed, not agreed, or no answer."""

    do = "record_reply"
    reply: Literal["agreed", "not-agreed", "no-answer"]
    arrangement: Arrangement | None = None


class RecordAgreement(Command):
    """Record whether the customer agreed in writing to a written agreement (the sanction in `saw`)."""

    do = "record_agreement"
    answer: Literal["accepted", "refused"]
    medium: Channel
    document: Reference | None = None
    """Where the agreement that was signed is kept."""


class AnnotateRegister(Command):
    """Write a line into a column of the register by hand, beside what the case's own acts put there."""

    do = "annotate_register"
    column: Code
    text: Text


class Refer(Command):
    """Refer the matter for a decision."""

    do = "refer"
    findings: Findings = {}
    attachments: tuple[Reference, ...] = ()


class Consult(Command):
    """Record that somebody was consulted, and what they thought."""

    do = "consult"
    person: Code
    about: About
    view: Text


class Assess(Command):
    """Record findings that the decision will rest on."""

    do = "assess"
    findings: Findings


class NoteNewInformation(Command):
    """Record significant new information from the customer: what was found about it must be looked at again."""

    do = "note_new_information"
    summary: Text


class ProposeSanction(Command):
    """Propose restrictions for somebody else to decide."""

    do = "propose_sanction"
    restrictions: Restrictions
    reasons: Text
    until: date | None = None
    review_on: date | None = None
    review_every: ReviewEvery | None = None
    """Where the policy leaves it to each decision: the interval of its reviews, instead of one date."""
    findings: Findings = {}
    extreme: Extreme | None = None
    warning_departure: Text | None = None


class ImposeSanction(ProposeSanction):
    """Decide restrictions oneself, where the policy lets one person decide, or record what a committee's meeting decided."""

    do = "impose_sanction"
    meeting: Meeting | None = None


class Approve(Command):
    """Sign the proposal named in `saw`."""

    do = "approve"
    findings: Findings = {}
    meeting: Meeting | None = None


class Reject(Command):
    """Refuse the proposal named in `saw`."""

    do = "reject"
    reasons: Text


class TakeNoAction(Command):
    """Decide not to restrict, with reasons."""

    do = "take_no_action"
    reasons: Text
    findings: Findings = {}
    meeting: Meeting | None = None


class IssueNotice(Command):
    """Issue the letter named in `saw`, where the policy says who writes to the customer."""

    do = "issue_notice"


class WithholdNotice(Command):
    """Decide not to tell the customer of a review, where the policy allows that."""

    do = "withhold_notice"
    reasons: Text
    findings: Findings = {}


class RecordNotification(Command):
    """Record that the customer was told in person, by telephone or by a letter posted by hand (the notice in `saw`)."""

    do = "record_notification"
    method: Literal["email", "first-class-post", "second-class-post", "economy-post", "by-hand", "telephone"]


class CorrectNotification(Command):
    """Set right what was recorded of telling the customer by a person (the notice in `saw`): a later day, or it never happened."""

    do = "correct_notification"
    reasons: Text
    told_on: date | None = None
    """The day the customer was really told; left out, nobody told them, and the letter is to go again."""


class Appeal(Command):
    """Lodge the customer's appeal; `on` is the day it reached the body."""

    do = "appeal"
    origins = frozenset({"staff", "customer"})
    medium: Channel
    against: str | None = None
    only: tuple[RestrictionType, ...] = ()
    """The restrictions it is about, where not the whole decision."""
    grounds: Text | None = None
    on_grounds: tuple[Code, ...] = ()
    """Which grounds of the policy's closed list it names; other is outside it."""


class AcceptLateAppeal(Command):
    """Let a late appeal in, for a recorded reason (the appeal in `saw`)."""

    do = "accept_late_appeal"
    reasons: Text
    meeting: Meeting | None = None


class DeclineLateAppeal(Command):
    """Decline a late appeal (the appeal in `saw`)."""

    do = "decline_late_appeal"
    reasons: Text
    meeting: Meeting | None = None
    customer_agrees_to_review: bool = False


class PassAppeal(Command):
    """Pass the gathered papers to the decider (the appeal in `saw`)."""

    do = "pass_appeal"
    decision_papers: Annotated[tuple[Reference, ...], Field(min_length=1)]
    appeal_papers: Annotated[tuple[Reference, ...], Field(min_length=1)]


class DecideAppeal(Command):
    """Decide the appeal named in `saw`."""

    do = "decide_appeal"
    outcome: Literal["uphold", "vary", "withdraw", "confirm", "amend", "remove", "not-admissible"]
    reasons: Text
    restrictions: tuple[Restriction, ...] = ()
    until: date | None = None
    findings: Findings = {}
    meeting: Meeting | None = None


class RequestReview(Command):
    """Lodge the customer's own request for a review, where the policy gives one apart from the appeal."""

    do = "request_review"
    origins = frozenset({"staff", "customer"})
    medium: Channel
    grounds: Text | None = None
    sanction: str | None = None


class ReviewSanction(Command):
    """Record a review and what it decided (the sanction in `saw`)."""

    do = "review"
    why: Literal["scheduled", "requested", "own-motion"]
    outcome: Literal["lift", "continue", "amend", "extend", "tighten"]
    reasons: Text | None = None
    restrictions: tuple[Restriction, ...] = ()
    until: date | None = None
    review_on: date | None = None
    review_every: ReviewEvery | None = None
    findings: Findings = {}
    meeting: Meeting | None = None


class AddAdjustment(Command):
    """Record a reasonable adjustment agreed with the customer."""

    do = "add_adjustment"
    adjustment: Adjustment


class CorrectAddress(Command):
    """Record the customer's right address, and by which channel letters go; one that was stopped is then issued again."""

    do = "correct_address"
    address: Text
    channel: Channel | None = None


class AppointRepresentative(Command):
    """Record whom the customer chose to make contact instead."""

    do = "appoint_representative"
    representative: Text


class SetRetention(Command):
    """Set how many years the papers are kept, from the body's own schedule, where its policy is silent."""

    do = "set_retention"
    years: int = Field(ge=1, le=99)


class Hold(Command):
    """Stop destruction while a claim, inquiry or information request runs, until somebody ends the stop."""

    do = "hold"
    reasons: Text
    review_on: date
    kind: HoldKind = "other"


class ReleaseHold(Command):
    """End a stop on destruction (h1, h2 in `saw`; needed where more than one stands)."""

    do = "release_hold"
    reasons: Text | None = None
    """Needed; an earlier release did not ask for them."""


class SignDestruction(Command):
    """Sign that papers whose time has ended may be destroyed: two people of different offices sign before anything is."""

    do = "sign_destruction"


class DestroyPapers(Command):
    """Destroy the papers after their time, once two people have signed; the case ends."""

    do = "destroy_papers"


class AcknowledgeFault(Command):
    """Record that somebody has looked into a message that was set aside (its id in `saw`)."""

    do = "acknowledge_fault"


class ApplyCalendar(Command):
    """Count this case's dates with a newer holiday table that the records hold, and with the body's closed days as they stand."""

    do = "apply_calendar"
    origins = frozenset({"calendar", "staff"})
    edition: Code


class AcknowledgeCalendar(Command):
    """Record that somebody has looked at the dates that a new table moved (the change in `saw`)."""

    do = "acknowledge_calendar"


class DecideMovedDate(Command):
    """Decide whether a date that the customer was told (in `saw`) stays, or moves to their disadvantage."""

    do = "decide_moved_date"
    decision: Literal["keep", "move"]
    reasons: Text


class RecordReceipt(Command):
    """Record the proof that a letter reached the customer on a day (the notice in `saw`): a signature, a reply that quotes it."""

    do = "record_receipt"
    evidence: Text


class RecordDisclosure(Command):
    """Record that a bundle of the case's papers was made for somebody outside: by its hash, and who reviewed what was taken out."""

    do = "record_disclosure"
    audience: Literal["ombudsman", "subject-access"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the bundle, as it was handed over")
    to: Text | None = None
    """Who asked for it, or where it goes."""
    reviewed_by: Code | None = None
    reviewed_on: date | None = None


class RecordMistakeTold(Command):
    """Record that somebody outside, told by a letter, a talk or a report (in `saw`), knows that the case was a mistake, or why not."""

    do = "record_mistake_told"
    not_told: Text | None = None


class Withdraw(Command):
    """End a case in which nothing was decided, with the reason."""

    do = "withdraw"
    reasons: Text


class MoveEdition(Command):
    """Move the case to another edition of its policy, kept in the records; periods without a rule stay as they were told."""

    do = "move_edition"
    edition: str = Field(pattern=r"^[0-9a-f]{64}$", description="the hash of the edition, as the records keep it")
    rules: dict[PeriodKind, MovingRule] = {}


class Correct(Command):
    """Undo a case opened against the wrong person: restrictions end, the customer is told."""

    do = "correct"
    reasons: Text


class DeadlinePassed(Command):
    """A deadline of this case has come; `key` names it."""

    do = "deadline_passed"
    origins = frozenset({"calendar"})
    key: str


class NoticeSent(Command):
    """A letter went out (the notice in `saw`)."""

    do = "notice_sent"
    origins = frozenset({"post"})
    method: str


class NoticeHandedOver(Command):
    """A carrier has a letter (the notice in `saw`) that it has yet to print and post."""

    do = "notice_handed_over"
    origins = frozenset({"post"})
    method: Literal["email", "first-class-post", "second-class-post", "economy-post"]
    carrier: Code
    expected: date
    """The day on which it is to be posted."""


class NoticeUncertain(Command):
    """Nobody knows whether a letter went (the notice in `saw`): the carrier's answer was lost and it keeps no list to ask."""

    do = "notice_uncertain"
    origins = frozenset({"post"})
    problem: Text


class NoticeDelivered(Command):
    """The carrier says that a letter arrived (the notice in `saw`), `on` that day."""

    do = "notice_delivered"
    origins = frozenset({"post"})


class NoticeDelayed(Command):
    """A letter did not go at the first attempt (the notice in `saw`); it is tried again for days."""

    do = "notice_delayed"
    origins = frozenset({"post"})
    problem: Text


class NoticeBlocked(Command):
    """A letter could not go as it stands (the notice in `saw`); a person must look."""

    do = "notice_blocked"
    origins = frozenset({"post"})
    problem: Text
    clauses: tuple[str, ...] = ()


class NoticeReturned(Command):
    """A letter came back or bounced (the notice in `saw`)."""

    do = "notice_returned"
    origins = frozenset({"post", "staff"})
    problem: Text


AnyCommand = (
    OpenCase
    | ImportCase
    | CompleteRecord
    | ReportBehaviour
    | CompleteIncident
    | Warn
    | RecordInitialMeasures
    | EndConversation
    | Discuss
    | TakeMeasure
    | ReviewMeasure
    | ReportExternally
    | TellOfReport
    | InformClient
    | WriteToThirdParty
    | SeekLegalAdvice
    | ClassifyContact
    | LogContact
    | DismissBreach
    | AnswerContact
    | ReiterateNotice
    | RaiseNewIssue
    | DecideNewIssue
    | RecordInformed
    | Recommend
    | ReviewRecord
    | RecordReply
    | RecordAgreement
    | AnnotateRegister
    | Refer
    | Consult
    | Assess
    | NoteNewInformation
    | ProposeSanction
    | ImposeSanction
    | Approve
    | Reject
    | TakeNoAction
    | IssueNotice
    | WithholdNotice
    | RecordNotification
    | CorrectNotification
    | Appeal
    | AcceptLateAppeal
    | DeclineLateAppeal
    | PassAppeal
    | DecideAppeal
    | RequestReview
    | ReviewSanction
    | AddAdjustment
    | CorrectAddress
    | AppointRepresentative
    | SetRetention
    | Hold
    | ReleaseHold
    | SignDestruction
    | DestroyPapers
    | AcknowledgeFault
    | ApplyCalendar
    | AcknowledgeCalendar
    | DecideMovedDate
    | RecordReceipt
    | RecordDisclosure
    | RecordMistakeTold
    | Withdraw
    | MoveEdition
    | Correct
    | DeadlinePassed
    | NoticeSent
    | NoticeHandedOver
    | NoticeUncertain
    | NoticeDelivered
    | NoticeDelayed
    | NoticeBlocked
    | NoticeReturned
)

COMMANDS: dict[str, type[AnyCommand]] = {command.do: command for command in AnyCommand.__args__}
