"""Who acts at this terminal: where people sign in, the one who is signed in and nobody else; where they do not, whoever --by names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

from starter.cli import MISUNDERSTOOD, REFUSED
from starter.identity import Claims, SignInFailed
from starter.show import complain

if TYPE_CHECKING:  # read in only by the commands that use them
    from worker.settings import Settings

CUSTOMER = "customer"


class NobodyNamed(Exception):
    """No --by, and nobody signs in here."""


def who_acts(settings: Settings, by: str | None) -> str:
    """Returns the id that an act's `by` holds. Raises SignInFailed where nobody is signed in, or `by` is somebody else; NobodyNamed.

    `customer` records what a customer sent: a member of staff must be signed in for it."""
    if not settings.oidc_issuer:
        if by is None:
            raise NobodyNamed
        return by
    person = signed_in_as(settings)
    if by not in (None, person, CUSTOMER):
        raise SignInFailed(f"--by is {by}, and {person} is signed in. Leave --by out, or let {by} sign in.")
    return by or person


def signed_in_as(settings: Settings) -> str:
    """Returns the id of the staff list that is signed in, or that a service acts as. Raises SignInFailed."""
    from starter.sign_in import as_service, claims_now

    return as_service(settings) if settings.oidc_flow == "service" else person_of(claims_now(settings), settings, listed)


def person_of(claims: Claims, settings: Settings, lists: Callable[[str, object], Iterable[str]]) -> str:
    """Returns who on the staff lists the claims are of: by id, or by the list's address where the claim is a verified email.

    Raises SignInFailed where the claim is missing, or names nobody or several."""
    from starter.on_the_lists import named_by

    claim = settings.oidc_person_claim
    found = sorted(set(lists(claim, named_by(claims, claim))))
    if len(found) != 1:
        who = "several people" if found else "nobody"
        raise SignInFailed(f"Who signed in is {who} on the staff lists by {claim}; an administrator mends that.")
    return found[0]


def listed(claim: str, value: object) -> list[str]:
    """Returns the ids on the staff lists that a claim's value means today; the value itself where this machine has no records."""
    from records.database import open_database, reading
    from starter.cli_case import has_records
    from starter.clock import today
    from starter.on_the_lists import ids_named
    from worker.settings import Settings

    if not has_records():
        return [str(value)] if claim != "email" else []
    with reading(open_database(Settings.local().database)) as session:
        return list(ids_named(session, claim, value, today=today()))


def acting(by: str | None) -> str:
    """Returns who acts, for a command; leaves with what to do where that is nobody."""
    from worker.settings import Settings

    try:
        return who_acts(Settings.local(), by)
    except SignInFailed as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    except NobodyNamed:
        complain("Missing option '--by': who acts, an id of the body's staff list, or customer.")
        raise typer.Exit(MISUNDERSTOOD) from None


def acting_if_named(by: str | None) -> str | None:
    """Returns who acts, where that may be left open: nobody without --by, unless people sign in here."""
    from worker.settings import Settings

    return acting(by) if by is not None or Settings.local().oidc_issuer else None
