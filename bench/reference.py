"""The reference case: eight messages under MMO's policy, from the first report to its first review, with all saves and letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from activities.bodies import Body
from domain.days import london_date
from domain.people import Person

BODY = Body(
    body="mmo",
    name="A body of the bench",
    policy="mmo",
    keep_years=6,
    people=(
        Person(id="officer", name="Sam Officer", grade=5, line_manager="manager"),
        Person(id="manager", name="Morgan Manager", offices=("decision-maker",), grade=8),
        Person(id="senior", name="Robin Senior", offices=("reviewer",), grade=10),
        Person(id="records", name="Rae Records", offices=("records-officer",), grade=4),
    ),
)
CUSTOMER = {"name": "Casey Sample", "channel": "email", "address": "casey.sample@example.org"}
GROUNDS = {
    "own-merits": "One licence only.",
    "proportionality-nature": "All by email.",
    "proportionality-frequency": "Seventy emails in five weeks.",
}
LIMIT = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "email"}

Message = dict[str, object]


def _act(id: int, do: str, by: str, ago: int, with_: Message, saw: str | None = None) -> Message:
    on = london_date(datetime.now(UTC)) - timedelta(days=ago)
    return {"v": 1, "id": str(id), "do": do, "by": by, "on": on.isoformat(), "with": with_, **({"saw": saw} if saw else {})}


def opening() -> Message:
    return _act(1, "open_case", "officer", 63, {"body": "mmo", "customer": CUSTOMER})


LETTERS_AT = frozenset({3, 5, 6, 7, 8})
"""After which of the eight messages a letter goes."""


def messages() -> tuple[Message, ...]:
    """Returns the seven messages after the opening, the last of them today's; every one of them is accepted."""
    warning = {"medium": "telephone", "findings": {"concerns": "Forty emails in one week.", "policy-copy-directed": True}}
    decision = {"restrictions": [LIMIT], "reasons": "The emails take the time of the whole team.", "findings": GROUNDS}
    return (
        _act(2, "report_behaviour", "officer", 63, {"code": "excessive-contact", "medium": "email", "summary": "Forty emails."}),
        _act(3, "warn", "officer", 56, warning),
        _act(4, "report_behaviour", "officer", 35, {"code": "excessive-contact", "medium": "email", "summary": "Thirty more."}),
        _act(5, "impose_sanction", "manager", 28, decision),
        _act(6, "appeal", "customer", 17, {"medium": "email", "grounds": "It is not fair."}),
        _act(7, "decide_appeal", "senior", 7, {"outcome": "uphold", "reasons": "The decision was right."}, saw="a1"),
        _act(8, "review", "senior", 0, {"why": "own-motion", "outcome": "lift"}, saw="s1"),
    )
