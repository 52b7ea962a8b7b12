"""Whether the records are as they were written: every log, every chain of sign-offs, every certificate; and the first place where not.

Whoever may change the database can write a whole chain anew. So the heads of all chains can be noted elsewhere, and held against later."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from records import certificates, reads, security
from records.certificates import case_hash, first_broken_certificate
from records.chain import cannot_be_read, head_kept
from records.log import first_broken_line
from records.reads import first_broken_read
from records.security import first_broken_refusal
from records.sign_offs import first_broken_sign_off, unchained
from records.tables import CaseRow, CertificateRow, DestructionRow, LogRow, ReadRow, SecurityRow, SignOffLineRow

Heads = dict[str, tuple[int, str]]
"""How many lines each chain has, and the hash of its last: log/CASE, sign-offs/CASE, certificates, reads, security."""


class Broken(NamedTuple):
    """The first place at which a chain does not hold."""

    chain: str
    """log, sign-offs, certificates, reads, security, signatures, or heads: what was noted earlier."""
    case: str
    line: int | None
    what: str


def verify(session: Session, *, noted: Mapping[str, tuple[int, str]] | None = None) -> tuple[Broken, ...]:
    """Returns the first broken place of every chain that does not hold; none where all do. `noted` are heads of an earlier day."""
    found = [one for case in chained_cases(session) for one in broken_in_case(session, case)]
    noted_before = _as_far_as_read(_heads(session, noted or {}), "heads")
    return (*found, *broken_certificates(session), *broken_reads(session), *broken_refusals(session), *noted_before)


def chained_cases(session: Session) -> tuple[str, ...]:
    """Returns every case that has a log, a chain of sign-offs, or a row."""
    named: set[str] = set()
    for column in (CaseRow.id, LogRow.case_id, SignOffLineRow.case_id):
        named |= set(_named(session, column))
    return tuple(sorted(named))


def _named(session: Session, column: str) -> Iterator[str]:
    """Yields the cases that a column names; a name that cannot be read is left out, for the line is missing in its own case's chain."""
    query = select(column).distinct()
    try:
        yield from session.exec(query).all()
    except Exception as fault:
        if not cannot_be_read(fault):
            raise
        for n in range(session.exec(select(func.count()).select_from(query.subquery())).one()):
            with suppress(OperationalError):
                yield from session.exec(query.offset(n).limit(1)).all()


def _as_far_as_read(found: Iterator[Broken], chain: str, case: str = "") -> Iterator[Broken]:
    """Yields what is broken; what stands beside a chain and cannot be read is broken too, and stops the look at no other chain."""
    try:
        yield from found
    except Exception as fault:
        if not cannot_be_read(fault):
            raise
        yield Broken(chain, case, None, f"what stands beside the {chain}{f' of {case}' if case else ''} was changed: it cannot be read")


def broken_in_case(session: Session, case: str) -> Iterator[Broken]:
    """Yields the first broken place of one case's log, and of its sign-offs."""
    yield from _as_far_as_read(_log(session, case), "log", case)
    yield from _as_far_as_read(_sign_offs(session, case), "sign-offs", case)


def _log(session: Session, case: str) -> Iterator[Broken]:
    if (line := first_broken_line(session, case)) is not None:
        yield Broken("log", case, line, f"line {line} of the log of {case} was changed, or is missing")


def _sign_offs(session: Session, case: str) -> Iterator[Broken]:
    if (line := first_broken_sign_off(session, case)) is not None:
        yield Broken("sign-offs", case, line, f"line {line} of the sign-offs of {case} was changed, or is missing")
    else:
        for row in list(unchained(session, case))[:1]:
            what = f"signature {row.n} of {row.about} of {case}, as it stands, was never given"
            yield Broken("sign-offs", case, None, what)


def broken_certificates(session: Session) -> Iterator[Broken]:
    """Yields the first broken certificate, and destructions that are not what their certificate says."""
    yield from _as_far_as_read(_certificates(session), "certificates")
    yield from _as_far_as_read(_finished(session), "certificates")


def _certificates(session: Session) -> Iterator[Broken]:
    if (n := first_broken_certificate(session)) is not None:
        yield Broken("certificates", "", n, f"certificate {n} was changed, or is missing")


def broken_reads(session: Session) -> Iterator[Broken]:
    """Yields the first broken line of the read log."""
    if (n := first_broken_read(session)) is not None:
        yield Broken("reads", "", n, f"line {n} of the read log was changed, or is missing")


def broken_refusals(session: Session) -> Iterator[Broken]:
    """Yields the first broken line of the security log."""
    if (n := first_broken_refusal(session)) is not None:
        yield Broken("security", "", n, f"line {n} of the security log was changed, or is missing")


def _finished(session: Session) -> Iterator[Broken]:
    """Yields destructions whose certificate is another case's, and logs that are not what a certificate says they were."""
    for done in session.exec(select(DestructionRow).order_by(col(DestructionRow.case_id))).all():
        row = session.get(CertificateRow, done.certificate) if done.certificate else None
        if done.certificate and (row is None or row.case_hash != case_hash(done.case_id)):
            yield Broken("certificates", done.case_id, done.certificate, f"certificate {done.certificate} is not that of {done.case_id}")
        elif row is not None and not _still_ends_so(session, done.case_id, row):
            what = f"the log of {done.case_id} is not the one that certificate {row.n} names"
            yield Broken("log", done.case_id, None, what)


def _still_ends_so(session: Session, case: str, row: CertificateRow) -> bool:
    log = row.facts.get("log")
    assert isinstance(log, dict)
    line = session.get(LogRow, (case, log["lines"]))
    return line is not None and line.hash == log["hash"]


def heads(session: Session) -> Heads:
    """Returns the head of every chain, to be noted where nobody who runs the database can write, whatever else of a case is unreadable."""
    found: Heads = {name: head_kept(session, name) for name in (certificates.HEAD, reads.HEAD, security.HEAD)}
    of_case = (
        CaseRow.id,
        CaseRow.log_lines,
        CaseRow.log_hash,
        CaseRow.signed_lines,
        CaseRow.signed_hash,
    )  # another column may be unreadable
    for case, lines, log_hash, signed, signed_hash in session.execute(select(*of_case).order_by(col(CaseRow.id))).all():  # type: ignore[call-overload]  # five columns
        found[f"log/{case}"] = (lines, log_hash)
        found[f"sign-offs/{case}"] = (signed, signed_hash)
    return found


def read_heads(text: str) -> Heads:
    """Returns heads that were noted. Raises ValueError where a text holds none."""
    given = json.loads(text)
    if not isinstance(given, dict) or not all(isinstance(one, list) and len(one) == 2 for one in given.values()):
        raise ValueError("no heads of chains, as evenhand audit heads writes them")
    return {str(name): (int(n), str(hash)) for name, (n, hash) in given.items()}


def _heads(session: Session, noted: Mapping[str, tuple[int, str]]) -> Iterator[Broken]:
    for name, (n, hash) in noted.items():
        if n and _hash_at(session, name, n) != hash:
            chain, _, case = name.partition("/")
            yield Broken("heads", case, n, f"line {n} of {chain}{f' of {case}' if case else ''} is not what was noted")


def _hash_at(session: Session, name: str, n: int) -> str | None:
    chain, _, case = name.partition("/")
    if chain == "certificates":
        certificate = session.get(CertificateRow, n)
        return certificate.hash if certificate else None
    if chain == "reads":
        read = session.get(ReadRow, n)
        return read.hash if read else None
    if chain == "security":
        refusal = session.get(SecurityRow, n)
        return refusal.hash if refusal else None
    line = session.get(LogRow, (case, n)) if chain == "log" else session.get(SignOffLineRow, (case, n))
    return line.hash if line else None


def issued(session: Session) -> int:
    """Returns how many certificates there are."""
    return session.exec(select(func.count()).select_from(CertificateRow)).one()
