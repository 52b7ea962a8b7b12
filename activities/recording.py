"""One message, one transaction: who is this today, what do the rules say, and everything saved or nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import NamedTuple, TypedDict, cast

from sqlmodel import Session

from activities.act_id import kept_by, kept_id
from activities.bodies import Body, Unknown, body_of, keep_edition, policy_at_body, policy_of_edition
from activities.calendars import calendar_after, calendar_now, calendar_of, made_of, with_edition
from activities.clock import Clock
from activities.destruction import destroy_case, require_room
from activities.given_texts import GivenTexts, without_text_inline
from activities.outcome import OF_NO_CASE, RESUME, Act, Outcome, Waiting
from activities.refused_unsigned import as_code, note, refuse_again
from activities.signatures import verified
from activities.signed_contents import kept_beside
from activities.staff_owed import owe_staff_notices
from domain.acted_as import acted_as
from domain.case import Case
from domain.case_id import fit_case_id
from domain.clocks import next_deadline
from domain.coming_review import with_house_letters
from domain.commands import COMMANDS, AnyCommand, ApplyCalendar, DestroyPapers, ImportCase, MoveEdition, OpenCase
from domain.counting import Counting
from domain.days import Calendar, first_instant, in_words, london_date
from domain.deadlines import Deadline
from domain.decide import decide
from domain.decision import Decision, Entry, Refusal
from domain.importing import import_case
from domain.message import Message, read_command, read_message
from domain.move_edition import Target
from domain.people import CALENDAR, CUSTOMER, POST, Actor
from domain.policy import Policy
from domain.referral import open_case
from domain.task import Task
from domain.tasks import tasks
from policies import load
from records.destroying import rows_to_destroy
from records.log import Log
from records.store import case_of, save_case, save_lists
from records.tables import CaseRow, CommandRow, EditionRow, LogRow
from records.vault import CaseVault

Json = dict[str, object]
OPENING = ("open_case", "import_case")
"""Acts that begin a case; nothing comes before them."""
ENVELOPE = ("v", "id", "do", "by", "on", "saw", "with", "token")
QUOTING = {
    "malformed": "The message could not be read.",
    "unknown": "The message names a command, a person or a body that is not known.",
}
"""Refusals whose reason quotes the message, and what the log says instead."""


class Needs(NamedTuple):
    """What a case needs next, worked out once an act: its deadline, and what waits for whom."""

    deadline: Deadline | None
    tasks: tuple[Task, ...]
    calendar: Calendar
    """What it counts with after the act."""


class Facts(TypedDict):
    """What every first act of a case is decided with."""

    id: str
    edition: str
    keep_years: int | None
    actor: Actor
    policy: Policy
    today: date


class Recording:
    """The act of recording one message on one case, inside the caller's transaction."""

    def __init__(self, session: Session, act: Act, clock: Clock, *, from_before_signatures: bool = False) -> None:
        self.session, self.act, self.clock = session, act, clock
        self.needs_signature = act.source == "outside" and not from_before_signatures
        self.at = clock.case_time(act.now)
        self.today: date = london_date(self.at)
        self.id = kept_id(act.message.get("id"))
        self.name = name if (name := str(act.message.get("do"))) in COMMANDS else "unknown"
        self.by = kept_by(act.message.get("by")) or ("unknown" if act.source == "outside" else act.source)
        self.command: AnyCommand | None = None
        self.actor: Actor | None = None
        self.before: Case | None = None
        self.last = self.today
        """The day of the act before this one."""

    def record(self) -> Outcome:
        """Decide the message and save the whole result; the same message again answers what it answered before."""
        if not fit_case_id(self.act.case):
            return self._under_an_unfit_id()
        case = self._read()
        if self.act.source == "calendar" and self.act.message.get("do") == RESUME:
            return self._resumed(case)
        hashed = content_hash(self.act.message)
        self._in_step(case)
        before = self.session.get(CommandRow, (self.act.case, self.id))
        if before is not None and before.content_hash == hashed:
            return self._again(case, before, hashed)  # recorded already: whoever asks again, nothing changes
        if (forged := self._unsigned(case)) is not None:
            return forged
        if before is not None:
            return self._again(case, before, hashed)
        try:
            decision = self._decide(case)
        except Refusal as refusal:
            return self._refused(case, refusal, hashed)
        return self._accepted(decision, hashed)

    def _under_an_unfit_id(self) -> Outcome:
        """Note a message to an id that no case can have; with this answer its workflow ends. No table is asked for such an id."""
        refusal = _unfit()
        if self.act.source == "outside":
            note(self.session, self.act, refusal.reason, there=False, at=self.at, on_the_case=lambda _: None)
        return self._without_an_act(None, refusal)

    def _unsigned(self, case: Case | None) -> Outcome | None:
        """Returns the refusal of an act that nobody signed who may, or None. No act is kept under its id: the true one may still come."""
        if not self.needs_signature:
            return None
        try:
            refuse_again(self.session, self.act)
            verified(self.session, self.act.case, self.act.message, body=case.body if case else self._named_body(), arrived=self.at)
        except Refusal as refusal:
            note(self.session, self.act, refusal.reason, there=case is not None, at=self.at, on_the_case=self._forged_line)
            return self._without_an_act(case, refusal)
        return None

    def _named_body(self) -> str | None:
        """Returns the body that an opening message names."""
        with_ = self.act.message.get("with")
        body = with_.get("body") if isinstance(with_, dict) else None
        return body if isinstance(body, str) else None

    def _forged_line(self, what: str) -> None:
        """Write a line about a message that is nobody's: whom it names is said, not believed."""
        claimed, self.by, self.id = self.by, "unknown", as_code(self.act.message.get("id"))
        self._line(Log(self.session, self.act.case), Entry(what=f"{what} It names {claimed}."), "unsigned")

    def _without_an_act(self, case: Case | None, refusal: Refusal) -> Outcome:
        """Returns a refusal that is kept nowhere as an act, with where the case stands."""
        if case is None:
            return Outcome(command=self.id, result=refusal.kind, answer=refusal.reason, remains=refusal.remains)
        policy = policy_of_edition(self.session, case.edition)
        return self._outcome(case, policy, self._needs(case, policy), refusal.kind, refusal.reason, (), refusal.remains)

    def _read(self) -> Case | None:
        """Returns the case as it stands, nobody else acting on it until this transaction ends."""
        row = self.session.get(CaseRow, self.act.case, with_for_update=True)
        self.vault = CaseVault(self.session, self.act.case)
        self.before = case_of(row, self.vault) if row else None
        self.last = london_date(row.changed_at) if row else self.today
        return self.before

    def set_aside(self, problem: str) -> Outcome:
        """Record that this message could not be acted on because of a fault in the program; a person must look."""
        if not fit_case_id(self.act.case):
            return self._under_an_unfit_id()
        case = self._read()
        if (forged := self._unsigned(case)) is not None:
            return forged
        kept = None
        if case is not None and case.stage != "closed":
            kept = case.model_copy(update={"seq": case.seq + 1, "set_aside": (*case.set_aside, self.id)})
        said = f"Set aside: a fault in the program ({problem}). Nothing else was changed."
        refusal = Refusal(said, kind="set-aside", remains="An operator looks; send it again under a new id.", kept=kept)
        return self._refused(case, refusal, content_hash(self.act.message))

    def _in_step(self, case: Case | None) -> None:
        """Raises RecordsBehind where the workflow has seen more than the records hold: they were restored from an older copy."""
        if (case.seq if case else 0) < self.act.seq:
            seen = case.seq if case else "none"
            raise RecordsBehind(
                f"{self.act.case}: the records hold seq {seen}, the workflow has seen {self.act.seq}; run evenhand engine repair"
            )

    def look(self) -> Outcome:
        """Answer where the case stands, and record nothing: for a message whose answer was lost and that has nothing left to say."""
        case = self._read()
        self._in_step(case)
        if case is None:
            return Outcome(command=self.id, result="unknown", answer="There is no such case.", remains="Open it with open_case.")
        policy = policy_of_edition(self.session, case.edition)
        return self._outcome(case, policy, self._needs(case, policy), "accepted", "Nothing was left to do.", (), None)

    def _resumed(self, case: Case | None) -> Outcome:
        """Answer a workflow that was started again: where the records say the case stands."""
        if case is None:
            return Outcome(command=self.id, result="unknown", answer="There is no such case.", remains="Open it with open_case.")
        self._line(Log(self.session, case.id), Entry(what="The workflow was started again from the records."), "accepted")
        policy = policy_of_edition(self.session, case.edition)
        said = "The workflow was started again from the records."
        return self._outcome(case, policy, self._needs(case, policy), "accepted", said, (), None)

    def _decide(self, case: Case | None) -> Decision:
        message, given = read_message(self.act.message), GivenTexts(self.vault)
        self.command = command = read_command(message, texts=given)
        if self.act.unsealed:
            without_text_inline(command, given)
        if isinstance(command, OpenCase | ImportCase):
            return self._open(case, command, message)
        if case is None:
            raise Refusal("There is no such case.", kind="unknown", remains="Open it first.")
        body, policy = body_of(self.session, case.body, at=self.at), policy_at_body(self.session, case.edition, case.body)
        self.actor = self._who(message, body)
        calendar, target = self._calendar(case, command, policy, body), self._target(case, command, policy, body)
        policy = with_house_letters(policy, body.house_letters)
        decision = decide(case, command, actor=self.actor, policy=policy, calendar=calendar, today=self.today, target=target)
        if isinstance(command, DestroyPapers):
            require_room(self.session, body, self.today)
        return decision

    def _target(self, case: Case, command: AnyCommand, policy: Policy, body: Body) -> Target | None:
        """Returns the edition a move names, where the records hold it."""
        if not isinstance(command, MoveEdition) or self.session.get(EditionRow, command.edition) is None:
            return None
        target = policy_of_edition(self.session, command.edition)
        return Target(command.edition, target, calendar_after(self.session, case, policy, target, body))

    def _calendar(self, case: Case, command: AnyCommand, policy: Policy, body: Body) -> Calendar:
        """Returns what the case counts with; beside it the newer table, where the act is to take one over."""
        calendar = calendar_of(self.session, case, policy)
        if not isinstance(command, ApplyCalendar):
            return calendar
        return made_of(calendar, newer=with_edition(self.session, case, policy, body, command.edition))

    def _open(self, case: Case | None, command: OpenCase | ImportCase, message: Message) -> Decision:
        if case is not None:
            raise _open_already(case.id)
        if self.act.case.startswith(OF_NO_CASE):
            raise _unfit()
        try:
            body = body_of(self.session, command.body, at=self.at)
        except Unknown as unknown:
            raise Refusal(str(unknown), kind="unknown", remains=unknown.remains) from None
        self.actor = self._who(message, body)
        if self.actor.person is None:
            raise Refusal("Only staff open a case.", remains="A member of staff opens it.")
        try:
            policy, edition = keep_edition(self.session, body, at=self.at)
        except load.Unreadable as unreadable:
            raise Refusal(
                f"The body's policy file cannot be used: {unreadable}", remains="Mend the file; evenhand policy check shows its faults."
            ) from None
        facts = Facts(id=self.act.case, edition=edition, keep_years=body.keep_years, actor=self.actor, policy=policy, today=self.today)
        calendar = calendar_now(self.session, policy, body)
        if isinstance(command, ImportCase):
            decision = import_case(command, staff=body.staff, calendar=calendar, **facts)
        else:
            decision = open_case(command, **facts)
        return decision.model_copy(update={"case": decision.case.model_copy(update={"counting": Counting.of(calendar)})})

    def _who(self, message: Message, body: Body) -> Actor:
        if self.act.source != "outside":
            return CALENDAR if self.act.source == "calendar" else POST
        if message.by == "customer":
            return CUSTOMER
        if message.by == "calendar" and message.do == ApplyCalendar.do:  # the table comes from the records, whoever asks for it
            return CALENDAR
        staff = body.staff.on(self.today)
        person = staff.by_id.get(message.by or "")
        if person is None and staff.was(message.by):
            raise Refusal(
                f"{message.by} is on the staff list, but not today: from a day to come, or no longer.",
                cites=("DEF-20",),
                remains="Somebody who serves today.",
            )
        if person is None:
            raise Refusal(
                f"by is {message.by!r}, who is not on the staff list today.",
                kind="unknown",
                remains="The id of a person on the body's staff list, or customer.",
            )
        return Actor(origin="staff", person=person, staff=staff)

    def _accepted(self, decision: Decision, hashed: str) -> Outcome:
        case = decision.case
        policy = policy_of_edition(self.session, case.edition)
        needs = self._needs(case, policy)
        held = rows_to_destroy(self.session, case.id) if case.destroyed_on else {}
        self._save(case, policy, needs)
        log, office = Log(self.session, case.id), self._acted_as(case)
        for entry in decision.entries:
            self._line(log, entry, "accepted", office=office)
        outcome = self._outcome(case, policy, needs, "accepted", decision.answer, decision.cites, None)
        self._keep(outcome, hashed)
        if case.destroyed_on:
            self._destroy(case, policy, needs.calendar, held)
        return outcome

    def _refused(self, case: Case | None, refusal: Refusal, hashed: str) -> Outcome:
        if case is None:
            self._refused_without_a_case(refusal)
            return Outcome(command=self.id, result=refusal.kind, answer=refusal.reason, cites=refusal.cites, remains=refusal.remains)
        policy = policy_of_edition(self.session, case.edition)
        case = refusal.kept or case
        needs = self._needs(case, policy)
        if refusal.kept is not None:
            self._save(case, policy, needs)
        quotes = refusal.kind in QUOTING and case.stage != "closed"
        detail = self.vault.put(refusal.reason) if quotes else None
        self._line(Log(self.session, case.id), Entry(what=_public(refusal), cites=refusal.cites), refusal.kind, detail)
        outcome = self._outcome(case, policy, needs, refusal.kind, refusal.reason, refusal.cites, refusal.remains)
        self._keep(outcome.model_copy(update={"answer": _public(refusal)}), hashed, closed=case.stage == "closed")
        return outcome

    def _refused_without_a_case(self, refusal: Refusal) -> None:
        """Log a refusal where there is no case. No act is kept under the id, which may open the case yet: one tried again is
        known by the last line, so that an opening that comes twice (with the start, and asked for) is one line."""
        log = Log(self.session, self.act.case)
        last = self.session.get(LogRow, (self.act.case, log.n))
        told = (self.id, self.actor.id if self.actor else self.by, refusal.kind, _public(refusal))
        if last is None or (last.command_id, last.actor, last.result, last.what) != told or london_date(last.at) != self.today:
            self._line(log, Entry(what=_public(refusal), cites=refusal.cites), refusal.kind)

    def _again(self, case: Case | None, before: CommandRow, hashed: str) -> Outcome:
        if before.content_hash != hashed:
            refusal = _open_already(self.act.case) if case and self.name in OPENING else _used_already(self.id)
            self._line(Log(self.session, self.act.case), Entry(what=_public(refusal)), "repeated")
            answer = Outcome(command=self.id, result="repeated", answer=refusal.reason, remains=refusal.remains)
        else:
            answer = Outcome.model_validate(before.outcome, extra="allow")
        if case is None:
            return answer
        policy = policy_of_edition(self.session, case.edition)
        return self._outcome(case, policy, self._needs(case, policy), answer.result, answer.answer, answer.cites, answer.remains)

    def _needs(self, case: Case, policy: Policy) -> Needs:
        calendar = calendar_of(self.session, case, policy)
        return Needs(next_deadline(case, policy, calendar), tasks(case, policy, calendar, today=self.today), calendar)

    def _save(self, case: Case, policy: Policy, needs: Needs) -> None:
        save_case(self.session, case, vault=self.vault, deadline=needs.deadline, at=self.at)
        if self.before is None:
            self.session.flush()  # the log counts its lines on the case's row, which must be there
        save_lists(self.session, case, needs.tasks, before=self.before, vault=self.vault, policy=policy, calendar=needs.calendar)
        owe_staff_notices(
            self.session, case, needs.tasks, before=self.before, policy=policy, calendar=needs.calendar, last=self.last, at=self.at
        )

    def _acted_as(self, after: Case | None) -> str | None:
        """Returns the office under which the actor acted; of a refusal, where nothing was signed, the offices that they hold."""
        person = self.actor.person if self.actor else None
        return acted_as(person, before=self.before, after=after) if person else None

    def _line(self, log: Log, entry: Entry, result: str, detail: str | None = None, *, office: str | None = None) -> None:
        actor = self.actor
        on = self.command.on if self.command and self.command.on and self.command.on <= self.today else self.today
        log.write(
            at=self.at,
            on=on,
            actor=actor.id if actor else self.by,
            office=office or self._acted_as(self.before),
            command=self.name,
            command_id=self.id,
            result=result,
            what=entry.what,
            cites=entry.cites,
            detail=detail,
            grade=actor.person.grade if actor and actor.person else None,
        )

    def _keep(self, outcome: Outcome, hashed: str, *, closed: bool = False) -> None:
        row = CommandRow(
            case_id=self.act.case,
            command_id=self.id,
            content_hash=hashed,
            message={"do": self.name, "by": self.by} if closed else self._without_text(),
            outcome=cast(Json, outcome.model_dump(mode="json")),
            seq=outcome.seq,
            decided_at=self.at,
        )
        self.session.add(row)

    def _without_text(self) -> Json:
        """Returns the message with references in place of personal text; what could not be read, or is not known, is all text."""
        if self.command is None:
            return {"raw": self.vault.put(json.dumps(self.act.message, default=str))}
        context = {"vault": self.vault}
        with_ = self.command.model_dump(mode="json", by_alias=True, exclude={"id", "on", "saw"}, exclude_unset=True, context=context)
        known = {key: value for key, value in self.act.message.items() if key in ENVELOPE}
        unknown = {key: value for key, value in self.act.message.items() if key not in ENVELOPE}
        kept = {"unknown": self.vault.put(json.dumps(unknown, default=str))} if unknown else {}
        if "token" in known and self.by != self.act.message.get("by"):
            known["token"] = self.vault.put(str(known["token"]))  # it names whoever `by` names, in somebody's own words
        return {**known, "by": self.by, "with": with_, **kept, **kept_beside(self.act.message, {"with": with_}, self.vault)}

    def _outcome(
        self, case: Case, policy: Policy, needs: Needs, result: str, answer: str, cites: tuple[str, ...], remains: str | None
    ) -> Outcome:
        said: Json = {"command": self.id, "result": result, "answer": answer, "cites": cites, "remains": remains}
        return outcome_of(case, policy, needs, clock=self.clock, today=self.today, said=said)

    def _destroy(self, case: Case, policy: Policy, calendar: Calendar, held: dict[str, int]) -> None:
        assert self.before is not None and self.actor is not None and self.actor.person is not None
        by: Json = {"person": self.actor.id, "office": self._acted_as(case)}
        destroy_case(self.session, self.before, case, held=held, policy=policy, calendar=calendar, by=by)


class RecordsBehind(Exception):
    """The records lie behind what the workflow has seen: they were restored from an older copy. Nothing is acted on until repaired."""


def outcome_of(case: Case, policy: Policy, needs: Needs, *, clock: Clock, today: date, said: Json) -> Outcome:
    """Returns what a case needs next, with what was said: the one thing the workflow takes from the record."""
    deadline, waiting = needs.deadline, needs.tasks
    facts: Json = {}
    if deadline:
        clauses = ", ".join(dict.fromkeys((*deadline.reckoned.cites, *deadline.reckoned.defaults)))
        facts = {
            "wake_at": clock.engine_time(first_instant(deadline.fires)),
            "due_key": deadline.key,
            "due": f"{deadline.kind.replace('-', ' ').capitalize()} {in_words(deadline.reckoned.date)}, {clauses}",
        }
    return Outcome.model_validate(
        {
            **facts,
            **said,
            "seq": case.seq,
            "stage": case.stage,
            "body": case.body,
            "to_send": [one.id for one in case.notices if one.status == "to-send"],
            "waits": [_waiting(task, policy) for task in waiting],
            "overdue": any(task.overdue(today) for task in waiting),
            "closed": case.stage == "closed",
        }
    )


def _unfit() -> Refusal:
    return Refusal(
        f"A case id is letters, digits and . _ : / - only, at most 100 of them, and does not begin with {' or '.join(OF_NO_CASE)}.",
        kind="malformed",
        remains="Something like body/2027-0001.",
    )


def _open_already(case: str) -> Refusal:
    return Refusal(
        f"The case {case} exists already; nothing was opened.",
        kind="repeated",
        remains=f"Open another under a new id, or look at this one: evenhand case show {case}.",
    )


def _used_already(id: str) -> Refusal:
    return Refusal(f"The id {id} was already used for another act.", kind="repeated", remains="Send it under an id of its own.")


def _public(refusal: Refusal) -> str:
    """Returns what the log says of a refusal: one that quotes what was sent may quote personal text, which is kept apart."""
    return QUOTING.get(refusal.kind, refusal.reason)


def _waiting(task: Task, policy: Policy) -> Waiting:
    people = (one.replace("line-manager-of:", "the line manager of ").replace("grade-from:", "anybody from grade ") for one in task.people)
    whom = (*(policy.office(office) for office in task.offices), *people)
    saw = task.ref if task.ref != "case" else None
    return Waiting(what=task.what, whom=whom, due=task.due.isoformat() if task.due else None, command=task.command, saw=saw)


def content_hash(message: Json) -> str:
    """Returns the hash by which the same message is known again. `on` is left out: a door writes it, and asks again another day; and
    `token`, for an act signed again is the same act."""
    content = {key: value for key, value in message.items() if key not in ("on", "token")}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
