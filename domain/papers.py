"""The papers of a case: who keeps them, where they are, and until when (PCC-88, PCC-89, MBC-54). Destroying them is another file's part."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from domain.case import Case
from domain.days import Calendar
from domain.end_clocks import end_of_case, retention_ends
from domain.model import Code, State
from domain.policy import Policy


class Papers(State):
    """The case's retention record."""

    kept_by: Code | None = None
    """The office that the policy names, or None where it names none."""
    keeper: str | None = None
    """That office in words."""
    state: Literal["kept", "archived", "destroyed"] = "kept"
    archived_on: date | None = None
    """The day after the last restriction ended, where the policy archives."""
    until: date | None = None
    """The last day they are kept, once it is known."""
    cites: tuple[str, ...] = ()


def papers_of(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> Papers:
    """Returns who keeps the papers and where they are on a day; it follows from the case, so the two can never differ."""
    rule, ends = policy.retention, retention_ends(case, policy, calendar)
    archived = _archived_on(case, policy)
    gone = archived is not None and archived <= today
    kept_by = rule.kept_by.value if rule.kept_by else None
    sources = [*(rule.kept_by.sources if rule.kept_by else ()), *(rule.archive.sources if rule.archive else ())]
    return Papers(
        kept_by=kept_by,
        keeper=policy.office(kept_by) if kept_by else None,
        state="destroyed" if case.destroyed_on else "archived" if gone else "kept",
        archived_on=archived,
        until=ends.date if ends else None,
        cites=tuple(dict.fromkeys(sources)),
    )


def _archived_on(case: Case, policy: Policy) -> date | None:
    """Returns the day after the last restriction ended (PCC-89), or None while one runs or where the policy has no archive."""
    end, rule = end_of_case(case), policy.retention.archive
    return end + timedelta(days=1) if end and rule and rule.value else None
