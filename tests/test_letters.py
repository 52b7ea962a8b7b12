"""Letters: every part a clause demands, in plain words, and never anybody's markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

from activities import letters
from activities.letters import Rendered, Unprintable, render
from domain.case import Adjustment, Arrangement, Case, Extreme
from domain.clocks import all_deadlines
from domain.commands import (
    AcceptLateAppeal,
    AddAdjustment,
    Appeal,
    AppointRepresentative,
    Approve,
    Consult,
    Correct,
    DeadlinePassed,
    DecideAppeal,
    DecideNewIssue,
    DeclineLateAppeal,
    ImposeSanction,
    PassAppeal,
    RaiseNewIssue,
    Recommend,
    RecordReply,
    ReiterateNotice,
    ReportBehaviour,
    ReportExternally,
    RequestReview,
    ReviewSanction,
    TakeMeasure,
    TakeNoAction,
    TellOfReport,
    Warn,
    WriteToThirdParty,
)
from domain.days import in_words
from domain.letters import Letter, MissingPart, Section, compose
from domain.people import CALENDAR, CUSTOMER
from domain.practice import is_partly_practice
from domain.restrictions import (
    ContactVolumeLimit,
    PartialDisengagement,
    PoliceReport,
    PremisesRestriction,
    Restriction,
    RestrictionType,
    SinglePointOfContact,
)
from policies import load
from tests.stories import (
    AGENT,
    CASEY,
    ENGLAND,
    MMO,
    PORTSMOUTH_GROUNDS,
    a_complained_of_agent,
    a_disengaged_natural_england_case,
    a_referred_council_case,
    a_referred_maidstone_case,
    a_referred_portsmouth_case,
    a_restricted_council_case,
    a_restricted_maidstone_case,
    a_restricted_mmo_case,
    a_restricted_portsmouth_case,
    a_sanctioned_natural_england_case,
    a_warned_maidstone_case,
    a_warned_mmo_case,
    a_warned_natural_england_case,
    a_warned_portsmouth_case,
    after,
    an_opened_council_case,
    council,
    kept_after_refusal,
    maidstone,
    mmo,
    natural_england,
    policy_named,
    portsmouth,
)

POLICIES = [name for name in load.names() if name in load.clause_lists()]

# The stories: for each kind of letter a real case that owes it


def lapsed(case: Case) -> Case:
    """Returns the case after every deadline up to the end of its restrictions has come."""
    while case.in_force:
        due = next(one for one in all_deadlines(case, policy_named(case.policy), ENGLAND) if one.key not in case.passed)
        case = after(case, (DeadlinePassed(key=due.key), CALENDAR, due.fires))
    return case


def mmo_late_appeal() -> Case:
    return kept_after_refusal(a_restricted_mmo_case(), Appeal(medium="email", grounds="I was away."), CUSTOMER, date(2027, 4, 1))


def mmo_appealed() -> Case:
    return after(a_restricted_mmo_case(), (Appeal(medium="email", grounds="It is not fair."), CUSTOMER, date(2027, 3, 20)))


def mmo_reviewed(outcome: str = "continue", reasons: str | None = "The emails went on until last week.") -> Case:
    findings = {"good-grounds": "Forty emails since the new year."} if outcome == "continue" else {}
    review = ReviewSanction(saw="s1", why="scheduled", outcome=outcome, reasons=reasons, findings=findings)  # type: ignore[arg-type]  # one of the outcomes
    return after(a_restricted_mmo_case(), (review, mmo("reviewer"), date(2028, 3, 10)))


def portsmouth_late_appeal() -> Case:
    return after(a_restricted_portsmouth_case(), (Appeal(medium="letter", grounds="I was away."), CUSTOMER, date(2027, 5, 4)))


def portsmouth_appealed() -> Case:
    return after(a_restricted_portsmouth_case(), (Appeal(medium="letter", grounds="It is not fair."), CUSTOMER, date(2027, 3, 20)))


def portsmouth_requested() -> Case:
    return after(a_restricted_portsmouth_case(), (RequestReview(medium="letter"), CUSTOMER, date(2027, 5, 4)))


def portsmouth_extreme() -> Case:
    impose = ImposeSanction(
        restrictions=(PremisesRestriction(type="premises-restriction", premises=("Civic Offices",)),),
        reasons="You damaged the front desk.",
        until=date(2027, 9, 10),
        findings={**PORTSMOUTH_GROUNDS, "evidence-reviewed": "The report of the front desk."},
        extreme=Extreme(reasons="Damage to the front desk."),
    )
    return after(a_referred_portsmouth_case(), (impose, portsmouth("solicitor"), date(2027, 3, 10)))


def portsmouth_reported() -> Case:
    threat = Extreme(reasons="A threat at the front desk.", immediate_threat="A named officer is in danger.")
    impose = ImposeSanction(
        restrictions=(PoliceReport(type="police-report"),),
        reasons="You threatened an officer.",
        findings={**PORTSMOUTH_GROUNDS, "evidence-reviewed": "The report of the front desk."},
        extreme=threat,
    )
    return after(a_referred_portsmouth_case(), (impose, portsmouth("solicitor"), date(2027, 3, 10)))


REVIEWED_FOR = {
    "personal-circumstances": "Considered.",
    "cause-of-behaviour": "Considered.",
    "service-needed": "Considered.",
    "risk-to-customer": "Considered.",
}


def portsmouth_reviewed() -> Case:
    review = ReviewSanction(
        saw="s1",
        why="scheduled",
        outcome="extend",
        until=date(2028, 1, 10),
        reasons="The calls began again in August.",
        findings=REVIEWED_FOR,
    )
    again = ReportBehaviour(code="excessive-contact", medium="telephone", summary="Nine calls in a day.")
    consult = Consult(person="assistant", about="review", view="Go on.")
    return after(
        a_restricted_portsmouth_case(),
        (again, portsmouth("officer"), date(2027, 8, 20)),
        (consult, portsmouth("helpdesk"), date(2027, 8, 25)),
        (review, portsmouth("helpdesk"), date(2027, 9, 1)),
    )


def portsmouth_agreed() -> Case:
    arrangement = Arrangement(
        spoc="Nic Officer", channel="telephone", frequency="week", terms="One call on Tuesdays.", adjustments=("Large print.",)
    )
    return after(
        a_warned_portsmouth_case(), (RecordReply(reply="agreed", arrangement=arrangement), portsmouth("manager"), date(2027, 2, 22))
    )


NO_ACTION = TakeNoAction(
    reasons="The fault was ours.",
    findings={"individual-circumstances": "The repair was late.", "unreasonable": False, "restrictions-needed": False},
)
MISTAKE = Correct(reasons="Another customer of the same name.")
TWO_CALLS = ContactVolumeLimit(type="contact-volume-limit", max_contacts=2, per="week", channel="telephone")
TWO_EMAILS = ContactVolumeLimit(type="contact-volume-limit", max_contacts=2, per="week", channel="email")
ANOTHER_PERSON = SinglePointOfContact(type="single-point-of-contact", officer="Cam Colleague")


def changed_to(restriction: Restriction, outcome: str = "vary") -> DecideAppeal:
    reasons = "A little more room will do no harm."
    return DecideAppeal(saw="a1", outcome=outcome, restrictions=(restriction,), reasons=reasons)  # type: ignore[arg-type]  # an outcome


UPHELD = DecideAppeal(saw="a1", outcome="uphold", reasons="The limit leaves room for every real question.")
PAPERS = PassAppeal(saw="a1", decision_papers=("papers/1",), appeal_papers=("papers/2",))
ACCEPT, DECLINE = AcceptLateAppeal(saw="a1", reasons="You were in hospital."), DeclineLateAppeal(saw="a1", reasons="No reason was given.")
BY_PHONE = Appeal(medium="telephone")

STORIES: dict[tuple[str, str], Callable[[], Case]] = {
    ("mmo", "warning"): a_warned_mmo_case,
    ("mmo", "decision"): a_restricted_mmo_case,
    ("mmo", "no-action"): lambda: after(a_warned_mmo_case(), (NO_ACTION, mmo("manager"), date(2027, 3, 1))),
    ("mmo", "appeal-acknowledged"): mmo_appealed,
    ("mmo", "appeal-late-accepted"): lambda: after(mmo_late_appeal(), (ACCEPT, mmo("reviewer"), date(2027, 4, 2))),
    ("mmo", "appeal-late-declined"): lambda: after(mmo_late_appeal(), (DECLINE, mmo("reviewer"), date(2027, 4, 2))),
    ("mmo", "appeal-outcome"): lambda: after(mmo_appealed(), (changed_to(TWO_EMAILS), mmo("reviewer"), date(2027, 4, 1))),
    ("mmo", "review-outcome"): mmo_reviewed,
    ("mmo", "how-to-write"): lambda: kept_after_refusal(a_restricted_mmo_case(), BY_PHONE, CUSTOMER, date(2027, 3, 20)),
    ("mmo", "lapse"): lambda: lapsed(a_restricted_mmo_case(until=date(2027, 9, 10))),
    ("mmo", "removed"): lambda: after(a_restricted_mmo_case(), (MISTAKE, mmo("manager"), date(2027, 3, 20))),
    ("portsmouth", "warning"): a_warned_portsmouth_case,
    ("portsmouth", "agreement"): portsmouth_agreed,
    ("portsmouth", "decision"): a_restricted_portsmouth_case,
    ("portsmouth", "extreme-decision"): portsmouth_extreme,
    ("portsmouth", "external-report"): portsmouth_reported,
    ("portsmouth", "no-action"): lambda: after(a_referred_portsmouth_case(), (NO_ACTION, portsmouth("helpdesk"), date(2027, 3, 10))),
    ("portsmouth", "appeal-acknowledged"): portsmouth_appealed,
    ("portsmouth", "appeal-late-accepted"): lambda: after(portsmouth_late_appeal(), (ACCEPT, portsmouth("helpdesk"), date(2027, 5, 5))),
    ("portsmouth", "appeal-late-declined"): lambda: after(portsmouth_late_appeal(), (DECLINE, portsmouth("helpdesk"), date(2027, 5, 5))),
    ("portsmouth", "appeal-outcome"): lambda: after(
        portsmouth_appealed(),
        (PAPERS, portsmouth("helpdesk"), date(2027, 3, 24)),
        (changed_to(TWO_CALLS, "amend"), portsmouth("director"), date(2027, 4, 6)),
    ),
    ("portsmouth", "review-request-acknowledged"): portsmouth_requested,
    ("portsmouth", "review-request-refused"): lambda: kept_after_refusal(
        portsmouth_requested(), RequestReview(medium="letter"), CUSTOMER, date(2027, 6, 1)
    ),
    ("portsmouth", "review-outcome"): portsmouth_reviewed,
    ("portsmouth", "how-to-write"): lambda: kept_after_refusal(a_restricted_portsmouth_case(), BY_PHONE, CUSTOMER, date(2027, 3, 20)),
    ("portsmouth", "lapse"): lambda: lapsed(a_restricted_portsmouth_case()),
    ("portsmouth", "removed"): lambda: after(a_restricted_portsmouth_case(), (MISTAKE, portsmouth("helpdesk"), date(2027, 3, 20))),
}


TO_CLIENT = WriteToThirdParty(
    to="client",
    name="Sample Client",
    address="1 Sample Lane\nExampleton\nZZ99 9ZZ",
    behaviour="Nine calls in a day, each with insults.",
    effect="Your application at Sample Hill may take longer.",
)
TO_EMPLOYER = WriteToThirdParty(
    saw="s1",
    to="employer",
    name="Sample Land Agents",
    address="2 Sample Lane\nExampleton\nZZ99 9ZZ",
    behaviour="Nine calls in a day, each with insults.",
)
AGAINST_IT = Appeal(medium="email", grounds="It is not fair.")
LATER, END = date(2027, 4, 1), date(2027, 9, 10)


def maidstone_appealed() -> Case:
    return after(a_restricted_maidstone_case(), (AGAINST_IT, CUSTOMER, date(2027, 3, 20)))


def maidstone_reviewed() -> Case:
    findings = {"necessity": "The calls go on.", "ongoing-behaviour": "Nine calls a day.", "behavioural-cycles": "Every Monday."}
    review = ReviewSanction(
        saw="s1", why="scheduled", outcome="continue", until=date(2027, 9, 10), reasons="The calls go on.", findings=findings
    )
    return after(
        a_restricted_maidstone_case(),
        (Recommend(saw="s1", outcome="continue", reasons="The calls go on."), maidstone("team"), date(2027, 6, 1)),
        (review, maidstone("head"), date(2027, 6, 8)),
    )


def maidstone_new_issue() -> Case:
    return after(
        a_restricted_maidstone_case(),
        (RaiseNewIssue(summary="A leak in another flat."), maidstone("officer"), LATER),
        (Consult(person="head", about="new-issue", view="Let it through."), maidstone("manager"), LATER),
        (DecideNewIssue(saw="x1", outcome="vary", reasons="The leak is a new matter."), maidstone("manager"), LATER),
    )


def natural_england_appealed() -> Case:
    return after(a_sanctioned_natural_england_case(), (AGAINST_IT, CUSTOMER, date(2027, 3, 20)))


def natural_england_reviewed() -> Case:
    less = PartialDisengagement(type="partial-disengagement", topics=("the consent of 2024",))
    review = ReviewSanction(saw="s2", why="scheduled", outcome="amend", restrictions=(less,), reasons="The fence is settled.")
    return after(
        a_disengaged_natural_england_case(),
        (review, natural_england("officer"), date(2028, 6, 1)),
        (Approve(saw="v1"), natural_england("manager"), date(2028, 6, 1)),
    )


def natural_england_continued() -> Case:
    findings = {"improvement-considered": "None so far."}
    review = ReviewSanction(
        saw="s1", why="scheduled", outcome="continue", review_on=date(2028, 3, 10), reasons="The emails go on.", findings=findings
    )
    return after(
        a_sanctioned_natural_england_case(),
        (Consult(person="manager", about="review", view="Go on."), natural_england("officer"), date(2027, 9, 1)),
        (review, natural_england("officer"), date(2027, 9, 2)),
    )


def natural_england_reported() -> Case:
    return after(
        a_warned_natural_england_case(),
        (ReportExternally(to="police", reasons="A threat to a colleague."), natural_england("director"), LATER),
        (TellOfReport(saw="e1"), natural_england("director"), LATER),
    )


def council_reviewed() -> Case:
    findings = {"behaviour-since": "Two more scenes.", "good-grounds": "Staff are still afraid."}
    review = ReviewSanction(saw="s1", why="scheduled", outcome="continue", reasons="It goes on.", findings=findings)
    return after(a_restricted_council_case(), (review, council("executive"), date(2027, 9, 10)))


def council_warned() -> Case:
    warn = Warn(medium="email", findings={"concerns": "You shouted at the counter."})
    return after(an_opened_council_case(), (warn, council("officer"), LATER))


def council_marked() -> Case:
    marker = TakeMeasure(measure="potentially-aggressive-marker", reasons="You threw a chair.")
    return after(an_opened_council_case(), (marker, council("manager"), LATER))


STORIES |= {
    ("maidstone", "warning"): a_warned_maidstone_case,
    ("maidstone", "decision"): a_restricted_maidstone_case,
    ("maidstone", "no-action"): lambda: after(a_referred_maidstone_case(), (NO_ACTION, maidstone("head"), LATER)),
    ("maidstone", "appeal-acknowledged"): maidstone_appealed,
    ("maidstone", "appeal-outcome"): lambda: after(maidstone_appealed(), (UPHELD, maidstone("director"), LATER)),
    ("maidstone", "review-outcome"): maidstone_reviewed,
    ("maidstone", "new-issue"): maidstone_new_issue,
    ("maidstone", "lapse"): lambda: lapsed(a_restricted_maidstone_case()),
    ("maidstone", "removed"): lambda: after(a_restricted_maidstone_case(), (MISTAKE, maidstone("head"), LATER)),
    ("natural-england", "warning"): a_warned_natural_england_case,
    ("natural-england", "decision"): lambda: a_sanctioned_natural_england_case(until=END),
    ("natural-england", "disengagement"): a_disengaged_natural_england_case,
    ("natural-england", "reiteration"): lambda: after(
        a_disengaged_natural_england_case(), (ReiterateNotice(saw="s2"), natural_england("officer"), END)
    ),
    ("natural-england", "external-report"): natural_england_reported,
    ("natural-england", "client-told"): lambda: after(
        a_warned_natural_england_case(customer=AGENT), (TO_CLIENT, natural_england("officer"), LATER)
    ),
    ("natural-england", "formal-complaint"): lambda: after(a_complained_of_agent(), (TO_EMPLOYER, natural_england("officer"), LATER)),
    ("natural-england", "no-action"): lambda: after(a_warned_natural_england_case(), (NO_ACTION, natural_england("manager"), LATER)),
    ("natural-england", "appeal-acknowledged"): natural_england_appealed,
    ("natural-england", "challenge-refused"): lambda: kept_after_refusal(
        natural_england_appealed(), Appeal(medium="email"), CUSTOMER, date(2027, 6, 1)
    ),
    ("natural-england", "appeal-outcome"): lambda: after(
        natural_england_appealed(), (changed_to(ANOTHER_PERSON), natural_england("complaints"), LATER)
    ),
    ("natural-england", "review-outcome"): natural_england_reviewed,
    ("natural-england", "lapse"): lambda: lapsed(a_sanctioned_natural_england_case(until=END)),
    ("natural-england", "removed"): lambda: after(a_sanctioned_natural_england_case(), (MISTAKE, natural_england("manager"), LATER)),
    ("council-2024-2028", "warning"): council_warned,
    ("council-2024-2028", "decision"): lambda: a_restricted_council_case(until=END),
    ("council-2024-2028", "marker"): council_marked,
    ("council-2024-2028", "no-action"): lambda: after(a_referred_council_case(), (NO_ACTION, council("executive"), LATER)),
    ("council-2024-2028", "review-outcome"): council_reviewed,
    ("council-2024-2028", "lapse"): lambda: lapsed(a_restricted_council_case(until=END)),
    ("council-2024-2028", "removed"): lambda: after(a_restricted_council_case(), (MISTAKE, council("executive"), LATER)),
}


UNCHANGED = {
    ("maidstone", "appeal-outcome"): {"restrictions"},
    ("mmo", "warning"): {"links"},
    ("natural-england", "warning"): {"links"},
}
"""Parts that a story's letter need not hold: restrictions that an appeal left as they were are not set out again, and a warning points
to a charter or a promise only where whoever warns chose that."""


def composed(case: Case, kind: str, *, day: date | None = None) -> Letter:
    """Returns the latest letter of a kind as facts, sent on the day it was created unless another is given."""
    notice = next(one for one in reversed(case.notices) if one.kind == kind)
    return compose(case, notice, policy=policy_named(case.policy), calendar=ENGLAND, sent_on=day or notice.created_on)


def printed(case: Case, kind: str, *, day: date | None = None) -> Rendered:
    return render(composed(case, kind, day=day), policy=case.policy)


class Page(HTMLParser):
    """Reads a page as a browser would: its tags with their attributes, and the words people see."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self._unseen = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._unseen += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)

    @property
    def text(self) -> str:
        return plain("".join(self.words))


def plain(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()


# Every kind, every part


def test_there_is_a_story_for_every_letter_of_every_shipped_policy():
    """Conventions: the tests below would say nothing of a letter that no story owes."""
    owed = {(name, kind) for name in POLICIES for kind in load.policy(name).notices}
    print(f"{len(owed)} letters of {len(POLICIES)} policies")

    assert len(owed) >= 50
    assert sorted(owed - set(STORIES)) == []
    assert sorted(set(STORIES) - owed) == []


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_a_letter_holds_every_part_its_clauses_demand(name: str, kind: str):
    """Design 3: the policy file lists the parts with their clauses; each is there with its heading, in HTML and in text."""
    letter = composed(STORIES[name, kind](), kind)
    parts = policy_named(name).notices[kind].parts  # type: ignore[index]  # a kind of the policy
    demanded = [part.part for part in parts if part.part not in UNCHANGED.get((name, kind), set())]

    rendered = render(letter, policy=name)

    page = Page(rendered.html)
    assert len(demanded) >= 1
    assert list(rendered.parts) == [section.part for section in letter.sections] == demanded
    practice = bool(re.search("<h3>Policy and practice</h3>", rendered.html))
    assert practice == any((part.practice and part.part != "ombudsman") or part.partly for part in letter.sections)
    assert page.tags.count("h3") == len(demanded) + 1 + practice, "a heading a part, one for help, one for what is no policy"
    assert page.tags.count("h1") == page.tags.count("h2") == 1
    for words in (page.text, rendered.text):
        assert letter.name in words
        assert letter.reference in words
        assert letter.dated in words
        assert letter.body in words


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_a_letter_has_no_gap_and_no_trace_of_its_making(name: str, kind: str):
    """Conventions: plain words for a person; nothing of a template, an escape or an empty value."""
    rendered = printed(STORIES[name, kind](), kind)

    for words in (Page(rendered.html).text, rendered.text):
        assert re.findall(r"\\|\{\{|\{%|\bNone\b|\bnull\b|\bTrue\b|\bFalse\b|undefined|\*\*|  \.| ,|\.\.", words) == []
    assert not re.search(r"\n{3,}", rendered.text)


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_every_date_in_a_letter_is_printed_with_its_own_weekday(name: str, kind: str):
    """Design 4: Monday 29 March 2027; never a bare or machine date."""
    text = printed(STORIES[name, kind](), kind).text
    months = "January|February|March|April|May|June|July|August|September|October|November|December"
    dates = re.findall(rf"((?:\w+day )?\d{{1,2}} (?:{months}) \d{{4}})", text)

    assert len(dates) >= 1
    for words in dates:
        day = date(int(words.split()[-1]), months.split("|").index(words.split()[-2]) + 1, int(words.split()[-3]))
        assert words == in_words(day)
    assert re.findall(r"\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}", text) == []


@pytest.mark.parametrize(("name", "kind"), STORIES, ids=lambda one: one)
def test_a_part_that_only_a_default_puts_there_is_marked_as_practice(name: str, kind: str):
    """Design 3: a value that no clause gives is a default, and a person sees the difference in letters too."""
    case = STORIES[name, kind]()
    parts = policy_named(name).notices[kind].parts  # type: ignore[index]  # a kind of the policy
    absent = UNCHANGED.get((name, kind), set())

    letter = composed(case, kind)
    text = render(letter, policy=name).text

    default = [part.part for part in parts if not part.cites and part.part not in absent]
    assert [one.part for one in letter.sections if one.practice] == default
    assert sorted(practice_of(text)) == sorted(heading_of(letter, part, name) for part in default)


def heading_of(letter: Letter, part: str, policy: str) -> str:
    """Returns the heading under which a letter prints a part."""
    alone = letter.model_copy(update={"sections": tuple(one for one in letter.sections if one.part == part)})
    return str(re.findall(r"<h3>(.+?)</h3>", render(alone, policy=policy).html)[0])


def practice_of(text: str) -> list[str]:
    """Returns the headings that a letter marks as practice; the ombudsman's part says so itself."""
    found = re.findall(r"(?:^The part |They are not the words of our policy: )(“[^.]+”)", text, re.MULTILINE)
    own = ["Who else can help"] if "This is information for you. It is not part of our policy." in text else []
    return (re.findall("“(.+?)”", found[0]) if found else []) + own


PARTLY = {
    ("mmo", "decision"): {"review-date"},  # twelve months (MMO-44), from the decision (DEF-05)
    ("mmo", "appeal-acknowledged"): {"answer-due"},  # twenty working days (MMO-43), of which calendar (DEF-04)
    ("maidstone", "decision"): {"until"},  # three months (MBC-45), from the decision
    ("portsmouth", "decision"): {"appeal"},  # 28 days (PCC-81), from the notification
    ("council-2024-2028", "decision"): {"review-date"},  # a minimum of six months (C24-64), read as six
    ("natural-england", "disengagement"): {"topics", "review-date", "clear-time"},
}
"""Letters with the parts that a clause puts there and a default fills."""


@pytest.mark.parametrize(("name", "kind"), PARTLY, ids=lambda one: one)
def test_a_part_that_a_default_fills_beside_its_clause_is_marked_as_partly_practice(name: str, kind: str):
    """Design 3: a day counted from where no clause says is not the policy's own day."""
    policy = policy_named(name)
    parts = policy.notices[kind].parts  # type: ignore[index]  # a kind of the policy

    assert {one.part for one in parts if is_partly_practice(one, policy, disengages=kind == "disengagement")} == PARTLY[name, kind]
    if (name, kind) in STORIES:
        letter = composed(STORIES[name, kind](), kind)
        [marked] = re.findall(r"How we apply (.+ is in part our practice\..*)", render(letter, policy=name).text)
        assert set(re.findall("“(.+?)”", marked)) == {heading_of(letter, part, name) for part in PARTLY[name, kind]}


def test_the_letter_that_confirms_a_spoken_warning_says_on_which_day_it_was_given():
    """PCC-26, PCC-30: step one was held on 8 February 2027 and confirmed on the 9th. A written warning is its own first word."""
    spoken, written = printed(a_warned_portsmouth_case(), "warning"), printed(a_warned_mmo_case(), "warning")

    assert "We first told you about this on Monday 8 February 2027." in spoken.text
    assert "<p>We first told you about this on Monday 8 February 2027.</p>" in spoken.html.replace("\xa0", " ")
    assert "first told" not in written.text


def test_an_ended_case_still_hears_how_to_write_and_who_stands_for_the_customer():
    """DEF-15: letters may still go out from an archived case, a late answer among them."""
    case = after(a_warned_mmo_case(), (NO_ACTION, mmo("manager"), date(2027, 3, 1)))
    assert case.stage == "archived"

    case = after(
        case,
        (AddAdjustment(adjustment=Adjustment(need="Large print")), mmo("officer"), date(2027, 3, 2)),
        (AppointRepresentative(representative="Bobby Sample"), mmo("officer"), date(2027, 3, 2)),
    )

    assert (case.stage, case.customer.representative) == ("archived", "Bobby Sample")
    assert [one.need for one in case.customer.adjustments] == ["Large print"]


def test_the_decision_letter_says_what_the_customer_needs_to_act():
    """MMO-29, MMO-30, MMO-40 to MMO-42, MMO-44: what, why, the right, by when, and when it is looked at again."""
    text = plain(printed(a_restricted_mmo_case(), "decision").text)

    for words in (
        "at most 1 contact by email each week",
        "Answering kept the team from other customers.",
        "You can make a request for a review in writing; an email will do.",
        "within 2 weeks",
        "The last day is Wednesday 24 March 2027.",
        "We will next review this on Friday 10 March 2028.",
        "version 1.0, March 2022",
        "Parliamentary and Health Service Ombudsman",
    ):
        assert words in text


def test_a_posted_letter_counts_the_window_from_the_day_it_is_deemed_told():
    """DEF-06, PCC-81: posted on Thursday 11 March 2027, told on Monday the 15th; the last day is 28 days later."""
    text = printed(a_restricted_portsmouth_case(), "decision", day=date(2027, 3, 11)).text

    assert "The last day is Monday 12 April 2027." in text
    assert "until the end of Friday 10 September 2027" in text


def test_a_sanction_that_goes_on_is_told_with_the_date_of_its_next_review():
    """NE-22, NE-23: what was considered, why it is still needed, and when it is looked at again."""
    text = plain(printed(natural_england_continued(), "review-outcome").text)

    assert "continue as they are" in text
    assert "The emails go on." in text
    assert "Friday 10 March 2028" in text


@pytest.mark.parametrize("reasons", [None, "You have kept to the limit all year."])
def test_a_lifted_restriction_is_told_with_or_without_reasons(reasons: str | None):
    """MMO-45, MMO-46: limits are lifted unless there are good grounds; the outcome is told all the same."""
    text = printed(mmo_reviewed("lift", reasons), "review-outcome").text

    assert "lifted" in text
    assert "We will next review" not in text
    assert (reasons or "The outcome of our review") in text


def portsmouth_amended_by_review() -> Case:
    review = ReviewSanction(
        saw="s1", why="own-motion", outcome="amend", restrictions=(TWO_CALLS,), reasons="The calls are fewer.", findings=REVIEWED_FOR
    )
    return after(
        a_restricted_portsmouth_case(),
        (Consult(person="assistant", about="review", view="Ease it."), portsmouth("helpdesk"), date(2027, 6, 1)),
        (review, portsmouth("helpdesk"), date(2027, 6, 2)),
    )


@pytest.mark.parametrize(
    ("story", "kind"),
    [(portsmouth_amended_by_review, "review-outcome"), (STORIES["portsmouth", "appeal-outcome"], "appeal-outcome")],
    ids=["review", "appeal"],
)
def test_a_letter_about_changed_restrictions_says_what_they_are_now(story: Callable[[], Case], kind: str):
    """PCC-74, PCC-87, DEF-14: the letter explains the action; a customer who is told only that the limits changed cannot keep them."""
    assert "at most 2 contacts by telephone each week" in plain(printed(story(), kind).text)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("natural-england", "external-report", "the police"),
        ("natural-england", "reiteration", "the consent of 2024"),
        ("natural-england", "disengagement", "2 years"),
        ("natural-england", "warning", "customer.feedback@naturalengland.org.uk"),
        ("council-2024-2028", "marker", "You threw a chair."),
        ("council-2024-2028", "decision", "verbal abuse"),
        ("maidstone", "decision", "until the end of Thursday 10 June 2027"),
        ("maidstone", "new-issue", "The leak is a new matter."),
    ],
)
def test_a_letter_says_what_it_is_about(name: str, kind: str, said: str):
    """NE-28, NE-32, NE-36, NE-41, NE-49, C24-59, C24-63, MBC-43, MBC-53: the customer reads the thing itself, not that there is one."""
    text = plain(printed(STORIES[name, kind](), kind).text)

    assert said in text
    assert "We are not limiting your contact with us" not in text


@pytest.mark.parametrize(
    "decided",
    [
        lambda: after(mmo_appealed(), (UPHELD, mmo("reviewer"), LATER)),
        lambda: after(maidstone_appealed(), (UPHELD, maidstone("director"), LATER)),
        lambda: after(natural_england_appealed(), (UPHELD, natural_england("complaints"), LATER)),
    ],
    ids=["mmo", "maidstone", "natural-england"],
)
def test_an_appeal_that_changes_nothing_is_answered_with_its_reasons(decided: Callable[[], Case]):
    """DEF-14: every outcome is told, including one that changes nothing; the letter leaves no doubt which decision stands."""
    text = plain(printed(decided(), "appeal-outcome").text)

    assert "Our decision stands" in text
    assert "The limit leaves room for every real question." in text


def test_an_appeal_that_varies_a_maidstone_restriction_keeps_the_end_the_customer_was_told():
    """MBC-43, MBC-45, MBC-62: the three months run from the decision, not from the appeal; 10 June 2027 stays the end."""
    case = after(maidstone_appealed(), (changed_to(TWO_CALLS), maidstone("director"), LATER))

    assert case.sanctions[0].terms.until == date(2027, 6, 10)
    assert "at most 2 contacts by telephone each week" in plain(printed(case, "appeal-outcome").text)


@pytest.mark.parametrize("kind", ["decision", "appeal-acknowledged", "appeal-outcome"])
def test_maidstone_prints_no_time_limit_to_appeal(kind: str):
    """MBC-62, MBC-63: the text gives no window, no form and no time to answer, so none may be printed."""
    text = printed(STORIES["maidstone", kind](), kind).text

    assert re.findall(r"must reach us|The last day|in writing; an email|We will answer within|\bnone\b", text) == []


# A part that cannot be given


def without_findings(case: Case) -> Case:
    return case.model_copy(update={"warnings": (case.warnings[0].model_copy(update={"findings": {}}),)})


def with_terms(case: Case, **terms: object) -> Case:
    sanction = case.sanctions[0]
    changed = sanction.model_copy(update={"terms": sanction.terms.model_copy(update=terms)})
    return case.model_copy(update={"sanctions": (changed,)})


def restricted_by(parameters: dict[str, object]) -> Case:
    """Returns a case restricted by any one restriction, whether or not this policy offers it."""
    restriction: Restriction = TypeAdapter(Restriction).validate_python(parameters)
    return with_terms(a_restricted_mmo_case(), restrictions=(restriction,))


def with_review(case: Case, **facts: object) -> Case:
    return case.model_copy(update={"reviews": (case.reviews[0].model_copy(update=facts),)})


GAPS: dict[str, tuple[Callable[[], Case], str, str, tuple[str, ...]]] = {
    "a warning without its concerns": (lambda: without_findings(a_warned_mmo_case()), "warning", "concerns", ("MMO-24",)),
    "step one without its concerns": (lambda: without_findings(a_warned_portsmouth_case()), "warning", "concerns", ("PCC-30",)),
    "a decision without reasons": (lambda: with_terms(a_restricted_mmo_case(), reasons=""), "decision", "reasons", ("MMO-30",)),
    "a decision that restricts nothing": (
        lambda: with_terms(a_restricted_mmo_case(), restrictions=()),
        "decision",
        "restrictions",
        ("MMO-29",),
    ),
    "a decision without its end": (lambda: with_terms(a_restricted_portsmouth_case(), until=None), "decision", "until", ("PCC-54",)),
    "a decision that is not there": (
        lambda: a_restricted_mmo_case().model_copy(update={"sanctions": ()}),
        "decision",
        "restrictions",
        ("MMO-29",),
    ),
    "a review without reasons": (lambda: with_review(mmo_reviewed(), reasons=None), "review-outcome", "reasons", ("MMO-47",)),
    "an acknowledgement of nothing": (
        lambda: mmo_appealed().model_copy(update={"challenges": ()}),
        "appeal-acknowledged",
        "answer-due",
        ("MMO-43",),
    ),
    "an answer without its outcome": (
        lambda: STORIES["portsmouth", "appeal-outcome"]().model_copy(update={"challenges": portsmouth_appealed().challenges}),
        "appeal-outcome",
        "outcome",
        ("PCC-86", "PCC-87"),
    ),
    "an agreement without its arrangement": (
        lambda: portsmouth_agreed().model_copy(update={"replies": ()}),
        "agreement",
        "arrangement",
        ("PCC-31",),
    ),
}


@pytest.mark.parametrize("gap", GAPS)
def test_a_missing_part_stops_the_letter_and_names_its_clauses(gap: str):
    """Design 3: no notice without its mandatory parts; the error says which part and which clause demands it."""
    story, kind, part, clauses = GAPS[gap]

    with pytest.raises(MissingPart) as missing:
        printed(story(), kind)

    assert (missing.value.part, missing.value.cites) == (part, clauses)
    assert all(clause in str(missing.value) for clause in clauses)


def test_a_part_of_mere_spaces_is_missing_too():
    """Design 3: a part that prints nothing is no part."""
    letter = composed(a_restricted_mmo_case(), "decision")
    blank = letter.sections[1].model_copy(update={"facts": {"text": "   "}})

    with pytest.raises(MissingPart, match="reasons"):
        render(letter.model_copy(update={"sections": (blank,)}), policy="mmo")


# Nobody's markup


HOSTILE = {
    "script": "<script>alert('x')</script> and <img src=x onerror=alert(1)>",
    "link": "[our refund](javascript:alert(1)) and <https://evil.example> and [a]: https://evil.example",
    "image": "![tracker](https://evil.example/pixel.png)",
    "heading": "# You have won",
    "emphasis": "**bold** _sly_ `code` ~~gone~~",
    "entities": "&lt;b&gt; &amp; &#60;script&#62; &nbsp;",
    "jinja": "{{ 7 * 7 }} {% include 'page.html' %} {# gone #}",
    "backslash": r"C:\dir\*star* \<b\> \\",
    "quote": "> quoted, - listed, 1. counted, + added",
    "comment": "<!-- hidden --> ]]> <![CDATA[ x ]]>",
    "table": "| a | b | --- ===",
    "quotes": 'it\'s "so" & 5 < 6 > 4',
}
LINES = {
    "headings": "Before\n# Big\n## Less big\nafter",
    "an underlined heading": "You have won\n============\nafter",
    "a line under words": "You have won\n------------\nafter",
    "a list": "Before\n\n- one\n- two\n\n1. first\n2) second",
    "a quotation": "Before\n\n> quoted\n\nafter",
    "a code block": "Before\n\n    indented by *four*\n\nafter",
    "a tab": "Before\n\n\tindented by a *tab*\n\nafter",
    "a fence": "Before\n\n```\ncode\n```\n~~~\nmore\n~~~",
    "a rule": "Before\n\n---\n***\n___\nafter",
    "raw HTML": "Before\n\n<div>\n<b>x</b>\n</div>\n\nafter",
    "a named link": "[a][b]\n\n[b]: https://evil.example 'title'",
}


def letter_to(name: str, said: str) -> Rendered:
    customer = CASEY.model_copy(update={"name": name, "address": said})
    return printed(a_restricted_mmo_case(customer=customer, reasons=said), "decision")


@pytest.mark.parametrize("kind", HOSTILE)
def test_words_of_a_person_never_become_markup(kind: str):
    """Design 5: names, addresses and reasons are printed as they stand, whatever characters they hold."""
    said, harmless = HOSTILE[kind], Page(letter_to("Casey Sample", "Some words.").html)

    page = Page(letter_to(said, said).html)

    assert page.tags == harmless.tags
    assert page.attributes == harmless.attributes
    assert page.text.count(plain(said)) == 4, "in the address, the greeting, above it, and in the reasons"


@pytest.mark.parametrize("kind", LINES)
def test_words_over_several_lines_become_paragraphs_and_nothing_else(kind: str):
    """Design 5: a heading, list or link can come from the wording only."""
    said, harmless = LINES[kind], Page(letter_to("Casey Sample", "Some words.").html)

    page = Page(letter_to("Casey Sample", said).html)

    assert [tag for tag in page.tags if tag not in ("p", "br")] == [tag for tag in harmless.tags if tag not in ("p", "br")]
    assert page.attributes == harmless.attributes
    assert plain(said) in page.text


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_text_letter_gives_the_words_as_they_were_written(kind: str):
    """MMO-30: the customer is given a clear explanation; the text form takes nothing out of it."""
    text = plain(letter_to("Casey Sample", HOSTILE[kind]).text)

    assert text.count(plain(HOSTILE[kind])) == 2, "in the address and in the reasons"


def test_a_number_sign_that_begins_a_line_of_the_reasons_stays():
    """MMO-30: the text form is made from the wording's markup alone; '# 4' in the reasons is no heading."""
    text = letter_to("Casey Sample", "The places are:\n# 4 in the first street").text

    assert "# 4 in the first street" in text


def test_every_free_text_of_a_warning_is_printed_as_it_stands():
    """MMO-24: the concerns are the officer's words."""
    page = Page(printed(a_warned_mmo_case(concerns=HOSTILE["script"]), "warning").html)

    assert "script" not in page.tags
    assert plain(HOSTILE["script"]) in page.text


@pytest.mark.parametrize("kind", HOSTILE)
def test_words_inside_a_restriction_never_become_markup(kind: str):
    """MMO-35: the topic is in the officer's and the customer's words."""
    topic = {"type": "no-reply-on-topic", "topic": [HOSTILE[kind]]}
    harmless = {"type": "no-reply-on-topic", "topic": ["Some words."]}

    page, other = (Page(printed(restricted_by(one), "decision").html) for one in (topic, harmless))

    assert page.tags == other.tags
    assert plain(HOSTILE[kind]) in page.text


def test_a_page_loads_nothing_from_elsewhere():
    """Design 5: a letter is whole in itself; no address in it is fetched or followed."""
    pages = [Page(printed(story(), kind).html) for (_, kind), story in STORIES.items()]

    assert len(pages) >= 50
    assert {name for page in pages for _, name, _ in page.attributes} <= {"lang", "charset", "name", "content"}


# Words for every restriction

EXAMPLES: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "contact-volume-limit": (
        {"max_contacts": 3, "max_duration": 45, "per": "month", "channel": "telephone"},
        ("3 contacts", "45 minutes", "telephone", "month"),
    ),
    "contact-duration-limit": ({"channel": "telephone", "max_duration": 10}, ("telephone", "10 minutes")),
    "channel-restriction": (
        {"channels": ["email"], "address": "info@example.org", "manner": "Write one matter at a time."},
        ("email", "info@example.org", "Write one matter at a time."),
    ),
    "contact-times": (
        {"channel": "telephone", "days": ["tuesday", "friday"], "times": [{"from": "09:00", "to": "10:30"}]},
        ("telephone", "Tuesday", "Friday", "from 09:00 to 10:30"),
    ),
    "contact-dates": ({"dates": ["2027-04-05", "2027-05-03"]}, ("Monday 5 April 2027", "Monday 3 May 2027")),
    "single-point-of-contact": ({"officer": "Nic Officer", "deputy": "Del Deputy"}, ("Nic Officer", "Del Deputy")),
    "visit-by-appointment-only": (
        {"sites": ["Civic Offices"], "how_to_book": "Ring 000 first."},
        ("Civic Offices", "appointment", "Ring 000 first."),
    ),
    "no-reply-on-topic": ({"topic": ["the fence", "the hedge"]}, ("the fence; the hedge", "not reply")),
    "service-legal-minimum": ({"service": "licence advice", "legal_basis": "Act of 2009"}, ("licence advice", "Act of 2009")),
    "refuse-all-contact": ({"includes_complaints": True}, ("not register or deal with", "complaints", "reasonable adjustment")),
    "legal-action": ({}, ("legal action",)),
    "police-report": ({}, ("police",)),
    "legal-or-police-referral": ({"to": "police"}, ("the police",)),
    "serious-queries-only": ({"prescribed": "danger to life"}, ("serious", "danger to life")),
    "new-issues-only": ({"settled_issues": ["the fence"]}, ("new issues", "the fence")),
    "block-telephone-and-electronic": ({"channels": ["telephone", "social-media"]}, ("telephone", "social")),
    "premises-restriction": ({"premises": ["Civic Offices"], "lawful_alternative": "Write to us."}, ("Civic Offices", "Write to us.")),
    "not-registering-same-issue": ({"issue": "the fence"}, ("the fence", "not register")),
    "read-and-file": ({"reader": "Nic Officer"}, ("read", "file")),
    "written-agreement": ({"terms": "You keep to one call."}, ("agree", "You keep to one call.")),
    "third-party-contact": ({"third_party": "Citizens Advice"}, ("Citizens Advice",)),
    "written-or-third-party-only": ({"mode": "third-party", "third_party": "Citizens Advice"}, ("third party", "Citizens Advice")),
    "potentially-aggressive-marker": ({"reason": "You threw a chair."}, ("marked", "You threw a chair.")),
    "formal-complaint-employer-or-body": (
        {"employer": "Acme Ltd", "professional_body": "The Guild"},
        ("complaint", "Acme Ltd", "The Guild"),
    ),
    "full-disengagement": ({}, ("no longer engage",)),
    "partial-disengagement": ({"topics": ["the fence"]}, ("no longer engage", "the fence")),
    "other-action": ({"description": "We will meet you once a month."}, ("We will meet you once a month.",)),
}
"""One example of each type with the words the customer must be able to read."""

BARE: dict[str, dict[str, object]] = {
    "a limit on contacts alone": {"type": "contact-volume-limit", "max_contacts": 1, "per": "week"},
    "a limit on minutes alone": {"type": "contact-volume-limit", "max_duration": 30, "per": "fortnight"},
    "no contact at all for a while": {"type": "contact-volume-limit", "max_contacts": 0, "per": "week"},
    "days alone": {"type": "contact-times", "days": ["monday"]},
    "times alone": {"type": "contact-times", "times": [{"from": "09:00", "to": "10:00"}]},
    "two times": {"type": "contact-times", "times": [{"from": "09:00", "to": "10:00"}, {"from": "14:00", "to": "15:00"}]},
    "a channel alone": {"type": "channel-restriction", "channels": ["letter", "email"]},
    "no deputy": {"type": "single-point-of-contact", "officer": "Nic Officer"},
    "all offices": {"type": "visit-by-appointment-only", "how_to_book": "Write to us."},
    "a permanent refusal": {"type": "refuse-all-contact", "duration": "permanent"},
    "a temporary refusal": {"type": "refuse-all-contact", "duration": "temporary"},
    "a refusal but for complaints": {"type": "refuse-all-contact", "includes_complaints": False},
    "a referral to both": {"type": "legal-or-police-referral", "to": "both"},
    "a referral to the legal team": {"type": "legal-or-police-referral", "to": "legal-team"},
    "premises without an alternative": {"type": "premises-restriction", "premises": ["Civic Offices"]},
    "anybody the customer chooses": {"type": "third-party-contact"},
    "in writing only": {"type": "written-or-third-party-only", "mode": "written"},
    "an employer alone": {"type": "formal-complaint-employer-or-body", "employer": "Acme Ltd"},
}


def words_for(parameters: dict[str, object]) -> tuple[str, str]:
    """Returns the words of one restriction in text and in HTML, by way of a letter that holds nothing else."""
    letter = composed(restricted_by(parameters), "decision")
    rendered = render(letter.model_copy(update={"sections": letter.sections[:1]}), policy="mmo")
    text = rendered.text.split("What this means for you")[1].split("If anything is unclear")[0]
    html = Page(rendered.html).text.split("What this means for you")[1].split("If anything is unclear")[0]
    return plain(text), plain(html)


def test_there_is_an_example_of_each_of_the_27_types():
    """Design 3: the restriction types are a closed list."""
    assert len(get_args(RestrictionType)) == 27
    assert set(EXAMPLES) == set(get_args(RestrictionType))


@pytest.mark.parametrize("type", EXAMPLES)
def test_a_restriction_is_told_in_words_with_everything_it_asks(type: str):
    """MMO-29, PCC-53: the customer is told what the restriction is, so that it can be kept."""
    parameters, wanted = EXAMPLES[type]

    for words in words_for({"type": type, **parameters}):
        assert [one for one in wanted if one not in words] == []
        assert not re.search(r"\\|None|\{|\}|_|\d{4}-\d\d-\d\d", words)


@pytest.mark.parametrize("example", BARE)
def test_a_restriction_with_few_parameters_still_makes_a_sentence(example: str):
    """MMO-29: no gap, no stray word, and a full stop at the end."""
    for words in words_for(BARE[example]):
        said = words.removeprefix("- ")
        assert re.match(r"(You|We|Please|A contact|One officer)\b", said)
        assert said.endswith(".")
        assert not re.search(r"\\|None|\s[.,;]|\bto \.|\band\.|legal-team|\bto both\b", said)


@pytest.mark.parametrize("outcome", ["a permanent refusal", "a temporary refusal", "a refusal but for complaints"])
def test_a_refusal_of_all_contact_says_whether_complaints_are_refused_too(outcome: str):
    """MMO-37: further contact is refused altogether, complaints included; a letter may not leave that open."""
    text, _ = words_for(BARE[outcome])

    assert "complaints" in text


# The wording is a policy officer's


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("decision.md", "{% set subject = 'Decision' %}\nDear {{ surname }}"),
        ("parts/reasons.md", "{% set heading = 'Why' %}\n{{ texts }}"),
        ("parts/reasons.md", "{% set heading = 'Why' %}\n{% if because %}{{ text }}{% endif %}{{ text }}"),
        ("restrictions.md", "{% macro contact_volume_limit(r) %}{{ r.maximum }}{% endmacro %}"),
        ("restrictions.md", "{% macro another_limit(r) %}x{% endmacro %}"),
        ("letter.md", "{{ body }} {{ signature_of }}"),
    ],
)
def test_an_unknown_placeholder_fails_loudly(own_wording: Path, file: str, content: str):
    """Conventions: a placeholder that means nothing must not print nothing; the letter is stopped, and the error says why."""
    (own_wording / file).write_text(content, encoding="utf-8")

    with pytest.raises(Unprintable, match=r"decision: .*(undefined|no attribute)"):
        printed(a_restricted_mmo_case(), "decision")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("decision.md", "No subject is set.", "subject"),
        ("parts/reasons.md", "{{ text }}", "heading"),
        ("decision.md", "{% set subject = 'x' %}{% if %}", "decision: "),
    ],
)
def test_wording_that_is_not_whole_fails_loudly(own_wording: Path, file: str, content: str, said: str):
    """Conventions: errors teach; which letter, and what is wrong."""
    (own_wording / file).write_text(content, encoding="utf-8")

    with pytest.raises(Unprintable, match=said):
        printed(a_restricted_mmo_case(), "decision")


def test_a_missing_template_fails_loudly(own_wording: Path):
    """Conventions: a part without wording stops the letter."""
    (own_wording / "parts" / "reasons.md").unlink()

    with pytest.raises(Unprintable, match=r"reasons\.md"):
        printed(a_restricted_mmo_case(), "decision")


def test_a_body_s_own_wording_comes_before_the_common_one(own_wording: Path):
    """Layout, templates/: a body words its own letters; others keep the common wording."""
    (own_wording / "mmo" / "parts").mkdir(parents=True)
    (own_wording / "mmo" / "decision.md").write_text("{% set subject = 'From the coast' %}\nOur own opening.", encoding="utf-8")
    (own_wording / "mmo" / "parts" / "reasons.md").write_text("{% set heading = 'Our grounds' %}\n{{ text }}", encoding="utf-8")

    ours, theirs = printed(a_restricted_mmo_case(), "decision").text, printed(a_restricted_portsmouth_case(), "decision").text

    assert "From the coast" in ours
    assert "Our own opening." in ours
    assert "Our grounds" in ours
    assert "What this means for you" in ours, "the parts it does not word stay the common ones"
    assert "From the coast" not in theirs
    assert "Our grounds" not in theirs


def test_every_part_and_every_kind_of_letter_has_its_template():
    """Design 3: what a policy file may ask for can be printed."""
    kinds = {kind for name in POLICIES for kind in load.policy(name).notices}
    parts = {part.part for name in POLICIES for rule in load.policy(name).notices.values() for part in rule.parts}
    print(f"{len(kinds)} kinds, {len(parts)} parts")

    assert len(kinds) >= 15
    assert len(parts) >= 20
    assert [kind for kind in sorted(kinds) if not (letters.TEMPLATES / f"{kind}.md").is_file()] == []
    assert [part for part in sorted(parts) if not (letters.TEMPLATES / "parts" / f"{part}.md").is_file()] == []


def test_the_same_letter_is_the_same_twice():
    """Design 4: a letter sent again after a crash is the same letter."""
    case = a_restricted_mmo_case()

    assert printed(case, "decision") == printed(case, "decision")


def test_a_section_of_an_unknown_part_cannot_be_printed():
    """Conventions: nothing is dropped in silence."""
    letter = composed(a_restricted_mmo_case(), "decision")
    odd = Section(part="horoscope", facts={"text": "x"}, cites=("MMO-29",), practice=False)

    with pytest.raises(Unprintable, match="horoscope"):
        render(letter.model_copy(update={"sections": (odd,)}), policy="mmo")


def test_a_later_sending_moves_the_last_day_of_the_window_in_the_letter():
    """DEF-06: the window is told as it will run; a letter sent a week later says a week later."""
    case, day = a_restricted_mmo_case(), date(2027, 3, 10)
    assert MMO.appeal

    late = printed(case, "decision", day=day + timedelta(days=7)).text

    assert "The last day is Wednesday 31 March 2027." in late
