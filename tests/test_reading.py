"""Who reads what: what each may see, one line for every look before anything is shown, and the audit of it (EH-170 to EH-176)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from typer.testing import CliRunner

from activities.bodies import Body, body_of, save_body
from domain.case import Case
from domain.days import Holiday, add_working_days
from domain.people import Person, Staff
from domain.policy import Policy
from domain.reading import Part, Sees, view_of
from domain.task import Task
from policies import load
from policies.load import Unreadable
from records.append_only import unguard
from records.audit import heads, verify
from records.chain import FIRST
from records.database import open_database, reading, transaction
from records.desk import Desk
from records.log import Log
from records.reads import Read, first_broken_read, note, noted
from records.store import read_case
from records.tables import CaseRow, ReadRow, TextRow
from starter import cli
from starter.bodies import read_body
from starter.calendars import Applied, Lagging, Moves
from starter.clock import now, today
from starter.desk import Incoming, look_up
from starter.reading import NotShown, Reader, looking, view_for
from starter.returned import Line
from starter.show import out
from tests.stories import ENGLAND, MMO_STAFF, a_restricted_mmo_case, a_restricted_portsmouth_case
from tests.tables import with_tables
from tests.test_calendars import written as new_table
from tests.test_cli import every_command
from tests.test_desk_records import restricted, told

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
INFO, DESK, STRANGER = "ines-information", "dee-desk", "eve-elsewhere"
PEOPLE = (
    *MMO_STAFF.people,
    Person(id=INFO, name="Ines Information", offices=("information-officer",)),
    Person(id=DESK, name="Dee Desk"),
)
SECRETS = ("SECRET", "Secret-Sample", "Jose.Secret", "José")
"""Pieces of every personal text of the case but what handling needs."""
WHY = "Complaint C-7 =1+1 \x1b[31m"


# Who sees what


def view(person: Person, *, case: Case, policy: Policy, staff: Staff, tasks: tuple[Task, ...] = ()) -> tuple[Sees, Part]:
    everybody = Staff(people=(*staff.people, person))
    found = view_of(case, person.id, staff=everybody, policy=policy, tasks=tasks, opened_by="opener", information="information-officer")
    assert found.sources
    return found.sees, found.part


TABLE: dict[str, tuple[Person, Sees, Part]] = {
    "who opened it": (Person(id="opener", name="O"), "all", "officer"),
    "the second account of who decided it": (Person(id="second", name="M", natural="manager"), "all", "officer"),
    "whom a task is for": (Person(id="tasked", name="T"), "all", "officer"),
    "an office a task is for": (Person(id="holder", name="H", offices=("reviewer",)), "all", "officer"),
    "a deputy of it": (Person(id="deputy", name="D", deputises=("reviewer",)), "all", "officer"),
    "from a grade on": (Person(id="senior", name="S", grade=11), "all", "officer"),
    "below that grade": (Person(id="junior", name="J", grade=9), "nothing", "staff"),
    "the line manager a task is for": (Person(id="boss", name="B"), "all", "officer"),
    "the information officer": (Person(id="info", name="I", offices=("information-officer",)), "all", "information-officer"),
    "anybody else": (Person(id="other", name="X"), "nothing", "staff"),
}


@pytest.mark.parametrize("who", TABLE, ids=str)
def test_who_sees_what_of_a_case(who: str):
    """EH-171, EH-170, EH-173; two accounts of one human being see the same (DEF-20)."""
    person, sees, part = TABLE[who]
    staff = Staff(people=(*MMO_STAFF.people, Person(id="managed", name="Y", line_manager="boss")))
    named = ("tasked", "grade-from:10", "line-manager-of:managed")
    task = Task(kind="appeal", what="", ref="a1", offices=("reviewer",), people=named)

    assert view(person, case=a_restricted_mmo_case(), policy=load.policy("mmo"), staff=staff, tasks=(task,)) == (sees, part)


OFFICES: list[tuple[str, tuple[str, ...], Sees, Part, str]] = [
    ("natural-england", ("customer-focus-team",), "all", "keeper", "NE-09"),
    ("natural-england", (), "handling", "informed", "NE-21"),
    ("maidstone", ("head-of-policy",), "all", "keeper", "MBC-55"),
    ("maidstone", ("policy-and-information-team",), "all", "keeper", "MBC-55"),
    ("maidstone", ("manager",), "handling", "informed", "MBC-64"),
    ("maidstone", (), "nothing", "staff", "EH-173"),
    ("portsmouth", ("city-helpdesk-manager",), "all", "keeper", "PCC-88"),
    ("portsmouth", ("city-solicitor",), "nothing", "staff", "EH-173"),
    ("council-2024-2028", ("complaints-team",), "handling", "informed", "C24-53"),
    ("mmo", ("records-officer",), "nothing", "staff", "EH-173"),
]


@pytest.mark.parametrize(("policy", "offices", "sees", "part", "source"), OFFICES)
def test_offices_that_a_policy_names_see_what_its_clause_gives(policy: str, offices: tuple[str, ...], sees: Sees, part: Part, source: str):
    person = Person(id="holder", name="H", offices=offices)
    case = a_restricted_portsmouth_case()
    found = view_of(case, "holder", staff=Staff(people=(person,)), policy=load.policy(policy), tasks=(), opened_by=None, information=None)

    assert (found.sees, found.part) == (sees, part)
    assert source in found.sources


def test_who_reported_an_incident_is_no_officer_of_the_case():
    case = a_restricted_mmo_case()
    reporter = Person(id="reporter", name="R")
    case = case.model_copy(update={"incidents": tuple(one.model_copy(update={"by": "reporter"}) for one in case.incidents)})

    assert view(reporter, case=case, policy=load.policy("mmo"), staff=MMO_STAFF) == ("nothing", "staff")


# The line before anything is shown


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder: Path = tmp_path_factory.mktemp("reads")
    url = f"sqlite:///{folder / 'evenhand.db'}"
    engine = with_tables(folder / "evenhand.db")
    with transaction(engine) as session:
        save_body(
            session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=PEOPLE, information_officer="information-officer")
        )
        save_body(session, Body(body="other", name="other", policy="mmo", people=(Person(id=STRANGER, name="Eve Elsewhere"),)))
    restricted(engine, "mmo/1")
    told(engine, "mmo/1")
    engine.dispose()
    yield {"EVENHAND_VAR": str(folder), "EVENHAND_DATABASE_URL": url, "COLUMNS": "250"}


@pytest.fixture
def engine(env: dict[str, str]) -> Iterator[Engine]:
    found = open_database(env["EVENHAND_DATABASE_URL"])
    yield found
    found.dispose()


def lines(engine: Engine) -> list[ReadRow]:
    with reading(engine) as session:
        return list(session.exec(select(ReadRow).order_by(col(ReadRow.n))).all())


def invoke(env: dict[str, str], *words: str) -> tuple[int, str]:
    list(every_command())  # adds the groups once
    done = CliRunner().invoke(cli.app, list(words), env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


CASE = "mmo/1"
READS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("case", "list"): (),
    ("case", "show"): (CASE,),
    ("case", "dates"): (CASE,),
    ("case", "log"): (CASE,),
    ("case", "signatures"): (CASE,),
    ("tasks",): ("--for", "officer"),
    ("register", "show"): ("--body", "mmo"),
    ("register", "attention"): ("--body", "mmo"),
    ("register", "export"): ("OUT.csv", "--body", "mmo"),
    ("undelivered",): (),
    ("inbox",): (),
    ("calendar", "feed"): ("--body", "mmo", "--out", "OUT.ics"),
    ("contact", "list"): (CASE,),
    ("contact", "check"): ("--body", "mmo", "--customer", CASE, "--channel", "email", "--topic", "x", "--no-record"),
    ("letter", "list"): (CASE,),
    ("letter", "show"): (CASE, "n1", "--format", "txt"),
    ("letter", "preview"): (CASE, "decision"),
    ("bundle",): (CASE, "--for", "subject-access", "--draft", "OUT.yaml"),
    ("destroy", "due"): (),
    ("destroy", "certificate"): (CASE,),
    ("destroy", "run"): (CASE, "--dry-run"),
    ("destroy", "again"): ("--dry-run",),
    ("policy", "what-if"): ("mmo", "--body", "mmo"),
    ("policy", "move"): ("mmo", "--body", "mmo", "--dry-run"),
    ("calendar", "load"): ("NEW.yaml", "--dry-run"),
    ("calendar", "apply"): ("--dry-run",),
    ("post", "staff"): ("--list",),
    ("post", "returned"): ("BACK.csv", "--dry-run", "--skip-unknown"),
    ("register", "import"): ("OLD.csv", "--body", "mmo", "--dry-run"),
    ("audit", "reads"): (),
    ("audit", "attention"): (),
}
"""Every command that shows people or cases, as somebody types it."""
ENDS = {("letter", "show"): UNKNOWN, ("destroy", "certificate"): UNKNOWN, ("policy", "move"): REFUSED}
"""How those end that find nothing here, or nothing to move."""
ACROSS = {
    *(("destroy", one) for one in ("due", "certificate", "run", "again")), *(("calendar", one) for one in ("load", "apply")),
    ("case", "list"), ("undelivered",), ("inbox",), ("tasks",), ("post", "staff"), ("post", "returned"),
}  # fmt: skip
"""Lists across bodies: whoever stands on another body's list is shown that body's lines, and none of these."""
NO_READS = {
    "acts, which are on the case's log": "case open/case act/case correct/case withdraw/case close/text put/destroy sign",
    "about no case or person": (
        "case commands/policy list/policy show/policy check/policy schema/policy behaviours/policy diff/clauses/calendar list/"
        "calendar show/calendar check/letter check/rehearse/doctor"
    ),
    "references and whether they agree, for whoever runs the installation": (
        "audit verify/audit heads/engine check/engine rebuild/engine reconcile/engine repair/keys refused"
    ),
    "counts": "post round",
    "staff, keys, bodies": (
        "body set/body list/body show/keys new/keys add-signer/keys list/keys revoke/keys limit/keys masters/keys new-master/"
        "keys rotate-master/keys drop-master/keys seal-records/staff import/staff list/staff show/staff history/sign-in/sign-out/who/"
        "audit changes"
    ),
    "runs, and notes reads itself where it shows any": "up/worker/codec serve/backup/restore",
}
"""Commands that show nobody's case, and why; a new one that stands in neither list fails the test."""


def test_every_command_either_notes_what_is_read_or_is_known_to_show_no_case():
    named = {tuple(one.split()) for some in NO_READS.values() for one in some.split("/")}
    commands = set(every_command())
    leaves = {one for one in commands if one and not any(other[: len(one)] == one and other != one for other in commands)}

    assert len(leaves) > 50
    assert leaves - named - set(READS) == set(), "say in tests/test_reading.py what they show, and note it"
    assert set(READS) <= leaves


def typed(command: tuple[str, ...], folder: Path) -> list[str]:
    """Returns a command's words with the files it writes, and with those it reads, which are made."""
    (folder / "back.csv").write_text("reference\nnobodys\n", encoding="utf-8")
    (folder / "old.csv").write_text("reference,customer,warned on\n77,Casey Sample,01/02/2026\n", encoding="utf-8")
    day = Holiday(on=add_working_days(today(), 3, ENGLAND)[0], name="Day of mourning")
    files = {"OUT": folder / "out", "NEW.yaml": new_table(folder, day), "BACK.csv": folder / "back.csv", "OLD.csv": folder / "old.csv"}
    words = list(READS[command])
    for name, file in files.items():
        words = [word.replace(name, str(file)) for word in words]
    return words


def door(command: tuple[str, ...]) -> str:
    return " ".join(command) if command != ("bundle",) else "bundle subject-access"


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_command_that_shows_cases_writes_exactly_one_line(command: tuple[str, ...], env: dict[str, str], engine: Engine, tmp_path: Path):
    """EH-175."""
    before = len(lines(engine))
    words = typed(command, tmp_path)

    code, said = invoke(env, *command, *words)

    new = lines(engine)[before:]
    assert [(row.who, row.how.split(" --")[0]) for row in new] == [
        ("local", " ".join(command) if command != ("bundle",) else "bundle subject-access")
    ]
    assert code in (DONE, ENDS.get(command, DONE)), said
    assert new[0].shows != "nothing"


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_whoever_may_see_nothing_is_told_so_and_that_is_noted(
    command: tuple[str, ...], env: dict[str, str], engine: Engine, tmp_path: Path
):
    """EH-173: nothing personal, and a line that says refused."""
    before = len(lines(engine))
    words = typed(command, tmp_path)

    code, said = invoke(env, *command, *words, "--by", STRANGER)

    new = lines(engine)[before:]
    assert len(new) == 1 and new[0].who == STRANGER
    assert not any(one in said for one in SECRETS), said
    assert "mmo/1" not in said or "may not see it" in said or "no certificate" in said
    assert not any(
        (tmp_path / f"out.{ending}").exists() and "SECRET" in (tmp_path / f"out.{ending}").read_text() for ending in ("csv", "yaml")
    )
    assert command in ACROSS or (code, new[0].shows) == (REFUSED, "nothing"), said


def test_a_read_that_cannot_be_written_down_is_not_shown(env: dict[str, str], engine: Engine):
    """EH-175."""
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE read_log RENAME TO gone")
    try:
        done = CliRunner().invoke(cli.app, ["case", "show", CASE], env=env)
        with pytest.raises(DBAPIError):
            look_up(Desk(engine), incoming())
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO read_log")

    assert isinstance(done.exception, DBAPIError)
    assert CASE not in done.output


def test_somebody_informed_sees_how_contact_is_handled_and_nothing_of_why(env: dict[str, str], engine: Engine, monkeypatch):
    """NE-21: colleagues need to know of sanctions; no narrative. The policy is made to say so for this case."""
    monkeypatch.setattr("starter.reading.policy_at_body", lambda *_: informing())
    monkeypatch.setattr(out, "width", 250)  # made before this test, by whichever ran first
    code, said = invoke(env, "case", "show", CASE, "--by", DESK)
    assert (code, "for a reason only" in said) == (REFUSED, True)

    code, said = invoke(env, "case", "show", CASE, "--by", DESK, "--why", "A call came in.")
    whole = invoke(env, "case", "show", CASE)[1]
    code2, facts = invoke(env, "case", "show", CASE, "--by", DESK, "--why", "A call came in.", "--json")
    refused, told_so = invoke(env, "case", "log", CASE, "--by", DESK, "--why", "A call came in.")

    assert (code, code2, refused) == (DONE, DONE, REFUSED)
    assert "topic" in said and "SECRET jetty licence" in said
    assert "Letters" in whole and "Letters" not in said
    handed = json.loads(facts)
    assert set(handed) == {
        "case", "body", "sees", "limits", "contact_officer", "arranged_with", "marked", "needs", "guidance", "sources",
    }  # fmt: skip
    for word in ("forty emails", "thirty more", "SECRET reasons", "SECRET concerns", "SECRET Seventy", "José"):
        assert word not in said + facts + told_so, word
    assert lines(engine)[-1].shows == "nothing"


def informing() -> Policy:
    found = load.policy("mmo")
    return found.model_copy(update={"readers": load.policy("natural-england").readers})


def test_an_officer_sees_all_without_a_reason_and_the_information_officer_with_one(env: dict[str, str]):
    """EH-171, EH-170."""
    assert "Letters" in invoke(env, "case", "show", CASE, "--by", "officer")[1]
    assert invoke(env, "case", "show", CASE, "--by", INFO)[0] == REFUSED
    assert "Letters" in invoke(env, "case", "show", CASE, "--by", INFO, "--why", "Request 12.")[1]
    assert invoke(env, "case", "show", CASE, "--by", DESK, "--why", "Curious.")[0] == REFUSED


def test_names_in_lists_are_for_those_who_may_see_them(env: dict[str, str], tmp_path: Path):
    """EH-173: references for everybody of the body, names for the case's officers."""
    own, other = (
        invoke(env, "register", "show", "--body", "mmo", "--by", "officer"),
        invoke(env, "register", "show", "--body", "mmo", "--by", DESK),
    )
    file = tmp_path / "register.csv"
    done = invoke(env, "register", "export", str(file), "--body", "mmo", "--by", DESK)

    assert "Secret-Sample" in own[1] and CASE in own[1]
    assert CASE in other[1] and "not shown" in other[1] and "Secret-Sample" not in other[1]
    assert done[0] == DONE and not any(one in file.read_text() for one in SECRETS)
    before = invoke(env, "register", "--body", "mmo", "--by", DESK, "show")
    assert "not shown" in before[1] and "Secret-Sample" not in before[1]


def test_a_reason_is_kept_with_the_cases_own_texts_and_goes_with_them(env: dict[str, str], engine: Engine, tmp_path: Path):
    """The log holds no text: a reference, by which the audit finds the reason while the case has its papers."""
    assert invoke(env, "case", "show", CASE, "--by", INFO, "--why", WHY)[0] == MISUNDERSTOOD
    reason = "Complaint C-7 [red]=1+1"
    assert invoke(env, "case", "dates", CASE, "--by", INFO, "--why", f"=cmd {reason}")[0] == DONE
    row = lines(engine)[-1]

    assert row.why is not None and row.why.startswith("text:")
    assert reason in invoke(env, "audit", "reads", "--case", CASE, "--by", INFO)[1]
    file = tmp_path / "reads.csv"
    assert invoke(env, "audit", "reads", "--csv", str(file), "--by", INFO)[0] == DONE
    cells = [cell for one in csv.reader(file.open()) for cell in one]
    assert f"'=cmd {reason}" in cells

    with transaction(engine) as session:
        text = session.get(TextRow, (CASE, row.why))
        assert text is not None
        session.delete(text)
    assert "[destroyed]" in invoke(env, "audit", "reads", "--case", CASE, "--by", INFO)[1]
    with reading(engine) as session:
        assert not verify(session)


def test_who_reads_is_an_id_and_nothing_else(env: dict[str, str], engine: Engine):
    assert invoke(env, "case", "show", CASE, "--by", "José O'Secret-Sample")[0] == REFUSED
    assert lines(engine)[-1].who == "no-id"


def test_a_case_that_there_is_not_is_noted_too(env: dict[str, str], engine: Engine):
    assert invoke(env, "case", "show", "mmo/nothing", "--by", "officer")[0] == UNKNOWN
    last = lines(engine)[-1]
    assert (last.case_id, last.what, last.body, last.shows) == ("mmo/nothing", "no such case", "mmo", "nothing")


def test_whoever_is_on_no_list_is_not_even_told_which_cases_there_are(env: dict[str, str], engine: Engine):
    """EH-173. The log says what they tried."""
    told = [invoke(env, "case", "show", case, "--by", "total-stranger") for case in (CASE, "mmo/nothing")]

    assert told[0] == told[1] and told[0][0] == REFUSED and CASE not in told[0][1]
    assert [(row.case_id, row.shows) for row in lines(engine)[-2:]] == [(CASE, "nothing"), ("mmo/nothing", "nothing")]
    assert [row.stage for row in lines(engine)[-2:]] == ["restricted", ""], "a look at a live case reaches nowhere outside its life"


@pytest.mark.parametrize("command", ["open_case", "import_case"])
def test_who_opened_or_imported_a_case_sees_it_and_not_who_was_refused_to_open_it(engine: Engine, command: str):
    """EH-171: the first line of a log may be somebody's refused attempt; a case of an earlier release does not say who opened it."""
    with reading(engine) as session:
        case, policy = read_case(session, CASE), load.policy("mmo")
    assert case is not None
    case = case.model_copy(update={"id": f"mmo/{command}", "opened_by": None})  # of an earlier release
    with transaction(engine) as session:
        session.add(CaseRow.model_validate(_row_of(engine) | {"id": case.id, "log_lines": 0, "log_hash": FIRST}))
        session.flush()
        log = Log(session, case.id)
        for who, result in ((DESK, "refused"), (INFO, "accepted")):
            log.write(at=now(), on=today(), actor=who, office=None, command=command, command_id=f"{who}", result=result, what="", cites=())
        session.flush()
        seen = {who: view_for(session, case, policy, Reader(who), today=today()).part for who in (DESK, INFO)}
        session.rollback()

    assert seen == {DESK: "staff", INFO: "officer"}


def _row_of(engine: Engine) -> dict[str, object]:
    with reading(engine) as session:
        row = session.get(CaseRow, CASE)
        assert row is not None
        return row.model_dump()


def test_in_production_nobody_is_the_machines_own_user(env: dict[str, str], tmp_path: Path, monkeypatch):
    """EH-174 is for one machine."""
    from worker.settings import Settings

    monkeypatch.setattr(Settings, "production", property(lambda self: True))
    for command in READS:
        if command != ("bundle",):
            assert invoke(env, *command, *typed(command, tmp_path))[0] in (MISUNDERSTOOD, 2), command
    assert invoke(env, "case", "show", CASE, "--by", "local")[0] == REFUSED


LISTS = (("destroy", "run"), ("destroy", "again"), ("policy", "what-if"), ("policy", "move"), ("calendar", "load"), ("post", "returned"))


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_what_a_dry_run_shows_of_cases_is_for_the_staff_of_their_body(
    command: tuple[str, ...], env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """EH-173, EH-175: the same words, for somebody of the body and for somebody of another."""
    monkeypatch.setattr("starter.came_back.came_back", lambda *_: {CASE: today()})
    monkeypatch.setattr("starter.returned.judged", lambda *_: [(Line(line=2, given="r", case=CASE, letter="n1", result="already"), None)])
    words = [word for word in typed(command, tmp_path) if word not in ("--body", "mmo")]
    words = ["mmo", *words] if command[0] == "policy" else words
    words += ["--json", *(["--body", "mmo"] if command == ("policy", "move") else [])]
    own, others = invoke(env, *command, *words, "--by", DESK), invoke(env, *command, *words, "--by", STRANGER)

    assert own[0] in (DONE, REFUSED) and CASE in own[1], own[1]
    assert CASE not in others[1], others[1]


def facts_in(said: str) -> dict[str, object]:
    """Returns the JSON of a command, behind what it says to whoever runs it."""
    return json.loads(said[said.index("{") :])


def test_what_runs_by_itself_shows_no_dates_where_nobody_is_named(env: dict[str, str], engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """`calendar apply` and `post staff` need nobody; only a reader who is written down is told more than which cases it did."""
    from starter import cli_calendar

    day = today()
    move = Moves(case=CASE, date="review-due", ref="s1", was=day, becomes=day, stands="moves", told=False, cites=())
    with reading(engine) as session:
        case = Lagging(case=CASE, body=body_of(session, "mmo"), editions=("e",), number=0, moves=(move,))
    monkeypatch.setattr(cli_calendar, "run", lambda work: work.close() or [Applied(case=CASE, result="accepted", answer="SECRET")])
    monkeypatch.setattr("starter.calendars.lagging_cases", lambda *_, **__: iter([case]))
    named = facts_in(invoke(env, "calendar", "apply", "--json", "--by", DESK)[1])
    monkeypatch.setattr("worker.settings.Settings.production", property(lambda self: True))
    before = len(lines(engine))
    nobody = facts_in(invoke(env, "calendar", "apply", "--json")[1])

    assert (named["cases"], len(named["moves"]), named["applied"][0]["answer"]) == ([CASE], 1, "SECRET")
    assert (nobody["cases"], nobody["moves"], nobody["applied"][0]["answer"]) == ([CASE], [], "not shown")
    assert len(lines(engine)) == before


# At the desk


def incoming(**other: object) -> Incoming:
    return Incoming.model_validate({"body": "mmo", "customer": CASE, "channel": "email", "topic": "SECRET topic", "by": DESK, **other})


def test_a_look_up_at_the_desk_is_noted_without_the_words_searched(env: dict[str, str], engine: Engine):
    """EH-175: known or unknown, with a keyed hash by which the same search is known again."""
    desk = Desk(engine)
    before = len(lines(engine))
    look_up(desk, incoming())
    look_up(desk, incoming(customer="Nobody Known"))
    look_up(desk, incoming(customer="nobody  KNOWN"))

    known, unknown, again = lines(engine)[before:]
    assert (known.case_id, known.part, known.shows, known.why) == (CASE, "desk", "handling", "incoming-contact")
    assert (unknown.case_id, unknown.what) == ("", "unknown deal-with-it")
    assert unknown.person == again.person != known.person
    kept = json.dumps([row.model_dump(mode="json") for row in (known, unknown, again)])
    assert not any(word in kept for word in ("Nobody", "nobody", "SECRET"))
    found = invoke(env, "audit", "reads", "--person", "Nobody Known", "--json", "--by", INFO)[1]
    assert len(json.loads(found)) == 2
    by_name = invoke(env, "audit", "reads", "--person", "José O'Secret-Sample", "--json", "--by", INFO)[1]
    assert CASE in {one["case"] for one in json.loads(by_name)}


def test_the_desk_answers_its_own_staff_alone(engine: Engine):
    before = len(lines(engine))
    with pytest.raises(NotShown, match="not on the staff list of mmo"):
        look_up(Desk(engine), incoming(by=STRANGER))
    assert [(row.who, row.shows) for row in lines(engine)[before:]] == [(STRANGER, "nothing")]


# The chain and the audit


def test_one_changed_line_is_found_and_so_is_a_missing_last_one(database: Engine):
    for n in range(5):
        with noted(database) as session:
            note(session.connection(), [Read(who=f"p{n}", how="case show", what="case show", case="mmo/1")], at=now())
    with reading(database) as session:
        assert not verify(session)
        assert heads(session)["reads"][0] == 5 and heads(session)["reads"][1] != FIRST
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.exec_driver_sql("UPDATE read_log SET who = 'somebody' WHERE n = 3")
    with database.begin() as connection:
        unguard(connection, "read_log")
        connection.exec_driver_sql("UPDATE read_log SET who = 'somebody' WHERE n = 3")
    with reading(database) as session:
        assert first_broken_read(session) == 3
        assert [one.chain for one in verify(session)] == ["reads"]
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE read_log SET who = 'p2' WHERE n = 3")
        connection.exec_driver_sql("DELETE FROM read_log WHERE n = 5")
    with reading(database) as session:
        assert first_broken_read(session) == 5


def test_only_the_information_officer_sees_who_read_what_and_looking_is_a_line(env: dict[str, str], engine: Engine):
    """EH-170; another body's lines are nobody else's."""
    invoke(env, "case", "show", CASE, "--by", "officer")
    for command in ("reads", "attention"):
        code, said = invoke(env, "audit", command, "--by", "officer")
        assert (code, "officer" in said and CASE not in said) == (REFUSED, True)
        assert (lines(engine)[-1].how, lines(engine)[-1].shows) == (f"audit {command}", "nothing")

    found = json.loads(invoke(env, "audit", "reads", "--json", "--by", INFO)[1])
    assert {one["body"] for one in found} == {"mmo"}
    assert [one["shows"] for one in found if one["how"] == "audit reads"][-1] == "nothing"
    assert (lines(engine)[-1].who, lines(engine)[-1].shows) == (INFO, "references")
    assert json.loads(invoke(env, "audit", "reads", "--json", "--by", INFO)[1])[-1]["who"] == INFO


def test_attention_counts_and_accuses_nobody(env: dict[str, str], engine: Engine):
    """EH-176: thresholds are the body's."""
    looked = ("contact", "check", "--body", "mmo", "--customer", CASE, "--channel", "email", "--topic", "x", "--no-record")
    for n in range(3):
        invoke(env, "case", "show", CASE, "--by", DESK, "--why", f"Number {n}.")
        invoke(env, *looked, "--by", DESK)
    invoke(env, "case", "show", "mmo/gone", "--by", "reviewer")
    invoke(env, "audit", "reads", "--case", CASE, "--by", INFO)
    one = {**env, "EVENHAND_READS_LOOK_UPS": "3", "EVENHAND_READS_REFUSED": "3"}

    found = {row["who"]: row for row in json.loads(invoke(one, "audit", "attention", "--json", "--by", INFO)[1])["people"]}

    assert {"refused", "look_ups"} <= set(found[DESK]["over"])
    assert "outside" in found["reviewer"]["over"]
    assert found.get(INFO, {}).get("outside", 0) == 0, "to look at the log of a live case reaches nowhere outside"
    said = invoke(one, "audit", "attention", "--by", INFO)[1]
    assert "no judgement" in said and CASE not in said
    many = {
        **env,
        **{f"EVENHAND_READS_{name}": "999" for name in ("LOOK_UPS", "REFUSED", "OUTSIDE", "WITHOUT_WHY", "NOT_OWN", "MANY_CASES")},
    }
    assert json.loads(invoke(many, "audit", "attention", "--json", "--by", INFO)[1])["people"] == []


def test_payloads_opened_in_the_temporal_ui_stand_in_the_same_audit(env: dict[str, str], engine: Engine):
    from records.reads import note_reads

    with transaction(engine) as session:
        one = Read(who="someone", how="codec", what="payloads", case=CASE, body="mmo", shows="payloads", part="officer")
        note_reads(session, [one], at=now() + timedelta(minutes=5))
    found = json.loads(invoke(env, "audit", "reads", "--json", "--reader", "someone", "--by", INFO)[1])
    assert [(one["how"], one["case"], one["body"], one["shows"]) for one in found] == [("codec", CASE, "mmo", "payloads")]


def test_another_program_reads_a_case_as_the_command_line_does(engine: Engine):
    """The client's way: starter.reading.looking."""
    at = now()
    with pytest.raises(NotShown), looking(engine, CASE, Reader(DESK), how="crm", at=at, today=today()):
        raise AssertionError("shown to somebody who may not see it")
    with looking(engine, CASE, Reader("officer"), how="crm", at=at, today=today()) as look:
        assert (look.case.id, look.view.sees) == (CASE, "all")
    assert [(row.who, row.shows) for row in lines(engine)[-2:]] == [(DESK, "nothing"), ("officer", "all")]


def test_where_people_sign_in_whoever_is_signed_in_reads(env: dict[str, str], engine: Engine, monkeypatch):
    """Nobody reads as local there, and nobody as somebody else."""
    monkeypatch.setattr("starter.acting.signed_in_as", lambda _: DESK)
    signed_in = {**env, "EVENHAND_OIDC_ISSUER": "http://127.0.0.1:1", "EVENHAND_OIDC_CLIENT_ID": "evenhand"}

    assert invoke(signed_in, "case", "show", CASE)[0] == REFUSED
    assert (lines(engine)[-1].who, lines(engine)[-1].shows) == (DESK, "nothing")
    before = len(lines(engine))
    assert invoke(signed_in, "case", "show", CASE, "--by", "officer")[0] == REFUSED
    assert len(lines(engine)) == before


def test_an_office_that_answers_for_information_is_held_by_somebody(tmp_path: Path):
    """EH-170: a slip in its name would leave the log to nobody."""
    file = tmp_path / "body.yaml"
    people = "people:\n  - {{id: ines, name: Ines Sample, offices: [information]}}\n"
    text = f"body: mmo\nname: Sample\npolicy: mmo\ninformation_officer: {{}}\n{people}"
    file.write_text(text.format("information"))
    assert read_body(file).information_officer == "information"
    file.write_text(text.format("informaton"))
    with pytest.raises(Unreadable, match=r"body.yaml:4:\d+: information_officer: an office that somebody of the list holds; nobody holds"):
        read_body(file)


def test_a_body_keeps_the_office_that_answers_for_information(engine: Engine):
    with reading(engine) as session:
        assert body_of(session, "mmo").information_officer == "information-officer"
