"""A move of many cases that the engine does not see to its end: what was answered is told, and the same command goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from activities.bodies import Body, keep_edition, save_body
from activities.outcome import Outcome
from domain.days import first_instant
from policies import load
from records.database import create_all, open_database, transaction
from records.store import save_case
from records.vault import CaseVault
from starter.cases import Cases, NoSuchCase, Unavailable
from starter.cli_edition import move
from tests import stories
from tests.test_editions import CYCLE, MOVED

IDS = ("mmo/1", "mmo/2", "mmo/3")
UNREACHED, REFUSED, OK = 3, 1, 0


class Engine:
    """Stands in for the engine: remembers what it was sent, and answers as it is told to."""

    def __init__(self, answer: Callable[[str], Outcome]) -> None:
        self.answer = answer
        self.sent: list[tuple[str, dict[str, object]]] = []

    async def submit_message(self, case: str, message: dict[str, object]) -> Outcome:
        self.sent.append((case, message))
        return self.answer(case)


def accepted(case: str) -> Outcome:
    return Outcome(command="m", result="accepted", answer=f"{case} was moved.")


def gone_after_the_first(case: str) -> Outcome:
    if case != IDS[0]:
        raise Unavailable("has not answered; ask again.")
    return accepted(case)


def no_workflow_for_the_second(case: str) -> Outcome:
    if case == IDS[1]:
        raise NoSuchCase(f"There is no running case {case}.")
    return accepted(case)


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three cases of one body in the records, and the file of an edition to move them to; the last case stands under it already."""
    file = tmp_path / "new.yaml"
    file.write_text(load.policy_text("mmo").replace(CYCLE, CYCLE.replace("12", "6")), encoding="utf-8")
    engine, at = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}"), first_instant(MOVED)
    create_all(engine)
    there = load.edition_of(file.read_text(encoding="utf-8"))
    with transaction(engine) as session:
        body = Body(body="mmo", name="MMO", policy="mmo", people=stories.MMO_STAFF.people)
        save_body(session, body)
        keep_edition(session, body, at=at)
        for id in (*IDS, "mmo/there"):
            changed = {"id": id, **({"edition": there} if id == "mmo/there" else {})}
            case = stories.a_restricted_mmo_case().model_copy(update=changed)
            save_case(session, case, vault=CaseVault(session, case.id), deadline=None, at=at)
    monkeypatch.setenv("EVENHAND_VAR", str(tmp_path))
    monkeypatch.delenv("EVENHAND_DATABASE_URL", raising=False)
    return str(file)


def moved(new: str, answer: Callable[[str], Outcome], monkeypatch: pytest.MonkeyPatch, *, json: bool) -> tuple[Engine, int]:
    """Returns the stand-in with what it was sent, and the code with which the command ended."""
    engine = Engine(answer)

    async def connect(*_: object) -> Engine:
        return engine

    monkeypatch.setattr(Cases, "connect", connect)
    with pytest.raises(typer.Exit) as left:
        move(new, body="mmo", by="manager", rule=["review=keep"], json=json)
    return engine, left.value.exit_code


def test_what_was_answered_before_the_engine_fell_silent_is_told(
    new: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    engine, code = moved(new, gone_after_the_first, monkeypatch, json=True)
    told = capfd.readouterr()

    assert code == UNREACHED
    assert [case for case, _ in engine.sent] == ["mmo/1", "mmo/2"], "nothing more is tried"
    assert [(one["case"], one["result"]) for one in json.loads(told.out)] == [("mmo/1", "accepted")]
    assert "mmo/2: has not answered" in told.err and "1 of 3 were answered" in told.err and "goes on from there" in told.err


def test_a_case_without_a_workflow_stops_none_of_the_others(new: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    _, code = moved(new, no_workflow_for_the_second, monkeypatch, json=True)
    told = json.loads(capfd.readouterr().out)

    assert code == REFUSED
    assert [(one["case"], one["result"]) for one in told] == [("mmo/1", "accepted"), ("mmo/2", "unknown"), ("mmo/3", "accepted")]
    assert "evenhand engine repair" in told[1]["remains"]


def test_a_case_that_stands_there_already_is_left_alone(new: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """So that the same command again goes on where it stopped, and does not end as refused for what is done."""
    engine, code = moved(new, accepted, monkeypatch, json=False)

    assert code == OK
    assert [case for case, _ in engine.sent] == list(IDS)
    assert all(
        message["with"] == {"edition": load.edition_of(load.policy_text(new)), "rules": {"review": "keep"}} for _, message in engine.sent
    )
    assert "mmo/3 was moved." in capfd.readouterr().out
