"""evenhand policy ... and clauses: what the policies say, and whether a policy file is right."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import MISUNDERSTOOD, Json
from starter.show import as_json, complain, out, table
from starter.show_lint import print_lint, print_needs

if TYPE_CHECKING:
    from policies.answers import Answer
    from policies.survey import Value

policy_app = typer.Typer(no_args_is_help=True, help="Policies as data: list, show, check, and their JSON Schema.")
Name = Annotated[str, typer.Argument(help="A policy's name, or the path of a policy file.")]


def _policy(name: str):  # type: ignore[no-untyped-def]  # a Policy; imported inside
    from policies.load import Unreadable, policy

    try:
        return policy(name)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


@policy_app.command("list")
def list_(json: Json = False) -> None:
    """List the policies that come with Evenhand."""
    from policies import load

    found = [load.policy(name) for name in load.names()]
    if json:
        as_json([{"policy": one.policy, "body": one.body, "title": one.title, "edition": one.edition.label} for one in found])
    else:
        table(("policy", "body", "title", "edition"), [(one.policy, one.body, one.title, one.edition.label) for one in found])


@policy_app.command()
def show(name: Name, json: Json = False) -> None:
    """Show every value of a policy with its clause, defaults marked as defaults."""
    policy = _policy(name)
    if json:
        as_json(policy)
        return
    from policies.survey import values

    out.print(f"[bold]{policy.title}[/], {policy.body}, {policy.edition.label}")
    rows = [(one.where, one.value, one.cites, one.default or "", _open(one)) for one in values(policy)]
    table(("where", "value", "clauses", "default", ""), rows)


def _open(value: Value) -> str:
    """Returns what must stay seen of a value that the body has not confirmed."""
    return f"unconfirmed{f': {value.note}' if value.note else ''}" if value.unconfirmed else ""


@policy_app.command()
def check(
    name: Name,
    body: Annotated[
        str | None, typer.Option(help="A body of the records, or its file: whether it has what the policy leaves to it.")
    ] = None,
    json: Json = False,
) -> None:
    """Check a policy file: what is wrong, where its text is silent, and, as information alone, what good practice would add."""
    from policies.lint import lint
    from policies.load import Unreadable, own_clauses
    from policies.survey import unused, values
    from starter.configured import settled

    try:
        found, policy = lint(name), _policy(name)
    except Unreadable as error:
        if json:
            as_json({"policy": name, "error": error.error, "faults": str(error).splitlines()})
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None
    needed = settled(policy, body) if body else None
    count, open_ = len(values(policy)), [one for one in values(policy) if one.unconfirmed]
    own = own_clauses(name, policy.policy)
    left = unused(policy, own) if own else ()
    if json:
        as_json(
            {
                **found.model_dump(mode="json"),
                "unconfirmed": open_,
                "unused": left,
                **({"configured": needed} if needed is not None else {}),
            }
        )
    else:
        print_lint(found, count=count, unconfirmed=len(open_))
        if left:
            table(("clause that no value cites", "kind", "says"), [(one.id, one.kind, one.says) for one in left])
        if needed is not None:
            print_needs(needed, body=str(body))
    raise typer.Exit(1 if found.wrong else 0)


@policy_app.command()
def behaviours(name: Name, json: Json = False) -> None:
    """List each behaviour of a policy with the questions an incident under it is asked: for whoever fills the form."""
    from policies.form import form_of, lines_of

    policy = _policy(name)
    forms = form_of(policy)
    if json:
        as_json(forms)
        return
    out.print(f"[bold]{policy.title}[/], {policy.body}, {policy.edition.label}")
    table(("code", "behaviour and questions", "takes", "clauses"), lines_of(forms))


@policy_app.command()
def schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    from domain.policy import Policy

    as_json(Policy.model_json_schema())


def clauses(
    policy: Annotated[str | None, typer.Option(help="Only this policy's clauses.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only clauses that no value of a policy file cites.")] = False,
    json: Json = False,
) -> None:
    """List the clauses of the published texts, in our own words: how each is answered, where, by which rule, and what exercises it.

    Rehearsals that claim a clause differ without it (make mutate); the tests that name it are counted, and named with --json."""
    from policies import load
    from policies.answers import answers

    names = [policy] if policy else list(load.clause_lists())
    if policy and policy not in load.clause_lists():
        complain(f"no clauses of {policy}; there are: {', '.join(load.clause_lists())}")
        raise typer.Exit(MISUNDERSTOOD)
    found = [one for name in names for one in answers(name)]
    rows = [one for one in found if not (missing and one.used_at)]
    if json:
        as_json(rows)
    else:
        facts = [(*_shown(one), one.exercised_by, len(one.tested_by) or "") for one in rows]
        table(("clause", "kind", "answered", "says", "in the policy file", "by", "defaults", "rehearsals", "tests"), facts)
        out.print(_counted(found), markup=False)


def _shown(one: Answer) -> tuple[object, ...]:
    return one.clause, one.kind, one.how, one.says, _used(one), one.rules, one.defaults


def _counted(found: list[Answer]) -> str:
    """Returns how many clauses there are, how many nothing answers, and how many are answered in each way (some in several)."""
    ways = Counter(way for one in found for way in one.how)
    unanswered = sum(not one.used_at for one in found)
    return f"{len(found)} clauses, {unanswered} of them missing; {', '.join(f'{way} {count}' for way, count in ways.most_common())}."


def _used(one: Answer) -> str:
    return ", ".join(f"{where} (unconfirmed)" if where in one.unconfirmed_at else where for where in one.used_at)
