"""Writing to somebody else about the customer: an agent's client before a disengagement (NE-43), an employer or professional body in a
formal complaint (NE-44). Too much in such a letter cannot be taken back, so it holds what the clause gives and nothing else of the case."""

from __future__ import annotations

from datetime import date

from domain.addresses import RIGHT, address_problem
from domain.case import Case, Recipient, Sanction
from domain.commands import WriteToThirdParty
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import signed_by, the_day
from domain.notices import owe
from domain.people import Actor
from domain.policy import Option, Policy
from domain.restrictions import FormalComplaintEmployerOrBody
from domain.rules import NoticeKind

COMPLAINT = "formal-complaint-employer-or-body"
KINDS: dict[str, NoticeKind] = {"client": "client-told", "employer": "formal-complaint", "professional-body": "formal-complaint"}
MAY_GO_AGAIN = ("returned", "blocked", "withheld")


def write_to_third_party(
    case: Case, command: WriteToThirdParty, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Owe one letter to somebody else; that a client was told counts once it has gone."""
    on, kind = the_day(command.on, today=today), KINDS[command.to]
    by = signed_by(actor, on)
    if command.to == "client":
        about, cites = "case", _may_tell_client(case, command, policy)
    else:
        sanction, cites = _decided_complaint(case, command, policy)
        about = sanction.id
        _not_before(on, sanction, cites)
    if policy.letter(kind) is None:
        raise Refusal(
            "The policy file has no such letter.", cites=cites, remains=f"Add {kind} to its notices, or write by hand and record that."
        )
    _not_twice(case, command, kind, about, cites)
    _can_be_posted(command)
    case, id = owe(case, kind, about=about, on=on, policy=policy, by=by, recipient=_recipient(command))
    return decided(case, f"A letter to the {command.to.replace('-', ' ')} is owed: {id}.", cites=cites)


def _can_be_posted(command: WriteToThirdParty) -> None:
    """Refuses a letter by post to an address that no envelope could show: it would be owed, and stopped when it is made."""
    if command.channel == "letter" and (problem := address_problem(command.name, command.address)):
        said = f"No letter can be posted to the address in address: {problem}."
        raise Refusal(said, cites=["EH-111"], remains=f"{RIGHT} Or channel: email, with an email address.")


def _recipient(command: WriteToThirdParty) -> Recipient:
    return Recipient(
        kind=command.to,
        name=command.name,
        address=command.address,
        channel=command.channel,
        behaviour=command.behaviour,
        effect=command.effect,
    )


def _may_tell_client(case: Case, command: WriteToThirdParty, policy: Policy) -> tuple[str, ...]:
    """Returns the clauses by which a client is told. Refuses where the customer is no agent, for another client, or with a part missing."""
    rule = policy.agents.client_told_first if policy.agents else None
    if rule is None or case.customer.kind != "agent":
        raise Refusal("Clients are told only where the customer acts as an agent.", cites=rule.sources if rule else ())
    if command.effect is None:
        said = "The client is told three things: the behaviour, that it must change, and its possible effect; effect is empty."
        raise Refusal(said, cites=rule.sources, remains="Send it again with the effect.")
    if case.customer.clients and command.name not in case.customer.clients:
        said = "The name is none of the clients on this case's record, so the letter would tell nobody whom the record knows."
        raise Refusal(said, cites=rule.sources, remains="The client's name exactly as the record has it.")
    return rule.sources


def _decided_complaint(case: Case, command: WriteToThirdParty, policy: Policy) -> tuple[Sanction, tuple[str, ...]]:
    """Returns the decision to complain and its clauses. Refuses a complaint that nobody, or one person alone, decided."""
    option = policy.decision.option(COMPLAINT)
    if option is None:
        raise Refusal("This policy has no formal complaint to an employer or a professional body.", remains="None is made under it.")
    if command.to == "employer" and case.customer.self_employed:
        raise Refusal("A self-employed customer has no employer to complain to.", cites=option.sources, remains="A professional body.")
    if command.effect is not None:
        raise Refusal("effect is for a client; a complaint holds none.", cites=option.sources, remains="Leave it out.")
    sanction = case.sanction(command.saw or "")
    terms = next((one for one in sanction.terms.restrictions if isinstance(one, FormalComplaintEmployerOrBody)), None) if sanction else None
    if sanction is None or terms is None:
        said = "saw must name the sanction that decided on the formal complaint."
        raise Refusal(said, kind="stale", cites=option.sources, remains="Propose the complaint, and let it be signed, first.")
    if sanction.ended_on is not None:
        raise Refusal(f"{sanction.id} has ended; no complaint is made on it any more.", kind="stale", cites=option.sources)
    _as_decided(command, terms, sanction, option)
    _signed_by_enough(sanction, option, policy)
    return sanction, option.sources


def _as_decided(command: WriteToThirdParty, terms: FormalComplaintEmployerOrBody, sanction: Sanction, option: Option) -> None:
    named = terms.employer if command.to == "employer" else terms.professional_body
    if named is None or named.casefold() != command.name.casefold():
        what = command.to.replace("-", " ")
        said = f"{sanction.id} names no {what} of this name for a complaint."
        raise Refusal(said, cites=option.sources, remains=f"The {what} as the decision names it.")


def _signed_by_enough(sanction: Sanction, option: Option, policy: Policy) -> None:
    """Refuses a complaint on a decision whose signatures do not show as many people as its sign-off takes: an imported one, say."""
    people = policy.decision.sign_offs[option.sign_off].people
    signed = {one.human for one in sanction.signatures if one.counts}
    if people and len(signed) < people.value:
        said = f"{sanction.id} is recorded with {len(signed)} of the {people.value} people it takes."
        raise Refusal(said, cites=people.sources, remains="Propose the complaint anew, and let somebody else sign it.")


def _not_before(on: date, sanction: Sanction, cites: tuple[str, ...]) -> None:
    if on < sanction.decided_on:
        raise Refusal(f"{sanction.id} was decided on {sanction.decided_on.isoformat()}, after that day.", cites=cites)


def _not_twice(case: Case, command: WriteToThirdParty, kind: NoticeKind, about: str, cites: tuple[str, ...]) -> None:
    for one in case.notices:
        to = one.recipient
        same = to is not None and (one.kind, one.about, to.kind, to.name) == (kind, about, command.to, command.name)
        if same and one.status not in MAY_GO_AGAIN:
            raise Refusal(f"The letter {one.id} to them is {one.status.replace('-', ' ')}.", kind="repeated", cites=cites)
