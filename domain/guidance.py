"""What a policy says to its own staff, at the moment it is for: shown beside what waits, never enforced."""

from __future__ import annotations

from domain.case import Case
from domain.links import guidance_with_link
from domain.policy import Guidance, Moment, Policy
from domain.tasks import Task

MOMENT_OF_TASK: dict[str, Moment] = {
    "incident-questions": "behaviour",
    "warn": "warning",
    "record-reply": "warning",
    "monitoring": "warning",
    "discuss": "referral",
    "refer": "referral",
    "measure": "behaviour",
    "decide": "decision",
    "sign-off": "decision",
    "issue": "letter",
    "letter": "letter",
    "tell-of-report": "letter",
    "inform": "record",
    "appeal": "appeal",
    "review": "review",
    "recommend": "review",
    "measure-review": "review",
    "untold": "letter",
    "new-issue": "contact",
    "contact": "contact",
    "agreement": "letter",
    "reply": "contact",
    "record-review": "record",
    "retention": "record",
    "destroy": "record",
}
"""At which moment somebody stands who has this task to do."""
BEFORE_A_DECISION = ("opened", "warned", "arranged", "continued", "referred")
UNDER_RESTRICTIONS = ("restricted", "disengaged")


def moments(case: Case, tasks: tuple[Task, ...]) -> frozenset[Moment]:
    """Returns the moments a case is at: of what waits, and of what may come at any time in its stage."""
    found = {MOMENT_OF_TASK[task.kind] for task in tasks if task.kind in MOMENT_OF_TASK}
    if case.stage == "opened":
        found.add("opening")
    if case.stage in BEFORE_A_DECISION:
        found.add("behaviour")
    if case.stage in UNDER_RESTRICTIONS:
        found.add("contact")
    return frozenset(found)


def guidance_at(policy: Policy, at: frozenset[Moment]) -> tuple[Guidance, ...]:
    """Returns the guidance of these moments, in the order of the policy file, with the address of what it speaks of."""
    return tuple(guidance_with_link(one, policy) for one in policy.guidance if at & set(one.at))
