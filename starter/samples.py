"""The sample cases of a first run: each a body, its staff, and the acts that lead to a first restriction letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine

from activities.bodies import Body, save_body
from activities.outcome import Outcome
from activities.staff_lists import Loaded
from domain.case import Customer
from domain.commands import OpenCase
from domain.model import Data
from policies.load import build, parse
from records.database import reading, transaction
from records.tables import CaseRow
from starter.cases import AlreadyOpen, Cases
from starter.clock import now

FOLDER = Path(__file__).resolve().parent / "samples"
PATIENCE = 60.0


class SampleStep(Data):
    """One act of a sample, dated back from today."""

    by: str
    do: str
    days_ago: int = 0
    saw: str | None = None
    until_days_ahead: int | None = None
    review_days_ahead: int | None = None
    with_: dict[str, object] = {}


class Sample(Data):
    """A sample body and one case of it."""

    case: str
    body: Body
    customer: Customer
    area: str | None = None
    contact_officer: str | None = None
    opened_by: str
    steps: tuple[SampleStep, ...]


class SampleFailed(Exception):
    """A sample case did not go as its policy allows: the policy file or the sample is wrong."""


def samples() -> tuple[Sample, ...]:
    """Returns the samples, one a policy. Raises Unreadable."""
    return tuple(_sample(path) for path in sorted(FOLDER.glob("*.yaml")))


def _sample(path: Path) -> Sample:
    data = parse(path.read_text(encoding="utf-8"), str(path))
    assert isinstance(data, dict)
    for step in data["steps"]:
        step["with_"] = step.pop("with", {})
    return build(Sample, data, str(path))


def set_up_bodies(engine: Engine, found: tuple[Sample, ...]) -> None:
    """Save the sample bodies, where they are not there yet."""
    with transaction(engine) as session:
        for sample in found:
            save_body(session, sample.body, Loaded(at=now(), source="sample"))


async def play(sample: Sample, cases: Cases, engine: Engine, *, today: date, progress: Callable[[str], None]) -> None:
    """Open a sample case and lead it to its first restriction letter. Raises SampleFailed."""
    command = OpenCase(body=sample.body.body, customer=sample.customer, area=sample.area, contact_officer=sample.contact_officer)
    with suppress(AlreadyOpen):  # an earlier run was stopped half-way: its acts are known by their ids
        _good(await cases.open(sample.case, command, by=sample.opened_by), "open_case")
    for number, step in enumerate(sample.steps, start=1):
        await letters_sent(engine, sample.case)
        progress(f"{sample.case}: {step.do.replace('_', ' ')}")
        _good(await cases.submit_message(sample.case, _message(step, number, today)), step.do)
    await letters_sent(engine, sample.case)


def _message(step: SampleStep, number: int, today: date) -> dict[str, object]:
    with_ = dict(step.with_)
    for field, ahead in (("until", step.until_days_ahead), ("review_on", step.review_days_ahead)):
        if ahead is not None:
            with_[field] = (today + timedelta(days=ahead)).isoformat()
    on = (today - timedelta(days=step.days_ago)).isoformat()
    return {
        "v": 1,
        "id": f"sample-{number}",
        "do": step.do,
        "by": step.by,
        "on": on,
        "with": with_,
        **({"saw": step.saw} if step.saw else {}),
    }


def _good(outcome: Outcome, did: str) -> None:
    if not outcome.accepted and outcome.result != "repeated":
        raise SampleFailed(f"{did}: {outcome.answer} [{', '.join(outcome.cites)}] {outcome.remains or ''}")


async def letters_sent(engine: Engine, case: str) -> None:
    """Wait until the case has no letter on its way."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while _on_their_way(engine, case):
        if asyncio.get_running_loop().time() > end:
            raise SampleFailed(f"{case}: its letters were not sent within {PATIENCE:.0f} seconds")
        await asyncio.sleep(0.05)


def _on_their_way(engine: Engine, case: str) -> bool:
    with reading(engine) as session:
        row = session.get(CaseRow, case)
        notices = row.state["notices"] if row else []
        assert isinstance(notices, list)
        return any(one["status"] == "to-send" for one in notices)
