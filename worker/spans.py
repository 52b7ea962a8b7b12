"""Spans as they leave the process, and where an act's trace begins. Read in only where traces are collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # the SDK's handlers of any workflow

import opentelemetry.context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from temporalio.worker import HandleSignalInput, HandleUpdateInput, WorkflowInterceptorClassInput

from domain.commands import COMMANDS
from worker.release import release

ATTRIBUTES = frozenset({"temporalWorkflowID", "temporalRunID", "temporalActivityID", "temporalActivityType"})
"""What a span may say of what it is about: ids. A message's own id is not among them, for its sender chose it."""
OF_FAULTS = frozenset({"exception.type"})
NAMES = frozenset({*COMMANDS, "Case", "Post round", "act", "send", "follow_letters", "state", "unsent"})
"""What may follow the colon of a span's name: the engine takes any name that a sender gives an update, a signal or a start."""
ENDS_WITHIN_MS = 5000


class ActTracing(TracingInterceptor):
    """The SDK's tracing, with an act's trace begun by its sender and not by the case, which may live ten years; and no baggage."""

    def __init__(self, provider: TracerProvider) -> None:
        super().__init__(provider.get_tracer("evenhand"))
        self.text_map_propagator = TraceContextTextMapPropagator()

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[TracingWorkflowInboundInterceptor]:
        super().workflow_interceptor_class(input)
        return ActTracingInWorkflow


class ActTracingInWorkflow(TracingWorkflowInboundInterceptor):
    """Handles a message within its sender's trace. One without headers, or with some that cannot be read, is handled as ever."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.text_map_propagator = TraceContextTextMapPropagator()

    async def handle_signal(self, input: HandleSignalInput) -> None:
        self._begin(f"HandleSignal:{input.signal}", input.headers)
        await self.next.handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        self._begin(f"HandleUpdate:{input.update}", input.headers)
        return await self.next.handle_update_handler(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self.next.handle_update_validator(input)

    def _begin(self, name: str, headers: Mapping[str, Any]) -> None:
        """Make the sender's context this handler's: each handler runs as a task of its own, so it ends with it."""
        opentelemetry.context.attach(self._set_on_context(self._senders(headers)))
        self._completed_span(name)

    def _senders(self, headers: Mapping[str, Any]) -> opentelemetry.context.Context:
        empty = opentelemetry.context.Context()
        given = headers.get(self.header_key)
        if given is None:
            return empty
        try:
            return self.text_map_propagator.extract(self.payload_converter.from_payloads([given])[0], empty)
        except Exception:  # anybody may send any header: it must not stop the case
            return empty


class Reduced(SpanExporter):
    """Sends spans on with what they may say, and nothing else of them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.exporter.export([reduced(span) for span in spans])

    def shutdown(self) -> None:
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = ENDS_WITHIN_MS) -> bool:
        return self.exporter.force_flush(timeout_millis)


def reduced(span: ReadableSpan) -> ReadableSpan:
    """Returns a span with the names and ids that are allowed; of a fault its kind alone."""
    return ReadableSpan(
        name=named(span.name), context=span.context, parent=span.parent, resource=span.resource, kind=span.kind,
        attributes=_only(ATTRIBUTES, span.attributes), links=span.links, status=Status(span.status.status_code),
        events=[Event(one.name, _only(OF_FAULTS, one.attributes), one.timestamp) for one in span.events if one.name == "exception"],
        start_time=span.start_time, end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip


def named(name: str) -> str:
    """Returns a span's name; what somebody called a message that is no command is not repeated."""
    what, _, of = name.partition(":")
    return name if of in NAMES else f"{what}:unknown"


def _only(allowed: frozenset[str], given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (given or {}).items() if key in allowed}


PROVIDERS: list[TracerProvider] = []


def exporting(endpoint: str) -> ActTracing:
    """Returns tracing to a collector (OTLP over HTTP); without an endpoint the standard OTEL_ variables say where."""
    exporter = OTLPSpanExporter(endpoint=_traces_at(endpoint)) if endpoint else OTLPSpanExporter()
    return traced_by(BatchSpanProcessor(Reduced(exporter)))


def traced_by(processor: SpanProcessor) -> ActTracing:
    """Returns tracing whose ended spans a processor takes."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "evenhand", SERVICE_VERSION: release()}))
    provider.add_span_processor(processor)
    PROVIDERS.append(provider)
    return ActTracing(provider)


def _traces_at(endpoint: str) -> str:
    return endpoint if endpoint.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"


def flush() -> None:
    for provider in PROVIDERS:
        provider.force_flush(ENDS_WITHIN_MS)
