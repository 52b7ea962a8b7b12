"""Periods that are counted in one unit only, and windows that run from an event their stage knows."""

from __future__ import annotations

from collections.abc import Iterator

from domain.appeal_rules import AppealRule
from domain.policy import Policy
from domain.rules import Period

Path = tuple[str | int, ...]
WINDOW_FROM = ("notification", "receipt", "decision")


def wrong_units(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields where a period stands in a unit that its rule does not count, and what would be right."""
    yield from _only(("review", "opens_before"), policy.review.opens_before, "days")
    if policy.disengagement_review:
        yield from _only(("disengagement_review", "opens_before"), policy.disengagement_review.opens_before, "days")
    for path, rule in appeal_stages(policy):
        yield from _only((*path, "remind_before"), rule.remind_before, "working_days")
        yield from _window((*path, "window"), rule.window)


def never_without_offices(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields a never_by that names no office: it keeps out posts, and would keep out nobody."""
    found = [(("decision", "sign_offs", name, "never_by"), one.never_by) for name, one in policy.decision.sign_offs.items()]
    for path, who in (*found, *(((*path, "never_by"), rule.never_by) for path, rule in appeal_stages(policy))):
        if who is not None and not who.offices:
            yield path, "never_by keeps posts out: name offices: [..]"


def _only(path: Path, period: Period | None, unit: str) -> Iterator[tuple[Path, str]]:
    if period is not None and period.unit != unit:
        yield path, f"this period is counted in {unit}, found {period.unit}"


def appeal_stages(policy: Policy) -> Iterator[tuple[Path, AppealRule]]:
    """Yields each stage of each appeal inside the body, against decisions and against warnings, with its place."""
    for path, first in ((("appeal",), policy.appeal), (("warning", "appeal"), policy.warning.appeal)):
        rule, at = first, path
        while rule is not None:
            yield at, rule
            rule, at = rule.then, (*at, "then")


def _window(path: Path, window: Period | None) -> Iterator[tuple[Path, str]]:
    if window and window.start and window.start.value not in WINDOW_FROM:
        yield (*path, "from"), f"a window to appeal runs from {', '.join(WINDOW_FROM)}; found {window.start.value}"
