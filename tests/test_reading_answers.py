"""docs/contract.md, Reading answers: what clients without keys see of an answer, and the two codecs by which they see more."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any  # what the page's own code defines

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from starter.codec_sign_in import Local
from tests.codec import codec, serving
from tests.engine import MANAGER, ROOT, Office, act, assess, office, server
from tests.test_signed_doors import temporal
from workflows.converter import HIDDEN, HIDDEN_UNSIGNED

__all__ = ["office", "server"]

PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
UNKNOWN = "Unknown payload encoding binary/evenhand-sealed-1"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Gives what the page's Python defines."""
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/contract.md", "exec"), names)  # a page of this project
    return names


def address(server: WorkflowEnvironment) -> str:
    return str(server.client.service_client.config.target_host)


def updating(client: Client, office: Office, case: str) -> Callable[..., Awaitable[object]]:
    async def update(message: dict[str, object], *, signed: bool = True) -> object:
        sent = office.signed(case, message) if signed else message
        return await client.get_workflow_handle(case).execute_update(str(message["do"]), sent)

    return update


def refused(id: str) -> dict[str, object]:
    """Returns an act that the policy does not allow yet."""
    return act("approve", id, by=MANAGER, saw="p9")


async def failure(answer: Awaitable[object]) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await answer
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_a_plain_client_cannot_tell_an_answer_from_a_refusal_as_the_page_says(server: WorkflowEnvironment, office: Office):
    await office.open("read/1")
    update = updating(await Client.connect(address(server)), office, "read/1")
    for message in (assess("1"), refused("2")):
        with pytest.raises(KeyError, match=UNKNOWN):
            await update(message)
        await office.logged("read/1", str(message["id"]))
    code, said = await temporal(
        server, "workflow", "update", "execute", "--workflow-id", "read/1", "--name", "withdraw", "--input", '{"do": "withdraw"}'
    )

    assert UNKNOWN in PAGE and "payload encoding is not supported" in PAGE
    assert code == 1 and HIDDEN_UNSIGNED in said and "type: unsigned" in said and "evenhand keys refused" in said


async def test_a_codec_that_reads_nothing_tells_them_apart(server: WorkflowEnvironment, office: Office, shown: dict[str, Any]):
    await office.open("read/2")
    client = await shown["client_of"](address(server), shown["Unread"]())
    update = updating(client, office, "read/2")

    accepted = await update(assess("1"))
    not_allowed, nobodys = await failure(update(refused("2"))), await failure(update(assess("3"), signed=False))

    assert accepted == await client.get_workflow_handle("read/2").query("state") == "sealed"
    assert (not_allowed.type, not_allowed.message) == ("stale", HIDDEN)
    assert (nobodys.type, nobodys.message) == ("unsigned", HIDDEN_UNSIGNED)


async def test_a_codec_that_asks_the_codec_server_reads_them(server: WorkflowEnvironment, office: Office, shown: dict[str, Any]):
    await office.open("read/3")
    local = Local()
    with serving(codec(office.records, sign_in=local)) as url:
        client = await shown["client_of"](address(server), shown["ByCodecServer"](url, local.token))
        update = updating(client, office, "read/3")

        accepted = await update(assess("1"))
        not_allowed = await failure(update(refused("2")))
        state = await client.get_workflow_handle("read/3").query("state")

    assert isinstance(accepted, dict) and accepted["result"] == "accepted" and accepted["answer"]
    assert not_allowed.type == "stale" and "saw must name the proposal" in not_allowed.message
    assert state["stage"] == accepted["stage"] and not_allowed.details[0]["result"] == "stale"
