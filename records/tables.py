"""The tables. Personal text stands in `case_text` alone, so that it can be destroyed by case."""

from __future__ import annotations

from datetime import date, datetime, timezone

from sqlalchemy import JSON, DateTime, Dialect, MetaData, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)


class UTCDateTime(TypeDecorator[datetime]):
    """An instant, always aware and in UTC: SQLite drops time zones and would hand back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a time zone: {value.isoformat()}")
        return value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


Json = dict[str, object]


class CaseRow(SQLModel, table=True):
    """One case as it stands. `seq` only ever rises."""

    __tablename__ = "case"
    id: str = Field(primary_key=True)
    body: str = Field(index=True)
    policy: str
    edition: str
    stage: str = Field(index=True)
    seq: int
    state: Json = Field(sa_type=JSON)
    opened_on: date
    next_deadline: str | None = None
    next_fires: date | None = Field(default=None, index=True)
    changed_at: datetime = Field(sa_type=UTCDateTime)
    log_lines: int = 0
    """How many lines the case's log has, and the hash of the last: a chain alone cannot see that its end was cut off."""
    log_hash: str = ""
    signed_lines: int = 0
    """How many lines the chain of its sign-offs has, and the hash of the last."""
    signed_hash: str = ""


class CommandRow(SQLModel, table=True):
    """One act with its outcome, once per (case, command id)."""

    __tablename__ = "command"
    case_id: str = Field(primary_key=True)
    command_id: str = Field(primary_key=True)
    content_hash: str
    message: Json = Field(sa_type=JSON)
    outcome: Json = Field(sa_type=JSON)
    seq: int
    decided_at: datetime = Field(sa_type=UTCDateTime)


class LogRow(SQLModel, table=True):
    """One line of a case's log: append-only, each line's hash holding the one before."""

    __tablename__ = "log"
    case_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    on: date
    actor: str
    office: str | None = None
    """Under which the actor signed; where nothing was signed, the offices that they held, a comma between (domain/acted_as.py)."""
    command: str
    command_id: str
    result: str
    what: str
    detail: str | None = None
    """Reference of a personal text, where the line has one."""
    cites: list[str] = Field(sa_type=JSON)
    hash: str
    grade: int | None = None
    """The actor's grade, as it stood; none in lines of earlier releases."""


class TextRow(SQLModel, table=True):
    """Personal text of a case; destroyed with its papers."""

    __tablename__ = "case_text"
    case_id: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    text: str
    """Sealed with the case's key (records/vault.py); as it was said in what an earlier release left."""
    put_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it was put before any message named it: without a case it is destroyed a week later."""


class RestrictionRow(SQLModel, table=True):
    """One restriction as staff look it up."""

    __tablename__ = "restriction"
    case_id: str = Field(primary_key=True)
    sanction: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    body: str = Field(index=True)
    type: str
    parameters: Json = Field(sa_type=JSON)
    decided_on: date
    enforced_from: date | None
    until: date | None
    ended_on: date | None


class SanctionRow(SQLModel, table=True):
    """One decision imposing restrictions, with its own dates."""

    __tablename__ = "sanction"
    case_id: str = Field(primary_key=True)
    sanction: str = Field(primary_key=True)
    body: str = Field(index=True)
    decided_on: date
    notified_on: date | None
    until: date | None
    ended_on: date | None
    ended_how: str | None
    missed_reviews: int


class SignOffRow(SQLModel, table=True):
    """Who signed what, as natural persons, with office and grade as they stood."""

    __tablename__ = "sign_off"
    case_id: str = Field(primary_key=True)
    about: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    person: str
    human: str
    office: str | None
    grade: int | None
    as_deputy: bool
    on: date


class SignOffLineRow(SQLModel, table=True):
    """One sign-off as it was given: append-only, each line's hash holding the one before; `sign_off` is what stands of them."""

    __tablename__ = "sign_off_line"
    case_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    about: str
    slot: int
    """Which of the signatures of what it is about."""
    person: str
    human: str
    office: str | None
    grade: int | None
    as_deputy: bool
    on: date
    hash: str


class DestructionRow(SQLModel, table=True):
    """How far the destruction of one case has come, and what its certificate will say; found again after a crash."""

    __tablename__ = "destruction"
    case_id: str = Field(primary_key=True)
    body: str = Field(index=True)
    on: date = Field(index=True)
    facts: Json = Field(sa_type=JSON)
    """What the records knew of it when they were emptied; no personal text."""
    done: Json = Field(sa_type=JSON, default_factory=dict)
    """Each step that came after, with what it destroyed: letters, runs, key."""
    certificate: int | None = Field(default=None, index=True)
    """The number of its certificate; none while a step is left."""


class CertificateRow(SQLModel, table=True):
    """That papers were destroyed: append-only, each with the hash of the one before. Holds no personal text and not the case's name."""

    __tablename__ = "certificate"
    n: int = Field(primary_key=True)
    issued_at: datetime = Field(sa_type=UTCDateTime)
    case_hash: str = Field(index=True)
    """SHA-256 of the case's id."""
    facts: Json = Field(sa_type=JSON)
    hash: str


class NoticeRow(SQLModel, table=True):
    """One letter: decided, sent and notified are three dates."""

    __tablename__ = "notice"
    case_id: str = Field(primary_key=True)
    notice: str = Field(primary_key=True)
    kind: str
    about: str
    status: str = Field(index=True)
    created_on: date
    sent_on: date | None
    notified_on: date | None
    method: str | None
    problem: str | None
    received_on: date | None = None


class InboxRow(SQLModel, table=True):
    """A message that reached the body, kept before anything is asked of the engine, and passed on until its case has answered."""

    __tablename__ = "inbox"
    case_id: str = Field(primary_key=True)
    command_id: str = Field(primary_key=True)
    content_hash: str
    """By which the same message is known again."""
    message: str = Field(sa_type=Text)
    """The envelope as JSON, signed; sealed with the case's key, and emptied once the case has it. records/inbox.py alone reads it."""
    arrived_at: datetime = Field(sa_type=UTCDateTime)
    state: str = Field(default="waiting", index=True)
    """waiting (its case has not answered), or answered."""
    tries: int = 0
    next_at: datetime = Field(sa_type=UTCDateTime)
    """When it is passed on again, where its case has not answered by then."""
    result: str | None = None
    """What the case answered: accepted, refused, ..."""
    settled_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class LetterRow(SQLModel, table=True):
    """What was sent: the file, its hash, and the parts it held. Written once, never re-rendered."""

    __tablename__ = "letter"
    case_id: str = Field(primary_key=True)
    notice: str = Field(primary_key=True)
    file: str
    sha256: str
    template: str
    parts: list[str] = Field(sa_type=JSON)
    edition: str
    sent_at: datetime = Field(sa_type=UTCDateTime)


class LetterFileRow(SQLModel, table=True):
    """The very bytes of one letter, and the facts they were made from (`json`). Personal: destroyed with the case's papers."""

    __tablename__ = "letter_file"
    case_id: str = Field(primary_key=True)
    notice: str = Field(primary_key=True)
    ending: str = Field(primary_key=True)
    """pdf, html, txt, or json for the facts."""
    sha256: str
    content: bytes


class HandOverRow(SQLModel, table=True):
    """One issue of a letter on its way: written before a carrier is called, so that a crash leaves a question and never a second letter."""

    __tablename__ = "hand_over"
    case_id: str = Field(primary_key=True)
    notice: str = Field(primary_key=True)
    carrier: str
    method: str
    reference: str = Field(index=True)
    """The carrier's key; holds no personal data."""
    state: str = Field(index=True)
    """handing (offered, answer not known), waiting (not taken yet), handed, declined, uncertain."""
    day: date
    """The day printed on it."""
    carrier_id: str | None = None
    status: str | None = None
    """The carrier's last word."""
    problem: str | None = None
    first_at: datetime = Field(sa_type=UTCDateTime)
    changed_at: datetime = Field(sa_type=UTCDateTime)
    settled: bool = Field(default=False, index=True)
    """Nothing more is to be asked of the carrier."""
    not_before: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the carrier may be called again, where it said so."""


class StaffNoticeRow(SQLModel, table=True):
    """One thing that one reader is told of by email, once: owed in the act's transaction, sent later. Holds nothing about the customer."""

    __tablename__ = "staff_notice"
    case_id: str = Field(primary_key=True)
    task: str = Field(primary_key=True)
    """sign-off/p1: the kind of task and what it is about."""
    reader: str = Field(primary_key=True)
    """A person's id, or mailbox:NAME; the address is looked up when it goes."""
    reminder: str = Field(primary_key=True)
    body: str = Field(index=True)
    wording: str
    what: str
    due: date | None
    cites: list[str] = Field(sa_type=JSON)
    state: str = Field(default="waiting", index=True)
    """waiting, handing (offered, answer not known), sent, over (done before it went), declined, uncertain."""
    mail: str | None = None
    """The key of the email that held it, or was to."""
    mail_on: date | None = None
    tries: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    problem: str | None = None
    created_at: datetime = Field(sa_type=UTCDateTime)
    changed_at: datetime = Field(sa_type=UTCDateTime)


class RegisterRow(SQLModel, table=True):
    """The body's register: one entry a case that reached a decision."""

    __tablename__ = "register"
    case_id: str = Field(primary_key=True)
    body: str = Field(index=True)
    customer: str
    """Reference of a personal text."""
    stage: str
    warned_on: date | None
    decided_on: date | None
    notified_on: date | None
    last_reviewed_on: date | None
    review_due: date | None
    ends: date | None
    ended_on: date | None
    missed_reviews: int


class TaskRow(SQLModel, table=True):
    """What waits for whom; written anew with every act of its case."""

    __tablename__ = "task"
    case_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    body: str = Field(index=True)
    kind: str
    what: str
    ref: str
    offices: list[str] = Field(sa_type=JSON)
    people: list[str] = Field(sa_type=JSON)
    due: date | None
    cites: list[str] = Field(sa_type=JSON)
    command: str | None
    provisional: bool = False
    """The day is known so far: it lies past the known bank holidays."""


class CalendarEditionRow(SQLModel, table=True):
    """A table of bank holidays that somebody loaded; kept for ever, because cases count with it."""

    __tablename__ = "calendar_edition"
    edition: str = Field(primary_key=True)
    nation: str = Field(index=True)
    checked_on: date
    known_until: date
    sha256: str
    text: str
    loaded_at: datetime = Field(sa_type=UTCDateTime)
    loaded_by: str | None = None
    """An id of a staff list; None where an earlier release kept no name."""


class EditionRow(SQLModel, table=True):
    """A policy file as it was when a case first named it; kept for ever by its hash."""

    __tablename__ = "edition"
    hash: str = Field(primary_key=True)
    policy: str
    label: str
    text: str
    kept_at: datetime = Field(sa_type=UTCDateTime)


class StaffRow(SQLModel, table=True):
    """One account on a body's staff list."""

    __tablename__ = "staff"
    body: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    entry: Json = Field(sa_type=JSON)


class StaffListRow(SQLModel, table=True):
    """A body's staff list as it was loaded once; added to, never altered (activities/staff_lists.py)."""

    __tablename__ = "staff_list"
    body: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    loaded_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """None where an earlier release kept no instant."""
    in_force_from: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """None: from ever, as a body's first list is."""
    loaded_by: str | None = None
    source: str
    sha256: str
    entries: list[dict[str, object]] = Field(sa_type=JSON)


class BodyRow(SQLModel, table=True):
    """A body and what it has configured where its policy is silent."""

    __tablename__ = "body"
    body: str = Field(primary_key=True)
    name: str
    policy: str
    settings: Json = Field(sa_type=JSON)


class InstallationRow(SQLModel, table=True):
    """What is this installation's own, by name: the secret under which the desk's keys are made."""

    __tablename__ = "installation"
    name: str = Field(primary_key=True)
    value: str


class SigningKeyRow(SQLModel, table=True):
    """A public key that signs acts. Kept for ever: what it signed is judged by it as it stood then."""

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)
    """The thumbprint of the key (RFC 7638)."""
    public_key: str
    """32 bytes of Ed25519, in hex."""
    holder: str
    person: str | None = None
    staff: bool = False
    bodies: list[str] = Field(sa_type=JSON)
    customer: bool = False
    calendar: bool = False
    local: bool = False
    """Made by the default run, for trying out: no worker in production starts on it alone."""
    valid_from: datetime = Field(sa_type=UTCDateTime)
    valid_to: datetime | None = Field(default=None, sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    revoked_why: str | None = None
    loaded_at: datetime = Field(sa_type=UTCDateTime)
    loaded_by: str


class SecurityRow(SQLModel, table=True):
    """One message that was refused because nobody who may do so had signed it; by the door `administration`, one change of who
    may act (records/administered.py). Codes only. Append-only and chained; records/security.py alone writes it."""

    __tablename__ = "security_log"
    n: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    case_id: str = Field(index=True)
    door: str
    claimed_by: str
    do: str
    command_id: str
    kid: str
    why: str
    hash: str
    """Of this line and the hash of the one before. No default: a worker that does not chain cannot write here."""


class RefusedMarkRow(SQLModel, table=True):
    """The mark of a message that was refused as unsigned and noted: should it come again, in a reset for instance, it stays refused."""

    __tablename__ = "refused_mark"
    case_id: str = Field(primary_key=True)
    door: str = Field(primary_key=True)
    mark: str = Field(primary_key=True)
    """A hash of the whole message, its token too, keyed with the installation's secret."""
    why: str
    """What its sender was answered."""


class RefusedCountRow(SQLModel, table=True):
    """How many unsigned messages came to a case by one door within an hour: beyond a few they are counted and not written."""

    __tablename__ = "refused_count"
    case_id: str = Field(primary_key=True)
    door: str = Field(primary_key=True)
    hour: str = Field(primary_key=True)
    """The hour in UTC: 2027-03-01T14."""
    n: int
    told: bool = False
    """Whether a later line says how many there were."""


class DeskKeyRow(SQLModel, table=True):
    """One way to find a case at the desk: a keyed hash of a name, an address, a number or the case's id (records/desk.py)."""

    __tablename__ = "desk_key"
    key: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True, index=True)


class DeskEntryRow(SQLModel, table=True):
    """Everything the desk needs of one running case, personal text by reference alone; gone when the case ends."""

    __tablename__ = "desk_entry"
    case_id: str = Field(primary_key=True)
    body: str
    person: str = Field(index=True)
    """A keyed hash of name and address: cases that share it are one customer's."""
    entry: str = Field(sa_type=Text)


class ReadRow(SQLModel, table=True):
    """Who read what of a case, through a door that shows more than an act answers. Append-only; holds nothing of what was read."""

    __tablename__ = "read_log"
    n: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)
    who: str
    """The id under which a person signed in."""
    how: str
    """codec, ..."""
    case_id: str = Field(index=True)
    """Empty: of no case."""
    what: str
    """Codes: payloads, case show ..."""
    why: str | None = None
    """A code of the desk, or a reference to the case's own texts: it goes when they go."""
    body: str = ""
    shows: str = ""
    """all, handling, references, payloads, or nothing: refused."""
    part: str = ""
    """What the reader was to the case: officer, keeper, information-officer, informed, staff, nobody, local, desk."""
    stage: str = ""
    """The case's, when it was read; empty: the records hold no such case, or it was of none."""
    person: str = Field(default="", index=True)
    """At the desk: the keyed hash of what was searched for (records/desk.py), never the words."""
    hash: str = ""
    """Of this line and the hash of the one before."""


class ContactRow(SQLModel, table=True):
    """One contact that the desk recorded: kept here and not in the case's state, however many there are."""

    __tablename__ = "contact"
    case_id: str = Field(primary_key=True)
    contact: str = Field(primary_key=True)
    n: int
    on: date
    act: str | None = Field(default=None, index=True)
    """The mark of the id under which it was recorded."""
    entry: Json = Field(sa_type=JSON)
    """Everything recorded of it, personal text by reference."""
