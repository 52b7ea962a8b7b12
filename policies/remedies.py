"""What would be right: the remedy beside each fault of a file, found from the model that the file should fit."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel

Path = tuple[str | int, ...]

RIGHT = {
    "int_parsing": "write a whole number, like 28",
    "int_type": "write a whole number, like 28",
    "int_from_float": "write a whole number, like 28",
    "greater_than": "write a larger number",
    "greater_than_equal": "write a larger number",
    "less_than_equal": "write a smaller number",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "string_type": "write text; put numbers, dates, yes and no in quotes where text is meant",
    "string_too_short": "write at least one character",
    "string_too_long": "write less",
    "tuple_type": "write a list: [one, two]",
    "list_type": "write a list: [one, two]",
    "dict_type": "write names with their values, one a line",
    "too_short": "list at least one",
    "date_type": "write a day as YYYY-MM-DD",
    "date_parsing": "write a day as YYYY-MM-DD",
    "date_from_datetime_parsing": "write a day as YYYY-MM-DD",
    "date_from_datetime_inexact": "write a day as YYYY-MM-DD, without a time",
    "recursion_loop": "an alias (*name) may not stand inside what it names; write the value out",
}
CODE = r"^[a-z0-9][a-z0-9-]{0,63}$"
PATTERNS = {
    CODE: "write a code: lower case, digits and hyphens, at most 64 of them",
    r"^[A-Z][A-Z0-9]*-\d\d\d?$": "write a code like DEF-05, A-52, EH-01 or the silent clause",
    r"^[0-9a-f]{64}$": "write the 64 digits and letters that sha256sum prints of the text",
}


def remedy(kind: type[BaseModel], fault: dict[str, object]) -> str:
    """Returns what would be right in place of a fault, or nothing where the fault already says it."""
    place = fault["loc"]
    assert isinstance(place, tuple)
    match fault["type"]:
        case "extra_forbidden":
            return _fields(kind, place)
        case "missing":
            return _missing(kind, place)
        case "model_type" | "model_attributes_type" | "dataclass_type":
            return _shape(kind, place)
        case "string_pattern_mismatch":
            context = fault.get("ctx")
            pattern = str(context.get("pattern")) if isinstance(context, dict) else ""
            return PATTERNS.get(pattern, "")
        case other:
            return RIGHT.get(str(other), "")


def _fields(kind: type[BaseModel], place: Path) -> str:
    known = sorted({name for model in models_at(kind, place[:-1]) for name in fields_of(model)})
    if not known:
        return "take it out"
    near = get_close_matches(str(place[-1]), known, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"{guess}it has: {', '.join(known)}"


def _missing(kind: type[BaseModel], place: Path) -> str:
    models = tuple(models_at(kind, place))
    return f"add {place[-1]}: {written(models[0])}" if models else f"add {place[-1]}"


def _shape(kind: type[BaseModel], place: Path) -> str:
    models = tuple(models_at(kind, place))
    return f"write {written(models[0])}" if models else "write fields with their values"


def written(model: type[BaseModel]) -> str:
    """Returns the shape of a model as a file has it, with what it cannot do without."""
    fields = [name for name, field in fields_of(model).items() if field.is_required()]
    if "cites" in model.model_fields:
        fields.append("cites")
    inside = ", ".join(f"{name}: {'[a clause]' if name == 'cites' else '...'}" for name in fields)
    return f"{{{inside or '...'}}}"


def fields_of(model: type[BaseModel]):  # type: ignore[no-untyped-def]  # pydantic's own FieldInfo, by the name a file uses
    return {field.alias or name: field for name, field in model.model_fields.items()}


def models_at(kind: type[BaseModel], place: Path) -> Iterator[type[BaseModel]]:
    """Yields the models that may stand at a place of a file; several where a value may be of several shapes."""
    found: list[object] = [kind]
    for part in place:
        found = [inner for one in found for inner in _step(one, part)] or found
    yield from (one for one in found if isinstance(one, type) and issubclass(one, BaseModel))


def _step(kind: object, part: str | int) -> list[object]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = fields_of(kind).get(str(part))
        return _choices(field.annotation) if field else []
    inner = get_args(kind)
    if get_origin(kind) is dict and len(inner) == 2:
        return _choices(inner[1])
    return _choices(inner[0]) if get_origin(kind) is tuple and isinstance(part, int) and inner else []


def _choices(annotation: object) -> list[object]:
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [one for inner in get_args(annotation) for one in _choices(inner)]
    return [annotation]
