"""The check of who may sign acts: a worker in production starts with no key for trying out, and with some other."""

from __future__ import annotations

import asyncio

from starter.clock import now
from starter.doctor import Check, Ill, Patient
from starter.show import several
from worker.signers import NoSigners, need_signers


def of_signers(patient: Patient) -> dict[str, Check]:
    """Returns the check by name; the default run has a key of its own, and is not looked at."""
    return {"signers": lambda: _signers(patient)} if patient.settings.database_url else {}


async def _signers(patient: Patient) -> str:
    records = patient.records
    try:
        found = await asyncio.to_thread(lambda: need_signers(records, at=now()))
    except NoSigners as error:
        raise Ill(error.found, " ".join(error.todo.split())) from None
    return f"{several(found, 'key')} may sign, none for trying out"
