"""The two activities of a case: act on the record, and send a letter and note that it went."""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.bodies import calendar_for, policy_of_edition
from activities.clock import ENGINE_TIME, Clock
from activities.letters import Rendered, Unprintable, render
from activities.outcome import Act, Letter, Outcome
from activities.recording import Recording, RecordsBehind
from domain.case import Case, Notice
from domain.days import london_date
from domain.letters import Letter as LetterFacts
from domain.letters import MissingPart, compose
from records.database import reading, transaction
from records.store import read_case
from records.tables import LetterRow

TRIES_BEFORE_SETTING_ASIDE = 5


@dataclass(frozen=True)
class CaseActivities:
    """What a worker gives its activities: the records, the outbox, and how time runs."""

    engine: Engine
    outbox: Path
    clock: Clock = ENGINE_TIME

    @activity.defn(name="act")
    def act(self, act: Act) -> Outcome:
        """Act on one message in one transaction. A fault in the program is tried again, then set aside for a person."""
        try:
            with transaction(self.engine) as session:
                outcome = Recording(session, act, self.clock).record()
        except (OperationalError, InterfaceError, RecordsBehind) as fault:  # tried again until the database answers, or is repaired
            raise _told(fault) from None
        except Exception as fault:
            _note(fault)
            if activity.info().attempt < TRIES_BEFORE_SETTING_ASIDE:
                raise _told(fault) from None
            with transaction(self.engine) as session:
                return Recording(session, act, self.clock).set_aside(type(fault).__name__)
        if outcome.closed:
            self._destroy_letters(act.case)
        return outcome

    @activity.defn(name="send")
    def send(self, letter: Letter) -> Outcome:
        """Send one letter, then record that it went, or why it cannot. It is tried for days; the case goes on meanwhile."""
        try:
            return self._send(letter)
        except Exception as fault:
            _note(fault)
            raise _told(fault) from None

    def _send(self, letter: Letter) -> Outcome:
        with reading(self.engine) as session:
            case = read_case(session, letter.case)
            notice = case.notice(letter.notice) if case else None
            if case is None or notice is None or notice.status != "to-send":
                return self._noted(letter, notice.issue if notice else 1, _sent(notice))
            try:
                facts, rendered = self._made(session, case, notice, letter)
            except (MissingPart, Unprintable) as problem:
                clauses = list(problem.cites) if isinstance(problem, MissingPart) else []
                return self._noted(letter, notice.issue, {"do": "notice_blocked", "with": {"problem": str(problem), "clauses": clauses}})
        file = self._into_outbox(letter, notice.issue, rendered)
        return self._noted(letter, notice.issue, _sent(facts), sent=(file, rendered, case))

    def _made(self, session: Session, case: Case, notice: Notice, letter: Letter) -> tuple[LetterFacts, Rendered]:
        policy = policy_of_edition(session, case.edition)
        sent_on = london_date(self.clock.case_time(letter.now))
        facts = compose(case, notice, policy=policy, calendar=calendar_for(session, case.body, policy), sent_on=sent_on)
        return facts, render(facts, policy=case.policy)

    def _into_outbox(self, letter: Letter, issue: int, rendered: Rendered) -> Path:
        file = file_of(self.outbox, letter.case, issued(letter.notice, issue))
        file.parent.mkdir(parents=True, exist_ok=True)
        for suffix, content in ((".html", rendered.html), (".txt", rendered.text)):
            file.with_suffix(suffix).write_text(content, encoding="utf-8")
        return file

    def _noted(self, letter: Letter, issue: int, message: dict[str, object], *, sent: tuple[Path, Rendered, Case] | None = None) -> Outcome:
        id = f"{message['do']}:{issued(letter.notice, issue)}"
        envelope = {"v": 1, "id": id, "saw": letter.notice, **message}
        with transaction(self.engine) as session:
            outcome = Recording(
                session, Act(case=letter.case, message=envelope, source="post", now=letter.now, seq=letter.seq), self.clock
            ).record()
            if sent and session.get(LetterRow, (letter.case, issued(letter.notice, issue))) is None:
                file, rendered, case = sent
                session.add(
                    LetterRow(
                        case_id=letter.case,
                        notice=issued(letter.notice, issue),
                        file=str(file),
                        sha256=hashlib.sha256(rendered.html.encode()).hexdigest(),
                        template="1",
                        parts=list(rendered.parts),
                        edition=case.edition,
                        sent_at=self.clock.case_time(letter.now),
                    )
                )
        return outcome

    def _destroy_letters(self, case: str) -> None:
        folder = file_of(self.outbox, case, "n1").parent
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            file.unlink()
        if folder.is_dir():
            folder.rmdir()


def _told(fault: Exception) -> ApplicationError:
    """Returns a fault as the engine may keep it: its kind alone, for its text and its stack may quote a person."""
    text = str(fault) if isinstance(fault, RecordsBehind) else f"A fault of kind {type(fault).__name__}; the worker's own log says where."
    return ApplicationError(text, type=type(fault).__name__)


def _note(fault: Exception) -> None:
    """Write where a fault happened into the worker's own log, without its text."""
    where = "".join(traceback.format_tb(fault.__traceback__))
    activity.logger.error("%s\n%s", type(fault).__name__, where)


def file_of(outbox: Path, case: str, name: str) -> Path:
    """Returns where a letter lies in the outbox: a folder a case, a file an issue."""
    return outbox / quote(case, safe="") / f"{name}.html"


def _sent(letter: Notice | LetterFacts | None) -> dict[str, object]:
    return {"do": "notice_sent", "with": {"method": letter.method if letter and letter.method else "email"}}


def issued(notice: str, issue: int) -> str:
    """Returns the name of one issue of a letter: n1, and n1-2 when it goes again."""
    return notice if issue < 2 else f"{notice}-{issue}"
