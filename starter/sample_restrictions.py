"""One example of each restriction, for letters that show a body its own wording. Nothing in them is about anybody."""

from __future__ import annotations

from pydantic import TypeAdapter

from domain.days import in_words
from domain.policy import Policy
from domain.restrictions import ContactDates, Restriction

EXAMPLES: dict[str, dict[str, object]] = {
    "contact-volume-limit": {"max_contacts": 1, "per": "week", "channel": "email"},
    "contact-duration-limit": {"channel": "telephone", "max_duration": 10},
    "channel-restriction": {"channels": ["email"], "address": "contact@example.org", "manner": "Please write about one matter at a time."},
    "contact-times": {"channel": "telephone", "days": ["tuesday"], "times": [{"from": "09:00", "to": "10:00"}]},
    "contact-dates": {"dates": ["2027-04-05", "2027-05-03"]},
    "single-point-of-contact": {"officer": "Sam Sample", "deputy": "Alex Sample"},
    "visit-by-appointment-only": {"sites": ["the Sample Offices"], "how_to_book": "Please telephone first."},
    "no-reply-on-topic": {"topic": ["the sample matter"]},
    "service-legal-minimum": {"service": "sample advice", "legal_basis": "the Sample Act"},
    "refuse-all-contact": {"includes_complaints": True, "duration": "temporary"},
    "legal-action": {},
    "police-report": {},
    "legal-or-police-referral": {"to": "police"},
    "serious-queries-only": {"prescribed": "A danger to somebody."},
    "new-issues-only": {"settled_issues": ["the sample matter"]},
    "block-telephone-and-electronic": {"channels": ["telephone", "email"]},
    "premises-restriction": {"premises": ["the Sample Offices"], "lawful_alternative": "Please write to us."},
    "not-registering-same-issue": {"issue": "the sample matter"},
    "read-and-file": {"reader": "Sam Sample"},
    "written-agreement": {"terms": "You telephone once a week."},
    "third-party-contact": {"third_party": "Alex Sample"},
    "written-or-third-party-only": {"mode": "written"},
    "potentially-aggressive-marker": {"reason": "You threw a chair."},
    "formal-complaint-employer-or-body": {"employer": "Sample Ltd"},
    "full-disengagement": {},
    "partial-disengagement": {"topics": ["the sample matter"]},
    "other-action": {"description": "We will meet you once a month."},
}


def restrictions_of(policy: Policy) -> list[dict[str, object]]:
    """Returns an example of each option of a policy, as a letter's facts have it."""
    return [_said(option.type, option.label, option.fixed) for option in policy.decision.options]


def _said(type: str, label: str, fixed: dict[str, object]) -> dict[str, object]:
    made: Restriction = TypeAdapter(Restriction).validate_python({"type": type, **EXAMPLES[type], **fixed})
    dates = {"dates": [in_words(day) for day in made.dates]} if isinstance(made, ContactDates) else {}
    return {**made.model_dump(mode="json", by_alias=True), **dates, "label": label}
