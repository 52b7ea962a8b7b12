"""What a customer or an officer wrote comes out as written, on paper, as a page and as text: never markup, a file or an address fetched."""

from __future__ import annotations

import re
from pathlib import Path

import pypdfium2
import pytest

from activities import pdf
from activities.letters import Unprintable, render, wording
from activities.made import Made, make
from activities.pdf import LAYOUT, Paper, Text, Unmade, pdf_of
from domain.formats import Forms
from tests.stories import CASEY, a_restricted_mmo_case
from tests.test_letters import Page, composed, plain, restricted_by

ALL = Forms(formats=("large-print", "easy-read", "spoken"))
SAID = {
    "typst": '#read("/etc/passwd") #import "@preview/cetz:0.3.1" #panic("no") $ x^2 $ *bold* _it_ = Heading @label <label> `x` // \\ #',
    "html": "<script>alert('x')</script> <img src=x onerror=alert(1)> &lt;b&gt; <!-- hidden --> <link rel=attachment href=file:///etc/passwd>",
    "markdown": "**bold** _sly_ [our refund](javascript:alert(1)) ![pixel](https://evil.example/pixel.png) `code` ~~gone~~ # 1. - > |",
    "jinja": "{{ 7 * 7 }} {% include '/etc/passwd' %} {# gone #} {{ ''.__class__.__mro__ }} {{ config }}",
    "json": '{"k": "h", "level": 1} \\u0041 \\n "quoted" \\\\',
    "paths": r"C:\\dir\\*star* ../../../../etc/passwd file:///etc/passwd $HOME `id` $(id) %PDF-1.7 endstream",
    "quotes": "it's “so” & 5 < 6 > 4 ‘and’ – — … £ €",
    "other letters": "Zoë Müller-Łukaszewicz, Ŵyn ap Siôn, Ελένη, Мария, שרה, Ağaoğlu",
}
UNSEEN = {
    "a turned direction": ("abc\u202eFDP\u202c def \u2066ghi\u2069 \u200fjkl", "abcFDP def ghi jkl"),
    "signs of no width": ("re\u200bview re\ufeffview re\u2060view re\u00adview", "review review review review"),
    "a line end of another kind": ("one\u2028two\u2029three", "one two three"),
}


def letter_with(said: str, *, name: str | None = None) -> Made:
    """Returns a letter whose customer, address, reasons and restriction are in these words."""
    customer = CASEY.model_copy(update={"name": name or said, "address": said})
    letter = composed(a_restricted_mmo_case(customer=customer, reasons=said), "decision")
    topic = composed(restricted_by({"type": "no-reply-on-topic", "topic": [said]}), "decision").sections[0]
    return make(letter.model_copy(update={"sections": (topic, *letter.sections[1:])}), policy="mmo", forms=ALL)


def words_of(content: bytes) -> str:
    text = "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content))
    return plain(text.replace("\ufffe", "-"))


@pytest.mark.parametrize("kind", SAID)
def test_words_come_out_as_they_were_written_in_every_file(kind: str):
    """Design 5: on paper in three sizes, as a page, as text and in the script: the words, no more and no less."""
    said, made = SAID[kind], letter_with(SAID[kind])

    for ending in ("pdf", "large.pdf", "easy.pdf"):
        assert without_spaces(words_of(made.files[ending])).count(without_spaces(said)) >= 4, ending
    for ending in ("html", "large.html"):
        page = Page(made.files[ending].decode())
        assert page.text.count(plain(said)) >= 4
        assert set(page.tags) <= {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "h1",
            "h2",
            "h3",
            "p",
            "br",
            "ul",
            "li",
            "strong",
        }
        assert {name for _, name, _ in page.attributes} <= {"lang", "charset", "name", "content"}
    assert plain(made.files["txt"].decode()).count(plain(said)) >= 3
    assert plain(said) in plain(made.files["script.txt"].decode())


def without_spaces(text: str) -> str:
    return re.sub(r"[\s\-]", "", text)


@pytest.mark.parametrize("kind", UNSEEN)
def test_signs_that_nobody_sees_are_left_out(kind: str):
    """A sign that turns words round could make a letter say something else than it holds."""
    said, printed = UNSEEN[kind]
    made = letter_with(said)

    for text in (words_of(made.files["pdf"]), Page(made.files["html"].decode()).text, plain(made.files["txt"].decode())):
        assert text.count(printed) >= 3
        assert not re.search("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]", text)


def test_a_word_of_ten_thousand_letters_stays_on_the_page():
    """It is broken where a line ends; nothing of it is lost and nothing runs off the paper."""
    word = "Donaudampfschiff" * 625
    made = letter_with(word, name="Casey Sample")

    for ending in ("pdf", "large.pdf"):
        document = pypdfium2.PdfDocument(made.files[ending])
        assert word in re.sub(
            r"\s|mmo/2027-0001|Page\d+of\d+", "", words_of(made.files[ending]).replace("Page ", "Page").replace(" of ", "of")
        )
        for page in document:
            left, _, right, _ = page_ink(page)
            assert left >= 15 and right <= 195
    assert word in made.files["html"].decode() and "overflow-wrap: anywhere" in made.files["html"].decode()
    assert word in made.files["txt"].decode()


def page_ink(page: pypdfium2.PdfPage) -> tuple[float, float, float, float]:
    """Returns where a page's ink lies, in mm: left, top, right, bottom."""
    picture = page.render(scale=1).to_pil().convert("L").point(lambda grey: 255 - grey)
    return tuple(edge * 25.4 / 72 for edge in picture.getbbox())  # type: ignore[return-value]  # four of them


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("I am fine 😀 thank you", "I am fine [grinning face] thank you"),
        ("👩\u200d👧", "[woman][girl]"),
        ("你好", "[cjk unified ideograph-4f60][cjk unified ideograph-597d]"),
        ("⚠\ufe0f", "[warning sign]"),
    ],
)
def test_a_sign_that_no_font_here_has_is_named_on_paper_and_stands_as_it_is_elsewhere(said: str, printed: str):
    """Decision 19: a quoted emoji never stops a letter, and never vanishes from it."""
    made = letter_with(f"You wrote: {said}.", name="Casey Sample")

    assert without_spaces(printed) in without_spaces(words_of(made.files["pdf"]))
    for ending in ("html", "txt"):
        assert said in made.files[ending].decode()


def test_the_layout_reads_nothing_outside_its_folder_and_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Design 5: even a layout that asked for more would get nothing."""
    for asks in (
        '#read("/etc/passwd")',
        '#read("../../pyproject.toml")',
        '#import "@preview/cetz:0.3.1": canvas',
        '#image("https://evil.example/x.png")',
    ):
        (tmp_path / "sly.typ").write_text(asks, encoding="utf-8")
        monkeypatch.setattr(pdf, "LAYOUT", tmp_path)
        pdf._compiler.cache_clear()
        with pytest.raises(Unmade):
            pdf_of(Paper(title="t", body="b", address=("a",), dated="d", reference="r"), Text(markdown="x"), layout="sly")
    pdf._compiler.cache_clear()


def test_the_layout_itself_asks_for_nothing_but_its_letter():
    """Design 5: no file, no package, no picture; the one thing that it is given is the letter."""
    layouts = sorted(LAYOUT.glob("*.typ"))

    assert layouts
    for file in layouts:
        text = re.sub(r"//.*", "", file.read_text(encoding="utf-8"))
        drawn = text.replace("image(bytes(", "drawn(bytes(") if file.stem == "dossier" else text  # its own drawing, given to it as bytes
        assert re.findall(r"\b(?:read|include|import|image|plugin|csv|xml|yaml|toml|cbor|bibliography|eval|link)\b", drawn) == [], file.name
        assert re.findall(r"\bjson\b.*", text) == [f"json(bytes(sys.inputs.{file.stem}))"]


def test_a_wording_file_can_call_nothing_of_the_program(tmp_path: Path):
    """A policy officer's wording is text: it reaches neither the program nor the disk."""
    letter = composed(a_restricted_mmo_case(), "decision")
    for words in (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ sections.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../pyproject.toml' %}",
    ):
        (tmp_path / "decision.md").write_text("{% set subject = 'x' %}" + words, encoding="utf-8")
        wording.cache_clear()
        with pytest.raises(Unprintable):
            render(letter, policy="mmo", own=tmp_path)
