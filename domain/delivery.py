"""Letters on their way: issued, withheld, sent, told by a person, blocked, returned. Sent and notified are two dates."""

from __future__ import annotations

from datetime import date

from domain.case import Case, Notice, NoticeStatus, Signature
from domain.commands import IssueNotice, NoticeBlocked, NoticeReturned, RecordNotification, WithholdNotice
from domain.days import Calendar, deemed_notified
from domain.decision import Decision, Refusal, decided
from domain.guards import authorise, require_findings, signed_by, the_day
from domain.notices import marked
from domain.people import Actor
from domain.policy import NoticeRule, Policy
from domain.third_party import on_paper, with_client_told

NO_MORE = ("sent", "withheld")
STILL_HERE = ("to-issue", "to-send", "withheld", "blocked")
"""What never left the house cannot come back."""
READ_OUT = ("telephone", "by-hand")
"""Ways of telling by which a letter can be read out."""
AFRESH: dict[str, object] = dict.fromkeys(
    (
        "sent_on",
        "notified_on",
        "told_by",
        "received_on",
        "received_evidence",
        "carrier",
        "delayed_on",
        "handed_on",
        "expected_on",
        "delivered_on",
        "problem",
        "counts_from",
        "posted_on",
        "posted_how",
    )
)
"""What a letter loses that goes again: it is sent, told and received anew."""


RETURNED: dict[str, object] = dict.fromkeys(
    ("notified_on", "received_on", "received_evidence", "delivered_on", "counts_from", "posted_on", "posted_how")
)


def issue_notice(case: Case, command: IssueNotice, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Issue a letter: the post that the policy names writes to the customer. One withheld, blocked or returned may go again."""
    on = the_day(command.on, today=today)
    notice, rule = _waiting(case, command.saw, policy, ("to-issue", "withheld", "blocked", "returned", "uncertain"))
    _not_before(on, notice)
    if case.ending == "mistake" and notice.kind != "removed":
        remains = "The letter that takes it back."
        raise Refusal(f"The case was undone as a mistake; {notice.id} is not sent.", cites=["EH-131"], remains=remains)
    who = rule.issued_by or rule.may_be_withheld
    by = authorise(who, actor=actor, case=case, policy=policy, on=on, act="issue this letter") if who else signed_by(actor, on)
    again = notice.issue + (notice.status != "to-issue")
    issued = marked(case, notice, "to-send", issued_by=by, issue=again, **AFRESH, read_out="owed" if notice.read_out else None)
    return decided(issued, f"{rule.label} {notice.id} issued.", cites=who.sources if who else ())


def withhold_notice(case: Case, command: WithholdNotice, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Decide not to tell the customer, where and by whom the policy allows it; the reasons are kept."""
    on = the_day(command.on, today=today)
    notice, rule = _waiting(case, command.saw, policy, ("to-issue",))
    if rule.may_be_withheld is None:
        raise Refusal(f"The {rule.label} is always sent.", cites=[source for part in rule.parts for source in part.sources][:3])
    authorise(rule.may_be_withheld, actor=actor, case=case, policy=policy, on=on, act="decide not to tell the customer")
    require_findings(rule.withholding_requires, command.findings, act="withhold the letter")
    return decided(
        marked(case, notice, "withheld", withheld_reasons=command.reasons),
        f"{rule.label} {notice.id} is not sent; the reasons are recorded.",
        cites=rule.may_be_withheld.sources,
    )


def _waiting(case: Case, saw: str | None, policy: Policy, statuses: tuple[NoticeStatus, ...]) -> tuple[Notice, NoticeRule]:
    notice = _notice(case, saw)
    if notice.status not in statuses:
        raise Refusal(f"{notice.id} is {notice.status}; it does not wait for this.", kind="stale")
    return notice, policy.notice(notice.kind)


def _notice(case: Case, saw: str | None) -> Notice:
    notice = case.notice(saw or "")
    if notice is None:
        waiting = ", ".join(one.id for one in case.notices if one.status not in NO_MORE)
        raise Refusal("saw must name the letter.", kind="stale", remains=f"Waiting: {waiting}." if waiting else "No letter waits.")
    return notice


def _gone(case: Case, saw: str | None) -> Notice:
    notice = case.notice(saw or "")
    if notice is None:
        sent = ", ".join(one.id for one in case.notices if one.status == "sent")
        raise Refusal("saw must name the letter that came back.", kind="stale", remains=f"Sent: {sent}." if sent else "No letter was sent.")
    if notice.status in STILL_HERE:
        raise Refusal(f"{notice.id} is {notice.status}: it has not gone, so it cannot have come back.", kind="stale", cites=["DEF-06"])
    return notice


def record_notification(
    case: Case, command: RecordNotification, *, actor: Actor, policy: Policy, calendar: Calendar, today: date
) -> Decision:
    """Record that a person told the customer: handed over, read out, posted by hand. Of two notifications the earlier stands; the time
    to appeal that a letter on its way prints runs from the later all the same."""
    on = the_day(command.on, today=today)
    by = signed_by(actor, on)
    notice = _notice(case, command.saw)
    _not_before(on, notice)
    _in_the_form(case, notice, command.method, policy)
    on_paper(notice, command.method, policy)
    if notice.status == "withheld":
        raise Refusal(f"{notice.id} was withheld; telling the customer now would go against that decision.")
    if notice.status == "to-issue":
        raise Refusal(f"{notice.id} has not been issued by the post that writes to the customer.", cites=_issuer(notice, policy))
    told = deemed_notified(on, command.method, calendar)
    if command.method in READ_OUT and notice.read_out == "owed":
        notice = notice.model_copy(update={"read_out": "done"})
        case = marked(case, notice, notice.status)
        if notice.notified_on:
            return _read_out(case, notice, max(told, notice.notified_on), by)
    if notice.notified_on and notice.notified_on <= told:
        return _told_before(case, notice, command.method)
    facts = _beside_the_post(notice, calendar)
    case = marked(case, notice, "sent", method=command.method, sent_on=on, notified_on=told, told_by=by, problem=None, **facts)
    case = with_client_told(case, notice.id)
    return decided(
        case, f"{notice.id} told {command.method.replace('-', ' ')}; it counts as notified on {told.isoformat()}.", cites=["DEF-06"]
    )


def _read_out(case: Case, notice: Notice, told: date, by: Signature) -> Decision:
    """Decides that a letter that went earlier is told now, to a customer who was to hear it: what binds, and every time, begins here."""
    case = marked(case, notice, notice.status, notified_on=told, told_by=by)
    said = f"{notice.id} read out; it counts as notified on {told.isoformat()}, and each time that it names runs from then."
    return decided(case, said, cites=["DEF-15", "EH-110"])


def _beside_the_post(notice: Notice, calendar: Calendar) -> dict[str, object]:
    """Returns what is kept of a letter that is on its way, or with a carrier, when the customer is told sooner: it prints its own dates."""
    if notice.notified_on:
        return {"counts_from": notice.counts_from or notice.notified_on, "posted_on": notice.sent_on, "posted_how": notice.method}
    if notice.expected_on and notice.method:
        counts = deemed_notified(notice.expected_on, notice.method, calendar)
        return {"counts_from": counts, "posted_on": notice.expected_on, "posted_how": notice.method}
    return {}


def _told_before(case: Case, notice: Notice, method: str) -> Decision:
    """Decides that the earlier notification stands: a customer is told once, and what came later is kept in the log alone."""
    assert notice.notified_on is not None
    stands = notice.notified_on.isoformat()
    return decided(case, f"{notice.id} told again {method.replace('-', ' ')}; the notification of {stands} stands.", cites=["DEF-06"])


def _in_the_form(case: Case, notice: Notice, method: str, policy: Policy) -> None:
    rule = policy.notice(notice.kind).letter_only
    adjusted = any(one.instead_of_writing or "spoken" in one.formats for one in case.customer.adjustments)
    if rule and rule.value and method == "telephone" and not adjusted:
        raise Refusal("This is told by letter; a call will not do.", cites=rule.sources, remains="Send the letter.")


def _not_before(on: date, notice: Notice) -> None:
    if on < notice.created_on:
        raise Refusal(f"{notice.id} was decided on {notice.created_on.isoformat()}, after {on.isoformat()}.", cites=["DEF-06"])


def _issuer(notice: Notice, policy: Policy) -> tuple[str, ...]:
    rule = policy.notice(notice.kind)
    return rule.issued_by.sources if rule.issued_by else ()


def notice_blocked(case: Case, command: NoticeBlocked, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a letter cannot go as it stands; the case goes on and a person looks."""
    notice = _notice(case, command.saw)
    if notice.status in NO_MORE:
        raise Refusal(f"{notice.id} is already {notice.status}.", kind="stale")
    return decided(
        marked(case, notice, "blocked", problem=command.problem), f"{notice.id} cannot be sent as it stands.", cites=command.clauses
    )


def notice_returned(case: Case, command: NoticeReturned, *, actor: Actor, policy: Policy, calendar: Calendar, today: date) -> Decision:
    """Record that a letter came back: whether and when the customer was notified is open again, unless a person told them besides."""
    notice, on = _gone(case, command.saw), the_day(command.on, today=today)
    if notice.status == "sent" and notice.told_by and notice.method in READ_OUT:
        return _came_back_beside(case, notice, command, on)
    return decided(
        marked(case, notice, "returned", **RETURNED, returned_on=on, problem=command.problem),
        f"{notice.id} was returned.",
        cites=["DEF-06"],
    )


def _came_back_beside(case: Case, notice: Notice, command: NoticeReturned, on: date) -> Decision:
    """Decides that a copy that came back takes nothing from what a person read out or handed over; its own dates stay (DEF-06)."""
    assert notice.told_by is not None and notice.method is not None and notice.sent_on is not None
    facts: dict[str, object] = {"returned_on": on, "problem": command.problem, "posted_on": None, "posted_how": None}
    said = (
        f"The copy of {notice.id} in the post came back; {notice.told_by.person} told the customer "
        f"{notice.method.replace('-', ' ')} on {notice.sent_on.isoformat()}, and that notification stands."
    )
    return decided(marked(case, notice, "sent", **facts), said, cites=["DEF-06"])
