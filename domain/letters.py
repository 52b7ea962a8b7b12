"""What a letter must hold: each part's facts, from the case, on the day it is sent. A missing part stops the letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from domain.addresses import one_line
from domain.appeal_rules import AppealRule
from domain.case import NOT_RECORDED, Arrangement, Case, Challenge, Notice, Recipient, Sanction, Sitting, Warning
from domain.clocks import NOTIFICATION, anew, answer_due, answer_period, event_of, window_closes, window_of
from domain.counting import MovedDate
from domain.days import POST_DAYS, Calendar, Reckoned, deemed_notified, in_words
from domain.guards import named
from domain.model import State
from domain.notices import marked
from domain.policy import NoticePart, Part, Policy
from domain.practice import is_partly_practice, is_practice
from domain.restrictions import WRITTEN, channels_left
from domain.review_clocks import clear_period, review_due
from domain.rights import NOT_ADMISSIBLE, Right, Target, right_to, rule_for, sanction_under, target_of, used_by
from domain.rules import Committee, Period, Who
from domain.told import TOLD

Facts = dict[str, object]


class MissingPart(Exception):
    """A letter lacks something a clause demands; it cannot be sent as it stands."""

    def __init__(self, part: str, cites: tuple[str, ...]) -> None:
        super().__init__(f"the part {part} is missing, which {', '.join(cites)} demands")
        self.part, self.cites = part, cites


class Section(State):
    """One part of a letter with its facts; `practice` says that a default, not the policy, puts it there; `partly` that one fills it.

    `information`: the words are the body's own, where the text is silent; nothing rests on them."""

    part: str
    facts: Facts
    cites: tuple[str, ...]
    practice: bool
    partly: bool = False
    information: bool = False


class Letter(State):
    """A letter as facts, before any wording."""

    kind: str
    label: str
    reference: str
    body: str
    policy: str
    edition: str
    name: str
    address: str | None
    dated: str
    signed: str
    challenge: str
    method: str
    sections: tuple[Section, ...]
    issue: int = 1
    """Above 1: it was issued again and takes the place of an earlier one (EH-112)."""
    appeals: bool = True
    """Whether its policy gives any appeal: a wording may not speak of one where there is none."""


class _Subject:
    """Everything the parts of one letter are taken from."""

    def __init__(
        self, case: Case, notice: Notice, policy: Policy, calendar: Calendar, told: date, method: str, ombudsman: str | None
    ) -> None:
        self.ombudsman = None if policy.ombudsman.cites else ombudsman
        self.case, self.notice, self.policy, self.calendar, self.told = case, notice, policy, calendar, told
        self.method = method
        self.review = next((one for one in case.reviews if one.id == notice.about), None)
        self.challenge = next((one for one in case.challenges if one.id == notice.about), None)
        self.warning = next((one for one in case.warnings if one.id == notice.about), None)
        self.issue = next((one for one in case.new_issues if one.id == notice.about), None)
        self.measure = next((one for one in case.measures if one.id == notice.about), None)
        self.move = next((one for one in case.moves if one.id == notice.about), None)
        self.report = next((one for one in case.external_reports if one.id == notice.about), None)
        moved = (one for change in case.changes for one in change.moved)
        self.moved: MovedDate | None = next((one for one in moved if one.id == notice.about), None)
        self.sanction = self._sanction()
        self.rule = self._rule()

    def _rule(self) -> AppealRule | None:
        """Returns the rule of the appeal this letter is about, or that is open against what it tells."""
        if self.challenge:
            return rule_for(self.case, self.challenge, self.policy)
        return self.policy.warning.appeal if self.warning else self.policy.appeal

    def _sanction(self) -> Sanction | None:
        if self.review:
            return self.case.sanction(self.review.sanction)
        if self.challenge:
            return sanction_under(self.case, target_of(self.case, self.challenge))
        if self.issue:
            return self.case.sanctions[-1]
        request = next((one for one in self.case.requests if one.id == self.notice.about), None)
        return self.case.sanction(request.sanction if request else self.notice.about)


METHODS = {"email": "email", "letter": "first-class-post"}


def method_of(case: Case, notice: Notice | None = None) -> str:
    """Returns how a letter goes to this customer, or to the somebody else it is for: by email where that is their channel, else by post."""
    to = notice.recipient if notice and notice.recipient else case.customer
    return METHODS.get(to.channel, "first-class-post")


def compose(
    case: Case,
    notice: Notice,
    *,
    policy: Policy,
    calendar: Calendar,
    sent_on: date,
    ombudsman: str | None = None,
    method: str | None = None,
) -> Letter:
    """Returns the letter with every part its clauses demand. Raises MissingPart where one cannot be given.

    `method` is how it goes, where its carrier posts by another class than the first: its dates count from it (DEF-06).
    `ombudsman` is the body's own sentence, printed as information where the policy's text names none (EH-71)."""
    method, to = method or method_of(case, notice), notice.recipient or case.customer
    told = deemed_notified(sent_on, method, calendar)
    gone = marked(case, notice, "sent", method=method, sent_on=sent_on, notified_on=told)
    subject = _Subject(gone, notice, policy, calendar, told, method, ombudsman)
    rule = policy.notice(notice.kind)
    sections = [section for part in rule.parts if (section := _section(part, subject))]
    sections = [among_others(one, sections) for one in (*sections, *_known_so_far(sections, subject))]
    return Letter(
        kind=notice.kind,
        label=rule.label,
        reference=case.id,
        body=policy.body,
        policy=policy.title,
        edition=policy.edition.label,
        name=one_line(to.name),
        address=to.address,
        dated=in_words(sent_on),
        signed=_signed(subject),
        challenge=_challenge_label(subject),
        method=method,
        sections=tuple(sections),
        issue=notice.issue,
        appeals=policy.gives_appeal,
    )


OUR_ANSWER_FIRST = frozenset({"appeal", "next-stage", "right-of-review", "requested-review"})
"""Parts that offer a way to have us look again, before anybody else is asked."""


def among_others(section: Section, among: Sequence[Section]) -> Section:
    """Returns the part on who else can help as it fits its letter: after our answer, or, where the letter offers no way to ask, now."""
    if section.part != "ombudsman":
        return section
    first = any(one.part in OUR_ANSWER_FIRST for one in among)
    return section.model_copy(update={"facts": {**section.facts, "first": first}})


def _challenge_label(subject: _Subject) -> str:
    if subject.challenge and subject.rule:
        return subject.rule.label
    return subject.policy.appeal.label if subject.policy.appeal else "complaint"


def _sitting(subject: _Subject) -> Sitting | None:
    """Returns the meeting that decided what this letter tells, where one did."""
    if subject.review or subject.challenge:
        return next(one.sitting for one in (subject.review, subject.challenge) if one)
    return subject.sanction.sitting if subject.sanction and subject.notice.about == subject.sanction.id else None


def _signed(subject: _Subject) -> str:
    """Returns the post that issued the letter, or the committee that decided, or nothing where no post did."""
    notice, policy, met = subject.notice, subject.policy, _sitting(subject)
    if met and policy.notice(notice.kind).issued_by is None:
        return f"For the {met.committee}"
    office = notice.issued_by.office if notice.issued_by else None
    label = policy.office(office) if office else ""
    return f"{label[:1].upper()}{label[1:]}"


def _section(rule: NoticePart, subject: _Subject) -> Section | None:
    try:
        facts = PARTS[rule.part](subject)
    except (LookupError, AttributeError):
        raise MissingPart(rule.part, rule.sources) from None
    if facts is None:
        return None
    if any(value is None or value == "" for value in facts.values()):
        raise MissingPart(rule.part, rule.sources)
    disengages = subject.sanction is not None and subject.sanction.disengages
    partly = is_partly_practice(rule, subject.policy, disengages=disengages, appeal=subject.rule)
    if rule.part == "ombudsman" and subject.ombudsman:
        return Section(part=rule.part, facts=facts, cites=(*rule.sources, "EH-71"), practice=False, information=True)
    return Section(part=rule.part, facts=facts, cites=rule.sources, practice=is_practice(rule), partly=partly)


def _ended(subject: _Subject) -> bool:
    return subject.sanction is None or not subject.sanction.in_force


def _warning(subject: _Subject) -> Warning:
    return subject.warning or subject.case.warnings[-1]


def _concerns(subject: _Subject) -> Facts:
    """Returns what the customer was warned about, and the day it was first told where that was not in writing."""
    warning = _warning(subject)
    return {"text": warning.findings["concerns"], "told": warning.medium not in WRITTEN and in_words(warning.on)}


def _finding(name: str) -> Callable[[_Subject], Facts | None]:
    return lambda subject: {"text": _warning(subject).findings[name]}


def _restrictions(subject: _Subject) -> Facts | None:
    """Returns the restrictions in words to come; in the letter on a review or appeal only where they were changed."""
    if subject.challenge and subject.sanction is None:
        return None
    sanction = _the(subject.sanction)
    outcome = subject.review.outcome if subject.review else subject.challenge.outcome if subject.challenge else None
    if outcome is not None and (not sanction.in_force or outcome in ("lift", "continue", "uphold", "confirm", NOT_ADMISSIBLE)):
        return None
    return {"restrictions": [_restriction(one.model_dump(mode="json", by_alias=True), subject) for one in sanction.terms.restrictions]}


def _restriction(parameters: Facts, subject: _Subject) -> Facts:
    option = subject.policy.decision.option(str(parameters["type"]))
    dates = parameters.get("dates")
    said = {"dates": [in_words(date.fromisoformat(str(day))) for day in dates]} if isinstance(dates, list) else {}
    return {**parameters, **said, "label": option.label if option else parameters["type"]}


def _the(sanction: Sanction | None) -> Sanction:
    if sanction is None:
        raise LookupError("no sanction")
    return sanction


def _reasons(subject: _Subject) -> Facts | None:
    if subject.review:
        return {"text": subject.review.reasons} if subject.review.reasons or subject.review.outcome != "lift" else None
    if subject.challenge:
        return {"text": subject.challenge.reasons}
    if subject.notice.about == "case":
        return {"text": subject.case.ending_reasons}
    if subject.measure and subject.measure.removed_on:
        return {"text": subject.measure.review_reasons}
    if subject.issue or subject.measure or subject.report:
        return {"text": next(one.reasons for one in (subject.issue, subject.measure, subject.report) if one)}
    return {"text": _recorded(_the(subject.sanction).terms.reasons)}


def _recorded(reasons: str) -> str:
    """Returns the reasons of a decision. Raises LookupError where an imported case does not say them: no letter prints that."""
    if reasons == NOT_RECORDED:
        raise LookupError("the reasons are not recorded")
    return reasons


def _until(subject: _Subject) -> Facts | None:
    if (subject.review or subject.challenge) and _ended(subject):
        return None
    sanction = _the(subject.sanction)
    if sanction.terms.until:
        return {"until": in_words(sanction.terms.until), "open": False}
    due = review_due(subject.case, sanction, subject.policy, subject.calendar)
    open_ended = any(getattr(one, "duration", None) == "permanent" for one in sanction.terms.restrictions) or not sanction.limits
    if due and open_ended:
        return {"until": in_words(due.date), "open": True}
    told_open = not sanction.limits or subject.policy.decision.length.kind.value == "open"
    return None if told_open else {"until": None}


def _review_date(subject: _Subject) -> Facts | None:
    if _ended(subject):
        return None
    sanction = _the(subject.sanction)
    due = subject.review.next_due if subject.review else None
    reckoned = review_due(subject.case, sanction, subject.policy, subject.calendar)
    day = due or (reckoned.date if reckoned else None)
    every = sanction.terms.review_every
    return {
        "day": in_words(day) if day else None,
        "every": every.words if every and every.count > 1 else f"{every.unit[:-1]}" if every else False,
    }


def _appeal(subject: _Subject) -> Facts | None:
    rule = subject.rule
    if rule is None or (subject.review and not subject.review.fresh_appeal):
        return None
    target = subject.review or subject.sanction or subject.warning
    right = right_to(subject.case, target, subject.policy) if target else Right(rule)
    if rule.number.value == "one-per-stage" and target is not None and right and used_by(subject.case, target, right):
        return None
    window = window_of(subject.case, target, Right(rule)) if target else rule.window
    return _how_to_appeal(subject, rule, window, _last_day(subject))


def _how_to_appeal(subject: _Subject, rule: AppealRule, window: Period | None, closes: Reckoned | None) -> Facts:
    to = subject.policy.office(rule.to.value)
    start = event_of(window) if window else NOTIFICATION
    return {
        "once": rule.number.value == "one-per-stage",
        "label": rule.label,
        "to": f"the {to}" if rule.to.value in subject.policy.offices else to,
        "window": window.words if window else "none",
        "closes": in_words(closes.date) if closes else "none",
        "from_receipt": start == "receipt",
        "from_decision": start == "decision",
        "grounds": [one.label for one in rule.only_on],
        "in_writing": bool(rule.in_writing and rule.in_writing.value),
        "email_will_do": _email_open(subject),
        "say_why": rule.grounds.value == "prompt",
    }


def _right(subject: _Subject) -> tuple[Target | None, Right | None]:
    """Returns what this letter tells of, and the right against it."""
    return subject.review or subject.sanction or subject.warning, Right(subject.rule) if subject.rule else None


def _last_day(subject: _Subject) -> Reckoned | None:
    """Returns the last day to appeal: counted from this letter if it gives notice of the decision, else from the one that did."""
    target, right = _right(subject)
    return _closes(subject, target, right) if right else None


def _closes(subject: _Subject, target: Target | None, right: Right) -> Reckoned | None:
    window = window_of(subject.case, target, right) if target else right.rule.window
    if window is None:
        return None
    told_by = right.before.notice if right.before else target.notice if target else None
    own = target is None or told_by in (None, subject.notice.id)
    if target and not (own and event_of(window) == NOTIFICATION):
        return window_closes(subject.case, target, right, subject.calendar)
    ref = right.ref(target) if target else ""
    closes = anew(subject.case, "appeal", ref, window, subject.told, event=NOTIFICATION, calendar=subject.calendar)
    posted = subject.told > subject.calendar.known_until and subject.method in POST_DAYS
    return closes.model_copy(update={"provisional": closes.provisional or posted})


def _next_stage(subject: _Subject) -> Facts | None:
    """Returns how to take the answer of one stage to the next, or nothing where there is none, or nothing is left to challenge."""
    found = _next_right(subject)
    if found is None:
        return None
    target, right = found
    return _how_to_appeal(subject, right.rule, window_of(subject.case, target, right), _closes(subject, target, right))


def _next_right(subject: _Subject) -> tuple[Target, Right] | None:
    """Returns the right that the answer in this letter opens."""
    challenge = _challenge(subject)
    target = target_of(subject.case, challenge)
    right = right_to(subject.case, target, subject.policy)
    return (target, right) if right and right.before and right.before.id == challenge.id else None


def _next_last_day(subject: _Subject) -> Reckoned | None:
    found = _next_right(subject)
    return _closes(subject, *found) if found else None


def _outside(subject: _Subject) -> Facts | None:
    """Returns who outside the body hears an appeal; in the answer of a stage only where no further stage is open."""
    rule = subject.policy.appeal_outside
    if rule is None or (subject.challenge and _next_stage(subject)):
        return None
    return {
        "to": rule.to,
        "how": rule.how,
        "window": rule.window.words if rule.window else "none",
        "after": subject.policy.appeal is not None,
    }


def _meeting(subject: _Subject) -> Facts | None:
    met = _sitting(subject)
    return {"committee": met.committee, "day": in_words(met.on)} if met else None


def _email_open(subject: _Subject) -> bool:
    restrictions = subject.sanction.terms.restrictions if subject.sanction and subject.sanction.in_force else ()
    return all((left := channels_left(one)) is None or "email" in left for one in restrictions)


def _right_of_review(subject: _Subject) -> Facts | None:
    if subject.review and not subject.review.fresh_appeal:
        return None
    return {"label": subject.rule.label} if subject.rule else None


def _requested(subject: _Subject) -> Facts | None:
    rule = subject.policy.review.requested
    if rule is None or _ended(subject):
        return None
    sanction = _the(subject.sanction)
    return {"to": f"the {subject.policy.office(rule.to.value)}", "left": max(0, rule.per_period.value - sanction.requests_used)}


OUTCOMES = {
    "lift": "lifted",
    "continue": "continued",
    "amend": "amended",
    "extend": "extended",
    "tighten": "changed",
    "uphold": "upheld",
    "confirm": "confirmed",
    "vary": "varied",
    "withdraw": "withdrawn",
    "remove": "removed",
    "not-admissible": "not admissible",
}


def _outcome(subject: _Subject) -> Facts:
    if subject.review:
        return {
            "of": "review",
            "outcome": subject.review.outcome,
            "word": OUTCOMES[subject.review.outcome],
            "day": in_words(subject.review.on),
        }
    if subject.challenge:
        outcome = str(subject.challenge.outcome)
        return {"of": "appeal", "outcome": outcome, "word": OUTCOMES[outcome], "of_warning": subject.sanction is None}
    if subject.issue:
        decided = subject.issue.decided_on or subject.told
        return {"of": "new-issue", "outcome": subject.issue.outcome, "word": str(subject.issue.outcome), "day": in_words(decided)}
    if subject.measure and subject.measure.removed_on:
        return {"of": "measure", "outcome": "removed", "word": OUTCOMES["remove"]}
    if subject.measure:
        return {"of": "measure", "outcome": subject.measure.measure, "word": subject.measure.measure}
    if subject.report:
        return {"of": "report", "outcome": subject.report.to, "word": subject.report.to.replace("-", " ")}
    return {"of": "case", "outcome": subject.case.ending, "word": str(subject.case.ending)}


def _late(subject: _Subject) -> Facts:
    challenge = _challenge(subject)
    return {"received": in_words(challenge.on), "decision": challenge.late_decision, "text": challenge.late_reasons}


def _challenge(subject: _Subject) -> Challenge:
    if subject.challenge is None:
        raise LookupError("no appeal")
    return subject.challenge


def _answer_due(subject: _Subject) -> Facts | None:
    challenge = _challenge(subject) if subject.rule else None
    period = answer_period(subject.case, challenge, subject.policy) if challenge else None
    due = answer_due(subject.case, challenge, subject.policy, subject.calendar) if challenge else None
    if challenge is None or period is None:
        return None
    return {"received": in_words(challenge.on), "due": in_words(due.date) if due else None, "period": period.words}


def _moved_date(subject: _Subject) -> Facts | None:
    """Returns what moved: the old date, the new one, why, and the reason a person gave where one decided."""
    one = subject.moved
    if one is None:
        raise LookupError("no moved date")
    notice = next((change for change in subject.case.changes if one in change.moved), None)
    return {
        "what": one.kind,
        "about": TOLD[one.kind].words,
        "was": in_words(one.was),
        "becomes": in_words(one.becomes),
        "days": [{"on": in_words(day.on), "name": day.name} for day in one.because],
        "meetings": [in_words(day) for day in one.meetings],
        "of": notice.why if notice else "calendar",
        "text": one.reasons or "none",
    }


SO_FAR: dict[str, Callable[[_Subject], Reckoned | None]] = {
    "appeal": _last_day,
    "next-stage": _next_last_day,
    "answer-due": lambda subject: answer_due(subject.case, _challenge(subject), subject.policy, subject.calendar),
}
"""Parts that print a date which more bank holidays could move."""


def _known_so_far(sections: list[Section], subject: _Subject) -> list[Section]:
    """Returns the part that says which printed dates are known so far, where there are any (EH-33)."""
    found = [day for section in sections if section.part in SO_FAR and (day := SO_FAR[section.part](subject)) and day.provisional]
    if not found:
        return []
    days = list(dict.fromkeys(in_words(day.date) for day in found))
    facts: Facts = {"days": days, "known": in_words(subject.calendar.known_until)}
    return [Section(part="known-so-far", facts=facts, cites=("EH-33",), practice=True)]


def _whom(who: Who, committee: Committee | None, policy: Policy) -> str:
    """Returns who decides, in a letter's words: the committee, the first office named, or the relation or grade in words."""
    if committee:
        return f"the {committee.label}"
    return f"the {policy.office(who.offices[0])}" if who.offices else named(who, policy)


def _next_steps(subject: _Subject) -> Facts:
    appeal, review = subject.rule, subject.policy.review
    if subject.challenge and appeal:
        grounds = bool(subject.challenge.grounds) or appeal.grounds.value == "optional"
        return {
            "what": "appeal",
            "who": _whom(appeal.decided_by, appeal.committee, subject.policy),
            "ask_why": not grounds,
            "label": appeal.label,
        }
    request = next((one for one in subject.case.requests if one.id == subject.notice.about), None)
    if request:
        return {
            "what": "review",
            "who": _whom(review.by, review.committee, subject.policy),
            "ask_why": request.grounds is None,
            "label": "review",
        }
    return {"what": "monitoring", "who": "the manager who wrote to you", "ask_why": False, "label": "none"}


def _arrangement(subject: _Subject) -> Facts:
    arrangement = subject.case.replies[-1].arrangement
    assert arrangement is not None
    return {"terms": arrangement.model_dump(mode="json", include=set(Arrangement.model_fields))}


def _clear_time(subject: _Subject) -> Facts | None:
    sanction = _the(subject.sanction)
    rule = clear_period(subject.case, sanction, subject.policy.review_of(disengages=sanction.disengages).outcomes["lift"])
    return {"period": rule.words} if rule else None


def _changes(subject: _Subject) -> Facts:
    changes = subject.move.changes if subject.move else ()
    return {"changes": [one.model_dump(include={"what", "old", "new"}) for one in changes]}


def _topics(subject: _Subject) -> Facts | None:
    topics = [topic for one in _the(subject.sanction).terms.restrictions for topic in getattr(one, "topics", ())]
    return {"topics": topics} if topics else None


def _behaviour(subject: _Subject) -> Facts:
    labels = [subject.policy.behaviours[one.code].label for one in subject.case.incidents if one.code in subject.policy.behaviours]
    return {
        "labels": list(dict.fromkeys(labels)) or ["the behaviour described below"],
        "text": _recorded(_the(subject.sanction).terms.reasons),
    }


def _record_kept(subject: _Subject) -> Facts:
    """Returns who keeps and who maintains the record, where the policy names them (MBC-54, MBC-55)."""
    rule = subject.policy.register_
    kept, maintained = (named(who, subject.policy) if who else False for who in (rule and rule.kept_by, rule and rule.maintained_by))
    return {"kept_by": kept, "maintained_by": maintained}


def _links(subject: _Subject) -> Facts | None:
    """Returns the texts of the body that this warning points to, or nothing where it points to none."""
    found = [{"label": one.label, "address": one.address} for one in _warning(subject).links]
    return {"links": found} if found else None


UNDATED = "edition without a date"
"""The label of an edition whose text carries none."""


def _edition(subject: _Subject) -> Facts:
    """Returns which edition applies, and whether its label says only that none is known."""
    label = subject.policy.edition.label
    return {"title": subject.policy.title, "edition": label, "undated": label == UNDATED}


def _what_is_reviewed(subject: _Subject) -> Facts:
    sanction = _the(subject.sanction)
    restrictions = [_restriction(one.model_dump(mode="json", by_alias=True), subject) for one in sanction.terms.restrictions]
    return {"decided": in_words(sanction.decided_on), "restrictions": restrictions}


def _send_in(subject: _Subject) -> Facts:
    due = review_due(subject.case, _the(subject.sanction), subject.policy, subject.calendar)
    return {"by": in_words(due.date) if due else None, "email_will_do": _email_open(subject)}


def _recipient(subject: _Subject) -> Recipient:
    """Returns to whom a letter to somebody else goes. Raises LookupError where it goes to the customer."""
    if subject.notice.recipient is None:
        raise LookupError("no recipient")
    return subject.notice.recipient


def _told_of(subject: _Subject) -> Facts:
    to = _recipient(subject)
    return {"agent": subject.case.customer.name, "text": to.behaviour, "kind": to.kind}


def _whereto(rule: AppealRule, policy: Policy) -> str:
    return f"the {policy.office(rule.to.value)}" if rule.to.value in policy.offices else rule.to.value


PARTS: dict[Part, Callable[[_Subject], Facts | None]] = {
    "concerns": _concerns,
    "way-forward": _finding("way-forward"),
    "consequence": lambda subject: {"label": subject.policy.title},
    "representative": lambda subject: {"offered": True},
    "policy-copy": _edition,
    "edition": _edition,
    "restrictions": _restrictions,
    "reasons": _reasons,
    "until": _until,
    "review-date": _review_date,
    "right-of-review": _right_of_review,
    "appeal": _appeal,
    "requested-review": _requested,
    "outcome": _outcome,
    "late-appeal": _late,
    "answer-due": _answer_due,
    "next-steps": _next_steps,
    "arrangement": _arrangement,
    "contact": lambda subject: {"to": _whereto(subject.rule, subject.policy)} if subject.rule else None,
    "what-ended": lambda subject: {"ended": in_words(_the(subject.sanction).ended_on or subject.told)},
    "enquiries": lambda subject: {"to": subject.policy.enquiries.value} if subject.policy.enquiries else None,
    "clear-time": _clear_time,
    "new-issue": lambda subject: {"text": subject.issue.summary} if subject.issue else None,
    "topics": _topics,
    "challenge": lambda subject: {"label": subject.rule.label} if subject.rule else None,
    "next-stage": _next_stage,
    "appeal-outside": _outside,
    "meeting": _meeting,
    "ombudsman": lambda subject: {"text": subject.ombudsman or subject.policy.ombudsman.value},
    "request-to-change": lambda subject: {"asked": True},
    "behaviour": _behaviour,
    "record-kept": _record_kept,
    "moved-date": _moved_date,
    "known-so-far": lambda subject: None,
    "changes": _changes,
    "links": _links,
    "from-when": lambda subject: {"day": in_words(subject.move.on) if subject.move else None},
    "what-is-reviewed": _what_is_reviewed,
    "send-in": _send_in,
    "agent-behaviour": _told_of,
    "must-change": lambda subject: {"asked": _recipient(subject).kind == "client"},
    "possible-effect": lambda subject: {"text": _recipient(subject).effect},
    "complaint": _told_of,
}
