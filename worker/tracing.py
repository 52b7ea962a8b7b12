"""Traces, where somebody collects them: one for each act, from the sender's update or signal to the record and its letters.

What a span tells is a list of what is allowed: names of commands and activities, ids, kinds of faults. A refusal's words and a fault's
text stay out."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

from worker.settings import Settings

if TYPE_CHECKING:  # read in only where traces are asked for
    from temporalio.client import Interceptor

STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def tracing(settings: Settings) -> list[Interceptor]:
    """Returns what traces a client and its worker; nothing where nobody collects traces."""
    endpoint = settings.otlp_endpoint.get_secret_value()
    if not endpoint and not any(os.environ.get(one) for one in STANDARD):
        return []
    return [_traced_to(endpoint)]


@cache
def _traced_to(endpoint: str) -> Interceptor:
    """One a process: a collector is spoken to by one thread."""
    from worker.spans import exporting

    return exporting(endpoint)


def flush_traces() -> None:
    """Send what is still to be sent: a command ends its process at once."""
    spans = sys.modules.get("worker.spans")
    if spans is not None:
        spans.flush()
