"""The reference case: eight messages under MMO's policy, from the first report to its first review, with all saves and letters."""

from __future__ import annotations

from activities.bodies import Body
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


def opening() -> Message:
    return {"v": 1, "id": "1", "do": "open_case", "by": "officer", "on": "2026-01-05", "with": {"body": "mmo", "customer": CUSTOMER}}


def _act(id: int, do: str, by: str, on: str, with_: Message, saw: str | None = None) -> Message:
    return {"v": 1, "id": str(id), "do": do, "by": by, "on": on, "with": with_, **({"saw": saw} if saw else {})}


def messages() -> tuple[Message, ...]:
    """Returns the seven messages after the opening; every one of them is accepted."""
    warning = {"medium": "telephone", "findings": {"concerns": "Forty emails in one week.", "policy-copy-directed": True}}
    decision = {"restrictions": [LIMIT], "reasons": "The emails take the time of the whole team.", "findings": GROUNDS}
    return (
        _act(2, "report_behaviour", "officer", "2026-01-05", {"code": "excessive-contact", "medium": "email", "summary": "Forty emails."}),
        _act(3, "warn", "officer", "2026-01-12", warning),
        _act(4, "report_behaviour", "officer", "2026-02-02", {"code": "excessive-contact", "medium": "email", "summary": "Thirty more."}),
        _act(5, "impose_sanction", "manager", "2026-02-09", decision),
        _act(6, "appeal", "customer", "2026-02-20", {"medium": "email", "grounds": "It is not fair."}),
        _act(7, "decide_appeal", "senior", "2026-03-02", {"outcome": "uphold", "reasons": "The decision was right."}, saw="a1"),
        _act(8, "review", "senior", "2026-03-09", {"why": "own-motion", "outcome": "lift"}, saw="s1"),
    )
