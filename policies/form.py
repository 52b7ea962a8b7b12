"""The incident form of a policy: each behaviour with the questions an incident under it is asked, for whoever fills or builds one."""

from __future__ import annotations

from collections.abc import Iterator

from domain.answers import wanted
from domain.model import Data
from domain.policy import Policy
from domain.questions import questions_of
from domain.rules import AnswerKind, Cited, Finding


class Question(Data):
    """One question, the kind of its answer in a word and in words, and its clauses, defaults marked."""

    finding: str
    asks: str
    answer: AnswerKind
    takes: str
    choices: tuple[str, ...]
    optional: bool
    if_answer: dict[str, str]
    once_a_case: bool
    only_for: str | None = None
    """Asked of such a customer alone."""
    only_by: tuple[str, ...] = ()
    """Asked only where the contact came by one of these."""
    by_the_text: bool | None = None
    """The answer that the text itself gives for this behaviour; nobody gives another."""
    cites: tuple[str, ...]


class Form(Data):
    """One behaviour as the form shows it."""

    code: str
    label: str
    heading: str | None
    cites: tuple[str, ...]
    needs_more_than_one: bool
    accompanied: bool
    channels: tuple[str, ...]
    time: bool
    guidance: str | None
    questions: tuple[Question, ...]


def form_of(policy: Policy) -> tuple[Form, ...]:
    """Returns the forms of a policy's behaviours in the order of its file, other behaviour last."""
    other = (_form("other", policy),) if policy.other_behaviour.allowed else ()
    return (*(_form(code, policy) for code in policy.behaviours), *other)


def _form(code: str, policy: Policy) -> Form:
    behaviour = policy.behaviours.get(code)
    more, beside = (behaviour.needs_more_than_one, behaviour.accompanied) if behaviour else (None, None)
    named = (behaviour.channels if behaviour else None) or policy.incidents.channels
    sources = behaviour.sources if behaviour else policy.other_behaviour.sources
    hour = policy.incidents.time
    also = [source for rule in (more, beside, named, hour) if rule for source in rule.sources]
    return Form(
        code=code,
        label=behaviour.label if behaviour else "other behaviour",
        heading=behaviour.heading if behaviour else None,
        cites=tuple(dict.fromkeys((*sources, *also))),
        needs_more_than_one=_is_so(more),
        accompanied=_is_so(beside),
        channels=named.value if named else (),
        time=hour is not None,
        guidance=behaviour.guidance if behaviour else None,
        questions=tuple(_question(rule, behaviour.answers.get(rule.finding) if behaviour else None) for rule in questions_of(code, policy)),
    )


def _is_so(rule: Cited[bool] | None) -> bool:
    return rule is not None and rule.value


def _question(rule: Finding, given: Cited[bool] | None) -> Question:
    return Question(
        finding=rule.finding,
        asks=rule.asks,
        answer=rule.answer,
        takes=wanted(rule),
        choices=rule.choices,
        optional=rule.optional,
        if_answer=dict(rule.if_answer),
        once_a_case=rule.once_a_case,
        only_for=rule.if_customer,
        only_by=rule.if_medium,
        by_the_text=given.value if given else None,
        cites=tuple(dict.fromkeys((*rule.sources, *(given.sources if given else ())))),
    )


def lines_of(forms: tuple[Form, ...]) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yields the forms as lines for a person: code, what is asked, what is taken, clauses."""
    for one in forms:
        yield one.code, _heading(one), "", one.cites
        for question in one.questions:
            yield "", f"{question.finding}: {question.asks}", _takes(question), question.cites


def _heading(one: Form) -> str:
    said = [
        f"{one.label} ({one.heading})" if one.heading else one.label,
        "takes more than one entry" if one.needs_more_than_one else "",
        "takes a specific behaviour beside it" if one.accompanied else "",
        f"by {', '.join(one.channels)}" if one.channels else "",
        "with its time" if one.time else "",
        one.guidance or "",
    ]
    return "; ".join(part for part in said if part)


def _takes(question: Question) -> str:
    said = [question.takes, *(f"if {name} is {choice}" for name, choice in question.if_answer.items())]
    said += ["once a case"] if question.once_a_case else []
    said += [f"of customers of kind {question.only_for}"] if question.only_for else []
    said += [f"by {', '.join(question.only_by)}"] if question.only_by else []
    if question.by_the_text is not None:
        return f"answered {'yes' if question.by_the_text else 'no'} by the text"
    return ", ".join((*said, "optional") if question.optional else said)
