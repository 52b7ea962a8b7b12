"""evenhand letter: a letter looked at before it goes, and wording found wrong before it is in use; as people and scripts meet them."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import get_args

import pypdfium2
import pytest

from activities.bodies import Body, keep_edition, save_body
from domain.policy import Part
from domain.restrictions import RestrictionType
from policies import load
from records.database import open_database, reading, transaction
from records.store import read_case, save_case
from records.vault import CaseVault
from starter.sample_letters import Samples, sample_letter
from starter.sample_restrictions import EXAMPLES
from starter.wording import check_wording
from tests.engine import ROOT, evenhand
from tests.stories import MMO, MMO_STAFF, a_restricted_mmo_case
from tests.tables import with_tables

DONE, REFUSED, MISUNDERSTOOD, UNKNOWN = 0, 1, 2, 4
AT = datetime(2027, 3, 10, 9, tzinfo=timezone.utc)
OWN = sorted((ROOT / "tests" / "policies").glob("*.yaml"))


def letter(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = evenhand("letter", *words, env=env or {})
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


@pytest.fixture
def records(tmp_path: Path) -> dict[str, str]:
    """Records that hold one restricted case, its body with a letterhead, and no engine anywhere."""
    url = f"sqlite:///{tmp_path / 'evenhand.db'}"
    engine = with_tables(tmp_path / "evenhand.db")
    body = Body(body="mmo", name="MMO (sample)", policy="mmo", people=MMO_STAFF.people, letterhead=("Sample Offices", "Sampletown"))
    with transaction(engine) as session:
        save_body(session, body)
        _, edition = keep_edition(session, body, at=AT)
        case = a_restricted_mmo_case().model_copy(update={"edition": edition})
        save_case(session, case, vault=CaseVault(session, case.id), deadline=None, at=AT)
    return {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": url}


def test_a_letter_of_a_case_is_shown_and_nothing_is_recorded(records: dict[str, str], tmp_path: Path):
    """What stands in the records before is what stands there after."""
    before = (tmp_path / "evenhand.db").read_bytes()

    done = letter("preview", "mmo/2027-0001", "decision", env=records)

    assert done.returncode == DONE, done.stderr
    for words in ("Sample Offices", "Dear Casey Sample", "at most 1 contact by email each week", "Yours sincerely"):
        assert words in done.stdout
    assert (tmp_path / "evenhand.db").read_bytes() == before
    with reading(open_database(records["EVENHAND_DATABASE_URL"])) as session:
        assert read_case(session, "mmo/2027-0001").seq == a_restricted_mmo_case().seq  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("mmo/2027-0001", "lapse"), UNKNOWN, "owes no letter of the kind lapse; it has: warning, decision."),
        (("mmo/2027-0002", "decision"), UNKNOWN, "The records hold no case mmo/2027-0002."),
        (("decision",), MISUNDERSTOOD, "Name a case and the kind of letter"),
        (("--sample", "mmo", "decison"), UNKNOWN, "mmo has no letter of the kind decison; it has: "),
        (("--sample", "nobody", "decision"), UNKNOWN, "There is no sample body nobody; there are: "),
        (("--sample", "mmo", "decision", "--format", "pdf"), MISUNDERSTOOD, "say where to write it with --out"),
        (("--sample", "mmo", "decision", "--format", "translation", "--out", "x.pdf"), MISUNDERSTOOD, "needs its --language"),
        (
            ("--sample", "mmo", "decision", "--format", "translation", "--language", "cy", "--out", "x.pdf"),
            REFUSED,
            "a translation into cy",
        ),
        (("--sample", "mmo", "decision", "--templates", "/no/such/folder"), MISUNDERSTOOD, "/no/such/folder is no folder"),
        (("--sample", "mmo", "decision", "--policy", "/no/such/file.yaml"), MISUNDERSTOOD, "/no/such/file.yaml"),
        (("--sample", "mmo", "decision", "--format", "braille"), MISUNDERSTOOD, "braille"),
        (("--sample", "mmo", "decision", "--out", "/no/such/folder/x.txt"), MISUNDERSTOOD, "cannot be written"),
    ],
)
def test_what_cannot_be_shown_is_said(records: dict[str, str], words: tuple[str, ...], code: int, said: str):
    """Exit codes as elsewhere; a line for a person, and never a traceback."""
    done = letter("preview", *words, env=records)

    assert done.returncode == code, done.stdout + done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("format", ["pdf", "large-print", "easy-read"])
def test_a_sample_is_written_as_pdf(tmp_path: Path, format: str):
    file = tmp_path / "letter.pdf"

    done = letter("preview", "--sample", "portsmouth", "decision", "--format", format, "--out", str(file))

    assert done.returncode == DONE, done.stderr
    assert "Nothing was recorded or sent." in done.stdout
    assert len(pypdfium2.PdfDocument(file)) >= 1


def test_wording_that_is_not_in_use_yet_is_tried_on_a_letter(records: dict[str, str], tmp_path: Path):
    """A policy officer sees the change before any customer does."""
    folder = tmp_path / "new"
    (folder / "mmo").mkdir(parents=True)
    (folder / "mmo" / "decision.md").write_text('{% set subject = "From the coast" %}\nOur own opening.', encoding="utf-8")

    tried = letter("preview", "mmo/2027-0001", "decision", "--templates", str(folder), env=records)
    in_use = letter("preview", "mmo/2027-0001", "decision", env=records)

    assert "From the coast" in tried.stdout and "What this means for you" in tried.stdout
    assert "From the coast" not in in_use.stdout


# Wording checked before it is in use


def test_the_wording_that_comes_with_evenhand_is_right_and_plain():
    """Nothing wrong and nothing worth a look, for the five policies and for five invented ones."""
    done = letter("check")

    assert done.returncode == DONE, done.stdout
    assert "0 wrong, 0 worth a look." in done.stdout
    assert len(OWN) >= 5
    for file in OWN:
        assert check_wording(load.policy(str(file))) == (), file.name


def test_a_part_that_no_letter_has_is_named_and_read_all_the_same(tmp_path: Path):
    """A wording that is never printed is work for nothing, and its slips stay until the day a letter has it."""
    file = tmp_path / "mmo" / "parts" / "until.md"
    file.parent.mkdir(parents=True)
    file.write_text("{% set heading = 'Until' %}\n{{ untill }}", encoding="utf-8")

    wrong = letter("check", str(tmp_path / "mmo"))
    file.write_text("{% set heading = 'Until' %}\n{{ until }}", encoding="utf-8")
    right = letter("check", str(tmp_path / "mmo"))

    assert wrong.returncode == REFUSED and "until.md:2: untill means nothing here" in wrong.stdout
    assert right.returncode == DONE and "no letter of mmo has this part: it is never printed" in right.stdout


WRONG: dict[str, tuple[str, str, str]] = {
    "a slip of syntax": ("mmo/decision.md", "{% set subject = 'x' %}\nWe decided.\n{% if %}", r"mmo/decision.md:3: "),
    "an end that is missing": ("mmo/parts/reasons.md", "{% set heading = 'Why' %}\n{% if text %}\n{{ text }}", "mmo/parts/reasons.md:3: "),
    "an unknown name": ("mmo/decision.md", "{% set subject = 'x' %}\nDear {{ surname }}", "mmo/decision.md:2: surname means nothing here"),
    "an unknown name where nobody sees it": (
        "maidstone/parts/until.md",
        "{% set heading = 'Until' %}\n{% if open %}{{ untill }}{% else %}{{ until }}{% endif %}",
        "maidstone/parts/until.md:2: untill means nothing here",
    ),
    "no heading": ("mmo/parts/reasons.md", "{{ text }}", "mmo/parts/reasons.md:1: sets no heading"),
    "no subject": ("mmo/decision.md", "We decided.", "sets no subject"),
    "a part that says nothing": ("mmo/parts/reasons.md", "{% set heading = 'Why' %}\n", "mmo/parts/reasons.md: prints nothing"),
    "a part that says nothing in one case": (
        "mmo/parts/review-date.md",
        "{% set heading = 'When' %}\n{% if every %}Every {{ every }}, from {{ day }}.{% endif %}",
        "mmo/parts/review-date.md: prints nothing",
    ),
    "a name that is no letter": ("mmo/decison.md", "{% set subject = 'x' %}x", "mmo/decison.md: is no kind of letter; there are: "),
    "a name that is no part": ("mmo/parts/reason.md", "{% set heading = 'x' %}x", "mmo/parts/reason.md: is no part of a letter; "),
    "a time of its own": (
        "maidstone/parts/appeal.md",
        "{% set heading = 'If you disagree' %}\nYou can make an {{ label }} to {{ to }}\nwithin 28 days.",
        'maidstone/parts/appeal.md:3: prints a time that neither the policy nor the case gives: "within 28 days"',
    ),
    "a time in words": (
        "maidstone/decision.md",
        "{% set subject = 'x' %}\nYou can appeal within two weeks.",
        'maidstone/decision.md:2: prints a time that neither the policy nor the case gives: "within two weeks"',
    ),
    "a date of its own": (
        "mmo/warning.md",
        "{% set subject = 'x' %}\nBy Friday 2 April 2027.",
        "mmo/warning.md:2: prints a date of its own: Friday 2 April 2027",
    ),
    "an appeal that there is not": (
        "council-2024-2028/decision.md",
        "{% set subject = 'x' %}\nYou can appeal.",
        "council-2024-2028/decision.md:2: speaks of an appeal, and this policy gives none",
    ),
    "a fact that is not there": (
        "mmo/restrictions.md",
        "{% macro contact_volume_limit(r) %}\n{{ r.maximum }}\n{% endmacro %}",
        "mmo/restrictions.md:2: ",
    ),
    "another program": ("mmo/decision.md", "{% set subject = 'x' %}\n{{ ''.__class__.__mro__ }}", "mmo/decision.md:2: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_wording_that_would_go_wrong_is_found_with_its_file_and_line(tmp_path: Path, case: str):
    """Conventions: where, what was found, what would be right; and nothing else is said to be wrong."""
    name, content, said = WRONG[case]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(content, encoding="utf-8")
    policy = load.policy(name.split("/")[0])

    found = [f"{one.where.removeprefix(f'{tmp_path}/')}: {one.what}" for one in check_wording(policy, tmp_path) if one.kind == "wrong"]

    assert [one for one in found if said in one], found
    assert all(name in one or Path(name).stem in one for one in found), found


def test_a_body_s_folder_is_checked_by_its_name_and_the_code_says_that_it_is_wrong(tmp_path: Path):
    folder = tmp_path / "mmo"
    folder.mkdir()
    (folder / "decision.md").write_text("{% set subject = 'x' %}\n" + "word " * 30 + ".", encoding="utf-8")
    hard = letter("check", str(folder))
    (folder / "decision.md").write_text("{% set subject = 'x' %}\n{% if %}", encoding="utf-8")
    wrong = letter("check", str(folder), "--json")

    assert hard.returncode == DONE and 'look at decision.md: the letter decision: 31 words: "word word' in hard.stdout
    assert wrong.returncode == REFUSED
    [found] = json.loads(wrong.stdout)
    assert (found["policy"], found["kind"], found["line"]) == ("mmo", "wrong", 2)


def test_a_whole_folder_of_wording_is_checked_for_a_policy_of_one_s_own(tmp_path: Path):
    """--policy names the file; what the folder does not word stays the common wording."""
    shutil.copytree(ROOT / "templates" / "notices", tmp_path / "notices")

    done = letter("check", str(tmp_path / "notices"), "--policy", str(OWN[0]))

    assert done.returncode == DONE, done.stdout


def test_what_is_neither_a_folder_nor_a_policy_is_said():
    assert letter("check", "/no/such/thing").returncode == MISUNDERSTOOD
    assert letter("check", "mmo", "--policy", "maidstone").returncode == MISUNDERSTOOD


def test_there_are_sample_facts_for_every_part_and_restriction():
    """A part without any could not be checked: add its facts to starter/sample_letters.py."""
    assert sorted(set(get_args(Part)) - set(Samples(policy=MMO).facts())) == []
    assert set(EXAMPLES) == set(get_args(RestrictionType))


def test_sample_facts_have_the_shape_of_a_case_s():
    """The facts made up for a check are those that a letter really gets: no more names, and no fewer."""
    from tests.test_letters import STORIES, composed

    for name, kind in STORIES:
        real, made = composed(STORIES[name, kind](), kind), sample_letter(load.policy(name), kind)
        shapes = {section.part: set(section.facts) for section in made.sections}
        for section in real.sections:
            assert set(section.facts) <= shapes.get(section.part, set(section.facts)) | {"day", "of_warning"}, (
                f"{name} {kind} {section.part}"
            )
