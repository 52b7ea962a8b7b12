"""The plain door: plain JSON from any SDK, the binary or the UI. The engine keeps it readable, so it names texts that were put first."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import pytest
from sqlmodel import select
from temporalio.client import Client

from activities.given_texts import clear_unused_texts, put_text
from domain.model import REFERENCE
from records.database import reading, transaction
from records.tables import CommandRow, TextRow
from records.vault import CaseVault
from starter.clock import now
from tests.engine import CUSTOMER, OFFICER, PERSONAL, Office, act, closed_office, evenhand, office, opening, report, server
from workflows.converter import DATA_CONVERTER

__all__ = ["closed_office", "office", "server"]

Json = dict[str, object]


def plainly(office: Office) -> Client:
    """Returns a client without keys: what it sends is plain JSON."""
    config = office.client.config()
    config["data_converter"] = DATA_CONVERTER
    return Client(**config)


async def signalled(office: Office, case: str, message: Json) -> None:
    await plainly(office).get_workflow_handle(case).signal(str(message["do"]), office.signed(case, message))
    await office.logged(case, str(message["id"]))


async def asked(office: Office, case: str, message: Json) -> None:
    """Send an update plainly, and let its answer be: a client without keys does not read it."""
    with pytest.raises(Exception, match=r"Unknown payload encoding|.*"):
        await plainly(office).get_workflow_handle(case).execute_update("act", office.signed(case, message))
        raise AssertionError("answered, and not read")
    await office.logged(case, str(message["id"]))


def put(office: Office, case: str, text: str, *, at: datetime | None = None) -> str:
    with transaction(office.records) as session:
        return put_text(session, case, text, at=at or now())


def outcome(office: Office, case: str, id: str) -> Json:
    with reading(office.records) as session:
        row = session.get(CommandRow, (case, id))
        assert row is not None
        return row.outcome


@pytest.mark.parametrize("door", [signalled, asked], ids=["signal", "update"])
async def test_text_in_plain_json_is_refused_with_its_field_named_and_none_of_it_said(office: Office, door, caplog, capfd):
    case = f"plain/{door.__name__}"
    await office.open(case)
    with caplog.at_level(logging.DEBUG):
        await door(office, case, report("p-1"))

    [line] = office.lines(case, "p-1")
    assert line.result == "refused" and "with.summary" in line.what and line.detail is None
    assert "evenhand text put" in str(outcome(office, case, "p-1")["remains"])
    said = f"{line.model_dump()}{outcome(office, case, 'p-1')}{caplog.text}{''.join(capfd.readouterr())}"
    assert not [word for word in PERSONAL if word in said]
    assert (await office.cases.look_up(case)).seq == 1  # type: ignore[union-attr]  # it runs


@pytest.mark.parametrize("door", [signalled, asked], ids=["signal", "update"])
async def test_a_reference_stands_for_its_text(office: Office, door):
    case = f"named/{door.__name__}"
    await office.open(case)
    ref = put(office, case, "  Forty emails in one week.\n")
    message = report("p-1")
    message["with"] = {**message["with"], "summary": ref}  # type: ignore[dict-item]  # a dict
    await door(office, case, message)

    assert [one.result for one in office.lines(case, "p-1")] == ["accepted"]
    with reading(office.records) as session:
        row = session.get(CommandRow, (case, "p-1"))
        assert row is not None and row.message["with"]["summary"] == ref  # type: ignore[index]  # a dict
        assert CaseVault(session, case).texts[ref] == "Forty emails in one week."


async def test_short_codes_dates_and_numbers_may_stand_in_plain_json_and_other_answers_may_not(office: Office):
    await office.open("short/1")
    given = {"code": "excessive-contact", "medium": "email", "summary": put(office, "short/1", "Forty emails.")}
    findings = {"count": 40, "period": "2026-10-16"}
    await signalled(office, "short/1", act("report_behaviour", "p-1", by=OFFICER, with_={**given, "findings": findings}))
    await signalled(office, "short/1", act("report_behaviour", "p-2", by=OFFICER, with_={**given, "findings": {"period": "One week"}}))

    assert [one.result for one in office.lines("short/1", "p-1")] == ["accepted"]
    [refused] = office.lines("short/1", "p-2")
    assert refused.result == "refused" and "with.findings.period" in refused.what and "One week" not in refused.what


async def test_an_unknown_reference_is_refused_and_said(office: Office):
    """Another case's text is none of this one's."""
    await office.open("unknown/1")
    other = put(office, "unknown/other", "Forty emails in one week.")
    for n, ref in enumerate((other, f"{REFERENCE}{'0' * 32}")):
        message = report(f"p-{n}")
        message["with"] = {**message["with"], "summary": ref}  # type: ignore[dict-item]  # a dict
        await signalled(office, "unknown/1", message)
        sealed = await office.cases.submit_message("unknown/1", {**message, "id": f"s-{n}"})
        assert sealed.result == "malformed" and "no text of this case was put under this reference" in sealed.answer

    assert {one.result for one in office.lines("unknown/1") if one.command_id.startswith("p-")} == {"malformed"}


async def test_words_that_only_look_like_a_reference_are_words(office: Office):
    await office.open("words/1")
    done = await office.do("words/1", report("r-1", summary="text: he said so"))

    assert done.accepted
    with reading(office.records) as session:
        assert "text: he said so" in CaseVault(session, "words/1").texts.values()


async def test_a_case_is_opened_by_references_alone(office: Office):
    case = "opened/1"
    customer = {name: put(office, case, value) if name != "channel" else value for name, value in CUSTOMER.items()}
    message = act("open_case", f"open:{case}", by=OFFICER, with_={"body": "mmo", "customer": customer, "area": "licensing"})

    await plainly(office).start_workflow("Case", office.signed(case, message), id=case, task_queue=office.queue)
    line = await office.logged(case, f"open:{case}")

    assert line.result == "accepted"
    assert (await office.handle(case).fetch_history()).to_json().count("Testcase") == 0
    with reading(office.records) as session:
        assert {CUSTOMER["name"], CUSTOMER["address"]} <= set(CaseVault(session, case).texts.values())


async def test_an_opening_with_a_name_in_plain_json_never_opens_a_case(office: Office):
    case = "opened/2"
    await plainly(office).start_workflow("Case", office.signed(case, opening(case)), id=case, task_queue=office.queue)
    line = await office.logged(case, f"open:{case}")

    assert line.result == "refused" and "with.customer.name" in line.what and "with.customer.address" in line.what
    assert "Quentin" not in line.what and office.row(case) is None
    assert await office.handle(case).result()  # it ended, and its end is heard
    assert (await office.open(case)).accepted, "the same id may be opened after it"


def test_texts_of_cases_that_were_never_opened_go_after_a_week(closed_office: Office):
    office, today = closed_office, datetime(2027, 3, 1, 12, tzinfo=timezone.utc)
    put(office, "never/1", "Casey Sample", at=today - timedelta(days=7, seconds=1))
    put(office, "never/2", "Robin Sample", at=today - timedelta(days=6))

    with transaction(office.records) as session:
        assert clear_unused_texts(session, at=today) == 1
    with reading(office.records) as session:
        assert [row.case_id for row in session.exec(select(TextRow)).all()] == ["never/2"]


async def test_texts_of_a_case_that_was_opened_stay_however_old(office: Office):
    await office.open("stays/1")
    ref = put(office, "stays/1", "Never named.", at=now() - timedelta(days=400))

    with transaction(office.records) as session:
        clear_unused_texts(session, at=now())
    assert office.text("stays/1", ref) == "Never named."


def test_the_command_line_takes_a_text_from_standard_input_or_a_file_and_prints_its_reference(closed_office: Office):
    env = {"EVENHAND_VAR": str(closed_office.folder)}
    file = closed_office.folder / "said.txt"
    file.write_text("Forty emails in one week.\n", encoding="utf-8")

    piped = evenhand("text", "put", "cli/1", env=env, given="Forty emails in one week.")
    read = evenhand("text", "put", "cli/1", "--file", str(file), env=env)
    wrong = [
        evenhand("text", "put", "cli/1", env=env, given="  \n"),
        evenhand("text", "put", "cli/1", env=env, given="a\x07bell"),
        evenhand("text", "put", "cli/1", "--file", str(file.with_name("none")), env=env),
        evenhand("text", "put", "no case id!", env=env, given="Forty emails."),
    ]

    assert piped.returncode == 0 and piped.stdout.strip().startswith(REFERENCE), piped.stderr
    assert read.stdout == piped.stdout
    assert [one.returncode for one in wrong] == [2, 2, 2, 2]
    assert not [one for one in wrong if "Traceback" in one.stderr or "bell" in one.stderr or not one.stderr.strip()]
    assert closed_office.text("cli/1", piped.stdout.strip()) == "Forty emails in one week."
