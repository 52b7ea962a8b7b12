"""The register in and out, on real records and a real engine: imported, living on, shown, exported; a body's own only."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from activities.bodies import Body, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Outcome
from activities.recording import Recording
from domain.commands import DeadlinePassed
from domain.days import first_instant
from records.database import reading, transaction
from records.log import first_broken_line, log_of
from records.tables import CaseRow, LetterRow, SanctionRow
from records.vault import CaseVault
from starter.cases import Cases, Unavailable
from starter.clock import today
from starter.import_cells import Words
from starter.register import exported, noted
from starter.register_import import Checked, check_file
from starter.take_over import Answer, against_records, message_of, take_over
from tests.engine import MMO, OFFICER, evenhand, free_port, new_office, office, opening, server
from tests.signing import signed_act
from tests.tables import with_tables
from worker.server import skipping_server

__all__ = ["office", "server"]

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
OTHER = MMO.model_copy(update={"body": "other", "name": "Another body (test)"})
WEEKLY = "contact-volume-limit max_contacts=1 per=week channel=email"
HEADER = "reference,customer,address,decided on,told on,restrictions,notes,contact officer"


def line(reference: str, *, decided_days_ago: int, notes: str = "") -> str:
    decided = today() - timedelta(days=decided_days_ago)
    return f"{reference},Quentin Testcase,quentin.testcase@example.org,{decided},{decided},{WEEKLY},{notes},{OFFICER}"


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / "cases.csv"
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def checked(file: Path, body: Body = MMO) -> Checked:
    return check_file(file, Words(), body=body, by=OFFICER, today=today())


# On the engine


async def test_imported_cases_live_on_until_their_reviews_open(tmp_path: Path):
    """MMO-44, DEF-13: imported eleven months after the decision, its review opens by itself, and nothing was sent about the past."""
    async with await skipping_server() as env:
        office = new_office(env.client, tmp_path)
        file = written(tmp_path, *(line(f"UC {n}", decided_days_ago=330) for n in range(1, 13)))
        found = checked(file)
        assert found.faults == ()
        told: list[Answer] = []
        async with office.worker():
            answers = await take_over(office.cases, found.prepared, by=OFFICER, done=told.append)
            assert [one.result for one in answers] == ["accepted"] * 12 and len(told) == 12
            assert {task.kind for task in office.tasks("mmo/UC-7")} == {"complete-record"}

            await env.sleep(timedelta(days=30))
            for n in range(1, 13):
                await _until(lambda n=n: "review" in {task.kind for task in office.tasks(f"mmo/UC-{n}")})

        with reading(office.records) as session:
            assert session.exec(select(LetterRow)).all() == []
            first, *_ = log_of(session, "mmo/UC-7")
            assert first.what == f"Imported as UC 7, from line 8 of a file with the sha256 {found.sha256}."
            assert first_broken_line(session, "mmo/UC-7") is None


async def _until(true: object) -> None:
    for _ in range(3000):
        if true():  # type: ignore[operator]  # a test's own function
            return
        await asyncio.sleep(0.02)
    raise AssertionError("in vain")


async def test_an_import_that_was_interrupted_goes_on_and_the_same_file_twice_is_once(office, tmp_path: Path):
    """The engine knows a case by its reference: what was taken over stays, the rest follows, nothing is made twice."""
    file = written(tmp_path, *(line(f"GO {n}", decided_days_ago=20) for n in range(1, 21)))
    some: list[Answer] = []

    class Torn(Exception):
        pass

    def torn(answer: Answer) -> None:
        some.append(answer)
        if len(some) >= 5:
            raise Torn

    with pytest.raises(Torn):
        await take_over(office.cases, checked(file).prepared, by=OFFICER, done=torn)
    with reading(office.records) as session:
        marked, wrong = against_records(session, checked(file).prepared)
    rest = [one for one in marked if one.report.state == "new"]
    assert wrong == []

    answers = await take_over(office.cases, rest, by=OFFICER, done=lambda _: None)
    again = await take_over(office.cases, checked(file).prepared, by=OFFICER, done=lambda _: None)

    assert {one.result for one in (*answers, *again)} == {"accepted"}
    for n in range(1, 21):
        assert office.seq(f"mmo/GO-{n}") == 1
        assert len([one for one in office.lines(f"mmo/GO-{n}") if one.what.startswith("Imported as")]) == 1
    with reading(office.records) as session:
        marked, _ = against_records(session, checked(file).prepared)
    assert {one.report.state for one in marked} == {"already imported"}


async def test_a_case_that_was_opened_here_is_never_taken_for_an_imported_one(office, tmp_path: Path):
    await office.open("mmo/LIVE-1")
    file = written(tmp_path, line("LIVE 1", decided_days_ago=20))

    with reading(office.records) as session:
        marked, [fault] = against_records(session, checked(file).prepared)
    [answer] = await take_over(office.cases, checked(file).prepared, by=OFFICER, done=lambda _: None)

    assert marked == [] and fault.line == 2 and "mmo/LIVE-1" in fault.found
    assert answer.result == "repeated" and "exists already" in answer.answer
    row = office.row("mmo/LIVE-1")
    assert row is not None and row.stage == "opened"


async def test_an_engine_that_stops_answering_stops_the_import_and_says_so(tmp_path: Path):
    class Gone(Cases):
        asked = 0

        async def open_message(self, case: str, message: dict[str, object]) -> Outcome:
            Gone.asked += 1
            raise Unavailable("The engine did not answer.")

    file = written(tmp_path, *(line(f"G {n}", decided_days_ago=20) for n in range(1, 101)))

    with pytest.raises(Unavailable, match="did not answer"):
        await take_over(Gone(client=None), checked(file).prepared, by=OFFICER, done=lambda _: None)  # type: ignore[arg-type]  # never used
    assert Gone.asked < 20, "a lost engine is not asked for every line"


# On the records alone


def recorded(engine: Engine, case: str, message: dict[str, object], *, at: datetime, source: str = "outside") -> Outcome:
    with transaction(engine) as session:
        return Recording(session, signed_act(session, Act(case=case, message=message, source=source, now=at)), ENGINE_TIME).record()


@pytest.fixture
def records(database: Engine, tmp_path: Path) -> Engine:
    """Records on both engines with two bodies: one has an old case nobody reviewed, one of this year and an open one; the other has one."""
    with transaction(database) as session:
        save_body(session, MMO)
        save_body(session, OTHER)
    now = first_instant(today())
    file = written(tmp_path, line("OLD", decided_days_ago=3 * 366, notes="=1+1"), line("NEW", decided_days_ago=30))
    for prepared in checked(file).prepared:
        outcome = recorded(database, prepared.report.case, message_of(prepared, OFFICER), at=now)
        assert outcome.accepted, outcome.answer
    [theirs] = checked(written(tmp_path, line("THEIRS", decided_days_ago=3 * 366)), OTHER).prepared
    assert recorded(database, "other/THEIRS", message_of(theirs, OFFICER), at=now).accepted
    assert recorded(database, "mmo/1", opening("mmo/1"), at=now).accepted
    return database


def test_an_export_has_one_row_a_case_with_the_policys_columns_and_a_mark(records: Engine):
    """EH-03 for the columns, DEF-12 for the mark; a case without a decision does not stand in the register."""
    with reading(records) as session:
        header, rows = exported(session, "mmo", today=today())

    assert header[:8] == ["Case", "Attention", "Stage", "Customer", "Warning", "Restrictions", "Next review", "Reasons"]
    assert [row[0] for row in rows] == ["mmo/NEW", "mmo/OLD"]
    by_name = dict(zip(header, rows[1], strict=True))
    assert "overdue; 3 reviews missed" in str(by_name["Attention"])
    assert by_name["Reviews missed"] == 3
    assert by_name["Date decided"] == today() - timedelta(days=3 * 366)
    assert "Quentin Testcase" in str(by_name["Customer"])


def test_a_body_sees_its_own_entries_only(records: Engine):
    with reading(records) as session:
        seen = {body: {str(row[0]) for row in exported(session, body, today=today())[1]} for body in ("mmo", "other", "nobody")}
        listed = {one.case for one in noted(session, "mmo", today=today())}

    assert seen == {"mmo": {"mmo/OLD", "mmo/NEW"}, "other": {"other/THEIRS"}, "nobody": set()}
    assert listed == {"mmo/OLD", "mmo/NEW"}


def test_what_needs_attention_is_listed_with_its_age_the_oldest_first(records: Engine):
    with reading(records) as session:
        found = noted(session, "mmo", today=today() + timedelta(days=1))

    assert [(one.case, one.kind) for one in found] == [("mmo/OLD", "review-overdue"), ("mmo/NEW", "incomplete"), ("mmo/OLD", "incomplete")]
    assert found[0].age_days > 700 and found[1].age_days == 1
    assert found[0].cites == ("MMO-44", "DEF-05")


def test_texts_of_an_imported_case_stand_in_the_vault_alone(records: Engine):
    """Names, notes and reasons are destroyed with the papers: nowhere else may they stand."""
    with reading(records) as session:
        state = json.dumps([row.state for row in session.exec(select(CaseRow)).all()])
        texts = [text for case in session.exec(select(CaseRow.id)).all() for text in CaseVault(session, case).texts.values()]

    assert "Quentin" not in state and "=1+1" not in state
    assert {"Quentin Testcase", "=1+1"} <= set(texts)


def test_the_lists_count_a_review_that_is_missed_after_the_decision(records: Engine):
    """DEF-12: the count of a sanction stands in its row as soon as a deadline has passed unheeded."""
    at = first_instant(today() + timedelta(days=366))
    while True:
        with reading(records) as session:
            row = session.get(CaseRow, "mmo/NEW")
        assert row is not None and row.next_fires is not None
        if first_instant(row.next_fires) > at:
            break
        command = {"v": 1, "id": f"due:{row.next_deadline}", "do": DeadlinePassed.do, "with": {"key": row.next_deadline}}
        assert recorded(records, "mmo/NEW", command, at=at, source="calendar").accepted
    with reading(records) as session:
        counted = {one.case_id: one.missed_reviews for one in session.exec(select(SanctionRow)).all()}

    assert counted == {"mmo/NEW": 1, "mmo/OLD": 3, "other/THEIRS": 3}


# As people meet it


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of records with one body and two imported cases, and of an engine that is not there."""
    folder = tmp_path_factory.mktemp("register")
    url = f"sqlite:///{folder / 'evenhand.db'}"
    engine = with_tables(folder / "evenhand.db")
    with transaction(engine) as session:
        save_body(session, MMO)
    file = written(folder, line("OLD", decided_days_ago=3 * 366, notes="=1+1"), line("NEW", decided_days_ago=30))
    for prepared in checked(file).prepared:
        recorded(engine, prepared.report.case, message_of(prepared, OFFICER), at=first_instant(today()))
    yield {"EVENHAND_VAR": str(folder), "EVENHAND_DATABASE_URL": url, "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}


def test_register_without_a_command_is_register_show(env: dict[str, str]):
    short, long, before = (
        evenhand("register", *words, "--json", env=env)
        for words in (("--body", "mmo"), ("show", "--body", "mmo"), ("--body", "mmo", "show"))
    )

    assert short.returncode == long.returncode == before.returncode == DONE, short.stderr
    assert json.loads(short.stdout) == json.loads(long.stdout) == json.loads(before.stdout)
    assert [one["case_id"] for one in json.loads(short.stdout)] == ["mmo/NEW", "mmo/OLD"]


@pytest.mark.parametrize(
    "words", [("register",), ("register", "attention"), ("register", "export", "x.csv"), ("register", "import", "x.csv")]
)
def test_a_register_is_always_somebodys(words: tuple[str, ...], env: dict[str, str]):
    missing, unknown = evenhand(*words, env=env), evenhand(*words, "--body", "atlantis", env=env)

    assert missing.returncode == MISUNDERSTOOD and "--body" in missing.stderr
    assert unknown.returncode == UNKNOWN and "atlantis" in unknown.stderr
    assert not Path("x.csv").exists()


def test_attention_is_listed(env: dict[str, str]):
    told, facts = (
        evenhand("register", "attention", "--body", "mmo", env=env),
        evenhand("register", "attention", "--body", "mmo", "--json", env=env),
    )

    assert "3 reviews missed" in told.stdout
    assert {one["kind"] for one in json.loads(facts.stdout)} == {"review-overdue", "incomplete"}


def test_a_register_is_exported_as_csv_and_as_a_workbook(env: dict[str, str], tmp_path: Path):
    for name, words in (("r.csv", ("--bom",)), ("r.xlsx", ())):
        done = evenhand("register", "export", str(tmp_path / name), "--body", "mmo", *words, env=env)
        assert done.returncode == DONE and "2 entries written" in done.stdout, done.stderr

    text = (tmp_path / "r.csv").read_bytes()
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").active
    assert text.startswith(b"\xef\xbb\xbf")
    assert [row[0] for row in rows] == ["Case", "mmo/NEW", "mmo/OLD"] == [cell.value for cell in sheet["A"]]
    assert {cell.data_type for row in sheet for cell in row} <= {"s", "d", "n"}


@pytest.mark.parametrize("name", ["r.ods", "register", "no/such/folder/r.csv"])
def test_a_file_that_cannot_be_written_is_not_begun(name: str, env: dict[str, str], tmp_path: Path):
    done = evenhand("register", "export", str(tmp_path / name), "--body", "mmo", env=env)

    assert done.returncode == MISUNDERSTOOD and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_reports_every_line_and_makes_nothing(env: dict[str, str], tmp_path: Path):
    file = written(tmp_path, line("OLD", decided_days_ago=3 * 366, notes="=1+1"), line("THIRD", decided_days_ago=800), "FOURTH,,,43831,,,,")

    done = evenhand("register", "import", str(file), "--body", "mmo", "--dry-run", "--json", env=env)
    told = evenhand("register", "import", str(file), "--body", "mmo", "--dry-run", env=env)

    facts = json.loads(done.stdout)
    assert done.returncode == told.returncode == MISUNDERSTOOD
    assert [(one["case"], one["state"]) for one in facts["lines"]] == [("mmo/OLD", "already imported"), ("mmo/THIRD", "new")]
    assert {(one["line"], one["column"]) for one in facts["faults"]} == {(4, "customer"), (4, "decided on")}
    assert f"{file}: line 4, decided on: found the number '43831'" in told.stderr
    assert "A dry run: nothing was made. 1 could be imported, 1 imported before, 2 faults." in told.stdout
    assert [one["case_id"] for one in json.loads(evenhand("register", "--body", "mmo", "--json", env=env).stdout)] == ["mmo/NEW", "mmo/OLD"]


def test_a_line_that_was_imported_and_says_something_else_now_changes_nothing(env: dict[str, str], tmp_path: Path):
    file = written(tmp_path, line("OLD", decided_days_ago=3 * 366, notes="Something else"))

    done = evenhand("register", "import", str(file), "--body", "mmo", "--by", OFFICER, env=env)

    assert done.returncode == DONE
    assert "already imported, changed since" in done.stdout
    assert "0 imported, 1 imported before, 0 faults. 1 line says something else than when it was imported" in done.stdout


def test_with_one_fault_nothing_is_imported(env: dict[str, str], tmp_path: Path):
    file = written(tmp_path, line("FIFTH", decided_days_ago=20), "SIXTH,,,,,,,")

    done = evenhand("register", "import", str(file), "--body", "mmo", "--by", OFFICER, env=env)

    assert done.returncode == MISUNDERSTOOD
    assert "Nothing was imported" in done.stdout and "line 3, customer" in done.stderr
    only_good = evenhand("register", "import", str(file), "--body", "mmo", "--by", OFFICER, "--only-good", env=env)
    assert only_good.returncode == UNREACHED, "the good line is tried, and the engine is not there"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--by is missing"),
        (("--by", "stranger"), "--by is stranger"),
        (("--by", OFFICER, "--map", "no-such-map.yaml"), "no-such-map.yaml"),
    ],
)
def test_an_import_by_nobody_or_with_no_such_map_exits_2(words: tuple[str, ...], said: str, env: dict[str, str], tmp_path: Path):
    done = evenhand("register", "import", str(written(tmp_path, line("X", decided_days_ago=9))), "--body", "mmo", *words, env=env)

    assert done.returncode == MISUNDERSTOOD and said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_without_an_engine_exits_3_and_can_be_tried_again(env: dict[str, str], tmp_path: Path):
    done = evenhand("register", "import", str(written(tmp_path, line("Y", decided_days_ago=9))), "--body", "mmo", "--by", OFFICER, env=env)

    assert done.returncode == UNREACHED
    assert "Traceback" not in done.stderr


def test_an_imported_case_is_shown_as_one(env: dict[str, str]):
    done = evenhand("case", "show", "mmo/OLD", env=env)

    assert f"Imported on {today().day} " in done.stdout and "as OLD, line 2" in done.stdout
    assert "Old record: =1+1" in done.stdout
