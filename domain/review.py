"""Reviews: at their dates, on request, of the body's own motion; who looks, who decides, what they may decide."""

from __future__ import annotations

from datetime import date, timedelta

from domain.case import (
    Case,
    ProposedReview,
    Recommendation,
    Review,
    ReviewRequest,
    ReviewTerms,
    Sanction,
    Signature,
    Sitting,
    next_id,
    with_item,
)
from domain.commands import Approve, Recommend, Reject, RequestReview, ReviewSanction
from domain.committee import deciders, deciding_day, sitting
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, consulted_about, forbid, in_writing, require_consulted, require_findings, sign, the_day
from domain.notices import owe
from domain.outcomes import applied, require_outcome
from domain.people import Actor
from domain.policy import OutcomeRule, Policy, Requested, ReviewRule
from domain.requests import count_request, running_on, used_up
from domain.restrictions import tightens
from domain.review_clocks import review_due


def request_review(case: Case, command: RequestReview, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Lodge the customer's request for a review; one a period, apart from any appeal."""
    rule, on = _requested(policy), the_day(command.on, today=today)
    sanction = _running(case, command.sanction, on, rule)
    if rule.in_writing.value and not in_writing(case, command.medium):
        kept, _ = owe(case, "how-to-write", about=sanction.id, on=on, policy=policy)
        raise Refusal(
            "A review is asked for in writing.",
            cites=rule.in_writing.sources,
            kept=kept,
            remains="The customer is told how to put it in writing; the request has not been used up.",
        )
    if used_up(sanction, rule):
        kept, _ = owe(case, "review-request-refused", about=sanction.id, on=on, policy=policy)
        ends = f" The restrictions end on {in_words(sanction.terms.until)}." if sanction.terms.until else ""
        raise Refusal(
            f"The review of this period has already been asked for.{ends}",
            cites=rule.per_period.sources,
            kept=kept,
            remains="A new period opens a new request.",
        )
    case = count_request(case, sanction, rule=rule, on=on, medium=command.medium, grounds=command.grounds)
    case, _ = owe(case, "review-request-acknowledged", about=case.requests[-1].id, on=on, policy=policy)
    prompt = "" if command.grounds else " The customer is asked why a review is necessary; the review goes ahead either way."
    cites = (*rule.per_period.sources, *rule.grounds.sources, *rule.must_be_held.sources)
    return decided(case, f"Request {case.requests[-1].id} for a review received.{prompt}", cites=cites)


def _requested(policy: Policy) -> Requested:
    if policy.review.requested is not None:
        return policy.review.requested
    if policy.appeal is None:
        raise Refusal("This policy gives no requested review.", cites=policy.ombudsman.sources, remains="The body's complaints procedure.")
    remains = f"Lodge it as an appeal ({policy.appeal.label}) with appeal."
    raise Refusal("This policy gives no requested review apart from the appeal.", cites=policy.appeal.number.sources, remains=remains)


def _running(case: Case, id: str | None, on: date, rule: Requested) -> Sanction:
    running = [one for one in case.sanctions if running_on(case, one, on) and id in (None, one.id)]
    if not running:
        cites = rule.per_period.sources
        raise Refusal(f"No restrictions ran on {on.isoformat()}.", cites=cites, remains="An appeal, if its window is open.")
    return running[-1]


def recommend(case: Case, command: Recommend, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Look first at a review that somebody else decides, and recommend its outcome."""
    on = the_day(command.on, today=today)
    sanction = _under_review(case, command.saw, on)
    rule = policy.review_of(disengages=sanction.disengages)
    if rule.prepared_by is None:
        raise Refusal("Under this policy nobody looks first at a review.", cites=rule.by.sources, remains="Record it with review.")
    by = authorise(rule.prepared_by, actor=actor, case=case, policy=policy, on=on, act="look at this review")
    made = Recommendation(
        id=next_id("f", case.recommendations), sanction=sanction.id, on=on, by=by, outcome=command.outcome, reasons=command.reasons
    )
    case = case.model_copy(update={"recommendations": (*case.recommendations, made)})
    return decided(case, f"Recommended for {sanction.id}: {command.outcome}.", cites=rule.prepared_by.sources)


def review_sanction(case: Case, command: ReviewSanction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a review and its outcome; where it takes two people, it waits for the second."""
    on = deciding_day(command, policy.review.committee if command.meeting else None, today=today)
    sanction = _under_review(case, command.saw, on)
    rule = policy.review_of(disengages=sanction.disengages)
    signatures = deciders(rule.by, rule.committee, command, actor=actor, case=case, policy=policy, on=on, act="review this")
    terms = _terms(command)
    outcome = require_outcome(case, sanction, terms, policy=policy, calendar=calendar, on=on)
    for by in signatures:
        _may_review(case, sanction, terms, rule, by, actor=actor, policy=policy, calendar=calendar)
    _new_need_their_own_sign_off(case, sanction, terms, actor=actor, policy=policy, on=on)
    require_findings((*rule.requires, *outcome.requires), terms.findings, act=f"{terms.outcome} after the review")
    if rule.people and rule.people.value > 1 and rule.committee is None:
        return _waits_for_second(case, sanction, terms, signatures[0], rule)
    met = sitting(rule.committee, command)
    return _reviewed(case, sanction, terms, outcome, signatures, met, policy=policy, calendar=calendar)


def _new_need_their_own_sign_off(case: Case, sanction: Sanction, terms: ReviewTerms, *, actor: Actor, policy: Policy, on: date) -> None:
    """Refuses a reviewer who adds a measure, or more of one, that somebody else must sign off (PCC-61)."""
    had = {one.type: one for one in sanction.terms.restrictions}
    reviewers = policy.review_of(disengages=sanction.disengages).by.offices
    for one in terms.restrictions:
        option = policy.decision.option(one.type)
        grown = one.type not in had or tightens(had[one.type], one)
        sign_off = policy.decision.sign_offs[option.sign_off] if option else None
        if option and sign_off and grown and sign_off.decided_by.offices not in ((), reviewers):
            forbid(sign_off.never_by, actor=actor, policy=policy, act=f"decide this: {option.label}")
            authorise(sign_off.decided_by, actor=actor, case=case, policy=policy, on=on, act=f"decide this: {option.label}")


def _terms(command: ReviewSanction) -> ReviewTerms:
    return ReviewTerms(
        why=command.why,
        outcome=command.outcome,
        reasons=command.reasons,
        restrictions=command.restrictions,
        until=command.until,
        review_on=command.review_on,
        review_every=command.review_every,
        findings=command.findings,
    )


def _may_review(
    case: Case, sanction: Sanction, terms: ReviewTerms, rule: ReviewRule, by: Signature, *, actor: Actor, policy: Policy, calendar: Calendar
) -> None:
    _independent(sanction, by, rule)
    _timely(case, sanction, terms, policy, calendar, by.on)
    since = max((review.on for review in case.reviews if review.sanction == sanction.id), default=sanction.decided_on)
    if rule.consult:
        require_consulted(rule.consult, case=case, about="review", decider=by, since=since, policy=policy, actor=actor)
    if rule.prepared_by and not any(one.sanction == sanction.id and since <= one.on <= by.on for one in case.recommendations):
        raise Refusal("Nobody has looked at this review first.", cites=rule.prepared_by.sources, remains="recommend comes before review.")


def _waits_for_second(case: Case, sanction: Sanction, terms: ReviewTerms, by: Signature, rule: ReviewRule) -> Decision:
    earlier = tuple(one if one.closed else one.model_copy(update={"closed": "replaced"}) for one in case.proposed_reviews)
    proposed = ProposedReview(id=next_id("v", earlier), sanction=sanction.id, on=by.on, by=by, terms=terms)
    case = case.model_copy(update={"proposed_reviews": (*earlier, proposed)})
    cites = rule.people.sources if rule.people else ()
    return decided(case, f"Review proposed as {proposed.id}: {terms.outcome}. A second person signs it.", cites=cites)


def approve_review(case: Case, command: Approve, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Sign the outcome of a review as the second person, of another grade."""
    on, proposed = the_day(command.on, today=today), _proposed(case, command.saw)
    second = _second(proposed, actor, policy, on)
    if on < proposed.on:
        raise Refusal(f"{proposed.id} was proposed on {proposed.on.isoformat()}, after this sign-off.")
    sanction = _under_review(case, proposed.sanction, on)
    outcome = require_outcome(case, sanction, proposed.terms, policy=policy, calendar=calendar, on=on)
    signed = with_item(case.proposed_reviews, proposed.model_copy(update={"closed": "decided"}))
    case = case.model_copy(update={"proposed_reviews": signed})
    return _reviewed(case, sanction, proposed.terms, outcome, (proposed.by, second), None, policy=policy, calendar=calendar)


def reject_review(case: Case, command: Reject, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Refuse the proposed outcome of a review; the review is still owed."""
    proposed = _proposed(case, command.saw)
    _second(proposed, actor, policy, the_day(command.on, today=today))
    closed = with_item(case.proposed_reviews, proposed.model_copy(update={"closed": "rejected"}))
    return decided(case.model_copy(update={"proposed_reviews": closed}), f"{proposed.id} was not approved.")


def _proposed(case: Case, saw: str | None) -> ProposedReview:
    if case.open_review is None or case.open_review.id != saw:
        waiting = f"{case.open_review.id} waits." if case.open_review else "No review waits for a second person."
        raise Refusal("saw must name the proposed review you read.", kind="stale", remains=waiting)
    return case.open_review


def _second(proposed: ProposedReview, actor: Actor, policy: Policy, on: date) -> Signature:
    if actor.person is None:
        raise Refusal("Only staff may sign a review.")
    rule = policy.review_of(disengages=True)
    cites = (*(rule.people.sources if rule.people else ()), "DEF-20")
    if actor.person.human == proposed.by.human:
        raise Refusal("Whoever proposed this may not also approve it.", cites=cites, remains="Somebody else approves.")
    if actor.person.grade is None or actor.person.grade == proposed.by.grade:
        raise Refusal("The two people must be at different grades, and their grades on record.", cites=cites)
    return sign(actor.person, on)


def _under_review(case: Case, saw: str | None, on: date) -> Sanction:
    running = [one for one in case.sanctions if running_on(case, one, on) and one.ended_how in (None, "lapsed")]
    if saw is None and len(running) == 1:
        return running[0]
    found = next((one for one in running if one.id == saw), None)
    if found is None:
        names = ", ".join(one.id for one in running)
        remains = f"In force: {names}." if names else "No restrictions are in force."
        raise Refusal("saw must name the sanction under review.", kind="stale", remains=remains)
    return found


def _independent(sanction: Sanction, by: Signature, rule: ReviewRule) -> None:
    independent = rule.independent
    if independent and independent.value and any(one.human == by.human for one in sanction.signatures):
        cites = (*independent.sources, "DEF-20")
        raise Refusal("The person who took the decision does not review it.", cites=cites, remains="A different reviewer.")


def _timely(case: Case, sanction: Sanction, terms: ReviewTerms, policy: Policy, calendar: Calendar, on: date) -> None:
    rule = policy.review_of(disengages=sanction.disengages)
    match terms.why:
        case "requested":
            if _waiting(case, sanction) is None:
                remains = "Record it with request_review, or review of your own motion."
                raise Refusal("No request for a review is waiting.", remains=remains)
        case "own-motion":
            if not rule.own_motion and terms.outcome != "lift":
                cites = rule.by.sources
                raise Refusal("Outside the scheduled review restrictions may only be lifted.", cites=cites, remains="The scheduled review.")
        case "scheduled":
            _scheduled(case, sanction, policy, calendar, on)


def _scheduled(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar, on: date) -> None:
    due = review_due(case, sanction, policy, calendar)
    day = due.date if due else sanction.terms.until
    opens = policy.review_of(disengages=sanction.disengages).opens_before
    if day is None or on < day - timedelta(days=opens.count):
        when = f"falls due on {in_words(day)} and opens {opens.words} before" if day else "is not scheduled"
        raise Refusal(f"The review {when}.", cites=opens.sources, remains="An own-motion review.")


def _waiting(case: Case, sanction: Sanction) -> ReviewRequest | None:
    return next((one for one in case.requests if one.sanction == sanction.id and one.done is None), None)


def _reviewed(
    case: Case,
    sanction: Sanction,
    terms: ReviewTerms,
    rule: OutcomeRule,
    signatures: tuple[Signature, ...],
    met: Sitting | None,
    *,
    policy: Policy,
    calendar: Calendar,
) -> Decision:
    id, by = next_id("r", case.reviews), signatures[-1]
    changed = applied(case, sanction, terms, rule, policy=policy, calendar=calendar, on=by.on)
    waiting = _waiting(case, sanction) if terms.why == "requested" else None
    requests = with_item(case.requests, waiting.model_copy(update={"done": id})) if waiting else case.requests
    case = case.model_copy(update={"sanctions": with_item(case.sanctions, changed), "requests": requests})
    case, notice = owe(case, "review-outcome", about=id, on=by.on, policy=policy, by=by)
    following = review_due(case, changed, policy, calendar) if changed.in_force else None
    review = Review(
        id=id,
        sanction=sanction.id,
        on=by.on,
        why=terms.why,
        outcome=terms.outcome,
        signatures=signatures,
        reasons=terms.reasons,
        findings=terms.findings,
        notice=notice,
        consulted=consulted_about(case, "review", by.on),
        fresh_appeal=bool(rule.fresh_appeal and rule.fresh_appeal.value),
        restrictions=changed.terms.restrictions,
        until=changed.terms.until,
        next_due=following.date if following else None,
        sitting=met,
    )
    next_words = f" Next review on {in_words(following.date)}." if following else ""
    cites = (*policy.review_of(disengages=sanction.disengages).by.sources, *rule.sources)
    return decided(
        case.model_copy(update={"reviews": (*case.reviews, review)}), f"Reviewed as {id}: {terms.outcome}.{next_words}", cites=cites
    )
