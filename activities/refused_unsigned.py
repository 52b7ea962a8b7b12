"""What is kept of a message that nobody signed who may: one line, codes only, and after a few an hour a counter. A flood fills no log.

A message that was refused and noted stays refused: its sender was told no. Should it come again (a reset has everything come again), its
key loaded meanwhile, it is refused as before, and neither noted nor counted twice. Whoever wants it acted on signs it anew."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from activities.outcome import Act
from activities.signatures import HOW, kid_in
from domain.commands import COMMANDS
from domain.days import UTC
from domain.decision import Refusal
from records.desk import secret_of
from records.security import write as write_line
from records.tables import RefusedCountRow, RefusedMarkRow

WRITTEN_AN_HOUR = 20
"""Lines for one case and door within an hour."""
ELSEWHERE, ELSEWHERE_AN_HOUR = "", 500
"""All messages to ids that no case has are counted together too: whoever makes up ids fills no table."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,119}")
ONE_MORE = """INSERT INTO refused_count (case_id, door, hour, n, told) VALUES (:case_id, :door, :hour, 1, :told)
ON CONFLICT (case_id, door, hour) DO UPDATE SET n = refused_count.n + 1 RETURNING n"""


def as_code(value: object, otherwise: str = "unreadable") -> str:
    """Returns a word that could be an id; anything else may be somebody's text and is not kept."""
    return value if isinstance(value, str) and CODE.fullmatch(value) else otherwise


AGAIN = "It came again and stays refused. Have it signed anew, now that its signature would count."
MADE_ID = re.compile(r"signal:[0-9a-f-]{36}")
"""The id that a signal without one is given: another each time it comes, in a reset too (workflows/case.py)."""


def refuse_again(session: Session, act: Act) -> None:
    """Raises Refusal (unsigned) where this very message was refused and noted before, by whichever door."""
    asked = select(RefusedMarkRow).where(RefusedMarkRow.case_id == as_code(act.case), RefusedMarkRow.mark == _mark(session, act))
    row = session.exec(asked).first()
    if row is not None:
        raise Refusal(row.why, kind="unsigned", remains=f"{AGAIN} {HOW}")


def _mark(session: Session, act: Act) -> str:
    """Returns the hash of a whole message for its case, its token too, keyed with the installation's secret."""
    given = {name: value for name, value in act.message.items() if name != "id" or not MADE_ID.fullmatch(str(value))}
    said = json.dumps([act.case, given], sort_keys=True, default=str)
    return hmac.digest(secret_of(session), f"refused\x1f{said}".encode(), "sha256").hex()


def note(session: Session, act: Act, why: str, *, there: bool, at: datetime, on_the_case: Callable[[str], None]) -> None:
    """Note a refused message: a signal in its case's log, an update or a start in the security log; or only count it. Once a door."""
    door = act.door or "signal"
    mark = (as_code(act.case), door, _mark(session, act))
    if session.get(RefusedMarkRow, mark) is not None:
        return
    case = act.case if there else as_code(act.case)
    hour = f"{at.astimezone(UTC):%Y-%m-%dT%H}"

    def write(what: str) -> None:
        if there and door == "signal":
            on_the_case(what)
        else:
            _to_security_log(session, act, case, door, what, at)

    if not there and _one_more(session, ELSEWHERE, door, hour) > ELSEWHERE_AN_HOUR:
        return
    n = _one_more(session, case, door, hour)
    if n == 1:
        _tell_of_earlier(session, case, door, hour, write)
    if n <= WRITTEN_AN_HOUR:
        write(why)
        session.add(RefusedMarkRow(case_id=mark[0], door=door, mark=mark[2], why=why))
    elif n == WRITTEN_AN_HOUR + 1:
        write("More like it came within the hour; they are counted and not written.")


def _one_more(session: Session, case: str, door: str, hour: str) -> int:
    """Returns how many there are now, counted so that two at once are two."""
    facts = {"case_id": case, "door": door, "hour": hour, "told": False}
    return int(session.execute(text(ONE_MORE), facts).scalar_one())


def _tell_of_earlier(session: Session, case: str, door: str, hour: str, write: Callable[[str], None]) -> None:
    """Say once how many were only counted in an hour that is over."""
    asked = select(RefusedCountRow).where(
        col(RefusedCountRow.case_id) == case, col(RefusedCountRow.door) == door, col(RefusedCountRow.hour) != hour,
        col(RefusedCountRow.told).is_(False), col(RefusedCountRow.n) > WRITTEN_AN_HOUR,
    )  # fmt: skip
    for row in session.exec(asked).all():
        write(f"{row.n - WRITTEN_AN_HOUR} more that nobody signed came in the hour from {row.hour}:00 UTC.")
        row.told = True
        session.add(row)


def _to_security_log(session: Session, act: Act, case: str, door: str, why: str, at: datetime) -> None:
    do, by, id = (act.message.get(name) for name in ("do", "by", "id"))
    write_line(
        session,
        at=at,
        case_id=case,
        door=door,
        claimed_by=as_code(by, "nobody"),
        do=do if isinstance(do, str) and do in COMMANDS else "unknown",
        command_id=as_code(id),
        kid=kid_in(act.message.get("token")),
        why=why,
    )
