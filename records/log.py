"""The case's log: every act, refusal and deadline, append-only and hash-chained from the first line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from sqlmodel import Session, col, select

from records.chain import FIRST, digest, first_broken, in_order
from records.tables import CaseRow, LogRow


def line_hash(before: str, row: LogRow) -> str:
    """Returns the hash of a line, holding the hash of the line before."""
    facts: list[object] = [
        before,
        row.case_id,
        row.n,
        row.at.isoformat(),
        row.on.isoformat(),
        row.actor,
        row.office,
        row.command,
        row.command_id,
        row.result,
        row.what,
        row.detail,
        row.cites,
    ]
    if row.grade is not None:  # a line without one has the hash that earlier releases gave it
        facts.append({"grade": row.grade})
    return digest(facts)


class Log:
    """Writes lines at the end of one case's log within the caller's transaction."""

    def __init__(self, session: Session, case_id: str) -> None:
        self.session, self.case_id = session, case_id
        case = session.get(CaseRow, case_id)
        if case is not None and case.log_lines:
            self.n, self.hash = case.log_lines, case.log_hash
            return
        last = session.exec(select(LogRow).where(LogRow.case_id == case_id).order_by(col(LogRow.n).desc()).limit(1)).first()
        self.n, self.hash = (last.n, last.hash) if last else (0, FIRST)

    def write(
        self,
        *,
        at: datetime,
        on: date,
        actor: str,
        office: str | None,
        command: str,
        command_id: str,
        result: str,
        what: str,
        cites: tuple[str, ...],
        detail: str | None = None,
        grade: int | None = None,
    ) -> None:
        self.n += 1
        row = LogRow(
            case_id=self.case_id,
            n=self.n,
            at=at,
            on=on,
            actor=actor,
            office=office,
            command=command,
            command_id=command_id,
            result=result,
            what=what,
            detail=detail,
            cites=list(cites),
            hash="",
            grade=grade,
        )
        self.hash = row.hash = line_hash(self.hash, row)
        self.session.add(row)
        case = self.session.get(CaseRow, self.case_id)
        if case is not None:
            case.log_lines, case.log_hash = self.n, self.hash


def log_of(session: Session, case_id: str) -> tuple[LogRow, ...]:
    """Returns a case's log, oldest line first. Raises Unreadable where a line was changed to what is none."""
    return tuple(_lines(session, case_id))


def _lines(session: Session, case_id: str) -> Iterator[LogRow]:
    return in_order(session, select(LogRow).where(LogRow.case_id == case_id).order_by(col(LogRow.n)), f"the log of {case_id}")


def first_broken_line(session: Session, case_id: str) -> int | None:
    """Returns the number of the first line that was changed or is missing, or None where the chain holds."""
    return first_broken(_lines(session, case_id), line_hash, head=lambda: _head(session.get(CaseRow, case_id)))


def _head(case: CaseRow | None) -> tuple[int, str] | None:
    return (case.log_lines, case.log_hash) if case else None
