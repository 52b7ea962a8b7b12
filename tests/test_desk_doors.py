"""The desk on the real engine and on the command line: answered whatever the engine does, recorded once, and told where it was not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import starter.desk
from activities.bodies import Body, save_body
from records.database import transaction
from records.desk import Desk
from starter.clock import today
from starter.desk import Incoming, NoSuchBody, check_contact, look_up
from tests.engine import CUSTOMER, MMO_STAFF, OFFICER, Office, closed_office, evenhand, free_port, office, server
from tests.tables import with_tables
from tests.test_desk_records import restricted, told

__all__ = ["closed_office", "office", "server"]

DONE, MANY, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
QUENTIN = str(CUSTOMER["name"])


def incoming(**other: object) -> Incoming:
    facts = {"body": "mmo", "customer": QUENTIN, "channel": "email", "topic": "The licence, again.", "by": OFFICER}
    return Incoming.model_validate({**facts, **other})


# On the engine


async def test_a_second_email_in_a_week_is_limited_recorded_and_put_before_a_person(office: Office):
    """MMO-32: on the real engine, from the first email after the letter to the task and to the decision on it."""
    await office.restricted("desk/1")
    desk = Desk(office.records)

    first = await office.cases.check_contact(desk, incoming(customer="desk/1"), id="contact-1")
    second = await office.cases.check_contact(desk, incoming(customer="quentin.TESTCASE@example.org"), id="contact-2")

    assert (first.advice.verdict, second.advice.verdict) == ("deal-with-it", "limit-it")
    assert [one.recorded for one in (*first.recorded, *second.recorded)] == ["yes", "yes"]
    assert "k2" in second.recorded[0].answer
    assert [(one.ref, one.command) for one in office.tasks("desk/1") if one.kind == "contact"] == [("k2", "report_behaviour")]

    await asked_again(office, desk)

    with_ = {"reasons": "It crossed with our letter."}
    await office.do("desk/1", {"v": 1, "id": "dismiss", "do": "dismiss_breach", "by": OFFICER, "saw": "k2", "with": with_})
    assert not [one for one in office.tasks("desk/1") if one.kind == "contact"]


async def asked_again(office: Office, desk: Desk) -> None:
    """A retry is the contact it was: the same answer, nothing counted. Another contact under a used id is refused loudly."""
    first = await office.cases.check_contact(desk, incoming(customer="desk/1", topic="the licence,  again."), id="contact-1")
    second = await office.cases.check_contact(desk, incoming(customer="desk/1"), id="contact-2")
    other = await office.cases.check_contact(desk, incoming(customer="desk/1", topic="Something else."), id="contact-2")

    assert (first.advice.verdict, second.advice.verdict) == ("deal-with-it", "limit-it")
    assert "contact 1 of 1" in first.advice.says
    assert "1 used this week" in second.advice.says
    assert [one.recorded for one in (*first.recorded, *second.recorded, *other.recorded)] == ["yes", "yes", "refused"]
    assert "as k1: deal with it; nothing was added" in first.recorded[0].answer
    assert "another contact of desk/1, k2" in (other.not_recorded or "")
    assert "2 used this week" in look_up(desk, incoming(customer="desk/1")).says


async def test_an_appeal_at_the_desk_passes_and_is_recorded(office: Office):
    """MMO-39, A-26."""
    await office.restricted("desk/2")

    answer = await office.cases.check_contact(Desk(office.records), incoming(customer="desk/2", kind="appeal", channel="telephone"))

    assert (answer.advice.verdict, answer.advice.record_with) == ("deal-with-it", "appeal")
    assert answer.recorded[0].recorded == "yes"
    assert not [one for one in office.tasks("desk/2") if one.kind == "contact"]


async def test_without_a_worker_the_contact_goes_as_a_signal_and_is_recorded_later(closed_office: Office, monkeypatch):
    async with closed_office.worker():
        await closed_office.restricted("desk/3")
    monkeypatch.setattr(starter.desk, "ANSWERED_WITHIN", 0.5)
    desk = Desk(closed_office.records)

    answer = await closed_office.cases.check_contact(desk, incoming(customer="desk/3"), id="late-1")

    assert answer.advice.verdict == "deal-with-it"
    assert (answer.recorded[0].recorded, answer.not_recorded) == ("sent", None)
    async with closed_office.worker():
        line = await closed_office.logged("desk/3", "late-1")
    assert line.result == "accepted"
    assert "1 used this week" in look_up(desk, incoming(customer="desk/3")).says


async def test_without_an_engine_the_desk_is_answered_and_told_that_nothing_was_recorded(office: Office):
    await office.restricted("desk/4")

    answer = await check_contact(Desk(office.records), incoming(customer="desk/4", kind="appeal"), cases=None)

    assert (answer.advice.verdict, answer.advice.customer) == ("deal-with-it", "known")
    assert answer.recorded == ()
    assert "not reached" in str(answer.not_recorded)


async def test_a_body_that_is_misspelt_is_no_unknown_customer(office: Office):
    """A typing slip in the body's name must not let everybody in."""
    with pytest.raises(NoSuchBody, match="no body mno"):
        look_up(Desk(office.records), incoming(body="mno"))


# On the command line, with no engine


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Records with three customers, two of them of one name, and no engine."""
    folder: Path = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'evenhand.db'}"
    engine = with_tables(folder / "evenhand.db")
    from tests.stories import MMO_STAFF as STAFF

    with transaction(engine) as session:
        save_body(session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=(*STAFF.people, *MMO_STAFF)))
    people = (
        ("mmo/1", "Casey Sample", "casey@example.org"),
        ("mmo/2", "Alex Sample", "alex@example.org"),
        ("mmo/3", "Alex Sample", "sam@example.org"),
        ("mmo/4", "Bobby Sample", "bobby@example.org"),
        ("mmo/5", "Bobby Sample", "bobby@example.org"),
    )
    for case, name, address in people:
        restricted(engine, case, name=name, address=address)
        told(engine, case)
    engine.dispose()
    yield {"EVENHAND_VAR": str(folder), "EVENHAND_DATABASE_URL": url, "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}


def check(env: dict[str, str], *words: str, customer: str = "casey  SAMPLE", topic: str = "the jetty") -> tuple[int, str, str]:
    asked = ("--body", "mmo", "--customer", customer, "--channel", "email", "--topic", topic)
    done = evenhand("contact", "check", *asked, *words, env=env)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_desk_reads_one_answer(env: dict[str, str]):
    code, said, _ = check(env, "--no-record")

    # The decision is of March 2027; a clock before that day says that it does not bind yet.
    told_yet = today().isoformat() >= "2027-03-10"
    assert code == DONE
    assert ("Read and file it." if told_yet else "not enforced before") in said
    assert "mmo/1" in said


def test_json_says_the_same_to_a_program(env: dict[str, str]):
    code, said, _ = check(env, "--no-record", "--json")
    answer = json.loads(said)

    assert code == DONE
    assert answer["advice"]["cases"] == ["mmo/1"]
    assert answer["advice"]["customer"] == "known"
    assert (answer["recorded"], answer["not_recorded"]) == ([], None)


def test_the_answer_comes_without_an_engine_and_says_that_nothing_was_recorded(env: dict[str, str]):
    code, said, _ = check(env, "--by", "officer")

    assert code == UNREACHED
    assert "mmo/1" in said
    assert "Not recorded." in said
    code, said, _ = check(env, "--by", "officer", "--json")
    assert code == UNREACHED
    assert "not reached" in json.loads(said)["not_recorded"]


def test_two_of_one_name_are_listed(env: dict[str, str]):
    code, said, _ = check(env, customer="alex sample")

    assert code == MANY
    assert "mmo/2, mmo/3" in said
    assert "Ask who it is" in said


def test_restrictions_of_several_cases_are_told_apart(env: dict[str, str]):
    """s1.1 of one case is not s1.1 of another."""
    code, said, _ = check(env, "--no-record", customer="bobby sample")

    assert (code, "cases: mmo/4, mmo/5" in said) == (DONE, True)
    assert "s1.1 of mmo/5" in said


def test_somebody_nobody_knows_is_dealt_with(env: dict[str, str]):
    code, said, _ = check(env, "--by", "officer", customer="Nobody Known")

    assert (code, said.startswith("Deal with it.")) == (DONE, True)


def test_ten_thousand_characters_and_signs_of_sql_are_a_topic_like_any_other(env: dict[str, str]):
    for topic in ("x" * 10_000, "'; DROP TABLE desk_entry; --", "[bold red]markup[/]", "\u202etopic"):
        assert check(env, "--no-record", topic=topic)[0] == DONE


@pytest.mark.parametrize(
    ("words", "customer", "topic", "code", "said"),
    [
        (("--kind", "rant"), "Casey Sample", "x", MISUNDERSTOOD, "kind"),
        (("--channel", "pigeon"), "Casey Sample", "x", MISUNDERSTOOD, "channel"),
        ((), "---", "x", MISUNDERSTOOD, "--customer"),
        ((), "Casey Sample", "   ", MISUNDERSTOOD, "topic"),
        ((), "Casey Sample", "x" * 20_001, MISUNDERSTOOD, "topic"),
        ((), "Casey Sample", "a\x07bell", MISUNDERSTOOD, "control character"),
        (("--on", "2999-01-01"), "Casey Sample", "x", MISUNDERSTOOD, "after today"),
        (("--at", "25:00"), "Casey Sample", "x", MISUNDERSTOOD, "--at"),
        (("--minutes", "-1"), "Casey Sample", "x", MISUNDERSTOOD, "--minutes"),
        ((), "Casey\x1b[31m Sample", "x", MISUNDERSTOOD, "--customer: a control character"),
        (("--id", ""), "Casey Sample", "x", MISUNDERSTOOD, "--id: an id is 1 to 120 characters"),
        (("--id", "x" * 121), "Casey Sample", "x", MISUNDERSTOOD, "--id: an id is 1 to 120 characters"),
        (("--id", "a\x1bb"), "Casey Sample", "x", MISUNDERSTOOD, "--id: an id is 1 to 120 characters"),
        (("--body", "mno"), "Casey Sample", "x", UNKNOWN, "no body mno"),
    ],
)
def test_what_is_not_understood_is_told(env: dict[str, str], words: tuple[str, ...], customer: str, topic: str, code: int, said: str):
    found, _, complaint = check(env, *words, "--no-record", customer=customer, topic=topic)

    assert (found, said in complaint) == (code, True), complaint


@pytest.mark.parametrize("reference", ["mmo/9", "maidstone/1", "MMO/9"])
def test_a_reference_that_no_running_case_has_is_answered_with_a_word_of_care(env: dict[str, str], reference: str):
    """A slip in a reference, or another body's, must not let somebody in unsaid."""
    code, said, _ = check(env, "--no-record", customer=reference)

    assert (code, said.startswith("Deal with it.")) == (DONE, True)
    assert "No running case here has that reference" in said
    assert "has that reference" not in check(env, "--no-record", customer="Nobody Known")[1]


def test_an_answer_is_broken_between_words_as_wide_as_the_screen_is(env: dict[str, str]):
    code, said, _ = check({**env, "COLUMNS": "60"}, "--no-record", customer="alex sample")

    assert code == MANY
    assert max(len(line) for line in said.splitlines()) <= 60
    assert "Ask who it is. More than one customer fits. Ask who it is" in said.replace("\n", " ")


def test_without_records_there_is_nothing_to_look_up(tmp_path: Path):
    assert check({"EVENHAND_VAR": str(tmp_path)})[0] == UNKNOWN
