"""A case as it is handed over: sheets of facts, its log, the picture of its life. The same case gives the same dossier at any time.

Personal text stands in it by reference (text:...) and people by a mark, until the last step: what is taken out of one is out everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel
from sqlmodel import Session, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.case import Case
from domain.days import london_date
from domain.life import Mark, life
from domain.policy import Policy
from records.chain import FIRST
from records.log import log_of
from records.store import read_case
from records.tables import CaseRow, CommandRow, LogRow, StaffRow
from records.vault import CaseVault
from starter.signed import Signature, signatures_of
from starter.standing import Standing, standing_of

Audience = Literal["ombudsman", "subject-access"]
Cell = str | int | date | None
TEXT = re.compile(r"text:[0-9a-f]{32}")
REFERENCES = re.compile(f"({TEXT.pattern})")
MARKS = re.compile(f"[\ue000-\uf8ff]|{TEXT.pattern}")
"""What no name of a person holds: signs of our own, and a reference to a text."""
WHO = re.compile("\ue020([^\ue020\ue021|]*)[|]([^\ue020\ue021|]*)\ue021")
"""A member of staff in a cell: the id, and the office held on that day."""
NOBODY = ("customer", "calendar", "post", "outside", "unknown", "")
"""Authors of acts who are no members of staff."""
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
"""Signs that no reader sees, or that turn the reading order round: shown by their number."""


class Sheet(BaseModel):
    """One list of the dossier. `entries` are read one below the other, a table row by row; `widths` are shares of a page."""

    name: str
    title: str
    says: str = ""
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    entries: bool = False


class Staffer(NamedTuple):
    """A member of staff: the id, the name as the staff list has it, the post in words."""

    id: str
    name: str
    post: str


class Source(NamedTuple):
    """What a dossier is made from: one case at one moment, its texts apart."""

    row: CaseRow
    case: Case
    """Texts by reference."""
    policy: Policy
    standing: Standing
    """As it stood on the day of the last line."""
    marks: tuple[Mark, ...]
    lines: tuple[LogRow, ...]
    """Up to the last that is not about a bundle made: making one changes nothing of what is in it."""
    acts: Mapping[str, CommandRow]
    signatures: Mapping[str, Signature]
    """Of each act, whether it holds."""
    texts: Mapping[str, str]
    staff: tuple[Staffer, ...]

    @property
    def at(self) -> datetime:
        return self.lines[-1].at

    @property
    def dated(self) -> date:
        return london_date(self.lines[-1].at)

    @property
    def head(self) -> tuple[int, str]:
        """The number and the hash of the last line."""
        return (self.lines[-1].n, self.lines[-1].hash) if self.lines else (0, FIRST)


class NoDossier(Exception):
    """The case has no papers to hand over: says why."""


def source_of(session: Session, case_id: str) -> Source:
    """Returns what the dossier of a case is made from. Raises NoDossier."""
    row, whole = session.get(CaseRow, case_id), read_case(session, case_id)
    if row is None or whole is None:
        raise NoDossier(f"The records hold no case {case_id}.")
    if whole.destroyed_on:
        raise NoDossier(f"The papers of {case_id} were destroyed on {whole.destroyed_on.isoformat()}.")
    lines = _settled(log_of(session, case_id))
    if not lines:
        raise NoDossier(f"{case_id} has no log.")
    case = Case.model_validate(row.state, extra="allow")
    policy = policy_of_edition(session, row.edition)
    calendar, dated = calendar_of(session, whole, policy), london_date(lines[-1].at)
    acts = {one.command_id: one for one in session.exec(select(CommandRow).where(CommandRow.case_id == case_id)).all()}
    return Source(
        row=row, case=case, policy=policy, standing=standing_of(whole, policy, calendar, today=dated),
        marks=life(whole, policy, calendar), lines=lines, acts=acts,
        signatures={one.act: one for one in signatures_of(session, case_id)}, texts=CaseVault(session, case_id).texts,
        staff=_staff(session, row.body, policy, lines, case),
    )  # fmt: skip


def _settled(lines: tuple[LogRow, ...]) -> tuple[LogRow, ...]:
    kept = len(lines)
    while kept and lines[kept - 1].command == "record_disclosure":
        kept -= 1
    return lines[:kept]


def _staff(session: Session, body: str, policy: Policy, lines: Sequence[LogRow], case: Case) -> tuple[Staffer, ...]:
    """Returns everybody on the staff list, or named by the case, with a post that no two of them share."""
    listed = {row.person: row.entry for row in session.exec(select(StaffRow).where(StaffRow.body == body)).all()}
    offices = {line.actor: line.office for line in lines if line.office}
    ids = sorted({*listed, *(line.actor for line in lines), *people_in(case)} - set(NOBODY))
    held = {id: _offices(listed.get(id)) or offices.get(id, "").split(", ") for id in ids}
    posts = {id: policy.office(held[id][0]) if any(held[id]) else "member of staff" for id in ids}
    numbered: dict[str, int] = {}
    found = []
    for id in ids:
        post, several = posts[id], list(posts.values()).count(posts[id]) > 1
        numbered[post] = numbered.get(post, 0) + 1
        name = MARKS.sub("", str((listed.get(id) or {}).get("name", "")))
        found.append(Staffer(id, name, f"{post} {numbered[post]}" if several else post))
    return tuple(found)


def _offices(entry: Mapping[str, object] | None) -> list[str]:
    found = (entry or {}).get("offices", [])
    return [str(one) for one in found] if isinstance(found, list) else []


PEOPLE = frozenset({"person", "contact_officer", "opened_by", "settled_by", "reviewed_by", "present", "directed_at", "involved"})
"""Fields of a case that hold ids of members of staff, besides `by` and an incident's `consulted`."""


def people_in(case: Case) -> Iterator[str]:
    """Yields the id of every member of staff whom a case names."""
    yield from _named(case.model_dump(mode="json", exclude={"edition"}))
    yield from (one for incident in case.incidents for one in incident.consulted)


def _named(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    if isinstance(value, dict):
        for key, item in value.items():
            if key in PEOPLE or (key == "by" and isinstance(item, str)):
                yield from (str(one) for one in (item if isinstance(item, list) else [item]) if one)
            else:
                yield from _named(item)


def who(person: str, office: str | None = None) -> str:
    """Returns how a cell names whoever acted, until the dossier is spoken."""
    return f"\ue020{person}|{office or ''}\ue021" if person not in NOBODY else person


def shown(text: str) -> str:
    """Returns a text in which every sign can be seen: no control character, nothing that turns the reading order round."""
    return UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text.replace("\r\n", "\n").replace("\r", "\n"))


class Naming(NamedTuple):
    """How the last step speaks of people, and which text stands for which reference."""

    people: Mapping[str, str]
    """By id, as a cell says it."""
    in_passing: re.Pattern[str] | None
    """Ids and names to replace in what is no text; None where they stay."""
    named: Mapping[str, str]
    texts: Mapping[str, str]

    def said(self, cell: Cell) -> Cell:
        return self.spoken(cell) if isinstance(cell, str) else cell

    def spoken(self, text: str) -> str:
        """Returns a string as it goes out. Each mark is read once, so that nothing put in is taken for a mark of ours."""
        parts, at = [], 0
        for found in WHO.finditer(text):
            parts += [self._plain(text[at : found.start()]), self._person(found[1])]
            at = found.end()
        return shown("".join((*parts, self._plain(text[at:]))))

    def _person(self, id: str) -> str:
        return self.people.get(id, f"[{id}]" if self.in_passing is None else "[member of staff]")

    def _plain(self, text: str) -> str:
        parts = REFERENCES.split(text)
        return "".join(self.texts.get(part, part) if n % 2 else self._in_passing(part) for n, part in enumerate(parts))

    def _in_passing(self, text: str) -> str:
        if self.in_passing is None:
            return text
        return self.in_passing.sub(lambda found: self.named[found[0].casefold()], text)


def with_names(source: Source) -> Naming:
    """Returns the naming of a bundle in which everybody stands by name, id and post."""
    people = {
        one.id: ", ".join(dict.fromkeys(filter(None, (f"{one.name} ({one.id})" if one.name else one.id, one.post)))) for one in source.staff
    }
    return Naming(people=people, in_passing=None, named={}, texts=source.texts)


def spoken(sheets: Sequence[Sheet], naming: Naming) -> tuple[Sheet, ...]:
    """Returns the sheets with people and texts in the place of their marks."""
    return tuple(one.model_copy(update={"rows": tuple(tuple(naming.said(cell) for cell in row) for row in one.rows)}) for one in sheets)
