"""A key for tests, the same each time, and acts signed with it: every door asks for a signature."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine
from sqlmodel import Session

from activities.outcome import Act
from activities.signatures import CannotSign
from domain.signing import SigningKey
from records.database import transaction
from records.signing_keys import keep_key
from starter.signer import EVER, Signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(KEY, iss="tests")


def keep(session: Session, signer: Signer = SIGNER, **scope: object) -> None:
    """Let the records take what a key signs: for anybody, unless a scope is given."""
    facts = scope or {"staff": True, "customer": True, "calendar": True}
    key = SigningKey.model_validate({"kid": signer.kid, "holder": "tests", "valid_from": EVER, **facts})
    if keep_key(session, key, signer.key.public_key().public_bytes_raw(), local=False, at=EVER, by="tests"):
        session.flush()


def know(engine: Engine, signer: Signer = SIGNER, **scope: object) -> None:
    with transaction(engine) as session:
        keep(session, signer, **scope)


def signed_act(session: Session, act: Act) -> Act:
    """Returns an act as a door sends it: signed when it came, where it comes from outside and can be signed."""
    keep(session)
    if act.source != "outside" or "token" in act.message:
        return act
    return act.model_copy(update={"message": signed(act.case, act.message, at=act.now)})


def key_file_in(folder: Path) -> str:
    """Writes the tests' private key into a folder, for a command that is a process of its own."""
    file = folder / "tests-key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(file)


def signed(case: str, message: dict[str, object], *, at: datetime) -> dict[str, object]:
    """Returns a message signed at an instant; one that nobody could sign stays as it is."""
    try:
        return SIGNER.at(at if at.tzinfo else at.replace(tzinfo=timezone.utc)).sign(case, message)
    except (CannotSign, ValueError):
        return message
