"""A case for tests of what is handed over: on real records, its letters really sent, every free text of it hostile or somebody's name."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

from sqlalchemy import Engine

from activities.bodies import Body, save_body
from activities.carriers.post import Post
from activities.clock import ENGINE_TIME
from activities.outcome import Act, Letter, Outcome, Source
from activities.recording import Recording
from activities.sending import Sending
from domain.people import Person
from records.database import create_all, open_database, reading, transaction
from records.keys import file_keys
from records.store import read_case
from tests.signing import signed_act

CASE = "mmo/2027-0001"
CUSTOMER, ADDRESS = "Casey <b>Sample</b>", "casey.sample@example.org"
OFFICER, MANAGER, REVIEWER, RECORDS = "sam-smith", "morgan-jones", "robin-brown", "rae-green"
STAFF = (
    Person(id=OFFICER, name="Sam Smith", grade=5, line_manager=MANAGER, area="licensing"),
    Person(id=MANAGER, name="Morgan Jones", offices=("decision-maker",), grade=8, area="licensing"),
    Person(id=REVIEWER, name="Robin Brown", offices=("reviewer",), grade=10),
    Person(id=RECORDS, name="Rae Green", offices=("records-officer",), grade=4),
)
NEIGHBOUR = "Mr Norman Neighbour"
REASONS = f'=HYPERLINK("http://evil.example","x") #import "/etc/passwd" <script>alert(1)</script> $x$ *{NEIGHBOUR}* told Sam Smith.'
SUMMARY = f"Forty emails in one week. {NEIGHBOUR} of norman@neighbour.example rang 01632 960123. \u202eevil\u2066 Sam was shouted at."
VIEW = "I, Olly Other, think that a limit is fair."
GROUNDS = {
    "own-merits": "-1+1 The licence question has been answered.",
    "proportionality-nature": "@SUM(A1) All contact is by email.",
    "proportionality-frequency": "]]> --> \\u0000 &amp; Seventy-one emails.",
}
APPEAL = "It is not fair. </svg></table> Casey Sample"
LIMIT = {"type": "contact-volume-limit", "max_contacts": 1, "per": "week", "channel": "email"}
BODY = Body(body="mmo", name="Marine Management Organisation (test)", policy="mmo", keep_years=6, people=STAFF)

Json = dict[str, object]


def message(id: str, do: str, *, by: str | None = OFFICER, on: date | None = None, saw: str | None = None, **with_: object) -> Json:
    return {"v": 1, "id": id, "do": do, "by": by, "on": on.isoformat() if on else None, "saw": saw, "with": with_}


class Records:
    """Records in a folder, with a post room that puts letters into its outbox."""

    def __init__(self, folder: Path, *, url: str | None = None, ready: bool = False) -> None:
        self.folder, self.outbox = folder, folder / "outbox"
        self.engine: Engine = open_database(url or f"sqlite:///{folder / 'evenhand.db'}", keys=lambda: file_keys(folder))
        if not ready:
            create_all(self.engine)
        with transaction(self.engine) as session:
            save_body(session, BODY)

    def tell(self, sent: Json, day: date, *, source: Source = "outside", case: str = CASE) -> Outcome:
        with transaction(self.engine) as session:
            act = Act(case=case, message=sent, source=source, now=_at(day))
            outcome = Recording(session, signed_act(session, act), ENGINE_TIME).record()
        assert outcome.accepted, f"{sent['do']}: {outcome.answer} {outcome.cites} {outcome.remains}"
        self.post(day, case=case)
        return outcome

    def post(self, day: date, *, case: str = CASE) -> None:
        """Send every letter that is to go."""
        with reading(self.engine) as session:
            found = read_case(session, case)
        sending = Sending(self.engine, Post.into(self.outbox), ENGINE_TIME)
        for one in found.notices if found else ():
            if one.status == "to-send":
                sending.send(Letter(case=case, notice=one.id, now=_at(day)), now=_at(day))

    def restricted(self, case: str = CASE) -> Records:
        """Lead a case to its decision and an appeal against it: from 1 February to 20 March 2027."""
        customer = {"name": CUSTOMER, "channel": "email", "address": ADDRESS}
        contact = {"area": "licensing", "contact_officer": OFFICER}
        for sent, day in (
            (message(f"open:{case}", "open_case", body="mmo", customer=customer, **contact), date(2027, 2, 1)),
            (message("m2", "report_behaviour", code="excessive-contact", medium="email", summary=SUMMARY), date(2027, 2, 1)),
            (message("m3", "warn", medium="email", findings={"concerns": SUMMARY, "policy-copy-directed": True}), date(2027, 2, 1)),
            (message("m4", "report_behaviour", code="excessive-contact", medium="email", summary="Thirty more."), date(2027, 2, 19)),
            (message("m5", "consult", by=MANAGER, person=REVIEWER, about="decision", view=VIEW), date(2027, 3, 9)),
            (message("m6", "impose_sanction", by=MANAGER, restrictions=[LIMIT], reasons=REASONS, findings=GROUNDS), date(2027, 3, 10)),
            (message("m7", "appeal", by="customer", on=date(2027, 3, 19), medium="email", grounds=APPEAL), date(2027, 3, 20)),
        ):
            self.tell(sent, day, case=case)
        return self


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=timezone.utc)
