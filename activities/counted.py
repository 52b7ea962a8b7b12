"""Acts and faults counted as they happen, in the engine's own meter: nothing where nobody reads metrics. Codes only, no case."""

from __future__ import annotations

from temporalio import activity

from domain.commands import COMMANDS

ACTS, FAULTS = "evenhand_acts", "evenhand_faults"


def count_act(do: object, result: str) -> None:
    """Count one act with its result; what is no command is counted as unknown, whatever was written there."""
    name = do if isinstance(do, str) and do in COMMANDS else "unknown"
    meter = activity.metric_meter()
    meter.create_counter(ACTS, "Acts answered, by command and result; one sent again counts again.").add(1, {"do": name, "result": result})


def count_fault(kind: str) -> None:
    """Count one fault in the program, by its kind."""
    about = {"activity": activity.info().activity_type, "kind": kind}
    activity.metric_meter().create_counter(FAULTS, "Faults in the program, by kind.").add(1, about)
