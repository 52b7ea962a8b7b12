"""What waits for whom, by when, under which clause; and the flags that must never stay unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.agreements import unanswered
from domain.case import NOT_RECORDED, Case, Notice, Sanction
from domain.clocks import all_deadlines
from domain.contacts import waiting_contacts
from domain.dateless import last_report
from domain.days import Calendar, in_words
from domain.destruction_due import TWO, standing_holds, to_sign
from domain.disengagement import contacts_to_answer
from domain.end_clocks import end_of_case, retention_ends
from domain.imported import to_complete
from domain.informing import to_inform
from domain.letter_clocks import letter_clocks
from domain.measures import measures_owed, rule_of
from domain.mistake import TELL, to_be_told
from domain.moved_tasks import moved_tasks, so_far
from domain.policy import Policy
from domain.postable import BY_POST, posting_problem
from domain.questions import not_made_out, open_questions
from domain.register_writers import writers
from domain.review_clocks import measure_reviews, review_due, without_review_date
from domain.rights import appeal_rule_of
from domain.rules import Committee, Who
from domain.steps import continued_since, living_warning
from domain.task import Task as Task


def tasks(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> tuple[Task, ...]:
    """Returns what the case waits for, the earliest first."""
    if case.destroyed_on:
        return ()
    found = [
        *_before_decision(case, policy, today),
        *_sign_off(case, policy),
        *_letters(case, policy),
        *_address(case),
        *_challenges(case, policy, calendar),
        *_reviews(case, policy, calendar),
        *_escalated(case, policy, calendar),
        *_untold_letters(case, policy, calendar),
        *_measures(case, policy),
        *_faults(case),
        *_incomplete(case, policy),
        *_dateless(case, policy, calendar),
        *_holds(case),
        *_new_issues(case, policy, calendar),
        *_standing_measures(case, policy, calendar),
        *_contacts(case, policy),
        *_agreements(case, policy),
        *_informs(case, policy),
        *_departures(case, policy),
        *_reports(case, policy),
        *_mistakes(case, policy),
        *_end(case, policy, calendar, today),
        *moved_tasks(case, policy, calendar),
    ]
    found = [*_questions(case, policy), *(_with_not_made_out(task, case, policy) for task in found)]
    return tuple(sorted(so_far(found, case, policy, calendar), key=lambda task: (task.due or date.min, task.kind, task.ref)))


def _for(who: Who | None, case: Case) -> dict[str, tuple[str, ...]]:
    if who is not None and who.offices:
        return {"offices": who.offices}
    if who is not None and who.at_or_above:
        return {"people": (f"grade-from:{who.at_or_above.value}",)}
    if who is not None and who.relation == "line-manager-of-contact":
        return {"people": (f"line-manager-of:{case.contact_officer or _importer(case)}",)}
    if who is not None and who.relation == "gave-the-warning" and case.warnings:
        return {"people": (_known(case.warnings[-1].by.person, case),)}
    if who is not None and who.relation == "applied-the-sanction" and case.sanctions:
        return {"people": (_known(case.sanctions[-1].signatures[0].person, case),)}
    nearest = case.contact_officer or _importer(case)
    return {"people": (nearest,) if nearest else ()}


def _importer(case: Case) -> str | None:
    """Returns who took an imported case over: what would be for somebody its record does not name is for them."""
    return case.imported.by if case.imported else None


def _known(person: str, case: Case) -> str:
    return (case.contact_officer or _importer(case) or person) if person == NOT_RECORDED else person


def _questions(case: Case, policy: Policy) -> Iterator[Task]:
    """Yields the incidents with open questions, while anything can still rest on them."""
    if end_of_case(case):
        return
    for one in case.incidents:
        if waiting := open_questions(one, case, policy):
            yield Task(
                kind="incident-questions",
                what=f"Answer the questions of {one.id}: {', '.join(rule.finding for rule in waiting)}",
                ref=one.id,
                cites=tuple(source for rule in waiting for source in rule.sources),
                command="complete_incident",
                **_for(None, case),
            )


def _with_not_made_out(task: Task, case: Case, policy: Policy) -> Task:
    """Returns a decider's task with the incidents whose examples are not made out; it holds nobody back."""
    if task.kind not in ("decide", "sign-off"):
        return task
    short, sources = not_made_out(case, policy)
    if not short:
        return task
    cites = tuple(dict.fromkeys((*task.cites, *sources)))
    return task.model_copy(update={"what": f"{task.what}. Not made out: {', '.join(short)}", "cites": cites})


def _who_acts(who: Who, committee: Committee | None) -> Who:
    """Returns whose task a decision is: whoever records it, where a committee decides."""
    return committee.recorded_by if committee else who


def _before_decision(case: Case, policy: Policy, today: date) -> Iterator[Task]:
    if case.sanctions or case.ending or case.open_proposal:
        return
    ordinary = next(iter(policy.decision.sign_offs.values()))
    decider = _who_acts(ordinary.decided_by, ordinary.committee)
    if case.referrals:
        yield Task(
            kind="decide",
            what="Assess the referral and decide",
            ref="case",
            cites=decider.sources,
            command="impose_sanction",
            **_for(decider, case),
        )
    elif policy.step_one and case.warnings:
        yield from _step_one(case, policy, today)
    elif (found := living_warning(case, policy, on=today)) and continued_since(case, found[1], until=today):
        after = policy.warning.behaviour_after
        yield Task(
            kind="decide",
            what="The behaviour continued after the warning: decide",
            ref="case",
            cites=after.sources if after else decider.sources,
            command="impose_sanction",
            **_for(decider, case),
        )
    elif policy.warning.needed.value == "no" and case.incidents:
        yield from _conversations(case, policy)
    elif not case.standing_warnings and case.incidents:
        needed = policy.warning.needed
        yield Task(
            kind="warn",
            what="Give a warning, or withdraw the case",
            ref="case",
            cites=needed.sources,
            command="warn",
            **_for(policy.warning.given_by, case),
        )


def _conversations(case: Case, policy: Policy) -> Iterator[Task]:
    held = {one.step for one in case.discussions}
    following = next((rule for rule in policy.discussions if rule.step not in held), None)
    if following:
        what = f"Hold the {following.step.replace('-', ' ')}"
        yield Task(kind="discuss", what=what, ref="case", cites=following.sources, command="discuss", **_for(None, case))
    elif policy.referral:
        who = policy.referral.by
        yield Task(kind="refer", what="Refer the matter for a decision", ref="case", cites=who.sources, command="refer", **_for(who, case))


def _step_one(case: Case, policy: Policy, today: date) -> Iterator[Task]:
    assert policy.step_one is not None
    cites, whose = policy.step_one.replies.sources, {"people": (_known(case.warnings[-1].by.person, case),)}
    if not case.replies:
        yield Task(
            kind="record-reply",
            what="Seek agreement and record how step one ended",
            ref=case.warnings[-1].id,
            cites=cites,
            command="record_reply",
            **whose,
        )
    elif case.replies[-1].reply != "agreed" or continued_since(case, case.replies[-1].on, until=today):
        yield Task(kind="refer", what="Refer the matter: step one failed", ref="case", cites=cites, command="refer", **whose)
    elif any(key.startswith("monitoring-review:") for key in case.passed):
        yield Task(
            kind="monitoring",
            what="Look whether the arrangement works, or withdraw the case",
            ref="case",
            cites=policy.step_one.monitoring.sources,
            **whose,
        )


def _sign_off(case: Case, policy: Policy) -> Iterator[Task]:
    proposal = case.open_proposal
    if proposal:
        rule = policy.decision.sign_offs[proposal.sign_off]
        who = _who_acts(rule.decided_by, rule.committee)
        yield Task(
            kind="sign-off",
            what=f"Approve or reject {proposal.id}",
            ref=proposal.id,
            cites=who.sources,
            command="approve",
            **_for(who, case),
        )
    if case.open_review:
        people = policy.review_of(disengages=True).people
        what = f"Sign the outcome of the review {case.open_review.id} as the second person"
        whose = {"people": (f"line-manager-of:{case.open_review.by.person}",)}
        yield Task(kind="sign-off", what=what, ref=case.open_review.id, cites=people.sources if people else (), command="approve", **whose)


def _measures(case: Case, policy: Policy) -> Iterator[Task]:
    for rule in measures_owed(case, policy):
        cites = rule.always_if.sources if rule.always_if else ()
        yield Task(kind="measure", what=f"Compulsory: {rule.label}", ref="case", cites=cites, command="take_measure", **_for(rule.by, case))


def _escalated(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    """Yields what was not done in time, for somebody besides whoever did not do it (DEF-12)."""
    pending = {one.id for one in case.challenges if one.pending}
    told: set[str] = set()
    for one in all_deadlines(case, policy, calendar):
        unheld = one.kind in ("review-overdue", "measure-review-due") or (one.kind == "answer-due" and one.ref in pending)
        if unheld and one.key in case.passed and one.ref not in told:
            told.add(one.ref)
            name = "answer" if one.kind == "answer-due" else "review"
            missed = sum(key.startswith(f"{one.kind}:{one.ref}:") for key in case.passed)
            so_far = f", {missed} missed so far" if missed > 1 else ""
            what = f"The {name} of {one.ref} due on {in_words(one.reckoned.date)} is overdue{so_far}: see that it is given"
            whose = _for(policy.escalation, case)
            yield Task(kind="escalated", what=what, ref=one.ref, due=one.reckoned.date, cites=policy.escalation.sources, **whose)


def _untold_letters(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    """Yields the letters that did not go in five working days, for somebody besides whoever is to send them (EH-34, DEF-12)."""
    status = {one.id: one.status for one in case.notices}
    for one in letter_clocks(case, calendar):
        if one.key in case.passed:
            due = one.reckoned.date
            what = f"The letter {one.ref} is {status[one.ref]} and was to be on its way by {in_words(due)}: see that the customer is told"
            cites = (*policy.escalation.sources, *one.reckoned.defaults)
            yield Task(kind="escalated", what=what, ref=one.ref, due=due, cites=cites, **_for(policy.escalation, case))


def _incomplete(case: Case, policy: Policy) -> Iterator[Task]:
    missing = to_complete(case, policy)
    if missing and case.imported:
        what = f"Complete the imported record: {', '.join(missing)}"
        may = writers(policy)
        whose = _for(may[0], case) if may else {"people": (case.imported.by,)}
        cites = may[0].sources if may else ()
        yield Task(kind="complete-record", what=what, ref="case", cites=cites, command="complete_record", **whose)


def _dateless(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    """Yields every entry without a next review date, under the day it last came up, where the policy has it come up again (NE-34)."""
    columns = policy.register_.columns if policy.register_ else ()
    cites = next((one.sources for one in columns if one.column == "next-review"), policy.escalation.sources)
    for sanction in without_review_date(case, policy, calendar):
        what = f"{sanction.id} has no date of its next review: see that it gets one"
        due = last_report(case, sanction)
        yield Task(kind="no-review-date", what=what, ref=sanction.id, due=due, cites=cites, **_for(policy.escalation, case))


def _holds(case: Case) -> Iterator[Task]:
    for id, hold in standing_holds(case):
        if f"hold-review:{id}:{hold.review_on.isoformat()}" in case.passed:
            what = f"Look whether destruction must stay on hold for {id}; end the hold, or place another with a later date first"
            whose = {"people": (hold.by,)}
            yield Task(kind="hold", what=what, ref=id, due=hold.review_on, cites=("DEF-19",), command="release_hold", **whose)


def _faults(case: Case) -> Iterator[Task]:
    for id in case.set_aside:
        what = f"Look into the message {id}, which a fault in the program set aside"
        yield Task(kind="fault", what=what, ref=id, command="acknowledge_fault", **_for(None, case))


def _new_issues(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    who = policy.contact.new_issue_decided_by
    due = {one.ref: one.reckoned.date for one in all_deadlines(case, policy, calendar) if one.kind == "new-issue-target"}
    for one in case.new_issues:
        if who and one.outcome is None:
            what = f"Decide whether the restrictions still fit, given the new issue {one.id}"
            yield Task(
                kind="new-issue",
                what=what,
                ref=one.id,
                due=due.get(one.id),
                cites=who.sources,
                command="decide_new_issue",
                **_for(who, case),
            )


def _standing_measures(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    opened = {one.ref for one in all_deadlines(case, policy, calendar) if one.kind == "measure-review-opens" and one.key in case.passed}
    for taken, due in measure_reviews(case, policy, calendar):
        rule = rule_of(taken, policy)
        if taken.id in opened and rule:
            yield Task(
                kind="measure-review",
                what=f"Look again at {rule.label} ({taken.id}): keep it, or remove it",
                ref=taken.id,
                due=due.date,
                cites=(*due.cites, *due.defaults),
                command="review_measure",
                **_for(rule.by, case),
            )


def _contacts(case: Case, policy: Policy) -> Iterator[Task]:
    rule = policy.contact.reply_if
    for one in contacts_to_answer(case, policy):
        yield Task(
            kind="reply",
            what=f"Answer the contact {one.id}: it is on another topic",
            ref=one.id,
            cites=rule.sources if rule else (),
            command="answer_contact",
            **_for(None, case),
        )


def _agreements(case: Case, policy: Policy) -> Iterator[Task]:
    for one in unanswered(case, policy):
        what = f"Record whether the customer accepts the written agreement of {one.restriction}, or refuses it"
        yield Task(kind="agreement", what=what, ref=one.restriction, cites=one.cites, command="record_agreement", **_for(None, case))


def _informs(case: Case, policy: Policy) -> Iterator[Task]:
    for rule, event in to_inform(case, policy):
        whose = _for(None, case)
        what = f"Make the {rule.label} aware of the {event.at} of {event.about}"
        of = f"{event.at}/{rule.team}"
        yield Task(kind="inform", what=what, ref=event.about, cites=rule.sources, command="record_informed", of=of, **whose)


def _departures(case: Case, policy: Policy) -> Iterator[Task]:
    if end_of_case(case):
        return
    decider = next(iter(policy.decision.sign_offs.values())).decided_by
    whose = _for(None if case.contact_officer else decider, case)
    rule = policy.contact.reply_if
    for one in waiting_contacts(case):
        classify = one.classify and not one.departs
        what = f"Classify the contact {one.id}" if classify else f"Decide whether the contact {one.id} is continued behaviour"
        what += f", and {one.more} more like it up to {in_words(one.more_until)}" if one.more and one.more_until else ""
        cites = rule.sources if classify and rule else ("A-36",)
        command = "classify_contact" if classify else "report_behaviour"
        yield Task(kind="contact", what=what, ref=one.id, cites=cites, command=command, **whose)


def _reports(case: Case, policy: Policy) -> Iterator[Task]:
    rule = policy.external_report
    for one in case.external_reports:
        if rule and one.to != "neither" and one.informed_on is None:
            what = f"Tell the customer of the report {one.id}, or record why not yet"
            yield Task(
                kind="tell-of-report", what=what, ref=one.id, people=(one.by.person,), cites=rule.tell.sources, command="tell_of_report"
            )


def _mistakes(case: Case, policy: Policy) -> Iterator[Task]:
    whose = _for(None if case.contact_officer else next(iter(policy.decision.sign_offs.values())).decided_by, case)
    for ref, who in to_be_told(case, policy):
        what = f"Tell {who} that the case was a mistake, or record why not"
        yield Task(kind="tell-of-mistake", what=what, ref=ref, cites=(TELL,), command="record_mistake_told", **whose)


def _letters(case: Case, policy: Policy) -> Iterator[Task]:
    for notice in case.notices:
        match notice.status:
            case "to-issue":
                yield _issue(notice, case, policy)
            case "sent" if notice.read_out == "owed":
                what = f"Read the letter {notice.id} ({notice.kind}) out to the customer, as agreed; its script is with it"
                yield Task(kind="letter", what=what, ref=notice.id, cites=("EH-110",), command="record_notification", **_for(None, case))
            case "uncertain":
                what = f"Find out whether the letter {notice.id} ({notice.kind}) went: record that it did, or issue it again"
                yield Task(kind="letter", what=what, ref=notice.id, cites=("DEF-14",), command="record_notification", **_for(None, case))
            case "blocked" | "returned":
                yield Task(
                    kind="letter",
                    what=f"The letter {notice.id} ({notice.kind}) is {notice.status}: {_another_way(notice)}",
                    ref=notice.id,
                    cites=("DEF-14",),
                    command="record_notification",
                    **_for(None, case),
                )


def _address(case: Case) -> Iterator[Task]:
    """Yields the customer's address that no letter can be posted to, while a letter may still be owed."""
    if (problem := posting_problem(case.customer)) and not end_of_case(case):
        what = f"{BY_POST}: {problem}. Mend it before a letter is due"
        yield Task(kind="address", what=what, ref="customer", cites=("EH-111",), command="correct_address", **_for(None, case))


def _another_way(notice: Notice) -> str:
    if notice.recipient is not None:
        return "it was for somebody else; find out where they are reached"
    return "mend what stops it and issue it again, or tell the customer another way"


def _issue(notice: Notice, case: Case, policy: Policy) -> Task:
    rule = policy.notice(notice.kind)
    who = rule.issued_by
    return Task(
        kind="issue",
        what=f"Issue the {rule.label} {notice.id}",
        ref=notice.id,
        cites=who.sources if who else (),
        command="issue_notice",
        **_for(who, case),
    )


def _challenges(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    due = {one.ref: one.reckoned.date for one in all_deadlines(case, policy, calendar) if one.kind in ("answer-due", "answer-target")}
    for one in case.challenges:
        if not one.pending:
            continue
        answer, rule = due.get(one.id), appeal_rule_of(case, one, policy)
        if one.awaiting_lateness:
            who = rule.late_decided_by or _who_acts(rule.decided_by, rule.committee)
            what, command = "is late: let it in or decline it", "accept_late_appeal"
        elif rule.gathered_by and one.passed_on is None:
            who, what, command = rule.gathered_by, "is to be passed to its decider with the papers", "pass_appeal"
        else:
            outside = rule.only_on and not set(one.on_grounds) & {ground.ground for ground in rule.only_on}
            what = (
                "names no ground of the list: decide whether it is admissible, and answer" if outside else "is to be decided and answered"
            )
            who, command = _who_acts(rule.decided_by, rule.committee), "decide_appeal"
        period = rule.answer or rule.answer_target
        cites = period.sources if period else who.sources
        yield Task(
            kind="appeal",
            what=f"{rule.label.capitalize()} {one.id} {what}",
            ref=one.id,
            due=answer,
            cites=(*cites, *who.sources),
            command=command,
            **_for(who, case),
        )


def _reviews(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Task]:
    opened = {key.rsplit(":", 1)[0] for key in case.passed}
    for sanction in case.in_force:
        due = review_due(case, sanction, policy, calendar)
        days = policy.review_of(disengages=sanction.disengages).opens_before.count
        if due and f"review-opens:{sanction.id}" in opened and _opened(case, sanction.id, due.date, days):
            yield _review(case, sanction, policy, what=f"Review {sanction.id}", due=due.date, cites=due.cites)
        elif f"end-approaches:{sanction.id}" in opened and policy.review_of(disengages=sanction.disengages).cycle is None:
            what = f"Review {sanction.id}, or let it end"
            yield _review(case, sanction, policy, what=what, due=sanction.terms.until, cites=policy.review.by.sources)
    by = _who_acts(policy.review.by, policy.review.committee)
    for request in case.requests:
        if request.done is None:
            what = f"Hold the review the customer asked for ({request.id})"
            yield Task(kind="review", what=what, ref=request.id, cites=by.sources, command="review", **_for(by, case))
    yield from _untold(case, policy)


def _review(case: Case, sanction: Sanction, policy: Policy, *, what: str, due: date | None, cites: tuple[str, ...]) -> Task:
    rule = policy.review_of(disengages=sanction.disengages)
    since = max((one.on for one in case.reviews if one.sanction == sanction.id), default=sanction.decided_on)
    looked = any(one.sanction == sanction.id and one.on >= since for one in case.recommendations)
    if rule.prepared_by and not looked:
        return Task(
            kind="recommend",
            what=f"{what}: look first and recommend",
            ref=sanction.id,
            due=due,
            cites=(*cites, *rule.prepared_by.sources),
            command="recommend",
            **_for(rule.prepared_by, case),
        )
    who = _who_acts(rule.by, rule.committee)
    return Task(kind="review", what=what, ref=sanction.id, due=due, cites=(*cites, *who.sources), command="review", **_for(who, case))


def _untold(case: Case, policy: Policy) -> Iterator[Task]:
    for review in case.reviews:
        notice = case.notice(review.notice or "")
        looked = any(key.startswith(f"untold-recheck:{review.id}:") for key in case.passed)
        if looked and notice and notice.status == "withheld":
            what = f"Look again whether the customer may be told of {review.id}"
            yield Task(kind="untold", what=what, ref=notice.id, command="issue_notice", **_for(policy.review.by, case))


def _opened(case: Case, sanction: str, due: date, days: int) -> bool:
    """Returns whether the days before this due date have begun: its own opening, or a later deadline, has passed."""
    dates = [key.rsplit(":", 1)[1] for key in case.passed if key.startswith(f"review-opens:{sanction}:")]
    return any((due - date.fromisoformat(day)).days <= days for day in dates)


def _end(case: Case, policy: Policy, calendar: Calendar, today: date) -> Iterator[Task]:
    rule = policy.retention
    if end_of_case(case) is None:
        return
    looks = [one for one in all_deadlines(case, policy, calendar) if one.kind == "record-review-due" and one.key in case.passed]
    if looks:
        who = policy.review.prepared_by or policy.review.by
        due = looks[0].reckoned
        yield Task(
            kind="record-review",
            what="Look whether the record is still needed",
            ref="case",
            due=due.date,
            cites=due.cites,
            command="review_record",
            **_for(who, case),
        )
    ends = retention_ends(case, policy, calendar)
    if case.standing_measures:
        return
    if ends is None:
        yield Task(
            kind="retention",
            what="Set the body's retention schedule: its policy gives none",
            ref="case",
            cites=("DEF-19",),
            command="set_retention",
            **_for(rule.destroyed_by, case),
        )
    elif ends.date < today and not case.held:
        cites, missing = (*ends.cites, *ends.defaults), list(to_sign(case, policy))
        for which, who in missing:
            what = "Sign that the papers may be destroyed: their time has ended"
            yield Task(
                kind="destroy",
                what=what if which == "keeper" else f"{what}; as somebody of another office",
                ref="case",
                due=ends.date,
                cites=(*cites, TWO),
                command="sign_destruction",
                of=which,
                **_for(who, case),
            )
        if not missing:
            yield Task(
                kind="destroy",
                what="Destroy the papers: their time has ended, and two people have signed",
                ref="case",
                due=ends.date,
                cites=cites,
                command="destroy_papers",
                **_for(rule.destroyed_by, case),
            )
