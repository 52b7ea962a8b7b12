"""What a policy leaves to the body: people for each office it names, line managers, grades, how long papers are kept.

A policy cannot hold any of it, and a case stands still where it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from domain.model import Data
from domain.people import Person, Staff
from domain.policy import Policy
from domain.rules import Relation, Who
from policies.names import Path, offices_named, whose
from policies.units import appeal_stages


class Need(Data):
    """One thing the body must have, where the policy asks for it, and how to give it."""

    kind: str
    what: str
    places: tuple[Path, ...]
    could: str
    offices: tuple[str, ...] = ()
    about: str = ""
    """What it concerns, where that is no office."""


OF_EVERY_BODY = "information-officer"
"""What every body must have, whatever its policy says (EH-170)."""
ON_THE_LIST = "Add somebody to the staff list of the body's file."
RELATIONS: dict[Relation, tuple[str, str, str]] = {
    "line-manager-of-contact": ("line-managers", "line managers on the staff list", "Set line_manager for the people in contact."),
    "line-manager-of-actor": ("line-managers", "line managers on the staff list", "Set line_manager for the people in contact."),
    "senior-manager-of-area": ("areas", "the service each manager works in", "Set area on the staff list."),
    "manager-in-area": ("areas", "the service each manager works in", "Set area on the staff list."),
    "sanctioning-team": ("areas", "the service each member of staff works in", "Set area on the staff list."),
}


def needs(policy: Policy) -> tuple[Need, ...]:
    """Returns everything the body must have before a case can rely on the whole policy."""
    found = [*_offices(policy), *_relations(policy), *_grades(policy), *_somebody_else(policy), *_settings(policy)]
    return tuple({(one.kind, one.what): one for one in reversed(found)}.values())[::-1]


def _offices(policy: Policy) -> Iterator[Need]:
    places: dict[str, list[Path]] = {}
    for path, office in offices_named(policy):
        if "never_by" in path:  # a post that is kept out need not be filled
            continue
        places.setdefault(office, []).append(path)
    for office, found in places.items():
        what = f"somebody who is {policy.office(office)} ({office})"
        yield Need(kind="office", what=what, places=tuple(found), could=ON_THE_LIST, offices=(office,))


def _relations(policy: Policy) -> Iterator[Need]:
    places: dict[tuple[str, str, str], list[Path]] = {}
    for path, who in whose(policy):
        if who.relation in RELATIONS:
            places.setdefault(RELATIONS[who.relation], []).append(path)
    for (kind, what, could), found in places.items():
        yield Need(kind=kind, what=what, places=tuple(found), could=could)


def _grades(policy: Policy) -> Iterator[Need]:
    wanted = [
        ("decision", "sign_offs", name, "different_grades") for name, rule in policy.decision.sign_offs.items() if rule.different_grades
    ]
    above = [path for path, who in whose(policy) if isinstance(who, Who) and who.at_or_above]
    if above:
        what = "grades on the staff list, as high as the policy asks for"
        yield Need(kind="grades", what=what, places=tuple(above), could="Set grade.")
    if wanted:
        yield Need(kind="grades", what="grades on the staff list, of at least two ranks", places=tuple(wanted), could="Set grade.")


def _somebody_else(policy: Policy) -> Iterator[Need]:
    """Yields the offices that must be held by somebody besides those who decided (DEF-09)."""
    deciders = {office for rule in policy.decision.sign_offs.values() for office in rule.decided_by.offices}
    warners = set(policy.warning.given_by.offices) if policy.warning.given_by else set()
    for path, rule in appeal_stages(policy):
        if rule.independent.value and path[0] == "appeal":
            yield from _another((*path, "decided_by"), rule.decided_by, deciders, "decide on restrictions", policy)
        elif rule.independent.value and warners:
            yield from _another((*path, "decided_by"), rule.decided_by, warners, "give warnings", policy)
    if policy.review.independent and policy.review.independent.value:
        yield from _another(("review", "by"), policy.review.by, deciders, "decide on restrictions", policy)
    yield from _another(("escalation",), policy.escalation, set(policy.retention.destroyed_by.offices), "destroy the papers", policy)


def _another(path: Path, who: Who, than: set[str], act: str, policy: Policy) -> Iterator[Need]:
    for office in who.offices:
        what = f"as {policy.office(office)} somebody who does not {act}"
        could = "Let somebody else hold the office, or a deputy."
        yield Need(kind="somebody-else", what=what, places=(path,), could=could, offices=(office, *sorted(than)))


def _settings(policy: Policy) -> Iterator[Need]:
    if policy.retention.keep is None:
        yield Need(
            kind="keep-years",
            what="a retention schedule (keep_years)",
            places=(("retention",),),
            could="Set keep_years in the body's file; without it no papers can be destroyed.",
        )
    yield Need(
        kind=OF_EVERY_BODY,
        what="the office that answers for information (information_officer)",
        places=((),),
        could="Set information_officer in the body's file and give it to somebody; until then nobody reads who read what.",
    )
    for name, link in policy.links.items():
        if link.address is None:
            yield Need(
                kind="link",
                what=f"the address of its {link.label}, which is not set",
                places=(("links", name),),
                could=f"Set links: {{{name}: https://...}} in the body's file; until then no letter and no guidance points to it.",
                about=name,
            )
    if not policy.ombudsman.cites:
        could = "Set ombudsman in the body's file; letters print it as information, in place of the sentence that stands in by default."
        yield Need(kind="ombudsman", what="an ombudsman of its own (ombudsman)", places=(("ombudsman",),), could=could)


def configured(
    need: Need,
    staff: Staff,
    keep_years: int | None,
    *,
    today: date,
    ombudsman: str | None = None,
    links: Mapping[str, str] = {},
    information_officer: str | None = None,
) -> bool:
    """Returns whether a body has what the policy leaves to it, by its staff list of today."""
    people = staff.on(today).people
    match need.kind:
        case "office":
            return bool(_holders(people, need.offices[0]))
        case "somebody-else":
            deciders = {human for office in need.offices[1:] for human in _holders(people, office)}
            holders = _holders(people, need.offices[0])
            return bool(holders) and (not deciders or len(holders | deciders) > 1)
        case "line-managers":
            return any(person.line_manager for person in people)
        case "areas":
            return any(person.area for person in people)
        case "grades":
            return len({person.grade for person in people if person.grade is not None}) > 1
        case "keep-years":
            return keep_years is not None
        case "information-officer":  # OF_EVERY_BODY
            return information_officer is not None and bool(_holders(people, information_officer))
        case "ombudsman":
            return ombudsman is not None
        case "link":
            return need.about in links
        case _:
            return False


def _holders(people: tuple[Person, ...], office: str) -> set[str]:
    return {person.human for person in people if office in (*person.offices, *person.deputises)}
