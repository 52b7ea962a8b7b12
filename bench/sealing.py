"""What sealing and signing cost: the reference case with both and with neither, by turns on one server, as a ratio of cases a second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import SerializationContext

from activities.recording import Recording
from activities.signatures import Message
from records.case_key import CaseKey
from starter.signer import Signer
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


class SignsNothing(Signer):
    """Sends messages as they are."""

    def sign(self, case: str, message: Message) -> Message:
        return message


@contextmanager
def nobody_verifies() -> Iterator[None]:
    """Have acts recorded without their signatures looked at: the product has no such switch."""
    real = Recording._unsigned
    Recording._unsigned = lambda self, case: None  # type: ignore[method-assign]  # what is measured is the lack of it
    try:
        yield
    finally:
        Recording._unsigned = real  # type: ignore[method-assign]  # put back


Run = Callable[[Client, Path, int], Awaitable[float]]


async def measure(guarded: Run, bare: Run, client: Client, folder: Path, cases: int) -> tuple[float, float]:
    """Returns cases a second sealed and signed, and neither: each by turns, so that a slow minute hits both."""
    rates: dict[str, list[float]] = {"guarded": [], "bare": []}
    for turn in range(TURNS):
        for name, run in (("guarded", guarded), ("bare", bare)):
            place = folder / f"{name}-{turn}"
            place.mkdir()
            rates[name].append(await run(client, place, max(cases // TURNS, 1)))
    return sum(rates["guarded"]) / TURNS, sum(rates["bare"]) / TURNS
