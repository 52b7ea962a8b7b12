# lists of hostile values
"""Thousands of hostile messages through the pure core, and what comes out of cases full of hostile words, looked at file by file."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from datetime import date

import icalendar
import openpyxl
import pypdfium2
import pytest

from domain.clocks import next_deadline
from domain.decide import decide
from domain.decision import Refusal
from domain.message import read_command, read_message
from domain.people import CUSTOMER, Actor
from domain.tasks import tasks
from records.audit import verify
from records.database import reading
from starter.bundle import gathered, whole, zipped
from starter.feed import calendar_text, dates_of_body
from starter.register import exported
from starter.show import as_json, complain, out, table
from starter.spreadsheet import csv_bytes, workbook_bytes
from starter.timeline import picture_of
from tests.handed_over import CASE, LIMIT, MANAGER, OFFICER, REVIEWER, Records, message
from tests.hostile import CORE, DOORS, MARK, PAYLOADS, POSTGRES, SQLITE, TEXTS, TIMES, Hostile
from tests.hostile import STARTS as BEGUN
from tests.stories import ENGLAND
from tests.test_letters import Page
from tests.test_properties import STARTS

TODAY = date(2027, 3, 25)
OBEYED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FORMULA = re.compile(r"^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def test_eight_thousand_messages_are_answered_by_the_rules_or_refused_in_words():
    """Every policy, every command: a new case that holds together, or a refusal; never an exception of another kind."""
    cases = [(policy, staff, start()) for policy, staff, starts in STARTS.values() for start in starts]
    results: Counter[str] = Counter()
    for n in range(CORE):
        policy, staff, case = cases[n % len(cases)]
        hostile = Hostile(n)
        given = hostile.message(n, by=("x",))
        person = hostile.chance.choice(staff.people)
        who = CUSTOMER if n % 9 == 0 else Actor(origin="staff", person=person, staff=staff)
        try:
            command = read_command(read_message(given))
            decision = decide(case, command, actor=who, policy=policy, calendar=ENGLAND, today=TODAY)
        except Refusal as refusal:
            assert refusal.reason and len(refusal.reason) < 6_000
            assert "Traceback" not in refusal.reason
            results[refusal.kind] += 1
            continue
        results["accepted"] += 1
        tasks(decision.case, policy, ENGLAND, today=TODAY)
        next_deadline(decision.case, policy, ENGLAND)
        for entry in decision.entries:
            assert MARK not in entry.what, "a log line quotes nobody"
    print(f"{CORE} messages: {dict(results)}")

    assert sum(results.values()) == CORE and results["accepted"] > CORE * 0.05 and results["malformed"] > CORE * 0.1


def test_ten_thousand_messages_are_tried_in_all():
    """Each of these numbers is asserted where it is used."""
    assert CORE + SQLITE + POSTGRES + DOORS + PAYLOADS + BEGUN >= 10_000


# What comes out

WORDS = tuple(sorted({Hostile(seed).sayable() for seed in range(40 * TIMES)}))
SAID = " ".join(one for one in TEXTS if 1 < len(one) < 120 and one.isprintable())
"""All hostile texts that are of visible signs alone, in one."""


@pytest.fixture(scope="module", params=range(2))
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Gives the records of a restricted case whose every text is hostile."""
    first = f"=cmd|' /C calc'!A0 {MARK}" if request.param else f"<script>{MARK}</script>\u202e\u2066\x9b31m"
    one, two = SAID[:1500], "\n".join(WORDS)[:6000]
    records = Records(tmp_path_factory.mktemp("hostile"))
    customer = {
        "name": f"{first} {SAID[:120]}",
        "channel": "email",
        "address": "casey@sample.example",
        "also_reached_at": ["+44 1632 960001"],
    }
    grounds = {"own-merits": two[:900], "proportionality-nature": one, "proportionality-frequency": first}
    for sent, day in (
        (message("o", "open_case", body="mmo", customer=customer, area="licensing", contact_officer=OFFICER), date(2027, 2, 1)),
        (message("2", "report_behaviour", code="excessive-contact", medium="email", summary=f"{first} {two}"), date(2027, 2, 1)),
        (message("3", "warn", medium="email", findings={"concerns": f"{first} {one}", "policy-copy-directed": True}), date(2027, 2, 1)),
        (message("4", "report_behaviour", code="excessive-contact", medium="email", summary=one), date(2027, 2, 19)),
        (message("5", "consult", by=MANAGER, person=REVIEWER, about="decision", view=two), date(2027, 3, 9)),
        (message("6", "impose_sanction", by=MANAGER, restrictions=[LIMIT], reasons=f"{first} {two}", findings=grounds), date(2027, 3, 10)),
        (message("7", "appeal", by="customer", on=date(2027, 3, 19), medium="email", grounds=f"{first} {one}"), date(2027, 3, 20)),
    ):
        records.tell(sent, day)
    return records


def test_letters_of_it_hold_words_only(full: Records):
    """Text, page and paper: nothing that a reader's program would obey, and file names of ours alone."""
    files = [file for file in full.outbox.rglob("*") if file.is_file()]
    assert len(files) >= 4 and all(
        re.fullmatch(r"[A-Za-z0-9%._-]+", part) for file in files for part in file.relative_to(full.outbox).parts
    )
    looked = Counter(file.suffix for file in files)
    for file in files:
        content = file.read_bytes()
        match file.suffix:
            case ".txt":
                assert not OBEYED.search(content.decode()), file
            case ".html":
                page = Page(content.decode())
                assert not OBEYED.search(content.decode()) and not {"script", "img", "a", "svg", "link", "iframe"} & set(page.tags), file
                assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("href", "src")]
            case ".pdf":
                said = "\n".join(one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(content))
                assert MARK in said and not re.search(r"[\x00-\x08\x0e-\x1f\u202a-\u202e\u2066-\u2069]", said.replace("\x02", "")), file
                assert not any(mark in content for mark in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/OpenAction")), file
    assert looked[".pdf"] and looked[".html"] and looked[".txt"], looked


def test_the_picture_of_it_is_an_image_and_nothing_else(full: Records):
    _, svg = picture_of(full.engine, CASE, today=TODAY)
    names = {one.tag.rpartition("}")[2] for one in ET.fromstring(svg).iter()}

    assert not names & {"script", "foreignObject", "image", "use", "a", "iframe", "style"} - {"style"}, names
    assert not [key for one in ET.fromstring(svg).iter() for key in one.attrib if key.lower().startswith("on") or key.endswith("href")]
    assert not OBEYED.search(svg)


def test_a_calendar_of_it_has_the_lines_of_a_calendar(full: Records):
    with reading(full.engine) as session:
        text = calendar_text(dates_of_body(session, "mmo"), name=f"x\r\nX-EVIL:1 {SAID[:60]}").decode()
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")

    assert events and MARK not in "".join(str(one["summary"]) for one in events)
    assert not re.search(r"^X-EVIL", text, re.MULTILINE) and text.count("BEGIN:VCALENDAR") == 1
    assert not OBEYED.search(text)


def test_the_register_of_it_runs_nothing_in_a_spreadsheet(full: Records):
    """No cell begins with what a spreadsheet would take for a formula; a workbook's cells are text, days and numbers."""
    with reading(full.engine) as session:
        header, rows = exported(session, "mmo", today=TODAY)
    content = csv_bytes(header, rows, bom=False).decode()
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert any(MARK in cell for cell in cells) and not [cell for cell in cells if FORMULA.match(cell)]
    assert not OBEYED.search(content)
    book, _ = workbook_bytes("Register", header, rows)
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert sheet is not None and not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink]


def test_a_bundle_of_it_holds_files_of_our_own_names_and_nothing_that_runs(full: Records):
    with reading(full.engine) as session:
        found = gathered(session, CASE, "ombudsman", outbox=full.outbox)
        bundle, seen = whole(found), 0
        with zipfile.ZipFile(io.BytesIO(zipped(bundle.files))) as archive:
            for name in archive.namelist():
                assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9%._/-]*", name) and ".." not in name, name
                content = archive.read(name)
                if name.endswith(".csv"):
                    cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
                    assert not [cell for cell in cells if FORMULA.match(cell)], name
                kept_as_it_was = name == "log.jsonl" or (name.startswith("letters/") and name.endswith(".json"))  # checked by hashes
                if name.endswith((".csv", ".txt", ".md", ".json", ".svg", ".html")) and not kept_as_it_was:
                    assert not OBEYED.search(content.decode("utf-8-sig")), name
                    seen += 1
    assert seen > 3


def test_what_somebody_wrote_is_kept_as_it_was_and_every_chain_holds(full: Records):
    with reading(full.engine) as session:
        assert verify(session) == ()


def test_whatever_is_printed_holds_no_sign_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]):
    """As JSON, which comes back as it was; as a table; as a line; as an error."""
    texts = [*TEXTS, *(Hostile(seed).text() for seed in range(100))]
    as_json(texts)
    printed = capsys.readouterr().out
    assert not OBEYED.search(printed) and json.loads(printed) == texts
    for one in texts:
        table(("text", "again"), [(one, one)])
        out.print(one, markup=False)
        complain(one)
    said = "".join(capsys.readouterr())
    assert MARK in said and not OBEYED.search(said)
