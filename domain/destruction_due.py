"""Whether papers may be destroyed: since when their time has ended, what stops it, and who has yet to sign (DEF-19, EH-150)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.case import Case, Customer, DestructionSigned, Hold
from domain.days import Calendar, Reckoned, in_words
from domain.decision import Refusal
from domain.end_clocks import end_of_case, retention_ends
from domain.measures import require_measures_taken
from domain.policy import Policy
from domain.rules import Who

GONE = "[destroyed]"
TWO = "EH-150"
"""Two people of different offices sign, one of them of the office that the policy gives the destruction to."""
HOLDS: dict[str, str] = {
    "litigation": "litigation",
    "ombudsman": "the ombudsman's inquiry",
    "information-request": "an information request",
    "other": "another reason",
}


class Stop(NamedTuple):
    """One thing that stops a destruction, with where it stands and what ends it."""

    what: str
    cites: tuple[str, ...]
    remains: str


def standing_holds(case: Case) -> tuple[tuple[str, Hold], ...]:
    """Returns the holds that stand, each under its id: h1, h2."""
    return tuple((f"h{n}", one) for n, one in enumerate(case.holds, start=1) if one.released_on is None)


def hold_in_words(id: str, one: Hold) -> str:
    return f"{id} ({HOLDS[one.kind]}, to be looked at on {in_words(one.review_on)})"


def sources_of(policy: Policy) -> tuple[str, ...]:
    """Returns what says how long papers are kept, or where that is silent from when they would be."""
    rule = policy.retention
    return rule.keep.sources if rule.keep else rule.start.sources


def stops(case: Case, policy: Policy, *, on: date, ends: Reckoned | None) -> Iterator[Stop]:
    """Yields what stops the destruction on a day, in the order in which it is told."""
    if end_of_case(case) is None:
        kept = policy.retention.kept_by.sources if policy.retention.kept_by else ()
        yield Stop("The case has not ended; its papers are kept.", (*kept, *sources_of(policy)), "")
        return
    if case.standing_measures:
        standing = ", ".join(f"{one.measure} ({one.id})" for one in case.standing_measures)
        yield Stop(f"Still standing: {standing}.", ("A-88",), "Remove it with review_measure; the papers say why it is there.")
        return
    if ends is None:
        yield Stop("No retention schedule is set for this body.", ("DEF-19",), "Set it with set_retention.")
        return
    try:
        require_measures_taken(case, policy)
    except Refusal as refusal:
        yield Stop(refusal.reason, refusal.cites, refusal.remains or "")
    if holds := standing_holds(case):
        listed = ", ".join(hold_in_words(*one) for one in holds)
        yield Stop(f"Destruction is on hold: {listed}.", ("DEF-19",), "End each hold with release_hold.")
    if going := [one.id for one in case.notices if one.status == "to-send"]:
        yield Stop(f"Letters of the case are about to go: {', '.join(going)}.", ("EH-152",), "They go, or a person withholds them.")
    if pending := undecided(case):
        yield Stop(f"Still to be decided: {', '.join(pending)}.", ("DEF-08",), "")
    if on <= ends.date:
        yield Stop(f"The papers are kept until the end of {in_words(ends.date)}.", sources_of(policy), "Destroy them on a later day.")


def undecided(case: Case) -> tuple[str, ...]:
    """Returns the appeals, and the reviews asked for, that have no answer yet."""
    return (*(one.id for one in case.challenges if one.pending), *(one.id for one in case.requests if one.done is None))


def signed_anew(case: Case) -> Case:
    """Returns the case, with what was signed for its destruction gone where something came in that is first to be decided."""
    return case.model_copy(update={"destruction_signed": ()}) if case.destruction_signed and undecided(case) else case


def require_due(case: Case, policy: Policy, calendar: Calendar, *, on: date) -> None:
    """Refuses while anything stops the destruction, by the first of it."""
    ends = retention_ends(case, policy, calendar)
    for stop in stops(case, policy, on=on, ends=ends):
        raise Refusal(stop.what, cites=stop.cites, remains=stop.remains or None)


def require_signed(case: Case, *, on: date) -> None:
    """Refuses until two people of different offices have signed (EH-150)."""
    signed = tuple(one for one in case.destruction_signed if one.by.on <= on)
    if len(signed) < 2:
        has = f"only {signed[0].by.person} has signed" if signed else "nobody has signed"
        remains = "Sign with sign_destruction, two people of different offices; then destroy them."
        raise Refusal(f"Two people of different offices sign before papers are destroyed; {has}.", cites=[TWO], remains=remains)


def to_sign(case: Case, policy: Policy) -> Iterator[tuple[str, Who]]:
    """Yields whose signatures are missing: the keeper's, and that of somebody else of another office (EH-150)."""
    signed = case.destruction_signed
    if not any(one.keeper for one in signed):
        yield "keeper", policy.retention.destroyed_by
    if not signed or (len(signed) == 1 and signed[0].keeper):
        yield "second", policy.escalation


def signed_in_words(one: DestructionSigned, policy: Policy) -> str:
    return f"{one.by.person} ({policy.office(one.by.office or '')})"


def emptied(case: Case, on: date) -> Case:
    """Returns what is left of a case whose papers are destroyed: what it was called, under which policy, from when to when."""
    left = {
        name: getattr(case, name) for name in ("id", "body", "policy", "edition", "seq", "stage", "opened_on", "keep_years", "counting")
    }
    signed = tuple(one for one in case.destruction_signed)
    ended = end_of_case(case)
    return Case(**left, customer=Customer(name=GONE), destruction_signed=signed, ended_without_restriction=ended, destroyed_on=on)
