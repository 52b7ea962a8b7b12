"""Tables in and out: CSV and workbooks that other programs open. A cell that a spreadsheet would run as a formula is text here, always.

In CSV a text that begins, after any apostrophes, with = + - @ (or their full-width forms), a tab or a line end, gets one more
apostrophe in front; reading takes one away again, so that what was written comes back as it was."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the writer of workbooks is imported only where one is written
    from xlsxwriter.worksheet import Worksheet as Sheet

Cell = str | int | date | None
Row = Sequence[Cell]

RUNS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
CELL_LIMIT = 32_767
"""Characters in one cell of a workbook; nothing longer can be kept there."""
FILE_LIMIT = 50_000_000
"""Bytes of one file to read: far more than any register."""
SIGN_LIMIT = 200_000
"""Characters in one cell that are read at all; a text of a case is far shorter."""
WIDEST = 60
DAY_FORMAT = {"num_format": "d mmm yyyy", "valign": "top", "align": "left"}


class UnreadableTable(Exception):
    """A file that is no table this program reads: says the line, what was found and what would be right."""


class Line(NamedTuple):
    """One row with the line of the file on which it begins."""

    line: int
    cells: tuple[str, ...]


class Table(NamedTuple):
    """A table as it was read: its header, its rows, and what separates its cells."""

    header: Line
    rows: tuple[Line, ...]
    delimiter: str


def guarded(text: str) -> str:
    """Returns a text as a CSV cell holds it: nothing that a spreadsheet would run."""
    return f"'{text}" if RUNS.match(text) else text


def unguarded(cell: str) -> str:
    """Returns the text that a CSV cell holds."""
    return cell[1:] if cell.startswith("'") and RUNS.match(cell) else cell


def csv_bytes(header: Sequence[str], rows: Sequence[Row], *, bom: bool) -> bytes:
    """Returns a table as CSV (RFC 4180) in UTF-8; days as YYYY-MM-DD."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([guarded(name) for name in header])
    writer.writerows([[_as_text(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _as_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case date():
            return cell.isoformat()
        case int():
            return str(cell)
        case _:
            return guarded(cell)


def workbook_bytes(name: str, header: Sequence[str], rows: Sequence[Row]) -> tuple[bytes, int]:
    """Returns a table as an Excel workbook, and how many texts were too long for a cell and cut, each saying so.

    Text is text and never a formula or a link; days are days; the header stays in sight."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", name)[:31])
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    formats = Formats(text=book.add_format({"text_wrap": True, "valign": "top"}), day=book.add_format(DAY_FORMAT))
    for n, title in enumerate(header):
        sheet.write_string(0, n, title, bold)
        sheet.set_column(n, n, _width(title, [row[n] for row in rows]))
    cut = sum(_put(sheet, r, n, cell, formats) for r, row in enumerate(rows, start=1) for n, cell in enumerate(row))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(rows), 1), len(header) - 1)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue(), cut


class Formats(NamedTuple):
    """How cells of a workbook look."""

    text: object
    day: object


def _put(sheet: Sheet, row: int, column: int, cell: Cell, formats: Formats) -> bool:
    """Write one cell, and return whether its text had to be cut."""
    match cell:
        case None | "":
            sheet.write_blank(row, column, None, formats.text)
        case date():
            sheet.write_datetime(row, column, cell, formats.day)
        case int():
            sheet.write_number(row, column, cell, formats.text)
        case _:
            text = _fitting(cell)
            sheet.write_string(row, column, text, formats.text)
            return text != cell
    return False


def _fitting(text: str) -> str:
    if len(text) <= CELL_LIMIT:
        return text
    said = f" [cut here: {len(text)} characters, more than a cell holds; the case has the whole text]"
    return text[: CELL_LIMIT - len(said)] + said


def _width(title: str, cells: Sequence[Cell]) -> int:
    """Returns a width in characters in which a column can be read: that of its longest line, within bounds."""
    longest = max((len(line) for cell in cells if isinstance(cell, str) for line in cell.splitlines()), default=0)
    days = 12 if any(isinstance(cell, date) for cell in cells) else 0
    return min(max(longest, days, *(len(word) for word in title.split()), 8) + 2, WIDEST)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner's eyes only: beside its place first, then renamed. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_csv(content: bytes, *, known: frozenset[str]) -> Table:
    """Returns the table a CSV file holds. `known` are header names in lower case, by which the separator (, ; tab) is told.
    Raises UnreadableTable."""
    text = _decoded(content)
    tables = [table for delimiter in ",;\t" if (table := _headed(text, delimiter))]
    if not tables:
        raise UnreadableTable("line 1: the file is empty; right would be a line with the names of the columns, and a line for each case")
    best = max(tables, key=lambda one: (sum(cell.strip().lower() in known for cell in one.header.cells), one.delimiter == ","))
    rows = tuple(_rows(text, best.delimiter))
    return Table(header=rows[0], rows=rows[1:], delimiter=best.delimiter)


def _decoded(content: bytes) -> str:
    if len(content) > FILE_LIMIT:
        raise UnreadableTable(f"the file has {len(content)} bytes; at most {FILE_LIMIT} are read")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableTable("line 1: the file is UTF-16; save it as CSV in UTF-8 (Excel: CSV UTF-8)")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableTable("line 1: the file is a workbook, no CSV; save it as CSV in UTF-8 (Excel: CSV UTF-8)")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise UnreadableTable(f"line {line}: a NUL byte; the file is damaged, or UTF-16: save it as CSV in UTF-8 (Excel: CSV UTF-8)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise UnreadableTable(f"line {line}: the byte {byte:#04x} is no UTF-8; save it as CSV in UTF-8 (Excel: CSV UTF-8)") from None


def _headed(text: str, delimiter: str) -> Table | None:
    header = next(_rows(text, delimiter), None)
    return Table(header=header, rows=(), delimiter=delimiter) if header else None


def _rows(text: str, delimiter: str) -> Iterator[Line]:
    """Yields every row that holds anything, with the line on which it begins."""
    csv.field_size_limit(SIGN_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UnreadableTable(f"line {begins}: {_csv_fault(error)}") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Line(line=begins, cells=tuple(unguarded(cell) for cell in cells))
        begins = reader.line_num + 1


def _csv_fault(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell of more than {SIGN_LIMIT} characters; is a quotation mark missing, or is it no register?"
    return f"no CSV ({error}); a cell with quotation marks stands in quotation marks, each doubled"
