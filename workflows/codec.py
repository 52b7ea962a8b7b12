"""Payloads in the engine, each sealed with its case's key: AES-GCM, the key's id in the metadata, the case bound in.

If this is wrong, either the engine's database holds what a destroyed key should have made unreadable, or an open case stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from activities.outcome import OF_NO_CASE
from domain.case_id import fit_case_id
from records.case_key import CaseKey, Unsealable
from records.keys import INSTALLATION, Keys
from workflows.reading import SEALED

ENCODING = b"binary/evenhand-sealed-1"
KEY = "evenhand-key"
PLACE = "payload"
UNREADABLE = "[sealed with a key that is destroyed, or not here]"


class CaseCodec(PayloadCodec, WithSerializationContext):
    """Seals by the workflow that a payload belongs to; opens by the key that the payload names. A workflow under an id that no case can
    have gets no key of its own: what it answers is sealed with the installation's.

    Opening never raises for what a payload holds: what cannot be read becomes a placeholder. A key store that does not answer raises,
    and the engine tries again: to call a durable message unreadable then would lose it."""

    def __init__(self, keys: Keys, *, case: str | None = None) -> None:
        self.keys, self.case = keys, INSTALLATION if case is None or is_round(case) or not fit_case_id(case) else case

    def with_context(self, context: SerializationContext) -> CaseCodec:
        return CaseCodec(self.keys, case=getattr(context, "workflow_id", None))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if not payloads:
            return []
        key = self.keys.remembered(self.case)
        if key is None:
            key = await asyncio.to_thread(self.keys.of, self.case)
        return [sealed(payload, key) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [await self._opened(payload) for payload in payloads]

    async def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return without_claim(payload)
        key_id = payload.metadata.get(KEY, b"").decode(errors="replace")
        key = self.keys.remembered_id(key_id) or await asyncio.to_thread(self.keys.by_id, key_id)
        return opened(payload, key)


def is_round(workflow_id: str) -> bool:
    """Returns whether a workflow belongs to no case: its payloads hold numbers, and are sealed with the installation's key."""
    return workflow_id.startswith(OF_NO_CASE)


def sealed(payload: Payload, key: CaseKey) -> Payload:
    """Returns a payload that only the holder of the key can read."""
    return Payload(metadata={"encoding": ENCODING, KEY: key.id.encode()}, data=key.seal(payload.SerializeToString(), PLACE))


def opened(payload: Payload, key: CaseKey | None) -> Payload:
    """Returns what was sealed, marked as having been so; a placeholder where the key is gone or the bytes are damaged."""
    if key is None:
        return placeholder()
    try:
        found = Payload.FromString(key.open(payload.data, PLACE))
    except (Unsealable, ValueError):  # protobuf's DecodeError is a ValueError
        return placeholder()
    found.metadata[SEALED] = b"1"
    return found


def placeholder(text: str = UNREADABLE) -> Payload:
    """Returns a text in place of what cannot be read: a message made of it is malformed, whatever its name."""
    return Payload(metadata={"encoding": b"json/plain", SEALED: b"1"}, data=json.dumps(text).encode())


def without_claim(payload: Payload) -> Payload:
    if SEALED not in payload.metadata:
        return payload
    plain = Payload()
    plain.CopyFrom(payload)
    del plain.metadata[SEALED]
    return plain
