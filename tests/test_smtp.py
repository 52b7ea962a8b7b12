"""Letters by the body's own mail server, against a real one: what arrives, what each failure means, and nothing twice."""

from __future__ import annotations

import asyncio
import email
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from email import policy
from email.message import EmailMessage
from pathlib import Path
from time import sleep

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr

import activities.carriers.smtp as module
from activities.carriers.carrier import CannotTell, Declined, NotNow, Parcel, Unclear
from activities.carriers.smtp import Smtp, address_of
from activities.carriers.staff import StaffEmail, StaffOutbox
from tests.engine import free_port
from worker.post import NoPost, post_of
from worker.settings import Settings

AT = datetime(2027, 3, 1, 10, 0, tzinfo=timezone.utc)
FROM = "decisions@body.example"


def parcel(**facts: object) -> Parcel:
    files = {"pdf": b"%PDF-1.7 sample", "html": "<p>Zoë</p>\n".encode(), "txt": "Dear Zoë\n.\n.hidden\n\nYours\n".encode()}
    given = {
        "case": "mmo/2027:1", "name": "n1", "at": AT, "reference": "mmo/2027:1/n1", "method": "email", "to": "Zoë Testcase",
        "address": "zoe.testcase@example.org", "subject": "decision letter", "sender": "The Body", "files": files,
    }  # fmt: skip
    return Parcel.model_validate({**given, **facts})


class Sink:
    """A mail server's mind: it keeps what it takes, and answers as it was told."""

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.cut_after_data = False
        self.sessions: list[Session] = []

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            found = email.message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(found, EmailMessage)
            self.kept.append(found)
            self.envelopes.append(envelope)
            self.sessions.append(session)
        if self.cut_after_data:
            assert server.transport is not None
            server.transport.abort()
            await asyncio.sleep(0.1)
        return answer


@contextmanager
def serving(sink: Sink, **how: object) -> Iterator[int]:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port(), **how)  # type: ignore[arg-type]
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def mail(sink: Sink) -> Iterator[Smtp]:
    with serving(sink) as port:
        yield Smtp("127.0.0.1", port=port, sender=FROM, security="none")


def test_a_letter_arrives_as_text_as_html_and_as_pdf_from_the_body_to_the_customer(mail: Smtp, sink: Sink):
    handed = mail.hand_over(parcel())

    (got,), (envelope,) = sink.kept, sink.envelopes
    assert handed.posted and handed.id is None
    assert (envelope.mail_from, envelope.rcpt_tos) == (FROM, ["zoe.testcase@example.org"])
    assert (got["From"], got["To"], got["Subject"]) == (f"The Body <{FROM}>", "Zoë Testcase <zoe.testcase@example.org>", "decision letter")
    assert got["Date"].datetime == AT
    text, html = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None and text.get_content().splitlines() == ["Dear Zoë", ".", ".hidden", "", "Yours"]
    assert html is not None and html.get_content().splitlines() == ["<p>Zoë</p>"]
    (pdf,) = got.iter_attachments()
    assert (pdf.get_content_type(), pdf.get_filename(), pdf.get_content()) == ("application/pdf", "n1.pdf", b"%PDF-1.7 sample")


def test_the_message_id_comes_from_the_reference_so_that_the_same_letter_has_the_same(mail: Smtp, sink: Sink):
    mail.hand_over(parcel())
    mail.hand_over(parcel())

    assert [one["Message-ID"] for one in sink.kept] == ["<mmo%2F2027%3A1%2Fn1@body.example>"] * 2


def test_a_person_decided_so_an_absence_note_is_welcome(mail: Smtp, sink: Sink):
    """RFC 3834 would have absence notes suppressed; a body wants to know that nobody reads."""
    mail.hand_over(parcel())

    assert sink.kept[0]["Auto-Submitted"] is None


BAD_ADDRESSES = (
    "", "nobody", "a@b\r\nBcc: c@d.example", "a@b, c@d.example", "a@b c@d.example", "<a@b.example>", "a@b.example\n", "\"a b\"@c.example",
    "a@b@c.example", "a(b)@c.example", "a@b.example\x00", "ä@b.example", "a@" + "b" * 260, "a@b..example", "@b.example", ".a@b.example",
)  # fmt: skip


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=repr)
def test_what_is_no_address_goes_nowhere_and_is_not_quoted(mail: Smtp, sink: Sink, address: str):
    if address.strip() != address and address.strip() == "a@b.example":
        assert address_of(address) == "a@b.example"
        return
    with pytest.raises(Declined) as declined:
        mail.hand_over(parcel(address=address))

    assert not sink.kept
    assert len(address) < 3 or address not in str(declined.value)


@pytest.mark.parametrize("field", ["to", "subject", "sender"])
@pytest.mark.parametrize(
    "text",
    ["A\r\nBcc: other@example.org", "A\nX-Evil: 1", "A\x00B", "A\u2028B", "A\x0bBcc: x@y", 'A" <x@y.example>', "=?utf-8?q?A=0ABcc:_x?="],
)
def test_no_text_can_put_a_line_into_the_head_of_a_letter(mail: Smtp, sink: Sink, field: str, text: str):
    mail.hand_over(parcel(**{field: text}))

    (got,), (envelope,) = sink.kept, sink.envelopes
    assert set(got.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
    assert envelope.rcpt_tos == ["zoe.testcase@example.org"]
    assert [one.addr_spec for one in got["To"].addresses] == ["zoe.testcase@example.org"]
    assert [one.addr_spec for one in got["From"].addresses] == [FROM]


def test_a_name_in_another_script_as_a_domain_is_written_as_mail_servers_know_it(mail: Smtp, sink: Sink):
    mail.hand_over(parcel(address="zoe@bücher.example"))

    assert sink.envelopes[0].rcpt_tos == ["zoe@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("MAIL", "451 later", NotNow), ("MAIL", "550 who are you", NotNow), ("RCPT", "450 greylisted", NotNow),
        ("RCPT", "550 no such user zoe.testcase@example.org", Declined), ("DATA", "452 full", NotNow), ("DATA", "554 spam", Declined),
    ],
)  # fmt: skip
def test_what_a_server_answers_decides_whether_it_is_tried_again(mail: Smtp, sink: Sink, step: str, answer: str, kind: type[Exception]):
    sink.answers[step] = answer

    with pytest.raises(kind) as raised:
        mail.hand_over(parcel())

    assert not sink.kept
    assert "zoe" not in str(raised.value) and answer[:3] in str(raised.value)


def test_an_answer_lost_after_the_letter_is_unclear_and_nobody_can_be_asked(mail: Smtp, sink: Sink):
    sink.cut_after_data = True

    with pytest.raises(Unclear):
        mail.hand_over(parcel())

    assert len(sink.kept) == 1, "it had arrived"
    with pytest.raises(CannotTell):
        mail.find(parcel())


def test_a_server_that_is_not_there_took_nothing():
    with pytest.raises(NotNow, match="ConnectionRefusedError"):
        Smtp("127.0.0.1", port=free_port(), sender=FROM, security="none").hand_over(parcel())


@contextmanager
def saying(*answers: bytes, slowly: float = 0) -> Iterator[int]:
    """A server that gives one answer a line, and then nothing more."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line, line.makefile("rb") as heard:
                for n, answer in enumerate(answers):
                    if n:
                        heard.readline()
                    sleep(slowly)
                    with suppress(OSError):
                        line.sendall(answer)
                    if answer.startswith(b"354"):
                        return
                heard.readline()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ((b"554 go away\r\n",), NotNow),
        ((b"220 hello\r\n", b"250 hi\r\n"), NotNow),
        ((b"220 hello\r\n", b"250 hi\r\n", b"250 ok\r\n"), NotNow),
        ((b"220 hello\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n"), NotNow),
        ((b"220 hello\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"), Unclear),
    ],
    ids=["greeting", "hello", "sender", "recipient", "letter"],
)
def test_a_line_that_breaks_took_nothing_before_the_letter_and_who_knows_after_it(answers: tuple[bytes, ...], kind: type[Exception]):
    with saying(*answers) as port, pytest.raises(kind):
        Smtp("127.0.0.1", port=port, sender=FROM, security="none").hand_over(parcel())


def test_a_server_that_dawdles_has_one_limit_for_all_its_steps_together(monkeypatch: pytest.MonkeyPatch):
    """A time-out for each step alone would let an attempt run into the next one."""
    monkeypatch.setattr(module, "GIVE_UP_AFTER", 0.5)
    answers = (b"220 hello\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")
    with saying(*answers, slowly=0.2) as port, pytest.raises(NotNow):
        Smtp("127.0.0.1", port=port, sender=FROM, security="none").hand_over(parcel())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "made.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(made), "-days", "3650",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return key, made


def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    return context


def test_a_login_goes_only_over_a_line_that_is_sealed(sink: Sink, certificate: tuple[Path, Path]):
    heard = []

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        heard.append((data.login, data.password))  # type: ignore[attr-defined]
        return AuthResult(success=data.password == b"sample-word")  # type: ignore[attr-defined]

    how = {"tls_context": tls(certificate), "require_starttls": True, "auth_required": True, "authenticator": check}
    with serving(sink, **how) as port:
        mail = Smtp("localhost", port=port, sender=FROM, user="evenhand", password=SecretStr("sample-word"), authority=certificate[1])
        wrong = Smtp("localhost", port=port, sender=FROM, user="evenhand", password=SecretStr("other"), authority=certificate[1])

        assert mail.hand_over(parcel()).posted
        with pytest.raises(NotNow):
            wrong.hand_over(parcel())

    assert heard[0] == (b"evenhand", b"sample-word")
    assert sink.sessions[0].ssl is not None
    assert "sample-word" not in repr(mail.__dict__)


def test_a_server_whose_certificate_nobody_signed_gets_no_letter(sink: Sink, certificate: tuple[Path, Path]):
    with serving(sink, tls_context=tls(certificate)) as port, pytest.raises(NotNow, match="SSLCertVerificationError"):
        Smtp("localhost", port=port, sender=FROM).hand_over(parcel())

    assert not sink.kept


def test_a_server_without_starttls_gets_no_letter_in_the_open(sink: Sink):
    with serving(sink) as port, pytest.raises(NotNow, match="SMTPNotSupportedError"):
        Smtp("127.0.0.1", port=port, sender=FROM).hand_over(parcel())

    assert not sink.kept


def test_a_mail_server_takes_no_paper(mail: Smtp):
    with pytest.raises(Declined):
        mail.hand_over(parcel(method="first-class-post"))


# To staff


def test_an_email_to_staff_goes_as_text_and_says_that_a_machine_sent_it(mail: Smtp, sink: Sink):
    """EH-123: its key makes the Message-ID, and no absence note answers it."""
    given = {"to": "robin@example.org", "subject": "Two things wait", "text": "mmo/1: sign p1.", "sender": "MMO"}
    mail.send(StaffEmail(key="mmo/robin/2027-03-10", **given))

    [found] = sink.kept
    assert found["To"] == "robin@example.org" and found["Subject"] == "Two things wait"
    assert found["Auto-Submitted"] == "auto-generated" and "staff%2Fmmo%2Frobin" in found["Message-ID"]
    assert found.get_content_type() == "text/plain" and "sign p1" in found.get_content()


def test_a_member_of_staff_without_an_address_that_works_is_declined_and_not_quoted(mail: Smtp, sink: Sink):
    with pytest.raises(Declined) as refused:
        mail.send(StaffEmail(key="k", to="robin at example", subject="s", text="t", sender="MMO"))

    assert "robin" not in str(refused.value) and sink.kept == []


def test_staff_are_written_to_by_the_mail_server_whatever_carries_letters():
    """Where one is named; else their emails lie in the outbox."""
    server = {"smtp_host": "mail.body.example", "smtp_from": "cases@body.example"}

    assert isinstance(post_of(Settings(**server)).staff_mail, Smtp)
    assert isinstance(post_of(Settings()).staff_mail, StaffOutbox)
    with pytest.raises(NoPost, match="EVENHAND_SMTP_FROM"):
        post_of(Settings(smtp_host="mail.body.example"))
