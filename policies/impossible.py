"""What a file can hold and no case could run under: periods past any calendar, one name for two things, lists that leave nothing to do.

Like contradictions.py one function a check, each yielding where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from domain.days import Unit
from domain.policy import Policy
from domain.rules import Finding, Period
from policies.names import Path
from policies.units import appeal_stages

Found = Iterator[tuple[Path, str]]
LONGEST: dict[Unit, int] = {"years": 200, "months": 2_400, "weeks": 10_400, "days": 73_000, "working_days": 50_000}
"""Longer periods end where no calendar goes, and counting working days to there would take for ever."""
MOST_SIGNS = 5_000
"""Of one text of a file: two pages of a letter."""


def endless_periods(policy: Policy) -> Found:
    for path, one in _inside(policy, ()):
        if isinstance(one, Period) and one.count > LONGEST[one.unit]:
            unit = one.unit.replace("_", " ")
            yield (*path, one.unit, "value"), f"at most {LONGEST[one.unit]} {unit}, found {one.count}: no case and no paper lasts so long"


def texts_that_say_nothing(policy: Policy) -> Found:
    for path, one in _inside(policy, ()):
        if isinstance(one, str) and not one.strip():
            yield path, f"some text, found {one!r}: letters and lists would show nothing; write it, or take the field out"
        elif isinstance(one, str) and len(one) > MOST_SIGNS:
            yield path, f"at most {MOST_SIGNS} characters, found {len(one)}"


def one_name_for_two(policy: Policy) -> Found:
    """A case knows each by its name: of two with one name the second would be lost without a word."""
    yield from _twice(("decision", "options"), [one.type for one in policy.decision.options], "say in its label what both are")
    yield from _twice(("informs",), [one.team for one in policy.informs], "list each team once")
    yield from _twice(("measures",), [one.measure for one in policy.measures], "list each measure once")
    yield from _twice(("intake",), [one.question for one in policy.intake], "ask each question once, and name both matters in its instead")
    yield from _twice(("discussions",), [one.step for one in policy.discussions], "name each conversation once")
    if policy.register_:
        yield from _twice(("register", "columns"), [one.column for one in policy.register_.columns], "list each column once")
    if policy.meetings:
        yield from _twice(("meetings", "value"), [day.isoformat() for day in policy.meetings.value], "list each day once")
    for kind, rule in policy.notices.items():
        yield from _twice(("notices", kind, "parts"), [one.part for one in rule.parts], "name each part once")
    for path, stage in appeal_stages(policy):
        yield from _twice((*path, "only_on"), [one.ground for one in stage.only_on], "give each ground its own code")
    for path, one in _inside(policy, ()):
        if isinstance(one, tuple) and one and all(isinstance(item, Finding) for item in one):
            yield from _twice(path, [item.finding for item in one if isinstance(item, Finding)], "give each question its own code")


def _twice(path: Path, names: Sequence[str], right: str) -> Found:
    for n, name in enumerate(names):
        if name in names[:n]:
            yield (*path, n), f"{name} stands here already, as number {names.index(name) + 1}: {right}"


def ground_that_means_any_other(policy: Policy) -> Found:
    for path, stage in appeal_stages(policy):
        for n, one in enumerate(stage.only_on):
            if one.ground == "other":
                yield (*path, "only_on", n, "ground"), "another code: other stands for every ground that is not on the list"


def nothing_left_to_do(policy: Policy) -> Found:
    if not policy.decision.options:
        yield ("decision", "options"), "at least one: nothing could ever be imposed"
    for path, stage in appeal_stages(policy):
        if not stage.outcomes.value:
            yield (*path, "outcomes"), "at least one: an appeal that nobody could answer; say what may become of the decision"
    length = policy.decision.length
    if length.earlier_of and not length.earlier_of.value:
        yield (
            ("decision", "length", "earlier_of", "value"),
            "at least one: by_earlier would never apply; list restrictions, or leave it out",
        )


def two_ways_to_count_a_committee(policy: Policy) -> Found:
    for name, rule in policy.decision.sign_offs.items():
        if rule.committee and rule.people:
            said = "a committee decides here, so its quorum says how many: move the number to committee.quorum, or take committee out"
            yield ("decision", "sign_offs", name, "people"), said
    for at in ("review", "disengagement_review"):
        review = getattr(policy, at)
        if review and review.committee and review.people:
            yield (at, "people"), "a committee decides here, so its quorum says how many: move the number to committee.quorum"


def appeal_that_is_never_answered(policy: Policy) -> Found:
    """DEF-14: every outcome is told; one that no letter tells would be a decision behind the customer's back."""
    if (policy.appeal or policy.warning.appeal) and "appeal-outcome" not in policy.notices:
        yield ("notices",), "add appeal-outcome: there is an appeal, and no letter would tell its outcome"


def misread(built: BaseModel, data: object) -> Found:
    """Yields where the file says true or false and a number is meant: YAML's true would count as 1."""
    for path, one in _inside(built, ()):
        if isinstance(one, int) and not isinstance(one, bool) and isinstance(_at(data, path), bool):
            yield path, f"a number, found {str(_at(data, path)).lower()}"


def _at(data: object, path: Path) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def _inside(item: object, path: Path) -> Iterator[tuple[Path, object]]:
    """Yields everything a policy holds, with its place in the file."""
    yield path, item
    match item:
        case BaseModel():
            for name, field in type(item).model_fields.items():
                yield from _inside(getattr(item, name), (*path, field.alias or name))
        case dict():
            for key, one in item.items():
                yield from _inside(one, (*path, key))
        case tuple():
            for n, one in enumerate(item):
                yield from _inside(one, (*path, n))


CHECKS = (
    texts_that_say_nothing,
    one_name_for_two,
    ground_that_means_any_other,
    nothing_left_to_do,
    two_ways_to_count_a_committee,
    appeal_that_is_never_answered,
)
