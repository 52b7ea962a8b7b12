"""No worker in production starts before somebody may sign, nor while a key for trying out may: that one signs for anybody."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from records.database import reading
from records.signing_keys import usable

HOW = """Make a pair with evenhand keys new FILE, then let the records take what it signs:
  evenhand keys add-signer FILE.pub --holder NAME --staff --by YOUR-ID (see evenhand keys add-signer --help, docs/production.md)"""
REVOKE = """Whoever can read the file of a local key (var/signing-key.pem) signs for anybody. Revoke it:
{commands}
What it signed before goes on verifying: evenhand case signatures CASE."""
MIGRATE = "If they are of an earlier release, python -m worker.migrate brings them up to date."


class NoSigners(Exception):
    """Nobody may sign acts, or a key may that no installation should have: what was found, and the commands that help."""

    def __init__(self, found: str, todo: str) -> None:
        super().__init__(f"{found}\n{todo}")
        self.found, self.todo = found, todo


def need_signers(engine: Engine, *, at: datetime) -> int:
    """Returns how many keys may sign now. Raises NoSigners where none may, or a local one of a first try may too."""
    try:
        with reading(engine) as session:
            found = usable(session, at=at)
    except DatabaseError as error:
        raise NoSigners(f"The records do not say who may sign ({type(error).__name__}).", MIGRATE) from None
    if local := [row.kid for row in found if row.local]:
        commands = "\n".join(f'  evenhand keys revoke {kid} --reason "made for trying out" --by YOUR-ID' for kid in local)
        alone = f"\n{HOW}" if len(local) == len(found) else ""
        raise NoSigners("A local key, made for trying out, may sign acts here.", REVOKE.format(commands=commands) + alone)
    if not found:
        raise NoSigners("The records hold no key that may sign acts now.", HOW)
    return len(found)
