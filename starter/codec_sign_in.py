"""Who asks the codec server: a person signed in at the organisation's own provider, or whoever started it on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Protocol

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import ClaimsOption

from starter.identity import SignInFailed
from starter.on_the_lists import named_by

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
"""Signatures by a key pair: a token signed with a shared secret, or with none, is nobody's."""
KEYS_FOR = 600.0
"""Seconds for which the provider's keys are remembered."""
ASK_AGAIN = 10.0
"""Seconds before a token under an unknown key makes the server ask the provider again."""
LEEWAY = 30
TOKEN_LIMIT = 8_000


class NotSignedIn(Exception):
    """Nobody is signed in; says why, and nothing of the token."""


class NoProvider(Exception):
    """The provider does not answer: nobody can be told from anybody."""


class SignIn(Protocol):
    """Tells who a bearer token stands for, by which claim, and whether that is this machine's own user.

    Raises NotSignedIn, or NoProvider."""

    @property
    def claim(self) -> str: ...

    @property
    def local(self) -> bool: ...

    def who(self, token: str) -> str: ...


@dataclass(frozen=True)
class Local:
    """One random token, made at start and shown in the terminal alone."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    claim: str = ""
    local: bool = True

    def who(self, token: str) -> str:
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            raise NotSignedIn("the token is not the one that was shown when the codec server started")
        return "local"


@dataclass
class Oidc:
    """Access or ID tokens of one issuer, made out to one audience, as the Temporal UI passes them on."""

    issuer: str
    audience: str
    claim: str = "sub"
    """Which claim names the person, as the staff lists do: their id, or with `email` their verified address."""
    group: str = ""
    """Where set: only who has it among `groups` may ask; it opens no case by itself (EH-200)."""
    local: bool = False
    fetch: Callable[[str], dict[str, object]] = lambda url: _fetched(url)
    _lock: Lock = field(default_factory=Lock, repr=False)
    _keys: KeySet | None = field(default=None, repr=False)
    _asked: float = field(default=0.0, repr=False)

    def who(self, token: str) -> str:
        if not token or len(token) > TOKEN_LIMIT:
            raise NotSignedIn("no token, or one too long")
        try:
            claims = self._claims(token)
            asked: dict[str, ClaimsOption] = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.audience},
                "exp": {"essential": True},
            }
            jwt.JWTClaimsRegistry(None, LEEWAY, **asked).validate(claims)
            who = named_by(claims, self.claim)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotSignedIn(f"the token is not good here ({type(error).__name__})") from None
        except SignInFailed as error:
            raise NotSignedIn(f"the token names nobody ({error})".replace(".)", ")")) from None
        groups = claims.get("groups")
        if self.group and self.group not in (groups if isinstance(groups, list) else ()):
            raise NotSignedIn("signed in, and not among those who may read payloads")
        return who

    def _claims(self, token: str) -> dict[str, object]:
        """Returns a token's claims; one under a key not known is tried once more with the provider's keys asked for anew."""
        try:
            return jwt.decode(token, self._key_set(older_than=KEYS_FOR), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            return jwt.decode(token, self._key_set(older_than=ASK_AGAIN), algorithms=ALGORITHMS).claims

    def _key_set(self, *, older_than: float) -> KeySet:
        with self._lock:
            if self._keys is None or monotonic() - self._asked > older_than:
                found = self.fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                if str(found.get("issuer")).rstrip("/") != self.issuer.rstrip("/"):
                    raise NoProvider("the provider names another issuer than EVENHAND_CODEC_ISSUER")
                self._keys = KeySet.import_key_set(self.fetch(str(found.get("jwks_uri"))))  # type: ignore[arg-type]  # a JSON object
                self._asked = monotonic()
            return self._keys


def _fetched(url: str) -> dict[str, object]:
    """Returns the JSON object at an address of the provider. Raises NoProvider."""
    try:
        answer = requests.get(url, timeout=5, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise NoProvider(f"the sign-in provider does not answer ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise NoProvider("the sign-in provider answers something else than keys")
    return found
