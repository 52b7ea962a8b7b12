"""The forms in which a letter is given as a reasonable adjustment (DEF-15, EH-110); the standard letter stays the record."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import StringConstraints

from domain.model import Data

Format = Literal["large-print", "plain-text", "easy-read", "spoken", "translation"]
"""Large print is 18 point. Plain text is an email without any layout. Easy read has one idea a line. Spoken is a script for a call.
A translation is a text that the body itself supplies."""
FORMATS: tuple[Format, ...] = get_args(Format)

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
"""A language's code, such as cy for Welsh or pl for Polish."""

SPEAKING = frozenset({"telephone", "in-person"})
"""Ways by which something can be said to somebody."""


class Forms(Data):
    """What is made of one customer's letters besides the standard letter."""

    formats: tuple[Format, ...] = ()
    language: Language | None = None
    translation_alone: bool = False


def ways_for(format: Format) -> frozenset[str] | None:
    """Returns the channels of which one must stay open for a form to be of any use, or None where each will do."""
    if format == "spoken":
        return SPEAKING
    return frozenset({"email"}) if format == "plain-text" else None
