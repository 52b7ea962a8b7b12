"""A letter on its way out: made, kept, handed over once, noted. What is not known after a crash is asked, never guessed.

The row of a hand-over is written before the carrier is called. So a worker killed anywhere leaves one of two things: a letter that was
never offered, or one of which the carrier is asked first, and a person where the carrier cannot tell."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, delete
from temporalio.exceptions import ApplicationError

from activities.bodies import body_of, policy_of_edition
from activities.calendars import calendar_of
from activities.carriers.carrier import CannotTell, Carrier, Declined, Handed, Method, NotNow, Parcel, Unclear
from activities.carriers.post import Post
from activities.clock import Clock
from activities.letters import Unprintable
from activities.made import Made, make
from activities.outcome import Act, Letter, Outcome
from activities.pdf import Unmade
from activities.recording import Recording
from domain.adjustments import forms_of
from domain.case import Case, Notice
from domain.days import london_date
from domain.formats import Forms
from domain.letters import Letter as Facts
from domain.letters import MissingPart, compose, method_of
from domain.model import State
from records.database import reading, transaction
from records.store import read_case
from records.tables import HandOverRow, LetterFileRow, LetterRow

Message = dict[str, object]


@dataclass(frozen=True)
class Offer:
    """A letter ready to be handed over: the parcel, the facts it was made from, the day it prints, the carrier."""

    parcel: Parcel
    facts: Facts
    made: Made
    edition: str
    day: date
    carrier: Carrier


class Kept(State):
    """What a letter was made from, kept beside its bytes."""

    v: int = 1
    template: str
    edition: str
    facts: Facts
    sender: tuple[str, ...] = ()
    """The letterhead."""
    forms: Forms = Forms()


@dataclass(frozen=True)
class Sending:
    """Sends one letter at a time for its case."""

    engine: Engine
    post: Post
    clock: Clock

    def send(self, letter: Letter, *, now: datetime) -> Outcome:
        """Send a letter and record that it went, why it cannot, or that nobody knows. Raises ApplicationError to be tried again."""
        with reading(self.engine) as session:
            case = read_case(session, letter.case)
            notice = case.notice(letter.notice) if case else None
            row = session.get(HandOverRow, (letter.case, issued(notice.id, notice.issue))) if notice else None
            if case is None or notice is None or notice.status != "to-send":
                return self._note(letter, notice.issue if notice else 1, _sent(notice), now)
            if row and row.state == "handing" and (known := self._asked(letter, notice, row, now)):
                return known
            try:
                offer = self._made(session, case, notice, letter, now)
            except (MissingPart, Unprintable, Unmade) as problem:
                return self._note(letter, notice.issue, _blocked(str(problem), getattr(problem, "cites", ())), now)
        return self._offered(letter, notice, offer, now)

    def _asked(self, letter: Letter, notice: Notice, row: HandOverRow, now: datetime) -> Outcome | None:
        """Returns what became of a letter whose hand-over was cut short, noted; or None where it never arrived and may go."""
        method = _method(row.method)
        parcel = Parcel(
            case=letter.case, name=row.notice, reference=row.reference, method=method, to="", address=None, subject="", sender="", files={}
        )
        carrier = self.post.named(row.carrier)
        try:
            handed = carrier.find(parcel) if carrier else _nobody(row.carrier)
        except NotNow as problem:
            raise _later(problem, now) from None
        except CannotTell as problem:
            return self._uncertain(letter, notice, str(problem), now)
        if handed is None:
            return None
        return self._note(letter, notice.issue, _handed_message(row.method, row.carrier, handed, row.day), now, handed=handed)

    def _made(self, session: Session, case: Case, notice: Notice, letter: Letter, now: datetime) -> Offer:
        policy, today = policy_of_edition(session, case.edition), london_date(self.clock.case_time(now))
        method = _method(method_of(case, notice))
        carrier, calendar = self.post.carrier(method), calendar_of(session, case, policy)
        day = carrier.posts_on(today, method, calendar)
        body = body_of(session, case.body)
        facts = compose(case, notice, policy=policy, calendar=calendar, sent_on=day, ombudsman=body.ombudsman)
        made = make(facts, policy=case.policy, sender=body.letterhead, forms=forms_of(case.customer, notice))
        name = issued(notice.id, notice.issue)
        parcel = Parcel(
            case=case.id, name=name, reference=f"{case.id}/{name}", method=method, to=facts.name, address=facts.address,
            subject=facts.label, sender=facts.body, files=made.parcel, for_staff=made.for_staff,
        )  # fmt: skip
        return Offer(parcel, facts, made, case.edition, day, carrier)

    def _offered(self, letter: Letter, notice: Notice, offer: Offer, now: datetime) -> Outcome:
        if not offer.carrier.twice_is_once:
            with transaction(self.engine) as session:
                self._keep(session, letter, offer, now, state="handing")
        try:
            handed = offer.carrier.hand_over(offer.parcel)
        except Declined as problem:
            self._marked(letter, offer.parcel.name, now, state="declined", problem=str(problem), settled=True)
            return self._note(letter, notice.issue, _blocked(str(problem), ()), now)
        except NotNow as problem:
            self._marked(letter, offer.parcel.name, now, state="waiting", problem=str(problem))
            raise _later(problem, now) from None
        except Unclear as problem:
            raise ApplicationError(str(problem), type="Unclear") from None
        message = _handed_message(offer.parcel.method, offer.carrier.name, handed, offer.day)
        return self._note(letter, notice.issue, message, now, offer=offer, handed=handed)

    def _keep(self, session: Session, letter: Letter, offer: Offer, now: datetime, *, state: str) -> None:
        """Keep the very bytes and the facts they were made from, and that they are being handed over."""
        key = (letter.case, offer.parcel.name)
        mine = (LetterFileRow.case_id == key[0]) & (LetterFileRow.notice == key[1])
        session.execute(delete(LetterFileRow).where(mine))  # type: ignore[arg-type]  # SQLAlchemy columns
        made = offer.made
        kept = Kept(template=made.template, edition=offer.edition, facts=offer.facts, sender=made.sender, forms=made.forms)
        files = {**offer.made.files, "json": kept.model_dump_json().encode()}
        session.add_all(
            LetterFileRow(case_id=key[0], notice=key[1], ending=ending, sha256=hashlib.sha256(content).hexdigest(), content=content)
            for ending, content in files.items()
        )
        at, row = self.clock.case_time(now), session.get(HandOverRow, key)
        facts: Message = {
            "carrier": offer.carrier.name,
            "method": offer.parcel.method,
            "reference": offer.parcel.reference,
            "day": offer.day,
        }
        session.merge(
            HandOverRow(case_id=key[0], notice=key[1], **facts, state=state, first_at=row.first_at if row else at, changed_at=at)  # type: ignore[arg-type]  # as named
        )

    def _marked(self, letter: Letter, name: str, now: datetime, **facts: object) -> None:
        with transaction(self.engine) as session:
            _mark(session, letter.case, name, at=self.clock.case_time(now), **facts)

    def _uncertain(self, letter: Letter, notice: Notice, problem: str, now: datetime) -> Outcome:
        self._marked(letter, issued(notice.id, notice.issue), now, state="uncertain", problem=problem, settled=True)
        return self._note(letter, notice.issue, {"do": "notice_uncertain", "with": {"problem": problem}}, now)

    def _note(
        self, letter: Letter, issue: int, message: Message, now: datetime, *, offer: Offer | None = None, handed: Handed | None = None
    ) -> Outcome:
        """Record what became of a letter, and beside it, in the same transaction, the letter itself."""
        name = issued(letter.notice, issue)
        envelope = {"v": 1, "id": f"{message['do']}:{name}", "saw": letter.notice, **message}
        act = Act(case=letter.case, message=envelope, source="post", now=now, seq=letter.seq)
        with transaction(self.engine) as session:
            outcome = Recording(session, act, self.clock).record()
            if handed is None:
                return outcome
            if offer and offer.carrier.twice_is_once:
                self._keep(session, letter, offer, now, state="handing")
                session.flush()
            _mark(session, letter.case, name, at=self.clock.case_time(now), state="handed", carrier_id=handed.id, status=handed.status,
                  problem=None, settled=handed.id is None)  # fmt: skip
            self._index(session, letter, name, now, file=handed.file)
        return outcome

    def _index(self, session: Session, letter: Letter, name: str, now: datetime, *, file: str | None) -> None:
        """Write the line that says which letter went: its hash, its parts, its edition, which templates made it."""
        session.flush()
        pdf, made = (session.get(LetterFileRow, (letter.case, name, ending)) for ending in ("pdf", "json"))
        if pdf is None or made is None or session.get(LetterRow, (letter.case, name)) is not None:
            return
        kept = Kept.model_validate_json(made.content)
        session.add(
            LetterRow(
                case_id=letter.case, notice=name, file=file or f"{name}.pdf", sha256=pdf.sha256, template=kept.template,
                parts=[one.part for one in kept.facts.sections], edition=kept.edition, sent_at=self.clock.case_time(now),
            )
        )  # fmt: skip


def _mark(session: Session, case: str, name: str, *, at: datetime, **facts: object) -> None:
    row = session.get(HandOverRow, (case, name))
    if row is not None:
        row.sqlmodel_update({**facts, "changed_at": at})
        session.add(row)


def _nobody(carrier: str) -> Handed | None:
    raise CannotTell(f"The carrier {carrier} that was offered it is not in use any more.")


def _later(problem: NotNow, now: datetime) -> ApplicationError:
    wait = problem.after - now if problem.after else None
    return ApplicationError(str(problem), type="NotNow", next_retry_delay=max(wait, timedelta(seconds=1)) if wait else None)


def _method(name: str) -> Method:
    return "email" if name == "email" else "second-class-post" if name == "second-class-post" else "first-class-post"


def _handed_message(method: str, carrier: str, handed: Handed, day: date) -> Message:
    """Returns the note that a letter went; or, where it is still to be printed, that it is with the carrier."""
    if handed.posted:
        return {"do": "notice_sent", "with": {"method": method}}
    return {"do": "notice_handed_over", "with": {"method": method, "carrier": carrier, "expected": day.isoformat()}}


def _blocked(problem: str, clauses: tuple[str, ...]) -> Message:
    return {"do": "notice_blocked", "with": {"problem": problem, "clauses": list(clauses)}}


def _sent(notice: Notice | None) -> Message:
    return {"do": "notice_sent", "with": {"method": notice.method if notice and notice.method else "email"}}


def issued(notice: str, issue: int) -> str:
    """Returns the name of one issue of a letter: n1, and n1-2 when it goes again."""
    return notice if issue < 2 else f"{notice}-{issue}"
