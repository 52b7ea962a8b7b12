"""Whether a body has what its policy leaves to it: looked up by its code in the records, or in its file before it is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain.model import Data
from domain.policy import Policy
from policies.needs import Need, configured, needs
from policies.remedies import CODE
from starter.cli import MISUNDERSTOOD, UNKNOWN
from starter.clock import today
from starter.show import complain

if TYPE_CHECKING:  # the database is imported only where a body of the records is asked for
    from activities.bodies import Body


class Settled(Data):
    """One thing the policy leaves to the body, and whether this body has it."""

    need: Need
    configured: bool


def settled(policy: Policy, body: str) -> tuple[Settled, ...]:
    """Returns what the policy leaves to a body, each with whether it is there today. Ends the command where there is no such body."""
    found = body_named(body)
    day = today()
    own = {"ombudsman": found.ombudsman, "links": found.links, "information_officer": found.information_officer}
    return tuple(Settled(need=one, configured=configured(one, found.staff, found.keep_years, today=day, **own)) for one in needs(policy))  # type: ignore[arg-type]  # as configured() names them


def body_named(name: str) -> Body:
    """Returns a body by its file or its code in the records. Ends the command where there is none."""
    from activities.bodies import Unknown, body_of
    from policies.load import Unreadable
    from records.database import reading
    from starter.bodies import read_body
    from starter.cli_case import _engine

    try:
        if Path(name).is_file() or not re.fullmatch(CODE, name):  # no code of a body: a path, there or not
            return read_body(Path(name))
        with reading(_engine()) as session:
            return body_of(session, name)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    except Unknown as error:
        complain(f"{error} {error.remains}")
        raise typer.Exit(UNKNOWN) from None
