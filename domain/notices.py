"""Letters as facts: which notice a decision owes, and the parts it must hold before it may go."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Notice, NoticeStatus, Recipient, Signature, next_id, with_item
from domain.policy import Policy
from domain.rules import NoticeKind


def owe(
    case: Case, kind: NoticeKind, *, about: str, on: date, policy: Policy, by: Signature | None = None, recipient: Recipient | None = None
) -> tuple[Case, str | None]:
    """Returns the case owing one more letter, and its id; no letter where the policy file has none of that kind. It is the customer's,
    in the forms agreed with the customer, unless it is for a recipient."""
    rule = policy.letter(kind)
    if rule is None:
        return case, None
    issued = rule.issued_by is None or (by is not None and by.office in rule.issued_by.offices)
    notice = Notice(
        id=next_id("n", case.notices),
        kind=kind,
        about=about,
        created_on=on,
        status="to-send" if issued else "to-issue",
        issued_by=by if issued else None,
        recipient=recipient,
        read_out="owed" if recipient is None and any("spoken" in one.formats for one in case.customer.adjustments) else None,
    )
    return case.model_copy(update={"notices": (*case.notices, notice)}), notice.id


def marked(case: Case, notice: Notice, status: NoticeStatus, **facts: object) -> Case:
    """Returns the case with one letter's state changed."""
    return case.model_copy(update={"notices": with_item(case.notices, notice.model_copy(update={"status": status, **facts}))})


def notified_on(case: Case, notice_id: str | None) -> date | None:
    """Returns the day a letter counts as notified, or None while it does not."""
    notice = case.notice(notice_id or "")
    return told_on(notice) if notice else None


def told_on(notice: Notice) -> date | None:
    """Returns the day a letter counts as notified; none while it is to be read out to a customer who cannot read it (DEF-15, EH-110)."""
    return None if notice.read_out == "owed" else notice.notified_on


def reached_on(case: Case, notice_id: str | None) -> date | None:
    """Returns the day from which a letter binds the customer: notified, or later where it is proven to have come later (DEF-06)."""
    notice = case.notice(notice_id or "")
    told = told_on(notice) if notice else None
    if notice is None or told is None:
        return None
    return max(told, notice.received_on or told)


def counted_from(case: Case, notice_id: str | None) -> date | None:
    """Returns the day from which a time to appeal runs: as `reached_on`, and never sooner than the letter that prints its last day says."""
    notice, reached = case.notice(notice_id or ""), reached_on(case, notice_id)
    return max(reached, notice.counts_from or reached) if notice and reached else None


def proven_on(case: Case, notice_id: str | None) -> date | None:
    """Returns the day a letter is proved to have reached the customer, a letter put into the customer's hands by that alone; or None."""
    notice = case.notice(notice_id or "")
    if notice is None or told_on(notice) is None:
        return None
    return notice.received_on or (notice.notified_on if notice.method == "by-hand" else None)
