"""The contact desk: what may be done with one contact now, under which restriction and clause, and what passes whatever was decided.

What must pass is asked first (DEF-15, DEF-18, EH-22). A restriction binds from the day its customer was told (DEF-05) to its last day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal, get_args

from domain.contact_words import ALWAYS, Verdict
from domain.days import in_words
from domain.desk_entry import Entry, Guidance, Limit
from domain.desk_question import Asked, Found, Question
from domain.desk_rules import LIVE, finding
from domain.model import State
from domain.people import Staff
from domain.restrictions import DISENGAGING, WRITTEN, PotentiallyAggressiveMarker
from domain.topics import alike

HEAVIEST = get_args(Verdict)
Facts = dict[str, object]


class Advice(State):
    """The answer to the person at the desk."""

    verdict: Verdict | None
    """None where nobody can say: more than one customer fits."""
    says: str
    cites: tuple[str, ...] = ()
    customer: Literal["unknown", "known", "ambiguous"] = "unknown"
    cases: tuple[str, ...] = ()
    """The cases the answer rests on; of an ambiguous customer those to choose from."""
    restricted_cases: tuple[str, ...] = ()
    """Of these, the ones with restrictions that run."""
    let_through: bool = False
    """It is of a kind that no restriction stops."""
    found: tuple[Found, ...] = ()
    """What each restriction in force says to it, the heaviest first."""
    not_enforced: tuple[str, ...] = ()
    """Restrictions that do not bind, or do not bind yet, and why."""
    cautions: tuple[str, ...] = ()
    pass_to: str | None = None
    record_with: str | None = None
    """The command that takes it up, where there is one for its kind."""
    guidance: tuple[Guidance, ...] = ()

    @property
    def departs(self) -> tuple[str, ...]:
        """Returns the restrictions that the contact departs from; what must pass departs from none."""
        return tuple(one.restriction for one in self.found if one.departs)


def advise(entries: tuple[Entry, ...], asked: Asked, *, staff: Staff = Staff()) -> Advice:  # noqa: B008  # frozen
    """Returns what may be done with a contact of one customer, given every case of theirs that runs at the body."""
    if not entries:
        return Advice(verdict="deal-with-it", says="Nobody of that name, address, number or case is restricted here: deal with it.")
    facts = {
        "customer": "known",
        "cases": tuple(one.case for one in entries),
        "restricted_cases": tuple(one.case for one in entries if one.limits),
        "not_enforced": tuple(line for one in entries for line in _not_enforced(one, asked.on, named=len(entries) > 1)),
        "cautions": tuple(dict.fromkeys(line for one in entries for line in _cautions(one, asked))),
        "guidance": tuple(line for one in entries for line in one.guidance),
    }
    return Advice.model_validate({**facts, **(_let_through(entries, asked) or _restricted(entries, asked, staff))})


def ambiguous(cases: tuple[str, ...]) -> Advice:
    """Returns the answer where more than one customer fits: choose by the case, nobody is guessed."""
    says = "More than one customer fits. Ask who it is and check again with the case's reference; until then deal with it."
    return Advice(verdict=None, says=says, customer="ambiguous", cases=cases)


def _let_through(entries: tuple[Entry, ...], asked: Asked) -> Facts | None:
    rules = [one.let_through.get(asked.kind) or ALWAYS.get(asked.kind) for one in entries]
    if not all(rules):
        return None
    cites = tuple(dict.fromkeys(clause for rule in rules for clause in rule or ()))
    command = next((one.record_with[asked.kind] for one in entries if asked.kind in one.record_with), None)
    take_up = f" Take it up with {command}." if command else ""
    judged = " A person judges whether it really is new." if asked.kind == "new-issue" else ""
    says = f"{TAKEN[asked.kind]} passes whatever restrictions run: deal with it.{judged}{take_up}"
    return {"verdict": "deal-with-it", "says": says, "cites": cites, "let_through": True, "record_with": command}


TAKEN = {
    "ordinary": "This",
    "review-request": "A request for a review",
    "appeal": "An appeal",
    "new-issue": "Something new",
    "adjustment": "A request for a reasonable adjustment",
    "safeguarding": "A safeguarding concern",
    "emergency": "An emergency",
    "complaint": "A complaint",
}


def _restricted(entries: tuple[Entry, ...], asked: Asked, staff: Staff) -> Facts:
    asked_of = [(one, limit) for one in entries for limit in one.limits if binds(limit, asked.on) and not _exempt(one, asked)]
    found = [said for one, limit in asked_of if (said := finding(Question(asked, limit, one, staff)))]
    found.sort(key=lambda one: -HEAVIEST.index(one.verdict))
    if not found:
        return {"verdict": "deal-with-it", "says": "No restriction in force touches this contact: deal with it."}
    heaviest = found[0]
    classify = any(one.type in DISENGAGING and one.verdict == "read-and-file" for one in found)
    return {
        "verdict": heaviest.verdict,
        "says": heaviest.says,
        "cites": heaviest.cites,
        "found": tuple(found),
        "pass_to": next((one.pass_to for one in found if one.pass_to), None),
        "record_with": "classify_contact" if classify else None,
    }


def binds(limit: Limit, on: date) -> bool:
    """Returns whether a restriction binds the customer on a day: told by then (DEF-05), and its last day not past (DEF-12)."""
    return limit.told_on is not None and limit.told_on <= on <= (limit.until or on)


def _exempt(entry: Entry, asked: Asked) -> bool:
    return any(alike(asked.topic, issue) for issue in entry.exempt)


def _not_enforced(entry: Entry, on: date, *, named: bool) -> Iterator[str]:
    """Yields why restrictions do not bind; named by their case too where the customer has several."""
    for one in entry.limits:
        which = f"{one.id} of {entry.case}" if named else one.id
        if one.told_on is None:
            yield f"{which} ({one.label}) is decided but not enforced: the customer is not yet told (DEF-05)."
        elif one.told_on > on:
            yield f"{which} ({one.label}) is not enforced before {in_words(one.told_on)}, when the customer counts as told (DEF-05)."
        elif one.until is not None and one.until < on:
            yield f"{which} ({one.label}) ended on {in_words(one.until)} and is not enforced."


def _cautions(entry: Entry, asked: Asked) -> Iterator[str]:
    if entry.marked or any(isinstance(one.restriction, PotentiallyAggressiveMarker) and binds(one, asked.on) for one in entry.limits):
        yield "The customer is marked as potentially aggressive: keep to the rules for your own safety."
    for need in entry.needs:
        yield f"Agreed as a reasonable adjustment, and kept to (DEF-15): {need}"
    if any(asked.channel == one for one in entry.adjusted):
        yield f"Contact by {asked.channel.replace('-', ' ')} is an agreed adjustment: no limit on the way of contact closes it (DEF-15)."
    for text in entry.permitted:
        yield f"Permitted whatever was decided ({', '.join(entry.permitted_by)}): {text}"
    for issue in entry.exempt:
        yield f"The restrictions do not apply to: {issue}"
    wanted = entry.in_writing.get(asked.kind)
    if wanted and asked.channel not in WRITTEN:
        yield f"It is to be in writing ({', '.join(wanted)}): say how, and whether an adjustment is needed (DEF-15)."
    if entry.arrangement:
        yield f"An arrangement was agreed with the customer and is no restriction: {_arranged(entry)}"
    if asked.kind == "emergency" and asked.channel in LIVE:
        yield "Danger to life or limb: call the emergency services first."


def _arranged(entry: Entry) -> str:
    agreed = entry.arrangement
    facts = (("contact", agreed.spoc), ("by", agreed.channel), ("each", agreed.frequency), ("terms", agreed.terms)) if agreed else ()
    return "; ".join(f"{name} {value}" for name, value in facts if value) or "see the case."
