"""Personal text on its way in and out of a case's state, sealed with the case's own key."""

from __future__ import annotations

import base64

from sqlmodel import Session, select

from domain.model import REFERENCE, text_reference
from records.case_key import SEALED_FILE, SEALED_TEXT, CaseKey, Unsealable
from records.keys import Keys, keys_of
from records.tables import LetterFileRow, TextRow

DESTROYED = "[destroyed]"


class CaseVault:
    """The texts of one case: read all at once, written when new."""

    def __init__(self, session: Session, case_id: str) -> None:
        self.session, self.case_id = session, case_id
        rows = session.exec(select(TextRow.ref, TextRow.text).where(TextRow.case_id == case_id)).all()
        keys = keys_of(session) if rows else None
        self.texts = {ref: opened_text(keys, case_id, ref, text) for ref, text in rows} if keys else {}
        self._key: CaseKey | None = None

    def put(self, text: str) -> str:
        key = self._the_key()
        ref = REFERENCE + key.mark(text)
        if ref not in self.texts:
            self.texts[ref] = text
            put = self.session.info.setdefault("texts put", set())  # by another vault of the same transaction
            if (self.case_id, ref) in put:
                return ref
            put.add((self.case_id, ref))
            self.session.add(TextRow(case_id=self.case_id, ref=ref, text=key.sealed_text(text, text_place(ref))))
        return ref

    def get(self, reference: str) -> str:
        return self.texts.get(reference, DESTROYED)

    def holds(self, reference: str) -> bool:
        """Returns whether a text is here that opens and that the reference was made for, by this release or an earlier one."""
        text = self.texts.get(reference)
        return text is not None and reference in (text_reference(text), REFERENCE + self._the_key().mark(text))

    def _the_key(self) -> CaseKey:
        if self._key is None:
            self._key = keys_of(self.session).of(self.case_id)
        return self._key


def text_place(ref: str) -> str:
    return f"case_text/{ref}"


def file_place(notice: str, ending: str) -> str:
    return f"letter_file/{notice}.{ending}"


def opened_text(keys: Keys, case: str, ref: str, kept: str) -> str:
    """Returns a text as it was put; one whose key is destroyed is [destroyed]. What an earlier release left unsealed is read as it is."""
    return opened_at(keys, case, text_place(ref), kept)


def opened_at(keys: Keys, case: str, place: str, kept: str) -> str:
    """Returns a text as it was sealed for a place; [destroyed] where its key is. What is not sealed is read as it is."""
    if not kept.startswith(SEALED_TEXT):
        return kept
    key_id, _, sealed = kept.removeprefix(SEALED_TEXT).partition(":")
    try:
        return _opened(keys, case, key_id, base64.b64decode(sealed), place).decode()
    except (Unsealable, ValueError):  # no base64, no UTF-8
        return DESTROYED


def opened_file(keys: Keys, row: LetterFileRow) -> bytes:
    """Returns the bytes of a letter's file as they were kept. Raises Unsealable where the key is destroyed or the bytes were changed."""
    if not row.content.startswith(SEALED_FILE):
        return row.content
    key_id, _, sealed = row.content.removeprefix(SEALED_FILE).partition(b"\n")
    return _opened(keys, row.case_id, key_id.decode(errors="replace"), sealed, file_place(row.notice, row.ending))


def sealed_file(keys: Keys, row: LetterFileRow) -> LetterFileRow:
    """Returns the row with its bytes sealed; a row that is sealed already stays."""
    if not row.content.startswith(SEALED_FILE):
        row.content = keys.of(row.case_id).sealed_file(row.content, file_place(row.notice, row.ending))
    return row


def _opened(keys: Keys, case: str, key_id: str, sealed: bytes, place: str) -> bytes:
    key = keys.by_id(key_id)
    if key is None or key.case != case:
        raise Unsealable("The key that this was sealed with is destroyed, or not here.")
    return key.open(sealed, place)
