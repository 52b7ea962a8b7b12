"""What a first run shows: the cases, what waits for whom, the letters, the Temporal UI."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import col, select

from activities.bodies import policy_of_edition
from activities.calendars import calendar_of
from domain.clocks import next_deadline
from domain.days import in_words
from records.database import reading
from records.store import case_of
from records.tables import CaseRow, TaskRow
from records.vault import CaseVault
from starter.show import out, table
from starter.signer import key_file
from worker.settings import Settings


def overview_rows(engine: Engine) -> list[tuple[str, str, str, str, str]]:
    """Returns a line for each case: case, body, stage, waits for whom, next deadline with its clause."""
    with reading(engine) as session:
        rows = session.exec(select(CaseRow).order_by(col(CaseRow.id))).all()
        waiting = session.exec(select(TaskRow)).all()
        lines = []
        for row in rows:
            policy = policy_of_edition(session, row.edition)
            case = case_of(row, CaseVault(session, row.id))
            due = next_deadline(case, policy, calendar_of(session, case, policy))
            clauses = ", ".join(dict.fromkeys((*due.reckoned.cites, *due.reckoned.defaults))) if due else ""
            when = f"{due.kind.replace('-', ' ')} {in_words(due.reckoned.date)} [{clauses}]" if due else "none"
            own = [task for task in waiting if task.case_id == row.id]
            whom = {policy.office(office) for task in own for office in task.offices}
            whom |= {
                one.replace("line-manager-of:", "line manager of ").replace("grade-from:", "grade ") for task in own for one in task.people
            }
            lines.append((row.id, policy.body, row.stage, ", ".join(sorted(whom)) or "nobody: time passes", when))
    return lines


def print_overview(settings: Settings, engine: Engine, letters: tuple[Path, ...], *, stays: bool) -> None:
    """Print the table, where the letters lie and the Temporal UI's address."""
    table(("case", "body", "stage", "waits for", "next deadline"), overview_rows(engine))
    out.print()
    out.print("Letters:", style="bold")
    for letter in letters:
        out.print(f"  {_near(letter)}", markup=False)
    out.print(f"Acts are signed with a local key for trying out: {_near(key_file(settings))}", markup=False)
    out.print(f"Temporal UI: http://127.0.0.1:{settings.ui_port}/namespaces/default/workflows", markup=False)
    if stays:
        out.print("Running. Ctrl-C stops it; the cases go on when you start it again.")


def _near(file: Path) -> Path:
    """Returns a path as whoever stands in this folder would write it."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
