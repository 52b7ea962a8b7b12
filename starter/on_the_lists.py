"""Who somebody signed in is on the staff lists: the command line and the codec server ask here, so that one person is one id (EH-200)."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, select

from domain.people import Person
from records.tables import StaffRow
from starter.identity import Claims, SignInFailed

EMAIL = "email"


def named_by(claims: Claims, claim: str) -> str:
    """Returns what a claim says somebody is called, in small letters. Raises SignInFailed where it is missing, or not verified."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise SignInFailed(f"The provider says no {claim}, by which EVENHAND_OIDC_PERSON_CLAIM finds a person; is its scope asked for?")
    if claim == EMAIL and claims.get("email_verified") is not True:
        raise SignInFailed("The provider has not verified the email address, so nobody is known by it.")
    return value.casefold()


def ids_named(session: Session, claim: str, value: object, *, today: date) -> tuple[str, ...]:
    """Returns the ids on the staff lists that a claim's value means today: by the list's address where the claim is `email`, else by id."""
    entries = [Person.model_validate(row.entry, extra="ignore") for row in session.exec(select(StaffRow)).all()]
    there = [one for one in entries if one.serves_on(today)]
    return tuple(sorted({one.id for one in there if value == ((one.email or "").casefold() if claim == EMAIL else one.id)}))
