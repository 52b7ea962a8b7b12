"""A body's own spreadsheet: what its cells mean, which lines cannot be imported and why, and what the others become."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from activities.bodies import Body
from domain.restrictions import ContactVolumeLimit, NoReplyOnTopic
from policies.load import Unreadable
from starter.import_cells import APPEAL, Words, Wrong, appeal, channel, day, restrictions
from starter.register_import import COLUMNS, Checked, case_id, check_file, read_words
from starter.spreadsheet import UnreadableTable
from tests import stories

TODAY = date(2027, 3, 10)
BODY = Body(body="mmo", name="Marine Management Organisation (test)", policy="mmo", keep_years=6, people=stories.MMO_STAFF.people)
WEEKLY = "contact-volume-limit max_contacts=1 per=week channel=email"
GOOD = {"reference": "UC 12", "customer": "Casey Sample", "decided on": "03/03/2019", "told on": "2019-03-05", "restrictions": WEEKLY}
MAP = """\
columns: {Case no: reference, Name: customer}
ignore: [Colour]
people: {JS: manager}
channels: {post: letter}
behaviours: {swearing: allegations-or-abusive-language}
outcomes: {not upheld: uphold}
restrictions:
  one a week: {type: contact-volume-limit, max_contacts: 1, per: week, channel: email}
  silence: [{type: no-reply-on-topic, topic: [fence]}, {type: refuse-all-contact}]
"""


def checked(tmp_path: Path, *rows: dict[str, str], words: Words | None = None, separator: str = ",") -> Checked:
    """Returns a file with these rows, checked."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [separator.join(header), *(separator.join(f'"{row.get(name, "")}"' for name in header) for row in rows)]
    file = tmp_path / "cases.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return check_file(file, words or Words(), body=BODY, by="officer", today=TODAY)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("2027-03-10", TODAY),
        ("10/03/2027", TODAY),
        (" 10.3.2027 ", TODAY),
        ("2027-03-10 00:00:00", TODAY),
        ("29/02/2028", date(2028, 2, 29)),
        ("", None),
        ("Not recorded", None),
        ("-", None),
    ],
)
def test_days_are_read_as_people_write_them_here(cell: str, found: date | None):
    assert day(cell) == found


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("43831", "a spreadsheet's own number"),
        ("43831.5", "a spreadsheet's own number"),
        ("03/04/21", "with two figures"),
        ("12/25/2020", "American order"),
        ("31/02/2020", "no such day"),
        ("2020-13-01", "no such day"),
        ("2020-03-10 14:00", "day first"),
        ("March 2020", "day first"),
        ("10 March 2020", "day first"),
    ],
)
def test_a_day_that_is_none_or_could_be_two_is_a_fault(cell: str, said: str):
    with pytest.raises(Wrong) as wrong:
        day(cell)
    assert said in wrong.value.right and cell in wrong.value.found


def test_restrictions_are_our_types_with_parameters_words_of_the_map_or_json(tmp_path: Path):
    file = tmp_path / "map.yaml"
    file.write_text(MAP, encoding="utf-8")
    words = read_words(file)
    one = ContactVolumeLimit(type="contact-volume-limit", max_contacts=1, per="week", channel="email")
    fence = NoReplyOnTopic(type="no-reply-on-topic", topic=("the fence; and gate", "Ann's hedge"))

    assert restrictions(WEEKLY, Words()) == (one,)
    assert restrictions('no-reply-on-topic topic="the fence; and gate|Ann\'s hedge"', Words()) == (fence,)
    assert restrictions("One  a-Week", words) == (one,)
    assert [each.type for each in restrictions("silence; one a week", words)] == ["no-reply-on-topic", "refuse-all-contact", one.type]
    assert restrictions('[{"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "email"}]', Words()) == (one,)
    assert restrictions("none", Words()) == ()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("be nice", "a word of the map file"),
        ("contact-volume-limit", "per is missing"),
        ("contact-volume-limit max_contacts=some per=week", "max_contacts"),
        ("contact-volume-limit max_contacts=1 per=week colour=red", "colour is no field here"),
        ("contact-volume-limit often", "name=value"),
        ('single-point-of-contact officer="A', "quotation mark"),
        ("{not json", "a JSON object"),
        ("[1]", ""),
    ],
)
def test_restrictions_that_cannot_be_read_say_what_would_be_right(cell: str, said: str):
    with pytest.raises(Wrong) as wrong:
        restrictions(cell, Words())
    assert said in wrong.value.right


def test_the_state_of_an_appeal_is_read():
    words = Words(outcomes={"not upheld": "uphold"})

    assert appeal("", words) is appeal("none", words) is appeal("Window open", words) is None
    assert appeal("pending since 10/03/2027", words) == {"received_on": TODAY}
    decided = {"received_on": date(2027, 3, 1), "decided_on": TODAY, "outcome": "uphold"}
    assert appeal("Received 01/03/2027, decided 10/03/2027: Not upheld", words) == decided
    assert appeal("decided on 2027-03-10: withdraw", words) == {"received_on": TODAY, "decided_on": TODAY, "outcome": "withdraw"}
    for cell in ("yes", "pending", "decided", "pending since soon", "decided 43831: uphold"):
        with pytest.raises(Wrong):
            appeal(cell, words)
    assert "pending since DAY" in APPEAL


def test_how_a_customer_is_written_to_is_not_guessed_against_the_address():
    words = Words(channels={"post": "letter"})

    assert channel("", "a@example.org", words) == "email"
    assert channel("", "1 Example Street", words) == channel("Post", "a@example.org", words) == channel("", None, words) == "letter"
    with pytest.raises(Wrong):
        channel("pigeon", None, words)


@pytest.mark.parametrize(
    ("reference", "case"),
    [
        ("UC 12", "mmo/UC-12"),
        ("2019/12", "mmo/2019/12"),
        ("  é!? 7 ", "mmo/7"),
        ("a...b", "mmo/a.b"),
        ("../../etc", "mmo/etc"),
        ("", "mmo/"),
    ],
)
def test_a_reference_becomes_part_of_the_case_id(reference: str, case: str):
    assert case_id("mmo", reference) == case


def test_a_good_line_says_what_it_becomes_with_clauses(tmp_path: Path):
    found = checked(tmp_path, {**GOOD, "behaviour": "Far too many emails", "notes": "Old team"})

    [one] = found.prepared
    assert found.faults == ()
    assert (one.report.line, one.report.case, one.report.stage) == (2, "mmo/UC-12", "restricted")
    assert "MMO-44" in one.report.next_deadline and "review" in one.report.next_deadline
    assert "No review since Sunday 3 March 2019: 8 reviews missed, owed since Tuesday 3 March 2020. [MMO-44, DEF-05]" in one.report.findings
    assert (one.command.behaviour, one.command.behaviour_words) == (None, "Far too many emails")
    assert one.command.file_sha256 == hashlib.sha256((tmp_path / "cases.csv").read_bytes()).hexdigest()


def test_headers_are_known_in_any_case_and_separators_are_told_apart(tmp_path: Path):
    upper = {name.upper().replace(" ", "_"): value for name, value in GOOD.items()}

    found = checked(tmp_path, upper, separator=";")

    assert found.faults == () and len(found.prepared) == 1


def test_a_map_file_renames_columns_and_words(tmp_path: Path):
    file = tmp_path / "map.yaml"
    file.write_text(MAP, encoding="utf-8")
    row = {"Case no": "12", "Name": "Casey Sample", "Colour": "red", "decided on": "03/03/2026", "decided by": "js", "channel": "Post"}
    row |= {"restrictions": "ONE A WEEK", "behaviour": "Swearing", "appeal": "decided 01/04/2026: not upheld"}

    [one] = checked(tmp_path, row, words=read_words(file)).prepared

    assert (one.command.decided_by, one.command.behaviour, one.command.customer.channel) == (
        "manager",
        "allegations-or-abusive-language",
        "letter",
    )
    assert one.command.appeal is not None and one.command.appeal.outcome == "uphold"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Name: customer", "Name: customers", "map.yaml:1:31: columns.Name: 'customers' is no column; did you mean customer?"),
        ("ignore:", "ignored:", "map.yaml:2:1: ignored"),
        ("max_contacts: 1", "max_contacts: many", "map.yaml:8"),
        ("channels: {post: letter}", "channels: {post: pigeon}", "map.yaml:4"),
    ],
)
def test_a_map_file_that_does_not_fit_says_where(tmp_path: Path, old: str, new: str, said: str):
    file = tmp_path / "map.yaml"
    assert old in MAP
    file.write_text(MAP.replace(old, new), encoding="utf-8")

    with pytest.raises(Unreadable) as unreadable:
        read_words(file)
    assert said in str(unreadable.value)


def test_an_office_decided_where_no_person_is_named(tmp_path: Path):
    for said in ("decision-maker", "Senior manager who decides"):
        [one] = checked(tmp_path, {**GOOD, "decided by": said}).prepared
        assert (one.command.office, one.command.decided_by) == ("decision-maker", None)


FAULTS = [
    ({"customer": ""}, "customer"),
    ({"reference": "  "}, "reference"),
    ({"reference": "x" * 120}, "reference"),
    ({"reference": "UC\x1b[31m 12"}, "reference"),
    ({"reference": "Sample, Casey"}, "reference"),
    ({"reference": "UC-SAMPLE-2019"}, "reference"),
    ({"decided on": "9999-12-31", "told on": ""}, "decided on"),
    ({"decided on": "43831"}, "decided on"),
    ({"decided on": "12/25/2020"}, "decided on"),
    ({"decided on": "", "told on": "", "restrictions": ""}, "decided on"),
    ({"told on": "01/01/2019"}, "told on"),
    ({"ended on": "01/01/2030"}, "ended on"),
    ({"ends on": "01/01/2019"}, "ends on"),
    ({"last review": "01/01/2018"}, "last review"),
    ({"decided by": "Somebody Else"}, "decided by"),
    ({"contact officer": "Somebody Else"}, "contact officer"),
    ({"restrictions": "be nice"}, "restrictions"),
    ({"restrictions": ""}, "restrictions"),
    ({"appeal": "maybe"}, "appeal"),
    ({"appeal": "decided 01/01/2020: confirm"}, "appeal"),
    ({"channel": "pigeon"}, "channel"),
    ({"area": "Not A Code"}, "area"),
    ({"notes": "x" * 20_001}, "notes"),
    ({"notes": "a\x07b"}, "notes"),
]


@pytest.mark.parametrize(("change", "column"), FAULTS, ids=[f"{n}-{column}" for n, (_, column) in enumerate(FAULTS)])
def test_a_fault_names_line_and_column_and_what_would_be_right(tmp_path: Path, change: dict[str, str], column: str):
    found = checked(tmp_path, GOOD, {**GOOD, "reference": "UC 13", **change})

    assert found.faults, "no fault was found"
    assert {(one.line, one.column) for one in found.faults} == {(3, column)}
    assert all(one.found and one.right for one in found.faults)
    assert [one.report.line for one in found.prepared] == [2]


def test_a_day_that_is_far_off_is_told_the_days_that_could_be(tmp_path: Path):
    [one] = checked(tmp_path, {**GOOD, "decided on": "9999-12-31", "told on": ""}).faults

    assert one.right.startswith("a day from 1950 up to today, ")


def test_a_reference_may_share_a_short_word_with_a_name_and_no_more(tmp_path: Path):
    """EH-60: initials are nobody; the whole name, or a telling word of it, is somebody."""
    found = checked(tmp_path, {**GOOD, "reference": "Al 7", "customer": "Al Example"}, {**GOOD, "reference": "Al 8", "customer": "Al"})

    assert [one.line for one in found.faults] == [3]
    assert "EH-60" in found.faults[0].cites and "Al" not in found.faults[0].found


def test_a_fault_never_repeats_a_free_text(tmp_path: Path):
    found = checked(tmp_path, {**GOOD, "notes": "Casey's secret " + "x" * 20_001, "reasons": "a\x07secret"})

    assert found.faults
    assert "secret" not in " ".join(map(str, found.faults))


def test_a_reference_that_stands_twice_is_a_fault_of_the_second_line(tmp_path: Path):
    found = checked(tmp_path, GOOD, {**GOOD, "reference": "uc-12"})

    [fault] = found.faults
    assert (fault.line, fault.column) == (3, "reference") and "line 2" in fault.found


def test_a_header_that_does_not_fit_stops_the_whole_file(tmp_path: Path):
    found = checked(tmp_path, {"reference": "1", "Reference ": "2", "Colour": "red"})

    assert found.prepared == ()
    assert {one.found for one in found.faults} == {"reference twice", "the column 'Colour'", "no column customer"}
    assert all(one.line == 1 and one.column == "header" for one in found.faults)


@pytest.mark.parametrize("content", ["reference,customer\n", "reference,customer\n , \n\n"])
def test_a_file_without_a_case_is_a_fault(tmp_path: Path, content: str):
    file = tmp_path / "cases.csv"
    file.write_text(content, encoding="utf-8")

    found = check_file(file, Words(), body=BODY, by=None, today=TODAY)

    assert [one.found for one in found.faults] == ["no line under the header"]


def test_a_line_with_another_number_of_cells_is_a_fault(tmp_path: Path):
    file = tmp_path / "cases.csv"
    file.write_text(
        "reference,customer,warned on\n1,Casey Sample\n2,Alex Sample,01/02/2027,more\n3,Jo Sample,01/02/2027\n", encoding="utf-8"
    )

    found = check_file(file, Words(), body=BODY, by=None, today=TODAY)

    assert [(one.line, one.column, one.found) for one in found.faults] == [(2, "the line", "2 cells"), (3, "the line", "4 cells")]
    assert [one.report.reference for one in found.prepared] == ["3"]


def test_no_file_and_no_text_are_told_apart(tmp_path: Path):
    for file in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UnreadableTable):
            check_file(file, Words(), body=BODY, by=None, today=TODAY)


def test_ten_thousand_lines_are_checked_in_one_go(tmp_path: Path):
    """A register of a large body: every line its own case, every fault found."""
    lines = [f"R{n},Casey Sample,03/03/20{20 + n % 6},,{WEEKLY}" if n % 1000 else f"R{n},,soon,," for n in range(1, 10_001)]
    file = tmp_path / "cases.csv"
    file.write_text("\n".join(["reference,customer,decided on,told on,restrictions", *lines]), encoding="utf-8")

    found = check_file(file, Words(), body=BODY, by=None, today=TODAY)

    assert len(found.prepared) == 9_990
    assert len({one.report.case for one in found.prepared}) == 9_990
    assert len({one.line for one in found.faults}) == 10


def test_the_document_names_every_column():
    text = (Path(__file__).resolve().parent.parent / "docs" / "register.md").read_text(encoding="utf-8")

    assert [name for name in COLUMNS if f"`{name}`" not in text] == []


def test_the_documents_example_is_imported_as_it_stands(tmp_path: Path):
    text = (Path(__file__).resolve().parent.parent / "docs" / "register.md").read_text(encoding="utf-8")
    parts = {name: text.split(f"```{name}\n")[1].split("```")[0] for name in ("csv", "yaml")}
    for name, part in parts.items():
        (tmp_path / f"example.{name}").write_text(part, encoding="utf-8")

    found = check_file(tmp_path / "example.csv", read_words(tmp_path / "example.yaml"), body=BODY, by=None, today=TODAY)

    assert found.faults == ()
    assert [one.report.stage for one in found.prepared] == ["restricted", "restricted"]
