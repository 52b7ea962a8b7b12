"""What docs/write-a-policy.md and docs/policies.md say that the program prints is what it prints today."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies import load
from policies.load import Unreadable
from policies.survey import findings

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "tests" / "policies"
PAGES = ("write-a-policy.md", "policies.md")
VALLEY = "  - {id: manager, name: Sample Manager, offices: [decision-maker]}\n"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def replaced(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, (text.count(old), old)
        text = text.replace(old, new)
    return text


def sample_valley() -> str:
    """Returns the file that policies.md makes of the MMO's: two lines changed, its clauses its own."""
    [block] = re.findall(r"```yaml\n(# policies/mmo.yaml\n.*?)```", page("policies.md"), re.DOTALL)
    _, before, after = re.split(r"^# \S+\n", block, flags=re.MULTILINE)
    edits = list(zip(before.splitlines(), after.splitlines(), strict=True))
    return replaced(load.policy_text("mmo"), *edits, ("policy: mmo\n", "policy: sample-valley\n")).replace("MMO-", "SVC-")


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the two pages speak of, the slips in them made as they say."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "valley" / "clauses").mkdir(parents=True)
    (folder / "listed" / "clauses").mkdir(parents=True)
    own = (OWN / "little-sampling.yaml").read_text(encoding="utf-8")
    slip = replaced(own, ("window: {days: {value: 14, cites: [LS-10]}", "window: {days: {value: 14, cites: [LS-99]}"))
    listed = (OWN / "clauses" / "little-sampling.yaml").read_text(encoding="utf-8")
    more = "- {id: LS-16, where: '14', says: 'The Clerk reads every letter aloud.', kind: stage}\n"
    valley = sample_valley()
    closed = re.search(r"^  closed_list: .*$", valley, re.MULTILINE)
    assert closed
    files = {
        "little-sampling": slip,
        "clauses/little-sampling": listed + more,
        "sample-valley": valley,
        "broken": replaced(valley, (closed[0], "  closed_list: {value: true}"), ("kind: {value: open,", "kind: {value: opne,")),
        "broken2": replaced(valley, ("\n  by: {offices: [reviewer],", "\n  by: {offices: [reviewr],")),
        "broken3": _three_months(valley),
    }
    for name, text in files.items():
        (folder / "valley" / f"{name}.yaml").write_text(text, encoding="utf-8")
    [clauses] = re.findall(r"```yaml\n(format: 1\npolicy: sample-valley\n.*?)```", page("policies.md"), re.DOTALL)
    (folder / "listed" / "clauses" / "sample-valley.yaml").write_text(clauses, encoding="utf-8")
    shutil.copy(folder / "valley" / "sample-valley.yaml", folder / "listed" / "sample-valley.yaml")
    return folder


def _three_months(text: str) -> str:
    """Returns a policy whose restrictions end after three months and are reviewed every four."""
    cycle = re.search(r"^  cycle: \{months: \{value: 12,", text, re.MULTILINE)
    assert cycle
    return replaced(
        text,
        (
            "    kind: {value: open, cites: [SVC-44]}\n",
            "    kind: {value: fixed, cites: [SVC-44]}\n    period: {months: {value: 3, cites: [SVC-44]}}\n",
        ),
        (cycle[0], "  cycle: {months: {value: 4,"),
    )


def shown(name: str) -> Iterator[tuple[str, list[str]]]:
    """Yields each `evenhand policy check` of a page, with the lines it says are printed."""
    for block in re.findall(r"```console\n(.*?)```", page(name), re.DOTALL):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *printed = command.rstrip("\n").split("\n")
            if line.startswith("evenhand policy check") and printed:
                yield line.split("#")[0].strip(), printed


SHOWN = [(name, command, printed) for name in PAGES for command, printed in shown(name)]


def fits(said: str, printed: list[str]) -> bool:
    """Returns whether a line of a page is printed: `...` stands for anything, and blanks for any blanks."""
    pattern = re.escape(" ".join(said.split())).replace(r"\.\.\.", ".*")
    return any(re.fullmatch(pattern, " ".join(one.split())) for one in printed)


@pytest.mark.parametrize(("name", "command", "printed"), SHOWN, ids=[f"{name} {n}" for n, (name, _, _) in enumerate(SHOWN)])
def test_a_page_shows_what_is_printed_today(name: str, command: str, printed: list[str], valley: Path):
    words = command.replace("valley/sample-valley.yaml", "sample-valley.yaml") if "cites SVC-48" in "".join(printed) else command
    where = valley / "listed" if words != command else valley
    run = [str(Path(sys.executable).with_name("evenhand")), *words.split()[1:]]
    environment = {**os.environ, "COLUMNS": "1000", "EVENHAND_VAR": str(valley / "var")}
    done = subprocess.run(run, cwd=where, env=environment, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    said = [line.replace("valley/", "") if words != command else line for line in printed if line.strip() not in ("", "...")]

    assert said
    assert [line for line in said if not fits(line, lines)] == [], "\n".join(lines)


def test_both_pages_show_something():
    """A guard over an empty set would pass."""
    assert {name for name, _, _ in SHOWN} == set(PAGES)
    assert len(SHOWN) >= 6


# The table of common mistakes

MISTAKES: dict[str, tuple[str, str, str]] = {
    "`days: 14`": ("little-sampling", "days: {value: 14, cites: [LS-10]}", "days: 14"),
    "a value without its clause": ("little-sampling", "in_writing: {value: true, cites: [LS-10]}", "in_writing: {value: true}"),
    "an office that is not listed": (
        "little-sampling",
        "recorded_by: {offices: [clerk], cites: [LS-04]}",
        "recorded_by: {offices: [clark], cites: [LS-04]}",
    ),
    "`relation`, `offices` and `at_or_above` all left out": (
        "marrow-valley-nhs",
        "by: {at_or_above: {value: 8, cites: [MV-13]}, cites",
        "by: {cites",
    ),
    "a heading that no behaviour has": ("fenmoor-university", "      abusive: {months", "      abusiv: {months"),
    "two scales, or headings, without a word on which counts": (
        "fenmoor-university",
        "    if_several: {value: longest, cites: [FU-15]}\n",
        "",
    ),
    "a scale under `kind: open`": ("fenmoor-university", "kind: {value: chosen", "kind: {value: open"),
    "a warning's appeal alone": ("fenmoor-university", "  while_appealed: {value: decision-waits, cites: [FU-08]}\n", ""),
    "a window from an event that is not the appeal's": (
        "alderbrook-homes",
        "{value: decision, cites: [AH-13]}",
        "{value: agreement, cites: [AH-13]}",
    ),
    "`opens_before` in weeks": ("alderbrook-homes", "opens_before: {days", "opens_before: {weeks"),
    "reviews that cannot lift": ("alderbrook-homes", "    lift: {cites: [AH-12]}\n", ""),
    "an appeal that no letter tells of": ("marrow-valley-nhs", "      - {part: appeal, cites: [MV-14]}\n", ""),
    "a second stage, and no `next-stage` in `appeal-outcome`": ("alderbrook-homes", "      - {part: next-stage, cites: [AH-16]}\n", ""),
    "the post that decides hears the appeal as well": (
        "example-valley-transport",
        "independent: {value: true, cites: [EVT-44]}",
        "independent: {value: true, default: DEF-09}",
    ),
    "two options of one type": (
        "example-valley-transport",
        "  one_sign_off:",
        "    - {type: other-action, label: a fine, sign_off: grade-2, cites: [EVT-27]}\n  one_sign_off:",
    ),
}


def table() -> dict[str, str]:
    """Returns the mistakes of the page, each with what the page says that the check says."""
    part = page("write-a-policy.md").split("## Common mistakes")[1].split("\n\nNo check")[0]
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in part.splitlines() if line.startswith("| ")][1:]
    return {row[0]: row[1].strip("`") for row in rows}


def said_of(name: str, old: str, new: str) -> list[str]:
    text = (OWN / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    try:
        found = load.sound_policy_of(text.replace(old, new, 1), "file.yaml")
    except Unreadable as error:
        return [re.sub(r"^file\.yaml:\d+:\d+: ", "", line) for line in str(error).splitlines()]
    return list(findings(found, load.clauses_beside(str(OWN / f"{name}.yaml"), name)))


def test_every_mistake_of_the_table_is_tried():
    assert list(table()) == list(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_table_says_what_the_check_says(mistake: str):
    said, lines = table()[mistake], said_of(*MISTAKES[mistake])

    assert fits(said, lines) or any(fits(f"... {said}", [line]) or fits(f"... {said}...", [line]) for line in lines), lines
