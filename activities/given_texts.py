"""Texts that a message names by their references, and the rule of the plain door: what anybody may read in the engine holds none itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlmodel import Session, col

from domain.commands import AnyCommand
from domain.decision import Refusal
from domain.model import REFERENCE, Text
from records.tables import CaseRow, TextRow
from records.vault import CaseVault

NAMED = re.compile(rf"{REFERENCE}[0-9a-f]{{32}}")
SHORT = re.compile(r"\d{4}-\d{2}-\d{2}|[a-z0-9][a-z0-9-]{0,63}")
"""A day or a code, which the questions about an incident are answered with as well as with texts."""
ANSWERS = "with.findings."
INLINE = "\0inline"
UNUSED_FOR = timedelta(days=7)
"""How long a text waits for the case that it was put for to be opened."""


class GivenTexts:
    """Stands where a case's texts do while a message is read: a reference becomes its text, and one that stands for none is a fault."""

    def __init__(self, vault: CaseVault) -> None:
        self.vault, self.named = vault, set[str]()

    def get(self, reference: str) -> str:
        if not NAMED.fullmatch(reference):
            return reference
        text = self.vault.texts.get(reference)
        if text is None:
            raise ValueError("no text of this case was put under this reference; evenhand text put CASE prints one")
        self.named.add(text)
        return text

    def put(self, text: str) -> str:
        return REFERENCE if text in self.named else INLINE


def without_text_inline(command: AnyCommand, given: GivenTexts) -> None:
    """Raises Refusal where a message that came as plain JSON holds text itself, naming the fields and nothing of what stands in them."""
    fields = command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True, context={"vault": given})
    shown = command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True)
    inline = [place for place, text in _inline("with", fields, shown) if not (place.startswith(ANSWERS) and SHORT.fullmatch(text))]
    if inline:
        raise Refusal(
            f"The message came as plain JSON, which the engine keeps readable, and holds text at {', '.join(inline[:10])}.",
            remains="Put the text first with evenhand text put, name its reference there, and send it under a new id.",
        )


def check_nothing_inline(command: AnyCommand) -> None:
    """Raises Refusal where a command holds text that is no reference; whether a reference stands for anything its case says later."""
    without_text_inline(command, References())


class References(GivenTexts):
    """Stands where a case's texts do where there are none at hand."""

    def __init__(self) -> None:
        self.named = set()

    def put(self, text: str) -> str:
        return REFERENCE if NAMED.fullmatch(text) else INLINE


def _inline(place: str, value: object, shown: object) -> Iterator[tuple[str, str]]:
    match value, shown:
        case str(), str() if value == INLINE:
            yield place, shown
        case dict(), dict():
            for name, item in value.items():
                yield from _inline(f"{place}.{name}", item, shown[name])
        case list(), list():
            for n, (item, one) in enumerate(zip(value, shown, strict=True)):
                yield from _inline(f"{place}.{n}", item, one)


TEXT: TypeAdapter[str] = TypeAdapter(Text)


def put_text(session: Session, case: str, text: str, *, at: datetime) -> str:
    """Keep a text for a case that runs, or is to be opened. Returns its reference. Raises ValidationError where it is no text to keep."""
    vault = CaseVault(session, case)
    ref = vault.put(TEXT.validate_python(text))
    for row in session.new:
        if isinstance(row, TextRow):
            row.put_at = at
    return ref


def with_references(session: Session, case: str, command: AnyCommand, *, at: datetime) -> dict[str, object]:
    """Keep every text of a command for a case, and return its fields with references in their places: fit for the plain door."""
    vault = Putting(session, case, at)
    return command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True, context={"vault": vault})


class Putting:
    """Stands where a case's texts do while a command is written out: each is kept, and one that is a reference already stays."""

    def __init__(self, session: Session, case: str, at: datetime) -> None:
        self.session, self.case, self.at = session, case, at

    def get(self, reference: str) -> str:
        return reference

    def put(self, text: str) -> str:
        return text if NAMED.fullmatch(text) else put_text(self.session, self.case, text, at=self.at)


def clear_unused_texts(session: Session, *, at: datetime) -> int:
    """Destroy texts put for cases that were never opened, a week after they were put. Returns how many."""
    never = col(TextRow.case_id).not_in(select(col(CaseRow.id)))
    gone = session.execute(delete(TextRow).where(never, col(TextRow.put_at) < at - UNUSED_FOR))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a cursor's
