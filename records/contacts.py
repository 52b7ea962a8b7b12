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
            session.merge(contact_row(case, one, vault))


def contact_row(case: Case, one: LoggedContact, vault: CaseVault) -> ContactRow:
    """Returns the row of one contact that a case carries."""
    entry = cast(Json, one.model_dump(mode="json", exclude_defaults=True, context={"vault": vault}))
    return ContactRow(case_id=case.id, contact=one.id, n=int(one.id[1:]), on=one.on, act=one.act, entry=entry)


def contact_under(session: Session, case: Case, act: str) -> LoggedContact | None:
    """Returns the contact of a case that was recorded under an id, by the id's mark; one that waits stands in the case as well."""
    query = select(ContactRow).where(ContactRow.case_id == case.id, ContactRow.act == act)
    row = session.exec(query).first()
    if row is None:
        return next((one for one in case.logged_contacts if one.act == act), None)
    return LoggedContact.model_validate(row.entry, context={"vault": CaseVault(session, case.id)})


def contacts_before(session: Session, case: Case, contact: LoggedContact) -> tuple[LoggedContact, ...]:
    """Returns the contacts of a case recorded before one of them, the oldest first."""
    carried = [one for one in case.logged_contacts if int(one.id[1:]) < int(contact.id[1:])]
    found = {one.id: one for one in (*carried, *contacts_of(session, case.id)) if int(one.id[1:]) < int(contact.id[1:])}
    return tuple(sorted(found.values(), key=lambda one: int(one.id[1:])))


def contacts_of(session: Session, case_id: str, *, last: int | None = None) -> tuple[LoggedContact, ...]:
    """Returns the contacts recorded on a case, the newest first; `last` takes so many of them."""
    query = select(ContactRow).where(ContactRow.case_id == case_id).order_by(col(ContactRow.n).desc()).limit(last)
    vault = CaseVault(session, case_id)
    return tuple(LoggedContact.model_validate(row.entry, context={"vault": vault}) for row in session.exec(query).all())
