"""Whether a signature holds of everything that is kept of its act: what was altered in the records is found, whatever it was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.bodies import Body, save_body
from activities.given_texts import put_text
from activities.signed_contents import LOST, SIGNED
from records.database import create_all, open_database, reading, transaction
from records.keys import KeyStore, file_keys, keys_of
from records.masters import FileMasters
from records.signing_keys import CONTENTS
from records.tables import CommandRow, InstallationRow, TextRow
from records.vault import text_place
from starter.cli_signed import signatures_in_a_line
from starter.signed import Signature, broken_signatures, signatures_of
from tests.signing import keep
from tests.stories import MMO_STAFF
from tests.test_signed_acts import CASE, NOON, Message, open_message, sent, signed

BEFORE = "Kept as it was signed."


@pytest.fixture
def opened(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}", keys=lambda: file_keys(tmp_path))
    create_all(engine)
    with transaction(engine) as session:
        save_body(session, Body(body="mmo", name="Marine Management Organisation", policy="mmo", keep_years=6, people=MMO_STAFF.people))
        keep(session)
    assert sent(engine, signed(open_message()), door="start").accepted
    return engine


def message(id: str, do: str, by: str = "officer", **facts: object) -> Message:
    return {"v": 1, "id": id, "do": do, "by": by, **facts}


REPORT = message(
    "a", "report_behaviour", on="2027-02-01", colour="red",
    **{"with": {"code": "excessive-contact", "medium": "email", "summary": "Forty emails in one week."}},
)  # fmt: skip
DECISION = message("b", "decide_appeal", by="reviewer", saw="a1", **{"with": {"outcome": "uphold", "reasons": "It was right."}})
HOLD = message("c", "hold", on="2027-02-01", **{"with": {"reasons": "A claim.", "review_on": "2028-06-01"}})
CONSULTED = message("d", "consult", **{"with": {"person": "other-manager", "about": "review", "view": "All is well."}})
ACTS = (REPORT, DECISION, HOLD, CONSULTED)
"""Accepted or refused, an act is kept: with a day, a choice, an id, a text, what it saw, and a field that nobody knows."""


def act(engine: Engine, id: str) -> Signature:
    with reading(engine) as session:
        return next(one for one in signatures_of(session, CASE) if one.act == id)


def kept(engine: Engine, id: str) -> Message:
    with reading(engine) as session:
        return dict(session.get_one(CommandRow, (CASE, id)).message)


def altered(engine: Engine, id: str, change: Callable[[Message], object]) -> None:
    """Change what is kept of an act, as whoever writes to the database can."""
    with transaction(engine) as session:
        row = session.get_one(CommandRow, (CASE, id))
        held = json.loads(json.dumps(row.message))
        change(held)
        row.message = held
        session.add(row)


def contents(**facts: object) -> Callable[[Message], object]:
    return lambda held: held["with"].update(facts)  # type: ignore[attr-defined]  # a message's fields


ALTERED: dict[str, tuple[Message, Callable[[Message], object], str]] = {
    "what it saw": (DECISION, lambda held: held.update(saw="a9"), "another proposal"),
    "that it saw anything": (DECISION, lambda held: held.pop("saw"), "another proposal"),
    "its day": (REPORT, lambda held: held.update(on="2027-01-31"), "another day"),
    "that it has a day": (HOLD, lambda held: held.pop("on"), "another day"),
    "a choice": (DECISION, contents(outcome="overturn"), "other contents"),
    "a day in it": (HOLD, contents(review_on="2099-01-01"), "other contents"),
    "an id in it": (CONSULTED, contents(person="manager"), "other contents"),
    "a code": (REPORT, contents(code="violence"), "other contents"),
    "a field more": (REPORT, contents(occurred_on="2027-01-01"), "other contents"),
    "a field less": (REPORT, lambda held: held["with"].pop("medium"), "other contents"),  # type: ignore[attr-defined]  # fields
    "all of it": (REPORT, lambda held: held.update({"with": {}}), "other contents"),
    "a text by another of the case": (REPORT, lambda held: held["with"].update(summary=held["unknown"]), "other contents"),  # type: ignore[attr-defined]
    "a text by a reference to none": (REPORT, contents(summary=f"text:{'0' * 32}"), LOST),
    "an unknown field": (REPORT, lambda held: held.pop("unknown"), "other fields"),
    "the envelope's version": (REPORT, lambda held: held.update(v=0), "other fields"),
    "whose it is": (REPORT, lambda held: held.update(by="manager"), "another person"),
    "that anybody's words were its author's": (REPORT, lambda held: held.update(by="unknown"), "another person"),
    "what it does": (REPORT, lambda held: held.update(do="warn"), "another command"),
    "its id": (REPORT, lambda held: held.update(id="z"), "another id"),
    "its signature": (REPORT, lambda held: held.pop("token"), "it has no signature"),
    "its signature, and that it was the post's": (REPORT, lambda held: (held.pop("token"), held.update(by="post")), "it has no signature"),
    "everything but its author": (REPORT, lambda held: [held.pop(name) for name in list(held) if name not in ("do", "by")], "no signature"),
    "that it could be read": (REPORT, lambda held: (held.update(raw=held["unknown"]), held.pop("with")), "it has no signature"),
    "its shape": (REPORT, lambda held: held.update({"with": ["a"]}), "other contents"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_of_an_act_is_found(opened: Engine, what: str):
    message, change, why = ALTERED[what]
    sent(opened, signed(message))
    id = str(message["id"])
    assert act(opened, id).verifies is True and SIGNED not in kept(opened, id)

    altered(opened, id, change)

    found = act(opened, id)
    assert found.verifies is False and why in str(found.problem), found
    with reading(opened) as session:
        assert [one.act for _, one in broken_signatures(session, (CASE,))] == [id]
    assert f"NOT of {id}" in signatures_in_a_line(opened, CASE)


def written_over(session: Session, row: TextRow) -> None:
    """As whoever has the keys could: sealed as it should be, under the reference of the text before."""
    row.text = keys_of(session).of(CASE).sealed_text("Four hundred emails in one week.", text_place(row.ref))


TEXTS: dict[str, Callable[[Session, TextRow], object]] = {
    "in clear": lambda _, row: setattr(row, "text", "Four hundred emails."),
    "sealed with the key": written_over,
    "a byte of what is sealed": lambda _, row: setattr(row, "text", f"{row.text[:-6]}AAAAA="),
    "taken away": lambda session, row: session.delete(row),
}


@pytest.mark.parametrize("how", TEXTS)
@pytest.mark.parametrize("door", ["inline", "by reference"])
def test_a_text_altered_in_the_vault_is_found(opened: Engine, how: str, door: str):
    with transaction(opened) as session:
        reference = put_text(session, CASE, "Forty emails in one week.", at=NOON)
    summary = "Forty emails in one week." if door == "inline" else reference
    assert sent(
        opened, signed(message("a", "report_behaviour", **{"with": {"code": "excessive-contact", "medium": "email", "summary": summary}}))
    ).accepted
    assert act(opened, "a").verifies is True

    with transaction(opened) as session:
        row = session.get_one(TextRow, (CASE, reference))
        TEXTS[how](session, row)

    assert (act(opened, "a").verifies, act(opened, "a").problem) == (False, LOST)


# Contents that are understood, and kept, otherwise than they were spelt


LIMIT = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week"}
SPELT: dict[str, Message] = {
    "a text with spaces around it": message(
        "a", "report_behaviour", **{"with": {"code": "excessive-contact", "medium": "email", "summary": "  Forty emails.\n"}}
    ),
    "a day with a time": message("a", "hold", **{"with": {"reasons": "A claim.", "review_on": "2028-06-01T00:00:00"}}),
    "a text inline beside one by reference": message(
        "a", "impose_sanction", by="manager", **{"with": {"restrictions": [LIMIT], "reasons": "?", "findings": {"own-merits": "Inline."}}}
    ),
}  # fmt: skip


def spelt(engine: Engine, what: str) -> str:
    """Has a message recorded whose contents are not kept as they are spelt. Returns its id."""
    given = json.loads(json.dumps(SPELT[what]))
    if given["with"].get("reasons") == "?":
        with transaction(engine) as session:
            given["with"]["reasons"] = put_text(session, CASE, "Forty.", at=NOON)
    sent(engine, signed(given))
    return "a"


@pytest.mark.parametrize("what", SPELT)
def test_contents_that_are_kept_otherwise_than_spelt_verify_and_are_found_altered(opened: Engine, what: str):
    id = spelt(opened, what)
    held = kept(opened, id)
    assert act(opened, id).verifies is True and SIGNED in held
    assert "Forty" not in json.dumps(held), "what is kept besides is a text of the case"

    changes: tuple[Callable[[Message], object], ...] = (
        contents(review_on="2099-01-01"), contents(reasons=held[SIGNED]), lambda held: held.pop(SIGNED),
        lambda held: held["with"].popitem(), lambda held: held.update({SIGNED: next(iter(held["with"].values()))}),  # type: ignore[attr-defined]
    )  # fmt: skip
    for change in changes:
        altered(opened, id, change)
        assert act(opened, id).verifies is False
        altered(opened, id, lambda now: (now.clear(), now.update(held)))
        assert act(opened, id).verifies is True, BEFORE


def test_of_an_older_act_whose_contents_are_not_its_hash_nobody_says_that_it_verifies(opened: Engine):
    """It may have been spelt otherwise, or be altered: a release before did not keep what tells the two apart."""
    id = spelt(opened, "a day with a time")
    sent(opened, signed({**REPORT, "id": "plain"}))
    with transaction(opened) as session:
        session.add(InstallationRow(name=CONTENTS, value=(NOON + timedelta(days=1)).isoformat()))
    for one in (id, "plain"):
        altered(opened, one, lambda held: held.pop(SIGNED, None))

    assert act(opened, id).verifies is None and str(act(opened, id).problem).startswith("contents not checked")
    assert act(opened, "plain").verifies is True, "where they are the hash, they are what was signed, however old"
    assert signatures_in_a_line(opened, CASE).endswith("every other signature verifies; of 1 act the contents could not be checked.")
    altered(opened, id, lambda held: held.update(saw="a9"))
    assert act(opened, id).verifies is False, "the rest is checked in any case"
    with transaction(opened) as session:
        session.get_one(InstallationRow, CONTENTS).value = (NOON - timedelta(days=1)).isoformat()
    altered(opened, id, lambda held: held.pop("saw"))
    assert act(opened, id).verifies is False, "one of this release is altered where its contents are not its hash"


ODD: dict[str, Message] = {
    "that could not be read": message("a", "report_behaviour", **{"with": {"code": 7, "nonsense": ["Quentin"]}}),
    "of a command that nobody knows": message("a", "dance", **{"with": {"x": "Quentin"}}),
    "by somebody's own words": message("a", "report_behaviour", by="Quentin Testcase", **{"with": {"code": "violence"}}),
    "by nobody": {"v": 1, "id": "a", "do": "report_behaviour", "with": {"code": "violence"}},
    "without contents": message("a", "withdraw"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_message_verifies(opened: Engine, what: str):
    assert not sent(opened, signed(ODD[what])).accepted

    assert act(opened, "a").verifies is True, act(opened, "a")
    altered(opened, "a", lambda held: held.update(on="2027-01-01", raw=held["token"]) if "raw" not in held else held.update(raw="text:x"))
    assert act(opened, "a").verifies is False


def test_the_calendars_and_the_posts_acts_need_none_and_those_alone(opened: Engine):
    sent(opened, signed(REPORT))
    altered(opened, "a", lambda held: (held.pop("token"), held.update(by="calendar")))
    assert act(opened, "a").problem == "it has no signature", "its line in the log says whose it was"


def test_signatures_hold_after_the_master_key_was_rotated(opened: Engine, tmp_path: Path):
    for one in ACTS:
        sent(opened, signed(one))
    spelt_ = message("e", "report_behaviour", **{"with": {"code": "excessive-contact", "medium": "email", "summary": " Forty. "}})
    sent(opened, signed(spelt_))
    store = file_keys(tmp_path)
    assert isinstance(store, KeyStore) and isinstance(store.masters, FileMasters)
    [old] = store.masters.ids()
    new = store.masters.add()
    assert store.rewrap() >= 1
    store.masters.drop(old)
    file_keys.cache_clear()

    with reading(open_database(str(opened.url), keys=lambda: file_keys(tmp_path))) as session:
        assert [one.verifies for one in signatures_of(session, CASE)] == [True] * 6
    assert set(file_keys(tmp_path).wrapped_by()) == {new}
    with closing(sqlite3.connect(tmp_path / "records.db")) as raw:
        assert not raw.execute("SELECT 1 FROM case_text WHERE text LIKE '%Forty%'").fetchone()
