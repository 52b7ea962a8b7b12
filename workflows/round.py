"""A round of the post: one activity asks carriers what became of their letters, and writes to staff. Started by a schedule, or by hand."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.following import Round

TYPE = "Post round"
ROUND_WITHIN = timedelta(minutes=30)
ALIVE = timedelta(minutes=1)
"""It speaks before each letter, and no question takes longer than twenty seconds."""


@workflow.defn(name=TYPE)
class PostRound:
    """Holds numbers only: which letters, of whom, is in the records."""

    @workflow.run
    async def run(self) -> Round:
        """Ask once about every letter of which something is still to come."""
        held: Round = await workflow.execute_activity(
            "follow_letters", result_type=Round, start_to_close_timeout=ROUND_WITHIN, heartbeat_timeout=ALIVE,
            retry_policy=RetryPolicy(maximum_attempts=3),
        )  # fmt: skip
        return held
