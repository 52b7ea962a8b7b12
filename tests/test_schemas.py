"""What services in other languages are told: the schemas on disk are those of the models, and real messages fit them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from activities.outcome import Outcome
from domain.commands import COMMANDS
from domain.decision import Refusal
from domain.message import read_command, read_message
from policies import load
from starter.contract import DOCS, MADE, schemas, tables, text_of, with_tables
from starter.rehearse import rehearse
from starter.script import read_script

FOLDER = DOCS / "schemas"
SENT = sorted((Path(__file__).resolve().parent / "golden" / "messages").glob("*.json"))
AGAIN = "run python -m starter.contract"
FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)  # jsonschema's own wants one more package
def is_an_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


def faults(name: str, value: object) -> list[str]:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return [error.message for error in Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value)]


def golden(file: Path) -> dict[str, object]:
    message = json.loads(file.read_text(encoding="utf-8"))
    assert isinstance(message, dict)
    return message


def unreadable(message: dict[str, object]) -> bool:
    try:
        read_command(read_message(message))
    except Refusal as refusal:
        return refusal.kind in ("malformed", "unknown")
    return False


def test_the_schemas_on_disk_are_those_of_the_models():
    made, there = schemas(), {file.stem: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    print(f"{len(there)} schemas for {len(COMMANDS)} commands")

    assert len(COMMANDS) > 30
    assert set(there) == set(made) == {"envelope", "outcome", *COMMANDS}, AGAIN
    assert [name for name, schema in made.items() if there[name] != text_of(schema)] == [], AGAIN


def test_every_schema_is_itself_a_schema():
    made = schemas()
    assert made

    for schema in made.values():
        Draft202012Validator.check_schema(schema)


def test_every_golden_message_fits_its_schemas():
    wrong = {}
    for file in SENT:
        message = golden(file)
        found = faults("envelope", message) + faults(str(message["do"]), message.get("with", {}))
        if found:
            wrong[file.name] = found
    print(f"{len(SENT)} golden messages")

    assert len(SENT) > 30
    assert wrong == {}


@pytest.mark.parametrize("file", SENT, ids=lambda file: file.stem)
def test_a_wrong_message_fits_neither_the_schema_nor_the_service(file: Path):
    """A field that is not there, one too many, one of the wrong kind: the schema sees what the service would refuse."""
    message = golden(file)
    do, fields = str(message["do"]), message.get("with", {})
    assert isinstance(fields, dict)
    needed = json.loads((FOLDER / f"{do}.json").read_text(encoding="utf-8")).get("required", [])
    wrong: list[dict[str, object]] = [{**fields, "no-such-field": 1}, {**fields, "saw": "p1"}]
    wrong += [{key: value for key, value in fields.items() if key != name} for name in needed]
    wrong += [{**fields, name: [{"no": "such"}]} for name in needed]

    for one in wrong:
        assert faults(do, one), one
        assert unreadable({**message, "with": one}), one


@pytest.mark.parametrize("wrong", [{"do": "warn"}, {"id": "1"}, {"id": "", "do": "warn"}, {"id": "1", "do": "warn", "on": "soon"}, []])
def test_a_wrong_envelope_fits_neither_the_schema_nor_the_service(wrong: object):
    assert faults("envelope", wrong)
    with pytest.raises(Refusal) as refusal:
        read_message(wrong)
    assert refusal.value.kind == "malformed"


def test_a_wrong_item_of_a_list_is_named_and_the_list_is_not_called_too_short_beside_it():
    decision: dict[str, object] = {"id": "1", "do": "impose_sanction"}
    limit = {"type": "contact-volume-limit", "per": "week"}

    with pytest.raises(Refusal, match="a volume limit needs max_contacts") as wrong:
        read_command(read_message({**decision, "with": {"restrictions": [limit], "reasons": "Too many emails."}}))
    with pytest.raises(Refusal, match="restrictions: Tuple should have at least 1 item"):
        read_command(read_message({**decision, "with": {"restrictions": [], "reasons": "Too many emails."}}))

    assert "at least 1 item" not in wrong.value.reason


def test_a_field_that_a_newer_sender_adds_fits_the_envelope():
    assert faults("envelope", {**golden(SENT[0]), "colour": "red"}) == []


def test_an_outcome_fits_its_schema_and_a_wrong_one_does_not():
    said = Outcome(command="c-1", result="accepted", answer="Done.").model_dump(mode="json")

    assert faults("outcome", said) == []
    assert faults("outcome", {**said, "result": "perhaps"})
    assert faults("outcome", {key: value for key, value in said.items() if key != "answer"})


def test_the_tables_in_the_documents_are_those_of_the_models():
    documents = [file for file in sorted(DOCS.glob("*.md")) if MADE.search(file.read_text(encoding="utf-8"))]
    made = {name for file in documents for name, _ in MADE.findall(file.read_text(encoding="utf-8"))}
    print(f"{len(made)} tables in {', '.join(file.name for file in documents)}")

    assert len(made) > 30
    for file in documents:
        text = file.read_text(encoding="utf-8")
        assert with_tables(text) == text, f"{file.name}: {AGAIN}"


def test_every_section_of_a_policy_file_and_of_a_rehearsal_is_documented():
    """A field that no document lists would be one that no author finds."""
    written = {
        name: (DOCS / document).read_text(encoding="utf-8")
        for name, document in (("policy", "policies.md"), ("rehearsal", "rehearsals.md"), ("letters", "letters.md"))
    }
    sections = [name for name in tables() if "." in name]

    assert len(sections) > 30
    assert [name for name in sections if f"<!-- made: {name} -->" not in written[name.split(".")[0]]] == []


def blocks(document: str) -> list[str]:
    """Returns the YAML examples of a document."""
    return re.findall(r"```yaml\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)


def edited(text: str, document: str) -> str:
    """Returns a policy file with each line replaced as the page shows: those under its first comment by those under its second."""
    [block] = [one for one in blocks(document) if one.startswith("# policies/mmo.yaml")]
    _, before, after = re.split(r"^# \S+\n", block, flags=re.MULTILINE)
    for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
        assert text.count(old) == 1, f"{document} quotes a line that policies/mmo.yaml does not have: {old}"
        text = text.replace(old, new)
    return text.replace("policy: mmo\n", "policy: sample-valley\n")


async def test_the_worked_example_of_a_policy_and_its_rehearsal_plays_as_the_pages_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """docs/policies.md changes two lines of the MMO's file; docs/rehearsals.md plays a case that holds it to them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "valley").mkdir()
    (tmp_path / "valley" / "sample-valley.yaml").write_text(edited(load.policy_text("mmo"), "policies.md"), encoding="utf-8")
    [script] = [one for one in blocks("rehearsals.md") if one.startswith("title:")]
    (tmp_path / "valley" / "window.yaml").write_text(script, encoding="utf-8")

    played = await rehearse(read_script(Path("valley/window.yaml")))

    assert len(played.steps) == 5
    assert played.differences == ()


def test_the_relative_links_of_the_documents_lead_somewhere():
    links = [
        (file, link)
        for file in sorted(DOCS.rglob("*.md"))
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", file.read_text(encoding="utf-8"))
    ]

    assert len(links) > 30
    assert [f"{file.name}: {link}" for file, link in links if not (file.parent / link).exists()] == []
