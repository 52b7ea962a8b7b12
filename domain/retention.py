"""The end: papers kept so long from the real end, held if the law needs them, destroyed; and cases that never were."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Hold, with_item
from domain.commands import Correct, DestroyPapers, ReleaseHold, ReviewRecord, SetRetention, Withdraw
from domain.commands import Hold as HoldPapers
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.end_clocks import end_of_case, retention_ends
from domain.guards import authorise, signed_by, the_day
from domain.measures import require_measures_taken
from domain.notices import marked, owe
from domain.people import Actor
from domain.policy import Policy

UNDER_WAY = ("to-send", "handed-over", "uncertain")
"""Letters that may reach their reader whatever is decided now."""
NOT_GONE = ("to-issue", "blocked", "returned")
"""Letters that only a person would send, and that nobody is to send any more when the case was a mistake."""


def set_retention(case: Case, command: SetRetention, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Set the body's own retention schedule, where its policy gives none (DEF-19)."""
    who = policy.retention.destroyed_by
    authorise(who, actor=actor, case=case, policy=policy, on=the_day(command.on, today=today), act="set how long papers are kept")
    if policy.retention.keep:
        raise Refusal("The policy itself says how long papers are kept.", cites=policy.retention.keep.sources)
    return decided(
        case.model_copy(update={"keep_years": command.years}),
        f"Papers are kept for {command.years} year{'s' if command.years > 1 else ''}.",
        cites=["DEF-19"],
    )


def hold(case: Case, command: HoldPapers, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Stop destruction, with a reason and a date to look again."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    if command.review_on <= on:
        raise Refusal(f"review_on is {command.review_on.isoformat()}, not after {on.isoformat()}.", cites=["DEF-19"])
    placed = Hold(on=on, by=by.person, reason=command.reasons, review_on=command.review_on)
    return decided(
        case.model_copy(update={"holds": (*case.holds, placed)}),
        f"Destruction is on hold, to be looked at on {in_words(command.review_on)}.",
    )


def release_hold(case: Case, command: ReleaseHold, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """End every stop on destruction."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    if not case.held:
        raise Refusal("Nothing is on hold.", remains="The papers are kept until their time.")
    holds = tuple(one if one.released_on else one.model_copy(update={"released_on": on}) for one in case.holds)
    return decided(case.model_copy(update={"holds": holds}), "The hold on destruction ended.")


def review_record(case: Case, command: ReviewRecord, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Look whether the record of an ended case is still needed; if not, its papers may be destroyed (MBC-52)."""
    on, rule = the_day(command.on, today=today), policy.review
    who = rule.prepared_by or rule.by
    authorise(who, actor=actor, case=case, policy=policy, on=on, act="look at the record")
    shorten = policy.retention.shortened_by_review
    if shorten is None or not shorten.value or end_of_case(case) is None:
        raise Refusal("The record is not looked at in this way now.", cites=policy.retention.start.sources)
    update = {"record_reviewed_through": on} if command.still_needed else {"record_not_needed_on": on}
    word = "still needed" if command.still_needed else "no longer needed; the papers may be destroyed"
    return decided(case.model_copy(update=update), f"The record is {word}.", cites=(*who.sources, *shorten.sources))


def destroy_papers(case: Case, command: DestroyPapers, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record the destruction of the papers, never before its day; the case is closed."""
    on, rule = the_day(command.on, today=today), policy.retention
    authorise(rule.destroyed_by, actor=actor, case=case, policy=policy, on=on, act="destroy the papers")
    ends = retention_ends(case, policy, calendar)
    sources = rule.keep.sources if rule.keep else rule.start.sources
    if end_of_case(case) is None:
        kept = rule.kept_by.sources if rule.kept_by else ()
        raise Refusal("The case has not ended; its papers are kept.", cites=(*kept, *sources))
    if case.standing_measures:
        standing = ", ".join(f"{one.measure} ({one.id})" for one in case.standing_measures)
        raise Refusal(
            f"Still standing: {standing}.", cites=["A-88"], remains="Remove it with review_measure; the papers say why it is there."
        )
    if ends is None:
        raise Refusal("No retention schedule is set for this body.", cites=["DEF-19"], remains="Set it with set_retention.")
    _nothing_stops(case, policy)
    if on <= ends.date:
        raise Refusal(f"The papers are kept until the end of {in_words(ends.date)}.", cites=sources, remains="Destroy them on a later day.")
    return decided(case.model_copy(update={"destroyed_on": on}), "The papers were destroyed; the case is closed.", cites=sources)


def _nothing_stops(case: Case, policy: Policy) -> None:
    require_measures_taken(case, policy)
    if case.held:
        raise Refusal("Destruction is on hold.", cites=["DEF-19"], remains="End the hold with release_hold.")
    pending = [one.id for one in case.challenges if one.pending] + [one.id for one in case.requests if one.done is None]
    if pending:
        raise Refusal(f"Still to be decided: {', '.join(pending)}.", cites=["DEF-08"])


def withdraw(case: Case, command: Withdraw, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """End a case in which nothing was decided."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    if case.sanctions:
        raise Refusal(
            "A decision has been made; the case runs its course.", remains="Lift the restrictions by a review, or correct a mistake."
        )
    require_measures_taken(case, policy)
    proposals = tuple(one if one.closed else one.model_copy(update={"closed": "replaced"}) for one in case.proposals)
    return decided(
        case.model_copy(
            update={"proposals": proposals, "ended_without_restriction": on, "ending": "withdrawn", "ending_reasons": command.reasons}
        ),
        "The case was withdrawn.",
    )


def correct(case: Case, command: Correct, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Undo a case opened against the wrong person; whoever was told, or may yet be, is told of the mistake, and no other letter goes."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    sanctions = case.sanctions
    for sanction in case.in_force:
        sanctions = with_item(sanctions, sanction.model_copy(update={"ended_on": on, "ended_how": "mistake"}))
    told = any(notice.sent_on or notice.status in UNDER_WAY for notice in case.notices if notice.recipient is None)
    for notice in case.notices:
        if notice.status in NOT_GONE:
            case = marked(case, notice, "withheld", withheld_reasons=command.reasons)
    case = case.model_copy(
        update={"sanctions": sanctions, "ended_without_restriction": on, "ending": "mistake", "ending_reasons": command.reasons}
    )
    if told:
        case, _ = owe(case, "removed", about="case", on=on, policy=policy, by=by)
    return decided(case, "The case was opened by mistake and has been undone.")
