"""Letters to somebody else than the customer, as facts: which of an agent's clients were told, by a person or by a letter that went."""

from __future__ import annotations

from datetime import date

from domain.case import Case, ClientInformed, Notice, next_id
from domain.decision import Refusal
from domain.notices import notified_on
from domain.policy import Policy


def clients_told(case: Case) -> dict[str, date]:
    """Returns the clients who were told, each with the first day it counts from: a letter's day of notification, none if it came back."""
    told: dict[str, date] = {}
    for one in case.clients_informed:
        day = notified_on(case, one.notice) if one.notice else one.on
        if day:
            told[one.client] = min(day, told.get(one.client, day))
    return told


def with_client_told(case: Case, notice_id: str) -> Case:
    """Returns the case with a client recorded as told by a letter that has gone; any other letter changes nothing here."""
    notice = case.notice(notice_id)
    known = any(one.notice == notice_id for one in case.clients_informed)
    if notice is None or notice.recipient is None or notice.recipient.kind != "client" or notice.notified_on is None or known:
        return case
    told = ClientInformed(id=next_id("k", case.clients_informed), on=notice.notified_on, client=notice.recipient.name, notice=notice.id)
    return case.model_copy(update={"clients_informed": (*case.clients_informed, told)})


def on_paper(notice: Notice, method: str, policy: Policy) -> None:
    """Refuses to record a letter to somebody else as told by telephone: a talk with a client is an act of its own."""
    if notice.recipient and method == "telephone":
        parts = policy.notice(notice.kind).parts
        raise Refusal(
            f"{notice.id} is a letter to somebody else; a call is not recorded on it.",
            cites=parts[0].sources if parts else (),
            remains="Record a talk with a client with inform_client.",
        )
