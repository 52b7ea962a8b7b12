"""The warning and step one: told why, told what follows, given the chance to change."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Reply, Warning, next_id
from domain.commands import RecordReply, Warn
from domain.configured import require_configured_for_warning
from domain.days import Calendar
from domain.deadlines import reckon
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, require_findings, signed_by, the_day
from domain.links import quoted
from domain.notices import notified_on, owe
from domain.people import Actor
from domain.policy import Policy, StepOne
from domain.steps import require_confirmed_first_step


def warn(case: Case, command: Warn, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Give the warning: the letter that confirms it follows by itself."""
    rule, on = policy.warning, the_day(command.on, today=today)
    by = (
        authorise(rule.given_by, actor=actor, case=case, policy=policy, on=on, act="give the warning")
        if rule.given_by
        else signed_by(actor, on)
    )
    if not case.incidents:
        raise Refusal(
            "There is nothing to warn about: no incident is recorded.",
            cites=rule.needed.sources,
            remains="Record it with report_behaviour.",
        )
    require_findings(rule.requires, command.findings, act="warn")
    require_configured_for_warning(policy, actor, by)
    links = quoted(command.links, policy)
    id = next_id("w", case.warnings)
    case, notice = owe(case, "warning", about=id, on=on, policy=policy, by=by)
    warning = Warning(id=id, on=on, medium=command.medium, by=by, findings=command.findings, notice=notice, links=links)
    case = case.model_copy(update={"warnings": (*case.warnings, warning)})
    sources = [*rule.needed.sources, *(source for finding in rule.requires for source in finding.sources)]
    sources += [source for one in links for source in policy.links[one.link].sources]
    return decided(case, f"{rule.label.capitalize()} given.", cites=sources)


def record_reply(case: Case, command: RecordReply, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record how step one ended; an arrangement binds by agreement and is no restriction (PCC-31)."""
    rule, on = _step_one(policy), the_day(command.on, today=today)
    require_confirmed_first_step(case, policy, on=on)
    if command.reply not in rule.replies.value:
        known = ", ".join(rule.replies.value)
        raise Refusal(f"Step one does not end with {command.reply}.", cites=rule.replies.sources, remains=f"One of: {known}.")
    if command.reply == "no-answer":
        _silence_has_lasted(case, rule, on, calendar)
    if command.reply == "agreed" and command.arrangement is None:
        raise Refusal("An agreement needs its arrangement: with.arrangement is missing.", cites=rule.arrangement.sources)
    reply = Reply(on=on, reply=command.reply, arrangement=command.arrangement)
    case = case.model_copy(update={"replies": (*case.replies, reply)})
    if command.reply == "agreed":
        case, _ = owe(case, "agreement", about=case.warnings[-1].id, on=on, policy=policy)
    return decided(case, f"Step one ended: {command.reply.replace('-', ' ')}.", cites=rule.replies.sources)


def _step_one(policy: Policy) -> StepOne:
    if policy.step_one is None:
        raise Refusal("This policy has no step in which an arrangement is agreed.", remains="Warn, or decide.")
    return policy.step_one


def _silence_has_lasted(case: Case, rule: StepOne, on: date, calendar: Calendar) -> None:
    confirmed = notified_on(case, case.warnings[-1].notice) or case.warnings[-1].on
    earliest = reckon(rule.silence, confirmed, event="written-confirmation", calendar=calendar).date
    if on < earliest:
        raise Refusal(
            f"Silence counts as no agreement from {earliest.isoformat()}, {rule.silence.words} after the written confirmation.",
            cites=rule.silence.sources,
            remains="Wait, or record the answer the customer gave.",
        )
