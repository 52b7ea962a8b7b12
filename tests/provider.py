"""A real identity provider on the loopback address for tests (oidc-provider-mock), with what it lacks: PKCE checked, an ID token with a
refresh, the device flow, client credentials; and a way to spoil what it says."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import flask
import oidc_provider_mock
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider_mock._app import app as provider_app
from oidc_provider_mock._server import _threaded_server
from oidc_provider_mock._storage import storage

from starter.clock import now

assert oidc_provider_mock
Json = dict[str, object]
SECRET = "a-secret-of-tests"
OURS = "evenhand"


@dataclass
class Provider:
    """The provider's address, what it saw, and what it does wrong."""

    url: str = ""
    app: flask.Flask | None = None
    spoil: Callable[[Json], None] | None = None
    """Changes the claims of an ID token before it is signed again."""
    sign: Callable[[Json, RSAKey], str] | None = None
    """Signs them another way than with the provider's key."""
    document: Json = field(default_factory=dict)
    """What its discovery document says besides."""
    refresh_with_id_token: bool = True
    challenges: list[str] = field(default_factory=list)
    verifiers: list[str] = field(default_factory=list)
    devices: dict[str, str | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every grant the token endpoint was asked for."""
    given: list[str] = field(default_factory=list)
    """Every token it gave: none may show anywhere."""

    def person(self, sub: str, **claims: object) -> None:
        answer = requests.put(f"{self.url}/users/{sub}", json={"preferred_username": sub, **claims}, timeout=5)
        assert answer.status_code == 204

    def browse(self, url: str, sub: str | None) -> str:
        """Sign in (or refuse, where sub is None) at an address as a browser would; returns where it is sent back to."""
        form = {"sub": sub} if sub else {"action": "deny"}
        answer = requests.post(url, data=form, timeout=5, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        to = answer.headers["Location"]
        return to if sub else f"{to}&state={parse_qs(urlsplit(url).query)['state'][0]}"  # which the mock leaves out, against RFC 6749


@contextmanager
def provider_running(*, age: timedelta = timedelta(hours=1)) -> Iterator[Provider]:
    one = Provider()
    app = provider_app(require_nonce=True, access_token_max_age=age)
    one.app = app
    _extend(app, one)
    with _threaded_server(app=app, host="127.0.0.1") as server:
        one.url = f"http://127.0.0.1:{server.server_port}"
        yield one


def _extend(app: flask.Flask, one: Provider) -> None:
    @app.before_request
    def seen() -> flask.typing.ResponseReturnValue | None:
        if flask.request.path.endswith("/authorize"):
            assert flask.request.args["code_challenge_method"] == "S256"
            one.challenges.append(flask.request.args["code_challenge"])
        if flask.request.path.endswith("/token"):
            one.asked.append(flask.request.form["grant_type"])
            return _own_grants(one)
        return None

    @app.after_request
    def spoilt(response: flask.Response) -> flask.Response:
        if flask.request.path.endswith("/openid-configuration"):
            device = f"{one.url}/oauth2/device"
            response.set_data(flask.json.dumps({**response.json, "device_authorization_endpoint": device, **one.document}))
        if flask.request.path.endswith("/token") and response.status_code == 200:
            said = dict(response.json)
            if "code_verifier" in flask.request.form:
                one.verifiers.append(flask.request.form["code_verifier"])
            refreshed = flask.request.form["grant_type"] == "refresh_token"
            if refreshed and one.refresh_with_id_token:
                said["id_token"] = _signed(one, _claims(one, storage.get_access_token(said["access_token"]).user_id))
            elif "id_token" in said:
                said["id_token"] = _signed(one, jwt.decode(said["id_token"], _key()).claims)
            one.given += [str(value) for name, value in said.items() if name.endswith("token") and value]
            response.set_data(flask.json.dumps(said))
        return response

    @app.post("/oauth2/device")
    def device() -> Json:
        code = secrets.token_urlsafe(8)
        one.devices[code] = None
        return {"device_code": code, "user_code": "ABCD-EFGH", "verification_uri": f"{one.url}/enter", "interval": 1, "expires_in": 60}


def _own_grants(one: Provider) -> flask.typing.ResponseReturnValue | None:
    form = flask.request.form
    match form["grant_type"]:
        case "authorization_code" if _challenge(form.get("code_verifier", "")) not in one.challenges:
            return {"error": "invalid_grant"}, 400
        case "urn:ietf:params:oauth:grant-type:device_code":
            sub = one.devices[form["device_code"]]
            if sub is None:
                return {"error": "authorization_pending"}, 400
            return {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": _signed(one, _claims(one, sub))}
        case "client_credentials":
            given = base64.b64decode(flask.request.headers.get("Authorization", "Basic ").removeprefix("Basic ")).decode()
            if given.partition(":")[2] != SECRET:
                return {"error": "invalid_client"}, 401
            return {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "expires_in": 60}
    return None


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _key() -> RSAKey:
    return RSAKey.import_key(storage.jwk.as_dict(is_private=True))


def _claims(one: Provider, sub: str) -> Json:
    at = int(now().timestamp())
    known = storage.get_user(sub)
    return {"iss": one.url, "aud": OURS, "sub": sub, "iat": at, "exp": at + 600, **(known.claims if known else {})}


def _signed(one: Provider, claims: Json) -> str:
    claims = dict(claims)
    if one.spoil:
        one.spoil(claims)
    if one.sign:
        return one.sign(claims, _key())
    return jwt.encode({"alg": "RS256", "kid": storage.jwk.as_dict().get("kid")}, claims, _key())


@contextmanager
def provider_context(one: Provider) -> Iterator[None]:
    """Lets a test call what runs inside the provider, with its key and users."""
    assert one.app is not None
    with one.app.test_request_context("/"):
        one.app.preprocess_request()
        yield
