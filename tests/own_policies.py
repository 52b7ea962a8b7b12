"""Policies of invented bodies, each in one file, with its clauses and its rehearsals: what a body with another policy would write."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from domain.case import Case
from domain.commands import OpenCase
from domain.days import Calendar, london_date
from domain.decide import decide
from domain.decision import Refusal
from domain.message import read_command, read_message
from domain.people import CUSTOMER, Actor, Staff
from domain.policy import Policy
from domain.referral import open_case
from policies import load
from starter.script import Script, Step, read_script

FOLDER = Path(__file__).resolve().parent / "policies"
FILES = sorted(FOLDER.glob("*.yaml"))
REHEARSALS = sorted((FOLDER / "rehearsals").glob("*.yaml"))


@cache
def own(name: str) -> Policy:
    return load.policy(str(FOLDER / f"{name}.yaml"))


def fullest(policy: str) -> Script:
    """Returns the rehearsal of a policy with the most people in it."""
    scripts = [script for path in REHEARSALS if Path((script := read_script(path).script).policy).stem == policy]
    return max(scripts, key=lambda script: len(script.people))


def opened(script: Script, policy: Policy, on: date) -> Case:
    """Returns the case of a rehearsal as it is opened, by the first of its people."""
    staff = Staff(people=script.staff)
    command = OpenCase(body="rehearsal", customer=script.customer, **script.opening.model_dump(exclude={"by"}))
    by = Actor(origin="staff", person=staff.people[0], staff=staff)
    return open_case(command, id="own/1", edition="own", keep_years=6, actor=by, policy=policy, today=on).case


def acted(case: Case, step: Step, policy: Policy, calendar: Calendar, staff: Staff) -> Case:
    """Returns a case after one step of a rehearsal by the rules alone, or as it was where they refuse it."""
    today = london_date(step.at)
    message = {"id": "m", "do": step.do, "on": step.on.isoformat() if step.on else None, "saw": step.saw, "with": step.with_}
    by = CUSTOMER if step.by == "customer" else Actor(origin="staff", person=staff.by_id.get(step.by or ""), staff=staff)
    try:
        return decide(case, read_command(read_message(message)), actor=by, policy=policy, calendar=calendar, today=today).case
    except Refusal as refusal:
        return refusal.kept or case
