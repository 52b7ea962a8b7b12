"""The three kinds of value everything else is made of: data, state and commands.

Get this wrong and a case saved by one release is damaged by another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Protocol

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    ValidationInfo,
    WrapSerializer,
)

TEXT_LIMIT = 20_000
"""Characters in one free text: about ten pages; longer papers are attachments, named by reference."""


class Data(BaseModel):
    """A value read from a file or a message: frozen, and any unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def models_in(value: object) -> Iterator[BaseModel]:
    """Yields a model and every model inside it, in lists and by name too, in the order of their fields."""
    match value:
        case BaseModel():
            yield value
            for name in type(value).model_fields:
                yield from models_in(getattr(value, name))
        case dict():
            for item in value.values():
                yield from models_in(item)
        case tuple():
            for item in value:
                yield from models_in(item)


class State(BaseModel):
    """A value carried for years: frozen, and fields of a newer release are kept, never dropped.

    Where one comes in from outside (a message, a file) it is read with extra="forbid", which holds all the way down."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Vault(Protocol):
    """Where personal text is put when state is written, so that it can be destroyed by case."""

    def put(self, text: str) -> str: ...

    def get(self, reference: str) -> str: ...


REFERENCE = "text:"


def text_reference(text: str) -> str:
    """Returns the name under which a text is kept: the same text has the same name."""
    return REFERENCE + hashlib.sha256(text.encode()).hexdigest()[:32]


def _from_vault(value: object, info: ValidationInfo) -> object:
    vault = (info.context or {}).get("vault")
    if vault is not None and isinstance(value, str) and value.startswith(REFERENCE):
        return vault.get(value)
    return value


def _printable(value: object) -> object:
    """Refuses text with signs that no letter can print: only line ends and tabs among the control characters."""
    if isinstance(value, str) and any(ord(sign) < 32 and sign not in "\n\r\t" for sign in value):
        raise ValueError("text holds a control character; only line ends and tabs may stand in it")
    return value


def _to_vault(value: str, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> str:
    vault = (info.context or {}).get("vault")
    return str(handler(value) if vault is None else vault.put(value))


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_LIMIT),
    BeforeValidator(_printable),
    BeforeValidator(_from_vault),
    WrapSerializer(_to_vault),
]
"""Free text about a person: never empty, kept apart from the rest of the state."""

Mark = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A hash of what a sender calls something: the same name is known again, and its pattern leaves no room for a text."""


def mark_of(name: str) -> str:
    """Returns the mark of a name."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:32]


Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
"""What a body says of itself in its letters; never about a person."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""A name in data: lower case, digits and hyphens."""

Hour = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day in London, 14:30; its pattern leaves no room for a text."""

WebAddress = Annotated[str, StringConstraints(max_length=300, pattern=r"^https?://[^\s<>\"'`|\\]+$")]
"""The address of a page that everybody may read."""

Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\s].*$")]
"""A pointer to something kept elsewhere (a document, a contact, a complaint); never personal text."""


def _kind(value: object) -> str | None:
    """Returns which kind of answer a value is, so that a wrong one is told of once and not once a kind."""
    if isinstance(value, bool):
        return "yes-or-no"
    return "text" if isinstance(value, str) else "number" if isinstance(value, int) else "list" if isinstance(value, list | tuple) else None


Answer = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[bool, Tag("yes-or-no")]
    | Annotated[int, Tag("number")]
    | Annotated[tuple[Text, ...], Tag("list")],
    Discriminator(
        _kind,
        custom_error_type="answer",
        custom_error_message="an answer is a text, true or false, a whole number, or a list of references",
    ),
]
"""What a question may be answered with: a text (a day and a choice among them), a yes or no, a number, a list of references or choices.

What is not a yes, a no or a number is kept apart like any text: somebody may have put a name where a reference belongs."""
