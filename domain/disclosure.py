"""What of a case's papers was handed to somebody outside: for whom, by whom, under which hash. Its words are never in here."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Disclosure, next_id
from domain.commands import RecordDisclosure
from domain.days import Calendar, in_words
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.people import Actor
from domain.policy import Policy

REVIEWED, RECORDED = "EH-100", "EH-101"
"""A bundle for the customer goes only with a reviewed list of redactions; every bundle is on the case's log."""
AUDIENCES = {"ombudsman": "the ombudsman", "subject-access": "a subject access request"}


def record_disclosure(case: Case, command: RecordDisclosure, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a bundle of the case's papers was made. One for the customer names who reviewed what was taken out, and when."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    reviewed = _reviewed(command, actor, on) if command.audience == "subject-access" else ""
    made = Disclosure(
        id=next_id("d", case.disclosures),
        on=on,
        by=by,
        audience=command.audience,
        sha256=command.sha256,
        to=command.to,
        reviewed_by=command.reviewed_by,
        reviewed_on=command.reviewed_on,
    )
    said = f"Bundle {made.id} was made for {AUDIENCES[command.audience]}, sha256 {command.sha256}{reviewed}."
    return decided(
        case.model_copy(update={"disclosures": (*case.disclosures, made)}), said, cites=[REVIEWED, RECORDED] if reviewed else [RECORDED]
    )


def _reviewed(command: RecordDisclosure, actor: Actor, on: date) -> str:
    """Returns who reviewed the redactions, and when. Raises Refusal where nobody did."""
    if command.reviewed_by is None or command.reviewed_on is None:
        raise Refusal(
            "Nobody has reviewed what is taken out of this bundle: reviewed_by and reviewed_on are needed.",
            cites=[REVIEWED],
            remains="Make a draft list of redactions, review and sign it, then make the bundle with it.",
        )
    if command.reviewed_by not in actor.staff.by_id:
        raise Refusal(
            f"reviewed_by is {command.reviewed_by}, who is not on the staff list today.",
            cites=[REVIEWED],
            remains="Somebody on the staff list reviews and signs it.",
        )
    if command.reviewed_on > on:
        raise Refusal(f"reviewed_on is {command.reviewed_on.isoformat()}, after {on.isoformat()}.", cites=[REVIEWED])
    return f"; its redactions were reviewed by {command.reviewed_by} on {in_words(command.reviewed_on)}"
