"""The words of the contact desk: the kinds a contact may be of, and what may be done with one now."""

from __future__ import annotations

from typing import Literal

ContactKind = Literal["ordinary", "review-request", "appeal", "new-issue", "adjustment", "safeguarding", "emergency", "complaint"]

Verdict = Literal["deal-with-it", "limit-it", "pass-to-named-officer", "read-and-file", "refuse"]
"""What the desk may do, the lightest first. Read and file means that a person reads it for anything new, then files it unanswered."""

ALWAYS: dict[ContactKind, tuple[str, ...]] = {
    "review-request": ("EH-22",),
    "appeal": ("EH-22",),
    "new-issue": ("DEF-18",),
    "adjustment": ("DEF-15",),
    "safeguarding": ("EH-22",),
    "emergency": ("EH-22",),
}
"""What no restriction stops, with the default that says so where a policy's own text does not."""
