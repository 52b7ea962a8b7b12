"""The records on both databases: an act once and whole, a log that shows tampering, personal text that can be destroyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from alembic import command as alembic
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import BaseModel
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import StatementError
from sqlmodel import Session, SQLModel, select

import domain.case
import domain.commands
import domain.restrictions
from activities.bodies import Body, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome, Source
from activities.recording import Recording
from domain.case import Case
from policies import load
from records.append_only import unguard
from records.database import MIGRATIONS, create_all, migrate, open_database, reading, transaction
from records.log import first_broken_line, log_of
from records.store import read_case, save_case
from records.tables import CaseRow, CommandRow, EditionRow, LogRow, TextRow
from records.vault import CaseVault
from starter.signed import signatures_of
from tests.signing import signed_act
from tests.stories import MMO_GROUNDS, MMO_STAFF

CASE = "mmo/2027-0001"
Json = dict[str, object]
Rows = dict[str, list[str]]

NAME, ADDRESS, REASONS = "Casey Uniquename", "77 Hidden Lane, Secretville", "SECRET reasons of the decision"
SECRETS = (NAME, "Uniquename", ADDRESS, "Hidden Lane", "SECRET", "secret.person@example.org")
"""What may stand in case_text alone. Every free text of the whole life below holds one of these words."""


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=timezone.utc)


def message(id: str, do: str, *, by: str | None = "officer", on: date | None = None, saw: str | None = None, **with_: object) -> Json:
    return {"v": 1, "id": id, "do": do, "by": by, "on": on.isoformat() if on else None, "saw": saw, "with": with_}


def tell(engine: Engine, sent: Json, day: date, *, source: Source = "outside", case: str = CASE) -> Outcome:
    """Records one message in one transaction, as the act activity does."""
    with transaction(engine) as session:
        return Recording(session, signed_act(session, Act(case=case, message=sent, source=source, now=at(day))), ENGINE_TIME).record()


def accepted(engine: Engine, sent: Json, day: date, *, source: Source = "outside") -> Outcome:
    outcome = tell(engine, sent, day, source=source)
    assert outcome.accepted, f"{sent['do']}: {outcome.answer} {outcome.remains}"
    return outcome


def rows(engine: Engine) -> Rows:
    """Returns every row of every table, as text."""
    with engine.connect() as connection:
        return {
            table: sorted(repr(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table}"')))
            for table in sorted(inspect(connection).get_table_names())
        }


def the_case(engine: Engine) -> Case:
    with reading(engine) as session:
        case = read_case(session, CASE)
        assert case
        return case


def the_log(engine: Engine) -> tuple[LogRow, ...]:
    with reading(engine) as session:
        return log_of(session, CASE)


@pytest.fixture
def records(database: Engine) -> Engine:
    """Gives a database that holds the MMO as a body, and no case."""
    with transaction(database) as session:
        save_body(session, Body(body="mmo", name="Marine Management Organisation", policy="mmo", keep_years=6, people=MMO_STAFF.people))
    return database


OPEN = date(2027, 2, 1)
OPENING = message("m1", "open_case", body="mmo", customer={"name": NAME, "channel": "email", "address": ADDRESS}, area="licensing")
REPORT = message("m2", "report_behaviour", code="excessive-contact", medium="email", summary="SECRET summary of forty emails")
WARNING = message("m3", "warn", medium="email", findings={"concerns": "SECRET concerns", "policy-copy-directed": True})
AGAIN = message("m4", "report_behaviour", code="excessive-contact", medium="email", summary="SECRET summary of thirty more")
DECISION = message(
    "m5",
    "impose_sanction",
    by="manager",
    restrictions=[
        {"type": "no-reply-on-topic", "topic": ["SECRET topic"]},
        {"type": "contact-volume-limit", "max_contacts": 1, "per": "week"},
    ],
    reasons=REASONS,
    findings={name: f"SECRET {said}" for name, said in MMO_GROUNDS.items()},
)


@pytest.fixture
def opened(records: Engine) -> Engine:
    accepted(records, OPENING, OPEN)
    return records


@pytest.fixture
def restricted(opened: Engine) -> Engine:
    """Gives the records of a case that is restricted and whose letters went."""
    accepted(opened, REPORT, OPEN)
    accepted(opened, WARNING, OPEN)
    accepted(opened, message("notice_sent:n1", "notice_sent", by=None, saw="n1", method="email"), OPEN, source="post")
    accepted(opened, AGAIN, date(2027, 2, 19))
    accepted(opened, DECISION, date(2027, 3, 10))
    accepted(opened, message("notice_sent:n2", "notice_sent", by=None, saw="n2", method="email"), date(2027, 3, 10), source="post")
    return opened


@pytest.fixture
def lived(restricted: Engine) -> Engine:
    """Gives the records of a case after its whole life but for the destruction of its papers, with personal text wherever it may be."""
    adjustment = {"need": "SECRET need of large print", "channels": ["email"]}
    accepted(restricted, message("l1", "add_adjustment", adjustment=adjustment), date(2027, 3, 11))
    accepted(restricted, message("l2", "appoint_representative", representative="SECRET friend"), date(2027, 3, 11))
    accepted(restricted, message("l3", "consult", person="other-manager", about="review", view="SECRET view"), date(2027, 3, 12))
    accepted(restricted, message("l4", "appeal", by="customer", medium="email", grounds="SECRET grounds"), date(2027, 3, 20))
    accepted(
        restricted, message("l5", "decide_appeal", by="reviewer", saw="a1", outcome="uphold", reasons="SECRET answer"), date(2027, 4, 1)
    )
    accepted(
        restricted,
        message("l6", "review", by="reviewer", saw="s1", why="own-motion", outcome="lift", reasons="SECRET reasons of the review"),
        date(2027, 6, 1),
    )
    accepted(restricted, message("l7", "hold", reasons="SECRET claim", review_on="2028-06-01"), date(2027, 6, 2))
    accepted(restricted, message("l8", "release_hold", reasons="The claim was settled."), date(2028, 6, 1))
    return restricted


SIGNATURES = (message("s1", "sign_destruction", by="records"), message("s2", "sign_destruction", by="reviewer"))
DESTRUCTION = message("l9", "destroy_papers", by="records")
DESTROYED = date(2033, 6, 2)


@pytest.fixture
def signed(lived: Engine) -> Engine:
    """Gives the records of that case on the day its papers may be destroyed, both signatures given."""
    for notice in ("n3", "n4", "n5"):
        gone = message(f"notice_sent:{notice}", "notice_sent", by=None, saw=notice, method="email")
        accepted(lived, gone, date(2028, 6, 1), source="post")
    for signature in SIGNATURES:
        accepted(lived, signature, DESTROYED)
    return lived


# An act once, and whole


def test_an_act_is_recorded_once_under_its_id(opened: Engine):
    """Design 2: a command is keyed by (case, command id); a retry or a double click answers the stored outcome."""
    first = accepted(opened, REPORT, OPEN)
    before = rows(opened)

    second = tell(opened, REPORT, OPEN)

    assert second == first
    assert rows(opened) == before
    assert len(the_case(opened).incidents) == 1


def test_the_same_id_on_another_case_is_another_act(opened: Engine):
    """Design 2: the key is the case and the id together."""
    accepted(opened, REPORT, OPEN)
    other = "mmo/2027-0002"

    assert tell(opened, OPENING, OPEN, case=other).accepted
    assert tell(opened, REPORT, OPEN, case=other).accepted
    assert [row.command_id for row in the_log(opened)] == ["m1", "m2"]


def test_the_same_id_with_other_content_is_refused_as_repeated(opened: Engine):
    """Design 2: refused loudly, and the refusal is evidence in the log; nothing else changes."""
    accepted(opened, REPORT, OPEN)
    before, case = rows(opened), the_case(opened)

    outcome = tell(opened, {**AGAIN, "id": "m2"}, date(2027, 2, 19))

    assert outcome.result == "repeated"
    assert outcome.remains
    assert the_case(opened) == case
    assert {table for table, found in rows(opened).items() if found != before[table]} == {"log", "case"}  # the case counts its log lines
    assert the_log(opened)[-1].result == "repeated"


def test_a_crash_after_the_commit_and_a_retry_give_one_set_of_rows(opened: Engine):
    """Design 2: exactly once. The answer was lost, not the act; days later the retry is told what came of it."""
    for day, sent in ((OPEN, REPORT), (OPEN, WARNING)):
        accepted(opened, sent, day)
        committed = rows(opened)
        assert tell(opened, sent, day + timedelta(days=3)).accepted
        assert rows(opened) == committed


def test_a_refused_act_answers_the_same_refusal_again(opened: Engine):
    """Design 2: what was asked is keyed whether or not it was allowed; the log keeps one line of it."""
    first = tell(opened, WARNING, OPEN)
    before = rows(opened)

    assert first.result == "refused"
    assert "MMO-24" in first.cites
    assert tell(opened, WARNING, OPEN) == first
    assert rows(opened) == before


def test_an_opening_refused_twice_under_its_id_is_one_line_and_may_still_open(records: Engine):
    """Design 2: the opening comes with the start and is asked for too; what differs in day or person is another try."""
    wrong = {**OPENING, "with": {"body": "atlantis", "customer": {"name": NAME}}}

    assert [tell(records, wrong, OPEN).result for _ in range(2)] == ["unknown", "unknown"]
    assert len(the_log(records)) == 1
    tell(records, {**wrong, "by": "manager"}, OPEN)
    tell(records, {**wrong, "by": "manager"}, OPEN + timedelta(days=1))
    assert [(row.actor, row.result) for row in the_log(records)] == [("officer", "unknown"), ("manager", "unknown"), ("manager", "unknown")]

    assert tell(records, OPENING, OPEN + timedelta(days=1)).accepted
    with reading(records) as session:
        assert first_broken_line(session, CASE) is None


@pytest.mark.parametrize("id", ["m1", "fresh"])
def test_opening_a_case_whose_id_is_taken_says_that_it_exists_and_what_to_do(opened: Engine, id: str):
    case = the_case(opened)

    said = tell(opened, {**OPENING, "id": id, "with": {"body": "mmo", "customer": {"name": "Somebody Else"}}}, OPEN)

    assert (said.result, said.answer) == ("repeated", f"The case {CASE} exists already; nothing was opened.")
    assert "new id" in str(said.remains) and f"evenhand case show {CASE}" in str(said.remains)
    assert the_case(opened) == case


class PowerCut(Exception):
    """The database stops in the middle of saving."""


@contextmanager
def cut_while_writing(engine: Engine, table: str) -> Iterator[list[str]]:
    """Stops the transaction at the first write to a table, by the driver itself; yields the writes that came before."""
    seen: list[str] = []

    def watch(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        words = statement.replace('"', "").split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            seen.append(words[1] if words[0] == "UPDATE" else words[2])
            if seen[-1] == table:
                raise PowerCut

    event.listen(engine, "before_cursor_execute", watch)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", watch)


@pytest.mark.parametrize(
    "table", ["case", "case_text", "task", "notice", "sanction", "restriction", "sign_off", "register", "log", "command"]
)
def test_nothing_is_half_saved_when_saving_stops_midway(restricted: Engine, table: str):
    """Design 2: case, log, restrictions, register and notices are saved in one transaction, or none of them is."""
    reviewed = message("r1", "review", by="reviewer", saw="s1", why="own-motion", outcome="lift", reasons="SECRET reasons")
    before = rows(restricted)

    with cut_while_writing(restricted, table) as writes, pytest.raises(PowerCut):
        tell(restricted, reviewed, date(2027, 6, 1))

    assert writes[-1] == table
    assert rows(restricted) == before
    assert accepted(restricted, reviewed, date(2027, 6, 1)).stage == "archived"


def test_a_case_only_moves_to_a_higher_seq(restricted: Engine):
    """Design 2: the case row only moves to a higher seq, whatever was decided meanwhile by somebody else."""
    case, before = the_case(restricted), rows(restricted)

    for seq in (case.seq, case.seq - 1):
        with pytest.raises(ValueError, match="does not come after"), transaction(restricted) as session:
            stale = case.model_copy(update={"seq": seq})
            save_case(session, stale, vault=CaseVault(session, CASE), deadline=None, at=at(OPEN))

    assert rows(restricted) == before


def test_the_edition_of_a_case_is_kept_whole_by_its_hash(restricted: Engine):
    """Design 3: a case runs under the text kept with it, so editing the file never alters an open case."""
    with reading(restricted) as session:
        kept = session.get(EditionRow, the_case(restricted).edition)
        assert kept
        assert kept.text == load.policy_text("mmo")
        assert kept.hash == load.edition_of(kept.text)


# The log


def test_the_chain_of_the_log_holds_over_a_whole_life(lived: Engine):
    """Design 2: every act, refusal and letter has its line, each holding the hash of the one before."""
    log = the_log(lived)

    assert len(log) >= 15
    assert [row.n for row in log] == list(range(1, len(log) + 1))
    with reading(lived) as session:
        assert first_broken_line(session, CASE) is None


TAMPERINGS = {
    "what": "what || ' '",
    "actor": "'somebody-else'",
    "office": "'another-office'",
    "command": "'reject'",
    "command_id": "'x'",
    "result": "'refused'",
    "detail": "'text:0'",
    "cites": "'[]'",
    "hash": "'0' || substr(hash, 2)",
}


@pytest.mark.parametrize("column", TAMPERINGS)
def test_one_changed_byte_in_the_log_is_found(restricted: Engine, column: str):
    """Design 2: append-only and hash-chained; the first changed line is named."""
    n = next(row.n for row in the_log(restricted) if row.command == "impose_sanction")

    with restricted.begin() as connection:
        unguard(connection, "log")
        connection.execute(
            text(f'UPDATE log SET "{column}" = {TAMPERINGS[column]} WHERE case_id = :case AND n = :n'), {"case": CASE, "n": n}
        )

    with reading(restricted) as session:
        assert first_broken_line(session, CASE) == n


@pytest.mark.parametrize("column", ["at", "on"])
def test_a_changed_day_in_the_log_is_found(restricted: Engine, column: str):
    """Design 2, 4: when it happened and when it was recorded are evidence too."""
    with transaction(restricted) as session:
        unguard(session.connection(), "log")
        row = session.get(LogRow, (CASE, 3))
        assert row
        setattr(row, column, getattr(row, column) - timedelta(days=1))

    with reading(restricted) as session:
        assert first_broken_line(session, CASE) == 3


@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_line_removed_from_the_log_is_found(restricted: Engine, which: str):
    """Design 2: a refusal is evidence, so no line may go, and the last one least of all."""
    lines = len(the_log(restricted))
    n = {"first": 1, "middle": lines // 2, "last": lines}[which]

    with restricted.begin() as connection:
        unguard(connection, "log")
        connection.execute(text("DELETE FROM log WHERE case_id = :case AND n = :n"), {"case": CASE, "n": n})

    with reading(restricted) as session:
        assert first_broken_line(session, CASE) == n


def test_late_entry_shows_when_it_happened_and_when_it_was_recorded(opened: Engine):
    """Design 2: `on` is the day it happened; late entry is normal and seen as such."""
    accepted(opened, {**REPORT, "on": "2027-02-03"}, date(2027, 2, 10))

    line = the_log(opened)[-1]

    assert (line.on, line.at) == (date(2027, 2, 3), at(date(2027, 2, 10)))


# Personal text


def places_of(engine: Engine, secrets: tuple[str, ...] = SECRETS) -> tuple[set[str], int]:
    """Returns the tables and columns that hold a personal text, and how many values were searched."""
    found, searched = set(), 0
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for column, value in row.items():
                    searched += 1
                    said = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
                    found |= {f"{table}.{column}"} if any(secret in said for secret in secrets) else set()
    return found, searched


def test_personal_text_stands_in_its_own_table_alone(lived: Engine):
    """Design 5: names, addresses and free text live in tables of their own, so that they can be destroyed by case."""
    found, searched = places_of(lived)
    print(f"{searched} values searched")

    assert searched > 500
    assert found == set()


def test_every_personal_text_of_the_whole_life_was_kept(lived: Engine):
    """The search above means something: each kind of text is there to be found."""
    with reading(lived) as session:
        kept = list(CaseVault(session, CASE).texts.values())

    for said in (
        NAME,
        ADDRESS,
        REASONS,
        "SECRET topic",
        "SECRET concerns",
        "SECRET grounds",
        "SECRET friend",
        "SECRET need of large print",
    ):
        assert said in kept
    assert len(kept) >= 15


PLAIN = {
    "case.Case": {"id", "body", "policy", "edition", "contact_officer", "opened_by", "area", "group"},
    "case.Arrangement": {"spoc"},
    "case.MeasureTaken": {"measure"},
    "case.Quoted": {"label"},
    "case.Imported": {"file_sha256"},
    "case.Counted": {"ref", "edition"},
    "case.Moved": {"before", "after"},
    "case.Changed": {"what", "old", "new"},
    "case.Notice": {"kind", "about", "method"},
    "case.Sitting": {"committee"},
    "commands.NoticeBlocked": {"problem"},
    "commands.NoticeSent": {"method"},
    "commands.DeadlinePassed": {"key"},
    "commands.Appeal": {"against"},
    "commands.RequestReview": {"sanction"},
    "restrictions.ChannelRestriction": {"address"},
}
"""Plain strings that are no personal text: names of things in the case, the body's own staff and addresses, what the post
says of a letter (written by the program). Everything else that a person may write is Text, so that it can be destroyed."""

NAMES = {
    "id",
    "by",
    "person",
    "human",
    "office",
    "to",
    "sign_off",
    "sanction",
    "against",
    "notice",
    "from_appeal",
    "done",
    "outcome",
    "settled_by",
    "saw",
}
"""Fields that hold a code or a reference wherever they stand."""


def plain_strings() -> tuple[dict[str, set[str]], int]:
    """Returns, by model, the fields typed as a plain string, and how many fields were looked at."""
    found, searched = {}, 0
    for module in (domain.case, domain.commands, domain.restrictions):
        for name, model in vars(module).items():
            if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__:
                searched += len(model.model_fields)
                plain = {one for one, field in model.model_fields.items() if field.annotation in (str, str | None) and not field.metadata}
                found[f"{module.__name__.split('.')[-1]}.{name}"] = plain - NAMES
    return {name: fields for name, fields in found.items() if fields}, searched


def test_whatever_a_person_may_write_is_personal_text():
    """Design 5: a free text that is typed as a plain string would stand in the state, the log and the lists for ever."""
    found, searched = plain_strings()
    print(f"{searched} fields searched")

    assert searched > 200
    assert {f"{name}.{field}" for name, fields in found.items() for field in fields - PLAIN.get(name, set())} == set()


def test_a_refused_act_leaves_no_personal_text_outside(restricted: Engine):
    """Design 2, 5: a refusal is evidence in the log, but the words it was about are kept apart."""
    for number, sent in enumerate([OPENING, {**DECISION, "by": "officer"}, {**WARNING, "on": "2031-01-01"}, {**REPORT, "by": "customer"}]):
        assert not tell(restricted, {**sent, "id": f"x{number}"}, date(2027, 3, 20)).accepted

    assert places_of(restricted)[0] == set()


MALFORMED: dict[str, Json] = {
    "a text that is a list": {**REPORT, "with": {"code": "excessive-contact", "medium": "email", "summary": ["SECRET"]}},
    "a code that is a text": {**REPORT, "with": {"code": "SECRET Words", "medium": "email", "summary": "it"}},
    "a field that is none": {**REPORT, "with": {"code": "excessive-contact", "medium": "email", "summary": "it", "SECRET": "x"}},
    "a day that is a text": {**REPORT, "on": "SECRET"},
    "with is a text": {**REPORT, "with": "SECRET"},
    "an empty message": {"id": "z", "note": "SECRET"},
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_message_leaves_a_line_without_personal_text(restricted: Engine, fault: str):
    """Design 2, 5: unreadable input changes nothing, is logged on the case, and its words can still be destroyed."""
    case = the_case(restricted)

    outcome = tell(restricted, {**MALFORMED[fault], "id": "bad"}, date(2027, 3, 20))

    assert outcome.result == "malformed"
    assert the_case(restricted) == case
    assert the_log(restricted)[-1].result == "malformed"
    assert the_log(restricted)[-1].command_id == "bad"
    assert places_of(restricted)[0] == set()


@pytest.mark.parametrize(
    "fields",
    [{"do": "SECRET words"}, {"by": "secret.person@example.org"}, {"note": "SECRET words"}],
    ids=["an unknown command", "an unknown sender", "a field the envelope does not know"],
)
def test_an_envelope_with_personal_words_leaves_none_outside(restricted: Engine, fields: Json):
    """Design 5: free text lives in tables of its own, by whichever field it came; the log and the command are kept for ever."""
    tell(restricted, {**REPORT, "id": "odd", **fields}, date(2027, 3, 20))

    assert the_log(restricted)[-1].command_id == "odd"
    assert places_of(restricted)[0] == set()


def test_why_a_letter_came_back_is_personal_text(restricted: Engine):
    """Design 5: what a member of staff writes about a returned letter is free text about the customer."""
    accepted(restricted, message("b1", "notice_returned", saw="n2", problem="SECRET: moved away"), date(2027, 3, 12))

    assert places_of(restricted)[0] == set()


def test_destroying_the_papers_destroys_every_personal_text(signed: Engine):
    """Design 5, DEF-19: texts go with their case; what remains is that there was one, and when it was destroyed."""
    outcome = accepted(signed, DESTRUCTION, DESTROYED)

    assert outcome.closed
    assert places_of(signed)[0] == set()
    with reading(signed) as session:
        assert session.exec(select(TextRow).where(TextRow.case_id == CASE)).all() == []
        assert first_broken_line(session, CASE) is None
    assert the_case(signed).customer.name == "[destroyed]"


def test_destroying_one_case_leaves_the_texts_of_another(signed: Engine):
    """Design 5: destroyed by case."""
    tell(signed, OPENING, OPEN, case="mmo/2027-0002")

    accepted(signed, DESTRUCTION, DESTROYED)

    with reading(signed) as session:
        assert set(session.exec(select(TextRow.case_id)).all()) == {"mmo/2027-0002"}
        assert set(CaseVault(session, "mmo/2027-0002").texts.values()) == {NAME, ADDRESS}


def test_the_papers_are_not_destroyed_a_day_too_soon(lived: Engine):
    """DEF-19: six years from the real end, to the end of the last day."""
    outcome = tell(lived, DESTRUCTION, DESTROYED - timedelta(days=1))

    assert outcome.result == "refused"
    assert places_of(lived)[0] == set()


def test_a_retry_of_the_destruction_answers_what_it_answered(signed: Engine):
    """Design 2: the same message again, although the case is closed."""
    first = accepted(signed, DESTRUCTION, DESTROYED)
    before = rows(signed)

    assert tell(signed, DESTRUCTION, DESTROYED) == first
    assert rows(signed) == before


def test_a_closed_case_takes_no_more_personal_text(signed: Engine):
    """DEF-19: nothing is kept past retention; a late message must not bring back words that nobody will destroy again."""
    accepted(signed, DESTRUCTION, DESTROYED)

    outcome = tell(signed, {**REPORT, "id": "late"}, DESTROYED)

    assert outcome.result == "refused"
    assert places_of(signed)[0] == set()


# Instants


def test_a_naive_instant_is_refused_and_nothing_is_saved(opened: Engine):
    """Design 4: an instant without its zone means nothing; SQLite would take it silently."""
    before = rows(opened)

    with pytest.raises((StatementError, ValueError), match=r"time zone|naive"), transaction(opened) as session:
        naive = datetime(2027, 2, 1, 10)  # without a zone, on purpose
        Recording(session, signed_act(session, Act(case=CASE, message=REPORT, now=naive)), ENGINE_TIME).record()

    assert rows(opened) == before


@pytest.mark.parametrize(
    "now", [datetime(2027, 7, 1, 10), datetime(2027, 7, 1, 10, tzinfo=ZoneInfo("Europe/London"))], ids=["naive", "London"]
)
def test_an_instant_is_kept_in_utc_or_not_at_all(database: Engine, now: datetime):
    """Libraries, 1: SQLite drops time zones; what comes back is the same instant, aware and in UTC, on both."""
    row = EditionRow(hash="h", policy="p", label="l", text="t", kept_at=now)
    if now.tzinfo is None:
        with pytest.raises(StatementError, match="without a time zone"), transaction(database) as session:
            session.add(row)
        return
    with transaction(database) as session:
        session.add(row)

    with reading(database) as session:
        back = session.exec(select(EditionRow)).one().kept_at
    assert back == now
    assert back.tzinfo == timezone.utc
    assert back.hour == 9


# A newer release's fields


PLACES: dict[str, tuple[str | int, ...]] = {
    "the case": (),
    "an incident": ("incidents", 0),
    "a signature": ("warnings", 0, "by"),
    "the terms": ("sanctions", 0, "terms"),
    "a letter": ("notices", 0),
    "the customer": ("customer",),
    "a restriction": ("sanctions", 0, "terms", "restrictions", 1),
}


def inside(state: object, place: tuple[str | int, ...]) -> Json:
    for part in place:
        state = state[part]  # type: ignore[index]  # JSON, walked by a known path
    assert isinstance(state, dict)
    return state


@pytest.mark.parametrize("place", PLACES)
def test_what_a_newer_release_wrote_is_kept_by_an_older_one(restricted: Engine, place: str):
    """Design 2: unknown fields are kept, all the way down, through a load and a save."""
    newer = {"of": ["a", "newer", "release"]}
    with transaction(restricted) as session:
        row = session.get(CaseRow, CASE)
        assert row
        state = json.loads(json.dumps(row.state))
        inside(state, PLACES[place])["mood"] = newer
        row.state = state

    accepted(restricted, {**REPORT, "id": "m9"}, date(2027, 3, 20))

    with reading(restricted) as session:
        row = session.get(CaseRow, CASE)
        assert row
        assert len(inside(row.state, ())["incidents"]) == 3  # type: ignore[arg-type]  # a list
        assert inside(row.state, PLACES[place]).get("mood") == newer


def test_what_a_newer_sender_put_into_the_envelope_is_kept(opened: Engine):
    """Design 2: unknown fields of a message are kept."""
    accepted(opened, {**REPORT, "trace": "abc-123"}, OPEN)

    with reading(opened) as session:
        row = session.get(CommandRow, (CASE, "m2"))
        assert row
        assert "abc-123" in json.dumps(row.message) or any("abc-123" in one for one in CaseVault(session, CASE).texts.values())


# Migrations


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        return list(compare_metadata(context, SQLModel.metadata))


def tables_of(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def shape(engine: Engine) -> dict[str, object]:
    found = inspect(engine)
    return {
        table: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((one["name"], tuple(one["column_names"])) for one in found.get_indexes(table)),
        )
        for table in tables_of(engine)
    }


def to_revision(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (alembic.downgrade if revision == "base" or revision.startswith("-") else alembic.upgrade)(config, revision)


def test_the_migrations_give_exactly_the_tables_of_the_models(database: Engine):
    """Design 1: one history for both databases, and no difference to the models."""
    assert len(SQLModel.metadata.tables) >= 14
    assert tables_of(database) == set(SQLModel.metadata.tables)
    assert differences(database) == []


def test_the_migrations_go_down_and_up_again(database: Engine):
    """Design 1: each step back and forward leaves the same tables; all the way down leaves none."""
    before = shape(database)
    to_revision(database, "-1")
    migrate(database)
    assert shape(database) == before

    to_revision(database, "base")
    assert tables_of(database) == set()

    migrate(database)
    assert shape(database) == before
    assert differences(database) == []


def test_there_is_one_line_of_migrations():
    """Design 1: one history, from nothing to one head."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())

    assert len(steps) >= 1
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
    assert steps[-1].down_revision is None


def test_tables_made_at_once_are_those_of_the_migrations(empty_database: Engine, tmp_path_factory: pytest.TempPathFactory):
    """records.database.create_all: for throw-away databases; held to the same result as the migrations."""
    create_all(empty_database)
    assert differences(empty_database) == []

    if empty_database.dialect.name == "sqlite":
        migrated = open_database(f"sqlite:///{tmp_path_factory.mktemp('migrated') / 'records.db'}")
        migrate(migrated)
        assert shape(empty_database) == shape(migrated)
        migrated.dispose()


def test_migrating_twice_changes_nothing(restricted: Engine):
    """Design 1: a worker migrates at every start; what is recorded stays."""
    before = rows(restricted)

    migrate(restricted)

    assert rows(restricted) == before


def test_a_session_that_only_reads_does_not_wait_for_a_writer(opened: Engine):
    """records.database.reading: staff see the records while an act is being saved."""
    with transaction(opened) as writing:
        writing.add(TextRow(case_id=CASE, ref="text:1", text="half-written"))
        writing.flush()
        with reading(opened) as session:
            assert isinstance(session, Session)
            assert session.get(TextRow, (CASE, "text:1")) is None
            assert read_case(session, CASE)


def test_what_stays_of_a_destroyed_case_verifies_and_what_came_after_says_that_nothing_of_it_is_kept(signed: Engine):
    accepted(signed, DESTRUCTION, DESTROYED)
    late = tell(signed, message("late", "report_behaviour", code="excessive-contact", medium="email", summary="SECRET"), DESTROYED)
    assert not late.accepted

    with reading(signed) as session:
        found = {one.act: (one.verifies, (one.problem or "").partition(":")[0]) for one in signatures_of(session, CASE)}

    assert found == {"s1": (True, ""), "s2": (True, ""), "l9": (True, ""), "late": (None, "contents not checked")}
