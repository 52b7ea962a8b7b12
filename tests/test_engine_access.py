"""A real engine behind mutual TLS: a profile with a certificate gets in, everybody else is told what is wrong; no key is ever shown."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ruamel.yaml import YAML
from temporalio import activity
from temporalio.worker import Worker

from activities.in_step import compare
from activities.outcome import Act, Outcome
from starter.clock import now
from tests.engine import Office, evenhand, office, report, server  # noqa: F401  # fixtures
from worker.profile import NoProfile, _profile, connection
from worker.run import connect
from worker.settings import Settings
from workflows.case import CaseWorkflow


class Signed(NamedTuple):
    """A certificate with its key, as files."""

    cert: Path
    key: Path


class Authority:
    """Certificates of one authority, made for a test."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} (test)")])
        self.cert = self._builder(subject, subject, self.key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self.subject = subject
        self.file.write_bytes(self.cert.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        at = now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - dt.timedelta(days=1))
            .not_valid_after(at + dt.timedelta(days=30))
        )

    def signed(self, name: str) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        here = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = self._builder(subject, self.subject, key).add_extension(here, False).sign(self.key, hashes.SHA256())
        found = Signed(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        found.cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        found.key.write_bytes(private)
        return found


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Guarded(NamedTuple):
    """An engine that only certificates of one authority reach."""

    address: str
    ours: Authority
    folder: Path

    def profile(self, name: str = "worker", **lines: object) -> Settings:
        """Returns settings with a profile in a file."""
        signed = self.ours.signed(name)
        facts = {"server_ca_cert_path": self.ours.file, "client_cert_path": signed.cert, "client_key_path": signed.key, **lines}
        tls = "\n".join(f'{key} = "{value}"' for key, value in facts.items() if value is not None)
        file = self.folder / "temporal.toml"
        file.write_text(f'[profile.{name}]\naddress = "{self.address}"\nnamespace = "default"\n\n[profile.{name}.tls]\n{tls}\n')
        return Settings(temporal_profile=name, temporal_config=file)


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(server, tmp_path: Path) -> AsyncIterator[Guarded]:
    """The development server has no TLS of its own: a relay before it asks for it, on both sides, as the server's frontend would."""
    host, port = server.client.service_client.config.target_host.split(":")
    ours = Authority(tmp_path, "ours")
    own = ours.signed("frontend")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    context.load_verify_locations(ours.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    listening = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    yield Guarded(f"127.0.0.1:{listening.sockets[0].getsockname()[1]}", ours, tmp_path)
    listening.close()


async def reached(settings: Settings) -> bool:
    client = await connect(settings)
    return await client.service_client.check_health()


async def test_a_profile_with_a_certificate_of_ours_reaches_the_engine(guarded: Guarded):
    assert await reached(guarded.profile())


async def test_without_a_certificate_or_with_a_strangers_nobody_gets_in(guarded: Guarded):
    stranger = Authority(guarded.folder, "stranger").signed("worker-of-theirs")
    refused = [
        guarded.profile(client_cert_path=None, client_key_path=None),
        guarded.profile(client_cert_path=stranger.cert, client_key_path=stranger.key),
        guarded.profile(server_ca_cert_path=Authority(guarded.folder, "another").file),
        Settings(temporal_address=guarded.address),
    ]
    counted = 0
    for settings in refused:
        with pytest.raises(RuntimeError, match=r"[Cc]onnect"):
            await connect(settings)
        counted += 1
    assert counted == 4


async def test_the_command_line_says_in_one_line_that_it_may_not_in(guarded: Guarded):
    settings = guarded.profile(client_cert_path=None, client_key_path=None)
    env = {"EVENHAND_TEMPORAL_PROFILE": settings.temporal_profile, "EVENHAND_TEMPORAL_CONFIG": str(settings.temporal_config)}

    done = await asyncio.to_thread(evenhand, "case", "act", "mmo/1", "assess", "--by", "olive-officer", env=env)

    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert done.stderr.startswith("evenhand: The Temporal server cannot be reached")


FILE = '[profile.worker]\naddress = "engine.example.org:7233"\nnamespace = "evenhand"\napi_key = "SECRET-KEY"\n'


def written(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "temporal.toml"
    file.write_text(text)
    return Settings(temporal_profile="worker", temporal_config=file, temporal_address="elsewhere:1", temporal_namespace="other")


def test_a_profile_goes_before_the_settings_and_an_api_key_goes_by_tls(tmp_path: Path):
    found = connection(written(tmp_path, FILE))

    assert (found["target_host"], found["namespace"], found["api_key"], found["tls"]) == (
        "engine.example.org:7233", "evenhand", "SECRET-KEY", True,
    )  # fmt: skip


def test_what_a_profile_leaves_out_the_settings_say(tmp_path: Path):
    found = connection(written(tmp_path, "[profile.worker]\n"))

    assert (found["target_host"], found["namespace"]) == ("elsewhere:1", "other")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FILE.replace("worker", "workers"), r"no profile worker; it would stand under \[profile.worker\]"),
        (FILE + 'adress = "SECRET-KEY"\n', "line 5, column 1: unknown field `adress`, expected one of `address`"),
        (FILE.replace('KEY"', "KEY"), "line 4, column 22: no TOML"),
        (FILE.replace('"SECRET-KEY"', "[1]"), "line 4, column 11: no TOML"),
        (FILE + "[profile.worker.tls]\ndisabled = true\n", "would send its API key without TLS"),
        (
            FILE + '[profile.worker.tls]\nclient_cert_path = "/nowhere.pem"\nclient_key_path = "/nowhere.key"\n',
            "/nowhere.pem: No such file",
        ),
        (FILE + '[profile.worker.tls]\nclient_cert_data = "SECRET-KEY"\n', "one of client_cert_path and client_key_path"),
    ],
)
def test_a_profile_that_cannot_be_used_says_where_and_quotes_nothing(tmp_path: Path, text: str, says: str):
    with pytest.raises(NoProfile, match=says) as refused:
        connection(written(tmp_path, text))

    assert "SECRET" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NoProfile, match=r"There is no file .*none\.toml"):
        connection(Settings(temporal_profile="worker", temporal_config=tmp_path / "none.toml"))


HOME = Path(__file__).resolve().parent.parent
ACCESS = HOME / "deploy" / "access"


def test_each_profile_of_the_template_can_be_read():
    """Strictly: a misspelt key in it would be copied into every installation."""
    for name in ("worker", "service", "operator"):
        profile = _profile(name, ACCESS / "temporal.toml")
        assert (profile.address, profile.namespace) == ("temporal:7233", "evenhand")
        assert profile.api_key and profile.tls and profile.tls.client_cert and profile.tls.client_private_key and profile.tls.server_name


def test_the_template_names_services_and_settings_that_there_are():
    """What it adds to docker-compose.yml; each program's permissions are those of the page."""
    added, base = (YAML(typ="safe").load(path)["services"] for path in (ACCESS / "compose.yaml", HOME / "docker-compose.yml"))
    assert set(added) <= set(base) and len(added) == 5
    ours = {name.removeprefix("EVENHAND_").lower() for one in added.values() for name in one["environment"] if name.startswith("EVENHAND_")}
    assert ours == {"temporal_profile", "temporal_config", "codec_origin", "codec_issuer", "codec_audience"} and ours <= set(
        Settings.model_fields
    )
    page = (HOME / "docs" / "access.md").read_text(encoding="utf-8")
    permissions = json.loads((ACCESS / "permissions.json").read_text(encoding="utf-8"))
    for who, allowed in permissions.items():
        assert re.search(rf"^\| {who}[\w -]* \| `{allowed[0]}` ", page.replace("set-up", "setup"), re.MULTILINE), who


async def test_an_answer_forged_on_the_task_queue_shows_and_stops_the_case(office: Office):
    """docs/access.md: whoever polls the queue can answer in the worker's place; records and engine then differ, and nothing goes on."""
    await office.open("forged/1")
    queue = f"{office.queue}-of-a-stranger"

    @activity.defn(name="act")
    async def forged(given: Act) -> Outcome:
        return Outcome(command=str(given.message["id"]), result="accepted", answer="Restricted.", seq=99, stage="restricted", body="mmo")

    await office.client.start_workflow(
        "Case", {"carry": 1}, id="forged/2", task_queue=queue
    )  # a case that the records do not hold: the stranger's worker is the only one there
    async with Worker(office.client, task_queue=queue, workflows=[CaseWorkflow], activities=[forged]):
        answered = await office.cases.submit_message("forged/2", report())
        found = {one.case: one.state for one in await compare(office.client, office.records)}
    await office.handle("forged/2").terminate("the test is over")

    assert answered.accepted, "the sender is told what the stranger says"
    assert (found["forged/1"], found["forged/2"]) == ("in step", "records behind")
    assert office.row("forged/2") is None, "and the records hold none of it"
