"""Signatures of acts: made by a door, verified where the act is recorded. JWS (RFC 7515) with Ed25519 over canonical JSON (RFC 8785)."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError
from pydantic import ValidationError
from pydantic_core import to_jsonable_python
from sqlmodel import Session

from domain.decision import Refusal
from domain.signing import Claims, SigningKey, misfit, out_of_time
from records.signing_keys import key_of, lies_at_most, out_of_place, public_key_of

ALGORITHM, TYPE = "EdDSA", "evenhand-act+jws"
LONGEST = 2048
"""Characters of a token; one of ours has about five hundred."""
BOUND = ("v", "id", "do", "by", "on", "saw", "with", "token")
"""Fields of a message that have a claim of their own; all others are bound together."""
JWS = PyJWS(algorithms=[ALGORITHM])
HOW = "Have it signed: evenhand case act ... --print gives the signed text; docs/contract.md says how another service signs."
ANOTHER_KEY = (
    "Signed again with this key it is refused again. EVENHAND_SIGNING_KEY_FILE names the key that signs here, "
    "evenhand keys list says whom each signs for; an operator adds one with evenhand keys add-signer."
)
TRIAL = "the key was made for trying out and counts for nothing in these records"

Message = dict[str, object]


class CannotSign(ValueError):
    """A message that has no canonical form: a number that JSON cannot carry exactly, or a text that is no UTF-8."""


def hash_of(value: object) -> str:
    """Returns the SHA-256, in base64url, of a value's canonical JSON. Raises CannotSign."""
    try:
        canonical = rfc8785.dumps(value)  # type: ignore[arg-type]  # it says itself what it cannot write
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as error:
        raise CannotSign(f"It has no canonical JSON: {type(error).__name__}.") from None
    return _base64(hashlib.sha256(canonical).digest())


def claims_of(case: str, message: Message, *, iat: int = 0, iss: str = "nobody") -> Claims:
    """Returns what a signature of this message must say. What is no text where text belongs is taken as left out. Raises CannotSign."""
    rest = {name: value for name, value in message.items() if name not in BOUND}
    rest |= {"v": message["v"]} if message.get("v", 1) != 1 else {}
    facts = {name: _text(message.get(field)) for name, field in (("sub", "by"), ("do", "do"), ("id", "id"), ("saw", "saw"), ("on", "on"))}
    return Claims.model_validate(
        {
            "v": 1, "case": case, **facts, "with": hash_of(message.get("with", {})), "more": hash_of(rest) if rest else None,
            "iat": iat, "iss": iss,
        }
    )  # fmt: skip


def signed(case: str, message: Message, *, key: Ed25519PrivateKey, iss: str, at: datetime) -> Message:
    """Returns the message as plain JSON with its token. Raises CannotSign."""
    plain: Message = to_jsonable_python(message)
    claims = claims_of(case, plain, iat=int(at.timestamp()), iss=iss)
    payload = claims.model_dump(by_alias=True, exclude={"more"} if claims.more is None else None)
    header = {"typ": TYPE, "kid": thumbprint(key.public_key())}
    return {**plain, "token": JWS.encode(rfc8785.dumps(payload), key, algorithm=ALGORITHM, headers=header)}


def thumbprint(key: Ed25519PublicKey) -> str:
    """Returns a key's id: the thumbprint of its JWK (RFC 7638), so that an id can stand for one key only."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64(key.public_bytes_raw())}
    return _base64(hashlib.sha256(rfc8785.dumps(jwk)).digest())


def verified(session: Session, case: str, message: Message, *, body: str | None, arrived: datetime) -> Claims:
    """Returns what the act's signature says. Raises Refusal (unsigned) where there is none that counts; nothing sent raises anything else.

    `arrived` is when the act's turn on its case came. The key is judged as it stood when it signed, whatever became of it since."""
    if arrived.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {arrived.isoformat()}")
    if _unreadable(message):
        raise unsigned("it cannot be read as a JSON object, and so it is not signed")
    claims, key = _read(session, message.get("token"))
    signed_at = claims.signed_at
    if fault := _misfit(claims, case, message):
        raise unsigned(fault)
    if fault := _not_for(key, claims, body) or _trial(session, key) or key.unusable_at(signed_at):
        raise unsigned(fault, remains=ANOTHER_KEY)
    if fault := out_of_time(signed_at, arrived=arrived, lies_at_most=_limit(session, signed_at, arrived)):
        raise unsigned(fault)
    return claims


def kept(session: Session, token: object) -> tuple[Claims, SigningKey]:
    """Returns what a kept token says and its key, the signature checked again. Raises Refusal (unsigned)."""
    return _read(session, token)


def claims_in(token: object) -> Claims | None:
    """Returns what a token says, its signature not verified; None where it says nothing that can be read."""
    if not isinstance(token, str) or token.count(".") != 2:
        return None
    try:
        return Claims.model_validate(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))
    except (ValueError, RecursionError):
        return None


def unsigned(why: str, *, remains: str = HOW) -> Refusal:
    return Refusal(f"Not acted on: {why}.", kind="unsigned", remains=remains)


def kid_in(token: object) -> str:
    """Returns the key's id that a token names, where it could be one; it is not verified."""
    try:
        kid = _header(token)["kid"]
    except Refusal:
        return ""
    return kid if _is_hash(kid) else ""


def _read(session: Session, token: object) -> tuple[Claims, SigningKey]:
    header = _header(token)
    kid = header["kid"]
    if {**header, "kid": ""} != {"alg": ALGORITHM, "typ": TYPE, "kid": ""} or not _is_hash(kid):
        raise unsigned(f"the token's header must be alg {ALGORITHM}, typ {TYPE} and a kid, and nothing else")
    public = public_key_of(session, kid)
    if public is None:
        raise unsigned(f"the records hold no key {kid[:12]}", remains=ANOTHER_KEY)
    return _opened(str(token), public), key_of(session, kid)


def _header(token: object) -> dict[str, str]:
    """Returns the unverified header of what looks like a token: three parts of base64url."""
    if token is None:
        raise unsigned("it is not signed")
    if not isinstance(token, str) or len(token) > LONGEST or not token.isascii() or token.count(".") != 2:
        raise unsigned(f"its token is no compact JWS of at most {LONGEST} characters")
    try:
        header = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (ValueError, RecursionError):
        raise unsigned("its token's header cannot be read") from None
    if not isinstance(header, dict) or not all(isinstance(one, str) for one in header.values()):
        raise unsigned("its token's header cannot be read")
    return {"kid": "", **header}


def _opened(token: str, public: bytes) -> Claims:
    try:
        found = JWS.decode(token, Ed25519PublicKey.from_public_bytes(public), algorithms=[ALGORITHM])
        return Claims.model_validate(json.loads(found))
    except (PyJWTError, ValidationError, ValueError, TypeError, RecursionError) as error:
        claims = "its signature is good, but its claims are not those of docs/contract.md"
        forged = "the signature is not that of the key it names"
        raise unsigned(forged if isinstance(error, PyJWTError) else claims) from None


def _unreadable(message: Message) -> bool:
    """Returns whether the workflow found no JSON object in what came (workflows/reading.py)."""
    given = message.get("with")
    return "token" not in message and isinstance(given, dict) and list(given) == ["unreadable"]


def _misfit(claims: Claims, case: str, message: Message) -> str | None:
    try:
        return misfit(claims, claims_of(case, message))
    except (CannotSign, ValidationError):
        return "its contents have no canonical form that could be signed"


def _not_for(key: SigningKey, claims: Claims, body: str | None) -> str | None:
    return None if key.signs_for(claims.sub, body) else "the key may not sign for this person on this body's cases"


def _trial(session: Session, key: SigningKey) -> str | None:
    return TRIAL if out_of_place(session, key.kid) else None


def _limit(session: Session, signed_at: datetime, arrived: datetime) -> timedelta:
    return lies_at_most(session, age=arrived - signed_at)


def _is_hash(value: str) -> bool:
    return len(value) == 43 and value.replace("-", "").replace("_", "").isalnum()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
