"""What one restriction means for one contact at the desk. Every type of restriction has its answer here (domain/restrictions.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import assert_never

from domain.contact_words import Verdict
from domain.days import in_words
from domain.desk_entry import WEEKDAYS, Used, period_of
from domain.desk_question import Found, Question
from domain.named_officer import who_takes
from domain.restrictions import (
    WRITTEN,
    BlockTelephoneAndElectronic,
    Channel,
    ChannelRestriction,
    ContactDates,
    ContactDurationLimit,
    ContactTimes,
    ContactVolumeLimit,
    FormalComplaintEmployerOrBody,
    FullDisengagement,
    Hours,
    LegalAction,
    LegalOrPoliceReferral,
    NewIssuesOnly,
    NoReplyOnTopic,
    NotRegisteringSameIssue,
    OtherAction,
    PartialDisengagement,
    PoliceReport,
    PotentiallyAggressiveMarker,
    PremisesRestriction,
    ReadAndFile,
    RefuseAllContact,
    SeriousQueriesOnly,
    ServiceLegalMinimum,
    SinglePointOfContact,
    ThirdPartyContact,
    VisitByAppointmentOnly,
    WrittenAgreement,
    WrittenOrThirdPartyOnly,
)
from domain.topics import alike

LIVE: frozenset[Channel] = frozenset({"telephone", "in-person", "home-visit"})
"""Where somebody is spoken to and can be stopped; what comes in any other way has arrived and is read (EH-23)."""


def finding(q: Question) -> Found | None:
    """Returns what a restriction says to the contact, or None where it does not touch it."""
    match q.limit.restriction:
        case ContactVolumeLimit() as one:
            return _volume(q, one)
        case ContactDurationLimit() as one:
            says = f"Keep it to {one.max_duration} minutes, then end the conversation politely."
            return q.found("limit-it", says) if one.channel == q.asked.channel else None
        case ChannelRestriction() | BlockTelephoneAndElectronic() | WrittenOrThirdPartyOnly() | ThirdPartyContact() as one:
            return None if q.asked.channel in q.entry.adjusted else _way(q, one)
        case ContactTimes() as one:
            return _times(q, one) if one.channel in (None, q.asked.channel) else None
        case ContactDates() as one:
            return _dates(q, one)
        case SinglePointOfContact() as one:
            return _single_point(q, one)
        case VisitByAppointmentOnly() | PremisesRestriction() as one:
            return _place(q, one) if q.asked.channel == "in-person" else None
        case NoReplyOnTopic(topic=topics) | NewIssuesOnly(settled_issues=topics) | PartialDisengagement(topics=topics):
            return _topic(q, topics)
        case NotRegisteringSameIssue(issue=issue):
            return _topic(q, (issue,))
        case ServiceLegalMinimum() | OtherAction() as one:
            return q.found("limit-it", _terms(one))
        case WrittenAgreement(terms=terms):
            return _agreement(q, terms)
        case RefuseAllContact() as one:
            return _refused(q, one)
        case SeriousQueriesOnly() as one:
            says = f"A person judges whether it is serious: {one.prescribed} If it is, deal with it; if not, it is filed without an answer."
            return q.found("read-and-file", says)
        case ReadAndFile() as one:
            return _read_and_file(q, one)
        case FullDisengagement():
            return q.found("read-and-file", CLASSIFY, also=q.entry.classified_by)
        case LegalAction() | PoliceReport() | LegalOrPoliceReferral() | FormalComplaintEmployerOrBody() | PotentiallyAggressiveMarker():
            return None  # limits no contact; a marker is told as a caution
        case other:
            assert_never(other)


CLASSIFY = "Read it and file it without an answer; a person classifies it, and one wholly on another topic is answered."


def _volume(q: Question, one: ContactVolumeLimit) -> Found | None:
    if one.channel not in (None, q.asked.channel) or q.limit.told_on is None:
        return None
    first, last = period_of(q.asked.on, one, told=q.limit.told_on, starts=q.entry.week_starts)
    used = q.limit.used.get(first, Used())
    by = f" by {one.channel}" if one.channel else ""
    counted = f"this {one.per} ({_short(first)} to {_short(last)})"
    if one.max_contacts is not None and used.contacts >= one.max_contacts:
        says = f"The limit is {_contacts(one.max_contacts)}{by} a {one.per}; {used.contacts} used {counted}, and this is one more. {OVER}"
        return q.found("limit-it", says, departs=True, also=q.entry.counted_by, used=used, period=(first, last))
    if one.max_duration is not None and used.minutes >= one.max_duration:
        says = f"The limit is {one.max_duration} minutes{by} a {one.per}; {used.minutes} minutes used {counted}. {OVER}"
        return q.found("limit-it", says, departs=True, also=q.entry.counted_by, used=used, period=(first, last))
    verdict, says = _within(one, used, f"{by} {counted}")
    return q.found(verdict, says, also=q.entry.counted_by, used=used, period=(first, last))


OVER = "Take nothing further now save what is new or urgent; what came in writing is read, and kept without an answer."


def _within(one: ContactVolumeLimit, used: Used, counted: str) -> tuple[Verdict, str]:
    number = f"This is contact {used.contacts + 1} of {one.max_contacts}{counted}." if one.max_contacts is not None else ""
    if one.max_duration is None:
        return "deal-with-it", number
    left = one.max_duration - used.minutes
    return "limit-it", f"{number} {left} of {one.max_duration} minutes are left{counted}.".strip()


def _contacts(number: int) -> str:
    return f"{number} contact" if number == 1 else f"{number} contacts"


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _way(q: Question, one: ChannelRestriction | BlockTelephoneAndElectronic | WrittenOrThirdPartyOnly | ThirdPartyContact) -> Found | None:
    """Returns what a limit on the way of contact says; a call may be ended, what has arrived is read (EH-23)."""
    channel, also = q.asked.channel, ("EH-23",)
    match one:
        case ThirdPartyContact():
            if channel == "third-party":
                return None
            through = one.third_party or "a third party of the customer's choice"
            return q.found("limit-it", f"The customer was asked to make contact through {through}: say so, and go no further.")
        case ChannelRestriction():
            open_to = f"{_ways(one.channels)}{f' to {one.address}' if one.address else ''}"
            if channel in one.channels:
                manner = f"This way is open: {open_to}.{f' {one.manner}' if one.manner else ''}"
                return q.found("deal-with-it", manner)
        case WrittenOrThirdPartyOnly():
            open_to = "in writing" if one.mode == "written" else f"through {one.third_party or 'a third party'}"
            if channel in (WRITTEN if one.mode == "written" else {"third-party"}):
                return None
        case BlockTelephoneAndElectronic():
            blocked = {*one.channels, *(("online-form",) if "email" in one.channels else ())}
            open_to = f"any way but {_ways(one.channels)}"
            if channel not in blocked:
                return None
        case other:
            assert_never(other)
    if channel in LIVE:
        return q.found("refuse", f"Contact is open {open_to} only. Say so, and end it politely.", departs=True, also=also)
    return q.found("read-and-file", f"Contact is open {open_to} only. Read it for anything new, then file it.", departs=True, also=also)


def _ways(channels: Iterable[str]) -> str:
    return "by " + " or ".join(one.replace("-", " ") for one in channels)


def _times(q: Question, one: ContactTimes) -> Found:
    when = f"{', '.join(day.capitalize() for day in one.days)} {' and '.join(map(_hours, one.times))}".strip()
    day_fits = not one.days or WEEKDAYS[q.asked.on.weekday()] in one.days
    time_fits = not one.times or (q.asked.at is not None and any(hours.start <= q.asked.at < hours.end for hours in one.times))
    if day_fits and one.times and q.asked.at is None:
        return q.found("limit-it", f"Contact is taken {when} (London time): look whether it is that time.")
    if day_fits and time_fits:
        return q.found("deal-with-it", f"This is one of the set times: {when}.")
    if q.asked.channel in LIVE:
        return q.found("refuse", f"Contact is taken {when} only. Say so, and end it politely.", departs=True, also=("EH-23",))
    says = f"Contact is taken {when} only: read it for anything new now, and deal with it at the next set time."
    return q.found("limit-it", says, also=("EH-23",))


def _hours(hours: Hours) -> str:
    return f"{hours.start:%H:%M} to {hours.end:%H:%M}"


def _dates(q: Question, one: ContactDates) -> Found:
    if q.asked.on in one.dates:
        return q.found("deal-with-it", "This is one of the dates on which contact is taken.")
    following = min((day for day in one.dates if day > q.asked.on), default=None)
    when = f"The next date for contact is {in_words(following)}." if following else "No date for contact is left."
    if q.asked.channel in LIVE:
        return q.found("refuse", f"{when} Say so, and end it politely.", departs=True, also=("EH-23",))
    verdict: Verdict = "limit-it" if following else "read-and-file"
    then = "keep it for that date" if following else "file it"
    return q.found(verdict, f"{when} Read it for anything new now, then {then}.", also=("EH-23",))


def _single_point(q: Question, one: SinglePointOfContact) -> Found:
    taker = who_takes(one.officer, one.deputy, q.staff, q.asked.on)
    asking = q.staff.by_id.get(q.asked.by or "")
    if asking and taker.human == asking.human:
        return q.found("deal-with-it", "You are the person this customer may contact.", pass_to=taker.id)
    return q.found("pass-to-named-officer", f"{taker.says} Pass it on, and answer nothing yourself.", departs=True, pass_to=taker.id)


def _place(q: Question, one: VisitByAppointmentOnly | PremisesRestriction) -> Found:
    if isinstance(one, VisitByAppointmentOnly):
        says = f"Visits to {', '.join(one.sites)} by appointment only. Without one, say how to book: {one.how_to_book}"
        return q.found("limit-it", says)
    instead = f" Instead: {one.lawful_alternative}" if one.lawful_alternative else ""
    says = f"No access to {', '.join(one.premises)}. Elsewhere, deal with it.{instead}"
    return q.found("refuse", says, departs=True)


def _topic(q: Question, topics: tuple[str, ...]) -> Found:
    """Returns what a limit on topics says. A person judges what a contact is about (EH-24); shared words are a sign, no more."""
    named = "; ".join(topics)
    disengaged = isinstance(q.limit.restriction, PartialDisengagement)
    also = ("EH-24", *(q.entry.classified_by if disengaged else ()))
    if not any(alike(q.asked.topic, one) for one in topics):
        return q.found("deal-with-it", f"Deal with it unless it is about: {named}. Then it is read and filed.", also=also)
    then = CLASSIFY if disengaged else "If so, read it for anything new and file it without an answer; if not, deal with it as new-issue."
    return q.found("read-and-file", f"It seems to be about: {named}. {then}", departs=not disengaged, also=also)


def _agreement(q: Question, terms: str) -> Found | None:
    """Returns the terms, as agreed or as asked for; what the customer refused binds nobody (NE-62)."""
    if q.limit.agreed == "refused":
        return None
    what = "agreed with the customer" if q.limit.agreed else "asked of the customer"
    return q.found("limit-it", f"Keep to what was {what} in writing: {terms}")


def _terms(one: ServiceLegalMinimum | OtherAction) -> str:
    match one:
        case ServiceLegalMinimum():
            return f"Where it is about {one.service}: do what the law requires and no more ({one.legal_basis})."
        case OtherAction():
            return f"Read what was decided before you go on: {one.description}"


def _refused(q: Question, one: RefuseAllContact) -> Found | None:
    if q.asked.kind == "complaint" and not one.includes_complaints:
        return None
    read = "" if q.asked.channel in LIVE else " It is read all the same, for anything that must pass."
    return q.found("refuse", f"No further contact is taken.{read}", departs=True, also=("EH-22",))


def _read_and_file(q: Question, one: ReadAndFile) -> Found | None:
    if q.asked.channel in LIVE:
        return None
    taker = who_takes(one.reader, None, q.staff, q.asked.on)
    says = f"{taker.says} Correspondence is read by that officer for anything new, then filed without an answer."
    return q.found("read-and-file", says, pass_to=taker.id)
