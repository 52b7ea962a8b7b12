"""Dates for officers' own calendars: read back by the library, without anybody's name, under names that stay when a date moves."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import icalendar
import pytest

from records.database import reading
from starter.feed import Dated, calendar_text, dates_for, dates_of_body
from tests.engine import evenhand
from tests.handed_over import CASE, CUSTOMER, MANAGER, NEIGHBOUR, OFFICER, REVIEWER, STAFF, Records, message

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
TODAY = date(2027, 3, 21)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return Records(tmp_path_factory.mktemp("records")).restricted()


def of_body(records: Records) -> list[Dated]:
    with reading(records.engine) as session:
        return list(dates_of_body(session, "mmo"))


def of_person(records: Records, person: str) -> list[Dated]:
    with reading(records.engine) as session:
        found = dates_for(session, person, body=None, today=TODAY)
        assert found is not None
        return list(found)


def events(text: bytes) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def one(**facts: object) -> Dated:
    given = {"case": CASE, "kind": "review-due", "ref": "s1", "nth": 1, "on": date(2028, 3, 10), "cites": ("MMO-44",), "provisional": False,
             "changed_at": datetime(2027, 3, 20, 10, tzinfo=timezone.utc), "seq": 7, **facts}  # fmt: skip
    return Dated.model_validate(given)


def test_a_body_s_dates_are_all_day_events_with_case_what_and_clause(shared: Records):
    found = events(calendar_text(of_body(shared), name="Evenhand: dates of mmo"))
    by_summary = {str(event["summary"]): event for event in found}

    closes = by_summary[f"{CASE}: appeal closes (s1)"]
    assert closes["dtstart"].dt == date(2027, 3, 24) and closes["dtend"].dt == date(2027, 3, 25)
    assert closes["dtstart"].params["VALUE"] == "DATE"
    assert closes["description"] == "Rests on: MMO-42."
    assert {f"{CASE}: {what}" for what in ("answer due (a1)", "review opens (s1)", "review due (s1)")} <= set(by_summary)
    assert f"{CASE}: review overdue (s1)" not in by_summary, "the same day stands there once"
    assert not [event for event in found if event.walk("VALARM")]


def test_a_person_s_dates_are_what_waits_for_that_person_and_the_dates_of_own_cases(shared: Records):
    reviewer, officer, manager = (of_person(shared, one) for one in (REVIEWER, OFFICER, MANAGER))

    assert [(one.says, one.on) for one in reviewer] == [(f"{CASE}: To do: appeal (a1)", date(2027, 4, 20))]
    assert {one.uid for one in of_body(shared)} <= {one.uid for one in officer}, "whoever is the contact sees every date"
    assert [one for one in manager if not one.task] == []


def test_nobody_s_name_is_in_it(shared: Records):
    """EH-103."""
    texts = [calendar_text(of_body(shared), name="x")] + [calendar_text(of_person(shared, person.id), name="x") for person in STAFF]
    words = [
        CUSTOMER,
        "Sample",
        "Casey",
        NEIGHBOUR,
        "example.org",
        "emails",
        *(one for person in STAFF for one in (person.id, person.name)),
    ]
    assert any(b"BEGIN:VEVENT" in text for text in texts)
    for text in texts:
        said = text.replace(b"\r\n ", b"").decode()
        assert not [word for word in words if word.casefold() in said.casefold()]


def test_the_same_records_give_the_same_bytes_stamped_by_the_case(shared: Records):
    first, second = (calendar_text(of_body(shared), name="x") for _ in range(2))

    assert first == second
    assert {event["dtstamp"].dt for event in events(first)} == {datetime(2027, 3, 20, 10, tzinfo=timezone.utc)}


def test_an_event_keeps_its_name_when_its_date_moves_and_when_an_earlier_one_passes(tmp_path: Path):
    """A calendar that is fed again shows one event that moved, and never two."""
    records = Records(tmp_path).restricted()
    before = {(found.kind, found.ref): found for found in of_body(records)}
    proof = message("m8", "record_receipt", saw="n2", on=date(2027, 3, 15), evidence="A reply.")
    records.tell(proof, date(2027, 3, 21))
    after = {(found.kind, found.ref): found for found in of_body(records)}

    key = ("appeal-closes", "s1")
    assert (before[key].on, after[key].on) == (date(2027, 3, 24), date(2027, 3, 29))
    assert before[key].uid == after[key].uid and after[key].seq > before[key].seq

    closed = message("p1", "deadline_passed", by=None, key="answer-reminder:a1:2027-03-26")
    due = next(found for found in of_body(records) if found.kind == "answer-due")
    reminder = next(found for found in of_body(records) if found.kind == "answer-reminder")
    closed["with"] = {"key": f"answer-reminder:a1:{reminder.on.isoformat()}"}
    records.tell(closed, reminder.on, source="calendar")
    assert next(found for found in of_body(records) if found.kind == "answer-due").uid == due.uid
    assert reminder.uid not in {found.uid for found in of_body(records)}


def test_names_differ_between_cases_kinds_things_and_numbers():
    some = [one(), one(case="mmo/other"), one(kind="review-opens"), one(ref="s2"), one(nth=2), one(task=True)]

    assert len({each.uid for each in some}) == len(some)
    assert one(on=date(2029, 1, 1), seq=99).uid == one().uid
    assert CASE not in one().uid


def test_a_date_that_is_known_so_far_says_so():
    """EH-33."""
    [event] = events(calendar_text([one(provisional=True)], name="x"))

    assert event["summary"].endswith("[known so far]") and event["status"] == "TENTATIVE" and "EH-33" in event["description"]


def test_long_and_awkward_words_are_folded_and_escaped():
    """RFC 5545, 3.1 and 3.3.11: lines of at most 75 octets, and commas, semicolons, backslashes and line ends escaped."""
    case = "mmo/" + "ä;,\\n" + "x" * 90
    text = calendar_text([one(case=case, cites=tuple(f"MMO-{n}" for n in range(40)))], name="Evenhand; dates, of\nmmo")

    assert max(len(line) for line in text.split(b"\r\n")) <= 75 and b"\r\n " in text
    assert text.count(b"\n") == text.count(b"\r\n") and text.endswith(b"END:VCALENDAR\r\n")
    [event] = events(text)
    assert str(event["summary"]).startswith(f"{case}: review due") and str(event["description"]).count(",") == 39
    assert b"X-WR-CALNAME:Evenhand\\; dates\\, of\\nmmo\r\n" in text


def test_a_closed_case_has_no_dates_and_no_dates_make_an_empty_calendar(tmp_path: Path):
    records = Records(tmp_path)

    assert of_body(records) == []
    assert events(calendar_text([], name="x")) == []


def test_the_command_line_writes_a_feed(shared: Records, tmp_path: Path):
    env, file = {"EVENHAND_VAR": str(shared.folder)}, tmp_path / "mmo.ics"

    told = evenhand("calendar", "feed", "--body", "mmo", "--out", str(file), env=env)
    printed = evenhand("calendar", "feed", "--body", "mmo", env=env)
    rows = json.loads(evenhand("calendar", "feed", "--for", REVIEWER, "--json", env=env).stdout)

    assert told.returncode == DONE and len(events(file.read_bytes())) == len(of_body(shared))
    assert len(events(printed.stdout.replace("\n", "\r\n").encode())) == len(of_body(shared))
    assert [row["kind"] for row in rows] == ["appeal"] and rows[0]["uid"].endswith("@evenhand")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), MISUNDERSTOOD),
        (("--body", "atlantis"), UNKNOWN),
        (("--for", "nobody"), UNKNOWN),
        (("--body", "mmo", "--out", "/no/such/x.ics"), MISUNDERSTOOD),
    ],
)
def test_what_cannot_be_fed_says_so(shared: Records, words: tuple[str, ...], code: int):
    done = evenhand("calendar", "feed", *words, env={"EVENHAND_VAR": str(shared.folder)})

    assert done.returncode == code and done.stderr.strip() and "Traceback" not in done.stderr


def test_a_day_is_one_day_long_over_the_clock_change():
    [event] = events(calendar_text([one(on=date(2027, 3, 28))], name="x"))

    assert event["dtend"].dt - event["dtstart"].dt == timedelta(days=1)
