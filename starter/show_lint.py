"""What was found in a policy file, as a person reads it: gaps first, then, apart and as information, good practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starter.show import complain, out, table

if TYPE_CHECKING:
    from policies.lint import Finding, Lint
    from starter.configured import Settled

SHOWN = 2
"""Places of one finding that a table shows; the others are counted, and all are in --json."""


def print_lint(found: Lint, *, count: int, unconfirmed: int) -> None:
    """Print what is wrong, then the two classes of findings, never mixed."""
    for line in found.wrong:
        complain(line)
    gaps, practice = len(found.gaps), len(found.good_practice)
    wrong = len(found.wrong)
    out.print(
        f"{found.policy}: {count} values checked, {wrong} wrong, {unconfirmed} unconfirmed; "
        f"{gaps} gaps in the text, {practice} points of good practice.",
        markup=False,
    )
    out.print(f"\n[bold]gaps in the text[/] ({found.file}): the file loads; something else stands in, or the body must decide")
    _print(found.gaps)
    out.print("\n[bold]good practice[/]: information from ombudsmen's guidance, in our words; never the policy's, and it binds no case")
    _print(found.good_practice)


def _print(findings: tuple[Finding, ...]) -> None:
    table(("code", "where", "line", "what", "what could be done"), [_row(one) for one in findings])


def _row(one: Finding) -> tuple[object, ...]:
    more = len(one.places) - SHOWN
    where = ", ".join(place.where for place in one.places[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return one.code, where, str(one.places[0].line), one.what, one.could


def print_needs(needed: tuple[Settled, ...], *, body: str) -> None:
    """Print what the policy leaves to the body, and whether it has it."""
    rows = [("yes" if one.configured else "NO", one.need.what, "" if one.configured else one.need.could) for one in needed]
    missing = sum(not one.configured for one in needed)
    out.print()
    table(("configured", "what", "what to do"), rows, title=f"What the policy leaves to {body}: {missing} of {len(needed)} missing")
