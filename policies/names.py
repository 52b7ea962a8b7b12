"""The names inside a policy file that must fit each other: offices, sign-offs, parameters of restrictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, get_args

from pydantic import BaseModel

from domain import restrictions
from domain.policy import Option, Policy
from domain.rules import Consultation, Who

Path = tuple[str | int, ...]
FIELDS: dict[str, dict[str, object]] = {
    str(get_args(kind.model_fields["type"].annotation)[0]): {
        name: Annotated[field.annotation, field] for name, field in kind.model_fields.items() if name != "type"
    }
    for kind in get_args(get_args(restrictions.Restriction)[0])
}
"""What each parameter of each restriction may hold."""
PARAMETERS: dict[str, set[str]] = {type: set(fields) for type, fields in FIELDS.items()}


def wrong_names(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields where a name stands that fits nothing, and what would be right."""
    offices = ", ".join(sorted(policy.offices))
    for path, office in offices_named(policy):
        if office not in policy.offices:
            yield path, f"{office!r} is no office of this policy; listed under offices: {offices}"
    for n, option in enumerate(policy.decision.options):
        yield from _option(("decision", "options", n), option, policy)
    yield from _questions(policy)
    yield from _answers(policy)
    yield from _scales(policy)
    for n, guidance in enumerate(policy.guidance):
        if guidance.link is not None and guidance.link not in policy.links:
            yield ("guidance", n, "link"), f"{guidance.link!r} is not under links: {', '.join(policy.links) or 'none'}"


def _answers(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields an answer by the text to what nobody asks, or what takes no yes or no."""
    for code, behaviour in policy.behaviours.items():
        asked = {rule.finding: rule.answer for rule in (*behaviour.asks, *policy.incidents.asks)}
        for name in behaviour.answers:
            if asked.get(name) not in ("yes", "yes-or-no"):
                yield ("behaviours", code, "answers", name), f"{name!r} is no question of an incident that takes a yes or a no"


def _scales(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields a scale of lengths that could never apply: a heading of no behaviour, a restriction that is no option."""
    rule = policy.decision.length
    headings = sorted({one.heading for one in policy.behaviours.values() if one.heading})
    for heading in rule.by_heading:
        if heading not in headings:
            right = ", ".join(headings) or "none; give behaviours a heading"
            yield ("decision", "length", "by_heading", heading), f"{heading!r} is no heading of a behaviour; there are: {right}"
    offered = sorted(one.type for one in policy.decision.options)
    for n, type in enumerate(rule.earlier_of.value if rule.earlier_of else ()):
        if type not in offered:
            yield ("decision", "length", "earlier_of", "value", n), f"{type!r} is not among decision.options: {', '.join(offered)}"
    for type in rule.by_restriction:
        if type not in offered:
            yield ("decision", "length", "by_restriction", type), f"{type!r} is not among decision.options: {', '.join(offered)}"


def _questions(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields questions of incidents that share a name, or lean on a question or a choice that is not there."""
    shared: Path = ("incidents", "asks")
    groups = [(shared, policy.incidents.asks), *((("behaviours", code, "asks"), one.asks) for code, one in policy.behaviours.items())]
    for path, asks in groups:
        beside = {rule.finding: rule for rule in (*asks, *(policy.incidents.asks if path != shared else ()))}
        if len(beside) < len(asks) + (len(policy.incidents.asks) if path != shared else 0):
            yield path, "two questions of one incident have the same name"
        for n, rule in enumerate(asks):
            for name, choice in rule.if_answer.items():
                if name not in beside or choice not in beside[name].choices or beside[name].answer != "choice":
                    yield (*path, n, "if_answer", name), f"{name}: {choice} is no choice of a question asked with this one"
            if rule.not_before and (rule.not_before not in beside or beside[rule.not_before].answer != "date"):
                yield (*path, n, "not_before"), f"{rule.not_before!r} is no question here that asks for a day"


def offices_named(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yields every place where a policy names an office, and the office."""
    for path, who in whose(policy):
        for n, office in enumerate(who.offices):
            yield (*path, "offices", n), office
    named = [
        (("referral", "to", "value"), policy.referral.to if policy.referral else None),
        (("retention", "kept_by", "value"), policy.retention.kept_by),
        (("review", "requested", "to", "value"), policy.review.requested.to if policy.review.requested else None),
    ]
    for path, cited in named:
        if cited is not None:
            yield path, cited.value


def whose(policy: Policy) -> Iterator[tuple[Path, Who | Consultation]]:
    """Yields every place where a policy names people, by office or relation."""
    yield from _whose(policy, ())


def _whose(item: object, path: Path) -> Iterator[tuple[Path, Who | Consultation]]:
    match item:
        case Who() | Consultation():
            yield path, item
        case BaseModel():
            for name, field in type(item).model_fields.items():
                yield from _whose(getattr(item, name), (*path, field.alias or name))
        case dict():
            for key, one in item.items():
                yield from _whose(one, (*path, key))
        case tuple():
            for n, one in enumerate(item):
                yield from _whose(one, (*path, n))


def _option(path: Path, option: Option, policy: Policy) -> Iterator[tuple[Path, str]]:
    if option.sign_off not in policy.decision.sign_offs:
        yield (*path, "sign_off"), f"{option.sign_off!r} is not under decision.sign_offs: {', '.join(policy.decision.sign_offs)}"
    known = PARAMETERS[option.type]
    for field in ("requires", "exactly_one", "fixed", "one_of"):
        for name in getattr(option, field):
            if name not in known:
                yield (*path, field), f"{name!r} is no parameter of {option.type}; it has: {', '.join(sorted(known)) or 'none'}"
