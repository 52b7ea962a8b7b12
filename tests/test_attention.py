"""What needs somebody's eyes: nobody who is to know stays forgotten, and a letter in the post is no letter that was forgotten."""

from __future__ import annotations

from datetime import date

from domain.attention import attention
from domain.commands import RecordInformed
from domain.flags import flags
from domain.informing import to_inform
from domain.notices import notified_on
from tests.stories import ENGLAND, MAIDSTONE, a_restricted_maidstone_case, after, maidstone

LATER = date(2027, 3, 20)


def test_a_team_that_is_not_made_aware_needs_attention_until_it_is():
    """MBC-64: the managers of other teams; the flag of the case and the register say the same."""
    case = a_restricted_maidstone_case()
    [(rule, event)] = to_inform(case, MAIDSTONE)

    [one] = [one for one in attention(case, MAIDSTONE, ENGLAND, today=LATER) if one.kind == "not-informed"]
    assert "not_everybody_informed" in flags(case, MAIDSTONE, ENGLAND, today=LATER)
    assert (one.what, one.since, one.cites) == (
        f"the {rule.label} not yet made aware of the decision of s1",
        event.on,
        rule.sources,
    )

    told = RecordInformed(team=rule.team, at="decision", saw="s1")
    case = after(case, (told, maidstone("officer"), LATER))
    assert not [one for one in attention(case, MAIDSTONE, ENGLAND, today=LATER) if one.kind == "not-informed"]


def test_a_letter_in_the_post_is_said_to_be_on_its_way():
    """DEF-06: sent and not yet deemed notified is no letter that nobody sent."""
    case = a_restricted_maidstone_case()
    told = notified_on(case, "n2")
    assert told
    before = date.fromordinal(told.toordinal() - 1)

    said = {one.what for one in attention(case, MAIDSTONE, ENGLAND, today=before) if one.kind == "not-notified"}

    assert said == {f"sent, and counts as notified only on {told.day} {told:%b %Y}"}
    assert not [one for one in attention(case, MAIDSTONE, ENGLAND, today=told) if one.kind == "not-notified"]
