"""Policy files: every value has its clause, every operative clause its value, and a bad file says where and what would be right."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.policy import Policy
from policies import load
from policies.answers import answers
from policies.load import Unreadable
from policies.survey import findings, values

ROOT = Path(__file__).resolve().parent.parent
POLICIES = [name for name in load.names() if name in load.clause_lists()]
OPERATIVE = {
    "stage",
    "precondition",
    "authority",
    "window",
    "review",
    "appeal",
    "exception",
    "right",
    "retention",
    "restriction-option",
    "notice-content",
}
"""Kinds of clause that a case must follow; scope, behaviour, notification and record are judged by people or held in lists."""

UNCITED: dict[str, dict[str, str]] = {}
"""Operative clauses that no value cites, by policy, each with the reason. Empty: every one of the shipped policies is used."""

CODE = ("domain", "records", "activities", "workflows", "worker")


def lines_of(error: Unreadable) -> list[str]:
    return str(error).splitlines()


def line_with(text: str, part: str) -> int:
    found = [number for number, line in enumerate(text.splitlines(), start=1) if part in line]
    assert found, f"no line holds {part!r}"
    return found[0]


def changed(old: str, new: str, *, policy: str = "mmo") -> str:
    """Returns a shipped policy's text with one thing changed, so that each test breaks one thing alone."""
    text = load.policy_text(policy)
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def refused(text: str) -> list[str]:
    with pytest.raises(Unreadable) as error:
        load.policy_of(text, "bad.yaml")
    print(error.value)
    return lines_of(error.value)


# What is shipped


def test_the_five_policies_are_shipped():
    """Design 3: a guard over an empty set fails; the clause lists name the five policies there are texts of."""
    print(f"{len(load.names())} policies: {', '.join(load.names())}; {len(load.clause_lists())} clause lists")

    assert len(load.clause_lists()) == 5
    assert set(load.names()) == set(load.clause_lists())


@pytest.mark.parametrize("name", POLICIES)
def test_every_shipped_policy_loads_and_names_its_text(name: str):
    """Design 3: a policy file names the edition and the sha256 of the text it was read from."""
    policy = load.policy(name)

    assert policy.policy == name
    assert policy.edition.label
    assert len(set(policy.edition.text_sha256)) > 8


@pytest.mark.parametrize("name", POLICIES)
def test_every_clause_a_policy_cites_exists(name: str):
    """Design 3: every value cites a clause of policies/clauses/."""
    policy, known = load.policy(name), load.clauses(name)
    cited = load.cited(policy)
    print(f"{name}: {len(values(policy))} values cite {len(cited)} of {len(known)} clauses")

    assert len(cited) > 20
    assert cited - set(known) == set()
    assert findings(policy) == ()


@pytest.mark.parametrize("name", POLICIES)
def test_every_operative_clause_is_cited_or_its_absence_is_justified(name: str):
    """Design 3: a clause that demands something and is cited nowhere would be a rule silently left out."""
    operative = [use for use in answers(name) if use.kind in OPERATIVE]
    print(f"{name}: {len(operative)} operative clauses, {dict(Counter(use.kind for use in operative))}")

    assert len(operative) > 15
    assert {use.clause for use in operative if not use.used_at} == set(UNCITED.get(name, {}))


@pytest.mark.parametrize("name", POLICIES)
def test_every_behaviour_of_the_text_is_in_the_list_of_behaviours(name: str):
    """Clauses of kind behaviour name a code; the policy file offers exactly those, each resting on its own clause."""
    named = {clause.behaviour: clause.id for clause in load.clauses(name).values() if clause.behaviour}
    offered = load.policy(name).behaviours
    print(f"{name}: {len(named)} behaviours")

    assert len(named) > 5
    assert set(offered) == set(named)
    assert {code for code, clause in named.items() if clause not in offered[code].cites} == set()


@pytest.mark.parametrize("name", POLICIES)
def test_every_default_is_one_of_the_catalogue(name: str):
    """Design 3: a value that no clause gives names its default: DEF-nn, A-nn, EH-nn, or the clause whose silence it fills."""
    used = Counter(value.default for value in values(load.policy(name)) if value.default)
    known = set(load.defaults()) | set(load.clauses(name))
    print(f"{name}: {sum(used.values())} values rest on {len(used)} defaults")

    assert sum(used.values()) > 10
    assert set(used) - known == set()


def test_every_default_of_the_catalogue_is_said_in_words():
    """Design 3: a person sees what stands where a text is silent; DEF-01 to DEF-21 are all there."""
    listed = load.defaults()
    print(f"{len(listed)} defaults")

    assert {f"DEF-{n:02}" for n in range(1, 22)} <= set(listed)
    assert [code for code, said in listed.items() if not re.fullmatch(r"(DEF|A|EH)-\d{2,3}", code) or not said.strip()] == []


def test_a_default_that_the_catalogue_does_not_know_is_found():
    """Design 3: nobody may invent what a text does not say."""
    number = "number: {value: one-per-decision, default: DEF-11}"
    invented = load.policy_of(changed(number, number.replace("DEF-11", "DEF-99")))

    assert [fault for fault in findings(invented) if "appeal.number" in fault and "DEF-99" in fault]


def test_a_clause_that_does_not_exist_is_found():
    """Design 3: a citation that leads nowhere is worse than none."""
    answer = "answer: {working_days: {value: 20, cites: [MMO-43]"
    invented = load.policy_of(changed(answer, answer.replace("MMO-43", "MMO-99")))

    assert [fault for fault in findings(invented) if "appeal.answer" in fault and "MMO-99" in fault]


@pytest.mark.parametrize("name", POLICIES)
def test_every_value_has_a_source(name: str):
    """Design 3: clause or default; a person sees the difference everywhere."""
    found = values(load.policy(name))

    assert len(found) > 50
    assert [value.where for value in found if not value.cites and value.default is None] == []


@pytest.mark.parametrize("name", POLICIES)
def test_every_value_left_open_by_a_torn_or_silent_text_says_so(name: str):
    """Design 3: text that is torn or silent stays visibly so; the dates an undated edition lacks are unconfirmed, never made up."""
    edition = load.policy(name).edition

    for bound in (edition.valid_from, edition.valid_to):
        assert bound.value is not None or bound.unconfirmed


@pytest.mark.parametrize("name", load.clause_lists())
def test_every_clause_list_is_numbered_in_our_own_words(name: str):
    """Design 3: id, where it stands, paraphrase; the published texts themselves are not copied into the project."""
    known = load.clauses(name)
    print(f"{name}: {len(known)} clauses")

    assert len(known) >= 50
    assert len({clause.split("-")[0] for clause in known}) == 1
    assert all(clause.where.strip() and clause.says.strip() for clause in known.values())


def test_the_clause_lists_hold_the_343_clauses_of_the_five_texts():
    """Design 3: the catalogue counts 343."""
    assert sum(len(load.clauses(name)) for name in load.clause_lists()) == 343


# Bad files


def test_a_value_without_cites_is_refused_where_it_stands():
    """Design 3: every value cites, or is marked as a default."""
    text = changed("other_behaviour: {cites: [MMO-03]}", "other_behaviour: {modality: must}")

    faults = refused(text)

    assert len(faults) == 1
    assert faults[0].startswith(f"bad.yaml:{line_with(text, 'other_behaviour:')}:1: other_behaviour: ")
    assert "cites: [a clause]" in faults[0]


def test_an_unknown_field_is_refused_by_its_name():
    """Design 3: extra="forbid"; a misspelt field would be a rule silently left out."""
    text = changed("  behaviour_after: {value: must-continue", "  behavior_after: {value: must-continue")

    faults = refused(text)

    assert faults[0].startswith(f"bad.yaml:{line_with(text, 'behavior_after')}:3: warning.behavior_after: ")


def test_a_key_given_twice_is_refused_where_it_is_repeated():
    """Design 3: YAML 1.2 that rejects duplicate keys; the last one must not win in silence."""
    text = changed("nation: {value: england-and-wales, default: A-02}", "nation: {value: england-and-wales, default: A-02}\nbody: Another")

    faults = refused(text)

    assert faults[0].startswith(f"bad.yaml:{line_with(text, 'body: Another')}:1: ")
    assert "body" in faults[0]


@pytest.mark.parametrize("units", ["weeks: {value: 2, cites: [MMO-42]}, days: {value: 14, cites: [MMO-42]}, ", ""])
def test_a_period_without_exactly_one_unit_is_refused(units: str):
    """Design 3: a period is a number of one unit."""
    text = changed("window: {weeks: {value: 2, cites: [MMO-42]}, from:", f"window: {{{units}from:")

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, '  window:')}:3: appeal.window: ")
    assert "exactly one of days, weeks, months, years, working_days" in fault


def test_a_period_of_no_days_is_refused_with_what_was_found():
    """Design 3: errors say what was found."""
    text = changed("window: {weeks: {value: 2, cites", "window: {weeks: {value: 0, cites")

    (fault,) = refused(text)

    assert re.match(rf"bad\.yaml:{line_with(text, '  window:')}:\d+: appeal\.window\.weeks\.value: .*greater than 0.*, found 0$", fault)


def test_an_office_that_is_not_listed_is_refused_where_it_is_named():
    """Design 3: load errors name file, line, column, the field and what would be right."""
    text = changed("destroyed_by: {offices: [records-officer]", "destroyed_by: {offices: [record-officer]")

    (fault,) = refused(text)

    assert "record-officer" in fault
    assert "records-officer" in fault, "the offices that are listed would be right"
    assert fault.startswith(f"bad.yaml:{line_with(text, 'record-officer')}:")
    assert "retention.destroyed_by" in fault


def test_an_office_to_which_a_matter_is_referred_must_be_listed_too():
    """PCC-38: a misspelt addressee would send every referral to nobody."""
    text = changed(
        "to: {value: city-helpdesk-manager, cites: [PCC-38]}", "to: {value: city-helpdesk, cites: [PCC-38]}", policy="portsmouth"
    )

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, 'value: city-helpdesk,')}:")


def test_a_parameter_that_a_restriction_does_not_have_is_refused():
    """PCC-49: a misspelt parameter would be found only when somebody decides, as a fault in the program."""
    text = changed("requires: [deputy], cites: [PCC-49]", "requires: [deputies], cites: [PCC-49]", policy="portsmouth")

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, 'requires: [deputies]')}:")


def test_an_unknown_restriction_type_is_refused_with_the_types_there_are():
    """Design 3: an option's type is one of the typed restrictions."""
    text = changed("{type: no-reply-on-topic,", "{type: no-replies,")

    (fault,) = refused(text)

    assert re.match(rf"bad\.yaml:{line_with(text, 'no-replies')}:\d+: decision\.options\.\d+\.type: ", fault)
    assert "'no-reply-on-topic'" in fault
    assert fault.endswith("found 'no-replies'")


def test_a_sign_off_that_is_not_listed_is_refused_where_it_is_named():
    """Design 3: an option names the sign-off it takes."""
    text = changed("label: legal action, sign_off: legal,", "label: legal action, sign_off: lawyers,")

    (fault,) = refused(text)

    assert "lawyers" in fault
    assert fault.startswith(f"bad.yaml:{line_with(text, 'lawyers')}:")


def test_an_unknown_word_is_refused_with_the_words_there_are():
    """Design 3: bodies that differ get a differently named value, one of a closed list."""
    text = changed("if_late: {value: refused-unless-good-reason,", "if_late: {value: refused,")

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, 'if_late:')}:")
    assert "appeal.if_late.value" in fault
    assert "refused-unless-good-reason" in fault
    assert fault.endswith("found 'refused'")


def test_a_default_that_is_no_default_is_refused():
    """Design 3: a default is named by its code, never explained in the policy file's own way."""
    text = changed("number: {value: one-per-decision, default: DEF-11}", "number: {value: one-per-decision, default: we-think-so}")

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, 'we-think-so')}:")
    assert "appeal.number.default" in fault
    assert fault.endswith("found 'we-think-so'")


def test_a_field_left_out_is_named():
    """Design 3: what is missing is said, not guessed."""
    text = changed("    kind: {value: open, cites: [MMO-44]}\n", "")

    (fault,) = refused(text)

    assert fault.startswith(f"bad.yaml:{line_with(text, '  length:')}:3: decision.length.kind: Field required")


def test_every_fault_of_a_file_is_told_at_once():
    """Conventions: errors teach; one run shows them all."""
    text = changed("other_behaviour: {cites: [MMO-03]}", "other_behaviour: {modality: must}").replace("value: 20,", "value: twenty,")

    faults = refused(text)

    assert len(faults) == 2
    assert any("appeal.answer.working_days.value" in fault and fault.endswith("found 'twenty'") for fault in faults)


def test_text_that_is_no_yaml_is_refused_with_line_and_column():
    """Design 3: load errors name file, line and column."""
    text = changed("nation: {value: england-and-wales, default: A-02}", "nation: {value: england-and-wales, default: A-02")

    assert re.match(r"bad\.yaml:\d+:\d+: ", refused(text)[0])


def test_the_words_yes_and_no_stay_words():
    """Libraries, 1: YAML 1.2 does not read no as False, nor 012 as ten."""
    data = load.parse("needed: no\nnumber: 012\n", "some.yaml")

    assert dict(data) == {"needed": "no", "number": 12}  # type: ignore[call-overload]  # a mapping of ruamel


def test_a_policy_that_is_not_there_is_refused_with_those_that_are():
    """Conventions: what was asked, why not, what remains possible."""
    with pytest.raises(Unreadable, match=r"atlantis: no such policy; known: .*mmo"):
        load.policy("atlantis")


def test_the_same_text_is_the_same_edition_for_ever_and_a_changed_one_is_another():
    """Design 3: an edition is kept by its hash, so editing a file never alters an open case."""
    text = load.policy_text("mmo")

    assert load.edition_of(text) == load.edition_of(str(text))
    assert load.edition_of(text) != load.edition_of(text + "\n")


# Code that knows no body


def words_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yields the names and strings of a module with their lines; docstrings and comments may say whose clause needs a rule."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in said:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.alias(name=name):
                yield 0, name


def modules() -> list[Path]:
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py") if "versions" not in path.parts)


def names_of_bodies() -> set[str]:
    titles = {load.policy(name).body for name in POLICIES}
    return {name.lower() for name in (*load.clause_lists(), *titles)}


def test_no_body_is_named_in_code():
    """Design 3: bodies that differ get a differently named value, never an `if body ==` in code. A new body is a new file."""
    bodies = re.compile(rf"\b({'|'.join(re.escape(name) for name in sorted(names_of_bodies()))})\b")
    checked = [(path, line, word) for path in modules() for line, word in words_of(path)]
    print(f"{len(checked)} names and strings of {len(modules())} modules searched for {len(names_of_bodies())} names")

    assert len(modules()) > 30
    assert len(checked) > 5000
    assert [f"{path.relative_to(ROOT)}:{line}: {word}" for path, line, word in checked if bodies.search(word.lower())] == []


def test_no_clause_of_a_policy_is_cited_by_code():
    """Design 3: what an answer cites comes from the policy file; only shared defaults (DEF-nn) may stand in code."""
    prefixes = {clause.split("-")[0] for name in load.clause_lists() for clause in load.clauses(name)}
    clause = re.compile(rf"\b({'|'.join(sorted(prefixes))})-\d\d\d?\b")
    found = [(path, line, word) for path in modules() for line, word in words_of(path) if clause.search(word)]

    assert len(prefixes) == 5
    assert [f"{path.relative_to(ROOT)}:{line}: {word}" for path, line, word in found] == []


def test_a_policy_file_holds_no_condition_or_function():
    """Design 3: numbers, words, roles, periods, lists and citations; never an expression or a function's name."""
    texts = {name: load.policy_text(name) for name in POLICIES}

    assert len(texts) >= 2
    assert [name for name, text in texts.items() if re.search(r"lambda|\beval\b|!!python|\bdef \w+\(|\{\{|\{%", text)] == []
    assert all(isinstance(load.policy(name), Policy) for name in texts)
