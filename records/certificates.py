"""Certificates of destruction: numbered, chained by hash over the whole installation, and without anything personal.

The case stands in one as the SHA-256 of its id. A secret would hide the id from nobody who may look it up (the log beside it names it, and
an id holds no name), but it would keep a customer or an ombudsman who knows the id from checking a certificate for themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, select

from records.chain import FIRST, digest, first_broken, head_in, head_kept, lines_of
from records.tables import CertificateRow, InstallationRow, Json

HEAD = "certificates"
"""Under which the installation keeps how many certificates there are, and the hash of the last."""


def case_hash(case_id: str) -> str:
    """Returns what a certificate calls a case."""
    return hashlib.sha256(case_id.encode()).hexdigest()


def certificate_hash(before: str, row: CertificateRow) -> str:
    """Returns the hash of a certificate, holding the hash of the one before."""
    facts: list[object] = [before, row.n, row.issued_at.isoformat(), row.case_hash, row.facts]
    return digest(facts, sort_keys=True)


def issue(session: Session, case_id: str, facts: Json, *, at: datetime) -> CertificateRow:
    """Write the next certificate, one at a time over the whole installation. Returns it."""
    head = session.get(InstallationRow, HEAD, with_for_update=True)
    if head is None:
        head = InstallationRow(name=HEAD, value=f"0 {FIRST}")
        session.add(head)
        session.flush()
    n, before = head_in(head.value)
    row = CertificateRow(n=n + 1, issued_at=at, case_hash=case_hash(case_id), facts=facts, hash="")
    row.hash = certificate_hash(before, row)
    session.add(row)
    head.value = f"{row.n} {row.hash}"
    return row


def certificates(session: Session) -> tuple[CertificateRow, ...]:
    """Returns every certificate, the first first."""
    return tuple(_lines(session))


def _lines(session: Session) -> Iterator[CertificateRow]:
    return lines_of(session, CertificateRow, "the certificates")


def certificate_of(session: Session, case_id: str) -> CertificateRow | None:
    """Returns the certificate of a case's destruction, or None where there is none."""
    return session.exec(select(CertificateRow).where(CertificateRow.case_hash == case_hash(case_id))).first()


def first_broken_certificate(session: Session) -> int | None:
    """Returns the number of the first certificate that was changed or is missing, or None where the chain holds."""
    return first_broken(_lines(session), certificate_hash, head=lambda: head_kept(session, HEAD))
