"""What the Temporal UI shows of a case: search attributes to filter by, and details to read. Codes and dates only."""

from __future__ import annotations

import json
from typing import Any  # the SDK's attributes of mixed types

from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from activities.outcome import Outcome
from domain.commands import COMMANDS

BODY = SearchAttributeKey.for_keyword("EvenhandBody")
STAGE = SearchAttributeKey.for_keyword("EvenhandStage")
DUE = SearchAttributeKey.for_datetime("EvenhandDue")
DUE_KIND = SearchAttributeKey.for_keyword("EvenhandDueKind")
OVERDUE = SearchAttributeKey.for_bool("EvenhandOverdue")
AWAITING = SearchAttributeKey.for_keyword_list("EvenhandAwaiting")
KEYS = (BODY, STAGE, DUE, DUE_KIND, OVERDUE, AWAITING)


def pairs_of(outcome: Outcome) -> dict[str, object]:
    """Returns the attributes' values by name."""
    return {
        BODY.name: outcome.body,
        STAGE.name: outcome.stage,
        DUE.name: outcome.wake_at,
        DUE_KIND.name: outcome.due_key.split(":", 1)[0] if outcome.due_key else None,
        OVERDUE.name: outcome.overdue,
        AWAITING.name: sorted({who for one in outcome.waits for who in one.whom})[:10],
    }


def attributes_of(outcome: Outcome, *, before: Outcome | None) -> list[SearchAttributeUpdate[Any]]:
    """Returns the changes to make: every upsert is an event, so only what differs."""
    if not outcome.stage:
        return []
    old = pairs_of(before) if before and before.stage else {}
    new = pairs_of(outcome)
    return [_update(key, new[key.name]) for key in KEYS if key.name not in old or old[key.name] != new[key.name]]


def _update(key: SearchAttributeKey[Any], value: object) -> SearchAttributeUpdate[Any]:
    return key.value_unset() if value in (None, []) else key.value_set(value)


SIGNED = "A message must be signed: `evenhand case act CASE COMMAND --by ID --with '...' --print` gives one to paste."
UNREAD = ("malformed", "unknown")
"""Results whose answer quotes the message, and so may quote personal text."""


def needed(command: str) -> list[str]:
    """Returns the fields a command cannot do without, in their order."""
    kind = COMMANDS.get(command)
    return [name for name, field in kind.model_fields.items() if field.is_required()] if kind else []


def spoken(outcome: Outcome) -> str:
    """Returns an answer as one line for a person: what, under which clauses, and what remains possible."""
    cites = f" [{', '.join(outcome.cites)}]" if outcome.cites else ""
    return f"{outcome.answer}{cites}{f' {outcome.remains}' if outcome.remains else ''}"


def details_of(outcome: Outcome) -> str:
    """Returns the case in Markdown: where it stands, what waits for whom, and the JSON that acts on it."""
    lines = [
        f"**Stage:** {outcome.stage or 'not opened'}",
        "",
        f"**Next deadline:** {outcome.due or 'none'}",
        "",
        f"**Last answer:** {'A message could not be read.' if outcome.result in UNREAD else spoken(outcome)}",
        "",
    ]
    if outcome.waits:
        lines += ["| Waits for | What | By | Signal |", "|---|---|---|---|"]
        lines += [
            f"| {', '.join(one.whom) or 'anybody'} | {one.what} | {one.due or 'now'} | {one.command or ''} |" for one in outcome.waits
        ]
        lines += ["", SIGNED, "", "Texts are put first (`evenhand text put`): paste their references."]
    for one in outcome.waits:
        if one.command:
            saw = {"saw": one.saw} if one.saw else {}
            message = {"v": 1, "id": "choose-one", "by": "your-staff-id", **saw, "with": dict.fromkeys(needed(one.command), "...")}
            lines += ["", f"Signal **{one.command}**:", "", f"`{json.dumps(message)}`"]
    return "\n".join(lines)
