"""Files that could be read and would have done harm: each is refused where it is wrong, with what would be right."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.flags import FLAGS
from domain.task import TASKS
from policies import load
from policies.lint import lint
from policies.load import MOST_BYTES, Unreadable
from starter.bodies import read_body
from starter.script import read_script

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "tests" / "policies" / "example-valley-transport.yaml"
LATE = OWN.parent / "rehearsals" / "example-valley-late.yaml"
BODY = """\
body: ours
name: Ours (test)
policy: mmo
keep_years: 6
people:
  - {id: one, name: Sample One, offices: [decision-maker], grade: 8}
  - {id: two, name: Sample Two, offices: [reviewer], grade: 10}
"""


def refused(read: Callable[[Path], object], file: Path) -> str:
    with pytest.raises(Unreadable) as error:
        read(file)
    print(error.value)
    for line in str(error.value).splitlines():
        assert re.match(rf"{re.escape(str(file))}:[1-9]\d*:[1-9]\d*: .+: .+", line), line
    return str(error.value)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def in_a_file(folder: Path, text: str) -> Path:
    file = folder / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def policy(file: Path) -> object:
    return load.policy(str(file))


OPTION = "    - {type: contact-times,"
AGAIN = "    - {type: other-action, label: a fine, sign_off: grade-2, cites: [EVT-27]}\n"
POLICIES = {
    "a period past any calendar": ("{months: {value: 18,", "{years: {value: 7000,", "at most 200 years, found 7000"),
    "working days without end": (
        "answer: {working_days: {value: 15",
        "answer: {working_days: {value: 10000000000",
        "at most 50000 working days",
    ),
    "two options of one type": (OPTION, AGAIN + OPTION, "other-action stands here already, as number 2"),
    "two teams of one name": ("{team: contact-centre,", "{team: depots,", "list each team once"),
    "two questions of one name": ("{finding: alternatives,", "{finding: needs,", "give each question its own code"),
    "two parts of one name": ("- {part: reasons, cites: [EVT-34]}", "- {part: until, cites: [EVT-34]}", "until stands here already"),
    "an appeal without an outcome": (
        "outcomes: {value: [confirm, amend, remove]",
        "outcomes: {value: []",
        "an appeal that nobody could answer",
    ),
    "an appeal of whose answer nobody is told": ("  appeal-outcome:\n", "  warning-again:\n", "Input should be"),
    "people beside a committee": (
        "      never_by: {offices: [board-solicitor]",
        "      people: {value: 5, cites: [EVT-20]}\n      never_by: {offices: [board-solicitor]",
        "its quorum says how many",
    ),
    "an empty label": ("{label: supervisor,", '{label: " ",', "letters and lists would show nothing"),
    "an empty clause": ("cites: [EVT-44]}\n  independent", 'cites: [""]}\n  independent', "some text, found ''"),
    "true for a number": ("quorum: {value: 3,", "quorum: {value: true,", "a number, found true"),
    "a scale of nothing": (
        "earlier_of: {value: [other-action, premises-restriction]",
        "earlier_of: {value: []",
        "by_earlier would never apply",
    ),
    "a scale of no option": (
        "earlier_of: {value: [other-action",
        "earlier_of: {value: [legal-action",
        "'legal-action' is not among decision.options",
    ),
    "a scale that is not there": (
        "    by_earlier:\n      - {weeks: {value: 4, cites: [EVT-31]}}\n      - {months: {value: 3, cites: [EVT-31]}}\n"
        "      - {years: {value: 1, cites: [EVT-31]}}\n",
        "",
        "add by_earlier, or take it out",
    ),
}


@pytest.mark.parametrize("fault", POLICIES)
def test_a_policy_no_case_could_run_under_is_refused(fault: str, tmp_path: Path):
    """Conventions: errors teach; such a file used to load, and the fault came up in a case, or never."""
    old, new, right = POLICIES[fault]

    assert right in refused(policy, in_a_file(tmp_path, changed(OWN.read_text(encoding="utf-8"), old, new)))


def test_an_appeal_whose_answer_no_letter_tells_is_refused(tmp_path: Path):
    """DEF-14."""
    text = OWN.read_text(encoding="utf-8")
    start = text.index("  appeal-outcome:\n")
    without = text[:start] + text[text.index("  challenge-refused:\n") :]

    assert "add appeal-outcome" in refused(policy, in_a_file(tmp_path, without))


def test_a_ground_may_not_be_called_other(tmp_path: Path):
    listed = "appeal:\n  only_on:\n    - {ground: other, label: anything, cites: [EVT-44]}\n"

    text = changed(OWN.read_text(encoding="utf-8"), "appeal:\n", listed)
    assert "stands for every ground that is not on the list" in refused(policy, in_a_file(tmp_path, text))


def test_an_edition_in_the_records_is_read_whatever_is_checked_today():
    """Design 3: a check that comes later may not stop a case that runs."""
    text = changed(OWN.read_text(encoding="utf-8"), "{months: {value: 18,", "{years: {value: 7000,")

    assert load.policy_of(text).retention.keep
    with pytest.raises(Unreadable):
        load.sound_policy_of(text)


def test_the_text_may_give_an_appeal_to_another_holder_of_the_office():
    """EVT-44: "a manager who took no part" is one office with two holders, and no contradiction; a default alone is not the text's word."""
    text = OWN.read_text(encoding="utf-8")
    assert load.sound_policy_of(text).appeal

    with pytest.raises(Unreadable, match="another holder of it decides"):
        load.sound_policy_of(changed(text, "independent: {value: true, cites: [EVT-44]}", "independent: {value: true, default: DEF-09}"))


def test_a_letter_that_is_not_there_is_a_gap(tmp_path: Path):
    """GAP-14, DEF-14: the file loads, and whoever reads the check sees of what nobody is told."""
    text = OWN.read_text(encoding="utf-8")
    silent = text[: text.index("  lapse:\n")] + text[text.index("review:\n  cycle") :]

    found = [one.what for one in lint(str(in_a_file(tmp_path, silent))).gaps if one.code == "GAP-14"]
    assert len(found) == 1 and "the end of restrictions" in found[0]
    assert not [one for one in lint(str(OWN)).gaps if one.code == "GAP-14"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (" " * (MOST_BYTES + 1), f"more than {MOST_BYTES} bytes"),
        ("!!omap [a: 1]\n", "add format"),
        ("[" * 3000 + "]" * 3000, "nested too deep; write it flatter"),
    ],
    ids=["too large", "an ordered map", "a nest without an end"],
)
def test_what_the_reader_stumbled_on_is_told(text: str, right: str, tmp_path: Path):
    for read in (policy, read_body, read_script):
        told = refused(read, in_a_file(tmp_path, text))
        assert right.replace("add format", "") in told


def test_a_folder_is_no_policy(tmp_path: Path):
    with pytest.raises(Unreadable, match="a folder; name the policy's file in it"):
        load.policy(str(tmp_path))


BODIES = {
    "a person called customer": ("{id: one,", "{id: customer,", "somebody who is no member of staff"),
    "a person called calendar": ("{id: one,", "{id: calendar,", "somebody who is no member of staff"),
    "years past any calendar": ("keep_years: 6", "keep_years: 7000", "from 0 to 99"),
    "true for a number": ("keep_years: 6", "keep_years: true", "a number, found true"),
    "true for a grade": ("grade: 8", "grade: true", "a number, found true"),
    "nobody's deputy": ("grade: 8}", "grade: 8, deputises_for: [nobody]}", "'nobody' is nobody else on this list"),
    "a body without a name": ("name: Ours (test)", 'name: " "', "found nothing"),
    "a person without a name": ("name: Sample One", 'name: ""', "found nothing"),
    "a meeting twice": ("people:", "meetings: [2027-01-04, 2027-01-04]\npeople:", "one line a day"),
}


@pytest.mark.parametrize("fault", BODIES)
def test_a_bad_body_file_is_refused(fault: str, tmp_path: Path):
    old, new, right = BODIES[fault]
    assert read_body(in_a_file(tmp_path, BODY)).people

    assert right in refused(read_body, in_a_file(tmp_path, changed(BODY, old, new)))


REHEARSALS = {
    "no such flag": ("flags: [late_appeal_undecided]", "flags_absent: [late_apeal_undecided]", "did you mean late_appeal_undecided?"),
    "no such task": ("tasks: [appeal]", "tasks_absent: [apeal]", "did you mean appeal?"),
    "no such date": ("dates: {appeal_closes: 2027-03-31}", "dates: {apeal_closes: null}", "did you mean appeal_closes?"),
    "no such part": ("parts: {appeal-outcome: [outcome", "parts_absent: {appeal-outcome: [outcom", "'outcom' is no part of a letter"),
    "no such letter": ("parts: {appeal-outcome", "parts_absent: {apeal-outcome", "did you mean appeal-outcome?"),
    "no such stage": ("expect: {outcome: accepted, dates", "expect: {stage: restrictd, dates", "did you mean restricted?"),
    "no such office": ("offices: [supervisor]", "offices: [superviser]", "did you mean supervisor?"),
    "no such deadline": ("notices: [appeal-outcome]", "fired: [apeal-closes]", "did you mean appeal-closes?"),
    "the customer on the staff list": ("  high: {name", "  customer: {name", "customer is no member of staff"),
    "years past any calendar": ("ombudsman: You", "retention_years: 7000\nombudsman: You", "from 0 to 99"),
}


@pytest.mark.parametrize("fault", REHEARSALS)
def test_a_rehearsal_that_expects_what_cannot_be_is_refused(fault: str, tmp_path: Path):
    """`flags_absent` of a flag that there is not would hold for ever."""
    old, new, right = REHEARSALS[fault]
    text = LATE.read_text(encoding="utf-8").replace("../example-valley-transport.yaml", str(OWN))
    assert read_script(in_a_file(tmp_path, text)).script.steps

    assert right in refused(read_script, in_a_file(tmp_path, changed(text, old, new)))


def test_the_lists_of_names_are_whole():
    """A flag or a kind of task that is added stands in its list too, else a rehearsal could not name it."""
    kinds = {
        word.value.value
        for file in (ROOT / "domain").glob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Task"
        for word in call.keywords
        if word.arg == "kind" and isinstance(word.value, ast.Constant)
    }
    named = re.findall(r'^        "([a-z_]+)": ', (ROOT / "domain" / "flags.py").read_text(encoding="utf-8"), re.MULTILINE)

    assert len(kinds) > 20 and kinds <= TASKS
    assert set(named) == FLAGS
