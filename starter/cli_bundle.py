"""evenhand bundle: one case handed over, to an ombudsman whole, to its customer without what is about other people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from starter.acting import acting_if_named
from starter.cli import MISUNDERSTOOD, REFUSED, UNKNOWN, Json, run
from starter.cli_case import Case, _answered, _cases, _message
from starter.cli_letter_kept import write
from starter.cli_reading import Why, shown
from starter.clock import today
from starter.show import as_json, complain, out

if TYPE_CHECKING:  # the engine and the database are imported only by the commands that use them
    from activities.outcome import Outcome
    from starter.bundle import Bundle, Gathered
    from starter.redaction import ReviewList

For = Annotated[
    Literal["ombudsman", "subject-access"], typer.Option("--for", help="Whom it is for; the customer's copy needs a reviewed list.")
]
File = Annotated[Path | None, typer.Option("--out", help="The zip to write.")]


def bundle(
    case: Case,
    audience: For,
    by: Annotated[str | None, typer.Option("--by", help="Who makes it: an id of the body's staff list. Not needed for a draft.")] = None,
    file: File = None,
    to: Annotated[str | None, typer.Option(help="Who asked for it, or where it goes: kept on the case.")] = None,
    draft: Annotated[
        Path | None, typer.Option("--draft", help="Write a list of proposed redactions to this file (YAML), and no bundle.")
    ] = None,
    reviewed: Annotated[Path | None, typer.Option("--reviewed", help="The list of redactions that a person reviewed and signed.")] = None,
    why: Why = None,
    json: Json = False,
) -> None:
    """Make one zip of a case: chronology, decisions, sign-offs, letters, evidence, dates, log, and a verifier; recorded on the case."""
    by = acting_if_named(by)
    _asked(audience, by, file, draft, reviewed)
    if draft is not None:
        _drafted(case, draft, by, why, json)
        return
    assert by is not None and file is not None
    found = _gathered(case, audience, by, why or to)
    listed = _read(reviewed) if reviewed else None
    made = _made(found, listed)
    with_ = _disclosed(made, audience, to, listed)
    if not _on_the_case(found, by, with_):
        _record(case, by, with_)
    write(file, made.content)
    if json:
        as_json({"case": case, "for": audience, "file": str(file), "sha256": made.sha256, "files": sorted(made.files)})
    else:
        out.print(f"{file}: {len(made.files)} files, sha256 {made.sha256}; on the case's log.", markup=False)


def _asked(audience: str, by: str | None, file: Path | None, draft: Path | None, reviewed: Path | None) -> None:
    """Leave where the options do not go together."""
    faults = [
        (draft and reviewed, "--draft writes a list, --reviewed makes the bundle with one: one of them."),
        (audience == "ombudsman" and (draft or reviewed), "An ombudsman's bundle is whole; lists of redactions are for subject-access."),
        (not draft and by is None, "--by is missing: the id of whoever makes it."),
        (not draft and file is None, "--out is missing: the zip to write."),
    ]
    for wrong, said in faults:
        if wrong:
            complain(said)
            raise typer.Exit(MISUNDERSTOOD)
    if audience == "subject-access" and draft is None and reviewed is None:
        complain("A bundle for the customer is made with a reviewed list of redactions only. [EH-100]")
        out.print("what remains: --draft FILE.yaml, review and sign it, then --reviewed FILE.yaml.", markup=False)
        raise typer.Exit(REFUSED)


def _gathered(case: str, audience: Literal["ombudsman", "subject-access"], by: str | None, why: str | None) -> Gathered:
    from starter.bundle import gathered
    from starter.dossier import NoDossier
    from starter.letters_kept import Changed, NoLetter
    from worker.settings import Settings

    try:
        with shown(case, by, why, how=f"bundle {audience}") as look:
            return gathered(look.session, case, audience, outbox=Settings.local().letters)
    except (NoDossier, NoLetter) as error:
        complain(str(error))
        raise typer.Exit(UNKNOWN) from None
    except Changed as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None


def _drafted(case: str, file: Path, by: str | None, why: str | None, json: bool) -> None:
    from starter.bundle import proposed
    from starter.redaction import written

    listed = proposed(_gathered(case, "subject-access", by, why))
    write(file, written(listed).encode())
    cuts = sum(len(one.cuts) for one in listed.texts)
    if json:
        as_json({"case": case, "file": str(file), "texts": len(listed.texts), "cuts": cuts, "people": len(listed.people)})
    else:
        out.print(
            f"{file}: {len(listed.texts)} texts to read, {cuts} cuts proposed. Review and sign it, then --reviewed {file}.", markup=False
        )


def _read(path: Path) -> ReviewList:
    from policies.load import Unreadable
    from starter.redaction import read_list

    try:
        return read_list(path)
    except Unreadable as error:
        complain(str(error))
        raise typer.Exit(MISUNDERSTOOD) from None


def _made(found: Gathered, listed: ReviewList | None) -> Bundle:
    from activities.pdf import Unmade
    from starter.bundle import for_the_customer, whole
    from starter.redaction import NotReviewed

    try:
        return whole(found) if listed is None else for_the_customer(found, listed)
    except NotReviewed as error:
        complain("The list of redactions cannot be used; no bundle was made. What remains:")
        for line in str(error).splitlines():
            complain(line)
        raise typer.Exit(REFUSED) from None
    except Unmade as error:
        complain(f"The chronology cannot be printed: {error}")
        raise typer.Exit(REFUSED) from None


def _disclosed(made: Bundle, audience: str, to: str | None, listed: ReviewList | None) -> dict[str, object]:
    """Returns what the case is told of a bundle."""
    day = listed.reviewed_on if listed else None
    facts = {
        "audience": audience,
        "sha256": made.sha256,
        "to": (to or "").strip() or None,
        "reviewed_by": listed.reviewed_by if listed else None,
        "reviewed_on": day.isoformat() if day else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _on_the_case(found: Gathered, by: str, with_: dict[str, object]) -> bool:
    """Returns whether the case says already that this person made this bundle today: the same command again is the same bundle."""
    for one in found.source.case.disclosures:
        said = one.model_dump(mode="json", include={"audience", "sha256", "to", "reviewed_by", "reviewed_on"}, exclude_none=True)
        said |= {"to": found.source.texts.get(one.to, one.to)} if one.to else {}
        if said == with_ and (one.by.person, one.on) == (by, today()):
            return True
    return False


def _record(case: str, by: str, with_: dict[str, object]) -> None:
    """Record the bundle on the case, before anybody has it."""
    message = _message("record_disclosure", by=by, on=None, saw=None, id=None, with_=with_)

    async def ask() -> Outcome:
        return await (await _cases()).submit_message(case, message)

    outcome = run(ask())
    if not outcome.accepted:
        _answered(outcome, json=False)
