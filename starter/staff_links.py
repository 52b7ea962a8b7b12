"""Two accounts of one human being on a staff list (DEF-20): what links them is right, stays, and is cut by an explicit word alone (EH-181).

Wrong here, and one human being signs twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from domain.model import Data
from domain.people import Person, Staff


class WrongLink(Data):
    """What is wrong with the field `natural` of the nth person of a list."""

    n: int
    found: str
    right: str


class Links(NamedTuple):
    """What another list would do to the links that stand."""

    warnings: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    """Accounts whose link would be cut although nobody said so."""
    idle: tuple[str, ...] = ()
    """Accounts that were named and whose links stay."""


def wrong_links(people: Sequence[Person], known: Staff | None) -> Iterator[WrongLink]:
    """Yields each `natural` that is no other account, ever, or one that itself stands for another.

    Without `known` an account that is not among the people may have left, and is not judged."""
    there = {**_accounts(known), **{one.id: one for one in people}}
    words = _words(known)
    for n, one in enumerate(people):
        if one.natural is None or one.natural in words:
            continue
        target = there.get(one.natural)
        if one.natural == one.id:
            yield WrongLink(n=n, found=one.natural, right="another account's id, or nothing: an account stands for itself without it")
        elif target is None and known is not None:
            near = get_close_matches(one.natural, sorted(there.keys() - {one.id}), n=1)
            meant = f"; is {near[0]} meant?" if near else ""
            yield WrongLink(n=n, found=one.natural, right=f"the id of an account that is or was on this list{meant}")
        elif target is not None and target.natural == one.id:
            yield WrongLink(
                n=n, found=one.natural, right=f"nothing in the line of one of them: {one.id} and {target.id} stand for each other"
            )
        elif target is not None and target.natural is not None:
            yield WrongLink(n=n, found=one.natural, right=f"{target.natural}, for whom {one.natural} stands: one step, no chain")


def _accounts(known: Staff | None) -> dict[str, Person]:
    return {one.id: one for one in (*known.gone, *known.people)} if known else {}


def _words(known: Staff | None) -> frozenset[str]:
    """Returns words that stand for a human being on the list in force and are no account: an earlier release took them."""
    there = _accounts(known)
    used = [one.natural for one in there.values() if one.natural is not None and one.natural not in there]
    return frozenset(one for one in used if used.count(one) > 1)


def links_kept(people: Iterable[Person], known: Staff) -> tuple[Person, ...]:
    """Returns people of a file that says nothing of links, each with the link that stands or last stood."""
    there = _accounts(known)
    return tuple(one.model_copy(update={"natural": there[one.id].natural}) if one.id in there else one for one in people)


def links(known: Staff, people: Iterable[Person], *, unlink: Sequence[str]) -> Links:
    """Returns what a list would cut of the links that stand, given the accounts whose links may be cut."""
    before = _accounts(known)
    after = {**before, **{one.id: one for one in people}}
    cut = dict(_cut(before, after))
    warnings = tuple(
        f"{account} and {other} are one human being on the list that stands and would be two, each signing beside the other"
        for account, other in cut.items()
    )
    return Links(warnings, tuple(one for one in cut if one not in unlink), tuple(one for one in unlink if one not in cut))


def _cut(before: Mapping[str, Person], after: Mapping[str, Person]) -> Iterator[tuple[str, str]]:
    """Yields each account that would be another human being's than it was, with an account that was the same one's."""
    together: defaultdict[str, list[str]] = defaultdict(list)
    for id, one in sorted(before.items()):
        together[one.human].append(id)
    for human, accounts in sorted(together.items()):
        first = human if human in accounts else accounts[0]
        yield from ((one, first) for one in accounts if after[one].human != after[first].human)
