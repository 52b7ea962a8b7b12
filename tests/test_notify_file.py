"""An email by GOV.UK Notify that links to the letter as a file: what goes, for how long, and each way in which it cannot."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from activities.carriers.carrier import Declined, Handed, Parcel
from activities.carriers.notify import BIGGEST, NO_FILE
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from tests.notify import KEY, TEMPLATE, FakeNotify, Wrong
from tests.posting import EMAIL, MONDAY, Posting
from worker.post import NoPost, post_of
from worker.settings import Settings

PDF = b"%PDF-1.7 sample"


def parcel(**files: bytes) -> Parcel:
    return Parcel(
        case="mmo/1", name="n1", at=MONDAY, reference="mmo/1/n1", method="email", to="Zoe Testcase", address="zoe@example.org",
        subject="Decision letter: what next?", sender="The Body", files=files or {"pdf": PDF, "html": b"<p>x</p>", "txt": b"Dear Zoe"},
    )  # fmt: skip


def sent(notify: FakeNotify, one: Parcel, *, weeks: int | None = 26) -> Handed:
    return notify.carrier(file_weeks=weeks).hand_over(one)


def test_an_email_links_to_the_letter_that_only_its_reader_can_fetch(notify: FakeNotify):
    notify.fields.append("link_to_file")

    sent(notify, parcel(), weeks=4)

    [took] = notify.sent.values()
    assert took.files == {"decision-letter-what-next.pdf": PDF}
    assert (took.kept_for, took.confirms) == ("4 weeks", True)
    assert took.personalisation["body"] == "Dear Zoe", "the whole text goes all the same: a link expires"
    assert str(took.personalisation["link_to_file"]).startswith(notify.url)


def test_one_week_is_one_week(notify: FakeNotify):
    sent(notify, parcel(), weeks=1)

    [took] = notify.sent.values()
    assert took.kept_for == "1 week"


def test_without_the_setting_nothing_is_uploaded(notify: FakeNotify):
    sent(notify, parcel(), weeks=None)

    [took] = notify.sent.values()
    assert took.files == {} and set(took.personalisation) == {"subject", "body"}


def test_a_customer_who_gets_plain_text_finds_a_sentence_in_place_of_the_link(notify: FakeNotify):
    """DEF-15: the template's field must be filled, and no PDF goes to somebody who agreed on text."""
    notify.fields.append("link_to_file")

    sent(notify, parcel(txt=b"Dear Zoe"))

    [took] = notify.sent.values()
    assert took.files == {} and took.personalisation["link_to_file"] == NO_FILE


def test_a_letter_of_more_than_two_megabytes_is_not_offered(notify: FakeNotify):
    with pytest.raises(Declined, match="larger than the two megabytes"):
        sent(notify, parcel(pdf=PDF + b" " * BIGGEST, txt=b"Dear Zoe"))

    assert not notify.sent and not notify.asked


def test_a_service_without_contact_details_is_told_to_enter_them(notify: FakeNotify):
    notify.contact = False

    with pytest.raises(Declined, match="400 BadRequestError: Send files by email has not been set up - add contact details") as said:
        sent(notify, parcel())

    assert not notify.sent and "zoe" not in str(said.value) and "sample" not in str(said.value)


def test_a_template_with_the_field_and_no_setting_is_a_task_that_says_what_is_missing(notify: FakeNotify):
    notify.fields.append("link_to_file")

    with pytest.raises(Declined, match="400 BadRequestError: Missing personalisation"):
        sent(notify, parcel(), weeks=None)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Wrong(400, "BadRequestError", "File did not pass the virus scan"), "400 BadRequestError: File did not pass the virus scan"),
        (Wrong(413, "BadRequestError", "Uploaded file exceeds file size limit"), "413 BadRequestError: Uploaded file exceeds"),
        (
            Wrong(400, "BadRequestError", "Unsupported file type 'zoe'. Supported types are: '.pdf'"),
            "400 BadRequestError: Unsupported file type",
        ),
    ],
)
def test_what_notify_says_of_a_file_is_kept_without_what_it_quotes(notify: FakeNotify, error: Wrong, says: str):
    notify.fail(error)

    with pytest.raises(Declined, match=says) as said:
        sent(notify, parcel())

    assert "zoe" not in str(said.value)


def test_the_loopback_notify_checks_a_file_as_notify_would(notify: FakeNotify):
    """Else what is wrong would show with the real one only."""
    with pytest.raises(Declined, match="Unsupported value for retention_period"):
        sent(notify, parcel(), weeks=79)
    with pytest.raises(Declined, match="Unsupported file type"):
        sent(notify, parcel(pdf=b"PK", txt=b"Dear Zoe"))


def test_a_decision_goes_with_its_paper_and_one_that_cannot_is_blocked(
    database: Engine, notify: FakeNotify, tmp_path_factory: pytest.TempPathFactory
):
    """From the case to the carrier: the very PDF that is kept, and a task where the service is not set up."""
    carrier = notify.carrier(file_weeks=26)
    posting = Posting(database, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path_factory.mktemp("outbox"))))
    posting.set_up()
    notice = posting.decided("mmo/1", customer=EMAIL)
    posting.sent("mmo/1", notice)

    [took] = notify.sent.values()
    [content] = took.files.values()
    assert content.startswith(b"%PDF-") and posting.notice("mmo/1", notice).status == "sent"

    notify.contact = False
    other = posting.decided("mmo/2", customer=EMAIL)
    posting.sent("mmo/2", other)
    assert posting.notice("mmo/2", other).status == "blocked" and "contact details" in (posting.notice("mmo/2", other).problem or "")


def test_the_settings_are_checked_at_the_start():
    given = {"email_carrier": "notify", "notify_api_key": KEY, "notify_email_template": TEMPLATE}
    made = post_of(Settings.model_validate({**given, "notify_email_file": "yes", "notify_file_weeks": 8}))
    assert getattr(made.email, "file_weeks", None) == 8
    assert getattr(post_of(Settings.model_validate(given)).email, "file_weeks", 0) is None, "as it was"
    with pytest.raises(NoPost, match="EVENHAND_NOTIFY_EMAIL_FILE is maybe; it must be yes") as said:
        post_of(Settings.model_validate({**given, "notify_email_file": "maybe", "notify_file_weeks": 79}))
    assert "EVENHAND_NOTIFY_FILE_WEEKS is 79; it must be from 1 to 78 weeks" in str(said.value)
