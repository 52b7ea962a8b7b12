"""What Prometheus reads of a real worker, and the alert rules over it. A rule over a metric that is not there never fires."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any  # a rules file's mixed types
from urllib.request import urlopen

import promql_parser as promql
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from sqlalchemy import Column, Engine, MetaData, String, Table, event
from sqlmodel import SQLModel
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import activities.case as acting
import worker.metrics as metrics
from activities.reconciliation import LAST, Report
from records.counts import age, counted
from records.database import open_database, reading, transaction
from records.tables import BodyRow, CaseRow, HandOverRow, InboxRow, InstallationRow, NoticeRow, StaffNoticeRow, TaskRow, UTCDateTime
from tests.engine import (
    CUSTOMER,
    MANAGER,
    PERSONAL,
    WARNING,
    Office,
    act,
    free_port,
    new_office,
    report,
    road_to_restriction,
    server,
    until,
)
from worker.metrics import KEPT_FOR, Records, Schedules, serving_metrics
from worker.run import connect
from worker.settings import Settings
from worker.telemetry import NoMetrics, host_and_port, runtime_of

__all__ = ["server"]
HOME = Path(__file__).resolve().parent.parent
RULES: list[dict[str, Any]] = YAML(typ="safe").load(HOME / "deploy" / "alerts.yml")["groups"][0]["rules"]
TODAY = date(2027, 3, 10)
AT = datetime(2027, 3, 10, 12, tzinfo=timezone.utc)
Scrape = dict[str, Metric]


def a_case(id: str, body: str = "mmo", stage: str = "warned") -> CaseRow:
    return CaseRow(id=id, body=body, policy="mmo", edition="e", stage=stage, seq=1, state={}, opened_on=TODAY, changed_at=AT)


def a_notice(case: str, notice: str, status: str, days: int, **facts: object) -> NoticeRow:
    decided = TODAY - timedelta(days=days)
    held = {"sent_on": None, "notified_on": None, "method": None, "problem": None, **facts}
    return NoticeRow(case_id=case, notice=notice, kind="decision", about="s1", status=status, created_on=decided, **held)


def a_task(case: str, n: int, kind: str, due: date | None, body: str = "mmo") -> TaskRow:
    return TaskRow(case_id=case, n=n, body=body, kind=kind, what="", ref="case", offices=[], people=[], due=due, cites=[], command=None)


def a_staff_notice(case: str, reader: str, state: str) -> StaffNoticeRow:
    facts = {"body": "mmo", "wording": "w", "what": "", "due": None, "cites": [], "created_at": AT, "changed_at": AT}
    return StaffNoticeRow(case_id=case, task="t", reader=reader, reminder="", state=state, **facts)


def a_hand_over(case: str, state: str, **facts: bool) -> HandOverRow:
    how = {"carrier": "notify", "method": "email", "reference": case, "day": TODAY, "first_at": AT, "changed_at": AT}
    return HandOverRow(case_id=case, notice="n1", state=state, **how, **facts)


def in_inbox(id: str, tries: int, state: str = "waiting") -> InboxRow:
    return InboxRow(case_id="a/1", command_id=id, content_hash="", message="", arrived_at=AT, next_at=AT, tries=tries, state=state)


@pytest.fixture
def records(database: Engine) -> Engine:
    with transaction(database) as session:
        session.add_all([
            BodyRow(body="mmo", name="", policy="mmo", settings={}), BodyRow(body="portsmouth", name="", policy="portsmouth", settings={}),
            a_case("a/1"), a_case("a/2"), a_case("a/3", stage="closed"), a_case("b/1", "portsmouth", "restricted"),
            a_notice("a/1", "n1", "to-send", 0), a_notice("a/1", "n2", "blocked", 2), a_notice("a/2", "n1", "uncertain", 40),
            a_notice("a/3", "n1", "to-send", 9), a_notice("a/1", "n3", "sent", 9, notified_on=TODAY),
            a_task("a/1", 1, "review", TODAY - timedelta(days=1)), a_task("a/1", 2, "review", TODAY), a_task("a/1", 3, "fault", None),
            a_task("a/2", 1, "sign-off", None), a_task("b/1", 1, "review", date(2026, 1, 1), "portsmouth"),
            a_staff_notice("a/1", "p", "waiting"), a_staff_notice("a/1", "q", "sent"), a_staff_notice("a/1", "r", "declined"),
            in_inbox("m-1", 0), in_inbox("m-2", 5), in_inbox("m-3", 6), in_inbox("m-4", 40), in_inbox("m-5", 9, "answered"),
            a_hand_over("a/1", "waiting"), a_hand_over("a/2", "handed"), a_hand_over("a/3", "waiting", settled=True),
        ])  # fmt: skip
    return database


def test_the_records_are_counted_by_codes_alone(records: Engine):
    """On both databases. Nothing of an ended case is counted, nor what is due today."""
    with reading(records) as session:
        found = counted(session, today=TODAY)

    assert found.bodies == ("mmo", "portsmouth")
    assert found.open_cases == {("mmo", "warned"): 2, ("portsmouth", "restricted"): 1}
    assert found.overdue == {("mmo", "review"): 1, ("portsmouth", "review"): 1}
    assert found.set_aside == {("mmo",): 1}
    assert found.unsent == {
        ("mmo", "to-send", "under-2-days"): 1,
        ("mmo", "blocked", "2-to-5-days"): 1,
        ("mmo", "uncertain", "over-14-days"): 1,
    }
    assert found.hand_overs == {("notify", "waiting"): 1}
    assert found.inbox == {("never",): 1, ("1-to-5-times",): 1, ("6-times-or-more",): 2}
    assert found.staff_notices == {("mmo", "waiting"): 1, ("mmo", "declined"): 1}


@pytest.mark.parametrize(
    ("days", "name"), [(0, "under-2-days"), (1, "under-2-days"), (2, "2-to-5-days"), (13, "5-to-14-days"), (14, "over-14-days")]
)
def test_an_age_has_a_name(days: int, name: str):
    assert age(days) == name


def test_one_look_at_the_records_answers_for_a_quarter_of_a_minute(records: Engine, monkeypatch: pytest.MonkeyPatch):
    asked, clock = [], [0.0]
    event.listen(records, "before_cursor_execute", lambda *_: asked.append(1))
    monkeypatch.setattr(metrics, "monotonic", lambda: clock[0])
    registry = CollectorRegistry()
    registry.register(Records(records, Settings(), Schedules(), lambda: AT))
    assert not asked, "to be registered waits for nothing"

    list(registry.collect())
    once = len(asked)
    clock[0] = KEPT_FOR - 1
    list(registry.collect())
    assert len(asked) == once > 5
    clock[0] = KEPT_FOR + 1
    list(registry.collect())
    assert len(asked) == 2 * once


def test_records_that_do_not_answer_are_told_as_such_and_the_rest_is_still_told(tmp_path: Path):
    gone = open_database(f"sqlite:///{tmp_path / 'nowhere' / 'evenhand.db'}")
    registry = CollectorRegistry()
    registry.register(Records(gone, Settings(outbox=tmp_path), Schedules(), lambda: AT))

    assert registry.get_sample_value("evenhand_records_answer") == 0
    assert registry.get_sample_value("evenhand_outbox_free_bytes")
    assert registry.get_sample_value("evenhand_bodies") is None


@pytest.mark.parametrize("address", ["9464", "127.0.0.1:", "127.0.0.1:http", ":9464", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_told_with_what_would_be_right(address: str):
    with pytest.raises(NoMetrics, match=r"EVENHAND_METRICS_ADDRESS is .*; it must be an address and a port, such as 127.0.0.1:9464"):
        host_and_port("EVENHAND_METRICS_ADDRESS", address)


async def test_an_address_that_is_taken_is_told(server: WorkflowEnvironment, database: Engine):
    async with serving(server, database) as settings:
        with pytest.raises(NoMetrics, match="cannot be listened on"):
            async with serving_metrics(settings, database, server.client):
                pass
        with pytest.raises(NoMetrics, match="EVENHAND_ENGINE_METRICS_ADDRESS"):
            runtime_of(Settings(engine_metrics_address=settings.metrics_address))


def serving(server: WorkflowEnvironment, database: Engine) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def served() -> AsyncIterator[Settings]:
        settings = Settings(metrics_address=f"127.0.0.1:{free_port()}")
        async with serving_metrics(settings, database, server.client):
            yield settings

    return served()


async def test_nothing_listens_unless_it_is_asked_for(server: WorkflowEnvironment, database: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "start_http_server", lambda *_, **__: pytest.fail("it listens"))
    async with serving_metrics(Settings(), database, server.client):
        pass


@workflow.defn(name="Broken")
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("as a release that cannot follow its own histories")


class Watched:
    """A worker whose metrics are served, after a life in which everything has happened that a rule watches for."""

    def __init__(self, office: Office, settings: Settings) -> None:
        self.office, self.settings = office, settings

    def text(self) -> str:
        said = ""
        for address in (self.settings.metrics_address, self.settings.engine_metrics_address):
            with urlopen(f"http://{address}/metrics", timeout=10) as answer:
                said += answer.read().decode()
        return said

    def scrape(self) -> Scrape:
        return {sample.name: family for family in text_string_to_metric_families(self.text()) for sample in _samples(family)}


def _samples(family: Metric) -> Iterator[Any]:
    """Yields a family's samples; one that has none now stands for itself."""
    from prometheus_client.samples import Sample

    yield from family.samples or [Sample(family.name, {}, 0)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(server: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    settings = Settings(
        temporal_address=server.client.service_client.config.target_host, outbox=folder / "outbox",
        metrics_address=f"127.0.0.1:{free_port()}", engine_metrics_address=f"127.0.0.1:{free_port()}",
    )  # fmt: skip
    office = new_office(await connect(settings, runtime=runtime_of(settings)), folder)
    await metrics_schedule(office, settings)
    patch = pytest.MonkeyPatch()
    async with office.worker(), serving_metrics(settings, office.records, office.client):
        await office.restricted("watched/1")
        await office.open("watched/2")
        await office.cases.submit_message("watched/2", act("warn", "no", by="nobody-here", with_=WARNING))
        await office.handle("watched/2").signal("Quentin Testcase", {"by": "nobody-here"})
        with patch.context() as broken:
            broken.setattr(acting.Recording, "record", _fails)
            await office.cases.signal_message("watched/2", report("faulty"))
            await asyncio.sleep(0.5)
        await office.logged("watched/2", "faulty")
        await _break_a_workflow(office)
        with transaction(office.records) as session:
            session.add_all(
                [a_task("watched/2", 90, "review", TODAY.replace(year=2020)), a_task("watched/2", 91, "sign-off", TODAY.replace(year=2020))]
            )
            session.add(a_notice("watched/2", "n90", "to-send", 9).sqlmodel_update({"created_on": date(2020, 1, 1)}))
            session.add(a_staff_notice("watched/2", "p", "declined"))
            session.add(a_hand_over("watched/2", "waiting"))
        _a_signing_key(office)
        with transaction(office.records) as session:
            session.merge(InstallationRow(name=LAST, value=Report(began=AT, cases=2, counts={"list": 1}).model_dump_json()))
        watch = Watched(office, settings)
        await until(lambda: "evenhand_engine_answers 1.0" in watch.text(), "the engine was asked")
        yield watch


def _a_signing_key(office: Office) -> None:
    """Load a key that ends soon, where this release has a table of keys."""
    keys = SQLModel.metadata.tables.get("signing_key")
    if keys is None:
        return
    ends = {"valid_from": AT, "valid_to": AT + timedelta(days=20_000), "loaded_at": AT}
    facts = {"kid": "k1-of-a-service", "public_key": "00", "holder": "a-service", "bodies": ["mmo"], "loaded_by": "ray-records"}
    flags = {"staff": False, "customer": False, "calendar": False, "local": False}
    with office.records.begin() as connection:
        connection.execute(keys.insert().values(**facts, **ends, **flags))


def test_the_last_key_of_each_holder_is_counted_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A key that was followed by another, revoked, without an end or long gone is nobody's concern."""
    table = Table(
        "signing_key", MetaData(), Column("kid", String), Column("holder", String),
        *(Column(name, UTCDateTime) for name in ("valid_from", "valid_to", "revoked_at")),
    )  # fmt: skip
    engine = open_database(f"sqlite:///{tmp_path / 'keys.db'}")
    table.create(engine)
    held = [("followed-1", "a", 0, 5, None), ("later-01", "a", 1, 40, None), ("revoked-1", "b", 0, 3, 1), ("endless-1", "c", 0, None, None),
            ("long-gone", "d", 0, -40, None), ("ended-01", "e", 0, -3, None)]  # fmt: skip
    with engine.begin() as connection:
        for kid, holder, from_, to, revoked in held:
            days = {"valid_from": from_ - 100, "valid_to": to, "revoked_at": revoked}
            at = {name: None if n is None else AT + timedelta(days=n) for name, n in days.items()}
            connection.execute(table.insert().values(kid=kid, holder=holder, **at))
    monkeypatch.setattr(metrics.SQLModel, "metadata", table.metadata)

    with reading(engine) as session:
        assert metrics.signing_key_days(session, TODAY) == {("later-01",): 40, ("ended-01",): -3}


async def metrics_schedule(office: Office, settings: Settings) -> None:
    from worker.round import keep_rounds

    await keep_rounds(office.client, settings.model_copy(update={"task_queue": office.queue}))


def _fails(*_: object) -> object:
    raise ValueError(f"Forty emails of {CUSTOMER['name']}")


async def _break_a_workflow(office: Office) -> None:
    """Have a workflow task fail, as one does whose release cannot follow its history."""
    queue = f"{office.queue}-broken"
    async with Worker(office.client, task_queue=queue, workflows=[Broken], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await office.client.start_workflow("Broken", id=queue, task_queue=queue)
        await until(lambda: True, "started")
        for _ in range(200):
            if (await handle.describe()).raw_description.pending_workflow_task.attempt > 1:
                break
            await asyncio.sleep(0.05)
        await handle.terminate("test over")


def selectors(expr: object) -> list[Any]:
    found: list[Any] = []
    promql.walk(expr, pre_visit=lambda one: found.append(one) if isinstance(one, promql.VectorSelector) else None)
    return found


def labels_by(expr: object) -> set[str]:
    found: set[str] = set()

    def look(one: object) -> None:
        if isinstance(one, promql.AggregateExpr) and one.modifier:
            found.update(one.modifier.labels)

    promql.walk(expr, pre_visit=look)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
async def test_every_metric_and_label_of_a_rule_is_in_a_real_workers_answer(rule: dict[str, Any], watched: Watched):
    scrape, expr = watched.scrape(), promql.parse(rule["expr"])
    named = selectors(expr)
    assert named
    for one in named:
        if one.name == "up":
            continue
        assert one.name in scrape, f"no worker tells {one.name}"
        if one.name == "evenhand_signing_key_days" and "signing_key" not in SQLModel.metadata.tables:
            continue  # this release signs nothing
        held = {label for sample in scrape[one.name].samples if sample.name == one.name for label in sample.labels}
        used = {matcher.name for matcher in one.matchers.matchers} | labels_by(expr)
        assert used <= held, f"{one.name} has {sorted(held)}, the rule asks for {sorted(used - held)}"
        _values_exist(one, scrape[one.name])


def _values_exist(selector: Any, family: Metric) -> None:
    """A matcher that names values no metric can have never matches: each is one that the program writes somewhere."""
    program = "".join(path.read_text() for folder in ("records", "activities", "domain") for path in (HOME / folder).rglob("*.py"))
    for matcher in selector.matchers.matchers:
        for value in matcher.value.split("|"):
            assert f'"{value}"' in program, f"{family.name}: nothing is called {value}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_rule_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    assert set(rule["annotations"]) == {"summary", "action"}
    assert all(len(text) > 20 for text in rule["annotations"].values())
    assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert named <= labels_by(promql.parse(rule["expr"])), "the words name a label that the rule does not keep"
    guide = (HOME / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"`{rule['alert']}`" in guide, "docs/operations.md does not say what it means"


def test_the_rules_are_many_and_each_has_its_own_name():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 15


async def test_the_guide_names_every_metric_of_our_own_and_no_other(watched: Watched):
    """A metric that nobody explains is read wrongly at night."""
    guide = (HOME / "docs" / "operations.md").read_text(encoding="utf-8")
    told = {name for name in watched.scrape() if name.startswith("evenhand_")}
    assert len(told) > 12

    assert set(re.findall(r"^\| `(evenhand_\w+)`", guide, re.MULTILINE)) == told


async def test_no_case_and_no_person_is_in_a_metric(watched: Watched):
    said = watched.text()

    assert 'evenhand_open_cases{body="mmo"' in said
    assert 'do="warn"' in said and 'result="unknown"' in said and "nobody-here" not in said
    assert not [mark for mark in (*PERSONAL, "watched/", MANAGER) if mark in said]


async def test_acts_and_faults_are_counted_as_they_happen(watched: Watched):
    scrape = watched.scrape()

    def value(name: str, **labels: str) -> float:
        return sum(one.value for one in scrape[name].samples if one.name == name and labels.items() <= one.labels.items())

    assert value("evenhand_acts_total", do="impose_sanction", result="accepted") == 1
    assert value("evenhand_acts_total", do="warn", result="unknown") == 1
    assert value("evenhand_acts_total", do="unknown") == 1, "what is no command has no series of its own"
    assert value("evenhand_faults_total", activity="act", kind="ValueError") >= 1
    assert value("evenhand_set_aside_acts", body="mmo") == 0
    assert value("evenhand_open_cases", body="mmo") == 2
    assert len(road_to_restriction()) == 4


def test_prometheus_itself_takes_the_rules_where_its_tool_is_installed():
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; the expressions were read by promql-parser, which follows Prometheus's own grammar")
    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        done = subprocess.run([tool, "check", what, str(HOME / "deploy" / file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
