"""The queue of one case: messages in the order they came, one act at a time, an answer for whoever waits."""

from __future__ import annotations

from contextlib import suppress
from contextvars import Context, copy_context
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from activities.outcome import Act, Door, Outcome, Source
from workflows.carry import Carry, Queued

ACT_WITHIN = timedelta(seconds=8)
"""How long one try may take: after kill -9 of a worker a case goes on within it, so it is short."""
ACT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
ANSWER_WITHIN = timedelta(seconds=30)
"""How long an update waits for its act; beyond it the answer is pending, and the same id asks again."""
ASKED_TWICE = "asked-twice-acted-once"
"""A change of what a workflow does: histories from before it act on such a message twice, to the same answer."""
PENDING_AGAIN = "pending-again"
"""A change of what a workflow does: histories from before it let whoever asks again wait for as long as the act takes."""
PAUSE = timedelta(seconds=10)
"""Between tries of an act that the records could not take."""

PENDING = Outcome(command="", result="pending", answer="Not yet acted on: ask again with this id.")


class Acts:
    """What waits to be acted on, and what became of it."""

    def __init__(self, carry: Carry) -> None:
        self.carry = carry
        self.answers: dict[int, Outcome | None] = {}
        self.heard_in: dict[int, Context] = {}
        """Within what each message was heard: its sender's trace, where one came with it. Not carried into the next run."""
        self.within = Context()
        """That of the last message acted on: its letters belong to the same trace."""
        self.late = False
        """Whether the first message has already waited longer than an answer may take."""

    def hear(self, message: dict[str, object], source: Source, door: Door | None = None, *, unsealed: bool = False) -> Queued:
        """Put a message at the end of the queue."""
        self.carry.tickets += 1
        queued = Queued(message=message, source=source, door=door, ticket=self.carry.tickets, unsealed=unsealed)
        self.carry.queue.append(queued)
        self.heard_in[queued.ticket] = copy_context() if source == "outside" else Context()
        return queued

    async def answer(self, message: dict[str, object], *, unsealed: bool = False) -> Outcome:
        """Put a message at the end of the queue and wait for its answer, or for word that it is pending."""
        queued = self._same(message) or self.hear(message, "outside", "update", unsealed=unsealed)
        self.answers[queued.ticket] = None
        await self._until_answered(queued.ticket)
        outcome = self.answers.pop(queued.ticket) or PENDING
        return outcome.model_copy(update={"command": queued.id}) if outcome.result == "pending" else outcome

    async def _until_answered(self, ticket: int) -> None:
        """Wait for an answer. A timer of its own is set for those alone who ask while an act is late: all others are let go with it."""
        within = ANSWER_WITHIN if self.late and workflow.patched(PENDING_AGAIN) else None
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.answers[ticket] is not None, timeout=within)

    def _same(self, message: dict[str, object]) -> Queued | None:
        """Returns the same message where it waits and nobody for its answer: an opening comes with the start and is asked for too."""
        waiting = (one for one in self.carry.queue if one.source == "outside" and one.ticket not in self.answers)
        same = next((one for one in waiting if one.message == message), None)
        return same if same and workflow.patched(ASKED_TWICE) else None

    async def first(self) -> Outcome:
        """Have the first message acted on, however long the records are away."""
        queued = self.carry.queue[0]
        self.within = self.heard_in.pop(queued.ticket, copy_context())
        outcome = await self._acted(queued)
        self.late = False
        self.carry.queue.pop(0)
        if queued.ticket in self.answers:
            self.answers[queued.ticket] = outcome
        return outcome

    async def _acted(self, queued: Queued) -> Outcome:
        seq = self.carry.last.seq if self.carry.last else 0
        act = Act(
            case=workflow.info().workflow_id, message=queued.message, source=queued.source, door=queued.door, now=workflow.now(), seq=seq,
            unsealed=queued.unsealed,
        )  # fmt: skip
        within: timedelta | None = ANSWER_WITHIN
        while True:
            try:
                begun = self.within.run(
                    workflow.start_activity, "act", act, result_type=Outcome, start_to_close_timeout=ACT_WITHIN,
                    schedule_to_close_timeout=within, retry_policy=ACT_RETRY, summary=queued.name,
                )  # fmt: skip
                outcome: Outcome = await begun
                return outcome
            except ActivityError:
                within, self.late = None, True
                self._release()
                await workflow.sleep(PAUSE)

    def _release(self) -> None:
        """Tell everybody who waits that the answer is pending."""
        for ticket, answer in self.answers.items():
            if answer is None:
                self.answers[ticket] = PENDING
