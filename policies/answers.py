"""How each clause is answered: enforced, printed, recorded, offered or shown; where in the policy file; by which rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from domain.model import Data
from policies import load
from policies.survey import Value, values
from policies.tested import named_by_tests

How = Literal["enforced", "printed", "recorded", "offered", "shown"]


class Place(Data):
    """A part of the policy file, what it does with a clause, and the function that reads it."""

    where: str
    """A pattern over the path of a value, matched from its start."""
    how: How
    rule: str


PLACES = (
    Place(where=r"links", how="offered", rule="domain.links.quoted"),
    Place(where=r"guidance", how="shown", rule="domain.guidance.guidance_at"),
    Place(where=r"notices\..*\.parts", how="printed", rule="domain.letters.compose"),
    Place(where=r"notices\..*\.letter_only", how="enforced", rule="domain.delivery.record_notification"),
    Place(where=r"notices\..*\.withholding_requires", how="enforced", rule="domain.delivery.withhold_notice"),
    Place(where=r"notices\..*\.may_be_withheld", how="enforced", rule="domain.delivery.withhold_notice"),
    Place(where=r"notices", how="enforced", rule="domain.delivery.issue_notice"),
    Place(where=r"ombudsman|enquiries", how="printed", rule="domain.letters.compose"),
    Place(where=r"register\.(kept_by|maintained_by)", how="enforced", rule="domain.register_writers.require_writer"),
    Place(where=r"register", how="recorded", rule="domain.register.entry"),
    Place(where=r"readers", how="enforced", rule="domain.reading.view_of"),
    Place(where=r"informs", how="recorded", rule="domain.informing.record_informed"),
    Place(
        where=r"behaviours\..*\.(asks|needs_more_than_one|accompanied|channels|answers)", how="recorded", rule="domain.questions.shortfalls"
    ),
    Place(where=r"behaviours|other_behaviour", how="offered", rule="domain.referral.report_behaviour"),
    Place(where=r"incidents", how="recorded", rule="domain.questions.questions_of"),
    Place(where=r"classification", how="enforced", rule="domain.incidents.with_incident"),
    Place(where=r"no_incident|intake", how="enforced", rule="domain.referral.report_behaviour"),
    Place(where=r"initial_measures", how="recorded", rule="domain.measures.record_initial_measures"),
    Place(where=r"ended_conversation", how="recorded", rule="domain.measures.end_conversation"),
    Place(where=r"discussions", how="enforced", rule="domain.steps.require_discussions"),
    Place(where=r"measures", how="enforced", rule="domain.measures.take_measure"),
    Place(where=r"step_one\.arrangement", how="offered", rule="domain.warning.record_reply"),
    Place(where=r"step_one", how="enforced", rule="domain.warning.record_reply"),
    Place(where=r"warning\.appeal", how="enforced", rule="domain.appeal_answer.decide_appeal"),
    Place(where=r"warning\.while_appealed", how="enforced", rule="domain.sanction.impose_sanction"),
    Place(where=r"warning", how="enforced", rule="domain.warning.warn"),
    Place(where=r"referral", how="enforced", rule="domain.referral.refer"),
    Place(where=r"decision\.options\[.*\]\.agreement", how="recorded", rule="domain.agreements.record_agreement"),
    Place(where=r"decision\.options", how="offered", rule="domain.terms.check_restrictions"),
    Place(where=r"decision\.sign_offs\..*\.committee|(disengagement_)?review\.committee", how="enforced", rule="domain.committee.deciders"),
    Place(where=r"decision\.sign_offs", how="enforced", rule="domain.sanction.approve"),
    Place(where=r"decision\.length\.(by_|if_several)", how="enforced", rule="domain.lengths.period_for"),
    Place(where=r"decision\.length", how="enforced", rule="domain.terms.check_length"),
    Place(where=r"decision", how="enforced", rule="domain.terms.check_terms"),
    Place(where=r"review\.requested", how="enforced", rule="domain.review.request_review"),
    Place(where=r"(disengagement_)?review\.at_meeting|meetings", how="enforced", rule="domain.meetings.at_meeting"),
    Place(where=r"(disengagement_)?review\.each_decision", how="enforced", rule="domain.terms.check_review_date"),
    Place(where=r"(disengagement_)?review", how="enforced", rule="domain.review.review_sanction"),
    Place(where=r"appeal_outside", how="printed", rule="domain.letters.compose"),
    Place(where=r"appeal", how="enforced", rule="domain.appeal_answer.decide_appeal"),
    Place(where=r"contact", how="enforced", rule="domain.disengagement.classify_contact"),
    Place(where=r"external_report", how="enforced", rule="domain.emergency.report_externally"),
    Place(where=r"agents", how="enforced", rule="domain.disengagement.inform_client"),
    Place(where=r"retention\.(kept_by|archive)", how="recorded", rule="domain.papers.papers_of"),
    Place(where=r"retention", how="enforced", rule="domain.retention.destroy_papers"),
    Place(where=r"escalation", how="enforced", rule="domain.tasks.tasks"),
    Place(where=r"edition", how="enforced", rule="domain.referral.open_case"),
    Place(where=r"nation", how="enforced", rule="domain.days.add_working_days"),
    Place(where=r"owner|administered_by|offices", how="recorded", rule="domain.guards.authorise"),
)
"""The first that fits counts."""


def place_of(value: Value) -> Place:
    """Returns what a value of a policy file does with the clauses it cites. Raises LookupError on a part no place is named for."""
    for place in PLACES:
        if re.match(place.where, value.where):
            return Place(where=place.where, how=_how(value, place), rule=place.rule)
    raise LookupError(f"{value.where}: no place says how its clauses are answered")


def _how(value: Value, place: Place) -> How:
    """Returns `shown` for what a policy merely offers to record, whatever the place."""
    return "shown" if value.optional else place.how


class Answer(Data):
    """One clause of a published text, and how Evenhand answers it."""

    clause: str
    kind: str
    says: str
    how: tuple[How, ...]
    used_at: tuple[str, ...]
    """Places in the policy file, as paths."""
    rules: tuple[str, ...]
    defaults: tuple[str, ...]
    """What fills the clause's silence beside it, the day its time runs from among it; nobody's policy."""
    unconfirmed: bool
    unconfirmed_at: tuple[str, ...]
    """Those of its places that the body must still confirm."""
    exercised_by: tuple[str, ...]
    """The rehearsals that claim it, where the project's folder is there."""
    tested_by: tuple[str, ...] = ()
    """The tests that name it, likewise."""


def answers(name: str) -> tuple[Answer, ...]:
    """Returns each clause of a published text with how it is answered, in the order of the text."""
    found = values(load.policy(name)) if name in load.names() else ()
    return tuple(_answer(clause, found) for clause in load.clauses(name).values())


def _answer(clause: load.Clause, found: tuple[Value, ...]) -> Answer:
    used = tuple(one for one in found if clause.id in one.cites)
    inside = {one.where.rpartition(".")[0] for one in used}
    starts = tuple(one for one in found if one.where.endswith(".start") and one.where.removesuffix(".start") in inside)
    places = [place_of(one) for one in used]
    return Answer(
        clause=clause.id,
        kind=clause.kind,
        says=clause.says,
        how=tuple(dict.fromkeys(place.how for place in places)),
        used_at=tuple(one.where for one in used),
        rules=tuple(dict.fromkeys(place.rule for place in places)),
        defaults=tuple(dict.fromkeys(one.default for one in (*used, *starts) if one.default)),
        unconfirmed=any(one.unconfirmed for one in used),
        unconfirmed_at=tuple(one.where for one in used if one.unconfirmed),
        exercised_by=exercised().get(clause.id, ()),
        tested_by=named_by_tests().get(clause.id, ()),
    )


@cache
def exercised() -> dict[str, tuple[str, ...]]:
    """Returns the rehearsals that claim each clause; empty where only the program is installed."""
    found: dict[str, list[str]] = {}
    for path in sorted((Path(__file__).resolve().parent.parent / "rehearsals").glob("*.yaml")):
        for clause in _claimed(load.text_of(path), path.name):
            found.setdefault(str(clause), []).append(path.stem)
    return {clause: tuple(paths) for clause, paths in found.items()}


CITES = re.compile(r"^cites:.*?(?=^\w|\Z)", re.DOTALL | re.MULTILINE)
"""A rehearsal's own line of clauses: the rest of a hundred files need not be read for it."""


def _claimed(text: str, name: str) -> Iterable[object]:
    written = CITES.search(text)
    data = load.parse(written[0], name) if written else None
    return data["cites"] if isinstance(data, dict) else ()
