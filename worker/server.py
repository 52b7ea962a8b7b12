"""Temporal servers that come with the Python packages: nothing is downloaded when they start."""

from __future__ import annotations

import shutil
import sysconfig
from functools import cache
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from workflows.converter import DATA_CONVERTER
from workflows.monitor import KEYS

LIMITS = {"history.maxInFlightUpdatePayloads": 2_050_000}
"""Bytes of the updates that one case may have in hand. One of 2 MiB or more would be taken by the server; the worker's word that it has it
holds it too, and is then too long to be sent, again and again, while everybody behind it waits. Ten of the longest messages that a case
takes are 2,000,000 bytes. A signal or a start of 2 MiB or more is refused by the server itself."""


class NoServer(Exception):
    """A server binary is missing: the pinned packages are not installed."""


def binary(name: str) -> str:
    """Returns the path of a binary that a pinned package carries. Raises NoServer."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise NoServer(f"{name} is not installed; run make install, which installs the pinned packages.")
    return found


@cache
def quiet() -> Runtime:
    """Returns an engine runtime that says only errors: its warnings would stand in the middle of what a command prints."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))))


async def skipping_server() -> WorkflowEnvironment:
    """Returns a running server that skips time, with the case's search attributes registered."""
    server = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"), data_converter=DATA_CONVERTER, runtime=quiet()
    )
    attributes = {key.name: IndexedValueType.ValueType(key.indexed_value_type.value) for key in KEYS}
    await server.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes=attributes)
    )
    return server
