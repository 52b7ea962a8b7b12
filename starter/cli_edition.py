"""evenhand policy diff, what-if and move: two editions beside each other, and open cases under the new one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from starter.acting import acting_if_named
from starter.administrators import administrator
from starter.cli import MISUNDERSTOOD, OK, REFUSED, UNKNOWN, UNREACHED, Json, run
from starter.cli_case import _engine, has_records
from starter.cli_reading import ReadBy, bodies_listed
from starter.clock import today
from starter.show import as_json, complain, out, several, table

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from sqlalchemy import Engine

    from activities.outcome import Outcome
    from domain.case import MovingRule, PeriodKind
    from domain.effects import Side
    from policies.compare import Difference, Leaf
    from starter.editions import Found, OneCase

New = Annotated[str, typer.Argument(help="The new edition: the path of a policy file, a policy's name, or an edition's hash.")]
Edition = Annotated[str, typer.Argument(help="A policy's name, the path of a policy file, or the first digits of an edition's hash.")]


def diff(old: Edition, new: Edition, json: Json = False) -> None:
    """Show two policies or editions beside each other: what was added, removed, changed, with the clauses of both."""
    from policies.compare import differences

    before, after = _found(old), _found(new)
    found = differences(before.policy, after.policy)
    if json:
        as_json({"old": before.edition, "new": after.edition, "differences": found})
    else:
        _print_differences(found, before, after)
    raise typer.Exit(REFUSED if found else OK)


def _found(name: str) -> Found:
    from policies.load import Unreadable
    from starter.editions import HASH, edition_named

    try:
        return edition_named(name, _records() if HASH.fullmatch(name) else None)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


def _records() -> Engine | None:
    """Returns the records where there are any: a hash can be looked up only there."""
    return _engine() if has_records() else None


def _print_differences(found: Iterable[Difference], before: Found, after: Found) -> None:
    found = tuple(found)
    out.print(f"{before.policy.policy}, {before.policy.edition.label} ({before.edition[:12]})", markup=False)
    out.print(
        f"{after.policy.policy}, {after.policy.edition.label} ({after.edition[:12]}): {several(len(found), 'difference')}", markup=False
    )
    for section, group in groupby(found, key=lambda one: one.section):
        out.print()
        table(("", "where", "old", "clauses", "new", "clauses"), [_difference(one) for one in group], title=section.replace("_", " "))


def _difference(one: Difference) -> tuple[object, ...]:
    return one.how, one.where, *_leaf(one.old), *_leaf(one.new)


def _leaf(leaf: Leaf | None) -> tuple[str, str]:
    return (leaf.value, leaf.source) if leaf else ("", "")


def what_if(
    new: New, body: Annotated[str | None, typer.Option(help="Only this body's cases.")] = None, by: ReadBy = None, json: Json = False
) -> None:
    """Show, case by case, what would differ if the open cases stood under an edition. Nothing is written."""
    from starter.editions import what_if as cases_if

    found = _found(new)
    engine, takes = _of_body(body), bodies_listed(by, how="policy what-if", body=body)
    cases = tuple(one for one in cases_if(engine, found, body=body, today=today()) if takes(one.body))
    if json:
        as_json({"edition": found.edition, "cases": cases})
    else:
        _print_cases(cases, rules=False)


def _of_body(body: str | None) -> Engine:
    from records.database import reading
    from records.tables import BodyRow

    engine = _engine()
    with reading(engine) as session:
        known = body is None or session.get(BodyRow, body) is not None
    if not known:
        complain(f"There is no body {body}; evenhand body list shows those there are.")
        raise typer.Exit(UNKNOWN)
    return engine


def _print_cases(cases: tuple[OneCase, ...], *, rules: bool) -> None:
    for one in cases:
        title = f"{one.case} ({one.stage}, now under {one.edition[:12]})"
        if one.stops:
            out.print(f"{title}: cannot be moved. {one.stops}\n", markup=False)
            continue
        rows = [(e.about, e.what, *_side(e.old), *_side(e.new), *([e.rule or "new edition"] if rules else [])) for e in one.effects]
        columns = ("", "what", "old", "clauses", "new", "clauses", *(["rule"] if rules else []))
        table(columns, rows, title=title)
        out.print()
    if not cases:
        out.print("No open cases.")


def _side(side: Side) -> tuple[str, tuple[str, ...]]:
    return side.said, tuple(dict.fromkeys(side.cites))


def move(
    new: New,
    body: Annotated[str, typer.Option(help="The body whose open cases are moved.")],
    by: Annotated[str | None, typer.Option(help="Who moves them, or looks for a dry run: an id of the body's staff list.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="How one kind of running period goes over: KIND=keep, restart or favour-customer.")
    ] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only this case; may be given several times.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change, and by which rule.")] = False,
    json: Json = False,
) -> None:
    """Move a body's open cases to another edition. A kind of period without a rule keeps the dates that were told."""
    from starter.editions import open_cases, try_move

    found, rules = _found(new), _rules(rule or [])
    engine = _of_body(body)
    if dry_run:
        bodies_listed(by, how="policy move --dry-run", body=body)
    _known(engine, body, case or [])
    if dry_run:
        tried = try_move(engine, found, rules, body=body, only=case or (), today=today())
        as_json({"edition": found.edition, "rules": rules, "cases": tried}) if json else _print_cases(tried, rules=True)
        raise typer.Exit(REFUSED if any(one.stops for one in tried) else OK)
    by = acting_if_named(by)
    if by is None:
        complain("A move needs its author: add --by with an id of the body's staff list, or --dry-run to look first.")
        raise typer.Exit(MISUNDERSTOOD)
    from records.database import reading

    _keep(engine, found, body, by)
    with reading(engine) as session:
        ids = [one.id for one in open_cases(session, body, case or ()) if case or one.edition != found.edition]
    if not ids and not json:
        out.print(f"No open case of {body} stands under another edition; nothing was moved.", markup=False)
        raise typer.Exit(OK)
    answers: list[tuple[str, Outcome]] = []
    lost = run(_move(ids, found, dict(rules), by, answers))
    _moved(answers, json)
    if lost:
        complain(
            f"{lost} {len(answers)} of {len(ids)} were answered; the report above is of these. The same command again goes on from there."
        )
        raise typer.Exit(UNREACHED)
    raise typer.Exit(OK if all(one.accepted for _, one in answers) else REFUSED)


def _keep(engine: Engine, found: Found, body: str, by: str) -> None:
    """Keep the edition, so that cases can go over to it. Rules that are new to this installation come in by an administrator alone."""
    from records import administered
    from records.database import transaction
    from starter.clock import now
    from starter.editions import is_new, keep_found

    new = is_new(engine, found, body)
    if new:
        administrator("policy move", by)
    with transaction(engine) as session:
        keep_found(session, found)
        if new:
            administered.note(session, "policy move", at=now(), by=by, about=found.edition)


def _known(engine: Engine, body: str, cases: list[str]) -> None:
    from records.database import reading
    from starter.editions import open_cases

    with reading(engine) as session:
        there = {one.id for one in open_cases(session, body)}
    missing = sorted(set(cases) - there)
    if missing:
        complain(f"{', '.join(missing)}: no open case of {body}; evenhand case list --body {body} shows those there are.")
        raise typer.Exit(UNKNOWN)


def _rules(given: list[str]) -> dict[PeriodKind, MovingRule]:
    from domain.case import MovingRule, PeriodKind

    found: dict[PeriodKind, MovingRule] = {}
    for one in given:
        kind, _, name = one.partition("=")
        if kind not in get_args(PeriodKind) or name not in get_args(MovingRule):
            kinds, names = ", ".join(get_args(PeriodKind)), ", ".join(get_args(MovingRule))
            complain(f"--rule is KIND=RULE, found {one!r}. Kinds: {kinds}. Rules: {names}.")
            raise typer.Exit(MISUNDERSTOOD)
        if kind in found:
            complain(f"--rule names {kind} twice; one rule a kind.")
            raise typer.Exit(MISUNDERSTOOD)
        found[cast("PeriodKind", kind)] = cast("MovingRule", name)
    return found


async def _move(ids: list[str], new: Found, rules: dict[PeriodKind, MovingRule], by: str, answers: list[tuple[str, Outcome]]) -> str | None:
    """Move one case after the other, adding each answer. Returns what was said where the engine answered no more."""
    from activities.outcome import Outcome
    from starter.cases import Cases, NoSuchCase, Unavailable
    from worker.settings import Settings

    cases = await Cases.connect(Settings.local())
    for id in ids:
        message: dict[str, object] = {
            "v": 1,
            "id": str(uuid.uuid4()),
            "do": "move_edition",
            "by": by,
            "on": today().isoformat(),
            "with": {"edition": new.edition, "rules": {str(kind): str(name) for kind, name in rules.items()}},
        }
        try:
            answers.append((id, await cases.submit_message(id, message)))
        except NoSuchCase as gone:  # this one alone: the others go on
            remains = "evenhand engine repair starts it again; then the same command."
            answers.append((id, Outcome(command=str(message["id"]), result="unknown", answer=str(gone), remains=remains)))
        except Unavailable as gone:
            return f"{id}: {gone}"
    return None


def _moved(found: list[tuple[str, Outcome]], json: bool) -> None:
    if json:
        as_json([{"case": id, **outcome.model_dump(mode="json")} for id, outcome in found])
    else:
        rows = [(id, one.result, one.answer, one.cites, one.remains or "") for id, one in found]
        table(("case", "result", "answer", "clauses", "what remains"), rows)
