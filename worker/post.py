"""The post room, from the settings: which carrier takes email and which takes paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from activities.carriers.carrier import Carrier, Method
from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from activities.carriers.smtp import PLAIN, Security, Smtp
from worker.settings import Settings

ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EMAIL, PAPER = ("outbox", "smtp", "notify"), ("outbox", "notify")
POSTAGE: dict[str, Method] = {"first": "first-class-post", "second": "second-class-post", "economy": "economy-post"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NoPost(Exception):
    """The settings name a carrier that cannot work; says each setting that is wrong, what was found, and what would be right."""


def post_of(settings: Settings) -> Post:
    """Returns the carriers that the settings name; staff are written to by the mail server, where one is named. Raises NoPost."""
    wrong = list(_wrong(settings))
    if wrong:
        raise NoPost("The letters cannot be sent as the settings say:\n" + "\n".join(f"  {one}" for one in wrong))
    outbox = Outbox(settings.letters)
    notify = _notify(settings) if uses_notify(settings) else outbox
    carriers: dict[str, Carrier] = {"outbox": outbox, "notify": notify}
    if settings.email_carrier == "smtp":
        carriers["smtp"] = _smtp(settings)
    staff = _smtp(settings) if settings.smtp_host else None
    return Post(
        email=carriers[settings.email_carrier], paper=carriers[settings.paper_carrier], outbox=outbox, staff=staff,
        class_of_post=class_of_post(settings)
    )  # fmt: skip


def class_of_post(settings: Settings) -> Method:
    """Returns by which class letters on paper go: Notify's as the setting says; a person posts first class."""
    return POSTAGE.get(settings.notify_postage, "first-class-post") if settings.paper_carrier == "notify" else "first-class-post"


def uses_notify(settings: Settings) -> bool:
    return "notify" in (settings.email_carrier, settings.paper_carrier)


def only_outbox(settings: Settings) -> bool:
    """Returns whether every letter stays in a folder here."""
    return settings.email_carrier == settings.paper_carrier == "outbox"


def _smtp(settings: Settings) -> Smtp:
    return Smtp(
        settings.smtp_host, sender=settings.smtp_from, port=settings.smtp_port, security=cast(Security, settings.smtp_security),
        user=settings.smtp_user or None, password=settings.smtp_password, authority=settings.smtp_authority,
    )  # fmt: skip


def _notify(settings: Settings) -> Carrier:
    from activities.carriers.notify import Notify  # its client is read in only where it is used

    return Notify(
        settings.notify_api_key, template=settings.notify_email_template or None, reply_to=settings.notify_reply_to or None,
        file_weeks=settings.notify_file_weeks if settings.notify_email_file == "yes" else None, host=settings.notify_url,
    )  # fmt: skip


def _wrong(settings: Settings) -> Iterator[str]:
    if settings.email_carrier not in EMAIL:
        yield _found("EVENHAND_EMAIL_CARRIER", settings.email_carrier, f"one of {', '.join(EMAIL)}")
    if settings.paper_carrier not in PAPER:
        why = "; a mail server takes no paper" if settings.paper_carrier == "smtp" else ""
        yield _found("EVENHAND_PAPER_CARRIER", settings.paper_carrier, f"one of {', '.join(PAPER)}{why}")
    if settings.email_carrier == "smtp" or settings.smtp_host:
        yield from _wrong_smtp(settings)
    if uses_notify(settings):
        yield from _wrong_notify(settings)


def _wrong_smtp(settings: Settings) -> Iterator[str]:
    if not settings.smtp_host:
        yield _found("EVENHAND_SMTP_HOST", "", "the name of the mail server")
    if not PLAIN.fullmatch(settings.smtp_from):
        yield _found("EVENHAND_SMTP_FROM", settings.smtp_from, "the email address that letters come from")
    if settings.smtp_security not in ("starttls", "tls", "none"):
        yield _found("EVENHAND_SMTP_SECURITY", settings.smtp_security, "starttls, tls or none")
    if settings.smtp_security == "none" and settings.smtp_host not in LOOPBACK:
        yield _found("EVENHAND_SMTP_SECURITY", "none", "starttls or tls: without, letters cross the network open to read")
    if bool(settings.smtp_user) != bool(settings.smtp_password.get_secret_value()):
        missing = "EVENHAND_SMTP_PASSWORD" if settings.smtp_user else "EVENHAND_SMTP_USER"
        yield _found(missing, "", "set together with its other half, or neither")
    if settings.smtp_authority and not settings.smtp_authority.is_file():
        yield _found("EVENHAND_SMTP_AUTHORITY", str(settings.smtp_authority), "a file of certificates (PEM)")


def _wrong_notify(settings: Settings) -> Iterator[str]:
    key = settings.notify_api_key.get_secret_value()
    if not re.search(rf"{ID}-{ID}$", key):
        what = "something that is no key of Notify" if key else ""
        yield _found("EVENHAND_NOTIFY_API_KEY", what, "name-service id-secret, as GOV.UK Notify shows it once under API integration")
    if settings.email_carrier == "notify" and not re.fullmatch(ID, settings.notify_email_template):
        right = "the id of an email template whose subject is ((subject)) and whose body is ((body))"
        yield _found("EVENHAND_NOTIFY_EMAIL_TEMPLATE", settings.notify_email_template, right)
    if settings.notify_email_file not in ("yes", "no"):
        yield _found("EVENHAND_NOTIFY_EMAIL_FILE", settings.notify_email_file, "yes (the template has ((link_to_file)) too) or no")
    if not 1 <= settings.notify_file_weeks <= 78:
        yield _found("EVENHAND_NOTIFY_FILE_WEEKS", str(settings.notify_file_weeks), "from 1 to 78 weeks")
    if settings.notify_postage not in POSTAGE:
        yield _found("EVENHAND_NOTIFY_POSTAGE", settings.notify_postage, f"one of {', '.join(POSTAGE)}")
    if settings.notify_reply_to and not re.fullmatch(ID, settings.notify_reply_to):
        yield _found("EVENHAND_NOTIFY_REPLY_TO", settings.notify_reply_to, "the id of a reply-to address, or nothing")
    url = urlsplit(settings.notify_url)
    if url.scheme != "https" and url.hostname not in LOOPBACK:
        yield _found("EVENHAND_NOTIFY_URL", settings.notify_url, "an https address; the default is GOV.UK Notify's own")
    if settings.post_round_minutes < 1:
        yield _found("EVENHAND_POST_ROUND_MINUTES", str(settings.post_round_minutes), "1 or more")


def _found(setting: str, found: str, right: str) -> str:
    return f"{setting} is {found or 'not set'}; it must be {right}."
