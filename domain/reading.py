"""Who may read what of a case: its officers everything, the desk how to handle contact, others that there is something they may not see.

Get it wrong and an accusation is read by whoever is curious (EH-171), or a restriction cannot be kept to (NE-21, MBC-64)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from domain.case import Case, Signature
from domain.model import Code, Data
from domain.people import Person, Staff, same_human
from domain.policy import Policy
from domain.task import Task

Sees = Literal["all", "handling", "nothing"]
Part = Literal["officer", "keeper", "information-officer", "informed", "staff", "nobody", "local", "desk"]
"""What a reader is to a case. local: the user of the machine that holds records and keys, where nobody signs in."""
NO_REASON_NEEDED: frozenset[Part] = frozenset({"officer", "local", "desk"})
OFFICERS, KEEPERS, READER_OF_ALL, NOBODY_ELSE = "EH-171", "EH-172", "EH-170", "EH-173"


class View(Data):
    """What somebody may see of one case, what they are to it, and by which clauses or defaults."""

    sees: Sees
    part: Part
    sources: tuple[str, ...] = ()

    @property
    def needs_a_reason(self) -> bool:
        return self.sees != "nothing" and self.part not in NO_REASON_NEEDED


LOCAL = View(sees="all", part="local", sources=("EH-174",))


def view_of(
    case: Case, reader: str, *, staff: Staff, policy: Policy, tasks: Iterable[Task], opened_by: str | None, information: Code | None
) -> View:
    """Returns what a reader may see of a case today. `staff` is the body's list as it stands today; `information` is the office that the
    body gave the reading of everything (EH-170)."""
    person = staff.by_id.get(reader)
    if person is None:
        return View(sees="nothing", part="nobody", sources=(NOBODY_ELSE,))
    own = any(same_human(person, one, staff) for one in officers(case, opened_by=opened_by))
    if own or any(_is_for(person, task, staff) for task in tasks):
        return View(sees="all", part="officer", sources=(OFFICERS,))
    if information is not None and information in _offices(person):
        return View(sees="all", part="information-officer", sources=(READER_OF_ALL,))
    return _by_policy(person, policy)


def officers(case: Case, *, opened_by: str | None) -> frozenset[str]:
    """Returns the ids of a case's officers: who opened it, the contact officer, single points of contact, whoever signed a part of it or
    held one of its conversations. Who merely reported an incident is none, and neither is who posted a letter."""
    signed = {one.person for one in _signatures(case)}
    named = {one for one in (opened_by, case.contact_officer, *_named_officers(case)) if one}
    talked = {one.person for one in case.discussions} | {one.by for one in case.discussions}
    return frozenset(signed | named | talked)


def _signatures(case: Case) -> Iterator[Signature]:
    """Yields the signatures of those who took part in decisions; not those of whoever posted a letter."""
    yield from (signed for one in case.sanctions for signed in one.signatures)
    yield from (signed for one in case.proposals for signed in one.signatures)
    yield from (signed for one in case.reviews for signed in one.signatures)
    yield from (signed for one in case.challenges for signed in one.signatures)
    yield from (one.by for one in case.warnings)
    yield from (one.by for one in case.referrals)
    yield from (one.by for one in case.recommendations)
    yield from (one.by for one in case.proposed_reviews)
    yield from (one.by for one in case.measures)
    yield from (one.by for one in case.moves)
    yield from (one.by for one in case.destruction_signed)


def _named_officers(case: Case) -> Iterator[str]:
    """Yields the single points of contact that restrictions and arrangements name."""
    for sanction in case.in_force:
        for one in sanction.terms.restrictions:
            officer = getattr(one, "officer", None)
            if isinstance(officer, str):
                yield officer


def _offices(person: Person) -> frozenset[str]:
    return frozenset((*person.offices, *person.deputises))


def _is_for(person: Person, task: Task, staff: Staff) -> bool:
    """Returns whether an open task of the case is this person's: by id, by office, by grade, or as somebody's line manager."""
    return bool(_offices(person) & set(task.offices)) or any(_named(person, one, staff) for one in task.people)


def _named(person: Person, named: str, staff: Staff) -> bool:
    if named.startswith("grade-from:"):
        return person.grade is not None and person.grade >= int(named.removeprefix("grade-from:"))
    if named.startswith("line-manager-of:"):
        managed = staff.by_id.get(named.removeprefix("line-manager-of:"))
        return managed is not None and managed.line_manager == person.id
    return named == person.id


def _by_policy(person: Person, policy: Policy) -> View:
    """Returns what the policy gives to an office: its keepers see the record, those it informs see what they must keep to."""
    held, rule = _offices(person), policy.register_
    for who in (policy.administered_by, *((rule.kept_by, rule.maintained_by) if rule else ())):
        if who is not None and held & set(who.offices):
            return View(sees="all", part="keeper", sources=(*who.sources, KEEPERS))
    for reader in policy.readers:
        if not reader.offices or held & set(reader.offices):
            return View(sees=reader.sees, part="informed", sources=reader.sources)
    for informed in policy.informs:
        if informed.team in held:
            return View(sees="handling", part="informed", sources=(*informed.sources, KEEPERS))
    return View(sees="nothing", part="staff", sources=(NOBODY_ELSE,))
