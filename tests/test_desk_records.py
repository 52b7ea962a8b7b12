"""The desk's tables: written with the act, found by any spelling, empty after the end, and without a word of anybody's."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone

import pytest
from sqlalchemy import Engine, event, inspect, text
from sqlmodel import col, select

from activities.bodies import Body, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome
from activities.recording import Recording
from activities.staff_lists import Loaded
from domain.days import first_instant
from domain.desk import Advice
from domain.desk_question import Asked
from domain.people import Person
from records.database import migrate, reading, transaction
from records.desk import KNOWN, Desk, fill_desk
from records.tables import DeskEntryRow, DeskKeyRow, InstallationRow, TextRow
from starter.clock import now
from tests.signing import signed_act
from tests.stories import MMO_GROUNDS, MMO_STAFF

NAME, ADDRESS = "José O'Secret-Sample", "Jose.Secret@Example.org"
DAY = date(2027, 3, 10)
"""The day the customer of each case is told."""


def tell(engine: Engine, case: str, do: str, day: date, *, by: str = "officer", source: str = "outside", **with_: object) -> Outcome:
    saw = with_.pop("saw", None)
    message = {
        "v": 1,
        "id": f"{do}-{day}-{len(with_)}-{saw}",
        "do": do,
        "by": by,
        "on": day.isoformat(),
        "with": with_,
        **({"saw": saw} if saw else {}),
    }
    if source != "outside":
        message.pop("by")
    now = first_instant(day).astimezone(timezone.utc)
    with transaction(engine) as session:
        act = Act(case=case, message=message, source=source, now=datetime.combine(now.date(), now.time(), timezone.utc))  # type: ignore[arg-type]
        outcome = Recording(session, signed_act(session, act), ENGINE_TIME).record()
    assert outcome.accepted, outcome.answer
    return outcome


TOPIC = {"type": "no-reply-on-topic", "topic": ["SECRET jetty licence"]}
WEEKLY = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week"}


def restricted(
    engine: Engine, case: str, *, name: str = NAME, address: str | None = ADDRESS, one: dict[str, object] = TOPIC, **customer: object
) -> None:
    """Leads a case to its restriction, told by email on DAY."""
    who = {"name": name, "channel": "email", **({"address": address} if address else {}), **customer}
    tell(engine, case, "open_case", date(2027, 2, 1), body="mmo", customer=who, area="licensing", contact_officer="officer")
    tell(engine, case, "report_behaviour", date(2027, 2, 1), code="excessive-contact", medium="email", summary="SECRET forty emails")
    tell(engine, case, "warn", date(2027, 2, 2), medium="email", findings={"concerns": "SECRET concerns", "policy-copy-directed": True})
    tell(engine, case, "notice_sent", date(2027, 2, 2), source="post", saw="n1", method="email")
    tell(engine, case, "report_behaviour", date(2027, 2, 19), code="excessive-contact", medium="email", summary="SECRET thirty more")
    grounds = {name: f"SECRET {said}" for name, said in MMO_GROUNDS.items()}
    tell(engine, case, "impose_sanction", DAY, by="manager", restrictions=[one], reasons="SECRET reasons", findings=grounds)


def told(engine: Engine, case: str) -> None:
    tell(engine, case, "notice_sent", DAY, source="post", saw="n2", method="email")


@pytest.fixture
def records(database: Engine) -> Engine:
    """Gives a database with two bodies and no case."""
    with transaction(database) as session:
        for body in ("mmo", "other"):
            save_body(session, Body(body=body, name=body, policy="mmo", keep_years=6, people=MMO_STAFF.people))
    return database


@pytest.fixture
def one(records: Engine) -> Engine:
    restricted(records, "mmo/1")
    told(records, "mmo/1")
    return records


def ask(
    engine: Engine, customer: str, *, body: str = "mmo", topic: str = "the jetty", day: date = date(2027, 3, 17), **other: object
) -> Advice:
    return Desk(engine).look_up(body, customer, Asked.model_validate({"channel": "email", "topic": topic, "on": day, **other}))


@pytest.mark.parametrize(
    "customer",
    [NAME, "  JOSE  O’secret sample ", ADDRESS, "jose.secret@example.ORG", "mailto:jose.secret@example.org", "mmo/1", " mmo/1 "],
)
def test_the_customer_is_found_by_any_spelling(one: Engine, customer: str):
    advice = ask(one, customer)

    assert (advice.verdict, advice.cases) == ("read-and-file", ("mmo/1",))
    assert "SECRET jetty licence" in advice.says
    assert "MMO-35" in advice.cites


@pytest.mark.parametrize(
    "customer",
    [
        "Jose",
        "somebody@example.org",
        "mmo/2",
        "' OR '1'='1",
        "%a%",
        "_" * 5 + "a",
        "José'; DROP TABLE desk_key; --",
        "x" * 10_000,
        "\ud800a",
        "a\x00b",
    ],
)
def test_nobody_else_is(one: Engine, customer: str):
    advice = ask(one, customer)

    assert (advice.verdict, advice.customer) == ("deal-with-it", "unknown")
    assert ask(one, NAME).customer == "known"


@pytest.mark.parametrize("written", ["01632 960123", "+44 1632 960123", "+44 (0)1632 960-123"])
def test_a_further_number_finds_the_customer_too(records: Engine, written: str):
    restricted(records, "mmo/1", also_reached_at=["+441632960123"])
    told(records, "mmo/1")

    assert ask(records, written).verdict == "read-and-file"


def test_a_topic_of_ten_thousand_characters_is_looked_up(one: Engine):
    assert ask(one, NAME, topic="jetty " * 1666).verdict == "read-and-file"


def test_a_customer_who_is_nothing_to_look_for_is_refused(one: Engine):
    with pytest.raises(ValueError, match="a name, an email address"):
        ask(one, "---")


def test_a_decision_not_yet_told_is_not_enforced(records: Engine):
    """DEF-05."""
    restricted(records, "mmo/1")

    advice = ask(records, NAME)

    assert advice.verdict == "deal-with-it"
    assert "not yet told" in advice.not_enforced[0]


@pytest.mark.parametrize("written", ["MMO/1", "Mmo/1", " mmo/1 "])
def test_a_cases_reference_is_found_in_any_capitals(one: Engine, written: str):
    assert ask(one, written).cases == ("mmo/1",)


def test_a_reference_in_its_own_capitals_settles_which_case_is_meant(records: Engine):
    for case, name in (("mmo/UC-1", "Casey Sample"), ("mmo/uc-1", "Alex Sample")):
        restricted(records, case, name=name, address=None)

    assert [ask(records, written).cases for written in ("mmo/UC-1", "mmo/uc-1")] == [("mmo/UC-1",), ("mmo/uc-1",)]
    assert ask(records, "MMO/UC-1").customer == "ambiguous"


def test_a_letter_proven_to_have_come_later_binds_and_counts_from_then(records: Engine):
    """Docs, dates: restrictions bind from the receipt; a contact before it used nothing up."""
    restricted(records, "mmo/1", one=WEEKLY)
    told(records, "mmo/1")
    contact = {"channel": "email", "topic": "SECRET jetty", "handled": "deal-with-it"}
    tell(records, "mmo/1", "log_contact", date(2027, 3, 11), **contact)
    tell(records, "mmo/1", "record_receipt", date(2027, 3, 12), saw="n2", evidence="reply-1")

    assert "contact 1 of 1" in ask(records, NAME, day=date(2027, 3, 12)).says
    assert "not enforced before Friday 12 March 2027" in " ".join(ask(records, NAME, day=date(2027, 3, 11)).not_enforced)


def test_bodies_do_not_see_each_other(one: Engine):
    assert ask(one, NAME, body="other").customer == "unknown"
    assert ask(one, "mmo/1", body="other").customer == "unknown"


def test_two_people_of_one_name_are_listed_and_nobody_is_guessed(one: Engine):
    restricted(one, "mmo/2", address="another@example.org", one=WEEKLY)
    told(one, "mmo/2")

    advice = ask(one, NAME)

    assert (advice.verdict, advice.customer, advice.cases) == (None, "ambiguous", ("mmo/1", "mmo/2"))
    assert ask(one, "mmo/2").verdict == "deal-with-it"
    assert ask(one, ADDRESS).verdict == "read-and-file"


def test_two_people_at_one_address_are_listed_too(one: Engine):
    restricted(one, "mmo/2", name="Robin Sample", one=WEEKLY)

    assert ask(one, ADDRESS).customer == "ambiguous"
    assert ask(one, "Robin Sample").cases == ("mmo/2",)


def test_without_an_address_nobody_is_taken_for_somebody_else(one: Engine):
    restricted(one, "mmo/2", address=None, one=WEEKLY)

    assert ask(one, NAME).customer == "ambiguous"


def test_both_cases_of_one_person_answer_whichever_is_named(one: Engine):
    restricted(one, "mmo/2", one=WEEKLY)
    told(one, "mmo/2")

    for customer in (NAME, ADDRESS, "mmo/1", "mmo/2"):
        advice = ask(one, customer)
        assert (advice.verdict, advice.cases) == ("read-and-file", ("mmo/1", "mmo/2")), customer
        assert len(advice.found) == 2


def test_a_name_alone_asks_for_care(one: Engine):
    assert "name alone" in ask(one, NAME).cautions[0]
    assert not any("name alone" in line for line in ask(one, ADDRESS).cautions)


def test_contacts_are_counted_in_the_same_transaction(records: Engine):
    """EH-21."""
    restricted(records, "mmo/1", one=WEEKLY)
    told(records, "mmo/1")
    assert "contact 1 of 1" in ask(records, NAME).says

    tell(records, "mmo/1", "log_contact", date(2027, 3, 16), channel="email", topic="SECRET again", handled="deal-with-it")

    assert ask(records, NAME).verdict == "limit-it"
    assert "1 used this week (15 Mar to 21 Mar)" in ask(records, NAME).says
    assert "contact 1 of 1" in ask(records, NAME, day=date(2027, 3, 22)).says


def counted(engine: Engine) -> tuple[int, int]:
    with reading(engine) as session:
        return len(session.exec(select(DeskEntryRow)).all()), len(session.exec(select(DeskKeyRow)).all())


def test_the_end_of_the_case_empties_the_tables(one: Engine):
    assert counted(one) == (1, 3)

    tell(one, "mmo/1", "review", date(2027, 4, 1), by="reviewer", saw="s1", why="own-motion", outcome="lift")

    assert counted(one) == (0, 0)
    assert ask(one, NAME).customer == "unknown"


def test_a_case_corrected_as_a_mistake_is_gone_from_the_desk(one: Engine):
    tell(one, "mmo/1", "correct", date(2027, 3, 20), by="manager", reasons="SECRET wrong person")

    assert counted(one) == (0, 0)


def test_no_word_of_anybodys_stands_in_the_desks_tables(one: Engine):
    tell(one, "mmo/1", "log_contact", date(2027, 3, 16), channel="email", topic="SECRET again", handled="deal-with-it")
    tell(one, "mmo/1", "add_adjustment", date(2027, 3, 16), adjustment={"need": "SECRET large print", "channels": ["letter"]})
    searched = 0
    with one.connect() as connection:
        for table in inspect(connection).get_table_names():
            if table == "case_text":
                continue
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    searched += 1
                    said = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
                    for secret in ("SECRET", "Secret", "secret@", "Jos", "jose", "Example.org", "example.org"):
                        assert secret not in said, (table, said[:200])
    assert searched > 200


def test_the_entry_goes_back_with_an_act_that_is_not_saved(one: Engine, monkeypatch: pytest.MonkeyPatch):
    before = counted(one)
    monkeypatch.setattr(Recording, "_keep", lambda *given, **named: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        tell(one, "mmo/1", "correct", date(2027, 3, 20), by="manager", reasons="Wrong.")

    assert counted(one) == before


def test_one_read_and_at_most_one_more(one: Engine):
    """A number is answered in one read; words, or a named officer, take one small one more."""
    restricted(one, "mmo/2", name="Robin Sample", address="robin@example.org", one=WEEKLY)
    told(one, "mmo/2")
    desk, seen = Desk(one), []
    asked = Asked(channel="email", topic="the jetty", on=date(2027, 3, 17))
    desk.look_up("mmo", NAME, asked)  # reads the secret once
    event.listen(one, "before_cursor_execute", lambda c, cursor, statement, *rest: seen.append(statement))

    desk.look_up("mmo", "robin@example.org", asked)
    plain = [one for one in seen if one.lstrip().startswith("SELECT")]
    desk.look_up("mmo", NAME, asked)
    words = [one for one in seen if one.lstrip().startswith("SELECT")][len(plain) :]

    assert (len(plain), len(words)) == (1, 2)


def test_the_look_up_uses_an_index(one: Engine):
    if one.dialect.name != "sqlite":
        pytest.skip("on a table of a few rows PostgreSQL reads it whole, rightly")
    desk = Desk(one)
    with one.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {desk.find.sql}", ("a", "b", "c")).all()

    assert plan and all(line[3].startswith("SEARCH") for line in plan), plan


def test_an_officers_absence_is_seen_at_once(records: Engine):
    """PCC-49: the staff list is read with the answer, so that a change of it counts from the next contact."""
    restricted(records, "mmo/1", one=WEEKLY)
    told(records, "mmo/1")
    spoc = {
        "id": "s1.1",
        "label": "x",
        "restriction": {"type": "single-point-of-contact", "officer": "officer"},
        "cites": ["PCC-49"],
        "told_on": "2027-03-10",
        "until": None,
    }
    with transaction(records) as session:
        row = session.get(DeskEntryRow, "mmo/1")
        assert row
        row.entry = json.dumps({**json.loads(row.entry), "limits": [spoc]})
    assert ask(records, NAME).pass_to == "officer"

    changed = {"officer": {"absences": [{"from": "2027-03-15"}]}, "records": {"deputises_for": ["officer"]}}
    away = [Person.model_validate({**one.model_dump(by_alias=True), **changed.get(one.id, {})}) for one in MMO_STAFF.people]
    with transaction(records) as session:
        save_body(session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=tuple(away)), Loaded(at=now()))

    assert ask(records, NAME).pass_to == "records"


# Releases and secrets


def test_cases_of_an_earlier_release_are_written_by_the_migration(one: Engine):
    with transaction(one) as session:
        for row in session.exec(select(DeskEntryRow)).all():
            session.delete(row)
        for key in session.exec(select(DeskKeyRow)).all():
            session.delete(key)
    assert ask(one, NAME).customer == "unknown"

    migrate(one)

    assert ask(one, NAME).verdict == "read-and-file"
    with transaction(one) as session:
        assert fill_desk(session) == 0


def test_a_secret_that_was_lost_is_made_anew_with_everything_under_it(one: Engine):
    with transaction(one) as session:
        row = session.get(InstallationRow, "desk-secret")
        assert row
        old = row.value
        session.delete(row)
    KNOWN.pop(one.pool)

    migrate(one)

    assert ask(one, NAME).verdict == "read-and-file"
    with reading(one) as session:
        assert session.get(InstallationRow, "desk-secret").value != old  # type: ignore[union-attr]


def test_two_installations_keep_different_keys(one: Engine, tmp_path):
    from records.database import create_all, open_database

    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    create_all(other)
    with transaction(other) as session:
        save_body(session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=MMO_STAFF.people))
    restricted(other, "mmo/1")

    def keys(engine: Engine) -> set[str]:
        with reading(engine) as session:
            return {row.key for row in session.exec(select(DeskKeyRow).where(col(DeskKeyRow.case_id) == "mmo/1")).all()}

    assert len(keys(one)) == 3
    assert not keys(one) & keys(other)


def test_destroyed_texts_are_not_made_up(one: Engine):
    with transaction(one) as session:
        for row in session.exec(select(TextRow)).all():
            session.delete(row)

    assert "[destroyed]" in ask(one, NAME).says
