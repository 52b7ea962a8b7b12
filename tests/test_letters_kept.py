"""Letters as they were sent: the very bytes, never made again; what was changed is not given out; an earlier release's are marked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from activities.carriers.outbox import file_of
from records.database import reading, transaction
from records.store import read_case
from records.tables import LetterFileRow, LetterRow
from starter.bundle import gathered, whole
from starter.dossier_sheets import path_of
from starter.letters_kept import Changed, Form, KeptFile, KeptLetter, NoLetter, file_as_sent, files_as_sent, kept_letters
from tests.engine import evenhand
from tests.handed_over import CASE, MANAGER, RECORDS, Records, message

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Records that no test changes."""
    return Records(tmp_path_factory.mktemp("records")).restricted()


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path).restricted()


def as_sent(records: Records, name: str, form: Form) -> KeptFile:
    with reading(records.engine) as session:
        case = read_case(session, CASE)
        assert case
        return file_as_sent(session, case, name, form, outbox=records.outbox)


def listed(records: Records) -> tuple[KeptLetter, ...]:
    with reading(records.engine) as session:
        case = read_case(session, CASE)
        assert case
        return kept_letters(session, case, outbox=records.outbox)


def of_an_earlier_release(records: Records) -> None:
    """Leave what an earlier release left: a page and a text in the outbox, the page's hash in the index, and no bytes in the records."""
    with transaction(records.engine) as session:
        for file in session.exec(select(LetterFileRow)).all():
            session.delete(file)
        for row in session.exec(select(LetterRow)).all():
            page = file_of(records.outbox, CASE, row.notice, "html")
            file_of(records.outbox, CASE, row.notice, "pdf").unlink()
            row.file, row.sha256, row.template = str(page), hashlib.sha256(page.read_bytes()).hexdigest(), "1"
            session.add(row)


@pytest.mark.parametrize("form", ["pdf", "html", "txt"])
def test_a_letter_comes_back_as_the_carrier_got_it(shared: Records, form: Form):
    found = as_sent(shared, "n2", form)

    assert found.content == file_of(shared.outbox, CASE, "n2", form).read_bytes()
    assert found.sha256 == found.recorded == hashlib.sha256(found.content).hexdigest()


def test_what_a_letter_was_made_from_is_kept_beside_it(shared: Records):
    kept = json.loads(as_sent(shared, "n2", "json").content)

    assert kept["facts"]["kind"] == "decision" and kept["edition"] == next(one for one in listed(shared) if one.notice == "n2").edition


def test_letters_are_listed_in_their_order_with_their_hashes(shared: Records):
    rows = listed(shared)

    assert [(one.notice, one.kind, one.kept) for one in rows] == [
        ("n1", "warning", "records"),
        ("n2", "decision", "records"),
        ("n3", "appeal-acknowledged", "records"),
    ]
    for one in rows:
        assert one.sent_at and one.forms == ("pdf", "html", "txt", "json")
        assert one.sha256 == hashlib.sha256(as_sent(shared, one.notice, "pdf").content).hexdigest()


def test_every_form_that_was_made_is_listed_and_given(records: Records, tmp_path: Path):
    """EH-110: large print went in place of the standard letter; it and the script are kept, shown and in the bundle, to the byte."""
    agreed = {"need": "Reads large print.", "formats": ["large-print", "spoken"]}
    records.tell(message("f1", "add_adjustment", adjustment=agreed), date(2027, 3, 21))
    records.tell(message("f2", "decide_appeal", by="robin-brown", saw="a1", outcome="uphold", reasons="It was right."), date(2027, 3, 22))

    last = listed(records)[-1]
    out = tmp_path / "n4.pdf"
    shown = evenhand("letter", "show", CASE, "n4", "--format", "large.pdf", "--out", str(out), env={"EVENHAND_VAR": str(records.folder)})
    none = evenhand("letter", "show", CASE, "n2", "--format", "large.pdf", "--out", str(out), env={"EVENHAND_VAR": str(records.folder)})

    assert last.forms == ("pdf", "html", "txt", "large.html", "large.pdf", "script.txt", "json")
    went = file_of(records.outbox, CASE, "n4").read_bytes()
    assert shown.returncode == DONE and out.read_bytes() == went, "large print lies in the outbox as the letter"
    assert none.returncode == UNKNOWN and "not kept as large.pdf. Kept: pdf, html, txt, json" in none.stderr
    with reading(records.engine) as session:
        for audience in ("ombudsman", "subject-access"):
            found = gathered(session, CASE, audience, outbox=records.outbox)
            files = {path_of(file): file.content for _, file in found.letters}
            assert files["letters/n4.large.pdf"] == went and "letters/n4.script.txt" in files
            assert ("letters/n4.json" in files) == (audience == "ombudsman")
        assert verified(whole(gathered(session, CASE, "ombudsman", outbox=records.outbox)).content, tmp_path) == 0


def verified(content: bytes, folder: Path) -> int:
    """Returns what the verifier that a bundle carries says of it."""
    (folder / "b.zip").write_bytes(content)
    with zipfile.ZipFile(folder / "b.zip") as file:
        file.extract("verify.py", folder)
    return subprocess.run([sys.executable, "-I", str(folder / "verify.py"), str(folder / "b.zip")], capture_output=True).returncode


@pytest.mark.parametrize("form", ["pdf", "html", "txt", "json"])
def test_a_letter_whose_bytes_were_changed_is_not_given_out(records: Records, form: Form):
    with transaction(records.engine) as session:
        row = session.get(LetterFileRow, (CASE, "n2", form))
        assert row
        row.content = row.content + b" "
        session.add(row)

    with pytest.raises(Changed, match="was changed"):
        as_sent(records, "n2", form)


def test_bytes_and_their_hash_changed_together_are_found_out_by_the_index(records: Records):
    """The hash of the PDF stands in the index besides, written when the letter went."""
    with transaction(records.engine) as session:
        row = session.get(LetterFileRow, (CASE, "n2", "pdf"))
        assert row
        row.content = b"%PDF another"
        row.sha256 = hashlib.sha256(row.content).hexdigest()
        session.add(row)

    with pytest.raises(Changed):
        as_sent(records, "n2", "pdf")


def test_letters_of_an_earlier_release_come_from_the_outbox_and_are_marked(records: Records):
    page = file_of(records.outbox, CASE, "n2", "html").read_bytes()
    of_an_earlier_release(records)

    old = next(one for one in listed(records) if one.notice == "n2")
    found, text = as_sent(records, "n2", "html"), as_sent(records, "n2", "txt")

    assert (old.kept, old.forms, old.template) == ("outbox", ("html", "txt"), "1")
    assert found.content == page and found.recorded == found.sha256
    assert text.recorded is None, "no hash of the text was written down then"
    with pytest.raises(NoLetter, match="not kept as pdf"):
        as_sent(records, "n2", "pdf")


def test_an_earlier_release_s_letter_that_was_changed_in_the_outbox_is_not_given_out(records: Records):
    of_an_earlier_release(records)
    file_of(records.outbox, CASE, "n2", "html").write_text("<p>Everything is lifted.</p>", encoding="utf-8")

    with pytest.raises(Changed):
        as_sent(records, "n2", "html")


def test_a_letter_that_went_and_is_nowhere_stops_a_bundle(records: Records):
    of_an_earlier_release(records)
    for form in ("html", "txt"):
        file_of(records.outbox, CASE, "n2", form).unlink()

    with reading(records.engine) as session, pytest.raises(NoLetter, match="n2 went on 2027-03-10"):
        case = read_case(session, CASE)
        assert case
        list(files_as_sent(session, case, outbox=records.outbox))


@pytest.mark.parametrize("name", ["", ".", "..", "../n1", "n1/../../n2", "/etc/passwd", "n1.html", "n1\0", "n9", "ｎ1"])
def test_a_name_that_is_no_letter_names_no_file(shared: Records, name: str):
    with pytest.raises(NoLetter):
        as_sent(shared, name, "html")


# At the command line


@pytest.fixture(scope="module")
def env(shared: Records) -> dict[str, str]:
    return {"EVENHAND_VAR": str(shared.folder)}


def test_the_command_line_lists_and_gives_letters(env: dict[str, str], shared: Records, tmp_path: Path):
    rows = json.loads(evenhand("letter", "list", CASE, "--json", env=env).stdout)
    told = evenhand("letter", "list", CASE, env=env).stdout
    pdf = tmp_path / "n2.pdf"
    done = evenhand("letter", "show", CASE, "n2", "--out", str(pdf), env=env)
    facts = json.loads(evenhand("letter", "show", CASE, "n2", "--out", str(pdf), "--json", env=env).stdout)
    text = evenhand("letter", "show", CASE, "n2", "--format", "txt", env=env)

    assert [one["notice"] for one in rows] == ["n1", "n2", "n3"] and rows[1]["sha256"][:20] in told
    assert (done.returncode, done.stdout) == (DONE, "")
    sha256 = hashlib.sha256(pdf.read_bytes()).hexdigest()
    assert sha256 == rows[1]["sha256"] == facts["sha256"] and sha256 in done.stderr
    assert text.stdout == file_of(shared.outbox, CASE, "n2", "txt").read_text(encoding="utf-8") and "sha256" in text.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", CASE, "n9"), UNKNOWN),
        (("show", "mmo/none", "n1"), UNKNOWN),
        (("list", "mmo/none"), UNKNOWN),
        (("show", CASE, "n1", "--format", "doc"), UNKNOWN),
        (("show", CASE, "n1", "--json"), MISUNDERSTOOD),
        (("show", CASE, "n1", "--out", "/no/such/folder/n1.pdf"), MISUNDERSTOOD),
        (("show", CASE, "../n1"), UNKNOWN),
    ],
)
def test_what_cannot_be_given_says_so(env: dict[str, str], words: tuple[str, ...], code: int):
    done = evenhand("letter", *words, env=env)

    assert done.returncode == code and done.stderr.strip() and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_after_the_papers_are_destroyed_no_letter_is_given(tmp_path: Path):
    """DEF-19: destroyed is destroyed."""
    records = Records(tmp_path)
    opening = message("o", "open_case", body="mmo", customer={"name": "Casey Sample", "channel": "email", "address": "c@example.org"})
    records.tell(opening, date(2027, 2, 1))
    records.tell(message("w", "withdraw", reasons="Nothing in it."), date(2027, 2, 2))
    for n, by in enumerate((RECORDS, MANAGER)):
        records.tell(message(f"s{n}", "sign_destruction", by=by), date(2034, 2, 3))
    records.tell(message("x", "destroy_papers", by=RECORDS), date(2034, 2, 3))

    done = evenhand("letter", "list", CASE, env={"EVENHAND_VAR": str(tmp_path)})

    assert done.returncode == UNKNOWN and "were destroyed on 2034-02-03" in done.stderr
