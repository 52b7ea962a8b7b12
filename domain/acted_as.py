"""Under which office somebody acted: that of the signature they put to the case, where they put one."""

from __future__ import annotations

from collections.abc import Iterator

from domain.case import Case, Signature
from domain.model import State
from domain.people import Person


def acted_as(person: Person, *, before: Case | None, after: Case | None) -> str | None:
    """Returns the office of the signature that an act of this person added to the case; where it added none, or one that no office was
    needed for, the offices that they held, a comma between; None where they held none."""
    signed = [one.office for one in _added(before, after) if one.person == person.id and one.office]
    return signed[-1] if signed else ", ".join(person.offices) or None


def _added(before: object, after: object) -> Iterator[Signature]:
    """Yields the signatures in what an act changed; what it did not change is the same in both."""
    if isinstance(after, Signature):
        if after != before:
            yield after
    elif isinstance(after, tuple):
        were = before if isinstance(before, tuple) else ()
        for n, part in enumerate(after):
            if part not in were:
                yield from _added(were[n] if n < len(were) else None, part)
    elif isinstance(after, State) and after is not before:
        for name, part in after:
            yield from _added(getattr(before, name, None), part)
