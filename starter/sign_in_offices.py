"""Offices from a provider's groups at sign-in, where a body says so: they become its staff list, by which alone acts are judged."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlmodel import col, select

from activities.bodies import Body, body_of, save_staff
from activities.staff_lists import Loaded
from domain.people import Person
from policies import load
from records.database import transaction
from records.tables import StaffRow
from starter.bodies import staff_faults
from starter.clock import now
from starter.identity import Claims, SignInFailed


def take_over_groups(engine: Engine, person: str, claims: Claims) -> list[str]:
    """Load, for each body that takes offices from claims and has the person, a staff list with what their groups give now.

    Returns the bodies whose list changed. Raises SignInFailed where the groups do not fit the body's policy."""
    changed = []
    with transaction(engine) as session:
        for code in session.exec(select(StaffRow.body).where(StaffRow.person == person).order_by(col(StaffRow.body))).all():
            body = body_of(session, code)
            if body.directory is None or body.directory.offices_from != "claims":
                continue
            people = tuple(_applied(one, body, claims) if one.id == person else one for one in body.people)
            _fits(body.model_copy(update={"people": people}))
            if save_staff(session, code, people, Loaded(at=now(), by=person, source="groups at sign-in")):
                changed.append(code)
    return changed


def _applied(person: Person, body: Body, claims: Claims) -> Person:
    assert body.directory is not None
    try:
        return body.directory.applied(person, claims)
    except ValueError as error:
        raise SignInFailed(f"The groups do not fit the staff list of {body.body}: {error}.") from None


def _fits(body: Body) -> None:
    wrong = [what for _, what in staff_faults(body, load.policy(body.policy))]
    if wrong:
        raise SignInFailed(f"The groups do not fit the staff list of {body.body}: {wrong[0]}.")
