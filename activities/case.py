"""The two activities of a case: act on the record, and send a letter and note that it went."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.carriers.post import Post
from activities.clock import ENGINE_TIME, Clock
from activities.counted import count_act, count_fault
from activities.outcome import Act, Letter, Outcome
from activities.recording import Recording, RecordsBehind
from activities.sending import Sending
from records.database import transaction

WORKFLOW = "Case"
"""The type of a case's workflow; its id is the case."""
TRIES_BEFORE_SETTING_ASIDE = 5
log = logging.getLogger("evenhand.activities")


@dataclass(frozen=True)
class CaseActivities:
    """What a worker gives its activities: the records, the post, and how time runs."""

    engine: Engine
    post: Post
    clock: Clock = ENGINE_TIME

    @activity.defn(name="act")
    def act(self, act: Act) -> Outcome:
        """Act on one message in one transaction. A fault in the program is tried again, then set aside for a person."""
        _only_for(act.case)
        try:
            with transaction(self.engine) as session:
                outcome = Recording(session, act, self.clock).record()
        except (OperationalError, InterfaceError, RecordsBehind) as fault:  # tried again until the database answers, or is repaired
            raise _told(fault) from None
        except Exception as fault:
            _note(fault)
            if activity.info().attempt < TRIES_BEFORE_SETTING_ASIDE:
                raise _told(fault) from None
            with transaction(self.engine) as session:
                outcome = Recording(session, act, self.clock).set_aside(type(fault).__name__)
            count_act(act.message.get("do"), outcome.result)
            return outcome
        count_act(act.message.get("do"), outcome.result)
        if outcome.closed:
            self.post.outbox.destroy(act.case)
        return outcome

    @activity.defn(name="send")
    def send(self, letter: Letter) -> Outcome:
        """Send one letter, then record that it went, or why it cannot. It is tried for days; the case goes on meanwhile."""
        _only_for(letter.case)
        try:
            tried_at = max(letter.now, activity.info().current_attempt_scheduled_time)
            return Sending(self.engine, self.post, self.clock, beat=activity.heartbeat).send(letter, now=tried_at)
        except ApplicationError:
            raise
        except Exception as fault:
            _note(fault)
            raise _told(fault) from None


def _only_for(case: str) -> None:
    """Refuse whoever is not the case's own workflow: what the calendar and the post say is believed because of it."""
    info = activity.info()
    if (info.workflow_id, info.workflow_type) != (case, WORKFLOW):
        raise ApplicationError("Only the case's own workflow may have this done.", type="NotTheCase", non_retryable=True)


def _told(fault: Exception) -> ApplicationError:
    """Returns a fault as the engine may keep it: its kind alone, for its text and its stack may quote a person."""
    text = str(fault) if isinstance(fault, RecordsBehind) else f"A fault of kind {type(fault).__name__}; the worker's own log says where."
    return ApplicationError(text, type=type(fault).__name__)


def _note(fault: Exception) -> None:
    """Write where a fault happened into the worker's own log, without its text, and count it."""
    frames, at = traceback.extract_tb(fault.__traceback__), activity.info()
    where = [f"{'/'.join(Path(one.filename).parts[-2:])}:{one.lineno} {one.name}" for one in frames]
    about = {"fault": type(fault).__name__, "where": where, "activity": at.activity_type, "case": at.workflow_id, "attempt": at.attempt}
    log.error("A fault in the program.", extra=about)
    count_fault(type(fault).__name__)
