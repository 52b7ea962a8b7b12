"""Emails to staff: owed with the act, at most once, one a person and day, and never a word about the customer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.bodies import Body, save_body
from activities.carriers.carrier import Declined, NotNow, Unclear
from activities.carriers.post import Post
from activities.carriers.staff import StaffEmail
from activities.clock import ENGINE_TIME
from activities.following import Following, RoundActivities
from activities.outcome import Act, Outcome, Source
from activities.recording import Recording
from activities.staff_lists import Loaded
from activities.staff_mail import StaffCounts, send_staff_notices, unsettled
from domain.people import Absence, Person
from domain.staff_notices import readers
from domain.task import Task
from records.database import migrate, open_database, reading, transaction
from records.tables import StaffNoticeRow, TaskRow
from starter.clock import now
from tests.engine import evenhand
from tests.signing import signed_act
from tests.stories import NATURAL_ENGLAND_GROUNDS, NATURAL_ENGLAND_STAFF

Json = dict[str, object]
CASE, NAME, ADDRESS = "natural-england/2027-0001", "Casey Uniquename", "secret.person@example.org"
SECRETS = (NAME, "Uniquename", ADDRESS, "SECRET")


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=timezone.utc)


@dataclass
class Mail:
    """A mail server that remembers, and does what it is told to."""

    twice_is_once: bool = False
    name: str = "fake"
    got: list[StaffEmail] = field(default_factory=list)
    raises: list[Exception | None] = field(default_factory=list)

    def send(self, email: StaffEmail) -> None:
        trouble = self.raises.pop(0) if self.raises else None
        if not isinstance(trouble, NotNow | Declined):
            self.got.append(email)
        if trouble:
            raise trouble


def with_emails(*, without: tuple[str, ...] = (), mailboxes: dict[str, str] | None = None) -> Body:
    people = [
        one if one.id in without else one.model_copy(update={"email": f"{one.id}@staff.example.org"})
        for one in NATURAL_ENGLAND_STAFF.people
    ]
    return Body(
        body="natural-england",
        name="Natural England",
        policy="natural-england",
        people=tuple(people),
        mailboxes=mailboxes or {},
        keep_years=6,
    )


def tell(
    engine: Engine, do: str, day: date, *, by: str | None = "officer", saw: str | None = None, source: Source = "outside", **with_: object
) -> Outcome:
    message: Json = {"v": 1, "id": f"{do}:{day}:{by}:{saw}:{len(with_)}", "do": do, "by": by, "saw": saw, "with": with_}
    with transaction(engine) as session:
        outcome = Recording(session, signed_act(session, Act(case=CASE, message=message, source=source, now=at(day))), ENGINE_TIME).record()
    assert outcome.accepted, f"{do}: {outcome.answer} {outcome.remains}"
    return outcome


def deadline(engine: Engine, key: str, day: date) -> Outcome:
    return tell(engine, "deadline_passed", day, by=None, source="calendar", key=key)


def went(engine: Engine, notice: str, day: date) -> None:
    tell(engine, "notice_sent", day, by=None, saw=notice, source="post", method="email")


PROPOSED, DECIDED = date(2027, 3, 9), date(2027, 3, 10)


def proposed(engine: Engine, body: Body) -> Engine:
    """Returns records in which a sanction (p1) waits for the line manager's signature since Tuesday 9 March 2027."""
    with transaction(engine) as session:
        save_body(session, body)
    day = date(2027, 2, 1)
    customer = {"name": NAME, "channel": "email", "address": ADDRESS}
    tell(engine, "open_case", day, body="natural-england", customer=customer, area="peatland", contact_officer="officer")
    report: Json = {"code": "excessive-contact", "medium": "email", "summary": "SECRET ninety emails", "consulted": ["colleague"]}
    tell(engine, "report_behaviour", day, **report)
    found = {"concerns": "SECRET concerns", "asked-to-modify": True, "consequence-explained": True}
    tell(engine, "warn", day, medium="email", findings=found)
    went(engine, "n1", day)
    tell(engine, "report_behaviour", date(2027, 2, 19), **report)
    restriction = {"type": "single-point-of-contact", "officer": "Nic Officer"}
    grounds = {name: f"SECRET {said}" for name, said in NATURAL_ENGLAND_GROUNDS.items()}
    tell(
        engine, "propose_sanction", PROPOSED, restrictions=[restriction], reasons="SECRET reasons", review_on="2027-09-10", findings=grounds
    )
    return engine


def decided(engine: Engine, body: Body) -> Engine:
    """Returns records in which the sanction (s1) was decided and told on 10 March 2027; its review is due on 10 September."""
    proposed(engine, body)
    tell(engine, "approve", DECIDED, by="manager", saw="p1")
    went(engine, "n2", DECIDED)
    return engine


def owed(engine: Engine, state: str | None = None) -> list[StaffNoticeRow]:
    with reading(engine) as session:
        rows = session.exec(select(StaffNoticeRow)).all()
    return sorted((row for row in rows if state in (None, row.state)), key=lambda row: (row.created_at, row.task, row.reader))


def send(engine: Engine, mail: Mail, day: date, hour: int = 11) -> StaffCounts:
    return send_staff_notices(engine, replace(Post.into(Path("unused")), staff=mail), ENGINE_TIME, at(day, hour))


# What is owed


def test_a_sign_off_that_is_asked_is_owed_to_the_person_who_may_sign(database: Engine):
    """EH-123, NE-14: the line manager, by the case's reference, with the clause."""
    proposed(database, with_emails())

    [row] = owed(database)

    assert (row.task, row.reader, row.wording, row.state) == ("sign-off/p1", "manager", "sign-off", "waiting")
    assert "NE-61" in row.cites


def test_an_act_that_comes_twice_owes_once(database: Engine):
    """EH-123: at most once a case, task, person and reminder; a retry of the act's activity changes nothing."""
    proposed(database, with_emails())
    message: Json = {
        "v": 1,
        "id": "x",
        "do": "consult",
        "by": "officer",
        "with": {"person": "colleague", "about": "decision", "view": "Yes."},
    }
    for _ in range(2):
        with transaction(database) as session:
            Recording(session, signed_act(session, Act(case=CASE, message=message, now=at(PROPOSED))), ENGINE_TIME).record()

    assert len(owed(database)) == 1


def test_an_act_that_fails_owes_nothing(database: Engine):
    """Design 2: one transaction; what is rolled back was never owed."""
    decided(database, with_emails())
    before = len(owed(database))
    message: Json = {"v": 1, "id": "r", "do": "notice_returned", "by": "officer", "saw": "n2", "with": {"problem": "SECRET"}}
    with pytest.raises(ZeroDivisionError), transaction(database) as session:
        Recording(session, signed_act(session, Act(case=CASE, message=message, now=at(DECIDED))), ENGINE_TIME).record()
        session.flush()
        raise ZeroDivisionError

    assert len(owed(database)) == before


@pytest.mark.parametrize(
    "body", [with_emails(without=tuple(one.id for one in NATURAL_ENGLAND_STAFF.people)), with_emails(without=("manager",))]
)
def test_without_an_address_nothing_is_owed(database: Engine, body: Body):
    """EH-123: then the task list alone stands."""
    proposed(database, body)

    assert owed(database) == []
    assert send(database, Mail(), PROPOSED) == StaffCounts()


def test_what_waited_before_somebody_had_an_address_is_not_told_later(database: Engine):
    """EH-123: the difference an act makes; nobody's first email is the whole of last year."""
    proposed(database, with_emails(without=("manager",)))
    with transaction(database) as session:
        save_body(session, with_emails(), Loaded(at=now()))

    tell(database, "consult", PROPOSED, person="colleague", about="decision", view="SECRET view")

    assert owed(database) == []


def test_a_decision_an_end_and_the_post_are_told_each_by_its_own_wording(database: Engine):
    """EH-123, NE-21, DEF-14: the officer is to make others aware; the team's own mailbox hears of it too; a returned letter is told."""
    decided(database, with_emails(mailboxes={"customer-sanctions-log": "log@example.org"}))
    tell(database, "notice_returned", date(2027, 3, 15), saw="n2", problem="SECRET: no such mailbox")

    told = [(row.task, row.reader, row.wording) for row in owed(database)]

    assert told == [
        ("sign-off/p1", "manager", "sign-off"),
        ("inform/s1/decision/customer-focus-team", "officer", "inform"),
        ("inform/s1/decision/customer-sanctions-log", "mailbox:customer-sanctions-log", "inform"),
        ("inform/s1/decision/customer-sanctions-log", "officer", "inform"),
        ("letter/n2", "officer", "post"),
    ]


def test_a_review_is_told_when_it_opens_when_it_passes_and_to_whom_it_is_escalated(database: Engine):
    """NE-22, NE-24, DEF-12, DEF-13: four weeks before; then, overdue, to whoever holds it and to the post that is told."""
    decided(database, with_emails(mailboxes={"customer-focus-team": "focus@example.org"}))
    start = len(owed(database))
    deadline(database, "review-opens:s1:2027-08-13", date(2027, 8, 13))
    deadline(database, "review-due:s1:2027-09-10", date(2027, 9, 10))
    deadline(database, "review-overdue:s1:2027-09-10", date(2027, 9, 11))

    found = [(row.task, row.reader, row.reminder, row.wording) for row in owed(database)[start:]]

    assert found == [
        ("review/s1", "officer", "2027-09-10", "review"),
        ("escalated/s1", "mailbox:customer-focus-team", "2027-09-10", "overdue"),
        ("review/s1", "officer", "2027-09-10 overdue", "overdue"),
    ]


# What an email says


def test_an_email_says_what_is_asked_by_when_and_under_which_clause_and_nothing_about_the_customer(database: Engine):
    """EH-123: it travels where nobody can destroy it; no name, no accusation, no text of a letter."""
    decided(database, with_emails())
    deadline(database, "review-opens:s1:2027-08-13", date(2027, 8, 13))
    tell(database, "notice_returned", date(2027, 8, 13), saw="n2", problem="SECRET: no such mailbox")
    mail = Mail()

    send(database, mail, date(2027, 8, 13))

    assert len(mail.got) == 1
    text = mail.got[0].text
    for words in (
        CASE,
        "A review is coming",
        "Review s1",
        "By: Friday 10 September 2027",
        "Under: ",
        "NE-22",
        "A letter did not arrive",
        "By: at once",
    ):
        assert words in text
    for row in owed(database):
        assert not any(secret in repr(row) for secret in SECRETS)
    for email in mail.got:
        assert not any(secret in repr(email) for secret in SECRETS)
        assert "Nic Officer" not in repr(email)


def test_several_things_go_in_one_email_and_one_goes_by_its_own_name(database: Engine):
    """EH-123: a digest where several wait."""
    proposed(database, with_emails())
    mail = Mail()
    send(database, mail, PROPOSED)
    tell(database, "approve", DECIDED, by="manager", saw="p1")

    counts = send(database, mail, DECIDED)

    assert [(one.to, one.subject) for one in mail.got] == [
        ("manager@staff.example.org", f"{CASE}: your signature is asked for"),
        ("officer@staff.example.org", "2 things wait for you"),
    ]
    assert counts == StaffCounts(emails=1, sent=2)


def test_a_person_gets_one_email_a_day_and_what_comes_later_waits(database: Engine):
    """EH-123: the second thing of a day goes the next day, and nothing is forgotten."""
    decided(database, with_emails())
    mail = Mail()
    send(database, mail, DECIDED)
    tell(database, "notice_returned", DECIDED, saw="n2", problem="SECRET")

    assert send(database, mail, DECIDED, 23) == StaffCounts()
    assert send(database, mail, DECIDED + timedelta(days=1)) == StaffCounts(emails=1, sent=1)
    assert len({one.key for one in mail.got}) == len(mail.got) == 2


def also_waits(engine: Engine, kind: str, ref: str, reader: str, due: date | None = None) -> None:
    """Owe one more email beside what the case's own acts owe, and the task it is about."""
    facts: Json = {"case_id": CASE, "body": "natural-england", "what": f"{kind} {ref}", "due": due, "cites": ["NE-14"]}
    owes: Json = {"task": f"{kind}/{ref}", "reader": reader, "reminder": str(due), "wording": kind}
    with transaction(engine) as session:
        session.add(StaffNoticeRow.model_validate({**facts, **owes, "created_at": at(DECIDED), "changed_at": at(DECIDED)}))
        task: Json = {"n": 900 + int(ref[1:]), "kind": kind, "ref": ref, "offices": [], "people": [reader], "command": "approve"}
        session.add(TaskRow.model_validate({**facts, **task}))


def test_a_signature_does_not_wait_for_the_next_day_s_email_and_there_is_no_third(database: Engine):
    """EH-130: the morning's email has gone; what is to be signed at noon is told the same day, what comes after it the next."""
    decided(database, with_emails())
    mail = Mail()
    send(database, mail, DECIDED, 9)
    also_waits(database, "sign-off", "p9", "officer")

    assert send(database, mail, DECIDED, 12) == StaffCounts(emails=1, sent=1)
    assert "your signature is asked for" in mail.got[-1].subject
    also_waits(database, "sign-off", "p8", "officer")
    assert send(database, mail, DECIDED, 13) == StaffCounts(), "no third"
    assert send(database, mail, DECIDED + timedelta(days=1)).sent == 1
    assert len({one.key for one in mail.got}) == len(mail.got) == 3


def test_what_is_due_within_two_working_days_goes_the_same_day_and_later_things_wait(database: Engine):
    """EH-130, DEF-04: Wednesday's second working day is Friday; Monday's thing waits."""
    decided(database, with_emails())
    mail = Mail()
    send(database, mail, DECIDED, 9)
    for ref, due in (("s7", date(2027, 3, 12)), ("s8", date(2027, 3, 15))):
        also_waits(database, "review", ref, "officer", due)

    assert send(database, mail, DECIDED, 12) == StaffCounts(emails=1, sent=1)
    assert "review s7" in mail.got[-1].text and "review s8" not in mail.got[-1].text


def test_an_email_put_off_never_carries_the_key_of_one_that_went_meanwhile(database: Engine):
    """EH-130: the same Message-ID would let a mail server drop it, the same name in a folder would overwrite the other."""
    decided(database, with_emails())
    mail = Mail(raises=[NotNow("The server is busy.")])
    assert send(database, mail, DECIDED, 9).later > 0
    tell(database, "notice_returned", DECIDED, saw="n2", problem="SECRET")
    assert send(database, mail, DECIDED, 9).emails == 1, "the letter that came back; the rest is put off"

    assert send(database, mail, DECIDED + timedelta(days=1)).emails == 1

    assert len(mail.got) == 2 and mail.got[0].key != mail.got[1].key


def test_two_accounts_of_one_person_with_one_address_get_one_email(database: Engine):
    """DEF-20, EH-123: what is one human being's is told once."""
    body = with_emails(mailboxes={"customer-sanctions-log": "officer@staff.example.org"})
    decided(database, body)
    mail = Mail()

    send(database, mail, DECIDED)

    assert [one.to for one in mail.got] == ["officer@staff.example.org"]
    assert mail.got[0].text.count("Customer Sanctions Log") == 1


def test_what_is_done_before_its_email_went_is_left_out(database: Engine):
    """EH-123: nobody is sent to a task that is gone."""
    proposed(database, with_emails())
    tell(database, "approve", PROPOSED, by="manager", saw="p1")
    mail = Mail()

    counts = send(database, mail, PROPOSED)

    assert counts.over == 1
    assert [one.to for one in mail.got] == ["officer@staff.example.org"]


def test_somebody_who_lost_their_address_is_not_written_to(database: Engine):
    """EH-123: the address is looked up when it goes, as the staff list stands then."""
    proposed(database, with_emails())
    with transaction(database) as session:
        save_body(session, with_emails(without=("manager",)), Loaded(at=now()))

    assert send(database, Mail(), PROPOSED) == StaffCounts(over=1)


# A mail server's troubles


def test_an_email_that_is_put_off_is_tried_again_later_and_goes_once(database: Engine):
    """EH-123: nothing was left with the server; after ten minutes, then twenty, and listed meanwhile."""
    proposed(database, with_emails())
    mail = Mail(raises=[NotNow("The server is busy."), NotNow("The server is busy.")])

    assert send(database, mail, PROPOSED).later == 1
    with reading(database) as session:
        assert [(row.state, row.problem, row.tries) for row in unsettled(session)] == [("waiting", "The server is busy.", 1)]
    assert send(database, mail, PROPOSED) == StaffCounts(), "not before its time"
    assert send(database, mail, PROPOSED, 12).later == 1
    assert [row.next_at for row in owed(database)] == [at(PROPOSED, 12) + timedelta(minutes=20)]
    assert send(database, mail, PROPOSED, 13) == StaffCounts(emails=1, sent=1)
    assert len(mail.got) == 1
    with reading(database) as session:
        assert unsettled(session) == ()


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(Declined("No such mailbox."), "declined"), (Unclear("The line went dead."), "uncertain"), (ValueError(NAME), "uncertain")],
    ids=["declined", "unclear", "a fault of the carrier's own"],
)
def test_an_email_that_is_refused_or_unclear_is_listed_and_never_sent_again(database: Engine, trouble: Exception, state: str):
    """EH-123: at most once; and one reader's trouble is not another's."""
    decided(database, with_emails(mailboxes={"customer-sanctions-log": "log@example.org"}))
    mail = Mail(raises=[trouble])

    counts = send(database, mail, DECIDED)
    again = [send(database, mail, DECIDED + timedelta(days=n)) for n in (1, 2)]

    assert counts.emails == 1, "the other reader's went"
    assert again == [StaffCounts(), StaffCounts()]
    with reading(database) as session:
        found = unsettled(session)
        assert {row.state for row in found} == {state}
        assert not any(NAME in str(row.problem) for row in found)


class Killed(BaseException):
    """The worker ends in the middle of a call."""


@pytest.mark.parametrize("twice_is_once", [False, True], ids=["a mail server", "a folder"])
@pytest.mark.parametrize("arrived", [False, True], ids=["before it arrived", "after it arrived"])
def test_a_sender_that_is_killed_sends_nothing_twice(database: Engine, twice_is_once: bool, arrived: bool):
    """EH-123: the rows say that it was on offer; a mail server is not asked twice, a folder takes the same file again."""
    proposed(database, with_emails())
    mail = Mail(twice_is_once=twice_is_once)
    calls: list[StaffEmail] = []

    def dies(email: StaffEmail) -> None:
        if arrived:
            calls.append(email)
        raise Killed

    works: Callable[[StaffEmail], None] = mail.send
    mail.send = dies  # type: ignore[method-assign]  # this once
    with pytest.raises(Killed):
        send(database, mail, PROPOSED)
    mail.send = works  # type: ignore[method-assign]  # as before

    assert send(database, mail, PROPOSED, 11) == StaffCounts(), "another round meanwhile leaves it alone"
    counts = send(database, mail, PROPOSED, 12)

    if twice_is_once:
        assert counts == StaffCounts(emails=1, sent=1)
        assert {one.key for one in calls} <= {one.key for one in mail.got}
    else:
        assert counts == StaffCounts(uncertain=1)
        assert mail.got == []
        with reading(database) as session:
            assert [row.state for row in unsettled(session)] == ["uncertain"]


def test_without_a_carrier_emails_to_staff_go_into_the_outbox(database: Engine, tmp_path: Path):
    """README: the default run sends nothing anywhere."""
    proposed(database, with_emails())

    send_staff_notices(database, Post.into(tmp_path), ENGINE_TIME, at(PROPOSED))

    [file] = (tmp_path / "staff" / "natural-england").glob("*.txt")
    assert file.name == "2027-03-09%2Fmanager.txt"
    assert "To: manager@staff.example.org" in file.read_text()


def test_the_papers_of_a_case_go_with_what_staff_were_told_of_it(database: Engine):
    """DEF-19: nothing of a destroyed case stays on a list."""
    proposed(database, with_emails())
    tell(database, "withdraw", PROPOSED, reasons="SECRET")
    assert owed(database)
    deadline(database, "retention-ends:case:2033-03-09", date(2033, 3, 10))
    for by in ("records", "complaints"):
        tell(database, "sign_destruction", date(2033, 3, 10), by=by)
    tell(database, "destroy_papers", date(2033, 3, 10), by="records")

    assert owed(database) == []


# Who reads


def test_an_office_s_mailbox_stands_in_for_its_holders_and_a_deputy_for_those_away():
    """EH-123: somebody who is away is not written to while another is there."""
    away = Person(
        id="ann", name="Ann", offices=("head",), absences=(Absence.model_validate({"from": date(2027, 3, 1), "to": date(2027, 3, 20)}),)
    )
    deputy, other = Person(id="ben", name="Ben", deputises=("head",)), Person(id="cy", name="Cy", grade=7)
    staff = NATURAL_ENGLAND_STAFF.model_copy(update={"people": (away, deputy, other)})
    task = Task(kind="sign-off", what="Approve", ref="p1", offices=("head",))

    def told(day: date, *mailboxes: str, task: Task = task) -> tuple[str, ...]:
        return readers(task, staff=staff, mailboxes=frozenset(mailboxes), on=day)

    assert told(date(2027, 3, 9)) == ("ben",)
    assert told(date(2027, 4, 9)) == ("ann",)
    assert told(date(2027, 3, 9), "head") == ("mailbox:head",)
    assert told(DECIDED, task=task.model_copy(update={"offices": (), "people": ("grade-from:6",)})) == ("cy",)
    assert told(DECIDED, task=task.model_copy(update={"offices": (), "people": ("line-manager-of:cy", "nobody")})) == ()


def test_the_command_sends_what_waits_and_lists_what_did_not_arrive(tmp_path: Path):
    """EH-123: evenhand post staff, until a round of its own does it; exit 1 where something did not reach its reader."""
    env = {"EVENHAND_VAR": str(tmp_path), "EVENHAND_DATABASE_URL": f"sqlite:///{tmp_path / 'evenhand.db'}"}
    engine = open_database(env["EVENHAND_DATABASE_URL"])
    migrate(engine)
    proposed(engine, with_emails())

    only_listed = evenhand("post", "staff", "--list", "--json", env=env)
    sent = evenhand("post", "staff", "--json", env=env)

    assert json.loads(only_listed.stdout) == {"counts": StaffCounts().model_dump(), "unsettled": []}
    assert json.loads(sent.stdout)["counts"] == StaffCounts(emails=1, sent=1).model_dump()
    assert sent.returncode == only_listed.returncode == 0
    assert len(list((tmp_path / "outbox" / "staff" / "natural-england").glob("*.txt"))) == 1
    with transaction(engine) as session:
        [row] = session.exec(select(StaffNoticeRow)).all()
        row.sqlmodel_update({"state": "declined", "problem": "No such mailbox."})
    listed = evenhand("post", "staff", env=env)
    assert listed.returncode == 1
    assert "No such mailbox." in listed.stdout
    assert evenhand("post", "staff", "--body", "nowhere", env=env).returncode == 4


# In the post round


async def test_a_post_round_sends_what_waits_for_staff_and_says_how_much(database: Engine):
    """EH-123: nobody has to think of it; the same round that asks about letters writes to staff."""
    proposed(database, with_emails())
    mail, env = Mail(), ActivityEnvironment()
    following = Following(database, replace(Post.into(Path("unused")), staff=mail))
    env.info = replace(env.info, current_attempt_scheduled_time=at(PROPOSED))
    rounds = RoundActivities(following=following, client=cast(Client, None))  # no letter is out, so no case is told

    found = await env.run(rounds.follow)

    assert (found.asked, found.staff.emails, len(mail.got)) == (0, 1, 1)
    assert {one.state for one in owed(database)} == {"sent"}
