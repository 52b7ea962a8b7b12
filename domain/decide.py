"""One function decides: it sends each command to its stage and settles the stage the case is then in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from domain import (
    adjustments,
    agreements,
    appeal,
    appeal_answer,
    calendar_change,
    carriage,
    contacts,
    correction,
    delivery,
    destruction,
    disclosure,
    disengagement,
    due,
    emergency,
    imported,
    informing,
    measures,
    mistake,
    move_edition,
    questions,
    receipt,
    referral,
    register_notes,
    retention,
    review,
    sanction,
    third_parties,
    warning,
)
from domain.case import Case, Stage
from domain.commands import AnyCommand, MoveEdition
from domain.days import Calendar
from domain.decision import Decision, Refusal
from domain.destruction_due import signed_anew
from domain.end_clocks import end_of_case
from domain.move_edition import Target
from domain.people import Actor
from domain.policy import Policy
from domain.steps import continued_since, warned_on

Handler = Callable[..., Decision]


def _of_review(command: AnyCommand) -> bool:
    return (command.saw or "").startswith("v")


HANDLERS: dict[str, Handler] = {
    "report_behaviour": referral.report_behaviour,
    "complete_incident": questions.complete_incident,
    "refer": referral.refer,
    "complete_record": imported.complete_record,
    "consult": referral.consult,
    "assess": referral.assess,
    "acknowledge_fault": referral.acknowledge_fault,
    "note_new_information": referral.note_new_information,
    "discuss": measures.discuss,
    "record_initial_measures": measures.record_initial_measures,
    "end_conversation": measures.end_conversation,
    "take_measure": measures.take_measure,
    "review_measure": measures.review_measure,
    "report_externally": emergency.report_externally,
    "tell_of_report": emergency.tell_of_report,
    "seek_legal_advice": emergency.seek_legal_advice,
    "inform_client": disengagement.inform_client,
    "write_to_third_party": third_parties.write_to_third_party,
    "classify_contact": disengagement.classify_contact,
    "log_contact": contacts.log_contact,
    "dismiss_breach": contacts.dismiss_breach,
    "answer_contact": disengagement.answer_contact,
    "reiterate_notice": disengagement.reiterate_notice,
    "raise_new_issue": disengagement.raise_new_issue,
    "decide_new_issue": disengagement.decide_new_issue,
    "record_informed": informing.record_informed,
    "recommend": review.recommend,
    "review_record": retention.review_record,
    "add_adjustment": adjustments.add_adjustment,
    "correct_address": adjustments.correct_address,
    "appoint_representative": referral.appoint_representative,
    "warn": warning.warn,
    "record_reply": warning.record_reply,
    "record_agreement": agreements.record_agreement,
    "annotate_register": register_notes.annotate_register,
    "propose_sanction": sanction.propose_sanction,
    "impose_sanction": sanction.impose_sanction,
    "approve": lambda case, command, **facts: (review.approve_review if _of_review(command) else sanction.approve)(case, command, **facts),
    "reject": lambda case, command, **facts: (review.reject_review if _of_review(command) else sanction.reject)(case, command, **facts),
    "take_no_action": sanction.take_no_action,
    "appeal": appeal.appeal,
    "accept_late_appeal": appeal.accept_late_appeal,
    "decline_late_appeal": appeal.decline_late_appeal,
    "pass_appeal": appeal_answer.pass_appeal,
    "decide_appeal": appeal_answer.decide_appeal,
    "request_review": review.request_review,
    "review": review.review_sanction,
    "issue_notice": delivery.issue_notice,
    "withhold_notice": delivery.withhold_notice,
    "record_notification": delivery.record_notification,
    "correct_notification": correction.correct_notification,
    "notice_sent": carriage.notice_sent,
    "notice_handed_over": carriage.notice_handed_over,
    "notice_uncertain": carriage.notice_uncertain,
    "notice_delivered": carriage.notice_delivered,
    "notice_delayed": carriage.notice_delayed,
    "notice_blocked": delivery.notice_blocked,
    "notice_returned": delivery.notice_returned,
    "record_receipt": receipt.record_receipt,
    "record_disclosure": disclosure.record_disclosure,
    "record_mistake_told": mistake.record_mistake_told,
    "apply_calendar": calendar_change.apply_calendar,
    "acknowledge_calendar": calendar_change.acknowledge_calendar,
    "decide_moved_date": calendar_change.decide_moved_date,
    "set_retention": retention.set_retention,
    "hold": retention.hold,
    "release_hold": retention.release_hold,
    "sign_destruction": destruction.sign_destruction,
    "destroy_papers": retention.destroy_papers,
    "withdraw": retention.withdraw,
    "move_edition": move_edition.move_edition,
    "correct": retention.correct,
    "deadline_passed": due.deadline_passed,
}

AT_REST = frozenset(HANDLERS) - {
    "refer", "assess", "discuss", "warn", "record_reply", "propose_sanction", "impose_sanction", "take_no_action", "withdraw",
    "record_initial_measures", "classify_contact", "reiterate_notice", "log_contact", "record_agreement",
    "move_edition", "write_to_third_party",
}  # fmt: skip
"""What an archived case still hears; the rest belongs in a new case. Its letters may still go out, a late answer among them, so it
hears how the customer is to be written to and who stands for them."""


def decide(
    case: Case, command: AnyCommand, *, actor: Actor, policy: Policy, calendar: Calendar, today: date, target: Target | None = None
) -> Decision:
    """Decide one command on one case, purely. Raises Refusal with its clause where the policy does not allow it.

    `target` is the edition that a move names; no other command has one."""
    _may_be_heard(case, command, actor)
    handler = HANDLERS[command.do]
    also = {"target": target} if isinstance(command, MoveEdition) else {}
    try:
        decision = handler(case, command, actor=actor, policy=policy, calendar=calendar, today=today, **also)
    except Refusal as refusal:
        if refusal.kept is not None:
            refusal.kept = _moved_on(refusal.kept, policy, today)
        raise
    entries = (*decision.entries, *imported.unchecked(case, command.do, policy))
    then = target.policy if target and isinstance(command, MoveEdition) else policy
    return decision.model_copy(update={"case": _moved_on(decision.case, then, today), "entries": entries})


def _may_be_heard(case: Case, command: AnyCommand, actor: Actor) -> None:
    if actor.origin not in command.origins:
        raise Refusal(f"{command.do} cannot come from the {actor.origin}.", remains=f"It comes from: {', '.join(sorted(command.origins))}.")
    if case.stage == "closed":
        raise Refusal("The case is closed and its papers are destroyed.")
    if command.do not in HANDLERS:
        raise Refusal("The case is already open.", kind="repeated")
    if case.stage == "archived" and command.do not in AT_REST:
        raise Refusal("This case has ended; its papers are only being kept.", remains="Open a new case.")


def _moved_on(case: Case, policy: Policy, today: date) -> Case:
    return signed_anew(case).model_copy(update={"seq": case.seq + 1, "stage": stage_of(case, policy, today)})


def stage_of(case: Case, policy: Policy, today: date) -> Stage:
    """Returns the stage a case is in: it follows from what the case holds, so the two can never differ."""
    if case.destroyed_on:
        return "closed"
    if case.in_force:
        return "disengaged" if any(sanction.disengages for sanction in case.in_force) else "restricted"
    if case.open_proposal:
        return "proposed"
    if end_of_case(case):
        return "archived"
    return "referred" if case.referrals else _before_referral(case, policy, today)


def _before_referral(case: Case, policy: Policy, today: date) -> Stage:
    if not case.standing_warnings:
        return "opened"
    if case.replies and case.replies[-1].reply == "agreed":
        return "continued" if continued_since(case, case.replies[-1].on, until=today) else "arranged"
    given = warned_on(case, case.standing_warnings[-1], policy)
    return "continued" if given and continued_since(case, given, until=today) else "warned"
