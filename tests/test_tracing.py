"""One trace an act, from its sender to the record and its letters; nothing personal in it; and cases go on without."""

from __future__ import annotations

import gzip
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from activities.given_texts import put_text
from records.database import transaction
from starter.clock import now
from tests.engine import MMO_STAFF, OFFICER, PERSONAL, Office, act, ago, new_office, raw, report, server, until
from tests.golden.record import HISTORIES, read
from worker.settings import Settings
from worker.spans import ActTracing, Reduced, exporting, flush, named, traced_by
from worker.tracing import STANDARD, tracing
from workflows.case import CaseWorkflow
from workflows.converter import DATA_CONVERTER

__all__ = ["server"]


class Spans(InMemorySpanExporter):
    def of(self, name: str) -> list[ReadableSpan]:
        return [one for one in self.get_finished_spans() if one.name == name]

    def traces(self, name: str) -> list[int]:
        return [one.context.trace_id for one in self.of(name)]


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def traced(spans: Spans) -> ActTracing:
    return traced_by(SimpleSpanProcessor(Reduced(spans)))


def client_with(server: WorkflowEnvironment, traced: ActTracing) -> Client:
    config = server.client.config()
    config["interceptors"] = [traced]
    return Client(**config)


FINDINGS = {"concerns": "Forty emails in one week.", "policy-copy-directed": True}
WARNING = act("warn", "warn-1", by=OFFICER, with_={"medium": "letter", "findings": FINDINGS}, on=ago(30))


async def test_an_act_is_one_trace_from_its_update_to_the_record_and_its_letter(
    server: WorkflowEnvironment, traced: ActTracing, spans: Spans, tmp_path: Path
):
    office, case = new_office(client_with(server, traced), tmp_path), "traced/1"
    async with office.worker():
        await office.open(case)
        await office.do(case, report())
        await office.lead(case, WARNING)
        await until(lambda: spans.of("RunActivity:send"), "the letter's attempt is told")

    (reported,), (warned,) = spans.traces("StartWorkflowUpdate:report_behaviour"), spans.traces("StartWorkflowUpdate:warn")
    acts = spans.traces("RunActivity:act")
    assert reported != warned
    assert acts.count(reported) == 1 and acts.count(warned) == 1
    assert spans.traces("HandleUpdate:warn") == [warned]
    assert spans.traces("RunActivity:send") == [warned]
    sent = spans.of("RunActivity:act")[-1]
    assert sent.attributes is not None and sent.attributes["temporalWorkflowID"] == case


async def test_nothing_personal_is_in_a_span_whatever_is_sent_or_fails(
    server: WorkflowEnvironment, traced: ActTracing, spans: Spans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Refusals, names of messages that are no command's, faults: of all of them the kind alone."""
    office, case = new_office(client_with(server, traced), tmp_path), "traced/2"
    async with office.worker():
        await office.open(case)
        refused = await office.cases.submit_message(case, act("report_behaviour", "odd", by="Quentin Testcase", with_={"summary": "Forty"}))
        assert not refused.accepted
        await office.handle(case).signal("Quentin Testcase wrote Forty emails", raw(b"Forty emails"))
        with pytest.raises(Exception, match=r"not found|no rows|exist"):
            await office.handle("Quentin-Testcase-is-no-case").signal("warn", "Forty emails")
        await until(lambda: spans.of("RunActivity:act"), "acts are told")
        await office.do(case, report())

    told = [(one.name, one.attributes, one.events, one.status.description, one.links) for one in spans.get_finished_spans()]
    assert len(told) > 8
    assert spans.of("HandleSignal:unknown")
    about = [str(one) for one in told if "is-no-case" not in str(one)]
    assert not [(mark, one) for one in about for mark in (*PERSONAL, MMO_STAFF[0].name) if mark in one]
    assert not [one for one in spans.get_finished_spans() if one.status.description]


async def test_a_signal_without_headers_or_with_unreadable_ones_is_acted_on(
    server: WorkflowEnvironment, traced: ActTracing, spans: Spans, tmp_path: Path
):
    """The Temporal UI sends none, and anybody may send anything."""
    office, case = new_office(client_with(server, traced), tmp_path), "traced/3"
    async with office.worker():
        await office.open(case)
        await server.client.get_workflow_handle(case).signal("report_behaviour", by_reference(office, case, "plain"))
        assert (await office.logged(case, "plain")).result == "accepted"
        await _with_header(server.client, case, by_reference(office, case, "odd-header"), b"\x00 no carrier")
        assert (await office.logged(case, "odd-header")).result == "accepted"
        assert await office.failed_tasks(case) == 0


def by_reference(office: Office, case: str, id: str) -> dict[str, object]:
    """Returns a report as plain JSON may carry it: its text is in the records already."""
    with transaction(office.records) as session:
        summary = put_text(session, case, "Forty emails in one week.", at=now())
    return office.signed(case, report(id, summary=summary))


async def _with_header(client: Client, case: str, message: dict[str, object], header: bytes) -> None:
    from temporalio.api.common.v1 import Header, Payloads, WorkflowExecution
    from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

    encoded = await client.data_converter.encode([message])
    odd = Payload(metadata={"encoding": b"json/plain"}, data=header)
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=case), signal_name="report_behaviour",
            input=Payloads(payloads=encoded), header=Header(fields={"_tracer-data": odd}),
        )
    )  # fmt: skip


async def test_a_case_traced_then_untraced_goes_on_and_its_history_replays_either_way(
    server: WorkflowEnvironment, traced: ActTracing, tmp_path: Path
):
    """Somebody turns tracing off, or on, under open cases."""
    case = "traced/4"
    with_, without = new_office(client_with(server, traced), tmp_path), new_office(server.client, tmp_path)
    without.queue = with_.queue
    async with with_.worker():
        await with_.open(case)
        await with_.do(case, report())
    async with without.worker(cached=0):
        await without.lead(case, WARNING)
        assert await without.failed_tasks(case) == 0
    history = await server.client.get_workflow_handle(case).fetch_history()
    for interceptors in ([], [traced]):
        await Replayer(workflows=[CaseWorkflow], data_converter=with_.client.data_converter, interceptors=interceptors).replay_workflow(
            history
        )


@pytest.mark.parametrize("file", sorted(HISTORIES.glob("*.json"))[:6], ids=lambda file: file.stem)
async def test_golden_histories_replay_with_tracing_on(file: Path, traced: ActTracing, spans: Spans):
    replayer = Replayer(workflows=[CaseWorkflow], data_converter=DATA_CONVERTER, interceptors=[traced])
    for run in read(file):
        await replayer.replay_workflow(run)

    assert not spans.get_finished_spans(), "what was traced once is not traced again"


def test_a_collector_gets_what_is_allowed_over_http():
    """A loopback server stands in for one: the standard's path, its protobuf, and in it a name, an id and no text of the fault."""
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = Thread(target=collector.handle_request)
        thread.start()
        tracing = exporting(f"http://127.0.0.1:{collector.server_port}")
        with (
            suppress(ValueError),
            tracing.tracer.start_as_current_span("RunActivity:act", attributes={"temporalWorkflowID": "a/1", "who": "Quentin"}),
        ):
            raise ValueError("Forty emails of Quentin")
        flush()
        thread.join(10)

    (path, body), request = got[0], ExportTraceServiceRequest()
    request.ParseFromString(gunzip(body))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert (path, span.name) == ("/v1/traces", "RunActivity:act")
    assert "a/1" in str(request) and "ValueError" in str(request)
    assert "Quentin" not in str(request) and "Forty" not in str(request)


def gunzip(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def test_nothing_is_traced_and_nothing_read_in_unless_a_collector_is_named(monkeypatch: pytest.MonkeyPatch):
    for name in STANDARD:
        monkeypatch.delenv(name, raising=False)
    assert tracing(Settings(otlp_endpoint="")) == []
    monkeypatch.setenv(STANDARD[1], "http://127.0.0.1:4318")
    assert len(tracing(Settings(otlp_endpoint=""))) == 1


@pytest.mark.parametrize(
    ("name", "shown"), [("StartWorkflow:Case", "StartWorkflow:Case"), ("HandleSignal:Quentin", "HandleSignal:unknown")]
)
def test_a_span_is_named_after_commands_alone(name: str, shown: str):
    assert named(name) == shown
