"""GOV.UK Notify, as a loopback server of its real interface plays it: who may ask, what each failure means, and nobody gets two letters."""

from __future__ import annotations

import json
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import nullcontext
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from activities.carriers.carrier import GIVE_UP_AFTER, CannotTell, Declined, NotNow, Parcel, Unclear
from activities.carriers.notify import Notify
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.following import Following, Round
from activities.sending import Message
from domain.days import LONDON
from policies import load
from records.database import create_all, open_database, transaction
from tests.engine import OFFICER, free_port
from tests.notify import KEY, SECRET, SERVICE, TEMPLATE, FakeNotify
from tests.posting import EMAIL, MONDAY, Posting
from workflows.case import SEND_ALIVE, SEND_WITHIN

UTC = timezone.utc
ENGLAND = load.calendar()
PERSONAL = ("Quentin", "Testcase", "example.org", "Sample Street", "someone@")


@pytest.fixture
def records(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    return engine


@pytest.fixture
def posting(records: Engine, notify: FakeNotify, tmp_path: Path) -> Posting:
    carrier = notify.carrier()
    made = Posting(records, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path / "outbox")))
    made.set_up()
    return made


def parcel(**facts: object) -> Parcel:
    files = {"pdf": b"%PDF-1.7 sample", "html": b"<p>x</p>", "txt": b"Dear Zoe\n"}
    given = {
        "case": "mmo/1", "name": "n1", "at": MONDAY, "reference": "mmo/1/n1", "method": "first-class-post", "to": "Zoe Testcase",
        "address": "1 Sample Street", "subject": "decision letter", "sender": "The Body", "files": files,
    }  # fmt: skip
    return Parcel.model_validate({**given, **facts})


async def follow(posting: Posting, notify: FakeNotify) -> Round:
    """Hold one round; the cases are told through the record alone, for no workflow runs here."""

    async def tell(case: str, message: Message) -> None:
        again = posting.do(case, message)
        assert again.accepted, "the case hears what its record says already"

    return await Following(posting.engine, posting.post).round(posting.now, tell=tell)


def later(posting: Posting, notify: FakeNotify, **time: float) -> None:
    posting.now += timedelta(**time)
    notify.clock = posting.now


# who may ask


def asked(notify: FakeNotify, header: str | None) -> tuple[int, str]:
    request = urllib.request.Request(f"{notify.url}/v2/notifications", headers={"Authorization": header} if header else {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def token(key: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    given = {"iss": SERVICE, "iat": int(time.time()), **claims}  # noqa: TID251  # as a client makes it
    return "Bearer " + jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm=algorithm)


def test_the_loopback_notify_lets_in_whom_notify_would(notify: FakeNotify):
    assert asked(notify, token())[0] == 200


@pytest.mark.parametrize(
    ("header", "status", "word"),
    [
        (None, 401, "must be provided"),
        ("Basic abc", 401, "bearer scheme"),
        ("Bearer nonsense", 403, "signature"),
        (token(SECRET[::-1]), 403, "API key not found"),
        (token(iss=None), 403, "iss field not provided"),
        (token(iss=SECRET), 403, "service not found"),
        (token(iat=None), 403, "iat field not provided"),
        (token(iat=1), 403, "system clock"),
        (token(iat=4102444800), 403, "system clock"),
        (token(algorithm="HS512"), 403, "not HS256"),
        ("Bearer " + jwt.encode({"iss": SERVICE, "iat": 1}, None, algorithm="none"), 403, "not HS256"),
        (token() + "x", 403, "not found"),
    ],
)  # fmt: skip
def test_the_loopback_notify_keeps_out_whom_notify_would(notify: FakeNotify, header: str | None, status: int, word: str):
    found, body = asked(notify, header)

    assert found == status
    said = json.loads(body)
    assert said["status_code"] == status and said["errors"][0]["error"] == "AuthError" and word in said["errors"][0]["message"]


def test_a_wrong_key_is_a_task_for_a_person_and_shows_in_no_text(notify: FakeNotify):
    wrong = SecretStr(f"loopback-{SERVICE}-{SECRET[::-1]}")
    carrier = notify.carrier(key=wrong)

    with pytest.raises(Declined, match="403 AuthError; the key or this machine's clock") as declined:
        carrier.hand_over(parcel())

    assert not notify.sent
    for text in (str(declined.value), repr(carrier), str(carrier.__dict__)):
        assert SECRET[::-1] not in text and SERVICE not in text


# what each failure means


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("400", Declined), ("403", Declined), ("rate", NotNow), ("limit", NotNow), ("500", Unclear), ("503", Unclear), ("refused", Unclear),
        ("lost", Unclear), ("500-after", Unclear),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["email", "first-class-post"])
def test_every_failure_of_notify_is_told_apart(notify: FakeNotify, fault: str, kind: type[Exception], method: str):
    notify.fail(fault)

    with pytest.raises(kind) as raised:
        notify.carrier().hand_over(parcel(method=method, address="zoe.testcase@example.org"))

    assert len(notify.sent) == (fault in ("lost", "500-after"))
    assert not any(word in str(raised.value) for word in PERSONAL), "what Notify quotes is not passed on"


def test_a_server_that_is_not_there_took_nothing():
    with pytest.raises(NotNow, match="cannot be reached"):
        Notify(KEY, template=TEMPLATE, host=f"http://127.0.0.1:{free_port()}").hand_over(parcel())


def test_beyond_the_limit_of_a_day_it_waits_until_after_midnight_utc(notify: FakeNotify):
    """In summer that is one o'clock in London; each letter another moment within a quarter of an hour."""
    notify.fail("limit")
    at = datetime(2027, 7, 1, 22, 30, tzinfo=UTC)

    with pytest.raises(NotNow) as raised:
        notify.carrier().hand_over(parcel(at=at))

    assert raised.value.after is not None
    assert datetime(2027, 7, 2, tzinfo=UTC) < raised.value.after < datetime(2027, 7, 2, 0, 16, tzinfo=UTC)


def test_beyond_the_limit_of_a_minute_it_backs_off_for_more_than_one(notify: FakeNotify):
    notify.fail("rate")

    with pytest.raises(NotNow) as raised:
        notify.carrier().hand_over(parcel())

    assert raised.value.after is not None and timedelta(minutes=1) <= raised.value.after - MONDAY <= timedelta(minutes=2)


def test_the_same_request_twice_is_two_letters_for_a_reference_is_no_key(notify: FakeNotify):
    carrier = notify.carrier()
    carrier.hand_over(parcel())
    carrier.hand_over(parcel())

    assert len(notify.named("mmo/1/n1")) == 2


def test_a_letter_not_shown_yet_is_asked_for_again_before_it_is_offered_again(notify: FakeNotify):
    """A slow server may still be taking it in: an answer of "not there" counts only after five minutes."""
    carrier = notify.carrier(quiet=timedelta(minutes=5))
    offered = parcel(at=MONDAY + timedelta(seconds=30), since=MONDAY, offered_at=MONDAY)

    with pytest.raises(NotNow) as raised:
        carrier.find(offered)

    assert raised.value.after == MONDAY + timedelta(minutes=5)
    assert carrier.find(offered.model_copy(update={"at": MONDAY + timedelta(minutes=5)})) is None


def test_after_notify_forgets_nobody_can_tell(notify: FakeNotify):
    """It keeps its list for seven days: a worker that was away for longer must not take "not there" for "never came"."""
    week = parcel(at=MONDAY + timedelta(days=7), since=MONDAY, offered_at=MONDAY)

    with pytest.raises(CannotTell, match="seven days"):
        notify.carrier().find(week)


def test_a_letter_of_the_same_reference_from_before_is_not_ours(notify: FakeNotify):
    """Another installation of the same Notify service may name a case alike."""
    notify.clock = MONDAY - timedelta(days=2)
    notify.carrier().hand_over(parcel())
    notify.clock = MONDAY

    assert notify.carrier().find(parcel(since=MONDAY, offered_at=MONDAY)) is None


def test_a_key_that_stops_working_while_a_letter_is_asked_for_loses_nothing(notify: FakeNotify):
    wrong = notify.carrier(key=SecretStr(f"loopback-{SERVICE}-{SECRET[::-1]}"))

    with pytest.raises(NotNow, match="403") as raised:
        wrong.find(parcel(since=MONDAY, offered_at=MONDAY))

    assert raised.value.after == MONDAY + timedelta(hours=1)


def test_an_attempt_has_longer_than_the_carriers_calls_in_it():
    """Otherwise one attempt could still be handing over while the next one asks."""
    assert timedelta(seconds=2 * GIVE_UP_AFTER) < SEND_ALIVE
    assert 2 * timedelta(seconds=GIVE_UP_AFTER) + SEND_ALIVE < SEND_WITHIN


@pytest.mark.parametrize(
    ("at", "posted"),
    [
        ("2027-03-01 10:00", date(2027, 3, 2)), ("2027-03-01 17:29", date(2027, 3, 2)), ("2027-03-01 17:30", date(2027, 3, 3)),
        ("2027-03-05 10:00", date(2027, 3, 8)), ("2027-03-05 18:00", date(2027, 3, 8)), ("2027-03-07 23:00", date(2027, 3, 9)),
        ("2027-03-25 10:00", date(2027, 3, 30)), ("2027-07-01 17:29", date(2027, 7, 2)), ("2027-07-01 17:31", date(2027, 7, 5)),
    ],
)  # fmt: skip
def test_a_letter_is_posted_on_the_next_working_day_after_half_past_five(notify: FakeNotify, at: str, posted: date):
    """Local time: half past five in summer is half past four UTC. Easter 2027 is 26 to 29 March."""
    moment = datetime.fromisoformat(at).replace(tzinfo=LONDON).astimezone(UTC)

    assert notify.carrier().posts_on(moment, "first-class-post", ENGLAND) == posted
    assert notify.carrier().posts_on(moment, "email", ENGLAND) == moment.astimezone(LONDON).date()


# a letter on its way


async def test_a_letter_is_handed_over_then_posted_and_only_then_does_the_customer_count_as_notified(posting: Posting, notify: FakeNotify):
    """DEF-06: posted and deemed notified are two dates; Notify's printer stands still for four days."""
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)

    waits = posting.notice("mmo/1", letter)
    assert (waits.status, waits.carrier, waits.handed_on, waits.expected_on) == (
        "handed-over", "govuk-notify", date(2027, 3, 1), date(2027, 3, 2),
    )  # fmt: skip
    assert waits.sent_on is None and waits.notified_on is None
    (took,) = notify.sent.values()
    assert took.content.startswith(b"%PDF-") and took.postage == "first" and took.reference == f"mmo/1/{letter}"

    notify.accepts()
    for _ in range(4):
        later(posting, notify, days=1)
        assert (await follow(posting, notify)).news == 0
    notify.prints()
    assert (await follow(posting, notify)).news == 1

    posted = posting.notice("mmo/1", letter)
    assert (posted.status, posted.sent_on, posted.notified_on) == ("sent", date(2027, 3, 5), date(2027, 3, 9))
    row = posting.row("mmo/1", letter)
    assert row is not None and row.settled and row.status == "received"
    assert (await follow(posting, notify)).asked == 0
    assert posting.case("mmo/1").changes, "the letter printed a last day to appeal that is now too early: the customer is told"


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("virus-scan-failed", "blocked"), ("validation-failed", "blocked"), ("permanent-failure", "blocked"), ("cancelled", "blocked"),
        ("technical-failure", "uncertain"),
    ],
)  # fmt: skip
async def test_a_letter_that_fails_after_it_was_taken_is_a_persons_task_and_never_resent(
    posting: Posting, notify: FakeNotify, status: str, becomes: str
):
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    notify.becomes(status)

    await follow(posting, notify)

    assert posting.notice("mmo/1", letter).status == becomes
    posting.sent("mmo/1", letter)
    await follow(posting, notify)
    assert len(notify.sent) == 1


@pytest.mark.parametrize("status", ["permanent-failure", "temporary-failure", "technical-failure"])
async def test_an_email_that_bounces_takes_the_notification_back(posting: Posting, notify: FakeNotify, status: str):
    letter = posting.decided("mmo/1", customer=EMAIL)
    posting.sent("mmo/1", letter)
    assert posting.notice("mmo/1", letter).notified_on == date(2027, 3, 1)
    notify.becomes(status)
    later(posting, notify, days=3)

    await follow(posting, notify)

    back = posting.notice("mmo/1", letter)
    assert (back.status, back.notified_on) == ("returned", None)
    assert back.returned_on == date(2027, 3, 1), "the day on which Notify knew"


async def test_an_email_that_arrives_is_a_report_beside_the_dates_and_moves_none(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1", customer=EMAIL)
    posting.sent("mmo/1", letter)
    before = posting.notice("mmo/1", letter)
    later(posting, notify, days=1)
    notify.becomes("delivered")

    await follow(posting, notify)

    after = posting.notice("mmo/1", letter)
    assert after.delivered_on == date(2027, 3, 2)
    assert (after.sent_on, after.notified_on, after.received_on) == (before.sent_on, before.notified_on, None)
    (took,) = notify.sent.values()
    assert took.email_address == EMAIL["address"] and took.personalisation["subject"] == "decision letter"
    assert "Dear Quentin Testcase" in took.personalisation["body"]


async def test_a_letter_that_notify_no_longer_knows_is_a_persons_task(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    notify.forgets()

    await follow(posting, notify)

    assert posting.notice("mmo/1", letter).status == "uncertain"


async def test_a_notify_that_does_not_answer_a_round_is_left_alone_and_nothing_is_lost(posting: Posting, notify: FakeNotify):
    for n in range(8):
        letter = posting.decided(f"mmo/{n}")
        posting.sent(f"mmo/{n}", letter)
    notify.becomes("received")
    broken = Posting(
        posting.engine, Post(*(Notify(KEY, host=f"http://127.0.0.1:{free_port()}"),) * 2, posting.post.outbox), now=posting.now
    )

    assert await follow(broken, notify) == Round(asked=5, troubled=5, left=3)
    assert await follow(posting, notify) == Round(asked=8, news=8)


async def test_news_of_an_issue_before_touches_not_the_letter_that_went_again(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    notify.becomes("validation-failed", f"mmo/1/{letter}")
    await follow(posting, notify)
    again = {"v": 1, "id": "again", "do": "issue_notice", "by": "max-manager", "saw": letter, "with": {}}
    assert posting.do("mmo/1", again).accepted
    posting.sent("mmo/1", letter)
    with_old = posting.row("mmo/1", letter)
    assert with_old is not None
    with_old.settled = False
    with transaction(posting.engine) as session:
        session.merge(with_old)

    await follow(posting, notify)

    assert posting.notice("mmo/1", letter).status == "handed-over"
    assert {one.reference for one in notify.sent.values()} == {f"mmo/1/{letter}", f"mmo/1/{letter}-2"}


@pytest.mark.parametrize("status", ["handed-over", "uncertain"])
async def test_a_person_who_told_the_customer_counts_whatever_the_carrier_has(posting: Posting, notify: FakeNotify, status: str):
    """Handed over by hand while the printer stands still: of two notifications the earlier stands."""
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    if status == "uncertain":
        notify.becomes("technical-failure")
        await follow(posting, notify)
    assert posting.notice("mmo/1", letter).status == status
    told = {"v": 1, "id": "by-hand", "do": "record_notification", "saw": letter, "by": OFFICER, "with": {"method": "by-hand"}}

    assert posting.do("mmo/1", told).accepted

    notify.becomes("received")
    later(posting, notify, days=2)
    await follow(posting, notify)
    notice = posting.notice("mmo/1", letter)
    assert (notice.status, notice.method, notice.notified_on) == ("sent", "by-hand", date(2027, 3, 1))
    assert notice.told_by is not None and notice.problem is None


async def test_the_post_speaks_through_the_records_alone_nobody_outside_can(posting: Posting, notify: FakeNotify):
    """A signal that says a letter arrived, from whoever reaches the engine, is refused unless the post recorded it first."""
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    forged = {"v": 1, "id": f"notice_sent:{letter}", "do": "notice_sent", "saw": letter, "with": {"method": "first-class-post"}}

    for by in ({}, {"by": "post"}, {"by": "calendar"}, {"by": OFFICER}, {"by": "customer"}):
        assert not posting.do("mmo/1", {**forged, **by, "id": f"forged-{by.get('by')}"}).accepted

    assert posting.notice("mmo/1", letter).status == "handed-over"


# none lost, none doubled


def test_an_answer_lost_after_the_letter_was_taken_is_found_again_and_not_sent_again(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1")
    notify.fail("lost")

    posting.sent("mmo/1", letter)

    assert len(notify.sent) == 1
    assert posting.notice("mmo/1", letter).status == "handed-over"
    assert [one.split()[0] for one in notify.asked] == ["POST", "GET"]


def test_while_notify_is_down_for_days_the_letter_waits_and_its_last_problem_shows(posting: Posting, notify: FakeNotify):
    letter = posting.decided("mmo/1")
    notify.fail("500", "503", "500")
    for n in range(3):
        with pytest.raises(ApplicationError) if n else nullcontext():  # the first is written down, and the case asks again
            posting.send("mmo/1", letter)
        row = posting.row("mmo/1", letter)
        assert row is not None and row.problem and "GOV.UK Notify" in row.problem
        later(posting, notify, days=1)

    posting.sent("mmo/1", letter)

    assert len(notify.sent) == 1
    row = posting.row("mmo/1", letter)
    assert row is not None and row.problem is None and row.first_at == MONDAY


@pytest.mark.parametrize("seed", [1])
async def test_of_sixty_letters_through_failures_at_random_none_is_lost_and_none_goes_twice(
    posting: Posting, notify: FakeNotify, seed: int
):
    """Four in ten requests fail, in every way there is; what is declined is a person's task and was never taken."""
    dice = random.Random(seed)
    letters = {}
    for n in range(60):
        case = f"mmo/{n}"
        letters[case] = posting.decided(
            case,
            customer=EMAIL if dice.random() < 0.5 else {**EMAIL, "channel": "letter", "address": "1 Sample Street\nSampletown\nSA1 1AA"},
        )
    notify.fail_often(0.4, seed=seed)
    waiting = list(letters)
    while waiting:
        case = dice.choice(waiting)
        try:
            if letters[case] not in posting.send(case, letters[case]).to_send:  # else its first failure was written down
                waiting.remove(case)
        except ApplicationError as problem:
            later(posting, notify, seconds=(problem.next_retry_delay or timedelta(seconds=dice.randrange(1, 3600))).total_seconds())

    taken = Counter(one.reference for one in notify.sent.values())
    ends = Counter(posting.notice(case, letter).status for case, letter in letters.items())
    assert max(taken.values()) == 1, "nobody gets two"
    assert set(ends) <= {"sent", "handed-over", "blocked"} and ends["blocked"] > 3 and ends["sent"] > 3 and ends["handed-over"] > 3
    for case, letter in letters.items():
        declined = posting.notice(case, letter).status == "blocked"
        assert taken[f"{case}/{letter}"] == (0 if declined else 1)
    assert not any(word in (row.problem or "") for row in posting.rows() for word in PERSONAL)
    assert notify.asked.count("GET /v2/notifications") > 5, "answers were lost, and asked for"
