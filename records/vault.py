"""Personal text on its way in and out of a case's state."""

from __future__ import annotations

from sqlmodel import Session, select

from domain.model import text_reference
from records.tables import TextRow

DESTROYED = "[destroyed]"


class CaseVault:
    """The texts of one case: read all at once, written when new."""

    def __init__(self, session: Session, case_id: str) -> None:
        self.session, self.case_id = session, case_id
        rows = session.exec(select(TextRow.ref, TextRow.text).where(TextRow.case_id == case_id)).all()
        self.texts = dict(rows)

    def put(self, text: str) -> str:
        ref = text_reference(text)
        if ref not in self.texts:
            self.texts[ref] = text
            self.session.add(TextRow(case_id=self.case_id, ref=ref, text=text))
        return ref

    def get(self, reference: str) -> str:
        return self.texts.get(reference, DESTROYED)
