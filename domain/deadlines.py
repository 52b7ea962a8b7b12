"""A deadline with its reason, and how one is reckoned."""

from __future__ import annotations

from datetime import date

from domain.days import ONE_DAY, Calendar, Reckoned, after
from domain.model import State
from domain.rules import Period


class Deadline(State):
    """A date that binds somebody. It fires at the first London instant of `fires`; `key` marks it as dealt with."""

    key: str
    kind: str
    ref: str
    fires: date
    reckoned: Reckoned


def reckon(period: Period, start: date, *, event: str, calendar: Calendar) -> Reckoned:
    """Returns the date a period ends, with its reason; provisional past the calendar's known holidays."""
    table = calendar.named(period.table)
    ends, skipped = after(start, period.count, period.unit, table)
    working = period.unit == "working_days"
    sources = tuple(rule for rule in (period.number, period.start, period.calendar) if rule)
    closed = ("EH-30",) if any(one.on in skipped for one in table.closures) else ()
    return Reckoned(
        date=ends,
        start=start,
        start_event=event,
        rule=period.words,
        skipped=skipped,
        cites=tuple(dict.fromkeys(clause for rule in sources for clause in rule.cites)),
        defaults=tuple(dict.fromkeys((*(rule.default for rule in sources if rule.default), *closed))),
        calendar=table.edition if working else None,
        provisional=working and ends > table.known_until,
    )


def deadline(kind: str, ref: str, reckoned: Reckoned, *, at_end: bool = False) -> Deadline:
    fires = reckoned.date + ONE_DAY if at_end else reckoned.date
    return Deadline(key=f"{kind}:{ref}:{reckoned.date.isoformat()}", kind=kind, ref=ref, fires=fires, reckoned=reckoned)


def shifted(reckoned: Reckoned, day: date, rule: str, defaults: tuple[str, ...] = ()) -> Reckoned:
    return reckoned.model_copy(update={"date": day, "rule": rule, "defaults": (*reckoned.defaults, *defaults)})
