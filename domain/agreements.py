"""A written agreement asks the customer for a yes (NE-62): it is offered by its letter, then accepted or refused. A refusal is kept, ends
nothing, and binds nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from domain.case import AgreementAnswer, Case, Sanction, next_id
from domain.commands import RecordAgreement
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import in_writing, signed_by, the_day
from domain.model import Reference, State, Text
from domain.people import Actor
from domain.policy import AgreementRule, Policy
from domain.restrictions import WrittenAgreement

TYPE: Literal["written-agreement"] = "written-agreement"


class Agreement(State):
    """A written agreement as it stands: offered with its letter, then accepted or refused."""

    restriction: str
    """Sanction and place in it: s1.2."""
    terms: Text
    offered_on: date | None
    """The day its letter went; None while it has not."""
    answer: Literal["accepted", "refused"] | None = None
    answered_on: date | None = None
    document: Reference | None = None
    cites: tuple[str, ...] = ()


def rule_of(policy: Policy) -> AgreementRule | None:
    option = policy.decision.option(TYPE)
    return option.agreement if option else None


def agreements(case: Case, policy: Policy) -> tuple[Agreement, ...]:
    """Returns every written agreement that the customer was asked for, in the order of the sanctions."""
    option = policy.decision.option(TYPE)
    cites = option.sources if option else ()
    return tuple(one for sanction in case.sanctions for one in _of(case, sanction, cites))


def _of(case: Case, sanction: Sanction, cites: tuple[str, ...]) -> Iterator[Agreement]:
    notice = case.notice(sanction.notice)
    for n, one in enumerate(sanction.terms.restrictions, start=1):
        if isinstance(one, WrittenAgreement):
            id = f"{sanction.id}.{n}"
            said = answer_to(case, id)
            yield Agreement(
                restriction=id,
                terms=one.terms,
                offered_on=notice.sent_on if notice else None,
                answer=said.answer if said else None,
                answered_on=said.on if said else None,
                document=said.document if said else None,
                cites=cites,
            )


def answer_to(case: Case, restriction: str) -> AgreementAnswer | None:
    """Returns what the customer last said to a written agreement (s1.1), or None."""
    return next((one for one in reversed(case.agreements) if one.restriction == restriction), None)


def unanswered(case: Case, policy: Policy) -> tuple[Agreement, ...]:
    """Returns the agreements that were offered and wait for the customer's answer, where the policy asks for one."""
    if rule_of(policy) is None:
        return ()
    running = {one.id for one in case.in_force}
    return tuple(
        one for one in agreements(case, policy) if one.offered_on and one.answer is None and one.restriction.split(".")[0] in running
    )


def record_agreement(case: Case, command: RecordAgreement, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record the day on which the customer accepted or refused; the sanction stands, whatever the answer."""
    on = the_day(command.on, today=today)
    by, rule, asked = signed_by(actor, on), rule_of(policy), _asked(case, command.saw, policy)
    if rule is None or command.answer not in rule.answers.value:
        raise Refusal(f"This policy keeps no answer of {command.answer} to a written agreement.", cites=asked.cites)
    if asked.offered_on is None or on < asked.offered_on:
        when = f"on {asked.offered_on.isoformat()}" if asked.offered_on else "not yet"
        raise Refusal(f"The agreement was offered {when}; an answer comes after that.", cites=rule.answers.sources)
    if command.answer == "accepted" and not in_writing(case, command.medium):
        remains = "The customer's signature or email, or an agreed adjustment."
        raise Refusal("An agreement in writing is accepted in writing.", cites=(*rule.answers.sources, "DEF-15"), remains=remains)
    said = AgreementAnswer(
        id=next_id("g", case.agreements),
        restriction=asked.restriction,
        answer=command.answer,
        on=on,
        by=by.person,
        medium=command.medium,
        document=command.document,
    )
    case = case.model_copy(update={"agreements": (*case.agreements, said)})
    return decided(case, f"The agreement of {asked.restriction} was {command.answer}.{_then(said, rule)}", cites=_sources(said, rule))


def _then(said: AgreementAnswer, rule: AgreementRule) -> str:
    if said.answer == "accepted":
        return ""
    other = " Another sanction may be proposed." if rule.if_refused else ""
    return f" The sanction stands and the case goes on; nobody is bound by what was not agreed.{other}"


def _sources(said: AgreementAnswer, rule: AgreementRule) -> tuple[str, ...]:
    refused = said.answer == "refused" and rule.if_refused
    return (*rule.answers.sources, *(refused.sources if refused else ()))


def _asked(case: Case, saw: str | None, policy: Policy) -> Agreement:
    """Returns the agreement that an act saw: by its sanction where that has one alone, or by its place (s1.2). Raises Refusal."""
    running = {one.id for one in case.in_force}
    there = [one for one in agreements(case, policy) if one.restriction.split(".")[0] in running]
    found = [one for one in there if saw in (one.restriction, one.restriction.split(".")[0])]
    if len(found) != 1:
        known = ", ".join(one.restriction for one in there) or "none"
        raise Refusal(
            "saw must name one sanction in force that asks for a written agreement.", kind="stale", remains=f"There are: {known}."
        )
    return found[0]
