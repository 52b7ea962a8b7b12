"""A whole MMO case driven with nothing but the `temporal` binary: what the user named stays what other services send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.given_texts import put_text
from domain.days import in_words
from records.database import transaction
from starter.clock import now
from starter.codec_sign_in import Local
from starter.local import today
from tests.codec import codec, serving
from tests.engine import CUSTOMER, FINDINGS, LIMIT, MANAGER, OFFICER, SENIOR, WARNING, Office, ago, office, server
from worker.server import binary

__all__ = ["office", "server"]

CASE = "contract/1"


@dataclass
class Temporal:
    """The binary, as an operator or a service in another language would use it."""

    address: str
    codec: tuple[str, str]
    """The codec server's address and the token for it: by it answers are read. What is sent stays plain JSON."""
    office: Office
    """Whose test key signs: the binary sends the signed text as it is."""

    async def __call__(self, *words: str) -> tuple[int, str]:
        endpoint, token = self.codec
        reading = ["--codec-endpoint", endpoint, "--codec-auth", f"Bearer {token}"]
        command = [binary("temporal"), *words, "--address", self.address, "--output", "json", *reading]
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await child.communicate()
        return child.returncode or 0, said.decode()

    async def done(self, *words: str) -> str:
        code, said = await self(*words)
        assert code == 0, said
        return said

    async def signal(self, name: str, **message: object) -> None:
        text = json.dumps(self.office.signed(CASE, {"do": name, **message}))
        await self.done("workflow", "signal", "--workflow-id", CASE, "--name", name, "--input", text)

    async def act(self, **message: object) -> tuple[int, str]:
        text = json.dumps(self.office.signed(CASE, {"v": 1, **message}))
        return await self("workflow", "update", "execute", "--workflow-id", CASE, "--name", "act", "--input", text)

    async def state(self) -> dict[str, object]:
        said = json.loads(await self.done("workflow", "query", "--workflow-id", CASE, "--type", "state"))
        [state] = said["queryResult"]
        assert isinstance(state, dict)
        return state


@pytest.fixture
def temporal(server: WorkflowEnvironment, office: Office) -> Iterator[Temporal]:
    sign_in = Local()
    with serving(codec(office.records, sign_in=sign_in)) as address:
        yield Temporal(server.client.service_client.config.target_host, (address, sign_in.token), office)


def put(office: Office, text: str) -> str:
    """Returns a text's reference, as evenhand text put prints it."""
    with transaction(office.records) as session:
        return put_text(session, CASE, text, at=now())


async def test_a_whole_case_with_the_temporal_binary_alone(office: Office, temporal: Temporal):
    """Start, signals named as the user named them, the update `act` and the query `state`: MMO-24 to MMO-43."""
    customer = {**CUSTOMER, "name": put(office, CUSTOMER["name"]), "address": put(office, CUSTOMER["address"])}
    start = {
        "v": 1,
        "id": f"open:{CASE}",
        "do": "open_case",
        "by": OFFICER,
        "with": {"body": "mmo", "customer": customer, "area": "licensing"},
    }
    text = json.dumps(office.signed(CASE, start))

    await temporal.done("workflow", "start", "--type", "Case", "--task-queue", office.queue, "--workflow-id", CASE, "--input", text)
    assert (await office.logged(CASE, f"open:{CASE}")).result == "accepted"
    assert (await temporal.state())["stage"] == "opened"

    behaviour = {"code": "excessive-contact", "medium": "email", "summary": put(office, "Forty emails in one week.")}
    warning = {**WARNING, "findings": {"concerns": put(office, "Forty emails in one week."), "policy-copy-directed": True}}
    await temporal.signal("report_behaviour", id="c-1", by=OFFICER, on=ago(40), **{"with": behaviour})
    await temporal.signal("warn", id="c-2", by=OFFICER, on=ago(30), **{"with": warning})
    assert (await office.logged(CASE, "c-2")).result == "accepted"
    assert (await temporal.state())["stage"] == "warned"

    findings = {name: put(office, said) for name, said in FINDINGS.items()}
    sanction = {"restrictions": [LIMIT], "reasons": put(office, "The emails go on."), "findings": findings}
    code, said = await temporal.act(id="c-3", do="impose_sanction", by=MANAGER, **{"with": sanction})
    assert code != 0
    assert "opportunity to change" in said

    await temporal.signal(
        "report_behaviour", id="c-4", by=OFFICER, on=ago(12), **{"with": {**behaviour, "summary": put(office, "Thirty more.")}}
    )
    code, said = await temporal.act(id="c-5", do="propose_sanction", by=OFFICER, **{"with": sanction})
    assert code == 0, said
    assert json.loads(said)["result"]["stage"] == "proposed"
    await temporal.signal("approve", id="c-6", by=MANAGER, saw="p1")
    assert (await office.logged(CASE, "c-6")).result == "accepted"
    state = await temporal.state()
    assert state["stage"] == "restricted"
    await office.settled(CASE)
    assert str((await temporal.state())["due_key"]).startswith("appeal-closes:s1:")

    await temporal.signal(
        "appeal", id="c-7", by="customer", on=today().isoformat(), **{"with": {"medium": "email", "grounds": put(office, "Unfair.")}}
    )
    line = await office.logged(CASE, "c-7")
    assert (line.result, line.actor) == ("accepted", "customer")
    assert "MMO-43" in line.cites
    code, said = await temporal.act(
        id="c-8", do="decide_appeal", by=MANAGER, saw="a1", **{"with": {"outcome": "withdraw", "reasons": put(office, "No.")}}
    )
    assert code != 0, "nobody decides an appeal against his or her own decision"
    code, said = await temporal.act(
        id="c-9", do="decide_appeal", by=SENIOR, saw="a1", **{"with": {"outcome": "uphold", "reasons": put(office, "Fair.")}}
    )
    assert code == 0, said
    answer = json.loads(said)["result"]
    assert (answer["result"], answer["stage"], answer["command"]) == ("accepted", "restricted", "c-9")

    await office.settled(CASE)
    assert [one.kind for one in office.notices(CASE)] == ["warning", "decision", "appeal-acknowledged", "appeal-outcome"]
    letter = office.letter(CASE, "n2").with_suffix(".txt").read_text(encoding="utf-8")
    assert in_words(today()) in letter and CUSTOMER["name"] in letter


async def test_a_refusal_names_its_clause_by_this_door_too(office: Office, temporal: Temporal):
    """DESIGN 2: refused with the clause. What stands only in the details of the error is seen by no one who uses the binary or the UI."""
    await office.open("contract/3")

    message = json.dumps(office.signed("contract/3", {"id": "c-1", "do": "warn", "by": OFFICER, "with": {"medium": "telephone"}}))
    code, said = await temporal("workflow", "update", "execute", "--workflow-id", "contract/3", "--name", "act", "--input", message)

    assert code != 0
    assert "MMO-24" in said, said


async def test_the_binary_lists_cases_by_stage(office: Office, temporal: Temporal):
    await office.restricted("contract/2")

    for _ in range(50):
        said = await temporal.done("workflow", "list", "--query", "EvenhandStage = 'restricted' AND WorkflowId = 'contract/2'")
        if "contract/2" in said:
            break

    assert [one["execution"]["workflowId"] for one in json.loads(said)] == ["contract/2"]
