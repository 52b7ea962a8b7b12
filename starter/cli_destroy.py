"""evenhand destroy ...: papers whose time has ended, signed for by two people, destroyed, and certified."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from starter.acting import acting
from starter.cli import MISUNDERSTOOD, OK, REFUSED, UNKNOWN, Json, run
from starter.cli_case import By, _cases, _engine
from starter.cli_reading import ReadBy, bodies_listed, listed
from starter.clock import now, today
from starter.show import as_json, complain, out, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from activities.finishing import Destroying
    from activities.outcome import Outcome
    from starter.destroying import Due

destroy_app = typer.Typer(no_args_is_help=True, help="Papers whose time has ended: signed for by two people, destroyed, certified.")
Some = Annotated[list[str] | None, typer.Argument(help="Cases.")]
AllDue = Annotated[bool, typer.Option("--all-due", help="Every case that is due and that nothing stops.")]
OfBody = Annotated[str | None, typer.Option("--body", help="Only this body's cases.")]


@destroy_app.command()
def due(body: OfBody = None, by: ReadBy = None, json: Json = False) -> None:
    """List the cases whose papers' time has ended: since when, what stops each, who signed and who must sign."""
    with listed(by, how="destroy due", body=body) as lists:
        bodies = lists
    found = tuple(one for one in _due(body) if bodies.takes(one.body))
    if json:
        as_json(found)
        return
    table(
        ("case", "kept until", "stopped by", "signed", "to sign"),
        [(one.case, one.since or "", _stopped(one), ", ".join(one.signed), "; ".join(one.to_sign)) for one in found],
    )
    ready, half = sum(one.ready for one in found), sum(one.half_done for one in found)
    out.print(f"{len(found)} due; {ready} may be destroyed now, {half} half done.", markup=False)


def _stopped(one: Due) -> str:
    return "half done: run evenhand destroy run" if one.half_done else " ".join(one.stopped_by)


@destroy_app.command()
def sign(by: By = None, cases: Some = None, all_due: AllDue = False, body: OfBody = None, json: Json = False) -> None:
    """Sign that papers may be destroyed. The first signature proposes it; somebody of another office signs second (EH-150)."""
    by, chosen = acting(by), cases or []
    if all_due:
        chosen = [*chosen, *(one.case for one in _theirs(by, body) if not one.stopped_by and one.to_sign and one.case not in chosen)]
    _tell(_asked(chosen, "sign_destruction", by, all_due), json)


@destroy_app.command("run")
def run_(
    cases: Some = None,
    by: Annotated[str | None, typer.Option("--by", help="Who destroys, or looks for a dry run; not needed for what is half done.")] = None,
    all_due: AllDue = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Destroy nothing; say what would be.")] = False,
    body: OfBody = None,
    json: Json = False,
) -> None:
    """Destroy what is due and signed, finish what an earlier run left half done, and write the certificates."""
    chosen = cases or []
    if dry_run:
        takes = bodies_listed(by, how="destroy run --dry-run", body=body, case=_only(chosen))
    found = _due(body)
    half = {one.case for one in found if one.half_done}
    if dry_run:
        _would([*chosen, *(one.case for one in found if all_due and one.ready and one.case not in chosen)], takes, json)
        return
    # what is half done was signed and begun: it is finished by nobody in particular
    destroyer = acting(by or None) if set(chosen) - half or (all_due and any(one.ready for one in found)) else by or ""
    theirs = _theirs(destroyer, body) if all_due else ()
    chosen = [*chosen, *(one.case for one in theirs if (one.ready or one.half_done) and one.case not in chosen)]
    _none_chosen(chosen, all_due)
    waiting = [one for one in theirs if one.case not in chosen]
    run(_destroyed(chosen, half, destroyer, json, waiting=waiting))


def _only(cases: Sequence[str]) -> str:
    """Returns the one case that was asked for, for the read log; nothing where there are several, or what was given is none."""
    from starter.reading import A_CASE

    return cases[0] if len(cases) == 1 and A_CASE.fullmatch(cases[0]) else ""


def _would(cases: Sequence[str], takes: Callable[[str], bool], json: bool) -> None:
    from starter.destroying import due_of

    found = [one for case in cases if (one := due_of(_engine(), case, today=today())) and takes(one.body)]
    if json:
        as_json(found)
        return
    rows = [(one.case, "yes" if one.ready else _why_not(one), ", ".join(f"{n} {name}" for name, n in one.rows.items())) for one in found]
    table(("case", "destroyed now", "what the records hold of it"), rows)
    out.print("Besides: its letters' files, its runs in the engine, and last its key. Nothing was destroyed.", markup=False)


def _why_not(one: Due) -> str:
    return f"no: {_waits_for(one)}"


def _waits_for(one: Due) -> str:
    return " ".join([*one.stopped_by, *([f"to be signed by {'; '.join(one.to_sign)}"] if one.to_sign else [])])


async def _destroyed(cases: Sequence[str], half: set[str], by: str, json: bool, *, waiting: Sequence[Due] = ()) -> None:
    """Destroy one case after the other; whatever fails on the way leaves what is done, and is finished by the next run. What is due
    and may not be destroyed yet (`waiting`) is told with what it waits for."""
    from temporalio.service import RPCError

    from activities.finishing import NotEnded
    from starter.destroying import facts_of, scrub

    work, failed = await _work(), False
    told: list[dict[str, object]] = [{"case": one.case, "result": "not destroyed", "answer": _waits_for(one)} for one in waiting]
    for case in cases:
        answer = None if case in half else await _act(case, "destroy_papers", by)
        if answer is not None and not answer.accepted:
            told.append({"case": case, "result": answer.result, "answer": answer.answer, "cites": answer.cites, "remains": answer.remains})
            failed = True
            continue
        try:
            told.append({"case": case, "result": "destroyed", **facts_of(await work.finish(case, at=now()))})
        except (NotEnded, RPCError, OSError) as error:
            told.append({"case": case, "result": "half done", "answer": f"{error} What is left is done by the next run."})
            failed = True
    left = scrub(work.engine)
    if json:
        as_json({"cases": told, "database": left or "written anew"})
    else:
        for line in _said(told):
            out.print(line)
        out.print(f"The records' database: {left or 'written anew, so that nothing deleted is left in it'}.", markup=False)
    raise typer.Exit(REFUSED if failed else OK)


def _said(told: Sequence[dict[str, object]]) -> Iterator[str]:
    for one in told:
        if one["result"] == "destroyed":
            yield escape(f"{one['case']}: destroyed; certificate {one['certificate']}, {one['hash']}")
        else:
            yield escape(f"{one['case']}: {one['result']}: {one['answer']} {one.get('remains') or ''}".rstrip())


async def _work() -> Destroying:
    from activities.carriers.outbox import Outbox
    from activities.finishing import Destroying
    from records.keys import keys_of_engine
    from worker.settings import Settings

    cases, engine = await _cases(), _engine()
    return Destroying(engine, cases.client, Outbox(Settings.local().letters), keys=keys_of_engine(engine))


@destroy_app.command()
def again(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Destroy nothing; list the cases.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who looks, for a dry run; to destroy again needs nobody.")] = None,
    json: Json = False,
) -> None:
    """Destroy again the papers that came back with an older copy of the records. Nobody signs twice: their keys are gone already."""
    from records.keys import KeyStore, keys_of_engine
    from starter.came_back import bodies_of_cases, came_back

    takes = bodies_listed(by, how="destroy again --dry-run") if dry_run else None
    engine = _engine()
    keys = keys_of_engine(engine)
    assert isinstance(keys, KeyStore), "the command line opens the key store itself"
    found = came_back(engine, keys)
    if takes is not None:
        bodies = bodies_of_cases(engine, found)
        found = {case: on for case, on in found.items() if takes(bodies[case])}
    if dry_run or not found:
        if json:
            as_json([{"case": case, "destroyed_on": on} for case, on in found.items()])
        else:
            table(("case", "destroyed on"), list(found.items())) if found else out.print("No destroyed case came back.")
        return
    run(_destroyed_again(found, json))


async def _destroyed_again(found: dict[str, date], json: bool) -> None:
    from starter.came_back import empty_again

    work = await _work()
    for case, on in found.items():
        await empty_again(work.client, work.engine, case, on=on)
    await _destroyed(list(found), set(found), "", json)


async def _act(case: str, do: str, by: str) -> Outcome:
    """Send an act under an id of its own; where its answer is lost, what was done shows in the next list."""
    from activities.outcome import Outcome
    from starter.cases import NoSuchCase

    id = str(uuid.uuid4())
    message: dict[str, object] = {"v": 1, "id": id, "do": do, "by": by, "on": today().isoformat(), "with": {}}
    try:
        return await (await _cases()).submit_message(case, message)
    except NoSuchCase as error:
        return Outcome(command=id, result="unknown", answer=str(error))


def _asked(cases: Sequence[str], do: str, by: str, all_due: bool) -> list[dict[str, object]]:
    _none_chosen(cases, all_due)

    async def ask() -> list[dict[str, object]]:
        answers = [(case, await _act(case, do, by)) for case in cases]
        return [{"case": case, **one.model_dump(mode="json", include={"result", "answer", "cites", "remains"})} for case, one in answers]

    return run(ask())


def _none_chosen(cases: Sequence[str], all_due: bool) -> None:
    if not cases and not all_due:
        complain("Name cases, or --all-due. Which there are: evenhand destroy due")
        raise typer.Exit(MISUNDERSTOOD)


def _tell(answers: Sequence[dict[str, object]], json: bool) -> None:
    if json:
        as_json(answers)
    else:
        for one in answers:
            out.print(escape(f"{one['case']}: {one['result']}: {one['answer']} {one.get('remains') or ''}".rstrip()))
    raise typer.Exit(OK if all(one["result"] == "accepted" for one in answers) else REFUSED)


@destroy_app.command()
def certificate(
    case: Annotated[str, typer.Argument(help="The case's id, or a certificate's number.")],
    by: ReadBy = None,
    json: Json = False,
) -> None:
    """Print the certificate of a destruction: policy, days, who signed, what was destroyed, and its place in the chain."""
    from records.certificates import certificate_of
    from records.tables import CertificateRow
    from starter.destroying import facts_of
    from starter.reading import A_CASE

    with listed(by, how="destroy certificate", case=case if A_CASE.fullmatch(case) else "") as lists:
        session = lists.session
        row = certificate_of(session, case) or (session.get(CertificateRow, int(case)) if case.isdigit() else None)
    if row is None:
        complain(f"There is no certificate of {case}.")
        raise typer.Exit(UNKNOWN)
    facts = facts_of(row)
    if json:
        as_json(facts)
        return
    for name, value in facts.items():
        out.print(f"{name.replace('_', ' ')}: {_flat(value)}", markup=False)


def _flat(value: object) -> str:
    """Returns a fact of a certificate as a person reads it; what is not so, or not there, is left out."""
    if isinstance(value, dict):
        said = {name.replace("_", " "): one for name, one in value.items() if one not in (False, None, [])}
        return ", ".join(name if one is True else f"{name} {_flat(one)}" for name, one in said.items()) or "nothing"
    return ("; ".join(map(_flat, value)) or "nobody") if isinstance(value, list) else "none" if value is None else str(value)


def _theirs(by: str, body: str | None) -> tuple[Due, ...]:
    """Returns what is due of the bodies on whose staff list somebody stands, and whatever is half done."""
    from records.database import reading
    from starter.reading import Reader, bodies_of

    with reading(_engine()) as session:
        theirs = frozenset(bodies_of(session, Reader(by), today()))
    return tuple(one for one in _due(body) if one.half_done or one.body in theirs)


def _due(body: str | None) -> tuple[Due, ...]:
    from starter.destroying import due

    return due(_engine(), today=today(), body=body)
