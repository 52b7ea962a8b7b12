"""How somebody signs in: in the browser (authorization code with PKCE), on another device, or a service by its own credentials."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from starter.callback import Callback
from starter.clock import now
from starter.identity import WITHIN, Claims, Expired, Provider, SignInFailed, provider_of, verified
from starter.signed_in import AGAIN, SignedIn, keep, kept
from worker.settings import Settings

if TYPE_CHECKING:  # authlib is read in only where somebody signs in
    from authlib.integrations.requests_client import OAuth2Session

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
Token = Mapping[str, object]


def in_browser(settings: Settings, show: Callable[[str], None]) -> Claims:
    """Sign in through the browser: `show` is given the address to open. Returns the claims; keeps the sign-in. Raises SignInFailed."""
    provider = provider_of(settings)
    verifier, nonce = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with Callback(settings.oidc_redirect_port) as callback:
        session = _session(settings, redirect_uri=callback.uri)
        url, state = session.create_authorization_url(provider.authorization_endpoint, code_verifier=verifier, nonce=nonce)
        show(url)
        code = callback.code(state, clock=time.monotonic)
        token = _token(session, provider, grant_type="authorization_code", code=code, code_verifier=verifier)
    return _kept(settings, provider, token, nonce=nonce)


def on_device(settings: Settings, show: Callable[[str, str], None], sleep: Callable[[float], None] = time.sleep) -> Claims:
    """Sign in on another device (RFC 8628): `show` is given the address and the code to enter there. Raises SignInFailed."""
    provider = provider_of(settings)
    if provider.device_authorization_endpoint is None:
        raise SignInFailed("The identity provider offers no device flow. Run evenhand sign-in without --device.")
    session = _session(settings)
    asked = _asked(session, provider.device_authorization_endpoint, settings)
    show(str(asked["verification_uri"]), str(asked["user_code"]))
    wait, ends = _number(asked.get("interval"), 5), time.monotonic() + _number(asked.get("expires_in"), 600)
    while time.monotonic() < ends:
        sleep(wait)
        try:
            return _kept(settings, provider, _token(session, provider, grant_type=DEVICE, device_code=asked["device_code"]))
        except _NotYet as not_yet:
            wait += not_yet.slower
    raise SignInFailed(f"Nobody entered the code in time. {AGAIN}")


class _NotYet(Exception):
    """The code was not yet entered; `slower` seconds more between two askings."""

    def __init__(self, slower: int) -> None:
        self.slower = slower


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value >= 0 else otherwise


def _asked(session: OAuth2Session, url: str, settings: Settings) -> Mapping[str, object]:
    import requests

    try:
        form = {"client_id": settings.oidc_client_id, "scope": settings.oidc_scope}
        auth = session.client_auth(session.token_endpoint_auth_method)
        said = session.post(url, data=form, withhold_token=True, auth=auth, timeout=WITHIN, allow_redirects=False).json()
    except (requests.RequestException, ValueError):
        raise _down(url) from None
    if not isinstance(said, dict) or not {"device_code", "user_code", "verification_uri"} <= set(said):
        raise SignInFailed("The identity provider gave no code for another device; is this program allowed the device flow there?")
    return said


def as_service(settings: Settings) -> str:
    """Returns the account a service acts as, once the provider has taken its credentials. Raises SignInFailed."""
    person = settings.oidc_services.get(settings.oidc_client_id)
    if person is None:
        raise SignInFailed(f"EVENHAND_OIDC_SERVICES maps no account to {settings.oidc_client_id}; right would be a JSON object with it.")
    if not settings.oidc_client_secret.get_secret_value():
        raise SignInFailed("EVENHAND_OIDC_CLIENT_SECRET is not set: a service proves itself by it.")
    provider = provider_of(settings)
    token = _token(_session(settings), provider, grant_type="client_credentials")
    if not isinstance(token.get("access_token"), str):
        raise SignInFailed("The identity provider did not take the service's credentials.")
    return person


def claims_now(settings: Settings) -> Claims:
    """Returns the claims of whoever is signed in, verified now with the provider's keys; an expired token is refreshed where it can be.

    Raises SignInFailed."""
    one, provider = kept(settings), provider_of(settings)
    try:
        return verified(one.id_token.get_secret_value(), settings, provider, at=now())
    except Expired:
        if one.refresh_token is None:
            raise
    return _refreshed(settings, provider, one)


def _refreshed(settings: Settings, provider: Provider, one: SignedIn) -> Claims:
    assert one.refresh_token is not None
    token = _token(_session(settings), provider, grant_type="refresh_token", refresh_token=one.refresh_token.get_secret_value())
    if "id_token" not in token:
        raise Expired("The sign-in has expired. Run evenhand sign-in.")
    return _kept(settings, provider, {"refresh_token": one.refresh_token.get_secret_value(), **token}, same_as=one)


def revoke(settings: Settings) -> None:
    """Ask the provider to take back the refresh token (RFC 7009), where one is kept and the provider can. Raises SignInFailed."""
    import requests

    try:
        one = kept(settings)
    except SignInFailed:
        return
    provider = provider_of(settings)
    if one.refresh_token is None or provider.revocation_endpoint is None:
        return
    try:
        _session(settings).revoke_token(provider.revocation_endpoint, token=one.refresh_token.get_secret_value(), timeout=WITHIN)
    except requests.RequestException:
        raise _down(provider.revocation_endpoint) from None


def _session(settings: Settings, redirect_uri: str | None = None) -> OAuth2Session:
    from authlib.integrations.requests_client import OAuth2Session

    secret = settings.oidc_client_secret.get_secret_value() or None
    return OAuth2Session(
        settings.oidc_client_id, secret, scope=settings.oidc_scope, redirect_uri=redirect_uri, code_challenge_method="S256",
        default_timeout=WITHIN,
    )  # fmt: skip


def _token(session: OAuth2Session, provider: Provider, *, grant_type: str, **form: object) -> Token:
    """Returns what the token endpoint gives. Raises SignInFailed, or _NotYet; never says what was sent or came."""
    import requests
    from authlib.integrations.base_client import OAuthError

    try:
        given: Token = session.fetch_token(provider.token_endpoint, grant_type=grant_type, allow_redirects=False, **form)
        return given
    except OAuthError as error:
        _refused(error.error or "", grant_type)
    except requests.RequestException:
        raise _down(provider.token_endpoint) from None
    except (ValueError, KeyError, TypeError):
        raise SignInFailed("What the identity provider answered is no token.") from None


def _refused(error: str, grant_type: str) -> NoReturn:
    match error, grant_type:
        case ("authorization_pending", _):
            raise _NotYet(0) from None
        case ("slow_down", _):
            raise _NotYet(5) from None
        case ("access_denied", _):
            raise SignInFailed("The provider was told no: sign-in was refused.") from None
        case ("expired_token", _):
            raise SignInFailed(f"Nobody entered the code in time. {AGAIN}") from None
        case ("invalid_client" | "unauthorized_client", _):
            raise SignInFailed("The provider does not take EVENHAND_OIDC_CLIENT_ID with its secret for this.") from None
        case (_, "refresh_token"):
            raise Expired("The sign-in has expired, and the provider gives no more. Run evenhand sign-in.") from None
        case ("unsupported_grant_type", _):
            raise SignInFailed("The identity provider does not offer this way of signing in.") from None
    raise SignInFailed(f"The identity provider refused the sign-in. {AGAIN}") from None


def _down(url: str) -> SignInFailed:
    return SignInFailed(f"The identity provider does not answer at {url}. Try again, or ask who runs it.")


def _kept(settings: Settings, provider: Provider, token: Token, *, nonce: str | None = None, same_as: SignedIn | None = None) -> Claims:
    """Keep what the provider gave, once it is verified, and return its claims."""
    claims = verified(token.get("id_token"), settings, provider, at=now(), nonce=nonce)
    if same_as is not None and claims.get("sub") != _subject(same_as):
        raise SignInFailed(f"The refreshed sign-in is of somebody else. {AGAIN}")
    refresh = token.get("refresh_token")
    one = SignedIn(
        issuer=settings.oidc_issuer.rstrip("/"), client_id=settings.oidc_client_id, id_token=SecretStr(str(token["id_token"])),
        refresh_token=SecretStr(refresh) if isinstance(refresh, str) else None,
    )  # fmt: skip
    keep(settings, one)
    return claims


def _subject(one: SignedIn) -> object:
    """Returns whom an expired token was of; its signature was verified before its time was judged."""
    from joserfc import jws

    return json.loads(jws.extract_compact(one.id_token.get_secret_value().encode()).payload).get("sub")
