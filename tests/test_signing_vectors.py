"""The worked signatures that another service makes its own against: kept as they were first made, and verified as a case verifies them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from activities.signatures import thumbprint, verified
from records.database import create_all, open_database, reading
from starter.signer import Signer
from starter.vectors import AT, SEED, section, vectors
from tests.signing import know

HERE = Path(__file__).resolve().parent
GOLDEN = sorted((HERE / "golden" / "signing").glob("*.json"))
CONTRACT = (HERE.parent / "docs" / "contract.md").read_text(encoding="utf-8")
MADE = json.loads(GOLDEN[0].read_text(encoding="utf-8"))


def test_what_is_made_now_is_what_was_made_first():
    """Ed25519 is deterministic: another token for the same message is another contract."""
    assert vectors() == MADE
    assert len(MADE["messages"]) >= 3


@pytest.fixture
def records(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    create_all(engine)
    know(engine, Signer(Ed25519PrivateKey.from_private_bytes(SEED)))
    return engine


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_golden_token_verifies(records: Engine, file: Path):
    """A sender that was right once is right in every later release."""
    golden = json.loads(file.read_text(encoding="utf-8"))
    for one in golden["messages"].values():
        message = {**one["message"], "token": one["token"]}
        with reading(records) as session:
            claims = verified(session, golden["case"], message, body="mmo", arrived=AT)
        assert (claims.with_, claims.more) == (one["with"], one["more"])


def test_the_document_shows_the_example_step_by_step():
    one = MADE["messages"]["a warning"]
    for value in (MADE["private_key_hex"], MADE["public_key_hex"], MADE["kid"], one["canonical_with"], one["with"], one["token"]):
        assert value in CONTRACT
    assert section() in CONTRACT


def test_a_published_key_is_known_to_no_records_by_itself(tmp_path: Path):
    from records.signing_keys import all_keys

    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    create_all(engine)
    with reading(engine) as session:
        assert all_keys(session) == ()


def test_the_thumbprint_is_that_of_rfc_8037():
    """RFC 8037, appendix A.3: the example key's thumbprint."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
