"""Thousands of hostile messages, signed by a key that may, into the records of both databases: each is answered, none is a fault.

A fault here is tried again five times and set aside on a live case; one that the set-aside meets too would stand in its case's way."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlmodel import select
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from activities.clock import ENGINE_TIME
from activities.outcome import Act
from activities.recording import Recording
from records.audit import verify
from records.database import reading, transaction
from records.inbox import in_inbox
from records.log import log_of
from records.tables import CaseRow
from starter.cases import Unfit
from starter.intake import received
from tests.hostile import MARK, POSTGRES, SQLITE, Hostile
from tests.signing import SIGNER, keep
from tests.test_records import AGAIN, DECISION, OPEN, OPENING, REPORT, WARNING, at, records
from workflows.reading import LIMIT, named

__all__ = ["records"]
PEOPLE = ("officer", "manager", "reviewer", "records", "customer")
ROAD = ((OPENING, OPEN), (REPORT, OPEN), (WARNING, OPEN), (AGAIN, date(2027, 2, 19)), (DECISION, date(2027, 3, 10)))
A_CASE = 150
"""Messages to one case: its texts are read anew for each act."""
NOT_FOR_A_SCREEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def as_it_arrives(message: dict[str, object]) -> dict[str, object] | None:
    """Returns a message as a case's workflow hands it on: through JSON, cleaned of what no case can keep."""
    try:
        data = json.dumps(message).encode()
    except (ValueError, RecursionError, UnicodeEncodeError):
        return None
    return named("act", [RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data))], id="made-here") if len(data) < LIMIT else None


def led(engine: Engine, case: str, far: int) -> None:
    """Open a case and lead it some way."""
    for n, (sent, day) in enumerate(
        ((OPENING, OPEN), (REPORT, OPEN), (WARNING, OPEN), (AGAIN, date(2027, 2, 19)), (DECISION, date(2027, 3, 10)))[:far]
    ):
        with transaction(engine) as session:
            keep(session)
            message = SIGNER.at(at(day)).sign(case, {**sent, "id": f"led-{n}"})
            Recording(session, Act(case=case, message=message, now=at(day)), ENGINE_TIME).record()
    for notice in ("n1", "n2"):
        if far > 2:
            gone = {"v": 1, "id": f"notice_sent:{notice}", "do": "notice_sent", "saw": notice, "with": {"method": "email"}}
            with transaction(engine) as session:
                Recording(session, Act(case=case, message=gone, source="post", now=at(date(2027, 3, 10))), ENGINE_TIME).record()


def sent_to(engine: Engine, case: str, messages: list[dict[str, object]], day: date) -> Counter[str]:
    results: Counter[str] = Counter()
    for n, message in enumerate(messages):
        with transaction(engine) as session:
            act = Act(case=case, message=signed(case, message, day), now=at(day), door="signal", unsealed=n % 7 == 0)
            results[Recording(session, act, ENGINE_TIME).record().result] += 1
    return results


def signed(case: str, message: dict[str, object], day: date) -> dict[str, object]:
    try:
        return SIGNER.at(at(day)).sign(case, message)
    except Exception:  # what cannot be signed comes as it is
        return message


def test_every_hostile_message_is_answered_and_none_is_a_fault(records: Engine):
    """Design 2: what is malformed, unknown, stale or repeated changes nothing, is logged, and never stalls the case."""
    many = SQLITE if records.dialect.name == "sqlite" else POSTGRES
    results: Counter[str] = Counter()
    tried = 0
    for number in range(many // A_CASE):
        case, hostile = f"hostile/{number}", Hostile(number)
        led(records, case, far=1 + number % 5)
        arrived = [one for n in range(A_CASE) if (one := as_it_arrives(hostile.message(n, by=PEOPLE))) is not None]
        tried += len(arrived)
        results += sent_to(records, case, arrived, date(2027, 3, 11))
    print(f"{tried} messages: {dict(results)}")

    assert tried >= many * 0.8 and results["accepted"] > tried * 0.02 and results["malformed"] > tried * 0.2
    with reading(records) as session:
        assert verify(session) == (), "every chain holds"
        for case in session.exec(select(CaseRow.id)).all():
            for row in log_of(session, case):
                said = f"{row.what}{row.command}{row.command_id}{row.actor}{row.result}"
                assert not NOT_FOR_A_SCREEN.search(said), repr(said[:200])
                assert MARK not in row.what or row.detail, row.what


ODD_IDS = ("a\x00b", "\x1b[31m", "x" * 5000, "é" * 4000, "".join(chr(0x4E00 + n) for n in range(6000)), "\u202eab", "\x9b0m", " ", "a\nb")


@pytest.mark.parametrize("door", ["signed", "unsigned"])
def test_no_id_of_a_message_stands_in_its_case_s_way(records: Engine, door: str):
    """A database takes no NUL, and no key of any length: an error of its own would be tried again for ever."""
    led(records, "ids/1", far=1)
    led(records, "ids/2", far=1)
    with reading(records) as session:
        seq = session.get(CaseRow, "ids/1").seq
    for id in ODD_IDS:
        message: dict[str, object] = {"v": 1, "id": id, "do": "assess", "by": "officer", "with": {"findings": {"own-merits": "Noted."}}}
        sent = signed("ids/1", message, OPEN) if door == "signed" else message
        for _ in range(2):
            with transaction(records) as session:
                answered = Recording(session, Act(case="ids/1", message=sent, now=at(OPEN), door="signal"), ENGINE_TIME).record()
                assert answered.result in ("malformed", "unsigned") or id == " ", (id[:20], answered)
        with transaction(records) as session:  # another case: what is set aside was never recorded
            aside = Recording(session, Act(case="ids/2", message=signed("ids/2", message, OPEN), now=at(OPEN), door="signal"), ENGINE_TIME)
            assert aside.set_aside("ValueError").result in ("set-aside", "unsigned")
    with reading(records) as session:
        assert session.get(CaseRow, "ids/1").seq >= seq
        assert verify(session) == ()


def test_no_id_stands_in_the_way_of_the_inbox(records: Engine):
    """A message under an id that no case keeps would be passed on for ever, or meet an error of the database's own."""
    led(records, "inbox/1", far=1)
    for id in ODD_IDS:
        message: dict[str, object] = {"v": 1, "id": id, "do": "appeal", "by": "customer", "with": {"medium": "email"}}
        if id == " ":
            continue
        with pytest.raises(Unfit, match="An id is 1 to 120"):
            received(records, "inbox/1", message, signer=SIGNER)
    with reading(records) as session:
        assert in_inbox(session) == ()


def test_a_table_holds_no_sign_that_a_terminal_obeys(records: Engine):
    """Whoever looks at the tables with a tool of their own is not to be had by what somebody sent."""
    led(records, "raw/1", far=1)
    hostile = Hostile(99)
    sent_to(records, "raw/1", [one for n in range(60) if (one := as_it_arrives(hostile.message(n, by=PEOPLE))) is not None], OPEN)
    with records.connect() as connection:
        for row in connection.execute(text("SELECT command_id, what, actor FROM log")).all():
            assert not NOT_FOR_A_SCREEN.search("".join(row)), row
