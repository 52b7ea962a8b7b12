"""GOV.UK Notify is down for three days while time goes by on a real engine: the case goes on, and the letter goes once when it is back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from activities.carriers.outbox import Outbox
from activities.carriers.post import Post
from tests.engine import OFFICER, WARNING, act, assess, new_office, report, until
from tests.notify import FakeNotify
from tests.posting import Posting
from worker.server import skipping_server


async def test_a_letter_is_tried_again_for_days_while_its_case_goes_on(tmp_path: Path):
    """5xx: every attempt is made by the engine, at longer and longer intervals; acts are taken meanwhile; nobody gets two."""
    with FakeNotify() as notify:
        async with await skipping_server() as env:
            office, carrier = new_office(env.client, tmp_path), notify.carrier()
            office.post = Post(email=carrier, paper=carrier, outbox=Outbox(office.outbox))
            notify.fail_often(1.0, seed=1, kinds=("500", "503"))
            async with office.worker():
                await office.open("days/1")
                await office.do("days/1", report(), act("warn", "warn-1", by=OFFICER, with_=WARNING))
                began = await env.get_current_time()
                for day in range(1, 4):
                    await env.sleep(timedelta(days=1))
                    offered = notify.asked.count("POST /v2/notifications/email")
                    assert (await office.do("days/1", assess(f"day-{day}"))).accepted
                    assert [one.status for one in office.notices("days/1")] == ["to-send"] and offered >= day
                row = Posting(office.records, office.post).row("days/1", "n1")
                assert row is not None and row.problem and "GOV.UK Notify failed (50" in row.problem
                notify.fail_often(0.0, seed=1)
                await env.sleep(timedelta(hours=7))
                await until(lambda: [one.status for one in office.notices("days/1")] == ["sent"], "the letter that waited three days")

            assert (await env.get_current_time()) - began >= timedelta(days=3)
            assert len(notify.sent) == 1 and notify.asked.count("GET /v2/notifications") >= 3
            assert await office.failed_tasks("days/1") == 0
