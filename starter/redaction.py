"""What is taken out of a bundle for the customer: proposed by the program, decided and signed by a person, marked where it was.

The program proposes; it cannot know who else a text speaks of. So every text that goes out is on the list to be read, cuts or none
(EH-100, EH-102)."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pydantic import Field
from ruamel.yaml import YAML

from domain.case import Customer
from domain.model import Code, Data
from policies.load import build, parse, text_of
from starter.dossier import TEXT, Naming, Sheet, Source, shown

CUT = "[taken out: {}]"
WHOLE_OF = {
    ("consult", "view"): "the words of somebody who was consulted",
    ("discuss", "note"): "a conversation with somebody else",
    ("inform_client", "client"): "the name of somebody else",
    ("write_to_third_party", "name"): "the name of somebody else",
    ("write_to_third_party", "address"): "the address of somebody else",
    ("seek_legal_advice", "question"): "a question to lawyers",
}
"""Texts that are another person's by what they are: the whole is proposed to be taken out."""
LOOKS = (
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), "an email address"),
    (re.compile(r"(?<![\w/])\+?\d[\d ()-]{7,18}\d(?![\w/])"), "a number that may point to somebody"),
    (re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"), "a postcode"),
    (
        re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Cllr|Councillor|Sir|Dame|Lord|Lady|Rev)\b\.? (?:[A-Z][\w'’-]{1,40} ?){1,3}"),
        "another person",
    ),
)
"""What may point to somebody; a person looks."""
GENERAL = ("staff", "officer", "manager", "director", "customer", "reviewer", "records", "deputy", "member", "team", "head")
SHORTEST = 3
"""Letters of a part of a name that is looked for by itself."""
HEAD = """\
# What would be taken out of the bundle of {case} for the customer. Proposed by a program, which cannot know who else a text speaks of:
# read every text, mend the cuts, then sign below (reviewed_by: an id of the staff list; reviewed_on: YYYY-MM-DD) and make the bundle
# with --reviewed. A cut without `what` takes out the whole text. Each cut says why; the reason is printed where it was.
# `people` stand in the lists by what they become. A letter with give: false stays out.
# This file holds everything that is to be taken out: keep it as safe as the case, and do not send it.
"""


class Cut(Data):
    """Words taken out of one text, wherever they stand in it; the whole text where `what` is left out."""

    what: str | None = Field(default=None, min_length=1)
    why: str = Field(min_length=1, max_length=200)


class TextListed(Data):
    """One text of the case that goes out, where it stands, and what is taken out of it."""

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    where: tuple[str, ...]
    text: str
    cuts: tuple[Cut, ...] = ()


class PersonListed(Data):
    """One member of staff: how lists name that person, and what stands instead."""

    id: str
    names: tuple[str, ...]
    becomes: str = Field(min_length=1, max_length=120)


class LetterListed(Data):
    """One letter: it went to the customer, so it is given, unless the reviewer says why not."""

    letter: str
    give: bool = True
    why: str = ""


class ReviewList(Data):
    """A list of redactions for one case as it stood at one line of its log."""

    v: int = 1
    case: str
    log_line: int
    log_hash: str
    reviewed_by: Code | None = None
    reviewed_on: date | None = None
    people: tuple[PersonListed, ...] = ()
    letters: tuple[LetterListed, ...] = ()
    texts: tuple[TextListed, ...] = ()


class NotReviewed(Exception):
    """The list cannot be used: says line by line what remains to be done."""


class Redacted(NamedTuple):
    """How a bundle for the customer speaks, which letters stay out, and the list of what was taken out."""

    naming: Naming
    withheld: Mapping[str, str]
    sheet: Sheet


def draft(source: Source, sheets: Sequence[Sheet], letters: Sequence[str]) -> ReviewList:
    """Returns the proposal: every person, letter and text that would go out, with what is proposed to be taken out and why."""
    line, hash = source.head
    people = tuple(PersonListed(id=one.id, names=_names(one.id, one.name), becomes=f"[{one.post}]") for one in source.staff)
    texts = tuple(_listed(source, ref, where, people) for ref, where in _places(sheets).items())
    given = tuple(_given(source, name) for name in letters)
    return ReviewList(case=source.case.id, log_line=line, log_hash=hash, people=people, letters=given, texts=texts)


def _given(source: Source, name: str) -> LetterListed:
    """Returns whether a letter is proposed to be given: the customer's own are, one to somebody else is not (NE-43, NE-44)."""
    notice = source.case.notice(name.split("-", 1)[0])
    if notice and notice.recipient:
        return LetterListed(letter=name, give=False, why="it went to somebody else")
    return LetterListed(letter=name, give=True, why="it went to the customer")


def _names(id: str, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in (name, id) if one))


def _places(sheets: Sequence[Sheet]) -> dict[str, tuple[str, ...]]:
    """Returns each text that goes out, in order, with the places it stands in."""
    found: dict[str, list[str]] = {}
    for sheet in sheets:
        for row in sheet.rows:
            for column, cell in zip(sheet.columns, row, strict=True):
                for ref in TEXT.findall(cell) if isinstance(cell, str) else ():
                    found.setdefault(ref, []).append(f"{sheet.name} {row[0]}: {column}")
    return {ref: tuple(dict.fromkeys(where)) for ref, where in found.items()}


def _listed(source: Source, ref: str, where: tuple[str, ...], people: Sequence[PersonListed]) -> TextListed:
    text = _read(source, ref)
    whole = _whole(source).get(ref)
    cuts = (Cut(why=whole),) if whole else tuple(_cuts(source, text, people))
    return TextListed(id=_id(ref), where=where, text=text, cuts=cuts)


def _read(source: Source, ref: str) -> str:
    """Returns a text as it is reviewed and goes out: every sign of it to be seen, so that none can hide or turn another round."""
    return shown(source.texts.get(ref, ""))


def _id(ref: str) -> str:
    return ref.removeprefix("text:")[:12]


def _whole(source: Source) -> dict[str, str]:
    """Returns the texts that are another person's by the act that brought them, with the reason."""
    found: dict[str, str] = {}
    for act in source.acts.values():
        given = act.message.get("with")
        for (do, field), why in WHOLE_OF.items():
            ref = given.get(field) if isinstance(given, dict) and act.message.get("do") == do else None
            if isinstance(ref, str):
                found[ref] = why
    return found


def _cuts(source: Source, text: str, people: Sequence[PersonListed]) -> Iterator[Cut]:
    """Yields what in a text may be another person: members of staff by name, and whatever looks like a name, an address, a number."""
    own, posts, seen = _own(source), _of_posts(source), set[str]()
    for one in people:
        for name in (*(name for name in one.names if name.casefold() not in posts), *_parts(source, one)):
            for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                if found[0] not in seen and found[0].casefold() not in own:
                    seen.add(found[0])
                    yield Cut(what=found[0], why=one.becomes.strip("[]"))
    for pattern, why in LOOKS:
        for found in pattern.finditer(text):
            words = found[0].strip()
            if words not in seen and not _is_own(words, own):
                seen.add(words)
                yield Cut(what=words, why=why)


def _parts(source: Source, person: PersonListed) -> Iterator[str]:
    """Yields the parts of a name by which somebody may be called, unless they are words of a post."""
    posts = _of_posts(source)
    for part in person.names[0].split() if " " in person.names[0] else ():
        if len(part) >= SHORTEST and part.casefold() not in posts:
            yield part


def _of_posts(source: Source) -> frozenset[str]:
    """Returns the words of posts: an id that is one of them names nobody."""
    labels = [source.policy.office(one).casefold() for one in source.policy.offices]
    return frozenset({*GENERAL, *labels, *(word for label in labels for word in label.split())})


def _own(source: Source) -> frozenset[str]:
    """Returns the customer's own name, its parts and addresses: not to be taken out of the customer's own copy."""
    customer: Customer = source.case.customer
    given = (customer.name, customer.address or "", *customer.also_reached_at)
    whole = [source.texts.get(one, one).casefold() for one in given if one]
    return frozenset((*whole, *whole[0].split()))


def _is_own(words: str, own: frozenset[str]) -> bool:
    low = words.casefold()
    return low in own or any(low in one for one in own) or low.split()[-1] in own


def written(listed: ReviewList) -> str:
    """Returns a list as the file a person reviews."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode, yaml.width, yaml.sort_base_mapping_type_on_output = False, True, 110, False  # type: ignore[assignment]  # as ruamel has it
    out = io.StringIO()
    for key, value in listed.model_dump(mode="json").items():
        yaml.dump({key: value}, out)
    return HEAD.format(case=listed.case) + out.getvalue()


def read_list(path: Path) -> ReviewList:
    """Returns the list a file holds. Raises Unreadable with a line for every fault."""
    data = parse(text_of(path), str(path))
    return build(ReviewList, data or {}, str(path))


def redacted(listed: ReviewList, source: Source, sheets: Sequence[Sheet], letters: Sequence[str]) -> Redacted:
    """Returns how the reviewed list has the bundle speak. Raises NotReviewed with all that remains."""
    places = _places(sheets)
    remains = [*_unsigned(listed, source), *_stale(listed, source), *_twice(listed), *_gaps(listed, source, places, letters)]
    if remains:
        raise NotReviewed("\n".join(remains))
    by_id = {one.id: one for one in listed.texts}
    texts = {ref: _without(_read(source, ref), by_id[_id(ref)].cuts) for ref in places}
    people = {one.id: one.becomes for one in listed.people}
    posts = _of_posts(source)
    named = {
        name.casefold(): one.becomes for one in listed.people for name in (*one.names, one.id) if name and name.casefold() not in posts
    }
    withheld = {one.letter: one.why for one in listed.letters if not one.give}
    naming = Naming(people=people, in_passing=_any_of(named), named=named, texts=texts)
    return Redacted(naming=naming, withheld=withheld, sheet=_told(listed, withheld))


def _any_of(names: Mapping[str, str]) -> re.Pattern[str] | None:
    longest = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])", re.IGNORECASE) if longest else None


def _without(text: str, cuts: Sequence[Cut]) -> str:
    """Returns a text without what is cut, each cut marked with its reason; one cut never reaches into another's mark."""
    whole = next((cut for cut in cuts if cut.what is None), None)
    if whole:
        return CUT.format(shown(whole.why))
    why = {cut.what: cut.why for cut in cuts if cut.what}
    if not why:
        return text
    pattern = re.compile("|".join(re.escape(one) for one in sorted(why, key=len, reverse=True)))
    return pattern.sub(lambda found: CUT.format(shown(why[found[0]])), text)


def _unsigned(listed: ReviewList, source: Source) -> Iterator[str]:
    if listed.reviewed_by is None:
        yield "reviewed_by is empty: the id of the person who read every text and mended the cuts. [EH-100]"
    if listed.reviewed_on is None:
        yield "reviewed_on is empty: the day of the review, as YYYY-MM-DD. [EH-100]"
    elif listed.reviewed_on < source.dated:
        since = source.dated.isoformat()
        yield f"reviewed_on is {listed.reviewed_on.isoformat()}; what is on the list stands so only since {since}. [EH-100]"


def _stale(listed: ReviewList, source: Source) -> Iterator[str]:
    line, hash = source.head
    if listed.case != source.case.id:
        yield f"The list is of the case {listed.case}, the bundle of {source.case.id}."
    elif (listed.log_line, listed.log_hash) != (line, hash):
        yield f"The case has gone on: the list is of line {listed.log_line} of its log, now of line {line}. Make a draft again."


def _twice(listed: ReviewList) -> Iterator[str]:
    """Yields what stands twice on the list: one entry might cut what the other leaves."""
    entries = {
        "texts": [one.id for one in listed.texts],
        "people": [one.id for one in listed.people],
        "letters": [one.letter for one in listed.letters],
    }
    for where, ids in entries.items():
        yield from (f"{where}: {one} stands {count} times." for one, count in Counter(ids).items() if count > 1)


def _gaps(listed: ReviewList, source: Source, places: Mapping[str, tuple[str, ...]], letters: Sequence[str]) -> Iterator[str]:
    """Yields what of the case the list lacks or has otherwise, and cuts that cut nothing."""
    by_id = {one.id: one for one in listed.texts}
    for ref, where in places.items():
        entry = by_id.get(_id(ref))
        if entry is None:
            yield f"texts: {_id(ref)} ({where[0]}) is missing; nothing goes out unread."
        elif entry.text != _read(source, ref):
            yield f"texts: {_id(ref)} ({where[0]}) holds another text than the case; words are taken out under cuts, not in the text."
        else:
            lost = [cut.what for cut in entry.cuts if cut.what and cut.what not in entry.text]
            yield from (f"texts: {_id(ref)} ({where[0]}): a cut names words that do not stand in it, {one!r}." for one in lost)
    listed_people = {one.id for one in listed.people}
    yield from (f"people: {one.id} is missing." for one in source.staff if one.id not in listed_people)
    listed_letters = {one.letter: one for one in listed.letters}
    yield from (f"letters: {name} is missing." for name in letters if name not in listed_letters)
    yield from (f"letters: {one.letter} stays out and why is empty." for one in listed.letters if not one.give and not one.why.strip())


def _told(listed: ReviewList, withheld: Mapping[str, str]) -> Sheet:
    """Returns the list of what was taken out, with the reasons and without the words."""
    rows = [
        (one.where[0] if one.where else "", "the whole text" if cut.what is None else "words", cut.why)
        for one in listed.texts
        for cut in one.cuts
    ]
    rows += [(f"letters {name}", "the letter", why) for name, why in withheld.items()]
    says = "What was taken out because it is about other people, and why. Members of staff are named by their posts."
    return Sheet(
        name="taken-out", title="What was taken out", says=says, columns=("Where", "How much", "Why"), widths=(5, 3, 8), rows=tuple(rows)
    )
