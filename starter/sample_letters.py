"""A letter of each kind with made-up facts, from a policy alone: what its wording would print. Nothing in them is about anybody.

Each part has its variants, so that every way through a template is tried; what a policy does not give (a window, a committee), none has."""

from __future__ import annotations

from datetime import date, timedelta

from domain.appeal_rules import AppealRule
from domain.clocks import event_of
from domain.days import in_words
from domain.guards import named
from domain.letters import UNDATED, Facts, Letter, Section, among_others
from domain.model import Data
from domain.policy import NoticePart, Policy
from domain.practice import is_partly_practice, is_practice
from domain.rules import Period
from starter.sample_restrictions import restrictions_of

DAY = date(2027, 3, 10)
SENDER = ("Sample Offices", "1 Example Square", "Sampletown", "ZZ99 9ZZ", "Telephone 000 000 0000", "contact@example.org")


ARRANGEMENT = {"spoc": "Sam Sample", "channel": "telephone", "frequency": "week", "adjustments": ["Large print."], "terms": "One call."}


class NoSample(Exception):
    """There are no made-up facts for a part of this letter."""


def _day(days: int) -> str:
    return in_words(DAY + timedelta(days=days))


class Samples(Data):
    """The facts of every part under one policy, each in its variants; the first is the usual one."""

    policy: Policy

    def facts(self) -> dict[str, tuple[Facts, ...]]:
        policy = self.policy
        title, edition = policy.title, policy.edition.label
        named_edition: Facts = {
            "title": title,
            "edition": edition,
            "undated": edition == UNDATED,
        }
        text: Facts = {"text": "These are sample words."}
        return {
            "concerns": ({**text, "told": False}, {**text, "told": _day(-2)}),
            "way-forward": (text,),
            "consequence": ({"label": title},),
            "representative": ({"offered": True},),
            "policy-copy": (named_edition,),
            "edition": (named_edition,),
            "restrictions": ({"restrictions": restrictions_of(policy)},),
            "reasons": (text,),
            "new-issue": (text,),
            "until": ({"until": _day(90), "open": False}, {"until": _day(90), "open": True}),
            "review-date": ({"day": _day(180), "every": False}, {"day": _day(180), "every": "3 months"}),
            "what-ended": ({"ended": _day(-1)},),
            "request-to-change": ({"asked": True},),
            "topics": ({"topics": ["the sample matter"]}, {"topics": ["the sample matter", "the sample place"]}),
            "behaviour": ({"labels": ["sample behaviour"], **text},),
            "arrangement": ({"terms": ARRANGEMENT},),
            "changes": ({"changes": [{"what": "the last day", "old": _day(14), "new": _day(21)}]},),
            "from-when": ({"day": _day(0)},),
            "known-so-far": ({"days": [_day(60)], "known": _day(40)},),
            "moved-date": tuple(
                {"what": "appeal-closes", "about": "it", "was": _day(14), "becomes": _day(15), "days": days, "meetings": meetings,
                 "of": why, "text": "none"}
                for days, meetings, why in (
                    ([{"on": _day(3), "name": "Sample holiday"}], [], "calendar"), ([], [_day(20)], "calendar"), ([], [], "calendar"),
                    ([], [], "receipt"),
                )
            ),
            "outcome": tuple(_outcomes()),
            "ombudsman": tuple({"text": policy.ombudsman.value, "first": first} for first in (True, False)),
            "links": ({"links": [{"label": "sample charter", "address": "https://www.example.org/charter"}]},),
            **self._of_appeals(),
            **self._of_people(),
            **self._of_coming_reviews(),
            **_of_others(),
        }  # fmt: skip

    def _of_appeals(self) -> dict[str, tuple[Facts, ...]]:
        policy, rules = self.policy, self.rules()
        late: Facts = {"received": _day(30), "text": "These are sample words."}
        outside = policy.appeal_outside
        return {
            "appeal": tuple(self._how(rule) for rule in rules),
            "next-stage": tuple(self._how(rule.then) for rule in rules if rule.then),
            "right-of-review": tuple({"label": rule.label} for rule in rules),
            "challenge": tuple({"label": rule.label} for rule in rules),
            "contact": tuple({"to": self._to(rule)} for rule in rules),
            "answer-due": tuple({"received": _day(5), "due": _day(33), "period": rule.answer.words} for rule in rules if rule.answer),
            "late-appeal": ({**late, "decision": "accepted"}, {**late, "decision": "declined"}),
            "appeal-outside": tuple(
                {"to": outside.to, "how": outside.how, "window": outside.window.words if outside.window else "none", "after": after}
                for after in (True, False) if outside
            ),
            "next-steps": (
                *(_steps("appeal", rule.label, ask_why=why) for rule in rules for why in (False, True)),
                _steps("review", "review", ask_why=True),
                _steps("monitoring", "none", ask_why=False),
            ),
        }  # fmt: skip

    def _of_people(self) -> dict[str, tuple[Facts, ...]]:
        policy, asked = self.policy, self.policy.review.requested
        kept = policy.register_
        keepers: Facts = {
            "kept_by": named(kept.kept_by, policy) if kept and kept.kept_by else False,
            "maintained_by": named(kept.maintained_by, policy) if kept and kept.maintained_by else False,
        }
        committees = [one.committee.label for one in policy.decision.sign_offs.values() if one.committee]
        clear = [one.clear_time for one in policy.review_of(disengages=True).outcomes.values() if one.clear_time]
        return {
            "requested-review": tuple({"to": f"the {policy.office(asked.to.value)}", "left": left} for left in (1, 0) if asked),
            "record-kept": (keepers,),
            "enquiries": ({"to": policy.enquiries.value},) if policy.enquiries else (),
            "meeting": tuple({"committee": one, "day": _day(-1)} for one in committees),
            "clear-time": tuple({"period": one.words} for one in clear),
        }

    def _of_coming_reviews(self) -> dict[str, tuple[Facts, ...]]:
        return {
            "what-is-reviewed": ({"decided": _day(-90), "restrictions": restrictions_of(self.policy)},),
            "send-in": tuple({"by": _day(28), "email_will_do": will_do} for will_do in (True, False)),
        }

    def rules(self) -> tuple[AppealRule, ...]:
        """Returns the ways to appeal that a policy has: against its decisions, and against a warning."""
        return tuple(rule for rule in (self.policy.appeal, self.policy.warning.appeal) if rule)

    def _to(self, rule: AppealRule) -> str:
        office = self.policy.office(rule.to.value)
        return f"the {office}" if rule.to.value in self.policy.offices else office

    def _how(self, rule: AppealRule) -> Facts:
        window: Period | None = rule.window
        start = event_of(window) if window else "notification"
        return {
            "once": rule.number.value == "one-per-stage",
            "label": rule.label,
            "to": self._to(rule),
            "window": window.words if window else "none",
            "closes": _day(14) if window and start != "receipt" else "none",
            "from_receipt": start == "receipt",
            "from_decision": start == "decision",
            "grounds": [one.label for one in rule.only_on],
            "in_writing": bool(rule.in_writing and rule.in_writing.value),
            "email_will_do": True,
            "say_why": rule.grounds.value == "prompt",
        }


def _of_others() -> dict[str, tuple[Facts, ...]]:
    """Returns the facts of letters to somebody else than the customer."""
    text, agent = "These are sample words.", "Casey Sample"
    told: dict[str, Facts] = {kind: {"agent": agent, "text": text, "kind": kind} for kind in ("client", "employer", "professional-body")}
    return {
        "agent-behaviour": (told["client"],),
        "must-change": ({"asked": True},),
        "possible-effect": ({"text": text},),
        "complaint": (told["employer"], told["professional-body"]),
    }


def _steps(what: str, label: str, *, ask_why: bool) -> Facts:
    return {"what": what, "who": "the sample office", "ask_why": ask_why, "label": label}


OF = {
    "review-outcome": "review", "appeal-outcome": "appeal", "new-issue": "new-issue", "marker": "measure", "external-report": "report",
    "no-action": "case", "removed": "case",
}  # fmt: skip
"""What a letter of each kind tells the outcome of."""


def _outcomes() -> list[Facts]:
    ways = {
        "review": ("continue", "lift", "extend", "amend", "tighten"),
        "appeal": ("uphold", "withdraw", "vary", "not-admissible"),
        "new-issue": ("keep", "lift", "vary"),
        "measure": ("potentially-aggressive-marker", "removed"),
        "report": ("police", "legal-team", "both"),
        "case": ("no-action", "mistake"),
    }
    told: Facts = {"day": _day(0), "of_warning": False}
    found: list[Facts] = [{**told, "of": of, "outcome": one, "word": one} for of, outcomes in ways.items() for one in outcomes]
    warned: list[Facts] = [{"of": "appeal", "outcome": one, "word": one, "of_warning": True} for one in ("withdraw", "uphold")]
    return [*found, *warned]


def sample_letter(policy: Policy, kind: str) -> Letter:
    """Returns a letter of a kind with made-up facts. Raises LookupError where the policy has none, NoSample where a part has no facts."""
    rule = policy.letter(kind)
    if rule is None:
        raise LookupError(f"{policy.policy} has no letter of the kind {kind}; it has: {', '.join(sorted(policy.notices))}.")
    facts = Samples(policy=policy).facts()
    sections = [section for part in rule.parts if (section := sample_section(part, policy, kind, facts))]
    sections = [among_others(one, sections) for one in sections]
    office = rule.issued_by.offices[0] if rule.issued_by and rule.issued_by.offices else None
    label = policy.office(office) if office else ""
    rules = Samples(policy=policy).rules()
    return Letter(
        kind=kind, label=rule.label, reference=f"{policy.policy}/sample-1", body=policy.body, policy=policy.title,
        edition=policy.edition.label,
        name="Casey Sample", address="casey.sample@example.org", dated=in_words(DAY), signed=f"{label[:1].upper()}{label[1:]}",
        challenge=rules[0].label if rules else "complaint", method="email", sections=tuple(sections),
        appeals=policy.gives_appeal,
    )  # fmt: skip


def sample_section(part: NoticePart, policy: Policy, kind: str, facts: dict[str, tuple[Facts, ...]]) -> Section | None:
    """Returns one part with its usual facts; None where the policy gives it nothing to print."""
    if part.part not in facts:
        raise NoSample(f"there are no sample facts for the part {part.part}; look at it with the letter of a case")
    found = [one for one in facts[part.part] if part.part != "outcome" or one["of"] == OF.get(kind, "case")]
    if not found:
        return None
    partly = is_partly_practice(part, policy, disengages=kind == "disengagement")
    usual = found[-1] if kind == "removed" else found[0]
    return Section(part=part.part, facts=usual, cites=part.sources, practice=is_practice(part), partly=partly)
