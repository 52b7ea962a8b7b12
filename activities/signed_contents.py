"""What a signature binds of an act, rebuilt from what the records keep of it: its contents stand there with references for texts.

If this is wrong, evidence that somebody altered passes as what was signed, or true evidence as altered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast

from pydantic import ValidationError

from activities.act_id import kept_by, kept_id
from activities.given_texts import GivenTexts
from activities.signatures import CannotSign, Message, claims_of, hash_of
from domain.decision import Refusal
from domain.message import read_command, read_message
from domain.model import REFERENCE
from domain.signing import Claims, misfit
from records.tables import CommandRow
from records.vault import CaseVault

SIGNED = "signed"
"""Beside an act whose contents cannot be rebuilt from what is kept of them: the reference of its `with` as it was signed."""
NOBODY = "unknown"
"""What is kept of a `by` that is somebody's own words."""
REFERENCES = re.compile(rf"{REFERENCE}[0-9a-f]{{32}}")
LOST = "a text that it holds was changed, is missing or does not open"
FIELDS_DIFFER = "its contents, as they are kept, are not those that were signed (with)"


class NotChecked(Exception):
    """An act whose contents cannot be held against its signature any more: says why."""


def kept_beside(given: Message, kept: Message, vault: CaseVault) -> Message:
    """Returns what is to be kept besides, so that a signed message's very contents can be rebuilt; nothing where what is kept says it all.

    Contents are kept as they were understood: a text without the spaces around it, a day without its time. Then the hash is another's."""
    if "token" not in given:
        return {}
    signed = hash_of(given.get("with", {}))
    if any(hash_of(one) == signed for one in _contents(kept["with"], vault)):
        return {}
    return {SIGNED: vault.put(json.dumps(given.get("with")))}


def misfit_of_kept(row: CommandRow, claims: Claims, vault: CaseVault, *, contents_kept: bool) -> str | None:
    """Returns what an act, as it is kept, is not of what its signature was made for; None where it is all of it.

    `contents_kept`: it was recorded since whatever rebuilds its contents is kept; raises NotChecked of an older one with another hash."""
    if not holds_all(row, vault):
        return LOST
    try:
        if kept_id(claims.id) != row.command_id:
            return misfit(claims, claims.model_copy(update={"id": row.command_id}))
        return _whole(row, claims, vault) if "raw" in row.message else _in_parts(row, claims, vault, contents_kept)
    except (CannotSign, ValidationError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return "what is kept of it cannot be read"


def holds_all(row: CommandRow, vault: CaseVault) -> bool:
    """Returns whether every text that an act is kept with is here, opens, and is the one that it names."""
    return all(vault.holds(one) for one in REFERENCES.findall(json.dumps(row.message)))


def _whole(row: CommandRow, claims: Claims, vault: CaseVault) -> str | None:
    """Judges a message that could not be read as a command: all of it is kept, as one text."""
    return misfit(claims, claims_of(row.case_id, json.loads(vault.get(str(row.message["raw"])))))


def _in_parts(row: CommandRow, claims: Claims, vault: CaseVault, contents_kept: bool) -> str | None:
    message, reference = _beside_contents(row.message, claims, vault), row.message.get(SIGNED)
    if reference is not None:
        given = json.loads(vault.get(str(reference)))
        return misfit(claims, claims_of(row.case_id, {**message, "with": given})) or _differs(message, given, row.message["with"], vault)
    faults = [misfit(claims, claims_of(row.case_id, {**message, "with": one})) for one in _contents(row.message["with"], vault)]
    if None in faults:
        return None
    if not contents_kept and _fits_but_for_contents(row, claims, message):
        raise NotChecked("it is older than the release that keeps them as they were signed, which may have been otherwise spelt")
    return faults[0]


def _beside_contents(kept: Message, claims: Claims, vault: CaseVault) -> Message:
    """Returns the fields of a message but `with`, as they came."""
    message = {name: kept[name] for name in ("v", "id", "do", "by", "on", "saw") if name in kept}
    if message.get("by") == NOBODY and kept_by(claims.sub) is None:
        message["by"] = claims.sub  # its words are not kept; the signature alone says them
    return message | (json.loads(vault.get(str(kept["unknown"]))) if "unknown" in kept else {})


def _contents(kept: object, vault: CaseVault) -> Iterator[object]:
    """Yields what contents may have been when they were signed: with their texts in them, or with the references themselves."""
    yield _with_texts(kept, vault)
    yield kept


def _with_texts(value: object, vault: CaseVault) -> object:
    match value:
        case str() if REFERENCES.fullmatch(value):
            return vault.texts.get(value, value)
        case dict():
            return {name: _with_texts(item, vault) for name, item in value.items()}
        case list():
            return [_with_texts(item, vault) for item in value]
    return value


def _fits_but_for_contents(row: CommandRow, claims: Claims, message: Message) -> bool:
    said = claims_of(row.case_id, {**message, "with": {}})
    return misfit(claims, said.model_copy(update={"with_": claims.with_})) is None


def _differs(message: Message, given: object, kept: object, vault: CaseVault) -> str | None:
    """Returns whether the contents that were signed and those that are kept of them are read as different ones."""
    try:
        signed = _as_read({**message, "with": given}, vault)
    except Refusal:
        raise NotChecked("this release cannot read what was signed") from None
    try:
        return None if _as_read({**message, "with": kept}, vault) == signed else FIELDS_DIFFER
    except Refusal:
        return FIELDS_DIFFER


def _as_read(message: Message, vault: CaseVault) -> Message:
    command = read_command(read_message(message), texts=GivenTexts(vault))
    return cast(Message, command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True))
