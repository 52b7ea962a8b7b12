"""The checks every stage uses: who may act, what must be recorded, who was consulted, which form a request needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import permutations

from domain.answers import fulfilled
from domain.case import About, Case, Consulted, Signature
from domain.decision import Refusal
from domain.involvement import involved
from domain.model import Answer
from domain.people import Actor, Person, same_human
from domain.policy import Policy
from domain.restrictions import WRITTEN, Channel
from domain.rules import Consultation, Finding, Relation, Who

EARLIEST = 1950
"""No act of a living case is older; an earlier year is a slip of the pen."""
Findings = Mapping[str, Answer]


def authorise(who: Who, *, actor: Actor, case: Case, policy: Policy, on: date, act: str) -> Signature:
    """Returns the actor's signature where the policy gives this act to them; otherwise refuses with the clause."""
    if actor.person is None:
        raise Refusal(f"Only staff may {act}.", cites=who.sources, remains=f"It belongs to {named(who, policy)}.")
    office, as_deputy = _office_of(actor.person, who)
    stands = who.relation is None or _stands(actor.person, who, case, actor)
    if (who.offices and office is None) or not stands or not _senior_enough(actor.person, who):
        raise Refusal(
            f"Only {named(who, policy)} may {act}; {actor.person.id} {_holds(actor.person, policy)}.",
            cites=(*who.sources, *(source for one, _ in _duties(actor.person, policy) for source in one.sources)),
            remains=f"Ask {named(who, policy)}.",
        )
    _uninvolved(actor, who, case, act)
    return sign(actor.person, on, office=office, as_deputy=as_deputy)


def _senior_enough(person: Person, who: Who) -> bool:
    return who.at_or_above is None or (person.grade is not None and person.grade >= who.at_or_above.value)


def _uninvolved(actor: Actor, who: Who, case: Case, act: str) -> None:
    """Refuses somebody who reported an incident of the case or at whom one was directed, under whichever account (DEF-20)."""
    if who.uninvolved and who.uninvolved.value and actor.human in involved(case, actor.staff):
        raise Refusal(
            f"{actor.id} reported an incident of this case, or was the subject of one, and may not {act}.",
            cites=(*who.uninvolved.sources, "DEF-20"),
            remains="Somebody who was not involved.",
        )


def _stands(person: Person, who: Who, case: Case, actor: Actor) -> bool:
    """Returns whether a person, or somebody they deputise for where that is allowed, stands in the relation named."""
    relation = who.relation
    assert relation is not None
    deputies = who.deputies is not None and who.deputies.value
    others = [one for id in person.deputises_for if deputies and (one := actor.staff.by_id.get(id))]
    return any(relates(one, relation, case=case, actor=actor) for one in (person, *others))


def require_relation_or_office(who: Who, person: Person, *, actor: Actor, case: Case, policy: Policy) -> None:
    """Refuses somebody a conversation cannot be held with: not of the office, or not in the relation, the policy names."""
    office = not who.offices or bool(set(who.offices) & {*person.offices, *person.deputises})
    stands = who.relation is None or relates(person, who.relation, case=case, actor=actor)
    if not office or not stands or not _senior_enough(person, who) or (actor.person and person.human == actor.person.human):
        raise Refusal(f"This is held with {named(who, policy)}, somebody other than the person who records it.", cites=who.sources)


def forbid(who: Who | None, *, actor: Actor, policy: Policy, act: str) -> None:
    """Refuses an office that the policy keeps out of this act, whatever else its holder is."""
    if who and actor.person and _offices_of_human(actor) & set(who.offices):
        said = named(who, policy)
        raise Refusal(f"{said[:1].upper()}{said[1:]} may not {act}.", cites=who.sources)


def _offices_of_human(actor: Actor) -> set[str]:
    """Returns the offices of the human being, under whichever account (DEF-20)."""
    own = set(actor.person.offices) if actor.person else set()
    return own.union(*(person.offices for person in actor.staff.people if person.human == actor.human))


def sign(person: Person, on: date, *, office: str | None = None, as_deputy: bool = False) -> Signature:
    """Returns a person's signature with office and grade as they stand."""
    return Signature(person=person.id, human=person.human, on=on, office=office, grade=person.grade, as_deputy=as_deputy)


def signed_by(actor: Actor, on: date) -> Signature:
    """Returns the signature of whoever acts, where any member of staff may."""
    if actor.person is None:
        raise Refusal("Only staff may do this.", remains="A member of staff records it.")
    return sign(actor.person, on)


def _office_of(person: Person, who: Who) -> tuple[str | None, bool]:
    for office in who.offices:
        if office in person.offices:
            return office, False
    if who.deputies and who.deputies.value:
        for office in who.offices:
            if office in person.deputises:
                return office, True
    return None, False


def _holds(person: Person, policy: Policy) -> str:
    offices = [policy.office(office) for office in person.offices]
    duties = "".join(f", who {duty}" for _, duty in _duties(person, policy))
    return f"is {', '.join(offices)}{duties}" if offices else "holds no office that the policy names"


def _duties(person: Person, policy: Policy) -> Iterator[tuple[Who, str]]:
    """Yields what a person does for the policy as a whole, which gives no part in a single case (NE-08, NE-09)."""
    said = ((policy.owner, "is responsible for the policy"), (policy.administered_by, "administers the policy"))
    for who, duty in said:
        if who and set(who.offices) & set(person.offices):
            yield who, f"{duty} and decides no single case"


def relates(person: Person, relation: Relation, *, case: Case, actor: Actor) -> bool:
    """Returns whether a person stands in the named relation to the case."""
    match relation:
        case "any-staff":
            return True
        case "senior-manager-of-area" | "manager-in-area":
            return case.area is not None and person.area == case.area
        case "line-manager-of-contact":
            contact = actor.staff.by_id.get(case.contact_officer or "")
            return bool(contact and contact.line_manager and same_human(person, contact.line_manager, actor.staff))
        case "gave-the-warning":
            return bool(case.warnings) and case.warnings[-1].by.human == person.human
        case "line-manager-of-actor":
            manager = actor.person.line_manager if actor.person else None
            return bool(manager) and same_human(person, str(manager), actor.staff)
        case "applied-the-sanction":
            return any(sanction.signatures[0].human == person.human for sanction in case.in_force)
        case "sanctioning-team":
            proposers = [actor.staff.ever(sanction.signatures[0].person) for sanction in case.in_force]
            return any(one.human == person.human or (one.area and one.area == person.area) for one in proposers if one)


RELATION_WORDS: dict[Relation, str] = {
    "any-staff": "a member of staff",
    "senior-manager-of-area": "of the service most affected",
    "manager-in-area": "of the service concerned",
    "line-manager-of-contact": "the line manager of the member of staff in contact with the customer",
    "gave-the-warning": "the manager who spoke to the customer first",
    "applied-the-sanction": "the person who applied the sanction",
    "sanctioning-team": "the team that applied the sanction",
    "line-manager-of-actor": "the line manager of whoever records it",
}


def named(who: Who | Consultation, policy: Policy) -> str:
    """Returns the people in words: 'the Director of corporate services or the City Solicitor'."""
    offices = " or ".join(f"the {policy.office(office)}" for office in who.offices)
    relation = RELATION_WORDS[who.relation] if who.relation else ""
    grade = who.at_or_above if isinstance(who, Who) else None
    nobody = "a member of staff" if grade and not offices and not relation else ""
    at = f"at grade {grade.value} or above" if grade else ""
    return " ".join(filter(None, (offices, relation, nobody, at)))


def applying(rules: Iterable[Finding], case: Case, policy: Policy) -> tuple[Finding, ...]:
    """Returns the findings asked of this case: of its behaviours' headings, and of this kind of customer."""
    headings = {policy.behaviours[incident.code].heading for incident in case.incidents if incident.code in policy.behaviours}
    return tuple(one for one in rules if one.if_heading in (None, *headings) and one.if_customer in (None, case.customer.kind))


def require_findings(rules: Iterable[Finding], findings: Findings, *, act: str) -> None:
    """Refuses while anything the policy wants recorded is missing, naming every gap and its clause."""
    missing = [rule for rule in rules if not rule.optional and not fulfilled(rule, findings.get(rule.finding))]
    if missing:
        asked = "; ".join(f"{rule.finding} ({rule.asks})" for rule in missing)
        raise Refusal(f"Before you {act}, record under findings: {asked}.", cites=[source for rule in missing for source in rule.sources])


def require_consulted(
    rules: tuple[Consultation, ...],
    *,
    case: Case,
    about: About,
    decider: Signature,
    since: date | None,
    policy: Policy,
    actor: Actor | None = None,
) -> None:
    """Refuses unless different people, none of them the decider, were consulted as each rule asks (DEF-20)."""
    rules = tuple(_for_decider(rule, case, actor) for rule in rules)
    held = [one for one in case.consultations if one.about == about and one.on <= decider.on and one.human != decider.human]
    held = [one for one in held if (since is None or one.on >= since) and one.id not in _already_used(case)]
    if any(_all_met(rules, order) for order in permutations(held, len(rules))):
        return
    wanted = " and ".join(named(rule, policy) for rule in rules)
    raise Refusal(
        f"This is decided in consultation with {wanted}, as different people; not all of them are recorded as consulted.",
        cites=[source for rule in rules for source in rule.sources],
        remains=f"Record each with consult (about: {about}), then decide.",
    )


def _for_decider(rule: Consultation, case: Case, actor: Actor | None) -> Consultation:
    """Returns the rule as it binds this decider: one who is the person named consults the others instead."""
    if rule.if_decider is None or rule.relation is None or actor is None or actor.person is None:
        return rule
    named_person = relates(actor.person, rule.relation, case=case, actor=actor)
    return rule.model_copy(update={"relation": rule.if_decider}) if named_person else rule


def _already_used(case: Case) -> frozenset[str]:
    """Returns the consultations that earlier decisions and reviews rested on: each serves once."""
    decided = [one.consulted for one in case.sanctions] + [one.consulted for one in case.reviews]
    return frozenset(id for consulted in decided for id in consulted)


def _all_met(rules: tuple[Consultation, ...], people: tuple[Consulted, ...]) -> bool:
    different = len({one.human for one in people}) == len(people)
    return different and all(_meets(rule, one) for rule, one in zip(rules, people, strict=True))


def _meets(rule: Consultation, one: Consulted) -> bool:
    office = not rule.offices or bool(set(rule.offices) & set(one.offices))
    return office and (rule.relation is None or rule.relation in one.relations)


def consulted_about(case: Case, about: About, on: date) -> tuple[str, ...]:
    """Returns the ids of the consultations recorded about something by a day."""
    return tuple(one.id for one in case.consultations if one.about == about and one.on <= on)


def in_writing(case: Case, medium: Channel) -> bool:
    """Returns whether a request is in writing, or an agreed adjustment lets it come another way (DEF-15)."""
    return medium in WRITTEN or any(adjustment.instead_of_writing for adjustment in case.customer.adjustments)


def the_day(on: date | None, *, today: date) -> date:
    """Returns the day an act counts from: the day given, or today. A day in the future is refused."""
    if on is not None and on > today:
        raise Refusal(f"on is {on.isoformat()}, after today ({today.isoformat()}).", remains="Enter it when it has happened.")
    if on is not None and on.year < EARLIEST:
        raise Refusal(f"on is {on.isoformat()}, before {EARLIEST}.", kind="malformed", remains="Enter the day it really happened.")
    return on or today
