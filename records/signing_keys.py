"""Keys that sign acts: public halves only. A key is never taken away, because a signature is judged by the key as it stood then."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain.signing import LEAST, LIES_AT_MOST, SigningKey
from records.tables import InstallationRow, SigningKeyRow

LIES = "signed-messages-lie-at-most-days"
SINCE = "acts-are-signed-since"
CONTENTS = "signed-contents-are-kept-since"


def public_key_of(session: Session, kid: str) -> bytes | None:
    """Returns the 32 bytes of a public key, or None where the records hold none of that id."""
    row = session.get(SigningKeyRow, kid)
    return bytes.fromhex(row.public_key) if row else None


def key_of(session: Session, kid: str) -> SigningKey:
    """Returns a key that is there."""
    row = session.get_one(SigningKeyRow, kid)
    return SigningKey(
        kid=row.kid, holder=row.holder, person=row.person, staff=row.staff, bodies=tuple(row.bodies), customer=row.customer,
        calendar=row.calendar, valid_from=row.valid_from, valid_to=row.valid_to, revoked_at=row.revoked_at, revoked_why=row.revoked_why,
    )  # fmt: skip


def out_of_place(session: Session, kid: str) -> bool:
    """Returns whether a key that is there was made for trying out, and these records are no file for trying out."""
    return session.get_one(SigningKeyRow, kid).local and session.get_bind().dialect.name != "sqlite"


def keep_key(session: Session, key: SigningKey, public: bytes, *, local: bool, at: datetime, by: str) -> bool:
    """Keep a public key. Returns False where the records hold one of that id already, which stays as it is."""
    if session.get(SigningKeyRow, key.kid) is not None:
        return False
    facts = {**key.model_dump(exclude={"bodies"}), "bodies": list(key.bodies)}
    session.add(SigningKeyRow(**facts, public_key=public.hex(), local=local, loaded_at=at, loaded_by=by))
    return True


def revoke(session: Session, kid: str, *, at: datetime, why: str) -> SigningKeyRow | None:
    """Refuse what a key signs from an instant on; what it signed before goes on counting. An earlier revocation is never moved later."""
    row = session.get(SigningKeyRow, kid)
    if row is not None and (row.revoked_at is None or at < row.revoked_at):
        row.revoked_at, row.revoked_why = at, why
        session.add(row)
    return row


def all_keys(session: Session) -> tuple[SigningKeyRow, ...]:
    """Returns every key, the oldest first."""
    return tuple(session.exec(select(SigningKeyRow).order_by(col(SigningKeyRow.loaded_at), col(SigningKeyRow.kid))).all())


def usable(session: Session, *, at: datetime) -> tuple[SigningKeyRow, ...]:
    """Returns the keys that may sign now."""
    return tuple(row for row in all_keys(session) if key_of(session, row.kid).unusable_at(at) is None)


def lies_at_most(session: Session, *, age: timedelta | None = None) -> timedelta:
    """Returns how long a signed message may lie before it reaches its case; a message younger than any limit is not asked about."""
    row = session.get(InstallationRow, LIES) if age is None or age > LEAST else None
    return timedelta(days=int(row.value)) if row else LIES_AT_MOST


def set_lies_at_most(session: Session, days: int) -> None:
    session.merge(InstallationRow(name=LIES, value=str(days)))


def signed_since(session: Session) -> datetime | None:
    """Returns when these records began to ask for signatures: only an act from before may be without one."""
    return _instant(session, SINCE)


def contents_kept_since(session: Session) -> datetime | None:
    """Returns since when whatever rebuilds an act's contents is kept: of an older one they may be spelt otherwise than they were signed."""
    return _instant(session, CONTENTS)


def _instant(session: Session, name: str) -> datetime | None:
    row = session.get(InstallationRow, name)
    return datetime.fromisoformat(row.value) if row else None
