"""A reconciliation: one activity holds every case against its records. Started by a schedule every night, or by hand."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.reconciliation import Report

TYPE = "Reconciliation"
WITHIN = timedelta(hours=6)
ALIVE = timedelta(minutes=2)
"""It speaks three times a minute, whatever a case takes."""


@workflow.defn(name=TYPE)
class Reconciliation:
    """Holds numbers and ids of cases only."""

    @workflow.run
    async def run(self) -> Report:
        """Look at every case once; an attempt that dies goes on where it was."""
        report: Report = await workflow.execute_activity(
            "reconcile", result_type=Report, start_to_close_timeout=WITHIN, heartbeat_timeout=ALIVE,
            retry_policy=RetryPolicy(maximum_attempts=10),
        )  # fmt: skip
        return report
