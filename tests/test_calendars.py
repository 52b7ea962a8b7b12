"""Tables of bank holidays in the records, on the command line and on open cases; and the list of what nobody was told yet."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from activities.bodies import Body, Unknown, save_body
from activities.calendars import calendar_of, edition, in_force, keep_calendar, nations_of
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome, Source
from activities.recording import Recording
from domain.case import Case
from domain.days import Calendar, Holiday, add_working_days
from policies import load
from policies.load import Unreadable
from records.database import open_database, reading, transaction
from records.store import read_case
from records.tables import CalendarEditionRow, CaseRow, NoticeRow, TaskRow
from starter.calendars import lagging_cases, next_table, read_calendar, require_newer
from starter.clock import today
from starter.standing import standing
from starter.undelivered import waiting_letters
from tests.engine import PATIENCE, evenhand
from tests.signing import signed_act
from tests.stories import ENGLAND, MMO, MMO_GROUNDS, MMO_STAFF
from tests.tables import with_tables
from tests.test_local_run import found, settings, up

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
CASE = "mmo/2027-0001"
MOURNING = Holiday(on=date(2027, 3, 31), name="Day of mourning")
CLOSED = Holiday(on=date(2027, 3, 30), name="office closed")


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=timezone.utc)


def tell(
    engine: Engine, id: str, do: str, day: date, *, by: str = "officer", source: Source = "outside", case: str = CASE, **rest: object
) -> Outcome:
    saw = rest.pop("saw", None)
    sent = {"v": 1, "id": id, "do": do, "by": by, "saw": saw, "with": rest}
    with transaction(engine) as session:
        return Recording(session, signed_act(session, Act(case=case, message=sent, source=source, now=at(day))), ENGINE_TIME).record()


def body_with(*closures: Holiday) -> Body:
    return Body(body="mmo", name="MMO (test)", policy="mmo", keep_years=6, people=MMO_STAFF.people, closures=closures)


@pytest.fixture
def records(database: Engine) -> Engine:
    """Gives a database, on each of the two engines, with an MMO case whose request for a review of 12 March 2027 was acknowledged."""
    with transaction(database) as session:
        save_body(session, body_with())
    lead(database)
    return database


def lead(engine: Engine, case: str = CASE) -> None:
    opening = {"body": "mmo", "customer": {"name": "Casey Sample", "channel": "email"}, "area": "licensing"}
    grounds = {
        "restrictions": [{"type": "contact-volume-limit", "max_contacts": 1, "per": "week"}],
        "reasons": "They go on.",
        "findings": MMO_GROUNDS,
    }
    report = {"code": "excessive-contact", "medium": "email", "summary": "Forty emails."}
    steps: tuple[tuple[str, date, str, Source, dict[str, object]], ...] = (
        ("open_case", date(2027, 2, 1), "officer", "outside", opening),
        ("report_behaviour", date(2027, 2, 1), "officer", "outside", report),
        (
            "warn",
            date(2027, 2, 1),
            "officer",
            "outside",
            {"medium": "email", "findings": {"concerns": "Forty.", "policy-copy-directed": True}},
        ),
        ("notice_sent", date(2027, 2, 1), "post", "post", {"saw": "n1", "method": "email"}),
        ("report_behaviour", date(2027, 2, 19), "officer", "outside", report),
        ("impose_sanction", date(2027, 3, 10), "manager", "outside", grounds),
        ("notice_sent", date(2027, 3, 10), "post", "post", {"saw": "n2", "method": "email"}),
        ("appeal", date(2027, 3, 12), "customer", "outside", {"medium": "email"}),
        ("notice_sent", date(2027, 3, 12), "post", "post", {"saw": "n3", "method": "email"}),
    )
    for n, (do, day, by, source, with_) in enumerate(steps):
        outcome = tell(engine, f"{case}-{n}", do, day, by=by, source=source, case=case, **with_)
        assert outcome.accepted, outcome.answer


def loaded(engine: Engine, *add: Holiday, name: str = "later", on: date = date(2027, 3, 16), known_until: date | None = None) -> Calendar:
    with transaction(engine) as session:
        text = next_table(in_force(session, "england-and-wales"), add=add, remove=(), known_until=known_until, name=name, on=on)
        return keep_calendar(session, text, name=name, at=at(on))


def the_case(engine: Engine) -> Case:
    with reading(engine) as session:
        case = read_case(session, CASE)
    assert case
    return case


def answer_due(engine: Engine) -> date:
    return standing(engine, CASE, today=date(2027, 3, 16)).dates["answer_due"]


# In the records


def test_a_case_names_the_tables_it_counts_with_and_a_case_of_an_earlier_release_counts_with_the_first(records: Engine):
    assert the_case(records).counting.editions == {"england-and-wales": ENGLAND.edition}
    loaded(records, MOURNING)
    old = the_case(records).model_copy(update={"counting": type(the_case(records).counting)()})

    with reading(records) as session:
        assert calendar_of(session, old, MMO) is load.calendar()
    assert nations_of(MMO) == ("england-and-wales",)
    assert nations_of(load.policy("council-2024-2028")) == ("england-and-wales",)


def test_a_state_saved_before_the_fields_were_there_is_read_and_goes_on(records: Engine):
    """Fields are only added, with defaults: the saved case of an earlier release has neither counting nor changes."""
    with transaction(records) as session:
        row = session.get(CaseRow, CASE)
        assert row
        row.state = {key: value for key, value in row.state.items() if key not in ("counting", "changes")}
        session.add(row)
    new = loaded(records, MOURNING)

    assert answer_due(records) == date(2027, 4, 13)
    assert tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=new.edition).accepted
    assert the_case(records).counting.editions == {"england-and-wales": new.edition}


def test_a_loaded_table_changes_no_open_case_until_its_act_and_then_keeps_what_was_told(records: Engine):
    """DESIGN 4, EH-31."""
    new = loaded(records, MOURNING)
    assert answer_due(records) == date(2027, 4, 13)
    with reading(records) as session:
        assert in_force(session, "england-and-wales") == new
        assert in_force(session, "scotland") == load.calendar("scotland")
        [one] = lagging_cases(session, today=date(2027, 3, 16))
    assert (one.case, one.editions) == (CASE, (new.edition,))
    assert [(move.date, move.stands) for move in one.moves if move.told] == [("answer due", "kept")]

    outcome = tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=new.edition)

    assert outcome.accepted
    assert outcome.wake_at and outcome.due_key
    assert answer_due(records) == date(2027, 4, 13)
    with reading(records) as session:
        waiting = {row.kind: row for row in session.exec(select(TaskRow).where(TaskRow.case_id == CASE)).all()}
        assert list(lagging_cases(session)) == []
    assert waiting["calendar"].people == ["officer"]
    assert waiting["moved-date"].offices == ["reviewer"]


def test_the_dry_run_says_what_the_act_then_does(records: Engine):
    with reading(records) as session:
        text = next_table(
            in_force(session, "england-and-wales"), add=[MOURNING], remove=(), known_until=None, name="later", on=date(2027, 3, 16)
        )
        offered = load.table_of(text, "later")
        [would] = lagging_cases(session, offered=offered, today=date(2027, 3, 16))
        assert session.get(CalendarEditionRow, offered.edition) is None
    loaded(records, MOURNING)
    tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=offered.edition)

    [change] = the_case(records).changes
    assert [(one.ref, one.was, one.becomes, one.stands) for one in change.listed] == [
        (one.ref, one.was, one.becomes, one.stands) for one in would.moves
    ]
    assert len(would.moves) == 1


def test_closed_days_of_a_body_reach_an_open_case_by_the_same_act(records: Engine):
    """EH-30: set for the body, taken over by the case, and named where a date is explained."""
    with transaction(records) as session:
        save_body(session, body_with(CLOSED))
    assert answer_due(records) == date(2027, 4, 13)
    with reading(records) as session:
        [one] = lagging_cases(session)
    assert one.editions == (ENGLAND.edition,)

    assert tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=ENGLAND.edition).accepted

    assert the_case(records).counting.closures == (CLOSED,)
    assert answer_due(records) == date(2027, 4, 13)
    lead(records, "mmo/2027-0002")
    explained = [one for one in standing(records, "mmo/2027-0002", today=date(2027, 3, 16)).explained if one.name == "answer_due"]
    assert explained[0].date == date(2027, 4, 14)
    assert CLOSED in explained[0].rests and "EH-30" in explained[0].defaults
    assert [one.name for one in explained[0].rests] == ["Good Friday", "Easter Monday", "office closed"]


@pytest.mark.parametrize("name", ["england-and-wales-none", "scotland-2026-11-25", ENGLAND.edition])
def test_an_edition_that_is_unknown_of_another_nation_or_already_counted_with_changes_nothing(records: Engine, name: str):
    before = the_case(records)

    outcome = tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=name)

    assert outcome.result in ("stale", "repeated")
    assert the_case(records) == before


def test_an_older_edition_is_never_taken_over(records: Engine):
    first = loaded(records, MOURNING, name="first", on=date(2027, 3, 15))
    second = loaded(records, Holiday(on=date(2027, 4, 7), name="Another"), name="second", on=date(2027, 3, 16))
    assert tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="calendar", edition=second.edition).accepted

    assert tell(records, "t-2", "apply_calendar", date(2027, 3, 16), by="calendar", edition=first.edition).result == "stale"


def test_only_the_calendar_and_staff_may_bring_a_table(records: Engine):
    new = loaded(records, MOURNING)
    assert tell(records, "t-1", "apply_calendar", date(2027, 3, 16), by="customer", edition=new.edition).result == "refused"
    assert tell(records, "t-2", "acknowledge_calendar", date(2027, 3, 16), by="calendar", saw="k1").result == "unknown"
    assert tell(records, "t-3", "apply_calendar", date(2027, 3, 16), by="officer", edition=new.edition).accepted


def test_a_loaded_table_is_kept_for_ever_under_its_name(records: Engine, tmp_path: Path):
    new = loaded(records, MOURNING)
    file = tmp_path / "table.yaml"
    with reading(records) as session:
        row = session.get(CalendarEditionRow, new.edition)
        assert row
        file.write_text(row.text.replace("Day of mourning", "Another name"), encoding="utf-8")
        table, text = read_calendar(file)
        with pytest.raises(Unreadable, match=r"table.yaml:1:2: edition: .* is the name of another table already"):
            require_newer(session, file, table, text, today=date(2027, 3, 17))
        with pytest.raises(Unknown):
            edition(session, "england-and-wales-none")


def test_a_table_older_than_the_one_in_force_is_refused_with_line_and_column(records: Engine, tmp_path: Path):
    loaded(records, MOURNING, on=date(2027, 3, 16))
    file = tmp_path / "old.yaml"
    old = (load.HOME / "calendars" / "england-and-wales.yaml").read_text(encoding="utf-8")
    file.write_text(old.replace("edition: england-and-wales-2026-11-25", "edition: england-and-wales-copy"), encoding="utf-8")
    with reading(records) as session, pytest.raises(Unreadable) as fault:
        require_newer(session, file, *read_calendar(file), today=date(2027, 3, 17))
    assert "old.yaml:4:1: checked_on: england-and-wales-later is in force, checked on 2027-03-16; a later day, found 2026-11-25" in str(
        fault.value
    )


def test_a_receipt_is_kept_with_its_letter_and_its_evidence_apart(records: Engine):
    """DEF-06: the day stands in the list of letters; the evidence is personal text and stays in the vault."""
    outcome = tell(records, "r-1", "record_receipt", date(2027, 3, 15), saw="n2", evidence="SECRET tracking number")

    assert outcome.accepted
    with reading(records) as session:
        row = session.get(NoticeRow, (CASE, "n2"))
        case = session.get(CaseRow, CASE)
        assert row and case
    assert (row.sent_on, row.notified_on, row.received_on) == (date(2027, 3, 10), date(2027, 3, 10), date(2027, 3, 15))
    assert "SECRET" not in json.dumps(case.state)
    [letter] = [one for one in standing(records, CASE, today=date(2027, 3, 16)).letters if one.notice == "n2"]
    assert letter.received.evidence == "SECRET tracking number"
    assert standing(records, CASE, today=date(2027, 3, 16)).dates["appeal_closes"] == date(2027, 3, 29)


def test_what_is_decided_and_not_notified_is_a_list_of_its_own_oldest_first(records: Engine):
    tell(records, "b-1", "notice_returned", date(2027, 3, 15), saw="n2", problem="SECRET bounced")
    tell(records, "b-2", "notice_returned", date(2027, 3, 15), saw="n1", problem="gone away")

    with reading(records) as session:
        early = waiting_letters(session, body="mmo", today=date(2027, 3, 17))
        late = waiting_letters(session, body=None, today=date(2027, 3, 23))
        assert waiting_letters(session, body="another", today=date(2027, 3, 18)) == ()

    assert [(one.notice, one.why, one.days, one.overdue) for one in early] == [("n1", "returned", 44, False), ("n2", "returned", 7, False)]
    assert [one.overdue for one in late] == [True, True]
    assert "SECRET" not in json.dumps([one.model_dump(mode="json") for one in late])


def test_a_task_past_the_known_holidays_is_marked(records: Engine):
    """EH-33."""
    new = loaded(records, name="short", known_until=None)
    assert new.known_until == date(2028, 12, 31)
    lead_late = date(2028, 12, 15)
    outcome = tell(records, "d-1", "decide_appeal", date(2027, 3, 18), by="reviewer", saw="a1", outcome="uphold", reasons="It stands.")
    assert outcome.accepted
    findings = {"good-grounds": "They go on."}
    review = {"why": "scheduled", "outcome": "continue", "reasons": "They go on.", "findings": findings}
    assert tell(records, "d-2", "review", date(2028, 12, 12), by="reviewer", saw="s1", **review).accepted
    for notice in ("n4", "n5"):
        assert tell(
            records, f"s-{notice}", "notice_sent", date(2028, 12, 13), by="post", source="post", saw=notice, method="email"
        ).accepted
    assert tell(records, "d-3", "appeal", lead_late, by="customer", medium="email").accepted
    with reading(records) as session:
        rows = {row.kind: row for row in session.exec(select(TaskRow).where(TaskRow.case_id == CASE)).all()}
    assert rows["appeal"].provisional and rows["appeal"].due and rows["appeal"].due.year == 2029


# On the command line


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Records of their own with the present tables and one MMO case; no engine runs."""
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    engine = with_tables(tmp_path / "evenhand.db")
    with transaction(engine) as session:
        save_body(session, body_with())
    lead(engine)
    return {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url}


def calendar(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = evenhand("calendar", *words, env=env)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def written(folder: Path, *add: Holiday, edition: str = "england-and-wales-2027-01-05", checked_on: str = "") -> Path:
    """Returns the shipped table as a new file, with days added; checked today, or on the day of the one in force where that is later."""
    checked_on = checked_on or str(max(today(), ENGLAND.checked_on))
    text = (load.HOME / "calendars" / "england-and-wales.yaml").read_text(encoding="utf-8")
    text = text.replace("england-and-wales-2026-11-25", edition).replace("checked_on: 2026-11-25", f"checked_on: {checked_on}")
    file = folder / "new-table.yaml"
    file.write_text(text + "".join(f'  - {{on: {one.on}, name: "{one.name}"}}\n' for one in add), encoding="utf-8")
    return file


def test_the_tables_are_listed_shown_and_checked(env: dict[str, str], tmp_path: Path):
    listed = json.loads(calendar("list", "--json", env=env).stdout)
    assert [(one["nation"], one["origin"], one["in_force"]) for one in listed] == [
        ("england-and-wales", "shipped", True), ("northern-ireland", "shipped", True), ("scotland", "shipped", True),
    ]  # fmt: skip
    shown = json.loads(calendar("show", "scotland", "--year", "2026", "--json", env=env).stdout)
    assert "2026-06-15" in [one["on"] for one in shown["holidays"]]
    assert "World Cup" in calendar("show", "scotland-2026-11-25", "--year", "2026", env=env).stdout
    assert calendar("show", "cornwall", env=env).returncode == UNKNOWN
    done = calendar("check", str(written(tmp_path, MOURNING)), env=env)
    assert (done.returncode, "nothing wrong" in done.stdout) == (DONE, True)
    assert calendar("check", str(tmp_path / "none.yaml"), env=env).returncode == MISUNDERSTOOD


def test_a_table_at_fault_is_told_by_line_and_column_and_nothing_is_kept(env: dict[str, str], tmp_path: Path):
    file = written(tmp_path, Holiday(on=date(2027, 4, 4), name="A Sunday"), checked_on="2025-01-01")

    done = calendar("load", str(file), "--by", "officer", env=env)

    assert done.returncode == MISUNDERSTOOD
    assert f"{file}:148:6: holidays.140.on: 2027-04-04 is a Sunday" in done.stderr
    file.write_text(file.read_text().replace("2027-04-04", "2027-04-05"))
    done = calendar("load", str(file), "--by", "officer", env=env)
    assert f"{file}:4:1: checked_on: england-and-wales-2026-11-25 is in force" in done.stderr
    assert len(json.loads(calendar("list", "--json", env=env).stdout)) == 3


def test_a_dry_run_lists_and_keeps_nothing_and_an_absent_engine_is_told(env: dict[str, str], tmp_path: Path):
    ahead = Holiday(on=add_working_days(today(), 3, ENGLAND)[0], name="Day of mourning")
    file = written(tmp_path, MOURNING if ahead.on > date(2028, 12, 1) else ahead)

    tried = json.loads(calendar("load", str(file), "--dry-run", "--json", env=env).stdout)

    assert (tried["edition"], tried["dry_run"], tried["cases"], tried["applied"]) == ("england-and-wales-2027-01-05", True, [CASE], [])
    assert len(json.loads(calendar("list", "--json", env=env).stdout)) == 3
    absent = calendar("load", str(file), "--by", "officer", env={**env, "EVENHAND_TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert absent.returncode == UNREACHED
    listed = {one["edition"]: one for one in json.loads(calendar("list", "--json", env=env).stdout)}
    assert len(listed) == 4, "kept, and evenhand calendar apply goes on from here"
    assert (listed[tried["edition"]]["loaded_by"], listed[tried["edition"]]["loaded_at"][:4].isdigit()) == ("officer", True)
    assert listed[ENGLAND.edition]["loaded_by"] is None
    assert "loaded by officer on" in calendar("list", env=env).stdout


@pytest.mark.parametrize("words", [(), ("--by", "nobody-such")])
def test_a_table_is_loaded_by_somebody_on_a_staff_list(words: tuple[str, ...], env: dict[str, str], tmp_path: Path):
    done = calendar("load", str(written(tmp_path, MOURNING)), *words, env=env)

    assert done.returncode == MISUNDERSTOOD
    assert "it takes an id of a body's staff list" in done.stderr
    assert len(json.loads(calendar("list", "--json", env=env).stdout)) == 3


def test_a_table_loaded_before_names_were_kept_says_so(env: dict[str, str]):
    loaded(open_database(env["EVENHAND_DATABASE_URL"]), MOURNING)

    assert "loaded by somebody not recorded on 16 Mar 2027" in calendar("list", env=env).stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("checked_on: ", "checked_on: 2999-01-01 # "), ":4:1: checked_on: the day somebody checked it, up to today"),
        (("known_until: ", "known_until: 9999-12-31 # "), "2029 has 0 days and a year has at least 8, and 7970 more years are short"),
        (("known_until: ", "known_until: 2029-06-30 # "), "2029 has no day before 2029-06-30, not even New Year's"),
        (
            ("- {on: 2012-", "# {on: 2012-"),
            "holidays: england-and-wales-2026-11-25 is in force and begins in 2012; the years from then on too",
        ),
    ],
)
def test_a_table_that_would_block_or_thin_out_the_present_one_is_refused(
    change: tuple[str, str], said: str, env: dict[str, str], tmp_path: Path
):
    """A day in the future would keep every later table out; a year left out would make its bank holidays working days."""
    file = written(tmp_path, MOURNING)
    file.write_text(file.read_text(encoding="utf-8").replace(*change), encoding="utf-8")

    done = calendar("load", str(file), "--by", "officer", env=env)

    assert (done.returncode, said in done.stderr) == (MISUNDERSTOOD, True), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(json.loads(calendar("list", "--json", env=env).stdout)) == 3


def test_the_undelivered_are_counted_and_marked(env: dict[str, str]):
    engine = open_database(env["EVENHAND_DATABASE_URL"])
    assert tell(engine, "b-1", "notice_returned", date(2027, 3, 15), saw="n2", problem="bounced").accepted

    done = json.loads(evenhand("undelivered", "--body", "mmo", "--json", env=env).stdout)

    assert done["count"] == 1
    assert (done["letters"][0]["notice"], done["letters"][0]["why"]) == ("n2", "returned")
    assert "1 letter, " in evenhand("undelivered", env=env).stdout
    assert evenhand("undelivered", "--body", "nobody", env=env).returncode == UNKNOWN


def test_show_and_dates_print_the_four_dates_and_the_days_left_out(env: dict[str, str]):
    shown = json.loads(evenhand("case", "show", CASE, "--json", env=env).stdout)
    [letter] = [one for one in shown["letters"] if one["notice"] == "n2"]
    assert {name: letter[name]["on"] for name in ("decided", "sent", "notified", "received")} == {
        "decided": "2027-03-10", "sent": "2027-03-10", "notified": "2027-03-10", "received": None,
    }  # fmt: skip
    assert all(letter[name]["evidence"] for name in ("decided", "sent", "notified", "received"))
    text = evenhand("case", "show", CASE, env=env).stdout
    assert "deemed notified" in text and "not proven" in text
    dates = evenhand("case", "dates", CASE, env=env).stdout
    assert "2027-03-26 Good Friday, 2027-03-29 Easter Monday" in dates


def test_closed_days_at_fault_are_told_and_good_ones_are_shown(env: dict[str, str], tmp_path: Path):
    file = tmp_path / "body.yaml"
    people = "".join(f"  - {json.dumps(one.model_dump(mode='json', exclude_defaults=True))}\n" for one in MMO_STAFF.people)
    closed = "closures:\n  - {on: 2027-03-30, name: office closed}\n"
    whole = f"body: mmo\nname: MMO (test)\npolicy: mmo\nkeep_years: 6\n{closed}people:\n{people}"
    file.write_text(whole.replace("2027-03-30", "2027-03-28"), encoding="utf-8")
    wrong = evenhand("body", "set", str(file), env=env)
    assert wrong.returncode == MISUNDERSTOOD and f"{file}:6:6: closures.0.on: 2027-03-28 is a Sunday" in wrong.stderr

    file.write_text(whole, encoding="utf-8")
    done = evenhand("body", "set", str(file), env=env)
    assert done.returncode == DONE, done.stderr
    assert "1 closed day." in done.stdout and "1 open case keeps its present dates until evenhand calendar apply" in done.stdout
    assert "office closed" in evenhand("body", "show", "mmo", env=env).stdout


def test_a_table_loaded_on_a_running_installation_reaches_its_cases(tmp_path: Path):
    """The whole way: load, an act on each case through its workflow, the told answer kept, decided by its reviewer, the letter sent."""
    env = settings(tmp_path)
    with up(env, tmp_path, tmp_path / "up.log"):
        here = found(env)
        appeal = evenhand("case", "act", "mmo/sample-1", "appeal", "--by", "customer", "--with", '{"medium": "email"}', "--json", env=here)
        assert appeal.returncode == DONE, appeal.stderr
        due = date_of("mmo/sample-1", here)
        sent(here, "mmo/sample-1", 3)
        day = add_working_days(today(), 4, ENGLAND)[0]
        file = written(tmp_path, Holiday(on=day, name="Day of mourning"))

        done = json.loads(calendar("load", str(file), "--by", "sam-officer", "--json", env=here).stdout)

        assert {one["result"] for one in done["applied"]} == {"accepted"}
        assert len(done["applied"]) == len(done["cases"]) >= 5
        assert [(one["case"], one["stands"]) for one in done["moves"] if one["told"]] == [("mmo/sample-1", "kept")]
        assert date_of("mmo/sample-1", here) == due
        move = '{"decision": "move", "reasons": "Nobody works that day."}'
        [ref] = [
            one["ref"]
            for one in json.loads(evenhand("tasks", "--for", "robin-reviewer", "--json", env=here).stdout)
            if one["kind"] == "moved-date"
        ]
        decided = evenhand(
            "case", "act", "mmo/sample-1", "decide_moved_date", "--by", "robin-reviewer", "--saw", ref, "--with", move, env=here
        )
        assert decided.returncode == DONE, decided.stderr
        assert date_of("mmo/sample-1", here) > due
        sent(here, "mmo/sample-1", 4)
        [letter] = (tmp_path / "outbox").rglob("n4.txt")
        assert "Day of mourning" in letter.read_text(encoding="utf-8") and "our practice" in letter.read_text(encoding="utf-8")
        again = json.loads(calendar("apply", "--json", env=here).stdout)
        assert (again["cases"], again["applied"]) == ([], [])


def date_of(case: str, env: dict[str, str]) -> date:
    shown = json.loads(evenhand("case", "show", case, "--json", env=env).stdout)
    return date.fromisoformat(shown["dates"]["answer_due"])


def sent(env: dict[str, str], case: str, letters: int) -> None:
    """Wait until so many letters of a case have gone."""
    end = time.monotonic() + PATIENCE
    while True:
        shown = json.loads(evenhand("case", "show", case, "--json", env=env).stdout)
        gone = [one for one in shown["notices"] if one["status"] == "sent"]
        if len(gone) >= letters:
            return
        assert time.monotonic() < end, f"{len(gone)} of {letters} letters sent"
        time.sleep(0.2)
