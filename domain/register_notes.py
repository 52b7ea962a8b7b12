"""Lines written into the register by hand, beside what a case's own acts put there; each says who wrote it."""

from __future__ import annotations

from datetime import date

from domain.case import Case, RegisterNote, next_id
from domain.commands import AnnotateRegister
from domain.days import Calendar
from domain.decision import Decision, Refusal, decided
from domain.guards import the_day
from domain.people import Actor
from domain.policy import Policy
from domain.register import stands_in_register
from domain.register_writers import require_writer, writers


def annotate_register(case: Case, command: AnnotateRegister, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Write a line into one column of the case's entry; the log and the entry say who did."""
    on = the_day(command.on, today=today)
    by = require_writer(case, actor=actor, policy=policy, on=on)
    rule = policy.register_
    columns = {one.column: one for one in rule.columns} if rule else {}
    column = next((one for name, one in columns.items() if name == command.column), None)
    if rule is None or column is None:
        known = ", ".join(columns) or "none"
        raise Refusal(f"{command.column} is no column of this register.", kind="malformed", remains=f"There are: {known}.")
    if not stands_in_register(case, policy):
        raise Refusal("This case does not stand in the register.", cites=rule.starts.sources, remains="The case's own commands.")
    note = RegisterNote(id=next_id("e", case.register_notes), column=column.column, text=command.text, on=on, by=by)
    case = case.model_copy(update={"register_notes": (*case.register_notes, note)})
    sources = [*column.sources, *(source for who in writers(policy) for source in who.sources)]
    return decided(case, f"{note.id}: a line was written by hand into the register, column {column.column}.", cites=sources)
