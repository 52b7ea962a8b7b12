"""Where a policy file contradicts itself: what it demands in one place it makes impossible in another. Such a file does not load.

One function a check, named for what it finds; each yields where, and what would be right.
A mere silence is no contradiction: see gaps.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from pydantic import TypeAdapter, ValidationError

from domain.days import Calendar, after
from domain.policy import Decision, Length, NoticeRule, Option, Part, Policy, ReviewRule, SignOff, Step
from domain.rules import Cited, Period, Who
from domain.third_parties import COMPLAINT
from policies.impossible import CHECKS as IMPOSSIBLE
from policies.impossible import endless_periods
from policies.names import FIELDS, Path
from policies.units import appeal_stages, never_without_offices, wrong_units

Found = Iterator[tuple[Path, str]]
SINCE = date(2027, 1, 1)
NO_HOLIDAYS = Calendar(edition="none", nation="none", checked_on=SINCE, source="none", known_until=SINCE, holidays=())
OF_APPEALS: tuple[Part, ...] = ("appeal", "right-of-review", "challenge", "late-appeal", "answer-due")
"""Parts of a letter that speak of an appeal."""
REVIEWS = ("review", "disengagement_review")


def contradictions(policy: Policy) -> Found:
    """Yields every contradiction of a policy: where, and what would be right.

    Periods that never end are told alone: no other check could count with them."""
    endless = list(endless_periods(policy))
    yield from endless
    for check in () if endless else (*CHECKS, *IMPOSSIBLE):
        yield from check(policy)


def longer(one: Period, other: Period) -> bool:
    """Returns whether one period is longer than the other, both counted from the same day."""
    return _end(one) > _end(other)


def _end(period: Period) -> date:
    try:
        return after(SINCE, period.count, period.unit, NO_HOLIDAYS)[0]
    except (OverflowError, ValueError):  # beyond the last year there is
        return date.max


def length_without_a_period(policy: Policy) -> Found:
    length = policy.decision.length
    if length.kind.value == "fixed" and not _fixed(length):
        yield ("decision", "length", "kind"), "the length is fixed and no period says how long: add period, or say chosen or open"


def _fixed(length: Length) -> tuple[Period, ...]:
    """Returns every period a decision may have by itself: the one, and those of the scales."""
    scales = (*length.by_heading.values(), *length.by_restriction.values(), *length.by_earlier)
    return (*filter(None, [length.period]), *scales)


def cap_below_the_fixed_length(policy: Policy) -> Found:
    length = policy.decision.length
    over = [one for one in _fixed(length) if length.kind.value == "fixed" and length.at_most and longer(one, length.at_most)]
    if over and length.at_most:
        said = f"at most {length.at_most.words}, but the fixed length is {over[0].words}: no decision fits both; correct one"
        yield ("decision", "length", "at_most"), said


def open_end_that_is_refused(policy: Policy) -> Found:
    if policy.decision.length.permanent is None:
        return
    for n, option in enumerate(policy.decision.options):
        if option.end_may_be_open and option.end_may_be_open.value:
            said = f"{option.type} may have no end, but decision.length.permanent refuses that: take one of the two out"
            yield ("decision", "options", n, "end_may_be_open"), said


def review_after_the_end(policy: Policy) -> Found:
    length = policy.decision.length
    fixed = _fixed(length)
    if length.kind.value != "fixed" or not fixed:
        return
    longest = max(fixed, key=_end)
    for name in REVIEWS:
        cycle = getattr(policy, name).cycle if getattr(policy, name) else None
        if cycle and longer(cycle, longest):
            said = f"reviewed every {cycle.words}, but restrictions end after {longest.words}: a cycle of at most that"
            yield (name, "cycle"), said


def nobody_left_to_decide(policy: Policy) -> Found:
    for name, rule in policy.decision.sign_offs.items():
        if _none_left(rule.decided_by, rule.never_by):
            yield (
                ("decision", "sign_offs", name, "never_by"),
                "it shuts out every office of decided_by: name an office that may decide, or take one out",
            )
    for path, stage in appeal_stages(policy):
        if _none_left(stage.decided_by, stage.never_by):
            where = ".".join(map(str, path))
            yield (
                (*path, "never_by"),
                f"it shuts out every office of {where}.decided_by: an appeal that nobody decides; name an office that may",
            )


def _none_left(who: Who, never: Who | None) -> bool:
    return bool(who.offices) and never is not None and set(who.offices) <= set(never.offices)


def appeal_to_whoever_decided(policy: Policy) -> Found:
    """An appeal that must be independent cannot belong to the one office that takes the decision (DEF-09).

    Where the text itself says that another holder of it decides ("a different manager"), it is no contradiction: the body needs two."""
    for path, rule in appeal_stages(policy):
        offices = rule.decided_by.offices
        if rule.independent.cites and rule.independent.default is None:
            continue
        same = [name for name, one in policy.decision.sign_offs.items() if offices and _all_of(one, offices)]
        if rule.independent.value and path[0] == "appeal" and same:
            where = ".".join(map(str, path))
            said = f"{', '.join(offices)} also decides on restrictions ({', '.join(same)}), but {where}.independent wants somebody else"
            said = f"{said}: name another office, or cite the clause that says another holder of it decides"
            yield (*path, "decided_by", "offices"), said


def _all_of(rule: SignOff, offices: tuple[str, ...]) -> bool:
    """Returns whether those who hold these offices all decide; of a committee, or of any two of a list, somebody is left."""
    several = rule.committee is not None or rule.signers is not None
    return not several and set(offices) <= set(rule.decided_by.offices)


def letters_of_an_appeal_there_is_not(policy: Policy) -> Found:
    for kind, rule in policy.notices.items():
        if kind == "appeal-elsewhere":
            if policy.appeal_outside is None:
                yield ("notices", kind), "a letter about an appeal elsewhere, but there is none: add appeal_outside, or take the letter out"
        elif policy.appeal is None and policy.warning.appeal is None:
            if kind.startswith("appeal-"):
                yield ("notices", kind), "a letter about an appeal, but the policy gives none: add appeal, or take the letter out"
            yield from _parts(kind, rule, OF_APPEALS, "there is no appeal: add appeal, or take the part out")


def _parts(kind: str, rule: NoticeRule, parts: tuple[Part, ...], what: str) -> Found:
    for n, one in enumerate(rule.parts):
        if one.part in parts:
            yield ("notices", kind, "parts", n), f"the part {one.part} is demanded, but {what}"


def parts_without_their_rule(policy: Policy) -> Found:
    """A part that can never be given: the letter that needs it would be blocked, or go without it."""
    stages, review = [rule for _, rule in appeal_stages(policy)], policy.review
    meets = [one.committee for one in (*policy.decision.sign_offs.values(), *stages, review, policy.disengagement_review) if one]
    scheduled = any(rule.cycle or rule.chosen or rule.each_decision for name in REVIEWS if (rule := getattr(policy, name)))
    looked_at = scheduled or any(one.recheck for one in policy.decision.options)
    wanted: tuple[tuple[Part, bool, str], ...] = (
        ("answer-due", bool(stages) and not any(one.answer for one in stages), "no time to answer is set: add appeal.answer"),
        ("late-appeal", bool(stages) and not any(one.window for one in stages), "no appeal can be late: add appeal.window"),
        ("requested-review", review.requested is None, "the customer cannot ask for a review: add review.requested"),
        ("review-date", not scheduled, "no review is scheduled: add review.cycle or review.chosen"),
        ("send-in", not looked_at, "no review is scheduled: add review.cycle or review.chosen"),
        ("agent-behaviour", policy.agents is None, "no client of an agent is told: add agents"),
        ("complaint", policy.decision.option(COMPLAINT) is None, f"no complaint can be decided: add the option {COMPLAINT}"),
        ("next-stage", not any(one.then for one in stages), "no appeal has a next stage: add then to it"),
        ("appeal-outside", policy.appeal_outside is None, "nobody outside hears an appeal: add appeal_outside"),
        ("meeting", not any(meets), "no committee decides: add committee"),
        ("enquiries", policy.enquiries is None, "no address is given: add enquiries"),
        ("arrangement", policy.step_one is None, "nothing is agreed first: add step_one"),
    )
    for part, lacks, what in wanted:
        for kind, rule in policy.notices.items():
            if lacks:
                yield from _parts(kind, rule, (part,), f"{what}, or take the part out")


def decision_without_a_letter(policy: Policy) -> Found:
    """A decision of which nobody is told is never enforced (DEF-05): each sign-off needs its letter."""
    for name, rule in policy.decision.sign_offs.items():
        if rule.notice not in policy.notices:
            said = f"decided here, told by {rule.notice}, which is not under notices: add that letter"
            yield ("decision", "sign_offs", name), said
    for n, measure in enumerate(policy.measures):
        if measure.told and measure.told not in policy.notices:
            yield ("measures", n, "told"), f"told by {measure.told}, which is not under notices: add that letter"


def life_in_working_days(policy: Policy) -> Found:
    life = policy.warning.life
    if life and life.unit == "working_days":
        yield ("warning", "life"), "a warning lives for days, weeks, months or years, not for working days: write one of these"


def steps_without_means(policy: Policy) -> Found:
    """A step that must come first and that nobody can take would stop every decision."""
    yield from _steps(policy, ("decision", "after"), policy.decision.after)
    for n, option in enumerate(policy.decision.options):
        yield from _steps(policy, ("decision", "options", n, "after"), option.after)


def _steps(policy: Policy, path: Path, steps: tuple[Cited[Step], ...]) -> Found:
    lacks: dict[Step, tuple[bool, str]] = {
        "warning": (policy.warning.needed.value == "no", "warning.needed says no: say always, unless-waived or should"),
        "step-one": (policy.step_one is None, "there is no step_one: add it"),
        "referral": (policy.referral is None, "there is no referral: add it"),
        "discussions": (not policy.discussions, "no discussions are listed: add them"),
        "earlier-sanction": (_only_after_another(policy.decision), "every option waits for an earlier one: let one come first"),
    }
    for n, step in enumerate(steps):
        missing, what = lacks[step.value]
        if missing:
            yield (*path, n), f"{step.value} must come first, but {what}, or take the step out"


def _only_after_another(decision: Decision) -> bool:
    waits = any(step.value == "earlier-sanction" for step in decision.after)
    return waits or all(any(step.value == "earlier-sanction" for step in one.after) for one in decision.options)


def discussion_that_is_not_listed(policy: Policy) -> Found:
    named = policy.referral.after_discussion if policy.referral else None
    listed = [one.step for one in policy.discussions]
    if named and named.value not in listed:
        said = f"{named.value} is not under discussions, which has: {', '.join(listed) or 'none'}"
        yield ("referral", "after_discussion", "value"), said


def behaviour_that_is_not_listed(policy: Policy) -> Found:
    departures = policy.warning.departures
    for n, code in enumerate(departures.value if departures else ()):
        if code not in policy.behaviours:
            yield ("warning", "departures", "value", n), f"{code} is not under behaviours: list it there, or take it out"


def waiver_of_what_is_not_offered(policy: Policy) -> Found:
    for n, waiver in enumerate(policy.decision.waivers):
        for m, type in enumerate(waiver.only_options):
            if policy.decision.option(type) is None:
                yield ("decision", "waivers", n, "only_options", m), f"{type} is not under decision.options: offer it, or take it out"


def outcomes_that_cannot_be(policy: Policy) -> Found:
    for name in REVIEWS:
        rule: ReviewRule | None = getattr(policy, name)
        if rule is None:
            continue
        if rule.presumption and rule.presumption.value not in rule.outcomes:
            yield (name, "presumption"), f"{rule.presumption.value} is no outcome here; there are: {', '.join(rule.outcomes)}"
        for outcome, one in rule.outcomes.items():
            if one.until and rule.cycle is None and rule.chosen is None and rule.each_decision is None:
                yield (name, "outcomes", outcome, "until"), "runs to the next review, but none is scheduled: add cycle or chosen"
            if one.review_date and rule.chosen is None and rule.each_decision is None:
                yield (name, "outcomes", outcome, "review_date"), "sets the date of the next review, but the policy does: add chosen"


def late_appeal_into_no_review(policy: Policy) -> Found:
    for path, rule in appeal_stages(policy):
        if rule.late_becomes_review and rule.late_becomes_review.value and policy.review.requested is None:
            yield (*path, "late_becomes_review"), "there is no review to become: add review.requested, or take this out"


def ends_before_it_begins(policy: Policy) -> Found:
    start, end = policy.edition.valid_from.value, policy.edition.valid_to.value
    if start and end and end < start:
        yield ("edition", "valid_to"), f"{end} is before valid_from, {start}: correct one of the two"


def fixed_to_what_cannot_be(policy: Policy) -> Found:
    for n, option in enumerate(policy.decision.options):
        for name, value in option.fixed.items():
            if not _fits(option, name, value):
                yield ("decision", "options", n, "fixed", name), f"{value!r} is no value that {name} of {option.type} can have"


def _fits(option: Option, name: str, value: object) -> bool:
    field = FIELDS[option.type].get(name)
    adapter: TypeAdapter[object] = TypeAdapter(field if field else object)  # type: ignore[arg-type]  # an annotation, as data
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


CHECKS: tuple[Callable[[Policy], Found], ...] = (
    length_without_a_period,
    cap_below_the_fixed_length,
    open_end_that_is_refused,
    review_after_the_end,
    nobody_left_to_decide,
    appeal_to_whoever_decided,
    letters_of_an_appeal_there_is_not,
    parts_without_their_rule,
    decision_without_a_letter,
    life_in_working_days,
    steps_without_means,
    discussion_that_is_not_listed,
    behaviour_that_is_not_listed,
    waiver_of_what_is_not_offered,
    outcomes_that_cannot_be,
    late_appeal_into_no_review,
    ends_before_it_begins,
    fixed_to_what_cannot_be,
    wrong_units,
    never_without_offices,
)
