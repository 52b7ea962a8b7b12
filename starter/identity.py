"""The identity provider: what it offers, and whether what it says of somebody is to be believed. Nothing of a token is ever shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:  # read in only where somebody signs in
    from joserfc.jwk import KeySet

    from worker.settings import Settings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key that the provider alone has: none, and those by a shared secret, are refused."""
WITHIN = 10.0
"""Seconds in which the provider answers."""
LEEWAY = 30
"""Seconds by which its clock and ours may differ."""
LONGEST_TOKEN = 20_000
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Claims = Mapping[str, object]


class SignInFailed(Exception):
    """Somebody is not signed in: says why and what to do, never what was in a token."""


class Expired(SignInFailed):
    """The token was good and its time is over: a refresh token may bring another."""


class Provider(BaseModel):
    """What a provider's own document says of it (OpenID Connect Discovery 1.0)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None


def provider_of(settings: Settings) -> Provider:
    """Returns the provider that the settings name, by its discovery document. Raises SignInFailed."""
    issuer = settings.oidc_issuer.rstrip("/")
    _safe(issuer, "EVENHAND_OIDC_ISSUER")
    if not settings.oidc_client_id:
        raise SignInFailed("EVENHAND_OIDC_CLIENT_ID is not set: the id under which the provider knows this program.")
    said = fetched(f"{issuer}/.well-known/openid-configuration")
    try:
        provider = Provider.model_validate(said)
    except ValidationError as error:
        lacks = ", ".join(str(fault["loc"][0]) for fault in error.errors() if fault["loc"])
        raise SignInFailed(f"{issuer} is no OpenID provider: its document lacks or misstates {lacks or 'everything'}.") from None
    if provider.issuer.rstrip("/") != issuer:
        raise SignInFailed(f"The provider at {issuer} says it is {provider.issuer}; EVENHAND_OIDC_ISSUER must be exactly what it says.")
    for name, url in provider.model_dump(exclude={"issuer"}, exclude_none=True).items():
        _safe(url, name)
    return provider


def _safe(url: str, name: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SignInFailed(f"{name} is {url}; right would be an address with https (http for this machine alone).")


def fetched(url: str) -> object:
    """Returns the JSON at an address of the provider. Raises SignInFailed."""
    import requests

    try:
        answer = requests.get(url, timeout=WITHIN, allow_redirects=False)
    except requests.RequestException:
        raise SignInFailed(f"The identity provider does not answer at {url}. Try again, or ask who runs it.") from None
    if answer.status_code != 200:
        raise SignInFailed(f"The identity provider answered {answer.status_code} at {url}; is EVENHAND_OIDC_ISSUER right?")
    try:
        return answer.json()
    except ValueError:
        raise SignInFailed(f"What the identity provider has at {url} is no JSON; is EVENHAND_OIDC_ISSUER right?") from None


def keys_of(provider: Provider) -> KeySet:
    """Returns the provider's public keys as they are now. Raises SignInFailed."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        return KeySet.import_key_set(fetched(provider.jwks_uri))  # type: ignore[arg-type]  # what is no key set raises
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise SignInFailed(f"The identity provider's keys at {provider.jwks_uri} cannot be read.") from None


def verified(id_token: object, settings: Settings, provider: Provider, *, at: datetime, nonce: str | None = None) -> Claims:
    """Returns the claims of an ID token (OpenID Connect Core 3.1.3.7): signed by the provider, for this program, in its time, and with
    the nonce of this very sign-in where one was sent. Raises SignInFailed, or Expired."""
    from joserfc import jws, jwt
    from joserfc.errors import BadSignatureError, JoseError

    if not isinstance(id_token, str) or len(id_token) > LONGEST_TOKEN:
        raise SignInFailed("The provider gave no ID token. Its client must be allowed the scope openid.")
    try:
        claims = jwt.decode(id_token, keys_of(provider), registry=jws.JWSRegistry(algorithms=list(ALGORITHMS))).claims
    except BadSignatureError:
        raise SignInFailed("The ID token is not signed by the provider's key.") from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise SignInFailed("The ID token cannot be verified: another key or algorithm than a provider may use, or no token.") from None
    _fits(claims, settings, provider, at, nonce)
    return claims


def _fits(claims: Claims, settings: Settings, provider: Provider, at: datetime, nonce: str | None) -> None:
    audience = claims.get("aud")
    meant = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if claims.get("iss") != provider.issuer:
        raise SignInFailed("The ID token was issued by somebody else than the provider.")
    if settings.oidc_client_id not in meant or claims.get("azp", settings.oidc_client_id) != settings.oidc_client_id:
        raise SignInFailed("The ID token is meant for another program than EVENHAND_OIDC_CLIENT_ID.")
    if nonce is not None and claims.get("nonce") != nonce:
        raise SignInFailed("The ID token belongs to another sign-in (its nonce is not ours).")
    until, issued, begins = (_instant(claims, name) for name in ("exp", "iat", "nbf"))
    if not isinstance(claims.get("sub"), str) or until is None or issued is None:
        raise SignInFailed("The ID token lacks sub, iat or exp.")
    if max(issued, begins or issued) > at.timestamp() + LEEWAY:
        raise SignInFailed("The ID token is not valid yet: the provider's clock and this machine's differ.")
    if until + LEEWAY <= at.timestamp():
        raise Expired("The sign-in has expired. Run evenhand sign-in.")


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
