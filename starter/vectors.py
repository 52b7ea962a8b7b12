"""A signature worked out step by step, for whoever signs in another language: docs/contract.md shows it, a golden file keeps it.

The key is published here, so no records may ever know it."""

from __future__ import annotations

import base64
import json
from datetime import datetime

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.signatures import claims_of, signed, thumbprint
from domain.days import UTC

SEED = bytes(range(32))
AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
CASE, ISS = "mmo/2026-0042", "crm"
CONCERNS = "Forty emails, \u00a312.50 each \u2013 in \u201cone\u201d week."
MESSAGES: dict[str, dict[str, object]] = {
    "a warning": {
        "v": 1,
        "id": "crm-5503",
        "do": "warn",
        "by": "sam-officer",
        "on": "2026-10-26",
        "with": {"medium": "telephone", "findings": {"policy-copy-directed": True, "concerns": CONCERNS}},
    },
    "an approval": {"v": 1, "id": "crm-5504", "do": "approve", "by": "max-manager", "saw": "p1"},
    "an appeal with a field beside": {
        "v": 1,
        "id": "crm-5505",
        "do": "appeal",
        "by": "customer",
        "on": "2026-11-26",
        "with": {"medium": "email"},
        "channel_reference": 7.0,
    },
}


def vectors() -> dict[str, object]:
    """Returns the key, and each message with every step to its token."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    return {
        "private_key_hex": SEED.hex(),
        "public_key_hex": key.public_key().public_bytes_raw().hex(),
        "kid": thumbprint(key.public_key()),
        "case": CASE,
        "messages": {name: _steps(key, message) for name, message in MESSAGES.items()},
    }


def published() -> str:
    """Returns the id of the key that everybody has."""
    return thumbprint(Ed25519PrivateKey.from_private_bytes(SEED).public_key())


def _steps(key: Ed25519PrivateKey, message: dict[str, object]) -> dict[str, object]:
    made = signed(CASE, message, key=key, iss=ISS, at=AT)
    token = str(made["token"])
    header, payload, _ = token.split(".")
    claims = claims_of(CASE, message)
    return {
        "message": message,
        "canonical_with": rfc8785.dumps(message.get("with", {})).decode(),  # type: ignore[arg-type]  # plain JSON
        "with": claims.with_,
        "more": claims.more,
        "header": _decoded(header),
        "claims": _decoded(payload),
        "token": token,
    }


def _decoded(part: str) -> object:
    return json.loads(base64.urlsafe_b64decode(part + "=="))


def section() -> str:
    """Returns the worked example for docs/contract.md."""
    all_, name = vectors(), "a warning"
    messages = all_["messages"]
    assert isinstance(messages, dict)
    one = messages[name]
    rows = [
        ("private key (seed), hex", all_["private_key_hex"]),
        ("public key, hex", all_["public_key_hex"]),
        ("kid", all_["kid"]),
        ("case", CASE),
        ("message", json.dumps(one["message"], ensure_ascii=False)),
        ("canonical `with`", one["canonical_with"]),
        ("its SHA-256, base64url", one["with"]),
        ("header", json.dumps(one["header"])),
        ("claims", json.dumps(one["claims"])),
        ("token", one["token"]),
    ]
    return "\n".join(["| Step | Value |", "|---|---|", *(f"| {step} | `{value}` |" for step, value in rows), ""])
