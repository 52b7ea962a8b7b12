"""Who signs what this machine sends: a private key in a file of its own. The default run makes one; production names its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Engine

from activities.signatures import Message, signed, thumbprint
from domain.days import UTC
from domain.signing import SigningKey
from records.database import transaction
from records.signing_keys import keep_key
from starter.clock import now
from worker.settings import Settings

EVER = datetime(2000, 1, 1, tzinfo=UTC)


class BadKey(Exception):
    """A file that holds no key of the kind that signs acts: which file, and what would be right."""


@dataclass(frozen=True)
class Signer:
    """Signs messages with one key. Its private half is never printed."""

    key: Ed25519PrivateKey = field(repr=False)
    iss: str = "evenhand"
    now: Callable[[], datetime] = now

    @property
    def kid(self) -> str:
        return thumbprint(self.key.public_key())

    def sign(self, case: str, message: Message) -> Message:
        """Returns the message as plain JSON with its token; one that has a token stays as it is. Raises CannotSign."""
        return message if "token" in message else signed(case, message, key=self.key, iss=self.iss, at=self.now())

    def at(self, moment: datetime) -> Signer:
        """Returns a signer whose clock stands still, for a rehearsal's own time."""
        return replace(self, now=lambda: moment)


def key_file(settings: Settings) -> Path:
    """Returns where the private key lies: as the settings say, or the default run's own."""
    return settings.signing_key_file or settings.var / "signing-key.pem"


def signer_of(settings: Settings) -> Signer | None:
    """Returns who signs here, or None where there is no key. Raises BadKey."""
    file = key_file(settings)
    if settings.signing_key_file is None and not file.exists():
        return None
    return Signer(read_private(file), iss=settings.signing_issuer)


def read_private(file: Path) -> Ed25519PrivateKey:
    """Returns the private key of a PEM file. Raises BadKey, which quotes nothing of it."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise BadKey(f"{file}: {error.strerror}. Make a pair with evenhand keys new.") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(f"{file} holds no private key in PEM without a password. Make a pair with evenhand keys new.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{file} holds a key of another kind; acts are signed with Ed25519. Make a pair with evenhand keys new.")
    return key


def read_public(file: Path) -> Ed25519PublicKey:
    """Returns the public key of a PEM file. Raises BadKey."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise BadKey(f"{file}: {error.strerror}.") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey(f"{file} holds no public key in PEM. A private key stays with its holder: name its .pub file.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey(f"{file} holds a key of another kind; acts are signed with Ed25519.")
    return key


def public_file(private: Path) -> Path:
    return private.with_name(f"{private.name}.pub")


def make_pair(file: Path) -> Ed25519PrivateKey:
    """Write a new private key (read by its owner alone) and its public half beside it. Raises BadKey where a file is there already."""
    key = Ed25519PrivateKey.generate()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadKey(f"{file} is there already; a key is never written over.") from None
    with os.fdopen(written, "wb") as opened:
        opened.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public_file(file).write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key


def local_signer(settings: Settings, engine: Engine) -> Signer:
    """Returns the default run's own signer: its key made on a first start, and known to the records as one that signs for anybody."""
    if settings.signing_key_file is None and not key_file(settings).exists():
        make_pair(key_file(settings))
    signer = signer_of(settings)
    assert signer is not None
    know_locally(engine, signer)
    return signer


def know_locally(engine: Engine, signer: Signer) -> None:
    """Let the records take what a local key signs, for anybody: for a first try, a rehearsal or a measurement."""
    known = SigningKey(kid=signer.kid, holder="local", staff=True, customer=True, calendar=True, valid_from=EVER)
    with transaction(engine) as session:
        keep_key(session, known, signer.key.public_key().public_bytes_raw(), local=True, at=now(), by="local")
