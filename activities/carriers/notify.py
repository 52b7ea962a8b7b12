"""GOV.UK Notify: letters as PDF, printed and posted by its provider; email by one template of the body's own service.

Its `reference` is no key under which the same thing arrives once: the same request twice is two letters. So after an answer that was
lost it is asked for the reference, and only when it says no, long enough after, is the letter offered again."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Protocol, cast

from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient
from notifications_python_client.utils import prepare_upload
from pydantic import SecretStr
from requests import ConnectTimeout, RequestException
from urllib3.exceptions import MaxRetryError, NewConnectionError

from activities.carriers.carrier import GIVE_UP_AFTER, CannotTell, Declined, Handed, Method, News, NotNow, Parcel, Unclear
from domain.days import LONDON, UTC, Calendar, add_working_days, london_date

HOST = "https://api.notifications.service.gov.uk"
CUT_OFF = time(17, 30)
"""A letter that is there by half past five is printed and posted on the next working day; one after it, on the working day after that."""
QUIET = timedelta(minutes=5)
"""So long after an offer Notify may still be taking it in: before that, "not there" is no answer."""
KEPT_FOR = timedelta(days=6)
"""Notify forgets after seven days, where its service sets no more: later, "not there" is no answer either."""
SKEW = timedelta(minutes=5)
"""How far Notify's clock may be from ours, where its time is held against the time of an offer."""
BIGGEST = 2 * 1024 * 1024
POSTAGE: dict[Method, str] = {"first-class-post": "first", "second-class-post": "second", "economy-post": "economy"}
SAFE = frozenset(
    {
        "Can't send to this recipient using a team-only API key",
        "Can't send to this recipient when service is in trial mode",
        "Can only send a file by email",
        "Cannot send letters",
        "Cannot send letters with a team api key",
        "Cannot send letters when service is in trial mode",
        "File did not pass the virus scan",
        "Letter content is not a valid PDF",
        "Missing personalisation",
        "Send files by email has not been set up - add contact details for your service",
        "Template not found",
        "Template has been deleted",
        "Template has been archived",
        "Unsupported file type",
        "Unsupported value for retention_period",
        "Uploaded file exceeds file size limit",
    }
)
"""How messages of Notify begin that name nobody. Any other may quote what was refused, and is told by its kind alone."""
FIELDS = frozenset({"email_address", "template_id", "personalisation", "reference", "content", "postage"})

logging.getLogger("notifications_python_client").setLevel(logging.ERROR)  # its warnings quote what was refused, and so may name somebody

LINK = "link_to_file"
"""The field of the email template that becomes the link to the letter as a file."""
NO_FILE = "There is no file. This email holds the whole letter, as text."
"""What stands in place of the link for a customer who gets plain text, as agreed."""
TOO_LARGE = "The letter is larger than the two megabytes that GOV.UK Notify takes."
Json = dict[str, object]


class Client(Protocol):
    """What is used of Notify's own client, which has no types."""

    def send_precompiled_letter_notification(self, reference: str, pdf_file: BytesIO, postage: str) -> object: ...

    def send_email_notification(
        self, email_address: str, template_id: str | None, personalisation: Json, reference: str, email_reply_to_id: str | None
    ) -> object: ...

    def get_all_notifications(self, *, reference: str) -> object: ...

    def get_notification_by_id(self, id: str) -> object: ...


class Notify:
    """Hands letters to GOV.UK Notify. Its client is not thread-safe, so each call has one of its own."""

    name = "govuk-notify"
    twice_is_once = False

    def __init__(
        self,
        key: SecretStr,
        *,
        template: str | None = None,
        reply_to: str | None = None,
        file_weeks: int | None = None,
        host: str = HOST,
        quiet: timedelta = QUIET,
    ) -> None:
        """`file_weeks` is for how long the letter can be fetched as a file, where the template has a field for the link; else none goes."""
        self.file_weeks = file_weeks
        self.key, self.template, self.reply_to, self.host, self.quiet = key, template, reply_to, host, quiet

    def __repr__(self) -> str:
        return f"Notify(host={self.host!r})"

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        """Returns today for an email; for a letter the next working day after the day on which it is in by half past five."""
        day = london_date(at)
        if method == "email":
            return day
        if at.astimezone(LONDON).time() >= CUT_OFF:
            day += timedelta(days=1)
        return add_working_days(day, 1, calendar)[0]

    def hand_over(self, parcel: Parcel) -> Handed:
        """Take one letter or email."""
        if parcel.method == "email":
            return self._email(parcel)
        if len(parcel.files["pdf"]) > BIGGEST:
            raise Declined(TOO_LARGE)
        pdf = BytesIO(parcel.files["pdf"])
        postage = POSTAGE[parcel.method]
        took = self._offer(lambda client: client.send_precompiled_letter_notification(parcel.reference, pdf, postage=postage), parcel)
        return Handed(id=str(took["id"]), status="pending-virus-check", posted=False)

    def _email(self, parcel: Parcel) -> Handed:
        if not parcel.address:
            raise Declined("The customer has no email address.")
        address = parcel.address
        words: Json = {"subject": parcel.subject, "body": parcel.files["txt"].decode(), **self._link(parcel)}
        took = self._offer(
            lambda client: client.send_email_notification(
                address, self.template, personalisation=words, reference=parcel.reference, email_reply_to_id=self.reply_to
            ),
            parcel,
        )
        return Handed(id=str(took["id"]), status="created")

    def _link(self, parcel: Parcel) -> Json:
        """Returns the letter as a file to be fetched by a link, by whoever knows the address it was sent to; nothing where none is set."""
        if self.file_weeks is None:
            return {}
        pdf = parcel.files.get("pdf")
        if pdf is None:
            return {LINK: NO_FILE}
        if len(pdf) > BIGGEST:
            raise Declined(TOO_LARGE)
        name = re.sub(r"[^a-z0-9]+", "-", parcel.subject.casefold()).strip("-")[:80] or "letter"
        weeks = "1 week" if self.file_weeks == 1 else f"{self.file_weeks} weeks"
        file = prepare_upload(  # type: ignore[no-untyped-call]
            BytesIO(pdf), filename=f"{name}.pdf", confirm_email_before_download=True, retention_period=weeks
        )
        return {LINK: file}

    def find(self, parcel: Parcel) -> Handed | None:
        """Returns the newest letter under this reference that was made since it was first offered; None where none came."""
        listed = self._ask(lambda client: client.get_all_notifications(reference=parcel.reference), parcel.at)
        ours = [one for one in cast(list[Json], listed["notifications"]) if _made_since(one, parcel)]
        if ours:
            newest = max(ours, key=lambda one: str(one["created_at"]))
            return Handed(id=str(newest["id"]), status=str(newest["status"]), posted=parcel.method == "email")
        offered = parcel.offered_at or parcel.at
        if parcel.at - offered > KEPT_FOR:
            raise CannotTell(
                "GOV.UK Notify says nothing of it, but it keeps its list for seven days only and the letter was offered before."
            )
        if parcel.at - offered < self.quiet:
            raise NotNow("GOV.UK Notify does not show it yet; it is asked again before anything is offered.", after=offered + self.quiet)
        return None

    def news(self, id: str, method: Method, at: datetime) -> News:
        """Returns what Notify says of a letter. One that it no longer knows is a person's task."""
        found = self._ask(lambda client: client.get_notification_by_id(id), at)
        status = str(found["status"])
        what, problem = (EMAILS if method == "email" else LETTERS).get(status, WAITS)
        ended = found.get("completed_at") or found.get("sent_at")
        on = london_date(datetime.fromisoformat(str(ended).replace("Z", "+00:00"))) if ended and what != "waits" else None
        return News(status=status, what=what, on=on, problem=problem)

    def _client(self) -> Client:
        made = NotificationsAPIClient(self.key.get_secret_value(), base_url=self.host, timeout=TIMEOUT)  # type: ignore[no-untyped-call]
        return cast(Client, made)

    def _offer(self, call: Callable[[Client], object], parcel: Parcel) -> Json:
        """Returns what Notify answers to a letter. Raises Declined, NotNow or Unclear."""
        try:
            return cast(Json, call(self._client()))
        except APIError as error:
            raise _of_offer(error, parcel) from None

    def _ask(self, call: Callable[[Client], object], at: datetime) -> Json:
        """Returns what Notify answers to a question, which changes nothing there. Raises NotNow, or CannotTell where it knows of none."""
        try:
            return cast(Json, call(self._client()))
        except APIError as error:
            if error.status_code == 404 and error.response is not None:
                raise CannotTell("GOV.UK Notify does not know it any more.") from None
            raise NotNow(f"GOV.UK Notify could not be asked ({_said(error)}).", after=at + _patience(error)) from None


TIMEOUT = (5.0, GIVE_UP_AFTER - 5.0)
"""Seconds to connect, and seconds to wait for the next byte."""
HOUR = timedelta(hours=1)

WAITS = ("waits", None)
LETTERS = {
    "received": ("posted", None),
    "virus-scan-failed": ("blocked", "GOV.UK Notify found something like a virus in the letter."),
    "validation-failed": ("blocked", "GOV.UK Notify cannot print the letter as it is laid out."),
    "permanent-failure": ("blocked", "The printer cannot print the letter."),
    "cancelled": ("blocked", "Somebody cancelled the letter at GOV.UK Notify."),
    "technical-failure": ("uncertain", "GOV.UK Notify failed while it passed the letter to its printer, and asks not to send it again."),
}
"""What becomes of a letter. Delivery of paper is never reported; one that comes back is listed weeks later (evenhand post returned)."""
EMAILS = {
    "delivered": ("delivered", None),
    "permanent-failure": ("returned", "The address does not exist."),
    "temporary-failure": ("returned", "The mail server did not take it in three days: the mailbox may be full."),
    "technical-failure": ("returned", "GOV.UK Notify could not send it."),
}


def _made_since(found: Json, parcel: Parcel) -> bool:
    """Returns whether a letter of this reference can be ours: another installation's, or one of a case since replaced, is older."""
    made = datetime.fromisoformat(str(found["created_at"]).replace("Z", "+00:00"))
    return made >= (parcel.since or parcel.at) - SKEW


def _of_offer(error: APIError, parcel: Parcel) -> Declined | NotNow | Unclear:
    """Returns what an error says of a letter that was offered; what it may have quoted is left out."""
    if error.response is None:
        if _never_connected(error.__cause__):
            return NotNow("GOV.UK Notify cannot be reached.")
        return Unclear("GOV.UK Notify's answer was lost; it is asked whether it has the letter.")
    if error.status_code == 429:
        after = _midnight(parcel) if _kind(error) == "TooManyRequestsError" else parcel.at + timedelta(seconds=60) + _spread(parcel, 60)
        return NotNow(f"GOV.UK Notify takes no more for now ({_said(error)}).", after=after)
    if error.status_code >= 500 or error.status_code in (200, 201, 408):
        return Unclear(f"GOV.UK Notify failed ({_said(error)}); it is asked whether it has the letter.")
    return Declined(f"GOV.UK Notify refused it ({_said(error)}).")


def _never_connected(cause: BaseException | None) -> bool:
    """Returns whether nothing can have left: no connection came to be."""
    if isinstance(cause, ConnectTimeout):
        return True
    inner = cause.args[0] if isinstance(cause, RequestException) and cause.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def _patience(error: APIError) -> timedelta:
    """Returns how long to leave Notify alone after a question that failed: longest where only a person can put it right."""
    if error.response is None or error.status_code >= 500:
        return timedelta(minutes=1)
    return timedelta(minutes=2) if error.status_code == 429 else HOUR


def _midnight(parcel: Parcel) -> datetime:
    """Returns a moment soon after the next midnight UTC, when a day's limit begins anew; another for each letter."""
    tomorrow = parcel.at.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), UTC) + timedelta(seconds=30) + _spread(parcel, 900)


def _spread(parcel: Parcel, seconds: int) -> timedelta:
    return timedelta(seconds=int.from_bytes(hashlib.sha256(parcel.reference.encode()).digest()[:4], "big") % seconds)


def _errors(error: APIError) -> list[Json]:
    try:
        found = error.response.json()["errors"] if error.response is not None else []
        return [one for one in found if isinstance(one, dict)]
    except (ValueError, KeyError, TypeError):
        return []


def _kind(error: APIError) -> str:
    return next((str(one.get("error")) for one in _errors(error)), "")


def _said(error: APIError) -> str:
    """Returns an error as a record may keep it: status, kinds, the fields it names, and its words only where they name nobody."""
    if error.response is None:
        return "no answer"
    told = []
    for one in _errors(error):
        kind, message = str(one.get("error")), str(one.get("message"))
        words = next((safe for safe in SAFE if message.startswith(safe)), None)
        field = message.split(" ", 1)[0]
        about = f"{kind}: {words}" if words else f"{kind} about {field}" if field in FIELDS else kind
        told.append(about if kind.isidentifier() else "an error")
    hint = "; the key or this machine's clock is wrong" if error.status_code in (401, 403) else ""
    return " ".join((str(error.status_code), "; ".join(told))).strip() + hint
