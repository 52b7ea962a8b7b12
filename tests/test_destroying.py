"""Papers destroyed: no readable byte is left, a crash anywhere is found and finished, the certificate says what was done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

import activities.finishing as destroying
from activities.bodies import save_body
from activities.carriers.outbox import Outbox
from activities.finishing import Destroying, NotEnded
from domain.model import text_reference
from domain.people import Person
from records.audit import verify
from records.certificates import case_hash, certificate_of, certificates
from records.database import reading, transaction
from records.destroying import DESTROYED, STAYS, leave_no_trace, unfinished
from records.log import log_of
from records.tables import CertificateRow, CommandRow, DestructionRow, LetterFileRow, TextRow
from starter import cli_destroy
from starter.clock import now
from starter.destroying import due, due_of, facts_of
from tests.handed_over import ADDRESS, BODY, CASE, CUSTOMER, MANAGER, NEIGHBOUR, RECORDS, REVIEWER, Records, message
from tests.traces import slices, traces

LAST, DUE = date(2033, 6, 1), date(2033, 6, 2)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    records = ended(Records(tmp_path))
    yield records
    records.engine.dispose()


def ended(records: Records, case: str = CASE) -> Records:
    """Lead a case to the end of its restrictions on 1 June 2027, every letter sent."""
    records.restricted(case)
    records.tell(
        message("a", "decide_appeal", by=REVIEWER, saw="a1", outcome="uphold", reasons="It was right."), date(2027, 4, 1), case=case
    )
    lifted = message("r", "review", by=REVIEWER, saw="s1", why="own-motion", outcome="lift", reasons=f"All is calm, says {NEIGHBOUR}.")
    records.tell(lifted, date(2027, 6, 1), case=case)
    return records


def sign(records: Records, case: str = CASE, *, on: date = DUE) -> None:
    for by in (RECORDS, MANAGER):
        records.tell(message(f"sign:{by}", "sign_destruction", by=by), on, case=case)


def destroy(records: Records, case: str = CASE, *, on: date = DUE) -> None:
    sign(records, case, on=on)
    records.tell(message("destroy", "destroy_papers", by=RECORDS), on, case=case)


def secrets(records: Records) -> list[bytes]:
    """Returns every personal text of the case, and pieces of the bytes of its letters."""
    with reading(records.engine) as session:
        texts = [row.text.encode() for row in session.exec(select(TextRow)).all() if len(row.text) >= 12]
        names = [text_reference(row.text).encode() for row in session.exec(select(TextRow)).all()]
        letters = [piece for row in session.exec(select(LetterFileRow)).all() if row.ending == "pdf" for piece in slices(row.content)]
    assert len(texts) > 10 and len(letters) > 20, "a case without words proves nothing"
    return [*texts, *names, *letters, CUSTOMER.encode(), ADDRESS.encode(), NEIGHBOUR.encode()]


class Engine:
    """What of the engine a destruction needs, remembering the order in which it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        monkeypatch.setattr(destroying, "ended", self.ended)
        monkeypatch.setattr(destroying, "delete_runs", self.delete_runs)

    async def ended(self, _client: object, _case: str) -> str:
        self.asked.append("workflow")
        return "completed"

    async def delete_runs(self, _client: object, _case: str) -> int:
        self.asked.append("runs")
        return 2

    def destroy(self, _case: str) -> None:
        self.asked.append("key")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def work(records: Records, engine: Engine) -> Destroying:
    return Destroying(records.engine, None, Outbox(records.outbox), engine)  # type: ignore[arg-type]  # no engine is asked


# No readable byte


async def test_no_readable_byte_is_left_in_the_records_their_log_or_the_outbox(records: Records, engine: Engine):
    """The database's file, its write-ahead log, the outbox, and names of files: read whole, byte by byte."""
    words, places = secrets(records), [records.folder]
    before = traces(places, words)
    assert {line.split(":")[0] for line in before} & {"evenhand.db", "evenhand.db-wal"}, "the walker finds nothing even before"
    assert any(line.startswith("n2.") for line in before), "the walker finds no letter in the outbox"

    destroy(records)
    await work(records, engine).finish(CASE, at=now())
    assert leave_no_trace(records.engine) is None

    assert traces(places, words) == []
    with transaction(records.engine) as session:
        session.add(TextRow(case_id="x", ref="text:1", text=NEIGHBOUR))
    assert traces(places, words), "and it finds one word that is put there"


async def test_another_case_is_left_whole(records: Records, engine: Engine):
    ended(records, "mmo/other")

    destroy(records)
    await work(records, engine).finish(CASE, at=now())
    leave_no_trace(records.engine)

    with reading(records.engine) as session:
        assert {row.case_id for row in session.exec(select(TextRow)).all()} == {"mmo/other"}
    assert (records.outbox / "mmo%2Fother").is_dir() and not (records.outbox / "mmo%2F2027-0001").exists()


def test_every_table_with_rows_of_a_case_says_whether_they_go_or_stay():
    """A new table decides too: what is in neither list would be forgotten."""
    named = {table.name for table in SQLModel.metadata.tables.values() if "case_id" in table.columns} | {"case"}
    listed = {kind.__tablename__ for kind in (*DESTROYED, *STAYS)}

    assert len(named) > 15
    assert named == listed


# Step by step


STEPS = ("workflow", "letters", "runs", "key")


async def test_the_key_goes_last_and_the_certificate_comes_after_it(records: Records, engine: Engine):
    destroy(records)
    assert unfinished_of(records) == (CASE,)

    row = await work(records, engine).finish(CASE, at=now())

    assert engine.asked == ["workflow", "runs", "key"]
    assert unfinished_of(records) == ()
    said = facts_of(row)
    assert (said["certificate"], said["case_sha256"], said["policy"]) == (1, case_hash(CASE), "mmo")
    assert (said["opened_on"], said["ended_on"], said["destroyed_on"]) == ("2027-02-01", "2027-06-01", "2033-06-02")
    assert said["kept"] == {
        "date": "2033-06-01", "start": "2027-06-01", "start_event": "end-of-restrictions",
        "rule": "6 years, the body's own schedule", "cites": [], "defaults": ["DEF-19"],
    }  # fmt: skip
    assert [(one["person"], one["office"]) for one in said["signed"]] == [(RECORDS, "records-officer"), (MANAGER, "decision-maker")]  # type: ignore[attr-defined]  # a list
    destroyed = said["destroyed"]
    assert isinstance(destroyed, dict) and destroyed["texts"] > 10 and destroyed["letter files"] >= 8 and destroyed["messages"] > 9
    assert said["then"] == {"workflow": "completed", "letters": "no file left", "runs": 2, "key": "destroyed"}
    assert not [word for word in (CUSTOMER, ADDRESS, NEIGHBOUR, CASE) if word in str(said)]


async def test_the_certificate_counts_what_the_dry_run_counted(records: Records, engine: Engine):
    """Also the rows that go when the emptied case is saved: the register's, decisions, restrictions, notices. What signed stays."""
    with reading(records.engine) as session:
        messages = len(session.exec(select(CommandRow).where(CommandRow.case_id == CASE)).all())
    sign(records)
    would = due_of(records.engine, CASE, today=DUE)
    assert would is not None and {"decisions", "restrictions", "notices", "register entries", "tasks"} <= set(would.rows)
    assert would.rows["messages"] == messages

    records.tell(message("destroy", "destroy_papers", by=RECORDS), DUE)
    row = await work(records, engine).finish(CASE, at=now())

    assert facts_of(row)["destroyed"] == would.rows


def unfinished_of(records: Records) -> tuple[str, ...]:
    with reading(records.engine) as session:
        return unfinished(session)


class Crash(Exception):
    pass


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [*STEPS, "certificate"])
async def test_a_crash_at_any_step_is_found_and_finished(
    records: Records, engine: Engine, monkeypatch: pytest.MonkeyPatch, step: str, when: str
):
    """Before a step, and after it where it was done and not yet noted: once finished, nothing is done half and there is one certificate."""
    destroy(records)
    with crashing(monkeypatch, step, when), pytest.raises(Crash):
        await work(records, engine).finish(CASE, at=now())
    assert [one.case for one in due(records.engine, today=DUE) if one.half_done] == [CASE]
    with reading(records.engine) as session:
        assert certificates(session) == ()

    row = await work(records, engine).finish(CASE, at=now())

    assert (row.n, unfinished_of(records), not records.outbox.exists() or not any(records.outbox.iterdir())) == (1, (), True)
    assert engine.asked.index("key") > max(n for n, one in enumerate(engine.asked) if one == "runs")
    again = await work(records, engine).finish(CASE, at=now())
    assert (again.n, again.hash) == (row.n, row.hash)
    with reading(records.engine) as session:
        assert len(certificates(session)) == 1 and verify(session) == ()


class crashing:  # read as a word in a with statement
    """Crashes a destruction before a step, or after it and before it is noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: str, when: str) -> None:
        self.monkeypatch, self.step, self.when = monkeypatch, step, when

    def __enter__(self) -> None:
        self.context = self.monkeypatch.context()
        patch = self.context.__enter__()
        steps, noted, issue = Destroying.steps, destroying.note_step, destroying.issue

        async def crash() -> object:
            raise Crash

        def broken(work: Destroying, case: str) -> tuple[destroying.Step, ...]:
            return tuple(one._replace(do=crash) if one.name == self.step else one for one in steps(work, case))

        def unnoted(session: object, case: str, step: str, found: object) -> None:
            if step == self.step:
                raise Crash
            noted(session, case, step, found)  # type: ignore[arg-type]  # a session

        def uncertified(*args: object, **kwargs: object) -> CertificateRow:
            if self.when == "after":
                issue(*args, **kwargs)  # type: ignore[arg-type]  # as they came
            raise Crash

        if self.step == "certificate":
            patch.setattr(destroying, "issue", uncertified)
        elif self.when == "before":
            patch.setattr(Destroying, "steps", broken)
        else:
            patch.setattr(destroying, "note_step", unnoted)

    def __exit__(self, *error: object) -> None:
        self.context.__exit__(None, None, None)


async def test_a_workflow_that_has_not_ended_holds_up_what_comes_after(records: Records, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """The engine's own copy is still read by it; so its key stays until it has ended."""

    async def running(_client: object, case: str) -> str:
        raise NotEnded(f"The workflow of {case} has not ended.")

    monkeypatch.setattr(destroying, "ended", running)
    destroy(records)

    with pytest.raises(NotEnded):
        await work(records, engine).finish(CASE, at=now())

    assert engine.asked == [] and unfinished_of(records) == (CASE,)


# So many a day


def test_over_the_limit_of_a_day_nothing_is_destroyed_and_what_was_signed_stands(records: Records):
    """EH-151."""
    ended(records, "mmo/other")
    with transaction(records.engine) as session:
        save_body(session, BODY.model_copy(update={"destroyed_a_day": 1}))
    destroy(records)
    sign(records, "mmo/other")

    with pytest.raises(AssertionError, match=r"1 cases of mmo were destroyed today.*EH-151.*tomorrow"):
        records.tell(message("d", "destroy_papers", by=RECORDS), DUE, case="mmo/other")

    records.tell(message("d2", "destroy_papers", by=RECORDS), date(2033, 6, 3), case="mmo/other")


# The list


def test_the_list_says_since_when_what_stops_it_and_who_must_sign(records: Records):
    assert due(records.engine, today=LAST) == ()
    [one] = due(records.engine, today=DUE)
    assert (one.case, one.since, one.stopped_by, one.signed, one.ready) == (CASE, LAST, [], [], False)
    assert one.to_sign == ["the records officer", "the senior manager who decides (or of any other office)"]
    assert one.rows["texts"] > 10

    records.tell(message("h", "hold", kind="litigation", reasons="A claim.", review_on="2034-01-01"), DUE)
    [held] = due(records.engine, today=DUE)
    assert "h1 (litigation" in held.stopped_by[0]

    records.tell(message("h-", "release_hold", saw="h1", reasons="It was settled."), DUE)
    sign(records)
    [ready] = due(records.engine, today=DUE)
    assert ready.ready and ready.signed == [f"{RECORDS} (records officer)", f"{MANAGER} (senior manager who decides)"]
    assert due(records.engine, today=DUE, body="elsewhere") == ()


def test_all_that_is_due_is_what_is_due_of_the_bodies_of_whoever_asks(records: Records, monkeypatch: pytest.MonkeyPatch):
    """Somebody of another body neither signs its cases by the way nor learns which there are."""
    with transaction(records.engine) as session:
        elsewhere = (Person(id="eve-elsewhere", name="Eve Elsewhere", offices=("records-officer",)),)
        save_body(session, BODY.model_copy(update={"body": "other", "people": elsewhere}))
    monkeypatch.setattr(cli_destroy, "_engine", lambda: records.engine)
    monkeypatch.setattr(cli_destroy, "today", lambda: DUE)

    assert [one.case for one in cli_destroy._theirs(RECORDS, None)] == [CASE]
    assert cli_destroy._theirs("eve-elsewhere", None) == ()
    sign(records)
    records.tell(message("destroy", "destroy_papers", by=RECORDS), DUE)
    assert [one.half_done for one in cli_destroy._theirs("", None)] == [True], "what is half done is finished by anybody"


def test_of_a_destroyed_case_the_log_its_sign_offs_and_its_days_stay(records: Records):
    destroy(records)

    assert due_of(records.engine, CASE, today=DUE) is None
    with reading(records.engine) as session:
        assert log_of(session, CASE)[-1].what == "The papers were destroyed; the case is closed."
        assert verify(session) == ()
        facts = session.exec(select(DestructionRow)).one().facts
        log = facts["log"]
        assert isinstance(log, dict) and log["hash"] == log_of(session, CASE)[-1].hash
        assert certificate_of(session, CASE) is None, "not before everything is done"
        stays = session.exec(select(CommandRow)).all()
    assert sorted(str(row.message["do"]) for row in stays) == ["destroy_papers", "sign_destruction", "sign_destruction"]
