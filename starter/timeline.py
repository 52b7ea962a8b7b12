"""The picture of a case's life: an SVG without script or outside font, told in words too (role="img", title, desc), by shape and not by
colour alone. The same marks stand in a table beside it wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import Engine
from sqlmodel import Session

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.case import Case
from domain.days import add_months
from domain.life import LANES, Lane, Mark, life
from domain.model import Data
from records.database import reading
from records.store import read_case
from starter.show import day_in_words
from starter.standing import NoCase

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "bundle"
WIDE, LEFT, RIGHT, TOP = 1100, 150, 24, 84
"""The drawing's width, where its line of time begins and how far from its right edge it ends, and where the first lane begins."""
ROW, ROWS = 26, 5
"""Height of one row of marks; so many in a lane, then neighbours are drawn as one."""
SIGN, LETTER = 8, 8.2
"""Half a sign's width, and one letter's of a label."""
GROUNDS = ("#f3f2f1", "#ffffff")
PAGE = 20
"""Marks named in the description; the table has them all."""


class Drawn(Data):
    """One mark, or neighbours drawn as one, at its place."""

    lane: Lane
    form: str
    label: str
    says: str
    ground: str
    """Colour of the band it stands on, kept free around its label."""
    x: float
    to: float | None
    y: float
    open: bool
    label_x: float
    before: bool


class Tick(Data):
    x: float
    label: str


class Band(Data):
    """One lane with its rows."""

    lane: Lane
    name: str
    y: float
    height: float
    empty: bool
    ground: str


class _Group(NamedTuple):
    marks: tuple[Mark, ...]
    x: float
    to: float | None
    named: bool = True

    @property
    def label(self) -> str:
        if not self.named:
            return ""
        first, last = self.marks[0].ref, self.marks[-1].ref
        return first if len(self.marks) == 1 else f"{first} to {last} ({len(self.marks)})"


@cache
def pages() -> Environment:
    """Returns the pages of a bundle; whatever a page of markup is given is escaped."""
    markup = select_autoescape(("html.j2", "svg.j2"), default_for_string=True)
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=markup, trim_blocks=True, lstrip_blocks=True, auto_reload=False)  # noqa: S701  # a page of plain text is no markup


class Scale:
    """Days to places: from the first mark to the last, with room on both sides."""

    def __init__(self, marks: Sequence[Mark], today: date) -> None:
        days = [day for one in marks for day in (one.on, one.until) if day] + [today]
        room = max((max(days) - min(days)).days // 30, 3)
        self.first, self.last = min(days) - timedelta(days=room), max(days) + timedelta(days=room)
        self.days = (self.last - self.first).days

    def at(self, day: date) -> float:
        return round(LEFT + (day - self.first).days / self.days * (WIDE - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[Tick, ...]:
        found = [(day, label) for day, label in self._ticks() if self.first <= day <= self.last]
        return tuple(
            Tick(x=self.at(day), label=label if n or str(day.year) in label else f"{label} {day.year}")
            for n, (day, label) in enumerate(found)
        )

    def _ticks(self) -> Iterator[tuple[date, str]]:
        if self.days <= 70:
            monday = self.first - timedelta(days=self.first.weekday())
            for n in range(12):
                day = monday + timedelta(weeks=n)
                yield day, f"{day.day} {day:%b}"
            return
        months = next(each for each in (1, 2, 3, 6, 12, 24, 60) if self.days / 30.4 / each <= 14)
        start = date(self.first.year, 1, 1)
        for n in range(0, self.days // 28 + 24, months):
            day = add_months(start, n)
            yield day, f"{day.year}" if months >= 12 else f"{day:%b %Y}" if months > 2 or day.month <= months else f"{day:%b}"


def svg_of(marks: Sequence[Mark], *, case: str, body: str, today: date) -> str:
    """Returns the picture of a case's life as it stood on a day."""
    scale = Scale(marks, today)
    bands: list[Band] = []
    drawn: list[Drawn] = []
    y = float(TOP)
    for lane, name in LANES.items():
        own = [one for one in marks if one.lane == lane]
        rows = _rows(own, scale)
        height = max(len(rows), 1) * ROW + 10
        bands.append(Band(lane=lane, name=name, y=y, height=height, empty=not own, ground=GROUNDS[len(bands) % 2]))
        drawn += [_drawn(one, y + 5 + ROW * (n + 0.5), bands[-1].ground) for n, row in enumerate(rows) for one in row]
        y += height
    return pages().get_template("timeline.svg.j2").render(
        wide=WIDE, high=round(y + 66), left=LEFT, right=WIDE - RIGHT, top=TOP, bottom=y, bands=bands, marks=drawn, ticks=scale.ticks(),
        today=scale.at(today), day=day_in_words(today), case=case, body=body, title=title_of(case, today), desc=in_a_few_words(marks),
    )  # fmt: skip


def picture_of(engine: Engine, case_id: str, *, today: date) -> tuple[tuple[Mark, ...], str]:
    """Returns the marks and the picture of a case in the records. Raises NoCase."""
    with reading(engine) as session:
        case = read_case(session, case_id)
        if case is None:
            raise NoCase(f"The records hold no case {case_id}.")
        return picture_in(session, case, today=today)


def picture_in(session: Session, case: Case, *, today: date) -> tuple[tuple[Mark, ...], str]:
    """Returns the marks and the picture of a case, in a session in which it is read."""
    policy = policy_of_edition(session, case.edition)
    marks = life(case, policy, calendar_of(session, case, policy))
    return marks, svg_of(marks, case=case.id, body=policy.body, today=today)


def title_of(case: str, today: date) -> str:
    return f"The life of case {case}, as it stood on {day_in_words(today)}"


def in_a_few_words(marks: Sequence[Mark]) -> str:
    """Returns the picture told: how many of each lane, from when to when; one by one where they are few."""
    counted = [f"{name}: {sum(one.lane == lane for one in marks)}" for lane, name in LANES.items()]
    said = f"A timeline. Marks by line: {', '.join(counted)}."
    if len(marks) <= PAGE:
        said += " " + ". ".join(f"{spell(one)}: {one.what}" for one in sorted(marks, key=lambda one: one.on)) + "."
    return f"{said} The same is in the table."


def spell(mark: Mark) -> str:
    """Returns a mark's day, or its days, in words."""
    if mark.runs:
        return f"{day_in_words(mark.on)} onwards"
    ends = f" to {day_in_words(mark.until)}" if mark.until and mark.until != mark.on else ""
    return f"{day_in_words(mark.on)}{ends}"


def _rows(marks: Sequence[Mark], scale: Scale) -> list[list[_Group]]:
    """Returns one lane's marks in rows without overlap; where they would need too many, near neighbours go together."""
    for near in (0.0, 14.0, 28.0, 56.0, 112.0, 224.0, 2000.0):
        rows = _placed(_together(marks, scale, near))
        if len(rows) <= ROWS:
            break
    return rows


def _together(marks: Sequence[Mark], scale: Scale, near: float) -> list[_Group]:
    groups: list[_Group] = []
    kinds = sorted(marks, key=lambda one: (one.form, one.until is None and not one.runs, _kind(one)))
    for _, some in groupby(kinds, key=lambda one: (one.form, one.until is None and not one.runs, _kind(one))):
        last: _Group | None = None
        for one in sorted(some, key=lambda one: one.on):
            x, to = scale.at(one.on), _end(one, scale)
            if near and last and x - (last.to or last.x) <= near:
                groups[-1] = last = _Group((*last.marks, one), last.x, _wider(last, x, to))
            else:
                last = _Group((one,), x, to, named=one.form != "untold" or _never_told(one, marks))
                groups.append(last)
    return sorted(groups, key=lambda one: (one.x, one.label))


def _wider(last: _Group, x: float, to: float | None) -> float | None:
    """Returns where neighbours drawn as one end: days stay one sign, stretches join."""
    return None if last.to is None or to is None else max(last.to, to)


def _never_told(mark: Mark, marks: Sequence[Mark]) -> bool:
    return not any(one.ref == mark.ref and one.form == "done" for one in marks)


def _kind(mark: Mark) -> str:
    return mark.ref.rstrip("0123456789") if mark.lane in ("happened", "letters") else ""


def _end(mark: Mark, scale: Scale) -> float | None:
    if mark.runs:
        return scale.at(scale.last)
    return max(scale.at(mark.until), scale.at(mark.on) + 4) if mark.until else None


def _placed(groups: Sequence[_Group]) -> list[list[_Group]]:
    rows: list[list[_Group]] = []
    ends: list[float] = []
    for one in groups:
        begins, end = _reach(one)
        n = next((n for n, taken in enumerate(ends) if taken <= begins + 5), len(rows))
        if n == len(rows):
            rows.append([])
            ends.append(0)
        rows[n].append(one)
        ends[n] = end + (6 if one.named else 0)
    return rows


def _reach(one: _Group) -> tuple[float, float]:
    """Returns from where to where a mark reaches with its label: after it, or before it where there is no room."""
    to = one.to if one.to is not None else one.x + SIGN
    wide = len(one.label) * LETTER + 8
    if _inside(one) or not one.named:
        return one.x, to
    return (one.x - SIGN - wide, to) if _before(one) else (one.x - SIGN, to + wide)


def _inside(one: _Group) -> bool:
    return one.to is not None and one.to - one.x >= len(one.label) * LETTER + 16


def _before(one: _Group) -> bool:
    to = one.to if one.to is not None else one.x + SIGN
    return not _inside(one) and to + len(one.label) * LETTER + 8 > WIDE - 4


def _drawn(one: _Group, y: float, ground: str) -> Drawn:
    first, before = one.marks[0], _before(one)
    to = one.to if one.to is not None else one.x + SIGN
    start = one.x - (0 if one.to is not None else SIGN) - 6
    label_x = one.x + 8 if _inside(one) else start if before else to + 6
    says = "; ".join(f"{spell(mark)}: {mark.what}" for mark in one.marks[:PAGE])
    open_ = any(mark.runs for mark in one.marks)
    return Drawn(
        lane=first.lane, form=first.form, label=one.label, says=says, x=one.x, to=one.to, y=round(y, 1), open=open_,
        label_x=round(label_x, 1), before=before, ground=ground,
    )  # fmt: skip
