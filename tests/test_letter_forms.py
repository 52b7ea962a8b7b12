"""Forms of letters as reasonable adjustments (DEF-15, EH-110): what is made, what goes, what stays on record, what may not defeat them."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from pathlib import Path

import pikepdf
import pytest

from activities.letters import Unprintable, wording
from activities.made import STANDARD, make
from domain.adjustments import forms_of, leaves_adjustment
from domain.case import Adjustment, Case, Customer
from domain.clocks import all_deadlines
from domain.commands import AddAdjustment, CorrectAddress, ImposeSanction, IssueNotice, OpenCase, RecordNotification, ReportBehaviour
from domain.decide import decide
from domain.decision import Refusal
from domain.flags import flags
from domain.formats import FORMATS, Forms
from domain.notices import notified_on, reached_on
from domain.referral import open_case
from domain.restrictions import ChannelRestriction, Restriction
from domain.tasks import tasks
from tests.stories import (
    ALEX,
    CASEY,
    ENGLAND,
    MMO,
    MMO_GROUNDS,
    PORTSMOUTH,
    REASONS,
    a_continued_mmo_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    a_warned_mmo_case,
    after,
    mmo,
    portsmouth,
    sent,
)
from tests.test_letters import Page, composed, plain

DAY = date(2027, 3, 10)


def agreed(*formats: str, **more: object) -> Adjustment:
    return Adjustment.model_validate({"need": "As agreed.", "formats": formats, **more})


def made(*formats: str, case: Case | None = None, own: Path | None = None, **more: object):  # type: ignore[no-untyped-def]  # a Made
    letter = composed(case or a_restricted_mmo_case(), "decision")
    return make(letter, policy=letter.reference.split("/")[0], forms=Forms.model_validate({"formats": formats, **more}), own=own)


def test_each_form_is_made_beside_the_standard_letter_which_stays_the_same():
    """EH-110: the standard letter is the record of what was told, whatever goes."""
    standard = made()

    for form in set(FORMATS) - {"translation"}:
        other = made(form)
        assert {ending: other.files[ending] for ending in STANDARD} == {ending: standard.files[ending] for ending in STANDARD}
    assert standard.going == {"pdf": "pdf", "html": "html", "txt": "txt"}
    assert standard.parcel == standard.files


@pytest.mark.parametrize(
    ("formats", "going"),
    [
        (("large-print",), {"pdf": "large.pdf", "html": "large.html", "txt": "txt"}),
        (("easy-read",), {"pdf": "easy.pdf", "html": "html", "txt": "txt"}),
        (("large-print", "easy-read"), {"pdf": "easy.pdf", "html": "large.html", "txt": "txt"}),
        (("plain-text",), {"txt": "txt"}),
        (("spoken",), {"pdf": "pdf", "html": "html", "txt": "txt"}),
    ],
)
def test_an_adjustment_says_which_files_go(formats: tuple[str, ...], going: dict[str, str]):
    """EH-110: large print instead of small, text instead of a page; a script goes to nobody, staff read it out."""
    letter = made(*formats)

    assert letter.going == going
    assert letter.parcel == {kind: letter.files[ending] for kind, ending in going.items()}
    assert set(letter.for_staff) == ({"script.txt"} if "spoken" in formats else set())


def test_a_letter_by_post_ignores_what_only_an_email_can_be():
    """EH-110: plain text is a form of email; paper goes as paper."""
    assert made("plain-text", case=a_restricted_portsmouth_case()).going["pdf"] == "pdf"


def test_a_script_is_read_line_by_line_and_says_what_to_do_before_and_after():
    """EH-110: everything that the letter says, one sentence a line; nothing that makes sense on paper only."""
    script = made("spoken").files["script.txt"].decode()

    assert "Ask for Casey Sample. Go on only when you are sure that it is this person." in script
    assert "\nThe last day is Wednesday 24 March 2027.\n" in script
    assert "record_notification" in script
    for words in ("top of this letter", "Yours sincerely", "Dear ", "**", "###"):
        assert words not in script


WELSH = """{% set subject = "Ein penderfyniad" %}
Annwyl {{ name }}

## Ein penderfyniad am eich cyswllt â ni

{{ parts.reasons.text }}

Y diwrnod olaf: **{{ parts.appeal.closes }}**. Ŵyn, ŷd.
"""


@pytest.fixture
def welsh(tmp_path: Path) -> Path:
    file = tmp_path / "mmo" / "languages" / "cy" / "decision.md"
    file.parent.mkdir(parents=True)
    file.write_text(WELSH, encoding="utf-8")
    wording.cache_clear()
    return tmp_path


@pytest.mark.parametrize("alone", [False, True])
def test_a_body_s_own_translation_goes_with_the_letter_or_in_its_place(welsh: Path, alone: bool):
    """EH-110: a text that the body supplies, with the letter's own facts; the standard letter follows it unless it was agreed otherwise."""
    letter = made("translation", language="cy", translation_alone=alone, own=welsh)
    page, text = Page(letter.parcel["html"].decode()), letter.parcel["txt"].decode()

    assert letter.going == {"pdf": "cy.pdf", "html": "cy.html", "txt": "cy.txt"}
    for words in (page.text, plain(text)):
        assert "Annwyl Casey Sample" in words
        assert "Y diwrnod olaf: Wednesday 24 March 2027. Ŵyn, ŷd." in words
        assert ("Our decision about your contact with us" in words) == (not alone)
    assert (("html" if alone else "div"), "lang", "cy") in page.attributes
    with pikepdf.open(io.BytesIO(letter.parcel["pdf"])) as document:
        languages = [str(one["/Lang"]) for one in document.objects if isinstance(one, pikepdf.Dictionary) and "/Lang" in one]
        content = b" ".join(page.Contents.read_bytes() for page in document.pages)
        spoken = [*languages, *map(str, re.findall(rb"/Lang ?\(([\w-]+)\)", content))]
        assert str(document.Root["/Lang"]) == ("cy-GB" if alone else "en-GB")
        assert any("cy-GB" in one for one in spoken), "a reader by ear changes its voice"


NUMERALS = WELSH.replace("{{ parts.appeal.closes }}", "{{ parts.appeal.closes | numerals }}")


def test_a_translation_may_print_its_dates_as_numerals(welsh: Path):
    """EH-110: nothing of ours is translated, and a date in numerals needs no translation."""
    (welsh / "mmo" / "languages" / "cy" / "decision.md").write_text(NUMERALS, encoding="utf-8")
    wording.cache_clear()

    text = made("translation", language="cy", translation_alone=True, own=welsh).parcel["txt"].decode()

    assert "Y diwrnod olaf: 24/03/2027. Ŵyn, ŷd." in plain(text) and "Wednesday" not in text


@pytest.mark.parametrize(
    "own", ["25/03/2027", "2027-03-25", "25 Mawrth 2027", "25 de marzo de 2027", "Thursday 25 March 2027", "99/99/2027"]
)
def test_a_translation_that_prints_a_day_of_its_own_is_stopped(welsh: Path, own: str):
    """A text that kept a day from the letter it was written for: the customer would be told a wrong last day."""
    (welsh / "mmo" / "languages" / "cy" / "decision.md").write_text(WELSH + f"\nNeu {own}.\n", encoding="utf-8")
    wording.cache_clear()

    with pytest.raises(
        Unprintable, match=rf"decision: languages/cy/decision\.md prints a date of its own: .*{own.removeprefix('Thursday ')}"
    ):
        made("translation", language="cy", own=welsh)


@pytest.mark.parametrize("given", ["24/03/2027", "24 Mawrth 2027", "24 o Fawrth 2027", "24 de marzo de 2027", "24.03.2027"])
def test_a_translation_may_word_a_day_that_the_letter_gives(welsh: Path, given: str):
    (welsh / "mmo" / "languages" / "cy" / "decision.md").write_text(WELSH + f"\nNeu {given}.\n", encoding="utf-8")
    wording.cache_clear()

    assert given in plain(made("translation", language="cy", own=welsh).parcel["txt"].decode())


def test_a_translation_that_nobody_supplied_stops_the_letter_and_says_where_it_goes():
    """EH-110: a letter that its customer cannot read is not sent in silence."""
    with pytest.raises(Unprintable, match=r"a translation into pl is agreed and there is none: put it at .*mmo/languages/pl/decision\.md"):
        made("translation", language="pl")


# What may not defeat an agreed form

TO_LETTERS = ChannelRestriction(type="channel-restriction", channels=("letter",), address="1 Sample Square", manner="By post.")


@pytest.mark.parametrize(("form", "ways"), [("spoken", "in-person or telephone"), ("plain-text", "email")])
def test_a_restriction_that_shuts_the_way_of_an_agreed_form_is_refused(form: str, ways: str):
    """DEF-15: a requirement of one channel gives way to an agreed adjustment."""
    with pytest.raises(Refusal, match=f"{form} needs {ways}") as refused:
        leaves_adjustment(TO_LETTERS, agreed(form))

    assert refused.value.cites == ("DEF-15", "EH-110")


def test_the_rule_is_asked_when_a_sanction_is_imposed():
    """MMO-33: emails to one address only would leave nobody to read the letters out to."""
    email = {"type": "channel-restriction", "channels": ["email"], "address": "info@marinemanagement.org.uk"}
    impose = ImposeSanction.model_validate({"restrictions": [email], "reasons": REASONS, "findings": MMO_GROUNDS})
    spoken, large = (
        a_continued_mmo_case(customer=CASEY.model_copy(update={"adjustments": (agreed(form),)})) for form in ("spoken", "large-print")
    )

    with pytest.raises(Refusal, match="spoken needs in-person or telephone"):
        after(spoken, (impose, mmo("manager"), DAY))
    assert after(large, (impose, mmo("manager"), DAY)).in_force


@pytest.mark.parametrize("form", ["large-print", "easy-read", "translation"])
def test_a_restriction_to_letters_leaves_what_is_printed(form: str):
    """DEF-15: large print, easy read and a translation are letters."""
    leaves_adjustment(TO_LETTERS, agreed(form))


def test_an_adjustment_agreed_later_is_recorded_and_says_what_has_to_give_way():
    """DEF-15: the need comes before the restriction; nobody is told that they may not have it."""
    restricted: tuple[Restriction, ...] = (ChannelRestriction(type="channel-restriction", channels=("letter",)),)
    case = a_restricted_portsmouth_case()
    sanction = case.sanctions[0]
    case = case.model_copy(
        update={"sanctions": (sanction.model_copy(update={"terms": sanction.terms.model_copy(update={"restrictions": restricted})}),)}
    )
    decision = decide(
        case,
        AddAdjustment(adjustment=agreed("spoken")),
        actor=portsmouth("officer"),
        policy=PORTSMOUTH,
        calendar=ENGLAND,
        today=DAY.replace(month=4),
    )

    assert decision.case.customer.adjustments[-1].formats == ("spoken",)
    assert "s1 leaves no way for it and has to give way" in decision.answer


def test_a_form_that_the_customer_s_own_channel_defeats_is_refused():
    """EH-110: plain text is a form of email, and needs an email address; so it is with the first act of a case."""
    with pytest.raises(Refusal, match="this customer is written to by letter"):
        after(a_restricted_portsmouth_case(), (AddAdjustment(adjustment=agreed("plain-text")), portsmouth("officer"), date(2027, 4, 1)))
    opening = OpenCase(body="portsmouth", customer=Customer(name="A", channel="letter", adjustments=(agreed("plain-text"),)))
    with pytest.raises(Refusal, match="this customer is written to by letter"):
        open_case(opening, id="x", edition="e", keep_years=6, actor=portsmouth("officer"), policy=PORTSMOUTH, today=DAY)


@pytest.mark.parametrize("wrong", [agreed("translation"), agreed("large-print", language="cy")])
def test_a_translation_names_its_language_and_nothing_else_does(wrong: Adjustment):
    """EH-110: a form without its language could not be made."""
    with pytest.raises(Refusal, match="A translation names its language"):
        after(a_restricted_mmo_case(), (AddAdjustment(adjustment=wrong), mmo("officer"), DAY))


def test_the_forms_of_all_adjustments_count_together():
    """DEF-15: one adjustment does not undo another."""
    customer = CASEY.model_copy(
        update={"adjustments": (agreed("large-print"), Adjustment(need="Calls"), agreed("translation", language="cy"))}
    )

    assert forms_of(customer) == Forms(formats=("large-print", "translation"), language="cy")


# Read out


def test_a_letter_that_is_to_be_read_out_is_a_task_until_somebody_did():
    """DEF-15, EH-110: a script in a drawer tells nobody; until it is read out nothing binds and no time runs, whatever went by post."""
    warned, again = date(2027, 2, 2), ReportBehaviour(code="excessive-contact", medium="email", summary="Thirty-one more emails.")
    case = a_warned_mmo_case(customer=CASEY.model_copy(update={"adjustments": (agreed("spoken"),)}))
    read = (RecordNotification(saw="n1", method="telephone"), mmo("officer"), warned)
    case = after(case, read, (again, mmo("officer"), date(2027, 2, 19)))
    impose = ImposeSanction(restrictions=a_restricted_mmo_case().sanctions[0].terms.restrictions, reasons=REASONS, findings=MMO_GROUNDS)
    case = sent(after(case, (impose, mmo("manager"), DAY)), "n2", on=DAY)
    later = date(2027, 3, 12)
    owed = [one.what for one in tasks(case, MMO, ENGLAND, today=later) if one.kind == "letter"]
    kinds = {one.kind for one in all_deadlines(case, MMO, ENGLAND)}
    assert notified_on(case, "n2") is None and "letter-overdue" in kinds and "appeal-closes" not in kinds
    assert "not_yet_notified" in flags(case, MMO, ENGLAND, today=later)
    read = after(case, (RecordNotification(saw="n2", method="telephone"), mmo("officer"), later))

    assert any("Read the letter n2 (decision) out" in what for what in owed)
    assert not any("n2" in one.what for one in tasks(read, MMO, ENGLAND, today=later) if one.kind == "letter")
    assert notified_on(read, "n2") == reached_on(read, "n2") == later and read.notice("n2").sent_on == DAY  # type: ignore[union-attr]
    [closes] = [one.reckoned.date for one in all_deadlines(read, MMO, ENGLAND) if one.kind == "appeal-closes"]
    assert closes == later + timedelta(days=14)


# An address that is wrong is mended, and the letter goes


def test_a_letter_stopped_for_its_address_goes_once_the_address_is_mended():
    """EH-111: blocked, mended, issued again; the second issue says that it takes the place of an earlier one (EH-112)."""
    case = a_restricted_portsmouth_case()
    case = case.model_copy(
        update={"notices": (case.notices[0], case.notices[1].model_copy(update={"status": "blocked", "problem": "The address."}))}
    )
    with pytest.raises(Refusal, match="neither a UK postcode nor a country"):
        after(case, (CorrectAddress(address="1 Example Street, Sampletown, ZZ99"), portsmouth("officer"), date(2027, 3, 12)))

    mended = after(
        case,
        (CorrectAddress(address="7 Example Street, Sampletown ZZ99 9ZZ"), portsmouth("officer"), date(2027, 3, 12)),
        (IssueNotice(saw="n2"), portsmouth("assistant"), date(2027, 3, 15)),
    )

    text = plain(made(case=mended).files["txt"].decode())
    assert "7 Example Street" in text
    assert "this letter takes its place. The dates in this letter are the ones that count." in text
    assert "takes its place" not in plain(made().files["txt"].decode())


def test_a_customer_moves_from_paper_to_email():
    """EH-111: where the address is an email address the channel is said with it."""
    case = after(
        a_restricted_portsmouth_case(customer=ALEX),
        (CorrectAddress(address="alex.sample@example.org", channel="email"), portsmouth("officer"), date(2027, 4, 1)),
    )

    assert (case.customer.channel, case.customer.address) == ("email", "alex.sample@example.org")
