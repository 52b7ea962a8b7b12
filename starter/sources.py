"""What a listing says an entry rests on: clauses of the policy in one column, defaults, nobody's policy, in another."""

from __future__ import annotations

from collections.abc import Iterable

MARK = " (default)"
"""How an answer marks a default that has the name of the clause whose silence it fills."""


def apart(sources: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the clauses and the defaults of a list of sources, each once, in its order."""
    from policies.survey import is_shared  # only a command that lists sources waits for the policies' models

    known = tuple(dict.fromkeys(sources))
    defaults = tuple(one for one in known if is_shared(one) or one.endswith(MARK))
    return tuple(one for one in known if one not in defaults), tuple(one.removesuffix(MARK) for one in defaults)
