"""Who looked somebody up at the desk: written down once the answer is found, before it is shown (EH-175); never the words."""

from __future__ import annotations

from contextlib import nullcontext

from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from domain.desk import Advice
from domain.people import Person
from domain.reading import Part
from records.database import WRITING
from records.desk import Desk
from records.reads import Read, note
from starter.clock import now, today
from starter.reading import HERE, NotShown, Reader

CONTACT, LOOK = "incoming-contact", "look-up-alone"
"""Why somebody was looked up: a contact came in and is recorded, or it is not."""
CASES, STAFF = SQLModel.metadata.tables["case"], SQLModel.metadata.tables["staff"]


def note_look(desk: Desk, advice: Advice, *, body: str, customer: str, who: str | None, why: str) -> None:
    """Write down one look-up: a line for each case found, or one for nobody. Raises NotShown, after writing that down too, where `who` is
    not on the body's staff list. Where nobody is named that is this machine's own user, and nobody at all in production."""
    local = desk.writes.dialect.name == "sqlite"
    here = local and who in (None, HERE)
    reader, searched, instant = Reader(who or HERE, local=here), desk.searched(body, customer), now()
    with WRITING[str(desk.writes.url)] if local else nullcontext(), desk.writes.begin() as connection:
        on_list = here or _is_staff(connection, body, reader.who)
        part: Part = "desk" if on_list else "nobody"
        line = Read(
            who=reader.id, how="contact check", what=f"{advice.customer} {advice.verdict or 'ask-who-it-is'}", body=body, part=part,
            shows="handling" if on_list else "nothing", why=why, person=searched,
        )  # fmt: skip
        found = _stages(connection, advice.cases)
        note(connection, [line._replace(case=case, stage=stage) for case, stage in found.items()] or [line], at=instant)
    if not on_list:
        raise NotShown(f"{reader.id} is not on the staff list of {body}: the desk answers its staff. [EH-173]", "Name somebody who is.")


def _is_staff(connection: Connection, body: str, who: str) -> bool:
    entry = connection.execute(select(STAFF.c.entry).where(STAFF.c.body == body, STAFF.c.person == who)).scalar()
    return entry is not None and Person.model_validate(entry, extra="ignore").serves_on(today())


def _stages(connection: Connection, cases: tuple[str, ...]) -> dict[str, str]:
    rows = connection.execute(select(CASES.c.id, CASES.c.stage).where(CASES.c.id.in_(cases))).all() if cases else []
    return dict.fromkeys(cases, "") | {row[0]: row[1] for row in rows}
