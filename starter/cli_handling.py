"""How contact on a case is handled, printed for whoever may see no more of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from starter.clock import today
from starter.show import as_json, day_in_words, in_words, out, table

if TYPE_CHECKING:
    from starter.reading import Handling


def tell_handling(found: Handling, json: bool) -> None:
    """Print restrictions, with whom contact is had, and what to take care of; why it is so stands nowhere here."""
    if json:
        as_json(found)
        return
    out.print(f"{found.case}: how contact is handled. You may not see the rest of this case. [{', '.join(found.sources)}]", markup=False)
    rows = [
        (one.label, in_words(one.restriction.model_dump(mode="json", by_alias=True, exclude={"type"}, exclude_none=True)),
         from_(one.told_on), one.until or "no end set", one.cites)
        for one in found.limits
    ]  # fmt: skip
    table(("restriction", "how", "from", "until", "clauses"), rows, title="Restrictions")
    for title, text in (("contact officer", found.contact_officer), ("contact is with", found.arranged_with)):
        if text:
            out.print(f"{title}: {text}", markup=False)
    if found.marked:
        out.print("marked: potentially aggressive", markup=False)
    for need in found.needs:
        out.print(f"reasonable adjustment: {need}", markup=False)
    for one in found.guidance:
        cites = f" [{', '.join(one.cites)}]" if one.cites else ""
        out.print(f"the policy to its staff: {one.text}{cites}", markup=False)


def from_(told: date | None) -> str:
    """Returns from which day a restriction binds; one that the customer has not been told of is decided and no more (DEF-05)."""
    if told is None:
        return "decided, not yet in force: the customer is not yet told"
    return day_in_words(told) if told <= today() else f"decided, not yet in force: binds from {day_in_words(told)}"
