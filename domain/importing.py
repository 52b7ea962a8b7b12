"""A case that began in a body's own records, taken over in mid-life. From here it lives like any other; nothing of its past is invented,
and no letter goes out about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import (
    NOT_RECORDED,
    Case,
    Challenge,
    Ending,
    Imported,
    Incident,
    Notice,
    NoticeStatus,
    Review,
    Sanction,
    Terms,
    Warning,
    next_id,
    with_item,
)
from domain.clocks import appeal_window, open_deadlines
from domain.commands import ImportCase
from domain.days import Calendar, after
from domain.decide import stage_of
from domain.decision import Decision, Refusal, decided
from domain.end_clocks import past_looks
from domain.guards import signed_by, the_day
from domain.import_faults import ENDING, Fault, wrong_facts
from domain.import_findings import findings
from domain.imported import IMPORTED, signature
from domain.informing import events
from domain.outcomes import settled_through
from domain.people import Actor, Staff
from domain.policy import Policy
from domain.register_writers import require_writer
from domain.review_clocks import is_scheduled, missed_keys
from domain.terms import sign_off_for


def faults(command: ImportCase, *, staff: Staff, policy: Policy, today: date) -> tuple[Fault, ...]:
    """Returns everything that keeps a case from being taken over as it is described."""
    found = wrong_facts(command, staff=staff, policy=policy, today=today)
    return found or tuple(_without_end(command, policy, today))


def _without_end(command: ImportCase, policy: Policy, today: date) -> Iterator[Fault]:
    """Yields restrictions that would run for ever: no end, and no review that the policy has of itself (PCC-54)."""
    sanction = _sanction(command, policy, today, {}) if command.decided_on else None
    if sanction and sanction.in_force and sanction.terms.until is None and not is_scheduled(sanction, policy):
        rule = policy.decision.length.kind
        right = "the last day: this policy has no review that would look at restrictions without one; or ended on"
        yield Fault("until", "empty or open", right, rule.sources)


def import_case(
    command: ImportCase,
    *,
    id: str,
    edition: str,
    keep_years: int | None,
    actor: Actor,
    staff: Staff,
    policy: Policy,
    calendar: Calendar,
    today: date,
) -> Decision:
    """Take over a case as a body's own record has it. Raises Refusal where what it says cannot be, or somebody else keeps the register."""
    on = the_day(command.on, today=today)
    signed_by(actor, on)
    wrong = faults(command, staff=staff, policy=policy, today=on)
    if wrong:
        said = "; ".join(f"{one.field}: {one.found}; right would be {one.right}" for one in wrong)
        raise Refusal(f"This cannot be taken over. {said}.", cites=[cite for one in wrong for cite in one.cites], kind="malformed")
    case = _case(command, id=id, edition=edition, keep_years=keep_years, by=actor.id, policy=policy, on=on)
    humans = {one.id: one.human for one in staff.people}
    case = _with_incident(case, command)
    case = _with_warning(case, command, policy, humans)
    case = _with_sanction(case, command, policy, calendar, on, humans)
    case = _with_appeal(case, command, policy, calendar)
    case = _with_past(_caught_up(case, policy, calendar, on), command)
    case = case.model_copy(update={"stage": stage_of(case, policy, on)})
    require_writer(case, actor=actor, policy=policy, on=on, act="take cases over from the body's own register")
    said = f"Imported as {command.reference}, from line {command.line} of a file with the sha256 {command.file_sha256}."
    return decided(case, said, cites=policy.edition.sources, also=findings(case, command, policy, calendar, on))


def _case(command: ImportCase, *, id: str, edition: str, keep_years: int | None, by: str, policy: Policy, on: date) -> Case:
    return Case(
        id=id,
        body=command.body,
        policy=policy.policy,
        edition=edition,
        seq=1,
        opened_on=on,
        customer=command.customer,
        contact_officer=command.contact_officer,
        opened_by=by,
        area=command.area,
        keep_years=keep_years,
        imported=Imported(
            on=on,
            by=by,
            reference=command.reference,
            file_sha256=command.file_sha256,
            line=command.line,
            behaviour=command.behaviour,
            behaviour_words=command.behaviour_words,
            notes=command.notes,
            next_review=command.next_review,
        ),
    )


def _with_incident(case: Case, command: ImportCase) -> Case:
    """Returns the case with the last incident, where its day is known: one without a day would start clocks that nobody knows."""
    if command.last_incident is None:
        return case
    incident = Incident(
        id="i1",
        on=command.last_incident,
        code=command.behaviour or "other",
        medium=NOT_RECORDED,
        summary=command.behaviour_words or NOT_RECORDED,
        by=NOT_RECORDED,
    )
    return case.model_copy(update={"incidents": (incident,)})


def _with_warning(case: Case, command: ImportCase, policy: Policy, humans: dict[str, str]) -> Case:
    on = command.warned_on
    if on is None:
        return case
    case, notice = _told(case, "warning", about="w1", created_on=on, told_on=on, policy=policy)
    by = signature(command.warned_by, None, on, humans)
    warning = Warning(id="w1", on=on, medium=NOT_RECORDED, by=by, findings={}, notice=notice or None)
    return case.model_copy(update={"warnings": (warning,)})


def _told(case: Case, kind: str, *, about: str, created_on: date, told_on: date | None, policy: Policy) -> tuple[Case, str]:
    """Returns the case with a letter of its past: told on the day the old record says, or still to be issued by a person."""
    if kind not in policy.notices:
        return case, ""
    status: NoticeStatus = "sent" if told_on else "to-issue"
    method = IMPORTED if told_on else None
    notice = Notice(
        id=next_id("n", case.notices),
        kind=kind,
        about=about,
        created_on=created_on,
        status=status,
        method=method,
        sent_on=told_on,
        notified_on=told_on,
    )
    return case.model_copy(update={"notices": (*case.notices, notice)}), notice.id


def _with_sanction(case: Case, command: ImportCase, policy: Policy, calendar: Calendar, on: date, humans: dict[str, str]) -> Case:
    if command.decided_on is None:
        ended = {"ended_without_restriction": command.ended_on, "ending": "withdrawn", "ending_reasons": NOT_RECORDED}
        return case.model_copy(update=ended) if command.ended_on else case
    sanction = _sanction(command, policy, on, humans)
    sanction = sanction.model_copy(update={"terms": _with_review_date(sanction, command, policy, calendar)})
    if command.told_on or sanction.in_force:  # over before anybody was told: nothing is owed any more
        kind, told = _kind(command, policy), command.told_on
        case, notice = _told(case, kind, about="s1", created_on=sanction.decided_on, told_on=told, policy=policy)
        sanction = sanction.model_copy(update={"notice": notice})
    case = case.model_copy(update={"sanctions": (sanction,)})
    return _with_review(case, sanction, command.last_review, policy, calendar)


def _sanction(command: ImportCase, policy: Policy, on: date, humans: dict[str, str]) -> Sanction:
    assert command.decided_on is not None
    ended, how = _ended(command, on)
    return Sanction(
        id="s1",
        decided_on=command.decided_on,
        signatures=(signature(command.decided_by, command.office, command.decided_on, humans),),
        terms=Terms(restrictions=command.restrictions, reasons=command.reasons or NOT_RECORDED, until=command.until),
        notice="",
        period_start=command.decided_on,
        ended_on=ended,
        ended_how=how,
    )


def _ended(command: ImportCase, on: date) -> tuple[date | None, Ending | None]:
    """Returns when and how the restrictions ended: by the date the customer was told, by an appeal, or nobody knows how."""
    until = command.until
    if command.ended_on is None:
        return (until, "lapsed") if until and until < on else (None, None)
    if command.ended_on == until:
        return until, "lapsed"
    how: Ending = "appeal" if command.appeal and command.appeal.outcome in ENDING else "not-recorded"
    return command.ended_on, how


def _with_review_date(sanction: Sanction, command: ImportCase, policy: Policy, calendar: Calendar) -> Terms:
    """Returns the terms with the review date, where each decision sets its own: none recorded is the latest the policy allows (NE-22)."""
    chosen = policy.review_of(disengages=sanction.disengages).chosen
    if chosen is None:
        return sanction.terms
    last = command.last_review or sanction.decided_on
    given = command.next_review if command.next_review and command.next_review > last else None
    latest, _ = after(last, chosen.count, chosen.unit, calendar)
    return sanction.terms.model_copy(update={"review_on": given or latest})


def _kind(command: ImportCase, policy: Policy) -> str:
    try:
        kind: str = policy.decision.sign_offs[sign_off_for(command.restrictions, policy)].notice
    except Refusal:  # restrictions that this policy does not know, or mixes not: in force all the same
        kind = "decision"
    return kind if kind in policy.notices else "decision"


def _with_review(case: Case, sanction: Sanction, last: date | None, policy: Policy, calendar: Calendar) -> Case:
    """Returns the case with its last review, which settles every date up to it; which of the earlier ones were held nobody knows."""
    if last is None:
        return case
    settled = sanction.model_copy(update={"settled_through": settled_through(case, sanction, policy, calendar, last)})
    review = Review(
        id="r1",
        sanction="s1",
        on=last,
        why=NOT_RECORDED,
        outcome=NOT_RECORDED,
        signatures=(signature(None, None, last, {}),),
        reasons=None,
        findings={},
        notice=None,
        fresh_appeal=False,
        restrictions=settled.terms.restrictions,
        until=settled.terms.until,
    )
    return case.model_copy(update={"sanctions": with_item(case.sanctions, settled), "reviews": (review,)})


def _with_appeal(case: Case, command: ImportCase, policy: Policy, calendar: Calendar) -> Case:
    appeal = command.appeal
    if appeal is None:
        return case
    closes = appeal_window(case, case.sanctions[0], policy, calendar)
    late = closes is not None and appeal.received_on > closes.date
    challenge = Challenge(
        id="a1",
        against="s1",
        on=appeal.received_on,
        medium=NOT_RECORDED,
        grounds=None,
        late=late,
        late_decision="accepted" if late and appeal.decided_on else None,
        passed_on=appeal.decided_on,
        decided_on=appeal.decided_on,
        outcome=appeal.outcome,
    )
    return case.model_copy(update={"challenges": (challenge,)})


def _caught_up(case: Case, policy: Policy, calendar: Calendar, today: date) -> Case:
    """Returns the case with every deadline of its past marked as passed, the reviews missed since the last one among them."""
    missed = [key for one in case.in_force for key in missed_keys(case, one, policy, calendar, before=today)]
    case = case.model_copy(update={"passed": (*missed, *past_looks(case, policy, calendar, today=today))})
    while come := [one.key for one in open_deadlines(case, policy, calendar) if one.fires <= today]:
        case = case.model_copy(update={"passed": (*case.passed, *come)})
    return case


def _with_past(case: Case, command: ImportCase) -> Case:
    assert case.imported is not None
    past = tuple(f"{event.at}:{event.about}" for event in events(case))
    return case.model_copy(update={"imported": case.imported.model_copy(update={"past": past})})
