"""The desk's look-up: who is restricted, found by name, email address, telephone number or case in one indexed read.

A key is HMAC-SHA-256, cut to 128 bits, of body, kind and the identifier in one spelling (domain/identifiers.py), under a random secret of
this installation that stands in the table `installation`. So the two tables of the desk hold no personal text, and a copy of them without
the secret cannot be searched by guessing names. Whoever holds the whole database holds the secret too: it guards partial copies, exports
and logs, no more. Entries are written in the transaction of the act they follow from, and go with the end of the case."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, TextClause, delete, select, text
from sqlalchemy.pool import Pool
from sqlmodel import Session, SQLModel, col

from domain.case import Case
from domain.desk import Advice, advise, ambiguous
from domain.desk_entry import Entry, entry_of
from domain.desk_question import Asked
from domain.identifiers import Identifier, address_identifiers, identifiers, name_in
from domain.model import REFERENCE
from domain.people import Person, Staff
from domain.policy import Policy
from records.keys import keys_of_engine
from records.tables import CaseRow, DeskEntryRow, DeskKeyRow, EditionRow, InstallationRow
from records.vault import DESTROYED, CaseVault, opened_text

SECRET = "desk-secret"  # noqa: S105  # the name under which it is kept
KEY_LENGTH = 32
REFERENCES = re.compile(rf"{REFERENCE}[0-9a-f]{{32}}")
NAMES_OFFICERS = ('"single-point-of-contact"', '"read-and-file"')
"""Restrictions whose answer needs the staff list."""

KNOWN: WeakKeyDictionary[Pool, bytes] = WeakKeyDictionary()
"""The secret of each database in use, once it was read from it."""


def secret_of(session: Session) -> bytes:
    """Returns this installation's secret; one is made where there is none, and what was found under another is written anew."""
    pool = session.get_bind().engine.pool
    if pool in KNOWN:
        return KNOWN[pool]
    row = session.get(InstallationRow, SECRET)
    if row is not None:
        KNOWN[pool] = bytes.fromhex(row.value)
        return KNOWN[pool]
    session.execute(delete(DeskKeyRow))
    session.execute(delete(DeskEntryRow))
    made = secrets.token_bytes(32)
    session.add(InstallationRow(name=SECRET, value=made.hex()))
    session.flush()
    return made


def key_of(secret: bytes, body: str, kind: str, value: str) -> str:
    """Returns the keyed hash under which an identifier stands."""
    return hmac.digest(secret, f"{body}\x1f{kind}\x1f{value}".encode(errors="replace"), "sha256").hex()[:KEY_LENGTH]


def save_desk(session: Session, case: Case, *, before: Case | None, policy: Policy, vault: CaseVault) -> None:
    """Write what the desk knows of a case where that has changed; nothing is left of one that has ended."""
    entry = entry_of(case, policy)
    stood = before is not None and before.customer == case.customer and before.edition == case.edition
    if stood and before is not None and entry_of(before, policy) == entry:
        return
    session.execute(delete(DeskKeyRow).where(col(DeskKeyRow.case_id) == case.id))
    session.execute(delete(DeskEntryRow).where(col(DeskEntryRow.case_id) == case.id))
    session.add_all(desk_rows(session, case, policy=policy, vault=vault))


def desk_rows(session: Session, case: Case, *, policy: Policy, vault: CaseVault) -> list[SQLModel]:
    """Returns what the desk is to know of a case: its entry and the keys to it; nothing of one that has ended."""
    entry = entry_of(case, policy)
    if entry is None:
        return []
    secret = secret_of(session)
    kept = entry.model_dump_json(by_alias=True, exclude_defaults=True, context={"vault": vault})
    keys = [DeskKeyRow(key=key, case_id=case.id) for key in sorted(_keys(secret, case))]
    return [DeskEntryRow(case_id=case.id, body=case.body, person=_person(secret, case), entry=kept), *keys]


def _keys(secret: bytes, case: Case) -> set[str]:
    found: list[Identifier] = [("case", case.id), ("case", case.id.casefold()), *_addresses(case)]
    name = name_in(case.customer.name)
    if name:
        found.append(("name", name))
    return {key_of(secret, case.body, kind, value) for kind, value in found if kind != "post"}


def _addresses(case: Case) -> tuple[Identifier, ...]:
    given = (*((case.customer.address,) if case.customer.address else ()), *case.customer.also_reached_at)
    return tuple(one for address in given for one in address_identifiers(address))


def _person(secret: bytes, case: Case) -> str:
    """Returns what one customer's cases share: name and first address. Without an address no two cases are taken for one person's."""
    name, addresses = name_in(case.customer.name) or "", _addresses(case)
    value = f"{name}\x1f{addresses[0][1]}" if name and addresses else case.id
    return key_of(secret, case.body, "person", value)


def fill_desk(session: Session) -> int:
    """Write the entries of running cases that have none (they were last acted on by an earlier release). Returns how many."""
    from policies import load

    secret_of(session)
    without = select(CaseRow).outerjoin(DeskEntryRow, col(DeskEntryRow.case_id) == col(CaseRow.id))
    rows = session.scalars(without.where(col(DeskEntryRow.case_id).is_(None), col(CaseRow.stage).not_in(("archived", "closed")))).all()
    policies: dict[str, Policy] = {}
    for row in rows:
        edition = session.get(EditionRow, row.edition)
        if edition is None:
            continue
        if row.edition not in policies:
            policies[row.edition] = load.policy_of(edition.text, edition.policy)
        vault = CaseVault(session, row.id)
        case = Case.model_validate(row.state, context={"vault": vault}, extra="allow")
        save_desk(session, case, before=None, policy=policies[row.edition], vault=vault)
    return len(rows)


LOOK_UP = text(
    "SELECT found.key, other.case_id, other.person, other.entry FROM desk_key AS found"
    " JOIN desk_entry AS entry ON entry.case_id = found.case_id JOIN desk_entry AS other ON other.person = entry.person"
    " WHERE found.key IN (:first, :second, :third)"
)
"""By any of three keys: the entries found, and the others of the same customers."""


AT_ONCE = 8
"""References in one read; hardly a case has more."""
PADDING = ("",) * AT_ONCE
WORDS = text("SELECT 'text', ref, text FROM case_text WHERE case_id = :case AND ref IN (:r0, :r1, :r2, :r3, :r4, :r5, :r6, :r7)")
WORDS_AND_STAFF = text(f"{WORDS.text} UNION ALL SELECT 'staff', person, CAST(entry AS VARCHAR) FROM staff WHERE body = :body")  # noqa: S608  # no value


NOBODY = Staff()


class Prepared:
    """A statement put into the database's own words once, for as many readings as are asked for."""

    def __init__(self, statement: TextClause, dialect: Dialect) -> None:
        made = statement.compile(dialect=dialect)
        self.sql, self.places = made.string, getattr(made, "positiontup", None)

    def read(self, connection: Connection, values: dict[str, str]) -> list[tuple[str, ...]]:
        given = tuple(values[name] for name in self.places) if self.places is not None else values
        return [tuple(row) for row in connection.exec_driver_sql(self.sql, given)]


class Line(NamedTuple):
    """One row of the look-up."""

    key: str
    case: str
    person: str
    entry: str


class Desk:
    """The look-up, for as long as a program asks: one instance a database."""

    def __init__(self, engine: Engine) -> None:
        self.reads, self.writes = engine.execution_options(reads=True), engine.execution_options(reads=False)
        self._secret: bytes | None = None
        self.find, self.words, self.words_and_staff = (Prepared(one, engine.dialect) for one in (LOOK_UP, WORDS, WORDS_AND_STAFF))

    def look_up(self, body: str, customer: str, asked: Asked) -> Advice:
        """Returns what may be done with a contact now. `customer` is a name, an email address, a telephone number or a case's id.

        One indexed read; a second, small one only where the answer holds words (topics, terms) or names an officer. Raises ValueError
        where `customer` could be none of these."""
        named = identifiers(customer)
        if not named:
            raise ValueError("a customer is a name, an email address, a telephone number or a case's reference")
        with self.reads.connect() as connection:
            secret = self._secret or self._read_secret()
            keys = [key_of(secret, body, kind, value) for kind, value in named][:3]
            padded = dict(zip(("first", "second", "third"), (*keys, keys[0], keys[0]), strict=False))
            lines = [Line(*row) for row in self.find.read(connection, padded)]
            chosen = _one_customer(lines, customer.strip())
            if chosen is None:
                return ambiguous(tuple(sorted({line.case for line in lines})))
            if not chosen:
                return _unknown(asked, customer)
            texts, staff = self._words(connection, body, chosen)
        entries = tuple(Entry.model_validate_json(entry, context={"vault": Words(texts)}) for entry in chosen.values())
        by_name = key_of(secret, body, *named[-1]) if named[-1][0] == "name" else None
        return _with_care(advise(entries, asked, staff=staff), lines, by_name)

    def searched(self, body: str, customer: str) -> str:
        """Returns the keyed hash of what was searched for, by which the same search is known again; nothing of its words."""
        named = identifiers(customer)
        return key_of(self._secret or self._read_secret(), body, *named[-1]) if named else ""

    def _read_secret(self) -> bytes:
        with Session(self.reads) as session:
            row = session.get(InstallationRow, SECRET)
            self._secret = bytes.fromhex(row.value) if row else None
            return self._secret or b"none"

    def _words(self, connection: Connection, body: str, chosen: dict[str, str]) -> tuple[dict[str, str], Staff]:
        """Returns the texts the entries refer to, and the staff list where somebody is named; no read where there is neither."""
        texts: dict[str, str] = {}
        people: list[Person] = []
        for case, entry in chosen.items():
            references = sorted(set(REFERENCES.findall(entry))) if REFERENCE in entry else ()
            officers = not people and any(mark in entry for mark in NAMES_OFFICERS)
            for first in range(0, max(len(references), int(officers)), AT_ONCE):
                named = (*references[first : first + AT_ONCE], *PADDING)[:AT_ONCE]
                asked: dict[str, str] = {"case": case, **{f"r{n}": one for n, one in enumerate(named)}}
                if officers and not people:
                    rows = self.words_and_staff.read(connection, {**asked, "body": body})
                else:
                    rows = self.words.read(connection, asked)
                for kind, name, value in rows:
                    if kind == "text":
                        texts[name] = opened_text(keys_of_engine(self.reads), case, name, value)
                    else:
                        people.append(Person.model_validate_json(value, extra="ignore"))
        return texts, Staff(people=tuple(people)) if people else NOBODY


class Words:
    """The texts an answer needs, read once."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def put(self, text: str) -> str:
        return text

    def get(self, reference: str) -> str:
        return self.texts.get(reference, DESTROYED)


def _one_customer(lines: list[Line], customer: str) -> dict[str, str] | None:
    """Returns the entries of the one customer found, by case; none of nobody, and None where more than one fits.

    A case's own reference settles it, in its own capitals first."""
    named = {line.person for line in lines if line.case == customer}
    named = named or {line.person for line in lines if line.case.casefold() == customer.casefold()} or {line.person for line in lines}
    if len(named) > 1:
        return None
    found = [line for line in lines if line.person in named]
    return {line.case: line.entry for line in sorted(found, key=lambda line: line.case)}


def _unknown(asked: Asked, customer: str) -> Advice:
    """Returns the answer where nobody is found, with a word of care where a case's reference seems to be meant: a slip lets somebody in."""
    advice = advise((), asked)
    care = "No running case here has that reference: see that it is spelt right and this body's, or look the customer up by name."
    return advice.model_copy(update={"cautions": (care,)}) if "/" in customer else advice


def _with_care(advice: Advice, lines: list[Line], by_name: str | None) -> Advice:
    """Returns the advice with a word of care where nothing but a name was found: another person may have the same."""
    if not lines or any(line.key != by_name for line in lines):
        return advice
    care = "Found by the name alone: make sure that it is this person before anything is limited."
    return advice.model_copy(update={"cautions": (care, *advice.cautions)})
