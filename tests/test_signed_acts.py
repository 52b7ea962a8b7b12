"""Every act is signed: what a signature binds, whose it may be, when it counts, and what is kept of a message that nobody signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect, text
from sqlmodel import select

from activities.bodies import Body, save_body
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Door, Outcome
from activities.recording import Recording
from activities.refused_unsigned import WRITTEN_AN_HOUR
from activities.signatures import LONGEST, CannotSign, verified
from domain.decision import Refusal
from domain.signing import LIES_AT_MOST
from records.database import create_all, open_database, reading, transaction
from records.log import first_broken_line, log_of
from records.signing_keys import revoke, set_lies_at_most
from records.tables import CaseRow, CommandRow, LogRow, RefusedCountRow, RefusedMarkRow, SecurityRow
from starter.signed import Signature, signatures_of
from starter.signer import Signer
from tests.signing import KEY, SIGNER, keep, know
from tests.stories import MMO_STAFF

CASE, OTHER = "mmo/2027-0001", "mmo/2027-0002"
NOON = datetime(2027, 2, 1, 12, 30, tzinfo=timezone.utc)
Message = dict[str, object]


def open_message(case: str = CASE) -> Message:
    customer = {"name": "Casey Sample", "channel": "email", "address": "casey@example.org"}
    return {
        "v": 1,
        "id": f"open:{case}",
        "do": "open_case",
        "by": "officer",
        "with": {"body": "mmo", "customer": customer, "area": "licensing"},
    }


REPORT: Message = {
    "v": 1, "id": "r-1", "do": "report_behaviour", "by": "officer", "on": "2027-02-01",
    "with": {"code": "excessive-contact", "medium": "email", "summary": "Forty emails in one week."},
}  # fmt: skip


def signed(message: Message = REPORT, *, case: str = CASE, at: datetime = NOON, signer: Signer = SIGNER) -> Message:
    return signer.at(at).sign(case, message)


def sent(engine: Engine, message: Message, *, case: str = CASE, at: datetime = NOON, door: Door | None = "update") -> Outcome:
    """Has a message recorded as it came, whatever it is signed with."""
    with transaction(engine) as session:
        return Recording(session, Act(case=case, message=message, now=at, door=door), ENGINE_TIME).record()


@pytest.fixture
def opened(tmp_path: Path) -> Engine:
    """Gives records with a case of the MMO, and the tests' key that signs for anybody."""
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    create_all(engine)
    return with_a_case(engine)


@pytest.fixture
def on_both(database: Engine) -> Engine:
    """Gives the same on SQLite and on PostgreSQL, its tables made by the migrations."""
    return with_a_case(database)


def with_a_case(database: Engine) -> Engine:
    with transaction(database) as session:
        save_body(session, Body(body="mmo", name="Marine Management Organisation", policy="mmo", keep_years=6, people=MMO_STAFF.people))
        keep(session)
    assert sent(database, signed(open_message()), door="start").accepted
    return database


def security(engine: Engine) -> list[SecurityRow]:
    with reading(engine) as session:
        return list(session.exec(select(SecurityRow).order_by(SecurityRow.n)).all())  # type: ignore[arg-type]  # a column


def log(engine: Engine, result: str = "unsigned") -> list[LogRow]:
    with reading(engine) as session:
        return [row for row in log_of(session, CASE) if row.result == result]


def acts(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return {row.command_id for row in session.exec(select(CommandRow)).all()}


def seq(engine: Engine) -> int:
    with reading(engine) as session:
        return session.get_one(CaseRow, CASE).seq


def signatures(engine: Engine) -> tuple[Signature, ...]:
    with reading(engine) as session:
        return signatures_of(session, CASE)


# What a signature is worth


def test_a_signed_act_is_accepted_and_its_token_kept_as_evidence(on_both: Engine):
    message = signed()

    assert sent(on_both, message).accepted

    with reading(on_both) as session:
        assert session.get_one(CommandRow, (CASE, "r-1")).message["token"] == message["token"]
    found = signatures(on_both)
    assert [(one.act, one.by, one.key, one.signed_by, one.signed_at, one.verifies) for one in found] == [
        (f"open:{CASE}", "officer", SIGNER.kid, "tests", NOON.replace(microsecond=0), True),
        ("r-1", "officer", SIGNER.kid, "tests", NOON.replace(microsecond=0), True),
    ]


def test_an_evidence_that_was_changed_in_the_records_is_found(opened: Engine):
    sent(opened, signed())
    with transaction(opened) as session:
        row = session.get_one(CommandRow, (CASE, "r-1"))
        row.message = {**row.message, "by": "manager"}
        session.add(row)

    assert [one.problem for one in signatures(opened)] == [None, "it was signed for another person"]


def changed(**facts: object) -> Callable[[], Message]:
    """A good token beside other contents than it was made for."""
    return lambda: {**signed(), **facts}


def by_hand(payload: dict[str, object] | None = None, **header: object) -> Callable[[], Message]:
    """A token by the good key whose header or claims are not as they must be."""

    def made() -> Message:
        token = str(signed()["token"])
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        head = {"kid": SIGNER.kid, "typ": "evenhand-act+jws", **header}
        return {
            **REPORT,
            "token": jwt.PyJWS().encode(json.dumps({**claims, **(payload or {})}).encode(), KEY, algorithm="EdDSA", headers=head),
        }

    return made


def with_secret(algorithm: str) -> Callable[[], Message]:
    """A token that names the good key and is made with no key, or with the public key as a shared secret."""

    def made() -> Message:
        token = str(signed()["token"])
        payload = base64.urlsafe_b64decode(token.split(".")[1] + "==")
        secret = KEY.public_key().public_bytes_raw() if algorithm != "none" else None
        head = {"kid": SIGNER.kid, "typ": "evenhand-act+jws"}
        return {**REPORT, "token": jwt.PyJWS().encode(payload, secret, algorithm=algorithm, headers=head)}

    return made


def cut(token: str) -> str:
    head, claims, _ = token.split(".")
    return f"{head}.{claims}."


def under_the_good_name() -> str:
    head = {"kid": SIGNER.kid, "typ": "evenhand-act+jws"}
    return jwt.PyJWS().encode(b"{}", STRANGER.key, algorithm="EdDSA", headers=head)


STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), iss="tests")
FORGED: dict[str, tuple[Callable[[], Message], str]] = {
    "no token": (lambda: dict(REPORT), "it is not signed"),
    "an empty token": (changed(token=""), "no compact JWS"),
    "a token that is a number": (changed(token=7), "no compact JWS"),
    "a token that is an object": (changed(token={"alg": "none"}), "no compact JWS"),
    "words for a token": (changed(token="Quentin Testcase signed this"), "no compact JWS"),
    "a token of a megabyte": (changed(token=f"{'e' * 500_000}.{'e' * 500_000}.e"), "no compact JWS"),
    "a key that nobody knows": (lambda: signed(signer=STRANGER), "the records hold no key"),
    "another key's signature under the good key's name": (
        lambda: {**REPORT, "token": under_the_good_name()},
        "not that of the key it names",
    ),
    "the signature cut off": (lambda: {**REPORT, "token": cut(str(signed()["token"]))}, "not that of the key it names"),
    "alg none": (with_secret("none"), "header must be alg EdDSA"),
    "the public key as a shared secret": (with_secret("HS256"), "header must be alg EdDSA"),
    "another type of token": (by_hand(typ="JWT"), "header must be alg EdDSA"),
    "a header that asks for more": (by_hand(crit=["b64"], b64=False), "header"),
    "a kid that is a path": (by_hand(kid="../../etc/passwd"), "header must be alg EdDSA"),
    "claims too few": (by_hand({"sub": 7}), "claims are not those"),
    "claims too many": (by_hand({"admin": True}), "claims are not those"),
    "a time that is a text": (by_hand({"iat": "now"}), "claims are not those"),
    "a time past all years": (by_hand({"iat": 10**15}), "claims are not those"),
    "another person": (changed(by="manager"), "signed for another person"),
    "nobody": (lambda: {name: value for name, value in signed().items() if name != "by"}, "signed for another person"),
    "another command": (changed(do="warn"), "signed for another command"),
    "another id": (changed(id="r-2"), "signed for another id"),
    "another case": (lambda: signed(case=OTHER), "signed for another case"),
    "another decision": (changed(saw="p1"), "signed for another proposal"),
    "another day": (changed(on="2027-01-01"), "signed for another day"),
    "other contents": (changed(**{"with": {"code": "violence"}}), "signed for other contents"),
    "a field beside": (changed(colour="red"), "other fields"),
    "a newer envelope": (changed(v=2), "other fields"),
    "signed tomorrow": (lambda: signed(at=NOON + timedelta(days=1)), "in the future"),
    "signed long ago": (lambda: signed(at=NOON - LIES_AT_MOST - timedelta(minutes=1)), "31 days before"),
    "a number that JSON cannot carry": (changed(**{"with": {"minutes": 2**60}}), "no canonical form"),
}  # fmt: skip


@pytest.mark.parametrize("door", ["update", "signal"])
@pytest.mark.parametrize("what", FORGED)
def test_a_forged_act_changes_nothing_and_is_noted(opened: Engine, what: str, door: Door | None):
    make, why = FORGED[what]
    before, known = seq(opened), acts(opened)

    outcome = sent(opened, make(), door=door)

    assert (outcome.result, outcome.stage) == ("unsigned", "opened")
    assert why in outcome.answer
    helps = "evenhand keys add-signer" if why == "the records hold no key" else "--print"
    assert outcome.remains and helps in outcome.remains
    assert (seq(opened), acts(opened)) == (before, known)
    assert (len(security(opened)), len(log(opened))) == ((1, 0) if door == "update" else (0, 1)), "a signal is noted on its case"
    assert why in (security(opened)[0].why if door == "update" else log(opened)[0].what)
    assert sent(opened, signed()).accepted, "the true act under the same id still counts"


def test_the_list_of_forgeries_is_not_empty():
    assert len(FORGED) > 25


def test_a_forged_opening_opens_nothing_and_is_in_the_security_log(opened: Engine):
    outcome = sent(opened, open_message(OTHER), case=OTHER, door="start")

    assert (outcome.result, outcome.stage) == ("unsigned", "")
    assert [(row.case_id, row.door, row.do) for row in security(opened)] == [(OTHER, "start", "open_case")]
    with reading(opened) as session:
        assert session.get(CaseRow, OTHER) is None and not log_of(session, OTHER)
    assert sent(opened, signed(open_message(OTHER), case=OTHER), case=OTHER, door="start").accepted


def test_nothing_that_a_forged_message_says_is_kept(opened: Engine):
    """Whoever forges may write anything anywhere: no word of it reaches a log, whatever the field."""
    word = "Quentin Testcase"
    message: Message = {
        "id": f"{word} 1",
        "do": word,
        "by": word,
        "saw": word,
        "with": {word: word},
        "token": f"{word}.{word}.{word}",
        word: word,
    }
    for case, door in ((CASE, "update"), (CASE, "signal"), (f"{word}, 1 Example Street", "start")):
        expected = "malformed" if door == "start" else "unsigned"  # under an id that no case has
        assert sent(opened, message, case=case, door=door).result == expected  # type: ignore[arg-type]  # doors, each

    with opened.connect() as connection:
        tables = inspect(connection).get_table_names()
        found = [table for table in tables if word in repr(connection.execute(text(f'SELECT * FROM "{table}"')).all())]
    assert not found
    assert len(security(opened)) == 2 and len(log(opened)) == 1


# Again, and again


def test_a_replayed_act_is_one_act_and_one_answer(on_both: Engine):
    first = sent(on_both, signed())

    again = sent(on_both, signed())

    assert (again.result, again.answer, again.seq) == ("accepted", first.answer, first.seq)
    assert len(log(on_both, "accepted")) == 2, "the opening and the act"


def test_the_same_act_signed_anew_is_the_same_act(opened: Engine):
    """A door that asks again signs again: the token is no part of what the id stands for."""
    sent(opened, signed())

    again = sent(opened, signed(at=NOON + timedelta(minutes=5)))

    assert again.accepted and not log(opened, "repeated")


def test_other_contents_under_a_used_id_are_refused_and_need_a_signature_even_for_that(opened: Engine):
    sent(opened, signed())
    other = {**REPORT, "with": {**REPORT["with"], "summary": "Something else."}}  # type: ignore[dict-item]  # a message's fields

    assert sent(opened, signed(other)).result == "repeated"
    assert sent(opened, other).result == "unsigned"
    assert len(log(opened, "repeated")) == 1


def test_an_act_that_is_recorded_answers_years_later_whatever_became_of_its_key(opened: Engine):
    """A workflow that was reset does again what its history says, at today's time."""
    first, message = sent(opened, signed()), signed()
    with transaction(opened) as session:
        revoke(session, SIGNER.kid, at=NOON - timedelta(days=400), why="stolen")

    again = sent(opened, message, at=NOON + timedelta(days=3000))

    assert (again.result, again.answer) == ("accepted", first.answer)
    assert signatures(opened)[1].problem == f"the key was revoked from {NOON - timedelta(days=400):%Y-%m-%d %H:%M} UTC"


# Keys


def test_an_old_key_counts_for_what_it_signed_while_it_was_valid(opened: Engine):
    """Rotation: the old key ends, the new one begins; a signal signed with the old one may still be on its way."""
    know(opened, STRANGER, staff=True, valid_to=NOON)

    late = sent(opened, signed(at=NOON - timedelta(minutes=5), signer=STRANGER), at=NOON + timedelta(days=2))
    after = sent(opened, signed({**REPORT, "id": "r-2"}, signer=STRANGER, at=NOON + timedelta(seconds=1)), at=NOON + timedelta(days=2))

    assert late.accepted
    assert after.result == "unsigned" and "valid until 2027-02-01 12:30 UTC" in after.answer


def test_a_key_counts_from_its_first_moment_only(opened: Engine):
    know(opened, STRANGER, staff=True, valid_from=NOON)

    early = sent(opened, signed(at=NOON - timedelta(minutes=1), signer=STRANGER))

    assert early.result == "unsigned" and "valid from 2027-02-01 12:30 UTC only" in early.answer
    assert sent(opened, signed(signer=STRANGER)).accepted


def test_a_stolen_key_counts_no_more_from_the_moment_it_was_stolen(on_both: Engine):
    with transaction(on_both) as session:
        revoke(session, SIGNER.kid, at=NOON, why="stolen")

    before = sent(on_both, signed(at=NOON - timedelta(minutes=1)))
    after = sent(on_both, signed({**REPORT, "id": "r-2"}))

    assert before.accepted
    assert after.result == "unsigned" and "revoked from 2027-02-01 12:30 UTC" in after.answer


def test_a_revocation_is_never_moved_later(opened: Engine):
    with transaction(opened) as session:
        revoke(session, SIGNER.kid, at=NOON, why="stolen")
        row = revoke(session, SIGNER.kid, at=NOON + timedelta(days=9), why="never mind")
        assert row is not None and (row.revoked_at, row.revoked_why) == (NOON, "stolen")


SCOPES: dict[str, tuple[dict[str, object], str, bool]] = {
    "one person": ({"person": "officer"}, "officer", True),
    "one person, for another": ({"person": "manager"}, "officer", False),
    "one person, for a customer": ({"person": "officer"}, "customer", False),
    "any staff": ({"staff": True}, "officer", True),
    "any staff, for a customer": ({"staff": True}, "customer", False),
    "staff of this body": ({"staff": True, "bodies": ("mmo",)}, "officer", True),
    "staff of another body": ({"staff": True, "bodies": ("maidstone",)}, "officer", False),
    "customers": ({"customer": True}, "customer", True),
    "customers, for staff": ({"customer": True}, "officer", False),
    "customers of another body": ({"customer": True, "bodies": ("maidstone",)}, "customer", False),
    "the calendar": ({"calendar": True}, "calendar", True),
    "any staff, for the calendar": ({"staff": True, "customer": True}, "calendar", False),
    "nobody's own": ({"staff": True}, "post", True),
}  # fmt: skip


@pytest.mark.parametrize("what", SCOPES)
def test_a_key_signs_for_those_it_may_sign_for(opened: Engine, what: str):
    scope, by, may = SCOPES[what]
    know(opened, STRANGER, **scope)
    do = {"customer": "appeal", "calendar": "apply_calendar"}.get(by, "report_behaviour")

    outcome = sent(opened, signed({**REPORT, "do": do, "by": by}, signer=STRANGER))

    assert (outcome.result != "unsigned") is may, outcome.answer
    if not may:
        assert "may not sign for this person" in outcome.answer
        assert outcome.remains and "evenhand keys list" in outcome.remains and "--print" not in outcome.remains, "that signs with this key"


def test_how_long_a_signed_message_may_lie_is_the_installations_own(opened: Engine):
    old = signed(at=NOON - timedelta(days=40))
    assert sent(opened, old).result == "unsigned"
    with transaction(opened) as session:
        set_lies_at_most(session, 60)

    assert sent(opened, old).result == "unsigned", "what was refused stays refused"
    assert sent(opened, signed(at=NOON - timedelta(days=39))).accepted


# Floods


@pytest.mark.parametrize("door", ["update", "signal"])
def test_a_flood_is_counted_and_not_written(on_both: Engine, door: Door):
    """One line says how many more there were, once the hour is over."""
    for n in range(WRITTEN_AN_HOUR + 40):
        assert sent(on_both, {**REPORT, "id": f"f-{n}"}, door=door).result == "unsigned"

    def lines() -> list[str]:
        return [row.why for row in security(on_both)] if door == "update" else [row.what for row in log(on_both)]

    assert len(lines()) == WRITTEN_AN_HOUR + 1
    assert "counted and not written" in lines()[-1]
    with reading(on_both) as session:
        assert session.get_one(RefusedCountRow, (CASE, door, "2027-02-01T12")).n == WRITTEN_AN_HOUR + 40
    sent(on_both, {**REPORT, "id": "later-1"}, at=NOON + timedelta(hours=1), door=door)
    sent(on_both, {**REPORT, "id": "later-2"}, at=NOON + timedelta(hours=2), door=door)
    assert len(lines()) == WRITTEN_AN_HOUR + 4
    assert lines()[-3].startswith("40 more that nobody signed came in the hour from 2027-02-01T12:00 UTC.")
    with reading(on_both) as session:
        assert first_broken_line(session, CASE) is None


@pytest.mark.parametrize("door", ["update", "signal"])
def test_what_was_refused_and_noted_stays_refused_and_is_noted_once(on_both: Engine, door: Door):
    """A reset has everything come again at a later time; a key may be known by then."""
    early = signed(signer=STRANGER)
    assert sent(on_both, early, door=door).result == "unsigned"
    know(on_both, STRANGER, staff=True)
    before, lines = seq(on_both), (len(security(on_both)), len(log(on_both)))

    again = sent(on_both, early, at=NOON + timedelta(hours=3), door=door)

    assert again.result == "unsigned" and "hold no key" in again.answer and "signed anew" in str(again.remains)
    assert (seq(on_both), (len(security(on_both)), len(log(on_both)))) == (before, lines)
    with reading(on_both) as session:
        assert [row.n for row in session.exec(select(RefusedCountRow).where(RefusedCountRow.case_id == CASE)).all()] == [1]
        [mark] = session.exec(select(RefusedMarkRow)).all()
        assert mark.case_id == CASE and len(mark.mark) == 64
    other_door: Door = "signal" if door == "update" else "update"
    assert sent(on_both, early, door=other_door).result == "unsigned", "through another door it is noted there, and no better"
    assert (len(security(on_both)), len(log(on_both))) == (1, 1)
    assert sent(on_both, early, case=OTHER).result == "unsigned", "of another case it is another message"
    assert sent(on_both, signed(at=NOON + timedelta(minutes=1), signer=STRANGER), at=NOON + timedelta(hours=3), door=door).accepted


def test_what_was_only_counted_may_be_tried_again(on_both: Engine):
    """What is written is bounded on purpose, marks too."""
    for n in range(WRITTEN_AN_HOUR + 1):
        sent(on_both, signed({**REPORT, "id": f"f-{n}"}, signer=STRANGER))
    know(on_both, STRANGER, staff=True)

    again = [sent(on_both, signed({**REPORT, "id": f"f-{n}"}, signer=STRANGER)).result for n in range(WRITTEN_AN_HOUR + 1)]
    assert again == ["unsigned"] * WRITTEN_AN_HOUR + ["accepted"]


def test_the_mark_of_a_refused_message_tells_nobody_what_it_said_who_has_not_the_secret(opened: Engine, tmp_path: Path):
    elsewhere = open_database(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    create_all(elsewhere)
    for engine in (opened, with_a_case(elsewhere)):
        sent(engine, REPORT)
    found = []
    for engine in (opened, elsewhere):
        with reading(engine) as session:
            found += session.exec(select(RefusedMarkRow.mark)).all()
    assert len(set(found)) == 2, "the same message, in two installations"


def test_a_flood_of_made_up_cases_fills_no_table(on_both: Engine, monkeypatch):
    monkeypatch.setattr("activities.refused_unsigned.ELSEWHERE_AN_HOUR", 30)
    for n in range(50):
        assert sent(on_both, open_message(), case=f"made-up/{n}", door="start").result == "unsigned"

    assert len(security(on_both)) == 30
    with reading(on_both) as session:
        assert session.get_one(RefusedCountRow, ("", "start", "2027-02-01T12")).n == 50


# Whatever comes


@pytest.fixture(scope="module")
def some_records(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('any') / 'records.db'}")
    create_all(engine)
    know(engine)
    return engine


PARTS = str(signed()["token"]).split(".")
TOKENS = st.one_of(
    st.text(max_size=80),
    st.binary(max_size=600).map(lambda raw: ".".join([PARTS[0], base64.urlsafe_b64encode(raw).decode().rstrip("="), PARTS[2]])),
    st.binary(max_size=200).map(lambda raw: ".".join([base64.urlsafe_b64encode(raw).decode(), PARTS[1], PARTS[2]])),
    st.integers(0, sum(map(len, PARTS)) + 1).map(lambda n: ".".join(PARTS)[:n] + "A" + ".".join(PARTS)[n + 1 :]),
    st.sampled_from(
        [f"{'[' * 2000}.a.b", f"{base64.urlsafe_b64encode(b'[' * 1000).decode()}.a.b", "a" * LONGEST, "\ud800.a.b", ".".join(PARTS) + "\n"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ),
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=150, deadline=None)
@given(token=TOKENS, by=ANY, with_=ANY, id=ANY)
def test_no_token_and_no_message_raises_anything_but_a_refusal(some_records: Engine, token: object, by: object, with_: object, id: object):
    """A token may be changed in the two last bits of its signature's last sign, which stand for nothing: such a one is the same token."""
    message = {**REPORT, "by": by, "with": with_, "id": id, "token": token}
    with reading(some_records) as session, pytest.raises(Refusal) as refused:
        verified(session, CASE, message, body="mmo", arrived=NOON)
    assert refused.value.kind == "unsigned"


@settings(max_examples=100, deadline=None)
@given(with_=ANY)
def test_what_is_signed_verifies_whatever_it_holds_or_cannot_be_signed(some_records: Engine, with_: object):
    """The engine carries JSON: what was signed is what a case reads, however its numbers and letters are written on the way."""
    try:
        message = signed({**REPORT, "with": with_})
    except CannotSign:
        return
    carried = json.loads(json.dumps(message))
    with reading(some_records) as session:
        assert verified(session, CASE, carried, body="mmo", arrived=NOON).sub == "officer"


# Before signatures


def test_an_act_from_before_signatures_is_told_from_one_without(opened: Engine):
    """engine repair alone may record one, and says so itself (activities/repair.py)."""
    with transaction(opened) as session:
        act = Act(case=CASE, message=REPORT, now=NOON)
        assert Recording(session, act, ENGINE_TIME, from_before_signatures=True).record().accepted
    later, earlier = signatures(opened)[1], date(2027, 1, 1)
    assert later.act == "r-1" and earlier < NOON.date()
    assert later.verifies is None or later.problem == "it has no signature"
