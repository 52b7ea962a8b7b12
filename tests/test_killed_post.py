"""A worker is killed (kill -9) at each point of a hand-over. Through the outbox there is one file, through Notify one letter; through a
mail server, which nobody can ask, one email or a person's task. Nobody is sent two."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from records.database import create_all, open_database
from tests.dying import POINTS, carrier_named
from tests.engine import ROOT
from tests.notify import FakeNotify
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
