"""Letters as they were sent: the very bytes, held against the hash written down when they went; never made again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from sqlmodel import Session, col, select

from activities.carriers.outbox import file_of
from domain.case import Case
from records.case_key import Unsealable
from records.keys import keys_of
from records.tables import LetterFileRow, LetterRow
from records.vault import opened_file

Form = str
"""The ending of one file of a letter: pdf, or that of a form agreed with its customer, such as large.pdf, script.txt or cy.html."""
MADE_FROM = "json"
"""What a letter was made from; it was not sent."""
FORMS: tuple[Form, ...] = ("pdf", "html", "txt", MADE_FROM)
"""The files of every letter; the others are forms of some."""
INDEXED_BEFORE = "html"
"""What an earlier release wrote down the hash of."""
Kept = Literal["records", "outbox", "nowhere"]


class KeptLetter(BaseModel):
    """One issue of a letter: where its bytes are, which forms, and the hash of the form that was written down when it went."""

    notice: str
    kind: str
    sent_at: datetime | None
    """None: made and offered to a carrier, not known to have gone."""
    sha256: str | None
    template: str | None
    edition: str | None
    kept: Kept
    forms: tuple[Form, ...]


class KeptFile(BaseModel):
    """One file of a letter, byte for byte."""

    notice: str
    form: Form
    content: bytes
    sha256: str
    recorded: str | None
    """The hash written down when it was kept; None where an earlier release wrote none for this form."""


class NoLetter(Exception):
    """There is no such letter or form of it; says which there are."""


class Changed(Exception):
    """The bytes are not those whose hash was written down: they are not given out."""


def kept_letters(session: Session, case: Case, *, outbox: Path) -> tuple[KeptLetter, ...]:
    """Returns every letter of a case that was made, by its number."""
    rows = {row.notice: row for row in session.exec(select(LetterRow).where(LetterRow.case_id == case.id)).all()}
    forms: dict[str, list[Form]] = {}
    query = select(LetterFileRow.notice, LetterFileRow.ending).where(LetterFileRow.case_id == case.id)
    for notice, ending in session.exec(query.order_by(col(LetterFileRow.ending))).all():
        forms.setdefault(notice, []).append(ending)
    return tuple(_kept(case, name, rows.get(name), forms.get(name), outbox) for name in sorted({*rows, *forms}, key=_number))


def _kept(case: Case, name: str, row: LetterRow | None, forms: list[Form] | None, outbox: Path) -> KeptLetter:
    notice = case.notice(name.split("-", 1)[0])
    found: tuple[Form, ...] = tuple(sorted(forms or (), key=_place))
    kept: Kept = "records"
    if not found:
        found = tuple(one for one in FORMS if one != MADE_FROM and file_of(outbox, case.id, _plain(name), one).is_file())
        kept = "outbox" if found else "nowhere"
    return KeptLetter(
        notice=name, kind=notice.kind if notice else "unknown", sent_at=row.sent_at if row else None, sha256=row.sha256 if row else None,
        template=row.template if row else None, edition=row.edition if row else None, kept=kept, forms=found,
    )  # fmt: skip


def _place(form: Form) -> tuple[int, str]:
    """Returns where a form stands among the others: the standard letter first, what it was made from last."""
    return (len(FORMS) if form == MADE_FROM else FORMS.index(form) if form in FORMS else len(FORMS) - 1, form)


def _number(name: str) -> tuple[int, int, str]:
    first, _, issue = name.removeprefix("n").partition("-")
    return (int(first) if first.isdecimal() else 0, int(issue) if issue.isdecimal() else 1, name)


def _plain(name: str) -> str:
    """Returns a letter's name where it is one; anything else names no file. Raises NoLetter."""
    if not name or not all(sign.isascii() and (sign.isalnum() or sign == "-") for sign in name):
        raise NoLetter("A letter's name is like n1, or n1-2 when it went again.")
    return name


def file_as_sent(session: Session, case: Case, name: str, form: Form, *, outbox: Path) -> KeptFile:
    """Returns one file of a letter. Raises NoLetter, or Changed where its bytes are not those that were kept."""
    kept = next((one for one in kept_letters(session, case, outbox=outbox) if one.notice == _plain(name)), None)
    if kept is None:
        made = ", ".join(one.notice for one in kept_letters(session, case, outbox=outbox)) or "none"
        raise NoLetter(f"{case.id} has no letter {name} that was made. Made: {made}.")
    if form not in kept.forms:
        raise NoLetter(f"{name} is not kept as {form}. Kept: {', '.join(kept.forms) or 'nothing: its files are gone'}.")
    found = _from_records(session, case.id, name, form) if kept.kept == "records" else _from_outbox(kept, case.id, form, outbox)
    if found.recorded is not None and found.sha256 != found.recorded:
        raise Changed(
            f"{name}.{form} was changed: its sha256 is {found.sha256}, written down was {found.recorded}; it is not what was sent."
        )
    return found


def _from_records(session: Session, case: str, name: str, form: Form) -> KeptFile:
    row, index = session.get(LetterFileRow, (case, name, form)), session.get(LetterRow, (case, name))
    assert row is not None
    recorded = index.sha256 if index is not None and form == "pdf" else row.sha256
    try:
        content = opened_file(keys_of(session), row)
    except Unsealable:
        raise Changed(f"{name}.{form} was changed, or its case's key is destroyed: it does not open.") from None
    return KeptFile(notice=name, form=form, content=content, sha256=hashlib.sha256(content).hexdigest(), recorded=recorded)


def _from_outbox(kept: KeptLetter, case: str, form: Form, outbox: Path) -> KeptFile:
    try:
        content = file_of(outbox, case, kept.notice, form).read_bytes()
    except OSError as error:
        raise NoLetter(f"{kept.notice}.{form} cannot be read ({error.strerror or error}).") from None
    recorded = kept.sha256 if form == INDEXED_BEFORE else None
    return KeptFile(notice=kept.notice, form=form, content=content, sha256=hashlib.sha256(content).hexdigest(), recorded=recorded)


def files_as_sent(session: Session, case: Case, *, outbox: Path, without: tuple[Form, ...] = ()) -> Iterator[tuple[KeptLetter, KeptFile]]:
    """Yields every file of every letter that went, but for the forms left out. Raises Changed, or NoLetter where one that went is gone."""
    for kept in kept_letters(session, case, outbox=outbox):
        if kept.sent_at is None:
            continue
        if kept.kept == "nowhere":
            raise NoLetter(f"{kept.notice} went on {kept.sent_at.date().isoformat()}; its file is neither in the records nor in {outbox}.")
        for form in kept.forms:
            if form not in without:
                yield kept, file_as_sent(session, case, kept.notice, form, outbox=outbox)
