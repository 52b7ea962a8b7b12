"""A sheet of a dossier: by which key each act was signed, and when. Whether a signature holds: evenhand case signatures."""

from __future__ import annotations

from activities.signatures import claims_in, kid_in
from starter.dossier import Cell, Sheet, Source, who


def signed_sheet(source: Source) -> Sheet:
    """Returns the acts of the chronology that carry a token, in their order."""
    rows: dict[str, tuple[Cell, ...]] = {}
    for line in source.lines:
        act = source.acts.get(line.command_id)
        token = act.message.get("token") if act and (act.decided_at, line.result) == (line.at, act.outcome.get("result")) else None
        claims = claims_in(token)
        if claims is not None:
            at = f"{claims.signed_at:%Y-%m-%d %H:%M:%S} UTC"
            row = (line.n, line.command, who(line.actor, line.office), line.command_id, kid_in(token), at, claims.iss)
            rows.setdefault(line.command_id, row)
    return Sheet(
        name="signed-acts",
        title="Signed acts",
        says="By which key each act was signed, and when. The number is that of its line in the chronology.",
        columns=("Line", "Command", "Who", "Id", "Key", "Signed", "Service"),
        widths=(1, 3, 3, 3, 5, 3, 2),
        rows=tuple(rows.values()),
    )
