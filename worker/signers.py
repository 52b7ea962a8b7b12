"""No worker in production starts before somebody may sign: it would refuse every act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from records.database import reading
from records.signing_keys import usable

HOW = """Make a pair with evenhand keys new FILE, then let the records take what it signs:
  evenhand keys add-signer FILE.pub --holder NAME --staff --by YOUR-ID (see evenhand keys add-signer --help, docs/production.md)"""

MIGRATE = "If they are of an earlier release, python -m worker.migrate brings them up to date."


class NoSigners(Exception):
    """Nobody may sign acts yet: what is missing, and the commands that help."""


def need_signers(engine: Engine, *, at: datetime) -> None:
    """Raises NoSigners where the records hold no key that may sign now, or only the local one of a first try."""
    try:
        with reading(engine) as session:
            found = usable(session, at=at)
    except DatabaseError as error:
        raise NoSigners(f"The records do not say who may sign ({type(error).__name__}). {MIGRATE}") from None
    if not found:
        raise NoSigners(f"The records hold no key that may sign acts now.\n{HOW}")
    if all(row.local for row in found):
        raise NoSigners(f"The only key that may sign acts now is the local one, made for trying out.\n{HOW}")
