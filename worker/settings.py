"""Every setting, with its default for a first try. In production each comes from the environment (EVENHAND_...)."""

from __future__ import annotations

import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from worker.local_server import is_temporal

NOT_RUNNING = ""
"""The address of a default run that is not running."""
HOME = Path(__file__).resolve().parent.parent


class ServerNote(BaseModel):
    """Where the default run's server listens, noted beside its database for whoever comes later."""

    address: str
    ui_port: int
    pid: int

    @staticmethod
    def file(var: Path) -> Path:
        return var / "server.json"

    @classmethod
    def read(cls, var: Path) -> ServerNote | None:
        """Returns the note, or None where there is none or none that can be read: a machine that lost its power may leave half a file."""
        try:
            return cls.model_validate_json(cls.file(var).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, var: Path) -> None:
        """Note it whole or not at all: whoever reads meanwhile finds the old note or the new."""
        temporary = self.file(var).with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(self.model_dump_json(), encoding="utf-8")
        temporary.replace(self.file(var))


class Settings(BaseSettings):
    """What a worker and a client need to find each other and the records. Addresses that may hold a password are secrets as keys are."""

    model_config = SettingsConfigDict(env_prefix="EVENHAND_", extra="ignore", hide_input_in_errors=True)

    var: Path = HOME / "var"
    """Where the default run keeps its databases and letters."""
    database_url: SecretStr = SecretStr("")
    """`database` gives it out."""
    outbox: Path | None = None
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_profile: str = ""
    """A profile of Temporal's own configuration file (temporalio.envconfig): address, namespace, TLS, API key."""
    temporal_config: Path | None = None
    """That file; where Temporal itself looks if empty."""
    task_queue: str = "evenhand"
    keys_url: SecretStr = SecretStr("")
    """The key store's own database, apart from the records; beside a SQLite file of records where nothing is set."""
    master_key: SecretStr = SecretStr("")
    """Master keys that wrap the cases' keys: id:key, several separated by commas, the last wraps new ones."""
    master_key_file: Path | None = None
    """A file of them, a line each; read again whenever it changes."""
    ui_port: int = 8233
    codec_origin: str = ""
    """Where the Temporal UI is, as a browser says it: https://temporal.example.gov.uk; the default run's own where empty."""
    codec_issuer: str = ""
    """The OpenID Connect provider at which readers of payloads sign in, and whom its tokens must be made out to."""
    codec_audience: str = ""
    codec_claim: str = ""
    """Which claim names the reader as the staff lists do; the one of oidc_person_claim where empty."""
    codec_group: str = ""
    """Where set: only who has it among the token's groups may ask; it opens no case by itself (EH-200)."""
    reads_days: int = 30
    """Over how many days evenhand audit attention counts, and from how many of each on somebody is listed."""
    reads_many_cases: int = 50
    reads_not_own: int = 10
    reads_refused: int = 3
    reads_outside: int = 1
    reads_without_why: int = 1
    reads_look_ups: int = 20
    """Look-ups of people at the desk without a contact recorded."""
    health_file: Path | None = None
    """Touched every few seconds by a running worker, for a container's health check."""

    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR: nothing less grave is logged."""
    log_format: str = "auto"
    """json, plain for a person, or auto: plain at a terminal."""
    metrics_address: str = ""
    """Where Prometheus reads what the records hold, as 127.0.0.1:9464; empty is nowhere."""
    engine_metrics_address: str = ""
    """Where it reads what the worker does for the engine, as 127.0.0.1:9465; empty is nowhere."""
    otlp_endpoint: SecretStr = SecretStr("")
    """Where traces go, as http://127.0.0.1:4318; empty is nowhere, unless OTEL_EXPORTER_OTLP_ENDPOINT says."""
    signing_key_file: Path | None = None
    """The private key that signs what this machine sends (PEM, Ed25519). A worker needs none; the default run makes its own."""
    signing_issuer: str = "evenhand"
    """What a signature says of who signed: the name of this service."""

    email_carrier: str = "outbox"
    """What takes email: outbox, smtp or notify."""
    paper_carrier: str = "outbox"
    """What takes letters on paper: outbox or notify."""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    """starttls, tls, or none: the last for a server on this machine alone."""
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""
    """The address that letters come from, and to which answers and bounces go."""
    smtp_authority: Path | None = None
    """A file of certificates to trust besides the usual, where the mail server has one of the body's own."""
    notify_api_key: SecretStr = SecretStr("")
    notify_email_template: str = ""
    """The id of an email template whose subject is ((subject)) and whose body is ((body))."""
    notify_email_file: str = "no"
    """yes: the template has the field ((link_to_file)) as well, and an email links to the letter as PDF; no: it is text alone."""
    notify_file_weeks: int = 26
    """For how many weeks the file can be fetched: 1 to 78."""
    notify_reply_to: str = ""
    """The id of a reply-to address of the Notify service; its default where empty."""
    notify_postage: str = "first"
    """By which class Notify posts letters on paper: first, second or economy."""
    notify_url: str = "https://api.notifications.service.gov.uk"
    oidc_issuer: str = ""
    """The identity provider at which people sign in; where it is set the command line acts only as whoever is signed in."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    """Empty for a public client, which proves itself by PKCE alone."""
    oidc_scope: str = "openid profile email"
    oidc_person_claim: str = "preferred_username"
    """The claim that holds who somebody is on the staff list: their id, or with `email` their verified address."""
    oidc_redirect_port: int = 0
    """The port on this machine to which the browser comes back; any free one where 0."""
    oidc_flow: Literal["person", "service"] = "person"
    """service: this program is no person; it proves itself by client credentials and acts as oidc_services says."""
    oidc_services: dict[str, str] = {}
    """Which account of the staff list a service acts as, by its client id, as JSON."""
    administrators: Annotated[frozenset[str], NoDecode] = frozenset()
    """Who may change staff lists, keys, calendars and bodies where people sign in: ids of the staff lists, apart by commas."""
    session_file: Path | None = None
    """Where the sign-in is kept, for its owner's eyes only; beside the user's other settings where empty."""
    post_round_minutes: int = 60
    """How often Notify is asked what became of the letters it took."""
    reconcile_at: time = time(3, 30)
    """When every case is held against its records each night, in London: HH:MM, not between 01:00 and 01:59."""

    @field_validator("administrators", mode="before")
    @classmethod
    def _apart_by_commas(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        ids = [one.strip() for one in given.split(",") if one.strip()]
        if not all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", one) for one in ids):
            raise ValueError("ids of the staff lists, apart by commas, as olive-officer,dana-decider")
        return ids

    @field_validator("codec_origin", "codec_issuer", "notify_url", "oidc_issuer")
    @classmethod
    def _holds_no_password(cls, url: str) -> str:
        if "@" in url:  # these are shown in what is said of them
            raise ValueError("an address with a user or a password in it; right would be the same without, as https://host.example/path")
        return url

    @field_validator("reconcile_at")
    @classmethod
    def _comes_every_night_once(cls, at: time) -> time:
        if at.hour == 1:
            raise ValueError("between 01:00 and 01:59 an hour is missing in March and comes twice in October; 03:30 would be right")
        return at

    @classmethod
    def local(cls) -> Settings:
        """Returns the settings, with the address of the default run's server where no other is set; without one where that is not running:
        whatever else listens at the usual port is somebody else's."""
        settings = cls()
        if "temporal_address" in settings.model_fields_set:
            return settings
        note = ServerNote.read(settings.var)
        if note is not None and is_temporal(note.pid):
            return settings.at(note)
        elsewhere = settings.production or settings.temporal_profile
        return settings if elsewhere else settings.model_copy(update={"temporal_address": NOT_RUNNING})

    def at(self, note: ServerNote) -> Settings:
        """Returns these settings with the address of a server that is noted."""
        return self.model_copy(update={"temporal_address": note.address, "ui_port": note.ui_port})

    @property
    def database(self) -> str:
        return self.database_url.get_secret_value() or f"sqlite:///{self.var / 'evenhand.db'}"

    @property
    def folder(self) -> Path:
        """Returns where the default run's keys lie: beside a SQLite file of records, or in var."""
        file = self.database.removeprefix("sqlite:///")
        return self.var if file == self.database else Path(file).parent

    @property
    def production(self) -> bool:
        """Returns whether the records lie in a real database: then keys must be named, and none are made in passing."""
        return not self.database.startswith("sqlite")

    @property
    def letters(self) -> Path:
        return self.outbox or self.var / "outbox"


def wrong_settings(error: ValidationError) -> str | None:
    """Returns which settings cannot be used, each by the name of its variable; None where the error is of something else. Values of
    secrets are never in it, nor is any other value that could hold one."""
    if error.title != Settings.__name__:
        return None
    told = (f"EVENHAND_{'_'.join(map(str, one['loc'])).upper()}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors())
    return f"The settings cannot be used. {'; '.join(told)}"
