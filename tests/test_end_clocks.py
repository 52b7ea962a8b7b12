"""The looks at a record that is only kept, and at a review nobody was told of: in any unit, and in one stride after many years."""

from __future__ import annotations

from datetime import date

import pytest

import domain.clocks
import domain.importing
from domain.case import Case, Notice, Review
from domain.clocks import all_deadlines
from domain.policy import Policy
from policies import load
from tests import stories
from tests.stories import ENGLAND, maidstone
from tests.test_importing import ONE_CALL_A_WEEK, imported

MAIDSTONE = stories.policy_named("maidstone")
TODAY = date(2027, 3, 10)
CYCLE = "cycle: {months: {value: 3, cites: [MBC-49], default: A-50}"
UNTOLD = "untold_recheck: {months: {value: 3, default: PCC-76}"


def changed(policy: str, old: str, unit: str, number: int) -> Policy:
    text = load.policy_text(policy)
    assert text.count(old) == 1
    return load.sound_policy_of(text.replace(old, old.replace("months", unit).replace("3", str(number), 1)), policy)


def over_since(year: int, policy: Policy = MAIDSTONE) -> Case:
    """Returns a case taken over today whose restrictions ended in May of a year."""
    facts = {"decided_on": date(year, 2, 1), "told_on": date(year, 2, 2), "until": date(year, 5, 1), "restrictions": (ONE_CALL_A_WEEK,)}
    return imported(policy, maidstone("head").staff, on=TODAY, **facts).case


def test_a_case_of_thirty_years_ago_is_caught_up_in_one_stride(monkeypatch: pytest.MonkeyPatch):
    """MBC-49, MBC-52: 128 looks at its record have come since; its dates are not worked out 128 times."""
    looked: list[int] = []
    whole = domain.importing.open_deadlines
    monkeypatch.setattr(domain.importing, "open_deadlines", lambda *given: looked.append(1) or whole(*given))

    case = over_since(1995)

    looks = [key for key in case.passed if key.startswith("record-review-due:")]
    assert len(looks) == 127 and looks[0].endswith("1995-08-01") and looks[-1].endswith("2027-02-01")
    assert len(looked) <= 3
    [following] = [one for one in all_deadlines(case, MAIDSTONE, ENGLAND) if one.kind == "record-review-due" and one.key not in case.passed]
    assert following.reckoned.date == date(2027, 5, 1)


@pytest.mark.parametrize(
    ("unit", "number", "first", "following"),
    [
        ("weeks", 10, date(2026, 6, 21), date(2026, 8, 30)),
        ("days", 80, date(2026, 7, 11), date(2026, 9, 29)),
        ("working_days", 60, date(2026, 7, 23), date(2026, 10, 16)),
    ],
)
def test_a_kept_record_is_looked_at_in_whatever_unit_its_policy_counts(unit: str, number: int, first: date, following: date):
    """MBC-49: the text's three months, here as other bodies might write them; the looks before the end of May do not count."""
    policy = changed("maidstone", CYCLE, unit, number)
    case = over_since(2026, policy).model_copy(update={"passed": ()})
    days = []
    for _ in range(2):
        due = next(one for one in all_deadlines(case, policy, ENGLAND) if one.kind == "record-review-due" and one.key not in case.passed)
        days.append(due.reckoned.date)
        case = case.model_copy(update={"passed": (*case.passed, due.key)})

    assert days == [first, following]


@pytest.mark.parametrize(
    ("unit", "number", "days"),
    [
        ("months", 3, [date(2027, 9, 1), date(2027, 12, 1)]),
        ("weeks", 6, [date(2027, 7, 13), date(2027, 8, 24)]),
        ("days", 45, [date(2027, 7, 16), date(2027, 8, 30)]),
        ("years", 1, [date(2028, 6, 1), date(2029, 6, 1)]),
        ("working_days", 20, [date(2027, 6, 29), date(2027, 7, 27)]),
    ],
)
def test_a_review_nobody_was_told_of_is_looked_at_again_in_any_unit(unit: str, number: int, days: list[date]):
    """PCC-76: counted from the review, not from the look before."""
    policy = changed("portsmouth", UNTOLD, unit, number)
    case = untold(date(2027, 6, 1))
    found = []
    for _ in days:
        [due] = [one for one in all_deadlines(case, policy, ENGLAND) if one.kind == "untold-recheck"]
        found.append(due.reckoned.date)
        case = case.model_copy(update={"passed": (*case.passed, due.key)})

    assert found == days


def untold(on: date) -> Case:
    """Returns a Portsmouth case with a review whose letter is withheld."""
    case = stories.a_restricted_portsmouth_case()
    notice = Notice(id="n9", kind="review-outcome", about="r1", created_on=on, status="withheld")
    review = Review(
        id="r1", sanction="s1", on=on, why="own-motion", outcome="continue", signatures=(), reasons=None, findings={}, notice="n9",
        fresh_appeal=False,
    )  # fmt: skip
    return case.model_copy(update={"notices": (*case.notices, notice), "reviews": (review,)})
