"""Every clause of the five texts is answered, and every answer is exercised by a rehearsal that would differ without it."""

from __future__ import annotations

import importlib

import pytest

from policies import load
from policies.answers import PLACES, Answer, answers, exercised
from policies.survey import values
from policies.tested import TESTS, clauses_in, named_by_tests
from tests.mutate import REHEARSALS, tried
from tests.own_policies import FILES, own
from tests.switched_off import without

LISTED = {"mmo": 50, "natural-england": 68, "maidstone": 65, "portsmouth": 92, "council-2024-2028": 68}
"""How many clauses each published text has."""


def uncovered(found: dict[str, tuple[Answer, ...]]) -> tuple[int, list[str]]:
    """Returns how many clauses were looked at, each that no value answers or no rehearsal claims, and each id that no text has."""
    every = [one for each in found.values() for one in each]
    listed = {clause for name in LISTED for clause in load.clauses(name)}
    unknown = [claim for claim in (*exercised(), *(one.clause for one in every)) if claim not in listed | set(load.defaults())]
    return len(every), [*(one.clause for one in every if not (one.how and one.used_at and one.exercised_by)), *unknown]


def test_all_343_clauses_are_answered_and_claimed():
    checked, wanting = uncovered({name: answers(name) for name in LISTED})

    assert checked == sum(LISTED.values()) == 343
    assert wanting == []


def test_the_guard_fails_where_it_has_nothing_to_check_or_a_clause_is_not_covered():
    assert uncovered({}) == (0, [])  # and 0 is not 343
    hollow = answers("mmo")[0].model_copy(update={"exercised_by": ()})
    assert uncovered({"mmo": (hollow,)}) == (1, [hollow.clause])


def test_the_guard_fails_on_a_clause_that_no_text_has(monkeypatch):
    unknown = answers("mmo")[0].model_copy(update={"clause": "MMO-99"})
    assert unknown.exercised_by
    assert uncovered({"mmo": (unknown,)}) == (1, ["MMO-99"])

    monkeypatch.setattr("tests.test_clauses.exercised", lambda: {"PCC-93": ("portsmouth-options",)})
    assert uncovered({}) == (0, ["PCC-93"])


@pytest.mark.parametrize("name", LISTED)
def test_each_text_has_all_its_clauses(name: str):
    assert len(load.clauses(name)) == LISTED[name]


def test_no_rehearsal_claims_what_does_not_exist():
    known = set(load.defaults()) | {clause for name in LISTED for clause in load.clauses(name)}
    assert exercised(), "no rehearsal claims anything"
    assert {claim: paths for claim, paths in exercised().items() if claim not in known} == {}


@pytest.mark.parametrize("rule", sorted({place.rule for place in PLACES}))
def test_the_rule_that_is_said_to_answer_is_there(rule: str):
    module, _, function = rule.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_place_is_used_by_a_value_of_some_policy():
    from policies.answers import place_of

    policies = (*map(load.policy, LISTED), *(own(file.stem) for file in FILES))
    used = {place_of(one).where for policy in policies for one in values(policy)}
    assert {place.where for place in PLACES} - used == set()


def test_the_tests_that_name_a_clause_are_listed_and_are_there():
    """MMO-42, MBC-57 to MBC-61: by file and name, from their docstrings; what only a comment or another word names is none."""
    found = named_by_tests()
    here = f"test_clauses.py::{test_the_tests_that_name_a_clause_are_listed_and_are_there.__name__}"
    listed = {clause for name in LISTED for clause in load.clauses(name)}
    named = [clause for clause in listed if found.get(clause)]
    print(f"{len(named)} clauses named by tests")

    assert all(here in found[clause] for clause in ("MMO-42", "MBC-57", "MBC-59", "MBC-61"))
    assert here not in found.get("MBC-62", ())
    assert len(named) > 100
    answer = next(one for one in answers("mmo") if one.clause == "MMO-42")
    assert here in answer.tested_by and answer.exercised_by
    for one in {one for names in found.values() for one in names}:
        file, _, name = one.partition("::")
        assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def test_clauses_are_read_out_of_words():
    assert list(clauses_in("MBC-57 to MBC-61, C24-03; PCC-25 and A-52, DEF-14 to 16. Not UTF-8, nor mmo-42.")) == [
        "MBC-57", "MBC-58", "MBC-59", "MBC-60", "MBC-61", "C24-03", "PCC-25", "A-52", "DEF-14", "DEF-15", "DEF-16",
    ]  # fmt: skip


async def test_switching_a_clause_off_is_missed_and_a_hollow_claim_survives(monkeypatch):
    """What make mutate does on a fifth of the clauses, on one; and that it can say no."""
    found = await tried([("mmo", "MMO-42", None)], tell=False)
    assert [one.result for one in found] == ["missed"]

    monkeypatch.setattr("tests.mutate.claims", lambda: {"PCC-50": [REHEARSALS / "portsmouth-step-one.yaml"]})
    found = await tried([("portsmouth", "PCC-50", None), ("mmo", "MMO-42", None)], tell=False)
    assert [one.result for one in found] == ["survived", "unclaimed"]


def test_a_clause_switched_off_is_off_everywhere():
    text = without("mmo", "MMO-42")
    assert text is not None
    window = load.policy_of(text, "mutant").appeal
    assert window is not None
    assert window.window is None or window.window.count != 2
