"""Tables in and out: what was written comes back, nothing runs as a formula, and a bad file says what is wrong with it."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starter import spreadsheet
from starter.spreadsheet import CELL_LIMIT, UnreadableTable, csv_bytes, guarded, read_csv, unguarded, workbook_bytes, write_whole

KNOWN = frozenset({"reference", "customer"})
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1", "''@x", "=cmd|' /C calc'!A0"]
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=30)


@pytest.mark.parametrize("text", FORMULAS)
def test_nothing_that_a_spreadsheet_would_run_begins_a_cell(text: str):
    assert guarded(text).startswith("'")
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "plain", "'quoted'", "it's", "2 = 2", " =1"])
def test_other_texts_are_left_alone(text: str):
    assert guarded(text) == text == unguarded(text)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), st.booleans())
def test_what_is_written_comes_back_as_it_was(rows: list[tuple[str, str]], bom: bool):
    """Whatever stands in the texts: formulas, quotation marks, separators, line ends of any kind."""
    rows = [("never blank", *row) for row in rows]

    table = read_csv(csv_bytes(["reference", "customer", "notes"], rows, bom=bom), known=KNOWN)

    assert [line.cells for line in table.rows] == rows
    assert table.header.cells == ("reference", "customer", "notes")


def test_a_csv_is_what_the_standard_says():
    """RFC 4180: CRLF, quotation marks doubled; days as ISO; UTF-8 with the mark only where asked for."""
    content = csv_bytes(["a", "b"], [['say "x"', date(2027, 3, 10)], [None, 3]], bom=False)

    assert content == b'a,b\r\n"say ""x""",2027-03-10\r\n,3\r\n'
    assert csv_bytes(["ŵ"], [], bom=True) == b"\xef\xbb\xbf" + "ŵ\r\n".encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_separators_line_ends_and_marks_of_other_programs_are_read(delimiter: str, bom: bytes, end: str):
    text = end.join([f"Reference{delimiter}Customer", f"1{delimiter}Casey Sample", "", f'2{delimiter}"A{end}B"', ""])

    table = read_csv(bom + text.encode(), known=KNOWN)

    assert table.delimiter == delimiter
    assert [(line.line, line.cells) for line in table.rows] == [(2, ("1", "Casey Sample")), (4, ("2", f"A{end}B"))]


BAD = [
    (b"", "line 1: the file is empty"),
    (b"\n\n \n", "line 1: the file is empty"),
    ("reference,customer\n1,Zoë\n".encode("cp1252"), "line 2: the byte 0xeb is no UTF-8"),
    ("reference,customer".encode("utf-16"), "UTF-16"),
    (b"reference,customer\n1,a\x00b\n", "line 2: a NUL byte"),
    (b"PK\x03\x04rest", "a workbook, no CSV"),
    (b'reference,customer\n1,"open\n', "line 2: no CSV"),
    (b'reference,customer\n1,"a"b\n', "line 2: no CSV"),
    (b"reference,customer\n1," + b"x" * (spreadsheet.SIGN_LIMIT + 1), "line 2: a cell of more than"),
]


@pytest.mark.parametrize(("content", "said"), BAD, ids=[said for _, said in BAD])
def test_a_file_that_is_no_table_says_the_line_and_what_would_be_right(content: bytes, said: str):
    with pytest.raises(UnreadableTable, match=said.split(":")[0]) as unreadable:
        read_csv(content, known=KNOWN)
    assert said in str(unreadable.value)


def test_a_file_beyond_all_measure_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spreadsheet, "FILE_LIMIT", 10)

    with pytest.raises(UnreadableTable, match="at most 10"):
        read_csv(b"x" * 11, known=KNOWN)


# Workbooks, read back by another library


def opened(header: list[str], rows: list[list[spreadsheet.Cell]]) -> openpyxl.worksheet.worksheet.Worksheet:
    content, _ = workbook_bytes("Register test", header, rows)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    return sheet


@pytest.mark.parametrize("text", [*FORMULAS, "https://example.org", "007", "1e5", "TRUE"])
def test_text_in_a_workbook_is_text_and_never_a_formula_a_link_or_a_number(text: str):
    cell = opened(["Notes"], [[text]])["A2"]

    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert cell.value.replace("_x000D_", "\r") == text


def test_days_are_days_numbers_are_numbers_and_the_header_stays_in_sight():
    sheet = opened(["Case", "Date told", "Reviews missed"], [["a/1", date(2027, 3, 10), 2], ["a/2", None, 0]])

    assert (sheet["B2"].value, sheet["B2"].is_date, sheet["B2"].number_format) == (datetime(2027, 3, 10), True, "d mmm yyyy")
    assert (sheet["C2"].value, sheet["C2"].data_type) == (2, "n")
    assert sheet["B3"].value is None
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:C3"


def test_columns_are_wide_enough_to_read_and_no_wider():
    sheet = opened(["Case", "Long", "Date"], [["mmo/2027-0001", "x" * 400, date(2027, 3, 10)]])

    widths = {letter: sheet.column_dimensions[letter].width for letter in "ABC"}
    assert 15 <= widths["A"] < 17 and 60 <= widths["B"] < 62 and 12 < widths["C"] < 16
    assert sheet["B2"].alignment.wrap_text


def test_a_text_that_no_cell_holds_is_cut_and_says_so():
    content, cut = workbook_bytes("r", ["Notes"], [["x" * (CELL_LIMIT + 1)], ["x" * CELL_LIMIT]])
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active

    assert cut == 1
    assert "cut here: 32768 characters" in sheet["A2"].value and len(sheet["A2"].value) == CELL_LIMIT
    assert len(sheet["A3"].value) == CELL_LIMIT


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "register.csv"
    write_whole(file, b"first")
    assert file.stat().st_mode & 0o077 == 0, "others may read the names of customers"

    def torn(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spreadsheet.os, "fsync", torn)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"second")

    assert file.read_bytes() == b"first"
    assert [one.name for one in tmp_path.iterdir()] == ["register.csv"]
