"""What must not be lost: a customer's appeal or request is kept in the records first, and only then is its case asked.

With the engine, its workers or this program gone a moment later, a worker passes it on (activities/relay.py), under the same id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import Engine

from activities.outcome import Outcome
from activities.recording import content_hash
from domain.commands import COMMANDS
from domain.days import london_date
from records.database import transaction
from records.inbox import keep, settle
from starter.cases import Cases, NoSuchCase, Unavailable, Unfit, unfit_to_send
from starter.clock import now

INTAKE = frozenset(name for name, command in COMMANDS.items() if "customer" in command.origins)
"""The commands by which customers act: each has, or may have, a last day."""


def received(engine: Engine, case: str, message: dict[str, object]) -> dict[str, object]:
    """Keep a message that has just arrived; it counts from today where it names no day. Returns it as it was kept.

    Raises Unfit (no case could keep it), or records.inbox.NotKept: NoRunningCase or IdTaken."""
    at = now()
    dated = {**message, "on": message.get("on") or london_date(at).isoformat()}
    unfit = unfit_to_send(dated)
    if unfit:
        raise Unfit(unfit)
    with transaction(engine) as session:
        return keep(session, case, dated, hashed=content_hash(dated), at=at)


async def receive(connect: Callable[[], Awaitable[Cases]], engine: Engine, case: str, message: dict[str, object]) -> Outcome:
    """Keep a message, then ask its case; `pending` where that cannot answer now, and nothing is lost. Raises as `received`."""
    kept = received(engine, case, message)
    try:
        outcome = await (await connect()).submit_message(case, kept)
    except (NoSuchCase, Unavailable, RuntimeError):  # the last: no engine there to connect to
        return Outcome(command=str(kept["id"]), result="pending", answer=_kept_until(kept), remains="evenhand inbox shows what waits.")
    with transaction(engine) as session:
        settle(session, case, str(kept["id"]), at=now())
    return outcome


def _kept_until(kept: dict[str, object]) -> str:
    return f"Kept in the records as {kept['id']}, and counts from {kept['on']}. Its case is asked as soon as it can answer."
