"""Edges that a first user, an ombudsman and a clumsy hand found: each would have hurt somebody."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest, UpdateWorkflowExecutionResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.commands import (
    Appeal,
    Correct,
    DeadlinePassed,
    DecideAppeal,
    Hold,
    ImposeSanction,
    ReportBehaviour,
    ReviewSanction,
    SetRetention,
)
from domain.decide import decide
from domain.decision import Refusal
from domain.message import read_command, read_message
from domain.people import CALENDAR, CUSTOMER
from domain.restrictions import ContactVolumeLimit, RefuseAllContact
from domain.tasks import tasks
from starter.cases import unfit_to_send
from starter.server import Server
from tests.engine import ROOT, assess, free_port, new_office
from tests.stories import (
    ENGLAND,
    MMO,
    MMO_GROUNDS,
    ONE_EMAIL_A_WEEK,
    REASONS,
    a_continued_mmo_case,
    a_restricted_mmo_case,
    after,
    mmo,
)
from worker.run import connect
from worker.server import LIMITS
from worker.settings import Settings
from workflows.reading import LIMIT


def refused(case, command, by, on: date) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decide(case, command, actor=by, policy=MMO, calendar=ENGLAND, today=on)
    return caught.value


def test_a_decision_entered_late_whose_end_has_passed_is_refused():
    """MMO-29, DEF-05: nothing is enforced before notification, so such a restriction would never have bound anybody."""
    late = ImposeSanction(
        on=date(2027, 3, 10), restrictions=(ONE_EMAIL_A_WEEK,), reasons=REASONS, findings=MMO_GROUNDS, until=date(2027, 4, 10)
    )

    said = refused(a_continued_mmo_case(), late, mmo("manager"), date(2027, 5, 1))

    assert "before the customer could be told" in said.reason
    assert "MMO-29" in said.cites


def test_an_appeal_never_leaves_the_customer_worse_off():
    """DEF-11: the outcome of an appeal opens no fresh right, so it may not impose what nobody could then challenge."""
    case = after(a_restricted_mmo_case(), (Appeal(medium="email"), CUSTOMER, date(2027, 3, 20)))
    worse = DecideAppeal(saw="a1", outcome="vary", reasons="So be it.", restrictions=(RefuseAllContact(type="refuse-all-contact"),))
    milder = ContactVolumeLimit(type="contact-volume-limit", max_contacts=3, per="week", channel="email")
    better = DecideAppeal(saw="a1", outcome="vary", reasons="Three are enough.", restrictions=(milder,))

    said = refused(case, worse, mmo("reviewer"), date(2027, 3, 25))
    case = after(case, (better, mmo("reviewer"), date(2027, 3, 25)))

    assert "DEF-11" in said.cites
    assert case.sanctions[0].terms.restrictions == (milder,)


def test_the_review_of_a_hold_becomes_somebodys_task():
    """DEF-19: a hold that nobody looks at again keeps papers for ever by omission."""
    lift = ReviewSanction(why="own-motion", outcome="lift")
    hold = Hold(reasons="A claim was made.", review_on=date(2027, 9, 1))
    came = DeadlinePassed(key="hold-review:h1:2027-09-01")
    case = after(
        a_restricted_mmo_case(),
        (lift, mmo("reviewer"), date(2027, 4, 1)),
        (hold, mmo("officer"), date(2027, 4, 2)),
        (DeadlinePassed(key="appeal-closes:s1:2027-03-24"), CALENDAR, date(2027, 4, 2)),
        (came, CALENDAR, date(2027, 9, 1)),
    )

    [task] = [one for one in tasks(case, MMO, ENGLAND, today=date(2027, 9, 2)) if one.kind == "hold"]

    assert task.people == ("officer",)
    past = refused(case, Hold(reasons="x", review_on=date(2020, 1, 1)), mmo("officer"), date(2027, 9, 2))
    assert "not after" in past.reason


def test_a_case_undone_as_a_mistake_takes_no_incident():
    """A customer who was told of the mistake is blamed for nothing more under that case."""
    case = after(a_restricted_mmo_case(), (Correct(reasons="The wrong person."), mmo("manager"), date(2027, 4, 1)))
    incident = ReportBehaviour(on=date(2027, 3, 30), code="other", medium="email", summary="An email.")

    assert "ended" in refused(case, incident, mmo("officer"), date(2027, 4, 2)).reason


def test_how_long_papers_are_kept_is_not_any_officers_to_say():
    """DEF-19: the body's schedule is set by the post that keeps the papers."""
    assert refused(a_restricted_mmo_case(), SetRetention(years=1), mmo("officer"), date(2027, 4, 1)).cites
    assert after(a_restricted_mmo_case(), (SetRetention(years=7), mmo("records"), date(2027, 4, 1))).keep_years == 7


def test_a_year_that_cannot_be_meant_is_refused():
    incident = ReportBehaviour(on=date(1066, 1, 1), code="other", medium="email", summary="An email.")

    assert refused(a_continued_mmo_case(), incident, mmo("officer"), date(2027, 4, 1)).kind == "malformed"


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x07"])
def test_a_sign_that_no_letter_can_print_is_refused(sign: str):
    message = {"id": "m", "do": "report_behaviour", "with": {"code": "other", "medium": "email", "summary": f"An{sign} email."}}

    with pytest.raises(Refusal, match="control character"):
        read_command(read_message(message))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"with": {"summary": "x" * 3_000_000}}, "at most"),
        ({"with": {"summary": "\ud800"}}, "UTF-8"),
        ({"with": {"n": float("nan")}}, "NaN"),
    ],
)
def test_what_would_choke_the_engine_is_not_sent(message: dict[str, object], why: str):
    """An update of megabytes is refused by the engine again and again, and everybody behind it waits."""
    assert why in (unfit_to_send(message) or "")
    assert unfit_to_send({"with": {"summary": "An email."}}) is None


def update(client: Client, case: str, size: int, *, id: str) -> Awaitable[UpdateWorkflowExecutionResponse]:
    """Send an update of so many bytes by nobody's door, once: a client's own handle would try again for a quarter of a minute."""
    request = UpdateWorkflowExecutionRequest(namespace=client.namespace)
    request.workflow_execution.workflow_id = case
    request.request.meta.update_id, request.request.input.name = id, "assess"
    request.request.input.args.payloads.add(metadata={"encoding": b"json/plain"}, data=b'"' + b"x" * (size - 2) + b'"')
    request.wait_policy.lifecycle_stage = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
    return client.workflow_service.update_workflow_execution(request)


async def test_megabytes_sent_past_our_doors_are_refused_by_the_embedded_server_and_stall_nobody(tmp_path: Path):
    """An update that the server took and then could not keep used to stall its case for as long as its sender tried."""
    embedded = Server(Settings(var=tmp_path, temporal_address=f"127.0.0.1:{free_port()}", ui_port=free_port()))
    try:
        office, case = new_office(await connect(await embedded.start()), tmp_path), "megabytes/1"
        async with office.worker():
            await office.open(case)
            for n in range(12):  # more than a case may have in hand: what was refused must not count
                with pytest.raises(RPCError, match="total payload size of in-flight updates") as by_update:
                    await update(office.client, case, 3_000_000, id=f"u-{n}")
            with pytest.raises(RPCError, match="Blob data size exceeds limit") as by_signal:
                await office.handle(case).signal("assess", "x" * 3_000_000)
            with pytest.raises(RPCError, match="Blob data size exceeds limit") as by_start:
                await office.client.start_workflow("Case", "x" * 3_000_000, id="megabytes/2", task_queue=office.queue)
            assert (await office.do(case, assess("after"))).accepted

            [limit] = LIMITS.values()
            longest = await update(office.client, case, limit - 200, id="u-longest")
            answered = await office.client.data_converter.decode_failure(longest.outcome.failure)
            assert "cannot be read" in str(answered), "what the server takes, the case answers"
            assert (await office.do(case, assess("after-the-longest"))).accepted
            assert await office.failed_tasks(case) == 0
    finally:
        embedded.stop()

    assert by_update.value.status == RPCStatusCode.RESOURCE_EXHAUSTED
    assert by_signal.value.status == by_start.value.status == RPCStatusCode.INVALID_ARGUMENT


def test_the_production_server_has_the_limits_of_the_embedded_one_and_room_for_ten_of_the_longest_messages():
    deployed = YAML(typ="safe").load((ROOT / "deploy" / "dynamicconfig.yaml").read_text(encoding="utf-8"))

    assert {name: deployed[name] for name in LIMITS} == {name: [{"value": value, "constraints": {}}] for name, value in LIMITS.items()}
    assert 10 * LIMIT < LIMITS["history.maxInFlightUpdatePayloads"] < 2 * 1024 * 1024
