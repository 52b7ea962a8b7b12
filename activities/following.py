"""What became of letters that a carrier took: asked of it, recorded on their cases, once for each thing that can happen to one.

It is recorded here, by the post's own hand, because nobody outside may speak for the post. The case is then told by a signal of the same
words and id, to which it answers with what it recorded already, and sets its timers anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.carriers.carrier import CannotTell, Method, News, NotNow
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME, Clock
from activities.given_texts import clear_unused_texts
from activities.outcome import Act
from activities.recording import Recording
from activities.sending import Message, issued, noted
from activities.staff_mail import StaffCounts, send_staff_notices
from domain.case import Notice
from domain.days import london_date
from domain.model import State
from records.database import reading, transaction
from records.store import read_case
from records.tables import HandOverRow
from records.vault import CaseVault

BEAT_EVERY = 20.0
"""Seconds between two signs that a round lives."""
GIVE_UP_AFTER = 5
"""So many questions in a row without an answer, and the carrier is left alone until the next round."""


class Round(State):
    """One round in numbers: how many letters were asked about, of how many there was news, and how many could not be asked about."""

    asked: int = 0
    news: int = 0
    troubled: int = 0
    left: int = 0
    """Not asked about this time: the carrier did not answer for the ones before."""
    staff: StaffCounts = StaffCounts()
    """What went to staff by email in the same round."""


Tell = Callable[[str, Message], Awaitable[None]]


@dataclass(frozen=True)
class Following:
    """Asks carriers about the letters they took."""

    engine: Engine
    post: Post
    clock: Clock = ENGINE_TIME

    async def round(self, now: datetime, *, tell: Tell, beat: Callable[[], None] = lambda: None) -> Round:
        """Ask about every letter of which something is still to come, the oldest first, and tell each case its news."""
        rows, found, failed = await asyncio.to_thread(self._open), Round(), 0
        for n, row in enumerate(rows):
            if failed >= GIVE_UP_AFTER:
                return found.model_copy(update={"left": len(rows) - n})
            beat()
            news = await asyncio.to_thread(self._news, row, now)
            failed = failed + 1 if news is None else 0
            changed = news is not None and await self._one(row, news, now, tell)
            counts = {"asked": found.asked + 1, "news": found.news + changed, "troubled": found.troubled + (news is None)}
            found = found.model_copy(update=counts)
        return found

    def _open(self) -> list[HandOverRow]:
        query = select(HandOverRow).where(col(HandOverRow.settled).is_(False), HandOverRow.state == "handed")
        query = query.where(col(HandOverRow.carrier_id).is_not(None)).order_by(col(HandOverRow.first_at), col(HandOverRow.case_id))
        with reading(self.engine) as session:
            return list(session.exec(query).all())

    def _news(self, row: HandOverRow, now: datetime) -> News | None:
        """Returns a carrier's word on one letter, or None where it gave none this time."""
        carrier = self.post.named(row.carrier)
        if carrier is None or row.carrier_id is None:
            return None
        method: Method = "email" if row.method == "email" else "first-class-post"
        try:
            return carrier.news(row.carrier_id, method, self.clock.case_time(now))
        except NotNow:
            return None
        except CannotTell as problem:
            return News(status="not known any more", what="uncertain", problem=str(problem))

    async def _one(self, row: HandOverRow, news: News, now: datetime, tell: Tell) -> bool:
        if news.what == "waits":
            if news.status != row.status:
                await asyncio.to_thread(self._mark, row, status=news.status)
            return False
        message = await asyncio.to_thread(self._record, row, news, now)
        if message is not None:
            await tell(row.case_id, message)
        await asyncio.to_thread(self._mark, row, status=news.status, problem=news.problem, settled=True)
        return True

    def _record(self, row: HandOverRow, news: News, now: datetime) -> Message | None:
        today = london_date(self.clock.case_time(now))
        message = {**_message(row, news), "on": min(news.on or today, today).isoformat()}
        with transaction(self.engine) as session:
            return self.record(session, row, message, now)

    def record(self, session: Session, row: HandOverRow, message: Message, now: datetime) -> Message | None:
        """Record news of one letter on its case. Returns what the case is to be told, or None where it changes nothing there."""
        notice = current(session, row)
        if notice is None:
            return None
        envelope = noted(message, notice=notice.id, name=row.notice)
        act = Act(case=row.case_id, message=envelope, source="post", now=now)
        outcome = Recording(session, act, self.clock).record()
        session.flush()  # the next letter may be of the same case
        return envelope if outcome.accepted else None

    def _mark(self, row: HandOverRow, **facts: object) -> None:
        with transaction(self.engine) as session:
            held = session.get(HandOverRow, (row.case_id, row.notice))
            if held is not None:
                if isinstance(problem := facts.get("problem"), str):  # a carrier may quote the address
                    facts["problem"] = CaseVault(session, row.case_id).put(problem)
                held.sqlmodel_update(facts)
                session.add(held)


def current(session: Session, row: HandOverRow) -> Notice | None:
    """Returns the letter of a hand-over, where its case still goes on and the letter was not issued again since."""
    case = read_case(session, row.case_id)
    notices = case.notices if case is not None and case.destroyed_on is None else ()
    return next((one for one in notices if issued(one.id, one.issue) == row.notice), None)


def _message(row: HandOverRow, news: News) -> Message:
    match news.what:
        case "posted":
            return {"do": "notice_sent", "with": {"method": row.method}}
        case "delivered":
            return {"do": "notice_delivered"}
        case "returned":
            return {"do": "notice_returned", "with": {"problem": news.problem}}
        case "blocked":
            return {"do": "notice_blocked", "with": {"problem": news.problem, "clauses": []}}
        case _:
            return {"do": "notice_uncertain", "with": {"problem": news.problem}}


@dataclass(frozen=True)
class RoundActivities:
    """The one activity of a post round: what became of letters, and what waits for staff."""

    following: Following
    client: Client

    @activity.defn(name="follow_letters")
    async def follow(self) -> Round:
        """Ask about every letter that a carrier took, tell the cases what became of them, and send staff what waits for them."""
        at = activity.info().current_attempt_scheduled_time
        found = await self.following.round(at, tell=self.tell, beat=activity.heartbeat)
        found = found.model_copy(update={"staff": await self._staff(at)})
        await asyncio.to_thread(self._clear, at)
        return found

    def _clear(self, at: datetime) -> None:
        with transaction(self.following.engine) as session:
            clear_unused_texts(session, at=self.following.clock.case_time(at))

    async def _staff(self, at: datetime) -> StaffCounts:
        """Send what waits for staff, saying meanwhile that this round lives."""
        one = self.following
        sending = asyncio.create_task(asyncio.to_thread(send_staff_notices, one.engine, one.post, one.clock, at))
        while not sending.done():
            activity.heartbeat()
            await asyncio.wait({sending}, timeout=BEAT_EVERY)
        return sending.result()

    async def tell(self, case: str, message: Message) -> None:
        await tell(self.client, case, message)


async def tell(client: Client, case: str, message: Message) -> None:
    """Send a case what was recorded on it. One that runs no more needs no telling."""
    try:
        await client.get_workflow_handle(case).signal(str(message["do"]), message)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
