"""What a person at a terminal sees: nothing that a text in a case makes the terminal do, and a table that fits its screen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from starter import show
from starter.show import Screen, harmless, several, table


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Gives what prints into a text instead of a terminal."""
    made = Screen(file=io.StringIO(), width=60, highlight=False)
    monkeypatch.setattr(show, "out", made)
    return made


def shown(screen: Console) -> str:
    file = screen.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x08", "\r", "\x7f", "\x9b", "\u202e", "\u2066"])
def test_no_text_makes_the_terminal_do_anything(screen: Screen, sign: str):
    screen.print(f"a{sign}[31mb", markup=False)
    table(("name", "what"), [(f"c{sign}d", f"e{sign}f")])

    assert sign not in shown(screen)
    assert f"\\x{ord(sign):02x}" in shown(screen)


def test_line_ends_tabs_and_letters_of_every_script_are_no_such_sign():
    assert harmless("a\tb\nZoë 李 עברית") == "a\tb\nZoë 李 עברית"


@pytest.mark.parametrize(("number", "said"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries")])
def test_a_number_has_its_noun(number: int, said: str):
    assert several(number, "entry", "entries") == said


def test_a_long_cell_is_folded_and_never_cut(screen: Screen):
    """A hash is evidence: half of one is none."""
    digest = "0123456789abcdef" * 4

    table(("letter", "evidence"), [("n1", digest)])

    assert digest in "".join(line[8:].strip() for line in shown(screen).splitlines())
    assert "…" not in shown(screen)


def test_a_row_that_a_narrow_screen_cannot_hold_is_a_paragraph_with_its_names(screen: Screen):
    columns = ("case", *(f"column-{n}-of-eight" for n in range(8)))

    table(columns, [("mmo/1", *(f"value-{n}" for n in range(7)), None)])

    assert max(len(line) for line in shown(screen).splitlines()) <= 60
    assert "column-0-of-eight: value-0; column-1-of-eight: value-1" in " ".join(shown(screen).split())
    assert "column-7-of-eight" not in shown(screen), "an empty cell says nothing"


def test_an_empty_table_says_so_by_its_title(screen: Screen):
    table(("case",), [], title="Needs attention")

    assert shown(screen) == "Needs attention: none.\n"


ROWS = [
    ("body/2027-0001-a-long-reference", "26 Nov 2026", "outside its life, without-why", "not yet", "yes"),
    ("mmo/1", "3 Mar 2027", "incoming-contact", "signed-by-an-earlier-key", ""),
]


@pytest.mark.parametrize("width", range(36, 130, 3))
def test_at_no_width_is_a_word_cut(screen: Screen, width: int):
    """A day whose last two figures are missing is another day."""
    screen.width = width
    table(("case", "opened on", "reaches", "revoked", "verifies"), ROWS)

    lines = [line.strip(" ;") for line in shown(screen).splitlines()]
    words = {word.strip(";,") for line in lines for word in line.split()}
    assert {word.strip(",") for row in ROWS for cell in row for word in cell.split()} <= words
