"""Whether an answer is of the kind its question takes. Get this wrong and a question counts as answered that nobody answered."""

from __future__ import annotations

from datetime import date

from domain.decision import Refusal
from domain.model import Answer
from domain.rules import Finding

REFERENCE_LIMIT = 120


def fulfilled(rule: Finding, answer: Answer | None) -> bool:
    """Returns whether what the question wants recorded is there; where only a yes will do, a no does not fulfil it."""
    return answer is not None and fits(rule, answer) and not (rule.answer == "yes" and answer is False)


def fits(rule: Finding, answer: Answer) -> bool:
    """Returns whether an answer is of the question's kind; a no to a question that wants a yes is of its kind."""
    match rule.answer:
        case "text":
            return isinstance(answer, str) and bool(answer.strip())
        case "yes" | "yes-or-no":
            return isinstance(answer, bool)
        case "date":
            return day_of(answer) is not None
        case "count":
            return isinstance(answer, int) and not isinstance(answer, bool) and answer > 0
        case "papers":
            return isinstance(answer, tuple) and bool(answer) and all(len(one) <= REFERENCE_LIMIT and one.isprintable() for one in answer)
        case "choice":
            return isinstance(answer, str) and answer in rule.choices
        case "choices":
            return isinstance(answer, tuple) and bool(answer) and set(answer) <= set(rule.choices)


def require_kind(rule: Finding, answer: Answer) -> None:
    """Refuses an answer that is not of its question's kind, and says what would be right without quoting what was found."""
    if not fits(rule, answer):
        found = f"with.findings.{rule.finding} takes {wanted(rule)}; found {kind_of(answer)}."
        raise Refusal(found, cites=rule.sources, remains=f"It asks {rule.asks}.")


def day_of(answer: Answer | None) -> date | None:
    """Returns the day an answer names as YYYY-MM-DD, or None."""
    if not isinstance(answer, str) or len(answer) != len("YYYY-MM-DD"):
        return None
    try:
        return date.fromisoformat(answer)
    except ValueError:
        return None


def wanted(rule: Finding) -> str:
    """Returns in words what would be right."""
    offered = ", ".join(rule.choices)
    match rule.answer:
        case "text":
            return "a text"
        case "yes" | "yes-or-no":
            return "true or false"
        case "date":
            return "a day as YYYY-MM-DD"
        case "count":
            return "a whole number from 1"
        case "papers":
            return "a list of references, at least one"
        case "choice":
            return f"one of {offered}"
        case "choices":
            return f"a list of one or more of {offered}"


def kind_of(answer: Answer) -> str:
    """Returns what an answer is, in words that never quote it."""
    if isinstance(answer, bool):
        return "true or false"
    return "a number" if isinstance(answer, int) else "a list" if isinstance(answer, tuple) else "another text"
