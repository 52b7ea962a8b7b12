"""evenhand sign-in, sign-out, who: whoever is signed in is who acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, REFUSED, Json
from starter.show import as_json, complain, out

if TYPE_CHECKING:  # read in only by the commands that use them
    from starter.identity import Claims
    from worker.settings import Settings


def sign_in(
    device: Annotated[bool, typer.Option("--device", help="Sign in on another device, where the provider offers that.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open no browser.")] = False,
) -> None:
    """Sign in at the identity provider that EVENHAND_OIDC_ISSUER names; from then on acts are yours."""
    from starter.acting import listed, person_of
    from starter.identity import SignInFailed
    from starter.sign_in import in_browser, on_device
    from starter.signed_in import forget

    settings = _settings()
    if settings.oidc_flow == "service":
        complain("This program is a service (EVENHAND_OIDC_FLOW): it needs no sign-in; evenhand who tries its credentials.")
        raise typer.Exit(MISUNDERSTOOD)
    try:
        claims = on_device(settings, _enter) if device else in_browser(settings, lambda url: _open(url, no_browser))
        try:
            person = person_of(claims, settings, listed)
        except SignInFailed:
            forget(settings)
            raise
        _take_over_groups(person, claims)
    except SignInFailed as error:
        complain(f"Not signed in. {error}")
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        complain("Not signed in.")
        raise typer.Exit(REFUSED) from None
    out.print(f"Signed in as {person}.", markup=False)


def _settings() -> Settings:
    from worker.settings import Settings

    settings = Settings.local()
    if not settings.oidc_issuer:
        complain("Nobody signs in here: EVENHAND_OIDC_ISSUER is not set, and --by says who acts. See docs/access.md.")
        raise typer.Exit(MISUNDERSTOOD)
    return settings


def _open(url: str, no_browser: bool) -> None:
    import webbrowser

    out.print("Open this address to sign in:", markup=False)
    out.print(url, markup=False, soft_wrap=True)
    if not no_browser:
        webbrowser.open(url)


def _enter(address: str, code: str) -> None:
    out.print(f"Open {address} on any device and enter the code {code}.", markup=False)


def _take_over_groups(person: str, claims: Claims) -> None:
    """Where a body takes offices from claims, its staff list says from now on what the person's groups give."""
    from starter.cli_case import _engine, has_records
    from starter.sign_in_offices import take_over_groups

    if has_records():
        for body in take_over_groups(_engine(), person, claims):
            out.print(f"Offices at {body} as your groups say; evenhand staff show {person} --body {body}.", markup=False)


def sign_out() -> None:
    """Forget the sign-in on this machine, and have the provider take back what it gave where it can."""
    from starter.identity import SignInFailed
    from starter.sign_in import revoke
    from starter.signed_in import forget

    settings = _settings()
    try:
        revoke(settings)
    except SignInFailed:
        complain("The provider could not be told; what it gave expires by itself.")
    said = "Signed out." if forget(settings) else "Nobody was signed in."
    out.print(said, markup=False)


def who(json: Json = False) -> None:
    """Say who acts at this terminal, and what they hold today."""
    from starter.acting import signed_in_as
    from starter.identity import SignInFailed

    settings = _settings()
    try:
        person = signed_in_as(settings)
    except SignInFailed as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    held = _held(person)
    if json:
        as_json({"person": person, "issuer": settings.oidc_issuer, "holds": held})
        return
    out.print(f"{person}, by {settings.oidc_issuer}", markup=False)
    for body, offices in held.items():
        out.print(f"  {body}: {', '.join(offices) or 'no office'}", markup=False)


def _held(person: str) -> dict[str, tuple[str, ...]]:
    from sqlmodel import col, select

    from activities.bodies import body_of
    from records.database import reading
    from records.tables import StaffRow
    from starter.cli_case import _engine, has_records
    from starter.clock import today

    if not has_records():
        return {}
    with reading(_engine()) as session:
        bodies = session.exec(select(StaffRow.body).where(StaffRow.person == person).order_by(col(StaffRow.body))).all()
        found = {body: body_of(session, body).staff.on(today()).by_id.get(person) for body in bodies}
    return {body: one.offices for body, one in found.items() if one}
