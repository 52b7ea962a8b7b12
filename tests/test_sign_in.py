"""Whoever is signed in is who acts. Against a real provider over loopback HTTP: what is wrong is refused, and no token is ever shown."""

from __future__ import annotations

import base64
import hmac
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from activities.bodies import Body, body_of, save_body
from activities.signatures import claims_in
from activities.staff_lists import Loaded, lists_of
from domain.directory import Directory
from domain.people import Person
from records.database import open_database, reading, transaction
from starter.acting import NobodyNamed, who_acts
from starter.clock import now
from starter.identity import SignInFailed
from starter.sign_in import in_browser, on_device
from starter.signed_in import file_of
from starter.signer import make_pair, public_file
from tests.engine import ROOT, evenhand
from tests.provider import OURS, SECRET, Json, Provider, provider_running
from tests.signing import key_file_in
from tests.tables import with_tables
from worker.settings import Settings

PERSON = "olive-officer"
PEOPLE = (
    Person(id=PERSON, name="Olive Officer", grade=5, email="olive@example.org"),
    Person(id="dana-decider", name="Dana Decider", offices=("decision-maker",), grade=8),
    Person(id="lee-left", name="Lee Left", valid_to=now().date() - timedelta(days=1)),
)


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider_running() as one:
        one.person(PERSON, name="Olive Officer", email="olive@example.org", email_verified=True, groups=["Deciders"])
        one.person("stranger", name="Some Stranger")
        one.person("lee-left", name="Lee Left")
        yield one


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.spoil, running.sign, running.document, running.refresh_with_id_token = None, None, {}, True
    running.asked.clear()
    return running


@pytest.fixture
def env(provider: Provider, tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    with_tables(tmp_path / "evenhand.db")
    with transaction(open_database(url)) as session:
        save_body(session, Body(body="mmo", name="MMO", policy="mmo", keep_years=6, people=PEOPLE), Loaded(at=now()))
    return {
        "EVENHAND_VAR": str(tmp_path),
        "EVENHAND_DATABASE_URL": url,
        "EVENHAND_SESSION_FILE": str(tmp_path / "own" / "sign-in.json"),
        "EVENHAND_OIDC_ISSUER": provider.url,
        "EVENHAND_OIDC_CLIENT_ID": OURS,
        "EVENHAND_OIDC_CLIENT_SECRET": SECRET,
        "EVENHAND_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "EVENHAND_SIGNING_KEY_FILE": key_file_in(tmp_path),
    }


@pytest.fixture
def settings(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return Settings()


def browser(provider: Provider, sub: str | None = PERSON, change: Callable[[str], str] = str) -> Callable[[str], None]:
    """Returns what opens an address as somebody at a browser would."""

    def go(url: str) -> None:
        requests.get(change(provider.browse(url, sub)), timeout=5)

    return lambda url: threading.Thread(target=go, args=(url,)).start()


def failing(provider: Provider, settings: Settings, **how: object) -> str:
    """Returns why a sign-in fails; nothing was kept, and no token shows in what is said."""
    with pytest.raises(SignInFailed) as refused:
        in_browser(settings, browser(provider, **how))  # type: ignore[arg-type]
    assert not file_of(settings).exists()
    assert not any(token in str(refused.value) for token in provider.given)
    return str(refused.value)


def test_whoever_signed_in_is_who_acts_and_nobody_else(provider: Provider, settings: Settings):
    in_browser(settings, browser(provider))

    assert provider.asked == ["authorization_code"] and provider.verifiers, "PKCE: the provider here checks the verifier"
    assert [who_acts(settings, by) for by in (None, PERSON, "customer")] == [PERSON, PERSON, "customer"]
    with pytest.raises(SignInFailed, match="--by is dana-decider, and olive-officer is signed in"):
        who_acts(settings, "dana-decider")
    assert stat.S_IMODE(file_of(settings).stat().st_mode) == 0o600
    assert stat.S_IMODE(file_of(settings).parent.stat().st_mode) == 0o700


def test_without_a_provider_by_says_who_acts():
    assert who_acts(Settings(oidc_issuer=""), "dana-decider") == "dana-decider"
    with pytest.raises(NobodyNamed):
        who_acts(Settings(oidc_issuer=""), None)


def unlike(**changes: object) -> Callable[[Json], None]:
    return lambda claims: claims.update(changes)


def later(name: str, seconds: int) -> Callable[[Json], None]:
    return lambda claims: claims.update({name: int(now().timestamp()) + seconds})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (unlike(nonce="another"), "nonce is not ours"),
        (lambda claims: claims.pop("nonce"), "nonce is not ours"),
        (unlike(aud="another-program"), "meant for another program"),
        (unlike(aud=[OURS, "other"], azp="other"), "meant for another program"),
        (unlike(aud=None), "meant for another program"),
        (unlike(iss="https://elsewhere.example.org"), "issued by somebody else"),
        (later("exp", -60), "expired"),
        (later("iat", 120), "not valid yet"),
        (later("nbf", 120), "not valid yet"),
        (unlike(exp="tomorrow"), "lacks sub, iat or exp"),
        (lambda claims: claims.pop("sub"), "lacks sub, iat or exp"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(provider: Provider, settings: Settings, spoil: Callable[[Json], None], says: str):
    provider.spoil = spoil

    assert says in failing(provider, settings)


OTHER = RSAKey.generate_key()


def by_shared_secret(claims: Json, public: bytes) -> str:
    """Returns a token "signed" with the provider's public key as if it were a shared secret, which no library makes any more."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "HS256"}, claims)]
    signed = hmac.new(public, b".".join(parts), "sha256").digest()
    return b".".join((*parts, base64.urlsafe_b64encode(signed).rstrip(b"="))).decode()


@pytest.mark.parametrize(
    ("sign", "says"),
    [
        (lambda claims, key: jwt.encode({"alg": "RS256"}, claims, OTHER), "not signed by the provider's key"),
        (lambda claims, key: jwt.encode({"alg": "none"}, claims, None, algorithms=["none"]), "cannot be verified"),
        (lambda claims, key: by_shared_secret(claims, key.as_pem(private=False)), "cannot be verified"),
        (lambda claims, key: jwt.encode({"alg": "RS256"}, claims, key)[:-8] + "AAAAAAAA", "not signed by the provider's key"),
        (lambda claims, key: "no.token.atall", "cannot be verified"),
        (lambda claims, key: "", "cannot be verified"),
        (lambda claims, key: "x" * 30_000, "no ID token"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(provider: Provider, settings: Settings, sign: Callable[..., str], says: str):
    provider.sign = sign

    assert says in failing(provider, settings)


def test_a_state_that_is_not_ours_is_refused_before_the_code_is_used(provider: Provider, settings: Settings):
    said = failing(provider, settings, change=lambda url: url.replace("state=", "state=x"))

    assert "its state is not ours" in said and provider.asked == []


def test_a_code_given_twice_in_one_address_is_refused(provider: Provider, settings: Settings):
    assert "gave no code" in failing(provider, settings, change=lambda url: f"{url}&code=another")


def test_somebody_who_says_no_is_not_signed_in(provider: Provider, settings: Settings):
    assert "told no" in failing(provider, settings, sub=None)


def test_a_code_of_another_sign_in_is_refused(provider: Provider, settings: Settings):
    assert "refused the sign-in" in failing(provider, settings, change=lambda url: url.replace("code=", "code=x"))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://elsewhere.example.org"}, "says it is https://elsewhere.example.org"),
        ({"token_endpoint": "http://elsewhere.example.org/token"}, "token_endpoint is http://elsewhere.example.org/token"),
        ({"jwks_uri": None}, "lacks or misstates jwks_uri"),
    ],
)
def test_a_document_that_cannot_be_the_providers_is_refused(provider: Provider, settings: Settings, document: Json, says: str):
    provider.document = document

    assert says in failing(provider, settings)


def test_keys_that_are_none_are_refused(provider: Provider, settings: Settings):
    provider.document = {"jwks_uri": f"{provider.url}/.well-known/openid-configuration"}

    assert "keys at" in failing(provider, settings)


@pytest.mark.parametrize(
    ("issuer", "says"),
    [("http://127.0.0.1:1", "does not answer"), ("http://provider.example.org", "right would be an address with https"), ("what", "https")],
)
def test_a_provider_that_is_down_or_not_safe_is_told_in_one_line(settings: Settings, issuer: str, says: str):
    with pytest.raises(SignInFailed, match=says):
        in_browser(settings.model_copy(update={"oidc_issuer": issuer}), print)


def test_a_provider_that_goes_away_stops_acts_and_says_so(provider: Provider, settings: Settings):
    """A file alone proves nothing: the provider's keys are asked for at every act."""
    with provider_running() as other:
        other.person(PERSON)
        at_other = settings.model_copy(update={"oidc_issuer": other.url})
        in_browser(at_other, browser(other))
        assert who_acts(at_other, None) == PERSON

    with pytest.raises(SignInFailed, match="does not answer"):
        who_acts(at_other, None)


def test_a_sign_in_file_that_was_written_by_hand_makes_nobody_somebody_else(provider: Provider, settings: Settings):
    in_browser(settings, browser(provider))
    file = file_of(settings)
    held = json.loads(file.read_text())
    forged = jwt.encode({"alg": "RS256"}, {"sub": "x", "preferred_username": "dana-decider", "iss": provider.url, "aud": OURS}, OTHER)
    file.write_text(json.dumps({**held, "id_token": forged}))

    with pytest.raises(SignInFailed, match="not signed by the provider's key"):
        who_acts(settings, None)
    file.chmod(0o644)
    with pytest.raises(SignInFailed, match="can be read or written by others"):
        who_acts(settings, None)
    file.write_text("{")
    file.chmod(0o600)
    with pytest.raises(SignInFailed, match="holds no sign-in"):
        who_acts(settings, None)


def test_an_expired_sign_in_is_refreshed_once_and_never_as_somebody_else(provider: Provider, settings: Settings):
    provider.spoil = later("exp", -25)  # within the clocks' leeway at sign-in
    in_browser(settings, browser(provider))
    file = file_of(settings)
    expired = json.loads(file.read_text())
    provider.spoil = later("exp", -60)
    aged = provider_token(provider)

    def again(**changes: object) -> None:
        file.write_text(json.dumps({**expired, "id_token": aged, **changes}))

    again()
    provider.spoil = unlike(sub="stranger")
    with pytest.raises(SignInFailed, match="of somebody else"):
        who_acts(settings, None)
    again(refresh_token=None)
    with pytest.raises(SignInFailed, match=r"expired\. Run evenhand sign-in"):
        who_acts(settings, None)
    again(refresh_token="no such token")
    with pytest.raises(SignInFailed, match="gives no more"):
        who_acts(settings, None)


def provider_token(provider: Provider) -> str:
    """Returns an ID token of the provider as it signs them now."""
    from tests import provider as made

    with made.provider_context(provider):
        return made._signed(provider, made._claims(provider, PERSON))


def test_a_refresh_token_keeps_somebody_signed_in(provider: Provider, settings: Settings):
    in_browser(settings, browser(provider))
    file = file_of(settings)
    held = json.loads(file.read_text())
    provider.spoil = later("exp", -60)
    file.write_text(json.dumps({**held, "id_token": provider_token(provider)}))
    provider.spoil = None
    provider.asked.clear()

    assert who_acts(settings, None) == PERSON and provider.asked == ["refresh_token"]
    assert who_acts(settings, None) == PERSON and provider.asked == ["refresh_token"], "the new token was kept"
    assert json.loads(file.read_text())["id_token"] != held["id_token"]


@pytest.mark.parametrize(("sub", "claim", "says"), [
    ("stranger", "preferred_username", "nobody on the staff lists"),
    ("lee-left", "preferred_username", "nobody on the staff lists"),
    (PERSON, "employee_number", "The provider says no employee_number"),
    ("stranger", "email", "The provider says no email"),
])  # fmt: skip
def test_somebody_who_is_nobody_on_the_staff_list_acts_for_nobody(provider: Provider, settings: Settings, sub: str, claim: str, says: str):
    other = settings.model_copy(update={"oidc_person_claim": claim})
    in_browser(other, browser(provider, sub))

    with pytest.raises(SignInFailed, match=says):
        who_acts(other, None)


@pytest.mark.parametrize(("verified", "good"), [(True, True), (False, False), ("true", False)])
def test_an_email_address_names_somebody_only_where_the_provider_verified_it(
    provider: Provider, settings: Settings, verified: object, good: bool
):
    provider.spoil = unlike(email="Olive@Example.org", email_verified=verified)
    by_email = settings.model_copy(update={"oidc_person_claim": "email"})
    in_browser(by_email, browser(provider))

    if good:
        assert who_acts(by_email, None) == PERSON
    else:
        with pytest.raises(SignInFailed, match="not verified"):
            who_acts(by_email, None)


def test_another_device_signs_in_once_its_code_was_entered(provider: Provider, settings: Settings):
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            provider.devices = dict.fromkeys(provider.devices, PERSON)

    claims = on_device(settings, lambda address, code: None, sleep)

    assert claims["sub"] == PERSON and waited == [1, 1, 1] and who_acts(settings, None) == PERSON


def test_a_provider_without_the_device_flow_says_so(provider: Provider, settings: Settings):
    provider.document = {"device_authorization_endpoint": None}

    with pytest.raises(SignInFailed, match="offers no device flow"):
        on_device(settings, lambda address, code: None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, None),
        ({"oidc_client_secret": "wrong"}, "does not take EVENHAND_OIDC_CLIENT_ID"),
        ({"oidc_client_secret": ""}, "EVENHAND_OIDC_CLIENT_SECRET is not set"),
        ({"oidc_services": {}}, "maps no account to evenhand"),
    ],
)
def test_a_service_acts_as_the_account_its_credentials_are_mapped_to(
    provider: Provider, env: dict[str, str], changes: Json, says: str | None
):
    facts: Json = {"oidc_flow": "service", "oidc_services": {OURS: PERSON}, "oidc_client_secret": SECRET, **changes}
    service = Settings(oidc_issuer=provider.url, oidc_client_id=OURS, **facts)  # type: ignore[arg-type]

    if says is None:
        assert who_acts(service, None) == PERSON and provider.asked == ["client_credentials"]
        with pytest.raises(SignInFailed, match="is signed in"):
            who_acts(service, "dana-decider")
    else:
        with pytest.raises(SignInFailed, match=says):
            who_acts(service, None)


def signed_in_by_command(env: dict[str, str], provider: Provider, sub: str = PERSON) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("evenhand")
    words = [str(program), "sign-in", "--no-browser"]
    with subprocess.Popen(words, env={**os.environ, "COLUMNS": "200", **env, "PYTHONUNBUFFERED": "1"}, cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout and process.stderr
        assert "Open this address" in process.stdout.readline()
        url = process.stdout.readline().strip()
        requests.get(provider.browse(url, sub), timeout=5)
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def test_the_command_line_signs_in_acts_and_signs_out(provider: Provider, env: dict[str, str]):
    before = evenhand("case", "act", "mmo/1", "report_behaviour", env=env)
    signed = signed_in_by_command(env, provider)
    who = evenhand("who", env=env)
    other = evenhand("case", "act", "mmo/1", "report_behaviour", "--by", "dana-decider", env=env)
    own = evenhand("case", "act", "mmo/1", "report_behaviour", env=env)
    out = evenhand("sign-out", env=env)
    after = evenhand("who", env=env)

    assert (before.returncode, before.stderr) == (1, "evenhand: Nobody is signed in. Run evenhand sign-in.\n")
    assert (signed.returncode, signed.stdout) == (0, f"Signed in as {PERSON}.\n"), signed.stderr
    assert f"{PERSON}, by {provider.url}" in who.stdout and "mmo: no office" in who.stdout
    assert other.returncode == 1 and "--by is dana-decider, and olive-officer is signed in" in other.stderr
    assert own.returncode == 3, "it went on to the engine, which is not there"
    assert (out.stdout, after.returncode) == ("Signed out.\n", 1)
    for done in (before, signed, who, other, own, out, after):
        assert "Traceback" not in done.stderr
        assert not any(token in done.stdout + done.stderr for token in (*provider.given, SECRET))


def test_what_this_machines_key_signs_names_whoever_signed_in_and_nobody_else(provider: Provider, env: dict[str, str]):
    """The key would sign for anybody; who is signed in decides for whom it does, and without anybody it signs nothing."""
    warn = ("case", "act", "mmo/1", "warn", "--print", "--json")
    nobody = evenhand(*warn, "--by", PERSON, env=env)
    signed_in_by_command(env, provider)
    own, received = evenhand(*warn, env=env), evenhand(*warn, "--by", "customer", env=env)
    other = evenhand(*warn, "--by", "dana-decider", env=env)
    destroyer = evenhand("destroy", "sign", "mmo/1", "--by", "dana-decider", env=env)
    keeper = evenhand("keys", "add-signer", str(pair(env)), "--holder", "crm", "--staff", "--by", "dana-decider", env=env)

    for done, by in ((own, PERSON), (received, "customer")):
        sent = json.loads(done.stdout)["input"]
        claims = claims_in(sent["token"])
        assert claims and claims.sub == sent["by"] == by, done.stderr
    for done in (nobody, other, destroyer, keeper):
        assert (done.returncode, done.stdout) == (1, "") and "signed in" in done.stderr, done


def pair(env: dict[str, str]) -> Path:
    """Returns the public half of a new key."""
    made = make_pair(Path(env["EVENHAND_VAR"]) / "crm.pem")
    assert made
    return public_file(Path(env["EVENHAND_VAR"]) / "crm.pem")


def test_somebody_not_on_the_list_is_not_signed_in_and_nothing_is_kept(provider: Provider, env: dict[str, str]):
    done = signed_in_by_command(env, provider, "stranger")

    assert done.returncode == 1 and "Not signed in. Who signed in is nobody on the staff lists" in done.stderr
    assert not Path(env["EVENHAND_SESSION_FILE"]).exists()


def test_groups_at_sign_in_become_the_staff_list_where_the_body_says_so(provider: Provider, env: dict[str, str]):
    directory = Directory.model_validate({"groups": {"Deciders": {"office": "decision-maker", "grade": 7}}, "offices_from": "claims"})
    engine = open_database(env["EVENHAND_DATABASE_URL"])
    with transaction(engine) as session:
        save_body(session, body_of(session, "mmo").model_copy(update={"directory": directory}), Loaded(at=now()))

    done = signed_in_by_command(env, provider)

    assert "Offices at mmo as your groups say" in done.stdout, done.stderr
    with reading(engine) as session:
        olive = body_of(session, "mmo").staff.by_id[PERSON]
        assert (olive.offices, olive.grade, olive.email) == (("decision-maker",), 7, "olive@example.org")
        assert [(one.source, one.loaded_by) for one in lists_of(session, "mmo")][-1] == ("groups at sign-in", PERSON)


def test_sign_in_where_no_provider_is_set_says_what_to_set(env: dict[str, str]):
    without = {name: value for name, value in env.items() if "OIDC" not in name}

    done = evenhand("sign-in", env=without)

    assert done.returncode == 2 and "EVENHAND_OIDC_ISSUER is not set" in done.stderr
