"""Letters on paper: what lies where (GOV.UK Notify's letter specification 2.4), PDF/UA, and the same bytes each time."""

from __future__ import annotations

import io
import re
from functools import cache

import pdfplumber
import pypdfium2
import pytest
from pdfua import validate
from pdfua.model import Severity
from PIL import Image, ImageDraw

from activities.blocks import blocks
from activities.made import Made, make
from activities.pdf import Unmade
from domain.addresses import address_lines, address_problem
from domain.formats import Forms
from domain.letters import Letter
from tests.pictures import LETTERHEAD
from tests.test_letters import STORIES, composed, plain

LONG_NAME = "Bartholomew Alexander Featherstonehaugh-Cholmondeley"
SEVEN_LINES = (
    "Flat 12 with a rather long name of its own\nThe Example House\n123 Example Street West\nLittle Sampling\nSampletown\nZZ99 9ZZ"
)
SIZES = {
    "11 point": ("pdf", Forms()),
    "18 point": ("large.pdf", Forms(formats=("large-print",))),
    "easy": ("easy.pdf", Forms(formats=("easy-read",))),
}
DPI = 100
DOTS = 72 / 25.4
"""A millimetre, in points."""


@cache
def letter(name: str, kind: str) -> Letter:
    """Returns a story's letter as it is posted to somebody with a long name and a seven-line address."""
    changed = {"name": LONG_NAME, "address": SEVEN_LINES, "method": "first-class-post"}
    return composed(STORIES[name, kind](), kind).model_copy(update=changed)


@cache
def made(name: str, kind: str, size: str) -> Made:
    return make(letter(name, kind), policy=name, sender=LETTERHEAD, forms=SIZES[size][1])


def pdf(name: str, kind: str, size: str) -> bytes:
    return made(name, kind, size).files[SIZES[size][0]]


def lines_of(name: str, kind: str, size: str) -> tuple[tuple[str, ...], ...]:
    """Returns the lines of each page as they stand."""
    return read_back(name, kind, size)[0]


@cache
def read_back(name: str, kind: str, size: str) -> tuple[tuple[tuple[str, ...], ...], list[str]]:
    """Returns the lines of each page as they stand, and those in the window: a page takes long to read, and is read once."""
    with pdfplumber.open(io.BytesIO(pdf(name, kind, size))) as document:
        window = document.pages[0].crop([edge * DOTS for edge in ALLOWED["the address"]])
        pages = tuple(tuple((page.extract_text() or "").splitlines()) for page in document.pages)
        return pages, (window.extract_text() or "").splitlines()


ALLOWED = {
    "the body's name": (15, 5, 125, 30),
    "how to reach the body": (125, 5, 195, 95),
    "the address": (24.6, 39.5, 120, 66.3),
    "the letter": (15, 95, 195, 292),
}
"""Where ink may lie on a first page, in mm from the top left: left, top, right, bottom."""
FOLLOWING = {"the letter": (15, 5, 195, 292)}


def ink_outside(page: pypdfium2.PdfPage, allowed: dict[str, tuple[float, float, float, float]]) -> object:
    """Returns the box of any ink outside the areas allowed, in dots, or None: the areas are painted white, and nothing may be left."""
    scale = DPI / 25.4
    picture = page.render(scale=DPI / 72).to_pil().convert("L")
    paint = ImageDraw.Draw(picture)
    for area in allowed.values():
        paint.rectangle([round(edge * scale) for edge in area], fill="white")
    return Image.eval(picture, lambda grey: 255 - grey).getbbox()


@pytest.mark.parametrize("size", SIZES)
def test_no_ink_lies_where_none_may(size: str):
    """Notify 2.4: all letters of all policies, with a long name and seven lines of address, in every size."""
    pages = 0
    for name, kind in STORIES:
        document = pypdfium2.PdfDocument(pdf(name, kind, size))
        assert len(document) <= 10
        for n, page in enumerate(document):
            assert [round(edge) for edge in page.get_size()] == [595, 842], "A4, upright"
            assert ink_outside(page, FOLLOWING if n else ALLOWED) is None, f"{name} {kind}, page {n + 1}"
            pages += 1
    print(f"{pages} pages of {len(STORIES)} letters")
    assert len(STORIES) >= 55


def test_the_check_sees_ink_where_none_may_lie():
    """A guard that could pass on anything would say nothing: the address's own area is forbidden, and is found."""
    document = pypdfium2.PdfDocument(pdf("mmo", "decision", "11 point"))
    without = {key: area for key, area in ALLOWED.items() if key != "the address"}

    assert ink_outside(document[0], without) is not None


@pytest.mark.parametrize("size", SIZES)
def test_the_address_reads_back_line_by_line(size: str):
    """Notify 2.4: what a machine reads in the window is the name and the address, and nothing else."""
    for name, kind in STORIES:
        assert read_back(name, kind, size)[1] == [LONG_NAME, *SEVEN_LINES.splitlines()], f"{name} {kind}"


@pytest.mark.parametrize("size", SIZES)
def test_every_letter_is_accessible_as_far_as_can_be_checked(size: str):
    """PDF/UA-1: the compiler refuses what it finds; a second checker, by other hands, finds no error."""
    for name, kind in STORIES:
        found = validate(io.BytesIO(pdf(name, kind, size)))
        assert [one for one in found.findings if one.severity >= Severity.ERROR] == [], f"{name} {kind}"


def words_of(content: bytes) -> str:
    """Returns the words of a PDF as a reader takes them out."""
    text = "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content))
    return plain(text)


def squeezed(text: str) -> str:
    """Returns a text without its spaces: where a long word is broken a reader sees a line's end."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("size", SIZES)
def test_a_letter_on_paper_says_what_the_standard_letter_says(size: str):
    """Design 4: the forms are one letter; every sentence of the text is on paper, in the same order."""
    for name, kind in STORIES:
        footer = squeezed(rf"{letter(name, kind).reference} Page \d+ of \d+")
        on_paper = re.sub(footer, "", squeezed(words_of(pdf(name, kind, size))))
        text = made(name, kind, size).files["txt"].decode().split("\n\nDear ", 1)[1]
        said = [squeezed(line.removeprefix("- ")) for line in text.splitlines() if line.strip()]
        at = 0
        for line in said:
            assert line in on_paper[at:], f"{name} {kind}: {line}"
            at = on_paper.index(line, at)


def test_a_letter_is_the_same_to_the_byte_when_it_is_made_again():
    """Design 4: what was sent can be shown to be what was made, from the facts that were kept with it."""
    for name, kind in STORIES:
        kept = Letter.model_validate_json(letter(name, kind).model_dump_json())
        for size, (ending, forms) in SIZES.items():
            again = make(kept, policy=name, sender=LETTERHEAD, forms=forms)
            assert again.files[ending] == pdf(name, kind, size), f"{name} {kind}"


def test_a_date_is_never_broken_over_two_lines():
    """A last day that is torn in two is misread."""
    checked = 0
    for name, kind in STORIES:
        for size in SIZES:
            for line in (line for page in lines_of(name, kind, size) for line in page):
                checked += len(whole := re.findall(r"day \d{1,2} \w+ \d{4}", line))
                assert len(re.findall(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b(?!s)", line)) == len(whole), f"{name} {kind}: {line}"
        page = made(name, kind, "11 point").files["html"].decode()
        assert not re.search(r"day \d{1,2} [JFMASOND]", page), f"{name} {kind}"
    assert checked >= 250


def test_no_page_ends_in_a_heading_and_none_holds_a_signature_alone():
    """A heading without its words, or a page with nothing but a name, is a letter that went wrong."""
    for name, kind in STORIES:
        headings = {"".join(span.v for span in one.t) for one in blocks(made(name, kind, "11 point").files["txt"].decode()) if one.k == "h"}
        headings |= set(re.findall(r"<h[23]>(.+?)</h[23]>", made(name, kind, "11 point").files["html"].decode()))
        for size in SIZES:
            pages = [[line for line in page if "Page " not in line] for page in lines_of(name, kind, size)]
            assert all(page[-1] not in headings for page in pages), f"{name} {kind} {size}"
            assert len(pages) == 1 or any("unclear" in line for line in pages[-1]) or "How to reach us" in pages[-1], (
                f"{name} {kind} {size}"
            )


# Addresses to which nothing can be posted

WRONG = {
    "nothing": (None, "there is no postal address"),
    "spaces": ("  ", "there is no postal address"),
    "too few lines": ("ZZ99 9ZZ", "has 2 lines"),
    "too many lines": ("1\n2\n3\n4\n5\n6\nZZ99 9ZZ", "has 8 lines"),
    "no postcode": ("1 Example Street, Sampletown", "neither a UK postcode nor a country"),
    "a half postcode": ("1 Example Street, Sampletown, ZZ99", "neither a UK postcode nor a country"),
    "a country that ends in a home nation's name only": ("1 Example Street, Sampletown, Scotland", "neither a UK postcode"),
    "no home": ("No fixed abode, Sampletown, ZZ99 9ZZ", "no fixed abode"),
    **{
        f"a line that begins with {sign}": (f"{sign}1 Example Street\nSampletown\nZZ99 9ZZ", f"begins with {sign}")
        for sign in '@()=[]"\\/<>'
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_a_letter_is_not_posted_to_an_address_that_nobody_could_read(case: str):
    """EH-111: it waits for a person, and the problem says what is wrong without quoting the address."""
    address, problem = WRONG[case]
    unposted = letter("mmo", "decision").model_copy(update={"address": address})

    with pytest.raises(Unmade, match=re.escape(problem)) as found:
        make(unposted, policy="mmo")

    assert "correct_address" in str(found.value)
    assert "Example" not in str(found.value)
    assert found.value.cites == ("EH-111",)


RIGHT = {
    "a postcode beside the town": ("1 Example Street, Sampletown ZZ99 9ZZ", ["1 Example Street", "Sampletown", "ZZ99 9ZZ"]),
    "a postcode in small letters, without its space": (
        "1 Example Street\nSampletown\nzz999zz",
        ["1 Example Street", "Sampletown", "ZZ99 9ZZ"],
    ),
    "a home nation after it": ("1 Example Street, Sampletown, ZZ99 9ZZ, United Kingdom", ["1 Example Street", "Sampletown", "ZZ99 9ZZ"]),
    "a country": ("1 rue Exemple\n75000 Exempleville\nFrance", ["1 rue Exemple", "75000 Exempleville", "France"]),
}


@pytest.mark.parametrize("case", RIGHT)
def test_an_address_is_read_as_people_write_it(case: str):
    """EH-111: a postcode stands on a line of its own, a home nation on none."""
    address, lines = RIGHT[case]

    assert address_problem("Casey Sample", address) is None
    assert address_lines("Casey Sample", address) == ("Casey Sample", *lines)


def test_a_name_or_a_letter_too_long_for_the_post_is_refused_and_an_email_is_not():
    """Notify 2.4: the window holds what it holds, and a machine takes ten pages."""
    posted = letter("mmo", "decision")
    named = posted.model_copy(update={"name": "Casey " * 80})
    reasons = tuple(
        one.model_copy(update={"facts": {"text": "A sentence of many. " * 3000}}) if one.part == "reasons" else one
        for one in posted.sections
    )
    long = posted.model_copy(update={"sections": reasons})

    with pytest.raises(Unmade, match="too long for the window"):
        make(named, policy="mmo")
    with pytest.raises(Unmade, match=r"It takes \d\d pages; a letter that is posted may take 10\."):
        make(long, policy="mmo")
    for one in (named, long):
        assert make(one.model_copy(update={"method": "email"}), policy="mmo").files["pdf"].startswith(b"%PDF")


def test_a_name_is_one_line_however_it_was_entered():
    """EH-111: a line end in a name would add a line to the envelope that nobody counted, and break the greeting."""
    case = STORIES["portsmouth", "decision"]()
    customer = case.customer.model_copy(update={"name": "Casey\n(Sample)\t Example"})
    letter = composed(case.model_copy(update={"customer": customer}), "decision")

    assert letter.name == "Casey (Sample) Example"
    assert "Dear Casey (Sample) Example\n" in make(letter, policy="portsmouth").files["txt"].decode()
    assert address_lines("Casey\nSample", "1 Example Street\nZZ99 9ZZ") == ("Casey Sample", "1 Example Street", "ZZ99 9ZZ")
