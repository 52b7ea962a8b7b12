"""Emails to staff in words: plain text from templates/staff/, which a body's own people can edit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.days import in_words
from records.tables import StaffNoticeRow

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "staff"


@cache
def _wording() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True  # noqa: S701  # plain text
    )  # fmt: skip


def worded(rows: Sequence[StaffNoticeRow], *, body: str) -> tuple[str, str]:
    """Returns an email's subject and text. Raises jinja2's TemplateError on a bad template."""
    items = [_item(row) for row in rows]
    module = _wording().get_template("mail.md").make_module({"items": items, "body": body})
    return " ".join(str(module.subject).split()), str(module).strip() + "\n"  # type: ignore[attr-defined]  # set by the template


def _item(row: StaffNoticeRow) -> dict[str, object]:
    module = _wording().get_template(f"{row.wording}.md").make_module({"what": row.what})
    heading = " ".join(str(module.heading).split())  # type: ignore[attr-defined]  # set by the template
    due = in_words(row.due) if row.due else False
    return {"heading": heading, "text": str(module).strip(), "case": row.case_id, "due": due, "cites": row.cites}
