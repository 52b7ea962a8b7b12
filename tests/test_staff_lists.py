"""The staff list as it stood: every load a version of its own, acts judged by the one of their instant (DEF-20)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from activities.bodies import Body, body_of, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome
from activities.recording import Recording
from activities.staff_lists import ListAltered, ListRefused, Loaded, lists_of, staff_at
from domain.people import Person, Staff
from records.append_only import unguard
from records.chain import FIRST
from records.database import migrate, open_database, reading, transaction
from records.log import first_broken_line, line_hash, log_of
from records.tables import LogRow
from tests.signing import signed_act

CASE = "mmo/2027-1"
OLD = (
    Person(id="olive-officer", name="Olive Officer", grade=5, area="licensing"),
    Person(id="dana-decider", name="Dana Decider", offices=("decision-maker",), grade=8),
    Person(id="rhys-reviewer", name="Rhys Reviewer", offices=("reviewer",), grade=10),
)
NEW = (OLD[0].model_copy(update={"grade": 6}), Person(id="nell-new", name="Nell New", grade=5), *OLD[1:])
LOADED = datetime(2027, 3, 1, 9, 30, tzinfo=timezone.utc)
BEFORE, AFTER = LOADED - timedelta(minutes=1), LOADED + timedelta(minutes=1)


def mmo(people: tuple[Person, ...]) -> Body:
    return Body(body="mmo", name="Marine Management Organisation", policy="mmo", keep_years=6, people=people)


@pytest.fixture
def records(database: Engine) -> Engine:
    with transaction(database) as session:
        save_body(session, mmo(OLD))
    tell(database, "open_case", "m1", at=LOADED - timedelta(days=30), body="mmo", customer={"name": "Casey Sample", "channel": "email"})
    return database


def tell(engine: Engine, do: str, id: str, *, at: datetime, by: str = "olive-officer", **with_: object) -> Outcome:
    act = Act(case=CASE, message={"v": 1, "id": id, "do": do, "by": by, "with": with_}, now=at)
    with transaction(engine) as session:
        return Recording(session, signed_act(session, act), ENGINE_TIME).record()


def report(engine: Engine, id: str, *, at: datetime, by: str = "olive-officer") -> Outcome:
    return tell(engine, "report_behaviour", id, at=at, by=by, code="excessive-contact", medium="email", summary="Forty emails.")


def load(engine: Engine, people: tuple[Person, ...], *, at: datetime | None, since: datetime | None = None, by: str | None = None) -> None:
    with transaction(engine) as session:
        save_body(session, mmo(people), Loaded(at=at, since=since, by=by))


def test_an_act_is_judged_by_the_list_in_force_at_its_own_instant_whenever_it_is_applied(records: Engine):
    """An act of before the load, applied after it, finds the older list; and the other way round nobody is judged by tomorrow's list."""
    load(records, NEW, at=LOADED, by="dana-decider")

    early = report(records, "early", at=BEFORE, by="nell-new")
    late = report(records, "late", at=AFTER, by="nell-new")

    assert (early.result, late.result) == ("unknown", "accepted")
    with reading(records) as session:
        first, second = lists_of(session, "mmo")
        assert (first.in_force_from, second.in_force_from, second.loaded_by) == (None, LOADED, "dana-decider")


def test_somebody_taken_off_the_list_still_counts_for_acts_of_before(records: Engine):
    load(records, OLD[1:], at=LOADED)

    late = report(records, "late", at=AFTER)
    assert (late.result, late.cites) == ("refused", ("DEF-20",)) and "on the staff list, but not today" in late.answer
    assert report(records, "early", at=BEFORE).accepted
    with reading(records) as session:
        assert staff_at(session, "mmo", AFTER).human_of("olive-officer") == "olive-officer"
        assert [one.id for one in staff_at(session, "mmo", AFTER).gone] == ["olive-officer"]


def test_the_same_list_again_is_no_version_and_one_that_differs_needs_its_instant(records: Engine):
    load(records, OLD[::-1], at=LOADED)
    load(records, OLD, at=None)
    with pytest.raises(ListRefused, match="needs the instant"):
        load(records, NEW, at=None)

    with reading(records) as session:
        assert [one.n for one in lists_of(session, "mmo")] == [1]
        assert len(body_of(session, "mmo").people) == len(OLD)


def test_a_list_that_comes_later_for_an_earlier_time_does_not_replace_the_one_in_force(records: Engine):
    """What restored records lack is brought with --since; the history shows when it was really loaded."""
    load(records, OLD[1:], at=AFTER)
    load(records, NEW, at=AFTER + timedelta(days=1), since=LOADED)

    with reading(records) as session:
        assert len(staff_at(session, "mmo", LOADED).people) == len(NEW)
        assert len(staff_at(session, "mmo", AFTER).people) == len(OLD) - 1
        assert {one.id for one in body_of(session, "mmo").people} == {"dana-decider", "rhys-reviewer"}
        assert lists_of(session, "mmo")[-1].loaded_at == AFTER + timedelta(days=1)


def test_a_list_cannot_be_altered_or_taken_away_and_one_that_was_is_not_used(records: Engine):
    for statement in ("UPDATE staff_list SET source = 'x'", "DELETE FROM staff_list"):
        with pytest.raises(DatabaseError, match="staff_list is append-only"), records.begin() as connection:
            connection.execute(text(statement))
    with records.begin() as connection:
        unguard(connection, "staff_list")
        connection.execute(text("UPDATE staff_list SET sha256 = 'forged'"))

    with reading(records) as session, pytest.raises(ListAltered, match="Staff list 1 of mmo"):
        staff_at(session, "mmo", AFTER)


def test_the_log_keeps_office_and_grade_of_the_time_in_its_chain(records: Engine):
    report(records, "r1", at=BEFORE)
    load(records, NEW, at=LOADED)
    report(records, "r2", at=AFTER)

    with reading(records) as session:
        assert [(one.actor, one.grade) for one in log_of(session, CASE)] == [("olive-officer", 5)] * 2 + [("olive-officer", 6)]
        assert first_broken_line(session, CASE) is None
    changed(records, 3, grade=9)
    with reading(records) as session:
        assert first_broken_line(session, CASE) == 3


@pytest.mark.parametrize("grade", [None, 9])
def test_a_grade_that_is_taken_out_or_put_into_an_old_line_breaks_the_chain(records: Engine, grade: int | None):
    """A line without one has the hash that earlier releases gave it."""
    with transaction(records) as session:
        unguard(session.connection(), "log")
        row = session.get(LogRow, (CASE, 1))
        assert row and row.grade == 5
        if grade is None:
            row.grade = None
        else:
            row.grade = None
            row.hash = line_hash(FIRST, row)
            row.grade = grade

    with reading(records) as session:
        assert first_broken_line(session, CASE) == 1


def changed(engine: Engine, n: int, *, grade: int) -> None:
    with transaction(engine) as session:
        unguard(session.connection(), "log")
        row = session.get(LogRow, (CASE, n))
        assert row
        row.grade = grade


def test_the_list_of_an_earlier_release_becomes_the_first_and_stands_from_ever(tmp_path):
    from alembic import command
    from alembic.config import Config

    from records.database import MIGRATIONS

    engine = open_database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        entry = '{"id": "olive-officer", "name": "Olive Officer", "grade": 5}'
        connection.execute(text("INSERT INTO body VALUES ('mmo', 'The MMO', 'mmo', '{}')"))
        connection.execute(text("INSERT INTO staff (body, person, entry) VALUES ('mmo', 'olive-officer', :entry)"), {"entry": entry})
    migrate(engine)

    with transaction(engine) as session:
        assert [one.id for one in staff_at(session, "mmo", datetime(1999, 1, 1, tzinfo=timezone.utc)).people] == ["olive-officer"]
        [first] = lists_of(session, "mmo")
        assert (first.n, first.loaded_at, first.in_force_from) == (1, None, None)
        save_body(session, mmo((Person(id="olive-officer", name="Olive Officer", grade=5),)), Loaded(at=LOADED))
        assert len(lists_of(session, "mmo")) == 1, "the same people, written as this release writes them"


DATED = Person.model_validate(
    {
        "id": "dana",
        "name": "Dana",
        "offices": ["manager", {"office": "decider", "from": "2027-01-01", "to": "2027-03-31"}],
        "deputises": [{"office": "reviewer", "from": "2027-02-01"}],
        "grade": [{"grade": 7, "to": "2027-02-28"}, {"grade": 8, "from": "2027-03-01"}],
        "line_manager": {"line_manager": "rhys", "from": "2027-03-01"},
    }
)


@pytest.mark.parametrize(
    ("day", "offices", "deputises", "grade", "manager"),
    [
        (date(2026, 12, 31), ("manager",), (), 7, None),
        (date(2027, 1, 1), ("manager", "decider"), (), 7, None),
        (date(2027, 2, 28), ("manager", "decider"), ("reviewer",), 7, None),
        (date(2027, 3, 1), ("manager", "decider"), ("reviewer",), 8, "rhys"),
        (date(2027, 3, 31), ("manager", "decider"), ("reviewer",), 8, "rhys"),
        (date(2027, 4, 1), ("manager",), ("reviewer",), 8, "rhys"),
    ],
)
def test_what_is_held_for_a_time_counts_from_its_first_day_to_its_last(
    day: date, offices: tuple[str, ...], deputises: tuple[str, ...], grade: int, manager: str | None
):
    [person] = Staff(people=(DATED,)).on(day).people

    assert (person.offices, person.deputises, person.grade, person.line_manager) == (offices, deputises, grade, manager)
    assert Person.model_validate_json(DATED.model_dump_json(by_alias=True)) == DATED


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("grade", [{"grade": 7, "to": "2027-03-01"}, {"grade": 8, "from": "2027-03-01"}], "found 7 and 8 on the same day"),
        ("grade", [5, {"grade": 8, "from": "2027-03-01"}], "either one without days, or all with days"),
        ("offices", [{"office": "decider", "from": "2027-03-02", "to": "2027-03-01"}], "until its first day or later"),
        ("offices", [{"from": "2027-03-02"}], "found none of them"),
        ("offices", [{"office": "decider", "until": "2027-03-02"}], "until"),
    ],
)
def test_days_of_holding_that_make_no_sense_are_refused(field: str, value: object, says: str):
    with pytest.raises(ValueError, match=says):
        Person.model_validate({"id": "dana", "name": "Dana", field: value})
