"""What strikes the eye when a case is imported: said in its log and in the report, and nothing is put right by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import NOT_RECORDED, Case, Sanction
from domain.clocks import all_deadlines
from domain.commands import ImportCase
from domain.days import Calendar, in_words
from domain.decision import Entry, Refusal
from domain.end_clocks import end_of_case, retention_ends
from domain.flags import missed_reviews
from domain.lengths import latest_length
from domain.notices import notified_on
from domain.policy import Policy
from domain.postable import BY_POST, posting_problem
from domain.review_clocks import review_due
from domain.steps import life_ends
from domain.terms import check_length, check_restrictions


def findings(case: Case, command: ImportCase, policy: Policy, calendar: Calendar, on: date) -> tuple[Entry, ...]:
    """Returns the findings, each with the clauses that make it one."""
    found = [*_warning(case, policy, on), *_appeal(case, policy, calendar, on), *_papers(case, policy, calendar, on)]
    if case.sanctions:
        sanction = case.sanctions[0]
        found = [
            *_recorded(case, sanction, policy),
            *_end(case, sanction, command, policy, calendar),
            *_limits(case, sanction, policy, calendar),
            *_reviews(case, sanction, command, policy, calendar),
            *_edition(sanction, policy),
            *found,
        ]
    if case.contact_officer is None and end_of_case(case) is None:
        found.append(Entry(what="Nobody is recorded who deals with the customer."))
    if case.customer.address is None and end_of_case(case) is None:
        found.append(Entry(what="No address is recorded: a letter would reach nobody."))
    elif end_of_case(case) is None and (problem := posting_problem(case.customer)):
        found.append(Entry(what=f"{BY_POST}: {problem}.", cites=("EH-111",)))
    return tuple(one.model_copy(update={"cites": tuple(dict.fromkeys(one.cites))}) for one in found)


def _warning(case: Case, policy: Policy, on: date) -> Iterator[Entry]:
    rule = policy.warning
    if case.sanctions and not case.warnings and rule.needed.value != "no":
        yield Entry(what=f"No {rule.label} is recorded before the decision.", cites=rule.needed.sources)
    first = next(iter(case.warnings), None)
    if first and not case.sanctions and life_ends(case, first, first.on, policy) < on:
        ended = in_words(life_ends(case, first, first.on, policy))
        yield Entry(what=f"The {rule.label} no longer supports a decision after {ended}.", cites=rule.life.sources if rule.life else ())


def _recorded(case: Case, sanction: Sanction, policy: Policy) -> Iterator[Entry]:
    if notified_on(case, sanction.notice) is None:
        ended = "and the restrictions are over" if sanction.ended_on else "decided, not yet notified"
        yield Entry(what=f"The customer was never told: {ended}.", cites=policy.decision.enforced_from.sources)
    signed = sanction.signatures[0]
    if signed.person == NOT_RECORDED:
        yield Entry(what="Who decided is not recorded." if signed.office is None else "Which person of the office decided is not recorded.")
    if sanction.terms.reasons == NOT_RECORDED:
        yield Entry(what="No reasons are recorded.", cites=policy.decision.reasons.sources)


def _end(case: Case, sanction: Sanction, command: ImportCase, policy: Policy, calendar: Calendar) -> Iterator[Entry]:
    length = policy.decision.length
    if sanction.ended_on and command.ended_on is None:
        sources = (*length.kind.sources, *(length.at_end.sources if length.at_end else ()))
        yield Entry(what=f"The restrictions ended by their own date, {in_words(sanction.ended_on)}: imported as ended.", cites=sources)
        return
    period = latest_length(case, sanction, policy, calendar) if length.kind.value == "fixed" else None
    if sanction.in_force and sanction.terms.until is None and period:
        what = f"No end is recorded; the policy fixes {period.words}."
        yield Entry(what=what, cites=(*length.kind.sources, *period.sources))


def _limits(case: Case, sanction: Sanction, policy: Policy, calendar: Calendar) -> Iterator[Entry]:
    """Yields what the policy does not allow: it stands all the same, for that is what the customer was told."""
    if sanction.ended_on:
        return
    terms = sanction.terms
    try:
        check_length(case, terms.restrictions, terms.until, of=sanction, policy=policy, calendar=calendar, on=sanction.decided_on)
    except Refusal as refusal:
        yield Entry(what=f"Not a period that the policy allows: {refusal.reason}", cites=refusal.cites)
    for restriction in terms.restrictions:
        try:
            check_restrictions(case, (restriction,), terms=terms, policy=policy)
        except Refusal as refusal:
            yield Entry(what=f"Not a restriction that the policy allows: {refusal.reason}", cites=refusal.cites)


def _reviews(case: Case, sanction: Sanction, command: ImportCase, policy: Policy, calendar: Calendar) -> Iterator[Entry]:
    if not sanction.in_force:
        return
    missed, since = missed_reviews(case), command.last_review or sanction.decided_on
    due = review_due(case, sanction, policy, calendar)
    sources = (*due.cites, *due.defaults) if due else ()
    if missed and due:
        reviews = "1 review" if missed == 1 else f"{missed} reviews"
        yield Entry(what=f"No review since {in_words(since)}: {reviews} missed, owed since {in_words(due.date)}.", cites=sources)
    if due is None and sanction.terms.until is None:
        yield Entry(what="No date of a next review.", cites=policy.review_of(disengages=sanction.disengages).by.sources)
    if due and policy.review_of(disengages=sanction.disengages).chosen and command.next_review != due.date:
        yield Entry(what=f"No next review is recorded: {in_words(due.date)} is the latest that the policy allows.", cites=sources)
    elif due and command.next_review and command.next_review != due.date:
        was = in_words(command.next_review)
        yield Entry(what=f"The old record has the next review on {was}; under the policy it is due on {in_words(due.date)}.", cites=sources)


def _edition(sanction: Sanction, policy: Policy) -> Iterator[Entry]:
    begins = policy.edition.valid_from
    if begins.value and sanction.decided_on < begins.value:
        what = f"Decided before this edition was in force, from {in_words(begins.value)}; it runs under it from now on."
        yield Entry(what=what, cites=begins.sources)


def _appeal(case: Case, policy: Policy, calendar: Calendar, on: date) -> Iterator[Entry]:
    rule = policy.appeal
    for challenge in case.challenges:
        if rule is None or not challenge.pending:
            continue
        if challenge.awaiting_lateness:
            yield Entry(
                what=f"The {rule.label} came after its time and waits for a decision on that.",
                cites=rule.window.sources if rule.window else (),
            )
        for due in all_deadlines(case, policy, calendar):
            if due.kind in ("answer-due", "answer-target"):
                verb = "was" if due.fires <= on else "is"
                what = f"The answer to the {rule.label} {verb} due on {in_words(due.reckoned.date)}."
                yield Entry(what=what, cites=(*due.reckoned.cites, *due.reckoned.defaults))


def _papers(case: Case, policy: Policy, calendar: Calendar, on: date) -> Iterator[Entry]:
    ends = retention_ends(case, policy, calendar)
    if ends and ends.date < on:
        yield Entry(what=f"The papers need not be kept after {in_words(ends.date)}.", cites=(*ends.cites, *ends.defaults))
