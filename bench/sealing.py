"""What sealing costs: the reference case with and without it, by turns on one server, as a ratio of cases a second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import SerializationContext

from records.case_key import CaseKey
from workflows.codec import CaseCodec
from workflows.reading import SEALED

TURNS = 2
AIM = "0.9 or better"


class ClearKey(CaseKey):
    """A key that seals nothing: the same bytes are kept, read and written."""

    def seal(self, content: bytes, place: str) -> bytes:
        return b"\0" * 12 + content

    def open(self, sealed: bytes, place: str) -> bytes:
        return sealed[12:]


class ClearKeys:
    """Keys of nothing."""

    def of(self, case: str) -> CaseKey:
        return ClearKey(case, f"k-{case}", b"\0" * 32)

    def by_id(self, key_id: str) -> CaseKey | None:
        return ClearKey(key_id.removeprefix("k-"), key_id, b"\0" * 32)

    def remembered(self, case: str) -> CaseKey | None:
        return self.of(case)

    def remembered_id(self, key_id: str) -> CaseKey | None:
        return self.by_id(key_id)

    def destroy(self, case: str) -> None:
        """There is nothing to destroy."""


class ClearCodec(CaseCodec):
    """Leaves payloads as they are, and says that they came sealed."""

    def __init__(self) -> None:
        super().__init__(ClearKeys())

    def with_context(self, context: SerializationContext) -> ClearCodec:
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            payload.metadata[SEALED] = b"1"
        return list(payloads)


Run = Callable[[Client, Path, int], Awaitable[float]]


async def measure(sealed: Run, clear: Run, client: Client, folder: Path, cases: int) -> float:
    """Returns cases a second sealed, as a part of those without: each by turns, so that a slow minute hits both."""
    rates: dict[str, list[float]] = {"sealed": [], "clear": []}
    for turn in range(TURNS):
        for name, run in (("sealed", sealed), ("clear", clear)):
            place = folder / f"{name}-{turn}"
            place.mkdir()
            rates[name].append(await run(client, place, max(cases // TURNS, 1)))
    return sum(rates["sealed"]) / sum(rates["clear"])
