"""Texts of the body's own that its policy speaks of: a charter, a promise (MMO-49, NE-66, C24-04).

The policy names them; the body's file says where they are. Nothing points to one before it does."""

from __future__ import annotations

from collections.abc import Mapping

from domain.case import Quoted
from domain.decision import Refusal
from domain.policy import Guidance, Policy


def with_addresses(policy: Policy, addresses: Mapping[str, str]) -> Policy:
    """Returns the policy with the addresses that the body has set; one that the policy file gives itself stays where the body has none."""
    known = {name: addresses[name] for name in policy.links if name in addresses}
    if not known:
        return policy
    links = {name: one.model_copy(update={"address": known.get(name, one.address)}) for name, one in policy.links.items()}
    return policy.model_copy(update={"links": links})


def quoted(names: tuple[str, ...], policy: Policy) -> tuple[Quoted, ...]:
    """Returns what a warning's letter is to point to. Refuses what the policy does not speak of, or the body has not set."""
    return tuple(_quoted(name, policy) for name in dict.fromkeys(names))


def _quoted(name: str, policy: Policy) -> Quoted:
    one = policy.links.get(name)
    known = ", ".join(policy.links) or "none"
    if one is None or not any(part.part == "links" for part in policy.notice("warning").parts):
        raise Refusal(f"{name} is nothing that a warning may point to here.", kind="malformed", remains=f"There are: {known}.")
    if one.address is None:
        remains = f"Warn without it, or set links: {{{name}: ...}} in the body's file."
        raise Refusal(f"The address of the {one.label} is not set for this body.", cites=one.sources, remains=remains)
    return Quoted(link=name, label=one.label, address=one.address)


def guidance_with_link(one: Guidance, policy: Policy) -> Guidance:
    """Returns guidance with the address of what it speaks of, once that is set."""
    link = policy.links.get(one.link or "")
    if link is None or link.address is None:
        return one
    return one.model_copy(update={"text": f"{one.text} The {link.label}: {link.address}"})
