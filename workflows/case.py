"""One case, for as long as it lives: a queue, one act at a time, one timer, one sending activity a letter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.outcome import Act, Letter, Outcome, Source
    from workflows.alarm import Alarm
    from workflows.carry import Carry, Queued
    from workflows.monitor import attributes_of, details_of, spoken
    from workflows.reading import named, plain

TYPE = "Case"
ACT_WITHIN, SEND_WITHIN = timedelta(seconds=8), timedelta(seconds=15)
"""How long one try may take: after kill -9 of a worker a case goes on within these, so they are short."""
ACT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
SEND_RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(hours=6))
ANSWER_WITHIN = timedelta(seconds=30)
"""How long an update waits for its act; beyond it the answer is pending, and the same id asks again."""
RUN_AT_MOST = timedelta(days=2 * 365)
"""A run older than this starts afresh at its next act, far within the ten years an engine may allow one run."""


@workflow.defn(dynamic=True)
class CaseWorkflow:
    """A customer's case under one body's policy. Dynamic, so that a start with any arguments, or none, gets an answer."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        info = workflow.info()
        given = plain(args[0]) if args else "nothing"
        self.carry = Carry.begin(given, info.workflow_id, continued=info.continued_run_id is not None)
        self.answers: dict[int, Outcome | None] = {}
        self.sending: dict[str, asyncio.Task[None]] = {}
        self.alarm = Alarm(self._rang)
        self.began = workflow.now()

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Outcome | None:
        """Live until the papers are destroyed, or the case turns out never to have opened; the result says which."""
        if workflow.info().workflow_type != TYPE:
            raise ApplicationError(f"There is one workflow here: {TYPE}.", non_retryable=True)
        self._adopt(self.carry.last)
        while True:
            await self._act_on_queue()
            if self.carry.finished:
                await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self.sending)
                return self.carry.last
            self._renew_if_long()
            await workflow.wait_condition(lambda: bool(self.carry.queue) or self._may_renew())

    async def _act_on_queue(self) -> None:
        while self.carry.queue:
            queued = self.carry.queue[0]
            act = Act(case=workflow.info().workflow_id, message=queued.message, source=queued.source, now=workflow.now(), seq=self._seq())
            outcome = await workflow.execute_activity(
                "act", act, result_type=Outcome, start_to_close_timeout=ACT_WITHIN, retry_policy=ACT_RETRY, summary=queued.name
            )
            self.carry.queue.pop(0)
            if queued.ticket in self.answers:
                self.answers[queued.ticket] = outcome
            self._adopt(outcome)

    def _adopt(self, outcome: Outcome | None) -> None:
        """Take over what the record says the case needs: the next deadline, the letters, what the UI shows."""
        if outcome is None or (self.carry.last and outcome.seq < self.carry.last.seq):
            return
        changed = attributes_of(outcome, before=self.carry.last)
        self.carry.last = outcome
        if changed:
            workflow.upsert_search_attributes(changed)
        workflow.set_current_details(details_of(outcome))
        self.alarm.set(outcome.wake_at, outcome.due_key, outcome.due or "", rung=self.carry.rung)
        for notice in outcome.to_send:
            if notice not in self.sending:
                self.sending[notice] = asyncio.create_task(self._send(notice))

    def _rang(self, key: str) -> None:
        self.carry.rings, self.carry.rung = self.carry.rings + 1, key
        self._hear({"v": 1, "id": f"due:{key}#{self.carry.rings}", "do": "deadline_passed", "with": {"key": key}}, "calendar")

    async def _send(self, notice: str) -> None:
        letter = Letter(case=workflow.info().workflow_id, notice=notice, now=workflow.now(), seq=self._seq())
        outcome = await workflow.execute_activity(
            "send", letter, result_type=Outcome, start_to_close_timeout=SEND_WITHIN, retry_policy=SEND_RETRY, summary=notice
        )
        del self.sending[notice]
        self._adopt(outcome)

    def _seq(self) -> int:
        return self.carry.last.seq if self.carry.last else 0

    def _hear(self, message: dict[str, object], source: Source) -> Queued:
        self.carry.tickets += 1
        queued = Queued(message=message, source=source, ticket=self.carry.tickets)
        self.carry.queue.append(queued)
        return queued

    def _may_renew(self) -> bool:
        long = workflow.info().is_continue_as_new_suggested() or workflow.now() - self.began > RUN_AT_MOST
        return long and not self.sending and not self.carry.queue and workflow.all_handlers_finished()

    def _renew_if_long(self) -> None:
        if self._may_renew():
            workflow.continue_as_new(self.carry)

    @workflow.signal(dynamic=True)
    def heard(self, name: str, args: Sequence[RawValue]) -> None:
        """Take any signal raw: what cannot be read or is not allowed is logged on the case and changes nothing."""
        self._hear(named(name, args, id=f"signal:{workflow.uuid4()}"), "outside")

    @workflow.update(dynamic=True)
    async def asked(self, name: str, args: Sequence[RawValue]) -> Outcome:
        """Answer: accepted, or refused with the clause, or pending (ask again with the same id)."""
        info = workflow.current_update_info()
        queued = self._hear(named(name, args, id=info.id if info else str(workflow.uuid4())), "outside")
        self.answers[queued.ticket] = None
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.answers[queued.ticket] is not None, timeout=ANSWER_WITHIN)
        outcome = self.answers.pop(queued.ticket)
        if outcome is None:
            return Outcome(command=queued.id, result="pending", answer="Not yet acted on: ask again with this id.")
        if not outcome.accepted:
            raise ApplicationError(spoken(outcome), outcome, type=outcome.result, non_retryable=True)
        return outcome

    @workflow.query
    def state(self) -> Outcome | None:
        """Returns the last outcome: stage, next deadline, what waits for whom."""
        return self.carry.last

    @workflow.query
    def unsent(self) -> list[str]:
        """Returns the letters on their way."""
        return sorted(self.sending)
