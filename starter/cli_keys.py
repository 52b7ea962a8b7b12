"""evenhand keys ...: who may sign acts, for whom, and until when; and what came unsigned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.administrators import named_administrator
from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json
from starter.cli_case import _engine
from starter.clock import now, today
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the database and the cryptography are imported only by the commands that use them
    from sqlmodel import Session

    from domain.signing import SigningKey
    from records.tables import SigningKeyRow

keys_app = typer.Typer(no_args_is_help=True, help="Keys that sign acts: who may sign, for whom, and until when.")

Who = Annotated[str | None, typer.Option("--by", help="Who does this: an id of a staff list, kept. Whoever is signed in, if left out.")]


@keys_app.command()
def new(file: Annotated[Path, typer.Argument(help="Where the private key goes; the public half goes beside it, as FILE.pub.")]) -> None:
    """Make a pair of keys. The private one stays with whoever signs; the public one goes to evenhand keys add-signer."""
    from activities.signatures import thumbprint
    from starter.signer import BadKey, make_pair, public_file

    try:
        made = make_pair(file)
    except (BadKey, OSError) as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    out.print(
        f"Key {thumbprint(made.public_key())}: private in {file}, readable by you alone; public in {public_file(file)}.", markup=False
    )


@keys_app.command("add-signer")
def add_signer(
    file: Annotated[Path, typer.Argument(help="The public key: a PEM file, Ed25519.")],
    holder: Annotated[str, typer.Option(help="Who holds the private half: a service or a person, as you call it.")],
    by: Who = None,
    person: Annotated[str | None, typer.Option(help="The one member of staff it signs for: an id of the staff list.")] = None,
    staff: Annotated[bool, typer.Option("--staff", help="It signs for any member of staff: a service that has logged them in.")] = False,
    body: Annotated[list[str], typer.Option(help="Only on this body's cases; may be given again.")] = [],  # noqa: B006  # typer copies it
    customer: Annotated[
        bool, typer.Option("--customer", help="It signs what comes from customers: a portal, or who enters their letters.")
    ] = False,
    calendar: Annotated[bool, typer.Option("--calendar", help="It signs evenhand calendar apply: an operator's key.")] = False,
    from_: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Its first day; today if left out.")] = None,
    to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Its last day; none if left out.")] = None,
    json: Json = False,
) -> None:
    """Let the records take what a key signs. What signs for nobody is refused."""
    from activities.signatures import thumbprint
    from records import administered
    from records.database import transaction
    from records.signing_keys import keep_key
    from starter.signer import BadKey, read_public
    from starter.vectors import published

    try:
        public = read_public(file)
        scope = {"holder": holder, "person": person, "staff": staff, "bodies": tuple(body), "customer": customer, "calendar": calendar}
        key = _key(thumbprint(public), from_=from_, to=to, **scope)
    except (BadKey, ValueError) as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    if key.kid == published():
        complain("This is the key of the worked example in docs/contract.md: everybody has its private half. Make a pair of your own.")
        raise typer.Exit(REFUSED)
    by = named_administrator("keys add-signer", by)
    with transaction(_engine()) as session:
        _known(session, by, person=person, bodies=body)
        kept = keep_key(session, key, public.public_bytes_raw(), local=False, at=now(), by=by)
        if kept:
            administered.note(session, "keys add-signer", at=now(), by=by, kid=key.kid, what=f"signs for {_scope(key)}")
    if not kept:
        complain(f"The records hold the key {key.kid} already; it stays as it is. Another scope needs another key.")
        raise typer.Exit(REFUSED)
    as_json(key) if json else out.print(f"Key {key.kid} of {holder} signs for {_scope(key)}.", markup=False)


def _known(session: Session, by: str, *, person: str | None = None, bodies: Sequence[str] = ()) -> None:
    """Leave where a name is nobody's or no body's, before anything is kept."""
    from starter.known_names import wrong_author, wrong_scope
    from worker.settings import Settings

    author = wrong_author(session, by, administrators=Settings.local().administrators, today=today())
    wrong = [*([author] if author else []), *wrong_scope(session, person=person, bodies=bodies)]
    for one in wrong:
        complain(one)
    if wrong:
        raise typer.Exit(MISUNDERSTOOD)


def _key(kid: str, *, from_: datetime | None, to: datetime | None, **scope: object) -> SigningKey:
    from domain.days import first_instant
    from domain.signing import SigningKey

    several_people = scope["staff"] or scope["customer"] or scope["calendar"]
    if not (scope["person"] or several_people):
        raise ValueError("It would sign for nobody: give --person ID, --staff, --customer or --calendar.")
    if scope["person"] and several_people:
        raise ValueError("--person is a key for one person alone; give the others a key of their own.")
    begins, ends = _day(from_) or today(), _day(to)
    if ends is not None and ends < begins:
        raise ValueError(f"--to {ends} lies before its first day, {begins}.")
    until = first_instant(ends + timedelta(days=1)) if ends else None
    return SigningKey.model_validate({"kid": kid, "valid_from": first_instant(begins), "valid_to": until, **scope})


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


@keys_app.command("list")
def list_(json: Json = False) -> None:
    """List every key that signs or has signed: whose, for whom, from when to when."""
    from records.database import reading
    from records.signing_keys import all_keys, key_of

    with reading(_engine()) as session:
        rows = all_keys(session)
        keys = [key_of(session, row.kid) for row in rows]
    if json:
        as_json([row.model_dump(mode="json") for row in rows])
        return
    table(
        ("key", "holder", "signs for", "from", "to", "revoked", "loaded by"),
        [
            (k.kid, _whose(r), _scope(k), _at(k.valid_from), _at(k.valid_to), _revoked(k), r.loaded_by)
            for r, k in zip(rows, keys, strict=True)
        ],
    )


@keys_app.command("revoke", context_settings={"ignore_unknown_options": True})  # a key's id may begin with a hyphen
def revoke_(
    key: Annotated[str, typer.Argument(help="The key's id, or its first six characters or more.")],
    reason: Annotated[str, typer.Option(help="Why: lost, stolen, holder left.")],
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="From when it counts no more, in London time; now if left out."
        ),
    ] = None,
    by: Who = None,
    json: Json = False,
) -> None:
    """Refuse what a key signs from an instant on. What it signed before goes on counting; it stays in the records as evidence."""
    from domain.days import LONDON
    from records import administered
    from records.database import transaction
    from records.signing_keys import all_keys, key_of, revoke

    by = named_administrator("keys revoke", by)
    at = from_.replace(tzinfo=LONDON) if from_ else now()
    with transaction(_engine()) as session:
        _known(session, by)
        found = [row.kid for row in all_keys(session) if row.kid.startswith(key) and len(key) >= 6]
        if len(found) != 1:
            complain(f"{'Several keys begin' if found else 'No key begins'} with {key}; see evenhand keys list.")
            raise typer.Exit(UNKNOWN)
        revoke(session, found[0], at=at, why=reason)
        session.flush()
        known = key_of(session, found[0])
        administered.note(
            session, "keys revoke", at=now(), by=by, kid=known.kid, what=f"from {_at(at)} on; it stands from {_at(known.revoked_at)}"
        )
    as_json(known) if json else out.print(f"Key {known.kid}: {_revoked(known)}. What it signed before that goes on counting.", markup=False)


@keys_app.command()
def limit(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days a signed message may lie before its case gets to it.")],
    by: Who = None,
) -> None:
    """Set how long a signed message may lie, a signal while no worker ran for instance. Without it: 31 days."""
    from records import administered
    from records.database import transaction
    from records.signing_keys import set_lies_at_most

    by = named_administrator("keys limit", by)
    with transaction(_engine()) as session:
        _known(session, by)
        set_lies_at_most(session, days)
        administered.note(session, "keys limit", at=now(), by=by, what=several(days, "day"))
    out.print(f"A signed message may lie {several(days, 'day')} before its case gets to it.")


@keys_app.command()
def refused(json: Json = False) -> None:
    """List what came to cases and nobody had signed who may: each a line, and how many were only counted. Signals: evenhand case log."""
    from sqlmodel import col, select

    from activities.refused_unsigned import ELSEWHERE, WRITTEN_AN_HOUR
    from records.administered import DOOR
    from records.database import reading
    from records.tables import RefusedCountRow, SecurityRow

    with reading(_engine()) as session:
        rows = session.exec(select(SecurityRow).where(col(SecurityRow.door) != DOOR).order_by(col(SecurityRow.n))).all()
        many = select(RefusedCountRow).where(col(RefusedCountRow.n) > WRITTEN_AN_HOUR, col(RefusedCountRow.case_id) != ELSEWHERE)
        counts = session.exec(many.order_by(col(RefusedCountRow.hour))).all()
    if json:
        as_json({"refused": [row.model_dump(mode="json") for row in rows], "counted": [one.model_dump(mode="json") for one in counts]})
        return
    columns = ("at", "case", "door", "named", "command", "id", "key", "why")
    table(columns, [(_at(r.at), r.case_id, r.door, r.claimed_by, r.do, r.command_id, r.kid[:12], r.why) for r in rows])
    for one in counts:
        line = f"{one.case_id}: {one.n} by {one.door} in the hour from {one.hour}:00 UTC, {WRITTEN_AN_HOUR} of them written"
        out.print(line, markup=False)


def _scope(key: SigningKey) -> str:
    names = (
        (key.person or "", key.person),
        ("any member of staff", key.staff),
        ("customers", key.customer),
        ("the calendar", key.calendar),
    )
    whom = ", ".join(name for name, there in names if there)
    return f"{whom} on cases of {', '.join(key.bodies)}" if key.bodies else f"{whom} on every body's cases"


def _whose(row: SigningKeyRow) -> str:
    return f"{row.holder} (for trying out)" if row.local else row.holder


def _revoked(key: SigningKey) -> str:
    return f"revoked from {_at(key.revoked_at)}: {key.revoked_why}" if key.revoked_at else ""


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""
