"""Payloads in the Temporal UI: of a case one may see all of, and of no other; who was shown what, or nothing, is in the log.

EH-200, EH-201."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from sqlalchemy import Engine
from sqlmodel import col, select

from activities.bodies import Body, save_body
from domain.people import Person
from records.database import reading, transaction
from records.keys import INSTALLATION, KeyStore, keys_of_engine
from records.tables import CaseRow, ReadRow
from starter import payload_reading
from starter.codec_server import Codec
from starter.codec_sign_in import Oidc
from starter.payload_reading import NOT_SHOWN
from starter.read_audit import Thresholds, attention, audited
from starter.reading import Reader
from tests.codec import codec, serving
from tests.stories import MMO_STAFF
from tests.tables import with_tables
from tests.test_codec_server import plain, sealed_for, signed_in, texts
from tests.test_desk_records import restricted
from workflows.codec import UNREADABLE

AT = datetime(2027, 3, 15, 12, 0, tzinfo=timezone.utc)
CASE, SECRET = "mmo/1", "SECRET finding"
INFO, DESK, STRANGER, OTHERS = "ines-information", "dee-desk", "eve", "olu-other"
PEOPLE = (
    *MMO_STAFF.people,
    Person(id=INFO, name="Ines Information", offices=("information-officer",), email="ines@example.org"),
    Person(id=DESK, name="Dee Desk"),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = with_tables(tmp_path_factory.mktemp("payloads") / "evenhand.db")
    with transaction(made) as session:
        save_body(
            session, Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=PEOPLE, information_officer="information-officer")
        )
        save_body(session, Body(body="other", name="other", policy="mmo", people=(Person(id=OTHERS, name="Olu Other"),)))
    restricted(made, CASE)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    people = ("officer", "reviewer", INFO, DESK, STRANGER, OTHERS)
    users = [User(sub=one) for one in people]
    users += [
        User(sub="u-100", claims={"email": "Ines@Example.org", "email_verified": True}),
        User(sub="u-101", claims={"email": "ines@example.org"}),
    ]
    with run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


def lines(engine: Engine) -> list[ReadRow]:
    with reading(engine) as session:
        return list(session.exec(select(ReadRow).order_by(col(ReadRow.n))).all())


class Asked:
    """A codec server as one person after the other asks it, at instants of the test's own."""

    def __init__(self, engine: Engine, provider: str, address: str, server: Codec) -> None:
        self.engine, self.provider, self.address, self.server = engine, provider, address, server

    def post(self, path: str, who: str, *payloads: dict[str, object], case: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {signed_in(self.provider, who)}", **({"X-Evenhand-Case": case} if case is not None else {})}
        return httpx.post(f"{self.address}{path}", json={"payloads": list(payloads)}, headers=headers)

    def decode(self, who: str, case: str = CASE) -> tuple[object, list[tuple[str, str, str, str, str]]]:
        """Returns what somebody was shown of a payload, and the lines about it."""
        before = len(lines(self.engine))
        answer = self.post("/decode", who, sealed_for(self.engine, case, SECRET))
        return texts(answer)[0], [(row.who, row.case_id, row.body, row.shows, row.part) for row in lines(self.engine)[before:]]


@pytest.fixture
def clock() -> list[datetime]:
    """Gives what time it is for the server; a day for each test, apart from the others."""
    CLOCK[0] += timedelta(days=1)
    return CLOCK


CLOCK = [AT]


@pytest.fixture
def asked(engine: Engine, provider: str, clock: list[datetime]) -> Iterator[Asked]:
    one = codec(engine, sign_in=Oidc(provider, "temporal-ui"), clock=lambda: clock[0])
    with serving(one) as address:
        yield Asked(engine, provider, address, one)


@pytest.mark.parametrize(
    ("who", "shown", "body", "shows", "part"),
    [
        ("officer", SECRET, "mmo", "payloads", "officer"),
        (INFO, SECRET, "mmo", "payloads", "information-officer"),
        (DESK, NOT_SHOWN, "mmo", "nothing", "staff"),
        (OTHERS, NOT_SHOWN, "mmo", "nothing", "nobody"),
    ],
)
def test_payloads_are_opened_for_whoever_sees_all_of_the_case(asked: Asked, who: str, shown: str, body: str, shows: str, part: str):
    """EH-171, EH-170, EH-173: `case show` would show them all, or refuse."""
    assert asked.decode(who) == (shown, [(who, CASE, body, shows, part)])


def test_whoever_is_on_no_staff_list_sees_nothing_and_is_no_id_in_the_log(asked: Asked):
    """Neither whether there is such a case; the log holds ids of the staff list, and no claim of a provider."""
    assert asked.decode(STRANGER) == (NOT_SHOWN, [("no-id", CASE, "mmo", "nothing", "nobody")])
    assert asked.decode(STRANGER, INSTALLATION) == (NOT_SHOWN, [("no-id", "", "", "nothing", "nobody")])


def test_an_address_names_the_same_person_as_at_the_command_line_and_only_where_verified(engine: Engine, provider: str):
    CLOCK[0] += timedelta(days=1)
    by_email = Oidc(provider, "temporal-ui", claim="email")
    with serving(codec(engine, sign_in=by_email, clock=lambda: CLOCK[0])) as address:
        before = len(lines(engine))
        given = {"payloads": [sealed_for(engine, CASE, SECRET)]}
        answers = [
            httpx.post(
                f"{address}/decode", json=given, headers={"Authorization": f"Bearer {signed_in(provider, sub, scope='openid email')}"}
            )
            for sub in ("u-100", "u-101")
        ]

    assert texts(answers[0]) == [SECRET]
    assert answers[1].status_code == 401 and "not verified" in answers[1].text and "example.org" not in answers[1].text
    assert [(row.who, row.shows) for row in lines(engine)[before:]] == [(INFO, "payloads")]


def test_on_one_page_each_case_is_judged_by_itself(asked: Asked, engine: Engine):
    restricted_too = asked.post(
        "/decode", "officer", sealed_for(engine, CASE, "one"), sealed_for(engine, "mmo/nothing", "two"), plain("three")
    )
    lost = sealed_for(engine, "mmo/lost", "four")
    keys_of_engine(engine).destroy("mmo/lost")

    assert texts(restricted_too) == ["one", NOT_SHOWN, "three"]
    assert texts(asked.post("/decode", "officer", lost)) == [UNREADABLE]
    assert [(row.case_id, row.what, row.shows, row.part) for row in lines(engine)[-2:]] == [
        (CASE, "payloads", "payloads", "officer"), ("mmo/nothing", "no such case", "nothing", "staff"),
    ]  # fmt: skip


def test_what_the_installations_key_sealed_is_for_its_staff(asked: Asked):
    """EH-201: rounds of the post have numbers alone."""
    assert asked.decode(DESK, INSTALLATION) == (SECRET, [(DESK, "", "mmo", "references", "staff")])


def test_a_reader_who_needs_a_reason_stands_in_attention_and_an_officer_does_not(asked: Asked, engine: Engine, clock: list[datetime]):
    """EH-176: the UI can give none."""
    for who in ("officer", INFO, DESK):
        asked.decode(who)
    limits = Thresholds(many_cases=99, not_own=99, refused=1, outside=99, without_why=1, look_ups=99)
    with audited(engine, Reader(INFO), how="audit attention", at=clock[0], today=clock[0].date()) as office:
        found = {one.who: one.over for one in attention(office, limits, since=clock[0] - timedelta(minutes=1))}

    assert found[INFO] == ("without_why",) and found[DESK] == ("refused",) and "officer" not in found


def test_a_case_is_looked_at_once_a_minute_and_what_changed_counts_after_it(
    asked: Asked, engine: Engine, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
):
    looks, whole = [], payload_reading.glance
    monkeypatch.setattr(payload_reading, "glance", lambda *args, **how: looks.append(args[1]) or whole(*args, **how))
    start = clock[0]
    for seconds in (0, 10, 59):
        clock[0] = start + timedelta(seconds=seconds)
        assert asked.decode(DESK)[0] == NOT_SHOWN
    assert looks == [CASE]

    _information_officer(engine, DESK)
    try:
        clock[0] = start + timedelta(seconds=60)
        assert asked.decode(DESK) == (SECRET, [(DESK, CASE, "mmo", "payloads", "information-officer")])
        assert looks == [CASE, CASE]
    finally:
        _information_officer(engine, INFO)


def _information_officer(engine: Engine, who: str) -> None:
    offices = {who: ("information-officer",)}
    people = tuple(one.model_copy(update={"offices": offices.get(one.id, ())}) if one.id in (INFO, DESK) else one for one in PEOPLE)
    with transaction(engine) as session:
        from activities.staff_lists import Loaded

        body = Body(body="mmo", name="mmo", policy="mmo", keep_years=6, people=people, information_officer="information-officer")
        save_body(session, body, Loaded(at=datetime.now(timezone.utc)))  # noqa: TID251  # an instant after the last list's


def test_the_group_is_asked_for_and_opens_no_case(engine: Engine, provider: str, clock: list[datetime], monkeypatch: pytest.MonkeyPatch):
    """EH-200: it narrows who may ask; what they see follows from the staff list alone."""
    inside = Oidc(provider, "temporal-ui", group="operators")
    claims = inside._claims
    monkeypatch.setattr(inside, "_claims", lambda token: {**claims(token), "groups": ["operators"]})
    with serving(codec(engine, sign_in=inside, clock=lambda: clock[0])) as address:
        one = Asked(engine, provider, address, codec(engine))
        assert one.decode(DESK)[0] == NOT_SHOWN and one.decode(STRANGER)[0] == NOT_SHOWN and one.decode("officer")[0] == SECRET


def test_a_record_that_cannot_be_read_opens_nothing_and_the_rest_goes_on(asked: Asked, engine: Engine):
    with transaction(engine) as session:
        row = session.get(CaseRow, CASE)
        assert row is not None
        session.add(CaseRow.model_validate({**row.model_dump(), "id": "mmo/odd", "state": {"odd": 1}}))
    answer = asked.post("/decode", "officer", sealed_for(engine, "mmo/odd", "one"), sealed_for(engine, CASE, "two"))

    assert texts(answer) == [NOT_SHOWN, "two"]


@pytest.mark.parametrize(
    ("who", "case", "status"),
    [("officer", CASE, 200), (DESK, CASE, 200), ("officer", "mmo/invented", 404), ("officer", "mmo/\u00e9 x", 404), (STRANGER, CASE, 403)],
    ids=ascii,
)
def test_nothing_is_sealed_for_a_case_that_the_records_do_not_know(asked: Asked, engine: Engine, who: str, case: str, status: int):
    """An invented id would make a key that nobody ever destroys."""
    before = _keys(engine)
    headers = {"Authorization": f"Bearer {signed_in(asked.provider, who)}".encode(), "X-Evenhand-Case": case.encode()}
    answer = httpx.post(f"{asked.address}/encode", json={"payloads": [plain(SECRET)]}, headers=headers)

    assert answer.status_code == status and _keys(engine) == before
    assert status == 200 or "SECRET" not in answer.text


def _keys(engine: Engine) -> set[str]:
    store = keys_of_engine(engine)
    assert isinstance(store, KeyStore)
    with store.engine.connect() as connection:
        return {row[0] for row in connection.exec_driver_sql("SELECT case_id FROM case_key").all()}


def test_the_command_takes_the_claim_that_the_command_line_takes(tmp_path: Path):
    """One person is one id at both doors."""
    from starter.cli_codec import _sign_in
    from worker.settings import Settings

    given = {"var": tmp_path, "codec_issuer": "https://issuer.example", "codec_audience": "ui", "oidc_person_claim": "email"}
    assert _sign_in(Settings.model_validate(given), "127.0.0.1").claim == "email"
    assert _sign_in(Settings.model_validate({**given, "codec_claim": "upn"}), "127.0.0.1").claim == "upn"
