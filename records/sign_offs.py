"""The sign-offs of a case as they were given: append-only and hash-chained, whatever became of what was signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlmodel import Session, col, select

from records.chain import FIRST, digest, first_broken, in_order
from records.tables import CaseRow, SignOffLineRow, SignOffRow

Facts = tuple[object, ...]


def facts_of(row: SignOffRow | SignOffLineRow) -> Facts:
    """Returns what a signature says, by which the same one is known again."""
    slot = row.slot if isinstance(row, SignOffLineRow) else row.n
    return (row.about, slot, row.person, row.human, row.office, row.grade, row.as_deputy, row.on.isoformat())


def sign_off_hash(before: str, row: SignOffLineRow) -> str:
    """Returns the hash of a line, holding the hash of the line before."""
    facts: list[object] = [before, row.case_id, row.n, *facts_of(row)]
    return digest(facts)


def chain_sign_offs(session: Session, case_id: str, signed: Sequence[SignOffRow]) -> int:
    """Write the signatures that the chain does not hold yet at its end, within the caller's transaction. Returns how many."""
    case = session.get(CaseRow, case_id)
    assert case is not None, f"{case_id}: signed before it was saved"
    held = {facts_of(row) for row in sign_offs_of(session, case_id)}
    new = [row for row in signed if facts_of(row) not in held]
    for row in new:
        line = SignOffLineRow(
            case_id=case_id,
            n=case.signed_lines + 1,
            slot=row.n,
            hash="",
            **row.model_dump(include={"about", "person", "human", "office", "grade", "as_deputy", "on"}),
        )
        line.hash = sign_off_hash(case.signed_hash or FIRST, line)
        session.add(line)
        case.signed_lines, case.signed_hash = line.n, line.hash
    return len(new)


def sign_offs_of(session: Session, case_id: str) -> tuple[SignOffLineRow, ...]:
    """Returns every sign-off of a case, the first given first. Raises Unreadable where a line was changed to what is none."""
    return tuple(_lines(session, case_id))


def _lines(session: Session, case_id: str) -> Iterator[SignOffLineRow]:
    query = select(SignOffLineRow).where(SignOffLineRow.case_id == case_id).order_by(col(SignOffLineRow.n))
    return in_order(session, query, f"the sign-offs of {case_id}")


def first_broken_sign_off(session: Session, case_id: str) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds."""
    return first_broken(_lines(session, case_id), sign_off_hash, head=lambda: _head(session.get(CaseRow, case_id)))


def _head(case: CaseRow | None) -> tuple[int, str] | None:
    return (case.signed_lines, case.signed_hash or FIRST) if case else None


def unchained(session: Session, case_id: str) -> Iterator[SignOffRow]:
    """Yields the sign-offs that stand and that the chain does not hold: they were changed beside it."""
    held = {facts_of(row) for row in sign_offs_of(session, case_id)}
    query = select(SignOffRow).where(SignOffRow.case_id == case_id).order_by(col(SignOffRow.about), col(SignOffRow.n))
    yield from (row for row in session.exec(query).all() if facts_of(row) not in held)


def chain_earlier_sign_offs(session: Session) -> int:
    """Chain what was signed under a release that kept no chain. Returns of how many cases."""
    query = select(SignOffRow, CaseRow).where(col(SignOffRow.case_id) == col(CaseRow.id), CaseRow.signed_lines == 0)
    found: dict[str, list[SignOffRow]] = {}
    for row, case in session.exec(
        query.order_by(col(SignOffRow.case_id), col(SignOffRow.on), col(SignOffRow.about), col(SignOffRow.n))
    ).all():
        found.setdefault(case.id, []).append(row)
    for case_id, rows in found.items():
        chain_sign_offs(session, case_id, rows)
    return len(found)
