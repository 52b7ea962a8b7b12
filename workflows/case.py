"""One case, for as long as it lives: a queue, one act at a time, one timer, one sending activity a letter."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.outcome import Letter, Outcome
    from workflows.acts import Acts
    from workflows.alarm import Alarm
    from workflows.carry import Carry
    from workflows.monitor import attributes_of, details_of, spoken
    from workflows.reading import came_plain, named, plain

TYPE = "Case"
SEND_WITHIN = timedelta(minutes=2)
"""One attempt: a letter made, a carrier asked and the letter handed over, twenty seconds at most for each call (GIVE_UP_AFTER)."""
SEND_ALIVE = timedelta(seconds=45)
"""An attempt that says nothing for so long is dead; it speaks before each call. A killed worker's letter waits no longer than this."""
SEND_RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(hours=6))
STILL_OWED = "still-owed-after-a-later-act"
"""A change of what a workflow does: histories from before it leave a letter whose attempt ended after a later act was heard of."""
RUN_AT_MOST = timedelta(days=2 * 365)
"""A run older than this starts afresh at its next act, far within the ten years an engine may allow one run."""


@workflow.defn(dynamic=True)
class CaseWorkflow:
    """A customer's case under one body's policy. Dynamic, so that a start with any arguments, or none, gets an answer."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        info = workflow.info()
        given = plain(args[0]) if args else "nothing"
        self.carry = Carry.begin(given, info.workflow_id, continued=info.continued_run_id is not None, unsealed=came_plain(args))
        self.acts = Acts(self.carry)
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
            while self.carry.queue:
                self._adopt(await self.acts.first())
            if self.carry.finished:
                await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self.sending)
                return self.carry.last
            if self._may_renew():
                workflow.continue_as_new(self.carry)
            await workflow.wait_condition(lambda: bool(self.carry.queue) or self._may_renew())

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
                self.sending[notice] = asyncio.create_task(self._send(notice), context=self.acts.within)

    def _rang(self, key: str) -> None:
        self.carry.rings, self.carry.rung = self.carry.rings + 1, key
        message: dict[str, object] = {"v": 1, "id": f"due:{key}#{self.carry.rings}", "do": "deadline_passed", "with": {"key": key}}
        self.acts.hear(message, "calendar")

    async def _send(self, notice: str) -> None:
        seq = self.carry.last.seq if self.carry.last else 0
        letter = Letter(case=workflow.info().workflow_id, notice=notice, now=workflow.now(), seq=seq)
        outcome = await workflow.execute_activity(
            "send", letter, result_type=Outcome, start_to_close_timeout=SEND_WITHIN, heartbeat_timeout=SEND_ALIVE,
            retry_policy=SEND_RETRY, summary=notice,
        )  # fmt: skip
        del self.sending[notice]
        self._adopt(outcome)
        if self.carry.last and notice in self.carry.last.to_send and notice not in self.sending and workflow.patched(STILL_OWED):
            self.sending[notice] = asyncio.create_task(self._send(notice), context=self.acts.within)

    def _may_renew(self) -> bool:
        long = workflow.info().is_continue_as_new_suggested() or workflow.now() - self.began > RUN_AT_MOST
        return long and not self.sending and not self.carry.queue and workflow.all_handlers_finished()

    @workflow.signal(dynamic=True)
    def heard(self, name: str, args: Sequence[RawValue]) -> None:
        """Take any signal raw: what cannot be read or is not allowed is logged on the case and changes nothing."""
        self.acts.hear(named(name, args, id=f"signal:{workflow.uuid4()}"), "outside", "signal", unsealed=came_plain(args))

    @workflow.update(dynamic=True)
    async def asked(self, name: str, args: Sequence[RawValue]) -> Outcome:
        """Answer: accepted, or refused with the clause, or pending (ask again with the same id)."""
        info = workflow.current_update_info()
        message = named(name, args, id=info.id if info else str(workflow.uuid4()))
        outcome = await self.acts.answer(message, unsealed=came_plain(args))
        if not outcome.accepted and outcome.result != "pending":
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
