"""Email by the body's own mail server. It keeps no list to ask, so an answer that is lost after the letter went over the line is a
person's task and never a second letter."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from time import monotonic
from typing import Literal
from urllib.parse import quote

from pydantic import SecretStr

from activities.carriers.carrier import GIVE_UP_AFTER, CannotTell, Declined, Handed, Method, News, NotNow, Parcel, Unclear
from activities.carriers.staff import StaffEmail
from domain.days import Calendar, london_date

Security = Literal["starttls", "tls", "none"]
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")
PLAIN = re.compile(rf"{ATEXT}([.]{ATEXT})*@[^@\s<>(),:;\\\"\[\]\x00-\x20\x7f]+")
"""An address as people have them: no quoting, no comments, nothing that could end a header or name a second recipient."""
NO_ADDRESS = "The email address is none that a letter can be sent to."


class Smtp:
    """Sends one email a letter: its text, and unless the customer gets plain text alone the same as HTML, and the letter itself as PDF."""

    name = "smtp"
    twice_is_once = False

    def __init__(
        self, host: str, *, sender: str, port: int = 587, security: Security = "starttls", user: str | None = None,
        password: SecretStr | None = None, authority: Path | None = None,
    ) -> None:  # fmt: skip
        """`sender` is the address that letters come from. `authority` is a file of certificates to trust besides the usual."""
        self.host, self.port, self.sender, self.security = host, port, sender, security
        self.user, self.password, self.authority = user, password, authority

    def posts_on(self, at: datetime, method: Method, calendar: Calendar) -> date:
        return london_date(at)

    def hand_over(self, parcel: Parcel) -> Handed:
        """Send one email, within `GIVE_UP_AFTER` seconds for all its steps together."""
        if parcel.method != "email":
            raise Declined("A mail server takes no paper.")
        to = address_of(parcel.address)
        self._taken(to, message_of(parcel, to=to, sender=self.sender))
        return Handed(status="taken by the mail server")

    def send(self, email: StaffEmail) -> None:
        """Send one email to staff, in the same way."""
        to = address_of(email.to)
        self._taken(to, staff_message_of(email, to=to, sender=self.sender))

    def _taken(self, to: str, message: EmailMessage) -> None:
        content = message.as_bytes(policy=SEVEN_BIT)
        with self._connected(monotonic() + GIVE_UP_AFTER) as server:
            self._addressed(server, to)
            _answered(server, content)
            with suppress(OSError, smtplib.SMTPException):  # it has the letter, whatever becomes of the farewell
                server.turn().docmd("QUIT")

    def find(self, parcel: Parcel) -> Handed | None:
        raise CannotTell("The mail server's answer was lost, and it keeps no list to ask. The email may have gone.")

    def news(self, id: str, method: Method, at: datetime) -> News:
        raise CannotTell("A mail server says nothing of an email that it took.")

    @contextmanager
    def _connected(self, ends: float) -> Iterator[_Line]:
        """Yields a line to the server, logged in. Whatever fails before the letter is on it is NotNow."""
        try:
            line = self._opened(ends)
        except (OSError, smtplib.SMTPException) as problem:  # an SMTPException's text may quote what was sent; its kind does not
            raise NotNow(f"The mail server cannot be used ({type(problem).__name__}).") from None
        try:
            yield line
        finally:
            line.server.close()

    def _opened(self, ends: float) -> _Line:
        context = ssl.create_default_context()
        if self.authority:
            context.load_verify_locations(self.authority)
        left = ends - monotonic()
        if self.security == "tls":
            line = _Line(smtplib.SMTP_SSL(self.host, self.port, timeout=left, context=context), ends)
        else:
            line = _Line(smtplib.SMTP(self.host, self.port, timeout=left), ends)
        try:
            line.turn().ehlo_or_helo_if_needed()
            if self.security == "starttls":
                line.turn().starttls(context=context)
                line.turn().ehlo_or_helo_if_needed()
            if self.user:
                line.turn().login(self.user, self.password.get_secret_value() if self.password else "")
        except BaseException:
            line.server.close()
            raise
        return line

    def _addressed(self, line: _Line, to: str) -> None:
        """Name sender and recipient. Raises Declined where the server will never take this recipient."""
        try:
            code, _ = line.turn().mail(self.sender)
            if code != 250:
                raise NotNow(f"The mail server does not take letters from this sender ({code}).")
            code, _ = line.turn().rcpt(to)
        except (OSError, smtplib.SMTPException) as problem:
            raise NotNow(f"The mail server broke off ({type(problem).__name__}).") from None
        if code >= 500:
            raise Declined(f"The mail server refused the address ({code}).")
        if code not in (250, 251):
            raise NotNow(f"The mail server does not take the address for now ({code}).")


class _Line:
    """A connection whose every step has only the time that is left for all."""

    def __init__(self, server: smtplib.SMTP, ends: float) -> None:
        self.server, self.ends = server, ends

    def turn(self) -> smtplib.SMTP:
        left = self.ends - monotonic()
        if left <= 0:
            raise TimeoutError
        if self.server.sock is not None:
            self.server.sock.settimeout(left)
        return self.server


def _answered(line: _Line, content: bytes) -> None:
    """Put the letter on the line and hear the answer. Raises Unclear where it may be over there and nobody said so."""
    try:
        code, _ = line.turn().docmd("DATA")
    except (OSError, smtplib.SMTPException) as problem:
        raise NotNow(f"The mail server broke off before the letter ({type(problem).__name__}).") from None
    _judge(code, wanted=354)
    body = re.sub(rb"(?m)^[.]", b"..", content)
    try:
        line.turn().send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, _ = line.turn().getreply()
    except (OSError, smtplib.SMTPException):
        raise Unclear("The mail server's answer to the letter was lost.") from None
    _judge(code, wanted=250)


def _judge(code: int, *, wanted: int) -> None:
    if code == wanted:
        return
    if code >= 500:
        raise Declined(f"The mail server refused the letter ({code}).")
    if 400 <= code < 500:
        raise NotNow(f"The mail server does not take the letter for now ({code}).")
    raise Unclear(f"The mail server's answer to the letter makes no sense ({code}).")


def address_of(given: str | None) -> str:
    """Returns an address that mail can go to. Raises Declined, which quotes nothing."""
    found = (given or "").strip()
    if not PLAIN.fullmatch(found) or len(found) > 254:
        raise Declined(NO_ADDRESS)
    local, domain = found.rsplit("@", 1)
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise Declined(NO_ADDRESS) from None


def message_of(parcel: Parcel, *, to: str, sender: str) -> EmailMessage:
    """Returns the email. It carries no Auto-Submitted: a person decided what it says, and an answer or an absence note is welcome."""
    made = _headed(parcel.sender, sender, name=parcel.to, to=to, subject=parcel.subject, key=parcel.reference)
    made["Date"] = format_datetime(parcel.at)
    made.set_content(parcel.files["txt"].decode())
    if "html" in parcel.files:
        made.add_alternative(parcel.files["html"].decode(), subtype="html")
    if "pdf" in parcel.files:
        made.add_attachment(parcel.files["pdf"], maintype="application", subtype="pdf", filename=f"{_file(parcel.name)}.pdf")
    return made


def staff_message_of(email: StaffEmail, *, to: str, sender: str) -> EmailMessage:
    """Returns an email to staff: sent by a machine, and says so, so that no absence note answers it."""
    made = _headed(email.sender, sender, name="", to=to, subject=email.subject, key=f"staff/{email.key}")
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(email.text)
    return made


def _headed(body: str, sender: str, *, name: str, to: str, subject: str, key: str) -> EmailMessage:
    made = EmailMessage(policy=SEVEN_BIT)
    try:
        made["From"] = Address(_one_line(body), addr_spec=sender)
        made["To"] = Address(_one_line(name), addr_spec=to)
        made["Subject"] = _one_line(subject)
    except (MessageError, ValueError, IndexError):
        raise Declined(NO_ADDRESS) from None
    made["Message-ID"] = f"<{quote(key, safe='')}@{sender.rsplit('@', 1)[1]}>"
    return made


def _one_line(text: str) -> str:
    """Returns a text without anything that could end a line or hide in one: an encoded word in it would be decoded, line ends and all."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(plain.replace("=?", "= ?").split())


def _file(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", name)
