"""The sheets of a dossier: what happened, what was decided and why, who signed, which letters, what evidence, how dates were counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from activities.sending import issued
from domain.case import Case, Notice, Signature, Terms
from domain.days import london_date
from domain.life import LANES
from domain.receipt import four_dates
from domain.restrictions import Restriction
from starter.dossier import Cell, Sheet, Source, who
from starter.letters_kept import KeptFile, KeptLetter
from starter.show import in_words
from starter.sources import apart


def sheets_of(source: Source, letters: Iterable[tuple[KeptLetter, KeptFile]]) -> tuple[Sheet, ...]:
    """Returns every sheet, texts and people still by their marks."""
    files = tuple(letters)
    return (
        _timeline(source),
        _decisions(source),
        _sign_offs(source),
        _letters(source, files),
        _evidence(source),
        _dates(source),
        _chronology(source),
    )


def staff_sheet(source: Source) -> Sheet:
    """Returns who is who, for those who may know."""
    acted = {line.actor for line in source.lines} | {one.person for _, one in _signed(source.case)}
    rows = tuple((one.id, one.name, one.post) for one in source.staff if one.id in acted)
    return Sheet(
        name="people",
        title="Members of staff",
        says="Those who acted or signed.",
        columns=("Id", "Name", "Post"),
        widths=(2, 3, 4),
        rows=rows,
    )


def _timeline(source: Source) -> Sheet:
    rows = tuple((LANES[one.lane], one.ref, one.on, "goes on" if one.runs else one.until, one.what) for one in source.marks)
    columns, widths = ("Line", "Mark", "From", "To", "What"), (3, 2, 3, 3, 9)
    says = "The same as in the picture. A decision binds the customer from the day of notification."
    return Sheet(name="timeline", title="The life of the case", says=says, columns=columns, widths=widths, rows=rows)


def _chronology(source: Source) -> Sheet:
    columns = ("Line", "Day", "Entered", "Who", "What happened", "As it was entered", "Rests on")
    told: set[str] = set()
    rows: list[tuple[Cell, ...]] = []
    for line in source.lines:
        if line.result != "accepted":
            continue
        entered = london_date(line.at)
        words = "" if line.command_id in told else _entered(source, line.command_id)
        told.add(line.command_id)
        rows.append(
            (
                line.n,
                line.on,
                entered if entered != line.on else None,
                who(line.actor, line.office),
                line.what,
                words,
                ", ".join(line.cites),
            )
        )
    says = "Every act that was accepted, in the order it was entered; what was refused stands in the log. The line is its number there."
    return Sheet(name="chronology", title="Chronology", says=says, columns=columns, widths=(2, 4, 4, 6, 10, 12, 4), rows=tuple(rows))


def _entered(source: Source, command_id: str) -> str:
    act = source.acts.get(command_id)
    given = act.message.get("with") if act else None
    return in_words(given) if isinstance(given, dict) and given else ""


class Decided(NamedTuple):
    """One decision as the sheet has it; `by` those who signed, `acts` the commands that can have made it."""

    ref: str
    kind: str
    on: date
    what: str
    reasons: str | None
    findings: dict[str, object]
    by: tuple[Signature, ...]
    acts: tuple[str, ...]


def _decisions(source: Source) -> Sheet:
    columns = ("Decision", "Kind", "Day", "What was decided", "Reasons", "Findings", "Decided by", "Rests on")
    found = sorted(_all_decided(source.case), key=lambda one: (one.on, one.ref))
    rows = tuple(
        (one.ref, one.kind, one.on, one.what, one.reasons, _lines(one.findings), _people(one.by), ", ".join(_cites(source, one)))
        for one in found
    )
    return Sheet(name="decisions", title="Decisions with their reasons", columns=columns, widths=(1,) * 8, rows=rows, entries=True)


def _all_decided(case: Case) -> Iterator[Decided]:
    for w in case.warnings:
        withdrawn = f"; taken back on {w.withdrawn_on.isoformat()}" if w.withdrawn_on else ""
        yield Decided(w.id, "Warning", w.on, f"Warned, {_word(w.medium)}{withdrawn}", None, dict(w.findings), (w.by,), ("warn",))
    for p in case.proposals:
        if p.closed != "decided":
            state = _word(p.closed or "open")
            yield Decided(
                p.id,
                "Proposal",
                p.on,
                f"{_terms(p.terms)} ({state})",
                p.terms.reasons,
                _found(p.terms),
                p.signatures,
                ("propose_sanction", "approve"),
            )
    for s in case.sanctions:
        ended = f". Ended on {s.ended_on.isoformat()}: {_word(s.ended_how or '')}" if s.ended_on else ""
        made = ("impose_sanction", "approve", "import_case")
        yield Decided(s.id, "Restrictions", s.decided_on, f"{_terms(s.terms)}{ended}", s.terms.reasons, _found(s.terms), s.signatures, made)
    for v in case.reviews:
        changed = f": {_restrictions(v.restrictions)}" if v.restrictions else ""
        said = f"{v.outcome.capitalize()}{changed}{_until(v.until)} ({v.sanction}, {_word(v.why)})"
        yield Decided(v.id, "Review", v.on, said, v.reasons, dict(v.findings), v.signatures, ("review", "approve"))
    for c in case.challenges:
        if c.decided_on:
            said = f"{_word(c.outcome or '').capitalize()} (against {c.against}; received on {c.on.isoformat()})"
            yield Decided(c.id, "Answer to a challenge", c.decided_on, said, c.reasons, {}, c.signatures, ("decide_appeal",))
        if c.late_decision:
            acts = ("accept_late_appeal", "decline_late_appeal")
            yield Decided(c.id, "A late challenge", c.on, f"Late: {c.late_decision}", c.late_reasons, {}, (), acts)
    yield from _other_decisions(case)


def _other_decisions(case: Case) -> Iterator[Decided]:
    for r in case.recommendations:
        yield Decided(r.id, "Recommendation", r.on, f"{r.outcome.capitalize()} ({r.sanction})", r.reasons, {}, (r.by,), ("recommend",))
    for m in case.measures:
        end = f"; removed on {m.removed_on.isoformat()}" if m.removed_on else ""
        reasons = {"on looking again": m.review_reasons} if m.review_reasons else {}
        yield Decided(
            m.id, "Measure", m.on, f"{_word(m.measure)}{end}", m.reasons, dict(reasons), (m.by,), ("take_measure", "review_measure")
        )
    for e in case.external_reports:
        yield Decided(e.id, "Report to others", e.on, f"To: {_word(e.to)}", e.reasons, {}, (e.by,), ("report_externally",))
    for n in case.new_issues:
        if n.decided_on and n.outcome:
            yield Decided(
                n.id, "New issue", n.decided_on, n.outcome.capitalize(), n.reasons, {}, (n.by,) if n.by else (), ("decide_new_issue",)
            )
    for k in case.logged_contacts:
        if k.settled == "dismissed" and k.settled_on:
            yield Decided(k.id, "Contact", k.settled_on, "No continued behaviour", k.reasons, {}, (), ("dismiss_breach",))
    for letter in case.notices:
        if letter.withheld_reasons:
            yield Decided(
                letter.id, "Letter withheld", letter.created_on, "Not sent", letter.withheld_reasons, {}, (), ("withhold_notice",)
            )
    if case.ended_without_restriction and case.ending:
        acts = ("take_no_action", "withdraw", "correct")
        yield Decided("case", "End", case.ended_without_restriction, _word(case.ending).capitalize(), case.ending_reasons, {}, (), acts)


def _cites(source: Source, one: Decided) -> tuple[str, ...]:
    """Returns the clauses of the acts that made a decision: that day's, of one of its signers where it has any."""
    signers = {signed.person for signed in one.by}
    that_day = [line for line in source.lines if line.command in one.acts and line.on == one.on and line.result == "accepted"]
    theirs = [line for line in that_day if line.actor in signers] or that_day
    return tuple(dict.fromkeys(cite for line in theirs for cite in line.cites))


def _found(terms: Terms) -> dict[str, object]:
    extreme = {"why extreme": terms.extreme.reasons, "immediate threat": terms.extreme.immediate_threat} if terms.extreme else {}
    departure = {"without a warning because": terms.warning_departure} if terms.warning_departure else {}
    return {**terms.findings, **{name: said for name, said in {**extreme, **departure}.items() if said}}


def _terms(terms: Terms) -> str:
    review = f"; to be reviewed on {terms.review_on.isoformat()}" if terms.review_on else ""
    return f"{_restrictions(terms.restrictions)}{_until(terms.until)}{review}"


def _until(day: date | None) -> str:
    return f"; until {day.isoformat()}" if day else ""


def _restrictions(all: tuple[Restriction, ...]) -> str:
    return "; ".join(_restriction(one) for one in all)


def _restriction(one: Restriction) -> str:
    how = in_words(one.model_dump(mode="json", by_alias=True, exclude={"type"}, exclude_none=True))
    return f"{_word(one.type)} ({how})" if how else _word(one.type)


def _word(code: str) -> str:
    return code.replace("-", " ")


def _lines(findings: dict[str, object]) -> str:
    return "\n".join(f"{_word(name)}: {in_words(said)}" for name, said in findings.items())


def _people(signatures: tuple[Signature, ...]) -> str:
    return "; ".join(who(one.person, one.office) + (" (as deputy)" if one.as_deputy else "") for one in signatures)


def _sign_offs(source: Source) -> Sheet:
    columns, widths = ("About", "Who", "Office", "Grade", "As deputy", "Counts", "Day"), (3, 6, 6, 2, 2, 2, 3)
    office = source.policy.office
    rows = tuple(
        (
            about,
            who(one.person, one.office),
            office(one.office) if one.office else "",
            one.grade,
            _yes(one.as_deputy),
            _yes(one.counts),
            one.on,
        )
        for about, one in _signed(source.case)
    )
    says = "Every signature with the office and the grade as they stood that day."
    return Sheet(name="sign-offs", title="Sign-offs", says=says, columns=columns, widths=widths, rows=rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _signed(case: Case) -> Iterator[tuple[str, Signature]]:
    """Yields every signature of a case with what it is about."""
    alone: list[tuple[str, Signature]] = [(one.id, one.by) for one in case.warnings]
    alone += [(one.id, one.by) for one in case.measures] + [(one.id, one.by) for one in case.external_reports]
    yield from (*alone, *((one.id, one.by) for one in case.recommendations))
    several: list[tuple[str, tuple[Signature, ...]]] = [(one.id, one.signatures) for one in case.proposals]
    several += [(one.id, one.signatures) for one in case.sanctions] + [(one.id, one.signatures) for one in case.reviews]
    for about, many in (*several, *((one.id, one.signatures) for one in case.challenges)):
        yield from ((about, signed) for signed in many)
    for referral in case.referrals:
        yield "referral", referral.by
    for letter in case.notices:
        yield from ((letter.id, signed) for signed in (letter.issued_by, letter.told_by) if signed)
    for moved in case.moves:
        yield moved.id, moved.by


def _letters(source: Source, files: tuple[tuple[KeptLetter, KeptFile], ...]) -> Sheet:
    columns = ("Letter", "Kind", "Decided", "Sent", "Counts as notified", "Received", "How", "File", "sha256", "Template", "Edition")
    rows: list[tuple[Cell, ...]] = []
    for one in source.case.notices:
        own = [(kept, file) for kept, file in files if kept.notice.split("-", 1)[0] == one.id]
        rows += [
            (kept.notice, _word(one.kind), *_dates_of(one, kept), path_of(file), file.sha256, kept.template, (kept.edition or "")[:12])
            for kept, file in own
        ] or [(one.id, _word(one.kind), *_dates_of(one), "no file", None, None, None)]
    says = "Decided, sent, counted as notified and received are four dates. Each file is the very one of that day, under letters/."
    widths = (2, 4, 3, 3, 3, 3, 3, 4, 8, 4, 3)
    return Sheet(name="letters", title="Letters", says=says, columns=columns, widths=widths, rows=tuple(rows))


def _dates_of(notice: Notice, kept: KeptLetter | None = None) -> tuple[Cell, ...]:
    """Returns the four dates of a letter and how it went; of an issue that another took the place of, the day it went alone."""
    if kept and kept.sent_at and kept.notice != issued(notice.id, notice.issue):
        return (notice.created_on, london_date(kept.sent_at), None, None, "issued again")
    return (notice.created_on, notice.sent_on, notice.notified_on, notice.received_on, _word(notice.method or notice.status))


def path_of(file: KeptFile) -> str:
    """Returns a letter's place in a bundle."""
    return f"letters/{file.notice}.{file.form}"


def _evidence(source: Source) -> Sheet:
    columns, widths = ("Evidence", "Kind", "Day", "From", "Says", "Where it lies"), (3, 4, 3, 5, 12, 5)
    rows = tuple(sorted(_all_evidence(source), key=lambda one: (str(one[2]), str(one[0]))))
    says = "What the decisions rest on. Papers that lie elsewhere are named by their reference there."
    return Sheet(name="evidence", title="Evidence", says=says, columns=columns, widths=widths, rows=rows)


def _all_evidence(source: Source) -> Iterator[tuple[Cell, ...]]:
    case = source.case
    for i in case.incidents:
        says = "\n".join(filter(None, (i.summary, _lines(dict(i.findings)))))
        yield i.id, f"Incident: {_word(i.code)}, {_word(i.medium)}", i.on, who(i.by), says, ""
    for r in case.referrals:
        yield "referral", "Referral", r.on, who(r.by.person, r.by.office), _lines(dict(r.findings)), "; ".join(r.attachments)
    for c in case.consultations:
        yield c.id, f"Consulted about the {_word(c.about)}", c.on, who(c.person), c.view, ""
    for d in case.discussions:
        yield d.id, f"Conversation: {_word(d.step)}", d.on, who(d.person), d.note, ""
    for a in case.challenges:
        yield a.id, f"Challenge to {a.against}, {_word(a.medium)}", a.on, "customer", a.grounds, _papers(source, a.id)
    for q in case.requests:
        yield q.id, f"Request for a review of {q.sanction}", q.on, "customer", q.grounds, ""
    for later in case.contacts:
        yield later.id, "Contact after a disengagement", later.on, "customer", later.summary, ""
    for k in case.logged_contacts:
        yield k.id, f"Contact at the desk, {_word(k.channel)}", k.on, "customer", k.topic, ""
    if case.imported:
        old = case.imported
        said = "\n".join(filter(None, (old.behaviour_words, old.notes, old.cannot_be_found)))
        yield "import", "The body's own record", old.on, who(old.by), said, f"{old.reference}, line {old.line}, sha256 {old.file_sha256}"
    for letter in case.notices:
        four = four_dates(case, letter, file=None)
        if four.received.on:
            yield letter.id, "Proof of receipt", four.received.on, "", four.received.evidence, ""


def _papers(source: Source, appeal: str) -> str:
    """Returns the papers that were gathered for an appeal, by their references."""
    passed = [act for act in source.acts.values() if act.message.get("do") == "pass_appeal" and act.message.get("saw") == appeal]
    given = [act.message.get("with") for act in passed if act.outcome.get("result") == "accepted"]
    return in_words(given[-1]) if given else ""


def _dates(source: Source) -> Sheet:
    columns = ("Date", "Name", "About", "Counted from", "Rule", "Clauses", "Defaults", "Days skipped", "Calendar", "State")
    rows: list[tuple[Cell, ...]] = []
    for one in source.standing.explained:
        rests = ", ".join(f"{day.on.isoformat()} {day.name}" for day in one.rests)
        skipped = f"{len(one.skipped)}, of these not weekends: {rests or 'none'}" if one.calendar else ""
        state = ("passed" if one.passed else "to come") + ("; known so far" if one.provisional else "")
        clauses, _ = apart(one.cites)
        start = f"{_word(one.from_event)}, {one.from_date.isoformat()}"
        about, rests_on = one.ref, ", ".join(clauses)
        defaults = ", ".join(dict.fromkeys((*apart(one.cites)[1], *one.defaults)))
        rows.append((one.date, one.name.replace("_", " "), about, start, one.rule, rests_on, defaults, skipped, one.calendar, state))
    says = "Every date of the case that is still counted, with its whole reason. Defaults are practice, not the policy's words."
    widths = (3, 4, 2, 4, 5, 3, 3, 4, 4, 3)
    return Sheet(name="dates", title="Dates explained", says=says, columns=columns, widths=widths, rows=tuple(rows))
