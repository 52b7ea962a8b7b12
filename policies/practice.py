"""Good practice, in our own words: what the ombudsmen's guidance on unreasonable complainant behaviour advises and a policy does not do.

It is information for whoever owns the policy. It is never the policy's words, binds no case, and is never listed among the gaps.
Where it comes from: the Local Government and Social Care Ombudsman's guidance on managing unreasonable complainant behaviour, and the
like guidance of the other United Kingdom ombudsmen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.model import models_in
from domain.policy import Part, Policy
from domain.restrictions import DISENGAGING
from policies.gaps import Found
from policies.units import appeal_stages

ALTERNATIVES = frozenset({"alternatives", "alternatives-tried", "alternatives-considered", "informal-steps", "efforts"})
CIRCUMSTANCES = frozenset(
    {
        "needs",
        "individual-circumstances",
        "needs-and-circumstances",
        "leaves-usable-channel",
        "personal-circumstances",
        "reasonable-adjustments",
    }
)
ONE_SERVICE = frozenset({"affected-service", "affected-services", "service-affected"})
"""Findings by which a policy makes its deciders look at something."""
UNREAD = frozenset({"refuse-all-contact", "not-registering-same-issue", "no-reply-on-topic", *DISENGAGING})
"""Restrictions after which nobody may look at what the customer writes."""
LETTERS = ("decision", "disengagement", "extreme-decision")
"""Letters that tell a customer of restrictions."""


def warning_first(policy: Policy) -> Found:
    rule = policy.warning
    if rule.needed.value not in ("always", "unless-waived"):
        yield (
            (("warning", "needed"),),
            "Restrictions may come without a warning.",
            "Warn first and let the customer change, save where somebody is in danger.",
        )
    elif not (rule.confirmed_in_writing and rule.confirmed_in_writing.value):
        yield (("warning",),), "A warning need not be in writing.", "Put the warning in writing, or confirm it."


def reasons_given(policy: Policy) -> Found:
    yield from _lacking(policy, ("reasons",), "does not give reasons", "Say which behaviour led to the decision, and why.")


def end_or_review_told(policy: Policy) -> Found:
    what = "tells neither an end nor a review date"
    yield from _lacking(policy, ("until", "review-date"), what, "Tell the customer how long it lasts, or when it is looked at again.")


def challenge_told(policy: Policy) -> Found:
    what = "does not say how to challenge it"
    yield from _lacking(
        policy, ("appeal", "challenge", "right-of-review", "appeal-outside"), what, "Say how the decision can be challenged."
    )


def _lacking(policy: Policy, parts: tuple[Part, ...], what: str, could: str) -> Found:
    for kind in LETTERS:
        rule = next((one for name, one in policy.notices.items() if name == kind), None)
        if rule and not any(one.part in parts for one in rule.parts):
            yield (("notices", kind, "parts"),), f"The {rule.label} {what}.", could


def ombudsman_named(policy: Policy) -> Found:
    yield from _lacking(policy, ("ombudsman",), "does not name the ombudsman", "Name the ombudsman in it.")
    if "ombudsman" not in policy.ombudsman.value.lower():
        yield (("ombudsman",),), "What letters say of going further names no ombudsman.", "Name the ombudsman who can look into it."


def lifted_by_default(policy: Policy) -> Found:
    presumed = policy.review.presumption is not None and policy.review.presumption.value == "lift"
    ends = policy.decision.length.kind.value in ("fixed", "chosen") and policy.decision.length.at_end is not None
    if not presumed and not ends:
        what = "A review need not end in lifting where there are no grounds to go on."
        yield (("review",),), what, "Let restrictions be lifted unless there are good grounds to keep them."


def independent_appeal(policy: Policy) -> Found:
    if policy.appeal is None and policy.appeal_outside is None:
        yield ((),), "There is no appeal to somebody who did not decide.", "Let somebody not involved look at a challenge."
    for path, rule in appeal_stages(policy):
        if rule.independent.value or path[0] != "appeal":
            continue
        yield (
            ((*path, "independent"),),
            "Whoever decided may decide the appeal.",
            "Let somebody not involved, and more senior, decide it.",
        )


def _findings(item: object) -> Iterator[str]:
    """Returns the code of every finding that the policy asks for."""
    return (code for one in models_in(item) if isinstance(code := getattr(one, "finding", None), str))


def alternatives_considered(policy: Policy) -> Found:
    tried = policy.step_one or policy.initial_measures or policy.discussions
    if not tried and not ALTERNATIVES & set(_findings(policy)):
        what = "Nothing makes the decider look at what else could be tried."
        yield (("decision", "requires"),), what, "Ask for the alternatives that were considered (a finding alternatives)."


def adjustments_considered(policy: Policy) -> Found:
    if not CIRCUMSTANCES & set(_findings(policy)):
        what = "Nothing makes the decider look at needs, disability and reasonable adjustments."
        yield (("decision", "requires"),), what, "Ask for them before restricting anybody (a finding needs)."


def only_the_affected_service(policy: Policy) -> Found:
    if not ONE_SERVICE & set(_findings(policy)):
        what = "Nothing keeps restrictions to the service where the behaviour was met."
        could = "Ask which services are affected, and leave the others open (a finding affected-service)."
        yield (("decision", "requires"),), what, could


def filed_mail_read(policy: Policy) -> Found:
    offered = [n for n, option in enumerate(policy.decision.options) if option.type in UNREAD]
    reads = any(option.type == "read-and-file" for option in policy.decision.options)
    if offered and not (reads or policy.contact.reply_if or policy.contact.new_issue_decided_by):
        what = "Nothing says that mail which gets no answer is still read."
        could = "Let somebody read it, so that a new issue, a risk or a need is seen."
        yield tuple(("decision", "options", n) for n in offered), what, could


CHECKS: dict[str, Callable[[Policy], Found]] = {
    "GP-01": warning_first,
    "GP-02": reasons_given,
    "GP-03": end_or_review_told,
    "GP-04": challenge_told,
    "GP-05": ombudsman_named,
    "GP-06": lifted_by_default,
    "GP-07": independent_appeal,
    "GP-08": alternatives_considered,
    "GP-09": adjustments_considered,
    "GP-10": only_the_affected_service,
    "GP-11": filed_mail_read,
}
"""Codes are never used again for something else."""
