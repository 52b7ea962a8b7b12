"""Payloads in the engine are sealed by case: what nobody should read, the engine does not hold; what is broken never stops a case."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.converter import WorkflowSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from activities.outcome import ROUNDS
from activities.repair import _repaired
from records.keys import INSTALLATION, KeyStore, file_keys
from records.masters import FileMasters, make_file
from starter.cases import Cases, Unavailable
from tests.engine import (
    MANAGER,
    OFFICER,
    PERSONAL,
    WARNING,
    Office,
    act,
    ago,
    closed_office,
    new_office,
    office,
    opening,
    raw,
    report,
    road_to_restriction,
    server,
)
from tests.signing import SIGNER
from workflows.case import CaseWorkflow
from workflows.codec import ENCODING, KEY, UNREADABLE, CaseCodec
from workflows.converter import DATA_CONVERTER, HIDDEN, sealing, with_keys
from workflows.reading import SEALED

__all__ = ["closed_office", "office", "server"]


def keys(folder: Path) -> KeyStore:
    return file_keys(folder)


def payload(value: object) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def codec_of(folder: Path, case: str) -> CaseCodec:
    return CaseCodec(keys(folder)).with_context(WorkflowSerializationContext(namespace="default", workflow_id=case))


async def test_a_payload_is_sealed_with_its_cases_key_and_opens_without_being_told_the_case(tmp_path: Path):
    [sealed] = await codec_of(tmp_path, "mmo/1").encode([payload("Casey Sample")])

    assert sealed.metadata["encoding"] == ENCODING and set(sealed.metadata) == {"encoding", KEY}
    assert sealed.metadata[KEY].decode() == keys(tmp_path).of("mmo/1").id
    assert b"Casey" not in sealed.SerializeToString() and b"mmo" not in sealed.SerializeToString()
    [opened] = await CaseCodec(keys(tmp_path)).decode([sealed])
    assert json.loads(opened.data) == "Casey Sample" and opened.metadata["encoding"] == b"json/plain"


async def test_what_cannot_be_read_is_a_placeholder_and_never_an_exception(tmp_path: Path):
    codec = codec_of(tmp_path, "mmo/1")
    [sealed] = await codec.encode([payload("Casey Sample")])
    [others] = await codec_of(tmp_path, "mmo/2").encode([payload("Casey Sample")])
    broken = {
        "a byte changed": Payload(metadata=sealed.metadata, data=sealed.data[:20] + bytes([sealed.data[20] ^ 1]) + sealed.data[21:]),
        "cut off": Payload(metadata=sealed.metadata, data=sealed.data[:9]),
        "nothing": Payload(metadata=sealed.metadata, data=b""),
        "another case's bytes": Payload(metadata=sealed.metadata, data=others.data),
        "no key named": Payload(metadata={"encoding": ENCODING}, data=sealed.data),
        "an unknown key": Payload(metadata={"encoding": ENCODING, KEY: b"k-none"}, data=sealed.data),
        "a key's name that is no text": Payload(metadata={"encoding": ENCODING, KEY: b"\xff\xfe"}, data=sealed.data),
    }
    found = dict(zip(broken, await codec.decode(list(broken.values())), strict=True))

    assert {name: json.loads(one.data) for name, one in found.items()} == dict.fromkeys(broken, UNREADABLE)
    keys(tmp_path).destroy("mmo/1")
    assert json.loads((await codec.decode([sealed]))[0].data) == UNREADABLE
    assert json.loads((await codec.decode([others]))[0].data) == "Casey Sample"


async def test_nobody_can_claim_that_a_plain_payload_came_sealed(tmp_path: Path):
    """What came plain may hold no text; a sender that sets the mark by itself is found out."""
    forged = Payload(metadata={"encoding": b"json/plain", SEALED: b"1"}, data=b'"x"')
    plain = payload("x")

    [opened, same] = await codec_of(tmp_path, "mmo/1").decode([forged, plain])

    assert SEALED not in opened.metadata and opened.data == forged.data
    assert same == plain


async def test_payloads_of_no_case_are_the_installations(tmp_path: Path):
    for id in (f"{ROUNDS}-2027-01-01T00:00:00Z", ROUNDS):
        [sealed] = await codec_of(tmp_path, id).encode([payload({"asked": 3})])
        assert sealed.metadata[KEY].decode() == keys(tmp_path).of(INSTALLATION).id
    assert list(await CaseCodec(keys(tmp_path)).encode([])) == []


async def test_a_key_store_that_does_not_answer_raises_so_that_nothing_durable_is_called_unreadable(tmp_path: Path):
    [sealed] = await codec_of(tmp_path, "mmo/1").encode([payload("Casey Sample")])
    make_file(tmp_path / "m")
    away = CaseCodec(KeyStore(f"sqlite:///{tmp_path / 'none' / 'k.db'}", FileMasters(tmp_path / "m")))

    with pytest.raises(Exception, match="unable to open"):
        await away.decode([sealed])


async def everything_of(office: Office, case: str) -> str:
    """Returns all that the engine gives of a case, as one text: histories of every run, description, listing."""
    found = [str(await office.handle(case).describe()), (await office.handle(case).fetch_history()).to_json()]
    described = await office.handle(case).describe()
    found.append(str(described.raw_description))
    found += [str(event) for event in await office.events(case)]
    return "".join(found)


def words_in(text: str) -> set[str]:
    """Returns the personal words that stand in a text, as they are or in base64 at any of its three offsets."""
    from tests.readable import spellings

    return {word for word in PERSONAL if any(one.decode("latin1") in text for one in spellings(word))}


async def test_a_case_leaves_no_personal_word_in_the_engine_and_its_search_attributes_are_codes(office: Office):
    await office.restricted("sealed/1")

    assert words_in(await everything_of(office, "sealed/1")) == set()
    attributes = (await office.handle("sealed/1").describe()).typed_search_attributes
    values = str([pair.value for pair in attributes.search_attributes])
    assert "restricted" in values and words_in(values) == set()


async def test_the_search_above_finds_what_is_not_sealed(office: Office):
    """The same life through a client and a worker without keys leaves the words in the engine."""
    bare = new_office(office.client, office.folder)
    bare.client = with_keys(office.client, keys(office.folder))
    config = office.client.config()
    config["data_converter"] = DATA_CONVERTER
    bare.client = type(office.client)(**config)
    async with bare.worker():
        await bare.cases.start("readable/1", opening("readable/1"))
        await bare.logged("readable/1", "open:readable/1")
        assert words_in(await everything_of(bare, "readable/1")) >= {"Quentin", "Testcase"}


class OpensNothing(CaseCodec):
    """What a client without keys sees: it sends plain JSON, and what is sealed is a placeholder."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    def with_context(self, context: object) -> OpensNothing:
        return self


async def test_refusals_are_sealed_and_their_kind_is_not(office: Office, tmp_path: Path):
    await office.open("sealed/2")
    message = act("warn", "w-1", by=OFFICER, with_=WARNING)
    refused = await office.cases.submit_message("sealed/2", message)
    config = office.client.config()
    config["data_converter"] = dataclasses.replace(DATA_CONVERTER, payload_codec=OpensNothing(keys(tmp_path)))
    plain = Client(**config)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await plain.get_workflow_handle("sealed/2").execute_update(
            "act", office.signed("sealed/2", {**message, "id": "w-2", "with": {"medium": "telephone"}})
        )

    assert refused.result == "refused" and "MMO-24" in refused.cites
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError) and cause.type == "refused" and cause.message == HIDDEN
    assert cause.details == (UNREADABLE,) and cause.__cause__ is None


async def test_a_sealed_history_replays(office: Office):
    await office.restricted("sealed/3")
    history = await office.handle("sealed/3").fetch_history()

    await Replayer(workflows=[CaseWorkflow], data_converter=office.client.data_converter).replay_workflow(history)


async def test_a_sealed_message_that_is_broken_is_nobodys_and_the_case_goes_on(office: Office):
    """A signal under a key nobody has, named as a command that needs no fields, must not be that command."""
    await office.open("sealed/4")
    for n, data in enumerate((b"", b"x" * 40)):
        junk = raw(data, ENCODING.decode())
        junk.payload.metadata[KEY] = b"k-none"
        bare = type(office.client)(office.client.service_client, data_converter=DATA_CONVERTER)
        await bare.get_workflow_handle("sealed/4").signal("destroy_papers" if n else "report_behaviour", args=[junk])
    outcome = await office.do("sealed/4", report("after-1"))

    assert outcome.accepted
    assert [one.result for one in office.lines("sealed/4") if one.command_id.startswith("signal:")] == ["unsigned", "unsigned"]
    assert await office.failed_tasks("sealed/4") == 0


async def test_cases_go_on_while_the_master_key_is_rotated(closed_office: Office):
    """Rotation without downtime: the same worker and client run through it, and so does one that starts after it."""
    office, store = closed_office, keys(closed_office.folder)
    road = road_to_restriction()
    masters = store.masters
    assert isinstance(masters, FileMasters)
    [old] = masters.ids()
    async with office.worker(cached=0):
        for case in ("turning/1", "turning/2"):
            await office.open(case)
            await office.lead(case, *road[:2])
        new = masters.add()
        assert store.rewrap() >= 2
        masters.drop(old)
        assert set(store.wrapped_by()) == {new}
        await office.lead("turning/1", *road[2:])
        await office.open("turning/3")
        assert set(store.wrapped_by()) == {new}
    file_keys.cache_clear()  # as a process that starts now
    later = new_office(office.client, office.folder)
    later.queue = office.queue
    async with later.worker():
        await later.lead("turning/2", *road[2:])
        assert (await later.cases.look_up("turning/2")).stage == "restricted"  # type: ignore[union-attr]  # it runs


async def test_after_a_key_is_destroyed_the_engine_shows_placeholders_and_describes_the_case(closed_office: Office):
    office = closed_office
    async with office.worker():
        await office.open("shred/1")
        await office.do("shred/1", act("withdraw", "w-1", by=MANAGER, with_={"reasons": "Opened too soon."}, on=ago(0)))
        await office.open("shred/2")
    keys(office.folder).destroy("shred/1")

    events = await office.events("shred/1")
    given = [event.workflow_execution_started_event_attributes.input for event in events if event.event_id == 1]
    assert await office.client.data_converter.decode(list(given[0].payloads)) == [UNREADABLE]
    assert (await office.handle("shred/1").describe()).id == "shred/1"
    [kept] = (await office.events("shred/2"))[0].workflow_execution_started_event_attributes.input.payloads
    assert (await office.client.data_converter.decode([kept]))[0]["by"] == OFFICER


async def test_a_failure_under_a_lost_key_is_still_a_failure(tmp_path: Path):
    from temporalio.api.failure.v1 import Failure

    converter = sealing(keys(tmp_path)).with_context(WorkflowSerializationContext(namespace="default", workflow_id="mmo/1"))
    failure = Failure()
    await converter.encode_failure(ApplicationError("Casey Sample", "details of Casey", type="refused"), failure)
    assert b"Casey" not in failure.SerializeToString()
    kept = Failure.FromString(failure.SerializeToString())  # opening a failure opens it in place
    again = await converter.decode_failure(failure)
    assert isinstance(again, ApplicationError) and again.message == "Casey Sample" and again.details == ("details of Casey",)

    keys(tmp_path).destroy("mmo/1")
    lost = await sealing(keys(tmp_path)).decode_failure(kept)

    assert isinstance(lost, ApplicationError) and lost.type == "refused" and lost.message == HIDDEN and lost.details == (UNREADABLE,)


async def test_a_client_with_other_keys_than_the_workers_is_told_so(office: Office, tmp_path: Path):
    """A wrong EVENHAND_KEYS_URL is said in one line, and a repair leaves the case alone."""
    await office.open("other/1")
    stranger = with_keys(office.client, keys(tmp_path))
    cases = Cases(stranger, task_queue=office.queue, signer=SIGNER)
    for asking in (cases.look_up("other/1"), cases.submit_message("other/1", report())):
        with pytest.raises(Unavailable, match="EVENHAND_KEYS_URL"):
            await asking

    empty = Office(client=stranger, folder=tmp_path, queue="nobody")
    repaired = await _repaired(stranger, empty.records, "other/1", tmp_path / "outbox")

    assert repaired.applied == [] and "not in this key store" in repaired.left[0]
