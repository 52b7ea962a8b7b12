"""The typed limits a sanction may impose, each with the parameters without which it means nothing."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field, model_validator

from domain.model import Reference, State, Text

Channel = Literal[
    "email", "letter", "telephone", "in-person", "online-form", "social-media", "other-electronic", "home-visit", "third-party"
]
WRITTEN: frozenset[Channel] = frozenset({"email", "letter", "online-form"})
ORDINARY: frozenset[Channel] = frozenset({"letter", "in-person", "telephone", "email", "online-form"})
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Some = Annotated[tuple[Text, ...], Field(min_length=1)]
Channels = Annotated[tuple[Channel, ...], Field(min_length=1)]


class Hours(State):
    """Local times between which contact is taken."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")


class ContactVolumeLimit(State):
    """How many contacts, or how many minutes, in a civil week or month."""

    type: Literal["contact-volume-limit"]
    max_contacts: int | None = Field(default=None, ge=0)
    max_duration: int | None = Field(default=None, ge=1, description="minutes")
    per: Literal["week", "fortnight", "month"]
    channel: Channel | None = None

    @model_validator(mode="after")
    def _has_a_number(self) -> ContactVolumeLimit:
        if self.max_contacts is None and self.max_duration is None:
            raise ValueError("a volume limit needs max_contacts (a number) or max_duration (minutes)")
        return self


class ContactDurationLimit(State):
    type: Literal["contact-duration-limit"]
    channel: Channel
    max_duration: int = Field(ge=1, description="minutes")


class ChannelRestriction(State):
    type: Literal["channel-restriction"]
    channels: Channels
    address: str | None = None
    manner: Text | None = None


class ContactTimes(State):
    type: Literal["contact-times"]
    channel: Channel | None = None
    days: tuple[Weekday, ...] = ()
    times: tuple[Hours, ...] = ()

    @model_validator(mode="after")
    def _has_a_time(self) -> ContactTimes:
        if not self.days and not self.times:
            raise ValueError("contact-times needs days, times or both")
        return self


class ContactDates(State):
    type: Literal["contact-dates"]
    dates: Annotated[tuple[date, ...], Field(min_length=1)]


class SinglePointOfContact(State):
    type: Literal["single-point-of-contact"]
    officer: Reference
    deputy: Reference | None = None


class VisitByAppointmentOnly(State):
    type: Literal["visit-by-appointment-only"]
    sites: tuple[str, ...] = ("all offices",)
    how_to_book: Text


class NoReplyOnTopic(State):
    type: Literal["no-reply-on-topic"]
    topic: Some
    acknowledge: Literal[False] = False


class ServiceLegalMinimum(State):
    type: Literal["service-legal-minimum"]
    service: Text
    legal_basis: Text


class RefuseAllContact(State):
    type: Literal["refuse-all-contact"]
    includes_complaints: bool = True
    duration: Literal["temporary", "permanent"] | None = None


class LegalAction(State):
    type: Literal["legal-action"]
    referred_to: Text | None = None


class PoliceReport(State):
    type: Literal["police-report"]


class LegalOrPoliceReferral(State):
    type: Literal["legal-or-police-referral"]
    to: Literal["legal-team", "police", "both"]


class SeriousQueriesOnly(State):
    type: Literal["serious-queries-only"]
    prescribed: Text


class NewIssuesOnly(State):
    type: Literal["new-issues-only"]
    settled_issues: Some


class BlockTelephoneAndElectronic(State):
    type: Literal["block-telephone-and-electronic"]
    channels: Annotated[tuple[Literal["telephone", "email", "social-media", "other-electronic"], ...], Field(min_length=1)]


class PremisesRestriction(State):
    type: Literal["premises-restriction"]
    premises: Some
    lawful_alternative: Text | None = None


class NotRegisteringSameIssue(State):
    type: Literal["not-registering-same-issue"]
    issue: Text


class ReadAndFile(State):
    type: Literal["read-and-file"]
    reader: Reference


class WrittenAgreement(State):
    type: Literal["written-agreement"]
    terms: Text


class ThirdPartyContact(State):
    type: Literal["third-party-contact"]
    third_party: Text | None = None


class WrittenOrThirdPartyOnly(State):
    type: Literal["written-or-third-party-only"]
    mode: Literal["written", "third-party"]
    third_party: Text | None = None


class PotentiallyAggressiveMarker(State):
    type: Literal["potentially-aggressive-marker"]
    reason: Text


class FormalComplaintEmployerOrBody(State):
    type: Literal["formal-complaint-employer-or-body"]
    employer: Text | None = None
    professional_body: Text | None = None

    @model_validator(mode="after")
    def _has_an_addressee(self) -> FormalComplaintEmployerOrBody:
        if self.employer is None and self.professional_body is None:
            raise ValueError("a formal complaint needs an employer, a professional_body or both")
        return self


class FullDisengagement(State):
    type: Literal["full-disengagement"]


class PartialDisengagement(State):
    type: Literal["partial-disengagement"]
    topics: Some


class OtherAction(State):
    type: Literal["other-action"]
    description: Text


Restriction = Annotated[
    ContactVolumeLimit
    | ContactDurationLimit
    | ChannelRestriction
    | ContactTimes
    | ContactDates
    | SinglePointOfContact
    | VisitByAppointmentOnly
    | NoReplyOnTopic
    | ServiceLegalMinimum
    | RefuseAllContact
    | LegalAction
    | PoliceReport
    | LegalOrPoliceReferral
    | SeriousQueriesOnly
    | NewIssuesOnly
    | BlockTelephoneAndElectronic
    | PremisesRestriction
    | NotRegisteringSameIssue
    | ReadAndFile
    | WrittenAgreement
    | ThirdPartyContact
    | WrittenOrThirdPartyOnly
    | PotentiallyAggressiveMarker
    | FormalComplaintEmployerOrBody
    | FullDisengagement
    | PartialDisengagement
    | OtherAction,
    Field(discriminator="type"),
]

RestrictionType = Literal[
    "contact-volume-limit",
    "contact-duration-limit",
    "channel-restriction",
    "contact-times",
    "contact-dates",
    "single-point-of-contact",
    "visit-by-appointment-only",
    "no-reply-on-topic",
    "service-legal-minimum",
    "refuse-all-contact",
    "legal-action",
    "police-report",
    "legal-or-police-referral",
    "serious-queries-only",
    "new-issues-only",
    "block-telephone-and-electronic",
    "premises-restriction",
    "not-registering-same-issue",
    "read-and-file",
    "written-agreement",
    "third-party-contact",
    "written-or-third-party-only",
    "potentially-aggressive-marker",
    "formal-complaint-employer-or-body",
    "full-disengagement",
    "partial-disengagement",
    "other-action",
]

NOT_LIMITS: frozenset[str] = frozenset({"legal-action", "police-report", "legal-or-police-referral", "formal-complaint-employer-or-body"})
"""Acts done once: they end nothing, run for no period and no review lifts them (MMO-38)."""

DISENGAGING: frozenset[str] = frozenset({"full-disengagement", "partial-disengagement"})


def channels_left(restriction: Restriction) -> frozenset[Channel] | None:
    """Returns the only channels the customer may still use, or None where the restriction names none (DEF-15)."""
    match restriction:
        case ChannelRestriction(channels=channels):
            return frozenset(channels)
        case WrittenOrThirdPartyOnly(mode="written"):
            return WRITTEN
        case WrittenOrThirdPartyOnly(mode="third-party"):
            return frozenset({"third-party"})
        case BlockTelephoneAndElectronic(channels=blocked):
            also: frozenset[Channel] = frozenset({"online-form"}) if "email" in blocked else frozenset()
            return ORDINARY - frozenset(blocked) - also
        case _:
            return None


NUMBERS = ("max_contacts", "max_duration")
ALLOWED = ("days", "times", "dates")
REFUSED = ("topic", "topics", "settled_issues", "premises", "sites")


def tightens(old: Restriction, new: Restriction) -> bool:
    """Returns whether a restriction of the same type plainly limits more: a lower number, less allowed, more refused."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    lower = any(_number(after.get(name)) < _number(before.get(name)) for name in NUMBERS)
    allowed = (*ALLOWED, "channels") if old.type == "channel-restriction" else ALLOWED
    less = any(before.get(name) and not _items(before[name]) <= _items(after.get(name)) for name in allowed if after.get(name))
    refused = (*REFUSED, "channels") if old.type == "block-telephone-and-electronic" else REFUSED
    return lower or less or any(not _items(after.get(name)) <= _items(before.get(name)) for name in refused)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int) else float("inf")


def _items(value: object) -> set[str]:
    return {str(item) for item in value} if isinstance(value, list) else set()
