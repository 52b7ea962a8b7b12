"""The post room at work: rounds by the engine's schedule and by hand, letters that came back, letters that do not go, wrong settings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from activities.carriers.notify import Notify
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.carriers.smtp import Smtp
from activities.clock import ENGINE_TIME
from activities.outcome import Letter, Outcome
from activities.recording import RecordsBehind
from activities.repair import Done, _applied
from activities.sending import Sending
from domain.attention import attention
from domain.clocks import all_deadlines
from domain.receipt import four_dates
from policies import load
from records.database import create_all, open_database, reading, transaction
from records.tables import HandOverRow
from starter.undelivered import waiting_letters
from tests.engine import OFFICER, Office, evenhand, free_port, new_office, until
from tests.engine import server as server
from tests.notify import KEY, SECRET, SERVICE, TEMPLATE, FakeNotify
from tests.posting import EMAIL, MONDAY, Posting
from worker.post import NoPost, post_of
from worker.round import ID, keep_rounds
from worker.settings import Settings
from workflows.round import TYPE

MMO, ENGLAND = load.policy("mmo"), load.calendar()


@pytest.fixture
def notify() -> Iterator[FakeNotify]:
    with FakeNotify() as fake:
        yield fake


@pytest.fixture
def posting(tmp_path: Path, notify: FakeNotify) -> Posting:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    notify.clock = MONDAY
    carrier = notify.carrier()
    made = Posting(engine, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path / "outbox")))
    made.set_up()
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def posted(server: WorkflowEnvironment, tmp_path: Path, notify: FakeNotify) -> AsyncIterator[Office]:
    """An office whose letters go through the loopback Notify, its worker running."""
    office, carrier = new_office(server.client, tmp_path), notify.carrier()
    office.post = Post(email=carrier, paper=carrier, outbox=Outbox(office.outbox))
    async with office.worker():
        yield office


def settings_of(office: Office) -> dict[str, str]:
    return {
        "EVENHAND_DATABASE_URL": str(office.records.url), "EVENHAND_TASK_QUEUE": office.queue, "EVENHAND_VAR": str(office.folder),
        "EVENHAND_TEMPORAL_ADDRESS": office.client.service_client.config.target_host,
    }  # fmt: skip


# rounds


async def test_a_round_of_the_schedule_brings_the_news_into_record_and_workflow_with_no_name_in_the_engine(
    posted: Office, notify: FakeNotify
):
    """The record first, then a signal of the same id: both say the same seq."""
    await posted.restricted("post/1")
    notify.becomes("delivered")
    settings = Settings(task_queue=posted.queue)
    await keep_rounds(posted.client, settings)
    await keep_rounds(posted.client, settings)
    schedule = posted.client.get_schedule_handle(ID)

    await schedule.trigger()
    await until(lambda: all(one.settled for one in hand_overs(posted)), "every letter's end is known")

    assert len(hand_overs(posted)) == len(notify.sent) > 0
    async for one in posted.client.list_workflows(f"WorkflowType = '{TYPE}'"):
        text = str(await posted.client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history())
        assert "post/1" not in text and "Quentin" not in text
    await in_step(posted, "post/1")
    await schedule.delete()


async def test_evenhand_post_round_asks_at_once_and_says_in_numbers_what_it_heard(posted: Office, notify: FakeNotify):
    await posted.restricted("post/2")
    waiting = len(hand_overs(posted))
    said = await asyncio.to_thread(evenhand, "post", "round", "--json", env=settings_of(posted))
    told = json.loads(said.stdout)
    assert set(told.pop("staff").values()) == {0}
    assert (said.returncode, told) == (0, {"asked": waiting, "news": 0, "troubled": 0, "left": 0})
    notify.becomes("permanent-failure")

    said = await asyncio.to_thread(evenhand, "post", "round", env=settings_of(posted))

    assert said.returncode == 0, said.stderr
    assert f"Asked about {waiting} letters: news of {waiting}, no answer about 0." in said.stdout
    await in_step(posted, "post/2")
    assert {one.status for one in posted.notices("post/2")} == {"returned"}
    shown = await asyncio.to_thread(evenhand, "case", "show", "post/2", env=settings_of(posted))
    assert "returned" in shown.stdout and "The address does not exist." in shown.stdout


def test_without_an_engine_a_round_asked_for_by_hand_says_so(tmp_path: Path):
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"}

    assert evenhand("post", "round", env=env).returncode == 3


async def test_letters_that_came_back_are_noted_all_or_none(posted: Office, notify: FakeNotify, tmp_path: Path):
    await posted.restricted("post/3")
    [first, second] = sorted(one.reference for one in hand_overs(posted))
    ids = {one.reference: one.id for one in notify.sent.values()}
    env, seq = settings_of(posted), posted.seq("post/3")
    bad = written(tmp_path / "bad.csv", "Reference,Address line 1", f"{first},1 Sample Street", "other/1/n9,2 Sample Street")

    refused = await asyncio.to_thread(evenhand, "post", "returned", str(bad), env=env)

    assert refused.returncode == 1 and "unknown" in refused.stdout and "none was" in refused.stderr
    assert "Sample Street" not in refused.stdout + refused.stderr
    assert posted.seq("post/3") == seq
    looked = await asyncio.to_thread(evenhand, "post", "returned", str(bad), "--skip-unknown", "--dry-run", env=env)
    assert looked.returncode == 0 and posted.seq("post/3") == seq
    good = written(tmp_path / "good.csv", "Notification ID,Reference", f"{ids[first]},", f",{second}", f",{second}", ",other/1/n9")
    done = await asyncio.to_thread(evenhand, "post", "returned", str(good), "--skip-unknown", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert [one["result"] for one in json.loads(done.stdout)["lines"]] == ["noted", "noted", "already", "unknown"]
    assert {one.status for one in posted.notices("post/3")} == {"returned"}
    await in_step(posted, "post/3")
    after = posted.seq("post/3")

    again = await asyncio.to_thread(evenhand, "post", "returned", str(good), "--skip-unknown", env=env)

    assert again.returncode == 0 and "0 letters noted" in again.stdout and posted.seq("post/3") == after


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,street\nCasey Sample,1 Sample Street\n", "line 1: there is no column reference"),
        ("reference,x\n,Casey Sample\n", "line 2: it names no letter"),
        ("reference\n", "names no letter"),
        ("", "no column reference"),
    ],
)
def test_a_list_that_cannot_be_read_says_where_and_what_would_be_right(tmp_path: Path, text: str, says: str):
    file = tmp_path / "list.csv"
    file.write_text(text, encoding="utf-8")

    said = evenhand("post", "returned", str(file), env={"EVENHAND_VAR": str(tmp_path)})

    assert said.returncode == 2 and says in said.stderr and "Casey" not in said.stderr


def hand_overs(office: Office) -> list[HandOverRow]:
    return Posting(office.records, office.post or Post.into(office.outbox)).rows()


async def in_step(office: Office, case: str) -> None:
    """Wait until the workflow has heard what the records say."""
    found = await office.cases.look_up(case)
    for _ in range(200):
        if found is not None and found.seq == office.seq(case):
            return
        found = await office.cases.look_up(case)
    raise AssertionError(f"the workflow is at {found and found.seq}, the records at {office.seq(case)}")


def written(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return file


# letters that do not go


def passed(posting: Posting, case: str, key: str) -> None:
    message = {"v": 1, "id": f"due:{key}", "do": "deadline_passed", "with": {"key": key}}
    assert posting.do(case, message, source="calendar").accepted


def test_a_letter_that_cannot_go_is_on_the_list_with_its_age_and_after_five_working_days_it_is_escalated(
    posting: Posting, notify: FakeNotify
):
    """EH-34 and DEF-12: the case itself has the deadline, and the task is for whoever is told of what is overdue."""
    letter = posting.decided("mmo/1")
    assert not any(one.kind == "letter-overdue" for one in all_deadlines(posting.case("mmo/1"), MMO, ENGLAND)), "a timer for every letter"
    notify.fail("503", "503", "503", "503")
    assert posting.send("mmo/1", letter).accepted  # its first failure is a fact of the case, and the case asks again
    with pytest.raises(ApplicationError):
        posting.send("mmo/1", letter)
    notice = posting.notice("mmo/1", letter)
    assert (notice.status, notice.delayed_on) == ("to-send", MONDAY.date()) and "503" in (notice.problem or "")
    before = posting.tasks("mmo/1")
    posting.now = MONDAY + timedelta(days=7)
    assert not waiting(posting)[0].overdue
    posting.now = MONDAY + timedelta(days=8)

    (late,) = waiting(posting)
    passed(posting, "mmo/1", f"letter-overdue:{letter}:2027-03-08")

    assert (late.case, late.notice, late.why, late.days, late.overdue) == ("mmo/1", letter, "to-send", 8, True)
    assert late.carrier == "govuk-notify" and late.problem and "503" in late.problem
    (escalated,) = [one for one in posting.tasks("mmo/1") if one.kind == "escalated"]
    assert escalated.offices == ["decision-maker"] and escalated.due == date(2027, 3, 8) and "EH-34" in escalated.cites
    assert not any(one.kind == "escalated" for one in before)
    found = [one for one in attention(posting.case("mmo/1"), MMO, ENGLAND, today=posting.now.date()) if one.kind == "letter-overdue"]
    assert [(one.since, one.age(posting.now.date())) for one in found] == [(MONDAY.date(), 8)]
    told = {"v": 1, "id": "read-out", "do": "record_notification", "saw": letter, "by": OFFICER, "with": {"method": "by-hand"}}
    outcome = posting.do("mmo/1", told)
    assert outcome.accepted and not outcome.overdue
    assert not [one for one in posting.tasks("mmo/1") if one.kind == "escalated"] and not waiting(posting)


def test_a_letter_that_came_back_has_five_days_from_its_return_and_the_age_of_its_decision(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1", customer=EMAIL)
    posting.sent("mmo/1", letter)
    posting.now = MONDAY + timedelta(days=28)
    back = {"v": 1, "id": "back", "do": "notice_returned", "saw": letter, "by": OFFICER, "with": {"problem": "Nobody there."}}
    assert posting.do("mmo/1", back).accepted

    (open_,) = waiting(posting)

    assert (open_.why, open_.days, open_.overdue) == ("returned", 28, False)
    dates = four_dates(posting.case("mmo/1"), posting.notice("mmo/1", letter), file=None)
    assert dates.returned.on == date(2027, 3, 29) and dates.returned.evidence == "Nobody there."
    assert (dates.sent.on, dates.notified.on, dates.delivered.evidence) == (date(2027, 3, 1), None, "not reported")


def test_an_answer_lost_after_it_was_noted_is_never_taken_for_a_letter_that_went(posting: Posting, notify: FakeNotify):
    """A blocked letter stays blocked when its attempt is made once more; one with the printer is not posted by that."""
    letter = posting.decided("mmo/1")
    notify.fail("400")
    posting.sent("mmo/1", letter)

    again = posting.send("mmo/1", letter)

    assert again.accepted and posting.notice("mmo/1", letter).status == "blocked"
    other = posting.decided("mmo/2")
    posting.sent("mmo/2", other)
    posting.send("mmo/2", other)
    assert posting.notice("mmo/2", other).status == "handed-over" and posting.notice("mmo/2", other).sent_on is None


@pytest.mark.parametrize(
    ("answered", "before", "after"),
    [
        ("notice_sent:{n}", "to-send", "sent"),
        ("notice_sent:{n}-7", "to-send", "to-send"),
        ("notice_delayed:{n}", "to-send", "to-send"),
        ("notice_blocked:{n}", "to-send", "blocked"),
        ("notice_handed_over:{n}", "to-send", "uncertain"),
        ("notice_uncertain:{n}", "to-send", "uncertain"),
        ("look:{n}", "to-send", "uncertain"),
        ("notice_handed_over:{n}", "handed-over", "handed-over"),
        ("look:{n}", "handed-over", "handed-over"),
    ],
    ids=["sent", "another-issue", "delayed", "blocked", "lost-hand-over", "lost-doubt", "lost-answer", "known-hand-over", "known-answer"],
)
def test_a_repair_notes_of_a_letter_what_its_sending_answered_and_no_more(
    posting: Posting, notify: FakeNotify, tmp_path: Path, answered: str, before: str, after: str
):
    """Only what was noted as sent is noted as sent; where the history does not say, a person finds out."""
    letter = posting.decided("mmo/1")
    if before != "to-send":
        posting.sent("mmo/1", letter)
    assert posting.notice("mmo/1", letter).status == before
    seq = posting.case("mmo/1").seq
    done = Done(
        Letter(case="mmo/1", notice=letter, now=posting.now), Outcome(command=answered.format(n=letter), result="accepted", answer="")
    )

    with transaction(posting.engine) as session:
        _applied(session, done, tmp_path)

    assert posting.notice("mmo/1", letter).status == after
    noted = answered == "notice_delayed:{n}"
    assert posting.case("mmo/1").seq == seq + (after != before or noted), "each act once; what is known already is none"


def test_records_restored_from_an_older_copy_hand_nothing_over(posting: Posting, notify: FakeNotify):
    """They may have forgotten that the letter went."""
    letter = posting.decided("mmo/1")
    seen = Letter(case="mmo/1", notice=letter, now=posting.now, seq=posting.case("mmo/1").seq + 1)

    with pytest.raises(RecordsBehind):
        Sending(posting.engine, posting.post, ENGINE_TIME).send(seen, now=posting.now)

    assert not notify.sent


def waiting(posting: Posting):
    with reading(posting.engine) as session:
        return waiting_letters(session, body=None, today=posting.now.date())


# settings


def refusal(**given: object) -> str:
    with pytest.raises(NoPost) as refused:
        post_of(Settings.model_validate(given))
    return str(refused.value)


def test_without_settings_every_letter_goes_into_the_folder(tmp_path: Path):
    made = post_of(Settings(var=tmp_path))

    assert made.email is made.paper is made.outbox


def test_email_and_paper_each_have_a_carrier_of_their_own(tmp_path: Path):
    notify = {"notify_api_key": KEY, "paper_carrier": "notify"}
    mail = {"email_carrier": "smtp", "smtp_host": "mail.body.example", "smtp_from": "decisions@body.example"}

    made = post_of(Settings.model_validate({"var": tmp_path, **notify, **mail}))

    assert isinstance(made.email, Smtp) and isinstance(made.paper, Notify)
    assert {made.named(name) for name in ("smtp", "govuk-notify", "outbox")} == {made.email, made.paper, made.outbox}


def test_what_is_missing_is_said_setting_by_setting_all_at_once():
    said = refusal(email_carrier="smtp", paper_carrier="notify", smtp_user="evenhand")

    for name in (
        "EVENHAND_SMTP_HOST is not set",
        "EVENHAND_SMTP_FROM is not set",
        "EVENHAND_SMTP_PASSWORD",
        "EVENHAND_NOTIFY_API_KEY is not set",
    ):
        assert name in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email_carrier": "pigeon"}, "EVENHAND_EMAIL_CARRIER is pigeon; it must be one of outbox, smtp, notify"),
        ({"paper_carrier": "smtp"}, "a mail server takes no paper"),
        ({"email_carrier": "notify", "notify_api_key": KEY}, "EVENHAND_NOTIFY_EMAIL_TEMPLATE is not set"),
        ({"paper_carrier": "notify", "notify_api_key": KEY, "notify_url": "http://notify.example"}, "https"),
        ({"paper_carrier": "notify", "notify_api_key": KEY, "post_round_minutes": 0}, "EVENHAND_POST_ROUND_MINUTES is 0"),
        (
            {"email_carrier": "smtp", "smtp_host": "mail.body.example", "smtp_from": "a@b.example", "smtp_security": "none"},
            "open to read",
        ),
        ({"email_carrier": "smtp", "smtp_host": "mail.body.example", "smtp_from": "The Body"}, "EVENHAND_SMTP_FROM is The Body"),
    ],
)
def test_a_wrong_setting_says_what_was_found_and_what_would_be_right(given: dict[str, object], says: str):
    assert says in refusal(**given)


def test_no_key_and_no_password_is_ever_said():
    key = SecretStr(f"loopback-{SERVICE}-{SECRET}x")
    settings = Settings(paper_carrier="notify", notify_api_key=key, smtp_password=SecretStr("sample-word"))
    made = Settings(paper_carrier="notify", notify_api_key=KEY, notify_email_template=TEMPLATE)

    for text in (
        refusal(**settings.model_dump()),
        repr(settings),
        str(settings.model_dump()),
        repr(post_of(made)),
        settings.model_dump_json(),
    ):
        assert SECRET not in text and "sample-word" not in text


def test_a_worker_with_wrong_settings_says_so_and_does_not_start(tmp_path: Path):
    said = evenhand("worker", env={"EVENHAND_VAR": str(tmp_path), "EVENHAND_EMAIL_CARRIER": "notify"})

    assert said.returncode == 1 and "EVENHAND_NOTIFY_API_KEY is not set" in said.stderr and "Traceback" not in said.stderr
