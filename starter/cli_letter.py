"""evenhand letter ...: how a letter would read before it is sent, and whether wording files are right before they are in use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json
from starter.cli_reading import ReadBy, Why, shown
from starter.clock import today
from starter.show import as_json, complain, out
from worker.settings import Settings

if TYPE_CHECKING:  # what makes letters is imported only by the commands that use it
    from activities.made import Made
    from domain.formats import Forms
    from domain.letters import Letter
    from domain.policy import Policy
    from starter.wording import Finding

letter_app = typer.Typer(no_args_is_help=True, help="Letters: as they were sent, as they would go, and their wording.")
Form = Literal["text", "html", "pdf", "large-print", "easy-read", "spoken", "translation"]
ENDINGS: dict[str, str] = {
    "text": "txt",
    "html": "html",
    "pdf": "pdf",
    "large-print": "large.pdf",
    "easy-read": "easy.pdf",
    "spoken": "script.txt",
}
Templates = Annotated[
    Path | None, typer.Option("--templates", help="A folder of wording that is not in use yet; it comes before the one that is.")
]


@letter_app.command()
def preview(
    case_and_kind: Annotated[list[str], typer.Argument(metavar="[CASE] KIND", help="The case (none with --sample) and the kind.")],
    sample: Annotated[str | None, typer.Option(help="A sample body, like mmo: made-up facts instead of a case's.")] = None,
    policy: Annotated[str | None, typer.Option(help="Another policy file than the case's own, or the sample's.")] = None,
    templates: Templates = None,
    format: Annotated[Form, typer.Option(help="Which form of the letter.")] = "text",
    language: Annotated[str | None, typer.Option(help="Of the translation: cy, pl ...")] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Where to write it; text goes to the screen if left out.")] = None,
    by: ReadBy = None,
    why: Why = None,
) -> None:
    """Show a letter as it would be made today. Nothing is recorded and nothing is sent."""
    from domain.formats import Forms

    if len(case_and_kind) != (1 if sample else 2):
        complain("Name a case and the kind of letter; with --sample the kind alone. Try: evenhand letter preview --help")
        raise typer.Exit(MISUNDERSTOOD)
    if file is None and format not in ("text", "html", "spoken"):
        complain(f"{format} is a PDF: say where to write it with --out FILE.pdf.")
        raise typer.Exit(MISUNDERSTOOD)
    if (format == "translation") != (language is not None):
        complain("A translation needs its --language, and nothing else has one.")
        raise typer.Exit(MISUNDERSTOOD)
    _folder(templates)
    formats = (format,) if format not in ("text", "html", "pdf") else ()
    forms = Forms.model_validate({"formats": formats, "language": language, "translation_alone": False})
    if sample:
        letter, name, sender = _sampled(sample, case_and_kind[0], policy)
    else:
        letter, name, sender = _owed(case_and_kind[0], case_and_kind[1], policy, by, why)
    made = _made(letter, name, sender, forms, templates)
    _put(made.files[ENDINGS.get(format, f"{language}.pdf")], file)


def _folder(templates: Path | None) -> None:
    if templates is not None and not templates.is_dir():
        complain(f"{templates} is no folder: name one that holds wording, like templates/notices.")
        raise typer.Exit(MISUNDERSTOOD)


def _made(letter: Letter, policy: str, sender: tuple[str, ...], forms: Forms, templates: Path | None) -> Made:
    from activities.letters import Unprintable, wording
    from activities.made import make
    from activities.pdf import Unmade
    from domain.letters import MissingPart

    wording.cache_clear()
    try:
        return make(letter, policy=policy, sender=sender, forms=forms, own=templates)
    except (MissingPart, Unprintable, Unmade) as problem:
        complain(f"This letter cannot go as it stands: {problem}")
        raise typer.Exit(REFUSED) from None


def _put(content: bytes, file: Path | None) -> None:
    if file is None:
        out.print(content.decode(), markup=False, highlight=False, soft_wrap=True, end="")
        sys.stdout.flush()
        return
    from policies.not_opened import not_written

    try:
        file.write_bytes(content)
    except OSError as error:
        complain(f"{file} cannot be written: {not_written(file, error)}.")
        raise typer.Exit(MISUNDERSTOOD) from None
    out.print(f"{file}: {len(content)} bytes. Nothing was recorded or sent.", markup=False)


Found = tuple["Letter", str, tuple[str, ...]]


def _sampled(body: str, kind: str, policy: str | None) -> Found:
    """Returns a letter with made-up facts, its policy's name and the sample body's letterhead."""
    from starter.sample_letters import SENDER, NoSample, sample_letter
    from starter.samples import samples

    found = next((one for one in samples() if one.body.body == body), None)
    if found is None:
        complain(f"There is no sample body {body}; there are: {', '.join(one.body.body for one in samples())}.")
        raise typer.Exit(UNKNOWN)
    rules = _policy(policy or found.body.policy)
    try:
        return sample_letter(rules, kind), rules.policy, found.body.letterhead or SENDER
    except LookupError as error:
        complain(str(error.args[0]))
        raise typer.Exit(UNKNOWN) from None
    except NoSample as error:
        complain(f"No sample of this letter: {error}.")
        raise typer.Exit(REFUSED) from None


def _owed(case_id: str, kind: str, policy: str | None, by: str | None, why: str | None) -> Found:
    """Returns the latest letter of a kind that a case owed or owes, composed anew as of today."""
    from activities.bodies import Unknown, body_of, policy_of_edition
    from activities.calendars import calendar_of
    from domain.letters import MissingPart, compose, method_of
    from worker.post import class_of_post

    with shown(case_id, by, why, how="letter preview") as look:
        case, session = look.case, look.session
        notice = next((one for one in reversed(case.notices) if one.kind == kind), None)
        if notice is None:
            kinds = ", ".join(dict.fromkeys(one.kind for one in case.notices))
            complain(f"{case_id} owes no letter of the kind {kind}; it has: {kinds or 'none'}.")
            raise typer.Exit(UNKNOWN)
        try:
            own = policy_of_edition(session, case.edition)
            rules, calendar, sender = (
                _policy(policy) if policy else own,
                calendar_of(session, case, own),
                body_of(session, case.body).letterhead,
            )
        except Unknown as unknown:
            complain(f"{unknown} {unknown.remains}")
            raise typer.Exit(UNKNOWN) from None
    try:
        by_email, chosen = method_of(case, notice) == "email", class_of_post(Settings.local())
        how = "email" if by_email else chosen
        return compose(case, notice, policy=rules, calendar=calendar, sent_on=today(), method=how), rules.policy, sender
    except MissingPart as problem:
        complain(f"This letter cannot go as it stands: {problem}")
        raise typer.Exit(REFUSED) from None


def _policy(name: str) -> Policy:
    from policies.load import Unreadable, policy

    try:
        return policy(name)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


@letter_app.command()
def check(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[DIR|POLICY]", help="A folder of wording, or a policy; else all policies."),
    ] = None,
    policy: Annotated[str | None, typer.Option(help="The policy whose letters the folder words: a name or a file.")] = None,
    json: Json = False,
) -> None:
    """Check wording before it is in use: what would stop a letter, what would say more than the policy gives, what is hard to read."""
    from policies import load
    from starter.wording import check_wording

    folder = Path(what) if what and Path(what).is_dir() else None
    if what and folder is None and policy:
        complain(f"{what} is no folder of wording; with --policy name one.")
        raise typer.Exit(MISUNDERSTOOD)
    if folder and not policy and folder.name in load.names():
        policy, folder = folder.name, folder.parent
    names = [policy] if policy else [what] if what and folder is None else list(load.names())
    found = {name: check_wording(_policy(name), folder) for name in names}
    if json:
        as_json([{"policy": name, **one.model_dump()} for name, all in found.items() for one in all])
    else:
        _tell(found)
    raise typer.Exit(REFUSED if any(one.kind == "wrong" for all in found.values() for one in all) else 0)


def _tell(found: dict[str, tuple[Finding, ...]]) -> None:
    told: dict[str, None] = {}
    for all in found.values():
        for one in all:
            told[f"{one.where}: {one.what}" if one.kind == "wrong" else f"look at {one.where}: {one.what}"] = None
    for line in told:
        out.print(line, markup=False, soft_wrap=True)
    wrong = sum(not line.startswith("look at ") for line in told)
    out.print(f"The wording of {', '.join(found)}: {wrong} wrong, {len(told) - wrong} worth a look.", markup=False)
