"""Every error that GOV.UK Notify's documentation lists, word for word, and what each does to a letter; its official client, held against
the loopback server that all our tests trust."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from activities.carriers.carrier import CannotTell, Declined, NotNow, Unclear
from activities.carriers.notify import EMAILS, LETTERS
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from records.database import create_all, open_database
from tests.notify import KEY, OPEN, PAGE, TEMPLATE, FakeNotify, Wrong
from tests.posting import EMAIL, MONDAY, PAPER, Posting
from tests.test_notify import follow, later, parcel

TRIAL = "see https://www.notifications.service.gov.uk/trial-mode"
BOTH = (
    Wrong(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds"),
    Wrong(403, "AuthError", "Invalid token: API key not found"),
    Wrong(403, "AuthError", f"Invalid token: signature. See our requirements for JSON Web Tokens at {OPEN}"),
    Wrong(403, "AuthError", "Invalid token: service is archived"),
    Wrong(401, "AuthError", "Unauthorized: authentication token must be provided"),
)
DECLINED = {
    "letter": (
        *BOTH,
        Wrong(400, "BadRequestError", "Letter content is not a valid PDF"),
        Wrong(400, "BadRequestError", "Cannot decode letter content (invalid base64 encoding)"),
        Wrong(400, "BadRequestError", "Cannot send letters with a team api key"),
        Wrong(400, "BadRequestError", f"Cannot send letters when service is in trial mode - {TRIAL}"),
        Wrong(400, "BadRequestError", "Service is not allowed to send precompiled letters"),
        Wrong(400, "ValidationError", "reference is a required property"),
        Wrong(400, "ValidationError", "postage invalid. It must be first, second or economy."),
        Wrong(413, "Exception", "Request Entity Too Large"),
    ),
    "email": (
        *BOTH,
        Wrong(400, "BadRequestError", "Can't send to this recipient using a team-only API key"),
        Wrong(400, "BadRequestError", f"Can't send to this recipient when service is in trial mode - {TRIAL}"),
        Wrong(400, "BadRequestError", "Template not found"),
        Wrong(400, "BadRequestError", "Missing personalisation: body"),
        Wrong(400, "ValidationError", "email_address Not a valid email address"),
        Wrong(400, "ValidationError", "template_id is not a valid UUID"),
        Wrong(400, "BadRequestError", "email_reply_to_id someone@example.org does not exist in database for service id 1"),
    ),
}
LATER = (
    Wrong(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    Wrong(429, "TooManyRequestsError", "Exceeded send limits (20000) for today"),
)
UNCLEAR = (
    Wrong(500, "Exception", "Internal server error"),
    Wrong(502, "Exception", "Bad gateway"),
    Wrong(503, "Exception", "Service unavailable"),
    Wrong(504, "Exception", "Gateway timeout"),
)
CUSTOMERS = {"letter": PAPER, "email": EMAIL}
EACH = [(type, answer) for type, answers in DECLINED.items() for answer in answers]


def name_of(one: object) -> str:
    return f"{one.body['status_code']} {one.body['errors'][0]['message'][:40]}" if isinstance(one, Wrong) else str(one)  # type: ignore[index]


@pytest.fixture
def posting(notify: FakeNotify, tmp_path: Path) -> Posting:
    engine = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(engine)
    carrier = notify.carrier()
    made = Posting(engine, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path / "outbox")))
    made.set_up()
    return made


@pytest.mark.parametrize(("type", "answer"), EACH, ids=name_of)
def test_what_notify_declines_is_offered_once_and_a_person_is_asked(posting: Posting, notify: FakeNotify, type: str, answer: Wrong):
    """400, 401, 403, 413: never again by itself, however often the engine tries; the case goes on."""
    letter = posting.decided("mmo/1", customer=CUSTOMERS[type])
    notify.fail(answer)

    for _ in range(3):
        assert posting.sent("mmo/1", letter).accepted
        later(posting, notify, days=1)

    notice = posting.notice("mmo/1", letter)
    assert notice.status == "blocked" and notice.problem and str(answer.status) in notice.problem
    assert "someone@" not in notice.problem
    assert [one.kind for one in posting.tasks("mmo/1") if one.ref == letter] == ["letter"]
    assert notify.asked == [f"POST /v2/notifications/{type}"] and not notify.sent and not posting.waits


def test_the_words_of_an_error_are_kept_where_they_name_nobody():
    """What a person must put right is said, not only that something is wrong."""
    kept = [answer for _, answer in EACH if answer.status == 400 and name_of(answer).split(" ", 1)[1][:12] in _said(answer)]
    assert len(kept) >= 6


def _said(answer: Wrong) -> str:
    with FakeNotify() as notify:
        notify.fail(answer)
        with pytest.raises(Declined) as declined:
            notify.carrier().hand_over(parcel())
        return str(declined.value)


@pytest.mark.parametrize("type", ["letter", "email"])
@pytest.mark.parametrize("answer", LATER, ids=name_of)
def test_a_limit_waits_and_the_letter_goes_once(posting: Posting, notify: FakeNotify, answer: Wrong, type: str):
    letter = posting.decided("mmo/1", customer=CUSTOMERS[type])
    notify.fail(answer, answer)  # the first is written down, and the case asks again, which finds that it is too soon

    posting.sent("mmo/1", letter)

    assert len(notify.sent) == 1 and len(posting.waits) == 2
    least = timedelta(minutes=1) if "rate limit" in name_of(answer) else timedelta(hours=12)
    assert min(posting.waits) >= least
    assert posting.notice("mmo/1", letter).status in ("sent", "handed-over")
    assert set(notify.asked) == {f"POST /v2/notifications/{type}"}, "nothing left, so nothing is asked"


@pytest.mark.parametrize("type", ["letter", "email"])
@pytest.mark.parametrize("answer", UNCLEAR, ids=name_of)
def test_after_a_failure_of_theirs_it_is_asked_for_before_it_is_offered_again(
    posting: Posting, notify: FakeNotify, answer: Wrong, type: str
):
    letter = posting.decided("mmo/1", customer=CUSTOMERS[type])
    notify.fail(answer)

    posting.sent("mmo/1", letter)

    assert [one.split()[0] for one in notify.asked] == ["POST", "GET", "POST"] and len(notify.sent) == 1


ASKING = (
    (Wrong(400, "ValidationError", "id is not a valid UUID"), NotNow), (Wrong(401, "AuthError", "Unauthorized"), NotNow),
    (Wrong(403, "AuthError", "Invalid token: API key not found"), NotNow), (LATER[0], NotNow), (UNCLEAR[0], NotNow), (UNCLEAR[2], NotNow),
    (Wrong(404, "NoResultFound", "No result found"), CannotTell),
)  # fmt: skip


@pytest.mark.parametrize(("answer", "kind"), ASKING, ids=name_of)
def test_a_question_that_fails_is_asked_again_and_takes_no_letter_for_lost(notify: FakeNotify, answer: Wrong, kind: type[Exception]):
    """Only "no result found" says that Notify knows of none."""
    handed = notify.carrier().hand_over(parcel())
    notify.deaf = answer

    with pytest.raises(kind):
        notify.carrier().news(handed.id or "", "first-class-post", MONDAY)
    with pytest.raises(kind):
        notify.carrier().find(parcel(since=MONDAY, offered_at=MONDAY))


@pytest.mark.parametrize("type", ["letter", "email"])
async def test_every_status_that_notify_has_is_known(posting: Posting, notify: FakeNotify, type: str):
    """Docs: those of letters and those of emails; one that is still on its way changes nothing."""
    known = LETTERS if type == "letter" else EMAILS
    waits = ("accepted", "pending-virus-check") if type == "letter" else ("created", "sending")
    for n, status in enumerate((*known, *waits)):
        letter = posting.decided(f"mmo/{n}", customer=CUSTOMERS[type])
        posting.sent(f"mmo/{n}", letter)
        before = posting.notice(f"mmo/{n}", letter)
        notify.becomes(status, f"mmo/{n}/{letter}")
        round_ = await follow(posting, notify)
        assert (posting.notice(f"mmo/{n}", letter) == before) == (status in waits), status
        assert round_.news == (status in known)


async def test_a_paper_letter_listed_as_returned_weeks_later_opens_the_question_again(posting: Posting, notify: FakeNotify):
    """DEF-06: posted on 2 March, deemed told on the 4th, back on the 29th: nobody was told, and a person has a task."""
    letter = posting.decided("mmo/1")
    posting.sent("mmo/1", letter)
    notify.accepts()
    later(posting, notify, days=1)
    notify.prints()
    await follow(posting, notify)
    assert posting.notice("mmo/1", letter).notified_on == date(2027, 3, 4)
    later(posting, notify, days=27)
    back = {"v": 1, "id": "back", "do": "notice_returned", "saw": letter, "by": "pat-officer", "with": {"problem": "Gone away."}}

    assert posting.do("mmo/1", back).accepted

    notice = posting.notice("mmo/1", letter)
    assert (notice.status, notice.sent_on, notice.notified_on, notice.returned_on) == (
        "returned",
        date(2027, 3, 2),
        None,
        date(2027, 3, 29),
    )
    assert [one.kind for one in posting.tasks("mmo/1") if one.ref == letter] == ["letter"]


# The official client against the loopback server


def test_the_official_client_reads_what_the_loopback_server_says(notify: FakeNotify):
    """Each call that it offers for letters and emails: the fields its documentation names are in the answer."""
    client = NotificationsAPIClient(KEY.get_secret_value(), base_url=notify.url)  # type: ignore[no-untyped-call]
    words = {"subject": "x", "body": "y"}
    email = client.send_email_notification("a@b.example", TEMPLATE, words, reference="r", email_reply_to_id=TEMPLATE)  # type: ignore[no-untyped-call]
    letter = client.send_precompiled_letter_notification("r", BytesIO(b"%PDF-1.7"), postage="first")  # type: ignore[no-untyped-call]

    assert set(email) == {"id", "reference", "content", "uri", "template", "scheduled_for"}
    assert {"subject", "body", "from_email"} <= set(email["content"]) and set(email["template"]) == {"id", "version", "uri"}
    assert letter == {"id": letter["id"], "reference": "r", "postage": "first"}
    shown = client.get_notification_by_id(letter["id"])  # type: ignore[no-untyped-call]
    assert {"id", "reference", "type", "status", "template", "body", "subject", "created_at", "sent_at", "completed_at", "scheduled_for",
            "postage", "line_1", "postcode", "email_address", "phone_number", "created_by_name"} <= set(shown)  # fmt: skip
    listed = client.get_all_notifications(reference="r")  # type: ignore[no-untyped-call]
    assert {one["id"] for one in listed["notifications"]} == {email["id"], letter["id"]} and {"current", "next"} <= set(listed["links"])


def test_the_official_client_pages_through_a_long_list(notify: FakeNotify):
    """It follows links.next to the end; a server without that link would stop it short."""
    client = NotificationsAPIClient(KEY.get_secret_value(), base_url=notify.url)  # type: ignore[no-untyped-call]
    for n in range(PAGE + 5):
        notify.take("letter", {"reference": "r", "content": "JVBERi0=", "postage": "first"})
        notify.clock = MONDAY + timedelta(seconds=n)

    found = list(client.get_all_notifications_iterator(reference="r"))  # type: ignore[no-untyped-call]

    assert len({one["id"] for one in found}) == PAGE + 5


def test_a_request_with_a_field_that_notify_does_not_have_is_refused_by_both(notify: FakeNotify):
    client = NotificationsAPIClient(KEY.get_secret_value(), base_url=notify.url)  # type: ignore[no-untyped-call]

    with pytest.raises(HTTPError) as refused:
        client.post("/v2/notifications/letter", data={"reference": "r", "content": "JVBERi0=", "adress": "x"})  # type: ignore[no-untyped-call]

    assert refused.value.status_code == 400 and "adress was unexpected" in str(refused.value.message)


def test_what_the_official_client_would_log_of_an_error_is_not_logged(notify: FakeNotify, caplog: pytest.LogCaptureFixture):
    """Its warning quotes the error's words, and those may quote an address."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("notifications_python_client").setLevel(logging.ERROR)
    notify.fail(Wrong(400, "ValidationError", "email_address someone@example.org is not what it should be"))

    with pytest.raises((Declined, Unclear)):
        notify.carrier().hand_over(parcel(method="email", address="someone@example.org"))

    assert "someone@" not in caplog.text
