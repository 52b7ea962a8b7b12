"""Where a policy's text is silent, so that something else stands in its place or the body must decide. A gap is lawful: the file loads.

One function a check, named for what it finds; each yields where, what, and what could be done.
Nothing here is good practice: see practice.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.policy import Policy
from domain.rules import NoticeKind, Who
from policies import load
from policies.names import Path
from policies.needs import OF_EVERY_BODY, needs
from policies.survey import values
from policies.units import appeal_stages

Places = tuple[Path, ...]
Found = Iterator[tuple[Places, str, str]]
"""Where it stands (or the nearest thing that stands), what was found, what could be done."""


def no_end(policy: Policy) -> Found:
    if policy.decision.length.kind.value == "open":
        yield (
            (("decision", "length", "kind"),),
            "The text sets no end: restrictions run until a review lifts them.",
            "Give each decision an end, or lean on the reviews.",
        )


def no_review_interval(policy: Policy) -> Found:
    if policy.review.cycle is not None or policy.review.each_decision is not None:
        return
    if policy.review.chosen:
        what = f"The text gives no review interval: each decision sets its own, by default at most {policy.review.chosen.words} on."
        yield (("review", "chosen"),), what, "Let the policy say how often restrictions are reviewed."
    else:
        yield (("review",),), "The text schedules no review.", "Let the policy say how often restrictions are reviewed."


def no_appeal(policy: Policy) -> Found:
    if policy.appeal is None and policy.appeal_outside is None:
        yield ((),), "The text gives the customer no appeal.", "Say in the policy how a decision can be challenged, or refer to complaints."


def no_appeal_window(policy: Policy) -> Found:
    for path, rule in appeal_stages(policy):
        if rule.window is not None:
            continue
        yield (
            (path,),
            "The text sets no time to appeal; an appeal is taken at any time.",
            "Let the policy set a time, or leave it open.",
        )


def no_time_to_answer(policy: Policy) -> Found:
    for path, rule in appeal_stages(policy):
        if rule.answer is not None:
            continue
        target = rule.answer_target
        stands = f"; {target.words} is the body's own target" if target else ""
        yield (path,), f"The text sets no time in which an appeal is answered{stands}.", "Let the policy promise one."


def no_word_on_late_appeals(policy: Policy) -> Found:
    for path, rule in appeal_stages(policy):
        if rule.window is None or rule.if_late is None or rule.if_late.default != "DEF-10":
            continue
        what = "The text does not say what becomes of a late appeal: it is refused as of right, and may be let in with a reason (DEF-10)."
        yield ((*path, "if_late"),), what, f"Let the policy say, under {'.'.join(map(str, path))}.if_late."


def no_decider_named(policy: Policy) -> Found:
    """An office is only Evenhand's word where no clause names it."""
    deciding: dict[Path, Who | None] = {
        **{("decision", "sign_offs", name, "decided_by"): rule.decided_by for name, rule in policy.decision.sign_offs.items()},
        ("review", "by"): policy.review.by,
        ("disengagement_review", "by"): policy.disengagement_review.by if policy.disengagement_review else None,
    }
    for path, rule in appeal_stages(policy):
        deciding |= {(*path, "decided_by"): rule.decided_by, (*path, "late_decided_by"): rule.late_decided_by}
    silent = tuple(path for path, who in deciding.items() if who and (who.unconfirmed or who.default))
    if silent:
        yield silent, "The text does not say, or not fully or legibly, who decides here.", "The body says who, and takes the mark away."


def no_retention(policy: Policy) -> Found:
    if policy.retention.keep is None:
        suggested = policy.retention.suggested
        could = f"Set keep_years in the body's file; {suggested.words} is suggested." if suggested else "Set keep_years in the body's file."
        yield (("retention",),), "The text does not say how long papers are kept.", could


def no_life_of_a_warning(policy: Policy) -> Found:
    life = policy.warning.life
    if policy.warning.needed.value != "no" and policy.step_one is None and (life is None or not life.number.cites):
        stands = f"{life.words} stand in by default" if life else "it supports one for ever"
        path: Path = ("warning", "life") if life else ("warning",)
        yield (path,), f"The text does not say how long a warning supports a decision; {stands}.", "Let the policy say."


def nobody_to_warn(policy: Policy) -> Found:
    if policy.warning.needed.value != "no" and policy.warning.given_by is None:
        yield (("warning",),), "The text does not say who warns; any member of staff may.", "Name an office under warning.given_by."


def no_date(policy: Policy) -> Found:
    if policy.edition.valid_from.value is None:
        yield (("edition", "valid_from"),), "The text does not say from which day it applies.", "The policy's owner confirms the day."


def no_ombudsman(policy: Policy) -> Found:
    if not policy.ombudsman.cites:
        yield (
            (("ombudsman",),),
            "The text does not say who can look into it afterwards.",
            "Name the ombudsman in the policy, or set ombudsman in the body's file.",
        )


def no_nation(policy: Policy) -> Found:
    if policy.nation.value is None:
        yield (("nation",),), "The text does not say in which nation it applies.", "Set nation: it decides bank holidays and the ombudsman."


def no_letter(policy: Policy) -> Found:
    """DEF-14: what no letter tells, the customer does not learn from this program."""
    late = any(rule.window for _, rule in appeal_stages(policy))
    owed: tuple[tuple[NoticeKind, bool, str], ...] = (
        ("warning", policy.warning.needed.value != "no" and policy.step_one is None, "a warning"),
        ("no-action", True, "a decision not to act"),
        ("review-outcome", True, "the outcome of a review"),
        ("lapse", policy.decision.length.kind.value != "open", "the end of restrictions"),
        ("appeal-late-accepted", late, "a late appeal that is considered"),
        ("appeal-late-declined", late, "a late appeal that is declined"),
    )
    for kind, due, what in owed:
        if due and kind not in policy.notices:
            yield (("notices",),), f"No letter tells of {what}; the program sends none.", f"Add the letter {kind} under notices (DEF-14)."


def defaults_stand_in(policy: Policy) -> Found:
    """One finding a default: all the places where it stands instead of a clause, or beside one."""
    places: dict[str, list[Path]] = {}
    for value in values(policy):
        if value.default:
            places.setdefault(value.default, []).append(value.path)
    for default, found in sorted(places.items()):
        said = load.defaults().get(default, "the text is silent or unclear here")
        yield tuple(found), f"{default} stands in: {said.rstrip('.')}.", "The policy's owner confirms it, or says otherwise."


def unconfirmed(policy: Policy) -> Found:
    for value in values(policy):
        if value.unconfirmed:
            note = f" {value.note}" if value.note else ""
            yield (
                (value.path,),
                f"Unconfirmed: {value.where} is {value.value}.{note}",
                "The body says what is right; take the mark away then.",
            )


def to_configure(policy: Policy) -> Found:
    for need in needs(policy):
        if need.kind == OF_EVERY_BODY:  # no text speaks of it, so none lacks it
            continue
        yield need.places, f"The body must have: {need.what}.", need.could


CHECKS: dict[str, Callable[[Policy], Found]] = {
    "GAP-01": no_end,
    "GAP-02": no_review_interval,
    "GAP-03": no_appeal,
    "GAP-04": no_appeal_window,
    "GAP-05": no_time_to_answer,
    "GAP-06": no_word_on_late_appeals,
    "GAP-07": no_decider_named,
    "GAP-08": no_retention,
    "GAP-09": no_life_of_a_warning,
    "GAP-10": nobody_to_warn,
    "GAP-11": no_date,
    "GAP-12": no_ombudsman,
    "GAP-13": no_nation,
    "GAP-14": no_letter,
    "GAP-20": defaults_stand_in,
    "GAP-21": unconfirmed,
    "GAP-30": to_configure,
}
"""Codes are never used again for something else."""
