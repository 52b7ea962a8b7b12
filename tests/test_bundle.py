"""One case as one zip: the same bytes each time, checked by a file that needs nothing of ours; the customer's copy without other people."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import Engine, text

from activities.bodies import Body, save_body
from domain.days import in_words
from policies.load import Unreadable
from records.database import reading, transaction
from records.log import log_of
from records.vault import CaseVault
from starter.bundle import Bundle, Gathered, for_the_customer, gathered, proposed, whole, zipped
from starter.clock import today
from starter.dossier import Audience, NoDossier, shown
from starter.letters_kept import NoLetter
from starter.redaction import Cut, NotReviewed, ReviewList, read_list, written
from tests.engine import MANAGER as ENGINE_MANAGER
from tests.engine import OFFICER as ENGINE_OFFICER
from tests.engine import Office, evenhand, office, server
from tests.handed_over import (
    APPEAL,
    CASE,
    GROUNDS,
    MANAGER,
    NEIGHBOUR,
    OFFICER,
    REASONS,
    RECORDS,
    STAFF,
    SUMMARY,
    VIEW,
    Records,
    message,
)
from tests.signing import SIGNER, key_file_in
from tests.stories import NATURAL_ENGLAND_STAFF

__all__ = ["office", "server"]

DONE, REFUSED, MISUNDERSTOOD, UNREACHED, UNKNOWN = 0, 1, 2, 3, 4
SIGNED: dict[str, Any] = {"reviewed_by": MANAGER, "reviewed_on": date(2027, 3, 22)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """Records that no test changes."""
    return Records(tmp_path_factory.mktemp("records")).restricted()


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path).restricted()


def found(records: Records, audience: Audience = "ombudsman") -> Gathered:
    with reading(records.engine) as session:
        return gathered(session, CASE, audience, outbox=records.outbox)


def of_the_customer(records: Records) -> tuple[Gathered, ReviewList]:
    """Returns what a bundle for the customer is made of, and its proposal signed as it is."""
    everything = found(records, "subject-access")
    return everything, proposed(everything).model_copy(update=SIGNED)


@pytest.fixture(scope="module")
def entire(shared: Records) -> Bundle:
    return whole(found(shared))


@pytest.fixture(scope="module")
def redacted(shared: Records) -> Bundle:
    return for_the_customer(*of_the_customer(shared))


def printed(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def readable(bundle: Bundle) -> dict[str, str]:
    """Returns every file of a bundle but its letters, as text."""
    texts = {name: content.decode() for name, content in bundle.files.items() if not name.startswith("letters/") and name[-3:] != "pdf"}
    return {**texts, "chronology.pdf": printed(bundle.files["chronology.pdf"])}


# The same case, the same bytes


def test_the_same_case_gives_the_same_bundle_to_the_byte(shared: Records, entire: Bundle):
    again = whole(found(shared))

    assert again.content == entire.content and again.sha256 == hashlib.sha256(entire.content).hexdigest()


def test_a_bundle_that_was_recorded_is_made_again_the_same_and_the_next_act_ends_that(records: Records):
    """EH-101: that a bundle was made is on the case's log; it changes nothing of what the bundle tells."""
    first = whole(found(records))
    for n in (1, 2):
        with_ = {"audience": "ombudsman", "sha256": first.sha256}
        records.tell(message(f"d{n}", "record_disclosure", by=MANAGER, **with_), date(2027, 4, n))
    assert whole(found(records)).content == first.content

    records.tell(message("m8", "report_behaviour", code="excessive-contact", medium="email", summary="More."), date(2027, 4, 3))
    later = whole(found(records))
    lines = [json.loads(line) for line in later.files["log.jsonl"].decode().splitlines()]

    assert later.content != first.content
    assert [line["command"] for line in lines[-3:]] == ["record_disclosure", "record_disclosure", "report_behaviour"]
    assert first.sha256 in later.files["chronology.csv"].decode()


@pytest.mark.parametrize("engine", ["postgres"])
def test_postgres_gives_the_same_bundle_as_sqlite(tmp_path: Path, entire: Bundle, engine: str, fresh_postgres_url: str):
    assert whole(found(Records(tmp_path, url=fresh_postgres_url).restricted())).files == entire.files


def test_the_zip_has_sorted_safe_names_and_one_time(entire: Bundle, redacted: Bundle):
    for bundle in (entire, redacted):
        with zipfile.ZipFile(io.BytesIO(bundle.content)) as file:
            infos = file.infolist()
            assert file.testzip() is None
        assert [one.filename for one in infos] == sorted(bundle.files)
        assert {(one.date_time, one.compress_type, one.external_attr >> 16) for one in infos} == {((1980, 1, 1, 0, 0, 0), 0, 0o644)}
        assert {
            "README.txt",
            "chronology.pdf",
            "chronology.csv",
            "decisions.csv",
            "sign-offs.csv",
            "evidence.csv",
            "dates.csv",
            "letters.csv",
            "log.jsonl",
            "manifest.json",
            "timeline.svg",
            "timeline.csv",
            "case.html",
            "verify.py",
        } <= set(bundle.files)


def test_the_ombudsman_sees_by_which_key_each_act_was_signed(entire: Bundle, redacted: Bundle):
    rows = rows_of(entire, "signed-acts.csv")

    assert [row["Command"] for row in rows] == [
        "open_case", "report_behaviour", "warn", "report_behaviour", "consult", "impose_sanction", "appeal",
    ]  # fmt: skip
    assert {(row["Key"], row["Service"]) for row in rows} == {(SIGNER.kid, "tests")}
    assert rows[0]["Signed"] == "2027-02-01 10:00:00 UTC"
    assert "signed-acts.csv" not in redacted.files


@pytest.mark.parametrize(
    "name", ["../x.txt", "/etc/x.txt", "letters/../x.txt", "a/b.txt", "letters/n1\\x.txt", ".x.txt", "x", "n1.txt\n", "C:x.txt"]
)
def test_a_name_that_could_leave_its_folder_is_never_zipped(name: str):
    with pytest.raises(ValueError, match="no name for a file"):
        zipped({name: b""})


def test_nothing_in_a_bundle_is_dated_by_the_day_it_is_made(entire: Bundle):
    manifest = json.loads(entire.files["manifest.json"])

    assert manifest["dated"] == "2027-03-20"
    assert "as it stood on 20 Mar 2027" in readable(entire)["chronology.pdf"]
    assert "20261126" not in entire.content.decode("latin-1") and b"CreationDate" not in entire.files["chronology.pdf"]


# What is in it


def test_letters_are_in_it_byte_for_byte(shared: Records, entire: Bundle, redacted: Bundle):
    for n in ("n1", "n2", "n3"):
        for form in ("pdf", "html", "txt"):
            sent = next((shared.outbox / "mmo%2F2027-0001").glob(f"{n}.{form}")).read_bytes()
            assert entire.files[f"letters/{n}.{form}"] == sent == redacted.files[f"letters/{n}.{form}"]
        assert f"letters/{n}.json" in entire.files and f"letters/{n}.json" not in redacted.files


def rows_of(bundle: Bundle, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bundle.files[name].decode("utf-8-sig"))))


def test_every_decision_stands_with_reasons_findings_signers_and_clauses(entire: Bundle):
    warning, decision = rows_of(entire, "decisions.csv")

    assert (warning["Decision"], warning["Rests on"]) == ("w1", "MMO-24, MMO-25")
    assert (decision["Decision"], decision["Day"], decision["Reasons"]) == ("s1", "2027-03-10", f"'{REASONS}")
    assert "MMO-32" in decision["Rests on"] and "Morgan Jones (morgan-jones), senior manager who decides" in decision["Decided by"]
    assert GROUNDS["proportionality-nature"] in decision["Findings"] and "max contacts: 1" in decision["What was decided"]


def test_chronology_evidence_dates_and_sign_offs_say_what_the_records_say(entire: Bundle, shared: Records):
    with reading(shared.engine) as session:
        accepted = [line for line in log_of(session, CASE) if line.result == "accepted"]
    chronology = rows_of(entire, "chronology.csv")
    assert [(row["Line"], row["What happened"]) for row in chronology] == [(str(one.n), one.what) for one in accepted]
    late = next(row for row in chronology if row["Who"] == "customer")
    assert (late["Day"], late["Entered"]) == ("2027-03-19", "2027-03-20")
    assert APPEAL in late["As it was entered"]
    assert {row["Evidence"] for row in rows_of(entire, "evidence.csv")} == {"i1", "i2", "c1", "a1"}
    window = next(row for row in rows_of(entire, "dates.csv") if row["Name"] == "appeal closes")
    assert (window["Date"], window["Rule"], window["Clauses"]) == ("2027-03-24", "2 weeks", "MMO-42")
    assert ("s1", "8") in {(row["About"], row["Grade"]) for row in rows_of(entire, "sign-offs.csv")}


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(entire: Bundle, redacted: Bundle):
    hostile = 0
    for bundle in (entire, redacted):
        for name in (name for name in bundle.files if name.endswith(".csv")):
            for row in csv.reader(io.StringIO(bundle.files[name].decode("utf-8-sig"))):
                assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") for cell in row if cell), (name, row)
                hostile += sum(cell.startswith("'=") for cell in row)
    assert hostile >= 2


# The PDF and the page


def test_the_chronology_opens_is_tagged_and_reads_in_order(entire: Bundle):
    """PDF/UA-1: the compiler stops at what breaks it; this reads back that it is claimed, tagged, titled and in order."""
    pdf = entire.files["chronology.pdf"]
    document = pypdfium2.PdfDocument(pdf)
    said = printed(pdf)

    assert b"pdfuaid:part" in pdf or b"<pdfuaid:part>1" in pdf
    assert b"/StructTreeRoot" in pdf and b"/MarkInfo" in pdf and b"/Alt" in pdf
    assert document.get_metadata_value("Title") == f"Case {CASE}: what happened and why"
    headings = (
        "what happened and why",
        "The picture",
        "The life of the case",
        "Decisions with their reasons",
        "Sign-offs",
        "Letters Decided",
        "Evidence What",
        "Dates explained",
        "Chronology Every",
        "Members of staff",
    )
    places = [said.index(one) for one in headings]
    assert places == sorted(places)
    assert "Page 1 of" in said


def test_hostile_words_are_printed_and_do_nothing(entire: Bundle):
    """A person's words are data in the layout, escaped on the page, and never markup, formula or control sign."""
    texts = readable(entire)
    for said in ("#import", '"/etc/passwd"', "<script>alert(1)</script>", "$x$", f"*{NEIGHBOUR}*"):
        assert said.replace(" ", "") in texts["chronology.pdf"].replace(" ", "").replace("\u200b", ""), said
    page = texts["case.html"]
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "</svg></table>" not in page
    assert page.count("<svg") == page.count("</svg>") == 1 and "Casey &lt;b&gt;Sample&lt;/b&gt;" in page
    for name, said in texts.items():
        if name != "log.jsonl":
            assert not set(said) & {"\u202e", "\u2066", "\x00", "\x1b"}, name
    assert "[U+202E]evil[U+2066]" in page


def test_what_no_reader_sees_is_shown_by_its_number():
    assert (
        shown("a\x00\x1b[31m\u202eb\r\nc\td\x85\u200e\ufeff\ud800")
        == "a[U+0000][U+001B][31m[U+202E]b\nc\td[U+0085][U+200E][U+FEFF][U+D800]"
    )


# The verifier, by itself


def verify(place: Path, *words: str) -> tuple[int, str]:
    """Run the verifier that a bundle carries, with no package and nothing of ours in reach."""
    done = subprocess.run([sys.executable, "-I", "-S", str(place), *words], capture_output=True, text=True, timeout=60, cwd="/")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def unpacked(bundle: Bundle, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as file:
        file.extractall(folder)
    return folder


def test_the_verifier_finds_a_whole_bundle_whole_packed_or_not(entire: Bundle, redacted: Bundle, tmp_path: Path):
    for n, (bundle, said) in enumerate(((entire, "11 checked by their own hash"), (redacted, "4 checked by their own hash"))):
        folder = unpacked(bundle, tmp_path / str(n))
        (tmp_path / f"{n}.zip").write_bytes(bundle.content)
        for words in ((), (str(folder),), (str(tmp_path / f"{n}.zip"),)):
            code, told = verify(folder / "verify.py", *words)
            assert code == 0 and "Everything holds." in told and said in told, told


def resigned(folder: Path) -> None:
    """Make the manifest fit the files again, as a forger would."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for one in manifest["files"]:
        one["sha256"] = hashlib.sha256((folder / one["name"]).read_bytes()).hexdigest()
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    whole = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    manifest["sha256"] = hashlib.sha256(whole.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def log_edited(folder: Path, edit: Any) -> None:
    file = folder / "log.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in edit(lines)), encoding="utf-8")
    resigned(folder)


def _reworded(lines: list[Any]) -> list[Any]:
    lines[4]["what"] = "Nothing happened."
    return lines


def _graded(lines: list[Any]) -> list[Any]:
    lines[4]["grade"] = 99
    return lines


def _moved_a_day(lines: list[Any]) -> list[Any]:
    lines[9]["on"] = "2027-03-25"
    return lines


def _other_case(lines: list[Any]) -> list[Any]:
    lines[0]["case_id"] = "mmo/other"
    return lines


def _hidden(lines: list[Any]) -> list[Any]:
    lines[4] = {**lines[4], "what": "Nothing happened.", "redacted": ["what"]}
    return lines


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_reworded, "line 5 was changed"),
        (_graded, "line 5 was changed"),
        (_moved_a_day, "line 10 was changed"),
        (_other_case, "line 1 is of another case"),
        (lambda lines: lines[:3] + lines[4:], "line 4 is missing"),
        (lambda lines: lines[:-1], "does not end where"),
        (_hidden, "1 lines are redacted, the manifest says 0"),
    ],
)
def test_the_verifier_finds_a_log_that_was_changed_even_with_a_new_manifest(entire: Bundle, tmp_path: Path, edit: Any, said: str):
    folder = unpacked(entire, tmp_path)
    log_edited(folder, edit)

    code, told = verify(folder / "verify.py")
    assert code == 1 and said in told and "Something does not hold." in told


def test_the_verifier_finds_files_and_letters_that_were_changed(entire: Bundle, tmp_path: Path):
    folder = unpacked(entire, tmp_path)
    (folder / "letters" / "n2.txt").write_text("Everything is lifted.", encoding="utf-8")
    (folder / "dates.csv").unlink()
    (folder / "more.txt").write_text("more", encoding="utf-8")
    _, told = verify(folder / "verify.py")
    assert "letters/n2.txt was changed" in told and "dates.csv is missing" in told and "more.txt is not listed" in told

    (folder / "dates.csv").write_bytes(entire.files["dates.csv"])
    (folder / "more.txt").unlink()
    resigned(folder)
    code, told = verify(folder / "verify.py")
    assert code == 1 and "letters/n2.txt is not the letter that was sent" in told


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, b"no zip"])
def test_the_verifier_says_what_is_no_bundle(entire: Bundle, tmp_path: Path, content: bytes):
    folder = unpacked(entire, tmp_path / "whole")
    (tmp_path / "x.zip").write_bytes(content)

    code, told = verify(folder / "verify.py", str(tmp_path / "x.zip"))
    assert code == 2 and "No bundle that can be read" in told


def _frames(content: bytes) -> list[int]:
    """Returns every place of a zip that belongs to no file's content: headers, names, the list at its end."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        infos, at = file.infolist(), 0
        ours: list[int] = []
        for info in infos:
            start = info.header_offset + 30 + len(info.filename)
            ours += range(at, start)
            at = start + info.file_size
    return [*ours, *range(at, len(content))]


def _verifier(bundle: Bundle) -> dict[str, Any]:
    """Returns the verifier of a bundle, read as a module: hundreds of changed bytes are tried in one process."""
    names: dict[str, Any] = {"__name__": "verify"}
    exec(compile(bundle.files["verify.py"], "verify.py", "exec"), names)  # our own file
    return names


def test_the_verifier_finds_every_changed_byte_of_a_zip(entire: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each byte of the zip's own frame, and one in each part of every file, is changed: nothing is found whole, nothing raises."""
    verifier, place = _verifier(entire), tmp_path / "case.zip"
    monkeypatch.setattr(sys, "argv", ["verify.py", str(place)])
    step = max(len(entire.content) // 150, 1)
    places = sorted({*_frames(entire.content)[::5], *range(0, len(entire.content), step)})
    assert len(places) > 400
    whole_ones = []
    for n, at in enumerate(places):
        changed = bytearray(entire.content)
        changed[at] ^= 1 << n % 8
        place.write_bytes(changed)
        if verifier["main"]() == 0:
            whole_ones.append(at)
    assert whole_ones == []


@pytest.mark.parametrize("name", ["manifest.json", "log.jsonl", "letters/n2.pdf", "case.html"])
def test_a_changed_file_in_a_zip_is_named(entire: Bundle, tmp_path: Path, name: str):
    """One sign other: said of that file, not that there is no bundle (the manifest alone cannot be spared)."""
    (tmp_path / "verify.py").write_bytes(entire.files["verify.py"])
    at = entire.content.index(entire.files[name]) + len(entire.files[name]) // 2
    (tmp_path / "x.zip").write_bytes(entire.content[:at] + b"~" + entire.content[at + 1 :])

    code, told = verify(tmp_path / "verify.py", str(tmp_path / "x.zip"))

    assert code == (2 if name == "manifest.json" else 1) and f"{name} is missing, or cannot be read" in told


def test_a_zip_packed_anew_is_called_so_and_its_folder_holds(entire: Bundle, tmp_path: Path):
    folder = unpacked(entire, tmp_path / "whole")
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entire.files.items():
            file.writestr(name, content)

    code, told = verify(folder / "verify.py", str(tmp_path / "x.zip"))

    assert code == 1 and told.count("WRONG") == 1 and "packed anew: unpack it" in told
    assert verify(folder / "verify.py")[0] == 0


def _manifest_only(change: Any) -> Any:
    def edit(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    return edit


def _forgotten(folder: Path) -> None:
    _manifest_only(lambda one: one.update(letters=one["letters"][1:]))(folder)
    resigned(folder)


def _swapped(folder: Path) -> None:
    one, other = folder / "letters" / "n1.pdf", folder / "letters" / "n2.pdf"
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)
    resigned(folder)


def _reordered(folder: Path) -> None:
    log_edited(folder, lambda lines: [lines[0], lines[2], lines[1], *lines[3:]])


def _renumbered(folder: Path) -> None:
    log_edited(folder, lambda lines: [{**line, "n": n} for n, line in enumerate([lines[0], lines[2], lines[1], *lines[3:]], start=1)])


def _all_hidden(folder: Path) -> None:
    _manifest_only(lambda one: one["log"].update(redacted=1))(folder)
    log_edited(folder, _hidden)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_manifest_only(lambda one: one.update(dated="2027-03-21")), "manifest.json was changed"),
        (_manifest_only(lambda one: one.update(edition="f" + one["edition"][1:] + "0")), "manifest.json was changed"),
        (_forgotten, "is no letter that manifest.json knows"),
        (_swapped, "letters/n1.pdf is not the letter that was sent"),
        (_reordered, "line 2 is missing, or not in its place"),
        (_renumbered, "line 2 was changed"),
        (_all_hidden, "only the customer's copy has such lines"),
        (lambda folder: (folder / "log.jsonl").write_text('{"n": true, "hash": "x"}\n'), "none of a log"),
        (lambda folder: (folder / "log.jsonl").write_text("[]\n"), "log.jsonl cannot be read"),
        (lambda folder: (folder / "log.jsonl").write_text("{"), "log.jsonl cannot be read"),
        (lambda folder: (folder / "log.jsonl").unlink(), "log.jsonl is missing"),
    ],
)
def test_the_verifier_finds_what_a_forger_forgot(entire: Bundle, tmp_path: Path, edit: Any, said: str):
    folder = unpacked(entire, tmp_path)
    edit(folder)

    code, told = verify(folder / "verify.py")

    assert code == 1 and said in told, told


def test_each_issue_of_a_letter_has_its_own_day(records: Records):
    """A letter issued again twice: three rows, three days, and the time that counts is the last one's alone."""
    for n, day in ((1, date(2027, 3, 22)), (2, date(2027, 3, 24))):
        records.tell(message(f"r{n}", "notice_returned", saw="n2", problem="No such mailbox."), day)
        records.tell(message(f"s{n}", "issue_notice", by=MANAGER, saw="n2"), date(2027, 3, day.day + 1))

    rows = {row["File"]: row for row in rows_of(whole(found(records)), "letters.csv")}

    three = [rows[f"letters/{name}.pdf"] for name in ("n2", "n2-2", "n2-3")]
    assert [(one["Sent"], one["Counts as notified"], one["How"]) for one in three] == [
        ("2027-03-10", "", "issued again"),
        ("2027-03-23", "", "issued again"),
        ("2027-03-25", "2027-03-25", "email"),
    ]


# The customer's copy


def test_a_letter_to_somebody_else_is_proposed_to_stay_out_with_their_name(records: Records):
    """NE-43: a client's name and address are no business of the agent's copy unless a person decides so."""
    with transaction(records.engine) as session:
        save_body(
            session, Body(body="natural-england", name="NE", policy="natural-england", keep_years=6, people=NATURAL_ENGLAND_STAFF.people)
        )
    case, day = "natural-england/2027-0009", date(2027, 3, 1)
    agent = {"name": "Casey Agent", "channel": "email", "address": "casey@example.org", "kind": "agent", "clients": ["Sample Client"]}
    opened = message("o", "open_case", by="officer", body="natural-england", customer=agent, area="peatland", contact_officer="officer")
    records.tell(opened, day, case=case)
    words = {"name": "Sample Client", "address": "7 Client Street, Sampletown, ZZ99 9ZZ", "behaviour": "Shouted.", "effect": "It may end."}
    records.tell(message("t", "write_to_third_party", by="officer", to="client", **words), day, case=case)

    with reading(records.engine) as session:
        everything = gathered(session, case, "subject-access", outbox=records.outbox)
    listed = proposed(everything)

    assert [(one.letter, one.give, one.why) for one in listed.letters] == [("n1", False, "it went to somebody else")]
    made = for_the_customer(everything, listed.model_copy(update={"reviewed_by": "officer", "reviewed_on": day}))
    assert not [name for name in made.files if name.startswith("letters/")]
    assert "7 Client Street" not in " ".join(readable(made).values())


def test_the_customer_s_copy_names_no_member_of_staff_and_nobody_else(redacted: Bundle):
    """EH-102."""
    gone = (
        [one.id for one in STAFF]
        + [one.name for one in STAFF]
        + [NEIGHBOUR, "norman@neighbour.example", "01632 960123", VIEW, "Olly Other"]
    )
    texts = readable(redacted)
    assert len(texts) > 12
    for name, said in texts.items():
        plain = said.replace("\u200b", "")
        assert not [one for one in gone if one in plain], (name, [one for one in gone if one in plain])
    assert not re.search(r"\bSam\b|\bSmith\b|\bMorgan\b", " ".join(texts.values()))
    assert "people.csv" not in redacted.files


def test_every_place_says_what_was_taken_out_and_why(redacted: Bundle):
    summary = next(row for row in rows_of(redacted, "evidence.csv") if row["Evidence"] == "i1")
    view = next(row for row in rows_of(redacted, "evidence.csv") if row["Evidence"] == "c1")
    listed = rows_of(redacted, "taken-out.csv")

    assert "Forty emails in one week. [taken out: another person] of [taken out: an email address] rang" in summary["Says"]
    assert view["Says"] == "[taken out: the words of somebody who was consulted]" and view["From"] == "[more senior reviewer]"
    assert summary["From"] == "[member of staff]"
    assert {"the whole text", "words"} == {row["How much"] for row in listed} and all(row["Why"] for row in listed)
    assert "[taken out: another person]" in readable(redacted)["chronology.pdf"].replace("\u200b", "")
    assert "Casey" in next(row for row in rows_of(redacted, "chronology.csv") if row["Line"] == "1")["As it was entered"]


def test_lines_of_the_log_say_which_fields_were_taken_out_and_hold_their_hashes(entire: Bundle, redacted: Bundle):
    before, after = ([json.loads(line) for line in one.files["log.jsonl"].decode().splitlines()] for one in (entire, redacted))

    assert [one["hash"] for one in before] == [one["hash"] for one in after]
    for was, now in zip(before, after, strict=True):
        changed = sorted(name for name in was if was[name] != now[name])
        assert changed == now.get("redacted", [])
    assert [one["n"] for one in after if "redacted" not in one] == [4, 9, 10, 11], "the post's and the customer's own"


def test_the_draft_lists_every_text_that_goes_out_with_where_it_stands(shared: Records, tmp_path: Path):
    everything = found(shared, "subject-access")
    listed = proposed(everything)
    by_text = {one.text: one for one in listed.texts}

    assert {shown(SUMMARY), REASONS, VIEW, APPEAL, *GROUNDS.values(), "Thirty more."} <= set(by_text)
    assert "decisions s1: Reasons" in by_text[REASONS].where and "chronology 7: As it was entered" in by_text[REASONS].where
    assert by_text[VIEW].cuts == (Cut(why="the words of somebody who was consulted"),)
    assert {cut.what for cut in by_text[REASONS].cuts} == {NEIGHBOUR, "Sam Smith", "Sam", "Smith"}
    assert by_text[APPEAL].cuts == (), "the customer's own name is the customer's"
    assert {one.id: one.becomes for one in listed.people}[MANAGER] == "[senior manager who decides]"

    file = tmp_path / "list.yaml"
    file.write_text(written(listed), encoding="utf-8")
    assert read_list(file) == listed


def _without(listed: ReviewList, **update: Any) -> ReviewList:
    return listed.model_copy(update=update)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda one: _without(one, reviewed_by=None), "reviewed_by is empty"),
        (lambda one: _without(one, reviewed_on=None), "reviewed_on is empty"),
        (lambda one: _without(one, reviewed_on=date(2027, 3, 19)), "stands so only since 2027-03-20"),
        (lambda one: _without(one, texts=(*one.texts, one.texts[0].model_copy(update={"cuts": ()}))), "stands 2 times"),
        (lambda one: _without(one, people=(*one.people, one.people[0])), "people: morgan-jones stands 2 times"),
        (lambda one: _without(one, letters=(*one.letters, one.letters[0])), "letters: n1 stands 2 times"),
        (lambda one: _without(one, case="mmo/other"), "of the case mmo/other"),
        (lambda one: _without(one, log_line=3), "The case has gone on"),
        (lambda one: _without(one, log_hash="0" * 64), "The case has gone on"),
        (lambda one: _without(one, texts=one.texts[1:]), "is missing; nothing goes out unread"),
        (lambda one: _without(one, people=one.people[1:]), "people: morgan-jones is missing"),
        (lambda one: _without(one, letters=one.letters[1:]), "letters: n1 is missing"),
        (
            lambda one: _without(one, letters=(one.letters[0].model_copy(update={"give": False, "why": " "}), *one.letters[1:])),
            "why is empty",
        ),
        (lambda one: _without(one, texts=(one.texts[0].model_copy(update={"text": "Another."}), *one.texts[1:])), "holds another text"),
        (
            lambda one: _without(one, texts=(one.texts[0].model_copy(update={"cuts": (Cut(what="Nowhere", why="x"),)}), *one.texts[1:])),
            "words that do not stand in it, 'Nowhere'",
        ),
    ],
)
def test_a_list_that_is_not_whole_makes_no_bundle(shared: Records, spoil: Any, said: str):
    """EH-100."""
    everything, listed = of_the_customer(shared)

    with pytest.raises(NotReviewed, match=re.escape(said)):
        for_the_customer(everything, spoil(listed))


def test_the_reviewer_decides_what_goes_out(shared: Records):
    everything, listed = of_the_customer(shared)
    texts = {one.text: one for one in listed.texts}
    mended = {
        texts[VIEW].id: texts[VIEW].model_copy(
            update={"cuts": (Cut(what="Olly Other", why="a name"), Cut(what="Olly", why="never reached"))}
        ),
        texts["Thirty more."].id: texts["Thirty more."].model_copy(update={"cuts": (Cut(why="about somebody else"),)}),
    }
    letters = tuple(
        one.model_copy(update={"give": False, "why": "sent to a wrong address"}) if one.letter == "n1" else one for one in listed.letters
    )
    reviewed = _without(listed, texts=tuple(mended.get(one.id, one) for one in listed.texts), letters=letters)

    made = for_the_customer(everything, reviewed)

    evidence = {row["Evidence"]: row["Says"] for row in rows_of(made, "evidence.csv")}
    assert evidence["c1"] == "I, [taken out: a name], think that a limit is fair."
    assert evidence["i2"] == "[taken out: about somebody else]"
    assert not [name for name in made.files if name.startswith("letters/n1.")] and "letters/n2.pdf" in made.files
    assert "sent to a wrong address" in made.files["taken-out.csv"].decode()
    manifest = json.loads(made.files["manifest.json"])
    assert not [one for one in manifest["letters"] if "n1" in one["file"]]


def test_a_reason_can_hold_no_cut_of_another(shared: Records):
    """Cuts are made in one pass: a mark that is put in is never cut again, and words inside words go with the longer."""
    everything, listed = of_the_customer(shared)
    first = next(one for one in listed.texts if one.text == REASONS)
    cuts = (Cut(what="Sam", why="Sam"), Cut(what="Sam Smith", why="taken"), Cut(what="taken", why="never"))
    with pytest.raises(NotReviewed, match="'taken'"):
        for_the_customer(
            everything,
            _without(listed, texts=tuple(one.model_copy(update={"cuts": cuts}) if one is first else one for one in listed.texts)),
        )
    mended = tuple(one.model_copy(update={"cuts": cuts[:2]}) if one is first else one for one in listed.texts)
    made = for_the_customer(everything, _without(listed, texts=mended))
    assert "told [taken out: taken]." in made.files["decisions.csv"].decode()


@pytest.mark.parametrize(
    "spoilt", ["v: [", "v: 1\ncase: 7\n", "nonsense: true\n", "- a\n", "v: 1\ncase: mmo/2027-0001\nreviewed_on: soon\n"]
)
def test_a_list_that_cannot_be_read_says_where(tmp_path: Path, spoilt: str):
    file = tmp_path / "list.yaml"
    file.write_text(spoilt, encoding="utf-8")

    with pytest.raises(Unreadable, match=re.escape(str(file))):
        read_list(file)


def test_a_member_of_staff_who_left_is_not_named_either(records: Records):
    with records.engine.begin() as connection:
        connection.execute(text("DELETE FROM staff WHERE person IN ('sam-smith', 'robin-brown')"))

    made = for_the_customer(*of_the_customer(records))

    said = " ".join(readable(made).values())
    assert "sam-smith" not in said, "who acted"
    assert "robin-brown" not in said, "who was only consulted"


def test_a_name_on_the_staff_list_brings_no_text_back_and_is_no_mark(records: Records):
    """Hostile: a name that holds a reference to a text, or our own mark for a person."""
    with reading(records.engine) as session:
        [ref] = [one for one, said in CaseVault(session, CASE).texts.items() if said.startswith("I, Olly")]
    with records.engine.begin() as connection:
        name = f"Evil {ref} \ue020rae-green|x\ue021 <b>"
        connection.execute(text("UPDATE staff SET entry = json_set(entry, '$.name', :n) WHERE person = 'morgan-jones'"), {"n": name})

    made = whole(found(records))

    assert {row["Id"]: row["Name"] for row in rows_of(made, "people.csv")}["morgan-jones"] == "Evil  rae-green|x <b>"
    assert "Olly" not in " ".join(readable(for_the_customer(*of_the_customer(records))).values())


def test_a_letter_of_a_hostile_name_stops_a_bundle(records: Records):
    with records.engine.begin() as connection:
        for table in ("letter", "letter_file"):
            connection.execute(text(f"UPDATE {table} SET notice = '../../evil' WHERE notice = 'n1'"))

    with pytest.raises(NoLetter, match="A letter's name is like n1"):
        found(records)


def test_there_is_no_bundle_of_no_case_or_of_destroyed_papers(records: Records, tmp_path: Path):
    with reading(records.engine) as session, pytest.raises(NoDossier, match="no case mmo/none"):
        gathered(session, "mmo/none", "ombudsman", outbox=records.outbox)
    records.tell(message("o", "open_case", body="mmo", customer={"name": "C", "channel": "email"}), date(2027, 2, 1), case="mmo/gone")
    records.tell(message("w", "withdraw", reasons="Nothing."), date(2027, 2, 2), case="mmo/gone")
    for n, by in enumerate((RECORDS, MANAGER)):
        records.tell(message(f"s{n}", "sign_destruction", by=by), date(2034, 2, 3), case="mmo/gone")
    records.tell(message("x", "destroy_papers", by=RECORDS), date(2034, 2, 3), case="mmo/gone")
    with reading(records.engine) as session, pytest.raises(NoDossier, match="were destroyed on 2034-02-03"):
        gathered(session, "mmo/gone", "ombudsman", outbox=records.outbox)


# At the command line, on a real engine


async def asked(office: Office, *words: str) -> subprocess.CompletedProcess[str]:
    env = {
        "EVENHAND_VAR": str(office.folder),
        "EVENHAND_TEMPORAL_ADDRESS": str(office.client.service_client.config.target_host),
        "EVENHAND_TASK_QUEUE": office.queue,
        "EVENHAND_SIGNING_KEY_FILE": key_file_in(office.folder),
    }
    return await asyncio.to_thread(evenhand, "bundle", *words, env=env)


def disclosures(engine: Engine, case: str) -> list[str]:
    with reading(engine) as session:
        return [line.what for line in log_of(session, case) if (line.command, line.result) == ("record_disclosure", "accepted")]


async def test_a_bundle_is_recorded_before_anybody_has_it_and_twice_is_once(office: Office, tmp_path: Path):
    """EH-101."""
    case, file = "mmo/bundle-1", tmp_path / "b.zip"
    await office.restricted(case)
    words = (case, "--for", "ombudsman", "--by", ENGINE_MANAGER, "--to", "The ombudsman", "--out", str(file))

    first, second = await asked(office, *words), await asked(office, *words, "--json")

    assert (first.returncode, second.returncode) == (DONE, DONE), first.stderr + second.stderr
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert sha256 in first.stdout and json.loads(second.stdout)["sha256"] == sha256
    [line] = disclosures(office.records, case)
    assert line == f"Bundle d1 was made for the ombudsman, sha256 {sha256}."
    assert verify(unpacked(Bundle(file.read_bytes(), "", {}), tmp_path / "x") / "verify.py")[0] == 0


async def test_the_customer_s_copy_goes_in_two_steps(office: Office, tmp_path: Path):
    """EH-100: refused without a list, refused with one that nobody signed, made with one that somebody did."""
    case, file, draft = "mmo/bundle-2", tmp_path / "b.zip", tmp_path / "list.yaml"
    await office.restricted(case)
    made = (case, "--for", "subject-access", "--by", ENGINE_MANAGER, "--out", str(file))

    without = await asked(office, *made)
    drafted = await asked(office, case, "--for", "subject-access", "--draft", str(draft))
    unsigned = await asked(office, *made, "--reviewed", str(draft))
    assert (without.returncode, drafted.returncode, unsigned.returncode) == (REFUSED, DONE, REFUSED)
    assert "EH-100" in without.stderr and "--draft" in without.stdout and "reviewed_by is empty" in unsigned.stderr
    assert not file.exists() and disclosures(office.records, case) == [] and draft.stat().st_mode & 0o077 == 0

    signed = (
        draft.read_text(encoding="utf-8")
        .replace("reviewed_by: null", "reviewed_by: nobody-here")
        .replace("reviewed_on: null", f"reviewed_on: {today().isoformat()}")
    )
    draft.write_text(signed, encoding="utf-8")
    stranger = await asked(office, *made, "--reviewed", str(draft))
    assert stranger.returncode == REFUSED and "not on the staff list" in stranger.stdout and not file.exists()

    draft.write_text(signed.replace("nobody-here", ENGINE_OFFICER), encoding="utf-8")
    done = await asked(office, *made, "--reviewed", str(draft))
    assert done.returncode == DONE, done.stderr
    [line] = disclosures(office.records, case)
    assert hashlib.sha256(file.read_bytes()).hexdigest() in line and f"reviewed by {ENGINE_OFFICER} on {in_words(today())}" in line


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((CASE, "--for", "the-press"), MISUNDERSTOOD),
        ((CASE, "--for", "ombudsman", "--out", "x.zip"), MISUNDERSTOOD),
        ((CASE, "--for", "ombudsman", "--by", OFFICER), MISUNDERSTOOD),
        ((CASE, "--for", "ombudsman", "--draft", "x.yaml"), MISUNDERSTOOD),
        ((CASE, "--for", "subject-access", "--draft", "x.yaml", "--reviewed", "y.yaml"), MISUNDERSTOOD),
        ((CASE, "--for", "subject-access", "--by", OFFICER, "--out", "x.zip", "--reviewed", "/no/such/list.yaml"), MISUNDERSTOOD),
        (("mmo/none", "--for", "ombudsman", "--by", OFFICER, "--out", "x.zip"), UNKNOWN),
        ((CASE, "--for", "ombudsman", "--by", OFFICER, "--out", "/tmp/never-written.zip"), UNREACHED),
    ],
)
def test_what_cannot_be_made_says_so_and_writes_nothing(shared: Records, words: tuple[str, ...], code: int):
    done = evenhand("bundle", *words, env={"EVENHAND_VAR": str(shared.folder), "EVENHAND_TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert done.returncode == code, done.stderr
    assert done.stderr.strip() and "Traceback" not in done.stderr
    assert not Path("/tmp/never-written.zip").exists()
