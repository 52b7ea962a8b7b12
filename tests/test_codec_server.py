"""The codec server: sealed payloads for people who are signed in, each reading noted before it is answered; junk is told, never traced."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread
from sqlalchemy import Engine
from sqlmodel import select

from activities.bodies import Body, save_body
from domain.people import Person
from records.database import create_all, open_database, reading, transaction
from records.keys import INSTALLATION, keys_of_engine
from records.reads import reads_of
from records.tables import CaseRow, ReadRow
from starter.codec_server import A_MINUTE, FAILURES_A_MINUTE, LONGEST, MOST
from starter.codec_sign_in import Local, NoProvider, NotSignedIn, Oidc
from tests.codec import ORIGIN, codec, serving
from tests.engine import Process, evenhand, free_port
from workflows.codec import KEY, UNREADABLE, sealed
from workflows.reading import SEALED

AT = datetime(2027, 3, 1, 12, 0, tzinfo=timezone.utc)
Json = dict[str, object]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = open_database(f"sqlite:///{tmp_path / 'evenhand.db'}")
    create_all(made)
    return made


@pytest.fixture
def local() -> Local:
    return Local()


@pytest.fixture
def client(engine: Engine, local: Local) -> Iterator[httpx.Client]:
    with (
        serving(codec(engine, sign_in=local, clock=lambda: AT)) as address,
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {local.token}"}) as client,
    ):
        yield client


def plain(text: str) -> Json:
    return {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(json.dumps(text).encode()).decode(),
    }


def sealed_for(engine: Engine, case: str, text: str) -> Json:
    from google.protobuf.json_format import MessageToDict, ParseDict
    from temporalio.api.common.v1 import Payload

    return MessageToDict(sealed(ParseDict(plain(text), Payload()), keys_of_engine(engine).of(case)))


def known(engine: Engine, case: str) -> None:
    """The records know a case of that id; nothing of it is read here."""
    day = AT.date()
    facts = {"policy": "mmo", "edition": "none", "stage": "open", "seq": 1, "state": {}, "opened_on": day, "changed_at": AT}
    with transaction(engine) as session:
        session.add(CaseRow.model_validate({"id": case, "body": "mmo", **facts}))


def staff(engine: Engine, *people: str) -> None:
    with transaction(engine) as session:
        save_body(session, Body(body="mmo", name="mmo", policy="mmo", people=tuple(Person(id=one, name="P") for one in people)))


def texts(answer: httpx.Response) -> list[object]:
    assert answer.status_code == 200, answer.text
    return [json.loads(base64.b64decode(one["data"])) for one in answer.json()["payloads"]]


def reads(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        return [(row.who, row.case_id, row.what) for row in session.exec(select(ReadRow)).all()]


def test_payloads_are_opened_whatever_the_query_says_and_each_reading_is_noted(engine: Engine, client: httpx.Client):
    given = [sealed_for(engine, "mmo/1", "one"), plain("plain"), sealed_for(engine, "mmo/2", "two"), sealed_for(engine, "mmo/1", "three")]

    answer = client.post("/decode?preserveStorageRefs=true", json={"payloads": given})

    assert texts(answer) == ["one", "plain", "two", "three"]
    assert SEALED not in answer.json()["payloads"][0]["metadata"]
    assert reads(engine) == [("local", "mmo/1", "payloads"), ("local", "mmo/2", "payloads")]
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_of_the_ui_is_one_line_a_minute_and_not_a_hundred(engine: Engine, local: Local):
    moments = iter([AT + timedelta(seconds=seconds) for seconds in (0, 10, 20, 90)])
    with serving(codec(engine, sign_in=local, clock=lambda: next(moments))) as address:
        for _ in range(4):
            given = {"payloads": [sealed_for(engine, "mmo/1", "one")]}
            assert httpx.post(f"{address}/decode", json=given, headers={"Authorization": f"Bearer {local.token}"}).status_code == 200

    with reading(engine) as session:
        assert [(row.at, row.what) for row in reads_of(session, "mmo/1")] == [
            (AT, "payloads"), (AT + timedelta(seconds=90), "payloads"),
        ]  # fmt: skip


def test_what_cannot_be_read_is_a_placeholder(engine: Engine, client: httpx.Client):
    lost, damaged, nobodys = sealed_for(engine, "mmo/1", "one"), sealed_for(engine, "mmo/2", "two"), sealed_for(engine, "mmo/3", "three")
    damaged["data"] = damaged["data"][:-8] + "AAAAAAA="  # type: ignore[index]  # text
    nobodys["metadata"][KEY] = base64.b64encode(b"k-none").decode()  # type: ignore[index]  # a dict
    keys_of_engine(engine).destroy("mmo/1")

    assert texts(client.post("/decode", json={"payloads": [lost, damaged, nobodys]})) == [UNREADABLE] * 3
    assert reads(engine) == [("local", "mmo/2", "payloads")]


def test_payloads_are_sealed_for_the_case_that_is_named_and_left_plain_without_one(engine: Engine, client: httpx.Client):
    known(engine, "mmo/1")
    named = client.post("/encode", json={"payloads": [plain("one")]}, headers={"X-Evenhand-Case": "mmo/1"})
    bare = client.post("/encode", json={"payloads": [plain("one")]})

    assert base64.b64decode(named.json()["payloads"][0]["metadata"][KEY]).decode() == keys_of_engine(engine).of("mmo/1").id
    assert texts(client.post("/decode", json=named.json())) == ["one"]
    assert bare.json()["payloads"] == [plain("one")]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \u00e9"], ids=ascii)
def test_nobody_is_let_in_without_the_token(engine: Engine, client: httpx.Client, token: str):
    given = {"payloads": [sealed_for(engine, "mmo/1", "Casey Sample")]}
    for path in ("/decode", "/encode"):
        answer = client.post(path, json=given, headers={"Authorization": token.encode("latin1")})
        assert answer.status_code == 401 and "Casey" not in answer.text, answer.text
    assert reads(engine) == []


def test_guessing_tokens_is_slowed_down(engine: Engine, client: httpx.Client, local: Local):
    codes = [client.post("/decode", json={}, headers={"Authorization": f"Bearer {n}"}).status_code for n in range(FAILURES_A_MINUTE + 1)]

    assert codes == [401] * FAILURES_A_MINUTE + [429]


JUNK = {
    "nothing": b"",
    "no JSON": b"{",
    "another JSON": b"[1, 2]",
    "a number": b"7",
    "payloads that are none": b'{"payloads": 7}',
    "a payload that is none": b'{"payloads": ["x"]}',
    "data that is no text": b'{"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": 7}]}',
    "no UTF-8": b"\xff\xfe\x00",
    "an unknown field": b'{"payloads": [], "SECRET": 1}',
    "deep": b"[" * 20_000 + b"]" * 20_000,
}


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK)
def test_junk_is_told_what_would_be_right_and_quotes_nothing(client: httpx.Client, body: bytes):
    answer = client.post("/decode", content=body)

    assert answer.status_code == 400 and "payloads" in answer.json()["error"]
    assert "SECRET" not in answer.text and "Traceback" not in answer.text


def test_too_much_is_refused(engine: Engine, client: httpx.Client):
    assert client.post("/decode", content=b" " * (LONGEST + 1)).status_code == 413
    assert client.post("/decode", json={"payloads": [plain("x")] * (MOST + 1)}).status_code == 413
    assert client.get("/decode").status_code == 405
    assert client.post("/elsewhere", json={}).status_code == 404


def test_too_many_requests_of_one_person_are_refused(engine: Engine, local: Local):
    one = codec(engine, sign_in=local)
    one.counts["by local"] = A_MINUTE
    with serving(one) as address:
        answer = httpx.post(f"{address}/decode", json={"payloads": []}, headers={"Authorization": f"Bearer {local.token}"})
    assert answer.status_code == 429


def test_only_the_uis_own_page_may_ask(engine: Engine, client: httpx.Client):
    """CORS for the configured UI alone; another page's request is refused besides, for some are sent without being asked about."""
    asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-namespace"}
    allowed = client.options("/decode", headers=asking)
    other = client.options("/decode", headers={**asking, "Origin": "http://elsewhere.example"})
    posted = client.post("/decode", json={"payloads": []}, headers={"Origin": "http://elsewhere.example"})
    own = client.post("/decode", json={"payloads": []}, headers={"Origin": ORIGIN})

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "access-control-allow-origin" not in other.headers
    assert posted.status_code == 403 and "access-control-allow-origin" not in posted.headers
    assert own.status_code == 200 and own.headers["access-control-allow-credentials"] == "true"


def test_a_reading_that_cannot_be_noted_is_not_answered(engine: Engine, client: httpx.Client):
    given = {"payloads": [sealed_for(engine, "mmo/1", "one")]}
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE read_log")

    answer = client.post("/decode", json=given)

    assert answer.status_code == 500 and answer.json() == {"error": "The codec server could not answer."}


def test_a_browser_signs_in_once_with_the_token_of_the_start(engine: Engine, client: httpx.Client, local: Local):
    with httpx.Client(base_url=client.base_url) as browser:
        assert browser.post("/decode", json={"payloads": []}).status_code == 401
        assert browser.get("/sign-in", params={"token": "wrong"}).status_code == 401
        entered = browser.get("/sign-in", params={"token": local.token})
        assert browser.post("/decode", json={"payloads": []}).status_code == 200

    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie


# A provider


@pytest.fixture
def provider() -> Iterator[str]:
    users = (User(sub="pat"), User(sub="sam"))
    with run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


def signed_in(provider: str, sub: str, scope: str = "openid") -> str:
    """Returns the ID token of somebody who signs in at the provider, as the Temporal UI gets it."""
    back = "http://127.0.0.1/back"
    asked = {"client_id": "temporal-ui", "redirect_uri": back, "response_type": "code", "scope": scope, "state": "s"}
    answer = httpx.post(f"{provider}/oauth2/authorize", params=asked, data={"sub": sub})
    code = re.search(r"[?&]code=([^&]+)", answer.headers["location"])
    assert code
    form = {"grant_type": "authorization_code", "code": code[1], "redirect_uri": back, "client_id": "temporal-ui", "client_secret": "x"}
    token = httpx.post(f"{provider}/oauth2/token", data=form).json()["id_token"]
    assert isinstance(token, str)
    return token


def test_a_person_signed_in_at_the_provider_is_asked_for_and_named(engine: Engine, provider: str):
    staff(engine, "pat")
    with serving(codec(engine, sign_in=Oidc(provider, "temporal-ui"), clock=lambda: AT)) as address:
        given, pat = {"payloads": [sealed_for(engine, INSTALLATION, "one")]}, signed_in(provider, "pat")
        answer = httpx.post(f"{address}/decode", json=given, headers={"Authorization": f"Bearer {pat}"})
        forged = httpx.post(f"{address}/decode", json=given, headers={"Authorization": f"Bearer {pat[:-6]}AAAAAA"})

    assert texts(answer) == ["one"] and reads(engine) == [("pat", "", "payloads")]
    assert forged.status_code == 401 and pat[:20] not in forged.text


class Provider:
    """A provider's documents, with a key that can change; remembers how often it was asked."""

    def __init__(self) -> None:
        self.key, self.asked, self.away = RSAKey.generate_key(2048, {"kid": "one"}), 0, False

    def __call__(self, url: str) -> dict[str, object]:
        self.asked += 1
        if self.away:
            raise NoProvider("the sign-in provider does not answer")
        if url.endswith("openid-configuration"):
            return {"issuer": "https://issuer.example", "jwks_uri": "https://issuer.example/jwks"}
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, *, alg: str = "RS256", key: object = None, **claims: object) -> str:
        whole = {"iss": "https://issuer.example", "aud": "ui", "sub": "pat", "exp": 4_000_000_000, **claims}
        return jwt.encode({"alg": alg, "kid": "one"}, {k: v for k, v in whole.items() if v is not None}, key or self.key, algorithms=[alg])  # type: ignore[arg-type]  # a key


def test_tokens_that_are_not_good_are_told_from_those_that_are():
    provider = Provider()
    sign_in = Oidc("https://issuer.example", "ui", fetch=provider)
    assert sign_in.who(provider.token()) == "pat"
    assert sign_in.who(provider.token(aud=["x", "ui"])) == "pat"
    bad = {
        "another issuer": provider.token(iss="https://other.example"),
        "another audience": provider.token(aud="x"),
        "no audience": provider.token(aud=None),
        "over": provider.token(exp=1_000_000_000),
        "without an end": provider.token(exp=None),
        "nobody": provider.token(sub=None),
        "another key": provider.token(key=RSAKey.generate_key(2048, {"kid": "one"})),
        "a shared secret": provider.token(alg="HS256", key=OctKey.import_key("x" * 40, {"kid": "one"})),
        "unsigned": ".".join(
            [base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("="), provider.token().split(".")[1], ""]
        ),
        "too long": "x" * 10_000,
        "no token": "x.y",
        "empty": "",
    }  # fmt: skip
    for what, token in bad.items():
        with pytest.raises(NotSignedIn) as raised:
            sign_in.who(token)
        assert not token or token not in str(raised.value), what


def test_the_group_that_may_read_is_asked_for_where_one_is_set():
    provider = Provider()
    sign_in = Oidc("https://issuer.example", "ui", group="case-readers", fetch=provider)

    assert sign_in.who(provider.token(groups=["x", "case-readers"])) == "pat"
    for groups in (None, [], ["x"], "case-readers"):
        with pytest.raises(NotSignedIn, match="not among those"):
            sign_in.who(provider.token(groups=groups))


def test_the_providers_new_key_is_asked_for_and_not_for_every_forged_token(monkeypatch: pytest.MonkeyPatch):
    provider, moment = Provider(), [1000.0]
    monkeypatch.setattr("starter.codec_sign_in.monotonic", lambda: moment[0])
    sign_in = Oidc("https://issuer.example", "ui", fetch=provider)
    sign_in.who(provider.token())
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sign_in.who(provider.token())
    assert provider.asked == 2

    moment[0] += 11
    assert sign_in.who(provider.token()) == "pat" and provider.asked == 4


def test_a_provider_that_is_away_lets_nobody_in(engine: Engine):
    provider = Provider()
    provider.away = True
    with serving(codec(engine, sign_in=Oidc("https://issuer.example", "ui", fetch=provider))) as address:
        answer = httpx.post(f"{address}/decode", json={"payloads": []}, headers={"Authorization": f"Bearer {provider.token()}"})

    assert answer.status_code == 503 and reads(engine) == []


# The command


def test_the_command_serves_on_this_machine_and_stops_when_told(tmp_path: Path, engine: Engine):
    port = free_port()
    env = {"EVENHAND_VAR": str(tmp_path), "COLUMNS": "200"}
    with Process(["evenhand", "codec", "serve", "--port", str(port)], env={**env, "PATH": _path()}, log=tmp_path / "codec.log") as process:
        for _ in range(600):
            if "sign-in?token=" in process.said and _listens(port):
                break
            import time

            time.sleep(0.1)
        token = re.search(r"token=(\S+)", process.said)
        assert token, process.said
        answer = httpx.post(
            f"http://127.0.0.1:{port}/decode", json={"payloads": [sealed_for(engine, "mmo/1", "one")]},
            headers={"Authorization": f"Bearer {token[1]}"},
        )  # fmt: skip
        assert texts(answer) == ["one"]
    assert "one" not in process.said.replace("one ", "")


def _path() -> str:
    import os
    import sys

    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/decode", timeout=1)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["--host", "0.0.0.0"], {}),
        ([], {"EVENHAND_CODEC_ISSUER": "https://issuer.example"}),
        ([], {"EVENHAND_OIDC_ISSUER": "https://issuer.example"}),
        ([], {"EVENHAND_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}),
    ],
)
def test_nobody_serves_payloads_to_others_without_a_provider(tmp_path: Path, engine: Engine, words: list[str], extra: dict[str, str]):
    done = evenhand("codec", "serve", *words, env={"EVENHAND_VAR": str(tmp_path), **extra}, wait=60)

    assert done.returncode == 1 and "EVENHAND_CODEC_ISSUER and EVENHAND_CODEC_AUDIENCE" in done.stderr
