"""Reviews: at their dates, on request, of the body's own motion; and what each may decide."""

from __future__ import annotations

from datetime import date, timedelta

from domain.case import Case, Review, ReviewRequest, Sanction, Signature, Terms, next_id, with_item
from domain.clocks import review_dates, review_due
from domain.commands import RequestReview, ReviewSanction
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, in_writing, require_consulted, require_findings, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import OutcomeRule, Policy, Requested
from domain.requests import count_request, running_on, used_up
from domain.terms import check_length, check_restrictions


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
            "The review of this period has already been asked for." + ends,
            cites=rule.per_period.sources,
            kept=kept,
            remains="A new period opens a new request.",
        )
    case = count_request(case, sanction, rule=rule, on=on, medium=command.medium, grounds=command.grounds)
    case, _ = owe(case, "review-request-acknowledged", about=case.requests[-1].id, on=on, policy=policy)
    prompt = "" if command.grounds else " The customer is asked why a review is necessary; the review goes ahead either way."
    return decided(
        case, f"Request {case.requests[-1].id} for a review received.{prompt}", cites=(*rule.per_period.sources, *rule.grounds.sources)
    )


def _requested(policy: Policy) -> Requested:
    if policy.review.requested is None:
        label = policy.appeal.label if policy.appeal else "complaint"
        raise Refusal(
            "This policy gives no requested review apart from the appeal.", remains=f"Lodge it as an appeal ({label}) with appeal."
        )
    return policy.review.requested


def _running(case: Case, id: str | None, on: date, rule: Requested) -> Sanction:
    running = [one for one in case.sanctions if running_on(case, one, on) and id in (None, one.id)]
    if not running:
        raise Refusal(
            f"No restrictions ran on {on.isoformat()}.", cites=rule.per_period.sources, remains="An appeal, if its window is open."
        )
    return running[-1]


def review_sanction(case: Case, command: ReviewSanction, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record a review and its outcome; a person decides, at the date or before it."""
    rule, on = policy.review, the_day(command.on, today=today)
    sanction = _under_review(case, command.saw, on)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="review this")
    _independent(sanction, by, policy)
    outcome = _outcome(command, policy)
    _timely(case, sanction, command, policy, calendar, on)
    since = max((review.on for review in case.reviews if review.sanction == sanction.id), default=sanction.decided_on)
    if rule.consult:
        require_consulted(rule.consult, case=case, about="review", decider=by, since=since, policy=policy)
    _outcome_may_stand(case, sanction, command, outcome, policy, on)
    return _reviewed(case, sanction, command, outcome, by, policy=policy, calendar=calendar)


def _under_review(case: Case, saw: str | None, on: date) -> Sanction:
    running = [one for one in case.sanctions if running_on(case, one, on) and one.ended_how in (None, "lapsed")]
    if saw is None and len(running) == 1:
        return running[0]
    found = next((one for one in running if one.id == saw), None)
    if found is None:
        names = ", ".join(one.id for one in running)
        raise Refusal(
            "saw must name the sanction under review.",
            kind="stale",
            remains=f"In force: {names}." if names else "No restrictions are in force.",
        )
    return found


def _independent(sanction: Sanction, by: Signature, policy: Policy) -> None:
    rule = policy.review.independent
    if rule and rule.value and any(one.human == by.human for one in sanction.signatures):
        raise Refusal(
            "The person who took the decision does not review it.", cites=(*rule.sources, "DEF-20"), remains="A different reviewer."
        )


def _outcome(command: ReviewSanction, policy: Policy) -> OutcomeRule:
    rule = policy.review.outcomes.get(command.outcome)
    if rule is None:
        cites = [source for one in policy.review.outcomes.values() for source in one.sources]
        raise Refusal(
            f"{command.outcome} is no outcome of a review here.", cites=cites, remains=f"One of: {', '.join(policy.review.outcomes)}."
        )
    return rule


def _timely(case: Case, sanction: Sanction, command: ReviewSanction, policy: Policy, calendar: Calendar, on: date) -> None:
    match command.why:
        case "requested":
            if _waiting(case, sanction) is None:
                raise Refusal("No request for a review is waiting.", remains="Record it with request_review, or review of your own motion.")
        case "own-motion":
            if not policy.review.own_motion and command.outcome != "lift":
                raise Refusal(
                    "Outside the scheduled review restrictions may only be lifted.",
                    cites=policy.review.by.sources,
                    remains="The scheduled review.",
                )
        case "scheduled":
            _scheduled(sanction, policy, calendar, on)


def _scheduled(sanction: Sanction, policy: Policy, calendar: Calendar, on: date) -> None:
    due = review_due(sanction, policy, calendar)
    day = due.date if due else sanction.terms.until
    opens = policy.review.opens_before
    if day is None or on < day - timedelta(days=opens.count):
        when = f"falls due on {in_words(day)} and opens {opens.words} before" if day else "is not scheduled"
        raise Refusal(f"The review {when}.", cites=opens.sources, remains="An own-motion review.")


def _waiting(case: Case, sanction: Sanction) -> ReviewRequest | None:
    return next((one for one in case.requests if one.sanction == sanction.id and one.done is None), None)


def _outcome_may_stand(case: Case, sanction: Sanction, command: ReviewSanction, rule: OutcomeRule, policy: Policy, on: date) -> None:
    if rule.reasons_needed and command.reasons is None:
        raise Refusal(f"The outcome {command.outcome} needs its reasons.", cites=rule.sources)
    require_findings((*policy.review.requires, *rule.requires), command.findings, act=f"{command.outcome} after the review")
    needs = rule.incident_in_period
    shown = any(sanction.period_start <= incident.on <= on for incident in case.incidents)
    if needs and needs.value and not shown:
        since = in_words(sanction.period_start)
        raise Refusal(
            f"The outcome {command.outcome} needs further unreasonable behaviour in the period; none is recorded since {since}.",
            cites=needs.sources,
            remains="Lift, amend or leave the restrictions until their end.",
        )
    _says_what_changes(sanction, command, rule)


def _says_what_changes(sanction: Sanction, command: ReviewSanction, rule: OutcomeRule) -> None:
    if command.outcome in ("amend", "tighten") and not command.restrictions:
        raise Refusal(f"The outcome {command.outcome} says what the restrictions become: restrictions is missing.", cites=rule.sources)
    if command.outcome == "extend" and (command.until is None or (sanction.terms.until and command.until <= sanction.terms.until)):
        raise Refusal("An extension needs an until later than the present end.", cites=rule.sources)
    if command.outcome in ("lift", "continue") and (command.restrictions or command.until):
        raise Refusal(
            f"The outcome {command.outcome} changes no restriction and no date.", cites=rule.sources, remains="Amend, extend or tighten."
        )
    had = {one.type for one in sanction.terms.restrictions}
    new = sorted({one.type for one in command.restrictions} - had)
    if command.outcome == "amend" and new:
        raise Refusal(
            f"A new restriction ({', '.join(new)}) is no mere amendment.",
            cites=rule.sources,
            remains="Tighten, where behaviour in the period allows it.",
        )


def _reviewed(
    case: Case, sanction: Sanction, command: ReviewSanction, rule: OutcomeRule, by: Signature, *, policy: Policy, calendar: Calendar
) -> Decision:
    id, on = next_id("r", case.reviews), by.on
    changed = _changed(case, sanction, command, policy=policy, calendar=calendar, on=on)
    waiting = _waiting(case, sanction) if command.why == "requested" else None
    requests = with_item(case.requests, waiting.model_copy(update={"done": id})) if waiting else case.requests
    case = case.model_copy(update={"sanctions": with_item(case.sanctions, changed), "requests": requests})
    case, notice = owe(case, "review-outcome", about=id, on=on, policy=policy, by=by)
    following = review_due(changed, policy, calendar) if changed.in_force else None
    review = Review(
        id=id,
        sanction=sanction.id,
        on=on,
        why=command.why,
        outcome=command.outcome,
        signatures=(by,),
        reasons=command.reasons,
        findings=command.findings,
        notice=notice,
        fresh_appeal=bool(rule.fresh_appeal and rule.fresh_appeal.value),
        restrictions=changed.terms.restrictions,
        until=changed.terms.until,
        next_due=following.date if following else None,
    )
    next_words = f" Next review on {in_words(following.date)}." if following else ""
    return decided(
        case.model_copy(update={"reviews": (*case.reviews, review)}),
        f"Reviewed as {id}: {command.outcome}.{next_words}",
        cites=(*policy.review.by.sources, *rule.sources),
    )


def _changed(case: Case, sanction: Sanction, command: ReviewSanction, *, policy: Policy, calendar: Calendar, on: date) -> Sanction:
    settled = sanction.model_copy(
        update={"settled_through": _settled_through(sanction, policy, calendar, on), "ended_on": None, "ended_how": None}
    )
    match command.outcome:
        case "lift":
            return settled.model_copy(update={"ended_on": on, "ended_how": "lifted"})
        case "continue":
            return settled if sanction.ended_how is None else sanction
        case "extend":
            update = {
                "terms": _new_terms(case, sanction, command, policy=policy, calendar=calendar, on=on),
                "period_start": on,
                "requests_used": 0,
            }
            return settled.model_copy(update=update)
        case _:
            return settled.model_copy(update={"terms": _new_terms(case, sanction, command, policy=policy, calendar=calendar, on=on)})


def _settled_through(sanction: Sanction, policy: Policy, calendar: Calendar, on: date) -> date | None:
    """Returns the last due date this review answers: those past, and one that falls within the 28 days (DEF-13)."""
    reach, settled = on + timedelta(days=policy.review.opens_before.count), sanction.settled_through
    for due in review_dates(sanction, policy, calendar):
        if due.date > reach:
            return settled
        settled = due.date
    return settled


def _new_terms(case: Case, sanction: Sanction, command: ReviewSanction, *, policy: Policy, calendar: Calendar, on: date) -> Terms:
    restrictions = command.restrictions or sanction.terms.restrictions
    until = command.until or sanction.terms.until
    terms = sanction.terms.model_copy(update={"restrictions": restrictions, "until": until})
    check_restrictions(case, restrictions, terms=terms, policy=policy)
    check_length(restrictions, until, policy=policy, calendar=calendar, on=on)
    return terms
