"""Who may change who acts, and under which rules (EH-180). Where people sign in: whom EVENHAND_ADMINISTRATORS names, else nobody.

Where nobody signs in, whoever uses the machine may, and --by is taken at its word. Neither holds out against whoever has the database's
password, or sets this program's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from starter.cli import MISUNDERSTOOD, REFUSED
from starter.show import complain

if TYPE_CHECKING:  # read in only by the commands that use them
    from worker.settings import Settings

COMMANDS = {
    "body set": "a body's staff list, its policy and its settings",
    "staff import": "who is on a staff list, and what they hold",
    "keys add-signer": "for whom a key may sign",
    "keys revoke": "from when a key signs no more",
    "keys limit": "how long a signed message may lie",
    "keys rotate-master": "the keys that cases are sealed with",
    "keys drop-master": "the keys that cases are sealed with",
    "calendar load": "the bank holidays that every case counts with",
    "calendar apply": "the dates of open cases",
    "policy move": "the editions that cases may go over to; needed only for a file that is new to the records",
    "engine repair": "the tables and editions in the records; needed only with --calendar or --policy",
}
"""Every command that needs an administrator, and what it changes. A dry run changes nothing and needs none."""


def administrator(command: str, by: str | None = None) -> str | None:
    """Returns who administers: who is signed in, if listed; without a provider whoever --by names, which may be nobody.

    Leaves with what to do where they may not. `command` is one of COMMANDS."""
    from worker.settings import Settings

    what, settings = COMMANDS[command], Settings.local()
    if settings.oidc_issuer:
        return _listed(what, settings, by)
    word = f"{by} is taken at its word" if by else "whoever uses this machine may do it, and no name is kept"
    complain(f"Nobody signs in here (EVENHAND_OIDC_ISSUER is not set): {word}.")
    return by


def named_administrator(command: str, by: str | None) -> str:
    """Returns who administers, where a name is kept and must be there."""
    from worker.settings import Settings

    if by is None and not Settings.local().oidc_issuer:
        complain("Missing option '--by': who does this, an id of a staff list; it is kept.")
        raise typer.Exit(MISUNDERSTOOD)
    return administrator(command, by) or ""


def _listed(what: str, settings: Settings, by: str | None) -> str:
    from starter.acting import signed_in_as
    from starter.identity import SignInFailed

    try:
        person = signed_in_as(settings)
    except SignInFailed as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    if by not in (None, person):
        complain(f"--by is {by}, and {person} is signed in. Leave --by out, or let {by} sign in.")
        raise typer.Exit(REFUSED)
    if person not in settings.administrators:
        complain(f"{person} is no administrator, and this changes {what}. {_who(settings)} [EH-180]")
        raise typer.Exit(REFUSED)
    return person


def _who(settings: Settings) -> str:
    if settings.administrators:
        return f"Ask {' or '.join(sorted(settings.administrators))}."
    return "Nobody is one yet: whoever runs the installation sets EVENHAND_ADMINISTRATORS to ids of the staff lists, apart by commas."
