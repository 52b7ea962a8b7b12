"""Every contact that the desk recorded, a row each: a case's state carries those alone that wait for a person."""

from __future__ import annotations

from typing import cast

from sqlmodel import Session, col, select

from domain.case import Case, LoggedContact
from records.tables import ContactRow
from records.vault import CaseVault

Json = dict[str, object]


def save_contacts(session: Session, case: Case, *, before: Case | None, vault: CaseVault) -> None:
    """Write the contacts that an act recorded or settled, and those about to leave the state."""
    had = frozenset(before.logged_contacts) if before else frozenset()
    for one in case.logged_contacts if not case.destroyed_on else ():
        if one not in had or not one.waits:
            entry = cast(Json, one.model_dump(mode="json", exclude_defaults=True, context={"vault": vault}))
            session.merge(ContactRow(case_id=case.id, contact=one.id, n=int(one.id[1:]), on=one.on, entry=entry))


def contacts_of(session: Session, case_id: str, *, last: int | None = None) -> tuple[LoggedContact, ...]:
    """Returns the contacts recorded on a case, the newest first; `last` takes so many of them."""
    query = select(ContactRow).where(ContactRow.case_id == case_id).order_by(col(ContactRow.n).desc()).limit(last)
    vault = CaseVault(session, case_id)
    return tuple(LoggedContact.model_validate(row.entry, context={"vault": vault}) for row in session.exec(query).all())
