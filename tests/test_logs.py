"""What a log may say. A log is copied to places that no retention rule reaches: a name that stands in one is there for ever."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

import activities.case as acting
from tests.engine import CUSTOMER, OFFICER, act, new_office, report, server, until
from worker import scrub
from worker.logs import Lines, NoLogs, keep_logs, secrets_of
from worker.settings import Settings

__all__ = ["server"]
MARKS = ("Quentin", "Testcase", "quentin.testcase@example.org", "Forty emails", "07700 900123", "SW1A 2AA")
"""Personal text that a case, or a fault in handling it, may hold; the number and the postcode are nobody's."""
SECRET = "hunter2-and-more"


class Kept(logging.Handler):
    """Keeps each line as it would be written."""

    def __init__(self, *, plain: bool = False) -> None:
        super().__init__(level=logging.DEBUG)
        self.setFormatter(Lines(plain=plain))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def last(self) -> dict[str, object]:
        return json.loads(self.lines[-1])


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Gives the lines of every logger at its most talkative."""
    handler, level = Kept(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.DEBUG)
    on_message = activity.logger.activity_info_on_message
    activity.logger.activity_info_on_message = False
    yield handler
    activity.logger.activity_info_on_message = on_message
    logging.root.setLevel(level)
    logging.root.removeHandler(handler)


@pytest.fixture
def own() -> logging.Logger:
    return logging.getLogger("evenhand.test")


def test_a_line_is_json_with_when_how_grave_who_and_what(kept: Kept, own: logging.Logger):
    own.info("Something happened.", extra={"case": "mmo/2027-1", "attempt": 3, "stage": "warned"})

    line = kept.last()
    assert str(line.pop("place")).startswith("test_logs:")
    assert {**line, "timestamp": None} == {
        "timestamp": None, "level": "info", "logger": "evenhand.test", "event": "Something happened.",
        "case": "mmo/2027-1", "attempt": 3, "stage": "warned",
    }  # fmt: skip
    assert str(line["timestamp"]).endswith("+00:00")


def test_a_key_that_nobody_allowed_shows_what_kind_of_value_it_had_and_nothing_of_it(kept: Kept, own: logging.Logger):
    own.info("Said.", extra={"customer": "Quentin Testcase", "findings": {"reason": "Forty emails"}, "reasons": ["Forty emails"]})

    assert kept.last()["customer"] == "<str, 16 characters>"
    assert kept.last()["findings"] == "<dict>"
    assert kept.last()["reasons"] == "<list>"
    assert not [mark for mark in MARKS if mark in kept.lines[-1]]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("mail to quentin.testcase@example.org now", "mail to <email> now"),
        ("at SW1A 2AA, or sw1a2aa", "at <postcode>, or <postcode>"),
        ("ring 07700 900123 or +44 7700 900123", "ring <telephone> or <telephone>"),
        ("postgresql+psycopg://evenhand:pw@postgres/evenhand", "postgresql+psycopg://<secret>@postgres/evenhand"),
        ("one\nlevel=error\r two\x1b[31m\u2028three", "one\\x0alevel=error\\x0d two\\x1b[31m\\x2028three"),
        ("mmo/2027-0001", "mmo/2027-0001"),
        ("activities/case.py:43 act", "activities/case.py:43 act"),
        ("127.0.0.1:7233", "127.0.0.1:7233"),
        ("0192f0a1-7c3e-7b52-9d0f-3a5b8c9d0e1f", "0192f0a1-7c3e-7b52-9d0f-3a5b8c9d0e1f"),
    ],
)
def test_what_looks_like_an_address_or_would_break_a_line_is_taken_out_under_allowed_keys_too(given: str, shown: str, kept: Kept):
    logging.getLogger("evenhand.test").info("Said.", extra={"kind": given})

    assert kept.last()["kind"] == shown
    assert "\n" not in kept.lines[-1]


def test_a_long_value_is_cut(kept: Kept, own: logging.Logger):
    own.info("Said.", extra={"kind": "x" * 10_000})

    assert len(kept.lines[-1]) < 600


def test_a_fault_is_told_by_its_kinds_and_places_without_its_text(kept: Kept, own: logging.Logger):
    try:
        try:
            raise ValueError("Forty emails of Quentin Testcase")
        except ValueError as error:
            raise RuntimeError("Quentin again") from error
    except RuntimeError:
        own.exception("It failed.")

    line = kept.last()
    assert (line["fault"], line["causes"]) == ("RuntimeError", ["ValueError"])
    assert isinstance(line["where"], list) and str(line["where"][-1]).startswith("tests/test_logs.py:")
    assert not [mark for mark in MARKS if mark in kept.lines[-1]]


@pytest.mark.parametrize("logger", ["somebody.elses", "evenhand.own"])
def test_a_message_shows_what_stands_in_the_program_that_says_it_and_the_kind_of_all_else(logger: str, kept: Kept):
    """An f-string is somebody's words; its constant opening is the program's own. We trust ourselves no more than a library."""
    library, name = logging.getLogger(logger), " ".join(("Robin", "Nowhere"))

    library.warning("Shut down after %s tries, for %s", 3, name)
    assert kept.last()["event"] == "Shut down after 3 tries, for <str, 13 characters>"
    library.warning("A constant sentence stands in the program")
    assert kept.last()["event"] == "A constant sentence stands in the program"
    library.warning(f"Failed to read the letter of {name} at once")
    assert str(kept.last()["event"]).startswith("Failed to read the letter of <")
    library.warning(name + " has written forty emails")
    assert str(kept.last()["event"]).startswith("<")
    assert not [line for line in kept.lines if "Robin" in line or "forty" in line]


def test_a_key_of_the_settings_is_never_shown(kept: Kept, own: logging.Logger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scrub, "SECRETS", set())
    settings = Settings(smtp_password=SecretStr(SECRET), database_url=SecretStr("postgresql://one:two-three@nowhere/four"))
    scrub.keep_secret(*secrets_of(settings))

    own.info("Said.", extra={"kind": f"login with {SECRET} and two-three", "setting": ["EVENHAND_SMTP_PASSWORD", SECRET]})

    assert SECRET not in kept.lines[-1] and "two-three" not in kept.lines[-1]
    assert kept.last()["kind"] == "login with <secret> and <secret>"


def test_a_line_for_a_person_is_one_line(own: logging.Logger):
    handler = Kept(plain=True)
    own.addHandler(handler)
    try:
        own.warning("Said.", extra={"kind": "one\ntwo", "customer": "Quentin"})
    finally:
        own.removeHandler(handler)

    assert "Said." in handler.lines[0] and "<str, 7 characters>" in handler.lines[0]
    assert len(handler.lines[0].splitlines()) == 1 and "Quentin" not in handler.lines[0]


@pytest.mark.parametrize(("name", "value"), [("log_level", "LOUD"), ("log_format", "xml")])
def test_a_setting_of_logs_that_there_is_not_is_told(name: str, value: str):
    with pytest.raises(NoLogs, match=f"EVENHAND_{name.upper()} is {value}; it must be one of"):
        keep_logs(Settings.model_validate({name: value}))


async def test_no_line_of_a_real_worker_holds_a_persons_words_whatever_fails(
    server: WorkflowEnvironment, tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    """Acts, refusals, messages that nobody can read, faults in the program and in the SDK's hands: at the most talkative level."""
    office = new_office(server.client, tmp_path)

    def broken(*_: object) -> object:
        raise ValueError(f"Forty emails of {CUSTOMER['name']}, 07700 900123, SW1A 2AA")

    def badly_broken(_self: object, _letter: object) -> object:
        raise ApplicationError(f"The letter to {CUSTOMER['name']} at SW1A 2AA", f"{CUSTOMER['address']}")

    async with office.worker():
        case = "logged/1"
        await office.open(case)
        await office.do(case, report())
        await office.cases.submit_message(case, act("report_behaviour", "odd", by="Quentin Testcase", with_={"summary": "Forty emails"}))
        await office.handle(case).signal("Quentin Testcase wrote Forty emails", "no JSON of ours")
        with monkeypatch.context() as patch:
            patch.setattr(acting.Recording, "record", broken)
            await office.cases.signal_message(case, report("faulty"))
            await until(lambda: [one for one in kept.lines if "A fault in the program" in one], "a fault is logged")
        await until(lambda: office.lines(case, "faulty"), "the act is done, or set aside")
        monkeypatch.setattr(acting.Sending, "send", badly_broken)
        await office.do(
            case,
            act(
                "warn",
                "warn-1",
                by=OFFICER,
                with_={"medium": "letter", "findings": {"concerns": "Forty emails", "policy-copy-directed": True}},
            ),
        )
        await until(lambda: [one for one in kept.lines if "ApplicationError" in one], "the SDK logs a failed activity")

    faults = [json.loads(one) for one in kept.lines if "A fault in the program" in one]
    assert faults[0]["fault"] == "ValueError" and faults[0]["case"] == case and faults[0]["activity"] == "act"
    assert any("test_logs.py" in place for place in faults[0]["where"])
    assert len(kept.lines) > 10
    for line in kept.lines:
        assert not [mark for mark in MARKS if mark in line], line
