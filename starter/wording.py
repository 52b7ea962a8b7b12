"""Whether wording files would make the letters that a policy asks for, before any letter does: files, lines, parts, dates, plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from jinja2 import Environment, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from activities.letters import Wording, body_in, each_text, escaped, facts_of, plain, set_aside, wording
from activities.not_given import strays
from activities.plain_english import unplain
from domain.letters import Facts, Letter, MissingPart
from domain.model import Data
from domain.policy import Part, Policy
from domain.rules import NoticeKind
from starter.sample_letters import SENDER, NoSample, Samples, sample_letter

WHOLE = ("letter.md", "body.md", "spoken.md", "closing.md", "help.md", "practice.md", "issued-again.md", "script.txt")
"""Files that make up every letter."""
OF_A_WHOLE = frozenset({"practice", "partly", "sections", "subject", "opening", "lines"})
NOT_KINDS = ("page.html", "restrictions.md", *WHOLE)


class Finding(Data):
    """One thing about the wording: wrong, so that a letter would be stopped or would say what is not so; or worth another look."""

    kind: Literal["wrong", "look"]
    file: str
    line: int | None = None
    what: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def check_wording(policy: Policy, own: Path | None = None) -> tuple[Finding, ...]:
    """Returns what is wrong, or hard to read, in the wording by which a policy's letters are made."""
    wording.cache_clear()  # the files may have changed since they were read
    words = Wording(policy=policy.policy, own=own, sender=SENDER)
    found = [*_strangers(own, policy), *_files(words, policy)]
    if not any(one.kind == "wrong" for one in found):
        found += _letters(words, policy)
    return tuple(dict.fromkeys(found))


def _strangers(own: Path | None, policy: Policy) -> Iterator[Finding]:
    """Yields files that no letter would ever use: a slip in a name leaves the common wording in its place."""
    if own is None:
        return
    for folder in (own, own / policy.policy):
        for file in sorted(folder.glob("*.md")):
            if file.name not in NOT_KINDS and file.stem not in get_args(NoticeKind):
                yield Finding(
                    kind="wrong", file=str(file), what=f"is no kind of letter; there are: {', '.join(sorted(get_args(NoticeKind)))}"
                )
        for file in sorted((folder / "parts").glob("*.md")):
            if file.stem not in get_args(Part):
                yield Finding(kind="wrong", file=str(file), what=f"is no part of a letter; there are: {', '.join(sorted(get_args(Part)))}")


def _files(words: Wording, policy: Policy) -> Iterator[Finding]:
    """Yields what can be seen without making a letter: files that are not there, cannot be read, or name what no letter gives."""
    rules = {kind: rule for kind in get_args(NoticeKind) if (rule := policy.letter(kind))}
    parts = dict.fromkeys(part.part for rule in rules.values() for part in rule.parts)
    facts = Samples(policy=policy).facts()
    common = set(facts_of(sample_letter(policy, next(iter(rules))), words, escaped))
    for name in WHOLE:
        yield from _file(words.templates, name, frozenset(common) | OF_A_WHOLE)
    for kind in rules:
        yield from _file(words.templates, f"{kind}.md", frozenset(common))
    for part in parts:
        known = {key for one in facts.get(part, ()) for key in one}
        if known:
            yield from _file(words.templates, f"parts/{part}.md", frozenset(known | {"practice", "information"}))


def _file(templates: Environment, name: str, known: frozenset[str]) -> Iterator[Finding]:
    try:
        source, path, _ = _loaded(templates, name)
    except TemplateNotFound:
        yield Finding(kind="wrong", file=name, what="there is no such file, and a letter needs it")
        return
    except UnicodeDecodeError:
        yield Finding(kind="wrong", file=name, what="is not written in UTF-8")
        return
    try:
        unknown = find_undeclared_variables(templates.parse(source, name, path))
    except TemplateSyntaxError as error:
        yield Finding(kind="wrong", file=path, line=error.lineno, what=error.message or "cannot be read")
        return
    for one in sorted(unknown - known):
        said = f"{one} means nothing here; there are: {', '.join(sorted(known))}"
        yield Finding(kind="wrong", file=path, line=_line_of(source, rf"\b{re.escape(one)}\b"), what=said)


def _loaded(templates: Environment, name: str) -> tuple[str, str, object]:
    assert templates.loader is not None
    source, path, fresh = templates.loader.get_source(templates, name)
    return source, path or name, fresh


def _line_of(source: str, pattern: str) -> int | None:
    return next((n for n, line in enumerate(source.splitlines(), start=1) if re.search(pattern, line)), None)


def _letters(words: Wording, policy: Policy) -> Iterator[Finding]:
    """Yields what shows when letters are made: each part in each of its variants, then each letter whole."""
    facts = Samples(policy=policy).facts()
    rules = {kind: rule for kind in get_args(NoticeKind) if (rule := policy.letter(kind))}
    parts = dict.fromkeys(part.part for rule in rules.values() for part in rule.parts)
    faults = [found for part in parts for one in facts.get(part, ()) for found in _part(words, part, one)]
    if faults:
        yield from faults
        return
    for kind in rules:
        try:
            yield from _letter(words, policy, sample_letter(policy, kind))
        except NoSample as missing:
            yield Finding(kind="look", file=f"{kind}.md", what=str(missing))


def _part(words: Wording, part: str, facts: Facts) -> Iterator[Finding]:
    source, path, _ = _loaded(words.templates, f"parts/{part}.md")
    try:
        module = words.templates.get_template(f"parts/{part}.md").make_module(
            {**each_text(facts, set_aside), "practice": False, "information": False}
        )
    except TemplateError as error:
        yield _stopped(error, path)
        return
    if not getattr(module, "heading", None):
        yield Finding(kind="wrong", file=path, line=1, what="sets no heading: begin with {% set heading = ... %}")
    if not str(module).strip():
        yield Finding(
            kind="wrong", file=path, what=f"prints nothing for {_shown(facts)}, and a part that a clause demands must say something"
        )
    yield from _not_given(plain(str(module)), facts, source, path)


def _letter(words: Wording, policy: Policy, letter: Letter) -> Iterator[Finding]:
    source, path, _ = _loaded(words.templates, f"{letter.kind}.md")
    try:
        text = plain(body_in(letter, words, set_aside, "body.md"))
    except MissingPart as missing:
        yield Finding(kind="wrong", file=f"parts/{missing.part}.md", what=f"prints nothing in the letter {letter.kind}")
        return
    except TemplateError as error:
        yield _stopped(error, path)
        return
    opening = plain(str(words.templates.get_template(f"{letter.kind}.md").make_module(facts_of(letter, words, set_aside))))
    yield from _not_given(opening, letter.model_dump(exclude={"sections"}), source, path, appeals=letter.appeals)
    own = frozenset(
        {policy.title, policy.body, *(one.label for one in policy.offices.values()), *policy.ombudsman.value.split(" ask ")[-1:]}
    )
    for what in unplain(text.split("\n", 1)[1], but=own):
        yield Finding(kind="look", file=f"{letter.kind}.md", what=f"the letter {letter.kind}: {what}")


def _stopped(error: TemplateError, path: str) -> Finding:
    """Returns where a template stopped, from its own lines in the traceback."""
    at, trace = None, error.__traceback__
    while trace:
        if (name := trace.tb_frame.f_code.co_filename).endswith((".md", ".txt")):
            template = trace.tb_frame.f_globals.get("__jinja_template__")  # whose lines are those of the program made of it
            at = (name, template.get_corresponding_lineno(trace.tb_lineno) if template else trace.tb_lineno)
        trace = trace.tb_next
    return Finding(kind="wrong", file=at[0] if at else path, line=at[1] if at else None, what=str(error))


def _not_given(text: str, facts: object, source: str, path: str, *, appeals: bool = True) -> Iterator[Finding]:
    """Yields what a template prints of itself: dates and times are given by the policy and the case, never by the wording."""
    for one in strays(text, facts, appeals=appeals):
        yield Finding(kind="wrong", file=path, line=_line_of(source, rf"(?i){re.escape(one.words)}"), what=one.what)


def _shown(facts: Facts) -> str:
    return ", ".join(f"{key}: {value}" for key, value in facts.items() if isinstance(value, str | bool)) or "its facts"
