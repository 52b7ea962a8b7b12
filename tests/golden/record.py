"""python -m tests.golden.record [NAME...]: plays invented cases on a time-skipping server; their histories go under the next free number.

A history that is there is never written again: it stands for every open case that an earlier release began."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import temporalio.workflow
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from activities.following import Following, tell
from domain.days import first_instant
from domain.decide import HANDLERS
from starter.samples import samples
from tests.engine import FINDINGS, LIMIT, MANAGER, OFFICER, RECORDS, SENIOR, WARNING, Office, act, new_office, opening, report, until
from tests.golden.printer import Printer, post_by
from tests.signing import SIGNER
from worker.server import skipping_server
from workflows.case import CaseWorkflow
from workflows.converter import DATA_CONVERTER

HISTORIES = Path(__file__).resolve().parent / "histories"
BY_POST = {"name": "Quentin Testcase", "channel": "letter", "address": "1 Sample Street, Sampletown, ZZ99 9ZZ"}
Message = dict[str, object]
Script = tuple[tuple[int, Message], ...]
"""Acts with the number of days since the opening on which each is done."""


def mmo() -> Script:
    """A warning, a decision, a request for a review upheld, a yearly review that continues and one that lifts, retention, the end."""
    decision = {"restrictions": [LIMIT], "reasons": "The emails take up the time of the whole team.", "findings": FINDINGS}
    continues = {"why": "scheduled", "outcome": "continue", "reasons": "They go on.", "findings": {"good-grounds": "Sixty emails in May."}}
    return (
        (0, report("g-1")),
        (0, act("warn", "g-2", by=OFFICER, with_={**WARNING, "medium": "email"})),
        (0, act("warn", "g-3", by="nobody", with_=WARNING)),
        (19, report("g-4", summary="Thirty more emails.")),
        (37, act("propose_sanction", "g-5", by=OFFICER, with_=decision)),
        (38, act("approve", "g-6", by=MANAGER, saw="p1")),
        (45, act("appeal", "g-7", by="customer", with_={"medium": "email", "grounds": "It is not fair."})),
        (50, act("decide_appeal", "g-8", by=SENIOR, saw="a1", with_={"outcome": "uphold", "reasons": "It is fair."})),
        (402, act("review", "g-9", by=SENIOR, saw="s1", with_=continues)),
        (800, act("review", "g-10", by=SENIOR, saw="s1", with_={"why": "scheduled", "outcome": "lift", "reasons": "All is calm."})),
        (3100, act("sign_destruction", "g-11", by=RECORDS)),
        (3100, act("sign_destruction", "g-12", by=SENIOR)),
        (3100, act("destroy_papers", "g-13", by=RECORDS)),
    )


ROUND: Message = {"do": "post round"}
"""No act, but a round of the post: the printer is asked what became of letters."""


def posted() -> Script:
    """MMO by post: each letter is handed over to a printer, posted the next working day, and that is heard of by a round of the post."""
    decision = {"restrictions": [LIMIT], "reasons": "The letters take up the time of the whole team.", "findings": FINDINGS}
    return (
        (0, report("g-1")),
        (0, act("warn", "g-2", by=OFFICER, with_={**WARNING, "medium": "letter"})),
        (4, ROUND),
        (19, report("g-3", summary="Thirty more letters.")),
        (37, act("propose_sanction", "g-4", by=OFFICER, with_=decision)),
        (38, act("approve", "g-5", by=MANAGER, saw="p1")),
        (42, ROUND),
        (45, act("appeal", "g-6", by="customer", with_={"medium": "letter", "grounds": "It is not fair."})),
        (50, act("decide_appeal", "g-7", by=SENIOR, saw="a1", with_={"outcome": "uphold", "reasons": "It is fair."})),
        (70, ROUND),  # later than five working days: its letter was overdue
        (402, act("review", "g-8", by=SENIOR, saw="s1", with_={"why": "scheduled", "outcome": "lift", "reasons": "All is calm."})),
        (406, ROUND),
        (2700, act("destroy_papers", "g-9", by=RECORDS)),
    )


def portsmouth() -> Script:
    """Step one, no agreement, the referral, two consulted, a decision, an appeal confirmed, the restrictions' end, retention, the end."""
    [sample] = [one for one in samples() if one.body.body == "portsmouth"]
    steps: list[tuple[int, Message]] = []
    for number, step in enumerate(sample.steps, start=1):
        with_ = dict(step.with_)
        ahead = step.until_days_ahead
        if ahead is not None:
            with_["until"] = f"+{60 + ahead}"
        steps.append((60 - step.days_ago, act(step.do, f"g-{number}", by=step.by, with_=with_, **({"saw": step.saw} if step.saw else {}))))
    papers = {"decision_papers": ["papers/decision"], "appeal_papers": ["papers/appeal"]}
    return (
        *steps,
        (70, act("appeal", "g-20", by="customer", with_={"medium": "letter", "grounds": "The repair is not made."})),
        (73, act("pass_appeal", "g-21", by="ash-helpdesk", saw="a1", with_=papers)),
        (
            80,
            act("decide_appeal", "g-22", by="dana-director", saw="a1", with_={"outcome": "confirm", "reasons": "One call a week is fair."}),
        ),
        (2500, act("sign_destruction", "g-23", by="ash-helpdesk")),
        (2500, act("sign_destruction", "g-24", by="dana-director")),
        (2500, act("destroy_papers", "g-25", by="ash-helpdesk")),
    )


def unnamed(value: object) -> object:
    """Returns a history without the machine it was recorded on: whose process it was, and where a failure stood in its files."""
    match value:
        case dict():
            return {key: "recorded" if key == "identity" else "" if key == "stackTrace" else unnamed(item) for key, item in value.items()}
        case list():
            return [unnamed(item) for item in value]
        case _:
            return value


async def played(name: str, script: Script, opened: Message, *, printer: Printer | None = None) -> list[WorkflowHistory]:
    """Returns the histories of a case's runs, the first run first; its letters lie in a folder, or go to a printer."""
    case = f"golden/{name}-1"
    with tempfile.TemporaryDirectory(prefix="evenhand-golden-") as folder:
        async with await skipping_server() as server:
            office = new_office(server.client, Path(folder))
            office.post = post_by(printer, office.outbox) if printer else None
            for sample in samples():
                if sample.body.body != "mmo":
                    office.set_up(sample.body)
            async with office.worker():
                began = await server.get_current_time()
                assert (await office.cases.open_message(case, SIGNER.at(began).sign(case, opened))).accepted
                for days, message in script:
                    await _wait_for_day(server, office, case, began + timedelta(days=days))
                    if message == ROUND:
                        await _round(server, office)
                        continue
                    signed = SIGNER.at(await server.get_current_time()).sign(case, _dated(message, began))
                    outcome = await office.cases.submit_message(case, signed)
                    assert outcome.accepted or message["by"] == "nobody", f"{message['id']}: {outcome.answer} {outcome.remains}"
                    await office.settled(case)
                histories = await _runs(office, case)
                row = office.row(case)
                assert row is not None and row.stage == "closed", f"{case} is not at its end: {office.lines(case)[-1]}"
                return histories


async def _round(server: WorkflowEnvironment, office: Office) -> None:
    """Ask the printer, record its news, and tell the case, as a round of the post does."""
    assert office.post is not None

    async def told(case: str, message: Message) -> None:
        await tell(office.client, case, message)
        await office.heard(case)

    found = await Following(office.records, office.post).round(await server.get_current_time(), tell=told)
    assert found.news, "the printer had no news"


def _dated(message: Message, began: datetime) -> Message:
    """Returns the message with its days counted from the opening; the engine's time is today here."""
    with_ = dict(message["with"])  # type: ignore[call-overload]  # our own messages
    if str(with_.get("until", "")).startswith("+"):
        with_["until"] = (began + timedelta(days=int(with_["until"][1:]))).date().isoformat()
    return {**{key: value for key, value in message.items() if key != "on"}, "with": with_}


async def _wait_for_day(server: WorkflowEnvironment, office: Office, case: str, at: datetime) -> None:
    ahead = at - await server.get_current_time()
    if ahead > timedelta(0):
        await server.sleep(ahead)
    now = await server.get_current_time()

    def quiet() -> bool:
        row = office.row(case)
        return row is None or row.next_fires is None or first_instant(row.next_fires) > now

    await until(quiet, f"{case}: its deadlines dealt with")
    await office.settled(case)


async def _runs(office: Office, case: str) -> list[WorkflowHistory]:
    found = []
    first = (await office.events(case))[0].workflow_execution_started_event_attributes.first_execution_run_id
    run = first
    while run:
        history = await office.client.get_workflow_handle(case, run_id=run).fetch_history()
        found.append(history)
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


async def dates_of(histories: list[WorkflowHistory]) -> list[list[str]]:
    """Replay, and return when each timer is set to fire, with its summary: a replay alone does not look at a timer's length."""
    found: list[list[str]] = []
    real = temporalio.workflow.sleep

    async def noted(duration: timedelta, *, summary: str | None = None) -> None:
        found.append([(temporalio.workflow.now() + duration).replace(microsecond=0).isoformat(), summary or ""])
        await real(duration, summary=summary)

    temporalio.workflow.sleep = noted  # type: ignore[assignment]  # seen by the workflow, because no sandbox stands between
    try:
        replayer = Replayer(workflows=[CaseWorkflow], data_converter=DATA_CONVERTER, workflow_runner=UnsandboxedWorkflowRunner())
        for history in histories:
            await replayer.replay_workflow(history)
    finally:
        temporalio.workflow.sleep = real
    return found


def read(file: Path) -> list[WorkflowHistory]:
    """Returns the runs that a golden file keeps."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    return [WorkflowHistory.from_json(kept["case"], run) for run in kept["runs"]]


def _next_free(name: str) -> Path:
    number = 1
    while (HISTORIES / f"{name}-{number}.json").exists():
        number += 1
    return HISTORIES / f"{name}-{number}.json"


async def record(*names: str) -> None:
    """Play the cases of these names, or every one."""
    assert HANDLERS, "no rules"
    portsmouth_opening = act(
        "open_case",
        "open:golden/portsmouth-1",
        by="jo-manager",
        with_={"body": "portsmouth", "customer": {"name": "Quentin Testcase", "channel": "letter"}, "area": "housing"},
    )
    on_paper = opening("golden/posted-1")
    on_paper = {**on_paper, "with": {**on_paper["with"], "customer": BY_POST}}  # type: ignore[dict-item]  # our own message
    cases: tuple[tuple[str, Script, Message, Printer | None], ...] = (
        ("mmo", mmo(), opening("golden/mmo-1"), None),
        ("portsmouth", portsmouth(), portsmouth_opening, None),
        ("posted", posted(), on_paper, Printer()),
    )
    assert set(names) <= {name for name, *_ in cases}, f"there are: {', '.join(name for name, *_ in cases)}"
    for name, script, opened, printer in cases:
        if names and name not in names:
            continue
        histories = await played(name, script, opened, printer=printer)
        file = _next_free(name)
        kept = {"case": f"golden/{name}-1", "runs": [unnamed(json.loads(one.to_json())) for one in histories]}
        file.write_text(json.dumps(kept, separators=(",", ":")) + "\n", encoding="utf-8")
        file.with_suffix(".dates").write_text(json.dumps(await dates_of(histories), indent=1) + "\n", encoding="utf-8")
        print(f"{file.name}: {len(histories)} runs, {sum(len(one.events) for one in histories)} events")


if __name__ == "__main__":
    asyncio.run(record(*sys.argv[1:]))
