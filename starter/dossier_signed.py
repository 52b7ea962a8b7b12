"""A sheet of a dossier: by which key each act was signed, when, and whether the signature holds of all that is kept of the act."""

from __future__ import annotations

from activities.signatures import claims_in, kid_in
from starter.dossier import Cell, Sheet, Source, who
from starter.signed import Signature


def signed_sheet(source: Source) -> Sheet:
    """Returns the acts of the chronology that carry a token, in their order."""
    rows: dict[str, tuple[Cell, ...]] = {}
    for line in source.lines:
        act = source.acts.get(line.command_id)
        token = act.message.get("token") if act and (act.decided_at, line.result) == (line.at, act.outcome.get("result")) else None
        claims = claims_in(token)
        if claims is not None:
            at = f"{claims.signed_at:%Y-%m-%d %H:%M:%S} UTC"
            holds = _holds(source.signatures.get(line.command_id))
            row = (line.n, line.command, who(line.actor, line.office), line.command_id, kid_in(token), at, claims.iss, holds)
            rows.setdefault(line.command_id, row)
    return Sheet(
        name="signed-acts",
        title="Signed acts",
        says="By which key each act was signed, when, and whether that holds of the act as it is kept. The number is that of its line "
        "in the chronology.",
        columns=("Line", "Command", "Who", "Id", "Key", "Signed", "Service", "Holds"),
        widths=(1, 3, 3, 3, 5, 3, 2, 2),
        rows=tuple(rows.values()),
    )


def _holds(one: Signature | None) -> str:
    return "yes" if one and one.verifies else (one.problem if one else None) or "not checked"
