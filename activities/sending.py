"""A letter on its way out: made, kept, handed over once, noted. What is not known after a crash is asked, never guessed.

The row of a hand-over is written before the carrier is called. So a worker killed anywhere leaves one of two things: a letter that was
never offered, or one of which the carrier is asked first, and a person where the carrier cannot tell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from sqlalchemy import ColumnElement, Engine
from sqlmodel import Session, col, delete, select
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
from domain.formats import Forms
from domain.letters import Letter as Facts
from domain.letters import MissingPart, compose, method_of
from domain.model import State
from records.database import reading, transaction
from records.keys import keys_of
from records.store import read_case
from records.tables import HandOverRow, LetterFileRow, LetterRow
from records.vault import CaseVault, opened_file, sealed_file

Message = dict[str, object]
NOT_IN_USE = "The carrier {carrier} that was offered it is not in use any more."


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
    beat: Callable[[], None] = lambda: None
    """Called before each call of a carrier: whoever watches sees that this attempt lives."""

    def send(self, letter: Letter, *, now: datetime) -> Outcome:
        """Send a letter and record that it went, why it cannot, or that nobody knows. Raises ApplicationError to be tried again."""
        with reading(self.engine) as session:
            case = read_case(session, letter.case)
            notice = case.notice(letter.notice) if case else None
            row = session.get(HandOverRow, (letter.case, issued(notice.id, notice.issue))) if notice else None
            hindered = CaseVault(session, letter.case).get(row.problem) if row and row.problem else None
        if case is None or notice is None or notice.status != "to-send" or case.seq < letter.seq:
            return self._looked(letter, now)
        at = self.clock.case_time(now)
        if row and row.not_before and at < row.not_before:  # the case asked again at once, when it heard that the letter was hindered
            raise _later(NotNow(hindered or "The carrier asked to be left alone.", after=row.not_before), at)
        if row and row.state == "handing" and (known := self._asked(letter, notice, row, now)):
            return known
        try:
            with reading(self.engine) as session:
                offer = self._made(session, case, notice, row, now)
        except (MissingPart, Unprintable, Unmade) as problem:
            return self._note(letter, notice, _blocked(str(problem), getattr(problem, "cites", ())), now)
        return self._offered(letter, notice, offer, now)

    def _looked(self, letter: Letter, now: datetime) -> Outcome:
        """Returns where the case stands: what became of this letter was noted, by an attempt whose answer was lost or by a person.

        Raises RecordsBehind where the records were restored from an older copy: they may have forgotten that it went."""
        act = Act(case=letter.case, message={"id": f"look:{letter.notice}", "do": "look"}, source="post", now=now, seq=letter.seq)
        with transaction(self.engine) as session:
            return Recording(session, act, self.clock).look()

    def _asked(self, letter: Letter, notice: Notice, row: HandOverRow, now: datetime) -> Outcome | None:
        """Returns what became of a letter whose hand-over was cut short, noted; or None where it never arrived and may go."""
        parcel = Parcel(
            case=letter.case, name=row.notice, at=self.clock.case_time(now), since=row.first_at, offered_at=row.changed_at,
            reference=row.reference, method=_method(row.method), to="", address=None, subject="", sender="", files={},
        )  # fmt: skip
        carrier = self.post.named(row.carrier)
        self.beat()
        try:
            handed = carrier.find(parcel) if carrier else _nobody(row.carrier)
        except NotNow as problem:
            self._troubled(letter, row.notice, str(problem), after=problem.after)
            return self._hindered(letter, notice, str(problem), now, then=_later(problem, parcel.at))
        except CannotTell as problem:
            return self._note(letter, notice, _uncertain(str(problem)), now, state="uncertain", problem=str(problem), settled=True)
        if handed is None:
            return None
        return self._handed(letter, notice, _handed_message(row.method, row.carrier, handed, row.day), now, handed=handed)

    def _made(self, session: Session, case: Case, notice: Notice, row: HandOverRow | None, now: datetime) -> Offer:
        policy, at = policy_of_edition(session, case.edition), self.clock.case_time(now)
        method = self.post.method(method_of(case, notice))
        carrier, calendar = self.post.carrier(method), calendar_of(session, case, policy)
        day, body = carrier.posts_on(at, method, calendar), body_of(session, case.body)
        facts = compose(case, notice, policy=policy, calendar=calendar, sent_on=day, ombudsman=body.ombudsman, method=method)
        forms = Forms() if notice.recipient else forms_of(case.customer)
        made = make(facts, policy=case.policy, sender=body.letterhead, forms=forms)
        name = issued(notice.id, notice.issue)
        parcel = Parcel(
            case=case.id, name=name, at=at, since=row.first_at if row else None, offered_at=row.changed_at if row else None,
            reference=f"{case.id}/{name}", method=method, to=facts.name, address=facts.address, subject=facts.label, sender=facts.body,
            files=made.parcel, for_staff=made.for_staff,
        )  # fmt: skip
        return Offer(parcel, facts, made, case.edition, day, carrier)

    def _offered(self, letter: Letter, notice: Notice, offer: Offer, now: datetime) -> Outcome:
        if not offer.carrier.twice_is_once:
            with transaction(self.engine) as session:
                _nobody_else(session, letter, notice, offer)
                self._keep(session, letter, offer, now)
        self.beat()
        try:
            handed = offer.carrier.hand_over(offer.parcel)
        except Declined as problem:
            return self._note(letter, notice, _blocked(str(problem), ()), now, state="declined", problem=str(problem), settled=True)
        except CannotTell as problem:  # what another attempt wrote down of its hand-over stays
            return self._note(letter, notice, _uncertain(str(problem)), now)
        except NotNow as problem:
            self._waiting(letter, offer, now, problem)
            return self._hindered(letter, notice, str(problem), now, then=_later(problem, offer.parcel.at))
        except Unclear as problem:
            self._troubled(letter, offer.parcel.name, str(problem))
            return self._hindered(letter, notice, str(problem), now, then=ApplicationError(str(problem), type="Unclear"))
        message = _handed_message(offer.parcel.method, offer.carrier.name, handed, offer.day)
        return self._handed(letter, notice, message, now, offer=offer, handed=handed)

    def _keep(self, session: Session, letter: Letter, offer: Offer, now: datetime) -> None:
        """Keep the very bytes and the facts they were made from, and that they are being handed over."""
        key = (letter.case, offer.parcel.name)
        mine = (LetterFileRow.case_id == key[0]) & (LetterFileRow.notice == key[1])
        session.execute(delete(LetterFileRow).where(mine))  # type: ignore[arg-type]  # SQLAlchemy columns
        made = offer.made
        kept = Kept(template=made.template, edition=offer.edition, facts=offer.facts, sender=made.sender, forms=made.forms)
        files = {**offer.made.files, "json": kept.model_dump_json().encode()}
        keys = keys_of(session)
        rows = (
            LetterFileRow(case_id=key[0], notice=key[1], ending=ending, sha256=hashlib.sha256(content).hexdigest(), content=content)
            for ending, content in files.items()
        )
        session.add_all(sealed_file(keys, row) for row in rows)
        at, row = self.clock.case_time(now), session.get(HandOverRow, key)
        session.merge(
            HandOverRow(
                case_id=key[0], notice=key[1], carrier=offer.carrier.name, method=offer.parcel.method, reference=offer.parcel.reference,
                day=offer.day, state="handing", first_at=row.first_at if row else at, changed_at=at,
            )
        )  # fmt: skip
        session.flush()

    def _waiting(self, letter: Letter, offer: Offer, now: datetime, problem: NotNow) -> None:
        """Write down that nothing was handed over, so that the next attempt need not ask."""
        with transaction(self.engine) as session:
            facts: Message = {"state": "waiting", "problem": str(problem), "not_before": problem.after}
            _mark(session, letter.case, offer.parcel.name, changed_at=self.clock.case_time(now), **facts)

    def _troubled(self, letter: Letter, name: str, problem: str, *, after: datetime | None = None) -> None:
        """Write down what hinders a letter of which it is not known whether the carrier has it; when it was offered stays."""
        with transaction(self.engine) as session:
            _mark(session, letter.case, name, problem=problem, not_before=after)

    def _hindered(self, letter: Letter, notice: Notice, problem: str, now: datetime, *, then: ApplicationError) -> Outcome:
        """Record the first time that a letter did not go, and return: the case starts the next attempt. Raises `then` every other time."""
        if notice.delayed_on is not None:
            raise then from None
        return self._note(letter, notice, {"do": "notice_delayed", "with": {"problem": problem}}, now)

    def _note(self, letter: Letter, notice: Notice, message: Message, now: datetime, **marks: object) -> Outcome:
        """Record what became of a letter, and beside it, in the same transaction, the state of its hand-over."""
        with transaction(self.engine) as session:
            outcome = self._recorded(session, letter, notice, message, now)
            if marks:
                _mark(session, letter.case, issued(notice.id, notice.issue), changed_at=self.clock.case_time(now), **marks)
        return outcome

    def _handed(
        self, letter: Letter, notice: Notice, message: Message, now: datetime, *, handed: Handed, offer: Offer | None = None
    ) -> Outcome:
        """Record that a carrier has a letter, and beside it, in the same transaction, the letter itself."""
        name = issued(notice.id, notice.issue)
        with transaction(self.engine) as session:
            outcome = self._recorded(session, letter, notice, message, now)
            if offer and offer.carrier.twice_is_once and session.get(LetterRow, (letter.case, name)) is None:
                self._keep(session, letter, offer, now)
            _mark(session, letter.case, name, changed_at=self.clock.case_time(now), state="handed", carrier_id=handed.id,
                  status=handed.status, problem=None, settled=handed.id is None)  # fmt: skip
            self._index(session, letter, name, now, file=handed.file)
        return outcome

    def _recorded(self, session: Session, letter: Letter, notice: Notice, message: Message, now: datetime) -> Outcome:
        envelope = noted(message, notice=notice.id, name=issued(notice.id, notice.issue))
        act = Act(case=letter.case, message=envelope, source="post", now=now, seq=letter.seq)
        return Recording(session, act, self.clock).record()

    def _index(self, session: Session, letter: Letter, name: str, now: datetime, *, file: str | None) -> None:
        """Write the line that says which letter went: its hash, its parts, its edition, which templates made it."""
        session.flush()
        pdf, made = (session.get(LetterFileRow, (letter.case, name, ending)) for ending in ("pdf", "json"))
        if pdf is None or made is None or session.get(LetterRow, (letter.case, name)) is not None:
            return
        kept = Kept.model_validate_json(opened_file(keys_of(session), made))
        session.add(
            LetterRow(
                case_id=letter.case, notice=name, file=file or f"{name}.pdf", sha256=pdf.sha256, template=kept.template,
                parts=[one.part for one in kept.facts.sections], edition=kept.edition, sent_at=self.clock.case_time(now),
            )
        )  # fmt: skip


def _nobody_else(session: Session, letter: Letter, notice: Notice, offer: Offer) -> None:
    """Raises ApplicationError where, since this attempt read the case, another one offered the letter or a person settled it.

    An attempt that was paused longer than its heartbeat is one of two; the next attempt asks what became of it."""
    row = session.exec(select(HandOverRow).where(*_its_row(letter.case, offer.parcel.name)).with_for_update()).first()
    case = read_case(session, letter.case)
    now = case.notice(notice.id) if case else None
    settled = now is None or (now.status, now.issue) != (notice.status, notice.issue)
    if settled or (row.changed_at if row else None) != offer.parcel.offered_at:
        raise ApplicationError("Another attempt has this letter, or somebody settled it meanwhile.", type="Unclear")


def _its_row(case: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return (col(HandOverRow.case_id) == case, col(HandOverRow.notice) == name)


def _mark(session: Session, case: str, name: str, **facts: object) -> None:
    row = session.get(HandOverRow, (case, name))
    if row is not None:
        if isinstance(problem := facts.get("problem"), str):  # a carrier may quote the address
            facts["problem"] = CaseVault(session, case).put(problem)
        row.sqlmodel_update(facts)
        session.add(row)


def _nobody(carrier: str) -> Handed | None:
    raise CannotTell(NOT_IN_USE.format(carrier=carrier))


def _later(problem: NotNow, at: datetime) -> ApplicationError:
    wait = problem.after - at if problem.after else None
    return ApplicationError(str(problem), type="NotNow", next_retry_delay=max(wait, timedelta(seconds=1)) if wait else None)


def _method(name: str) -> Method:
    return next((one for one in get_args(Method) if one == name), "first-class-post")


def _handed_message(method: str, carrier: str, handed: Handed, day: date) -> Message:
    """Returns the note that a letter went, on the day it prints; or, where it is still to be printed, that it is with the carrier."""
    if handed.posted:
        return {"do": "notice_sent", "on": day.isoformat(), "with": {"method": method}}
    return {"do": "notice_handed_over", "with": {"method": method, "carrier": carrier, "expected": day.isoformat()}}


def _blocked(problem: str, clauses: tuple[str, ...]) -> Message:
    return {"do": "notice_blocked", "with": {"problem": problem, "clauses": list(clauses)}}


def _uncertain(problem: str) -> Message:
    return {"do": "notice_uncertain", "with": {"problem": problem}}


def noted(message: Message, *, notice: str, name: str) -> Message:
    """Returns the post's message about one issue of a letter, under an id that this issue has once for each thing that can be said."""
    return {"v": 1, "id": f"{message['do']}:{name}", "saw": notice, **message}


def issued(notice: str, issue: int) -> str:
    """Returns the name of one issue of a letter: n1, and n1-2 when it goes again."""
    return notice if issue < 2 else f"{notice}-{issue}"
