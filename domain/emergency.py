"""An immediate danger: who considers a report to lawyers or the police, and that the customer is told when it can be."""

from __future__ import annotations

from datetime import date

from domain.case import Case, ExternalReported, next_id, with_item
from domain.commands import ReportExternally, SeekLegalAdvice, TellOfReport
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, signed_by, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import ExternalReport, Policy
from domain.steps import require_warning


def report_externally(case: Case, command: ReportExternally, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide whether an emergency is reported; no warning is needed for this route, and it is no sanction."""
    rule, on = _rule(policy), the_day(command.on, today=today)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="decide on a report")
    if not rule.without_warning.value:
        require_warning(case, policy, on=on)
    report = ExternalReported(id=next_id("e", case.external_reports), on=on, by=by, to=command.to, reasons=command.reasons)
    case = case.model_copy(update={"external_reports": (*case.external_reports, report)})
    said = "No report is made." if command.to == "neither" else f"Reported as {report.id} to {command.to.replace('-', ' ')}."
    return decided(case, said, cites=(*rule.by.sources, *rule.without_warning.sources))


def tell_of_report(case: Case, command: TellOfReport, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Tell the customer of a report, or record why not yet; the reminder goes on until one of them."""
    rule, on = _rule(policy), the_day(command.on, today=today)
    by = authorise(rule.by, actor=actor, case=case, policy=policy, on=on, act="tell the customer of a report")
    report = next((one for one in case.external_reports if one.id == command.saw and one.to != "neither"), None)
    if report is None:
        raise Refusal("saw must name the report.", kind="stale")
    if command.not_yet:
        later = report.model_copy(update={"not_yet": command.not_yet, "not_yet_on": on})
        case = case.model_copy(update={"external_reports": with_item(case.external_reports, later)})
        return decided(case, f"Recorded why the customer is not yet told of {report.id}.", cites=rule.tell.sources)
    told = report.model_copy(update={"informed_on": on})
    case = case.model_copy(update={"external_reports": with_item(case.external_reports, told)})
    case, _ = owe(case, "external-report", about=report.id, on=on, policy=policy, by=by)
    return decided(case, f"The customer is told of {report.id}.", cites=rule.tell.sources)


def _rule(policy: Policy) -> ExternalReport:
    if policy.external_report is None:
        raise Refusal("This policy has no such route.", remains="In an emergency call the police; that is outside this policy.")
    return policy.external_report


def seek_legal_advice(case: Case, command: SeekLegalAdvice, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that the colleague in contact asked for legal advice; nothing else changes."""
    signed_by(actor, the_day(command.on, today=today))
    rule = policy.agents.legal_advice if policy.agents else None
    if rule is None:
        raise Refusal("This policy does not speak of asking for legal advice.", remains="It is always possible; it changes nothing here.")
    return decided(case, "Legal advice was asked for.", cites=rule.sources)
