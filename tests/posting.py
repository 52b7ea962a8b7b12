"""Cases with letters to send, and sending tried again as the engine would, without an engine: for tests of carriers and crashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import Engine
from sqlmodel import select
from temporalio.exceptions import ApplicationError

from activities.bodies import save_body
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Letter, Outcome
from activities.recording import Recording
from activities.sending import Sending
from domain.case import Case, Notice
from records.database import reading, transaction
from records.keys import keys_of
from records.store import read_case
from records.tables import HandOverRow, LetterFileRow, TaskRow
from records.vault import CaseVault, opened_file
from tests.engine import LIMIT, MANAGER, MMO, OFFICER, act, report
from tests.signing import signed_act

UTC = timezone.utc
MONDAY = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
PAPER = {"name": "Quentin Testcase", "channel": "letter", "address": "1 Sample Street\nSampletown\nSA1 1AA"}
EMAIL = {"name": "Quentin Testcase", "channel": "email", "address": "quentin.testcase@example.org"}
FINDINGS = {"own-merits": "One licence.", "proportionality-nature": "All by email.", "proportionality-frequency": "Seventy emails."}


@dataclass
class Posting:
    """Records, a post room and a clock that a test sets forward."""

    engine: Engine
    post: Post
    now: datetime = MONDAY
    waits: list[timedelta] = field(default_factory=list)
    """How long each attempt that failed was told to wait."""

    def set_up(self) -> None:
        with transaction(self.engine) as session:
            save_body(session, MMO)

    def do(self, case: str, message: dict[str, object], *, source: str = "outside") -> Outcome:
        with transaction(self.engine) as session:
            made = Act.model_validate({"case": case, "message": message, "source": source, "now": self.now})
            return Recording(session, signed_act(session, made), ENGINE_TIME).record()

    def decided(self, case: str, *, customer: dict[str, object] = PAPER) -> str:
        """Open a case and lead it to a decision that was told by telephone first; returns the letter that waits."""
        day = self.now.date()
        opened = act("open_case", f"open:{case}", by=OFFICER, with_={"body": "mmo", "customer": customer, "area": "licensing"})
        decision = {"restrictions": [LIMIT], "reasons": "The emails take up the time of the whole team.", "findings": FINDINGS}
        warning = {"medium": "telephone", "findings": {"concerns": "Forty emails in one week.", "policy-copy-directed": True}}
        for message in (
            opened,
            report("report-1", on=_ago(day, 40)),
            act("warn", "warn-1", by=OFFICER, with_=warning, on=_ago(day, 30)),
        ):
            outcome = self.do(case, message)
            assert outcome.accepted, outcome
        for notice in outcome.to_send:
            told = self.do(case, {"v": 1, "id": f"told:{notice}", "do": "record_notification", "saw": notice, "by": OFFICER,
                                  "on": _ago(day, 0), "with": {"method": "by-hand"}})  # fmt: skip
            assert told.accepted, told
        for message in (
            report("report-2", summary="Thirty more emails.", on=_ago(day, 0)),
            act("impose_sanction", "impose-1", by=MANAGER, with_=decision),
        ):
            outcome = self.do(case, message)
            assert outcome.accepted, outcome
        (notice,) = outcome.to_send
        return notice

    def send(self, case: str, notice: str) -> Outcome:
        """Try once, as an activity does. Raises ApplicationError where it is to be tried again."""
        return Sending(self.engine, self.post, ENGINE_TIME).send(Letter(case=case, notice=notice, now=self.now), now=self.now)

    def sent(self, case: str, notice: str, *, tries: int = 40) -> Outcome:
        """Try until it is settled, waiting as long as each failure says."""
        for _ in range(tries):
            try:
                outcome = self.send(case, notice)
                if notice not in outcome.to_send:
                    return outcome
            except ApplicationError as problem:
                wait = problem.next_retry_delay or timedelta(seconds=2)
                self.waits.append(wait)
                self.now += wait
        raise AssertionError(f"{case} {notice}: not settled in {tries} tries")

    def case(self, case: str) -> Case:
        with reading(self.engine) as session:
            found = read_case(session, case)
        assert found is not None
        return found

    def notice(self, case: str, notice: str) -> Notice:
        found = self.case(case).notice(notice)
        assert found is not None
        return found

    def row(self, case: str, name: str) -> HandOverRow | None:
        return next((row for row in self.rows() if (row.case_id, row.notice) == (case, name)), None)

    def text(self, case: str, name: str) -> str:
        """Returns a letter that was offered, as it is kept, in plain text."""
        with reading(self.engine) as session:
            found = session.get(LetterFileRow, (case, name, "txt"))
            assert found is not None
            return opened_file(keys_of(session), found).decode()

    def tasks(self, case: str) -> list[TaskRow]:
        with reading(self.engine) as session:
            return list(session.exec(select(TaskRow).where(TaskRow.case_id == case)).all())

    def rows(self) -> list[HandOverRow]:
        with reading(self.engine) as session:
            found = list(session.exec(select(HandOverRow)).all())
            for row in found:  # a carrier's words are kept with the case's texts
                row.problem = CaseVault(session, row.case_id).get(row.problem) if row.problem else None
            return found


def _ago(day: date, days: int) -> str:
    return (day - timedelta(days=days)).isoformat()
