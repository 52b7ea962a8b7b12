"""A worker is killed (kill -9) at each point of a hand-over. Through the outbox there is one file, through Notify one letter; through a
mail server, which nobody can ask, one email or a person's task. Nobody is sent two."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from records.database import create_all, open_database
from tests.dying import POINTS, carrier_named
from tests.engine import OFFICER, ROOT, WARNING, Process, act, new_office, report, until
from tests.engine import server as server
from tests.notify import KEY, TEMPLATE, FakeNotify
from tests.posting import EMAIL, PAPER, Posting
from tests.test_smtp import Sink, serving

CARRIERS = ("outbox", "smtp", "notify-email", "notify-paper")


@dataclass
class Way:
    """One carrier with what it delivers to."""

    name: str
    where: str
    customer: dict[str, object]
    sink: Sink = field(default_factory=Sink)
    notify: FakeNotify | None = None

    @property
    def received(self) -> int:
        """Returns how many letters the customer gets."""
        if self.notify:
            return len(self.notify.sent)
        return len(list(Path(self.where).glob("*/*.pdf"))) if self.name == "outbox" else len(self.sink.kept)


@pytest.fixture(params=CARRIERS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    match request.param:
        case "outbox":
            yield Way("outbox", str(tmp_path / "outbox"), dict(PAPER))
        case "smtp":
            sink = Sink()
            with serving(sink) as port:
                yield Way("smtp", str(port), dict(EMAIL), sink=sink)
        case paper:
            with FakeNotify() as notify:
                yield Way("notify", notify.url, dict(EMAIL if paper == "notify-email" else PAPER), notify=notify)


async def test_a_worker_killed_while_notify_answers_leaves_its_letter_to_the_next_which_asks(server: WorkflowEnvironment, tmp_path: Path):
    """A worker as it runs in production; the engine gives its letter to the next when it has said nothing for 45 seconds."""
    with FakeNotify() as notify:
        office, carrier = new_office(server.client, tmp_path), notify.carrier()
        settings = {
            "EVENHAND_DATABASE_URL": str(office.records.url), "EVENHAND_TASK_QUEUE": office.queue, "EVENHAND_VAR": str(tmp_path),
            "EVENHAND_TEMPORAL_ADDRESS": office.client.service_client.config.target_host, "EVENHAND_EMAIL_CARRIER": "notify",
            "EVENHAND_NOTIFY_API_KEY": KEY.get_secret_value(), "EVENHAND_NOTIFY_EMAIL_TEMPLATE": TEMPLATE,
            "EVENHAND_NOTIFY_URL": notify.url,
        }  # fmt: skip
        with Process([sys.executable, "-m", "worker"], env=settings, log=tmp_path / "worker.log") as worker:
            await office.open("killed/1")
            await office.do("killed/1", report())
            notify.hold = threading.Event()
            await office.do("killed/1", act("warn", "warn-1", by=OFFICER, with_=WARNING))
            await until(notify.holding.is_set, "the letter is with Notify, which does not answer yet")
            worker.kill()
        notify.hold.set()
        assert [one.status for one in office.notices("killed/1")] == ["to-send"] and len(notify.sent) == 1

        office.post = Post(email=carrier, paper=carrier, outbox=Outbox(office.outbox))
        async with office.worker():
            for _ in range(3):
                with suppress(AssertionError):
                    await office.settled("killed/1")
            assert [one.status for one in office.notices("killed/1")] == ["sent"]

        assert len(notify.sent) == 1 and KEY.get_secret_value() not in (tmp_path / "worker.log").read_text()
        await office.handle("killed/1").terminate("test over")


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_any_point_of_a_hand_over_leaves_one_letter_or_a_question(way: Way, point: str, tmp_path: Path):
    database = tmp_path / "evenhand.db"
    engine = open_database(f"sqlite:///{database}")
    create_all(engine)
    carrier = carrier_named(way.name, where=way.where)
    posting = Posting(engine, Post(email=carrier, paper=carrier, outbox=Outbox(tmp_path / "none")))
    posting.set_up()
    if way.notify:
        way.notify.clock = posting.now
    letter = posting.decided("mmo/1", customer=way.customer)

    command = [sys.executable, "-m", "tests.dying", point, str(database), way.name, way.where, "mmo/1", letter, posting.now.isoformat()]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    had = way.received
    posting.now += timedelta(minutes=1)
    outcome = posting.sent("mmo/1", letter)

    notice = posting.notice("mmo/1", letter)
    if way.name == "smtp" and point in ("offered", "taken"):
        assert notice.status == "uncertain" and way.received == had
        assert [one.kind for one in posting.tasks("mmo/1") if one.ref == letter] == ["letter"], "a person finds out"
    else:
        assert notice.status == ("handed-over" if way.name == "notify" and way.customer == PAPER else "sent")
        assert way.received == 1
    assert had == (point in ("taken", "noted")) and way.received <= 1
    assert outcome.accepted and not outcome.to_send
    row = posting.row("mmo/1", letter)
    assert row is not None and row.state == ("uncertain" if notice.status == "uncertain" else "handed")
    again = posting.sent("mmo/1", letter)
    assert again.accepted and way.received <= 1, "asked once more it sends nothing"
    assert posting.notice("mmo/1", letter) == notice
