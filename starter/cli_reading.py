"""Who reads at the command line, and why: the options that every command that shows cases has, and what is said where nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN
from starter.clock import now, today
from starter.show import complain, out

if TYPE_CHECKING:  # the database is imported only by the commands that use it
    from sqlmodel import Session

    from domain.reading import Sees
    from starter.reading import Lists, Look, Reader

ReadBy = Annotated[
    str | None,
    typer.Option("--by", help="Who reads: an id of the staff list. Not needed on a machine for trying out."),
]
Why = Annotated[str | None, typer.Option("--why", help="Why it is read; needed for a case whose officer you are not.")]


def reader_of(by: str | None, why: str | None) -> Reader:
    """Returns who reads: who is signed in, or whom --by names, or this machine's own user where records and keys are its own."""
    from starter.acting import acting_if_named
    from starter.reading import HERE, Reader
    from worker.settings import Settings

    settings, by = Settings.local(), acting_if_named(by)
    if by is None and settings.production:
        complain("Missing option '--by': who reads, an id of the body's staff list. Every reading is written down. [EH-175]")
        raise typer.Exit(MISUNDERSTOOD)
    return Reader(HERE, why, local=True) if by is None else Reader(by, why)


@contextmanager
def shown(case: str, by: str | None, why: str | None, *, how: str, needs: Sees = "all") -> Iterator[Look]:
    """Yields a case that may be shown once this is left; leaves the program where it may not."""
    from starter.cli_case import _engine
    from starter.reading import looking

    reader = reader_of(by, why)
    with or_leave(), looking(_engine(), case, reader, how=how, at=now(), today=today(), needs=needs) as look:
        yield look


@contextmanager
def shown_lines(case: str, by: str | None, why: str | None, *, how: str) -> Iterator[Session]:
    """Yields the session in which a case's lines are read; an opening that was refused left lines, and no case."""
    from records.database import reading
    from records.tables import CaseRow, LogRow
    from starter.cli_case import _engine

    with reading(_engine()) as session:
        opened = session.get(CaseRow, case) is not None or session.get(LogRow, (case, 1)) is None
    if opened:
        with shown(case, by, why, how=how) as look:
            yield look.session
    else:
        with listed(by, why, how=how, case=case) as lists:
            yield lists.session


@contextmanager
def listed(by: str | None, why: str | None = None, *, how: str, body: str | None = None, case: str = "") -> Iterator[Lists]:
    """Yields the session of a list across cases, and the bodies it may take; leaves the program where it may take none."""
    from starter.cli_case import _engine
    from starter.reading import listing

    reader = reader_of(by, why)
    with or_leave(), listing(_engine(), reader, how=how, at=now(), today=today(), body=body, case=case) as found:
        yield found


def bodies_listed(by: str | None, *, how: str, body: str | None = None, case: str = "") -> Callable[[str], bool]:
    """Returns whose bodies' lines may be shown, now that it is noted who looks; leaves the program where that is nobody's."""
    with listed(by, how=how, body=body, case=case) as lists:
        found = lists
    return found.takes


def bodies_listed_if_anybody(by: str | None, *, how: str, body: str | None = None) -> Callable[[str], bool]:
    """Returns the same for what runs by itself too: where nobody is named who could look, no lines are shown, only how many there are."""
    from worker.settings import Settings

    settings = Settings.local()
    if by is None and (settings.production or settings.oidc_issuer):
        return lambda body: False
    return bodies_listed(by, how=how, body=body)


@contextmanager
def or_leave() -> Iterator[None]:
    """Leave the program with what was said, where something is not shown."""
    from starter.reading import BadReason, NotShown
    from starter.standing import NoCase

    try:
        yield
    except NotShown as refused:
        complain(str(refused))
        out.print(f"what remains: {refused.remains}", markup=False)
        raise typer.Exit(REFUSED) from None
    except NoCase as error:
        complain(str(error))
        raise typer.Exit(UNKNOWN) from None
    except BadReason as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
