"""The set of letters: every kind there is, when it goes, which policies need it, and what it must hold there at the least.

A letter that a policy needs and does not have is never owed, and nobody would notice: tests hold every shipped policy to this list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.model import Data
from domain.policy import CHOSEN_LETTERS, HOUSE_LETTERS, NoticeRule, Part, Policy
from domain.rules import NoticeKind
from domain.third_parties import COMPLAINT
from policies.units import appeal_stages

Needed = Callable[[Policy], bool]
Held = Callable[[Policy], tuple[Part, ...]]


class Letter(Data):
    """One kind of letter, for one occasion."""

    kind: NoticeKind
    when: str
    to: str = "the customer"
    needed: Needed
    holds: Held
    """What it must hold under a policy that needs it, whatever else the file puts there."""


def always(policy: Policy) -> bool:
    return True


def _decides_by(kind: NoticeKind) -> Needed:
    return lambda policy: any(one.notice == kind for one in policy.decision.sign_offs.values())


def _just(*parts: Part) -> Held:
    return lambda policy: parts


def _decision(policy: Policy) -> tuple[Part, ...]:
    """Returns what a decision must be told with: what, why, how long or when it is looked at, how to challenge it, under which edition."""
    length: tuple[Part, ...] = ("review-date",) if policy.decision.length.kind.value == "open" else ("until",)
    appeal: tuple[Part, ...] = ("appeal",) if policy.appeal else ("appeal-outside",) if policy.appeal_outside else ()
    return ("restrictions", "reasons", *length, *appeal, "edition")


def _acknowledged(policy: Policy) -> tuple[Part, ...]:
    return ("answer-due",) if any(one.answer for _, one in appeal_stages(policy)) else ("next-steps",)


def _declined(policy: Policy) -> tuple[Part, ...]:
    becomes = policy.appeal.late_becomes_review if policy.appeal else None
    return ("late-appeal", "requested-review") if becomes and becomes.value else ("late-appeal",)


def _review(policy: Policy) -> tuple[Part, ...]:
    fresh = policy.appeal is not None and any(one.fresh_appeal and one.fresh_appeal.value for one in policy.review.outcomes.values())
    return ("outcome", "reasons", *(("appeal",) if fresh else ()), "edition")


def _late(policy: Policy) -> bool:
    return policy.appeal is not None and policy.appeal.if_late is not None


def _in_writing(policy: Policy) -> bool:
    wanted = (policy.appeal.in_writing if policy.appeal else None, policy.review.requested.in_writing if policy.review.requested else None)
    return any(one and one.value for one in wanted)


def _reports(policy: Policy) -> bool:
    return policy.external_report is not None or any(one.told == "decide-whether" for one in policy.decision.options)


LETTERS: tuple[Letter, ...] = (
    Letter(kind="warning", when="a warning was given", needed=lambda one: one.step_one is None, holds=_just("concerns", "consequence")),
    Letter(kind="warning", when="step one is opened: an agreement is sought, a representative offered",
           needed=lambda one: one.step_one is not None, holds=_just("concerns", "way-forward", "representative", "consequence")),
    Letter(kind="agreement", when="step one ended in agreement", needed=lambda one: one.step_one is not None, holds=_just("arrangement")),
    Letter(kind="decision", when="restrictions were decided", needed=_decides_by("decision"), holds=_decision),
    Letter(kind="extreme-decision", when="an extreme measure was decided", needed=_decides_by("extreme-decision"), holds=_decision),
    Letter(kind="disengagement", when="disengagement was decided", needed=_decides_by("disengagement"), holds=_decision),
    Letter(kind="reiteration", when="the disengagement notice is sent again", needed=lambda one: one.contact.reiterate is not None,
           holds=_just("restrictions")),
    Letter(kind="no-action", when="it was decided not to act", needed=always, holds=_just("outcome", "reasons")),
    Letter(kind="external-report", when="a report to the police or lawyers is told", needed=_reports, holds=lambda one: (
           ("outcome",) if one.external_report else ("restrictions", "reasons"))),
    Letter(kind="marker", when="a marker was set or taken off", needed=lambda one: any(rule.told == "marker" for rule in one.measures),
           holds=_just("outcome", "reasons")),
    Letter(kind="client-told", when="an agent's client is told, before a disengagement", to="the agent's client",
           needed=lambda one: one.agents is not None, holds=_just("agent-behaviour", "must-change", "possible-effect")),
    Letter(kind="formal-complaint", when="a complaint that was decided is made", to="the employer or the professional body",
           needed=lambda one: one.decision.option(COMPLAINT) is not None, holds=_just("complaint")),
    Letter(kind="appeal-acknowledged", when="an appeal came in time", needed=lambda one: one.appeal is not None, holds=_acknowledged),
    Letter(kind="appeal-late-accepted", when="a late appeal was let in", needed=_late, holds=_just("late-appeal")),
    Letter(kind="appeal-late-declined", when="a late appeal was declined, or referred to a review", needed=_late, holds=_declined),
    Letter(kind="appeal-outcome", when="an appeal was decided", needed=lambda one: one.appeal is not None,
           holds=_just("outcome", "restrictions", "reasons")),
    Letter(kind="appeal-elsewhere", when="an appeal came that another body hears",
           needed=lambda one: one.appeal is None and one.appeal_outside is not None, holds=_just("appeal-outside")),
    Letter(kind="challenge-refused", when="a challenge came a second time at its stage",
           needed=lambda one: one.appeal is not None and one.appeal.number.value == "one-per-stage", holds=_just("challenge")),
    Letter(kind="how-to-write", when="a request came by telephone that belongs in writing", needed=_in_writing, holds=lambda one: ()),
    Letter(kind="review-request-acknowledged", when="the customer asked for a review", needed=lambda one: one.review.requested is not None,
           holds=_just("next-steps")),
    Letter(kind="review-request-refused", when="the customer asked for a second review of one period",
           needed=lambda one: one.review.requested is not None, holds=_just("requested-review")),
    Letter(kind="review-coming", when="a review opens, where the body chooses to say so",
           needed=lambda one: one.letter("review-coming") is not None, holds=_just("what-is-reviewed", "review-date", "send-in")),
    Letter(kind="review-outcome", when="a review was decided: lifted, continued, amended", needed=always, holds=_review),
    Letter(kind="lapse", when="restrictions ended with their day", needed=always, holds=_just("what-ended")),
    Letter(kind="new-issue", when="a new issue was judged", needed=lambda one: one.contact.new_issue_decided_by is not None,
           holds=_just("outcome", "reasons")),
    Letter(kind="removed", when="the case was a mistake and its entry is gone", needed=always, holds=_just("outcome")),
    Letter(kind="date-moved", when="a date that was told has moved", needed=always, holds=_just("moved-date")),
    Letter(kind="edition-changed", when="the case went over to another edition", needed=always,
           holds=_just("changes", "from-when", "edition")),
)  # fmt: skip
"""In the order of a case's life. Restrictions issued again are the same letter, as its next issue."""


def needed(policy: Policy) -> tuple[Letter, ...]:
    """Returns the letters that a policy needs."""
    return tuple(one for one in LETTERS if one.needed(policy))


def missing(policy: Policy) -> Iterator[str]:
    """Yields each letter that a policy needs and lacks, and each part that such a letter lacks."""
    for one in needed(policy):
        rule = policy.letter(one.kind)
        if rule is None:
            yield f"{policy.policy}: no letter {one.kind}, when {one.when}"
            continue
        held = {part.part for part in rule.parts}
        yield from (f"{policy.policy}: {one.kind} lacks {part}" for part in one.holds(policy) if part not in held)


def rule_of(policy: Policy, kind: NoticeKind) -> NoticeRule | None:
    """Returns the rule of a letter under a policy, a letter that a body might choose among them."""
    return policy.letter(kind) or CHOSEN_LETTERS.get(kind)


def set_table(policies: tuple[Policy, ...]) -> str:
    """Returns every letter with its occasion, its reader and the policies that have it, as a Markdown table."""
    rows = [f"| `{one.kind}` | {one.when} | {one.to} | {_whose(one, policies)} |" for one in LETTERS]
    return "\n".join(["| Letter | Goes when | To | Policies |", "|---|---|---|---|", *rows, ""])


def _whose(letter: Letter, policies: tuple[Policy, ...]) -> str:
    if letter.kind in HOUSE_LETTERS:
        return "all (house letter)"
    if letter.kind in CHOSEN_LETTERS:
        return "those whose body chooses it"
    whose = [one.policy for one in policies if letter.needed(one) and one.letter(letter.kind)]
    return "all" if len(whose) == len(policies) else ", ".join(whose) or "none of these"


def parts_table(policy: Policy) -> str:
    """Returns a policy's letters with their parts, and the clauses or defaults behind each, as a Markdown table."""
    kinds = dict.fromkeys(one.kind for one in LETTERS)
    rows = [f"| `{kind}` | {_parts(rule)} |" for kind in kinds if (rule := policy.letter(kind)) and kind not in HOUSE_LETTERS]
    return "\n".join(["| Letter | Parts |", "|---|---|", *rows, ""])


def house_table() -> str:
    """Returns the house letters with their parts, as a Markdown table."""
    rows = [f"| `{kind}` | {_parts(rule)} |" for kind, rule in (*HOUSE_LETTERS.items(), *CHOSEN_LETTERS.items())]
    return "\n".join(["| Letter | Parts |", "|---|---|", *rows, ""])


def _parts(rule: NoticeRule) -> str:
    return "; ".join(f"{one.part} ({', '.join(one.sources)})" for one in rule.parts)
