"""One case as one zip: what happened and why, its letters byte for byte, its log, and what is needed to check it without us.

The same case gives the same bytes: no clock is read, names are sorted, every time in the zip is the same, nothing is compressed (how that
is done differs from one machine to the next)."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from activities.pdf import printed
from records.tables import LogRow
from starter.dossier import NOBODY, Audience, Cell, Naming, Sheet, Source, source_of, spoken, with_names
from starter.dossier_sheets import path_of, sheets_of, staff_sheet
from starter.dossier_signed import signed_sheet
from starter.letters_kept import MADE_FROM, Form, KeptFile, KeptLetter, files_as_sent
from starter.redaction import Redacted, ReviewList, draft, redacted
from starter.show import day_in_words
from starter.spreadsheet import csv_bytes
from starter.timeline import TEMPLATES, in_a_few_words, pages, svg_of

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can say."""
LEFT_OUT: dict[Audience, tuple[Form, ...]] = {"ombudsman": (), "subject-access": (MADE_FROM,)}
"""Forms of a letter that stay out: what it was made from was not sent, and does not go to the customer."""
SAFE = re.compile(r"(?:letters/)?[A-Za-z0-9][A-Za-z0-9-]*(?:\.[a-z]{2,8})?\.[a-z]{2,5}")
FOR = {"ombudsman": "for the ombudsman", "subject-access": "for a subject access request"}
SAYS = {
    "README.txt": "This page.",
    "case.html": "The whole to be read in a browser: the picture, decisions, sign-offs, letters, evidence, dates, chronology.",
    "chronology.pdf": "The same to be read or printed (tagged for readers by ear).",
    "log.jsonl": "The case's log with its chain of hashes, one line of JSON for each line of it.",
    "manifest.json": "Every other file with its sha256; the hashes written down for the letters; where the log ends.",
    "timeline.svg": "The picture of the case's life.",
    "verify.py": "Checks all this: python3 verify.py.",
}
LETTERS = "The letters, each file the very one of that day: the standard letter, and the forms agreed with its customer, such as large.pdf."


class Bundle(NamedTuple):
    """A bundle made: its bytes, their hash, its files by name."""

    content: bytes
    sha256: str
    files: Mapping[str, bytes]


class Gathered(NamedTuple):
    """Everything of one case, read at one moment."""

    source: Source
    sheets: tuple[Sheet, ...]
    letters: tuple[tuple[KeptLetter, KeptFile], ...]

    @property
    def letter_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kept.notice for kept, _ in self.letters))


def gathered(session: Session, case: str, audience: Audience, *, outbox: Path) -> Gathered:
    """Returns what a bundle is made of. Raises NoDossier; NoLetter or Changed where a letter that went is not whole."""
    source = source_of(session, case)
    letters = tuple(files_as_sent(session, source.case, outbox=outbox, without=LEFT_OUT[audience]))
    return Gathered(source, sheets_of(source, letters), letters)


def proposed(found: Gathered) -> ReviewList:
    return draft(found.source, found.sheets, found.letter_names)


def whole(found: Gathered) -> Bundle:
    """Returns the bundle for an ombudsman: everything, everybody by name."""
    naming = with_names(found.source)
    return _made(found, (*spoken((*found.sheets, signed_sheet(found.source), staff_sheet(found.source)), naming),), naming, None)


def for_the_customer(found: Gathered, listed: ReviewList) -> Bundle:
    """Returns the bundle for a subject access request, as a reviewed list has it. Raises NotReviewed."""
    how = redacted(listed, found.source, found.sheets, found.letter_names)
    given = tuple(one for one in found.letters if one[0].notice not in how.withheld)
    kept = found._replace(letters=given)
    sheets = (*spoken(sheets_of(found.source, given), how.naming), how.sheet)
    return _made(kept, sheets, how.naming, how)


def _made(found: Gathered, sheets: tuple[Sheet, ...], naming: Naming, how: Redacted | None) -> Bundle:
    source, audience = found.source, "subject-access" if how else "ombudsman"
    svg = svg_of(source.marks, case=source.case.id, body=source.policy.body, today=source.dated)
    doc = _document(source, sheets, audience)
    lines = [_line(one, naming, taken_out=how is not None) for one in source.lines]
    files = {
        "case.html": pages().get_template("case.html.j2").render(doc=doc, svg=svg).encode(),
        "chronology.pdf": printed({**doc, "alt": in_a_few_words(source.marks)}, layout="dossier", name="dossier", drawings={"svg": svg}),
        "log.jsonl": "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode(),
        "timeline.svg": svg.encode(),
        "verify.py": (TEMPLATES / "verify.py").read_bytes(),
        **{f"{sheet.name}.csv": csv_bytes(sheet.columns, sheet.rows, bom=True) for sheet in sheets},
        **{path_of(file): file.content for _, file in found.letters},
    }
    files["README.txt"] = _readme(doc, files, sheets, taken_out=how is not None)
    files["manifest.json"] = _manifest(found, files, lines, audience)
    content = zipped(files)
    return Bundle(content, hashlib.sha256(content).hexdigest(), files)


def _document(source: Source, sheets: Sequence[Sheet], audience: str) -> dict[str, object]:
    line, hash = source.head
    dated, edition = day_in_words(source.dated), source.policy.edition.label
    head = (
        f"{source.policy.body}. {source.policy.title}, {edition}.",
        f"Made {FOR[audience]} from the case as it stood after line {line} of its log, on {dated}. The hash of that line: {hash}.",
    )
    said = [{**one.model_dump(exclude={"rows"}), "rows": [[_in_words(cell) for cell in row] for row in one.rows]} for one in sheets]
    return {"title": f"Case {source.case.id}: what happened and why", "case": source.case.id, "body": source.policy.body, "dated": dated,
            "head": head, "sheets": said}  # fmt: skip


def _in_words(cell: Cell) -> str:
    return day_in_words(cell) if isinstance(cell, date) else "" if cell is None else str(cell)


def _line(row: LogRow, naming: Naming, *, taken_out: bool) -> dict[str, object]:
    """Returns a line of the log; in the customer's copy without the names of staff, and saying which fields that changed."""
    facts: dict[str, object] = {
        "case_id": row.case_id, "n": row.n, "at": row.at.isoformat(), "on": row.on.isoformat(), "actor": row.actor, "office": row.office,
        "command": row.command, "command_id": row.command_id, "result": row.result, "what": row.what, "detail": row.detail,
        "cites": row.cites, "hash": row.hash, **({} if row.grade is None else {"grade": row.grade}),
    }  # fmt: skip
    if not taken_out:
        return facts
    said = {
        "actor": row.actor if row.actor in NOBODY else naming.people.get(row.actor, "[member of staff]"),
        "command_id": naming.spoken(row.command_id),
        "what": naming.spoken(row.what),
        "detail": None,
        **({} if row.grade is None else {"grade": None}),
    }
    changed = sorted(name for name, now in said.items() if now != facts[name])
    return {**facts, **said, **({"redacted": changed} if changed else {})}


def _readme(doc: Mapping[str, object], files: Mapping[str, bytes], sheets: Sequence[Sheet], *, taken_out: bool) -> bytes:
    says = {**SAYS, **{f"{one.name}.csv": f"{one.title}, as a table." for one in sheets}}
    names = sorted({*files, "README.txt", "manifest.json"})
    listed = [(name, says[name]) for name in names if name in says]
    if any(name.startswith("letters/") for name in names):
        listed.append(("letters/", LETTERS))
    return pages().get_template("README.txt.j2").render(doc=doc, files=listed, redacted=taken_out).encode()


def _manifest(found: Gathered, files: Mapping[str, bytes], lines: Sequence[Mapping[str, object]], audience: str) -> bytes:
    line, hash = found.source.head
    facts = {
        "v": 1,
        "case": found.source.case.id,
        "audience": audience,
        "dated": found.source.dated.isoformat(),
        "edition": found.source.case.edition,
        "log": {"lines": line, "last_hash": hash, "redacted": sum("redacted" in one for one in lines)},
        "letters": [{"file": path_of(file), "recorded_sha256": file.recorded} for _, file in found.letters],
        "files": [{"name": name, "sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])} for name in sorted(files)],
    }
    whole = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    facts["sha256"] = hashlib.sha256(whole.encode()).hexdigest()
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Returns a zip of files, the same bytes for the same files. Raises ValueError for a name that could leave its folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name in sorted(files):
            if not SAFE.fullmatch(name):
                raise ValueError(f"no name for a file in a bundle: {name!r}")
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            bundle.writestr(entry, files[name])
    return out.getvalue()
