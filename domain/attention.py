"""What on an entry of the register needs somebody's eyes: why, since when, under which clauses. A late review erases no count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.case import Case, Sanction
from domain.clocks import all_deadlines
from domain.days import Calendar
from domain.deadlines import Deadline
from domain.end_clocks import retention_ends
from domain.imported import to_complete
from domain.informing import to_inform
from domain.letter_clocks import STUCK
from domain.model import State
from domain.notices import notified_on
from domain.policy import Policy
from domain.review_clocks import without_review_date


class Attention(State):
    """One reason to look at an entry."""

    kind: str
    what: str
    since: date
    cites: tuple[str, ...] = ()

    def age(self, today: date) -> int:
        """Returns for how many days it has been so."""
        return (today - self.since).days


def attention(case: Case, policy: Policy, calendar: Calendar, *, today: date) -> tuple[Attention, ...]:
    """Returns the reasons, the oldest first."""
    if case.destroyed_on:
        return ()
    deadlines = tuple(one for one in all_deadlines(case, policy, calendar) if one.fires <= today)
    found = [
        *_reviews(case, deadlines),
        *_untold(case, policy, today),
        *_dateless(case, policy, calendar),
        *_answers(case, deadlines),
        *_letters(case, deadlines),
        *_unaware(case, policy),
        *_looks(deadlines),
        *_record(case, policy, calendar, today),
    ]
    return tuple(sorted(found, key=lambda one: (one.since, one.kind)))


def _short(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _reviews(case: Case, deadlines: tuple[Deadline, ...]) -> Iterator[Attention]:
    for sanction in case.sanctions:
        owed = [one for one in deadlines if one.kind == "review-overdue" and one.ref == sanction.id]
        missed = sorted({one.key for one in owed} | {key for key in case.passed if key.startswith(f"review-overdue:{sanction.id}:")})
        if not missed or not sanction.in_force:
            continue
        count = f"{len(missed)} review{'s' if len(missed) > 1 else ''} missed"
        first = date.fromisoformat(missed[0].rsplit(":", 1)[1])
        if owed:
            since, sources = owed[0].reckoned.date, (*owed[0].reckoned.cites, *owed[0].reckoned.defaults)
            yield Attention(kind="review-overdue", what=f"review of {_short(since)} overdue; {count}", since=since, cites=sources)
        else:
            yield Attention(kind="review-missed", what=f"{count}, held since", since=first, cites=("DEF-12",))


def _untold(case: Case, policy: Policy, today: date) -> Iterator[Attention]:
    for sanction in case.in_force:
        told = notified_on(case, sanction.notice)
        if told is None or told > today:
            what = "decided, not yet notified" if told is None else f"sent, and counts as notified only on {_short(told)}"
            yield Attention(kind="not-notified", what=what, since=sanction.decided_on, cites=policy.decision.enforced_from.sources)


def _dateless(case: Case, policy: Policy, calendar: Calendar) -> Iterator[Attention]:
    for sanction in without_review_date(case, policy, calendar):
        yield Attention(kind="no-review-date", what="no review date", since=_last(case, sanction), cites=_next_review_sources(policy))


def _next_review_sources(policy: Policy) -> tuple[str, ...]:
    columns = policy.register_.columns if policy.register_ else ()
    return next((one.sources for one in columns if one.column == "next-review"), policy.review.by.sources)


def _last(case: Case, sanction: Sanction) -> date:
    return max([one.on for one in case.reviews if one.sanction == sanction.id], default=sanction.decided_on)


def _answers(case: Case, deadlines: tuple[Deadline, ...]) -> Iterator[Attention]:
    pending = {one.id for one in case.challenges if one.pending}
    for one in deadlines:
        if one.kind in ("answer-due", "answer-target") and one.ref in pending:
            sources, due = (*one.reckoned.cites, *one.reckoned.defaults), one.reckoned.date
            yield Attention(kind="answer-overdue", what=f"answer to {one.ref} of {_short(due)} overdue", since=due, cites=sources)
    for challenge in case.challenges:
        if challenge.awaiting_lateness:
            yield Attention(kind="late-appeal", what=f"late appeal {challenge.id} undecided", since=challenge.on, cites=("DEF-10",))


def _letters(case: Case, deadlines: tuple[Deadline, ...]) -> Iterator[Attention]:
    late = {one.ref: one.reckoned for one in deadlines if one.kind == "letter-overdue"}
    for notice in case.notices:
        since = notice.returned_on or notice.created_on
        if notice.id in late:
            what = f"letter {notice.id} {notice.status}; overdue since {_short(late[notice.id].date)}"
            yield Attention(kind="letter-overdue", what=what, since=since, cites=late[notice.id].defaults)
        elif notice.status in STUCK:
            yield Attention(kind="letter", what=f"letter {notice.id} {notice.status}", since=since, cites=("DEF-14",))


def _unaware(case: Case, policy: Policy) -> Iterator[Attention]:
    """Yields each team that is to be made aware of a decision, a change or an end, and is not yet."""
    for rule, event in to_inform(case, policy):
        what = f"the {rule.label} not yet made aware of the {event.at} of {event.about}"
        yield Attention(kind="not-informed", what=what, since=event.on, cites=rule.sources)


def _looks(deadlines: tuple[Deadline, ...]) -> Iterator[Attention]:
    """Yields looks at standing measures, and the first one owed at the record of an ended case."""
    measures = [one for one in deadlines if one.kind == "measure-review-due"]
    records = [one for one in deadlines if one.kind == "record-review-due"][:1]
    for one in (*measures, *records):
        sources, due = (*one.reckoned.cites, *one.reckoned.defaults), one.reckoned.date
        what = "the record" if one.ref == "case" else one.ref
        yield Attention(kind="look-overdue", what=f"look at {what} of {_short(due)} overdue", since=due, cites=sources)


def _record(case: Case, policy: Policy, calendar: Calendar, today: date) -> Iterator[Attention]:
    missing, ends = to_complete(case, policy), retention_ends(case, policy, calendar)
    if missing and case.imported:
        yield Attention(kind="incomplete", what=f"imported record incomplete: {', '.join(missing)}", since=case.imported.on)
    if ends and ends.date < today and not case.held:
        what = f"papers kept past {_short(ends.date)}"
        yield Attention(kind="destruction-due", what=what, since=ends.date, cites=(*ends.cites, *ends.defaults))
