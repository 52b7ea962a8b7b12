"""What a signature costs: an act signed by a door, and verified against its key in the records. Whole cases with it: bench/__main__.py."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.signatures import verified
from bench.reference import messages
from records.database import create_all, open_database, reading
from starter.signer import Signer, know_locally

TIMES = 200


class SigningFigures(NamedTuple):
    """Microseconds an act, the median; bytes that a signature adds to a message."""

    sign: float
    verify: float
    bytes: int


def measure(folder: Path) -> SigningFigures:
    """Signs and verifies the reference case's acts, many times; each verification in a session of its own, so that its key is looked up."""
    engine = open_database(f"sqlite:///{folder / 'signing.db'}")
    create_all(engine)
    signer = Signer(Ed25519PrivateKey.generate(), iss="bench")
    know_locally(engine, signer)
    given, signing, verifying = messages(), list[float](), list[float]()
    made = [signer.sign("bench/0", one) for one in given]
    for _ in range(TIMES):
        for one, signed in zip(given, made, strict=True):
            signing.append(_timed(lambda one=one: signer.sign("bench/0", one)))  # type: ignore[misc]  # bound as it stands
            with reading(engine) as session:
                session.connection()
                now = datetime.now(timezone.utc)
                act = {"case": "bench/0", "message": signed, "body": "mmo", "arrived": now}
                verifying.append(_timed(lambda act=act, session=session: verified(session, **act)))  # type: ignore[misc, arg-type]
    return SigningFigures(statistics.median(signing) * 1e6, statistics.median(verifying) * 1e6, len(str(made[0]["token"])) + 11)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows_of(found: SigningFigures) -> tuple[tuple[str, str, str], ...]:
    return (
        ("an act signed", f"{found.sign:.0f} microseconds, {found.bytes} bytes", ""),
        ("its signature verified, its key looked up", f"{found.verify:.0f} microseconds", ""),
    )
