"""The engine SDK's own runtime in a worker: what it counts is read by Prometheus, what it says goes into the worker's log."""

from __future__ import annotations

import logging
from functools import cache

from temporalio.runtime import LogForwardingConfig, LoggingConfig, PrometheusConfig, Runtime, TelemetryConfig, TelemetryFilter

from worker.settings import Settings

CORE = logging.getLogger("temporalio.core")


class NoMetrics(Exception):
    """The settings name an address for metrics that cannot be listened on; says which, what was found, what would be right."""


def runtime_of(settings: Settings) -> Runtime:
    """Returns the runtime of this process's worker. Raises NoMetrics."""
    address = settings.engine_metrics_address
    for setting, given in (("EVENHAND_ENGINE_METRICS_ADDRESS", address), ("EVENHAND_METRICS_ADDRESS", settings.metrics_address)):
        if given:
            host_and_port(setting, given)
    try:
        return _runtime(address)
    except (RuntimeError, ValueError):
        raise taken("EVENHAND_ENGINE_METRICS_ADDRESS", address) from None


@cache
def _runtime(address: str) -> Runtime:
    """One a process: each has threads of its own, and an address is listened on once."""
    said = LogForwardingConfig(CORE, append_target_to_name=False, prepend_target_on_message=False, append_log_fields_to_message=False)
    logs = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=said)
    metrics = PrometheusConfig(address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True) if address else None
    return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics))


def host_and_port(setting: str, address: str) -> tuple[str, int]:
    """Returns the two halves of an address. Raises NoMetrics."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise NoMetrics(f"{setting} is {address}; it must be an address and a port, such as 127.0.0.1:9464.")
    return host.strip("[]"), int(port)


def taken(setting: str, address: str) -> NoMetrics:
    """Returns what is wrong with an address that is not free."""
    return NoMetrics(f"{setting} is {address}, which cannot be listened on: is it this machine's, and free? One address serves one worker.")
