"""What an earlier release left unsealed in the records, sealed case by case while everything runs."""

from __future__ import annotations

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from domain.model import REFERENCE
from records.case_key import SEALED_FILE, SEALED_TEXT
from records.database import reading, transaction
from records.keys import keys_of
from records.tables import CaseRow, HandOverRow, LetterFileRow, TextRow
from records.vault import CaseVault, sealed_file, text_place


class Sealed(BaseModel):
    """How much was sealed now."""

    cases: int = 0
    texts: int = 0
    letters: int = 0
    problems: int = 0


def seal_records(engine: Engine) -> Sealed:
    """Seal every text, letter and carrier's word that stands unsealed, a case at a time: it may be stopped and goes on from there."""
    total = Sealed()
    for case in _unsealed_cases(engine):
        with transaction(engine) as session:
            session.get(CaseRow, case, with_for_update=True)
            found = Sealed(
                cases=1, texts=_seal_texts(session, case), letters=_seal_letters(session, case), problems=_seal_problems(session, case)
            )
        total = Sealed(**{name: count + getattr(found, name) for name, count in total.model_dump().items()})
    return total


def _unsealed_cases(engine: Engine) -> list[str]:
    with reading(engine) as session:
        texts = session.exec(select(TextRow.case_id).where(col(TextRow.text).not_like(f"{SEALED_TEXT}%")).distinct()).all()
        problem = col(HandOverRow.problem)
        problems = session.exec(select(HandOverRow.case_id).where(problem.is_not(None), problem.not_like(f"{REFERENCE}%")).distinct()).all()
        letters = {row[0] for row in session.exec(select(LetterFileRow.case_id, LetterFileRow.content)).all() if not _is_sealed(row[1])}
    return sorted({*texts, *problems, *letters})


def _is_sealed(content: bytes) -> bool:
    return content.startswith(SEALED_FILE)


def _seal_texts(session: Session, case: str) -> int:
    rows = [one for one in session.exec(select(TextRow).where(TextRow.case_id == case)).all() if not one.text.startswith(SEALED_TEXT)]
    for row in rows:
        row.text = keys_of(session).of(case).sealed_text(row.text, text_place(row.ref))
        session.add(row)
    session.flush()
    return len(rows)


def _seal_letters(session: Session, case: str) -> int:
    rows = [one for one in session.exec(select(LetterFileRow).where(LetterFileRow.case_id == case)).all() if not _is_sealed(one.content)]
    session.add_all(sealed_file(keys_of(session), row) for row in rows)
    return len(rows)


def _seal_problems(session: Session, case: str) -> int:
    rows = session.exec(select(HandOverRow).where(HandOverRow.case_id == case, col(HandOverRow.problem).is_not(None))).all()
    vault, done = CaseVault(session, case), 0
    for row in rows:
        if row.problem and not row.problem.startswith(REFERENCE):
            row.problem, done = vault.put(row.problem), done + 1
            session.add(row)
    return done
