"""What the documents say about messages and files, made from the models that read them: docs/schemas/, and tables in docs/*.md.

python -m starter.contract writes both again; tests/test_schemas.py fails where they differ from the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args  # a JSON Schema's mixed types

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from activities.outcome import Outcome
from domain.commands import COMMANDS, AnyCommand
from domain.message import Message
from domain.policy import Policy
from domain.restrictions import RestrictionType
from domain.rules import NoticeKind
from policies import load
from policies.letter_set import house_table, parts_table, set_table
from policies.names import PARAMETERS
from starter.script import Script
from starter.vectors import section

DOCS = Path(__file__).resolve().parent.parent / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BESIDE = ("id", "on", "saw")
"""Fields of a command that its message carries beside `with`, not inside it."""
SOURCE = ("cites", "default", "unconfirmed", "modality", "note")
"""What every value of a policy file may say of where it comes from; the tables leave it out."""
LISTS = {get_args(RestrictionType): "[restriction type](#restriction-types)", get_args(NoticeKind): "[kind of letter](#kinds-of-letter)"}
"""Long lists of values that the documents print once."""
CODE = "^[a-z0-9][a-z0-9-]{0,63}$"
MADE = re.compile(r"(?<=<!-- made: )(\S+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)

Schema = dict[str, Any]


class Plain(GenerateJsonSchema):
    """Schemas without a title for every field: it only repeats the field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def schemas() -> dict[str, object]:
    """Returns every schema of the contract by name: the envelope, the outcome, and the `with` of each command."""
    return {
        "envelope": _schema(Message),
        "outcome": _schema(Outcome, mode="serialization"),
        **{name: with_of(kind) for name, kind in COMMANDS.items()},
    }


def with_of(kind: type[AnyCommand]) -> Schema:
    """Returns the schema of a command's `with`: closed all the way down, as the service reads it."""
    schema = _schema(kind)
    for name in BESIDE:
        schema["properties"].pop(name)
    schema["x-comes-from"] = sorted(kind.origins)
    return cast(Schema, _closed(schema))


def _schema(kind: type[BaseModel], *, mode: str = "validation") -> Schema:
    made = kind.model_json_schema(schema_generator=Plain, mode="serialization" if mode == "serialization" else "validation")
    return {"$schema": DIALECT, **made}


def _closed(item: object) -> object:
    if isinstance(item, list):
        return [_closed(one) for one in item]
    if not isinstance(item, dict):
        return item
    inside = {key: _closed(one) for key, one in item.items()}
    return (
        {**inside, "additionalProperties": False} if item.get("type") == "object" and "additionalProperties" not in _typed(item) else inside
    )


def _typed(item: Schema) -> Schema:
    """Returns an object's schema where it maps any key to a typed value; such a map stays open."""
    return item if isinstance(item.get("additionalProperties"), dict) else {}


def tables() -> dict[str, str]:
    """Returns the made parts of the documents by name, in Markdown."""
    policy, script = _schema(Policy), _schema(Script)
    made = {"commands": _commands(), "restriction-types": _restrictions(), "kinds-of-letter": _letters(), "signing": section()}
    shipped = tuple(load.policy(name) for name in load.names() if name in load.clause_lists())
    made |= {"letters.set": set_table(shipped), "letters.house": house_table()}
    made |= {f"letters.{one.policy}": parts_table(one) for one in shipped}
    made |= {f"policy.{name}": table for name, table in _sections(policy)} | {"policy.Policy": _table(policy, policy)}
    return made | {f"rehearsal.{name}": table for name, table in _sections(script)} | {"rehearsal.Script": _table(script, script)}


def _restrictions() -> str:
    rows = [f"| `{name}` | {', '.join(f'`{one}`' for one in sorted(PARAMETERS[name])) or 'none'} |" for name in get_args(RestrictionType)]
    return "\n".join(["| Type | Parameters |", "|---|---|", *rows, ""])


def _letters() -> str:
    return ", ".join(f"`{kind}`" for kind in get_args(NoticeKind)) + "\n"


def _commands() -> str:
    rows = [f"| [`{name}`](schemas/{name}.json) | {_does(kind)} | {', '.join(sorted(kind.origins))} |" for name, kind in COMMANDS.items()]
    return "\n".join(["| Command | Does | Comes from |", "|---|---|---|", *rows, ""])


def _does(kind: type[AnyCommand]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _sections(schema: Schema) -> Iterator[tuple[str, str]]:
    for name, one in schema["$defs"].items():
        if one.get("type") == "object" and not name.startswith("Cited"):
            yield name, _table(one, schema)


def _table(one: Schema, whole: Schema) -> str:
    needed, cited = one.get("required", []), "unconfirmed" in one["properties"]
    fields = {name: field for name, field in one["properties"].items() if not (cited and name in SOURCE)}
    rows = [f"| `{name}` | {_values(field, whole)} | {'yes' if name in needed else ''} |" for name, field in fields.items()]
    return "\n".join(["| Field | Values | Needed |", "|---|---|---|", *rows, ""])


def _values(field: Schema, whole: Schema) -> str:
    """Returns what may stand in a field, in words and literal values."""
    if "$ref" in field:
        return _named(field["$ref"].rsplit("/", 1)[1], whole)
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        found = [_values(one, whole) for one in choices]
        return " or ".join(dict.fromkeys(one for one in found if one != "null"))
    if "const" in field or "enum" in field:
        return _literals(field.get("enum") or [field["const"]])
    return _of_type(field, whole)


def _literals(values: list[object]) -> str:
    return LISTS.get(tuple(values)) or ", ".join(f"`{one}`" for one in values)


def _named(name: str, whole: Schema) -> str:
    found = whole["$defs"][name]
    if name.startswith("Cited"):
        return f"cited: {_values(found['properties']['value'], whole)}"
    if name == "Rule":
        return "only where it comes from"
    return f"[{name}](#{name.lower()})" if found.get("type") == "object" else _values(found, whole)


def _of_type(field: Schema, whole: Schema) -> str:
    match field.get("type"):
        case "array":
            return f"list of {_values(field.get('items', {}), whole)}"
        case "object":
            inside = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
            return f"name: {next((_values(one, whole) for one in inside if isinstance(one, dict)), 'anything')}"
        case "string":
            return str(field.get("format", "code" if field.get("pattern") == CODE else "text"))
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return "whole number"
        case kind:
            return str(kind or "anything")


def with_tables(text: str) -> str:
    """Returns a document with its made parts as the models give them. Raises KeyError on a name that no model has."""
    made = tables()
    return MADE.sub(lambda found: f"{found[1]}{found[2]}{made[found[1]]}", text)


def text_of(schema: object) -> str:
    """Returns a schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write docs/schemas/ and the made parts of docs/*.md again."""
    folder = DOCS / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    made = schemas()
    for file in folder.glob("*.json"):
        if file.stem not in made:
            file.unlink()
    for name, schema in made.items():
        (folder / f"{name}.json").write_text(text_of(schema), encoding="utf-8")
    for document in DOCS.glob("*.md"):
        text = document.read_text(encoding="utf-8")
        if with_tables(text) != text:
            document.write_text(with_tables(text), encoding="utf-8")


if __name__ == "__main__":
    write()
