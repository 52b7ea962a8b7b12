"""The end: papers kept so long from the real end, held if the law needs them, destroyed; and cases that never were."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Hold, with_item
from domain.commands import Correct, DestroyPapers, ReleaseHold, ReviewRecord, SetRetention, Withdraw
from domain.commands import Hold as HoldPapers
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.destruction_due import TWO, emptied, hold_in_words, require_due, require_signed, sources_of, standing_holds
from domain.end_clocks import end_of_case
from domain.guards import authorise, signed_by, the_day
from domain.measures import require_measures_taken
from domain.notices import marked, owe
from domain.people import Actor
from domain.policy import Policy
from domain.undoing import UNDO, answered_by_undoing, has_a_part, may_undo

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
        case.model_copy(update={"keep_years": command.years, "destruction_signed": ()}),
        f"Papers are kept for {command.years} year{'s' if command.years > 1 else ''}.",
        cites=["DEF-19"],
    )


def hold(case: Case, command: HoldPapers, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Stop destruction, with a reason and a date to look again; what was signed before is signed anew when it ends."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    if command.review_on <= on:
        raise Refusal(f"review_on is {command.review_on.isoformat()}, not after {on.isoformat()}.", cites=["DEF-19"])
    placed = Hold(on=on, by=by.person, reason=command.reasons, review_on=command.review_on, kind=command.kind)
    held = case.model_copy(update={"holds": (*case.holds, placed), "destruction_signed": ()})
    id, one = standing_holds(held)[-1]
    return decided(held, f"Destruction is on hold: {hold_in_words(id, one)}.", cites=["DEF-19"])


def release_hold(case: Case, command: ReleaseHold, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """End one stop on destruction, with the reason; the others stand."""
    on = the_day(command.on, today=today)
    placed = frozenset(one.by for _, one in standing_holds(case))
    has_a_part(case, actor=actor, policy=policy, calendar=calendar, on=on, act="release a hold on its papers", besides=placed)
    standing = standing_holds(case)
    if not standing:
        raise Refusal("Nothing is on hold.", remains="The papers are kept until their time.")
    named = command.saw or standing[0][0]
    listed = ", ".join(hold_in_words(*one) for one in standing)
    if named not in dict(standing) or (command.saw is None and len(standing) > 1):
        raise Refusal("saw must name the hold that ends.", kind="stale", cites=["DEF-19"], remains=f"Standing: {listed}.")
    if command.reasons is None:
        raise Refusal(
            "reasons must say why the hold ends.", cites=(UNDO,), remains="Papers that a court or an ombudsman asks for are lost for good."
        )
    ended: dict[str, object] = {"released_on": on, "released_because": command.reasons}
    holds = tuple(one.model_copy(update=ended) if f"h{n}" == named else one for n, one in enumerate(case.holds, start=1))
    left = f" Still standing: {', '.join(id for id, _ in standing if id != named)}." if len(standing) > 1 else ""
    return decided(case.model_copy(update={"holds": holds}), f"The hold {named} on destruction ended.{left}")


def review_record(case: Case, command: ReviewRecord, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Look whether the record of an ended case is still needed; if not, its papers may be destroyed (MBC-52)."""
    on, rule = the_day(command.on, today=today), policy.review
    who = rule.prepared_by or rule.by
    authorise(who, actor=actor, case=case, policy=policy, on=on, act="look at the record")
    shorten = policy.retention.shortened_by_review
    if shorten is None or not shorten.value or end_of_case(case) is None:
        raise Refusal("The record is not looked at in this way now.", cites=policy.retention.start.sources)
    needed: dict[str, object] = {"record_reviewed_through": on, "record_not_needed_on": None, "destruction_signed": ()}
    update: dict[str, object] = needed if command.still_needed else {"record_not_needed_on": on}
    word = "still needed" if command.still_needed else "no longer needed; the papers may be destroyed"
    return decided(case.model_copy(update=update), f"The record is {word}.", cites=(*who.sources, *shorten.sources))


def destroy_papers(case: Case, command: DestroyPapers, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Destroy the papers, never before their day nor before two people have signed; the case is closed."""
    on, rule = the_day(command.on, today=today), policy.retention
    authorise(rule.destroyed_by, actor=actor, case=case, policy=policy, on=on, act="destroy the papers")
    require_due(case, policy, calendar, on=on)
    require_signed(case, on=on)
    cites = (*sources_of(policy), TWO)
    return decided(emptied(case, on), "The papers were destroyed; the case is closed.", cites=cites)


def withdraw(case: Case, command: Withdraw, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """End a case in which nothing was decided."""
    on = the_day(command.on, today=today)
    has_a_part(case, actor=actor, policy=policy, calendar=calendar, on=on, act="withdraw it")
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
    by, sanctions = may_undo(case, actor=actor, policy=policy, calendar=calendar, on=on), case.sanctions
    for sanction in case.in_force:
        sanctions = with_item(sanctions, sanction.model_copy(update={"ended_on": on, "ended_how": "mistake"}))
    told = any(notice.sent_on or notice.status in UNDER_WAY for notice in case.notices if notice.recipient is None)
    for notice in case.notices:
        if notice.status in NOT_GONE:
            case = marked(case, notice, "withheld", withheld_reasons=command.reasons)
    case = case.model_copy(
        update={
            "sanctions": sanctions,
            "challenges": tuple(answered_by_undoing(one, on=on) for one in case.challenges),
            "ended_without_restriction": on,
            "ending": "mistake",
            "ending_reasons": command.reasons,
        }
    )
    if told:
        case, _ = owe(case, "removed", about="case", on=on, policy=policy, by=by)
    return decided(case, "The case was opened by mistake and has been undone.")
