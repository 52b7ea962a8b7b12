"""The picture of a case's life: told in words too, by shape and not by colour alone, of one day or of ten years."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from domain.case import Case
from domain.clocks import next_deadline
from domain.commands import Appeal, DeadlinePassed, DecideAppeal, ReportBehaviour, ReviewSanction
from domain.life import LANES, Mark, life
from domain.people import CALENDAR, CUSTOMER
from starter.timeline import LEFT, LETTER, WIDE, svg_of
from tests.engine import evenhand
from tests.handed_over import CASE, Records
from tests.stories import (
    ALEX,
    ENGLAND,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    after,
    an_opened_mmo_case,
    mmo,
    policy_named,
    sent,
)

SVG = "{http://www.w3.org/2000/svg}"


def all_sent(case: Case, on: date) -> Case:
    for one in case.notices:
        if one.status == "to-send":
            case = sent(case, one.id, on=on)
    return case


def dealt_with(case: Case, until: date) -> Case:
    """Returns the case with every deadline up to a day passed."""
    while (due := next_deadline(case, policy_named(case.policy), ENGLAND)) and due.fires <= until:
        case = after(case, (DeadlinePassed(key=due.key), CALENDAR, due.fires))
    return case


def ten_years() -> Case:
    """Returns an MMO case restricted in 2027 and still so in 2036: an appeal, nine reviews (two late), forty-seven incidents."""
    case = after(a_restricted_mmo_case(customer=ALEX), (Appeal(medium="letter", grounds="No."), CUSTOMER, date(2027, 3, 22)))
    upheld = DecideAppeal(saw="a1", outcome="uphold", reasons="It leaves room.")
    case = all_sent(after(all_sent(case, date(2027, 3, 22)), (upheld, mmo("reviewer"), date(2027, 3, 30))), date(2027, 3, 30))
    for year in range(2028, 2037):
        day = date(year, 4, 21) if year in (2029, 2033) else date(year, 3, 10)
        case = dealt_with(case, day - timedelta(days=1) if year in (2029, 2033) else day)
        again = ReportBehaviour(code="excessive-contact", medium="email", summary="Again.")
        case = after(case, *((again, mmo("officer"), day - timedelta(days=12 * n)) for n in range(5, 0, -1)))
        review = ReviewSanction(
            saw="s1", why="scheduled", outcome="continue", reasons="It goes on.", findings={"good-grounds": "It goes on."}
        )
        case = all_sent(after(case, (review, mmo("reviewer"), day)), day)
    return case


CASES: dict[str, tuple[Callable[[], Case], date]] = {
    "opened today": (an_opened_mmo_case, date(2027, 2, 1)),
    "restricted": (a_restricted_mmo_case, date(2027, 3, 12)),
    "told by post": (a_restricted_portsmouth_case, date(2027, 4, 2)),
    "ten years": (ten_years, date(2036, 4, 1)),
}


def drawn(name: str) -> tuple[tuple[Mark, ...], str]:
    story, today = CASES[name]
    case = story()
    marks = life(case, policy_named(case.policy), ENGLAND)
    return marks, svg_of(marks, case=case.id, body="A body & its <name>", today=today)


@pytest.mark.parametrize("name", CASES)
def test_the_picture_is_told_in_words_and_runs_nothing(name: str):
    marks, svg = drawn(name)
    root = ElementTree.fromstring(svg)

    assert root.get("role") == "img" and root.get("aria-labelledby") == "life-title life-desc"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and desc is not None
    assert "/2027-0001, as it stood on" in str(title.text)
    assert "The same is in the table." in str(desc.text)
    assert {one.tag for one in root.iter()} <= {
        SVG + tag for tag in ("svg", "title", "desc", "defs", "pattern", "rect", "text", "line", "g", "circle", "path")
    }
    assert not any(name.endswith("href") or name.startswith("on") for one in root.iter() for name in one.attrib)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "") and "@" not in svg
    assert marks


@pytest.mark.parametrize("name", CASES)
def test_every_mark_is_in_the_picture_alone_or_with_its_neighbours(name: str):
    marks, svg = drawn(name)
    told = "\n".join(str(one.text) for one in ElementTree.fromstring(svg).iter(f"{SVG}title"))

    assert all(one.what in told for one in marks)
    assert {LANES[one.lane] for one in marks} <= {str(one.text) for one in ElementTree.fromstring(svg).iter(f"{SVG}text")}


@pytest.mark.parametrize("name", CASES)
def test_no_label_stands_on_another_or_outside(name: str):
    _, svg = drawn(name)
    spans: dict[float, list[tuple[float, float, str]]] = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        for text in group.findall(f"{SVG}text"):
            if group.find(f"{SVG}title") is None:
                continue
            said, x = str(text.text or ""), float(str(text.get("x")))
            wide = len(said) * LETTER * 0.9
            span = (x - wide, x, said) if text.get("text-anchor") == "end" else (x, x + wide, said)
            spans.setdefault(float(str(text.get("y"))), []).append(span)
    for row in spans.values():
        row.sort()
        assert all(before[1] <= after_[0] + 1 for before, after_ in pairwise(row)), row
        assert all(start >= LEFT - 60 and end <= WIDE for start, end, _ in row), row


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_of_signs_and_words_has_contrast_on_both_grounds():
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what is drawn; all have the higher, and so has white on each of them."""
    _, svg = drawn("ten years")
    root = ElementTree.fromstring(svg)
    words = {one.get("fill", "#0b0c0c") for one in root.iter(f"{SVG}text")} - {"#ffffff"}
    signs = {value for tag in ("circle", "path", "rect") for one in root.iter(SVG + tag) if (value := one.get("stroke"))} - {"#ffffff"}
    assert len(words | signs) >= 7
    for colour in words | signs:
        for ground in ("#ffffff", "#f3f2f1"):
            assert (luminance(ground) + 0.05) / (luminance(colour) + 0.05) >= 4.5, colour


def test_what_the_customer_was_not_told_is_drawn_apart():
    """DEF-05, DEF-06: decided on the 10th, told by post on the 15th."""
    marks, svg = drawn("told by post")
    untold, told = (one for one in marks if one.lane == "restrictions")

    assert (untold.form, untold.on, untold.until) == ("untold", date(2027, 3, 10), date(2027, 3, 15))
    assert (told.form, told.on, told.until) == ("done", date(2027, 3, 15), date(2027, 9, 10))
    assert svg.count('fill="url(#not-told)"') == 1


def test_ten_years_show_their_reviews_and_those_that_were_missed():
    marks, svg = drawn("ten years")

    assert [one.on.year for one in marks if one.form == "missed"] == [2029, 2033]
    assert [one.ref for one in marks if one.lane == "reviews" and one.form == "done"] == [f"r{n}" for n in range(1, 10)]
    assert len([one for one in marks if one.ref.startswith("i") and one.lane == "happened"]) == 47
    [held] = [one for one in marks if one.lane == "restrictions" and one.form == "done"]
    assert held.runs and held.until is None
    assert re.findall(r">(20\d\d)<", svg) == [str(year) for year in range(2027, 2038)]


def test_neighbours_go_together_where_a_line_would_grow_too_high():
    marks = tuple(
        Mark(lane="happened", ref=f"i{n}", on=date(2027, 3, 1) + timedelta(days=n // 9), what=f"number {n}.") for n in range(1, 90)
    )
    svg = svg_of(marks, case="mmo/many", body="x", today=date(2036, 1, 1))

    assert "i1 to i89 (89)" in svg
    assert svg.count("<circle") == 1


def test_the_same_case_gives_the_same_picture():
    assert drawn("restricted")[1] == drawn("restricted")[1]


def test_the_command_line_writes_it_with_its_table(tmp_path: Path):
    records, file = Records(tmp_path).restricted(), tmp_path / "life.svg"

    done = evenhand("case", "show", CASE, "--svg", str(file), env={"EVENHAND_VAR": str(records.folder)})
    facts = json.loads(evenhand("case", "show", CASE, "--svg", str(file), "--json", env={"EVENHAND_VAR": str(records.folder)}).stdout)

    assert done.returncode == 0 and "Time to appeal" in done.stdout and "s1 in force" in done.stdout
    ElementTree.fromstring(file.read_text(encoding="utf-8"))
    assert {one["lane"] for one in facts["marks"]} == set(LANES)
    assert "Casey" not in file.read_text(encoding="utf-8")
    assert evenhand("case", "show", "mmo/none", "--svg", str(file), env={"EVENHAND_VAR": str(records.folder)}).returncode == 4
